//! Sample accounts: what a person has before crossgate comes, unwired.
//! Builds them through the same calls that anyone would make.

use serde_json::{Value, json};

use super::{Builtin, Code, Sandbox, SandboxError};
use crate::model::account::{AccountError, AccountId, AccountName};

/// The account of the pipeline.
pub const TOOLS: &str = "111111111111";
/// The account of the function.
pub const DEV: &str = "222222222222";
/// The region of both.
pub const REGION: &str = "us-east-1";
/// The pipeline: stages Source, Deploy, Prod.
pub const PIPELINE: &str = "MyPipeline";
/// The pipeline's service role.
pub const SERVICE_ROLE: &str = "pipeline-service-role";
/// The function.
pub const FUNCTION: &str = "MyFunction";
/// The function's execution role.
pub const EXECUTION_ROLE: &str = "function-execution-role";

/// The two accounts of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Holds the pipeline.
    pub tools: AccountId,
    /// Holds the function.
    pub dev: AccountId,
}

/// Makes `tools` (111111111111) with a pipeline and its service role, and `dev` (222222222222) with a function and its
/// execution role. Nothing is wired: the service role may not assume anything, the execution role may not answer.
pub fn two_accounts(sandbox: &Sandbox, code: Code) -> Result<Accounts, SandboxError> {
    let accounts = Accounts {
        tools: known(AccountId::new(TOOLS))?,
        dev: known(AccountId::new(DEV))?,
    };
    for (name, id) in [("tools", &accounts.tools), ("dev", &accounts.dev)] {
        sandbox.add_account(&known(AccountName::new(name))?, id);
    }
    let tools = sandbox.admin(&accounts.tools, REGION);
    tools.create_role(SERVICE_ROLE, &trust("codepipeline.amazonaws.com"))?;
    tools.put_role_policy(SERVICE_ROLE, "artifacts", &artifacts())?;
    tools.create_pipeline(&pipeline())?;
    let dev = sandbox.admin(&accounts.dev, REGION);
    dev.create_role(EXECUTION_ROLE, &trust("lambda.amazonaws.com"))?;
    dev.put_role_policy(EXECUTION_ROLE, "logs", &logs())?;
    let role = format!("arn:aws:iam::{DEV}:role/{EXECUTION_ROLE}");
    dev.put_function(FUNCTION, &role, code, &[])?;
    Ok(accounts)
}

/// [`two_accounts`] with the built-in function that approves.
pub fn approving(sandbox: &Sandbox) -> Result<Accounts, SandboxError> {
    two_accounts(sandbox, Code::Builtin(Builtin::Approve))
}

/// The manifest that wires the sample: crossgate.toml.
pub fn manifest() -> String {
    format!(
        r#"project = "demo"

[accounts.tools]
id = "{TOOLS}"
profile = "tools"

[accounts.dev]
id = "{DEV}"
profile = "dev"

[[gates]]
name = "validate"

[gates.pipeline]
account = "tools"
region = "{REGION}"
name = "{PIPELINE}"
stage = "InvokeValidationLambda"
action = "RunValidation"
after = "Deploy"

[gates.function]
account = "dev"
name = "{FUNCTION}"
"#
    )
}

/// A constant of this file that is no account would be a mistake of this file.
fn known<T>(parsed: Result<T, AccountError>) -> Result<T, SandboxError> {
    parsed.map_err(|e| super::Refused::new(400, "ValidationError", e.to_string()).into())
}

fn trust(service: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string()
}

fn artifacts() -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::sample-artifacts/*",
        }],
    })
    .to_string()
}

fn logs() -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        }],
    })
    .to_string()
}

/// The sample pipeline under another name, with the function of the other account named in an action as one would name
/// one's own: what does not work, and what this program is for. Its runs fail in the stage `InvokeValidationLambda`.
pub fn unwired_pipeline(name: &str) -> Value {
    let mut structure = pipeline();
    structure["name"] = json!(name);
    let stage = json!({
        "name": "InvokeValidationLambda",
        "actions": [{
            "name": "RunValidation",
            "actionTypeId": { "category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1" },
            "configuration": { "FunctionName": FUNCTION },
        }],
    });
    if let Some(stages) = structure["stages"].as_array_mut() {
        stages.insert(2, stage);
    }
    structure
}

/// The sample pipeline's structure.
pub fn pipeline() -> Value {
    let action = |name: &str,
                  kind: (&str, &str),
                  inputs: &[&str],
                  outputs: &[&str],
                  configuration: Value| {
        let (category, provider) = kind;
        let named = |names: &[&str]| {
            names
                .iter()
                .map(|n| json!({ "name": n }))
                .collect::<Vec<_>>()
        };
        json!({
            "name": name,
            "actionTypeId": { "category": category, "owner": "AWS", "provider": provider, "version": "1" },
            "runOrder": 1,
            "configuration": configuration,
            "inputArtifacts": named(inputs),
            "outputArtifacts": named(outputs),
        })
    };
    let source = json!({ "S3Bucket": "sample-source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false" });
    let deploy = |bucket: &str| json!({ "BucketName": bucket, "Extract": "true" });
    json!({
        "name": PIPELINE,
        "roleArn": format!("arn:aws:iam::{TOOLS}:role/{SERVICE_ROLE}"),
        "artifactStore": { "type": "S3", "location": "sample-artifacts" },
        "stages": [
            { "name": "Source", "actions": [action("Fetch", ("Source", "S3"), &[], &["App"], source)] },
            { "name": "Deploy", "actions": [action("ToTest", ("Deploy", "S3"), &["App"], &[], deploy("sample-test"))] },
            { "name": "Prod", "actions": [action("ToProd", ("Deploy", "S3"), &["App"], &[], deploy("sample-prod"))] },
        ],
        "pipelineType": "V2",
        "executionMode": "SUPERSEDED",
    })
}
