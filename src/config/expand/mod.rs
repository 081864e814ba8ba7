//! What a manifest says once for many, written out: `[defaults]`, `for_each` of a gate, `ids` of an account.
//! May not judge a value: what comes out is parsed like a manifest that was written by hand, with the places of what was written.
//!
//! Values keep their places, so that a problem of a hundred gates points at the one line that they share; `once` then shows it
//! once.

mod accounts;
mod defaults;
mod each;
mod filling;
mod once;
mod template;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::ManifestError;
use defaults::Defaults;
use each::Ids;
use template::{Rule, Values};

pub(super) use once::once;

/// The most gates that a manifest may have, written or by `for_each`.
const MAX_GATES: usize = 100_000;

/// The most bytes of text that all `for_each` of a manifest may make. A manifest of a page could ask for more than the machine has:
/// long values, many placeholders and many combinations multiply. A hundred thousand gates may have 1,280 bytes each.
const MAX_TEXT: usize = 128 * 1024 * 1024;

/// Keys that hold text of the user's own: braces in it are mostly his, as in JSON.
const TEXTS: [&str; 3] = ["user_parameters", "environment", "tags"];

/// A manifest in which everything is written out.
pub(super) struct Expanded<'a, 'i> {
    /// Its tables, as if they had been written so.
    pub(super) root: Cow<'a, DeTable<'i>>,
    /// For each gate that came of a `for_each`, what its placeholders stand for.
    pub(super) instances: Vec<Option<String>>,
    /// A gate could not be written out, so that there may be none left.
    pub(super) lacks_gates: bool,
    /// The places of what several gates or accounts share.
    pub(super) shared: BTreeSet<(usize, usize)>,
}

/// Writes everything out. What cannot be is left out, with a problem.
pub(super) fn expand<'a, 'i>(
    root: &'a DeTable<'i>,
    problems: &mut Vec<ManifestError>,
) -> Expanded<'a, 'i> {
    let mut expanded = Expanded {
        root: Cow::Borrowed(root),
        instances: Vec::new(),
        lacks_gates: false,
        shared: BTreeSet::new(),
    };
    let defaults = Defaults::read(root, problems);
    for table in defaults.tables() {
        expanded.share(table);
    }
    let mut lacks_accounts = false;
    let patterns = root.get("accounts").and_then(|v| v.get_ref().as_table());
    let has_ids = |value: &Spanned<DeValue<'_>>| key_of(value, "ids").is_some();
    if let Some(found) = patterns.filter(|table| table.values().any(has_ids)) {
        for value in found.values().filter(|value| has_ids(value)) {
            expanded.share(value);
        }
        let before = problems.len();
        let accounts = accounts::expand(found, problems);
        lacks_accounts = problems.len() > before;
        expanded.replace("accounts", DeValue::Table(accounts));
    }
    let gates = root.get("gates").and_then(|v| v.get_ref().as_array());
    let has_each = |value: &Spanned<DeValue<'_>>| key_of(value, "for_each").is_some();
    if let Some(found) = gates.filter(|gates| !defaults.is_empty() || gates.iter().any(has_each)) {
        let gates = expanded.gates(found, &defaults, lacks_accounts, problems);
        expanded.replace("gates", DeValue::Array(gates));
    }
    expanded
}

fn key_of<'v, 'i>(value: &'v Spanned<DeValue<'i>>, key: &str) -> Option<&'v Spanned<DeValue<'i>>> {
    value.get_ref().as_table()?.get(key)
}

