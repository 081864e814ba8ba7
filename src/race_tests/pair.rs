//! Two crossgates at once: on the same manifest, and of two projects on the same pipeline, function and roles.
//! All orders of their calls are enumerated; the suite samples them, an ignored test runs them all.

use serde_json::json;

use super::turns::{Orders, Touch, Turn, interleave, orders};
use super::{Ended, Job, run, world};
use crate::model::change::Intent;
use crate::model::pipeline::PipelineDocument;
use crate::model::wiring::Wiring;
use crate::world::{MANIFEST, World, block_on, options, wiring};

/// Another project's gate in the same stage of the same pipeline, on the same function and with the same execution and service role.
fn other_project() -> String {
    MANIFEST
        .replace("\"checkout\"", "\"billing\"")
        .replace("\"RunValidation\"", "\"RunAudit\"")
}

/// Two that run at once, what was there before, and the wirings of those that shall be wired in the end.
struct Pair {
    name: &'static str,
    before: Vec<Job>,
    jobs: [Job; 2],
}

fn pairs() -> Vec<Pair> {
    let ours = wiring(MANIFEST, &[]);
    let theirs = wiring(&other_project(), &[]);
    let up = |wiring: &Wiring| Job::Gates(wiring.clone(), Intent::Bootstrap);
    let down = |wiring: &Wiring| Job::Gates(wiring.clone(), Intent::Teardown);
    let pair = |name, before: &[Job], one, other| Pair {
        name,
        before: before.to_vec(),
        jobs: [one, other],
    };
    vec![
        pair("two bootstraps", &[], up(&ours), up(&ours)),
        pair(
            "bootstrap and teardown",
            &[up(&ours)],
            up(&ours),
            down(&ours),
        ),
        pair(
            "teardown and bootstrap of what is not there",
            &[],
            down(&ours),
            up(&ours),
        ),
        pair("two teardowns", &[up(&ours)], down(&ours), down(&ours)),
        pair("bootstraps of two projects", &[], up(&ours), up(&theirs)),
        pair(
            "bootstrap beside another project's teardown",
            &[up(&theirs)],
            up(&ours),
            down(&theirs),
        ),
        pair(
            "teardowns of two projects",
            &[up(&ours), up(&theirs)],
            down(&ours),
            down(&theirs),
        ),
    ]
}

/// One order, to its end and after it.
fn one_order(pair: &Pair, choose: impl FnMut([Option<Touch>; 2]) -> Option<usize>) -> bool {
    let world = world(&pair.before);
    let [one, other] = &pair.jobs;
    {
        let turns = [Turn::new(&world), Turn::new(&world)];
        let [first, second] = &turns;
        let ended = interleave([first, second], run(first, one), run(second, other), choose);
        let Some((one, other)) = ended else {
            return false;
        };
        for (turn, ended) in turns.iter().zip([&one, &other]) {
            told(&world, turn, ended, pair.name);
        }
    }
    for job in &pair.jobs {
        checked(&world, job, pair.name);
    }
    converges(&world, pair);
    true
}

/// What one wrote over the other's work unseen is told, and kept.
fn told(world: &World, turn: &Turn<'_>, ended: &Ended, name: &str) {
    for version in turn.buried.borrow().iter() {
        let earlier = world.earlier.borrow();
        let of = |version: u64| {
            let mut all = earlier.iter().map(|(_, _, _, document)| document);
            let found = all.find(|document| document["version"] == json!(version))?;
            Some(PipelineDocument::parse(&found.to_string()).unwrap())
        };
        let lost = of(*version).unwrap();
        // Who wrote the same has lost nothing.
        let now = of(version + 1)
            .or_else(|| world.document("MyPipeline"))
            .unwrap();
        if now.says_the_same(&lost) {
            continue;
        }
        assert!(
            ended.told() > 0,
            "{name}: version {version} is lost and not told"
        );
        assert!(
            ended.holds(&lost),
            "{name}: version {version} is lost and not saved"
        );
    }
}

