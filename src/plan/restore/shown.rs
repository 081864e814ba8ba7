//! A pipeline document as a plan shows it: without the values of actions' configurations, where people keep tokens.
//! What is sent and what is saved is not its business.

use serde_json::Value;

use crate::model::pipeline::PipelineDocument;

/// The one value that is shown: the name of a function.
const NAME: &str = "FunctionName";

/// The document with words in the place of values; `side`: what tells a value from the one that `other` has there.
pub(super) fn shown(document: &PipelineDocument, other: &PipelineDocument, side: &str) -> Value {
    let mut shown = document.as_json().clone();
    let stages = shown.get_mut("stages").and_then(Value::as_array_mut);
    for stage in stages.into_iter().flatten() {
        let name = stage.get("name").and_then(Value::as_str).map(str::to_owned);
        let actions = stage.get_mut("actions").and_then(Value::as_array_mut);
        for action in actions.into_iter().flatten() {
            let place = (name.as_deref(), action.get("name").and_then(Value::as_str));
            let there = configuration(other, place).cloned();
            if let Some(values) = action.get_mut("configuration") {
                hide(values, there.as_ref(), side);
            }
        }
    }
    shown
}

fn configuration<'a>(
    document: &'a PipelineDocument,
    (stage, action): (Option<&str>, Option<&str>),
) -> Option<&'a Value> {
    let mut stages = document.stages();
    let stage = stages.find(|one| Some(one.name()) == stage)?;
    let mut actions = stage.actions();
    let action = actions.find(|one| Some(one.name()) == action)?;
    action.json().get("configuration")
}

fn hide(values: &mut Value, there: Option<&Value>, side: &str) {
    let Some(values) = values.as_object_mut() else {
        return;
    };
    for (key, value) in values.iter_mut().filter(|(key, _)| *key != NAME) {
        let is_same = there.and_then(|there| there.get(key)) == Some(&*value);
        let text = if is_same {
            "(not shown)".to_owned()
        } else {
            format!("(not shown, {side})")
        };
        *value = Value::String(text);
    }
}
