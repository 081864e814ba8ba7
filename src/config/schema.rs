//! The manifest as values: what was written, checked, with nothing resolved or made up.
//! May not parse, read or render; defaults are filled in by `desired`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::model::account::{AccountId, AccountName, Region};
use crate::model::arn::RoleArn;
use crate::model::function::{Package, Variables};
use crate::model::name::{FunctionName, GateName, NameError, Project, RoleName, RolePath};
use crate::model::wiring::{GateAction, PipelineKey, Trust};

/// A whole manifest in which every check that needs no AWS has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file, as it was named or found.
    pub path: PathBuf,
    /// The namespace of everything that the manifest owns.
    pub project: Project,
    /// The accounts by name. Two names may have one id: `desired` then uses the first name (in sorted order) that a gate uses.
    pub accounts: BTreeMap<AccountName, AccountConfig>,
    /// The gates in the order written; at least one.
    pub gates: Vec<GateConfig>,
}

/// One `[accounts.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountConfig {
    /// The id that the credentials must turn out to have.
    pub id: AccountId,
    /// Where the credentials come from.
    pub credentials: Credentials,
}

/// Where the credentials of an account come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The default credential chain of the AWS SDK.
    DefaultChain,
    /// A named profile of the AWS configuration files; not empty, without control characters.
    Profile(String),
    /// A role of this account, assumed with another account's credentials. Following `via` always comes to an end.
    AssumeRole {
        /// The role; its account is this account's id.
        role_arn: RoleArn,
        /// The account of the manifest whose credentials assume it.
        via: AccountName,
    },
}

/// One `[[gates]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateConfig {
    /// Its name, unique in the manifest.
    pub name: GateName,
    /// Where its `[[gates]]` header stands (its own table, where the gates are written inline).
    pub position: Position,
    /// `account`, `region` and `name` of `[gates.pipeline]`.
    pub pipeline: PipelineKey,
    /// The rest of `[gates.pipeline]`.
    pub action: GateAction,
    /// `[gates.function]`.
    pub function: FunctionConfig,
    /// `[gates.invoke_role]`; all `None` where it is not written.
    pub invoke_role: InvokeRoleConfig,
    /// `manage` of `[gates.artifacts]`; `None`: no.
    pub manage_artifacts: Option<bool>,
}

/// One `[gates.function]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionConfig {
    /// The account.
    pub account: AccountName,
    /// The name, without qualifier.
    pub name: FunctionName,
    /// The region; `None`: the pipeline's.
    pub region: Option<Region>,
    /// What the manifest makes it of (`source`); `None`: it must be there, and only its permissions are touched.
    pub made: Option<MadeFunctionConfig>,
}

/// The keys of `[gates.function]` that make the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFunctionConfig {
    /// The files of `source`, packed.
    pub package: Package,
    /// One that Lambda knows.
    pub runtime: String,
    /// What Lambda calls.
    pub handler: String,
    /// 1 to 900; `None`: [`MadeFunctionConfig::TIMEOUT_SECONDS`].
    pub timeout_seconds: Option<u32>,
    /// 128 to 10,240; `None`: [`MadeFunctionConfig::MEMORY_MB`].
    pub memory_mb: Option<u32>,
    /// Its environment variables; empty where none are written.
    pub environment: Variables,
    /// An execution role that is there, of the function's own account; `None`: [`FunctionConfig::default_role_name`] is made.
    pub role: Option<RoleArn>,
    /// Tags besides crossgate's own; empty where none are written.
    pub tags: BTreeMap<String, String>,
}

impl MadeFunctionConfig {
    /// The timeout where the manifest gives none: Lambda's own 3 seconds are too few for a validation that calls AWS.
    pub const TIMEOUT_SECONDS: u32 = 60;
    /// The memory where the manifest gives none: Lambda's own default.
    pub const MEMORY_MB: u32 = 128;
}

impl FunctionConfig {
    /// The name of the execution role that is made where the manifest gives none: `crossgate-<project>-fn-<function>`.
    ///
    /// # Errors
    /// The name may be longer than IAM allows; validation refuses such a manifest.
    pub fn default_role_name(
        project: &Project,
        function: &FunctionName,
    ) -> Result<RoleName, NameError> {
        RoleName::new(&format!("crossgate-{project}-fn-{function}"))
    }
}

/// One `[gates.invoke_role]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvokeRoleConfig {
    /// The role's name; `None`: [`GateConfig::default_role_name`].
    pub name: Option<RoleName>,
    /// The path; `None`: `/`.
    pub path: Option<RolePath>,
    /// The ARN of the permissions boundary, a policy of the function's account or of AWS.
    pub permissions_boundary: Option<String>,
    /// Tags besides crossgate's own; empty where none are written.
    pub tags: BTreeMap<String, String>,
    /// Whom the role trusts; `None`: the service role only.
    pub trust: Option<Trust>,
    /// Whether `lambda:ListFunctions` is granted; `None`: yes.
    pub list_functions: Option<bool>,
}

/// A place in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Credentials {
    /// Whose credentials are used, in words for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultChain => f.write_str("the default credential chain"),
            Self::Profile(name) => write!(f, "profile `{name}`"),
            Self::AssumeRole { role_arn, via } => {
                write!(f, "role {role_arn} assumed via `{via}`")
            }
        }
    }
}

impl GateConfig {
    /// The invoke role's name where the manifest gives none: `crossgate-<project>-<gate>`.
    ///
    /// # Errors
    /// The name may be longer than IAM allows; validation refuses such a manifest.
    pub fn default_role_name(project: &Project, gate: &GateName) -> Result<RoleName, NameError> {
        RoleName::new(&format!("crossgate-{project}-{gate}"))
    }
}

/// Where the lines of a text begin, so that many places are found without counting each time.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(newlines).collect();
        Self { text, starts }
    }

    /// The position of a byte offset; an offset past the end is the end.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied();
        let end = offset.min(self.text.len());
        let before = self.text.get(start.unwrap_or_default()..end);
        Position {
            line,
            column: before.unwrap_or_default().chars().count() + 1,
        }
    }
}
