//! Two accounts in memory behind the seam `Cloud`, for tests of plan and apply: what AWS keeps, and nothing of how it is spoken to.
//! Test code only.

pub(crate) mod random;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::apply::{Backup, Timing, Tools, apply};
use crate::cloud::{Cloud, CloudError, CloudErrorKind};
use crate::config;
use crate::desired;
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::arn::RoleArn;
use crate::model::artifact::PolicyHolder;
use crate::model::change::{Intent, Plan, Report};
use crate::model::function::{ExecutionRole, FunctionSettings, FunctionSpec, Package, Variables};
use crate::model::json;
use crate::model::name::{FunctionName, GateName, PipelineName, Project, RoleName};
use crate::model::observed::Observed;
use crate::model::pipeline::PipelineDocument;
use crate::model::progress::Silent;
use crate::model::read::{
    AttachedPolicy, CallerIdentity, ControlKind, Fact, Function, InlinePolicy, Listed,
    ListedFunction, NamedControlPolicy, Organization, Read, Role, RoleDetail,
};
use crate::model::wiring::{PipelineKey, Wiring};
use crate::model::write::{NewRole, Write, Written};
use crate::observe::observe;
use crate::plan::{self, Options};

/// A role with all that hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorldRole {
    pub(crate) role: Role,
    pub(crate) inline: BTreeMap<String, String>,
    pub(crate) attached: Vec<AttachedPolicy>,
}

/// What an account holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorldAccount {
    pub(crate) id: String,
    pub(crate) roles: BTreeMap<String, WorldRole>,
    /// By region and name.
    pub(crate) functions: BTreeMap<(String, String), Function>,
    pub(crate) pipelines: BTreeMap<(String, String), Value>,
    /// Managed policies by ARN: the default version, and the texts by version.
    pub(crate) managed: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// The policies of functions, by region and `NAME` or `NAME:QUALIFIER`.
    pub(crate) function_policies: BTreeMap<(String, String), String>,
    /// Reserved concurrency by region and name.
    pub(crate) reserved: BTreeMap<(String, String), i32>,
    /// The policies of buckets by name and of keys by id. A bucket without a policy is not in here; a key always is.
    pub(crate) buckets: BTreeMap<String, String>,
    pub(crate) keys: BTreeMap<String, String>,
    /// What runs there has left behind: answers to reads of executions and logs, by the read's operation.
    pub(crate) left: BTreeMap<&'static str, Fact>,
}

impl WorldAccount {
    /// The answer that a test has laid down; else that there is nothing.
    fn told(&self, read: &Read) -> Fact {
        let nothing = match read {
            Read::PipelineState { .. } => Fact::PipelineState(None),
            Read::PipelineExecutions { .. } => Fact::PipelineExecutions(None),
            Read::ActionExecutions { .. } => Fact::ActionExecutions(None),
            Read::FunctionInvokeConfig { .. } => Fact::FunctionInvokeConfig(None),
            _ => Fact::LogEvents(None),
        };
        let mut told = self.left.get(read.operation()).cloned().unwrap_or(nothing);
        if let (
            Read::ActionExecutions {
                execution: Some(id),
                ..
            },
            Fact::ActionExecutions(Some(actions)),
        ) = (read, &mut told)
        {
            actions.retain(|one| one.execution.as_ref() == Some(id));
        }
        told
    }
}

/// An organization, as its management account sees it; other accounts see that they are in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorldOrganization {
    pub(crate) management: String,
    /// The parent of an account or a unit.
    pub(crate) parents: BTreeMap<String, String>,
    /// What is attached to a root, a unit or an account: names, which are ids too, and texts.
    pub(crate) attached: BTreeMap<(String, ControlKind), BTreeMap<String, String>>,
}

/// All accounts, and a record of the calls.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) accounts: RefCell<BTreeMap<String, WorldAccount>>,
    pub(crate) reads: RefCell<Vec<(String, Read)>>,
    pub(crate) writes: RefCell<Vec<(String, String)>>,
    /// Rounds of reads that depend on each other.
    pub(crate) rounds: Cell<usize>,
    /// The call (counted from 0, reads and writes) from which on everything fails; whether the failing call has its effect.
    pub(crate) stop_at: Cell<Option<(usize, bool)>>,
    /// Accounts without credentials.
    pub(crate) closed: RefCell<Vec<String>>,
    /// A read that is refused.
    pub(crate) refused: RefCell<Option<&'static str>>,
    /// What IAM's simulator says to everything.
    pub(crate) simulated: RefCell<String>,
    pub(crate) organization: RefCell<Option<WorldOrganization>>,
    /// How often a function is answered as under way after a change of it.
    pub(crate) pending: Cell<usize>,
    /// Why every change of a function fails behind Lambda's answer.
    pub(crate) unready: RefCell<Option<String>>,
    /// Pipelines as they were, by account, region and name: what GetPipeline answers for an earlier version.
    pub(crate) earlier: RefCell<Vec<(String, String, String, Value)>>,
    calls: Cell<usize>,
}

