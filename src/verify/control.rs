//! Service and resource control policies as the organization has them: which reads they need, and what came of these.
//! It decides no hop, and gives on as unreadable whatever it does not know.
//!
//! The first round asks, side by side, for the organization and for the parent and the policies of each account; each further
//! round climbs a unit. Sources: Organizations user guide, "SCP evaluation" and "Resource control policies"; api: the four reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::evaluate::{Layer, Level, NamedPolicy};
use crate::iam::hops::{Found, Organization};
use crate::model::account::{AccountId, AccountName};
use crate::model::observed::{Observed, Seen};
use crate::model::read::{ControlKind, Read};
use crate::model::wiring::{OrganizationReader, Wiring};

use super::target::{Target, unusable};

/// An account, the root, and the units between them, which nest five deep (Organizations quotas).
const MOST_LEVELS: usize = 7;

/// The reads that are needed for the control policies over the accounts of the selected gates, answered ones among them.
pub(super) fn reads(
    wiring: &Wiring,
    observed: &Observed,
    reader: &OrganizationReader,
) -> BTreeSet<(AccountName, Read)> {
    let mut walk = Walk::new(wiring, observed, reader);
    walk.organization();
    walk.reads
}

/// The control policies over the accounts of the selected gates.
pub(super) fn organization(
    wiring: &Wiring,
    observed: &Observed,
    reader: &OrganizationReader,
) -> Organization {
    Walk::new(wiring, observed, reader).organization()
}

struct Walk<'a> {
    wiring: &'a Wiring,
    observed: &'a Observed,
    reader: &'a OrganizationReader,
    reads: BTreeSet<(AccountName, Read)>,
}

/// An account's way to the root, as far as it is known.
struct Path {
    /// The account, the units over it, the root.
    targets: Vec<String>,
    end: End,
}

enum End {
    /// The way is known to the root.
    Root,
    /// No control policy affects the account.
    Exempt,
    /// Nobody can tell, and why.
    Unseen(String),
}

impl<'a> Walk<'a> {
    fn new(wiring: &'a Wiring, observed: &'a Observed, reader: &'a OrganizationReader) -> Self {
        Self {
            wiring,
            observed,
            reader,
            reads: BTreeSet::new(),
        }
    }

    fn organization(&mut self) -> Organization {
        let mut all = Organization::default();
        let Organization { scps, rcps } = &mut all;
        for id in self.accounts() {
            let path = self.path(&id);
            let service = self.levels(&path, ControlKind::Service);
            let resource = self.levels(&path, ControlKind::Resource);
            scps.insert(id.clone(), service);
            rcps.insert(id, resource);
        }
        all
    }

    /// The accounts of the selected gates, and those that their actions name as they are.
    fn accounts(&self) -> BTreeSet<AccountId> {
        let mut ids = BTreeSet::new();
        let wiring = self.wiring;
        for gate in wiring.gates.iter().filter(|gate| wiring.is_selected(gate)) {
            let names = [&gate.pipeline.account, &gate.function.account];
            ids.extend(
                names
                    .into_iter()
                    .filter_map(|n| wiring.account_id(n))
                    .cloned(),
            );
            let target = Target::of(wiring, self.observed, gate);
            for role in [&target.service, &target.invoke] {
                if let Found::There(role) = role {
                    ids.insert(role.account.clone());
                }
            }
            if let Found::There(called) = &target.function {
                ids.insert(called.arn.account.clone());
            }
        }
        ids
    }

    fn ask(&mut self, read: Read) {
        self.reads.insert((self.reader.account.clone(), read));
    }

    fn path(&mut self, id: &AccountId) -> Path {
        let mut targets = vec![id.to_string()];
        let end = match self.no_limits(id) {
            Some(end) => end,
            None => self.climb(id, &mut targets),
        };
        Path { targets, end }
    }

    /// What the organization as a whole says of an account; none where it must be looked for in it.
    fn no_limits(&mut self, id: &AccountId) -> Option<End> {
        let OrganizationReader { account, id: own } = self.reader;
        self.ask(Read::CallerIdentity);
        match self.observed.caller(account) {
            Seen::Present(caller) if caller.account != *own => {
                return Some(End::Unseen(format!(
                    "the credentials of account {account} are of account {}",
                    caller.account
                )));
            }
            Seen::Unreadable(error) => return Some(End::Unseen(error.to_string())),
            Seen::NotRead | Seen::Absent | Seen::Present(_) => {}
        }
        self.ask(Read::Organization);
        match self.observed.organization(account) {
            // Neither kind affects the management account.
            Seen::Present(organization) if organization.management == *id => Some(End::Exempt),
            Seen::Absent if id == own => Some(End::Exempt),
            Seen::Absent => Some(self.elsewhere(id)),
            Seen::Unreadable(error) => Some(End::Unseen(error.to_string())),
            Seen::NotRead | Seen::Present(_) => None,
        }
    }

