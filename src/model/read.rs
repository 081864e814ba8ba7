//! Reads as values: what may be asked of an account, and what comes back.
//! Which reads are needed is decided in `plan`; who carries them out is no concern of this module.

use std::collections::BTreeMap;
use std::fmt;

use super::account::{AccountId, Region};
use super::arn::RoleArn;
use super::artifact::{BucketName, KeyArn};
use super::execution::{ActionExecution, ExecutionId, ExecutionSummary, PipelineState};
use super::function::Variables;
use super::name::{FunctionName, PipelineName, RoleName};
use super::pipeline::PipelineDocument;

/// One question to one account: one AWS call (a list may take a page more).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Read {
    /// `sts:GetCallerIdentity`.
    CallerIdentity,
    /// `codepipeline:GetPipeline`.
    Pipeline {
        /// The pipeline's region.
        region: Region,
        /// Its name.
        name: PipelineName,
    },
    /// `codepipeline:GetPipeline` of a version that is not the newest any more (api: GetPipeline, `version`).
    PipelineVersion {
        /// The pipeline's region.
        region: Region,
        /// Its name.
        name: PipelineName,
        /// The version.
        version: u64,
    },
    /// `lambda:GetFunctionConfiguration`.
    Function {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
    },
    /// `lambda:GetFunction`: the configuration and, beyond it, the tags; for a function that the manifest makes.
    TaggedFunction {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
    },
    /// `codepipeline:ListPipelines`, [`LISTED_PAGES`] pages at most.
    Pipelines {
        /// The region.
        region: Region,
    },
    /// `lambda:ListFunctions`, [`LISTED_PAGES`] pages at most.
    Functions {
        /// The region.
        region: Region,
    },
    /// `iam:GetRole`.
    Role {
        /// The role.
        role: RoleName,
    },
    /// `iam:GetAccountAuthorizationDetails` with `Filter=Role`, all pages: every role of the account, with its policies.
    Roles,
    /// `iam:ListRolePolicies`, all pages.
    InlinePolicyNames {
        /// The role.
        role: RoleName,
    },
    /// `iam:ListAttachedRolePolicies`, all pages.
    AttachedPolicies {
        /// The role.
        role: RoleName,
    },
    /// `iam:GetRolePolicy`.
    InlinePolicy {
        /// The role.
        role: RoleName,
        /// The policy's name as AWS has it.
        policy: String,
    },
    /// `iam:GetPolicy`.
    ManagedPolicy {
        /// The policy's ARN.
        arn: String,
    },
    /// `iam:GetPolicyVersion`.
    ManagedPolicyVersion {
        /// The policy's ARN.
        arn: String,
        /// The version, for example `v1`.
        version: String,
    },
    /// `lambda:GetFunctionConfiguration` of a version or an alias.
    FunctionVersion {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
        /// The version or alias.
        qualifier: String,
    },
    /// `lambda:GetPolicy`.
    FunctionPolicy {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
        /// The version or alias whose own policy is meant.
        qualifier: Option<String>,
    },
    /// `lambda:GetFunctionConcurrency`.
    FunctionConcurrency {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
    },
    /// `iam:SimulatePrincipalPolicy` of one action on one resource.
    Simulation {
        /// The role's ARN.
        role: RoleArn,
        /// The action.
        action: String,
        /// The resource's ARN, or `*`.
        resource: String,
    },
    /// `organizations:DescribeOrganization`.
    Organization,
    /// `organizations:ListParents`.
    OrganizationParent {
        /// An account's id, or an organizational unit's.
        child: String,
    },
    /// `organizations:ListPoliciesForTarget`, all pages.
    ControlPolicies {
        /// An account's id, an organizational unit's or a root's.
        target: String,
        /// Which policies.
        kind: ControlKind,
    },
    /// `organizations:DescribePolicy`.
    ControlPolicy {
        /// The policy's id, for example `p-FullAWSAccess`.
        id: String,
    },
    /// `s3:GetBucketPolicy`, of a bucket that belongs to the account that is asked.
    BucketPolicy {
        /// The bucket's region.
        region: Region,
        /// The bucket.
        bucket: BucketName,
    },
    /// `kms:GetKeyPolicy`.
    KeyPolicy {
        /// The key.
        key: KeyArn,
    },
    /// `codepipeline:GetPipelineState`.
    PipelineState {
        /// The pipeline's region.
        region: Region,
        /// Its name.
        name: PipelineName,
    },
    /// `codepipeline:ListPipelineExecutions`: the newest page.
    PipelineExecutions {
        /// The pipeline's region.
        region: Region,
        /// Its name.
        name: PipelineName,
    },
    /// `codepipeline:ListActionExecutions`: all pages of one execution, or the newest page of all executions.
    ActionExecutions {
        /// The pipeline's region.
        region: Region,
        /// The pipeline's name.
        name: PipelineName,
        /// The execution; none: of all.
        execution: Option<ExecutionId>,
    },
    /// `lambda:GetFunctionEventInvokeConfig`.
    FunctionInvokeConfig {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
        /// The version or alias that is invoked.
        qualifier: Option<String>,
    },
    /// `logs:FilterLogEvents`: the first lines of a time.
    LogEvents {
        /// The group's region.
        region: Region,
        /// The group's name, for example `/aws/lambda/MyFunction`.
        group: String,
        /// From when on, in milliseconds since 1970, inclusive.
        from_ms: i64,
        /// Until when, in milliseconds since 1970, inclusive.
        to_ms: i64,
        /// A filter pattern; none: every line.
        filter: Option<String>,
        /// How many lines at most, 1 to 10,000.
        limit: u32,
    },
}

