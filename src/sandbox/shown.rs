//! Executions as GetPipelineState, ListActionExecutions and their like show them.
//! Reads only; which of them is asked for is known to `codepipeline`.

use serde_json::{Value, json};

use super::clock::seconds;
use super::execution::{ActionExecution, ActionStatus, Execution, Status};
use super::state::Pipeline;
use super::{structure, transitions};

/// A stage, in GetPipelineState.
pub(super) fn stage_state(pipeline: &Pipeline, stage: &Value) -> Value {
    let name = structure::name(stage, "name");
    let mut seen = json!({
        "stageName": name,
        "inboundTransitionState": transitions::seen(pipeline, name),
        "inboundExecutions": [],
        "actionStates": structure::actions(stage).iter().map(|a| action_state(pipeline, name, a)).collect::<Vec<_>>(),
    });
    let waiting: Vec<Value> = pipeline
        .executions
        .iter()
        .filter(|e| e.is_alive() && e.waiting && e.stage == name)
        .map(|e| json!({ "pipelineExecutionId": e.id, "status": "InProgress" }))
        .collect();
    let latest = pipeline
        .executions
        .iter()
        .rev()
        .find(|e| e.actions.iter().any(|a| a.stage == name));
    let Some(object) = seen.as_object_mut() else {
        return seen;
    };
    if let Some(first) = waiting.first() {
        object.insert("inboundExecution".to_owned(), first.clone());
    }
    object.insert("inboundExecutions".to_owned(), json!(waiting));
    if let Some(execution) = latest {
        let status = stage_status(execution, name);
        let latest =
            json!({ "pipelineExecutionId": execution.id, "status": status, "type": "STANDARD" });
        object.insert("latestExecution".to_owned(), latest);
    }
    seen
}

/// The status of a stage in an execution, from its actions.
fn stage_status(execution: &Execution, stage: &str) -> &'static str {
    let latest = latest_actions(execution, stage);
    let any = |status| latest.iter().any(|a| a.status == status);
    if execution.stage == stage && execution.is_alive() && !execution.waiting {
        return match execution.status {
            Status::Stopping => "Stopping",
            _ => "InProgress",
        };
    }
    if any(ActionStatus::Failed) {
        "Failed"
    } else if any(ActionStatus::Abandoned)
        || execution.status == Status::Stopped && execution.stage == stage
    {
        "Stopped"
    } else {
        "Succeeded"
    }
}

/// The last run of each action of a stage.
fn latest_actions<'a>(execution: &'a Execution, stage: &str) -> Vec<&'a ActionExecution> {
    let mut latest: Vec<&ActionExecution> = Vec::new();
    for action in execution.actions.iter().filter(|a| a.stage == stage) {
        latest.retain(|one| one.action != action.action);
        latest.push(action);
    }
    latest
}

fn action_state(pipeline: &Pipeline, stage: &str, action: &Value) -> Value {
    let name = structure::name(action, "name");
    let mut runs = pipeline
        .executions
        .iter()
        .rev()
        .flat_map(|e| e.actions.iter().rev());
    let Some(latest) = runs.find(|a| a.stage == stage && a.action == name) else {
        return json!({ "actionName": name });
    };
    let mut seen = json!({
        "actionExecutionId": latest.id,
        "status": latest.status.as_str(),
        "lastStatusChange": seconds(latest.updated),
    });
    put(&mut seen, "summary", latest.summary.as_deref());
    put(
        &mut seen,
        "externalExecutionId",
        latest.external_id.as_deref(),
    );
    if let Some(object) = seen.as_object_mut() {
        if let Some(percent) = latest.percent {
            object.insert("percentComplete".to_owned(), json!(percent));
        }
        if let Some(error) = &latest.error {
            let details = json!({ "code": error.code, "message": error.message });
            object.insert("errorDetails".to_owned(), details);
        }
    }
    json!({ "actionName": name, "latestExecution": seen })
}

/// A run of an action, in ListActionExecutions.
pub(super) fn detail(execution: &Execution, action: &ActionExecution) -> Value {
    let ActionExecution {
        id,
        stage,
        action: name,
        declared,
        status,
        started,
        updated,
        external_id,
        summary,
        percent: _,
        error,
        variables,
        retried: _,
    } = action;
    let mut result = json!({});
    put(&mut result, "externalExecutionId", external_id.as_deref());
    put(&mut result, "externalExecutionSummary", summary.as_deref());
    if let (Some(error), Some(object)) = (error, result.as_object_mut()) {
        let details = json!({ "code": error.code, "message": error.message });
        object.insert("errorDetails".to_owned(), details);
    }
    let mut input = json!({
        "actionTypeId": declared["actionTypeId"],
        "configuration": declared["configuration"],
        "resolvedConfiguration": declared["configuration"],
        "region": declared["region"],
        "inputArtifacts": [],
    });
    put(
        &mut input,
        "roleArn",
        declared.get("roleArn").and_then(Value::as_str),
    );
    put(
        &mut input,
        "namespace",
        declared.get("namespace").and_then(Value::as_str),
    );
    json!({
        "pipelineExecutionId": execution.id,
        "actionExecutionId": id,
        "pipelineVersion": execution.version,
        "stageName": stage,
        "actionName": name,
        "startTime": seconds(*started),
        "lastUpdateTime": seconds(*updated),
        "status": status.as_str(),
        "input": input,
        "output": { "outputArtifacts": [], "executionResult": result, "outputVariables": variables },
    })
}

fn put(object: &mut Value, key: &str, value: Option<&str>) {
    if let (Some(value), Some(object)) = (value, object.as_object_mut()) {
        object.insert(key.to_owned(), json!(value));
    }
}

/// An answer with the token of its next page.
pub(super) fn with_token(mut answer: Value, next: Option<&str>) -> Value {
    put(&mut answer, "nextToken", next);
    answer
}

/// What started an execution.
pub(super) fn trigger(execution: &Execution) -> Value {
    json!({ "triggerType": "StartPipelineExecution", "triggerDetail": execution.trigger })
}
