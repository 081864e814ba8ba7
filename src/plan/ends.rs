//! What is known of the accounts, pipelines and functions at the ends of gates, looked up once for all gates that share them.
//! It joins them with gates; what is missing or wrong is told in `join`.

use std::collections::{HashMap, btree_set};
use std::iter::Peekable;

use crate::model::account::{AccountId, AccountName};
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::change::Intent;
use crate::model::function::FunctionSpec;
use crate::model::name::GateName;
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::{PipelineDocument, StageView};
use crate::model::wiring::{Account, FunctionKey, Gate, PipelineKey, Wiring};

use super::artifacts::Artifacts;
use super::join::{JoinedGate, Standing};

/// What is known of the accounts, pipelines and functions at the ends of gates: looked up once, however many gates share them.
pub(super) struct Ends<'a> {
    wiring: &'a Wiring,
    observed: &'a Observed,
    /// The selected gates that were not met yet, where both stand in one order.
    selected: Peekable<btree_set::Iter<'a, GateName>>,
    accounts: HashMap<&'a AccountName, KnownAccount<'a>>,
    pub(super) pipelines: HashMap<&'a PipelineKey, KnownPipeline<'a>>,
    pub(super) functions: HashMap<&'a FunctionKey, KnownFunction<'a>>,
}

#[derive(Clone, Copy)]
struct KnownAccount<'a> {
    id: &'a AccountId,
    is_usable: bool,
}

#[derive(Clone)]
pub(super) struct KnownPipeline<'a> {
    at: usize,
    document: Option<&'a PipelineDocument>,
    service_role: Option<RoleArn>,
}

#[derive(Clone)]
pub(super) struct KnownFunction<'a> {
    at: usize,
    arn: FunctionArn,
    made: Option<&'a FunctionSpec>,
    execution_role: Option<RoleArn>,
}

impl<'a> Ends<'a> {
    pub(super) fn new(wiring: &'a Wiring, observed: &'a Observed) -> Self {
        let known = |(name, account): (&'a AccountName, &'a Account)| {
            let is_usable = is_usable(wiring, observed, name);
            let id = &account.id;
            (name, KnownAccount { id, is_usable })
        };
        Self {
            wiring,
            observed,
            selected: wiring.selected.iter().peekable(),
            accounts: wiring.accounts.iter().map(known).collect(),
            pipelines: HashMap::new(),
            functions: HashMap::new(),
        }
    }

    fn pipeline(&mut self, key: &'a PipelineKey, is_usable: bool) -> KnownPipeline<'a> {
        let (wiring, observed, at) = (self.wiring, self.observed, self.pipelines.len());
        let known = self.pipelines.entry(key).or_insert_with(|| {
            let document = match observed.pipeline(key) {
                Seen::Present(document) if is_usable => Some(document),
                _ => None,
            };
            let service_role = document.and_then(|d| service_role(wiring, &key.account, d).ok());
            KnownPipeline {
                at,
                document,
                service_role,
            }
        });
        known.clone()
    }

    fn function(&mut self, gate: &'a Gate, account: KnownAccount<'a>) -> KnownFunction<'a> {
        let (wiring, observed, key) = (self.wiring, self.observed, &gate.function);
        let at = self.functions.len();
        let known = self.functions.entry(key).or_insert_with(|| {
            let made = wiring.functions.get(key);
            let execution_role = match (made, observed.function(key)) {
                _ if !account.is_usable => None,
                (Some(spec), _) => Some(spec.role.arn(gate.partition(), account.id)),
                (None, Seen::Present(function)) => Some(function.role.clone()),
                (None, _) => None,
            };
            KnownFunction {
                at,
                arn: key.arn(account.id),
                made,
                execution_role,
            }
        });
        known.clone()
    }

    pub(super) fn join(&mut self, gate: &'a Gate, intent: Intent) -> Option<JoinedGate<'a>> {
        let pipeline_end = *self.accounts.get(&gate.pipeline.account)?;
        let function_end = *self.accounts.get(&gate.function.account)?;
        let KnownPipeline {
            at: pipeline_at,
            document: pipeline,
            service_role,
        } = self.pipeline(&gate.pipeline, pipeline_end.is_usable);
        let KnownFunction {
            at: function_at,
            arn: function_arn,
            made,
            execution_role,
        } = self.function(gate, function_end);
        let (pipeline_account, function_account) = (pipeline_end.id, function_end.id);
        let role_arn = gate.role_arn(function_account);
        // Both are sorted: mostly a glance tells.
        let next = self.selected.next_if(|name| **name == gate.name);
        let selected = next.is_some() || self.wiring.is_selected(gate);
        let in_run = selected || self.wiring.beside.contains(&gate.name);
        let stays = if in_run {
            intent == Intent::Bootstrap
        } else {
            pipeline.is_some_and(|document| stands_in(document, gate, &role_arn))
        };
        Some(JoinedGate {
            gate,
            pipeline_at,
            function_at,
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
            function_arn,
            pipeline,
            service_role,
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
}

/// True where the gate's action is in the pipeline, and is ours.
fn stands_in(document: &PipelineDocument, gate: &Gate, role: &RoleArn) -> bool {
    document
        .stages()
        .filter(|stage| stage.name() == gate.action.stage.as_str())
        .flat_map(StageView::actions)
        .any(|action| {
            action.name() == gate.action.name.as_str()
                && action.role_arn().is_some_and(|found| role.is(found))
        })
}

pub(super) fn is_usable(wiring: &Wiring, observed: &Observed, account: &AccountName) -> bool {
    let id = wiring.account_id(account);
    matches!(observed.caller(account), Seen::Present(caller) if Some(&caller.account) == id)
}

pub(super) fn service_role(
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
