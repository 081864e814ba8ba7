//! All causes of one gate, each with how sure it is: from the pipeline to the function and back, the way that a job takes.
//! It decides on what was gathered; the order in which causes are shown is not decided here.

use crate::model::account::AccountName;
use crate::model::chain::{HopId, Weight};
use crate::model::change::{ChangeAction, ChangeKind};
use crate::model::diagnosis::{Cause, Certainty, Evidence, Finding, Mend};
use crate::model::execution::{ActionExecution, ActionStatus, ExecutionStatus};
use crate::model::observed::Seen;
use crate::model::pipeline::ActionView;

use super::said::{Said, said};
use super::scene::Scene;
use super::{answers, mend, redact, refusals};

/// How long CodePipeline waits for an answer, in seconds (guide: limits).
const PATIENCE: i64 = 20 * 60;

fn finding(
    cause: Cause,
    certainty: Certainty,
    evidence: impl IntoIterator<Item = Evidence>,
    mend: Vec<Mend>,
) -> Finding {
    Finding {
        cause,
        certainty,
        evidence: evidence.into_iter().collect(),
        mend,
    }
}

fn seen(from: &'static str, text: impl Into<String>) -> Evidence {
    Evidence {
        from,
        text: text.into(),
    }
}

/// Everything that is, or may be, the matter; never empty where everything was read.
pub(super) fn all(scene: &Scene<'_>) -> Vec<Finding> {
    if let Some(found) = unreadable(scene, &scene.gate.pipeline.account) {
        return vec![found];
    }
    match scene.document {
        Seen::Absent => return vec![pipeline_missing(scene)],
        Seen::NotRead | Seen::Unreadable(_) => return vec![pipeline_unreadable(scene)],
        Seen::Present(_) => {}
    }
    if scene.action.is_none_or(|action| !action.is_lambda_invoke()) {
        return vec![not_wired(scene)];
    }
    let mut found = Vec::new();
    let asked = match scene.attempt {
        Some(attempt) => of_attempt(scene, attempt, &mut found),
        None => {
            found.push(not_come(scene));
            None
        }
    };
    found.extend(stage_disabled(scene));
    found.extend(refusals::all(scene, asked));
    found.extend(function(scene));
    found.extend(artifacts(scene));
    found.extend(drift(scene));
    found.extend(unreadable(scene, &scene.gate.function.account));
    found
}

/// An account that does not answer, or is another one.
fn unreadable(scene: &Scene<'_>, account: &AccountName) -> Option<Finding> {
    let observed = scene.observed;
    let text = match (observed.unreachable(account), observed.caller(account)) {
        (Some(error), _) | (None, Seen::Unreadable(error)) => error.to_string(),
        (None, Seen::Present(caller))
            if Some(&caller.account) != scene.wiring.account_id(account) =>
        {
            format!(
                "the credentials of {} are of account {}",
                scene.account(account),
                caller.account
            )
        }
        (None, _) => return None,
    };
    let hint = observed.unreachable(account).and_then(|e| e.hint.clone());
    let what = hint.unwrap_or_else(|| {
        let credentials = scene.wiring.accounts.get(account);
        let credentials = credentials.map_or("", |account| account.credentials.as_str());
        format!("use credentials of account {account} ({credentials}), then diagnose again")
    });
    Some(finding(
        Cause::NotReadable,
        Certainty::Certain,
        [seen("the account", text)],
        vec![mend::by_hand(what)],
    ))
}

fn pipeline_unreadable(scene: &Scene<'_>) -> Finding {
    let (text, hint) = match scene.document {
        Seen::Unreadable(error) => (error.to_string(), error.hint.clone()),
        Seen::NotRead | Seen::Absent | Seen::Present(_) => (
            format!("pipeline {} was not read", scene.gate.pipeline.name),
            None,
        ),
    };
    let hint = hint.unwrap_or_else(|| "mend that, then diagnose again".to_owned());
    finding(
        Cause::NotReadable,
        Certainty::Certain,
        [seen("the pipeline", text)],
        vec![mend::by_hand(hint)],
    )
}

fn pipeline_missing(scene: &Scene<'_>) -> Finding {
    let pipeline = &scene.gate.pipeline;
    let text = format!(
        "there is no pipeline {} in {}, {}",
        pipeline.name,
        scene.account(&pipeline.account),
        pipeline.region
    );
    finding(
        Cause::PipelineMissing,
        Certainty::Certain,
        [seen("the pipeline", text)],
        vec![mend::by(
            "name the pipeline, its region and its account in [gates.pipeline] as they are; this lists what is there",
            format!(
                "aws codepipeline list-pipelines --region {}",
                pipeline.region
            ),
        )],
    )
}

fn not_wired(scene: &Scene<'_>) -> Finding {
    let (pipeline, action) = (&scene.gate.pipeline, &scene.gate.action);
    let place = format!("{}/{}", action.stage, action.name);
    let text = match scene.action {
        None => format!("pipeline {} has no action {place}", pipeline.name),
        Some(_) => format!(
            "action {place} of pipeline {} does not invoke a Lambda function",
            pipeline.name
        ),
    };
    let mut evidence = vec![seen("the pipeline", text)];
    if scene.makes_action() && !scene.changes.is_empty() {
        let count = scene.changes.len();
        evidence.push(seen(
            "the wiring",
            format!("{count} of the gate's objects are not as the manifest wants them"),
        ));
    }
    finding(
        Cause::NotWired,
        Certainty::Certain,
        evidence,
        vec![mend::bootstrap(scene), mend::run(scene)],
    )
}

