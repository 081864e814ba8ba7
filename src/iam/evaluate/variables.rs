//! Texts with policy variables: `${key}`, `${key, 'default'}`, `${*}`, `${?}`, `${$}`.
//! Replaces once, from the request's context only; a replaced value is literal text, never a wildcard or a variable.
//!
//! Source: IAM user guide, "IAM policy elements: Variables and tags".

use super::pattern::{Glob, Step, Style, step};
use super::request::{Context, Lookup};
use super::truth::{Gap, Truth};
use crate::model::policy::Version;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Characters, `*` and `?` with the meaning that the style gives them.
    Steps(Vec<Step>),
    /// A variable: the key in lower case, and its default.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// A text of a policy, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// Without variables: one pattern, or six for an ARN condition.
    Fixed(Vec<Glob>),
    /// With variables.
    Variable(Vec<Piece>),
    /// Not to be matched against, and why.
    Broken(Gap),
}

/// A value of `Resource` or of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    style: Style,
    ignore_case: bool,
    shape: Shape,
}

impl Template {
    /// Reads a text. In version 2008-10-17 `${…}` is literal text ("If you don't include the Version element and set it
    /// to an appropriate version date, variables like ${aws:username} are treated as literal strings").
    pub(super) fn new(text: &str, style: Style, version: Version) -> Self {
        let shape = match version {
            Version::V2012 if text.contains("${") => match pieces(text, style) {
                Ok(pieces) => Shape::Variable(pieces),
                Err(why) => Shape::Broken(Gap::Unreadable(why)),
            },
            Version::V2008 | Version::V2012 => {
                let steps: Vec<Step> = text.chars().map(|c| step(c, style)).collect();
                globs(&steps, style).map_or_else(|| Shape::Broken(no_arn(text)), Shape::Fixed)
            }
        };
        Self {
            style,
            ignore_case: false,
            shape,
        }
    }

    /// Reads a text without wildcards that is compared without case.
    pub(super) fn ignoring_case(text: &str, version: Version) -> Self {
        Self {
            ignore_case: true,
            ..Self::new(&text.to_lowercase(), Style::Exact, version)
        }
    }

    /// A `Resource`. Its variables may stand only in the resource portion of the ARN, after the fifth colon.
    pub(super) fn resource(text: &str, version: Version) -> Self {
        let head: usize = text.split_inclusive(':').take(5).map(str::len).sum();
        let early = text.find("${").is_some_and(|at| at < head);
        if version == Version::V2012 && early {
            let why = format!("`{text}` has a policy variable before the fifth colon");
            return Self {
                style: Style::Arn,
                ignore_case: false,
                shape: Shape::Broken(Gap::Misused(why)),
            };
        }
        Self::new(text, Style::Arn, version)
    }

    /// Whether a text is equal to this one, or like it.
    pub(super) fn matches(&self, text: &str, context: &Context) -> Truth {
        let lower;
        let text = if self.ignore_case {
            lower = text.to_lowercase();
            lower.as_str()
        } else {
            text
        };
        match &self.shape {
            Shape::Fixed(globs) => matches_globs(globs, text).into(),
            Shape::Broken(gap) => Truth::Unknown(gap.clone()),
            Shape::Variable(pieces) => match self.resolve(pieces, context) {
                Ok(None) => Truth::No,
                Err(gap) => Truth::Unknown(gap),
                Ok(Some(steps)) => globs(&steps, self.style).map_or_else(
                    || Truth::misused("a policy variable's value that makes no ARN"),
                    |globs| matches_globs(&globs, text).into(),
                ),
            },
        }
    }

