//! The seam to AWS: what may be read and written, in model types.
//! It names no SDK and decides nothing; `aws` implements it for real accounts, tests for worlds in memory.

use std::future::Future;

use crate::model::account::AccountName;
use crate::model::execution::{ActionExecution, ExecutionId, ExecutionKey, ExecutionStatus};
pub use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::read::{Fact, Read};
use crate::model::wiring::PipelineKey;
use crate::model::write::{Write, Written};

/// Accounts that can be read and written.
pub trait Cloud {
    /// Asks one account one question.
    ///
    /// What does not exist is an answer, not an error.
    fn read(
        &self,
        account: &AccountName,
        read: &Read,
    ) -> impl Future<Output = Result<Fact, CloudError>>;

    /// Changes one account by one call.
    ///
    /// Deleting what is not there answers [`Written::AlreadyThere`].
    fn write(
        &self,
        account: &AccountName,
        write: &Write,
    ) -> impl Future<Output = Result<Written, CloudError>>;
}

/// Pipelines that can be started and followed.
pub trait Executions {
    /// Starts the pipeline (`codepipeline:StartPipelineExecution`).
    fn start(
        &self,
        pipeline: &PipelineKey,
    ) -> impl Future<Output = Result<ExecutionId, CloudError>>;

    /// Stops an execution after the actions that are under way (`codepipeline:StopPipelineExecution`).
    fn stop(
        &self,
        execution: &ExecutionKey,
        reason: &str,
    ) -> impl Future<Output = Result<(), CloudError>>;

    /// How an execution stands (`codepipeline:GetPipelineExecution`).
    fn status(
        &self,
        execution: &ExecutionKey,
    ) -> impl Future<Output = Result<ExecutionStatus, CloudError>>;

    /// The actions of an execution, the newest first, all pages (`codepipeline:ListActionExecutions`).
    fn actions(
        &self,
        execution: &ExecutionKey,
    ) -> impl Future<Output = Result<Vec<ActionExecution>, CloudError>>;
}
