//! `run`: starts a pipeline, or takes an execution that is under way, and follows it until its gates have answered.
//! Glue and pauses; what an execution means is decided in `follow`.

use std::time::Duration;

use crate::apply::Timing;
use crate::cli::{Common, Format, RunArgs};
use crate::cloud::{CloudError, Executions};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::follow::{Answer, FollowedGate, Pace, answer, latest, news};
use crate::model::change::Intent;
use crate::model::execution::{ActionExecution, ActionStatus, ExecutionId, ExecutionKey};
use crate::model::name::GateName;
use crate::model::status::Status;
use crate::model::wiring::{PipelineKey, Wiring};
use crate::output;
use crate::output::execution::{self, Ending, Followed, Watch};

use super::run::Run;
use super::timing::Clock;
use super::{stderr_style, stdout_style};

/// How long an answer may take (guide: limits): the action fails 20 minutes after the last sign of its function.
const ANSWER_WITHIN: Duration = Duration::from_mins(20);

/// The longest sleep without a look whether the person asked to stop.
const SLICE: Duration = Duration::from_millis(200);

pub(super) async fn run(
    common: Common,
    args: RunArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let RunArgs {
        execution,
        timeout,
        stop_on_interrupt,
    } = args;
    let run = Run::new(&common, Intent::Bootstrap, environment)?;
    let (pipeline, gates) = followed(&run.wiring)?;
    let id = execution.as_deref().map(parse_id).transpose()?;
    let watch = Watch::stderr(
        &stderr_style(environment),
        environment.can_draw(),
        environment.quiet,
    );
    let clock = Clock::listening_to_ctrl_c_quietly();
    let id = match id {
        Some(id) => id,
        None => run.cloud.start(&pipeline).await?,
    };
    let key = ExecutionKey { pipeline, id };
    watch.say(&format!("{} execution {}\n", key.pipeline.name, key.id));
    let timing = Following {
        clock: &clock,
        pace: Pace::AWS,
        timeout: Duration::from_secs(u64::from(timeout) * 60),
    };
    let (actions, mut ending) = follow(&run.cloud, &key, &gates, &timing, &watch).await?;
    watch.clear();
    if clock.is_interrupted() && matches!(ending, Ending::Unknown { .. }) {
        let why = interrupted(&run.cloud, &key, stop_on_interrupt).await?;
        ending = Ending::Unknown { why };
    }
    let names: Vec<GateName> = gates.iter().map(|gate| gate.name.clone()).collect();
    let followed = Followed {
        execution: &key,
        gates: &names,
        actions: latest(&actions),
        status: status(&ending),
        next: next(&ending, &key),
        ending,
    };
    let text = match common.format {
        Format::Text => execution::ending(&followed, &stdout_style(environment)),
        Format::Json => execution::render_json(&followed)?,
    };
    output::write::result(&text)?;
    Ok(ExitCode::of(followed.status, true))
}

pub(super) fn parse_id(text: &str) -> Result<ExecutionId, Error> {
    ExecutionId::new(text).ok_or_else(|| Error::Usage {
        message: "--execution: that is not an execution's id".to_owned(),
        hint: "`aws codepipeline list-pipeline-executions --pipeline-name NAME` lists them"
            .to_owned(),
    })
}

/// The one pipeline of the selected gates, and the gates in it.
pub(super) fn followed(wiring: &Wiring) -> Result<(PipelineKey, Vec<FollowedGate>), Error> {
    let selected: Vec<_> = wiring
        .gates
        .iter()
        .filter(|g| wiring.is_selected(g))
        .collect();
    let usage = |message: &str| Error::Usage {
        message: message.to_owned(),
        hint: "name the gate to follow with --gate NAME".to_owned(),
    };
    let Some(first) = selected.first() else {
        return Err(usage("the manifest has no gate"));
    };
    if selected.iter().any(|gate| gate.pipeline != first.pipeline) {
        return Err(usage(
            "the gates of this manifest stand in several pipelines",
        ));
    }
    let gates = selected.iter().map(|gate| FollowedGate {
        name: gate.name.clone(),
        stage: gate.action.stage.clone(),
        action: gate.action.name.clone(),
    });
    Ok((first.pipeline.clone(), gates.collect()))
}

/// How an execution is followed.
pub(super) struct Following<'t, T> {
    pub(super) clock: &'t T,
    pub(super) pace: Pace,
    pub(super) timeout: Duration,
}

