//! The trust policy of an invoke role: whom it must trust, and our statement in a trust policy that is somebody else's.
//! Documents only; which of them is written is decided in `roles`.

use serde_json::Value;

use crate::iam::compare;
use crate::iam::documents::{Trusted, trust_sid, trust_statement};
use crate::model::json;
use crate::model::policy::{PolicyDocument, Statement};
use crate::model::wiring::{Trust, Wiring};

use super::join::JoinedGate;

/// The statement that trusts the pipelines of these gates; none while a pipeline's service role is not known.
///
/// Where all pipelines are in the function's own account, the account's own policies decide and no condition is needed.
pub(super) fn statement(wiring: &Wiring, gates: &[&JoinedGate<'_>]) -> Option<Statement> {
    let first = gates.first()?;
    let trusted: Option<Vec<Trusted>> = gates
        .iter()
        .map(|g| {
            Some(Trusted {
                account: g.pipeline_account.clone(),
                service_role: g.service_role.clone()?,
            })
        })
        .collect();
    Some(trust_statement(
        trust_sid(&wiring.project),
        first.gate.partition(),
        &trusted?,
        is_narrow(gates),
    ))
}

/// Whether the role trusts the pipelines' service roles only.
pub(super) fn is_narrow(gates: &[&JoinedGate<'_>]) -> bool {
    let is_across = |g: &&JoinedGate<'_>| g.pipeline_account != g.function_account;
    let crosses = gates.iter().any(is_across);
    let first = gates.first();
    crosses && first.is_some_and(|first| first.gate.role.trust == Trust::ServiceRole)
}

/// A whole trust policy of one statement.
pub(super) fn document(statement: &Statement) -> PolicyDocument {
    PolicyDocument::new(vec![statement.clone()])
}

/// A trust policy that is somebody else's, with our statement in it as it stands.
pub(super) struct Adopted {
    raw: Value,
    sid: String,
}

/// The form of `Statement` before we added ours: kept in the value of the tag `crossgate:adopted`, so that a teardown can
/// give back the very value.
const LIST: &str = "list";
const OBJECT: &str = "object";

impl Adopted {
    pub(super) fn parse(wiring: &Wiring, text: &str) -> Result<Self, String> {
        PolicyDocument::parse(text).map_err(|e| e.to_string())?;
        let raw = json::parse(text).map_err(|e| e.to_string())?;
        let sid = trust_sid(&wiring.project);
        Ok(Self { raw, sid })
    }

    pub(super) fn raw(&self) -> &Value {
        &self.raw
    }

    /// The value for the tag `crossgate:adopted`.
    pub(super) fn form(&self) -> &'static str {
        match self.raw.get("Statement") {
            Some(Value::Object(_)) => OBJECT,
            _ => LIST,
        }
    }

    /// True when our statement is there and grants just what is wanted.
    pub(super) fn holds(&self, wanted: &Statement) -> bool {
        match self.ours().as_slice() {
            [one] => parse(one).is_some_and(|found| compare::equivalent(&found, &document(wanted))),
            _ => false,
        }
    }

    pub(super) fn has_ours(&self) -> bool {
        !self.ours().is_empty()
    }

    /// The document with our statement, in its place if it is there already.
    pub(super) fn with(&self, wanted: &Statement) -> Value {
        let mut statements = self.statements();
        let wanted = wanted.to_json();
        match statements.iter().position(|s| self.is_ours(s)) {
            Some(place) => {
                let mut kept = 0;
                statements.retain(|s| {
                    kept += usize::from(self.is_ours(s));
                    !self.is_ours(s) || kept == 1
                });
                if let Some(slot) = statements.get_mut(place) {
                    *slot = wanted;
                }
            }
            None => statements.push(wanted),
        }
        self.replaced(Value::Array(statements))
    }

    /// The document without our statement; `form` is the tag's value.
    pub(super) fn without(&self, form: &str) -> Value {
        let mut statements = self.statements();
        statements.retain(|s| !self.is_ours(s));
        let one = if form == OBJECT && statements.len() == 1 {
            statements.pop()
        } else {
            None
        };
        self.replaced(one.unwrap_or(Value::Array(statements)))
    }

    fn statements(&self) -> Vec<Value> {
        match self.raw.get("Statement") {
            Some(Value::Array(list)) => list.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        }
    }

    fn ours(&self) -> Vec<Value> {
        let mut statements = self.statements();
        statements.retain(|s| self.is_ours(s));
        statements
    }

    fn is_ours(&self, statement: &Value) -> bool {
        statement.get("Sid").and_then(Value::as_str) == Some(self.sid.as_str())
    }

    fn replaced(&self, statements: Value) -> Value {
        let mut raw = self.raw.clone();
        if let Value::Object(object) = &mut raw {
            object.insert("Statement".to_owned(), statements);
        }
        raw
    }
}

fn parse(statement: &Value) -> Option<PolicyDocument> {
    let version = serde_json::json!({"Version": "2012-10-17", "Statement": statement});
    PolicyDocument::from_json(&version).ok()
}
