//! Each cause from facts: a wired gate in a world in memory, with one thing broken, and what runs of it have left behind.

use super::*;
use crate::model::change::Intent;
use crate::model::execution::{
    ActionError, ActionExecution, ActionStatus, ExecutionStatus, ExecutionSummary, PipelineState,
    StageState, Transition,
};
use crate::model::progress::Silent;
use crate::model::read::{Fact, InvokeConfig, LogLine, LogLines, Read};
use crate::observe::observe;
use crate::world::{self, World, block_on};
use crate::{plan, verify};

const STARTED: i64 = 1_000_000;
const NOW: i64 = STARTED + 60;
const GAVE_UP: &str = "The AWS Lambda function MyFunction failed to return a result. Check the function to verify that it has \
                       permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.";
const SERVICE: &str = "arn:aws:iam::111111111111:role/ServiceRole";
const INVOKE: &str = "arn:aws:iam::222222222222:role/crossgate-checkout-validate";

/// A wired gate that nothing has come to yet.
fn wired() -> World {
    let world = World::new();
    let wiring = world::wiring(world::MANIFEST, &[]);
    world.run(&wiring, &world::options(Intent::Bootstrap));
    world.forget_calls();
    world
}

fn id(text: &str) -> ExecutionId {
    ExecutionId::new(text).unwrap()
}

fn leave(world: &World, account: &str, fact: Fact) {
    let operation = match fact {
        Fact::PipelineState(_) => "codepipeline:GetPipelineState",
        Fact::PipelineExecutions(_) => "codepipeline:ListPipelineExecutions",
        Fact::ActionExecutions(_) => "codepipeline:ListActionExecutions",
        Fact::FunctionInvokeConfig(_) => "lambda:GetFunctionEventInvokeConfig",
        _ => "logs:FilterLogEvents",
    };
    world.edit(account, |a| {
        a.left.insert(operation, fact);
    });
}

fn action(
    stage: &str,
    name: &str,
    status: ActionStatus,
    error: Option<(&str, &str)>,
) -> ActionExecution {
    ActionExecution {
        id: "a-1".to_owned(),
        execution: Some(id("e-1")),
        stage: stage.to_owned(),
        action: name.to_owned(),
        status,
        started: Some(STARTED),
        updated: Some(STARTED),
        pipeline_version: Some(4),
        role: None,
        summary: None,
        external_id: None,
        error: error.map(|(code, message)| ActionError {
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
        }),
    }
}

/// One execution that stands so, with these actions.
fn ran(world: &World, status: ExecutionStatus, actions: Vec<ActionExecution>) {
    let summary = ExecutionSummary {
        id: id("e-1"),
        status,
        started: Some(STARTED),
        updated: Some(STARTED),
    };
    leave(
        world,
        "tools",
        Fact::PipelineExecutions(Some(vec![summary])),
    );
    leave(world, "tools", Fact::ActionExecutions(Some(actions)));
}

/// The gate's action failed with a message.
fn failed(world: &World, code: &str, message: &str) {
    let gate = action(
        "Gate",
        "RunValidation",
        ActionStatus::Failed,
        Some((code, message)),
    );
    ran(world, ExecutionStatus::Failed, vec![gate]);
}

fn running(world: &World) {
    let gate = action("Gate", "RunValidation", ActionStatus::InProgress, None);
    ran(world, ExecutionStatus::InProgress, vec![gate]);
}

fn passed(world: &World) {
    let gate = action("Gate", "RunValidation", ActionStatus::Succeeded, None);
    ran(world, ExecutionStatus::Succeeded, vec![gate]);
}

