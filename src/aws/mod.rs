//! Real accounts: every read and write of [`Cloud`] as one AWS call, with the account's own credentials.
//! The only module that names an SDK; it decides nothing about gates.

mod artifacts;
mod codepipeline;
mod credentials;
mod diagnosis;
mod errors;
mod executions;
mod gate;
mod hide;
mod http;
mod iam;
mod lambda;
mod organizations;
mod pages;
mod profiles;
mod rate;
mod session;
mod slow_down;
mod sts;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

use aws_sdk_sts::operation::RequestId;

use crate::cloud::{Cloud, CloudError, CloudErrorKind};
use crate::model::account::AccountName;
use crate::model::arn::FunctionArn;
use crate::model::name::RoleName;
use crate::model::read::{Fact, Read};
use crate::model::write::{Write, Written};

use errors::{Call, Failure, SdkError, ServiceError};
use hide::hide;
use http::Attempts;
use session::{Clients, Sessions};
use text::escape;

pub use profiles::{profile_names, profile_region};
pub use session::{AccountAccess, Credentials, Settings};

/// Accounts reached with the SDK. Nothing is read, connected or resolved before the first call.
#[derive(Debug)]
pub struct AwsCloud {
    sessions: Sessions,
    /// Roles that this value has made: where AWS does not find one of them, it is not there *yet*.
    made: Mutex<BTreeSet<(AccountName, RoleName)>>,
}

/// What a call answered, and the id under which AWS keeps its trace.
struct Answer<T> {
    value: T,
    request_id: Option<String>,
}

impl<T> Answer<T> {
    /// `from`: the output or the error that tells the value.
    fn of(value: T, from: &impl RequestId) -> Self {
        Self {
            value,
            request_id: from.request_id().map(str::to_owned),
        }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { value, request_id } = self;
        Answer {
            value: change(value),
            request_id,
        }
    }
}

/// The answer to one call, or why there is none.
type Outcome<T> = Result<Answer<T>, Failure>;

impl Call<'_> {
    /// What became of a write whose answer tells nothing more.
    fn done<T: RequestId, E: ServiceError>(
        &self,
        result: &Result<T, SdkError<E>>,
    ) -> Outcome<Written> {
        match result {
            Ok(output) => Ok(Answer::of(Written::Done, output)),
            Err(e) => Err(self.failed(e)),
        }
    }
}

impl AwsCloud {
    /// Knows how to reach the accounts. An account that is named twice keeps the last entry.
    pub fn new(accounts: Vec<AccountAccess>, settings: Settings) -> Self {
        Self {
            sessions: Sessions::new(accounts, settings),
            made: Mutex::default(),
        }
    }

