//! The pipeline document: raw JSON from end to end, with typed views over what is read and a patch that keeps every other value.
//! Values only: nothing here fetches or sends a document.

mod action;
mod compare;
mod masked;
mod notice;
mod patch;
mod place;
mod refuse;
mod renew;
mod request;
#[cfg(test)]
mod tests;
mod view;

use serde_json::Value;
use thiserror::Error;

use super::account::Region;
use super::arn::{ArnError, RoleArn};
use super::json;
use super::name::{FunctionName, GateName};
use super::secret::ActionSecret;
use super::wiring::GateAction;

pub use compare::{Difference, How};
pub use masked::{MaskedPlace, MaskedSecret};
pub use patch::{patch, patched};
pub use renew::{Moved, Renewal, lost_versions};
pub use request::{Edit, EditKind, OwnedAction, Patch, PatchRequest, Refusal, RemoveSpec, Warning};
pub use view::{ActionView, StageView};

/// The `pipeline` object of GetPipeline, as AWS sent it: unknown fields, order of keys and every digit of numbers included.
///
/// Real secrets are kept beside the JSON and put in by [`PipelineDocument::to_request_body`] only, so that no diff, backup or
/// debug print of a document can show one.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineDocument {
    /// Always an object of the shape that `check_shape` holds.
    pipeline: Value,
    /// What the request says in place of `****`.
    secrets: Vec<ActionSecret>,
}

/// An action as it must stand in the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionSpec {
    /// The gate that the action is.
    pub gate: GateName,
    /// Stage, name, placement and the fields that the manifest names.
    pub action: GateAction,
    /// `FunctionName`.
    pub function_name: FunctionName,
    /// The action's own role: the invoke role.
    pub role_arn: RoleArn,
    /// The function's region: the action's `region`, written only where it differs from the pipeline's.
    pub region: Region,
}

/// A text that is not a pipeline document. Paths are from the top of the text, for example `pipeline.stages[2].name`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PipelineError {
    /// Not JSON at all, or with a key that stands twice: one of the two would be lost.
    #[error("the pipeline document is not JSON: {reason}")]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A key that every pipeline has is not there.
    #[error("the pipeline document has no `{path}`")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// A value of another JSON type.
    #[error("`{path}` of the pipeline document is {found}, {expected} is expected")]
    WrongType {
        /// Where it stands.
        path: String,
        /// The type that every pipeline has there.
        expected: &'static str,
        /// The type that is there.
        found: &'static str,
    },
    /// A list that no pipeline has empty.
    #[error("`{path}` of the pipeline document is empty")]
    Empty {
        /// Where it stands.
        path: String,
    },
    /// The pipeline's service role is not a role ARN.
    #[error("`roleArn` of the pipeline document is not the ARN of a role")]
    RoleArn(#[source] ArnError),
}

impl PipelineDocument {
    /// Reads a GetPipeline response body, `{"pipeline": …, "metadata": …}`, or a bare pipeline object.
    ///
    /// `metadata` is dropped: it must not be sent back (guide: pipelines-create-cross-account).
    pub fn parse(text: &str) -> Result<Self, PipelineError> {
        let value = json::parse(text).map_err(|error| PipelineError::NotJson {
            reason: error.to_string(),
        })?;
        Self::from_value(value)
    }

    fn from_value(value: Value) -> Result<Self, PipelineError> {
        let Value::Object(mut top) = value else {
            return Err(wrong_type("$", "an object", &value));
        };
        let (base, pipeline) = if top.contains_key("stages") {
            ("", Value::Object(top))
        } else if let Some(pipeline) = top.shift_remove("pipeline") {
            ("pipeline", pipeline)
        } else if top.contains_key("roleArn") {
            ("", Value::Object(top))
        } else {
            return Err(missing("", "pipeline"));
        };
        check_shape(base, &pipeline)?;
        Ok(Self {
            pipeline,
            secrets: Vec::new(),
        })
    }

