//! The pages of this repository: tables are what the program says, command lines are taken, links lead somewhere.
//! `CROSSGATE_UPDATE_FILES=1 cargo test --test integration readme` makes the tables anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};
use crossgate::cli::Cli;
use crossgate::exit_code::ExitCode;
use crossgate::model::diagnosis::Cause;
use tempfile::TempDir;

use crate::support::cli;
use crate::support::shell::crossgate_lines;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every Markdown page for users: those at the top and those below config, by their paths.
fn pages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "SECURITY.md"]
        .map(|name| root().join(name))
        .into();
    let mut folders = vec![root().join("config")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(is), None) => open = Some((is, String::new())),
            (Some(_), Some((is, text))) if is == language => found.push(text),
            (Some(_), Some(_)) | (None, None) => {}
            (None, Some((is, text))) => open = Some((is, text + line + "\n")),
        }
    }
    found
}

/// The page without its fenced blocks, its lines joined.
fn prose(page: &str) -> String {
    let outside = page.split("\n```").step_by(2);
    outside.collect::<Vec<_>>().join(" ").replace('\n', " ")
}

/// Holds what stands between the markers of a page to what it should be.
#[track_caller]
fn holds(path: &str, name: &str, table: &str) {
    let (begin, end) = (
        format!("<!-- {name}: generated -->\n"),
        "<!-- end -->".to_owned(),
    );
    let page = read(path);
    let (before, rest) = page.split_once(&begin).unwrap();
    let (kept, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("CROSSGATE_UPDATE_FILES").is_some() {
        let now = format!("{before}{begin}{table}{end}{after}");
        fs::write(root().join(path), now).unwrap();
        return;
    }
    assert_eq!(
        kept, table,
        "{path}: CROSSGATE_UPDATE_FILES=1 makes it anew"
    );
}

/// The commands that are shown, those below others with their whole names.
fn rows(command: &Command, prefix: &str, table: &mut String) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("{prefix}{}", sub.get_name());
        if sub.has_subcommands() {
            rows(sub, &format!("{name} "), table);
            continue;
        }
        let mut names = vec![format!("`{name}`")];
        let aliases = sub.get_visible_aliases();
        names.extend(aliases.map(|alias| format!("`{prefix}{alias}`")));
        let about = sub.get_about().unwrap().to_string().replace('|', "\\|");
        let _ = writeln!(table, "| {} | {about} |", names.join(", "));
    }
}

#[test]
fn the_table_of_commands_is_fresh() {
    let mut table = String::from("| command | what it does |\n|---|---|\n");
    rows(&Cli::command(), "", &mut table);
    holds("README.md", "commands", &table);
}

#[test]
fn the_table_of_exit_codes_is_fresh_and_says_what_help_says() {
    let mut table = String::from("| exit | meaning |\n|---|---|\n");
    for code in ExitCode::ALL {
        let _ = writeln!(table, "| {} | {} |", code.number(), code.meaning());
    }
    holds("README.md", "exit codes", &table);

    let folder = TempDir::new().unwrap();
    let run = cli::run(folder.path(), &BTreeMap::new(), &["--help"]);
    run.exits(0);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let help = words.join(" ");
    for code in ExitCode::ALL {
        let line = format!("{} {}", code.number(), code.meaning());
        run.ensure(help.contains(&line), &line);
    }
}

#[test]
fn the_table_of_codes_is_fresh() {
    let mut table = String::from("| code | what |\n|---|---|\n");
    for cause in Cause::ALL {
        let (code, title) = (cause.code(), cause.title());
        let _ = writeln!(table, "| [{code}]({code}.md) | {title} |");
    }
    holds("config/explain/README.md", "codes", &table);
}

/// What keeps a command line from being taken; asking for help is no fault.
fn fault(line: &[String]) -> Option<clap::Error> {
    let error = Cli::try_parse_from(line).err()?;
    (error.kind() != ErrorKind::DisplayHelp).then_some(error)
}

#[test]
fn every_command_line_is_taken() {
    let mut seen = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for line in blocks(&page, "sh")
            .iter()
            .flat_map(|block| crossgate_lines(block))
        {
            seen += 1;
            if let Some(error) = fault(&line) {
                panic!("{}: {}: {error}", path.display(), line.join(" "));
            }
        }
        // In a sentence, a command may go without its arguments; COMMAND and … stand for what the reader chooses.
        let text = prose(&page);
        let spans = text.split('`').skip(1).step_by(2);
        let typed = spans.filter(|span| !span.contains("COMMAND") && !span.contains('…'));
        for line in typed
            .flat_map(crossgate_lines)
            .filter(|line| line.len() > 1)
        {
            seen += 1;
            let fine = [
                ErrorKind::DisplayVersion,
                ErrorKind::MissingRequiredArgument,
                ErrorKind::MissingSubcommand,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            if let Some(error) = fault(&line).filter(|error| !fine.contains(&error.kind())) {
                panic!("{}: {}: {error}", path.display(), line.join(" "));
            }
        }
    }
    assert!(seen > 40, "{seen} lines were found");
    assert!(fault(&["crossgate", "check", "--no-such-flag"].map(str::to_owned)).is_some());
}

#[test]
fn what_sells_is_what_the_demo_prints() {
    let page = read("README.md");
    let sells: Vec<&str> = page.lines().take(20).collect();
    let sells = sells.join("\n");
    assert!(sells.contains("`cargo run --release -- demo`"));
    let capture = blocks(&sells, "text").pop().unwrap();
    let demo = read("config/demo.txt");
    let mut printed = demo.lines();
    for line in capture.lines() {
        assert!(
            printed.any(|is| is == line),
            "not printed, or not in this order: {line}"
        );
    }
}

#[test]
fn the_manifest_of_the_readme_is_one() {
    let manifest = blocks(&read("README.md"), "toml").swap_remove(0);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("crossgate.toml"), manifest).unwrap();
    let arguments = ["permissions", "bootstrap", "--account", "dev"];
    let run = cli::run(folder.path(), &BTreeMap::new(), &arguments);
    run.exits(0).says("crossgate-checkout-validate");
}

/// How GitHub names a heading in an address.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for rest in prose(&page).split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{}: {link}", path.display());
            if heading.is_empty() {
                continue;
            }
            let of = if file.is_empty() { &path } else { &target };
            let text = fs::read_to_string(of).unwrap();
            let known = text.lines().filter_map(|line| line.strip_prefix("## "));
            let found = known.map(anchor).any(|is| is == heading);
            assert!(found, "{}: {link}", path.display());
        }
    }
}

#[test]
fn every_file_of_config_has_its_line() {
    let page = read("config/README.md");
    for entry in fs::read_dir(root().join("config")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let named = page
            .lines()
            .any(|line| line.starts_with(&format!("| [{name}](")));
        assert!(named || name == "README.md", "{name}");
    }
}
