//! Plans over worlds in memory for gates with artifacts: the laws, what is refused, what is said, whose statements are touched.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::tests::{bootstrap, codes, lines, stopped_everywhere, teardown};
use crate::model::change::{Outcome, Severity};
use crate::model::status::Status;
use crate::plan::{of_apply, of_check};
use crate::world::{MANIFEST, World, wiring};

const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1111-22";
pub(super) const BUCKET_POLICY: &str = r#"{"Version":"2008-10-17","Id":"SSEAndSSLPolicy","Statement":{"Sid":"DenyInsecureConnections","Effect":"Deny","Principal":"*","Action":["s3:*"],"Resource":"arn:aws:s3:::bucket/*","Condition":{"Bool":{"aws:SecureTransport":false}}}}"#;
const KEY_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM policies","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#;
const ROLE: &str = "arn:aws:iam::222222222222:role/crossgate-checkout-validate";

/// The manifest with artifacts; `manage`: `[gates.artifacts]`.
pub(super) fn manifest(artifacts: &str, manage: &str) -> String {
    MANIFEST.replace(
        "after = \"Deploy\"\n",
        &format!("after = \"Deploy\"\n{artifacts}\n"),
    ) + manage
}

pub(super) const IN: &str = "input_artifacts = [\"App\"]";
pub(super) const BOTH: &str = "input_artifacts = [\"App\"]\noutput_artifacts = [\"Report\"]";
pub(super) const MANAGE: &str = "[gates.artifacts]\nmanage = true\n";

pub(super) fn managed() -> String {
    manifest(BOTH, MANAGE)
}

/// Two gates of one pipeline, one of which only reads, through roles of their own.
fn two() -> String {
    let second = manifest(IN, MANAGE);
    let second = second.split_once("[[gates]]").unwrap().1;
    let second = second
        .replace("validate", "audit")
        .replace("RunValidation", "Audit");
    format!("{}[[gates]]{second}", managed())
}

pub(super) fn world(bucket: Option<&str>) -> World {
    let world = World::new();
    world.edit_pipeline("MyPipeline", |p| {
        p["stages"][0]["actions"][0]["outputArtifacts"] = json!([{"name": "App"}]);
        p["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": KEY});
    });
    world.edit("tools", |a| {
        if let Some(policy) = bucket {
            a.buckets.insert("bucket".to_owned(), policy.to_owned());
        }
        a.keys.insert("1111-22".to_owned(), KEY_POLICY.to_owned());
    });
    world
}

pub(super) fn wired(manifest: &str, bucket: Option<&str>) -> World {
    let world = world(bucket);
    let (plan, report) = world.run(&wiring(manifest, &[]), &bootstrap());
    let report = report.unwrap_or_else(|| panic!("{:#?}", plan.problems));
    assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
    world.forget_calls();
    world
}

