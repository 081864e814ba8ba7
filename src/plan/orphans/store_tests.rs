//! Statements in the policies of artifact stores whose gates are gone or have no artifacts any more, over worlds in memory.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use crate::model::change::Severity;
use crate::model::status::Status;
use crate::plan::artifact_tests::{
    BOTH, BUCKET_POLICY, IN, MANAGE, managed, manifest, policy, wired, world,
};
use crate::plan::tests::{bootstrap, codes, lines};
use crate::plan::{of_apply, of_check};
use crate::world::{World, wiring};

/// The gate with no artifacts any more, in the manifest and in the pipeline.
fn without() -> String {
    manifest("input_artifacts = []\noutput_artifacts = []", "")
}

/// Both policies.
fn policies(world: &World) -> [Value; 2] {
    [true, false].map(|bucket| policy(world, bucket))
}

fn bootstrapped(world: &World, manifest: &str) {
    let (plan, report) = world.run(&wiring(manifest, &[]), &bootstrap());
    let report = report.unwrap_or_else(|| panic!("{:#?}", plan.problems));
    assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
}

/// A second gate without artifacts, in a stage of its own.
fn with_second(manifest: &str) -> String {
    let second = crate::world::MANIFEST.split_once("[[gates]]").unwrap().1;
    let second = second
        .replace("validate", "audit")
        .replace("RunValidation", "Audit");
    format!("{manifest}[[gates]]{second}")
}

fn only_second() -> String {
    let both = with_second(&managed());
    let mut parts = both.split("[[gates]]");
    let (head, second) = (parts.next().unwrap(), parts.nth(1).unwrap());
    format!("{head}[[gates]]{second}")
}

#[test]
fn statements_of_a_gate_without_artifacts_are_found_and_go_alone() {
    let before = policies(&world(Some(BUCKET_POLICY)));
    let world = wired(&managed(), Some(BUCKET_POLICY));
    bootstrapped(&world, &without());
    let after = wiring(&without(), &[]);
    let plan = world.left(&after);
    insta::assert_snapshot!(lines(&plan), @r"
    ~ tools s3_bucket_policy bucket: no gate needs this project's statements any more
    ~ tools kms_key_policy 1111-22: no gate needs this project's statements any more
    ");
    assert_eq!(of_check(&plan), Status::Drift);
    let (_, report) = world.prune(&after);
    assert_eq!(report.writes, 2);
    assert_eq!(
        policies(&world),
        before,
        "as they were, to the order of keys"
    );
    assert!(world.left(&after).is_in_sync());
}

#[test]
fn statements_of_a_deleted_gate_go_with_it() {
    let before = policies(&world(Some(BUCKET_POLICY)));
    let world = wired(&with_second(&managed()), Some(BUCKET_POLICY));
    let after = wiring(&only_second(), &[]);
    let (plan, _) = world.prune(&after);
    let found = lines(&plan);
    assert!(found.contains("s3_bucket_policy bucket"), "{found}");
    assert!(found.contains("kms_key_policy 1111-22"), "{found}");
    assert!(found.contains("pipeline_action"), "{found}");
    assert_eq!(policies(&world), before);
    let (plan, _) = world.run(&after, &bootstrap());
    assert!(plan.is_in_sync(), "what stays is in sync: {}", lines(&plan));
}

#[test]
fn a_policy_that_was_made_for_ours_goes_with_them() {
    let world = wired(&managed(), None);
    bootstrapped(&world, &without());
    world.prune(&wiring(&without(), &[]));
    assert!(world.snapshot()["tools"].buckets.is_empty());
}

#[test]
fn what_an_action_with_artifacts_still_runs_through_stays() {
    let world = wired(&managed(), Some(BUCKET_POLICY));
    // The manifest says nothing of artifacts any more, so that they are not the gate's to take from the action.
    let after = wiring(crate::world::MANIFEST, &[]);
    let before = policies(&world);
    let (plan, report) = world.prune(&after);
    assert_eq!(report.writes, 0);
    assert_eq!(plan.changes.len(), 2, "{}", lines(&plan));
    for change in &plan.changes {
        let why = change.held.as_deref().unwrap_or_default();
        assert_eq!(
            why,
            "action MyPipeline/Gate/RunValidation still has artifacts, and runs through a role that it names"
        );
    }
    assert_eq!(policies(&world), before);
}

#[test]
fn a_store_that_a_gate_uses_is_left_to_bootstrap() {
    let world = wired(&managed(), Some(BUCKET_POLICY));
    for after in [managed(), manifest(IN, MANAGE), manifest(BOTH, "")] {
        let plan = world.left(&wiring(&after, &[]));
        assert!(plan.is_in_sync(), "{}", lines(&plan));
        let reads = world.reads.borrow();
        let store = reads
            .iter()
            .filter(|(_, read)| read.operation().contains("Policy") && read.role().is_none());
        assert_eq!(store.count(), 0, "it is read for `check` anyway");
    }
}

#[test]
fn other_projects_statements_stay() {
    let world = wired(&managed(), Some(BUCKET_POLICY));
    bootstrapped(&world, &without());
    let before = policies(&world);
    let text = without().replace("project = \"checkout\"", "project = \"check\"");
    let plan = world.left(&wiring(&text, &[]));
    assert!(plan.changes.is_empty(), "{}", lines(&plan));
    assert_eq!(policies(&world), before);
}

#[test]
fn a_policy_that_cannot_be_read_is_never_in_sync() {
    let world = wired(&managed(), Some(BUCKET_POLICY));
    bootstrapped(&world, &without());
    *world.refused.borrow_mut() = Some("s3:GetBucketPolicy");
    let plan = world.left(&wiring(&without(), &[]));
    let warned = codes(&plan);
    assert!(warned.contains(&"artifact_policy_unread"), "{warned:?}");
    assert_eq!(plan.severity(), Some(Severity::Incomplete));
    assert_eq!(of_check(&plan), Status::Incomplete);
    assert_eq!(plan.changes.len(), 1, "the key's: {}", lines(&plan));
    assert!(!plan.may_apply());
    // What is not JSON says nothing either.
    *world.refused.borrow_mut() = None;
    world.edit("tools", |a| {
        a.buckets
            .insert("bucket".to_owned(), "no policy".to_owned());
    });
    let plan = world.left(&wiring(&without(), &[]));
    assert_eq!(of_check(&plan), Status::Incomplete, "{:#?}", plan.problems);
}

#[test]
fn the_stores_of_all_regions_are_looked_into() {
    let world = wired(&managed(), Some(BUCKET_POLICY));
    bootstrapped(&world, &without());
    world.edit_pipeline("MyPipeline", |p| {
        let store = p.as_object_mut().unwrap().remove("artifactStore").unwrap();
        p["artifactStores"] =
            json!({"eu-west-1": {"type": "S3", "location": "west"}, "us-east-1": store});
    });
    world.edit("tools", |a| {
        let policy = a.buckets["bucket"].clone();
        a.buckets.insert("west".to_owned(), policy);
    });
    let found = lines(&world.left(&wiring(&without(), &[])));
    insta::assert_snapshot!(found, @r"
    ~ tools s3_bucket_policy bucket: no gate needs this project's statements any more
    ~ tools s3_bucket_policy west: no gate needs this project's statements any more
    ~ tools kms_key_policy 1111-22: no gate needs this project's statements any more
    ");
}
