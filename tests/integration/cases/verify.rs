//! `verify` against real APIs: proven after bootstrap, refuted at the hop that is broken, never 0 where something was not seen;
//! and, where the emulator enforces, the same answer as the chain that is really gone through.

use serde_json::{Value, json};

use super::harness::go_through;
use crate::support::cli::Run;
use crate::support::pipeline::action_mut;
use crate::support::proxy::{Fault, access_denied};
use crate::support::world::{
    ACTION, ASSUME_POLICY, CALLBACK_POLICY, EXECUTION_ROLE, FUNCTION, INVOKE_POLICY, INVOKE_ROLE,
    PIPELINE, SERVICE_ROLE, STAGE, World, unrelated,
};

fn verify(world: &World, more: &[&str]) -> Run {
    settle(world);
    let run = world.json("verify", more);
    run.wrote_nothing();
    run
}

/// Waits until the emulator has made the function: some seconds at most.
pub(super) fn settle(world: &World) {
    for _ in 0..100 {
        let call = world.dev.lambda.get_function_configuration();
        let found = world.dev.run(call.function_name(FUNCTION).send());
        if found
            .state()
            .is_none_or(|state| state.as_str() != "Pending")
        {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// The hops of the first gate that do not have this standing.
fn hops_not(run: &Run, standing: &str) -> Vec<String> {
    let gates = run.json()["gates"].clone();
    let hops = gates[0]["hops"].as_array().unwrap().clone();
    let mut ids: Vec<String> = hops
        .iter()
        .filter(|hop| hop["standing"] != standing)
        .map(|hop| hop["hop"].as_str().unwrap().to_owned())
        .collect();
    ids.dedup();
    ids
}

fn proven(world: &World) -> Run {
    let run = verify(world, &[]);
    run.exits(0).has_status("in_sync");
    assert_eq!(hops_not(&run, "proven"), Vec::<String>::new());
    run
}

#[test]
fn proven_after_bootstrap_and_refuted_before_and_after() {
    for world in [World::new(), World::moto_alone()] {
        verify(&world, &[]).exits(3).says("action_missing");
        world.bootstrap(&[]).exits(0);
        let run = proven(&world);
        assert_eq!(run.json()["not_seen"], json!(["scp", "rcp"]));
        world.teardown(&[]).exits(0);
        verify(&world, &[]).exits(3).says("action_missing");
    }
}

/// What breaks, the hop that `verify` names, the hop at which the real chain stops (3 is not part of it), what mends it beside
/// `bootstrap`.
type Piece<'a> = (&'a dyn Fn(), &'a str, Option<&'a str>, &'a dyn Fn());

#[test]
fn each_missing_piece_is_refuted_at_its_hop_as_the_real_chain_is() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let nobody = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let external = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id)}, "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}]});
    let deny = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Sid": "Never", "Effect": "Deny", "Action": action, "Resource": "*"}]});
    let nothing = || {};
    let undeny = || world.dev.delete_policy(INVOKE_ROLE, "no");
    let pieces: [Piece<'_>; 6] = [
        (
            &|| world.tools.delete_policy(SERVICE_ROLE, ASSUME_POLICY),
            "1",
            Some("hop 1"),
            &nothing,
        ),
        (
            &|| world.dev.set_trust(INVOKE_ROLE, &nobody.to_string()),
            "1",
            Some("hop 1"),
            &nothing,
        ),
        (
            &|| world.dev.set_trust(INVOKE_ROLE, &external.to_string()),
            "1",
            Some("hop 1"),
            &nothing,
        ),
        (
            &|| world.dev.delete_policy(INVOKE_ROLE, INVOKE_POLICY),
            "2",
            Some("hop 2"),
            &nothing,
        ),
        (
            &|| {
                world.dev.put_policy(
                    INVOKE_ROLE,
                    "no",
                    &deny("lambda:InvokeFunction").to_string(),
                );
            },
            "2",
            Some("hop 2"),
            &undeny,
        ),
        (
            &|| world.dev.delete_policy(EXECUTION_ROLE, CALLBACK_POLICY),
            "3",
            None,
            &nothing,
        ),
    ];
    for (index, (breaks, hop, really, mend)) in pieces.into_iter().enumerate() {
        breaks();
        let run = verify(&world, &[]);
        run.exits(3).has_status("drift");
        let first = hops_not(&run, "proven");
        assert_eq!(
            first.first().map(String::as_str),
            Some(hop),
            "piece {index}: {first:?}"
        );
        match really {
            Some(hop) => assert!(
                go_through(&world).unwrap_err().starts_with(hop),
                "piece {index}"
            ),
            None => assert!(go_through(&world).is_ok()),
        }
        mend();
        world.bootstrap(&[]).exits(0);
        proven(&world);
        assert!(go_through(&world).is_ok());
    }
}

