//! All causes of one gate, each with how sure it is; here those that stand in AWS whatever ran: pipeline, function, wiring.
//! It decides on what was gathered; the order in which causes are shown is not decided here.

use crate::model::account::AccountName;
use crate::model::chain::Weight;
use crate::model::change::{ChangeAction, ChangeKind};
use crate::model::diagnosis::{Cause, Certainty, Evidence, Finding, Mend};
use crate::model::execution::ActionStatus;
use crate::model::observed::Seen;

use super::scene::Scene;
use super::{course, mend, refusals};

/// How many differences from the manifest are shown.
const SHOWN: usize = 5;

/// A finding.
pub(super) fn finding(
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

/// Evidence.
pub(super) fn seen(from: &'static str, text: impl Into<String>) -> Evidence {
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
    let asked = course::all(scene, &mut found);
    found.extend(course::stage_disabled(scene));
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
        vec![mend::by_aws(
            scene,
            &pipeline.account,
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
        let mend = if scene.is_made() {
            mend::by(
                "the manifest makes the function: let it be made",
                format!("crossgate bootstrap --gate {}", scene.gate.name),
            )
        } else {
            mend::by_hand("make the function, or name the right one in [gates.function]")
        };
        return finding(
            Cause::FunctionMissing,
            Certainty::Certain,
            evidence,
            vec![mend, again(scene)],
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
