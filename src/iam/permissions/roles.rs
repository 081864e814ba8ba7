//! The roles and artifact stores that a manifest does not name: given by a person, or found in what was read of pipelines and
//! functions.
//! It asks and understands answers; it reads nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::AccountName;
use crate::model::arn::RoleArn;
use crate::model::artifact::ArtifactStore;
use crate::model::observed::{Observed, Seen};
use crate::model::read::Read;
use crate::model::wiring::{Gate, PipelineKey, Wiring};

/// Service roles of pipelines and execution roles of functions, of all accounts. Where an account has none, any role of it may
/// be one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Service roles.
    pub service: BTreeSet<RoleArn>,
    /// Execution roles.
    pub execution: BTreeSet<RoleArn>,
    /// The artifact stores of the pipelines that were read. The store of another may be any bucket and any key.
    pub stores: BTreeMap<PipelineKey, Vec<ArtifactStore>>,
}

impl Roles {
    /// The reads with which they are found. Empty: nothing is left to ask.
    pub fn wants(wiring: &Wiring, observed: &Observed) -> Vec<(AccountName, Read)> {
        let selected = wiring.gates.iter().filter(|gate| wiring.is_selected(gate));
        let reads: BTreeSet<(AccountName, Read)> = selected
            .flat_map(
                |Gate {
                     pipeline, function, ..
                 }| {
                    // The role of a function that the manifest makes is known without asking.
                    let is_made = wiring.functions.contains_key(function);
                    let function = (!is_made).then(|| (function.account.clone(), function.read()));
                    [(pipeline.account.clone(), pipeline.read())]
                        .into_iter()
                        .chain(function)
                },
            )
            .filter(|(account, read)| {
                !observed.has(account, read) && observed.unreachable(account).is_none()
            })
            .collect();
        reads.into_iter().collect()
    }

    /// The roles, or in words everything that stands in the way of knowing them all: a policy for half of them does not hold.
    pub fn of(wiring: &Wiring, observed: &Observed) -> Result<Self, Vec<String>> {
        let mut roles = Self::default();
        let mut problems = BTreeSet::new();
        for gate in wiring.gates.iter().filter(|gate| wiring.is_selected(gate)) {
            let Gate {
                pipeline, function, ..
            } = gate;
            let found = match observed.pipeline(pipeline) {
                Seen::Present(document) => {
                    if let Some(id) = wiring.account_id(&pipeline.account) {
                        let stores = document.artifact_stores(&pipeline.region, id);
                        roles.stores.insert(pipeline.clone(), stores);
                    }
                    document.role_arn().map_err(|error| error.to_string())
                }
                other => Err(unknown(&other, &format!("pipeline {}", pipeline.name))),
            };
            keep(
                wiring,
                &pipeline.account,
                found,
                &mut roles.service,
                &mut problems,
            );
            if wiring.functions.contains_key(function) {
                continue;
            }
            let found = match observed.function(function) {
                Seen::Present(configuration) => Ok(configuration.role.clone()),
                other => Err(unknown(&other, &format!("function {}", function.name))),
            };
            keep(
                wiring,
                &function.account,
                found,
                &mut roles.execution,
                &mut problems,
            );
        }
        if problems.is_empty() {
            Ok(roles)
        } else {
            Err(problems.into_iter().collect())
        }
    }
}

/// A role of another account means that the credentials are not those of the account that the manifest means.
fn keep(
    wiring: &Wiring,
    account: &AccountName,
    found: Result<RoleArn, String>,
    roles: &mut BTreeSet<RoleArn>,
    problems: &mut BTreeSet<String>,
) {
    match found {
        Ok(role) if wiring.account_id(account) == Some(&role.account) => {
            roles.insert(role);
        }
        Ok(role) => {
            problems.insert(format!("role {role} is not one of account {account}"));
        }
        Err(why) => {
            problems.insert(why);
        }
    }
}

fn unknown<T: ?Sized>(seen: &Seen<'_, T>, what: &str) -> String {
    match seen {
        Seen::Unreadable(error) => error.to_string(),
        Seen::Absent => format!("{what} does not exist"),
        Seen::NotRead | Seen::Present(_) => format!("{what} was not read"),
    }
}
