//! Plans over worlds in memory: the laws of design.md, ownership, conflicts, limits.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use crate::apply::{Tools, apply};
use crate::cloud::{Cloud, CloudError, CloudErrorKind};
use crate::model::account::{AccountId, AccountName};
use crate::model::change::{Change, Intent, Outcome, Plan, Severity};
use crate::model::name::{ActionName, StageName};
use crate::model::pipeline::PipelineDocument;
use crate::model::progress::Silent;
use crate::model::read::{AttachedPolicy, Fact, Read};
use crate::model::secret::{ActionSecret, SecretText};
use crate::model::status::Status;
use crate::model::wiring::Wiring;
use crate::model::write::{Write, Written};
use crate::plan::{Options, of_apply, of_check, of_plan};
use crate::world::{
    MANIFEST, NoTime, Shelf, World, block_on, no_answer, options, service_trust, wiring,
};

const ROLE: &str = "crossgate-checkout-validate";

pub(super) fn bootstrap() -> Options {
    options(Intent::Bootstrap)
}

pub(super) fn teardown() -> Options {
    options(Intent::Teardown)
}

/// A world in which the manifest is wired.
fn wired(manifest: &str) -> World {
    let world = World::new();
    let (plan, report) = world.run(&wiring(manifest, &[]), &bootstrap());
    let report = report.unwrap_or_else(|| panic!("{:#?}", plan.problems));
    assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
    world.forget_calls();
    world
}

pub(super) fn lines(plan: &Plan) -> String {
    let change = |c: &Change| {
        let held = c.held.as_ref().map_or("", |_| " (held)");
        format!(
            "{} {} {} {}{held}: {}",
            c.action.sign(),
            c.account,
            c.kind.as_str(),
            c.resource,
            c.reason
        )
    };
    plan.changes
        .iter()
        .map(change)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.problems.iter().map(|p| p.code).collect()
}

/// Two gates in one stage that share invoke role, execution role, service role and pipeline, and a third of its own.
fn many() -> String {
    let gate = |name: &str, stage: &str, role: &str| {
        format!(
            "[[gates]]\nname = \"{name}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\n\
             name = \"MyPipeline\"\nstage = \"{stage}\"\naction = \"{name}\"\nafter = \"Deploy\"\n\
             [gates.function]\naccount = \"dev\"\nname = \"MyFunction\"\n{role}\n"
        )
    };
    let head = MANIFEST.split("[[gates]]").next().unwrap();
    let shared = "[gates.invoke_role]\nname = \"Shared\"";
    [
        head,
        &gate("a", "Gate", shared),
        &gate("b", "Gate", shared),
        &gate("c", "Other", ""),
    ]
    .concat()
}

#[test]
fn a_fresh_gate_is_five_objects() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    insta::assert_snapshot!(lines(&plan), @r"
    + dev iam_role crossgate-checkout-validate: the role is missing
    + dev iam_inline_policy ExecutionRole/crossgate-checkout-callback: the policy is missing
    + dev iam_inline_policy crossgate-checkout-validate/crossgate-checkout-invoke: the policy is missing
    + tools iam_inline_policy ServiceRole/crossgate-checkout-assume: the policy is missing
    + tools pipeline_action MyPipeline/Gate/RunValidation: the stage is missing
    ");
}

#[test]
fn law_1_after_bootstrap_the_plan_is_empty_and_a_second_bootstrap_makes_no_write() {
    for manifest in [MANIFEST.to_owned(), many()] {
        let world = wired(&manifest);
        let (plan, report) = world.run(&wiring(&manifest, &[]), &bootstrap());
        assert!(plan.is_in_sync(), "{}", lines(&plan));
        assert_eq!(report.unwrap().writes, 0);
        assert!(world.writes.borrow().is_empty());
    }
}

#[test]
fn one_gate_in_sync_costs_ten_calls_in_two_rounds_and_reads_nothing_twice() {
    let world = wired(MANIFEST);
    world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    assert_eq!(world.reads.borrow().len(), 10, "{:#?}", world.reads);
    assert_eq!(world.rounds.get(), 2);
    let mut seen = world.reads.borrow().clone();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 10);
}

#[test]
fn law_2_teardown_leaves_everything_as_it_was_and_a_second_one_makes_no_write() {
    for manifest in [MANIFEST.to_owned(), many()] {
        let before = World::new().content();
        let world = wired(&manifest);
        assert_ne!(world.content(), before);
        let (plan, report) = world.run(&wiring(&manifest, &[]), &teardown());
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
        assert_eq!(world.content(), before);
        world.forget_calls();
        let (plan, _) = world.run(&wiring(&manifest, &[]), &teardown());
        assert!(plan.is_in_sync(), "{}", lines(&plan));
        assert!(world.writes.borrow().is_empty());
    }
}

