//! A gate whose function the manifest makes: from nothing to wired, changed from both sides, and gone. Against the independent
//! emulator of Lambda, and against the embedded AWS, which takes its time over a function as Lambda does.

use std::fs;

use crossgate::sandbox::{SandboxOptions, seed};
use serde_json::json;

use super::sandbox::Story;
use crate::support::calls::writes;
use crate::support::manifest::Gate;
use crate::support::snapshot::assert_same;
use crate::support::world::{CALLBACK_POLICY, EXECUTION_ROLE, World};

const NAME: &str = "MadeFunction";
const ROLE: &str = "crossgate-checkout-fn-MadeFunction";
const CODE: &str = "def handler(event, context):\n    return 1\n";
const SECRET: &str = "hunter2";

/// A world whose manifest makes its function from `lambda/validate.py`, with these lines more in `[gates.function]`.
fn world(more: &str) -> World {
    let world = World::new();
    fs::create_dir(world.folder().join("lambda")).unwrap();
    world.write_file("lambda/validate.py", CODE);
    manifest(&world, more);
    world
}

fn manifest(world: &World, more: &str) {
    let lines = format!(
        "source = \"lambda\"\nruntime = \"python3.13\"\nhandler = \"validate.handler\"\ntags = {{ team = \"platform\" }}\n\
         environment = {{ MODE = \"strict\", TOKEN = \"{SECRET}\" }}\n{more}\n"
    );
    let gate = Gate {
        function: NAME.to_owned(),
        more_function: lines,
        ..World::gate()
    };
    world.write(&world.manifest_of("checkout", vec![gate]));
}

fn operations(run: &crate::support::cli::Run) -> Vec<String> {
    let calls = writes(&run.calls);
    let names = calls.iter().map(|call| call.request.operation.clone());
    names.collect()
}

#[test]
fn a_made_function_lives_from_bootstrap_to_teardown() {
    let world = world("");
    let before = world.snapshot();
    let run = world.bootstrap(&[]);
    run.exits(0).has_status("applied");
    run.ensure(!run.stdout.contains(SECRET), "a value is shown");
    for (kind, resource) in [
        ("iam_role", ROLE),
        ("iam_inline_policy", &*format!("{ROLE}/{CALLBACK_POLICY}")),
        (
            "iam_inline_policy",
            &*format!("{ROLE}/crossgate-checkout-logs"),
        ),
        ("lambda_function", NAME),
    ] {
        run.ensure(
            run.change(kind, resource)["outcome"] != json!(null),
            resource,
        );
    }
    let made = operations(&run);
    let place = |name: &str| made.iter().position(|one| one == name).unwrap();
    assert!(place("CreateRole") < place("CreateFunction"), "{made:?}");
    assert!(
        place("CreateFunction") < place("UpdatePipeline"),
        "{made:?}"
    );

    let request = world.dev.lambda.get_function().function_name(NAME);
    let found = world.dev.run(request.send());
    assert_eq!(found.tags().unwrap()["crossgate:project"], "checkout");
    assert_eq!(found.tags().unwrap()["team"], "platform");
    let configuration = found.configuration().unwrap();
    assert_eq!(configuration.role(), Some(&*world.dev.role_arn(ROLE)));
    assert_eq!(configuration.timeout(), Some(60));
    let variables = configuration.environment().unwrap().variables().unwrap();
    assert_eq!(variables["TOKEN"], SECRET);

    world.check().exits(0).has_status("in_sync");
    let again = world.bootstrap(&[]);
    again.exits(0).has_status("in_sync");
    assert!(operations(&again).is_empty(), "{:?}", operations(&again));

    let gone = world.teardown(&[]);
    gone.exits(0).has_status("applied");
    gone.says("logs_stay");
    assert_same(
        &before,
        &world.snapshot(),
        "a teardown leaves what was there",
    );
    assert!(operations(&world.teardown(&[])).is_empty());
}

