//! The policies of artifact buckets and of their keys: read, put, taken away.
//! It looks into no bucket and uses no key, and decides nothing about what the policies say.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::RequestId;

use super::errors::{Call, Failure};
use super::slow_down::NeverBlindly;
use super::{Answer, Outcome};
use crate::model::artifact::{BucketName, KeyArn};
use crate::model::read::Fact;
use crate::model::write::{Write, Written};

/// `s3:GetBucketPolicy`. The owner is named, so that a bucket of another account is refused and not taken for the pipeline's
/// (S3 user guide, "Verifying bucket ownership with bucket owner condition").
pub(super) async fn bucket_policy(
    client: &aws_sdk_s3::Client,
    call: &Call<'_>,
    bucket: &BucketName,
) -> Outcome<Fact> {
    let request = client
        .get_bucket_policy()
        .bucket(bucket.as_str())
        .expected_bucket_owner(call.access.id.as_str());
    match request.send().await {
        Ok(output) => found(output.policy(), &output).map(|a| a.map(Fact::BucketPolicy)),
        Err(e) if e.code() == Some("NoSuchBucketPolicy") => {
            Ok(Answer::of(Fact::BucketPolicy(None), &e))
        }
        Err(e) => Err(call.failed(&e)),
    }
}

fn found(policy: Option<&str>, from: &impl RequestId) -> Outcome<Option<String>> {
    let text =
        policy.ok_or_else(|| Failure::malformed("the answer has no policy", from.request_id()))?;
    Ok(Answer::of(Some(text.to_owned()), from))
}

/// The name of the only policy that a key has (api: GetKeyPolicy, PutKeyPolicy). AWS takes it for said where it is not; others that
/// speak its protocol do not (moto finds no policy then).
const KEY_POLICY: &str = "default";

/// `kms:GetKeyPolicy`.
pub(super) async fn key_policy(
    client: &aws_sdk_kms::Client,
    call: &Call<'_>,
    key: &KeyArn,
) -> Outcome<Fact> {
    let request = client
        .get_key_policy()
        .key_id(key.to_string())
        .policy_name(KEY_POLICY);
    match request.send().await {
        Ok(output) => found(output.policy(), &output).map(|a| a.map(Fact::KeyPolicy)),
        Err(e) if e.code() == Some("NotFoundException") => {
            Ok(Answer::of(Fact::KeyPolicy(None), &e))
        }
        Err(e) => Err(call.failed(&e)),
    }
}

/// `s3:PutBucketPolicy`, `s3:DeleteBucketPolicy`. Deleting a policy that is not there succeeds (api: DeleteBucketPolicy). Neither is
/// sent again where its answer is lost, nor is `kms:PutKeyPolicy`: somebody may have written the whole policy in between.
pub(super) async fn write_bucket(
    client: &aws_sdk_s3::Client,
    call: &Call<'_>,
    write: &Write,
) -> Outcome<Written> {
    let owner = call.access.id.as_str();
    match write {
        Write::PutBucketPolicy {
            region: _,
            bucket,
            document,
        } => {
            let request = client
                .put_bucket_policy()
                .bucket(bucket.as_str())
                .expected_bucket_owner(owner)
                .policy(document);
            let once = aws_sdk_s3::config::Builder::new().retry_classifier(NeverBlindly);
            call.done(&request.customize().config_override(once).send().await)
        }
        Write::DeleteBucketPolicy { region: _, bucket } => {
            let request = client
                .delete_bucket_policy()
                .bucket(bucket.as_str())
                .expected_bucket_owner(owner);
            let once = aws_sdk_s3::config::Builder::new().retry_classifier(NeverBlindly);
            call.done(&request.customize().config_override(once).send().await)
        }
        _ => Err(Failure::misrouted()),
    }
}

/// `kms:PutKeyPolicy`. The lockout check stays on: KMS refuses a policy that its caller could not change again.
pub(super) async fn write_key(
    client: &aws_sdk_kms::Client,
    call: &Call<'_>,
    key: &KeyArn,
    document: &str,
) -> Outcome<Written> {
    let request = client
        .put_key_policy()
        .key_id(key.to_string())
        .policy_name(KEY_POLICY)
        .policy(document);
    let once = aws_sdk_kms::config::Builder::new().retry_classifier(NeverBlindly);
    call.done(&request.customize().config_override(once).send().await)
}
