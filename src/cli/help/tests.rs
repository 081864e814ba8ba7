use clap::error::ErrorKind;
use clap::{Command, FromArgMatches as _};

use super::{command, groups, version, wrapped};
use crate::cli::Cli;
use crate::cli::examples::EXAMPLES;

/// Every command with the words that lead to it, the program itself first.
fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    found.push((path.to_owned(), command.clone()));
    // clap's own `help` repeats the others.
    let own = |sub: &&Command| sub.get_name() != "help";
    for sub in command.get_subcommands().filter(own) {
        all(sub, format!("{path} {}", sub.get_name()).trim(), found);
    }
}

fn every() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    let mut root = command(80);
    // What holds for all commands, the width too, is handed down.
    root.build();
    all(&root, "", &mut found);
    found
}

/// The arguments of each `crossgate` in a line of a shell.
fn arguments(line: &str) -> Vec<Vec<String>> {
    let line = line.replace("\\\n", " ").replace(['(', ')'], " ");
    let parts = line
        .split("&&")
        .flat_map(|part| part.split(['|', '\n', '<', '>']));
    let words = parts.map(|part| {
        part.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    words
        .filter_map(|words| {
            let at = words.iter().position(|word| word == "crossgate")?;
            Some(words[at..].to_vec())
        })
        .collect()
}

#[test]
fn every_command_has_examples_and_every_example_is_a_command_line() {
    let commands = every();
    assert!(commands.len() > 15, "{}", commands.len());
    for (path, _) in &commands {
        let examples = EXAMPLES.iter().find(|(of, _)| of == path);
        let (_, examples) = examples.unwrap_or_else(|| panic!("`crossgate {path}` has no example"));
        assert!(!examples.is_empty(), "{path}");
        for (says, line) in *examples {
            let lines = arguments(line);
            assert!(!lines.is_empty(), "{line}");
            let about = format!("crossgate {path}");
            assert!(line.contains(about.trim()), "{line} is not about {about}");
            assert!(!says.is_empty() && !says.ends_with('.'), "{says}");
            for words in lines {
                let matches = command(80)
                    .try_get_matches_from(&words)
                    .unwrap_or_else(|error| panic!("{words:?}: {error}"));
                Cli::from_arg_matches(&matches).unwrap();
            }
        }
    }
    for (path, _) in EXAMPLES {
        assert!(
            commands.iter().any(|(known, _)| known == path),
            "no command {path}"
        );
    }
}

#[test]
fn an_example_out_of_date_would_be_found() {
    let words = arguments("crossgate plan --no-such-flag | jq .");
    let words = words.first().unwrap();
    assert_eq!(words, &["crossgate", "plan", "--no-such-flag"]);
    let error = command(80).try_get_matches_from(words).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownArgument);
}

#[test]
fn help_fits_eighty_columns_and_shows_the_examples() {
    for (path, mut one) in every() {
        for text in [one.render_help(), one.render_long_help()] {
            let text = text.to_string();
            let (_, examples) = EXAMPLES.iter().find(|(of, _)| *of == path).unwrap();
            for (_, line) in *examples {
                assert!(text.contains(line), "{path}: {line}");
            }
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "crossgate {path}");
        }
    }
}

#[test]
fn every_command_that_is_shown_stands_in_a_group_that_was_chosen_for_it() {
    let root = command(80);
    let groups = groups(&root);
    let more = groups.iter().find(|(title, _)| *title == "More");
    assert!(more.is_none(), "{more:?}");
    let count: usize = groups.iter().map(|(_, commands)| commands.len()).sum();
    let shown = root
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .count();
    assert_eq!(count, shown);
}

#[test]
fn words_are_not_cut() {
    assert_eq!(wrapped("aaa bbb cc", 6), ["aaa", "bbb cc"]);
    assert_eq!(wrapped("aaaaaaaa b", 3), ["aaaaaaaa", "b"]);
    assert_eq!(wrapped("", 3), [""]);
}

#[test]
fn the_long_version_begins_with_the_short_one() {
    assert!(version().starts_with(env!("CARGO_PKG_VERSION")));
    let said = |flag: &str| {
        let error = command(80)
            .try_get_matches_from(["crossgate", flag])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayVersion);
        error.to_string()
    };
    assert_eq!(
        said("-V"),
        format!("crossgate {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(said("--version"), format!("crossgate {}\n", version()));
}

#[test]
fn a_mistyped_command_or_flag_gets_a_suggestion() {
    for (words, near) in [
        (["crossgate", "bootstrp"], "bootstrap"),
        (
            ["crossgate", "check"].map(|w| if w == "check" { "chekc" } else { w }),
            "check",
        ),
    ] {
        let error = command(80).try_get_matches_from(words).unwrap_err();
        assert!(error.use_stderr());
        assert!(error.to_string().contains(near), "{error}");
    }
    let error = command(80)
        .try_get_matches_from(["crossgate", "plan", "--exitcode"])
        .unwrap_err();
    assert!(error.to_string().contains("--exit-code"), "{error}");
}

#[test]
fn quiet_and_verbose_exclude_each_other() {
    let error = command(80)
        .try_get_matches_from(["crossgate", "plan", "-q", "-v"])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
}
