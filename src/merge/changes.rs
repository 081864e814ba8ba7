//! Changes of several reports as one list: each once, with the gates of all, in the order of an undivided run.
//! May not decide which of two tellings is right: that they differ is a problem.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Part, text, united};
use crate::model::change::{ChangeAction, ChangeKind};

/// What reports tell differently.
#[derive(Debug, Default)]
pub(super) struct Told(pub(super) Vec<Value>);

impl Told {
    pub(super) fn differently(&mut self, what: &str, first: &str, second: &str) {
        self.0.push(json!({
            "code": "reports_disagree",
            "severity": "incomplete",
            "account": null,
            "gates": [],
            "message": format!("{what} is told differently by {first} and {second}"),
            "hint": "something changed between the two runs, or they had other flags: run them again, side by side",
        }));
    }
}

/// The kinds in the order in which a plan lists them.
const KINDS: [ChangeKind; 14] = [
    ChangeKind::IamRole,
    ChangeKind::IamTrustPolicy,
    ChangeKind::IamRoleTags,
    ChangeKind::IamPermissionsBoundary,
    ChangeKind::IamInlinePolicy,
    ChangeKind::IamUnexpectedPolicy,
    ChangeKind::LambdaFunction,
    ChangeKind::LambdaFunctionCode,
    ChangeKind::LambdaFunctionConfiguration,
    ChangeKind::LambdaFunctionTags,
    ChangeKind::S3BucketPolicy,
    ChangeKind::KmsKeyPolicy,
    ChangeKind::PipelineAction,
    ChangeKind::Pipeline,
];

const ACTIONS: [ChangeAction; 3] = [
    ChangeAction::Create,
    ChangeAction::Update,
    ChangeAction::Delete,
];

pub(super) fn merge(parts: &[Part<'_>], told: &mut Told) -> Vec<Value> {
    let mut merged: Vec<(&str, Value)> = Vec::new();
    let mut places: BTreeMap<(&str, &str, usize), usize> = BTreeMap::new();
    for part in parts {
        // Two objects may have one id (an inline and an attached policy of one name): the first is another's first.
        let mut met: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for change in part.list("changes") {
            let (id, action) = (text(change, "id"), text(change, "action"));
            let nth = met.entry((id, action)).or_default();
            *nth += 1;
            let Some(at) = places.get(&(id, action, *nth)) else {
                places.insert((id, action, *nth), merged.len());
                merged.push((part.name, change.clone()));
                continue;
            };
            if let Some((first, kept)) = merged.get_mut(*at) {
                if !alike(kept, change) {
                    told.differently(&format!("change {id}"), first, part.name);
                }
                unite(kept, change);
            }
        }
    }
    let mut changes: Vec<Value> = merged.into_iter().map(|(_, change)| change).collect();
    changes.sort_by(|a, b| order(a).cmp(&order(b)));
    changes
}

fn order(change: &Value) -> (&str, usize, &str, usize, &str) {
    (
        text(change, "account"),
        kind(change),
        text(change, "resource"),
        action(change),
        text(change, "region"),
    )
}

/// Gives the first the gates of both.
pub(super) fn unite(kept: &mut Value, other: &Value) {
    let lists = [kept.get("gates"), other.get("gates")];
    let gates = json!(united(lists.into_iter().flatten()));
    if let Some(object) = kept.as_object_mut() {
        object.insert("gates".to_owned(), gates);
    }
}

/// True where two values differ by their gates at most, and by the order of what AWS returned: in a policy it may change from one
/// read to the next (domain.md, "IAM documents").
fn alike(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else {
        return one == other;
    };
    one.len() == other.len()
        && one
            .iter()
            .filter(|(key, _)| key.as_str() != "gates")
            .all(|(key, value)| other.get(key).map(unordered) == Some(unordered(value)))
}

/// The value without the order of its keys and elements, as text.
fn unordered(value: &Value) -> String {
    let (open, mut parts, close) = match value {
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{}:{}", Value::from(key.as_str()), unordered(value))
            };
            ('{', entries.iter().map(entry).collect::<Vec<_>>(), '}')
        }
        Value::Array(list) => ('[', list.iter().map(unordered).collect(), ']'),
        scalar => return scalar.to_string(),
    };
    parts.sort_unstable();
    format!("{open}{}{close}", parts.join(","))
}

fn kind(change: &Value) -> usize {
    let name = text(change, "kind");
    let found = KINDS.iter().position(|kind| kind.as_str() == name);
    found.unwrap_or(KINDS.len())
}

fn action(change: &Value) -> usize {
    let name = text(change, "action");
    let found = ACTIONS.iter().position(|action| action.as_str() == name);
    found.unwrap_or(ACTIONS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_all_there_in_the_order_of_a_plan() {
        assert!(KINDS.is_sorted() && ACTIONS.is_sorted());
        for kind in KINDS {
            // A new kind asks to be put into the list: count the arms.
            let number = match kind {
                ChangeKind::IamRole => 0,
                ChangeKind::IamTrustPolicy => 1,
                ChangeKind::IamRoleTags => 2,
                ChangeKind::IamPermissionsBoundary => 3,
                ChangeKind::IamInlinePolicy => 4,
                ChangeKind::IamUnexpectedPolicy => 5,
                ChangeKind::LambdaFunction => 6,
                ChangeKind::LambdaFunctionCode => 7,
                ChangeKind::LambdaFunctionConfiguration => 8,
                ChangeKind::LambdaFunctionTags => 9,
                ChangeKind::S3BucketPolicy => 10,
                ChangeKind::KmsKeyPolicy => 11,
                ChangeKind::PipelineAction => 12,
                ChangeKind::Pipeline => 13,
            };
            assert_eq!(KINDS[number], kind);
        }
    }
}
