//! One pair of `policy diff --cases`: a JSON line read into two documents, and the answer as JSON.
//! Pure: reads no files and prints nothing; whether documents grant the same is decided in `compare`.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use thiserror::Error;

use super::compare::equivalent;
use crate::model::policy::{PolicyDocument, PolicyError};

/// Why a line is no pair. A document that cannot be read is no such error: it makes an answer of null.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PairError {
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A member is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member has the wrong form.
    #[error("{at}: {expected} is expected")]
    Form {
        /// Where.
        at: &'static str,
        /// What should stand there.
        expected: &'static str,
    },
}

/// Two documents, as they were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The pair's name in the answer.
    pub name: String,
    a: Value,
    b: Value,
    expected: Expected,
}

/// What the line expects of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Anything,
    /// Null: that a document cannot be read.
    Exactly(Option<bool>),
}

/// What came of a pair: whether both grant the same, or which document cannot be read and why.
pub type Answer = Result<bool, String>;

impl Pair {
    /// Reads one line: `name`, `a`, `b`, and `equivalent` where the answer is expected. Other members mean nothing.
    pub fn parse(line: &str) -> Result<Self, PairError> {
        let value: Value =
            serde_json::from_str(line).map_err(|e| PairError::Json(e.to_string()))?;
        let Value::Object(members) = &value else {
            return Err(form("pair", "an object"));
        };
        let get = |name| members.get(name).ok_or(PairError::Missing(name));
        let name = match get("name")? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(form("name", "a string or a number")),
        };
        let document = |name| match get(name)? {
            value @ (Value::String(_) | Value::Object(_)) => Ok(value.clone()),
            _ => Err(form(name, "a policy document, or the text of one")),
        };
        let expected = match members.get("equivalent") {
            None => Expected::Anything,
            Some(Value::Null) => Expected::Exactly(None),
            Some(Value::Bool(flag)) => Expected::Exactly(Some(*flag)),
            Some(_) => return Err(form("equivalent", "true, false or null")),
        };
        Ok(Self {
            name,
            a: document("a")?,
            b: document("b")?,
            expected,
        })
    }

    /// Compares the two.
    pub fn decide(&self) -> Answer {
        let read = |name: &str, value: &Value| {
            let document = match value {
                Value::String(text) => read(text),
                other => PolicyDocument::from_json(other),
            };
            document.map_err(|error| format!("{name}: {error}"))
        };
        Ok(equivalent(&read("a", &self.a)?, &read("b", &self.b)?))
    }

    /// The answer line: `{"name", "equivalent", "error"}`.
    pub fn answer(&self, answer: &Answer) -> Value {
        json!({
            "name": self.name,
            "equivalent": answer.as_ref().ok(),
            "error": answer.as_ref().err(),
        })
    }

    /// Where the line expects something else: what it expects and what it is, as they stand in JSON.
    pub fn differs(&self, answer: &Answer) -> Option<(&'static str, &'static str)> {
        let is = answer.as_ref().ok().copied();
        match self.expected {
            Expected::Exactly(expected) if expected != is => Some((word(expected), word(is))),
            Expected::Exactly(_) | Expected::Anything => None,
        }
    }
}

fn word(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    }
}

/// Reads a document as a person or AWS wrote it: IAM returns documents percent-encoded (RFC 3986; api: GetRolePolicy).
///
/// JSON never begins with `%`, so the two cannot be taken for each other.
pub fn read(text: &str) -> Result<PolicyDocument, PolicyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with('%') {
        return PolicyDocument::parse(text);
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => PolicyDocument::parse(&decoded),
        Err(_) => Err(PolicyError {
            at: "document".to_owned(),
            why: "percent-encoded, but not as UTF-8".to_owned(),
        }),
    }
}

fn form(at: &'static str, expected: &'static str) -> PairError {
    PairError::Form { at, expected }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;

    fn pair(a: &str, b: &str, expected: &str) -> Pair {
        let (a, b) = (json!(a), json!(b));
        Pair::parse(&format!(r#"{{"name":"n","a":{a},"b":{b}{expected}}}"#)).unwrap()
    }

    #[test]
    fn every_row_of_the_vectors_is_answered_as_expected() {
        let rows = include_str!("../../tests/fixtures/policy_equivalence.jsonl");
        assert_eq!(rows.lines().count(), 24);
        for row in rows.lines() {
            let pair = Pair::parse(row).unwrap();
            let answer = pair.decide();
            assert_eq!(pair.differs(&answer), None, "{}: {answer:?}", pair.name);
        }
    }

    #[test]
    fn a_percent_encoded_document_is_the_document() {
        let encoded = utf8_percent_encode(DOCUMENT, NON_ALPHANUMERIC).to_string();
        assert_eq!(read(&encoded), read(DOCUMENT));
        assert_eq!(read(&format!("\u{feff}\n{encoded}\n")), read(DOCUMENT));
        assert!(read("%ff%fe").unwrap_err().why.contains("UTF-8"));
    }

    #[test]
    fn a_document_that_cannot_be_read_is_answered_with_null_and_the_reason() {
        let pair = pair(DOCUMENT, "{", "");
        let answer = pair.decide();
        insta::assert_snapshot!(pair.answer(&answer), @r#"{"name":"n","equivalent":null,"error":"b: not a policy document: document: not valid JSON: EOF while parsing an object at line 1 column 1"}"#);
        assert_eq!(pair.differs(&answer), None);
    }

    #[test]
    fn an_expectation_is_held_against_the_answer() {
        for (b, expected, differs) in [
            (DOCUMENT, r#","equivalent":true"#, None),
            (DOCUMENT, r#","equivalent":false"#, Some(("false", "true"))),
            (DOCUMENT, r#","equivalent":null"#, Some(("null", "true"))),
            ("{", r#","equivalent":null"#, None),
            ("{", r#","equivalent":true"#, Some(("true", "null"))),
        ] {
            let pair = pair(DOCUMENT, b, expected);
            assert_eq!(pair.differs(&pair.decide()), differs, "{b} {expected}");
        }
    }

    #[test]
    fn a_line_that_is_no_pair_is_told() {
        let why = |line: &str| Pair::parse(line).unwrap_err().to_string();
        assert_eq!(why("[]"), "pair: an object is expected");
        assert_eq!(why("{}"), "name is missing");
        assert_eq!(
            why(r#"{"name":"n","a":1,"b":""}"#),
            "a: a policy document, or the text of one is expected"
        );
        assert!(why("{").starts_with("not valid JSON"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = read(&text);
            if let Ok(pair) = Pair::parse(&text) {
                let _ = pair.decide();
            }
        }
    }
}
