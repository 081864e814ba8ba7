//! One action: how a new one is written, what of an existing one is ours, and how it is brought in line.
//! It knows nothing of stages and their order.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::super::account::Region;
use super::super::arn::RoleArn;
use super::super::name::{ActionName, ArtifactName};
use super::super::wiring::GateAction;
use super::ActionSpec;
use super::view::{ActionView, list, text, whole};

/// The type of a gate's action (guide: action-reference-Lambda), in the order in which AWS documents the keys.
const ACTION_TYPE: [(&str, &str); 4] = [
    ("category", "Invoke"),
    ("owner", "AWS"),
    ("provider", "Lambda"),
    ("version", "1"),
];

/// True where the action is the gate's: by name, role and type. The caller has found it in the gate's stage.
pub(super) fn is_owned(action: ActionView<'_>, name: &ActionName, role: &RoleArn) -> bool {
    action.name() == name.as_str()
        && action.role_arn().is_some_and(|found| role.is(found))
        && action.is_lambda_invoke()
        && action.version() == Some("1")
}

/// A new action: keys in the order in which AWS documents them, only those that are needed.
pub(super) fn new_action(spec: &ActionSpec, pipeline_region: &Region) -> Value {
    let ActionSpec {
        gate: _,
        action,
        function_name,
        role_arn,
        region,
    } = spec;
    let GateAction {
        stage: _,
        name,
        placement: _,
        run_order,
        user_parameters,
        input_artifacts,
        output_artifacts,
        namespace,
        timeout_minutes,
    } = action;
    let mut new = Map::new();
    let mut put = |key: &str, value: Value| new.insert(key.to_owned(), value);
    put("name", json!(name.as_str()));
    let type_id = ACTION_TYPE.map(|(key, value)| (key.to_owned(), json!(value)));
    put("actionTypeId", Value::Object(type_id.into_iter().collect()));
    if let Some(order) = run_order {
        put("runOrder", json!(order));
    }
    let mut configuration = Map::new();
    configuration.insert("FunctionName".to_owned(), json!(function_name.as_str()));
    if let Some(parameters) = user_parameters.as_ref().filter(|p| !p.is_empty()) {
        configuration.insert("UserParameters".to_owned(), json!(parameters));
    }
    put("configuration", Value::Object(configuration));
    for (key, names) in [
        ("outputArtifacts", output_artifacts),
        ("inputArtifacts", input_artifacts),
    ] {
        if let Some(names) = names.as_ref().filter(|names| !names.is_empty()) {
            put(key, artifact_list(names, &[]));
        }
    }
    put("roleArn", json!(role_arn.to_string()));
    if region != pipeline_region {
        put("region", json!(region.as_str()));
    }
    if let Some(namespace) = namespace {
        put("namespace", json!(namespace.as_str()));
    }
    if let Some(minutes) = timeout_minutes {
        put("timeoutInMinutes", json!(minutes));
    }
    Value::Object(new)
}

/// An existing action brought in line: only what the gate owns is set, in place; the names of the fields that differed are
/// given back; without any it is no copy. Values that AWS fills in by itself are no difference.
pub(super) fn align<'v>(
    existing: &'v Value,
    spec: &ActionSpec,
    pipeline_region: &Region,
) -> (Cow<'v, Value>, Vec<&'static str>) {
    let ActionSpec {
        gate: _,
        action,
        function_name,
        role_arn,
        region,
    } = spec;
    let GateAction {
        stage: _,
        name: _,
        placement: _,
        run_order,
        user_parameters,
        input_artifacts,
        output_artifacts,
        namespace,
        timeout_minutes,
    } = action;
    let mut aligner = Aligner {
        action: Cow::Borrowed(existing),
        differs: Vec::new(),
    };
    aligner.type_id();
    if let Some(order) = run_order
        && ActionView(existing).run_order() != u64::from(*order)
    {
        aligner.set("runOrder", json!(order));
    }
    aligner.setting("FunctionName", Some(function_name.as_str()));
    if let Some(parameters) = user_parameters {
        let wanted = Some(parameters.as_str()).filter(|p| !p.is_empty());
        aligner.setting("UserParameters", wanted);
    }
    aligner.artifacts("outputArtifacts", output_artifacts.as_deref());
    aligner.artifacts("inputArtifacts", input_artifacts.as_deref());
    if !ActionView(existing)
        .role_arn()
        .is_some_and(|found| role_arn.is(found))
    {
        aligner.set("roleArn", json!(role_arn.to_string()));
    }
    if effective_region(ActionView(existing), pipeline_region) != region.as_str() {
        aligner.set("region", json!(region.as_str()));
    }
    if let Some(namespace) = namespace {
        aligner.text("namespace", namespace.as_str());
    }
    if let Some(minutes) = timeout_minutes
        && existing.get("timeoutInMinutes").and_then(whole) != Some(u64::from(*minutes))
    {
        aligner.set("timeoutInMinutes", json!(minutes));
    }
    (aligner.action, aligner.differs)
}

