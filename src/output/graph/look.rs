//! How states look: sign, tone and line; and the colours of the tones in light and dark, as CSS.
//! Every ink has a contrast of 4.5 to 1 or more on every ground that it stands on (WCAG 2.1, AA); a test computes it.

use std::fmt::Write as _;

use crate::model::graph::{Source, State};

/// A family of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Quiet,
    Good,
    Add,
    Change,
    Bad,
    Doubt,
}

impl Tone {
    pub(super) const ALL: [Self; 6] = [
        Self::Quiet,
        Self::Good,
        Self::Add,
        Self::Change,
        Self::Bad,
        Self::Doubt,
    ];

    pub(super) fn of(state: State) -> Self {
        match state {
            State::Wanted => Self::Quiet,
            State::InSync | State::Allowed => Self::Good,
            State::Create => Self::Add,
            State::Update => Self::Change,
            State::Delete | State::Blocked | State::Denied => Self::Bad,
            State::Unknown | State::NotProven => Self::Doubt,
        }
    }

    /// The class name.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Good => "good",
            Self::Add => "add",
            Self::Change => "change",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
        }
    }
}

/// One character that stands for the state where there is no colour.
pub(super) fn sign(state: State) -> &'static str {
    match state {
        State::Wanted => "·",
        State::InSync | State::Allowed => "✓",
        State::Create => "+",
        State::Update => "~",
        State::Delete => "−",
        State::Blocked => "!",
        State::Denied => "✗",
        State::Unknown | State::NotProven => "?",
    }
}

/// Sign and word.
pub(super) fn badge(state: State) -> String {
    format!("{} {}", sign(state), state.word())
}

/// Whether lines of this state are dashed: what is not there, not known or not allowed.
pub(super) fn is_dashed(state: State) -> bool {
    match state {
        State::Create
        | State::Delete
        | State::Blocked
        | State::Denied
        | State::Unknown
        | State::NotProven => true,
        State::Wanted | State::InSync | State::Allowed | State::Update => false,
    }
}

/// What the states are taken from, as a sentence.
pub(super) fn told(source: Source) -> &'static str {
    match source {
        Source::Manifest => "From the manifest alone: nothing was read from AWS.",
        Source::Plan => "States from crossgate plan: what bootstrap would do.",
        Source::Check => "States from crossgate check: what is not as the manifest wants it.",
        Source::Verify => "States from crossgate verify: what AWS will answer to each hop.",
    }
}

/// The ink, the ground of a chip and the line of a tone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Colours {
    pub(super) ink: &'static str,
    pub(super) tint: &'static str,
    pub(super) line: &'static str,
}

/// The colours of a scheme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) page: &'static str,
    pub(super) account: &'static str,
    pub(super) card: &'static str,
    pub(super) stage: &'static str,
    pub(super) border: &'static str,
    pub(super) ink: &'static str,
    pub(super) muted: &'static str,
    pub(super) accent: &'static str,
}

pub(super) const LIGHT: Palette = Palette {
    page: "#ffffff",
    account: "#f3f6fa",
    card: "#ffffff",
    stage: "#e9effd",
    border: "#d3dbe6",
    ink: "#18212f",
    muted: "#526075",
    accent: "#3458d4",
};

pub(super) const DARK: Palette = Palette {
    page: "#0e141c",
    account: "#151d28",
    card: "#1c2633",
    stage: "#1f2f52",
    border: "#314053",
    ink: "#e9eef5",
    muted: "#a9b6c7",
    accent: "#8aa9ff",
};

pub(super) fn colours(tone: Tone, dark: bool) -> Colours {
    let (ink, tint, line) = match (tone, dark) {
        (Tone::Quiet, false) => ("#465468", "#e9eef4", "#93a1b5"),
        (Tone::Good, false) => ("#11633a", "#def3e6", "#2c9257"),
        (Tone::Add, false) => ("#134c9e", "#e0ebfc", "#3a78d6"),
        (Tone::Change, false) => ("#7e4500", "#fdeed3", "#b5700e"),
        (Tone::Bad, false) => ("#a01828", "#fde5e7", "#d23c4c"),
        (Tone::Doubt, false) => ("#623897", "#f0e7fa", "#8d5fc4"),
        (Tone::Quiet, true) => ("#c5cfdc", "#2b3747", "#6c7d94"),
        (Tone::Good, true) => ("#86e0ab", "#143826", "#36a868"),
        (Tone::Add, true) => ("#9cc4ff", "#173357", "#4a8ae6"),
        (Tone::Change, true) => ("#ffcb78", "#42300f", "#d9912a"),
        (Tone::Bad, true) => ("#ffa4ad", "#4b1b22", "#e86672"),
        (Tone::Doubt, true) => ("#d3b8f6", "#35254c", "#a880de"),
    };
    Colours { ink, tint, line }
}

