//! Gates joined with what was observed of them: the service role of each pipeline, the execution role of each function.
//! It resolves and reports what is missing; it plans nothing.

use std::cell::{LazyCell, OnceCell};
use std::collections::{BTreeMap, HashSet};

use crate::iam::documents::{callback_policy, invoke_policy};
use crate::model::account::{AccountId, AccountName};
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::change::{Intent, Problem, Severity};
use crate::model::failure::CloudError;
use crate::model::function::FunctionSpec;
use crate::model::name::{GateName, PolicyName};
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::PipelineDocument;
use crate::model::read::Read;
use crate::model::wiring::{FunctionKey, Gate, PipelineKey, RoleKey, Wiring};

use super::artifacts::Artifacts;
use super::draft::Draft;
use super::ends::{self, is_usable, service_role};
use super::groups::{Groups, execution_key, grouped, service_key};
use super::trust;
use super::written::Written;

/// All gates of the manifest, joined.
pub(super) struct Joined<'a> {
    pub(super) wiring: &'a Wiring,
    pub(super) observed: &'a Observed,
    pub(super) gates: Vec<JoinedGate<'a>>,
    pub(super) policies: Policies,
    end_roles: OnceCell<EndRoles>,
    known: Known,
}

/// Policies that many roles have: of the invoke roles that one gate alone has, those of one pipeline trust alike, and those of one
/// function invoke alike. Each twice, for the gate's one choice.
struct Known {
    /// By the pipeline, and whether the trust is narrowed to its service role.
    trust: Vec<[OnceCell<Option<Written>>; 2]>,
    /// By the function, and whether ListFunctions is granted.
    invoke: Vec<[OnceCell<Written>; 2]>,
    callback: OnceCell<Written>,
}

/// The roles at the ends of all gates. Every invoke role is looked for among them: a look through the gates for each would take the
/// square of their number.
#[derive(Default)]
struct EndRoles {
    execution: HashSet<RoleKey>,
    service: HashSet<RoleKey>,
}

/// The names of the project's inline policies.
pub(super) struct Policies {
    pub(super) invoke: PolicyName,
    pub(super) artifacts: PolicyName,
    pub(super) callback: PolicyName,
    pub(super) logs: PolicyName,
    pub(super) assume: PolicyName,
}

