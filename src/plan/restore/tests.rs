//! Saved documents put back in worlds in memory: where they belong, what is said of them, and what is sent.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;
use crate::apply::{Tools, apply};
use crate::model::change::{Failure, Outcome, Report};
use crate::model::json_text::JsonText;
use crate::model::name::{ActionName, StageName};
use crate::model::progress::Silent;
use crate::model::secret::SecretText;
use crate::model::status::Status;
use crate::observe::observe;
use crate::plan::of_plan;
use crate::world::{MANIFEST, NoTime, Shelf, World, block_on, options, pipeline, wiring};

const FILE: &str = "tools.us-east-1.MyPipeline.v3.1795359600.json";

fn backup(document: &Value) -> String {
    PipelineDocument::parse(&document.to_string())
        .unwrap()
        .to_backup()
}

fn saved(document: &Value) -> Saved {
    target(FILE, &backup(document), None, &wiring(MANIFEST, &[])).unwrap()
}

fn observed(world: &World, saved: &Saved) -> Observed {
    block_on(observe(world, |seen| wants(saved, seen), 4, &Silent))
}

fn planned(world: &World, saved: &Saved) -> Plan {
    plan(&wiring(MANIFEST, &[]), &observed(world, saved), saved, &[])
}

fn carried_out(world: &World, plan: &Plan) -> (Report, Vec<PipelineDocument>) {
    let shelf = Shelf::default();
    let tools = Tools {
        cloud: world,
        timing: &NoTime,
        backup: &shelf,
        progress: &Silent,
        side_by_side: 4,
    };
    let report = block_on(apply(plan, &tools));
    (report, shelf.0.take())
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.problems.iter().map(|problem| problem.code).collect()
}

/// A saved document as [`World::new`] has its pipeline.
fn original() -> Value {
    pipeline("MyPipeline", "ServiceRole")
}

#[test]
fn a_backup_knows_its_pipeline() {
    let Saved { pipeline, document } = saved(&original());
    assert_eq!(pipeline.account.as_str(), "tools");
    assert_eq!(pipeline.region.as_str(), "us-east-1");
    assert_eq!(pipeline.name.as_str(), "MyPipeline");
    assert_eq!(document.as_json(), &original());
}

fn refusal(file: &str, text: &str, region: Option<&str>) -> String {
    target(file, text, region, &wiring(MANIFEST, &[]))
        .unwrap_err()
        .to_string()
}

#[test]
fn what_is_no_backup_is_refused_with_the_reason() {
    for (text, why) in [
        (
            "",
            "it is no saved pipeline document: the pipeline document is not JSON",
        ),
        (
            "{}",
            "it is no saved pipeline document: the pipeline document has no `pipeline`",
        ),
        (
            "[1]",
            "it is no saved pipeline document: `$` of the pipeline document is a list",
        ),
        (
            r#"{"pipeline": {"name": "p", "roleArn": "x", "stages": []}}"#,
            "it is no saved pipeline document: `pipeline.stages` of the pipeline document is empty",
        ),
        (
            r#"{"Version": "2012-10-17", "Statement": []}"#,
            "it holds the policy of a bucket or a key",
        ),
        ("null\n", "it holds the policy of a bucket or a key"),
    ] {
        let said = refusal(FILE, text, None);
        assert!(said.starts_with(why), "{text}: {said}");
    }
    let mut other = original();
    other["roleArn"] = json!("arn:aws:iam::999999999999:role/R");
    let said = refusal("x.json", &backup(&other), None);
    assert!(said.contains("no account of that id"), "{said}");
    let said = refusal(FILE, &backup(&other), None);
    assert!(
        said.contains("which the file is named after, says account 111111111111"),
        "{said}"
    );
}

#[test]
fn the_region_is_said_by_the_file_the_manifest_or_the_flag_and_never_guessed() {
    let wiring = wiring(MANIFEST, &[]);
    let region = |file: &str, document: &Value, flag: Option<&str>| {
        let found = target(file, &document.to_string(), flag, &wiring);
        found
            .map(|saved| saved.pipeline.region.to_string())
            .map_err(|e| e.to_string())
    };
    let elsewhere = FILE.replace("us-east-1", "eu-west-1");
    assert_eq!(region(&elsewhere, &original(), None).unwrap(), "eu-west-1");
    assert_eq!(
        region("saved.json", &original(), None).unwrap(),
        "us-east-1",
        "the manifest"
    );
    let mut unknown = original();
    unknown["name"] = json!("Another");
    assert!(
        region("saved.json", &unknown, None)
            .unwrap_err()
            .contains("nothing says")
    );
    assert_eq!(
        region("saved.json", &unknown, Some("eu-west-1")).unwrap(),
        "eu-west-1"
    );
    assert!(
        region(&elsewhere, &original(), Some("us-east-1"))
            .unwrap_err()
            .contains("--region says")
    );
    assert!(
        region("saved.json", &original(), Some("Paris"))
            .unwrap_err()
            .starts_with("--region")
    );
    let printed = json!({"pipeline": unknown, "metadata": {
        "pipelineArn": "arn:aws:codepipeline:eu-central-1:111111111111:Another"}});
    assert_eq!(
        region("saved.json", &printed, None).unwrap(),
        "eu-central-1"
    );
    let other = json!({"pipeline": unknown, "metadata": {
        "pipelineArn": "arn:aws:codepipeline:eu-central-1:222222222222:Another"}});
    assert!(
        region("saved.json", &other, None)
            .unwrap_err()
            .contains("222222222222")
    );
}

