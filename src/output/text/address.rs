//! Where a click on a change's name leads: the console's page of the role, the function or the pipeline.
//! It only puts together what the change says; on which terminal links are written, the style knows.

use crate::model::account::Partition;
use crate::model::change::{Change, ChangeKind};
use crate::model::console;

/// The address of the object that is changed; none for an object that a region is missing for.
pub(super) fn of(change: &Change, partition: Partition) -> Option<String> {
    let Change {
        region,
        kind,
        resource,
        ..
    } = change;
    // `role`, `role/policy`, `function`, or `pipeline/stage/action`: none of the first names holds a `/`.
    let first = resource.split('/').next()?;
    match kind {
        ChangeKind::IamRole
        | ChangeKind::IamTrustPolicy
        | ChangeKind::IamRoleTags
        | ChangeKind::IamPermissionsBoundary
        | ChangeKind::IamInlinePolicy
        | ChangeKind::IamUnexpectedPolicy => Some(console::role(partition, first)),
        ChangeKind::LambdaFunction
        | ChangeKind::LambdaFunctionCode
        | ChangeKind::LambdaFunctionConfiguration
        | ChangeKind::LambdaFunctionTags => Some(console::function(region.as_ref()?, first)),
        ChangeKind::PipelineAction | ChangeKind::Pipeline => {
            Some(console::pipeline(region.as_ref()?, first))
        }
        // The names of these say enough, and the console's pages of buckets and keys were not looked up.
        ChangeKind::S3BucketPolicy | ChangeKind::KmsKeyPolicy => None,
    }
}