/// One gate, with what is known of its two ends.
pub(super) struct JoinedGate<'a> {
    pub(super) gate: &'a Gate,
    /// The place of its pipeline among all.
    pub(super) pipeline_at: usize,
    /// The place of its function among all.
    pub(super) function_at: usize,
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
        let mut ends = ends::Ends::new(wiring, observed);
        let gates = wiring.gates.iter();
        let gates = gates.filter_map(|gate| ends.join(gate, intent)).collect();
        let known = Known {
            trust: ends.pipelines.iter().map(|_| Default::default()).collect(),
            invoke: ends.functions.iter().map(|_| Default::default()).collect(),
            callback: OnceCell::new(),
        };
        Self {
            wiring,
            observed,
            gates,
            policies: Policies {
                invoke: wiring.invoke_policy(),
                artifacts: wiring.artifacts_policy(),
                callback: wiring.callback_policy(),
                logs: wiring.logs_policy(),
                assume: wiring.assume_policy(),
            },
            end_roles: OnceCell::new(),
            known,
        }
    }

    /// The trust policy of an invoke role that these gates have; none while a pipeline's service role is not known.
    pub(super) fn trust(&self, gates: &[&JoinedGate<'_>]) -> Option<Written> {
        let write = || {
            let statement = trust::statement(self.wiring, gates)?;
            Some(Written::of(trust::document(&statement)))
        };
        let known = match gates {
            [gate] => self.known.trust.get(gate.pipeline_at),
            _ => None,
        };
        match known.and_then(|two| two.get(usize::from(trust::is_narrow(gates)))) {
            Some(cell) => cell.get_or_init(write).clone(),
            None => write(),
        }
    }

    /// The policy with which an invoke role invokes the functions of these gates; none where there are no gates.
    pub(super) fn invoke_policy(
        &self,
        gates: &[&JoinedGate<'_>],
        list_functions: bool,
    ) -> Option<Written> {
        let write = || {
            let functions: Vec<_> = gates.iter().map(|g| g.function_arn.clone()).collect();
            Written::of(invoke_policy(&functions, list_functions))
        };
        let known = match gates {
            [] => return None,
            [gate] => self.known.invoke.get(gate.function_at),
            _ => None,
        };
        Some(
            match known.and_then(|two| two.get(usize::from(list_functions))) {
                Some(cell) => cell.get_or_init(write).clone(),
                None => write(),
            },
        )
    }

    /// The policy with which every gate's function answers.
    pub(super) fn callback_policy(&self) -> Written {
        let write = || Written::of(callback_policy());
        self.known.callback.get_or_init(write).clone()
    }

    fn end_roles(&self) -> &EndRoles {
        self.end_roles.get_or_init(|| EndRoles {
            execution: self.gates.iter().filter_map(execution_key).collect(),
            service: self.gates.iter().filter_map(service_key).collect(),
        })
    }

    /// True where a function of a gate runs as the role, or is to.
    pub(super) fn is_execution_role(&self, role: &RoleKey) -> bool {
        self.end_roles().execution.contains(role)
    }

    /// True where a pipeline of a gate runs as the role.
    pub(super) fn is_service_role(&self, role: &RoleKey) -> bool {
        self.end_roles().service.contains(role)
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
    pub(super) fn by_invoke_role(&self) -> Groups<'_, 'a, RoleKey> {
        let keyed = self.gates.iter().map(|g| (g.gate.role_key(), vec![g]));
        grouped(keyed.collect())
    }

    /// The gates by pipeline.
    pub(super) fn by_pipeline(&self) -> Groups<'_, 'a, PipelineKey> {
        let mut groups = self.by_end(|g| g.pipeline_at, |g| Some(g.gate.pipeline.clone()));
        groups.retain(|key, _| self.is_usable(&key.account));
        groups
    }

    /// The gates by their pipeline's service role.
    pub(super) fn by_service_role(&self) -> Groups<'_, 'a, RoleKey> {
        self.by_end(|g| g.pipeline_at, service_key)
    }

    /// The gates by their function's execution role.
    pub(super) fn by_execution_role(&self) -> Groups<'_, 'a, RoleKey> {
        self.by_end(|g| g.function_at, execution_key)
    }

    /// The gates by function, for the functions that the manifest makes.
    pub(super) fn by_made_function(&self) -> Groups<'_, 'a, FunctionKey> {
        let key = |g: &JoinedGate<'a>| g.made.map(|_| g.gate.function.clone());
        let mut groups = self.by_end(|g| g.function_at, key);
        groups.retain(|key, _| self.is_usable(&key.account));
        groups
    }

    /// The gates by a key that all gates with one end have in common.
    fn by_end<K: Ord>(
        &self,
        end: impl Fn(&JoinedGate<'a>) -> usize,
        key: impl Fn(&JoinedGate<'a>) -> Option<K>,
    ) -> Groups<'_, 'a, K> {
        let mut ends: Vec<Vec<&JoinedGate<'a>>> = Vec::new();
        for gate in &self.gates {
            let at = end(gate);
            if ends.len() <= at {
                ends.resize_with(at + 1, Vec::new);
            }
            if let Some(gates) = ends.get_mut(at) {
                gates.push(gate);
            }
        }
        let keyed = ends.into_iter().filter_map(|gates| {
            let key = gates.first().and_then(|gate| key(gate))?;
            Some((key, gates))
        });
        grouped(keyed.collect())
    }

    /// Accounts that are not what the manifest says, what could not be read, pipelines and functions that are not there.
    pub(super) fn report_problems(&self, intent: Intent, draft: &mut Draft<'_>) {
        self.report_accounts(draft);
        // Each end once, however many gates share it. `draft` sorts what is said.
        let mut pipelines = BTreeMap::new();
        let mut functions = BTreeMap::new();
        for gate in self.selected() {
            pipelines
                .entry(gate.pipeline_at)
                .or_insert(&gate.gate.pipeline);
            functions
                .entry(gate.function_at)
                .or_insert(&gate.gate.function);
        }
        for key in pipelines.into_values() {
            self.report_pipeline(key, intent, draft);
        }
        for key in functions.into_values() {
            self.report_function(key, intent, draft);
        }
    }

    /// The names of the selected gates that are meant.
    fn named(&self, is_meant: impl Fn(&Gate) -> bool) -> Vec<GateName> {
        let gates = self.selected().map(|joined| joined.gate);
        let meant = gates.filter(|gate| is_meant(gate));
        meant.map(|gate| gate.name.clone()).collect()
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
        self.named(|g| g.pipeline.account == *account || g.function.account == *account)
    }

    fn report_pipeline(&self, key: &PipelineKey, intent: Intent, draft: &mut Draft<'_>) {
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
                self.named(|gate| gate.pipeline == *key),
                intent,
                format!("there is no pipeline {name} in account {account}, {region}"),
                &self.policies.assume,
                "correct `name`, `region` or `account` in [gates.pipeline], or make the pipeline first",
            )),
            Seen::Present(document) => {
                if let Err(why) = service_role(self.wiring, account, document) {
                    draft.problem(Problem {
                        code: "service_role_invalid",
                        severity: Severity::Blocked,
                        account: Some(account.clone()),
                        gates: self.named(|gate| gate.pipeline == *key),
                        message: format!("pipeline {name} in account {account}: {why}"),
                        hint: None,
                    });
                }
            }
        }
    }

    fn report_function(&self, key: &FunctionKey, intent: Intent, draft: &mut Draft<'_>) {
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
                self.named(|gate| gate.function == *key),
                intent,
                format!("there is no function {name} in account {account}, {region}"),
                &self.policies.callback,
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

/// What a bootstrap needs and is not there blocks it; for a teardown it only means that there is nothing left to remove.
fn missing(
    code: &'static str,
    account: &AccountName,
    gates: Vec<GateName>,
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
        gates,
        message,
        hint: Some(hint.to_owned()),
    }
}
