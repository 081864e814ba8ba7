//! Accounts in memory: what a plan is made from, and what becomes of it. Enough of them to wire a fleet.
//! They answer questions and take writes; they refuse nothing and know no rules of AWS.

use std::collections::BTreeMap;

use crossgate::model::account::{AccountId, AccountName};
use crossgate::model::arn::RoleArn;
use crossgate::model::change::{PipelineEdit, Plan, Work};
use crossgate::model::name::{PipelineName, RoleName};
use crossgate::model::observed::Observed;
use crossgate::model::pipeline::{PipelineDocument, patch};
use crossgate::model::read::{
    CallerIdentity, Fact, Function, InlinePolicy, Read, Role, RoleDetail,
};
use crossgate::model::wiring::Wiring;
use crossgate::model::write::Write;

/// All accounts of a wiring.
pub(crate) struct Accounts {
    ids: BTreeMap<AccountName, AccountId>,
    roles: BTreeMap<(AccountName, RoleName), RoleDetail>,
    pipelines: BTreeMap<PipelineName, PipelineDocument>,
}

/// The role that all functions of an account run with.
const EXECUTION_ROLE: &str = "function-execution-role";

impl Accounts {
    /// The accounts before crossgate comes: a service role for each pipeline, an execution role for each account.
    pub(crate) fn unwired(wiring: &Wiring) -> Self {
        let ids = wiring.accounts.iter();
        let ids: BTreeMap<AccountName, AccountId> = ids
            .map(|(name, account)| (name.clone(), account.id.clone()))
            .collect();
        let mut accounts = Self {
            ids,
            roles: BTreeMap::new(),
            pipelines: BTreeMap::new(),
        };
        for gate in &wiring.gates {
            let name = &gate.pipeline.name;
            if !accounts.pipelines.contains_key(name) {
                let role = accounts.add_role(&gate.pipeline.account, &format!("service-{name}"));
                accounts
                    .pipelines
                    .insert(name.clone(), pipeline(name, &role));
            }
            accounts.add_role(&gate.function.account, EXECUTION_ROLE);
        }
        accounts
    }

    fn add_role(&mut self, account: &AccountName, name: &str) -> RoleArn {
        let arn = format!("arn:aws:iam::{}:role/{name}", self.ids[account]);
        let arn = RoleArn::parse(&arn).unwrap();
        let detail = RoleDetail {
            role: Role {
                arn: arn.clone(),
                trust: r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
                tags: BTreeMap::new(),
                permissions_boundary: None,
            },
            inline: BTreeMap::new(),
            attached: Vec::new(),
        };
        let key = (account.clone(), arn.name.clone());
        self.roles.entry(key).or_insert(detail);
        arn
    }

    /// Reads until nothing more is wanted.
    pub(crate) fn observe(
        &self,
        wants: impl Fn(&Observed) -> Vec<(AccountName, Read)>,
    ) -> Observed {
        let mut observed = Observed::default();
        for _ in 0..8 {
            let wanted = wants(&observed);
            if wanted.is_empty() {
                return observed;
            }
            for (account, read) in wanted {
                let fact = self.answer(&account, &read);
                observed.record(account, read, Ok(fact));
            }
        }
        unreachable!("a plan needs fewer rounds");
    }

    fn role(&self, account: &AccountName, name: &RoleName) -> Option<&RoleDetail> {
        self.roles.get(&(account.clone(), name.clone()))
    }

