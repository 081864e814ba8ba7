//! Secrets that AWS masks: where they stand, and the real values in their place.
//! A masked value is never compared and never shown to be right or wrong.

use std::fmt;

use serde_json::Value;

use super::super::secret::ActionSecret;
use super::view::{ActionView, StageView, list};

/// What AWS shows in place of a secret (guide: reference-pipeline-structure).
const MASK: &str = "****";

/// A value that AWS masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedSecret {
    /// Where it stands in the `pipeline` object, for example `stages[0].actions[0].configuration.OAuthToken`.
    pub path: String,
    /// Stage, action and key, where it is a configuration value of an action.
    pub place: Option<MaskedPlace>,
}

/// Stage, action and configuration key, as `--secret` names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaskedPlace {
    /// The stage's name as AWS has it.
    pub stage: String,
    /// The action's name as AWS has it.
    pub action: String,
    /// The configuration key.
    pub key: String,
}

impl MaskedSecret {
    /// True where the secret is the real value for this place.
    pub fn is_for(&self, secret: &ActionSecret) -> bool {
        let ActionSecret {
            stage,
            action,
            key,
            value: _,
        } = secret;
        self.place.as_ref().is_some_and(|place| {
            place.stage == stage.as_str() && place.action == action.as_str() && place.key == *key
        })
    }
}

impl fmt::Display for MaskedSecret {
    /// `STAGE/ACTION/KEY`, or the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(MaskedPlace { stage, action, key }) => write!(f, "{stage}/{action}/{key}"),
            None => f.write_str(&self.path),
        }
    }
}

/// Every mask of a `pipeline` object, in the order of the document.
pub(super) fn find(pipeline: &Value) -> Vec<MaskedSecret> {
    let mut paths = Vec::new();
    walk(pipeline, String::new(), &mut paths);
    let mut places = settings(pipeline);
    paths
        .into_iter()
        .map(|path| {
            let at = places.iter().position(|(known, _)| *known == path);
            MaskedSecret {
                place: at.map(|at| places.swap_remove(at).1),
                path,
            }
        })
        .collect()
}

/// Puts the real values in the place of their masks; everything else stays.
pub(super) fn reveal(pipeline: &mut Value, secrets: &[ActionSecret]) {
    for stage in list_mut(pipeline, "stages") {
        let stage_name = StageView(stage).name().to_owned();
        for action in list_mut(stage, "actions") {
            let action_name = ActionView(action).name().to_owned();
            for secret in secrets {
                if secret.stage.as_str() != stage_name || secret.action.as_str() != action_name {
                    continue;
                }
                let setting = action
                    .get_mut("configuration")
                    .and_then(|configuration| configuration.get_mut(&secret.key));
                if let Some(value) = setting.filter(|value| value.as_str() == Some(MASK)) {
                    *value = Value::String(secret.value.reveal().to_owned());
                }
            }
        }
    }
}

/// The masks among the configuration values of actions, with their paths.
fn settings(pipeline: &Value) -> Vec<(String, MaskedPlace)> {
    let mut places = Vec::new();
    for (s, stage) in list(pipeline, "stages").iter().map(StageView).enumerate() {
        for (a, action) in stage.actions().enumerate() {
            let masked = action.configuration().into_iter().flatten();
            for (key, _) in masked.filter(|(_, value)| value.as_str() == Some(MASK)) {
                let place = MaskedPlace {
                    stage: stage.name().to_owned(),
                    action: action.name().to_owned(),
                    key: key.clone(),
                };
                places.push((
                    format!("stages[{s}].actions[{a}].configuration.{key}"),
                    place,
                ));
            }
        }
    }
    places
}

/// The recursion is bounded by the parser, which takes 128 levels at most.
fn walk(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::String(text) if text == MASK => paths.push(path),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{at}]"), paths);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                walk(field, super::join(&path, key), paths);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn list_mut<'a>(object: &'a mut Value, key: &str) -> &'a mut [Value] {
    object
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .map_or(&mut [], Vec::as_mut_slice)
}
