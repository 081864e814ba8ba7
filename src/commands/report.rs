//! The reports of `check`, `plan` and `verify`: one on standard output, others in files, each in its format.
//! Glue only: what a report says is decided elsewhere, how it looks in `output`.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::cli::{Common, Format, ReportArgs, ReportFile, ReportFormat};
use crate::config::{self, Config, FILE_NAME};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::model::observed::Observed;
use crate::output::findings::{Asked, Findings, Manifest};
use crate::output::{self, ErrorMessage, ProofView, Style, file};
use crate::plan;

use super::run::{Run, Shows};
use super::stdout_style;

/// Where GitHub Actions takes a step's summary from: Markdown is appended to the file.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// The reports that a person asked for.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    stdout: ReportFormat,
    verbose: bool,
    files: Vec<ReportFile>,
    summary: Option<PathBuf>,
    folder: PathBuf,
}

impl Reports {
    /// Checks before the first call that the files can be meant.
    pub(super) fn asked(
        common: &Common,
        args: &ReportArgs,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let ReportArgs { output } = args;
        let folder = environment.folder.clone().unwrap_or_default();
        let mut seen: BTreeMap<PathBuf, ReportFormat> = BTreeMap::new();
        // Known before it is read: the report of a manifest with mistakes must not be written over it either.
        let given = environment.raw("CROSSGATE_CONFIG");
        let manifest = config::find(common.config.as_deref(), given, &folder).ok();
        let manifest = manifest.and_then(|m| fs::canonicalize(folder.join(m.path)).ok());
        for ReportFile { format, path } in output {
            let target = target(*format, path, &folder)?;
            if Some(&target) == manifest.as_ref() {
                return Err(usage(*format, path, "that is the manifest"));
            }
            if let Some(other) = seen.insert(target, *format) {
                return Err(usage(
                    *format,
                    path,
                    &format!("the {} report goes to the same file", other.as_str()),
                ));
            }
        }
        let mut formats = seen.values().chain([&common.report]);
        let is_github = formats.any(|format| *format == ReportFormat::Github);
        let summary = environment.text(STEP_SUMMARY).filter(|p| !p.is_empty());
        Ok(Self {
            stdout: common.report,
            verbose: common.verbose > 0,
            files: output.clone(),
            summary: summary.map(PathBuf::from).filter(|_| is_github),
            folder,
        })
    }

    /// Standard output only, for a command line that asks for what cannot be.
    pub(super) fn of_stdout(common: &Common) -> Self {
        Self {
            stdout: common.report,
            verbose: common.verbose > 0,
            files: Vec::new(),
            summary: None,
            folder: PathBuf::new(),
        }
    }

