//! Gates that were deleted from the manifest and not torn down: `check --orphans` shows what they left, `prune` removes it.

use serde_json::json;

use super::sandbox::Story;
use crate::support::manifest::Gate;
use crate::support::snapshot::assert_same;
use crate::support::world::World;

use crossgate::sandbox::{SandboxOptions, seed};

/// A second gate, with the default name of its role.
fn gone() -> Gate {
    Gate {
        name: "gone".to_owned(),
        stage: "Second".to_owned(),
        action: "Gone".to_owned(),
        role: String::new(),
        ..World::gate()
    }
}

#[test]
fn independent_emulators_see_prune_take_a_deleted_gate_away_and_nothing_else() {
    let world = World::new();
    world.write(&world.manifest());
    world.bootstrap(&[]).exits(0);
    let kept = world.snapshot();
    world.write(&world.manifest().with(gone()));
    world.bootstrap(&[]).exits(0);
    let both = world.snapshot();
    world.write(&world.manifest());

    let check = world.json("check", &["--orphans"]);
    check.exits(3).has_status("drift").wrote_nothing();
    let role = check.change("iam_role", "crossgate-checkout-gone");
    assert_eq!(role["action"], "delete");
    assert_eq!(role["reason"], "no gate of the manifest needs it any more");
    check.change("pipeline_action", "MyPipeline/Second/Gone");
    // A bootstrap would leave the action without its role.
    let refused = world.bootstrap(&[]);
    refused.exits(1).wrote_nothing().says("crossgate prune");
    assert_same(&both, &world.snapshot(), "nothing was changed so far");

    let prune = world.json("prune", &["--yes"]);
    prune.exits(0).has_status("applied").wrote();
    assert_eq!(prune.json()["command"], "prune");
    assert_same(&kept, &world.snapshot(), "as before the second gate");
    world.json("check", &["--orphans"]).exits(0);
    let again = world.json("prune", &["--yes"]);
    again.exits(0).has_status("in_sync").wrote_nothing();
    assert_eq!(again.changes(), Vec::<serde_json::Value>::new());
}

#[test]
fn the_whole_story_in_the_sandbox() {
    let story = Story::new(SandboxOptions::default());
    let before = story.sandbox.snapshot();
    story.run(&["bootstrap", "--yes"]).exits(0);
    let file = story.folder.path().join("crossgate.toml");
    let manifest = std::fs::read_to_string(&file).unwrap();
    let other = manifest
        .replace("\"validate\"", "\"another\"")
        .replace("\"RunValidation\"", "\"Another\"");
    assert_ne!(manifest, other);
    std::fs::write(&file, &other).unwrap();

    let wired = story.sandbox.snapshot();
    story.run(&["prune"]).exits(2).says("--yes");
    story
        .run(&["prune", "--yes", "--gate", "another"])
        .exits(2)
        .says("--gate");
    let shown = story.run(&["check", "--orphans"]);
    shown
        .exits(3)
        .says("no gate of the manifest needs it any more")
        .says("project `demo`")
        .says("crossgate prune");
    assert_eq!(
        story.sandbox.snapshot(),
        wired,
        "nothing was changed so far"
    );

    let pruned = story.run(&["prune", "--yes"]);
    pruned.exits(0).says("Old pipeline documents were saved");
    let mut after = story.sandbox.snapshot();
    let mut first = before;
    for state in [&mut after, &mut first] {
        forget_versions(state);
    }
    // The manifest's gate is not wired yet, and needs what its function answers with.
    let role = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
    let inline = after[seed::DEV]["roles"][&role]["inline"].as_object_mut();
    let kept = inline.unwrap().remove("crossgate-demo-callback");
    assert!(kept.is_some(), "what a gate of the manifest needs stays");
    assert_eq!(after, first, "else as if there had been no gate");
    let nothing = story.run(&["prune", "--yes"]);
    nothing.exits(0).says("no gate has left anything behind");
    let json = story.run(&["prune", "--yes", "--format", "json"]).json();
    assert_eq!(json["status"], "in_sync");
    assert_eq!(json["changes"], json!([]));
}

/// Versions of pipelines only ever grow.
fn forget_versions(state: &mut serde_json::Value) {
    match state {
        serde_json::Value::Object(fields) => {
            fields.remove("version");
            fields.values_mut().for_each(forget_versions);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_versions),
        _ => {}
    }
}
