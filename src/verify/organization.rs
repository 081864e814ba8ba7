//! Service and resource control policies as a person hands them in: a policy, or levels of policies, for one account or for all.
//! Text to values; files are read elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::iam::evaluate::{Layer, Level, NamedPolicy};
use crate::model::account::{AccountId, AccountName};
use crate::model::chain::NotSeen;
use crate::model::policy::{Effect, PolicyDocument};
use crate::model::wiring::Wiring;

/// A text that is neither a policy nor levels of policies.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GivenError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("{at}: {expected} is expected")]
    Shape {
        /// Where.
        at: String,
        /// What should be there.
        expected: &'static str,
    },
    /// Not a policy document.
    #[error("{at}: {why}")]
    Policy {
        /// Where.
        at: String,
        /// What is wrong.
        why: String,
    },
}

/// The levels that were handed in: for an account, or for all that have none of their own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given {
    levels: BTreeMap<Option<AccountName>, Vec<Level>>,
}

impl Given {
    /// Adds levels for an account, or for all.
    pub fn add(&mut self, account: Option<AccountName>, levels: Vec<Level>) {
        self.levels.entry(account).or_default().extend(levels);
    }

    /// The levels by account id. Two names of one account in the manifest are one account.
    pub(super) fn by_id(&self, wiring: &Wiring) -> BTreeMap<AccountId, Layer<Vec<Level>>> {
        let of = |name: &AccountName| {
            let own = self.levels.get(&Some(name.clone()));
            own.or_else(|| self.levels.get(&None)).cloned()
        };
        let accounts = wiring.accounts.iter();
        accounts
            .filter_map(|(name, account)| Some((account.id.clone(), Layer::Known(of(name)?))))
            .collect()
    }
}

/// Reads `[{"target", "policies": [document, …]}, …]`, one entry a level (root, units, account), or a single policy document,
/// which becomes a level of the given name.
///
/// A single document without any Allow stands beside `FullAWSAccess`, as everywhere in practice: a level that allows nothing
/// would stop the account altogether (Organizations user guide, "SCP evaluation"). RCPs have theirs implied anyway.
pub fn parse_levels(kind: NotSeen, text: &str, name: &str) -> Result<Vec<Level>, GivenError> {
    let value: Value = serde_json::from_str(text).map_err(|e| GivenError::Json(e.to_string()))?;
    match &value {
        Value::Object(members) if members.contains_key("Statement") => {
            Ok(vec![single(kind, &value, name)?])
        }
        Value::Array(levels) => levels
            .iter()
            .enumerate()
            .map(|(index, value)| level(value, &format!("[{index}]")))
            .collect(),
        _ => Err(shape(
            "the file",
            "a policy document, or a list of {target, policies}",
        )),
    }
}

fn single(kind: NotSeen, value: &Value, name: &str) -> Result<Level, GivenError> {
    let document = document(value, name)?;
    let mut policies = vec![NamedPolicy::new(name, &document)];
    let allows = document
        .statements
        .iter()
        .any(|s| s.effect == Effect::Allow);
    if !allows && kind == NotSeen::Scp {
        let full = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        policies.push(NamedPolicy::from_json("FullAWSAccess", &full));
    }
    Ok(Level {
        target: name.to_owned(),
        policies,
    })
}

fn level(value: &Value, at: &str) -> Result<Level, GivenError> {
    let members: &Map<String, Value> = value
        .as_object()
        .ok_or_else(|| shape(at, "an object with target and policies"))?;
    let target = members
        .get("target")
        .and_then(Value::as_str)
        .ok_or_else(|| shape(&format!("{at}.target"), "a text"))?;
    let policies = members
        .get("policies")
        .and_then(Value::as_array)
        .ok_or_else(|| shape(&format!("{at}.policies"), "a list of policy documents"))?;
    let policies = policies.iter().enumerate().map(|(index, value)| {
        let at = format!("{at}.policies[{index}]");
        let (name, body) = match (
            value.get("name").and_then(Value::as_str),
            value.get("document"),
        ) {
            (Some(name), Some(body)) => (name.to_owned(), body),
            (None, Some(body)) => (format!("policy {}", index + 1), body),
            (_, None) => (format!("policy {}", index + 1), value),
        };
        Ok(NamedPolicy::new(name, &document(body, &at)?))
    });
    Ok(Level {
        target: target.to_owned(),
        policies: policies.collect::<Result<_, GivenError>>()?,
    })
}

fn document(value: &Value, at: &str) -> Result<PolicyDocument, GivenError> {
    let read = match value {
        Value::String(text) => PolicyDocument::parse(text),
        other => PolicyDocument::from_json(other),
    };
    read.map_err(|why| GivenError::Policy {
        at: at.to_owned(),
        why: why.to_string(),
    })
}

fn shape(at: &str, expected: &'static str) -> GivenError {
    GivenError::Shape {
        at: at.to_owned(),
        expected,
    }
}
