//! Writes as values: every call with which this program may change an account. What is not here cannot be done.
//! Which writes are made is decided in `plan`; `apply` sends them.

use std::collections::BTreeMap;
use std::fmt;

use super::account::Region;
use super::arn::FunctionArn;
use super::artifact::{BucketName, KeyArn};
use super::function::{FunctionSettings, NewFunction, Package};
use super::json_text::JsonText;
use super::name::{FunctionName, PipelineName, PolicyName, RoleName, RolePath};
use super::pipeline::PipelineDocument;
use super::read::{Fact, Function, Read, Role};

/// One change of one account: one AWS call.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// `iam:CreateRole`.
    CreateRole(Box<NewRole>),
    /// `iam:UpdateAssumeRolePolicy`.
    UpdateTrustPolicy {
        /// The role.
        role: RoleName,
        /// The whole new trust policy.
        document: JsonText,
    },
    /// `iam:TagRole`.
    TagRole {
        /// The role.
        role: RoleName,
        /// Keys and values to set; other tags stay.
        tags: BTreeMap<String, String>,
    },
    /// `iam:UntagRole`.
    UntagRole {
        /// The role.
        role: RoleName,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// `iam:PutRolePermissionsBoundary`.
    PutPermissionsBoundary {
        /// The role.
        role: RoleName,
        /// The managed policy's ARN.
        policy_arn: String,
    },
    /// `iam:DeleteRolePermissionsBoundary`.
    DeletePermissionsBoundary {
        /// The role.
        role: RoleName,
    },
    /// `iam:PutRolePolicy`.
    PutInlinePolicy {
        /// The role.
        role: RoleName,
        /// The policy.
        policy: PolicyName,
        /// The whole document.
        document: JsonText,
    },
    /// `iam:DeleteRolePolicy`.
    DeleteInlinePolicy {
        /// The role.
        role: RoleName,
        /// The policy's name as AWS has it.
        policy: String,
    },
    /// `iam:DetachRolePolicy`.
    DetachPolicy {
        /// The role.
        role: RoleName,
        /// The managed policy's ARN.
        policy_arn: String,
    },
    /// `iam:DeleteRole`.
    DeleteRole {
        /// The role.
        role: RoleName,
    },
    /// `lambda:CreateFunction`.
    CreateFunction {
        /// Where.
        region: Region,
        /// The function.
        new: Box<NewFunction>,
    },
    /// `lambda:UpdateFunctionCode`.
    UpdateFunctionCode {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
        /// The new code.
        package: Package,
    },
    /// `lambda:UpdateFunctionConfiguration`.
    UpdateFunctionConfiguration {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
        /// What it is configured with; what is not named here stays.
        settings: Box<FunctionSettings>,
    },
    /// `lambda:TagResource` of a function.
    TagFunction {
        /// The function.
        function: FunctionArn,
        /// Keys and values to set; other tags stay.
        tags: BTreeMap<String, String>,
    },
    /// `lambda:DeleteFunction`, with all its versions.
    DeleteFunction {
        /// The function's region.
        region: Region,
        /// Its name.
        name: FunctionName,
    },
    /// `s3:PutBucketPolicy`, of a bucket that belongs to the account.
    PutBucketPolicy {
        /// The bucket's region.
        region: Region,
        /// The bucket.
        bucket: BucketName,
        /// The whole document, JSON text.
        document: String,
    },
    /// `s3:DeleteBucketPolicy`, of a bucket that belongs to the account.
    DeleteBucketPolicy {
        /// The bucket's region.
        region: Region,
        /// The bucket.
        bucket: BucketName,
    },
    /// `kms:PutKeyPolicy`; KMS refuses a policy with which the caller could not change it again (api: PutKeyPolicy).
    PutKeyPolicy {
        /// The key.
        key: KeyArn,
        /// The whole document, JSON text.
        document: String,
    },
    /// `codepipeline:UpdatePipeline`.
    UpdatePipeline {
        /// The pipeline's region.
        region: Region,
        /// Its name.
        name: PipelineName,
        /// The whole document.
        document: Box<PipelineDocument>,
    },
}

