//! Functions that are made and changed: their states in time, what an update leaves alone, what Lambda refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Write};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::caller::Caller;
use super::clock::Clock;
use super::errors::Refused;
use super::lambda::{self, Output, Rest};
use super::options::{ClockMode, Faults};
use super::query::Params;
use super::seed::{DEV, REGION, TOOLS};
use super::state::State;
use super::{function_input, iam};

/// An account with a role for Lambda, and one that another service may assume.
struct World {
    state: State,
}

impl World {
    fn new() -> Self {
        Self::with(Faults::default())
    }

    fn with(faults: Faults) -> Self {
        let clock = Clock::new(ClockMode::Real);
        let mut world = Self {
            state: State::new(1, clock, faults, String::new()),
        };
        world.role(DEV, "runs", "lambda.amazonaws.com");
        world.role(DEV, "pipelines", "codepipeline.amazonaws.com");
        world.role(TOOLS, "elsewhere", "lambda.amazonaws.com");
        world
    }

    fn role(&mut self, account: &str, name: &str, service: &str) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
        });
        let params = Params::from_pairs(&[
            ("RoleName", name),
            ("AssumeRolePolicyDocument", &trust.to_string()),
        ]);
        iam::call(
            &mut self.state,
            &Caller::root(account),
            "CreateRole",
            &params,
        )
        .unwrap();
    }

    fn send(&mut self, method: &str, path: &str, input: &Value) -> Result<Output, Refused> {
        let body = if input.is_null() {
            String::new()
        } else {
            input.to_string()
        };
        let rest = Rest {
            method,
            path,
            query: "",
            invocation: None,
            body: body.as_bytes(),
        };
        lambda::call(&mut self.state, &Caller::root(DEV), REGION, &rest)
    }

    fn ask(&mut self, method: &str, path: &str, input: &Value) -> Result<Value, Refused> {
        match self.send(method, path, input)? {
            Output::Json(_, value) => Ok(value),
            Output::Empty(_) => Ok(Value::Null),
            Output::Wait(_) => panic!("a run"),
        }
    }

    /// CreateFunction with these members besides the usual ones, which they replace.
    fn create(&mut self, more: &Value) -> Result<Value, Refused> {
        let mut input = json!({
            "FunctionName": "gate",
            "Role": role("runs"),
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Code": { "ZipFile": BASE64.encode(archive("1")) },
        });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        self.ask("POST", "/2015-03-31/functions", &input)
    }

    fn made(more: &Value) -> Self {
        let mut world = Self::new();
        world.create(more).unwrap();
        world.pass(2);
        world
    }

    fn configure(&mut self, input: &Value) -> Result<Value, Refused> {
        self.ask("PUT", "/2015-03-31/functions/gate/configuration", input)
    }

    fn upload(&mut self, input: &Value) -> Result<Value, Refused> {
        self.ask("PUT", "/2015-03-31/functions/gate/code", input)
    }

    fn get(&mut self) -> Value {
        self.ask("GET", "/2015-03-31/functions/gate", &Value::Null)
            .unwrap()
    }

    fn pass(&mut self, seconds: u64) {
        self.state.clock.advance(Duration::from_secs(seconds));
    }
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{DEV}:role/{name}")
}

