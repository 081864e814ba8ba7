//! Causes of a missing answer: what became of the function after it was called.
//! The log tells most; without it there is what the policies and the function's configuration leave over.

use crate::model::arn::RoleArn;
use crate::model::chain::HopId;
use crate::model::diagnosis::{Cause, Certainty, Evidence, Finding};
use crate::model::execution::ActionStatus;
use crate::model::observed::Seen;

use super::log::{LogFacts, Refused};
use super::mend;
use super::scene::{Log, Scene};

/// The function was called, and CodePipeline has no answer, or none that counts.
pub(super) fn unanswered(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(log) = scene.log_facts() {
        found.extend(
            log.refused
                .as_ref()
                .map(|refused| of_refused(scene, log, refused)),
        );
        found.extend(
            log.bad_credentials
                .as_ref()
                .map(|line| wrong_credentials(scene, sure(log), vec![of_log(line)])),
        );
        found.extend(
            log.timed_out
                .as_ref()
                .map(|line| timed_out(scene, log, line)),
        );
        found.extend(failed(scene, log));
        found.extend(twice(scene));
    }
    let explained = found.iter().any(|f| f.certainty <= Certainty::Likely);
    if !explained {
        found.extend(never(scene));
    }
    found
}

/// Where the log holds other invocations too, a line may be of one of those.
/// That goes for one that began before the lines that were read too: only its end is there.
fn sure(log: &LogFacts) -> Certainty {
    if log.begun.union(&log.ended).count() > 1 {
        Certainty::Likely
    } else {
        Certainty::Certain
    }
}

fn of_log(line: &str) -> Evidence {
    Evidence {
        from: "the function's log",
        text: line.to_owned(),
    }
}

/// The finding of a cause that a line of the log tells.
fn told(scene: &Scene<'_>, cause: Cause, log: &LogFacts, line: &str) -> Finding {
    let mut evidence: Vec<Evidence> = scene.action_evidence().into_iter().collect();
    evidence.push(of_log(line));
    Finding {
        cause,
        certainty: sure(log),
        evidence,
        mend: Vec::new(),
    }
}

/// An answer was refused: to the execution role, or to somebody as whom the function should not speak.
fn of_refused(scene: &Scene<'_>, log: &LogFacts, refused: &Refused) -> Finding {
    let Refused { caller, line } = refused;
    let role = match scene.function {
        Seen::Present(function) => Some(&function.role),
        Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => None,
    };
    if let (Some(caller), Some(role)) = (caller, role)
        && !is_session_of(caller, role)
    {
        let evidence = vec![
            of_log(line),
            Evidence {
                from: "the function",
                text: format!("it runs as {role}, and answered as {caller}"),
            },
        ];
        return wrong_credentials(scene, sure(log), evidence);
    }
    let mut finding = told(scene, Cause::CallbackDenied, log, line);
    let hop = scene.refuted(HopId::Three).next();
    match hop {
        Some(hop) => finding.mend.extend(mend::of_hop(scene, hop)),
        None => finding.mend.push(mend::by(
            "the policies allow it now: look whether a boundary or a control policy forbids it",
            format!(
                "crossgate verify --gate {} --organizations ACCOUNT",
                scene.gate.name
            ),
        )),
    }
    finding.mend.push(mend::retry(scene));
    finding
}

/// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` of a role (IAM user guide, "Role session principals").
fn is_session_of(caller: &str, role: &RoleArn) -> bool {
    let mut fields = caller.splitn(6, ':').skip(4);
    let (account, rest) = (fields.next(), fields.next().unwrap_or_default());
    let name = rest
        .strip_prefix("assumed-role/")
        .and_then(|rest| rest.split('/').next());
    account == Some(role.account.as_str()) && name == Some(role.name.as_str())
}

fn wrong_credentials(
    scene: &Scene<'_>,
    certainty: Certainty,
    mut evidence: Vec<Evidence>,
) -> Finding {
    evidence.splice(0..0, scene.action_evidence());
    Finding {
        cause: Cause::WrongCredentials,
        certainty,
        evidence,
        mend: vec![
            mend::by_hand(
                "make the CodePipeline client of the function without credentials, so that it takes those of the execution \
                 role; `artifactCredentials` are for the artifacts in S3 alone",
            ),
            mend::retry(scene),
        ],
    }
}

