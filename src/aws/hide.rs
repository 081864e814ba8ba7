//! Takes secrets that this run knows out of what AWS, or whoever answers in its place, said.
//! It knows nothing of the text, and finds no secret that it was not given.

use super::errors::Failure;
use super::text::escape;

/// The fewest characters of a value that is taken out: shorter ones are no secrets, and stand in any text.
const LEAST: usize = 4;

/// The fewest characters of one that is looked for in codes and ids too, which are short and must stay what they are: tokens and keys have
/// more, and nothing else needs to be taken out there.
const LEAST_IN_IDS: usize = 16;

/// What stands in its place.
const HIDDEN: &str = "(hidden)";

/// The failure without the values: as they are and as they stand in JSON, also where a long message was cut within one.
pub(super) fn hide<'v>(failure: Failure, values: impl IntoIterator<Item = &'v str>) -> Failure {
    let values = forms(values);
    let out = |text: String| without(text, &values);
    let long = values
        .iter()
        .filter(|text| text.chars().count() >= LEAST_IN_IDS);
    let long: Vec<String> = long.cloned().collect();
    let out_of_id = |text: String| without(text, &long);
    let Failure {
        kind,
        code,
        message,
        request_id,
        hint,
    } = failure;
    Failure {
        kind,
        code: code.map(out_of_id),
        message: out(message),
        request_id: request_id.map(out_of_id),
        hint: hint.map(out),
    }
}

/// The ways in which the values may be written, the longest first: one may be a part of another.
fn forms<'v>(values: impl IntoIterator<Item = &'v str>) -> Vec<String> {
    let json = |value: &str| serde_json::to_string(value).unwrap_or_default();
    let inner = |text: String| text.trim_matches('"').to_owned();
    let forms = values.into_iter().flat_map(|value| {
        let quoted = inner(json(value));
        [escape(value), escape(&quoted), inner(json(&quoted))]
    });
    let mut forms: Vec<String> = forms
        .map(|text| text.trim_end_matches('…').to_owned())
        .filter(|text| text.chars().count() >= LEAST)
        .collect();
    forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    forms.dedup();
    forms
}

fn without(mut text: String, values: &[String]) -> String {
    for value in values {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), HIDDEN);
        }
        if let Some(message) = text.strip_suffix('…')
            && let Some(kept) = begun_at_the_end(message, value)
        {
            text = format!("{kept}{HIDDEN}…");
        }
    }
    text
}

/// The text without the beginning of the value with which it ends.
fn begun_at_the_end<'m>(message: &'m str, value: &str) -> Option<&'m str> {
    let mut ends: Vec<usize> = value.char_indices().skip(1).map(|(at, _)| at).collect();
    ends.reverse();
    ends.into_iter()
        .find_map(|end| message.strip_suffix(value.get(..end)?))
}
