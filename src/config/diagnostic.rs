//! Problems of a manifest, shown as rustc shows them: file, line, column, the line, an underline and what to do.
//! May not decide what is a problem, and may not print.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::model::harmless::{self, SHARP, is_harmful};

/// The most problems that are shown; the last line says how many there are.
const SHOWN: usize = 25;

/// The most characters of one message: a value that is quoted in it may be as long as the file.
const LONGEST_MESSAGE: usize = 400;

/// One problem of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The bytes of the manifest that are wrong; empty: the place where something is missing.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// A few words for the underline.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// Another place that belongs to it, with a few words: the first of two that clash.
    pub related: Option<(Range<usize>, String)>,
}

impl ManifestError {
    pub(super) fn new(span: Range<usize>, message: impl AsRef<str>) -> Self {
        Self {
            span,
            message: in_line(message.as_ref()),
            label: String::new(),
            help: None,
            related: None,
        }
    }

    pub(super) fn label(mut self, label: impl AsRef<str>) -> Self {
        self.label = in_line(label.as_ref());
        self
    }

    pub(super) fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(plain(help.as_ref()));
        self
    }

    /// Says of which gate of a `for_each` the problem is.
    pub(super) fn of_instance(&mut self, instance: &str) {
        let instance = in_line(instance);
        self.message.push_str(" (for ");
        self.message.push_str(&instance);
        self.message.push(')');
    }

    /// Says that others are wrong in the same place and the same way.
    pub(super) fn more_like_it(&mut self, count: usize) {
        self.message.push_str(", and ");
        self.message.push_str(&count.to_string());
        self.message.push_str(" more like it");
    }

    pub(super) fn related(mut self, span: Range<usize>, label: impl AsRef<str>) -> Self {
        self.related = Some((span, in_line(label.as_ref())));
        self
    }
}

/// All problems of one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestErrors {
    /// The file.
    pub path: PathBuf,
    /// Its text, which the spans point into.
    pub text: String,
    /// The problems in the order of the text; never empty.
    pub items: Vec<ManifestError>,
}

impl ManifestErrors {
    /// The problems for a person, with ANSI colours or without, ending without a newline.
    pub fn render(&self, color: bool) -> String {
        let Self { path, text, items } = self;
        let renderer = renderer(color);
        let shown_path = shown(path);
        let text = &visible(text);
        let mut blocks: Vec<String> = items
            .iter()
            .take(SHOWN)
            .map(|item| render_item(&renderer, &shown_path, text, item))
            .collect();
        let count = match items.len() {
            1 => "1 problem".to_owned(),
            many => format!("{many} problems"),
        };
        let first = if items.len() > SHOWN {
            format!(", the first {SHOWN} are shown")
        } else {
            String::new()
        };
        blocks.push(format!(
            "{count} in {shown_path}{first}; no call was made to AWS"
        ));
        no_command(blocks.join("\n\n"))
    }
}

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl Error for ManifestErrors {}

/// A problem that has no place in a text, in the same look.
pub(super) fn render_plain(message: &str, help: &str, color: bool) -> String {
    let (message, help) = (plain(message), plain(help));
    let report = [
        Group::with_title(Level::ERROR.primary_title(message.as_str()))
            .element(Level::HELP.message(help.as_str())),
    ];
    no_command(renderer(color).render(&report))
}

/// What is drawn, without commands to whoever runs a job: a mistake shows lines of the manifest, which may be anybody's.
fn no_command(drawn: String) -> String {
    harmless::no_mark(harmless::no_command(drawn.into()), SHARP).into_owned()
}

fn renderer(color: bool) -> Renderer {
    if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
}

fn render_item(renderer: &Renderer, path: &str, text: &str, item: &ManifestError) -> String {
    let ManifestError {
        span,
        message,
        label,
        help,
        related,
    } = item;
    let mut snippet = Snippet::source(text).path(path).annotation(
        AnnotationKind::Primary
            .span(on_one_line(text, span))
            .label(label.as_str()),
    );
    if let Some((span, label)) = related {
        snippet = snippet.annotation(
            AnnotationKind::Context
                .span(on_one_line(text, span))
                .label(label.as_str()),
        );
    }
    let mut group =
        Group::with_title(Level::ERROR.primary_title(message.as_str())).element(snippet);
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The part of a span that is on its first line, with both ends between characters of the text: a table or a long string is
/// underlined where it begins.
fn on_one_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    let end = floor(text, span.end.max(start));
    let line_end = text[start..end].find(['\r', '\n']).unwrap_or(end - start);
    start..start + line_end
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The text with the characters that the renderer lets through and that act (C1 controls, changes of direction, what is not seen)
/// replaced by others of as many bytes, so that the spans still hold. The renderer shows the other control characters as symbols.
fn visible(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| !c.is_ascii() && is_harmful(c);
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match (obeyed(c), c.len_utf8()) {
            (false, _) => shown.push(c),
            (true, 2) => shown.push('\u{a4}'),
            (true, 3) => shown.push(char::REPLACEMENT_CHARACTER),
            (true, _) => shown.extend([char::REPLACEMENT_CHARACTER, '?']),
        }
    }
    Cow::Owned(shown)
}

/// A message without characters that act (a manifest must not be able to move the cursor) and of a length that can be read. Line feeds
/// stay: a help of ours may show lines to write.
fn plain(text: &str) -> String {
    escaped(text, |c| c != '\n' && is_harmful(c))
}

/// A message of one line: one that a value of the manifest brings is shown, not made.
fn in_line(text: &str) -> String {
    escaped(text, is_harmful)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut plain = String::new();
    for (count, c) in text.chars().enumerate() {
        if count >= LONGEST_MESSAGE {
            plain.push('…');
            break;
        }
        if is_escaped(c) {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// How a path is shown in a message.
pub(super) fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}