/// A role that is to be made (api: CreateRole).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Its name.
    pub name: RoleName,
    /// Its path.
    pub path: RolePath,
    /// The trust policy.
    pub trust: JsonText,
    /// The permissions boundary's ARN.
    pub permissions_boundary: Option<String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// A line for people who find the role in the console.
    pub description: String,
}

impl Write {
    /// The IAM action that the caller needs for it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::CreateRole(_) => "iam:CreateRole",
            Self::UpdateTrustPolicy { .. } => "iam:UpdateAssumeRolePolicy",
            Self::TagRole { .. } => "iam:TagRole",
            Self::UntagRole { .. } => "iam:UntagRole",
            Self::PutPermissionsBoundary { .. } => "iam:PutRolePermissionsBoundary",
            Self::DeletePermissionsBoundary { .. } => "iam:DeleteRolePermissionsBoundary",
            Self::PutInlinePolicy { .. } => "iam:PutRolePolicy",
            Self::DeleteInlinePolicy { .. } => "iam:DeleteRolePolicy",
            Self::DetachPolicy { .. } => "iam:DetachRolePolicy",
            Self::DeleteRole { .. } => "iam:DeleteRole",
            Self::CreateFunction { .. } => "lambda:CreateFunction",
            Self::UpdateFunctionCode { .. } => "lambda:UpdateFunctionCode",
            Self::UpdateFunctionConfiguration { .. } => "lambda:UpdateFunctionConfiguration",
            Self::TagFunction { .. } => "lambda:TagResource",
            Self::DeleteFunction { .. } => "lambda:DeleteFunction",
            Self::PutBucketPolicy { .. } => "s3:PutBucketPolicy",
            Self::DeleteBucketPolicy { .. } => "s3:DeleteBucketPolicy",
            Self::PutKeyPolicy { .. } => "kms:PutKeyPolicy",
            Self::UpdatePipeline { .. } => "codepipeline:UpdatePipeline",
        }
    }

    /// The role that is written, or on which something is.
    pub fn role(&self) -> Option<&RoleName> {
        match self {
            Self::CreateRole(new) => Some(&new.name),
            Self::UpdateTrustPolicy { role, .. }
            | Self::TagRole { role, .. }
            | Self::UntagRole { role, .. }
            | Self::PutPermissionsBoundary { role, .. }
            | Self::DeletePermissionsBoundary { role }
            | Self::PutInlinePolicy { role, .. }
            | Self::DeleteInlinePolicy { role, .. }
            | Self::DetachPolicy { role, .. }
            | Self::DeleteRole { role } => Some(role),
            Self::CreateFunction { .. }
            | Self::UpdateFunctionCode { .. }
            | Self::UpdateFunctionConfiguration { .. }
            | Self::TagFunction { .. }
            | Self::DeleteFunction { .. }
            | Self::PutBucketPolicy { .. }
            | Self::DeleteBucketPolicy { .. }
            | Self::PutKeyPolicy { .. }
            | Self::UpdatePipeline { .. } => None,
        }
    }
}

impl Write {
    /// What to read where AWS says that the thing which is to be made is there already: it may have been made by an attempt whose
    /// answer was lost. None: it makes nothing.
    pub fn proof(&self) -> Option<Read> {
        match self {
            Self::CreateRole(new) => Some(Read::Role {
                role: new.name.clone(),
            }),
            Self::CreateFunction { region, new } => Some(Read::TaggedFunction {
                region: region.clone(),
                name: new.name.clone(),
            }),
            _ => None,
        }
    }

