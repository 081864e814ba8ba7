//! The embedded AWS and the other emulators, asked the same: what differs is listed here with its reason, and nothing else does.
//! Where they differ, AWS's documents decide who is right; a difference that goes away fails too.

use std::collections::BTreeMap;

use crossgate::sandbox::SandboxOptions;
use serde_json::Value;

use super::sandbox::{Story, python};
use crate::support::emulators;

/// What an endpoint answers to `tests/emulators/conform.py`: a shape or an error for each operation.
fn ask(story: &Story, endpoint: &str, account: &str, service: &str) -> BTreeMap<String, Value> {
    let script = emulators::text("conform.py");
    let arguments =
        format!("import sys\nsys.argv[1:] = [{endpoint:?}, {account:?}, {service:?}]\n");
    serde_json::from_str(&python(story, &(arguments + &script))).unwrap()
}

/// The names of the calls that are answered otherwise are these.
#[track_caller]
fn differ(port: u16, account: &str, service: &str, expected: &[&str]) {
    let story = Story::new(SandboxOptions::default());
    let ours = ask(&story, &story.sandbox.endpoint(), account, service);
    let theirs = ask(
        &story,
        &format!("http://127.0.0.1:{port}"),
        account,
        service,
    );
    assert!(ours.len() > 20, "little was asked: {ours:?}");
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    let found: BTreeMap<&str, (&Value, &Value)> = ours
        .iter()
        .filter(|(name, value)| theirs[*name] != **value)
        .map(|(name, value)| (name.as_str(), (value, &theirs[name])))
        .collect();
    let names: Vec<&str> = found.keys().copied().collect();
    let all = serde_json::to_string_pretty(&found).unwrap();
    assert_eq!(names, expected, "ours, theirs: {all}");
}

#[test]
fn it_answers_as_ministack_does() {
    let port = emulators::emulators().ministack;
    differ(
        port,
        "987654321098",
        "lambda",
        &[
            // ministack gives some parts of a configuration that is empty here: layers, VPC, reasons of states.
            "CreateFunction",
            // ministack gives an empty Description where none was given.
            "CreateRole",
            "GetFunctionConfiguration",
            // AWS has no policy until there is a statement; ministack gives an empty one.
            "GetPolicy of a function none",
            "GetRole",
        ],
    );
}

#[test]
fn it_answers_as_moto_does() {
    // moto has one account unless roles are assumed: this one.
    let port = emulators::emulators().moto;
    differ(
        port,
        "123456789012",
        "codepipeline",
        &[
            // AWS shows an action's region, the pipeline's type and its execution mode where nobody gave them; moto does not.
            "CreatePipeline",
            // AWS has a code of its own for it (API reference: CreatePipeline, "Errors").
            "CreatePipeline again",
            // moto does not say how often a policy is a boundary, and gives tags where there are none.
            "CreatePolicy",
            "GetPipeline",
            "GetPipeline updated",
            "GetPolicy",
            "ListPipelines",
            "UpdatePipeline",
            // No document says which code UpdatePipeline gives: we have that of GetPipeline, moto that of the tags.
            "UpdatePipeline none",
            // AWS refuses a pipeline of fewer than two stages (pipeline structure reference); moto does not look.
            "UpdatePipeline of one stage",
        ],
    );
}
