//! Text that many values hold: a fleet's plan names the same accounts, roles and pipelines a million times.
//! It only holds the text; what may stand in it is its owners' affair.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// A text that is cloned without being copied, and equal to its clones without being read.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Shared(Arc<str>);

impl Shared {
    pub(super) fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Shared {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As a text: what holds it says what it is.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What holds a shared text.
pub(super) trait Sharing {
    fn text(&mut self) -> &mut Shared;
}

/// Texts that are held once, whoever names them.
#[derive(Default)]
pub(super) struct Pool(HashSet<Arc<str>>);

impl Pool {
    /// Lets it hold the text that others hold already.
    pub(super) fn share(&mut self, holder: &mut impl Sharing) {
        let Shared(text) = holder.text();
        match self.0.get(&**text) {
            Some(known) => *text = Arc::clone(known),
            None => {
                self.0.insert(Arc::clone(text));
            }
        }
    }
}