/// Looks until the gates have answered, the time is up, or the person asks to stop. One call a look.
pub(super) async fn follow<E: Executions, T: Timing>(
    cloud: &E,
    key: &ExecutionKey,
    gates: &[FollowedGate],
    following: &Following<'_, T>,
    watch: &Watch,
) -> Result<(Vec<ActionExecution>, Ending), CloudError> {
    let Following {
        clock,
        pace,
        timeout,
    } = following;
    let mut seen: Vec<ActionExecution> = Vec::new();
    let (mut pause, mut waited) = (None, Duration::ZERO);
    loop {
        let mut is_news = false;
        // Where nothing is under way the execution may be over; only then is it asked, in place of its actions.
        let idle = seen.iter().all(|a| a.status != ActionStatus::InProgress);
        let look_at_execution = idle && pause.is_some_and(|p| p > pace.first);
        let execution = if look_at_execution {
            Some(cloud.status(key).await?)
        } else {
            let now = cloud.actions(key).await?;
            for one in news(&seen, &now) {
                is_news = true;
                watch.news(one);
            }
            seen = now;
            None
        };
        match answer(gates, &seen, execution) {
            Answer::Passed => return Ok((seen, Ending::Passed)),
            Answer::Refused { gate, why } => return Ok((seen, Ending::Refused { gate, why })),
            Answer::NotReached { why } => return Ok((seen, Ending::Unknown { why })),
            Answer::Undecided => {}
        }
        if waited >= *timeout {
            let why = format!("no answer within {}", minutes(*timeout));
            return Ok((seen, Ending::Unknown { why }));
        }
        let wait = pace.next(pause, is_news);
        pause = Some(wait);
        // The last look comes when the time is up, not a long pause later; but never sooner after the one before than the pace.
        let wait = wait.min(timeout.saturating_sub(waited)).max(pace.first);
        waited += sleep(*clock, wait, |slept| {
            watch.waiting(&waiting(&seen, gates, waited + slept));
        })
        .await;
        if clock.is_interrupted() {
            let why = "the following was interrupted".to_owned();
            return Ok((seen, Ending::Unknown { why }));
        }
    }
}

/// Sleeps in slices, so that an interruption is seen soon. Answers how long it slept.
async fn sleep<T: Timing>(clock: &T, wait: Duration, mut tick: impl FnMut(Duration)) -> Duration {
    let mut slept = Duration::ZERO;
    while slept < wait && !clock.is_interrupted() {
        tick(slept);
        let slice = SLICE.min(wait.saturating_sub(slept));
        clock.sleep(slice).await;
        slept += slice;
    }
    slept
}

fn waiting(seen: &[ActionExecution], gates: &[FollowedGate], waited: Duration) -> String {
    let open = latest(seen)
        .into_iter()
        .find(|one| one.status == ActionStatus::InProgress);
    let Some(one) = open else {
        return format!("waiting for the next action, {}", minutes(waited));
    };
    let is_gate = gates
        .iter()
        .any(|g| one.stage == g.stage.as_str() && one.action == g.action.as_str());
    let limit = if is_gate {
        format!(" of {}", minutes(ANSWER_WITHIN))
    } else {
        String::new()
    };
    format!(
        "{}/{}: in progress, {}{limit}",
        one.stage,
        one.action,
        minutes(waited)
    )
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The execution goes on without us, unless it is to be stopped with us.
async fn interrupted<E: Executions>(
    cloud: &E,
    key: &ExecutionKey,
    stop: bool,
) -> Result<String, CloudError> {
    if stop {
        cloud
            .stop(key, "stopped by crossgate run --stop-on-interrupt")
            .await?;
        return Ok(
            "interrupted: the execution was told to stop after what is under way".to_owned(),
        );
    }
    Ok("interrupted: the execution goes on without being followed".to_owned())
}

fn status(ending: &Ending) -> Status {
    match ending {
        Ending::Passed => Status::Applied,
        Ending::Refused { .. } => Status::Drift,
        Ending::Unknown { .. } => Status::Incomplete,
    }
}

fn next(ending: &Ending, key: &ExecutionKey) -> Option<String> {
    match ending {
        Ending::Passed => None,
        Ending::Refused { gate, .. } => Some(format!(
            "mend what the gate found and release again; if it should have passed, `crossgate diagnose --gate {gate} \
             --execution {}` says why it did not",
            key.id
        )),
        Ending::Unknown { .. } => Some(format!(
            "follow it again with `crossgate run --execution {}`; `crossgate diagnose --execution {}` says what keeps it",
            key.id, key.id
        )),
    }
}
