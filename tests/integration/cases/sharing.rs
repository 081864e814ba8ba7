//! Gates that share objects, and projects that share roles and a pipeline: none breaks another.

use serde_json::json;

use super::harness::go_through;
use crate::support::calls::writes;
use crate::support::manifest::{Gate, Manifest};
use crate::support::pipeline::{action, stage, stage_names};
use crate::support::snapshot::assert_same;
use crate::support::world::{
    ACTION, ASSUME_POLICY, CALLBACK_POLICY, EXECUTION_ROLE, INVOKE_POLICY, INVOKE_ROLE,
    SERVICE_ROLE, STAGE, World,
};

/// Gate `b`: another function with the same execution role, everything else shared with gate `a`, in the same stage.
fn two_gates(world: &World) -> Manifest {
    world
        .dev
        .create_function("Second", &world.execution_role_arn());
    let a = Gate {
        name: "a".to_owned(),
        ..World::gate()
    };
    let b = Gate {
        name: "b".to_owned(),
        action: "RunSecond".to_owned(),
        function: "Second".to_owned(),
        ..World::gate()
    };
    world.manifest_of("checkout", vec![a, b])
}

#[test]
fn two_gates_on_everything_shared_are_torn_down_one_by_one() {
    let world = World::new();
    world.write(&two_gates(&world));
    let before = world.snapshot();
    let run = world.bootstrap(&[]);
    run.exits(0);
    let updates = writes(&run.calls)
        .iter()
        .filter(|c| c.request.operation == "UpdatePipeline")
        .count();
    run.ensure(updates == 1, "one UpdatePipeline for both gates");
    run.ensure(
        run.change("iam_role", INVOKE_ROLE)["gates"] == json!(["a", "b"]),
        "both gates need the role",
    );
    world.check().exits(0);

    world.teardown(&["--gate", "a"]).exits(0).wrote();
    let check = world.json("check", &["--gate", "b"]);
    check.exits(0).has_status("in_sync");
    world.json("check", &["--gate", "a"]).exits(3);
    let pipeline = world.pipeline();
    assert!(
        action(&pipeline, STAGE, ACTION).is_none()
            && action(&pipeline, STAGE, "RunSecond").is_some()
    );
    let invoke = world
        .dev
        .policy(INVOKE_ROLE, INVOKE_POLICY)
        .unwrap()
        .to_string();
    assert!(
        invoke.contains(":function:Second") && !invoke.contains(":function:MyFunction"),
        "{invoke}"
    );
    assert!(
        world.dev.policy(EXECUTION_ROLE, CALLBACK_POLICY).is_some(),
        "the callback is still needed"
    );
    assert!(
        world.tools.policy(SERVICE_ROLE, ASSUME_POLICY).is_some(),
        "the assume policy is still needed"
    );
    world.teardown(&["--gate", "a"]).exits(0).wrote_nothing();

    world.teardown(&[]).exits(0).wrote();
    assert_same(&before, &world.snapshot(), "after both are gone");
}

#[test]
fn a_gate_joins_and_leaves_without_disturbing_the_other() {
    let world = World::new();
    let both = two_gates(&world);
    world.write(&both);
    world
        .json("bootstrap", &["--yes", "--gate", "a"])
        .exits(0)
        .wrote();
    let only_a = world.snapshot();
    world
        .json("bootstrap", &["--yes", "--gate", "a"])
        .exits(0)
        .wrote_nothing();
    world.json("check", &["--gate", "a"]).exits(0);
    world
        .json("bootstrap", &["--yes", "--gate", "b"])
        .exits(0)
        .wrote();
    world.check().exits(0);
    assert!(go_through(&world).is_ok());
    world.teardown(&["--gate", "b"]).exits(0);
    assert_same(&only_a, &world.snapshot(), "as with gate a alone");
}

