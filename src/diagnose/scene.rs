//! One gate with everything that is known of it, looked up once.
//! It gathers; which of it is a cause is decided in `causes`.

use crate::model::account::AccountName;
use crate::model::chain::{Answer, Chain, Hop, HopId};
use crate::model::change::{Change, ChangeAction, ChangeKind};
use crate::model::diagnosis::Evidence;
use crate::model::execution::{
    ActionExecution, ActionStatus, ExecutionId, ExecutionStatus, StageState,
};
use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::{ActionView, PipelineDocument, StageView};
use crate::model::read::{Function, Read};
use crate::model::wiring::{FunctionKey, Gate, Wiring};
use crate::verify;

use super::log::{LogFacts, facts};
use super::{Known, Options, attempt, wants};

/// What is known of the function's log.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Log<'a> {
    /// There was no attempt, so nothing was asked.
    NotAsked,
    /// It could not be read.
    Unreadable(&'a CloudError),
    /// There is no such group.
    NoGroup,
    /// What it says.
    Read(Box<LogFacts>),
}

/// One gate.
pub(super) struct Scene<'a> {
    pub(super) wiring: &'a Wiring,
    pub(super) gate: &'a Gate,
    pub(super) observed: &'a Observed,
    pub(super) beside: &'a Observed,
    pub(super) now: i64,
    /// The pipeline's document.
    pub(super) document: Seen<'a, PipelineDocument>,
    /// The gate's action in it.
    pub(super) action: Option<ActionView<'a>>,
    /// The hops.
    pub(super) chain: Option<&'a Chain>,
    /// What a bootstrap would change for this gate.
    pub(super) changes: Vec<&'a Change>,
    /// The gate's stage.
    pub(super) stage: Option<&'a StageState>,
    /// The execution that is looked at.
    pub(super) execution: Option<ExecutionId>,
    /// How it stands, where it is among the newest.
    pub(super) status: Option<ExecutionStatus>,
    /// Its actions, the newest first.
    pub(super) actions: &'a [ActionExecution],
    /// The newest run of the gate's action in it.
    pub(super) attempt: Option<&'a ActionExecution>,
    /// The function that is really called.
    pub(super) function_key: FunctionKey,
    /// Its version or alias.
    pub(super) qualifier: Option<String>,
    /// Its configuration.
    pub(super) function: Seen<'a, Function>,
    /// Its log group.
    pub(super) log_group: String,
    /// Its log around the attempt.
    pub(super) log: Log<'a>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(known: &Known<'a>, options: &Options, gate: &'a Gate) -> Self {
        let Known {
            wiring,
            observed,
            beside,
            plan,
            proof,
            now,
        } = *known;
        let (function_key, qualifier) = verify::called(wiring, observed, gate);
        let document = observed.pipeline(&gate.pipeline);
        let execution = attempt::chosen(observed, gate, options);
        let actions = execution.as_ref();
        let actions = actions.map_or(&[][..], |id| attempt::actions(observed, gate, id));
        let state = match observed.pipeline_state(&gate.pipeline) {
            Seen::Present(state) => Some(state),
            Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => None,
        };
        let log = wants::log_of(observed, gate, &function_key, options, now);
        let log = match log.map(|read| beside.log_events(&function_key.account, &read)) {
            None | Some(Seen::NotRead) => Log::NotAsked,
            Some(Seen::Absent) => Log::NoGroup,
            Some(Seen::Unreadable(error)) => Log::Unreadable(error),
            Some(Seen::Present(lines)) => Log::Read(Box::new(facts(lines))),
        };
        let status = execution.as_ref();
        Self {
            wiring,
            gate,
            observed,
            beside,
            now,
            action: match document {
                Seen::Present(document) => action(document, gate),
                Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => None,
            },
            document,
            chain: proof.chains.iter().find(|chain| chain.gate == gate.name),
            changes: plan
                .changes
                .iter()
                .filter(|change| change.gates.contains(&gate.name))
                .collect(),
            stage: state.and_then(|state| state.stage(gate.action.stage.as_str())),
            status: status.and_then(|id| attempt::status(observed, gate, id)),
            execution,
            actions,
            attempt: actions.iter().find(|one| attempt::is_of(gate, one)),
            function: observed.function(&function_key),
            log_group: wants::log_group(observed, &function_key),
            function_key,
            qualifier,
            log,
        }
    }

    /// The hops of one id that are refuted.
    pub(super) fn refuted(&self, id: HopId) -> impl Iterator<Item = &'a Hop> {
        let hops = self.chain.map_or(&[][..], |chain| &chain.hops);
        hops.iter().filter(move |hop| {
            hop.id == id
                && matches!(
                    hop.answer,
                    Answer::ImplicitlyDenied | Answer::ExplicitlyDenied
                )
        })
    }

    /// The first hop of one id.
    pub(super) fn hop(&self, id: HopId) -> Option<&'a Hop> {
        self.chain?.hops.iter().find(|hop| hop.id == id)
    }

    /// What the log says, where it was read.
    pub(super) fn log_facts(&self) -> Option<&LogFacts> {
        match &self.log {
            Log::Read(facts) => Some(facts),
            Log::NotAsked | Log::Unreadable(_) | Log::NoGroup => None,
        }
    }

    /// True where the log shows that the function ran.
    pub(super) fn ran(&self) -> bool {
        self.log_facts().is_some_and(|log| !log.begun.is_empty())
    }

    /// True where the manifest's action is missing from the pipeline, as the plan sees it too.
    pub(super) fn makes_action(&self) -> bool {
        self.changes.iter().any(|change| {
            change.kind == ChangeKind::PipelineAction && change.action == ChangeAction::Create
        })
    }

    /// True where the manifest makes the function that is really called.
    pub(super) fn is_made(&self) -> bool {
        self.wiring.functions.contains_key(&self.function_key)
    }

    /// Seconds since the function was asked last: since the attempt began, or gave its last sign.
    pub(super) fn waited(&self) -> Option<i64> {
        let attempt = self.attempt?;
        let sign = attempt.updated.max(attempt.started)?;
        Some(self.now.saturating_sub(sign).max(0))
    }

    /// `account NAME (ID)`.
    pub(super) fn account(&self, name: &AccountName) -> String {
        match self.wiring.account_id(name) {
            Some(id) => format!("account {name} ({id})"),
            None => format!("account {name}"),
        }
    }

    /// The function in words.
    pub(super) fn function_words(&self) -> String {
        let key = &self.function_key;
        let qualifier = self.qualifier.as_ref();
        let qualifier = qualifier.map_or(String::new(), |q| format!(":{q}"));
        format!(
            "function {}{qualifier} in {}, {}",
            key.name,
            self.account(&key.account),
            key.region
        )
    }

    /// What the action said, as evidence.
    pub(super) fn action_evidence(&self) -> Option<Evidence> {
        let attempt = self.attempt?;
        let execution = self.execution.as_ref();
        let execution = execution.map_or(String::new(), |id| format!(" in execution {id}"));
        let why = attempt.error.as_ref();
        let why = why.map_or(String::new(), |error| {
            format!(": {}", super::redact::redact(&error.to_string()))
        });
        Some(Evidence {
            from: "the action",
            text: format!(
                "{}/{} {}{execution}{why}",
                attempt.stage,
                attempt.action,
                match attempt.status {
                    ActionStatus::InProgress => "is in progress",
                    ActionStatus::Succeeded => "succeeded",
                    ActionStatus::Failed => "failed",
                    ActionStatus::Abandoned => "was abandoned",
                    ActionStatus::Unknown => "is in a state that crossgate does not know",
                }
            ),
        })
    }

    /// What is worth knowing beside the findings.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(self.log_note());
        notes.extend(self.newer());
        notes.extend(self.given_up());
        let remarks = self.chain.map_or(&[][..], |chain| &chain.findings);
        let bears = |code: &str| {
            matches!(
                code,
                "function_update_failed" | "principal_deleted" | "function_pending"
            )
        };
        let remarks = remarks.iter().filter(|one| bears(one.code));
        notes.extend(remarks.map(|one| one.message.clone()));
        let unknown = |hop: &&Hop| hop.answer == Answer::NotProven;
        let hops = self.chain.map_or(&[][..], |chain| &chain.hops);
        notes.extend(
            hops.iter()
                .find(unknown)
                .map(|hop| format!("hop {} is {}", hop.id.as_str(), hop.reason)),
        );
        notes
    }

    /// Where Lambda puts the calls that it gave up, and how soon it does; of no interest where the function has answered.
    fn given_up(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let failed = self
            .attempt
            .is_some_and(|one| one.status != ActionStatus::Succeeded);
        if !failed {
            return notes;
        }
        if let Seen::Present(function) = self.function
            && let Some(to) = &function.dead_letter_arn
        {
            notes.push(format!("the function's dead-letter target is {to}: look there for calls that Lambda gave up"));
        }
        let key = &self.function_key;
        let config = self
            .beside
            .function_invoke_config(key, self.qualifier.as_deref());
        if let Seen::Present(config) = config {
            if let Some(to) = &config.on_failure {
                notes.push(format!(
                    "events that Lambda gave up are sent to {to}: look there"
                ));
            }
            if config.retries == Some(0) {
                notes.push("Lambda does not try the function again after an error".to_owned());
            }
        }
        notes
    }

    fn log_note(&self) -> Option<String> {
        // Of a function that has answered, a log that cannot be read would tell nothing more.
        let has_answered = self.attempt?.status == ActionStatus::Succeeded;
        let (account, group) = (self.account(&self.function_key.account), &self.log_group);
        match &self.log {
            Log::Read(log) if log.cut => Some(format!(
                "log group {group} holds more lines of that time than were read"
            )),
            Log::Read(log) if log.begun.len() > 1 => Some(format!(
                "log group {group} holds {} invocations of that time: some may not be of this job",
                log.begun.len()
            )),
            Log::NotAsked | Log::Read(_) => None,
            Log::NoGroup | Log::Unreadable(_) if has_answered => None,
            Log::NoGroup => Some(format!(
                "there is no log group {group} in {account}: the function never ran, or its execution role may not write logs"
            )),
            Log::Unreadable(error) if error.kind == CloudErrorKind::AccessDenied => {
                let id = self.wiring.account_id(&self.function_key.account);
                let id = id.map_or("", |id| id.as_str());
                let key = &self.function_key;
                let statement = serde_json::json!({"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource":
                    format!("arn:{}:logs:{}:{id}:log-group:{group}:*", key.region.partition(), key.region)});
                Some(format!(
                    "the function's log in {account} may not be read, so less is certain; this statement would allow it: {statement}"
                ))
            }
            Log::Unreadable(error) => Some(format!("the function's log was not read: {error}")),
        }
    }

    /// A newer execution that has not come to the gate.
    fn newer(&self) -> Option<String> {
        let newest = attempt::executions(self.observed, self.gate).first()?;
        let looked_at = self.execution.as_ref()?;
        (newest.id != *looked_at).then(|| {
            format!(
                "a newer execution, {}, is {}: `--execution {}` looks at it",
                newest.id,
                newest.status.words(),
                newest.id
            )
        })
    }

    /// Whether a function of that name was found in another place, and which places were looked at.
    pub(super) fn found_elsewhere(&self) -> (Vec<(AccountName, String)>, usize) {
        let mut found = Vec::new();
        let mut looked = 0;
        for (account, read) in wants::elsewhere(self.wiring, self.gate, &self.function_key) {
            let Read::Function { region, name } = read else {
                continue;
            };
            let key = FunctionKey {
                account: account.clone(),
                region,
                name,
            };
            match self.beside.function(&key) {
                Seen::Present(_) => {
                    looked += 1;
                    found.push((account, key.region.to_string()));
                }
                Seen::Absent => looked += 1,
                Seen::NotRead | Seen::Unreadable(_) => {}
            }
        }
        (found, looked)
    }
}

fn action<'a>(document: &'a PipelineDocument, gate: &Gate) -> Option<ActionView<'a>> {
    document
        .stages()
        .filter(|stage| stage.name() == gate.action.stage.as_str())
        .flat_map(StageView::actions)
        .find(|action| action.name() == gate.action.name.as_str())
}
