//! What is seen of the progress, on a screen in memory and in a log.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use indicatif::TermLike;

use crate::model::change::{Failure, Outcome};
use crate::output::fixtures::{account, denied};

use super::*;

/// A screen that keeps everything that was ever written on it.
#[derive(Debug, Default, Clone)]
struct Screen(Arc<Mutex<(String, usize)>>);

impl Screen {
    fn text(&self) -> String {
        self.0.lock().unwrap().0.clone()
    }

    /// How often a line was cleared.
    fn cleared(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        100
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, s: &str) -> io::Result<()> {
        self.write_str(s)?;
        self.write_str("\n")
    }
    fn write_str(&self, s: &str) -> io::Result<()> {
        self.0.lock().unwrap().0.push_str(s);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.0.lock().unwrap().1 += 1;
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn bars(screen: &Screen) -> Bars {
    Bars::on(
        ProgressDrawTarget::term_like(Box::new(screen.clone())),
        &Style::PLAIN,
    )
}

#[test]
fn each_account_has_a_line_that_follows_the_work() {
    let screen = Screen::default();
    let bars = bars(&screen);
    let (tools, _) = account("tools");
    let (dev, _) = account("dev");
    bars.reads_planned(&tools, 3);
    bars.read_done(&tools);
    assert!(
        screen.text().contains("tools: reads 1/3"),
        "{}",
        screen.text()
    );
    bars.step_started(&dev, "iam:CreateRole role \u{1b}[2Jx");
    assert!(
        screen
            .text()
            .contains("dev: iam:CreateRole role \\u{1b}[2Jx")
    );
    bars.step_waiting(&dev, "iam:CreateRole role \u{1b}[2Jx", 2);
    assert!(
        screen.text().contains("(waiting for IAM to settle"),
        "{}",
        screen.text()
    );
    bars.step_started(&dev, "b");
    assert!(screen.text().contains("dev: b, and 1 more"));
    bars.step_done(&dev, "b", &Outcome::Done);
    bars.step_done(
        &dev,
        "iam:CreateRole role \u{1b}[2Jx",
        &Outcome::Failed(denied()),
    );
    assert!(screen.text().contains("dev: 1 step done"));
    bars.step_done(&dev, "never begun", &Outcome::AlreadyThere);
    assert!(!screen.text().contains('\u{1b}'));
}

#[test]
fn the_screen_is_cleared_for_the_result() {
    let screen = Screen::default();
    let bars = bars(&screen);
    let (tools, _) = account("tools");
    bars.reads_planned(&tools, 1);
    let before = screen.cleared();
    bars.clear();
    assert!(screen.cleared() > before);
    let quiet = screen.text();
    std::thread::sleep(TICK * 3);
    assert_eq!(
        screen.text(),
        quiet,
        "nothing is drawn after the screen was cleared"
    );
}

#[test]
fn nothing_is_drawn_where_nobody_looks() {
    let bars = Bars::on(ProgressDrawTarget::hidden(), &Style::PLAIN);
    bars.reads_planned(&account("dev").0, 1);
    assert!(bars.lines.is_hidden());
}

#[test]
fn a_log_has_a_line_for_each_step_and_none_for_reads() {
    let lines = Lines::new(Vec::new());
    let (tools, _) = account("tools");
    lines.reads_planned(&tools, 2);
    lines.read_done(&tools);
    lines.step_started(&tools, "iam:CreateRole role x");
    lines.step_waiting(&tools, "iam:CreateRole role x", 1);
    lines.step_done(&tools, "iam:CreateRole role x", &Outcome::Done);
    lines.step_done(
        &tools,
        "iam:TagRole tags of role \u{1b}x",
        &Outcome::AlreadyThere,
    );
    lines.step_done(&tools, "a", &Outcome::Kept("still used".to_owned()));
    lines.step_done(
        &tools,
        "b",
        &Outcome::Skipped {
            because_of: "a".to_owned(),
        },
    );
    let message = "the pipeline is gone\nreally".to_owned();
    lines.step_done(&tools, "c", &Outcome::Failed(Failure::Stale { message }));
    let log = String::from_utf8(lines.target.into_inner().unwrap()).unwrap();
    insta::assert_snapshot!(log, @r"
    tools: iam:CreateRole role x: done
    tools: iam:TagRole tags of role \u{1b}x: already there
    tools: a: kept (still used)
    tools: b: skipped (because of a)
    tools: c: failed: the pipeline is gone\nreally
    ");
}