/// The function's log: one invocation around these lines.
fn logged(world: &World, lines: &[&str]) {
    let around = ["START RequestId: r-1 Version: $LATEST\n"]
        .into_iter()
        .chain(lines.iter().copied())
        .chain([
            "END RequestId: r-1\n",
            "REPORT RequestId: r-1\tDuration: 3 ms\n",
        ]);
    let lines = around.map(|message| LogLine {
        at_ms: STARTED * 1000,
        stream: "s".to_owned(),
        message: message.to_owned(),
    });
    let log = LogLines {
        lines: lines.collect(),
        cut: false,
    };
    leave(world, "dev", Fact::LogEvents(Some(log)));
}

fn diagnosed_with(world: &World, manifest: &str, options: &Options) -> (Diagnosis, Status) {
    diagnosed_of(world, &world::wiring(manifest, &[]), options)
}

fn diagnosed_of(world: &World, wiring: &Wiring, options: &Options) -> (Diagnosis, Status) {
    let planning = world::options(Intent::Bootstrap);
    let hops = verify::Options::default();
    let wants = |seen: &Observed| {
        let mut wanted = plan::wants(wiring, seen, &planning);
        wanted.extend(verify::wants(wiring, seen, &hops));
        wanted.extend(wants(wiring, seen, options));
        wanted.sort();
        wanted.dedup();
        wanted
    };
    let observed = block_on(observe(world, wants, 16, &Silent));
    let wants = |seen: &Observed| wants_beside(wiring, &observed, seen, options, NOW);
    let beside = block_on(observe(world, wants, 16, &Silent));
    let known = Known {
        wiring,
        observed: &observed,
        beside: &beside,
        plan: &plan::plan(wiring, &observed, &planning),
        proof: &verify::prove(wiring, &observed, &hops),
        now: NOW,
    };
    let unread = !plan::reading_problems(wiring, &observed).is_empty();
    let mut all = diagnose(&known, options);
    let status = status(&all, unread);
    (all.remove(0), status)
}

fn diagnosed(world: &World) -> Diagnosis {
    diagnosed_with(world, world::MANIFEST, &Options::default()).0
}

#[track_caller]
fn assert_first(world: &World, cause: Cause, certainty: Certainty) -> Diagnosis {
    let diagnosis = diagnosed(world);
    let first = (diagnosis.first.cause, diagnosis.first.certainty);
    assert_eq!(first, (cause, certainty), "{diagnosis:#?}");
    diagnosis
}

fn causes(diagnosis: &Diagnosis) -> Vec<Cause> {
    diagnosis.findings().map(|finding| finding.cause).collect()
}