#[test]
fn a_change_of_source_or_settings_is_an_update_and_one_of_somebody_else_is_drift() {
    let world = world("");
    world.bootstrap(&[]).exits(0);
    world.write_file("lambda/validate.py", &CODE.replace('1', "2"));
    manifest(&world, "timeout_seconds = 30\nmemory_mb = 256");
    let plan = world.plan();
    plan.exits(0).has_status("changes");
    plan.ensure(
        plan.change("lambda_function_code", NAME)["action"] == "update",
        "the code is to be updated",
    );
    let configuration = plan.change("lambda_function_configuration", NAME);
    assert_eq!(
        configuration["reason"],
        "different from the manifest: timeout, memory"
    );
    let updated = world.bootstrap(&[]);
    updated.exits(0).has_status("applied");
    assert_eq!(
        operations(&updated),
        ["UpdateFunctionCode", "UpdateFunctionConfiguration"]
    );
    world.check().exits(0);

    let client = &world.dev.lambda;
    let variables = aws_sdk_lambda::types::Environment::builder()
        .variables("MODE", "lax")
        .variables("TOKEN", SECRET)
        .build();
    let request = client.update_function_configuration().function_name(NAME);
    world.dev.run(request.environment(variables).send());
    let drift = world.check();
    drift.exits(3).has_status("drift");
    let change = drift.change("lambda_function_configuration", NAME);
    assert_eq!(
        change["reason"],
        "different from the manifest: variable MODE has another value"
    );
    drift.ensure(!drift.stdout.contains("lax"), "a value is shown");
    world.bootstrap(&[]).exits(0);
    world.check().exits(0);
}

#[test]
fn a_named_execution_role_gets_the_callback_and_is_left_as_it_was() {
    let world = world("");
    manifest(
        &world,
        &format!("role = \"{}\"", world.execution_role_arn()),
    );
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0).has_status("applied");
    assert!(world.dev.policy(EXECUTION_ROLE, CALLBACK_POLICY).is_some());
    world.check().exits(0);
    world.teardown(&[]).exits(0);
    assert_same(
        &before,
        &world.snapshot(),
        "a teardown leaves what was there",
    );

    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    world.dev.create_role("NotForLambda", &trust);
    manifest(
        &world,
        &format!("role = \"{}\"", world.dev.role_arn("NotForLambda")),
    );
    let refused = world.bootstrap(&[]);
    refused.exits(1).has_status("failed");
    refused.says("execution_role_not_assumable");
    assert!(operations(&refused).is_empty());
}

#[test]
fn a_function_that_is_there_is_not_taken_over() {
    let world = world("");
    world.dev.create_function(NAME, &world.execution_role_arn());
    for more in [&[][..], &["--adopt"]] {
        let run = world.bootstrap(more);
        run.exits(1).has_status("failed");
        run.says("function_conflict");
        assert!(operations(&run).is_empty());
    }
    world.teardown(&[]).exits(0);
    let request = world.dev.lambda.get_function().function_name(NAME);
    world.dev.run(request.send());
}

#[test]
fn the_embedded_aws_makes_waits_for_runs_and_removes_the_function() {
    let story = Story::new(SandboxOptions::default());
    let folder = story.folder.path();
    fs::create_dir(folder.join("lambda")).unwrap();
    let code = folder.join("lambda/validate.py");
    fs::write(&code, CODE).unwrap();
    let lines = "source = \"lambda\"\nruntime = \"python3.13\"\nhandler = \"validate.handler\"\n";
    let named = format!("name = \"{}\"", seed::FUNCTION);
    let made = seed::manifest().replace(&named, "name = \"MadeFunction\"");
    fs::write(folder.join("crossgate.toml"), format!("{made}{lines}")).unwrap();
    let before = story.sandbox.snapshot();
    story.run(&["bootstrap", "--yes"]).exits(0);
    let waited = story.sandbox.calls().into_iter();
    let waited = waited.skip_while(|call| call.operation != "CreateFunction");
    let polls = waited.filter(|call| call.operation == "GetFunctionConfiguration");
    assert!(polls.count() > 0, "nobody waits for the function");
    story.run(&["check"]).exits(0);
    story.run(&["verify"]).exits(0);

    let calls = story.sandbox.calls().len();
    story.run(&["bootstrap", "--yes"]).exits(0);
    let later = story.sandbox.calls().into_iter().skip(calls);
    let written = later
        .filter(|call| !call.operation.starts_with("Get") && !call.operation.starts_with("List"));
    assert_eq!(written.count(), 0);

    fs::write(&code, CODE.replace('1', "2")).unwrap();
    story.run(&["check"]).exits(3);
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
    story.run(&["teardown", "--yes"]).exits(0);
    assert_eq!(story.sandbox.snapshot(), before, "nothing is left behind");
}
