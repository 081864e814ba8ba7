//! How failures read: kinds by code, hints, and what must never be shown.

use super::access;
use super::stub::{Stub, answer, query_error};
use super::{call, sdk_config};
use crate::aws::errors::{Failure, Refusal};
use crate::aws::text::{escape, flatten, missing_permission, safe_message};
use crate::aws::{Credentials, iam};
use crate::cloud::CloudErrorKind as Kind;
use crate::model::name::RoleName;

fn kind(code: &str, message: &str) -> Kind {
    let refusal = Refusal {
        code: Some(code),
        message,
        status: 400,
    };
    refusal.kind()
}

#[test]
fn codes_of_all_services_have_their_kind() {
    for (code, expected) in [
        ("AccessDenied", Kind::AccessDenied),
        ("AccessDeniedException", Kind::AccessDenied),
        ("ExpiredToken", Kind::Credentials),
        ("ExpiredTokenException", Kind::Credentials),
        ("InvalidClientTokenId", Kind::Credentials),
        ("UnrecognizedClientException", Kind::Credentials),
        ("SignatureDoesNotMatch", Kind::Credentials),
        ("InvalidSignatureException", Kind::Credentials),
        ("Throttling", Kind::Throttled),
        ("TooManyRequestsException", Kind::Throttled),
        ("NoSuchEntity", Kind::NotFound),
        ("PipelineNotFoundException", Kind::NotFound),
        ("DeleteConflict", Kind::Conflict),
        ("ConcurrentModificationException", Kind::Conflict),
        ("LimitExceeded", Kind::Limit),
        ("LimitExceededException", Kind::Limit),
        ("InvalidStructureException", Kind::Invalid),
        ("InvalidActionDeclarationException", Kind::Invalid),
        ("ValidationException", Kind::Invalid),
        ("MalformedPolicyDocument", Kind::Invalid),
        ("ServiceFailure", Kind::Other),
    ] {
        assert_eq!(kind(code, "m"), expected, "{code}");
    }
    assert_eq!(
        kind("MalformedPolicyDocument", "Invalid principal in policy"),
        Kind::NotSettled
    );
}

#[test]
fn what_lambda_refuses_for_the_moment_only_has_not_settled() {
    for (code, message, expected) in [
        (
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
            Kind::NotSettled,
        ),
        (
            "InvalidParameterValueException",
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid for \
             CreateGrant. KMS Exception: InvalidArnException KMS Message: ARN does not refer to a valid principal",
            Kind::NotSettled,
        ),
        (
            "InvalidParameterValueException",
            "Value ruby1 at 'runtime' failed to satisfy constraint",
            Kind::Invalid,
        ),
        (
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for resource: arn:f",
            Kind::NotSettled,
        ),
        (
            "ResourceConflictException",
            "Function already exist: F",
            Kind::Conflict,
        ),
        ("CodeStorageExceededException", "full", Kind::Limit),
        ("RequestTooLargeException", "big", Kind::Invalid),
    ] {
        assert_eq!(kind(code, message), expected, "{code}: {message}");
    }
}

/// A `GetRole` that the stub refuses.
fn refused(status: u16, code: &str, message: &str, credentials: Credentials) -> Failure {
    let reply = query_error(status, code, message);
    let stub = Stub::start(move |_, _| reply.clone());
    let access = access("dev", credentials);
    let (call, runtime) = call("iam:GetRole", &access);
    let client = aws_sdk_iam::Client::new(&sdk_config(&stub.url));
    let role = RoleName::new("x").unwrap();
    let outcome = runtime.block_on(iam::role(&client, &call, &role));
    outcome.map(|_| ()).unwrap_err()
}

fn tools() -> Credentials {
    Credentials::Profile("tools".to_owned())
}

