//! Law 6 over generated accounts that are full of look-alikes: whatever a command is given, only what is the project's changes.
//! Every world goes from nothing to gates, to gates of a changed manifest, to nothing; before and after each command all accounts are
//! compared by an oracle that knows design.md and not this module.
// What the long run prints is what it is run for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod decoys;
mod manifests;
mod oracle;

use serde_json::{Value, json};

use crate::model::change::{Change, Intent, Outcome, Plan};
use crate::model::observed::Observed;
use crate::model::progress::Silent;
use crate::observe::observe;
use crate::plan::orphans;
use crate::world::random::Random;
use crate::world::{World, block_on, options, service_trust};

use super::Options;
use decoys::{BEFORE, BETWEEN, Decoy, IN_THE_WAY};
use manifests::Manifest;
use oracle::{Command, Run, trespasses};

/// What a world is made of: the same recipe is the same world.
#[derive(Debug, Clone)]
struct Recipe {
    seed: u64,
    first: Manifest,
    second: Manifest,
    adopt: bool,
    remove_unexpected: bool,
    before: Vec<usize>,
    in_the_way: Vec<usize>,
    between: Vec<usize>,
}

const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1111-22";
const KEY_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM policies","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#;

impl Recipe {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let project = *random.pick(&["checkout", "check-out", "a"]);
        let first = Manifest::new(project, &mut random);
        let second = first.changed(&mut random);
        let mut some = |all: usize, percent: usize| -> Vec<usize> {
            (0..all).filter(|_| random.percent(percent)).collect()
        };
        Self {
            seed,
            first,
            second,
            before: some(BEFORE.len(), 40),
            in_the_way: some(IN_THE_WAY.len(), 6),
            between: some(BETWEEN.len(), 20),
            adopt: !some(1, 30).is_empty(),
            remove_unexpected: !some(1, 12).is_empty(),
        }
    }

    fn put(&self, world: &World, from: &[(&str, Decoy)], which: &[usize], manifest: &Manifest) {
        for at in which {
            // Each by chance of its own, so that it is the same whichever others are there.
            let number = u64::try_from(*at).unwrap();
            let mut random =
                Random::new(self.seed ^ (number << 40) ^ u64::try_from(from.len()).unwrap());
            from[*at].1(world, &mut random, manifest);
        }
    }

    fn world(&self) -> World {
        let world = World::new();
        let third = {
            let accounts = world.snapshot();
            let mut third = accounts["dev"].clone();
            third.id = "333333333333".to_owned();
            third.roles.clear();
            third.functions.clear();
            third
        };
        world
            .accounts
            .borrow_mut()
            .insert("third".to_owned(), third);
        let lambda = service_trust("lambda.amazonaws.com");
        world.add_role("dev", "OtherRole", &lambda);
        world.add_role("dev", "Bystander", &lambda);
        world.add_role("tools", "ToolsRole", &lambda);
        world.add_function("OtherFunction", "OtherRole");
        world.add_pipeline("OtherPipeline", "ServiceRole");
        for name in ["MyPipeline", "OtherPipeline"] {
            world.edit_pipeline(name, |p| {
                p["stages"][0]["actions"][0]["outputArtifacts"] = json!([{"name": "App"}]);
                p["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": KEY});
            });
        }
        world.edit("tools", |a| {
            let role = a.roles["ToolsRole"].role.arn.clone();
            let function = crate::world::function("us-east-1", &a.id, "MyFunction", role);
            let key = ("us-east-1".to_owned(), "MyFunction".to_owned());
            a.functions.insert(key, function);
            a.keys.insert("1111-22".to_owned(), KEY_POLICY.to_owned());
        });
        if !self.seed.is_multiple_of(3) {
            world.edit("tools", |a| {
                let policy = json!({"Version": "2008-10-17", "Id": "P", "Statement": {"Sid": "DenyInsecure",
                    "Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": "arn:aws:s3:::bucket/*"}});
                a.buckets.insert("bucket".to_owned(), policy.to_string());
            });
        }
        self.put(&world, &BEFORE, &self.before, &self.first);
        self.put(&world, &IN_THE_WAY, &self.in_the_way, &self.first);
        world
    }

    /// The same without one of its look-alikes.
    fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for (part, count) in [
            (0, self.before.len()),
            (1, self.in_the_way.len()),
            (2, self.between.len()),
        ] {
            for at in 0..count {
                let mut one = self.clone();
                let list = match part {
                    0 => &mut one.before,
                    1 => &mut one.in_the_way,
                    _ => &mut one.between,
                };
                list.remove(at);
                all.push(one);
            }
        }
        all
    }

    fn words(&self) -> String {
        let names = |from: &[(&'static str, Decoy)], which: &[usize]| -> Vec<&'static str> {
            which.iter().map(|at| from[*at].0).collect()
        };
        format!(
            "seed {}, adopt {}, remove unexpected {}\nbefore: {:?}\nin the way: {:?}\nbetween: {:?}\n{}\n--- changed:\n{}",
            self.seed,
            self.adopt,
            self.remove_unexpected,
            names(&BEFORE, &self.before),
            names(&IN_THE_WAY, &self.in_the_way),
            names(&BETWEEN, &self.between),
            self.first.text(),
            self.second.text(),
        )
    }
}

/// What was done in the worlds, so that nobody takes worlds in which nothing happened for a proof.
#[derive(Debug, Default)]
struct Counts {
    worlds: usize,
    runs: usize,
    refused: usize,
    writes: usize,
    changes: std::collections::BTreeMap<&'static str, usize>,
    /// Worlds that ended as they had begun, value for value.
    restored: usize,
}

struct Tour<'r> {
    recipe: &'r Recipe,
    world: World,
    counts: Counts,
}

