//! The gates' actions in their pipelines: one patch a pipeline, however many gates.
//! The patch itself is `model::pipeline`'s; here it becomes changes, problems and one step.

use std::collections::BTreeSet;

use crate::model::arn::RoleArn;
use crate::model::change::{
    Change, ChangeAction, ChangeKind, Intent, PipelineEdit, PipelineUpdate, Problem, Severity, Work,
};
use crate::model::name::GateName;
use crate::model::observed::Seen;
use crate::model::pipeline::{
    Edit, EditKind, OwnedAction, Patch, PatchRequest, PipelineDocument, Refusal, RemoveSpec,
    StageView, Warning, patched,
};
use crate::model::secret::ActionSecret;
use crate::model::wiring::{GateAction, PipelineKey, RoleKey};

use super::Options;
use super::draft::{Draft, Rank};
use super::groups::Groups;
use super::join::{Joined, JoinedGate};
use super::roles::{self, Ownership};

/// The gates by their pipeline's service role.
type ByRole<'g, 'a> = Groups<'g, 'a, RoleKey>;

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    let mut documents = Vec::new();
    let by_service_role = joined.by_service_role();
    for (key, gates) in joined.by_pipeline() {
        let Some(document) = gates.iter().find_map(|g| g.pipeline) else {
            continue;
        };
        documents.push(document);
        pipeline(
            joined,
            &key,
            &gates,
            document,
            options,
            &by_service_role,
            draft,
        );
    }
    for secret in &options.secrets {
        if !documents.iter().any(|d| d.has_masked(secret)) {
            draft.problem(no_such_secret(secret));
        }
    }
}

fn pipeline(
    joined: &Joined<'_>,
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    document: &PipelineDocument,
    options: &Options,
    by_service_role: &ByRole<'_, '_>,
    draft: &mut Draft<'_>,
) {
    // Without a known service role of its own account the pipeline is a problem already, and no document is made from it.
    let (Some(first), Some(service_role)) = (
        gates.first(),
        gates.iter().find_map(|g| g.service_role.as_ref()),
    ) else {
        return;
    };
    if options.adopt && adopts_of_others(joined, key, gates, document, draft) {
        return;
    }
    let request = request(joined, key, gates, document, options);
    let Patch {
        document: after,
        edits,
        refusals,
        warnings,
    } = patched(document, &request);
    // What is said of a gate of another partition only, that one says.
    let here = |names: &[GateName]| {
        names.is_empty()
            || names
                .iter()
                .any(|name| joined.wiring.selected.contains(name))
    };
    for refusal in refusals.into_iter().filter(|r| here(&r.gates)) {
        draft.problem(refused(key, refusal));
    }
    for warning in warnings.into_iter().filter(|w| here(&w.gates)) {
        draft.problem(warned(key, warning));
    }
    let roles = (service_role, by_service_role);
    left_behind(joined, key, gates, roles, &after, draft);
    if options.intent == Intent::Bootstrap {
        unnamed(joined, key, gates, &after, draft);
    }
    let edits: Vec<Edit> = edits
        .into_iter()
        .filter(|edit| joined.wiring.selected.contains(&edit.gate))
        .collect();
    if edits.is_empty() {
        return;
    }
    let changes = edits
        .into_iter()
        .map(|edit| change(key, first, edit))
        .collect();
    let update = PipelineUpdate {
        pipeline: key.clone(),
        version: document.version(),
        edit: PipelineEdit::Patch {
            request,
            service_role: service_role.to_string(),
        },
    };
    let work = Work::Pipeline(Box::new(update));
    draft.work(key.account.clone(), changes, Rank::Pipeline, work);
}