#[test]
fn law_3_whatever_the_order_of_gates_in_the_manifest_the_plan_is_the_same() {
    let text = many();
    let mut parts: Vec<&str> = text.split("[[gates]]").collect();
    let head = parts.remove(0);
    let plans: Vec<Plan> = [[0, 1, 2], [2, 1, 0], [1, 2, 0]]
        .iter()
        .map(|order| {
            let gates = order.iter().map(|i| format!("[[gates]]{}", parts[*i]));
            let manifest = format!("{head}{}", gates.collect::<String>());
            World::new().plan(&wiring(&manifest, &[]), &bootstrap())
        })
        .collect();
    assert_eq!(plans[0], plans[1]);
    assert_eq!(plans[0], plans[2]);
}

/// Runs `options` stopped at every call, before and after its effect, then undisturbed; the end must be the undisturbed one.
pub(super) fn stopped_everywhere(
    wiring: &Wiring,
    start: impl Fn() -> World,
    options: &Options,
) -> usize {
    let undisturbed = start();
    undisturbed.forget_calls();
    undisturbed.run(wiring, options);
    let (calls, end) = (undisturbed.calls(), undisturbed.content());
    for stop in 0..calls {
        for effect in [false, true] {
            let world = start();
            world.forget_calls();
            world.stop_at.set(Some((stop, effect)));
            world.run(wiring, options);
            world.stop_at.set(None);
            let (plan, report) = world.run(wiring, options);
            assert!(report.is_some(), "stopped at {stop}: {:#?}", plan.problems);
            assert_eq!(world.content(), end, "stopped at {stop}, effect {effect}");
        }
    }
    calls * 2
}

#[test]
fn law_5_a_run_stopped_at_any_call_then_run_again_ends_where_an_undisturbed_run_ends() {
    let foreign = || {
        let world = World::new();
        world.add_role("dev", ROLE, &service_trust("ec2.amazonaws.com"));
        world
    };
    let adopt = Options {
        adopt: true,
        ..bootstrap()
    };
    let adopted = || {
        let world = foreign();
        world.run(&wiring(MANIFEST, &[]), &adopt);
        world
    };
    let (one, three) = (wiring(MANIFEST, &[]), wiring(&many(), &[]));
    let points = [
        stopped_everywhere(&one, World::new, &bootstrap()),
        stopped_everywhere(&three, World::new, &bootstrap()),
        stopped_everywhere(&one, || wired(MANIFEST), &teardown()),
        stopped_everywhere(&three, || wired(&many()), &teardown()),
        stopped_everywhere(&one, foreign, &adopt),
        stopped_everywhere(&one, adopted, &teardown()),
    ];
    assert!(points.iter().all(|p| *p >= 20), "{points:?}");
}

#[test]
fn law_6_nothing_outside_the_table_is_ever_written() {
    let world = wired(&many());
    for plan in [
        World::new().plan(&wiring(&many(), &[]), &bootstrap()),
        world.plan(&wiring(&many(), &[]), &teardown()),
    ] {
        for change in &plan.changes {
            let ours = ["Shared", "crossgate-checkout-c", "Gate/", "Other/"];
            let on_others = ["crossgate-checkout-callback", "crossgate-checkout-assume"];
            let is_ours = ours.iter().any(|o| change.resource.contains(o))
                || on_others.iter().any(|o| change.resource.ends_with(o));
            assert!(is_ours, "{}", change.id);
        }
    }
    let before = World::new().snapshot();
    for (name, account) in world.snapshot() {
        for (role, found) in &before[&name].roles {
            let mut now = account.roles[role].clone();
            now.inline
                .retain(|policy, _| !policy.starts_with("crossgate-checkout-"));
            assert_eq!(now, *found);
        }
    }
}

type Mutation = fn(&World);

