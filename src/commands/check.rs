//! `check`: a plan that is not carried out, for CI. It exits 0 only if everything was seen and is as the manifest wants it.

use crate::cli::Common;
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::model::change::Intent;
use crate::model::status::Status;
use crate::output;
use crate::plan;

use super::run::{Run, Shows, mend};

pub(super) async fn run(common: Common, environment: &Environment) -> anyhow::Result<ExitCode> {
    let run = Run::new(&common, Intent::Bootstrap, environment)?;
    let progress = Run::progress(environment);
    let (plan, observed) = run.plan(progress.progress()).await;
    progress.clear();
    let status = plan::of_check(&plan);
    let next = match status {
        Status::Drift if plan.may_apply() => {
            Some("run `crossgate bootstrap` to put it right".to_owned())
        }
        _ => mend(&plan),
    };
    let shows = Shows {
        command: output::Command::Check,
        status,
        plan: &plan,
        observed: &observed,
        report: None,
        next,
    };
    run.show(&shows, environment)?;
    Ok(ExitCode::of(status, true))
}