fn archive(content: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("index.py", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(content.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

fn said(refused: Result<Value, Refused>) -> String {
    refused.unwrap_err().to_string()
}

#[test]
fn a_new_function_is_pending_for_a_moment() {
    let mut world = World::new();
    let answer = world.create(&json!({})).unwrap();
    assert_eq!(answer["State"], "Pending");
    assert_eq!(answer["StateReason"], "The function is being created.");
    assert_eq!(answer["StateReasonCode"], "Creating");
    assert!(answer.get("LastUpdateStatus").is_none());
    assert_eq!(world.get()["Configuration"]["State"], "Pending");
    let pending = "ResourceConflictException: The operation cannot be performed at this time. \
                   The function is currently in the following state: Pending";
    assert_eq!(said(world.configure(&json!({ "Timeout": 9 }))), pending);
    let run = world.send(
        "POST",
        "/2015-03-31/functions/gate/invocations",
        &Value::Null,
    );
    assert_eq!(run.unwrap_err().to_string(), pending);

    world.pass(2);
    let settled = world.get();
    assert_eq!(settled["Configuration"]["State"], "Active");
    assert_eq!(settled["Configuration"]["LastUpdateStatus"], "Successful");
    assert!(settled["Configuration"].get("StateReason").is_none());
    assert!(world.configure(&json!({ "Timeout": 9 })).is_ok());
}

#[test]
fn one_change_is_under_way_at_a_time() {
    let mut world = World::made(&json!({}));
    let answer = world
        .upload(&json!({ "ZipFile": BASE64.encode(archive("2")) }))
        .unwrap();
    assert_eq!(answer["State"], "Active");
    assert_eq!(answer["LastUpdateStatus"], "InProgress");
    let busy = format!(
        "ResourceConflictException: The operation cannot be performed at this time. An update is in progress for resource: \
         arn:aws:lambda:{REGION}:{DEV}:function:gate"
    );
    assert_eq!(said(world.configure(&json!({ "Timeout": 9 }))), busy);
    assert_eq!(
        said(world.upload(&json!({ "ZipFile": BASE64.encode(archive("3")) }))),
        busy
    );
    let run = world.send(
        "POST",
        "/2015-03-31/functions/gate/invocations",
        &Value::Null,
    );
    assert!(matches!(run, Ok(Output::Wait(_))), "it runs all the while");
    world.pass(2);
    assert!(world.configure(&json!({ "Timeout": 9 })).is_ok());
    assert_eq!(
        world.get()["Configuration"]["LastUpdateStatus"],
        "InProgress"
    );
    world.pass(2);
    assert_eq!(
        world.get()["Configuration"]["LastUpdateStatus"],
        "Successful"
    );
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let mut world = World::made(&json!({
        "Timeout": 30,
        "MemorySize": 256,
        "Environment": { "Variables": { "LEVEL": "strict" } },
        "Tags": { "team": "checkout" },
        "Description": "d",
    }));
    let before = world.get();
    assert_eq!(before["Tags"]["team"], "checkout");
    assert_eq!(
        before["Configuration"]["LoggingConfig"]["LogGroup"],
        "/aws/lambda/gate"
    );
    world.pass(60);
    world
        .configure(&json!({ "Timeout": 31, "Runtime": "python3.14" }))
        .unwrap();
    world.pass(2);
    let mut after = world.get();
    assert_eq!(after["Configuration"]["Timeout"], 31);
    assert_eq!(after["Configuration"]["Runtime"], "python3.14");
    for changed in ["Timeout", "Runtime", "RevisionId", "LastModified"] {
        assert_ne!(
            after["Configuration"][changed], before["Configuration"][changed],
            "{changed}"
        );
        after["Configuration"][changed] = before["Configuration"][changed].clone();
    }
    assert_eq!(after, before);

    world
        .configure(&json!({ "Environment": { "Variables": {} } }))
        .unwrap();
    assert!(
        world.get()["Configuration"].get("Environment").is_none(),
        "named, and so cleared"
    );
}

#[test]
fn code_is_known_by_its_hash() {
    let mut world = World::made(&json!({}));
    let sha = |content| BASE64.encode(Sha256::digest(archive(content)));
    assert_eq!(world.get()["Configuration"]["CodeSha256"], sha("1"));
    let next = BASE64.encode(archive("2"));
    let dry = world
        .upload(&json!({ "ZipFile": next, "DryRun": true }))
        .unwrap();
    assert_eq!(dry["CodeSha256"], sha("2"));
    assert_eq!(world.get()["Configuration"]["CodeSha256"], sha("1"));
    let stale = world.upload(&json!({ "ZipFile": next, "RevisionId": "old" }));
    assert!(said(stale).starts_with("PreconditionFailedException: The Revision Id"));
    let revision = world.get()["Configuration"]["RevisionId"].clone();
    world
        .upload(&json!({ "ZipFile": next, "RevisionId": revision }))
        .unwrap();
    assert_eq!(world.get()["Configuration"]["CodeSha256"], sha("2"));
}

#[test]
fn code_that_cannot_be_unpacked_is_refused() {
    let mut world = World::new();
    let mut code = |bytes: &[u8]| {
        let code = json!({ "Code": { "ZipFile": BASE64.encode(bytes) } });
        said(world.create(&code))
    };
    let broken = "InvalidParameterValueException: Could not unzip uploaded file. Please check your file, then try to upload again.";
    assert_eq!(code(b"PK"), broken);
    assert_eq!(
        code(b""),
        "InvalidParameterValueException: Uploaded file must be a non-empty zip"
    );
    assert!(function_input::fits("CreateFunction", &[0; 1000]).is_ok());
    let big = function_input::fits("CreateFunction", &vec![0; 70_167_212]).unwrap_err();
    assert_eq!(
        (big.status, big.code.as_str()),
        (413, "RequestEntityTooLargeException")
    );
}

#[test]
fn roles_that_lambda_cannot_assume_are_refused() {
    let mut world = World::new();
    let cannot = "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.";
    for name in ["none", "pipelines"] {
        let refused = world.create(&json!({ "Role": role(name) }));
        assert_eq!(said(refused), cannot, "{name}");
    }
    let elsewhere = format!("arn:aws:iam::{TOOLS}:role/elsewhere");
    assert_eq!(
        said(world.create(&json!({ "Role": elsewhere }))),
        "AccessDeniedException: Cross-account pass role is not allowed."
    );
    let mut world = World::made(&json!({}));
    assert_eq!(
        said(world.configure(&json!({ "Role": role("pipelines") }))),
        cannot
    );
}

#[test]
fn a_role_that_was_just_made_is_not_seen_yet() {
    let cannot = "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.";
    let mut world = World::with(Faults {
        new_role_unseen: Duration::from_secs(10),
        ..Faults::default()
    });
    assert_eq!(said(world.create(&json!({}))), cannot);
    world.pass(10);
    assert!(world.create(&json!({})).is_ok());

    let mut world = World::with(Faults {
        new_role_misses: 2,
        ..Faults::default()
    });
    assert_eq!(said(world.create(&json!({}))), cannot);
    assert_eq!(said(world.create(&json!({}))), cannot);
    assert!(world.create(&json!({})).is_ok());
}

#[test]
fn values_over_lambdas_limits_are_refused() {
    let mut world = World::new();
    assert_eq!(
        said(world.create(&json!({ "Timeout": 901 }))),
        "ValidationException: 1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: \
         Member must have value less than or equal to 900"
    );
    assert!(
        said(world.create(&json!({ "MemorySize": 64 }))).ends_with("greater than or equal to 128")
    );
    assert!(
        said(world.create(&json!({ "Runtime": "cobol" }))).contains("Value cobol at 'runtime'")
    );
    let environment = |variables: Value| json!({ "Environment": { "Variables": variables } });
    let reserved = world.create(&environment(json!({ "AWS_REGION": "x" })));
    assert!(said(reserved).ends_with("Reserved keys used in this request: AWS_REGION"));
    let most = "x".repeat(4096 - 9);
    assert!(world.create(&environment(json!({ "AB": most }))).is_ok());
    let more = world.configure(&environment(json!({ "AB": format!("{most}x") })));
    assert!(more.is_err());
}

#[test]
fn a_kept_sandbox_has_its_functions_settled() {
    let mut world = World::new();
    world.create(&json!({})).unwrap();
    let saved = world.state.save().unwrap();
    let mut later = World::new();
    later.state.restore(&saved).unwrap();
    assert_eq!(later.get()["Configuration"]["State"], "Active");
}