impl Tour<'_> {
    /// Carries out a command and compares. `Ok(false)`: it was refused, and nothing at all was changed.
    fn run(&mut self, command: Command, manifest: &Manifest) -> Result<bool, String> {
        let before = self.world.snapshot();
        let (plan, report) = self.carry_out(command, manifest);
        let after = self.world.snapshot();
        self.counts.runs += 1;
        let Some(report) = report else {
            self.counts.refused += 1;
            if before != after {
                return Err(format!("{command:?} was refused and wrote"));
            }
            return Ok(false);
        };
        self.counts.writes += report.writes;
        for (change, outcome) in plan.changes.iter().zip(&report.outcomes) {
            let Change { kind, .. } = change;
            match outcome {
                Outcome::Done => *self.counts.changes.entry(kind.as_str()).or_default() += 1,
                Outcome::AlreadyThere | Outcome::Kept(_) => {}
                Outcome::Failed(_) | Outcome::Skipped { .. } => {
                    return Err(format!("{command:?}: {} {outcome:?}", change.id));
                }
            }
        }
        let run = Run {
            command,
            manifest,
            adopt: self.recipe.adopt && command == Command::Bootstrap,
            remove_unexpected: self.recipe.remove_unexpected,
        };
        match trespasses(&before, &after, run).as_slice() {
            [] => Ok(true),
            found => Err(format!("{command:?} touched\n  {}", found.join("\n  "))),
        }
    }

    fn carry_out(
        &self,
        command: Command,
        manifest: &Manifest,
    ) -> (Plan, Option<crate::model::change::Report>) {
        let intent = match command {
            Command::Bootstrap => Intent::Bootstrap,
            Command::Teardown | Command::Prune => Intent::Teardown,
        };
        let options = Options {
            adopt: self.recipe.adopt && command == Command::Bootstrap,
            remove_unexpected: self.recipe.remove_unexpected,
            ..options(intent)
        };
        let wiring = manifest.wiring();
        if command != Command::Prune {
            return self.world.run(&wiring, &options);
        }
        let wants = |seen: &Observed| orphans::wants(&wiring, seen, &options);
        let observed = block_on(observe(&self.world, wants, 16, &Silent));
        let plan = orphans::plan(&wiring, &observed, &options);
        let report = plan.may_apply().then(|| self.world.apply(&plan));
        (plan, report)
    }

    /// From nothing to gates, to other gates, to nothing.
    fn go(&mut self) -> Result<(), String> {
        let Recipe { first, second, .. } = self.recipe;
        let start = self.world.content();
        let mut is_clean = self.run(Command::Bootstrap, first)?;
        self.recipe
            .put(&self.world, &BETWEEN, &self.recipe.between, first);
        if !self.run(Command::Bootstrap, second)? {
            is_clean &= self.run(Command::Prune, second)?;
            is_clean &= self.run(Command::Bootstrap, second)?;
        }
        is_clean &= self.run(Command::Prune, second)?;
        is_clean &= self.run(Command::Teardown, second)?;
        is_clean &= self.run(Command::Prune, second)?;
        // What could not be wired as it was changed may still be there as it was first.
        is_clean &= self.run(Command::Teardown, first)?;
        self.run(Command::Prune, first)?;
        if is_clean && self.must_be_restored() {
            self.counts.restored += 1;
            let end = self.world.content();
            if end != start {
                return Err(format!("not as it was: {}", difference(&start, &end)));
            }
        }
        Ok(())
    }

    /// True where nobody but the project has changed anything since the start, and nothing of it was there before.
    fn must_be_restored(&self) -> bool {
        let Recipe {
            first,
            second,
            before,
            in_the_way,
            between,
            ..
        } = self.recipe;
        let own_objects = BEFORE.len() - 1;
        let manages = |m: &Manifest| m.gates.iter().any(|g| g.manage);
        between.is_empty()
            && in_the_way.is_empty()
            && !before.contains(&own_objects)
            // Without a managed gate the policies of bucket and key are not looked at any more (config/README.md, "Artifacts").
            && (!manages(first) || manages(second))
    }
}

fn difference(start: &oracle::State, end: &oracle::State) -> String {
    let lines = |state: &oracle::State| -> Vec<String> {
        format!("{state:#?}").lines().map(str::to_owned).collect()
    };
    let (start, end) = (lines(start), lines(end));
    let only = |these: &[String], those: &[String], sign: &str| -> Vec<String> {
        let new = these.iter().filter(|line| !those.contains(line));
        new.map(|line| format!("{sign}{line}")).collect()
    };
    let mut all = only(&start, &end, "-");
    all.extend(only(&end, &start, "+"));
    all.truncate(40);
    all.join("\n")
}

