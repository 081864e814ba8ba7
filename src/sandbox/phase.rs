//! Where a function is on its way to what it was made or changed to be, and what can be done with it meanwhile.
//! Changes nothing; the moments are set by `lambda`.

use super::clock::Moment;
use super::errors::Refused;
use super::state::Function;

/// Where a function is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is being made: it can neither be invoked nor changed.
    Pending,
    /// It is being changed: it can be invoked, as it was or as it will be, and not changed.
    Updating,
    /// It is what it is.
    Settled,
}

impl Phase {
    pub(super) fn of(function: &Function, now: Moment) -> Self {
        if now < function.pending_until {
            Self::Pending
        } else if now < function.updating_until {
            Self::Updating
        } else {
            Self::Settled
        }
    }

    /// Refuses a change while another is under way (Lambda guide: functions-states).
    pub(super) fn changeable(self, arn: &str) -> Result<(), Refused> {
        match self {
            Self::Pending => Err(pending()),
            Self::Updating => Err(conflict(&format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
            ))),
            Self::Settled => Ok(()),
        }
    }

    /// Refuses a run of a function that is not there yet.
    pub(super) fn invocable(self) -> Result<(), Refused> {
        match self {
            Self::Pending => Err(pending()),
            Self::Updating | Self::Settled => Ok(()),
        }
    }
}

fn pending() -> Refused {
    conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    )
}

/// A refusal because of what the function is at the moment.
pub(super) fn conflict(message: &str) -> Refused {
    Refused::new(409, "ResourceConflictException", message)
}
