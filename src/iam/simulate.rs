//! One case of `policy simulate`: a JSON line read into a request and its policies, and the answer as JSON.
//! Pure: reads no files and prints nothing; what a case line means is in `README.md` of the vectors.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::evaluate::{
    Context, Decision, Layer, Level, NamedPolicy, Policies, Principal, PrincipalError, Request,
    StatementRef, Verdict, evaluate,
};
use crate::model::account::{AccountError, AccountId};
use crate::model::policy::Effect;

/// Why a line is no case. A policy document that cannot be read is no such error: it makes a policy that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CaseError {
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A member is missing.
    #[error("{0} is missing")]
    Missing(String),
    /// A member has the wrong form.
    #[error("{at}: {expected} is expected")]
    Form {
        /// Where, for example `request.action`.
        at: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A member that cases do not have: a misspelt layer must not count as an absent one.
    #[error("{0}: unknown member")]
    Unknown(String),
    /// The caller.
    #[error("request.principal: {0}")]
    Principal(#[from] PrincipalError),
    /// The account.
    #[error("request.resource_account: {0}")]
    Account(#[from] AccountError),
}

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The case's name in the answer.
    pub id: String,
    /// What is asked.
    pub request: Request,
    /// The policies that bear on it.
    pub policies: Policies,
    /// The decision that the case expects, if it says.
    pub expected: Option<Verdict>,
}

impl Case {
    /// Reads one line.
    pub fn parse(line: &str) -> Result<Self, CaseError> {
        let value: Value =
            serde_json::from_str(line).map_err(|e| CaseError::Json(e.to_string()))?;
        let members = object(&value, "case")?;
        let id = match members.get("id") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(form("id", "a string or a number")),
            None => return Err(CaseError::Missing("id".to_owned())),
        };
        let policies = match members.get("policies") {
            Some(value) => policies(value)?,
            None => Policies::default(),
        };
        Ok(Self {
            id,
            request: request(member(members, "request", "")?)?,
            policies,
            expected: members.get("expected").map(expected).transpose()?.flatten(),
        })
    }

    /// Decides the case.
    pub fn decide(&self) -> Decision {
        evaluate(&self.request, &self.policies)
    }

    /// The answer line: `{"id", "decision", "reason", "statements"}`.
    pub fn answer(&self, decision: &Decision) -> Value {
        let Decision {
            verdict,
            reason,
            statements,
            gaps: _, // The reason names them.
            lacking: _,
        } = decision;
        json!({
            "id": self.id,
            "decision": verdict.as_str(),
            "reason": reason,
            "statements": statements.iter().map(statement).collect::<Vec<Value>>(),
        })
    }

    /// True if the case expects another decision.
    pub fn differs(&self, decision: &Decision) -> bool {
        self.expected.is_some_and(|e| e != decision.verdict)
    }
}

/// Entry point for fuzzing: any bytes, as lines of cases, are read and decided without a panic.
pub fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        if let Ok(case) = Case::parse(line) {
            let decision = case.decide();
            drop(case.answer(&decision));
        }
    }
    // The same bytes as a policy document, on both sides of a request that any statement might be about.
    let policy = NamedPolicy::from_text("fuzzed", &text);
    let (Ok(principal), Ok(account)) = (
        Principal::parse("arn:aws:sts::111111111111:assumed-role/r/s"),
        AccountId::new("111111111111"),
    ) else {
        return;
    };
    let request = Request::new(
        principal,
        "lambda:InvokeFunction",
        "arn:aws:lambda:us-east-1:111111111111:function:f",
        account,
        Context::partial().with("aws:PrincipalTag/a", "b"),
    );
    let policies = Policies {
        identity: Layer::Known(vec![policy.clone()]),
        resource: Layer::Known(Some(policy)),
        ..Policies::default()
    };
    drop(evaluate(&request, &policies));
}

fn statement(found: &StatementRef) -> Value {
    let StatementRef {
        place,
        policy,
        index,
        sid,
        effect,
        note,
    } = found;
    let effect = match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    json!({
        "layer": place.to_string(),
        "policy": policy,
        "index": index,
        "sid": sid,
        "effect": effect,
        "note": note,
    })
}

fn request(value: &Value) -> Result<Request, CaseError> {
    let members = object(value, "request")?;
    known(
        members,
        "request",
        &[
            "principal",
            "action",
            "resource",
            "resource_account",
            "context",
        ],
    )?;
    let get = |name: &str| {
        text(
            member(members, name, "request.")?,
            &format!("request.{name}"),
        )
    };
    let principal = Principal::parse(get("principal")?)?;
    let account = AccountId::new(get("resource_account")?)?;
    let context = match members.get("context") {
        Some(value) => context(value)?,
        None => Context::complete(),
    };
    Ok(Request::new(
        principal,
        get("action")?,
        get("resource")?,
        account,
        context,
    ))
}

