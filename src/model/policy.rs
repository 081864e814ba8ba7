//! A policy document as IAM's grammar has it: parsed strictly, written back in one canonical spelling.
//! Values only: what two documents grant is compared in `iam::compare`, what they decide in `iam::evaluate`.

use std::fmt;

use serde_json::{Map, Value, json};
use thiserror::Error;

/// A text that is not a policy document, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a policy document: {at}: {why}")]
pub struct PolicyError {
    /// Where, for example `Statement[1].Effect`.
    pub at: String,
    /// What is wrong there.
    pub why: String,
}

/// The language version. An absent one means 2008-10-17, in which `${…}` is literal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`: no policy variables.
    V2008,
    /// `2012-10-17`: policy variables are replaced.
    V2012,
}

/// Allow or Deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// The key under which a principal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// An account id, an ARN, a unique id (`AROA…`) or `*`.
    Aws,
    /// A service such as `codepipeline.amazonaws.com`.
    Service,
    /// A web identity or SAML provider.
    Federated,
    /// A canonical user id (S3 only).
    CanonicalUser,
}

/// Who is meant by `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principals {
    /// The bare `"*"`: everyone, anonymous callers included. Not the same as `{"AWS": "*"}` in a trust policy.
    Everyone,
    /// The listed ones.
    Listed(Vec<(PrincipalKind, String)>),
}

/// An element that has a negated form: `Action` and `NotAction`, and so on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause<T> {
    /// What is meant is what is listed.
    Is(T),
    /// What is meant is everything but what is listed.
    Not(T),
}

impl<T> Clause<T> {
    /// What is listed, negated or not.
    pub fn listed(&self) -> &T {
        match self {
            Self::Is(listed) | Self::Not(listed) => listed,
        }
    }

    /// True for the `Not…` form.
    pub fn is_negated(&self) -> bool {
        matches!(self, Self::Not(_))
    }
}

/// One line of a `Condition` block: an operator, a key, and the values of which one must match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// The operator as written, for example `ForAnyValue:StringLikeIfExists`.
    pub operator: String,
    /// The key as written; keys are compared without case.
    pub key: String,
    /// The values; booleans and numbers are spelled as strings, as IAM treats them.
    pub values: Vec<String>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Statement {
    /// The statement's id; grants nothing.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Who, in a trust or resource policy; none in an identity policy.
    pub principal: Option<Clause<Principals>>,
    /// Which actions.
    pub action: Clause<Vec<String>>,
    /// On what; none in a trust policy.
    pub resource: Option<Clause<Vec<String>>>,
    /// All must hold.
    pub conditions: Vec<Condition>,
}

/// A whole document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyDocument {
    /// The language version.
    pub version: Version,
    /// The document's id; grants nothing.
    pub id: Option<String>,
    /// The statements, in the order in which they stand.
    pub statements: Vec<Statement>,
}

impl PolicyDocument {
    /// A document of version 2012-10-17 without an id.
    pub fn new(statements: Vec<Statement>) -> Self {
        Self {
            version: Version::V2012,
            id: None,
            statements,
        }
    }

    /// Parses JSON text. Percent-encoding must be undone before.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let value: Value = serde_json::from_str(text).map_err(|e| PolicyError {
            at: "document".to_owned(),
            why: format!("not valid JSON: {e}"),
        })?;
        Self::from_json(&value)
    }

    /// Reads a JSON value by the grammar of policy documents; an element that the grammar does not have is an error,
    /// because what it would mean is not known.
    pub fn from_json(value: &Value) -> Result<Self, PolicyError> {
        let object = object(value, "document")?;
        let (mut version, mut id, mut statements) = (Version::V2008, None, None);
        for (key, value) in object {
            match key.as_str() {
                "Version" => version = parse_version(value)?,
                "Id" => id = Some(text(value, "Id")?.to_owned()),
                "Statement" => statements = Some(parse_statements(value)?),
                other => return Err(error(other, "unknown element")),
            }
        }
        Ok(Self {
            version,
            id,
            statements: statements.ok_or_else(|| error("Statement", "missing"))?,
        })
    }

    /// The document as JSON, in the spelling that this program writes: one-element lists as scalars.
    pub fn to_json(&self) -> Value {
        let Self {
            version,
            id,
            statements,
        } = self;
        let mut object = Map::new();
        let version = match version {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        object.insert("Version".to_owned(), json!(version));
        if let Some(id) = id {
            object.insert("Id".to_owned(), json!(id));
        }
        let statements: Vec<Value> = statements.iter().map(Statement::to_json).collect();
        object.insert("Statement".to_owned(), Value::Array(statements));
        Value::Object(object)
    }
}

