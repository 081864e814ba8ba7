//! How a policy document is read: strictly, as what an element means that the grammar does not have is not known.
//! It judges the form only; what the document grants is not looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    Clause, Condition, Effect, PolicyDocument, PolicyError, PrincipalKind, Principals, Statement,
    Version,
};

impl PolicyDocument {
    /// Parses JSON text. Percent-encoding must be undone before.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let json: Json<'_> = serde_json::from_str(text).map_err(|e| PolicyError {
            at: "document".to_owned(),
            why: format!("not valid JSON: {e}"),
        })?;
        document(&json)
    }

    /// Reads a JSON value by the grammar of policy documents; an element that the grammar does not have is an error,
    /// because what it would mean is not known.
    pub fn from_json(value: &Value) -> Result<Self, PolicyError> {
        document(&Json::from(value))
    }
}

/// JSON as it is read: no text is copied that need not be. Policies are read by the thousand, and each is gone the next moment.
#[derive(Debug, PartialEq)]
enum Json<'t> {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(String),
    Text(Cow<'t, str>),
    List(Vec<Self>),
    /// In the order of the text. Of two equal keys the last holds, in the place of the first.
    Object(Fields<'t>),
}

/// What `serde_json` names the one field of a number whose spelling it keeps (`arbitrary_precision`).
const NUMBER: &str = "$serde_json::private::Number";

/// The fields of an object.
type Fields<'t> = Vec<(Cow<'t, str>, Json<'t>)>;

/// So many fields are compared each with each; more are sorted.
const FEW: usize = 8;

/// Of equal keys the last, in the place of the first.
fn last_of_each(fields: Fields<'_>) -> Fields<'_> {
    let is_new = |(at, (key, _)): (usize, &(Cow<'_, str>, Json<'_>))| {
        !fields.iter().take(at).any(|(known, _)| known == key)
    };
    if fields.len() <= FEW && fields.iter().enumerate().all(is_new) {
        return fields;
    }
    let mut places: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    let mut last: Fields<'_> = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        match places.entry(key.clone()) {
            Entry::Occupied(known) => {
                if let Some((_, known)) = last.get_mut(*known.get()) {
                    *known = value;
                }
            }
            Entry::Vacant(new) => {
                new.insert(last.len());
                last.push((key, value));
            }
        }
    }
    last
}

impl<'t> From<&'t Value> for Json<'t> {
    fn from(value: &'t Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(*is),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(fields) => Self::Object(
                fields
                    .iter()
                    .map(|(key, value)| (Cow::Borrowed(key.as_str()), Self::from(value)))
                    .collect(),
            ),
        }
    }
}

impl<'t> Deserialize<'t> for Json<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'t> Visitor<'t> for JsonVisitor {
    type Value = Json<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'t>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Json<'t>, E> {
        Ok(Json::Bool(is))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'t>, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'t>, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Json<'t>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'t>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Json<'t>, E> {
        Ok(Json::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<Json<'t>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut entries: A) -> Result<Json<'t>, A::Error> {
        let mut fields = Vec::new();
        while let Some(Key(key)) = entries.next_key()? {
            let value = entries.next_value()?;
            if fields.is_empty() && key == NUMBER {
                return match value {
                    Json::Text(number) => Ok(Json::Number(number.into_owned())),
                    _ => Err(de::Error::custom("invalid number")),
                };
            }
            fields.push((key, value));
        }
        Ok(Json::Object(last_of_each(fields)))
    }
}

/// A key, borrowed where it has no escape.
struct Key<'t>(Cow<'t, str>);

impl<'t> Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'t> Visitor<'t> for KeyVisitor {
            type Value = Key<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string key")
            }

            fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

fn document(json: &Json<'_>) -> Result<PolicyDocument, PolicyError> {
    let (mut version, mut id, mut statements) = (Version::V2008, None, None);
    for (key, value) in object(json).map_err(|e| e.within("document"))? {
        let read = match key.as_ref() {
            "Version" => parse_version(value).map(|found| version = found),
            "Id" => text(value).map(|found| id = Some(found.to_owned())),
            "Statement" => parse_statements(value).map(|found| statements = Some(found)),
            _ => Err(error("", "unknown element")),
        };
        read.map_err(|e| e.within(key))?;
    }
    Ok(PolicyDocument {
        version,
        id,
        statements: statements.ok_or_else(|| error("Statement", "missing"))?,
    })
}

fn parse_version(value: &Json<'_>) -> Result<Version, PolicyError> {
    match text(value)? {
        "2012-10-17" => Ok(Version::V2012),
        "2008-10-17" => Ok(Version::V2008),
        other => Err(error("", &format!("`{other}` is not a version"))),
    }
}

fn parse_statements(value: &Json<'_>) -> Result<Vec<Statement>, PolicyError> {
    let Json::List(list) = value else {
        return Ok(vec![parse_statement(value)?]);
    };
    let numbered = list.iter().enumerate();
    let one = |(i, json)| parse_statement(json).map_err(|e| e.within(&format!("[{i}]")));
    numbered.map(one).collect()
}

