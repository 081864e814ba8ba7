//! The plan as a value: what would change and why, the calls that bring it about, and what stands in the way.
//! It is shown, carried out or checked, always the same value; nothing here computes it.

use std::fmt;
use std::path::PathBuf;

use super::account::{AccountId, AccountName, Region};
use super::failure::CloudError;
use super::json_text::JsonText;
use super::name::{GateName, Project};
use super::pipeline::{PatchRequest, PipelineDocument};
use super::read::Function;
use super::resource_policy::PolicyUpdate;
use super::wiring::{FunctionKey, PipelineKey};
use super::write::Write;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// The gates shall be there.
    Bootstrap,
    /// The gates shall be gone.
    Teardown,
}

/// The kinds of object that a change may be about, as they stand in the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// An invoke role, or an execution role that the manifest makes.
    IamRole,
    /// The trust policy of one.
    IamTrustPolicy,
    /// The invoke role's tags.
    IamRoleTags,
    /// The invoke role's permissions boundary.
    IamPermissionsBoundary,
    /// One of our inline policies.
    IamInlinePolicy,
    /// A policy on an invoke role of ours that we did not put there.
    IamUnexpectedPolicy,
    /// A function that the manifest makes.
    LambdaFunction,
    /// Its code.
    LambdaFunctionCode,
    /// Its runtime, handler, timeout, memory, environment and execution role.
    LambdaFunctionConfiguration,
    /// Its tags.
    LambdaFunctionTags,
    /// The policy of a bucket of artifacts: our statements in it.
    S3BucketPolicy,
    /// The policy of their key: our statements in it.
    KmsKeyPolicy,
    /// The action in the pipeline.
    PipelineAction,
    /// A whole pipeline document: `restore` only.
    Pipeline,
}

impl ChangeKind {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IamRole => "iam_role",
            Self::IamTrustPolicy => "iam_trust_policy",
            Self::IamRoleTags => "iam_role_tags",
            Self::IamPermissionsBoundary => "iam_permissions_boundary",
            Self::IamInlinePolicy => "iam_inline_policy",
            Self::IamUnexpectedPolicy => "iam_unexpected_policy",
            Self::LambdaFunction => "lambda_function",
            Self::LambdaFunctionCode => "lambda_function_code",
            Self::LambdaFunctionConfiguration => "lambda_function_configuration",
            Self::LambdaFunctionTags => "lambda_function_tags",
            Self::S3BucketPolicy => "s3_bucket_policy",
            Self::KmsKeyPolicy => "kms_key_policy",
            Self::PipelineAction => "pipeline_action",
            Self::Pipeline => "pipeline",
        }
    }

    /// The kind in words.
    pub fn noun(self) -> &'static str {
        match self {
            Self::IamRole => "role",
            Self::IamTrustPolicy => "trust policy of role",
            Self::IamRoleTags => "tags of role",
            Self::IamPermissionsBoundary => "permissions boundary of role",
            Self::IamInlinePolicy => "inline policy",
            Self::IamUnexpectedPolicy => "unexpected policy",
            Self::LambdaFunction => "function",
            Self::LambdaFunctionCode => "code of function",
            Self::LambdaFunctionConfiguration => "configuration of function",
            Self::LambdaFunctionTags => "tags of function",
            Self::S3BucketPolicy => "policy of bucket",
            Self::KmsKeyPolicy => "policy of key",
            Self::PipelineAction => "pipeline action",
            Self::Pipeline => "pipeline",
        }
    }
}

/// What happens to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeAction {
    /// It is not there and shall be.
    Create,
    /// It is there and differs.
    Update,
    /// It is there and shall not be.
    Delete,
}

impl ChangeAction {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// `+`, `~` or `-`.
    pub fn sign(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
        }
    }
}

