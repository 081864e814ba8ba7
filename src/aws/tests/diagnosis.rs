//! What a gate that does not work is asked about: states, executions, asynchronous calls, lines of a log.

use serde_json::{Value, json};

use super::stub::{Answer, Request, Stub, answer, ok};
use super::{access, runtime, sdk_config};
use crate::aws::session::Sessions;
use crate::aws::{AwsCloud, Credentials};
use crate::cloud::{Cloud, CloudError, CloudErrorKind};
use crate::model::account::{AccountName, Region};
use crate::model::execution::{ExecutionId, ExecutionStatus};
use crate::model::name::{FunctionName, PipelineName};
use crate::model::read::{Fact, Read};

// The error is the seam's own, as in every test of this module.
#[allow(clippy::result_large_err)]
fn read(stub: &Stub, read: &Read) -> Result<Fact, CloudError> {
    let access = access("tools", Credentials::DefaultChain);
    let cloud = AwsCloud {
        sessions: Sessions::ready(access, sdk_config(&stub.url)),
        made: std::sync::Mutex::default(),
    };
    let account = AccountName::new("tools").unwrap();
    runtime().block_on(cloud.read(&account, read))
}

fn region() -> Region {
    Region::new("eu-west-1").unwrap()
}

fn pipeline() -> PipelineName {
    PipelineName::new("P").unwrap()
}

fn id(text: &str) -> ExecutionId {
    ExecutionId::new(text).unwrap()
}

fn error(code: &str) -> Answer {
    answer(400, json!({ "__type": code, "message": "no" }).to_string())
}

fn sent(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

#[test]
fn a_closed_stage_and_who_waits_before_it() {
    let state = json!({ "pipelineName": "P", "stageStates": [
        { "stageName": "Source" },
        {
            "stageName": "Gate",
            "inboundExecution": { "pipelineExecutionId": "e-2", "status": "InProgress" },
            "inboundExecutions": [{ "pipelineExecutionId": "e-2", "status": "InProgress" }],
            "inboundTransitionState": {
                "enabled": false, "disabledReason": "a freeze", "lastChangedBy": "arn:aws:iam::1:user/u", "lastChangedAt": 1.7e9,
            },
            "latestExecution": { "pipelineExecutionId": "e-1", "status": "Failed" },
        },
    ]});
    let stub = Stub::start(move |_, _| ok(state.to_string()));
    let question = Read::PipelineState {
        region: region(),
        name: pipeline(),
    };
    let Ok(Fact::PipelineState(Some(state))) = read(&stub, &question) else {
        panic!("no state");
    };
    assert_eq!(state.stage("Source").unwrap().inbound, None);
    let gate = state.stage("Gate").unwrap();
    assert_eq!(gate.waiting, [id("e-2")], "named twice, and one");
    assert_eq!(gate.latest, Some((id("e-1"), ExecutionStatus::Failed)));
    let way = gate.inbound.as_ref().unwrap();
    assert!(!way.enabled);
    assert_eq!(way.reason.as_deref(), Some("a freeze"));
    assert_eq!(way.changed_at, Some(1_700_000_000));
    assert_eq!(stub.seen()[0].region(), "eu-west-1");
}

#[test]
fn what_is_not_there_is_an_answer() {
    let none = |code: &'static str, question: &Read| {
        let stub = Stub::start(move |_, _| error(code));
        read(&stub, question).unwrap()
    };
    let (region, name) = (region(), pipeline());
    let state = Read::PipelineState {
        region: region.clone(),
        name: name.clone(),
    };
    let found = none("PipelineNotFoundException", &state);
    assert_eq!(found, Fact::PipelineState(None));
    let executions = Read::PipelineExecutions {
        region: region.clone(),
        name: name.clone(),
    };
    let found = none("PipelineNotFoundException", &executions);
    assert_eq!(found, Fact::PipelineExecutions(None));
    let actions = Read::ActionExecutions {
        region: region.clone(),
        name,
        execution: Some(id("e-1")),
    };
    let found = none("PipelineExecutionNotFoundException", &actions);
    assert_eq!(found, Fact::ActionExecutions(None));
    let config = Read::FunctionInvokeConfig {
        region,
        name: FunctionName::new("F").unwrap(),
        qualifier: None,
    };
    let found = none("ResourceNotFoundException", &config);
    assert_eq!(found, Fact::FunctionInvokeConfig(None));
    let found = none("ResourceNotFoundException", &lines(10, None));
    assert_eq!(found, Fact::LogEvents(None));
}

