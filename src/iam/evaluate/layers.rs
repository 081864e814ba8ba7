//! The layers of policies that bear on a request, and what each of them says to it.
//! Does not combine them: that is `logic`.

use std::fmt;

use super::policy::{NamedPolicy, Question, Statement};
use super::principal::Meant;
use super::truth::Truth;
use crate::model::policy::Effect;

/// Policies that were read, or why they were not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer<T> {
    /// What is there.
    Known(T),
    /// It could not be read, and why. It may deny and may allow.
    Unreadable(String),
}

impl<T: Default> Default for Layer<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

/// The policies that are attached to one level of an organization: root, organizational unit or account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The level's name.
    pub target: String,
    /// What is attached there.
    pub policies: Vec<NamedPolicy>,
}

/// All policies that bear on a request. The default is a caller and a resource without any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policies {
    /// The caller's inline and attached policies, with those of its groups.
    pub identity: Layer<Vec<NamedPolicy>>,
    /// The resource's own policy: for `sts:AssumeRole` the role's trust policy.
    pub resource: Layer<Option<NamedPolicy>>,
    /// The caller's permissions boundary; empty for none.
    pub boundary: Layer<Vec<NamedPolicy>>,
    /// The session policies that were passed when the session was made; empty for none.
    pub session: Layer<Vec<NamedPolicy>>,
    /// The service control policies over the caller's account, one entry a level; empty where the account is in no
    /// organization or is the management account, which SCPs do not affect.
    pub scps: Layer<Vec<Level>>,
    /// The resource control policies over the resource's account, one entry a level. `RCPFullAWSAccess`, which cannot be
    /// detached, is implied.
    pub rcps: Layer<Vec<Level>>,
}

/// Where a policy stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// At a level of the caller's organization.
    Scp(String),
    /// At a level of the resource's organization.
    Rcp(String),
    /// On the caller.
    Identity,
    /// On the resource.
    Resource,
    /// The caller's permissions boundary.
    Boundary,
    /// The caller's session.
    Session,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scp(level) => write!(f, "scp:{level}"),
            Self::Rcp(level) => write!(f, "rcp:{level}"),
            Self::Identity => f.write_str("identity"),
            Self::Resource => f.write_str("resource"),
            Self::Boundary => f.write_str("boundary"),
            Self::Session => f.write_str("session"),
        }
    }
}

/// A statement that applies, or may.
#[derive(Debug, Clone)]
pub(super) struct Hit<'a> {
    pub(super) policy: &'a NamedPolicy,
    pub(super) index: usize,
    pub(super) statement: &'a Statement,
    /// Yes or unknown.
    pub(super) applies: Truth,
}

/// What one place says to a request.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    pub(super) place: Place,
    pub(super) policies: &'a [NamedPolicy],
    /// Whether a Deny applies.
    pub(super) denies: Truth,
    /// Whether an Allow applies, and, in a resource's policy, how it means the caller. Elsewhere all is `directly`.
    pub(super) allows: Meant,
    pub(super) hits: Vec<Hit<'a>>,
}

impl<'a> Finding<'a> {
    /// Holds a place's policies against the question.
    pub(super) fn new(place: Place, policies: &'a [NamedPolicy], question: Question<'_>) -> Self {
        let mut finding = Self {
            place,
            policies,
            denies: Truth::No,
            allows: Meant::NOT,
            hits: Vec::new(),
        };
        for policy in policies {
            match policy.statements() {
                Ok(statements) => {
                    for (index, statement) in statements.iter().enumerate() {
                        finding.add(policy, index, statement, question);
                    }
                }
                Err(why) => {
                    let place = &finding.place;
                    let name = policy.name();
                    finding.open(&format!(
                        "the {place} policy `{name}` cannot be read: {why}"
                    ));
                }
            }
        }
        finding
    }

    /// A place whose policies could not be read.
    pub(super) fn unreadable(place: Place, why: &str) -> Self {
        let what = format!("the {place} policies cannot be read: {why}");
        let mut finding = Self {
            place,
            policies: &[],
            denies: Truth::No,
            allows: Meant::NOT,
            hits: Vec::new(),
        };
        finding.open(&what);
        finding
    }

    /// Something here may deny and may allow.
    fn open(&mut self, what: &str) {
        let unknown = Truth::unreadable(what);
        self.denies = self.denies.clone().or(unknown.clone());
        self.allows = self.allows.clone().or(Meant {
            directly: unknown.clone(),
            by_role: unknown.clone(),
            by_account: unknown,
        });
    }

    fn add(
        &mut self,
        policy: &'a NamedPolicy,
        index: usize,
        statement: &'a Statement,
        question: Question<'_>,
    ) {
        let meant = applies(&self.place, statement, question);
        let applies = meant.at_all();
        if applies.is_no() {
            return;
        }
        match statement.effect {
            Effect::Deny => self.denies = self.denies.clone().or(applies.clone()),
            Effect::Allow => self.allows = self.allows.clone().or(meant),
        }
        self.hits.push(Hit {
            policy,
            index,
            statement,
            applies,
        });
    }
}

/// Whether a statement applies, from the cheapest element to the dearest.
fn applies(place: &Place, statement: &Statement, question: Question<'_>) -> Meant {
    let action = statement.covers_action(question);
    if action.is_no() {
        return Meant::NOT;
    }
    let resource = match (statement.covers_resource(question), place) {
        (Some(covers), _) => covers,
        // A trust policy has no `Resource`; other resource policies are about the resource that they stand on.
        (None, Place::Resource) => Truth::Yes,
        (None, _) => Truth::unreadable(format!("a statement of a {place} policy has no Resource")),
    };
    if resource.is_no() {
        return Meant::NOT;
    }
    let meant = match (statement.means(question), place) {
        (Some(meant), Place::Resource | Place::Rcp(_)) => meant,
        (None, Place::Scp(_) | Place::Identity | Place::Boundary | Place::Session) => {
            Meant::directly(Truth::Yes)
        }
        (None, Place::Resource | Place::Rcp(_)) => Meant::directly(Truth::unreadable(format!(
            "a statement of a {place} policy has no Principal"
        ))),
        (Some(_), _) => Meant::directly(Truth::unreadable(format!(
            "a statement of a {place} policy has a Principal"
        ))),
    };
    if meant.at_all().is_no() {
        return Meant::NOT;
    }
    let conditions = statement.conditions_hold(question);
    meant.and(&action.and(resource).and(conditions))
}
