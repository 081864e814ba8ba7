//! Exit codes: a contract with scripts and CI (design.md, "Commands").
//! The mapping is one exhaustive match; who computes a status is no concern of this module.

use crate::model::status::Status;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// Done, in sync, proven.
    Success,
    /// Failed, and nothing was changed.
    Failed,
    /// The command line or the manifest is wrong.
    Usage,
    /// Drift, or changes pending where that was asked for.
    Drift,
    /// Something could not be read. Never reported as success.
    Incomplete,
    /// Some writes are done, some are not; running it again continues.
    Partial,
}

impl ExitCode {
    /// All of them, by their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Drift,
        Self::Incomplete,
        Self::Partial,
    ];

    /// What it means, as `--help` and the README say it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done; in sync; proven",
            Self::Failed => "failed, and nothing was changed",
            Self::Usage => "usage or manifest error",
            Self::Drift => {
                "drift (check), changes pending (plan --exit-code), a hop refuted (verify), the gate said no (run), \
                 a cause found (diagnose)"
            }
            Self::Incomplete => {
                "incomplete: something could not be read, or a hop could not be proven"
            }
            Self::Partial => "partly applied: running it again continues",
        }
    }

    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Drift => 3,
            Self::Incomplete => 4,
            Self::Partial => 5,
        }
    }

    /// The exit code of a status. `changes_matter`: pending changes are to be seen by scripts (`plan --exit-code`).
    pub fn of(status: Status, changes_matter: bool) -> Self {
        match status {
            Status::Changes if changes_matter => Self::Drift,
            Status::InSync | Status::Applied | Status::Changes => Self::Success,
            Status::Drift => Self::Drift,
            Status::Incomplete => Self::Incomplete,
            Status::Partial => Self::Partial,
            Status::Failed => Self::Failed,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}
