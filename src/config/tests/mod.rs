//! The manifest's rules, by what a person reads when one is broken.

mod examples;
mod files;
mod functions;
mod junk;
mod many;
mod relations;
mod schema;
mod values;

use std::path::Path;

use super::{Config, from_text};

/// A small manifest that is right; tests break one line of it at a time.
const GOOD: &str = r#"project = "checkout"

[accounts.tools]
id = "111111111111"
profile = "tools"

[accounts.dev]
id = "222222222222"

[[gates]]
name = "validate"
[gates.pipeline]
account = "tools"
region = "us-east-1"
name = "MyPipeline"
stage = "Validate"
action = "Run"
after = "Deploy"
[gates.function]
account = "dev"
name = "MyFunction"
"#;

/// A second gate of the same pipeline, to follow [`GOOD`].
const SECOND: &str = r#"
[[gates]]
name = "second"
[gates.pipeline]
account = "tools"
region = "us-east-1"
name = "MyPipeline"
stage = "Second"
action = "Run"
[gates.function]
account = "dev"
name = "MyFunction"
"#;

fn parse(text: &str) -> Result<Config, super::ManifestErrors> {
    from_text(Path::new("crossgate.toml"), text)
}

/// `GOOD` with one line replaced.
fn with(line: &str, replacement: &str) -> String {
    assert_eq!(GOOD.matches(line).count(), 1, "{line} must stand once");
    GOOD.replace(line, replacement)
}

/// `GOOD` and a second gate with one line replaced.
fn and_second(line: &str, replacement: &str) -> String {
    assert_eq!(SECOND.matches(line).count(), 1, "{line} must stand once");
    format!("{GOOD}{}", SECOND.replace(line, replacement))
}

/// What is shown for a manifest that must be refused.
fn refused(text: &str) -> String {
    match parse(text) {
        Ok(config) => panic!("it was taken: {config:#?}"),
        Err(errors) => errors.render(false),
    }
}

/// The messages for a manifest that must be refused, one a line, each with its line and column.
fn messages(text: &str) -> String {
    let errors = match parse(text) {
        Ok(config) => panic!("it was taken: {config:#?}"),
        Err(errors) => errors,
    };
    assert!(!errors.items.is_empty());
    let mut lines = Vec::new();
    for item in errors.items {
        let at = super::schema::Lines::of(&errors.text).position(item.span.start);
        lines.push(format!("{}:{} {}", at.line, at.column, item.message));
    }
    lines.join("\n")
}
