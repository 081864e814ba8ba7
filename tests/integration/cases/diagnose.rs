//! `crossgate diagnose` against the embedded AWS: a wired gate, one thing broken on purpose, and the one cause that is named.
//! Causes that the function itself makes are in `diagnose_function`.

use crossgate::sandbox::{Admin, Builtin, ClockMode, Outcome, SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::Story;
use crate::support::cli::Run;

const GATE: &str = "InvokeValidationLambda";
const INVOKE_ROLE: &str = "crossgate-demo-validate";

fn unwired(clock: ClockMode) -> Story {
    Story::new(SandboxOptions {
        clock,
        ..SandboxOptions::default()
    })
}

/// A wired sample whose time passes at once.
fn wired() -> Story {
    let story = unwired(ClockMode::Jump);
    story.run(&["bootstrap", "--yes"]).exits(0);
    story
}

fn tools(story: &Story) -> Admin<'_> {
    story.sandbox.admin(&story.accounts.tools, seed::REGION)
}

fn dev(story: &Story) -> Admin<'_> {
    story.sandbox.admin(&story.accounts.dev, seed::REGION)
}

fn trust(service: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service},
        "Action": "sts:AssumeRole"}]})
    .to_string()
}

fn diagnose(story: &Story, more: &[&str]) -> Run {
    let arguments = [&["diagnose", "--format", "json"], more].concat();
    story.run(&arguments)
}

/// The one diagnosis of a run.
fn only(run: &Run) -> Value {
    let all = run.json()["diagnoses"].clone();
    run.ensure(
        all.as_array().is_some_and(|all| all.len() == 1),
        "one gate, one diagnosis",
    );
    all[0].clone()
}

/// The cause that is named, how certain it is, and how the command ends. Nothing is changed by it.
#[track_caller]
fn names(story: &Story, more: &[&str], code: &str, certainty: &str, exit: i32) -> Value {
    let before = story.sandbox.snapshot();
    let run = diagnose(story, more);
    let one = only(&run);
    let named = format!(
        "{} {}",
        one["code"].as_str().unwrap(),
        one["certainty"].as_str().unwrap()
    );
    assert_eq!(named, format!("{code} {certainty}"), "{}", run.stdout);
    run.exits(exit);
    assert_eq!(
        story.sandbox.snapshot(),
        before,
        "a diagnosis changes nothing"
    );
    one
}

fn evidence(one: &Value) -> String {
    one["evidence"].to_string()
}

/// The codes beside the first.
fn others(one: &Value) -> Vec<&str> {
    let others = one["others"].as_array().unwrap();
    others
        .iter()
        .map(|other| other["code"].as_str().unwrap())
        .collect()
}

#[test]
fn cg_001_a_gate_that_passed() {
    let story = wired();
    story.execute();
    let one = names(&story, &[], "CG-001", "certain", 0);
    assert!(
        others(&one).is_empty() && one["notes"] == json!([]),
        "{one}"
    );
}

#[test]
fn cg_002_a_gate_that_said_no() {
    let story = wired();
    story.function(Builtin::Reject);
    story.execute();
    let one = names(&story, &["--gate", "validate"], "CG-002", "certain", 0);
    assert!(
        evidence(&one).contains("the validation found a problem"),
        "{one}"
    );
}

#[test]
fn cg_003_a_function_that_still_runs() {
    let story = unwired(ClockMode::Real);
    story.run(&["bootstrap", "--yes"]).exits(0);
    dev(&story).set_timeout(seed::FUNCTION, 600).unwrap();
    story.function(Builtin::Timeout);
    tools(&story).start_pipeline(seed::PIPELINE).unwrap();
    let one = names(&story, &[], "CG-003", "certain", 0);
    assert!(evidence(&one).contains("in 20 minutes"), "{one}");
}

