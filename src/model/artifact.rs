//! The artifact store of a pipeline, as far as a gate is concerned that takes or makes artifacts: its bucket and its key.
//! Values only: which permissions follow from it is decided in `plan`, whether they suffice in `verify`.

use std::fmt;

use serde_json::Value;

use super::account::{AccountId, AccountName, Partition, Region};
use super::pipeline::PipelineDocument;
use super::read::Read;
use super::wiring::GateAction;

/// What an action does with artifacts; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// It takes input artifacts.
    pub reads: bool,
    /// It makes output artifacts.
    pub writes: bool,
}

impl Traffic {
    /// None for an action without artifacts.
    pub fn of(reads: bool, writes: bool) -> Option<Self> {
        (reads || writes).then_some(Self { reads, writes })
    }
}

impl GateAction {
    /// What the manifest has the action do with artifacts. Artifacts that it does not name are not the gate's.
    pub fn traffic(&self) -> Option<Traffic> {
        let some = |names: &Option<Vec<_>>| names.as_ref().is_some_and(|names| !names.is_empty());
        Traffic::of(some(&self.input_artifacts), some(&self.output_artifacts))
    }
}

/// The name of a bucket: `[A-Za-z0-9.-]{3,63}` (api: ArtifactStore, `location`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

impl BucketName {
    /// None for what cannot be a bucket's name.
    pub fn new(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        ((3..=63).contains(&text.len()) && text.bytes().all(fits)).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bucket's ARN, which names neither account nor region.
    pub fn arn(&self, partition: Partition) -> String {
        format!("arn:{partition}:s3:::{self}")
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A KMS key's ARN: `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyArn {
    /// The key's region; the partition follows from it.
    pub region: Region,
    /// The account that holds the key.
    pub account: AccountId,
    /// The key's id, a UUID or `mrk-…`.
    pub id: String,
}

impl KeyArn {
    /// None for what is no key's ARN.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        let region = Region::new(region).ok()?;
        if arn != "arn" || service != "kms" || partition != region.partition().as_str() {
            return None;
        }
        let id = resource.strip_prefix("key/").filter(|id| is_key_id(id))?;
        Some(Self {
            region,
            account: AccountId::new(account).ok()?,
            id: id.to_owned(),
        })
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            account,
            id,
        } = self;
        let partition = region.partition();
        write!(f, "arn:{partition}:kms:{region}:{account}:key/{id}")
    }
}

fn is_key_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !text.is_empty() && text.len() <= 128 && text.bytes().all(fits)
}

/// The artifact store of one region of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactStore {
    /// Its bucket.
    pub bucket: BucketName,
    /// The bucket's region: that of the action, for which the store is.
    pub region: Region,
    /// What encrypts the artifacts.
    pub key: StoreKey,
}

/// What the store's `encryptionKey` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKey {
    /// Nothing: the AWS managed key `aws/s3`, whose policy cannot be changed, so that no other account can use it.
    Default,
    /// A key, by its ARN, or by its id, which then is one of the pipeline's account (guide: pipelines-create-cross-account).
    Key(KeyArn),
    /// An alias: "recognized only in the account that created the KMS key" (guide: pipelines-create-cross-account).
    Alias(String),
    /// Something else.
    Strange(String),
}

impl StoreKey {
    fn parse(text: &str, region: &Region, account: &AccountId) -> Self {
        if text.starts_with("alias/") || text.contains(":alias/") {
            return Self::Alias(text.to_owned());
        }
        if let Some(arn) = KeyArn::parse(text) {
            return Self::Key(arn);
        }
        if is_key_id(text) {
            return Self::Key(KeyArn {
                region: region.clone(),
                account: account.clone(),
                id: text.to_owned(),
            });
        }
        Self::Strange(text.to_owned())
    }

    /// The key that can be named in policies.
    pub fn key(&self) -> Option<&KeyArn> {
        match self {
            Self::Key(key) => Some(key),
            Self::Default | Self::Alias(_) | Self::Strange(_) => None,
        }
    }
}

impl PipelineDocument {
    /// The artifact store for actions of a region; `account`: the pipeline's. `artifactStores` has one for each region,
    /// `artifactStore` is that of the pipeline's own (api: PipelineDeclaration). None where there is none, or none with a bucket.
    pub fn artifact_store(&self, region: &Region, account: &AccountId) -> Option<ArtifactStore> {
        let document = self.as_json();
        let of_region = document
            .get("artifactStores")
            .and_then(|stores| stores.get(region.as_str()));
        let store = of_region.or_else(|| document.get("artifactStore"))?;
        ArtifactStore::parse(store, region, account)
    }

    /// All artifact stores; `home`, `account`: the pipeline's.
    pub fn artifact_stores(&self, home: &Region, account: &AccountId) -> Vec<ArtifactStore> {
        let document = self.as_json();
        let own = document
            .get("artifactStore")
            .map(|store| (home.clone(), store));
        let of_regions = document.get("artifactStores").and_then(Value::as_object);
        let of_regions = of_regions
            .into_iter()
            .flatten()
            .filter_map(|(region, store)| Some((Region::new(region).ok()?, store)));
        own.into_iter()
            .chain(of_regions)
            .filter_map(|(region, store)| ArtifactStore::parse(store, &region, account))
            .collect()
    }
}

