//! Where stages stand.

use super::super::{ActionSpec, EditKind, Patch, PatchRequest, PipelineDocument, patch};
use super::build::{after, before, document, gate, order, placed, put, sibling};
use crate::model::json_text::JsonText;

fn wire(document: &PipelineDocument, specs: &[ActionSpec]) -> Patch {
    let patched = patch(document, &put(specs));
    assert_eq!(patched.refusals, []);
    let again = patch(&patched.document, &put(specs));
    assert_eq!(
        (again.edits, again.refusals),
        (vec![], vec![]),
        "{}",
        order(&patched.document)
    );
    let mut turned = specs.to_vec();
    turned.reverse();
    assert_eq!(
        patch(document, &put(&turned)),
        patched,
        "the order of gates has an effect"
    );
    patched
}

/// The document with its stages in another order.
fn reordered(document: &PipelineDocument, names: &[&str]) -> PipelineDocument {
    let mut value = document.as_json().clone();
    let stage = |name: &&str| {
        let stages = document.as_json()["stages"].as_array().unwrap();
        stages.iter().find(|s| s["name"] == *name).unwrap().clone()
    };
    value["stages"] = names.iter().map(stage).collect();
    PipelineDocument::parse(&value.to_string()).unwrap()
}

#[test]
fn new_stages_stand_where_they_are_wanted() {
    let cases: [(&[ActionSpec], &str); 7] = [
        (&[gate("a", "A")], "Source · Deploy · Release · A"),
        (
            &[placed("a", "A", after("Source"))],
            "Source · A · Deploy · Release",
        ),
        (
            &[placed("a", "A", after("Release"))],
            "Source · Deploy · Release · A",
        ),
        (
            &[placed("a", "A", before("Deploy"))],
            "Source · A · Deploy · Release",
        ),
        (
            &[
                placed("b", "B", after("Deploy")),
                placed("a", "A", after("Deploy")),
            ],
            "Source · Deploy · A · B · Release",
        ),
        (
            &[
                placed("b", "B", before("Deploy")),
                placed("a", "A", before("Deploy")),
            ],
            "Source · A · B · Deploy · Release",
        ),
        (
            &[
                placed("a", "A", after("Deploy")),
                placed("b", "B", before("Release")),
                gate("c", "C"),
                gate("d", "C"),
            ],
            "Source · Deploy · A · B · Release · C",
        ),
    ];
    for (specs, wanted) in cases {
        assert_eq!(order(&wire(&document(), specs).document), wanted);
    }
}

#[test]
fn an_anchor_may_be_made_by_the_same_request() {
    let specs = [
        placed("a", "A", after("B")),
        placed("b", "B", after("C")),
        placed("c", "C", after("Deploy")),
        placed("d", "D", after("Deploy")),
        placed("e", "E", before("F")),
        gate("f", "F"),
    ];
    let patched = wire(&document(), &specs);
    assert_eq!(
        order(&patched.document),
        "Source · Deploy · C · B · A · D · Release · E · F"
    );
}

#[test]
fn a_missing_one_of_several_comes_back_to_its_place() {
    let specs = [
        placed("a", "A", after("Deploy")),
        placed("b", "B", after("Deploy")),
        placed("c", "C", after("Deploy")),
    ];
    let wired = wire(&document(), &specs).document;
    let without = reordered(&wired, &["Source", "Deploy", "A", "C", "Release"]);
    let mended = wire(&without, &specs);
    assert_eq!(mended.edits.len(), 1);
    assert_eq!(mended.document.to_request_body(), wired.to_request_body());
}

#[test]
fn a_stage_of_ours_that_drifted_is_moved_whole() {
    let specs = [placed("a", "A", after("Deploy"))];
    let wired = wire(&document(), &specs).document;
    let drifted = reordered(&wired, &["Source", "Deploy", "Release", "A"]);
    let mended = wire(&drifted, &specs);
    assert_eq!(mended.document.to_request_body(), wired.to_request_body());
    let [edit] = mended.edits.as_slice() else {
        panic!("{:?}", mended.edits);
    };
    assert_eq!(edit.kind, EditKind::Update);
    assert_eq!(
        edit.reason,
        "the stage stands after Release, wanted directly after Deploy"
    );
    let stands = |text: &Option<JsonText>| text.as_ref().unwrap().value()["stands_after"].clone();
    assert_eq!(
        (stands(&edit.before), stands(&edit.after)),
        ("Release".into(), "Deploy".into())
    );
    let before_release = [placed("a", "A", before("Release"))];
    let mended = wire(&drifted, &before_release);
    assert_eq!(order(&mended.document), "Source · Deploy · A · Release");
    assert_eq!(
        mended.edits[0].reason,
        "the stage stands after Release, wanted directly before Release"
    );
}

#[test]
fn without_a_placement_any_position_is_right() {
    let wired = wire(&document(), &[gate("a", "A")]).document;
    let drifted = reordered(&wired, &["Source", "A", "Deploy", "Release"]);
    assert_eq!(wire(&drifted, &[gate("a", "A")]).edits, []);
}

#[test]
fn two_projects_beside_one_stage_leave_each_other_alone() {
    let ours = [placed("a", "A", after("Deploy"))];
    let theirs = [placed("x", "X", after("Deploy"))];
    let first = wire(&document(), &ours).document;
    let both = wire(&first, &theirs).document;
    assert_eq!(order(&both), "Source · Deploy · X · A · Release");
    assert_eq!(wire(&both, &ours).edits, []);
    let mirrored = wire(&both, &[placed("x", "X", before("Release"))]);
    assert_eq!(mirrored.edits, []);
}

#[test]
fn a_stage_with_actions_of_others_is_never_moved() {
    let patched = wire(&document(), &[placed("a", "Release", after("Source"))]);
    assert_eq!(order(&patched.document), "Source · Deploy · Release");
    assert_eq!(patched.warnings[0].code, "placement_ignored");
    assert_eq!(
        patched.warnings[0].message,
        "stage Release is wanted directly after Source but stays where it is: it holds actions that are not ours"
    );
}

#[test]
fn a_stage_with_an_unselected_gate_of_ours_is_moved() {
    let (a, b) = (placed("a", "A", after("Deploy")), gate("b", "A"));
    let wired = wire(&document(), &[a.clone(), b.clone()]).document;
    let drifted = reordered(&wired, &["Source", "A", "Deploy", "Release"]);
    let selected = PatchRequest {
        siblings: vec![sibling(&a), sibling(&b)],
        ..put(std::slice::from_ref(&a))
    };
    assert_eq!(
        order(&patch(&drifted, &selected).document),
        "Source · Deploy · A · Release"
    );
    let alone = put(&[a]);
    assert_eq!(patch(&drifted, &alone).document, drifted);
}

#[test]
fn a_moved_anchor_takes_its_followers_along() {
    let specs = [
        placed("a", "A", after("Deploy")),
        placed("b", "B", after("A")),
    ];
    let wired = wire(&document(), &specs).document;
    let drifted = reordered(&wired, &["Source", "A", "B", "Deploy", "Release"]);
    let mended = wire(&drifted, &specs);
    assert_eq!(order(&mended.document), "Source · Deploy · A · B · Release");
    assert_eq!(mended.edits.len(), 2);
}

#[test]
fn a_stage_is_not_put_behind_another_whose_placement_is_ignored() {
    let specs = [
        placed("a", "Deploy", after("Source")),
        placed("b", "B", after("Source")),
    ];
    let patched = wire(&document(), &specs);
    assert_eq!(order(&patched.document), "Source · B · Deploy · Release");
}
