//! Which reads a diagnosis still needs, given what is known: nothing twice, and nothing that would not be looked at.
//! It asks; it neither reads nor decides.
//!
//! Beyond a plan and a proof a gate costs three reads in the first round (state, executions, actions), and one in the second (all
//! actions of the execution that is looked at). Beside that, once these are known: how the function is called, its log, and, for a
//! function that is not there, where else one of that name stands.

use std::collections::BTreeSet;

use crate::model::account::{AccountName, Partition, Region};
use crate::model::observed::{Observed, Seen};
use crate::model::read::Read;
use crate::model::wiring::{FunctionKey, Gate, Wiring};
use crate::verify;

use super::{Options, attempt};

/// The most lines of a log that are read.
const LINES: u32 = 2_000;

/// The regions of the standard partition that every account has without asking for it (AWS account management guide, "Regions that
/// are enabled by default").
const REGIONS: &[&str] = &[
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
];

fn selected(wiring: &Wiring) -> impl Iterator<Item = &Gate> {
    wiring.gates.iter().filter(|gate| wiring.is_selected(gate))
}

/// What must be read beyond a plan and a proof.
pub fn wants(wiring: &Wiring, observed: &Observed, options: &Options) -> Vec<(AccountName, Read)> {
    let mut wanted = BTreeSet::new();
    let mut ask = |account: &AccountName, read: Read| {
        if !observed.has(account, &read) && observed.unreachable(account).is_none() {
            wanted.insert((account.clone(), read));
        }
    };
    for gate in selected(wiring) {
        let account = &gate.pipeline.account;
        let is_strange = matches!(observed.caller(account), Seen::Present(caller)
            if Some(&caller.account) != wiring.account_id(account));
        if is_strange {
            continue;
        }
        ask(account, gate.pipeline.state());
        ask(account, gate.pipeline.executions());
        if options.execution.is_none() {
            ask(account, gate.pipeline.actions(None));
        }
        let is_known = observed.has(account, &gate.pipeline.executions());
        if (options.execution.is_some() || is_known)
            && let Some(id) = attempt::chosen(observed, gate, options)
        {
            ask(account, gate.pipeline.actions(Some(&id)));
        }
    }
    wanted.into_iter().collect()
}

/// What is read beside that, given what must be read and was.
pub fn wants_beside(
    wiring: &Wiring,
    observed: &Observed,
    beside: &Observed,
    options: &Options,
    now: i64,
) -> Vec<(AccountName, Read)> {
    let mut wanted = BTreeSet::new();
    for gate in selected(wiring) {
        let (key, qualifier) = verify::called(wiring, observed, gate);
        match observed.function(&key) {
            Seen::Present(_) => {
                let config = key.invoke_config(qualifier.as_deref());
                wanted.insert((key.account.clone(), config));
                let log = log_of(observed, gate, &key, options, now);
                wanted.extend(log.map(|read| (key.account.clone(), read)));
            }
            Seen::Absent => wanted.extend(elsewhere(wiring, gate, &key)),
            Seen::NotRead | Seen::Unreadable(_) => {}
        }
    }
    wanted.retain(|(account, read)| {
        // An account that did not answer is not asked for more.
        !beside.has(account, read) && observed.unreachable(account).is_none()
    });
    wanted.into_iter().collect()
}

/// The question for the function's log around the gate's attempt.
pub(super) fn log_of(
    observed: &Observed,
    gate: &Gate,
    key: &FunctionKey,
    options: &Options,
    now: i64,
) -> Option<Read> {
    let id = attempt::chosen(observed, gate, options)?;
    let actions = attempt::actions(observed, gate, &id);
    let attempt = actions.iter().find(|one| attempt::is_of(gate, one))?;
    let (from_ms, to_ms) = attempt::window(attempt, now)?;
    Some(Read::LogEvents {
        region: key.region.clone(),
        group: log_group(observed, key),
        from_ms,
        to_ms,
        filter: None,
        limit: LINES,
    })
}

/// The function's log group.
pub(super) fn log_group(observed: &Observed, key: &FunctionKey) -> String {
    let own = match observed.function(key) {
        Seen::Present(function) => function.log_group.clone(),
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => None,
    };
    // The name that Lambda gives it where nobody gave another (Lambda developer guide, "Log groups").
    own.unwrap_or_else(|| format!("/aws/lambda/{}", key.name))
}

/// Where else a function of that name may stand: in any region of its account, and in the pipeline's account.
pub(super) fn elsewhere(
    wiring: &Wiring,
    gate: &Gate,
    key: &FunctionKey,
) -> BTreeSet<(AccountName, Read)> {
    let named = wiring.gates.iter();
    let named = named.flat_map(|gate| [&gate.pipeline.region, &gate.function.region]);
    let mut regions: BTreeSet<Region> = named.cloned().collect();
    if gate.partition() == Partition::Aws {
        regions.extend(REGIONS.iter().filter_map(|name| Region::new(name).ok()));
    }
    let here = |account: &AccountName, region: &Region| {
        let key = FunctionKey {
            account: account.clone(),
            region: region.clone(),
            name: key.name.clone(),
        };
        (account.clone(), key.read())
    };
    let mut all: BTreeSet<(AccountName, Read)> = regions
        .iter()
        .map(|region| here(&key.account, region))
        .collect();
    all.remove(&here(&key.account, &key.region));
    if gate.pipeline.account != key.account {
        all.insert(here(&gate.pipeline.account, &key.region));
    }
    all
}
