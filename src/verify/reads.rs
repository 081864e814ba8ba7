//! Which reads the hops still need, given what is known: only what the gates need, nothing twice.
//! It asks; it neither reads nor decides.
//!
//! One gate costs three rounds: the pipeline, the function and the invoke role; then the roles that these name, and the texts of
//! the invoke role's policies; then the texts of the other roles' policies. A managed policy is asked for its default version
//! and, in the same round, for `v1`, which that mostly is; only where it is another does a fourth round follow. Reading the
//! organization takes a round for each unit over an account, and two more. Many roles of an account are asked for as one list
//! ([`role_reads`]).

use std::collections::BTreeSet;

use crate::iam::hops::Found;
use crate::model::account::AccountName;
use crate::model::arn::RoleArn;
use crate::model::observed::{Observed, Seen};
use crate::model::read::Read;
use crate::model::role_reads;
use crate::model::wiring::{FunctionKey, Gate, RoleKey, Wiring};

use super::target::{Target, role_key, unusable};
use super::{Options, artifacts, control, simulation};

/// The version that every managed policy begins with (api: CreatePolicyVersion).
const FIRST_VERSION: &str = "v1";

/// The reads that the hops still need. Empty: they can be decided.
pub fn wants(wiring: &Wiring, observed: &Observed, options: &Options) -> Vec<(AccountName, Read)> {
    let mut wanted = Wanted {
        wiring,
        observed,
        reads: BTreeSet::new(),
    };
    for gate in wiring.gates.iter().filter(|g| wiring.is_selected(g)) {
        wanted.gate(gate);
        wanted.target(&Target::of(wiring, observed, gate), options);
    }
    if let Some(reader) = &options.organizations {
        for (account, read) in control::reads(wiring, observed, reader) {
            if account == reader.account {
                // It may be no account of the wiring; whether it is the one that is meant `control` looks itself.
                wanted.ask(&account, read);
            } else {
                wanted.add(&account, read);
            }
        }
    }
    role_reads::fewest(observed, wanted.reads.into_iter().collect())
}

struct Wanted<'a> {
    wiring: &'a Wiring,
    observed: &'a Observed,
    reads: BTreeSet<(AccountName, Read)>,
}

impl Wanted<'_> {
    /// Nothing is asked twice, and nothing more of an account that does not answer, or is not the one that is meant.
    fn add(&mut self, account: &AccountName, read: Read) {
        let strange = matches!(self.observed.caller(account), Seen::Present(_))
            && unusable(self.wiring, self.observed, account).is_some();
        if !strange {
            self.ask(account, read);
        }
    }

    fn ask(&mut self, account: &AccountName, read: Read) {
        if !self.observed.has(account, &read) && self.observed.unreachable(account).is_none() {
            self.reads.insert((account.clone(), read));
        }
    }

    /// What the manifest alone tells to ask.
    fn gate(&mut self, gate: &Gate) {
        for account in [&gate.pipeline.account, &gate.function.account] {
            self.add(account, Read::CallerIdentity);
        }
        self.add(&gate.pipeline.account, gate.pipeline.read());
        self.function(&gate.function, None);
        self.role(&gate.role_key());
    }

    /// What stands in the pipeline tells to ask.
    fn target(&mut self, target: &Target<'_>, options: &Options) {
        for role in [&target.service, &target.invoke] {
            if let Found::There(role) = role {
                self.role_of(role);
            }
        }
        if let Found::There(called) = &target.function
            && let Some(key) = called.key(self.wiring)
        {
            self.function(&key, called.qualifier.as_deref());
        }
        for holder in artifacts::holders(self.wiring, target) {
            self.add(holder.account(), Read::CallerIdentity);
            self.add(holder.account(), holder.read());
        }
        if options.simulate {
            for (account, read) in simulation::reads(self.wiring, self.observed, target) {
                self.add(&account, read);
            }
        }
    }

    /// A function and the role that it runs with. The role of the function itself is asked for early: that of a version or an
    /// alias is mostly the same.
    fn function(&mut self, key: &FunctionKey, qualifier: Option<&str>) {
        self.add(&key.account, key.read());
        self.add(&key.account, key.policy(qualifier));
        self.add(&key.account, key.concurrency());
        if let Seen::Present(function) = self.observed.function(key) {
            self.role_of(&function.role);
        }
        if let Some(qualifier) = qualifier {
            self.add(&key.account, key.version(qualifier));
            if let Seen::Present(function) = self.observed.function_version(key, qualifier) {
                self.role_of(&function.role);
            }
        }
    }

    fn role_of(&mut self, role: &RoleArn) {
        if let Some(key) = role_key(self.wiring, role) {
            self.role(&key);
        }
    }

    fn role(&mut self, key: &RoleKey) {
        let RoleKey { account, name } = key;
        let role = name.clone();
        self.add(account, Read::Role { role: role.clone() });
        self.add(account, Read::InlinePolicyNames { role: role.clone() });
        self.add(account, Read::AttachedPolicies { role });
        if let Seen::Present(names) = self.observed.inline_policy_names(key) {
            for name in names {
                self.add(account, key.inline_policy(name));
            }
        }
        if let Seen::Present(attached) = self.observed.attached_policies(key) {
            for policy in attached {
                self.managed(account, &policy.arn);
            }
        }
        if let Seen::Present(found) = self.observed.role(key)
            && let Some(boundary) = &found.permissions_boundary
        {
            self.managed(account, boundary);
        }
    }

    fn managed(&mut self, account: &AccountName, arn: &str) {
        let version = match self.observed.managed_policy(account, arn) {
            Seen::NotRead => FIRST_VERSION,
            Seen::Present(version) => version,
            Seen::Absent | Seen::Unreadable(_) => return,
        };
        let version = Read::ManagedPolicyVersion {
            arn: arn.to_owned(),
            version: version.to_owned(),
        };
        self.add(account, version);
        let arn = arn.to_owned();
        self.add(account, Read::ManagedPolicy { arn });
    }
}
