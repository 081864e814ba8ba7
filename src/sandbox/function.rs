//! Functions as values: made from an input, changed by one, shown.
//! Answers no call and authorizes none; that is `lambda`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::caller::Caller;
use super::clock::iso;
use super::errors::Refused;
use super::state::{Code, Function, State, Tags, function_arn};
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
            let python = path.extension().is_some_and(|e| e == "py");
            if python {
                ("python3.13", format!("{stem}.handler"))
            } else {
                ("nodejs22.x", format!("{stem}.handler"))
            }
        }
        Code::Zip(_) => ("python3.13", "index.handler".to_owned()),
    }
}

/// SHA-256 in base64, and size.
pub(super) fn measured(code: &Code) -> Result<(String, usize), Refused> {
    let bytes = match code {
        Code::Builtin(builtin) => builtin.as_str().as_bytes().to_vec(),
        Code::File(path) => {
            std::fs::read(path).map_err(|e| invalid(&format!("Code: {}: {e}", path.display())))?
        }
        Code::Zip(text) => BASE64.decode(text).map_err(|_| {
            invalid(
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            )
        })?,
    };
    Ok((BASE64.encode(Sha256::digest(&bytes)), bytes.len()))
}

/// The parts of a configuration that an input names.
pub(super) fn configure(function: &mut Function, input: &Value) {
    if let Some(text) = input.get("Description").and_then(Value::as_str) {
        text.clone_into(&mut function.description);
    }
    if let Some(timeout) = input.get("Timeout").and_then(Value::as_u64) {
        function.timeout = timeout;
    }
    if let Some(memory) = input.get("MemorySize").and_then(Value::as_u64) {
        function.memory = memory;
    }
    if let Some(target) = input.pointer("/DeadLetterConfig/TargetArn") {
        let target = target.as_str().filter(|text| !text.is_empty());
        function.dead_letter = target.map(str::to_owned);
    }
    if let Some(variables) = input.pointer("/Environment/Variables") {
        function.environment = texts(Some(variables));
    }
}

/// Refuses a role that Lambda cannot assume.
pub(super) fn execution_role(state: &State, role: &str) -> Result<(), Refused> {
    let service = Caller::service("lambda.amazonaws.com");
    match sts::session(state, &service, role, "check") {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid(
            "The role defined for the function cannot be assumed by Lambda.",
        )),
    }
}

/// A function as GetFunctionConfiguration shows it.
pub(super) fn configuration(account: &str, region: &str, function: &Function) -> Value {
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
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": { "Size": 512 },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": runlog::group(name) },
    });
    if let (Some(target), Some(object)) = (dead_letter, seen.as_object_mut()) {
        object.insert(
            "DeadLetterConfig".to_owned(),
            json!({ "TargetArn": target }),
        );
    }
    if let (false, Some(object)) = (environment.is_empty(), seen.as_object_mut()) {
        object.insert(
            "Environment".to_owned(),
            json!({ "Variables": environment }),
        );
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
