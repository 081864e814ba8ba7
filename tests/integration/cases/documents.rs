//! Pipeline documents that a typed model would damage: unknown fields, triggers, variables, masked secrets.

use std::fs;

use serde_json::{Value, json};

use crate::support::calls::writes;
use crate::support::pipeline;
use crate::support::snapshot::assert_same;
use crate::support::world::{ACTION, FUNCTION, Mode, PIPELINE, STAGE, World};

fn rich() -> World {
    let world = World::empty(Mode::Combined);
    world.seed_roles();
    world
        .dev
        .create_function(FUNCTION, &world.execution_role_arn());
    world
        .pipelines
        .create(&pipeline::rich(PIPELINE, &world.service_role_arn()));
    world.write(&world.manifest());
    world
}

#[test]
fn law_4_a_pipeline_with_unknown_fields_survives_bootstrap_and_teardown_value_for_value() {
    let world = rich();
    let before = world.pipeline();
    let everything = world.snapshot();
    world.bootstrap(&[]).exits(0);
    let mut wired = world.pipeline();
    let stages = wired["stages"].as_array_mut().unwrap();
    let ours = stages.pop().unwrap();
    assert_eq!(ours["name"], STAGE);
    wired["version"] = before["version"].clone();
    assert_same(&before, &wired, "everything but our stage");
    assert_eq!(
        key_order(&before),
        key_order(&wired),
        "the keys keep their order"
    );
    world.check().exits(0);
    world.teardown(&[]).exits(0);
    assert_same(&everything, &world.snapshot(), "after teardown");
}

/// The keys of all objects in the order in which they stand.
fn key_order(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(k, v)| [vec![k.clone()], key_order(v)].concat())
            .collect(),
        Value::Array(list) => list.iter().flat_map(key_order).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn numbers_are_sent_back_as_they_came() {
    let world = rich();
    let run = world.bootstrap(&[]);
    run.exits(0);
    let update = writes(&run.calls)
        .into_iter()
        .find(|c| c.request.operation == "UpdatePipeline")
        .unwrap();
    run.ensure(
        update.request.body.contains("12345678901234567"),
        "a big number unrounded",
    );
    run.ensure(
        update.request.json()["pipeline"]["fieldOfTomorrow"].is_object(),
        "an unknown field sent",
    );
}

#[test]
fn masked_secrets_pass_through_with_a_warning_that_names_them() {
    let world = rich();
    for run in [world.run(&["plan"]), world.plan()] {
        run.exits(0)
            .wrote_nothing()
            .says("Source")
            .says("Fetch")
            .says("OAuthToken")
            .says("****");
    }
    world.bootstrap(&[]).exits(0);
    let token = world.pipeline()["stages"][0]["actions"][0]["configuration"]["OAuthToken"].take();
    assert_eq!(token, "****");
    let check = world.check();
    check.exits(0).has_status("in_sync");
}

#[test]
fn a_secret_from_the_environment_is_sent_and_never_shown() {
    let mut world = rich();
    world
        .variables
        .insert("GH_TOKEN".to_owned(), "ghp_real_secret".to_owned());
    let secret = ["--secret", "Source/Fetch/OAuthToken=env:GH_TOKEN"];
    let plan = world.run(&[&["plan"], &secret[..]].concat());
    plan.exits(0)
        .ensure(!plan.has("ghp_real_secret"), "the secret is not shown");
    let run = world.bootstrap(&secret);
    run.exits(0)
        .ensure(!run.has("ghp_real_secret"), "the secret is not shown");
    let token = world.pipeline()["stages"][0]["actions"][0]["configuration"]["OAuthToken"].take();
    assert_eq!(token, "ghp_real_secret");
    for entry in fs::read_dir(world.folder().join(".crossgate/backup"))
        .unwrap()
        .flatten()
    {
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains("ghp_real_secret"), "not in a backup");
    }
}

#[test]
fn a_secret_that_is_not_there_is_an_error() {
    let world = rich();
    let unset = world.bootstrap(&["--secret", "Source/Fetch/OAuthToken=env:NOT_SET"]);
    unset
        .exits_one_of(&[1, 2])
        .wrote_nothing()
        .says("Source/Fetch/OAuthToken");
    let nowhere = world.bootstrap(&["--secret", "Source/Fetch/NoSuchKey=env:HOME"]);
    nowhere.exits_one_of(&[1, 2]).wrote_nothing();
    let literal = world.bootstrap(&["--secret", "Source/Fetch/OAuthToken=literal"]);
    literal.exits(2).wrote_nothing();
}

#[test]
fn user_parameters_as_a_table_are_sent_as_json() {
    let world = World::new();
    world.pipelines.edit(PIPELINE, pipeline::encrypt);
    let mut manifest = world.manifest();
    manifest.gates[0].more_pipeline =
        "user_parameters = { region = \"eu\", limit = 3, deep = { on = true } }\nnamespace = \"Gate\"\ntimeout_minutes = 15\n\
         output_artifacts = [\"Verdict\"]\n"
            .to_owned();
    world.write(&manifest);
    world.bootstrap(&[]).exits(0);
    let pipeline = world.pipeline();
    let action = pipeline::action(&pipeline, STAGE, ACTION).unwrap();
    let text = action["configuration"]["UserParameters"].as_str().unwrap();
    let parameters: Value = serde_json::from_str(text).unwrap();
    assert_same(
        &json!({"region": "eu", "limit": 3, "deep": {"on": true}}),
        &parameters,
        "UserParameters",
    );
    assert_eq!(action["namespace"], "Gate");
    assert_eq!(action["timeoutInMinutes"].to_string(), "15");
    assert_eq!(action["outputArtifacts"][0]["name"], "Verdict");
    world.check().exits(0);
}

#[test]
fn a_pipeline_of_forty_stages_keeps_every_one() {
    let world = World::new();
    world.pipelines.edit(PIPELINE, |p| {
        let deploy = p["stages"][2].clone();
        for n in 0..40 {
            let mut more = deploy.clone();
            more["name"] = json!(format!("More{n}"));
            p["stages"].as_array_mut().unwrap().push(more);
        }
    });
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0);
    assert_eq!(world.pipeline()["stages"].as_array().unwrap().len(), 44);
    world.teardown(&[]).exits(0);
    assert_same(&before, &world.snapshot(), "after teardown");
}

#[test]
fn a_pipeline_of_fifty_stages_is_full() {
    let world = World::new();
    world.pipelines.edit(PIPELINE, |p| {
        let deploy = p["stages"][2].clone();
        for n in 0..47 {
            let mut more = deploy.clone();
            more["name"] = json!(format!("More{n}"));
            p["stages"].as_array_mut().unwrap().push(more);
        }
    });
    world.bootstrap(&[]).exits(1).wrote_nothing().says("50");
}
