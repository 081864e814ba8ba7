//! Wiring × Observed → Proof: which reads the hops of a gate need, and whether each hop will be allowed.
//! Pure and synchronous, like `plan`: it asks and decides, and neither reads nor changes anything.
//!
//! What is decided on is what stands in AWS: the pipeline's real action with its own role, region and function, not what the
//! manifest wants. Whether the two agree is `check`'s question.

mod artifacts;
mod control;
mod findings;
mod gather;
mod organization;
mod reads;
mod simulation;
mod target;

pub use organization::{Given, GivenError, parse_levels};
pub use reads::wants;

use crate::iam::hops::{self, Found, Organization};
use crate::model::chain::{Chain, NotSeen, Proof, Standing};
use crate::model::observed::Observed;
use crate::model::status::Status;
use crate::model::wiring::{FunctionKey, Gate, OrganizationReader, Wiring};

use target::Target;

/// What a person asked for beside the manifest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Ask IAM's own simulator too.
    pub simulate: bool,
    /// Service control policies, by account.
    pub scps: Given,
    /// Resource control policies, by account.
    pub rcps: Given,
    /// Reads both kinds from the organization instead.
    pub organizations: Option<OrganizationReader>,
}

/// Decides the hops of all selected gates.
///
/// What was not read, or could not be read, is never guessed: the hops that need it are not proven.
pub fn prove(wiring: &Wiring, observed: &Observed, options: &Options) -> Proof {
    let organization = match &options.organizations {
        Some(reader) => control::organization(wiring, observed, reader),
        None => Organization {
            scps: options.scps.by_id(wiring),
            rcps: options.rcps.by_id(wiring),
        },
    };
    let gates = wiring.gates.iter().filter(|gate| wiring.is_selected(gate));
    let chains: Vec<Chain> = gates
        .map(|gate| chain(wiring, observed, options, &organization, gate))
        .collect();
    let Organization { scps, rcps } = &organization;
    let lacks = |given| {
        let selected = wiring.gates.iter().filter(|gate| wiring.is_selected(gate));
        selected
            .flat_map(|gate| [&gate.pipeline.account, &gate.function.account])
            .filter_map(|name| wiring.account_id(name))
            .any(|id| !control::is_known(given, id))
    };
    let not_seen = [(NotSeen::Scp, lacks(scps)), (NotSeen::Rcp, lacks(rcps))];
    Proof {
        chains,
        not_seen: not_seen
            .into_iter()
            .filter(|(_, lacks)| *lacks)
            .map(|(kind, _)| kind)
            .collect(),
    }
}

/// The function that a gate's action really calls, and the version or alias; where that is not known, the function that the
/// manifest names.
pub fn called(wiring: &Wiring, observed: &Observed, gate: &Gate) -> (FunctionKey, Option<String>) {
    let called = match Target::of(wiring, observed, gate).function {
        Found::There(called) => called.key(wiring).map(|key| (key, called.qualifier)),
        Found::Missing(_) | Found::Unseen(_) => None,
    };
    called.unwrap_or_else(|| (gate.function.clone(), None))
}

fn chain(
    wiring: &Wiring,
    observed: &Observed,
    options: &Options,
    organization: &Organization,
    gate: &Gate,
) -> Chain {
    let target = Target::of(wiring, observed, gate);
    let ends = gather::ends(wiring, observed, &target, organization);
    let mut hops = hops::hops(&ends);
    if options.simulate {
        simulation::compare(wiring, observed, &target, &ends, &mut hops);
    }
    Chain {
        gate: gate.name.clone(),
        hops,
        findings: findings::all(wiring, observed, &target, &ends),
    }
}

/// The status of `verify`: proven is `in_sync`, refuted is `drift`, and what could not be proven is `incomplete`, which goes before
/// `drift` as with `check`.
pub fn status(proof: &Proof) -> Status {
    status_of(proof.standing())
}

/// [`status`], of a proof that is known by its standing only.
pub fn status_of(standing: Standing) -> Status {
    match standing {
        Standing::Proven => Status::InSync,
        Standing::Refuted => Status::Drift,
        Standing::NotProven => Status::Incomplete,
    }
}

/// The worse of two statuses, for `check --verify`.
pub fn worse(one: Status, other: Status) -> Status {
    let rank = |status: Status| match status {
        Status::InSync | Status::Applied => 0,
        Status::Changes => 1,
        Status::Drift => 2,
        Status::Incomplete => 3,
        Status::Partial => 4,
        Status::Failed => 5,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod control_tests;
#[cfg(test)]
mod tests;
