//! Principals in normal form: which two texts name the same one.
//! Names only: whom a principal lets in is not known here.

use std::fmt;

use super::atom::OneLine;
use crate::model::policy::{PrincipalKind, Principals};

/// A principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    /// The bare `*`. Not the same as `{"AWS": "*"}` in a trust policy, so never taken for it.
    Everyone,
    /// A whole account: its id, and the ARN where it was written as one.
    Account { id: String, arn: Option<String> },
    /// Any other, compared as written: a unique id (`AROA…`) never equals an ARN.
    Other(PrincipalKind, String),
}

/// Reads a list of principals: sorted, without repetition.
pub(super) fn who(principals: &Principals) -> Vec<Who> {
    let Principals::Listed(listed) = principals else {
        return vec![Who::Everyone];
    };
    let mut who: Vec<Who> = listed.iter().map(|(kind, text)| one(*kind, text)).collect();
    who.sort_unstable();
    who.dedup();
    who
}

/// An account id and the root ARN of that account are one principal (IAM user guide, "AWS JSON policy elements: Principal").
fn one(kind: PrincipalKind, text: &str) -> Who {
    let is_id = |id: &&str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    let root = || {
        let (partition, rest) = text.strip_prefix("arn:")?.split_once(":iam::")?;
        let id = rest.strip_suffix(":root").filter(is_id)?;
        (!partition.contains(':')).then_some(id)
    };
    match kind {
        PrincipalKind::Aws if is_id(&text) => Who::Account {
            id: text.to_owned(),
            arn: None,
        },
        PrincipalKind::Aws => match root() {
            Some(id) => Who::Account {
                id: id.to_owned(),
                arn: Some(text.to_owned()),
            },
            None => Who::Other(kind, text.to_owned()),
        },
        PrincipalKind::Service | PrincipalKind::Federated | PrincipalKind::CanonicalUser => {
            Who::Other(kind, text.to_owned())
        }
    }
}

/// An account id has no partition, so it is the same as the root ARN of any; two root ARNs are the same as written.
pub(super) fn is_same(a: &Who, b: &Who) -> bool {
    match (a, b) {
        (Who::Account { id: a, arn: x }, Who::Account { id: b, arn: y }) => {
            a == b && (x.is_none() || y.is_none() || x == y)
        }
        (Who::Everyone | Who::Account { .. } | Who::Other(..), _) => a == b,
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Account { id, arn } => write!(f, "{}", arn.as_ref().unwrap_or(id)),
            Self::Other(PrincipalKind::Aws, text) if text == "*" => f.write_str("AWS *"),
            Self::Other(kind, text) => {
                f.write_str(match kind {
                    PrincipalKind::Aws => "",
                    PrincipalKind::Service => "service ",
                    PrincipalKind::Federated => "federated ",
                    PrincipalKind::CanonicalUser => "canonical user ",
                })?;
                write!(f, "{}", OneLine(text))
            }
        }
    }
}