#[test]
fn cg_003_a_function_that_goes_on_with_a_continuation_token() {
    let story = unwired(ClockMode::Real);
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.function(Builtin::Slow);
    let id = tools(&story).start_pipeline(seed::PIPELINE).unwrap();
    let goes_on = || {
        let actions = tools(&story).actions(seed::PIPELINE, &id).unwrap();
        let gate = actions.into_iter().find(|one| one["stageName"] == GATE);
        gate.is_some_and(|one| one["output"].to_string().contains("round 1"))
    };
    let begun = std::time::Instant::now();
    while !goes_on() {
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(30),
            "it never goes on"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let one = names(&story, &[], "CG-003", "certain", 0);
    assert!(others(&one).is_empty(), "{one}");
}

#[test]
fn cg_004_an_execution_that_has_not_come_to_the_gate() {
    let story = wired();
    tools(&story)
        .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", Outcome::Wait)
        .unwrap();
    tools(&story).start_pipeline(seed::PIPELINE).unwrap();
    names(&story, &[], "CG-004", "certain", 0);
}

#[test]
fn cg_005_a_gate_that_was_not_asked_since_it_was_wired() {
    let story = unwired(ClockMode::Jump);
    story.execute();
    story.run(&["bootstrap", "--yes"]).exits(0);
    names(&story, &[], "CG-005", "certain", 0);
}

#[test]
fn cg_009_an_execution_that_is_not_there_is_incomplete() {
    let story = wired();
    let id = "00000000-0000-0000-0000-000000000000";
    let one = names(&story, &["--execution", id], "CG-009", "certain", 4);
    assert!(evidence(&one).contains(id), "{one}");
    diagnose(&story, &["--execution", "../x"]).exits(2);
}

#[test]
fn cg_009_an_account_that_does_not_answer_is_incomplete() {
    let mut story = wired();
    story.variables.insert(
        "AWS_ENDPOINT_URL_CODEPIPELINE".to_owned(),
        "http://127.0.0.1:9".to_owned(),
    );
    names(&story, &[], "CG-009", "certain", 4);
}

#[test]
fn cg_101_a_pipeline_that_is_not_there() {
    let story = wired();
    let manifest = seed::manifest().replace("\"MyPipeline\"", "\"OtherPipeline\"");
    std::fs::write(story.folder.path().join("crossgate.toml"), manifest).unwrap();
    names(&story, &[], "CG-101", "certain", 3);
}

#[test]
fn cg_102_a_gate_that_is_not_wired() {
    let story = unwired(ClockMode::Jump);
    let one = names(&story, &[], "CG-102", "certain", 3);
    assert_eq!(
        one["mend"][0]["command"],
        "crossgate bootstrap --gate validate"
    );
    story.run(&["bootstrap", "--yes"]).exits(0);
    names(&story, &[], "CG-005", "certain", 0);
}

#[test]
fn cg_103_drift_that_the_hops_survive() {
    let story = wired();
    story.execute();
    let nothing = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}"#;
    dev(&story)
        .put_role_policy(INVOKE_ROLE, "by-hand", nothing)
        .unwrap();
    let one = names(&story, &[], "CG-103", "possible", 3);
    assert!(evidence(&one).contains("by-hand"), "{one}");
    assert_eq!(one["notes"], json!(["the gate let the pipeline go on"]));
}

#[test]
fn cg_201_a_service_role_that_codepipeline_may_not_take() {
    let story = wired();
    tools(&story)
        .set_trust(seed::SERVICE_ROLE, &trust("ec2.amazonaws.com"))
        .unwrap();
    story.execute();
    names(&story, &[], "CG-201", "certain", 3);
}

#[test]
fn cg_202_a_service_role_that_may_not_take_the_invoke_role() {
    let story = wired();
    tools(&story)
        .delete_role_policy(seed::SERVICE_ROLE, "crossgate-demo-assume")
        .unwrap();
    story.execute();
    let one = names(&story, &[], "CG-202", "certain", 3);
    assert_eq!(others(&one), ["CG-103"], "what is missing is drift too");
}

#[test]
fn cg_203_an_invoke_role_that_does_not_trust() {
    let story = wired();
    dev(&story)
        .set_trust(INVOKE_ROLE, &trust("ec2.amazonaws.com"))
        .unwrap();
    story.execute();
    names(&story, &[], "CG-203", "certain", 3);
}

