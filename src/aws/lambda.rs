//! Functions, as far as a gate needs them or its manifest makes them.
//! One call for each read or write; which of them are made is decided elsewhere.

use std::collections::HashMap;

use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::types::{Environment, FunctionCode, PackageType, Runtime, TagsError};
use aws_smithy_types::Blob;

use super::errors::{Call, Failure, Refusal, is_absent};
use super::hide::hide;
use super::pages::names_another;
use super::{Answer, Outcome};
use crate::cloud::CloudErrorKind;
use crate::model::arn::RoleArn;
use crate::model::function::{FunctionSettings, NewFunction, Package, Variables};
use crate::model::name::FunctionName;
use crate::model::read::{Fact, Function, LISTED_PAGES, Listed, ListedFunction};
use crate::model::write::{Write, Written};

/// What is kept of a function's configuration: the SDK has it as two types of the same shape.
macro_rules! function_of {
    ($output:expr, $tags:expr, $request_id:expr) => {{
        let (output, request_id) = (&$output, $request_id);
        let environment = output.environment();
        let arn = output
            .function_arn()
            .ok_or_else(|| Failure::malformed("the answer has no FunctionArn", request_id));
        let role = RoleArn::parse(output.role().unwrap_or_default())
            .map_err(|e| Failure::malformed(e, request_id));
        arn.and_then(|arn| {
            Ok(Function {
                arn: arn.to_owned(),
                role: role?,
                state: output.state().map(|state| state.as_str().to_owned()),
                state_reason: output.state_reason().map(str::to_owned),
                last_update_status: output
                    .last_update_status()
                    .map(|status| status.as_str().to_owned()),
                last_update_reason: output.last_update_status_reason().map(str::to_owned),
                timeout_seconds: output.timeout(),
                package_type: output.package_type().map(|kind| kind.as_str().to_owned()),
                memory_mb: output.memory_size(),
                runtime: output.runtime().map(|runtime| runtime.as_str().to_owned()),
                handler: output.handler().map(str::to_owned),
                code_sha256: output.code_sha256().map(str::to_owned),
                last_modified: output.last_modified().map(str::to_owned),
                dead_letter_arn: output
                    .dead_letter_config()
                    .and_then(|queue| queue.target_arn())
                    .map(str::to_owned),
                environment: environment
                    .is_none_or(|found| found.error().is_none())
                    .then(|| variables(environment.and_then(|found| found.variables()))),
                log_group: output
                    .logging_config()
                    .and_then(|logs| logs.log_group())
                    .map(str::to_owned),
                tags: $tags,
            })
        })
    }};
}

/// `lambda:GetFunctionConfiguration` of the unqualified function.
pub(super) async fn configuration(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
) -> Outcome<Fact> {
    let found = configured(client, call, name, None).await?;
    Ok(found.map(|found| Fact::Function(found.map(Box::new))))
}

/// `lambda:GetFunctionConfiguration` of a version or an alias.
pub(super) async fn version(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
    qualifier: &str,
) -> Outcome<Fact> {
    let found = configured(client, call, name, Some(qualifier)).await?;
    Ok(found.map(|found| Fact::FunctionVersion(found.map(Box::new))))
}

async fn configured(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
    qualifier: Option<&str>,
) -> Outcome<Option<Function>> {
    let request = client
        .get_function_configuration()
        .function_name(name.as_str())
        .set_qualifier(qualifier.map(str::to_owned));
    let output = match request.send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => {
            return Ok(Answer::of(None, &e));
        }
        Err(e) => return Err(call.failed(&e)),
    };
    let request_id = output.request_id().map(str::to_owned);
    let function = function_of!(output, None, request_id.as_deref())?;
    Ok(Answer {
        value: Some(function),
        request_id,
    })
}

