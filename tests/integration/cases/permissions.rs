//! `permissions`: an operator with exactly the printed policy succeeds, and without any one of its actions fails and says which.
//! ministack decides what the operator may do: for IAM, STS and Lambda at the call itself, and for CodePipeline, which moto
//! serves without asking, through its SimulatePrincipalPolicy before the run.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::cli::{self, Run};
use crate::support::proxy::{Act, Fault};
use crate::support::world::{INVOKE_ROLE, PIPELINE, World, unrelated};

const OPERATOR: &str = "operator";

/// What no emulator asks for: moto never looks at the role of a pipeline, ministack never at the tags of a new role (TagRole is
/// asked for where a tag is mended).
const NOT_ENFORCED: [&str; 1] = ["iam:PassRole"];

/// What an operator meets, and what he does about it.
struct Scene {
    commands: &'static [&'static str],
    prepare: fn(&World),
    run: &'static [&'static str],
    /// How the run ends where nothing is missing.
    code: i32,
}

/// The world as it is after a bootstrap.
fn wired(world: &World) {
    world.bootstrap(&[]).exits(0);
}

/// All that can be put right was changed.
fn changed(world: &World) {
    wired(world);
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": world.dev.id}, "Action": "sts:AssumeRole"}]});
    world.dev.set_trust(INVOKE_ROLE, &trust.to_string());
    let mut manifest = world.manifest();
    "tags = { team = \"checkout\" }\n".clone_into(&mut manifest.gates[0].more_role);
    world.write(&manifest);
    let document: Value = serde_json::from_str(&unrelated("*", "*")).unwrap();
    let arn = world.dev.create_managed_policy("Boundary", &document);
    world.dev.set_boundary(INVOKE_ROLE, &arn);
}

/// The boundary that the manifest names was taken away.
fn unbounded(world: &World) {
    wired(world);
    let document: Value = serde_json::from_str(&unrelated("*", "*")).unwrap();
    let arn = world.dev.create_managed_policy("Boundary", &document);
    let mut manifest = world.manifest();
    manifest.gates[0].more_role = format!("permissions_boundary = \"{arn}\"\n");
    world.write(&manifest);
}

/// Somebody put policies on the invoke role.
fn loaded(world: &World) {
    wired(world);
    world
        .dev
        .put_policy(INVOKE_ROLE, "theirs", &unrelated("s3:GetObject", "*"));
    let document: Value = serde_json::from_str(&unrelated("s3:GetObject", "*")).unwrap();
    let arn = world.dev.create_managed_policy("Theirs", &document);
    world.dev.attach(INVOKE_ROLE, &arn);
}

/// The invoke role is somebody's, and was adopted.
fn adopted(world: &World) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": world.dev.id}, "Action": "sts:AssumeRole"}]});
    world.dev.create_role(INVOKE_ROLE, &trust);
    world.bootstrap(&["--adopt"]).exits(0);
}

fn fresh(_: &World) {}

/// The account, the statement and the action of everything that a policy allows.
fn actions(policies: &[Value; 2]) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    for (account, policy) in policies.iter().enumerate() {
        for (n, statement) in policy["Statement"].as_array().unwrap().iter().enumerate() {
            found.extend(
                listed(&statement["Action"])
                    .into_iter()
                    .map(|a| (account, n, a)),
            );
        }
    }
    found
}

fn listed(value: &Value) -> Vec<String> {
    let texts = |list: &[Value]| {
        list.iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect()
    };
    value
        .as_array()
        .map_or_else(|| texts(std::slice::from_ref(value)), |list| texts(list))
}

/// The printed policies of tools and dev, with the roles that the world has.
fn printed(world: &World, commands: &[&str], more: &[&str]) -> [Value; 2] {
    let (service, execution) = (world.service_role_arn(), world.execution_role_arn());
    ["tools", "dev"].map(|account| {
        let mut arguments = vec!["permissions"];
        arguments.extend(commands);
        arguments.extend(["--account", account, "--service-role", &*service]);
        arguments.extend(["--execution-role", &*execution]);
        arguments.extend(more);
        let run = world.run(&arguments);
        run.exits(0).ensure(run.calls.is_empty(), "no call to AWS");
        serde_json::from_str(&run.stdout).unwrap()
    })
}

