//! Three-valued logic: what is certain, what is refuted, and what cannot be told, with the reason why not.
//! Knows nothing of policies or requests.

use std::fmt;

/// Why something cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// The request's value of this context key is not known.
    UnknownKey(String),
    /// A policy, a layer, a statement or a value in it cannot be read; what and why.
    Unreadable(String),
    /// Something is used against the documentation, for example a text as a number; what AWS makes of it is not said.
    Misused(String),
    /// The AWS documentation does not say what happens here.
    Unsettled(String),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(key) => write!(f, "the value of the context key {key} is not known"),
            Self::Unreadable(what) | Self::Misused(what) => f.write_str(what),
            Self::Unsettled(what) => write!(f, "not settled by the AWS documentation: {what}"),
        }
    }
}

/// Yes, no, or not known (strong Kleene logic).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Truth {
    /// Certainly not.
    No,
    /// It depends on something that is not known.
    Unknown(Gap),
    /// Certainly.
    Yes,
}

impl Truth {
    /// Not known, because something cannot be read.
    pub(super) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unknown(Gap::Unreadable(what.into()))
    }

    /// Not known, because something is used against the documentation.
    pub(super) fn misused(what: impl Into<String>) -> Self {
        Self::Unknown(Gap::Misused(what.into()))
    }

    /// Not known, because the documentation leaves it open.
    pub(super) fn unsettled(what: impl Into<String>) -> Self {
        Self::Unknown(Gap::Unsettled(what.into()))
    }

    /// True for `Yes`.
    pub(super) fn is_yes(&self) -> bool {
        matches!(self, Self::Yes)
    }

    /// True for `No`.
    pub(super) fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }

    /// What is not known, if so.
    pub(super) fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Unknown(gap) => Some(gap),
            Self::No | Self::Yes => None,
        }
    }

    /// Both hold. Of two gaps the lesser is kept, so that no order of evaluation shows.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, rest) | (rest, Self::Yes) => rest,
            (Self::Unknown(a), Self::Unknown(b)) => Self::Unknown(a.min(b)),
        }
    }

    /// At least one holds.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, rest) | (rest, Self::No) => rest,
            (Self::Unknown(a), Self::Unknown(b)) => Self::Unknown(a.min(b)),
        }
    }

    /// All hold; stops at the first refuted one.
    pub(super) fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::Yes;
        for item in items {
            result = result.and(item);
            if result.is_no() {
                break;
            }
        }
        result
    }

    /// At least one holds; stops at the first certain one.
    pub(super) fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::No;
        for item in items {
            result = result.or(item);
            if result.is_yes() {
                break;
            }
        }
        result
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Unknown(gap) => Self::Unknown(gap),
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str) -> Truth {
        Truth::Unknown(Gap::UnknownKey(name.to_owned()))
    }

    #[test]
    fn a_refuted_part_refutes_the_whole() {
        assert_eq!(unknown("a").and(Truth::No), Truth::No);
        assert_eq!(Truth::all([Truth::Yes, unknown("a"), Truth::No]), Truth::No);
    }

    #[test]
    fn a_certain_alternative_decides() {
        assert_eq!(unknown("a").or(Truth::Yes), Truth::Yes);
        assert_eq!(
            Truth::any([Truth::No, unknown("a"), Truth::Yes]),
            Truth::Yes
        );
    }

    #[test]
    fn the_gap_kept_does_not_depend_on_the_order() {
        assert_eq!(
            unknown("a").and(unknown("b")),
            unknown("b").and(unknown("a"))
        );
        assert_eq!(unknown("a").or(unknown("b")), unknown("b").or(unknown("a")));
    }

    #[test]
    fn the_negation_of_unknown_is_unknown() {
        assert_eq!(!unknown("a"), unknown("a"));
        assert_eq!(!Truth::Yes, Truth::No);
    }
}