    /// Replaces the variables; none if one of them has no value.
    ///
    /// A variable without value is null: "There is no equal or like value" ("Policy variables with no value").
    /// A multivalued key cannot be a variable ("Single-valued vs. multivalued context keys").
    fn resolve(&self, pieces: &[Piece], context: &Context) -> Result<Option<Vec<Step>>, Gap> {
        let (mut steps, mut null, mut gap) = (Vec::new(), false, None::<Gap>);
        for piece in pieces {
            match piece {
                Piece::Steps(literal) => steps.extend_from_slice(literal),
                Piece::Variable { key, default } => match value(key, default.as_deref(), context) {
                    Ok(Some(text)) if self.ignore_case => {
                        steps.extend(text.to_lowercase().chars().map(Step::Char));
                    }
                    Ok(Some(text)) => steps.extend(text.chars().map(Step::Char)),
                    Ok(None) => null = true,
                    Err(found) => gap = Some(gap.map_or(found.clone(), |g| g.min(found))),
                },
            }
        }
        match gap {
            // A null part makes the whole null, whatever the unknown part is.
            _ if null => Ok(None),
            Some(gap) => Err(gap),
            None => Ok(Some(steps)),
        }
    }
}

/// One pattern, or one for each of an ARN's six components; none if there are not six.
fn globs(steps: &[Step], style: Style) -> Option<Vec<Glob>> {
    if style != Style::Components {
        return Some(vec![Glob::new(steps.iter().copied(), style)]);
    }
    let parts = steps.splitn(6, |s| *s == Step::Char(':'));
    let globs: Vec<Glob> = parts
        .map(|part| Glob::new(part.iter().copied(), style))
        .collect();
    (globs.len() == 6).then_some(globs)
}

/// "Each of the six colon-delimited components of the ARN is checked separately" ("Condition operators"). A text that is
/// no ARN has fewer components and does not match.
fn matches_globs(globs: &[Glob], text: &str) -> bool {
    let [one] = globs else {
        let mut components = text.splitn(6, ':');
        return globs
            .iter()
            .all(|glob| components.next().is_some_and(|part| glob.matches(part)));
    };
    one.matches(text)
}

fn no_arn(text: &str) -> Gap {
    Gap::Misused(format!("`{text}` is not an ARN of six components"))
}

fn value<'a>(
    key: &str,
    default: Option<&'a str>,
    context: &'a Context,
) -> Result<Option<&'a str>, Gap> {
    match context.get(key) {
        Lookup::Values {
            values: [one],
            multivalued: false,
        } => Ok(Some(one)),
        Lookup::Values { .. } => Err(Gap::Unsettled(format!(
            "the multivalued key {key} as a policy variable"
        ))),
        Lookup::Absent => Ok(default),
        Lookup::Unknown => Err(Gap::UnknownKey(key.to_owned())),
    }
}

fn pieces(text: &str, style: Style) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal: Vec<Step> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        literal.extend(before.chars().map(|c| step(c, style)));
        let (name, after) = variable_end(after)
            .ok_or_else(|| format!("`{text}` has a policy variable that is not closed"))?;
        match name {
            "*" | "?" | "$" => literal.extend(name.chars().map(Step::Char)),
            _ => {
                let (key, default) = variable(name)
                    .ok_or_else(|| format!("`${{{name}}}` in `{text}` is no policy variable"))?;
                pieces.push(Piece::Steps(std::mem::take(&mut literal)));
                pieces.push(Piece::Variable { key, default });
            }
        }
        rest = after;
    }
    literal.extend(rest.chars().map(|c| step(c, style)));
    pieces.push(Piece::Steps(literal));
    Ok(pieces)
}