impl ArtifactStore {
    fn parse(store: &Value, region: &Region, account: &AccountId) -> Option<Self> {
        let key = match store.pointer("/encryptionKey/id").and_then(Value::as_str) {
            None => StoreKey::Default,
            Some(id) => StoreKey::parse(id, region, account),
        };
        Some(Self {
            bucket: BucketName::new(store.get("location")?.as_str()?)?,
            region: region.clone(),
            key,
        })
    }
}

/// Something of an artifact store that has a policy of its own, with the account whose credentials reach it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyHolder {
    /// The bucket, which is taken to be the pipeline's account's: S3 refuses calls that expect another owner.
    Bucket {
        /// The account.
        account: AccountName,
        /// The bucket's region.
        region: Region,
        /// The bucket.
        bucket: BucketName,
    },
    /// The key.
    Key {
        /// The account.
        account: AccountName,
        /// The key.
        key: KeyArn,
    },
}

impl PolicyHolder {
    /// The account with whose credentials it is read and written.
    pub fn account(&self) -> &AccountName {
        match self {
            Self::Bucket { account, .. } | Self::Key { account, .. } => account,
        }
    }

    /// Its region.
    pub fn region(&self) -> &Region {
        match self {
            Self::Bucket { region, .. } => region,
            Self::Key { key, .. } => &key.region,
        }
    }

    /// The bucket's name, or the key's id.
    pub fn name(&self) -> &str {
        match self {
            Self::Bucket { bucket, .. } => bucket.as_str(),
            Self::Key { key, .. } => &key.id,
        }
    }

    /// The question for its policy.
    pub fn read(&self) -> Read {
        match self {
            Self::Bucket { region, bucket, .. } => Read::BucketPolicy {
                region: region.clone(),
                bucket: bucket.clone(),
            },
            Self::Key { key, .. } => Read::KeyPolicy { key: key.clone() },
        }
    }

    /// The most bytes of its policy: 20 KB for a bucket (S3 user guide, "Bucket policies"), 32 KB for a key (api: PutKeyPolicy).
    pub fn limit(&self) -> usize {
        match self {
            Self::Bucket { .. } => 20 * 1024,
            Self::Key { .. } => 32 * 1024,
        }
    }
}

impl fmt::Display for PolicyHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucket {
                account, bucket, ..
            } => write!(f, "bucket {bucket} in account {account}"),
            Self::Key { account, key } => write!(f, "key {key} in account {account}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(stores: &Value) -> PipelineDocument {
        let mut pipeline = json!({"name": "P", "roleArn": "arn:aws:iam::111111111111:role/S",
            "stages": [{"name": "Source", "actions": [{"name": "A"}]}]});
        let top = pipeline.as_object_mut().unwrap();
        top.extend(stores.as_object().unwrap().clone());
        PipelineDocument::parse(&pipeline.to_string()).unwrap()
    }

    fn store(stores: &Value, region: &str) -> Option<ArtifactStore> {
        document(stores).artifact_store(
            &Region::new(region).unwrap(),
            &AccountId::new("111111111111").unwrap(),
        )
    }

    #[test]
    fn a_key_is_named_by_arn_or_id_and_an_alias_is_none() {
        let arn = "arn:aws:kms:us-east-1:111111111111:key/2222-33";
        for (id, key) in [
            (arn, StoreKey::Key(KeyArn::parse(arn).unwrap())),
            ("2222-33", StoreKey::Key(KeyArn::parse(arn).unwrap())),
            ("alias/x", StoreKey::Alias("alias/x".to_owned())),
            ("a b", StoreKey::Strange("a b".to_owned())),
        ] {
            let stores = json!({"artifactStore": {"type": "S3", "location": "bucket",
                "encryptionKey": {"type": "KMS", "id": id}}});
            assert_eq!(store(&stores, "us-east-1").unwrap().key, key);
        }
        let alias = "arn:aws:kms:us-east-1:111111111111:alias/x";
        assert_eq!(KeyArn::parse(alias), None);
        assert_eq!(KeyArn::parse(arn).unwrap().to_string(), arn);
    }

    #[test]
    fn each_region_has_its_own_store() {
        let stores = json!({"artifactStores": {"us-east-1": {"location": "east"}, "eu-west-1": {"location": "west"}}});
        let found = store(&stores, "eu-west-1").unwrap();
        assert_eq!(found.bucket.as_str(), "west");
        assert_eq!(found.key, StoreKey::Default);
        assert_eq!(store(&stores, "us-west-2"), None);
        let bad = json!({"artifactStore": {"location": "not/a bucket"}});
        assert_eq!(store(&bad, "us-east-1"), None);
    }

    #[test]
    fn all_stores_are_those_of_regions_and_the_pipelines_own() {
        let all = |stores: &Value| -> Vec<(String, String)> {
            let home = Region::new("us-east-1").unwrap();
            let account = AccountId::new("111111111111").unwrap();
            let stores = document(stores).artifact_stores(&home, &account);
            let names = stores
                .iter()
                .map(|s| (s.region.to_string(), s.bucket.to_string()));
            names.collect()
        };
        let pair = |region: &str, bucket: &str| (region.to_owned(), bucket.to_owned());
        let own = json!({"artifactStore": {"location": "own"}});
        assert_eq!(all(&own), [pair("us-east-1", "own")]);
        let many = json!({"artifactStores": {"us-east-1": {"location": "east"}, "nowhere": {"location": "no"},
            "eu-west-1": {"location": "west"}, "us-west-2": {"location": "a/b"}}});
        assert_eq!(
            all(&many),
            [pair("us-east-1", "east"), pair("eu-west-1", "west")]
        );
        assert_eq!(all(&json!({})), []);
    }
}
