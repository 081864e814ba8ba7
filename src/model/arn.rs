//! ARNs: parsed once, then carried as values that cannot be malformed.
//! Pure values: no look-ups.

use std::fmt;

use thiserror::Error;

use super::account::{AccountId, Partition, Region};
use super::name::{FunctionName, RoleName, RolePath};

/// A text that is not an ARN of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{value}` is not {expected}")]
pub struct ArnError {
    /// The text that was refused.
    pub value: String,
    /// What was expected, with an example.
    pub expected: &'static str,
}

/// An IAM role's ARN: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    /// The partition.
    pub partition: Partition,
    /// The account that holds the role.
    pub account: AccountId,
    /// The path, `/` where there is none.
    pub path: RolePath,
    /// The name, the last segment.
    pub name: RoleName,
}

impl RoleArn {
    const EXPECTED: &'static str =
        "a role ARN such as arn:aws:iam::222222222222:role/path/role-name";

    /// Parses a role ARN.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        Self::parts(text).ok_or_else(|| ArnError {
            value: text.to_owned(),
            expected: Self::EXPECTED,
        })
    }

    /// What it consists of, in order.
    fn texts(&self) -> [&str; 7] {
        let Self {
            partition,
            account,
            path,
            name,
        } = self;
        [
            "arn:",
            partition.as_str(),
            ":iam::",
            account.as_str(),
            ":role",
            path.as_str(),
            name.as_str(),
        ]
    }

    /// The ARN as text: what [`ToString`] gives, made in one go, as policies hold thousands of them.
    pub fn text(&self) -> String {
        self.texts().concat()
    }

    /// True where the text is this ARN.
    pub fn is(&self, text: &str) -> bool {
        let mut texts = self.texts().into_iter();
        let rest = texts.try_fold(text, |rest, part| rest.strip_prefix(part));
        rest == Some("")
    }

    fn parts(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        if arn != "arn" || service != "iam" || !region.is_empty() {
            return None;
        }
        let full = resource.strip_prefix("role")?;
        let cut = full.rfind('/')? + 1;
        Some(Self {
            partition: Partition::parse(partition)?,
            account: AccountId::new(account).ok()?,
            path: RolePath::new(&full[..cut]).ok()?,
            name: RoleName::new(&full[cut..]).ok()?,
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.texts()
            .into_iter()
            .try_for_each(|text| f.write_str(text))
    }
}

/// A Lambda function's ARN without qualifier: `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    /// The function's region; the partition follows from it.
    pub region: Region,
    /// The account that holds the function.
    pub account: AccountId,
    /// The name.
    pub name: FunctionName,
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            account,
            name,
        } = self;
        let partition = region.partition();
        write!(
            f,
            "arn:{partition}:lambda:{region}:{account}:function:{name}"
        )
    }
}

/// The ARN that stands for a whole account as a principal.
pub fn account_root(partition: Partition, account: &AccountId) -> String {
    format!("arn:{partition}:iam::{account}:root")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_role_arn_is_its_text_and_no_other() {
        for text in [
            "arn:aws:iam::222222222222:role/r",
            "arn:aws-cn:iam::222222222222:role/a/b/r",
            "arn:aws:iam::222222222222:role/rr",
            "arn:aws:iam::222222222223:role/r",
        ] {
            let arn = RoleArn::parse(text).unwrap();
            assert_eq!(arn.to_string(), text);
            assert_eq!(arn.text(), text);
            for (at, _) in text.char_indices() {
                assert!(!arn.is(&text[..at]), "{at}");
            }
            assert!(arn.is(text));
            assert!(!arn.is(&format!("{text}r")));
            assert!(!arn.is(&text.to_uppercase()));
        }
    }
}
