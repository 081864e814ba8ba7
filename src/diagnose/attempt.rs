//! Which execution is looked at, and what the gate's action did in it.
//! It picks; what that means is decided in `causes`.

use crate::model::execution::{
    ActionExecution, ActionStatus, ExecutionId, ExecutionStatus, ExecutionSummary,
};
use crate::model::observed::{Observed, Seen};
use crate::model::wiring::Gate;

use super::Options;

/// True for a run of the gate's action.
pub(super) fn is_of(gate: &Gate, one: &ActionExecution) -> bool {
    one.stage == gate.action.stage.as_str() && one.action == gate.action.name.as_str()
}

/// The newest executions, the newest first.
pub(super) fn executions<'a>(observed: &'a Observed, gate: &Gate) -> &'a [ExecutionSummary] {
    match observed.pipeline_executions(&gate.pipeline) {
        Seen::Present(executions) => executions,
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => &[],
    }
}

/// The execution to look at: the one that was asked for; else the newest that came to the gate; else the newest of all. Where
/// the gate let that one go on, and the newest of all ended before it came to the gate, it is the newest that somebody wonders
/// about.
pub(super) fn chosen(observed: &Observed, gate: &Gate, options: &Options) -> Option<ExecutionId> {
    if let Some(id) = &options.execution {
        return Some(id.clone());
    }
    let runs = match observed.action_executions(&gate.pipeline, None) {
        Seen::Present(actions) => actions.as_slice(),
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => &[],
    };
    let came = runs.iter().find(|one| is_of(gate, one));
    let newest = executions(observed, gate).first();
    if let (Some(came), Some(newest)) = (came, newest)
        && came.status == ActionStatus::Succeeded
        && ended_early(newest.status)
        && !runs
            .iter()
            .any(|one| is_of(gate, one) && one.execution.as_ref() == Some(&newest.id))
    {
        return Some(newest.id.clone());
    }
    let came = came.and_then(|one| one.execution.clone());
    came.or_else(|| newest.map(|one| one.id.clone()))
}

/// True where no more actions will come.
fn ended_early(status: ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Failed | ExecutionStatus::Stopped | ExecutionStatus::Cancelled => true,
        ExecutionStatus::InProgress
        | ExecutionStatus::Stopping
        | ExecutionStatus::Succeeded
        | ExecutionStatus::Superseded
        | ExecutionStatus::Unknown => false,
    }
}

/// All actions of the execution, the newest first.
pub(super) fn actions<'a>(
    observed: &'a Observed,
    gate: &Gate,
    id: &ExecutionId,
) -> &'a [ActionExecution] {
    match observed.action_executions(&gate.pipeline, Some(id)) {
        Seen::Present(actions) => actions,
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => &[],
    }
}

/// How long the log is asked for around an attempt, in seconds: a little before for clocks that differ, and after it for as long as
/// Lambda tries an asynchronous call again (Lambda developer guide, "Asynchronous invocation": after one minute, then two).
const BEFORE: i64 = 5;
const AFTER: i64 = 5 * 60;

/// The time around an attempt in which the function's log is of interest, in milliseconds since 1970; none where AWS does not
/// say when it began.
pub(super) fn window(attempt: &ActionExecution, now: i64) -> Option<(i64, i64)> {
    let started = attempt.started?;
    let last = match attempt.status {
        ActionStatus::InProgress | ActionStatus::Unknown => now.max(started),
        ActionStatus::Succeeded | ActionStatus::Failed | ActionStatus::Abandoned => {
            attempt.updated.unwrap_or(now).max(started)
        }
    };
    let ms = |seconds: i64| seconds.saturating_mul(1000);
    Some((ms(started - BEFORE), ms(last + AFTER)))
}

/// The status of the execution, where it is in the list.
pub(super) fn status(
    observed: &Observed,
    gate: &Gate,
    id: &ExecutionId,
) -> Option<ExecutionStatus> {
    let found = executions(observed, gate).iter().find(|one| one.id == *id);
    found.map(|one| one.status)
}
