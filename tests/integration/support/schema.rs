//! Holds JSON to a JSON Schema: the program's own of its output, and others that a case names.
//! The published schema lets fields be added; here it is closed, so that one that is added asks to be written down.

use std::path::Path;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

/// The commands whose JSON config/output.schema.json describes.
const DESCRIBED: &[&str] = &[
    "plan",
    "bootstrap",
    "apply",
    "check",
    "teardown",
    "verify",
    "run",
];

/// What in the output of these arguments is not as config/output.schema.json says; none where it is not JSON that it describes.
pub(crate) fn violations(arguments: &[String], stdout: &str) -> Vec<String> {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let is_json = arguments.windows(2).any(|two| two == ["--format", "json"]);
    let command = arguments.first();
    let is_described = command.is_some_and(|name| DESCRIBED.contains(&name.as_str()));
    if !is_json || !is_described || stdout.is_empty() {
        return Vec::new();
    }
    let schema = SCHEMA.get_or_init(|| validator(&closed(file("config/output.schema.json"))));
    match serde_json::from_str(stdout) {
        Ok(value) => errors(schema, &value),
        Err(error) => vec![format!("no JSON: {error}")],
    }
}

/// A file of the repository as JSON.
pub(crate) fn file(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A schema, ready to be asked.
pub(crate) fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).unwrap()
}

/// The official schema of SARIF 2.1.0. Its pattern of languages has a bare `]`, which not every engine takes: it is written so
/// that it means the same.
pub(crate) fn sarif() -> Validator {
    let schema = file("tests/fixtures/sarif-schema-2.1.0.json").to_string();
    let schema = serde_json::from_str(&schema.replace("{2}]?$", r"{2}\\]?$")).unwrap();
    validator(&schema)
}

/// What is not as the schema says, a line each.
pub(crate) fn errors(schema: &Validator, value: &Value) -> Vec<String> {
    schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The schema with every object closed to what it does not name.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if map.contains_key("properties") && map.get("type") == Some(&json!("object")) {
                    map.insert("additionalProperties".to_owned(), json!(false));
                }
                map.values_mut().for_each(close);
            }
            Value::Array(list) => list.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

#[test]
fn the_schema_takes_what_is_right_and_nothing_else() {
    let arguments = ["check", "--format", "json"].map(str::to_owned);
    let right = json!({"format_version": 1, "command": "check", "status": "in_sync", "project": "checkout",
        "gates": ["validate"], "accounts": [], "changes": [], "problems": []});
    assert_eq!(
        violations(&arguments, &right.to_string()),
        Vec::<String>::new()
    );
    for (key, value) in [
        ("status", json!("fine")),
        ("format_version", json!(2)),
        ("unheard_of", json!(1)),
        ("changes", json!([{}])),
    ] {
        let mut wrong = right.clone();
        wrong[key] = value;
        assert_ne!(
            violations(&arguments, &wrong.to_string()),
            Vec::<String>::new(),
            "{key}"
        );
    }
    assert_ne!(violations(&arguments, "no JSON"), Vec::<String>::new());
}
