//! What an execution means for the gates in it: passed, refused, or not decided; and when to look again.
//! Pure: no clock, no calls; who polls is `commands`.

use std::time::Duration;

use crate::model::execution::{ActionExecution, ActionStatus, ExecutionStatus};
use crate::model::name::{ActionName, GateName, StageName};

/// A gate by where it stands in the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedGate {
    /// The gate.
    pub name: GateName,
    /// Its stage.
    pub stage: StageName,
    /// Its action.
    pub action: ActionName,
}

impl FollowedGate {
    fn is(&self, execution: &ActionExecution) -> bool {
        execution.stage == self.stage.as_str() && execution.action == self.action.as_str()
    }
}

/// What is known of the gates of one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A gate has not answered yet.
    Undecided,
    /// Every gate let the pipeline go on.
    Passed,
    /// A gate said no, or failed on the way to its answer.
    Refused {
        /// The gate.
        gate: GateName,
        /// Why, as AWS tells it.
        why: String,
    },
    /// The execution ended, and a gate was never asked.
    NotReached {
        /// How the execution ended, in words.
        why: String,
    },
}

/// The answer, from the latest attempts of the actions and, where it is known, the execution's own status.
pub fn answer(
    gates: &[FollowedGate],
    actions: &[ActionExecution],
    execution: Option<ExecutionStatus>,
) -> Answer {
    let mut open = None;
    for gate in gates {
        let attempt = latest(actions).into_iter().find(|one| gate.is(one));
        match attempt.map(|one| (one.status, one)) {
            Some((ActionStatus::Succeeded, _)) => {}
            Some((ActionStatus::Failed | ActionStatus::Abandoned, one)) => {
                let why = one
                    .error
                    .as_ref()
                    .map_or_else(|| one.status.words().to_owned(), ToString::to_string);
                return Answer::Refused {
                    gate: gate.name.clone(),
                    why,
                };
            }
            Some((ActionStatus::InProgress | ActionStatus::Unknown, _)) | None => {
                open = open.or(Some(gate));
            }
        }
    }
    let Some(gate) = open else {
        return Answer::Passed;
    };
    match execution {
        Some(status) if status.is_over() => Answer::NotReached {
            why: why_not_reached(gate, actions, status),
        },
        Some(_) | None => Answer::Undecided,
    }
}

fn why_not_reached(
    gate: &FollowedGate,
    actions: &[ActionExecution],
    status: ExecutionStatus,
) -> String {
    let failed = latest(actions)
        .into_iter()
        .find(|one| one.status == ActionStatus::Failed);
    let failed = failed.map_or_else(String::new, |one| {
        let error = one
            .error
            .as_ref()
            .map_or_else(String::new, |e| format!(" ({e})"));
        format!(": {}/{} failed{error}", one.stage, one.action)
    });
    format!(
        "the execution {} before gate {} was asked{failed}",
        status.words(),
        gate.name
    )
}

/// The newest attempt of each action, in the order in which actions began. AWS lists the newest first.
pub fn latest(actions: &[ActionExecution]) -> Vec<&ActionExecution> {
    let mut found: Vec<&ActionExecution> = Vec::new();
    for one in actions {
        let is_known = |f: &&ActionExecution| f.stage == one.stage && f.action == one.action;
        if !found.iter().any(is_known) {
            found.push(one);
        }
    }
    found.reverse();
    found
}

/// The attempts that are new, or stand otherwise, since the last look.
pub fn news<'a>(
    before: &[ActionExecution],
    now: &'a [ActionExecution],
) -> Vec<&'a ActionExecution> {
    let is_old = |one: &ActionExecution| {
        before
            .iter()
            .any(|old| old.id == one.id && old.status == one.status)
    };
    now.iter().rev().filter(|one| !is_old(one)).collect()
}

/// How often is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause after news. On real accounts at least a second: one call a second is the most.
    pub first: Duration,
    /// The longest pause.
    pub most: Duration,
}

