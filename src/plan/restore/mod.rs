//! What `restore` would do: a saved pipeline document against the pipeline as it is now, as a plan of one change.
//! Pure, like all of `plan`. It restores a pipeline and nothing else: no role, no policy, no function.

mod shown;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::model::account::{AccountId, AccountName};
use crate::model::change::{
    Change, ChangeAction, ChangeKind, Intent, PipelineEdit, PipelineUpdate, Plan, Problem,
    Severity, Work,
};
use crate::model::name::GateName;
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::{ActionView, Difference, How, PipelineDocument, StageView};
use crate::model::read::Read;
use crate::model::secret::ActionSecret;
use crate::model::wiring::{Gate, PipelineKey, Wiring};

pub use target::{Saved, TargetError, target};

use super::draft::{Draft, Rank};
use super::pipelines::no_such_secret;
use super::reads::Wanted;

/// What to do about a gate whose action is another one after the restore.
const CHECK: &str =
    "restore changes the pipeline only: `crossgate check` says how the gate stands after it";

/// The reads that are still needed.
pub fn wants(saved: &Saved, observed: &Observed) -> Vec<(AccountName, Read)> {
    let key = &saved.pipeline;
    let mut wanted = Wanted::new(observed);
    wanted.add(&key.account, Read::CallerIdentity);
    wanted.add(&key.account, key.read());
    wanted.finish()
}

/// The plan that puts the document back. `wiring` names all accounts of the manifest.
pub fn plan(wiring: &Wiring, observed: &Observed, saved: &Saved, secrets: &[ActionSecret]) -> Plan {
    let key = &saved.pipeline;
    let here = wiring.gates.iter().filter(|gate| gate.pipeline == *key);
    let wiring = &Wiring {
        selected: here.map(|gate| gate.name.clone()).collect(),
        ..wiring.clone()
    };
    let mut draft = Draft::new(observed);
    let problems = super::reading_problems(wiring, observed);
    let readable = problems.is_empty();
    for problem in problems {
        draft.problem(problem);
    }
    if let Some(id) = wiring.account_id(&key.account).filter(|_| readable) {
        match observed.pipeline(key) {
            Seen::Present(now) => restore(wiring, id, now, saved, secrets, &mut draft),
            Seen::Absent => draft.problem(gone(key)),
            Seen::NotRead | Seen::Unreadable(_) => {}
        }
    }
    draft.finish(wiring, Intent::Bootstrap)
}

fn restore(
    wiring: &Wiring,
    account_id: &AccountId,
    now: &PipelineDocument,
    saved: &Saved,
    secrets: &[ActionSecret],
    draft: &mut Draft<'_>,
) {
    let Saved { pipeline, document } = saved;
    for secret in secrets.iter().filter(|one| !document.has_masked(one)) {
        draft.problem(no_such_secret(secret));
    }
    if now.says_the_same(document) {
        return;
    }
    let differences = now.differences(document);
    let sides = Sides {
        wiring,
        pipeline,
        now,
        then: document,
    };
    sides.masks(secrets, draft);
    sides.gates(&differences, draft);
    sides.others(&differences, draft);
    sides.roles(draft);
    let then = document.clone().with_secrets(secrets.to_vec());
    let PipelineKey {
        account,
        region,
        name,
    } = pipeline;
    let kind = ChangeKind::Pipeline;
    let change = Change {
        id: format!("{}/{account_id}/{region}/{name}", kind.as_str()),
        account: account.clone(),
        account_id: account_id.clone(),
        region: Some(region.clone()),
        kind,
        resource: name.to_string(),
        action: ChangeAction::Update,
        gates: sides.touched_gates(&differences),
        reason: format!(
            "{} is put back in the place of {}: {}",
            version_of(document),
            version_of(now),
            in_words(&differences.iter().collect::<Vec<_>>())
        ),
        before: Some(shown::shown(now, &then, "as it is now").into()),
        after: Some(shown::shown(&then.in_place_of(now), now, "as it was saved").into()),
        held: None,
    };
    let update = PipelineUpdate {
        pipeline: pipeline.clone(),
        version: now.version(),
        edit: PipelineEdit::Restore {
            saved: Box::new(then),
            shown: Box::new(now.clone()),
        },
    };
    let work = Work::Pipeline(Box::new(update));
    draft.work(account.clone(), vec![change], Rank::Pipeline, work);
}

fn version_of(document: &PipelineDocument) -> String {
    document.version().map_or_else(
        || "a version without a number".to_owned(),
        |version| format!("version {version}"),
    )
}

