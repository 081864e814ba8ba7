//! IAM's own simulator beside our answers, for the hops of a single account and the caller's side of hop 1.
//! It asks and compares; where the two disagree, that is shown, and no answer is changed.
//!
//! SimulatePrincipalPolicy sees neither a role's trust across accounts nor SCPs with conditions (domain.md).

use crate::iam::hops::{Ends, Found, identity_side};
use crate::model::account::AccountName;
use crate::model::arn::RoleArn;
use crate::model::chain::{Answer, Hop, HopId, Simulated};
use crate::model::observed::{Observed, Seen};
use crate::model::read::Read;
use crate::model::wiring::Wiring;

use super::gather::execution_role;
use super::target::{Target, account_name};

const HOPS: [(HopId, &str); 5] = [
    (HopId::One, "sts:AssumeRole"),
    (HopId::Two, "lambda:InvokeFunction"),
    (HopId::TwoPrime, "lambda:ListFunctions"),
    (HopId::Three, "codepipeline:PutJobSuccessResult"),
    (HopId::Three, "codepipeline:PutJobFailureResult"),
];

/// The questions for the simulator, as far as the roles are known.
pub(super) fn reads(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
) -> Vec<(AccountName, Read)> {
    let ask = |(id, action)| read(wiring, observed, target, id, action);
    HOPS.into_iter().filter_map(ask).collect()
}

fn read(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    id: HopId,
    action: &str,
) -> Option<(AccountName, Read)> {
    let there = |role: &Found<RoleArn>| match role {
        Found::There(role) => Some(role.clone()),
        Found::Missing(_) | Found::Unseen(_) => None,
    };
    let (role, resource) = match id {
        // The simulator does not see the policies of another account's bucket and key.
        HopId::Zero | HopId::Four | HopId::Five => return None,
        HopId::One => (there(&target.service)?, there(&target.invoke)?.to_string()),
        HopId::Two => match &target.function {
            Found::There(called) => (there(&target.invoke)?, called.invoked()),
            Found::Missing(_) | Found::Unseen(_) => return None,
        },
        HopId::TwoPrime => (there(&target.invoke)?, "*".to_owned()),
        HopId::Three => (
            there(&execution_role(wiring, observed, target))?,
            "*".to_owned(),
        ),
    };
    let account = account_name(wiring, &role.account)?.clone();
    let read = Read::Simulation {
        role,
        action: action.to_owned(),
        resource,
    };
    Some((account, read))
}

/// Puts what the simulator says beside each hop that it was asked about.
pub(super) fn compare(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    ends: &Ends,
    hops: &mut [Hop],
) {
    for hop in hops {
        let Some((account, read)) = read(wiring, observed, target, hop.id, &hop.action) else {
            continue;
        };
        let ours = match hop.id {
            HopId::One => identity_side(ends).unwrap_or(Answer::NotProven),
            HopId::Zero
            | HopId::Two
            | HopId::TwoPrime
            | HopId::Three
            | HopId::Four
            | HopId::Five => hop.answer,
        };
        hop.simulated = match observed.simulation(&account, &read) {
            Seen::NotRead | Seen::Absent => None,
            Seen::Unreadable(error) => Some(Simulated {
                decision: Err(error.to_string()),
                agrees: None,
            }),
            Seen::Present(theirs) => Some(Simulated {
                decision: Ok(theirs.to_owned()),
                agrees: match ours {
                    Answer::NotProven => None,
                    Answer::Allowed => Some(theirs == "allowed"),
                    Answer::ImplicitlyDenied | Answer::ExplicitlyDenied => {
                        Some(theirs != "allowed")
                    }
                },
            }),
        };
    }
}