/// What became of the gate's action. Answers which hop its error is about.
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
            vec![mend::by(
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
fn stage_disabled(scene: &Scene<'_>) -> Option<Finding> {
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

/// What keeps the function from running: it is not there, not active, or not let run.
fn function(scene: &Scene<'_>) -> Vec<Finding> {
    if matches!(scene.function, Seen::Absent) {
        return vec![function_missing(scene)];
    }
    let findings = scene.chain.map_or(&[][..], |chain| &chain.findings);
    let breaking = findings.iter().filter(|f| f.weight == Weight::Breaks);
    breaking
        .filter_map(|one| {
            let (cause, certainty) = match one.code {
                "function_not_active" => (Cause::FunctionNotActive, Certainty::Certain),
                "execution_role_not_trusting" => (Cause::FunctionNotActive, Certainty::Likely),
                "function_throttled" => (Cause::Throttled, Certainty::Certain),
                _ => return None,
            };
            let mut mend: Vec<Mend> = one.mend.iter().map(mend::by_hand).collect();
            if cause == Cause::Throttled {
                mend = vec![mend::concurrency(scene)];
            }
            mend.push(again(scene));
            Some(finding(
                cause,
                certainty,
                [seen("the function", one.message.clone())],
                mend,
            ))
        })
        .collect()
}

/// Lets the gate be asked again: the stage where it failed, else the pipeline.
fn again(scene: &Scene<'_>) -> Mend {
    match scene.attempt.map(|one| one.status) {
        Some(ActionStatus::Failed | ActionStatus::Abandoned) => mend::retry(scene),
        Some(ActionStatus::InProgress | ActionStatus::Succeeded | ActionStatus::Unknown) | None => {
            mend::run(scene)
        }
    }
}

fn function_missing(scene: &Scene<'_>) -> Finding {
    let gone = seen(
        "the function",
        format!("there is no {}", scene.function_words()),
    );
    let mut evidence: Vec<Evidence> = scene.action_evidence().into_iter().collect();
    evidence.push(gone);
    let (found, looked) = scene.found_elsewhere();
    let key = &scene.function_key;
    if found.is_empty() {
        evidence.push(seen(
            "the function",
            format!("nor in {looked} other places that were looked at"),
        ));
        let what = "make the function, or name the right one in [gates.function]";
        return finding(
            Cause::FunctionMissing,
            Certainty::Certain,
            evidence,
            vec![mend::by_hand(what), again(scene)],
        );
    }
    let places: Vec<String> = found
        .iter()
        .map(|(account, region)| format!("{}, {region}", scene.account(account)))
        .collect();
    evidence.push(seen(
        "the function",
        format!("one of that name stands in {}", places.join("; ")),
    ));
    let own = found.iter().find(|(account, _)| *account == key.account);
    let what = match own {
        Some((_, region)) => format!(
            "set `region = \"{region}\"` in [gates.function], if that is the one, and put the gate there"
        ),
        None => format!(
            "make the function in {}, where the manifest has it, or name its account in [gates.function]",
            scene.account(&key.account)
        ),
    };
    finding(
        Cause::FunctionElsewhere,
        Certainty::Certain,
        evidence,
        vec![
            mend::by(
                what,
                format!("crossgate bootstrap --gate {}", scene.gate.name),
            ),
            again(scene),
        ],
    )
}

/// Artifacts that cannot work whatever runs.
fn artifacts(scene: &Scene<'_>) -> Option<Finding> {
    let findings = scene.chain.map_or(&[][..], |chain| &chain.findings);
    let one = findings.iter().find(|one| {
        one.weight == Weight::Breaks
            && matches!(one.code, "artifact_key_missing" | "artifact_key_alias")
    })?;
    Some(finding(
        Cause::ArtifactUnreadable,
        Certainty::Likely,
        [seen("the artifact store", one.message.clone())],
        one.mend.iter().map(mend::by_hand).collect(),
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

/// What differs from the manifest; it may be why, and is mended by one command anyway.
fn drift(scene: &Scene<'_>) -> Option<Finding> {
    if scene.changes.is_empty() {
        return None;
    }
    // A changed action is what the pipeline runs; tags and trust are for the hops to judge.
    let changed = |kind: ChangeKind, action: ChangeAction| {
        kind == ChangeKind::PipelineAction && action == ChangeAction::Update
    };
    let heavy = scene.changes.iter().any(|c| changed(c.kind, c.action));
    let certainty = if heavy {
        Certainty::Likely
    } else {
        Certainty::Possible
    };
    const SHOWN: usize = 5;
    let mut evidence: Vec<Evidence> = scene
        .changes
        .iter()
        .take(SHOWN)
        .map(|change| {
            seen(
                "the wiring",
                format!(
                    "{} {}: {}",
                    change.kind.noun(),
                    change.resource,
                    change.reason
                ),
            )
        })
        .collect();
    let rest = scene.changes.len().saturating_sub(SHOWN);
    if rest > 0 {
        evidence.push(seen("the wiring", format!("and {rest} more")));
    }
    Some(finding(
        Cause::Drift,
        certainty,
        evidence,
        vec![
            mend::by(
                "look at what differs",
                format!("crossgate check --gate {}", scene.gate.name),
            ),
            mend::bootstrap(scene),
        ],
    ))
}
