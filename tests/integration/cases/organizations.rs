//! `--organizations` against an API of Organizations: what a unit denies is found there, and what may not be read proves nothing.

use aws_sdk_organizations::types::PolicyType;
use serde_json::json;

use crate::support::proxy::{Fault, access_denied};
use crate::support::world::World;

const FLAGS: &[&str] = &["--organizations", "tools"];

/// Moves `dev` into a new unit; the unit's id.
fn unit(world: &World) -> String {
    let (tools, organizations) = (&world.tools, &world.tools.organizations);
    let roots = tools.run(organizations.list_roots().send()).roots.unwrap();
    let root = roots[0].id().unwrap();
    let call = organizations.create_organizational_unit();
    let made = tools.run(call.parent_id(root).name("workloads").send());
    let unit = made.organizational_unit.unwrap().id.unwrap();
    let call = organizations.move_account().account_id(&world.dev.id);
    tools.run(
        call.source_parent_id(root)
            .destination_parent_id(&unit)
            .send(),
    );
    unit
}

fn deny(world: &World, target: &str, action: &str) {
    let (tools, organizations) = (&world.tools, &world.tools.organizations);
    let text = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Never", "Effect": "Deny", "Action": action, "Resource": "*"}]});
    let call = organizations.create_policy().content(text.to_string());
    let call = call
        .name(format!("never-{target}"))
        .description("for a test");
    let made = tools.run(call.r#type(PolicyType::ServiceControlPolicy).send());
    let id = made.policy.unwrap().policy_summary.unwrap().id.unwrap();
    let call = organizations.attach_policy().policy_id(id);
    tools.run(call.target_id(target).send());
}

#[test]
fn what_a_unit_denies_is_refuted_there_and_the_management_account_is_not_affected() {
    let world = World::organized();
    world.bootstrap(&[]).exits(0);
    let unit = unit(&world);
    let run = world.json("verify", FLAGS);
    run.exits(0).wrote_nothing();
    assert_eq!(run.json()["not_seen"], json!([]));
    let calls = run.calls.iter().map(|c| &c.request);
    let mut asked: Vec<(&str, &str)> = calls
        .filter(|r| r.service == "organizations")
        .map(|r| (r.operation.as_str(), r.body.as_str()))
        .collect();
    let count = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert!(count > 0 && asked.len() == count, "{asked:?}");

    // `tools` is the management account: what is attached to it denies nothing.
    deny(&world, &world.tools.id, "sts:*");
    world.json("verify", FLAGS).exits(0);
    deny(&world, &unit, "lambda:InvokeFunction");
    let run = world.json("verify", FLAGS);
    run.exits(3).says(&format!("scp:{unit}")).says("Never");
    let both = ["--verify", "--organizations", "tools"];
    world.json("check", &both).exits(3).wrote_nothing();
    // Without the flag nobody looks.
    let run = world.json("verify", &[]);
    assert_eq!(run.exits(0).json()["not_seen"], json!(["scp", "rcp"]));
}

#[test]
fn an_organization_that_may_not_be_read_is_not_proven() {
    let world = World::organized();
    world.bootstrap(&[]).exits(0);
    for operation in [
        "DescribeOrganization",
        "ListParents",
        "ListPoliciesForTarget",
        "DescribePolicy",
    ] {
        world.proxy.inject(Fault::on(operation, access_denied()));
        let run = world.json("verify", FLAGS);
        run.exits(4).says("AccessDenied").wrote_nothing();
        assert!(run.json()["not_seen"].to_string().contains("scp"));
        world.proxy.heal();
    }
}

#[test]
fn the_account_must_be_in_the_manifest() {
    let world = World::moto_alone();
    world.json("verify", &["--organizations", "tool"]).exits(2);
    world.json("check", FLAGS).exits(2);
}
