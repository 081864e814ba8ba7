//! Executions of a pipeline as AWS tells them: which action stands where, and what it said.
//! Values only; what they mean for a gate is decided in `follow`.

use std::fmt;

use super::account::AccountName;
use super::wiring::PipelineKey;

/// The id of an execution, as AWS gave it or a person named it: `[A-Za-z0-9-]{1,100}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(String);

impl ExecutionId {
    /// Takes what has the form of an execution's id.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One execution of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionKey {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The execution.
    pub id: ExecutionId,
}

impl ExecutionKey {
    /// The account in which the execution runs.
    pub fn account(&self) -> &AccountName {
        &self.pipeline.account
    }
}

/// How an execution stands (api: PipelineExecution).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// It runs.
    InProgress,
    /// It came to its end.
    Succeeded,
    /// An action failed.
    Failed,
    /// Somebody stopped it, and actions are still under way.
    Stopping,
    /// Somebody stopped it.
    Stopped,
    /// A newer execution took its place.
    Superseded,
    /// The pipeline was changed while it ran.
    Cancelled,
    /// A word that AWS has not documented yet.
    Unknown,
}

impl ExecutionStatus {
    /// Parses AWS's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "InProgress" => Self::InProgress,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Stopping" => Self::Stopping,
            "Stopped" => Self::Stopped,
            "Superseded" => Self::Superseded,
            "Cancelled" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }

    /// True when nothing more will happen in the execution by itself.
    pub fn is_over(self) -> bool {
        match self {
            Self::InProgress | Self::Stopping | Self::Unknown => false,
            Self::Succeeded | Self::Failed | Self::Stopped | Self::Superseded | Self::Cancelled => {
                true
            }
        }
    }

    /// The status in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::InProgress => "in progress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Superseded => "superseded by a newer execution",
            Self::Cancelled => "cancelled",
            Self::Unknown => "in a state that crossgate does not know",
        }
    }
}

/// How an action stands (api: ActionExecutionDetail).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionStatus {
    /// It runs, or waits.
    InProgress,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It was given up when the execution was stopped.
    Abandoned,
    /// A word that AWS has not documented yet.
    Unknown,
}

impl ActionStatus {
    /// Parses AWS's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "InProgress" => Self::InProgress,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Abandoned" => Self::Abandoned,
            _ => Self::Unknown,
        }
    }

    /// The status in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::InProgress => "in progress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Unknown => "unknown",
        }
    }
}

/// One execution of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionExecution {
    /// The id of this attempt: a retried stage gives its actions new ones.
    pub id: String,
    /// The execution of the pipeline that it belongs to, where AWS says so.
    pub execution: Option<ExecutionId>,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// How it stands.
    pub status: ActionStatus,
    /// When it began, in seconds since 1970, where AWS says so.
    pub started: Option<i64>,
    /// When it last changed, in seconds since 1970: of one that is over, when it ended.
    pub updated: Option<i64>,
    /// The pipeline's version that it ran with.
    pub pipeline_version: Option<i64>,
    /// The role that CodePipeline took for the action, where the action names one.
    pub role: Option<String>,
    /// What the function said of itself (`executionDetails.summary` of its answer).
    pub summary: Option<String>,
    /// The id that the function gave (`executionDetails.externalExecutionId`).
    pub external_id: Option<String>,
    /// Why it failed: AWS's code and the message, which for a gate is the function's.
    pub error: Option<ActionError>,
}

/// Why an action failed (api: ErrorDetails).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionError {
    /// AWS's code, for example `JobFailed`.
    pub code: Option<String>,
    /// The message.
    pub message: Option<String>,
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, message } = self;
        match (code, message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => f.write_str("no reason was given"),
        }
    }
}

/// One execution in a pipeline's list (api: PipelineExecutionSummary).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionSummary {
    /// Its id.
    pub id: ExecutionId,
    /// How it stands.
    pub status: ExecutionStatus,
    /// When it began, in seconds since 1970, where AWS says so.
    pub started: Option<i64>,
    /// When it last changed, in seconds since 1970, where AWS says so.
    pub updated: Option<i64>,
}

/// How a pipeline's stages stand now (api: GetPipelineState).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PipelineState {
    /// The stages, in the pipeline's order.
    pub stages: Vec<StageState>,
}

/// How one stage stands (api: StageState).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageState {
    /// Its name.
    pub name: String,
    /// Whether executions may enter it; none for a first stage.
    pub inbound: Option<Transition>,
    /// The executions that wait to enter it (`inboundExecutions`, or `inboundExecution` of older answers).
    pub waiting: Vec<ExecutionId>,
    /// The execution that was in it last, and how that stands here.
    pub latest: Option<(ExecutionId, ExecutionStatus)>,
}

/// The way into a stage (api: TransitionState).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Whether executions may pass.
    pub enabled: bool,
    /// Why somebody closed it (`disabledReason`).
    pub reason: Option<String>,
    /// Who changed it last, as AWS says it.
    pub changed_by: Option<String>,
    /// When, in seconds since 1970.
    pub changed_at: Option<i64>,
}

impl PipelineState {
    /// The stage of that name.
    pub fn stage(&self, name: &str) -> Option<&StageState> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}
