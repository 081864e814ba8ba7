//! What is known of a pipeline's executions: stages, actions, jobs and their statuses.
//! Values only; what happens to them is decided in `engine`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Moment;

/// Status of an execution, as GetPipelineExecution has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Superseded,
    Failed,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Superseded => "Superseded",
            Self::Failed => "Failed",
        }
    }
}

/// Status of an action, as ListActionExecutions has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ActionStatus {
    InProgress,
    Abandoned,
    Succeeded,
    Failed,
}

impl ActionStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Abandoned => "Abandoned",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Details {
    pub(super) code: String,
    pub(super) message: String,
}

/// One run of one action.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ActionExecution {
    pub(super) id: String,
    pub(super) stage: String,
    pub(super) action: String,
    /// The action as it stood in the pipeline when it was started.
    pub(super) declared: Value,
    pub(super) status: ActionStatus,
    pub(super) started: Moment,
    pub(super) updated: Moment,
    pub(super) external_id: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) percent: Option<u64>,
    pub(super) error: Option<Details>,
    pub(super) variables: Value,
    /// The stage was retried after it: it counts no more.
    pub(super) retried: bool,
}

/// One execution of a pipeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) status: Status,
    /// The pipeline's version at the start.
    pub(super) version: u64,
    pub(super) started: Moment,
    pub(super) updated: Moment,
    /// Who started it.
    pub(super) trigger: String,
    pub(super) reason: Option<String>,
    /// The stage that it is in, or that it waits for.
    pub(super) stage: String,
    /// The stage's actions as they stood when it was entered; empty while it waits.
    pub(super) entered: Vec<Value>,
    /// Whether it waits at the stage's entrance.
    pub(super) waiting: bool,
    pub(super) actions: Vec<ActionExecution>,
}

impl Execution {
    /// True while something may still happen.
    pub(super) fn is_alive(&self) -> bool {
        match self.status {
            Status::InProgress | Status::Stopping => true,
            Status::Stopped | Status::Succeeded | Status::Superseded | Status::Failed => false,
        }
    }

    /// Ends it without a result.
    pub(super) fn abandon(&mut self) {
        if self.is_alive() {
            self.status = Status::Stopped;
        }
        for action in &mut self.actions {
            if action.status == ActionStatus::InProgress {
                action.status = ActionStatus::Abandoned;
            }
        }
    }
}

/// A job that CodePipeline gave to a function.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The account whose callers may answer: the one of the role with which the action was run.
    pub(super) account: String,
    /// The region of the action.
    pub(super) region: String,
    /// The pipeline's account, region and name.
    pub(super) home: Home,
    pub(super) execution: String,
    pub(super) action: String,
    pub(super) open: bool,
    /// Grows with each sign of life, so that an older time-out means nothing.
    pub(super) generation: u32,
    pub(super) token: Option<String>,
    pub(super) first: Moment,
    /// The session of the action's role: its ARN and unique id, for the invocations that follow.
    pub(super) caller: super::caller::Caller,
    pub(super) function: String,
    /// `CodePipeline.job.data` without token and credentials.
    pub(super) data: Value,
    /// How often the function was invoked for it.
    pub(super) rounds: usize,
}

/// Where a pipeline is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
}