/// A context is complete: a key that is not there is absent from the request. A list makes a multivalued key.
fn context(value: &Value) -> Result<Context, CaseError> {
    let mut context = Context::complete();
    for (key, value) in object(value, "request.context")? {
        let at = format!("request.context.{key}");
        context = match value {
            Value::Null => context.with_absent(key),
            Value::Array(list) => {
                let values: Vec<String> = list
                    .iter()
                    .map(|v| scalar(v, &at))
                    .collect::<Result<_, _>>()?;
                context.with_list(key, values)
            }
            one => context.with(key, scalar(one, &at)?),
        };
    }
    Ok(context)
}

fn policies(value: &Value) -> Result<Policies, CaseError> {
    let members = object(value, "policies")?;
    known(
        members,
        "policies",
        &[
            "identity", "resource", "boundary", "session", "scps", "rcps",
        ],
    )?;
    let get = |name: &str| members.get(name).unwrap_or(&Value::Null);
    let resource = match get("resource") {
        Value::Null => None,
        one => Some(policy(one, "resource policy", "policies.resource")?),
    };
    Ok(Policies {
        identity: Layer::Known(list(
            get("identity"),
            "policies.identity",
            "identity policy",
        )?),
        resource: Layer::Known(resource),
        boundary: Layer::Known(list(get("boundary"), "policies.boundary", "boundary")?),
        session: Layer::Known(list(get("session"), "policies.session", "session policy")?),
        scps: Layer::Known(levels(get("scps"), "policies.scps")?),
        rcps: Layer::Known(levels(get("rcps"), "policies.rcps")?),
    })
}

fn levels(value: &Value, at: &str) -> Result<Vec<Level>, CaseError> {
    let read = |(index, value): (usize, &Value)| {
        let at = format!("{at}[{index}]");
        let members = object(value, &at)?;
        known(members, &at, &["target", "policies"])?;
        let target = text(
            member(members, "target", &format!("{at}."))?,
            &format!("{at}.target"),
        )?;
        let attached = member(members, "policies", &format!("{at}."))?;
        Ok(Level {
            target: target.to_owned(),
            policies: list(attached, &format!("{at}.policies"), target)?,
        })
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(levels) => levels.iter().enumerate().map(read).collect(),
        _ => Err(form(at, "a list of levels")),
    }
}

/// A list of policies, or a single one; nothing for null.
fn list(value: &Value, at: &str, name: &str) -> Result<Vec<NamedPolicy>, CaseError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, v)| policy(v, &format!("{name} {}", i + 1), &format!("{at}[{i}]")))
            .collect(),
        one => Ok(vec![policy(one, name, at)?]),
    }
}

/// `{"name", "document"}`, or a document alone, as an object or as a string of JSON.
fn policy(value: &Value, name: &str, at: &str) -> Result<NamedPolicy, CaseError> {
    match value {
        Value::Object(members) if members.contains_key("document") => {
            known(members, at, &["name", "document"])?;
            let name = match members.get("name") {
                Some(given) => text(given, &format!("{at}.name"))?,
                None => name,
            };
            let document = member(members, "document", at)?;
            Ok(NamedPolicy::from_json(name, document))
        }
        Value::Object(_) | Value::String(_) => Ok(NamedPolicy::from_json(name, value)),
        _ => Err(form(
            at,
            "a policy document, or an object with name and document",
        )),
    }
}

fn expected(value: &Value) -> Result<Option<Verdict>, CaseError> {
    let name = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.as_str(),
        other => text(
            member(object(other, "expected")?, "decision", "expected.")?,
            "expected.decision",
        )?,
    };
    let names = "Allowed, ImplicitlyDenied, ExplicitlyDenied or NotProven";
    match Verdict::parse(name) {
        Some(verdict) => Ok(Some(verdict)),
        None => Err(form("expected.decision", names)),
    }
}

fn known(members: &Map<String, Value>, at: &str, names: &[&str]) -> Result<(), CaseError> {
    match members.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(CaseError::Unknown(format!("{at}.{key}"))),
        None => Ok(()),
    }
}

fn member<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    before: &str,
) -> Result<&'a Value, CaseError> {
    members
        .get(name)
        .ok_or_else(|| CaseError::Missing(format!("{before}{name}")))
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, CaseError> {
    value.as_object().ok_or_else(|| form(at, "an object"))
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str, CaseError> {
    value.as_str().ok_or_else(|| form(at, "a string"))
}

fn scalar(value: &Value, at: &str) -> Result<String, CaseError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(form(at, "a string, a number or a boolean"))
        }
    }
}

fn form(at: &str, expected: &'static str) -> CaseError {
    CaseError::Form {
        at: at.to_owned(),
        expected,
    }
}

#[cfg(test)]
#[path = "simulate_tests.rs"]
mod tests;
