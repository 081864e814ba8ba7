//! Two documents of one pipeline side by side: whether they say the same, and what differs, in words.
//! It compares values as AWS sent them and judges nothing; whose a difference is, `plan` knows.

use std::fmt;

use serde_json::{Map, Value};

use super::PipelineDocument;
use super::view::{ActionView, StageView};

/// Something that is not in both documents alike, told as what happens on the way from the first to the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stage; none where it is about the pipeline itself.
    pub stage: Option<String>,
    /// The action; none where it is about the stage itself.
    pub action: Option<String>,
    /// What happens to it.
    pub how: How,
}

/// What happens to a part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It is only in the second document.
    Comes,
    /// It is only in the first.
    Goes,
    /// It is in both, with other values in these fields.
    Changes(Vec<String>),
    /// What is in it stands in another order.
    Reorders,
}

/// What both documents hold of their own and AWS alone counts.
const COUNTED: &str = "version";

impl PipelineDocument {
    /// True where both say the same, in whatever order of keys; their versions do not count.
    pub fn says_the_same(&self, other: &Self) -> bool {
        changed(self.as_json(), other.as_json(), &[COUNTED]).is_empty()
    }

    /// What happens on the way from this document to the other.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let fields = changed(self.as_json(), other.as_json(), &["stages", COUNTED]);
        if !fields.is_empty() {
            found.push(about(None, None, How::Changes(fields)));
        }
        let (now, then): (Vec<_>, Vec<_>) = (self.stages().collect(), other.stages().collect());
        for stage in &now {
            match then.iter().find(|one| one.name() == stage.name()) {
                Some(one) => stages(*stage, *one, &mut found),
                None => found.push(about(Some(stage.name()), None, How::Goes)),
            }
        }
        for stage in &then {
            if !now.iter().any(|one| one.name() == stage.name()) {
                found.push(about(Some(stage.name()), None, How::Comes));
            }
        }
        let names = |all: &[StageView<'_>]| all.iter().map(|one| one.name().to_owned()).collect();
        if reordered(names(&now), names(&then)) {
            found.push(about(None, None, How::Reorders));
        }
        found
    }

    /// This document with the version of the one that it is put in the place of: what UpdatePipeline is given otherwise, too.
    #[must_use]
    pub fn in_place_of(&self, current: &Self) -> Self {
        let Self { pipeline, secrets } = self;
        let mut pipeline = pipeline.clone();
        if let (Some(object), Some(version)) =
            (pipeline.as_object_mut(), current.as_json().get(COUNTED))
        {
            // `insert` on a key that is there keeps its position.
            object.insert(COUNTED.to_owned(), version.clone());
        }
        Self {
            pipeline,
            secrets: secrets.clone(),
        }
    }
}

fn stages(now: StageView<'_>, then: StageView<'_>, found: &mut Vec<Difference>) {
    let stage = Some(now.name());
    let fields = changed(now.json(), then.json(), &["actions"]);
    if !fields.is_empty() {
        found.push(about(stage, None, How::Changes(fields)));
    }
    let (before, after): (Vec<_>, Vec<_>) = (now.actions().collect(), then.actions().collect());
    for action in &before {
        let name = Some(action.name());
        match after.iter().find(|one| one.name() == action.name()) {
            None => found.push(about(stage, name, How::Goes)),
            Some(one) => {
                let fields = changed(action.json(), one.json(), &[]);
                if !fields.is_empty() {
                    found.push(about(stage, name, How::Changes(fields)));
                }
            }
        }
    }
    for action in &after {
        if !before.iter().any(|one| one.name() == action.name()) {
            found.push(about(stage, Some(action.name()), How::Comes));
        }
    }
    let names = |all: &[ActionView<'_>]| all.iter().map(|one| one.name().to_owned()).collect();
    if reordered(names(&before), names(&after)) {
        found.push(about(stage, None, How::Reorders));
    }
}

fn about(stage: Option<&str>, action: Option<&str>, how: How) -> Difference {
    Difference {
        stage: stage.map(str::to_owned),
        action: action.map(str::to_owned),
        how,
    }
}

/// The fields whose values are not alike, those of one side only among them.
fn changed(one: &Value, other: &Value, but: &[&str]) -> Vec<String> {
    let empty = Map::new();
    let one = one.as_object().unwrap_or(&empty);
    let other = other.as_object().unwrap_or(&empty);
    let only = other.keys().filter(|key| !one.contains_key(*key));
    let all = one.keys().chain(only);
    all.filter(|key| !but.contains(&key.as_str()) && one.get(*key) != other.get(*key))
        .cloned()
        .collect()
}

/// True where what is in both stands in another order, or the same name stands another number of times.
fn reordered(mut one: Vec<String>, mut other: Vec<String>) -> bool {
    let (all, others) = (one.clone(), other.clone());
    one.retain(|name| others.contains(name));
    other.retain(|name| all.contains(name));
    one != other
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, action, how } = self;
        match (stage, action) {
            (Some(stage), Some(action)) => write!(f, "action {stage}/{action}")?,
            (Some(stage), None) => write!(f, "stage {stage}")?,
            (None, _) => f.write_str("the pipeline itself")?,
        }
        match how {
            How::Comes => f.write_str(" is added"),
            How::Goes => f.write_str(" is taken out"),
            How::Changes(fields) => write!(f, " changes ({})", fields.join(", ")),
            How::Reorders => f.write_str(" gets another order"),
        }
    }
}
