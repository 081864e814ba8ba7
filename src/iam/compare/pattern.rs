//! Texts with `*`, `?` and `${…}` as sets of strings: whether one set lies in another, or apart from it.
//! Sound, not complete: where it is not certain that one pattern covers another, the answer is no. Never exponential.

use crate::model::policy::Version;

/// One element of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Token {
    /// This character.
    Literal(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Any,
    /// A policy variable: one text, known only when the request comes. Its name is in lower case.
    Variable(String),
}

/// How two patterns of this form are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    /// The whole text at once.
    Text,
    /// Each of the six fields of an ARN for itself.
    Arn,
    /// The resource `*`.
    Everything,
    /// Meant as an ARN, but not one: equal to its own spelling only.
    Opaque,
}

/// A set of strings, in normal form: two spellings of one pattern are equal values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    form: Form,
    prefix: String,
    /// True where the prefix is all there is.
    literal: bool,
}

impl Pattern {
    /// An action: compared without case, no policy variables. Every action has a colon, so `*:*` is `*`.
    pub(super) fn action(text: &str) -> Self {
        let mut tokens = tokenize(&text.to_ascii_lowercase(), true, Version::V2008);
        if tokens == [Token::Any, Token::Literal(':'), Token::Any] {
            tokens = vec![Token::Any];
        }
        Self::new(tokens, Form::Text)
    }

    /// A resource. The missing fields of an incomplete ARN are `*`.
    ///
    /// Source: IAM user guide, "IAM JSON policy elements: Resource" (an incomplete ARN is completed with wildcards).
    pub(super) fn resource(text: &str, version: Version) -> Self {
        let mut tokens = tokenize(text, true, version);
        if tokens == [Token::Any] {
            return Self::new(tokens, Form::Everything);
        }
        if text.starts_with("arn:") {
            for _ in fields(&tokens).count()..6 {
                tokens.extend([Token::Literal(':'), Token::Any]);
            }
        }
        Self::arn_or_opaque(tokens)
    }

    /// The value of an ARN condition. IAM documents no completion here, so an incomplete ARN stays opaque.
    pub(super) fn arn(text: &str, version: Version) -> Self {
        Self::arn_or_opaque(tokenize(text, true, version))
    }

    /// The value of a string condition; without `wildcards`, `*` and `?` are themselves.
    pub(super) fn text(text: &str, wildcards: bool, version: Version) -> Self {
        Self::new(tokenize(text, wildcards, version), Form::Text)
    }

    fn arn_or_opaque(tokens: Vec<Token>) -> Self {
        let arn = ['a', 'r', 'n'].map(Token::Literal);
        let is_arn = fields(&tokens).count() == 6 && fields(&tokens).next() == Some(&arn);
        Self::new(tokens, if is_arn { Form::Arn } else { Form::Opaque })
    }

    fn new(tokens: Vec<Token>, form: Form) -> Self {
        let literal = |token: &Token| match token {
            Token::Literal(c) => Some(*c),
            Token::One | Token::Any | Token::Variable(_) => None,
        };
        let prefix = tokens.iter().map_while(literal).collect();
        Self {
            literal: tokens.iter().all(|token| literal(token).is_some()),
            tokens,
            form,
            prefix,
        }
    }

    /// What every string of the set begins with. The prefix of a pattern that covers this one is a prefix of it.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// True where every string is in the set.
    pub(super) fn is_everything(&self) -> bool {
        match self.form {
            Form::Everything => true,
            Form::Text => self.tokens == [Token::Any],
            Form::Arn | Form::Opaque => false,
        }
    }

    /// True where it is certain that every string of `narrow` is in this set.
    ///
    /// ARNs are held against each other field by field. That is narrower than by the whole text, so it holds
    /// whether or not a `*` of a field may reach over a colon.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        if !narrow.prefix.starts_with(&self.prefix) {
            return false;
        }
        if self.literal {
            return narrow.literal && self.form == narrow.form && self.prefix == narrow.prefix;
        }
        match (self.form, narrow.form) {
            (Form::Everything, _) => true,
            (Form::Text, Form::Text) => tokens_cover(&self.tokens, &narrow.tokens),
            (Form::Arn, Form::Arn) => fields(&self.tokens)
                .zip(fields(&narrow.tokens))
                .all(|(w, n)| tokens_cover(w, n)),
            (Form::Text | Form::Arn | Form::Opaque, _) => self == narrow,
        }
    }

    /// True where it is certain that no string is in both sets.
    pub(super) fn is_apart_from(&self, other: &Self) -> bool {
        let opaque = |p: &Self| p.form == Form::Opaque;
        if opaque(self) || opaque(other) {
            return false;
        }
        let (a, b) = (&self.prefix, &other.prefix);
        if !a.starts_with(b.as_str()) && !b.starts_with(a.as_str()) {
            return true;
        }
        !may_meet(&self.tokens, &other.tokens)
    }
}