#[test]
fn cg_204_a_deny_between_the_roles() {
    let story = wired();
    let deny = r#"{"Version":"2012-10-17","Statement":{"Sid":"Guard","Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}}"#;
    tools(&story)
        .put_role_policy(seed::SERVICE_ROLE, "guard", deny)
        .unwrap();
    story.execute();
    let one = names(&story, &[], "CG-204", "certain", 3);
    assert!(evidence(&one).contains("policy `guard`"), "{one}");
}

#[test]
fn cg_205_an_invoke_role_that_may_not_invoke() {
    let story = wired();
    dev(&story)
        .delete_role_policy(INVOKE_ROLE, "crossgate-demo-invoke")
        .unwrap();
    story.execute();
    names(&story, &[], "CG-205", "certain", 3);
}

#[test]
fn cg_206_an_execution_role_that_may_not_answer() {
    let story = wired();
    dev(&story)
        .delete_role_policy(seed::EXECUTION_ROLE, "crossgate-demo-callback")
        .unwrap();
    let (_, gate) = story.execute();
    assert!(
        gate.to_string().contains("failed to return a result"),
        "{gate}"
    );
    let one = names(&story, &[], "CG-206", "certain", 3);
    assert!(
        evidence(&one).contains("is not authorized to perform: codepipeline:PutJobSuccessResult"),
        "{one}"
    );
}

#[test]
fn cg_206_is_likely_where_the_log_may_not_be_read() {
    let story = wired();
    dev(&story)
        .delete_role_policy(seed::EXECUTION_ROLE, "crossgate-demo-callback")
        .unwrap();
    dev(&story)
        .delete_role_policy(seed::EXECUTION_ROLE, "logs")
        .unwrap();
    story.execute();
    let one = names(&story, &[], "CG-206", "likely", 3);
    assert!(one["notes"].to_string().contains("no log group"), "{one}");
}

#[test]
fn cg_207_a_refusal_that_is_mended_since() {
    let story = wired();
    tools(&story)
        .delete_role_policy(seed::SERVICE_ROLE, "crossgate-demo-assume")
        .unwrap();
    story.execute();
    story.run(&["bootstrap", "--yes"]).exits(0);
    let one = names(&story, &[], "CG-207", "likely", 3);
    let commands = one["mend"].to_string();
    assert!(
        commands.contains("retry-stage-execution --pipeline-name MyPipeline"),
        "{commands}"
    );
}

fn delete_function(story: &Story) {
    let path = format!("/2015-03-31/functions/{}", seed::FUNCTION);
    dev(story).lambda("DELETE", &path, &Value::Null).unwrap();
}

#[test]
fn cg_301_a_function_that_is_gone() {
    let story = wired();
    delete_function(&story);
    story.execute();
    let one = names(&story, &[], "CG-301", "certain", 3);
    assert!(
        !others(&one).contains(&"CG-205"),
        "one cause, not its consequences: {one}"
    );
}

#[test]
fn cg_302_a_function_in_another_region() {
    let story = wired();
    delete_function(&story);
    let there = story.sandbox.admin(&story.accounts.dev, "eu-west-1");
    let role = format!(
        "arn:aws:iam::{}:role/{}",
        story.accounts.dev,
        seed::EXECUTION_ROLE
    );
    let code = crossgate::sandbox::Code::Builtin(Builtin::Approve);
    there
        .put_function(seed::FUNCTION, &role, code, &[])
        .unwrap();
    story.execute();
    let one = names(&story, &[], "CG-302", "certain", 3);
    assert!(evidence(&one).contains("eu-west-1"), "{one}");
}

#[test]
fn cg_303_a_function_whose_role_lambda_may_not_take() {
    let story = wired();
    dev(&story)
        .set_trust(seed::EXECUTION_ROLE, &trust("ec2.amazonaws.com"))
        .unwrap();
    story.execute();
    let one = names(&story, &[], "CG-303", "likely", 3);
    assert!(evidence(&one).contains(seed::EXECUTION_ROLE), "{one}");
}