fn shown(diagnosis: &Diagnosis) -> String {
    let mut lines = Vec::new();
    for finding in diagnosis.findings() {
        lines.push(format!(
            "{} {}",
            finding.cause.code(),
            finding.certainty.as_str()
        ));
        lines.extend(
            finding
                .evidence
                .iter()
                .map(|e| format!("  {}: {}", e.from, e.text)),
        );
        for mend in &finding.mend {
            lines.push(format!("  mend: {}", mend.what));
            lines.extend(mend.command.iter().map(|command| format!("    {command}")));
        }
    }
    lines.extend(diagnosis.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

#[test]
fn a_gate_that_passed_works() {
    let world = wired();
    passed(&world);
    logged(&world, &[]);
    let (diagnosis, status) = diagnosed_with(&world, world::MANIFEST, &Options::default());
    assert_eq!(causes(&diagnosis), [Cause::Works]);
    assert_eq!(status, Status::InSync);
    assert_eq!(diagnosis.execution, Some(id("e-1")));
    assert!(diagnosis.notes.is_empty(), "{:?}", diagnosis.notes);
}

/// Who asks wonders about the newest run: that the gate let an older one go on is no answer.
#[test]
fn a_newer_execution_that_ended_before_the_gate_is_looked_at_instead_of_one_that_passed() {
    let newest = |status| ExecutionSummary {
        id: id("e-2"),
        status,
        started: Some(STARTED + 30),
        updated: Some(STARTED + 40),
    };
    let gate = action("Gate", "RunValidation", ActionStatus::Succeeded, None);
    let deploy = ActionExecution {
        execution: Some(id("e-2")),
        ..action(
            "Deploy",
            "Deploy",
            ActionStatus::Failed,
            Some(("ConfigurationError", "no stack")),
        )
    };
    let world = wired();
    let left = |status| {
        ran(
            &world,
            ExecutionStatus::Succeeded,
            vec![deploy.clone(), gate.clone()],
        );
        world.edit("tools", |a| {
            let executions = a.left.get_mut("codepipeline:ListPipelineExecutions");
            if let Some(Fact::PipelineExecutions(Some(all))) = executions {
                all.insert(0, newest(status));
            }
        });
    };
    left(ExecutionStatus::Failed);
    let (diagnosis, status) = diagnosed_with(&world, world::MANIFEST, &Options::default());
    assert_eq!(diagnosis.execution, Some(id("e-2")));
    assert_eq!(causes(&diagnosis), [Cause::EndedBefore]);
    assert!(
        shown(&diagnosis).contains("Deploy/Deploy failed: ConfigurationError: no stack"),
        "{}",
        shown(&diagnosis)
    );
    assert_eq!(status, Status::Drift);
    // One that is still on its way leaves what is known of the gate.
    left(ExecutionStatus::InProgress);
    let diagnosis = assert_first(&world, Cause::Works, Certainty::Certain);
    assert!(diagnosis.notes[0].contains("a newer execution, e-2"));
}

/// A command that sets what the manifest sets otherwise would be undone by the next bootstrap.
#[test]
fn a_function_that_the_manifest_makes_is_mended_through_the_manifest() {
    let wiring = world::making(world::MANIFEST, &[], world::MADE_ROLE);
    let world = World::new();
    world.edit("dev", |a| a.functions.clear());
    world.run(&wiring, &world::options(Intent::Bootstrap));
    world.forget_calls();
    failed(&world, "JobFailed", GAVE_UP);
    logged(&world, &["r-1 Task timed out after 60.00 seconds"]);
    let of = |world: &World| diagnosed_of(world, &wiring, &Options::default()).0;
    let diagnosis = of(&world);
    assert_eq!(diagnosis.first.cause, Cause::FunctionTimedOut);
    let text = shown(&diagnosis);
    assert!(
        text.contains("timeout_seconds") && !text.contains("update-function-configuration"),
        "{text}"
    );
    world.edit("dev", |a| a.functions.clear());
    let diagnosis = of(&world);
    assert_eq!(diagnosis.first.cause, Cause::FunctionMissing);
    let command = diagnosis.first.mend[0].command.as_deref();
    assert_eq!(command, Some("crossgate bootstrap --gate validate"));
}

/// What changes something must not change it in whatever account the shell happens to be in.
#[test]
fn commands_name_the_profile_of_their_account_fit_for_a_shell() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    logged(&world, &["r-1 Task timed out after 3.00 seconds"]);
    let text = shown(&diagnosed(&world));
    assert!(
        text.contains("--timeout 900 --region us-east-1 --profile dev\n"),
        "{text}"
    );
    let manifest = world::MANIFEST.replace("profile = \"dev\"", "profile = \"it's dev\"");
    let (diagnosis, _) = diagnosed_with(&world, &manifest, &Options::default());
    let text = shown(&diagnosis);
    assert!(text.contains(r"--profile 'it'\''s dev'"), "{text}");
}

#[test]
fn a_gate_that_was_never_asked_is_ready() {
    let world = wired();
    leave(&world, "tools", Fact::PipelineExecutions(Some(Vec::new())));
    assert_eq!(causes(&diagnosed(&world)), [Cause::NotRunYet]);
    // An execution from before the gate stood there.
    let source = action("Source", "Src", ActionStatus::Succeeded, None);
    ran(&world, ExecutionStatus::Succeeded, vec![source]);
    assert_eq!(causes(&diagnosed(&world)), [Cause::NotRunYet]);
}

#[test]
fn a_gate_that_said_no_works_and_its_message_is_shown() {
    let world = wired();
    failed(&world, "JobFailed", "two checks failed");
    logged(&world, &[]);
    let (diagnosis, status) = diagnosed_with(&world, world::MANIFEST, &Options::default());
    assert_eq!(causes(&diagnosis), [Cause::SaidNo]);
    assert_eq!(status, Status::InSync);
    insta::assert_snapshot!(shown(&diagnosis), @r"
    CG-002 certain
      the action: Gate/RunValidation failed in execution e-1: JobFailed: two checks failed
      mend: mend what the function found, and release again
      mend: then let the stage run again, in account tools (111111111111)
        aws codepipeline retry-stage-execution --pipeline-name MyPipeline --stage-name Gate --pipeline-execution-id e-1 --retry-mode FAILED_ACTIONS --region us-east-1 --profile tools
    ");
}

#[test]
fn a_pipeline_or_an_action_that_is_not_there_is_found_first() {
    let world = World::new();
    assert_first(&world, Cause::NotWired, Certainty::Certain);
    world.edit("tools", |account| account.pipelines.clear());
    assert_first(&world, Cause::PipelineMissing, Certainty::Certain);
}

#[test]
fn a_changed_action_is_likely_why_and_changed_tags_only_possibly() {
    let world = wired();
    passed(&world);
    world.edit_role("dev", "crossgate-checkout-validate", |role| {
        role.inline
            .insert("extra".to_owned(), world::service_trust("x"));
    });
    let diagnosis = assert_first(&world, Cause::Drift, Certainty::Possible);
    assert_eq!(diagnosis.notes, ["the gate let the pipeline go on"]);
    let key = ("us-east-1".to_owned(), "MyPipeline".to_owned());
    world.edit("tools", |account| {
        let stages = account.pipelines.get_mut(&key).unwrap()["stages"]
            .as_array_mut()
            .unwrap();
        let gate = stages
            .iter_mut()
            .find(|stage| stage["name"] == "Gate")
            .unwrap();
        gate["actions"][0]["configuration"]["FunctionName"] = "Other".into();
    });
    world.add_function("Other", "ExecutionRole");
    let causes = causes(&diagnosed(&world));
    assert!(causes.contains(&Cause::Drift), "{causes:?}");
}

fn assume_refused(world: &World) {
    let message = format!("{SERVICE} is not authorized to perform AssumeRole on role {INVOKE}");
    failed(world, "PermissionError", &message);
}

#[test]
fn the_side_that_refuses_the_invoke_role_is_named() {
    let world = wired();
    assume_refused(&world);
    assert_first(&world, Cause::RefusedThen, Certainty::Likely);

    world.edit_role("tools", "ServiceRole", |role| {
        role.inline.retain(|name, _| name == "own");
    });
    let diagnosis = assert_first(&world, Cause::AssumeNotGranted, Certainty::Certain);
    let command = &diagnosis.first.mend[0].command;
    assert_eq!(
        command.as_deref(),
        Some("crossgate bootstrap --gate validate")
    );

    let world = wired();
    assume_refused(&world);
    world.edit_role("dev", "crossgate-checkout-validate", |role| {
        role.role.trust = world::service_trust("ec2.amazonaws.com");
    });
    assert_first(&world, Cause::AssumeNotTrusted, Certainty::Certain);

    let world = wired();
    assume_refused(&world);
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sts:*","Resource":"*"}}"#;
    world.put_inline("tools", "ServiceRole", "guard", deny);
    let diagnosis = assert_first(&world, Cause::AssumeForbidden, Certainty::Certain);
    assert!(
        shown(&diagnosis).contains("policy `guard`"),
        "{}",
        shown(&diagnosis)
    );

    let world = wired();
    assume_refused(&world);
    world.edit("dev", |account| {
        account.roles.remove("crossgate-checkout-validate");
    });
    assert_first(&world, Cause::AssumeNotTrusted, Certainty::Certain);

    let world = wired();
    assume_refused(&world);
    world.edit_role("tools", "ServiceRole", |role| {
        role.role.trust = world::service_trust("ec2.amazonaws.com");
    });
    assert_first(&world, Cause::ServiceRoleRefused, Certainty::Certain);
}

#[test]
fn a_hop_that_will_be_refused_is_likely_before_anything_ran() {
    let world = wired();
    leave(&world, "tools", Fact::PipelineExecutions(Some(Vec::new())));
    world.edit_role("dev", "crossgate-checkout-validate", |role| {
        role.inline.clear();
    });
    let diagnosis = assert_first(&world, Cause::InvokeRefused, Certainty::Likely);
    assert!(!causes(&diagnosis).contains(&Cause::NotRunYet));
}

#[test]
fn a_refused_invocation_is_certain_where_the_action_says_so() {
    let world = wired();
    let message = format!(
        "User: {INVOKE} is not authorized to perform: lambda:InvokeFunction on resource: MyFunction"
    );
    failed(&world, "PermissionError", &message);
    assert_first(&world, Cause::RefusedThen, Certainty::Likely);
    world.edit_role("dev", "crossgate-checkout-validate", |role| {
        role.inline.clear();
    });
    assert_first(&world, Cause::InvokeRefused, Certainty::Certain);
}

#[test]
fn a_function_that_is_not_there_is_looked_for_elsewhere() {
    let world = wired();
    failed(
        &world,
        "ConfigurationError",
        "The AWS Lambda function MyFunction cannot be found",
    );
    let here = ("us-east-1".to_owned(), "MyFunction".to_owned());
    let mut gone = None;
    world.edit("dev", |account| gone = account.functions.remove(&here));
    let diagnosis = assert_first(&world, Cause::FunctionMissing, Certainty::Certain);
    assert!(
        !causes(&diagnosis).contains(&Cause::InvokeRefused),
        "one cause, not its consequences"
    );
    assert!(
        shown(&diagnosis).contains("nor in 17 other places"),
        "{}",
        shown(&diagnosis)
    );
    world.edit("dev", |account| {
        let there = ("eu-west-1".to_owned(), "MyFunction".to_owned());
        account.functions.insert(there, gone.unwrap());
    });
    let diagnosis = assert_first(&world, Cause::FunctionElsewhere, Certainty::Certain);
    assert!(shown(&diagnosis).contains("account dev (222222222222), eu-west-1"));
}

#[test]
fn a_function_that_cannot_run_is_seen_without_a_log() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    let key = ("us-east-1".to_owned(), "MyFunction".to_owned());
    world.edit("dev", |account| {
        account.reserved.insert(key.clone(), 0);
    });
    assert_first(&world, Cause::Throttled, Certainty::Certain);
    world.edit("dev", |account| {
        account.reserved.clear();
        account.functions.get_mut(&key).unwrap().state = Some("Failed".to_owned());
    });
    assert_first(&world, Cause::FunctionNotActive, Certainty::Certain);
}

const DENIED: &str = "is not authorized to perform: codepipeline:PutJobSuccessResult because no identity-based policy allows it";

#[test]
fn a_refused_answer_is_the_policys_or_the_credentials() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    let own = format!(
        "[ERROR] AccessDeniedException: User: arn:aws:sts::222222222222:assumed-role/ExecutionRole/f {DENIED}"
    );
    logged(&world, &[&own]);
    // By the policies as they are the answer is allowed; the log says what happened.
    assert_first(&world, Cause::CallbackDenied, Certainty::Certain);
    world.edit_role("dev", "ExecutionRole", |role| role.inline.clear());
    let diagnosis = assert_first(&world, Cause::CallbackDenied, Certainty::Certain);
    assert_eq!(
        diagnosis
            .findings()
            .filter(|f| f.cause == Cause::CallbackDenied)
            .count(),
        1
    );

    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    let role = "crossgate-checkout-validate";
    let other = format!(
        "AccessDeniedException: User: arn:aws:sts::222222222222:assumed-role/{role}/x {DENIED}"
    );
    logged(&world, &[&other]);
    let diagnosis = assert_first(&world, Cause::WrongCredentials, Certainty::Certain);
    assert_eq!(causes(&diagnosis), [Cause::WrongCredentials]);
}

