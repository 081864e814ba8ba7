//! `[defaults]`: what a gate does not say itself, table by table and key by key.
//! May not judge a value: it is judged in each gate that takes it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::diagnostic::ManifestError;
use crate::config::gate::{self, optional};
use crate::config::parse::TABLES;
use crate::config::table::{Schema, Table};

/// The tables that a gate may take from here.
const PARTS: [&str; 3] = ["pipeline", "function", "invoke_role"];

/// Tables of which a gate takes the keys that it does not have, instead of none or all.
const MERGED: [&str; 2] = ["tags", "environment"];

static DEFAULTS: Schema = Schema {
    title: "[defaults]",
    keys: &[
        optional("pipeline", "[defaults.pipeline]"),
        optional("function", "[defaults.function]"),
        optional("invoke_role", "[defaults.invoke_role]"),
    ],
};

/// The tables of `[defaults]` that are tables.
pub(super) struct Defaults<'a, 'i>(Vec<(&'static str, &'a Spanned<DeValue<'i>>)>);

impl<'a, 'i> Defaults<'a, 'i> {
    pub(super) fn read(root: &'a DeTable<'i>, problems: &mut Vec<ManifestError>) -> Self {
        let Some(value) = root.get("defaults") else {
            return Self(Vec::new());
        };
        let DeValue::Table(entries) = value.get_ref() else {
            let error = crate::config::table::wrong_type(
                value.span(),
                "defaults",
                "a table",
                value.get_ref(),
            );
            problems
                .push(error.help("write `[defaults.pipeline]`, and below it what the gates share"));
            return Self(Vec::new());
        };
        let table = Table::open(&DEFAULTS, &TABLES, value.span(), entries, problems);
        let mut parts = Vec::new();
        for part in PARTS {
            if table.table(part, problems).is_some()
                && let Some(value) = entries.get(part)
            {
                parts.push((part, value));
            }
        }
        Self(parts)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All tables, for their places.
    pub(super) fn tables(&self) -> impl Iterator<Item = &'a Spanned<DeValue<'i>>> {
        self.0.iter().map(|(_, value)| *value)
    }

    /// The gate with what it does not say itself. A table that only stands here counts as written at the gate's header, so that
    /// a key that neither has is missed there.
    pub(super) fn complete(&self, gate: &mut DeTable<'i>, header: &std::ops::Range<usize>) {
        for (part, shared) in &self.0 {
            let DeValue::Table(shared_entries) = shared.get_ref() else {
                continue;
            };
            if let Some(own) = gate.get_mut(*part) {
                if let DeValue::Table(own) = own.get_mut() {
                    merge(own, shared_entries, part);
                }
                continue;
            }
            let span = if gate::needs(part) {
                header.clone()
            } else {
                shared.span()
            };
            let value = DeValue::Table(shared_entries.clone());
            let key = Spanned::new(span.clone(), (*part).into());
            gate.insert(key, Spanned::new(span, value));
        }
    }
}

fn merge<'i>(own: &mut DeTable<'i>, shared: &DeTable<'i>, part: &str) {
    let placed = own.contains_key("after") || own.contains_key("before");
    for (key, value) in shared {
        let name: &str = key.get_ref();
        // A gate that says `before` does not stand `after` what the others stand after.
        if part == "pipeline" && placed && matches!(name, "after" | "before") {
            continue;
        }
        match own.get_mut(name) {
            None => {
                own.insert(key.clone(), value.clone());
            }
            Some(found) if MERGED.contains(&name) => {
                if let (DeValue::Table(found), DeValue::Table(more)) =
                    (found.get_mut(), value.get_ref())
                {
                    for (key, value) in more {
                        if !found.contains_key(key.get_ref().as_ref()) {
                            found.insert(key.clone(), value.clone());
                        }
                    }
                }
            }
            Some(_) => {}
        }
    }
}
