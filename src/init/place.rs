//! Where a new gate goes in a pipeline: where it is asked for, else before what looks like production.
//! It proposes and refuses; the document is changed by `model::pipeline::patch` only.

use std::fmt;

use super::name::{stage_and_action, words};
use crate::config::did_you_mean;
use crate::model::name::{ActionName, GateName, StageName};
use crate::model::pipeline::{ActionView, PipelineDocument, StageView};
use crate::model::wiring::Placement;

/// What is asked of the place; `None`: to be proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The stage, new or there.
    pub stage: Option<StageName>,
    /// The action.
    pub action: Option<ActionName>,
    /// Where a new stage goes.
    pub placement: Option<Placement>,
}

/// A place for a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The stage.
    pub stage: StageName,
    /// The action, which the stage does not have yet.
    pub action: ActionName,
    /// Where the stage goes; none where it is there.
    pub placement: Option<Placement>,
}

/// Why there is no gate where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceError {
    /// The stage that a new one is to stand beside is not there.
    NoStage {
        /// The stage.
        stage: StageName,
        /// Which stages there are, or the nearest.
        help: String,
    },
    /// The first stage takes source actions only (guide: reference-pipeline-structure).
    Source {
        /// The first stage.
        stage: String,
    },
    /// A stage beside itself.
    Beside {
        /// The stage.
        stage: StageName,
    },
    /// The stage has an action of that name.
    Taken {
        /// The stage.
        stage: StageName,
        /// The action.
        action: ActionName,
    },
    /// No name could be proposed: there are too many like it.
    NoName,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStage { stage, help } => {
                write!(f, "the pipeline has no stage `{stage}`: {help}")
            }
            Self::Source { stage } => write!(
                f,
                "`{stage}` is the pipeline's first stage: it holds source actions only, and nothing stands before it"
            ),
            Self::Beside { stage } => write!(f, "stage `{stage}` cannot stand beside itself"),
            Self::Taken { stage, action } => write!(
                f,
                "stage `{stage}` has an action `{action}` that does not invoke this function in the function's account"
            ),
            Self::NoName => f.write_str("no free name for the stage or the action was found"),
        }
    }
}

/// The place that is asked for, what is missing proposed.
///
/// A stage that is there gets the action added; a new one goes where `wanted` says, else after the last stage that deploys or
/// tests before what looks like production.
///
/// # Errors
/// What is asked for cannot be.
pub fn place(
    document: &PipelineDocument,
    gate: &GateName,
    wanted: &Wanted,
) -> Result<Place, PlaceError> {
    let Wanted {
        stage,
        action,
        placement,
    } = wanted;
    let (stage_name, action_name) = stage_and_action(gate);
    let stage = match stage {
        Some(stage) => stage.clone(),
        None => free(&stage_name, |name| find(document, name).is_none())
            .and_then(|name| StageName::new(&name).ok())
            .ok_or(PlaceError::NoName)?,
    };
    check(document, &stage, placement.as_ref())?;
    let there = find(document, stage.as_str());
    let taken = |name: &str| there.is_some_and(|s| s.actions().any(|a| a.name() == name));
    let action = match action {
        Some(action) if taken(action.as_str()) => {
            let action = action.clone();
            return Err(PlaceError::Taken { stage, action });
        }
        Some(action) => action.clone(),
        None => free(&action_name, |name| !taken(name))
            .and_then(|name| ActionName::new(&name).ok())
            .ok_or(PlaceError::NoName)?,
    };
    let placement = match (placement, there) {
        (Some(placement), _) => Some(placement.clone()),
        (None, Some(_)) => None,
        (None, None) => proposed(document).map(Placement::After),
    };
    Ok(Place {
        stage,
        action,
        placement,
    })
}

/// The stages after which a new one may stand, in order, and which of them is proposed.
pub fn places(document: &PipelineDocument) -> (Vec<StageName>, usize) {
    let stages: Vec<StageName> = document
        .stages()
        .filter_map(|stage| StageName::new(stage.name()).ok())
        .collect();
    let proposed = proposed(document);
    let at = stages.iter().position(|s| Some(s) == proposed.as_ref());
    let last = stages.len().saturating_sub(1);
    (stages, at.unwrap_or(last))
}

/// What is asked for, held against the stages that are there.
fn check(
    document: &PipelineDocument,
    stage: &StageName,
    placement: Option<&Placement>,
) -> Result<(), PlaceError> {
    let first = document
        .stages()
        .next()
        .map(|first| first.name().to_owned());
    let is_first = |name: &StageName| first.as_deref() == Some(name.as_str());
    let source = |stage: &StageName| PlaceError::Source {
        stage: stage.to_string(),
    };
    if is_first(stage) {
        return Err(source(stage));
    }
    let Some(placement) = placement else {
        return Ok(());
    };
    let (Placement::After(anchor) | Placement::Before(anchor)) = placement;
    if anchor == stage {
        return Err(PlaceError::Beside {
            stage: stage.clone(),
        });
    }
    if find(document, anchor.as_str()).is_none() {
        let known: Vec<&str> = document.stages().map(StageView::name).collect();
        return Err(PlaceError::NoStage {
            stage: anchor.clone(),
            help: did_you_mean(anchor.as_str(), "stages", &known),
        });
    }
    match placement {
        Placement::Before(anchor) if is_first(anchor) => Err(source(anchor)),
        Placement::Before(_) | Placement::After(_) => Ok(()),
    }
}

/// After the last stage that deploys or tests before what looks like production: a gate behind the release would guard
/// nothing. Without such a stage, after the last one before production; without that, after the last one.
fn proposed(document: &PipelineDocument) -> Option<StageName> {
    let stages: Vec<StageView<'_>> = document.stages().collect();
    let production = stages.iter().skip(1).position(|s| is_production(*s));
    let before = stages.get(..production.map_or(stages.len(), |at| at + 1))?;
    let works = |stage: &&StageView<'_>| {
        let mut categories = stage.actions().filter_map(ActionView::category);
        categories.any(|category| matches!(category, "Deploy" | "Test"))
    };
    let chosen = before.iter().rev().find(works).or_else(|| before.last())?;
    StageName::new(chosen.name()).ok()
}

/// True where the stage, or an action in it that deploys, is named as people name production.
fn is_production(stage: StageView<'_>) -> bool {
    let deploys = |action: &ActionView<'_>| action.category() == Some("Deploy");
    let mut actions = stage.actions().filter(deploys);
    names_production(stage.name()) || actions.any(|action| names_production(action.name()))
}

fn names_production(name: &str) -> bool {
    let words = words(name);
    words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let negated = before.is_some_and(|word| matches!(word.as_str(), "pre" | "non" | "not"));
        matches!(
            word.as_str(),
            "prod" | "prd" | "production" | "live" | "release"
        ) && !negated
    })
}

fn find<'a>(document: &'a PipelineDocument, name: &str) -> Option<StageView<'a>> {
    document.stages().find(|stage| stage.name() == name)
}

/// The name, or the name with a number, 2 to 99.
fn free(name: &str, is_free: impl Fn(&str) -> bool) -> Option<String> {
    let numbered = (2..100).map(|n| format!("{name}{n}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| is_free(name))
}
