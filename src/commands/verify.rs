//! `verify`: reads what the hops need and says whether each will be allowed. It exits 0 only if every one is.

use std::fs;

use crate::cli::{Common, ProveArgs, VerifyArgs};
use crate::config::{Config, closest, did_you_mean};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::model::account::AccountName;
use crate::model::chain::NotSeen;
use crate::model::change::{Intent, Severity};
use crate::model::observed::Observed;
use crate::model::status::Status;
use crate::model::wiring::{OrganizationReader, Wiring};
use crate::observe::{CALLS_PER_ACCOUNT, observe};
use crate::output::ProofView;
use crate::plan;
use crate::verify::{self, Given, Options};

use super::report::Reports;
use super::run::Run;

pub(super) async fn run(
    common: Common,
    args: ProveArgs,
    reports: &Reports,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let ProveArgs { hops, reports: _ } = args;
    let run = Run::new(&common, Intent::Bootstrap, environment)?;
    let options = asked(&hops, &run.config, &run.wiring)?;
    let progress = Run::progress(environment);
    let wants = |seen: &Observed| verify::wants(&run.wiring, seen, &options);
    let observed = observe(&run.cloud, wants, CALLS_PER_ACCOUNT, progress.progress()).await;
    progress.clear();
    let proof = verify::prove(&run.wiring, &observed, &options);
    let problems = plan::reading_problems(&run.wiring, &observed);
    let unread = problems.iter().any(|p| p.severity == Severity::Incomplete);
    let status = if plan::is_wrong_account(&problems) {
        Status::Failed
    } else if run.is_empty_part() {
        Status::InSync
    } else if unread {
        // Also where only the simulator could not be asked: what a person asked for was not seen.
        verify::worse(verify::status(&proof), Status::Incomplete)
    } else {
        verify::status(&proof)
    };
    let accounts = run.account_lines(&observed);
    let view = ProofView {
        status,
        project: &run.wiring.project,
        partition: run.wiring.part,
        proof: &proof,
        accounts: &accounts,
        problems: &problems,
    };
    let exit = ExitCode::of(status, true);
    run.report_proof(&view, exit, reports, environment)?;
    Ok(exit)
}

/// What the flags ask for, with the files read.
pub(super) fn asked(args: &VerifyArgs, config: &Config, wiring: &Wiring) -> Result<Options, Error> {
    let VerifyArgs {
        scp_file,
        rcp_file,
        organizations,
        simulate,
    } = args;
    Ok(Options {
        simulate: *simulate,
        scps: given(NotSeen::Scp, scp_file, wiring)?,
        rcps: given(NotSeen::Rcp, rcp_file, wiring)?,
        organizations: reader(organizations.as_deref(), config, wiring)?,
    })
}

/// The account that `--organizations` names. One that a gate uses goes by the name that it has in the wiring, so that nothing
/// is read twice.
pub(super) fn reader(
    name: Option<&str>,
    config: &Config,
    wiring: &Wiring,
) -> Result<Option<OrganizationReader>, Error> {
    let Some(name) = name else { return Ok(None) };
    let mut accounts = config.accounts.iter();
    let Some((found, account)) = accounts.find(|(account, _)| account.as_str() == name) else {
        let names: Vec<&str> = config.accounts.keys().map(AccountName::as_str).collect();
        return Err(Error::Usage {
            message: format!("--organizations: the manifest has no account `{name}`"),
            hint: did_you_mean(name, "accounts", &names),
        });
    };
    let mut wired = wiring.accounts.iter();
    let wired = wired.find(|(_, wired)| wired.id == account.id);
    Ok(Some(OrganizationReader {
        account: wired.map_or(found, |(name, _)| name).clone(),
        id: account.id.clone(),
    }))
}

fn given(kind: NotSeen, files: &[String], wiring: &Wiring) -> Result<Given, Error> {
    let mut given = Given::default();
    for argument in files {
        let (account, file) = split(argument, wiring);
        let flag = format!("--{}-file {file}", kind.as_str());
        // `ACCOUNT=FILE` of an account that is not there is taken for a file, and that is not there either.
        let near = argument.split_once('=').and_then(|(name, _)| {
            let names: Vec<&str> = wiring.accounts.keys().map(AccountName::as_str).collect();
            let near = closest(name, names)?;
            Some(format!(
                "no gate uses an account `{name}`: did you mean `{near}`?"
            ))
        });
        let usage = |why: String| {
            Error::Usage {
            message: format!("{flag}: {why}"),
            hint: near.clone().unwrap_or_else(|| {
                "a policy document, or a list of {target, policies} with one entry a level, is expected".to_owned()
            }),
        }
        };
        let text = fs::read_to_string(file).map_err(|e| usage(e.to_string()))?;
        let levels = verify::parse_levels(kind, &text, file).map_err(|e| usage(e.to_string()))?;
        given.add(account, levels);
    }
    Ok(given)
}

/// `ACCOUNT=FILE` where the manifest has such an account, else a file.
fn split<'a>(argument: &'a str, wiring: &Wiring) -> (Option<AccountName>, &'a str) {
    let named = argument.split_once('=').and_then(|(name, file)| {
        let name = AccountName::new(name).ok()?;
        wiring.account_id(&name)?;
        Some((name, file))
    });
    match named {
        Some((name, file)) => (Some(name), file),
        None => (None, argument),
    }
}
