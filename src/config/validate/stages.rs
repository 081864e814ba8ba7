//! Stages and actions: no two gates are one action, and every stage has one place that can be found.
//! May not know the stages that the pipeline has; `plan` checks placing again against them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::{Accounts, Pipeline, title};
use crate::config::diagnostic::ManifestError;
use crate::config::gate::GateDraft;
use crate::config::parse::{Draft, parts};
use crate::model::name::{ArtifactName, StageName};
use crate::model::wiring::Placement;

/// The usual name of the first stage, which holds source actions only (guide: reference-pipeline-structure). What the first
/// stage really is, only the plan knows.
const SOURCE: &str = "Source";

pub(super) fn check(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    let mut pipelines: BTreeMap<Pipeline<'_>, Vec<&GateDraft>> = BTreeMap::new();
    for gate in &draft.gates {
        source_stage(gate, problems);
        artifact_in_and_out(gate, problems);
        managed_artifacts(gate, problems);
        if let Some(pipeline) = accounts.pipeline(gate) {
            pipelines.entry(pipeline).or_default().push(gate);
        }
    }
    for ((_, _, name), gates) in &pipelines {
        actions(gates, problems);
        outputs(gates, problems);
        namespaces(gates, problems);
        let places = places(gates, problems);
        circles(&places, name.as_str(), problems);
    }
}

fn source_stage(gate: &GateDraft, problems: &mut Vec<ManifestError>) {
    if let Some((span, stage)) = gate.pipeline.stage.as_ref().map(parts)
        && stage.as_str() == SOURCE
    {
        problems.push(
            ManifestError::new(span, "a gate cannot stand in the source stage")
                .label("holds source actions only")
                .help(
                    "give the gate a stage of its own, with `after = \"Source\"` if it comes first",
                ),
        );
    }
    let Some((span, placement)) = gate.pipeline.placement.as_ref().map(parts) else {
        return;
    };
    let target = target(placement);
    if gate
        .pipeline
        .stage
        .as_ref()
        .is_some_and(|stage| stage.get_ref() == target)
    {
        problems.push(
            ManifestError::new(
                span,
                format!("stage `{target}` is placed relative to itself"),
            )
            .label("the gate's own stage")
            .help("name another stage of the pipeline"),
        );
    } else if matches!(placement, Placement::Before(stage) if stage.as_str() == SOURCE) {
        problems.push(
            ManifestError::new(span, "no stage can stand before the source stage")
                .label("the pipeline's first stage")
                .help("write `after = \"Source\"`"),
        );
    }
}

/// What nothing needs is not managed.
fn managed_artifacts(gate: &GateDraft, problems: &mut Vec<ManifestError>) {
    let Some((span, true)) = gate
        .manage_artifacts
        .as_ref()
        .map(|m| (m.span(), *m.get_ref()))
    else {
        return;
    };
    let pipeline = &gate.pipeline;
    let lists = [&pipeline.input_artifacts, &pipeline.output_artifacts];
    if lists
        .into_iter()
        .flatten()
        .all(|names| names.get_ref().is_empty())
    {
        problems.push(
            ManifestError::new(span, "the gate has no artifacts whose bucket and key could be managed")
                .label("nothing to manage")
                .help(
                    "name `input_artifacts` or `output_artifacts` in [gates.pipeline], or take [gates.artifacts] out",
                ),
        );
    }
}

fn artifact_in_and_out(gate: &GateDraft, problems: &mut Vec<ManifestError>) {
    let (Some(inputs), Some((span, outputs))) = (
        &gate.pipeline.input_artifacts,
        gate.pipeline.output_artifacts.as_ref().map(parts),
    ) else {
        return;
    };
    for name in outputs
        .iter()
        .filter(|name| inputs.get_ref().contains(name))
    {
        problems.push(
            ManifestError::new(
                span.clone(),
                format!("artifact `{name}` is input and output of one action"),
            )
            .label("made here")
            .related(inputs.span(), "and taken here")
            .help("give the output a name of its own: output names are unique in a pipeline"),
        );
    }
}

fn target(placement: &Placement) -> &StageName {
    match placement {
        Placement::Before(stage) | Placement::After(stage) => stage,
    }
}

fn actions(gates: &[&GateDraft], problems: &mut Vec<ManifestError>) {
    let mut seen: BTreeMap<_, (&GateDraft, Range<usize>)> = BTreeMap::new();
    for gate in gates {
        let (Some(stage), Some((span, action))) = (
            &gate.pipeline.stage,
            gate.pipeline.action.as_ref().map(parts),
        ) else {
            continue;
        };
        let stage = stage.get_ref();
        if let Some((earlier, first)) = seen.get(&(stage, action)) {
            problems.push(
                ManifestError::new(
                    span,
                    format!("two gates are the action `{action}` of stage `{stage}`"),
                )
                .label(title(gate))
                .related(first.clone(), title(earlier))
                .help("give each gate an action of its own; gates of one stage run side by side"),
            );
        } else {
            seen.insert((stage, action), (gate, span));
        }
    }
}