fn request(
    joined: &Joined<'_>,
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    document: &PipelineDocument,
    options: &Options,
) -> PatchRequest {
    let in_run = || gates.iter().filter(|g| g.in_run);
    let put = || in_run().map(|g| g.gate.action_spec(g.function_account));
    let remove = || {
        let is_ours = |g: &&&JoinedGate<'_>| !roles::is_somebody_elses(joined, g);
        in_run().filter(is_ours).map(|g| RemoveSpec {
            gate: g.gate.name.clone(),
            stage: g.gate.action.stage.clone(),
            action: g.gate.action.name.clone(),
            role_arn: g.role_arn.clone(),
        })
    };
    let (put, remove) = match options.intent {
        Intent::Bootstrap => (put().collect(), Vec::new()),
        Intent::Teardown => (Vec::new(), remove().collect()),
    };
    let is_put = |g: &JoinedGate<'_>| g.in_run && options.intent == Intent::Bootstrap;
    let siblings = gates
        .iter()
        .filter(|g| !is_put(g))
        .map(|g| OwnedAction {
            stage: g.gate.action.stage.clone(),
            action: g.gate.action.name.clone(),
            role_arn: g.role_arn.clone(),
        })
        .collect();
    let is_here = |secret: &&ActionSecret| document.has_masked(secret);
    PatchRequest {
        put,
        remove,
        siblings,
        secrets: options.secrets.iter().filter(is_here).cloned().collect(),
        adopt: options.adopt,
        region: key.region.clone(),
    }
}

/// The invoke role of an action that stands in a gate's place and has another role than the gate's, where that role is in an
/// account of the manifest: its tags tell whether the action is another project's, which even `--adopt` leaves alone.
pub(super) fn occupant(joined: &Joined<'_>, gate: &JoinedGate<'_>) -> Option<RoleKey> {
    let wanted = &gate.gate.action;
    let role = gate
        .pipeline?
        .stages()
        .filter(|stage| stage.name() == wanted.stage.as_str())
        .flat_map(StageView::actions)
        .filter(|action| action.name() == wanted.name.as_str())
        .find_map(|action| RoleArn::parse(action.role_arn()?).ok())?;
    let mut accounts = joined.wiring.accounts.iter();
    let (account, _) = accounts.find(|(_, account)| account.id == role.account)?;
    (role != gate.role_arn).then(|| RoleKey {
        account: account.clone(),
        name: role.name,
    })
}

fn adopts_of_others(
    joined: &Joined<'_>,
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    document: &PipelineDocument,
    draft: &mut Draft<'_>,
) -> bool {
    let mut found = false;
    for gate in gates.iter().filter(|g| g.in_run) {
        let Some(role) = occupant(joined, gate) else {
            continue;
        };
        let Seen::Present(seen) = joined.observed.role(&role) else {
            continue;
        };
        if let Ownership::OtherProject(project) = roles::ownership(joined.wiring, seen) {
            found = true;
            if !gate.selected {
                continue;
            }
            let GateAction { stage, name, .. } = &gate.gate.action;
            draft.problem(Problem {
                code: "action_conflict",
                severity: Severity::Blocked,
                account: Some(key.account.clone()),
                gates: vec![gate.gate.name.clone()],
                message: format!(
                    "pipeline {}: action {stage}/{name} belongs to the crossgate project `{project}`",
                    document.name()
                ),
                hint: Some("give this gate's action another name".to_owned()),
            });
        }
    }
    found
}

/// Stops a run that would leave an action standing whose role the service role may not assume any more: that of a gate that was
/// taken out of the manifest before it was torn down, or that somebody renamed. It is not ours to remove, and its pipeline would
/// fail there from now on.
fn left_behind(
    joined: &Joined<'_>,
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    (service_role, by_service_role): (&RoleArn, &ByRole<'_, '_>),
    patched: &PipelineDocument,
    draft: &mut Draft<'_>,
) {
    let role = RoleKey {
        account: key.account.clone(),
        name: service_role.name.clone(),
    };
    let policy = &joined.policies.assume;
    let Seen::Present(granted) = joined.observed.inline_policy(&role, policy.as_str()) else {
        return;
    };
    let keeps = |g: &&JoinedGate<'_>, invoke_role: &str| {
        g.service_role.as_ref() == Some(service_role) && g.holds() && g.role_arn.is(invoke_role)
    };
    for stage in patched.stages() {
        for action in stage.actions() {
            let Some(invoke_role) = action.role_arn() else {
                continue;
            };
            // Mostly it is a gate of this pipeline that keeps it; else one of another with the same service role may.
            let mut on_role = by_service_role.get(&role).into_iter().flatten();
            if gates.iter().any(|g| keeps(g, invoke_role))
                || !granted.contains(&format!("\"{invoke_role}\""))
                || on_role.any(|g| keeps(g, invoke_role))
            {
                continue;
            }
            let (stage, action) = (stage.name(), action.name());
            draft.problem(Problem {
                code: "action_left_behind",
                severity: Severity::Blocked,
                account: Some(key.account.clone()),
                gates: Vec::new(),
                message: format!(
                    "pipeline {}: action {stage}/{action} would stay, but the service role could not assume its role \
                     {invoke_role} any more, so that the pipeline would fail there",
                    key.name
                ),
                hint: Some(
                    "if it was a gate that is not in the manifest any more, `crossgate prune` shows and removes it; else take it \
                     out of the pipeline, or give it another role"
                        .to_owned(),
                ),
            });
        }
    }
}

