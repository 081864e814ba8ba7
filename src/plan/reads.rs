//! Which reads are needed next, given what is known: only what the gates need, nothing twice.
//! It asks; it neither reads nor plans.
//!
//! One gate in sync costs two rounds. First, side by side: both callers' identities, the pipeline, the function, and of the
//! invoke role GetRole, its two lists of policies and our own policy. Then the two policies on roles that only the first
//! round could name: the pipeline's service role and the function's execution role. The execution role of a function that the manifest
//! makes is known before: it is asked for in the first round. Where many roles of an account are needed, one list of them all is
//! asked for instead ([`role_reads`]); it answers the second round's questions about that account too.

use std::collections::BTreeSet;

use crate::model::account::AccountName;
use crate::model::change::Intent;
use crate::model::function::ExecutionRole;
use crate::model::name::PolicyName;
use crate::model::observed::{Observed, Seen};
use crate::model::read::Read;
use crate::model::role_reads;
use crate::model::wiring::{Gate, RoleKey, Wiring};

use super::Options;
use super::join::{Joined, JoinedGate};
use super::roles::{Ownership, ownership};

/// The reads that a plan still needs. Empty: the plan can be made.
pub fn wants(wiring: &Wiring, observed: &Observed, options: &Options) -> Vec<(AccountName, Read)> {
    let mut wanted = Wanted::new(observed);
    let joined = Joined::new(wiring, observed, options.intent);
    first_round(wiring, options.intent, &mut wanted);
    invoke_role_extras(&joined, &mut wanted);
    grants(&joined, options.intent, &mut wanted);
    artifacts(&joined, &mut wanted);
    if options.adopt {
        occupants(&joined, &mut wanted);
    }
    if options.intent == Intent::Teardown {
        owners(&joined, &mut wanted);
    }
    if wanted.is_empty() {
        // Only a plan that puts policies needs to know how full their roles are.
        let draft = super::draft(&joined, options);
        for (account, read) in super::limits::reads(&draft) {
            wanted.add(&account, read);
        }
    }
    wanted.finish()
}

/// Reads that are still needed.
pub(super) struct Wanted<'a> {
    observed: &'a Observed,
    reads: BTreeSet<(AccountName, Read)>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(observed: &'a Observed) -> Self {
        Self {
            observed,
            reads: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reads.is_empty()
    }

    /// The reads, with one list in the place of many questions about single roles.
    pub(super) fn finish(self) -> Vec<(AccountName, Read)> {
        role_reads::fewest(self.observed, self.reads.into_iter().collect())
    }

    /// Nothing is asked twice, and nothing more of an account that does not answer.
    pub(super) fn add(&mut self, account: &AccountName, read: Read) {
        if !self.observed.has(account, &read) && self.observed.unreachable(account).is_none() {
            self.reads.insert((account.clone(), read));
        }
    }
}

fn first_round(wiring: &Wiring, intent: Intent, wanted: &mut Wanted<'_>) {
    let selected = || wiring.gates.iter().filter(|g| wiring.is_selected(g));
    let roles: BTreeSet<RoleKey> = selected().map(Gate::role_key).collect();
    let touched: BTreeSet<&AccountName> = selected()
        .flat_map(|g| [&g.pipeline.account, &g.function.account])
        .collect();
    for gate in &wiring.gates {
        // A gate that the run is not about is read only where it may share an object with one that it is about, and then only
        // to know whether it stands and whose roles it uses.
        let near = |account| wiring.is_selected(gate) || touched.contains(account);
        if near(&gate.pipeline.account) || near(&gate.function.account) {
            wanted.add(&gate.pipeline.account, Read::CallerIdentity);
            wanted.add(&gate.pipeline.account, gate.pipeline.read());
        }
        if near(&gate.function.account) {
            wanted.add(&gate.function.account, Read::CallerIdentity);
            match wiring.functions.get(&gate.function) {
                Some(spec) => {
                    wanted.add(&gate.function.account, gate.function.tagged());
                    if wiring.is_selected(gate) {
                        execution_role(wiring, gate, &spec.role, intent, wanted);
                    }
                }
                None => wanted.add(&gate.function.account, gate.function.read()),
            }
        }
    }
    for key in &roles {
        let role = key.name.clone();
        wanted.add(&key.account, Read::Role { role: role.clone() });
        wanted.add(&key.account, Read::InlinePolicyNames { role: role.clone() });
        wanted.add(&key.account, Read::AttachedPolicies { role });
        let policy = wiring.invoke_policy();
        wanted.add(&key.account, key.inline_policy(policy.as_str()));
    }
    for gate in selected().filter(|gate| gate.action.traffic().is_some()) {
        let key = gate.role_key();
        let policy = wiring.artifacts_policy();
        wanted.add(&key.account, key.inline_policy(policy.as_str()));
    }
}

/// The policies of the buckets and keys of artifacts, once the pipelines have named them; and our policy for artifacts on invoke
/// roles that have it and may not need it any more.
fn artifacts(joined: &Joined<'_>, wanted: &mut Wanted<'_>) {
    for holder in super::artifacts::by_holder(joined).keys() {
        wanted.add(holder.account(), Read::CallerIdentity);
        wanted.add(holder.account(), holder.read());
    }
    let policy = joined.wiring.artifacts_policy();
    for key in joined.by_invoke_role().keys() {
        if let Seen::Present(names) = joined.observed.inline_policy_names(key)
            && names.iter().any(|name| name == policy.as_str())
        {
            wanted.add(&key.account, key.inline_policy(policy.as_str()));
        }
    }
}

