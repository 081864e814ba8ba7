//! From what was read to what the hops are decided on: roles with all their policies, the function with its own.
//! Facts only: a policy that could not be read is given on as such.

use std::collections::BTreeMap;

use crate::iam::evaluate::{Layer, NamedPolicy};
use crate::iam::hops::{Ends, Found, Function, Organization, Own, Party, Role};
use crate::model::account::{AccountId, AccountName};
use crate::model::arn::RoleArn;
use crate::model::observed::{Observed, Seen};
use crate::model::read;
use crate::model::wiring::{RoleKey, Wiring};

use super::artifacts;
use super::target::{Never, Target, account_name, role_key, unusable};

/// The ends of a gate's hops.
pub(super) fn ends(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    organization: &Organization,
) -> Ends {
    let gate = target.gate;
    let pipeline = &gate.pipeline;
    let unknown = AccountId::unknown();
    let id = |name| wiring.account_id(name).unwrap_or(&unknown).clone();
    let (tools, dev) = (id(&pipeline.account), id(&gate.function.account));
    let facts = Facts { wiring, observed };
    let execution = execution_role(wiring, observed, target);
    Ends {
        gate: gate.name.clone(),
        pipeline_arn: format!(
            "arn:{}:codepipeline:{}:{tools}:{}",
            pipeline.region.partition(),
            pipeline.region,
            pipeline.name
        ),
        pipeline_region: pipeline.region.clone(),
        action_region: target.region.clone(),
        service: facts.party(
            &target.service,
            &format!("the service role of pipeline {}", pipeline.name),
            (&pipeline.account, &tools),
        ),
        invoke: facts.party(
            &target.invoke,
            &gate.role_arn(&dev).to_string(),
            (&gate.function.account, &dev),
        ),
        function: facts.function(target, (&gate.function.account, &dev)),
        execution: facts.party(
            &execution,
            &format!("the execution role of function {}", gate.function.name),
            (&gate.function.account, &dev),
        ),
        artifacts: artifacts::of(wiring, observed, target, &tools),
        organization: organization.clone(),
        own: Own {
            assume: wiring.assume_policy(),
            invoke: wiring.invoke_policy(),
            callback: wiring.callback_policy(),
            artifacts: wiring.artifacts_policy(),
            list_functions: gate.role.list_functions,
        },
    }
}

/// The configuration of what the action calls. Where the action is missing, of the function that the manifest names.
pub(super) fn configuration<'a>(
    wiring: &Wiring,
    observed: &'a Observed,
    target: &Target<'_>,
) -> Found<&'a read::Function> {
    let (key, qualifier) = match &target.function {
        Found::There(called) => {
            let Some(key) = called.key(wiring) else {
                let account = &called.arn.account;
                return Found::Unseen(format!("account {account} is not in the manifest"));
            };
            (key, called.qualifier.clone())
        }
        Found::Missing(_) => (target.gate.function.clone(), None),
        Found::Unseen(why) => return Found::Unseen(why.clone()),
    };
    if let Some(why) = unusable(wiring, observed, &key.account) {
        return Found::Unseen(why);
    }
    let (seen, name) = match &qualifier {
        Some(qualifier) => (
            observed.function_version(&key, qualifier),
            format!("{}:{qualifier}", key.name),
        ),
        None => (observed.function(&key), key.name.to_string()),
    };
    match seen {
        Seen::Present(function) => Found::There(function),
        Seen::Absent => Found::Missing(format!(
            "there is no function {name} in account {}, {}",
            key.account, key.region
        )),
        Seen::NotRead => Found::Unseen(format!("function {name} was not read")),
        Seen::Unreadable(error) => Found::Unseen(error.to_string()),
    }
}

/// The role that answers the pipeline.
pub(super) fn execution_role(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
) -> Found<RoleArn> {
    match configuration(wiring, observed, target) {
        Found::There(function) => Found::There(function.role.clone()),
        Found::Missing(why) => Found::Missing(why),
        Found::Unseen(why) => Found::Unseen(why),
    }
}

struct Facts<'a> {
    wiring: &'a Wiring,
    observed: &'a Observed,
}

