//! What gates that take or make artifacts need of the artifact store: the invoke role's policy, and statements in the policies of the
//! bucket and its key, which are somebody's documents.
//! Only statements with the project's Sids are ever added, changed or removed there, and only where the manifest says `manage`;
//! else it is said what is missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::iam::compare;
use crate::iam::documents::{
    ArtifactGrants, artifact_sids, artifacts_policy, bucket_statements, key_statements,
};
use crate::iam::hops::{ArtifactCall, artifact_access};
use crate::model::account::{AccountId, AccountName};
use crate::model::arn::RoleArn;
use crate::model::artifact::{ArtifactStore, PolicyHolder, StoreKey, Traffic};
use crate::model::chain::Answer;
use crate::model::change::{Change, ChangeAction, ChangeKind, Intent, Problem, Severity, Work};
use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::json_text::JsonText;
use crate::model::observed::Seen;
use crate::model::policy::{PolicyDocument, Statement};
use crate::model::resource_policy::{PolicyUpdate, ResourcePolicy};
use crate::model::wiring::Wiring;

use super::Options;
use super::draft::{Draft, Rank};
use super::grants;
use super::join::{Joined, JoinedGate};

/// A gate's artifacts, and the store that holds them.
pub(super) struct Artifacts {
    pub(super) traffic: Traffic,
    /// None while the pipeline is not known, or has no store for the action's region.
    pub(super) store: Option<ArtifactStore>,
}

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    if options.intent == Intent::Bootstrap {
        for gate in joined.selected() {
            refuse(joined, gate, draft);
        }
    }
    for (holder, gates) in by_holder(joined) {
        if joined.is_usable(holder.account()) {
            Subject { holder, gates }.plan(joined, options, draft);
        }
    }
}

/// The buckets and keys of the selected gates' artifact stores, each with all gates whose artifacts it holds.
pub(super) fn by_holder<'j, 'a>(
    joined: &'j Joined<'a>,
) -> BTreeMap<PolicyHolder, Vec<&'j JoinedGate<'a>>> {
    let mut groups: BTreeMap<PolicyHolder, Vec<&JoinedGate<'_>>> = BTreeMap::new();
    for gate in &joined.gates {
        for holder in holders(joined, gate) {
            groups.entry(holder).or_default().push(gate);
        }
    }
    groups.retain(|_, gates| gates.iter().any(|g| g.selected));
    groups
}

fn holders(joined: &Joined<'_>, gate: &JoinedGate<'_>) -> Vec<PolicyHolder> {
    let store = gate.artifacts.as_ref().and_then(|a| a.store.as_ref());
    store.map_or_else(Vec::new, |store| {
        of_store(joined.wiring, &gate.gate.pipeline.account, store)
    })
}

/// The bucket, and the key where it is one that can be named and its account is one of the manifest's.
pub(super) fn of_store(
    wiring: &Wiring,
    account: &AccountName,
    store: &ArtifactStore,
) -> Vec<PolicyHolder> {
    let bucket = PolicyHolder::Bucket {
        account: account.clone(),
        region: store.region.clone(),
        bucket: store.bucket.clone(),
    };
    let key = store.key.key().and_then(|key| {
        let mut accounts = wiring.accounts.iter();
        let (account, _) = accounts.find(|(_, account)| account.id == key.account)?;
        Some(PolicyHolder::Key {
            account: account.clone(),
            key: key.clone(),
        })
    });
    [bucket].into_iter().chain(key).collect()
}

