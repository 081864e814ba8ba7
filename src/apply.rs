//! Carries out a plan: sends its calls in its order and reports each.
//! It decides nothing: behaviour belongs in `plan` (and the last look at a pipeline in `model::pipeline::renew`), where it can
//! be tested without touching anything real.

mod pipeline;
mod policy;
mod queue;
mod unanswered;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::Either;
use futures_util::stream::FuturesUnordered;

use pipeline::Look;
use queue::Queue;

use crate::cloud::Cloud;
use crate::model::account::AccountName;
use crate::model::artifact::PolicyHolder;
use crate::model::change::{Failure, FunctionUpdate, Outcome, Plan, Problem, Report, Step, Work};
use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::pipeline::PipelineDocument;
use crate::model::progress::Progress;
use crate::model::read::{Fact, Readiness};
use crate::model::wiring::PipelineKey;
use crate::model::write::{Write, Written};

/// Time and chance, passed in.
pub trait Timing {
    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
    /// A number from 0 to 1, for jitter.
    fn chance(&self) -> f64;
    /// True once the person asked to stop: what is under way is finished, nothing new is begun.
    fn is_interrupted(&self) -> bool;
    /// The time since some moment that stays the same.
    fn now(&self) -> Duration;
}

/// Where old pipeline documents are kept before they are replaced.
pub trait Backup {
    /// Saves a document and answers the file's path, or what went wrong.
    fn save(&self, key: &PipelineKey, document: &PipelineDocument) -> Result<PathBuf, String>;

    /// Saves the policy of a bucket or a key (`None`: it has none) and answers the file's path, or what went wrong.
    fn save_policy(&self, holder: &PolicyHolder, policy: Option<&str>) -> Result<PathBuf, String>;
}

/// What an apply works with.
pub struct Tools<'t, C, T, B> {
    /// The accounts.
    pub cloud: &'t C,
    /// Time and chance.
    pub timing: &'t T,
    /// Where backups go.
    pub backup: &'t B,
    /// Who wants to know how far it is.
    pub progress: &'t dyn Progress,
    /// Steps under way at once, over all accounts.
    pub side_by_side: usize,
}

/// What one step did.
struct Done {
    outcome: Outcome,
    backups: Vec<PathBuf>,
    problems: Vec<Problem>,
    wrote: bool,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            backups: Vec::new(),
            problems: Vec::new(),
            wrote: false,
        }
    }
}

/// What came to its end.
enum Ended {
    Step(usize, Done),
    Look(Look),
}

/// Carries out the plan.
pub async fn apply<C: Cloud, T: Timing, B: Backup>(
    plan: &Plan,
    tools: &Tools<'_, C, T, B>,
) -> Report {
    let mut queue = Queue::of(plan);
    let mut running = FuturesUnordered::new();
    loop {
        while let Some((index, step)) = queue.next() {
            if let Some(because_of) = queue.blocked(step) {
                queue.done(index, Outcome::Skipped { because_of }.into());
            } else if tools.timing.is_interrupted() {
                let because_of = "the run was interrupted".to_owned();
                queue.done(index, Outcome::Skipped { because_of }.into());
            } else if running.len() < tools.side_by_side.max(1) {
                let look = queue.start(index, step);
                let run = async move { Ended::Step(index, run(step, look, tools).await) };
                running.push(Either::Left(run));
                if let Some(update) = queue.early_look() {
                    let look = async move { Ended::Look(pipeline::look(update, tools).await) };
                    running.push(Either::Right(look));
                }
            } else {
                break;
            }
        }
        match running.next().await {
            Some(Ended::Step(index, done)) => {
                queue.end(index);
                queue.done(index, done);
            }
            Some(Ended::Look(look)) => queue.looked(look),
            None => break,
        }
    }
    report(plan, queue.results)
}

fn report(plan: &Plan, results: Vec<Option<Done>>) -> Report {
    let mut outcomes: Vec<Outcome> = plan
        .changes
        .iter()
        .map(|c| Outcome::Kept(c.held.clone().unwrap_or_default()))
        .collect();
    let (mut backups, mut problems, mut writes) = (Vec::new(), Vec::new(), 0);
    for (step, done) in plan.steps.iter().zip(results) {
        let Some(done) = done else { continue };
        for change in &step.changes {
            if let Some(slot) = outcomes.get_mut(*change) {
                *slot = done.outcome.clone();
            }
        }
        backups.extend(done.backups);
        problems.extend(done.problems);
        writes += usize::from(done.wrote);
    }
    Report {
        outcomes,
        backups,
        problems,
        writes,
    }
}

/// `look`: at the pipeline that it changes, if one was taken early.
async fn run<C: Cloud, T: Timing, B: Backup>(
    step: &Step,
    look: Option<Look>,
    tools: &Tools<'_, C, T, B>,
) -> Done {
    match &step.work {
        Work::Write { write, settling } => {
            let what = format!("{} {write}", write.operation());
            tools.progress.step_started(&step.account, &what);
            let written = send(&step.account, write, *settling, &what, tools).await;
            let done = written_to_done(written);
            tools
                .progress
                .step_done(&step.account, &what, &done.outcome);
            done
        }
        Work::Function(update) => {
            let what = format!("{} {}", update.write.operation(), update.write);
            tools.progress.step_started(&step.account, &what);
            let done = function(update, &what, tools).await;
            tools
                .progress
                .step_done(&step.account, &what, &done.outcome);
            done
        }
        Work::Policy(update) => {
            let what = policy::call(&update.holder);
            tools.progress.step_started(&step.account, &what);
            let done = policy::change(update, &what, tools).await;
            tools
                .progress
                .step_done(&step.account, &what, &done.outcome);
            done
        }
        Work::Pipeline(update) => {
            let what = format!(
                "codepipeline:UpdatePipeline pipeline {}",
                update.pipeline.name
            );
            tools.progress.step_started(&step.account, &what);
            let done = pipeline::change(update, &what, look, tools).await;
            tools
                .progress
                .step_done(&step.account, &what, &done.outcome);
            done
        }
    }
}

