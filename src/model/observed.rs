//! What was read of the accounts so far: facts by the question that they answer, failures included.
//! A value that only grows; nothing here reads, and nothing here decides what a fact means.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{AccountName, Region};
use super::answers::{Answer, Answers, RoleAnswers};
use super::artifact::PolicyHolder;
use super::execution::{ActionExecution, ExecutionId, ExecutionSummary, PipelineState};
use super::failure::CloudError;
use super::name::RoleName;
use super::pipeline::PipelineDocument;
use super::read::{
    AttachedPolicy, CallerIdentity, ControlKind, Fact, Function, InlinePolicy, InvokeConfig,
    Listed, LogLines, NamedControlPolicy, Organization, Read, Role, RoleDetail,
};
use super::wiring::{FunctionKey, PipelineKey, RoleKey};

/// What is known of one thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen<'a, T: ?Sized> {
    /// Nobody asked yet.
    NotRead,
    /// AWS says that it does not exist.
    Absent,
    /// As it is.
    Present(&'a T),
    /// It was asked for and could not be read.
    Unreadable(&'a CloudError),
}

/// Everything that was read, by account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    accounts: BTreeMap<AccountName, Answers>,
    /// The reads that failed: asked for often, and mostly none among thousands.
    failed: BTreeMap<AccountName, BTreeSet<Read>>,
    /// The roles of the accounts whose roles were listed, in the order of AWS. What they are stands among the answers.
    listed: BTreeMap<AccountName, Vec<RoleName>>,
}

/// A role of an account's list, with its policies.
#[derive(Debug, Clone, Copy)]
pub struct ListedRole<'a> {
    /// The role.
    pub role: &'a Role,
    answers: &'a RoleAnswers,
}

impl<'a> ListedRole<'a> {
    /// The text of one of its inline policies, where it has it.
    pub fn inline_policy(&self, policy: &str) -> Option<&'a str> {
        match self.answers.inline_policy(policy) {
            Some(Ok(Fact::InlinePolicy(InlinePolicy::Present(text)))) => Some(text),
            _ => None,
        }
    }
}

impl Observed {
    /// Keeps an answer. A later answer to the same question takes its place.
    ///
    /// The list of an account's roles answers every question about one role too, as if it had been asked. It is taken apart into
    /// these answers: most of what is read of a fleet are its roles, and to hold them twice would show.
    pub fn record(&mut self, account: AccountName, read: Read, answer: Result<Fact, CloudError>) {
        match &answer {
            Err(_) => {
                let failed = self.failed.entry(account.clone()).or_default();
                failed.insert(read.clone());
            }
            Ok(_) => {
                if let Some(failed) = self.failed.get_mut(&account) {
                    failed.remove(&read);
                }
            }
        }
        let answer = match (&read, answer) {
            (Read::Roles, Ok(Fact::Roles(roles))) => {
                let names = roles.iter().map(|detail| detail.role.arn.name.clone());
                self.listed.insert(account.clone(), names.collect());
                let answers = self.accounts.entry(account.clone()).or_default();
                for (read, fact) in roles.into_iter().flat_map(RoleDetail::into_answers) {
                    answers.insert(read, Ok(fact));
                }
                Ok(Fact::Roles(Vec::new()))
            }
            (_, answer) => answer,
        };
        let answers = self.accounts.entry(account).or_default();
        answers.insert(read, answer.map_err(Box::new));
    }

    /// True when the question was asked, whatever came of it.
    pub fn has(&self, account: &AccountName, read: &Read) -> bool {
        self.answer(account, read).is_some()
    }

    /// The failure that makes a whole account unreachable: no credentials, or no connection.
    pub fn unreachable(&self, account: &AccountName) -> Option<&CloudError> {
        self.failures(account)
            .map(|(_, error)| error)
            .find(|error| error.kind.is_account_wide())
    }

    /// All reads of an account that failed.
    pub fn failures(&self, account: &AccountName) -> impl Iterator<Item = (&Read, &CloudError)> {
        let answers = self.accounts.get(account);
        let failed = self.failed.get(account).into_iter().flatten();
        failed.filter_map(move |read| Some((read, &**answers?.get(read)?.as_ref().err()?)))
    }