#[test]
fn an_equal_document_is_nothing_to_do() {
    let world = World::new();
    world.somebody_updates("MyPipeline", |_| {});
    let plan = planned(&world, &saved(&original()));
    assert_eq!((plan.changes.len(), of_plan(&plan)), (0, Status::InSync));
}

#[test]
fn what_a_bootstrap_did_is_taken_back_to_the_letter_and_the_gate_is_named() {
    let world = World::new();
    let mut before = original();
    before["aFieldOfTomorrow"] =
        serde_json::from_str("[123456789012345678901234567890, 1.50, 1e400]").unwrap();
    world.edit_pipeline("MyPipeline", |document| *document = before.clone());
    world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let wired = world.document("MyPipeline").unwrap();
    let plan = planned(&world, &saved(&before));
    insta::assert_snapshot!(plan.changes[0].reason, @"version 3 is put back in the place of version 4: stage Gate is taken out");
    assert_eq!(plan.changes[0].gates.len(), 1);
    assert_eq!(codes(&plan), ["restore_removes_gate"]);
    let (report, shelf) = carried_out(&world, &plan);
    assert_eq!((report.writes, report.problems.len()), (1, 0));
    assert_eq!(shelf, [wired], "the document that was replaced");
    let now = world.document("MyPipeline").unwrap();
    before["version"] = json!(5);
    assert_eq!(
        now.as_json().to_string(),
        before.to_string(),
        "digits and order of keys too"
    );
    assert!(planned(&world, &saved(&before)).changes.is_empty());
}

#[test]
fn what_others_changed_since_is_named_and_is_not_mixed_with_our_gate() {
    let world = World::new();
    world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    world.somebody_updates("MyPipeline", |document| {
        document["executionMode"] = json!("QUEUED");
        document["stages"][1]["actions"][0]["configuration"]["X"] = json!("z");
        let canary = json!({"name": "Canary", "actions": [{"name": "Wait", "roleArn": "arn:aws:iam::111111111111:role/W"}]});
        document["stages"].as_array_mut().unwrap().push(canary);
    });
    let plan = planned(&world, &saved(&original()));
    assert_eq!(codes(&plan), ["restore_removes_gate", "restore_takes_back"]);
    insta::assert_snapshot!(plan.problems[1].message, @"pipeline MyPipeline: beside this manifest's gates, this is taken back of what has changed since the file was saved: the pipeline itself changes (executionMode); action Deploy/Dep changes (configuration); stage Canary is taken out");
    assert!(plan.changes[0].reason.contains("stage Gate is taken out"));
}

