//! What the project left in the manifest's accounts: objects that carry its tag or its names, and that no gate of the manifest needs.
//! Pure, like all of `plan`. It never looks at a gate's own state (`plan` does), and takes nothing for ours but by exact tag or name.
//!
//! An action that was a gate becomes a gate again, for the length of a plan: the manifest's gates and these make a wiring of
//! which just the latter are torn down. So the order of a teardown, shared objects and all that forbids one hold here too. But what
//! a gate of the manifest needs stays, even where the gate is not wired yet, or not any more.
//! `leftovers` are the objects without an action, `stores` the statements in the policies of artifact buckets and keys.

mod actions;
mod leftovers;
mod scan;
#[cfg(test)]
mod store_tests;
mod stores;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::model::account::AccountName;
use crate::model::change::{ChangeAction, ChangeKind, Intent, Plan, Problem, Severity};
use crate::model::observed::Observed;
use crate::model::read::Read;
use crate::model::wiring::Wiring;

use super::Options;
use super::draft::in_order;
use super::join::Joined;
use super::reads::Wanted;

use actions::Imagined;
use scan::Scan;

/// Why something is left behind.
const NOT_NEEDED: &str = "no gate of the manifest needs it any more";

/// The reads that are still needed to find and remove what is left behind. `wiring` names all accounts of the manifest; which of
/// its gates are selected has no effect: all of them count.
pub fn wants(wiring: &Wiring, observed: &Observed, options: &Options) -> Vec<(AccountName, Read)> {
    let options = &teardown(options);
    let mut wanted = Wanted::new(observed);
    let scan = Scan::new(wiring, observed);
    scan.wants(&mut wanted);
    stores::wants(&scan, wiring, &mut wanted);
    if wanted.is_empty() {
        let imagined = actions::imagine(&scan, options);
        stores::wants(&scan, &imagined.wiring, &mut wanted);
        for gate in &imagined.wiring.gates {
            let read = match imagined.wiring.functions.get(&gate.function) {
                Some(_) => gate.function.tagged(),
                None => gate.function.read(),
            };
            if !observed.has(&gate.function.account, &gate.function.tagged()) {
                wanted.add(&gate.function.account, read);
            }
        }
        for (account, read) in super::wants(&imagined.wiring, observed, options) {
            wanted.add(&account, read);
        }
    }
    wanted.finish()
}

/// Puts off the questions about single roles until the list of an account's roles is there, which answers them all.
pub fn put_off(observed: &Observed, wanted: &mut Vec<(AccountName, Read)>) {
    wanted.retain(|(account, read)| read.role().is_none() || observed.has(account, &Read::Roles));
}

/// The plan that removes what is left behind.
pub fn plan(wiring: &Wiring, observed: &Observed, options: &Options) -> Plan {
    let options = &teardown(options);
    let scan = Scan::new(wiring, observed);
    let manifest = wiring;
    let Imagined { wiring, held } = &actions::imagine(&scan, options);
    let mut joined = Joined::new(wiring, observed, Intent::Teardown);
    joined.await_gates(|gate| manifest.gates.iter().any(|own| own.name == gate.name));
    let mut draft = super::draft(&joined, options);
    for change in held {
        draft.held(change.clone());
    }
    for account in wiring.accounts.keys() {
        joined.report_roles(account, &mut draft);
    }
    scan.report(&mut draft);
    leftovers::plan(&scan, &joined, options, &mut draft);
    stores::plan(&scan, &joined, &mut draft);
    let mut plan = draft.finish(wiring, Intent::Teardown);
    for change in &mut plan.changes {
        let is_ours = change.kind != ChangeKind::IamUnexpectedPolicy;
        if change.action == ChangeAction::Delete && is_ours && change.held.is_none() {
            NOT_NEEDED.clone_into(&mut change.reason);
        }
    }
    // What is left on the role of a function that is gone is found by its name here.
    plan.problems.retain(|p| p.code != "function_not_found");
    if !plan.changes.is_empty() {
        plan.problems.push(whose(wiring));
    }
    plan
}

/// A check's plan with what is left behind in it: to be shown, not to be carried out.
pub fn merged(check: Plan, left: Plan) -> Plan {
    let Plan {
        intent,
        project,
        gates,
        mut changes,
        steps: _,
        mut problems,
    } = check;
    let seen: BTreeSet<String> = changes.iter().map(|c| c.id.clone()).collect();
    let fresh = left.changes.into_iter().filter(|c| !seen.contains(&c.id));
    changes.extend(fresh);
    in_order(&mut changes);
    for problem in left.problems {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems.sort_by_key(|p| std::cmp::Reverse(p.severity));
    Plan {
        intent,
        project,
        gates,
        changes,
        steps: Vec::new(),
        problems,
    }
}

fn teardown(options: &Options) -> Options {
    Options {
        intent: Intent::Teardown,
        adopt: false,
        ..options.clone()
    }
}

fn whose(wiring: &Wiring) -> Problem {
    let project = &wiring.project;
    Problem {
        code: "orphans_by_project",
        severity: Severity::Warning,
        account: None,
        gates: Vec::new(),
        message: format!(
            "what belongs to project `{project}` and to no gate of this manifest counts as left behind; the gates of a second \
             manifest with this project's name would too"
        ),
        hint: Some(format!(
            "if another manifest has `project = \"{project}\"`, give one of the two another name before anything is removed"
        )),
    }
}
