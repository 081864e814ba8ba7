//! What gates leave behind that are not in the manifest any more: found, removed, and nothing beside it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::model::account::AccountName;
use crate::model::change::{Intent, Plan, Report, Severity};
use crate::model::name::{GateName, RoleName};
use crate::model::observed::Observed;
use crate::model::progress::Silent;
use crate::model::read::{Listed, Read};
use crate::model::status::Status;
use crate::model::wiring::{RoleKey, Wiring};
use crate::observe::observe;
use crate::plan::tests::{bootstrap, codes, lines, teardown};
use crate::plan::{Options, of_apply, of_check, of_plan};
use crate::world::{MADE_ROLE, MANIFEST, World, block_on, making, options, service_trust, wiring};

use super::{merged, plan, put_off, wants};

/// A manifest of these gates, each an action of its own in a stage of its own; `role`: the name of the invoke role, if not the
/// default.
fn manifest(gates: &[(&str, Option<&str>)]) -> String {
    let head = MANIFEST.split("[[gates]]").next().unwrap();
    let gate = |(name, role): &(&str, Option<&str>)| {
        let role = role.map_or_else(String::new, |role| {
            format!("[gates.invoke_role]\nname = \"{role}\"\n")
        });
        format!(
            "[[gates]]\nname = \"{name}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\nname = \"MyPipeline\"\n\
             stage = \"Stage-{name}\"\naction = \"{name}\"\nafter = \"Deploy\"\n\
             [gates.function]\naccount = \"dev\"\nname = \"MyFunction\"\n{role}"
        )
    };
    let gates: String = gates.iter().map(gate).collect();
    head.to_owned() + &gates
}

fn both() -> String {
    manifest(&[("keep", None), ("gone", None)])
}

fn kept() -> String {
    manifest(&[("keep", None)])
}

/// A world in which all these manifests are wired, one after the other.
fn wired(wirings: &[Wiring]) -> World {
    let world = World::new();
    world.add_role("dev", "OtherRole", &service_trust("lambda.amazonaws.com"));
    world.add_function("OtherFunction", "OtherRole");
    for wiring in wirings {
        if !wiring.functions.is_empty() {
            without_my_function(&world);
        }
        let (plan, report) = world.run(wiring, &bootstrap());
        let report = report.unwrap_or_else(|| panic!("{:#?}", plan.problems));
        assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
    }
    world.forget_calls();
    world
}

impl World {
    fn seen(&self, wiring: &Wiring, options: &Options) -> Observed {
        block_on(observe(
            self,
            |seen: &Observed| {
                let wanted = wants(wiring, seen, options);
                self.rounds
                    .set(self.rounds.get() + usize::from(!wanted.is_empty()));
                wanted
            },
            16,
            &Silent,
        ))
    }

    pub(super) fn left(&self, wiring: &Wiring) -> Plan {
        let options = teardown();
        plan(wiring, &self.seen(wiring, &options), &options)
    }

    fn prune_with(&self, wiring: &Wiring, options: &Options) -> (Plan, Report) {
        let plan = plan(wiring, &self.seen(wiring, options), options);
        assert!(plan.may_apply(), "{:#?}", plan.problems);
        let report = self.apply(&plan);
        (plan, report)
    }

    pub(super) fn prune(&self, wiring: &Wiring) -> (Plan, Report) {
        self.prune_with(wiring, &teardown())
    }
}

fn forced() -> Options {
    Options {
        remove_unexpected: true,
        ..options(Intent::Teardown)
    }
}

#[test]
fn all_that_a_deleted_gate_left_is_found_and_named() {
    let world = wired(&[wiring(&both(), &[])]);
    let plan = world.left(&wiring(&kept(), &[]));
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_role crossgate-checkout-gone: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-gone/crossgate-checkout-invoke: no gate of the manifest needs it any more
    ~ tools iam_inline_policy ServiceRole/crossgate-checkout-assume: the policy grants too much: Allow sts:AssumeRole on arn:aws:iam::222222222222:role/crossgate-checkout-gone
    - tools pipeline_action MyPipeline/Stage-gone/gone: no gate of the manifest needs it any more
    ");
    assert_eq!(codes(&plan), ["orphans_by_project"]);
    assert_eq!(of_plan(&plan), Status::Changes);
    let gates: Vec<&str> = plan.gates.iter().map(GateName::as_str).collect();
    assert_eq!(gates, ["gone"], "the gate's name is read off its role's");
}

