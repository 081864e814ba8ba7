//! How text is dressed for the place where it is shown: colour, width, characters. Decided from values that are passed in.
//! It never reads the environment or asks a terminal, and nothing may be said by colour alone.

use std::borrow::Cow;

/// The place where text goes, as far as the program could find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Whether a person looks at it.
    pub is_terminal: bool,
    /// Its width in columns, where the terminal told it. COLUMNS goes before it.
    pub width: Option<usize>,
    /// What the command line says about colour; none: nothing.
    pub color: Option<bool>,
}

/// How text is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Each is a choice of its own: no two of them make a state.
#[allow(clippy::struct_excessive_bools)]
pub struct Style {
    /// Whether colour decorates.
    pub color: bool,
    /// The columns at which sentences are wrapped; `usize::MAX`: never. Documents are not wrapped, so that they can be copied.
    pub width: usize,
    /// Whether characters beyond ASCII may be used for decoration.
    pub unicode: bool,
    /// Whether what is usually summed up is shown whole (`-v`).
    pub verbose: bool,
    /// Whether names may lead to the AWS console when they are clicked (OSC 8).
    pub links: bool,
}

/// The width taken for a terminal that does not tell its own.
const USUAL_WIDTH: usize = 100;

/// A narrower terminal is treated as one of this width: sentences of three words a line are no help.
const LEAST_WIDTH: usize = 40;

impl Style {
    /// For files and tests: no colour, no wrapping, ASCII.
    pub const PLAIN: Self = Self {
        color: false,
        width: usize::MAX,
        unicode: false,
        verbose: false,
        links: false,
    };