fn visit(recipe: &Recipe) -> Result<Counts, String> {
    let mut tour = Tour {
        recipe,
        world: recipe.world(),
        counts: Counts::default(),
    };
    tour.go()?;
    Ok(tour.counts)
}

/// Goes through the worlds; one that fails is made as small as it can be while it fails.
fn worlds(seeds: std::ops::Range<u64>) -> Counts {
    let mut total = Counts::default();
    for seed in seeds {
        let mut recipe = Recipe::new(seed);
        let counts = match visit(&recipe) {
            Ok(counts) => counts,
            Err(mut why) => {
                while let Some((smaller, again)) = recipe
                    .smaller()
                    .into_iter()
                    .find_map(|one| visit(&one).err().map(|why| (one, why)))
                {
                    (recipe, why) = (smaller, again);
                }
                panic!("{}\n{why}", recipe.words());
            }
        };
        total.worlds += 1;
        total.runs += counts.runs;
        total.refused += counts.refused;
        total.writes += counts.writes;
        total.restored += counts.restored;
        for (kind, count) in counts.changes {
            *total.changes.entry(kind).or_default() += count;
        }
    }
    total
}

#[test]
fn law_6_in_worlds_of_look_alikes_only_what_is_the_projects_changes() {
    let counts = worlds(0..150);
    assert!(counts.writes > 2_000, "{counts:#?}");
    assert!(counts.refused * 3 < counts.runs, "{counts:#?}");
    assert!(counts.restored > 5, "{counts:#?}");
    for kind in [
        "iam_role",
        "iam_inline_policy",
        "pipeline_action",
        "lambda_function",
        "s3_bucket_policy",
        "kms_key_policy",
    ] {
        assert!(counts.changes.contains_key(kind), "{kind}: {counts:#?}");
    }
}

#[test]
#[ignore = "a minute; `cargo test --release --lib -- --ignored --nocapture worlds_4000`"]
fn worlds_4000_of_look_alikes() {
    let counts = worlds(0..4_000);
    eprintln!("{counts:#?}");
}

/// What the oracle says of a world with one thing changed by somebody's hand.
fn said(change: impl FnOnce(&World)) -> Vec<String> {
    let recipe = Recipe {
        before: vec![BEFORE.len() - 2],
        in_the_way: Vec::new(),
        ..Recipe::new(1)
    };
    let world = recipe.world();
    world.run(&recipe.first.wiring(), &options(Intent::Bootstrap));
    let before = world.snapshot();
    change(&world);
    let run = Run {
        command: Command::Bootstrap,
        manifest: &recipe.first,
        adopt: false,
        remove_unexpected: false,
    };
    trespasses(&before, &world.snapshot(), run)
}

/// What somebody does by hand.
type Deed = fn(&World);

#[test]
fn the_oracle_sees_whatever_is_touched() {
    assert_eq!(said(|_| {}), [""; 0]);
    let changes: [(&str, Deed); 12] = [
        ("role Bystander", |w| {
            w.put_inline("dev", "Bystander", "x", "{}");
        }),
        ("role New", |w| w.add_role("dev", "New", "{}")),
        ("role OtherRole", |w| {
            w.edit("dev", |a| drop(a.roles.remove("OtherRole")));
        }),
        ("role Bystander", |w| {
            w.edit_role("dev", "Bystander", |r| {
                r.role
                    .tags
                    .insert("crossgate:project".to_owned(), "a".to_owned());
            });
        }),
        ("function", |w| w.edit("dev", |a| a.functions.clear())),
        ("pipeline", |w| {
            w.edit_pipeline("MyPipeline", |p| p["version"] = json!(99));
        }),
        ("pipeline", |w| {
            w.edit_pipeline("MyPipeline", |p| p["stages"][1]["x"] = json!(1));
        }),
        ("pipeline", |w| {
            w.edit_pipeline("OtherPipeline", |p| {
                let stages = p["stages"].as_array_mut().unwrap();
                stages.swap(1, 2);
            });
        }),
        ("bucket", |w| {
            w.edit("tools", |a| {
                a.buckets.insert(
                    "bucket".to_owned(),
                    r#"{"Statement":[{"Sid":"x"}]}"#.to_owned(),
                );
            });
        }),
        ("key", |w| {
            w.edit("tools", |a| {
                let policy: Value = serde_json::from_str(KEY_POLICY).unwrap();
                let empty = json!({"Version": policy["Version"], "Statement": []});
                a.keys.insert("1111-22".to_owned(), empty.to_string());
            });
        }),
        ("managed", |w| drop(w.add_managed("third", "x", "{}"))),
        ("concurrency", |w| {
            w.edit("dev", |a| {
                let key = ("us-east-1".to_owned(), "MyFunction".to_owned());
                a.reserved.insert(key, 1);
            });
        }),
    ];
    for (what, change) in changes {
        let found = said(change);
        assert!(found.iter().any(|f| f.contains(what)), "{what}: {found:?}");
    }
}
