//! `restore`: puts a saved pipeline document back: shows the plan, asks, carries out that same plan, reports.
//! Glue only: where the document belongs and what restoring it means is decided in `plan::restore`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::cli::{Common, RestoreArgs};
use crate::desired;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::model::change::Intent;
use crate::model::observed::Observed;
use crate::model::status::Status;
use crate::observe::{CALLS_PER_ACCOUNT, observe};
use crate::output;
use crate::plan::{self, restore};

use super::bootstrap::{carry_out, may_ask};
use super::run::{Run, Shows, mend};

/// The longest file that is read, in bytes: a pipeline of 50 stages with 50 actions each is far smaller.
const MOST_BYTES: u64 = 16 << 20;

pub(super) async fn run(
    common: Common,
    args: RestoreArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let RestoreArgs { file, region } = args;
    if !(common.gate.is_empty() && common.partition.is_none()) {
        return Err(Error::Usage {
            message: "restore takes no --gate and no --partition: it puts a whole document back"
                .to_owned(),
            hint: "`crossgate bootstrap --gate NAME` puts one gate back".to_owned(),
        }
        .into());
    }
    let mut run = Run::new(&common, Intent::Bootstrap, environment)?;
    run.wiring.accounts = desired::all_accounts(&run.config)?;
    may_ask(&common, environment)?;
    let refused = |why: String, hint: String| Error::Usage {
        message: format!("{} cannot be restored: {why}", file.display()),
        hint,
    };
    let text = text(&file).map_err(|error| {
        let hint = "name a file of .crossgate/backup beside the manifest".to_owned();
        refused(error.to_string(), hint)
    })?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let saved = restore::target(&name, &text, region.as_deref(), &run.wiring)
        .map_err(|error| refused(error.to_string(), error.hint()))?;
    let progress = Run::progress(environment);
    let wants = |seen: &Observed| restore::wants(&saved, seen);
    let observed = observe(&run.cloud, wants, CALLS_PER_ACCOUNT, progress.progress()).await;
    progress.clear();
    let plan = restore::plan(&run.wiring, &observed, &saved, &run.options.secrets);
    let accounts = run.account_lines(&observed);
    let shows = Shows {
        command: output::Command::Restore,
        status: plan::of_plan(&plan),
        plan: &plan,
        accounts: &accounts,
        report: None,
        proof: None,
        partition: None,
        next: mend(&plan),
    };
    carry_out(&run, shows, next, environment).await
}

fn text(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(file)?
        .take(MOST_BYTES)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn next(status: Status) -> Option<String> {
    let text = match status {
        Status::Applied => {
            "run `crossgate check`: the pipeline was changed, and no role and no policy"
        }
        Status::Partial => {
            "look at the pipeline, then run it again: whether the document was taken is not known"
        }
        Status::Failed => "mend what failed, then run it again",
        _ => return None,
    };
    Some(text.to_owned())
}
