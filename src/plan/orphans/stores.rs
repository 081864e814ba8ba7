//! The project's statements in the policies of artifact buckets and keys of which no gate has need: its gates are gone, or have no
//! artifacts any more.
//! It looks into the stores of pipelines that a gate stands in, the manifest's or one that was left behind, and into no others:
//! what a pipeline that nothing of the project is in says of its store tells nobody that the project was ever there.
//!
//! Two reads a store that no gate's artifacts are in, its bucket and its key, side by side as soon as the pipeline is known. The
//! others are read anyway, and set right by `bootstrap`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::artifact::PolicyHolder;
use crate::model::observed::Seen;
use crate::model::wiring::{PipelineKey, Wiring};

use super::super::artifacts::{Subject, of_store};
use super::super::draft::Draft;
use super::super::ends::is_usable;
use super::super::join::Joined;
use super::super::reads::Wanted;
use super::leftovers::is_at;
use super::scan::{FoundAction, Scan};

pub(super) fn wants(scan: &Scan<'_>, wiring: &Wiring, wanted: &mut Wanted<'_>) {
    for holder in holders(scan, wiring).keys() {
        wanted.add(holder.account(), holder.read());
    }
}

pub(super) fn plan(scan: &Scan<'_>, joined: &Joined<'_>, draft: &mut Draft<'_>) {
    let stays = |found: &FoundAction<'_>| !joined.selected().any(|gate| is_at(gate, found));
    let staying: Vec<FoundAction<'_>> = scan.actions().filter(stays).collect();
    for (holder, pipelines) in holders(scan, joined.wiring) {
        if !joined.is_usable(holder.account()) {
            continue;
        }
        let here = joined.selected();
        let gates = here.filter(|gate| pipelines.contains(&gate.gate.pipeline));
        let gates = gates.collect();
        Subject { holder, gates }.left(joined, |ours| user(&staying, ours), draft);
    }
}

/// The buckets and keys of the gates' pipelines that hold no artifacts of a gate, each with its pipelines.
fn holders(scan: &Scan<'_>, wiring: &Wiring) -> BTreeMap<PolicyHolder, BTreeSet<PipelineKey>> {
    let mut found: BTreeMap<PolicyHolder, BTreeSet<PipelineKey>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for gate in &wiring.gates {
        let account = &gate.pipeline.account;
        let (Some(id), Seen::Present(document)) = (
            wiring.account_id(account),
            scan.observed.pipeline(&gate.pipeline),
        ) else {
            continue;
        };
        if !is_usable(wiring, scan.observed, account) {
            continue;
        }
        for store in document.artifact_stores(&gate.pipeline.region, id) {
            for holder in of_store(wiring, account, &store) {
                let pipelines = found.entry(holder).or_default();
                pipelines.insert(gate.pipeline.clone());
            }
        }
        if gate.action.traffic().is_some()
            && let Some(store) = document.artifact_store(&gate.function.region, id)
        {
            used.extend(of_store(wiring, account, &store));
        }
    }
    found.retain(|holder, _| !used.contains(holder));
    found
}

/// The action that stays, has artifacts, and runs through a role that statements of ours name.
fn user(staying: &[FoundAction<'_>], ours: &[&Value]) -> Option<String> {
    let texts: Vec<String> = ours.iter().map(ToString::to_string).collect();
    let is_named = |role: &str| {
        let quoted = Value::from(role).to_string();
        texts.iter().any(|text| text.contains(&quoted))
    };
    let uses = |one: &&FoundAction<'_>| {
        let mut artifacts = one
            .action
            .input_artifacts()
            .chain(one.action.output_artifacts());
        artifacts.next().is_some() && one.action.role_arn().is_some_and(is_named)
    };
    let one = staying.iter().find(uses)?;
    Some(format!(
        "action {} still has artifacts, and runs through a role that it names",
        one.resource()
    ))
}
