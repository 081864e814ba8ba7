//! Where stages of ours stand: new ones are put beside their anchor, drifted ones are moved back.
//! Stages that hold an action of somebody else never move, and nothing within a stage is touched.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::name::{GateName, StageName};
use super::super::wiring::Placement;
use super::request::{Refusal, Warning};
use super::view::StageView;

/// A stage that gates of the request stand in. Sorted by the first gate, so that the order of the request has no effect.
#[derive(Debug)]
pub(super) struct WantedStage<'a> {
    pub(super) name: &'a StageName,
    pub(super) placement: Option<&'a Placement>,
    /// The gates, sorted; never empty.
    pub(super) gates: Vec<&'a GateName>,
    /// The actions of a stage that is to be made; none where the stage is there.
    pub(super) new_actions: Vec<Value>,
}

/// What placing did.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The stages that were moved, with the reason.
    pub(super) moved: Vec<(StageName, String)>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<Warning>,
}

/// Places all stages in rounds: a stage waits until its anchor, if that is itself to be placed, has its place.
///
/// `is_ours` tells the stages that may be moved. `refused_makers` are the gates refused before, with the stage that each would
/// have made: only for a better message.
pub(super) fn place<'a>(
    stages: &mut Cow<'_, [Value]>,
    wanted: &'a [WantedStage<'a>],
    is_ours: &dyn Fn(StageView<'_>) -> bool,
    refused_makers: &[(&StageName, &GateName)],
) -> Placed {
    let mut placer = Placer {
        stages,
        wanted,
        refused_makers,
        placed: Placed::default(),
    };
    if wanted.iter().all(|want| placer.stands(want)) {
        return placer.placed;
    }
    let mut pending = placer.movable(is_ours);
    while !pending.is_empty() {
        let names: BTreeSet<&StageName> = pending.iter().map(|want| want.name).collect();
        let (ready, waiting): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|want| !want.placement.is_some_and(|p| names.contains(anchor_of(p))));
        if ready.is_empty() {
            placer.refuse_cycle(&waiting);
            break;
        }
        for want in ready {
            placer.settle(want);
        }
        pending = waiting;
    }
    placer.warn_of_ignored_placements(is_ours);
    placer.placed
}

/// The name of the stage that stands directly before the named one; `None` where it stands first or is not there.
pub(super) fn predecessor<'a>(stages: &'a [Value], name: &str) -> Option<&'a str> {
    let at = position(stages, name)?.checked_sub(1)?;
    stages.get(at).map(|stage| StageView(stage).name())
}

/// Where the named stage stands; the first of that name.
pub(super) fn position(stages: &[Value], name: &str) -> Option<usize> {
    stages
        .iter()
        .position(|stage| StageView(stage).name() == name)
}

fn anchor_of(placement: &Placement) -> &StageName {
    match placement {
        Placement::Before(anchor) | Placement::After(anchor) => anchor,
    }
}

fn words(placement: &Placement) -> String {
    match placement {
        Placement::Before(anchor) => format!("directly before {anchor}"),
        Placement::After(anchor) => format!("directly after {anchor}"),
    }
}

struct Placer<'a, 'b, 'd> {
    stages: &'b mut Cow<'d, [Value]>,
    wanted: &'a [WantedStage<'a>],
    refused_makers: &'b [(&'b StageName, &'b GateName)],
    placed: Placed,
}

impl<'a> Placer<'a, '_, '_> {
    /// The stages that are to be made or may have to be moved.
    fn movable(&self, is_ours: &dyn Fn(StageView<'_>) -> bool) -> Vec<&'a WantedStage<'a>> {
        let movable = |want: &&WantedStage<'_>| match self.stage(want.name) {
            Some(stage) => want.placement.is_some() && is_ours(stage),
            None => true,
        };
        self.wanted.iter().filter(movable).collect()
    }

    /// True where the stage is there, and in its place if it has one. Where all are, none moves another out of its place.
    fn stands(&self, want: &WantedStage<'_>) -> bool {
        let at = position(self.stages, want.name.as_str());
        let Some(placement) = want.placement else {
            return at.is_some();
        };
        let anchor = position(self.stages, anchor_of(placement).as_str());
        match (at, anchor) {
            (Some(at), Some(anchor)) => is_right(self.stages, at, anchor, placement),
            (None, _) | (_, None) => false,
        }
    }

