//! Hops 4 and 5: what the invoke role does with artifacts, on the bucket and with its key, and whether it may.
//! Decides from the policies that are given; how the store is found out is no concern of this module.

use super::{Call, Ends, Found, Role, context, levels, of, of_caller, principal};
use crate::iam::evaluate::{Context, Layer, NamedPolicy, Policies, Principal, Request, evaluate};
use crate::model::account::{AccountId, AccountName, Partition};
use crate::model::arn::RoleArn;
use crate::model::artifact::{PolicyHolder, Traffic};
use crate::model::chain::{Answer, Hop, HopId};
use crate::model::name::PipelineName;

/// An action's artifacts, and the store that holds them.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifacts {
    /// What the action does with them.
    pub traffic: Traffic,
    /// The bucket, or why it is not known.
    pub bucket: Found<Held>,
    /// The key; none where the store names none.
    pub key: Option<Found<Held>>,
}

/// A bucket or a key with its policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Which one.
    pub holder: PolicyHolder,
    /// Its account's name in the manifest, where it has one.
    pub account: Option<AccountName>,
    /// Its account.
    pub account_id: AccountId,
    /// The pipeline, whose name artifacts begin with.
    pub pipeline: PipelineName,
    /// Its policy.
    pub policy: Layer<Option<NamedPolicy>>,
}

/// A call that artifacts need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactCall {
    /// The action.
    pub action: &'static str,
    /// The ARN of an object, or of the key.
    pub resource: String,
    /// Context keys that the service adds, or that the function must send.
    keys: Vec<(&'static str, String)>,
}

impl ArtifactCall {
    /// The calls on a bucket or a key.
    ///
    /// An artifact's name in the bucket begins with the pipeline's, cut after 20 characters (from memory; unverified): a policy
    /// that is narrowed to a pipeline does it so. What is written is encrypted with the store's key, as the guide's bucket
    /// policy demands (guide: pipelines-create-cross-account, `DenyUnEncryptedObjectUploads`). A key is used through S3
    /// (KMS developer guide, `kms:ViaService`).
    pub fn of(traffic: Traffic, holder: &PolicyHolder, pipeline: &PipelineName) -> Vec<Self> {
        let Traffic { reads, writes } = traffic;
        let partition: Partition = holder.region().partition();
        let (calls, resource, keys) = match holder {
            PolicyHolder::Bucket { bucket, .. } => {
                let prefix: String = pipeline.as_str().chars().take(20).collect();
                (
                    ["s3:GetObject", "s3:PutObject"],
                    format!("{}/{prefix}/artifact/object", bucket.arn(partition)),
                    Vec::new(),
                )
            }
            PolicyHolder::Key { key, .. } => (
                ["kms:Decrypt", "kms:GenerateDataKey"],
                key.to_string(),
                vec![(
                    "kms:ViaService",
                    format!("s3.{}.{}", key.region, domain(partition)),
                )],
            ),
        };
        calls
            .into_iter()
            .zip([reads, writes])
            .filter(|(_, needed)| *needed)
            .map(|(action, _)| {
                let mut keys = keys.clone();
                if action == "s3:PutObject" {
                    keys.push(("s3:x-amz-server-side-encryption", "aws:kms".to_owned()));
                }
                Self {
                    action,
                    resource: resource.clone(),
                    keys,
                }
            })
            .collect()
    }

    fn context(&self, role: &Role, caller: &Principal, owner: &AccountId) -> Context {
        let mut context = context::of_role(caller, role, None, owner)
            .with_unknown("aws:ViaAWSService")
            .with("kms:CallerAccount", role.arn.account.as_str());
        for (key, value) in &self.keys {
            context = context.with(key, value);
        }
        context
    }
}

fn domain(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
        Partition::AwsCn => "amazonaws.com.cn",
    }
}

/// Whether the policy of a bucket or a key lets a role in that has all that it needs of its own. `text`: none where there is no
/// policy.
pub fn artifact_access(
    role: &RoleArn,
    owner: &AccountId,
    call: &ArtifactCall,
    text: Option<&str>,
) -> (Answer, String) {
    let own = serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": call.action, "Resource": call.resource}});
    let role = Role {
        arn: role.clone(),
        tags: std::collections::BTreeMap::new(),
        trust: Layer::Known(None),
        identity: Layer::Known(vec![NamedPolicy::from_json("own", &own)]),
        boundary: Layer::Known(Vec::new()),
    };
    let caller = principal(&role);
    let context = call.context(&role, &caller, owner);
    let request = Request::new(caller, call.action, &call.resource, owner.clone(), context);
    let policies = Policies {
        identity: role.identity.clone(),
        resource: Layer::Known(text.map(|text| NamedPolicy::from_text("its policy", text))),
        ..Policies::default()
    };
    let decision = evaluate(&request, &policies);
    (of(decision.verdict), decision.reason)
}

/// The hops of the action's artifacts; none for an action without.
pub(super) fn hops(ends: &Ends) -> Vec<Hop> {
    let Some(Artifacts {
        traffic,
        bucket,
        key,
    }) = &ends.artifacts
    else {
        return Vec::new();
    };
    let bucket = held(ends, HopId::Four, *traffic, bucket);
    let key = key
        .iter()
        .flat_map(|key| held(ends, HopId::Five, *traffic, key));
    bucket.into_iter().chain(key).collect()
}

fn held(ends: &Ends, id: HopId, traffic: Traffic, held: &Found<Held>) -> Vec<Hop> {
    let held = match held {
        Found::There(held) => held,
        Found::Missing(why) => return vec![unknown(ends, id, traffic).missing(why)],
        Found::Unseen(why) => return vec![unknown(ends, id, traffic).unseen(why)],
    };
    let calls = ArtifactCall::of(traffic, &held.holder, &held.pipeline);
    calls
        .iter()
        .map(|call| decide(ends, id, held, call))
        .collect()
}

/// The call where it is not known on what.
fn unknown(ends: &Ends, id: HopId, traffic: Traffic) -> Call<'_> {
    let action = match (id, traffic.reads) {
        (HopId::Five, true) => "kms:Decrypt",
        (HopId::Five, false) => "kms:GenerateDataKey",
        (_, true) => "s3:GetObject",
        (_, false) => "s3:PutObject",
    };
    Call {
        id,
        action,
        caller: (&ends.invoke.name, &ends.invoke.account_id),
        resource: "*",
        account: (ends.service.account.as_ref(), &ends.service.account_id),
    }
}

fn decide(ends: &Ends, id: HopId, held: &Held, asked: &ArtifactCall) -> Hop {
    let invoke = &ends.invoke;
    let call = Call {
        id,
        action: asked.action,
        caller: (&invoke.name, &invoke.account_id),
        resource: &asked.resource,
        account: (held.account.as_ref(), &held.account_id),
    };
    let role = match &invoke.found {
        Found::There(role) => role,
        Found::Missing(why) => return call.missing(why),
        Found::Unseen(why) => return call.unseen(why),
    };
    let caller = principal(role);
    let context = asked.context(role, &caller, &held.account_id);
    let policies = Policies {
        resource: held.policy.clone(),
        rcps: levels(&ends.organization.rcps, &held.account_id),
        ..of_caller(ends, role)
    };
    call.decide(ends, caller, context, &policies)
}
