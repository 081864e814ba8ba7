//! `completions`: what makes a shell ask this program, and the answer that it then gets.
//! No AWS account is asked, and nothing is ever said but candidates: a shell in the middle of a line can show no error.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use crate::cli::{self, CompletionsArgs, Shell};
use crate::config::{self, Names};
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::model::diagnosis::Cause;
use crate::output;

/// The variable by which a shell says that it asks for candidates, and which shell it is. What else it has to say is in
/// variables of clap_complete's own (`_CLAP_…`), which that reads.
const VARIABLE: &str = "CROSSGATE_COMPLETE";

/// The name to be completed.
const PROGRAM: &str = "crossgate";

/// Prints what a shell is to run when it starts.
pub(super) fn script(
    args: &CompletionsArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let CompletionsArgs { shell } = args;
    let shell: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::PowerShell => &Powershell,
        Shell::Elvish => &Elvish,
    };
    let mut text = Vec::new();
    let program = program(environment);
    let is_bash = shell.is("bash");
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, &program, &mut text)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if is_bash {
        text = requoted(&text, &program);
    }
    output::write::result(&text)?;
    Ok(ExitCode::Success)
}

/// The script with the program in single quotes. For bash `clap_complete` (4.6) puts quotes around what is quoted already, so that a
/// path with a space falls apart.
fn requoted(script: &str, program: &str) -> String {
    const CALL: &str = " -- \"${words[@]}\"";
    let called = format!("'{}'", program.replace('\'', r"'\''"));
    let line = |line: &str| match line.split_once(CALL) {
        Some((_, rest)) => format!("        {called}{CALL}{rest}\n"),
        None => format!("{line}\n"),
    };
    script.lines().map(line).collect()
}

/// How the shell calls this program again: by its name if it was found by it, else by where it is.
fn program(environment: &Environment) -> String {
    let called = environment
        .program
        .as_deref()
        .unwrap_or(OsStr::new(PROGRAM));
    let path = Path::new(called);
    match &environment.folder {
        Some(folder) if path.components().count() > 1 => folder.join(path),
        Some(_) | None => path.to_owned(),
    }
    .to_string_lossy()
    .into_owned()
}

/// Answers a shell that asks for candidates; none: no shell asks, and the command line is meant.
pub(super) fn answer(arguments: &[OsString], environment: &Environment) -> Option<ExitCode> {
    let asked = environment.raw(VARIABLE).filter(|name| !name.is_empty())?;
    let shells = Shells::builtins();
    let shell = asked.to_str().and_then(|name| shells.completer(name));
    let words = arguments.iter().skip_while(|word| *word != "--").skip(1);
    let words: Vec<OsString> = words.cloned().collect();
    let mut text = Vec::new();
    let written = shell.map(|shell| {
        let command = cli::command(super::line::HELP_WIDTH);
        let mut command = with_names(command, &words, environment);
        let folder = environment.folder.as_deref();
        shell.write_complete(&mut command, words.clone(), folder, &mut text)
    });
    match written {
        Some(Ok(())) => {
            // A shell that has gone needs no answer.
            let _ = output::write::result(&String::from_utf8_lossy(&text));
            Some(ExitCode::Success)
        }
        // The shell shows nothing, as wherever nothing is known.
        Some(Err(_)) | None => Some(ExitCode::Usage),
    }
}

/// The command line, with candidates where a name of the manifest, or a code, is to be given. The manifest is read when such a
/// place is completed, and not before.
fn with_names(command: Command, words: &[OsString], environment: &Environment) -> Command {
    let folder = environment.folder.clone().unwrap_or_default();
    let flag = config_of(words).map(|path| folder.join(path));
    let environment = environment.clone();
    let names = move || names(flag.as_deref(), &environment);
    named(command, &names)
}

fn named<F: Fn() -> Names + Clone + Send + Sync + 'static>(command: Command, names: &F) -> Command {
    let command = command.mut_args(|arg| candidates(arg, names));
    let below: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    below.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| named(sub, names))
    })
}

fn candidates<F: Fn() -> Names + Clone + Send + Sync + 'static>(arg: Arg, names: &F) -> Arg {
    let names = names.clone();
    match arg.get_id().as_str() {
        "gate" => arg.add(ArgValueCandidates::new(move || shown(names().gates))),
        "account" | "organizations" => {
            arg.add(ArgValueCandidates::new(move || shown(names().accounts)))
        }
        "code" => arg.add(ArgValueCandidates::new(codes)),
        _ => arg,
    }
}

