//! Placeholders filled in through a whole table, with the place of each word that stands for nothing.
//! May not know what a table is for; the caller says which of its keys hold text of the user's own.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::template::{Rule, Unknown, Values};
use crate::config::diagnostic::ManifestError;

/// Words that stand for nothing, by where they stand.
pub(super) type Faults = BTreeMap<(usize, usize), Unknown>;

impl Unknown {
    /// The problem.
    pub(super) fn at(&self, span: Range<usize>, values: &Values) -> ManifestError {
        ManifestError::new(span, format!("unknown placeholder `{{{}}}`", self.0))
            .label("stands for nothing")
            .help(values.help(self))
    }
}

/// One string; as it is where it is at fault.
pub(super) fn fill(
    values: &Values,
    text: &str,
    rule: Rule,
    span: &Range<usize>,
    faults: &mut Faults,
) -> String {
    values.fill(text, rule).unwrap_or_else(|unknown| {
        faults.insert((span.start, span.end), unknown);
        text.to_owned()
    })
}

/// The bytes of all strings in a table with their placeholders filled in: what [`table`] would make, or a little more.
pub(super) fn size(values: &Values, entries: &DeTable<'_>) -> usize {
    let of = |value: &Spanned<DeValue<'_>>| size_of_value(values, value);
    entries.values().map(of).fold(0, usize::saturating_add)
}

fn size_of_value(values: &Values, found: &Spanned<DeValue<'_>>) -> usize {
    match found.get_ref() {
        DeValue::String(text) => values.size(text),
        DeValue::Array(list) => {
            let sizes = list.iter().map(|one| size_of_value(values, one));
            sizes.fold(0, usize::saturating_add)
        }
        DeValue::Table(entries) => size(values, entries),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => 0,
    }
}

/// A table; `rule` says of each key how the strings below it are taken. Keys stay as they are.
pub(super) fn table<'i>(
    values: &Values,
    entries: &DeTable<'i>,
    rule: &dyn Fn(&str) -> Rule,
    faults: &mut Faults,
) -> DeTable<'i> {
    let filled = entries.iter().map(|(key, found)| {
        // Text of the user's own holds no names, however deep.
        let rule_below = match rule(key.get_ref()) {
            Rule::Text => &|_: &str| Rule::Text,
            Rule::Name => rule,
        };
        let is_text = rule(key.get_ref());
        (
            key.clone(),
            value(values, found, is_text, rule_below, faults),
        )
    });
    filled.collect()
}

fn value<'i>(
    values: &Values,
    found: &Spanned<DeValue<'i>>,
    own: Rule,
    rule: &dyn Fn(&str) -> Rule,
    faults: &mut Faults,
) -> Spanned<DeValue<'i>> {
    let span = found.span();
    let filled = match found.get_ref() {
        DeValue::String(text) if text.contains('{') => {
            DeValue::String(DeString::Owned(fill(values, text, own, &span, faults)))
        }
        DeValue::Array(list) => DeValue::Array(
            list.iter()
                .map(|one| value(values, one, own, rule, faults))
                .collect(),
        ),
        DeValue::Table(entries) => DeValue::Table(table(values, entries, rule, faults)),
        other @ (DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)) => other.clone(),
    };
    Spanned::new(span, filled)
}