pub(crate) const MANIFEST: &str = r#"
project = "checkout"
[accounts.tools]
id = "111111111111"
profile = "tools"
[accounts.dev]
id = "222222222222"
profile = "dev"
[[gates]]
name = "validate"
[gates.pipeline]
account = "tools"
region = "us-east-1"
name = "MyPipeline"
stage = "Gate"
action = "RunValidation"
after = "Deploy"
[gates.function]
account = "dev"
name = "MyFunction"
"#;

/// A trust policy of a service, as people write it.
pub(crate) fn service_trust(service: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Service": service}, "Action": "sts:AssumeRole"}})
    .to_string()
}

/// A pipeline of three stages with a field that nobody knows.
pub(crate) fn pipeline(name: &str, role: &str) -> Value {
    let action = |name: &str, category: &str, provider: &str| {
        json!({"name": name, "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
            "runOrder": 1, "configuration": {"X": "y"}, "inputArtifacts": [], "outputArtifacts": []})
    };
    json!({
        "name": name,
        "roleArn": format!("arn:aws:iam::111111111111:role/{role}"),
        "artifactStore": {"type": "S3", "location": "bucket"},
        "stages": [
            {"name": "Source", "actions": [action("Src", "Source", "S3")]},
            {"name": "Deploy", "actions": [action("Dep", "Deploy", "S3")]},
            {"name": "Prod", "actions": [action("Prod", "Deploy", "S3")]},
        ],
        "version": 3,
        "aFieldOfTomorrow": {"n": 1.50},
    })
}

/// A function as somebody made it.
pub(crate) fn function(region: &str, account: &str, name: &str, role: RoleArn) -> Function {
    Function {
        arn: format!("arn:aws:lambda:{region}:{account}:function:{name}"),
        role,
        state: Some("Active".to_owned()),
        state_reason: None,
        last_update_status: Some("Successful".to_owned()),
        last_update_reason: None,
        timeout_seconds: Some(3),
        package_type: Some("Zip".to_owned()),
        memory_mb: Some(128),
        runtime: Some("python3.13".to_owned()),
        handler: Some("index.handler".to_owned()),
        code_sha256: Some("c29tZWJvZHkncw==".to_owned()),
        last_modified: Some("2026-11-22T15:04:05.000+0000".to_owned()),
        dead_letter_arn: None,
        environment: Some(Variables::default()),
        log_group: None,
        tags: None,
    }
}

/// A package; what stands for its files makes its hash.
pub(crate) fn package(content: &str) -> Package {
    Package {
        zip: content.as_bytes().into(),
        sha256: format!("sha256 of {content}"),
        files: 1,
        unzipped: 2,
    }
}

impl World {
    /// The accounts of [`MANIFEST`], unwired.
    pub(crate) fn new() -> Self {
        let world = Self::default();
        for (name, id) in [("tools", "111111111111"), ("dev", "222222222222")] {
            world.accounts.borrow_mut().insert(
                name.to_owned(),
                WorldAccount {
                    id: id.to_owned(),
                    roles: BTreeMap::new(),
                    functions: BTreeMap::new(),
                    pipelines: BTreeMap::new(),
                    managed: BTreeMap::new(),
                    function_policies: BTreeMap::new(),
                    reserved: BTreeMap::new(),
                    buckets: BTreeMap::new(),
                    keys: BTreeMap::new(),
                    left: BTreeMap::new(),
                },
            );
        }
        world.add_role(
            "tools",
            "ServiceRole",
            &service_trust("codepipeline.amazonaws.com"),
        );
        world.add_role(
            "dev",
            "ExecutionRole",
            &service_trust("lambda.amazonaws.com"),
        );
        world.put_inline(
            "tools",
            "ServiceRole",
            "own",
            r#"{"Version":"2012-10-17","Statement":[]}"#,
        );
        world.add_pipeline("MyPipeline", "ServiceRole");
        world.add_function("MyFunction", "ExecutionRole");
        world
    }