#[test]
fn policies_that_check_does_not_look_at_are_seen() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Never", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}]});
    let arn = world.tools.create_managed_policy("Guard", &deny);
    world.tools.attach(SERVICE_ROLE, &arn);
    world.check().exits(0);
    let run = verify(&world, &[]);
    run.exits(3).says("Guard").says("Never").says(SERVICE_ROLE);
    assert_eq!(hops_not(&run, "proven"), ["1"]);
    assert!(go_through(&world).unwrap_err().starts_with("hop 1"));
    world
        .run(&["verify"])
        .exits(3)
        .says("denied")
        .says("mend: ")
        .says("Guard Statement[0] (Never)");

    let both = world.json("check", &["--verify"]);
    both.exits(3).has_status("drift").wrote_nothing();
    assert_eq!(both.json()["verify"]["standing"], "refuted");
    assert_eq!(both.json()["changes"], json!([]));
}

#[test]
fn a_boundary_is_seen() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let limit: Value = serde_json::from_str(&unrelated("s3:*", "*")).unwrap();
    let arn = world.dev.create_managed_policy("Limit", &limit);
    world.dev.set_boundary(INVOKE_ROLE, &arn);
    let run = verify(&world, &[]);
    run.exits(3).says("boundary");
    assert_eq!(hops_not(&run, "proven"), ["2", "2'"]);
}

#[test]
fn an_action_with_an_alias_is_decided_on_the_alias() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.pipelines.edit(PIPELINE, |p| {
        action_mut(p, STAGE, ACTION)["configuration"]["FunctionName"] =
            format!("{FUNCTION}:live").into();
    });
    // There is no such alias: nothing answers.
    let run = verify(&world, &[]);
    run.exits(3).says(&format!("{FUNCTION}:live"));
}

#[test]
fn access_denied_on_any_read_is_never_proven() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let arn = world.dev.create_managed_policy(
        "More",
        &serde_json::from_str(&unrelated("s3:*", "*")).unwrap(),
    );
    world.dev.attach(EXECUTION_ROLE, &arn);
    let reads: std::collections::BTreeSet<(String, String)> = proven(&world)
        .calls
        .iter()
        .map(|c| (c.request.account.clone(), c.request.operation.clone()))
        .collect();
    assert!(reads.len() >= 10, "{reads:?}");
    for (account, operation) in reads {
        world
            .proxy
            .inject(Fault::on(&operation, access_denied()).in_account(&account));
        verify(&world, &[])
            .exits(4)
            .has_status("incomplete")
            .says(&operation)
            .says("AccessDenied");
        world.json("check", &["--verify"]).exits(4).wrote_nothing();
        world.proxy.heal();
    }
    proven(&world);
}

#[test]
fn organization_files_decide() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.write_file("scp.json", r#"{"Version": "2012-10-17", "Statement": [{"Sid": "NoLambda", "Effect": "Deny", "Action": "lambda:*", "Resource": "*"}]}"#);
    let run = verify(&world, &["--scp-file", "scp.json"]);
    run.exits(3).says("scp:scp.json").says("NoLambda");
    assert_eq!(hops_not(&run, "proven"), ["2", "2'"]);
    assert_eq!(run.json()["not_seen"], json!(["rcp"]));
    verify(&world, &["--scp-file", "tools=scp.json"]).exits(0);
    world
        .json("verify", &["--scp-file", "nowhere.json"])
        .exits(2);
    world.json("check", &["--scp-file", "scp.json"]).exits(2);
}

#[test]
fn the_simulator_agrees() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let run = verify(&world, &["--simulate"]);
    run.exits(0);
    let gates = run.json()["gates"].clone();
    for hop in gates[0]["hops"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|hop| hop["hop"] == "2" || hop["hop"] == "2'")
    {
        assert_eq!(hop["simulated"]["agrees"], true, "{hop}");
    }
    let moto = World::moto_alone();
    moto.bootstrap(&[]).exits(0);
    // moto cannot simulate: that is told.
    verify(&moto, &["--simulate"])
        .exits(4)
        .says("SimulatePrincipalPolicy");
}

#[test]
fn nothing_is_read_twice_by_either_command() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    for run in [proven(&world), world.json("check", &["--verify"])] {
        run.exits(0);
        let bodies: Vec<String> = run
            .calls
            .iter()
            .filter(|c| c.request.service == "iam")
            .map(|c| format!("{} {}", c.request.account, c.request.body))
            .collect();
        let mut once = bodies.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), bodies.len(), "{bodies:#?}");
    }
}