/// The invoke role's policy for the artifacts of the gates that hold it. `Err`: a store is not known, so nothing is said of it.
pub(super) fn role_policy(holders: &[&JoinedGate<'_>]) -> Result<Option<PolicyDocument>, ()> {
    let mut grants = ArtifactGrants::default();
    for gate in holders {
        let Some(Artifacts { traffic, store }) = &gate.artifacts else {
            continue;
        };
        let store = store.as_ref().ok_or(())?;
        let bucket = store.bucket.arn(gate.gate.partition());
        let key = store.key.key().map(ToString::to_string);
        let Traffic { reads, writes } = *traffic;
        grants.read.extend(reads.then(|| bucket.clone()));
        grants.written.extend(writes.then_some(bucket));
        grants.decrypting.extend(key.clone().filter(|_| reads));
        grants.encrypting.extend(key.filter(|_| writes));
    }
    Ok(artifacts_policy(&grants))
}

/// Refuses an artifact store with which the gate cannot work.
fn refuse(joined: &Joined<'_>, gate: &JoinedGate<'_>, draft: &mut Draft<'_>) {
    let Some(Artifacts { traffic: _, store }) = &gate.artifacts else {
        return;
    };
    let Some(store) = store else {
        return no_store(gate, draft);
    };
    let crosses = gate.pipeline_account != gate.function_account;
    let pipeline = &gate.gate.pipeline.name;
    let (code, message, hint) = match &store.key {
        StoreKey::Default if crosses => (
            "artifact_key_missing",
            format!(
                "pipeline {pipeline}: the artifact store {} has no customer managed key, and what the AWS managed key `aws/s3` \
                 encrypts no other account can read or write: that key's policy cannot be changed",
                store.bucket
            ),
            "give the artifact store an `encryptionKey` (the ARN of a customer managed key in its region), or take the artifacts \
             from the gate"
                .to_owned(),
        ),
        StoreKey::Alias(alias) => (
            "artifact_key_alias",
            format!(
                "pipeline {pipeline}: the artifact store {} names its key by the alias {alias}, which is recognized only in the \
                 account that made the key, and which no policy can grant",
                store.bucket
            ),
            "name the key by its ARN in the pipeline's `encryptionKey`".to_owned(),
        ),
        StoreKey::Strange(id) => (
            "artifact_key_invalid",
            format!(
                "pipeline {pipeline}: the artifact store {} names the key `{id}`, which is neither a key's ARN nor its id",
                store.bucket
            ),
            "name the key by its ARN in the pipeline's `encryptionKey`".to_owned(),
        ),
        StoreKey::Key(key)
            if gate.gate.manage_artifacts
                && !joined.wiring.accounts.values().any(|a| a.id == key.account) =>
        {
            (
                "artifact_key_elsewhere",
                format!(
                    "pipeline {pipeline}: the key {key} of the artifact store is of account {}, which no gate of the manifest \
                     names, so its policy cannot be managed",
                    key.account
                ),
                "take `manage` out of [gates.artifacts], and let the key's policy allow the invoke role".to_owned(),
            )
        }
        StoreKey::Default | StoreKey::Key(_) => return,
    };
    draft.problem(Problem {
        code,
        severity: Severity::Blocked,
        account: Some(gate.gate.pipeline.account.clone()),
        gates: vec![gate.gate.name.clone()],
        message,
        hint: Some(hint),
    });
}

/// A pipeline that was read, and says nothing of where the gate's artifacts are: what the invoke role needs is not known, and silence
/// would pass for nothing to do.
fn no_store(gate: &JoinedGate<'_>, draft: &mut Draft<'_>) {
    if gate.pipeline.is_none() {
        return;
    }
    let (pipeline, region) = (&gate.gate.pipeline.name, &gate.gate.function.region);
    draft.problem(Problem {
        code: "artifact_store_missing",
        severity: Severity::Blocked,
        account: Some(gate.gate.pipeline.account.clone()),
        gates: vec![gate.gate.name.clone()],
        message: format!(
            "pipeline {pipeline} names no artifact store for {region}, the region of the gate's action, or none with a bucket"
        ),
        hint: Some(format!(
            "give the pipeline an artifact store for {region} (`artifactStores`), or take the artifacts from the gate"
        )),
    });
}

/// Why a policy is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// For what gates need of it.
    Bootstrap,
    /// For what gates that go have in it.
    Teardown,
    /// For what of ours is left in it, without a gate.
    Search,
}

/// A bucket or a key, with the gates whose artifacts it holds.
pub(super) struct Subject<'j, 'a> {
    pub(super) holder: PolicyHolder,
    pub(super) gates: Vec<&'j JoinedGate<'a>>,
}

impl Subject<'_, '_> {
    fn plan(&self, joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
        let look = match options.intent {
            Intent::Bootstrap => Look::Bootstrap,
            Intent::Teardown => Look::Teardown,
        };
        let Some((found, text)) = self.found(joined, look, draft) else {
            return;
        };
        self.ours(joined, (&found, text), None, draft);
        if look == Look::Bootstrap {
            self.lacking(text, draft);
        }
    }

