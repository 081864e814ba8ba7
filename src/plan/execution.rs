//! The execution roles of functions that the manifest makes: made too, or there and of use to Lambda.
//! The callback policy on them is `grants`', as on every execution role. A role that was made is ours by its tag; what somebody
//! adds to it (a function needs more rights than to answer) is neither drift nor touched, and keeps a teardown from deleting it.

use crate::iam::compare;
use crate::iam::documents::{execution_trust, logs_policy};
use crate::iam::hops::lambda_may_assume;
use crate::model::account::AccountId;
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::chain::Answer;
use crate::model::change::{Change, ChangeAction, ChangeKind, Intent, Problem, Severity};
use crate::model::function::ExecutionRole;
use crate::model::json_text::JsonText;
use crate::model::name::{GateName, RolePath};
use crate::model::observed::Seen;
use crate::model::policy::PolicyDocument;
use crate::model::read::Role;
use crate::model::wiring::RoleKey;
use crate::model::write::{NewRole, Write};

use super::Options;
use super::draft::{Draft, Rank};
use super::functions;
use super::grants::{self, Inline};
use super::join::{Joined, JoinedGate};
use super::roles::{self, Ownership, PROJECT_TAG, ownership};
use super::unexpected::Place;
use super::written::{ShownRole, Written};

/// A made role with the gates whose functions run as it.
struct Subject<'s, 'a> {
    key: &'s RoleKey,
    account_id: &'a AccountId,
    gates: &'s [&'s JoinedGate<'a>],
}

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    for (key, gates) in joined.by_execution_role() {
        let Some(first) = gates.first() else { continue };
        let subject = Subject {
            key: &key,
            account_id: first.function_account,
            gates: &gates,
        };
        if is_made(&gates) {
            subject.made(joined, options, draft);
        } else if options.intent == Intent::Bootstrap {
            subject.named(joined, draft);
        } else {
            subject.left(joined, draft);
        }
    }
}

/// The other projects whose gates use the functions of a made role: their callback policies stand on it.
pub(super) fn others<'a>(joined: &Joined<'a>, key: &RoleKey) -> Vec<&'a str> {
    let Seen::Present(names) = joined.observed.inline_policy_names(key) else {
        return Vec::new();
    };
    let project = joined.wiring.project.as_str();
    let of = |name: &'a String| name.strip_prefix("crossgate-")?.strip_suffix("-callback");
    names
        .iter()
        .filter_map(of)
        .filter(|other| *other != project)
        .collect()
}

/// True where the manifest makes the role of these gates' functions.
pub(super) fn is_made(gates: &[&JoinedGate<'_>]) -> bool {
    let is_made = |g: &&JoinedGate<'_>| {
        g.made
            .is_some_and(|spec| matches!(spec.role, ExecutionRole::Made(_)))
    };
    gates.iter().any(is_made)
}

/// True where nothing keeps the policies of a made role from being ours: the role is not there yet, or has our tag, and no
/// function that is somebody else's by now runs as it.
pub(super) fn is_ours(joined: &Joined<'_>, key: &RoleKey, gates: &[&JoinedGate<'_>]) -> bool {
    let lent = gates.iter().any(|g| functions::is_lent(joined, g));
    match joined.observed.role(key) {
        Seen::Absent => true,
        Seen::Present(role) => is_own(joined, role) && !lent,
        Seen::NotRead | Seen::Unreadable(_) => false,
    }
}

fn is_own(joined: &Joined<'_>, role: &Role) -> bool {
    ownership(joined.wiring, role) == Ownership::Ours && role.arn.path == RolePath::default()
}

