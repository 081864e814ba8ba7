//! Builders for tests: documents and requests in a few words.
//! No assertions here.

use super::super::{ActionSpec, OwnedAction, PatchRequest, PipelineDocument, RemoveSpec};
use crate::model::account::Region;
use crate::model::arn::RoleArn;
use crate::model::name::{ActionName, FunctionName, GateName, StageName};
use crate::model::secret::{ActionSecret, SecretText};
use crate::model::wiring::{GateAction, Placement};

/// A pipeline as AWS answers it: defaults filled in, a masked secret, fields that no model knows.
pub(super) const PIPELINE: &str = r#"{
  "pipeline": {
    "name": "MyPipeline",
    "roleArn": "arn:aws:iam::111111111111:role/service-role/PipelineRole",
    "artifactStore": { "type": "S3", "location": "bucket" },
    "stages": [
      { "name": "Source", "actions": [
        { "name": "GitHub",
          "actionTypeId": { "category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1" },
          "runOrder": 1, "configuration": { "Owner": "me", "OAuthToken": "****" },
          "outputArtifacts": [ { "name": "Src" } ], "inputArtifacts": [], "namespace": "SourceVariables" } ] },
      { "name": "Deploy", "onFailure": { "result": "ROLLBACK" }, "actions": [
        { "name": "Stack",
          "actionTypeId": { "category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1" },
          "runOrder": 1, "configuration": {}, "outputArtifacts": [], "inputArtifacts": [ { "name": "Src" } ],
          "region": "us-east-1" } ] },
      { "name": "Release", "actions": [
        { "name": "Approve",
          "actionTypeId": { "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1" },
          "runOrder": 1, "outputArtifacts": [], "inputArtifacts": [], "timeoutInMinutes": 60 } ] }
    ],
    "version": 7,
    "executionMode": "SUPERSEDED",
    "newField": { "big": 12345678901234567890123, "float": 1.0, "exp": 1e400 }
  },
  "metadata": { "pipelineArn": "arn:aws:codepipeline:us-east-1:111111111111:MyPipeline", "updated": 1.5E9 }
}"#;

pub(super) fn document() -> PipelineDocument {
    PipelineDocument::parse(PIPELINE).unwrap()
}

/// The same document with a piece of its text replaced.
pub(super) fn document_with(from: &str, to: &str) -> PipelineDocument {
    assert!(PIPELINE.contains(from), "the test replaces nothing");
    PipelineDocument::parse(&PIPELINE.replace(from, to)).unwrap()
}

pub(super) fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

pub(super) fn role(name: &str) -> RoleArn {
    RoleArn::parse(&format!("arn:aws:iam::222222222222:role/{name}")).unwrap()
}

pub(super) fn stage_name(name: &str) -> StageName {
    StageName::new(name).unwrap()
}

pub(super) fn after(anchor: &str) -> Placement {
    Placement::After(stage_name(anchor))
}

pub(super) fn before(anchor: &str) -> Placement {
    Placement::Before(stage_name(anchor))
}

/// A gate `NAME` in stage `STAGE`: action `Run-NAME`, function `fn-NAME`, role `role-NAME`, nothing else named.
pub(super) fn gate(name: &str, stage: &str) -> ActionSpec {
    ActionSpec {
        gate: GateName::new(name).unwrap(),
        action: GateAction {
            stage: stage_name(stage),
            name: ActionName::new(&format!("Run-{name}")).unwrap(),
            placement: None,
            run_order: None,
            user_parameters: None,
            input_artifacts: None,
            output_artifacts: None,
            namespace: None,
            timeout_minutes: None,
        },
        function_name: FunctionName::new(&format!("fn-{name}")).unwrap(),
        role_arn: role(&format!("role-{name}")),
        region: region("us-east-1"),
    }
}

pub(super) fn placed(name: &str, stage: &str, placement: Placement) -> ActionSpec {
    let mut spec = gate(name, stage);
    spec.action.placement = Some(placement);
    spec
}

/// A request that puts these gates, all of them gates of the manifest.
pub(super) fn put(specs: &[ActionSpec]) -> PatchRequest {
    PatchRequest {
        put: specs.to_vec(),
        remove: Vec::new(),
        siblings: specs.iter().map(sibling).collect(),
        secrets: Vec::new(),
        adopt: false,
        region: region("us-east-1"),
    }
}

/// A request that removes these gates.
pub(super) fn remove(specs: &[ActionSpec]) -> PatchRequest {
    let spec = |spec: &ActionSpec| RemoveSpec {
        gate: spec.gate.clone(),
        stage: spec.action.stage.clone(),
        action: spec.action.name.clone(),
        role_arn: spec.role_arn.clone(),
    };
    PatchRequest {
        put: Vec::new(),
        remove: specs.iter().map(spec).collect(),
        ..put(specs)
    }
}

pub(super) fn sibling(spec: &ActionSpec) -> OwnedAction {
    OwnedAction {
        stage: spec.action.stage.clone(),
        action: spec.action.name.clone(),
        role_arn: spec.role_arn.clone(),
    }
}

pub(super) fn secret(stage: &str, action: &str, key: &str) -> ActionSecret {
    ActionSecret {
        stage: stage_name(stage),
        action: ActionName::new(action).unwrap(),
        key: key.to_owned(),
        value: SecretText::new("real-token".to_owned()),
    }
}

/// `Source · Deploy · Release`.
pub(super) fn order(document: &PipelineDocument) -> String {
    let names: Vec<&str> = document
        .stages()
        .map(super::super::StageView::name)
        .collect();
    names.join(" · ")
}
