//! Small pieces of English that several renderers need.
//! No layout and no decoration here.

use crate::model::change::{Change, Outcome};
use crate::model::listed::listed;
use crate::model::name::GateName;

/// `1 gate`, `2 gates`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

/// `a, b, c`; of many the first, and how many more.
pub(super) fn gates(gates: &[GateName]) -> String {
    listed(gates)
}

/// What became of a change, in a few words. `changes`: the plan's, so that a cause is named in words instead of by its id.
pub(super) fn outcome(outcome: &Outcome, changes: &[Change]) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::AlreadyThere => "already there".to_owned(),
        Outcome::Kept(reason) => format!("kept ({reason})"),
        Outcome::Failed(_) => "failed".to_owned(),
        Outcome::Skipped { because_of } => {
            let cause = changes.iter().find(|change| change.id == *because_of);
            let cause = cause.map(|change| format!("{} {}", change.kind.noun(), change.resource));
            let cause = cause.as_deref().unwrap_or(because_of);
            format!("skipped (because of {cause})")
        }
    }
}
