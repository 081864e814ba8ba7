//! What long work says of itself while it goes on.
//! A seam like `cloud`: `observe` and `apply` speak, `output` shows, and nobody decides anything by it.

use super::account::AccountName;
use super::change::Outcome;

/// Somebody who wants to know how far the work has come.
pub trait Progress {
    /// `more` reads of an account have been put on the list.
    fn reads_planned(&self, account: &AccountName, more: usize);
    /// One read of an account has been answered.
    fn read_done(&self, account: &AccountName);
    /// A step has begun; `what` is its operation and resource, for example `iam:CreateRole role x`.
    fn step_started(&self, account: &AccountName, what: &str);
    /// A step waits for IAM to settle, or for a function to become ready; `attempt` counts from 1.
    fn step_waiting(&self, account: &AccountName, what: &str, attempt: u32);
    /// A step has ended.
    fn step_done(&self, account: &AccountName, what: &str, outcome: &Outcome);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn reads_planned(&self, _: &AccountName, _: usize) {}
    fn read_done(&self, _: &AccountName) {}
    fn step_started(&self, _: &AccountName, _: &str) {}
    fn step_waiting(&self, _: &AccountName, _: &str, _: u32) {}
    fn step_done(&self, _: &AccountName, _: &str, _: &Outcome) {}
}
