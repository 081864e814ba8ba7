//! What the SDK reports, turned into [`CloudError`]: kind, code, message, request id, and what to do next.
//! It never repeats a request, an answer's body or a credential.

use std::error::Error;
use std::fmt;

use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::operation::BuildError;

use super::gate::NotAsked;
use super::http::{Cut, TooLong};
use super::session::{AccountAccess, Credentials};
use super::text::{escape, flatten, missing_permission, safe_message};
use crate::cloud::{CloudError, CloudErrorKind};
use crate::model::account::{AccountId, AccountName};

/// The SDK's error of an operation whose own error is `E`.
pub(super) type SdkError<E> = aws_smithy_runtime_api::client::result::SdkError<E, HttpResponse>;

/// What every operation's own error has.
pub(super) trait ServiceError: Error + ProvideErrorMetadata + Send + Sync + 'static {}
impl<E: Error + ProvideErrorMetadata + Send + Sync + 'static> ServiceError for E {}

/// The hint where IAM does not know yet what was just made.
pub(super) const SETTLING: &str =
    "IAM needs some seconds to know a new role everywhere; running it again continues";

/// The hint where AWS throttles more than is waited out.
pub(super) const SLOW_DOWN: &str = "AWS still asked to slow down after all retries: wait a minute and run it again; something else may \
     be calling AWS with this account";

/// A write whose last request was refused, but not all before it: what was refused may have been done already. A conflict, and what
/// is not settled or not found, are understood where they are decided about.
pub(super) fn doubt(error: &mut CloudError) {
    match error.kind {
        CloudErrorKind::Credentials
        | CloudErrorKind::AccessDenied
        | CloudErrorKind::Throttled
        | CloudErrorKind::Limit
        | CloudErrorKind::Invalid => {}
        CloudErrorKind::Unreachable
        | CloudErrorKind::NotFound
        | CloudErrorKind::NotSettled
        | CloudErrorKind::Conflict
        | CloudErrorKind::Malformed
        | CloudErrorKind::Other => return,
    }
    error.kind = CloudErrorKind::Unreachable;
    error
        .message
        .push_str("; an earlier request got no answer, and may have been carried out");
}

/// A call, as errors and traces name it.
pub(super) struct Call<'a> {
    /// The IAM action.
    pub(super) operation: &'static str,
    /// The resource, in words.
    pub(super) resource: String,
    /// The account.
    pub(super) access: &'a AccountAccess,
}

/// What went wrong, before it is known to which call it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: CloudErrorKind,
    pub(super) code: Option<String>,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    pub(super) hint: Option<String>,
}

impl Call<'_> {
    /// The one place where an SDK error becomes a failure.
    pub(super) fn failed<E: ServiceError>(&self, error: &SdkError<E>) -> Failure {
        match error {
            // No service refuses with a 200: a login page or a captive portal has answered.
            SdkError::<E>::ServiceError(context) if context.raw().status().is_success() => {
                Failure::malformed("the answer could not be understood", error.request_id())
            }
            SdkError::<E>::ServiceError(context) => {
                let meta = context.err().meta();
                let refusal = Refusal {
                    code: meta.code(),
                    message: meta.message().unwrap_or_default(),
                    status: context.raw().status().as_u16(),
                };
                refusal.to_failure(error.request_id(), |kind| self.hint(kind, &refusal))
            }
            SdkError::<E>::TimeoutError(_) => unreachable(flatten(error)),
            SdkError::<E>::DispatchFailure(_) | SdkError::<E>::ConstructionFailure(_) => {
                dispatch(error)
            }
            SdkError::<E>::ResponseError(context) => {
                unreadable(context.raw().status().as_u16(), error, error.request_id())
            }
            other => Failure::new(CloudErrorKind::Other, flatten(other)),
        }
    }

    fn hint(&self, kind: CloudErrorKind, refusal: &Refusal<'_>) -> Option<String> {
        let access = self.access;
        let whose = access.credentials.describe();
        match kind {
            CloudErrorKind::AccessDenied => Some(self.denied_hint(refusal.message, &whose)),
            CloudErrorKind::Credentials => Some(refused_hint(refusal, access, &whose)),
            CloudErrorKind::Throttled => Some(SLOW_DOWN.to_owned()),
            CloudErrorKind::NotSettled if refusal.says("cannot be performed at this time") => Some(
                "another change of the function is under way: run it again when that is over".to_owned(),
            ),
            CloudErrorKind::NotSettled => Some(SETTLING.to_owned()),
            CloudErrorKind::Limit => Some(
                "a quota of the account is reached: remove what is not needed, or ask for more in the Service Quotas \
                 console"
                    .to_owned(),
            ),
            CloudErrorKind::NotFound => Some(format!(
                "check the name, the region, and that account {} is the right one",
                access.id
            )),
            CloudErrorKind::Other if refusal.status >= 500 => {
                Some("the fault is on AWS's side: run it again in a while".to_owned())
            }
            CloudErrorKind::Other if refusal.code.is_none() => Some(
                "AWS gives a code with all that it refuses: what answered may not be AWS, or its answer was cut on the way; run it \
                 again, then check endpoint_url, AWS_ENDPOINT_URL and HTTPS_PROXY"
                    .to_owned(),
            ),
            CloudErrorKind::Conflict if self.operation == "lambda:CreateFunction" || refusal.code.is_some_and(|c| c.starts_with("EntityAlreadyExists")) => Some(
                "it was not there when the plan was made: run the command again, it plans from what is there now".to_owned(),
            ),
            CloudErrorKind::Unreachable
            | CloudErrorKind::Conflict
            | CloudErrorKind::Invalid
            | CloudErrorKind::Malformed
            | CloudErrorKind::Other => None,
        }
    }

    /// AWS's message often names the action and resource that it misses, which may not be the call's own (`iam:PassRole`).
    fn denied_hint(&self, message: &str, whose: &str) -> String {
        let (action, resource) = missing_permission(message).map_or_else(
            || (self.operation.to_owned(), self.resource.clone()),
            |(action, resource)| {
                let resource = resource.unwrap_or(&self.resource);
                (escape(action), escape(resource))
            },
        );
        if message.contains("explicit deny") {
            return format!(
                "a policy denies {action} on {resource} explicitly: nothing that allows it helps until that statement is \
                 changed"
            );
        }
        format!(
            "allow {action} on {resource} to {whose}; the policies in config/permissions hold all that is needed"
        )
    }
}