#[test]
fn without_a_log_a_denied_callback_is_likely() {
    let world = wired();
    running(&world);
    world.edit_role("dev", "ExecutionRole", |role| role.inline.clear());
    let diagnosis = assert_first(&world, Cause::CallbackDenied, Certainty::Likely);
    assert!(causes(&diagnosis).contains(&Cause::StillRunning));
}

#[test]
fn a_function_that_did_not_come_to_its_answer_tells_why_in_its_log() {
    for (line, cause) in [
        (
            "2026-01-01T00:00:00.000Z r-1 Task timed out after 3.00 seconds",
            Cause::FunctionTimedOut,
        ),
        (
            "[ERROR] KeyError: 'x'\nTraceback (most recent call last):",
            Cause::FunctionFailed,
        ),
        (
            "[ERROR] Runtime.HandlerNotFound: Handler 'x' missing on module 'validate'",
            Cause::FunctionFailed,
        ),
        ("all is well", Cause::NeverCalledBack),
    ] {
        let world = wired();
        failed(&world, "JobFailed", GAVE_UP);
        logged(&world, &[line]);
        let diagnosis = assert_first(&world, cause, Certainty::Certain);
        assert_eq!(causes(&diagnosis), [cause], "{line}");
        // While the pipeline still waits the log says the same.
        running(&world);
        assert_eq!(diagnosed(&world).first.cause, cause, "{line}");
    }
}

