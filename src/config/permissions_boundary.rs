//! The ARN of a permissions boundary: a managed policy of an account, or one of AWS.
//! May not know whether the policy exists.

use crate::model::account::{AccountId, Partition};
use crate::model::name::{PolicyName, RolePath};

/// A managed policy's ARN, taken apart as far as a gate must agree with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boundary {
    /// The ARN as written.
    pub(super) text: String,
    /// Its partition.
    pub(super) partition: Partition,
    /// The account that holds the policy; `None`: AWS itself.
    pub(super) account: Option<AccountId>,
}

impl Boundary {
    /// Parses `arn:PARTITION:iam::(ACCOUNT|aws):policy/PATH/NAME`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::parts(text).ok_or_else(|| {
            format!(
                "`{text}` is not a policy ARN such as arn:aws:iam::222222222222:policy/path/policy-name"
            )
        })
    }

    fn parts(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        if arn != "arn" || service != "iam" || !region.is_empty() {
            return None;
        }
        let full = resource.strip_prefix("policy")?;
        let (path, name) = full.split_at(full.rfind('/')? + 1);
        RolePath::new(path).ok()?;
        PolicyName::new(name).ok()?;
        Some(Self {
            text: text.to_owned(),
            partition: Partition::parse(partition)?,
            account: match account {
                "aws" => None,
                id => Some(AccountId::new(id).ok()?),
            },
        })
    }
}
