//! AWS refuses, breaks off, or answers what cannot be read: said with call, account, code and request id, and never as 0.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::calls::writes;
use crate::support::proxy::{Act, Fault, INJECTED_REQUEST_ID, access_denied, expired_token};
use crate::support::snapshot::assert_same;
use crate::support::world::{EXECUTION_ROLE, INVOKE_ROLE, PIPELINE, SERVICE_ROLE, World};

/// Every call that `check` makes, as (account, operation), once.
fn reads(world: &World) -> BTreeSet<(String, String)> {
    let check = world.check();
    check.exits(0);
    let of = |call: &crate::support::calls::Call| {
        (call.request.account.clone(), call.request.operation.clone())
    };
    check.calls.iter().map(of).collect()
}

#[test]
fn access_denied_on_any_read_is_never_in_sync() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let reads = reads(&world);
    assert!(reads.len() >= 4, "{reads:?}");
    for (account, operation) in reads {
        world
            .proxy
            .inject(Fault::on(&operation, access_denied()).in_account(&account));
        let check = world.run(&["check"]);
        check.exits_one_of(&[1, 4]).wrote_nothing();
        check
            .says(&operation)
            .says(&account)
            .says("AccessDenied")
            .says(INJECTED_REQUEST_ID);
        let bootstrap = world.bootstrap(&[]);
        bootstrap.exits_one_of(&[1, 4]).wrote_nothing().json();
        world.proxy.heal();
    }
    world.check().exits(0);
}

#[test]
fn access_denied_on_any_read_of_a_fresh_gate_stops_before_the_first_write() {
    let world = World::new();
    let before = world.snapshot();
    let plan = world.plan();
    let reads: BTreeSet<_> = plan
        .calls
        .iter()
        .map(|c| (c.request.account.clone(), c.request.operation.clone()))
        .collect();
    for (account, operation) in reads {
        world
            .proxy
            .inject(Fault::on(&operation, access_denied()).in_account(&account));
        world
            .bootstrap(&[])
            .exits_one_of(&[1, 4])
            .wrote_nothing()
            .says(&operation);
        world.proxy.heal();
    }
    assert_same(&before, &world.snapshot(), "nothing");
}

#[test]
fn access_denied_on_a_write_is_told_and_running_again_continues() {
    for operation in ["CreateRole", "PutRolePolicy", "UpdatePipeline"] {
        let world = World::new();
        world.proxy.inject(Fault::on(operation, access_denied()));
        let run = world.run(&["bootstrap", "--yes"]);
        let done = writes(&run.calls)
            .iter()
            .filter(|call| call.status == 200)
            .count();
        run.exits(if done == 0 { 1 } else { 5 });
        run.says(operation)
            .says("AccessDenied")
            .says(INJECTED_REQUEST_ID);
        world.proxy.heal();
        world.bootstrap(&[]).exits(0).wrote();
        world.check().exits(0);
    }
}

#[test]
fn expired_credentials_make_an_account_unreachable() {
    let world = World::new();
    world
        .proxy
        .inject(Fault::everywhere(expired_token()).in_account(&world.dev.id));
    let check = world.check();
    check
        .exits(4)
        .has_status("incomplete")
        .wrote_nothing()
        .says("ExpiredToken");
    check.change("pipeline_action", PIPELINE);
    let run = world.run(&["bootstrap", "--yes"]);
    run.exits_one_of(&[1, 4])
        .wrote_nothing()
        .says("expired")
        .says("dev");
}

#[test]
fn a_dropped_connection_is_tried_again() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let mut fault = Fault::on("GetPipeline", Act::Drop);
    fault.account = Some(world.tools.id.clone());
    world.proxy.inject(fault);
    let check = world.check();
    check
        .exits_one_of(&[1, 4])
        .wrote_nothing()
        .says("GetPipeline");
    check.ensure(
        check
            .calls
            .iter()
            .filter(|c| c.request.operation == "GetPipeline")
            .count()
            > 1,
        "retried",
    );
    world.proxy.heal();
    world.check().exits(0);
}

#[test]
fn an_inline_policy_that_is_not_json_is_an_error_with_its_place() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let answer = |role: &str, policy: &str| {
        format!(
            "<GetRolePolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRolePolicyResult>\
             <RoleName>{role}</RoleName><PolicyName>{policy}</PolicyName><PolicyDocument>%7Bnot+json</PolicyDocument>\
             </GetRolePolicyResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetRolePolicyResponse>"
        )
    };
    let body = answer(INVOKE_ROLE, "crossgate-checkout-invoke");
    let mut fault = Fault::on("GetRolePolicy", Act::Answer { status: 200, body });
    fault.body = Some("crossgate-checkout-invoke".to_owned());
    world.proxy.inject(fault);
    let check = world.run(&["check"]);
    check
        .exits_one_of(&[1, 4])
        .wrote_nothing()
        .says(INVOKE_ROLE)
        .says("crossgate-checkout-invoke");
    world.bootstrap(&[]).exits_one_of(&[1, 4]).wrote_nothing();
}