impl Failure {
    pub(super) fn new(kind: CloudErrorKind, message: String) -> Self {
        Self {
            kind,
            code: None,
            message,
            request_id: None,
            hint: None,
        }
    }

    /// An answer that cannot be understood.
    pub(super) fn malformed(why: impl fmt::Display, request_id: Option<&str>) -> Self {
        Self {
            request_id: request_id.map(escape),
            hint: Some(
                "what answered may not be AWS: check endpoint_url and AWS_ENDPOINT_URL".to_owned(),
            ),
            ..Self::new(CloudErrorKind::Malformed, escape(&why.to_string()))
        }
    }

    /// An answer that shows that AWS itself does not know everything yet.
    pub(super) fn not_settled(why: impl fmt::Display, request_id: Option<&str>) -> Self {
        Self {
            request_id: request_id.map(escape),
            hint: Some(SETTLING.to_owned()),
            ..Self::new(CloudErrorKind::NotSettled, escape(&why.to_string()))
        }
    }

    /// A request that the SDK refuses to build.
    pub(super) fn unbuildable(error: &BuildError) -> Self {
        Self::new(CloudErrorKind::Invalid, flatten(error))
    }

    /// A write that was handed to a service that does not have it.
    pub(super) fn misrouted() -> Self {
        let message = "this write belongs to another service; this is a fault of crossgate";
        Self::new(CloudErrorKind::Other, message.to_owned())
    }

    /// The error for the call.
    pub(super) fn at(self, call: &Call<'_>) -> CloudError {
        let Self {
            kind,
            code,
            message,
            request_id,
            hint,
        } = self;
        CloudError {
            kind,
            operation: call.operation.to_owned(),
            account: call.access.name.clone(),
            account_id: call.access.id.clone(),
            resource: call.resource.clone(),
            code,
            message,
            request_id,
            hint,
        }
    }

    /// One word for traces.
    pub(super) fn label(&self) -> &str {
        self.code.as_deref().unwrap_or(match self.kind {
            CloudErrorKind::Credentials => "credentials",
            CloudErrorKind::Unreachable => "unreachable",
            CloudErrorKind::Malformed => "malformed answer",
            CloudErrorKind::AccessDenied
            | CloudErrorKind::Throttled
            | CloudErrorKind::NotFound
            | CloudErrorKind::NotSettled
            | CloudErrorKind::Conflict
            | CloudErrorKind::Limit
            | CloudErrorKind::Invalid
            | CloudErrorKind::Other => "failed",
        })
    }
}

/// What AWS said no with.
pub(super) struct Refusal<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) status: u16,
}