    /// What is left of ours in a policy of which no gate has need; `user`: what still uses it, in words.
    pub(super) fn left(
        &self,
        joined: &Joined<'_>,
        user: impl FnOnce(&[&Value]) -> Option<String>,
        draft: &mut Draft<'_>,
    ) {
        let Some((found, text)) = self.found(joined, Look::Search, draft) else {
            return;
        };
        let sids = artifact_sids(&joined.wiring.project);
        let there: Vec<&Value> = sids.iter().flat_map(|sid| found.with_sid(sid)).collect();
        self.ours(joined, (&found, text), user(&there), draft);
    }

    /// The policy as it was read; none where there is nothing to do with it, which is said.
    fn found<'o>(
        &self,
        joined: &Joined<'o>,
        look: Look,
        draft: &mut Draft<'_>,
    ) -> Option<(ResourcePolicy, Option<&'o str>)> {
        let text = match joined.observed.resource_policy(&self.holder) {
            Seen::NotRead => return None,
            // Nothing of ours is in a bucket that is gone.
            Seen::Unreadable(error)
                if look != Look::Bootstrap && error.kind == CloudErrorKind::NotFound =>
            {
                return None;
            }
            Seen::Unreadable(error) => {
                self.unread(error, look, draft);
                return None;
            }
            Seen::Absent if matches!(self.holder, PolicyHolder::Key { .. }) => {
                self.no_such_key(look, draft);
                return None;
            }
            Seen::Absent => None,
            Seen::Present(text) => Some(text),
        };
        match ResourcePolicy::parse(text) {
            Ok(found) => Some((found, text)),
            Err(why) => {
                self.unreadable(&why, look, draft);
                None
            }
        }
    }

    /// Our statements, for the managed gates that stay; `held`: why the policy must stay as it is.
    fn ours(
        &self,
        joined: &Joined<'_>,
        (found, text): (&ResourcePolicy, Option<&str>),
        held: Option<String>,
        draft: &mut Draft<'_>,
    ) {
        let wanted = self.wanted(joined);
        let sids = artifact_sids(&joined.wiring.project);
        if holds(found, &sids, &wanted) {
            return;
        }
        let after = found.with(&sids, &wanted);
        let size = after.as_ref().map_or(0, |after| after.to_string().len());
        if size > self.holder.limit() {
            return self.too_long(size, draft);
        }
        if after.is_none() && matches!(self.holder, PolicyHolder::Key { .. }) {
            return self.locks_out(draft);
        }
        let has_ours = sids.iter().any(|sid| found.with_sid(sid).next().is_some());
        let reason = match (wanted.is_empty(), has_ours) {
            (true, _) => "no gate needs this project's statements any more",
            (false, true) => "this project's statements grant something else than the gates need",
            (false, false) => "this project's statements are missing",
        };
        let change = self.change(joined, found.raw().cloned(), after, reason);
        if held.is_some() {
            return draft.held(Change { held, ..change });
        }
        let update = PolicyUpdate {
            holder: self.holder.clone(),
            sids: sids.to_vec(),
            wanted,
            planned: text.map(str::to_owned),
        };
        let account = self.holder.account().clone();
        let work = Work::Policy(Box::new(update));
        draft.work(account, vec![change], Rank::ResourcePolicy, work);
    }

    fn wanted(&self, joined: &Joined<'_>) -> Vec<Statement> {
        let roles = |keep: fn(&Traffic) -> bool| -> Vec<RoleArn> {
            let gates = self.gates.iter();
            gates
                .filter(|g| g.stays() && g.gate.manage_artifacts)
                .filter(|g| g.artifacts.as_ref().is_some_and(|a| keep(&a.traffic)))
                .map(|g| g.role_arn.clone())
                .collect()
        };
        let (readers, writers) = (roles(|t| t.reads), roles(|t| t.writes));
        let project = &joined.wiring.project;
        match &self.holder {
            PolicyHolder::Bucket { bucket, region, .. } => {
                bucket_statements(project, &bucket.arn(region.partition()), &readers, &writers)
            }
            PolicyHolder::Key { .. } => key_statements(project, &readers, &writers),
        }
    }

    /// What the policy as it stands does not let the gates do whose artifacts are not managed.
    fn lacking(&self, text: Option<&str>, draft: &mut Draft<'_>) {
        let mut seen = BTreeSet::new();
        for gate in &self.gates {
            if !gate.selected || gate.gate.manage_artifacts {
                continue;
            }
            let Some(artifacts) = &gate.artifacts else {
                continue;
            };
            for call in ArtifactCall::of(artifacts.traffic, &self.holder, &gate.gate.pipeline.name)
            {
                let owner = self.owner(gate);
                let (answer, reason) = artifact_access(&gate.role_arn, owner, &call, text);
                if answer != Answer::Allowed && seen.insert((&gate.gate.name, call.action)) {
                    draft.problem(self.lacks(gate, &call, &reason));
                }
            }
        }
    }

    fn owner<'g>(&'g self, gate: &JoinedGate<'g>) -> &'g AccountId {
        match &self.holder {
            PolicyHolder::Bucket { .. } => gate.pipeline_account,
            PolicyHolder::Key { key, .. } => &key.account,
        }
    }

    fn lacks(&self, gate: &JoinedGate<'_>, call: &ArtifactCall, reason: &str) -> Problem {
        let code = match self.holder {
            PolicyHolder::Bucket { .. } => "artifact_bucket_policy",
            PolicyHolder::Key { .. } => "artifact_key_policy",
        };
        let action = call.action;
        Problem {
            code,
            severity: Severity::Warning,
            account: Some(self.holder.account().clone()),
            gates: vec![gate.gate.name.clone()],
            message: format!(
                "the policy of {} is not known to let the invoke role {} do {action}, which the gate's artifacts need: {reason}",
                self.holder, gate.role_arn
            ),
            hint: Some(format!(
                "set `manage = true` in [gates.artifacts], or let whoever keeps that policy allow {action} to {}",
                gate.role_arn
            )),
        }
    }

    fn is_managed(&self) -> bool {
        let managed = |g: &&JoinedGate<'_>| g.selected && g.gate.manage_artifacts;
        self.gates.iter().any(managed)
    }

    /// A policy that is not managed is looked at only to say what it lacks: nothing is held up where it cannot be read. But where
    /// statements of ours are searched for, it may hold some.
    fn unread(&self, error: &CloudError, look: Look, draft: &mut Draft<'_>) {
        let severity = self.severity(look);
        let what = match (severity, look) {
            (Severity::Warning, Look::Bootstrap) => {
                "; whether it lets the invoke role use the artifacts is not known"
            }
            (_, Look::Search) | (Severity::Warning, Look::Teardown) => {
                "; whether statements of this project are left in it is not known"
            }
            (Severity::Incomplete | Severity::Blocked, Look::Bootstrap | Look::Teardown) => "",
        };
        self.problem(
            "artifact_policy_unread",
            severity,
            format!("{error}{what}"),
            error.hint.clone(),
            draft,
        );
    }

    /// How grave it is that the policy is not known.
    fn severity(&self, look: Look) -> Severity {
        if self.is_managed() || look == Look::Search {
            Severity::Incomplete
        } else {
            Severity::Warning
        }
    }

    fn no_such_key(&self, look: Look, draft: &mut Draft<'_>) {
        let severity = match (look, self.is_managed()) {
            (Look::Bootstrap, true) => Severity::Blocked,
            (Look::Bootstrap, false) => Severity::Warning,
            (Look::Teardown | Look::Search, _) => return,
        };
        let message = format!("the artifact store's {} does not exist", self.holder);
        let hint = "correct `encryptionKey` of the pipeline's artifact store".to_owned();
        self.problem(
            "artifact_key_not_found",
            severity,
            message,
            Some(hint),
            draft,
        );
    }

    fn unreadable(&self, why: &str, look: Look, draft: &mut Draft<'_>) {
        let severity = self.severity(look);
        let message = format!(
            "the policy of {} could not be understood: {why}",
            self.holder
        );
        let hint = "mend the policy; crossgate does not overwrite what it cannot read".to_owned();
        self.problem("policy_unreadable", severity, message, Some(hint), draft);
    }

    fn too_long(&self, size: usize, draft: &mut Draft<'_>) {
        let limit = self.holder.limit();
        let message = format!(
            "the policy of {} would have {size} bytes; AWS allows {limit}",
            self.holder
        );
        let hint = "let gates share an invoke role ([gates.invoke_role] name), or shorten the policy's other statements";
        let code = "resource_policy_limit";
        self.problem(
            code,
            Severity::Blocked,
            message,
            Some(hint.to_owned()),
            draft,
        );
    }

    /// A key whose policy is empty belongs to nobody any more.
    fn locks_out(&self, draft: &mut Draft<'_>) {
        let message = format!(
            "the policy of {} consists of this project's statements alone: without them nobody could use or mend the key",
            self.holder
        );
        let hint = "give the key a policy that allows its own account first".to_owned();
        self.problem(
            "key_policy_lockout",
            Severity::Blocked,
            message,
            Some(hint),
            draft,
        );
    }

    fn problem(
        &self,
        code: &'static str,
        severity: Severity,
        message: String,
        hint: Option<String>,
        draft: &mut Draft<'_>,
    ) {
        draft.problem(Problem {
            code,
            severity,
            account: Some(self.holder.account().clone()),
            gates: grants::names(self.gates.iter().copied().filter(|g| g.selected)),
            message,
            hint,
        });
    }

    fn change(
        &self,
        joined: &Joined<'_>,
        before: Option<Value>,
        after: Option<Value>,
        reason: &str,
    ) -> Change {
        let kind = kind(&self.holder);
        let action = match (&before, &after) {
            (None, _) => ChangeAction::Create,
            (Some(_), Some(_)) => ChangeAction::Update,
            (Some(_), None) => ChangeAction::Delete,
        };
        let (account, region, name) = (
            self.holder.account(),
            self.holder.region(),
            self.holder.name(),
        );
        let unknown = AccountId::unknown();
        let account_id = joined
            .wiring
            .account_id(account)
            .unwrap_or(&unknown)
            .clone();
        let about = |g: &&JoinedGate<'_>| g.selected || (g.stays() && g.gate.manage_artifacts);
        Change {
            id: format!("{}/{account_id}/{region}/{name}", kind.as_str()),
            account: account.clone(),
            account_id,
            region: Some(region.clone()),
            kind,
            resource: name.to_owned(),
            action,
            gates: grants::names(self.gates.iter().copied().filter(about)),
            reason: reason.to_owned(),
            before: before.map(JsonText::from),
            after: after.map(JsonText::from),
            held: None,
        }
    }
}

