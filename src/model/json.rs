//! JSON text as a value with nothing lost: the order of keys, how each number is written, every key whatever its name.
//! It may not repair or normalise: what a value cannot hold as it stands is an error.
//!
//! Documents of others are read with this, because they are sent back. `serde_json` alone writes the exponent `1E5` as `1e+5`, keeps
//! the last of two equal keys, and takes an object whose first key is `$serde_json::private::Number` for a number, or for an error.

use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// How deep lists and objects may stand in each other: as deep as `serde_json` reads them.
const MAX_DEPTH: usize = 128;

/// A text that is not JSON, or that no value holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct JsonError {
    reason: String,
}

/// Reads a JSON text.
///
/// # Errors
/// What is not JSON; a key that stands twice in one object; lists and objects more than 128 deep.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    // The grammar is judged here, with line and column; what follows only builds.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| JsonError {
        reason: error.to_string(),
    })?;
    Ok(compact(Reader { text, at: 0 }.value(0)?))
}

/// The same value without the room that its maps and lists have left over from growing: for values that are held by the thousand,
/// and only read.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut exact = Map::with_capacity(fields.len());
            exact.extend(fields.into_iter().map(|(key, value)| (key, compact(value))));
            Value::Object(exact)
        }
        Value::Array(items) => {
            let mut exact = Vec::with_capacity(items.len());
            exact.extend(items.into_iter().map(compact));
            Value::Array(exact)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A text that was found to be JSON, and how far it was read.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => self.number(),
            None => Err(self.error("the text ends too early")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut fields = Map::new();
        while self.goes_on(b'}') {
            let start = self.at;
            let key = self.string()?;
            self.peek();
            self.at += 1;
            let value = self.value(depth)?;
            if fields.contains_key(&key) {
                self.at = start;
                return Err(self.error(&format!("the key {key:?} stands twice in one object")));
            }
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut items = Vec::new();
        while self.goes_on(b']') {
            items.push(self.value(depth)?);
        }
        Ok(Value::Array(items))
    }

    /// Steps over the opening bracket.
    fn enter(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error(&format!(
                "lists and objects stand more than {MAX_DEPTH} deep in each other"
            )));
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over a comma, or over the end; false at the end.
    fn goes_on(&mut self, end: u8) -> bool {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.peek().is_some()
            }
            Some(byte) if byte == end => {
                self.at += 1;
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.peek();
        let rest = self.rest();
        let mut is_escaped = true;
        let mut length = rest.len();
        // The opening quote is stepped over as if it were escaped.
        for (at, byte) in rest.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    length = at + 1;
                    break;
                }
                _ => {}
            }
        }
        let literal = rest.get(..length).unwrap_or(rest);
        let text = serde_json::from_str(literal)
            .map_err(|_| self.error("a text has an escape that stands for no character"))?;
        self.at += length;
        Ok(text)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let rest = self.rest();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.bytes().take_while(|byte| is_part(byte)).count();
        match rest.get(..length) {
            Some(text) if length > 0 => {
                self.at += length;
                // The only way to a number that keeps its spelling: `parse` writes exponents anew. It is hidden in serde_json's
                // documentation; should it go, this stops compiling.
                Ok(Value::Number(Number::from_string_unchecked(
                    text.to_owned(),
                )))
            }
            Some(_) | None => Err(self.error("a value is expected")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.error("a value is expected"));
        }
        self.at += word.len();
        Ok(value)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let bytes = self.text.as_bytes().get(self.at..)?;
        self.at += bytes.iter().take_while(|byte| is_space(byte)).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, why: &str) -> JsonError {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().len() + 1;
        JsonError {
            reason: format!("{why} at line {line} column {column}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn every_number_keeps_its_spelling() {
        for text in [
            "1E5",
            "1e5",
            "1e+5",
            "1E-05",
            "-0",
            "-0.0",
            "1.50",
            "0e0",
            "1e400",
            "-12345678901234567890123.000",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
            let inside = format!("{{\"a\":[{text},{text}]}}");
            assert_eq!(parse(&inside).unwrap().to_string(), inside);
        }
    }

    #[test]
    fn a_key_is_a_key_whatever_its_name() {
        for text in [
            r#"{"$serde_json::private::Number":"5"}"#,
            r#"{"$serde_json::private::Number":{"a":1},"b":2}"#,
            r#"{"$serde_json::private::RawValue":"x"}"#,
            r#"{"":null,"__proto__":[]}"#,
        ] {
            let value = parse(text).unwrap();
            assert!(value.is_object());
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn what_no_value_holds_is_an_error_that_says_where() {
        insta::assert_snapshot!(why("{\"a\":1,\n \"b\":[],\"a\":1}"), @r#"the key "a" stands twice in one object at line 2 column 9"#);
        insta::assert_snapshot!(why(r#"{"a":1,"\u0061":1}"#), @r#"the key "a" stands twice in one object at line 1 column 8"#);
        insta::assert_snapshot!(why(r#"["\ud800"]"#), @"a text has an escape that stands for no character at line 1 column 2");
        insta::assert_snapshot!(why(&"[".repeat(129)), @"EOF while parsing a list at line 1 column 129");
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        insta::assert_snapshot!(why(&deep(129)), @"lists and objects stand more than 128 deep in each other at line 1 column 129");
        assert_eq!(parse(&deep(128)).unwrap().to_string(), deep(128));
        assert!(parse(&deep(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn it_takes_what_serde_json_takes_and_nothing_else(text in r#"[\[\]{},:"\\ueE0-9a+.\n tfnlrs-]{0,12}"#) {
            let theirs = serde_json::from_str::<Value>(&text);
            match (parse(&text), theirs) {
                (Ok(ours), Ok(theirs)) => {
                    // Read again by serde_json, exponents included, ours is theirs.
                    prop_assert_eq!(serde_json::from_str::<Value>(&ours.to_string()).unwrap(), theirs);
                }
                (Err(_), Err(_)) => {}
                (Err(error), Ok(_)) => prop_assert!(error.reason.contains("twice"), "{}", error),
                (Ok(ours), Err(error)) => prop_assert!(false, "{ours}: {error}"),
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
