//! `crossgate run` against the embedded AWS: what it answers, how often it asks, what Ctrl-C does.
//! What happens in AWS is read from the sandbox's own records, never from what the binary says of itself.

use std::process::Command;
use std::time::{Duration, Instant};

use crossgate::sandbox::{Builtin, CallRecord, ClockMode, Outcome, SandboxOptions, seed};
use serde_json::Value;

use super::sandbox::Story;
use crate::support::cli::{self, Run};

/// A wired sample.
fn wired(clock: ClockMode, builtin: Builtin) -> Story {
    let story = Story::new(SandboxOptions {
        clock,
        ..SandboxOptions::default()
    });
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.function(builtin);
    story
}

/// The calls of one operation since the sandbox began.
fn calls(story: &Story, operation: &str) -> Vec<CallRecord> {
    let mut calls = story.sandbox.calls();
    calls.retain(|call| call.operation == operation);
    calls
}

/// What was started, by anyone over HTTP.
fn starts(story: &Story) -> usize {
    calls(story, "StartPipelineExecution").len()
}

fn status(story: &Story, id: &str) -> String {
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools.execution_status(seed::PIPELINE, id).unwrap()
}

fn start(story: &Story) -> String {
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools.start_pipeline(seed::PIPELINE).unwrap()
}

/// The execution that a run was about.
fn execution(run: &Run) -> String {
    run.json()["execution"].as_str().unwrap().to_owned()
}

/// Reads of executions never come closer than a second to each other.
#[track_caller]
fn asked_at_leisure(story: &Story, run: &Run) {
    let mut reads: Vec<Duration> = story
        .sandbox
        .calls()
        .iter()
        .filter(|call| {
            ["ListActionExecutions", "GetPipelineExecution"].contains(&call.operation.as_str())
        })
        .map(|call| call.at)
        .collect();
    reads.sort();
    for pair in reads.windows(2) {
        let gap = pair[1].abs_diff(pair[0]);
        run.ensure(
            gap >= Duration::from_secs(1),
            &format!("only {gap:?} between two reads"),
        );
    }
}

#[test]
fn a_gate_that_approves_is_exit_0() {
    let story = wired(ClockMode::Jump, Builtin::Approve);
    let run = story.run(&["run"]);
    run.exits(0)
        .says("Passed: gate validate let the pipeline go on.");
    run.says("InvokeValidationLambda/RunValidation: succeeded");
    assert_eq!(starts(&story), 1);
    asked_at_leisure(&story, &run);
}

#[test]
fn a_gate_that_rejects_is_exit_3_with_its_message() {
    let story = wired(ClockMode::Jump, Builtin::Reject);
    let run = story.run(&["run", "--gate", "validate"]);
    run.exits(3).says("the validation found a problem");
    run.ensure(
        run.stdout.contains("Refused: gate validate"),
        "the result is on standard output",
    );
}

#[test]
fn a_gate_that_never_answers_is_exit_3_when_aws_gives_it_up() {
    let story = wired(ClockMode::Jump, Builtin::Silent);
    let run = story.run(&["run", "--format", "json"]);
    run.exits(3).has_status("drift");
    let json = run.json();
    assert_eq!(json["answer"], "refused");
    let reason = json["reason"].as_str().unwrap();
    assert!(reason.contains("failed to return a result"), "{reason}");
}

#[test]
fn one_json_object_says_what_happened() {
    let story = wired(ClockMode::Jump, Builtin::Approve);
    let run = story.run(&["run", "--format", "json"]);
    run.exits(0);
    let json = run.json();
    assert_eq!(json["answer"], "passed");
    assert_eq!(json["gates"], serde_json::json!(["validate"]));
    assert_eq!(json["pipeline"], seed::PIPELINE);
    assert_eq!(json["reason"], Value::Null);
    let actions = json["actions"].as_array().unwrap();
    let gate = actions.iter().find(|one| one["action"] == "RunValidation");
    assert_eq!(gate.unwrap()["status"], "succeeded");
    assert_eq!(status(&story, &execution(&run)), "Succeeded");
}

#[test]
fn no_answer_in_time_is_exit_4_and_can_be_followed_later() {
    let story = wired(ClockMode::Real, Builtin::Silent);
    let run = story.run(&["run", "--timeout", "0", "--format", "json"]);
    run.exits(4).has_status("incomplete");
    let json = run.json();
    assert_eq!(json["answer"], "unknown");
    assert_eq!(json["reason"], "no answer within 0:00");
    let id = execution(&run);
    assert_eq!(status(&story, &id), "InProgress", "it is left alone");

    // Twenty minutes later somebody looks again.
    story.sandbox.advance(Duration::from_mins(21));
    let later = story.run(&["run", "--execution", &id, "--format", "json"]);
    later.exits(3);
    assert_eq!(execution(&later), id);
    assert_eq!(starts(&story), 1, "nothing was started for it");
}

