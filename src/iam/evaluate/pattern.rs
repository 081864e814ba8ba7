//! Wildcard matching as IAM does it, in time linear in text times pattern.
//! Works on characters only: variables are replaced before, see `variables`.

/// How wildcards in a text are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `*` and `?` stand for any characters: actions, `StringLike`, one component of an ARN condition.
    Plain,
    /// A `Resource`: in the first five segments of an ARN a wildcard stays inside its segment, but a `*` that ends its
    /// segment may run on past the colon. In the last segment, which may hold colons itself, wildcards match anything.
    ///
    /// Source: IAM user guide, "IAM JSON policy elements: Resource": "You can use wildcard characters (* and ?) within
    /// the individual segments of an ARN (the parts separated by colons). […] If the * wildcard is the last character
    /// of a resource ARN segment, it can expand to match beyond the colon boundaries." That an ARN has six segments, the
    /// sixth with all that follows, is how "Condition operators" counts them.
    Arn,
    /// No wildcards.
    Exact,
    /// An ARN condition: like `Plain`, but compared component by component, see `variables`.
    Components,
}

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Exactly this character.
    Char(char),
    /// Any one character.
    Any,
    /// Any number of characters.
    Star,
}

/// A pattern step, with the question of colons settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    Any { colons: bool },
    Star { colons: bool },
}

/// A pattern ready for matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// The characters before the first wildcard.
    prefix: String,
    /// What follows, from the first wildcard on; no two stars in a row.
    rest: Vec<Token>,
}

impl Glob {
    /// Reads `*` and `?` in a text as wildcards.
    pub(super) fn parse(text: &str, style: Style) -> Self {
        Self::new(text.chars().map(|c| step(c, style)), style)
    }

    /// Builds a pattern from its steps.
    pub(super) fn new(steps: impl IntoIterator<Item = Step>, style: Style) -> Self {
        let steps: Vec<Step> = steps.into_iter().collect();
        let (mut prefix, mut rest) = (String::new(), Vec::new());
        let mut colons_seen = 0_u32;
        for (index, step) in steps.iter().enumerate() {
            let free = style != Style::Arn || colons_seen >= 5;
            let ends_segment = matches!(steps.get(index + 1), None | Some(Step::Char(':')));
            let token = match step {
                Step::Char(c) => {
                    if *c == ':' {
                        colons_seen += 1;
                    }
                    Token::Char(*c)
                }
                Step::Any => Token::Any { colons: free },
                Step::Star => Token::Star {
                    colons: free || ends_segment,
                },
            };
            push(&mut prefix, &mut rest, token);
        }
        Self { prefix, rest }
    }

    /// True if the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(text) = text.strip_prefix(self.prefix.as_str()) else {
            return false;
        };
        match self.rest.as_slice() {
            [] => text.is_empty(),
            [Token::Star { colons: true }] => true,
            tokens => run(tokens, text),
        }
    }
}

/// Reads one character of a pattern.
pub(super) fn step(c: char, style: Style) -> Step {
    match (c, style) {
        ('*', Style::Plain | Style::Arn | Style::Components) => Step::Star,
        ('?', Style::Plain | Style::Arn | Style::Components) => Step::Any,
        (other, _) => Step::Char(other),
    }
}

fn push(prefix: &mut String, rest: &mut Vec<Token>, token: Token) {
    match (token, rest.last_mut()) {
        (Token::Char(c), None) => prefix.push(c),
        // Of two stars in a row the later one may do more, because only the last of a segment can end it.
        (Token::Star { colons: later }, Some(Token::Star { colons })) => *colons |= later,
        (token, _) => rest.push(token),
    }
}

/// Follows all positions in the pattern at once, as a set: no backtracking, whatever the pattern.
fn run(tokens: &[Token], text: &str) -> bool {
    let mut seen = vec![0_usize; tokens.len() + 1];
    let (mut now, mut next) = (Vec::new(), Vec::new());
    enter(tokens, 0, 1, &mut seen, &mut now);
    for (turn, c) in text.chars().enumerate() {
        let mark = turn + 2;
        next.clear();
        for &at in &now {
            match tokens.get(at) {
                Some(Token::Char(wanted)) if *wanted == c => {
                    enter(tokens, at + 1, mark, &mut seen, &mut next);
                }
                Some(Token::Any { colons }) if *colons || c != ':' => {
                    enter(tokens, at + 1, mark, &mut seen, &mut next);
                }
                Some(Token::Star { colons }) if *colons || c != ':' => {
                    enter(tokens, at, mark, &mut seen, &mut next);
                }
                Some(Token::Char(_) | Token::Any { .. } | Token::Star { .. }) | None => {}
            }
        }
        if next.is_empty() {
            return false;
        }
        std::mem::swap(&mut now, &mut next);
    }
    now.contains(&tokens.len())
}

