//! The reports of `check`, `plan` and `verify`, as CI reads them: each in its own format, several at once, whatever the result.

use std::fs;
use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::{Value, json};

use super::verify::settle;
use crate::support::cli::Run;
use crate::support::proxy::{Fault, access_denied, expired_token};
use crate::support::schema;
use crate::support::world::{ASSUME_POLICY, INVOKE_POLICY, INVOKE_ROLE, SERVICE_ROLE, World};

/// Five objects of one gate, and two accounts.
const CASES: usize = 7;

const ALL: [&str; 10] = [
    "--output",
    "json=out.json",
    "--output",
    "junit=out.xml",
    "--output",
    "sarif=out.sarif",
    "--output",
    "github=out.txt",
    "--output",
    "markdown=out.md",
];

fn read(world: &World, name: &str) -> String {
    fs::read_to_string(world.folder().join(name)).unwrap()
}

fn junit(world: &World) -> Report {
    Report::deserialize_from_str(&read(world, "out.xml")).unwrap()
}

/// The log, held to the official schema.
fn sarif(world: &World) -> Value {
    let log: Value = serde_json::from_str(&read(world, "out.sarif")).unwrap();
    assert_eq!(schema::errors(&schema::sarif(), &log), Vec::<String>::new());
    log["runs"][0].clone()
}

/// The names of the cases that failed, that could not be read, and that were skipped.
fn not_passed(report: &Report) -> [Vec<String>; 3] {
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for case in report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
    {
        let index = match &case.status {
            TestCaseStatus::Success { .. } => continue,
            TestCaseStatus::NonSuccess { kind, .. } => match kind {
                NonSuccessKind::Failure => 0,
                NonSuccessKind::Error => 1,
            },
            TestCaseStatus::Skipped { .. } => 2,
        };
        found[index].push(case.name.to_string());
    }
    found
}

fn all(world: &World, command: &[&str]) -> Run {
    let run = world.run(&[command, &ALL].concat());
    run.wrote_nothing();
    run
}

/// The line on which the manifest's first gate begins.
fn gate_line(world: &World) -> usize {
    let manifest = read(world, "crossgate.toml");
    1 + manifest
        .lines()
        .position(|line| line == "[[gates]]")
        .unwrap()
}

#[test]
fn drift_is_told_in_every_format_at_once() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.tools.delete_policy(SERVICE_ROLE, ASSUME_POLICY);
    let alone = world.run(&["check"]);
    let run = all(&world, &["check"]);
    run.exits(3);
    assert_eq!(run.stdout, alone.stdout, "text as ever on standard output");

    let json: Value = serde_json::from_str(&read(&world, "out.json")).unwrap();
    assert_eq!(json["status"], "drift");
    let id = json["changes"][0]["id"].as_str().unwrap();

    let report = junit(&world);
    assert_eq!(
        (report.tests, report.failures, report.errors),
        (CASES, 1, 0)
    );
    let name = format!("inline policy {SERVICE_ROLE}/{ASSUME_POLICY}");
    assert_eq!(not_passed(&report), [vec![name], vec![], vec![]]);

    let log = sarif(&world);
    assert_eq!(log["invocations"][0]["executionSuccessful"], true);
    assert_eq!(log["invocations"][0]["exitCode"], 3);
    let result = &log["results"][0];
    assert_eq!(log["results"].as_array().unwrap().len(), 1);
    assert_eq!(result["ruleId"], "iam_inline_policy");
    assert_eq!(result["partialFingerprints"]["crossgateId/v1"], id);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "crossgate.toml");
    assert_eq!(place["region"]["startLine"], gate_line(&world));

    let github = read(&world, "out.txt");
    let head = format!("::error file=crossgate.toml,line={},", gate_line(&world));
    assert!(github.starts_with(&head), "{github}");
    let markdown = read(&world, "out.md");
    assert!(
        markdown.starts_with("<!-- crossgate check checkout -->\n"),
        "{markdown}"
    );
    assert!(markdown.contains("6 of 7 checks passed"), "{markdown}");
}

