//! Properties over generated pipelines, requests and arbitrary JSON.
//! The documents have unknown fields at every level, odd numbers and texts, and up to 50 stages.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::super::view::StageView;
use super::super::{ActionSpec, Patch, PatchRequest, PipelineDocument, patch};
use super::build::{after, before, gate, put, remove, role};
use crate::model::name::{ArtifactName, Namespace};

/// Any JSON, numbers that no machine type holds included.
fn any_json() -> impl Strategy<Value = Value> {
    let number = select(vec![
        "1e400",
        "12345678901234567890123",
        "1.0",
        "-0",
        "0",
        "1E5",
        "-3.50",
        "18446744073709551615",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(|text| serde_json::from_str(text).unwrap()),
        ".{0,8}".prop_map(Value::from),
        select(vec!["****", "#{Gate.x}", "Invoke", "Lambda", "ключ", "🦀"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The fields in any order with unknown ones among them.
fn with_unknown(fields: Vec<(&'static str, Value)>) -> impl Strategy<Value = Value> {
    let unknown = prop::collection::vec(("x[a-zé]{0,5}", any_json()), 0..3);
    unknown.prop_flat_map(move |unknown| {
        let known = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        let all: Vec<(String, Value)> = known.chain(unknown).collect();
        Just(all)
            .prop_shuffle()
            .prop_map(|all| Value::Object(all.into_iter().collect::<Map<_, _>>()))
    })
}

fn foreign_action(at: usize) -> impl Strategy<Value = Value> {
    let kind = select(vec![
        ("Build", "CodeBuild"),
        ("Approval", "Manual"),
        ("Invoke", "Lambda"),
    ]);
    let inputs = select(vec![json!([]), json!([{ "name": "Src" }]), json!(null)]);
    (kind, inputs, any::<bool>()).prop_flat_map(move |((category, provider), inputs, own_role)| {
        let mut fields = vec![
            ("name", json!(format!("action-{at}"))),
            (
                "actionTypeId",
                json!({ "category": category, "owner": "AWS", "provider": provider, "version": "1" }),
            ),
            ("inputArtifacts", inputs),
            ("configuration", json!({ "FunctionName": "theirs", "Token": "****" })),
        ];
        if own_role {
            fields.push(("roleArn", json!(role("theirs").to_string())));
        }
        with_unknown(fields)
    })
}

fn stage(at: usize) -> impl Strategy<Value = Value> {
    let actions: Vec<_> = (0..3).map(foreign_action).collect();
    (actions, 1usize..=3).prop_flat_map(move |(mut actions, count)| {
        actions.truncate(count);
        with_unknown(vec![
            ("name", json!(format!("S{at}"))),
            ("actions", json!(actions)),
        ])
    })
}

fn documents() -> impl Strategy<Value = PipelineDocument> {
    let count = prop_oneof![8 => 2usize..6, 1 => 6usize..=50];
    let source = json!({ "name": "S0", "actions": [{
        "name": "source", "outputArtifacts": [{ "name": "Src" }], "namespace": "Source",
        "actionTypeId": { "category": "Source", "owner": "AWS", "provider": "S3", "version": "1" }
    }] });
    count
        .prop_flat_map(|count| (1..count).map(stage).collect::<Vec<_>>())
        .prop_flat_map(move |mut stages| {
            stages.insert(0, source.clone());
            with_unknown(vec![
                ("name", json!("p")),
                ("roleArn", json!("arn:aws:iam::111111111111:role/service")),
                ("stages", json!(stages)),
                (
                    "artifactStores",
                    json!({ "us-east-1": {}, "eu-west-1": {} }),
                ),
                ("version", json!(3)),
            ])
        })
        .prop_map(|value| {
            PipelineDocument::parse(&json!({ "pipeline": value }).to_string()).unwrap()
        })
}

fn places() -> impl Strategy<Value = &'static str> {
    select(vec!["S0", "S1", "S1", "S2", "S3", "G0", "G1", "G2", "G3"])
}

prop_compose! {
    fn spec(at: usize)(
        stage in places(),
        anchor in prop::option::of((any::<bool>(), places())),
        run_order in prop::option::of(1u32..4),
        parameters in prop::option::of(select(vec!["", "text", "#{Source.x}", "#{N0.x}"])),
        input in prop::option::of(select(vec!["", "Src", "Out0", "Out1"])),
        output in any::<bool>(),
        namespace in any::<bool>(),
        elsewhere in any::<bool>(),
    ) -> ActionSpec {
        let mut spec = gate(&format!("g{at}"), stage);
        let action = &mut spec.action;
        action.placement = anchor.map(|(is_after, to)| if is_after { after(to) } else { before(to) });
        action.run_order = run_order;
        action.user_parameters = parameters.map(str::to_owned);
        action.input_artifacts = input.map(|name| ArtifactName::new(name).into_iter().collect());
        action.output_artifacts = output.then(|| vec![ArtifactName::new(&format!("Out{at}")).unwrap()]);
        action.namespace = namespace.then(|| Namespace::new(&format!("N{at}")).unwrap());
        if elsewhere {
            spec.region = super::build::region("eu-west-1");
        }
        spec
    }
}

fn specs() -> impl Strategy<Value = Vec<ActionSpec>> {
    (1usize..6).prop_flat_map(|count| (0..count).map(spec).collect::<Vec<_>>())
}

fn text(document: &PipelineDocument) -> String {
    document.to_request_body()
}

/// The document without what is ours, worked out apart from the code under test: our actions by their names, then empty stages.
fn without_ours(document: &PipelineDocument) -> String {
    let mut value = document.as_json().clone();
    let stages = value["stages"].as_array_mut().unwrap();
    for stage in stages.iter_mut() {
        let actions = stage["actions"].as_array_mut().unwrap();
        actions.retain(|action| !action["name"].as_str().unwrap().starts_with("Run-g"));
    }
    stages.retain(|stage| stage["actions"] != json!([]));
    value.to_string()
}

/// The document after somebody shuffled all stages but the first and changed a function's name.
fn drift(document: &PipelineDocument, moves: &[(Index, Index)]) -> PipelineDocument {
    let mut value = document.as_json().clone();
    let stages = value["stages"].as_array_mut().unwrap();
    for (from, to) in moves {
        let rest = stages.len() - 1;
        let stage = stages.remove(1 + from.index(rest));
        stages.insert(1 + to.index(rest), stage);
    }
    PipelineDocument::parse(&value.to_string().replace("fn-g0", "fn-other")).unwrap()
}

/// Puts the value in the place of the nth node of the tree.
fn replace_node(tree: &mut Value, nth: &mut usize, value: &Value) {
    if *nth == 0 {
        *tree = value.clone();
    }
    // After the replacement this wraps around and never comes to zero again.
    *nth = nth.wrapping_sub(1);
    match tree {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| replace_node(item, nth, value)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| replace_node(field, nth, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn nodes(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

proptest! {
    // A case is a whole pipeline, patched several times: 64 of them take about a second without optimisation.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_document_is_sent_as_it_was_read(document in documents()) {
        let body = text(&document);
        prop_assert_eq!(&text(&PipelineDocument::parse(&body).unwrap()), &body);
        prop_assert_eq!(&text(&PipelineDocument::parse(&document.to_backup()).unwrap()), &body);
    }

    #[test]
    fn law_4_patching_and_unpatching_gives_back_the_same_document(
        document in documents(), specs in specs(),
    ) {
        let wired = patch(&document, &put(&specs));
        let back = patch(&wired.document, &remove(&specs));
        prop_assert!(back.refusals.is_empty(), "{:?}", back.refusals);
        prop_assert_eq!(back.edits.len(), wired.edits.len());
        prop_assert_eq!(back.document.as_json(), document.as_json());
        prop_assert_eq!(text(&back.document), text(&document));
    }

    #[test]
    fn law_3_the_order_of_gates_has_no_effect_on_the_pipeline(
        document in documents(),
        (specs, shuffled) in specs().prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())),
        moves in prop::collection::vec(any::<(Index, Index)>(), 0..3),
    ) {
        prop_assert_eq!(patch(&document, &put(&specs)), patch(&document, &put(&shuffled)));
        let drifted = drift(&patch(&document, &put(&specs)).document, &moves);
        prop_assert_eq!(patch(&drifted, &put(&specs)), patch(&drifted, &put(&shuffled)));
        prop_assert_eq!(patch(&drifted, &remove(&specs)), patch(&drifted, &remove(&shuffled)));
    }

    #[test]
    fn patching_twice_is_patching_once(
        document in documents(), specs in specs(),
        moves in prop::collection::vec(any::<(Index, Index)>(), 0..4),
    ) {
        // A refused gate may find its place once the others stand; but with a refusal nothing is written.
        let settled = |first: &Patch, second: &Patch| {
            let refused: Vec<_> = first.refusals.iter().flat_map(|r| &r.gates).collect();
            second.edits.iter().all(|edit| refused.contains(&&edit.gate))
                && (!first.refusals.is_empty() || second.document == first.document)
        };
        let once = patch(&document, &put(&specs));
        let twice = patch(&once.document, &put(&specs));
        prop_assert!(settled(&once, &twice), "{:?}", twice.edits);
        let drifted = drift(&once.document, &moves);
        let mended = patch(&drifted, &put(&specs));
        let again = patch(&mended.document, &put(&specs));
        prop_assert!(settled(&mended, &again), "{:?}", again.edits);
    }

    #[test]
    fn nothing_but_what_is_ours_is_touched(
        document in documents(), specs in specs(), removed in specs(),
        moves in prop::collection::vec(any::<(Index, Index)>(), 0..4),
    ) {
        let drifted = drift(&patch(&document, &put(&specs)).document, &moves);
        let request = PatchRequest { remove: remove(&removed).remove, adopt: true, ..put(&specs) };
        let patched = patch(&drifted, &request);
        prop_assert_eq!(without_ours(&patched.document), without_ours(&drifted));
        prop_assert_eq!(patched.edits.is_empty(), patched.document == drifted);
    }

    #[test]
    fn a_document_that_is_made_is_one_that_aws_takes(document in documents(), specs in specs()) {
        let before = document.stages().count();
        let patched = patch(&document, &put(&specs)).document;
        let stages: Vec<_> = patched.stages().collect();
        prop_assert!(stages.len() <= before.max(50));
        prop_assert_eq!(stages[0].name(), "S0");
        prop_assert_eq!(stages[0].actions().count(), 1);
        let mut names: Vec<&str> = stages.iter().map(|s| s.name()).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), stages.len());
        for stage in stages {
            prop_assert!(stage.actions().next().is_some());
        }
    }

    #[test]
    fn no_json_makes_it_panic(
        document in documents(), specs in specs(), value in any_json(),
        changes in prop::collection::vec((any::<Index>(), any_json()), 1..4),
    ) {
        let _ = PipelineDocument::parse(&value.to_string());
        let mut tree = patch(&document, &put(&specs)).document.as_json().clone();
        for (at, value) in &changes {
            let mut nth = at.index(nodes(&tree));
            replace_node(&mut tree, &mut nth, value);
        }
        if let Ok(odd) = PipelineDocument::parse(&tree.to_string()) {
            let request = PatchRequest { adopt: true, ..put(&specs) };
            let patched = patch(&odd, &request).document;
            let _ = patch(&patched, &remove(&specs)).document.to_request_body();
            let _ = (odd.masked_secrets(), odd.version(), odd.role_arn().is_ok());
            let gates = odd.stages().filter(|stage| StageView::is_gates_only(*stage)).count();
            prop_assert!(gates <= odd.stages().count());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}") {
        let _ = PipelineDocument::parse(&text);
    }
}
