//! The invoke role: made, kept as the manifest wants it, adopted, given back, removed.
//! Only roles that carry the project's tags are ours; what is not ours is a conflict, or adopted on request.

use std::collections::BTreeMap;

use crate::iam::compare;
use crate::model::account::AccountId;
use crate::model::change::{Change, ChangeAction, ChangeKind, Intent, Problem, Severity};
use crate::model::json_text::JsonText;
use crate::model::name::{GateName, PolicyName};
use crate::model::observed::Seen;
use crate::model::policy::{PolicyDocument, Statement};
use crate::model::read::Role;
use crate::model::wiring::{InvokeRole, RoleKey, Trust, Wiring};
use crate::model::write::{NewRole, Write};

use super::Options;
use super::draft::{Draft, Rank};
use super::grants::{self, Inline};
use super::join::{Joined, JoinedGate};
use super::unexpected::{self, Place};
use super::written::{ShownRole, Written};
use super::{artifacts, limits, trust};

/// The tag that marks a role as the project's.
pub(super) const PROJECT_TAG: &str = "crossgate:project";
/// The tag that marks a role as adopted: ours only as far as our statement, our policy and our tags go.
pub(super) const ADOPTED_TAG: &str = "crossgate:adopted";

/// Whose a role is, by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ownership {
    /// Made by this project.
    Ours,
    /// Somebody's, adopted by this project; the form of its trust policy before.
    Adopted(String),
    /// Another project's.
    OtherProject(String),
    /// Somebody's.
    Foreign,
}

pub(super) fn ownership(wiring: &Wiring, role: &Role) -> Ownership {
    match (role.tags.get(PROJECT_TAG), role.tags.get(ADOPTED_TAG)) {
        (None, _) => Ownership::Foreign,
        (Some(project), _) if project != wiring.project.as_str() => {
            Ownership::OtherProject(project.clone())
        }
        (Some(_), Some(form)) => Ownership::Adopted(form.clone()),
        (Some(_), None) => Ownership::Ours,
    }
}

/// A role with the gates that use it.
struct Subject<'s, 'a> {
    key: &'s RoleKey,
    account_id: &'a AccountId,
    spec: &'a InvokeRole,
    /// The gates that shall hold the role after the run.
    holders: Vec<&'s JoinedGate<'a>>,
    /// The selected gates.
    selected: Vec<&'s JoinedGate<'a>>,
}

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    for (key, gates) in joined.by_invoke_role() {
        let Some(first) = gates.first() else { continue };
        // A role that an awaited gate names stays as it is: the bootstrap that wires the gate sets it right.
        if !joined.is_usable(&key.account) || gates.iter().any(|g| g.is_awaited()) {
            continue;
        }
        let of = |keep: fn(&JoinedGate<'_>) -> bool| -> Vec<_> {
            gates.iter().copied().filter(|g| keep(g)).collect()
        };
        let subject = Subject {
            key: &key,
            account_id: first.function_account,
            spec: &first.gate.role,
            holders: of(|g: &JoinedGate<'_>| g.stays()),
            selected: of(|g| g.selected),
        };
        match joined.observed.role(&key) {
            Seen::NotRead | Seen::Unreadable(_) => {}
            Seen::Absent => absent(joined, options, &subject, draft),
            Seen::Present(role) => present(joined, options, &subject, role, draft),
        }
    }
}

fn absent(
    joined: &Joined<'_>,
    options: &Options,
    subject: &Subject<'_, '_>,
    draft: &mut Draft<'_>,
) {
    if options.intent == Intent::Teardown {
        return;
    }
    let Some(trust) = joined.trust(&subject.holders) else {
        return;
    };
    if !trust_fits(subject, trust.characters, "", draft) {
        return;
    }
    let tags = wanted_tags(joined.wiring, subject.spec);
    let after = JsonText::of(&ShownRole {
        path: subject.spec.path.as_str(),
        trust_policy: &*trust.document,
        permissions_boundary: subject.spec.permissions_boundary.as_deref(),
        tags: &tags,
    });
    let change = Change {
        after: Some(after),
        ..subject.change(
            ChangeKind::IamRole,
            ChangeAction::Create,
            "the role is missing",
        )
    };
    let new = NewRole {
        name: subject.key.name.clone(),
        path: subject.spec.path.clone(),
        trust: trust.text,
        permissions_boundary: subject.spec.permissions_boundary.clone(),
        tags,
        description: format!(
            "Lets a pipeline invoke its gate function. Made by crossgate, project {}.",
            joined.wiring.project
        ),
    };
    draft.write(change, Rank::Role, Write::CreateRole(Box::new(new)));
    own_policy(joined, subject, draft);
}