#[test]
fn cg_402_a_function_that_never_answers() {
    let story = wired();
    story.function(Builtin::Silent);
    story.execute();
    let one = names(&story, &[], "CG-402", "certain", 3);
    assert!(others(&one).is_empty(), "{one}");
}

#[test]
fn cg_502_an_execution_whose_place_was_taken() {
    let story = wired();
    tools(&story)
        .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", Outcome::Wait)
        .unwrap();
    let ids = [(); 3].map(|()| tools(&story).start_pipeline(seed::PIPELINE).unwrap());
    assert_eq!(
        tools(&story)
            .execution_status(seed::PIPELINE, &ids[1])
            .unwrap(),
        "Superseded"
    );
    let one = names(&story, &["--execution", &ids[1]], "CG-502", "certain", 3);
    assert!(
        one["notes"].to_string().contains(&ids[2]),
        "the newer one is named: {one}"
    );
}

#[test]
fn cg_503_an_execution_that_failed_before_the_gate() {
    let story = wired();
    let failure = Outcome::Fail {
        code: "ConfigurationError".to_owned(),
        message: "no such bucket".to_owned(),
    };
    tools(&story)
        .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", failure)
        .unwrap();
    story.execute();
    let one = names(&story, &[], "CG-503", "certain", 3);
    assert!(evidence(&one).contains("no such bucket"), "{one}");
}

#[test]
fn the_newest_execution_that_came_to_the_gate_is_looked_at() {
    let story = wired();
    story.function(Builtin::Reject);
    story.execute();
    story.function(Builtin::Approve);
    tools(&story)
        .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", Outcome::Wait)
        .unwrap();
    let newer = tools(&story).start_pipeline(seed::PIPELINE).unwrap();
    let one = names(&story, &[], "CG-002", "certain", 0);
    assert!(one["notes"].to_string().contains(&newer), "{one}");
    names(&story, &["--execution", &newer], "CG-004", "certain", 0);
}

#[test]
fn a_run_that_was_refused_says_how_to_ask_why() {
    let story = wired();
    dev(&story)
        .delete_role_policy(INVOKE_ROLE, "crossgate-demo-invoke")
        .unwrap();
    let run = story.run(&["run"]);
    run.exits(3);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "Execution").unwrap();
    let (id, text) = (words[at + 1], words.join(" "));
    let hint = format!("crossgate diagnose --gate validate --execution {id}");
    run.ensure(text.contains(&hint), "the hint names the command");
    names(
        &story,
        &["--gate", "validate", "--execution", id],
        "CG-205",
        "certain",
        3,
    );
}

#[test]
fn the_text_is_a_paragraph_with_code_evidence_and_mend() {
    let story = wired();
    tools(&story)
        .delete_role_policy(seed::SERVICE_ROLE, "crossgate-demo-assume")
        .unwrap();
    story.execute();
    let run = story.run(&["diagnose"]);
    run.exits(3)
        .says("Gate validate, execution ")
        .says("CG-202 the service role's own policies do not let it take the invoke role (certain)")
        .says("crossgate bootstrap --gate validate");
}

#[test]
fn explain_lists_codes_and_shows_their_pages() {
    let story = unwired(ClockMode::Jump);
    story
        .run(&["explain"])
        .exits(0)
        .says("CG-401  the function answered with credentials");
    story
        .run(&["explain", "cg-401"])
        .exits(0)
        .says("artifactCredentials")
        .says("aws/aws-cdk#15235");
    story
        .run(&["explain", "CG-4O1"])
        .exits(2)
        .says("did you mean");
    let run = story.run(&["explain", "CG-305", "--format", "json"]);
    run.exits(0);
    let json = run.json();
    assert_eq!(
        (&json["format_version"], &json["command"]),
        (&json!(1), &json!("explain"))
    );
    assert_eq!(json["codes"][0]["code"], "CG-305");
    assert!(
        json["codes"][0]["page"]
            .as_str()
            .unwrap()
            .contains("## How to mend it")
    );
    assert!(story.sandbox.calls().is_empty(), "it asks nobody");
}