#[test]
fn where_nothing_is_left_behind_nothing_is_planned() {
    let world = wired(&[wiring(&both(), &[])]);
    let (plan, report) = world.prune(&wiring(&both(), &[]));
    assert!(plan.is_in_sync(), "{}", lines(&plan));
    assert_eq!(report.writes, 0);
    assert!(plan.problems.is_empty());
}

#[test]
fn prune_leaves_the_accounts_as_a_teardown_of_the_deleted_gates_would() {
    let text = |gates: &[(&str, Option<&str>)]| manifest(gates);
    let made = |gates: &[(&str, Option<&str>)]| making(&text(gates), &[], MADE_ROLE);
    let named = |gates: &[(&str, Option<&str>)]| wiring(&text(gates), &[]);
    let keep = ("keep", None);
    for (before, after) in [
        (named(&[keep, ("a", None)]), named(&[keep])),
        (named(&[keep, ("a", None), ("b", None)]), named(&[keep])),
        (
            named(&[keep, ("a", Some("Shared")), ("b", Some("Shared"))]),
            named(&[keep]),
        ),
        (made(&[keep, ("a", None)]), made(&[keep])),
        (
            wiring(&on_other_function(&text(&[keep, ("a", None)]), "a"), &[]),
            named(&[keep]),
        ),
    ] {
        let pruned = wired(std::slice::from_ref(&before));
        pruned.prune(&after);
        let torn = wired(std::slice::from_ref(&before));
        let mut gone = before.clone();
        gone.selected.retain(|name| name.as_str() != "keep");
        torn.run(&gone, &teardown()).1.unwrap();
        assert_eq!(pruned.content(), torn.content(), "{:?}", gone.selected);
        let (plan, _) = pruned.run(&after, &bootstrap());
        assert!(plan.is_in_sync(), "what stays is in sync: {}", lines(&plan));
    }
}

/// The manifest with a gate moved to a second function, which has a role of its own.
fn on_other_function(text: &str, gate: &str) -> String {
    let (head, tail) = text.split_once(&format!("name = \"{gate}\"")).unwrap();
    let tail = tail.replacen("\"MyFunction\"", "\"OtherFunction\"", 1);
    format!("{head}name = \"{gate}\"{tail}")
}

#[test]
fn the_callback_policy_goes_with_the_last_function_that_needs_it() {
    let world = wired(&[wiring(&on_other_function(&both(), "gone"), &[])]);
    let (plan, _) = world.prune(&wiring(&kept(), &[]));
    assert!(lines(&plan).contains("OtherRole/crossgate-checkout-callback"));
    let accounts = world.snapshot();
    assert!(accounts["dev"].roles["OtherRole"].inline.is_empty());
    assert_eq!(accounts["dev"].roles["ExecutionRole"].inline.len(), 1);
}

#[test]
fn a_second_prune_writes_nothing() {
    let world = wired(&[wiring(&both(), &[])]);
    let after = wiring(&kept(), &[]);
    world.prune(&after);
    world.forget_calls();
    let (plan, report) = world.prune(&after);
    assert_eq!((plan.changes.len(), report.writes), (0, 0));
    assert!(world.writes.borrow().is_empty());
}

#[test]
fn nothing_of_other_projects_and_people_is_touched() {
    let of = |project: &str, gate: &str| {
        let text = manifest(&[(gate, None)]).replace("checkout", project);
        wiring(&text, &[])
    };
    // Look-alikes on both sides: names that begin with ours, and ours that begin with theirs.
    let others = [of("checkout-b", "x"), of("check", "out-gone")];
    let world = wired(&others);
    world.add_role(
        "dev",
        "crossgate-checkout-somebody",
        &service_trust("ec2.amazonaws.com"),
    );
    world.put_inline(
        "dev",
        "crossgate-checkout-somebody",
        "crossgate-checkout-invoke-2",
        "{}",
    );
    world.put_inline("tools", "ServiceRole", "crossgate-checkout-assumes", "{}");
    world.edit_pipeline("MyPipeline", |document| {
        let action = json!({"name": "ByHand", "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
            "configuration": {"FunctionName": "MyFunction"}, "roleArn": "arn:aws:iam::222222222222:role/crossgate-checkout-somebody"});
        document["stages"][2]["actions"].as_array_mut().unwrap().push(action);
    });
    let before = world.content();
    world.run(&wiring(&both(), &[]), &bootstrap());
    world.prune(&wiring(&kept(), &[]));
    world.run(&wiring(&kept(), &[]), &teardown());
    assert_eq!(world.content(), before);
    for other in &others {
        let (plan, _) = world.run(other, &bootstrap());
        assert!(plan.is_in_sync(), "{}", lines(&plan));
    }
}

