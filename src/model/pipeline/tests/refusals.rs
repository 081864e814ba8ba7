//! What is refused, with code, message and hint.

use serde_json::{Value, json};

use super::super::{Patch, PipelineDocument, Refusal, patch};
use super::build::{
    after, before, document, document_with, gate, order, placed, put, region, remove,
};
use crate::model::name::{ArtifactName, Namespace};

fn refused(patched: &Patch, document: &PipelineDocument, codes: &[&str]) {
    let found: Vec<&str> = patched.refusals.iter().map(|r| r.code).collect();
    assert_eq!(found, codes, "{:?}", patched.refusals);
    assert_eq!(
        patched.document, *document,
        "what was refused changes nothing"
    );
    assert_eq!(patched.edits, []);
}

fn shown(patched: &Patch) -> String {
    let line = |refusal: &Refusal| {
        let Refusal {
            code,
            gates,
            message,
            hint,
        } = refusal;
        let gates: Vec<&str> = gates
            .iter()
            .map(crate::model::name::GateName::as_str)
            .collect();
        format!("{code} [{}] {message}\n  hint: {hint}", gates.join(", "))
    };
    let lines: Vec<String> = patched.refusals.iter().map(line).collect();
    lines.join("\n")
}

fn artifacts(names: &[&str]) -> Vec<ArtifactName> {
    names
        .iter()
        .map(|name| ArtifactName::new(name).unwrap())
        .collect()
}