/// The most pages of a list that a person chooses from: 5,000 functions (api: ListFunctions, 50 a page).
pub const LISTED_PAGES: usize = 100;

/// The two kinds of policies with which an organization limits its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlKind {
    /// Service control policies: what the accounts' principals may do.
    Service,
    /// Resource control policies: what may be done to the accounts' resources.
    Resource,
}

impl ControlKind {
    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service control policies",
            Self::Resource => "resource control policies",
        }
    }
}

impl Read {
    /// The IAM action that the caller needs for it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::CallerIdentity => "sts:GetCallerIdentity",
            Self::Pipeline { .. } | Self::PipelineVersion { .. } => "codepipeline:GetPipeline",
            Self::Function { .. } | Self::FunctionVersion { .. } => {
                "lambda:GetFunctionConfiguration"
            }
            Self::TaggedFunction { .. } => "lambda:GetFunction",
            Self::Pipelines { .. } => "codepipeline:ListPipelines",
            Self::Functions { .. } => "lambda:ListFunctions",
            Self::Role { .. } => "iam:GetRole",
            Self::Roles => "iam:GetAccountAuthorizationDetails",
            Self::InlinePolicyNames { .. } => "iam:ListRolePolicies",
            Self::AttachedPolicies { .. } => "iam:ListAttachedRolePolicies",
            Self::InlinePolicy { .. } => "iam:GetRolePolicy",
            Self::ManagedPolicy { .. } => "iam:GetPolicy",
            Self::ManagedPolicyVersion { .. } => "iam:GetPolicyVersion",
            Self::FunctionPolicy { .. } => "lambda:GetPolicy",
            Self::FunctionConcurrency { .. } => "lambda:GetFunctionConcurrency",
            Self::Simulation { .. } => "iam:SimulatePrincipalPolicy",
            Self::Organization => "organizations:DescribeOrganization",
            Self::OrganizationParent { .. } => "organizations:ListParents",
            Self::ControlPolicies { .. } => "organizations:ListPoliciesForTarget",
            Self::ControlPolicy { .. } => "organizations:DescribePolicy",
            Self::BucketPolicy { .. } => "s3:GetBucketPolicy",
            Self::KeyPolicy { .. } => "kms:GetKeyPolicy",
            Self::PipelineState { .. } => "codepipeline:GetPipelineState",
            Self::PipelineExecutions { .. } => "codepipeline:ListPipelineExecutions",
            Self::ActionExecutions { .. } => "codepipeline:ListActionExecutions",
            Self::FunctionInvokeConfig { .. } => "lambda:GetFunctionEventInvokeConfig",
            Self::LogEvents { .. } => "logs:FilterLogEvents",
        }
    }
}

