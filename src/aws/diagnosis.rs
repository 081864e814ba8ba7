//! What a gate that does not work is asked about: how the pipeline stands, what ran in it, how the function is called, its log.
//! Reads only; it looks at no job, whose data holds credentials, and decides nothing.

use aws_sdk_codepipeline::primitives::DateTime;
use aws_sdk_codepipeline::types::{
    ActionExecutionFilter, PipelineExecutionSummary, StageExecution, StageState as SdkStageState,
};

use super::errors::{Call, SdkError, ServiceError, is_absent};
use super::executions::detail;
use super::{Answer, Outcome};
use crate::model::execution::{
    ExecutionId, ExecutionStatus, ExecutionSummary, PipelineState, StageState, Transition,
};
use crate::model::name::{FunctionName, PipelineName};
use crate::model::read::{Fact, InvokeConfig, LogLine, LogLines};

/// How many executions, or actions, a page holds at most (api: ListPipelineExecutions, ListActionExecutions).
const PAGE: i32 = 100;
/// How many pages are read of one execution's actions, or of one log, at most: what answers with ever more pages is not asked for
/// ever.
const PAGES: usize = 50;

/// `codepipeline:GetPipelineState`.
pub(super) async fn pipeline_state(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
) -> Outcome<Fact> {
    let request = client.get_pipeline_state().name(name.as_str());
    match request.send().await {
        Ok(output) => Ok(Answer::of(
            Fact::PipelineState(Some(PipelineState {
                stages: output.stage_states().iter().map(stage).collect(),
            })),
            &output,
        )),
        Err(e) => absent_or_failed(call, &e, Fact::PipelineState(None)),
    }
}

fn stage(state: &SdkStageState) -> StageState {
    let id = |one: &StageExecution| ExecutionId::new(one.pipeline_execution_id());
    let mut waiting: Vec<ExecutionId> = state.inbound_executions().iter().filter_map(id).collect();
    if let Some(one) = state.inbound_execution().and_then(id)
        && !waiting.contains(&one)
    {
        waiting.push(one);
    }
    StageState {
        name: state.stage_name().unwrap_or_default().to_owned(),
        inbound: state.inbound_transition_state().map(|way| Transition {
            enabled: way.enabled(),
            reason: way.disabled_reason().map(str::to_owned),
            changed_by: way.last_changed_by().map(str::to_owned),
            changed_at: way.last_changed_at().map(DateTime::secs),
        }),
        waiting,
        latest: state.latest_execution().and_then(|one| {
            let status = ExecutionStatus::parse(one.status().as_str());
            Some((id(one)?, status))
        }),
    }
}

/// `codepipeline:ListPipelineExecutions`: the newest page.
pub(super) async fn pipeline_executions(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
) -> Outcome<Fact> {
    let request = client
        .list_pipeline_executions()
        .pipeline_name(name.as_str())
        .max_results(PAGE);
    match request.send().await {
        Ok(output) => {
            let summaries = output.pipeline_execution_summaries();
            Ok(Answer::of(
                Fact::PipelineExecutions(Some(summaries.iter().filter_map(summary).collect())),
                &output,
            ))
        }
        Err(e) => absent_or_failed(call, &e, Fact::PipelineExecutions(None)),
    }
}

fn summary(one: &PipelineExecutionSummary) -> Option<ExecutionSummary> {
    Some(ExecutionSummary {
        id: ExecutionId::new(one.pipeline_execution_id()?)?,
        status: one.status().map_or(ExecutionStatus::Unknown, |status| {
            ExecutionStatus::parse(status.as_str())
        }),
        started: one.start_time().map(DateTime::secs),
        updated: one.last_update_time().map(DateTime::secs),
    })
}