    /// The accounts of which anything was asked.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountName> {
        self.accounts.keys()
    }

    /// Who the account's credentials are.
    pub fn caller(&self, account: &AccountName) -> Seen<'_, CallerIdentity> {
        self.seen(account, &Read::CallerIdentity, |fact| match fact {
            Fact::CallerIdentity(caller) => Some(Some(caller)),
            _ => None,
        })
    }

    /// A pipeline's document.
    pub fn pipeline(&self, key: &PipelineKey) -> Seen<'_, PipelineDocument> {
        let read = key.read();
        self.seen(&key.account, &read, |fact| match fact {
            Fact::Pipeline(document) => Some(document.as_deref()),
            _ => None,
        })
    }

    /// A function's configuration, by whichever question it was asked for.
    pub fn function(&self, key: &FunctionKey) -> Seen<'_, Function> {
        let read = key.tagged();
        let tagged = self.seen(&key.account, &read, |fact| match fact {
            Fact::TaggedFunction(function) => Some(function.as_deref()),
            _ => None,
        });
        if tagged != Seen::NotRead {
            return tagged;
        }
        let read = key.read();
        self.seen(&key.account, &read, |fact| match fact {
            Fact::Function(function) => Some(function.as_deref()),
            _ => None,
        })
    }

    /// The pipelines of a region.
    pub fn pipelines(&self, account: &AccountName, region: &Region) -> Seen<'_, Listed> {
        let read = Read::Pipelines {
            region: region.clone(),
        };
        self.seen(account, &read, |fact| match fact {
            Fact::Pipelines(listed) => Some(Some(listed)),
            _ => None,
        })
    }

    /// The functions of a region.
    pub fn functions(&self, account: &AccountName, region: &Region) -> Seen<'_, Listed> {
        let read = Read::Functions {
            region: region.clone(),
        };
        self.seen(account, &read, |fact| match fact {
            Fact::Functions(listed) => Some(Some(listed)),
            _ => None,
        })
    }

    /// A role.
    pub fn role(&self, key: &RoleKey) -> Seen<'_, Role> {
        let answer = self.of(&key.account, |all| all.role(&key.name));
        seen(answer, |fact| match fact {
            Fact::Role(role) => Some(role.as_deref()),
            _ => None,
        })
    }

    /// Every role of an account whose roles were listed; of another account none.
    pub fn roles(&self, account: &AccountName) -> impl Iterator<Item = ListedRole<'_>> {
        let names = self.listed.get_key_value(account);
        let names = names.into_iter().flat_map(|(account, names)| {
            let key = |name: &RoleName| RoleKey {
                account: account.clone(),
                name: name.clone(),
            };
            names.iter().map(key)
        });
        names.filter_map(|key| self.listed_role(&key))
    }

    /// A role of an account whose roles were listed; none where it is not among them.
    pub fn listed_role(&self, key: &RoleKey) -> Option<ListedRole<'_>> {
        if !self.listed.contains_key(&key.account) {
            return None;
        }
        let answers = self.accounts.get(&key.account)?.about(&key.name)?;
        match answers.role() {
            Some(Ok(Fact::Role(Some(role)))) => Some(ListedRole { role, answers }),
            _ => None,
        }
    }

    /// Why an account's roles could not be listed, where that was tried.
    pub fn roles_failed(&self, account: &AccountName) -> Option<&CloudError> {
        match self.answer(account, &Read::Roles)? {
            Ok(_) => None,
            Err(error) => Some(error),
        }
    }

    /// The names of a role's inline policies.
    pub fn inline_policy_names(&self, key: &RoleKey) -> Seen<'_, Vec<String>> {
        let answer = self.of(&key.account, |all| all.inline_policy_names(&key.name));
        seen(answer, |fact| match fact {
            Fact::InlinePolicyNames(names) => Some(names.as_ref()),
            _ => None,
        })
    }

    /// The managed policies attached to a role.
    pub fn attached_policies(&self, key: &RoleKey) -> Seen<'_, Vec<AttachedPolicy>> {
        let answer = self.of(&key.account, |all| all.attached_policies(&key.name));
        seen(answer, |fact| match fact {
            Fact::AttachedPolicies(attached) => Some(attached.as_ref()),
            _ => None,
        })
    }

    /// An inline policy's text; absent too where the role itself is.
    pub fn inline_policy(&self, key: &RoleKey, policy: &str) -> Seen<'_, str> {
        let answer = self.of(&key.account, |all| all.inline_policy(&key.name, policy));
        seen(answer, |fact| match fact {
            Fact::InlinePolicy(InlinePolicy::Present(text)) => Some(Some(text.as_str())),
            Fact::InlinePolicy(InlinePolicy::Absent | InlinePolicy::NoRole) => Some(None),
            _ => None,
        })
    }

    /// The default version of a managed policy.
    pub fn managed_policy(&self, account: &AccountName, arn: &str) -> Seen<'_, str> {
        let read = Read::ManagedPolicy {
            arn: arn.to_owned(),
        };
        self.seen(account, &read, |fact| match fact {
            Fact::ManagedPolicy(version) => Some(version.as_deref()),
            _ => None,
        })
    }

    /// The text of one version of a managed policy.
    pub fn managed_policy_version(
        &self,
        account: &AccountName,
        arn: &str,
        version: &str,
    ) -> Seen<'_, str> {
        let read = Read::ManagedPolicyVersion {
            arn: arn.to_owned(),
            version: version.to_owned(),
        };
        self.seen(account, &read, |fact| match fact {
            Fact::ManagedPolicyVersion(text) => Some(text.as_deref()),
            _ => None,
        })
    }

    /// The configuration of a version or an alias.
    pub fn function_version(&self, key: &FunctionKey, qualifier: &str) -> Seen<'_, Function> {
        let read = key.version(qualifier);
        self.seen(&key.account, &read, |fact| match fact {
            Fact::FunctionVersion(function) => Some(function.as_deref()),
            _ => None,
        })
    }

    /// The text of the policy on a function, or on its version or alias.
    pub fn function_policy(&self, key: &FunctionKey, qualifier: Option<&str>) -> Seen<'_, str> {
        let read = key.policy(qualifier);
        self.seen(&key.account, &read, |fact| match fact {
            Fact::FunctionPolicy(text) => Some(text.as_deref()),
            _ => None,
        })
    }

    /// The reserved concurrency of a function; absent where none is reserved.
    pub fn function_concurrency(&self, key: &FunctionKey) -> Seen<'_, i32> {
        let read = key.concurrency();
        self.seen(&key.account, &read, |fact| match fact {
            Fact::FunctionConcurrency(reserved) => Some(reserved.as_ref()),
            _ => None,
        })
    }

    /// What IAM's simulator answered.
    pub fn simulation(&self, account: &AccountName, read: &Read) -> Seen<'_, str> {
        self.seen(account, read, |fact| match fact {
            Fact::Simulation(decision) => Some(Some(decision.as_str())),
            _ => None,
        })
    }

    /// The organization that an account is in.
    pub fn organization(&self, account: &AccountName) -> Seen<'_, Organization> {
        self.seen(account, &Read::Organization, |fact| match fact {
            Fact::Organization(organization) => Some(organization.as_ref()),
            _ => None,
        })
    }

    /// What is over an account or a unit, as the account that was asked sees it.
    pub fn organization_parent(&self, account: &AccountName, child: &str) -> Seen<'_, str> {
        let read = Read::OrganizationParent {
            child: child.to_owned(),
        };
        self.seen(account, &read, |fact| match fact {
            Fact::OrganizationParent(parent) => Some(parent.as_deref()),
            _ => None,
        })
    }

    /// The control policies that are attached to a root, a unit or an account.
    pub fn control_policies(
        &self,
        account: &AccountName,
        target: &str,
        kind: ControlKind,
    ) -> Seen<'_, Vec<NamedControlPolicy>> {
        let read = Read::ControlPolicies {
            target: target.to_owned(),
            kind,
        };
        self.seen(account, &read, |fact| match fact {
            Fact::ControlPolicies(policies) => Some(policies.as_ref()),
            _ => None,
        })
    }

    /// The text of a control policy.
    pub fn control_policy(&self, account: &AccountName, id: &str) -> Seen<'_, str> {
        let read = Read::ControlPolicy { id: id.to_owned() };
        self.seen(account, &read, |fact| match fact {
            Fact::ControlPolicy(text) => Some(text.as_deref()),
            _ => None,
        })
    }

    /// The text of the policy of a bucket or a key. Absent: the bucket has none, or there is no such key.
    pub fn resource_policy(&self, holder: &PolicyHolder) -> Seen<'_, str> {
        self.seen(holder.account(), &holder.read(), |fact| match fact {
            Fact::BucketPolicy(text) | Fact::KeyPolicy(text) => Some(text.as_deref()),
            _ => None,
        })
    }

    /// How a pipeline's stages stand.
    pub fn pipeline_state(&self, key: &PipelineKey) -> Seen<'_, PipelineState> {
        self.seen(&key.account, &key.state(), |fact| match fact {
            Fact::PipelineState(state) => Some(state.as_ref()),
            _ => None,
        })
    }

    /// A pipeline's newest executions.
    pub fn pipeline_executions(&self, key: &PipelineKey) -> Seen<'_, Vec<ExecutionSummary>> {
        self.seen(&key.account, &key.executions(), |fact| match fact {
            Fact::PipelineExecutions(executions) => Some(executions.as_ref()),
            _ => None,
        })
    }

    /// The actions of one execution, or the newest of all executions.
    pub fn action_executions(
        &self,
        key: &PipelineKey,
        execution: Option<&ExecutionId>,
    ) -> Seen<'_, Vec<ActionExecution>> {
        self.seen(&key.account, &key.actions(execution), |fact| match fact {
            Fact::ActionExecutions(actions) => Some(actions.as_ref()),
            _ => None,
        })
    }

    /// How Lambda treats a function's asynchronous calls; absent where nobody has said how.
    pub fn function_invoke_config(
        &self,
        key: &FunctionKey,
        qualifier: Option<&str>,
    ) -> Seen<'_, InvokeConfig> {
        let read = key.invoke_config(qualifier);
        self.seen(&key.account, &read, |fact| match fact {
            Fact::FunctionInvokeConfig(config) => Some(config.as_ref()),
            _ => None,
        })
    }

    /// Lines of a log; absent where the group is.
    pub fn log_events(&self, account: &AccountName, read: &Read) -> Seen<'_, LogLines> {
        self.seen(account, read, |fact| match fact {
            Fact::LogEvents(lines) => Some(lines.as_ref()),
            _ => None,
        })
    }

    /// True when a read of one of the role's policies answered that the role itself does not exist.
    pub fn role_is_gone(&self, key: &RoleKey) -> bool {
        let says_gone = |answers: &Answers| {
            answers.about(&key.name).is_some_and(RoleAnswers::is_gone)
                || matches!(answers.role(&key.name), Some(Ok(Fact::Role(None))))
        };
        self.accounts.get(&key.account).is_some_and(says_gone)
    }

    fn answer(&self, account: &AccountName, read: &Read) -> Option<&Answer> {
        self.of(account, |answers| answers.get(read))
    }

    /// One of an account's answers.
    fn of<'a>(
        &'a self,
        account: &AccountName,
        find: impl FnOnce(&'a Answers) -> Option<&'a Answer>,
    ) -> Option<&'a Answer> {
        self.accounts.get(account).and_then(find)
    }

    fn seen<'a, T: ?Sized>(
        &'a self,
        account: &AccountName,
        read: &Read,
        pick: impl FnOnce(&'a Fact) -> Option<Option<&'a T>>,
    ) -> Seen<'a, T> {
        seen(self.answer(account, read), pick)
    }
}

