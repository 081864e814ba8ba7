//! What is made, changed, adopted and removed.

use super::super::{Edit, EditKind, Patch, PipelineDocument, patch};
use super::build::{
    after, document, document_with, gate, order, placed, put, region, remove, role, sibling,
};
use crate::model::json_text::JsonText;
use crate::model::name::{ArtifactName, FunctionName, Namespace};

fn shown(edit: &Edit) -> String {
    let Edit {
        gate,
        stage,
        action,
        kind,
        reason,
        before,
        after,
    } = edit;
    let value = |text: &Option<JsonText>| {
        let value = text.as_ref().map(JsonText::value);
        value.map_or("-".to_owned(), |value| format!("{value:#}"))
    };
    format!(
        "{gate}: {kind:?} {stage}/{action}: {reason}\nbefore {}\nafter {}",
        value(before),
        value(after)
    )
}

fn only(patched: &Patch) -> &Edit {
    assert_eq!(patched.refusals, []);
    let [edit] = patched.edits.as_slice() else {
        panic!("one edit expected: {:?}", patched.edits);
    };
    edit
}

fn reasons(patched: &Patch) -> Vec<&str> {
    patched
        .edits
        .iter()
        .map(|edit| edit.reason.as_str())
        .collect()
}

/// A document in which the gate stands already, with a change to the text of its action.
fn drifted(from: &str, to: &str) -> PipelineDocument {
    let wired = patch(&document(), &put(&[gate("a", "Check")])).document;
    let text = wired.to_request_body();
    assert!(text.contains(from), "the test replaces nothing in {text}");
    PipelineDocument::parse(&text.replace(from, to)).unwrap()
}

