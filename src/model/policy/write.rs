//! How a policy document is written: in one canonical spelling, one-element lists as scalars.
//! It writes values as they are; what they should be is decided elsewhere.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{
    Clause, Condition, Effect, PolicyDocument, PrincipalKind, Principals, Statement, Version,
};

impl PolicyDocument {
    /// The document as JSON, in the spelling that this program writes.
    pub fn to_json(&self) -> Value {
        as_value(self)
    }
}

impl Statement {
    /// The statement as JSON.
    pub fn to_json(&self) -> Value {
        as_value(self)
    }
}

impl fmt::Display for PolicyDocument {
    /// Compact JSON: the text that is sent to AWS.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// What is written here are maps with texts as keys, which every value holds.
fn as_value(written: &impl Serialize) -> Value {
    serde_json::to_value(written).unwrap_or_default()
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            version,
            id,
            statements,
        } = self;
        let mut map = serializer.serialize_map(None)?;
        let version = match version {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        map.serialize_entry("Version", version)?;
        if let Some(id) = id {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", statements)?;
        map.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            sid,
            effect,
            principal,
            action,
            resource,
            conditions,
        } = self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = sid {
            map.serialize_entry("Sid", sid)?;
        }
        let effect = match effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        map.serialize_entry("Effect", effect)?;
        match principal {
            None => {}
            Some(Clause::Is(who)) => map.serialize_entry("Principal", who)?,
            Some(Clause::Not(who)) => map.serialize_entry("NotPrincipal", who)?,
        }
        match action {
            Clause::Is(actions) => map.serialize_entry("Action", &Values(actions))?,
            Clause::Not(actions) => map.serialize_entry("NotAction", &Values(actions))?,
        }
        match resource {
            None => {}
            Some(Clause::Is(what)) => map.serialize_entry("Resource", &Values(what))?,
            Some(Clause::Not(what)) => map.serialize_entry("NotResource", &Values(what))?,
        }
        if !conditions.is_empty() {
            map.serialize_entry("Condition", &Conditions(conditions))?;
        }
        map.end()
    }
}

impl Serialize for Principals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self::Listed(listed) = self else {
            return serializer.serialize_str("*");
        };
        let mut map = serializer.serialize_map(None)?;
        for (kind, name) in [
            (PrincipalKind::Aws, "AWS"),
            (PrincipalKind::Service, "Service"),
            (PrincipalKind::Federated, "Federated"),
            (PrincipalKind::CanonicalUser, "CanonicalUser"),
        ] {
            let of_kind = listed.iter().filter(|(k, _)| *k == kind);
            let of_kind: Vec<&str> = of_kind.map(|(_, v)| v.as_str()).collect();
            if !of_kind.is_empty() {
                map.serialize_entry(name, &Values(&of_kind))?;
            }
        }
        map.end()
    }
}

/// One text as it is, several as a list.
struct Values<'v, T>(&'v [T]);

impl<T: Serialize> Serialize for Values<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

/// Conditions by their operators, each in the place where it stands first.
struct Conditions<'c>(&'c [Condition]);

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blocks: Vec<(&str, Vec<&Condition>)> = Vec::new();
        for condition in self.0 {
            let operator = condition.operator.as_str();
            match blocks.iter_mut().find(|(known, _)| *known == operator) {
                Some((_, block)) => block.push(condition),
                None => blocks.push((operator, vec![condition])),
            }
        }
        let mut map = serializer.serialize_map(None)?;
        for (operator, block) in blocks {
            map.serialize_entry(operator, &Block(&block))?;
        }
        map.end()
    }
}

/// The conditions of one operator. Of two with one key the last holds.
struct Block<'c>(&'c [&'c Condition]);

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, condition) in self.0.iter().enumerate() {
            let same = |other: &&&Condition| other.key == condition.key;
            if self.0.iter().take(at).any(|other| same(&other)) {
                continue;
            }
            let last = self.0.iter().rfind(same).unwrap_or(condition);
            map.serialize_entry(&condition.key, &Values(&last.values))?;
        }
        map.end()
    }
}
