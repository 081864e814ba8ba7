//! The steps of a plan in their order, and what each of them waits for.
//! It makes no call.

use std::collections::{BTreeMap, BTreeSet};

use super::Done;
use super::pipeline::Look;
use crate::model::account::AccountName;
use crate::model::change::{Outcome, PipelineUpdate, Plan, Step, Work};

/// Steps under way at once in one account, of the 64 of a command: where AWS throttles it, its steps wait, and those of other accounts
/// need places too.
pub(super) const STEPS_PER_ACCOUNT: usize = 48;

/// The steps of a plan, each ready once all that it waits for is over. What a step unlocks is looked up and not searched for:
/// a fleet has tens of thousands of them.
pub(super) struct Queue<'p> {
    plan: &'p Plan,
    pub(super) results: Vec<Option<Done>>,
    /// For how many others each step still waits.
    waits_for: Vec<usize>,
    /// Which others wait for each step.
    then: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    /// How many are under way in each account.
    running: BTreeMap<&'p AccountName, usize>,
    /// What is ready, but for a place in its account.
    held: BTreeMap<&'p AccountName, BTreeSet<usize>>,
    early: Option<Early<'p>>,
}

/// The change of the plan's only pipeline, which is looked at while the last steps before it are under way: that saves a round trip to
/// whoever waits for one gate. Of many pipelines each is looked at when it is its turn: there it is the rate that counts, and a look
/// that is too old would have to be repeated.
struct Early<'p> {
    index: usize,
    update: &'p PipelineUpdate,
    /// How many of those that it waits for have not been begun.
    not_begun: usize,
    is_looked_at: bool,
    look: Option<Look>,
}

impl<'p> Early<'p> {
    fn of(plan: &'p Plan) -> Option<Self> {
        let pipelines = plan.steps.iter().enumerate();
        let mut pipelines = pipelines.filter_map(|(index, step)| match &step.work {
            Work::Pipeline(update) => Some((index, step, update)),
            Work::Write { .. } | Work::Function(_) | Work::Policy(_) => None,
        });
        let (index, step, update) = pipelines.next()?;
        let is_only = pipelines.next().is_none();
        let is_quick = |before: &usize| match plan.steps.get(*before).map(|step| &step.work) {
            Some(Work::Write { .. }) => true,
            // Lambda takes its time.
            Some(Work::Function(_) | Work::Policy(_) | Work::Pipeline(_)) | None => false,
        };
        let is_worth_it = !step.after.is_empty() && step.after.iter().all(is_quick);
        (is_only && is_worth_it).then_some(Self {
            index,
            update,
            not_begun: step.after.len(),
            is_looked_at: false,
            look: None,
        })
    }
}

impl<'p> Queue<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut then: Vec<Vec<usize>> = plan.steps.iter().map(|_| Vec::new()).collect();
        for (index, step) in plan.steps.iter().enumerate() {
            for before in &step.after {
                if let Some(then) = then.get_mut(*before) {
                    then.push(index);
                }
            }
        }
        let waits_for: Vec<usize> = plan.steps.iter().map(|step| step.after.len()).collect();
        let ready = waits_for.iter().enumerate().filter(|(_, n)| **n == 0);
        Self {
            ready: ready.map(|(index, _)| index).collect(),
            results: plan.steps.iter().map(|_| None).collect(),
            plan,
            waits_for,
            then,
            running: BTreeMap::new(),
            held: BTreeMap::new(),
            early: Early::of(plan),
        }
    }

    /// The first of the steps that are ready and have a place in their account.
    pub(super) fn next(&mut self) -> Option<(usize, &'p Step)> {
        loop {
            let index = *self.ready.first()?;
            let step = self.plan.steps.get(index)?;
            let running = self.running.get(&step.account).copied().unwrap_or(0);
            if running < STEPS_PER_ACCOUNT {
                return Some((index, step));
            }
            self.ready.remove(&index);
            self.held.entry(&step.account).or_default().insert(index);
        }
    }

    /// A step is begun. Answers the look at its pipeline, if one was taken early.
    pub(super) fn start(&mut self, index: usize, step: &'p Step) -> Option<Look> {
        self.ready.remove(&index);
        *self.running.entry(&step.account).or_default() += 1;
        let early = self.early.as_mut()?;
        if early.index == index {
            return early.look.take();
        }
        let then = self.then.get(index);
        if then.is_some_and(|then| then.contains(&early.index)) {
            early.not_begun = early.not_begun.saturating_sub(1);
        }
        None
    }

    /// The pipeline that is to be looked at now: all that its change waits for is over or under way. Told once; the change waits for the
    /// look too.
    pub(super) fn early_look(&mut self) -> Option<&'p PipelineUpdate> {
        let early = self.early.as_mut()?;
        if early.not_begun > 0 || early.is_looked_at {
            return None;
        }
        early.is_looked_at = true;
        if let Some(left) = self.waits_for.get_mut(early.index) {
            *left += 1;
        }
        Some(early.update)
    }

    /// The look is over.
    pub(super) fn looked(&mut self, look: Look) {
        if let Some(early) = &mut self.early {
            early.look = Some(look);
            let index = early.index;
            self.waits_no_more(index);
        }
    }

    /// A step that was under way is so no longer.
    pub(super) fn end(&mut self, index: usize) {
        let step = self.plan.steps.get(index);
        if let Some(running) = step.and_then(|step| self.running.get_mut(&step.account)) {
            *running = running.saturating_sub(1);
        }
    }

    /// A step is over: whatever waited for it last is ready, and one that waited for its place.
    pub(super) fn done(&mut self, index: usize, done: Done) {
        self.ready.remove(&index);
        let account = self.plan.steps.get(index).map(|step| &step.account);
        let held = account.and_then(|account| self.held.get_mut(account));
        self.ready.extend(held.and_then(BTreeSet::pop_first));
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(done);
        }
        let then = self.then.get_mut(index).map(std::mem::take);
        for then in then.into_iter().flatten() {
            self.waits_no_more(then);
        }
    }

    /// One of those that a step waits for is over.
    fn waits_no_more(&mut self, index: usize) {
        if let Some(left) = self.waits_for.get_mut(index) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.ready.insert(index);
            }
        }
    }

    /// The id of the change, or the reason, because of which the step is not tried; none: what it waited for went well.
    pub(super) fn blocked(&self, step: &Step) -> Option<String> {
        step.after.iter().find_map(|before| {
            let done = self.results.get(*before)?.as_ref()?;
            match &done.outcome {
                Outcome::Done | Outcome::AlreadyThere | Outcome::Kept(_) => None,
                Outcome::Failed(_) => {
                    let failed = self.plan.steps.get(*before)?.changes.first();
                    let change = failed.and_then(|c| self.plan.changes.get(*c));
                    Some(change.map_or_else(String::new, |c| c.id.clone()))
                }
                Outcome::Skipped { because_of } => Some(because_of.clone()),
            }
        })
    }
}
