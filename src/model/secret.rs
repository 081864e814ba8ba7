//! Secrets that a person hands to the program: held so that no debug print, log or error can show them.
//! Nothing here reads them from anywhere.

use std::fmt;

use super::name::{ActionName, StageName};

/// A text that is never shown: `Debug` prints a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// A configuration value of an action that AWS masks (`****`), with the real value to send in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionSecret {
    /// The stage of the action.
    pub stage: StageName,
    /// The action.
    pub action: ActionName,
    /// The configuration key, for example `OAuthToken`.
    pub key: String,
    /// The real value.
    pub value: SecretText,
}
