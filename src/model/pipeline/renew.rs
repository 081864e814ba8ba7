//! A planned update meets the document as it is just before the write.
//! The last decision before UpdatePipeline, which has no compare-and-swap: it is pure, and `apply` only obeys it.

use std::ops::Range;

use super::{Edit, Patch, PatchRequest, PipelineDocument, patch};
use crate::model::change::{PipelineEdit, PipelineUpdate};

/// What is to be sent, if anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Renewal {
    /// Send this document.
    Send {
        /// The document.
        document: Box<PipelineDocument>,
        /// The version that AWS will answer if nobody else writes in between.
        expected: Option<u64>,
        /// Set where the pipeline has moved since the plan.
        moved: Option<Moved>,
    },
    /// The document is already as it shall be.
    NothingToDo,
    /// The plan does not hold any more; why.
    Stale(String),
}

/// A pipeline that somebody wrote between the plan and the last look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The version that the plan was made from.
    pub planned: u64,
    /// The version that was found.
    pub found: u64,
    /// The actions of the found document that do not stay as they are, as `STAGE/ACTION`.
    pub touched: Vec<String>,
}

impl PipelineUpdate {
    /// Makes the change anew from the document as it is now. `None`: the pipeline is gone.
    pub fn renew(&self, fresh: Option<&PipelineDocument>) -> Renewal {
        let Self {
            pipeline,
            version,
            edit,
        } = self;
        let name = pipeline.name.as_str();
        let Some(fresh) = fresh else {
            return Renewal::Stale(format!("pipeline {name} is gone since the plan was made"));
        };
        let (document, touched) = match edit {
            PipelineEdit::Patch {
                request,
                service_role,
            } => match patched(name, fresh, request, service_role) {
                Ok(patched) => patched,
                Err(renewal) => return renewal,
            },
            PipelineEdit::Restore { saved, shown } => match restored(name, fresh, saved, shown) {
                Ok(document) => (document, Vec::new()),
                Err(renewal) => return renewal,
            },
        };
        let found = fresh.version();
        let moved = version.zip(found).filter(|(planned, now)| planned != now);
        Renewal::Send {
            document: Box::new(document),
            expected: found.map(|v| v.saturating_add(1)),
            moved: moved.map(|(planned, found)| Moved {
                planned,
                found,
                touched,
            }),
        }
    }
}

fn patched(
    name: &str,
    fresh: &PipelineDocument,
    request: &PatchRequest,
    service_role: &str,
) -> Result<(PipelineDocument, Vec<String>), Renewal> {
    // The grants of this plan are on the service role that it saw; another one could not assume the invoke role.
    let role = fresh.role_arn().map(|role| role.to_string());
    if role.as_deref().ok() != Some(service_role) {
        return Err(Renewal::Stale(format!(
            "pipeline {name} has another service role since the plan was made"
        )));
    }
    let Patch {
        document,
        edits,
        refusals,
        warnings: _,
    } = patch(fresh, request);
    if let Some(refusal) = refusals.first() {
        return Err(Renewal::Stale(format!(
            "pipeline {name} was changed since the plan was made: {}",
            refusal.message
        )));
    }
    if edits.is_empty() {
        return Err(Renewal::NothingToDo);
    }
    let there = edits.iter().filter(|edit| edit.before.is_some());
    let touched = there.map(|Edit { stage, action, .. }| format!("{stage}/{action}"));
    Ok((document, touched.collect()))
}

/// A patch keeps what somebody else has written meanwhile; a whole document would take it back unseen.
fn restored(
    name: &str,
    fresh: &PipelineDocument,
    saved: &PipelineDocument,
    shown: &PipelineDocument,
) -> Result<PipelineDocument, Renewal> {
    if fresh.says_the_same(saved) {
        return Err(Renewal::NothingToDo);
    }
    if !fresh.says_the_same(shown) {
        let differences = shown.differences(fresh);
        let what: Vec<String> = differences.iter().map(ToString::to_string).collect();
        return Err(Renewal::Stale(format!(
            "somebody changed pipeline {name} since the plan was shown ({}): putting the saved document back would take that back \
             unseen",
            what.join("; ")
        )));
    }
    Ok(saved.in_place_of(fresh))
}

/// The versions between the one that was read and the one that AWS answered to our write: others wrote them, and they are not in
/// the pipeline any more. Versions only grow by one, so that a smaller answer than expected is that of a pipeline that was deleted
/// and made anew, whose versions begin with 1 (api: PipelineDeclaration).
pub fn lost_versions(expected: u64, answered: u64) -> Range<u64> {
    if answered < expected {
        return 1..answered;
    }
    expected..answered
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_others_wrote_are_counted_from_the_one_that_was_expected() {
        assert_eq!(lost_versions(4, 4), 4..4, "nobody wrote");
        assert_eq!(lost_versions(4, 5), 4..5);
        assert_eq!(lost_versions(4, 7), 4..7);
        assert_eq!(lost_versions(4, 2), 1..2, "made anew");
        assert!(lost_versions(4, 1).is_empty());
    }
}