#[test]
fn a_prune_that_is_stopped_at_any_call_ends_alike_when_run_again() {
    for (before, after) in [
        (wiring(&both(), &[]), wiring(&kept(), &[])),
        (by_hand(), elsewhere()),
        (gate_on("gone"), gate_on("fresh")),
        (made_on("gone"), made_on("fresh")),
    ] {
        let make = || {
            let world = wired(std::slice::from_ref(&before));
            strip_actions(&world);
            world
        };
        let whole = make();
        whole.prune(&after);
        let (calls, wanted) = (whole.calls(), whole.content());
        for stop in 0..calls {
            for effect in [false, true] {
                let world = make();
                world.stop_at.set(Some((stop, effect)));
                let observed = world.seen(&after, &teardown());
                let plan = plan(&after, &observed, &teardown());
                if plan.may_apply() {
                    world.apply(&plan);
                } else {
                    assert_eq!(of_plan(&plan), Status::Incomplete);
                }
                world.stop_at.set(None);
                world.prune(&after);
                assert_eq!(
                    world.content(),
                    wanted,
                    "stopped at {stop}, effect {effect}"
                );
            }
        }
    }
}

fn gate_on(name: &str) -> Wiring {
    wiring(&manifest(&[(name, None)]), &[])
}

fn made_on(name: &str) -> Wiring {
    making(&manifest(&[(name, None)]), &[], MADE_ROLE)
}

#[test]
fn a_callback_policy_that_a_gate_needs_which_is_not_wired_yet_stays() {
    let world = wired(&[gate_on("gone")]);
    let (plan, _) = world.prune(&gate_on("fresh"));
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_role crossgate-checkout-gone: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-gone/crossgate-checkout-invoke: no gate of the manifest needs it any more
    - tools iam_inline_policy ServiceRole/crossgate-checkout-assume: no gate of the manifest needs it any more
    - tools pipeline_action MyPipeline/Stage-gone/gone: no gate of the manifest needs it any more
    ");
    let accounts = world.snapshot();
    assert_eq!(accounts["dev"].roles["ExecutionRole"].inline.len(), 1);
}

#[test]
fn a_made_function_that_a_gate_needs_which_is_not_wired_yet_stays_with_its_role() {
    let world = wired(&[made_on("gone")]);
    let before = world.snapshot()["dev"].clone();
    let after = made_on("fresh");
    let (plan, _) = world.prune(&after);
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_role crossgate-checkout-gone: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-gone/crossgate-checkout-invoke: no gate of the manifest needs it any more
    - tools iam_inline_policy ServiceRole/crossgate-checkout-assume: no gate of the manifest needs it any more
    - tools pipeline_action MyPipeline/Stage-gone/gone: no gate of the manifest needs it any more
    ");
    let now = world.snapshot()["dev"].clone();
    assert_eq!(now.functions, before.functions);
    assert_eq!(now.roles[MADE_ROLE], before.roles[MADE_ROLE]);
    world.run(&after, &bootstrap()).1.unwrap();
    world.run(&after, &teardown()).1.unwrap();
    assert!(world.left(&after).is_in_sync(), "and nothing else is left");
}

/// The gate `keep`, renamed in its stage.
fn renamed(manifest: &str) -> String {
    manifest.replacen("action = \"keep\"", "action = \"keep-2\"", 1)
}

#[test]
fn of_a_gate_whose_action_was_renamed_only_the_old_action_goes() {
    let text = kept();
    for (before, after) in [
        (wiring(&text, &[]), wiring(&renamed(&text), &[])),
        (
            making(&text, &[], MADE_ROLE),
            making(&renamed(&text), &[], MADE_ROLE),
        ),
    ] {
        let world = wired(std::slice::from_ref(&before));
        let accounts = world.snapshot();
        let (plan, _) = world.prune_with(&after, &forced());
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines(&plan), @"- tools pipeline_action MyPipeline/Stage-keep/keep: no gate of the manifest needs it any more");
        }
        let now = world.snapshot();
        assert_eq!(now["dev"], accounts["dev"]);
        assert_eq!(now["tools"].roles, accounts["tools"].roles);
        let (plan, report) = world.run(&after, &bootstrap());
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines(&plan), @"+ tools pipeline_action MyPipeline/Stage-keep/keep-2: the stage is missing");
        }
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
    }
}

