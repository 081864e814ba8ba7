//! The ring's own foundation: what the emulators do that the cases rely on, without the binary.
//! If one of these fails, no other result of the ring means anything.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::calls::{Call, Request, rounds};
use crate::support::pipeline::{self, Pipelines};
use crate::support::snapshot::assert_same;
use crate::support::world::{
    CALLBACK_POLICY, EXECUTION_ROLE, FUNCTION, INVOKE_POLICY, INVOKE_ROLE, Mode, PIPELINE,
    SERVICE_ROLE, World, unrelated,
};

/// What design.md's table asks for, made by hand.
pub(super) fn wire_by_hand(world: &World) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id)},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": world.service_role_arn()}},
    }]});
    world.dev.create_role(INVOKE_ROLE, &trust);
    let arn = world.function_arn(FUNCTION);
    let invoke = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": [arn.clone(), format!("{arn}:*")]},
        {"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"},
    ]});
    world
        .dev
        .put_policy(INVOKE_ROLE, INVOKE_POLICY, &invoke.to_string());
    let answer = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"],
        "Resource": "*",
    }]});
    world
        .dev
        .put_policy(EXECUTION_ROLE, CALLBACK_POLICY, &answer.to_string());
    world.tools.put_policy(
        SERVICE_ROLE,
        "crossgate-checkout-assume",
        &unrelated("sts:AssumeRole", &world.dev.role_arn(INVOKE_ROLE)),
    );
}

/// Goes the pipeline's way: the service role takes the invoke role, which calls the function.
pub(super) fn go_through(world: &World) -> Result<String, String> {
    let service: Account = world
        .tools
        .assume(&world.service_role_arn())
        .map_err(|e| format!("hop 0: {e}"))?;
    let invoker = service
        .assume(&world.dev.role_arn(INVOKE_ROLE))
        .map_err(|e| format!("hop 1: {e}"))?;
    invoker
        .invoke(&world.function_arn(FUNCTION))
        .map_err(|e| format!("hop 2: {e}"))
}

#[test]
fn a_gate_wired_by_hand_really_assumes_and_invokes() {
    let world = World::new();
    wire_by_hand(&world);
    assert_eq!(go_through(&world).unwrap(), r#"{"gate": "open"}"#);
    let refused = world.tools.assume(&world.dev.role_arn(INVOKE_ROLE)).err();
    assert!(
        refused.is_some(),
        "the condition lets only the service role in"
    );
}

#[test]
fn a_piece_missing_by_hand_is_refused_at_its_hop() {
    let world = World::new();
    wire_by_hand(&world);
    let assume = world
        .tools
        .policy(SERVICE_ROLE, "crossgate-checkout-assume")
        .unwrap();
    world
        .tools
        .delete_policy(SERVICE_ROLE, "crossgate-checkout-assume");
    assert!(go_through(&world).unwrap_err().starts_with("hop 1"));
    world.tools.put_policy(
        SERVICE_ROLE,
        "crossgate-checkout-assume",
        &assume.to_string(),
    );
    world.dev.delete_policy(INVOKE_ROLE, INVOKE_POLICY);
    assert!(go_through(&world).unwrap_err().starts_with("hop 2"));
}

#[test]
fn two_worlds_do_not_see_each_other() {
    let (one, two) = (World::new(), World::new());
    let before = two.snapshot();
    wire_by_hand(&one);
    one.pipelines
        .edit(PIPELINE, |p| p["stages"][0]["name"] = json!("Other"));
    assert_same(&before, &two.snapshot(), "the second world");
    assert!(one.dev.has_role(INVOKE_ROLE) && !two.dev.has_role(INVOKE_ROLE));
}

#[test]
fn a_snapshot_is_stable_and_sees_every_object() {
    let world = World::new();
    let before = world.snapshot();
    assert_same(&before, &world.snapshot(), "read twice");
    let roles = before["dev"]["roles"].as_object().unwrap();
    assert_eq!(roles.keys().collect::<Vec<_>>(), [EXECUTION_ROLE]);
    assert_eq!(
        before["tools"]["roles"][SERVICE_ROLE]["path"],
        "/service-role/"
    );
    assert_eq!(
        before["tools"]["roles"][SERVICE_ROLE]["inline"]["artifacts"]["Statement"][0]["Sid"],
        "Ours"
    );
    assert_eq!(
        before["dev"]["functions"][FUNCTION]["role"],
        world.execution_role_arn()
    );

    let all = world.dev.create_managed_policy(
        "limit",
        &serde_json::from_str(&unrelated("s3:*", "*")).unwrap(),
    );
    world.dev.tag(EXECUTION_ROLE, "team", "payments");
    world.dev.attach(EXECUTION_ROLE, &all);
    world.dev.set_boundary(EXECUTION_ROLE, &all);
    let role = world.snapshot()["dev"]["roles"][EXECUTION_ROLE].take();
    assert_eq!(role["tags"], json!({"team": "payments"}));
    assert_eq!(role["attached"], json!([all]));
    assert_eq!(role["boundary"], Value::String(all));
    world.dev.delete_boundary(EXECUTION_ROLE);
    assert_eq!(
        world.snapshot()["dev"]["roles"][EXECUTION_ROLE]["boundary"],
        Value::Null
    );
}

#[test]
fn moto_keeps_every_field_of_a_pipeline() {
    let world = World::empty(Mode::Combined);
    world.seed_roles();
    let rich = pipeline::rich(PIPELINE, &world.service_role_arn());
    world.pipelines.create(&rich);
    let mut read = world.pipeline();
    read.as_object_mut().unwrap().shift_remove("version");
    assert_same(&rich, &read, "the pipeline as created and as read");
    assert!(read.to_string().contains("2.50") || read.to_string().contains("2.5"));
    let elsewhere = Pipelines::new(world.pipelines.moto, &world.dev.id);
    assert!(elsewhere.names().is_empty());
}

#[test]
fn moto_alone_has_two_accounts_too() {
    let world = World::moto_alone();
    let before = world.snapshot();
    assert_eq!(before["dev"]["roles"].as_object().unwrap().len(), 1);
    assert_eq!(before["tools"]["roles"].as_object().unwrap().len(), 1);
    wire_by_hand(&world);
    assert!(world.dev.has_role(INVOKE_ROLE) && !world.tools.has_role(INVOKE_ROLE));
}

#[test]
fn rounds_are_the_longest_chain() {
    let zero = Instant::now();
    let call = |from: u64, to: u64| Call {
        started: zero + Duration::from_millis(from),
        finished: zero + Duration::from_millis(to),
        status: 200,
        request: Request::of(&crate::support::http::Message::default(), |_| String::new()),
    };
    assert_eq!(rounds(&[]), 0);
    assert_eq!(rounds(&[call(0, 10), call(1, 11), call(2, 9)]), 1);
    assert_eq!(
        rounds(&[call(0, 10), call(1, 11), call(10, 20), call(12, 22)]),
        2
    );
    assert_eq!(rounds(&[call(0, 10), call(10, 20), call(20, 30)]), 3);
}