    fn climb(&mut self, id: &AccountId, targets: &mut Vec<String>) -> End {
        let observed = self.observed;
        let mut child = id.to_string();
        while !child.starts_with("r-") {
            let read = Read::OrganizationParent {
                child: child.clone(),
            };
            self.ask(read.clone());
            let parent = match observed.organization_parent(&self.reader.account, &child) {
                Seen::Present(parent) => parent.to_owned(),
                Seen::Absent if child == id.as_str() => return self.elsewhere(id),
                Seen::Absent => return End::Unseen(format!("the organization has no {child}")),
                Seen::NotRead => return End::Unseen(format!("{read} was not read")),
                Seen::Unreadable(error) => return End::Unseen(error.to_string()),
            };
            if targets.len() >= MOST_LEVELS {
                return End::Unseen(format!("no root was found over account {id}"));
            }
            targets.push(parent.clone());
            child = parent;
        }
        End::Root
    }

    /// Of an account that is not in the reader's organization only its own credentials say whether it is in another.
    fn elsewhere(&mut self, id: &AccountId) -> End {
        let account = &self.reader.account;
        let mut named = self.wiring.accounts.iter();
        let Some((name, _)) = named.find(|(_, account)| account.id == *id) else {
            return End::Unseen(format!(
                "account {id} is not in the organization that account {account} sees"
            ));
        };
        self.reads.insert((name.clone(), Read::Organization));
        if let Some(why) = unusable(self.wiring, self.observed, name) {
            return End::Unseen(why);
        }
        match self.observed.organization(name) {
            Seen::Absent => End::Exempt,
            Seen::Present(organization) => End::Unseen(format!(
                "account {id} is in organization {}, which account {account} does not see",
                organization.id
            )),
            Seen::NotRead => End::Unseen(format!("the organization of account {id} was not read")),
            Seen::Unreadable(error) => End::Unseen(error.to_string()),
        }
    }

    /// The policies of one kind on the way, from the root down. They are asked for before the way is known to its end.
    fn levels(&mut self, path: &Path, kind: ControlKind) -> Layer<Vec<Level>> {
        let Path { targets, end } = path;
        if matches!(end, End::Exempt) {
            return Layer::Known(Vec::new());
        }
        let levels: Vec<Result<Level, String>> = targets
            .iter()
            .rev()
            .map(|target| self.level(target, kind))
            .collect();
        if let End::Unseen(why) = end {
            return Layer::Unreadable(why.clone());
        }
        match levels.into_iter().collect::<Result<Vec<Level>, String>>() {
            // Where a kind is enabled every level has one policy at least, and where it is not none has any.
            Ok(levels) if levels.iter().all(|level| level.policies.is_empty()) => {
                Layer::Known(Vec::new())
            }
            Ok(levels) => Layer::Known(levels),
            Err(why) => Layer::Unreadable(why),
        }
    }

    fn level(&mut self, target: &str, kind: ControlKind) -> Result<Level, String> {
        let observed = self.observed;
        let account = &self.reader.account;
        let read = Read::ControlPolicies {
            target: target.to_owned(),
            kind,
        };
        let attached = known(&observed.control_policies(account, target, kind), &read);
        self.ask(read);
        let policies = attached?.iter().map(|policy| {
            let read = Read::ControlPolicy {
                id: policy.id.clone(),
            };
            let text = known(&observed.control_policy(account, &policy.id), &read);
            self.reads.insert((account.clone(), read));
            Ok(NamedPolicy::from_text(&policy.name, text?))
        });
        // All are asked for before the first that is not known ends it.
        let policies: Vec<Result<NamedPolicy, String>> = policies.collect();
        Ok(Level {
            target: target.to_owned(),
            policies: policies.into_iter().collect::<Result<_, _>>()?,
        })
    }
}

fn known<'a, T: ?Sized>(seen: &Seen<'a, T>, read: &Read) -> Result<&'a T, String> {
    match seen {
        Seen::Present(value) => Ok(value),
        Seen::Absent => Err(format!("the organization does not have {read}")),
        Seen::NotRead => Err(format!("{read} was not read")),
        Seen::Unreadable(error) => Err(error.to_string()),
    }
}

/// Whether the control policies over an account are known.
pub(super) fn is_known(given: &BTreeMap<AccountId, Layer<Vec<Level>>>, id: &AccountId) -> bool {
    matches!(given.get(id), Some(Layer::Known(_)))
}
