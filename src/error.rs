//! Errors that end a run before there is a plan, each with its exit code and what to do next.
//! They are made where they happen and shown once, at the edge, in `commands`.

use thiserror::Error;

use crate::config::ConfigError;
use crate::desired::DesiredError;
use crate::exit_code::ExitCode;

/// Why a run ended before there was a plan.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line asks for something that cannot be.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The manifest cannot be had, or has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The manifest cannot be wired as asked.
    #[error(transparent)]
    Desired(#[from] DesiredError),
    /// It cannot be done; nothing was changed.
    #[error("{message}")]
    Failed {
        /// What was attempted, and what came of it.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Something that is needed could not be read; nothing was changed.
    #[error("{message}")]
    Unread {
        /// What was attempted, and what came of it.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Somebody stopped a dialogue.
    #[error("stopped: nothing was written")]
    Stopped,
    /// There is no terminal to ask on, and no `--yes`.
    #[error("this changes AWS accounts and there is no terminal to ask on")]
    NoTerminal,
    /// A report could not be written; the others were, standard output's first.
    #[error("{what} could not be written")]
    Unwritten {
        /// Which one.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } | Self::Config(_) | Self::Desired(_) | Self::NoTerminal => {
                ExitCode::Usage
            }
            Self::Failed { .. } | Self::Stopped | Self::Unwritten { .. } => ExitCode::Failed,
            Self::Unread { .. } => ExitCode::Incomplete,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::Failed { hint, .. } | Self::Unread { hint, .. } => {
                Some(hint.clone()).filter(|hint| !hint.is_empty())
            }
            Self::Config(error) => Some(error.hint()).filter(|hint| !hint.is_empty()),
            Self::Desired(_) | Self::Stopped => None,
            Self::NoTerminal => {
                Some("look at `crossgate plan`, then run the command with --yes".to_owned())
            }
            Self::Unwritten { .. } => {
                Some("nothing was changed in AWS; make room, or name another file".to_owned())
            }
        }
    }

    /// A stable word for the JSON output.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } | Self::NoTerminal => "usage",
            Self::Config(_) | Self::Desired(_) => "manifest",
            Self::Failed { .. } | Self::Stopped | Self::Unwritten { .. } => "failed",
            Self::Unread { .. } => "incomplete",
        }
    }
}
