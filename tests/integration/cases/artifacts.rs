//! Managed policies of a bucket and a key that an independent S3 and KMS hold (moto): ours come and go, somebody's stay.
//! What the sandbox's own stores do is a case of `diagnose_function`.

use serde_json::{Value, json};

use crate::support::calls;
use crate::support::cli::Run;
use crate::support::snapshot::assert_same;
use crate::support::world::{INVOKE_ROLE, PIPELINE, World};

const MANAGED: &str = "input_artifacts = [\"Built\"]\noutput_artifacts = [\"Verdict\"]\n[gates.artifacts]\nmanage = true\n";

/// A pipeline whose store is a bucket and a key of its account.
struct Store {
    world: World,
    bucket: String,
    key: String,
}

impl Store {
    fn new() -> Self {
        let world = World::moto_alone();
        let bucket = format!("artifacts-of-{}", world.tools.id);
        world.tools.create_bucket(&bucket);
        let auditor = json!({"Sid": "Audit", "Effect": "Allow", "Principal": {"AWS": world.tools.role_arn("Auditor")},
            "Action": ["kms:DescribeKey"], "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Id": "of the team",
            "Statement": [world.tools.root_statement(), auditor]});
        let key = world.tools.create_key(&policy);
        world.pipelines.edit(PIPELINE, |pipeline| {
            pipeline["artifactStore"] = json!({"type": "S3", "location": bucket,
                "encryptionKey": {"type": "KMS", "id": key}});
        });
        let store = Self { world, bucket, key };
        store.manifest(MANAGED);
        store
    }

    fn manifest(&self, artifacts: &str) {
        let mut gate = World::gate();
        artifacts.clone_into(&mut gate.more_pipeline);
        let manifest = self.world.manifest_of("checkout", vec![gate]);
        self.world.write(&manifest);
    }

    fn bucket_policy(&self) -> Value {
        self.world.tools.bucket_policy(&self.bucket)
    }

    fn key_policy(&self) -> Value {
        self.world.tools.key_policy(&self.key)
    }

    /// Everything of both accounts, and both policies.
    fn snapshot(&self) -> Value {
        json!({"accounts": self.world.snapshot(), "bucket": self.bucket_policy(), "key": self.key_policy()})
    }

    /// A statement that is none of crossgate's business.
    fn somebodys(&self, sid: &str) -> Value {
        let objects = format!("arn:aws:s3:::{}/*", self.bucket);
        json!({"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": objects,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    }

    fn ours_in_bucket(&self) -> [Value; 2] {
        let objects = format!("arn:aws:s3:::{}/*", self.bucket);
        self.ours(
            &objects,
            &["s3:GetObject", "s3:GetObjectVersion"],
            &["s3:PutObject", "s3:PutObjectAcl"],
        )
    }

    fn ours_in_key(&self) -> [Value; 2] {
        let writes = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ];
        self.ours("*", &["kms:Decrypt", "kms:DescribeKey"], &writes)
    }

    fn ours(&self, resource: &str, reads: &[&str], writes: &[&str]) -> [Value; 2] {
        let role = self.world.dev.role_arn(INVOKE_ROLE);
        let one = |sid: &str, actions: &[&str]| {
            json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": role}, "Action": actions,
                "Resource": resource})
        };
        [
            one("crossgateCheckoutRead", reads),
            one("crossgateCheckoutWrite", writes),
        ]
    }
}

/// The writes of S3 and KMS, in order of their names.
fn policy_writes(run: &Run) -> Vec<String> {
    let writes = calls::writes(&run.calls);
    let of_stores = writes
        .iter()
        .filter(|call| ["s3", "kms"].contains(&&*call.request.service));
    let mut names: Vec<String> = of_stores
        .map(|call| call.request.operation.clone())
        .collect();
    names.sort();
    names
}

