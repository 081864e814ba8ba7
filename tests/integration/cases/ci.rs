//! The examples of config/ci: every file parses, and every `crossgate` line in it is one that the program takes.
//! Nothing here runs in the services that the files are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use crossgate::cli::Cli;
use crossgate::model::policy::PolicyDocument;
use serde_json::Value;

use crate::support::emulators::python;
use crate::support::shell::crossgate_lines;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ci")
}

/// Every file below config/ci, by its path there.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|is| is == extension)
}

/// A YAML file as JSON, read by the YAML parser that the emulators brought along.
fn yaml(name: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let output = Command::new(python())
        .args(["-c", script])
        .arg(root().join(name))
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every text in a value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The scripts in a value: what stands under the keys that the three services run.
fn scripts(value: &Value) -> Vec<String> {
    const RUN: [&str; 4] = ["run", "script", "before_script", "commands"];
    match value {
        Value::Array(list) => list.iter().flat_map(scripts).collect(),
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| {
                if RUN.contains(&key.as_str()) {
                    texts(value)
                } else {
                    scripts(value)
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_yaml_file_parses_and_its_commands_are_taken() {
    let mut seen = 0;
    for (name, _) in files()
        .iter()
        .filter(|(name, _)| has_extension(name, "yml"))
    {
        for text in scripts(&yaml(name)) {
            for command in crossgate_lines(&text) {
                seen += 1;
                if let Err(error) = Cli::try_parse_from(&command) {
                    panic!("{name}: {command:?}: {error}");
                }
            }
        }
    }
    assert_eq!(seen, 3, "one in each of GitHub, GitLab and CodeBuild");
    assert!(Cli::try_parse_from(["crossgate", "check", "--no-such-flag"]).is_err());
}

#[test]
fn the_commands_of_the_page_are_taken() {
    let (_, page) = files()
        .into_iter()
        .find(|(name, _)| name == "README.md")
        .unwrap();
    let found = crossgate_lines(&page);
    assert_eq!(found.len(), 1);
    for command in found {
        Cli::try_parse_from(&command).unwrap();
    }
}

#[test]
fn the_files_of_the_page_are_there() {
    let files = files();
    let (_, page) = files.iter().find(|(name, _)| name == "README.md").unwrap();
    for link in page
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
    {
        assert!(root().join(link).exists(), "{link}");
    }
    for folder in ["github", "gitlab", "codebuild"] {
        for file in ["trust.json", "aws-config"] {
            let name = format!("{folder}/{file}");
            assert!(files.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}

#[test]
fn every_policy_is_one() {
    let policies: Vec<_> = files()
        .into_iter()
        .filter(|(name, _)| has_extension(name, "json"))
        .collect();
    assert_eq!(policies.len(), 5);
    for (name, text) in policies {
        PolicyDocument::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_workflow_asks_for_no_more_than_it_needs() {
    let workflow = yaml("github/crossgate.yml");
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    let rights = workflow["jobs"]["check"]["permissions"]
        .as_object()
        .unwrap();
    let written: Vec<&String> = rights
        .iter()
        .filter(|(_, v)| **v == "write")
        .map(|(k, _)| k)
        .collect();
    assert_eq!(written, ["id-token", "security-events", "pull-requests"]);
    for step in workflow["jobs"]["check"]["steps"].as_array().unwrap() {
        let Some(uses) = step["uses"].as_str() else {
            continue;
        };
        let (_, commit) = uses.split_once('@').unwrap();
        assert!(
            commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()),
            "{uses}"
        );
    }
}