/// `lambda:GetFunction`: configuration and tags. The code's location is a signed link to the code: it is not kept.
pub(super) async fn tagged(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
) -> Outcome<Fact> {
    let request = client.get_function().function_name(name.as_str());
    let output = match request.send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => {
            return Ok(Answer::of(Fact::TaggedFunction(None), &e));
        }
        Err(e) => return Err(call.failed(&e)),
    };
    let request_id = output.request_id().map(str::to_owned);
    if let Some(error) = output.tags_error() {
        return Err(untagged(error, call, request_id.as_deref()));
    }
    let found = output.configuration().ok_or_else(|| {
        Failure::malformed("the answer has no Configuration", request_id.as_deref())
    })?;
    let tags = output.tags().cloned().unwrap_or_default();
    let tags = Some(tags.into_iter().collect());
    let function = function_of!(found, tags, request_id.as_deref())?;
    Ok(Answer {
        value: Fact::TaggedFunction(Some(Box::new(function))),
        request_id,
    })
}

/// The function is there, and its tags may not be seen: without them nobody knows whose it is (api: GetFunction, TagsError).
fn untagged(error: &TagsError, call: &Call<'_>, request_id: Option<&str>) -> Failure {
    let refusal = Refusal {
        code: Some(error.error_code()),
        message: error.message(),
        status: 403,
    };
    Failure {
        hint: Some(format!(
            "allow lambda:ListTags on {} to {}",
            call.resource,
            call.access.credentials.describe()
        )),
        ..refusal.to_failure(request_id, |_| None)
    }
}

/// Every write that is Lambda's. One of another service is refused, as no caller sends it here.
pub(super) async fn write(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    write: &Write,
) -> Outcome<Written> {
    match write {
        Write::CreateFunction { region: _, new } => create(client, call, new).await,
        Write::UpdateFunctionCode {
            region: _,
            name,
            package,
        } => {
            let request = client
                .update_function_code()
                .function_name(name.as_str())
                .zip_file(blob(package));
            call.done(&request.send().await)
        }
        Write::UpdateFunctionConfiguration {
            region: _,
            name,
            settings,
        } => {
            let FunctionSettings {
                runtime,
                handler,
                timeout_seconds,
                memory_mb,
                environment,
                role,
            } = settings.as_ref();
            let request = client
                .update_function_configuration()
                .function_name(name.as_str())
                .runtime(Runtime::from(runtime.as_str()))
                .handler(handler)
                .timeout(number(*timeout_seconds)?)
                .memory_size(number(*memory_mb)?)
                .environment(sdk_environment(environment))
                .role(role.to_string());
            let result = call.done(&request.send().await);
            result.map_err(|failure| without_values(failure, environment))
        }
        Write::TagFunction { function, tags } => {
            let tags = tags.clone().into_iter().collect();
            let request = client
                .tag_resource()
                .resource(function.to_string())
                .set_tags(Some(tags));
            call.done(&request.send().await)
        }
        Write::DeleteFunction { region: _, name } => {
            let request = client.delete_function().function_name(name.as_str());
            match request.send().await {
                Err(e) if is_absent(&e) => Ok(Answer::of(Written::AlreadyThere, &e)),
                other => call.done(&other),
            }
        }
        Write::CreateRole(_)
        | Write::UpdateTrustPolicy { .. }
        | Write::TagRole { .. }
        | Write::UntagRole { .. }
        | Write::PutPermissionsBoundary { .. }
        | Write::DeletePermissionsBoundary { .. }
        | Write::PutInlinePolicy { .. }
        | Write::DeleteInlinePolicy { .. }
        | Write::DetachPolicy { .. }
        | Write::DeleteRole { .. }
        | Write::PutBucketPolicy { .. }
        | Write::DeleteBucketPolicy { .. }
        | Write::PutKeyPolicy { .. }
        | Write::UpdatePipeline { .. } => Err(Failure::misrouted()),
    }
}

/// `lambda:CreateFunction`, tags included, so that the function is never seen without them.
async fn create(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    new: &NewFunction,
) -> Outcome<Written> {
    let NewFunction {
        name,
        package,
        settings,
        tags,
        description,
    } = new;
    let FunctionSettings {
        runtime,
        handler,
        timeout_seconds,
        memory_mb,
        environment,
        role,
    } = settings;
    let request = client
        .create_function()
        .function_name(name.as_str())
        .package_type(PackageType::Zip)
        .code(FunctionCode::builder().zip_file(blob(package)).build())
        .runtime(Runtime::from(runtime.as_str()))
        .handler(handler)
        .timeout(number(*timeout_seconds)?)
        .memory_size(number(*memory_mb)?)
        .environment(sdk_environment(environment))
        .role(role.to_string())
        .description(description)
        .set_tags(Some(tags.clone().into_iter().collect()));
    let result = call.done(&request.send().await);
    result.map_err(|failure| without_values(failure, environment))
}

