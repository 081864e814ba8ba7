//! Problems of several reports as one list: each once, with the gates of all, the gravest first, and those that only the whole has.
//! May not drop one, but for what every part must say to be true of the whole.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::changes::{Told, unite};
use super::{Part, text};

/// Said by a run that looks at none of the pipelines where a secret could be: true of the whole only if every run says so.
const OF_ALL: &str = "secret_not_masked";

pub(super) fn merge(parts: &[Part<'_>], told: Told) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    let mut places: BTreeMap<String, (usize, BTreeSet<usize>)> = BTreeMap::new();
    let single: Vec<BTreeMap<String, usize>> = parts.iter().map(counts).collect();
    for (number, part) in parts.iter().enumerate() {
        for problem in part.list("problems") {
            let mut key = words(problem);
            // Where one run says the same of two groups of gates, they stay two.
            if single
                .iter()
                .any(|counts| counts.get(&key).is_some_and(|n| *n > 1))
            {
                key.push_str(&problem.get("gates").unwrap_or(&Value::Null).to_string());
            }
            if let Some((at, by)) = places.get_mut(&key) {
                by.insert(number);
                if let Some(kept) = merged.get_mut(*at) {
                    unite(kept, problem);
                }
            } else {
                places.insert(key, (merged.len(), BTreeSet::from([number])));
                merged.push(problem.clone());
            }
        }
    }
    let whole = parts.iter().filter(|part| part.project.is_some()).count();
    let partial: BTreeSet<usize> = places
        .into_values()
        .filter(|(_, by)| by.len() < whole)
        .map(|(at, _)| at)
        .collect();
    let mut problems: Vec<Value> = merged
        .into_iter()
        .enumerate()
        .filter(|(at, problem)| text(problem, "code") != OF_ALL || !partial.contains(at))
        .map(|(_, problem)| problem)
        .collect();
    problems.extend(told.0);
    problems.extend(missing(parts));
    problems.sort_by(|a, b| order(a).cmp(&order(b)));
    problems
}

fn order(problem: &Value) -> (Reverse<usize>, Option<&str>, &str, &str) {
    (
        Reverse(severity(problem)),
        problem.get("account").and_then(Value::as_str),
        text(problem, "code"),
        text(problem, "message"),
    )
}

fn counts(part: &Part<'_>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for problem in part.list("problems") {
        *counts.entry(words(problem)).or_default() += 1;
    }
    counts
}

/// All that a problem says, but for the gates.
fn words(problem: &Value) -> String {
    let said = ["severity", "code", "account", "message", "hint"].map(|key| problem.get(key));
    json!(said).to_string()
}

/// Incomplete goes before blocked, as in a plan.
pub(super) fn severity(problem: &Value) -> usize {
    let order = ["warning", "blocked", "incomplete", "error"];
    let name = text(problem, "severity");
    // One that is not known is taken as grave.
    order
        .iter()
        .position(|known| *known == name)
        .unwrap_or(order.len())
}

/// Partitions that nobody handed in: what they would say is not known.
fn missing(parts: &[Part<'_>]) -> Option<Value> {
    let numbers: BTreeSet<(u32, u32)> = parts.iter().filter_map(|part| part.partition).collect();
    let (_, of) = *numbers.first()?;
    let divisions: BTreeSet<u32> = numbers.iter().map(|(_, of)| *of).collect();
    let message = if divisions.len() > 1 {
        "the reports are of different divisions of the accounts".to_owned()
    } else {
        let lacking: Vec<String> = (1..=of)
            .filter(|number| !numbers.contains(&(*number, of)))
            .map(|number| format!("hash:{number}/{of}"))
            .collect();
        if lacking.is_empty() {
            return None;
        }
        format!("no report of {}", crate::model::listed::listed(lacking))
    };
    Some(json!({
        "code": "partition_missing",
        "severity": "incomplete",
        "account": null,
        "gates": [],
        "message": message,
        "hint": "hand in the report of every partition, those of failed jobs too",
    }))
}