#[test]
fn in_sync_every_object_passes() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    all(&world, &["check"]).exits(0);
    let report = junit(&world);
    assert_eq!(
        (report.tests, report.failures, report.errors),
        (CASES, 0, 0)
    );
    assert_eq!(
        not_passed(&report),
        [vec![], vec![], vec![]] as [Vec<String>; 3]
    );
    let log = sarif(&world);
    assert_eq!(log["results"], json!([]));
    assert_eq!(log["invocations"][0]["exitCode"], 0);
    assert!(!read(&world, "out.txt").contains("::"));
}

#[test]
fn a_plan_of_a_fresh_gate_warns_of_each_object() {
    let world = World::new();
    all(&world, &["plan"]).exits(0);
    let report = junit(&world);
    assert_eq!(
        (report.tests, report.failures, report.errors),
        (CASES, 5, 0)
    );
    let log = sarif(&world);
    let results = log["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    assert!(results.iter().all(|result| result["level"] == "warning"));
}

#[test]
fn what_was_not_seen_is_never_passed() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let fault = Fault::everywhere(expired_token()).in_account(&world.dev.id);
    world.proxy.inject(fault);
    all(&world, &["check"]).exits(4);
    let report = junit(&world);
    let [failed, errors, skipped] = not_passed(&report);
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!(errors, ["the account can be read"]);
    assert_eq!(skipped.len(), 3, "the objects of dev: {skipped:?}");
    let log = sarif(&world);
    assert_eq!(log["invocations"][0]["executionSuccessful"], false);
    assert_eq!(log["invocations"][0]["exitCode"], 4);
    assert_eq!(log["results"][0]["ruleId"], "account_unreachable");

    world.proxy.heal();
    world
        .proxy
        .inject(Fault::on("GetRolePolicy", access_denied()).in_account(&world.dev.id));
    all(&world, &["check"]).exits(4);
    let [_, errors, _] = not_passed(&junit(&world));
    assert!(
        errors.contains(&format!("inline policy {INVOKE_ROLE}/{INVOKE_POLICY}")),
        "{errors:?}"
    );
}

#[test]
fn a_conflict_is_a_failure_and_its_role_does_not_pass() {
    let world = World::new();
    let nobody = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}]});
    world.dev.create_role(INVOKE_ROLE, &nobody);
    all(&world, &["check"]).exits(3);
    let [failed, errors, skipped] = not_passed(&junit(&world));
    assert!(
        failed.contains(&"no role_conflict of validate".to_owned()),
        "{failed:?}"
    );
    assert!(
        skipped.contains(&format!("role {INVOKE_ROLE}")),
        "{skipped:?}"
    );
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn the_hops_of_a_proof_are_cases() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    settle(&world);
    all(&world, &["verify"]).exits(0);
    let report = junit(&world);
    assert_eq!(
        (report.tests, report.failures, report.errors),
        (2 + 6, 0, 0)
    );

    world.tools.delete_policy(SERVICE_ROLE, ASSUME_POLICY);
    all(&world, &["verify"]).exits(3);
    let [failed, ..] = not_passed(&junit(&world));
    assert_eq!(failed, ["hop 1 sts:AssumeRole"]);
    let log = sarif(&world);
    let results = log["results"].as_array().unwrap();
    assert!(
        results.iter().any(|result| result["ruleId"] == "hop_1"),
        "{results:?}"
    );

    all(&world, &["check", "--verify"]).exits(3);
    let report = junit(&world);
    assert_eq!((report.tests, report.failures), (CASES + 6, 2));
}

#[test]
fn github_writes_the_summary_of_its_step() {
    let mut world = World::new();
    let summary = world.folder().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let name = summary.display().to_string();
    world
        .variables
        .insert("GITHUB_STEP_SUMMARY".to_owned(), name);
    world.run(&["check"]).exits(3);
    assert_eq!(read(&world, "summary.md"), "before\n", "text writes none");
    let run = world.run(&["check", "--format", "github"]);
    run.exits(3);
    let errors = run.stdout.lines().filter(|l| l.starts_with("::error "));
    assert_eq!(errors.count(), 5, "{}", run.dump());
    let text = read(&world, "summary.md");
    assert!(
        text.starts_with("before\n<!-- crossgate check checkout -->"),
        "{text}"
    );
}

