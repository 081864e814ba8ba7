//! Texts from outside, made fit to be shown: one line, no control characters, no secrets, of bounded length.
//! Nothing here knows what the texts are about.

use std::error::Error;
use std::fmt::Write as _;

use crate::model::harmless::{self, SHARP, is_harmful};

/// Messages from outside are cut here: the beginning says what it is about.
const LONGEST_MESSAGE: usize = 1_000;

/// The action and the resource of "… is not authorized to perform: ACTION on resource: RESOURCE …".
pub(super) fn missing_permission(message: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?;
    let resource = rest
        .split_once("on resource: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .map(|resource| resource.trim_end_matches([',', '.']));
    Some((action.trim_end_matches([',', '.']), resource))
}

/// AWS's own words, without what must not be shown.
pub(super) fn safe_message(message: &str) -> String {
    escape(without_canonical_request(message))
}

/// STS and others append the whole canonical request, session token included, to a refused signature's message.
fn without_canonical_request(message: &str) -> &str {
    let cut = ["The Canonical String", "The String-to-Sign"]
        .iter()
        .filter_map(|mark| message.find(mark))
        .min();
    cut.map_or(message, |at| message[..at].trim_end())
}

/// An error with all that caused it, on one line; a cause that its parent repeats is left out.
pub(super) fn flatten(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = escape(without_request(&error.to_string()));
        if !part.is_empty() && !parts.iter().any(|told| told.contains(&part)) {
            parts.push(part);
        }
        next = error.source();
    }
    shorten(parts.join(": "))
}

/// The SDK prints the whole request, body included, where an endpoint cannot be applied to it.
fn without_request(text: &str) -> &str {
    text.split_once(" to request `")
        .map_or(text, |(before, _)| before)
}

/// The text on one line and harmless on a terminal: control characters, those that turn the direction of writing and those that are
/// not seen are shown as escapes, and so are commands to whoever reads a job's log.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c == '\n' {
            out.push(' ');
        } else if is_harmful(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    shorten(harmless::no_mark(out.into(), SHARP).into_owned())
}

fn shorten(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(LONGEST_MESSAGE) {
        text.truncate(at);
        text.push('…');
    }
    text
}
