//! Gates joined with what was observed of them: the service role of each pipeline, the execution role of each function.
//! It resolves and reports what is missing; it plans nothing.

use std::cell::{LazyCell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::{AccountId, AccountName};
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::change::{Intent, Problem, Severity};
use crate::model::failure::CloudError;
use crate::model::function::FunctionSpec;
use crate::model::name::{GateName, PolicyName, RoleName};
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::{PipelineDocument, StageView};
use crate::model::read::Read;
use crate::model::wiring::{FunctionKey, Gate, PipelineKey, RoleKey, Wiring};

use super::artifacts::Artifacts;
use super::draft::Draft;

/// All gates of the manifest, joined.
pub(super) struct Joined<'a> {
    pub(super) wiring: &'a Wiring,
    pub(super) observed: &'a Observed,
    pub(super) gates: Vec<JoinedGate<'a>>,
    ends: OnceCell<Ends>,
}

/// The roles at the ends of all gates. Every invoke role is looked for among them: a look through the gates for each would take the
/// square of their number.
#[derive(Default)]
struct Ends {
    execution: RoleNames,
    service: RoleNames,
}

#[derive(Default)]
struct RoleNames(BTreeMap<AccountName, BTreeSet<RoleName>>);

impl RoleNames {
    fn add(&mut self, account: &AccountName, role: Option<&RoleArn>) {
        let Some(RoleArn { name, .. }) = role else {
            return;
        };
        // Gates share these roles: most are known.
        match self.0.get_mut(account) {
            Some(names) if names.contains(name) => {}
            Some(names) => {
                names.insert(name.clone());
            }
            None => {
                self.0.insert(account.clone(), [name.clone()].into());
            }
        }
    }

    fn holds(&self, role: &RoleKey) -> bool {
        let names = self.0.get(&role.account);
        names.is_some_and(|names| names.contains(&role.name))
    }
}

/// One gate, with what is known of its two ends.
pub(super) struct JoinedGate<'a> {
    pub(super) gate: &'a Gate,
    pub(super) selected: bool,
    /// The run, or another partition of it, is about the gate.
    pub(super) in_run: bool,
    pub(super) pipeline_account: &'a AccountId,
    pub(super) function_account: &'a AccountId,
    pub(super) role_arn: RoleArn,
    pub(super) function_arn: FunctionArn,
    /// The pipeline's document, if it was read and the account is the right one.
    pub(super) pipeline: Option<&'a PipelineDocument>,
    /// The pipeline's service role, where the pipeline was read and names one of its own account.
    pub(super) service_role: Option<RoleArn>,
    /// The function as the manifest makes it, where it does.
    pub(super) made: Option<&'a FunctionSpec>,
    /// The function's execution role: the one that the manifest wants for a function that it makes; else that of the function,
    /// where it was read.
    pub(super) execution_role: Option<RoleArn>,
    /// What the gate does with artifacts, where it does.
    pub(super) artifacts: Option<Artifacts>,
    pub(super) standing: Standing,
}

/// What becomes of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The run shall leave it standing: a gate of a bootstrap, another partition's too, or one that the run is not about and whose
    /// action stands in its pipeline. The action is written last and removed first, so a gate without it needs nothing.
    Stays,
    /// A gate of the manifest whose action does not stand yet, while what is left behind is removed (`await_gates`): what is there
    /// for it stays, and nothing is made for it.
    Awaited,
    /// It is removed, or was never there.
    Goes,
}

impl JoinedGate<'_> {
    /// True where an object that the gate needs, if it is there, is not removed.
    pub(super) fn holds(&self) -> bool {
        self.stays() || self.is_awaited()
    }

    pub(super) fn stays(&self) -> bool {
        self.standing == Standing::Stays
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.standing == Standing::Awaited
    }
}

impl<'a> Joined<'a> {
    pub(super) fn new(wiring: &'a Wiring, observed: &'a Observed, intent: Intent) -> Self {
        let gates = wiring
            .gates
            .iter()
            .filter_map(|gate| join(wiring, observed, intent, gate))
            .collect();
        Self {
            wiring,
            observed,
            gates,
            ends: OnceCell::new(),
        }
    }

    fn ends(&self) -> &Ends {
        self.ends.get_or_init(|| {
            let mut ends = Ends::default();
            for joined in &self.gates {
                let Gate {
                    pipeline, function, ..
                } = joined.gate;
                let execution = joined.execution_role.as_ref();
                ends.execution.add(&function.account, execution);
                let service = joined.service_role.as_ref();
                ends.service.add(&pipeline.account, service);
            }
            ends
        })
    }