#[test]
fn a_trust_policy_that_is_not_json_is_an_error_with_its_place() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let arn = world.dev.role_arn(INVOKE_ROLE);
    let body = format!(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><Path>/</Path>\
         <RoleName>{INVOKE_ROLE}</RoleName><RoleId>AROAX</RoleId><Arn>{arn}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>%7B%22Version%22%3A</AssumeRolePolicyDocument><Tags><member><Key>crossgate:project</Key>\
         <Value>checkout</Value></member></Tags></Role></GetRoleResult><ResponseMetadata><RequestId>r</RequestId>\
         </ResponseMetadata></GetRoleResponse>"
    );
    let mut fault = Fault::on("GetRole", Act::Answer { status: 200, body });
    fault.body = Some(format!("RoleName={INVOKE_ROLE}"));
    world.proxy.inject(fault);
    let check = world.run(&["check"]);
    let asked = check
        .calls
        .iter()
        .any(|call| call.request.operation == "GetRole");
    check.ensure(
        asked,
        "the role is read with GetRole, so that this test means something",
    );
    check
        .exits_one_of(&[1, 4])
        .wrote_nothing()
        .says(INVOKE_ROLE);
    world.bootstrap(&[]).exits_one_of(&[1, 4]).wrote_nothing();
}

#[test]
fn answers_that_are_no_pipeline_are_errors() {
    let world = World::new();
    let name_only =
        json!({"pipeline": {"name": PIPELINE, "roleArn": world.service_role_arn(), "version": 1}});
    let odd = json!({"pipeline": {"name": PIPELINE, "roleArn": world.service_role_arn(), "version": 1, "stages": "none"}});
    let null = json!({"pipeline": {"name": PIPELINE, "roleArn": world.service_role_arn(), "stages": [null, 7]}});
    for body in [
        name_only.to_string(),
        odd.to_string(),
        null.to_string(),
        "{}".to_owned(),
        "not json".to_owned(),
        String::new(),
    ] {
        world.proxy.inject(Fault::on(
            "GetPipeline",
            Act::Answer {
                status: 200,
                body: body.clone(),
            },
        ));
        let run = world.run(&["bootstrap", "--yes"]);
        run.exits_one_of(&[1, 4]).wrote_nothing().says(PIPELINE);
        world.run(&["check"]).exits_one_of(&[1, 4]).wrote_nothing();
        world.proxy.heal();
    }
}

#[test]
fn xml_that_breaks_off_is_an_error() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    for (account, operation) in reads(&world) {
        if operation == "GetPipeline" {
            continue;
        }
        let act = Act::Answer {
            status: 200,
            body: "<Broken><".to_owned(),
        };
        world
            .proxy
            .inject(Fault::on(&operation, act).in_account(&account));
        world.run(&["check"]).exits_one_of(&[1, 4]).wrote_nothing();
        world.proxy.heal();
    }
}

#[test]
fn throttling_is_waited_out() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let throttled = Act::Error {
        status: 400,
        code: "Throttling",
        message: "Rate exceeded".to_owned(),
    };
    world
        .proxy
        .inject(Fault::on("GetCallerIdentity", throttled).in_account(&world.dev.id));
    let run = world.run(&["check"]);
    run.exits_one_of(&[1, 4]).wrote_nothing().says("Throttling");
    let tries = run.calls.iter().filter(|c| {
        c.request.operation == "GetCallerIdentity" && c.request.account == world.dev.id
    });
    // `MOST_REFUSED` of src/aws/rate.rs: whatever is asked, that many refusals in a row are the end.
    run.ensure(tries.count() == 10, "tried ten times")
        .says("wait a minute and run it again");
}

#[test]
fn a_write_in_between_is_planned_anew() {
    let world = World::new();
    world
        .proxy
        .set_latency(std::time::Duration::from_millis(300));
    let pipelines = world.pipelines.clone();
    let other = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(900));
        pipelines.edit(PIPELINE, |p| {
            p["stages"][1]["actions"][0]["configuration"]["ProjectName"] = json!("newer");
        });
    });
    let run = world.bootstrap(&[]);
    other.join().unwrap();
    run.exits(0);
    let pipeline = world.pipeline();
    assert_eq!(
        pipeline["stages"][1]["actions"][0]["configuration"]["ProjectName"], "newer",
        "not overwritten"
    );
    world.proxy.set_latency(std::time::Duration::ZERO);
    world.check().exits(0);
}

#[test]
fn roles_that_nobody_manages_are_not_read() {
    let world = World::new();
    for n in 0..20 {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"}}]});
        world.dev.create_role(&format!("Crowd{n}"), &trust);
    }
    world.bootstrap(&[]).exits(0);
    let check = world.check();
    check.exits(0);
    for call in &check.calls {
        let role = call.request.form("RoleName").unwrap_or_default();
        check.ensure(
            role.is_empty() || [INVOKE_ROLE, EXECUTION_ROLE, SERVICE_ROLE].contains(&&*role),
            &format!("{role} is not the gate's"),
        );
    }
}