#[test]
fn what_a_gates_action_still_calls_stays_until_bootstrap_gives_it_the_new_function() {
    let world = wired(&[wiring(&both(), &[])]);
    let after = wiring(&on_other_function(&kept(), "keep"), &[]);
    let (plan, _) = world.prune(&after);
    assert!(!lines(&plan).contains("callback"), "{}", lines(&plan));
    let accounts = world.snapshot();
    assert_eq!(accounts["dev"].roles["ExecutionRole"].inline.len(), 1);
    world.run(&after, &bootstrap()).1.unwrap();
    let (plan, _) = world.prune(&after);
    insta::assert_snapshot!(lines(&plan), @"- dev iam_inline_policy ExecutionRole/crossgate-checkout-callback: no gate of the manifest needs it any more");
}

#[test]
fn the_role_that_a_gates_function_still_runs_as_keeps_its_policies() {
    let text = manifest(&[("keep", None), ("gone", None)]);
    let world = wired(&[making(&text, &[], "OtherRole")]);
    let text = kept();
    let after = making(&text, &[], "ExecutionRole");
    world.prune(&after);
    let callback = |role: &str| {
        let accounts = world.snapshot();
        accounts["dev"].roles[role].inline.len()
    };
    assert_eq!(callback("OtherRole"), 1);
    world.run(&after, &bootstrap()).1.unwrap();
    world.prune(&after);
    assert_eq!((callback("OtherRole"), callback("ExecutionRole")), (0, 1));
}

/// A gate whose function is made, and which somebody takes out of the pipeline by hand: what it leaves has no action.
fn by_hand() -> Wiring {
    making(&manifest(&[("byhand", None)]), &[], MADE_ROLE)
}

/// A manifest of one gate with another function.
fn elsewhere() -> Wiring {
    wiring(&on_other_function(&kept(), "keep"), &[])
}

fn strip_actions(world: &World) {
    world.edit_pipeline("MyPipeline", |document| {
        let stages = document["stages"].as_array_mut().unwrap();
        stages.retain(|stage| stage["name"] != "Stage-byhand");
    });
}

#[test]
fn roles_policies_and_functions_without_an_action_go_too_and_policies_before_their_role() {
    let world = wired(&[by_hand()]);
    strip_actions(&world);
    let (plan, report) = world.prune(&elsewhere());
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_role crossgate-checkout-byhand: no gate of the manifest needs it any more
    - dev iam_role crossgate-checkout-fn-MyFunction: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-byhand/crossgate-checkout-invoke: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-fn-MyFunction/crossgate-checkout-callback: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-fn-MyFunction/crossgate-checkout-logs: no gate of the manifest needs it any more
    - dev lambda_function MyFunction: no gate of the manifest needs it any more
    - tools iam_inline_policy ServiceRole/crossgate-checkout-assume: no gate of the manifest needs it any more
    ");
    assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
    let accounts = world.snapshot();
    let roles: Vec<&String> = accounts["dev"].roles.keys().collect();
    assert_eq!(roles, ["ExecutionRole", "OtherRole"]);
    for (index, step) in plan.steps.iter().enumerate() {
        assert!(step.after.iter().all(|other| *other < index));
    }
}

#[test]
fn a_role_with_any_of_our_policies_goes() {
    for policy in by_hand().policies() {
        let world = wired(&[by_hand()]);
        strip_actions(&world);
        world.put_inline("dev", "crossgate-checkout-byhand", policy.as_str(), "{}");
        let (plan, _) = world.prune(&elsewhere());
        let roles = &world.snapshot()["dev"].roles;
        assert!(
            !roles.contains_key("crossgate-checkout-byhand"),
            "{}",
            lines(&plan)
        );
    }
}