/// What AWS would do is not said of two stages of one name, which AWS does not take, so that nothing may be left to tell.
fn in_words(differences: &[&Difference]) -> String {
    if differences.is_empty() {
        return "the documents differ".to_owned();
    }
    let words: Vec<String> = differences.iter().map(ToString::to_string).collect();
    words.join("; ")
}

/// The pipeline as it is and as it was.
struct Sides<'a> {
    wiring: &'a Wiring,
    pipeline: &'a PipelineKey,
    now: &'a PipelineDocument,
    then: &'a PipelineDocument,
}

impl<'a> Sides<'a> {
    fn warn(
        &self,
        code: &'static str,
        gates: Vec<GateName>,
        message: &str,
        hint: String,
    ) -> Problem {
        Problem {
            code,
            severity: Severity::Warning,
            account: Some(self.pipeline.account.clone()),
            gates,
            message: format!("pipeline {}: {message}", self.pipeline.name),
            hint: Some(hint),
        }
    }

    /// The manifest's gates in this pipeline.
    fn own(&self) -> impl Iterator<Item = &'a Gate> {
        let Self {
            wiring, pipeline, ..
        } = self;
        let pipeline: &PipelineKey = pipeline;
        wiring
            .gates
            .iter()
            .filter(move |gate| gate.pipeline == *pipeline)
    }

    /// AWS keeps a secret that it is sent masked only where it has one in that place; elsewhere `****` would become the value
    /// (guide: reference-pipeline-structure says so of a stage that is renamed).
    fn masks(&self, secrets: &[ActionSecret], draft: &mut Draft<'_>) {
        let kept = self.now.masked_secrets();
        for masked in self.then.masked_secrets() {
            let is_kept = kept.iter().any(|one| match (&one.place, &masked.place) {
                (Some(one), Some(other)) => one == other,
                (None, None) => one.path == masked.path,
                _ => false,
            });
            if is_kept || secrets.iter().any(|secret| masked.is_for(secret)) {
                continue;
            }
            let hint = if masked.place.is_some() {
                format!("send the real value: --secret {masked}=env:NAME")
            } else {
                "put the real value into a copy of the file, restore that, and delete it".to_owned()
            };
            draft.problem(Problem {
                severity: Severity::Blocked,
                ..self.warn(
                    "secret_gone",
                    Vec::new(),
                    &format!(
                        "{masked} is masked (****) in the file, and the pipeline has no secret there any more that AWS could keep: \
                         its value would become ****"
                    ),
                    hint,
                )
            });
        }
    }

    /// What becomes of the manifest's gates.
    fn gates(&self, differences: &[Difference], draft: &mut Draft<'_>) {
        for gate in self.own() {
            let (stage, action) = (&gate.action.stage, &gate.action.name);
            let place = format!("{stage}/{action}");
            let (now, then) = (self.owned(self.now, gate), self.owned(self.then, gate));
            let (code, message, hint) = match (now, then) {
                (Some(_), None) => (
                    "restore_removes_gate",
                    format!(
                        "gate {} goes: its action {place} is not in the file; its roles and policies stay",
                        gate.name
                    ),
                    "`crossgate bootstrap` puts the action back, `crossgate teardown` removes the rest; `crossgate check` says how it stands",
                ),
                (None, Some(_)) => (
                    "restore_returns_gate",
                    format!(
                        "gate {} comes back: its action {place} is in the file; its roles and policies are left as they are, or as \
                         they are missing",
                        gate.name
                    ),
                    "`crossgate check` says whether all that the gate needs is there",
                ),
                (Some(_), Some(_)) if differences.iter().any(|one| is_about(one, gate)) => (
                    "restore_changes_gate",
                    format!(
                        "gate {}: its action {place} becomes as it was saved",
                        gate.name
                    ),
                    CHECK,
                ),
                (Some(_), Some(_)) | (None, None) => continue,
            };
            draft.problem(self.warn(code, vec![gate.name.clone()], &message, hint.to_owned()));
        }
    }

    /// What is taken back and does not belong to a gate of the manifest: what others have done since.
    fn others(&self, differences: &[Difference], draft: &mut Draft<'_>) {
        let others: Vec<&Difference> = differences.iter().filter(|one| !self.is_own(one)).collect();
        if others.is_empty() {
            return;
        }
        draft.problem(self.warn(
            "restore_takes_back",
            Vec::new(),
            &format!(
                "beside this manifest's gates, this is taken back of what has changed since the file was saved: {}",
                in_words(&others)
            ),
            "whoever changed it may rely on it: ask first; the document as it is now is saved before anything is sent".to_owned(),
        ));
    }

    /// Roles that the restored document needs and the pipeline does not use now: restore makes none.
    fn roles(&self, draft: &mut Draft<'_>) {
        let text = |document: &PipelineDocument| document.role_arn().map(|role| role.to_string());
        if let (Ok(now), Ok(then)) = (text(self.now), text(self.then))
            && now != then
        {
            draft.problem(self.warn(
                "restore_service_role",
                Vec::new(),
                &format!(
                    "its service role becomes {then} again, in the place of {now}: what gates were granted since is on the latter"
                ),
                CHECK.to_owned(),
            ));
        }
        let used: BTreeSet<&str> = roles(self.now).map(|(_, _, role)| role).collect();
        for (stage, action, role) in roles(self.then).filter(|(_, _, role)| !used.contains(role)) {
            let own = self.own().find(|gate| {
                gate.action.stage.as_str() == stage.name()
                    && gate.action.name.as_str() == action.name()
            });
            if own.is_some() {
                continue;
            }
            let place = format!("{}/{}", stage.name(), action.name());
            draft.problem(self.warn(
                "restore_needs_role",
                Vec::new(),
                &format!(
                    "action {place} needs role {role}, which the pipeline does not use now and restore does not make"
                ),
                "see that the role is there and trusts the pipeline's account, else the pipeline fails there".to_owned(),
            ));
        }
    }

    fn touched_gates(&self, differences: &[Difference]) -> Vec<GateName> {
        let touched = |gate: &&Gate| {
            let (now, then) = (self.owned(self.now, gate), self.owned(self.then, gate));
            now.is_some() != then.is_some()
                || (now.is_some() && differences.iter().any(|one| is_about(one, gate)))
        };
        self.own()
            .filter(touched)
            .map(|gate| gate.name.clone())
            .collect()
    }

    /// The gate's action, where it is the manifest's own: by stage, name and role.
    fn owned(&self, document: &'a PipelineDocument, gate: &Gate) -> Option<ActionView<'a>> {
        let role = gate.role_arn(self.wiring.account_id(&gate.function.account)?);
        let mut found = document
            .stages()
            .filter(|stage| stage.name() == gate.action.stage.as_str())
            .flat_map(StageView::actions)
            .filter(|action| action.name() == gate.action.name.as_str());
        found.find(|action| action.role_arn().is_some_and(|found| role.is(found)))
    }

    /// True for what happens to an action of the manifest's gates, or to a stage that holds nothing else.
    fn is_own(&self, difference: &Difference) -> bool {
        let Difference { stage, action, how } = difference;
        let document = match how {
            How::Goes | How::Changes(_) | How::Reorders => self.now,
            How::Comes => self.then,
        };
        let Some(stage) = stage else { return false };
        let is_gate = |name: &str| {
            self.own().any(|gate| {
                gate.action.stage.as_str() == stage
                    && gate.action.name.as_str() == name
                    && self.owned(document, gate).is_some()
            })
        };
        match (action, how) {
            (Some(action), _) => is_gate(action),
            (None, How::Comes | How::Goes) => {
                let mut stages = document.stages();
                let found = stages.find(|one| one.name() == stage);
                found.is_some_and(|one| one.actions().all(|action| is_gate(action.name())))
            }
            (None, How::Changes(_) | How::Reorders) => false,
        }
    }
}

