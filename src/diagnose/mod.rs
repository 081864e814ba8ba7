//! Wiring × what was read × plan × proof → Diagnoses: why a gate does not work, the surest cause first, and what mends it.
//! Pure and synchronous: it asks and decides, and neither reads, nor changes, nor knows the time but as it is given.
//!
//! What it needs comes in two parts. The first is read together with a plan and a proof, and what cannot be read of it leaves the
//! diagnosis incomplete. The second is beside that (the function's log, where else a function may stand): what cannot be read of
//! it makes the diagnosis less certain, and is noted.

mod answers;
mod attempt;
mod causes;
mod course;
mod log;
mod mend;
pub mod pages;
mod redact;
mod refusals;
mod said;
mod scene;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod wants;

use crate::model::chain::Proof;
use crate::model::change::Plan;
use crate::model::diagnosis::{Cause, Certainty, Diagnosis, Finding, Kind};
use crate::model::execution::ExecutionId;
use crate::model::observed::Observed;
use crate::model::status::Status;
use crate::model::wiring::Wiring;

use scene::Scene;

pub use wants::{wants, wants_beside};

/// What a person asked for beside the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The execution to look at; none: the newest that came to the gate, or else the newest of all.
    pub execution: Option<ExecutionId>,
}

/// What is known.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the manifest wants.
    pub wiring: &'a Wiring,
    /// What was read of everything that must be read.
    pub observed: &'a Observed,
    /// What was read beside it.
    pub beside: &'a Observed,
    /// What a bootstrap would change.
    pub plan: &'a Plan,
    /// Whether the hops will be allowed.
    pub proof: &'a Proof,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// Diagnoses all selected gates, in the order of their names.
pub fn diagnose(known: &Known<'_>, options: &Options) -> Vec<Diagnosis> {
    let gates = known.wiring.gates.iter();
    gates
        .filter(|gate| known.wiring.is_selected(gate))
        .map(|gate| one(&Scene::of(known, options, gate)))
        .collect()
}

fn one(scene: &Scene<'_>) -> Diagnosis {
    let mut found = causes::all(scene);
    let mut notes = scene.notes();
    let broken = found.iter().any(|f| f.cause.kind() == Kind::Broken);
    if broken {
        // Beside something that is broken these are no causes, but worth knowing.
        let is_aside = |f: &Finding| matches!(f.cause, Cause::Works | Cause::NotRunYet);
        notes.splice(
            0..0,
            found
                .iter()
                .filter(|f| is_aside(f))
                .map(|f| f.cause.title().to_owned()),
        );
        found.retain(|f| !is_aside(f));
    }
    found.sort_by_key(rank);
    let mut kept: Vec<Finding> = Vec::new();
    for finding in found {
        if !kept.iter().any(|one| one.cause == finding.cause) {
            kept.push(finding);
        }
    }
    let mut kept = kept.into_iter();
    let first = kept.next().unwrap_or_else(|| Finding {
        cause: Cause::NotReadable,
        certainty: Certainty::Possible,
        evidence: Vec::new(),
        mend: Vec::new(),
    });
    Diagnosis {
        gate: scene.gate.name.clone(),
        execution: scene.execution.clone(),
        first,
        others: kept.collect(),
        notes,
    }
}

/// The order of findings. An answer of the function is as good as a certain cause; that it may still answer comes after what
/// will keep it from answering.
fn rank(finding: &Finding) -> u8 {
    let Finding {
        cause, certainty, ..
    } = finding;
    match (cause, certainty) {
        (Cause::Works | Cause::NotRunYet, _) => 5,
        (Cause::StillRunning | Cause::NotReached, _) => 3,
        // What is certain stays certain, whatever else could not be seen.
        (Cause::NotReadable, _) => 1,
        (_, Certainty::Certain) => 0,
        (_, Certainty::Likely) => 2,
        (_, Certainty::Possible) => 4,
    }
}

/// The status of a diagnosis: `in_sync` where nothing is wrong, `drift` where a cause was found, `incomplete` where one gate at
/// least could not be diagnosed. `unread`: something that must be read could not be; then only what is certain counts.
pub fn status(diagnoses: &[Diagnosis], unread: bool) -> Status {
    let one = |diagnosis: &Diagnosis| match diagnosis.kind() {
        Kind::Unknown => Status::Incomplete,
        Kind::Broken => {
            let certain = diagnosis.first.certainty == Certainty::Certain;
            if unread && !certain {
                Status::Incomplete
            } else {
                Status::Drift
            }
        }
        Kind::Fine if unread => Status::Incomplete,
        Kind::Fine => Status::InSync,
    };
    let all: Vec<Status> = diagnoses.iter().map(one).collect();
    if all.is_empty() || all.contains(&Status::Incomplete) {
        Status::Incomplete
    } else if all.contains(&Status::Drift) {
        Status::Drift
    } else {
        Status::InSync
    }
}
