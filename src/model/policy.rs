//! A policy document as IAM's grammar has it: parsed strictly, written back in one canonical spelling.
//! Values only: what two documents grant is compared in `iam::compare`, what they decide in `iam::evaluate`.

mod parse;
#[cfg(test)]
mod tests;
mod write;

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
}