/// One object that is not as it shall be.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Stable from run to run: kind, account id and resource, for example `iam_role/222222222222/crossgate-checkout-validate`.
    pub id: String,
    /// The account's name in the manifest.
    pub account: AccountName,
    /// The account's id.
    pub account_id: AccountId,
    /// The region; none for IAM, which has no regions.
    pub region: Option<Region>,
    /// The kind of object.
    pub kind: ChangeKind,
    /// The object's name: `role`, `role/policy`, or `pipeline/stage/action`.
    pub resource: String,
    /// What happens to it.
    pub action: ChangeAction,
    /// The gates that need the object, sorted.
    pub gates: Vec<GateName>,
    /// Why, in words.
    pub reason: String,
    /// As it is: a policy document, a map of tags, an action; none where there is nothing.
    pub before: Option<JsonText>,
    /// As it shall be.
    pub after: Option<JsonText>,
    /// Why an apply leaves it as it is, where it does; then no step belongs to it.
    pub held: Option<String>,
}

/// A call, or a pipeline update, that brings about one or more changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The account in which it is made.
    pub account: AccountName,
    /// The changes that it brings about: indices into [`Plan::changes`].
    pub changes: Vec<usize>,
    /// The steps that must be done before: indices into [`Plan::steps`], all smaller than this step's own.
    pub after: Vec<usize>,
    /// The work.
    pub work: Work,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// One call. `settling`: it may meet a role that this run has made and that IAM does not know everywhere yet.
    Write {
        /// The call.
        write: Write,
        /// Whether the errors of a role that is not settled are waited out.
        settling: bool,
    },
    /// One call that Lambda goes on with after its answer: send it, then wait until the function is ready.
    Function(Box<FunctionUpdate>),
    /// Read the policy of a bucket or a key again, put our statements in, save the old text, send the new one.
    Policy(Box<PolicyUpdate>),
    /// Read the pipeline again, patch it, save the old document, send the new one.
    Pipeline(Box<PipelineUpdate>),
}

/// A planned change of one function that takes Lambda some time: until it is over, no other change is accepted, and a new
/// function cannot be invoked (Lambda developer guide, "Lambda function states").
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionUpdate {
    /// The function.
    pub function: FunctionKey,
    /// The call.
    pub write: Write,
    /// What the plan was made from; none for a function that was not there.
    pub basis: Option<FunctionBasis>,
}

/// What a change of a function relies on. Lambda's own `RevisionId` would not do: it changes whenever the function is ready.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionBasis {
    /// The tag by which the function is the project's.
    pub tag: (&'static str, String),
    /// The hashes of code that this run knows: the one that was found, and the one that it sends.
    pub codes: Vec<String>,
}

impl FunctionBasis {
    /// Why the change must not be made, held against the function as it is now: it may be somebody else's, or hold what somebody
    /// deployed while a person looked at the plan.
    pub fn stale(&self, key: &FunctionKey, fresh: &Function) -> Option<String> {
        let Self {
            tag: (tag, project),
            codes,
        } = self;
        let found = fresh.tags.as_ref().and_then(|tags| tags.get(*tag));
        if found != Some(project) {
            return Some(format!(
                "{key} has lost its tag `{tag}` since the plan was made: it is not this project's any more"
            ));
        }
        let code = fresh.code_sha256.as_ref();
        code.is_some_and(|code| !codes.contains(code)).then(|| {
            format!(
                "{key} has other code than when the plan was made: somebody deployed it meanwhile"
            )
        })
    }
}

/// A planned update of one pipeline: one UpdatePipeline, however many gates.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineUpdate {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The version that the plan was made from.
    pub version: Option<u64>,
    /// What is done to the document.
    pub edit: PipelineEdit,
}

/// What is done to a pipeline document.
#[derive(Debug, Clone, PartialEq)]
pub enum PipelineEdit {
    /// Actions are put in and taken out; this is done again if the document has moved since the plan.
    Patch {
        /// Which ones.
        request: PatchRequest,
        /// The service role that the plan was made for: if it has changed, the policies of this plan are on the wrong role.
        service_role: String,
    },
    /// The whole document is put back as it was saved; not if it has moved since the plan, as nobody has seen what would go.
    Restore {
        /// The document as it was saved.
        saved: Box<PipelineDocument>,
        /// The document that the plan was made from.
        shown: Box<PipelineDocument>,
    },
}

