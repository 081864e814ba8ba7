//! The least-privilege policy of whoever runs crossgate, account by account: the calls of a command on the manifest's objects.
//! Pure: reads nothing. What a manifest does not say (service and execution roles) is given, or is any role of the account.

mod roles;
mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::roles::Roles;
use self::table::{NEEDS, On, When};
use crate::iam::hops::{CODEPIPELINE, LAMBDA};
use crate::model::account::{AccountId, AccountName, Partition};
use crate::model::arn::RoleArn;
use crate::model::function::{ExecutionRole, FunctionSpec};
use crate::model::listed::listed;
use crate::model::name::FunctionName;
use crate::model::policy::{Clause, Condition, Effect, PolicyDocument, Statement};
use crate::model::role_reads::ASKED_SINGLY;
use crate::model::wiring::{Gate, OrganizationReader, Wiring};

/// The most characters of a managed policy, white space left out (IAM quotas).
const MANAGED_POLICY: usize = 6_144;

/// A command that the policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// `plan`, with `--teardown` or without.
    Plan,
    /// `check`.
    Check,
    /// `bootstrap`.
    Bootstrap,
    /// `teardown`.
    Teardown,
    /// `verify`.
    Verify,
    /// `run`.
    Run,
    /// `diagnose`.
    Diagnose,
    /// `init`, of the manifest's pipelines and functions.
    Init,
    /// `prune`.
    Prune,
    /// `restore`, of the manifest's pipelines.
    Restore,
}

/// What the policy is for.
// Each is a flag of the command line, and they go together in any way.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The commands; the policy allows each of them.
    pub tasks: BTreeSet<Task>,
    /// Whether they run with `--remove-unexpected`.
    pub remove_unexpected: bool,
    /// Whether they run with `--adopt`.
    pub adopt: bool,
    /// Whether `check` runs with `--orphans`.
    pub orphans: bool,
    /// Whether they run with `--simulate`.
    pub simulate: bool,
    /// Through which account they read the organization, where they run with `--organizations`.
    pub organizations: Option<OrganizationReader>,
}

/// A role with which an account is reached from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The account whose credentials assume the role.
    pub via: AccountName,
    /// Its id.
    pub via_id: AccountId,
    /// The role.
    pub role: RoleArn,
}

/// What the operator needs in one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The account's name in the manifest.
    pub account: AccountName,
    /// Its id.
    pub id: AccountId,
    /// The policy; without statements where nothing is needed.
    pub policy: PolicyDocument,
    /// What somebody who attaches it should know.
    pub notes: Vec<String>,
}

/// The policies, by account in the order of their names.
pub fn operators(
    wiring: &Wiring,
    asked: &Asked,
    roles: &Roles,
    reached: &[Reached],
) -> Vec<Operator> {
    let mut accounts: BTreeMap<&AccountId, &AccountName> = BTreeMap::new();
    for (name, account) in &wiring.accounts {
        accounts.insert(&account.id, name);
    }
    for one in reached {
        accounts.entry(&one.via_id).or_insert(&one.via);
    }
    if let Some(OrganizationReader { account, id }) = &asked.organizations {
        accounts.entry(id).or_insert(account);
    }
    let occasions = occasions(wiring, asked);
    let by_account = by_account(wiring);
    let selected = wiring.gates.iter().filter(|gate| wiring.is_selected(gate));
    let touched: BTreeSet<&AccountName> = selected
        .flat_map(|gate| [&gate.pipeline.account, &gate.function.account])
        .collect();
    let mut operators: Vec<Operator> = accounts
        .into_iter()
        .map(|(id, name)| {
            let place = Place {
                wiring,
                roles,
                name,
                id,
                partition: wiring.gates.first().map_or(Partition::Aws, Gate::partition),
                here: by_account.get(name).map_or(&[], Vec::as_slice),
                touched: &touched,
            };
            place.operator(&occasions, asked, reached)
        })
        .collect();
    operators.sort_by(|one, other| one.account.cmp(&other.account));
    operators
}

/// The gates by the accounts of their two ends, sorted out once: a fleet has many of both.
fn by_account(wiring: &Wiring) -> BTreeMap<&AccountName, Vec<&Gate>> {
    let mut by_account: BTreeMap<&AccountName, Vec<&Gate>> = BTreeMap::new();
    for gate in &wiring.gates {
        let ends = BTreeSet::from([&gate.pipeline.account, &gate.function.account]);
        for account in ends {
            by_account.entry(account).or_default().push(gate);
        }
    }
    by_account
}

