//! Why an account has no credentials, and what to do about it.
//! It reads the names of profiles for that, never a credential, and resolves nothing.

use std::error::Error;

use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use super::errors::{
    Failure, Refusal, SLOW_DOWN, SdkError, has, refused_hint, throttled, unreachable,
};
use super::gate::NotAsked;
use super::profiles::ProfileFiles;
use super::session::{AccountAccess, Credentials};
use super::text::{escape, flatten, missing_permission, safe_message};
use crate::cloud::CloudErrorKind;

/// Why there are no credentials, and what to do about it.
pub(super) fn explain(error: &(dyn Error + 'static), access: &AccountAccess) -> Failure {
    if let Some(refused) = find::<SdkError<AssumeRoleError>>(error) {
        return refused_role(refused, access);
    }
    let whose = access.credentials.describe();
    let chain = flatten(error);
    let chain = without_output(&chain);
    let lower = chain.to_ascii_lowercase();
    if lower.contains("dispatch failure") || lower.contains("timed out") {
        return unreachable(format!("{whose}: {chain}"));
    }
    let (message, hint) = match &access.credentials {
        Credentials::Profile(profile) => explain_profile(profile, chain, &lower),
        Credentials::DefaultChain => explain_default_chain(chain),
        Credentials::AssumeRole { .. } => (format!("{whose}: {chain}"), None),
    };
    Failure {
        hint,
        ..Failure::new(CloudErrorKind::Credentials, message)
    }
}

/// The SDK repeats what a credential_process wrote to its standard error, which may be anything; the hint says how to see it.
fn without_output(chain: &str) -> &str {
    let cut = chain.split_once(". Stderr:").map(|(before, _)| before);
    cut.unwrap_or(chain)
}

fn explain_profile(profile: &str, chain: &str, lower: &str) -> (String, Option<String>) {
    let profile = escape(profile);
    let files = ProfileFiles::locate();
    let names = files.names();
    if !names.contains(profile.as_str()) {
        let (message, hint) = files.missing(&profile, &names);
        return (message, Some(hint));
    }
    // What the SDK says where a profile has neither keys nor anything that leads to keys.
    if lower.contains("provider was not enabled") && !lower.contains("token") {
        let message = format!("profile `{profile}` holds no credentials");
        let hint =
            format!("give it some: `aws configure --profile {profile}`, or `aws configure sso`");
        return (message, Some(hint));
    }
    let hint = if lower.contains("sso") {
        format!("sign in: aws sso login --profile {profile}")
    } else if lower.contains("external process") {
        format!("run the credential_process of profile `{profile}` by hand to see what it says")
    } else {
        format!("try `aws sts get-caller-identity --profile {profile}`")
    };
    (format!("profile `{profile}`: {chain}"), Some(hint))
}

fn explain_default_chain(chain: &str) -> (String, Option<String>) {
    if let Ok(profile) = std::env::var("AWS_PROFILE") {
        let profile = escape(&profile);
        let files = ProfileFiles::locate();
        let names = files.names();
        if !names.contains(profile.as_str()) {
            let (message, hint) = files.missing(&profile, &names);
            return (format!("AWS_PROFILE: {message}"), Some(hint));
        }
    }
    let message = format!("the default chain found no credentials: {chain}");
    let hint = "name a profile for the account in the manifest, or set AWS_PROFILE";
    (message, Some(hint.to_owned()))
}

/// STS's answer to `AssumeRole`, the manifest's own or a profile's `role_arn`.
fn refused_role(refused: &SdkError<AssumeRoleError>, access: &AccountAccess) -> Failure {
    let whose = access.credentials.describe();
    let Some(service) = refused.as_service_error() else {
        if has::<NotAsked>(refused) {
            return throttled(format!("{whose}: sts:AssumeRole: {NotAsked}"));
        }
        return unreachable(format!("{whose}: sts:AssumeRole: {}", flatten(refused)));
    };
    let refusal = Refusal {
        code: service.code(),
        message: service.message().unwrap_or_default(),
        status: refused.raw_response().map_or(0, |r| r.status().as_u16()),
    };
    let hint = match refusal.kind() {
        CloudErrorKind::AccessDenied => {
            let role = missing_permission(refusal.message)
                .and_then(|(_, resource)| resource)
                .map_or_else(|| whose.clone(), |arn| format!("role {}", escape(arn)));
            format!(
                "both sides must allow it: the trust policy of {role}, and the caller's own policies (sts:AssumeRole)"
            )
        }
        CloudErrorKind::Credentials => refused_hint(&refusal, access, &whose),
        CloudErrorKind::Throttled => SLOW_DOWN.to_owned(),
        _ => "try again; if it persists, check the role's name and the region".to_owned(),
    };
    let said = match refusal.message {
        "" => "no message".to_owned(),
        message => safe_message(message),
    };
    Failure {
        kind: CloudErrorKind::Credentials,
        code: refusal.code.map(escape),
        message: format!("{whose}: sts:AssumeRole: {said}"),
        request_id: refused.request_id().map(escape),
        hint: Some(hint),
    }
}

/// The first error of the type in the chain of causes.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