    /// Finds the account's clients, makes one call with them, and traces it.
    async fn call<T>(
        &self,
        account: &AccountName,
        operation: &'static str,
        resource: String,
        send: impl AsyncFnOnce(&Clients, &Call<'_>) -> Outcome<T>,
    ) -> Result<T, CloudError> {
        self.attempt(account, operation, resource, send).await.0
    }

    /// The same, with how the call's requests went.
    async fn attempt<T>(
        &self,
        account: &AccountName,
        operation: &'static str,
        resource: String,
        send: impl AsyncFnOnce(&Clients, &Call<'_>) -> Outcome<T>,
    ) -> (Result<T, CloudError>, Attempts) {
        let Some(access) = self.sessions.access(account) else {
            let error = errors::unknown_account(account, operation, resource);
            return (Err(error), Attempts::default());
        };
        let call = Call {
            operation,
            resource,
            access,
        };
        let started = Instant::now();
        // Boxed: `counted` holds what it counts, and callers would hold it once more.
        let (outcome, attempts) = Box::pin(http::counted(async {
            match self.sessions.clients(account).await {
                Ok(clients) => send(&clients, &call)
                    .await
                    .map_err(|failure| hide(failure, clients.secrets())),
                Err(failure) => Err(failure),
            }
        }))
        .await;
        trace(&call, started, attempts.retries, &outcome);
        let result = match outcome {
            Ok(answer) => Ok(answer.value),
            Err(failure) => Err(failure.at(&call)),
        };
        (result, attempts)
    }

    fn remember(&self, account: &AccountName, role: &RoleName) {
        if let Ok(mut made) = self.made.lock() {
            made.insert((account.clone(), role.clone()));
        }
    }

    fn has_made(&self, account: &AccountName, role: &RoleName) -> bool {
        let key = (account.clone(), role.clone());
        self.made.lock().is_ok_and(|made| made.contains(&key))
    }
}

impl Cloud for AwsCloud {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        self.call(
            account,
            read.operation(),
            read.to_string(),
            async |clients, call| match read {
                Read::CallerIdentity => sts::caller_identity(&clients.sts(), call).await,
                Read::Pipeline { region, name } => {
                    codepipeline::get(&clients.codepipeline(region), call, name).await
                }
                Read::PipelineVersion {
                    region,
                    name,
                    version,
                } => {
                    let client = clients.codepipeline(region);
                    codepipeline::get_version(&client, call, name, *version).await
                }
                Read::Function { region, name } => {
                    lambda::configuration(&clients.lambda(region), call, name).await
                }
                Read::TaggedFunction { region, name } => {
                    lambda::tagged(&clients.lambda(region), call, name).await
                }
                Read::Pipelines { region } => {
                    codepipeline::list(&clients.codepipeline(region), call).await
                }
                Read::Functions { region } => lambda::list(&clients.lambda(region), call).await,
                Read::Role { role } => iam::role(clients.iam(), call, role).await,
                Read::Roles => iam::roles(clients.iam(), call).await,
                Read::InlinePolicyNames { role } => {
                    iam::inline_policy_names(clients.iam(), call, role).await
                }
                Read::AttachedPolicies { role } => {
                    iam::attached_policies(clients.iam(), call, role).await
                }
                Read::InlinePolicy { role, policy } => {
                    iam::inline_policy(clients.iam(), call, role, policy).await
                }
                Read::ManagedPolicy { arn } => iam::managed_policy(clients.iam(), call, arn).await,
                Read::ManagedPolicyVersion { arn, version } => {
                    iam::managed_policy_version(clients.iam(), call, arn, version).await
                }
                Read::Simulation {
                    role,
                    action,
                    resource,
                } => iam::simulation(clients.iam(), call, role, action, resource).await,
                Read::FunctionVersion {
                    region,
                    name,
                    qualifier,
                } => lambda::version(&clients.lambda(region), call, name, qualifier).await,
                Read::FunctionPolicy {
                    region,
                    name,
                    qualifier,
                } => {
                    let client = clients.lambda(region);
                    lambda::policy(&client, call, name, qualifier.as_deref()).await
                }
                Read::FunctionConcurrency { region, name } => {
                    lambda::concurrency(&clients.lambda(region), call, name).await
                }
                Read::Organization => organizations::describe(&clients.organizations(), call).await,
                Read::OrganizationParent { child } => {
                    organizations::parent(&clients.organizations(), call, child).await
                }
                Read::ControlPolicies { target, kind } => {
                    organizations::attached(&clients.organizations(), call, target, *kind).await
                }
                Read::ControlPolicy { id } => {
                    organizations::policy(&clients.organizations(), call, id).await
                }
                Read::BucketPolicy { region, bucket } => {
                    artifacts::bucket_policy(&clients.s3(region), call, bucket).await
                }
                Read::KeyPolicy { key } => {
                    artifacts::key_policy(&clients.kms(&key.region), call, key).await
                }
                Read::PipelineState { region, name } => {
                    diagnosis::pipeline_state(&clients.codepipeline(region), call, name).await
                }
                Read::PipelineExecutions { region, name } => {
                    diagnosis::pipeline_executions(&clients.codepipeline(region), call, name).await
                }
                Read::ActionExecutions {
                    region,
                    name,
                    execution,
                } => {
                    let client = clients.codepipeline(region);
                    diagnosis::action_executions(&client, call, name, execution.as_ref()).await
                }
                Read::FunctionInvokeConfig {
                    region,
                    name,
                    qualifier,
                } => {
                    let client = clients.lambda(region);
                    diagnosis::invoke_config(&client, call, name, qualifier.as_deref()).await
                }
                Read::LogEvents {
                    region,
                    group,
                    from_ms,
                    to_ms,
                    filter,
                    limit,
                } => {
                    let question = diagnosis::LogQuestion {
                        group,
                        from_ms: *from_ms,
                        to_ms: *to_ms,
                        filter: filter.as_deref(),
                        limit: *limit,
                    };
                    diagnosis::log_events(&clients.logs(region), call, &question).await
                }
            },
        )
        .await
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        let (result, attempts) = self
            .attempt(
                account,
                write.operation(),
                write.to_string(),
                async |clients, call| match write {
                    Write::UpdatePipeline {
                        region,
                        name,
                        document,
                    } => {
                        let client = clients.codepipeline(region);
                        codepipeline::update(&client, call, name, document).await
                    }
                    Write::CreateFunction { region, .. }
                    | Write::UpdateFunctionCode { region, .. }
                    | Write::UpdateFunctionConfiguration { region, .. }
                    | Write::DeleteFunction { region, .. }
                    | Write::TagFunction {
                        function: FunctionArn { region, .. },
                        ..
                    } => lambda::write(&clients.lambda(region), call, write).await,
                    Write::PutBucketPolicy { region, .. }
                    | Write::DeleteBucketPolicy { region, .. } => {
                        artifacts::write_bucket(&clients.s3(region), call, write).await
                    }
                    Write::PutKeyPolicy { key, document } => {
                        artifacts::write_key(&clients.kms(&key.region), call, key, document).await
                    }
                    _ => iam::write(clients.iam(), call, write).await,
                },
            )
            .await;
        match result {
            Ok(written) => {
                if let Write::CreateRole(new) = write {
                    self.remember(account, &new.name);
                }
                // An earlier request got no answer: what is gone now was most likely deleted by it.
                let lost = attempts.in_doubt > 0 && written == Written::AlreadyThere;
                Ok(if lost { Written::Done } else { written })
            }
            Err(mut error) => {
                if attempts.in_doubt > 0 {
                    errors::doubt(&mut error);
                }
                let fresh = role_of(write).is_some_and(|role| self.has_made(account, role));
                if error.kind == CloudErrorKind::NotFound && fresh {
                    error.kind = CloudErrorKind::NotSettled;
                    error.hint = Some(errors::SETTLING.to_owned());
                }
                Err(error)
            }
        }
    }
}

/// The role that must exist for the write to be possible.
fn role_of(write: &Write) -> Option<&RoleName> {
    match write {
        Write::UpdateTrustPolicy { role, .. }
        | Write::TagRole { role, .. }
        | Write::UntagRole { role, .. }
        | Write::PutPermissionsBoundary { role, .. }
        | Write::DeletePermissionsBoundary { role }
        | Write::PutInlinePolicy { role, .. }
        | Write::DeleteInlinePolicy { role, .. }
        | Write::DetachPolicy { role, .. }
        | Write::DeleteRole { role } => Some(role),
        Write::CreateRole(_)
        | Write::CreateFunction { .. }
        | Write::UpdateFunctionCode { .. }
        | Write::UpdateFunctionConfiguration { .. }
        | Write::TagFunction { .. }
        | Write::DeleteFunction { .. }
        | Write::PutBucketPolicy { .. }
        | Write::DeleteBucketPolicy { .. }
        | Write::PutKeyPolicy { .. }
        | Write::UpdatePipeline { .. } => None,
    }
}

/// One line for each call, for `-vv`: never a document, never a credential.
fn trace<T>(call: &Call<'_>, started: Instant, retries: u32, outcome: &Outcome<T>) {
    let (result, request_id) = match outcome {
        Ok(answer) => ("ok", answer.request_id.as_deref()),
        Err(failure) => (failure.label(), failure.request_id.as_deref()),
    };
    tracing::debug!(
        operation = call.operation,
        account = %call.access.name,
        account_id = %call.access.id,
        // It may hold a name that AWS answered, as the id may hold anything, and nobody escapes a trace.
        resource = %escape(&call.resource),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id = ?escape(request_id.unwrap_or("-")),
        outcome = result,
        retries,
        "aws call"
    );
}