    fn stage(&self, name: &StageName) -> Option<StageView<'_>> {
        let at = position(self.stages, name.as_str())?;
        self.stages.get(at).map(StageView)
    }

    fn settle(&mut self, want: &WantedStage<'_>) {
        let at = position(self.stages, want.name.as_str());
        let Some(placement) = want.placement else {
            if at.is_none() {
                self.stages.to_mut().push(new_stage(want));
            }
            return;
        };
        let Some(anchor) = position(self.stages, anchor_of(placement).as_str()) else {
            self.refuse_missing_anchor(want, anchor_of(placement));
            return;
        };
        if anchor == 0 && matches!(placement, Placement::Before(_)) {
            self.refuse_before_source(want, anchor_of(placement));
            return;
        }
        match at {
            None => self.insert(new_stage(want), want, placement),
            Some(at) if is_right(self.stages, at, anchor, placement) => {}
            Some(at) => {
                let stands = match predecessor(self.stages, want.name.as_str()) {
                    Some(before) => format!("the stage stands after {before}"),
                    None => "the stage stands first".to_owned(),
                };
                let reason = format!("{stands}, wanted {}", words(placement));
                self.placed.moved.push((want.name.clone(), reason));
                let stage = self.stages.to_mut().remove(at);
                self.insert(stage, want, placement);
            }
        }
    }

    /// Puts the stage beside its anchor. Stages of the request with the same placement stand in the order of their gates.
    fn insert(&mut self, stage: Value, want: &WantedStage<'_>, placement: &Placement) {
        let Some(anchor) = position(self.stages, anchor_of(placement).as_str()) else {
            return;
        };
        // A stage with actions of others may have the same placement, which is ignored there: it is no neighbour.
        let is_neighbour = |at: usize, earlier: bool| {
            let stage = self.stages.get(at).map(StageView);
            stage.filter(|s| s.is_gates_only()).is_some_and(|stage| {
                let mut others = self.wanted.iter();
                let other = others.find(|o| o.name.as_str() == stage.name());
                other.is_some_and(|o| {
                    o.placement == Some(placement) && (o.gates < want.gates) == earlier
                })
            })
        };
        let at = match placement {
            Placement::After(_) => {
                let mut at = anchor + 1;
                while is_neighbour(at, true) {
                    at += 1;
                }
                at
            }
            Placement::Before(_) => {
                let mut at = anchor;
                while at > 1 && is_neighbour(at - 1, false) {
                    at -= 1;
                }
                at
            }
        };
        let at = at.min(self.stages.len());
        self.stages.to_mut().insert(at, stage);
    }

    fn refuse_missing_anchor(&mut self, want: &WantedStage<'_>, anchor: &StageName) {
        let earlier = self.refused_makers.iter().find(|(name, _)| *name == anchor);
        let now = self.wanted.iter().find(|other| other.name == anchor);
        let now = now.and_then(|other| other.gates.first().copied());
        let name = want.name;
        let refusal = if let Some(gate) = earlier.map(|(_, gate)| *gate).or(now) {
            Refusal {
                code: "stage_not_found",
                gates: owned(&want.gates),
                message: format!(
                    "stage {name} is placed beside stage {anchor}, which gate {gate} would make, and that gate is refused"
                ),
                hint: format!("mend gate {gate} first"),
            }
        } else {
            Refusal {
                code: "stage_not_found",
                gates: owned(&want.gates),
                message: format!(
                    "stage {name} is placed beside stage {anchor}, which the pipeline does not have"
                ),
                hint: self.did_you_mean(anchor),
            }
        };
        self.placed.refusals.push(refusal);
    }

    fn did_you_mean(&self, anchor: &StageName) -> String {
        let names: Vec<&str> = self.stages.iter().map(|s| StageView(s).name()).collect();
        let (wanted, all) = (anchor.as_str().to_lowercase(), names.join(", "));
        let likeness = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &wanted);
        let best = names
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match best.filter(|name| likeness(name) > 0.8) {
            Some(best) => format!("did you mean {best}? The pipeline has: {all}"),
            None => format!("the pipeline has: {all}"),
        }
    }

    fn refuse_before_source(&mut self, want: &WantedStage<'_>, anchor: &StageName) {
        self.placed.refusals.push(Refusal {
            code: "before_source_stage",
            gates: owned(&want.gates),
            message: format!(
                "stage {} cannot stand before {anchor}: it is the pipeline's first stage, which holds the source",
                want.name
            ),
            hint: format!("place the stage with `after = \"{anchor}\"`, or beside a later stage"),
        });
    }

    fn refuse_cycle(&mut self, waiting: &[&WantedStage<'_>]) {
        let names: Vec<&str> = waiting.iter().map(|want| want.name.as_str()).collect();
        let gates: BTreeSet<&GateName> = waiting.iter().flat_map(|w| &w.gates).copied().collect();
        self.placed.refusals.push(Refusal {
            code: "placement_cycle",
            gates: gates.into_iter().cloned().collect(),
            message: format!(
                "the stages {} are placed beside each other in a circle, or beside themselves",
                names.join(", ")
            ),
            hint: "place one of them beside a stage of the pipeline that no gate makes".to_owned(),
        });
    }

    /// A gate in a stage with actions of somebody else cannot have its stage moved: said, not done.
    fn warn_of_ignored_placements(&mut self, is_ours: &dyn Fn(StageView<'_>) -> bool) {
        for want in self.wanted {
            let (Some(placement), Some(stage)) = (want.placement, self.stage(want.name)) else {
                continue;
            };
            if !self.stands(want) && !is_ours(stage) {
                self.placed.warnings.push(Warning {
                    code: "placement_ignored",
                    gates: owned(&want.gates),
                    message: format!(
                        "stage {} is wanted {} but stays where it is: it holds actions that are not ours",
                        want.name,
                        words(placement)
                    ),
                });
            }
        }
    }
}

/// True where the stage stands on the wanted side of its anchor with nothing but gates between: two projects that place
/// their gates beside one stage would otherwise move each other's for ever.
fn is_right(stages: &[Value], at: usize, anchor: usize, placement: &Placement) -> bool {
    let between = match placement {
        Placement::After(_) if anchor < at => anchor + 1..at,
        Placement::Before(_) if at < anchor => at + 1..anchor,
        Placement::After(_) | Placement::Before(_) => return false,
    };
    let between = stages.get(between).unwrap_or_default();
    between.iter().all(|stage| StageView(stage).is_gates_only())
}

fn new_stage(want: &WantedStage<'_>) -> Value {
    json!({ "name": want.name.as_str(), "actions": want.new_actions })
}

fn owned(gates: &[&GateName]) -> Vec<GateName> {
    gates.iter().map(|gate| (*gate).clone()).collect()
}
