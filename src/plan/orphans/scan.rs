//! Where the project's objects may be, and what was found there: roles by account, pipelines and functions by account and region.
//! It looks; what of it is left behind is decided in `actions` and `leftovers`.

use std::collections::BTreeSet;

use crate::model::account::{AccountId, AccountName, Region};
use crate::model::arn::RoleArn;
use crate::model::change::{Problem, Severity};
use crate::model::name::{FunctionName, PipelineName};
use crate::model::observed::{ListedRole, Observed, Seen};
use crate::model::pipeline::{ActionView, PipelineDocument, StageView};
use crate::model::read::{Function, Listed, ListedFunction, Read};
use crate::model::wiring::{FunctionKey, PipelineKey, RoleKey, Wiring};

use super::super::draft::Draft;
use super::super::ends::is_usable;
use super::super::functions;
use super::super::reads::Wanted;
use super::super::roles::{Ownership, PROJECT_TAG, ownership};

type Place = (AccountName, Region);

/// The manifest, and what is known of its accounts.
pub(super) struct Scan<'a> {
    pub(super) wiring: &'a Wiring,
    pub(super) observed: &'a Observed,
}

/// An action of a pipeline that was read.
#[derive(Clone)]
pub(super) struct FoundAction<'a> {
    pub(super) pipeline: PipelineKey,
    pub(super) document: &'a PipelineDocument,
    pub(super) stage: StageView<'a>,
    pub(super) action: ActionView<'a>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(wiring: &'a Wiring, observed: &'a Observed) -> Self {
        Self { wiring, observed }
    }

    /// Side by side: who the callers are, all roles, the gates' own pipelines and functions, and the lists of the gates' places.
    /// Then the lists of places that the roles point to, and what the lists name.
    pub(super) fn wants(&self, wanted: &mut Wanted<'_>) {
        for account in self.wiring.accounts.keys() {
            wanted.add(account, Read::CallerIdentity);
            wanted.add(account, Read::Roles);
        }
        for gate in &self.wiring.gates {
            wanted.add(&gate.pipeline.account, gate.pipeline.read());
            let function = match self.wiring.functions.get(&gate.function) {
                Some(_) => gate.function.tagged(),
                None => gate.function.read(),
            };
            wanted.add(&gate.function.account, function);
        }
        for (account, region) in self.pipeline_places() {
            wanted.add(&account, Read::Pipelines { region });
        }
        for (account, region) in self.function_places() {
            wanted.add(&account, Read::Functions { region });
        }
        for key in self.pipeline_keys() {
            wanted.add(&key.account, key.read());
        }
        for key in self.candidates() {
            wanted.add(&key.account, key.tagged());
        }
    }

    /// Lists that were cut: what was not listed may need what else looks left behind, or be left behind.
    pub(super) fn report(&self, draft: &mut Draft<'_>) {
        let pipelines = self.pipeline_places().into_iter().map(|place| {
            let seen = self.observed.pipelines(&place.0, &place.1);
            (place, seen, "pipelines")
        });
        let functions = self.function_places().into_iter().map(|place| {
            let seen = self.observed.functions(&place.0, &place.1);
            (place, seen, "functions")
        });
        for ((account, region), seen, what) in pipelines.chain(functions) {
            if let Seen::Present(Listed {
                names,
                functions: _,
                complete: false,
            }) = seen
            {
                draft.problem(Problem {
                    code: "list_cut",
                    severity: Severity::Incomplete,
                    message: format!(
                        "account {account} has more than the {} {what} in {region} that were listed, so what is left behind is \
                         not known",
                        names.len()
                    ),
                    account: Some(account),
                    gates: Vec::new(),
                    hint: None,
                });
            }
        }
    }

    /// The accounts whose credentials are right, with their roles.
    pub(super) fn roles(
        &self,
    ) -> impl Iterator<Item = (&'a AccountName, &'a AccountId, ListedRole<'a>)> + '_ {
        let usable = |name: &&AccountName| is_usable(self.wiring, self.observed, name);
        let names = self.wiring.accounts.keys().filter(usable);
        names.flat_map(|name| {
            let id = self.wiring.account_id(name);
            let roles = self.observed.roles(name);
            roles.filter_map(move |detail| Some((name, id?, detail)))
        })
    }

    /// The actions of all pipelines that were listed and read, the gates' own among them.
    pub(super) fn actions(&self) -> impl Iterator<Item = FoundAction<'a>> + '_ {
        let keys = self.pipeline_keys().into_iter();
        let read = keys.filter_map(|key| match self.observed.pipeline(&key) {
            Seen::Present(document) if is_usable(self.wiring, self.observed, &key.account) => {
                Some((key, document))
            }
            _ => None,
        });
        read.flat_map(|(pipeline, document)| {
            document.stages().flat_map(move |stage| {
                let pipeline = pipeline.clone();
                stage.actions().map(move |action| FoundAction {
                    pipeline: pipeline.clone(),
                    document,
                    stage,
                    action,
                })
            })
        })
    }

    /// The functions that carry the project's tag.
    pub(super) fn made_functions(&self) -> Vec<(FunctionKey, &'a Function)> {
        let keys = self.candidates().into_iter();
        let ours = keys.filter_map(|key| match self.observed.function(&key) {
            Seen::Present(found)
                if functions::is_own(self.wiring, found)
                    && is_usable(self.wiring, self.observed, &key.account) =>
            {
                Some((key, found))
            }
            _ => None,
        });
        ours.collect()
    }

    /// All functions that were listed, by account and region.
    pub(super) fn listed_functions(&self) -> Vec<(AccountName, Region, &'a ListedFunction)> {
        let mut all = Vec::new();
        for (account, region) in self.function_places() {
            if let Seen::Present(listed) = self.observed.functions(&account, &region) {
                let found = listed.functions.iter();
                all.extend(found.map(|one| (account.clone(), region.clone(), one)));
            }
        }
        all
    }

    /// True where the role carries the project's tag.
    pub(super) fn is_ours(&self, detail: ListedRole<'_>) -> bool {
        detail.role.tags.get(PROJECT_TAG).map(String::as_str) == Some(self.wiring.project.as_str())
    }

    /// The project's role of that ARN, with whose it is.
    pub(super) fn project_role(&self, arn: &str) -> Option<(RoleKey, ListedRole<'a>, Ownership)> {
        let arn = RoleArn::parse(arn).ok()?;
        let mut accounts = self.wiring.accounts.iter();
        let (account, _) = accounts.find(|(_, account)| account.id == arn.account)?;
        let key = RoleKey {
            account: account.clone(),
            name: arn.name.clone(),
        };
        let detail = self.observed.listed_role(&key)?;
        let is_it = detail.role.arn == arn
            && self.is_ours(detail)
            && is_usable(self.wiring, self.observed, account);
        is_it.then(|| (key, detail, ownership(self.wiring, detail.role)))
    }

    fn pipeline_keys(&self) -> BTreeSet<PipelineKey> {
        let gates = self.wiring.gates.iter().map(|g| g.pipeline.clone());
        let mut keys: BTreeSet<PipelineKey> = gates.collect();
        for (account, region) in self.pipeline_places() {
            let Seen::Present(listed) = self.observed.pipelines(&account, &region) else {
                continue;
            };
            let names = listed.names.iter();
            keys.extend(names.filter_map(|name| {
                Some(PipelineKey {
                    account: account.clone(),
                    region: region.clone(),
                    name: PipelineName::new(name).ok()?,
                })
            }));
        }
        keys
    }

    /// The functions that may be the project's: a list shows no tags, but their role, and the line that crossgate gives them.
    fn candidates(&self) -> BTreeSet<FunctionKey> {
        let roles: BTreeSet<String> = self
            .roles()
            .filter(|(_, _, detail)| self.is_ours(*detail))
            .map(|(_, _, detail)| detail.role.arn.to_string())
            .collect();
        let line = functions::description(&self.wiring.project);
        let listed = self.listed_functions().into_iter();
        listed
            .filter(|(_, _, one)| roles.contains(&one.role) || one.description == line)
            .filter_map(|(account, region, one)| {
                Some(FunctionKey {
                    account,
                    region,
                    name: FunctionName::new(&one.name).ok()?,
                })
            })
            .collect()
    }

    /// Accounts with pipelines of gates, now or once: those whose roles hold our policy, or are trusted by a role of ours.
    fn pipeline_places(&self) -> BTreeSet<Place> {
        let policy = self.wiring.assume_policy();
        let gates = self.wiring.gates.iter().map(|g| g.pipeline.account.clone());
        let mut accounts: BTreeSet<AccountName> = gates.collect();
        for (account, _, detail) in self.roles() {
            if detail.inline_policy(policy.as_str()).is_some() {
                accounts.insert(account.clone());
            }
            if self.is_ours(detail) {
                let trusted = self.wiring.accounts.iter();
                let trusted = trusted.filter(|(_, a)| detail.role.trust.contains(a.id.as_str()));
                accounts.extend(trusted.map(|(name, _)| name.clone()));
            }
        }
        self.places(&accounts)
    }

    /// Accounts with functions of gates, now or once.
    fn function_places(&self) -> BTreeSet<Place> {
        let policy = self.wiring.callback_policy();
        let gates = self.wiring.gates.iter().map(|g| g.function.account.clone());
        let mut accounts: BTreeSet<AccountName> = gates.collect();
        for (account, _, detail) in self.roles() {
            if self.is_ours(detail) || detail.inline_policy(policy.as_str()).is_some() {
                accounts.insert(account.clone());
            }
        }
        self.places(&accounts)
    }

    fn places(&self, accounts: &BTreeSet<AccountName>) -> BTreeSet<Place> {
        let regions = self.regions();
        let here = |account: &AccountName| {
            let account = account.clone();
            let regions = regions.iter().cloned();
            regions.map(move |region| (account.clone(), region))
        };
        accounts.iter().flat_map(here).collect()
    }

    /// The regions of the gates, and those that our policies on roles still name: the last gate of a region may be gone.
    fn regions(&self) -> BTreeSet<Region> {
        let gates = self.wiring.gates.iter();
        let mut regions: BTreeSet<Region> = gates
            .flat_map(|g| [g.pipeline.region.clone(), g.function.region.clone()])
            .collect();
        let policies = [self.wiring.invoke_policy(), self.wiring.logs_policy()];
        for (_, _, detail) in self.roles() {
            for policy in &policies {
                let text = detail.inline_policy(policy.as_str());
                let words = text.into_iter().flat_map(|text| text.split('"'));
                let arns = words.filter(|word| word.starts_with("arn:"));
                regions.extend(arns.filter_map(|arn| Region::new(arn.split(':').nth(3)?).ok()));
            }
        }
        regions
    }
}

impl FoundAction<'_> {
    /// `pipeline/stage/action`.
    pub(super) fn resource(&self) -> String {
        let (stage, action) = (self.stage.name(), self.action.name());
        format!("{}/{stage}/{action}", self.pipeline.name)
    }
}
