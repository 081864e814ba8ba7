//! A function that a gate's manifest makes: its package, its configuration, its execution role.
//! Values only: which files go into a package is decided in `config`, what differs from AWS in `plan`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::account::{AccountId, Partition};
use super::arn::RoleArn;
use super::name::{FunctionName, RoleName, RolePath};

/// A function as the manifest wants it (`source` and what goes with it in `[gates.function]`).
///
/// A function without a `source` has none of these: it must exist, and only its permissions are touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSpec {
    /// The code.
    pub package: Package,
    /// For example `python3.13`; one that Lambda knows (api: CreateFunction, Runtime).
    pub runtime: String,
    /// For example `validate.handler`.
    pub handler: String,
    /// 1 to 900.
    pub timeout_seconds: u32,
    /// 128 to 10,240.
    pub memory_mb: u32,
    /// The function's environment variables.
    pub environment: Variables,
    /// The role as which it runs.
    pub role: ExecutionRole,
    /// The manifest's tags, without crossgate's own.
    pub tags: BTreeMap<String, String>,
}

/// The role as which a function runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionRole {
    /// One that is there, of the function's own account.
    Existing(RoleArn),
    /// One that the manifest makes: trust for lambda.amazonaws.com, logs of the function's own group, the callback.
    Made(RoleName),
}

impl ExecutionRole {
    /// The role's ARN, given the partition and the id of the function's account.
    pub fn arn(&self, partition: Partition, account: &AccountId) -> RoleArn {
        match self {
            Self::Existing(arn) => arn.clone(),
            Self::Made(name) => RoleArn {
                partition,
                account: account.clone(),
                path: RolePath::default(),
                name: name.clone(),
            },
        }
    }

    /// The role's name.
    pub fn name(&self) -> &RoleName {
        match self {
            Self::Existing(arn) => &arn.name,
            Self::Made(name) => name,
        }
    }
}

/// What a function is configured with, as far as a manifest says it (api: UpdateFunctionConfiguration).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSettings {
    /// For example `python3.13`.
    pub runtime: String,
    /// For example `validate.handler`.
    pub handler: String,
    /// 1 to 900.
    pub timeout_seconds: u32,
    /// 128 to 10,240.
    pub memory_mb: u32,
    /// All its environment variables.
    pub environment: Variables,
    /// The role as which it runs.
    pub role: RoleArn,
}

/// A function that is to be made (api: CreateFunction).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFunction {
    /// Its name.
    pub name: FunctionName,
    /// Its code.
    pub package: Package,
    /// How it is configured.
    pub settings: FunctionSettings,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// A line for people who find the function in the console.
    pub description: String,
}

/// A zip archive, the same bytes for the same files whenever and wherever it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    /// The archive; 50 MB at most when it is sent directly (Lambda quotas).
    pub zip: Arc<[u8]>,
    /// SHA-256 of the archive in base64, as Lambda's `CodeSha256` has it (api: FunctionConfiguration).
    pub sha256: String,
    /// How many files are in it.
    pub files: usize,
    /// The files' bytes before compression; 250 MB at most (Lambda quotas).
    pub unzipped: u64,
}

/// Environment variables of a function. Their values are never shown: teams keep secrets there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Variables(pub BTreeMap<String, String>);

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            zip,
            sha256,
            files,
            unzipped,
        } = self;
        f.debug_struct("Package")
            .field("zip", &zip.len())
            .field("sha256", sha256)
            .field("files", files)
            .field("unzipped", unzipped)
            .finish()
    }
}

impl fmt::Debug for Variables {
    /// The names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_variables_are_not_in_debug_output() {
        let variables = Variables(BTreeMap::from([("TOKEN".to_owned(), "s3cret".to_owned())]));
        assert_eq!(format!("{variables:?}"), r#"{"TOKEN"}"#);
    }
}
