//! One gate from nothing to wired to gone, and the laws that hold on the way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::calls::{rounds, writes};
use crate::support::cli::Run;
use crate::support::manifest::Gate;
use crate::support::pipeline::{action, stage_names};
use crate::support::snapshot::assert_same;
use crate::support::world::{
    ACTION, ASSUME_POLICY, CALLBACK_POLICY, EXECUTION_ROLE, FUNCTION, INVOKE_POLICY, INVOKE_ROLE,
    PIPELINE, SERVICE_ROLE, STAGE, World,
};

#[test]
fn a_fresh_bootstrap_makes_every_object_of_the_table() {
    let world = World::new();
    let run = world.bootstrap(&[]);
    run.exits(0).has_status("applied");
    for change in run.changes() {
        run.ensure(change["action"] == "create", "everything is created");
        run.ensure(
            change["gates"] == json!(["validate"]),
            "each change names the gate",
        );
        let outcome = &change["outcome"];
        run.ensure(
            outcome == "done" || outcome["status"] == "done" || outcome["result"] == "done",
            "done",
        );
    }
    let invoke_policy = format!("{INVOKE_ROLE}/{INVOKE_POLICY}");
    let callback_policy = format!("{EXECUTION_ROLE}/{CALLBACK_POLICY}");
    let assume_policy = format!("{SERVICE_ROLE}/{ASSUME_POLICY}");
    let in_pipeline = format!("{PIPELINE}/{STAGE}/{ACTION}");
    for (kind, resource, account) in [
        ("iam_role", INVOKE_ROLE, &world.dev.id),
        ("iam_inline_policy", &*invoke_policy, &world.dev.id),
        ("iam_inline_policy", &*callback_policy, &world.dev.id),
        ("iam_inline_policy", &*assume_policy, &world.tools.id),
        ("pipeline_action", &*in_pipeline, &world.tools.id),
    ] {
        let change = run.change(kind, resource);
        run.ensure(
            change["account_id"] == **account,
            &format!("{kind} {resource} is in {account}"),
        );
    }
    wired_as_designed(&world);
    pipeline_comes_last(&run);
    backup_is_kept(&world);
}

/// What design.md's table says, read with plain SDK clients.
fn wired_as_designed(world: &World) {
    let trust = world.dev.trust(INVOKE_ROLE).to_string();
    assert!(
        trust.contains(&format!("arn:aws:iam::{}:root", world.tools.id)),
        "{trust}"
    );
    assert!(
        trust.contains(&world.service_role_arn()) && trust.contains("aws:PrincipalArn"),
        "{trust}"
    );
    let invoke = world
        .dev
        .policy(INVOKE_ROLE, INVOKE_POLICY)
        .unwrap()
        .to_string();
    let arn = world.function_arn(FUNCTION);
    assert!(
        invoke.contains(&format!("\"{arn}\"")) && invoke.contains(&format!("\"{arn}:*\"")),
        "{invoke}"
    );
    assert!(invoke.contains("lambda:ListFunctions"), "{invoke}");
    let callback = world
        .dev
        .policy(EXECUTION_ROLE, CALLBACK_POLICY)
        .unwrap()
        .to_string();
    assert!(
        callback.contains("PutJobSuccessResult") && callback.contains("PutJobFailureResult"),
        "{callback}"
    );
    let assume = world
        .tools
        .policy(SERVICE_ROLE, ASSUME_POLICY)
        .unwrap()
        .to_string();
    assert!(
        assume.contains(&world.dev.role_arn(INVOKE_ROLE)),
        "{assume}"
    );
    assert_eq!(
        world.snapshot()["dev"]["roles"][INVOKE_ROLE]["tags"]["crossgate:project"],
        "checkout"
    );

    let pipeline = world.pipeline();
    assert_eq!(stage_names(&pipeline), ["Source", "Build", "Deploy", STAGE]);
    let action = action(&pipeline, STAGE, ACTION).unwrap();
    let kind = json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
    assert_same(&kind, &action["actionTypeId"], "the action's type");
    assert_eq!(action["configuration"]["FunctionName"], FUNCTION);
    assert_eq!(action["roleArn"], world.dev.role_arn(INVOKE_ROLE));
}

/// A pipeline never names a role that is not ready; and AWS would refuse `metadata`.
fn pipeline_comes_last(run: &Run) {
    let writes = writes(&run.calls);
    let last = writes.last().unwrap();
    run.ensure(
        last.request.operation == "UpdatePipeline",
        "UpdatePipeline is the last write",
    );
    let updates = writes
        .iter()
        .filter(|call| call.request.operation == "UpdatePipeline")
        .count();
    run.ensure(updates == 1, "one UpdatePipeline");
    run.ensure(
        writes[0].request.operation == "CreateRole",
        "the role is the first write",
    );
    run.ensure(
        writes[1..]
            .iter()
            .all(|call| call.started >= writes[0].finished),
        "nothing is written beside it",
    );
    run.ensure(
        last.request.json().get("metadata").is_none(),
        "metadata is not sent",
    );
}

