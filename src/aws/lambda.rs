//! Functions, as far as a gate needs them.
//! Reads only: a gate never changes a function.

use aws_sdk_lambda::operation::RequestId;

use super::errors::{Call, Failure, is_absent};
use super::{Answer, Outcome};
use crate::model::arn::RoleArn;
use crate::model::name::FunctionName;
use crate::model::read::{Fact, Function};

/// `lambda:GetFunctionConfiguration` of the unqualified function.
pub(super) async fn configuration(
    client: &aws_sdk_lambda::Client,
    call: &Call<'_>,
    name: &FunctionName,
) -> Outcome<Fact> {
    let request = client
        .get_function_configuration()
        .function_name(name.as_str());
    let output = match request.send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => {
            return Ok(Answer {
                value: Fact::Function(None),
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
    let function = Function {
        arn,
        role,
        state: output.state().map(|state| state.as_str().to_owned()),
    };
    Ok(Answer {
        value: Fact::Function(Some(function)),
        request_id,
    })
}
