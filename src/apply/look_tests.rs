//! When a pipeline is looked at before it is changed.

use std::cell::{Cell, RefCell};

use super::*;
use crate::model::change::Intent;
use crate::model::progress::Silent;
use crate::model::read::Read;
use crate::world::{MANIFEST, NoTime, Shelf, World, block_on, options, wiring};

/// Real accounts never answer at once: what was begun beside a call is begun before that call is over.
struct Slow<'w> {
    world: &'w World,
    /// Calls as they begin and end.
    calls: RefCell<Vec<String>>,
    fails: &'static str,
}

impl<'w> Slow<'w> {
    fn new(world: &'w World) -> Self {
        Self {
            world,
            calls: RefCell::default(),
            fails: "",
        }
    }

    async fn answers(&self, call: &str) {
        self.calls.borrow_mut().push(format!("{call} begins"));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.calls.borrow_mut().push(format!("{call} ends"));
    }

    /// Where the calls with this name stand.
    fn places(&self, of: impl Fn(&str) -> bool) -> Vec<usize> {
        let calls = self.calls.borrow();
        let places = calls.iter().enumerate().filter(|(_, call)| of(call));
        places.map(|(place, _)| place).collect()
    }

    fn looks(&self) -> usize {
        self.places(|call| call == "GetPipeline begins").len()
    }
}

impl Cloud for Slow<'_> {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        self.answers(read.operation().rsplit(':').next().unwrap())
            .await;
        self.world.read(account, read).await
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        let operation = write.operation().rsplit(':').next().unwrap();
        self.answers(operation).await;
        if operation == self.fails {
            return Err(crate::world::no_answer(account, write));
        }
        self.world.write(account, write).await
    }
}

/// A second goes by with each look at the clock.
#[derive(Default)]
struct Ticking(Cell<u64>);

impl Timing for Ticking {
    async fn sleep(&self, _: Duration) {}
    fn chance(&self) -> f64 {
        0.5
    }
    fn is_interrupted(&self) -> bool {
        false
    }
    fn now(&self) -> Duration {
        self.0.set(self.0.get() + 1);
        Duration::from_secs(self.0.get())
    }
}

fn apply_to<T: Timing>(cloud: &Slow<'_>, plan: &Plan, timing: &T) -> Report {
    let tools = Tools {
        cloud,
        timing,
        backup: &Shelf::default(),
        progress: &Silent,
        side_by_side: 16,
    };
    block_on(apply(plan, &tools))
}

#[test]
fn the_only_pipeline_is_looked_at_while_the_last_policies_before_it_are_put() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let cloud = Slow::new(&world);
    let report = apply_to(&cloud, &plan, &NoTime);
    assert!(report.outcomes.iter().all(|o| *o == Outcome::Done));
    assert_eq!(report.problems, []);
    assert_eq!(cloud.looks(), 1);
    let look = cloud.places(|call| call == "GetPipeline begins")[0];
    let begun = cloud.places(|call| call.ends_with("Policy begins"));
    let ended = cloud.places(|call| call.ends_with("Policy ends"));
    assert!(begun.iter().all(|place| *place < look), "all are under way");
    assert!(ended.iter().any(|place| *place > look), "beside the last");
    let changed = cloud.places(|call| call == "UpdatePipeline begins");
    assert!(changed[0] > *ended.iter().max().unwrap());
}

#[test]
fn a_look_that_is_too_long_ago_is_taken_again() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let cloud = Slow::new(&world);
    let report = apply_to(&cloud, &plan, &Ticking::default());
    assert!(report.outcomes.iter().all(|o| *o == Outcome::Done));
    assert_eq!(cloud.looks(), 2);
    let look = cloud.places(|call| call == "GetPipeline begins")[1];
    let ended = cloud.places(|call| call.ends_with("Policy ends"));
    assert!(ended.iter().all(|place| *place < look));
}

#[test]
fn a_pipeline_whose_policy_fails_is_not_changed_whatever_was_seen() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let before = world.document("MyPipeline");
    let cloud = Slow {
        fails: "PutRolePolicy",
        ..Slow::new(&world)
    };
    let report = apply_to(&cloud, &plan, &NoTime);
    let last = report.outcomes.last().unwrap();
    assert!(matches!(last, Outcome::Skipped { .. }), "{last:?}");
    assert_eq!(cloud.looks(), 1);
    assert_eq!(world.document("MyPipeline"), before);
}

#[test]
fn a_pipeline_of_many_is_looked_at_when_it_is_its_turn() {
    let world = World::new();
    world.edit("tools", |account| {
        let mut other =
            account.pipelines[&("us-east-1".to_owned(), "MyPipeline".to_owned())].clone();
        other["name"] = "Other".into();
        let key = ("us-east-1".to_owned(), "Other".to_owned());
        account.pipelines.insert(key, other);
    });
    let second = MANIFEST.split("[[gates]]").nth(1).unwrap();
    let second = second
        .replacen("validate", "second", 1)
        .replace("MyPipeline", "Other");
    let manifest = format!("{MANIFEST}\n[[gates]]{second}");
    let plan = world.plan(&wiring(&manifest, &[]), &options(Intent::Bootstrap));
    let cloud = Slow::new(&world);
    let report = apply_to(&cloud, &plan, &NoTime);
    assert!(report.outcomes.iter().all(|o| *o == Outcome::Done));
    assert_eq!(cloud.looks(), 2);
    let looks = cloud.places(|call| call == "GetPipeline begins");
    let ended = cloud.places(|call| call == "PutRolePolicy ends");
    // Each gate needs three policies, two of which both share.
    assert!(
        looks
            .iter()
            .all(|look| ended.iter().filter(|end| *end < look).count() >= 3)
    );
}