impl Subject<'_, '_> {
    fn made(&self, joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
        match (joined.observed.role(self.key), options.intent) {
            (Seen::NotRead | Seen::Unreadable(_), _) | (Seen::Absent, Intent::Teardown) => {}
            (Seen::Absent, Intent::Bootstrap) => {
                self.create(joined, draft);
                self.logs(joined, draft);
            }
            (Seen::Present(role), intent) if !is_own(joined, role) => self.conflict(intent, draft),
            (Seen::Present(role), Intent::Bootstrap) => {
                self.trust(role, draft);
                self.logs(joined, draft);
            }
            (Seen::Present(_), Intent::Teardown) if !is_ours(joined, self.key, self.gates) => {}
            (Seen::Present(role), Intent::Teardown) => {
                let is_free = options.remove_unexpected || others(joined, self.key).is_empty();
                // For a gate that is awaited nothing is written: the bootstrap that wires it sets the policy right.
                if is_free && !self.gates.iter().any(|g| g.is_awaited()) {
                    self.logs(joined, draft);
                }
                if !self.gates.iter().any(|g| g.holds()) {
                    self.remove(joined, options, role, draft);
                }
            }
        }
    }

    fn create(&self, joined: &Joined<'_>, draft: &mut Draft<'_>) {
        let trust = Written::of(execution_trust());
        let project = joined.wiring.project.to_string();
        let tags = [(PROJECT_TAG.to_owned(), project)].into();
        let change = Change {
            after: Some(JsonText::of(&ShownRole {
                path: "/",
                trust_policy: &*trust.document,
                permissions_boundary: None,
                tags: &tags,
            })),
            ..self.change(
                ChangeKind::IamRole,
                ChangeAction::Create,
                "the function's execution role is missing",
            )
        };
        let new = NewRole {
            name: self.key.name.clone(),
            path: RolePath::default(),
            trust: trust.text,
            permissions_boundary: None,
            tags,
            description: format!(
                "Lets a gate function answer its pipeline. Made by crossgate, project {}.",
                joined.wiring.project
            ),
        };
        draft.write(change, Rank::Role, Write::CreateRole(Box::new(new)));
    }

    fn trust(&self, role: &Role, draft: &mut Draft<'_>) {
        let wanted = execution_trust();
        let found = match PolicyDocument::parse(&role.trust) {
            Ok(found) => found,
            Err(why) => return self.unreadable(&why.to_string(), draft),
        };
        let difference = compare::difference(&found, &wanted);
        if difference.is_empty() {
            return;
        }
        let reason = format!("the role trusts {}", grants::describe(&difference));
        let document = JsonText::of(&wanted);
        let change = Change {
            before: Some(JsonText::read(&role.trust)),
            after: Some(document.clone()),
            ..self.change(ChangeKind::IamTrustPolicy, ChangeAction::Update, &reason)
        };
        let write = Write::UpdateTrustPolicy {
            role: self.key.name.clone(),
            document,
        };
        draft.write(change, Rank::RoleSettings, write);
    }

    /// The policy with which the functions that stay write their logs.
    fn logs(&self, joined: &Joined<'_>, draft: &mut Draft<'_>) {
        let functions: Vec<FunctionArn> = self
            .gates
            .iter()
            .filter(|g| g.stays() && g.made.is_some())
            .map(|g| g.function_arn.clone())
            .collect();
        let inline = Inline {
            key: self.key,
            account_id: self.account_id,
            policy: joined.policies.logs.clone(),
            wanted: (!functions.is_empty()).then(|| Written::of(logs_policy(&functions))),
            gates: &|| self.names(),
        };
        grants::inline(joined, &inline, draft);
    }

    fn remove(&self, joined: &Joined<'_>, options: &Options, role: &Role, draft: &mut Draft<'_>) {
        let place = Place {
            key: self.key,
            account_id: self.account_id,
            ours: vec![
                joined.policies.callback.clone(),
                joined.policies.logs.clone(),
            ],
            gates: &|| self.names(),
        };
        let reason = "no function needs the execution role any more";
        roles::remove(joined, options, &place, (role, reason), draft);
    }

    fn conflict(&self, intent: Intent, draft: &mut Draft<'_>) {
        let RoleKey { account, name } = self.key;
        let (severity, left) = match intent {
            Intent::Bootstrap => (Severity::Blocked, ""),
            Intent::Teardown => (Severity::Warning, "; it stays"),
        };
        let message = format!(
            "the execution role {name} in account {account} is there and not this project's own: it has another path, or not the \
             tag `{PROJECT_TAG}` alone{left}"
        );
        let hint = "name a role that is there with `role` in [gates.function], or remove this one (if crossgate made it and the \
                    tag was lost, set it again)";
        self.problem("role_conflict", severity, message, Some(hint), draft);
    }

