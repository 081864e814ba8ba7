//! How the command line explains itself: commands in groups, examples, exit codes, the version with its commit.
//! It only dresses the clap types of the module above: no flag and no command is made here.

use std::fmt::Write as _;
use std::sync::LazyLock;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::Cli;
use super::examples::EXAMPLES;

/// The commands in the order in which they are needed. One that is not named here stands in a group of its own, last.
const GROUPS: &[(&str, &[&str])] = &[
    ("Wire gates", &["init", "plan", "bootstrap", "teardown"]),
    (
        "Keep them as they are meant",
        &["check", "prune", "restore", "merge", "graph"],
    ),
    (
        "See that they work",
        &["verify", "run", "diagnose", "explain"],
    ),
    ("Try without AWS", &["demo", "sandbox"]),
    (
        "Around it",
        &["permissions", "policy", "schema", "completions"],
    ),
];

/// Where what a command does begins.
const COLUMN: usize = 15;

/// The narrowest and the widest that help is wrapped to: long lines are hard to read on any screen.
const WIDTHS: (usize, usize) = (40, 100);

const EXIT_CODES: &str = "
  0  done; in sync; proven
  1  failed, and nothing was changed
  2  usage or manifest error
  3  drift (check), changes pending (plan --exit-code), a hop refuted (verify),
     the gate said no (run), a cause found (diagnose)
  4  incomplete: something could not be read, or a hop could not be proven
  5  partly applied: running it again continues";

/// The version, and the commit that it was built from where that is known: `0.1.0 (1a2b3c4d5e6f 2026-11-22)`.
pub fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let version = env!("CARGO_PKG_VERSION");
        match option_env!("CROSSGATE_COMMIT") {
            Some(commit) if !commit.is_empty() => format!("{version} ({commit})"),
            Some(_) | None => version.to_owned(),
        }
    });
    &TEXT
}

/// The whole command line with its help, wrapped to so many columns.
pub fn command(columns: usize) -> Command {
    let (least, most) = WIDTHS;
    let columns = columns.clamp(least, most);
    let mut root = Cli::command()
        .term_width(columns)
        .long_version(version())
        .disable_help_flag(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                // Of the whole program one page is enough: what is longer stands with each command.
                .action(ArgAction::HelpShort)
                .help("Print this; `crossgate COMMAND --help` says more of a command"),
        );
    let names: Vec<String> = root
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        root = root.mut_subcommand(&name, |sub| with_examples(sub, &name));
    }
    let after = after(&root);
    let template = template(&root, columns);
    root.help_template(template).after_help(after)
}

/// The command and those below it, each with its examples.
fn with_examples(command: Command, path: &str) -> Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = below.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |sub| with_examples(sub, &path))
    });
    // The program has a flag of its own, and clap then leaves out that of every command.
    let command = command.arg(
        Arg::new("help")
            .short('h')
            .long("help")
            .action(ArgAction::Help)
            .help("Print help; `-h` prints less of it"),
    );
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == path) else {
        return command;
    };
    let header = *command.get_styles().get_header();
    let mut text = StyledStr::new();
    let _ = write!(text, "{header}Examples:{header:#}");
    for (says, line) in *examples {
        let _ = write!(text, "\n  # {says}\n  {line}");
    }
    command.after_help(text)
}

fn after(root: &Command) -> StyledStr {
    let header = *root.get_styles().get_header();
    let mut text = StyledStr::new();
    let _ = write!(text, "{header}Exit codes:{header:#}{EXIT_CODES}");
    if let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| of.is_empty()) {
        let _ = write!(text, "\n\n{header}Examples:{header:#}");
        for (says, line) in *examples {
            let _ = write!(text, "\n  # {says}\n  {line}");
        }
    }
    text
}

/// clap lists commands in one column without groups: they are written into the template instead.
fn template(root: &Command, columns: usize) -> StyledStr {
    let styles = root.get_styles();
    let (header, literal) = (*styles.get_header(), *styles.get_literal());
    let mut text = StyledStr::new();
    let _ = writeln!(text, "{{about-with-newline}}\n{{usage-heading}} {{usage}}");
    for (title, commands) in groups(root) {
        let _ = writeln!(text, "\n{header}{title}:{header:#}");
        for command in commands {
            let name = command.get_name();
            let about = command.get_about().map(ToString::to_string);
            let about = about.unwrap_or_default();
            let width = columns.saturating_sub(COLUMN);
            for (n, line) in wrapped(&about, width).into_iter().enumerate() {
                let shown = if n == 0 { name } else { "" };
                let gap = " ".repeat(COLUMN.saturating_sub(shown.len() + 2));
                let _ = writeln!(text, "  {literal}{shown}{literal:#}{gap}{line}");
            }
        }
    }
    let _ = write!(text, "\n{{options}}{{after-help}}");
    text
}

/// The commands that are shown, by group.
fn groups(root: &Command) -> Vec<(&'static str, Vec<&Command>)> {
    let shown = || root.get_subcommands().filter(|sub| !sub.is_hide_set());
    let mut groups: Vec<(&str, Vec<&Command>)> = GROUPS
        .iter()
        .map(|(title, names)| {
            let find = |name: &&str| shown().find(|sub| sub.get_name() == *name);
            (*title, names.iter().filter_map(find).collect())
        })
        .collect();
    let known = |sub: &&Command| {
        GROUPS
            .iter()
            .any(|(_, names)| names.contains(&sub.get_name()))
    };
    groups.push(("More", shown().filter(|sub| !known(sub)).collect()));
    groups.retain(|(_, commands)| !commands.is_empty());
    groups
}

/// Lines of at most so many characters, cut between words.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let fits = lines.last().is_some_and(|line| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= room
        });
        if !fits {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