impl Facts<'_> {
    /// A role; `words` and `home` stand for one that is not known.
    fn party(
        &self,
        role: &Found<RoleArn>,
        words: &str,
        (account, id): (&AccountName, &AccountId),
    ) -> Party<Role> {
        let away = |found: Found<Never>| Party {
            name: words.to_owned(),
            account: Some(account.clone()),
            account_id: id.clone(),
            found: found.cast(),
        };
        match role {
            Found::Missing(why) => away(Found::Missing(why.clone())),
            Found::Unseen(why) => away(Found::Unseen(why.clone())),
            Found::There(arn) => Party {
                name: arn.to_string(),
                account: account_name(self.wiring, &arn.account).cloned(),
                account_id: arn.account.clone(),
                found: self.role(arn),
            },
        }
    }

    fn role(&self, arn: &RoleArn) -> Found<Role> {
        let Some(key) = role_key(self.wiring, arn) else {
            let account = &arn.account;
            return Found::Unseen(format!("account {account} is not in the manifest"));
        };
        if let Some(why) = unusable(self.wiring, self.observed, &key.account) {
            return Found::Unseen(why);
        }
        let mut role = Role {
            arn: arn.clone(),
            tags: BTreeMap::new(),
            trust: Layer::Unreadable("it was not read".to_owned()),
            identity: self.identity(&key),
            boundary: Layer::Unreadable("it was not read".to_owned()),
        };
        match self.observed.role(&key) {
            Seen::Absent => {
                return Found::Missing(format!(
                    "there is no role {} in account {}",
                    key.name, key.account
                ));
            }
            // IAM names are unique whatever the path, but an ARN with another path names nothing.
            Seen::Present(found) if found.arn != *arn => {
                return Found::Missing(format!("there is no role {arn}, only {}", found.arn));
            }
            Seen::Present(found) => {
                role.tags.clone_from(&found.tags);
                let trust = NamedPolicy::from_text("trust policy", &found.trust);
                role.trust = Layer::Known(Some(trust));
                let boundary = found.permissions_boundary.iter();
                let boundary = boundary.map(|arn| self.managed(&key.account, arn, arn));
                role.boundary = Layer::Known(boundary.collect());
            }
            Seen::Unreadable(error) => {
                role.trust = Layer::Unreadable(error.to_string());
                role.boundary = Layer::Unreadable(error.to_string());
            }
            Seen::NotRead => {}
        }
        Found::There(role)
    }

    /// Inline and attached policies. A list that could not be read stands for a policy that could not, so that a Deny in the
    /// other list still counts.
    fn identity(&self, key: &RoleKey) -> Layer<Vec<NamedPolicy>> {
        let mut policies = Vec::new();
        match self.observed.inline_policy_names(key) {
            Seen::Present(names) => {
                policies.extend(names.iter().filter_map(|name| self.inline(key, name)));
            }
            Seen::Absent => {}
            Seen::NotRead => policies.push(unread("inline policies")),
            Seen::Unreadable(error) => {
                policies.push(NamedPolicy::unreadable(
                    "inline policies",
                    error.to_string(),
                ));
            }
        }
        match self.observed.attached_policies(key) {
            Seen::Present(attached) => policies.extend(
                attached
                    .iter()
                    .map(|policy| self.managed(&key.account, &policy.name, &policy.arn)),
            ),
            Seen::Absent => {}
            Seen::NotRead => policies.push(unread("attached policies")),
            Seen::Unreadable(error) => {
                policies.push(NamedPolicy::unreadable(
                    "attached policies",
                    error.to_string(),
                ));
            }
        }
        Layer::Known(policies)
    }

    /// None for a policy that is gone since its name was read.
    fn inline(&self, key: &RoleKey, name: &str) -> Option<NamedPolicy> {
        Some(match self.observed.inline_policy(key, name) {
            Seen::Present(text) => NamedPolicy::from_text(name, text),
            Seen::Absent => return None,
            Seen::NotRead => unread(name),
            Seen::Unreadable(error) => NamedPolicy::unreadable(name, error.to_string()),
        })
    }

    fn managed(&self, account: &AccountName, name: &str, arn: &str) -> NamedPolicy {
        let version = match self.observed.managed_policy(account, arn) {
            Seen::Present(version) => version,
            Seen::Absent => {
                return NamedPolicy::unreadable(name, format!("there is no policy {arn}"));
            }
            Seen::NotRead => return unread(name),
            Seen::Unreadable(error) => return NamedPolicy::unreadable(name, error.to_string()),
        };
        match self.observed.managed_policy_version(account, arn, version) {
            Seen::Present(text) => NamedPolicy::from_text(name, text),
            Seen::Absent => {
                NamedPolicy::unreadable(name, format!("policy {arn} has no version {version}"))
            }
            Seen::NotRead => unread(name),
            Seen::Unreadable(error) => NamedPolicy::unreadable(name, error.to_string()),
        }
    }

    /// The function that the action calls, with its own policy.
    fn function(
        &self,
        target: &Target<'_>,
        (account, id): (&AccountName, &AccountId),
    ) -> Party<Function> {
        let name = match &target.function {
            Found::There(called) => called.invoked(),
            Found::Missing(_) | Found::Unseen(_) => target.gate.function_arn(id).to_string(),
        };
        let party = |account, account_id, found| Party {
            name: name.clone(),
            account,
            account_id,
            found,
        };
        let called = match &target.function {
            Found::There(called) => called,
            Found::Missing(why) => {
                return party(
                    Some(account.clone()),
                    id.clone(),
                    Found::Missing(why.clone()),
                );
            }
            Found::Unseen(why) => {
                return party(
                    Some(account.clone()),
                    id.clone(),
                    Found::Unseen(why.clone()),
                );
            }
        };
        let found = match configuration(self.wiring, self.observed, target) {
            Found::There(_) => Found::There(Function {
                policy: self.function_policy(target),
            }),
            Found::Missing(why) => Found::Missing(why),
            Found::Unseen(why) => Found::Unseen(why),
        };
        let owner = account_name(self.wiring, &called.arn.account).cloned();
        party(owner, called.arn.account.clone(), found)
    }

    fn function_policy(&self, target: &Target<'_>) -> Layer<Option<NamedPolicy>> {
        let Found::There(called) = &target.function else {
            return Layer::Known(None);
        };
        let Some(key) = called.key(self.wiring) else {
            return Layer::Unreadable("its account is not in the manifest".to_owned());
        };
        match self
            .observed
            .function_policy(&key, called.qualifier.as_deref())
        {
            Seen::Present(text) => {
                Layer::Known(Some(NamedPolicy::from_text("function policy", text)))
            }
            Seen::Absent => Layer::Known(None),
            Seen::NotRead => Layer::Unreadable("it was not read".to_owned()),
            Seen::Unreadable(error) => Layer::Unreadable(error.to_string()),
        }
    }
}

fn unread(name: &str) -> NamedPolicy {
    NamedPolicy::unreadable(name, "it was not read")
}