    fn answer(&self, account: &AccountName, read: &Read) -> Fact {
        match read {
            Read::CallerIdentity => Fact::CallerIdentity(CallerIdentity {
                account: self.ids[account].clone(),
                arn: format!("arn:aws:iam::{}:user/operator", self.ids[account]),
            }),
            Read::Pipeline { name, .. } => {
                Fact::Pipeline(self.pipelines.get(name).cloned().map(Box::new))
            }
            Read::Function { region, name } => {
                let id = &self.ids[account];
                let role = format!("arn:aws:iam::{id}:role/{EXECUTION_ROLE}");
                let arn = format!("arn:aws:lambda:{region}:{id}:function:{name}");
                Fact::Function(Some(Box::new(function(
                    arn,
                    RoleArn::parse(&role).unwrap(),
                ))))
            }
            Read::Roles => {
                let here = self.roles.iter().filter(|((of, _), _)| of == account);
                Fact::Roles(here.map(|(_, detail)| detail.clone()).collect())
            }
            Read::Role { role } => {
                Fact::Role(self.role(account, role).map(|d| Box::new(d.role.clone())))
            }
            Read::InlinePolicyNames { role } => Fact::InlinePolicyNames(
                self.role(account, role)
                    .map(|d| d.inline.keys().cloned().collect()),
            ),
            Read::AttachedPolicies { role } => {
                Fact::AttachedPolicies(self.role(account, role).map(|d| d.attached.clone()))
            }
            Read::InlinePolicy { role, policy } => {
                Fact::InlinePolicy(match self.role(account, role) {
                    None => InlinePolicy::NoRole,
                    Some(detail) => match detail.inline.get(policy) {
                        None => InlinePolicy::Absent,
                        Some(text) => InlinePolicy::Present(text.clone()),
                    },
                })
            }
            Read::FunctionPolicy { .. } => Fact::FunctionPolicy(None),
            Read::FunctionConcurrency { .. } => Fact::FunctionConcurrency(None),
            other => unreachable!("{other} is not asked of a fleet"),
        }
    }

    /// Carries out a plan that wires gates.
    pub(crate) fn apply(&mut self, plan: &Plan) {
        for step in &plan.steps {
            match &step.work {
                Work::Write { write, .. } => self.write(&step.account, write),
                Work::Pipeline(update) => {
                    let PipelineEdit::Patch { request, .. } = &update.edit else {
                        unreachable!("nothing is put back");
                    };
                    let document = self.pipelines.get_mut(&update.pipeline.name).unwrap();
                    *document = patch(document, request).document;
                }
                Work::Function(_) | Work::Policy(_) => unreachable!("a fleet has neither"),
            }
        }
    }

    fn write(&mut self, account: &AccountName, write: &Write) {
        match write {
            Write::CreateRole(new) => {
                self.add_role(account, new.name.as_str());
                let key = (account.clone(), new.name.clone());
                let detail = self.roles.get_mut(&key).unwrap();
                detail.role.trust = new.trust.to_string();
                detail.role.tags.clone_from(&new.tags);
            }
            Write::PutInlinePolicy {
                role,
                policy,
                document,
            } => {
                let detail = self
                    .roles
                    .get_mut(&(account.clone(), role.clone()))
                    .unwrap();
                let name = policy.as_str().to_owned();
                detail.inline.insert(name, document.to_string());
            }
            other => unreachable!("{other} does not wire a gate"),
        }
    }
}

/// A pipeline of three stages, as people have them.
pub(crate) fn pipeline(name: &PipelineName, role: &RoleArn) -> PipelineDocument {
    let action = |name: &str, category: &str| {
        format!(
            r#"{{"name":"{name}","actionTypeId":{{"category":"{category}","owner":"AWS","provider":"S3","version":"1"}},"runOrder":1,
               "configuration":{{"S3Bucket":"artifacts"}},"inputArtifacts":[],"outputArtifacts":[]}}"#
        )
    };
    let stage = |name: &str, category: &str| {
        format!(
            r#"{{"name":"{name}","actions":[{}]}}"#,
            action(name, category)
        )
    };
    let stages = [
        ("Source", "Source"),
        ("Deploy", "Deploy"),
        ("Prod", "Deploy"),
    ];
    let stages = stages
        .map(|(name, category)| stage(name, category))
        .join(",");
    let text = format!(
        r#"{{"name":"{name}","roleArn":"{role}","artifactStore":{{"type":"S3","location":"artifacts"}},"stages":[{stages}],"version":3}}"#
    );
    PipelineDocument::parse(&text).unwrap()
}

fn function(arn: String, role: RoleArn) -> Function {
    Function {
        arn,
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
        code_sha256: None,
        last_modified: None,
        dead_letter_arn: None,
        environment: None,
        log_group: None,
        tags: None,
    }
}