/// `pick` gives `None` for a fact of another kind, which answers nothing.
fn seen<'a, T: ?Sized>(
    answer: Option<&'a Answer>,
    pick: impl FnOnce(&'a Fact) -> Option<Option<&'a T>>,
) -> Seen<'a, T> {
    match answer {
        None => Seen::NotRead,
        Some(Err(error)) => Seen::Unreadable(error),
        Some(Ok(fact)) => match pick(fact) {
            None => Seen::NotRead,
            Some(None) => Seen::Absent,
            Some(Some(value)) => Seen::Present(value),
        },
    }
}

impl RoleDetail {
    /// The questions about one role that this answers, with the answers.
    fn into_answers(self) -> impl Iterator<Item = (Read, Fact)> {
        let Self {
            role,
            inline,
            attached,
        } = self;
        let name = role.arn.name.clone();
        let names = inline.keys().cloned().collect();
        let whole = [
            (
                Read::Role { role: name.clone() },
                Fact::Role(Some(Box::new(role))),
            ),
            (
                Read::InlinePolicyNames { role: name.clone() },
                Fact::InlinePolicyNames(Some(names)),
            ),
            (
                Read::AttachedPolicies { role: name.clone() },
                Fact::AttachedPolicies(Some(attached)),
            ),
        ];
        let policies = inline.into_iter().map(move |(policy, text)| {
            let read = Read::InlinePolicy {
                role: name.clone(),
                policy,
            };
            (read, Fact::InlinePolicy(InlinePolicy::Present(text)))
        });
        whole.into_iter().chain(policies)
    }
}

