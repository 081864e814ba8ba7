//! Each object of design.md's table, changed or deleted behind crossgate's back: seen, named, mended, and nothing else touched.
//! Changes are made with plain SDK clients.

use serde_json::{Value, json};

use crate::support::cli::Run;
use crate::support::pipeline::action_mut;
use crate::support::snapshot::assert_same;
use crate::support::world::{
    ACTION, ASSUME_POLICY, CALLBACK_POLICY, EXECUTION_ROLE, INVOKE_POLICY, INVOKE_ROLE, PIPELINE,
    SERVICE_ROLE, STAGE, World, unrelated,
};

/// Bootstraps, does something behind its back, and expects `check` to name it and `bootstrap` to mend just that.
fn drifts(
    world: &World,
    outside: impl FnOnce(&World),
    kind: &str,
    resource: &str,
    action: &str,
) -> Run {
    drifts_with(world, outside, kind, resource, action, &[])
}

fn drifts_with(
    world: &World,
    outside: impl FnOnce(&World),
    kind: &str,
    resource: &str,
    action: &str,
    flags: &[&str],
) -> Run {
    world.bootstrap(flags).exits(0);
    let wired = world.snapshot();
    outside(world);
    let drifted = world.snapshot();
    assert_ne!(wired, drifted, "the outside change happened");

    let check = world.check();
    check.exits(3).has_status("drift").wrote_nothing();
    let change = check.change(kind, resource);
    check.ensure(
        change["action"] == action,
        &format!("action `{action}` expected"),
    );
    check.ensure(
        change["gates"] == json!(["validate"]),
        "the gate that it breaks",
    );
    check.ensure(
        change["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "a reason",
    );
    world
        .run(&["check"])
        .exits(3)
        .says(resource.split('/').next_back().unwrap());
    assert_same(&drifted, &world.snapshot(), "check only reads");

    world
        .bootstrap(flags)
        .exits(0)
        .has_status("applied")
        .wrote();
    assert_same(&wired, &world.snapshot(), "after the repair");
    world.check().exits(0).has_status("in_sync");
    check
}

#[test]
fn trust_policy_changed() {
    let world = World::new();
    let check = drifts(
        &world,
        |w| {
            let mut trust = w.dev.trust(INVOKE_ROLE);
            trust["Statement"][0]
                .as_object_mut()
                .unwrap()
                .shift_remove("Condition");
            w.dev.set_trust(INVOKE_ROLE, &trust.to_string());
        },
        "iam_trust_policy",
        INVOKE_ROLE,
        "update",
    );
    let change = check.change("iam_trust_policy", INVOKE_ROLE);
    check.ensure(
        !change["before"].to_string().contains("aws:PrincipalArn"),
        "before: as it is",
    );
    check.ensure(
        change["after"].to_string().contains("aws:PrincipalArn"),
        "after: as it shall be",
    );
}

#[test]
fn trust_policy_with_a_stranger_added() {
    drifts(
        &World::new(),
        |w| {
            let mut trust = w.dev.trust(INVOKE_ROLE);
            let stranger = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"});
            trust["Statement"].as_array_mut().unwrap().push(stranger);
            w.dev.set_trust(INVOKE_ROLE, &trust.to_string());
        },
        "iam_trust_policy",
        INVOKE_ROLE,
        "update",
    );
}

#[test]
fn trust_policy_whose_principal_was_deleted() {
    drifts(
        &World::new(),
        |w| {
            let mut trust = w.dev.trust(INVOKE_ROLE);
            trust["Statement"][0]["Principal"] = json!({"AWS": "AROAEXAMPLEEXAMPLE123"});
            w.dev.set_trust(INVOKE_ROLE, &trust.to_string());
        },
        "iam_trust_policy",
        INVOKE_ROLE,
        "update",
    );
}

fn world_with_role_lines(lines: &str) -> World {
    let world = World::new();
    let mut manifest = world.manifest();
    lines.clone_into(&mut manifest.gates[0].more_role);
    world.write(&manifest);
    world
}

#[test]
fn a_tag_of_the_role_changed_or_removed() {
    let world = world_with_role_lines("tags = { team = \"payments\", stage = \"dev\" }\n");
    drifts(
        &world,
        |w| w.dev.tag(INVOKE_ROLE, "team", "somebody"),
        "iam_role_tags",
        INVOKE_ROLE,
        "update",
    );
    drifts(
        &world,
        |w| w.dev.untag(INVOKE_ROLE, "stage"),
        "iam_role_tags",
        INVOKE_ROLE,
        "update",
    );
}

#[test]
fn permissions_boundary_removed_or_replaced() {
    let world = World::new();
    let all: Value = serde_json::from_str(&unrelated("*", "*")).unwrap();
    let limit = world.dev.create_managed_policy("limit", &all);
    let other = world.dev.create_managed_policy("other", &all);
    let mut manifest = world.manifest();
    manifest.gates[0].more_role = format!("permissions_boundary = \"{limit}\"\n");
    world.write(&manifest);
    let removed = |w: &World| w.dev.delete_boundary(INVOKE_ROLE);
    let check = drifts(
        &world,
        removed,
        "iam_permissions_boundary",
        INVOKE_ROLE,
        "create",
    );
    let change = check.change("iam_permissions_boundary", INVOKE_ROLE);
    check.ensure(
        change["after"].to_string().contains(&limit),
        "the boundary that is wanted",
    );
    let replaced = |w: &World| w.dev.set_boundary(INVOKE_ROLE, &other);
    drifts(
        &world,
        replaced,
        "iam_permissions_boundary",
        INVOKE_ROLE,
        "update",
    );
}

fn policy_changed(role: &str, policy: &str, of_tools: bool) {
    let resource = format!("{role}/{policy}");
    let world = World::new();
    let account = if of_tools { &world.tools } else { &world.dev };
    let narrowed = unrelated("sts:GetCallerIdentity", "*");
    drifts(
        &world,
        |_| account.put_policy(role, policy, &narrowed),
        "iam_inline_policy",
        &resource,
        "update",
    );
    drifts(
        &world,
        |_| account.delete_policy(role, policy),
        "iam_inline_policy",
        &resource,
        "create",
    );
}

#[test]
fn invoke_policy_changed_or_deleted() {
    policy_changed(INVOKE_ROLE, INVOKE_POLICY, false);
}

#[test]
fn callback_policy_changed_or_deleted() {
    policy_changed(EXECUTION_ROLE, CALLBACK_POLICY, false);
}

#[test]
fn assume_policy_changed_or_deleted() {
    policy_changed(SERVICE_ROLE, ASSUME_POLICY, true);
}

#[test]
fn a_policy_widened_by_one_action_is_drift() {
    let world = World::new();
    drifts(
        &world,
        |w| {
            let mut policy = w.dev.policy(INVOKE_ROLE, INVOKE_POLICY).unwrap();
            let more = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
            policy["Statement"].as_array_mut().unwrap().push(more);
            w.dev
                .put_policy(INVOKE_ROLE, INVOKE_POLICY, &policy.to_string());
        },
        "iam_inline_policy",
        INVOKE_POLICY,
        "update",
    );
}

#[test]
fn law_7_another_spelling_of_the_same_policies_is_no_drift() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let mut trust = world.dev.trust(INVOKE_ROLE);
    let statement = &mut trust["Statement"][0];
    statement["Sid"] = json!("Renamed");
    statement["Action"] = json!(["STS:assumerole"]);
    statement["Principal"] = json!({"AWS": [world.tools.id]});
    world.dev.set_trust(INVOKE_ROLE, &trust.to_string());
    let mut invoke = world.dev.policy(INVOKE_ROLE, INVOKE_POLICY).unwrap();
    invoke["Id"] = json!("an-id");
    let statements = invoke["Statement"].as_array_mut().unwrap();
    statements.reverse();
    let again = statements[0].clone();
    statements.push(again);
    world
        .dev
        .put_policy(INVOKE_ROLE, INVOKE_POLICY, &invoke.to_string());
    world.check().exits(0).has_status("in_sync");
    world.bootstrap(&[]).exits(0).wrote_nothing();
}

