//! The policy of a bucket or a key with a project's statements in it: raw JSON, every other statement as it stands.
//! Values only: which statements are ours to add is decided in `plan`; `apply` sends what comes out of here.

use serde_json::{Value, json};

use super::artifact::PolicyHolder;
use super::json;
use super::policy::{PolicyDocument, Statement};
use super::write::Write;

/// A policy that is somebody's: ours in it are the statements with our Sids.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourcePolicy {
    /// None where there is no policy.
    raw: Option<Value>,
}

impl ResourcePolicy {
    /// Reads a policy's text; `None`: there is none.
    ///
    /// # Errors
    /// What is no policy document is not touched.
    pub fn parse(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text else {
            return Ok(Self { raw: None });
        };
        PolicyDocument::parse(text).map_err(|e| e.to_string())?;
        let raw = json::parse(text).map_err(|e| e.to_string())?;
        Ok(Self { raw: Some(raw) })
    }

    /// The document as it stands.
    pub fn raw(&self) -> Option<&Value> {
        self.raw.as_ref()
    }

    /// The statements with a Sid.
    pub fn with_sid<'s>(&'s self, sid: &str) -> impl Iterator<Item = &'s Value> {
        let is = move |statement: &&Value| sid_of(statement) == Some(sid);
        self.statements().iter().filter(is)
    }

    fn statements(&self) -> &[Value] {
        match self.raw.as_ref().and_then(|raw| raw.get("Statement")) {
            Some(Value::Array(list)) => list,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }

    /// The document with these statements of ours instead of the ones it has; `None`: nothing is left of it.
    ///
    /// Ours go to the end; in front where `Statement` was a bare object, so that when they are taken out again a single
    /// statement behind them tells that it stood there bare.
    pub fn with(&self, sids: &[String], wanted: &[Statement]) -> Option<Value> {
        let is_ours = |s: &Value| sid_of(s).is_some_and(|sid| sids.iter().any(|own| own == sid));
        let Some(raw) = &self.raw else {
            return (!wanted.is_empty()).then(|| PolicyDocument::new(wanted.to_vec()).to_json());
        };
        let all = self.statements();
        let first = all.iter().position(is_ours);
        let is_bare = matches!(raw.get("Statement"), Some(Value::Object(_)));
        if first.is_none() && wanted.is_empty() {
            return Some(raw.clone());
        }
        let mut left: Vec<Value> = all.iter().filter(|s| !is_ours(s)).cloned().collect();
        if wanted.is_empty() {
            let bare = if first == Some(0) && left.len() == 1 {
                left.pop()
            } else {
                None
            };
            if bare.is_none() && left.is_empty() {
                return None;
            }
            return Some(replaced(raw, bare.unwrap_or(Value::Array(left))));
        }
        // Nothing of ours stands before the first of ours, so its place is the same among those that are left.
        let place = match first {
            Some(place) => place,
            None if is_bare => 0,
            None => left.len(),
        };
        left.splice(place..place, wanted.iter().map(Statement::to_json));
        Some(replaced(raw, Value::Array(left)))
    }
}

fn sid_of(statement: &Value) -> Option<&str> {
    statement.get("Sid").and_then(Value::as_str)
}

fn replaced(raw: &Value, statements: Value) -> Value {
    let mut raw = raw.clone();
    if let Value::Object(object) = &mut raw {
        object.insert("Statement".to_owned(), statements);
    }
    raw
}

/// A planned change of our statements in one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyUpdate {
    /// Whose policy it is.
    pub holder: PolicyHolder,
    /// The Sids that are ours.
    pub sids: Vec<String>,
    /// Our statements as they shall be; empty: they shall be gone.
    pub wanted: Vec<Statement>,
    /// The text that the plan was made from; none where there was no policy.
    pub planned: Option<String>,
}

/// What is to be sent, if anything.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyRenewal {
    /// Send this; `moved`: somebody wrote the policy since the plan was made.
    Send {
        /// The call.
        write: Write,
        /// Whether the policy is another than the plan was made from.
        moved: bool,
    },
    /// The policy is as it shall be.
    NothingToDo,
    /// The plan does not hold any more; why.
    Stale(String),
}

