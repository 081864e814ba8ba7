//! What `init` wrote, for people and for programs.
//! It says what was done; the manifest itself is given.

use serde_json::json;

use crate::model::status::Status;

use super::json::FORMAT_VERSION;
use super::page::{Page, plain, span};
use super::sanitize;
use super::style::{Paint, Style};

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct WrittenView<'a> {
    /// The files, as a person would name them; none where the manifest is only printed.
    pub files: &'a [String],
    /// The manifest.
    pub manifest: &'a str,
    /// What its reader should know.
    pub notes: &'a [String],
    /// The commands that come next, each with what it does.
    pub next: &'a [(String, &'static str)],
}

/// For people, on standard error: the manifest is the result, and it is in its file.
pub fn text(view: &WrittenView<'_>, style: &Style) -> String {
    let WrittenView {
        files,
        manifest: _,
        notes,
        next,
    } = view;
    let mut page = Page::new(style);
    for file in *files {
        page.line(0, &[plain("wrote "), span(Paint::Strong, file.as_str())]);
    }
    for note in *notes {
        page.prose(0, span(Paint::Hint, "note: "), Paint::Plain, note);
    }
    if !next.is_empty() {
        page.gap();
        page.line(0, &[plain("Next:")]);
    }
    let width = next.iter().map(|(command, _)| command.chars().count());
    let width = width.max().unwrap_or(0);
    for (command, about) in *next {
        let pad = " ".repeat(width.saturating_sub(command.chars().count()));
        page.line(
            2,
            &[
                span(Paint::Strong, command.as_str()),
                plain(format!("{pad}   # {about}")),
            ],
        );
    }
    page.finish()
}

/// One JSON object.
///
/// # Errors
/// serde_json's, which cannot happen with these types.
pub fn json(view: &WrittenView<'_>) -> serde_json::Result<String> {
    let WrittenView {
        files,
        manifest,
        notes,
        next,
    } = view;
    let next: Vec<&str> = next.iter().map(|(command, _)| command.as_str()).collect();
    let object = json!({
        "format_version": FORMAT_VERSION,
        "command": "init",
        "status": Status::Applied.as_str(),
        "files": files,
        "manifest": manifest,
        "notes": notes,
        "next": next,
        "changes": [],
        "problems": [],
    });
    let text = serde_json::to_string_pretty(&object)?;
    Ok(sanitize::json(&text) + "\n")
}
