//! A pipeline's structure as CodePipeline takes and gives it: what it refuses, fills in and masks.
//! Values only: whether roles can be assumed is asked of `engine`.
//!
//! Rules: CodePipeline user guide, "Pipeline structure reference" and "Quotas". The messages are this program's own where
//! no public text quotes AWS's.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::errors::Refused;

/// Configuration keys whose values are never given back.
const SECRETS: [&str; 3] = ["OAuthToken", "ClientSecret", "RefreshToken"];
/// What is given back in their place.
const MASK: &str = "****";

/// The stages of a structure.
pub(super) fn stages(structure: &Value) -> &[Value] {
    list(structure, "stages")
}

/// The actions of a stage.
pub(super) fn actions(stage: &Value) -> &[Value] {
    list(stage, "actions")
}

/// A text of an object, empty where it is none.
pub(super) fn name<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `category` and `provider` of an action.
pub(super) fn kind(action: &Value) -> (&str, &str) {
    let id = action.get("actionTypeId").unwrap_or(&Value::Null);
    (name(id, "category"), name(id, "provider"))
}

/// Whether it is an action that invokes a function.
pub(super) fn invokes(action: &Value) -> bool {
    kind(action) == ("Invoke", "Lambda")
}

/// Refuses a structure that CodePipeline refuses.
pub(super) fn check(structure: &Value, region: &str) -> Result<(), Refused> {
    pattern("pipeline.name", name(structure, "name"))?;
    let role = name(structure, "roleArn");
    if super::state::role_parts(role).is_none() {
        return Err(validation(format!(
            "1 validation error detected: Value '{role}' at 'pipeline.roleArn' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: arn:aws(-[\\w]+)*:iam::[0-9]{{12}}:role/.*"
        )));
    }
    let one = structure.get("artifactStore").is_some();
    let many = structure.get("artifactStores").is_some();
    if one == many {
        return Err(invalid(
            "A pipeline must have either an artifactStore or artifactStores, and not both",
        ));
    }
    let all = stages(structure);
    between("stages", all.len(), 2, 50)?;
    let mut names = BTreeSet::new();
    for (index, stage) in all.iter().enumerate() {
        let stage_name = name(stage, "name");
        pattern("pipeline.stages.member.name", stage_name)?;
        if !names.insert(stage_name) {
            return Err(invalid(format!("Stage name {stage_name} is not unique")));
        }
        between("actions", actions(stage).len(), 1, 50)?;
        check_stage(stage, index)?;
    }
    check_artifacts(all)?;
    check_regions(structure, region)
}

fn check_stage(stage: &Value, index: usize) -> Result<(), Refused> {
    let mut names = BTreeSet::new();
    for action in actions(stage) {
        let action_name = name(action, "name");
        pattern("pipeline.stages.member.actions.member.name", action_name)?;
        if !names.insert(action_name) {
            return Err(invalid(format!(
                "Action name {action_name} is not unique in stage {}",
                name(stage, "name")
            )));
        }
        let (category, provider) = kind(action);
        if category == "Source" && index > 0 {
            return Err(invalid(format!(
                "Source action {action_name} is only allowed in the first stage"
            )));
        }
        if category != "Source" && index == 0 {
            // Quoted in public issues.
            return Err(invalid(
                "Pipeline should start with a stage that only contains source actions",
            ));
        }
        let categories = [
            "Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute",
        ];
        if !categories.contains(&category) || provider.is_empty() {
            return Err(invalid(format!(
                "ActionType (Category: '{category}', Provider: '{provider}') in action '{action_name}' is not available"
            )));
        }
        check_action(action)?;
    }
    Ok(())
}

