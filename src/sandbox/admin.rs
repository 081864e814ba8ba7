//! The back door of a sandbox's owner: calls of an account's root user without HTTP.
//! The same services, validation and authorization as over the network; nothing is decided here.

use serde_json::{Value, json};

use super::caller::Caller;
use super::errors::Refused;
use super::execution::Home;
use super::query::Params;
use super::state::{Builtin, Code, Outcome};
use super::{Shared, codepipeline, engine, iam, lambda, logs, runlog, stores, structure};

/// Calls of one account's root user in one region.
#[derive(Debug)]
pub struct Admin<'a> {
    shared: &'a Shared,
    account: String,
    region: String,
}

/// What such a call gives.
pub type Reply<T> = Result<T, Refused>;

impl<'a> Admin<'a> {
    pub(super) fn new(shared: &'a Shared, account: &str, region: &str) -> Self {
        Self {
            shared,
            account: account.to_owned(),
            region: region.to_owned(),
        }
    }

    /// An IAM operation with its parameters as in the query protocol, for example
    /// `[("RoleName", "r"), ("Tags.member.1.Key", "k"), …]`. Gives the XML inside `<…Result>`.
    pub fn iam(&self, operation: &str, parameters: &[(&str, &str)]) -> Reply<String> {
        let caller = Caller::root(&self.account);
        let params = Params::from_pairs(parameters);
        let mut state = self.shared.lock();
        state.quiet = true;
        let reply = iam::call(&mut state, &caller, operation, &params);
        state.quiet = false;
        reply
    }

    /// A CodePipeline operation with its JSON input. Gives its JSON output.
    pub fn codepipeline(&self, operation: &str, input: &Value) -> Reply<Value> {
        let caller = Caller::root(&self.account);
        let reply = {
            let mut state = self.shared.lock();
            state.quiet = true;
            let reply = codepipeline::call(&mut state, &caller, &self.region, operation, input);
            state.quiet = false;
            reply
        };
        self.shared.wake.notify_one();
        reply
    }

    /// A CloudWatch Logs operation with its JSON input. Gives its JSON output.
    pub fn logs(&self, operation: &str, input: &Value) -> Reply<Value> {
        let caller = Caller::root(&self.account);
        let state = self.shared.lock();
        logs::call(&state, &caller, &self.region, operation, input)
    }

    /// A Lambda operation by its method and path, for example `PUT` and
    /// `/2017-10-31/functions/NAME/concurrency`, with its JSON input. Gives its JSON output; null where it has none.
    pub fn lambda(&self, method: &str, path: &str, input: &Value) -> Reply<Value> {
        let caller = Caller::root(&self.account);
        let body = if input.is_null() {
            String::new()
        } else {
            input.to_string()
        };
        let rest = lambda::Rest {
            method,
            path,
            query: "",
            invocation: Some("Event"),
            body: body.as_bytes(),
        };
        let output = lambda::call(&mut self.shared.lock(), &caller, &self.region, &rest)?;
        self.shared.wake.notify_one();
        match output {
            lambda::Output::Json(_, value) => Ok(value),
            lambda::Output::Empty(_) | lambda::Output::Wait(_) => Ok(Value::Null),
        }
    }

    /// Makes a bucket, with this policy or none.
    pub fn put_bucket(&self, bucket: &str, policy: Option<&str>) -> Reply<()> {
        let caller = Caller::root(&self.account);
        let mut state = self.shared.lock();
        let made = state
            .account(&self.account)
            .buckets
            .entry(bucket.to_owned());
        made.or_default();
        let (method, body) = match policy {
            Some(policy) => ("PUT", policy),
            None => ("DELETE", ""),
        };
        let path = format!("/{bucket}");
        let call = stores::BucketCall {
            method,
            path: &path,
            query: "policy",
            expected_owner: None,
            body: body.as_bytes(),
        };
        state.quiet = true;
        let reply = stores::bucket(&mut state, &caller, &self.region, &call);
        state.quiet = false;
        reply.map(drop)
    }

