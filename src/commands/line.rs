//! The command line as it was given: parsed, or answered with help or a complaint; and what it says of colour and quiet.
//! Glue between clap, the environment and the screen: what each command does with its flags is its own.

use std::ffi::OsString;

use clap::FromArgMatches as _;

use crate::cli::{self, Cli, ColorWhen, Common};
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::output::{self, Style};

use super::{stderr_style, stdout_style};

/// The columns of help that goes into a file.
pub(super) const HELP_WIDTH: usize = 80;

/// Parses the command line, with help as wide as the screen.
pub(super) fn parse(arguments: &[OsString], environment: &Environment) -> Result<Cli, clap::Error> {
    let width = stdout_style(environment).width;
    let command = cli::command(if width == usize::MAX {
        HELP_WIDTH
    } else {
        width
    });
    let matches = command.try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// The environment as the flags want it to be taken.
pub(super) fn asked(common: &Common, environment: &Environment) -> Environment {
    Environment {
        color: match common.color {
            ColorWhen::Auto => None,
            ColorWhen::Always => Some(true),
            ColorWhen::Never => Some(false),
        },
        quiet: common.quiet,
        ..environment.clone()
    }
}

/// `--color` of a command line that clap has refused, or answered with a help.
fn color_of(arguments: &[OsString]) -> Option<bool> {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let pairs = words.windows(2).filter_map(|pair| match pair {
        ["--color", when] => Some(*when),
        _ => None,
    });
    let joined = words
        .iter()
        .filter_map(|word| word.strip_prefix("--color="));
    match pairs.chain(joined).last()? {
        "always" => Some(true),
        "never" => Some(false),
        _ => None,
    }
}

/// `--help` and `--version` come from clap as errors too; they are results, and end well.
pub(super) fn usage(
    error: &clap::Error,
    arguments: &[OsString],
    environment: &Environment,
) -> ExitCode {
    let environment = &Environment {
        color: color_of(arguments),
        ..environment.clone()
    };
    let rendered = error.render();
    let dressed = |style: Style| {
        if style.color {
            rendered.ansi().to_string()
        } else {
            rendered.to_string()
        }
    };
    if error.use_stderr() {
        output::write::notice(&dressed(stderr_style(environment)));
        return ExitCode::Usage;
    }
    match output::write::result(&dressed(stdout_style(environment))) {
        Ok(()) => ExitCode::Success,
        Err(_) => ExitCode::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(words: &[&str]) -> Option<bool> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        color_of(&words)
    }

    #[test]
    fn the_colour_of_a_help_is_asked_for_like_any_other() {
        assert_eq!(color(&["crossgate", "--help"]), None);
        assert_eq!(
            color(&["crossgate", "--color", "never", "--help"]),
            Some(false)
        );
        assert_eq!(
            color(&["crossgate", "plan", "--color=always", "--help"]),
            Some(true)
        );
        assert_eq!(color(&["crossgate", "--color=auto", "--help"]), None);
        assert_eq!(color(&["crossgate", "--color"]), None);
    }

    #[test]
    fn flags_go_before_what_the_process_was_given() {
        let parsed = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            parse(&words, &Environment::default())
                .map(|cli| asked(&cli.common, &Environment::default()))
        };
        let environment = parsed(&["crossgate", "plan", "-q", "--color", "never"]);
        assert!(environment.is_ok_and(|e| e.quiet && e.color == Some(false)));
        let environment = parsed(&["crossgate", "--color", "always", "plan"]);
        assert!(environment.is_ok_and(|e| !e.quiet && e.color == Some(true)));
    }
}
