//! Questions with more than two answers: choose one of many, type a text.
//! It decides no answer and checks none by itself; whether to ask at all is decided by the command.

use std::io;

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{FuzzySelect, Input};

use super::sanitize;

/// Somebody who answers; tests have a script for one.
pub trait Ask {
    /// One of the options, by its index. `default` is the one that Enter takes.
    ///
    /// # Errors
    /// The terminal is gone, or the person stopped it ([`io::ErrorKind::Interrupted`]).
    fn choose(&mut self, question: &str, options: &[String], default: usize) -> io::Result<usize>;

    /// A text that passes the check, which answers with what is wrong. An empty `default` is none.
    ///
    /// # Errors
    /// As [`Ask::choose`].
    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> io::Result<String>;
}

/// The terminal: questions on standard error, answers from its keyboard. Esc and Ctrl-C stop it.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether colours are shown.
    pub color: bool,
}

impl Terminal {
    fn theme(self) -> Box<dyn Theme> {
        if self.color {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        }
    }
}

impl Ask for Terminal {
    fn choose(&mut self, question: &str, options: &[String], default: usize) -> io::Result<usize> {
        let theme = self.theme();
        let options = options.iter().map(|option| sanitize::line(option));
        let chosen = FuzzySelect::with_theme(&*theme)
            .with_prompt(sanitize::line(question))
            .items(options)
            .default(default)
            .max_length(12)
            .interact_opt();
        restored(chosen)?.ok_or_else(|| io::ErrorKind::Interrupted.into())
    }

    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> io::Result<String> {
        let theme = self.theme();
        let mut input = Input::<String>::with_theme(&*theme)
            .with_prompt(sanitize::line(question))
            .validate_with(|text: &String| {
                check(text.trim()).map_err(|e| sanitize::line(&e).into_owned())
            });
        if !default.is_empty() {
            input = input.default(default.to_owned());
        }
        restored(input.interact_text()).map(|text| text.trim().to_owned())
    }
}

/// A prompt that was stopped leaves the cursor hidden.
fn restored<T>(answer: dialoguer::Result<T>) -> io::Result<T> {
    answer.map_err(|dialoguer::Error::IO(error)| {
        show_cursor();
        error
    })
}

/// Leaves the terminal of a prompt that somebody else ends as it was: the cursor shown, a new line begun.
pub fn abandon() {
    show_cursor();
    super::write::notice("\n");
}

fn show_cursor() {
    // Where the terminal cannot be written there is no cursor to show.
    let _ = dialoguer::console::Term::stderr().show_cursor();
}