    /// Makes a key whose policy leaves everything to the account, as KMS does by default; or gives it this policy. Gives its ARN.
    pub fn put_key(&self, id: &str, policy: Option<&str>) -> Reply<String> {
        let (account, region) = (&self.account, &self.region);
        let caller = Caller::root(account);
        let arn = format!("arn:aws:kms:{region}:{account}:key/{id}");
        let own = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Enable IAM User Permissions",
            "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "kms:*", "Resource": "*"}]});
        let mut state = self.shared.lock();
        let key = state.account(account).keys.entry(format!("{region}/{id}"));
        key.or_default()
            .policy
            .get_or_insert_with(|| own.to_string());
        if let Some(policy) = policy {
            let input = json!({ "KeyId": arn, "Policy": policy });
            state.quiet = true;
            let reply = stores::kms(&mut state, &caller, region, "PutKeyPolicy", &input);
            state.quiet = false;
            reply?;
        }
        Ok(arn)
    }

    /// Reserves so many concurrent runs for a function; with 0 it is throttled.
    pub fn set_concurrency(&self, function: &str, reserved: u64) -> Reply<()> {
        let path = format!("/2017-10-31/functions/{function}/concurrency");
        let input = json!({ "ReservedConcurrentExecutions": reserved });
        self.lambda("PUT", &path, &input).map(drop)
    }

    /// What is in a function's log group, the oldest first. None where the group does not exist.
    pub fn log_lines(&self, function: &str) -> Option<Vec<String>> {
        let input = json!({ "logGroupName": runlog::group(function) });
        let reply = self.logs("FilterLogEvents", &input).ok()?;
        let lines = reply["events"].as_array()?.iter();
        let text = |line: &Value| line["message"].as_str().unwrap_or_default().to_owned();
        Some(lines.map(text).collect())
    }

    /// Closes the way into a stage, so that executions wait before it; or opens it again.
    pub fn set_transition(&self, pipeline: &str, stage: &str, open: bool) -> Reply<()> {
        let operation = if open {
            "EnableStageTransition"
        } else {
            "DisableStageTransition"
        };
        let input = json!({
            "pipelineName": pipeline,
            "stageName": stage,
            "transitionType": "Inbound",
            "reason": "closed by hand",
        });
        self.codepipeline(operation, &input).map(drop)
    }

    /// Makes a role. The trust policy is JSON text.
    pub fn create_role(&self, name: &str, trust: &str) -> Reply<()> {
        let parameters = [("RoleName", name), ("AssumeRolePolicyDocument", trust)];
        self.iam("CreateRole", &parameters).map(drop)
    }

    /// Replaces a role's trust policy.
    pub fn set_trust(&self, role: &str, trust: &str) -> Reply<()> {
        let parameters = [("RoleName", role), ("PolicyDocument", trust)];
        self.iam("UpdateAssumeRolePolicy", &parameters).map(drop)
    }

    /// Puts an inline policy on a role.
    pub fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Reply<()> {
        let parameters = [
            ("RoleName", role),
            ("PolicyName", policy),
            ("PolicyDocument", document),
        ];
        self.iam("PutRolePolicy", &parameters).map(drop)
    }

    /// The text of an inline policy, as it was written.
    pub fn role_policy(&self, role: &str, policy: &str) -> Option<String> {
        let state = self.shared.lock();
        let role = state.role(&self.account, role)?;
        role.inline.get(policy).cloned()
    }

    /// Takes an inline policy off a role.
    pub fn delete_role_policy(&self, role: &str, policy: &str) -> Reply<()> {
        let parameters = [("RoleName", role), ("PolicyName", policy)];
        self.iam("DeleteRolePolicy", &parameters).map(drop)
    }