fn mutations() -> Vec<(&'static str, Mutation)> {
    vec![
        ("iam_role", |w| {
            w.edit("dev", |a| drop(a.roles.remove(ROLE)));
        }),
        ("iam_trust_policy", |w| {
            w.edit_role("dev", ROLE, |r| {
                r.role.trust = service_trust("ec2.amazonaws.com");
            });
        }),
        ("iam_inline_policy", |w| {
            w.edit_role("dev", ROLE, |r| r.inline.clear());
        }),
        ("iam_inline_policy", |w| {
            w.edit_role("dev", "ExecutionRole", |r| r.inline.clear());
        }),
        ("iam_inline_policy", |w| {
            w.edit_role("tools", "ServiceRole", |r| {
                let wide = json!({"Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]});
                r.inline
                    .insert("crossgate-checkout-assume".to_owned(), wide.to_string());
            });
        }),
        ("pipeline_action", |w| {
            w.edit_pipeline("MyPipeline", |p| {
                p["stages"][2]["actions"][0]["configuration"]["FunctionName"] = json!("Other");
            });
        }),
        ("pipeline_action", |w| {
            w.edit_pipeline("MyPipeline", |p| {
                p["stages"].as_array_mut().unwrap().remove(2);
            });
        }),
        ("pipeline_action", |w| {
            w.edit_pipeline("MyPipeline", |p| {
                p["stages"].as_array_mut().unwrap().swap(2, 3);
            });
        }),
    ]
}

#[test]
fn each_object_that_is_changed_from_outside_is_found_named_and_put_right() {
    for (number, (kind, mutate)) in mutations().into_iter().enumerate() {
        let world = wired(MANIFEST);
        let right = world.content();
        mutate(&world);
        let (plan, report) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
        assert_eq!(of_check(&plan), Status::Drift);
        let kinds: Vec<&str> = plan.changes.iter().map(|c| c.kind.as_str()).collect();
        assert!(kinds.contains(&kind), "{number}: {kinds:?}");
        if kind != "iam_role" {
            assert_eq!(kinds.len(), 1, "{number}: {}", lines(&plan));
        }
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
        assert_eq!(world.content(), right, "{number}");
    }
}

#[test]
fn a_tag_of_the_manifest_is_put_back_and_a_tag_of_others_stays() {
    let manifest = format!("{MANIFEST}[gates.invoke_role]\ntags = {{ team = \"release\" }}\n");
    let world = wired(&manifest);
    world.edit_role("dev", ROLE, |r| {
        r.role.tags.insert("team".to_owned(), "other".to_owned());
        r.role.tags.insert("cost".to_owned(), "7".to_owned());
    });
    let (plan, _) = world.run(&wiring(&manifest, &[]), &bootstrap());
    insta::assert_snapshot!(lines(&plan), @r"
    ~ dev iam_role_tags crossgate-checkout-validate: tags missing or different: team
    ");
    let tags = world.snapshot()["dev"].roles[ROLE].role.tags.clone();
    assert_eq!(tags["team"], "release");
    assert_eq!(tags["cost"], "7");
}

#[test]
fn an_unexpected_policy_is_drift_and_removed_only_when_asked() {
    let world = wired(MANIFEST);
    let star =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    world.put_inline("dev", ROLE, "somebody", star);
    world.edit_role("dev", ROLE, |r| {
        r.attached.push(AttachedPolicy {
            name: "AdministratorAccess".to_owned(),
            arn: "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
        });
    });
    let wiring = wiring(MANIFEST, &[]);
    let (plan, report) = world.run(&wiring, &bootstrap());
    insta::assert_snapshot!(lines(&plan), @r"
    - dev iam_unexpected_policy crossgate-checkout-validate/arn:aws:iam::aws:policy/AdministratorAccess (held): a managed policy is attached that crossgate did not attach
    - dev iam_unexpected_policy crossgate-checkout-validate/somebody (held): an inline policy that crossgate did not put there
    ");
    assert_eq!(of_check(&plan), Status::Drift);
    assert_eq!(report.unwrap().writes, 0);
    assert_eq!(
        plan.changes[1].before.as_ref().unwrap().value()["Statement"]["Action"],
        "*"
    );

    // A teardown keeps such a role, and the policy on it.
    let (plan, report) = world.run(&wiring, &teardown());
    let report = report.unwrap();
    let role = plan
        .changes
        .iter()
        .position(|c| c.kind.as_str() == "iam_role")
        .unwrap();
    assert!(matches!(&report.outcomes[role], Outcome::Kept(why) if why.contains("2 policies")));
    assert!(world.snapshot()["dev"].roles.contains_key(ROLE));
    world.forget_calls();
    world.run(&wiring, &teardown());
    assert!(world.writes.borrow().is_empty());

    let remove = Options {
        remove_unexpected: true,
        ..teardown()
    };
    world.run(&wiring, &remove);
    assert_eq!(world.content(), World::new().content());
}

#[test]
fn bootstrap_removes_unexpected_policies_when_asked() {
    let world = wired(MANIFEST);
    let right = world.content();
    world.put_inline("dev", ROLE, "somebody", "{}");
    let remove = Options {
        remove_unexpected: true,
        ..bootstrap()
    };
    world.run(&wiring(MANIFEST, &[]), &remove);
    assert_eq!(world.content(), right);
}

#[test]
fn a_role_that_is_not_ours_is_a_conflict_and_nothing_is_written() {
    let world = World::new();
    world.add_role("dev", ROLE, &service_trust("ec2.amazonaws.com"));
    let (plan, report) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
    assert_eq!(codes(&plan), ["role_conflict"]);
    assert_eq!(of_plan(&plan), Status::Failed);
    assert!(report.is_none());
}

#[test]
fn an_adopted_role_keeps_what_it_has_and_is_given_back_as_it_was() {
    let list = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "own", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    for trust in [service_trust("ec2.amazonaws.com"), list.to_string()] {
        let world = World::new();
        world.add_role("dev", ROLE, &trust);
        world.put_inline("dev", ROLE, "own", "{}");
        world.edit_role("dev", ROLE, |r| {
            r.role.tags.insert("team".to_owned(), "x".to_owned());
            r.role.permissions_boundary = Some("arn:aws:iam::222222222222:policy/b".to_owned());
        });
        let before = world.content();
        let wiring = wiring(MANIFEST, &[]);
        let adopt = Options {
            adopt: true,
            ..bootstrap()
        };
        let (plan, report) = world.run(&wiring, &adopt);
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
        let role = world.snapshot()["dev"].roles[ROLE].clone();
        assert!(role.role.trust.contains("ec2.amazonaws.com"));
        assert!(role.role.trust.contains("crossgateCheckout"));
        assert_eq!(role.inline["own"], "{}");
        // Adopted once, no flag is needed any more, and nothing of it is unexpected.
        let again = world.plan(&wiring, &bootstrap());
        assert!(again.is_in_sync(), "{}", lines(&again));
        world.run(&wiring, &teardown());
        let same = |world: &World| {
            let mut content = world.content();
            let role = content.get_mut("dev").unwrap().roles.get_mut(ROLE).unwrap();
            let trust: Value = serde_json::from_str(&role.role.trust).unwrap();
            role.role.trust = trust.to_string();
            content
        };
        let mut wanted = before;
        let role = wanted.get_mut("dev").unwrap().roles.get_mut(ROLE).unwrap();
        let trust: Value = serde_json::from_str(&role.role.trust).unwrap();
        role.role.trust = trust.to_string();
        assert_eq!(same(&world), wanted);
    }
}

#[test]
fn a_gate_torn_down_leaves_the_other_whole() {
    let world = wired(&many());
    let whole = World::new();
    let manifest = many();
    let (plan, _) = world.run(&wiring(&manifest, &["a"]), &teardown());
    insta::assert_snapshot!(lines(&plan), @r"
    - tools pipeline_action MyPipeline/Gate/a: the gate is taken out
    ");
    let rest = world.plan(&wiring(&manifest, &["b", "c"]), &bootstrap());
    assert!(rest.is_in_sync(), "{}", lines(&rest));
    world.run(&wiring(&manifest, &["b"]), &teardown());
    let rest = world.plan(&wiring(&manifest, &["c"]), &bootstrap());
    assert!(rest.is_in_sync(), "{}", lines(&rest));
    world.run(&wiring(&manifest, &["c"]), &teardown());
    assert_eq!(world.content(), whole.content());
}

#[test]
fn one_gate_can_be_put_there_without_the_others() {
    let world = World::new();
    let manifest = many();
    world.run(&wiring(&manifest, &["a"]), &bootstrap());
    let text = format!("{:?}", world.snapshot());
    assert!(!text.contains("role/crossgate-checkout-c\""), "{text}");
    assert!(
        !world.snapshot()["dev"]
            .roles
            .contains_key("crossgate-checkout-c")
    );
    assert!(
        world
            .plan(&wiring(&manifest, &["a"]), &bootstrap())
            .is_in_sync()
    );
    world.run(&wiring(&manifest, &["b"]), &bootstrap());
    world.run(&wiring(&manifest, &["c"]), &bootstrap());
    let all = world.plan(&wiring(&manifest, &[]), &bootstrap());
    assert!(all.is_in_sync(), "{}", lines(&all));
}

#[test]
fn two_projects_on_the_same_roles_and_pipeline_leave_each_other_alone() {
    let other = MANIFEST
        .replace("\"checkout\"", "\"billing\"")
        .replace("RunValidation", "RunBilling");
    let world = wired(MANIFEST);
    let first = world.content();
    let (plan, report) = world.run(&wiring(&other, &[]), &bootstrap());
    assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
    assert!(
        world
            .plan(&wiring(MANIFEST, &[]), &bootstrap())
            .is_in_sync()
    );
    assert!(world.plan(&wiring(&other, &[]), &bootstrap()).is_in_sync());
    world.run(&wiring(&other, &[]), &teardown());
    assert_eq!(world.content(), first);
}

#[test]
fn the_role_of_another_project_is_a_conflict_even_with_adopt() {
    let world = wired(MANIFEST);
    let other = format!(
        "{}[gates.invoke_role]\nname = \"{ROLE}\"\n",
        MANIFEST
            .replace("\"checkout\"", "\"billing\"")
            .replace("RunValidation", "RunBilling")
    );
    let adopt = Options {
        adopt: true,
        ..bootstrap()
    };
    let plan = world.plan(&wiring(&other, &[]), &adopt);
    assert!(
        codes(&plan).contains(&"role_conflict"),
        "{:?}",
        plan.problems
    );
    assert!(!plan.may_apply());
}

#[test]
fn a_wrong_account_stops_the_run() {
    let world = World::new();
    world.edit("dev", |a| a.id = "333333333333".to_owned());
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    assert_eq!(codes(&plan), ["wrong_account"]);
    assert_eq!(of_plan(&plan), Status::Failed);
    assert_eq!(of_check(&plan), Status::Failed);
    let message = &plan.problems[0].message;
    for part in ["profile", "dev", "222222222222", "333333333333"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_account_that_cannot_be_reached_hides_no_other_and_is_never_in_sync() {
    for (closed, open) in [("dev", "tools"), ("tools", "dev")] {
        let world = wired(MANIFEST);
        world.edit_role("tools", "ServiceRole", |r| r.inline.clear());
        world.edit_role("dev", "ExecutionRole", |r| r.inline.clear());
        world.closed.borrow_mut().push(closed.to_owned());
        let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
        assert_eq!(codes(&plan), ["account_unreachable"]);
        assert_eq!(of_check(&plan), Status::Incomplete);
        assert!(plan.changes.iter().all(|c| c.account.as_str() == open));
        assert!(!plan.changes.is_empty());
    }
}

#[test]
fn a_read_that_is_refused_is_incomplete_whichever_it_is() {
    for operation in [
        "sts:GetCallerIdentity",
        "codepipeline:GetPipeline",
        "lambda:GetFunctionConfiguration",
        "iam:GetRole",
        "iam:ListRolePolicies",
        "iam:ListAttachedRolePolicies",
        "iam:GetRolePolicy",
    ] {
        let world = wired(MANIFEST);
        *world.refused.borrow_mut() = Some(operation);
        let (plan, report) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
        assert_eq!(of_check(&plan), Status::Incomplete, "{operation}");
        assert!(
            plan.problems.iter().any(|p| p.message.contains(operation)),
            "{operation}"
        );
        assert!(report.is_none());
    }
}

#[test]
fn what_a_bootstrap_needs_and_is_missing_blocks_it() {
    let cases: [(&str, Mutation); 4] = [
        ("function_not_found", |w| {
            w.edit("dev", |a| a.functions.clear());
        }),
        ("pipeline_not_found", |w| {
            w.edit("tools", |a| a.pipelines.clear());
        }),
        ("service_role_not_found", |w| {
            w.edit("tools", |a| a.roles.clear());
        }),
        ("execution_role_not_found", |w| {
            w.edit("dev", |a| drop(a.roles.remove("ExecutionRole")));
        }),
    ];
    for (code, mutate) in cases {
        let world = World::new();
        mutate(&world);
        let (plan, report) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
        assert_eq!(codes(&plan), [code]);
        assert_eq!(plan.severity(), Some(Severity::Blocked));
        assert!(report.is_none());
    }
}

#[test]
fn the_inline_policy_limit_is_seen_before_the_first_write() {
    let world = World::new();
    let big = format!("{{\"x\":\"{}\"}}", "y".repeat(10_100));
    world.put_inline("tools", "ServiceRole", "big", &big);
    let (plan, report) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
    assert_eq!(codes(&plan), ["inline_policy_limit"]);
    assert!(report.is_none());
    // White space does not count.
    world.put_inline("tools", "ServiceRole", "big", &" ".repeat(20_000));
    assert!(world.plan(&wiring(MANIFEST, &[]), &bootstrap()).may_apply());
}

#[test]
fn a_policy_that_is_no_json_is_an_error_and_not_overwritten() {
    let world = wired(MANIFEST);
    world.put_inline("dev", ROLE, "crossgate-checkout-invoke", "{not json");
    let (plan, report) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
    assert_eq!(codes(&plan), ["policy_unreadable"]);
    assert_eq!(of_check(&plan), Status::Incomplete);
    assert!(report.is_none());
}

#[test]
fn a_failure_skips_what_needs_it_and_nothing_else() {
    let world = World::new();
    let plan = world.plan(&wiring(&many(), &[]), &bootstrap());
    world.add_role("dev", "Shared", &service_trust("ec2.amazonaws.com"));
    let report = world.apply(&plan);
    assert_eq!(of_apply(&plan, &report), Status::Partial);
    let outcome = |resource: &str| {
        let at = plan
            .changes
            .iter()
            .position(|c| c.resource.ends_with(resource))
            .unwrap();
        report.outcomes[at].as_str()
    };
    assert_eq!(outcome("Shared"), "failed");
    assert_eq!(outcome("Shared/crossgate-checkout-invoke"), "skipped");
    assert_eq!(outcome("crossgate-checkout-c"), "done");
    assert_eq!(
        outcome("crossgate-checkout-c/crossgate-checkout-invoke"),
        "done"
    );
    assert_eq!(outcome("MyPipeline/Other/c"), "skipped");
}

#[test]
fn a_pipeline_that_moved_since_the_plan_is_patched_anew() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    world.edit_pipeline("MyPipeline", |p| {
        p["version"] = json!(9);
        p["addedMeanwhile"] = json!(true);
    });
    let report = world.apply(&plan);
    assert_eq!(of_apply(&plan, &report), Status::Applied);
    assert_eq!(report.problems[0].code, "pipeline_moved");
    world.edit_pipeline("MyPipeline", |p| {
        assert_eq!(p["addedMeanwhile"], json!(true));
    });
    assert!(
        world
            .plan(&wiring(MANIFEST, &[]), &bootstrap())
            .is_in_sync()
    );
}

#[test]
fn a_pipeline_with_another_service_role_since_the_plan_is_left_alone() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    world.edit_pipeline("MyPipeline", |p| {
        p["roleArn"] = json!("arn:aws:iam::111111111111:role/Other");
    });
    let report = world.apply(&plan);
    assert_eq!(of_apply(&plan, &report), Status::Partial);
    world.edit_pipeline("MyPipeline", |p| {
        assert_eq!(p["stages"].as_array().unwrap().len(), 3);
    });
}

#[test]
fn a_teardown_leaves_the_action_of_another_project_on_the_same_role() {
    // The same gate in a manifest with another project's name: its bootstrap is refused, so its teardown has nothing to remove.
    let manifest = format!("{MANIFEST}[gates.invoke_role]\nname = \"Invoke\"\n");
    let other = manifest.replace("\"checkout\"", "\"billing\"");
    let world = wired(&manifest);
    let before = world.content();
    let plan = world.plan(&wiring(&other, &[]), &bootstrap());
    assert!(
        codes(&plan).contains(&"role_conflict"),
        "{:?}",
        plan.problems
    );
    let (plan, _) = world.run(&wiring(&other, &[]), &teardown());
    assert_eq!(lines(&plan), "");
    assert_eq!(world.content(), before);
}

#[test]
fn a_policy_with_a_name_of_ours_that_has_no_place_on_the_invoke_role_is_unexpected() {
    for policy in ["crossgate-checkout-callback", "crossgate-checkout-assume"] {
        let world = wired(MANIFEST);
        let star = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        world.put_inline("dev", ROLE, policy, star);
        let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
        assert_eq!(of_check(&plan), Status::Drift, "{policy}");
        assert!(
            lines(&plan).contains("iam_unexpected_policy"),
            "{}",
            lines(&plan)
        );
    }
}

#[test]
fn a_teardown_with_another_path_in_the_manifest_does_not_leave_the_action_without_its_role() {
    let world = wired(MANIFEST);
    let before = world.content();
    let moved = format!("{MANIFEST}[gates.invoke_role]\npath = \"/gates/\"\n");
    let (plan, report) = world.run(&wiring(&moved, &[]), &teardown());
    assert_eq!(codes(&plan)[0], "role_path", "{}", lines(&plan));
    assert!(report.is_none());
    assert_eq!(world.content(), before);
}

#[test]
fn an_action_that_loses_the_grant_of_its_role_is_named() {
    // A gate is taken out of the manifest, but its action is still in the pipeline.
    let manifest = many();
    let world = wired(&manifest);
    let without_c = manifest.rsplit_once("[[gates]]").unwrap().0.to_owned();
    let plan = world.plan(&wiring(&without_c, &[]), &bootstrap());
    assert!(
        codes(&plan).contains(&"action_left_behind"),
        "{:?}",
        plan.problems
    );
    let message = &plan.problems[0].message;
    assert!(message.contains("Other/c"), "{message}");
    // An action that somebody renamed is not ours any more; its role goes all the same.
    let world = wired(MANIFEST);
    world.edit_pipeline("MyPipeline", |p| {
        p["stages"][2]["actions"][0]["name"] = json!("Renamed");
    });
    let plan = world.plan(&wiring(MANIFEST, &[]), &teardown());
    assert_eq!(codes(&plan), ["action_left_behind"], "{}", lines(&plan));
    // Where all is as it should be, nothing is said.
    let world = wired(&manifest);
    for options in [bootstrap(), teardown()] {
        let plan = world.plan(&wiring(&manifest, &[]), &options);
        assert!(plan.problems.is_empty(), "{:?}", plan.problems);
        let plan = world.plan(&wiring(&manifest, &["a"]), &options);
        assert!(plan.problems.is_empty(), "{:?}", plan.problems);
    }
}

#[test]
fn a_boundary_that_somebody_else_set_is_not_taken_off_unasked() {
    let world = wired(MANIFEST);
    world.edit_role("dev", ROLE, |r| {
        r.role.permissions_boundary =
            Some("arn:aws:iam::222222222222:policy/OrgBoundary".to_owned());
    });
    let (plan, _) = world.run(&wiring(MANIFEST, &[]), &bootstrap());
    assert_eq!(of_check(&plan), Status::Drift);
    let role = world.snapshot()["dev"].roles[ROLE].role.clone();
    assert!(role.permissions_boundary.is_some());
}

/// A world that refuses its first writes of one operation as IAM and CodePipeline do while they do not know everything yet.
struct Unsettled<'w> {
    world: &'w World,
    operation: &'static str,
    left: std::cell::Cell<u32>,
}

impl Cloud for Unsettled<'_> {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        self.world.read(account, read).await
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        if write.operation() != self.operation || self.left.get() == 0 {
            return self.world.write(account, write).await;
        }
        self.left.set(self.left.get() - 1);
        Err(CloudError {
            kind: CloudErrorKind::NotSettled,
            operation: write.operation().to_owned(),
            account: account.clone(),
            account_id: AccountId::unknown(),
            resource: write.to_string(),
            code: None,
            message: "not yet".to_owned(),
            request_id: None,
            hint: None,
        })
    }
}

#[test]
fn what_is_not_settled_is_waited_for_whichever_write_meets_it() {
    // UpdatePipeline tries the roles that were just made; PutRolePolicy meets another write on the same role.
    for operation in [
        "codepipeline:UpdatePipeline",
        "iam:PutRolePolicy",
        "iam:CreateRole",
    ] {
        let world = World::new();
        let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
        let cloud = Unsettled {
            world: &world,
            operation,
            left: std::cell::Cell::new(3),
        };
        let tools = Tools {
            cloud: &cloud,
            timing: &NoTime,
            backup: &Shelf::default(),
            progress: &Silent,
            side_by_side: 8,
        };
        let report = block_on(apply(&plan, &tools));
        assert_eq!(of_apply(&plan, &report), Status::Applied, "{operation}");
    }
}

#[test]
fn a_role_that_turns_out_to_be_there_just_as_it_was_to_be_made_is_done() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    world.apply(&plan);
    // The same plan again: its CreateRole meets the role, as the SDK's second attempt does after a lost answer.
    let report = world.apply(&plan);
    assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
}

#[test]
fn a_role_that_turns_out_to_be_there_and_is_another_is_a_conflict() {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    world.apply(&plan);
    world.edit_role("dev", ROLE, |r| {
        r.role.tags.insert("owner".to_owned(), "them".to_owned());
    });
    let report = world.apply(&plan);
    assert_eq!(of_apply(&plan, &report), Status::Partial, "{report:#?}");
}

/// When somebody else writes the pipeline, of which an answer is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Other {
    Never,
    Before,
    After,
}

