//! What people expect of a tool that they keep: completions in real shells, help, quiet, colour, closed pipes, exit codes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crossgate::sandbox::SandboxOptions;
use tempfile::TempDir;

use super::sandbox::Story;
use crate::support::cli::{self, Run};

const ESCAPE: char = '\u{1b}';

/// A folder below one with the manifest of many gates.
fn folder() -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let manifest = include_str!("../../../config/many-gates.toml");
    std::fs::write(folder.path().join("crossgate.toml"), manifest).unwrap();
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    (folder, below)
}

/// Runs without an account, a home or a terminal.
fn run(folder: &Path, arguments: &[&str]) -> Run {
    cli::run(folder, &BTreeMap::new(), arguments)
}

/// What a shell prints for a script; none where the machine does not have that shell.
fn shell(program: &str, folder: &Path, script: &str) -> Option<String> {
    let mut command = Command::new(program);
    if program == "zsh" {
        command.arg("-f");
    }
    let output = command
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "{program}: {said}"
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The script for a shell, in a file.
fn script(folder: &Path, shell: &str) -> String {
    let run = run(folder, &["completions", shell]);
    run.exits(0)
        .ensure(run.stderr.is_empty(), "only the script");
    run.ensure(
        run.stdout.contains(&cli::binary().display().to_string()),
        "it calls this program",
    );
    let file = folder.join(format!("completions.{shell}"));
    std::fs::write(&file, &run.stdout).unwrap();
    file.display().to_string()
}

#[test]
fn bash_completes_commands_flags_gates_and_accounts() {
    let (_kept, folder) = folder();
    let file = script(&folder, "bash");
    let complete = |line: &str| {
        let script = format!(
            "source '{file}'; complete -p crossgate >/dev/null || exit 9
             COMP_WORDS=({line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMP_TYPE=9
             _clap_complete_crossgate crossgate \"${{COMP_WORDS[COMP_CWORD]}}\" x
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let text = shell("bash", &folder, &script).expect("bash is everywhere");
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(
        complete("crossgate plan --gate ''"),
        ["validate", "smoke", "approve", "audit"]
    );
    assert_eq!(complete("crossgate plan --gate ap"), ["approve"]);
    assert_eq!(
        complete("crossgate permissions plan --account t"),
        ["tools"]
    );
    assert_eq!(complete("crossgate boot"), ["bootstrap"]);
    assert_eq!(complete("crossgate plan --exit"), ["--exit-code"]);
    assert_eq!(
        complete("crossgate explain CG-40"),
        ["CG-401", "CG-402", "CG-403"]
    );
    assert_eq!(complete("crossgate --color al"), ["always"]);
}

#[test]
#[cfg(unix)]
fn a_program_in_a_folder_with_a_space_and_a_quote_is_called_by_every_shell() {
    let (_kept, folder) = folder();
    let odd = folder.join("it's a folder");
    std::fs::create_dir(&odd).unwrap();
    let program = odd.join("crossgate");
    std::os::unix::fs::symlink(cli::binary(), &program).unwrap();
    for (name, ask) in [
        (
            "bash",
            "COMP_WORDS=(crossgate plan --gate ap); COMP_CWORD=3; COMP_TYPE=9
             _clap_complete_crossgate crossgate ap x; printf '%s\\n' \"${COMPREPLY[@]}\"",
        ),
        ("fish", "complete -C 'crossgate plan --gate ap'"),
        (
            "zsh",
            "words=(crossgate plan --gate ap); CURRENT=4; _clap_dynamic_completer_crossgate",
        ),
    ] {
        let output = Command::new(&program)
            .args(["completions", name])
            .current_dir(&folder)
            .env_clear()
            .output()
            .unwrap();
        let file = folder.join(format!("odd.{name}"));
        std::fs::write(&file, output.stdout).unwrap();
        let played = "compdef() { :; }; _describe() { print -l -- ${(P)argv[-1]} }\n";
        let before = if name == "zsh" { played } else { "" };
        let script = format!("{before}source '{}'\n{ask}", file.display());
        let said = shell(name, &folder, &script);
        let is_called = said.as_ref().is_none_or(|text| text.starts_with("approve"));
        assert!(is_called, "{name}: {said:?}");
    }
}

#[test]
fn fish_completes_gates_with_a_word_about_each() {
    let (_kept, folder) = folder();
    let file = script(&folder, "fish");
    let complete = format!("source '{file}'; complete -C 'crossgate plan --gate a'");
    let Some(text) = shell("fish", &folder, &complete) else {
        return;
    };
    assert_eq!(
        text,
        "approve\tshop-main, function change-window\naudit\tshop-release, function audit-release\n"
    );
}

#[test]
fn zsh_completes_gates_with_a_word_about_each() {
    let (_kept, folder) = folder();
    let file = script(&folder, "zsh");
    // What the line editor brings along is played: the words, the place in them, and who shows the candidates.
    let complete = format!(
        "compdef() {{ known=$2 }}; _describe() {{ print -l -- ${{(P)argv[-1]}} }}
         source '{file}'; [[ $known == crossgate ]] || exit 9
         words=(crossgate plan --gate a); CURRENT=4; _clap_dynamic_completer_crossgate"
    );
    let Some(text) = shell("zsh", &folder, &complete) else {
        return;
    };
    assert_eq!(
        text,
        "approve:shop-main, function change-window\naudit:shop-release, function audit-release\n"
    );
}

#[test]
fn every_shell_has_a_script_and_a_manifest_that_is_wrong_is_no_error() {
    let (kept, folder) = folder();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        script(&folder, shell);
    }
    run(&folder, &["completions", "tcsh"]).exits(2);
    for manifest in ["nonsense = [", "gates = 3", ""] {
        std::fs::write(kept.path().join("crossgate.toml"), manifest).unwrap();
        let asked = BTreeMap::from([("CROSSGATE_COMPLETE", "fish")]);
        let asked = asked
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        let run = cli::run(&folder, &asked, &["--", "crossgate", "plan", "--gate", ""]);
        run.exits(0).ensure(
            run.stdout.is_empty() && run.stderr.is_empty(),
            "nothing to say",
        );
    }
}

#[test]
fn a_page_of_the_manual_for_each_command() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &["man", "pages"]).exits(0);
    let page =
        |name: &str| std::fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    for (name, text) in [
        ("crossgate.1", "Exit codes"),
        ("crossgate-plan.1", "crossgate plan \\-\\-exit\\-code"),
        (
            "crossgate-policy-diff.1",
            "crossgate policy diff old.json new.json",
        ),
    ] {
        assert!(page(name).contains(text), "{name}: {}", page(name));
    }
    let run = run(folder.path(), &["man"]);
    run.exits(0)
        .ensure(run.stdout.starts_with(".ie"), "a page in roff");
}

#[test]
fn the_schema_is_printed_as_it_is_kept() {
    let folder = TempDir::new().unwrap();
    let run = run(folder.path(), &["schema"]);
    run.exits(0);
    assert_eq!(
        run.stdout,
        include_str!("../../../config/crossgate.schema.json")
    );
}

#[test]
fn what_is_mistyped_is_a_usage_error_with_the_nearest_name() {
    let (_kept, folder) = folder();
    for (arguments, near) in [
        (&["bootstrp"][..], "bootstrap"),
        (&["plan", "--exitcode"], "--exit-code"),
        (&["plan", "--format", "jsn"], "json"),
        (&["plan", "--gate", "aprove"], "did you mean `approve`?"),
        (
            &["permissions", "plan", "--account", "tolls"],
            "did you mean `tools`?",
        ),
        (
            &["verify", "--organizations", "tolls"],
            "did you mean `tools`?",
        ),
        (
            &["verify", "--scp-file", "tolls=scp.json"],
            "did you mean `tools`?",
        ),
        (&["explain", "CG-4O1"], "CG-401"),
        (&["completions", "zhs"], "zsh"),
        (&["permissions", "plann"], "plan"),
        (&["plan", "-q", "-v"], "cannot be used with"),
        (&["plan", "--color", "sometimes"], "always"),
        (&["--timeout", "1"], "crossgate"),
        (&[], "bootstrap"),
        (&["policy"], "simulate"),
    ] {
        let run = run(&folder, arguments);
        run.exits(2).says(near);
        run.ensure(
            run.stdout.is_empty(),
            "standard output carries only results",
        );
    }
}

#[test]
fn help_and_version_are_results() {
    let folder = TempDir::new().unwrap();
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["plan", "--help"],
        &["help", "plan"],
    ] {
        let run = run(folder.path(), arguments);
        run.exits(0).says("Examples:");
        run.ensure(
            run.stderr.is_empty() && !run.stdout.contains(ESCAPE),
            "plain text",
        );
    }
    let colored = run(folder.path(), &["--color", "always", "--help"]);
    colored
        .exits(0)
        .ensure(colored.stdout.contains(ESCAPE), "colour was asked for");
    let short = run(folder.path(), &["-V"]);
    assert_eq!(
        short.exits(0).stdout,
        format!("crossgate {}\n", env!("CARGO_PKG_VERSION"))
    );
    let long = run(folder.path(), &["--version"]);
    assert!(
        long.exits(0).stdout.starts_with(short.stdout.trim_end()),
        "{}",
        long.stdout
    );
}

#[test]
fn a_reader_that_has_gone_ends_it_quietly() {
    let (_kept, folder) = folder();
    for arguments in [
        &["explain"][..],
        &["--help"],
        &["schema"],
        &["permissions", "bootstrap"],
        &["completions", "bash"],
        &["man"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(cli::binary())
            .args(arguments)
            .current_dir(&folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(said.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn quiet_says_nothing_beside_the_result_and_errors_all_the_same() {
    let story = Story::new(SandboxOptions::default());
    let loud = story.run(&["bootstrap", "--yes"]);
    loud.exits(0)
        .ensure(!loud.stderr.is_empty(), "the steps are told");
    story.run(&["teardown", "--yes"]).exits(0);
    for format in ["text", "json"] {
        for command in ["bootstrap", "teardown"] {
            let run = story.run(&[command, "--yes", "-q", "--format", format]);
            run.exits(0)
                .ensure(run.stderr.is_empty(), "nothing on standard error");
            run.ensure(!run.stdout.is_empty(), "the result is there");
        }
    }
    story.run(&["bootstrap", "--yes"]).exits(0);
    let run = story.run(&["run", "-q"]);
    run.exits(0)
        .ensure(run.stderr.is_empty(), "nothing of the way there");
    run.ensure(!run.stdout.is_empty(), "the result is there");
    let run = story.run(&["plan", "-q", "--gate", "nobody"]);
    run.exits(2)
        .ensure(run.stderr.contains("nobody"), "an error is told");
    let run = story.run(&["bootstrap", "-q"]);
    run.exits(2)
        .ensure(run.stderr.contains("--yes"), "an error is told");
}

#[test]
fn each_call_is_told_where_that_is_asked_and_nowhere_else() {
    let mut story = Story::new(SandboxOptions::default());
    let told = |run: &Run| {
        let lines = run.stderr.lines().filter(|line| line.contains("aws call"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let run = story.run(&["plan", "-v"]);
    run.exits(0)
        .ensure(told(&run).is_empty(), "-v is about documents");
    let run = story.run(&["plan", "-vv"]);
    run.exits(0);
    let lines = told(&run);
    run.ensure(lines.len() > 3, "each call has a line");
    for line in &lines {
        for part in [
            "operation=\"",
            "account=",
            "account_id=",
            "duration_ms=",
            "request_id=\"",
            "outcome=\"",
            "retries=",
        ] {
            run.ensure(line.contains(part), part);
        }
    }
    for secret in [
        "AWS_SECRET_ACCESS_KEY",
        "aws_secret_access_key",
        "Authorization",
        "Signature",
    ] {
        run.ensure(!run.stderr.contains(secret), secret);
    }
    for (asked, wanted) in [
        ("crossgate=debug", true),
        ("aws_smithy_runtime=trace", false),
        ("off", false),
        ("info", false),
    ] {
        story
            .variables
            .insert("RUST_LOG".to_owned(), asked.to_owned());
        let run = story.run(&["plan"]);
        run.exits(0).ensure(told(&run).is_empty() != wanted, asked);
        run.ensure(wanted || run.stderr.is_empty(), "nothing else is told");
    }
    story
        .variables
        .insert("RUST_LOG".to_owned(), "crossgate=loud".to_owned());
    story
        .run(&["plan"])
        .exits(0)
        .says("RUST_LOG is not understood");
}

#[test]
fn colour_goes_where_it_is_asked_for() {
    let mut story = Story::new(SandboxOptions::default());
    let mut colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            story.variables.remove(name);
        }
        for (name, value) in variables {
            story
                .variables
                .insert((*name).to_owned(), (*value).to_owned());
        }
        let run = story.run(&[&["plan"], arguments].concat());
        run.exits(0);
        run.ensure(!run.stdout.contains("\u{1b}]8"), "no link into a file");
        run.stdout.contains(ESCAPE)
    };
    assert!(!colored(&[], &[]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(
        &["--color=auto"],
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
    ));
}