#[test]
fn a_function_that_other_projects_use_keeps_its_role_and_our_policies_there() {
    let world = wired(&[by_hand()]);
    strip_actions(&world);
    let role = "crossgate-checkout-fn-MyFunction";
    world.put_inline("dev", role, "crossgate-other-callback", "{}");
    let before = world.snapshot()["dev"].roles[role].inline.clone();
    let (plan, _) = world.prune(&elsewhere());
    let held: Vec<&str> = plan
        .changes
        .iter()
        .filter_map(|c| c.held.as_deref())
        .collect();
    assert!(
        held.iter()
            .any(|why| why.starts_with("gates of other crossgate projects use it")),
        "{held:?}"
    );
    assert_eq!(world.snapshot()["dev"].roles[role].inline, before);
}

/// Where a manifest makes the function, it must not be there.
fn without_my_function(world: &World) {
    world.edit("dev", |account| {
        account
            .functions
            .retain(|(_, name), _| name != "MyFunction");
    });
}

#[test]
fn policies_on_roles_that_a_pipeline_and_a_function_had_before_are_found() {
    let world = wired(&[wiring(&kept(), &[])]);
    world.add_role(
        "tools",
        "NewService",
        &service_trust("codepipeline.amazonaws.com"),
    );
    world.edit_pipeline("MyPipeline", |d| {
        d["roleArn"] = json!("arn:aws:iam::111111111111:role/NewService");
    });
    world.edit("dev", |account| {
        let role = account.roles["OtherRole"].role.arn.clone();
        let function = account
            .functions
            .get_mut(&("us-east-1".to_owned(), "MyFunction".to_owned()));
        function.unwrap().role = role;
    });
    let after = wiring(&kept(), &[]);
    world.run(&after, &bootstrap());
    let (plan, _) = world.prune(&after);
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_inline_policy ExecutionRole/crossgate-checkout-callback: no gate of the manifest needs it any more
    - tools iam_inline_policy ServiceRole/crossgate-checkout-assume: no gate of the manifest needs it any more
    ");
    let (plan, _) = world.run(&after, &bootstrap());
    assert!(plan.is_in_sync(), "{}", lines(&plan));
}

/// Another action through the role of the gate that stays, as somebody may have copied it.
fn copied(world: &World) {
    world.edit_pipeline("MyPipeline", |document| {
        let stages = document["stages"].as_array_mut().unwrap();
        let stage = stages.iter().find(|s| s["name"] == "Stage-keep").unwrap();
        let mut copy: Value = stage["actions"][0].clone();
        copy["name"] = json!("Copy");
        stages[1]["actions"].as_array_mut().unwrap().push(copy);
    });
}

#[test]
fn an_action_that_may_be_somebodys_own_use_of_a_role_goes_only_when_asked() {
    let world = wired(&[wiring(&kept(), &[])]);
    let clean = world.content();
    copied(&world);
    let before = world.content();
    let after = wiring(&kept(), &[]);
    let (plan, report) = world.prune(&after);
    insta::assert_snapshot!(lines(&plan), @"- tools pipeline_action MyPipeline/Deploy/Copy (held): it runs through an invoke role of the manifest, and no gate of the manifest names it");
    assert_eq!((report.writes, world.content()), (0, before));
    world.prune_with(&after, &forced());
    assert_eq!(world.content(), clean);
}

#[test]
fn an_adopted_role_that_no_gate_needs_is_given_back_and_one_in_use_is_not() {
    let world = World::new();
    let somebodys = service_trust("ec2.amazonaws.com");
    world.add_role("dev", "Adopted", &somebodys);
    let adopted = wiring(&manifest(&[("gone", Some("Adopted")), ("keep", None)]), &[]);
    let original = world.snapshot()["dev"].roles["Adopted"].clone();
    let adopt = Options {
        adopt: true,
        ..bootstrap()
    };
    world.run(&adopted, &adopt).1.unwrap();
    let after = wiring(&kept(), &[]);
    let before = world.content();
    let (plan, _) = world.prune(&after);
    assert!(
        lines(&plan).contains("(held): it runs through a role that this project adopted"),
        "{}",
        lines(&plan)
    );
    assert_eq!(world.content(), before);
    world.edit_pipeline("MyPipeline", |document| {
        document["stages"]
            .as_array_mut()
            .unwrap()
            .retain(|stage| stage["name"] != "Stage-gone");
    });
    world.prune(&after);
    assert_eq!(world.snapshot()["dev"].roles["Adopted"], original);
}

