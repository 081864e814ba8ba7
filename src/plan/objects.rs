//! The objects that the selected gates consist of, and whether each was seen: what a report lists beside the changes.
//! It compares nothing and plans nothing; that an object is not as it shall be is a change.

use std::collections::BTreeMap;

use crate::model::account::{AccountId, AccountName};
use crate::model::change::{ChangeKind, Intent};
use crate::model::failure::CloudError;
use crate::model::name::{GateName, PolicyName};
use crate::model::object::{Looked, Object};
use crate::model::observed::{Observed, Seen};
use crate::model::read::Read;
use crate::model::wiring::{Gate, PipelineKey, RoleKey, Wiring};

use super::artifacts;
use super::execution;
use super::grants::names;
use super::join::{Joined, JoinedGate};

/// Lists the objects, sorted by account, then in the order of design.md's table, then by name; each once.
pub fn objects(wiring: &Wiring, observed: &Observed, intent: Intent) -> Vec<Object> {
    let joined = Joined::new(wiring, observed, intent);
    let mut objects = Vec::new();
    invoke_roles(&joined, &mut objects);
    made_functions(&joined, &mut objects);
    execution_roles(&joined, &mut objects);
    service_roles(&joined, &mut objects);
    artifact_stores(&joined, &mut objects);
    objects.extend(joined.selected().map(|gate| action(&joined, gate)));
    objects.sort_by(|a, b| {
        fn key(object: &Object) -> impl Ord + '_ {
            (&object.account, object.kind, &object.resource)
        }
        key(a).cmp(&key(b))
    });
    objects
}

fn invoke_roles(joined: &Joined<'_>, objects: &mut Vec<Object>) {
    for (key, gates) in joined.by_invoke_role() {
        let Some(account_id) = gates.first().map(|g| g.function_account) else {
            continue;
        };
        let role = RoleObject {
            key: &key,
            account_id,
            gates: held(&gates),
        };
        let policy = joined.wiring.invoke_policy();
        let artifacts = joined.wiring.artifacts_policy();
        let own = [policy.clone(), artifacts.clone()];
        objects.push(role.itself(role_looked(joined, &key, &own)));
        objects.push(role.policy(&policy, policy_looked(joined, &key, &policy)));
        let has_artifacts = |g: &&JoinedGate<'_>| g.artifacts.is_some();
        if gates.iter().any(has_artifacts) || is_there(joined, &key, &artifacts) {
            objects.push(role.policy(&artifacts, policy_looked(joined, &key, &artifacts)));
        }
    }
}

fn is_there(joined: &Joined<'_>, key: &RoleKey, policy: &PolicyName) -> bool {
    matches!(
        joined.observed.inline_policy(key, policy.as_str()),
        Seen::Present(_)
    )
}

/// The policies of buckets and keys in which statements of ours stand or shall stand.
fn artifact_stores(joined: &Joined<'_>, objects: &mut Vec<Object>) {
    for (holder, gates) in artifacts::by_holder(joined) {
        let (account, region) = (holder.account(), holder.region());
        let Some(account_id) = joined.wiring.account_id(account) else {
            continue;
        };
        if !artifacts::is_ours(joined, &holder, &gates) {
            continue;
        }
        let looked = match joined.observed.resource_policy(&holder) {
            Seen::NotRead => match unusable(joined, account) {
                Some(reason) => Looked::NotLooked(reason),
                None => not_asked(),
            },
            Seen::Unreadable(error) => unreadable(error),
            Seen::Absent | Seen::Present(_) => Looked::Seen,
        };
        objects.push(Object {
            account: account.clone(),
            account_id: account_id.clone(),
            region: Some(region.clone()),
            kind: artifacts::kind(&holder),
            resource: holder.name().to_owned(),
            gates: held(&gates),
            looked,
        });
    }
}

/// The functions that the manifest makes; others are not crossgate's.
fn made_functions(joined: &Joined<'_>, objects: &mut Vec<Object>) {
    for (key, gates) in joined.by_made_function() {
        let Some(account_id) = gates.first().map(|g| g.function_account) else {
            continue;
        };
        let looked = match joined.observed.function(&key) {
            Seen::NotRead => match unusable(joined, &key.account) {
                Some(reason) => Looked::NotLooked(reason),
                None => not_asked(),
            },
            Seen::Unreadable(error) => unreadable(error),
            Seen::Absent | Seen::Present(_) => Looked::Seen,
        };
        objects.push(Object {
            account: key.account.clone(),
            account_id: account_id.clone(),
            region: Some(key.region.clone()),
            kind: ChangeKind::LambdaFunction,
            resource: key.name.to_string(),
            gates: held(&gates),
            looked,
        });
    }
}