impl<'i> Expanded<'_, 'i> {
    fn replace(&mut self, key: &str, value: DeValue<'i>) {
        if let Some(found) = self.root.to_mut().get_mut(key) {
            *found.get_mut() = value;
        }
    }

    /// Notes the places of a value and all that is in it.
    fn share(&mut self, value: &Spanned<DeValue<'_>>) {
        self.shared.insert((value.span().start, value.span().end));
        match value.get_ref() {
            DeValue::Table(entries) => {
                for (key, value) in entries {
                    self.shared.insert((key.span().start, key.span().end));
                    self.share(value);
                }
            }
            DeValue::Array(list) => {
                for value in list {
                    self.share(value);
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    fn gates(
        &mut self,
        found: &DeArray<'i>,
        defaults: &Defaults<'_, 'i>,
        lacks_accounts: bool,
        problems: &mut Vec<ManifestError>,
    ) -> DeArray<'i> {
        let accounts = self.root.get("accounts");
        let ids = Ids {
            by_name: ids(accounts.and_then(|value| value.get_ref().as_table())),
            lacks_some: lacks_accounts,
        };
        let mut gates = DeArray::new();
        let mut text_left = MAX_TEXT;
        for value in found {
            let DeValue::Table(entries) = value.get_ref() else {
                gates.push(value.clone());
                self.instances.push(None);
                continue;
            };
            let mut gate = entries.clone();
            let for_each = gate.remove("for_each");
            defaults.complete(&mut gate, &value.span());
            let Some(for_each) = for_each else {
                gates.push(Spanned::new(value.span(), DeValue::Table(gate)));
                self.instances.push(None);
                continue;
            };
            self.share(value);
            let room = MAX_GATES.saturating_sub(gates.len());
            let all = each::combinations(&for_each, &ids, room, problems);
            let all_text = all.iter().map(|values| filling::size(values, &gate));
            let text = all_text.fold(0, usize::saturating_add);
            let instances = if text > text_left {
                problems.push(too_much_text(for_each.span()));
                Vec::new()
            } else {
                text_left -= text;
                instances(&gate, &all, problems)
            };
            self.lacks_gates |= instances.is_empty();
            for (table, values) in instances {
                gates.push(Spanned::new(value.span(), DeValue::Table(table)));
                self.instances.push(Some(values.describe()));
            }
        }
        gates
    }
}

/// The ids of accounts by name, where both are text.
fn ids(accounts: Option<&DeTable<'_>>) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for (name, value) in accounts.into_iter().flatten() {
        let id = key_of(value, "id").and_then(|id| id.get_ref().as_str());
        ids.insert(
            name.get_ref().to_string(),
            id.unwrap_or_default().to_owned(),
        );
    }
    ids
}

/// The gate once for each combination; none where a placeholder stands for nothing. Of two with one name the first is kept.
fn instances<'v, 'i>(
    gate: &DeTable<'i>,
    all: &'v [Values],
    problems: &mut Vec<ManifestError>,
) -> Vec<(DeTable<'i>, &'v Values)> {
    let rule = |key: &str| {
        if TEXTS.contains(&key) {
            Rule::Text
        } else {
            Rule::Name
        }
    };
    let mut seen: BTreeMap<String, &Values> = BTreeMap::new();
    let mut instances = Vec::with_capacity(all.len());
    for values in all {
        let mut faults = BTreeMap::new();
        let table = filling::table(values, gate, &rule, &mut faults);
        if !faults.is_empty() {
            let faults = faults.into_iter();
            problems.extend(faults.map(|((start, end), fault)| fault.at(start..end, values)));
            return Vec::new();
        }
        let name = table.get("name");
        if let Some((name, span)) = name.and_then(|n| Some((n.get_ref().as_str()?, n.span()))) {
            if let Some(first) = seen.get(name) {
                let missing = missing(gate, values);
                problems.push(same_name(name, span, first, values, &missing));
                return instances;
            }
            seen.insert(name.to_owned(), values);
        }
        instances.push((table, values));
    }
    instances
}

/// More than [`MAX_TEXT`], by this `for_each` or with those before it.
fn too_much_text(span: Range<usize>) -> ManifestError {
    let most = MAX_TEXT / 1024 / 1024;
    ManifestError::new(
        span,
        format!("the manifest would have too much text: {most} MB in all is the most that `for_each` may make"),
    )
    .label("with this the text is too long")
    .help("shorten the values or the text around the placeholders, or split the manifest, each part with a project of its own")
}

/// The placeholders that the gate's name does not have.
fn missing(gate: &DeTable<'_>, values: &Values) -> Vec<String> {
    let name = gate.get("name").and_then(|name| name.get_ref().as_str());
    let name = name.unwrap_or_default();
    let words = values.0.keys().filter(|word| !word.contains('.'));
    words
        .map(|word| format!("`{{{word}}}`"))
        .filter(|word| !name.contains(word.trim_matches('`')))
        .collect()
}

fn same_name(
    name: &str,
    span: Range<usize>,
    first: &Values,
    second: &Values,
    missing: &[String],
) -> ManifestError {
    let help = if missing.is_empty() {
        "put something between the placeholders that none of the values has".to_owned()
    } else {
        format!(
            "each gate needs a name of its own: write {} into it",
            missing.join(" and ")
        )
    };
    ManifestError::new(
        span,
        format!(
            "two gates of this `for_each` have the name `{name}`: {}; and {}",
            first.describe(),
            second.describe()
        ),
    )
    .label("not a name for each")
    .help(help)
}
