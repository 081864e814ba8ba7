//! The ways from stage to stage: closed and opened by people, and whether an execution may pass.
//! Moves no execution, which is `engine`'s; authorization is asked in `codepipeline`.
//!
//! Source: api: DisableStageTransition, EnableStageTransition, TransitionState.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::{Moment, seconds};
use super::errors::Refused;
use super::execution::Home;
use super::state::{Pipeline, State};
use super::structure;

/// A way that somebody has closed or opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transition {
    open: bool,
    reason: Option<String>,
    by: String,
    at: Moment,
}

/// Closes or opens a way, as the input of DisableStageTransition or EnableStageTransition says. The pipeline is there.
pub(super) fn change(
    state: &mut State,
    home: &Home,
    by: &str,
    input: &Value,
    open: bool,
) -> Result<(), Refused> {
    let stage = structure::name(input, "stageName");
    let kind = structure::name(input, "transitionType");
    if !matches!(kind, "Inbound" | "Outbound") {
        return Err(invalid(&format!(
            "Value '{kind}' at 'transitionType' failed to satisfy constraint: Member must satisfy enum value set: [Inbound, \
             Outbound]"
        )));
    }
    let reason = input.get("reason").and_then(Value::as_str);
    if !open {
        check(reason.unwrap_or_default())?;
    }
    let at = state.clock.now();
    let Some(pipeline) = state.pipeline_mut(&home.account, &home.region, &home.name) else {
        return Ok(());
    };
    let mut stages = structure::stages(&pipeline.document).iter();
    if !stages.any(|one| structure::name(one, "name") == stage) {
        let message = format!("Pipeline {} has no stage {stage}", home.name);
        return Err(Refused::new(400, "StageNotFoundException", message));
    }
    let transition = Transition {
        open,
        reason: reason.filter(|_| !open).map(str::to_owned),
        by: by.to_owned(),
        at,
    };
    pipeline
        .transitions
        .insert(format!("{kind}/{stage}"), transition);
    Ok(())
}

/// Whether executions may enter a stage: its own way in is open, and the way out of the one before it.
pub(super) fn is_open(pipeline: &Pipeline, stage: &str) -> bool {
    let closed = |key: String| pipeline.transitions.get(&key).is_some_and(|t| !t.open);
    let names = structure::stages(&pipeline.document)
        .iter()
        .map(|s| structure::name(s, "name"));
    let before = names.take_while(|name| *name != stage).last();
    !closed(format!("Inbound/{stage}"))
        && !before.is_some_and(|before| closed(format!("Outbound/{before}")))
}

/// `inboundTransitionState` of a stage, in GetPipelineState.
pub(super) fn seen(pipeline: &Pipeline, stage: &str) -> Value {
    let Some(transition) = pipeline.transitions.get(&format!("Inbound/{stage}")) else {
        return json!({ "enabled": true });
    };
    let Transition {
        open,
        reason,
        by,
        at,
    } = transition;
    let mut seen = json!({ "enabled": open, "lastChangedBy": by, "lastChangedAt": seconds(*at) });
    if let (Some(reason), Some(object)) = (reason, seen.as_object_mut()) {
        object.insert("disabledReason".to_owned(), json!(reason));
    }
    seen
}

/// Length and letters of a reason (api: DisableStageTransition).
fn check(reason: &str) -> Result<(), Refused> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!@ ().*?-".contains(c);
    if (1..=300).contains(&reason.len()) && reason.chars().all(allowed) {
        return Ok(());
    }
    Err(invalid(
        "Value at 'reason' failed to satisfy constraint: Member must have 1 to 300 characters and satisfy regular expression \
         pattern: [a-zA-Z0-9!@ \\(\\)\\.\\*\\?\\-]+",
    ))
}

fn invalid(why: &str) -> Refused {
    let message = format!("1 validation error detected: {why}");
    Refused::new(400, "ValidationException", message)
}