/// A check that logs a failed try and goes on has not failed.
#[test]
fn an_error_that_the_function_logs_itself_is_no_certain_end() {
    let caught = "[ERROR]\t2026-01-01T00:00:00.000Z\tr-1\tno answer from the registry, trying again\nTraceback (most recent call last):";
    let world = wired();
    running(&world);
    let lines = ["START RequestId: r-1 Version: $LATEST\n", caught];
    let lines = lines.map(|message| LogLine {
        at_ms: STARTED * 1000,
        stream: "s".to_owned(),
        message: message.to_owned(),
    });
    let log = LogLines {
        lines: lines.into(),
        cut: false,
    };
    leave(&world, "dev", Fact::LogEvents(Some(log)));
    let diagnosis = assert_first(&world, Cause::StillRunning, Certainty::Certain);
    assert_eq!(causes(&diagnosis), [Cause::StillRunning]);

    failed(&world, "JobFailed", GAVE_UP);
    logged(&world, &[caught]);
    assert_first(&world, Cause::FunctionFailed, Certainty::Likely);
}

#[test]
fn other_invocations_in_the_log_make_it_less_certain() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    logged(
        &world,
        &[
            "START RequestId: r-2 Version: 1",
            "r-2 Task timed out after 3.00 seconds",
        ],
    );
    let diagnosis = assert_first(&world, Cause::FunctionTimedOut, Certainty::Likely);
    assert!(
        diagnosis.notes.iter().any(|n| n.contains("2 invocations")),
        "{:?}",
        diagnosis.notes
    );
}