/// The same without one action of one statement; a statement without actions goes.
fn without(policies: &[Value; 2], (account, n, action): &(usize, usize, String)) -> [Value; 2] {
    let mut less = policies.clone();
    let statements = less[*account]["Statement"].as_array_mut().unwrap();
    let mut left = listed(&statements[*n]["Action"]);
    left.retain(|one| one != action);
    if left.is_empty() {
        statements.remove(*n);
    } else {
        statements[*n]["Action"] = json!(left);
    }
    less
}

/// Makes an operator in each account and hands their credentials to the binary.
fn employ(world: &World, policies: &[Value; 2]) {
    let mut profiles = String::new();
    for ((name, account), policy) in [("tools", &world.tools), ("dev", &world.dev)]
        .iter()
        .zip(policies)
    {
        let id = &account.id;
        let root = json!({"AWS": format!("arn:aws:iam::{id}:root")});
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}]});
        account.create_role(OPERATOR, &trust);
        if policy["Statement"] != json!([]) {
            account.put_policy(OPERATOR, "exactly", &policy.to_string());
        }
        write!(
            profiles,
            "[profile {name}-root]\naws_access_key_id = {id}\naws_secret_access_key = test\nregion = us-east-1\n\
             [profile {name}]\nrole_arn = arn:aws:iam::{id}:role/{OPERATOR}\nsource_profile = {name}-root\nregion = us-east-1\n"
        )
        .unwrap();
    }
    world.write_profiles(&profiles);
    let pipeline = format!(
        "arn:aws:codepipeline:us-east-1:{}:{PIPELINE}",
        world.tools.id
    );
    for operation in ["GetPipeline", "UpdatePipeline"] {
        let action = format!("codepipeline:{operation}");
        if !may(&world.tools, &action, &pipeline) {
            let message = format!(
                "User: arn:aws:sts::{}:assumed-role/{OPERATOR}/s is not authorized to perform: {action} on resource: {pipeline}",
                world.tools.id
            );
            let code = "AccessDenied";
            world.proxy.inject(Fault::on(
                operation,
                Act::Error {
                    status: 400,
                    code,
                    message,
                },
            ));
        }
    }
}

/// Whether ministack's IAM lets the operator do something.
fn may(account: &Account, action: &str, resource: &str) -> bool {
    let call = account.iam.simulate_principal_policy();
    let call = call.policy_source_arn(account.role_arn(OPERATOR));
    let call = call.action_names(action).resource_arns(resource);
    let output = account.run(call.send());
    let decision = output.evaluation_results()[0].eval_decision();
    decision.as_str() == "allowed"
}

fn act(scene: &Scene, change: impl FnOnce(&World, [Value; 2]) -> [Value; 2]) -> Run {
    let world = World::new();
    (scene.prepare)(&world);
    let policies = printed(&world, scene.commands, unexpected(scene));
    let policies = change(&world, policies);
    employ(&world, &policies);
    world.run(scene.run)
}

fn unexpected(scene: &Scene) -> &'static [&'static str] {
    if scene.run.contains(&"--remove-unexpected") {
        &["--remove-unexpected"]
    } else {
        &[]
    }
}

/// In every scene the printed policy is enough; and each action is missed in one of them.
fn exactly_enough(scenes: &[Scene]) {
    for scene in scenes {
        act(scene, |_, policies| policies).exits(scene.code);
    }
    // Statements of one command have the same place in every scene but those that change the manifest; the action and its
    // statement's id are what counts.
    let mut missed: Vec<(usize, String, String)> = Vec::new();
    let mut all: Vec<(usize, String, String)> = Vec::new();
    for scene in scenes {
        let world = World::new();
        (scene.prepare)(&world);
        let policies = printed(&world, scene.commands, unexpected(scene));
        drop(world);
        for one in actions(&policies) {
            let (account, n, action) = &one;
            let sid = policies[*account]["Statement"][*n]["Sid"]
                .as_str()
                .unwrap()
                .to_owned();
            let key = (*account, sid, action.clone());
            if !all.contains(&key) {
                all.push(key.clone());
            }
            if missed.contains(&key) || NOT_ENFORCED.contains(&action.as_str()) {
                continue;
            }
            let run = act(scene, |_, policies| without(&policies, &one));
            if run.code == Some(scene.code) {
                continue;
            }
            run.exits_one_of(&[1, 4, 5]).says(action);
            missed.push(key);
        }
    }
    all.retain(|key| !missed.contains(key) && !NOT_ENFORCED.contains(&key.2.as_str()));
    assert!(all.is_empty(), "never missed: {all:?}");
    assert!(missed.len() >= 8, "{missed:?}");
}