impl Read {
    /// The role that the question is about, if it is about one.
    pub fn role(&self) -> Option<&RoleName> {
        match self {
            Self::CallerIdentity
            | Self::Roles
            | Self::Pipeline { .. }
            | Self::PipelineVersion { .. }
            | Self::Function { .. }
            | Self::TaggedFunction { .. }
            | Self::Pipelines { .. }
            | Self::Functions { .. }
            | Self::FunctionVersion { .. }
            | Self::FunctionPolicy { .. }
            | Self::FunctionConcurrency { .. }
            | Self::ManagedPolicy { .. }
            | Self::ManagedPolicyVersion { .. }
            | Self::Simulation { .. }
            | Self::Organization
            | Self::OrganizationParent { .. }
            | Self::ControlPolicies { .. }
            | Self::ControlPolicy { .. }
            | Self::BucketPolicy { .. }
            | Self::KeyPolicy { .. }
            | Self::PipelineState { .. }
            | Self::PipelineExecutions { .. }
            | Self::ActionExecutions { .. }
            | Self::FunctionInvokeConfig { .. }
            | Self::LogEvents { .. } => None,
            Self::Role { role }
            | Self::InlinePolicyNames { role }
            | Self::AttachedPolicies { role }
            | Self::InlinePolicy { role, .. } => Some(role),
        }
    }
}

