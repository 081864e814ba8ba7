//! Reports of runs that divided a manifest among them, put together: the report that one run about all would have made.
//! Pure: values in, a value out; what is said of a shared object is never chosen silently.
//!
//! The JSON of `plan`, `check` and `verify` says all that is needed: changes by id, problems by their words, gates by name.

mod changes;
mod problems;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::model::status::Status;

use changes::Told;

/// The version of the reports that can be read (`output::json`).
const FORMAT_VERSION: u64 = 1;

/// A report, and what it is called in messages: its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its file.
    pub name: String,
    /// The JSON object.
    pub value: Value,
}

/// Why reports cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MergeError {
    /// Not an object that `plan`, `check` or `verify` printed.
    #[error("{name} is no report of plan, check or verify: {why}")]
    NoReport {
        /// The report.
        name: String,
        /// What is missing or strange.
        why: String,
    },
    /// Two reports are about different things.
    #[error("{name} cannot be merged with {first}: its {what} is {found}, and not {expected}")]
    Mismatch {
        /// The first report.
        first: String,
        /// The one that does not fit.
        name: String,
        /// Which member differs.
        what: &'static str,
        /// Its value.
        found: String,
        /// The first one's.
        expected: String,
    },
}

/// The whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The JSON object that an undivided run would have printed.
    pub document: Value,
    /// Its status.
    pub status: Status,
}

/// Puts reports together, in whatever order.
///
/// # Errors
/// One is no report, or they are not of one command, one project and one format version.
pub fn merge(reports: &[Report]) -> Result<Merged, MergeError> {
    let parts = reports
        .iter()
        .map(Part::read)
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = parts.first() else {
        return Err(MergeError::NoReport {
            name: "nothing".to_owned(),
            why: "no report was given".to_owned(),
        });
    };
    for part in &parts {
        agree(
            first,
            part,
            "command",
            Some(first.command),
            Some(part.command),
        )?;
    }
    let mut known = parts.iter().filter(|part| part.project.is_some());
    if let Some(first) = known.next() {
        for part in known {
            agree(first, part, "project", first.project, part.project)?;
        }
    }
    let mut told = Told::default();
    let changes = changes::merge(&parts, &mut told);
    let chains = chains(&parts, &mut told);
    let problems = problems::merge(&parts, told);
    let not_seen = not_seen(&parts);
    let standing = status::standing(&chains);
    let status = status::of(
        first.command,
        &changes,
        &problems,
        proves(&parts).then_some(standing),
    );
    let project = parts.iter().find_map(|part| part.project);
    let document = if first.command == "verify" {
        json!({
            "format_version": FORMAT_VERSION, "command": first.command, "status": status.as_str(), "project": project,
            "gates": chains, "not_seen": not_seen, "accounts": accounts(&parts), "changes": [], "problems": problems,
        })
    } else {
        let mut document = json!({
            "format_version": FORMAT_VERSION, "command": first.command, "status": status.as_str(), "project": project,
            "gates": gates(&parts), "accounts": accounts(&parts), "changes": changes, "problems": problems,
        });
        if proves(&parts)
            && let Some(object) = document.as_object_mut()
        {
            let proof =
                json!({"standing": standing.as_str(), "gates": chains, "not_seen": not_seen});
            object.insert("verify".to_owned(), proof);
        }
        document
    };
    Ok(Merged { document, status })
}

/// One report, taken apart.
struct Part<'r> {
    name: &'r str,
    object: &'r Map<String, Value>,
    command: &'r str,
    /// None where the command failed before it was known.
    project: Option<&'r str>,
    /// `hash:2/8`, where the run was about a partition.
    partition: Option<(u32, u32)>,
}