    /// True where a function of a gate runs as the role, or is to.
    pub(super) fn is_execution_role(&self, role: &RoleKey) -> bool {
        self.ends().execution.holds(role)
    }

    /// True where a pipeline of a gate runs as the role.
    pub(super) fn is_service_role(&self, role: &RoleKey) -> bool {
        self.ends().service.holds(role)
    }

    /// Lets these gates go on needing what they share with gates that go, whether or not they are wired: a gate that is not wired
    /// yet is no gate that was torn down.
    pub(super) fn await_gates(&mut self, are_awaited: impl Fn(&Gate) -> bool) {
        for joined in &mut self.gates {
            if joined.standing == Standing::Goes && !joined.selected && are_awaited(joined.gate) {
                joined.standing = Standing::Awaited;
            }
        }
    }

    /// True where the account's credentials are of the account that the manifest means.
    pub(super) fn is_usable(&self, account: &AccountName) -> bool {
        is_usable(self.wiring, self.observed, account)
    }

    /// True where a function of a gate that holds what it needs runs as the role, whichever role the manifest wants for it.
    pub(super) fn is_run_as(&self, role: &RoleKey) -> bool {
        let runs = |gate: &&Gate| match self.observed.function(&gate.function) {
            Seen::Present(found) => found.role.name == role.name,
            Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => false,
        };
        let holders = self.gates.iter().filter(|g| g.holds()).map(|g| g.gate);
        let mut here = holders.filter(|gate| gate.function.account == role.account);
        here.any(|gate| runs(&gate))
    }