/// `codepipeline:ListActionExecutions`: the pages of one execution ([`PAGES`] at most), or the newest page of all.
pub(super) async fn action_executions(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
    execution: Option<&ExecutionId>,
) -> Outcome<Fact> {
    let filter = execution.map(|id| {
        ActionExecutionFilter::builder()
            .pipeline_execution_id(id.as_str())
            .build()
    });
    let (mut actions, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        pages += 1;
        let request = client
            .list_action_executions()
            .pipeline_name(name.as_str())
            .set_filter(filter.clone())
            .max_results(PAGE)
            .set_next_token(token);
        let output = match request.send().await {
            Ok(output) => output,
            Err(e) => return absent_or_failed(call, &e, Fact::ActionExecutions(None)),
        };
        actions.extend(output.action_execution_details().iter().map(detail));
        token = output.next_token().map(str::to_owned);
        if execution.is_none() || token.is_none() || pages == PAGES {
            return Ok(Answer::of(Fact::ActionExecutions(Some(actions)), &output));
        }
    }
}

/// `lambda:GetFunctionEventInvokeConfig`: a function for which nobody has set one is answered like one that does not exist.
pub(super) async fn invoke_config(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
    qualifier: Option<&str>,
) -> Outcome<Fact> {
    let request = client
        .get_function_event_invoke_config()
        .function_name(name.as_str())
        .set_qualifier(qualifier.map(str::to_owned));
    match request.send().await {
        Ok(output) => {
            let failure = output.destination_config().and_then(|d| d.on_failure());
            let config = InvokeConfig {
                retries: output.maximum_retry_attempts(),
                max_age_seconds: output.maximum_event_age_in_seconds(),
                on_failure: failure.and_then(|f| f.destination()).map(str::to_owned),
            };
            Ok(Answer::of(
                Fact::FunctionInvokeConfig(Some(config)),
                &output,
            ))
        }
        Err(e) => absent_or_failed(call, &e, Fact::FunctionInvokeConfig(None)),
    }
}

/// What is asked of a log.
pub(super) struct LogQuestion<'a> {
    pub(super) group: &'a str,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) filter: Option<&'a str>,
    pub(super) limit: u32,
}

/// `logs:FilterLogEvents`. A page may be empty although more follow (api: FilterLogEvents), so pages are read until there are
/// enough lines or no more pages, [`PAGES`] at most.
pub(super) async fn log_events(
    client: &aws_sdk_cloudwatchlogs::Client,
    call: &Call<'_>,
    question: &LogQuestion<'_>,
) -> Outcome<Fact> {
    let LogQuestion {
        group,
        from_ms,
        to_ms,
        filter,
        limit,
    } = *question;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut lines, mut token): (Vec<LogLine>, Option<String>) = (Vec::new(), None);
    let mut pages = 0;
    loop {
        pages += 1;
        let left = limit.saturating_sub(lines.len()).clamp(1, 10_000);
        let request = client
            .filter_log_events()
            .log_group_name(group)
            .start_time(from_ms)
            .end_time(to_ms)
            .set_filter_pattern(filter.map(str::to_owned))
            .limit(i32::try_from(left).unwrap_or(10_000))
            .set_next_token(token);
        let output = match request.send().await {
            Ok(output) => output,
            Err(e) => return absent_or_failed(call, &e, Fact::LogEvents(None)),
        };
        lines.extend(output.events().iter().map(|event| LogLine {
            at_ms: event.timestamp().unwrap_or(from_ms),
            stream: event.log_stream_name().unwrap_or_default().to_owned(),
            // Lambda ends each with a line break.
            message: event.message().unwrap_or_default().trim_end().to_owned(),
        }));
        token = output.next_token().map(str::to_owned);
        if token.is_none() || lines.len() >= limit || pages == PAGES {
            let cut = token.is_some();
            return Ok(Answer::of(
                Fact::LogEvents(Some(LogLines { lines, cut })),
                &output,
            ));
        }
    }
}

/// What is not there is an answer, not an error. An execution that a pipeline does not have is refused with a code of its own.
fn absent_or_failed<E: ServiceError>(
    call: &Call<'_>,
    error: &SdkError<E>,
    absent: Fact,
) -> Outcome<Fact> {
    let unknown_execution = aws_sdk_codepipeline::error::ProvideErrorMetadata::code(error)
        == Some("PipelineExecutionNotFoundException");
    if is_absent(error) || unknown_execution {
        return Ok(Answer::of(absent, error));
    }
    Err(call.failed(error))
}
