//! A result as text for people: resources by account, then problems, then a line that sums up, then what to do next.
//! Pure: it renders what it is given, and says nothing by colour alone.

mod address;
mod change;
mod summary;

use std::path::PathBuf;

use crate::model::account::{AccountId, AccountName};
use crate::model::change::{Change, Intent, Outcome, Severity};

use super::page::{Page, plain, span};
use super::style::{Paint, Style};
use super::view::{AccountLine, Proved, View};
use super::words;
use super::{problem, proof};

#[cfg(test)]
mod tests;

/// Renders the result of a command, ended by a line feed.
pub fn render(view: &View<'_>, style: &Style) -> String {
    let mut page = Page::new(style);
    let gates = words::counted(view.plan.gates.len(), "gate");
    let about = format!(": project {}, {gates}", view.plan.project);
    let title = format!("crossgate {}", view.command.as_str());
    page.line(0, &[span(Paint::Strong, title), plain(about)]);
    let mut apart = true;
    for group in groups(view) {
        // Accounts of one line stand together.
        let long = group.unreachable.is_some() || !group.changes.is_empty();
        if long || apart {
            page.gap();
        }
        apart = long;
        account(&mut page, view, &group);
    }
    problem::write(&mut page, view.problems());
    if let Some(report) = view.report {
        backups(&mut page, &report.backups);
    }
    if let Some(Proved { proof, plan_status }) = view.proof {
        proof::write(&mut page, proof);
        page.gap();
        // Each line sums up its own half.
        let status = plan_status;
        let plan = View {
            status,
            ..view.clone()
        };
        summary::write(&mut page, &plan);
        proof::summary(&mut page, proof);
    } else {
        page.gap();
        summary::write(&mut page, view);
    }
    if let Some(next) = &view.next {
        page.prose(0, span(Paint::Strong, "Next: "), Paint::Plain, next);
    }
    page.finish()
}

/// The one line that sums a plan, a check or an apply up, for reports in other formats.
pub(super) fn sum_up(view: &View<'_>) -> String {
    let mut page = Page::new(&Style::PLAIN);
    summary::write(&mut page, view);
    page.finish().trim_end().to_owned()
}

/// An account with what is to be shown of it.
struct Group<'a> {
    name: &'a AccountName,
    id: &'a AccountId,
    unreachable: Option<&'a str>,
    changes: Vec<(&'a Change, Option<&'a Outcome>)>,
}

/// The changes by account, in the order of the view; an account that the view does not list, but a change names, comes last.
fn groups<'a>(view: &View<'a>) -> Vec<Group<'a>> {
    let listed = view.accounts.iter().map(|line| {
        let AccountLine {
            name,
            id,
            partition: _,
            state,
        } = line;
        let unreachable = state.unreachable();
        let changes = Vec::new();
        Group {
            name,
            id,
            unreachable,
            changes,
        }
    });
    let mut groups: Vec<Group<'a>> = listed.collect();
    for (change, outcome) in view.changes() {
        let known = groups
            .iter_mut()
            .find(|group| group.name == &change.account);
        if let Some(group) = known {
            group.changes.push((change, outcome));
        } else {
            groups.push(Group {
                name: &change.account,
                id: &change.account_id,
                unreachable: None,
                changes: vec![(change, outcome)],
            });
        }
    }
    groups
}

fn account(page: &mut Page<'_>, view: &View<'_>, group: &Group<'_>) {
    let Group {
        name,
        id,
        unreachable,
        changes,
    } = group;
    let mut title = vec![
        span(Paint::Strong, name.as_str()),
        plain(format!(" ({id})")),
    ];
    if unreachable.is_some() {
        title.push(span(Paint::Error, ": unreachable"));
    } else if changes.is_empty() {
        let state = match (view.plan.may_apply(), view.plan.intent) {
            // Where something stands in the way, or was not seen, no change is not the same as all is well.
            (false, _) if is_incomplete(view, name) => "not all of it could be read",
            (false, _) => "no changes found",
            (true, Intent::Bootstrap) => "in sync",
            (true, Intent::Teardown) => "nothing to remove",
        };
        title.push(span(Paint::Faint, format!(": {state}")));
    }
    page.line(0, &title);
    if let Some(reason) = unreachable {
        page.prose(2, plain(""), Paint::Plain, reason);
    }
    for (one, outcome) in changes {
        change::write(page, view, one, *outcome);
    }
}

/// True where something of the account could not be read.
fn is_incomplete(view: &View<'_>, name: &AccountName) -> bool {
    view.problems()
        .any(|p| p.severity == Severity::Incomplete && p.account.as_ref() == Some(name))
}

fn backups(page: &mut Page<'_>, backups: &[PathBuf]) {
    if backups.is_empty() {
        return;
    }
    page.gap();
    page.line(0, &[plain("Old pipeline documents were saved:")]);
    for path in backups {
        page.line(2, &[plain(path.display().to_string())]);
    }
}
