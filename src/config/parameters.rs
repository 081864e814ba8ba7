//! `user_parameters`: a string as it is, or a table or array as compact JSON with its keys in the order written.
//! May not read the meaning of what is passed to the function.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::ManifestError;
use super::table::Table;

/// The most characters of a configuration value (guide: limits).
const MAX_CHARACTERS: usize = 1000;

/// The text to send as `UserParameters`; an empty string is kept, and removes them.
pub(super) fn read(table: &Table<'_>, problems: &mut Vec<ManifestError>) -> Option<String> {
    let entry = table.get("user_parameters")?;
    let text = match entry.value {
        DeValue::String(text) => text.to_string(),
        DeValue::Table(_) | DeValue::Array(_) => {
            let spanned = Spanned::new(entry.span.clone(), entry.value);
            json(&spanned, problems)?.to_string()
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            problems.push(entry.wrong_type("a string or a table"));
            return None;
        }
    };
    let count = text.chars().count();
    if count > MAX_CHARACTERS {
        let sent = if entry.value.is_str() { "" } else { " as JSON" };
        problems.push(
            ManifestError::new(
                entry.span,
                format!("`user_parameters` has {count} characters{sent}, and AWS takes {MAX_CHARACTERS} at most"),
            )
            .label("too long")
            .help("keep the data where the function can read it (S3, Parameter Store), and pass its name"),
        );
        return None;
    }
    Some(text)
}

/// The depth is bounded by the TOML parser.
fn json(value: &Spanned<&DeValue<'_>>, problems: &mut Vec<ManifestError>) -> Option<Value> {
    let refused = |what: &str, help: &str| {
        ManifestError::new(value.span(), format!("{what} has no form in JSON"))
            .label("cannot be sent")
            .help(help)
    };
    match value.get_ref() {
        DeValue::String(text) => Some(Value::String(text.to_string())),
        DeValue::Boolean(yes) => Some(Value::Bool(*yes)),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
            if number.is_none() {
                problems.push(refused(
                    "an integer of more than 64 bits",
                    "write it as a string",
                ));
            }
            number.map(Value::from)
        }
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().and_then(Number::from_f64);
            if number.is_none() {
                problems.push(refused(
                    "a number that is not finite",
                    "write it as a string",
                ));
            }
            number.map(Value::Number)
        }
        DeValue::Datetime(_) => {
            problems.push(refused("a date or time", "put it in double quotes"));
            None
        }
        DeValue::Array(values) => {
            let values: Vec<Option<Value>> = values
                .iter()
                .map(|value| json(&Spanned::new(value.span(), value.get_ref()), problems))
                .collect();
            values.into_iter().collect::<Option<_>>().map(Value::Array)
        }
        DeValue::Table(entries) => {
            // The parser's table is sorted by key; the order written is the order of the keys' places.
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            let entries: Vec<Option<(String, Value)>> = entries
                .into_iter()
                .map(|(key, value)| {
                    let value = json(&Spanned::new(value.span(), value.get_ref()), problems)?;
                    Some((key.get_ref().to_string(), value))
                })
                .collect();
            let object: Option<Map<String, Value>> = entries.into_iter().collect();
            object.map(Value::Object)
        }
    }
}