    pub(crate) fn edit(&self, account: &str, change: impl FnOnce(&mut WorldAccount)) {
        change(self.accounts.borrow_mut().get_mut(account).unwrap());
    }

    pub(crate) fn edit_role(&self, account: &str, role: &str, change: impl FnOnce(&mut WorldRole)) {
        self.edit(account, |a| change(a.roles.get_mut(role).unwrap()));
    }

    pub(crate) fn add_role(&self, account: &str, name: &str, trust: &str) {
        self.edit(account, |a| {
            let arn = format!("arn:aws:iam::{}:role/{name}", a.id);
            let role = Role {
                arn: RoleArn::parse(&arn).unwrap(),
                trust: trust.to_owned(),
                tags: BTreeMap::new(),
                permissions_boundary: None,
            };
            let role = WorldRole {
                role,
                inline: BTreeMap::new(),
                attached: Vec::new(),
            };
            a.roles.insert(name.to_owned(), role);
        });
    }

    pub(crate) fn put_inline(&self, account: &str, role: &str, policy: &str, document: &str) {
        self.edit_role(account, role, |r| {
            r.inline.insert(policy.to_owned(), document.to_owned());
        });
    }

    pub(crate) fn add_pipeline(&self, name: &str, role: &str) {
        self.edit("tools", |a| {
            let key = ("us-east-1".to_owned(), name.to_owned());
            a.pipelines.insert(key, pipeline(name, role));
        });
    }

    pub(crate) fn edit_pipeline(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.edit("tools", |a| {
            change(
                a.pipelines
                    .get_mut(&("us-east-1".to_owned(), name.to_owned()))
                    .unwrap(),
            );
        });
    }

