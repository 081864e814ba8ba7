//! STS: who the caller is, and sessions of roles.
//! The query protocol; authorization is asked of `authorize`.

use std::time::Duration;

use super::authorize::assume;
use super::caller::Caller;
use super::clock::{iso, wall};
use super::documents;
use super::errors::Refused;
use super::query::{Params, element, text};
use super::state::{AccessKey, Holder, Role, State, role_arn};

/// The XML namespace.
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Carries out an operation; gives the XML inside the result.
pub(super) fn call(
    state: &mut State,
    caller: &Caller,
    operation: &str,
    params: &Params,
) -> Result<String, Refused> {
    match operation {
        // It needs no permission, and no policy can deny it (api: GetCallerIdentity).
        "GetCallerIdentity" => Ok(text("Arn", &caller.arn)
            + &text("UserId", &caller.user_id)
            + &text("Account", &caller.account)),
        "AssumeRole" => assume_role(state, caller, params),
        other => Err(Refused::not_here("sts", other)),
    }
}

fn assume_role(state: &mut State, caller: &Caller, params: &Params) -> Result<String, Refused> {
    let arn = params.need("RoleArn")?;
    let session = params.need("RoleSessionName")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    if !(2..=64).contains(&session.len()) || !session.chars().all(valid) {
        return Err(Refused::new(
            400,
            "ValidationError",
            format!(
                "1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            ),
        ));
    }
    let denied = || {
        let caller = &caller.arn;
        Refused::new(
            403,
            "AccessDenied",
            format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            ),
        )
    };
    // A role that does not exist is refused in the same words, so that nobody can probe for names.
    let (account, role) = state.role_of_arn(arn).ok_or_else(denied)?;
    let mut ask = assume(state, caller, account, role, session);
    if let Some(id) = params.get("ExternalId") {
        ask = ask.with("sts:ExternalId", id);
    }
    ask.check(state)
        .map_err(|message| Refused::new(403, "AccessDenied", message))?;
    let policy = params.get("Policy").map(str::to_owned);
    if let Some(policy) = &policy {
        documents::identity(policy)?;
    }
    let seconds = match params.get("DurationSeconds") {
        Some(given) => given.parse().unwrap_or(0),
        None => 3600,
    };
    if seconds < 900 || seconds > role.max_session {
        return Err(Refused::new(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let (account, role) = (account.to_owned(), role.clone());
    let issued = issue(state, &account, &role, session, policy, u64::from(seconds));
    let session_arn = format!(
        "arn:aws:sts::{account}:assumed-role/{}/{session}",
        role.name
    );
    let credentials = text("AccessKeyId", &issued.key)
        + &text("SecretAccessKey", &issued.secret)
        + &text("SessionToken", &issued.token)
        + &text("Expiration", &iso(issued.expires));
    let user =
        text("AssumedRoleId", &format!("{}:{session}", role.id)) + &text("Arn", &session_arn);
    Ok(element("Credentials", &credentials) + &element("AssumedRoleUser", &user))
}

/// Temporary credentials.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) token: String,
    /// Real time.
    pub(super) expires: Duration,
}

/// Makes credentials for a session that was authorized before.
pub(super) fn issue(
    state: &mut State,
    account: &str,
    role: &Role,
    session: &str,
    policy: Option<String>,
    seconds: u64,
) -> Issued {
    let now = wall();
    // Sessions that have ended are forgotten, so that a long-lived sandbox does not grow with them.
    if state.keys.len() > 4096 {
        state
            .keys
            .retain(|_, key| key.expires.is_none_or(|at| at > now));
    }
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let issued = Issued {
        key: state
            .random
            .letters("ASIA", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        secret: state.random.letters("sandbox/", alphabet, 32),
        token: state.random.letters("sandbox//", alphabet, 64),
        expires: now + Duration::from_secs(seconds),
    };
    state.keys.insert(
        issued.key.clone(),
        AccessKey {
            secret: issued.secret.clone(),
            token: Some(issued.token.clone()),
            account: account.to_owned(),
            holder: Holder::Session {
                role: role.name.clone(),
                role_id: role.id.clone(),
                session: session.to_owned(),
                policy,
            },
            expires: Some(issued.expires),
        },
    );
    issued
}

/// A session that a service makes of a role for itself: `codepipeline.amazonaws.com`, `lambda.amazonaws.com`, or a session
/// that goes on to another role. Checked like any other.
pub(super) fn session(
    state: &State,
    caller: &Caller,
    arn: &str,
    name: &str,
) -> Result<(Caller, Role), String> {
    let Some((account, role)) = state.role_of_arn(arn) else {
        return Err(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            caller.arn
        ));
    };
    assume(state, caller, account, role, name).check(state)?;
    debug_assert_eq!(role_arn(account, role), arn);
    Ok((Caller::session(account, role, name, None), role.clone()))
}
