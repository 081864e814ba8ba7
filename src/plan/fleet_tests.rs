//! What a fleet costs in calls and rounds, which no machine changes: a thousand gates over a hundred accounts in memory.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use crate::model::change::Intent;
use crate::model::read::Read;
use crate::model::status::Status;
use crate::model::wiring::Wiring;
use crate::plan::{Options, of_check};
use crate::world::{World, function, options, pipeline, service_trust, wiring};

const GATES_PER_ACCOUNT: usize = 10;

fn id(n: usize) -> String {
    format!("{}", 300_000_000_000_usize + n)
}

/// So many accounts, each with a function, a pipeline for it in `tools`, and ten gates in that.
fn manifest(accounts: usize) -> String {
    let ids: Vec<String> = (0..accounts).map(|n| format!("\"{}\"", id(n))).collect();
    let checks: Vec<String> = (0..GATES_PER_ACCOUNT)
        .map(|n| format!("\"check{n}\""))
        .collect();
    format!(
        r#"project = "fleet"
[accounts.tools]
id = "111111111111"
profile = "tools"
[accounts."dev-{{id}}"]
ids = [{}]
profile = "dev"
[defaults.pipeline]
account = "tools"
region = "us-east-1"
stage = "Checks"
after = "Deploy"
[[gates]]
name = "{{check}}-{{account}}"
for_each = {{ account = "dev-*", check = [{}] }}
[gates.pipeline]
name = "release-{{account}}"
action = "{{check}}"
[gates.function]
account = "{{account}}"
name = "gate"
"#,
        ids.join(", "),
        checks.join(", ")
    )
}

/// The fleet and its accounts, wired.
fn fleet(accounts: usize) -> (World, Wiring) {
    let world = World::new();
    let bare = world.snapshot()["dev"].clone();
    for n in 0..accounts {
        let name = format!("dev-{}", id(n));
        let mut account = bare.clone();
        account.id = id(n);
        account.roles = BTreeMap::new();
        account.functions = BTreeMap::new();
        world.accounts.borrow_mut().insert(name.clone(), account);
        world.add_role(&name, "Execution", &service_trust("lambda.amazonaws.com"));
        world.edit(&name, |account| {
            let role = account.roles["Execution"].role.arn.clone();
            let found = function("us-east-1", &account.id, "gate", role);
            account
                .functions
                .insert(("us-east-1".to_owned(), "gate".to_owned()), found);
        });
        let service = format!("service-{n}");
        world.add_role(
            "tools",
            &service,
            &service_trust("codepipeline.amazonaws.com"),
        );
        world.edit("tools", |account| {
            let release = format!("release-{name}");
            let document = pipeline(&release, &service);
            account
                .pipelines
                .insert(("us-east-1".to_owned(), release), document);
        });
    }
    let wiring = wiring(&manifest(accounts), &[]);
    let (plan, report) = world.run(&wiring, &bootstrap());
    assert!(plan.may_apply(), "{:#?}", plan.problems);
    assert_eq!(
        report.unwrap().writes,
        accounts * (2 * GATES_PER_ACCOUNT + 3)
    );
    world.forget_calls();
    (world, wiring)
}

fn bootstrap() -> Options {
    options(Intent::Bootstrap)
}

/// Checks, finds nothing, and says how many calls and rounds that took.
fn check(world: &World, wiring: &Wiring) -> (usize, usize) {
    world.forget_calls();
    let plan = world.plan(wiring, &bootstrap());
    assert_eq!(of_check(&plan), Status::InSync, "{:#?}", plan.problems);
    assert!(plan.problems.is_empty(), "{:#?}", plan.problems);
    (world.reads.borrow().len(), world.rounds.get())
}

#[test]
fn a_check_of_a_thousand_gates_takes_the_fewest_calls_in_two_rounds() {
    let (world, wiring) = fleet(100);
    // Of each account its identity, its roles as one list and its function; of the tools account every pipeline.
    let fewest = 100 * 3 + 2 + 100;
    assert_eq!(check(&world, &wiring), (fewest, 2));
    let mut seen = world.reads.borrow().clone();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), fewest, "nothing is read twice");
}

#[test]
fn ten_times_the_gates_take_at_most_eleven_times_the_calls() {
    let (few, few_wiring) = fleet(10);
    let (many, many_wiring) = fleet(100);
    let (calls, _) = check(&few, &few_wiring);
    assert!(check(&many, &many_wiring).0 <= 11 * calls);
}

#[test]
fn whoever_may_not_list_the_roles_asks_for_each_and_nobody_hears_of_it() {
    let (world, wiring) = fleet(20);
    *world.refused.borrow_mut() = Some("iam:GetAccountAuthorizationDetails");
    let (calls, rounds) = check(&world, &wiring);
    // The refused list, then of each invoke role four questions, of each execution and service role one.
    let lists = 20 + 1;
    let singly = 20 * (4 * GATES_PER_ACCOUNT + 1) + 20;
    assert_eq!((calls, rounds), (20 * 2 + 1 + 20 + lists + singly, 3));
}

#[test]
fn few_roles_are_asked_for_singly() {
    let (world, mut wiring) = fleet(2);
    wiring
        .selected
        .retain(|gate| gate.as_str().starts_with("check1-"));
    wiring
        .gates
        .retain(|gate| wiring.selected.contains(&gate.name));
    world.forget_calls();
    world.plan(&wiring, &bootstrap());
    assert!(
        world
            .reads
            .borrow()
            .iter()
            .all(|(_, read)| *read != Read::Roles)
    );
}