impl PipelineUpdate {
    /// The gates that it is about.
    pub fn gates(&self) -> Vec<GateName> {
        match &self.edit {
            PipelineEdit::Patch { request, .. } => {
                let put = request.put.iter().map(|spec| &spec.gate);
                let removed = request.remove.iter().map(|spec| &spec.gate);
                put.chain(removed).cloned().collect()
            }
            PipelineEdit::Restore { .. } => Vec::new(),
        }
    }
}

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// To be known; nothing is stopped by it.
    Warning,
    /// What the manifest wants cannot be had, or must not be done: nothing is written.
    Blocked,
    /// Something could not be read: what is said of the rest is not the whole.
    Incomplete,
}

impl Severity {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Blocked => "blocked",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Something that a person must know before, or instead of, an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable code, for example `role_conflict`.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The account that it is about.
    pub account: Option<AccountName>,
    /// The gates that it is about, sorted.
    pub gates: Vec<GateName>,
    /// What is the matter.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What would be done, what stands in the way, and the calls that do it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the plan is for.
    pub intent: Intent,
    /// The project.
    pub project: Project,
    /// The gates that it is about, sorted.
    pub gates: Vec<GateName>,
    /// What is not as it shall be, sorted by account and then in the order of design.md's table.
    pub changes: Vec<Change>,
    /// The calls, in an order in which they may be made.
    pub steps: Vec<Step>,
    /// What is to be known.
    pub problems: Vec<Problem>,
}

impl Plan {
    /// The gravest problem's severity.
    pub fn severity(&self) -> Option<Severity> {
        self.problems.iter().map(|p| p.severity).max()
    }

    /// True when nothing stands in the way of an apply.
    pub fn may_apply(&self) -> bool {
        self.severity().is_none_or(|s| s == Severity::Warning)
    }

    /// True when everything is as it shall be, and all of it was seen.
    pub fn is_in_sync(&self) -> bool {
        self.changes.is_empty() && self.may_apply()
    }

    /// Counts the changes that an apply would make: (create, update, delete).
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |action| {
            let wanted = |c: &&Change| c.action == action && c.held.is_none();
            self.changes.iter().filter(wanted).count()
        };
        (
            of(ChangeAction::Create),
            of(ChangeAction::Update),
            of(ChangeAction::Delete),
        )
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done now.
    Done,
    /// Nothing was left to do.
    AlreadyThere,
    /// Left as it is, with the reason.
    Kept(String),
    /// The call failed.
    Failed(Failure),
    /// Not tried, because of another change (its id).
    Skipped {
        /// The id of the change whose failure is the cause, or a reason such as an interruption.
        because_of: String,
    },
}

impl Outcome {
    /// The name in the JSON output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyThere => "already_there",
            Self::Kept(_) => "kept",
            Self::Failed(_) => "failed",
            Self::Skipped { .. } => "skipped",
        }
    }
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// AWS refused, or did not answer.
    Cloud(Box<CloudError>),
    /// The world has moved since the plan in a way that the plan does not cover.
    Stale {
        /// What has moved.
        message: String,
    },
    /// Lambda has accepted a change of a function, and it did not become ready.
    NotReady {
        /// Which function, and what Lambda says of it.
        message: String,
    },
    /// The old document of a pipeline, or policy of a bucket or key, could not be saved, so the new one was not sent.
    Backup {
        /// The file and what the system said.
        message: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cloud(error) => write!(f, "{error}"),
            Self::Stale { message } | Self::NotReady { message } | Self::Backup { message } => {
                f.write_str(message)
            }
        }
    }
}

impl Failure {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Cloud(error) => error.hint.as_deref(),
            Self::Stale { .. } => Some("run the command again: it plans from what is there now"),
            Self::NotReady { .. } => Some(
                "look at the function in Lambda; when it is ready, run the command again: it continues from what is there",
            ),
            Self::Backup { .. } => Some("make the folder writable; nothing was sent"),
        }
    }
}

/// What an apply did.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One outcome for each change of the plan, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// The files in which old pipeline documents, and policies of buckets and keys, were saved.
    pub backups: Vec<PathBuf>,
    /// What came up on the way and must be known, for example that somebody else wrote a pipeline in between.
    pub problems: Vec<Problem>,
    /// How many write calls AWS accepted.
    pub writes: usize,
}
