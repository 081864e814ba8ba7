//! The answer to a request: verdict, reason, and the statements it rests on.
//! Words and values only; how the verdict comes about is in `logic`.

use std::fmt;

use super::layers::{Finding, Hit, Place};
use super::policy::Question;
use super::truth::Gap;
use crate::model::policy::Effect;

/// What AWS will answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// A Deny applies.
    ExplicitlyDenied,
    /// No Allow applies where one is needed.
    ImplicitlyDenied,
    /// It depends on something that is not known; see `Decision::gaps`.
    NotProven,
    /// Allowed, whatever is not known.
    Allowed,
}

impl Verdict {
    /// The verdict's name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExplicitlyDenied => "ExplicitlyDenied",
            Self::ImplicitlyDenied => "ImplicitlyDenied",
            Self::NotProven => "NotProven",
            Self::Allowed => "Allowed",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::ExplicitlyDenied,
            Self::ImplicitlyDenied,
            Self::NotProven,
            Self::Allowed,
        ]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
    }

    /// True if the request will not go through.
    pub fn is_denied(self) -> bool {
        match self {
            Self::ExplicitlyDenied | Self::ImplicitlyDenied => true,
            Self::NotProven | Self::Allowed => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A statement on which a decision rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRef {
    /// The layer.
    pub place: Place,
    /// The policy's name.
    pub policy: String,
    /// The statement's position, from 0.
    pub index: usize,
    /// Its id.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// Why it does not apply, or why that is not known; none for a statement that applies.
    pub note: Option<String>,
}

impl StatementRef {
    /// Policy, position and id, for a person: `policy `p`, Statement[1] (NoLambda)`.
    fn position(&self) -> String {
        let Self {
            policy, index, sid, ..
        } = self;
        match sid {
            Some(sid) => format!("policy `{policy}`, Statement[{index}] ({sid})"),
            None => format!("policy `{policy}`, Statement[{index}]"),
        }
    }

    /// For the reason of a denial: the place first.
    pub(super) fn located(&self) -> String {
        format!("{}: {}", self.place, self.position())
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        write!(f, "{effect} in {} {}", self.place, self.position())?;
        match &self.note {
            Some(note) => write!(f, ": {note}"),
            None => Ok(()),
        }
    }
}

/// The decision on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What AWS will answer.
    pub verdict: Verdict,
    /// Why, in one line.
    pub reason: String,
    /// Explicitly denied: the Denies. Allowed: the Allows. Implicitly denied: the Allows that come near, with what they
    /// lack. Not proven: the statements of which it is not known whether they apply.
    pub statements: Vec<StatementRef>,
    /// What is not known, if not proven.
    pub gaps: Vec<Gap>,
    /// The places that allow nothing where they would have to, if implicitly denied; the nearest to the caller first.
    pub lacking: Vec<Place>,
}

/// The statements of these findings with the effect, that certainly apply or may, as asked.
pub(super) fn hits(
    findings: &[Finding<'_>],
    effect: Option<Effect>,
    certain: bool,
) -> Vec<StatementRef> {
    let wanted = |hit: &&Hit<'_>| {
        effect.is_none_or(|e| hit.statement.effect == e) && hit.applies.is_yes() == certain
    };
    findings
        .iter()
        .flat_map(|finding| {
            let place = &finding.place;
            finding
                .hits
                .iter()
                .filter(wanted)
                .map(move |hit| StatementRef {
                    place: place.clone(),
                    policy: hit.policy.name().to_owned(),
                    index: hit.index,
                    sid: hit.statement.sid.clone(),
                    effect: hit.statement.effect,
                    note: hit.applies.gap().map(Gap::to_string),
                })
        })
        .collect()
}

/// The Allows about this action that do not apply, in the places that allow nothing.
pub(super) fn near_misses(findings: &[Finding<'_>], question: Question<'_>) -> Vec<StatementRef> {
    let mut found = Vec::new();
    for finding in findings.iter().filter(|f| f.allows.at_all().is_no()) {
        for policy in finding.policies {
            let statements = policy.statements().unwrap_or_default();
            for (index, statement) in statements.iter().enumerate() {
                if let Some(note) = statement.near_miss(question) {
                    found.push(StatementRef {
                        place: finding.place.clone(),
                        policy: policy.name().to_owned(),
                        index,
                        sid: statement.sid.clone(),
                        effect: statement.effect,
                        note: Some(note),
                    });
                }
            }
        }
    }
    found
}