    pub(crate) fn add_function(&self, name: &str, role: &str) {
        self.edit("dev", |a| {
            let role = a.roles[role].role.arn.clone();
            let function = function("us-east-1", &a.id, name, role);
            a.functions
                .insert(("us-east-1".to_owned(), name.to_owned()), function);
        });
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<String, WorldAccount> {
        self.accounts.borrow().clone()
    }

    /// The snapshot without the versions of pipelines, which only ever grow.
    pub(crate) fn content(&self) -> BTreeMap<String, WorldAccount> {
        let mut accounts = self.snapshot();
        for account in accounts.values_mut() {
            for document in account.pipelines.values_mut() {
                document.as_object_mut().unwrap().remove("version");
            }
        }
        accounts
    }

    fn error(&self, account: &AccountName, operation: &str, kind: CloudErrorKind) -> CloudError {
        let id = self.accounts.borrow()[account.as_str()].id.clone();
        CloudError {
            kind,
            operation: operation.to_owned(),
            account: account.clone(),
            account_id: AccountId::new(&id).unwrap(),
            resource: "it".to_owned(),
            code: Some(format!("{kind:?}")),
            message: "as the test wants it".to_owned(),
            request_id: Some("r-1".to_owned()),
            hint: None,
        }
    }

    /// Whether this call fails, and whether it has its effect all the same.
    fn fate(&self) -> Option<bool> {
        let call = self.calls.get();
        self.calls.set(call + 1);
        match self.stop_at.get() {
            Some((stop, effect)) if call == stop => Some(effect),
            Some((stop, _)) if call > stop => Some(false),
            _ => None,
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.get()
    }

    pub(crate) fn forget_calls(&self) {
        self.calls.set(0);
        self.rounds.set(0);
        self.reads.borrow_mut().clear();
        self.writes.borrow_mut().clear();
    }

    /// Keeps a document that is about to be replaced.
    fn keep(&self, account: &str, (region, name): (&str, &str), document: &Value) {
        let (account, region, name) = (account.to_owned(), region.to_owned(), name.to_owned());
        let mut earlier = self.earlier.borrow_mut();
        earlier.push((account, region, name, document.clone()));
    }

    /// Somebody updates the pipeline of [`MANIFEST`], as UpdatePipeline does it: the version grows, and AWS keeps the one before.
    pub(crate) fn somebody_updates(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.edit_pipeline(name, |document| {
            self.keep("tools", ("us-east-1", name), document);
            let version = document["version"].as_u64().unwrap() + 1;
            change(document);
            document["version"] = json!(version);
        });
    }

    /// The document of a pipeline of the account `tools`, if it is there.
    pub(crate) fn document(&self, name: &str) -> Option<PipelineDocument> {
        let accounts = self.accounts.borrow();
        let key = ("us-east-1".to_owned(), name.to_owned());
        let found = accounts["tools"].pipelines.get(&key)?;
        Some(PipelineDocument::parse(&found.to_string()).unwrap())
    }

    fn earlier(
        &self,
        account: &str,
        region: &Region,
        name: &PipelineName,
        asked: u64,
    ) -> Option<Box<PipelineDocument>> {
        let accounts = self.accounts.borrow();
        let key = (region.to_string(), name.to_string());
        let newest = accounts[account].pipelines.get(&key)?;
        let earlier = self.earlier.borrow();
        let here = earlier.iter().rev().filter(|(of, region, name, _)| {
            (of.as_str(), region, name) == (account, &key.0, &key.1)
        });
        let mut all = std::iter::once(newest).chain(here.map(|(_, _, _, document)| document));
        let found = all.find(|document| document["version"] == json!(asked))?;
        Some(Box::new(
            PipelineDocument::parse(&found.to_string()).unwrap(),
        ))
    }

    fn answer(&self, account: &AccountName, read: &Read) -> Fact {
        if let Read::PipelineVersion {
            region,
            name,
            version,
        } = read
        {
            return Fact::PipelineVersion(self.earlier(account.as_str(), region, name, *version));
        }
        let accounts = self.accounts.borrow();
        let account = &accounts[account.as_str()];
        let role = |name: &RoleName| account.roles.get(name.as_str());
        match read {
            Read::CallerIdentity => Fact::CallerIdentity(CallerIdentity {
                account: AccountId::new(&account.id).unwrap(),
                arn: format!("arn:aws:iam::{}:user/me", account.id),
            }),
            Read::Pipeline { region, name } => {
                let key = (region.to_string(), name.to_string());
                let found = account.pipelines.get(&key).map(|document| {
                    Box::new(PipelineDocument::parse(&document.to_string()).unwrap())
                });
                Fact::Pipeline(found)
            }
            Read::Function { region, name } => {
                let key = (region.to_string(), name.to_string());
                let found = account.functions.get(&key).cloned();
                Fact::Function(found.map(|found| Box::new(self.under_way(found))))
            }
            Read::TaggedFunction { region, name } => {
                let key = (region.to_string(), name.to_string());
                Fact::TaggedFunction(account.functions.get(&key).cloned().map(Box::new))
            }
            Read::Pipelines { region } => Fact::Pipelines(listed(account.pipelines.keys(), region)),
            Read::Functions { region } => Fact::Functions(listed_functions(account, region)),
            Read::Roles => Fact::Roles(roles_of(account)),
            Read::Role { role: name } => Fact::Role(role(name).map(|r| Box::new(r.role.clone()))),
            Read::InlinePolicyNames { role: name } => {
                Fact::InlinePolicyNames(role(name).map(|r| r.inline.keys().cloned().collect()))
            }
            Read::AttachedPolicies { role: name } => {
                Fact::AttachedPolicies(role(name).map(|r| r.attached.clone()))
            }
            Read::InlinePolicy { role: name, policy } => {
                Fact::InlinePolicy(match role(name).map(|r| r.inline.get(policy)) {
                    None => InlinePolicy::NoRole,
                    Some(None) => InlinePolicy::Absent,
                    Some(Some(text)) => InlinePolicy::Present(text.clone()),
                })
            }
            Read::ManagedPolicy { arn } => {
                let found = account.managed.get(arn);
                Fact::ManagedPolicy(found.map(|(version, _)| version.clone()))
            }
            Read::ManagedPolicyVersion { arn, version } => {
                let found = account.managed.get(arn);
                Fact::ManagedPolicyVersion(found.and_then(|(_, all)| all.get(version).cloned()))
            }
            Read::FunctionVersion { region, name, .. } => {
                let key = (region.to_string(), name.to_string());
                Fact::FunctionVersion(account.functions.get(&key).cloned().map(Box::new))
            }
            Read::FunctionPolicy {
                region,
                name,
                qualifier,
            } => {
                let name = match qualifier {
                    Some(qualifier) => format!("{name}:{qualifier}"),
                    None => name.to_string(),
                };
                let found = account.function_policies.get(&(region.to_string(), name));
                Fact::FunctionPolicy(found.cloned())
            }
            Read::FunctionConcurrency { region, name } => {
                let key = (region.to_string(), name.to_string());
                Fact::FunctionConcurrency(account.reserved.get(&key).copied())
            }
            Read::Simulation { .. } => Fact::Simulation(self.simulated.borrow().clone()),
            Read::BucketPolicy { bucket, .. } => {
                Fact::BucketPolicy(account.buckets.get(bucket.as_str()).cloned())
            }
            Read::KeyPolicy { key } => Fact::KeyPolicy(account.keys.get(&key.id).cloned()),
            Read::PipelineState { .. }
            | Read::PipelineVersion { .. }
            | Read::PipelineExecutions { .. }
            | Read::ActionExecutions { .. }
            | Read::FunctionInvokeConfig { .. }
            | Read::LogEvents { .. } => account.told(read),
            Read::Organization
            | Read::OrganizationParent { .. }
            | Read::ControlPolicies { .. }
            | Read::ControlPolicy { .. } => self.organized(&account.id, read),
        }
    }

    /// A function as GetFunctionConfiguration answers it.
    fn under_way(&self, found: Function) -> Function {
        let left = self.pending.get();
        self.pending.set(left.saturating_sub(1));
        let (status, why) = match (left, self.unready.borrow().clone()) {
            (0, None) => {
                return Function {
                    tags: None,
                    ..found
                };
            }
            (0, why) => ("Failed", why),
            _ => ("InProgress", None),
        };
        Function {
            last_update_status: Some(status.to_owned()),
            last_update_reason: why,
            tags: None,
            ..found
        }
    }

    fn organized(&self, caller: &str, read: &Read) -> Fact {
        let organization = self.organization.borrow();
        let found = organization
            .as_ref()
            .filter(|o| o.management == caller || o.parents.contains_key(caller));
        match read {
            Read::OrganizationParent { child } => {
                Fact::OrganizationParent(found.and_then(|o| o.parents.get(child).cloned()))
            }
            Read::ControlPolicies { target, kind } => Fact::ControlPolicies(found.map(|o| {
                let attached = o.attached.get(&(target.clone(), *kind));
                let ids = attached.into_iter().flat_map(BTreeMap::keys).cloned();
                ids.map(|id| NamedControlPolicy {
                    name: id.clone(),
                    id,
                })
                .collect()
            })),
            Read::ControlPolicy { id } => {
                let mut attached = found.into_iter().flat_map(|o| o.attached.values());
                Fact::ControlPolicy(attached.find_map(|texts| texts.get(id).cloned()))
            }
            _ => Fact::Organization(found.map(|o| Organization {
                id: "o-exampleorg".to_owned(),
                management: AccountId::new(&o.management).unwrap(),
            })),
        }
    }

    fn carry_out(&self, account: &AccountName, write: &Write) -> Result<Written, CloudErrorKind> {
        let mut accounts = self.accounts.borrow_mut();
        let whose = account.as_str();
        let account = accounts.get_mut(whose).unwrap();
        match write {
            Write::CreateRole(new) => create_role(account, new),
            Write::UpdatePipeline {
                region,
                name,
                document,
            } => {
                let key = (region.to_string(), name.to_string());
                let slot = account
                    .pipelines
                    .get_mut(&key)
                    .ok_or(CloudErrorKind::NotFound)?;
                self.keep(whose, (region.as_str(), name.as_str()), slot);
                let version = slot["version"].as_u64().unwrap() + 1;
                let body = json::parse(&document.to_request_body()).unwrap();
                *slot = body["pipeline"].clone();
                slot["version"] = json!(version);
                Ok(Written::Pipeline {
                    version: Some(version),
                })
            }
            Write::DeleteRole { role } => match account.roles.get(role.as_str()) {
                None => Ok(Written::AlreadyThere),
                Some(r) if !r.inline.is_empty() || !r.attached.is_empty() => {
                    Err(CloudErrorKind::Conflict)
                }
                Some(_) => {
                    account.roles.remove(role.as_str());
                    Ok(Written::Done)
                }
            },
            Write::PutBucketPolicy {
                bucket, document, ..
            } => {
                account.buckets.insert(bucket.to_string(), document.clone());
                Ok(Written::Done)
            }
            Write::DeleteBucketPolicy { bucket, .. } => {
                account.buckets.remove(bucket.as_str());
                Ok(Written::Done)
            }
            Write::PutKeyPolicy { key, document } => {
                let slot = account.keys.get_mut(&key.id);
                slot.ok_or(CloudErrorKind::NotFound)?.clone_from(document);
                Ok(Written::Done)
            }
            Write::CreateFunction { .. }
            | Write::UpdateFunctionCode { .. }
            | Write::UpdateFunctionConfiguration { .. }
            | Write::TagFunction { .. }
            | Write::DeleteFunction { .. } => change_function(account, write),
            Write::UpdateTrustPolicy { role, .. }
            | Write::TagRole { role, .. }
            | Write::UntagRole { role, .. }
            | Write::PutPermissionsBoundary { role, .. }
            | Write::DeletePermissionsBoundary { role }
            | Write::PutInlinePolicy { role, .. }
            | Write::DeleteInlinePolicy { role, .. }
            | Write::DetachPolicy { role, .. } => {
                let found = account.roles.get_mut(role.as_str());
                change_role(found.ok_or(CloudErrorKind::NotFound)?, write)
            }
        }
    }
}

fn create_role(account: &mut WorldAccount, new: &NewRole) -> Result<Written, CloudErrorKind> {
    if account.roles.contains_key(new.name.as_str()) {
        return Err(CloudErrorKind::Conflict);
    }
    let arn = format!("arn:aws:iam::{}:role{}{}", account.id, new.path, new.name);
    let role = Role {
        arn: RoleArn::parse(&arn).unwrap(),
        trust: new.trust.to_string(),
        tags: new.tags.clone(),
        permissions_boundary: new.permissions_boundary.clone(),
    };
    let role = WorldRole {
        role,
        inline: BTreeMap::new(),
        attached: Vec::new(),
    };
    account.roles.insert(new.name.to_string(), role);
    Ok(Written::Done)
}

/// Functions, as Lambda keeps them; a role that is not there, or does not trust Lambda, is refused.
fn change_function(account: &mut WorldAccount, write: &Write) -> Result<Written, CloudErrorKind> {
    let id = account.id.clone();
    match write {
        Write::CreateFunction { region, new } => {
            if found(account, region, &new.name).is_ok() {
                return Err(CloudErrorKind::Conflict);
            }
            assumable(account, &new.settings)?;
            let mut made = function(
                region.as_str(),
                &id,
                new.name.as_str(),
                new.settings.role.clone(),
            );
            configure(&mut made, &new.settings);
            made.code_sha256 = Some(new.package.sha256.clone());
            made.tags = Some(new.tags.clone());
            let key = (region.to_string(), new.name.to_string());
            account.functions.insert(key, made);
        }
        Write::UpdateFunctionCode {
            region,
            name,
            package,
        } => found(account, region, name)?.code_sha256 = Some(package.sha256.clone()),
        Write::UpdateFunctionConfiguration {
            region,
            name,
            settings,
        } => {
            assumable(account, settings)?;
            configure(found(account, region, name)?, settings);
        }
        Write::TagFunction { function, tags } => {
            let found = found(account, &function.region, &function.name)?;
            found
                .tags
                .get_or_insert_with(BTreeMap::new)
                .extend(tags.clone());
        }
        Write::DeleteFunction { region, name } => {
            let key = (region.to_string(), name.to_string());
            if account.functions.remove(&key).is_none() {
                return Ok(Written::AlreadyThere);
            }
        }
        _ => return Err(CloudErrorKind::Invalid),
    }
    Ok(Written::Done)
}

fn found<'a>(
    account: &'a mut WorldAccount,
    region: &Region,
    name: &FunctionName,
) -> Result<&'a mut Function, CloudErrorKind> {
    let key = (region.to_string(), name.to_string());
    let slot = account.functions.get_mut(&key);
    slot.ok_or(CloudErrorKind::NotFound)
}

