//! Accounts by pattern: one `[accounts."dev-{id}"]` with `ids` stands for many.
//! May not judge an id or a name: each account is judged as if it had been written out.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::filling::fill;
use super::template::{Rule, Values};
use crate::config::diagnostic::ManifestError;
use crate::config::table::wrong_type;

/// An account of a pattern: what its placeholders stand for, and where its id stands.
struct Member<'i> {
    values: Values,
    id: Spanned<DeString<'i>>,
    /// Where its name comes from.
    at: Range<usize>,
}

/// The accounts with each pattern written out. Every account that came of a pattern has its own place: that of its id.
pub(super) fn expand<'i>(accounts: &DeTable<'i>, problems: &mut Vec<ManifestError>) -> DeTable<'i> {
    let mut expanded = DeTable::new();
    let mut places: BTreeMap<String, Range<usize>> = BTreeMap::new();
    // Those that are written out come first: a pattern that gives their name again is the one at fault.
    let is_pattern = |value: &Spanned<DeValue<'_>>| {
        let table = value.get_ref().as_table();
        table.is_some_and(|table| table.contains_key("ids"))
    };
    for (key, value) in accounts.iter().filter(|(_, value)| !is_pattern(value)) {
        places.insert(key.get_ref().to_string(), key.span());
        expanded.insert(key.clone(), value.clone());
    }
    for (key, value) in accounts.iter().filter(|(_, value)| is_pattern(value)) {
        pattern(key, value, &mut expanded, &mut places, problems);
    }
    expanded
}

fn pattern<'i>(
    key: &Spanned<DeString<'i>>,
    value: &Spanned<DeValue<'i>>,
    expanded: &mut DeTable<'i>,
    places: &mut BTreeMap<String, Range<usize>>,
    problems: &mut Vec<ManifestError>,
) {
    let Some(table) = value.get_ref().as_table() else {
        return;
    };
    if let (Some((id, _)), Some((ids, _))) = (table.get_key_value("id"), table.get_key_value("ids"))
    {
        problems.push(
            ManifestError::new(
                id.span(),
                "an account has `id`, or `ids` for many, not both",
            )
            .label("an id for the second time")
            .related(ids.span(), "the ids are here")
            .help("keep one of the two"),
        );
        return;
    }
    let mut own = table.clone();
    let Some(ids) = own.remove("ids") else { return };
    for Member { values, id, at } in members(&ids, problems) {
        let mut faults = BTreeMap::new();
        let name = fill(&values, key.get_ref(), Rule::Name, &key.span(), &mut faults);
        let mut account = super::filling::table(&values, &own, &|_| Rule::Name, &mut faults);
        if !faults.is_empty() {
            problems.extend(
                faults
                    .into_iter()
                    .map(|((start, end), fault)| fault.at(start..end, &values)),
            );
            // What is wrong with one is wrong with all.
            return;
        }
        if let Some(first) = places.get(&name) {
            let help = if places_are_of(key, &name) {
                "each account needs a name of its own: write `{id}` or `{name}` into the header"
            } else {
                "rename one of the two"
            };
            problems.push(
                ManifestError::new(at, format!("two accounts have the name `{name}`"))
                    .label("again")
                    .related(first.clone(), "first here")
                    .help(help),
            );
            continue;
        }
        places.insert(name.clone(), at.clone());
        let id_key = Spanned::new(id.span(), DeString::Borrowed("id"));
        let id = Spanned::new(id.span(), DeValue::String(id.into_inner()));
        account.insert(id_key, id);
        let value = Spanned::new(value.span(), DeValue::Table(account));
        expanded.insert(Spanned::new(at, DeString::Owned(name)), value);
    }
}

/// True where the header is no pattern at all, so that every account of it would have this name.
fn places_are_of(key: &Spanned<DeString<'_>>, name: &str) -> bool {
    key.get_ref().as_ref() == name
}

fn members<'i>(ids: &Spanned<DeValue<'i>>, problems: &mut Vec<ManifestError>) -> Vec<Member<'i>> {
    let help = "write `ids = [\"222222222222\", \"333333333333\"]`, or a table of names and ids: `ids = { dev = \"222222222222\" }`";
    let mut members = Vec::new();
    let mut add = |name: Option<&Spanned<DeString<'i>>>, value: &Spanned<DeValue<'i>>| {
        let DeValue::String(id) = value.get_ref() else {
            let error = wrong_type(value.span(), "ids", "strings", value.get_ref());
            problems.push(error.help("put each id in double quotes: it may begin with 0"));
            return;
        };
        let mut values = BTreeMap::from([("id".to_owned(), id.to_string())]);
        values.extend(name.map(|name| ("name".to_owned(), name.get_ref().to_string())));
        members.push(Member {
            values: Values(values),
            id: Spanned::new(value.span(), id.clone()),
            at: name.map_or(value.span(), Spanned::span),
        });
    };
    let empty = match ids.get_ref() {
        DeValue::Array(list) => {
            for value in list {
                add(None, value);
            }
            list.is_empty()
        }
        DeValue::Table(named) => {
            let mut named: Vec<_> = named.iter().collect();
            named.sort_by_key(|(key, _)| key.span().start);
            for (name, value) in &named {
                add(Some(name), value);
            }
            named.is_empty()
        }
        other => {
            let error = wrong_type(ids.span(), "ids", "an array or a table", other);
            problems.push(error.help(help));
            false
        }
    };
    if empty {
        problems.push(
            ManifestError::new(ids.span(), "`ids` is empty, and stands for no account")
                .label("empty")
                .help(help),
        );
    }
    members
}
