//! `for_each`: the values of each placeholder, and every combination of them.
//! May not look at what the gate does with them.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::template::{Values, is_word};
use crate::config::diagnostic::ManifestError;
use crate::config::suggest::did_you_mean;
use crate::config::table::wrong_type;
use crate::model::glob;

/// The manifest's accounts, patterns written out.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// The ids by name.
    pub(super) by_name: BTreeMap<String, String>,
    /// A pattern could not be written out, so that there may be others.
    pub(super) lacks_some: bool,
}

/// A placeholder and what it stands for, one after the other.
struct Axis {
    word: String,
    values: Vec<String>,
}

/// Every combination, the last placeholder changing first; none where something is wrong. `room`: the most that there may be.
pub(super) fn combinations(
    for_each: &Spanned<DeValue<'_>>,
    ids: &Ids,
    room: usize,
    problems: &mut Vec<ManifestError>,
) -> Vec<Values> {
    let before = problems.len();
    let axes = axes(for_each, ids, problems);
    if problems.len() > before {
        return Vec::new();
    }
    let count = axes.iter().try_fold(1_usize, |product, axis| {
        product.checked_mul(axis.values.len())
    });
    if count.is_none_or(|count| count > room) {
        problems.push(too_many(for_each.span(), &axes, count));
        return Vec::new();
    }
    // All combinations are held at once.
    let longest =
        |axis: &Axis| axis.word.len() + axis.values.iter().map(String::len).max().unwrap_or(0);
    let text = axes.iter().map(longest).fold(0, usize::saturating_add);
    if text.saturating_mul(count.unwrap_or(usize::MAX)) > super::MAX_TEXT {
        problems.push(super::too_much_text(for_each.span()));
        return Vec::new();
    }
    let mut all = vec![Values::default()];
    for Axis { word, values } in axes {
        let mut longer = Vec::with_capacity(all.len() * values.len());
        for so_far in &all {
            for value in &values {
                let mut with = so_far.clone();
                if let Some(id) = ids.by_name.get(value) {
                    with.0.insert(format!("{word}.id"), id.clone());
                }
                with.0.insert(word.clone(), value.clone());
                longer.push(with);
            }
        }
        all = longer;
    }
    all
}

fn too_many(span: Range<usize>, axes: &[Axis], count: Option<usize>) -> ManifestError {
    let sizes: Vec<String> = axes.iter().map(|a| a.values.len().to_string()).collect();
    let product = sizes.join(" × ");
    let result = count.map_or_else(|| "more than can be counted".to_owned(), |n| n.to_string());
    ManifestError::new(
        span,
        format!(
            "the manifest would have too many gates: {product} here is {result}, and {} in all is the most",
            super::MAX_GATES
        ),
    )
    .label("too many combinations")
    .help("split the manifest, each part with a project of its own")
}

fn axes(
    for_each: &Spanned<DeValue<'_>>,
    ids: &Ids,
    problems: &mut Vec<ManifestError>,
) -> Vec<Axis> {
    let example =
        "write it as in `for_each = { account = [\"dev\", \"qa\"], region = [\"us-east-1\"] }`";
    let DeValue::Table(entries) = for_each.get_ref() else {
        let error = wrong_type(for_each.span(), "for_each", "a table", for_each.get_ref());
        problems.push(error.help(example));
        return Vec::new();
    };
    if entries.is_empty() {
        problems.push(
            ManifestError::new(for_each.span(), "`for_each` is empty")
                .label("for each of what?")
                .help(example),
        );
    }
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut axes = Vec::new();
    for (key, value) in entries {
        let word: &str = key.get_ref();
        if !is_word(word) {
            problems.push(
                ManifestError::new(key.span(), format!("`{word}` cannot be a placeholder"))
                    .label("not a word")
                    .help(
                        "a placeholder begins with a letter and has letters, numbers, `_` and `-`",
                    ),
            );
        }
        let values = listed(word, value, ids, problems);
        axes.push(Axis {
            word: word.to_owned(),
            values,
        });
    }
    axes
}

/// The values of one placeholder: those written, and for a pattern every account of which the name fits, sorted.
fn listed(
    word: &str,
    value: &Spanned<DeValue<'_>>,
    ids: &Ids,
    problems: &mut Vec<ManifestError>,
) -> Vec<String> {
    let items = match value.get_ref() {
        DeValue::Array(list) => list.iter().collect(),
        _ => vec![value],
    };
    if items.is_empty() {
        problems.push(
            ManifestError::new(
                value.span(),
                format!("`{word}` has no value: the gate would not exist"),
            )
            .label("empty")
            .help("name at least one, or take the gate out"),
        );
    }
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    let mut values = Vec::new();
    for item in items {
        let DeValue::String(text) = item.get_ref() else {
            let expected = "a string or an array of strings";
            let error = wrong_type(item.span(), word, expected, item.get_ref());
            problems.push(
                error.help("put each value in double quotes; `*` stands for accounts: `dev-*`"),
            );
            continue;
        };
        if glob::is_pattern(text) {
            let fitting = ids.by_name.keys().filter(|name| glob::matches(text, name));
            let known = values.len();
            for name in fitting {
                // What two patterns of a list have in common is meant once.
                if !seen.contains_key(name) {
                    seen.insert(name.clone(), item.span());
                    values.push(name.clone());
                }
            }
            let is_known = !ids.lacks_some;
            if is_known
                && values.len() == known
                && !ids.by_name.keys().any(|name| glob::matches(text, name))
            {
                problems.push(no_account(text, item.span(), ids));
            }
        } else if let Some(first) = seen.insert(text.to_string(), item.span()) {
            problems.push(
                ManifestError::new(item.span(), format!("`{text}` stands here twice"))
                    .label("again")
                    .related(first, "first here")
                    .help("remove one of the two"),
            );
        } else {
            values.push(text.to_string());
        }
    }
    values
}

fn no_account(pattern: &str, span: Range<usize>, ids: &Ids) -> ManifestError {
    let names: Vec<&str> = ids.by_name.keys().map(String::as_str).collect();
    ManifestError::new(span, format!("no account's name fits `{pattern}`"))
        .label("fits nothing")
        .help(did_you_mean(pattern, "accounts", &names))
}