fn present(
    joined: &Joined<'_>,
    options: &Options,
    subject: &Subject<'_, '_>,
    role: &Role,
    draft: &mut Draft<'_>,
) {
    let owner = ownership(joined.wiring, role);
    // A teardown needs the path too: with another one it would not know the action by its roleArn, and take the role away
    // from under it.
    let is_held = matches!(owner, Ownership::Ours | Ownership::Adopted(_));
    if role.arn.path != subject.spec.path && (options.intent == Intent::Bootstrap || is_held) {
        return other_path(subject, role, draft);
    }
    match options.intent {
        Intent::Bootstrap => match owner {
            Ownership::Ours => {
                keep_ours(joined, options, subject, role, draft);
                own_policy(joined, subject, draft);
            }
            Ownership::Adopted(_) => {
                if keep_adopted(joined, subject, role, draft) {
                    own_policy(joined, subject, draft);
                }
            }
            Ownership::Foreign if options.adopt => {
                if keep_adopted(joined, subject, role, draft) {
                    adopt(joined, subject, role, draft);
                    own_policy(joined, subject, draft);
                }
            }
            Ownership::Foreign => conflict(subject, draft),
            Ownership::OtherProject(project) => {
                other_project(subject, &project, Severity::Blocked, draft);
            }
        },
        Intent::Teardown if !subject.holders.is_empty() => {
            match owner {
                Ownership::Ours => trust_of_ours(joined, subject, role, draft),
                Ownership::Adopted(_) => {
                    keep_adopted(joined, subject, role, draft);
                }
                Ownership::OtherProject(_) | Ownership::Foreign => {}
            }
            own_policy(joined, subject, draft);
        }
        Intent::Teardown => {
            own_policy(joined, subject, draft);
            match owner {
                Ownership::Ours => {
                    let gates = || subject.gates();
                    let place = subject.place(own_names(joined, subject.key), &gates);
                    remove(joined, options, &place, (role, UNNEEDED), draft);
                }
                Ownership::Adopted(form) => give_back(joined, subject, role, &form, draft),
                // Not ours by its tags: only our policy goes, which is ours by its name.
                Ownership::OtherProject(project) => {
                    other_project(subject, &project, Severity::Warning, draft);
                }
                Ownership::Foreign => foreign_stays(subject, draft),
            }
        }
    }
}

fn foreign_stays(subject: &Subject<'_, '_>, draft: &mut Draft<'_>) {
    let RoleKey { account, name } = subject.key;
    draft.problem(Problem {
        code: "role_conflict",
        severity: Severity::Warning,
        account: Some(account.clone()),
        gates: subject.gates(),
        message: format!(
            "role {name} in account {account} has no tag `{PROJECT_TAG}`, so it is not this project's; it and the actions that \
             use it stay"
        ),
        hint: Some(format!(
            "if crossgate made it and the tag was lost, set `{PROJECT_TAG}` again and run the teardown once more"
        )),
    });
}

fn other_path(subject: &Subject<'_, '_>, role: &Role, draft: &mut Draft<'_>) {
    let (found, wanted) = (&role.arn.path, &subject.spec.path);
    let message = format!(
        "role {} in account {} has the path {found}, the manifest says {wanted}; IAM cannot move a role",
        subject.key.name, subject.key.account
    );
    let hint = format!("set `path = \"{found}\"` in [gates.invoke_role], or choose another `name`");
    subject.blocked("role_path", message, hint, draft);
}

