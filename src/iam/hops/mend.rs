//! What to do about a hop that is not allowed: one sentence, as an order.
//! It names the object that decides; it never proposes anything wider than the table of design.md.

use super::{CODEPIPELINE, Call, Ends};
use crate::iam::evaluate::{Decision, Place, StatementRef, Verdict};
use crate::model::chain::HopId;

/// What to do; none where the hop is allowed.
pub(super) fn of(ends: &Ends, call: &Call<'_>, decision: &Decision) -> Option<String> {
    match decision.verdict {
        Verdict::Allowed => None,
        Verdict::ExplicitlyDenied => decision.statements.first().map(|s| denied(call, s)),
        Verdict::ImplicitlyDenied => Some(match decision.lacking.first() {
            Some(place) => lacking(ends, call, decision, place),
            None => bootstrap(ends, call.id),
        }),
        Verdict::NotProven => Some(open(call, decision)),
    }
}

fn denied(call: &Call<'_>, statement: &StatementRef) -> String {
    let (holder, account) = call.holder(&statement.place);
    let StatementRef {
        place,
        policy,
        index,
        sid,
        ..
    } = statement;
    let sid = sid.as_ref().map_or(String::new(), |s| format!(" ({s})"));
    let which = format!("Statement[{index}]{sid} of policy `{policy}`");
    let Call {
        action, resource, ..
    } = call;
    match place {
        Place::Scp(_) | Place::Rcp(_) => format!(
            "ask whoever keeps the organization's policies to except {action} on {resource} from {which} at `{place}`"
        ),
        Place::Identity | Place::Boundary | Place::Session | Place::Resource => {
            format!("take {action} on {resource} out of {which} on {holder} in account {account}")
        }
    }
}

fn lacking(ends: &Ends, call: &Call<'_>, decision: &Decision, place: &Place) -> String {
    let Call {
        id,
        action,
        resource,
        caller: (caller, _),
        ..
    } = call;
    match (place, id) {
        (Place::Identity, _) => bootstrap(ends, *id),
        (Place::Resource, HopId::Zero) => {
            format!("let the trust policy of {resource} allow sts:AssumeRole to {CODEPIPELINE}")
        }
        (Place::Resource, HopId::Four | HopId::Five) => format!(
            "set `manage = true` in [gates.artifacts] and run `crossgate bootstrap`, or let the policy of {resource} allow \
             {action} to {caller}"
        ),
        (Place::Resource, _) => match never_sent(decision) {
            Some(key) => format!(
                "take the condition on {key} out of the policy of {resource}: CodePipeline does not send it; \
                 or run `crossgate bootstrap`, which puts the trust policy right"
            ),
            None => bootstrap(ends, *id),
        },
        (Place::Boundary, _) => format!(
            "let the permissions boundary of {caller} allow {action} on {resource}, or give the role another one"
        ),
        (Place::Session, _) => format!("let the session policy of {caller} allow {action}"),
        (Place::Scp(level) | Place::Rcp(level), _) => {
            format!("ask whoever keeps the organization's policies to allow {action} at `{level}`")
        }
    }
}

/// The key that a trust policy demands, and that CodePipeline has no way to send (domain.md, hop 1).
fn never_sent(decision: &Decision) -> Option<&'static str> {
    let notes = decision.statements.iter().filter_map(|s| s.note.as_ref());
    let notes: Vec<String> = notes.map(|note| note.to_lowercase()).collect();
    ["sts:ExternalId", "aws:SourceArn", "aws:SourceAccount"]
        .into_iter()
        .find(|key| notes.iter().any(|note| note.contains(&key.to_lowercase())))
}

fn open(call: &Call<'_>, decision: &Decision) -> String {
    let Call {
        action, resource, ..
    } = call;
    match decision.statements.first() {
        Some(statement) => {
            let (holder, account) = call.holder(&statement.place);
            let StatementRef { policy, index, .. } = statement;
            format!(
                "let Statement[{index}] of policy `{policy}` on {holder} in account {account} not depend on it, or try {action} on {resource} by hand"
            )
        }
        None => "let whoever runs this read what could not be read, then run it again".to_owned(),
    }
}

/// Where crossgate's own object is missing, crossgate puts it there.
fn bootstrap(ends: &Ends, id: HopId) -> String {
    let put = |policy: &dyn std::fmt::Display, on: &str| {
        format!("run `crossgate bootstrap`, which puts the policy {policy} on {on}")
    };
    let own = &ends.own;
    match id {
        HopId::Zero => format!(
            "let the trust policy of {} allow sts:AssumeRole to {CODEPIPELINE}",
            ends.service.name
        ),
        HopId::One => format!(
            "run `crossgate bootstrap`, which puts the policy {} on {} and the trust policy on {}",
            own.assume, ends.service.name, ends.invoke.name
        ),
        HopId::TwoPrime if !own.list_functions => {
            "set `list_functions = true` in [gates.invoke_role] and run `crossgate bootstrap`: the guide says that a \
             pipeline with a Lambda action fails without it"
                .to_owned()
        }
        HopId::Two | HopId::TwoPrime => put(&own.invoke, &ends.invoke.name),
        HopId::Three => put(&own.callback, &ends.execution.name),
        HopId::Four | HopId::Five => put(&own.artifacts, &ends.invoke.name),
    }
}

/// What to do where one of the two ends is not there.
pub(super) fn of_missing(id: HopId) -> String {
    match id {
        HopId::Zero => "make the pipeline, or its service role, first",
        HopId::One | HopId::TwoPrime => "run `crossgate bootstrap`, which makes what is missing of the gate",
        HopId::Four | HopId::Five => {
            "correct the pipeline's artifact store, or run `crossgate bootstrap`, which makes what is missing of the gate"
        }
        HopId::Two | HopId::Three => {
            "make the function first, or run `crossgate bootstrap`, which makes what is missing of the gate"
        }
    }
    .to_owned()
}
