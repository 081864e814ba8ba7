//! CodePipeline without an SDK: raw JSON both ways, so that fields no SDK knows are sent and seen.
//! Goes straight to moto; checks nothing.

use serde_json::{Value, json};

use super::account::REGION;
use super::http::{self, Message};

/// The pipelines of one account, in one region.
#[derive(Debug, Clone)]
pub(crate) struct Pipelines {
    /// moto's port.
    pub(crate) moto: u16,
    /// The account's id.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
}

impl Pipelines {
    /// The pipelines of an account in the usual region.
    pub(crate) fn new(moto: u16, account: &str) -> Self {
        Self {
            moto,
            account: account.to_owned(),
            region: REGION.to_owned(),
        }
    }

    fn call(&self, operation: &str, body: &Value) -> Value {
        let Self {
            moto,
            account,
            region,
        } = self;
        let credential = format!("{account}/20260101/{region}/codepipeline/aws4_request");
        let mut request = Message {
            first_line: "POST / HTTP/1.1".to_owned(),
            body: body.to_string().into_bytes(),
            ..Message::default()
        };
        request.set("host", format!("codepipeline.{region}.amazonaws.com"));
        request.set("content-type", "application/x-amz-json-1.1");
        request.set("x-amz-target", format!("CodePipeline_20150709.{operation}"));
        request.set("x-moto-account-id", &**account);
        request.set(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"),
        );
        let answer = http::send(*moto, &request).unwrap();
        assert_eq!(
            answer.second_word(),
            "200",
            "{operation}: {}",
            answer.text()
        );
        if answer.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Creates a pipeline.
    pub(crate) fn create(&self, pipeline: &Value) {
        self.call("CreatePipeline", &json!({ "pipeline": pipeline }));
    }

    /// Replaces a pipeline.
    pub(crate) fn update(&self, pipeline: &Value) {
        self.call("UpdatePipeline", &json!({ "pipeline": pipeline }));
    }

    /// Deletes a pipeline.
    pub(crate) fn delete(&self, name: &str) {
        self.call("DeletePipeline", &json!({ "name": name }));
    }

    /// The structure of a pipeline, `version` included, `metadata` not.
    pub(crate) fn get(&self, name: &str) -> Value {
        self.call("GetPipeline", &json!({ "name": name }))["pipeline"].take()
    }

    /// The names of all pipelines.
    pub(crate) fn names(&self) -> Vec<String> {
        let list = self.call("ListPipelines", &json!({}));
        let entries = list["pipelines"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Reads a pipeline, changes it, writes it back.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut pipeline = self.get(name);
        change(&mut pipeline);
        self.update(&pipeline);
    }
}

/// The stage of that name.
pub(crate) fn stage<'a>(pipeline: &'a Value, name: &str) -> Option<&'a Value> {
    pipeline["stages"]
        .as_array()?
        .iter()
        .find(|stage| stage["name"] == name)
}

/// The names of the stages, in order.
pub(crate) fn stage_names(pipeline: &Value) -> Vec<&str> {
    let stages = pipeline["stages"].as_array().unwrap();
    stages
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect()
}

/// The action of that name in that stage.
pub(crate) fn action<'a>(pipeline: &'a Value, in_stage: &str, name: &str) -> Option<&'a Value> {
    let actions = stage(pipeline, in_stage)?["actions"].as_array()?;
    actions.iter().find(|action| action["name"] == name)
}

/// The action of that name in that stage, to change it.
pub(crate) fn action_mut<'a>(pipeline: &'a mut Value, in_stage: &str, name: &str) -> &'a mut Value {
    let stages = pipeline["stages"].as_array_mut().unwrap();
    let stage = stages
        .iter_mut()
        .find(|stage| stage["name"] == in_stage)
        .unwrap();
    let actions = stage["actions"].as_array_mut().unwrap();
    actions
        .iter_mut()
        .find(|action| action["name"] == name)
        .unwrap()
}

/// Gives the artifact store a customer managed key, without which no artifact crosses accounts.
pub(crate) fn encrypt(pipeline: &mut Value) {
    let key = "arn:aws:kms:us-east-1:111111111111:key/11112222-3333-4444-5555-666677778888";
    pipeline["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": key});
}

/// A plain pipeline: Source, Build, Deploy.
pub(crate) fn plain(name: &str, role_arn: &str) -> Value {
    json!({
        "name": name,
        "roleArn": role_arn,
        "artifactStore": {"type": "S3", "location": "artifacts-of-tools"},
        "stages": [
            {"name": "Source", "actions": [{
                "name": "Fetch",
                "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
                "runOrder": 1,
                "configuration": {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
                "outputArtifacts": [{"name": "App"}],
                "inputArtifacts": [],
            }]},
            {"name": "Build", "actions": [{
                "name": "Compile",
                "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
                "runOrder": 1,
                "configuration": {"ProjectName": "compile"},
                "outputArtifacts": [{"name": "Built"}],
                "inputArtifacts": [{"name": "App"}],
            }]},
            {"name": "Deploy", "actions": [{
                "name": "Release",
                "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "S3", "version": "1"},
                "runOrder": 1,
                "configuration": {"BucketName": "release", "Extract": "true"},
                "outputArtifacts": [],
                "inputArtifacts": [{"name": "Built"}],
            }]},
        ],
    })
}

/// The plain pipeline with everything that a typed model of it would lose: unknown fields on every level, V2 triggers and
/// variables, conditions, a big number, and masked secrets.
pub(crate) fn rich(name: &str, role_arn: &str) -> Value {
    let mut pipeline = plain(name, role_arn);
    pipeline["pipelineType"] = json!("V2");
    pipeline["executionMode"] = json!("QUEUED");
    pipeline["variables"] =
        json!([{"name": "Stage", "defaultValue": "dev", "description": "where to"}]);
    pipeline["triggers"] = json!([{
        "providerType": "CodeStarSourceConnection",
        "gitConfiguration": {"sourceActionName": "Fetch", "push": [{"branches": {"includes": ["main", "release/*"]}}]},
    }]);
    pipeline["fieldOfTomorrow"] =
        json!({"z": [1, 2.50, null, true], "a": {"big": 12_345_678_901_234_567_u64}});
    pipeline["stages"][0]["actions"][0] = json!({
        "name": "Fetch",
        "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
        "runOrder": 1,
        "configuration": {"Owner": "o", "Repo": "r", "Branch": "main", "OAuthToken": "****"},
        "outputArtifacts": [{"name": "App", "files": ["a", "b"]}],
        "inputArtifacts": [],
        "unknownOfAction": "kept",
    });
    pipeline["stages"][1]["unknownOfStage"] = json!(["kept", {"deep": "er"}]);
    pipeline["stages"][1]["onFailure"] =
        json!({"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}});
    pipeline["stages"][2]["beforeEntry"] = json!({"conditions": [{"result": "FAIL", "rules": []}]});
    pipeline
}