fn configure(function: &mut Function, settings: &FunctionSettings) {
    function.runtime = Some(settings.runtime.clone());
    function.handler = Some(settings.handler.clone());
    function.timeout_seconds = i32::try_from(settings.timeout_seconds).ok();
    function.memory_mb = i32::try_from(settings.memory_mb).ok();
    function.environment = Some(settings.environment.clone());
    function.role = settings.role.clone();
}

fn assumable(account: &WorldAccount, settings: &FunctionSettings) -> Result<(), CloudErrorKind> {
    let role = account.roles.get(settings.role.name.as_str());
    match role {
        Some(role) if role.role.trust.contains("lambda.amazonaws.com") => Ok(()),
        _ => Err(CloudErrorKind::Invalid),
    }
}

fn change_role(role: &mut WorldRole, write: &Write) -> Result<Written, CloudErrorKind> {
    match write {
        Write::UpdateTrustPolicy { document, .. } => role.role.trust = document.to_string(),
        Write::TagRole { tags, .. } => role.role.tags.extend(tags.clone()),
        Write::UntagRole { keys, .. } => role.role.tags.retain(|key, _| !keys.contains(key)),
        Write::PutPermissionsBoundary { policy_arn, .. } => {
            role.role.permissions_boundary = Some(policy_arn.clone());
        }
        Write::DeletePermissionsBoundary { .. } => role.role.permissions_boundary = None,
        Write::PutInlinePolicy {
            policy, document, ..
        } => {
            role.inline.insert(policy.to_string(), document.to_string());
        }
        Write::DeleteInlinePolicy { policy, .. } => {
            if role.inline.remove(policy).is_none() {
                return Ok(Written::AlreadyThere);
            }
        }
        Write::DetachPolicy { policy_arn, .. } => role.attached.retain(|p| p.arn != *policy_arn),
        _ => return Err(CloudErrorKind::Invalid),
    }
    Ok(Written::Done)
}

