//! The embedded AWS in the hands of clients that are not crossgate's: boto3 and the aws CLI tell the whole story.
//! What they see must be what AWS would show them; only where it says so does crossgate do a step.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crossgate::sandbox::{Builtin, SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::{Story, python};
use crate::support::emulators;

const NO_RESULT: &str = "The AWS Lambda function MyFunction failed to return a result. Check the function to verify that it has \
                         permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.";

#[test]
fn boto3_alone_wires_runs_breaks_mends_and_takes_away() {
    let story = Story::new(SandboxOptions::default());
    let before = story.sandbox.snapshot();
    let said: Value =
        serde_json::from_str(&python(&story, &emulators::text("by_hand.py"))).unwrap();
    let refused = "arn:aws:iam::111111111111:role/pipeline-service-role is not authorized to perform AssumeRole on role \
                   arn:aws:iam::222222222222:role/by-hand";
    let expected = json!([
        ["Succeeded", "Succeeded", ""],
        ["Failed", "Failed", refused],
        ["Failed", "Failed", NO_RESULT],
        ["Succeeded", "Succeeded", ""],
    ]);
    assert_eq!(said, expected);
    assert_eq!(story.sandbox.snapshot(), before, "nothing is left behind");
}

fn look(story: &Story, what: &str) -> Value {
    let arguments = format!("import sys\nsys.argv[1:] = [{what:?}]\n");
    let script = arguments + &emulators::text("look.py");
    serde_json::from_str(&python(story, &script)).unwrap()
}

#[test]
fn what_crossgate_does_boto3_sees() {
    let story = Story::new(SandboxOptions::default());
    let before = look(&story, "look");
    assert_eq!(before["stages"], json!(["Source", "Deploy", "Prod"]));
    story.run(&["bootstrap", "--yes"]).exits(0);
    let wired = look(&story, "look");
    let expected = json!({
        "stages": ["Source", "Deploy", "InvokeValidationLambda", "Prod"],
        "roles": ["crossgate-demo-validate", "function-execution-role"],
        "callback": ["crossgate-demo-callback", "logs"],
        "assume": ["artifacts", "crossgate-demo-assume"],
        "actions": ["lambda:InvokeFunction", "lambda:ListFunctions"],
    });
    assert_eq!(wired, expected);
    assert_eq!(look(&story, "run"), "Succeeded");
    story.function(Builtin::Reject);
    assert_eq!(look(&story, "run"), "Failed");
    story.function(Builtin::Approve);
    assert_eq!(look(&story, "break"), "Failed");
    story.run(&["check"]).exits(3);
    story.run(&["bootstrap", "--yes"]).exits(0);
    assert_eq!(look(&story, "run"), "Succeeded");
    assert_eq!(look(&story, "look"), wired);
    story.run(&["teardown", "--yes"]).exits(0);
    assert_eq!(look(&story, "look"), before);
}

/// The aws CLI.
fn command(story: &Story, profile: &str, arguments: &[&str]) -> Output {
    Command::new(emulators::aws())
        .args(["--profile", profile, "--output", "json"])
        .args(arguments)
        .env_clear()
        .envs(&story.variables)
        .current_dir(story.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What the aws CLI prints; it must succeed.
#[track_caller]
fn aws(story: &Story, profile: &str, arguments: &[&str]) -> Value {
    let output = command(story, profile, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Starts the pipeline and waits for it; the status, and the error of the gate.
fn execute(story: &Story) -> (String, String) {
    let start = [
        "codepipeline",
        "start-pipeline-execution",
        "--name",
        seed::PIPELINE,
    ];
    let started = aws(story, "tools", &start);
    let id = started["pipelineExecutionId"].as_str().unwrap();
    let begun = Instant::now();
    let status = loop {
        let get = [
            "codepipeline",
            "get-pipeline-execution",
            "--pipeline-name",
            seed::PIPELINE,
            "--pipeline-execution-id",
            id,
        ];
        let seen = aws(story, "tools", &get);
        let status = seen["pipelineExecution"]["status"].as_str().unwrap();
        if status != "InProgress" {
            break status.to_owned();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "it hangs");
    };
    let filter = format!("pipelineExecutionId={id}");
    let list = [
        "codepipeline",
        "list-action-executions",
        "--pipeline-name",
        seed::PIPELINE,
        "--filter",
        &filter,
    ];
    let listed = aws(story, "tools", &list);
    let actions = listed["actionExecutionDetails"].as_array().unwrap();
    let gate = actions
        .iter()
        .find(|one| one["actionName"] == "RunValidation")
        .unwrap();
    let error = &gate["output"]["executionResult"]["errorDetails"]["message"];
    (status, error.as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_aws_cli_reads_writes_and_runs() {
    let story = Story::new(SandboxOptions::default());
    let who = aws(&story, "tools", &["sts", "get-caller-identity"]);
    assert_eq!(who["Account"], seed::TOOLS);
    story.run(&["bootstrap", "--yes"]).exits(0);

    let name = "crossgate-demo-validate";
    let role = aws(&story, "dev", &["iam", "get-role", "--role-name", name]);
    assert_eq!(role["Role"]["RoleName"], name);
    let trusted = &role["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"];
    assert_eq!(*trusted, format!("arn:aws:iam::{}:root", seed::TOOLS));
    let listed = aws(
        &story,
        "dev",
        &["iam", "list-role-policies", "--role-name", name],
    );
    assert_eq!(listed["PolicyNames"], json!(["crossgate-demo-invoke"]));

    // Read, change one thing, write back: as the user guide of CodePipeline says to do.
    let read = ["codepipeline", "get-pipeline", "--name", seed::PIPELINE];
    let mut structure = aws(&story, "tools", &read);
    structure.as_object_mut().unwrap().remove("metadata");
    let before = story.sandbox.snapshot();
    let file = story.folder.path().join("pipeline.json");
    let update = [
        "codepipeline",
        "update-pipeline",
        "--cli-input-json",
        "file://pipeline.json",
    ];
    std::fs::write(&file, structure.to_string()).unwrap();
    let given = aws(&story, "tools", &update);
    let version = |document: &Value| document["pipeline"]["version"].as_u64().unwrap();
    assert_eq!(version(&given), version(&structure) + 1);
    assert_eq!(
        story.sandbox.snapshot(),
        before,
        "the round trip changes nothing"
    );
    story.run(&["check"]).exits(0);

    assert_eq!(execute(&story), ("Succeeded".to_owned(), String::new()));
    story.function(Builtin::Reject);
    let message = "the validation found a problem".to_owned();
    assert_eq!(execute(&story), ("Failed".to_owned(), message));

    structure["pipeline"]["stages"][2]["actions"][0]["configuration"]["FunctionName"] =
        json!("Other");
    std::fs::write(&file, structure.to_string()).unwrap();
    aws(&story, "tools", &update);
    let (status, why) = execute(&story);
    assert_eq!(status, "Failed");
    assert!(why.contains("Other"), "{why}");
    story.run(&["check"]).exits(3);

    let none = command(&story, "dev", &["iam", "get-role", "--role-name", "none"]);
    let stderr = String::from_utf8_lossy(&none.stderr);
    assert!(stderr.contains("(NoSuchEntity)"), "{stderr}");
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["teardown", "--yes"]).exits(0);
}