#[test]
fn a_denied_call_names_the_action_the_resource_and_the_profile() {
    let message = "User: arn:aws:iam::1:user/u is not authorized to perform: iam:PassRole on resource: \
                   arn:aws:iam::1:role/svc because no identity-based policy allows the iam:PassRole action";
    let failure = refused(403, "AccessDenied", message, tools());
    insta::assert_snapshot!(
        failure.hint.unwrap(),
        @"allow iam:PassRole on arn:aws:iam::1:role/svc to profile `tools`; the policies in config/permissions hold all that is needed"
    );
    assert_eq!(failure.request_id.as_deref(), Some("req-1"));
    let failure = refused(403, "AccessDenied", "no", tools());
    assert!(
        failure
            .hint
            .unwrap()
            .starts_with("allow iam:GetRole on role x to profile `tools`")
    );
    let failure = refused(
        403,
        "AccessDenied",
        "User: u is not authorized to perform: iam:GetRole on resource: role x with an explicit deny in a service control policy",
        tools(),
    );
    insta::assert_snapshot!(
        failure.hint.unwrap(),
        @"a policy denies iam:GetRole on role explicitly: nothing that allows it helps until that statement is changed"
    );
}

#[test]
fn refused_credentials_say_whose_and_how_to_mend_them() {
    let failure = refused(
        403,
        "ExpiredToken",
        "The security token included in the request is expired",
        tools(),
    );
    assert_eq!(failure.kind, Kind::Credentials);
    insta::assert_snapshot!(
        failure.hint.unwrap(),
        @"the credentials of profile `tools` have expired: sign in again (`aws sso login --profile tools` for an SSO profile)"
    );
    let failure = refused(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        tools(),
    );
    insta::assert_snapshot!(
        failure.hint.unwrap(),
        @"AWS does not know the access key of profile `tools`: check it, and that it is of partition aws"
    );
}

#[test]
fn the_canonical_request_of_a_refused_signature_is_cut() {
    let message = "The request signature we calculated does not match.\n\nThe Canonical String for this request \
                   should have been\n'POST\nx-amz-security-token:SECRET-TOKEN'";
    assert_eq!(
        safe_message(message),
        "The request signature we calculated does not match."
    );
    let failure = refused(403, "SignatureDoesNotMatch", message, tools());
    assert!(!format!("{failure:?}").contains("SECRET-TOKEN"));
}

#[test]
fn no_secret_and_no_body_is_in_any_failure() {
    for (status, body) in [
        (200, "<html>BODY</html>"),
        (403, "BODY"),
        (500, "BODY"),
        (302, "BODY"),
    ] {
        let stub = Stub::start(move |_, _| answer(status, body));
        let access = access("dev", tools());
        let (call, runtime) = call("iam:GetRole", &access);
        let client = aws_sdk_iam::Client::new(&sdk_config(&stub.url));
        let role = RoleName::new("x").unwrap();
        let failure = runtime
            .block_on(iam::role(&client, &call, &role))
            .map(|_| ())
            .unwrap_err();
        let text = format!("{failure:?}");
        assert!(
            !text.contains("BODY") && !text.contains("SECRETKEY"),
            "{text}"
        );
    }
}

#[test]
fn control_and_direction_characters_are_shown_as_escapes() {
    assert_eq!(
        escape("a\u{1b}[31mb\r\nc\u{202e}d"),
        "a\\u{1b}[31mb\\r c\\u{202e}d"
    );
    assert_eq!(escape(&"x".repeat(5_000)).chars().count(), 1_001);
}

#[test]
fn a_chain_of_causes_is_one_line() {
    let inner = std::io::Error::other("in\nner");
    let outer = std::io::Error::other(inner);
    assert_eq!(flatten(&outer), "in ner");
}

#[test]
fn missing_permissions_are_read_from_the_message() {
    assert_eq!(
        missing_permission("x is not authorized to perform: a:B on resource: arn:c, because"),
        Some(("a:B", Some("arn:c")))
    );
    assert_eq!(
        missing_permission("not authorized to perform: a:B."),
        Some(("a:B", None))
    );
    assert_eq!(missing_permission("no"), None);
}