impl Cloud for World {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        self.reads
            .borrow_mut()
            .push((account.to_string(), read.clone()));
        let fail = |kind| Err(self.error(account, read.operation(), kind));
        if self.fate().is_some() {
            return fail(CloudErrorKind::Unreachable);
        }
        if self.closed.borrow().iter().any(|a| a == account.as_str()) {
            return fail(CloudErrorKind::Credentials);
        }
        if *self.refused.borrow() == Some(read.operation()) {
            return fail(CloudErrorKind::AccessDenied);
        }
        Ok(self.answer(account, read))
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        let fail = |kind| Err(self.error(account, write.operation(), kind));
        self.writes.borrow_mut().push((
            account.to_string(),
            format!("{} {write}", write.operation()),
        ));
        let fate = self.fate();
        if fate == Some(false) {
            return fail(CloudErrorKind::Unreachable);
        }
        let written = self.carry_out(account, write);
        if fate == Some(true) {
            return fail(CloudErrorKind::Unreachable);
        }
        written.or_else(fail)
    }
}

/// Nothing is waited for, and chance is fixed.
pub(crate) struct NoTime;

impl Timing for NoTime {
    async fn sleep(&self, _: Duration) {}
    fn chance(&self) -> f64 {
        0.5
    }
    fn is_interrupted(&self) -> bool {
        false
    }
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// Keeps backups in memory.
#[derive(Default)]
pub(crate) struct Shelf(pub(crate) RefCell<Vec<PipelineDocument>>);

impl Backup for Shelf {
    fn save(&self, _: &PipelineKey, document: &PipelineDocument) -> Result<PathBuf, String> {
        self.0.borrow_mut().push(document.clone());
        Ok(PathBuf::from("shelf"))
    }

