//! Buckets and keys of artifacts: their policies, as S3 and KMS take and give them, and whether a caller may use them.
//! No object is kept and nothing is encrypted; protocols are known to `http`, authorization to `authorize`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authorize::Ask;
use super::caller::{Caller, named_role, policy_now};
use super::documents;
use super::errors::Refused;
use super::state::State;
use crate::iam::evaluate::NamedPolicy;
use crate::model::policy::PolicyDocument;

/// The most bytes of a bucket's policy (S3 user guide) and of a key's (api: PutKeyPolicy).
const BUCKET_POLICY: usize = 20 * 1024;
const KEY_POLICY: usize = 32 * 1024;

/// A bucket, or a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Store {
    /// As it was put, to the byte. A key always has one.
    pub(super) policy: Option<String>,
    /// The roles and users that the policy names: ARN and unique id at the time of writing.
    principals: BTreeMap<String, String>,
}

impl Store {
    /// The policy as it works now.
    fn guard(&self, state: &State) -> Option<NamedPolicy> {
        let document: Value = serde_json::from_str(self.policy.as_deref()?).ok()?;
        let now = policy_now(state, &document, &self.principals);
        Some(NamedPolicy::from_json("resource policy", &now))
    }
}

/// The account of a bucket, whose name is everybody's.
fn bucket_of<'s>(state: &'s State, bucket: &str) -> Option<(&'s str, &'s Store)> {
    let mut accounts = state.accounts.iter();
    accounts.find_map(|(id, account)| Some((id.as_str(), account.buckets.get(bucket)?)))
}

/// The account and the rest, `REGION/ID`, of a key's ARN.
fn key_parts(arn: &str) -> Option<(String, String)> {
    let mut fields = arn.strip_prefix("arn:aws:kms:")?.splitn(3, ':');
    let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
    let id = resource.strip_prefix("key/")?;
    Some((account.to_owned(), format!("{region}/{id}")))
}

/// What a caller may do with an object of a bucket. A bucket that nobody made is the home account's, without a policy.
pub(super) fn may_use_object<'a>(
    state: &State,
    caller: &'a Caller,
    action: &str,
    (bucket, key): (&str, &str),
    home: &str,
) -> Ask<'a> {
    let object = format!("arn:aws:s3:::{bucket}/{key}");
    let (owner, guard) = match bucket_of(state, bucket) {
        Some((owner, store)) => (owner, store.guard(state)),
        None => (home, None),
    };
    Ask::new(caller, action, object).of(owner).guarded(guard)
}

/// What a caller may do with a key through S3; none for a key that nobody made.
pub(super) fn may_use_key<'a>(
    state: &State,
    caller: &'a Caller,
    action: &str,
    arn: &str,
) -> Option<Ask<'a>> {
    let (account, rest) = key_parts(arn)?;
    let store = state.accounts.get(&account)?.keys.get(&rest)?;
    let region = rest.split('/').next().unwrap_or_default().to_owned();
    Some(
        Ask::new(caller, action, arn)
            .of(&account)
            .with("kms:ViaService", format!("s3.{region}.amazonaws.com"))
            .with("kms:CallerAccount", caller.account.clone())
            .guarded(store.guard(state)),
    )
}

/// A call on a bucket.
pub(super) struct BucketCall<'a> {
    pub(super) method: &'a str,
    /// `/BUCKET` or `/BUCKET/KEY`.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) expected_owner: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl BucketCall<'_> {
    /// The operation's name.
    pub(super) fn operation(&self) -> &'static str {
        let is = |name: &str| {
            let mut keys = self
                .query
                .split('&')
                .map(|p| p.split('=').next().unwrap_or_default());
            keys.any(|key| key == name)
        };
        match (self.method, is("policy"), is("location")) {
            ("GET", true, _) => "GetBucketPolicy",
            ("PUT", true, _) => "PutBucketPolicy",
            ("DELETE", true, _) => "DeleteBucketPolicy",
            ("GET", _, true) => "GetBucketLocation",
            _ => "",
        }
    }
}

