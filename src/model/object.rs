//! The objects that gates consist of (design.md, "What a gate is in AWS"), whether or not they are as they shall be.
//! Values only: `plan` lists them, `output` shows them.

use super::account::{AccountId, AccountName, Region};
use super::change::{Change, ChangeKind};
use super::name::GateName;

/// One object of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its account's name in the manifest.
    pub account: AccountName,
    /// Its account's id.
    pub account_id: AccountId,
    /// Its region; none for IAM.
    pub region: Option<Region>,
    /// Its kind: a role, an inline policy, a function, the policy of a bucket or key, or an action. Parts (a role's trust, a function's code) belong to the whole.
    pub kind: ChangeKind,
    /// Its name, as a change of it has it; where the role that holds a policy is not known, the role is described.
    pub resource: String,
    /// The gates that need it, sorted.
    pub gates: Vec<GateName>,
    /// Whether it was seen.
    pub looked: Looked,
}

/// Whether an object was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It was read: it is there, or it is known not to be.
    Seen,
    /// It was asked for and could not be read, with the reason.
    Unreadable(String),
    /// Nobody asked for it, with the reason.
    NotLooked(String),
}

impl Object {
    /// True where a change is about this object or a part of it.
    pub fn covers(&self, change: &Change) -> bool {
        if self.account != change.account || self.region != change.region {
            return false;
        }
        match change.kind {
            ChangeKind::IamRole
            | ChangeKind::IamTrustPolicy
            | ChangeKind::IamRoleTags
            | ChangeKind::IamPermissionsBoundary => {
                self.kind == ChangeKind::IamRole && self.resource == change.resource
            }
            ChangeKind::IamUnexpectedPolicy => {
                let role = change.resource.split('/').next();
                self.kind == ChangeKind::IamRole && role == Some(self.resource.as_str())
            }
            ChangeKind::LambdaFunction
            | ChangeKind::LambdaFunctionCode
            | ChangeKind::LambdaFunctionConfiguration
            | ChangeKind::LambdaFunctionTags => {
                self.kind == ChangeKind::LambdaFunction && self.resource == change.resource
            }
            ChangeKind::IamInlinePolicy
            | ChangeKind::S3BucketPolicy
            | ChangeKind::KmsKeyPolicy
            | ChangeKind::PipelineAction
            | ChangeKind::Pipeline => self.kind == change.kind && self.resource == change.resource,
        }
    }
}
