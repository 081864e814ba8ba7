//! A JSON value kept as its text: documents that a plan holds by the hundred thousand, and that are looked into when they are shown.
//! It repairs nothing; what a document says is its owner's affair.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::json;

/// One JSON value as text. It is cloned without being copied.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// What serde writes for it, without white space. What cannot be written, such as a map whose keys are no texts, is null: no
    /// document of this program has it.
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).map_or_else(|_| Arc::from("null"), Arc::from))
    }

    /// A text of somebody else's, as it stands where it is JSON; else a JSON string of it.
    pub fn read(text: &str) -> Self {
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Self(Arc::from(text)),
            Err(_) => Self::of(&text),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value. Of a key that stands twice in an object, the last.
    pub fn value(&self) -> Value {
        json::parse(&self.0)
            .ok()
            .or_else(|| serde_json::from_str(&self.0).ok())
            .unwrap_or_else(|| Value::String(self.0.to_string()))
    }
}

impl From<Value> for JsonText {
    fn from(value: Value) -> Self {
        Self::of(&value)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// The text as it is sent to AWS.
impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        for text in [
            r#"{"b":1E5,"a":[true,null,"\u00e9\n"],"$serde_json::private::Number":"5"}"#,
            "1.50",
            r#""text""#,
        ] {
            let value = json::parse(text).unwrap_or_default();
            assert_ne!(value, Value::Null);
            assert_eq!(JsonText::from(value.clone()).value(), value);
            assert_eq!(JsonText::read(text).value(), value);
        }
    }

    #[test]
    fn what_is_no_json_is_a_text() {
        assert_eq!(JsonText::read("{not json").value(), json!("{not json"));
    }

    #[test]
    fn of_a_key_that_stands_twice_the_last_is_shown() {
        assert_eq!(JsonText::read(r#"{"a":1,"a":2}"#).value(), json!({"a": 2}));
    }
}