impl fmt::Display for Read {
    /// The resource that is read, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallerIdentity => write!(f, "the caller's identity"),
            Self::Pipeline { region, name } => write!(f, "pipeline {name} in {region}"),
            Self::PipelineVersion {
                region,
                name,
                version,
            } => write!(f, "version {version} of pipeline {name} in {region}"),
            Self::Function { region, name } | Self::TaggedFunction { region, name } => {
                write!(f, "function {name} in {region}")
            }
            Self::Pipelines { region } => write!(f, "the pipelines in {region}"),
            Self::Functions { region } => write!(f, "the functions in {region}"),
            Self::Role { role } => write!(f, "role {role}"),
            Self::Roles => write!(f, "the roles of the account"),
            Self::InlinePolicyNames { role } => write!(f, "inline policies of role {role}"),
            Self::AttachedPolicies { role } => write!(f, "attached policies of role {role}"),
            Self::InlinePolicy { role, policy } => write!(f, "policy {policy} on role {role}"),
            Self::ManagedPolicy { arn } => write!(f, "policy {arn}"),
            Self::ManagedPolicyVersion { arn, version } => {
                write!(f, "version {version} of policy {arn}")
            }
            Self::FunctionVersion {
                region,
                name,
                qualifier,
            } => write!(f, "function {name}:{qualifier} in {region}"),
            Self::FunctionPolicy {
                region,
                name,
                qualifier: None,
            } => write!(f, "the policy of function {name} in {region}"),
            Self::FunctionPolicy {
                region,
                name,
                qualifier: Some(qualifier),
            } => write!(f, "the policy of function {name}:{qualifier} in {region}"),
            Self::FunctionConcurrency { region, name } => {
                write!(f, "the reserved concurrency of function {name} in {region}")
            }
            Self::Simulation {
                role,
                action,
                resource,
            } => write!(f, "{action} on {resource} by {role}, simulated"),
            Self::Organization => write!(f, "the organization"),
            Self::OrganizationParent { child } => write!(f, "the parent of {child}"),
            Self::ControlPolicies { target, kind } => {
                write!(f, "the {} of {target}", kind.as_str())
            }
            Self::ControlPolicy { id } => write!(f, "policy {id} of the organization"),
            Self::BucketPolicy { region, bucket } => {
                write!(f, "the policy of bucket {bucket} in {region}")
            }
            Self::KeyPolicy { key } => write!(f, "the policy of key {key}"),
            Self::PipelineState { region, name } => {
                write!(f, "the state of pipeline {name} in {region}")
            }
            Self::PipelineExecutions { region, name } => {
                write!(f, "the executions of pipeline {name} in {region}")
            }
            Self::ActionExecutions {
                region,
                name,
                execution: None,
            } => write!(f, "the actions' executions of pipeline {name} in {region}"),
            Self::ActionExecutions {
                region,
                name,
                execution: Some(id),
            } => write!(f, "execution {id} of pipeline {name} in {region}"),
            Self::FunctionInvokeConfig {
                region,
                name,
                qualifier: None,
            } => write!(
                f,
                "the asynchronous invocation of function {name} in {region}"
            ),
            Self::FunctionInvokeConfig {
                region,
                name,
                qualifier: Some(qualifier),
            } => write!(
                f,
                "the asynchronous invocation of function {name}:{qualifier} in {region}"
            ),
            Self::LogEvents { region, group, .. } => write!(f, "log group {group} in {region}"),
        }
    }
}