    /// Makes a function, or replaces the code of the one that is there. `role` is the execution role's ARN; the
    /// environment goes to the function as it is (`SANDBOX_MESSAGE` is what the built-in `reject` says).
    pub fn put_function(
        &self,
        name: &str,
        role: &str,
        code: Code,
        environment: &[(&str, &str)],
    ) -> Reply<()> {
        let caller = Caller::root(&self.account);
        let mut state = self.shared.lock();
        lambda::put(
            &mut state,
            &caller,
            &self.region,
            &lambda::New {
                name,
                role,
                code,
                environment,
            },
        )
    }

    /// Gives a function other code; everything else stays.
    pub fn set_code(&self, name: &str, code: Code) -> Reply<()> {
        let mut state = self.shared.lock();
        lambda::set_code(&mut state, &self.account, &self.region, name, code)
    }

    /// Sets a function's time-out, in seconds of real time; new ones have 3, as in AWS.
    pub fn set_timeout(&self, name: &str, seconds: u64) -> Reply<()> {
        let mut state = self.shared.lock();
        lambda::set_timeout(&mut state, &self.account, &self.region, name, seconds)
    }

    /// Gives a function one of the sandbox's own bodies.
    pub fn set_builtin(&self, name: &str, builtin: Builtin) -> Reply<()> {
        self.set_code(name, Code::Builtin(builtin))
    }

    /// Makes a pipeline from its structure (`{"name", "roleArn", "stages", …}`).
    pub fn create_pipeline(&self, structure: &Value) -> Reply<()> {
        let input = json!({ "pipeline": structure });
        self.codepipeline("CreatePipeline", &input).map(drop)
    }

    /// Tells how an action that invokes no function ends, in all executions from now on; where it waits, it ends so now.
    /// Refused for a Lambda action, whose function answers, and for one that is not there.
    pub fn set_action_outcome(
        &self,
        pipeline: &str,
        stage: &str,
        action: &str,
        outcome: Outcome,
    ) -> Reply<()> {
        let read = self.codepipeline("GetPipeline", &json!({ "name": pipeline }))?;
        let declared = structure::find(&read["pipeline"], stage, action);
        let refused = |code, message: &str| {
            let message = format!("{stage}/{action} of {pipeline} {message}");
            Err(Refused::new(400, code, message))
        };
        match declared {
            None => return refused("ActionNotFoundException", "is not there"),
            Some(declared) if structure::invokes(declared) => {
                return refused("ValidationException", "invokes a function, which answers");
            }
            Some(_) => {}
        }
        let home = Home {
            account: self.account.clone(),
            region: self.region.clone(),
            name: pipeline.to_owned(),
        };
        engine::tell(&mut self.shared.lock(), &home, stage, action, outcome);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Starts a pipeline; gives the execution's id.
    pub fn start_pipeline(&self, name: &str) -> Reply<String> {
        let reply = self.codepipeline("StartPipelineExecution", &json!({ "name": name }))?;
        Ok(reply["pipelineExecutionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// The status of an execution: `InProgress`, `Succeeded`, `Failed`, `Stopped`, `Stopping`, `Superseded`.
    pub fn execution_status(&self, pipeline: &str, execution: &str) -> Reply<String> {
        let input = json!({ "pipelineName": pipeline, "pipelineExecutionId": execution });
        let reply = self.codepipeline("GetPipelineExecution", &input)?;
        let status = reply["pipelineExecution"]["status"].as_str();
        Ok(status.unwrap_or_default().to_owned())
    }

    /// The actions of an execution, the oldest first, as ListActionExecutions has them.
    pub fn actions(&self, pipeline: &str, execution: &str) -> Reply<Vec<Value>> {
        let input = json!({
            "pipelineName": pipeline,
            "filter": { "pipelineExecutionId": execution },
        });
        let mut reply = self.codepipeline("ListActionExecutions", &input)?;
        let mut list = match reply["actionExecutionDetails"].take() {
            Value::Array(list) => list,
            _ => Vec::new(),
        };
        list.reverse();
        Ok(list)
    }
}