/// A world whose first answers to UpdatePipeline are lost: before the write is made, or after it.
struct Unanswered<'w> {
    world: &'w World,
    left: std::cell::Cell<u32>,
    made: bool,
    other: Other,
}

impl Unanswered<'_> {
    async fn somebody_writes(&self, account: &AccountName, write: &Write) {
        let Write::UpdatePipeline { region, name, .. } = write else {
            panic!("{write:?}")
        };
        let read = Read::Pipeline {
            region: region.clone(),
            name: name.clone(),
        };
        let Ok(Fact::Pipeline(Some(document))) = self.world.read(account, &read).await else {
            panic!("no pipeline {name}")
        };
        let mut body: Value = serde_json::from_str(&document.to_request_body()).unwrap();
        body["pipeline"]["theirs"] = json!("kept by all means");
        let theirs = Write::UpdatePipeline {
            region: region.clone(),
            name: name.clone(),
            document: Box::new(PipelineDocument::parse(&body["pipeline"].to_string()).unwrap()),
        };
        self.world.write(account, &theirs).await.unwrap();
    }
}

impl Cloud for Unanswered<'_> {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        self.world.read(account, read).await
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        let about = write.operation() == "codepipeline:UpdatePipeline";
        if !about || self.left.get() == 0 {
            return self.world.write(account, write).await;
        }
        self.left.set(self.left.get() - 1);
        if self.other == Other::Before {
            self.somebody_writes(account, write).await;
        }
        if self.made {
            self.world.write(account, write).await?;
        }
        if self.other == Other::After {
            self.somebody_writes(account, write).await;
        }
        Err(no_answer(account, write))
    }
}

