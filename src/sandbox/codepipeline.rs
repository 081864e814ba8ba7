//! CodePipeline: pipelines, their executions as they are seen, and the answers of functions.
//! JSON 1.1; what happens in an execution is decided in `engine`, authorization in `authorize`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::authorize::Ask;
use super::caller::Caller;
use super::clock::seconds;
use super::engine;
use super::errors::Refused;
use super::execution::{Execution, Home};
use super::iam::passes;
use super::jobs;
use super::shown::{detail, stage_state, trigger, with_token};
use super::state::{Pipeline, State, Tags, pipeline_arn};
use super::structure::{self, invalid};
use super::transitions;

/// Most pipelines of an account in a region (default quota).
const PIPELINES: usize = 1_000;

type Reply = Result<Value, Refused>;

/// Carries out an operation.
pub(super) fn call(
    state: &mut State,
    caller: &Caller,
    region: &str,
    operation: &str,
    input: &Value,
) -> Reply {
    let mut request = Call {
        state,
        caller,
        region,
        operation,
        input,
    };
    match operation {
        "CreatePipeline" => request.create(),
        "GetPipeline" => request.get(),
        "UpdatePipeline" => request.update(),
        "DeletePipeline" => request.delete(),
        "ListPipelines" => request.list(),
        "StartPipelineExecution" => request.start(),
        "StopPipelineExecution" => request.stop(),
        "GetPipelineExecution" => request.execution(),
        "GetPipelineState" => request.pipeline_state(),
        "ListPipelineExecutions" => request.executions(),
        "ListActionExecutions" => request.action_executions(),
        "RetryStageExecution" => request.retry(),
        "DisableStageTransition" => request.transition(false),
        "EnableStageTransition" => request.transition(true),
        "PutJobSuccessResult" | "PutJobFailureResult" => request.answer(),
        "TagResource" | "UntagResource" | "ListTagsForResource" => request.tags(),
        other => Err(Refused::not_here("codepipeline", other)),
    }
}

/// A call that is being carried out.
struct Call<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    region: &'a str,
    operation: &'a str,
    input: &'a Value,
}

