//! Typed views over the raw JSON of stages and actions: what is read, without copying it.
//! They never write, and they take a value of an unexpected type as absent: the document is not ours to judge.

use serde_json::{Map, Value};

/// A stage of a pipeline document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageView<'a>(pub(super) &'a Value);

/// An action of a pipeline document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActionView<'a>(pub(super) &'a Value);

impl<'a> StageView<'a> {
    /// The stage's name.
    pub fn name(self) -> &'a str {
        text(self.0, "name").unwrap_or_default()
    }

    /// The actions in the order of the document.
    pub fn actions(self) -> impl Iterator<Item = ActionView<'a>> {
        list(self.0, "actions").iter().map(ActionView)
    }

    /// The raw stage.
    pub fn json(self) -> &'a Value {
        self.0
    }

    /// True where every action is a Lambda function invoked through a role of its own: a gate, of this project or of another.
    pub fn is_gates_only(self) -> bool {
        self.actions().next().is_some() && self.actions().all(ActionView::is_gate)
    }
}

impl<'a> ActionView<'a> {
    /// The action's name.
    pub fn name(self) -> &'a str {
        text(self.0, "name").unwrap_or_default()
    }

    /// `actionTypeId.category`, for example `Invoke`.
    pub fn category(self) -> Option<&'a str> {
        self.type_field("category")
    }

    /// `actionTypeId.owner`, for example `AWS`.
    pub fn owner(self) -> Option<&'a str> {
        self.type_field("owner")
    }

    /// `actionTypeId.provider`, for example `Lambda`.
    pub fn provider(self) -> Option<&'a str> {
        self.type_field("provider")
    }

    /// `actionTypeId.version`, for example `1`.
    pub fn version(self) -> Option<&'a str> {
        self.type_field("version")
    }

    /// The action's own role, an ARN.
    pub fn role_arn(self) -> Option<&'a str> {
        text(self.0, "roleArn")
    }

    /// The action's region, where it names one.
    pub fn region(self) -> Option<&'a str> {
        text(self.0, "region")
    }

    /// `runOrder`; absent, it is 1 (guide: reference-pipeline-structure).
    pub fn run_order(self) -> u64 {
        self.0.get("runOrder").and_then(whole).unwrap_or(1)
    }

    /// The configuration.
    pub fn configuration(self) -> Option<&'a Map<String, Value>> {
        self.0.get("configuration").and_then(Value::as_object)
    }

    /// One text of the configuration.
    pub fn setting(self, key: &str) -> Option<&'a str> {
        self.configuration()?.get(key).and_then(Value::as_str)
    }

    /// `configuration.FunctionName`.
    pub fn function_name(self) -> Option<&'a str> {
        self.setting("FunctionName")
    }

    /// `configuration.UserParameters`.
    pub fn user_parameters(self) -> Option<&'a str> {
        self.setting("UserParameters")
    }

    /// The names of the input artifacts.
    pub fn input_artifacts(self) -> impl Iterator<Item = &'a str> {
        artifacts(self.0, "inputArtifacts")
    }

    /// The names of the output artifacts.
    pub fn output_artifacts(self) -> impl Iterator<Item = &'a str> {
        artifacts(self.0, "outputArtifacts")
    }

    /// The namespace of the output variables.
    pub fn namespace(self) -> Option<&'a str> {
        text(self.0, "namespace")
    }

    /// `timeoutInMinutes`.
    pub fn timeout_minutes(self) -> Option<u64> {
        self.0.get("timeoutInMinutes").and_then(whole)
    }

    /// True for category `Invoke`, owner `AWS`, provider `Lambda`, of any version.
    pub fn is_lambda_invoke(self) -> bool {
        let id = self.0.get("actionTypeId");
        id.is_some_and(|id| {
            text(id, "provider") == Some("Lambda")
                && text(id, "category") == Some("Invoke")
                && text(id, "owner") == Some("AWS")
        })
    }

    /// True for a Lambda function that is invoked through a role of the action's own.
    pub fn is_gate(self) -> bool {
        self.is_lambda_invoke() && self.role_arn().is_some_and(|role| !role.is_empty())
    }

    /// The raw action.
    pub fn json(self) -> &'a Value {
        self.0
    }

    fn type_field(self, key: &str) -> Option<&'a str> {
        text(self.0.get("actionTypeId")?, key)
    }
}

/// A text field of an object.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// A list field of an object; empty where there is none.
pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A whole number in any spelling (`1`, `1.0`, `1e0`). What `f64` cannot hold exactly is compared by no one here.
pub(super) fn whole(value: &Value) -> Option<u64> {
    let number = value.as_number()?;
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        // Display of a whole f64 has neither point nor exponent, so that this takes whole numbers only.
        format!("{float}").parse().ok()
    })
}

fn artifacts<'a>(action: &'a Value, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    list(action, key).iter().filter_map(|a| text(a, "name"))
}