impl fmt::Display for PolicyDocument {
    /// Compact JSON: the text that is sent to AWS.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

impl Statement {
    /// The statement as JSON.
    pub fn to_json(&self) -> Value {
        let Self {
            sid,
            effect,
            principal,
            action,
            resource,
            conditions,
        } = self;
        let mut object = Map::new();
        if let Some(sid) = sid {
            object.insert("Sid".to_owned(), json!(sid));
        }
        let effect = match effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        object.insert("Effect".to_owned(), json!(effect));
        if let Some(principal) = principal {
            let value = principals_to_json(principal.listed());
            object.insert(clause_key(principal, "Principal"), value);
        }
        object.insert(
            clause_key(action, "Action"),
            scalar_or_list(action.listed()),
        );
        if let Some(resource) = resource {
            let value = scalar_or_list(resource.listed());
            object.insert(clause_key(resource, "Resource"), value);
        }
        if !conditions.is_empty() {
            object.insert("Condition".to_owned(), conditions_to_json(conditions));
        }
        Value::Object(object)
    }
}

fn clause_key<T>(clause: &Clause<T>, key: &str) -> String {
    if clause.is_negated() {
        format!("Not{key}")
    } else {
        key.to_owned()
    }
}

fn scalar_or_list(values: &[String]) -> Value {
    match values {
        [one] => json!(one),
        many => json!(many),
    }
}

fn principals_to_json(principals: &Principals) -> Value {
    let Principals::Listed(listed) = principals else {
        return json!("*");
    };
    let mut object = Map::new();
    for (kind, name) in [
        (PrincipalKind::Aws, "AWS"),
        (PrincipalKind::Service, "Service"),
        (PrincipalKind::Federated, "Federated"),
        (PrincipalKind::CanonicalUser, "CanonicalUser"),
    ] {
        let of_kind: Vec<String> = listed
            .iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, v)| v.clone())
            .collect();
        if !of_kind.is_empty() {
            object.insert(name.to_owned(), scalar_or_list(&of_kind));
        }
    }
    Value::Object(object)
}

fn conditions_to_json(conditions: &[Condition]) -> Value {
    let mut object = Map::new();
    for Condition {
        operator,
        key,
        values,
    } in conditions
    {
        let block = object.entry(operator.clone()).or_insert_with(|| json!({}));
        if let Value::Object(block) = block {
            block.insert(key.clone(), scalar_or_list(values));
        }
    }
    Value::Object(object)
}

fn parse_version(value: &Value) -> Result<Version, PolicyError> {
    match text(value, "Version")? {
        "2012-10-17" => Ok(Version::V2012),
        "2008-10-17" => Ok(Version::V2008),
        other => Err(error("Version", &format!("`{other}` is not a version"))),
    }
}

fn parse_statements(value: &Value) -> Result<Vec<Statement>, PolicyError> {
    match value {
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(i, v)| parse_statement(v, &format!("Statement[{i}]")))
            .collect(),
        one => Ok(vec![parse_statement(one, "Statement")?]),
    }
}