impl Call<'_> {
    fn account(&self) -> &str {
        &self.caller.account
    }

    fn text(&self, key: &str) -> Result<&str, Refused> {
        let found = self.input.get(key).and_then(Value::as_str);
        found.ok_or_else(|| missing(key))
    }

    fn home(&self, name: &str) -> Home {
        Home {
            account: self.caller.account.clone(),
            region: self.region.to_owned(),
            name: name.to_owned(),
        }
    }

    fn authorize(&self, resource: &str, tags: Option<&Tags>) -> Result<(), Refused> {
        let action = format!("codepipeline:{}", self.operation);
        let mut ask = Ask::new(self.caller, action, resource).region(self.region);
        if let Some(tags) = tags {
            ask = ask.tags("aws:ResourceTag", tags);
        }
        if self.operation == "CreatePipeline" || self.operation == "TagResource" {
            ask = ask.tags("aws:RequestTag", &tags_of(self.input));
        }
        denied(ask.check(self.state))
    }

    /// Authorizes an operation on a pipeline, and on a part of it, and finds the pipeline.
    fn pipeline(&self, name: &str, part: &str) -> Result<&Pipeline, Refused> {
        let found = self.state.pipeline(self.account(), self.region, name);
        let arn = pipeline_arn(self.account(), self.region, name) + part;
        self.authorize(&arn, found.map(|p| &p.tags))?;
        found.ok_or_else(|| not_found(self.account(), name))
    }

    fn create(&mut self) -> Reply {
        let given = self
            .input
            .get("pipeline")
            .ok_or_else(|| missing("pipeline"))?;
        let name = structure::name(given, "name").to_owned();
        let arn = pipeline_arn(self.account(), self.region, &name);
        self.authorize(&arn, None)?;
        structure::check(given, self.region)?;
        self.roles(given)?;
        if self
            .state
            .pipeline(self.account(), self.region, &name)
            .is_some()
        {
            return Err(Refused::new(
                400,
                "PipelineNameInUseException",
                format!(
                    "A pipeline with the name '{name}' already exists in account '{}'",
                    self.account()
                ),
            ));
        }
        let document = structure::completed(given.clone(), None, self.region, 1);
        let now = self.state.clock.now();
        let tags = tags_of(self.input);
        let pipeline = Pipeline {
            document: document.clone(),
            earlier: Vec::new(),
            outcomes: BTreeMap::new(),
            transitions: BTreeMap::new(),
            created: now,
            updated: now,
            tags: tags.clone(),
            executions: Vec::new(),
        };
        let key = format!("{}/{name}", self.region);
        let account = self.caller.account.clone();
        let pipelines = &mut self.state.account(&account).pipelines;
        if pipelines.len() >= PIPELINES {
            return Err(Refused::new(
                400,
                "LimitExceededException",
                format!("The limit of {PIPELINES} pipelines has been reached"),
            ));
        }
        pipelines.insert(key, pipeline);
        Ok(json!({ "pipeline": structure::masked(&document), "tags": tag_list(&tags) }))
    }

    fn get(&mut self) -> Reply {
        let name = self.text("name")?.to_owned();
        let pipeline = self.pipeline(&name, "")?;
        let asked = self.input.get("version").and_then(Value::as_u64);
        let is_asked = |one: &&Value| {
            asked.is_none_or(|n| one.get("version").and_then(Value::as_u64) == Some(n))
        };
        let newest_first = std::iter::once(&pipeline.document).chain(pipeline.earlier.iter().rev());
        let document = newest_first.into_iter().find(is_asked).ok_or_else(|| {
            let account = self.account();
            Refused::new(
                400,
                "PipelineVersionNotFoundException",
                format!("Account '{account}' does not have this version of pipeline '{name}'"),
            )
        })?;
        let answer = json!({
            "pipeline": structure::masked(document),
            "metadata": {
                "pipelineArn": pipeline_arn(self.account(), self.region, &name),
                "created": seconds(pipeline.created),
                "updated": seconds(pipeline.updated),
            },
        });
        let chance = self.state.faults.edited;
        if !self.state.quiet && self.state.chances.chance(chance) {
            self.somebody_else_edits(&name);
        }
        Ok(answer)
    }

    /// The fault of a concurrent editor: a harmless value of the first action changes, and the version grows.
    fn somebody_else_edits(&mut self, name: &str) {
        let now = self.state.clock.now();
        let home = self.home(name);
        let found = self.state.pipeline_mut(&home.account, &home.region, name);
        let Some(pipeline) = found else { return };
        let mut document = pipeline.document.clone();
        let version = document.get("version").and_then(Value::as_u64);
        let version = version.unwrap_or(0) + 1;
        if let Some(configuration) = document
            .pointer_mut("/stages/0/actions/0/configuration")
            .and_then(Value::as_object_mut)
        {
            let edited = json!(version.to_string());
            configuration.insert("EditedBySomebodyElse".to_owned(), edited);
        }
        if let Some(object) = document.as_object_mut() {
            object.insert("version".to_owned(), json!(version));
        }
        pipeline.replace(document, now);
    }

    fn update(&mut self) -> Reply {
        let given = self
            .input
            .get("pipeline")
            .ok_or_else(|| missing("pipeline"))?;
        if self.input.get("metadata").is_some() {
            // AWS's clients do not send it; what the service would say to a raw request is not documented.
            return Err(Refused::new(
                400,
                "ValidationException",
                "metadata is no part of the input",
            ));
        }
        let name = structure::name(given, "name").to_owned();
        let before = self.pipeline(&name, "")?.document.clone();
        structure::check(given, self.region)?;
        self.roles(given)?;
        let version = before.get("version").and_then(Value::as_u64).unwrap_or(0) + 1;
        let document = structure::completed(given.clone(), Some(&before), self.region, version);
        let now = self.state.clock.now();
        let home = self.home(&name);
        if let Some(pipeline) = self.state.pipeline_mut(&home.account, &home.region, &name) {
            pipeline.replace(document.clone(), now);
        }
        Ok(json!({ "pipeline": structure::masked(&document) }))
    }

    /// Whether the roles of a structure can be used: the caller may pass the service role, CodePipeline may assume it, and
    /// it may assume the actions' roles. CodePipeline checks this when it is given a structure ("… is not authorized to
    /// perform AssumeRole on role …", InvalidStructureException: aws/aws-cdk#11353, #22489).
    fn roles(&self, given: &Value) -> Result<(), Refused> {
        let role = structure::name(given, "roleArn");
        let service = "codepipeline.amazonaws.com";
        denied(passes(self.state, self.caller, role, service))?;
        let acting = jobs::service_session(self.state, role).map_err(|_| {
            // Quoted in public issues.
            invalid(format!(
                "CodePipeline is not authorized to perform AssumeRole on role {role}"
            ))
        })?;
        for action in structure::stages(given).iter().flat_map(structure::actions) {
            let other = structure::name(action, "roleArn");
            if !other.is_empty() && jobs::action_session(self.state, &acting, other).is_err() {
                return Err(invalid(format!(
                    "{role} is not authorized to perform AssumeRole on role {other}"
                )));
            }
        }
        Ok(())
    }

    fn delete(&mut self) -> Reply {
        let name = self.text("name")?.to_owned();
        let found = self.state.pipeline(self.account(), self.region, &name);
        let arn = pipeline_arn(self.account(), self.region, &name);
        self.authorize(&arn, found.map(|p| &p.tags))?;
        let key = format!("{}/{name}", self.region);
        let account = self.caller.account.clone();
        self.state.account(&account).pipelines.remove(&key);
        Ok(json!({}))
    }

    fn list(&mut self) -> Reply {
        let arn = pipeline_arn(self.account(), self.region, "*");
        self.authorize(&arn, None)?;
        let prefix = format!("{}/", self.region);
        let held = self.state.accounts.get(self.account());
        let all = held.into_iter().flat_map(|a| &a.pipelines);
        let here = all.filter(|(key, _)| key.starts_with(&prefix));
        let summary = |(_, pipeline): (&String, &Pipeline)| {
            let document = &pipeline.document;
            json!({
                "name": document["name"],
                "version": document["version"],
                "pipelineType": document["pipelineType"],
                "executionMode": document["executionMode"],
                "created": seconds(pipeline.created),
                "updated": seconds(pipeline.updated),
            })
        };
        Ok(json!({ "pipelines": here.map(summary).collect::<Vec<_>>() }))
    }

    fn start(&mut self) -> Reply {
        let name = self.text("name")?.to_owned();
        self.pipeline(&name, "")?;
        let home = self.home(&name);
        let id = engine::start(self.state, &home, &self.caller.arn);
        Ok(json!({ "pipelineExecutionId": id }))
    }

    fn stop(&mut self) -> Reply {
        let name = self.text("pipelineName")?.to_owned();
        let id = self.text("pipelineExecutionId")?.to_owned();
        let execution = find(self.pipeline(&name, "")?, &id)?;
        if !execution.is_alive() {
            return Err(Refused::new(
                400,
                "PipelineExecutionNotStoppableException",
                format!(
                    "Pipeline execution {id} cannot be stopped: it is {}",
                    execution.status.as_str()
                ),
            ));
        }
        let abandon = self
            .input
            .get("abandon")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let reason = self
            .input
            .get("reason")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let home = self.home(&name);
        engine::stop(self.state, &home, &id, abandon, reason);
        Ok(json!({ "pipelineExecutionId": id }))
    }

    fn execution(&mut self) -> Reply {
        let name = self.text("pipelineName")?;
        let id = self.text("pipelineExecutionId")?;
        let pipeline = self.pipeline(name, "")?;
        let execution = find(pipeline, id)?;
        let mut seen = json!({
            "pipelineName": name,
            "pipelineVersion": execution.version,
            "pipelineExecutionId": execution.id,
            "status": execution.status.as_str(),
            "artifactRevisions": [],
            "trigger": trigger(execution),
            "executionMode": pipeline.document["executionMode"],
            "executionType": "STANDARD",
        });
        if let (Some(reason), Some(object)) = (&execution.reason, seen.as_object_mut()) {
            object.insert("statusSummary".to_owned(), json!(reason));
        }
        Ok(json!({ "pipelineExecution": seen }))
    }

    fn pipeline_state(&mut self) -> Reply {
        let name = self.text("name")?;
        let pipeline = self.pipeline(name, "")?;
        let stages = structure::stages(&pipeline.document);
        let seen: Vec<Value> = stages.iter().map(|s| stage_state(pipeline, s)).collect();
        Ok(json!({
            "pipelineName": name,
            "pipelineVersion": pipeline.document["version"],
            "stageStates": seen,
            "created": seconds(pipeline.created),
            "updated": seconds(pipeline.updated),
        }))
    }

    fn executions(&mut self) -> Reply {
        let pipeline = self.pipeline(self.text("pipelineName")?, "")?;
        let mode = &pipeline.document["executionMode"];
        let summary = |execution: &Execution| {
            json!({
                "pipelineExecutionId": execution.id,
                "status": execution.status.as_str(),
                "startTime": seconds(execution.started),
                "lastUpdateTime": seconds(execution.updated),
                "sourceRevisions": [],
                "trigger": trigger(execution),
                "executionMode": mode,
                "executionType": "STANDARD",
            })
        };
        let newest_first = pipeline.executions.iter().rev();
        let (page, next) = self.page(newest_first.map(summary).collect())?;
        Ok(with_token(
            json!({ "pipelineExecutionSummaries": page }),
            next.as_deref(),
        ))
    }

    fn action_executions(&mut self) -> Reply {
        let pipeline = self.pipeline(self.text("pipelineName")?, "")?;
        let only = self
            .input
            .pointer("/filter/pipelineExecutionId")
            .and_then(Value::as_str);
        let mut details = Vec::new();
        for execution in pipeline.executions.iter().rev() {
            if only.is_some_and(|id| id != execution.id) {
                continue;
            }
            let newest_first = execution.actions.iter().rev();
            details.extend(newest_first.map(|action| detail(execution, action)));
        }
        let (page, next) = self.page(details)?;
        Ok(with_token(
            json!({ "actionExecutionDetails": page }),
            next.as_deref(),
        ))
    }

    /// A page of a list, and where the next begins.
    fn page(&self, all: Vec<Value>) -> Result<(Vec<Value>, Option<String>), Refused> {
        let most = self.input.get("maxResults").and_then(Value::as_u64);
        let most = most
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(100)
            .clamp(1, 100);
        let from = match self.input.get("nextToken").and_then(Value::as_str) {
            Some(token) => token.parse::<usize>().map_err(|_| {
                Refused::new(
                    400,
                    "InvalidNextTokenException",
                    "The next token was specified in an invalid format",
                )
            })?,
            None => 0,
        };
        let count = all.len();
        let page: Vec<Value> = all.into_iter().skip(from).take(most).collect();
        let end = from + page.len();
        Ok((page, (end < count).then(|| end.to_string())))
    }

    fn retry(&mut self) -> Reply {
        let name = self.text("pipelineName")?.to_owned();
        let stage = self.text("stageName")?.to_owned();
        let id = self.text("pipelineExecutionId")?.to_owned();
        let pipeline = self.pipeline(&name, &format!("/{stage}"))?;
        let mut stages = structure::stages(&pipeline.document).iter();
        if !stages.any(|s| structure::name(s, "name") == stage) {
            return Err(Refused::new(
                400,
                "StageNotFoundException",
                format!("Pipeline {name} has no stage {stage}"),
            ));
        }
        find(pipeline, &id)?;
        let home = self.home(&name);
        let all = structure::name(self.input, "retryMode") == "ALL_ACTIONS";
        if !engine::retry(self.state, &home, &id, &stage, all) {
            return Err(Refused::new(
                400,
                "StageNotRetryableException",
                format!("Unable to retry stage {stage}: execution {id} has not failed there"),
            ));
        }
        Ok(json!({ "pipelineExecutionId": id }))
    }

    /// DisableStageTransition and EnableStageTransition; the resource is the stage, as of RetryStageExecution.
    fn transition(&mut self, open: bool) -> Reply {
        let name = self.text("pipelineName")?.to_owned();
        let stage = self.text("stageName")?.to_owned();
        self.pipeline(&name, &format!("/{stage}"))?;
        let home = self.home(&name);
        transitions::change(self.state, &home, &self.caller.arn, self.input, open)?;
        engine::settle(self.state, &home);
        Ok(json!({}))
    }

    /// PutJobSuccessResult and PutJobFailureResult.
    fn answer(&mut self) -> Reply {
        let id = self.text("jobId")?.to_owned();
        // No resource-level permissions: aws/aws-cdk#42.
        self.authorize("*", None)?;
        let here = |job: &super::execution::Job| {
            job.account == self.caller.account && job.region == self.region
        };
        let job = self
            .state
            .jobs
            .get(&id)
            .filter(|job| here(job))
            .ok_or_else(|| {
                Refused::new(
                    400,
                    "JobNotFoundException",
                    format!("The job {id} cannot be found"),
                )
            })?;
        if !job.open {
            return Err(Refused::new(
                400,
                "InvalidJobStateException",
                format!("The job {id} has been answered or was given up"),
            ));
        }
        if self.operation == "PutJobSuccessResult" {
            let token = self.input.get("continuationToken").and_then(Value::as_str);
            let details = self.input.get("executionDetails").unwrap_or(&Value::Null);
            let variables = self.input.get("outputVariables").cloned();
            if token.is_some() && variables.is_some() {
                return Err(Refused::new(
                    400,
                    "ValidationException",
                    "outputVariables can be included only when there is no continuation token",
                ));
            }
            success(token, variables.as_ref())?;
            jobs::succeeded(
                self.state,
                &id,
                token,
                details,
                variables.unwrap_or(json!({})),
            );
        } else {
            let (kind, message, details) = failure_details(self.input)?;
            jobs::failed(self.state, &id, kind, message, details);
        }
        Ok(json!({}))
    }

    fn tags(&mut self) -> Reply {
        let arn = self.text("resourceArn")?.to_owned();
        let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
        // Its tag operations have a code of their own for what is not there (API reference: TagResource, "Errors").
        let found = self
            .pipeline(&name, "")
            .map_err(|refused| match refused.code.as_str() {
                "PipelineNotFoundException" => {
                    Refused::new(400, "ResourceNotFoundException", refused.message)
                }
                _ => refused,
            })?;
        let tags = found.tags.clone();
        let home = self.home(&name);
        let changed = match self.operation {
            "ListTagsForResource" => return Ok(json!({ "tags": tag_list(&tags) })),
            "TagResource" => tags.into_iter().chain(tags_of(self.input)).collect(),
            _ => {
                let keys = self.input.get("tagKeys").and_then(Value::as_array);
                let gone = |key: &String| keys.is_some_and(|k| k.iter().any(|one| one == key));
                tags.into_iter().filter(|(key, _)| !gone(key)).collect()
            }
        };
        if let Some(pipeline) = self.state.pipeline_mut(&home.account, &home.region, &name) {
            pipeline.tags = changed;
        }
        Ok(json!({}))
    }
}

