//! The order of steps among accounts, and policies whose write gets no answer.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use super::queue::STEPS_PER_ACCOUNT;
use super::*;
use crate::model::account::Region;
use crate::model::artifact::BucketName;
use crate::model::change::Intent;
use crate::model::name::{Project, RoleName};
use crate::model::policy::{Clause, Effect, Statement};
use crate::model::progress::Silent;
use crate::model::read::Read;
use crate::model::resource_policy::PolicyUpdate;
use crate::world::{NoTime, Shelf, block_on, no_answer};

fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        intent: Intent::Teardown,
        project: Project::new("checkout").unwrap(),
        gates: Vec::new(),
        changes: Vec::new(),
        steps,
        problems: Vec::new(),
    }
}

fn run_all<C: Cloud>(plan: &Plan, cloud: &C, side_by_side: usize) -> Report {
    let tools = Tools {
        cloud,
        timing: &NoTime,
        backup: &Shelf::default(),
        progress: &Silent,
        side_by_side,
    };
    block_on(apply(plan, &tools))
}

/// A service that takes its time for one account: it answers there only when nothing else is to be done anywhere.
#[derive(Default)]
struct Throttling {
    begun: RefCell<Vec<String>>,
    at_once: Cell<usize>,
    most_at_once: Cell<usize>,
}

impl Cloud for Throttling {
    async fn read(&self, _: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        panic!("{read}")
    }

    async fn write(&self, account: &AccountName, _: &Write) -> Result<Written, CloudError> {
        self.begun.borrow_mut().push(account.to_string());
        self.at_once.set(self.at_once.get() + 1);
        self.most_at_once
            .set(self.most_at_once.get().max(self.at_once.get()));
        for _ in 0..100 {
            if account.as_str() == "slow" {
                tokio::task::yield_now().await;
            }
        }
        self.at_once.set(self.at_once.get() - 1);
        Ok(Written::Done)
    }
}

#[test]
fn an_account_that_is_slow_leaves_places_to_the_others() {
    let step = |name: &str, n: usize| Step {
        account: account(name),
        changes: Vec::new(),
        after: Vec::new(),
        work: Work::Write {
            write: Write::DeleteRole {
                role: RoleName::new(&format!("r{n}")).unwrap(),
            },
            settling: false,
        },
    };
    let slow = (0..200).map(|n| step("slow", n));
    let plan = plan(slow.chain((0..50).map(|n| step("quick", n))).collect());
    let cloud = Throttling::default();
    let report = run_all(&plan, &cloud, 64);
    assert_eq!(report.writes, 250, "each step, once");
    let begun = cloud.begun.borrow();
    assert_eq!(begun.len(), 250);
    let last = begun.iter().rposition(|name| name == "quick").unwrap();
    let before = begun.iter().take(last).filter(|name| *name == "slow");
    assert_eq!(before.count(), STEPS_PER_ACCOUNT);
    assert!(cloud.most_at_once.get() <= 64);
}

/// What becomes of the first write of a bucket's policy, whose answer is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lost {
    /// It is made.
    Made,
    /// It is not, and nobody else writes.
    NotMade,
    /// It is made, and then somebody else adds a statement.
    MadeThenTheirs,
    /// It is not made, and somebody else adds a statement.
    Theirs,
    /// No answer ever comes.
    Always,
}

struct Bucket {
    policy: RefCell<Value>,
    lost: Lost,
    writes: Cell<usize>,
}

impl Bucket {
    fn add_theirs(&self) {
        let mut policy = self.policy.borrow_mut();
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.push(json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}));
    }

    fn sids(&self) -> Vec<String> {
        let policy = self.policy.borrow();
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements
            .map(|s| s["Sid"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Cloud for Bucket {
    async fn read(&self, _: &AccountName, _: &Read) -> Result<Fact, CloudError> {
        Ok(Fact::BucketPolicy(Some(self.policy.borrow().to_string())))
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        self.writes.set(self.writes.get() + 1);
        let Write::PutBucketPolicy { document, .. } = write else {
            panic!("{write:?}")
        };
        let lost = match (self.lost, self.writes.get()) {
            (Lost::Always, _) => Some(Lost::NotMade),
            (lost, 1) => Some(lost),
            _ => None,
        };
        if matches!(lost, None | Some(Lost::Made | Lost::MadeThenTheirs)) {
            *self.policy.borrow_mut() = serde_json::from_str(document).unwrap();
        }
        if matches!(lost, Some(Lost::Theirs | Lost::MadeThenTheirs)) {
            self.add_theirs();
        }
        match lost {
            None => Ok(Written::Done),
            Some(_) => Err(no_answer(account, write)),
        }
    }
}

/// The outcome, the statements that are there then, the writes, and the problems that are told.
fn put_without_an_answer(lost: Lost) -> (Outcome, Vec<String>, usize, Vec<&'static str>) {
    let ours = Statement {
        sid: Some("Ours".to_owned()),
        effect: Effect::Allow,
        principal: None,
        action: Clause::Is(vec!["s3:GetObject".to_owned()]),
        resource: Some(Clause::Is(vec!["*".to_owned()])),
        conditions: Vec::new(),
    };
    let before = json!({"Version": "2012-10-17", "Statement": []});
    let update = PolicyUpdate {
        holder: PolicyHolder::Bucket {
            account: account("tools"),
            region: Region::new("eu-west-1").unwrap(),
            bucket: BucketName::new("artifacts").unwrap(),
        },
        sids: vec!["Ours".to_owned()],
        wanted: vec![ours],
        planned: Some(before.to_string()),
    };
    let bucket = Bucket {
        policy: RefCell::new(before),
        lost,
        writes: Cell::new(0),
    };
    let tools = Tools {
        cloud: &bucket,
        timing: &NoTime,
        backup: &Shelf::default(),
        progress: &Silent,
        side_by_side: 1,
    };
    let done = block_on(policy::change(&update, "it", &tools));
    assert!(done.wrote, "it may have been written");
    let codes = done.problems.iter().map(|problem| problem.code).collect();
    (done.outcome, bucket.sids(), bucket.writes.get(), codes)
}

#[test]
fn a_policy_whose_write_gets_no_answer_is_looked_at_and_never_blindly_sent_again() {
    let done = |sids: &[&str], writes, codes: &[&'static str]| {
        let sids = sids.iter().map(|&sid| sid.to_owned()).collect();
        (Outcome::Done, sids, writes, codes.to_vec())
    };
    assert_eq!(put_without_an_answer(Lost::Made), done(&["Ours"], 1, &[]));
    assert_eq!(
        put_without_an_answer(Lost::NotMade),
        done(&["Ours"], 2, &[])
    );
    assert_eq!(
        put_without_an_answer(Lost::MadeThenTheirs),
        done(&["Ours", "Theirs"], 1, &[])
    );
    assert_eq!(
        put_without_an_answer(Lost::Theirs),
        done(&["Theirs", "Ours"], 2, &["policy_moved"])
    );
    let (outcome, sids, writes, _) = put_without_an_answer(Lost::Always);
    assert!(
        matches!(&outcome, Outcome::Failed(Failure::Cloud(error)) if error.message == "connection closed"),
        "{outcome:?}"
    );
    assert!(sids.is_empty());
    assert_eq!(writes, 4);
}