fn check_action(action: &Value) -> Result<(), Refused> {
    let action_name = name(action, "name");
    if let Some(order) = action.get("runOrder")
        && !order.as_u64().is_some_and(|n| (1..=999).contains(&n))
    {
        return Err(validation(format!(
            "1 validation error detected: Value '{order}' at 'pipeline.stages.member.actions.member.runOrder' failed to \
             satisfy constraint: Member must have value between 1 and 999"
        )));
    }
    let configuration = action.get("configuration").and_then(Value::as_object);
    for (key, value) in configuration.into_iter().flatten() {
        let length = value.as_str().map(|text| text.chars().count());
        if length.is_none_or(|n| n > 1000) {
            return Err(validation(format!(
                "1 validation error detected: Value at 'pipeline.stages.member.actions.member.configuration.{key}' failed \
                 to satisfy constraint: Map value must be a string of at most 1000 characters"
            )));
        }
    }
    if invokes(action) {
        let function = configuration.and_then(|c| c.get("FunctionName"));
        if function.is_none() {
            return Err(invalid(format!(
                "Action configuration for action '{action_name}' is missing required configuration 'FunctionName'"
            )));
        }
        for key in ["inputArtifacts", "outputArtifacts"] {
            if list(action, key).len() > 5 {
                return Err(invalid(format!(
                    "Action {action_name} has too many {key}: at most 5 are allowed"
                )));
            }
        }
    }
    Ok(())
}

/// Every input is made by an earlier action, every output has a name of its own.
fn check_artifacts(all: &[Value]) -> Result<(), Refused> {
    let mut made = BTreeSet::new();
    for stage in all {
        let mut in_order: Vec<&Value> = actions(stage).iter().collect();
        in_order.sort_by_key(|action| order(action));
        // Actions of one order run side by side: what they make is there for the next.
        for group in in_order.chunk_by(|a, b| order(a) == order(b)) {
            for action in group {
                for input in list(action, "inputArtifacts") {
                    let input = name(input, "name");
                    if !made.contains(input) {
                        return Err(invalid(format!(
                            "Input Artifact Bundle {input} in action {} is not declared as Output Artifact Bundle in any of the preceding actions",
                            name(action, "name")
                        )));
                    }
                }
            }
            for output in group.iter().flat_map(|a| list(a, "outputArtifacts")) {
                let output = name(output, "name");
                if !made.insert(output) {
                    return Err(invalid(format!(
                        "Output Artifact Bundle name must be unique within the pipeline: {output}"
                    )));
                }
            }
        }
    }
    Ok(())
}

/// An action of another region needs a bucket there.
fn check_regions(structure: &Value, region: &str) -> Result<(), Refused> {
    let stores = structure.get("artifactStores").and_then(Value::as_object);
    for action in stages(structure).iter().flat_map(actions) {
        let other = name(action, "region");
        if other.is_empty() || other == region {
            continue;
        }
        if !stores.is_some_and(|stores| stores.contains_key(other)) {
            return Err(invalid(format!(
                "Action {} is in region {other}, for which the pipeline has no artifact store",
                name(action, "name")
            )));
        }
    }
    Ok(())
}

/// An action's place in its stage.
pub(super) fn order(action: &Value) -> u64 {
    action.get("runOrder").and_then(Value::as_u64).unwrap_or(1)
}

/// Fills in what CodePipeline fills in, and puts the kept secrets in the place of `****`.
pub(super) fn completed(
    mut structure: Value,
    kept: Option<&Value>,
    region: &str,
    version: u64,
) -> Value {
    fill(&mut structure, "executionMode", json!("SUPERSEDED"));
    fill(&mut structure, "pipelineType", json!("V1"));
    let all = structure.get_mut("stages").and_then(Value::as_array_mut);
    for stage in all.into_iter().flatten() {
        let stage_name = name(stage, "name").to_owned();
        let actions = stage.get_mut("actions").and_then(Value::as_array_mut);
        for action in actions.into_iter().flatten() {
            fill(action, "runOrder", json!(1));
            fill(action, "configuration", json!({}));
            fill(action, "outputArtifacts", json!([]));
            fill(action, "inputArtifacts", json!([]));
            fill(action, "region", json!(region));
            let before = kept
                .and_then(|k| find(k, &stage_name, name(action, "name")))
                .cloned();
            unmask(action, before.as_ref());
        }
    }
    if let Some(object) = structure.as_object_mut() {
        object.insert("version".to_owned(), json!(version));
    }
    structure
}

/// An action by stage and name.
pub(super) fn find<'a>(structure: &'a Value, stage: &str, action: &str) -> Option<&'a Value> {
    let stage = stages(structure)
        .iter()
        .find(|s| name(s, "name") == stage)?;
    actions(stage).iter().find(|a| name(a, "name") == action)
}