/// The six fields of an ARN, the last with all its colons; fewer where the text has fewer.
fn fields(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.splitn(6, |token| *token == Token::Literal(':'))
}

/// Reads a text. Variables exist from version 2012-10-17 on; `${*}`, `${?}` and `${$}` are the characters themselves.
fn tokenize(text: &str, wildcards: bool, version: Version) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' if wildcards => tokens.push(Token::Any),
            '?' if wildcards => tokens.push(Token::One),
            '$' if version == Version::V2012 => {
                if let Some((name, after)) = variable(rest.as_str()) {
                    tokens.push(variable_token(name));
                    rest = after.chars();
                } else {
                    tokens.push(Token::Literal('$'));
                }
            }
            literal => tokens.push(Token::Literal(literal)),
        }
    }
    normalize(tokens)
}

/// Splits `{name}rest`.
fn variable(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

fn variable_token(name: &str) -> Token {
    match name {
        "*" => Token::Literal('*'),
        "?" => Token::Literal('?'),
        "$" => Token::Literal('$'),
        name => {
            // A default value (`${key, 'value'}`) is a value, and keeps its case.
            let (key, default) = name.split_at(name.find(',').unwrap_or(name.len()));
            Token::Variable(key.to_ascii_lowercase() + default)
        }
    }
}

/// Writes every run of wildcards as its `?` first and at most one `*` last: `*?*` and `?*` are the same set.
fn normalize(tokens: Vec<Token>) -> Vec<Token> {
    let mut normal = Vec::with_capacity(tokens.len());
    let mut any = false;
    for token in tokens {
        match token {
            Token::Any => any = true,
            Token::One => normal.push(Token::One),
            literal @ (Token::Literal(_) | Token::Variable(_)) => {
                if any {
                    normal.push(Token::Any);
                    any = false;
                }
                normal.push(literal);
            }
        }
    }
    if any {
        normal.push(Token::Any);
    }
    normal
}

/// Matches the wide pattern against the narrow one, read as a word in which a `*` or a variable is one letter that only a
/// `*` of the wide one takes. Going back to the last `*` is enough, so the time is at most the product of both lengths.
fn tokens_cover(wide: &[Token], narrow: &[Token]) -> bool {
    let (mut w, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(letter) = narrow.get(n) {
        match wide.get(w) {
            Some(Token::Any) => {
                w += 1;
                retry = Some((w, n));
            }
            Some(token) if takes(token, letter) => {
                w += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((after_star, from)) = retry else {
                    return false;
                };
                (w, n) = (after_star, from + 1);
                retry = Some((after_star, n));
            }
        }
    }
    wide.iter().skip(w).all(|token| *token == Token::Any)
}

fn takes(wide: &Token, letter: &Token) -> bool {
    match (wide, letter) {
        (Token::One, Token::Literal(_) | Token::One) | (Token::Any, _) => true,
        (Token::Literal(a), Token::Literal(b)) => a == b,
        (Token::Variable(a), Token::Variable(b)) => a == b,
        (Token::One | Token::Literal(_) | Token::Variable(_), _) => false,
    }
}

/// The most pairs of positions that are looked at before two patterns are taken to meet.
const MOST_PAIRS: usize = 1 << 20;

/// False only where no string is in both; a variable may be anything.
fn may_meet(a: &[Token], b: &[Token]) -> bool {
    if a.len().saturating_mul(b.len()) > MOST_PAIRS {
        return true;
    }
    let any = |t: Option<&Token>| matches!(t, Some(Token::Any | Token::Variable(_)));
    // `row[j]`: some string leads to the current position of `a` and to position j of `b`.
    let mut row = vec![false; b.len() + 1];
    if let Some(start) = row.first_mut() {
        *start = true;
    }
    for i in 0..=a.len() {
        let x = a.get(i);
        let mut next = vec![false; b.len() + 1];
        let mut carried = false;
        for (j, (here, below)) in row.iter_mut().zip(next.iter_mut()).enumerate() {
            *here |= carried;
            carried = *here && b.get(j).is_some() && (any(x) || any(b.get(j)));
            *below |= *here && x.is_some() && (any(x) || any(b.get(j)));
        }
        if i == a.len() {
            break;
        }
        for (j, y) in b.iter().enumerate() {
            let both = row.get(j) == Some(&true)
                && x.is_some_and(|x| {
                    !any(Some(x)) && !any(Some(y)) && (takes(x, y) || takes(y, x))
                });
            if both && let Some(cell) = next.get_mut(j + 1) {
                *cell = true;
            }
        }
        row = next;
    }
    row.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Pattern {
        Pattern::text(text, true, Version::V2012)
    }

    fn resource(text: &str) -> Pattern {
        Pattern::resource(text, Version::V2012)
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        for (wide, narrow, covers) in [
            ("*", "", true),
            ("*", "a*b?", true),
            ("a*", "a", true),
            ("a?*", "a*?", true),
            ("a**?", "a?*", true),
            ("a*c", "abc", true),
            ("a*c", "a?c", true),
            ("a*c", "a*b*c", true),
            ("*ab*", "*aab", true),
            ("a?", "a*", false),
            ("a?c", "ac", false),
            ("ab*", "a*", false),
            ("a*b", "a*b*", false),
            ("?", "?", true),
            ("?", "??", false),
            ("", "", true),
            ("", "*", false),
        ] {
            assert_eq!(
                text(wide).covers(&text(narrow)),
                covers,
                "{wide} over {narrow}"
            );
        }
    }

    #[test]
    fn a_variable_is_covered_by_itself_and_by_a_star() {
        for (wide, narrow, covers) in [
            ("a/${aws:username}", "a/${AWS:UserName}", true),
            ("a/*", "a/${aws:username}", true),
            ("a/?", "a/${aws:username}", false),
            ("a/${aws:username}", "a/x", false),
            ("a/${aws:username}", "a/${aws:userid}", false),
            ("${*}", "x", false),
            ("${*", "${*", true),
        ] {
            assert_eq!(
                text(wide).covers(&text(narrow)),
                covers,
                "{wide} over {narrow}"
            );
        }
        assert_eq!(text("a${*}"), Pattern::text("a*", false, Version::V2012));
        assert_ne!(text("${a}"), Pattern::text("${a}", true, Version::V2008));
    }

    #[test]
    fn arns_are_compared_field_by_field() {
        for (wide, narrow, covers) in [
            ("*", "arn:aws:s3:::b", true),
            ("*", "nonsense", true),
            (
                "arn:aws:lambda:*",
                "arn:aws:lambda:us-east-1:222222222222:function:f",
                true,
            ),
            ("arn:aws:lambda:*:*:*", "arn:aws:lambda:*", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b", false),
            (
                "arn:aws:lambda:*:function:f",
                "arn:aws:lambda:r:1:function:f",
                false,
            ),
            ("arn:*", "*", false),
            ("no*", "nonsense", false),
            ("arn:aws:s3:::B", "arn:aws:s3:::b", false),
        ] {
            assert_eq!(
                resource(wide).covers(&resource(narrow)),
                covers,
                "{wide} over {narrow}"
            );
        }
    }

    #[test]
    fn actions_have_no_case_and_always_a_colon() {
        assert_eq!(Pattern::action("*:*"), Pattern::action("*"));
        assert_eq!(
            Pattern::action("STS:assumerole"),
            Pattern::action("sts:AssumeRole")
        );
        assert!(Pattern::action("lambda:*").covers(&Pattern::action("Lambda:Invoke*")));
    }

    #[test]
    fn hostile_patterns_take_bounded_time() {
        let wide = text(&"*a".repeat(2_000));
        let narrow = text(&"a".repeat(1_999));
        assert!(!wide.covers(&narrow));
        assert!(!wide.is_apart_from(&text(&"?*b*".repeat(2_000))));
    }

    /// Plain matching of a word without wildcards, written apart from the code under test.
    fn matches(pattern: &[char], word: &[char]) -> bool {
        match (pattern.split_first(), word.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=word.len()).any(|cut| matches(rest, &word[cut..])),
            (Some(('?', rest)), Some((_, tail))) => matches(rest, tail),
            (Some((c, rest)), Some((d, tail))) => c == d && matches(rest, tail),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Every word of up to five letters, `z` being one that no pattern names.
    fn words() -> Vec<Vec<char>> {
        let mut words: Vec<Vec<char>> = vec![vec![]];
        let mut last = words.clone();
        for _ in 0..5 {
            last = last
                .iter()
                .flat_map(|w| ['a', 'b', 'z'].map(|c| [w.as_slice(), &[c]].concat()))
                .collect();
            words.extend(last.iter().cloned());
        }
        words
    }

    proptest! {
        #[test]
        fn covering_and_being_apart_agree_with_the_words(a in "[ab*?]{0,4}", b in "[ab*?]{0,4}") {
            let (wide, narrow): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let words = words();
            let inside = words.iter().all(|w| !matches(&narrow, w) || matches(&wide, w));
            let apart = words.iter().all(|w| !matches(&narrow, w) || !matches(&wide, w));
            let covers = text(&a).covers(&text(&b));
            prop_assert!(!covers || inside, "{a} does not cover {b}");
            // Without `?` in the wide pattern the answer is exact.
            prop_assert!(a.contains('?') || covers == inside, "{a} over {b}");
            prop_assert_eq!(text(&a).is_apart_from(&text(&b)), apart, "{} apart from {}", a, b);
        }

        #[test]
        fn no_text_panics(a in any::<String>(), b in any::<String>()) {
            for version in [Version::V2008, Version::V2012] {
                let (a, b) = (Pattern::resource(&a, version), Pattern::arn(&b, version));
                prop_assert!(a.covers(&a));
                let _ = (a.covers(&b), b.covers(&a), a.is_apart_from(&b));
            }
        }
    }
}
