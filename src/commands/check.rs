//! `check`: a plan that is not carried out, for CI. It exits 0 only if everything was seen and is as the manifest wants it.

use crate::cli::{CheckArgs, Common};
use crate::desired;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::model::change::Intent;
use crate::model::status::Status;
use crate::output;
use crate::plan::{self, orphans};
use crate::verify;

use super::report::Reports;
use super::run::{Run, Shows, mend};
use super::verify::asked;

pub(super) async fn run(
    common: Common,
    args: CheckArgs,
    reports: &Reports,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let mut run = Run::new(&common, Intent::Bootstrap, environment)?;
    let CheckArgs {
        verify: prove,
        orphans: with_orphans,
        hops,
        reports: _,
    } = args;
    if with_orphans {
        run.wiring.accounts = desired::all_accounts(&run.config)?;
    }
    let options = asked(&hops, &run.config, &run.wiring)?;
    if !prove && options != verify::Options::default() {
        return Err(Error::Usage {
            message: "--scp-file, --rcp-file, --organizations and --simulate are about hops"
                .to_owned(),
            hint: "add --verify".to_owned(),
        }
        .into());
    }
    let options = prove.then_some(options);
    let progress = Run::progress(environment);
    let observed = run
        .observe(options.as_ref(), with_orphans, progress.progress())
        .await;
    progress.clear();
    let wired = plan::plan(&run.wiring, &observed, &run.options);
    let left = with_orphans.then(|| {
        let options = plan::Options {
            // A secret goes with a change of the manifest's pipelines.
            secrets: Vec::new(),
            ..run.options.clone()
        };
        orphans::plan(&run.wiring, &observed, &options)
    });
    let left_is_some = left.as_ref().is_some_and(|left| !left.changes.is_empty());
    let wired_status = plan::of_check(&wired);
    let plan = match left {
        Some(left) => orphans::merged(wired, left),
        None => wired,
    };
    let proof = options.map(|options| verify::prove(&run.wiring, &observed, &options));
    let drift = plan::of_check(&plan);
    let status = match &proof {
        // A partition may have no gate; another then proves what is to be proven.
        Some(proof) if !run.is_empty_part() => verify::worse(drift, verify::status(proof)),
        Some(_) | None => drift,
    };
    let next = match drift {
        Status::Drift if left_is_some && wired_status == Status::InSync => Some(
            "run `crossgate prune` to remove what is left behind, after a look at it".to_owned(),
        ),
        Status::Drift if left_is_some => Some(
            "run `crossgate prune` for what is left behind, then `crossgate bootstrap` for the rest"
                .to_owned(),
        ),
        Status::Drift if plan.may_apply() => {
            Some("run `crossgate bootstrap` to put it right".to_owned())
        }
        _ => mend(&plan),
    };
    let accounts = run.account_lines(&observed);
    let shows = Shows {
        command: output::Command::Check,
        status,
        plan: &plan,
        accounts: &accounts,
        report: None,
        proof: proof.as_ref().map(|proof| output::Proved {
            proof,
            plan_status: drift,
        }),
        partition: run.wiring.part,
        next,
    };
    let exit = ExitCode::of(status, true);
    run.report(&shows, &observed, exit, reports, environment)?;
    Ok(exit)
}