    pub(super) fn selected(&self) -> impl Iterator<Item = &JoinedGate<'a>> {
        self.gates.iter().filter(|g| g.selected)
    }

    /// The gates by invoke role, for the roles that a selected gate uses and whose account is usable.
    pub(super) fn by_invoke_role(&self) -> BTreeMap<RoleKey, Vec<&JoinedGate<'a>>> {
        self.group(|g| Some(g.gate.role_key()))
    }

    /// The gates by pipeline.
    pub(super) fn by_pipeline(&self) -> BTreeMap<PipelineKey, Vec<&JoinedGate<'a>>> {
        let mut groups = self.group(|g| Some(g.gate.pipeline.clone()));
        groups.retain(|key, _| self.is_usable(&key.account));
        groups
    }

    /// The gates by their pipeline's service role.
    pub(super) fn by_service_role(&self) -> BTreeMap<RoleKey, Vec<&JoinedGate<'a>>> {
        self.group(|g| {
            let role = g.service_role.as_ref()?;
            Some(RoleKey {
                account: g.gate.pipeline.account.clone(),
                name: role.name.clone(),
            })
        })
    }

    /// The gates by their function's execution role.
    pub(super) fn by_execution_role(&self) -> BTreeMap<RoleKey, Vec<&JoinedGate<'a>>> {
        self.group(|g| {
            let role = g.execution_role.as_ref()?;
            Some(RoleKey {
                account: g.gate.function.account.clone(),
                name: role.name.clone(),
            })
        })
    }

    /// The gates by function, for the functions that the manifest makes.
    pub(super) fn by_made_function(&self) -> BTreeMap<FunctionKey, Vec<&JoinedGate<'a>>> {
        let mut groups = self.group(|g| g.made.map(|_| g.gate.function.clone()));
        groups.retain(|key, _| self.is_usable(&key.account));
        groups
    }

    /// Groups all gates by a key and keeps the groups in which a gate is selected.
    fn group<K: Ord>(
        &self,
        key: impl Fn(&JoinedGate<'a>) -> Option<K>,
    ) -> BTreeMap<K, Vec<&JoinedGate<'a>>> {
        let mut groups: BTreeMap<K, Vec<&JoinedGate<'a>>> = BTreeMap::new();
        for gate in &self.gates {
            if let Some(key) = key(gate) {
                groups.entry(key).or_default().push(gate);
            }
        }
        groups.retain(|_, gates| gates.iter().any(|g| g.selected));
        groups
    }

    /// Accounts that are not what the manifest says, what could not be read, pipelines and functions that are not there.
    pub(super) fn report_problems(&self, intent: Intent, draft: &mut Draft<'_>) {
        self.report_accounts(draft);
        let mut pipelines: BTreeMap<&PipelineKey, Vec<&GateName>> = BTreeMap::new();
        let mut functions: BTreeMap<&FunctionKey, Vec<&GateName>> = BTreeMap::new();
        for joined in self.selected() {
            let Gate {
                name,
                pipeline,
                function,
                ..
            } = joined.gate;
            pipelines.entry(pipeline).or_default().push(name);
            functions.entry(function).or_default().push(name);
        }
        for (key, gates) in pipelines {
            self.report_pipeline(key, &gates, intent, draft);
        }
        for (key, gates) in functions {
            self.report_function(key, &gates, intent, draft);
        }
    }

    /// Accounts that are not what the manifest says, and what could not be read.
    pub(super) fn report_accounts(&self, draft: &mut Draft<'_>) {
        for account in self.wiring.accounts.keys() {
            self.report_account(account, draft);
        }
    }

    fn report_account(&self, name: &AccountName, draft: &mut Draft<'_>) {
        let Some(account) = self.wiring.accounts.get(name) else {
            return;
        };
        let gates = LazyCell::new(|| self.gates_of(name));
        if let Seen::Present(caller) = self.observed.caller(name)
            && caller.account != account.id
        {
            draft.problem(Problem {
                code: "wrong_account",
                severity: Severity::Blocked,
                account: Some(name.clone()),
                gates: gates.clone(),
                message: format!(
                    "account {name}: the manifest says {}, but {} is of account {} ({})",
                    account.id, account.credentials, caller.account, caller.arn
                ),
                hint: Some(format!(
                    "correct `id` of [accounts.{name}], or use credentials of account {}",
                    account.id
                )),
            });
            return;
        }
        if let Some(error) = self.observed.unreachable(name) {
            draft.problem(Problem {
                code: "account_unreachable",
                severity: Severity::Incomplete,
                account: Some(name.clone()),
                gates: gates.clone(),
                message: format!(
                    "account {name} ({}) could not be reached with {}: {error}",
                    account.id, account.credentials
                ),
                hint: error.hint.clone(),
            });
            return;
        }
        for (read, error) in self.observed.failures(name) {
            // How grave these are depends on whether they are managed, which `artifacts` knows.
            // The list of all roles only saves calls: what it does not answer is asked for role by role.
            if matches!(
                read,
                Read::BucketPolicy { .. } | Read::KeyPolicy { .. } | Read::Roles
            ) {
                continue;
            }
            draft.problem(read_failed(name, gates.clone(), error));
        }
    }

    /// Says of an account whose roles must be known all, that they could not be listed.
    pub(super) fn report_roles(&self, name: &AccountName, draft: &mut Draft<'_>) {
        let id = self.wiring.account_id(name);
        let is_another = matches!(self.observed.caller(name), Seen::Present(caller) if Some(&caller.account) != id);
        if let Some(error) = self.observed.roles_failed(name)
            && self.observed.unreachable(name).is_none()
            && !is_another
        {
            draft.problem(read_failed(name, self.gates_of(name), error));
        }
    }

    fn gates_of(&self, account: &AccountName) -> Vec<GateName> {
        self.selected()
            .map(|g| g.gate)
            .filter(|g| g.pipeline.account == *account || g.function.account == *account)
            .map(|g| g.name.clone())
            .collect()
    }

    fn report_pipeline(
        &self,
        key: &PipelineKey,
        gates: &[&GateName],
        intent: Intent,
        draft: &mut Draft<'_>,
    ) {
        let PipelineKey {
            account,
            region,
            name,
        } = key;
        if !self.is_usable(account) {
            return;
        }
        match self.observed.pipeline(key) {
            Seen::NotRead | Seen::Unreadable(_) => {}
            Seen::Absent => draft.problem(missing(
                "pipeline_not_found",
                account,
                gates,
                intent,
                format!("there is no pipeline {name} in account {account}, {region}"),
                &self.wiring.assume_policy(),
                "correct `name`, `region` or `account` in [gates.pipeline], or make the pipeline first",
            )),
            Seen::Present(document) => {
                if let Err(why) = service_role(self.wiring, account, document) {
                    draft.problem(Problem {
                        code: "service_role_invalid",
                        severity: Severity::Blocked,
                        account: Some(account.clone()),
                        gates: gates.iter().map(|g| (*g).clone()).collect(),
                        message: format!("pipeline {name} in account {account}: {why}"),
                        hint: None,
                    });
                }
            }
        }
    }

    fn report_function(
        &self,
        key: &FunctionKey,
        gates: &[&GateName],
        intent: Intent,
        draft: &mut Draft<'_>,
    ) {
        let FunctionKey {
            account,
            region,
            name,
        } = key;
        let is_made = self.wiring.functions.contains_key(key);
        if !is_made && self.is_usable(account) && self.observed.function(key) == Seen::Absent {
            draft.problem(missing(
                "function_not_found",
                account,
                gates,
                intent,
                format!("there is no function {name} in account {account}, {region}"),
                &self.wiring.callback_policy(),
                "correct `name`, `region` or `account` in [gates.function], or make the function first (with `source`, crossgate \
                 makes it)",
            ));
        }
    }
}

