//! Pictures of the world in memory: each thing that a command finds is seen at its object, and nothing is claimed that was not.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use super::{Facts, SavedError, graph, parse};
use crate::model::change::{Intent, Plan};
use crate::model::graph::{Graph, Source, Stage, State};
use crate::model::observed::Observed;
use crate::model::progress::Silent;
use crate::observe::observe;
use crate::plan;
use crate::verify;
use crate::world::{MANIFEST, World, block_on, options, wiring};

const INVOKE_ROLE: &str = "crossgate-checkout-validate";

fn wired() -> World {
    let world = World::new();
    world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    world
}

fn observed(world: &World) -> (Observed, Plan) {
    let (wiring, options) = (wiring(MANIFEST, &[]), options(Intent::Bootstrap));
    let wants = |seen: &Observed| plan::wants(&wiring, seen, &options);
    let observed = block_on(observe(world, wants, 16, &Silent));
    let plan = plan::plan(&wiring, &observed, &options);
    (observed, plan)
}

fn checked(world: &World) -> Graph {
    let wiring = wiring(MANIFEST, &[]);
    let (observed, plan) = observed(world);
    let problems = &plan.problems;
    let facts = Facts::of(
        Source::Check,
        &wiring,
        &observed,
        Some(&plan),
        None,
        problems,
    );
    graph(&wiring, &facts)
}

fn proven(world: &World) -> Graph {
    let wiring = wiring(MANIFEST, &[]);
    let options = verify::Options::default();
    let wants = |seen: &Observed| verify::wants(&wiring, seen, &options);
    let observed = block_on(observe(world, wants, 16, &Silent));
    let proof = verify::prove(&wiring, &observed, &options);
    let facts = Facts::of(Source::Verify, &wiring, &observed, None, Some(&proof), &[]);
    graph(&wiring, &facts)
}

/// Every object and hop of a graph of one gate, with its state, a line each.
fn told(graph: &Graph) -> String {
    let mut lines = Vec::new();
    let mut tell = |what: &str, state: State| lines.push(format!("{what}: {}", state.word()));
    for scene in &graph.scenes {
        let roles = |route: &crate::model::graph::Route| {
            [
                scene.service_role.clone(),
                route.invoke_role.clone(),
                route.execution_role.clone(),
            ]
        };
        for route in &scene.routes {
            tell("action", route.condition.state);
            tell("function", route.function.condition.state);
            for role in roles(route) {
                tell(role.name.as_deref().unwrap_or("?"), role.condition.state);
                for part in &role.parts {
                    tell(&format!("  {}", part.noun), part.condition.state);
                }
            }
            tell("hop 0", scene.start.condition.state);
            for hop in &route.hops {
                tell(&format!("hop {}", hop.id.as_str()), hop.condition.state);
            }
        }
    }
    lines.join("\n")
}

#[test]
fn the_manifest_alone_claims_nothing() {
    let graph = graph(&wiring(MANIFEST, &[]), &Facts::none());
    let states: Vec<State> = graph
        .scenes
        .iter()
        .flat_map(crate::model::graph::Scene::states)
        .collect();
    assert!(states.iter().all(|state| *state == State::Wanted));
    let [scene] = graph.scenes.as_slice() else {
        panic!("one pipeline")
    };
    assert_eq!(
        scene.pipeline.stages,
        [
            Stage::Unread,
            Stage::Other("Deploy".to_owned()),
            Stage::Gates {
                name: "Gate".to_owned(),
                routes: vec![0]
            },
            Stage::Unread,
        ]
    );
    assert_eq!(scene.service_role.name, None, "only AWS knows it");
}

