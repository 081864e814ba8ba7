//! Runs pipelines: stages in turn, actions by their order, roles assumed, functions invoked, answers waited for.
//! Each of its calls is authorized like anyone's; it knows no protocol and starts no process.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use super::execution::{ActionExecution, ActionStatus, Details, Execution, Home, Status};
use super::state::{Outcome, State, Timer};
use super::{builtins, functions, jobs, structure, transitions};

/// Does what is due, again and again, until the task is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let wait = {
            let mut state = shared.lock();
            due(&mut state);
            while let Some(run) = state.runs.pop_front() {
                state.running += 1;
                tokio::spawn(functions::process(Arc::clone(&shared), run));
            }
            let next = state.timers.keys().next().map(|(at, _)| *at);
            next.map(|at| {
                // Nothing runs, nothing is due: time passes at once.
                if state.clock.jumps() && state.running == 0 {
                    let gap = at.saturating_sub(state.clock.now());
                    state.clock.advance(gap);
                }
                state.clock.until(at)
            })
        };
        match wait {
            Some(wait) => tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shared.wake.notified() => {}
            },
            None => shared.wake.notified().await,
        }
    }
}

/// Does everything whose moment has come.
fn due(state: &mut State) {
    let now = state.clock.now();
    while let Some(entry) = state.timers.first_entry() {
        if entry.key().0 > now {
            break;
        }
        match entry.remove() {
            Timer::Answer { run, builtin } => builtins::answer(state, *run, builtin),
            Timer::GiveUp { job, generation } => jobs::give_up(state, &job, generation),
            Timer::Again { job } => jobs::again(state, &job),
            Timer::Retry { run } => functions::start(state, *run),
            Timer::Throttled { run, since, pause } => {
                functions::start_throttled(state, *run, since, pause);
            }
            Timer::Settled => {}
        }
    }
}

/// Starts an execution; gives its id.
pub(super) fn start(state: &mut State, home: &Home, trigger: &str) -> String {
    let id = state.random.uuid();
    let now = state.clock.now();
    if let Some(pipeline) = state.pipeline_mut(&home.account, &home.region, &home.name) {
        let first = structure::stages(&pipeline.document).first();
        let stage = first
            .map(|s| structure::name(s, "name"))
            .unwrap_or_default();
        let execution = Execution {
            id: id.clone(),
            status: Status::InProgress,
            version: pipeline.document["version"].as_u64().unwrap_or(1),
            started: now,
            updated: now,
            trigger: trigger.to_owned(),
            reason: None,
            stage: stage.to_owned(),
            entered: Vec::new(),
            waiting: true,
            actions: Vec::new(),
        };
        pipeline.executions.push(execution);
    }
    settle(state, home);
    id
}

/// Stops an execution: at once, or when the actions that run are done.
pub(super) fn stop(
    state: &mut State,
    home: &Home,
    id: &str,
    abandon: bool,
    reason: Option<String>,
) {
    let now = state.clock.now();
    with(state, home, id, |execution| {
        execution.reason = reason;
        execution.updated = now;
        if abandon {
            execution.abandon();
        } else {
            execution.status = Status::Stopping;
        }
    });
    if abandon {
        // An answer to an abandoned action comes too late.
        let jobs = state.jobs.values_mut();
        for job in jobs.filter(|job| job.execution == id) {
            job.open = false;
        }
    }
    settle(state, home);
}

/// Runs the failed actions of a stage again, or all. False where the execution has not failed in that stage.
pub(super) fn retry(state: &mut State, home: &Home, id: &str, stage: &str, all: bool) -> bool {
    let now = state.clock.now();
    let done = with(state, home, id, |execution| {
        let ended = matches!(execution.status, Status::Failed | Status::Stopped);
        if !ended || execution.stage != stage {
            return false;
        }
        // What has succeeded is not run again unless all shall be; the settled stage starts what lacks a run.
        for action in execution.actions.iter_mut().filter(|a| a.stage == stage) {
            action.retried |= all || action.status != ActionStatus::Succeeded;
        }
        execution.status = Status::InProgress;
        execution.updated = now;
        true
    });
    settle(state, home);
    done.unwrap_or(false)
}