fn parse_statement(value: &Value, at: &str) -> Result<Statement, PolicyError> {
    let (mut sid, mut effect, mut principal) = (None, None, None);
    let (mut action, mut resource, mut conditions) = (None, None, Vec::new());
    for (key, value) in object(value, at)? {
        let here = format!("{at}.{key}");
        match key.as_str() {
            "Sid" => sid = Some(text(value, &here)?.to_owned()),
            "Effect" => effect = Some(parse_effect(value, &here)?),
            "Principal" | "NotPrincipal" => {
                set_once(
                    &mut principal,
                    negated(key),
                    parse_principals(value, &here)?,
                    &here,
                )?;
            }
            "Action" | "NotAction" => {
                set_once(&mut action, negated(key), strings(value, &here)?, &here)?;
            }
            "Resource" | "NotResource" => {
                set_once(&mut resource, negated(key), strings(value, &here)?, &here)?;
            }
            "Condition" => conditions = parse_conditions(value, &here)?,
            _ => return Err(error(&here, "unknown element")),
        }
    }
    Ok(Statement {
        sid,
        effect: effect.ok_or_else(|| error(&format!("{at}.Effect"), "missing"))?,
        principal,
        action: action.ok_or_else(|| error(&format!("{at}.Action"), "missing"))?,
        resource,
        conditions,
    })
}

fn negated(key: &str) -> bool {
    key.starts_with("Not")
}

fn set_once<T>(
    slot: &mut Option<Clause<T>>,
    negated: bool,
    value: T,
    at: &str,
) -> Result<(), PolicyError> {
    if slot.is_some() {
        return Err(error(at, "stands beside its own negation"));
    }
    *slot = Some(if negated {
        Clause::Not(value)
    } else {
        Clause::Is(value)
    });
    Ok(())
}

fn parse_effect(value: &Value, at: &str) -> Result<Effect, PolicyError> {
    match text(value, at)? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(error(at, &format!("`{other}` is neither Allow nor Deny"))),
    }
}

fn parse_principals(value: &Value, at: &str) -> Result<Principals, PolicyError> {
    if let Value::String(text) = value {
        return match text.as_str() {
            "*" => Ok(Principals::Everyone),
            other => Err(error(
                at,
                &format!("`{other}` must stand under AWS, Service or Federated"),
            )),
        };
    }
    let mut listed = Vec::new();
    for (key, value) in object(value, at)? {
        let here = format!("{at}.{key}");
        let kind = match key.as_str() {
            "AWS" => PrincipalKind::Aws,
            "Service" => PrincipalKind::Service,
            "Federated" => PrincipalKind::Federated,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            _ => return Err(error(&here, "unknown kind of principal")),
        };
        listed.extend(strings(value, &here)?.into_iter().map(|v| (kind, v)));
    }
    Ok(Principals::Listed(listed))
}

fn parse_conditions(value: &Value, at: &str) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, block) in object(value, at)? {
        let here = format!("{at}.{operator}");
        for (key, values) in object(block, &here)? {
            conditions.push(Condition {
                operator: operator.clone(),
                key: key.clone(),
                values: scalars(values, &format!("{here}.{key}"))?,
            });
        }
    }
    Ok(conditions)
}

fn strings(value: &Value, at: &str) -> Result<Vec<String>, PolicyError> {
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(list) => list
            .iter()
            .map(|v| text(v, at).map(str::to_owned))
            .collect(),
        _ => Err(error(at, "a string or a list of strings is expected")),
    }
}

/// Condition values: IAM takes booleans and numbers for their spelling.
fn scalars(value: &Value, at: &str) -> Result<Vec<String>, PolicyError> {
    let one = |v: &Value| match v {
        Value::String(s) => Ok(s.clone()),
        Value::Bool(b) => Ok(b.to_string()),
        Value::Number(n) => Ok(n.to_string()),
        _ => Err(error(at, "a string, a number or a boolean is expected")),
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        scalar => Ok(vec![one(scalar)?]),
    }
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, PolicyError> {
    value
        .as_object()
        .ok_or_else(|| error(at, "an object is expected"))
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str, PolicyError> {
    value
        .as_str()
        .ok_or_else(|| error(at, "a string is expected"))
}

fn error(at: &str, why: &str) -> PolicyError {
    PolicyError {
        at: at.to_owned(),
        why: why.to_owned(),
    }
}
