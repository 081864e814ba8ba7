//! Policies on a role of ours that we did not put there: removed where that is asked for, else shown and left.
//! It does not decide on which roles they are looked for.

use serde_json::json;

use crate::model::account::AccountId;
use crate::model::change::{Change, ChangeAction, ChangeKind};
use crate::model::json_text::JsonText;
use crate::model::name::{GateName, PolicyName};
use crate::model::observed::Seen;
use crate::model::read::AttachedPolicy;
use crate::model::wiring::RoleKey;
use crate::model::write::Write;

use super::Options;
use super::draft::{Draft, Rank};
use super::grants;
use super::join::Joined;

/// Why something that is not ours stays on a role of ours.
pub(super) const ONLY_WHEN_ASKED: &str = "it is removed only with --remove-unexpected";

/// A role of ours.
pub(super) struct Place<'k> {
    pub(super) key: &'k RoleKey,
    pub(super) account_id: &'k AccountId,
    /// The policies of ours that belong there.
    pub(super) ours: Vec<PolicyName>,
    /// The gates that it is about; asked for only where there is something to say.
    pub(super) gates: &'k dyn Fn() -> Vec<GateName>,
}

/// Plans the removal of what is not ours. Returns how many policies stay.
pub(super) fn plan(
    joined: &Joined<'_>,
    options: &Options,
    place: &Place<'_>,
    draft: &mut Draft<'_>,
) -> usize {
    let mut found: Vec<(Change, Write)> = Vec::new();
    if let Seen::Present(names) = joined.observed.inline_policy_names(place.key) {
        for name in names {
            if !place.ours.iter().any(|policy| policy.as_str() == name) {
                found.push(inline(joined, place, name));
            }
        }
    }
    if let Seen::Present(policies) = joined.observed.attached_policies(place.key) {
        found.extend(policies.iter().map(|policy| attached(place, policy)));
    }
    let count = found.len();
    for (change, write) in found {
        if options.remove_unexpected {
            if let Write::DeleteInlinePolicy { policy, .. } = &write {
                draft.deleted.insert((place.key.clone(), policy.clone()));
            }
            draft.write(change, Rank::Policy, write);
        } else {
            draft.held(Change {
                held: Some(ONLY_WHEN_ASKED.to_owned()),
                ..change
            });
        }
    }
    if options.remove_unexpected { 0 } else { count }
}

/// Why a role stays that no gate needs any more.
pub(super) fn in_the_way(staying: usize) -> String {
    let policies = if staying == 1 {
        "policy is"
    } else {
        "policies are"
    };
    format!(
        "{staying} {policies} on it that crossgate did not put there; the role goes only with --remove-unexpected"
    )
}

fn inline(joined: &Joined<'_>, place: &Place<'_>, name: &str) -> (Change, Write) {
    let before = match joined.observed.inline_policy(place.key, name) {
        Seen::Present(text) => Some(JsonText::read(text)),
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => None,
    };
    let reason = "an inline policy that crossgate did not put there";
    let change = Change {
        before,
        ..place.change(reason, name)
    };
    let write = Write::DeleteInlinePolicy {
        role: place.key.name.clone(),
        policy: name.to_owned(),
    };
    (change, write)
}

fn attached(place: &Place<'_>, policy: &AttachedPolicy) -> (Change, Write) {
    let AttachedPolicy { name, arn } = policy;
    let reason = "a managed policy is attached that crossgate did not attach";
    let change = Change {
        before: Some(json!({"PolicyName": name, "PolicyArn": arn}).into()),
        ..place.change(reason, arn)
    };
    let write = Write::DetachPolicy {
        role: place.key.name.clone(),
        policy_arn: arn.clone(),
    };
    (change, write)
}

impl Place<'_> {
    /// A deletion of a policy on the role.
    fn change(&self, reason: &str, policy: &str) -> Change {
        grants::iam_change(
            (self.key, self.account_id),
            ChangeKind::IamUnexpectedPolicy,
            ChangeAction::Delete,
            reason,
            (self.gates)(),
        )
        .of_policy(policy)
    }
}