/// Of an invocation that began before the lines that were read only the end is there.
#[test]
fn the_end_of_another_invocation_makes_it_less_certain_too() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    logged(
        &world,
        &[
            "2026-01-01T00:00:00.000Z r-0 Task timed out after 3.00 seconds",
            "END RequestId: r-0",
        ],
    );
    assert_first(&world, Cause::FunctionTimedOut, Certainty::Likely);
}

#[test]
fn a_log_that_may_not_be_read_is_a_note_and_not_a_failure() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    *world.refused.borrow_mut() = Some("logs:FilterLogEvents");
    let (diagnosis, status) = diagnosed_with(&world, world::MANIFEST, &Options::default());
    assert_eq!(causes(&diagnosis), [Cause::NeverCalledBack]);
    assert_eq!(diagnosis.first.certainty, Certainty::Possible);
    assert_eq!(status, Status::Drift);
    insta::assert_snapshot!(diagnosis.notes.join("\n"), @r#"the function's log in account dev (222222222222) may not be read, so less is certain; this statement would allow it: {"Effect":"Allow","Action":"logs:FilterLogEvents","Resource":"arn:aws:logs:us-east-1:222222222222:log-group:/aws/lambda/MyFunction:*"}"#);
}

#[test]
fn a_second_answer_is_found_whatever_the_first_was() {
    let line = "InvalidJobStateException: An error occurred (InvalidJobStateException) when calling the PutJobFailureResult operation";
    let world = wired();
    passed(&world);
    logged(&world, &[line]);
    let diagnosis = assert_first(&world, Cause::AnsweredTwice, Certainty::Certain);
    assert_eq!(diagnosis.notes, ["the gate let the pipeline go on"]);
    failed(&world, "JobFailed", "no");
    let diagnosis = assert_first(&world, Cause::AnsweredTwice, Certainty::Certain);
    assert_eq!(causes(&diagnosis), [Cause::AnsweredTwice, Cause::SaidNo]);
}