    /// A role that the manifest names must be there, and Lambda must be able to take it.
    fn named(&self, joined: &Joined<'_>, draft: &mut Draft<'_>) {
        let maker = self.gates.iter().find(|g| g.made.is_some());
        let Some((maker, wanted)) = maker.and_then(|g| Some((g, g.execution_role.as_ref()?)))
        else {
            return;
        };
        // That it is not there `grants` says of every execution role.
        let Seen::Present(role) = joined.observed.role(self.key) else {
            return;
        };
        if role.arn != *wanted {
            return self.other_arn(wanted, &role.arn, draft);
        }
        let (answer, reason) = lambda_may_assume(wanted, &role.trust, &maker.function_arn);
        match answer {
            Answer::Allowed | Answer::NotProven => {}
            Answer::ImplicitlyDenied | Answer::ExplicitlyDenied => {
                let RoleKey { account, name } = self.key;
                let message = format!(
                    "Lambda cannot assume the execution role {name} in account {account}: {reason}"
                );
                let hint = "let its trust policy allow sts:AssumeRole to the service lambda.amazonaws.com, or name another `role` \
                            in [gates.function]";
                let code = "execution_role_not_assumable";
                self.problem(code, Severity::Blocked, message, Some(hint), draft);
            }
        }
    }

    /// A function that crossgate made, by the name of its role, and that the manifest does not make any more: nobody has asked to
    /// remove it, and nobody else will think of it.
    fn left(&self, joined: &Joined<'_>, draft: &mut Draft<'_>) {
        let RoleKey { account, name } = self.key;
        let left = self.gates.iter().find(|g| {
            g.selected
                && g.made.is_none()
                && joined.wiring.made_role(&g.gate.function.name) == name.as_str()
        });
        let Some(gate) = left else { return };
        let message = format!(
            "{} and its execution role {name} in account {account} stay: crossgate made them, and the manifest has no `source` for \
             the function any more",
            gate.gate.function
        );
        let hint = "to remove them too, write `source` again and run `crossgate teardown`, or remove both by hand";
        self.problem(
            "function_left",
            Severity::Warning,
            message,
            Some(hint),
            draft,
        );
    }

    fn other_arn(&self, wanted: &RoleArn, found: &RoleArn, draft: &mut Draft<'_>) {
        let message = format!("the manifest names the execution role {wanted}; it is {found}");
        let hint = "correct `role` in [gates.function]";
        let code = "execution_role_not_found";
        self.problem(code, Severity::Blocked, message, Some(hint), draft);
    }

    fn unreadable(&self, why: &str, draft: &mut Draft<'_>) {
        let RoleKey { account, name } = self.key;
        let message = format!(
            "the trust policy of role {name} in account {account} could not be understood: {why}"
        );
        let hint = "mend the trust policy in IAM; crossgate does not overwrite what it cannot read";
        let code = "policy_unreadable";
        self.problem(code, Severity::Incomplete, message, Some(hint), draft);
    }

    fn problem(
        &self,
        code: &'static str,
        severity: Severity,
        message: String,
        hint: Option<&str>,
        draft: &mut Draft<'_>,
    ) {
        draft.problem(Problem {
            code,
            severity,
            account: Some(self.key.account.clone()),
            gates: self.names(),
            message,
            hint: hint.map(str::to_owned),
        });
    }

    /// The gates that a change is about: the selected ones and those that go on holding the role.
    fn names(&self) -> Vec<GateName> {
        let about = |g: &&JoinedGate<'_>| g.selected || g.holds();
        grants::names(self.gates.iter().copied().filter(about))
    }

    fn change(&self, kind: ChangeKind, action: ChangeAction, reason: &str) -> Change {
        let at = (self.key, self.account_id);
        grants::iam_change(at, kind, action, reason, self.names())
    }
}