/// The answer to a [`Read`], of the same name. `None` means that AWS says that it does not exist.
///
/// What is large is boxed: thousands of them are held at once, and each takes as much as the largest.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Who the credentials are.
    CallerIdentity(CallerIdentity),
    /// The pipeline's document.
    Pipeline(Option<Box<PipelineDocument>>),
    /// The document as it was then; none where AWS does not have that version.
    PipelineVersion(Option<Box<PipelineDocument>>),
    /// The function's configuration.
    Function(Option<Box<Function>>),
    /// The function's configuration, with its tags.
    TaggedFunction(Option<Box<Function>>),
    /// The pipelines of a region.
    Pipelines(Listed),
    /// The functions of a region.
    Functions(Listed),
    /// The role.
    Role(Option<Box<Role>>),
    /// Every role of the account.
    Roles(Vec<RoleDetail>),
    /// The names of the inline policies; none where the role does not exist.
    InlinePolicyNames(Option<Vec<String>>),
    /// The attached managed policies; none where the role does not exist.
    AttachedPolicies(Option<Vec<AttachedPolicy>>),
    /// The inline policy.
    InlinePolicy(InlinePolicy),
    /// The managed policy's default version, for example `v1`.
    ManagedPolicy(Option<String>),
    /// The version's text, percent-encoding undone.
    ManagedPolicyVersion(Option<String>),
    /// The version's or alias's configuration.
    FunctionVersion(Option<Box<Function>>),
    /// The text of the function's own policy; none where it has none.
    FunctionPolicy(Option<String>),
    /// The reserved concurrency; none where none is reserved.
    FunctionConcurrency(Option<i32>),
    /// What IAM's simulator answers: `allowed`, `explicitDeny` or `implicitDeny`.
    Simulation(String),
    /// The organization; none where the account is in none.
    Organization(Option<Organization>),
    /// The unit or root over an account or a unit; none where the organization does not have it.
    OrganizationParent(Option<String>),
    /// The policies that are attached there; none where the organization does not have the target.
    ControlPolicies(Option<Vec<NamedControlPolicy>>),
    /// The policy's text.
    ControlPolicy(Option<String>),
    /// The text of the bucket's policy; none where it has none.
    BucketPolicy(Option<String>),
    /// The text of the key's policy; none where the key does not exist.
    KeyPolicy(Option<String>),
    /// How the stages stand.
    PipelineState(Option<PipelineState>),
    /// The newest executions, the newest first.
    PipelineExecutions(Option<Vec<ExecutionSummary>>),
    /// The actions, the newest first; none where the pipeline or the execution does not exist.
    ActionExecutions(Option<Vec<ActionExecution>>),
    /// How Lambda treats asynchronous calls; none where nobody has said how.
    FunctionInvokeConfig(Option<InvokeConfig>),
    /// The lines; none where the group does not exist.
    LogEvents(Option<LogLines>),
}

/// How Lambda treats the asynchronous calls of a function (api: GetFunctionEventInvokeConfig). What is `None` is as by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvokeConfig {
    /// How often it tries again after an error, 0 to 2.
    pub retries: Option<i32>,
    /// For how many seconds it keeps an event.
    pub max_age_seconds: Option<i32>,
    /// The ARN of where events go that it gave up.
    pub on_failure: Option<String>,
}

/// Lines of a log (api: FilterLogEvents), the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogLines {
    /// The lines.
    pub lines: Vec<LogLine>,
    /// True where there are more than were asked for.
    pub cut: bool,
}

/// One line of a log, as the function wrote it: it may hold anything, credentials among it.
#[derive(Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The stream, which for Lambda is one execution environment.
    pub stream: String,
    /// The text.
    pub message: String,
}

impl fmt::Debug for LogLine {
    /// Without the text: traces and failed assertions of callers must not carry what a function logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at_ms,
            stream,
            message,
        } = self;
        f.debug_struct("LogLine")
            .field("at_ms", at_ms)
            .field("stream", stream)
            .field("message", &message.len())
            .finish()
    }
}

/// Names of things that are there, in the order of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The names.
    pub names: Vec<String>,
    /// Of functions, what the list says beside the names, in their order; empty for pipelines.
    pub functions: Vec<ListedFunction>,
    /// False where there are more than were read.
    pub complete: bool,
}

/// A function in a list (api: ListFunctions, FunctionConfiguration): its tags are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedFunction {
    /// Its name.
    pub name: String,
    /// The ARN of the role as which it runs.
    pub role: String,
    /// The line for people.
    pub description: String,
}

/// What is read of an organization (api: DescribeOrganization).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id, for example `o-a1b2c3d4e5`.
    pub id: String,
    /// The management account, which no control policy affects.
    pub management: AccountId,
}

/// A control policy that is attached somewhere (api: ListPoliciesForTarget).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedControlPolicy {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Who the credentials are (api: GetCallerIdentity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account of the credentials.
    pub account: AccountId,
    /// The caller's ARN.
    pub arn: String,
}

