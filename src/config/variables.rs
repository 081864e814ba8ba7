//! The environment variables of a function that is made: Lambda's rules for their names and their size.
//! May not show a value: a manifest's errors are read in CI logs.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeValue;

use super::diagnostic::ManifestError;
use super::table::Table;
use crate::model::function::Variables;

/// The most bytes of all variables together (Lambda quotas, "Function environment variables"), which Lambda measures as JSON: its
/// refusal shows the text ("exceeded the 4KB limit. String measured: {...}", in public reports).
const MAX_BYTES: usize = 4096;

/// Names that Lambda sets itself (Lambda guide: configuration-envvars, "Reserved environment variables"). CreateFunction refuses
/// them; other names with `AWS_` are allowed, such as `AWS_LAMBDA_EXEC_WRAPPER`.
const RESERVED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// The variables, without those that were refused. The places of all values are added to `hidden`.
pub(super) fn read(
    table: &Table<'_>,
    hidden: &mut Vec<Range<usize>>,
    problems: &mut Vec<ManifestError>,
) -> Variables {
    let mut variables = BTreeMap::new();
    let Some((span, entries)) = table.table("environment", problems) else {
        return Variables::default();
    };
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        hidden.push(value.span());
        let name = key.get_ref();
        if let Err((reason, help)) = check_name(name) {
            let message = format!("environment variable `{name}`: {reason}");
            let error = ManifestError::new(key.span(), message).label("not a name for Lambda");
            problems.push(error.help(help));
        }
        let DeValue::String(text) = value.get_ref() else {
            let message = format!("environment variable `{name}` must be a string");
            let error = ManifestError::new(key.span(), message).label("not a string");
            problems.push(error.help("put its value in double quotes: a function gets strings"));
            continue;
        };
        variables.insert(name.to_string(), text.to_string());
    }
    let measured = serde_json::to_string(&variables).map_or(0, |text| text.len());
    if measured > MAX_BYTES {
        let message = format!(
            "the environment variables have {measured} bytes, and Lambda takes {MAX_BYTES} at most"
        );
        let error = ManifestError::new(first_byte(&span), message).label("too much");
        problems.push(error.help(
            "names, values, and six characters around each count; put what is long into the package, or into Parameter Store",
        ));
    }
    Variables(variables)
}

/// The line where the table begins, without what stands in it.
fn first_byte(span: &Range<usize>) -> Range<usize> {
    span.start..span.end.min(span.start + 1)
}

/// `[a-zA-Z]([a-zA-Z0-9_])+` (api: Environment).
fn check_name(name: &str) -> Result<(), (&'static str, &'static str)> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    if RESERVED.contains(&name) || matches!(name, "_HANDLER" | "_X_AMZN_TRACE_ID") {
        Err((
            "Lambda sets it itself, and refuses another value",
            "leave it out, or choose another name",
        ))
    } else if !first || name.len() < 2 || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Err((
            "that is not a name which Lambda takes",
            "a name begins with a letter, has two characters or more, and of them only letters, numbers and `_`",
        ))
    } else {
        Ok(())
    }
}