fn backup_is_kept(world: &World) {
    let folder = world.folder().join(".crossgate/backup");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(files.len(), 1, "one old document in {}", folder.display());
    let mode = std::os::unix::fs::PermissionsExt::mode(&files[0].metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let saved: Value = serde_json::from_slice(&std::fs::read(files[0].path()).unwrap()).unwrap();
    assert!(
        !saved.to_string().contains(STAGE),
        "the document from before"
    );
}

#[test]
fn law_1_after_bootstrap_the_plan_is_empty_and_a_second_bootstrap_writes_nothing() {
    let world = World::new();
    world.bootstrap(&[]).exits(0).wrote();
    let settled = world.snapshot();
    let plan = world.plan();
    plan.exits(0).has_status("in_sync").wrote_nothing();
    plan.ensure(plan.changes().is_empty(), "an empty plan");
    world.run(&["plan", "--exit-code"]).exits(0);
    let again = world.bootstrap(&[]);
    again.exits(0).wrote_nothing();
    again.ensure(again.changes().is_empty(), "no change");
    assert_same(&settled, &world.snapshot(), "after the second bootstrap");
}

#[test]
fn law_2_teardown_leaves_everything_as_it_was_and_a_second_one_writes_nothing() {
    let world = World::new();
    let before = world.snapshot();
    world.bootstrap(&[]).exits(0);
    world.teardown(&[]).exits(0).wrote().has_status("applied");
    assert_same(&before, &world.snapshot(), "after teardown");
    world.teardown(&[]).exits(0).wrote_nothing();
    world.check().exits(3);
}

#[test]
fn law_3_the_order_of_gates_in_the_manifest_does_not_matter() {
    let world = World::new();
    world
        .dev
        .create_function("Second", &world.execution_role_arn());
    let gates: Vec<Gate> = (1..=4)
        .map(|n| Gate {
            name: format!("gate-{n}"),
            action: format!("Run{n}"),
            role: format!("Invoker{}", n % 3),
            function: if n % 2 == 0 { FUNCTION } else { "Second" }.to_owned(),
            ..World::gate()
        })
        .collect();
    let mut outputs = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let gates = order.iter().map(|&n| gates[n].clone()).collect();
        world.write(&world.manifest_of("checkout", gates));
        let plan = world.plan();
        plan.exits(0).has_status("changes").wrote_nothing();
        outputs.push(plan.stdout);
    }
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
}

#[test]
fn law_5_a_run_stopped_at_any_write_and_run_again_ends_where_an_undisturbed_run_ends() {
    use crate::support::proxy::{Act, Fault};
    let undisturbed = World::new();
    let run = undisturbed.bootstrap(&[]);
    let count = writes(&run.calls).len();
    for stop in 0..count {
        let world = World::new();
        let before = world.snapshot();
        let mut fault = Fault::everywhere(Act::Error {
            status: 400,
            code: "ServiceQuotaExceeded",
            message: "stopped here (injected)".to_owned(),
        });
        fault.writes_only = true;
        fault.skip = stop;
        world.proxy.inject(fault);
        let stopped = world.bootstrap(&[]);
        stopped.exits(if stop == 0 { 1 } else { 5 });
        world.proxy.heal();
        world.bootstrap(&[]).exits(0);
        world.check().exits(0);
        world.teardown(&[]).exits(0);
        assert_same(
            &before,
            &world.snapshot(),
            &format!("stopped at write {stop}, repaired, torn down"),
        );
    }
}

#[test]
fn law_6_only_objects_of_the_table_are_ever_written() {
    let world = World::new();
    let first = world.bootstrap(&[]);
    world.dev.put_policy(
        INVOKE_ROLE,
        "somebody-elses",
        &crate::support::world::unrelated("s3:*", "*"),
    );
    let repair = world.bootstrap(&["--remove-unexpected"]);
    let last = world.teardown(&[]);
    for run in [&first, &repair, &last] {
        run.exits(0).wrote();
        for call in writes(&run.calls) {
            let role = call.request.form("RoleName").unwrap_or_default();
            let policy = call.request.form("PolicyName").unwrap_or_default();
            let of_ours = match &*call.request.operation {
                "UpdatePipeline" => call.request.json()["pipeline"]["name"] == PIPELINE,
                "PutRolePolicy" => policy.starts_with("crossgate-checkout-"),
                "DeleteRolePolicy" => {
                    policy.starts_with("crossgate-checkout-") || policy == "somebody-elses"
                }
                _ => role == INVOKE_ROLE && call.request.account == world.dev.id,
            };
            run.ensure(
                of_ours,
                &format!(
                    "a write outside the table: {} {role} {policy}",
                    call.request.operation
                ),
            );
        }
    }
}