#[test]
fn a_gate_in_a_stage_of_its_own() {
    let mut spec = placed("a", "Check", after("Deploy"));
    spec.action.user_parameters = Some(r#"{"x":1}"#.to_owned());
    let patched = patch(&document(), &put(&[spec]));
    assert_eq!(
        order(&patched.document),
        "Source · Deploy · Check · Release"
    );
    insta::assert_snapshot!(shown(only(&patched)), @r#"
    a: Create Check/Run-a: the stage is missing
    before -
    after {
      "stage": "Check",
      "stands_after": "Deploy",
      "action": {
        "name": "Run-a",
        "actionTypeId": {
          "category": "Invoke",
          "owner": "AWS",
          "provider": "Lambda",
          "version": "1"
        },
        "configuration": {
          "FunctionName": "fn-a",
          "UserParameters": "{\"x\":1}"
        },
        "roleArn": "arn:aws:iam::222222222222:role/role-a"
      }
    }
    "#);
}

#[test]
fn a_gate_with_everything_in_an_existing_stage() {
    let mut spec = gate("a", "Release");
    spec.action.run_order = Some(2);
    spec.action.user_parameters = Some("text".to_owned());
    spec.action.input_artifacts = Some(vec![ArtifactName::new("Src").unwrap()]);
    spec.action.output_artifacts = Some(vec![ArtifactName::new("Report").unwrap()]);
    spec.action.namespace = Some(Namespace::new("Gate").unwrap());
    spec.action.timeout_minutes = Some(10);
    spec.region = region("eu-west-1");
    let document = document_with(
        r#""artifactStore": { "type": "S3", "location": "bucket" }"#,
        r#""artifactStores": { "us-east-1": {}, "eu-west-1": {} }"#,
    );
    let patched = patch(&document, &put(&[spec]));
    assert_eq!(patched.warnings[0].code, "timeout_on_lambda");
    insta::assert_snapshot!(shown(only(&patched)), @r#"
    a: Create Release/Run-a: the action is missing
    before -
    after {
      "stage": "Release",
      "action": {
        "name": "Run-a",
        "actionTypeId": {
          "category": "Invoke",
          "owner": "AWS",
          "provider": "Lambda",
          "version": "1"
        },
        "runOrder": 2,
        "configuration": {
          "FunctionName": "fn-a",
          "UserParameters": "text"
        },
        "outputArtifacts": [
          {
            "name": "Report"
          }
        ],
        "inputArtifacts": [
          {
            "name": "Src"
          }
        ],
        "roleArn": "arn:aws:iam::222222222222:role/role-a",
        "region": "eu-west-1",
        "namespace": "Gate",
        "timeoutInMinutes": 10
      }
    }
    "#);
}

#[test]
fn defaults_that_aws_fills_in_are_no_drift() {
    let mut spec = gate("a", "Check");
    spec.action.run_order = Some(1);
    spec.action.user_parameters = Some(String::new());
    spec.action.input_artifacts = Some(Vec::new());
    spec.action.output_artifacts = Some(Vec::new());
    let wired = drifted(
        r#""roleArn":"arn:aws:iam::222222222222:role/role-a""#,
        r#""roleArn":"arn:aws:iam::222222222222:role/role-a","region":"us-east-1","runOrder":1.0,
           "inputArtifacts":[],"outputArtifacts":null"#,
    );
    let patched = patch(&wired, &put(&[spec]));
    assert_eq!((patched.edits, patched.refusals), (vec![], vec![]));
    assert_eq!(patched.document, wired);
}

#[test]
fn what_the_manifest_does_not_name_is_not_drift() {
    let wired = drifted(
        r#""FunctionName":"fn-a""#,
        r#""FunctionName":"fn-a","UserParameters":"theirs","Other":"stays""#,
    );
    let patched = patch(&wired, &put(&[gate("a", "Check")]));
    assert_eq!(patched.edits, []);
    let mut spec = gate("a", "Check");
    spec.action.user_parameters = Some("ours".to_owned());
    let patched = patch(&wired, &put(&[spec]));
    assert_eq!(only(&patched).reason, "UserParameters differs");
    let body = patched.document.to_request_body();
    assert!(body.contains(r#"{"FunctionName":"fn-a","UserParameters":"ours","Other":"stays"}"#));
}

#[test]
fn each_owned_field_that_drifts_is_named_and_set_in_place() {
    let cases = [
        (
            r#""FunctionName":"fn-a""#,
            r#""FunctionName":"other""#,
            "FunctionName differs",
        ),
        (
            r#""FunctionName":"fn-a""#,
            r#""FunctionName":null"#,
            "FunctionName differs",
        ),
        (r#"{"FunctionName":"fn-a"}"#, "null", "FunctionName differs"),
        (
            r#""roleArn":"arn:aws:iam::222222222222:role/role-a""#,
            r#""roleArn":"arn:aws:iam::222222222222:role/role-a","region":"eu-west-1""#,
            "region differs",
        ),
    ];
    for (from, to, reason) in cases {
        let patched = patch(&drifted(from, to), &put(&[gate("a", "Check")]));
        assert_eq!(only(&patched).reason, reason);
        assert_eq!(only(&patched).kind, EditKind::Update);
        assert_eq!(
            patch(&patched.document, &put(&[gate("a", "Check")])).edits,
            []
        );
    }
    let patched = patch(
        &drifted(r#""FunctionName":"fn-a""#, r#""FunctionName":"other""#),
        &put(&[gate("a", "Check")]),
    );
    assert_eq!(
        patched.document.to_request_body(),
        drifted("fn-a", "fn-a").to_request_body()
    );
}

#[test]
fn named_fields_are_set_and_removed() {
    let wired = drifted(
        r#"{"FunctionName":"fn-a"}"#,
        r#"{"FunctionName":"fn-a","UserParameters":"x"},"runOrder":3,"namespace":"n","timeoutInMinutes":5,
           "inputArtifacts":[{"name":"Src","extra":1}],"outputArtifacts":[{"name":"Out"}]"#,
    );
    let mut spec = gate("a", "Check");
    spec.action.user_parameters = Some(String::new());
    spec.action.run_order = Some(2);
    spec.action.namespace = Some(Namespace::new("m").unwrap());
    spec.action.timeout_minutes = Some(6);
    spec.action.input_artifacts = Some(vec![ArtifactName::new("Src").unwrap()]);
    spec.action.output_artifacts = Some(Vec::new());
    let patched = patch(&wired, &put(&[spec]));
    assert_eq!(
        only(&patched).reason,
        "runOrder, UserParameters, outputArtifacts, namespace, timeoutInMinutes differ"
    );
    let action = &patched.document.as_json()["stages"][3]["actions"][0];
    assert_eq!(
        action.to_string(),
        r#"{"name":"Run-a","actionTypeId":{"category":"Invoke","owner":"AWS","provider":"Lambda","version":"1"},"configuration":{"FunctionName":"fn-a"},"runOrder":2,"namespace":"m","timeoutInMinutes":6,"inputArtifacts":[{"name":"Src","extra":1}],"roleArn":"arn:aws:iam::222222222222:role/role-a"}"#
    );
}

#[test]
fn what_is_there_and_not_ours_is_a_conflict_unless_adopted() {
    let wired = drifted(
        r#""roleArn":"arn:aws:iam::222222222222:role/role-a""#,
        r#""roleArn":"arn:aws:iam::222222222222:role/theirs","runOrder":4,"mine":true"#,
    );
    let mut request = put(&[gate("a", "Check")]);
    let refused = patch(&wired, &request);
    assert_eq!(refused.document, wired);
    assert_eq!(refused.edits, []);
    assert_eq!(refused.refusals[0].code, "action_conflict");
    assert_eq!(
        refused.refusals[0].message,
        "action Run-a in stage Check is there and is not ours: its roleArn is arn:aws:iam::222222222222:role/theirs"
    );
    request.adopt = true;
    let adopted = patch(&wired, &request);
    assert_eq!(
        only(&adopted).reason,
        "adopted (a teardown removes it): roleArn differs"
    );
    let body = adopted.document.to_request_body();
    assert!(
        body.contains(r#"role/role-a","runOrder":4,"mine":true}"#),
        "{body}"
    );
    assert_eq!(patch(&adopted.document, &request).edits, []);
}

#[test]
fn an_action_of_another_type_is_never_adopted() {
    let wired = drifted(
        r#""category":"Invoke","owner":"AWS","provider":"Lambda""#,
        r#""category":"Test","owner":"AWS","provider":"CodeBuild""#,
    );
    let mut request = put(&[gate("a", "Check")]);
    request.adopt = true;
    let refused = patch(&wired, &request);
    assert_eq!(refused.refusals[0].code, "action_conflict");
    assert!(
        refused.refusals[0]
            .message
            .ends_with("it is Test/AWS/CodeBuild, not Invoke/AWS/Lambda")
    );
    assert_eq!(refused.document, wired);
}

#[test]
fn one_gates_conflict_does_not_hide_anothers_drift() {
    let mut conflict = gate("a", "Release");
    conflict.action.name = crate::model::name::ActionName::new("Approve").unwrap();
    let patched = patch(&document(), &put(&[conflict, gate("b", "Check")]));
    assert_eq!(patched.refusals[0].code, "action_conflict");
    assert_eq!(reasons(&patched), ["the stage is missing"]);
}

#[test]
fn a_gate_is_removed_with_its_stage_and_nothing_else() {
    let specs = [placed("a", "Check", after("Deploy")), gate("b", "Release")];
    let wired = patch(&document(), &put(&specs)).document;
    assert_eq!(order(&wired), "Source · Deploy · Check · Release");
    let patched = patch(&wired, &remove(&specs));
    assert_eq!(
        reasons(&patched),
        [
            "the gate is taken out; the stage would be empty and goes too",
            "the gate is taken out"
        ]
    );
    assert!(
        patched
            .edits
            .iter()
            .all(|edit| edit.kind == EditKind::Delete && edit.after.is_none())
    );
    assert_eq!(
        patched.document.to_request_body(),
        document().to_request_body()
    );
    let again = patch(&patched.document, &remove(&specs));
    assert_eq!((again.edits, again.refusals), (vec![], vec![]));
}

#[test]
fn what_is_not_owned_is_not_removed() {
    let wired = patch(&document(), &put(&[gate("a", "Check")])).document;
    let mut other = gate("a", "Check");
    other.role_arn = role("another");
    let patched = patch(&wired, &remove(&[other]));
    assert_eq!((patched.edits, patched.refusals), (vec![], vec![]));
    assert_eq!(patched.document, wired);
}

#[test]
fn of_two_gates_in_one_stage_the_other_stays_whole() {
    let specs = [gate("a", "Check"), gate("b", "Check")];
    let wired = patch(&document(), &put(&specs)).document;
    let patched = patch(&wired, &remove(&specs[..1]));
    let alone = patch(&document(), &put(&specs[1..])).document;
    assert_eq!(patched.document.to_request_body(), alone.to_request_body());
}

#[test]
fn a_plan_is_made_anew_from_a_newer_document() {
    let request = put(&[gate("a", "Check")]);
    let newer = document_with(r#""version": 7"#, r#""version": 8, "added": [1]"#);
    let patched = patch(&newer, &request);
    assert_eq!(patched.document.version(), Some(8));
    assert!(
        patched
            .document
            .to_request_body()
            .contains(r#""added":[1]"#)
    );
    assert_eq!(patch(&patched.document, &request).edits, []);
}

#[test]
fn names_that_occur_twice_in_the_document_do_not_confuse() {
    let twin = document_with(r#""name": "Release""#, r#""name": "Deploy""#);
    let spec = gate("a", "Deploy");
    let wired = patch(&twin, &put(std::slice::from_ref(&spec)));
    assert_eq!(reasons(&wired), ["the action is missing"]);
    assert_eq!(
        patch(&wired.document, &put(std::slice::from_ref(&spec))).edits,
        []
    );
    let back = patch(&wired.document, &remove(std::slice::from_ref(&spec))).document;
    assert_eq!(back.to_request_body(), twin.to_request_body());
    // Both of two owned twins go, or a second teardown would write again.
    let text = patch(&document(), &put(std::slice::from_ref(&spec)))
        .document
        .to_request_body();
    let action = serde_json::from_str::<serde_json::Value>(&text).unwrap()["pipeline"]["stages"][1]
        ["actions"][1]
        .to_string();
    let twins =
        PipelineDocument::parse(&text.replace(&action, &format!("{action},{action}"))).unwrap();
    let back = patch(&twins, &remove(&[spec])).document;
    assert_eq!(back.to_request_body(), document().to_request_body());
}

#[test]
fn two_gates_may_not_be_one_action() {
    let mut twin = gate("b", "Check");
    twin.action.name = gate("a", "Check").action.name;
    twin.function_name = FunctionName::new("other").unwrap();
    let patched = patch(&document(), &put(&[gate("a", "Check"), twin]));
    assert_eq!(patched.refusals[0].code, "action_twice");
    assert_eq!(patched.refusals.len(), 1);
    assert_eq!(patched.document, document());
}

#[test]
fn an_empty_stage_is_filled() {
    let emptied = PipelineDocument::parse(
        r#"{"name":"p","roleArn":"r","stages":[{"name":"S","actions":[{"name":"x"}]},{"name":"Check","actions":[]},{"name":"T","actions":[{"name":"x"}]}]}"#,
    )
    .unwrap();
    let mut request = put(&[placed("a", "Check", after("T"))]);
    request.siblings = vec![sibling(&gate("a", "Check"))];
    let patched = patch(&emptied, &request);
    assert_eq!(order(&patched.document), "S · T · Check");
    assert_eq!(
        only(&patched).reason,
        "the action is missing; the stage stands after S, wanted directly after T"
    );
}