fn conflict(subject: &Subject<'_, '_>, draft: &mut Draft<'_>) {
    let RoleKey { account, name } = subject.key;
    let message = format!(
        "role {name} in account {account} exists and is not this project's: it has no tag `{PROJECT_TAG}`"
    );
    let hint = format!(
        "choose another name in [gates.invoke_role], or run with --adopt: the role keeps its own trust and policies and \
         gets this project's beside them (if crossgate made it and the tag was lost, set the tag `{PROJECT_TAG}` again)"
    );
    subject.blocked("role_conflict", message, hint, draft);
}

/// Blocks a bootstrap; a teardown leaves the role and what stands on it, and says so.
fn other_project(
    subject: &Subject<'_, '_>,
    project: &str,
    severity: Severity,
    draft: &mut Draft<'_>,
) {
    let RoleKey { account, name } = subject.key;
    let left = match severity {
        Severity::Warning => "; it and the actions that use it stay",
        Severity::Blocked | Severity::Incomplete => "",
    };
    draft.problem(Problem {
        code: "role_conflict",
        severity,
        account: Some(account.clone()),
        gates: subject.gates(),
        message: format!(
            "role {name} in account {account} belongs to the crossgate project `{project}`{left}"
        ),
        hint: Some("choose another name in [gates.invoke_role]".to_owned()),
    });
}

/// True where a gate's role is there and not ours: the action that names it is somebody's too.
pub(super) fn is_somebody_elses(joined: &Joined<'_>, gate: &JoinedGate<'_>) -> bool {
    match joined.observed.role(&gate.gate.role_key()) {
        Seen::Present(role) => match ownership(joined.wiring, role) {
            Ownership::OtherProject(_) | Ownership::Foreign => true,
            Ownership::Ours | Ownership::Adopted(_) => false,
        },
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => false,
    }
}

/// A role that we made: trust, tags, boundary and the policies that must not be there.
fn keep_ours(
    joined: &Joined<'_>,
    options: &Options,
    subject: &Subject<'_, '_>,
    role: &Role,
    draft: &mut Draft<'_>,
) {
    trust_of_ours(joined, subject, role, draft);
    tags_of_ours(joined, subject, role, draft);
    boundary(options, subject, role, draft);
    let gates = || subject.gates();
    let place = subject.place(own_names(joined, subject.key), &gates);
    unexpected::plan(joined, options, &place, draft);
}

fn trust_of_ours(
    joined: &Joined<'_>,
    subject: &Subject<'_, '_>,
    role: &Role,
    draft: &mut Draft<'_>,
) {
    let Some(wanted) = joined.trust(&subject.holders) else {
        return;
    };
    if wanted.is(&role.trust) {
        return;
    }
    let found = match PolicyDocument::parse(&role.trust) {
        Ok(found) => found,
        Err(why) => return unreadable_trust(subject, &why.to_string(), draft),
    };
    let difference = compare::difference(&found, &wanted.document);
    if difference.is_empty() || !trust_fits(subject, wanted.characters, &role.trust, draft) {
        return;
    }
    let reason = format!("the role trusts {}", grants::describe(&difference));
    let before = JsonText::read(&role.trust);
    update_trust(subject, before, wanted.text, &reason, draft);
}

fn update_trust(
    subject: &Subject<'_, '_>,
    before: JsonText,
    after: JsonText,
    reason: &str,
    draft: &mut Draft<'_>,
) {
    let write = Write::UpdateTrustPolicy {
        role: subject.key.name.clone(),
        document: after.clone(),
    };
    let change = Change {
        before: Some(before),
        after: Some(after),
        ..subject.change(ChangeKind::IamTrustPolicy, ChangeAction::Update, reason)
    };
    draft.write(change, Rank::RoleSettings, write);
}

fn wanted_tags(wiring: &Wiring, spec: &InvokeRole) -> BTreeMap<String, String> {
    let mut tags = spec.tags.clone();
    tags.insert(PROJECT_TAG.to_owned(), wiring.project.to_string());
    tags
}

