//! Filter patterns of CloudWatch Logs for lines that are plain text.
//! JSON and space-delimited patterns are refused by name: nobody here needs them.
//!
//! Source: CloudWatch Logs user guide, "Filter pattern syntax": terms that must all be there, `-` before one that must not,
//! `?` before ones of which one must; quotes around what is not of letters, digits and underscores. Case counts.

use super::errors::Refused;
use super::logs::invalid;

/// A pattern that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    /// Reads a pattern; the empty one matches every line.
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        let mut pattern = Self::default();
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return Err(Refused::not_here(
                "logs",
                "a filter pattern for structured lines",
            ));
        }
        while !rest.is_empty() {
            let (list, after) = match (rest.strip_prefix('?'), rest.strip_prefix('-')) {
                (Some(after), _) => (&mut pattern.any, after),
                (None, Some(after)) => (&mut pattern.none, after),
                (None, None) => (&mut pattern.all, rest),
            };
            let (term, left) = term(after)?;
            list.push(term);
            rest = left.trim_start();
        }
        Ok(pattern)
    }

    /// Whether a line fits.
    pub(super) fn matches(&self, line: &str) -> bool {
        let Self { all, any, none } = self;
        let has = |term: &String| line.contains(term.as_str());
        all.iter().all(has) && (any.is_empty() || any.iter().any(has)) && !none.iter().any(has)
    }
}

/// The first term, and what is left.
fn term(text: &str) -> Result<(String, &str), Refused> {
    let broken = || invalid("Invalid filter pattern");
    if let Some(quoted) = text.strip_prefix('"') {
        let (mut term, mut escaped) = (String::new(), false);
        for (at, c) in quoted.char_indices() {
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => {
                    let left = quoted.get(at + 1..).unwrap_or_default();
                    return Ok((term, left));
                }
                _ => {
                    term.push(c);
                    escaped = false;
                }
            }
        }
        return Err(broken());
    }
    let (word, left) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if word.is_empty() || !word.chars().all(plain) {
        return Err(broken());
    }
    Ok((word.to_owned(), left))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fits(pattern: &str, line: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(line)
    }

    #[test]
    fn terms_are_all_there_or_one_of_them_or_none() {
        assert!(fits("", "anything"));
        assert!(fits("ERROR denied", "[ERROR] it was denied"));
        assert!(!fits("ERROR denied", "[ERROR] it was allowed"));
        assert!(!fits("error", "ERROR"), "case counts");
        assert!(fits("?timed ?denied", "it timed out"));
        assert!(!fits("?timed ?denied", "it was allowed"));
        assert!(!fits("ERROR -Retry", "ERROR Retry"));
        assert!(fits(r#""a-b \"c\"" ?x"#, r#"x a-b "c""#));
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for text in ["a-b", "\"open", "?", "- a", "request:id"] {
            let code = Pattern::parse(text).unwrap_err().code;
            assert_eq!(code, "InvalidParameterException", "{text}");
        }
        let refused = Pattern::parse("{ $.level = \"ERROR\" }").unwrap_err();
        assert_eq!(refused.code, "InvalidAction");
    }
}
