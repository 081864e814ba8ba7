//! Credentials: the wrong account, none at all, and every way to the right one.

use crate::support::snapshot::assert_same;
use crate::support::world::{INVOKE_ROLE, World};

#[test]
fn the_wrong_account_stops_every_command_before_any_write() {
    let world = World::new();
    let mut manifest = world.manifest();
    manifest.dev = "999999999999".to_owned();
    world.write(&manifest);
    let before = world.snapshot();
    for command in ["bootstrap", "teardown"] {
        let run = world.run(&[command, "--yes"]);
        run.exits(1).wrote_nothing();
        run.says("999999999999")
            .says(&world.dev.id)
            .says("profile")
            .says("dev");
    }
    let check = world.run(&["check"]);
    check
        .exits_one_of(&[1, 4])
        .wrote_nothing()
        .says("999999999999")
        .says(&world.dev.id);
    assert_same(&before, &world.snapshot(), "nothing");
}

#[test]
fn swapped_profiles_are_the_wrong_account() {
    let world = World::new();
    let swapped = world
        .profiles()
        .replace("profile tools", "profile x")
        .replace("profile dev", "profile tools");
    world.write_profiles(&swapped.replace("profile x", "profile dev"));
    let run = world.run(&["bootstrap", "--yes"]);
    run.exits(1)
        .wrote_nothing()
        .says(&world.tools.id)
        .says(&world.dev.id);
}

#[test]
fn an_account_without_its_profile_is_incomplete_and_the_other_is_still_shown() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let only_tools = world
        .profiles()
        .split("[profile dev]")
        .next()
        .unwrap()
        .to_owned();
    world.write_profiles(&only_tools);
    world.pipelines.edit("MyPipeline", |p| {
        p["stages"].as_array_mut().unwrap().pop();
    });
    let check = world.check();
    check
        .exits(4)
        .has_status("incomplete")
        .wrote_nothing()
        .says("dev");
    check.change("pipeline_action", "MyPipeline");
    world
        .run(&["check"])
        .exits(4)
        .says("dev")
        .says("MyPipeline");
    world
        .run(&["bootstrap", "--yes"])
        .exits_one_of(&[1, 4])
        .wrote_nothing();
    world
        .run(&["teardown", "--yes"])
        .exits_one_of(&[1, 4])
        .wrote_nothing();
}

/// Endpoints come from the profiles, so that the accounts can have different ones.
fn endpoints_by_profile(world: &mut World, dev_port: u16) {
    let (port, codepipeline) = (world.proxy.port, world.proxy.codepipeline_port);
    world
        .variables
        .retain(|key, _| !key.starts_with("AWS_ENDPOINT_URL"));
    let of = |name: &str, port: u16| {
        format!("[profile {name}]\nendpoint_url = http://127.0.0.1:{port}\nservices = local\n")
    };
    let text = world
        .profiles()
        .replace("[profile tools]\n", &of("tools", port))
        .replace("[profile dev]\n", &of("dev", dev_port));
    let services = format!(
        "[services local]\ncodepipeline =\n  endpoint_url = http://127.0.0.1:{codepipeline}\n"
    );
    world.write_profiles(&format!("{text}\n{services}"));
}

#[test]
fn endpoints_of_the_profiles_are_honoured() {
    let mut world = World::new();
    let port = world.proxy.port;
    endpoints_by_profile(&mut world, port);
    world.bootstrap(&[]).exits(0).wrote();
    world.check().exits(0);
}

#[test]
fn an_unreachable_account_is_incomplete_and_the_other_is_still_shown() {
    let mut world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    endpoints_by_profile(&mut world, closed);
    let check = world.check();
    check
        .exits(4)
        .has_status("incomplete")
        .wrote_nothing()
        .says("dev");
    check.change("pipeline_action", "MyPipeline");
    world
        .run(&["bootstrap", "--yes"])
        .exits_one_of(&[1, 4])
        .wrote_nothing()
        .says("dev");
}

#[test]
fn a_role_assumed_via_another_account_reaches_the_account() {
    let world = World::new();
    let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id)}}]});
    world
        .dev
        .create_role("OrganizationAccountAccessRole", &trust);
    world.dev.put_policy(
        "OrganizationAccountAccessRole",
        "all",
        &crate::support::world::unrelated("*", "*"),
    );
    let before = world.snapshot();
    let only_tools = world
        .profiles()
        .split("[profile dev]")
        .next()
        .unwrap()
        .to_owned();
    world.write_profiles(&only_tools);
    let mut manifest = world.manifest();
    let role = world.dev.role_arn("OrganizationAccountAccessRole");
    manifest.reach_dev = format!("assume_role = \"{role}\"\nvia = \"tools\"");
    world.write(&manifest);
    world.bootstrap(&[]).exits(0).wrote();
    assert!(world.dev.has_role(INVOKE_ROLE));
    world.check().exits(0);
    world.teardown(&[]).exits(0);
    assert_same(&before, &world.snapshot(), "after teardown");
}

#[test]
fn without_a_profile_the_default_chain_is_used() {
    let mut world = World::new();
    let text = world.manifest().toml().replace("profile = \"tools\"\n", "");
    world.write_file("crossgate.toml", &text);
    for (key, value) in [
        ("AWS_ACCESS_KEY_ID", &*world.tools.id.clone()),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ] {
        world.variables.insert(key.to_owned(), value.to_owned());
    }
    world.bootstrap(&[]).exits(0).wrote();
    world.check().exits(0);
}

#[test]
fn a_credential_process_is_asked() {
    let world = World::new();
    let keys = format!(
        "credential_process = /bin/echo '{{\"Version\":1,\"AccessKeyId\":\"{}\",\"SecretAccessKey\":\"test\"}}'",
        world.dev.id
    );
    let of_dev = format!(
        "aws_access_key_id = {}\naws_secret_access_key = test",
        world.dev.id
    );
    let text = world.profiles();
    assert!(text.contains(&of_dev));
    world.write_profiles(&text.replace(&of_dev, &keys));
    world.bootstrap(&[]).exits(0).wrote();
}

#[test]
fn a_session_name_or_key_is_never_printed() {
    let world = World::new();
    let profiles = world.profiles().replace(
        "aws_secret_access_key = test",
        "aws_secret_access_key = hush-hush",
    );
    world.write_profiles(&profiles);
    for arguments in [&["plan", "-v"][..], &["bootstrap", "--yes", "-v"]] {
        let run = world.run(arguments);
        run.ensure(!run.has("hush-hush"), "no secret in the output");
    }
}
