//! What a caller gives for a function: code and configuration, held against Lambda's limits.
//! Answers no call and authorizes none; that is `lambda`.

use std::collections::BTreeMap;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::errors::Refused;
use super::function::{invalid, texts};
use super::state::{Code, Function};

/// SHA-256 in base64, and size.
pub(super) fn measured(code: &Code) -> Result<(String, usize), Refused> {
    let bytes = match code {
        Code::Builtin(builtin) => builtin.as_str().as_bytes().to_vec(),
        Code::File(path) => {
            std::fs::read(path).map_err(|e| invalid(&format!("Code: {}: {e}", path.display())))?
        }
        Code::Zip(text) => {
            let bytes = BASE64.decode(text).map_err(|_| invalid(NO_ZIP))?;
            unpackable(&bytes)?;
            bytes
        }
    };
    Ok((BASE64.encode(Sha256::digest(&bytes)), bytes.len()))
}

const NO_ZIP: &str =
    "Could not unzip uploaded file. Please check your file, then try to upload again.";

/// The files' bytes must be fewer (Lambda quotas).
const MAX_UNZIPPED: u64 = 250 * 1024 * 1024;

/// Refuses an archive that Lambda could not unpack. The words are those of public reports.
fn unpackable(bytes: &[u8]) -> Result<(), Refused> {
    if bytes.is_empty() {
        return Err(invalid("Uploaded file must be a non-empty zip"));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| invalid(NO_ZIP))?;
    if archive.is_empty() {
        return Err(invalid("Uploaded file must be a non-empty zip"));
    }
    let mut unzipped: u64 = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_| invalid(NO_ZIP))?;
        unzipped = unzipped.saturating_add(entry.size());
    }
    if unzipped >= MAX_UNZIPPED {
        let message = format!("Unzipped size must be smaller than {MAX_UNZIPPED} bytes");
        return Err(invalid(&message));
    }
    Ok(())
}

/// Puts the parts of a configuration that an input names into a function; what it does not name stays (api:
/// UpdateFunctionConfiguration).
pub(super) fn configure(function: &mut Function, input: &Value) -> Result<(), Refused> {
    let text = |key: &str| input.get(key).and_then(Value::as_str);
    if let Some(text) = text("Description") {
        text.clone_into(&mut function.description);
    }
    if let Some(runtime) = text("Runtime") {
        known_runtime(runtime)?;
        runtime.clone_into(&mut function.runtime);
    }
    if let Some(timeout) = input.get("Timeout") {
        function.timeout = within("timeout", timeout, 1, 900)?;
    }
    if let Some(memory) = input.get("MemorySize") {
        function.memory = within("memorySize", memory, 128, 10_240)?;
    }
    if let Some(target) = input.pointer("/DeadLetterConfig/TargetArn") {
        let target = target.as_str().filter(|text| !text.is_empty());
        function.dead_letter = target.map(str::to_owned);
    }
    if let Some(environment) = input.get("Environment") {
        function.environment = variables(environment)?;
    }
    Ok(())
}

/// An identifier that looks like one of Lambda's; the sandbox keeps no list of them.
fn known_runtime(runtime: &str) -> Result<(), Refused> {
    let families = [
        "python", "nodejs", "provided", "java", "dotnet", "ruby", "go",
    ];
    if families.iter().any(|family| runtime.starts_with(family)) {
        return Ok(());
    }
    Err(invalid(&format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set or be a valid ARN"
    )))
}

fn within(member: &str, given: &Value, least: u64, most: u64) -> Result<u64, Refused> {
    let refused = |words: &str, bound: u64| {
        let message = format!(
            "1 validation error detected: Value '{given}' at '{member}' failed to satisfy constraint: \
             Member must have value {words} than or equal to {bound}"
        );
        Refused::new(400, "ValidationException", message)
    };
    match given.as_u64() {
        Some(value) if value > most => Err(refused("less", most)),
        Some(value) if value >= least => Ok(value),
        Some(_) | None => Err(refused("greater", least)),
    }
}

/// The most bytes of all variables, as JSON (Lambda quotas).
const MAX_VARIABLES: usize = 4096;

/// Names that Lambda sets itself (Lambda guide: configuration-envvars); not all of them.
const RESERVED: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "_HANDLER",
];

fn variables(environment: &Value) -> Result<BTreeMap<String, String>, Refused> {
    let variables = texts(environment.get("Variables"));
    let unable = "Lambda was unable to configure your environment variables because the environment variables you have provided";
    let reserved: Vec<&str> = variables
        .keys()
        .map(String::as_str)
        .filter(|name| RESERVED.contains(name))
        .collect();
    if !reserved.is_empty() {
        return Err(invalid(&format!(
            "{unable} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = json!(variables).to_string();
    if measured.len() > MAX_VARIABLES {
        return Err(invalid(&format!(
            "{unable} exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(variables)
}

/// The most bytes of a request that brings code ("Request must be smaller than 70167211 bytes", in public reports).
const MAX_REQUEST: usize = 70_167_211;

/// Refuses a request that is too big.
pub(super) fn fits(operation: &str, body: &[u8]) -> Result<(), Refused> {
    if body.len() <= MAX_REQUEST {
        return Ok(());
    }
    let message =
        format!("Request must be smaller than {MAX_REQUEST} bytes for the {operation} operation");
    Err(Refused::new(413, "RequestEntityTooLargeException", message))
}
