//! What is asked: who wants to do what to which resource, with which context keys.
//! Values only: nothing is decided here.

use std::collections::HashMap;

use super::principal::Principal;
use crate::model::account::AccountId;

/// One call to AWS, as the authorization sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The caller.
    pub principal: Principal,
    /// The action, for example `sts:AssumeRole`; compared without case.
    pub action: String,
    /// The resource's ARN, or `*` for an action without resource-level permissions.
    pub resource: String,
    /// The account that holds the resource.
    pub resource_account: AccountId,
    /// The context keys.
    pub context: Context,
}

impl Request {
    /// A request. The role behind a role session is taken from `aws:PrincipalArn` where the context has it, because a
    /// session's ARN does not show the role's path (IAM user guide, global condition keys, `aws:PrincipalArn`).
    pub fn new(
        principal: Principal,
        action: impl Into<String>,
        resource: impl Into<String>,
        resource_account: AccountId,
        context: Context,
    ) -> Self {
        let principal = match context.get("aws:principalarn") {
            Lookup::Values { values: [arn], .. } => principal.with_role_arn(arn),
            Lookup::Values { .. } | Lookup::Absent | Lookup::Unknown => principal,
        };
        Self {
            principal,
            action: action.into(),
            resource: resource.into(),
            resource_account,
            context,
        }
    }
}

/// The value of one context key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// Present. `multivalued` is a property of the key, not of the number of values.
    Present {
        values: Vec<String>,
        multivalued: bool,
    },
    /// Known to be absent from the request.
    Absent,
    /// May be present or absent, with any value.
    Unknown,
}

/// What is known of one context key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Present with at least one value.
    Values {
        /// The values.
        values: &'a [String],
        /// True for a key that may hold several values, such as `aws:TagKeys`.
        multivalued: bool,
    },
    /// Absent.
    Absent,
    /// Not known.
    Unknown,
}

/// The context keys of a request. Names are compared without case, tag keys included (IAM user guide, "IAM JSON policy
/// elements: Condition": context key names are not case-sensitive).
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    entries: HashMap<String, Entry>,
    unnamed_are_absent: bool,
}

impl Context {
    /// A context of which every key is named: what is not named is absent from the request.
    pub fn complete() -> Self {
        Self {
            entries: HashMap::new(),
            unnamed_are_absent: true,
        }
    }

    /// A context of which only some keys are known: what is not named may have any value.
    pub fn partial() -> Self {
        Self {
            entries: HashMap::new(),
            unnamed_are_absent: false,
        }
    }

    /// Adds a single-valued key.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        let values = vec![value.into()];
        self.put(
            key,
            Entry::Present {
                values,
                multivalued: false,
            },
        )
    }

    /// Adds a multivalued key. A key without values counts as absent.
    #[must_use]
    pub fn with_list<S: Into<String>>(
        self,
        key: &str,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            return self.put(key, Entry::Absent);
        }
        values.sort();
        self.put(
            key,
            Entry::Present {
                values,
                multivalued: true,
            },
        )
    }

    /// Adds a key that the request certainly does not have.
    #[must_use]
    pub fn with_absent(self, key: &str) -> Self {
        self.put(key, Entry::Absent)
    }

    /// Adds a key of which nothing is known.
    #[must_use]
    pub fn with_unknown(self, key: &str) -> Self {
        self.put(key, Entry::Unknown)
    }

    /// Adds the keys that follow from the caller alone.
    ///
    /// Source: IAM user guide, "AWS global condition context keys": `aws:PrincipalArn` of a role session is the role's
    /// ARN; a service has `aws:PrincipalServiceName` and none of the account's keys.
    #[must_use]
    pub fn with_principal(self, principal: &Principal) -> Self {
        let service = match principal {
            Principal::Service(name) => Some(name.as_str()),
            Principal::Role { .. }
            | Principal::RoleSession { .. }
            | Principal::User { .. }
            | Principal::FederatedUser { .. }
            | Principal::Root { .. }
            | Principal::Provider(_) => None,
        };
        let context = match service {
            Some(name) => self.with("aws:PrincipalServiceName", name),
            None => self.with_absent("aws:PrincipalServiceName"),
        };
        let context = context.with("aws:PrincipalIsAWSService", service.is_some().to_string());
        let context = match principal.account() {
            Some(account) => context.with("aws:PrincipalAccount", account),
            None => context.with_absent("aws:PrincipalAccount"),
        };
        match principal.principal_arn() {
            Some(arn) => context.with("aws:PrincipalArn", arn),
            None if principal.account().is_some() => context.with_unknown("aws:PrincipalArn"),
            None => context.with_absent("aws:PrincipalArn"),
        }
    }

    /// What is known of a key; the name must be in lower case.
    pub fn get(&self, lower_key: &str) -> Lookup<'_> {
        match self.entries.get(lower_key) {
            Some(Entry::Present {
                values,
                multivalued,
            }) => Lookup::Values {
                values,
                multivalued: *multivalued,
            },
            Some(Entry::Absent) => Lookup::Absent,
            None if self.unnamed_are_absent => Lookup::Absent,
            Some(Entry::Unknown) | None => Lookup::Unknown,
        }
    }

    fn put(mut self, key: &str, entry: Entry) -> Self {
        self.entries.insert(key.to_lowercase(), entry);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_are_compared_without_case() {
        let context = Context::complete().with("aws:PrincipalTag/Team", "ci");
        let values = &["ci".to_owned()][..];
        let multivalued = false;
        assert_eq!(
            context.get("aws:principaltag/team"),
            Lookup::Values {
                values,
                multivalued
            }
        );
    }

    #[test]
    fn what_is_not_named_is_absent_or_unknown() {
        assert_eq!(Context::complete().get("aws:sourceip"), Lookup::Absent);
        assert_eq!(Context::partial().get("aws:sourceip"), Lookup::Unknown);
        let context = Context::partial().with_absent("sts:ExternalId");
        assert_eq!(context.get("sts:externalid"), Lookup::Absent);
    }

    #[test]
    fn a_key_without_values_is_absent() {
        let context = Context::complete().with_list("aws:TagKeys", Vec::<String>::new());
        assert_eq!(context.get("aws:tagkeys"), Lookup::Absent);
    }
}
