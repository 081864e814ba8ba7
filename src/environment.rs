//! What the process was given: environment variables, folder, terminals. Read once in `main`, then passed in.
//! The SDK reads the variables that are its own (AWS_…) by itself; everything else comes through here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use terminal_size::{Height, Width, terminal_size_of};

/// What the process was given.
#[derive(Debug, Clone, Default)]
// Each is a fact of its own about the process: no two of them make a state.
#[allow(clippy::struct_excessive_bools)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// How this program was called: a name to be found, or a path.
    pub program: Option<OsString>,
    /// The current folder; none where the system does not say.
    pub folder: Option<PathBuf>,
    /// Whether a person types on standard input.
    pub stdin_is_terminal: bool,
    /// Whether a person reads standard output.
    pub stdout_is_terminal: bool,
    /// Whether a person reads standard error.
    pub stderr_is_terminal: bool,
    /// The columns of the terminal that standard output or standard error is; none where there is none.
    pub columns: Option<usize>,
    /// Seconds since 1970, for the names of backups.
    pub now: u64,
    /// What the command line says about colour, before any variable; none: nothing.
    pub color: Option<bool>,
    /// Whether the command line wants nothing said but the result and what went wrong.
    pub quiet: bool,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            variables: std::env::vars_os().collect(),
            program: std::env::args_os().next(),
            folder: std::env::current_dir().ok(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            columns: columns(),
            now: now.map_or(0, |elapsed| elapsed.as_secs()),
            color: None,
            quiet: false,
        }
    }

    /// Whether standard error is a screen on which a line can be drawn over: `TERM=dumb` says that it prints escape sequences.
    pub fn can_draw(&self) -> bool {
        let term = self.text("TERM").unwrap_or_default();
        self.stderr_is_terminal && !self.quiet && !term.is_empty() && term != "dumb"
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

/// The width of whichever of the two is a terminal: with `crossgate plan | less` it is standard error.
fn columns() -> Option<usize> {
    let of = |size: Option<(Width, Height)>| size.map(|(Width(columns), _)| columns.into());
    of(terminal_size_of(std::io::stdout()))
        .or_else(|| of(terminal_size_of(std::io::stderr())))
        .filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_drawn_over_only_on_a_screen_that_can_and_that_is_read() {
        let drawn = |is_terminal: bool, term: &str, quiet: bool| {
            let environment = Environment {
                stderr_is_terminal: is_terminal,
                quiet,
                variables: [("TERM".into(), term.into())].into(),
                ..Environment::default()
            };
            environment.can_draw()
        };
        assert!(drawn(true, "xterm", false));
        assert!(!drawn(true, "dumb", false));
        assert!(!drawn(true, "", false));
        assert!(!drawn(true, "xterm", true));
        assert!(!drawn(false, "xterm", false));
    }
}
