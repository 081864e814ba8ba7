//! The merged report against the undivided run's, byte for byte, over worlds; and what cannot be merged.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::account::{AccountName, Partition};
use crate::model::arn::RoleArn;
use crate::model::change::Intent;
use crate::model::observed::Observed;
use crate::model::part;
use crate::model::progress::Silent;
use crate::model::wiring::Wiring;
use crate::observe::observe;
use crate::output::{self, AccountLine, AccountState, ProofView, View};
use crate::plan;
use crate::verify;
use crate::world::{self, World, WorldAccount, block_on, service_trust};

const DEVS: usize = 4;

/// A gate: the account of its function, its pipeline, its stage, and whether it shares the account's invoke role.
type Gate = (usize, usize, usize, bool);

/// What somebody did to a wired world.
#[derive(Debug, Clone, Copy)]
enum Edit {
    NoPolicies { service_role: usize },
    NoPipeline(usize),
    NoFunction { dev: usize },
    NoCallback { dev: usize },
    OtherTrust { dev: usize },
    Unexpected { dev: usize },
    NoStage { pipeline: usize },
    NoRole { dev: usize },
    Foreign { dev: usize },
    Closed { dev: usize },
    ToolsClosed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Plan,
    Teardown,
    Check,
    CheckVerify,
    Verify,
}

fn edit() -> impl Strategy<Value = Edit> {
    let dev = 0..DEVS;
    prop_oneof![
        (0..2_usize).prop_map(|service_role| Edit::NoPolicies { service_role }),
        (0..3_usize).prop_map(Edit::NoPipeline),
        dev.clone().prop_map(|dev| Edit::NoFunction { dev }),
        dev.clone().prop_map(|dev| Edit::NoCallback { dev }),
        dev.clone().prop_map(|dev| Edit::OtherTrust { dev }),
        dev.clone().prop_map(|dev| Edit::Unexpected { dev }),
        (0..3_usize).prop_map(|pipeline| Edit::NoStage { pipeline }),
        dev.clone().prop_map(|dev| Edit::NoRole { dev }),
        dev.clone().prop_map(|dev| Edit::Foreign { dev }),
        dev.prop_map(|dev| Edit::Closed { dev }),
        Just(Edit::ToolsClosed),
    ]
}

fn manifest(gates: &[Gate]) -> String {
    let mut text = "project = \"p\"\n[accounts.tools]\nid = \"111111111111\"\n".to_owned();
    for dev in 0..DEVS {
        writeln!(text, "[accounts.dev{dev}]\nid = \"22222222222{dev}\"").unwrap();
    }
    for (n, (dev, pipeline, stage, shared)) in gates.iter().enumerate() {
        let after = if *stage == 0 {
            "after = \"Deploy\""
        } else {
            ""
        };
        writeln!(text, "[[gates]]\nname = \"g{n}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\nname = \"P{pipeline}\"\n\
             stage = \"S{stage}\"\naction = \"A{n}\"\n{after}\n[gates.function]\naccount = \"dev{dev}\"\nname = \"F{}\"",
            n % 2
        ).unwrap();
        if *shared {
            text.push_str("[gates.invoke_role]\nname = \"shared\"\n");
        }
    }
    text
}