#[test]
fn a_role_of_ours_that_an_action_or_a_function_still_uses_stays() {
    let world = wired(&[by_hand()]);
    strip_actions(&world);
    world.add_function("Theirs", MADE_ROLE);
    world.edit_pipeline("MyPipeline", |document| {
        let action = json!({"name": "Custom", "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
            "configuration": {}, "roleArn": "arn:aws:iam::222222222222:role/crossgate-checkout-byhand"});
        document["stages"][1]["actions"].as_array_mut().unwrap().push(action);
    });
    let (plan, _) = world.prune(&elsewhere());
    let held: Vec<String> = plan
        .changes
        .iter()
        .filter_map(|c| Some(format!("{}: {}", c.resource, c.held.clone()?)))
        .collect();
    insta::assert_snapshot!(held.join("\n"), @r"
    crossgate-checkout-byhand: action MyPipeline/Deploy/Custom still runs through it
    crossgate-checkout-fn-MyFunction: function Theirs in us-east-1 still runs as it
    ");
    let accounts = world.snapshot();
    let role = |account: &str, role: &str| accounts[account].roles[role].inline.len();
    assert_eq!(
        (
            role("dev", MADE_ROLE),
            role("dev", "crossgate-checkout-byhand")
        ),
        (2, 1)
    );
    assert_eq!(
        role("tools", "ServiceRole"),
        2,
        "the action that stays is still allowed to assume its role"
    );
}

#[test]
fn somebodys_policy_on_an_orphaned_role_keeps_it_until_asked() {
    let world = wired(&[wiring(&both(), &[])]);
    world.put_inline(
        "dev",
        "crossgate-checkout-gone",
        "theirs",
        r#"{"Version":"2012-10-17","Statement":[]}"#,
    );
    let after = wiring(&kept(), &[]);
    world.prune(&after);
    assert!(
        world.snapshot()["dev"]
            .roles
            .contains_key("crossgate-checkout-gone")
    );
    world.prune_with(&after, &forced());
    assert!(
        !world.snapshot()["dev"]
            .roles
            .contains_key("crossgate-checkout-gone")
    );
}

#[test]
fn what_cannot_be_read_is_never_taken_for_nothing() {
    for refused in [
        "iam:GetAccountAuthorizationDetails",
        "codepipeline:ListPipelines",
        "codepipeline:GetPipeline",
        "lambda:ListFunctions",
        "lambda:GetFunctionConfiguration",
    ] {
        let world = wired(&[wiring(&both(), &[])]);
        *world.refused.borrow_mut() = Some(refused);
        let plan = world.left(&wiring(&kept(), &[]));
        assert_eq!(of_plan(&plan), Status::Incomplete, "{refused}");
        assert!(!plan.may_apply());
    }
    let world = wired(&[wiring(&both(), &[])]);
    world.closed.borrow_mut().push("dev".to_owned());
    assert_eq!(
        of_plan(&world.left(&wiring(&kept(), &[]))),
        Status::Incomplete
    );
}

#[test]
fn a_list_that_was_cut_is_incomplete() {
    let world = wired(&[wiring(&kept(), &[])]);
    let after = wiring(&kept(), &[]);
    let mut observed = world.seen(&after, &teardown());
    let account = after.gates[0].pipeline.account.clone();
    let region = after.gates[0].pipeline.region.clone();
    let listed = Listed {
        names: vec!["MyPipeline".to_owned()],
        ..Listed::default()
    };
    observed.record(
        account,
        Read::Pipelines { region },
        Ok(crate::model::read::Fact::Pipelines(listed)),
    );
    let plan = plan(&after, &observed, &teardown());
    assert_eq!(
        (of_plan(&plan), codes(&plan)),
        (Status::Incomplete, vec!["list_cut"])
    );
}

#[test]
fn credentials_of_another_account_remove_nothing() {
    let world = wired(&[wiring(&both(), &[])]);
    world.edit("dev", |account| account.id = "333333333333".to_owned());
    let plan = world.left(&wiring(&kept(), &[]));
    assert!(codes(&plan).contains(&"wrong_account") && !plan.may_apply());
}

#[test]
fn check_shows_what_is_left_once_from_the_same_reads_and_nothing_is_asked_twice() {
    let world = wired(&[wiring(&both(), &[])]);
    let after = wiring(&kept(), &[]);
    let check = bootstrap();
    let wants = |seen: &Observed| {
        let mut wanted = crate::plan::wants(&after, seen, &check);
        wanted.extend(wants(&after, seen, &check));
        put_off(seen, &mut wanted);
        wanted.sort();
        wanted.dedup();
        wanted
    };
    let observed = block_on(observe(&world, wants, 16, &Silent));
    let wired = crate::plan::plan(&after, &observed, &check);
    let plan = merged(wired, plan(&after, &observed, &check));
    assert_eq!(of_check(&plan), Status::Drift);
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_role crossgate-checkout-gone: no gate of the manifest needs it any more
    - dev iam_inline_policy crossgate-checkout-gone/crossgate-checkout-invoke: no gate of the manifest needs it any more
    ~ tools iam_inline_policy ServiceRole/crossgate-checkout-assume: the policy grants too much: Allow sts:AssumeRole on arn:aws:iam::222222222222:role/crossgate-checkout-gone
    - tools pipeline_action MyPipeline/Stage-gone/gone: no gate of the manifest needs it any more
    ");
    let ids: BTreeMap<&str, usize> = plan.changes.iter().map(|c| (c.id.as_str(), 1)).collect();
    assert_eq!(ids.len(), plan.changes.len());
    let reads = world.reads.borrow();
    let single: Vec<_> = reads
        .iter()
        .filter(|(_, read)| read.role().is_some())
        .collect();
    assert!(single.is_empty(), "the list of roles answers: {single:?}");
    let mut once = reads.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), reads.len());
    assert!(plan.steps.is_empty() && plan.severity() == Some(Severity::Blocked));
}