#[test]
fn before_bootstrap_everything_of_ours_is_to_be_made() {
    insta::assert_snapshot!(told(&checked(&World::new())), @r"
    action: create
    function: wanted
    ServiceRole: wanted
      inline policy: create
    crossgate-checkout-validate: create
      trust policy: service role: create
      inline policy: create
    ExecutionRole: wanted
      inline policy: create
    hop 0: wanted
    hop 1: wanted
    hop 2: wanted
    hop 2': wanted
    hop 3: wanted
    ");
}

#[test]
fn after_bootstrap_all_is_in_sync_and_every_hop_allowed() {
    let world = wired();
    let checked = checked(&world);
    assert_eq!(
        checked.scenes[0].overall(),
        State::InSync,
        "{}",
        told(&checked)
    );
    assert_eq!(checked.remarks, []);
    let stages = &checked.scenes[0].pipeline.stages;
    assert_eq!(stages.len(), 4, "as they are: {stages:?}");
    let proven = proven(&world);
    assert_eq!(
        proven.scenes[0].overall(),
        State::Allowed,
        "{}",
        told(&proven)
    );
}

#[test]
fn drift_is_seen_at_its_object_with_its_reason() {
    let world = wired();
    world.edit_role("dev", INVOKE_ROLE, |role| {
        role.inline.remove("crossgate-checkout-invoke");
        role.inline.insert("theirs".to_owned(), "{}".to_owned());
    });
    let graph = checked(&world);
    let role = &graph.scenes[0].routes[0].invoke_role;
    let states: Vec<(&str, State)> = role
        .parts
        .iter()
        .map(|part| (part.noun.as_str(), part.condition.state))
        .collect();
    assert_eq!(
        states,
        [
            ("trust policy: service role", State::InSync),
            ("inline policy", State::Create),
            ("unexpected policy", State::Delete),
        ]
    );
    assert_eq!(role.overall(), State::Update);
    let held = &role.parts[2].condition.reasons;
    assert!(
        held.iter().any(|r| r.contains("--remove-unexpected")),
        "{held:?}"
    );
}

#[test]
fn nothing_of_an_unread_account_is_in_sync() {
    let world = wired();
    world.closed.borrow_mut().push("dev".to_owned());
    let graph = checked(&world);
    let states: Vec<State> = graph.scenes[0].states().collect();
    assert!(!states.contains(&State::InSync), "{}", told(&graph));
    assert!(states.contains(&State::Unknown));
    assert!(!graph.remarks.is_empty());
}

#[test]
fn a_conflict_blocks_what_it_is_about() {
    let world = World::new();
    world.add_role("dev", INVOKE_ROLE, "{}");
    let graph = checked(&world);
    let role = &graph.scenes[0].routes[0].invoke_role;
    assert_eq!(role.condition.state, State::Blocked, "{}", told(&graph));
}

#[test]
fn a_denied_hop_is_denied_with_what_mends_it() {
    let world = wired();
    world.edit_role("dev", INVOKE_ROLE, |role| {
        role.inline.remove("crossgate-checkout-invoke");
    });
    let graph = proven(&world);
    let hops = &graph.scenes[0].routes[0].hops;
    let states: Vec<State> = hops.iter().map(|hop| hop.condition.state).collect();
    let (yes, no) = (State::Allowed, State::Denied);
    assert_eq!(states, [yes, no, no, yes]);
    let reasons = &hops[1].condition.reasons;
    assert!(
        reasons.iter().any(|r| r.starts_with("mend: ")),
        "{reasons:?}"
    );
}

#[test]
fn no_change_and_no_problem_is_lost() {
    let world = World::new();
    let (wiring, (observed, plan)) = (wiring(MANIFEST, &[]), observed(&world));
    let mut plan = plan;
    let mut stray = plan.changes[0].clone();
    stray.resource = "SomeOtherRole/crossgate-checkout-assume".to_owned();
    stray.kind = crate::model::change::ChangeKind::IamUnexpectedPolicy;
    stray.reason = "a stray".to_owned();
    plan.changes.push(stray);
    let facts = Facts::of(Source::Plan, &wiring, &observed, Some(&plan), None, &[]);
    let graph = graph(&wiring, &facts);
    let [remark] = graph.remarks.as_slice() else {
        panic!("{:?}", graph.remarks)
    };
    assert_eq!(remark.message, "a stray");
    assert!(remark.about.contains("SomeOtherRole"));
}

fn refused(value: &serde_json::Value) -> String {
    parse(&value.to_string(), &wiring(MANIFEST, &[]))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_saved_result_gives_the_states_of_the_live_one() {
    let wiring = wiring(MANIFEST, &[]);
    let saved = json!({"format_version": 1, "command": "check", "status": "drift", "project": "checkout", "accounts": [],
        "problems": [], "changes": [{"id": "x", "account": "dev", "account_id": "222222222222", "region": null,
            "kind": "iam_role", "resource": INVOKE_ROLE, "action": "create", "gates": ["validate"], "reason": "gone",
            "before": null, "after": null, "held": null}],
        "verify": {"standing": "refuted", "not_seen": [], "gates": [{"name": "validate", "standing": "refuted", "findings": [],
            "hops": [{"hop": "0", "caller": "codepipeline.amazonaws.com", "action": "sts:AssumeRole",
                "resource": "arn:aws:iam::111111111111:role/p/ServiceRole", "standing": "refuted", "reason": "no trust",
                "mend": "trust it"}]}]}});
    let graph = graph(&wiring, &parse(&saved.to_string(), &wiring).unwrap());
    let scene = &graph.scenes[0];
    assert_eq!(scene.service_role.name.as_deref(), Some("ServiceRole"));
    assert_eq!(scene.start.condition.state, State::Denied);
    assert_eq!(scene.routes[0].invoke_role.overall(), State::Update);
    assert_eq!(scene.routes[0].invoke_role.condition.state, State::Create);
    // Hops were decided, and of these nothing was said.
    assert_eq!(scene.routes[0].hops[0].condition.state, State::NotProven);
}

#[test]
fn a_file_of_something_else_is_refused() {
    let whole = |command: &str, project: &str| json!({"format_version": 1, "command": command, "project": project, "problems": [], "changes": []});
    assert_eq!(
        refused(&whole("check", "other")),
        "it is about the project `other`, and the manifest is `checkout`"
    );
    assert_eq!(
        refused(&whole("bootstrap", "checkout")),
        "it is a result of `bootstrap`; one of plan, check or verify is expected"
    );
    assert_eq!(
        refused(&json!({"format_version": 2})),
        "its format_version is 2, and this crossgate reads 1"
    );
    assert_eq!(
        refused(&whole("verify", "checkout")),
        "`gates` is missing, or is not what crossgate writes there"
    );
    let not_json = parse("{", &wiring(MANIFEST, &[])).unwrap_err();
    assert!(matches!(not_json, SavedError::NotJson(_)));
}