#[test]
fn an_execution_of_somebody_else_is_followed_and_none_started() {
    let story = wired(ClockMode::Jump, Builtin::Approve);
    let id = start(&story);
    let run = story.run(&["run", "--execution", &id, "--format", "json"]);
    run.exits(0);
    assert_eq!(execution(&run), id);
    assert_eq!(starts(&story), 0);
    // It is over now, and can still be looked at.
    story.run(&["run", "--execution", &id]).exits(0);
    assert_eq!(starts(&story), 0);
    let none = "00000000-0000-0000-0000-000000000000";
    story
        .run(&["run", "--execution", none])
        .exits_one_of(&[1, 4]);
    story.run(&["run", "--execution", "../x"]).exits(2);
}

#[test]
fn an_execution_that_fails_before_the_gate_is_exit_4() {
    let story = wired(ClockMode::Jump, Builtin::Approve);
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    let failure = Outcome::Fail {
        code: "ConfigurationError".to_owned(),
        message: "no such bucket".to_owned(),
    };
    tools
        .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", failure)
        .unwrap();
    let run = story.run(&["run"]);
    run.exits(4)
        .says("before gate validate was asked")
        .says("no such bucket");
    asked_at_leisure(&story, &run);
}

/// It waited for its first stage, and was stopped there: there will never be an action to look at.
#[test]
fn an_execution_that_ended_before_it_began_is_exit_4() {
    let story = wired(ClockMode::Jump, Builtin::Approve);
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools
        .set_action_outcome(seed::PIPELINE, "Source", "Fetch", Outcome::Wait)
        .unwrap();
    start(&story);
    let second = start(&story);
    let input =
        serde_json::json!({ "pipelineName": seed::PIPELINE, "pipelineExecutionId": second });
    tools.codepipeline("StopPipelineExecution", &input).unwrap();
    let run = story.run(&["run", "--execution", &second]);
    run.exits(4).says("before gate validate was asked");
    run.ensure(run.wall < Duration::from_secs(20), "it sees that soon");
}

#[test]
fn it_never_asks_more_often_than_once_a_second() {
    let story = wired(ClockMode::Real, Builtin::Approve);
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    tools
        .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", Outcome::Wait)
        .unwrap();
    let run = beside(&story, &["run"], |_| {
        std::thread::sleep(Duration::from_secs(4));
        let go = Outcome::Succeed;
        tools
            .set_action_outcome(seed::PIPELINE, "Deploy", "ToTest", go)
            .unwrap();
    });
    run.exits(0);
    run.ensure(run.wall > Duration::from_secs(4), "it waited for the gate");
    asked_at_leisure(&story, &run);
}

fn beside(story: &Story, arguments: &[&str], meanwhile: impl FnOnce(u32)) -> Run {
    cli::run_beside(story.folder.path(), &story.variables, arguments, meanwhile)
}

/// Ctrl-C, as soon as the run has looked at the execution that it started.
fn interrupted(story: &Story, arguments: &[&str]) -> Run {
    beside(story, arguments, |process| {
        let begun = Instant::now();
        while calls(story, "ListActionExecutions").is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it never looks");
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("kill")
            .args(["-INT", &process.to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    })
}

#[test]
fn ctrl_c_leaves_the_execution_running_and_says_so() {
    let story = wired(ClockMode::Real, Builtin::Silent);
    let run = interrupted(&story, &["run"]);
    run.exits(4)
        .says("the execution goes on without being followed")
        .says("crossgate run --execution");
    run.ensure(run.wall < Duration::from_secs(10), "it ends soon");
    assert_eq!(calls(&story, "StopPipelineExecution"), []);
    let actions = run.stdout.split_whitespace().collect::<Vec<_>>();
    let at = actions
        .iter()
        .position(|word| *word == "Execution")
        .unwrap();
    assert_eq!(status(&story, actions[at + 1]), "InProgress");
}

#[test]
fn ctrl_c_stops_the_execution_where_that_was_asked_for() {
    let story = wired(ClockMode::Real, Builtin::Silent);
    let run = interrupted(&story, &["run", "--stop-on-interrupt", "--format", "json"]);
    run.exits(4).has_status("incomplete");
    let stopped = calls(&story, "StopPipelineExecution");
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].status, 200);
    assert_eq!(status(&story, &execution(&run)), "Stopping");
}
