//! The policies of an organization in memory: what they deny, whom they do not affect, and what is said where they were not seen.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::tests::{allow, broken, deny, hop, proof, wired};
use super::{Options, status};
use crate::model::account::{AccountId, AccountName};
use crate::model::chain::{Answer, HopId, NotSeen, Proof};
use crate::model::read::ControlKind;
use crate::model::status::Status;
use crate::model::wiring::OrganizationReader;
use crate::world::{World, WorldAccount, WorldOrganization};

const TOOLS: &str = "111111111111";
const DEV: &str = "222222222222";
const MANAGEMENT: &str = "333333333333";
const ROOT: &str = "r-root";
const UNIT: &str = "ou-root-unit";

/// A wired gate whose accounts are in an organization: `tools` under the root, `dev` under a unit, and FullAWSAccess everywhere.
fn organized() -> World {
    let world = wired();
    let management = WorldAccount {
        id: MANAGEMENT.to_owned(),
        roles: BTreeMap::new(),
        functions: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        managed: BTreeMap::new(),
        function_policies: BTreeMap::new(),
        reserved: BTreeMap::new(),
        buckets: BTreeMap::new(),
        keys: BTreeMap::new(),
        left: BTreeMap::new(),
    };
    let mut accounts = world.accounts.borrow_mut();
    accounts.insert("management".to_owned(), management);
    drop(accounts);
    let parents = [(MANAGEMENT, ROOT), (TOOLS, ROOT), (DEV, UNIT), (UNIT, ROOT)];
    *world.organization.borrow_mut() = Some(WorldOrganization {
        management: MANAGEMENT.to_owned(),
        parents: parents.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        attached: BTreeMap::new(),
    });
    for target in [ROOT, UNIT, MANAGEMENT, TOOLS, DEV] {
        attach(&world, target, "p-FullAWSAccess", &allow("*", "*"));
    }
    world
}

fn edit(world: &World, change: impl FnOnce(&mut WorldOrganization)) {
    change(world.organization.borrow_mut().as_mut().unwrap());
}

fn attach(world: &World, target: &str, name: &str, text: &str) {
    edit(world, |o| {
        let key = (target.to_owned(), ControlKind::Service);
        let attached = o.attached.entry(key).or_default();
        attached.insert(name.to_owned(), text.to_owned());
    });
}

fn through(world: &World, account: &str, id: &str) -> Proof {
    let options = Options {
        organizations: Some(OrganizationReader {
            account: AccountName::new(account).unwrap(),
            id: AccountId::new(id).unwrap(),
        }),
        ..Options::default()
    };
    proof(world, &options)
}

fn seen(world: &World) -> Proof {
    through(world, "management", MANAGEMENT)
}

#[test]
fn an_organization_that_denies_nothing_proves_the_gate_with_nothing_left_unseen() {
    let world = organized();
    let proof = seen(&world);
    assert_eq!(broken(&proof), []);
    assert_eq!(proof.not_seen, []);
    assert_eq!(status(&proof), Status::InSync);
    // The parent of the account, that of its unit, the policies of the root, their texts: no round more.
    assert!(world.rounds.get() <= 4, "{} rounds", world.rounds.get());
    let mut once = world.reads.borrow().clone();
    once.sort();
    once.dedup();
    assert_eq!(
        once.len(),
        world.reads.borrow().len(),
        "nothing is read twice"
    );
}

#[test]
fn a_deny_at_a_unit_refutes_the_hops_of_its_accounts_and_says_where() {
    let world = organized();
    attach(&world, UNIT, "p-never", &deny("lambda:InvokeFunction", "*"));
    let proof = seen(&world);
    assert_eq!(broken(&proof), [(HopId::Two, Answer::ExplicitlyDenied)]);
    let hop = hop(&proof, HopId::Two);
    let deciding = &hop.statements[0];
    assert_eq!(deciding.layer, format!("scp:{UNIT}"));
    assert_eq!(deciding.policy, "p-never");
    assert_eq!(status(&proof), Status::Drift);
}

#[test]
fn a_level_without_an_allow_denies() {
    let world = organized();
    edit(&world, |o| {
        o.attached.remove(&(UNIT.to_owned(), ControlKind::Service));
    });
    attach(&world, UNIT, "p-some", &allow("s3:*", "*"));
    let ids: Vec<HopId> = broken(&seen(&world))
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, [HopId::Two, HopId::TwoPrime, HopId::Three]);
}

