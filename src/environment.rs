//! What the process was given: environment variables, folder, terminals. Read once in `main`, then passed in.
//! The SDK reads the variables that are its own (AWS_…) by itself; everything else comes through here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the process was given.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The current folder; none where the system does not say.
    pub folder: Option<PathBuf>,
    /// Whether a person types on standard input.
    pub stdin_is_terminal: bool,
    /// Whether a person reads standard output.
    pub stdout_is_terminal: bool,
    /// Whether a person reads standard error.
    pub stderr_is_terminal: bool,
    /// Seconds since 1970, for the names of backups.
    pub now: u64,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            variables: std::env::vars_os().collect(),
            folder: std::env::current_dir().ok(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            now: now.map_or(0, |elapsed| elapsed.as_secs()),
        }
    }

    /// A variable as it is.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }

    /// A variable as text; none where it is not set or not text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).and_then(OsStr::to_str).map(str::to_owned)
    }
}
