//! Single calls of a run: how one is known again in another run, and scripts that strike it.
//! Order does not count: side by side, calls come in any.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Receiver, Sender, channel};

use crossgate::sandbox::{Answer, Asked, Fate, Script};

use super::stage::is_doomed;

/// A call of a run: the same in each run of the same command in the same state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallId {
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) account: String,
    /// Of all that is asked, in any order.
    content: u64,
    /// How many calls with the same content come before it.
    nth: usize,
}

impl CallId {
    pub(super) fn is_write(&self) -> bool {
        !["Get", "List", "Describe"]
            .iter()
            .any(|read| self.operation.starts_with(read))
    }
}

/// Counts equal calls. Attempts of one call, which the SDK gives one id, are one.
#[derive(Debug, Default)]
pub(super) struct Counter {
    seen: BTreeMap<u64, Vec<String>>,
    /// Attempts by the SDK's id.
    attempts: BTreeMap<String, usize>,
}

impl Counter {
    pub(super) fn id(&mut self, asked: &Asked) -> CallId {
        // IAM answers documents with their keys in any order, and what is sent on then has another each time.
        let mut content = asked.content.clone().into_bytes();
        content.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (&asked.service, &asked.account, content).hash(&mut hasher);
        let content = hasher.finish();
        let seen = self.seen.entry(content).or_default();
        let nth = seen.iter().position(|one| *one == asked.invocation);
        let nth = nth.unwrap_or_else(|| {
            seen.push(asked.invocation.clone());
            seen.len() - 1
        });
        *self.attempts.entry(asked.invocation.clone()).or_default() += 1;
        CallId {
            service: asked.service.clone(),
            operation: asked.operation.clone(),
            account: asked.account.clone(),
            content,
            nth,
        }
    }

    /// How many attempts of this call came before.
    pub(super) fn attempt(&self, asked: &Asked) -> usize {
        self.attempts.get(&asked.invocation).map_or(0, |n| n - 1)
    }
}

/// Strikes one call: never answers it, and says so at once. Whatever the same run sends afterwards reaches nobody.
pub(super) fn kill(at: CallId, after_effect: bool) -> (Script, Receiver<()>) {
    let (tell, struck): (Sender<()>, _) = channel();
    let (mut counter, mut dead) = (Counter::default(), false);
    let script = move |asked: &Asked| {
        if !is_doomed(asked) {
            return Fate::Passes;
        }
        if dead {
            return Fate::Before(Answer::Never);
        }
        if counter.id(asked) != at {
            return Fate::Passes;
        }
        dead = true;
        // Nobody listens where the test has failed already.
        let _ = tell.send(());
        if after_effect {
            Fate::After(Answer::Never)
        } else {
            Fate::Before(Answer::Never)
        }
    };
    (Box::new(script), struck)
}

/// Strikes one call with what `fate` says: its first attempt, or all of them. Says when it does.
pub(super) fn strike(
    at: CallId,
    once: bool,
    fate: impl Fn(&Asked, usize) -> Fate + Send + 'static,
) -> (Script, Receiver<()>) {
    let (tell, struck) = channel();
    let mut counter = Counter::default();
    let script = move |asked: &Asked| {
        let is_it = counter.id(asked) == at;
        if !is_it || (once && counter.attempt(asked) > 0) {
            return Fate::Passes;
        }
        let _ = tell.send(());
        fate(asked, counter.attempt(asked))
    };
    (Box::new(script), struck)
}