/// Adds a position and, behind a star, the one after it, each once a turn.
fn enter(tokens: &[Token], at: usize, mark: usize, seen: &mut [usize], set: &mut Vec<usize>) {
    let mut at = at;
    loop {
        match seen.get_mut(at) {
            Some(last) if *last != mark => *last = mark,
            Some(_) | None => return,
        }
        set.push(at);
        match tokens.get(at) {
            Some(Token::Star { .. }) => at += 1,
            Some(Token::Char(_) | Token::Any { .. }) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(pattern: &str, text: &str) -> bool {
        Glob::parse(pattern, Style::Plain).matches(text)
    }

    fn arn(pattern: &str, text: &str) -> bool {
        Glob::parse(pattern, Style::Arn).matches(text)
    }

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:222222222222:function:release-fn";

    #[test]
    fn plain_wildcards() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a:b/c", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("?", "é", true),
            ("??", "é", false),
            ("*??", "€", false),
            ("a**b", "ab", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("abc", "ABC", false),
        ] {
            assert_eq!(plain(pattern, text), expected, "{pattern} on {text}");
        }
    }

    /// Source: IAM user guide, "IAM JSON policy elements: Resource", the example with `/test/`.
    #[test]
    fn the_examples_of_the_resource_page() {
        let pattern = "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*";
        for (key, expected) in [
            ("1/test/object.jpg", true),
            ("1/2/test/object.jpg", true),
            ("1/2/test/3/object.jpg", true),
            ("1/2/3/test/4/object.jpg", true),
            ("1///test///object.jpg", true),
            ("1/test/.jpg", true),
            ("/test/object.jpg", true),
            ("1/test/", true),
            ("1-test/object.jpg", false),
            ("test/object.jpg", false),
            ("1/2/test.jpg", false),
        ] {
            let text = format!("arn:aws:s3:::amzn-s3-demo-bucket/{key}");
            assert_eq!(arn(pattern, &text), expected, "{key}");
        }
    }

    /// Source: the same page: a `*` at the end of a segment may pass the colon, any other wildcard may not.
    #[test]
    fn a_star_that_ends_a_segment_passes_colons() {
        for (pattern, expected) in [
            ("arn:aws:lambda:*:function:release-fn", true),
            ("arn:aws:lambda:us-east-1*:function:release-fn", true),
            ("arn:aws:lambda:us-east-1:*:release-fn", true),
            ("arn:aws:lambda:*:release-fn", true),
            ("arn:*", true),
            ("arn:aws:lambda:*", true),
            ("arn:aws:lambda:us*2:function:release-fn", false),
            (
                "arn:aws:lambda:us-east-1?222222222222:function:release-fn",
                false,
            ),
            ("arn:aws:lambda:us-*-1:*:function:release-fn", true),
            ("arn:aws:lambda:eu-*:function:release-fn", false),
        ] {
            assert_eq!(arn(pattern, FUNCTION), expected, "{pattern}");
        }
    }

    #[test]
    fn a_star_in_the_last_segment_matches_colons() {
        let alias = "arn:aws:lambda:us-east-1:222222222222:function:release-fn:live";
        assert!(arn("arn:aws:lambda:*:*:function:rel*:live", alias));
        assert!(arn("arn:aws:lambda:*:*:function:*live", alias));
        assert!(!arn("arn:aws:lambda:*:*:function:release-fn", alias));
        assert!(!arn("arn:aws:lambda:*:*:function:release-fn:*", FUNCTION));
    }

    #[test]
    fn only_a_lone_star_matches_the_resource_that_is_no_arn() {
        assert!(arn("*", "*"));
        assert!(!arn("arn:*", "*"));
        assert!(!arn("arn:aws:codepipeline:*:*:*", "*"));
    }

    #[test]
    fn long_patterns_stay_cheap() {
        let pattern = "*a".repeat(500);
        let text = "a".repeat(499);
        assert!(!plain(&pattern, &text));
    }

    /// The textbook definition, exponential, for short texts only.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| by_definition(rest, &text[n..])),
            Some(('?', rest)) => !text.is_empty() && by_definition(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && by_definition(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn plain_matching_is_the_textbook_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(plain(&pattern, &text), by_definition(&p, &t));
        }

        #[test]
        fn an_arn_pattern_never_matches_more_than_a_plain_one(pattern in "[ab:*?]{0,12}", text in "[ab:]{0,12}") {
            prop_assert!(!arn(&pattern, &text) || plain(&pattern, &text));
        }

        #[test]
        fn arbitrary_texts_do_not_panic(pattern in any::<String>(), text in any::<String>()) {
            let _ = (plain(&pattern, &text), arn(&pattern, &text));
        }

        #[test]
        fn every_text_matches_itself(text in "[a-z:/]{0,40}") {
            prop_assert!(arn(&text, &text) && plain(&text, &text));
        }
    }
}
