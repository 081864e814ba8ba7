//! Functions that a manifest makes: what is read of them, and what is sent.

use serde_json::{Value, json};

use super::stub::{Answer, Request, Stub, answer, ok};
use super::{access, call, runtime, sdk_config};
use crate::aws::errors::Failure;
use crate::aws::{Credentials, lambda};
use crate::cloud::CloudErrorKind;
use crate::model::account::{AccountId, Region};
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::function::{FunctionSettings, NewFunction, Variables};
use crate::model::name::{FunctionName, RoleName};
use crate::model::read::{Fact, Function};
use crate::model::write::{Write, Written};
use crate::world::package;

const ROLE: &str = "arn:aws:iam::222222222222:role/exec";

fn name() -> FunctionName {
    FunctionName::new("F").unwrap()
}

fn region() -> Region {
    Region::new("us-east-1").unwrap()
}

fn tagged(reply: Answer) -> Result<Option<Box<Function>>, Failure> {
    let stub = Stub::start(move |_, _| reply.clone());
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("lambda:GetFunction", &access);
    let client = aws_sdk_lambda::Client::new(&sdk_config(&stub.url));
    let outcome = runtime.block_on(lambda::tagged(&client, &call, &name()));
    let line = stub.seen().pop().unwrap().line;
    assert_eq!(line, "GET /2015-03-31/functions/F HTTP/1.1");
    outcome.map(|answer| match answer.value {
        Fact::TaggedFunction(found) => found,
        other => panic!("{other:?}"),
    })
}

fn sent(write: &Write, reply: Answer) -> (Result<Written, Failure>, Request) {
    let stub = Stub::start(move |_, _| reply.clone());
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call(write.operation(), &access);
    let client = aws_sdk_lambda::Client::new(&sdk_config(&stub.url));
    let outcome = runtime.block_on(lambda::write(&client, &call, write));
    let request = stub.seen().pop().unwrap();
    (outcome.map(|answer| answer.value), request)
}

fn settings() -> FunctionSettings {
    FunctionSettings {
        runtime: "python9.99".to_owned(),
        handler: "a.b".to_owned(),
        timeout_seconds: 60,
        memory_mb: 128,
        environment: Variables([("K".to_owned(), "v".to_owned())].into()),
        role: RoleArn::parse(ROLE).unwrap(),
    }
}

#[test]
fn a_function_is_read_with_its_tags_and_without_the_link_to_its_code() {
    let reply = json!({
        "Configuration": {
            "FunctionArn": "arn:f", "Role": ROLE, "Runtime": "python9.99", "Handler": "a.b", "Timeout": 60,
            "MemorySize": 128, "CodeSha256": "c2hh", "State": "Active", "StateReason": "it is", "LastUpdateStatus": "Failed",
            "LastUpdateStatusReason": "it did", "LastModified": "2026-11-22T15:04:05.000+0000",
            "DeadLetterConfig": {"TargetArn": "arn:q"}, "LoggingConfig": {"LogGroup": "/g"},
            "Environment": {"Variables": {"K": "v"}}, "PackageType": "Zip",
        },
        "Code": {"Location": "https://signed.example/code"},
        "Tags": {"crossgate:project": "p"},
    });
    let found = tagged(ok(reply.to_string())).unwrap().unwrap();
    assert!(!format!("{found:?}").contains("signed"));
    let text = |value: &str| Some(value.to_owned());
    let expected = Function {
        arn: "arn:f".to_owned(),
        role: RoleArn::parse(ROLE).unwrap(),
        state: text("Active"),
        state_reason: text("it is"),
        last_update_status: text("Failed"),
        last_update_reason: text("it did"),
        timeout_seconds: Some(60),
        package_type: text("Zip"),
        memory_mb: Some(128),
        runtime: text("python9.99"),
        handler: text("a.b"),
        code_sha256: text("c2hh"),
        last_modified: text("2026-11-22T15:04:05.000+0000"),
        dead_letter_arn: text("arn:q"),
        environment: Some(settings().environment),
        log_group: text("/g"),
        tags: Some([("crossgate:project".to_owned(), "p".to_owned())].into()),
    };
    assert_eq!(*found, expected);
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"Function not found"}"#;
    assert_eq!(tagged(answer(404, missing)).unwrap(), None);
}

#[test]
fn tags_that_may_not_be_seen_are_a_refusal_and_not_an_empty_list() {
    let reply = json!({
        "Configuration": {"FunctionArn": "arn:f", "Role": ROLE},
        "TagsError": {"ErrorCode": "AccessDeniedException", "Message": "not authorized to perform: lambda:ListTags"},
    });
    let failure = tagged(ok(reply.to_string())).unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::AccessDenied);
    assert!(failure.hint.unwrap().contains("lambda:ListTags"));
}

#[test]
fn variables_that_aws_cannot_decrypt_are_not_an_empty_environment() {
    let reply = json!({
        "Configuration": {"FunctionArn": "arn:f", "Role": ROLE,
            "Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms"}}},
    });
    let found = tagged(ok(reply.to_string())).unwrap().unwrap();
    assert_eq!(found.environment, None);
    let reply = json!({"Configuration": {"FunctionArn": "arn:f", "Role": ROLE}});
    let found = tagged(ok(reply.to_string())).unwrap().unwrap();
    assert_eq!(found.environment, Some(Variables::default()));
}