/// What is read of a function (api: GetFunctionConfiguration). `None`: AWS does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The function's ARN.
    pub arn: String,
    /// The execution role.
    pub role: RoleArn,
    /// `Active`, `Pending`, `Inactive` or `Failed`.
    pub state: Option<String>,
    /// Why it is in that state, in AWS's words.
    pub state_reason: Option<String>,
    /// `Successful`, `Failed` or `InProgress`.
    pub last_update_status: Option<String>,
    /// Why the last update has that status, in AWS's words.
    pub last_update_reason: Option<String>,
    /// After how many seconds Lambda stops it.
    pub timeout_seconds: Option<i32>,
    /// `Zip` or `Image`.
    pub package_type: Option<String>,
    /// Its memory.
    pub memory_mb: Option<i32>,
    /// For example `python3.13`; none for an image.
    pub runtime: Option<String>,
    /// What Lambda calls; none for an image.
    pub handler: Option<String>,
    /// SHA-256 of the package, in base64.
    pub code_sha256: Option<String>,
    /// When it was last changed, for example `2026-11-22T15:04:05.000+0000`.
    pub last_modified: Option<String>,
    /// Where asynchronous events go that it did not take.
    pub dead_letter_arn: Option<String>,
    /// Its environment variables; `None`: AWS could not decrypt them for the caller.
    pub environment: Option<Variables>,
    /// The log group that it writes to; `None`: `/aws/lambda/NAME`.
    pub log_group: Option<String>,
    /// Its tags, where they were asked for.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Whether Lambda has taken over the last change of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It has.
    Ready,
    /// Not yet, in words.
    Waiting(String),
    /// It could not, in words.
    Failed(String),
}

impl Function {
    /// Whether the function can be invoked as it was last changed (api: FunctionConfiguration, State and LastUpdateStatus).
    /// `Inactive` is a function that was not invoked for long: the next invocation wakes it up.
    pub fn readiness(&self) -> Readiness {
        let because = |why: &Option<String>| {
            why.as_ref()
                .map_or_else(String::new, |why| format!(": {why}"))
        };
        match (self.state.as_deref(), self.last_update_status.as_deref()) {
            // Whatever it was before: Lambda is at it.
            (_, Some("InProgress")) => {
                Readiness::Waiting("its update is still in progress".to_owned())
            }
            (Some("Failed"), _) => Readiness::Failed(format!(
                "Lambda could not make it ready{}",
                because(&self.state_reason)
            )),
            (_, Some("Failed")) => Readiness::Failed(format!(
                "Lambda could not take the update over{}",
                because(&self.last_update_reason)
            )),
            (Some("Pending"), _) => Readiness::Waiting("its state is still Pending".to_owned()),
            _ => Readiness::Ready,
        }
    }
}

impl Fact {
    /// The readiness of the function that was asked for. One that is not found right behind its creation is not known
    /// everywhere yet.
    pub fn readiness(&self) -> Readiness {
        match self {
            Self::Function(Some(function)) | Self::TaggedFunction(Some(function)) => {
                function.readiness()
            }
            _ => Readiness::Waiting("AWS does not find it yet".to_owned()),
        }
    }
}

/// What is read of a role (api: GetRole).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's ARN.
    pub arn: RoleArn,
    /// The trust policy's text, percent-encoding undone.
    pub trust: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The permissions boundary's ARN.
    pub permissions_boundary: Option<String>,
}

/// A role with its policies (api: GetAccountAuthorizationDetails, RoleDetail).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDetail {
    /// The role.
    pub role: Role,
    /// The texts of the inline policies by name, percent-encoding undone.
    pub inline: BTreeMap<String, String>,
    /// The attached managed policies.
    pub attached: Vec<AttachedPolicy>,
}

/// A managed policy that is attached to a role (api: ListAttachedRolePolicies).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachedPolicy {
    /// The policy's name.
    pub name: String,
    /// The policy's ARN.
    pub arn: String,
}

/// An inline policy (api: GetRolePolicy), or which of the two things it needs is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InlinePolicy {
    /// The role itself does not exist.
    NoRole,
    /// The role has no policy of that name.
    Absent,
    /// The policy's text, percent-encoding undone.
    Present(String),
}