#[test]
fn ours_stand_beside_somebodys_and_go_alone() {
    let store = Store::new();
    let policy = json!({"Version": "2012-10-17", "Statement": [store.somebodys("TlsOnly")]});
    store.world.tools.put_bucket_policy(&store.bucket, &policy);
    let before = store.snapshot();

    let run = store.world.bootstrap(&[]);
    run.exits(0).has_status("applied");
    run.change("s3_bucket_policy", &store.bucket);
    run.change("kms_key_policy", store.key.rsplit('/').next().unwrap());
    assert_eq!(policy_writes(&run), ["PutBucketPolicy", "PutKeyPolicy"]);
    let mut bucket = policy.clone();
    let [read, write] = store.ours_in_bucket();
    bucket["Statement"] = json!([store.somebodys("TlsOnly"), read, write]);
    assert_same(&bucket, &store.bucket_policy(), "the bucket's policy");
    let mut key = before["key"].clone();
    let statements = key["Statement"].as_array_mut().unwrap();
    statements.extend(store.ours_in_key());
    assert_same(&key, &store.key_policy(), "the key's policy");
    store.world.check().exits(0).has_status("in_sync");
    store.world.bootstrap(&[]).exits(0).wrote_nothing();

    // Somebody writes beside ours, and one of ours is lost.
    let wired = store.snapshot();
    bucket["Statement"] = json!([store.somebodys("TlsOnly"), read, store.somebodys("AlsoTls")]);
    store.world.tools.put_bucket_policy(&store.bucket, &bucket);
    let check = store.world.check();
    check.exits(3).has_status("drift");
    check.change("s3_bucket_policy", &store.bucket);
    let run = store.world.bootstrap(&[]);
    run.exits(0).wrote();
    assert_eq!(policy_writes(&run), ["PutBucketPolicy"]);
    bucket["Statement"] = json!([
        store.somebodys("TlsOnly"),
        read,
        write,
        store.somebodys("AlsoTls")
    ]);
    assert_same(&bucket, &store.bucket_policy(), "after the repair");
    assert_same(&wired["key"], &store.key_policy(), "the key's policy");
    store.world.check().exits(0);

    let run = store.world.teardown(&[]);
    run.exits(0).wrote();
    assert_eq!(policy_writes(&run), ["PutBucketPolicy", "PutKeyPolicy"]);
    let mut after = before;
    after["bucket"]["Statement"] = json!([store.somebodys("TlsOnly"), store.somebodys("AlsoTls")]);
    assert_same(&after, &store.snapshot(), "after teardown");
    store.world.teardown(&[]).exits(0).wrote_nothing();
}

#[test]
fn a_policy_that_was_made_for_ours_goes_with_them() {
    let store = Store::new();
    let before = store.snapshot();
    store.world.bootstrap(&[]).exits(0);
    let made = json!({"Version": "2012-10-17", "Statement": store.ours_in_bucket()});
    assert_same(&made, &store.bucket_policy(), "the bucket's policy");
    store.world.check().exits(0);
    let run = store.world.teardown(&[]);
    run.exits(0);
    assert_eq!(policy_writes(&run), ["DeleteBucketPolicy", "PutKeyPolicy"]);
    assert_same(&before, &store.snapshot(), "after teardown");
}

#[test]
fn a_bucket_that_is_gone_holds_no_teardown_up() {
    let store = Store::new();
    let before = store.snapshot();
    store.world.bootstrap(&[]).exits(0);
    let tools = &store.world.tools;
    tools.run(tools.s3.delete_bucket().bucket(&store.bucket).send());
    store.world.check().exits(4);
    let run = store.world.teardown(&[]);
    run.exits(0).has_status("applied");
    assert_eq!(policy_writes(&run), ["PutKeyPolicy"]);
    tools.create_bucket(&store.bucket);
    assert_same(&before, &store.snapshot(), "after teardown");
}

#[test]
fn statements_of_a_gate_that_has_no_artifacts_any_more_are_left_behind() {
    let store = Store::new();
    let (bucket, key) = (store.bucket_policy(), store.key_policy());
    store.world.bootstrap(&[]).exits(0);
    store.manifest("input_artifacts = []\noutput_artifacts = []\n");
    store.world.bootstrap(&[]).exits(0);
    store.world.check().exits(0);
    let check = store.world.json("check", &["--orphans"]);
    check.exits(3).has_status("drift").wrote_nothing();
    check.change("s3_bucket_policy", &store.bucket);
    check.change("kms_key_policy", store.key.rsplit('/').next().unwrap());
    let prune = store.world.json("prune", &["--yes"]);
    prune.exits(0).has_status("applied");
    assert_eq!(
        policy_writes(&prune),
        ["DeleteBucketPolicy", "PutKeyPolicy"]
    );
    assert_eq!((bucket, key), (store.bucket_policy(), store.key_policy()));
    store.world.json("check", &["--orphans"]).exits(0);
}

#[test]
fn what_is_not_managed_is_named_and_left() {
    let store = Store::new();
    store.manifest(MANAGED.split("[gates.artifacts]").next().unwrap());
    let (bucket, key) = (store.bucket_policy(), store.key_policy());
    let run = store.world.bootstrap(&[]);
    run.exits(0).says("s3:GetObject").says("kms:Decrypt");
    assert!(policy_writes(&run).is_empty(), "{}", run.dump());
    assert_eq!((bucket, key), (store.bucket_policy(), store.key_policy()));
    let problems = run.json()["problems"].clone();
    let codes: Vec<&str> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["code"].as_str().unwrap())
        .collect();
    for code in ["artifact_bucket_policy", "artifact_key_policy"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
}
