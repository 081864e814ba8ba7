//! `plan`: shows what an apply would do, and changes nothing.

use crate::cli::{Common, PlanArgs};
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::model::change::Intent;
use crate::model::status::Status;
use crate::output;
use crate::plan;

use super::report::Reports;
use super::run::{Run, Shows, mend};

pub(super) async fn run(
    common: Common,
    args: PlanArgs,
    reports: &Reports,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let PlanArgs {
        exit_code,
        teardown,
        reports: _,
    } = args;
    let (intent, apply) = if teardown {
        (Intent::Teardown, "crossgate teardown")
    } else {
        (Intent::Bootstrap, "crossgate bootstrap")
    };
    let run = Run::new(&common, intent, environment)?;
    let progress = Run::progress(environment);
    let (plan, observed) = run.plan(progress.progress()).await;
    progress.clear();
    let status = plan::of_plan(&plan);
    let next = match status {
        Status::Changes => Some(format!("run `{apply}` to make these changes")),
        _ => mend(&plan),
    };
    let accounts = run.account_lines(&observed);
    let shows = Shows {
        command: output::Command::Plan,
        status,
        plan: &plan,
        accounts: &accounts,
        report: None,
        proof: None,
        partition: run.wiring.part,
        next,
    };
    let exit = ExitCode::of(status, exit_code);
    run.report(&shows, &observed, exit, reports, environment)?;
    Ok(exit)
}