/// The execution role of a function that the manifest makes: named in the manifest, so that nothing of it has to wait.
fn execution_role(
    wiring: &Wiring,
    gate: &Gate,
    role: &ExecutionRole,
    intent: Intent,
    wanted: &mut Wanted<'_>,
) {
    let account = &gate.function.account;
    let key = RoleKey {
        account: account.clone(),
        name: role.name().clone(),
    };
    let role_read = Read::Role {
        role: key.name.clone(),
    };
    wanted.add(
        account,
        key.inline_policy(wiring.callback_policy().as_str()),
    );
    match (role, intent) {
        // Whether Lambda may take it.
        (ExecutionRole::Existing(_), Intent::Bootstrap) => wanted.add(account, role_read),
        (ExecutionRole::Existing(_), Intent::Teardown) => {}
        (ExecutionRole::Made(_), _) => {
            wanted.add(account, role_read);
            wanted.add(account, key.inline_policy(wiring.logs_policy().as_str()));
        }
    }
    if let (ExecutionRole::Made(role), Intent::Teardown) = (role, intent) {
        // What somebody put on it keeps IAM from deleting it.
        wanted.add(account, Read::InlinePolicyNames { role: role.clone() });
        wanted.add(account, Read::AttachedPolicies { role: role.clone() });
    }
}

/// The documents of policies on our invoke roles that we did not put there: to be shown before they are removed.
fn invoke_role_extras(joined: &Joined<'_>, wanted: &mut Wanted<'_>) {
    for key in joined.by_invoke_role().keys() {
        let Seen::Present(role) = joined.observed.role(key) else {
            continue;
        };
        let Seen::Present(names) = joined.observed.inline_policy_names(key) else {
            continue;
        };
        if ownership(joined.wiring, role) == Ownership::Ours {
            for name in names {
                wanted.add(&key.account, key.inline_policy(name));
            }
        }
    }
}

/// The invoke roles of other partitions' gates in pipelines of ours: an action whose role is somebody else's stays, and so does
/// its stage.
fn owners(joined: &Joined<'_>, wanted: &mut Wanted<'_>) {
    let touched: BTreeSet<_> = joined.selected().map(|g| &g.gate.pipeline).collect();
    let beside = |g: &&JoinedGate<'_>| g.in_run && !g.selected;
    for gate in joined.gates.iter().filter(beside) {
        if touched.contains(&gate.gate.pipeline) {
            let RoleKey { account, name } = gate.gate.role_key();
            wanted.add(&account, Read::CallerIdentity);
            wanted.add(&account, Read::Role { role: name });
        }
    }
}

/// The roles of actions that are to be adopted: another project's tags on one keep its action from us.
fn occupants(joined: &Joined<'_>, wanted: &mut Wanted<'_>) {
    // An action of another partition's gate keeps its whole pipeline from being adopted.
    let touched: BTreeSet<_> = joined.selected().map(|g| &g.gate.pipeline).collect();
    let near = |g: &&JoinedGate<'_>| g.in_run && touched.contains(&g.gate.pipeline);
    for gate in joined.gates.iter().filter(near) {
        if let Some(RoleKey { account, name }) = super::pipelines::occupant(joined, gate) {
            wanted.add(&account, Read::Role { role: name });
        }
    }
}

fn grants(joined: &Joined<'_>, intent: Intent, wanted: &mut Wanted<'_>) {
    let wiring = joined.wiring;
    let (assume, callback) = (wiring.assume_policy(), wiring.callback_policy());
    let service = joined.by_service_role().into_iter().map(|g| (g, &assume));
    let execution = joined
        .by_execution_role()
        .into_iter()
        .map(|g| (g, &callback));
    for ((key, gates), policy) in service.chain(execution) {
        wanted.add(&key.account, key.inline_policy(policy.as_str()));
        let fresh = gates
            .iter()
            .any(|g| g.selected && joined.observed.role(&g.gate.role_key()) == Seen::Absent);
        if intent == Intent::Bootstrap && fresh && !joined.observed.role_is_gone(&key) {
            // A gate without its role needs these policies too, and a put is counted against IAM's limit: asking for the
            // names now saves a round trip later.
            let role = key.name.clone();
            wanted.add(&key.account, Read::InlinePolicyNames { role });
        }
    }
}

/// The reads with which the other inline policies of a role are counted.
pub(super) fn sizes(
    observed: &Observed,
    key: &RoleKey,
    but: &PolicyName,
) -> Vec<(AccountName, Read)> {
    let read = |read| (key.account.clone(), read);
    match observed.inline_policy_names(key) {
        Seen::NotRead => vec![read(Read::InlinePolicyNames {
            role: key.name.clone(),
        })],
        Seen::Present(names) => names
            .iter()
            .filter(|name| *name != but.as_str())
            .map(|name| read(key.inline_policy(name)))
            .collect(),
        Seen::Absent | Seen::Unreadable(_) => Vec::new(),
    }
}