#[test]
fn bad_places_say_why_and_what_to_do() {
    let specs = [
        placed("a", "A", after("Deplyo")),
        placed("b", "B", after("Nothing-like-it")),
        placed("c", "C", before("Source")),
        gate("d", "Source"),
        placed("e", "E", after("F")),
        placed("f", "F", after("E")),
        placed("g", "G", after("A")),
    ];
    let patched = patch(&document(), &put(&specs));
    assert_eq!(patched.document, document());
    insta::assert_snapshot!(shown(&patched), @r#"
    source_stage [d] stage Source is the pipeline's first stage, which holds source actions only
      hint: put the gate into a later stage, or into a stage of its own
    stage_not_found [a] stage A is placed beside stage Deplyo, which the pipeline does not have
      hint: did you mean Deploy? The pipeline has: Source, Deploy, Release
    stage_not_found [b] stage B is placed beside stage Nothing-like-it, which the pipeline does not have
      hint: the pipeline has: Source, Deploy, Release
    before_source_stage [c] stage C cannot stand before Source: it is the pipeline's first stage, which holds the source
      hint: place the stage with `after = "Source"`, or beside a later stage
    stage_not_found [g] stage G is placed beside stage A, which gate a would make, and that gate is refused
      hint: mend gate a first
    placement_cycle [e, f] the stages E, F are placed beside each other in a circle, or beside themselves
      hint: place one of them beside a stage of the pipeline that no gate makes
    "#);
}

#[test]
fn a_follower_of_a_refused_gate_says_whose_fault_it_is() {
    let specs = [
        gate("a", "Source"),
        placed("m", "M", after("Deploy")),
        placed("z", "Z", after("M")),
    ];
    let mut specs = specs.to_vec();
    specs[1].action.input_artifacts = Some(artifacts(&["None"]));
    let patched = patch(&document(), &put(&specs));
    insta::assert_snapshot!(shown(&patched), @r#"
    source_stage [a] stage Source is the pipeline's first stage, which holds source actions only
      hint: put the gate into a later stage, or into a stage of its own
    artifact_not_produced [m] action Run-m in stage M takes artifact None, which no earlier action makes
      hint: the pipeline's artifacts are: Src
    stage_not_found [z] stage Z is placed beside stage M, which gate m would make, and that gate is refused
      hint: mend gate m first
    "#);
}

#[test]
fn fewer_than_two_stages_are_not_left() {
    let spec = gate("a", "Check");
    let text = r#"{"name":"p","roleArn":"r","stages":[{"name":"S","actions":[{"name":"x"}]}]}"#;
    let one = PipelineDocument::parse(text).unwrap();
    let wired = patch(&one, &put(std::slice::from_ref(&spec))).document;
    refused(
        &patch(&wired, &remove(&[spec])),
        &wired,
        &["too_few_stages"],
    );
}

#[test]
fn quotas_of_stages_and_actions_hold() {
    let mut value = document().as_json().clone();
    let stages = value["stages"].as_array_mut().unwrap();
    let release = stages[2].clone();
    for at in 3..50 {
        let mut stage = release.clone();
        stage["name"] = json!(format!("Stage-{at}"));
        stages.push(stage);
    }
    let approve = release["actions"][0].clone();
    let actions = stages[1]["actions"].as_array_mut().unwrap();
    for at in 1..50 {
        let mut action = approve.clone();
        action["name"] = json!(format!("Action-{at}"));
        actions.push(action);
    }
    let full = PipelineDocument::parse(&value.to_string()).unwrap();
    refused(
        &patch(&full, &put(&[gate("a", "New")])),
        &full,
        &["too_many_stages"],
    );
    refused(
        &patch(&full, &put(&[gate("a", "Deploy")])),
        &full,
        &["too_many_actions"],
    );
    assert_eq!(patch(&full, &put(&[gate("a", "Stage-9")])).refusals, []);
}

#[test]
fn artifacts_come_from_earlier_actions() {
    let mut spec = placed("a", "Check", after("Deploy"));
    spec.action.input_artifacts = Some(artifacts(&["Src"]));
    assert_eq!(patch(&document(), &put(&[spec.clone()])).refusals, []);
    spec.action.input_artifacts = Some(artifacts(&["Scr"]));
    let patched = patch(&document(), &put(&[spec.clone()]));
    refused(&patched, &document(), &["artifact_not_produced"]);
    assert_eq!(
        patched.refusals[0].hint,
        "the pipeline's artifacts are: Src"
    );
    // Of the same stage with a lower run order, or not.
    let mut maker = gate("b", "Check");
    maker.action.output_artifacts = Some(artifacts(&["Scr"]));
    spec.action.run_order = Some(2);
    assert_eq!(
        patch(&document(), &put(&[spec.clone(), maker.clone()])).refusals,
        []
    );
    spec.action.run_order = Some(1);
    let patched = patch(&document(), &put(&[spec, maker]));
    assert_eq!(patched.refusals[0].code, "artifact_not_produced");
    assert_eq!(
        patched.refusals[0].hint,
        "action Run-b in stage Check makes it, but not before: place the gate after it"
    );
    assert_eq!(patched.edits.len(), 1, "the maker itself is fine");
}

#[test]
fn names_that_are_taken_are_refused() {
    let mut spec = gate("a", "Check");
    spec.action.output_artifacts = Some(artifacts(&["Src"]));
    refused(
        &patch(&document(), &put(&[spec])),
        &document(),
        &["artifact_name_taken"],
    );
    let mut spec = gate("a", "Check");
    spec.action.namespace = Some(Namespace::new("SourceVariables").unwrap());
    refused(
        &patch(&document(), &put(&[spec])),
        &document(),
        &["namespace_taken"],
    );
}

#[test]
fn another_region_needs_a_bucket() {
    let mut spec = gate("a", "Check");
    spec.region = region("eu-west-1");
    let patched = patch(&document(), &put(&[spec.clone()]));
    refused(&patched, &document(), &["region_without_bucket"]);
    let with_bucket = document_with(
        r#""artifactStore": { "type": "S3", "location": "bucket" }"#,
        r#""artifactStores": { "us-east-1": {}, "eu-west-1": {} }"#,
    );
    let patched = patch(&with_bucket, &put(&[spec]));
    assert_eq!(patched.refusals, []);
    assert!(
        patched
            .document
            .to_request_body()
            .contains(r#""region":"eu-west-1""#)
    );
}

#[test]
fn what_others_use_is_not_removed() {
    let mut spec = placed("a", "Check", after("Deploy"));
    spec.action.output_artifacts = Some(artifacts(&["Report"]));
    spec.action.namespace = Some(Namespace::new("Gate").unwrap());
    let wired = patch(&document(), &put(&[spec.clone()])).document;
    let use_it = |key: &str, value: Value| {
        let mut json = wired.as_json().clone();
        json["stages"][3]["actions"][0][key] = value;
        PipelineDocument::parse(&json.to_string()).unwrap()
    };
    let taker = use_it("inputArtifacts", json!([{ "name": "Report" }]));
    refused(
        &patch(&taker, &remove(&[spec.clone()])),
        &taker,
        &["artifact_in_use"],
    );
    let reader = use_it("configuration", json!({ "CustomData": "see #{Gate.url}" }));
    let patched = patch(&reader, &remove(&[spec.clone()]));
    refused(&patched, &reader, &["namespace_in_use"]);
    assert_eq!(
        patched.refusals[0].message,
        "action Approve in stage Release reads a variable of namespace Gate, which would not be there any more"
    );
    // A rename of what others use is the same.
    let mut renamed = spec.clone();
    renamed.action.output_artifacts = Some(artifacts(&["Other"]));
    refused(
        &patch(&taker, &put(&[renamed])),
        &taker,
        &["artifact_in_use"],
    );
    // Removing the reader with it is fine.
    let mut second = placed("b", "Then", after("Check"));
    second.action.input_artifacts = Some(artifacts(&["Report"]));
    second.action.user_parameters = Some("#{Gate.url}".to_owned());
    let both = [spec, second];
    let wired = patch(&document(), &put(&both)).document;
    assert_eq!(order(&wired), "Source · Deploy · Check · Then · Release");
    let patched = patch(&wired, &remove(&both));
    assert_eq!(patched.refusals, []);
    assert_eq!(
        patched.document.to_request_body(),
        document().to_request_body()
    );
}

#[test]
fn what_was_wrong_before_is_not_judged() {
    let odd = document_with(
        r#""inputArtifacts": [ { "name": "Src" } ]"#,
        r#""inputArtifacts": [ { "name": "Gone" } ], "namespace": "SourceVariables""#,
    );
    assert_eq!(patch(&odd, &put(&[gate("a", "Check")])).refusals, []);
}
