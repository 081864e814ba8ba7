//! What a command found, in the few words that a picture needs; from a plan and a proof, or (`saved`) from their JSON.
//! Nothing is judged here: a change keeps its action, a hop its answer.

use std::collections::BTreeMap;

use crate::model::account::{AccountName, Region};
use crate::model::chain::{Answer, Chain, Finding, Hop, HopId, Proof, Weight};
use crate::model::change::{Change, ChangeAction, Plan, Problem, Severity};
use crate::model::graph::{Source, State};
use crate::model::name::GateName;
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::StageView;
use crate::model::wiring::{FunctionKey, PipelineKey, Wiring};

/// What a command found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Which command.
    pub(super) source: Source,
    /// What the objects differ in; none where the command did not look at them.
    pub(super) changes: Option<Vec<ChangeFact>>,
    /// What is to be known.
    pub(super) problems: Vec<ProblemFact>,
    /// The hops by gate; none where the command did not look at them.
    pub(super) chains: Option<BTreeMap<String, Vec<HopFact>>>,
    /// The names that only AWS knows, and the stages as they are.
    pub(super) seen: SeenNames,
}

/// What was read of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SeenNames {
    pub(super) service_roles: BTreeMap<PipelineKey, String>,
    pub(super) stages: BTreeMap<PipelineKey, Vec<String>>,
    pub(super) execution_roles: BTreeMap<FunctionKey, String>,
}

/// A change, by where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeFact {
    pub(super) account_id: String,
    pub(super) region: Option<String>,
    pub(super) kind: String,
    pub(super) resource: String,
    pub(super) state: State,
    pub(super) gates: Vec<String>,
    pub(super) reason: String,
    pub(super) held: Option<String>,
}

/// A problem or a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProblemFact {
    pub(super) account: Option<String>,
    pub(super) gates: Vec<String>,
    /// `Wanted` for what is only to be known; `Blocked` or `Unknown` where it puts the objects of its gates in doubt.
    pub(super) state: State,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether objects are in doubt because of it; what `verify` finds concerns hops only.
    pub(super) of_objects: bool,
}

/// One call of a hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HopFact {
    pub(super) id: HopId,
    pub(super) caller: String,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) mend: Option<String>,
}

impl Facts {
    /// Of the manifest alone: nothing was read.
    pub fn none() -> Self {
        Self {
            source: Source::Manifest,
            changes: None,
            problems: Vec::new(),
            chains: None,
            seen: SeenNames::default(),
        }
    }

    /// Of a plan, and of a proof where hops were decided too.
    pub fn of(
        source: Source,
        wiring: &Wiring,
        observed: &Observed,
        plan: Option<&Plan>,
        proof: Option<&Proof>,
        problems: &[Problem],
    ) -> Self {
        let mut all: Vec<ProblemFact> = problems.iter().map(problem).collect();
        for chain in proof.iter().flat_map(|proof| &proof.chains) {
            all.extend(chain.findings.iter().map(|f| finding(&chain.gate, f)));
        }
        Self {
            source,
            changes: plan.map(|plan| plan.changes.iter().map(change).collect()),
            problems: all,
            chains: proof.map(|proof| proof.chains.iter().map(chain).collect()),
            seen: SeenNames::of(wiring, observed),
        }
    }
}

impl SeenNames {
    fn of(wiring: &Wiring, observed: &Observed) -> Self {
        let mut seen = Self::default();
        for gate in &wiring.gates {
            if let Seen::Present(document) = observed.pipeline(&gate.pipeline) {
                let names = document.stages().map(StageView::name).map(str::to_owned);
                seen.stages.insert(gate.pipeline.clone(), names.collect());
                if let Ok(role) = document.role_arn() {
                    let name = role.name.to_string();
                    seen.service_roles.insert(gate.pipeline.clone(), name);
                }
            }
            if let Seen::Present(function) = observed.function(&gate.function) {
                let name = function.role.name.to_string();
                seen.execution_roles.insert(gate.function.clone(), name);
            }
        }
        seen
    }
}

fn names(gates: &[GateName]) -> Vec<String> {
    gates.iter().map(ToString::to_string).collect()
}

fn change(change: &Change) -> ChangeFact {
    let Change {
        id: _,
        account: _,
        account_id,
        region,
        kind,
        resource,
        action,
        gates,
        reason,
        before: _,
        after: _,
        held,
    } = change;
    ChangeFact {
        account_id: account_id.to_string(),
        region: region.as_ref().map(Region::to_string),
        kind: kind.as_str().to_owned(),
        resource: resource.clone(),
        state: match action {
            ChangeAction::Create => State::Create,
            ChangeAction::Update => State::Update,
            ChangeAction::Delete => State::Delete,
        },
        gates: names(gates),
        reason: reason.clone(),
        held: held.clone(),
    }
}

fn problem(problem: &Problem) -> ProblemFact {
    let Problem {
        code: _,
        severity,
        account,
        gates,
        message,
        hint,
    } = problem;
    ProblemFact {
        account: account.as_ref().map(AccountName::to_string),
        gates: names(gates),
        state: match severity {
            Severity::Warning => State::Wanted,
            Severity::Blocked => State::Blocked,
            Severity::Incomplete => State::Unknown,
        },
        message: message.clone(),
        hint: hint.clone(),
        of_objects: true,
    }
}

fn finding(gate: &GateName, finding: &Finding) -> ProblemFact {
    let Finding {
        code: _,
        weight,
        message,
        mend,
    } = finding;
    ProblemFact {
        account: None,
        gates: vec![gate.to_string()],
        state: match weight {
            Weight::Remark => State::Wanted,
            Weight::Breaks => State::Blocked,
            Weight::Unseen => State::Unknown,
        },
        message: message.clone(),
        hint: mend.clone(),
        of_objects: false,
    }
}

fn chain(chain: &Chain) -> (String, Vec<HopFact>) {
    (chain.gate.to_string(), chain.hops.iter().map(hop).collect())
}

fn hop(hop: &Hop) -> HopFact {
    let Hop {
        id,
        caller,
        action,
        resource,
        account: _,
        account_id: _,
        answer,
        reason,
        statements: _,
        mend,
        simulated: _,
        lacking: _,
    } = hop;
    HopFact {
        id: *id,
        caller: caller.clone(),
        action: action.clone(),
        resource: resource.clone(),
        state: match answer {
            Answer::Allowed => State::Allowed,
            Answer::NotProven => State::NotProven,
            Answer::ImplicitlyDenied | Answer::ExplicitlyDenied => State::Denied,
        },
        reason: reason.clone(),
        mend: mend.clone(),
    }
}