fn execution_roles(joined: &Joined<'_>, objects: &mut Vec<Object>) {
    let policy = joined.wiring.callback_policy();
    for (key, gates) in joined.by_execution_role() {
        let Some(account_id) = gates.first().map(|g| g.function_account) else {
            continue;
        };
        let role = RoleObject {
            key: &key,
            account_id,
            gates: held(&gates),
        };
        objects.push(role.policy(&policy, policy_looked(joined, &key, &policy)));
        if execution::is_made(&gates) {
            let logs = joined.wiring.logs_policy();
            let own = [policy.clone(), logs.clone()];
            objects.push(role.itself(role_looked(joined, &key, &own)));
            objects.push(role.policy(&logs, policy_looked(joined, &key, &logs)));
        }
    }
    let unknown = joined.selected().filter(|g| g.execution_role.is_none());
    let mut functions = BTreeMap::new();
    for gate in unknown {
        let gates: &mut Vec<_> = functions.entry(&gate.gate.function).or_default();
        gates.push(gate);
    }
    for (key, gates) in functions {
        let Some(account_id) = gates.first().map(|g| g.function_account) else {
            continue;
        };
        let function = format!("function {}", key.name);
        let looked = end_looked(
            joined,
            &key.account,
            &joined.observed.function(key),
            &function,
        );
        let owner = format!("the execution role of {function}");
        objects.push(of_unknown_role(
            (&key.account, account_id),
            &owner,
            &policy,
            names(gates.into_iter()),
            looked,
        ));
    }
}

fn service_roles(joined: &Joined<'_>, objects: &mut Vec<Object>) {
    let policy = joined.wiring.assume_policy();
    for (key, gates) in joined.by_service_role() {
        let Some(account_id) = gates.first().map(|g| g.pipeline_account) else {
            continue;
        };
        let role = RoleObject {
            key: &key,
            account_id,
            gates: held(&gates),
        };
        objects.push(role.policy(&policy, policy_looked(joined, &key, &policy)));
    }
    let unknown = joined.selected().filter(|g| g.service_role.is_none());
    let mut pipelines = BTreeMap::new();
    for gate in unknown {
        let gates: &mut Vec<_> = pipelines.entry(&gate.gate.pipeline).or_default();
        gates.push(gate);
    }
    for (key, gates) in pipelines {
        let Some(account_id) = gates.first().map(|g| g.pipeline_account) else {
            continue;
        };
        let owner = format!("the service role of pipeline {}", key.name);
        objects.push(of_unknown_role(
            (&key.account, account_id),
            &owner,
            &policy,
            names(gates.into_iter()),
            pipeline_looked(joined, key),
        ));
    }
}

fn action(joined: &Joined<'_>, gate: &JoinedGate<'_>) -> Object {
    let Gate {
        name,
        pipeline,
        action,
        function: _,
        role: _,
        manage_artifacts: _,
    } = gate.gate;
    let looked = match pipeline_looked(joined, pipeline) {
        // Without its service role no document is made from a pipeline, so its actions are not compared either.
        Looked::Seen if gate.service_role.is_none() => {
            Looked::NotLooked("the pipeline's service role is not one of its account".to_owned())
        }
        looked => looked,
    };
    Object {
        account: pipeline.account.clone(),
        account_id: gate.pipeline_account.clone(),
        region: Some(pipeline.region.clone()),
        kind: ChangeKind::PipelineAction,
        resource: format!("{}/{}/{}", pipeline.name, action.stage, action.name),
        gates: vec![name.clone()],
        looked,
    }
}

/// A role with the gates that need it.
struct RoleObject<'k> {
    key: &'k RoleKey,
    account_id: &'k AccountId,
    gates: Vec<GateName>,
}