/// Tags that somebody added stay: cost and inventory tools tag every role.
fn tags_of_ours(
    joined: &Joined<'_>,
    subject: &Subject<'_, '_>,
    role: &Role,
    draft: &mut Draft<'_>,
) {
    let mut missing = wanted_tags(joined.wiring, subject.spec);
    missing.retain(|key, value| role.tags.get(key) != Some(value));
    if missing.is_empty() {
        return;
    }
    let keys: Vec<&str> = missing.keys().map(String::as_str).collect();
    let reason = format!("tags missing or different: {}", keys.join(", "));
    tag(subject, role, missing.clone(), &reason, draft);
}

fn tag(
    subject: &Subject<'_, '_>,
    role: &Role,
    tags: BTreeMap<String, String>,
    reason: &str,
    draft: &mut Draft<'_>,
) {
    let mut after = role.tags.clone();
    after.extend(tags.clone());
    let change = Change {
        before: Some(JsonText::of(&role.tags)),
        after: Some(JsonText::of(&after)),
        ..subject.change(ChangeKind::IamRoleTags, ChangeAction::Update, reason)
    };
    // The tag comes first of all: a run that is stopped behind it finds the role as ours again.
    let write = Write::TagRole {
        role: subject.key.name.clone(),
        tags,
    };
    draft.write(change, Rank::Role, write);
}

/// A boundary that the manifest does not name is drift, but it may be somebody's guard rail: like a policy that is not ours it
/// is taken off only when that is asked for.
fn boundary(options: &Options, subject: &Subject<'_, '_>, role: &Role, draft: &mut Draft<'_>) {
    let role_name = subject.key.name.clone();
    let (before, after) = (
        &role.permissions_boundary,
        &subject.spec.permissions_boundary,
    );
    let (action, reason, write) = match (before, after) {
        (None, None) => return,
        (Some(found), Some(wanted)) if found == wanted => return,
        (found, Some(wanted)) => {
            let write = Write::PutPermissionsBoundary {
                role: role_name,
                policy_arn: wanted.clone(),
            };
            match found {
                Some(_) => (ChangeAction::Update, "another boundary is set", write),
                None => (ChangeAction::Create, "the boundary is missing", write),
            }
        }
        (Some(_), None) => (
            ChangeAction::Delete,
            "a boundary is set that the manifest does not name",
            Write::DeletePermissionsBoundary { role: role_name },
        ),
    };
    let change = Change {
        before: before.as_ref().map(JsonText::of),
        after: after.as_ref().map(JsonText::of),
        ..subject.change(ChangeKind::IamPermissionsBoundary, action, reason)
    };
    if action == ChangeAction::Delete && !options.remove_unexpected {
        draft.held(Change {
            held: Some(unexpected::ONLY_WHEN_ASKED.to_owned()),
            ..change
        });
    } else {
        draft.write(change, Rank::RoleSettings, write);
    }
}

/// The policies of ours that have a place on the role: the others' names belong on roles that functions and pipelines run as, and
/// excuse nothing here unless this role is one of those too.
fn own_names(joined: &Joined<'_>, key: &RoleKey) -> Vec<PolicyName> {
    let mut names = vec![
        joined.policies.invoke.clone(),
        joined.policies.artifacts.clone(),
    ];
    let executes = joined.is_execution_role(key);
    names.extend(executes.then(|| joined.policies.callback.clone()));
    let serves = joined.is_service_role(key);
    names.extend(serves.then(|| joined.policies.assume.clone()));
    names
}

/// Marks somebody's role as adopted.
fn adopt(joined: &Joined<'_>, subject: &Subject<'_, '_>, role: &Role, draft: &mut Draft<'_>) {
    let Ok(found) = trust::Adopted::parse(joined.wiring, &role.trust) else {
        return;
    };
    let tags = BTreeMap::from([
        (PROJECT_TAG.to_owned(), joined.wiring.project.to_string()),
        (ADOPTED_TAG.to_owned(), found.form().to_owned()),
    ]);
    let reason = "the role is adopted (--adopt): it keeps its own trust and policies";
    tag(subject, role, tags, reason, draft);
}

