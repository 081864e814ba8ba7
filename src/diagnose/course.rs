//! Causes in the course of an execution: whether it came to the gate, and what the gate's action said.
//! It decides on what was gathered; what stands in AWS whatever ran is in `causes`.

use crate::model::chain::HopId;
use crate::model::diagnosis::{Cause, Certainty, Evidence, Finding, Mend};
use crate::model::execution::{ActionExecution, ActionStatus, ExecutionStatus};
use crate::model::observed::Seen;
use crate::model::pipeline::ActionView;

use super::causes::{finding, seen};
use super::said::{Said, said};
use super::scene::Scene;
use super::{answers, mend, redact, refusals};

/// How long CodePipeline waits for an answer, in seconds (guide: limits).
const PATIENCE: i64 = 20 * 60;

/// Puts what became of the gate's action into `found`; where it has no run, why not. Answers which hop the action's error is
/// about.
pub(super) fn all(scene: &Scene<'_>, found: &mut Vec<Finding>) -> Option<HopId> {
    let Some(attempt) = scene.attempt else {
        found.push(not_come(scene));
        return None;
    };
    of_attempt(scene, attempt, found)
}

/// What became of the gate's action.
fn of_attempt(
    scene: &Scene<'_>,
    attempt: &ActionExecution,
    found: &mut Vec<Finding>,
) -> Option<HopId> {
    match attempt.status {
        ActionStatus::Succeeded => {
            found.extend(answers::twice(scene));
            let evidence = scene.action_evidence();
            found.push(finding(
                Cause::Works,
                Certainty::Certain,
                evidence,
                Vec::new(),
            ));
            None
        }
        ActionStatus::Abandoned => {
            found.push(ended_before(scene));
            None
        }
        ActionStatus::InProgress | ActionStatus::Unknown => {
            found.extend(answers::unanswered(scene));
            found.push(still_running(scene));
            None
        }
        ActionStatus::Failed => of_failure(scene, attempt, found),
    }
}

fn of_failure(
    scene: &Scene<'_>,
    attempt: &ActionExecution,
    found: &mut Vec<Finding>,
) -> Option<HopId> {
    let names = names(scene);
    let ours: Vec<&str> = names.iter().map(String::as_str).collect();
    let uses = |action: ActionView<'_>| {
        let makes = action.output_artifacts().next().is_some();
        makes || action.input_artifacts().next().is_some()
    };
    let artifacts = scene.action.is_some_and(uses);
    let what = attempt.error.as_ref().map_or(Said::Own, |error| {
        said(error, &ours, scene.ran(), artifacts)
    });
    let refuted = |ids: &[HopId]| ids.iter().any(|id| scene.refuted(*id).next().is_some());
    match what {
        Said::Assume => {
            let ids = [HopId::Zero, HopId::One];
            if !refuted(&ids) {
                found.push(refusals::then(scene, &ids));
            }
            Some(HopId::One)
        }
        Said::Invoke => {
            let ids = [HopId::Two, HopId::TwoPrime];
            if matches!(scene.function, Seen::Present(_)) && !refuted(&ids) {
                found.push(refusals::then(scene, &ids));
            }
            Some(HopId::Two)
        }
        Said::NoFunction => {
            if matches!(scene.function, Seen::Present(_)) {
                found.push(refusals::then(scene, &[HopId::Two]));
            }
            None
        }
        Said::Throttled => {
            let evidence = scene.action_evidence();
            let mend = vec![mend::concurrency(scene), mend::retry(scene)];
            found.push(finding(
                Cause::Throttled,
                Certainty::Certain,
                evidence,
                mend,
            ));
            None
        }
        Said::Artifact => {
            let evidence = scene.action_evidence();
            let mend = artifact_mend(scene);
            found.push(finding(
                Cause::ArtifactUnreadable,
                Certainty::Certain,
                evidence,
                mend,
            ));
            None
        }
        Said::NoAnswer => {
            found.extend(answers::unanswered(scene));
            None
        }
        Said::Own => {
            found.extend(answers::twice(scene));
            found.push(said_no(scene));
            None
        }
    }
}

/// The names by which AWS's messages may mean the gate.
fn names(scene: &Scene<'_>) -> Vec<String> {
    let mut names = vec![
        scene.gate.role.name.to_string(),
        scene.function_key.name.to_string(),
        scene.gate.pipeline.name.to_string(),
    ];
    for id in [HopId::Zero, HopId::One] {
        let resource = scene.hop(id).map(|hop| hop.resource.as_str());
        let name = resource.and_then(|arn| arn.rsplit('/').next());
        names.extend(name.map(str::to_owned));
    }
    names
}

fn said_no(scene: &Scene<'_>) -> Finding {
    finding(
        Cause::SaidNo,
        Certainty::Certain,
        scene.action_evidence(),
        vec![
            mend::by_hand("mend what the function found, and release again"),
            mend::retry(scene),
        ],
    )
}

fn still_running(scene: &Scene<'_>) -> Finding {
    let mut evidence: Vec<Evidence> = scene.action_evidence().into_iter().collect();
    if let Some(waited) = scene.waited() {
        let left = (PATIENCE - waited).max(0);
        let minutes = |seconds: i64| seconds / 60;
        evidence.push(seen(
            "the action",
            format!(
                "{} minutes since its last sign; CodePipeline gives it up in {} minutes, unless the function answers with a \
                 continuationToken",
                minutes(waited),
                minutes(left + 59)
            ),
        ));
    }
    let follow = scene.execution.as_ref().map(|id| {
        mend::by(
            "follow it",
            format!("crossgate run --gate {} --execution {id}", scene.gate.name),
        )
    });
    finding(
        Cause::StillRunning,
        Certainty::Certain,
        evidence,
        follow.into_iter().collect(),
    )
}

