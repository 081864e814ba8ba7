//! What is there and not owned: a conflict without `--adopt`, and with it nothing is taken over.

use serde_json::{Value, json};

use super::harness::go_through;
use crate::support::pipeline::action_mut;
use crate::support::snapshot::assert_same;
use crate::support::world::{
    ACTION, FUNCTION, INVOKE_POLICY, INVOKE_ROLE, PIPELINE, STAGE, World, unrelated,
};

/// A role of somebody's that bears the name of the invoke role, with everything that a role can have.
fn somebodys_role(world: &World) {
    let lambda = json!({"Sid": "Theirs", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    world.dev.create_role(
        INVOKE_ROLE,
        &json!({"Version": "2012-10-17", "Id": "their-id", "Statement": [lambda]}),
    );
    world
        .dev
        .put_policy(INVOKE_ROLE, "their-own", &unrelated("s3:GetObject", "*"));
    world.dev.tag(INVOKE_ROLE, "owner", "them");
    let all: Value = serde_json::from_str(&unrelated("logs:*", "*")).unwrap();
    let arn = world.dev.create_managed_policy("their-managed", &all);
    world.dev.attach(INVOKE_ROLE, &arn);
}

#[test]
fn a_role_that_is_not_ours_is_a_conflict_and_adopted_keeps_what_it_has() {
    let world = World::new();
    somebodys_role(&world);
    let before = world.snapshot();
    let run = world.bootstrap(&[]);
    run.exits(1)
        .has_status("failed")
        .wrote_nothing()
        .says(INVOKE_ROLE)
        .says("--adopt");
    world.check().exits_one_of(&[1, 3]).wrote_nothing();
    world.teardown(&[]).exits_one_of(&[0, 1]).wrote_nothing();
    assert_same(&before, &world.snapshot(), "a conflict changes nothing");

    world.bootstrap(&["--adopt"]).exits(0).wrote();
    let role = world.snapshot()["dev"]["roles"][INVOKE_ROLE].take();
    let statements = role["trust"]["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 2, "theirs and ours: {role}");
    assert_eq!(statements[0]["Sid"], "Theirs");
    assert!(
        statements[1]["Sid"]
            .as_str()
            .unwrap()
            .starts_with("crossgate"),
        "{role}"
    );
    assert_eq!(role["tags"]["owner"], "them");
    assert_eq!(role["tags"]["crossgate:project"], "checkout");
    assert!(role["tags"]["crossgate:adopted"].is_string(), "{role}");
    assert!(role["inline"]["their-own"].is_object() && role["inline"][INVOKE_POLICY].is_object());
    assert_eq!(role["attached"].as_array().unwrap().len(), 1);
    assert!(go_through(&world).is_ok());

    let check = world.check();
    check.exits(0).has_status("in_sync");
    world.bootstrap(&[]).exits(0).wrote_nothing();
    world.teardown(&[]).exits(0);
    assert_same(&before, &world.snapshot(), "after teardown it is as it was");
    world.teardown(&[]).exits(0).wrote_nothing();
}

#[test]
fn a_role_without_its_ownership_tag_is_a_conflict() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.dev.untag(INVOKE_ROLE, "crossgate:project");
    let before = world.snapshot();
    world
        .check()
        .exits_one_of(&[1, 3])
        .wrote_nothing()
        .says(INVOKE_ROLE);
    world
        .bootstrap(&[])
        .exits(1)
        .wrote_nothing()
        .says("--adopt");
    assert_same(&before, &world.snapshot(), "a conflict changes nothing");
    world.bootstrap(&["--adopt"]).exits(0).wrote();
    world.check().exits(0);
    assert!(go_through(&world).is_ok());
}

#[test]
fn an_action_with_another_role_is_a_conflict() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let other = world.dev.role_arn("SomebodyElses");
    world.pipelines.edit(PIPELINE, |p| {
        action_mut(p, STAGE, ACTION)["roleArn"] = json!(other);
    });
    let before = world.snapshot();
    world
        .check()
        .exits_one_of(&[1, 3])
        .wrote_nothing()
        .says(ACTION);
    world
        .bootstrap(&[])
        .exits(1)
        .wrote_nothing()
        .says("--adopt");
    assert_same(&before, &world.snapshot(), "a conflict changes nothing");
    world.bootstrap(&["--adopt"]).exits(0).wrote();
    assert_eq!(
        world.pipeline()["stages"][3]["actions"][0]["roleArn"],
        world.dev.role_arn(INVOKE_ROLE)
    );
    world.check().exits(0);
}

#[test]
fn an_adopted_action_keeps_the_fields_that_the_manifest_does_not_name() {
    let world = World::new();
    world.pipelines.edit(PIPELINE, |p| {
        let theirs = json!({"name": ACTION, "runOrder": 1, "namespace": "Theirs", "timeoutInMinutes": 30,
            "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
            "configuration": {"FunctionName": "Other", "UserParameters": "keep"}, "inputArtifacts": [], "outputArtifacts": []});
        let stage = json!({"name": STAGE, "actions": [theirs]});
        p["stages"].as_array_mut().unwrap().push(stage);
    });
    world.bootstrap(&[]).exits(1).wrote_nothing().says(ACTION);
    world.bootstrap(&["--adopt"]).exits(0);
    let action = world.pipeline()["stages"][3]["actions"][0].take();
    assert_eq!(action["configuration"]["FunctionName"], FUNCTION);
    assert_eq!(action["configuration"]["UserParameters"], "keep");
    assert_eq!(action["namespace"], "Theirs");
    assert_eq!(action["timeoutInMinutes"].to_string(), "30");
    world.check().exits(0);
}

#[test]
fn an_action_of_another_kind_is_never_taken() {
    let world = World::new();
    let mut manifest = world.manifest();
    manifest.gates[0].stage = "Deploy".to_owned();
    manifest.gates[0].action = "Release".to_owned();
    manifest.gates[0].place = String::new();
    world.write(&manifest);
    let before = world.snapshot();
    world
        .bootstrap(&[])
        .exits(1)
        .wrote_nothing()
        .says("Release");
    assert_same(&before, &world.snapshot(), "a conflict changes nothing");
}
