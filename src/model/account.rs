//! Accounts, regions and partitions.
//! Pure values: parsing only, no look-ups.

use std::fmt;

use thiserror::Error;

use super::shared::{Shared, Sharing};

/// A value that is not an account id or not a region.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountError {
    /// Not twelve digits.
    #[error("`{0}` is not an AWS account id: twelve digits are expected")]
    Id(String),
    /// Not of the form `us-east-1`.
    #[error("`{0}` is not an AWS region: a name such as `us-east-1` is expected")]
    Region(String),
    /// A region of a partition that crossgate does not know.
    #[error(
        "`{0}` is a region of a partition that crossgate does not know: it knows aws, aws-cn and aws-us-gov"
    )]
    Partition(String),
    /// Not `[A-Za-z0-9_-]{1,64}`.
    #[error("`{0}` is not an account name: letters, digits, `-` and `_` are allowed, 64 at most")]
    Name(String),
}

/// An AWS account id: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Shared);

impl AccountId {
    /// Parses twelve digits.
    pub fn new(text: &str) -> Result<Self, AccountError> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(Shared::new(text)))
        } else {
            Err(AccountError::Id(text.to_owned()))
        }
    }

    /// Twelve zeros, an id that no account has: for errors about a name that no account goes by.
    pub fn unknown() -> Self {
        Self(Shared::new("000000000000"))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name that the manifest gives to an account (`tools`, `dev`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Shared);

impl AccountName {
    /// Parses `[A-Za-z0-9_-]{1,64}`.
    pub fn new(text: &str) -> Result<Self, AccountError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(Shared::new(text)))
        } else {
            Err(AccountError::Name(text.to_owned()))
        }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Sharing for AccountName {
    fn text(&mut self) -> &mut Shared {
        &mut self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the regions of the other partitions begin: `aws-iso` (and `-b`, `-e`, `-f`) and `aws-eusc`. An ARN of partition `aws` would
/// be wrong there (botocore, `partitions.json`).
const OTHER_PARTITIONS: [&str; 3] = ["us-iso", "eu-iso", "eusc-"];

/// A region name such as `us-east-1`. Only the form is checked: new regions appear every year.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Shared);

impl Region {
    /// Parses `xx-name-n` with two or more hyphens, lower case, a number at the end.
    pub fn new(text: &str) -> Result<Self, AccountError> {
        let parts: Vec<&str> = text.split('-').collect();
        let lower = |p: &&str| {
            !p.is_empty()
                && p.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let numbered = parts
            .last()
            .is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        if parts.len() < 3 || text.len() > 32 || !parts.iter().all(lower) || !numbered {
            return Err(AccountError::Region(text.to_owned()));
        }
        if OTHER_PARTITIONS.iter().any(|own| text.starts_with(own)) {
            return Err(AccountError::Partition(text.to_owned()));
        }
        Ok(Self(Shared::new(text)))
    }

    /// The region's name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The partition that the region belongs to.
    ///
    /// Source: AWS General Reference, "ARNs": `aws`, `aws-cn` for the China regions, `aws-us-gov` for GovCloud.
    pub fn partition(&self) -> Partition {
        if self.as_str().starts_with("cn-") {
            Partition::AwsCn
        } else if self.as_str().starts_with("us-gov-") {
            Partition::AwsUsGov
        } else {
            Partition::Aws
        }
    }
}

impl Sharing for Region {
    fn text(&mut self) -> &mut Shared {
        &mut self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An AWS partition: accounts, roles and credentials of one never work in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// The China regions.
    AwsCn,
    /// `GovCloud`.
    AwsUsGov,
}

impl Partition {
    /// The partition as it stands in an ARN.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }

    /// Parses the second field of an ARN.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "aws" => Some(Self::Aws),
            "aws-cn" => Some(Self::AwsCn),
            "aws-us-gov" => Some(Self::AwsUsGov),
            _ => None,
        }
    }

    /// The region whose endpoint serves the partition's global services (IAM) and signs for them.
    ///
    /// Source: AWS General Reference, "AWS Identity and Access Management endpoints and quotas".
    pub fn global_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::AwsCn => "cn-north-1",
            Self::AwsUsGov => "us-gov-west-1",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_region_of_a_partition_that_is_not_known_is_refused() {
        for text in [
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
            "eusc-de-east-1",
        ] {
            assert!(
                matches!(Region::new(text), Err(AccountError::Partition(_))),
                "{text}"
            );
        }
        for (text, partition) in [
            ("eu-south-2", Partition::Aws),
            ("cn-northwest-1", Partition::AwsCn),
            ("us-gov-east-1", Partition::AwsUsGov),
        ] {
            assert_eq!(Region::new(text).unwrap().partition(), partition);
        }
    }
}
