//! How a command ended, in one word.
//! The word and the exit code are a contract with scripts (design.md, "Commands"); which word it is, `plan` decides.

/// `status` of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Everything is as the manifest wants it, and all of it was seen.
    InSync,
    /// A plan with something to do.
    Changes,
    /// Everything that was to be done is done.
    Applied,
    /// `check` found something that is not as the manifest wants it.
    Drift,
    /// Something could not be read.
    Incomplete,
    /// Some writes are done, some failed.
    Partial,
    /// It failed, and nothing was changed.
    Failed,
}

impl Status {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Changes => "changes",
            Self::Applied => "applied",
            Self::Drift => "drift",
            Self::Incomplete => "incomplete",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}
