//! A planned update meets the document as it is just before the write.
//! The last decision before UpdatePipeline, which has no compare-and-swap: it is pure, and `apply` only obeys it.

use super::{Patch, PipelineDocument, patch};
use crate::model::change::PipelineUpdate;

/// What is to be sent, if anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Renewal {
    /// Send this document.
    Send {
        /// The patched document.
        document: Box<PipelineDocument>,
        /// The version that AWS will answer if nobody else writes in between.
        expected: Option<u64>,
        /// Set where the pipeline has moved since the plan: the version planned from, and the one found.
        moved: Option<(u64, u64)>,
    },
    /// The document is already as it shall be.
    NothingToDo,
    /// The plan does not hold any more; why.
    Stale(String),
}

impl PipelineUpdate {
    /// Makes the patch anew from the document as it is now. `None`: the pipeline is gone.
    pub fn renew(&self, fresh: Option<&PipelineDocument>) -> Renewal {
        let Self {
            pipeline,
            request,
            version,
            service_role,
        } = self;
        let name = &pipeline.name;
        let Some(fresh) = fresh else {
            return Renewal::Stale(format!("pipeline {name} is gone since the plan was made"));
        };
        // The grants of this plan are on the service role that it saw; another one could not assume the invoke role.
        let role = fresh.role_arn().map(|role| role.to_string());
        if role.as_deref().ok() != Some(service_role) {
            return Renewal::Stale(format!(
                "pipeline {name} has another service role since the plan was made"
            ));
        }
        let Patch {
            document,
            edits,
            refusals,
            warnings: _,
        } = patch(fresh, request);
        if let Some(refusal) = refusals.first() {
            return Renewal::Stale(format!(
                "pipeline {name} was changed since the plan was made: {}",
                refusal.message
            ));
        }
        if edits.is_empty() {
            return Renewal::NothingToDo;
        }
        let found = fresh.version();
        Renewal::Send {
            document: Box::new(document),
            expected: found.map(|v| v.saturating_add(1)),
            moved: version
                .zip(found)
                .filter(|(planned, found)| planned != found),
        }
    }
}