#[test]
fn an_action_joins_a_stage_that_was_there_and_leaves_it_there() {
    let world = World::new();
    let mut manifest = world.manifest();
    manifest.gates[0].stage = "Deploy".to_owned();
    manifest.gates[0].place = String::new();
    manifest.gates[0].more_pipeline = "run_order = 2\n".to_owned();
    world.write(&manifest);
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0);
    let pipeline = world.pipeline();
    assert_eq!(stage_names(&pipeline), ["Source", "Build", "Deploy"]);
    assert_eq!(
        action(&pipeline, "Deploy", ACTION).unwrap()["runOrder"].to_string(),
        "2"
    );
    world.check().exits(0);
    world.teardown(&[]).exits(0);
    assert_same(&before, &world.snapshot(), "the stage stays");
}

#[test]
fn new_stages_go_before_after_and_to_the_end() {
    let world = World::new();
    let gate = |name: &str, place: &str| Gate {
        name: name.to_owned(),
        stage: format!("Stage-{name}"),
        place: place.to_owned(),
        ..World::gate()
    };
    let gates = vec![
        gate("before", "before = \"Deploy\""),
        gate("after", "after = \"Source\""),
        gate("end", ""),
    ];
    world.write(&world.manifest_of("checkout", gates));
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0);
    let expected = [
        "Source",
        "Stage-after",
        "Build",
        "Stage-before",
        "Deploy",
        "Stage-end",
    ];
    assert_eq!(stage_names(&world.pipeline()), expected);
    world.check().exits(0);
    world.teardown(&[]).exits(0);
    assert_same(&before, &world.snapshot(), "after teardown");
}

#[test]
fn two_projects_on_the_same_roles_and_pipeline_do_not_touch_each_other() {
    let world = World::new();
    let other = Gate {
        stage: "OtherStage".to_owned(),
        action: "OtherAction".to_owned(),
        role: "Other-InvokeRole".to_owned(),
        ..World::gate()
    };
    let untouched = world.snapshot();
    world.write_file(
        "other.toml",
        &world.manifest_of("billing", vec![other]).toml(),
    );
    let in_other =
        |command: &str, more: &[&str]| world.json(command, &[&["-c", "other.toml"], more].concat());

    world.bootstrap(&[]).exits(0);
    let one = world.snapshot();
    in_other("bootstrap", &["--yes"]).exits(0);
    world.check().exits(0).has_status("in_sync");
    in_other("check", &[]).exits(0).has_status("in_sync");
    world.bootstrap(&[]).exits(0).wrote_nothing();
    in_other("bootstrap", &["--yes"]).exits(0).wrote_nothing();
    let roles = &world.snapshot()["tools"]["roles"][SERVICE_ROLE]["inline"];
    assert!(roles[ASSUME_POLICY].is_object() && roles["crossgate-billing-assume"].is_object());

    in_other("teardown", &["--yes"]).exits(0);
    assert_same(&one, &world.snapshot(), "the first project alone again");
    in_other("bootstrap", &["--yes"]).exits(0);
    world.teardown(&[]).exits(0);
    in_other("check", &[]).exits(0);
    assert!(stage(&world.pipeline(), STAGE).is_none());
    in_other("teardown", &["--yes"]).exits(0);
    assert_same(&untouched, &world.snapshot(), "both gone");
}

#[test]
fn a_role_of_another_project_is_a_conflict() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let wired = world.snapshot();
    let thief = Gate {
        stage: "OtherStage".to_owned(),
        ..World::gate()
    };
    world.write_file(
        "other.toml",
        &world.manifest_of("billing", vec![thief]).toml(),
    );
    let run = world.json("bootstrap", &["--yes", "-c", "other.toml"]);
    run.exits(1)
        .wrote_nothing()
        .says(INVOKE_ROLE)
        .says("checkout");
    assert_same(&wired, &world.snapshot(), "the first project");
    world
        .json("teardown", &["--yes", "-c", "other.toml"])
        .wrote_nothing();
    assert_same(&wired, &world.snapshot(), "the first project");
}