fn written_to_done(written: Result<Written, CloudError>) -> Done {
    match written {
        Ok(Written::Done | Written::Pipeline { .. }) => Done {
            wrote: true,
            ..Done::from(Outcome::Done)
        },
        Ok(Written::AlreadyThere) => Done::from(Outcome::AlreadyThere),
        Err(error) => Done::from(Outcome::Failed(Failure::Cloud(Box::new(error)))),
    }
}

/// How long IAM is waited for: it takes 10 to 30 s as a rule (domain.md, "What breaks in practice").
const SETTLE_ATTEMPTS: u32 = 12;
const SETTLE_FIRST: Duration = Duration::from_millis(500);
const SETTLE_MOST: Duration = Duration::from_secs(10);

/// Sends one write; waits out what IAM or CodePipeline refuse only until a change is known everywhere, and nothing else. Where
/// the run has just made the role (`settling`), that it is not found is one of these.
async fn send<C: Cloud, T: Timing, B>(
    account: &AccountName,
    write: &Write,
    settling: bool,
    what: &str,
    tools: &Tools<'_, C, T, B>,
) -> Result<Written, CloudError> {
    let mut attempt = 0;
    loop {
        let error = match tools.cloud.write(account, write).await {
            Ok(written) => return Ok(written),
            Err(error) => error,
        };
        let made = match write.proof() {
            Some(read) if error.kind == CloudErrorKind::Conflict => {
                Some(tools.cloud.read(account, &read).await)
            }
            _ => None,
        };
        if let Some(Ok(fact)) = &made
            && write.is_proven_by(fact)
        {
            return Ok(Written::Done);
        }
        let unsettled = error.kind == CloudErrorKind::NotSettled
            || (settling && error.kind == CloudErrorKind::NotFound);
        attempt += 1;
        if !unsettled || attempt >= SETTLE_ATTEMPTS || tools.timing.is_interrupted() {
            return Err(error);
        }
        settle(account, what, attempt, tools).await;
    }
}

/// Waits before the same is sent again: longer each time, half of it fixed, half by chance, so that many roles do not ask again
/// at the same moment.
async fn settle<C, T: Timing, B>(
    account: &AccountName,
    what: &str,
    attempt: u32,
    tools: &Tools<'_, C, T, B>,
) {
    tools.progress.step_waiting(account, what, attempt);
    let longest = SETTLE_FIRST
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(SETTLE_MOST);
    let part = 0.5 + tools.timing.chance().clamp(0.0, 1.0) / 2.0;
    tools.timing.sleep(longest.mul_f64(part)).await;
}

/// How long Lambda is waited for. A function of a zip archive is ready in seconds, one in a VPC may take minutes (Lambda
/// developer guide, "Lambda function states").
const READY_ATTEMPTS: u32 = 60;
const READY_FIRST: Duration = Duration::from_millis(250);
const READY_MOST: Duration = Duration::from_secs(5);

/// Looks whether the function is still what the plan was made from, sends a change of it, and waits until Lambda has taken it over.
async fn function<C: Cloud, T: Timing, B>(
    update: &FunctionUpdate,
    what: &str,
    tools: &Tools<'_, C, T, B>,
) -> Done {
    let FunctionUpdate {
        function: key,
        write,
        basis,
    } = update;
    if let Some(basis) = basis {
        let fresh = match tools.cloud.read(&key.account, &key.tagged()).await {
            Ok(fact) => fact,
            Err(error) => return Done::from(Outcome::Failed(Failure::Cloud(Box::new(error)))),
        };
        // One that is gone AWS tells of itself.
        if let Fact::TaggedFunction(Some(fresh)) = &fresh
            && let Some(message) = basis.stale(key, fresh)
        {
            return Done::from(Outcome::Failed(Failure::Stale { message }));
        }
    }
    let done = written_to_done(send(&key.account, write, false, what, tools).await);
    if done.outcome != Outcome::Done || matches!(write, Write::DeleteFunction { .. }) {
        return done;
    }
    let mut attempt = 0;
    let failure = loop {
        let state = match tools.cloud.read(&key.account, &key.read()).await {
            Ok(fact) => fact.readiness(),
            Err(error) => break Failure::Cloud(Box::new(error)),
        };
        let waiting = match state {
            Readiness::Ready => return done,
            Readiness::Failed(why) => {
                let message = format!("{key}: {why}");
                break Failure::NotReady { message };
            }
            Readiness::Waiting(why) => why,
        };
        attempt += 1;
        if attempt >= READY_ATTEMPTS || tools.timing.is_interrupted() {
            let message =
                format!("{key}: {waiting}; it was accepted, and not waited for any longer");
            break Failure::NotReady { message };
        }
        tools.progress.step_waiting(&key.account, what, attempt);
        let longest = READY_FIRST.saturating_mul(2_u32.saturating_pow(attempt - 1));
        tools.timing.sleep(longest.min(READY_MOST)).await;
    };
    Done {
        outcome: Outcome::Failed(failure),
        ..done
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod look_tests;