    /// Finds the style for a screen; `variable` answers the value of an environment variable.
    ///
    /// The command line goes before everything. NO_COLOR (no-color.org: set and not empty) goes before CLICOLOR_FORCE (bixense.com/clicolors: set and not `0`), that before
    /// `CLICOLOR=0` and before what the screen is. Without TERM, or with `TERM=dumb`, there is no colour unless it is forced.
    /// A file is never wrapped: a line of it can be searched for.
    pub fn detect(screen: Screen, variable: impl Fn(&str) -> Option<String>) -> Self {
        let Screen {
            is_terminal,
            width,
            color: asked,
        } = screen;
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let off = |value: &String| value == "0";
        let color = if let Some(asked) = asked {
            asked
        } else if variable("NO_COLOR").is_some() {
            false
        } else if variable("CLICOLOR_FORCE").is_some_and(|v| !off(&v)) {
            true
        } else if variable("CLICOLOR").is_some_and(|v| off(&v)) {
            false
        } else {
            is_terminal && variable("TERM").is_some_and(|term| term != "dumb")
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let unicode = locale.is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("utf-8") || name.contains("utf8")
        });
        let width = match (is_terminal, width) {
            (false, _) => usize::MAX,
            (true, known) => {
                let columns = || variable("COLUMNS").and_then(|columns| columns.parse().ok());
                columns()
                    .filter(|columns| *columns > 0)
                    .or(known)
                    .unwrap_or(USUAL_WIDTH)
                    .max(LEAST_WIDTH)
            }
        };
        Self {
            color,
            width,
            unicode,
            verbose: false,
            // As in cargo: who wants no escape sequences wants none of these either.
            links: color && is_terminal && understands_links(variable),
        }
    }

    /// The same style with (or without) what is usually summed up.
    #[must_use]
    pub fn with_verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    pub(super) fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// Wraps harmless text in the paint's escape sequence. The text must have gone through `sanitize` before.
    pub(super) fn dress<'a>(&self, paint: Paint, text: &'a str) -> Cow<'a, str> {
        match paint.code() {
            Some(code) if self.color && !text.is_empty() => {
                Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m"))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// Whether the terminal is known to understand OSC 8. The others would mostly hide it too, but some print it.
///
/// Which terminals there are: github.com/Alhadis/OSC8-Adoption, and the crate supports-hyperlinks. FORCE_HYPERLINK (not `0`) says
/// yes and `FORCE_HYPERLINK=0` no, as in npm's tools.
fn understands_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    if let Some(forced) = variable("FORCE_HYPERLINK") {
        return forced != "0";
    }
    // Within tmux and screen the variables of the terminal around them stand too, and it is not known what these let through.
    if variable("TMUX").is_some() || variable("STY").is_some() {
        return false;
    }
    let number = |name: &str| variable(name).and_then(|text| text.parse::<u32>().ok());
    let named = |name: &str, known: &[&str]| {
        variable(name).is_some_and(|value| known.contains(&value.as_str()))
    };
    variable("WT_SESSION").is_some()
        || variable("DOMTERM").is_some()
        || variable("KONSOLE_VERSION").is_some()
        // VTE 0.50.0 crashed on them.
        || number("VTE_VERSION").is_some_and(|version| version > 5000)
        || named("COLORTERM", &["xfce4-terminal"])
        || named(
            "TERM_PROGRAM",
            &["iTerm.app", "WezTerm", "vscode", "Hyper", "terminology", "ghostty", "rio", "zed", "WarpTerminal"],
        )
        || named(
            "TERM",
            &["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "wezterm", "contour"],
        )
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Strong,
    Faint,
    Added,
    Removed,
    Changed,
    Error,
    Warning,
    Hint,
}

impl Paint {
    /// The parameters of the SGR sequence (ECMA-48): the sixteen colours only, so that the terminal's own theme applies.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Added => Some("32"),
            Self::Removed => Some("31"),
            Self::Changed => Some("33"),
            Self::Error => Some("1;31"),
            Self::Warning => Some("1;33"),
            Self::Hint => Some("1;36"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Screen = Screen {
        is_terminal: true,
        width: Some(120),
        color: None,
    };
    const FILE: Screen = Screen {
        is_terminal: false,
        width: None,
        color: None,
    };

    fn detect(screen: Screen, variables: &[(&str, &str)]) -> Style {
        Style::detect(screen, |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colour_follows_the_conventions() {
        type Case = (Screen, &'static [(&'static str, &'static str)], bool);
        const XTERM: (&str, &str) = ("TERM", "xterm-256color");
        let cases: &[Case] = &[
            (TERMINAL, &[XTERM], true),
            (FILE, &[XTERM], false),
            (TERMINAL, &[], false),
            (TERMINAL, &[("TERM", "dumb")], false),
            (TERMINAL, &[XTERM, ("NO_COLOR", "1")], false),
            (TERMINAL, &[XTERM, ("NO_COLOR", "0")], false),
            (TERMINAL, &[XTERM, ("NO_COLOR", "")], true),
            (TERMINAL, &[XTERM, ("CLICOLOR", "0")], false),
            (TERMINAL, &[XTERM, ("CLICOLOR", "1")], true),
            (FILE, &[XTERM, ("CLICOLOR", "1")], false),
            (FILE, &[("CLICOLOR_FORCE", "1")], true),
            (FILE, &[XTERM, ("CLICOLOR_FORCE", "0")], false),
            (TERMINAL, &[XTERM, ("CLICOLOR_FORCE", "0")], true),
            (TERMINAL, &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
            (FILE, &[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], true),
            (FILE, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ];
        for (screen, variables, wanted) in cases {
            let style = detect(*screen, variables);
            assert_eq!(style.color, *wanted, "{screen:?} {variables:?}");
        }
    }

    #[test]
    fn a_file_is_not_wrapped_and_a_terminal_is() {
        assert_eq!(detect(FILE, &[]).width, usize::MAX);
        assert_eq!(detect(TERMINAL, &[]).width, 120);
        let of_width = |width| Screen { width, ..TERMINAL };
        assert_eq!(detect(of_width(None), &[]).width, USUAL_WIDTH);
        assert_eq!(detect(of_width(Some(3)), &[]).width, LEAST_WIDTH);
        assert_eq!(detect(of_width(None), &[("COLUMNS", "77")]).width, 77);
        assert_eq!(
            detect(of_width(None), &[("COLUMNS", "x")]).width,
            USUAL_WIDTH
        );
        assert_eq!(detect(TERMINAL, &[("COLUMNS", "77")]).width, 77);
        assert_eq!(detect(TERMINAL, &[("COLUMNS", "0")]).width, 120);
    }

    #[test]
    fn the_command_line_goes_before_every_variable() {
        let asked = |color, screen| Screen {
            color: Some(color),
            ..screen
        };
        assert!(detect(asked(true, FILE), &[("NO_COLOR", "1")]).color);
        let forced = [("TERM", "xterm"), ("CLICOLOR_FORCE", "1")];
        assert!(!detect(asked(false, TERMINAL), &forced).color);
    }

    #[test]
    fn names_are_links_only_on_a_terminal_that_is_known_to_understand_them() {
        type Case = (Screen, &'static [(&'static str, &'static str)], bool);
        const XTERM: (&str, &str) = ("TERM", "xterm-256color");
        const ITERM: (&str, &str) = ("TERM_PROGRAM", "iTerm.app");
        const VTE: (&str, &str) = ("VTE_VERSION", "6003");
        let colored_file = Screen {
            color: Some(true),
            ..FILE
        };
        let cases: &[Case] = &[
            (TERMINAL, &[XTERM], false),
            (TERMINAL, &[XTERM, ITERM], true),
            (TERMINAL, &[XTERM, VTE], true),
            (TERMINAL, &[XTERM, ("VTE_VERSION", "5000")], false),
            (TERMINAL, &[("TERM", "xterm-kitty")], true),
            (TERMINAL, &[XTERM, ITERM, ("TMUX", "/tmp/x")], false),
            (TERMINAL, &[XTERM, ITERM, ("NO_COLOR", "1")], false),
            (TERMINAL, &[XTERM, ITERM, ("FORCE_HYPERLINK", "0")], false),
            (TERMINAL, &[XTERM, ("FORCE_HYPERLINK", "1")], true),
            (FILE, &[XTERM, ITERM, ("CLICOLOR_FORCE", "1")], false),
            (colored_file, &[XTERM, ("FORCE_HYPERLINK", "1")], false),
            (
                Screen {
                    color: Some(false),
                    ..TERMINAL
                },
                &[XTERM, ITERM],
                false,
            ),
        ];
        for (screen, variables, wanted) in cases {
            let style = detect(*screen, variables);
            assert_eq!(style.links, *wanted, "{screen:?} {variables:?}");
        }
    }

    #[test]
    fn the_locale_decides_about_unicode() {
        assert!(detect(FILE, &[("LANG", "de_DE.UTF-8")]).unicode);
        assert!(detect(FILE, &[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]).unicode);
        assert!(!detect(FILE, &[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).unicode);
        assert!(!detect(FILE, &[]).unicode);
    }

    #[test]
    fn colour_only_decorates() {
        let colour = Style {
            color: true,
            ..Style::PLAIN
        };
        assert_eq!(colour.dress(Paint::Error, "no"), "\u{1b}[1;31mno\u{1b}[0m");
        assert_eq!(colour.dress(Paint::Plain, "no"), "no");
        assert_eq!(Style::PLAIN.dress(Paint::Error, "no"), "no");
    }
}
