//! Who calls: from an access key to a principal, with the policies that govern it.
//! Checks no signature and decides nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::managed;
use super::state::{Holder, Role, State, role_arn, role_parts};
use crate::iam::evaluate::{Layer, NamedPolicy, Principal};

/// A caller that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The account; empty for a service.
    pub(super) account: String,
    /// The ARN, as GetCallerIdentity gives it; a service's host name.
    pub(super) arn: String,
    /// `UserId` of GetCallerIdentity.
    pub(super) user_id: String,
    pub(super) holder: Who,
}

/// The kind of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    Root,
    User(String),
    Session {
        /// The role's name.
        role: String,
        /// The role's unique id when the session was made.
        role_id: String,
        /// The session policy.
        policy: Option<String>,
    },
    Service,
}

impl Who {
    /// The role's name, of a session.
    pub(super) fn role_of(&self) -> Option<&str> {
        match self {
            Self::Session { role, .. } => Some(role),
            Self::Root | Self::User(_) | Self::Service => None,
        }
    }
}

/// The policies of a caller's own.
pub(super) struct Own {
    pub(super) identity: Layer<Vec<NamedPolicy>>,
    pub(super) boundary: Layer<Vec<NamedPolicy>>,
    pub(super) session: Layer<Vec<NamedPolicy>>,
}

impl Caller {
    /// The account's root user.
    pub(super) fn root(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            user_id: account.to_owned(),
            holder: Who::Root,
        }
    }

    /// An AWS service.
    pub(super) fn service(host: &str) -> Self {
        Self {
            account: String::new(),
            arn: host.to_owned(),
            user_id: host.to_owned(),
            holder: Who::Service,
        }
    }

    /// A session of a role, however it came about.
    pub(super) fn session(
        account: &str,
        role: &Role,
        session: &str,
        policy: Option<String>,
    ) -> Self {
        Self {
            account: account.to_owned(),
            arn: format!(
                "arn:aws:sts::{account}:assumed-role/{}/{session}",
                role.name
            ),
            user_id: format!("{}:{session}", role.id),
            holder: Who::Session {
                role: role.name.clone(),
                role_id: role.id.clone(),
                policy,
            },
        }
    }

    /// The holder of an access key. None where the role or user is gone.
    pub(super) fn of_key(state: &State, account: &str, holder: &Holder) -> Option<Self> {
        match holder {
            Holder::Root => Some(Self::root(account)),
            Holder::User(name) => {
                let user = state.accounts.get(account)?.users.get(name)?;
                Some(Self {
                    account: account.to_owned(),
                    arn: format!("arn:aws:iam::{account}:user/{name}"),
                    user_id: user.id.clone(),
                    holder: Who::User(name.clone()),
                })
            }
            Holder::Session {
                role,
                role_id,
                session,
                policy,
            } => {
                let role = state.role(account, role)?;
                (role.id == *role_id).then(|| Self::session(account, role, session, policy.clone()))
            }
        }
    }

    /// The caller as the evaluator knows it.
    pub(super) fn principal(&self, state: &State) -> Option<Principal> {
        let principal = Principal::parse(&self.arn).ok()?;
        match &self.holder {
            Who::Session { role, .. } => {
                let role = state.role(&self.account, role)?;
                Some(principal.with_role_arn(&role_arn(&self.account, role)))
            }
            Who::Root | Who::User(_) | Who::Service => Some(principal),
        }
    }

    /// The policies that govern the caller.
    pub(super) fn own(&self, state: &State) -> Own {
        let mut own = Own {
            identity: Layer::Known(Vec::new()),
            boundary: Layer::Known(Vec::new()),
            session: Layer::Known(Vec::new()),
        };
        match &self.holder {
            Who::Root | Who::Service => {}
            Who::User(name) => {
                let user = state.accounts.get(&self.account);
                if let Some(user) = user.and_then(|a| a.users.get(name)) {
                    let inline = user.inline.iter();
                    let mut found: Vec<_> =
                        inline.map(|(n, t)| NamedPolicy::from_text(n, t)).collect();
                    found.extend(user.attached.iter().map(|arn| managed(state, arn)));
                    own.identity = Layer::Known(found);
                }
            }
            Who::Session { role, policy, .. } => {
                if let Some(role) = state.role(&self.account, role) {
                    own.identity = Layer::Known(of_role(state, role));
                    let boundary = role.boundary.iter();
                    own.boundary = Layer::Known(boundary.map(|arn| managed(state, arn)).collect());
                }
                let passed = policy.iter();
                own.session = Layer::Known(
                    passed
                        .map(|t| NamedPolicy::from_text("session policy", t))
                        .collect(),
                );
            }
        }
        own
    }
}

/// A role's inline and attached policies.
pub(super) fn of_role(state: &State, role: &Role) -> Vec<NamedPolicy> {
    let inline = role.inline.iter();
    let mut found: Vec<_> = inline.map(|(n, t)| NamedPolicy::from_text(n, t)).collect();
    found.extend(role.attached.iter().map(|arn| managed(state, arn)));
    found
}

fn managed(state: &State, arn: &str) -> NamedPolicy {
    let text = managed::document(state, arn);
    match text {
        Some(text) => NamedPolicy::from_text(arn, &text),
        None => NamedPolicy::unreadable(arn, "the policy is not in the sandbox"),
    }
}

/// A role's trust policy as it works now: a principal that was deleted, or made anew, is its old unique id.
pub(super) fn trust_now(state: &State, role: &Role) -> Value {
    policy_now(state, &role.trust, &role.trusted)
}

/// A policy of something that names principals, as it works now; `principals`: ARN and unique id at the time of writing.
pub(super) fn policy_now(
    state: &State,
    policy: &Value,
    principals: &BTreeMap<String, String>,
) -> Value {
    let mut trust = policy.clone();
    let dead: Vec<(&String, &String)> = principals
        .iter()
        .filter(|(arn, id)| state.unique_id(arn).as_ref() != Some(id))
        .collect();
    if dead.is_empty() {
        return trust;
    }
    let replace = |value: &mut Value| {
        if let Value::String(text) = value
            && let Some((_, id)) = dead.iter().find(|(arn, _)| *arn == text)
        {
            (*id).clone_into(text);
        }
    };
    for statement in super::documents::statements_mut(&mut trust) {
        for key in ["Principal", "NotPrincipal"] {
            let aws = statement.get_mut(key).and_then(|p| p.get_mut("AWS"));
            match aws {
                Some(Value::Array(list)) => list.iter_mut().for_each(replace),
                Some(one) => replace(one),
                None => {}
            }
        }
    }
    trust
}

/// The account and name of a role's ARN, where it is one.
pub(super) fn named_role(arn: &str) -> Option<(String, String)> {
    role_parts(arn).map(|(account, name)| (account.to_owned(), name.to_owned()))
}
