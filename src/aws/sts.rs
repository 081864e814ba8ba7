//! Who the credentials are.
//! Reads only; roles are assumed in `session`.

use aws_sdk_sts::operation::RequestId;

use super::errors::{Call, Failure};
use super::{Answer, Outcome};
use crate::model::account::AccountId;
use crate::model::read::{CallerIdentity, Fact};

/// `sts:GetCallerIdentity`: needs no permission (api: GetCallerIdentity).
pub(super) async fn caller_identity(
    client: &aws_sdk_sts::Client,
    call: &Call<'_>,
) -> Outcome<Fact> {
    let output = client
        .get_caller_identity()
        .send()
        .await
        .map_err(|e| call.failed(&e))?;
    let request_id = output.request_id().map(str::to_owned);
    let account = output.account().unwrap_or_default();
    let account =
        AccountId::new(account).map_err(|e| Failure::malformed(e, request_id.as_deref()))?;
    let identity = CallerIdentity {
        account,
        arn: output.arn().unwrap_or_default().to_owned(),
    };
    Ok(Answer {
        value: Fact::CallerIdentity(identity),
        request_id,
    })
}
