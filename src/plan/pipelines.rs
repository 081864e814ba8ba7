//! The gates' actions in their pipelines: one patch a pipeline, however many gates.
//! The patch itself is `model::pipeline`'s; here it becomes changes, problems and one step.

use crate::model::change::{
    Change, ChangeAction, ChangeKind, Intent, PipelineUpdate, Problem, Severity, Work,
};
use crate::model::pipeline::{
    Edit, EditKind, OwnedAction, Patch, PatchRequest, PipelineDocument, Refusal, RemoveSpec,
    Warning, patch,
};
use crate::model::secret::ActionSecret;
use crate::model::wiring::PipelineKey;

use super::Options;
use super::draft::{Draft, Rank};
use super::join::{Joined, JoinedGate};

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    let mut documents = Vec::new();
    for (key, gates) in joined.by_pipeline() {
        let Some(document) = gates.iter().find_map(|g| g.pipeline) else {
            continue;
        };
        documents.push(document);
        pipeline(&key, &gates, document, options, draft);
    }
    for secret in &options.secrets {
        if !documents.iter().any(|d| d.has_masked(secret)) {
            draft.problem(no_such_secret(secret));
        }
    }
}

fn pipeline(
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    document: &PipelineDocument,
    options: &Options,
    draft: &mut Draft<'_>,
) {
    // Without a known service role of its own account the pipeline is a problem already, and no document is made from it.
    let (Some(first), Some(service_role)) = (
        gates.first(),
        gates.iter().find_map(|g| g.service_role.as_ref()),
    ) else {
        return;
    };
    let request = request(key, gates, document, options);
    let Patch {
        document: _,
        edits,
        refusals,
        warnings,
    } = patch(document, &request);
    for refusal in refusals {
        draft.problem(refused(key, refusal));
    }
    for warning in warnings {
        draft.problem(warned(key, warning));
    }
    if edits.is_empty() {
        return;
    }
    let changes = edits
        .into_iter()
        .map(|edit| change(key, first, edit))
        .collect();
    let update = PipelineUpdate {
        pipeline: key.clone(),
        request,
        version: document.version(),
        service_role: service_role.to_string(),
    };
    let work = Work::Pipeline(Box::new(update));
    draft.work(key.account.clone(), changes, Rank::Pipeline, work);
}

fn request(
    key: &PipelineKey,
    gates: &[&JoinedGate<'_>],
    document: &PipelineDocument,
    options: &Options,
) -> PatchRequest {
    let selected = || gates.iter().filter(|g| g.selected);
    let put = || selected().map(|g| g.gate.action_spec(g.function_account));
    let remove = || {
        selected().map(|g| RemoveSpec {
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
    let siblings = gates
        .iter()
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

fn no_such_secret(secret: &ActionSecret) -> Problem {
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
