//! What became of a whole document that was sent without an answer: told by looking again, not by sending again.
//! It sends nothing and waits for nothing.

use std::path::PathBuf;

use super::Done;
use crate::model::change::{Failure, Outcome, Problem};
use crate::model::failure::CloudError;
use crate::model::pipeline::PipelineDocument;

/// How often a pipeline or a policy is looked at, and its document sent again where it must be, after an answer was lost.
pub(super) const ATTEMPTS: u32 = 3;

/// What was sent without an answer, and what was done and told on the way.
#[derive(Default)]
pub(super) struct Unanswered {
    /// Looks after a lost answer.
    pub(super) attempts: u32,
    /// The documents, each of which may have become a version, or may still become one.
    pub(super) sent: Vec<PipelineDocument>,
    /// The first version that nobody has looked at since.
    pub(super) first: Option<u64>,
    pub(super) error: Option<Box<CloudError>>,
    backups: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl Unanswered {
    /// What the step has done, or none: it must be looked at again. After a lost answer, a change that is there was made by it, and
    /// a look that fails leaves it in doubt: the lost answer is what is told.
    pub(super) fn take(&mut self, done: Done, again: bool) -> Option<Done> {
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
