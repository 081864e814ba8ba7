//! Artifact stores seen by an outsider: a bucket and a key of an account's own, and their policies as documents.
//! Goes straight to the emulator; checks nothing.

use serde_json::{Value, json};

use super::account::Account;

impl Account {
    /// Creates a bucket; without a policy, as S3 does.
    pub(crate) fn create_bucket(&self, bucket: &str) {
        self.run(self.s3.create_bucket().bucket(bucket).send());
    }

    /// Replaces the policy of a bucket.
    pub(crate) fn put_bucket_policy(&self, bucket: &str, policy: &Value) {
        let call = self.s3.put_bucket_policy().bucket(bucket);
        self.run(call.policy(policy.to_string()).send());
    }

    /// The policy of a bucket; null where it has none.
    pub(crate) fn bucket_policy(&self, bucket: &str) -> Value {
        match self.attempt(self.s3.get_bucket_policy().bucket(bucket).send()) {
            Ok(output) => serde_json::from_str(output.policy().unwrap()).unwrap(),
            Err(error) => {
                assert!(error.starts_with("NoSuchBucketPolicy"), "{error}");
                Value::Null
            }
        }
    }

    /// Creates a customer managed key with this policy; its ARN.
    pub(crate) fn create_key(&self, policy: &Value) -> String {
        let call = self.kms.create_key().policy(policy.to_string());
        let output = self.run(call.send());
        output.key_metadata.unwrap().arn.unwrap()
    }

    /// The policy of a key.
    pub(crate) fn key_policy(&self, key: &str) -> Value {
        let call = self.kms.get_key_policy().key_id(key);
        let output = self.run(call.policy_name("default").send());
        serde_json::from_str(output.policy().unwrap()).unwrap()
    }

    /// The statement with which a key stays its account's own.
    pub(crate) fn root_statement(&self) -> Value {
        let root = format!("arn:aws:iam::{}:root", self.id);
        json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"})
    }
}