/// The style of a picture: light, dark where the reader's system is, and light again on paper.
pub(super) fn picture_css(scope: &str) -> String {
    let mut css = format!(
        "{scope} text{{font-family:{SANS}}}{scope} .mono{{font-family:{MONO}}}\
         {scope} .b{{font-weight:650}}{scope} .i{{font-style:italic}}{scope} .dash{{stroke-dasharray:5 4}}\
         {scope} .edge{{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}}{scope} .line{{stroke-width:1.5}}\
         {scope} .kind{{letter-spacing:.05em;font-weight:600}}"
    );
    css.push_str(&scheme(scope, &LIGHT, false));
    let dark = scheme(scope, &DARK, true);
    // On paper the light scheme holds whatever the system's is.
    let _ = write!(
        css,
        "@media screen and (prefers-color-scheme:dark){{{dark}}}"
    );
    css
}

fn scheme(scope: &str, palette: &Palette, dark: bool) -> String {
    let Palette {
        page,
        account,
        card,
        stage,
        border,
        ink,
        muted,
        accent,
    } = palette;
    let mut css = format!(
        "{scope} .page{{fill:{page}}}{scope} .account{{fill:{account};stroke:{border}}}{scope} .card{{fill:{card}}}\
         {scope} .stage{{fill:{stage};stroke:{accent}}}{scope} .rule{{stroke:{border}}}{scope} .rail{{stroke:{muted};fill:{card}}}\
         {scope} .gate{{fill:{accent};stroke:{accent}}}{scope} .ink{{fill:{ink}}}{scope} .muted{{fill:{muted}}}\
         {scope} .accent{{fill:{accent}}}{scope} .halo{{fill:none;stroke:{page};stroke-width:7}}"
    );
    for tone in Tone::ALL {
        let Colours { ink, tint, line } = colours(tone, dark);
        let class = tone.class();
        let _ = write!(
            css,
            "{scope} .{class}-ink{{fill:{ink}}}{scope} .{class}-tint{{fill:{tint};stroke:{line}}}\
             {scope} .{class}-line{{stroke:{line}}}{scope} .{class}-fill{{fill:{line}}}"
        );
    }
    css
}

pub(super) const SANS: &str = "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",\"Liberation Sans\",Arial,sans-serif";
pub(super) const MONO: &str =
    "ui-monospace,SFMono-Regular,Menlo,Consolas,\"Liberation Mono\",\"DejaVu Sans Mono\",monospace";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// WCAG 2.1, relative luminance.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let byte = u8::from_str_radix(&colour[at..at + 2], 16).unwrap();
            let value = f64::from(byte) / 255.0;
            if value <= 0.03928 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_every_ground() {
        for (palette, dark) in [(LIGHT, false), (DARK, true)] {
            let grounds = [palette.page, palette.account, palette.card, palette.stage];
            for ground in grounds {
                for ink in [palette.ink, palette.muted] {
                    assert!(contrast(ink, ground) >= 4.5, "{ink} on {ground}");
                }
                for tone in Tone::ALL {
                    let Colours { ink, tint, line } = colours(tone, dark);
                    assert!(contrast(ink, ground) >= 4.5, "{ink} on {ground}");
                    assert!(contrast(ink, tint) >= 4.5, "{ink} on {tint}");
                    // Graphical objects: 3 to 1 (WCAG 1.4.11); the quiet tone says nothing and may be fainter.
                    let least = if tone == Tone::Quiet { 2.0 } else { 3.0 };
                    assert!(contrast(line, ground) >= least, "{line} on {ground}");
                }
            }
        }
    }

    #[test]
    fn a_state_has_a_sign_and_a_word() {
        for state in State::ALL {
            assert!(!sign(state).is_empty() && !state.word().is_empty());
        }
    }
}