/// Our statement in an adopted role's trust. False where the trust policy could not be understood.
fn keep_adopted(
    joined: &Joined<'_>,
    subject: &Subject<'_, '_>,
    role: &Role,
    draft: &mut Draft<'_>,
) -> bool {
    let found = match trust::Adopted::parse(joined.wiring, &role.trust) {
        Ok(found) => found,
        Err(why) => {
            unreadable_trust(subject, &why, draft);
            return false;
        }
    };
    let Some(wanted): Option<Statement> = trust::statement(joined.wiring, &subject.holders) else {
        return true;
    };
    if found.holds(&wanted) {
        return true;
    }
    let after = JsonText::from(found.with(&wanted));
    let characters = limits::characters(after.as_str());
    if !trust_fits(subject, characters, &role.trust, draft) {
        return false;
    }
    let reason = if found.has_ours() {
        "this project's statement grants something else than the gates need"
    } else {
        "this project's statement is missing"
    };
    update_trust(subject, JsonText::of(found.raw()), after, reason, draft);
    true
}

/// Gives an adopted role back as it was.
fn give_back(
    joined: &Joined<'_>,
    subject: &Subject<'_, '_>,
    role: &Role,
    form: &str,
    draft: &mut Draft<'_>,
) {
    match trust::Adopted::parse(joined.wiring, &role.trust) {
        Ok(found) if found.has_ours() => {
            let (before, after) = (JsonText::of(found.raw()), found.without(form).into());
            let reason = "this project's statement is taken out again";
            update_trust(subject, before, after, reason, draft);
        }
        Ok(_) => {}
        Err(why) => return unreadable_trust(subject, &why, draft),
    }
    let mut after = role.tags.clone();
    let keys = vec![PROJECT_TAG.to_owned(), ADOPTED_TAG.to_owned()];
    after.retain(|key, _| !keys.contains(key));
    let change = Change {
        before: Some(JsonText::of(&role.tags)),
        after: Some(JsonText::of(&after)),
        ..subject.change(
            ChangeKind::IamRoleTags,
            ChangeAction::Update,
            "the role was adopted and is given back",
        )
    };
    let write = Write::UntagRole {
        role: subject.key.name.clone(),
        keys,
    };
    draft.write(change, Rank::Role, write);
}

/// Takes away a role that no gate has to do with, or gives it back where it was adopted. Our policies on it are the caller's.
pub(super) fn left(
    joined: &Joined<'_>,
    options: &Options,
    (key, account_id): (&RoleKey, &AccountId),
    role: &Role,
    draft: &mut Draft<'_>,
) {
    let spec = InvokeRole {
        name: key.name.clone(),
        path: role.arn.path.clone(),
        permissions_boundary: None,
        tags: BTreeMap::new(),
        trust: Trust::ServiceRole,
        list_functions: true,
    };
    let subject = Subject {
        key,
        account_id,
        spec: &spec,
        holders: Vec::new(),
        selected: Vec::new(),
    };
    let wiring = joined.wiring;
    match ownership(wiring, role) {
        Ownership::Ours => {
            let gates = || subject.gates();
            let place = subject.place(wiring.policies(), &gates);
            remove(joined, options, &place, (role, UNNEEDED), draft);
        }
        Ownership::Adopted(form) => give_back(joined, &subject, role, &form, draft),
        Ownership::OtherProject(_) | Ownership::Foreign => {}
    }
}

const UNNEEDED: &str = "no gate needs the role any more";

/// Removes a role of ours, unless policies are on it that are not `place.ours`.
pub(super) fn remove(
    joined: &Joined<'_>,
    options: &Options,
    place: &Place<'_>,
    (role, reason): (&Role, &str),
    draft: &mut Draft<'_>,
) {
    let staying = unexpected::plan(joined, options, place, draft);
    let Place {
        key,
        account_id,
        ours: _,
        gates,
    } = place;
    let delete = grants::iam_change(
        (key, account_id),
        ChangeKind::IamRole,
        ChangeAction::Delete,
        reason,
        gates(),
    );
    let change = Change {
        before: Some(JsonText::of(&ShownRole {
            path: role.arn.path.as_str(),
            trust_policy: JsonText::read(&role.trust),
            permissions_boundary: role.permissions_boundary.as_deref(),
            tags: &role.tags,
        })),
        ..delete
    };
    if staying == 0 {
        let role = key.name.clone();
        draft.write(change, Rank::Role, Write::DeleteRole { role });
    } else {
        draft.held(Change {
            held: Some(unexpected::in_the_way(staying)),
            ..change
        });
    }
}