impl Pace {
    /// For real accounts.
    pub const AWS: Self = Self {
        first: Duration::from_secs(1),
        most: Duration::from_secs(10),
    };

    /// The pause before the next look: half as long again each time that there was no news.
    pub fn next(self, last: Option<Duration>, news: bool) -> Duration {
        match last {
            Some(last) if !news => (last + last / 2).min(self.most).max(self.first),
            Some(_) | None => self.first,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::execution::ActionError;

    fn gate() -> Vec<FollowedGate> {
        vec![FollowedGate {
            name: GateName::new("validate").unwrap(),
            stage: StageName::new("Gate").unwrap(),
            action: ActionName::new("Run").unwrap(),
        }]
    }

    fn one(id: &str, stage: &str, action: &str, status: ActionStatus) -> ActionExecution {
        ActionExecution {
            id: id.to_owned(),
            execution: None,
            stage: stage.to_owned(),
            action: action.to_owned(),
            status,
            started: None,
            updated: None,
            pipeline_version: None,
            role: None,
            summary: None,
            external_id: None,
            error: (status == ActionStatus::Failed).then(|| ActionError {
                code: Some("JobFailed".to_owned()),
                message: Some("two tests failed".to_owned()),
            }),
        }
    }

    #[test]
    fn a_gate_passes_refuses_or_is_not_decided() {
        let source = one("1", "Source", "Src", ActionStatus::Succeeded);
        let says = |status| {
            let actions = [one("2", "Gate", "Run", status), source.clone()];
            answer(&gate(), &actions, None)
        };
        assert_eq!(says(ActionStatus::Succeeded), Answer::Passed);
        assert_eq!(says(ActionStatus::InProgress), Answer::Undecided);
        let Answer::Refused { why, .. } = says(ActionStatus::Failed) else {
            unreachable!("a failed gate refuses")
        };
        assert_eq!(why, "JobFailed: two tests failed");
        let before = answer(&gate(), &[source], Some(ExecutionStatus::InProgress));
        assert_eq!(before, Answer::Undecided);
    }

    #[test]
    fn an_execution_that_ends_before_the_gate_never_passes() {
        let failed = [one("1", "Source", "Src", ActionStatus::Failed)];
        for (status, word) in [
            (ExecutionStatus::Failed, "Source/Src failed (JobFailed"),
            (ExecutionStatus::Superseded, "superseded"),
            (ExecutionStatus::Stopped, "stopped"),
            (ExecutionStatus::Succeeded, "succeeded"),
        ] {
            let Answer::NotReached { why } = answer(&gate(), &failed, Some(status)) else {
                unreachable!("{status:?}")
            };
            assert!(why.contains(word), "{why}");
        }
    }

    #[test]
    fn the_newest_attempt_counts() {
        let actions = [
            one("2", "Gate", "Run", ActionStatus::Succeeded),
            one("1", "Gate", "Run", ActionStatus::Failed),
        ];
        assert_eq!(answer(&gate(), &actions, None), Answer::Passed);
    }

    #[test]
    fn news_are_new_attempts_and_new_states_oldest_first() {
        let before = [one("1", "Source", "Src", ActionStatus::InProgress)];
        let now = [
            one("2", "Gate", "Run", ActionStatus::InProgress),
            one("1", "Source", "Src", ActionStatus::Succeeded),
        ];
        let ids: Vec<&str> = news(&before, &now).iter().map(|a| a.id.as_str()).collect();
        assert_eq!(ids, ["1", "2"]);
        assert!(news(&now, &now).is_empty());
    }

    #[test]
    fn looking_slows_down_without_news_and_is_never_faster_than_the_pace() {
        let mut pause = Pace::AWS.next(None, false);
        for _ in 0..20 {
            let next = Pace::AWS.next(Some(pause), false);
            assert!(next >= pause && next <= Pace::AWS.most);
            pause = next;
        }
        assert_eq!(pause, Pace::AWS.most);
        assert_eq!(Pace::AWS.next(Some(pause), true), Pace::AWS.first);
    }
}