impl Refusal<'_> {
    pub(super) fn to_failure(
        &self,
        request_id: Option<&str>,
        hint: impl FnOnce(CloudErrorKind) -> Option<String>,
    ) -> Failure {
        let kind = self.kind();
        let message = match (self.message, self.code) {
            ("", None) => format!("HTTP {} without an error code", self.status),
            ("", Some(_)) => "no message".to_owned(),
            (message, _) => safe_message(message),
        };
        Failure {
            kind,
            code: self.code.map(escape),
            message,
            request_id: request_id.map(escape),
            hint: hint(kind),
        }
    }

    /// The kind by AWS's code; without one, by the HTTP status.
    ///
    /// Sources: api: "Common Errors" of IAM, Lambda, CodePipeline and STS, and the errors of each operation. IAM's codes
    /// come without `Exception`, the others' with it.
    pub(super) fn kind(&self) -> CloudErrorKind {
        use CloudErrorKind as Kind;
        let Some(code) = self.code else {
            return match self.status {
                401 | 403 => Kind::AccessDenied,
                429 => Kind::Throttled,
                _ => Kind::Other,
            };
        };
        match code.strip_suffix("Exception").unwrap_or(code) {
            "AccessDenied"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "Forbidden"
            | "AuthorizationError"
            // S3, to whoever may read the policy of a bucket that is another account's (api: GetBucketPolicy).
            | "MethodNotAllowed"
            | "AllAccessDisabled"
            | "OptInRequired" => Kind::AccessDenied,
            "ExpiredToken"
            | "TokenRefreshRequired"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "UnrecognizedClient"
            | "SignatureDoesNotMatch"
            | "InvalidSignature"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "AuthFailure"
            | "MissingAuthenticationToken"
            | "Unauthorized"
            | "InvalidIdentityToken"
            | "IDPRejectedClaim" => Kind::Credentials,
            "Throttling"
            | "Throttled"
            | "ThrottledRequest"
            | "TooManyRequests"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "SlowDown"
            | "EC2Throttled"
            | "PriorRequestNotComplete" => Kind::Throttled,
            "NoSuchEntity"
            | "PipelineNotFound"
            | "PipelineVersionNotFound"
            | "ResourceNotFound"
            | "NoSuchBucket"
            | "NotFound" => Kind::NotFound,
            // IAM, S3 ("Invalid principal in policy") and KMS ("one or more invalid principals") do not know a new role at once.
            "MalformedPolicyDocument" | "MalformedPolicy" if self.says("invalid principal") => {
                Kind::NotSettled
            }
            // S3: "A conflicting conditional action is currently in progress against this resource."
            "OperationAborted" => Kind::NotSettled,
            // CodePipeline tries the roles of a document that is put; one that was just made is refused like this.
            "InvalidStructure" if self.says("not authorized to perform assumerole") => {
                Kind::NotSettled
            }
            // A role that was just made is refused by Lambda like this, and by the key of its environment variables.
            "InvalidParameterValue"
                if self.says("cannot be assumed by lambda")
                    || (self.says("invalid for creategrant")
                        && self.says("does not refer to a valid principal")) =>
            {
                Kind::NotSettled
            }
            // Lambda takes one change of a function after the other.
            "ResourceConflict" if self.says("cannot be performed at this time") => Kind::NotSettled,
            "EntityAlreadyExists"
            | "DeleteConflict"
            | "ConcurrentModification"
            | "ResourceConflict"
            | "UnmodifiableEntity"
            | "PipelineNameInUse"
            | "EntityTemporarilyUnmodifiable"
            | "KMSInvalidState" => Kind::Conflict,
            "LimitExceeded" | "ServiceQuotaExceeded" | "TooManyTags" | "CodeStorageExceeded" => {
                Kind::Limit
            }
            "MalformedPolicyDocument"
            | "MalformedPolicy"
            | "PermanentRedirect"
            | "AuthorizationHeaderMalformed"
            | "InvalidBucketName"
            | "UnsupportedOperation"
            | "InvalidInput"
            | "Validation"
            | "ValidationError"
            | "InvalidStructure"
            | "InvalidStageDeclaration"
            | "InvalidActionDeclaration"
            | "InvalidBlockerDeclaration"
            | "InvalidTags"
            | "InvalidArn"
            | "Serialization"
            | "InvalidParameterValue"
            | "InvalidParameterCombination"
            | "InvalidAction"
            | "RequestTooLarge"
            | "RequestEntityTooLarge"
            | "CodeVerificationFailed"
            | "InvalidCodeSignature"
            | "MalformedQueryString"
            | "MissingParameter"
            | "PolicyNotAttachable" => Kind::Invalid,
            _ if self.status == 429 => Kind::Throttled,
            _ => Kind::Other,
        }
    }

    fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words)
    }
}