impl PipelineKey {
    /// The question for this pipeline.
    pub fn read(&self) -> Read {
        Read::Pipeline {
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }

    /// The question for an earlier version of it.
    pub fn earlier(&self, version: u64) -> Read {
        Read::PipelineVersion {
            region: self.region.clone(),
            name: self.name.clone(),
            version,
        }
    }

    /// The question for how its stages stand.
    pub fn state(&self) -> Read {
        Read::PipelineState {
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }

    /// The question for its newest executions.
    pub fn executions(&self) -> Read {
        Read::PipelineExecutions {
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }

    /// The question for the actions of one execution, or the newest of all.
    pub fn actions(&self, execution: Option<&ExecutionId>) -> Read {
        Read::ActionExecutions {
            region: self.region.clone(),
            name: self.name.clone(),
            execution: execution.cloned(),
        }
    }
}

impl FunctionKey {
    /// The question for this function.
    pub fn read(&self) -> Read {
        Read::Function {
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }

    /// The question for this function and its tags.
    pub fn tagged(&self) -> Read {
        Read::TaggedFunction {
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }

    /// The question for a version or an alias of it.
    pub fn version(&self, qualifier: &str) -> Read {
        Read::FunctionVersion {
            region: self.region.clone(),
            name: self.name.clone(),
            qualifier: qualifier.to_owned(),
        }
    }

    /// The question for its own policy, or that of its version or alias.
    pub fn policy(&self, qualifier: Option<&str>) -> Read {
        Read::FunctionPolicy {
            region: self.region.clone(),
            name: self.name.clone(),
            qualifier: qualifier.map(str::to_owned),
        }
    }

    /// The question for how its asynchronous calls are treated.
    pub fn invoke_config(&self, qualifier: Option<&str>) -> Read {
        Read::FunctionInvokeConfig {
            region: self.region.clone(),
            name: self.name.clone(),
            qualifier: qualifier.map(str::to_owned),
        }
    }

    /// The question for its reserved concurrency.
    pub fn concurrency(&self) -> Read {
        Read::FunctionConcurrency {
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }
}

impl RoleKey {
    /// The question for one inline policy of this role.
    pub fn inline_policy(&self, policy: &str) -> Read {
        Read::InlinePolicy {
            role: self.name.clone(),
            policy: policy.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fleet of 10,000 gates has 50,000 of them.
    #[test]
    fn an_answer_is_small_whatever_it_answers() {
        assert!(size_of::<Answer>() <= 64, "{}", size_of::<Answer>());
    }
}
