//! The artifact store of a gate's action as it stands: its bucket, its key, and their policies.
//! Facts only: whether the policies suffice is decided on the hops.

use crate::iam::evaluate::{Layer, NamedPolicy};
use crate::iam::hops::{Artifacts, Found, Held};
use crate::model::account::AccountId;
use crate::model::artifact::{ArtifactStore, PolicyHolder, StoreKey, Traffic};
use crate::model::observed::{Observed, Seen};
use crate::model::wiring::Wiring;

use super::target::{Target, account_name, unusable};

/// What the action as it stands does with artifacts, and its store, where the pipeline names one for its region.
fn store(wiring: &Wiring, target: &Target<'_>) -> Option<(Traffic, Option<ArtifactStore>)> {
    let (action, document) = (target.action?, target.document?);
    let traffic = Traffic::of(
        action.input_artifacts().next().is_some(),
        action.output_artifacts().next().is_some(),
    )?;
    let account = wiring.account_id(&target.gate.pipeline.account)?;
    Some((traffic, document.artifact_store(&target.region, account)))
}

fn bucket(target: &Target<'_>, store: &ArtifactStore) -> PolicyHolder {
    PolicyHolder::Bucket {
        account: target.gate.pipeline.account.clone(),
        region: store.region.clone(),
        bucket: store.bucket.clone(),
    }
}

/// The key where the store names one: a holder where its account is in the manifest, else its account.
fn key(wiring: &Wiring, store: &ArtifactStore) -> Option<Result<PolicyHolder, AccountId>> {
    let key = store.key.key()?;
    let account = account_name(wiring, &key.account).cloned();
    Some(account.map_or_else(
        || Err(key.account.clone()),
        |account| {
            let key = key.clone();
            Ok(PolicyHolder::Key { account, key })
        },
    ))
}

/// The bucket and the key whose policies the hops need.
pub(super) fn holders(wiring: &Wiring, target: &Target<'_>) -> Vec<PolicyHolder> {
    let Some((_, Some(store))) = store(wiring, target) else {
        return Vec::new();
    };
    let key = key(wiring, &store).and_then(Result::ok);
    [bucket(target, &store)].into_iter().chain(key).collect()
}

/// The action's artifacts with what is known of their store. `tools`: the id of the pipeline's account.
pub(super) fn of(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    tools: &AccountId,
) -> Option<Artifacts> {
    let (traffic, store) = store(wiring, target)?;
    let Some(store) = store else {
        let why = "the pipeline has no artifact store for the action's region".to_owned();
        return Some(Artifacts {
            traffic,
            bucket: Found::Missing(why),
            key: None,
        });
    };
    let held = |holder: PolicyHolder| held(wiring, observed, target, tools, holder);
    let key = match (key(wiring, &store), &store.key) {
        (Some(Ok(holder)), _) => Some(held(holder)),
        (Some(Err(account)), _) => Some(Found::Unseen(format!(
            "account {account} of the key is not in the manifest"
        ))),
        (None, StoreKey::Strange(id)) => Some(Found::Missing(format!(
            "the artifact store names the key `{id}`, which is neither a key's ARN nor its id"
        ))),
        // Findings of their own say what the first two mean.
        (None, StoreKey::Default | StoreKey::Alias(_) | StoreKey::Key(_)) => None,
    };
    Some(Artifacts {
        traffic,
        bucket: held(bucket(target, &store)),
        key,
    })
}

fn held(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    tools: &AccountId,
    holder: PolicyHolder,
) -> Found<Held> {
    if let Some(why) = unusable(wiring, observed, holder.account()) {
        return Found::Unseen(why);
    }
    let policy = match observed.resource_policy(&holder) {
        Seen::Present(text) => {
            let name = match holder {
                PolicyHolder::Bucket { .. } => "bucket policy",
                PolicyHolder::Key { .. } => "key policy",
            };
            Layer::Known(Some(NamedPolicy::from_text(name, text)))
        }
        Seen::Absent if matches!(holder, PolicyHolder::Key { .. }) => {
            return Found::Missing(format!("there is no {holder}"));
        }
        Seen::Absent => Layer::Known(None),
        Seen::NotRead => Layer::Unreadable("it was not read".to_owned()),
        Seen::Unreadable(error) => Layer::Unreadable(error.to_string()),
    };
    let account_id = match &holder {
        PolicyHolder::Bucket { .. } => tools.clone(),
        PolicyHolder::Key { key, .. } => key.account.clone(),
    };
    Found::There(Held {
        account: Some(holder.account().clone()),
        account_id,
        pipeline: target.gate.pipeline.name.clone(),
        policy,
        holder,
    })
}
