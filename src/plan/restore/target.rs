//! A saved pipeline document and the pipeline that it is of: account, region and name, from what the file says of itself.
//! It reads no file: name and text are given. What is not said is asked for, never guessed.
//!
//! The document itself names the pipeline and, by its service role, the account: a pipeline's service role is one of its own
//! account. The region stands in a backup's file name, and in the `metadata.pipelineArn` of what `aws codepipeline get-pipeline`
//! prints. Where both are missing, a pipeline of the manifest may tell, or a flag.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use thiserror::Error;

use crate::model::account::{AccountError, AccountId, AccountName, Region};
use crate::model::name::{NameError, PipelineName};
use crate::model::pipeline::{PipelineDocument, PipelineError};
use crate::model::wiring::{Account, Gate, PipelineKey, Wiring};

/// A saved document, and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The document.
    pub document: PipelineDocument,
}

/// A file that cannot be put back, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Not a pipeline document.
    #[error("it is no saved pipeline document: {0}")]
    NotAPipeline(PipelineError),
    /// The backup of a bucket's or a key's policy.
    #[error("it holds the policy of a bucket or a key, not a pipeline document")]
    Policy,
    /// The pipeline's name could not be one.
    #[error("it is no saved pipeline document: {0}")]
    Name(NameError),
    /// The document is of an account that the manifest does not name.
    #[error(
        "the pipeline's service role is in account {0}, and the manifest has no account of that id"
    )]
    UnknownAccount(AccountId),
    /// Two parts of the file, or file and manifest, name different accounts.
    #[error("{what} says account {said}, but the pipeline's service role is in account {id}")]
    OtherAccount {
        /// What says so.
        what: String,
        /// The account that it says.
        said: AccountId,
        /// The account of the service role.
        id: AccountId,
    },
    /// `--region` is no region.
    #[error("--region: {0}")]
    NoRegion(AccountError),
    /// `--region` and the file differ.
    #[error("--region says {asked}, but {what} says {said}")]
    OtherRegion {
        /// What the command line says.
        asked: Region,
        /// What says otherwise.
        what: String,
        /// What it says.
        said: Region,
    },
    /// Nothing says the region.
    #[error("nothing says in which region pipeline {0} is")]
    RegionUnknown(PipelineName),
}

impl TargetError {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::NotAPipeline(_) | Self::Name(_) => {
                "name a file of .crossgate/backup beside the manifest, or what `aws codepipeline get-pipeline` printed".to_owned()
            }
            Self::Policy => {
                "put it back with `aws s3api put-bucket-policy` or `aws kms put-key-policy`: restore is for pipelines".to_owned()
            }
            Self::UnknownAccount(id) => format!(
                "use the manifest that the file was saved beside, or add `[accounts.NAME]` with `id = \"{id}\"` to this one"
            ),
            Self::OtherAccount { .. } => {
                "if the manifest's id of the account is right, the file is of another pipeline: nothing was read or changed".to_owned()
            }
            Self::NoRegion(_) => "name the pipeline's region, for example --region us-east-1".to_owned(),
            Self::OtherRegion { .. } => "leave --region out: the file says where its pipeline is".to_owned(),
            Self::RegionUnknown(_) => {
                "give the file its name back (ACCOUNT.REGION.PIPELINE.vN.SECONDS.json), or name the region with --region".to_owned()
            }
        }
    }
}

/// Reads a saved document and finds the pipeline that it is of. `file`: the file's name without its folder; `region`: what the
/// command line says. `wiring` names all accounts of the manifest.
pub fn target(
    file: &str,
    text: &str,
    region: Option<&str>,
    wiring: &Wiring,
) -> Result<Saved, TargetError> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    if value.get("Statement").is_some() || (value.is_null() && text.trim() == "null") {
        return Err(TargetError::Policy);
    }
    let document = PipelineDocument::parse(text).map_err(TargetError::NotAPipeline)?;
    let role = document.role_arn().map_err(TargetError::NotAPipeline)?;
    let name = PipelineName::new(document.name()).map_err(TargetError::Name)?;
    let named = Named::of(file, &name);
    let arn = value.pointer("/metadata/pipelineArn");
    let arn = arn.and_then(Value::as_str).and_then(by_arn);
    let account = account(
        &role.account,
        named.as_ref(),
        arn.as_ref(),
        &wiring.accounts,
    )?;
    let asked = region.map(Region::new).transpose();
    let asked = asked.map_err(TargetError::NoRegion)?;
    let said = match (arn, named) {
        (Some((region, _)), _) => Some(("the file's pipelineArn", region)),
        (None, Some(named)) => Some(("the file's name", named.region)),
        (None, None) => None,
    };
    let region = match (asked, said) {
        (Some(asked), Some((what, said))) if asked != said => {
            return Err(TargetError::OtherRegion {
                asked,
                what: what.to_owned(),
                said,
            });
        }
        (Some(region), _) | (None, Some((_, region))) => region,
        (None, None) => of_manifest(&account, &name, &wiring.gates)
            .ok_or_else(|| TargetError::RegionUnknown(name.clone()))?,
    };
    let pipeline = PipelineKey {
        account,
        region,
        name,
    };
    Ok(Saved { pipeline, document })
}

/// What a backup's file name says: `ACCOUNT.REGION.PIPELINE.vN.SECONDS.json`.
struct Named {
    account: AccountName,
    region: Region,
}

impl Named {
    fn of(file: &str, pipeline: &PipelineName) -> Option<Self> {
        let (before, _) = file.split_once(&format!(".{pipeline}.v"))?;
        let (account, region) = before.split_once('.')?;
        Some(Self {
            account: AccountName::new(account).ok()?,
            region: Region::new(region).ok()?,
        })
    }
}

/// Region and account of `arn:PARTITION:codepipeline:REGION:ACCOUNT:NAME`.
fn by_arn(text: &str) -> Option<(Region, AccountId)> {
    let mut fields = text.splitn(6, ':').skip(2);
    let service = fields.next()?;
    let (region, account) = (fields.next()?, fields.next()?);
    let region = Region::new(region)
        .ok()
        .filter(|_| service == "codepipeline")?;
    Some((region, AccountId::new(account).ok()?))
}

fn account(
    id: &AccountId,
    named: Option<&Named>,
    arn: Option<&(Region, AccountId)>,
    accounts: &BTreeMap<AccountName, Account>,
) -> Result<AccountName, TargetError> {
    let by_name = named.and_then(|named| {
        let account = accounts.get(&named.account)?;
        let what = format!(
            "account `{}` of the manifest, which the file is named after,",
            named.account
        );
        Some((what, account.id.clone()))
    });
    let by_arn = arn.map(|(_, id)| ("the file's pipelineArn".to_owned(), id.clone()));
    for (what, said) in by_name.into_iter().chain(by_arn) {
        if said != *id {
            let id = id.clone();
            return Err(TargetError::OtherAccount { what, said, id });
        }
    }
    let mut known = accounts.iter();
    let found = known.find(|(_, account)| account.id == *id);
    found
        .map(|(name, _)| name.clone())
        .ok_or_else(|| TargetError::UnknownAccount(id.clone()))
}

/// The region in which the manifest has a pipeline of that name, where it is one.
fn of_manifest(account: &AccountName, name: &PipelineName, gates: &[Gate]) -> Option<Region> {
    let here = gates.iter().map(|gate| &gate.pipeline);
    let here = here.filter(|key| key.account == *account && key.name == *name);
    let regions: BTreeSet<&Region> = here.map(|key| &key.region).collect();
    let only = regions.first().filter(|_| regions.len() == 1);
    only.map(|region| (*region).clone())
}
