//! `bootstrap`, `teardown` and `prune`: show the plan, ask, carry out that same plan, report.

use std::io;

use anyhow::Context;

use crate::apply::{Tools, apply};
use crate::cli::{Common, Format};
use crate::desired;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::model::change::{Intent, Plan};
use crate::model::status::Status;
use crate::output;
use crate::plan;

use super::backup::Folder;
use super::run::{Run, Shows, mend};
use super::timing::Clock;

/// Steps under way at once, over all accounts. Writes are few, and IAM's rate limits are counted by account.
const STEPS_SIDE_BY_SIDE: usize = 64;

/// What is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The gates are put there.
    Bootstrap,
    /// The gates are taken away.
    Teardown,
    /// What is left of former gates is taken away.
    Prune,
}

pub(super) async fn run(
    common: Common,
    purpose: Purpose,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let (intent, command) = match purpose {
        Purpose::Bootstrap => (Intent::Bootstrap, output::Command::Bootstrap),
        Purpose::Teardown => (Intent::Teardown, output::Command::Teardown),
        Purpose::Prune => (Intent::Teardown, output::Command::Prune),
    };
    if purpose == Purpose::Prune && !(common.gate.is_empty() && common.partition.is_none()) {
        return Err(Error::Usage {
            message: "prune takes no --gate and no --partition: what it removes belongs to no gate of the manifest"
                .to_owned(),
            hint: "without them it shows all that is left behind, and asks".to_owned(),
        }
        .into());
    }
    let mut run = Run::new(&common, intent, environment)?;
    if purpose == Purpose::Prune {
        run.wiring.accounts = desired::all_accounts(&run.config)?;
    }
    may_ask(&common, environment)?;
    let progress = Run::progress(environment);
    let (mut plan, observed) = match purpose {
        Purpose::Bootstrap | Purpose::Teardown => run.plan(progress.progress()).await,
        Purpose::Prune => run.plan_orphans(progress.progress()).await,
    };
    progress.clear();
    let shared = plan::partition_shared(&run.wiring, &observed, intent);
    plan.problems.splice(0..0, shared);
    let accounts = run.account_lines(&observed);
    // The plan says all that is to be done: what it was made from is as much again, and not needed while it is carried out.
    drop(observed);
    let shows = Shows {
        command,
        status: plan::of_plan(&plan),
        plan: &plan,
        accounts: &accounts,
        report: None,
        proof: None,
        partition: run.wiring.part,
        next: mend(&plan),
    };
    carry_out(&run, shows, |status| next(intent, status), environment).await
}

/// Refuses a run that would have to ask and cannot. Said before anything is read, so that a script without `--yes` fails every time
/// and not only when there is work.
pub(super) fn may_ask(common: &Common, environment: &Environment) -> Result<(), Error> {
    let can_ask = environment.stdin_is_terminal && environment.stderr_is_terminal;
    if common.yes || can_ask {
        Ok(())
    } else {
        Err(Error::NoTerminal)
    }
}

/// Shows the plan, asks, carries it out and shows what came of it; `next`: what to do after that.
pub(super) async fn carry_out(
    run: &Run,
    mut shows: Shows<'_>,
    next: impl Fn(Status) -> Option<String>,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let (command, plan) = (shows.command, shows.plan);
    if !plan.may_apply() || plan.changes.is_empty() {
        run.show(&shows, environment)?;
        return Ok(ExitCode::of(shows.status, false));
    }
    let backup = Folder::beside(&run.config.path, environment.now);
    // Where every change is one that is left as it is, there is nothing to ask about and nothing to send: only to report.
    if !plan.steps.is_empty() {
        backup.prepare().with_context(|| {
            format!(
                "pipeline documents could not be saved in {}; nothing was changed",
                backup.path().display()
            )
        })?;
        run.announce(&shows, environment)?;
        if run.asks && !confirmed(command, plan) {
            output::write::notice("not confirmed: nothing was changed\n");
            if run.format == Format::Json {
                shows.status = Status::Failed;
                run.show(&shows, environment)?;
            }
            return Ok(ExitCode::Failed);
        }
    }
    let progress = Run::progress(environment);
    let report = apply(
        plan,
        &Tools {
            cloud: &run.cloud,
            timing: &Clock::listening_to_ctrl_c(),
            backup: &backup,
            progress: progress.progress(),
            side_by_side: STEPS_SIDE_BY_SIDE,
        },
    )
    .await;
    progress.clear();
    shows.status = plan::of_apply(plan, &report);
    let mut shows = Shows {
        report: Some(&report),
        ..shows
    };
    shows.next = next(shows.status);
    if let Err(error) = run.show(&shows, environment) {
        if report.writes == 0 {
            return Err(error);
        }
        // Exit 1 would promise that nothing was changed.
        let message =
            format!("error: changes were made, but the result could not be written: {error}\n");
        output::write::notice(&message);
        return Ok(ExitCode::Partial);
    }
    Ok(ExitCode::of(shows.status, false))
}

fn confirmed(command: output::Command, plan: &Plan) -> bool {
    let (create, update, delete) = plan.counts();
    let question = format!(
        "{}: {create} to create, {update} to update, {delete} to delete in the accounts above. Go on?",
        command.as_str()
    );
    output::confirm(&question, &mut io::stdin().lock(), &mut io::stderr().lock())
}

fn next(intent: Intent, status: Status) -> Option<String> {
    let text = match (status, intent) {
        (Status::Applied, Intent::Bootstrap) => {
            "start the pipeline: the gate decides from the next execution on"
        }
        (Status::Partial, _) => "run it again: it goes on where this run stopped",
        (Status::Failed, _) => "mend what failed, then run it again",
        _ => return None,
    };
    Some(text.to_owned())
}