/// How a bootstrap ends whose first answers are lost: status, codes of the problems, the accounts, what was saved.
fn unanswered(left: u32, made: bool, other: Other) -> (Status, Vec<&'static str>, String, String) {
    let world = World::new();
    let plan = world.plan(&wiring(MANIFEST, &[]), &bootstrap());
    let cloud = Unanswered {
        world: &world,
        left: std::cell::Cell::new(left),
        made,
        other,
    };
    let shelf = Shelf::default();
    let tools = Tools {
        cloud: &cloud,
        timing: &NoTime,
        backup: &shelf,
        progress: &Silent,
        side_by_side: 8,
    };
    let report = block_on(apply(&plan, &tools));
    let codes = report.problems.iter().map(|p| p.code).collect();
    let content = format!("{:?}", world.content());
    let saved = format!("{:?}", shelf.0.borrow());
    (of_apply(&plan, &report), codes, content, saved)
}

#[test]
fn an_update_whose_answer_is_lost_is_made_once_and_nobody_is_blamed() {
    for made in [true, false] {
        let (status, codes, ..) = unanswered(1, made, Other::Never);
        assert_eq!((status, codes), (Status::Applied, vec![]), "made: {made}");
    }
}

#[test]
fn what_others_write_over_ours_while_its_answer_is_lost_stays_and_nobody_is_blamed() {
    let (status, codes, content, _) = unanswered(1, true, Other::After);
    assert_eq!((status, codes), (Status::Applied, vec![]));
    assert!(content.contains("kept by all means"), "{content}");
}