fn shown(names: Vec<(String, String)>) -> Vec<CompletionCandidate> {
    let one = |(name, about): (String, String)| {
        let about = Some(about).filter(|about| !about.is_empty());
        CompletionCandidate::new(name).help(about.map(Into::into))
    };
    names.into_iter().map(one).collect()
}

fn codes() -> Vec<CompletionCandidate> {
    let one =
        |cause: &Cause| CompletionCandidate::new(cause.code()).help(Some(cause.title().into()));
    Cause::ALL.iter().map(one).collect()
}

/// The names of the manifest that the command would take; none where there is none, or none that can be read.
fn names(flag: Option<&Path>, environment: &Environment) -> Names {
    let folder = environment.folder.as_deref().unwrap_or(Path::new("."));
    let location = config::find(flag, environment.raw("CROSSGATE_CONFIG"), folder);
    location
        .map(|location| config::names(&location))
        .unwrap_or_default()
}

/// The manifest that the words name, as far as they go.
fn config_of(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter().skip(1);
    let mut found = None;
    while let Some(word) = words.next() {
        let Some(text) = word.to_str() else { continue };
        if text == "-c" || text == "--config" {
            found = words.next().map(PathBuf::from);
        } else if let Some(path) = text.strip_prefix("--config=") {
            found = Some(PathBuf::from(path));
        } else if let Some(path) = text.strip_prefix("-c").filter(|_| !text.starts_with("--")) {
            found = Some(PathBuf::from(path));
        }
    }
    found.filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What the last of these words may become, in a folder with this manifest.
    fn candidates(manifest: &str, line: &[&str]) -> Vec<String> {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("crossgate.toml"), manifest).unwrap();
        std::fs::write(folder.path().join("other.toml"), "[accounts.elsewhere]\n").unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        let environment = Environment {
            folder: Some(folder.path().join("below")),
            ..Environment::default()
        };
        let words: Vec<OsString> = ["crossgate"]
            .iter()
            .chain(line)
            .map(OsString::from)
            .collect();
        let mut command = with_names(cli::command(80), &words, &environment);
        let last = words.len() - 1;
        let found = clap_complete::engine::complete(
            &mut command,
            words,
            last,
            environment.folder.as_deref(),
        );
        found
            .unwrap()
            .iter()
            .map(|one| one.get_value().to_string_lossy().into_owned())
            .collect()
    }

    const MANY: &str = include_str!("../../config/many-gates.toml");

    #[test]
    fn gates_and_accounts_are_those_of_the_manifest_above() {
        assert_eq!(
            candidates(MANY, &["plan", "--gate", ""]),
            ["validate", "smoke", "approve", "audit"]
        );
        assert_eq!(candidates(MANY, &["--gate", "a"]), ["approve", "audit"]);
        assert_eq!(candidates(MANY, &["check", "--gate=s"]), ["--gate=smoke"]);
        assert_eq!(
            candidates(MANY, &["permissions", "plan", "--account", "to"]),
            ["tools"]
        );
        assert_eq!(
            candidates(MANY, &["verify", "--organizations", "or"]),
            ["org"]
        );
    }

    #[test]
    fn the_manifest_that_is_named_goes_before_the_one_that_is_found() {
        for flag in [
            &["-c", "../other.toml"][..],
            &["--config=../other.toml"],
            &["-c../other.toml"],
        ] {
            let line = [&["permissions", "plan"], flag, &["--account", ""]].concat();
            assert_eq!(candidates(MANY, &line), ["elsewhere"]);
        }
    }

    #[test]
    fn commands_flags_and_codes_are_completed_without_a_manifest() {
        assert!(candidates("", &["boot"]).contains(&"bootstrap".to_owned()));
        assert!(candidates("", &["plan", "--tear"]).contains(&"--teardown".to_owned()));
        assert_eq!(
            candidates("", &["explain", "CG-40"]),
            ["CG-401", "CG-402", "CG-403"]
        );
        assert!(candidates("nonsense = [", &["plan", "--gate", ""]).is_empty());
    }

    #[test]
    fn a_shell_calls_the_program_as_the_person_did() {
        let called = |name: &str| {
            program(&Environment {
                program: Some(name.into()),
                folder: Some("/work".into()),
                ..Environment::default()
            })
        };
        assert_eq!(called("crossgate"), "crossgate");
        assert_eq!(
            called("target/debug/crossgate"),
            "/work/target/debug/crossgate"
        );
        assert_eq!(called("/usr/bin/crossgate"), "/usr/bin/crossgate");
    }
}
