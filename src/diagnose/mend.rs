//! What mends a cause: orders in one sentence, with the command where one does it.
//! Names and ids of AWS need no quotes for a shell (their forms are checked when they are read); names of profiles may.

use crate::model::account::AccountName;
use crate::model::chain::Hop;
use crate::model::diagnosis::Mend;
use crate::model::execution::ActionStatus;

use super::scene::Scene;

/// A step without a command.
pub(super) fn by_hand(what: impl Into<String>) -> Mend {
    Mend {
        what: what.into(),
        command: None,
    }
}

/// A step with the command that does it.
pub(super) fn by(what: impl Into<String>, command: String) -> Mend {
    Mend {
        what: what.into(),
        command: Some(command),
    }
}

/// A step with a command of the AWS CLI, with the credentials that the manifest has for the account: without them it would be
/// about whatever account the shell is in.
pub(super) fn by_aws(
    scene: &Scene<'_>,
    account: &AccountName,
    what: impl Into<String>,
    command: String,
) -> Mend {
    let account = scene.wiring.accounts.get(account);
    let profile = account.and_then(|account| account.profile.as_deref());
    let profile = profile.map_or(String::new(), |name| format!(" --profile {}", quoted(name)));
    by(what, command + &profile)
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/' | ':');
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Puts the gate there.
pub(super) fn bootstrap(scene: &Scene<'_>) -> Mend {
    by(
        "put the gate there as the manifest wants it",
        format!("crossgate bootstrap --gate {}", scene.gate.name),
    )
}

/// What `verify` says of a hop; where that is a bootstrap, with the command.
pub(super) fn of_hop(scene: &Scene<'_>, hop: &Hop) -> Vec<Mend> {
    let Some(what) = &hop.mend else {
        return vec![by(
            "look at the hops",
            format!("crossgate verify --gate {}", scene.gate.name),
        )];
    };
    if what.contains("crossgate bootstrap") {
        return vec![by(
            what.clone(),
            format!("crossgate bootstrap --gate {}", scene.gate.name),
        )];
    }
    vec![by_hand(what.clone())]
}

/// Runs what failed again.
pub(super) fn retry(scene: &Scene<'_>) -> Mend {
    let pipeline = &scene.gate.pipeline;
    let when = match scene.attempt.map(|one| one.status) {
        // A stage that is in progress cannot be run again (api: RetryStageExecution, StageNotRetryableException).
        Some(ActionStatus::InProgress | ActionStatus::Unknown) => {
            "once CodePipeline has given the job up"
        }
        Some(ActionStatus::Failed | ActionStatus::Abandoned | ActionStatus::Succeeded) | None => {
            "then"
        }
    };
    match &scene.execution {
        Some(id) => by_aws(
            scene,
            &pipeline.account,
            format!(
                "{when} let the stage run again, in {}",
                scene.account(&pipeline.account)
            ),
            format!(
                "aws codepipeline retry-stage-execution --pipeline-name {} --stage-name {} --pipeline-execution-id {id} \
                 --retry-mode FAILED_ACTIONS --region {}",
                pipeline.name, scene.gate.action.stage, pipeline.region
            ),
        ),
        None => run(scene),
    }
}

/// Starts the pipeline.
pub(super) fn run(scene: &Scene<'_>) -> Mend {
    by(
        "start the pipeline and follow the gate",
        format!("crossgate run --gate {}", scene.gate.name),
    )
}

/// Opens the way into the stage.
pub(super) fn enable_stage(scene: &Scene<'_>) -> Mend {
    let pipeline = &scene.gate.pipeline;
    by_aws(
        scene,
        &pipeline.account,
        format!("open it again, in {}", scene.account(&pipeline.account)),
        format!(
            "aws codepipeline enable-stage-transition --pipeline-name {} --stage-name {} --transition-type Inbound --region {}",
            pipeline.name, scene.gate.action.stage, pipeline.region
        ),
    )
}

/// Gives the function more time. One that the manifest makes gets it there: set anywhere else it would be drift.
pub(super) fn more_time(scene: &Scene<'_>) -> Vec<Mend> {
    let key = &scene.function_key;
    let more = if scene.is_made() {
        by(
            "give the function more time: `timeout_seconds` in [gates.function], 900 at most, and then",
            format!("crossgate bootstrap --gate {}", scene.gate.name),
        )
    } else {
        by_aws(
            scene,
            &key.account,
            format!(
                "give the function more time, 900 seconds at most, in {}",
                scene.account(&key.account)
            ),
            format!(
                "aws lambda update-function-configuration --function-name {} --timeout 900 --region {}",
                key.name, key.region
            ),
        )
    };
    vec![
        more,
        by_hand(
            "let it answer before its time is over: a failure with a guard on the deadline, or a continuationToken for longer work",
        ),
    ]
}

/// Takes the reservation off.
pub(super) fn concurrency(scene: &Scene<'_>) -> Mend {
    let key = &scene.function_key;
    by_aws(
        scene,
        &key.account,
        format!(
            "take the reserved concurrency off, or raise it, in {}",
            scene.account(&key.account)
        ),
        format!(
            "aws lambda delete-function-concurrency --function-name {} --region {}",
            key.name, key.region
        ),
    )
}

/// Shows the function's log.
pub(super) fn read_log(scene: &Scene<'_>) -> Mend {
    let key = &scene.function_key;
    by_aws(
        scene,
        &key.account,
        format!(
            "read the function's log, in {}",
            scene.account(&key.account)
        ),
        format!(
            "aws logs tail {} --since 1h --region {}",
            scene.log_group, key.region
        ),
    )
}
