//! Makes text that came from AWS, a manifest or the system harmless for a terminal: what would act is shown instead.
//! It never drops a character and never looks at what the text means.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::harmless::{self, SHARP, is_harmful};

/// Escapes every character that could act on a terminal or reorder what is seen; line breaks too. For text within a line.
pub fn line(text: &str) -> Cow<'_, str> {
    no_command(escape(text, |_| false))
}

/// Like [`line()`], but keeps line feeds and tabs (a carriage return before a line feed is part of it). For text of many lines.
pub fn block(text: &str) -> Cow<'_, str> {
    let keep = |c| matches!(c, '\n' | '\t');
    if text.contains("\r\n") {
        return Cow::Owned(no_command(escape(&text.replace("\r\n", "\n"), keep)).into_owned());
    }
    no_command(escape(text, keep))
}

/// The text without commands to whoever runs a job and reads its log.
fn no_command(text: Cow<'_, str>) -> Cow<'_, str> {
    harmless::no_mark(harmless::no_command(text), SHARP)
}

/// Escapes in JSON text what JSON allows raw in a string and a terminal would act on, as JSON's own `\uXXXX`.
///
/// Outside of strings JSON text holds only ASCII, of that no `#`, and only line feeds are touched by the class: they are kept. So the
/// value of the text stays the same.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_harmful(c) {
            out.push(c);
            continue;
        }
        let mut units = [0_u16; 2];
        for unit in c.encode_utf16(&mut units) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    harmless::no_mark(Cow::Owned(out), "\\u0023").into_owned()
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_harmful(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) && !keep(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_shown() {
        assert_eq!(line("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(line("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(line("bell\u{7}, delete\u{7f}"), "bell\\u{7}, delete\\u{7f}");
        assert_eq!(line("a\r\nb\tc"), "a\\r\\nb\\tc");
    }

    #[test]
    fn overrides_of_direction_are_shown() {
        assert_eq!(line("role\u{202e}nimda"), "role\\u{202e}nimda");
        assert_eq!(line("a\u{2066}b\u{2069}"), "a\\u{2066}b\\u{2069}");
        assert_eq!(line("a\u{e0041}"), "a\\u{e0041}");
    }

    #[test]
    fn no_line_is_a_command_of_github_actions() {
        assert_eq!(line("::add-mask::x"), "\\u{3a}:add-mask::x");
        assert_eq!(
            block("a::b\n  ::warning::x\n:: y"),
            "a::b\n  \\u{3a}:warning::x\n\\u{3a}: y"
        );
        assert_eq!(
            line("arn:aws:iam::111111111111:role/r"),
            "arn:aws:iam::111111111111:role/r"
        );
    }

    #[test]
    fn nothing_in_a_line_is_a_command_of_another_kind() {
        assert_eq!(line("x ##[group]y"), "x #\\u{23}[group]y");
        assert_eq!(block("a\n##vso[x]\u{1b}"), "a\n#\\u{23}vso[x]\\u{1b}");
        let value = serde_json::json!({"k": "##[set-output name=a]b"});
        let safe = json(&value.to_string());
        assert_eq!(safe, r##"{"k":"#\u0023[set-output name=a]b"}"##);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["", "plain", "Prüfung – 検証 ✓", "back\\slash \"quoted\""] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(block("a\r\nb\n\tc\u{1b}"), "a\nb\n\tc\\u{1b}");
        assert_eq!(block("a\rb"), "a\\rb");
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_harmful));
            prop_assert!(!block(&text).chars().any(|c| is_harmful(c) && c != '\n' && c != '\t'));
        }

        #[test]
        fn escaping_json_keeps_its_value(text in any::<String>(), mark in "[\u{80}-\u{9f}\u{202e}\u{e0001}\u{7f}]") {
            let value = serde_json::json!({ "key": text, "mark": mark });
            let safe = json(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert!(!safe.chars().any(|c| is_harmful(c) && c != '\n'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }
    }
}
