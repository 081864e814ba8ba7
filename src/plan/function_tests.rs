//! Plans and runs of manifests that make their function, over worlds in memory.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use crate::model::arn::RoleArn;
use crate::model::change::{ChangeKind, Failure, Intent, Outcome, Plan, Severity, Work};
use crate::model::read::Function;
use crate::model::status::Status;
use crate::model::wiring::Wiring;
use crate::plan::{Options, of_apply, of_check};
use crate::world::{
    MADE_ROLE, MANIFEST, NAMED_ROLE, SECRET, World, WorldAccount, making, options, package,
    service_trust,
};

use super::tests::{bootstrap, codes, lines, stopped_everywhere, teardown};

const ROLE: &str = MADE_ROLE;
const NAMED: &str = "arn:aws:iam::222222222222:role/ExecutionRole";

fn made() -> Wiring {
    making(MANIFEST, &[], MADE_ROLE)
}

fn named() -> Wiring {
    making(MANIFEST, &[], NAMED_ROLE)
}

/// Two gates that share the function.
fn two_gates() -> String {
    let other = MANIFEST.split("[[gates]]").nth(1).unwrap();
    let other = other
        .replace("\"validate\"", "\"audit\"")
        .replace("RunValidation", "RunAudit");
    format!("{MANIFEST}[[gates]]{other}")
}

/// A world without the function.
fn empty() -> World {
    let world = World::new();
    world.edit("dev", |a| a.functions.clear());
    world
}

fn applied(wiring: &Wiring) -> World {
    let world = empty();
    let (plan, report) = world.run(wiring, &bootstrap());
    let report = report.unwrap_or_else(|| panic!("{:#?}", plan.problems));
    assert_eq!(of_apply(&plan, &report), Status::Applied, "{report:#?}");
    world.forget_calls();
    world
}

fn edit_function(world: &World, change: impl FnOnce(&mut Function)) {
    world.edit("dev", |a| change(a.functions.values_mut().next().unwrap()));
}

fn function(world: &World) -> Function {
    let accounts = world.snapshot();
    accounts["dev"].functions.values().next().unwrap().clone()
}

fn blocked(plan: &Plan) -> Vec<String> {
    let problems = plan.problems.iter();
    problems
        .filter(|p| p.severity == Severity::Blocked)
        .map(|p| format!("{}: {}", p.code, p.message))
        .collect()
}

