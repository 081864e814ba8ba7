//! An execution as it is followed: a line for each thing that changes, a moving line while a gate is waited for, the result.
//! It shows what it is given; whether a gate passed is decided in `follow`.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::model::console;
use crate::model::execution::{ActionExecution, ActionStatus, ExecutionKey};
use crate::model::name::GateName;
use crate::model::status::Status;

use super::json::{self, FORMAT_VERSION};
use super::page::{Page, linked, plain, span};
use super::style::{Paint, Style};
use super::{sanitize, write};

/// How the following ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every gate let the pipeline go on.
    Passed,
    /// A gate said no, with the reason.
    Refused {
        /// The gate.
        gate: GateName,
        /// Why.
        why: String,
    },
    /// It is not known what a gate says: the time is up, the execution ended before, or the person stopped looking.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Ending {
    /// The word in the JSON output.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused { .. } => "refused",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// The result of following an execution.
#[derive(Debug, Clone)]
pub struct Followed<'a> {
    /// The execution.
    pub execution: &'a ExecutionKey,
    /// The gates that were followed.
    pub gates: &'a [GateName],
    /// The latest attempt of each action, in the order in which they began.
    pub actions: Vec<&'a ActionExecution>,
    /// How it ended.
    pub ending: Ending,
    /// The status of the command.
    pub status: Status,
    /// What to do next.
    pub next: Option<String>,
}

/// One action, as it stands.
pub fn action(one: &ActionExecution, style: &Style) -> String {
    let mut page = Page::new(style);
    let (mark, paint) = match one.status {
        ActionStatus::Succeeded => ("+", Paint::Added),
        ActionStatus::Failed | ActionStatus::Abandoned => ("x", Paint::Removed),
        ActionStatus::InProgress | ActionStatus::Unknown => (".", Paint::Faint),
    };
    let name = format!("{}/{}", one.stage, one.action);
    let mut spans = vec![
        span(paint, mark),
        plain(" "),
        span(Paint::Strong, name),
        plain(format!(": {}", one.status.words())),
    ];
    if let Some(summary) = &one.summary {
        spans.push(plain(format!(" ({summary})")));
    }
    page.line(1, &spans);
    if let Some(error) = &one.error {
        page.prose(4, plain(""), Paint::Plain, &error.to_string());
    }
    page.finish()
}

/// The last lines of a run.
pub fn ending(followed: &Followed<'_>, style: &Style) -> String {
    let Followed {
        execution,
        gates,
        actions: _,
        ending,
        status: _,
        next,
    } = followed;
    let mut page = Page::new(style);
    page.gap();
    let names: Vec<&str> = gates.iter().map(GateName::as_str).collect();
    let which = if names.len() == 1 { "gate" } else { "gates" };
    match ending {
        Ending::Passed => page.line(
            0,
            &[
                span(Paint::Added, "Passed"),
                plain(format!(
                    ": {which} {} let the pipeline go on.",
                    names.join(", ")
                )),
            ],
        ),
        Ending::Refused { gate, why } => page.prose(
            0,
            span(Paint::Error, "Refused: "),
            Paint::Plain,
            &format!("gate {gate} stopped the pipeline: {why}"),
        ),
        Ending::Unknown { why } => {
            page.prose(0, span(Paint::Warning, "Unknown: "), Paint::Plain, why);
        }
    }
    page.line(
        0,
        &[linked(
            Paint::Faint,
            format!("Execution {} of {}", execution.id, execution.pipeline.name),
            Some(console::execution(
                &execution.pipeline.region,
                execution.pipeline.name.as_str(),
                execution.id.as_str(),
            )),
        )],
    );
    if let Some(next) = next {
        page.prose(0, span(Paint::Hint, "Next: "), Paint::Plain, next);
    }
    page.finish()
}

/// The result as one JSON object.
pub fn render_json(followed: &Followed<'_>) -> serde_json::Result<String> {
    let Followed {
        execution,
        gates,
        actions,
        ending,
        status,
        next: _,
    } = followed;
    let why = match ending {
        Ending::Passed => None,
        Ending::Refused { gate: _, why } | Ending::Unknown { why } => Some(why.as_str()),
    };
    json::text(&Document {
        format_version: FORMAT_VERSION,
        command: "run",
        status: status.as_str(),
        gates: gates.iter().map(GateName::as_str).collect(),
        pipeline: execution.pipeline.name.as_str(),
        region: execution.pipeline.region.as_str(),
        account: execution.pipeline.account.as_str(),
        execution: execution.id.as_str(),
        answer: ending.as_str(),
        reason: why,
        actions: actions.iter().map(|one| action_json(one)).collect(),
        changes: [],
        problems: [],
    })
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    command: &'a str,
    status: &'a str,
    gates: Vec<&'a str>,
    pipeline: &'a str,
    region: &'a str,
    account: &'a str,
    execution: &'a str,
    answer: &'a str,
    reason: Option<&'a str>,
    actions: Vec<ActionJson<'a>>,
    changes: [(); 0],
    problems: [(); 0],
}

#[derive(Serialize)]
struct ActionJson<'a> {
    stage: &'a str,
    action: &'a str,
    status: &'a str,
    summary: Option<&'a str>,
    external_execution_id: Option<&'a str>,
    error_code: Option<&'a str>,
    error_message: Option<&'a str>,
}

fn action_json(one: &ActionExecution) -> ActionJson<'_> {
    let ActionExecution {
        id: _,
        execution: _,
        stage,
        action,
        status,
        started: _,
        updated: _,
        pipeline_version: _,
        role: _,
        summary,
        external_id,
        error,
    } = one;
    ActionJson {
        stage,
        action,
        status: status.words(),
        summary: summary.as_deref(),
        external_execution_id: external_id.as_deref(),
        error_code: error.as_ref().and_then(|e| e.code.as_deref()),
        error_message: error.as_ref().and_then(|e| e.message.as_deref()),
    }
}

/// Shows an execution while it is followed: on a terminal with a moving line, elsewhere a line for each change.
pub struct Watch {
    bar: Option<ProgressBar>,
    quiet: bool,
    style: Style,
}

impl Watch {
    /// On standard error; `can_draw`: with a moving line, `quiet`: nothing at all.
    pub fn stderr(style: &Style, can_draw: bool, quiet: bool) -> Self {
        let bar = can_draw.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let line = ProgressStyle::with_template("{spinner} {wide_msg}");
            bar.set_style(line.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            quiet,
            style: *style,
        }
    }

    /// Something has changed.
    pub fn news(&self, one: &ActionExecution) {
        self.say(&action(one, &self.style));
    }

    /// Something to be told.
    pub fn say(&self, text: &str) {
        if self.quiet {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| write::notice(text)),
            None => write::notice(text),
        }
    }

    /// What is waited for; shown on a terminal only.
    pub fn waiting(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(sanitize::line(text).into_owned());
        }
    }

    /// Takes the moving line off the screen.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
