//! Executions of pipelines: start, stop, look.
//! It starts and stops nothing of its own accord, and reads no job: a job's data holds credentials.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::RequestId;
use aws_sdk_codepipeline::primitives::DateTime;
use aws_sdk_codepipeline::types::{ActionExecutionDetail, ActionExecutionFilter};

use super::errors::{Call, Failure};
use super::pages::{Whole, names_another};
use super::{Answer, AwsCloud, Outcome};
use crate::cloud::{CloudError, Executions};
use crate::model::execution::{
    ActionError, ActionExecution, ActionStatus, ExecutionId, ExecutionKey, ExecutionStatus,
};
use crate::model::wiring::PipelineKey;

impl Executions for AwsCloud {
    async fn start(&self, pipeline: &PipelineKey) -> Result<ExecutionId, CloudError> {
        let operation = "codepipeline:StartPipelineExecution";
        self.call(
            &pipeline.account,
            operation,
            resource(pipeline),
            async |clients, call| {
                start(&clients.codepipeline(&pipeline.region), call, pipeline).await
            },
        )
        .await
    }

    async fn stop(&self, execution: &ExecutionKey, reason: &str) -> Result<(), CloudError> {
        let ExecutionKey { pipeline, id: _ } = execution;
        let operation = "codepipeline:StopPipelineExecution";
        self.call(
            &pipeline.account,
            operation,
            resource(pipeline),
            async |clients, call| {
                stop(
                    &clients.codepipeline(&pipeline.region),
                    call,
                    execution,
                    reason,
                )
                .await
            },
        )
        .await
    }

    async fn status(&self, execution: &ExecutionKey) -> Result<ExecutionStatus, CloudError> {
        let ExecutionKey { pipeline, id: _ } = execution;
        let operation = "codepipeline:GetPipelineExecution";
        self.call(
            &pipeline.account,
            operation,
            resource(pipeline),
            async |clients, call| {
                status(&clients.codepipeline(&pipeline.region), call, execution).await
            },
        )
        .await
    }

    async fn actions(&self, execution: &ExecutionKey) -> Result<Vec<ActionExecution>, CloudError> {
        let ExecutionKey { pipeline, id: _ } = execution;
        let operation = "codepipeline:ListActionExecutions";
        self.call(
            &pipeline.account,
            operation,
            resource(pipeline),
            async |clients, call| {
                actions(&clients.codepipeline(&pipeline.region), call, execution).await
            },
        )
        .await
    }
}

fn resource(pipeline: &PipelineKey) -> String {
    format!("pipeline {} in {}", pipeline.name, pipeline.region)
}

async fn start(client: &Client, call: &Call<'_>, pipeline: &PipelineKey) -> Outcome<ExecutionId> {
    let request = client
        .start_pipeline_execution()
        .name(pipeline.name.as_str());
    let output = request.send().await.map_err(|e| call.failed(&e))?;
    let request_id = output.request_id().map(str::to_owned);
    let id = output.pipeline_execution_id().and_then(ExecutionId::new);
    match id {
        Some(value) => Ok(Answer { value, request_id }),
        None => Err(Failure::malformed(
            "the answer has no pipelineExecutionId",
            request_id.as_deref(),
        )),
    }
}

async fn stop(
    client: &Client,
    call: &Call<'_>,
    execution: &ExecutionKey,
    reason: &str,
) -> Outcome<()> {
    let ExecutionKey { pipeline, id } = execution;
    let request = client
        .stop_pipeline_execution()
        .pipeline_name(pipeline.name.as_str())
        .pipeline_execution_id(id.as_str())
        .abandon(false)
        .reason(reason);
    let output = request.send().await.map_err(|e| call.failed(&e))?;
    Ok(Answer::of((), &output))
}

async fn status(
    client: &Client,
    call: &Call<'_>,
    execution: &ExecutionKey,
) -> Outcome<ExecutionStatus> {
    let ExecutionKey { pipeline, id } = execution;
    let request = client
        .get_pipeline_execution()
        .pipeline_name(pipeline.name.as_str())
        .pipeline_execution_id(id.as_str());
    let output = request.send().await.map_err(|e| call.failed(&e))?;
    let status = output.pipeline_execution().and_then(|e| e.status());
    Ok(Answer::of(
        status.map_or(ExecutionStatus::Unknown, |s| {
            ExecutionStatus::parse(s.as_str())
        }),
        &output,
    ))
}

async fn actions(
    client: &Client,
    call: &Call<'_>,
    execution: &ExecutionKey,
) -> Outcome<Vec<ActionExecution>> {
    let ExecutionKey { pipeline, id } = execution;
    let filter = ActionExecutionFilter::builder()
        .pipeline_execution_id(id.as_str())
        .build();
    let mut pages = client
        .list_action_executions()
        .pipeline_name(pipeline.name.as_str())
        .filter(filter)
        .into_paginator()
        .send();
    let (mut value, mut request_id) = (Vec::new(), None);
    let mut whole = Whole::default();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| call.failed(&e))?;
        request_id = page.request_id().map(str::to_owned);
        whole.page(names_another(page.next_token()), request_id.as_deref())?;
        value.extend(page.action_execution_details().iter().map(detail));
    }
    whole.end(request_id.as_deref())?;
    Ok(Answer { value, request_id })
}

/// One action, as AWS lists it.
pub(super) fn detail(detail: &ActionExecutionDetail) -> ActionExecution {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let result = detail.output().and_then(|o| o.execution_result());
    let error = result.and_then(|r| r.error_details());
    ActionExecution {
        id: text(detail.action_execution_id()),
        execution: detail.pipeline_execution_id().and_then(ExecutionId::new),
        stage: text(detail.stage_name()),
        action: text(detail.action_name()),
        status: detail
            .status()
            .map_or(ActionStatus::Unknown, |s| ActionStatus::parse(s.as_str())),
        started: detail.start_time().map(DateTime::secs),
        updated: detail.last_update_time().map(DateTime::secs),
        pipeline_version: detail.pipeline_version().map(i64::from),
        role: detail
            .input()
            .and_then(|input| input.role_arn())
            .map(str::to_owned),
        summary: result
            .and_then(|r| r.external_execution_summary())
            .map(str::to_owned),
        external_id: result
            .and_then(|r| r.external_execution_id())
            .map(str::to_owned),
        error: error.map(|error| ActionError {
            code: error.code().map(str::to_owned),
            message: error.message().map(str::to_owned),
        }),
    }
}