/// Names the actions that run through an invoke role of this manifest's gates, and are no gate of it: what is left where the
/// manifest gave a gate another stage or action name. They go on running.
fn unnamed(
    joined: &Joined<'_>,
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    patched: &PipelineDocument,
    draft: &mut Draft<'_>,
) {
    // The role of a gate of another partition was not read: whether it is ours, that partition knows.
    let is_ours = |role: &str| {
        let mut own = gates.iter().filter(|g| g.selected || !g.in_run);
        own.any(|g| g.role_arn.is(role) && !roles::is_somebody_elses(joined, g))
    };
    let named: BTreeSet<(&str, &str)> = gates
        .iter()
        .map(|g| (g.gate.action.stage.as_str(), g.gate.action.name.as_str()))
        .collect();
    for stage in patched.stages() {
        for action in stage.actions() {
            let is_gate = named.contains(&(stage.name(), action.name()));
            if is_gate || !action.role_arn().is_some_and(is_ours) {
                continue;
            }
            let (stage, action) = (stage.name(), action.name());
            draft.problem(Problem {
                code: "action_not_named",
                severity: Severity::Warning,
                account: Some(key.account.clone()),
                gates: Vec::new(),
                message: format!(
                    "pipeline {}: action {stage}/{action} runs through an invoke role of this manifest, which does not name it",
                    key.name
                ),
                hint: Some(
                    "if the manifest has a new stage or action name for it, take the old one out of the pipeline".to_owned(),
                ),
            });
        }
    }
}

fn change(key: &PipelineKey, gate: &JoinedGate<'_>, edit: Edit) -> Change {
    let Edit {
        gate: name,
        stage,
        action,
        kind,
        reason,
        before,
        after,
    } = edit;
    let PipelineKey {
        account,
        region,
        name: pipeline,
    } = key;
    let resource = format!("{pipeline}/{stage}/{action}");
    let account_id = gate.pipeline_account.clone();
    let change_kind = ChangeKind::PipelineAction;
    Change {
        id: format!("{}/{account_id}/{region}/{resource}", change_kind.as_str()),
        account: account.clone(),
        account_id,
        region: Some(region.clone()),
        kind: change_kind,
        resource,
        action: match kind {
            EditKind::Create => ChangeAction::Create,
            EditKind::Update => ChangeAction::Update,
            EditKind::Delete => ChangeAction::Delete,
        },
        gates: vec![name],
        reason,
        before,
        after,
        held: None,
    }
}

fn refused(key: &PipelineKey, refusal: Refusal) -> Problem {
    let Refusal {
        code,
        gates,
        message,
        hint,
    } = refusal;
    Problem {
        code,
        severity: Severity::Blocked,
        account: Some(key.account.clone()),
        gates,
        message: format!("pipeline {}: {message}", key.name),
        hint: Some(hint),
    }
}

fn warned(key: &PipelineKey, warning: Warning) -> Problem {
    let Warning {
        code,
        gates,
        message,
    } = warning;
    Problem {
        code,
        severity: Severity::Warning,
        account: Some(key.account.clone()),
        gates,
        message: format!("pipeline {}: {message}", key.name),
        hint: None,
    }
}

pub(super) fn no_such_secret(secret: &ActionSecret) -> Problem {
    let ActionSecret {
        stage,
        action,
        key,
        value: _,
    } = secret;
    Problem {
        code: "secret_not_masked",
        severity: Severity::Blocked,
        account: None,
        gates: Vec::new(),
        message: format!(
            "--secret {stage}/{action}/{key}: no pipeline of this run has a masked value there"
        ),
        hint: Some("a plan names the masked values as STAGE/ACTION/KEY".to_owned()),
    }
}