#[test]
fn a_function_is_created_whole() {
    let write = Write::CreateFunction {
        region: region(),
        new: Box::new(NewFunction {
            name: name(),
            package: package("v1"),
            settings: settings(),
            tags: [("crossgate:project".to_owned(), "p".to_owned())].into(),
            description: "d".to_owned(),
        }),
    };
    let (written, request) = sent(&write, answer(201, "{}"));
    assert_eq!(written.unwrap(), Written::Done);
    assert_eq!(request.line, "POST /2015-03-31/functions HTTP/1.1");
    assert_eq!(
        serde_json::from_str::<Value>(&request.body).unwrap(),
        json!({
            "FunctionName": "F", "PackageType": "Zip", "Code": {"ZipFile": "djE="}, "Runtime": "python9.99", "Handler": "a.b",
            "Timeout": 60, "MemorySize": 128, "Environment": {"Variables": {"K": "v"}}, "Role": ROLE, "Description": "d",
            "Tags": {"crossgate:project": "p"},
        })
    );
    let fresh = r#"{"__type":"InvalidParameterValueException","message":"The role defined for the function cannot be assumed by Lambda."}"#;
    let failure = sent(&write, answer(400, fresh)).0.unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::NotSettled);
}

#[test]
fn code_configuration_and_tags_are_sent_apart() {
    let code = Write::UpdateFunctionCode {
        region: region(),
        name: name(),
        package: package("v2"),
    };
    let (_, request) = sent(&code, ok("{}"));
    assert_eq!(request.line, "PUT /2015-03-31/functions/F/code HTTP/1.1");
    assert_eq!(request.body, r#"{"ZipFile":"djI="}"#);

    let configuration = Write::UpdateFunctionConfiguration {
        region: region(),
        name: name(),
        settings: Box::new(settings()),
    };
    let (_, request) = sent(&configuration, ok("{}"));
    let line = "PUT /2015-03-31/functions/F/configuration HTTP/1.1";
    assert_eq!(request.line, line);
    assert_eq!(
        serde_json::from_str::<Value>(&request.body).unwrap(),
        json!({"Runtime": "python9.99", "Handler": "a.b", "Timeout": 60, "MemorySize": 128,
            "Environment": {"Variables": {"K": "v"}}, "Role": ROLE})
    );

    let tags = Write::TagFunction {
        function: FunctionArn {
            region: region(),
            account: AccountId::new("222222222222").unwrap(),
            name: name(),
        },
        tags: [("team".to_owned(), "t".to_owned())].into(),
    };
    let (_, request) = sent(&tags, answer(204, ""));
    assert_eq!(
        request.line,
        "POST /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A222222222222%3Afunction%3AF HTTP/1.1"
    );
    assert_eq!(request.body, r#"{"Tags":{"team":"t"}}"#);
}

/// AWS repeats in its refusals what was sent.
#[test]
fn values_of_variables_are_not_in_the_error_of_a_write_that_aws_refuses() {
    let long = "s3cret".repeat(300);
    let pairs = [
        ("TOKEN", "s3cret-1"),
        ("LINES", "s3cret\n\"2\""),
        ("LONG", long.as_str()),
        ("MODE", "on"),
    ];
    let environment = Variables(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    let settings = FunctionSettings {
        environment: environment.clone(),
        ..settings()
    };
    let writes = [
        Write::UpdateFunctionConfiguration {
            region: region(),
            name: name(),
            settings: Box::new(settings.clone()),
        },
        Write::CreateFunction {
            region: region(),
            new: Box::new(NewFunction {
                name: name(),
                package: package("v1"),
                settings,
                tags: [].into(),
                description: "d".to_owned(),
            }),
        },
    ];
    let measured = serde_json::to_string(&environment.0).unwrap();
    let messages = [
        format!("exceeded the 4KB limit. String measured: {measured}"),
        "Value '{TOKEN=s3cret-1, LINES=s3cret\n\"2\"}' is on no list".to_owned(),
        // Cut within the value.
        format!("{} TOKEN=s3cret-1", "x".repeat(987)),
    ];
    for write in &writes {
        for message in &messages {
            let body = json!({"__type": "InvalidParameterValueException", "message": message});
            let (written, _) = sent(write, answer(400, body.to_string()));
            let failure = written.unwrap_err();
            assert_eq!(failure.kind, CloudErrorKind::Invalid);
            let shown = &failure.message;
            assert!(!shown.contains("s3c"), "{shown}");
            assert!(shown.contains("(hidden)"), "{shown}");
            assert!(shown.contains("is on no list") || !message.contains("no list"));
        }
    }
}

#[test]
fn a_function_that_is_gone_needs_no_deletion_and_a_write_of_another_service_is_refused() {
    let delete = Write::DeleteFunction {
        region: region(),
        name: name(),
    };
    assert_eq!(sent(&delete, answer(204, "")).0.unwrap(), Written::Done);
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"Function not found"}"#;
    let (written, request) = sent(&delete, answer(404, missing));
    assert_eq!(written.unwrap(), Written::AlreadyThere);
    assert_eq!(request.line, "DELETE /2015-03-31/functions/F HTTP/1.1");

    let access = access("dev", Credentials::DefaultChain);
    let (call, _) = call("iam:DeleteRole", &access);
    let client = aws_sdk_lambda::Client::new(&sdk_config("http://127.0.0.1:1"));
    let other = Write::DeleteRole {
        role: RoleName::new("r").unwrap(),
    };
    let refused = runtime().block_on(lambda::write(&client, &call, &other));
    assert!(refused.is_err_and(|failure| failure.message.contains("fault of crossgate")));
}