#[test]
fn the_list_of_an_accounts_roles_answers_as_single_reads_do() {
    let world = wired(&[wiring(&both(), &[])]);
    world.attach("dev", "ExecutionRole", "Managed", "{}");
    let account = AccountName::new("dev").unwrap();
    let names = [
        "ExecutionRole",
        "crossgate-checkout-gone",
        "OtherRole",
        "Nobody",
    ];
    let roles = names.map(|name| RoleName::new(name).unwrap());
    let policies = ["crossgate-checkout-invoke", "crossgate-checkout-callback"];
    let reads: Vec<Read> = roles
        .iter()
        .flat_map(|role| {
            let policies = policies.map(|policy| Read::InlinePolicy {
                role: role.clone(),
                policy: policy.to_owned(),
            });
            let role = || role.clone();
            let whole = [
                Read::Role { role: role() },
                Read::InlinePolicyNames { role: role() },
                Read::AttachedPolicies { role: role() },
            ];
            whole.into_iter().chain(policies)
        })
        .collect();
    let (mut single, mut listed) = (Observed::default(), Observed::default());
    for read in &reads {
        let answer = block_on(world.read(&account, read));
        single.record(account.clone(), read.clone(), answer);
    }
    let all = block_on(world.read(&account, &Read::Roles));
    listed.record(account.clone(), Read::Roles, all);
    for read in &reads {
        assert!(listed.has(&account, read), "{read}");
    }
    for name in roles {
        let account = account.clone();
        let key = RoleKey { account, name };
        assert_eq!(single.role(&key), listed.role(&key));
        assert_eq!(
            single.inline_policy_names(&key),
            listed.inline_policy_names(&key)
        );
        assert_eq!(
            single.attached_policies(&key),
            listed.attached_policies(&key)
        );
        assert_eq!(single.role_is_gone(&key), listed.role_is_gone(&key));
        for policy in policies {
            assert_eq!(
                single.inline_policy(&key, policy),
                listed.inline_policy(&key, policy)
            );
        }
    }
    // A list that could not be read answers nothing.
    *world.refused.borrow_mut() = Some("iam:GetAccountAuthorizationDetails");
    let mut refused = Observed::default();
    refused.record(
        account.clone(),
        Read::Roles,
        block_on(world.read(&account, &Read::Roles)),
    );
    assert!(reads.iter().all(|read| !refused.has(&account, read)));
}

#[test]
fn reads_are_few_and_each_is_made_once() {
    let world = wired(&[wiring(&both(), &[])]);
    world.left(&wiring(&kept(), &[]));
    let reads = world.reads.borrow();
    let mut once = reads.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), reads.len(), "{reads:#?}");
    // Two callers, two lists of roles, and one pipeline, one function, with the lists that name them: all known from the manifest.
    // Then the policy of the bucket that the pipeline names.
    assert_eq!((reads.len(), world.rounds.get()), (9, 2), "{reads:#?}");
}