/// The structure as GetPipeline gives it: secrets as `****`.
pub(super) fn masked(structure: &Value) -> Value {
    let mut structure = structure.clone();
    let all = structure.get_mut("stages").and_then(Value::as_array_mut);
    let actions = all
        .into_iter()
        .flatten()
        .filter_map(|stage| stage.get_mut("actions")?.as_array_mut())
        .flatten();
    for action in actions {
        for key in SECRETS {
            if let Some(value) = action.get_mut("configuration").and_then(|c| c.get_mut(key)) {
                *value = json!(MASK);
            }
        }
    }
    structure
}

fn unmask(action: &mut Value, before: Option<&Value>) {
    let Some(before) = before.and_then(|b| b.get("configuration")) else {
        return;
    };
    for key in SECRETS {
        let value = action.get_mut("configuration").and_then(|c| c.get_mut(key));
        if let (Some(value), Some(kept)) = (value, before.get(key))
            && value == MASK
        {
            *value = kept.clone();
        }
    }
}

fn fill(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        let object: &mut Map<String, Value> = object;
        object.entry(key).or_insert(value);
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let found = value.get(key).and_then(Value::as_array);
    found.map(Vec::as_slice).unwrap_or_default()
}

fn pattern(at: &str, value: &str) -> Result<(), Refused> {
    let valid = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (1..=100).contains(&value.len()) && value.chars().all(valid) {
        return Ok(());
    }
    Err(validation(format!(
        "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [A-Za-z0-9.@\\-_]+"
    )))
}

fn between(what: &str, count: usize, least: usize, most: usize) -> Result<(), Refused> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(invalid(format!(
        "The number of {what} must be between {least} and {most}, but is {count}"
    )))
}

fn validation(message: impl Into<String>) -> Refused {
    Refused::new(400, "ValidationException", message)
}

pub(super) fn invalid(message: impl Into<String>) -> Refused {
    Refused::new(400, "InvalidStructureException", message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sandbox::seed;

    fn refusal(change: impl Fn(&mut Value)) -> String {
        let mut structure = seed::pipeline();
        change(&mut structure);
        check(&structure, "us-east-1").unwrap_err().message
    }

    #[test]
    fn the_sample_is_valid() {
        assert_eq!(check(&seed::pipeline(), "us-east-1"), Ok(()));
    }

    #[test]
    fn what_codepipeline_refuses() {
        let holds = |expected: &str, change: &dyn Fn(&mut Value)| {
            let message = refusal(change);
            assert!(message.contains(expected), "{message}");
        };
        holds("pipeline.name", &|p| p["name"] = json!("no spaces"));
        holds("between 2 and 50", &|p| {
            p["stages"].as_array_mut().unwrap().truncate(1);
        });
        holds("Stage name Deploy is not unique", &|p| {
            p["stages"][2]["name"] = json!("Deploy");
        });
        holds("should start with", &|p| {
            p["stages"].as_array_mut().unwrap().remove(0);
        });
        holds("is not declared", &|p| {
            p["stages"][1]["actions"][0]["inputArtifacts"][0]["name"] = json!("Other");
        });
        holds("not both", &|p| p["artifactStores"] = json!({}));
        holds("no artifact store", &|p| {
            p["stages"][1]["actions"][0]["region"] = json!("eu-west-1");
        });
        holds("1000 characters", &|p| {
            p["stages"][1]["actions"][0]["configuration"]["BucketName"] = json!("x".repeat(1001));
        });
    }

    #[test]
    fn secrets_are_masked_and_kept() {
        let mut structure = seed::pipeline();
        structure["stages"][0]["actions"][0]["configuration"]["OAuthToken"] = json!("s3cret");
        let stored = completed(structure, None, "us-east-1", 1);
        let shown = masked(&stored);
        assert_eq!(
            shown["stages"][0]["actions"][0]["configuration"]["OAuthToken"],
            "****"
        );
        let again = completed(shown.clone(), Some(&stored), "us-east-1", 2);
        assert_eq!(
            again["stages"][0]["actions"][0]["configuration"]["OAuthToken"],
            "s3cret"
        );
        // Under another stage's name the secret is lost.
        let mut renamed = shown;
        renamed["stages"][0]["name"] = json!("Other");
        let lost = completed(renamed, Some(&stored), "us-east-1", 2);
        assert_eq!(
            lost["stages"][0]["actions"][0]["configuration"]["OAuthToken"],
            "****"
        );
    }
}
