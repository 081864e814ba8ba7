//! Inline policies of ours: on the service role (assume), on the execution role (callback), and the helper for all three.
//! Each is ours by its name; nothing else on those roles is looked at or touched.

use crate::iam::compare::{self, Difference};
use crate::iam::documents::assume_policy;
use crate::model::account::AccountId;
use crate::model::change::{Change, ChangeAction, ChangeKind, Intent, Problem, Severity};
use crate::model::json_text::JsonText;
use crate::model::name::{GateName, PolicyName};
use crate::model::observed::Seen;
use crate::model::policy::PolicyDocument;
use crate::model::wiring::RoleKey;
use crate::model::write::Write;

use super::Options;
use super::draft::{Draft, Put, Rank};
use super::execution;
use super::join::{Joined, JoinedGate};
use super::written::Written;

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    for (key, gates) in joined.by_execution_role() {
        callback(joined, options.intent, &key, &gates, draft);
    }
    for (key, gates) in joined.by_service_role() {
        assume(joined, options.intent, &key, &gates, draft);
    }
}

/// Hop 3: one policy for all functions with this execution role.
fn callback(
    joined: &Joined<'_>,
    intent: Intent,
    key: &RoleKey,
    gates: &[&JoinedGate<'_>],
    draft: &mut Draft<'_>,
) {
    let policy = joined.policies.callback.clone();
    if execution::is_made(gates) {
        if !execution::is_ours(joined, key, gates) {
            return;
        }
    } else if role_is_missing(joined, intent, key, gates, "execution", draft) {
        return;
    }
    let wanted = match intent {
        Intent::Bootstrap => Some(joined.callback_policy()),
        // A gate that this run is not about keeps the policy.
        Intent::Teardown if gates.iter().any(|g| g.holds()) || joined.is_run_as(key) => return,
        Intent::Teardown => None,
    };
    let Some(account_id) = gates.first().map(|g| g.function_account) else {
        return;
    };
    let inline = Inline {
        key,
        account_id,
        policy,
        wanted,
        gates: &|| names(gates.iter().copied().filter(|g| g.selected || g.holds())),
    };
    self::inline(joined, &inline, draft);
}

/// Hop 1, the pipeline's side: one policy for all gates whose pipelines have this service role.
fn assume(
    joined: &Joined<'_>,
    intent: Intent,
    key: &RoleKey,
    gates: &[&JoinedGate<'_>],
    draft: &mut Draft<'_>,
) {
    let policy = joined.policies.assume.clone();
    if role_is_missing(joined, intent, key, gates, "service", draft) {
        return;
    }
    let Some(account_id) = gates.first().map(|g| g.pipeline_account) else {
        return;
    };
    let inline = Inline {
        key,
        account_id,
        policy,
        wanted: assumed(joined, key, gates),
        gates: &|| names(gates.iter().copied().filter(|g| g.in_run || g.holds())),
    };
    self::inline(joined, &inline, draft);
}

/// The assume policy of a service role, for those of its gates that stay and those awaited whose roles it names already; none where
/// there are no such gates.
pub(super) fn assumed(
    joined: &Joined<'_>,
    key: &RoleKey,
    gates: &[&JoinedGate<'_>],
) -> Option<Written> {
    let policy = &joined.policies.assume;
    let found = match joined.observed.inline_policy(key, policy.as_str()) {
        Seen::Present(text) => text,
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => "",
    };
    let is_granted = |g: &JoinedGate<'_>| found.contains(&format!("\"{}\"", g.role_arn));
    let holders = gates
        .iter()
        .filter(|g| g.stays() || (g.is_awaited() && is_granted(g)));
    let roles: Vec<_> = holders.map(|g| g.role_arn.clone()).collect();
    (!roles.is_empty()).then(|| Written::of(assume_policy(&roles)))
}

fn role_is_missing(
    joined: &Joined<'_>,
    intent: Intent,
    key: &RoleKey,
    gates: &[&JoinedGate<'_>],
    which: &str,
    draft: &mut Draft<'_>,
) -> bool {
    let gone = joined.observed.role_is_gone(key);
    if gone && intent == Intent::Bootstrap {
        let RoleKey { account, name } = key;
        draft.problem(Problem {
            code: if which == "service" {
                "service_role_not_found"
            } else {
                "execution_role_not_found"
            },
            severity: Severity::Blocked,
            account: Some(account.clone()),
            gates: names(gates.iter().copied().filter(|g| g.selected)),
            message: format!(
                "the {which} role {name} in account {account} does not exist, though it is in use"
            ),
            hint: Some(format!(
                "make the role again, or give the {} another one",
                if which == "service" {
                    "pipeline"
                } else {
                    "function"
                }
            )),
        });
    }
    gone
}

/// An inline policy of ours as it shall be; `wanted` none: it shall not be there.
pub(super) struct Inline<'k> {
    pub(super) key: &'k RoleKey,
    pub(super) account_id: &'k AccountId,
    pub(super) policy: PolicyName,
    pub(super) wanted: Option<Written>,
    /// The gates that it is about; asked for only where there is something to say.
    pub(super) gates: &'k dyn Fn() -> Vec<GateName>,
}

/// Plans one inline policy of ours.
pub(super) fn inline(joined: &Joined<'_>, inline: &Inline<'_>, draft: &mut Draft<'_>) {
    let seen = joined
        .observed
        .inline_policy(inline.key, inline.policy.as_str());
    match (seen, &inline.wanted) {
        (Seen::NotRead | Seen::Unreadable(_), _) | (Seen::Absent, None) => {}
        (Seen::Absent, Some(wanted)) => {
            let reason = "the policy is missing";
            put(inline, ChangeAction::Create, None, wanted, reason, draft);
        }
        (Seen::Present(text), None) => delete(inline, text, draft),
        (Seen::Present(text), Some(wanted)) if wanted.is(text) => {}
        (Seen::Present(text), Some(wanted)) => match PolicyDocument::parse(text) {
            Err(why) => unreadable(inline, &why.to_string(), draft),
            Ok(found) => {
                let difference = compare::difference(&found, &wanted.document);
                if !difference.is_empty() {
                    let reason = &format!("the policy grants {}", describe(&difference));
                    let before = Some(JsonText::read(text));
                    put(inline, ChangeAction::Update, before, wanted, reason, draft);
                }
            }
        },
    }
}

fn put(
    inline: &Inline<'_>,
    action: ChangeAction,
    before: Option<JsonText>,
    wanted: &Written,
    reason: &str,
    draft: &mut Draft<'_>,
) {
    let change = Change {
        before,
        after: Some(wanted.text.clone()),
        ..inline.change(action, reason)
    };
    let write = Write::PutInlinePolicy {
        role: inline.key.name.clone(),
        policy: inline.policy.clone(),
        document: wanted.text.clone(),
    };
    let change = draft.write(change, Rank::Policy, write);
    draft.puts.push(Put {
        role: inline.key.clone(),
        policy: inline.policy.clone(),
        characters: wanted.characters,
        change,
    });
}

fn delete(inline: &Inline<'_>, text: &str, draft: &mut Draft<'_>) {
    let policy = inline.policy.as_str().to_owned();
    draft.deleted.insert((inline.key.clone(), policy.clone()));
    let change = Change {
        before: Some(JsonText::read(text)),
        ..inline.change(ChangeAction::Delete, "no gate needs the policy any more")
    };
    let write = Write::DeleteInlinePolicy {
        role: inline.key.name.clone(),
        policy,
    };
    draft.write(change, Rank::Policy, write);
}

fn unreadable(inline: &Inline<'_>, why: &str, draft: &mut Draft<'_>) {
    let RoleKey { account, name } = inline.key;
    let policy = &inline.policy;
    draft.problem(Problem {
        code: "policy_unreadable",
        severity: Severity::Incomplete,
        account: Some(account.clone()),
        gates: (inline.gates)(),
        message: format!(
            "policy {policy} on role {name} in account {account} could not be understood: {why}"
        ),
        hint: Some(
            "delete the policy in IAM and run `crossgate bootstrap`: it is made anew".to_owned(),
        ),
    });
}

impl Inline<'_> {
    fn change(&self, action: ChangeAction, reason: &str) -> Change {
        let at = (self.key, self.account_id);
        let kind = ChangeKind::IamInlinePolicy;
        iam_change(at, kind, action, reason, (self.gates)()).of_policy(self.policy.as_str())
    }
}

/// A change of something on a role; the resource is the role.
pub(super) fn iam_change(
    (key, account_id): (&RoleKey, &AccountId),
    kind: ChangeKind,
    action: ChangeAction,
    reason: &str,
    gates: Vec<GateName>,
) -> Change {
    Change {
        id: format!("{}/{account_id}/{}", kind.as_str(), key.name),
        account: key.account.clone(),
        account_id: account_id.clone(),
        region: None,
        kind,
        resource: key.name.to_string(),
        action,
        gates,
        reason: reason.to_owned(),
        before: None,
        after: None,
        held: None,
    }
}

impl Change {
    /// The same of a policy on the role.
    pub(super) fn of_policy(mut self, policy: &str) -> Self {
        for name in [&mut self.id, &mut self.resource] {
            name.reserve_exact(policy.len() + 1);
            name.push('/');
            name.push_str(policy);
        }
        self
    }
}

/// The names of gates, sorted, each once.
pub(super) fn names<'g, 'a: 'g>(gates: impl Iterator<Item = &'g JoinedGate<'a>>) -> Vec<GateName> {
    let mut names: Vec<GateName> = gates.map(|g| g.gate.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What is granted too little and too much, in words; the first of each, and how many more.
pub(super) fn describe(difference: &Difference) -> String {
    let Difference { more, less } = difference;
    let list = |label: &str, atoms: &[compare::Atom]| {
        let first = atoms.first()?;
        let rest = match atoms.len() - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        Some(format!("{label}: {first}{rest}"))
    };
    // `more` is what the wanted document grants beyond the one found: what is missing now.
    [list("too little", more), list("too much", less)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}
