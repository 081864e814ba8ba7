//! Something that the gate stands on is not there: a clear error that names it, and no write.

use crate::support::cli::Run;
use crate::support::manifest::Manifest;
use crate::support::pipeline;
use crate::support::snapshot::assert_same;
use crate::support::world::{
    CALLBACK_POLICY, EXECUTION_ROLE, FUNCTION, INVOKE_ROLE, Mode, PIPELINE, SERVICE_ROLE, World,
};

/// `bootstrap` refuses, names the thing and the account, and changes nothing; `check` does not say 0.
fn refused(world: &World, names: &[&str]) -> Run {
    let before = world.snapshot();
    let run = world.run(&["bootstrap", "--yes"]);
    run.exits(1).wrote_nothing();
    for name in names {
        run.says(name);
    }
    assert_same(&before, &world.snapshot(), "nothing is changed");
    world
        .bootstrap(&[])
        .exits(1)
        .has_status("failed")
        .wrote_nothing();
    world.check().exits_one_of(&[1, 3, 4]).wrote_nothing();
    world
        .run(&["plan"])
        .exits_one_of(&[0, 1, 4])
        .wrote_nothing()
        .says(names[0]);
    run
}

fn with(change: impl FnOnce(&mut Manifest)) -> World {
    let world = World::new();
    let mut manifest = world.manifest();
    change(&mut manifest);
    world.write(&manifest);
    world
}

#[test]
fn missing_function() {
    let world = with(|m| m.gates[0].function = "NoSuchFunction".to_owned());
    let id = world.dev.id.clone();
    refused(&world, &["NoSuchFunction", &id]);
}

#[test]
fn missing_pipeline() {
    let world = with(|m| m.gates[0].pipeline = "NoSuchPipeline".to_owned());
    let id = world.tools.id.clone();
    refused(&world, &["NoSuchPipeline", &id]);
}

#[test]
fn missing_anchor_stage() {
    refused(
        &with(|m| m.gates[0].place = "after = \"NoSuchStage\"".to_owned()),
        &["NoSuchStage", PIPELINE],
    );
}

#[test]
fn missing_service_role() {
    let world = World::new();
    world.tools.delete_role(SERVICE_ROLE);
    refused(&world, &[SERVICE_ROLE]);
}

#[test]
fn missing_execution_role() {
    let world = World::new();
    world.dev.delete_role(EXECUTION_ROLE);
    refused(&world, &[EXECUTION_ROLE]);
}

#[test]
fn pipeline_in_another_region() {
    let world = World::new();
    let text = world
        .manifest()
        .toml()
        .replace("region = \"us-east-1\"", "region = \"eu-west-1\"");
    world.write_file("crossgate.toml", &text);
    refused(&world, &[PIPELINE, "eu-west-1"]);
}

#[test]
fn placing_before_the_source_stage_is_refused() {
    let world = with(|m| m.gates[0].place = "before = \"Source\"".to_owned());
    let run = world.run(&["bootstrap", "--yes"]);
    run.exits_one_of(&[1, 2]).wrote_nothing().says("Source");
}

#[test]
fn an_action_in_the_source_stage_is_refused() {
    let world = with(|m| {
        m.gates[0].stage = "Source".to_owned();
        m.gates[0].place = String::new();
    });
    world
        .run(&["bootstrap", "--yes"])
        .exits_one_of(&[1, 2])
        .wrote_nothing()
        .says("Source");
}

#[test]
fn an_artifact_that_nothing_makes_is_refused() {
    let world = with(|m| m.gates[0].more_pipeline = "input_artifacts = [\"Nowhere\"]\n".to_owned());
    refused(&world, &["Nowhere"]);
    let world = with(|m| m.gates[0].more_pipeline = "input_artifacts = [\"Built\"]\n".to_owned());
    world
        .bootstrap(&[])
        .exits(1)
        .wrote_nothing()
        .says("customer managed key");
    world.pipelines.edit(PIPELINE, pipeline::encrypt);
    world.bootstrap(&[]).exits(0);
}

#[test]
fn empty_accounts_are_told_as_they_are() {
    let world = World::empty(Mode::Combined);
    world.write(&world.manifest());
    refused(&world, &[PIPELINE, FUNCTION]);
}

#[test]
fn teardown_works_when_the_function_is_gone() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.dev.run(
        world
            .dev
            .lambda
            .delete_function()
            .function_name(FUNCTION)
            .send(),
    );
    let run = world.teardown(&[]);
    run.exits_one_of(&[0, 1]).says(FUNCTION);
    assert!(!world.dev.has_role(INVOKE_ROLE) || run.code == Some(1));
    // Without the function its execution role is not known: what is left there must be told.
    let left = world.dev.policy(EXECUTION_ROLE, CALLBACK_POLICY).is_some();
    let told = !run.json()["problems"].as_array().unwrap().is_empty();
    run.ensure(!left || told, "what is left behind is told");
}

#[test]
fn teardown_works_when_the_pipeline_is_gone() {
    let world = World::new();
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0);
    world.pipelines.delete(PIPELINE);
    let run = world.teardown(&[]);
    run.exits_one_of(&[0, 1]).says(PIPELINE);
    if run.code == Some(0) {
        assert_same(&before["dev"], &world.snapshot()["dev"], "after teardown");
    }
}

#[test]
fn a_full_service_role_is_seen_before_the_first_write() {
    let world = World::new();
    let long = format!("arn:aws:s3:::{}", "x".repeat(9_900));
    world.tools.put_policy(
        SERVICE_ROLE,
        "huge",
        &crate::support::world::unrelated("s3:GetObject", &long),
    );
    refused(&world, &[SERVICE_ROLE]).says_one_of(&["10,240", "10240"]);
}