    fn save_policy(&self, _: &PolicyHolder, _: Option<&str>) -> Result<PathBuf, String> {
        Ok(PathBuf::from("shelf"))
    }
}

pub(crate) fn wiring(manifest: &str, only: &[&str]) -> Wiring {
    let config = config::from_text(std::path::Path::new("crossgate.toml"), manifest).unwrap();
    let only: Vec<GateName> = only.iter().map(|n| GateName::new(n).unwrap()).collect();
    desired::wiring(&config, &only).unwrap()
}

/// The name of the execution role that is made for the function of [`MANIFEST`].
pub(crate) const MADE_ROLE: &str = "crossgate-checkout-fn-MyFunction";
/// The execution role of [`World::new`].
pub(crate) const NAMED_ROLE: &str = "ExecutionRole";
/// The value of a variable of every function of [`making`].
pub(crate) const SECRET: &str = "hunter2";

/// The wiring of a manifest all of whose functions are made, with a role of that name.
pub(crate) fn making(manifest: &str, only: &[&str], role: &str) -> Wiring {
    let variables = [("MODE", "strict"), ("TOKEN", SECRET)];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let role = if role == MADE_ROLE {
        ExecutionRole::Made(RoleName::new(role).unwrap())
    } else {
        let arn = format!("arn:aws:iam::222222222222:role/{role}");
        ExecutionRole::Existing(RoleArn::parse(&arn).unwrap())
    };
    let spec = FunctionSpec {
        package: package("v1"),
        runtime: "python3.13".to_owned(),
        handler: "validate.handler".to_owned(),
        timeout_seconds: 60,
        memory_mb: 128,
        environment: Variables(variables.into()),
        role,
        tags: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
    };
    let mut wiring = wiring(manifest, only);
    let keys = wiring.gates.iter().map(|gate| gate.function.clone());
    wiring.functions = keys.map(|key| (key, spec.clone())).collect();
    wiring
}

pub(crate) fn options(intent: Intent) -> Options {
    Options {
        intent,
        adopt: false,
        remove_unexpected: false,
        secrets: Vec::new(),
    }
}

/// What is told of a write whose answer is lost.
pub(crate) fn no_answer(account: &AccountName, write: &Write) -> CloudError {
    CloudError {
        kind: CloudErrorKind::Unreachable,
        operation: write.operation().to_owned(),
        account: account.clone(),
        account_id: AccountId::unknown(),
        resource: write.to_string(),
        code: None,
        message: "connection closed".to_owned(),
        request_id: None,
        hint: None,
    }
}

/// Runs a future that never really waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(future)
}