#[test]
fn a_document_that_brings_our_action_back_says_what_it_does_not_bring() {
    let world = World::new();
    let manifest = wiring(MANIFEST, &[]);
    world.run(&manifest, &options(Intent::Bootstrap));
    let wired = world.document("MyPipeline").unwrap();
    world.run(&manifest, &options(Intent::Teardown));
    let plan = planned(&world, &saved(wired.as_json()));
    assert_eq!(codes(&plan), ["restore_returns_gate"]);
    assert!(
        plan.problems[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("crossgate check")
    );
    carried_out(&world, &plan);
    let drift = world.plan(&manifest, &options(Intent::Bootstrap));
    assert!(
        !drift.is_in_sync(),
        "the roles are missing, and check says so"
    );
}

#[test]
fn roles_that_a_restore_needs_and_does_not_make_are_named() {
    let world = World::new();
    let mut then = original();
    then["roleArn"] = json!("arn:aws:iam::111111111111:role/Former");
    then["stages"][2]["actions"][0]["roleArn"] = json!("arn:aws:iam::333333333333:role/Deployer");
    let plan = planned(&world, &saved(&then));
    assert_eq!(
        codes(&plan),
        [
            "restore_needs_role",
            "restore_service_role",
            "restore_takes_back"
        ]
    );
}

#[test]
fn an_action_that_stays_and_differs_is_said_to_become_as_it_was() {
    let world = World::new();
    world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let wired = world.document("MyPipeline").unwrap();
    world.somebody_updates("MyPipeline", |document| {
        document["stages"][2]["actions"][0]["configuration"]["UserParameters"] = json!("theirs");
    });
    let plan = planned(&world, &saved(wired.as_json()));
    assert_eq!(codes(&plan), ["restore_changes_gate"]);
}

#[test]
fn a_secret_that_aws_could_not_keep_stops_the_restore_unless_it_is_sent() {
    let world = World::new();
    let mut then = original();
    then["stages"][0]["actions"][0]["configuration"] = json!({"OAuthToken": "****"});
    let saved = saved(&then);
    let plan = planned(&world, &saved);
    assert_eq!(plan.problems[0].code, "secret_gone");
    assert_eq!(of_plan(&plan), Status::Failed);
    assert!(
        plan.problems[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("--secret Source/Src/OAuthToken=env:")
    );

    let secret = ActionSecret {
        stage: StageName::new("Source").unwrap(),
        action: ActionName::new("Src").unwrap(),
        key: "OAuthToken".to_owned(),
        value: SecretText::new("marked-secret".to_owned()),
    };
    let wiring = wiring(MANIFEST, &[]);
    let plan = super::plan(&wiring, &observed(&world, &saved), &saved, &[secret]);
    assert!(plan.may_apply());
    assert!(!format!("{plan:?}").contains("marked-secret"));
    carried_out(&world, &plan);
    let now = world.document("MyPipeline").unwrap();
    assert!(
        now.as_json().to_string().contains("marked-secret"),
        "it was sent"
    );

    // Where the pipeline still has a secret in that place, AWS keeps it.
    world.edit_pipeline("MyPipeline", |document| *document = then.clone());
    world.somebody_updates("MyPipeline", |document| {
        document["executionMode"] = json!("QUEUED");
    });
    assert!(planned(&world, &saved).may_apply());
}

#[test]
fn a_pipeline_that_is_gone_cannot_be_restored_and_is_said_to_be() {
    let world = World::new();
    let saved = saved(&original());
    world.edit("tools", |account| account.pipelines.clear());
    let plan = planned(&world, &saved);
    assert_eq!(
        (codes(&plan), of_plan(&plan)),
        (vec!["pipeline_not_found"], Status::Failed)
    );
    assert!(plan.problems[0].message.contains("cannot make one"));
}

#[test]
fn credentials_of_another_account_and_accounts_that_do_not_answer_stop_it() {
    let world = World::new();
    let mut then = original();
    then["executionMode"] = json!("QUEUED");
    let saved = saved(&then);
    world.edit("tools", |account| account.id = "333333333333".to_owned());
    let plan = planned(&world, &saved);
    assert_eq!((codes(&plan), plan.steps.len()), (vec!["wrong_account"], 0));
    let world = World::new();
    world.closed.borrow_mut().push("tools".to_owned());
    let plan = planned(&world, &saved);
    assert_eq!(
        (codes(&plan), of_plan(&plan)),
        (vec!["account_unreachable"], Status::Incomplete)
    );
}

#[test]
fn what_moved_since_the_plan_was_shown_is_not_taken_back_unseen() {
    let world = World::new();
    let mut then = original();
    then["executionMode"] = json!("QUEUED");
    let plan = planned(&world, &saved(&then));
    world.somebody_updates("MyPipeline", |document| {
        document["pipelineType"] = json!("V2");
    });
    let (report, shelf) = carried_out(&world, &plan);
    let Outcome::Failed(Failure::Stale { message }) = &report.outcomes[0] else {
        panic!("{:?}", report.outcomes);
    };
    assert!(
        message.contains("the pipeline itself changes (pipelineType)"),
        "{message}"
    );
    assert_eq!((report.writes, shelf.len()), (0, 0));
    // A new version that says the same is no reason to stop.
    let plan = planned(&world, &saved(&then));
    world.somebody_updates("MyPipeline", |_| {});
    let (report, _) = carried_out(&world, &plan);
    assert_eq!(report.outcomes, [Outcome::Done]);
    assert_eq!(report.problems[0].code, "pipeline_moved");
}

#[test]
fn a_plan_shows_which_settings_differ_and_no_setting() {
    let with = |secret: &str| {
        let mut document = original();
        document["stages"][0]["actions"][0]["configuration"] =
            json!({"FunctionName": "f", "Same": "kept-secret", "Changed": secret});
        document
    };
    let world = World::new();
    world.edit_pipeline("MyPipeline", |document| *document = with("new-secret"));
    let plan = planned(&world, &saved(&with("old-secret")));
    let change = &plan.changes[0];
    let setting = |text: &Option<JsonText>| {
        text.as_ref().unwrap().value()["stages"][0]["actions"][0]["configuration"].to_string()
    };
    assert_eq!(
        setting(&change.before),
        r#"{"FunctionName":"f","Same":"(not shown)","Changed":"(not shown, as it is now)"}"#
    );
    assert_eq!(
        setting(&change.after),
        r#"{"FunctionName":"f","Same":"(not shown)","Changed":"(not shown, as it was saved)"}"#
    );
    assert!(!format!("{:?}{:?}", plan.changes, plan.problems).contains("-secret"));
}