#[test]
fn executions_are_the_newest_page() {
    let page = json!({
        "pipelineExecutionSummaries": [
            { "pipelineExecutionId": "e-2", "status": "InProgress", "startTime": 1.7e9, "lastUpdateTime": 1.7e9 },
            { "pipelineExecutionId": "e-1", "status": "Superseded" },
        ],
        "nextToken": "more",
    });
    let stub = Stub::start(move |_, _| ok(page.to_string()));
    let question = Read::PipelineExecutions {
        region: region(),
        name: pipeline(),
    };
    let Ok(Fact::PipelineExecutions(Some(found))) = read(&stub, &question) else {
        panic!("no executions");
    };
    let statuses: Vec<ExecutionStatus> = found.iter().map(|one| one.status).collect();
    assert_eq!(
        statuses,
        [ExecutionStatus::InProgress, ExecutionStatus::Superseded]
    );
    assert_eq!(found[0].started, Some(1_700_000_000));
    assert_eq!(stub.seen().len(), 1);
}

/// A page with one action, and whether another page follows.
fn actions(more: bool) -> Answer {
    let mut page = json!({ "actionExecutionDetails": [{
        "pipelineExecutionId": "e-1", "actionExecutionId": "a", "stageName": "S", "actionName": "A", "status": "Failed",
        "pipelineVersion": 4, "lastUpdateTime": 1.7e9,
        "input": { "roleArn": "arn:aws:iam::1:role/r" },
        "output": { "executionResult": { "errorDetails": { "code": "JobFailed", "message": "m" } } },
    }]});
    if more {
        page["nextToken"] = json!("more");
    }
    ok(page.to_string())
}

#[test]
fn actions_are_all_of_one_execution_or_the_newest_page_of_all() {
    let question = |execution| Read::ActionExecutions {
        region: region(),
        name: pipeline(),
        execution,
    };
    let count = |stub: &Stub, execution| match read(stub, &question(execution)) {
        Ok(Fact::ActionExecutions(Some(found))) => found.len(),
        other => panic!("{other:?}"),
    };
    let stub = Stub::start(|_, number| actions(number < 3));
    assert_eq!(count(&stub, Some(id("e-1"))), 3);
    let asked = stub.seen();
    assert_eq!(sent(&asked[0])["filter"]["pipelineExecutionId"], "e-1");
    assert_eq!(sent(&asked[2])["nextToken"], "more");
    let stub = Stub::start(|_, _| actions(true));
    assert_eq!(count(&stub, None), 1);
    let stub = Stub::start(|_, _| actions(true));
    assert_eq!(count(&stub, Some(id("e-1"))), 50, "not for ever");
    let Ok(Fact::ActionExecutions(Some(found))) = read(&stub, &question(None)) else {
        panic!("no actions");
    };
    assert_eq!(found[0].execution, Some(id("e-1")));
    assert_eq!(found[0].pipeline_version, Some(4));
    assert_eq!(found[0].role.as_deref(), Some("arn:aws:iam::1:role/r"));
    assert_eq!(found[0].updated, Some(1_700_000_000));
}

