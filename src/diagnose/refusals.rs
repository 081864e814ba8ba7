//! Causes among the hops: whose side refuses, and whether that is what happened or what will happen.
//! The hops are decided by `verify`; here they only get a name.

use crate::model::chain::{Answer, Hop, HopId};
use crate::model::diagnosis::{Cause, Certainty, Evidence, Finding};
use crate::model::observed::Seen;
use crate::model::policy::Effect;

use super::mend;
use super::scene::Scene;

/// All hops that are refused now. `asked`: the action's error is about this hop, which makes it certain.
pub(super) fn all(scene: &Scene<'_>, asked: Option<HopId>) -> Vec<Finding> {
    let mut found = Vec::new();
    let certainty = |id: HopId| {
        if asked == Some(id) {
            Certainty::Certain
        } else {
            Certainty::Likely
        }
    };
    let zero = scene.refuted(HopId::Zero).map(|hop| {
        let cause = Cause::ServiceRoleRefused;
        finding(scene, cause, certainty(HopId::One), hop)
    });
    found.extend(zero);
    let one = scene.refuted(HopId::One);
    found.extend(one.map(|hop| finding(scene, assume(hop), certainty(HopId::One), hop)));
    // Without the function nothing can be said of the hops to it and from it.
    if matches!(scene.function, Seen::Absent) {
        return found;
    }
    for id in [HopId::Two, HopId::TwoPrime] {
        let refuted = scene.refuted(id);
        found.extend(
            refuted.map(|hop| finding(scene, Cause::InvokeRefused, certainty(HopId::Two), hop)),
        );
    }
    found.extend(callback(scene));
    found
}

/// The function may not answer, as far as policies tell; whether it tried is for the log to say.
fn callback(scene: &Scene<'_>) -> Option<Finding> {
    let hop = scene.refuted(HopId::Three).next()?;
    Some(finding(
        scene,
        Cause::CallbackDenied,
        Certainty::Likely,
        hop,
    ))
}

/// Whose side keeps the service role from the invoke role.
fn assume(hop: &Hop) -> Cause {
    let layer = |layer: &str| match layer {
        "identity" => Cause::AssumeNotGranted,
        "resource" => Cause::AssumeNotTrusted,
        _ => Cause::AssumeForbidden,
    };
    match hop.answer {
        Answer::ExplicitlyDenied => Cause::AssumeForbidden,
        Answer::Allowed | Answer::NotProven | Answer::ImplicitlyDenied => hop
            .lacking
            .first()
            // A role that is not there trusts nobody.
            .map_or(Cause::AssumeNotTrusted, |first| layer(first)),
    }
}

fn finding(scene: &Scene<'_>, cause: Cause, certainty: Certainty, hop: &Hop) -> Finding {
    let mut evidence: Vec<Evidence> = Vec::new();
    if certainty == Certainty::Certain {
        evidence.extend(scene.action_evidence());
    }
    evidence.push(of_hop(hop));
    evidence.extend(
        hop.statements
            .iter()
            .filter(|s| s.effect == Effect::Deny)
            .map(|statement| Evidence {
                from: "the policies",
                text: format!(
                    "Statement[{}] of policy `{}` on {} denies it ({})",
                    statement.index, statement.policy, statement.holder, statement.layer
                ),
            }),
    );
    let mut mend = mend::of_hop(scene, hop);
    if certainty == Certainty::Certain {
        mend.push(mend::retry(scene));
    }
    Finding {
        cause,
        certainty,
        evidence,
        mend,
    }
}

fn of_hop(hop: &Hop) -> Evidence {
    Evidence {
        from: "the policies",
        text: format!(
            "hop {}, {} on {} by {}: {}",
            hop.id.as_str(),
            hop.action,
            hop.resource,
            hop.caller,
            hop.reason
        ),
    }
}

/// The action was refused at a hop that is allowed now, as far as policies were seen.
pub(super) fn then(scene: &Scene<'_>, ids: &[HopId]) -> Finding {
    let mut evidence: Vec<Evidence> = scene.action_evidence().into_iter().collect();
    evidence.extend(ids.iter().filter_map(|id| scene.hop(*id)).map(of_hop));
    Finding {
        cause: Cause::RefusedThen,
        certainty: Certainty::Likely,
        evidence,
        mend: vec![
            mend::by(
                "look whether control policies forbid it, which were not looked at here",
                format!(
                    "crossgate verify --gate {} --organizations ACCOUNT",
                    scene.gate.name
                ),
            ),
            mend::retry(scene),
        ],
    }
}