fn timed_out(scene: &Scene<'_>, log: &LogFacts, line: &str) -> Finding {
    let mut finding = told(scene, Cause::FunctionTimedOut, log, line);
    if let Seen::Present(function) = scene.function
        && let Some(seconds) = function.timeout_seconds
    {
        finding.evidence.push(Evidence {
            from: "the function",
            text: format!("its timeout is {seconds} s"),
        });
    }
    finding.mend = mend::more_time(scene);
    finding.mend.push(mend::retry(scene));
    finding
}

/// The function ended with an error. Where an answer of it was refused, that is why, and says more.
fn failed(scene: &Scene<'_>, log: &LogFacts) -> Option<Finding> {
    if log.refused.is_some() || log.not_open.is_some() || log.timed_out.is_some() {
        return None;
    }
    let over = scene.attempt.map(|one| one.status) == Some(ActionStatus::Failed);
    if !over && !log.begun.is_subset(&log.ended) {
        // It still runs: whatever it met, it may answer.
        return None;
    }
    let certain = log.failed.as_ref().or(log.ended_in_error.as_ref());
    let line = certain.or(log.caught.as_ref())?;
    let mut finding = told(scene, Cause::FunctionFailed, log, line);
    if certain.is_none() {
        finding.certainty = finding.certainty.max(Certainty::Likely);
    }
    finding.mend = vec![
        mend::by_hand(
            "mend the function, and let it answer a failure on every error: PutJobFailureResult with the message",
        ),
        mend::read_log(scene),
        mend::retry(scene),
    ];
    Some(finding)
}

/// An answer came to a job that was no longer open.
pub(super) fn twice(scene: &Scene<'_>) -> Option<Finding> {
    let log = scene.log_facts()?;
    let line = log.not_open.as_ref()?;
    let mut finding = told(scene, Cause::AnsweredTwice, log, line);
    if log.attempts > log.begun.len() {
        finding.evidence.push(Evidence {
            from: "the function's log",
            text: "Lambda tried the invocation again: the function answered, and then ended with an error".to_owned(),
        });
    }
    finding.mend = vec![mend::by_hand(
        "let the function answer once: return after the first answer, and answer in no `finally` or outer `except` what was \
         answered inside",
    )];
    Some(finding)
}

/// Nothing says why there is no answer: the function ran to its end without one, or never ran.
fn never(scene: &Scene<'_>) -> Option<Finding> {
    let attempt = scene.attempt?;
    let over = attempt.status == ActionStatus::Failed;
    // Only an answer with a continuationToken brings these while the action is in progress: the function comes back.
    let goes_on = !over && (attempt.summary.is_some() || attempt.external_id.is_some());
    let log = |text: String| Evidence {
        from: "the function's log",
        text,
    };
    let mut evidence: Vec<Evidence> = scene.action_evidence().into_iter().collect();
    let certainty = match (&scene.log, scene.log_facts()) {
        _ if goes_on => return None,
        // An invocation of several still runs.
        (_, Some(facts)) if !over && !facts.begun.is_subset(&facts.ended) => return None,
        (_, Some(facts)) if !facts.ended.is_empty() && !facts.cut => {
            evidence.push(log(
                "the function ran to its end, without an error and without a refused answer"
                    .to_owned(),
            ));
            if over && facts.begun.len() <= 1 {
                Certainty::Certain
            } else {
                Certainty::Likely
            }
        }
        // It runs, or its end was not read: it may still answer.
        (_, Some(facts)) if !facts.begun.is_empty() && !over => return None,
        (Log::Read(_), Some(facts)) if facts.begun.is_empty() => {
            evidence.push(log(format!(
                "log group {} has no invocation of that time",
                scene.log_group
            )));
            Certainty::Possible
        }
        _ if !over => return None,
        _ => Certainty::Possible,
    };
    Some(Finding {
        cause: Cause::NeverCalledBack,
        certainty,
        evidence,
        mend: vec![
            mend::by_hand(
                "let the function answer on every way out: PutJobSuccessResult or PutJobFailureResult with the id in \
                 event[\"CodePipeline.job\"][\"id\"], and wait for that call before the handler returns",
            ),
            mend::retry(scene),
        ],
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_of_its_role_in_its_account_only() {
        let role = RoleArn::parse("arn:aws:iam::222222222222:role/service-role/Exec").unwrap();
        let of = |arn: &str| is_session_of(arn, &role);
        assert!(of("arn:aws:sts::222222222222:assumed-role/Exec/MyFunction"));
        assert!(!of(
            "arn:aws:sts::111111111111:assumed-role/Exec/MyFunction"
        ));
        assert!(!of(
            "arn:aws:sts::222222222222:assumed-role/Exec2/MyFunction"
        ));
        assert!(!of("arn:aws:iam::222222222222:user/Exec"));
    }
}
