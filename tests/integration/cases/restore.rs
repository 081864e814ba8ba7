//! `restore`: a backup that bootstrap wrote, put back over the wire in the sandbox.

use std::fs;
use std::path::PathBuf;

use crossgate::sandbox::{SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::Story;

fn backups(story: &Story) -> Vec<PathBuf> {
    let folder = story.folder.path().join(".crossgate/backup");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn stages(story: &Story) -> Vec<String> {
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    let asked = json!({"name": seed::PIPELINE});
    let answer = tools.codepipeline("GetPipeline", &asked).unwrap();
    let stages = answer["pipeline"]["stages"].as_array().unwrap();
    let name = |stage: &Value| stage["name"].as_str().unwrap().to_owned();
    stages.iter().map(name).collect()
}

#[test]
fn a_backup_is_shown_confirmed_and_put_back() {
    let story = Story::new(SandboxOptions::default());
    let before = stages(&story);
    story.run(&["bootstrap", "--yes"]).exits(0);
    let file = backups(&story).remove(0).display().to_string();

    let refused = story.run(&["restore", &file]);
    refused.exits(2).says("--yes");
    assert_ne!(stages(&story), before);

    let run = story.run(&["restore", &file, "--yes"]);
    run.exits(0);
    for said in [
        "~ pipeline  MyPipeline",
        "is taken out",
        "its roles and policies stay",
        "crossgate check",
        "Applied: 0 created, 1 updated, 0 deleted.",
    ] {
        run.ensure(run.stdout.contains(said), said);
    }
    assert_eq!(stages(&story), before);
    assert_eq!(backups(&story).len(), 2, "what was replaced is saved too");
    story.run(&["check"]).exits(3);

    let again = story.run(&["restore", &file, "--yes", "--format", "json"]);
    again.exits(0);
    assert_eq!(again.json()["command"], "restore");
    assert_eq!(again.json()["status"], "in_sync");
    assert_eq!(backups(&story).len(), 2, "nothing was written");
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
}

#[test]
fn what_cannot_be_restored_is_a_usage_error_that_names_the_file() {
    let story = Story::new(SandboxOptions::default());
    let manifest = story.run(&["restore", "crossgate.toml", "--yes"]);
    manifest
        .exits(2)
        .says("crossgate.toml cannot be restored: it is no saved pipeline document");
    story
        .run(&["restore", "none.json", "--yes"])
        .exits(2)
        .says("none.json cannot be restored");
    story
        .run(&["restore", "x", "--gate", "validate"])
        .exits(2)
        .says("no --gate");
}