/// Changes an execution.
fn with<T>(
    state: &mut State,
    home: &Home,
    id: &str,
    change: impl FnOnce(&mut Execution) -> T,
) -> Option<T> {
    let pipeline = state.pipeline_mut(&home.account, &home.region, &home.name)?;
    pipeline
        .executions
        .iter_mut()
        .find(|e| e.id == id)
        .map(change)
}

/// What is to be done next in a pipeline.
enum Step {
    Enter(String),
    Begin(String, Vec<Value>),
    Leave(String),
    End(String, Status),
}

/// Moves all executions of a pipeline on, as far as they go without waiting.
pub(super) fn settle(state: &mut State, home: &Home) {
    // Each step ends an execution, starts an action or enters a stage, of which there are finitely many.
    while let Some(step) = next_step(state, home) {
        match step {
            Step::Enter(id) => enter(state, home, &id),
            Step::Begin(id, actions) => {
                for action in actions {
                    begin(state, home, &id, &action);
                }
            }
            Step::Leave(id) => leave(state, home, &id),
            Step::End(id, status) => end(state, home, &id, status),
        }
    }
}

fn next_step(state: &State, home: &Home) -> Option<Step> {
    let pipeline = state.pipeline(&home.account, &home.region, &home.name)?;
    let parallel = pipeline.document["executionMode"] == "PARALLEL";
    let alive = || pipeline.executions.iter().filter(|e| e.is_alive());
    for execution in alive() {
        let id = || execution.id.clone();
        if execution.waiting {
            if execution.status == Status::Stopping {
                return Some(Step::End(id(), Status::Stopped));
            }
            let taken = alive().any(|e| !e.waiting && e.stage == execution.stage);
            let open = transitions::is_open(pipeline, &execution.stage);
            if open && (!taken || parallel) {
                return Some(Step::Enter(id()));
            }
            continue;
        }
        if let Some(step) = inside(execution) {
            return Some(step);
        }
    }
    None
}

/// The next step of an execution that is in a stage.
fn inside(execution: &Execution) -> Option<Step> {
    let id = || execution.id.clone();
    let latest = |action: &Value| {
        let name = structure::name(action, "name");
        let mut runs = execution.actions.iter().rev();
        runs.find(|a| a.stage == execution.stage && a.action == name)
            .filter(|a| !a.retried)
    };
    let running =
        |action: &&Value| latest(action).is_some_and(|a| a.status == ActionStatus::InProgress);
    if execution.entered.iter().any(|a| running(&a)) {
        return None;
    }
    let failed = |action: &&Value| {
        latest(action)
            .is_some_and(|a| matches!(a.status, ActionStatus::Failed | ActionStatus::Abandoned))
    };
    if execution.entered.iter().any(|a| failed(&a)) {
        return Some(Step::End(id(), Status::Failed));
    }
    if execution.status == Status::Stopping {
        return Some(Step::End(id(), Status::Stopped));
    }
    let left = || execution.entered.iter().filter(|a| latest(a).is_none());
    match left().map(structure::order).min() {
        Some(order) => {
            let group = left().filter(|a| structure::order(a) == order);
            Some(Step::Begin(id(), group.cloned().collect()))
        }
        None => Some(Step::Leave(id())),
    }
}

/// An execution enters the stage that it waits for, as the stage stands now.
fn enter(state: &mut State, home: &Home, id: &str) {
    let Some(pipeline) = state.pipeline_mut(&home.account, &home.region, &home.name) else {
        return;
    };
    let stages = structure::stages(&pipeline.document);
    let found = pipeline.executions.iter_mut().find(|e| e.id == id);
    let Some(execution) = found else { return };
    let stage = stages
        .iter()
        .find(|s| structure::name(s, "name") == execution.stage);
    execution.waiting = false;
    match stage {
        Some(stage) => execution.entered = structure::actions(stage).to_vec(),
        // The stage was taken away while the execution waited for it.
        None => execution.status = Status::Failed,
    }
}

