//! How far the work has come, on standard error: moving lines on a terminal, plain lines elsewhere.
//! It only listens; nothing depends on whether anybody looks.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::account::AccountName;
use crate::model::change::Outcome;
use crate::model::progress::Progress;

use super::sanitize;
use super::style::Style;
use super::words;

/// How often a moving line is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// A moving line for each account. It is drawn on a terminal only, and must be cleared before a result is printed.
pub struct Bars {
    lines: MultiProgress,
    style: ProgressStyle,
    accounts: Mutex<BTreeMap<AccountName, Account>>,
}

/// How far one account has come.
#[derive(Debug)]
struct Account {
    bar: ProgressBar,
    planned: usize,
    read: usize,
    done: usize,
    /// The steps under way, the last begun last.
    running: Vec<Step>,
}

/// A step under way, and its attempt where it waits for IAM.
#[derive(Debug)]
struct Step {
    what: String,
    waiting: Option<u32>,
}

impl Bars {
    /// Lines on standard error; nothing is drawn where that is no terminal.
    pub fn stderr(style: &Style) -> Self {
        Self::on(ProgressDrawTarget::stderr(), style)
    }

    /// Lines on a target of the caller's choice.
    pub fn on(target: ProgressDrawTarget, style: &Style) -> Self {
        let ticks = if style.unicode {
            "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "
        } else {
            "|/-\\ "
        };
        // The template is constant and valid (a test draws it); the default spinner would do as well.
        let line = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}");
        let style = line.unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self {
            lines: MultiProgress::with_draw_target(target),
            style: style.tick_chars(ticks),
            accounts: Mutex::default(),
        }
    }

    /// Takes all lines off the screen. What comes afterwards makes new ones.
    pub fn clear(&self) {
        let accounts = std::mem::take(&mut *self.accounts());
        for (_, account) in accounts {
            account.bar.finish_and_clear();
        }
        // A screen that cannot be cleared cannot be helped.
        let _ = self.lines.clear();
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<AccountName, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, name: &AccountName, change: impl FnOnce(&mut Account)) {
        let mut accounts = self.accounts();
        let account = accounts.entry(name.clone()).or_insert_with(|| {
            let bar = self.lines.add(ProgressBar::new_spinner());
            bar.set_style(self.style.clone());
            bar.set_prefix(name.as_str().to_owned());
            bar.enable_steady_tick(TICK);
            Account {
                bar,
                planned: 0,
                read: 0,
                done: 0,
                running: Vec::new(),
            }
        });
        change(account);
        account.bar.set_message(account.message());
    }
}

impl Account {
    fn message(&self) -> String {
        let Self {
            bar: _,
            planned,
            read,
            done,
            running,
        } = self;
        let Some(Step { what, waiting }) = running.last() else {
            return match done {
                0 => format!("reads {read}/{planned}"),
                done => format!("{} done", words::counted(*done, "step")),
            };
        };
        let waiting = waiting.map(|n| {
            if what.starts_with("lambda:") {
                format!(" (waiting for the function to become ready, attempt {n})")
            } else {
                format!(" (waiting for IAM to settle, attempt {n})")
            }
        });
        let more = match running.len() {
            1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        format!("{what}{}{more}", waiting.unwrap_or_default())
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Progress for Bars {
    fn reads_planned(&self, account: &AccountName, more: usize) {
        self.update(account, |account| account.planned += more);
    }

    fn read_done(&self, account: &AccountName) {
        self.update(account, |account| account.read += 1);
    }

    fn step_started(&self, account: &AccountName, what: &str) {
        let what = sanitize::line(what).into_owned();
        self.update(account, |account| {
            account.running.push(Step {
                what,
                waiting: None,
            });
        });
    }

    fn step_waiting(&self, account: &AccountName, what: &str, attempt: u32) {
        let what = sanitize::line(what);
        self.update(account, |account| {
            if let Some(step) = account.running.iter_mut().find(|step| step.what == what) {
                step.waiting = Some(attempt);
            }
        });
    }

    fn step_done(&self, account: &AccountName, what: &str, outcome: &Outcome) {
        let what = sanitize::line(what);
        let counts = match outcome {
            Outcome::Done | Outcome::AlreadyThere => 1,
            Outcome::Kept(_) | Outcome::Failed(_) | Outcome::Skipped { .. } => 0,
        };
        self.update(account, |account| {
            if let Some(at) = account.running.iter().position(|step| step.what == what) {
                account.running.remove(at);
            }
            account.done += counts;
        });
    }
}

/// A plain line for each step that has ended, for logs. Reads are not worth a line.
pub struct Lines<W> {
    target: Mutex<W>,
}

impl Lines<io::Stderr> {
    /// Lines on standard error.
    pub fn stderr() -> Self {
        Self::new(io::stderr())
    }
}

impl<W: Write> Lines<W> {
    /// Lines on a target of the caller's choice.
    pub fn new(target: W) -> Self {
        let target = Mutex::new(target);
        Self { target }
    }
}

impl<W: Write> Progress for Lines<W> {
    fn reads_planned(&self, _: &AccountName, _: usize) {}

    fn read_done(&self, _: &AccountName) {}

    fn step_started(&self, _: &AccountName, _: &str) {}

    fn step_waiting(&self, _: &AccountName, _: &str, _: u32) {}

    fn step_done(&self, account: &AccountName, what: &str, outcome: &Outcome) {
        let mut ended = words::outcome(outcome, &[]);
        if let Outcome::Failed(failure) = outcome {
            ended = format!("{ended}: {failure}");
        }
        let line = format!("{account}: {what}: {ended}");
        let line = format!("{}\n", sanitize::line(&line));
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing depends on whether anybody reads it. One write: lines of several processes do not mix.
        let _ = target.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests;
