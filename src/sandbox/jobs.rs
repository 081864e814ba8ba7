//! Jobs: the hops from a pipeline to a function, the job's event, and what becomes of the answer.
//! Each hop is authorized as the one who makes it; which action is next is decided in `engine`.
//!
//! Source: domain.md ("The hops") and the CodePipeline user guide, "Lambda" action reference, "Quotas". Codes and messages
//! of failed actions are this program's own where no public text quotes AWS's.

use std::time::Duration;

use serde_json::{Value, json};

use super::authorize::Ask;
use super::caller::Caller;
use super::clock::wall;
use super::engine::{finish, settle};
use super::execution::{ActionStatus, Details, Home, Job};
use super::records::CallRecord;
use super::state::{Role, State, Timer};
use super::{lambda, structure, sts};

/// How long a function may take to answer (guide: limits).
const ANSWER: Duration = Duration::from_mins(20);
/// How long it may go on asking for more time (guide: limits).
const LONGEST: Duration = Duration::from_hours(24);
/// When a function with a continuation token is invoked again. AWS does not say; this is the sandbox's own.
const AGAIN: Duration = Duration::from_secs(30);
/// What the credentials for artifacts may do. The sandbox's own: that they may not answer is reported (aws/aws-cdk#15235).
const ARTIFACTS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject*","s3:PutObject*","s3:GetBucket*","kms:Decrypt","kms:Encrypt","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}]}"#;

/// CodePipeline's session of a pipeline's service role (hop 0).
pub(super) fn service_session(state: &State, role: &str) -> Result<Caller, String> {
    let service = Caller::service("codepipeline.amazonaws.com");
    sts::session(state, &service, role, "codepipeline").map(|(caller, _)| caller)
}

/// The session of an action's own role, made by the service role's (hop 1).
pub(super) fn action_session(
    state: &State,
    service: &Caller,
    role: &str,
) -> Result<(Caller, Role), String> {
    sts::session(state, service, role, "codepipeline")
}

/// Goes through the hops up to the invocation.
pub(super) fn invoke(
    state: &mut State,
    home: &Home,
    execution: &str,
    action: &str,
    declared: &Value,
) -> Result<(), Details> {
    let pipeline = state.pipeline(&home.account, &home.region, &home.name);
    let document = pipeline.map(|p| p.document.clone()).unwrap_or_default();
    let service_role = structure::name(&document, "roleArn").to_owned();
    let service = Caller::service("codepipeline.amazonaws.com");
    let decided = sts::session(state, &service, &service_role, "codepipeline");
    record(state, "sts", "AssumeRole", &service, decided.as_ref().err());
    let (mut caller, mut role) = decided.map_err(|_| {
        permission(format!(
            "CodePipeline is not authorized to perform AssumeRole on role {service_role}"
        ))
    })?;
    let own = structure::name(declared, "roleArn");
    if !own.is_empty() {
        let decided = action_session(state, &caller, own);
        record(state, "sts", "AssumeRole", &caller, decided.as_ref().err());
        (caller, role) = decided.map_err(|_| {
            permission(format!(
                "{service_role} is not authorized to perform AssumeRole on role {own}"
            ))
        })?;
    }
    let region = match structure::name(declared, "region") {
        "" => home.region.clone(),
        other => other.to_owned(),
    };
    let configuration = declared.get("configuration").cloned().unwrap_or(json!({}));
    let function = structure::name(&configuration, "FunctionName").to_owned();
    // The guide: pipelines with Lambda actions fail without it (actions-invoke-lambda-function).
    let listed = Ask::new(&caller, "lambda:ListFunctions", "*")
        .region(&region)
        .check(state);
    record(
        state,
        "lambda",
        "ListFunctions",
        &caller,
        listed.as_ref().err(),
    );
    listed.map_err(permission)?;
    let id = state.random.uuid();
    let now = state.clock.now();
    let job = Job {
        account: caller.account.clone(),
        region,
        home: home.clone(),
        execution: execution.to_owned(),
        action: action.to_owned(),
        open: true,
        generation: 0,
        token: None,
        first: now,
        caller,
        function,
        data: data(&document, declared, &configuration),
        rounds: 0,
    };
    state.jobs.insert(id.clone(), job);
    send(state, &id, &role)
}

