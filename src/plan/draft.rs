//! A plan in the making: changes and their calls as they are found, then sorted and put in order.
//! It keeps the order of writes of design.md and decides nothing about content.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::account::AccountName;
use crate::model::change::{Change, Intent, Plan, Problem, Step, Work};
use crate::model::name::{GateName, PolicyName, RoleName};
use crate::model::observed::Observed;
use crate::model::wiring::{RoleKey, Wiring};
use crate::model::write::Write;

/// When a step comes, relative to the steps of the same gates. Bootstrap: the roles, then what stands on roles, then functions,
/// then the pipeline, so that a pipeline never names a role or a function that is not ready. Teardown: the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Makes or marks a role.
    Role,
    /// Sets the role's trust, tags and boundary.
    RoleSettings,
    /// Inline policies, and policies that are not ours.
    Policy,
    /// Functions, and their code: a function needs its role, and a gate its function.
    Function,
    /// Functions' configuration; Lambda takes one update after the other.
    FunctionSettings,
    /// Functions' tags.
    FunctionTags,
    /// The policies of artifact buckets and keys: they name the roles as principals, which must be there, and go before them.
    ResourcePolicy,
    /// The pipeline.
    Pipeline,
}

struct Pending {
    rank: Rank,
    step: Step,
}

/// A put of an inline policy, kept for the count of IAM's limit.
pub(super) struct Put {
    pub(super) role: RoleKey,
    pub(super) policy: PolicyName,
    pub(super) characters: usize,
    /// The place of its change.
    pub(super) change: usize,
}

pub(super) struct Draft<'a> {
    pub(super) observed: &'a Observed,
    changes: Vec<Change>,
    steps: Vec<Pending>,
    problems: Vec<Problem>,
    /// Where each message stands among the problems.
    said: BTreeMap<String, Vec<usize>>,
    /// The roles that this plan makes.
    new_roles: BTreeSet<(AccountName, RoleName)>,
    pub(super) puts: Vec<Put>,
    /// Inline policies that this plan deletes: they no longer count.
    pub(super) deleted: BTreeSet<(RoleKey, String)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(observed: &'a Observed) -> Self {
        Self {
            observed,
            changes: Vec::new(),
            steps: Vec::new(),
            problems: Vec::new(),
            said: BTreeMap::new(),
            new_roles: BTreeSet::new(),
            puts: Vec::new(),
            deleted: BTreeSet::new(),
        }
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        // By their messages: among thousands, a look at each would take long.
        let alike = self.said.entry(problem.message.clone()).or_default();
        let is_known = alike
            .iter()
            .any(|at| self.problems.get(*at) == Some(&problem));
        if !is_known {
            alike.push(self.problems.len());
            self.problems.push(problem);
        }
    }

    /// The gates that need a policy which is put.
    pub(super) fn gates_of(&self, put: &Put) -> &[GateName] {
        let change = self.changes.get(put.change);
        change.map_or(&[], |change| &change.gates)
    }

    /// A change that one call brings about. Answers its place.
    pub(super) fn write(&mut self, change: Change, rank: Rank, write: Write) -> usize {
        if let Write::CreateRole(new) = &write {
            self.new_roles
                .insert((change.account.clone(), new.name.clone()));
        }
        let work = Work::Write {
            write,
            settling: false,
        };
        let place = self.changes.len();
        self.work(change.account.clone(), vec![change], rank, work);
        place
    }

    /// Changes that one piece of work brings about.
    pub(super) fn work(
        &mut self,
        account: AccountName,
        changes: Vec<Change>,
        rank: Rank,
        work: Work,
    ) {
        let first = self.changes.len();
        self.changes.extend(changes);
        self.steps.push(Pending {
            rank,
            step: Step {
                account,
                changes: (first..self.changes.len()).collect(),
                after: Vec::new(),
                work,
            },
        });
    }

    /// A change that is shown and not made.
    pub(super) fn held(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(super) fn finish(self, wiring: &Wiring, intent: Intent) -> Plan {
        let Self {
            observed: _,
            changes,
            mut steps,
            mut problems,
            said: _,
            new_roles,
            puts: _,
            deleted: _,
        } = self;
        match intent {
            Intent::Bootstrap => steps.sort_by_key(|p| p.rank),
            Intent::Teardown => steps.sort_by_key(|p| std::cmp::Reverse(p.rank)),
        }
        let after = dependencies(&changes, &steps);
        let (changes, position) = sorted(changes);
        let steps = steps
            .into_iter()
            .zip(after)
            .map(|(Pending { rank: _, step }, after)| {
                let mut changes: Vec<usize> = step
                    .changes
                    .iter()
                    .filter_map(|old| position.get(*old).copied())
                    .collect();
                changes.sort_unstable();
                Step {
                    work: settle(step.work, &step.account, &new_roles),
                    account: step.account,
                    changes,
                    after,
                }
            })
            .collect();
        problems.sort_by(|a, b| {
            fn key(problem: &Problem) -> impl Ord + '_ {
                let severity = std::cmp::Reverse(problem.severity);
                (severity, &problem.account, problem.code, &problem.message)
            }
            key(a).cmp(&key(b))
        });
        Plan {
            intent,
            project: wiring.project.clone(),
            gates: wiring.selected.iter().cloned().collect(),
            changes,
            steps,
            problems,
        }
    }
}