fn find<'a>(pipeline: &'a Pipeline, id: &str) -> Result<&'a Execution, Refused> {
    pipeline
        .executions
        .iter()
        .find(|e| e.id == id)
        .ok_or_else(|| {
            Refused::new(
                400,
                "PipelineExecutionNotFoundException",
                format!("The pipeline execution {id} cannot be found"),
            )
        })
}

/// What a token and variables must be: ContinuationToken, OutputVariablesKey in the API's service model. The message is
/// this program's own.
fn success(token: Option<&str>, variables: Option<&Value>) -> Result<(), Refused> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || "@-_".contains(c);
    let names = variables.and_then(Value::as_object);
    let wrong = names
        .into_iter()
        .flatten()
        .find(|(name, value)| name.is_empty() || !name.chars().all(of_name) || !value.is_string());
    let message = match (token, wrong) {
        (Some(token), _) if !(1..=2048).contains(&token.chars().count()) => {
            "'continuationToken' must have 1 to 2048 characters".to_owned()
        }
        (_, Some((name, _))) => format!(
            "the name of the output variable '{name}' must satisfy [A-Za-z0-9@\\-_]+, its value must be a string"
        ),
        _ => return Ok(()),
    };
    let message = format!("1 validation error detected: {message}");
    Err(Refused::new(400, "ValidationException", message))
}