/// The kind of a change of its policy.
pub(super) fn kind(holder: &PolicyHolder) -> ChangeKind {
    match holder {
        PolicyHolder::Bucket { .. } => ChangeKind::S3BucketPolicy,
        PolicyHolder::Key { .. } => ChangeKind::KmsKeyPolicy,
    }
}

/// True where statements of ours shall stand in the policy, or do.
pub(super) fn is_ours(
    joined: &Joined<'_>,
    holder: &PolicyHolder,
    gates: &[&JoinedGate<'_>],
) -> bool {
    let managed = |g: &&JoinedGate<'_>| g.gate.manage_artifacts && (g.selected || g.stays());
    let there = match joined.observed.resource_policy(holder) {
        Seen::Present(text) => ResourcePolicy::parse(Some(text)).is_ok_and(|found| {
            let sids = artifact_sids(&joined.wiring.project);
            sids.iter().any(|sid| found.with_sid(sid).next().is_some())
        }),
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => false,
    };
    gates.iter().any(managed) || there
}

/// True where ours in the policy are just the wanted statements, each once, however they are spelled.
fn holds(found: &ResourcePolicy, sids: &[String], wanted: &[Statement]) -> bool {
    sids.iter().all(|sid| {
        let there: Vec<&Value> = found.with_sid(sid).collect();
        let wanted = wanted.iter().find(|s| s.sid.as_deref() == Some(sid));
        match (there.as_slice(), wanted) {
            ([], None) => true,
            ([one], Some(wanted)) => {
                let version = serde_json::json!({"Version": "2012-10-17", "Statement": one});
                PolicyDocument::from_json(&version).is_ok_and(|one| {
                    compare::equivalent(&one, &PolicyDocument::new(vec![wanted.clone()]))
                })
            }
            _ => false,
        }
    })
}