/// What two steps may have in common, so that one must wait for the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shared<'a> {
    Gate(&'a GateName),
    /// Steps without a gate, on what is left behind, have only their role in common.
    Role(&'a AccountName, &'a RoleName),
}

/// For each step, the steps of an earlier rank that share a gate or a role with it.
fn dependencies(changes: &[Change], steps: &[Pending]) -> Vec<Vec<usize>> {
    let mut earlier: HashMap<Shared<'_>, Vec<usize>> = HashMap::new();
    let mut all = Vec::with_capacity(steps.len());
    for (index, Pending { rank, step }) in steps.iter().enumerate() {
        let gates = step
            .changes
            .iter()
            .filter_map(|c| changes.get(*c))
            .flat_map(|c| &c.gates)
            .map(Shared::Gate);
        let role = match &step.work {
            Work::Write { write, settling: _ } => write.role(),
            Work::Function(_) | Work::Policy(_) | Work::Pipeline(_) => None,
        };
        let role = role.map(|role| Shared::Role(&step.account, role));
        let mut after = Vec::new();
        for one in gates.chain(role) {
            let known = earlier.entry(one).or_default();
            let is_earlier = |i: &usize| steps.get(*i).is_some_and(|other| other.rank != *rank);
            after.extend(known.iter().copied().filter(is_earlier));
            if known.last() != Some(&index) {
                known.push(index);
            }
        }
        after.sort_unstable();
        after.dedup();
        after.shrink_to_fit();
        all.push(after);
    }
    all
}

/// Compares changes by account, kind and resource.
fn compare(one: &Change, other: &Change) -> Ordering {
    fn key(change: &Change) -> impl Ord + '_ {
        (
            &change.account,
            change.kind,
            &change.resource,
            change.action,
        )
    }
    key(one).cmp(&key(other))
}

/// Sorts changes as a plan has them.
pub(super) fn in_order(changes: &mut [Change]) {
    changes.sort_by(compare);
}

/// Sorts changes, and says where each went. What is compared and moved are their places: a change is large.
fn sorted(changes: Vec<Change>) -> (Vec<Change>, Vec<usize>) {
    let mut order: Vec<(&Change, usize)> = changes.iter().zip(0..).collect();
    order.sort_by(|(a, _), (b, _)| compare(a, b));
    let order: Vec<usize> = order.into_iter().map(|(_, old)| old).collect();
    let mut position = vec![0; changes.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(place) = position.get_mut(*old) {
            *place = new;
        }
    }
    let mut changes: Vec<Option<Change>> = changes.into_iter().map(Some).collect();
    let taken = order.iter().filter_map(|old| changes.get_mut(*old)?.take());
    (taken.collect(), position)
}

/// A write on a role that this plan makes may meet IAM before the role is known everywhere.
fn settle(
    work: Work,
    account: &AccountName,
    new_roles: &BTreeSet<(AccountName, RoleName)>,
) -> Work {
    match work {
        Work::Write { write, settling: _ } => {
            let settling = match &write {
                Write::PutInlinePolicy { role, .. } => {
                    new_roles.contains(&(account.clone(), role.clone()))
                }
                _ => false,
            };
            Work::Write { write, settling }
        }
        other @ (Work::Function(_) | Work::Policy(_) | Work::Pipeline(_)) => other,
    }
}
