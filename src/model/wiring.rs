//! What the manifest wants, resolved: every default filled in, every name a type.
//! What it cannot know (service roles, execution roles) is read from AWS and joined in `plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use super::account::{AccountId, AccountName, Partition, Region};
use super::arn::{FunctionArn, RoleArn};
use super::function::FunctionSpec;
use super::name::{
    ActionName, ArtifactName, FunctionName, GateName, Namespace, PipelineName, PolicyName, Project,
    Purpose, RoleName, RolePath, StageName,
};
use super::part::Part;
use super::pipeline::ActionSpec;
use super::shared::Pool;

/// Everything that one manifest wires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// The namespace of what is owned.
    pub project: Project,
    /// The accounts that gates name, by name. Two names of one id are one account here: the first name stands for both.
    pub accounts: BTreeMap<AccountName, Account>,
    /// The gates, sorted by name, so that their order in the manifest has no effect (law 3).
    pub gates: Vec<Gate>,
    /// The functions that the manifest makes, those of gates that the run is not about included; several gates may share one.
    pub functions: BTreeMap<FunctionKey, FunctionSpec>,
    /// The gates that this run is about; the others are kept as they are found.
    pub selected: BTreeSet<GateName>,
    /// The gates that the other partitions of the same run are about: what they share with selected ones is planned as one run
    /// about all would plan it. Empty without `--partition`.
    pub beside: BTreeSet<GateName>,
    /// The partition that this run is about.
    pub part: Option<Part>,
}

/// An account of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose credentials are used, in words for messages: "profile `tools`", "the default credential chain",
    /// "role arn:… assumed via `tools`".
    pub credentials: String,
    /// The named profile, where it is one: for commands of the AWS CLI.
    pub profile: Option<String>,
}

/// The account with whose credentials the organization is read: the management account, or a delegated administrator. No gate
/// needs to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationReader {
    /// Its name in the manifest; where a gate uses it, the name that stands for it in the wiring.
    pub account: AccountName,
    /// Its id.
    pub id: AccountId,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name.
    pub name: GateName,
    /// The pipeline that it stands in.
    pub pipeline: PipelineKey,
    /// The action that it is.
    pub action: GateAction,
    /// The function that decides.
    pub function: FunctionKey,
    /// The role through which the pipeline invokes it.
    pub role: InvokeRole,
    /// Whether the policies of the artifact bucket and its key are kept for it; else it is only said what they lack.
    pub manage_artifacts: bool,
}

/// A pipeline, by where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipelineKey {
    /// The account.
    pub account: AccountName,
    /// The region.
    pub region: Region,
    /// The name.
    pub name: PipelineName,
}

/// The name alone: mostly it tells pipelines apart.
impl Hash for PipelineKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            account: _,
            region: _,
            name,
        } = self;
        name.hash(state);
    }
}

/// A function, by where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionKey {
    /// The account.
    pub account: AccountName,
    /// The region.
    pub region: Region,
    /// The name.
    pub name: FunctionName,
}

/// A role, by where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleKey {
    /// The account.
    pub account: AccountName,
    /// The name, unique in the account.
    pub name: RoleName,
}

/// The action's own settings. `None`: the manifest does not name it, so the gate does not own it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateAction {
    /// The stage; made if absent.
    pub stage: StageName,
    /// The action's name.
    pub name: ActionName,
    /// Where a new stage goes; none: to the end.
    pub placement: Option<Placement>,
    /// `runOrder`, 1 to 999.
    pub run_order: Option<u32>,
    /// `UserParameters`, 1,000 characters at most; empty removes them.
    pub user_parameters: Option<String>,
    /// Input artifacts, five at most; empty removes them.
    pub input_artifacts: Option<Vec<ArtifactName>>,
    /// Output artifacts, five at most; empty removes them.
    pub output_artifacts: Option<Vec<ArtifactName>>,
    /// The namespace of the action's output variables.
    pub namespace: Option<Namespace>,
    /// `timeoutInMinutes`, 5 to 86,400.
    pub timeout_minutes: Option<u32>,
}

/// Where a stage of ours goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// Directly before the stage.
    Before(StageName),
    /// Directly after the stage.
    After(StageName),
}

/// The invoke role as the manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvokeRole {
    /// Its name.
    pub name: RoleName,
    /// Its path.
    pub path: RolePath,
    /// The permissions boundary's ARN.
    pub permissions_boundary: Option<String>,
    /// The manifest's tags, without crossgate's own.
    pub tags: BTreeMap<String, String>,
    /// Whom the role trusts.
    pub trust: Trust,
    /// Whether `lambda:ListFunctions` is granted.
    pub list_functions: bool,
}

/// How narrow the trust of an invoke role is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// The pipeline's account, and of it only the pipeline's service role.
    ServiceRole,
    /// The pipeline's whole account.
    Account,
}

impl Wiring {
    /// The id of an account of the wiring.
    pub fn account_id(&self, name: &AccountName) -> Option<&AccountId> {
        self.accounts.get(name).map(|account| &account.id)
    }

