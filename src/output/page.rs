//! The sheet that text is written on: indents, wraps, dresses and makes harmless everything that is put on it.
//! It is the only way to text for a terminal, so that no renderer can forget `sanitize`; it knows nothing of plans.

use std::borrow::Cow;

use super::sanitize;
use super::style::{Paint, Style};

/// A piece of a line.
pub(super) struct Span<'a> {
    paint: Paint,
    text: Cow<'a, str>,
    /// Where a click leads, on a terminal that knows how.
    link: Option<String>,
}

/// A piece of a line in a paint.
pub(super) fn span<'a>(paint: Paint, text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span {
        paint,
        text: text.into(),
        link: None,
    }
}

/// A piece of a line that leads to an address, where there is one.
pub(super) fn linked<'a>(
    paint: Paint,
    text: impl Into<Cow<'a, str>>,
    link: Option<String>,
) -> Span<'a> {
    Span {
        link,
        ..span(paint, text)
    }
}

/// A piece of a line without decoration.
pub(super) fn plain<'a>(text: impl Into<Cow<'a, str>>) -> Span<'a> {
    span(Paint::Plain, text)
}

/// Text under construction.
pub(super) struct Page<'a> {
    style: &'a Style,
    out: String,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub(super) fn new(style: &'a Style) -> Self {
        let out = String::new();
        Self { style, out }
    }

    /// The page's style.
    pub(super) fn style(&self) -> &'a Style {
        self.style
    }

    /// The text, ended by a line feed where there is any.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An empty line, but never two, and none at the top.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// One line that is never wrapped; a line break within a span is escaped.
    pub(super) fn line(&mut self, indent: usize, spans: &[Span<'_>]) {
        self.indent(indent);
        for Span { paint, text, link } in spans {
            let text = sanitize::line(text);
            match link.as_deref().filter(|_| self.style.links) {
                // OSC 8 (gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda); an address is printable ASCII.
                Some(link) => {
                    let link = sanitize::line(link);
                    self.out.extend(["\u{1b}]8;;", &link, "\u{1b}\\"]);
                    self.put(*paint, &text);
                    self.out.push_str("\u{1b}]8;;\u{1b}\\");
                }
                None => self.put(*paint, &text),
            }
        }
        self.out.push('\n');
    }

    /// Sentences: a head such as `hint: `, then text that is wrapped between words; all lines but the first stand two columns in,
    /// so that a text of many lines cannot pass for several messages.
    pub(super) fn prose(&mut self, indent: usize, head: Span<'_>, paint: Paint, text: &str) {
        let rest = if head.text.is_empty() {
            indent
        } else {
            indent + 2
        };
        let text = sanitize::block(text);
        let head_width = head.text.chars().count();
        let mut room = self.style.width.saturating_sub(indent + head_width);
        let mut first = Some(head);
        for source in text.trim_end().split('\n') {
            for line in wrap(source, room, self.style.width.saturating_sub(rest)) {
                match first.take() {
                    Some(Span {
                        paint,
                        text,
                        link: _,
                    }) => {
                        self.indent(indent);
                        self.put(paint, &sanitize::line(&text));
                    }
                    None => self.indent(rest),
                }
                self.put(paint, line);
                self.out.push('\n');
            }
            room = self.style.width.saturating_sub(rest);
        }
    }

    /// Text of many lines as it is, neither wrapped nor indented, such as an excerpt of a file with marks under it.
    pub(super) fn block(&mut self, head: Span<'_>, text: &str) {
        let Span {
            paint,
            text: head,
            link: _,
        } = head;
        self.put(paint, &sanitize::line(&head));
        self.out.push_str(sanitize::block(text).trim_end());
        self.out.push('\n');
    }

    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn put(&mut self, paint: Paint, harmless: &str) {
        self.out.push_str(&self.style.dress(paint, harmless));
    }
}

/// Cuts a line at spaces into pieces of at most `first` and then `rest` characters. A word that is longer stays whole: it is
/// likely an ARN, which somebody wants to copy.
fn wrap(source: &str, first: usize, rest: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut left, mut room) = (source.trim_end(), first);
    while let Some((line, remainder)) = cut(left, room) {
        lines.push(line);
        left = remainder;
        room = rest;
    }
    lines.push(left);
    lines
}

/// Cuts at the last space that leaves at most `room` characters before it, or else at the first space after that.
fn cut(text: &str, room: usize) -> Option<(&str, &str)> {
    let (limit, _) = text.char_indices().nth(room)?;
    let body = text.len() - text.trim_start().len();
    let spaces = text.match_indices(' ').map(|(at, _)| at);
    let mut best = None;
    for at in spaces.filter(|at| *at > body) {
        if at <= limit || best.is_none() {
            best = Some(at);
        }
        if at > limit {
            break;
        }
    }
    let (line, remainder) = text.split_at_checked(best?)?;
    Some((line.trim_end(), remainder.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(width: usize) -> Style {
        Style {
            width,
            ..Style::PLAIN
        }
    }

    #[test]
    fn sentences_are_wrapped_between_words() {
        let style = narrow(24);
        let mut page = Page::new(&style);
        let text = "the role arn:aws:iam::222222222222:role/x trusts nobody that is known";
        page.prose(2, plain("hint: "), Paint::Plain, text);
        insta::assert_snapshot!(page.finish(), @"
        hint: the role
          arn:aws:iam::222222222222:role/x
          trusts nobody that
          is known
        ");
    }

    #[test]
    fn nothing_is_wrapped_where_there_is_no_width() {
        assert_eq!(wrap("a b  c", usize::MAX, usize::MAX), ["a b  c"]);
        assert_eq!(wrap("", 3, 3), [""]);
        assert_eq!(wrap("aaaa bbb cc", 4, 3), ["aaaa", "bbb", "cc"]);
        assert_eq!(wrap("ééé ééé", 3, 3), ["ééé", "ééé"]);
        assert_eq!(wrap("  aaa bbb", 0, 0), ["  aaa", "bbb"]);
    }

    #[test]
    fn a_message_of_many_lines_cannot_pass_for_another_message() {
        let mut page = Page::new(&Style::PLAIN);
        page.prose(
            0,
            plain("error: "),
            Paint::Plain,
            "no\nIn sync: all is well\n",
        );
        page.line(0, &[plain("one\ntwo\u{1b}[2J")]);
        assert_eq!(
            page.finish(),
            "error: no\n  In sync: all is well\none\\ntwo\\u{1b}[2J\n"
        );
    }

    #[test]
    fn a_link_is_written_only_where_it_is_understood() {
        let style = Style {
            links: true,
            ..Style::PLAIN
        };
        let address = || Some("https://example.com/a\u{7}b".to_owned());
        let mut page = Page::new(&style);
        page.line(0, &[linked(Paint::Plain, "role", address()), plain("!")]);
        assert_eq!(
            page.finish(),
            "\u{1b}]8;;https://example.com/a\\u{7}b\u{1b}\\role\u{1b}]8;;\u{1b}\\!\n"
        );
        let mut page = Page::new(&Style::PLAIN);
        page.line(0, &[linked(Paint::Plain, "role", address())]);
        assert_eq!(page.finish(), "role\n");
    }

    #[test]
    fn gaps_do_not_add_up() {
        let mut page = Page::new(&Style::PLAIN);
        page.gap();
        page.line(0, &[plain("a")]);
        page.gap();
        page.gap();
        page.line(0, &[plain("b")]);
        assert_eq!(page.finish(), "a\n\nb\n");
    }
}