#[test]
fn a_made_function_is_four_objects_more() {
    insta::assert_snapshot!(lines(&empty().plan(&made(), &bootstrap())), @r"
    + dev iam_role crossgate-checkout-fn-MyFunction: the function's execution role is missing
    + dev iam_role crossgate-checkout-validate: the role is missing
    + dev iam_inline_policy crossgate-checkout-fn-MyFunction/crossgate-checkout-callback: the policy is missing
    + dev iam_inline_policy crossgate-checkout-fn-MyFunction/crossgate-checkout-logs: the policy is missing
    + dev iam_inline_policy crossgate-checkout-validate/crossgate-checkout-invoke: the policy is missing
    + dev lambda_function MyFunction: the function is missing
    + tools iam_inline_policy ServiceRole/crossgate-checkout-assume: the policy is missing
    + tools pipeline_action MyPipeline/Gate/RunValidation: the stage is missing
    ");
    insta::assert_snapshot!(lines(&empty().plan(&named(), &bootstrap())), @r"
    + dev iam_role crossgate-checkout-validate: the role is missing
    + dev iam_inline_policy ExecutionRole/crossgate-checkout-callback: the policy is missing
    + dev iam_inline_policy crossgate-checkout-validate/crossgate-checkout-invoke: the policy is missing
    + dev lambda_function MyFunction: the function is missing
    + tools iam_inline_policy ServiceRole/crossgate-checkout-assume: the policy is missing
    + tools pipeline_action MyPipeline/Gate/RunValidation: the stage is missing
    ");
}

#[test]
fn the_function_comes_behind_its_role_and_before_the_pipeline_and_leaves_in_reverse() {
    let order = |world: &World| -> Vec<String> {
        let writes = world.writes.borrow();
        let wanted = |w: &&(String, String)| !w.1.contains("validate");
        writes.iter().filter(wanted).map(|w| w.1.clone()).collect()
    };
    let world = empty();
    world.run(&made(), &bootstrap());
    let there = order(&world);
    assert_eq!(there[0], format!("iam:CreateRole role {ROLE}"));
    let last = &there[there.len() - 2..];
    assert_eq!(
        last[0],
        "lambda:CreateFunction function MyFunction in us-east-1"
    );
    assert!(last[1].starts_with("codepipeline:UpdatePipeline"));

    world.forget_calls();
    world.run(&made(), &teardown());
    let gone = order(&world);
    assert!(gone[0].starts_with("codepipeline:UpdatePipeline"));
    assert_eq!(
        gone[1],
        "lambda:DeleteFunction function MyFunction in us-east-1"
    );
    assert_eq!(gone[gone.len() - 1], format!("iam:DeleteRole role {ROLE}"));
}

#[test]
fn law_1_a_made_function_is_in_sync_after_bootstrap_for_one_or_two_calls_more() {
    for (wiring, calls) in [(made(), 12), (named(), 11)] {
        let world = applied(&wiring);
        let (plan, report) = world.run(&wiring, &bootstrap());
        assert!(plan.is_in_sync(), "{}", lines(&plan));
        assert_eq!(report.unwrap().writes, 0);
        assert_eq!(world.reads.borrow().len(), calls, "{:#?}", world.reads);
        assert_eq!(world.rounds.get(), 2);
    }
}

#[test]
fn law_2_teardown_leaves_everything_as_it_was_without_the_function() {
    for wiring in [made(), named()] {
        let world = applied(&wiring);
        let (plan, report) = world.run(&wiring, &teardown());
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
        assert_eq!(codes(&plan), ["logs_stay"]);
        assert_eq!(world.content(), empty().content());
        world.forget_calls();
        let (plan, _) = world.run(&wiring, &teardown());
        assert!(plan.is_in_sync() && plan.problems.is_empty(), "{plan:#?}");
        assert!(world.writes.borrow().is_empty());
    }
}

#[test]
fn law_3_the_order_of_gates_does_not_matter_to_a_shared_function() {
    let two = two_gates();
    let parts: Vec<&str> = two.split("[[gates]]").collect();
    let turned = [parts[0], parts[2], parts[1]].join("[[gates]]");
    let plan = |text: &str| empty().plan(&making(text, &[], MADE_ROLE), &bootstrap());
    assert_eq!(plan(&two), plan(&turned));
}

#[test]
fn law_5_a_run_that_makes_changes_or_removes_a_function_may_be_stopped_at_any_call() {
    let changed = |mut wiring: Wiring| {
        for spec in wiring.functions.values_mut() {
            spec.package = package("v2");
            spec.handler = "other.handler".to_owned();
            spec.tags.insert("cost".to_owned(), "1".to_owned());
        }
        wiring
    };
    for wiring in [made(), named()] {
        let points = [
            stopped_everywhere(&wiring, empty, &bootstrap()),
            stopped_everywhere(&changed(wiring.clone()), || applied(&wiring), &bootstrap()),
            stopped_everywhere(&wiring, || applied(&wiring), &teardown()),
        ];
        assert!(points.iter().all(|p| *p >= 24), "{points:?}");
    }
}

#[test]
fn law_6_of_a_named_role_only_our_policy_is_written() {
    let wiring = named();
    let world = empty();
    world.run(&wiring, &bootstrap());
    world.run(&wiring, &teardown());
    let writes = world.writes.borrow();
    let on_role = writes
        .iter()
        .filter(|(_, w)| w.ends_with("role ExecutionRole"));
    let on_role: Vec<&str> = on_role.map(|(_, w)| w.as_str()).collect();
    assert_eq!(
        on_role,
        [
            "iam:PutRolePolicy policy crossgate-checkout-callback on role ExecutionRole",
            "iam:DeleteRolePolicy policy crossgate-checkout-callback on role ExecutionRole",
        ]
    );
}

type Mutation = fn(&mut WorldAccount);

fn one(account: &mut WorldAccount) -> &mut Function {
    account.functions.values_mut().next().unwrap()
}

fn variable(account: &mut WorldAccount, name: &str, value: Option<&str>) {
    let variables = &mut one(account).environment.as_mut().unwrap().0;
    match value {
        Some(value) => variables.insert(name.to_owned(), value.to_owned()),
        None => variables.remove(name),
    };
}

#[test]
fn each_thing_that_is_changed_from_outside_is_found_named_and_put_right() {
    let mutations: [(&str, Mutation); 11] = [
        (
            "~ dev lambda_function_code MyFunction: the function has other code than `source`",
            |a| {
                one(a).code_sha256 = Some("another".to_owned());
            },
        ),
        (
            "~ dev lambda_function_configuration MyFunction: different from the manifest: runtime, handler",
            |a| {
                one(a).runtime = Some("python3.9".to_owned());
                one(a).handler = None;
            },
        ),
        (
            "~ dev lambda_function_configuration MyFunction: different from the manifest: timeout, memory",
            |a| {
                one(a).timeout_seconds = Some(3);
                one(a).memory_mb = Some(1024);
            },
        ),
        (
            "~ dev lambda_function_configuration MyFunction: different from the manifest: variable TOKEN has another value",
            |a| {
                variable(a, "TOKEN", Some("hunter3"));
            },
        ),
        (
            "~ dev lambda_function_configuration MyFunction: different from the manifest: variable MODE is missing",
            |a| {
                variable(a, "MODE", None);
            },
        ),
        (
            "~ dev lambda_function_configuration MyFunction: different from the manifest: variable DEBUG is not of the manifest",
            |a| {
                variable(a, "DEBUG", Some("1"));
            },
        ),
        (
            "~ dev lambda_function_configuration MyFunction: different from the manifest: execution role",
            |a| {
                one(a).role = RoleArn::parse(NAMED).unwrap();
            },
        ),
        (
            "~ dev lambda_function_tags MyFunction: tags missing or different: team",
            |a| {
                one(a).tags.as_mut().unwrap().remove("team");
            },
        ),
        (
            "~ dev iam_trust_policy crossgate-checkout-fn-MyFunction: the role trusts too little: ",
            |a| {
                a.roles.get_mut(ROLE).unwrap().role.trust = service_trust("ec2.amazonaws.com");
            },
        ),
        (
            "~ dev iam_inline_policy crossgate-checkout-fn-MyFunction/crossgate-checkout-logs: the policy grants too much",
            |a| {
                let role = a.roles.get_mut(ROLE).unwrap();
                let logs = role.inline.get_mut("crossgate-checkout-logs").unwrap();
                *logs = logs.replace("/aws/lambda/MyFunction\"", "/aws/lambda/*\"");
            },
        ),
        (
            "+ dev lambda_function MyFunction: the function is missing",
            |a| a.functions.clear(),
        ),
    ];
    let wiring = made();
    for (expected, mutation) in mutations {
        let world = applied(&wiring);
        let end = world.content();
        world.edit("dev", mutation);
        let (plan, report) = world.run(&wiring, &bootstrap());
        assert!(lines(&plan).starts_with(expected), "{}", lines(&plan));
        assert_eq!(plan.changes.len(), 1, "{}", lines(&plan));
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
        assert_eq!(world.content(), end, "{expected}");
    }
}

#[test]
fn values_of_variables_are_nowhere_in_a_plan() {
    let wiring = made();
    let world = applied(&wiring);
    world.edit("dev", |a| variable(a, "TOKEN", Some("hunter3")));
    world.edit("dev", |a| variable(a, "OTHER", Some("hunter4")));
    for plan in [
        empty().plan(&wiring, &bootstrap()),
        world.plan(&wiring, &bootstrap()),
        world.plan(&wiring, &teardown()),
    ] {
        assert!(!format!("{plan:?}").contains(&SECRET[..6]), "{plan:?}");
    }
    let plan = world.plan(&wiring, &bootstrap());
    let change = &plan.changes[0];
    assert_eq!(
        change.before.as_ref().unwrap().value()["environment"],
        json!({"MODE": "(hidden)", "OTHER": "(hidden)", "TOKEN": "(hidden)"})
    );
    assert_eq!(
        change.after.as_ref().unwrap().value()["environment"],
        json!({"MODE": "(hidden)", "TOKEN": "(hidden, another value)"})
    );
}

#[test]
fn a_tag_of_others_stays() {
    let wiring = made();
    let world = applied(&wiring);
    edit_function(&world, |f| {
        let tags = f.tags.as_mut().unwrap();
        tags.insert("owner".to_owned(), "somebody".to_owned());
        tags.insert("team".to_owned(), "another".to_owned());
    });
    let (plan, _) = world.run(&wiring, &bootstrap());
    assert_eq!(plan.changes.len(), 1, "{}", lines(&plan));
    let tags = function(&world).tags.unwrap();
    assert_eq!((&*tags["owner"], &*tags["team"]), ("somebody", "platform"));
}

#[test]
fn code_configuration_and_tags_are_updated_one_after_the_other() {
    let mut wiring = made();
    let world = applied(&wiring);
    for spec in wiring.functions.values_mut() {
        spec.package = package("v2");
        spec.timeout_seconds = 30;
        spec.tags.insert("cost".to_owned(), "1".to_owned());
    }
    world.pending.set(3);
    let (plan, report) = world.run(&wiring, &bootstrap());
    assert_eq!(report.unwrap().writes, 3);
    let writes: Vec<String> = world.writes.borrow().iter().map(|w| w.1.clone()).collect();
    assert_eq!(
        writes,
        [
            "lambda:UpdateFunctionCode code of function MyFunction in us-east-1",
            "lambda:UpdateFunctionConfiguration configuration of function MyFunction in us-east-1",
            "lambda:TagResource tags of function MyFunction in us-east-1",
        ]
    );
    assert_eq!(plan.steps[1].after, [0]);
    assert_eq!(plan.steps[2].after, [0, 1]);
    assert_eq!(world.pending.get(), 0, "each update was waited for");
}

#[test]
fn a_function_that_does_not_become_ready_keeps_the_pipeline_from_it() {
    for (pending, why) in [(0, Some("the runtime is gone")), (1000, None)] {
        let world = empty();
        world.pending.set(pending);
        *world.unready.borrow_mut() = why.map(str::to_owned);
        let (plan, report) = world.run(&made(), &bootstrap());
        let report = report.unwrap();
        assert_eq!(of_apply(&plan, &report), Status::Partial);
        let outcome = |kind| {
            let place = plan.changes.iter().position(|c| c.kind == kind).unwrap();
            &report.outcomes[place]
        };
        let Outcome::Failed(Failure::NotReady { message }) = outcome(ChangeKind::LambdaFunction)
        else {
            panic!("{report:#?}")
        };
        let expected = why.unwrap_or("its update is still in progress");
        assert!(message.contains(expected), "{message}");
        let pipeline = outcome(ChangeKind::PipelineAction);
        assert!(matches!(pipeline, Outcome::Skipped { .. }), "{pipeline:?}");

        world.pending.set(0);
        *world.unready.borrow_mut() = None;
        let (plan, report) = world.run(&made(), &bootstrap());
        assert_eq!(
            plan.changes.len(),
            1,
            "only the pipeline is left: {}",
            lines(&plan)
        );
        assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
    }
}

/// Lambda took the change in and then could not do it: a run that says "in sync" would put a gate before a function that cannot run.
#[test]
fn what_lambda_could_not_take_over_is_drift_and_is_tried_again() {
    let wiring = made();
    for creation in [true, false] {
        let world = applied(&wiring);
        edit_function(&world, |f| {
            let failed = Some("Failed".to_owned());
            let why = Some("the key is disabled".to_owned());
            if creation {
                (f.state, f.state_reason) = (failed, why);
            } else {
                (f.last_update_status, f.last_update_reason) = (failed, why);
            }
        });
        let plan = world.plan(&wiring, &bootstrap());
        assert_eq!(of_check(&plan), Status::Drift, "{}", lines(&plan));
        assert_eq!(
            lines(&plan),
            "~ dev lambda_function_configuration MyFunction: Lambda could not take over its last change: the key is disabled"
        );
        assert_eq!(codes(&plan), ["function_update_failed"]);
        // New code makes Lambda try again by itself.
        edit_function(&world, |f| f.code_sha256 = Some("other".to_owned()));
        let plan = world.plan(&wiring, &bootstrap());
        let kinds: Vec<ChangeKind> = plan.changes.iter().map(|c| c.kind).collect();
        assert_eq!(kinds, [ChangeKind::LambdaFunctionCode]);
    }
}

type Edit = fn(&mut Function);

/// A person may look at a plan for an hour.
#[test]
fn what_changed_hands_or_was_deployed_since_the_plan_is_not_overwritten_or_deleted() {
    let changes: [(&str, Edit); 3] = [
        ("has lost its tag", |f| f.tags = Some([].into())),
        ("has lost its tag", |f| {
            f.tags = Some([(super::roles::PROJECT_TAG.to_owned(), "other".to_owned())].into());
        }),
        ("somebody deployed it", |f| {
            f.code_sha256 = Some("theirs".to_owned());
        }),
    ];
    let mut newer = made();
    for spec in newer.functions.values_mut() {
        (spec.package, spec.timeout_seconds) = (package("v2"), 61);
    }
    for (why, change) in changes {
        for (wiring, options) in [(&newer, bootstrap()), (&made(), teardown())] {
            let world = applied(&made());
            let plan = world.plan(wiring, &options);
            edit_function(&world, change);
            let before = function(&world);
            let report = world.apply(&plan);
            assert_eq!(
                of_apply(&plan, &report) == Status::Failed,
                options == bootstrap()
            );
            let stale = report.outcomes.iter().find_map(|o| match o {
                Outcome::Failed(Failure::Stale { message }) => Some(message),
                _ => None,
            });
            assert!(stale.is_some_and(|m| m.contains(why)), "{report:#?}");
            assert_eq!(function(&world), before);
        }
    }
}

/// A log group that somebody gave the function may be that of a whole platform.
#[test]
fn nobody_is_told_to_delete_a_log_group_of_others() {
    let world = applied(&made());
    let hint = |world: &World| {
        let plan = world.plan(&made(), &teardown());
        let told = plan.problems.into_iter().find(|p| p.code == "logs_stay");
        told.unwrap().hint.unwrap()
    };
    assert!(hint(&world).contains("delete-log-group --log-group-name /aws/lambda/MyFunction "));
    edit_function(&world, |f| f.log_group = Some("/platform/all".to_owned()));
    let hint = hint(&world);
    assert!(!hint.contains("delete-log-group"), "{hint}");
}

#[test]
fn a_function_that_is_somebody_elses_is_a_conflict_even_with_adopt() {
    let adopt = Options {
        adopt: true,
        ..bootstrap()
    };
    for project in [None, Some("billing")] {
        let world = World::new();
        edit_function(&world, |f| {
            let tags = project.map(|p| ("crossgate:project".to_owned(), p.to_owned()));
            f.tags = Some(tags.into_iter().collect());
        });
        let before = world.content();
        for options in [bootstrap(), adopt.clone()] {
            let plan = world.plan(&named(), &options);
            let [problem] = blocked(&plan).try_into().unwrap();
            assert!(problem.starts_with("function_conflict: "), "{problem}");
            let kind = |c: &crate::model::change::Change| c.resource == "MyFunction";
            assert!(!plan.changes.iter().any(kind), "{}", lines(&plan));
        }
        let (plan, _) = world.run(&named(), &teardown());
        assert_eq!(codes(&plan), ["function_conflict"]);
        assert_eq!(world.content(), before, "a teardown leaves it");
    }
}

#[test]
fn a_function_that_lost_its_tag_keeps_the_role_that_it_runs_as() {
    let wiring = made();
    let world = applied(&wiring);
    edit_function(&world, |f| f.tags = None);
    world.run(&wiring, &teardown());
    let dev = &world.snapshot()["dev"];
    assert_eq!(dev.functions.len(), 1);
    assert_eq!(
        dev.roles[ROLE].inline.len(),
        2,
        "it runs, answers and logs as before"
    );
    assert!(!dev.roles.contains_key("crossgate-checkout-validate"));
}

#[test]
fn a_role_that_lambda_cannot_assume_is_refused_in_the_plan() {
    let world = empty();
    world.edit_role("dev", "ExecutionRole", |r| {
        r.role.trust = service_trust("ec2.amazonaws.com");
    });
    let plan = world.plan(&named(), &bootstrap());
    let [problem] = blocked(&plan).try_into().unwrap();
    assert!(
        problem.starts_with(
            "execution_role_not_assumable: Lambda cannot assume the execution role ExecutionRole in account dev: "
        ),
        "{problem}"
    );
}

#[test]
fn a_named_role_that_is_not_there_or_has_another_path_is_refused_in_the_plan() {
    let world = empty();
    world.edit("dev", |a| {
        a.roles.remove("ExecutionRole");
    });
    let [gone] = blocked(&world.plan(&named(), &bootstrap()))
        .try_into()
        .unwrap();
    assert!(gone.starts_with("execution_role_not_found: "), "{gone}");

    let wiring = making(MANIFEST, &[], "team/ExecutionRole");
    let plan = empty().plan(&wiring, &bootstrap());
    insta::assert_snapshot!(blocked(&plan).join("\n"), @"execution_role_not_found: the manifest names the execution role arn:aws:iam::222222222222:role/team/ExecutionRole; it is arn:aws:iam::222222222222:role/ExecutionRole");
}

#[test]
fn a_role_of_the_made_ones_name_that_is_not_ours_is_a_conflict() {
    let world = empty();
    world.add_role("dev", ROLE, &service_trust("lambda.amazonaws.com"));
    let before = world.content();
    let plan = world.plan(&made(), &bootstrap());
    assert_eq!(codes(&plan), ["role_conflict"]);
    let on_role = plan.changes.iter().any(|c| c.resource.contains(ROLE));
    assert!(!on_role, "{}", lines(&plan));
    world.run(&made(), &teardown());
    assert_eq!(world.content(), before);
}

#[test]
fn what_somebody_adds_to_a_made_role_is_no_drift_and_holds_its_deletion() {
    let wiring = made();
    let world = applied(&wiring);
    world.put_inline(
        "dev",
        ROLE,
        "reads",
        r#"{"Version":"2012-10-17","Statement":[]}"#,
    );
    world.attach(
        "dev",
        ROLE,
        "More",
        r#"{"Version":"2012-10-17","Statement":[]}"#,
    );
    assert!(world.plan(&wiring, &bootstrap()).is_in_sync());

    let (plan, _) = world.run(&wiring, &teardown());
    let held = plan.changes.iter().filter(|c| c.held.is_some());
    assert_eq!(
        held.count(),
        3,
        "two policies and the role: {}",
        lines(&plan)
    );
    let dev = &world.snapshot()["dev"];
    assert!(dev.functions.is_empty());
    assert_eq!(dev.roles[ROLE].inline.keys().collect::<Vec<_>>(), ["reads"]);

    let remove = Options {
        remove_unexpected: true,
        ..teardown()
    };
    world.run(&wiring, &remove);
    assert!(!world.snapshot()["dev"].roles.contains_key(ROLE));
}

/// Another project's gate names the function without making it: taking it away would stop that project's pipeline.
#[test]
fn a_function_that_gates_of_other_projects_use_stays() {
    let wiring = made();
    let world = applied(&wiring);
    world.put_inline(
        "dev",
        ROLE,
        "crossgate-other-callback",
        r#"{"Version":"2012-10-17","Statement":[]}"#,
    );
    let (plan, report) = world.run(&wiring, &teardown());
    assert_eq!(of_apply(&plan, &report.unwrap()), Status::Applied);
    let held = plan.changes.iter().filter(|c| c.held.is_some());
    let held: Vec<_> = held.map(|c| (c.kind, c.held.clone().unwrap())).collect();
    assert_eq!(held.len(), 3, "function, role and policy: {held:#?}");
    let function = held.iter().find(|(k, _)| *k == ChangeKind::LambdaFunction);
    assert!(function.unwrap().1.contains("on its role tell: other;"));
    let dev = &world.snapshot()["dev"];
    assert_eq!(dev.functions.len(), 1);
    let left: Vec<&String> = dev.roles[ROLE].inline.keys().collect();
    assert_eq!(
        left,
        ["crossgate-checkout-logs", "crossgate-other-callback"],
        "the function goes on writing its logs"
    );
    let remove = Options {
        remove_unexpected: true,
        ..teardown()
    };
    world.run(&wiring, &remove);
    assert_eq!(world.content(), empty().content());
}

#[test]
fn a_teardown_without_the_source_says_what_it_leaves() {
    let world = applied(&made());
    let sourceless = crate::world::wiring(MANIFEST, &[]);
    assert!(codes(&world.plan(&sourceless, &bootstrap())).is_empty());
    let (plan, _) = world.run(&sourceless, &teardown());
    assert_eq!(codes(&plan), ["function_left"]);
    assert_eq!(world.snapshot()["dev"].functions.len(), 1);
    // As it says: with the source it can still be removed.
    world.run(&made(), &teardown());
    assert_eq!(world.content(), empty().content());
}

#[test]
fn a_shared_function_goes_with_its_last_gate() {
    let two = two_gates();
    let all = making(&two, &[], MADE_ROLE);
    let audit = making(&two, &["audit"], MADE_ROLE);
    let validate = making(&two, &["validate"], MADE_ROLE);
    let world = empty();
    let (plan, _) = world.run(&all, &bootstrap());
    let made = plan
        .changes
        .iter()
        .filter(|c| c.kind == ChangeKind::LambdaFunction);
    assert_eq!(made.map(|c| c.gates.len()).collect::<Vec<_>>(), [2]);

    let before = function(&world);
    let (plan, _) = world.run(&audit, &teardown());
    assert!(
        !lines(&plan).contains(ROLE) && !lines(&plan).contains("lambda"),
        "{}",
        lines(&plan)
    );
    assert_eq!(function(&world), before);
    assert!(world.plan(&validate, &bootstrap()).is_in_sync());

    world.run(&validate, &teardown());
    assert_eq!(world.content(), empty().content());
}

#[test]
fn functions_of_one_name_in_two_regions_share_their_made_role() {
    let other = MANIFEST.split("[[gates]]").nth(1).unwrap();
    let other = other
        .replace("\"validate\"", "\"audit\"")
        .replace("RunValidation", "RunAudit")
        .replace(
            "name = \"MyFunction\"",
            "name = \"MyFunction\"\nregion = \"eu-west-1\"",
        );
    let two = format!("{MANIFEST}[[gates]]{other}");
    // An action of another region needs an artifact store there.
    let world = empty();
    world.edit_pipeline("MyPipeline", |p| {
        let store = json!({"type": "S3", "location": "bucket"});
        p.as_object_mut().unwrap().remove("artifactStore");
        p["artifactStores"] = json!({"us-east-1": store, "eu-west-1": store});
    });
    let before = world.content();
    let all = making(&two, &[], MADE_ROLE);
    let (plan, report) = world.run(&all, &bootstrap());
    assert_eq!(
        of_apply(&plan, &report.unwrap()),
        Status::Applied,
        "{plan:#?}"
    );
    let logs = |world: &World| {
        let dev = world.snapshot();
        dev["dev"].roles[ROLE].inline["crossgate-checkout-logs"].clone()
    };
    assert!(logs(&world).contains("us-east-1") && logs(&world).contains("eu-west-1"));

    world.run(&making(&two, &["audit"], MADE_ROLE), &teardown());
    assert!(logs(&world).contains("us-east-1") && !logs(&world).contains("eu-west-1"));
    assert_eq!(world.snapshot()["dev"].functions.len(), 1);
    world.run(&all, &teardown());
    assert_eq!(world.content(), before);
}

#[test]
fn a_container_image_cannot_become_a_package() {
    let wiring = made();
    let world = applied(&wiring);
    edit_function(&world, |f| f.package_type = Some("Image".to_owned()));
    let plan = world.plan(&wiring, &bootstrap());
    assert_eq!(codes(&plan), ["function_is_image"]);
    assert!(!plan.may_apply());
}

#[test]
fn an_environment_that_cannot_be_read_is_never_in_sync() {
    let wiring = made();
    let world = applied(&wiring);
    edit_function(&world, |f| f.environment = None);
    let plan = world.plan(&wiring, &options(Intent::Bootstrap));
    assert_eq!(codes(&plan), ["function_environment_unreadable"]);
    assert_eq!(plan.severity(), Some(Severity::Incomplete));
}

#[test]
fn a_change_of_a_function_is_work_that_is_waited_for() {
    let plan = empty().plan(&made(), &bootstrap());
    let waits = |work: &&Work| matches!(work, Work::Function(_));
    assert_eq!(plan.steps.iter().map(|s| &s.work).filter(waits).count(), 1);
}
