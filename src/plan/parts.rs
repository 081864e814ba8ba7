//! What gates of two partitions would both write: two runs at once would overwrite each other.
//! It only finds it; a plan that is not carried out may be made all the same.

use std::collections::BTreeMap;

use crate::model::account::AccountName;
use crate::model::change::{Intent, Problem, Severity};
use crate::model::listed::listed;
use crate::model::name::GateName;
use crate::model::observed::Observed;
use crate::model::wiring::{PipelineKey, Wiring};

use super::grants::names;
use super::join::{Joined, JoinedGate};

/// A problem for each pipeline, and each service role of several pipelines, that a selected gate shares with a gate of another
/// partition. None where the run is about all partitions.
///
/// Invoke roles, functions and execution roles are in the function's account, and so in one partition.
pub fn partition_shared(wiring: &Wiring, observed: &Observed, intent: Intent) -> Vec<Problem> {
    let joined = Joined::new(wiring, observed, intent);
    let mut pipelines: BTreeMap<&PipelineKey, Vec<&JoinedGate<'_>>> = BTreeMap::new();
    for gate in joined.gates.iter().filter(|g| g.in_run) {
        pipelines.entry(&gate.gate.pipeline).or_default().push(gate);
    }
    let mut problems = Vec::new();
    pipelines.retain(|_, gates| is_divided(gates));
    for (key, gates) in &pipelines {
        let PipelineKey {
            account,
            region,
            name,
        } = key;
        let what = format!("pipeline {name} in account {account}, {region}");
        problems.push(problem(account, &what, gates));
    }
    for (key, mut gates) in joined.by_service_role() {
        gates.retain(|g| g.in_run);
        // A divided pipeline divides its service role too: that was said.
        let is_told = gates
            .iter()
            .any(|gate| pipelines.contains_key(&gate.gate.pipeline));
        if is_divided(&gates) && !is_told {
            let policy = wiring.assume_policy();
            let what = format!(
                "policy {policy} on service role {} in account {}",
                key.name, key.account
            );
            problems.push(problem(&key.account, &what, &gates));
        }
    }
    problems
}

fn is_divided(gates: &[&JoinedGate<'_>]) -> bool {
    gates.iter().any(|g| g.selected) && gates.iter().any(|g| !g.selected)
}

fn problem(account: &AccountName, what: &str, gates: &[&JoinedGate<'_>]) -> Problem {
    let of = |selected: bool| -> Vec<GateName> {
        names(gates.iter().copied().filter(|g| g.selected == selected))
    };
    let (here, elsewhere) = (of(true), of(false));
    Problem {
        code: "partition_shared",
        severity: Severity::Blocked,
        account: Some(account.clone()),
        gates: names(gates.iter().copied()),
        message: format!(
            "{what} is written for {} of this partition and for {} of others: two runs at once would overwrite each other",
            listed(&here),
            listed(&elsewhere)
        ),
        hint: Some(
            "run it without --partition (plan, check and verify may be divided), or with --gate for all gates of a pipeline"
                .to_owned(),
        ),
    }
}