/// Type, message and all of `failureDetails`.
fn failure_details(input: &Value) -> Result<(&str, &str, &Value), Refused> {
    let details = input.get("failureDetails");
    let details = details.ok_or_else(|| missing("failureDetails"))?;
    let (kind, message) = (
        structure::name(details, "type"),
        structure::name(details, "message"),
    );
    let kinds = [
        "JobFailed",
        "ConfigurationError",
        "PermissionError",
        "RevisionOutOfSync",
        "RevisionUnavailable",
        "SystemUnavailable",
    ];
    if kinds.contains(&kind) && (1..=5000).contains(&message.chars().count()) {
        return Ok((kind, message, details));
    }
    Err(Refused::new(
        400,
        "ValidationException",
        format!(
            "1 validation error detected: Value '{kind}' at 'failureDetails' failed to satisfy constraint: type must be \
             one of [{}], message must have 1 to 5000 characters",
            kinds.join(", ")
        ),
    ))
}

fn tags_of(input: &Value) -> Tags {
    let list = input.get("tags").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|tag| {
            (
                structure::name(tag, "key").to_owned(),
                structure::name(tag, "value").to_owned(),
            )
        })
        .collect()
}

fn tag_list(tags: &Tags) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

fn missing(key: &str) -> Refused {
    Refused::new(
        400,
        "ValidationException",
        format!(
            "1 validation error detected: Value null at '{key}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

fn not_found(account: &str, name: &str) -> Refused {
    // Quoted in public issues.
    Refused::new(
        400,
        "PipelineNotFoundException",
        format!("Account '{account}' does not have a pipeline with name '{name}'"),
    )
}

fn denied(decided: Result<(), String>) -> Result<(), Refused> {
    decided.map_err(|message| Refused::new(400, "AccessDeniedException", message))
}