/// An execution leaves its stage for the next, or ends well.
fn leave(state: &mut State, home: &Home, id: &str) {
    let now = state.clock.now();
    let Some(pipeline) = state.pipeline_mut(&home.account, &home.region, &home.name) else {
        return;
    };
    let superseded = pipeline.document["executionMode"] == "SUPERSEDED";
    let stages = structure::stages(&pipeline.document);
    let Some(at) = pipeline.executions.iter().position(|e| e.id == id) else {
        return;
    };
    let (earlier, rest) = pipeline.executions.split_at_mut(at);
    let Some(execution) = rest.first_mut() else {
        return;
    };
    execution.updated = now;
    let mut names = stages.iter().map(|s| structure::name(s, "name"));
    let next = names
        .by_ref()
        .find(|n| *n == execution.stage)
        .and_then(|_| names.next());
    let Some(next) = next else {
        execution.status = Status::Succeeded;
        return;
    };
    next.clone_into(&mut execution.stage);
    execution.waiting = true;
    execution.entered.clear();
    let older = earlier
        .iter_mut()
        .filter(|e| e.is_alive() && e.waiting && e.stage == next);
    for other in older.filter(|_| superseded) {
        other.status = Status::Superseded;
        other.updated = now;
    }
}

fn end(state: &mut State, home: &Home, id: &str, status: Status) {
    let now = state.clock.now();
    with(state, home, id, |execution| {
        execution.status = status;
        execution.updated = now;
    });
}

/// Starts an action. Those that are no Lambda actions succeed at once, or end as they were told to.
fn begin(state: &mut State, home: &Home, execution: &str, declared: &Value) {
    let now = state.clock.now();
    let id = state.random.uuid();
    let invokes = structure::invokes(declared);
    let name = structure::name(declared, "name");
    let outcome = |state: &State| {
        let pipeline = state.pipeline(&home.account, &home.region, &home.name)?;
        let execution = pipeline.executions.iter().find(|e| e.id == execution)?;
        let told = pipeline
            .outcomes
            .get(&format!("{}/{name}", execution.stage));
        told.cloned()
    };
    let (status, error) = if invokes {
        (ActionStatus::InProgress, None)
    } else {
        result(outcome(state).unwrap_or_default())
    };
    let run = |stage: &str| ActionExecution {
        id: id.clone(),
        stage: stage.to_owned(),
        action: name.to_owned(),
        declared: declared.clone(),
        status,
        started: now,
        updated: now,
        external_id: None,
        summary: None,
        percent: None,
        error,
        variables: json!({}),
        retried: false,
    };
    with(state, home, execution, |e| {
        let run = run(&e.stage);
        e.actions.push(run);
        e.updated = now;
    });
    if invokes && let Err(details) = jobs::invoke(state, home, execution, &id, declared) {
        finish(state, home, execution, &id, |action| {
            action.status = ActionStatus::Failed;
            action.error = Some(details);
        });
    }
}

/// What an action of another provider has come to.
fn result(outcome: Outcome) -> (ActionStatus, Option<Details>) {
    match outcome {
        Outcome::Succeed => (ActionStatus::Succeeded, None),
        Outcome::Fail { code, message } => (ActionStatus::Failed, Some(Details { code, message })),
        Outcome::Wait => (ActionStatus::InProgress, None),
    }
}

/// Tells an action how it ends from now on; runs of it that wait end so now.
pub(super) fn tell(state: &mut State, home: &Home, stage: &str, action: &str, outcome: Outcome) {
    let now = state.clock.now();
    let Some(pipeline) = state.pipeline_mut(&home.account, &home.region, &home.name) else {
        return;
    };
    let runs = pipeline.executions.iter_mut().flat_map(|e| &mut e.actions);
    let waits = |run: &&mut ActionExecution| {
        run.stage == stage && run.action == action && run.status == ActionStatus::InProgress
    };
    for run in runs.filter(waits) {
        (run.status, run.error) = result(outcome.clone());
        run.updated = now;
    }
    pipeline
        .outcomes
        .insert(format!("{stage}/{action}"), outcome);
    settle(state, home);
}

/// Ends or changes a run of an action.
pub(super) fn finish(
    state: &mut State,
    home: &Home,
    execution: &str,
    action: &str,
    change: impl FnOnce(&mut ActionExecution),
) {
    let now = state.clock.now();
    with(state, home, execution, |e| {
        if let Some(run) = e.actions.iter_mut().find(|a| a.id == action) {
            change(run);
            run.updated = now;
        }
        e.updated = now;
    });
}