#[test]
fn what_others_write_while_a_write_is_lost_that_was_not_made_is_kept() {
    let (status, codes, content, _) = unanswered(1, false, Other::Before);
    assert_eq!((status, codes), (Status::Applied, vec!["pipeline_moved"]));
    assert!(content.contains("kept by all means"), "{content}");
}

#[test]
fn what_a_write_without_an_answer_has_overwritten_is_told_and_saved() {
    let (status, codes, content, saved) = unanswered(1, true, Other::Before);
    assert_eq!(
        (status, codes),
        (Status::Applied, vec!["pipeline_overwritten"])
    );
    assert!(!content.contains("kept by all means"), "{content}");
    assert!(saved.contains("kept by all means"), "{saved}");
}

#[test]
fn an_update_that_is_never_answered_is_in_doubt() {
    let (status, ..) = unanswered(u32::MAX, false, Other::Never);
    assert_eq!(status, Status::Partial);
}

#[test]
fn a_secret_that_is_not_masked_is_no_drift() {
    let world = wired(MANIFEST);
    let secret = ActionSecret {
        stage: StageName::new("Source").unwrap(),
        action: ActionName::new("Src").unwrap(),
        key: "OAuthToken".to_owned(),
        value: SecretText::new("marked".to_owned()),
    };
    let options = Options {
        secrets: vec![secret],
        ..bootstrap()
    };
    let plan = world.plan(&wiring(MANIFEST, &[]), &options);
    assert_eq!(codes(&plan), ["secret_not_masked"]);
    assert_eq!(of_check(&plan), Status::Failed);
    assert!(!format!("{plan:?}").contains("marked\""), "{plan:?}");
}