/// The execution has no run of the gate's action.
fn not_come(scene: &Scene<'_>) -> Finding {
    let Some(id) = &scene.execution else {
        return not_run_yet(scene, "the pipeline has no execution".to_owned());
    };
    let words = |status: ExecutionStatus| format!("execution {id} {}", status.words());
    match scene.status {
        None if scene.actions.is_empty() => finding(
            Cause::NotReadable,
            Certainty::Certain,
            [seen("the pipeline", no_execution(scene, id.as_str()))],
            vec![mend::by_aws(
                scene,
                &scene.gate.pipeline.account,
                "name one that is there; this lists them",
                format!(
                    "aws codepipeline list-pipeline-executions --pipeline-name {} --region {}",
                    scene.gate.pipeline.name, scene.gate.pipeline.region
                ),
            )],
        ),
        None | Some(ExecutionStatus::Succeeded) => not_run_yet(
            scene,
            format!(
                "execution {id} never came to {}/{}",
                scene.gate.action.stage, scene.gate.action.name
            ),
        ),
        Some(ExecutionStatus::Superseded) => finding(
            Cause::Superseded,
            Certainty::Certain,
            [seen("the execution", words(ExecutionStatus::Superseded))],
            vec![
                mend::by_hand(
                    "look at the newer execution: leave --execution out, or name that one",
                ),
                mend::by_hand(
                    "where every execution shall come to the gate, set the pipeline's executionMode to QUEUED",
                ),
            ],
        ),
        Some(ExecutionStatus::Failed | ExecutionStatus::Stopped | ExecutionStatus::Cancelled) => {
            ended_before(scene)
        }
        Some(
            status @ (ExecutionStatus::InProgress
            | ExecutionStatus::Stopping
            | ExecutionStatus::Unknown),
        ) => {
            let mut evidence = vec![seen("the execution", words(status))];
            evidence.extend(scene.actions.first().map(|one| {
                seen(
                    "the execution",
                    format!("{}/{} is {}", one.stage, one.action, one.status.words()),
                )
            }));
            let follow = format!("crossgate run --gate {} --execution {id}", scene.gate.name);
            finding(
                Cause::NotReached,
                Certainty::Certain,
                evidence,
                vec![mend::by("follow it", follow)],
            )
        }
    }
}

fn no_execution(scene: &Scene<'_>, id: &str) -> String {
    let pipeline = &scene.gate.pipeline;
    let read = scene
        .observed
        .action_executions(pipeline, scene.execution.as_ref());
    match read {
        Seen::Unreadable(error) => error.to_string(),
        Seen::NotRead | Seen::Absent | Seen::Present(_) => {
            format!("pipeline {} has no execution {id}", pipeline.name)
        }
    }
}

fn not_run_yet(scene: &Scene<'_>, text: String) -> Finding {
    finding(
        Cause::NotRunYet,
        Certainty::Certain,
        [seen("the pipeline", text)],
        vec![mend::run(scene)],
    )
}

/// An action before the gate failed, or somebody stopped the execution.
fn ended_before(scene: &Scene<'_>) -> Finding {
    let mut evidence: Vec<Evidence> = scene.action_evidence().into_iter().collect();
    if let (Some(id), Some(status)) = (&scene.execution, scene.status) {
        evidence.push(seen(
            "the execution",
            format!("execution {id} {}", status.words()),
        ));
    }
    let failed = scene
        .actions
        .iter()
        .find(|one| one.status == ActionStatus::Failed);
    evidence.extend(failed.map(|one| {
        let why = one.error.as_ref().map_or(String::new(), |error| {
            format!(": {}", redact::redact(&error.to_string()))
        });
        seen(
            "the execution",
            format!("{}/{} failed{why}", one.stage, one.action),
        )
    }));
    let mend = match failed {
        Some(one) => mend::by_hand(format!(
            "mend {}/{} first: the gate was never asked",
            one.stage, one.action
        )),
        None => mend::run(scene),
    };
    finding(Cause::EndedBefore, Certainty::Certain, evidence, vec![mend])
}

/// Nobody comes in: whoever waits, waits before the gate's stage.
pub(super) fn stage_disabled(scene: &Scene<'_>) -> Option<Finding> {
    let stage = scene.stage?;
    let way = stage.inbound.as_ref().filter(|way| !way.enabled)?;
    let by = way.changed_by.as_ref();
    let by = by.map_or(String::new(), |who| format!(" by {who}"));
    let why = way.reason.as_ref();
    let why = why.map_or(String::new(), |why| format!(": {}", redact::redact(why)));
    let mut evidence = vec![seen(
        "the stage",
        format!(
            "the transition into stage {} is disabled{by}{why}",
            stage.name
        ),
    )];
    evidence.extend(
        stage
            .waiting
            .first()
            .map(|id| seen("the stage", format!("execution {id} waits before it"))),
    );
    Some(finding(
        Cause::StageDisabled,
        Certainty::Certain,
        evidence,
        vec![mend::enable_stage(scene)],
    ))
}

fn artifact_mend(scene: &Scene<'_>) -> Vec<Mend> {
    vec![
        mend::by_hand(format!(
            "let role {} in {} read the artifact bucket and use its key: in its own policies, in the bucket's policy and in the \
             key's policy",
            scene.gate.role.name,
            scene.account(&scene.gate.function.account)
        )),
        mend::retry(scene),
    ]
}
