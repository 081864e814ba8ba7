//! What a check found, as values that every report is made from: findings, and the cases that were looked at.
//! Text in here is harmless already (`sanitize`); what a report's own syntax asks for is escaped by that report.

mod collect;
mod rules;

use std::collections::BTreeMap;

use crate::model::name::GateName;
use crate::model::status::Status;

pub(super) use rules::Rule;

/// Where the manifest is and where its gates stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The path with `/`, relative to the repository (or, outside of one, to the folder of the run); else absolute.
    pub path: String,
    /// Line and column of each gate, both from 1.
    pub gates: BTreeMap<GateName, (usize, usize)>,
}

/// What was asked, and by what rules the answer is weighed.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The code that the process will end with.
    pub exit_code: u8,
}

/// Everything that a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The command.
    pub(super) command: String,
    /// How it ended.
    pub(super) status: Status,
    /// The code that the process will end with.
    pub(super) exit_code: u8,
    /// The project; none where the command failed before it was known.
    pub(super) project: Option<String>,
    /// The manifest's path.
    pub(super) manifest: String,
    /// The lines that sum it up.
    pub(super) summary: Vec<String>,
    /// What to do next, as an order in one sentence.
    pub(super) next: Option<String>,
    /// What is not as it shall be, or worth knowing.
    pub(super) list: Vec<Finding>,
    /// Everything that was looked at, or was to be.
    pub(super) cases: Vec<Case>,
}

/// One thing that is not as it shall be, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// What kind of finding.
    pub(super) rule: &'static Rule,
    /// How grave.
    pub(super) level: Level,
    /// True where it says that something could not be seen, not that it is wrong.
    pub(super) unseen: bool,
    /// Stable from run to run, unique in a run: a change's id, or one of the same make.
    pub(super) id: String,
    /// The gates that it is about, sorted.
    pub(super) gates: Vec<String>,
    /// `tools (111111111111)`.
    pub(super) account: Option<String>,
    /// The thing in words: `inline policy role/policy`, `hop 1, sts:AssumeRole`.
    pub(super) subject: Subject,
    /// What is the matter, in one line.
    pub(super) message: String,
    /// What to do, in one line.
    pub(super) hint: Option<String>,
    /// The difference, or the statements that decide, line by line.
    pub(super) details: Vec<String>,
    /// Where its gates stand in the manifest; at least one.
    pub(super) places: Vec<Place>,
}

/// What a finding or a case is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// The kind of thing, in our own words.
    pub(super) noun: String,
    /// Its name, which somebody else gave it; empty where the noun says it all.
    pub(super) name: String,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    /// The command does not end well because of it.
    Error,
    /// To be known: a pending change of a plan, a warning.
    Warning,
    /// Worth knowing.
    Note,
}

/// A place in the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The gate that stands there; none where nothing nearer than the file is known.
    pub(super) gate: Option<String>,
    /// The line, from 1.
    pub(super) line: usize,
    /// The column in characters, from 1.
    pub(super) column: usize,
}

/// One thing that was looked at, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// What it belongs to: `account tools (111111111111)`, `gate validate`.
    pub(super) suite: String,
    /// The same in one word, for a class name: `tools`, `validate`.
    pub(super) class: String,
    /// The thing itself, unique in its suite.
    pub(super) name: String,
    /// Where its gate stands in the manifest.
    pub(super) place: Place,
    /// What came of it.
    pub(super) outcome: Outcome,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is as it shall be.
    Passed,
    /// It is not, for these findings (indices into [`Findings::list`]; at least one).
    Failed(Vec<usize>),
    /// It could not be read or decided, for these findings (at least one).
    Errored(Vec<usize>),
    /// It was not looked at, or nothing can be said of it, for this reason.
    Skipped(String),
}

impl Findings {
    /// The finding of an index of a case.
    pub(super) fn of<'a>(&'a self, indices: &'a [usize]) -> impl Iterator<Item = &'a Finding> {
        indices.iter().filter_map(|index| self.list.get(*index))
    }

    /// The rules of the findings, each once, sorted by id.
    pub(super) fn rules(&self) -> Vec<&'static Rule> {
        let by_id: BTreeMap<&str, &'static Rule> =
            self.list.iter().map(|f| (f.rule.id, f.rule)).collect();
        by_id.into_values().collect()
    }

    /// True where everything that was asked for was seen; else what is said is not the whole.
    pub(super) fn is_whole(&self) -> bool {
        match self.status {
            Status::InSync | Status::Changes | Status::Applied | Status::Drift => true,
            Status::Incomplete | Status::Partial | Status::Failed => false,
        }
    }
}

impl Subject {
    /// Noun and name in one line.
    pub(super) fn words(&self) -> String {
        if self.name.is_empty() {
            self.noun.clone()
        } else {
            format!("{} {}", self.noun, self.name)
        }
    }
}

impl Place {
    /// The first line, where nothing nearer is known.
    pub(super) fn top() -> Self {
        Self {
            gate: None,
            line: 1,
            column: 1,
        }
    }
}

impl Level {
    /// The word for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}