impl World {
    /// A managed policy of one version, attached to the role.
    pub(crate) fn attach(&self, account: &str, role: &str, name: &str, document: &str) -> String {
        let arn = self.add_managed(account, name, document);
        let attached = AttachedPolicy {
            name: name.to_owned(),
            arn: arn.clone(),
        };
        self.edit_role(account, role, |r| r.attached.push(attached));
        arn
    }

    /// A managed policy of one version.
    pub(crate) fn add_managed(&self, account: &str, name: &str, document: &str) -> String {
        let id = self.accounts.borrow()[account].id.clone();
        let arn = format!("arn:aws:iam::{id}:policy/{name}");
        let versions = BTreeMap::from([("v1".to_owned(), document.to_owned())]);
        self.edit(account, |a| {
            a.managed.insert(arn.clone(), ("v1".to_owned(), versions));
        });
        arn
    }

    /// Observes and plans.
    pub(crate) fn plan(&self, wiring: &Wiring, options: &Options) -> Plan {
        let wants = |seen: &Observed| {
            let wanted = plan::wants(wiring, seen, options);
            self.rounds
                .set(self.rounds.get() + usize::from(!wanted.is_empty()));
            wanted
        };
        let observed = block_on(observe(self, wants, 16, &Silent));
        plan::plan(wiring, &observed, options)
    }

    /// Carries out a plan.
    pub(crate) fn apply(&self, plan: &Plan) -> Report {
        let tools = Tools {
            cloud: self,
            timing: &NoTime,
            backup: &Shelf::default(),
            progress: &Silent,
            side_by_side: 8,
        };
        block_on(apply(plan, &tools))
    }

    /// Plans and, where nothing stands in the way, carries out.
    pub(crate) fn run(&self, wiring: &Wiring, options: &Options) -> (Plan, Option<Report>) {
        let plan = self.plan(wiring, options);
        let report = plan.may_apply().then(|| self.apply(&plan));
        (plan, report)
    }
}

/// The names in a region, of keys of region and name.
fn listed<'a>(keys: impl Iterator<Item = &'a (String, String)>, region: &Region) -> Listed {
    let here = keys.filter(|(of, _)| of == region.as_str());
    Listed {
        names: here.map(|(_, name)| name.clone()).collect(),
        functions: Vec::new(),
        complete: true,
    }
}

/// The functions of a region, with what the list says of them.
fn listed_functions(account: &WorldAccount, region: &Region) -> Listed {
    let here = account
        .functions
        .iter()
        .filter(|((of, _), _)| of == region.as_str());
    let one = |((_, name), function): (&(String, String), &Function)| ListedFunction {
        name: name.clone(),
        role: function.role.to_string(),
        description: described(function),
    };
    Listed {
        functions: here.map(one).collect(),
        ..listed(account.functions.keys(), region)
    }
}

/// The line that crossgate gives the functions that it makes.
fn described(function: &Function) -> String {
    let project = function
        .tags
        .as_ref()
        .and_then(|tags| tags.get("crossgate:project"));
    project.map_or_else(String::new, |project| {
        plan::function_description(&Project::new(project).unwrap())
    })
}

fn roles_of(account: &WorldAccount) -> Vec<RoleDetail> {
    let roles = account.roles.values().cloned();
    roles
        .map(
            |WorldRole {
                 role,
                 inline,
                 attached,
             }| RoleDetail {
                role,
                inline,
                attached,
            },
        )
        .collect()
}