pub(super) fn policy(world: &World, bucket: bool) -> Value {
    let accounts = world.snapshot();
    let tools = &accounts["tools"];
    let text = if bucket {
        &tools.buckets["bucket"]
    } else {
        &tools.keys["1111-22"]
    };
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_gate_with_managed_artifacts_is_eight_objects() {
    let world = world(Some(BUCKET_POLICY));
    let plan = world.plan(&wiring(&managed(), &[]), &bootstrap());
    assert_eq!(codes(&plan), [""; 0], "{:#?}", plan.problems);
    insta::assert_snapshot!(lines(&plan), @r"
    + dev iam_role crossgate-checkout-validate: the role is missing
    + dev iam_inline_policy ExecutionRole/crossgate-checkout-callback: the policy is missing
    + dev iam_inline_policy crossgate-checkout-validate/crossgate-checkout-artifacts: the policy is missing
    + dev iam_inline_policy crossgate-checkout-validate/crossgate-checkout-invoke: the policy is missing
    + tools iam_inline_policy ServiceRole/crossgate-checkout-assume: the policy is missing
    ~ tools s3_bucket_policy bucket: this project's statements are missing
    ~ tools kms_key_policy 1111-22: this project's statements are missing
    + tools pipeline_action MyPipeline/Gate/RunValidation: the stage is missing
    ");
}

#[test]
fn the_statements_name_the_role_the_store_and_nothing_wider() {
    let world = wired(&managed(), None);
    insta::assert_snapshot!(policy(&world, true), @r#"{"Version":"2012-10-17","Statement":[{"Sid":"crossgateCheckoutRead","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/crossgate-checkout-validate"},"Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::bucket/*"},{"Sid":"crossgateCheckoutWrite","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/crossgate-checkout-validate"},"Action":["s3:PutObject","s3:PutObjectAcl"],"Resource":"arn:aws:s3:::bucket/*"}]}"#);
    insta::assert_snapshot!(policy(&world, false)["Statement"][2], @r#"{"Sid":"crossgateCheckoutWrite","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/crossgate-checkout-validate"},"Action":["kms:Decrypt","kms:DescribeKey","kms:Encrypt","kms:GenerateDataKey*","kms:ReEncrypt*"],"Resource":"*"}"#);
    let own = world.snapshot()["dev"].roles["crossgate-checkout-validate"].inline
        ["crossgate-checkout-artifacts"]
        .clone();
    insta::assert_snapshot!(own, @r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::bucket/*"},{"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectAcl"],"Resource":"arn:aws:s3:::bucket/*"},{"Effect":"Allow","Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"arn:aws:kms:us-east-1:111111111111:key/1111-22"},{"Effect":"Allow","Action":["kms:Decrypt","kms:DescribeKey","kms:Encrypt","kms:GenerateDataKey*","kms:ReEncrypt*"],"Resource":"arn:aws:kms:us-east-1:111111111111:key/1111-22"}]}"#);
}

#[test]
fn laws_1_and_2_hold_with_managed_artifacts() {
    for (manifest, bucket) in [
        (managed(), None),
        (managed(), Some(BUCKET_POLICY)),
        (two(), Some(BUCKET_POLICY)),
        (manifest(IN, ""), Some(BUCKET_POLICY)),
    ] {
        let before = world(bucket).content();
        let world = wired(&manifest, bucket);
        let all = wiring(&manifest, &[]);
        let (plan, report) = world.run(&all, &bootstrap());
        assert!(plan.is_in_sync(), "{}\n{:#?}", lines(&plan), plan.problems);
        assert_eq!(report.unwrap().writes, 0);
        let (plan, report) = world.run(&all, &teardown());
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
        assert_eq!(world.content(), before);
        world.forget_calls();
        assert!(world.run(&all, &teardown()).0.is_in_sync());
        assert!(world.writes.borrow().is_empty());
    }
}

#[test]
fn law_5_holds_with_managed_artifacts() {
    let (one, both) = (wiring(&managed(), &[]), wiring(&two(), &[]));
    let points = stopped_everywhere(&one, || world(None), &bootstrap())
        + stopped_everywhere(&one, || wired(&managed(), None), &teardown())
        + stopped_everywhere(&both, || world(Some(BUCKET_POLICY)), &bootstrap())
        + stopped_everywhere(&both, || wired(&two(), Some(BUCKET_POLICY)), &teardown());
    assert!(points > 100, "{points}");
}

#[test]
fn law_6_only_our_statements_change_and_another_projects_stay() {
    let other = managed()
        .replace("\"checkout\"", "\"checkout-read\"")
        .replace("RunValidation", "Other")
        .replace("\"Report\"", "\"OtherReport\"");
    let start = wired(&other, Some(BUCKET_POLICY));
    let before = start.content();
    let mine = wiring(&managed(), &[]);
    start.run(&mine, &bootstrap());
    let sids: Vec<String> = policy(&start, true)["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["Sid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sids.len(), 5, "{sids:?}");
    assert!(start.plan(&wiring(&other, &[]), &bootstrap()).is_in_sync());
    start.run(&mine, &teardown());
    assert_eq!(start.content(), before);
}

#[test]
fn a_gate_torn_down_leaves_the_statements_of_the_other() {
    let world = wired(&two(), Some(BUCKET_POLICY));
    world.run(&wiring(&two(), &["validate"]), &teardown());
    let left = policy(&world, true);
    let ours: Vec<&Value> = left["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["Sid"].as_str().unwrap().starts_with("crossgate"))
        .collect();
    assert_eq!(ours.len(), 1, "nobody writes any more: {left}");
    assert_eq!(
        ours[0]["Principal"]["AWS"],
        ROLE.replace("validate", "audit")
    );
}

#[test]
fn statements_changed_from_outside_are_found_and_put_right() {
    let end = wired(&managed(), Some(BUCKET_POLICY)).content();
    for (find, put) in [
        (ROLE, "AROAEXAMPLEEXAMPLE"),
        ("s3:GetObjectVersion", "s3:GetObjectAcl"),
        ("crossgateCheckoutWrite", "somebodyElses"),
    ] {
        let world = wired(&managed(), Some(BUCKET_POLICY));
        world.edit("tools", |a| {
            let policy = a.buckets.get_mut("bucket").unwrap();
            *policy = policy.replace(find, put);
        });
        let all = wiring(&managed(), &[]);
        let plan = world.plan(&all, &bootstrap());
        assert_eq!(of_check(&plan), Status::Drift, "{find}");
        world.run(&all, &bootstrap());
        assert!(world.plan(&all, &bootstrap()).is_in_sync());
        if put != "somebodyElses" {
            assert_eq!(world.content(), end, "{find}");
        }
    }
    let world = wired(&managed(), Some(BUCKET_POLICY));
    world.edit("tools", |a| {
        let policy = a.buckets.get_mut("bucket").unwrap();
        let mut other: Value = serde_json::from_str(policy).unwrap();
        other["Statement"][0]["Action"] = json!(["s3:GetObjectVersion", "s3:getobject"]);
        other["Statement"][0]["Resource"] = json!(["arn:aws:s3:::bucket/*"]);
        *policy = other.to_string();
    });
    assert!(
        world
            .plan(&wiring(&managed(), &[]), &bootstrap())
            .is_in_sync(),
        "law 7"
    );
}

#[test]
fn what_is_not_managed_is_said_and_nothing_of_it_is_written() {
    let all = wiring(&manifest(BOTH, ""), &[]);
    let start = world(Some(BUCKET_POLICY));
    let plan = start.plan(&all, &bootstrap());
    assert_eq!(
        plan.severity(),
        Some(Severity::Warning),
        "{:#?}",
        plan.problems
    );
    let mut told = codes(&plan);
    told.dedup();
    assert_eq!(told, ["artifact_bucket_policy", "artifact_key_policy"]);
    let said: String = plan.problems.iter().map(|p| p.message.clone()).collect();
    for action in [
        "s3:GetObject",
        "s3:PutObject",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    ] {
        assert!(said.contains(action), "{said}");
    }
    start.run(&all, &bootstrap());
    assert_eq!(policy(&start, true).to_string(), BUCKET_POLICY);
    // Somebody lets the account in, as the guide does.
    start.edit("tools", |a| {
        let root = "arn:aws:iam::222222222222:root";
        let bucket = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "DenyUnEncryptedObjectUploads", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
             "Resource": "arn:aws:s3:::bucket/*",
             "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}},
            {"Effect": "Allow", "Principal": {"AWS": root}, "Action": ["s3:Get*", "s3:Put*"], "Resource": "arn:aws:s3:::bucket/*"}]});
        a.buckets.insert("bucket".to_owned(), bucket.to_string());
        let key = KEY_POLICY.replace("\"arn:aws:iam::111111111111:root\"",
            &format!("[\"arn:aws:iam::111111111111:root\",\"{root}\"]"));
        a.keys.insert("1111-22".to_owned(), key);
    });
    let plan = start.plan(&all, &bootstrap());
    assert_eq!(codes(&plan), [""; 0], "{:#?}", plan.problems);
}

#[test]
fn a_store_that_cannot_be_used_across_accounts_is_refused_with_the_reason() {
    for (id, code) in [
        (None, "artifact_key_missing"),
        (Some("alias/artifacts"), "artifact_key_alias"),
        (
            Some("arn:aws:kms:us-east-1:111111111111:alias/artifacts"),
            "artifact_key_alias",
        ),
        (Some("what is this"), "artifact_key_invalid"),
        (
            Some("arn:aws:kms:us-east-1:999999999999:key/1"),
            "artifact_key_elsewhere",
        ),
        (Some("no-such-key"), "artifact_key_not_found"),
    ] {
        let world = world(None);
        world.edit_pipeline("MyPipeline", |p| match id {
            Some(id) => p["artifactStore"]["encryptionKey"]["id"] = json!(id),
            None => {
                p["artifactStore"]
                    .as_object_mut()
                    .unwrap()
                    .remove("encryptionKey");
            }
        });
        let (plan, report) = world.run(&wiring(&managed(), &[]), &bootstrap());
        assert!(report.is_none(), "{id:?}");
        assert_eq!(codes(&plan), [code], "{:#?}", plan.problems);
        assert!(world.writes.borrow().is_empty());
        // Who has no artifacts needs no key.
        let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
        assert_eq!(codes(&plan), [""; 0]);
    }
}

#[test]
fn a_store_that_is_not_known_is_never_in_sync() {
    for stores in [
        json!({"artifactStores": {"eu-west-1": {"type": "S3", "location": "west"}}}),
        json!({"artifactStore": {"type": "S3", "location": "no/bucket"}}),
        json!({"artifactStore": {"type": "S3"}}),
        json!({}),
    ] {
        for manifest in [managed(), manifest(IN, "")] {
            let world = wired(&managed(), None);
            world.edit_pipeline("MyPipeline", |p| {
                let top = p.as_object_mut().unwrap();
                top.remove("artifactStore");
                top.extend(stores.as_object().unwrap().clone());
            });
            let plan = world.plan(&wiring(&manifest, &[]), &bootstrap());
            assert!(codes(&plan).contains(&"artifact_store_missing"), "{stores}");
            assert_ne!(of_check(&plan), Status::InSync, "{stores}");
            // What is taken away needs no store.
            let plan = world.plan(&wiring(&manifest, &[]), &teardown());
            assert!(!codes(&plan).contains(&"artifact_store_missing"));
        }
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_never_passed_over() {
    for operation in ["s3:GetBucketPolicy", "kms:GetKeyPolicy"] {
        for (manage, severity) in [(MANAGE, Severity::Incomplete), ("", Severity::Warning)] {
            let world = world(Some(BUCKET_POLICY));
            *world.refused.borrow_mut() = Some(operation);
            let plan = world.plan(&wiring(&manifest(IN, manage), &[]), &bootstrap());
            let found = plan
                .problems
                .iter()
                .find(|p| p.code == "artifact_policy_unread");
            assert_eq!(found.unwrap().severity, severity, "{operation}");
        }
    }
}

#[test]
fn limits_and_lockouts_are_seen_before_the_first_write() {
    let long = json!({"Version": "2012-10-17", "Statement": [{"Sid": "x".repeat(20_300), "Effect": "Deny",
        "Principal": "*", "Action": "s3:*", "Resource": "*"}]});
    let full = world(Some(&long.to_string()));
    let (plan, report) = full.run(&wiring(&managed(), &[]), &bootstrap());
    assert!(report.is_none());
    assert_eq!(codes(&plan), ["resource_policy_limit"]);

    let world = wired(&managed(), None);
    world.edit("tools", |a| {
        let policy = a.keys.get_mut("1111-22").unwrap();
        let mut only: Value = serde_json::from_str(policy).unwrap();
        only["Statement"].as_array_mut().unwrap().remove(0);
        *policy = only.to_string();
    });
    world.forget_calls();
    let (plan, report) = world.run(&wiring(&managed(), &[]), &teardown());
    assert!(report.is_none());
    assert_eq!(codes(&plan), ["key_policy_lockout"]);
    assert!(world.writes.borrow().is_empty());
}

#[test]
fn a_policy_that_moved_since_the_plan_keeps_what_somebody_wrote() {
    let world = world(Some(BUCKET_POLICY));
    let plan = world.plan(&wiring(&managed(), &[]), &bootstrap());
    world.edit("tools", |a| {
        let policy = a.buckets.get_mut("bucket").unwrap();
        *policy = policy.replace("DenyInsecureConnections", "Renamed");
    });
    let report = world.apply(&plan);
    assert!(report.outcomes.iter().all(|o| *o == Outcome::Done));
    let codes: Vec<&str> = report.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["policy_moved"]);
    assert!(policy(&world, true).to_string().contains("Renamed"));
    assert_eq!(report.backups.len(), 3, "pipeline, bucket and key");
}

#[test]
fn what_no_gate_needs_any_more_is_taken_away_again() {
    let world = wired(&managed(), Some(BUCKET_POLICY));
    let unmanaged = wiring(&manifest(BOTH, ""), &[]);
    let (plan, report) = world.run(&unmanaged, &bootstrap());
    assert!(report.is_some(), "{:#?}", plan.problems);
    assert_eq!(policy(&world, true).to_string(), BUCKET_POLICY);
    assert_eq!(policy(&world, false).to_string(), KEY_POLICY);
    let none = manifest("input_artifacts = []\noutput_artifacts = []", "");
    world.run(&wiring(&none, &[]), &bootstrap());
    let role = &world.snapshot()["dev"].roles["crossgate-checkout-validate"];
    assert!(!role.inline.contains_key("crossgate-checkout-artifacts"));
}