#[test]
fn the_management_account_is_not_affected() {
    let world = organized();
    attach(&world, ROOT, "p-never", &deny("sts:*", "*"));
    assert_eq!(
        broken(&seen(&world)),
        [(HopId::One, Answer::ExplicitlyDenied)]
    );
    edit(&world, |o| TOOLS.clone_into(&mut o.management));
    assert_eq!(broken(&through(&world, "tools", TOOLS)), []);
}

#[test]
fn a_kind_that_is_not_enabled_limits_nothing() {
    let world = organized();
    edit(&world, |o| o.attached.clear());
    let proof = seen(&world);
    assert_eq!((broken(&proof), proof.not_seen), (vec![], vec![]));
}

#[test]
fn an_organization_that_may_not_be_read_leaves_the_hops_unproven() {
    for operation in [
        "organizations:DescribeOrganization",
        "organizations:ListParents",
        "organizations:ListPoliciesForTarget",
        "organizations:DescribePolicy",
    ] {
        let world = organized();
        *world.refused.borrow_mut() = Some(operation);
        let proof = seen(&world);
        assert!(!broken(&proof).is_empty(), "{operation}");
        for (_, answer) in broken(&proof) {
            assert_eq!(answer, Answer::NotProven, "{operation}");
        }
        assert!(hop(&proof, HopId::One).reason.contains(operation));
        assert!(proof.not_seen.contains(&NotSeen::Scp), "{operation}");
        assert_eq!(status(&proof), Status::Incomplete, "{operation}");
        // What denies elsewhere denies all the same.
        world.put_inline("tools", "ServiceRole", "no", &deny("sts:*", "*"));
        let denied = seen(&world);
        let answer = hop(&denied, HopId::One).answer;
        assert_eq!(answer, Answer::ExplicitlyDenied, "{operation}");
    }
}

#[test]
fn credentials_of_another_account_or_none_see_nothing() {
    let world = organized();
    let proof = through(&world, "management", "444444444444");
    assert_eq!(status(&proof), Status::Incomplete);
    assert!(hop(&proof, HopId::One).reason.contains(MANAGEMENT));
    world.closed.borrow_mut().push("management".to_owned());
    assert_eq!(status(&seen(&world)), Status::Incomplete);
}

#[test]
fn where_no_account_is_in_an_organization_nothing_limits_them() {
    let world = organized();
    *world.organization.borrow_mut() = None;
    for (account, id) in [("tools", TOOLS), ("management", MANAGEMENT)] {
        let proof = through(&world, account, id);
        assert_eq!(broken(&proof), []);
        assert_eq!(proof.not_seen, []);
        assert_eq!(status(&proof), Status::InSync);
    }
}

#[test]
fn that_the_reader_has_no_organization_proves_nothing_of_the_others() {
    let world = organized();
    edit(&world, |o| drop(o.parents.remove(TOOLS)));
    let proof = through(&world, "tools", TOOLS);
    assert_eq!(status(&proof), Status::Incomplete);
    assert!(hop(&proof, HopId::Two).reason.contains("o-exampleorg"));
    // The other way round: the organization does not have `tools`, and `tools` has none.
    let proof = seen(&world);
    assert_eq!((broken(&proof), status(&proof)), (vec![], Status::InSync));
}

#[test]
fn units_may_nest_as_deep_as_they_can() {
    let world = organized();
    // Organizations quotas: five units deep.
    let chain = [UNIT, "ou-4", "ou-3", "ou-2", "ou-1", ROOT];
    for pair in chain.windows(2) {
        let [child, parent] = pair else { continue };
        edit(&world, |o| {
            let (child, parent) = ((*child).to_owned(), (*parent).to_owned());
            o.parents.insert(child, parent);
        });
        attach(&world, pair[1], "p-FullAWSAccess", &allow("*", "*"));
    }
    assert_eq!(status(&seen(&world)), Status::InSync);
    attach(&world, "ou-1", "p-never", &deny("codepipeline:*", "*"));
    assert_eq!(
        broken(&seen(&world)),
        [(HopId::Three, Answer::ExplicitlyDenied)]
    );
}

#[test]
fn units_that_never_end_are_not_followed_for_ever() {
    let world = organized();
    edit(&world, |o| {
        o.parents.insert(UNIT.to_owned(), UNIT.to_owned());
    });
    assert_eq!(status(&seen(&world)), Status::Incomplete);
}