#[test]
fn minutes_that_are_left_are_counted_from_the_last_sign() {
    let world = wired();
    running(&world);
    let diagnosis = assert_first(&world, Cause::StillRunning, Certainty::Certain);
    assert!(
        shown(&diagnosis).contains("in 19 minutes"),
        "{}",
        shown(&diagnosis)
    );
    assert_eq!(diagnosis.kind(), Kind::Fine);
}

#[test]
fn a_closed_stage_is_found_with_who_closed_it() {
    let world = wired();
    passed(&world);
    let stage = StageState {
        name: "Gate".to_owned(),
        inbound: Some(Transition {
            enabled: false,
            reason: Some("freeze".to_owned()),
            changed_by: Some("arn:aws:iam::111111111111:user/ops".to_owned()),
            changed_at: None,
        }),
        waiting: vec![id("e-2")],
        latest: None,
    };
    let all = PipelineState {
        stages: vec![stage],
    };
    leave(&world, "tools", Fact::PipelineState(Some(all)));
    let diagnosis = assert_first(&world, Cause::StageDisabled, Certainty::Certain);
    let text = shown(&diagnosis);
    assert!(
        text.contains("by arn:aws:iam::111111111111:user/ops: freeze"),
        "{text}"
    );
    assert!(
        text.contains("enable-stage-transition --pipeline-name MyPipeline --stage-name Gate"),
        "{text}"
    );
}

#[test]
fn an_execution_that_did_not_come_to_the_gate_says_why() {
    let source = || action("Source", "Src", ActionStatus::Succeeded, None);
    let broken = action(
        "Deploy",
        "Dep",
        ActionStatus::Failed,
        Some(("ConfigurationError", "no such bucket")),
    );
    for (status, actions, cause) in [
        (
            ExecutionStatus::Superseded,
            vec![source()],
            Cause::Superseded,
        ),
        (
            ExecutionStatus::Failed,
            vec![broken, source()],
            Cause::EndedBefore,
        ),
        (ExecutionStatus::Stopped, vec![source()], Cause::EndedBefore),
        (
            ExecutionStatus::InProgress,
            vec![source()],
            Cause::NotReached,
        ),
    ] {
        let world = wired();
        ran(&world, status, actions);
        assert_eq!(causes(&diagnosed(&world)), [cause], "{status:?}");
    }
    let world = wired();
    let abandoned = action("Gate", "RunValidation", ActionStatus::Abandoned, None);
    ran(&world, ExecutionStatus::Stopped, vec![abandoned]);
    assert_eq!(causes(&diagnosed(&world)), [Cause::EndedBefore]);
}