/// True where AWS says that the thing which was asked for does not exist.
pub(super) fn is_absent<E: ServiceError>(error: &SdkError<E>) -> bool {
    matches!(
        error.code(),
        Some(
            "NoSuchEntity"
                | "NoSuchEntityException"
                | "PipelineNotFoundException"
                | "PipelineVersionNotFoundException"
                | "ResourceNotFoundException"
        )
    )
}

/// AWS's message, empty where there is none.
pub(super) fn message_of<E: ServiceError>(error: &SdkError<E>) -> &str {
    error.message().unwrap_or_default()
}

/// A name that the manifest does not have: a fault of the caller's.
pub(super) fn unknown_account(
    account: &AccountName,
    operation: &'static str,
    resource: String,
) -> CloudError {
    CloudError {
        kind: CloudErrorKind::Other,
        operation: operation.to_owned(),
        account: account.clone(),
        account_id: AccountId::unknown(),
        resource,
        code: None,
        message: "no account of this name was set up; this is a fault of crossgate".to_owned(),
        request_id: None,
        hint: None,
    }
}

/// An answer that is not in AWS's form, as proxies and wrong endpoints give it. Its body is never shown.
fn unreadable(status: u16, error: &(dyn Error + 'static), request_id: Option<&str>) -> Failure {
    let text = format!(
        "HTTP {status} with a body that is not AWS's: {}",
        flatten(error)
    );
    let mut failure = Failure::malformed(text, request_id);
    if status >= 500 {
        failure.kind = CloudErrorKind::Other;
    }
    failure
}

/// A failure on the way: no answer came, or the request could not be made at all.
fn dispatch(error: &(dyn Error + 'static)) -> Failure {
    let text = flatten(error);
    let lower = text.to_ascii_lowercase();
    if has::<NotAsked>(error) {
        return throttled(NotAsked.to_string());
    }
    if has::<TooLong>(error) {
        return Failure::malformed(text, None);
    }
    if has::<Cut>(error) {
        return Failure {
            hint: Some(
                "something on the way cuts answers: run it again; if it stays so, check HTTPS_PROXY, endpoint_url and \
                 AWS_ENDPOINT_URL"
                    .to_owned(),
            ),
            ..Failure::malformed(text, None)
        };
    }
    // Credentials that could not be refreshed in the middle of a run surface here, untyped.
    if lower.contains("credentials") {
        return Failure {
            hint: Some("get fresh credentials and run it again".to_owned()),
            ..Failure::new(CloudErrorKind::Credentials, text)
        };
    }
    unreachable(text)
}

/// Whether one of the causes is of the type.
pub(super) fn has<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.any(<dyn Error>::is::<E>)
}

/// A request that was not sent, as the service throttles everything.
pub(super) fn throttled(text: String) -> Failure {
    Failure {
        hint: Some(SLOW_DOWN.to_owned()),
        ..Failure::new(CloudErrorKind::Throttled, text)
    }
}

/// A failure to reach AWS, with what is usually behind it.
pub(super) fn unreachable(text: String) -> Failure {
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let hint = if has(&["failed to apply endpoint", "uri"]) {
        "check endpoint_url and AWS_ENDPOINT_URL: a URL such as http://127.0.0.1:4566 is expected"
    } else if has(&["refused"]) {
        "nothing listens there: check endpoint_url, AWS_ENDPOINT_URL and the proxy"
    } else if has(&["dns", "resolve", "lookup"]) {
        "the host name is not known: check the region's name, the network, and HTTPS_PROXY"
    } else if has(&["certificate", "unknownissuer", "tls"]) {
        "the certificate is not trusted: a proxy's own root certificate goes into SSL_CERT_FILE"
    } else {
        "check the network, HTTPS_PROXY and NO_PROXY, then run it again"
    };
    Failure {
        hint: Some(hint.to_owned()),
        ..Failure::new(CloudErrorKind::Unreachable, text)
    }
}

/// The hint where AWS refuses the credentials themselves.
pub(super) fn refused_hint(refusal: &Refusal<'_>, access: &AccountAccess, whose: &str) -> String {
    let code = refusal.code.unwrap_or_default();
    let expired = code.contains("Expired") || refusal.says("expired");
    match &access.credentials {
        Credentials::Profile(profile) if expired => format!(
            "the credentials of {whose} have expired: sign in again (`aws sso login --profile {}` for an SSO profile)",
            escape(profile)
        ),
        _ if expired => format!("the credentials of {whose} have expired: get fresh ones"),
        _ if code.contains("Signature") => format!(
            "check the secret key of {whose}, and this machine's clock: a signature is good for minutes only"
        ),
        _ => format!(
            "AWS does not know the access key of {whose}: check it, and that it is of partition {}",
            access.partition
        ),
    }
}
