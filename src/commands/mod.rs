//! The commands: glue between config, plan, apply and output. One short file a command.
//! No decisions about gates here, and no printing but through `output`.

mod backup;
mod bootstrap;
mod check;
mod completions;
mod demo;
mod diagnose;
mod execute;
mod graph;
mod init;
mod line;
mod man;
mod merge;
mod permissions;
mod plan;
mod policy;
mod report;
mod restore;
mod run;
mod sandbox;
mod secrets;
mod timing;
mod trace;
mod verify;

use std::ffi::OsString;

use crate::cli::{Cli, Command, Common, PolicyCommand, ReportArgs};
use crate::config;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::output::{self, ErrorMessage, Screen, Style};

use bootstrap::Purpose;
use report::Reports;

/// Parses the command line, runs the command, shows what went wrong, and says how the process ends.
pub fn main(arguments: impl Iterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    if let Some(code) = completions::answer(&arguments, environment) {
        return code;
    }
    let cli = match line::parse(&arguments, environment) {
        Ok(cli) => cli,
        Err(error) => return line::usage(&error, &arguments, environment),
    };
    let environment = &line::asked(&cli.common, environment);
    trace::start(cli.common.verbose, environment);
    let command = name(&cli.command);
    let Cli {
        mut common,
        command: what,
    } = cli;
    let asked = reports(&mut common, &what, environment);
    let (reports, ended) = match asked {
        Ok(reports) => {
            let ended = execute(common, what, &reports, environment);
            (reports, ended)
        }
        Err(error) => (Reports::of_stdout(&common), Err(error.into())),
    };
    match ended {
        Ok(code) => code,
        Err(error) => fail(command, &reports, &error, environment),
    }
}

/// The reports that are asked for. Commands that have none of their own write text or json: `common.format` says which.
fn reports(
    common: &mut Common,
    command: &Command,
    environment: &Environment,
) -> Result<Reports, Error> {
    let none = ReportArgs::default();
    let args = match command {
        Command::Plan(args) => &args.reports,
        Command::Check(args) => &args.reports,
        Command::Verify(args) => &args.reports,
        Command::Graph(_) => &none,
        other => {
            common.format = report::narrow(common, name(other))?;
            &none
        }
    };
    Reports::asked(common, args, environment)
}

fn execute(
    common: Common,
    command: Command,
    reports: &Reports,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Graph(args) => graph::run(&common, &args, environment),
        Command::Policy(command) => policy::run(&common, &command, environment),
        Command::Permissions(args) => permissions::run(&common, &args, environment),
        Command::Init(args) => block_on(init::run(common, *args, environment)),
        Command::Plan(args) => block_on(plan::run(common, args, reports, environment)),
        Command::Check(args) => block_on(check::run(common, args, reports, environment)),
        Command::Verify(args) => block_on(verify::run(common, args, reports, environment)),
        Command::Bootstrap => block_on(bootstrap::run(common, Purpose::Bootstrap, environment)),
        Command::Teardown => block_on(bootstrap::run(common, Purpose::Teardown, environment)),
        Command::Prune => block_on(bootstrap::run(common, Purpose::Prune, environment)),
        Command::Restore(args) => block_on(restore::run(common, args, environment)),
        Command::Diagnose(args) => block_on(diagnose::run(common, args, environment)),
        Command::Explain(args) => diagnose::explain(&common, &args, environment),
        Command::Merge(args) => merge::run(&common, &args, environment),
        Command::Run(args) => block_on(execute::run(common, args, environment)),
        Command::Sandbox(args) => block_on(sandbox::run(common, args, environment)),
        Command::Demo(args) => demo::run(&args, environment),
        Command::Schema => schema(),
        Command::Completions(args) => completions::script(&args, environment),
        Command::Man(args) => man::run(&args, environment),
    }
}

/// `schema`: the JSON Schema of the manifest as it is kept in `config/`.
fn schema() -> anyhow::Result<ExitCode> {
    output::write::result(config::SCHEMA)?;
    Ok(ExitCode::Success)
}

/// Commands that speak to AWS get a runtime; the others start without one.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Init(_) => "init",
        Command::Plan(_) => "plan",
        Command::Bootstrap => "bootstrap",
        Command::Check(_) => "check",
        Command::Verify(_) => "verify",
        Command::Teardown => "teardown",
        Command::Prune => "prune",
        Command::Restore(_) => "restore",
        Command::Merge(_) => "merge",
        Command::Run(_) => "run",
        Command::Diagnose(_) => "diagnose",
        Command::Explain(_) => "explain",
        Command::Graph(_) => "graph",
        Command::Policy(PolicyCommand::Simulate { .. }) => "policy simulate",
        Command::Policy(PolicyCommand::Diff(_)) => "policy diff",
        Command::Permissions(_) => "permissions",
        Command::Sandbox(_) => "sandbox",
        Command::Demo(_) => "demo",
        Command::Schema => "schema",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
    }
}

fn fail(
    command: &str,
    reports: &Reports,
    error: &anyhow::Error,
    environment: &Environment,
) -> ExitCode {
    let style = stderr_style(environment);
    let known = error.downcast_ref::<Error>();
    let hint = known.and_then(Error::hint);
    let message = ErrorMessage::from_error(error.as_ref(), hint);
    match known {
        // A manifest's mistakes are shown in place, with the lines that they stand in.
        Some(Error::Config(config)) => {
            output::write::notice(&format!("{}\n", config.render(style.color)));
        }
        Some(_) | None => output::write::notice(&message.render(&style)),
    }
    let exit = known.map_or(ExitCode::Failed, Error::exit_code);
    // A report that could not be written says nothing of the others, which are there.
    if !matches!(known, Some(Error::Unwritten { .. })) {
        let code = known.map_or("failed", Error::code);
        if let Err(error) = reports.write_error((command, code), &message, exit) {
            // The exit code says that it failed; a report of that which cannot be written adds nothing to it.
            let message = ErrorMessage::from_error(error.as_ref(), None);
            output::write::notice(&message.render(&style));
        }
    }
    exit
}

fn stdout_style(environment: &Environment) -> Style {
    style(environment, environment.stdout_is_terminal)
}

fn stderr_style(environment: &Environment) -> Style {
    style(environment, environment.stderr_is_terminal)
}

fn style(environment: &Environment, is_terminal: bool) -> Style {
    let screen = Screen {
        is_terminal,
        width: environment.columns,
        color: environment.color,
    };
    Style::detect(screen, |name| environment.text(name))
}