/// True where all that a gate of the manifest needs is there.
fn is_wired(world: &World, wiring: &Wiring) -> bool {
    let accounts = world.accounts.borrow();
    let gate = &wiring.gates[0];
    let role = gate.role.name.as_str();
    let has = |account: &str, role: &str, policy: &str| {
        let role = accounts[account].roles.get(role);
        role.is_some_and(|role| role.inline.contains_key(policy))
    };
    let now = world.document("MyPipeline").unwrap();
    let stands = now.stages().any(|stage| {
        stage
            .actions()
            .any(|action| action.name() == gate.action.name.as_str())
    });
    stands
        && has("dev", role, wiring.invoke_policy().as_str())
        && has("dev", "ExecutionRole", wiring.callback_policy().as_str())
        && has("tools", "ServiceRole", wiring.assume_policy().as_str())
}

/// A check after both says in sync only where everything is there.
fn checked(world: &World, job: &Job, name: &str) {
    let Job::Gates(wiring, _) = job else { return };
    let check = world.plan(wiring, &options(Intent::Bootstrap));
    assert!(
        !check.is_in_sync() || is_wired(world, wiring),
        "{name}: in sync wrongly"
    );
}

/// One more run of each, one after the other, ends where they would have ended alone; and teardowns leave nothing.
fn converges(world: &World, pair: &Pair) {
    let name = pair.name;
    let mut wirings = Vec::new();
    for job in &pair.jobs {
        let Job::Gates(wiring, intent) = job else {
            continue;
        };
        block_on(run(world, job));
        let again = world.plan(wiring, &options(*intent));
        assert!(
            again.is_in_sync(),
            "{name}: {:?} {:?}",
            again.changes,
            again.problems
        );
        assert_eq!(
            is_wired(world, wiring),
            *intent == Intent::Bootstrap,
            "{name}"
        );
        wirings.push(wiring.clone());
    }
    for wiring in wirings {
        block_on(run(world, &Job::Gates(wiring, Intent::Teardown)));
    }
    assert_eq!(
        world.content(),
        World::new().content(),
        "{name}: something is left, or lost"
    );
}

/// All orders that can be told apart, or the first so many of them.
fn enumerate(pair: &Pair, most: usize) -> Orders {
    let mut all = Orders::default();
    loop {
        let ended = one_order(pair, |upcoming| all.choose(&upcoming));
        if !all.next(ended) || all.whole >= most {
            return all;
        }
    }
}

/// A number from a seed and a place: the same every time.
fn dice(seed: u64, place: u64) -> u64 {
    let mut x =
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 31)
}

/// Orders by chance: long stretches of one run and short ones, so that they are spread over all.
fn sampled(pair: &Pair, seeds: u64) {
    for seed in 0..seeds {
        let (mut place, mut who) = (0, 0);
        let stretch = 1 + seed % 5;
        let ended = one_order(pair, |upcoming| {
            place += 1;
            if dice(seed, place).is_multiple_of(stretch) {
                who = usize::from(dice(seed, place + 1_000).is_multiple_of(2));
            }
            Some(if upcoming[who].is_some() {
                who
            } else {
                1 - who
            })
        });
        assert!(ended, "seed {seed}");
    }
}

/// Orders of each pair that the suite runs: the first of the enumeration, and some by chance.
const FIRST: usize = 15;
const SEEDS: u64 = 25;

#[test]
fn two_at_once_lose_nothing_unsaid_and_one_more_run_converges() {
    for pair in pairs() {
        enumerate(&pair, FIRST);
        sampled(&pair, SEEDS);
        println!(
            "{}: the first {FIRST} orders and {SEEDS} by chance",
            pair.name
        );
    }
}

/// `cargo test --release --lib race_tests -- --ignored --nocapture`
#[test]
#[ignore = "minutes: all orders"]
fn two_at_once_in_every_order() {
    let mut total = 0;
    for pair in pairs() {
        let all = enumerate(&pair, usize::MAX);
        println!(
            "{}: {} orders that can be told apart, all run ({} broken off as repetitions), of {:.3e} of {:?} calls",
            pair.name,
            all.whole,
            all.broken,
            orders(all.calls),
            all.calls,
        );
        total += all.whole;
    }
    println!("{total} orders of two runs");
}