/// Carries out an operation on a bucket: the text of the answer, or none where it has no body.
pub(super) fn bucket(
    state: &mut State,
    caller: &Caller,
    region: &str,
    call: &BucketCall<'_>,
) -> Result<Option<String>, Refused> {
    let operation = call.operation();
    if operation.is_empty() {
        let named = format!("{} {}", call.method, call.path);
        return Err(Refused::not_here("s3", &named));
    }
    let bucket = call.path.trim_matches('/');
    let Some((owner, store)) = bucket_of(state, bucket) else {
        let message = "The specified bucket does not exist";
        return Err(Refused::new(404, "NoSuchBucket", message));
    };
    let (owner, store) = (owner.to_owned(), store.clone());
    let ask = Ask::new(
        caller,
        format!("s3:{operation}"),
        format!("arn:aws:s3:::{bucket}"),
    );
    let ask = ask.of(&owner).region(region).guarded(store.guard(state));
    let stranger = call
        .expected_owner
        .is_some_and(|expected| expected != owner);
    if stranger {
        return Err(Refused::new(403, "AccessDenied", "Access Denied"));
    }
    let denied = |message| Refused::new(403, "AccessDenied", message);
    ask.check(state).map_err(denied)?;
    let put = |state: &mut State, store: Store| {
        state
            .account(&owner)
            .buckets
            .insert(bucket.to_owned(), store);
    };
    match operation {
        "GetBucketPolicy" => store.policy.map(Some).ok_or_else(|| {
            let message = "The bucket policy does not exist";
            Refused::new(404, "NoSuchBucketPolicy", message)
        }),
        "PutBucketPolicy" => {
            let text = String::from_utf8_lossy(call.body).into_owned();
            let malformed = |message: String| Refused::new(400, "MalformedPolicy", message);
            let principals = checked(state, &text, BUCKET_POLICY, "Invalid principal in policy");
            let principals = principals.map_err(malformed)?;
            let policy = Some(text);
            put(state, Store { policy, principals });
            Ok(None)
        }
        "DeleteBucketPolicy" => {
            put(state, Store::default());
            Ok(None)
        }
        _ => Ok(Some(
            "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>".to_owned(),
        )),
    }
}

/// Carries out an operation of KMS.
pub(super) fn kms(
    state: &mut State,
    caller: &Caller,
    region: &str,
    operation: &str,
    input: &Value,
) -> Result<Value, Refused> {
    if !matches!(operation, "GetKeyPolicy" | "PutKeyPolicy" | "DescribeKey") {
        return Err(Refused::not_here("kms", operation));
    }
    let id = input["KeyId"].as_str().unwrap_or_default();
    let arn = if id.starts_with("arn:") {
        id.to_owned()
    } else {
        format!("arn:aws:kms:{region}:{}:key/{id}", caller.account)
    };
    let found = key_parts(&arn).and_then(|(account, rest)| {
        let store = state.accounts.get(&account)?.keys.get(&rest)?.clone();
        Some((account, rest, store))
    });
    let Some((account, rest, store)) = found else {
        let message = format!("Key '{arn}' does not exist");
        return Err(Refused::new(400, "NotFoundException", message));
    };
    Ask::new(caller, format!("kms:{operation}"), arn.as_str())
        .of(&account)
        .region(region)
        .with("kms:CallerAccount", caller.account.clone())
        .guarded(store.guard(state))
        .check(state)
        .map_err(|message| Refused::new(400, "AccessDeniedException", message))?;
    match operation {
        "GetKeyPolicy" => Ok(json!({ "Policy": store.policy, "PolicyName": "default" })),
        "DescribeKey" => Ok(json!({ "KeyMetadata": {
            "Arn": arn, "KeyId": rest.split('/').next_back(), "AWSAccountId": account,
            "Enabled": true, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
        } })),
        _ => {
            let text = input["Policy"].as_str().unwrap_or_default().to_owned();
            let invalid = "Policy contains a statement with one or more invalid principals.";
            let code = "MalformedPolicyDocumentException";
            let principals = checked(state, &text, KEY_POLICY, invalid);
            let principals = principals.map_err(|message| Refused::new(400, code, message))?;
            let policy = Some(text);
            let store = Store { policy, principals };
            state.account(&account).keys.insert(rest, store);
            Ok(json!({}))
        }
    }
}

/// The roles and users that a policy names, if it may stand. A principal that is gone, or not known everywhere yet, is refused.
fn checked(
    state: &mut State,
    text: &str,
    limit: usize,
    invalid: &str,
) -> Result<BTreeMap<String, String>, String> {
    if text.len() > limit {
        return Err(format!("Policy exceeds the maximum size of {limit} bytes"));
    }
    PolicyDocument::parse(text).map_err(|e| e.to_string())?;
    let document: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut principals = BTreeMap::new();
    for statement in documents::statements(&document) {
        for key in ["Principal", "NotPrincipal"] {
            let listed = match statement.get(key).and_then(|p| p.get("AWS")) {
                Some(Value::Array(list)) => list.clone(),
                Some(one) => vec![one.clone()],
                None => Vec::new(),
            };
            for arn in listed.iter().filter_map(Value::as_str) {
                if arn.starts_with("AROA") || arn.starts_with("AIDA") {
                    return Err(invalid.to_owned());
                }
                if !arn.contains(":role/") && !arn.contains(":user/") {
                    continue;
                }
                let id = state.unique_id(arn).ok_or_else(|| invalid.to_owned())?;
                principals.insert(arn.to_owned(), id);
            }
        }
    }
    let (quiet, now) = (state.quiet, state.clock.now());
    for arn in principals.keys().filter(|_| !quiet) {
        if let Some((account, name)) = named_role(arn)
            && let Some(role) = state.role_mut(&account, &name)
            && role.is_missed(now)
        {
            return Err(invalid.to_owned());
        }
    }
    Ok(principals)
}
