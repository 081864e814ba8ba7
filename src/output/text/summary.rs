//! The one line that sums a result up.
//! It counts; which status it is, is given.

use crate::model::change::{Change, ChangeAction, Intent, Outcome, Problem, Report, Severity};
use crate::model::name::GateName;
use crate::model::status::Status;

use crate::output::page::{Page, span};
use crate::output::style::Paint;
use crate::output::view::{AccountLine, AccountState, Command, View};
use crate::output::words::{self, counted};

/// Writes the line.
pub(super) fn write(page: &mut Page<'_>, view: &View<'_>) {
    let (head, text) = match view.report {
        Some(report) => applied(view, report),
        None => planned(view),
    };
    let paint = match view.status {
        Status::InSync | Status::Applied => Paint::Added,
        Status::Changes => Paint::Changed,
        Status::Drift | Status::Incomplete | Status::Partial | Status::Failed => Paint::Error,
    };
    page.prose(0, span(paint, format!("{head}: ")), Paint::Plain, &text);
}

/// Without an apply: what is there, what would change.
fn planned(view: &View<'_>) -> (&'static str, String) {
    match view.status {
        Status::InSync | Status::Applied => ("In sync", in_sync(view)),
        Status::Changes => ("Plan", plan_counts(view)),
        Status::Drift => ("Drift", drift(view)),
        Status::Incomplete => ("Incomplete", incomplete(view)),
        Status::Partial => ("Partly applied", "what was done is not known".to_owned()),
        Status::Failed => failed(view),
    }
}

fn in_sync(view: &View<'_>) -> String {
    match view.command {
        Command::Prune => return "no gate has left anything behind.".to_owned(),
        Command::Restore => return "the pipeline is as the file has it, nothing to do.".to_owned(),
        Command::Plan | Command::Bootstrap | Command::Check | Command::Teardown => {}
    }
    let gates = counted(view.plan.gates.len(), "gate");
    match view.plan.intent {
        Intent::Bootstrap => format!("{gates}, nothing to do."),
        Intent::Teardown => format!("{gates}, nothing to remove."),
    }
}

fn plan_counts(view: &View<'_>) -> String {
    let (create, update, delete) = view.plan.counts();
    let kept = match view
        .plan
        .changes
        .iter()
        .filter(|c| c.held.is_some())
        .count()
    {
        0 => String::new(),
        n => format!(", {n} kept as it is"),
    };
    let stopped = if view.plan.may_apply() {
        ""
    } else {
        " As it stands, nothing would be written."
    };
    format!("{create} to create, {update} to update, {delete} to delete{kept}.{stopped}")
}

fn drift(view: &View<'_>) -> String {
    let changes = &view.plan.changes;
    let blocked = blocked(view);
    let mut parts = Vec::new();
    // What is missing and not crossgate's to make (a function, say) is no change of the plan, and drift all the same.
    if blocked > 0 {
        let verb = if blocked == 1 { "stands" } else { "stand" };
        parts.push(format!("{} {verb} in the way", counted(blocked, "problem")));
    }
    if blocked == 0 || !changes.is_empty() {
        let verb = if changes.len() == 1 {
            "differs"
        } else {
            "differ"
        };
        parts.push(format!("{} {verb}", counted(changes.len(), "object")));
    }
    let parts = parts.join(", ");
    match affected(view) {
        gates if gates.is_empty() => format!("{parts}."),
        gates => format!("{parts}, gates affected: {}", words::gates(&gates)),
    }
}

fn blocked(view: &View<'_>) -> usize {
    let is_blocked = |p: &&Problem| p.severity == Severity::Blocked;
    view.problems().filter(is_blocked).count()
}

/// The gates that something is the matter with, sorted: those that need an object that is not as it shall be, or that are blocked.
fn affected(view: &View<'_>) -> Vec<GateName> {
    let blocked = view.problems().filter(|p| p.severity == Severity::Blocked);
    let mut gates: Vec<GateName> = view
        .plan
        .changes
        .iter()
        .flat_map(|c| c.gates.iter().cloned())
        .chain(blocked.flat_map(|p| p.gates.iter().cloned()))
        .collect();
    gates.sort();
    gates.dedup();
    gates
}

fn incomplete(view: &View<'_>) -> String {
    let unreachable = view.accounts.iter().filter(|line| {
        let AccountLine {
            name: _,
            id: _,
            partition: _,
            state,
        } = line;
        matches!(state, AccountState::Unreachable(_))
    });
    let missing = match unreachable.count() {
        0 => "not everything could be read".to_owned(),
        n => format!("{} could not be read", counted(n, "account")),
    };
    if view.plan.changes.is_empty() {
        return format!("{missing}; no difference in what was read.");
    }
    let seen = match view.command {
        Command::Check => drift(view),
        Command::Plan
        | Command::Bootstrap
        | Command::Teardown
        | Command::Prune
        | Command::Restore => plan_counts(view),
    };
    format!("{missing}; in what was read, {seen}")
}

fn failed(view: &View<'_>) -> (&'static str, String) {
    let blocked = blocked(view);
    if blocked == 0 {
        return ("Failed", "nothing was changed.".to_owned());
    }
    let verb = if blocked == 1 { "stands" } else { "stand" };
    let text = format!(
        "{} {verb} in the way, nothing was changed.",
        counted(blocked, "problem")
    );
    ("Blocked", text)
}

/// After an apply: what became of the changes.
fn applied(view: &View<'_>, report: &Report) -> (&'static str, String) {
    let Report {
        outcomes,
        backups: _,
        problems: _,
        writes: _,
    } = report;
    let head = match view.status {
        Status::InSync => "In sync",
        Status::Applied => "Applied",
        Status::Changes => "Changes left",
        Status::Drift => "Drift",
        Status::Incomplete => "Incomplete",
        Status::Partial => "Partly applied",
        Status::Failed => "Failed, nothing was changed",
    };
    let done = |action| {
        let of = |(change, outcome): &(&Change, Option<&Outcome>)| {
            change.action == action && *outcome == Some(&Outcome::Done)
        };
        view.changes().filter(of).count()
    };
    let (create, update, delete) = (
        done(ChangeAction::Create),
        done(ChangeAction::Update),
        done(ChangeAction::Delete),
    );
    let mut parts = vec![
        format!("{create} created"),
        format!("{update} updated"),
        format!("{delete} deleted"),
    ];
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|o| wanted(o)).count();
    for (n, words) in [
        (
            count(|o| matches!(o, Outcome::AlreadyThere)),
            "already there",
        ),
        (count(|o| matches!(o, Outcome::Kept(_))), "kept"),
        (count(|o| matches!(o, Outcome::Failed(_))), "failed"),
        (count(|o| matches!(o, Outcome::Skipped { .. })), "skipped"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    }
    (head, format!("{}.", parts.join(", ")))
}