/// Invokes the function with a job, and waits for its answer.
fn send(state: &mut State, id: &str, role: &Role) -> Result<(), Details> {
    let Some(job) = state.jobs.get(id).cloned() else {
        return Ok(());
    };
    let event = event(state, id, &job, role);
    let sent = lambda::invoke_for_job(state, &job, id, &event);
    record(
        state,
        "lambda",
        "Invoke",
        &job.caller,
        sent.as_ref().err().map(|r| &r.message),
    );
    let refused = sent.err();
    let generation = match state.jobs.get_mut(id) {
        Some(job) => {
            job.open = refused.is_none();
            job.generation += 1;
            job.generation
        }
        None => 0,
    };
    if let Some(refused) = refused {
        return Err(if refused.code == "ResourceNotFoundException" {
            Details {
                code: "ConfigurationError".to_owned(),
                message: format!(
                    "The AWS Lambda function {} cannot be found: {}",
                    job.function, refused.message
                ),
            }
        } else {
            permission(refused.message)
        });
    }
    let job = id.to_owned();
    state.after(ANSWER, Timer::GiveUp { job, generation });
    Ok(())
}

/// `CodePipeline.job.data` as documented (guide: actions-invoke-lambda-function, "Example JSON event").
fn data(document: &Value, declared: &Value, configuration: &Value) -> Value {
    let store = document.get("artifactStore").or_else(|| {
        let stores = document.get("artifactStores")?.as_object()?;
        stores.values().next()
    });
    let bucket = store
        .map(|s| structure::name(s, "location"))
        .unwrap_or_default();
    let pipeline = structure::name(document, "name");
    let artifacts = |key: &str| -> Vec<Value> {
        let named = declared.get(key).and_then(Value::as_array);
        let artifact = |one: &Value| {
            let name = structure::name(one, "name");
            json!({
                "name": name,
                "revision": null,
                "location": {
                    "type": "S3",
                    "s3Location": { "bucketName": bucket, "objectKey": format!("{pipeline}/{name}/sandbox") },
                },
            })
        };
        named.into_iter().flatten().map(artifact).collect()
    };
    let mut data = json!({
        "actionConfiguration": { "configuration": configuration },
        "inputArtifacts": artifacts("inputArtifacts"),
        "outputArtifacts": artifacts("outputArtifacts"),
    });
    if let (Some(key), Some(object)) = (
        store.and_then(|s| s.get("encryptionKey")),
        data.as_object_mut(),
    ) {
        object.insert("encryptionKey".to_owned(), key.clone());
    }
    data
}

/// The name of the session behind `artifactCredentials`: the moment in milliseconds (aws/aws-cdk#15235).
fn session_name() -> String {
    wall().as_millis().to_string()
}

/// Whoever calls with a job's `artifactCredentials`.
pub(super) fn artifact_session(state: &State, job: &Job) -> Result<Caller, String> {
    let role = job.caller.holder.role_of();
    let role = role.and_then(|name| state.role(&job.account, name));
    let role = role.ok_or_else(|| format!("The role of {} does not exist", job.caller.arn))?;
    let policy = Some(ARTIFACTS.to_owned());
    Ok(Caller::session(&job.account, role, &session_name(), policy))
}

fn event(state: &mut State, id: &str, job: &Job, role: &Role) -> Value {
    let policy = Some(ARTIFACTS.to_owned());
    let issued = sts::issue(state, &job.account, role, &session_name(), policy, 3600);
    let expires = (wall() + Duration::from_hours(1)).as_millis();
    let mut data = job.data.clone();
    if let Some(object) = data.as_object_mut() {
        let credentials = json!({
            "accessKeyId": issued.key,
            "secretAccessKey": issued.secret,
            "sessionToken": issued.token,
            "expirationTime": u64::try_from(expires).unwrap_or(u64::MAX),
        });
        object.insert("artifactCredentials".to_owned(), credentials);
        if let Some(token) = &job.token {
            object.insert("continuationToken".to_owned(), json!(token));
        }
    }
    json!({ "CodePipeline.job": { "id": id, "accountId": job.account, "data": data } })
}

