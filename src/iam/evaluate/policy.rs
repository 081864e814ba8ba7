//! Policies as the evaluator wants them: read once, with patterns, variables and operators prepared.
//! Holds statements against a request one by one; which layer they belong to is decided in `layers`.

use serde_json::Value;

use super::condition::Condition;
use super::pattern::{Glob, Style};
use super::principal::{self, Meant};
use super::request::Request;
use super::truth::Truth;
use super::variables::Template;
use crate::model::policy::{
    Clause, Effect, PolicyDocument, PolicyError, Principals, Statement as Written, Version,
};

/// A policy and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPolicy {
    name: String,
    body: Result<Vec<Statement>, String>,
}

impl NamedPolicy {
    /// Prepares a document.
    pub fn new(name: impl Into<String>, document: &PolicyDocument) -> Self {
        let PolicyDocument {
            version,
            id: _,
            statements,
        } = document;
        let statements = statements.iter().map(|s| Statement::new(s, *version));
        Self {
            name: name.into(),
            body: Ok(statements.collect()),
        }
    }

    /// Prepares a document given as JSON text, percent-encoding undone. A text that is no policy document makes a policy
    /// that cannot be read.
    pub fn from_text(name: impl Into<String>, text: &str) -> Self {
        Self::from_result(name, PolicyDocument::parse(text))
    }

    /// Prepares a document given as a JSON object, or as a JSON string that holds the text of one.
    pub fn from_json(name: impl Into<String>, value: &Value) -> Self {
        match value {
            Value::String(text) => Self::from_text(name, text),
            other => Self::from_result(name, PolicyDocument::from_json(other)),
        }
    }

    /// A policy that exists, but cannot be read, and why.
    pub fn unreadable(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            body: Err(why.into()),
        }
    }

    fn from_result(name: impl Into<String>, read: Result<PolicyDocument, PolicyError>) -> Self {
        match read {
            Ok(document) => Self::new(name, &document),
            Err(why) => Self::unreadable(name, why.to_string()),
        }
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The statements, or why they cannot be read.
    pub(super) fn statements(&self) -> Result<&[Statement], &str> {
        match &self.body {
            Ok(statements) => Ok(statements),
            Err(why) => Err(why),
        }
    }
}

/// What is asked, with what every statement needs prepared once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// The request.
    pub(super) request: &'a Request,
    /// The action in lower case.
    pub(super) action: &'a str,
}

/// An action pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ActionPattern {
    /// `*`.
    Every,
    /// `service:Action`, both in lower case.
    Of { service: Glob, action: Glob },
    /// Anything else, as written.
    Unreadable(String),
}

impl ActionPattern {
    /// Source: IAM user guide, "IAM JSON policy elements: Action": a service namespace and the action's name, "the prefix
    /// and the action name are case insensitive".
    fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        match lower.split_once(':') {
            Some((service, action)) => Self::Of {
                service: Glob::parse(service, Style::Plain),
                action: Glob::parse(action, Style::Plain),
            },
            None if !lower.is_empty() && lower.bytes().all(|b| b == b'*') => Self::Every,
            None => Self::Unreadable(text.to_owned()),
        }
    }

    fn matches(&self, asked: &str) -> Truth {
        match self {
            Self::Every => Truth::Yes,
            Self::Of { service, action } => asked
                .split_once(':')
                .is_some_and(|(s, a)| service.matches(s) && action.matches(a))
                .into(),
            Self::Unreadable(text) => Truth::unreadable(format!("`{text}` is not an action")),
        }
    }
}

/// One statement, prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) principal: Option<Clause<Principals>>,
    action: Clause<Vec<ActionPattern>>,
    resource: Option<Clause<Vec<Template>>>,
    conditions: Vec<Condition>,
}

impl Statement {
    fn new(written: &Written, version: Version) -> Self {
        let Written {
            sid,
            effect,
            principal,
            action,
            resource,
            conditions,
        } = written;
        Self {
            sid: sid.clone(),
            effect: *effect,
            principal: principal.clone(),
            action: map(action, ActionPattern::new),
            resource: resource
                .as_ref()
                .map(|clause| map(clause, |text| Template::resource(text, version))),
            conditions: conditions
                .iter()
                .map(|c| Condition::new(c, version))
                .collect(),
        }
    }

    /// Whether the action is meant.
    pub(super) fn covers_action(&self, question: Question<'_>) -> Truth {
        let listed = self.action.listed().iter();
        let any = Truth::any(listed.map(|pattern| pattern.matches(question.action)));
        negate_if(self.action.is_negated(), any)
    }

    /// Whether the resource is meant; none where the statement has no `Resource`.
    pub(super) fn covers_resource(&self, question: Question<'_>) -> Option<Truth> {
        let clause = self.resource.as_ref()?;
        let Request {
            resource, context, ..
        } = question.request;
        let listed = clause.listed().iter();
        let any = Truth::any(listed.map(|template| template.matches(resource, context)));
        Some(negate_if(clause.is_negated(), any))
    }

    /// Whether all conditions hold.
    pub(super) fn conditions_hold(&self, question: Question<'_>) -> Truth {
        let context = &question.request.context;
        Truth::all(
            self.conditions
                .iter()
                .map(|c| c.holds(context, self.effect)),
        )
    }

    /// How the statement means the caller; none where it has no `Principal`.
    pub(super) fn means(&self, question: Question<'_>) -> Option<Meant> {
        let caller = &question.request.principal;
        let element = self.principal.as_ref()?;
        Some(match self.effect {
            Effect::Allow => principal::allows(element, caller),
            Effect::Deny => Meant {
                directly: principal::denies(element, caller),
                by_role: Truth::No,
                by_account: Truth::No,
            },
        })
    }

    /// Why an Allow that is about this action does not apply; none where the action is another.
    pub(super) fn near_miss(&self, question: Question<'_>) -> Option<String> {
        if self.effect == Effect::Deny || self.covers_action(question).is_no() {
            return None;
        }
        if self.covers_resource(question).is_some_and(|t| t.is_no()) {
            return Some("it is for other resources".to_owned());
        }
        if self.means(question).is_some_and(|m| m.at_all().is_no()) {
            return Some("it is for other principals".to_owned());
        }
        let context = &question.request.context;
        let failed = self
            .conditions
            .iter()
            .find(|c| c.holds(context, self.effect).is_no())?;
        Some(format!("its condition {} does not hold", failed.label()))
    }
}

fn map<T>(clause: &Clause<Vec<String>>, read: impl Fn(&str) -> T) -> Clause<Vec<T>> {
    let items = clause.listed().iter().map(|text| read(text)).collect();
    if clause.is_negated() {
        Clause::Not(items)
    } else {
        Clause::Is(items)
    }
}

fn negate_if(negated: bool, truth: Truth) -> Truth {
    if negated { !truth } else { truth }
}