#[test]
fn plan_and_check_need_exactly_their_policy() {
    let commands = &["plan", "check"];
    exactly_enough(&[
        Scene {
            commands,
            prepare: fresh,
            run: &["plan"],
            code: 0,
        },
        Scene {
            commands,
            prepare: wired,
            run: &["check"],
            code: 0,
        },
    ]);
}

#[test]
fn bootstrap_needs_exactly_its_policy() {
    let (commands, run) = (&["bootstrap"], &["bootstrap", "--yes"]);
    exactly_enough(&[
        Scene {
            commands,
            prepare: fresh,
            run,
            code: 0,
        },
        Scene {
            commands,
            prepare: changed,
            run,
            code: 0,
        },
        Scene {
            commands,
            prepare: unbounded,
            run,
            code: 0,
        },
    ]);
}

#[test]
fn teardown_needs_exactly_its_policy() {
    let commands = &["teardown"];
    let run = &["teardown", "--yes"];
    exactly_enough(&[
        Scene {
            commands,
            prepare: wired,
            run,
            code: 0,
        },
        Scene {
            commands,
            prepare: adopted,
            run,
            code: 0,
        },
        Scene {
            commands,
            prepare: loaded,
            run: &["teardown", "--yes", "--remove-unexpected"],
            code: 0,
        },
    ]);
}

#[test]
fn the_policies_in_the_repository_are_those_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, commands) in [
        ("plan-check", ["plan", "check"]),
        ("bootstrap-teardown", ["bootstrap", "teardown"]),
    ] {
        for account in ["tools", "dev"] {
            let [first, second] = commands;
            let arguments = [
                "permissions",
                first,
                second,
                "--account",
                account,
                "-c",
                "config/crossgate.toml",
            ];
            let run = cli::run(root, &[].into(), &arguments);
            run.exits(0);
            let path = root.join(format!("config/permissions/{file}.{account}.json"));
            if std::env::var_os("CROSSGATE_UPDATE_FILES").is_some() {
                std::fs::write(&path, &run.stdout).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            run.ensure(
                kept == run.stdout,
                &format!("{} is as printed", path.display()),
            );
        }
    }
}

#[test]
fn resolve_reads_the_two_roles_and_nothing_else() {
    let world = World::new();
    let run = world.run(&["permissions", "bootstrap", "--resolve", "--format", "json"]);
    run.exits(0).wrote_nothing();
    run.ensure(
        run.calls.len() == 2,
        "GetPipeline and GetFunctionConfiguration",
    );
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = value["accounts"].to_string();
    run.ensure(text.contains(&world.service_role_arn()), "the service role");
    run.ensure(
        text.contains(&world.execution_role_arn()),
        "the execution role",
    );
    run.ensure(!text.contains(":role/*"), "no role beyond those");
    run.ensure(
        value["accounts"]["dev"]["notes"] == json!([]),
        "nothing to note",
    );
    world.pipelines.delete(PIPELINE);
    world
        .run(&["permissions", "bootstrap", "--resolve"])
        .exits(4)
        .says(PIPELINE);
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    let world = World::new();
    world.run(&["permissions"]).exits(2);
    world
        .run(&["permissions", "plan", "--account", "tool"])
        .exits(2)
        .says("tools");
    let foreign = "arn:aws:iam::999999999999:role/r";
    world
        .run(&["permissions", "plan", "--service-role", foreign])
        .exits(2)
        .says("999999999999");
    world
        .run(&["permissions", "plan", "--service-role", "r"])
        .exits(2)
        .says("ARN");
    world
        .run(&["permissions", "run", "--account", "dev"])
        .exits(0)
        .says("nothing is needed");
}