fn read_failed(account: &AccountName, gates: Vec<GateName>, error: &CloudError) -> Problem {
    Problem {
        code: "read_failed",
        severity: Severity::Incomplete,
        account: Some(account.clone()),
        gates,
        message: error.to_string(),
        hint: error.hint.clone(),
    }
}

pub(super) fn is_usable(wiring: &Wiring, observed: &Observed, account: &AccountName) -> bool {
    let id = wiring.account_id(account);
    matches!(observed.caller(account), Seen::Present(caller) if Some(&caller.account) == id)
}

fn service_role(
    wiring: &Wiring,
    account: &AccountName,
    document: &PipelineDocument,
) -> Result<RoleArn, String> {
    let role = document.role_arn().map_err(|e| e.to_string())?;
    if Some(&role.account) == wiring.account_id(account) {
        Ok(role)
    } else {
        Err(format!("its service role {role} is of another account"))
    }
}

fn join<'a>(
    wiring: &'a Wiring,
    observed: &'a Observed,
    intent: Intent,
    gate: &'a Gate,
) -> Option<JoinedGate<'a>> {
    let pipeline_account = wiring.account_id(&gate.pipeline.account)?;
    let function_account = wiring.account_id(&gate.function.account)?;
    let pipeline = match observed.pipeline(&gate.pipeline) {
        Seen::Present(document) if is_usable(wiring, observed, &gate.pipeline.account) => {
            Some(document)
        }
        _ => None,
    };
    let made = wiring.functions.get(&gate.function);
    let execution_role = match (made, observed.function(&gate.function)) {
        _ if !is_usable(wiring, observed, &gate.function.account) => None,
        (Some(spec), _) => Some(spec.role.arn(gate.partition(), function_account)),
        (None, Seen::Present(function)) => Some(function.role.clone()),
        (None, _) => None,
    };
    let role_arn = gate.role_arn(function_account);
    let selected = wiring.is_selected(gate);
    let in_run = wiring.is_in_run(gate);
    let stays = if in_run {
        intent == Intent::Bootstrap
    } else {
        pipeline.is_some_and(|document| stands_in(document, gate, &role_arn))
    };
    Some(JoinedGate {
        gate,
        selected,
        in_run,
        standing: if stays {
            Standing::Stays
        } else {
            Standing::Goes
        },
        pipeline_account,
        function_account,
        role_arn,
        function_arn: gate.function_arn(function_account),
        pipeline,
        service_role: pipeline.and_then(|d| service_role(wiring, &gate.pipeline.account, d).ok()),
        made,
        execution_role,
        artifacts: gate.action.traffic().map(|traffic| Artifacts {
            traffic,
            store: pipeline.and_then(|document| {
                document.artifact_store(&gate.function.region, pipeline_account)
            }),
        }),
    })
}

/// True where the gate's action is in the pipeline, and is ours.
fn stands_in(document: &PipelineDocument, gate: &Gate, role: &RoleArn) -> bool {
    let role = role.to_string();
    document
        .stages()
        .filter(|stage| stage.name() == gate.action.stage.as_str())
        .flat_map(StageView::actions)
        .any(|action| {
            action.name() == gate.action.name.as_str() && action.role_arn() == Some(role.as_str())
        })
}

/// What a bootstrap needs and is not there blocks it; for a teardown it only means that there is nothing left to remove.
fn missing(
    code: &'static str,
    account: &AccountName,
    gates: &[&GateName],
    intent: Intent,
    message: String,
    policy: &PolicyName,
    hint: &str,
) -> Problem {
    let (severity, message, hint) = match intent {
        Intent::Bootstrap => (Severity::Blocked, message, hint),
        Intent::Teardown => (
            Severity::Warning,
            format!("{message}; policy {policy} may be left on the role that it had"),
            "the role behind it is not known any more: if it still exists, remove the policy by hand",
        ),
    };
    Problem {
        code,
        severity,
        account: Some(account.clone()),
        gates: gates.iter().map(|g| (*g).clone()).collect(),
        message,
        hint: Some(hint.to_owned()),
    }
}