#[test]
fn action_configuration_changed() {
    let world = World::new();
    let mut manifest = world.manifest();
    manifest.gates[0].more_pipeline =
        "user_parameters = { env = \"dev\", limit = 3 }\ntimeout_minutes = 15\n".to_owned();
    world.write(&manifest);
    let in_pipeline = format!("{PIPELINE}/{STAGE}/{ACTION}");
    for (key, value) in [
        ("FunctionName", "Other"),
        ("UserParameters", "{\"env\":\"prod\"}"),
    ] {
        let change = |w: &World| {
            w.pipelines.edit(PIPELINE, |p| {
                action_mut(p, STAGE, ACTION)["configuration"][key] = json!(value);
            });
        };
        drifts(&world, change, "pipeline_action", &in_pipeline, "update");
    }
    let change = |w: &World| {
        w.pipelines.edit(PIPELINE, |p| {
            action_mut(p, STAGE, ACTION)["configuration"]
                .as_object_mut()
                .unwrap()
                .shift_remove("UserParameters");
        });
    };
    drifts(&world, change, "pipeline_action", &in_pipeline, "update");
}

#[test]
fn defaults_that_aws_fills_in_are_no_drift() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.pipelines.edit(PIPELINE, |p| {
        p["pipelineType"] = json!("V1");
        p["executionMode"] = json!("SUPERSEDED");
        let action = action_mut(p, STAGE, ACTION);
        action["runOrder"] = json!(1);
        action["region"] = json!("us-east-1");
        action["inputArtifacts"] = json!([]);
        action["outputArtifacts"] = json!([]);
    });
    world.check().exits(0).has_status("in_sync");
    world.bootstrap(&[]).exits(0).wrote_nothing();
}

