//! `crossgate diagnose` against the embedded AWS: each cause that lies with the function, its answer or the pipeline, made to
//! happen, and what is said of it. The causes of the wiring are in `diagnose`.

use std::time::{Duration, Instant};

use crossgate::sandbox::{Builtin, ClockMode, Code, SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::Story;
use crate::support::cli::Run;
use crate::support::emulators;

/// A wired sample with this function.
fn wired(builtin: Builtin) -> Story {
    at(ClockMode::Jump, builtin)
}

fn at(clock: ClockMode, builtin: Builtin) -> Story {
    let story = Story::new(SandboxOptions {
        clock,
        ..SandboxOptions::default()
    });
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.function(builtin);
    story
}

fn start(story: &Story) -> String {
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools.start_pipeline(seed::PIPELINE).unwrap()
}

fn status(story: &Story, id: &str) -> String {
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools.execution_status(seed::PIPELINE, id).unwrap()
}

/// Starts the pipeline and waits for its end, which must be this one.
#[track_caller]
fn execute(story: &Story, end: &str) -> String {
    let id = start(story);
    let begun = Instant::now();
    while status(story, &id) == "InProgress" {
        assert!(begun.elapsed() < Duration::from_secs(30), "it hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(status(story, &id), end);
    id
}

/// What is said of the one gate.
fn gate(run: &Run) -> Value {
    run.json()["diagnoses"][0].clone()
}

/// The codes of all findings, the first first.
fn codes(run: &Run) -> Vec<String> {
    let gate = gate(run);
    let others = gate["others"].as_array().unwrap().iter();
    std::iter::once(&gate)
        .chain(others)
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Diagnoses, and holds that the first cause is this one; a gate that is broken is exit 3.
#[track_caller]
fn says(story: &Story, code: &str, exit: i32) -> Run {
    says_of(story, &[], code, exit)
}

#[track_caller]
fn says_of(story: &Story, more: &[&str], code: &str, exit: i32) -> Run {
    let arguments = [&["diagnose", "--format", "json"], more].concat();
    let run = story.run(&arguments);
    run.exits(exit);
    let codes = codes(&run);
    run.ensure(
        codes[0] == code,
        &format!("{code} expected first, not {codes:?}"),
    );
    run
}

/// Whether the evidence of the first finding has this text.
#[track_caller]
fn rests_on(run: &Run, text: &str) {
    let first = gate(run);
    run.ensure(
        first["evidence"].to_string().contains(text),
        &format!("`{text}` expected in the evidence of {first}"),
    );
}

/// Whether the first finding has a mend with this text, a command or an order.
#[track_caller]
fn is_mended_by(run: &Run, text: &str) {
    let first = gate(run);
    run.ensure(
        first["mend"].to_string().contains(text),
        &format!("`{text}` expected in what mends {first}"),
    );
}

#[test]
fn a_function_that_fails_before_it_answers() {
    let story = wired(Builtin::Crash);
    execute(&story, "Failed");
    let run = says(&story, "CG-304", 3);
    rests_on(&run, "RuntimeError: this function always fails");
    let text = story.run(&["diagnose"]);
    text.exits(3)
        .says("CG-304")
        .says("this function always fails");
}

#[test]
fn a_function_that_runs_out_of_time() {
    let story = wired(Builtin::Timeout);
    execute(&story, "Failed");
    let run = says(&story, "CG-305", 3);
    rests_on(&run, "Task timed out after 3.00 seconds");
    is_mended_by(&run, "--timeout");
}

#[test]
fn an_answer_with_the_wrong_credentials() {
    let story = wired(Builtin::WrongCredentials);
    execute(&story, "Failed");
    let run = says(&story, "CG-401", 3);
    rests_on(&run, "assumed-role/crossgate-demo-validate/");
}

/// A gate as a person writes it who takes the credentials that are at hand.
const HANDLER: &str = r#"
import boto3

def handler(event, context):
    job = event["CodePipeline.job"]
    keys = job["data"]["artifactCredentials"]
    boto3.client(
        "codepipeline", aws_access_key_id=keys["accessKeyId"], aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"],
    ).put_job_success_result(jobId=job["id"])
"#;

/// A gate that tells its log, and its error, what it should not.
const TALKER: &str = r#"
def handler(event, context):
    print(event)
    raise RuntimeError(f"no luck with {event['CodePipeline.job']['data']['artifactCredentials']}")
"#;

/// Makes the function a handler of one's own.
fn handler(story: &Story, text: &str) {
    let file = story.folder.path().join("gate.py");
    std::fs::write(&file, text).unwrap();
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    let site = emulators::python_packages();
    let role = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
    let environment = [("PYTHONPATH", site.as_str())];
    dev.put_function(seed::FUNCTION, &role, Code::File(file), &environment)
        .unwrap();
    dev.set_timeout(seed::FUNCTION, 30).unwrap();
}

#[test]
fn a_handler_of_ones_own_with_the_wrong_credentials() {
    let story = wired(Builtin::Approve);
    handler(&story, HANDLER);
    execute(&story, "Failed");
    let run = says(&story, "CG-401", 3);
    rests_on(&run, "AccessDeniedException");
}

#[test]
fn what_a_function_should_not_have_logged_is_not_repeated() {
    let story = wired(Builtin::Approve);
    handler(&story, TALKER);
    execute(&story, "Failed");
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    let log = dev.log_lines(seed::FUNCTION).unwrap().concat();
    let secret = |key: &str| {
        let (_, rest) = log.split_once(&format!("'{key}': '")).unwrap();
        rest.split('\'').next().unwrap().to_owned()
    };
    let run = says(&story, "CG-304", 3);
    rests_on(&run, "no luck with");
    let text = story.run(&["diagnose"]);
    for key in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        let secret = secret(key);
        assert!(secret.len() >= 20, "it is in the log");
        for run in [&run, &text] {
            run.ensure(!run.has(&secret), &format!("{key} is not shown"));
        }
    }
}

#[test]
fn an_execution_role_that_may_not_answer() {
    let story = wired(Builtin::Approve);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    dev.delete_role_policy(seed::EXECUTION_ROLE, "crossgate-demo-callback")
        .unwrap();
    execute(&story, "Failed");
    let run = says(&story, "CG-206", 3);
    is_mended_by(&run, "crossgate bootstrap");
}

/// Somebody else's Deny: there is no drift, and no bootstrap helps.
#[test]
fn an_execution_role_that_is_forbidden_to_answer() {
    let story = wired(Builtin::Approve);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    let deny = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "codepipeline:*", "Resource": "*" }],
    });
    dev.put_role_policy(seed::EXECUTION_ROLE, "freeze", &deny.to_string())
        .unwrap();
    execute(&story, "Failed");
    let run = says(&story, "CG-206", 3);
    let codes = codes(&run);
    run.ensure(!codes.contains(&"CG-103".to_owned()), "there is no drift");
}

