//! Policy documents as IAM takes and gives them: what it refuses, how long they may be, in which order they come back.
//! Does not decide what a policy grants.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::errors::Refused;
use super::random::Random;
use crate::model::policy::PolicyDocument;

/// Characters of all inline policies of a role together, white space not counted (IAM user guide, "IAM and STS quotas").
const INLINE: usize = 10_240;
/// Characters of a trust policy.
const TRUST: usize = 2_048;
/// Characters of a managed policy.
const MANAGED: usize = 6_144;

/// RFC 3986, as IAM encodes what it gives back.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The statements of a document, one or a list.
pub(super) fn statements(document: &Value) -> Vec<&Map<String, Value>> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// The same, to be changed.
pub(super) fn statements_mut(document: &mut Value) -> Vec<&mut Map<String, Value>> {
    match document.get_mut("Statement") {
        Some(Value::Array(list)) => list.iter_mut().filter_map(Value::as_object_mut).collect(),
        Some(Value::Object(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// Checks a policy that is to stand on a role or by itself.
pub(super) fn identity(text: &str) -> Result<(), Refused> {
    let document = syntax(text)?;
    for statement in statements(&document) {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        let listed = statement.get("Resource").or(statement.get("NotResource"));
        let Some(listed) = listed else {
            return Err(malformed("Policy statement must contain resources."));
        };
        if let Some(other) = texts(listed).into_iter().find(|r| !is_resource(r)) {
            return Err(malformed(format!(
                "Resource {other} must be in ARN format or \"*\"."
            )));
        }
        actions(statement)?;
    }
    Ok(())
}

/// Checks a trust policy, and spells its principals as IAM keeps them. Gives the document with the roles and users that it
/// names and the unique ids that stand for them.
pub(super) fn trust(
    text: &str,
    unique_id: impl Fn(&str) -> Option<String>,
    account_exists: impl Fn(&str) -> bool,
) -> Result<(Value, BTreeMap<String, String>), Refused> {
    let mut document = syntax(text)?;
    let mut trusted = BTreeMap::new();
    for statement in statements_mut(&mut document) {
        if statement.contains_key("Resource") || statement.contains_key("NotResource") {
            return Err(malformed("Has prohibited field Resource"));
        }
        if !statement.contains_key("Principal") && !statement.contains_key("NotPrincipal") {
            return Err(malformed("Missing required field Principal"));
        }
        let listed = statement.get("Action").or(statement.get("NotAction"));
        let sts = |action: &&str| *action == "*" || action.to_lowercase().starts_with("sts:");
        if !listed.map(texts).unwrap_or_default().iter().all(sts) {
            return Err(malformed(
                "AssumeRole policy may only specify STS AssumeRole actions.",
            ));
        }
        actions(statement)?;
        for key in ["Principal", "NotPrincipal"] {
            if let Some(principal) = statement.get_mut(key) {
                principals(principal, &mut trusted, &unique_id, &account_exists)?;
            }
        }
    }
    if size(text) > TRUST {
        return Err(Refused::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for ACLSizePerRole: {TRUST}"),
        ));
    }
    Ok((document, trusted))
}

/// Refuses inline policies that are together too long.
pub(super) fn inline_fits<'a>(
    role: &str,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<(), Refused> {
    let total: usize = texts.into_iter().map(size).sum();
    if total <= INLINE {
        return Ok(());
    }
    Err(Refused::new(
        409,
        "LimitExceeded",
        format!("Maximum policy size of {INLINE} bytes exceeded for role {role}"),
    ))
}

/// Refuses a managed policy that is too long.
pub(super) fn managed_fits(text: &str) -> Result<(), Refused> {
    if size(text) <= MANAGED {
        return Ok(());
    }
    Err(Refused::new(
        409,
        "LimitExceeded",
        format!("Cannot exceed quota for PolicySize: {MANAGED}"),
    ))
}

/// A document as IAM gives it: percent-encoded, keys and lists in any order.
pub(super) fn encoded(document: &Value, random: &mut Random) -> String {
    let mut document = document.clone();
    shuffle(&mut document, random);
    utf8_percent_encode(&document.to_string(), ENCODED).to_string()
}

/// The same of a text.
pub(super) fn encoded_text(text: &str, random: &mut Random) -> String {
    match serde_json::from_str(text) {
        Ok(document) => encoded(&document, random),
        Err(_) => utf8_percent_encode(text, ENCODED).to_string(),
    }
}

fn shuffle(value: &mut Value, random: &mut Random) {
    match value {
        Value::Array(list) => {
            for item in list.iter_mut() {
                shuffle(item, random);
            }
            random.shuffle(list);
        }
        Value::Object(object) => {
            let mut pairs: Vec<(String, Value)> = std::mem::take(object).into_iter().collect();
            for (_, item) in &mut pairs {
                shuffle(item, random);
            }
            random.shuffle(&mut pairs);
            object.extend(pairs);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Characters without white space, which IAM does not count.
fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn syntax(text: &str) -> Result<Value, Refused> {
    if text.is_empty() || text.len() > 131_072 {
        return Err(malformed("Syntax errors in policy."));
    }
    let read = || -> Option<Value> {
        let value: Value = serde_json::from_str(text).ok()?;
        Some(value)
    };
    let document = read().ok_or_else(|| malformed("This policy contains invalid Json"))?;
    for statement in statements(&document) {
        if !statement.contains_key("Action") && !statement.contains_key("NotAction") {
            return Err(malformed("Policy statement must contain actions."));
        }
    }
    if PolicyDocument::from_json(&document).is_err() || statements(&document).is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    let mut ids = BTreeSet::new();
    for sid in statements(&document).iter().filter_map(|s| s.get("Sid")) {
        let sid = sid.as_str().unwrap_or_default();
        if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            ));
        }
        if !sid.is_empty() && !ids.insert(sid) {
            return Err(malformed(
                "Statement IDs (SID) in a single policy must be unique.",
            ));
        }
    }
    Ok(document)
}

fn actions(statement: &Map<String, Value>) -> Result<(), Refused> {
    let listed = statement.get("Action").or(statement.get("NotAction"));
    let fine = |action: &&str| *action == "*" || action.contains(':');
    if listed.map(texts).unwrap_or_default().iter().all(fine) {
        return Ok(());
    }
    Err(malformed(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ))
}

fn principals(
    principal: &mut Value,
    trusted: &mut BTreeMap<String, String>,
    unique_id: &impl Fn(&str) -> Option<String>,
    account_exists: &impl Fn(&str) -> bool,
) -> Result<(), Refused> {
    let Value::Object(kinds) = principal else {
        return Ok(()); // The bare `*`.
    };
    for (kind, listed) in kinds.iter_mut() {
        let list = match &mut *listed {
            Value::Array(list) => list.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for item in list {
            let Value::String(text) = item else { continue };
            let valid = match kind.as_str() {
                "AWS" => aws_principal(text, trusted, unique_id, account_exists),
                "Service" => text.contains('.') && text.contains(".amazonaws.com"),
                _ => true,
            };
            if !valid {
                return Err(malformed(format!(
                    "Invalid principal in policy: \"{kind}\":\"{text}\""
                )));
            }
        }
        // A list of one is kept as the one.
        if let Value::Array(list) = listed
            && list.len() == 1
            && let Some(one) = list.pop()
        {
            *listed = one;
        }
    }
    Ok(())
}

/// Whether an AWS principal exists. An account id becomes the account's root ARN.
fn aws_principal(
    text: &mut String,
    trusted: &mut BTreeMap<String, String>,
    unique_id: &impl Fn(&str) -> Option<String>,
    account_exists: &impl Fn(&str) -> bool,
) -> bool {
    let digits = |id: &str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    if text == "*" {
        return true;
    }
    if digits(text) {
        let exists = account_exists(text);
        *text = format!("arn:aws:iam::{text}:root");
        return exists;
    }
    if let Some(account) = text
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.strip_suffix(":root"))
    {
        return digits(account) && account_exists(account);
    }
    if let Some(rest) = text.strip_prefix("arn:aws:sts::") {
        return rest.contains(":assumed-role/") || rest.contains(":federated-user/");
    }
    match unique_id(text) {
        Some(id) => {
            trusted.insert(text.clone(), id);
            true
        }
        None => false,
    }
}

fn is_resource(text: &str) -> bool {
    text == "*" || text.starts_with("arn:") || text.starts_with("*:")
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn malformed(message: impl Into<String>) -> Refused {
    Refused::new(400, "MalformedPolicyDocument", message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use percent_encoding::percent_decode_str;
    use serde_json::json;

    use super::*;
    use crate::iam::compare;

    fn refusal(text: &str) -> String {
        identity(text).unwrap_err().message
    }

    #[test]
    fn what_iam_refuses() {
        let with = |statement: Value| {
            refusal(&json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
        };
        assert_eq!(refusal("{"), "This policy contains invalid Json");
        assert_eq!(refusal(r#"{"Statement":[]}"#), "Syntax errors in policy.");
        assert_eq!(
            with(json!({ "Effect": "Allow", "Action": "a:b" })),
            "Policy statement must contain resources."
        );
        assert_eq!(
            with(json!({ "Effect": "Allow", "Resource": "*" })),
            "Policy statement must contain actions."
        );
        assert_eq!(
            with(json!({ "Effect": "Allow", "Action": "everything", "Resource": "*" })),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        );
        assert_eq!(
            with(json!({ "Effect": "Allow", "Action": "a:b", "Resource": "function:f" })),
            "Resource function:f must be in ARN format or \"*\"."
        );
        assert_eq!(
            with(json!({ "Effect": "Allow", "Principal": "*", "Action": "a:b", "Resource": "*" })),
            "Policy document should not specify a principal."
        );
    }

    #[test]
    fn trust_names_only_what_exists() {
        let text = |principal: &str| {
            json!({ "Statement": { "Effect": "Allow", "Principal": { "AWS": [principal] }, "Action": "sts:AssumeRole" } })
                .to_string()
        };
        let known = |arn: &str| (arn == "arn:aws:iam::1:role/r").then(|| "AROA1".to_owned());
        let check = |principal: &str| trust(&text(principal), known, |id| id == "111111111111");
        let (document, trusted) = check("arn:aws:iam::1:role/r").unwrap();
        assert_eq!(
            document["Statement"]["Principal"]["AWS"],
            "arn:aws:iam::1:role/r"
        );
        assert_eq!(trusted.len(), 1);
        let (document, _) = check("111111111111").unwrap();
        assert_eq!(
            document["Statement"]["Principal"]["AWS"],
            "arn:aws:iam::111111111111:root"
        );
        for principal in ["arn:aws:iam::1:role/other", "333333333333", "nonsense"] {
            let message = check(principal).unwrap_err().message;
            assert!(
                message.starts_with("Invalid principal in policy: \"AWS\":\""),
                "{message}"
            );
        }
    }

    #[test]
    fn lengths_are_limited_without_white_space() {
        let long = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Sid":"{}"}}}}"#,
            "a".repeat(2_000)
        );
        let refused = trust(&long, |_| None, |_| false).unwrap_err();
        assert_eq!(
            refused.message,
            "Cannot exceed quota for ACLSizePerRole: 2048"
        );
        assert!(inline_fits("r", vec!["a b"; 5_120]).is_ok());
        assert!(inline_fits("r", vec!["a b"; 5_121]).is_err());
    }

    #[test]
    fn what_comes_back_means_the_same() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:b","c:d"],"Resource":"*"},{"Effect":"Deny","Action":"e:f","Resource":["arn:aws:s3:::x","arn:aws:s3:::y"]}]}"#;
        let mut random = Random::new(1);
        let given = encoded_text(text, &mut random);
        let decoded = percent_decode_str(&given).decode_utf8().unwrap();
        assert_ne!(decoded, text);
        let before = PolicyDocument::parse(text).unwrap();
        let after = PolicyDocument::parse(&decoded).unwrap();
        assert!(compare::equivalent(&before, &after));
    }
}
