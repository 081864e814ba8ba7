//! Functions, as far as a gate needs them.
//! Reads only: a gate never changes a function.

use std::collections::HashMap;

use aws_sdk_lambda::operation::RequestId;

use super::errors::{Call, Failure, is_absent};
use super::{Answer, Outcome};
use crate::model::arn::RoleArn;
use crate::model::function::Variables;
use crate::model::name::FunctionName;
use crate::model::read::{Fact, Function};

/// `lambda:GetFunctionConfiguration` of the unqualified function.
pub(super) async fn configuration(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
) -> Outcome<Fact> {
    let found = configured(client, call, name, None).await?;
    Ok(found.map(Fact::Function))
}

/// `lambda:GetFunctionConfiguration` of a version or an alias.
pub(super) async fn version(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
    qualifier: &str,
) -> Outcome<Fact> {
    let found = configured(client, call, name, Some(qualifier)).await?;
    Ok(found.map(Fact::FunctionVersion))
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
            return Ok(Answer {
                value: None,
                request_id: e.request_id().map(str::to_owned),
            });
        }
        Err(e) => return Err(call.failed(&e)),
    };
    let request_id = output.request_id().map(str::to_owned);
    let arn = output
        .function_arn()
        .ok_or_else(|| Failure::malformed("the answer has no FunctionArn", request_id.as_deref()))?
        .to_owned();
    let role = RoleArn::parse(output.role().unwrap_or_default())
        .map_err(|e| Failure::malformed(e, request_id.as_deref()))?;
    let environment = output.environment();
    let function = Function {
        arn,
        role,
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
        tags: None,
    };
    Ok(Answer {
        value: Some(function),
        request_id,
    })
}

fn variables(found: Option<&HashMap<String, String>>) -> Variables {
    let pairs = found.into_iter().flatten();
    Variables(
        pairs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
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
        Ok(output) => Ok(Answer {
            value: Fact::FunctionPolicy(output.policy().map(str::to_owned)),
            request_id: output.request_id().map(str::to_owned),
        }),
        Err(e) if is_absent(&e) => Ok(Answer {
            value: Fact::FunctionPolicy(None),
            request_id: e.request_id().map(str::to_owned),
        }),
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
        Ok(output) => Ok(Answer {
            value: Fact::FunctionConcurrency(output.reserved_concurrent_executions()),
            request_id: output.request_id().map(str::to_owned),
        }),
        Err(e) if is_absent(&e) => Ok(Answer {
            value: Fact::FunctionConcurrency(None),
            request_id: e.request_id().map(str::to_owned),
        }),
        Err(e) => Err(call.failed(&e)),
    }
}