impl<'r> Part<'r> {
    fn read(report: &'r Report) -> Result<Self, MergeError> {
        let Report { name, value } = report;
        let no_report = |why: String| MergeError::NoReport {
            name: name.clone(),
            why,
        };
        let Some(object) = value.as_object() else {
            return Err(no_report("it is no JSON object".to_owned()));
        };
        let version = object.get("format_version").and_then(Value::as_u64);
        if version != Some(FORMAT_VERSION) {
            let found = object.get("format_version").unwrap_or(&Value::Null);
            return Err(no_report(format!(
                "its format_version is {found}, and this version of crossgate reads {FORMAT_VERSION}"
            )));
        }
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let command = text("command").unwrap_or_default();
        if !["plan", "check", "verify"].contains(&command) {
            return Err(no_report(format!("its command is `{command}`")));
        }
        for key in ["gates", "accounts", "changes", "problems"] {
            if !object.get(key).is_some_and(Value::is_array) {
                return Err(no_report(format!("it has no list `{key}`")));
            }
        }
        if let Some(strange) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(no_report(format!(
                "it has a member `{strange}`, which this version of crossgate does not know"
            )));
        }
        Ok(Self {
            name,
            object,
            command,
            project: text("project"),
            partition: text("partition").and_then(numbers),
        })
    }

    fn list(&self, key: &str) -> impl Iterator<Item = &'r Value> + use<'r> {
        self.object
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    /// The chains and kinds of policies not seen: of `verify`, or of `check --verify`.
    fn proof(&self) -> Option<&'r Map<String, Value>> {
        if self.command == "verify" {
            Some(self.object)
        } else {
            self.object.get("verify")?.as_object()
        }
    }
}

const KNOWN: [&str; 11] = [
    "format_version",
    "command",
    "status",
    "project",
    "partition",
    "gates",
    "not_seen",
    "accounts",
    "changes",
    "problems",
    "verify",
];

/// `hash:2/8`.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let (number, of) = text.strip_prefix("hash:")?.split_once('/')?;
    Some((number.parse().ok()?, of.parse().ok()?))
}

fn agree(
    first: &Part<'_>,
    part: &Part<'_>,
    what: &'static str,
    expected: Option<&str>,
    found: Option<&str>,
) -> Result<(), MergeError> {
    if expected == found {
        return Ok(());
    }
    Err(MergeError::Mismatch {
        first: first.name.to_owned(),
        name: part.name.to_owned(),
        what,
        found: format!("`{}`", found.unwrap_or_default()),
        expected: format!("`{}`", expected.unwrap_or_default()),
    })
}

/// True where the hops were asked for.
fn proves(parts: &[Part<'_>]) -> bool {
    parts
        .iter()
        .any(|part| part.project.is_some() && part.proof().is_some())
}

/// A value's text under a key; empty where there is none.
fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The names of gates in a list, each once, sorted.
fn united<'v>(lists: impl Iterator<Item = &'v Value>) -> Vec<&'v str> {
    let names: BTreeSet<&str> = lists
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    names.into_iter().collect()
}

fn gates<'r>(parts: &[Part<'r>]) -> Vec<&'r str> {
    united(parts.iter().filter_map(|part| part.object.get("gates")))
}

/// The accounts by name; where one run could reach an account and another not, it could not be reached.
fn accounts<'r>(parts: &[Part<'r>]) -> Vec<&'r Value> {
    let mut accounts: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    for account in parts.iter().flat_map(|part| part.list("accounts")) {
        let kept = accounts
            .entry((text(account, "name"), text(account, "id")))
            .or_insert(account);
        if kept.get("unreachable").is_none_or(Value::is_null) {
            *kept = account;
        }
    }
    accounts.into_values().collect()
}

/// The chains by gate.
fn chains<'r>(parts: &[Part<'r>], told: &mut Told) -> Vec<&'r Value> {
    let mut chains: BTreeMap<&str, (&Part<'r>, &Value)> = BTreeMap::new();
    for part in parts {
        let found = part.proof().and_then(|proof| proof.get("gates"));
        for chain in found.and_then(Value::as_array).into_iter().flatten() {
            let name = text(chain, "name");
            match chains.get(name) {
                Some((first, other)) if *other != chain => {
                    told.differently(&format!("gate {name}"), first.name, part.name);
                }
                Some(_) => {}
                None => {
                    chains.insert(name, (part, chain));
                }
            }
        }
    }
    chains.into_values().map(|(_, chain)| chain).collect()
}

fn not_seen<'r>(parts: &[Part<'r>]) -> Vec<&'r str> {
    let found = parts
        .iter()
        .filter_map(|part| part.proof()?.get("not_seen"));
    let found = united(found);
    // In the order in which `verify` names them.
    ["scp", "rcp"]
        .into_iter()
        .filter(|kind| found.contains(kind))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
