//! What of a text acts where it is shown: on a terminal, or on whoever runs a job and reads its log. Two places make text harmless: the
//! manifest's mistakes, which are drawn with their colours, and `output`, for everything else.
//! Texts in, texts out: it prints nothing, drops no character, and never looks at what a text means.

use std::borrow::Cow;

/// True for a character that acts instead of being seen: C0 and C1 controls, delete, bidirectional marks and overrides
/// (Unicode TR 9), zero-width characters, line and paragraph separators, interlinear marks and tag characters.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// How a line begins that is a command to whoever runs a job of GitHub Actions, whatever white space stands before it
/// (actions/runner, `ActionCommand.TryParseV2`).
const COMMAND: &str = "::";

/// The text without lines that begin like a command.
pub fn no_command(text: Cow<'_, str>) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with(COMMAND);
    if !text.split('\n').any(begins) {
        return text;
    }
    let lines = text.split('\n').map(|line| {
        if begins(line) {
            Cow::Owned(line.replacen(':', "\\u{3a}", 1))
        } else {
            Cow::Borrowed(line)
        }
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// The text without marks that begin a command anywhere in a line, even within JSON: `##[set-output name=x]y` of GitHub Actions
/// (actions/runner, `ActionCommand.TryParse`, which looks for it after `::`), `##[section]` and `##vso[…]` of Azure Pipelines,
/// `##teamcity[…]`; that these count in the middle of a line too is not known. `sharp`: what stands for the second `#` of one.
pub fn no_mark<'t>(text: Cow<'t, str>, sharp: &str) -> Cow<'t, str> {
    if !text.contains("##") {
        return text;
    }
    let is_command = |rest: &str| {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        rest.starts_with('[')
    };
    let mut out = String::with_capacity(text.len() + sharp.len());
    let mut before = None;
    for (at, c) in text.char_indices() {
        let is_second = c == '#' && before == Some('#');
        if is_second && text.get(at + 1..).is_some_and(is_command) {
            out.push_str(sharp);
        } else {
            out.push(c);
        }
        before = Some(c);
    }
    Cow::Owned(out)
}

/// The `#` of a mark, as text shows characters that it escapes.
pub const SHARP: &str = "\\u{23}";

#[cfg(test)]
mod tests {
    use super::*;

    fn unmarked(text: &str) -> String {
        no_mark(Cow::Borrowed(text), SHARP).into_owned()
    }

    #[test]
    fn marks_of_commands_are_broken_wherever_they_stand() {
        assert_eq!(
            unmarked("a ##[stop-commands]x"),
            "a #\\u{23}[stop-commands]x"
        );
        assert_eq!(
            unmarked("####vso[task.setvariable variable=x]y"),
            "###\\u{23}vso[task.setvariable variable=x]y"
        );
        assert_eq!(
            unmarked("##teamcity[x] ##[y]"),
            "#\\u{23}teamcity[x] #\\u{23}[y]"
        );
        for text in ["", "# [x]", "## Title [x]", "#[cfg]", "##", "##a1[x]"] {
            assert_eq!(unmarked(text), text);
        }
    }

    #[test]
    fn lines_that_begin_like_a_command_are_broken() {
        let text = no_command(Cow::Borrowed("a::b\n \u{a0} ::warning::x"));
        assert_eq!(text, "a::b\n \u{a0} \\u{3a}:warning::x");
        assert_eq!(no_command(Cow::Borrowed("a::b")), "a::b");
    }
}