/// Three pipelines with two service roles, and two functions with one execution role in each of the other accounts.
fn unwired() -> World {
    let world = World::new();
    world.add_role(
        "tools",
        "Role0",
        &service_trust("codepipeline.amazonaws.com"),
    );
    world.add_role(
        "tools",
        "Role1",
        &service_trust("codepipeline.amazonaws.com"),
    );
    for (pipeline, role) in [("P0", "Role0"), ("P1", "Role0"), ("P2", "Role1")] {
        world.add_pipeline(pipeline, role);
    }
    for dev in 0..DEVS {
        let (name, id) = (format!("dev{dev}"), format!("22222222222{dev}"));
        let account = WorldAccount {
            id: id.clone(),
            roles: BTreeMap::new(),
            functions: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            managed: BTreeMap::new(),
            function_policies: BTreeMap::new(),
            reserved: BTreeMap::new(),
            left: BTreeMap::new(),
            buckets: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        world.accounts.borrow_mut().insert(name.clone(), account);
        world.add_role(&name, "Execution", &service_trust("lambda.amazonaws.com"));
        for function in ["F0", "F1"] {
            let role = RoleArn::parse(&format!("arn:aws:iam::{id}:role/Execution")).unwrap();
            let made = world::function("us-east-1", &id, function, role);
            world.edit(&name, |a| {
                a.functions
                    .insert(("us-east-1".to_owned(), function.to_owned()), made);
            });
        }
    }
    world
}

fn invoke_roles(account: &WorldAccount) -> Vec<String> {
    let names = account.roles.keys().filter(|name| *name != "Execution");
    names.cloned().collect()
}

fn done(world: &World, edit: Edit) {
    let dev_name = |dev: usize| format!("dev{dev}");
    match edit {
        Edit::NoPolicies { service_role } => {
            world.edit_role("tools", &format!("Role{service_role}"), |r| {
                r.inline.clear();
            });
        }
        Edit::NoPipeline(n) => world.edit("tools", |a| {
            a.pipelines.retain(|(_, name), _| *name != format!("P{n}"));
        }),
        Edit::NoFunction { dev } => world.edit(&dev_name(dev), |a| {
            a.functions.retain(|(_, name), _| name != "F0");
        }),
        Edit::NoCallback { dev } => {
            world.edit_role(&dev_name(dev), "Execution", |r| r.inline.clear());
        }
        Edit::OtherTrust { dev } => world.edit(&dev_name(dev), |a| {
            for name in invoke_roles(a) {
                a.roles.get_mut(&name).unwrap().role.trust = service_trust("ec2.amazonaws.com");
            }
        }),
        Edit::Unexpected { dev } => world.edit(&dev_name(dev), |a| {
            for name in invoke_roles(a) {
                let text = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
                a.roles
                    .get_mut(&name)
                    .unwrap()
                    .inline
                    .insert("somebody".to_owned(), text);
            }
        }),
        Edit::NoStage { pipeline } => world.edit("tools", |a| {
            let key = ("us-east-1".to_owned(), format!("P{pipeline}"));
            if let Some(stages) = a
                .pipelines
                .get_mut(&key)
                .and_then(|p| p["stages"].as_array_mut())
            {
                stages.retain(|stage| stage["name"] != "S0");
            }
        }),
        Edit::NoRole { dev } => world.edit(&dev_name(dev), |a| {
            a.roles.retain(|name, _| name == "Execution");
        }),
        Edit::Foreign { dev } => world.edit(&dev_name(dev), |a| {
            for name in invoke_roles(a) {
                a.roles.get_mut(&name).unwrap().role.tags.clear();
            }
        }),
        Edit::Closed { dev } => world.closed.borrow_mut().push(dev_name(dev)),
        Edit::ToolsClosed => world.closed.borrow_mut().push("tools".to_owned()),
    }
}

fn lines(wiring: &Wiring, observed: &Observed) -> Vec<AccountLine> {
    let line = |name: &AccountName| {
        let id = wiring.account_id(name)?.clone();
        let state = observed
            .unreachable(name)
            .map_or(AccountState::Ok, |error| {
                AccountState::Unreachable(error.message.clone())
            });
        Some(AccountLine {
            name: name.clone(),
            id,
            partition: Partition::Aws,
            state,
        })
    };
    observed.accounts().filter_map(line).collect()
}

/// What the command prints, put together as `commands` does.
fn printed(world: &World, wiring: &Wiring, command: Command, adopt: bool) -> String {
    let intent = if command == Command::Teardown {
        Intent::Teardown
    } else {
        Intent::Bootstrap
    };
    let options = plan::Options {
        adopt,
        ..world::options(intent)
    };
    let hops = verify::Options::default();
    let plans = command != Command::Verify;
    let proves = matches!(command, Command::Verify | Command::CheckVerify);
    let wants = |seen: &Observed| {
        let mut wanted = Vec::new();
        if plans {
            wanted.extend(plan::wants(wiring, seen, &options));
        }
        if proves {
            wanted.extend(verify::wants(wiring, seen, &hops));
        }
        wanted.sort();
        wanted.dedup();
        wanted
    };
    let observed = block_on(observe(world, wants, 16, &Silent));
    let accounts = lines(wiring, &observed);
    let proof = verify::prove(wiring, &observed, &hops);
    if command == Command::Verify {
        let problems = plan::reading_problems(wiring, &observed);
        let status = if problems.is_empty() {
            verify::status(&proof)
        } else {
            verify::worse(verify::status(&proof), Status::Incomplete)
        };
        let view = ProofView {
            status,
            project: &wiring.project,
            partition: wiring.part,
            proof: &proof,
            accounts: &accounts,
            problems: &problems,
        };
        return output::proof::render_json(&view).unwrap();
    }
    let made = plan::plan(wiring, &observed, &options);
    let (name, plan_status) = match command {
        Command::Plan | Command::Teardown => (output::Command::Plan, plan::of_plan(&made)),
        _ => (output::Command::Check, plan::of_check(&made)),
    };
    let proves = command == Command::CheckVerify;
    let view = View {
        command: name,
        status: if proves {
            verify::worse(plan_status, verify::status(&proof))
        } else {
            plan_status
        },
        plan: &made,
        report: None,
        accounts: &accounts,
        proof: proves.then_some(output::Proved {
            proof: &proof,
            plan_status,
        }),
        partition: wiring.part,
        next: None,
    };
    output::json::render(&view).unwrap()
}

fn report(name: &str, text: &str) -> Report {
    Report {
        name: name.to_owned(),
        value: serde_json::from_str(text).unwrap(),
    }
}

/// The reports of all partitions.
fn parts(world: &World, whole: &Wiring, command: Command, adopt: bool, of: u32) -> Vec<Report> {
    let part = |number: u32| {
        let text = format!("hash:{number}/{of}");
        let mut wiring = whole.clone();
        wiring.keep(part::Part::parse(&text).unwrap());
        report(&text, &printed(world, &wiring, command, adopt))
    };
    (1..=of).map(part).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn the_merged_report_is_that_of_an_undivided_run(
        gates in prop::collection::vec((0..DEVS, 0..3_usize, 0..2_usize, any::<bool>()), 1..8),
        wired in prop::collection::vec(any::<bool>(), 8),
        edits in prop::collection::vec(edit(), 0..3),
        command in prop::sample::select(vec![
            Command::Plan, Command::Teardown, Command::Check, Command::CheckVerify, Command::Verify,
        ]),
        adopt in any::<bool>(),
        of in 1..6_u32,
    ) {
        let world = unwired();
        let text = manifest(&gates);
        let names: Vec<String> = (0..gates.len()).filter(|n| wired[*n]).map(|n| format!("g{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if !names.is_empty() {
            let (plan, report) = world.run(&world::wiring(&text, &names), &world::options(Intent::Bootstrap));
            prop_assert!(report.is_some(), "{:?}", plan.problems);
        }
        for edit in edits {
            done(&world, edit);
        }
        let whole = world::wiring(&text, &[]);
        let expected = printed(&world, &whole, command, adopt);
        let reports = parts(&world, &whole, command, adopt, of);
        let merged = merge(&reports).unwrap();
        prop_assert_eq!(output::merged::json(&merged.document).unwrap(), expected.clone());
        let status = serde_json::from_str::<Value>(&expected).unwrap()["status"].clone();
        prop_assert_eq!(merged.status.as_str(), status.as_str().unwrap());
        let mut backwards = reports;
        backwards.reverse();
        prop_assert_eq!(merge(&backwards).unwrap().document, merged.document, "in whatever order");
    }
}

#[test]
fn a_partition_that_nobody_hands_in_is_missed() {
    let world = unwired();
    let whole = world::wiring(&manifest(&[(0, 0, 0, false), (1, 1, 0, false)]), &[]);
    world.run(&whole, &world::options(Intent::Bootstrap));
    let mut reports = parts(&world, &whole, Command::Check, false, 4);
    assert_eq!(merge(&reports).unwrap().status, Status::InSync);
    reports.remove(2);
    let merged = merge(&reports).unwrap();
    assert_eq!(merged.status, Status::Incomplete);
    assert_eq!(
        merged.document["problems"][0]["message"],
        "no report of hash:3/4"
    );
}

#[test]
fn what_is_told_differently_is_never_chosen_from() {
    let world = unwired();
    let whole = world::wiring(&manifest(&[(0, 0, 0, false)]), &[]);
    let one = report("one", &printed(&world, &whole, Command::Check, false));
    let mut other = one.clone();
    other.name = "two".to_owned();
    other.value["changes"][0]["reason"] = json!("another");
    let merged = merge(&[one, other]).unwrap();
    assert_eq!(merged.status, Status::Incomplete);
    assert_eq!(merged.document["problems"][0]["code"], "reports_disagree");
}

#[test]
fn the_order_in_which_aws_returns_a_policy_is_no_disagreement() {
    let of = |name: &str, before: Value, gates: Value| Report {
        name: name.to_owned(),
        value: json!({"format_version": 1, "command": "plan", "status": "changes", "project": "p", "gates": gates, "accounts": [],
            "changes": [{"id": "x", "account": "a", "kind": "iam_role", "resource": "r", "action": "delete", "gates": gates,
                "before": before}], "problems": []}),
    };
    let merged = merge(&[
        of("one", json!({"a": ["x", "y"], "b": 1}), json!(["g2"])),
        of("two", json!({"b": 1, "a": ["y", "x"]}), json!(["g1"])),
    ]);
    let merged = merged.unwrap();
    assert_eq!(merged.status, Status::Changes);
    assert_eq!(merged.document["changes"][0]["gates"], json!(["g1", "g2"]));
    let differs = merge(&[
        of("one", json!({"a": ["x", "y"]}), json!([])),
        of("two", json!({"a": ["x"]}), json!([])),
    ]);
    assert_eq!(differs.unwrap().status, Status::Incomplete);
}

#[test]
fn an_error_of_one_part_is_the_whole_s() {
    let world = unwired();
    let whole = world::wiring(&manifest(&[(0, 0, 0, false)]), &[]);
    let fine = report("one", &printed(&world, &whole, Command::Check, false));
    let failed = report(
        "two",
        r#"{"format_version":1,"command":"check","status":"failed","project":null,"gates":[],"accounts":[],"changes":[],
            "problems":[{"code":"usage","severity":"error","account":null,"gates":[],"message":"no","hint":null}]}"#,
    );
    let merged = merge(&[failed, fine]).unwrap();
    assert_eq!(merged.status, Status::Failed);
    assert_eq!(merged.document["project"], "p");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let of = |command: &str, project: &str| {
        report(
            &format!("{command}.json"),
            &json!({"format_version": 1, "command": command, "status": "in_sync", "project": project, "gates": [], "accounts": [],
                "changes": [], "problems": []})
            .to_string(),
        )
    };
    let said = |reports: &[Report]| merge(reports).unwrap_err().to_string();
    assert_eq!(
        said(&[of("check", "a"), of("plan", "a")]),
        "plan.json cannot be merged with check.json: its command is `plan`, and not `check`"
    );
    assert_eq!(
        said(&[of("check", "a"), of("check", "b")]),
        "check.json cannot be merged with check.json: its project is `b`, and not `a`"
    );
    assert_eq!(
        said(&[of("run", "a")]),
        "run.json is no report of plan, check or verify: its command is `run`"
    );
    let mut newer = of("check", "a");
    newer.value["format_version"] = json!(2);
    assert!(said(&[newer]).contains("format_version is 2"));
    let mut strange = of("check", "a");
    strange.value["orphans"] = json!([]);
    assert!(said(&[strange]).contains("`orphans`"));
    for value in [
        json!(null),
        json!([]),
        json!({}),
        json!({"format_version": 1, "command": "check"}),
    ] {
        assert!(
            merge(&[Report {
                name: "x".to_owned(),
                value
            }])
            .is_err()
        );
    }
}
