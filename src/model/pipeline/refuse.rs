//! What AWS would refuse of a changed pipeline: quotas, artifacts, namespaces, regions.
//! Only what the change itself brings is refused: a document that had the fault before is not judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::account::Region;
use super::super::name::GateName;
use super::action::effective_region;
use super::patch::Draft;
use super::request::{EditKind, Refusal};
use super::view::{ActionView, StageView};

/// guide: limits.
const MAX_STAGES: usize = 50;
/// guide: limits.
const MIN_STAGES: usize = 2;
/// guide: limits.
const MAX_ACTIONS: usize = 50;

/// A document before and after, with what was changed.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) pipeline: &'a Value,
    pub(super) before: &'a [Value],
    pub(super) after: &'a [Value],
    pub(super) drafts: &'a [Draft],
    pub(super) region: &'a Region,
}

/// Everything that AWS would refuse because of the change.
pub(super) fn check(change: &Change<'_>) -> Vec<Refusal> {
    if change.drafts.is_empty() {
        return Vec::new();
    }
    let mut refusals = Vec::new();
    refusals.extend(change.stage_count());
    refusals.extend(change.source_stage());
    refusals.extend(change.action_counts());
    refusals.extend(change.inputs());
    refusals.extend(change.outputs());
    refusals.extend(change.namespaces());
    refusals.extend(change.lost_namespaces());
    refusals.extend(change.regions());
    refusals
}

impl Change<'_> {
    fn stage_count(&self) -> Option<Refusal> {
        let (before, after) = (self.before.len(), self.after.len());
        if after > MAX_STAGES && after > before {
            return Some(Refusal {
                code: "too_many_stages",
                gates: self.gates(|d| d.stage_changed && d.kind == EditKind::Create),
                message: format!("the pipeline would have {after} stages: AWS takes {MAX_STAGES}"),
                hint: "put the gates into stages that are there".to_owned(),
            });
        }
        (after < MIN_STAGES && after < before).then(|| Refusal {
            code: "too_few_stages",
            gates: self.gates(|d| d.stage_changed && d.kind == EditKind::Delete),
            message: format!(
                "the pipeline would have {after} stages left: AWS wants {MIN_STAGES} at least"
            ),
            hint: "add another stage to the pipeline first, or delete the pipeline".to_owned(),
        })
    }

    fn source_stage(&self) -> Option<Refusal> {
        let first = StageView(self.after.first()?).name();
        let is_first =
            |d: &Draft| d.stage_changed && d.after.is_some() && d.stage.as_str() == first;
        self.drafts.iter().any(is_first).then(|| Refusal {
            code: "before_source_stage",
            gates: self.gates(is_first),
            message: format!("stage {first} would be the pipeline's first, which holds the source"),
            hint: "place the stage after the source stage".to_owned(),
        })
    }

    fn action_counts(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for stage in self.after.iter().map(StageView) {
            let (name, count) = (stage.name(), stage.actions().count());
            let is_new = |d: &Draft| d.kind == EditKind::Create && d.stage.as_str() == name;
            if count > MAX_ACTIONS && self.drafts.iter().any(is_new) {
                refusals.push(Refusal {
                    code: "too_many_actions",
                    gates: self.gates(is_new),
                    message: format!(
                        "stage {name} would have {count} actions: AWS takes {MAX_ACTIONS}"
                    ),
                    hint: "put the gate into a stage of its own".to_owned(),
                });
            }
        }
        refusals
    }

    /// guide: welcome-introducing-artifacts: every input artifact is the output of an earlier action.
    fn inputs(&self) -> Vec<Refusal> {
        let before = unmade_inputs(self.before);
        let mut refusals = Vec::new();
        for (stage, action, artifact) in unmade_inputs(self.after).difference(&before) {
            let is_taker = |d: &Draft| {
                d.after.is_some() && d.stage.as_str() == *stage && d.action.as_str() == *action
            };
            if self.drafts.iter().any(is_taker) {
                refusals.push(Refusal {
                    code: "artifact_not_produced",
                    gates: self.gates(is_taker),
                    message: format!(
                        "action {action} in stage {stage} takes artifact {artifact}, which no earlier action makes"
                    ),
                    hint: self.artifacts_hint(artifact),
                });
            } else {
                let made = |d: &Draft| outputs_of(d.before.as_ref()).contains(*artifact);
                refusals.push(Refusal {
                    code: "artifact_in_use",
                    gates: self.gates(made),
                    message: format!(
                        "action {action} in stage {stage} takes artifact {artifact}, which would not be made before it any more"
                    ),
                    hint: format!("take {artifact} from the inputs of {action} first"),
                });
            }
        }
        refusals
    }

    fn artifacts_hint(&self, wanted: &str) -> String {
        let maker = actions(self.after).find(|(_, _, a)| a.output_artifacts().any(|o| o == wanted));
        if let Some((_, stage, maker)) = maker {
            return format!(
                "action {} in stage {stage} makes it, but not before: place the gate after it",
                maker.name()
            );
        }
        let made: BTreeSet<&str> = actions(self.after)
            .flat_map(|(_, _, action)| action.output_artifacts())
            .collect();
        if made.is_empty() {
            return "the pipeline makes no artifact".to_owned();
        }
        let made: Vec<&str> = made.into_iter().collect();
        format!("the pipeline's artifacts are: {}", made.join(", "))
    }

    /// guide: welcome-introducing-artifacts: every output artifact has a name of its own in the pipeline.
    fn outputs(&self) -> Vec<Refusal> {
        let names = |stages| count(actions(stages).flat_map(|(_, _, a)| a.output_artifacts()));
        let refusal = |name: &str| Refusal {
            code: "artifact_name_taken",
            gates: self.gates(|d| outputs_of(d.after.as_ref()).contains(name)),
            message: format!("more than one action would make an artifact {name}"),
            hint: "give the output artifact a name of its own".to_owned(),
        };
        grown(&names(self.before), &names(self.after))
            .map(refusal)
            .collect()
    }

    /// "Namespaces must be unique across the pipeline definition" (aws/aws-cdk#6111).
    fn namespaces(&self) -> Vec<Refusal> {
        let names = |stages| count(actions(stages).filter_map(|(_, _, a)| a.namespace()));
        let refusal = |name: &str| Refusal {
            code: "namespace_taken",
            gates: self.gates(|d| namespace_of(d.after.as_ref()) == Some(name)),
            message: format!("more than one action would have the namespace {name}"),
            hint: "give the gate a namespace of its own".to_owned(),
        };
        grown(&names(self.before), &names(self.after))
            .map(refusal)
            .collect()
    }

    /// A namespace that goes while a stage still reads a variable of it.
    fn lost_namespaces(&self) -> Vec<Refusal> {
        let names = |stages| -> BTreeSet<&str> {
            actions(stages)
                .filter_map(|(_, _, a)| a.namespace())
                .collect()
        };
        let after = names(self.after);
        let mut refusals = Vec::new();
        for name in names(self.before).difference(&after) {
            let needle = format!("#{{{name}.");
            let reader = self.after.iter().find(|stage| mentions(stage, &needle));
            if let Some(reader) = reader.map(StageView) {
                let action = reader.actions().find(|a| mentions(a.json(), &needle));
                let place = match action {
                    Some(action) => format!("action {} in stage {}", action.name(), reader.name()),
                    None => format!("stage {}", reader.name()),
                };
                refusals.push(Refusal {
                    code: "namespace_in_use",
                    gates: self.gates(|d| namespace_of(d.before.as_ref()) == Some(*name)),
                    message: format!(
                        "{place} reads a variable of namespace {name}, which would not be there any more"
                    ),
                    hint: format!("take `{needle}…}}` out of {place} first"),
                });
            }
        }
        refusals
    }

    /// api: PipelineDeclaration: "There must be an artifact store for the pipeline Region and for each cross-region action".
    fn regions(&self) -> Vec<Refusal> {
        let stores = self.pipeline.get("artifactStores");
        let mut refusals = Vec::new();
        for draft in self.drafts {
            let Some(action) = draft.after.as_ref().map(ActionView) else {
                continue;
            };
            let region = effective_region(action, self.region);
            let has_store = stores.and_then(|stores| stores.get(region)).is_some();
            if region != self.region.as_str() && !has_store {
                refusals.push(Refusal {
                    code: "region_without_bucket",
                    gates: vec![draft.gate.clone()],
                    message: format!(
                        "action {} runs in {region}, for which the pipeline has no entry in artifactStores",
                        draft.action
                    ),
                    hint: format!(
                        "add an artifact bucket of {region} to the pipeline's artifactStores, or use a function in {}",
                        self.region
                    ),
                });
            }
        }
        refusals
    }

    /// The gates of the drafts that are meant, sorted; all gates where none is, so that a refusal always names who is refused.
    fn gates(&self, is_meant: impl Fn(&Draft) -> bool) -> Vec<GateName> {
        let of = |drafts: &mut dyn Iterator<Item = &Draft>| -> BTreeSet<GateName> {
            drafts.map(|draft| draft.gate.clone()).collect()
        };
        let mut gates = of(&mut self.drafts.iter().filter(|draft| is_meant(draft)));
        if gates.is_empty() {
            gates = of(&mut self.drafts.iter());
        }
        gates.into_iter().collect()
    }
}