#[test]
fn paths_are_those_of_the_repository() {
    let world = World::new();
    let below = world.folder().join("infra/gates");
    fs::create_dir_all(&below).unwrap();
    fs::create_dir(world.folder().join(".git")).unwrap();
    fs::rename(
        world.folder().join("crossgate.toml"),
        below.join("crossgate.toml"),
    )
    .unwrap();
    let arguments = ["check", "--format", "sarif"];
    let run = crate::support::cli::run(&below, &world.variables, &arguments);
    run.exits(3);
    let log: Value = serde_json::from_str(&run.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "infra/gates/crossgate.toml"
    );
}

#[test]
fn a_manifest_with_mistakes_is_reported_too() {
    let world = World::new();
    world.write_file("crossgate.toml", "project = 1\n");
    let run = all(&world, &["check"]);
    run.exits(2);
    run.ensure(run.stdout.is_empty(), "text tells it on standard error");
    let log = sarif(&world);
    assert_eq!(log["results"][0]["ruleId"], "manifest");
    assert_eq!(log["invocations"][0]["executionSuccessful"], false);
    assert_eq!(log["invocations"][0]["exitCode"], 2);
    let report = junit(&world);
    assert_eq!((report.tests, report.errors), (1, 1));
    assert!(read(&world, "out.txt").starts_with("::error file=crossgate.toml,line=1,"));
    assert!(read(&world, "out.md").contains("### crossgate check: failed"));
    let json: Value = serde_json::from_str(&read(&world, "out.json")).unwrap();
    assert_eq!(json["problems"][0]["code"], "manifest");
}

#[test]
fn outputs_that_cannot_be_meant_are_refused_before_the_first_call() {
    let world = World::new();
    fs::create_dir(world.folder().join("folder")).unwrap();
    let before = read(&world, "crossgate.toml");
    for (outputs, told) in [
        (vec!["junit"], "FORMAT=FILE"),
        (vec!["junit="], "no file"),
        (vec!["yaml=a"], "text, json, junit, sarif, github, markdown"),
        (vec!["junit=no/such/report.xml"], "its folder"),
        (vec!["junit=folder"], "folder"),
        (vec!["junit=-"], "--format"),
        (vec!["junit=a", "sarif=./folder/../a"], "same file"),
        (vec!["json=crossgate.toml"], "the manifest"),
    ] {
        let mut arguments = vec!["check"];
        for output in &outputs {
            arguments.extend(["--output", output]);
        }
        let run = world.run(&arguments);
        run.exits(2).says(told);
        run.ensure(run.calls.is_empty(), "no call at all");
    }
    assert_eq!(read(&world, "crossgate.toml"), before);
    world.write_file("crossgate.toml", "no manifest");
    let over = ["check", "--output", "json=./crossgate.toml"];
    world.run(&over).exits(2).says("the manifest");
    assert_eq!(read(&world, "crossgate.toml"), "no manifest");
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_fails_and_keeps_no_other_back() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    assert!(Path::new("/dev/full").exists());
    let outputs = ["--output", "junit=/dev/full", "--output", "sarif=out.sarif"];
    let run = world.run(&[&["check", "--format", "json"], &outputs[..]].concat());
    run.exits(1).says("/dev/full").says("could not be written");
    assert_eq!(
        run.json()["status"],
        "in_sync",
        "the result is on standard output"
    );
    assert_eq!(sarif(&world)["results"], json!([]));
    run.wrote_nothing();
}

#[test]
fn commands_without_such_reports_say_which_have_them() {
    let world = World::new();
    for command in [
        &["bootstrap", "--yes"][..],
        &["teardown", "--yes"],
        &["run"],
        &["permissions", "check"],
        &["sandbox"],
    ] {
        for format in ["junit", "sarif", "github", "markdown"] {
            let run = world.run(&[command, &["--format", format]].concat());
            run.exits(2).says("`check`, `plan` and `verify`");
            run.ensure(
                run.calls.is_empty() && run.stdout.is_empty(),
                "nothing was done",
            );
        }
    }
}