#[test]
fn in_sync_one_gate_costs_at_most_ten_calls_in_two_rounds() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    world.proxy.set_latency(Duration::from_millis(150));
    let check = world.check();
    check.exits(0).has_status("in_sync").wrote_nothing();
    check.ensure(check.changes().is_empty(), "no change");
    check.ensure(
        check.calls.len() <= 10,
        &format!("{} calls", check.calls.len()),
    );
    check.ensure(
        rounds(&check.calls) <= 2,
        &format!("{} rounds", rounds(&check.calls)),
    );
}

#[test]
fn a_fresh_gate_takes_six_rounds_one_of_them_for_the_other_policies_of_its_roles() {
    let world = World::new();
    world.proxy.set_latency(Duration::from_millis(150));
    let bootstrap = world.bootstrap(&[]);
    bootstrap.exits(0);
    // Both roles have a policy of somebody else, whose size is read before the first write.
    let others = ["artifacts", "logs"];
    let read = bootstrap.calls.iter().filter(|call| {
        let policy = call.request.form("PolicyName").unwrap_or_default();
        call.request.operation == "GetRolePolicy" && others.contains(&policy.as_str())
    });
    bootstrap.ensure(read.count() == 2, "both policies are read");
    bootstrap.ensure(
        rounds(&bootstrap.calls) <= 6,
        &format!("{} rounds", rounds(&bootstrap.calls)),
    );
}

#[test]
fn codepipeline_is_asked_at_its_own_endpoint_in_the_region_of_the_pipeline() {
    let world = World::new();
    let plan = world.plan();
    let asked: Vec<_> = plan
        .calls
        .iter()
        .filter(|call| call.request.service == "codepipeline")
        .collect();
    plan.exits(0)
        .ensure(!asked.is_empty(), "GetPipeline is asked");
    plan.ensure(
        asked.iter().all(|call| call.request.region == "us-east-1"),
        "in the pipeline's region",
    );
    plan.ensure(asked.iter().all(|call| call.status == 200), "moto answers");
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let world = World::new();
    world.run(&["plan"]).exits(0).wrote_nothing();
    world.run(&["plan", "--exit-code"]).exits(3).wrote_nothing();
    world.plan().exits(0).has_status("changes");
    world.check().exits(3).has_status("drift").wrote_nothing();
    world
        .run(&["bootstrap"])
        .exits_one_of(&[1, 2])
        .wrote_nothing()
        .says("--yes");
    world.run(&["bootstrap", "--yes"]).exits(0).wrote();
    world.run(&["check"]).exits(0).wrote_nothing();
    world
        .run(&["teardown"])
        .exits_one_of(&[1, 2])
        .wrote_nothing()
        .says("--yes");
    world
        .run(&["check", "--no-such-flag"])
        .exits(2)
        .wrote_nothing();
    world
        .run(&["check", "--gate", "no-such-gate"])
        .exits(2)
        .wrote_nothing();
    world
        .run(&["check", "-c", "no-such-file.toml"])
        .exits(2)
        .wrote_nothing();
    world.run(&["--help"]).exits(0);
    world.run(&["--version"]).exits(0);
}

#[test]
fn text_output_says_what_happens_and_stdout_holds_only_the_result() {
    let world = World::new();
    let plan = world.run(&["plan"]);
    plan.exits(0);
    for name in [
        INVOKE_ROLE,
        EXECUTION_ROLE,
        SERVICE_ROLE,
        STAGE,
        ACTION,
        &*world.dev.id,
        &*world.tools.id,
    ] {
        plan.ensure(plan.stdout.contains(name), &format!("`{name}` in the plan"));
    }
    plan.ensure(
        !plan.stdout.contains('\u{1b}'),
        "no colour where no terminal is",
    );
    let run = world.bootstrap(&[]);
    run.exits(0).json();
    world.run(&["check"]).exits(0);
}

#[test]
fn without_a_terminal_a_change_needs_yes_and_nothing_is_called() {
    let world = World::new();
    for command in ["bootstrap", "teardown"] {
        let run = world.run(&[command]);
        run.exits(2);
        run.ensure(run.calls.is_empty(), "no call at all");
        run.ensure(run.stderr.contains("--yes"), "the mend is named");
    }
}

#[test]
fn where_backups_cannot_be_saved_nothing_is_written() {
    let world = World::new();
    world.write_file(".crossgate", "a file in the folder's place");
    let run = world.bootstrap(&[]);
    run.exits(1);
    run.ensure(writes(&run.calls).is_empty(), "no write");
}

#[test]
fn the_manifest_is_found_in_a_parent_folder_and_by_its_variable() {
    let mut world = World::new();
    let below = world.folder().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let run = crate::support::cli::run(&below, &world.variables, &["check", "--format", "json"]);
    run.exits(3).json();
    let elsewhere = tempfile::TempDir::new().unwrap();
    let file = world.folder().join("crossgate.toml").display().to_string();
    world.variables.insert("CROSSGATE_CONFIG".to_owned(), file);
    crate::support::cli::run(
        elsewhere.path(),
        &world.variables,
        &["check", "--format", "json"],
    )
    .exits(3)
    .json();
}