    /// Writes the report to standard output and then to its files; one that cannot be written keeps none of the others back.
    ///
    /// `made` renders the formats that are not made of findings; these are collected for the others only.
    fn write(
        &self,
        findings: impl FnOnce() -> Findings,
        made: impl Fn(Format, Target) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let findings = LazyCell::new(findings);
        let render = |format, target| -> anyhow::Result<String> {
            Ok(match format {
                ReportFormat::Text => made(Format::Text, target)?,
                ReportFormat::Json => made(Format::Json, target)?,
                ReportFormat::Junit => output::junit::render(&findings)?,
                ReportFormat::Sarif => output::sarif::render(&findings)?,
                ReportFormat::Github => output::github::render(&findings),
                ReportFormat::Markdown => output::markdown::render(&findings),
                // Only `graph` has these, and draws them itself; where it fails, there is no picture.
                ReportFormat::Mermaid
                | ReportFormat::Dot
                | ReportFormat::Svg
                | ReportFormat::Html => String::new(),
            })
        };
        let text = render(self.stdout, Target::Stdout)?;
        let written = output::write::result(&text);
        let mut failed = written.map_err(|e| unwritten("standard output", e)).err();
        for ReportFile { format, path } in &self.files {
            let path = self.folder.join(path);
            let written = file::replace(&path, &render(*format, Target::File)?);
            let what = format!("the {} report {}", format.as_str(), path.display());
            failed = failed.or(written.map_err(|e| unwritten(&what, e)).err());
        }
        if let Some(path) = &self.summary {
            let written = file::append(path, &output::markdown::render(&findings));
            let what = format!("the step's summary {} ({STEP_SUMMARY})", path.display());
            failed = failed.or(written.map_err(|e| unwritten(&what, e)).err());
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Reports a command that ended before it had looked at anything; on standard error it is told already.
    pub(super) fn write_error(
        &self,
        (command, code): (&str, &str),
        error: &ErrorMessage,
        exit: ExitCode,
    ) -> anyhow::Result<()> {
        let manifest = Manifest {
            path: FILE_NAME.to_owned(),
            gates: BTreeMap::new(),
        };
        let asked = Asked {
            manifest: &manifest,
            exit_code: exit.number(),
        };
        let findings = || Findings::of_error(command, code, error, &asked);
        self.write(findings, |format, target| match (format, target) {
            (Format::Text, Target::Stdout) => Ok(String::new()),
            (Format::Text, Target::File) => Ok(error.render(&Style::PLAIN)),
            (Format::Json, _) => Ok(output::json::render_error(command, code, error)?),
        })
    }

    fn style(&self, target: Target, environment: &Environment) -> Style {
        let style = match target {
            Target::Stdout => stdout_style(environment),
            Target::File => Style::PLAIN,
        };
        style.with_verbose(self.verbose)
    }
}

/// Where a report goes.
#[derive(Debug, Clone, Copy)]
enum Target {
    Stdout,
    File,
}

fn unwritten(what: &str, source: std::io::Error) -> Error {
    Error::Unwritten {
        what: what.to_owned(),
        source,
    }
}

impl Run {
    /// Writes the result of `check` or `plan`.
    pub(super) fn report(
        &self,
        shows: &Shows<'_>,
        observed: &Observed,
        exit: ExitCode,
        reports: &Reports,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let view = shows.view();
        let findings = || {
            let objects = plan::objects(&self.wiring, observed, self.options.intent);
            let manifest = manifest(&self.config, environment);
            let asked = Asked {
                manifest: &manifest,
                exit_code: exit.number(),
            };
            Findings::of_plan(&view, &objects, &asked)
        };
        reports.write(findings, |format, target| {
            Ok(match format {
                Format::Text => output::text::render(&view, &reports.style(target, environment)),
                Format::Json => output::json::render(&view)?,
            })
        })
    }

    /// Writes the result of `verify`.
    pub(super) fn report_proof(
        &self,
        view: &ProofView<'_>,
        exit: ExitCode,
        reports: &Reports,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let findings = || {
            let manifest = manifest(&self.config, environment);
            let asked = Asked {
                manifest: &manifest,
                exit_code: exit.number(),
            };
            Findings::of_proof(view, &asked)
        };
        reports.write(findings, |format, target| {
            Ok(match format {
                Format::Text => output::proof::render(view, &reports.style(target, environment)),
                Format::Json => output::proof::render_json(view)?,
            })
        })
    }
}

/// The file that is meant, so that two names of one file are seen to be one.
fn target(format: ReportFormat, path: &Path, folder: &Path) -> Result<PathBuf, Error> {
    if path == Path::new("-") {
        let why = "standard output has the format of --format; a file of that name is ./-";
        return Err(usage(format, path, why));
    }
    let path = folder.join(path);
    if let Ok(found) = fs::canonicalize(&path) {
        if found.is_dir() {
            return Err(usage(format, &path, "that is a folder"));
        }
        return Ok(found);
    }
    let parent = fs::canonicalize(file::folder(&path));
    let parent = parent.map_err(|error| {
        let reason = format!("its folder cannot be found: {error}");
        usage(format, &path, &reason)
    })?;
    match path.file_name() {
        Some(name) => Ok(parent.join(name)),
        None => Err(usage(format, &path, "that is no file")),
    }
}

fn usage(format: ReportFormat, path: &Path, why: &str) -> Error {
    Error::Usage {
        message: format!("--output {}={}: {why}", format.as_str(), path.display()),
        hint: "name a file of its own for each report, in a folder that is there".to_owned(),
    }
}

/// The manifest as a report names it: relative to the repository that it stands in, else to the folder of the run.
fn manifest(config: &Config, environment: &Environment) -> Manifest {
    let folder = environment.folder.clone().unwrap_or_default();
    let path = folder.join(&config.path);
    let path = fs::canonicalize(&path).unwrap_or(path);
    let folder = fs::canonicalize(&folder).unwrap_or(folder);
    let mut above = path.ancestors().skip(1);
    // A worktree and a submodule have a file of that name.
    let root = above.find(|one| one.join(".git").exists());
    let root = root.unwrap_or(&folder);
    let gates = config.gates.iter().map(|gate| {
        let position = gate.position;
        (gate.name.clone(), (position.line, position.column))
    });
    Manifest {
        path: slashed(path.strip_prefix(root).unwrap_or(&path)),
        gates: gates.collect(),
    }
}

/// With `/` between its parts, whatever the system writes.
fn slashed(path: &Path) -> String {
    let absolute = if path.has_root() { "/" } else { "" };
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::Prefix(prefix) => Some(prefix.as_os_str().to_string_lossy().into_owned()),
        Component::RootDir | Component::CurDir | Component::ParentDir => None,
    });
    format!("{absolute}{}", parts.collect::<Vec<_>>().join("/"))
}

/// `--format` of a command that knows text and json only.
pub(super) fn narrow(common: &mut Common, command: &str) -> Result<Format, Error> {
    let format = common.report;
    match format {
        ReportFormat::Text => Ok(Format::Text),
        ReportFormat::Json => Ok(Format::Json),
        ReportFormat::Junit
        | ReportFormat::Sarif
        | ReportFormat::Github
        | ReportFormat::Markdown
        | ReportFormat::Mermaid
        | ReportFormat::Dot
        | ReportFormat::Svg
        | ReportFormat::Html => {
            common.report = ReportFormat::Text;
            Err(Error::Usage {
                message: format!(
                    "--format {}: `{command}` has no such report",
                    format.as_str()
                ),
                hint:
                    "`check`, `plan` and `verify` have it; the other commands write text and json"
                        .to_owned(),
            })
        }
    }
}
