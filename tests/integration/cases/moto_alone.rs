//! The whole way with moto for every service, and profiles that assume a role: another emulator, another kind of credentials.

use crate::support::pipeline::action_mut;
use crate::support::snapshot::assert_same;
use crate::support::world::{
    ACTION, CALLBACK_POLICY, EXECUTION_ROLE, INVOKE_ROLE, PIPELINE, STAGE, World,
};

#[test]
fn bootstrap_check_drift_repair_teardown() {
    let world = World::moto_alone();
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0).has_status("applied");
    let wired = world.snapshot();
    world.bootstrap(&[]).exits(0).wrote_nothing();
    world.check().exits(0).has_status("in_sync");

    world.dev.delete_policy(EXECUTION_ROLE, CALLBACK_POLICY);
    world.pipelines.edit(PIPELINE, |p| {
        action_mut(p, STAGE, ACTION)["configuration"]["FunctionName"] = "Other".into();
    });
    let check = world.check();
    check.exits(3).has_status("drift");
    check.change("iam_inline_policy", CALLBACK_POLICY);
    check.change("pipeline_action", ACTION);
    world.bootstrap(&[]).exits(0).wrote();
    assert_same(&wired, &world.snapshot(), "after the repair");

    world.teardown(&[]).exits(0).wrote();
    assert_same(&before, &world.snapshot(), "after teardown");
    world.teardown(&[]).exits(0).wrote_nothing();
}

#[test]
fn role_deleted_and_made_again() {
    let world = World::moto_alone();
    world.bootstrap(&[]).exits(0);
    let wired = world.snapshot();
    world.dev.delete_role(INVOKE_ROLE);
    world.check().exits(3).change("iam_role", INVOKE_ROLE);
    world.bootstrap(&[]).exits(0);
    assert_same(&wired, &world.snapshot(), "after the repair");
}

#[test]
fn the_wrong_account_by_role() {
    let world = World::moto_alone();
    let mut manifest = world.manifest();
    manifest.dev = "999999999999".to_owned();
    world.write(&manifest);
    let run = world.run(&["bootstrap", "--yes"]);
    run.exits(1)
        .wrote_nothing()
        .says("999999999999")
        .says(&world.dev.id);
}