/// Output artifact names must be unique within a pipeline (api: OutputArtifact).
fn outputs(gates: &[&GateDraft], problems: &mut Vec<ManifestError>) {
    let mut seen: BTreeMap<&ArtifactName, (&GateDraft, Range<usize>)> = BTreeMap::new();
    for gate in gates {
        let Some((span, names)) = gate.pipeline.output_artifacts.as_ref().map(parts) else {
            continue;
        };
        for name in names.iter().collect::<BTreeSet<_>>() {
            if let Some((earlier, first)) = seen.get(name) {
                problems.push(
                    ManifestError::new(
                        span.clone(),
                        format!("two gates of one pipeline make the artifact `{name}`"),
                    )
                    .label(title(gate))
                    .related(first.clone(), title(earlier))
                    .help("output artifact names are unique in a pipeline: rename one"),
                );
            } else {
                seen.insert(name, (gate, span.clone()));
            }
        }
    }
}

/// A namespace stands for the variables of one action (guide: reference-variables).
fn namespaces(gates: &[&GateDraft], problems: &mut Vec<ManifestError>) {
    let mut seen: BTreeMap<_, (&GateDraft, Range<usize>)> = BTreeMap::new();
    for gate in gates {
        let Some((span, name)) = gate.pipeline.namespace.as_ref().map(parts) else {
            continue;
        };
        if let Some((earlier, first)) = seen.get(name) {
            problems.push(
                ManifestError::new(
                    span,
                    format!("two gates of one pipeline have the namespace `{name}`"),
                )
                .label(title(gate))
                .related(first.clone(), title(earlier))
                .help("namespaces are unique in a pipeline: rename one"),
            );
        } else {
            seen.insert(name, (gate, span));
        }
    }
}

type Places<'a> = BTreeMap<&'a StageName, &'a Spanned<Placement>>;

/// The place of each stage that a gate places; a gate that says nothing joins the stage where it is.
fn places<'a>(gates: &[&'a GateDraft], problems: &mut Vec<ManifestError>) -> Places<'a> {
    let mut places: Places<'a> = BTreeMap::new();
    for gate in gates {
        let (Some(stage), Some(placement)) = (&gate.pipeline.stage, &gate.pipeline.placement)
        else {
            continue;
        };
        let stage = stage.get_ref();
        let Some(first) = places.get(stage) else {
            places.insert(stage, placement);
            continue;
        };
        if first.get_ref() != placement.get_ref() {
            problems.push(
                ManifestError::new(
                    placement.span(),
                    format!("two gates place the stage `{stage}` differently"),
                )
                .label(words(placement.get_ref()))
                .related(first.span(), words(first.get_ref()))
                .help("place a stage once, or alike; a gate without `after` and `before` joins it where it is"),
            );
        }
    }
    places
}

fn words(placement: &Placement) -> String {
    match placement {
        Placement::Before(stage) => format!("before `{stage}`"),
        Placement::After(stage) => format!("after `{stage}`"),
    }
}

/// Reports each circle of stages that are placed relative to one another once. A stage that is placed relative to itself was
/// reported as that.
fn circles(places: &Places<'_>, pipeline: &str, problems: &mut Vec<ManifestError>) {
    let mut done: BTreeSet<&StageName> = BTreeSet::new();
    for start in places.keys() {
        let mut path: Vec<(&StageName, &Spanned<Placement>)> = Vec::new();
        let mut stage: &StageName = start;
        while let Some(placement) = places.get(stage) {
            if !done.insert(stage) {
                if let Some(from) = path.iter().position(|(seen, _)| *seen == stage) {
                    circle(&path[from..], pipeline, problems);
                }
                break;
            }
            path.push((stage, placement));
            stage = target(placement.get_ref());
        }
    }
}

fn circle(
    path: &[(&StageName, &Spanned<Placement>)],
    pipeline: &str,
    problems: &mut Vec<ManifestError>,
) {
    let mut written: Vec<_> = path.iter().collect();
    written.sort_by_key(|(_, placement)| placement.span().start);
    let [(_, first), .., (_, last)] = written.as_slice() else {
        return;
    };
    let steps: Vec<String> = path
        .iter()
        .map(|(stage, placement)| format!("`{stage}` {}", words(placement.get_ref())))
        .collect();
    problems.push(
        ManifestError::new(
            last.span(),
            format!(
                "stages of pipeline `{pipeline}` are placed relative to one another in a circle: {}",
                steps.join(", ")
            ),
        )
        .label(words(last.get_ref()))
        .related(first.span(), words(first.get_ref()))
        .help("place one of them relative to a stage that the pipeline already has"),
    );
}