fn parse_statement(value: &Json<'_>) -> Result<Statement, PolicyError> {
    let mut parts = Parts::default();
    for (key, value) in object(value)? {
        parts.read(key, value).map_err(|e| e.within(key))?;
    }
    let Parts {
        sid,
        effect,
        principal,
        action,
        resource,
        conditions,
    } = parts;
    Ok(Statement {
        sid,
        effect: effect.ok_or_else(|| error("Effect", "missing"))?,
        principal,
        action: action.ok_or_else(|| error("Action", "missing"))?,
        resource,
        conditions,
    })
}

/// A statement while it is read.
#[derive(Default)]
struct Parts {
    sid: Option<String>,
    effect: Option<Effect>,
    principal: Option<Clause<Principals>>,
    action: Option<Clause<Vec<String>>>,
    resource: Option<Clause<Vec<String>>>,
    conditions: Vec<Condition>,
}

impl Parts {
    fn read(&mut self, key: &str, value: &Json<'_>) -> Result<(), PolicyError> {
        match key {
            "Sid" => self.sid = Some(text(value)?.to_owned()),
            "Effect" => self.effect = Some(parse_effect(value)?),
            "Principal" | "NotPrincipal" => {
                set_once(&mut self.principal, key, parse_principals(value)?)?;
            }
            "Action" | "NotAction" => set_once(&mut self.action, key, strings(value)?)?,
            "Resource" | "NotResource" => set_once(&mut self.resource, key, strings(value)?)?,
            "Condition" => self.conditions = parse_conditions(value)?,
            _ => return Err(error("", "unknown element")),
        }
        Ok(())
    }
}

fn set_once<T>(slot: &mut Option<Clause<T>>, key: &str, value: T) -> Result<(), PolicyError> {
    if slot.is_some() {
        return Err(error("", "stands beside its own negation"));
    }
    *slot = Some(if key.starts_with("Not") {
        Clause::Not(value)
    } else {
        Clause::Is(value)
    });
    Ok(())
}

fn parse_effect(value: &Json<'_>) -> Result<Effect, PolicyError> {
    match text(value)? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(error("", &format!("`{other}` is neither Allow nor Deny"))),
    }
}

fn parse_principals(value: &Json<'_>) -> Result<Principals, PolicyError> {
    if let Json::Text(text) = value {
        return match text.as_ref() {
            "*" => Ok(Principals::Everyone),
            other => Err(error(
                "",
                &format!("`{other}` must stand under AWS, Service or Federated"),
            )),
        };
    }
    let mut listed = Vec::new();
    for (key, value) in object(value)? {
        let kind = match key.as_ref() {
            "AWS" => PrincipalKind::Aws,
            "Service" => PrincipalKind::Service,
            "Federated" => PrincipalKind::Federated,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            _ => return Err(error(key, "unknown kind of principal")),
        };
        let named = strings(value).map_err(|e| e.within(key))?;
        listed.extend(named.into_iter().map(|v| (kind, v)));
    }
    Ok(Principals::Listed(listed))
}

fn parse_conditions(value: &Json<'_>) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, block) in object(value)? {
        for (key, values) in object(block).map_err(|e| e.within(operator))? {
            let values = scalars(values).map_err(|e| e.within(key).within(operator))?;
            conditions.push(Condition {
                operator: operator.clone().into_owned(),
                key: key.clone().into_owned(),
                values,
            });
        }
    }
    Ok(conditions)
}

fn strings(value: &Json<'_>) -> Result<Vec<String>, PolicyError> {
    match value {
        Json::Text(one) => Ok(vec![one.clone().into_owned()]),
        Json::List(list) => list.iter().map(|v| text(v).map(str::to_owned)).collect(),
        _ => Err(error("", "a string or a list of strings is expected")),
    }
}

/// Condition values: IAM takes booleans and numbers for their spelling.
fn scalars(value: &Json<'_>) -> Result<Vec<String>, PolicyError> {
    let one = |v: &Json<'_>| match v {
        Json::Text(text) => Ok(text.clone().into_owned()),
        Json::Bool(is) => Ok(is.to_string()),
        Json::Number(number) => Ok(number.clone()),
        Json::Null | Json::List(_) | Json::Object(_) => {
            Err(error("", "a string, a number or a boolean is expected"))
        }
    };
    match value {
        Json::List(list) => list.iter().map(one).collect(),
        scalar => Ok(vec![one(scalar)?]),
    }
}

fn object<'j, 't>(value: &'j Json<'t>) -> Result<&'j Fields<'t>, PolicyError> {
    match value {
        Json::Object(fields) => Ok(fields),
        _ => Err(error("", "an object is expected")),
    }
}

fn text<'j>(value: &'j Json<'_>) -> Result<&'j str, PolicyError> {
    match value {
        Json::Text(text) => Ok(text),
        _ => Err(error("", "a string is expected")),
    }
}

fn error(at: &str, why: &str) -> PolicyError {
    PolicyError {
        at: at.to_owned(),
        why: why.to_owned(),
    }
}

impl PolicyError {
    /// The same error, seen from one level above.
    fn within(self, outer: &str) -> Self {
        let Self { at, why } = self;
        let dot = if at.is_empty() || at.starts_with('[') {
            ""
        } else {
            "."
        };
        Self {
            at: format!("{outer}{dot}{at}"),
            why,
        }
    }
}
