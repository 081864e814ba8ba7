//! The escapes of the picture formats: what comes in is text, whatever it looks like, and what goes out is only ever shown as text.
//! Nothing is dropped: what a format cannot hold is written in another spelling.

use std::fmt::Write as _;

use crate::output::sanitize;

/// For XML and HTML, in text and in quoted attributes.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize::line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 has no way to write these two.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// For a quoted Mermaid label, which is HTML with entities written `#NUMBER;`. All ASCII but letters, digits and
/// a few marks becomes one.
pub(super) fn mermaid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize::line(text).chars() {
        let plain = c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '-' | '.' | ':' | ',' | '/' | '+' | '(' | ')' | '\'' | '~' | '?' | '!'
            )
            || !c.is_ascii();
        if plain {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// For a quoted DOT string. Graphviz decodes HTML entities in it, and reads `\N` and its like as escapes.
pub(super) fn dot(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize::line(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        let evil = "<script>alert('&\"')</script>\u{1b}\u{202e}\u{ffff}";
        assert_eq!(
            xml(evil),
            "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;\\u{1b}\\u{202e}\u{fffd}"
        );
        assert_eq!(
            mermaid("a\"]; click x \"javascript:y\"<b>#"),
            "a#34;#93;#59; click x #34;javascript:y#34;#60;b#62;#35;"
        );
        assert_eq!(dot("a\"];\\N &lt;"), "a\\\"];\\\\N &amp;lt;");
    }
}
