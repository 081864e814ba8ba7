//! What is asked of a pipeline document and what comes of it: requests, edits, refusals, warnings.
//! Values only: `patch` works them out.

use super::super::account::Region;
use super::super::arn::RoleArn;
use super::super::json_text::JsonText;
use super::super::name::{ActionName, GateName, StageName};
use super::super::secret::ActionSecret;
use super::{ActionSpec, PipelineDocument};

/// What is to be changed in one pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    /// The actions that must stand in the pipeline.
    pub put: Vec<ActionSpec>,
    /// The actions that must not.
    pub remove: Vec<RemoveSpec>,
    /// The actions of all other gates of the manifest in this pipeline, selected or not: with `put` they tell which stages are ours.
    pub siblings: Vec<OwnedAction>,
    /// Real values for masked secrets; sent only where the document is sent anyway.
    pub secrets: Vec<ActionSecret>,
    /// Takes over an action of the same place that is not owned.
    pub adopt: bool,
    /// The pipeline's own region.
    pub region: Region,
}

/// An action of a gate that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveSpec {
    /// The gate.
    pub gate: GateName,
    /// Its stage.
    pub stage: StageName,
    /// Its action.
    pub action: ActionName,
    /// Its invoke role: without it the action is not ours and stays.
    pub role_arn: RoleArn,
}

/// What makes an action ours: stage, name and role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedAction {
    /// The stage.
    pub stage: StageName,
    /// The action.
    pub action: ActionName,
    /// The invoke role.
    pub role_arn: RoleArn,
}

/// What a request comes to.
///
/// A refused gate has no edit and leaves no trace in the document, so that the document is always one that could be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch<D = PipelineDocument> {
    /// The patched document; equal to the one that was given where there is no edit.
    pub document: D,
    /// What changes, by gate.
    pub edits: Vec<Edit>,
    /// What cannot be done, with the reason.
    pub refusals: Vec<Refusal>,
    /// What a person should know before the document is sent.
    pub warnings: Vec<Warning>,
}

/// The change of one gate.
///
/// `before` and `after` are `{"stage": …, "action": …}` with the raw action; where the stage itself is made, moved or removed,
/// `stands_after` between the two names the stage directly before it (null: it stands first).
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The gate.
    pub gate: GateName,
    /// Its stage.
    pub stage: StageName,
    /// Its action.
    pub action: ActionName,
    /// What happens to the action.
    pub kind: EditKind,
    /// Why, in plain words.
    pub reason: String,
    /// What is there.
    pub before: Option<JsonText>,
    /// What will be there.
    pub after: Option<JsonText>,
}

/// What happens to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditKind {
    /// It is made.
    Create,
    /// It is changed or moved.
    Update,
    /// It is removed.
    Delete,
}

/// What cannot be done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, for scripts: `action_conflict`, `action_twice`, `source_stage`, `before_source_stage`, `stage_not_found`,
    /// `placement_cycle`, `too_few_stages`, `too_many_stages`, `too_many_actions`, `artifact_not_produced`, `artifact_in_use`,
    /// `artifact_name_taken`, `namespace_taken`, `namespace_in_use`, `region_without_bucket`, `secret_not_masked`.
    pub code: &'static str,
    /// The gates that are refused, sorted; none where it is about a secret.
    pub gates: Vec<GateName>,
    /// What cannot be done and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// What a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable, for scripts: `masked_secret`, `placement_ignored`, `timeout_on_lambda`.
    pub code: &'static str,
    /// The gates that it is about; none where it is about the document.
    pub gates: Vec<GateName>,
    /// The text.
    pub message: String,
}