fn is_about(difference: &Difference, gate: &Gate) -> bool {
    let Difference {
        stage,
        action,
        how: _,
    } = difference;
    stage.as_deref() == Some(gate.action.stage.as_str())
        && action
            .as_deref()
            .is_none_or(|name| name == gate.action.name.as_str())
}

/// The actions that have a role of their own.
fn roles(
    document: &PipelineDocument,
) -> impl Iterator<Item = (StageView<'_>, ActionView<'_>, &str)> {
    document.stages().flat_map(|stage| {
        let actions = stage.actions();
        actions.filter_map(move |action| Some((stage, action, action.role_arn()?)))
    })
}

fn gone(key: &PipelineKey) -> Problem {
    let PipelineKey {
        account,
        region,
        name,
    } = key;
    Problem {
        code: "pipeline_not_found",
        severity: Severity::Blocked,
        account: Some(account.clone()),
        gates: Vec::new(),
        message: format!(
            "there is no pipeline {name} in account {account}, {region}: UpdatePipeline changes a pipeline that is there, and cannot \
             make one"
        ),
        hint: Some(format!(
            "make it from the file first (`aws codepipeline create-pipeline --region {region} --cli-input-json file://FILE`, without \
             `metadata`, with the real values of masked secrets), then run `crossgate check`"
        )),
    }
}