/// Splits behind the closing brace; a brace inside a quoted default does not close.
fn variable_end(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn variable(text: &str) -> Option<(String, Option<String>)> {
    let (key, default) = match text.split_once(',') {
        None => (text, None),
        Some((key, default)) => {
            let quoted = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key, Some(quoted.to_owned()))
        }
    };
    let key = key.trim();
    let valid = !key.is_empty() && !key.contains(['{', '}', '$', '\'', '*', '?']);
    valid.then(|| (key.to_lowercase(), default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, against: &str, context: &Context) -> Truth {
        Template::new(text, Style::Plain, Version::V2012).matches(against, context)
    }

    #[test]
    fn a_variable_is_replaced_by_the_value() {
        let context = Context::complete().with("aws:username", "adele");
        assert!(check("home/${aws:username}/*", "home/adele/x", &context).is_yes());
        assert!(check("home/${AWS:UserName}/*", "home/adele/x", &context).is_yes());
        assert!(check("home/${aws:username}/*", "home/bob/x", &context).is_no());
    }

    #[test]
    fn a_default_stands_in_for_an_absent_key_only() {
        let context = Context::complete();
        let text = "team-${aws:PrincipalTag/team, 'company-wide'}";
        assert!(check(text, "team-company-wide", &context).is_yes());
        assert!(check("${aws:x,'a}b'}", "a}b", &context).is_yes());
        let context = context.with("aws:principaltag/team", "ci");
        assert!(check(text, "team-ci", &context).is_yes());
        assert!(check(text, "team-company-wide", &context).is_no());
    }

    #[test]
    fn an_absent_key_without_default_matches_nothing() {
        let context = Context::complete();
        assert!(check("${aws:username}", "", &context).is_no());
        assert!(check("*${aws:username}*", "anything", &context).is_no());
    }

    #[test]
    fn the_special_characters_are_literal() {
        let context = Context::complete();
        assert!(check("a${*}b", "a*b", &context).is_yes());
        assert!(check("a${*}b", "axb", &context).is_no());
        assert!(check("a${?}${$}", "a?$", &context).is_yes());
    }

    #[test]
    fn values_are_literal_text() {
        let context = Context::complete().with("aws:username", "*");
        assert!(check("${aws:username}", "anything", &context).is_no());
        let context = Context::complete().with("aws:username", "${aws:userid}");
        assert!(check("${aws:username}", "${aws:userid}", &context).is_yes());
    }

    #[test]
    fn version_2008_has_no_variables() {
        let context = Context::complete().with("aws:username", "adele");
        let template = Template::new("${aws:username}", Style::Plain, Version::V2008);
        assert!(template.matches("adele", &context).is_no());
        assert!(template.matches("${aws:username}", &context).is_yes());
    }

    #[test]
    fn an_unknown_key_leaves_it_open() {
        let found = check("${aws:username}", "adele", &Context::partial());
        assert_eq!(
            found.gap(),
            Some(&Gap::UnknownKey("aws:username".to_owned()))
        );
    }

    #[test]
    fn a_multivalued_key_is_no_variable() {
        let context = Context::complete().with_list("aws:TagKeys", ["a"]);
        assert!(check("${aws:TagKeys}", "a", &context).gap().is_some());
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        let context = Context::complete();
        for text in ["${", "${}", "${aws:x", "${a, b}", "${a,'b}", "${a${b}}"] {
            assert!(check(text, text, &context).gap().is_some(), "{text}");
        }
        let early = Template::resource(
            "arn:aws:iam::${aws:PrincipalAccount}:role/x",
            Version::V2012,
        );
        assert!(
            early
                .matches("arn:aws:iam::1:role/x", &context)
                .gap()
                .is_some()
        );
    }

    proptest! {
        #[test]
        fn arbitrary_texts_do_not_panic(text in any::<String>(), key in "[a-z${}',*?:]{0,20}", against in any::<String>()) {
            let context = Context::complete().with("a", "b");
            let _ = check(&text, &against, &context);
            let _ = check(&format!("${{{key}}}"), &against, &context);
            let _ = Template::resource(&key, Version::V2012).matches(&against, &context);
        }

        #[test]
        fn text_without_dollar_is_a_plain_pattern(text in "[ab*?]{0,10}", against in "[ab]{0,10}") {
            let expected = Glob::parse(&text, Style::Plain).matches(&against);
            prop_assert_eq!(check(&text, &against, &Context::partial()), Truth::from(expected));
        }
    }
}