    /// The body of UpdatePipeline: `{"pipeline": …}`, compact, never `metadata`. Holds the real secrets that were given.
    ///
    /// `version` is sent as it was read: the API takes the structure of GetPipeline and raises the number by itself
    /// (api: UpdatePipeline).
    pub fn to_request_body(&self) -> String {
        let Self { pipeline, secrets } = self;
        if secrets.is_empty() {
            return format!(r#"{{"pipeline":{pipeline}}}"#);
        }
        let mut revealed = pipeline.clone();
        masked::reveal(&mut revealed, secrets);
        format!(r#"{{"pipeline":{revealed}}}"#)
    }

    /// The real secrets that [`Self::to_request_body`] sends: what must not be shown where AWS repeats it.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.value.reveal())
    }

    /// The `pipeline` object, secrets masked as AWS sent them.
    pub fn as_json(&self) -> &Value {
        &self.pipeline
    }

    /// The `pipeline` object as indented text, for diffs; secrets masked.
    pub fn to_pretty(&self) -> String {
        format!("{:#}", self.pipeline)
    }

    /// `{"pipeline": …}` as indented text with a line end: what `aws codepipeline update-pipeline --cli-input-json` takes.
    /// Secrets masked.
    pub fn to_backup(&self) -> String {
        let mut top = serde_json::Map::new();
        top.insert("pipeline".to_owned(), self.pipeline.clone());
        format!("{:#}\n", Value::Object(top))
    }

    /// The pipeline's name.
    pub fn name(&self) -> &str {
        view::text(&self.pipeline, "name").unwrap_or_default()
    }

    /// `version`, where the document has one.
    pub fn version(&self) -> Option<u64> {
        view::whole(self.pipeline.get("version")?)
    }

    /// The pipeline's service role.
    pub fn role_arn(&self) -> Result<RoleArn, PipelineError> {
        let text = view::text(&self.pipeline, "roleArn").unwrap_or_default();
        RoleArn::parse(text).map_err(PipelineError::RoleArn)
    }

    /// The stages in order.
    pub fn stages(&self) -> impl Iterator<Item = StageView<'_>> {
        self.raw_stages().iter().map(StageView)
    }

    /// Every place where a `****` stands.
    pub fn masked_secrets(&self) -> Vec<MaskedSecret> {
        masked::find(&self.pipeline)
    }

    /// True where the secret has a masked value to replace. A secret does not say which pipeline it is for: with several
    /// pipelines, this tells.
    pub fn has_masked(&self, secret: &ActionSecret) -> bool {
        self.masked_secrets().iter().any(|m| m.is_for(secret))
    }

    /// The same document, with secrets to send in place of their masks.
    #[must_use]
    pub fn with_secrets(self, secrets: Vec<ActionSecret>) -> Self {
        Self { secrets, ..self }
    }

    fn raw_stages(&self) -> &[Value] {
        view::list(&self.pipeline, "stages")
    }

    /// The same document with other stages, and with secrets to send.
    fn with(&self, stages: Vec<Value>, secrets: Vec<ActionSecret>) -> Self {
        let mut pipeline = self.pipeline.clone();
        if let Some(object) = pipeline.as_object_mut() {
            // `insert` on a key that is there keeps its position.
            object.insert("stages".to_owned(), Value::Array(stages));
        }
        Self { pipeline, secrets }
    }
}

/// Holds what the rest of the module relies on: stages and actions are objects with a text as name.
fn check_shape(base: &str, pipeline: &Value) -> Result<(), PipelineError> {
    if !pipeline.is_object() {
        return Err(wrong_type(base, "an object", pipeline));
    }
    check_text(base, pipeline, "name")?;
    check_text(base, pipeline, "roleArn")?;
    let stages = check_list(base, pipeline, "stages")?;
    if stages.is_empty() {
        return Err(PipelineError::Empty {
            path: join(base, "stages"),
        });
    }
    for (at, stage) in stages.iter().enumerate() {
        let path = format!("{}[{at}]", join(base, "stages"));
        check_text(&path, stage, "name")?;
        let actions = check_list(&path, stage, "actions")?;
        for (at, action) in actions.iter().enumerate() {
            check_text(&format!("{path}.actions[{at}]"), action, "name")?;
        }
    }
    Ok(())
}

fn check_text(base: &str, object: &Value, key: &str) -> Result<(), PipelineError> {
    match field(base, object, key)? {
        Value::String(_) => Ok(()),
        other => Err(wrong_type(&join(base, key), "a text", other)),
    }
}

fn check_list<'a>(base: &str, object: &'a Value, key: &str) -> Result<&'a [Value], PipelineError> {
    match field(base, object, key)? {
        Value::Array(list) => Ok(list),
        other => Err(wrong_type(&join(base, key), "a list", other)),
    }
}

fn field<'a>(base: &str, object: &'a Value, key: &str) -> Result<&'a Value, PipelineError> {
    match object {
        Value::Object(map) => map.get(key).ok_or_else(|| missing(base, key)),
        other => Err(wrong_type(base, "an object", other)),
    }
}

fn missing(base: &str, key: &str) -> PipelineError {
    PipelineError::Missing {
        path: join(base, key),
    }
}

fn wrong_type(path: &str, expected: &'static str, found: &Value) -> PipelineError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    PipelineError::WrongType {
        path: path.to_owned(),
        expected,
        found,
    }
}

fn join(base: &str, key: &str) -> String {
    if base.is_empty() {
        key.to_owned()
    } else {
        format!("{base}.{key}")
    }
}