#[test]
fn action_removed_with_its_stage() {
    drifts(
        &World::new(),
        |w| {
            w.pipelines.edit(PIPELINE, |p| {
                p["stages"]
                    .as_array_mut()
                    .unwrap()
                    .retain(|s| s["name"] != STAGE);
            });
        },
        "pipeline_action",
        ACTION,
        "create",
    );
}

#[test]
fn stage_moved() {
    drifts(
        &World::new(),
        |w| {
            w.pipelines.edit(PIPELINE, |p| {
                let stages = p["stages"].as_array_mut().unwrap();
                let ours = stages.pop().unwrap();
                stages.insert(1, ours);
            });
        },
        "pipeline_action",
        STAGE,
        "update",
    );
}

#[test]
fn role_deleted() {
    drifts(
        &World::new(),
        |w| w.dev.delete_role(INVOKE_ROLE),
        "iam_role",
        INVOKE_ROLE,
        "create",
    );
}

#[test]
fn everything_deleted() {
    drifts(
        &World::new(),
        |w| {
            w.dev.delete_role(INVOKE_ROLE);
            w.dev.delete_policy(EXECUTION_ROLE, CALLBACK_POLICY);
            w.tools.delete_policy(SERVICE_ROLE, ASSUME_POLICY);
            w.pipelines.edit(PIPELINE, |p| {
                p["stages"]
                    .as_array_mut()
                    .unwrap()
                    .retain(|s| s["name"] != STAGE);
            });
        },
        "iam_role",
        INVOKE_ROLE,
        "create",
    );
}

/// Bootstrap alone leaves it, and says so; teardown keeps the role that carries it.
fn unexpected_stays_without_the_flag(world: &World, name: &str) {
    let drifted = world.snapshot();
    world.check().exits(3).change("iam_unexpected_policy", name);
    let run = world.run(&["bootstrap", "--yes"]);
    run.wrote_nothing().says(name).says("--remove-unexpected");
    assert_same(&drifted, &world.snapshot(), "left as it is");
    let run = world.run(&["teardown", "--yes"]);
    run.says(INVOKE_ROLE).says(name);
    assert!(
        world.dev.has_role(INVOKE_ROLE),
        "a role with somebody's policy is kept"
    );
    world.bootstrap(&[]);
    assert_same(&drifted, &world.snapshot(), "wired again around it");
}

#[test]
fn unexpected_inline_policy() {
    let world = World::new();
    let put = |w: &World| {
        w.dev
            .put_policy(INVOKE_ROLE, "backdoor", &unrelated("*", "*"));
    };
    world.bootstrap(&[]).exits(0);
    put(&world);
    unexpected_stays_without_the_flag(&world, "backdoor");
    world.dev.delete_policy(INVOKE_ROLE, "backdoor");
    let resource = format!("{INVOKE_ROLE}/backdoor");
    drifts_with(
        &world,
        put,
        "iam_unexpected_policy",
        &resource,
        "delete",
        &["--remove-unexpected"],
    );
}

#[test]
fn unexpected_attached_policy() {
    let world = World::new();
    let all: Value = serde_json::from_str(&unrelated("*", "*")).unwrap();
    let arn = world.dev.create_managed_policy("everything", &all);
    let attach = |w: &World| w.dev.attach(INVOKE_ROLE, &arn);
    world.bootstrap(&[]).exits(0);
    attach(&world);
    unexpected_stays_without_the_flag(&world, "everything");
    let detach = world
        .dev
        .iam
        .detach_role_policy()
        .role_name(INVOKE_ROLE)
        .policy_arn(&arn);
    world.dev.run(detach.send());
    drifts_with(
        &world,
        attach,
        "iam_unexpected_policy",
        "everything",
        "delete",
        &["--remove-unexpected"],
    );
}

#[test]
fn teardown_with_the_flag_removes_a_role_with_unexpected_policies() {
    let world = World::new();
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0);
    world
        .dev
        .put_policy(INVOKE_ROLE, "backdoor", &unrelated("*", "*"));
    let all: Value = serde_json::from_str(&unrelated("*", "*")).unwrap();
    let arn = world.dev.create_managed_policy("everything", &all);
    world.dev.attach(INVOKE_ROLE, &arn);
    world.teardown(&["--remove-unexpected"]).exits(0);
    assert_same(&before, &world.snapshot(), "after teardown");
}
