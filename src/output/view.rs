//! What a command has to show, whatever the format.
//! Values only, put together by the commands; how they look is up to `text` and `json`.

use crate::model::account::{AccountId, AccountName, Partition};
use crate::model::chain::Proof;
use crate::model::change::{Change, Outcome, Plan, Problem, Report};
use crate::model::part::Part;
use crate::model::status::Status;

/// The commands that show a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// What would be done.
    Plan,
    /// The gates are put there.
    Bootstrap,
    /// What is not as it shall be.
    Check,
    /// The gates are taken away.
    Teardown,
    /// What is left of former gates is taken away.
    Prune,
    /// A saved pipeline document is put back.
    Restore,
}

impl Command {
    /// The name on the command line and in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Bootstrap => "bootstrap",
            Self::Check => "check",
            Self::Teardown => "teardown",
            Self::Prune => "prune",
            Self::Restore => "restore",
        }
    }
}

/// An account that the run touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// Its name in the manifest.
    pub name: AccountName,
    /// Its id in the manifest.
    pub id: AccountId,
    /// The partition that it belongs to.
    pub partition: Partition,
    /// Whether it could be read.
    pub state: AccountState,
}

/// Whether an account could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// It could.
    Ok,
    /// It could not, with the reason.
    Unreachable(String),
}

impl AccountState {
    /// Why the account could not be read.
    #[must_use]
    pub fn unreachable(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Unreachable(reason) => Some(reason),
        }
    }
}

/// A proof beside a plan.
#[derive(Debug, Clone, Copy)]
pub struct Proved<'a> {
    /// The hops.
    pub proof: &'a Proof,
    /// The status that the plan alone would have.
    pub plan_status: Status,
}

/// The result of a command, ready to be shown.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Which command.
    pub command: Command,
    /// How it ended.
    pub status: Status,
    /// What is not as it shall be.
    pub plan: &'a Plan,
    /// What was done about it; none before (or without) an apply.
    pub report: Option<&'a Report>,
    /// The accounts, in the order in which they are shown.
    pub accounts: &'a [AccountLine],
    /// Whether the hops will be allowed, where that was asked.
    pub proof: Option<Proved<'a>>,
    /// The partition that the run is about, where it is about one.
    pub partition: Option<Part>,
    /// What to do next, as an order in one sentence, for example "run `crossgate bootstrap`".
    pub next: Option<String>,
}

impl<'a> View<'a> {
    /// The changes, each with what became of it; a report that is too short leaves the rest without.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&'a Change, Option<&'a Outcome>)> {
        let plan: &'a Plan = self.plan;
        let outcomes = self.report.map_or(&[][..], |report| &report.outcomes);
        let outcomes = outcomes.iter().map(Some).chain(std::iter::repeat(None));
        plan.changes.iter().zip(outcomes)
    }

    /// The plan's problems, then those that came up during the apply.
    pub(super) fn problems(&self) -> impl Iterator<Item = &'a Problem> {
        let plan: &'a Plan = self.plan;
        let later = self.report.map_or(&[][..], |report| &report.problems);
        plan.problems.iter().chain(later)
    }
}