#[test]
fn an_adopted_action_is_said_to_go_with_a_teardown_and_is_in_the_backup() {
    let world = World::new();
    world.edit_pipeline("MyPipeline", |p| {
        let action = json!({"name": "RunValidation", "configuration": {"FunctionName": "Theirs"},
            "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}});
        p["stages"][1]["actions"]
            .as_array_mut()
            .unwrap()
            .push(action);
    });
    let manifest = MANIFEST
        .replace("stage = \"Gate\"", "stage = \"Deploy\"")
        .replace("after = \"Deploy\"\n", "");
    let adopt = Options {
        adopt: true,
        ..bootstrap()
    };
    let plan = world.plan(&wiring(&manifest, &[]), &adopt);
    let said = lines(&plan);
    assert!(said.contains("a teardown removes it"), "{said}");
    let shelf = Shelf::default();
    let tools = Tools {
        cloud: &world,
        timing: &NoTime,
        backup: &shelf,
        progress: &Silent,
        side_by_side: 8,
    };
    block_on(apply(&plan, &tools));
    assert!(shelf.0.borrow()[0].to_backup().contains("Theirs"));
}

#[test]
fn an_action_of_another_project_is_not_adopted() {
    let world = wired(MANIFEST);
    let before = world.content();
    let other = MANIFEST.replace("\"checkout\"", "\"billing\"");
    let adopt = Options {
        adopt: true,
        ..bootstrap()
    };
    let (plan, report) = world.run(&wiring(&other, &[]), &adopt);
    assert!(
        codes(&plan).contains(&"action_conflict"),
        "{:?}",
        plan.problems
    );
    assert!(report.is_none());
    assert_eq!(world.content(), before);
}

#[test]
fn a_teardown_leaves_an_action_whose_role_is_not_ours() {
    let world = wired(MANIFEST);
    world.edit_role("dev", ROLE, |r| r.role.tags.clear());
    let (plan, _) = world.run(&wiring(MANIFEST, &[]), &teardown());
    assert!(
        codes(&plan).contains(&"role_conflict"),
        "{:?}",
        plan.problems
    );
    let pipeline = format!("{:?}", world.snapshot()["tools"].pipelines);
    assert!(pipeline.contains("RunValidation"), "{pipeline}");
}

#[test]
fn an_action_that_the_manifest_names_anew_does_not_stay_behind_unsaid() {
    let world = wired(MANIFEST);
    let renamed = MANIFEST.replace("stage = \"Gate\"", "stage = \"Approval\"");
    let (plan, _) = world.run(&wiring(&renamed, &[]), &bootstrap());
    let said = lines(&plan) + &format!("{:?}", plan.problems);
    assert!(
        said.contains("MyPipeline/Gate/") || said.contains("Gate/RunValidation"),
        "{said}"
    );
}