/// The region in which the action runs: its own, else the pipeline's.
pub(super) fn effective_region<'a>(action: ActionView<'a>, pipeline: &'a Region) -> &'a str {
    action.region().unwrap_or(pipeline.as_str())
}

/// An action while it is brought in line.
struct Aligner<'v> {
    action: Cow<'v, Value>,
    differs: Vec<&'static str>,
}

impl Aligner<'_> {
    /// Sets a field; one that is there keeps its position.
    fn set(&mut self, key: &'static str, value: Value) {
        if let Some(object) = self.action.to_mut().as_object_mut() {
            object.insert(key.to_owned(), value);
            self.differs.push(key);
        }
    }

    fn text(&mut self, key: &'static str, wanted: &str) {
        if text(&self.action, key) != Some(wanted) {
            self.set(key, json!(wanted));
        }
    }

    /// The four fields of the type; others that AWS may add to it stay.
    fn type_id(&mut self) {
        let found = self.action.get("actionTypeId");
        let is_right = |(key, wanted)| found.and_then(|id| text(id, key)) == Some(wanted);
        if ACTION_TYPE.into_iter().all(is_right) {
            return;
        }
        let mut type_id = object_or_new(found);
        for (key, wanted) in ACTION_TYPE {
            type_id.insert(key.to_owned(), json!(wanted));
        }
        self.set("actionTypeId", Value::Object(type_id));
    }

    /// One configuration value, or its absence; other values stay.
    fn setting(&mut self, key: &'static str, wanted: Option<&str>) {
        let configuration = self.action.get("configuration");
        let found = configuration.and_then(|all| all.get(key));
        let found = found.filter(|value| !value.is_null());
        match (found, wanted) {
            (None, None) => return,
            (Some(found), Some(wanted)) if found.as_str() == Some(wanted) => return,
            // An empty text and no text are the same for the function.
            (Some(found), None) if found.as_str() == Some("") => return,
            (_, Some(_)) | (Some(_), None) => {}
        }
        let mut configuration = object_or_new(configuration);
        match wanted {
            Some(wanted) => configuration.insert(key.to_owned(), json!(wanted)),
            // `remove` would put the last key in the place of this one.
            None => configuration.shift_remove(key),
        };
        if let Some(object) = self.action.to_mut().as_object_mut() {
            object.insert("configuration".to_owned(), Value::Object(configuration));
            self.differs.push(key);
        }
    }

    /// A list of artifacts by name and order; what AWS says of an artifact beyond its name stays with it.
    fn artifacts(&mut self, key: &'static str, wanted: Option<&[ArtifactName]>) {
        let Some(wanted) = wanted else { return };
        let found = list(&self.action, key);
        let names = found.iter().map(|artifact| text(artifact, "name"));
        if names.eq(wanted.iter().map(|name| Some(name.as_str()))) {
            return;
        }
        if wanted.is_empty() {
            if let Some(object) = self.action.to_mut().as_object_mut() {
                object.shift_remove(key);
                self.differs.push(key);
            }
        } else {
            let list = artifact_list(wanted, found);
            self.set(key, list);
        }
    }
}

fn artifact_list(names: &[ArtifactName], known: &[Value]) -> Value {
    let artifact = |name: &ArtifactName| {
        let same = known
            .iter()
            .find(|a| text(a, "name") == Some(name.as_str()));
        same.cloned()
            .unwrap_or_else(|| json!({ "name": name.as_str() }))
    };
    Value::Array(names.iter().map(artifact).collect())
}

fn object_or_new(value: Option<&Value>) -> Map<String, Value> {
    value
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}