impl PolicyUpdate {
    /// Makes the change anew from the policy as it is now. `None`: there is none.
    ///
    /// Neither S3 nor KMS has a compare-and-swap: the policy is read again just before it is written.
    pub fn renew(&self, fresh: Option<&str>) -> PolicyRenewal {
        let Self {
            holder,
            sids,
            wanted,
            planned,
        } = self;
        let found = match ResourcePolicy::parse(fresh) {
            Ok(found) => found,
            Err(why) => {
                return PolicyRenewal::Stale(format!(
                    "the policy of {holder} was changed since the plan was made and could not be understood: {why}"
                ));
            }
        };
        let after = found.with(sids, wanted);
        if after.as_ref() == found.raw() {
            return PolicyRenewal::NothingToDo;
        }
        let size = after.as_ref().map_or(0, |after| after.to_string().len());
        if size > holder.limit() {
            return PolicyRenewal::Stale(format!(
                "the policy of {holder} was changed since the plan was made and would have {size} bytes; AWS allows {}",
                holder.limit()
            ));
        }
        match write(holder, after) {
            Some(write) => PolicyRenewal::Send {
                write,
                moved: planned.as_deref() != fresh,
            },
            None => PolicyRenewal::Stale(format!(
                "nothing would be left of the policy of {holder}, and nobody could use or mend it any more"
            )),
        }
    }
}

/// The call that makes a policy what it shall be. None for a key without a policy: there is no such key.
fn write(holder: &PolicyHolder, after: Option<Value>) -> Option<Write> {
    Some(match (holder, after) {
        (PolicyHolder::Bucket { region, bucket, .. }, Some(document)) => Write::PutBucketPolicy {
            region: region.clone(),
            bucket: bucket.clone(),
            document: document.to_string(),
        },
        (PolicyHolder::Bucket { region, bucket, .. }, None) => Write::DeleteBucketPolicy {
            region: region.clone(),
            bucket: bucket.clone(),
        },
        (PolicyHolder::Key { key, .. }, Some(document)) => Write::PutKeyPolicy {
            key: key.clone(),
            document: document.to_string(),
        },
        (PolicyHolder::Key { .. }, None) => return None,
    })
}

/// The text of a backup: the policy as it was, indented, with a line end; `null` where there was none.
pub fn backup_text(policy: Option<&str>) -> String {
    let value = policy.map_or(Value::Null, |text| {
        json::parse(text).unwrap_or_else(|_| json!(text))
    });
    format!("{value:#}\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::policy::{Clause, Effect};

    fn ours(sid: &str) -> Statement {
        Statement {
            sid: Some(sid.to_owned()),
            effect: Effect::Allow,
            principal: None,
            action: Clause::Is(vec!["s3:GetObject".to_owned()]),
            resource: Some(Clause::Is(vec!["*".to_owned()])),
            conditions: Vec::new(),
        }
    }

    fn policy(raw: &Value) -> ResourcePolicy {
        ResourcePolicy::parse(Some(&raw.to_string())).unwrap()
    }

    fn sids() -> Vec<String> {
        vec!["crossgatePRead".to_owned(), "crossgatePWrite".to_owned()]
    }

    #[test]
    fn a_policy_of_ours_alone_is_gone_again_without_us() {
        let none = ResourcePolicy::parse(None).unwrap();
        let made = none.with(&sids(), &[ours("crossgatePRead")]).unwrap();
        assert_eq!(policy(&made).with(&sids(), &[]), None);
        assert_eq!(none.with(&sids(), &[]), None);
    }

    #[test]
    fn a_statement_of_another_project_is_not_ours() {
        let other =
            json!({"Version": "2012-10-17", "Statement": [ours("crossgatePReadRead").to_json()]});
        assert_eq!(policy(&other).with(&sids(), &[]).unwrap(), other);
        let both = policy(&other)
            .with(&sids(), &[ours("crossgatePWrite")])
            .unwrap();
        assert_eq!(both["Statement"][0], other["Statement"][0]);
        assert_eq!(policy(&both).with(&sids(), &[]).unwrap(), other);
    }

    proptest! {
        #[test]
        fn what_is_put_in_and_taken_out_again_leaves_the_very_value(
            count in 1_usize..4, bare in any::<bool>(), id in any::<bool>(), wanted in 1_usize..3,
        ) {
            let one = |i: usize| json!({"Sid": format!("S{i}"), "Effect": "Deny", "Principal": "*", "Action": ["s3:*"],
                "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": false}}});
            let list: Vec<Value> = (0..count).map(one).collect();
            let statement = if bare { list[0].clone() } else { Value::Array(list) };
            let mut raw = json!({"Version": "2008-10-17", "Statement": statement});
            if id {
                raw["Id"] = json!("SSEAndSSLPolicy");
            }
            let mine: Vec<Statement> = sids()[..wanted].iter().map(|sid| ours(sid)).collect();
            let with = policy(&raw).with(&sids(), &mine).unwrap();
            prop_assert_ne!(&with, &raw);
            prop_assert_eq!(policy(&with).with(&sids(), &mine).unwrap(), with.clone());
            prop_assert_eq!(policy(&with).with(&sids(), &[]).unwrap(), raw);
        }
    }
}