/// Every action with the position and the name of its stage.
fn actions(stages: &[Value]) -> impl Iterator<Item = (usize, &str, ActionView<'_>)> {
    let stages = stages.iter().map(StageView).enumerate();
    stages.flat_map(|(at, stage)| stage.actions().map(move |a| (at, stage.name(), a)))
}

/// Inputs that no action of an earlier stage, or of a lower run order in the same stage, makes: stage, action, artifact.
fn unmade_inputs(stages: &[Value]) -> BTreeSet<(&str, &str, &str)> {
    let mut first_made: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for (at, _, action) in actions(stages) {
        let made = (at, action.run_order());
        for artifact in action.output_artifacts() {
            let first = first_made.entry(artifact).or_insert(made);
            *first = made.min(*first);
        }
    }
    let mut unmade = BTreeSet::new();
    for (at, stage, action) in actions(stages) {
        let taken = (at, action.run_order());
        for artifact in action.input_artifacts() {
            if first_made.get(artifact).is_none_or(|made| *made >= taken) {
                unmade.insert((stage, action.name(), artifact));
            }
        }
    }
    unmade
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The names that are there more than once and more often than before.
fn grown<'a>(
    before: &BTreeMap<&'a str, usize>,
    after: &BTreeMap<&'a str, usize>,
) -> impl Iterator<Item = &'a str> {
    after.iter().filter_map(|(name, count)| {
        let grown = *count > 1 && before.get(name).is_none_or(|old| count > old);
        grown.then_some(*name)
    })
}

fn outputs_of(action: Option<&Value>) -> BTreeSet<&str> {
    let action = action.map(ActionView);
    action
        .into_iter()
        .flat_map(ActionView::output_artifacts)
        .collect()
}

fn namespace_of(action: Option<&Value>) -> Option<&str> {
    action.map(ActionView).and_then(ActionView::namespace)
}

/// True where a text anywhere in the value holds the needle.
fn mentions(value: &Value, needle: &str) -> bool {
    match value {
        Value::String(text) => text.contains(needle),
        Value::Array(items) => items.iter().any(|item| mentions(item, needle)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, needle)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