    /// True when the run is about this gate.
    pub fn is_selected(&self, gate: &Gate) -> bool {
        self.selected.contains(&gate.name)
    }

    /// True when the run, or another partition of it, is about this gate.
    pub fn is_in_run(&self, gate: &Gate) -> bool {
        self.is_selected(gate) || self.beside.contains(&gate.name)
    }

    /// Lets gates that name the same account, pipeline, stage or function hold one text of it: a plan of many gates compares and copies
    /// them all the time.
    pub(crate) fn share_names(&mut self) {
        let mut pool = Pool::default();
        for name in self.accounts.keys() {
            pool.share(&mut name.clone());
        }
        for gate in &mut self.gates {
            gate.share_names(&mut pool);
        }
    }

    /// Leaves to the run the gates whose functions are in the part's accounts.
    pub fn keep(&mut self, part: Part) {
        let elsewhere = self.gates.iter().filter(|gate| {
            let account = self.account_id(&gate.function.account);
            self.is_selected(gate) && !account.is_some_and(|id| part.holds(id))
        });
        self.beside = elsewhere.map(|gate| gate.name.clone()).collect();
        self.selected.retain(|name| !self.beside.contains(name));
        self.part = Some(part);
    }

    /// The name of the inline policy on the invoke role.
    pub fn invoke_policy(&self) -> PolicyName {
        self.policy(Purpose::Invoke)
    }

    /// The name of the inline policy on the function's execution role.
    pub fn callback_policy(&self) -> PolicyName {
        self.policy(Purpose::Callback)
    }

    /// The name that the execution role of a function has where the manifest makes both; it may be longer than a role's name.
    pub fn made_role(&self, function: &FunctionName) -> String {
        format!("crossgate-{}-fn-{function}", self.project)
    }

    /// The name of the inline policy with which an execution role that is made may write logs.
    pub fn logs_policy(&self) -> PolicyName {
        self.policy(Purpose::Logs)
    }

    /// The name of the inline policy on the invoke role with which artifacts are read and written.
    pub fn artifacts_policy(&self) -> PolicyName {
        self.policy(Purpose::Artifacts)
    }

    /// The name of the inline policy on the pipeline's service role.
    pub fn assume_policy(&self) -> PolicyName {
        self.policy(Purpose::Assume)
    }

    /// The name of the project's inline policy for this purpose.
    pub fn policy(&self, purpose: Purpose) -> PolicyName {
        PolicyName::of_project(&self.project, purpose)
    }

    /// The names of all inline policies that the project may have put on a role.
    pub fn policies(&self) -> Vec<PolicyName> {
        let policy = |purpose| self.policy(purpose);
        Purpose::ALL.into_iter().map(policy).collect()
    }
}

impl fmt::Display for FunctionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            region,
            name,
        } = self;
        write!(f, "function {name} in account {account}, {region}")
    }
}

impl FunctionKey {
    /// The function's ARN, given the id of its account.
    pub fn arn(&self, account: &AccountId) -> FunctionArn {
        let Self {
            account: _,
            region,
            name,
        } = self;
        FunctionArn {
            region: region.clone(),
            account: account.clone(),
            name: name.clone(),
        }
    }
}

impl Gate {
    fn share_names(&mut self, pool: &mut Pool) {
        let Self {
            name: _,
            pipeline,
            action,
            function,
            role,
            manage_artifacts: _,
        } = self;
        pool.share(&mut pipeline.account);
        pool.share(&mut pipeline.region);
        pool.share(&mut pipeline.name);
        pool.share(&mut action.stage);
        pool.share(&mut action.name);
        if let Some(Placement::Before(anchor) | Placement::After(anchor)) = &mut action.placement {
            pool.share(anchor);
        }
        pool.share(&mut function.account);
        pool.share(&mut function.region);
        pool.share(&mut function.name);
        pool.share(&mut role.path);
    }

    /// The invoke role, by where it is: in the function's account.
    pub fn role_key(&self) -> RoleKey {
        RoleKey {
            account: self.function.account.clone(),
            name: self.role.name.clone(),
        }
    }

    /// The partition of the whole gate: a gate cannot cross partitions.
    pub fn partition(&self) -> Partition {
        self.pipeline.region.partition()
    }

    /// The invoke role's ARN, given the id of the function's account.
    pub fn role_arn(&self, account: &AccountId) -> RoleArn {
        RoleArn {
            partition: self.partition(),
            account: account.clone(),
            path: self.role.path.clone(),
            name: self.role.name.clone(),
        }
    }

    /// The function's ARN, given the id of its account.
    pub fn function_arn(&self, account: &AccountId) -> FunctionArn {
        self.function.arn(account)
    }

    /// The action as it must stand in the pipeline, given the id of the function's account.
    pub fn action_spec(&self, account: &AccountId) -> ActionSpec {
        ActionSpec {
            gate: self.name.clone(),
            action: self.action.clone(),
            function_name: self.function.name.clone(),
            role_arn: self.role_arn(account),
            region: self.function.region.clone(),
        }
    }
}