/// The occasions that the commands bring.
fn occasions(wiring: &Wiring, asked: &Asked) -> Vec<When> {
    let Asked {
        tasks,
        remove_unexpected,
        adopt,
        orphans,
        simulate,
        organizations,
    } = asked;
    let partial = wiring.gates.iter().any(|gate| !wiring.is_selected(gate));
    let mut occasions = Vec::new();
    for task in tasks {
        match task {
            Task::Plan | Task::Check => occasions.extend([When::Plan, When::Put]),
            Task::Bootstrap => occasions.extend([When::Plan, When::Put, When::Bootstrap]),
            Task::Teardown => {
                occasions.extend([When::Plan, When::Teardown]);
                if partial {
                    occasions.extend([When::Put, When::PartialTeardown]);
                }
            }
            Task::Verify => occasions.push(When::Verify),
            Task::Run => occasions.push(When::Run),
            Task::Diagnose => {
                occasions.extend([When::Plan, When::Put, When::Verify, When::Diagnose]);
            }
            Task::Init => occasions.push(When::Init),
            Task::Restore => occasions.push(When::Restore),
            Task::Prune => occasions.extend([When::Orphans, When::Prune]),
        }
        if *orphans && *task == Task::Check {
            occasions.push(When::Orphans);
        }
        if *remove_unexpected && *task == Task::Prune {
            occasions.push(When::RemoveLeft);
        }
        if *remove_unexpected && matches!(task, Task::Bootstrap | Task::Teardown) {
            occasions.push(When::RemoveUnexpected);
        }
        if *remove_unexpected && *task == Task::Bootstrap {
            occasions.push(When::RemoveBoundary);
        }
        if *remove_unexpected && *task == Task::Teardown {
            occasions.push(When::RemoveWithRole);
        }
        if *adopt && matches!(task, Task::Plan | Task::Check | Task::Bootstrap) {
            occasions.push(When::Adopt);
        }
        if *simulate && *task == Task::Verify {
            occasions.push(When::Simulate);
        }
        if organizations.is_some() && *task == Task::Verify {
            occasions.push(When::Organizations);
        }
    }
    occasions
}

/// One account, with the gates that bear on it.
struct Place<'a> {
    wiring: &'a Wiring,
    roles: &'a Roles,
    name: &'a AccountName,
    id: &'a AccountId,
    partition: Partition,
    /// The gates with an end here.
    here: &'a [&'a Gate],
    /// The accounts of the selected gates.
    touched: &'a BTreeSet<&'a AccountName>,
}

impl<'a> Place<'a> {
    fn operator(&self, occasions: &[When], asked: &Asked, reached: &[Reached]) -> Operator {
        let needed = |when: &&[When]| when.iter().any(|w| occasions.contains(w));
        // Objects that are the same, whatever they are to a gate, make one statement.
        let mut statements: Vec<(Statement, BTreeSet<&str>)> = Vec::new();
        let mut kinds: BTreeMap<On, BTreeSet<&str>> = BTreeMap::new();
        for need in NEEDS.iter().filter(|n| needed(&n.when)) {
            kinds.entry(need.on).or_default().insert(need.action);
        }
        for (on, actions) in &kinds {
            let mut resources = self.resources(*on);
            let reader = asked.organizations.as_ref().map(|reader| &reader.id);
            if *on == On::Organization && reader == Some(self.id) {
                // Four reads of whatever the way to the root leads over.
                resources.push("*".to_owned());
            }
            if resources.is_empty() {
                continue;
            }
            let fresh = statement(on.sid(), resources, self.conditions(*on));
            let same = |s: &&mut (Statement, BTreeSet<&str>)| {
                s.0.resource == fresh.resource && s.0.conditions == fresh.conditions
            };
            match statements.iter_mut().find(same) {
                Some((_, all)) => all.extend(actions),
                None => statements.push((fresh, actions.clone())),
            }
        }
        let assumed: BTreeSet<String> = reached
            .iter()
            .filter(|one| one.via_id == *self.id)
            .map(|one| one.role.to_string())
            .collect();
        if !assumed.is_empty() {
            let resources = assumed.into_iter().collect();
            let fresh = statement("AssumedOperatorRoles", resources, Vec::new());
            statements.push((fresh, BTreeSet::from(["sts:AssumeRole"])));
        }
        let statements = statements
            .into_iter()
            .map(|(statement, actions)| Statement {
                action: Clause::Is(actions.into_iter().map(str::to_owned).collect()),
                ..statement
            });
        let policy = PolicyDocument::new(statements.collect());
        Operator {
            account: self.name.clone(),
            id: self.id.clone(),
            notes: self.notes(&kinds, &policy),
            policy,
        }
    }