/// The function answered that the job is done, or that it goes on.
pub(super) fn succeeded(
    state: &mut State,
    id: &str,
    token: Option<&str>,
    details: &Value,
    variables: Value,
) {
    let Some(job) = state.jobs.get_mut(id) else {
        return;
    };
    job.generation += 1;
    job.open = token.is_some();
    job.token = token.map(str::to_owned);
    let job = job.clone();
    let (external, summary) = (
        member(details, "externalExecutionId"),
        member(details, "summary"),
    );
    let percent = details.get("percentComplete").and_then(Value::as_u64);
    finish(state, &job.home, &job.execution, &job.action, |action| {
        action.external_id = external.or(action.external_id.take());
        action.summary = summary.or(action.summary.take());
        action.percent = percent.or(action.percent);
        if !job.open {
            action.status = ActionStatus::Succeeded;
            action.variables = variables;
        }
    });
    if job.open {
        let again = id.to_owned();
        state.after(AGAIN, Timer::Again { job: again });
        let (job, generation) = (id.to_owned(), job.generation);
        state.after(ANSWER, Timer::GiveUp { job, generation });
    } else {
        settle(state, &job.home);
    }
}

/// The function answered that the job failed.
pub(super) fn failed(state: &mut State, id: &str, code: &str, message: &str, details: &Value) {
    let external = member(details, "externalExecutionId");
    let error = Details {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    fail(state, id, error, external);
}

fn fail(state: &mut State, id: &str, error: Details, external: Option<String>) {
    let Some(job) = state.jobs.get_mut(id) else {
        return;
    };
    job.open = false;
    let job = job.clone();
    finish(state, &job.home, &job.execution, &job.action, |action| {
        action.status = ActionStatus::Failed;
        action.external_id = external.or(action.external_id.take());
        action.error = Some(error);
    });
    settle(state, &job.home);
}

/// Nobody answered in time.
pub(super) fn give_up(state: &mut State, id: &str, generation: u32) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    if !job.open || job.generation != generation {
        return;
    }
    let function = job.function.clone();
    let error = Details {
        // The code is the sandbox's own; the message is what the console is remembered to show, no document has it.
        code: "JobFailed".to_owned(),
        message: format!(
            "The AWS Lambda function {function} failed to return a result. Check the function to verify that it has \
             permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult."
        ),
    };
    fail(state, id, error, None);
}

/// The function is invoked again, with its token; all hops are gone through anew.
pub(super) fn again(state: &mut State, id: &str) {
    let now = state.clock.now();
    let Some(job) = state.jobs.get(id).filter(|job| job.open).cloned() else {
        return;
    };
    let too_long = now.saturating_sub(job.first) >= LONGEST;
    let role = job
        .caller
        .holder
        .role_of()
        .and_then(|name| state.role(&job.account, name))
        .cloned();
    let result = match role {
        _ if too_long => Err(Details {
            code: "JobFailed".to_owned(),
            message: format!(
                "The AWS Lambda function {} did not end within 24 hours",
                job.function
            ),
        }),
        Some(role) => send(state, id, &role),
        None => Err(permission(format!(
            "The role of {} does not exist",
            job.caller.arn
        ))),
    };
    if let Err(error) = result {
        fail(state, id, error, None);
    }
}

/// Remembers a call that the engine or a built-in function made.
pub(super) fn record(
    state: &mut State,
    service: &str,
    operation: &str,
    caller: &Caller,
    refused: Option<&String>,
) {
    let request_id = state.random.uuid();
    let now = wall();
    state.record(CallRecord {
        service: service.to_owned(),
        operation: operation.to_owned(),
        account: caller.account.clone(),
        caller: caller.arn.clone(),
        status: if refused.is_some() { 403 } else { 200 },
        error: refused.map(|_| "AccessDenied".to_owned()),
        request_id,
        began: now,
        at: now,
    });
}

fn permission(message: impl Into<String>) -> Details {
    Details {
        code: "PermissionError".to_owned(),
        message: message.into(),
    }
}

fn member(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}
