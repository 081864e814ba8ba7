//! `graph`: draws the manifest, coloured by what `plan`, `check` or `verify` finds, or by a saved result. It changes nothing.
//! Glue only: the picture is made in `graph` and drawn in `output`.

use std::fs;
use std::path::Path;

use crate::cli::{Common, GraphArgs, ReportFormat};
use crate::config::did_you_mean;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::graph::{self, Facts};
use crate::model::change::{Intent, Severity};
use crate::model::graph::Source;
use crate::model::observed::Observed;
use crate::model::status::Status;
use crate::observe::{CALLS_PER_ACCOUNT, observe};
use crate::output::{self, graph::Picture};
use crate::plan;
use crate::verify;

use super::block_on;
use super::run::Run;
use super::stderr_style;
use super::verify::asked;

/// What colours the picture.
enum From<'a> {
    Manifest,
    Plan,
    Check,
    Verify,
    File(&'a Path),
}

pub(super) fn run(
    common: &Common,
    args: &GraphArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let GraphArgs { from, format, hops } = args;
    let picture = picture(*format)?;
    let from = from_argument(from.as_deref(), environment)?;
    let run = Run::new(common, Intent::Bootstrap, environment)?;
    let options = asked(hops, &run.config, &run.wiring)?;
    if !matches!(from, From::Verify) && options != verify::Options::default() {
        return Err(about_hops().into());
    }
    let (facts, status) = match from {
        From::Manifest => (Facts::none(), Status::InSync),
        From::Plan => block_on(planned(&run, Source::Plan, environment))?,
        From::Check => block_on(planned(&run, Source::Check, environment))?,
        From::Verify => block_on(proven(&run, &options, environment))?,
        From::File(path) => (saved(&run, path, environment)?, Status::InSync),
    };
    let graph = graph::graph(&run.wiring, &facts);
    output::write::result(&output::graph::render(&graph, picture))?;
    let style = stderr_style(environment);
    output::write::notice(&output::graph::notices(&graph, &style));
    Ok(match status {
        // The picture shows it; what could not be seen is never reported as success.
        Status::InSync | Status::Changes | Status::Drift | Status::Applied => ExitCode::Success,
        other @ (Status::Incomplete | Status::Partial | Status::Failed) => {
            ExitCode::of(other, false)
        }
    })
}

/// Before the command's name `--format` is that of all commands, and may be no picture.
fn picture(format: ReportFormat) -> Result<Picture, Error> {
    match format {
        ReportFormat::Mermaid => Ok(Picture::Mermaid),
        ReportFormat::Dot => Ok(Picture::Dot),
        ReportFormat::Svg => Ok(Picture::Svg),
        ReportFormat::Html => Ok(Picture::Html),
        other @ (ReportFormat::Text
        | ReportFormat::Json
        | ReportFormat::Junit
        | ReportFormat::Sarif
        | ReportFormat::Github
        | ReportFormat::Markdown) => Err(Error::Usage {
            message: format!("`graph` has no --format {}", other.as_str()),
            hint: "it draws mermaid, dot, svg or html".to_owned(),
        }),
    }
}

fn from_argument<'a>(
    argument: Option<&'a Path>,
    environment: &Environment,
) -> Result<From<'a>, Error> {
    let Some(path) = argument else {
        return Ok(From::Manifest);
    };
    let name = path.to_str().unwrap_or_default();
    match name {
        "plan" => return Ok(From::Plan),
        "check" => return Ok(From::Check),
        "verify" => return Ok(From::Verify),
        _ => {}
    }
    if in_folder(path, environment).is_file() {
        return Ok(From::File(path));
    }
    Err(Error::Usage {
        message: format!(
            "--from {}: it is neither plan, check nor verify, and there is no such file",
            path.display()
        ),
        hint: did_you_mean(name, "commands", &["plan", "check", "verify"]),
    })
}

fn about_hops() -> Error {
    Error::Usage {
        message: "--scp-file, --rcp-file, --organizations and --simulate are about hops".to_owned(),
        hint: "add --from verify".to_owned(),
    }
}

fn in_folder(path: &Path, environment: &Environment) -> std::path::PathBuf {
    let folder = environment.folder.as_deref().unwrap_or(Path::new("."));
    folder.join(path)
}

async fn planned(
    run: &Run,
    source: Source,
    environment: &Environment,
) -> anyhow::Result<(Facts, Status)> {
    let progress = Run::progress(environment);
    let (plan, observed) = run.plan(progress.progress()).await;
    progress.clear();
    let status = match source {
        Source::Plan => plan::of_plan(&plan),
        Source::Manifest | Source::Check | Source::Verify => plan::of_check(&plan),
    };
    // A plan that something forbids is a picture all the same; credentials of another account are not.
    let status = match status {
        Status::Failed if !plan::is_wrong_account(&plan.problems) => Status::Drift,
        other => other,
    };
    let facts = Facts::of(
        source,
        &run.wiring,
        &observed,
        Some(&plan),
        None,
        &plan.problems,
    );
    Ok((facts, status))
}

async fn proven(
    run: &Run,
    options: &verify::Options,
    environment: &Environment,
) -> anyhow::Result<(Facts, Status)> {
    let progress = Run::progress(environment);
    let wants = |seen: &Observed| verify::wants(&run.wiring, seen, options);
    let observed = observe(&run.cloud, wants, CALLS_PER_ACCOUNT, progress.progress()).await;
    progress.clear();
    let proof = verify::prove(&run.wiring, &observed, options);
    let problems = plan::reading_problems(&run.wiring, &observed);
    let unread = problems.iter().any(|p| p.severity == Severity::Incomplete);
    let status = if plan::is_wrong_account(&problems) {
        Status::Failed
    } else if unread {
        Status::Incomplete
    } else {
        verify::status(&proof)
    };
    let facts = Facts::of(
        Source::Verify,
        &run.wiring,
        &observed,
        None,
        Some(&proof),
        &problems,
    );
    Ok((facts, status))
}

fn saved(run: &Run, path: &Path, environment: &Environment) -> Result<Facts, Error> {
    let usage = |why: String| {
        Error::Usage {
        message: format!("--from {}: {why}", path.display()),
        hint: "a result of `crossgate check --format json` (or plan, or verify) with this manifest is expected"
            .to_owned(),
    }
    };
    let text = fs::read_to_string(in_folder(path, environment));
    let text = text.map_err(|error| usage(error.to_string()))?;
    graph::parse(&text, &run.wiring).map_err(|error| usage(error.to_string()))
}