/// AWS repeats what it refuses: a limit of the environment is told with all of its values ("exceeded the 4KB limit. String measured:
/// {...}", in public reports).
fn without_values(failure: Failure, variables: &Variables) -> Failure {
    hide(failure, variables.0.values().map(String::as_str))
}

fn blob(package: &Package) -> Blob {
    Blob::new(package.zip.to_vec())
}

fn sdk_environment(variables: &Variables) -> Environment {
    let variables = variables.0.clone().into_iter().collect();
    Environment::builder()
        .set_variables(Some(variables))
        .build()
}

/// The SDK counts with signs.
fn number(value: u32) -> Result<i32, Failure> {
    i32::try_from(value).map_err(|e| Failure::new(CloudErrorKind::Invalid, e.to_string()))
}

fn variables(found: Option<&HashMap<String, String>>) -> Variables {
    let pairs = found.into_iter().flatten();
    Variables(
        pairs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

/// `lambda:ListFunctions`: the names.
pub(super) async fn list(client: &aws_sdk_lambda::Client, call: &Call<'_>) -> Outcome<Fact> {
    let mut pages = client.list_functions().into_paginator().send();
    let (mut functions, mut request_id) = (Vec::new(), None);
    let mut more = false;
    for _ in 0..LISTED_PAGES {
        let Some(page) = pages.next().await else {
            // The SDK stops where a page names itself as the next one.
            return Ok(listed(functions, !more, request_id));
        };
        let page = page.map_err(|e| call.failed(&e))?;
        request_id = page.request_id().map(str::to_owned);
        more = names_another(page.next_marker());
        // A list that is missing would read like one that is empty, in which nothing is left behind.
        let found = page.functions.ok_or_else(|| {
            Failure::malformed("the answer has no Functions", request_id.as_deref())
        })?;
        functions.extend(found.into_iter().filter_map(|one| {
            Some(ListedFunction {
                name: one.function_name?,
                role: one.role.unwrap_or_default(),
                description: one.description.unwrap_or_default(),
            })
        }));
    }
    Ok(listed(functions, false, request_id))
}

fn listed(
    functions: Vec<ListedFunction>,
    complete: bool,
    request_id: Option<String>,
) -> Answer<Fact> {
    let names = functions.iter().map(|one| one.name.clone()).collect();
    let value = Fact::Functions(Listed {
        names,
        functions,
        complete,
    });
    Answer { value, request_id }
}

/// `lambda:GetPolicy`. A function without a policy of its own is answered with `ResourceNotFoundException`, like one that
/// does not exist (api: GetPolicy).
pub(super) async fn policy(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
    qualifier: Option<&str>,
) -> Outcome<Fact> {
    let request = client
        .get_policy()
        .function_name(name.as_str())
        .set_qualifier(qualifier.map(str::to_owned));
    match request.send().await {
        Ok(output) => Ok(Answer::of(
            Fact::FunctionPolicy(output.policy().map(str::to_owned)),
            &output,
        )),
        Err(e) if is_absent(&e) => Ok(Answer::of(Fact::FunctionPolicy(None), &e)),
        Err(e) => Err(call.failed(&e)),
    }
}

/// `lambda:GetFunctionConcurrency`: what is reserved; nothing for a function without (api: GetFunctionConcurrency).
pub(super) async fn concurrency(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
) -> Outcome<Fact> {
    let request = client
        .get_function_concurrency()
        .function_name(name.as_str());
    match request.send().await {
        Ok(output) => Ok(Answer::of(
            Fact::FunctionConcurrency(output.reserved_concurrent_executions()),
            &output,
        )),
        Err(e) if is_absent(&e) => Ok(Answer::of(Fact::FunctionConcurrency(None), &e)),
        Err(e) => Err(call.failed(&e)),
    }
}
