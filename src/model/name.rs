//! Names that the manifest gives and AWS limits: each newtype holds only what AWS would take.
//! Parsing only; whether a thing of that name exists is not known here.

use std::fmt;

use thiserror::Error;

use super::shared::{Shared, Sharing};

/// A name that AWS (or the manifest's own rules) would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{value}` is not a valid {what}: {rule}")]
pub struct NameError {
    /// What was to be named, for example `role name`.
    pub what: &'static str,
    /// The text that was refused.
    pub value: String,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $rule:literal, $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Shared);

        impl $type {
            /// The most characters that the name may have.
            pub const MAX: usize = $max;

            /// Parses the name, or says which rule it breaks.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let allowed: fn(u8) -> bool = $allowed;
                if (1..=$max).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(Shared::new(text)))
                } else {
                    Err(NameError { what: $what, value: text.to_owned(), rule: $rule })
                }
            }

            /// The name as written.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl Sharing for $type {
            fn text(&mut self) -> &mut Shared {
                &mut self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

name!(
    /// The namespace of everything that a manifest owns.
    Project, "project", "1 to 32 of a-z, 0-9 and `-` are allowed", 32,
    |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
);
name!(
    /// A gate's name, unique in its manifest; part of the default role name.
    GateName, "gate name", "1 to 64 of A-Z, a-z, 0-9, `-`, `_` and `.` are allowed", 64,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
);
name!(
    /// A pipeline's name (guide: limits).
    PipelineName, "pipeline name", "1 to 100 of A-Z, a-z, 0-9, `.`, `@`, `_` and `-` are allowed", 100, pipeline_char
);
name!(
    /// A stage's name, unique in its pipeline (guide: reference-pipeline-structure).
    StageName, "stage name", "1 to 100 of A-Z, a-z, 0-9, `.`, `@`, `_` and `-` are allowed", 100, pipeline_char
);
name!(
    /// An action's name, unique in its stage (guide: reference-pipeline-structure).
    ActionName, "action name", "1 to 100 of A-Z, a-z, 0-9, `.`, `@`, `_` and `-` are allowed", 100, pipeline_char
);
name!(
    /// An artifact's name (api: InputArtifact, OutputArtifact).
    ArtifactName, "artifact name", "1 to 100 of A-Z, a-z, 0-9, `_` and `-` are allowed", 100,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
);
name!(
    /// A variables namespace (api: ActionDeclaration).
    Namespace, "namespace", "1 to 100 of A-Z, a-z, 0-9, `@`, `_` and `-` are allowed", 100,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'_' | b'-')
);
name!(
    /// An IAM role's name (api: CreateRole). Unique in its account whatever its path, and compared without case by IAM.
    RoleName, "role name", "1 to 64 of A-Z, a-z, 0-9 and `+=,.@_-` are allowed", 64, iam_char
);
name!(
    /// The name of an inline policy (api: PutRolePolicy).
    PolicyName, "policy name", "1 to 128 of A-Z, a-z, 0-9 and `+=,.@_-` are allowed", 128, iam_char
);
name!(
    /// A Lambda function's name without qualifier (api: CreateFunction).
    FunctionName, "function name", "1 to 64 of A-Z, a-z, 0-9, `-` and `_` are allowed", 64,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
);

impl PolicyName {
    /// The name of a policy that the project owns: `crossgate-<project>-<purpose>`. Valid by construction: a project has 32
    /// characters at most, all of them allowed.
    pub(crate) fn of_project(project: &Project, purpose: Purpose) -> Self {
        let name = format!("crossgate-{project}-{}", purpose.as_str());
        Self(Shared::new(&name))
    }
}

/// What an inline policy of crossgate's lets its role do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An invoke role: invoke the functions.
    Invoke,
    /// An invoke role: read and write artifacts.
    Artifacts,
    /// An execution role: answer the pipeline.
    Callback,
    /// An execution role that crossgate made: write logs.
    Logs,
    /// A service role: take the invoke roles.
    Assume,
}

impl Purpose {
    /// Every one there is.
    pub const ALL: [Self; 5] = [
        Self::Invoke,
        Self::Artifacts,
        Self::Callback,
        Self::Logs,
        Self::Assume,
    ];

    /// The end of the policy's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::Artifacts => "artifacts",
            Self::Callback => "callback",
            Self::Logs => "logs",
            Self::Assume => "assume",
        }
    }
}

fn pipeline_char(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'@' | b'_' | b'-')
}

fn iam_char(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'=' | b',' | b'.' | b'@' | b'_' | b'-')
}

/// An IAM path: `/`, or `/a/b/`, 512 characters at most (api: CreateRole).
///
/// IAM takes `*`, `?` and `$` in it too. Here they are refused: the path stands in the ARNs of policies, where they would be a pattern
/// or begin a variable, and grant more than the one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RolePath(Shared);

impl RolePath {
    /// Parses a path that begins and ends with `/`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| (0x21..=0x7e).contains(&b) && !matches!(b, b'*' | b'?' | b'$');
        let printable = text.bytes().all(allowed);
        if printable && text.len() <= 512 && text.starts_with('/') && text.ends_with('/') {
            Ok(Self(Shared::new(text)))
        } else {
            Err(NameError {
                what: "path",
                value: text.to_owned(),
                rule: "it begins and ends with `/`, 512 printable characters at most, and without `*`, `?` and `$`",
            })
        }
    }

    /// The path with both slashes.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Sharing for RolePath {
    fn text(&mut self) -> &mut Shared {
        &mut self.0
    }
}

impl Default for RolePath {
    fn default() -> Self {
        Self(Shared::new("/"))
    }
}

impl fmt::Display for RolePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