    /// The gates that the run is about and that have an end here.
    fn selected(&self) -> impl Iterator<Item = &'a Gate> {
        let wiring = self.wiring;
        let here = self.here.iter().copied();
        here.filter(|gate| wiring.is_selected(gate))
    }

    /// Of those the ones whose pipeline is here.
    fn piped(&self) -> impl Iterator<Item = &'a Gate> {
        let name = self.name;
        self.selected()
            .filter(|gate| gate.pipeline.account == *name)
    }

    /// Of those the ones whose function is here.
    fn functioned(&self) -> impl Iterator<Item = &'a Gate> {
        let name = self.name;
        self.selected()
            .filter(|gate| gate.function.account == *name)
    }

    /// The selected gates' functions by name, for both accounts of a gate: a name may stand in the wrong one.
    fn named_functions(&self) -> impl Iterator<Item = (&'a Gate, &'a FunctionName)> {
        self.selected().map(|gate| (gate, &gate.function.name))
    }

    /// Whether a gate is read for what it has in an account: `plan::wants` reads the neighbours of selected gates too.
    fn is_near(&self, gate: &Gate, account: &AccountName) -> bool {
        self.wiring.is_selected(gate) || self.touched.contains(account)
    }

    fn resources(&self, on: On) -> Vec<String> {
        let gates = self.here.iter().copied();
        let set: BTreeSet<String> = match on {
            On::SeenPipelines => gates
                .filter(|gate| gate.pipeline.account == *self.name)
                .filter(|gate| {
                    self.is_near(gate, self.name) || self.is_near(gate, &gate.function.account)
                })
                .map(|gate| self.pipeline(gate))
                .collect(),
            On::Pipelines => self.piped().map(|gate| self.pipeline(gate)).collect(),
            On::Functions => gates
                .filter(|gate| gate.function.account == *self.name)
                .filter(|gate| self.is_near(gate, self.name))
                .map(|gate| gate.function_arn(self.id).to_string())
                .collect(),
            On::FunctionVersions => gates
                .filter(|gate| gate.function.account == *self.name)
                .filter(|gate| self.is_near(gate, self.name))
                .map(|gate| format!("{}:*", gate.function_arn(self.id)))
                .collect(),
            On::FunctionsAnywhere => self
                .named_functions()
                .map(|(_, name)| {
                    format!(
                        "arn:{}:lambda:*:{}:function:{name}",
                        self.partition, self.id
                    )
                })
                .collect(),
            // With and without the streams: policies name a group either way (CloudWatch Logs user guide, resource ARNs).
            On::LogGroups => self
                .named_functions()
                .filter(|(gate, _)| gate.function.account == *self.name)
                .flat_map(|(gate, name)| {
                    let region = &gate.function.region;
                    ["", ":*"].map(|rest| {
                        format!(
                            "arn:{}:logs:{region}:{}:log-group:/aws/lambda/{name}{rest}",
                            self.partition, self.id
                        )
                    })
                })
                .collect(),
            On::InvokeRoles => self.invoke_roles(|_| true),
            On::BoundedInvokeRoles => {
                self.invoke_roles(|gate| gate.role.permissions_boundary.is_some())
            }
            On::UnboundedInvokeRoles => {
                self.invoke_roles(|gate| gate.role.permissions_boundary.is_none())
            }
            On::ServiceRoles => self.service_roles(),
            On::ExecutionRoles => self.execution_roles(),
            On::SeenMadeFunctions => gates
                .filter(|gate| gate.function.account == *self.name)
                .filter(|gate| self.is_near(gate, self.name) && self.made(gate).is_some())
                .map(|gate| gate.function_arn(self.id).to_string())
                .collect(),
            On::MadeFunctions => self
                .functioned()
                .filter(|gate| self.made(gate).is_some())
                .map(|gate| gate.function_arn(self.id).to_string())
                .collect(),
            On::MadeExecutionRoles => self.manifest_roles(|role| match role {
                ExecutionRole::Made(_) => true,
                ExecutionRole::Existing(_) => false,
            }),
            On::NamedExecutionRoles => self.manifest_roles(|role| match role {
                ExecutionRole::Made(_) => false,
                ExecutionRole::Existing(_) => true,
            }),
            On::PassedExecutionRoles => self.manifest_roles(|_| true),
            On::PassedRoles => self.passed_roles(),
            On::ManagedPolicies if self.selected_here() => {
                let Self { partition, id, .. } = self;
                [id.as_str(), "aws"]
                    .map(|owner| format!("arn:{partition}:iam::{owner}:policy/*"))
                    .into()
            }
            On::AnyRoles if self.selected_here() => {
                [format!("arn:{}:iam::{}:role/*", self.partition, self.id)].into()
            }
            On::ArtifactBuckets => self.buckets(self.with_artifacts(|_| true)),
            On::ManagedBuckets => self.buckets(self.with_artifacts(|gate| gate.manage_artifacts)),
            On::SearchedBuckets => self.buckets(gates),
            On::ArtifactKeys => self.keys(self.with_artifacts(|_| true)),
            On::ManagedKeys => self.keys(self.with_artifacts(|gate| gate.manage_artifacts)),
            On::SearchedKeys => self.keys(gates),
            // ListFunctions knows no resources; a list of pipelines is asked for as a whole (service authorization reference).
            On::AllPipelines if self.piped().next().is_some() => ["*".to_owned()].into(),
            On::AllFunctions if self.functioned().next().is_some() => ["*".to_owned()].into(),
            // Former gates may have stood in any account of the manifest, in pipelines that no gate has any more.
            On::Accounts => ["*".to_owned()].into(),
            // A list of all is asked for as a whole.
            On::ManyRoles if self.needs_many_roles() => ["*".to_owned()].into(),
            On::AnyPipelines => [format!(
                "arn:{}:codepipeline:*:{}:*",
                self.partition, self.id
            )]
            .into(),
            On::AnyFunctions | On::OwnFunctions => [format!(
                "arn:{}:lambda:*:{}:function:*",
                self.partition, self.id
            )]
            .into(),
            On::RolesOfAccount | On::AnyPassedRoles | On::OwnRoles => {
                [format!("arn:{}:iam::{}:role/*", self.partition, self.id)].into()
            }
            // DescribeOrganization knows no resources (service authorization reference).
            On::OwnOrganization if self.selected_here() => ["*".to_owned()].into(),
            // Whose it is depends on what is asked, not on the gates.
            On::Organization
            | On::OwnOrganization
            | On::ManagedPolicies
            | On::AnyRoles
            | On::AllPipelines
            | On::AllFunctions
            | On::ManyRoles => BTreeSet::new(),
        };
        set.into_iter().collect()
    }

    /// The selected gates that have artifacts.
    fn with_artifacts(&self, keep: fn(&Gate) -> bool) -> impl Iterator<Item = &'a Gate> {
        self.selected()
            .filter(move |gate| gate.action.traffic().is_some() && keep(gate))
    }

    /// The buckets of these gates' pipelines that are here. Only the pipeline says which they are: where one was not read, any,
    /// and a condition keeps to those of the account.
    fn buckets(&self, gates: impl Iterator<Item = &'a Gate>) -> BTreeSet<String> {
        let mut arns = BTreeSet::new();
        for gate in gates.filter(|gate| gate.pipeline.account == *self.name) {
            match self.roles.stores.get(&gate.pipeline) {
                Some(stores) => arns.extend(stores.iter().map(|s| s.bucket.arn(self.partition))),
                None => return [self.any_bucket()].into(),
            }
        }
        arns
    }

    /// The keys of these gates' pipelines that are here, wherever the pipelines are; any, where a pipeline here was not read.
    fn keys(&self, gates: impl Iterator<Item = &'a Gate>) -> BTreeSet<String> {
        let mut arns = BTreeSet::new();
        for gate in gates {
            match self.roles.stores.get(&gate.pipeline) {
                Some(stores) => {
                    let keys = stores.iter().filter_map(|store| store.key.key());
                    let here = keys.filter(|key| key.account == *self.id);
                    arns.extend(here.map(ToString::to_string));
                }
                None if gate.pipeline.account == *self.name => return [self.any_key()].into(),
                None => {}
            }
        }
        arns
    }

    fn any_bucket(&self) -> String {
        format!("arn:{}:s3:::*", self.partition)
    }

    fn any_key(&self) -> String {
        format!("arn:{}:kms:*:{}:key/*", self.partition, self.id)
    }

    /// Whether a run asks for more roles of the account than it asks for singly: an invoke role takes four questions; the service
    /// role of a pipeline and the execution role of a function, of which the manifest knows nothing, up to two each.
    fn needs_many_roles(&self) -> bool {
        let pipelines: BTreeSet<_> = self.piped().map(|gate| &gate.pipeline).collect();
        let functions: BTreeSet<_> = self.functioned().map(|gate| &gate.function).collect();
        let roles = self.invoke_roles(|_| true).len();
        4 * roles + 2 * (pipelines.len() + functions.len()) > ASKED_SINGLY
    }

    fn selected_here(&self) -> bool {
        self.piped().chain(self.functioned()).next().is_some()
    }

    fn pipeline(&self, gate: &Gate) -> String {
        let (partition, id) = (self.partition, self.id);
        let (region, name) = (&gate.pipeline.region, &gate.pipeline.name);
        format!("arn:{partition}:codepipeline:{region}:{id}:{name}")
    }

    fn invoke_roles(&self, keep: fn(&Gate) -> bool) -> BTreeSet<String> {
        let gates = self.functioned().filter(|gate| keep(gate));
        gates
            .map(|gate| gate.role_arn(self.id).to_string())
            .collect()
    }

    fn service_roles(&self) -> BTreeSet<String> {
        if self.piped().next().is_none() {
            return BTreeSet::new();
        }
        self.known(&self.roles.service)
    }

    fn made(&self, gate: &Gate) -> Option<&'a FunctionSpec> {
        self.wiring.functions.get(&gate.function)
    }

    /// The execution roles that the manifest itself says: those of functions that it makes.
    fn manifest_roles(&self, keep: fn(&ExecutionRole) -> bool) -> BTreeSet<String> {
        self.functioned()
            .filter_map(|gate| self.made(gate))
            .filter(|spec| keep(&spec.role))
            .map(|spec| spec.role.arn(self.partition, self.id).to_string())
            .collect()
    }

    /// Besides them those of functions that are there, which the manifest does not say.
    fn execution_roles(&self) -> BTreeSet<String> {
        let mut roles = self.manifest_roles(|_| true);
        if self.functioned().any(|gate| self.made(gate).is_none()) {
            roles.extend(self.known(&self.roles.execution));
        }
        roles
    }

    /// UpdatePipeline passes the service role. Whether an action's role of the same account is passed too no document says:
    /// it is allowed, as the operator makes that role itself. A role of another account cannot be passed.
    fn passed_roles(&self) -> BTreeSet<String> {
        let mut roles = self.service_roles();
        let own = self.piped().filter(|g| g.function.account == *self.name);
        roles.extend(own.map(|gate| gate.role_arn(self.id).to_string()));
        roles
    }

    /// The roles of this account that are known; any role where none is.
    fn known(&self, roles: &BTreeSet<RoleArn>) -> BTreeSet<String> {
        let here = roles.iter().filter(|role| role.account == *self.id);
        let known: BTreeSet<String> = here.map(ToString::to_string).collect();
        if known.is_empty() {
            let Self { partition, id, .. } = self;
            BTreeSet::from([format!("arn:{partition}:iam::{id}:role/*")])
        } else {
            known
        }
    }

    /// PassRole is allowed to the one service only that needs the role (IAM user guide, `iam:PassedToService`); what is left
    /// behind is removed by its tag (service authorization reference: role and function resources know `aws:ResourceTag`).
    fn conditions(&self, on: On) -> Vec<Condition> {
        let passed_to = |service: &str| {
            vec![Condition {
                operator: "StringEquals".to_owned(),
                key: "iam:PassedToService".to_owned(),
                values: vec![service.to_owned()],
            }]
        };
        match on {
            On::PassedRoles | On::AnyPassedRoles => passed_to(CODEPIPELINE),
            On::PassedExecutionRoles => passed_to(LAMBDA),
            // The ARN of a bucket does not say its account (IAM user guide, `aws:ResourceAccount`).
            On::ArtifactBuckets | On::ManagedBuckets | On::SearchedBuckets => vec![Condition {
                operator: "StringEquals".to_owned(),
                key: "aws:ResourceAccount".to_owned(),
                values: vec![self.id.as_str().to_owned()],
            }],
            On::OwnRoles | On::OwnFunctions => vec![Condition {
                operator: "StringEquals".to_owned(),
                key: "aws:ResourceTag/crossgate:project".to_owned(),
                values: vec![self.wiring.project.to_string()],
            }],
            On::SeenPipelines
            | On::Pipelines
            | On::Functions
            | On::FunctionVersions
            | On::InvokeRoles
            | On::AnyRoles
            | On::BoundedInvokeRoles
            | On::UnboundedInvokeRoles
            | On::ServiceRoles
            | On::SeenMadeFunctions
            | On::MadeFunctions
            | On::ExecutionRoles
            | On::MadeExecutionRoles
            | On::NamedExecutionRoles
            | On::ManagedPolicies
            | On::AllPipelines
            | On::AllFunctions
            | On::Organization
            | On::OwnOrganization
            | On::FunctionsAnywhere
            | On::Accounts
            | On::ManyRoles
            | On::AnyPipelines
            | On::AnyFunctions
            | On::RolesOfAccount
            | On::ArtifactKeys
            | On::ManagedKeys
            | On::SearchedKeys
            | On::LogGroups => Vec::new(),
        }
    }

    fn notes(&self, kinds: &BTreeMap<On, BTreeSet<&str>>, policy: &PolicyDocument) -> Vec<String> {
        let any = format!("arn:{}:iam::{}:role/*", self.partition, self.id);
        let mut notes = Vec::new();
        for (on, which, flag) in [
            (On::ServiceRoles, "service role", "--service-role"),
            (On::ExecutionRoles, "execution role", "--execution-role"),
        ] {
            let Some(actions) = kinds.get(&on) else {
                continue;
            };
            if !self.resources(on).contains(&any) {
                continue;
            }
            let risk = if actions.contains("iam:PutRolePolicy") {
                "; whoever may put policies on any role can take every right in the account"
            } else {
                ""
            };
            notes.push(format!(
                "the manifest does not say the {which}, so any role of the account is allowed{risk}: name it with {flag} ARN, or \
                 have it read with --resolve"
            ));
        }
        notes.extend(self.store_notes(kinds));
        notes.extend(self.former_note(kinds));
        let size = policy.to_string().chars().count();
        if size > MANAGED_POLICY {
            notes.push(format!(
                "the policy has {size} characters, more than the {MANAGED_POLICY} of a managed policy: attach it as an inline \
                 policy, or make one for some gates at a time with --gate"
            ));
        }
        notes
    }

    fn store_notes(&self, kinds: &BTreeMap<On, BTreeSet<&str>>) -> Option<String> {
        let any = [self.any_bucket(), self.any_key()];
        let is_any = |on: On| self.resources(on).iter().any(|arn| any.contains(arn));
        let actions: Vec<&str> = kinds
            .iter()
            .filter(|(on, _)| is_any(**on))
            .flat_map(|(_, actions)| actions.iter().copied())
            .collect();
        let risk = if STORE_WRITES.iter().any(|write| actions.contains(write)) {
            "; whoever may write the policy of any bucket and any key can take what they hold"
        } else {
            ""
        };
        (!actions.is_empty()).then(|| {
            format!(
                "the manifest does not say which bucket and which key hold the artifacts, so any of the pipeline's account is \
                 allowed, and none of another{risk}: write their ARNs instead (of `artifactStore` in the pipeline), or have them \
                 read with --resolve"
            )
        })
    }

    /// Statements of a gate whose `manage` was taken out are removed by the next bootstrap or teardown. That there are any, the
    /// manifest does not say, and where there are none no write is needed.
    fn former_note(&self, kinds: &BTreeMap<On, BTreeSet<&str>>) -> Option<String> {
        if !kinds.contains_key(&On::ManagedBuckets) {
            return None;
        }
        let unmanaged: Vec<&Gate> = self
            .with_artifacts(|gate| !gate.manage_artifacts)
            .filter(|gate| gate.pipeline.account == *self.name)
            .collect();
        let names: Vec<&str> = unmanaged.iter().map(|gate| gate.name.as_str()).collect();
        let [writes @ .., last] = STORE_WRITES;
        (!names.is_empty()).then(|| {
            format!(
                "if `manage` was ever true in [gates.artifacts] of {}, this project's statements are taken out of the policies of \
                 bucket and key, which needs {} and {last} on these too: the policy is without them, as none is needed else",
                listed(names),
                writes.join(", ")
            )
        })
    }
}

/// What writes the policies of artifact buckets and keys.
const STORE_WRITES: [&str; 3] = [
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "kms:PutKeyPolicy",
];

fn statement(sid: &str, resources: Vec<String>, conditions: Vec<Condition>) -> Statement {
    Statement {
        sid: Some(sid.to_owned()),
        effect: Effect::Allow,
        principal: None,
        action: Clause::Is(Vec::new()),
        resource: Some(Clause::Is(resources)),
        conditions,
    }
}
