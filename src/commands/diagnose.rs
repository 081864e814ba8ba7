//! `diagnose`: reads what there is to a gate and says why it does not work. `explain`: the page of a cause.
//! Glue; what is a cause is decided in `diagnose`.

use std::time::SystemTime;

use crate::cli::{Common, DiagnoseArgs, ExplainArgs, Format};
use crate::config::did_you_mean;
use crate::diagnose::{self, Known, Options, pages};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::model::change::{Intent, Severity};
use crate::model::diagnosis::Cause;
use crate::model::observed::Observed;
use crate::model::status::Status;
use crate::observe::{CALLS_PER_ACCOUNT, observe};
use crate::output::{self, DiagnosisView};
use crate::{plan, verify};

use super::execute::{followed, parse_id};
use super::run::Run;
use super::stdout_style;

pub(super) async fn run(
    common: Common,
    args: DiagnoseArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let DiagnoseArgs { execution } = args;
    let run = Run::new(&common, Intent::Bootstrap, environment)?;
    let execution = execution.as_deref().map(parse_id).transpose()?;
    if execution.is_some() {
        // An execution is of one pipeline: gates of another would be looked up in vain.
        followed(&run.wiring)?;
    }
    let (options, hops) = (Options { execution }, verify::Options::default());
    let progress = Run::progress(environment);
    let wiring = &run.wiring;
    let wants = |seen: &Observed| {
        let mut wanted = plan::wants(wiring, seen, &run.options);
        wanted.extend(verify::wants(wiring, seen, &hops));
        wanted.extend(diagnose::wants(wiring, seen, &options));
        wanted.sort();
        wanted.dedup();
        wanted
    };
    let observed = observe(&run.cloud, wants, CALLS_PER_ACCOUNT, progress.progress()).await;
    let now = now();
    let wants = |seen: &Observed| diagnose::wants_beside(wiring, &observed, seen, &options, now);
    let beside = observe(&run.cloud, wants, CALLS_PER_ACCOUNT, progress.progress()).await;
    progress.clear();
    let known = Known {
        wiring,
        observed: &observed,
        beside: &beside,
        plan: &plan::plan(wiring, &observed, &run.options),
        proof: &verify::prove(wiring, &observed, &hops),
        now,
    };
    let diagnoses = diagnose::diagnose(&known, &options);
    let problems = plan::reading_problems(wiring, &observed);
    let unread = problems.iter().any(|p| p.severity == Severity::Incomplete);
    let status = if plan::is_wrong_account(&problems) {
        Status::Failed
    } else {
        diagnose::status(&diagnoses, unread)
    };
    let view = DiagnosisView {
        status,
        project: &wiring.project,
        diagnoses: &diagnoses,
        accounts: &run.account_lines(&observed),
        problems: &problems,
    };
    let text = match run.format {
        Format::Text => output::diagnosis::render(&view, &stdout_style(environment)),
        Format::Json => output::diagnosis::render_json(&view)?,
    };
    output::write::result(&text)?;
    Ok(ExitCode::of(status, true))
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

pub(super) fn explain(
    common: &Common,
    args: &ExplainArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let ExplainArgs { code } = args;
    let style = stdout_style(environment);
    let text = match (code, common.format) {
        (None, Format::Text) => output::diagnosis::codes(&style),
        (None, Format::Json) => {
            let all: Vec<_> = Cause::ALL.iter().map(|cause| (*cause, None)).collect();
            output::diagnosis::explain_json(&all)?
        }
        (Some(code), format) => {
            let cause = pages::find(code).ok_or_else(|| unknown(code))?;
            match format {
                Format::Text => output::diagnosis::page(pages::page(cause), &style),
                Format::Json => {
                    output::diagnosis::explain_json(&[(cause, Some(pages::page(cause)))])?
                }
            }
        }
    };
    output::write::result(&text)?;
    Ok(ExitCode::Success)
}

fn unknown(code: &str) -> Error {
    let codes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.code()).collect();
    let hint = did_you_mean(code, "codes", &codes);
    Error::Usage {
        message: format!("there is no code `{code}`"),
        hint: format!("{hint}; `crossgate explain` lists all of them"),
    }
}