#[test]
fn a_function_that_never_answers() {
    let story = wired(Builtin::Silent);
    execute(&story, "Failed");
    let run = says(&story, "CG-402", 3);
    let codes = codes(&run);
    run.ensure(
        !codes
            .iter()
            .any(|code| code == "CG-304" || code == "CG-305"),
        "it did not fail",
    );
}

#[test]
fn a_function_that_answers_twice() {
    let story = wired(Builtin::Twice);
    execute(&story, "Failed");
    let arguments = ["diagnose", "--format", "json"];
    let run = story.run(&arguments);
    run.exits(3);
    let codes = codes(&run);
    run.ensure(
        codes.contains(&"CG-403".to_owned()),
        &format!("CG-403 expected, not {codes:?}"),
    );
    run.says("InvalidJobStateException");
}

#[test]
fn a_function_for_which_nothing_is_reserved() {
    let story = wired(Builtin::Approve);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    dev.set_concurrency(seed::FUNCTION, 0).unwrap();
    execute(&story, "Failed");
    let run = says(&story, "CG-701", 3);
    is_mended_by(&run, "delete-function-concurrency");
}

#[test]
fn a_stage_that_somebody_closed() {
    let story = wired(Builtin::Approve);
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools
        .set_transition(seed::PIPELINE, "InvokeValidationLambda", false)
        .unwrap();
    let id = start(&story);
    let run = says(&story, "CG-501", 3);
    rests_on(&run, "closed by hand");
    is_mended_by(&run, "enable-stage-transition");
    assert_eq!(gate(&run)["execution"], json!(id));
    tools
        .set_transition(seed::PIPELINE, "InvokeValidationLambda", true)
        .unwrap();
    let begun = Instant::now();
    while status(&story, &id) == "InProgress" {
        assert!(begun.elapsed() < Duration::from_secs(30), "it hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    says(&story, "CG-001", 0);
}

/// An earlier execution went through: it is not what a person asks about.
#[test]
fn a_stage_that_was_closed_after_the_gate_had_worked() {
    let story = wired(Builtin::Approve);
    execute(&story, "Succeeded");
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools
        .set_transition(seed::PIPELINE, "InvokeValidationLambda", false)
        .unwrap();
    start(&story);
    let run = says(&story, "CG-501", 3);
    is_mended_by(&run, "enable-stage-transition");
}

#[test]
fn an_execution_whose_place_a_newer_one_took() {
    let story = wired(Builtin::Approve);
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools
        .set_transition(seed::PIPELINE, "InvokeValidationLambda", false)
        .unwrap();
    let (first, second) = (start(&story), start(&story));
    assert_eq!(status(&story, &first), "Superseded");
    tools
        .set_transition(seed::PIPELINE, "InvokeValidationLambda", true)
        .unwrap();
    let begun = Instant::now();
    while status(&story, &second) == "InProgress" {
        assert!(begun.elapsed() < Duration::from_secs(30), "it hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    let run = says_of(&story, &["--execution", &first], "CG-502", 3);
    rests_on(&run, "uperseded");
}

#[test]
fn an_artifact_that_the_invoke_role_may_not_read() {
    let story = wired(Builtin::Artifact);
    let manifest = seed::manifest().replace(
        "after = \"Deploy\"\n",
        "after = \"Deploy\"\ninput_artifacts = [\"App\"]\n",
    );
    let write = |text: &str| {
        std::fs::write(story.folder.path().join("crossgate.toml"), text).unwrap();
    };
    write(&manifest);
    story
        .run(&["bootstrap", "--yes"])
        .exits(1)
        .says("customer managed key");
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools.put_bucket("sample-artifacts", None).unwrap();
    let key = tools.put_key("1111-22", None).unwrap();
    let mut pipeline = tools
        .codepipeline("GetPipeline", &json!({"name": seed::PIPELINE}))
        .unwrap();
    pipeline["pipeline"]["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": key});
    let update = json!({"pipeline": pipeline["pipeline"]});
    tools.codepipeline("UpdatePipeline", &update).unwrap();
    let before = story.sandbox.snapshot();
    // The bucket's policy and the key's do not let the role in, and that is said before and after.
    story
        .run(&["bootstrap", "--yes"])
        .exits(0)
        .says("s3:GetObject")
        .says("kms:Decrypt");
    execute(&story, "Failed");
    let run = says(&story, "CG-601", 3);
    rests_on(&run, "GetObject");
    story.run(&["verify"]).exits(3).says("manage = true");
    write(&format!("{manifest}\n[gates.artifacts]\nmanage = true\n"));
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
    story.run(&["verify"]).exits(0);
    execute(&story, "Succeeded");
    // Only the key is closed again.
    tools.put_key("1111-22", Some(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#)).unwrap();
    execute(&story, "Failed");
    let run = says(&story, "CG-601", 3);
    rests_on(&run, "kms:Decrypt");
    story.run(&["bootstrap", "--yes"]).exits(0);
    execute(&story, "Succeeded");
    story.run(&["teardown", "--yes"]).exits(0);
    let after = story.sandbox.snapshot();
    assert_eq!(
        after["111111111111"]["buckets"],
        before["111111111111"]["buckets"]
    );
    assert_eq!(after["222222222222"]["roles"].as_object().unwrap().len(), 1);
}

#[test]
fn a_function_that_may_still_answer() {
    let story = at(ClockMode::Real, Builtin::Timeout);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    dev.set_timeout(seed::FUNCTION, 900).unwrap();
    let id = start(&story);
    let run = says(&story, "CG-003", 0);
    assert_eq!(gate(&run)["execution"], json!(id));
    assert_eq!(codes(&run), ["CG-003"]);
    rests_on(&run, "gives it up in 20 minutes");
    assert_eq!(status(&story, &id), "InProgress", "it is left alone");
}

#[test]
fn a_function_that_comes_back_with_a_continuation_token() {
    let story = at(ClockMode::Real, Builtin::Slow);
    let id = start(&story);
    let begun = Instant::now();
    let answered = || {
        let runs = story.sandbox.invocations();
        runs.iter().any(|run| !run.logs.is_empty())
    };
    while !answered() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it hangs");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(
        status(&story, &id),
        "InProgress",
        "the next round is in 30 s"
    );
    let run = says(&story, "CG-003", 0);
    assert_eq!(
        codes(&run),
        ["CG-003"],
        "that a run has ended is no silence"
    );
}

/// CodePipeline waits still, and in vain.
#[test]
fn a_function_that_has_ended_without_an_answer() {
    let story = at(ClockMode::Real, Builtin::Silent);
    start(&story);
    let run = says(&story, "CG-402", 3);
    assert_eq!(codes(&run), ["CG-402", "CG-003"]);
    is_mended_by(&run, "once CodePipeline has given the job up");
}

#[test]
fn a_function_that_is_not_there() {
    let story = wired(Builtin::Approve);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    let path = format!("/2015-03-31/functions/{}", seed::FUNCTION);
    dev.lambda("DELETE", &path, &Value::Null).unwrap();
    execute(&story, "Failed");
    says(&story, "CG-301", 3);
}

#[test]
fn a_function_that_stands_in_another_region() {
    let story = wired(Builtin::Approve);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    let path = format!("/2015-03-31/functions/{}", seed::FUNCTION);
    dev.lambda("DELETE", &path, &Value::Null).unwrap();
    let elsewhere = story.sandbox.admin(&story.accounts.dev, "eu-west-1");
    let role = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
    let code = Code::Builtin(Builtin::Approve);
    elsewhere
        .put_function(seed::FUNCTION, &role, code, &[])
        .unwrap();
    execute(&story, "Failed");
    let run = says(&story, "CG-302", 3);
    run.says("eu-west-1");
}

/// Without its log the cause is left over, not proven, and the note says which permission would tell more.
#[test]
fn a_log_that_is_not_there_makes_the_diagnosis_less_certain() {
    let story = wired(Builtin::Crash);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    dev.delete_role_policy(seed::EXECUTION_ROLE, "logs")
        .unwrap();
    execute(&story, "Failed");
    let run = story.run(&["diagnose", "--format", "json"]);
    run.exits(3);
    let first = gate(&run);
    run.ensure(first["certainty"] != "certain", "nobody can be certain");
}

#[test]
fn it_changes_nothing_and_reads_only() {
    let story = wired(Builtin::Crash);
    execute(&story, "Failed");
    let before = (story.sandbox.snapshot(), story.sandbox.calls().len());
    story.run(&["diagnose"]).exits(3);
    assert_eq!(story.sandbox.snapshot(), before.0);
    let reads = ["Get", "List", "Filter", "Describe"];
    for call in story.sandbox.calls().into_iter().skip(before.1) {
        let is_read = reads.iter().any(|word| call.operation.starts_with(word));
        assert!(is_read, "{call:?}");
    }
}

#[test]
fn an_execution_that_is_not_there_is_said() {
    let story = wired(Builtin::Approve);
    execute(&story, "Succeeded");
    let run = story.run(&[
        "diagnose",
        "--execution",
        "00000000-0000-4000-8000-000000000000",
    ]);
    run.exits_one_of(&[1, 2, 4]);
    run.says("00000000-0000-4000-8000-000000000000");
}