    /// Whether what was read is what this write makes, in all that can be read.
    pub fn is_proven_by(&self, fact: &Fact) -> bool {
        match (self, fact) {
            (Self::CreateRole(new), Fact::Role(Some(role))) => new.is_made_as(role),
            (Self::CreateFunction { region: _, new }, Fact::TaggedFunction(Some(function))) => {
                is_made_as(new, function)
            }
            _ => false,
        }
    }
}

impl NewRole {
    fn is_made_as(&self, role: &Role) -> bool {
        let Self {
            name,
            path,
            trust,
            permissions_boundary,
            tags,
            description: _,
        } = self;
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        role.arn.name == *name
            && role.arn.path == *path
            && json(trust.as_str()).is_some_and(|ours| json(&role.trust) == Some(ours))
            && role.permissions_boundary == *permissions_boundary
            && role.tags == *tags
    }
}

fn is_made_as(new: &NewFunction, function: &Function) -> bool {
    let NewFunction {
        name: _,
        package,
        settings,
        tags,
        description: _,
    } = new;
    let FunctionSettings {
        runtime,
        handler,
        timeout_seconds,
        memory_mb,
        environment,
        role,
    } = settings;
    let number = |found: Option<i32>| found.and_then(|n| u32::try_from(n).ok());
    function.role == *role
        && function.runtime.as_ref() == Some(runtime)
        && function.handler.as_ref() == Some(handler)
        && number(function.timeout_seconds) == Some(*timeout_seconds)
        && number(function.memory_mb) == Some(*memory_mb)
        && function.environment.as_ref() == Some(environment)
        && function.code_sha256.as_ref() == Some(&package.sha256)
        && function.tags.as_ref() == Some(tags)
}

impl fmt::Display for Write {
    /// The resource that is written, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateRole(new) => write!(f, "role {}", new.name),
            Self::UpdateTrustPolicy { role, .. } => write!(f, "trust policy of role {role}"),
            Self::TagRole { role, .. } | Self::UntagRole { role, .. } => {
                write!(f, "tags of role {role}")
            }
            Self::PutPermissionsBoundary { role, .. }
            | Self::DeletePermissionsBoundary { role } => {
                write!(f, "permissions boundary of role {role}")
            }
            Self::PutInlinePolicy { role, policy, .. } => {
                write!(f, "policy {policy} on role {role}")
            }
            Self::DeleteInlinePolicy { role, policy } => {
                write!(f, "policy {policy} on role {role}")
            }
            Self::DetachPolicy { role, policy_arn } => {
                write!(f, "attached policy {policy_arn} on role {role}")
            }
            Self::DeleteRole { role } => write!(f, "role {role}"),
            Self::CreateFunction { region, new } => {
                write!(f, "function {} in {region}", new.name)
            }
            Self::UpdateFunctionCode { region, name, .. } => {
                write!(f, "code of function {name} in {region}")
            }
            Self::UpdateFunctionConfiguration { region, name, .. } => {
                write!(f, "configuration of function {name} in {region}")
            }
            Self::TagFunction { function, .. } => {
                write!(
                    f,
                    "tags of function {} in {}",
                    function.name, function.region
                )
            }
            Self::DeleteFunction { region, name } => write!(f, "function {name} in {region}"),
            Self::PutBucketPolicy { region, bucket, .. }
            | Self::DeleteBucketPolicy { region, bucket } => {
                write!(f, "policy of bucket {bucket} in {region}")
            }
            Self::PutKeyPolicy { key, .. } => write!(f, "policy of key {key}"),
            Self::UpdatePipeline { region, name, .. } => write!(f, "pipeline {name} in {region}"),
        }
    }
}

/// What AWS answered to a [`Write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Done.
    Done,
    /// Nothing was left to do: what was to be deleted is not there.
    AlreadyThere,
    /// The pipeline was replaced; its new version, where AWS said so.
    Pipeline {
        /// `version` of the answer (api: UpdatePipeline).
        version: Option<u64>,
    },
}