#[test]
fn how_asynchronous_calls_are_treated() {
    let config = json!({
        "FunctionArn": "arn", "LastModified": 1.7e9, "MaximumRetryAttempts": 0,
        "DestinationConfig": { "OnSuccess": {}, "OnFailure": { "Destination": "arn:aws:sqs:eu-west-1:1:q" } },
    });
    let stub = Stub::start(move |_, _| ok(config.to_string()));
    let question = Read::FunctionInvokeConfig {
        region: region(),
        name: FunctionName::new("F").unwrap(),
        qualifier: Some("live".to_owned()),
    };
    let Ok(Fact::FunctionInvokeConfig(Some(found))) = read(&stub, &question) else {
        panic!("no config");
    };
    assert_eq!((found.retries, found.max_age_seconds), (Some(0), None));
    assert_eq!(
        found.on_failure.as_deref(),
        Some("arn:aws:sqs:eu-west-1:1:q")
    );
    let line = &stub.seen()[0].line;
    assert!(
        line.starts_with("GET /2019-09-25/functions/F/event-invoke-config?Qualifier=live "),
        "{line}"
    );
}

fn lines(limit: u32, filter: Option<&str>) -> Read {
    Read::LogEvents {
        region: region(),
        group: "/aws/lambda/F".to_owned(),
        from_ms: 5,
        to_ms: 9,
        filter: filter.map(str::to_owned),
        limit,
    }
}

/// A page with these messages, and whether another page follows.
fn page(messages: &[&str], more: bool) -> Answer {
    let event =
        |message: &&str| json!({ "timestamp": 7, "logStreamName": "s", "message": message });
    let events: Vec<Value> = messages.iter().map(event).collect();
    let mut page = json!({ "events": events, "searchedLogStreams": [] });
    if more {
        page["nextToken"] = json!("more");
    }
    ok(page.to_string())
}

fn messages(stub: &Stub, question: &Read) -> (Vec<String>, bool) {
    match read(stub, question) {
        Ok(Fact::LogEvents(Some(found))) => {
            let texts = found.lines.into_iter().map(|line| line.message);
            (texts.collect(), found.cut)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_are_read_past_empty_pages_until_there_are_enough() {
    let stub = Stub::start(|_, number| match number {
        1 => page(&["START\n"], true),
        2 => page(&[], true),
        _ => page(&["a\nb\n\n"], false),
    });
    let (found, cut) = messages(&stub, &lines(10, Some("?a ?START")));
    assert_eq!(found, ["START", "a\nb"]);
    assert!(!cut);
    let asked: Vec<Value> = stub.seen().iter().map(sent).collect();
    assert_eq!(
        asked[0],
        json!({ "logGroupName": "/aws/lambda/F", "startTime": 5, "endTime": 9, "filterPattern": "?a ?START", "limit": 10 })
    );
    assert_eq!(asked[2]["nextToken"], "more");
    assert_eq!(asked[2]["limit"], 9, "only what is still missing");

    let stub = Stub::start(|_, _| page(&["x", "y"], true));
    let (found, cut) = messages(&stub, &lines(2, None));
    assert_eq!((found.len(), cut, stub.seen().len()), (2, true, 1));

    let stub = Stub::start(|_, _| page(&[], true));
    let (found, cut) = messages(&stub, &lines(2, None));
    assert_eq!((found.len(), cut), (0, true));
    assert_eq!(stub.seen().len(), 50, "not for ever");
}

#[test]
fn a_log_that_may_not_be_read_says_which_permission_is_missing() {
    let message = "User: arn:aws:iam::111111111111:user/u is not authorized to perform: logs:FilterLogEvents on resource: \
                   arn:aws:logs:eu-west-1:111111111111:log-group:/aws/lambda/F:log-stream: because no identity-based policy \
                   allows the logs:FilterLogEvents action";
    let body = json!({ "__type": "AccessDeniedException", "message": message }).to_string();
    let stub = Stub::start(move |_, _| answer(400, body.clone()));
    let failed = read(&stub, &lines(2, None)).unwrap_err();
    assert_eq!(failed.kind, CloudErrorKind::AccessDenied);
    assert_eq!(failed.operation, "logs:FilterLogEvents");
    let hint = failed.hint.unwrap_or_default();
    assert!(hint.contains("allow logs:FilterLogEvents on"), "{hint}");
}