/// Our own policies on the role, for all gates that hold it.
fn own_policy(joined: &Joined<'_>, subject: &Subject<'_, '_>, draft: &mut Draft<'_>) {
    functions_policy(joined, subject, draft);
    artifacts_policy(joined, subject, draft);
}

/// To invoke the functions of the gates that hold the role.
fn functions_policy(joined: &Joined<'_>, subject: &Subject<'_, '_>, draft: &mut Draft<'_>) {
    let list_functions = subject.spec.list_functions;
    let inline = Inline {
        key: subject.key,
        account_id: subject.account_id,
        policy: joined.policies.invoke.clone(),
        wanted: joined.invoke_policy(&subject.holders, list_functions),
        gates: &|| subject.gates(),
    };
    grants::inline(joined, &inline, draft);
}

/// To use the artifacts of the gates that hold the role.
fn artifacts_policy(joined: &Joined<'_>, subject: &Subject<'_, '_>, draft: &mut Draft<'_>) {
    if let Ok(wanted) = artifacts::role_policy(&subject.holders) {
        let inline = Inline {
            key: subject.key,
            account_id: subject.account_id,
            policy: joined.policies.artifacts.clone(),
            wanted: wanted.map(Written::of),
            gates: &|| subject.gates(),
        };
        grants::inline(joined, &inline, draft);
    }
}

fn trust_fits(
    subject: &Subject<'_, '_>,
    characters: usize,
    found: &str,
    draft: &mut Draft<'_>,
) -> bool {
    // A policy that is over the default quota already shows that the account's quota was raised.
    let limit = if limits::characters(found) > limits::TRUST_POLICY {
        limits::TRUST_POLICY_RAISED
    } else {
        limits::TRUST_POLICY
    };
    if characters <= limit {
        return true;
    }
    let RoleKey { account, name } = subject.key;
    let message = format!(
        "the trust policy of role {name} in account {account} would have {characters} characters; IAM allows {limit}"
    );
    let hint = "let fewer pipelines share this invoke role ([gates.invoke_role] name)".to_owned();
    subject.blocked("trust_policy_limit", message, hint, draft);
    false
}

fn unreadable_trust(subject: &Subject<'_, '_>, why: &str, draft: &mut Draft<'_>) {
    let RoleKey { account, name } = subject.key;
    draft.problem(Problem {
        code: "policy_unreadable",
        severity: Severity::Incomplete,
        account: Some(account.clone()),
        gates: subject.gates(),
        message: format!(
            "the trust policy of role {name} in account {account} could not be understood: {why}"
        ),
        hint: Some(
            "mend the trust policy in IAM; crossgate does not overwrite what it cannot read"
                .to_owned(),
        ),
    });
}

impl Subject<'_, '_> {
    /// The gates that a change of the role is about: the selected ones and those that go on holding it.
    fn gates(&self) -> Vec<GateName> {
        grants::names(self.selected.iter().chain(&self.holders).copied())
    }

    fn change(&self, kind: ChangeKind, action: ChangeAction, reason: &str) -> Change {
        grants::iam_change(
            (self.key, self.account_id),
            kind,
            action,
            reason,
            self.gates(),
        )
    }

    fn place<'p>(
        &'p self,
        ours: Vec<PolicyName>,
        gates: &'p dyn Fn() -> Vec<GateName>,
    ) -> Place<'p> {
        Place {
            key: self.key,
            account_id: self.account_id,
            ours,
            gates,
        }
    }

    fn blocked(&self, code: &'static str, message: String, hint: String, draft: &mut Draft<'_>) {
        draft.problem(Problem {
            code,
            severity: Severity::Blocked,
            account: Some(self.key.account.clone()),
            gates: self.gates(),
            message,
            hint: Some(hint),
        });
    }
}
