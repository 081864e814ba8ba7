//! Manifests that are wrong: refused before the first call, with file, line, the line itself and the mend.

use crate::support::cli::Run;
use crate::support::world::{STAGE, World};

/// The manifest with one piece replaced is refused: exit 2, no call at all, and the output has these texts.
fn refused(world: &World, from: &str, to: &str, says: &[&str]) -> Run {
    let good = world.manifest().toml();
    assert!(good.contains(from), "`{from}` is in the manifest");
    world.write_file("crossgate.toml", &good.replace(from, to));
    let run = world.run(&["bootstrap", "--yes"]);
    run.exits(2)
        .wrote_nothing()
        .ensure(run.calls.is_empty(), "no call at all");
    run.ensure(run.stdout.is_empty(), "stdout carries only the result");
    for text in says {
        run.says(text);
    }
    world.run(&["check", "--format", "json"]).exits(2);
    run
}

#[test]
fn errors_in_the_manifest_are_shown_with_their_line_and_refused_without_a_call() {
    let world = World::new();
    refused(
        &world,
        "project = \"checkout\"",
        "project = \"Check Out\"",
        &["crossgate.toml", "1", "Check Out"],
    );
    refused(
        &world,
        "project = \"checkout\"",
        "projekt = \"checkout\"",
        &["projekt", "project"],
    );
    refused(
        &world,
        "project = \"checkout\"",
        "project = ",
        &["crossgate.toml", "1"],
    );
    refused(
        &world,
        "project = \"checkout\"",
        "project = 7",
        &["crossgate.toml"],
    );
    refused(&world, &world.dev.id, "12345", &["12345"]);
    refused(
        &world,
        "account = \"dev\"",
        "account = \"dve\"",
        &["dve", "dev"],
    );
    refused(
        &world,
        "region = \"us-east-1\"",
        "region = \"narnia\"",
        &["narnia"],
    );
    refused(
        &world,
        "stage = \"InvokeValidationLambda\"",
        "stage = \"a b\"",
        &["a b"],
    );
    refused(
        &world,
        "action = \"RunValidation\"",
        "acton = \"RunValidation\"",
        &["acton", "action"],
    );
    refused(
        &world,
        "[gates.function]\n",
        "[gates.funktion]\n",
        &["funktion"],
    );
}

#[test]
fn limits_that_need_no_aws_are_checked_before_the_first_call() {
    let world = World::new();
    let long_role = format!("name = \"{}\"", "r".repeat(65));
    refused(
        &world,
        "name = \"DevAccount-CodePipeline-InvokeRole\"",
        &long_role,
        &["64"],
    );
    let parameters = format!(
        "after = \"Deploy\"\nuser_parameters = \"{}\"",
        "p".repeat(1_001)
    );
    refused(&world, "after = \"Deploy\"", &parameters, &["1"]);
    let artifacts =
        "after = \"Deploy\"\ninput_artifacts = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]";
    refused(&world, "after = \"Deploy\"", artifacts, &["5"]);
    refused(
        &world,
        "after = \"Deploy\"",
        "after = \"Deploy\"\nbefore = \"Build\"",
        &["before"],
    );
}

#[test]
fn gates_that_clash_are_refused_before_the_first_call() {
    let world = World::new();
    let gate = World::gate();
    let mut same_name = gate.clone();
    same_name.action = "Another".to_owned();
    let mut same_action = gate.clone();
    same_action.name = "another".to_owned();
    let mut other_place = same_name.clone();
    other_place.name = "third".to_owned();
    other_place.place = "before = \"Deploy\"".to_owned();
    for second in [same_name, same_action, other_place] {
        world.write(&world.manifest().with(second));
        let run = world.run(&["plan"]);
        run.exits(2)
            .ensure(run.calls.is_empty(), "no call at all")
            .says_one_of(&["validate", STAGE]);
    }
}

#[test]
fn no_manifest_and_an_empty_one_are_errors() {
    let world = World::new();
    std::fs::remove_file(world.folder().join("crossgate.toml")).unwrap();
    world.run(&["check"]).exits(2).says("crossgate.toml");
    world.write_file("crossgate.toml", "");
    world.run(&["check"]).exits(2).says("project");
    world.write_file("crossgate.toml", "\u{0}\u{1}garbage [[[");
    world.run(&["check"]).exits(2);
    std::fs::write(world.folder().join("crossgate.toml"), [0xff, 0xfe, 0x00]).unwrap();
    world.run(&["check"]).exits(2);
}