impl RoleObject<'_> {
    fn itself(&self, looked: Looked) -> Object {
        Object {
            account: self.key.account.clone(),
            account_id: self.account_id.clone(),
            region: None,
            kind: ChangeKind::IamRole,
            resource: self.key.name.to_string(),
            gates: self.gates.clone(),
            looked,
        }
    }

    fn policy(&self, policy: &PolicyName, looked: Looked) -> Object {
        Object {
            kind: ChangeKind::IamInlinePolicy,
            resource: format!("{}/{policy}", self.key.name),
            ..self.itself(looked)
        }
    }
}

/// The policy on a role that could not be found out: it cannot be named as a change would name it.
fn of_unknown_role(
    (account, account_id): (&AccountName, &AccountId),
    owner: &str,
    policy: &PolicyName,
    gates: Vec<GateName>,
    looked: Looked,
) -> Object {
    Object {
        account: account.clone(),
        account_id: account_id.clone(),
        region: None,
        kind: ChangeKind::IamInlinePolicy,
        resource: format!("{owner}/{policy}"),
        gates,
        looked: match looked {
            Looked::Seen => Looked::NotLooked(format!("{owner} is not known")),
            looked => looked,
        },
    }
}

/// The gates that a change of the object would be about.
fn held(gates: &[&JoinedGate<'_>]) -> Vec<GateName> {
    names(gates.iter().copied().filter(|g| g.selected || g.stays()))
}

/// Every read of the role counts, but for the policies that are objects of their own.
fn role_looked(joined: &Joined<'_>, key: &RoleKey, policies: &[PolicyName]) -> Looked {
    if let Some(reason) = unusable(joined, &key.account) {
        return Looked::NotLooked(reason);
    }
    let is_own = |read: &Read| {
        let mut own = policies.iter().map(|p| key.inline_policy(p.as_str()));
        own.any(|own| own == *read)
    };
    let mut failures = joined.observed.failures(&key.account);
    let failed = failures.find(|(read, _)| read.role() == Some(&key.name) && !is_own(read));
    match (failed, joined.observed.role(key)) {
        (Some((_, error)), _) | (None, Seen::Unreadable(error)) => unreadable(error),
        (None, Seen::NotRead) => not_asked(),
        (None, Seen::Absent | Seen::Present(_)) => Looked::Seen,
    }
}

fn policy_looked(joined: &Joined<'_>, key: &RoleKey, policy: &PolicyName) -> Looked {
    if let Some(reason) = unusable(joined, &key.account) {
        return Looked::NotLooked(reason);
    }
    match joined.observed.inline_policy(key, policy.as_str()) {
        // A role that is not there has no policy.
        Seen::NotRead if joined.observed.role_is_gone(key) => Looked::Seen,
        Seen::NotRead => not_asked(),
        Seen::Unreadable(error) => unreadable(error),
        Seen::Absent | Seen::Present(_) => Looked::Seen,
    }
}

fn pipeline_looked(joined: &Joined<'_>, key: &PipelineKey) -> Looked {
    let what = format!("pipeline {}", key.name);
    end_looked(joined, &key.account, &joined.observed.pipeline(key), &what)
}

/// What is known of a pipeline or a function that an object hangs on.
fn end_looked<T>(
    joined: &Joined<'_>,
    account: &AccountName,
    seen: &Seen<'_, T>,
    what: &str,
) -> Looked {
    if let Some(reason) = unusable(joined, account) {
        return Looked::NotLooked(reason);
    }
    match seen {
        Seen::NotRead => not_asked(),
        Seen::Unreadable(error) => unreadable(error),
        Seen::Absent => Looked::NotLooked(format!("there is no {what} in account {account}")),
        Seen::Present(_) => Looked::Seen,
    }
}

/// Why nothing of an account counts, where nothing does.
fn unusable(joined: &Joined<'_>, account: &AccountName) -> Option<String> {
    if joined.is_usable(account) {
        return None;
    }
    Some(match joined.observed.caller(account) {
        Seen::Present(caller) => {
            let id = &caller.account;
            format!("the credentials of account {account} are of account {id}")
        }
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => {
            format!("account {account} could not be reached")
        }
    })
}

fn unreadable(error: &CloudError) -> Looked {
    Looked::Unreadable(error.to_string())
}

fn not_asked() -> Looked {
    Looked::NotLooked("it was not asked for, because of what could not be read before".to_owned())
}

#[cfg(test)]
mod tests;
