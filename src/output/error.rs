//! An error at the edge of the program: what failed, why, and what to do.
//! The chain of causes is printed here and nowhere else; what went wrong is not interpreted.

use std::error::Error;

use super::page::{Page, span};
use super::problem;
use super::style::{Paint, Style};

/// An error as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorMessage {
    /// What failed. It may have several lines, for example an excerpt of the manifest with marks under it.
    pub message: String,
    /// Why, each cause the reason of the one before.
    pub causes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl ErrorMessage {
    /// An error without causes.
    pub fn new(message: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hint,
        }
    }

    /// Takes an error and its chain of sources. A source that the text before it already ends with is left out: some libraries
    /// print their own source.
    pub fn from_error(error: &(dyn Error + 'static), hint: Option<String>) -> Self {
        let message = error.to_string();
        let mut causes: Vec<String> = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            let said = causes.last().unwrap_or(&message);
            if !said.trim_end().ends_with(text.trim_end()) {
                causes.push(text);
            }
            source = cause.source();
        }
        Self {
            message,
            causes,
            hint,
        }
    }

    /// `error: …`, a line `caused by: …` for each cause, and after an empty line `hint: …`.
    pub fn render(&self, style: &Style) -> String {
        let Self {
            message,
            causes,
            hint,
        } = self;
        let mut page = Page::new(style);
        let head = span(Paint::Error, "error: ");
        // An excerpt of a file comes with its own headline.
        let message = message.strip_prefix("error: ").unwrap_or(message);
        if message.trim_end().contains('\n') {
            page.block(head, message);
        } else {
            page.prose(0, head, Paint::Plain, message);
        }
        for cause in causes {
            problem::labelled(&mut page, 2, "caused by", cause);
        }
        if let Some(hint) = hint {
            problem::closing_hint(&mut page, hint);
        }
        page.finish()
    }
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("cannot read the pipeline")]
    struct Outer(#[source] Middle);

    #[derive(Debug, Error)]
    #[error("the request failed: {0}")]
    struct Middle(#[source] Inner);

    #[derive(Debug, Error)]
    #[error("connection\u{1b}[2J refused")]
    struct Inner;

    #[test]
    fn the_chain_is_printed_once() {
        let error =
            ErrorMessage::from_error(&Outer(Middle(Inner)), Some("start the server".into()));
        insta::assert_snapshot!(error.render(&Style::PLAIN), @r"
        error: cannot read the pipeline
          caused by: the request failed: connection\u{1b}[2J refused

        hint: start the server
        ");
    }

    #[test]
    fn an_excerpt_keeps_its_columns() {
        let message = "error: unknown key `stag`\n --> crossgate.toml:12:1\n   |\n12 | stag = \"x\"\n   | ^^^^\n";
        let error = ErrorMessage::new(message, Some("did you mean `stage`?".to_owned()));
        insta::assert_snapshot!(error.render(&Style::PLAIN), @r#"
        error: unknown key `stag`
         --> crossgate.toml:12:1
           |
        12 | stag = "x"
           | ^^^^

        hint: did you mean `stage`?
        "#);
    }

    #[test]
    fn colour_marks_error_and_hint() {
        let style = Style {
            color: true,
            width: 40,
            ..Style::PLAIN
        };
        let error = ErrorMessage::new(
            "no gate of the name `x`",
            Some("the manifest has these gates: validate, approve".to_owned()),
        );
        let text = error.render(&style).replace('\u{1b}', "ESC");
        insta::assert_snapshot!(text, @"
        ESC[1;31merror: ESC[0mno gate of the name `x`

        ESC[1;36mhint: ESC[0mthe manifest has these gates:
          validate, approve
        ");
    }
}
