//! What became of a whole document that was sent without an answer: told by looking again, not by sending again.
//! It sends nothing: what a look is, and what it sends, is the caller's.

use std::path::PathBuf;

use super::{Done, Timing, Tools, settle};
use crate::model::account::AccountName;
use crate::model::change::{Failure, Outcome, Problem};
use crate::model::failure::CloudError;
use crate::model::pipeline::PipelineDocument;

/// How often a pipeline or a policy is looked at, and its document sent again where it must be, after an answer was lost.
const ATTEMPTS: u32 = 3;

/// What was sent without an answer, and what was done and told on the way.
#[derive(Default)]
pub(super) struct Unanswered {
    /// Looks after a lost answer.
    attempts: u32,
    /// The documents, each of which may have become a version, or may still become one.
    pub(super) sent: Vec<PipelineDocument>,
    /// The first version that nobody has looked at since.
    pub(super) first: Option<u64>,
    error: Option<Box<CloudError>>,
    backups: Vec<PathBuf>,
    problems: Vec<Problem>,
}

/// Looks, and changes what must be, until there is an answer or no look is left.
pub(super) async fn until_answered<C, T: Timing, B>(
    account: &AccountName,
    what: &str,
    tools: &Tools<'_, C, T, B>,
    mut look: impl AsyncFnMut(&mut Unanswered) -> Done,
) -> Done {
    let mut unanswered = Unanswered::default();
    loop {
        if unanswered.error.is_some() {
            unanswered.attempts += 1;
        }
        let done = look(&mut unanswered).await;
        let again = unanswered.attempts < ATTEMPTS && !tools.timing.is_interrupted();
        match unanswered.take(done, again) {
            Some(done) => return done,
            None => settle(account, what, unanswered.attempts, tools).await,
        }
    }
}

impl Unanswered {
    /// What was sent got no answer that says what became of it. The first such error is the one that is told.
    pub(super) fn doubt(&mut self, error: &CloudError) {
        self.error.get_or_insert(Box::new(error.clone()));
    }

    /// What the step has done, or none: it must be looked at again. After a lost answer, a change that is there was made by it, and
    /// a look that fails leaves it in doubt: the lost answer is what is told.
    fn take(&mut self, done: Done, again: bool) -> Option<Done> {
        let Done {
            outcome,
            mut backups,
            problems,
            wrote,
        } = done;
        // Another look at the same version saves it under the same name.
        backups.retain(|path| !self.backups.contains(path));
        self.backups.append(&mut backups);
        for problem in problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        let lost = self.error.is_some();
        let outcome = match outcome {
            Outcome::Failed(Failure::Cloud(_)) if lost && again => return None,
            Outcome::Failed(Failure::Cloud(error)) => {
                Outcome::Failed(Failure::Cloud(self.error.take().unwrap_or(error)))
            }
            Outcome::AlreadyThere if lost => Outcome::Done,
            other => other,
        };
        Some(Done {
            outcome,
            backups: std::mem::take(&mut self.backups),
            problems: std::mem::take(&mut self.problems),
            // A document that got no answer may have been written.
            wrote: wrote || lost,
        })
    }

    pub(super) fn is_ours(&self, document: &PipelineDocument) -> bool {
        self.sent.iter().any(|ours| ours.says_the_same(document))
    }
}
