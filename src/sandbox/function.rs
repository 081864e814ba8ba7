//! Functions as values: made from an input, changed by one, shown.
//! Answers no call and authorizes none; that is `lambda`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::caller::Caller;
use super::clock::{Moment, iso};
use super::errors::Refused;
use super::function_input::measured;
use super::phase::Phase;
use super::process::Program;
use super::state::{Code, Function, State, Tags, function_arn, role_parts};
use super::{runlog, sts};

/// A new function with Lambda's defaults.
pub(super) fn fresh(
    state: &mut State,
    name: &str,
    role: &str,
    code: Code,
) -> Result<Function, Refused> {
    let (runtime, handler) = runtime_of(&code);
    let (code_sha, code_size) = measured(&code)?;
    Ok(Function {
        name: name.to_owned(),
        role: role.to_owned(),
        runtime: runtime.to_owned(),
        handler,
        description: String::new(),
        timeout: 3,
        memory: 128,
        environment: BTreeMap::new(),
        code,
        code_sha,
        code_size,
        tags: Tags::new(),
        policy: Vec::new(),
        concurrency: None,
        invoke_config: None,
        dead_letter: None,
        modified: state.clock.now(),
        revision: state.random.uuid(),
        pending_until: Moment::ZERO,
        updating_until: Moment::ZERO,
    })
}

/// Runtime and handler that fit a body.
pub(super) fn runtime_of(code: &Code) -> (&'static str, String) {
    match code {
        Code::Builtin(builtin) => ("provided.al2023", format!("sandbox.{}", builtin.as_str())),
        Code::File(path) => {
            let stem = path
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or("handler");
            match Program::of(path) {
                Program::Python => ("python3.13", format!("{stem}.handler")),
                Program::Node => ("nodejs22.x", format!("{stem}.handler")),
                Program::Own => ("provided.al2023", "bootstrap".to_owned()),
            }
        }
        Code::Zip(_) => ("python3.13", "index.handler".to_owned()),
    }
}

/// Refuses a role that Lambda cannot assume: one that is not there, does not trust Lambda, or is so new that Lambda does not see it
/// yet.
pub(super) fn execution_role(state: &mut State, account: &str, role: &str) -> Result<(), Refused> {
    if let Some((holder, name)) = role_parts(role) {
        if holder != account {
            let message = "Cross-account pass role is not allowed.";
            return Err(Refused::new(403, "AccessDeniedException", message));
        }
        let now = state.clock.now();
        if let Some(found) = state.role_mut(account, name)
            && found.is_missed(now)
        {
            return Err(invalid(NOT_ASSUMED));
        }
    }
    let service = Caller::service("lambda.amazonaws.com");
    match sts::session(state, &service, role, "check") {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid(NOT_ASSUMED)),
    }
}

const NOT_ASSUMED: &str = "The role defined for the function cannot be assumed by Lambda.";

/// A function as GetFunctionConfiguration shows it.
pub(super) fn configuration(
    account: &str,
    region: &str,
    function: &Function,
    now: Moment,
) -> Value {
    let Function {
        name,
        role,
        runtime,
        handler,
        description,
        timeout,
        memory,
        environment,
        code: _,
        code_sha,
        code_size,
        tags: _,
        policy: _,
        concurrency: _,
        invoke_config: _,
        dead_letter,
        modified,
        revision,
        pending_until: _,
        updating_until: _,
    } = function;
    let moment = iso(*modified).replace('Z', ".000+0000");
    let mut seen = json!({
        "FunctionName": name,
        "FunctionArn": function_arn(account, region, name),
        "Runtime": runtime,
        "Role": role,
        "Handler": handler,
        "CodeSize": code_size,
        "Description": description,
        "Timeout": timeout,
        "MemorySize": memory,
        "LastModified": moment,
        "CodeSha256": code_sha,
        "Version": "$LATEST",
        "TracingConfig": { "Mode": "PassThrough" },
        "RevisionId": revision,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": { "Size": 512 },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": runlog::group(name) },
    });
    if let Some(target) = dead_letter {
        seen["DeadLetterConfig"] = json!({ "TargetArn": target });
    }
    if !environment.is_empty() {
        seen["Environment"] = json!({ "Variables": environment });
    }
    match Phase::of(function, now) {
        Phase::Pending => {
            seen["State"] = json!("Pending");
            seen["StateReason"] = json!("The function is being created.");
            seen["StateReasonCode"] = json!("Creating");
        }
        Phase::Updating => {
            seen["State"] = json!("Active");
            seen["LastUpdateStatus"] = json!("InProgress");
            seen["LastUpdateStatusReason"] = json!("The function is being created.");
            seen["LastUpdateStatusReasonCode"] = json!("Creating");
        }
        Phase::Settled => {
            seen["State"] = json!("Active");
            seen["LastUpdateStatus"] = json!("Successful");
        }
    }
    seen
}

/// A statement of a function's policy, as Lambda builds it from AddPermission's input.
pub(super) fn statement(input: &Value, arn: &str) -> Result<Value, Refused> {
    let text = |key: &str| input.get(key).and_then(Value::as_str);
    let (Some(id), Some(action), Some(principal)) =
        (text("StatementId"), text("Action"), text("Principal"))
    else {
        return Err(invalid("StatementId, Action and Principal are needed"));
    };
    let principal = if principal == "*" {
        json!("*")
    } else if principal.ends_with(".amazonaws.com") {
        json!({ "Service": principal })
    } else if principal.len() == 12 && principal.bytes().all(|b| b.is_ascii_digit()) {
        json!({ "AWS": format!("arn:aws:iam::{principal}:root") })
    } else {
        json!({ "AWS": principal })
    };
    let mut statement = json!({
        "Sid": id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": arn,
    });
    let mut condition = json!({});
    if let Some(source) = text("SourceArn") {
        condition["ArnLike"] = json!({ "AWS:SourceArn": source });
    }
    if let Some(source) = text("SourceAccount") {
        condition["StringEquals"] = json!({ "AWS:SourceAccount": source });
    }
    if condition.as_object().is_some_and(|c| !c.is_empty()) {
        statement["Condition"] = condition;
    }
    Ok(statement)
}

/// An object of texts.
pub(super) fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let object = value.and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// A refusal of an input.
pub(super) fn invalid(message: &str) -> Refused {
    Refused::new(400, "InvalidParameterValueException", message)
}

/// A refusal of authorization.
pub(super) fn denied(decided: Result<(), String>) -> Result<(), Refused> {
    decided.map_err(|message| Refused::new(403, "AccessDeniedException", message))
}
