//! What bootstrap has wired really assumes and really invokes, under an IAM that enforces; and each missing piece refuses.
//! The pipeline's way is gone by hand: no emulator runs pipelines.

use serde_json::json;

use super::harness::go_through;
use crate::support::world::{
    ASSUME_POLICY, FUNCTION, INVOKE_POLICY, INVOKE_ROLE, SERVICE_ROLE, World, unrelated,
};

#[test]
fn the_wired_chain_assumes_and_invokes() {
    let world = World::new();
    assert!(
        go_through(&world).unwrap_err().starts_with("hop 1"),
        "not before bootstrap"
    );
    world.bootstrap(&[]).exits(0);
    assert_eq!(go_through(&world).unwrap(), r#"{"gate": "open"}"#);
    world.teardown(&[]).exits(0);
    assert!(
        go_through(&world).unwrap_err().starts_with("hop 1"),
        "not after teardown"
    );
}

#[test]
fn only_the_service_role_gets_through_and_only_to_the_function() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id)}}]});
    world.tools.create_role("Neighbour", &trust);
    world
        .tools
        .put_policy("Neighbour", "assume", &unrelated("sts:AssumeRole", "*"));
    let neighbour = world
        .tools
        .assume(&world.tools.role_arn("Neighbour"))
        .unwrap();
    let refused = neighbour
        .assume(&world.dev.role_arn(INVOKE_ROLE))
        .err()
        .unwrap();
    assert!(refused.starts_with("AccessDenied"), "{refused}");

    world
        .dev
        .create_function("Secret", &world.execution_role_arn());
    let service = world.tools.assume(&world.service_role_arn()).unwrap();
    let invoker = service.assume(&world.dev.role_arn(INVOKE_ROLE)).unwrap();
    assert!(
        invoker
            .invoke(&world.function_arn("Secret"))
            .unwrap_err()
            .contains("AccessDenied")
    );
    assert!(invoker.invoke(&world.function_arn(FUNCTION)).is_ok());
    invoker.run(invoker.lambda.list_functions().send());
}

#[test]
fn with_trust_of_the_account_the_chain_works_too() {
    let world = World::new();
    let mut manifest = world.manifest();
    manifest.gates[0].more_role = "trust = \"account\"\nlist_functions = false\n".to_owned();
    world.write(&manifest);
    world.bootstrap(&[]).exits(0);
    assert!(go_through(&world).is_ok());
    let trust = world.dev.trust(INVOKE_ROLE).to_string();
    assert!(!trust.contains("aws:PrincipalArn"), "{trust}");
    let invoke = world
        .dev
        .policy(INVOKE_ROLE, INVOKE_POLICY)
        .unwrap()
        .to_string();
    assert!(!invoke.contains("ListFunctions"), "{invoke}");
}

#[test]
fn each_missing_piece_refuses_at_its_hop_and_bootstrap_opens_it_again() {
    let world = World::new();
    world.bootstrap(&[]).exits(0);
    let nobody = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let pieces: [(&str, &dyn Fn()); 4] = [
        ("hop 1", &|| {
            world.tools.delete_policy(SERVICE_ROLE, ASSUME_POLICY);
        }),
        ("hop 1", &|| {
            world.dev.set_trust(INVOKE_ROLE, &nobody.to_string());
        }),
        ("hop 2", &|| {
            world.dev.delete_policy(INVOKE_ROLE, INVOKE_POLICY);
        }),
        ("hop 1", &|| world.dev.delete_role(INVOKE_ROLE)),
    ];
    for (hop, remove) in pieces {
        remove();
        let refused = go_through(&world).unwrap_err();
        assert!(refused.starts_with(hop), "{hop} expected: {refused}");
        world.bootstrap(&[]).exits(0).wrote();
        assert!(go_through(&world).is_ok(), "open again after {hop}");
    }
}
