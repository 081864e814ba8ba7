//! The objects of worlds in memory: each once, each covering its changes, none seen that was not.

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::model::change::Plan;
use crate::model::progress::Silent;
use crate::observe::observe;
use crate::plan::{self, Options};
use crate::world::{MADE_ROLE, MANIFEST, World, block_on, making, options, wiring};

use super::*;

/// Plans, and lists the objects of the same observation.
fn listed(world: &World, manifest: &str, options: &Options) -> (Plan, Vec<Object>) {
    let wiring = wiring(manifest, &[]);
    let wants = |seen: &Observed| plan::wants(&wiring, seen, options);
    let observed = block_on(observe(world, wants, 16, &Silent));
    let plan = plan::plan(&wiring, &observed, options);
    (plan, objects(&wiring, &observed, options.intent))
}

fn lines(objects: &[Object]) -> String {
    let line = |object: &Object| {
        let Object {
            account,
            kind,
            resource,
            looked,
            ..
        } = object;
        let looked = match looked {
            Looked::Seen => "seen".to_owned(),
            Looked::Unreadable(_) => "unreadable".to_owned(),
            Looked::NotLooked(why) => format!("not looked at: {why}"),
        };
        format!("{account} {} {resource}: {looked}", kind.noun())
    };
    objects.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How many objects cover each change.
fn covers(plan: &Plan, objects: &[Object]) -> Vec<usize> {
    let count = |change| objects.iter().filter(|o| o.covers(change)).count();
    plan.changes.iter().map(count).collect()
}

/// Two gates in one stage that share the invoke role.
fn shared() -> String {
    let (head, gate) = MANIFEST.split_once("[[gates]]").unwrap();
    let role = "\n[gates.invoke_role]\nname = \"Shared\"\n";
    let second = gate
        .replace("\"validate\"", "\"second\"")
        .replace("RunValidation", "Second");
    format!("{head}[[gates]]{gate}{role}[[gates]]{second}{role}")
}

#[test]
fn a_gate_has_five_objects_and_each_change_belongs_to_one() {
    let world = World::new();
    let (plan, objects) = listed(&world, MANIFEST, &options(Intent::Bootstrap));
    insta::assert_snapshot!(lines(&objects), @"
    dev role crossgate-checkout-validate: seen
    dev inline policy ExecutionRole/crossgate-checkout-callback: seen
    dev inline policy crossgate-checkout-validate/crossgate-checkout-invoke: seen
    tools inline policy ServiceRole/crossgate-checkout-assume: seen
    tools pipeline action MyPipeline/Gate/RunValidation: seen
    ");
    assert_eq!(covers(&plan, &objects), [1; 5]);
    world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let (plan, wired) = listed(&world, MANIFEST, &options(Intent::Bootstrap));
    assert!(plan.is_in_sync());
    assert_eq!(wired, objects, "the same, wired or not");
    let (plan, gone) = listed(&world, MANIFEST, &options(Intent::Teardown));
    assert_eq!(gone, objects);
    assert_eq!(covers(&plan, &gone), [1; 5]);
}

#[test]
fn parts_of_a_role_belong_to_the_role() {
    let world = World::new();
    world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    let role = "crossgate-checkout-validate";
    world.put_inline(
        "dev",
        role,
        "somebody",
        r#"{"Version":"2012-10-17","Statement":[]}"#,
    );
    world.edit_role("dev", role, |r| {
        r.role
            .tags
            .insert("crossgate:project".to_owned(), "checkout".to_owned());
        r.role.permissions_boundary = Some("arn:aws:iam::222222222222:policy/B".to_owned());
        r.role.trust = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
    });
    let (plan, objects) = listed(&world, MANIFEST, &options(Intent::Bootstrap));
    assert_eq!(plan.changes.len(), 3, "{plan:#?}");
    assert_eq!(covers(&plan, &objects), [1; 3]);
    let itself = objects
        .iter()
        .find(|o| o.kind == ChangeKind::IamRole)
        .unwrap();
    assert!(plan.changes.iter().all(|change| itself.covers(change)));
}

#[test]
fn what_gates_share_is_listed_once_with_all_of_them() {
    let world = World::new();
    let manifest = shared();
    let (plan, objects) = listed(&world, &manifest, &options(Intent::Bootstrap));
    assert_eq!(objects.len(), 6, "{}", lines(&objects));
    assert_eq!(covers(&plan, &objects), [1; 6]);
    for object in objects
        .iter()
        .filter(|o| o.kind != ChangeKind::PipelineAction)
    {
        assert_eq!(object.gates.len(), 2, "{object:?}");
    }
}

#[test]
fn what_hangs_on_a_missing_end_is_not_looked_at() {
    let world = World::new();
    world.edit("dev", |account| account.functions.clear());
    world.edit("tools", |account| account.pipelines.clear());
    let (_, objects) = listed(&world, MANIFEST, &options(Intent::Bootstrap));
    insta::assert_snapshot!(lines(&objects), @"
    dev role crossgate-checkout-validate: seen
    dev inline policy crossgate-checkout-validate/crossgate-checkout-invoke: seen
    dev inline policy the execution role of function MyFunction/crossgate-checkout-callback: not looked at: there is no function MyFunction in account dev
    tools inline policy the service role of pipeline MyPipeline/crossgate-checkout-assume: not looked at: there is no pipeline MyPipeline in account tools
    tools pipeline action MyPipeline/Gate/RunValidation: not looked at: there is no pipeline MyPipeline in account tools
    ");
}

#[test]
fn nothing_of_another_account_counts() {
    let world = World::new();
    world.edit("dev", |account| account.id = "999999999999".to_owned());
    let (_, objects) = listed(&world, MANIFEST, &options(Intent::Bootstrap));
    let of_dev = objects.iter().filter(|o| o.account.as_str() == "dev");
    for object in of_dev {
        assert!(matches!(object.looked, Looked::NotLooked(_)), "{object:?}");
    }
}

#[test]
fn before_any_read_nothing_was_looked_at() {
    let wiring = wiring(MANIFEST, &[]);
    let objects = objects(&wiring, &Observed::default(), Intent::Bootstrap);
    assert_eq!(objects.len(), 5);
    assert!(
        objects
            .iter()
            .all(|o| matches!(o.looked, Looked::NotLooked(_)))
    );
}

#[test]
fn a_function_that_the_manifest_makes_and_its_role_are_objects_too() {
    let world = World::new();
    world.edit("dev", |account| account.functions.clear());
    let wiring = making(MANIFEST, &[], MADE_ROLE);
    let options = options(Intent::Bootstrap);
    let wants = |seen: &Observed| plan::wants(&wiring, seen, &options);
    let observed = block_on(observe(&world, wants, 16, &Silent));
    let plan = plan::plan(&wiring, &observed, &options);
    let objects = objects(&wiring, &observed, options.intent);
    insta::assert_snapshot!(lines(&objects), @"
    dev role crossgate-checkout-fn-MyFunction: seen
    dev role crossgate-checkout-validate: seen
    dev inline policy crossgate-checkout-fn-MyFunction/crossgate-checkout-callback: seen
    dev inline policy crossgate-checkout-fn-MyFunction/crossgate-checkout-logs: seen
    dev inline policy crossgate-checkout-validate/crossgate-checkout-invoke: seen
    dev function MyFunction: seen
    tools inline policy ServiceRole/crossgate-checkout-assume: seen
    tools pipeline action MyPipeline/Gate/RunValidation: seen
    ");
    assert_eq!(covers(&plan, &objects), vec![1; plan.changes.len()]);
    assert_eq!(plan.changes.len(), objects.len());
}