#[test]
fn an_execution_that_is_not_there_is_said_to_be_so() {
    let world = wired();
    leave(&world, "tools", Fact::PipelineExecutions(Some(Vec::new())));
    let options = Options {
        execution: Some(id("e-9")),
    };
    let (diagnosis, status) = diagnosed_with(&world, world::MANIFEST, &options);
    assert_eq!(causes(&diagnosis), [Cause::NotReadable]);
    assert_eq!(status, Status::Incomplete);
}

#[test]
fn artifacts_that_cannot_be_used_are_told_by_the_action() {
    let world = wired();
    failed(
        &world,
        "PermissionError",
        "Unable to access the artifact with Amazon S3 object key 'k'. The provided role does not have sufficient permissions.",
    );
    assert_first(&world, Cause::ArtifactUnreadable, Certainty::Certain);
}

#[test]
fn a_throttled_invocation_is_told_by_the_action() {
    let world = wired();
    failed(&world, "SystemUnavailable", "Rate exceeded");
    assert_first(&world, Cause::Throttled, Certainty::Certain);
}

#[test]
fn an_account_that_does_not_answer_leaves_it_open() {
    let world = wired();
    passed(&world);
    for account in ["tools", "dev"] {
        *world.closed.borrow_mut() = vec![account.to_owned()];
        let (diagnosis, status) = diagnosed_with(&world, world::MANIFEST, &Options::default());
        assert_eq!(
            diagnosis.first.cause,
            Cause::NotReadable,
            "{account}: {diagnosis:#?}"
        );
        assert_eq!(status, Status::Incomplete);
    }
}

#[test]
fn what_is_worth_knowing_is_noted() {
    let world = wired();
    failed(&world, "JobFailed", GAVE_UP);
    let config = InvokeConfig {
        retries: Some(0),
        max_age_seconds: None,
        on_failure: Some("arn:aws:sqs:us-east-1:222222222222:dead".to_owned()),
    };
    leave(&world, "dev", Fact::FunctionInvokeConfig(Some(config)));
    let notes = diagnosed(&world).notes.join("\n");
    assert!(
        notes.contains("sent to arn:aws:sqs:us-east-1:222222222222:dead"),
        "{notes}"
    );
    assert!(notes.contains("does not try the function again"), "{notes}");
}

#[test]
fn nothing_is_read_twice_and_no_log_where_nothing_ran() {
    let world = wired();
    passed(&world);
    diagnosed(&world);
    let reads = world.reads.borrow().clone();
    let unique: std::collections::BTreeSet<_> = reads.iter().cloned().collect();
    assert_eq!(unique.len(), reads.len());
    let logs = |reads: &[(String, Read)]| {
        let of_logs = |(_, read): &&(String, Read)| matches!(read, Read::LogEvents { .. });
        reads.iter().filter(of_logs).count()
    };
    assert_eq!(logs(&reads), 1);
    let idle = wired();
    diagnosed(&idle);
    assert_eq!(logs(&idle.reads.borrow()), 0);
}

#[test]
fn no_credential_of_the_log_or_of_the_action_is_shown() {
    let world = wired();
    let leak = "secretAccessKey=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY sessionToken: IQoJb3JpZ2luX2VjEXAMPLETOKEN AKIAIOSFODNN7EXAMPLE";
    failed(&world, "JobFailed", leak);
    logged(
        &world,
        &[&format!(
            "[ERROR] KeyError {{'artifactCredentials': {{'x': '{leak}'}}}}"
        )],
    );
    let said_no = shown(&diagnosed(&world));
    running(&world);
    let crashed = shown(&diagnosed(&world));
    for text in [said_no, crashed] {
        for secret in ["wJalrXUtnFEMI", "IQoJb3JpZ2lu", "AKIAIOSFODNN7"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
