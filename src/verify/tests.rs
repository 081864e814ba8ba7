//! Each thing that breaks a chain, in the world in memory: the hop that it breaks, and what is said about it.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::{Given, Options, parse_levels, prove, status, wants};
use crate::model::account::AccountName;
use crate::model::chain::{Answer, Hop, HopId, NotSeen, Proof, Standing, Weight};
use crate::model::change::Intent;
use crate::model::observed::Observed;
use crate::model::progress::Silent;
use crate::model::status::Status;
use crate::observe::observe;
use crate::world::{MANIFEST, World, block_on, options, service_trust, wiring};

/// A name, what is done to the world, and what comes of it.
type Removal<'a, T> = (&'a str, &'a dyn Fn(&World), T);

const INVOKE_ROLE: &str = "crossgate-checkout-validate";

/// A world with the gate of [`MANIFEST`] in it.
pub(super) fn wired() -> World {
    let world = World::new();
    let (_, report) = world.run(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    assert!(report.is_some());
    world.forget_calls();
    world
}

pub(super) fn proof(world: &World, options: &Options) -> Proof {
    let wiring = wiring(MANIFEST, &[]);
    let wants = |seen: &Observed| {
        let wanted = wants(&wiring, seen, options);
        world
            .rounds
            .set(world.rounds.get() + usize::from(!wanted.is_empty()));
        wanted
    };
    let observed = block_on(observe(world, wants, 16, &Silent));
    prove(&wiring, &observed, options)
}

fn plain(world: &World) -> Proof {
    proof(world, &Options::default())
}

fn hops(proof: &Proof) -> &[Hop] {
    match proof.chains.as_slice() {
        [chain] => &chain.hops,
        chains => panic!("one chain expected, not {}", chains.len()),
    }
}

/// The hops that are not allowed, each once.
pub(super) fn broken(proof: &Proof) -> Vec<(HopId, Answer)> {
    let hops = hops(proof).iter().filter(|h| h.answer != Answer::Allowed);
    let mut found: Vec<_> = hops.map(|h| (h.id, h.answer)).collect();
    found.dedup();
    found
}

pub(super) fn hop(proof: &Proof, id: HopId) -> &Hop {
    hops(proof).iter().find(|h| h.id == id).unwrap()
}

pub(super) fn allow(action: &str, resource: &str) -> String {
    statement("Allow", action, resource)
}

pub(super) fn deny(action: &str, resource: &str) -> String {
    statement("Deny", action, resource)
}

fn statement(effect: &str, action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "Theirs", "Effect": effect, "Action": action, "Resource": resource}]})
        .to_string()
}

fn trust(principal: &Value, condition: Option<Value>) -> String {
    let mut statement =
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn set_trust(world: &World, text: String) {
    world.edit_role("dev", INVOKE_ROLE, |r| r.role.trust = text);
}

fn root_of(account: &str) -> Value {
    json!({"AWS": format!("arn:aws:iam::{account}:root")})
}

fn action(world: &World, change: impl FnOnce(&mut Value)) {
    world.edit_pipeline("MyPipeline", |p| {
        let stages = p["stages"].as_array_mut().unwrap();
        let stage = stages.iter_mut().find(|s| s["name"] == "Gate").unwrap();
        change(&mut stage["actions"][0]);
    });
}

#[test]
fn a_wired_gate_is_proven_in_three_rounds() {
    let world = wired();
    let proof = plain(&world);
    assert_eq!(broken(&proof), []);
    assert_eq!(proof.chains[0].findings, []);
    assert_eq!(proof.standing(), Standing::Proven);
    assert_eq!(status(&proof), Status::InSync);
    assert_eq!(proof.not_seen, [NotSeen::Scp, NotSeen::Rcp]);
    assert!(world.rounds.get() <= 3, "{} rounds", world.rounds.get());
    let reads = world.reads.borrow();
    let mut once = reads.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), reads.len(), "nothing is read twice");
    assert!(world.writes.borrow().is_empty());
    let ids: Vec<&str> = hops(&proof).iter().map(|h| h.id.as_str()).collect();
    assert_eq!(ids, ["0", "1", "2", "2'", "3", "3"]);
}

#[test]
fn managed_policies_and_boundaries_cost_no_further_round() {
    let world = wired();
    world.attach("tools", "ServiceRole", "more", &allow("s3:*", "*"));
    world.attach("dev", "ExecutionRole", "more", &allow("s3:*", "*"));
    let arn = world.add_managed("dev", "limit", &allow("*", "*"));
    world.edit_role("dev", INVOKE_ROLE, |r| {
        r.role.permissions_boundary = Some(arn);
    });
    assert_eq!(broken(&plain(&world)), []);
    assert!(world.rounds.get() <= 3, "{} rounds", world.rounds.get());
}

#[test]
fn the_default_version_decides_not_the_first() {
    let world = wired();
    let arn = world.attach("tools", "ServiceRole", "more", &allow("s3:*", "*"));
    world.edit("tools", |a| {
        let (default, versions) = a.managed.get_mut(&arn).unwrap();
        "v7".clone_into(default);
        versions.insert("v7".to_owned(), deny("sts:*", "*"));
    });
    assert_eq!(
        broken(&plain(&world)),
        [(HopId::One, Answer::ExplicitlyDenied)]
    );
    assert_eq!(world.rounds.get(), 4);
}

#[test]
fn an_explicit_deny_in_an_attached_policy_is_named() {
    let world = wired();
    world.attach("dev", INVOKE_ROLE, "NoLambda", &deny("lambda:Invoke*", "*"));
    let proof = plain(&world);
    assert_eq!(broken(&proof), [(HopId::Two, Answer::ExplicitlyDenied)]);
    let found = hop(&proof, HopId::Two);
    let [deciding] = found.statements.as_slice() else {
        panic!("one statement expected: {:?}", found.statements)
    };
    assert_eq!(
        (deciding.policy.as_str(), deciding.sid.as_deref()),
        ("NoLambda", Some("Theirs"))
    );
    assert_eq!(deciding.account_id.as_str(), "222222222222");
    assert!(deciding.holder.ends_with(INVOKE_ROLE));
    let mend = found.mend.as_ref().unwrap();
    assert!(
        mend.contains("NoLambda") && mend.contains("Statement[0] (Theirs)"),
        "{mend}"
    );
    assert_eq!(status(&proof), Status::Drift);
}

#[test]
fn a_boundary_that_does_not_allow_breaks_its_hop() {
    let world = wired();
    let arn = world.add_managed("tools", "Limit", &allow("s3:*", "*"));
    world.edit_role("tools", "ServiceRole", |r| {
        r.role.permissions_boundary = Some(arn);
    });
    let proof = plain(&world);
    assert_eq!(broken(&proof), [(HopId::One, Answer::ImplicitlyDenied)]);
    let mend = hop(&proof, HopId::One).mend.as_ref().unwrap();
    assert!(mend.contains("permissions boundary"), "{mend}");
}

#[test]
fn a_trust_policy_that_was_narrowed_breaks_hop_1() {
    let external = json!({"StringEquals": {"sts:ExternalId": "x"}});
    let source =
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:codepipeline:us-east-1:111111111111:*"}});
    let tools = root_of("111111111111");
    let cases = [
        (trust(&tools, Some(external)), "sts:ExternalId"),
        (trust(&tools, Some(source)), "aws:SourceArn"),
        (trust(&root_of("333333333333"), None), "crossgate bootstrap"),
        (
            trust(&json!({"AWS": "AROAEXAMPLEEXAMPLE01"}), None),
            "crossgate bootstrap",
        ),
    ];
    for (text, words) in cases {
        let world = wired();
        set_trust(&world, text.clone());
        let proof = plain(&world);
        assert_eq!(
            broken(&proof),
            [(HopId::One, Answer::ImplicitlyDenied)],
            "{text}"
        );
        let mend = hop(&proof, HopId::One).mend.as_ref().unwrap();
        assert!(mend.contains(words), "{mend}");
    }
}

#[test]
fn a_principal_that_was_deleted_is_remarked() {
    let world = wired();
    set_trust(&world, trust(&json!({"AWS": "AROAEXAMPLEEXAMPLE01"}), None));
    let proof = plain(&world);
    let codes: Vec<_> = proof.chains[0].findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["principal_deleted"]);
}

#[test]
fn a_condition_on_what_is_not_documented_is_not_proven() {
    let world = wired();
    let condition = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    set_trust(&world, trust(&root_of("111111111111"), Some(condition)));
    let proof = plain(&world);
    assert_eq!(broken(&proof), [(HopId::One, Answer::NotProven)]);
    assert!(
        hop(&proof, HopId::One)
            .reason
            .to_lowercase()
            .contains("aws:principalorgid")
    );
    assert_eq!(status(&proof), Status::Incomplete);
}

#[test]
fn an_alias_is_covered_by_our_policy_and_not_by_one_without_it() {
    let world = wired();
    action(&world, |a| {
        a["configuration"]["FunctionName"] = json!("MyFunction:live");
    });
    let proof = plain(&world);
    assert_eq!(broken(&proof), []);
    assert!(
        hop(&proof, HopId::Two)
            .resource
            .ends_with(":function:MyFunction:live")
    );
    assert!(world.rounds.get() <= 3, "{} rounds", world.rounds.get());
    let arn = "arn:aws:lambda:us-east-1:222222222222:function:MyFunction";
    let narrow = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn},
        {"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}]});
    world.put_inline(
        "dev",
        INVOKE_ROLE,
        "crossgate-checkout-invoke",
        &narrow.to_string(),
    );
    assert_eq!(
        broken(&plain(&world)),
        [(HopId::Two, Answer::ImplicitlyDenied)]
    );
}

#[test]
fn what_cannot_be_read_is_not_proven_and_a_deny_beside_it_still_counts() {
    let world = wired();
    *world.refused.borrow_mut() = Some("iam:ListAttachedRolePolicies");
    let proof = plain(&world);
    assert!(
        broken(&proof)
            .iter()
            .all(|(_, answer)| *answer == Answer::NotProven)
    );
    assert!(broken(&proof).iter().any(|(id, _)| *id == HopId::One));
    assert_eq!(status(&proof), Status::Incomplete);
    world.put_inline("tools", "ServiceRole", "no", &deny("sts:*", "*"));
    assert_eq!(
        hop(&plain(&world), HopId::One).answer,
        Answer::ExplicitlyDenied
    );
}

#[test]
fn every_read_is_needed_for_a_proof() {
    for operation in [
        "sts:GetCallerIdentity",
        "codepipeline:GetPipeline",
        "lambda:GetFunctionConfiguration",
        "lambda:GetPolicy",
        "lambda:GetFunctionConcurrency",
        "iam:GetRole",
        "iam:ListRolePolicies",
        "iam:ListAttachedRolePolicies",
        "iam:GetRolePolicy",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
    ] {
        let world = wired();
        world.attach("dev", INVOKE_ROLE, "more", &allow("s3:*", "*"));
        *world.refused.borrow_mut() = Some(operation);
        assert_eq!(status(&plain(&world)), Status::Incomplete, "{operation}");
    }
}

#[test]
fn what_is_not_there_refutes_and_says_so() {
    let gone: [Removal<'_, &[HopId]>; 6] = [
        (
            "invoke role",
            &|w| w.edit("dev", |a| drop(a.roles.remove(INVOKE_ROLE))),
            &[HopId::One, HopId::Two, HopId::TwoPrime],
        ),
        (
            "assume policy",
            &|w| {
                w.edit_role("tools", "ServiceRole", |r| {
                    drop(r.inline.remove("crossgate-checkout-assume"));
                });
            },
            &[HopId::One],
        ),
        (
            "invoke policy",
            &|w| {
                w.edit_role("dev", INVOKE_ROLE, |r| {
                    drop(r.inline.remove("crossgate-checkout-invoke"));
                });
            },
            &[HopId::Two, HopId::TwoPrime],
        ),
        (
            "callback policy",
            &|w| {
                w.edit_role("dev", "ExecutionRole", |r| {
                    drop(r.inline.remove("crossgate-checkout-callback"));
                });
            },
            &[HopId::Three],
        ),
        (
            "function",
            &|w| w.edit("dev", |a| a.functions.clear()),
            &[HopId::Two, HopId::Three],
        ),
        (
            "pipeline",
            &|w| w.edit("tools", |a| a.pipelines.clear()),
            &[HopId::Zero, HopId::One, HopId::Two, HopId::TwoPrime],
        ),
    ];
    for (what, remove, expected) in gone {
        let world = wired();
        remove(&world);
        let proof = plain(&world);
        let ids: Vec<HopId> = broken(&proof).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, expected, "{what}");
        assert_eq!(status(&proof), Status::Drift, "{what}");
        for hop in hops(&proof).iter().filter(|h| h.answer != Answer::Allowed) {
            assert!(
                hop.mend.is_some() && !hop.reason.is_empty(),
                "{what}: {hop:?}"
            );
        }
    }
}

#[test]
fn a_pipeline_without_the_action_never_calls_the_gate() {
    let world = World::new();
    let proof = plain(&world);
    assert_eq!(hop(&proof, HopId::Zero).answer, Answer::Allowed);
    assert_eq!(hop(&proof, HopId::One).answer, Answer::ImplicitlyDenied);
    let [finding] = proof.chains[0].findings.as_slice() else {
        panic!("{:?}", proof.chains[0].findings)
    };
    assert_eq!(
        (finding.code, finding.weight),
        ("action_missing", Weight::Breaks)
    );
    assert_eq!(status(&proof), Status::Drift);
}

#[test]
fn the_action_as_it_is_decides_not_the_manifest() {
    let world = wired();
    world.add_function("Other", "ExecutionRole");
    action(&world, |a| {
        a["configuration"]["FunctionName"] = json!("Other");
    });
    let proof = plain(&world);
    assert_eq!(broken(&proof), [(HopId::Two, Answer::ImplicitlyDenied)]);
    assert!(
        hop(&proof, HopId::Two)
            .resource
            .ends_with(":function:Other")
    );
}

#[test]
fn the_service_role_must_trust_codepipeline() {
    let world = wired();
    world.edit_role("tools", "ServiceRole", |r| {
        r.role.trust = service_trust("codebuild.amazonaws.com");
    });
    assert_eq!(
        broken(&plain(&world)),
        [(HopId::Zero, Answer::ImplicitlyDenied)]
    );
    let of_pipeline = json!({"ArnLike": {"aws:SourceArn": "arn:aws:codepipeline:us-east-1:111111111111:MyPipeline"},
        "StringEquals": {"aws:SourceAccount": "111111111111"}});
    let service = json!({"Service": "codepipeline.amazonaws.com"});
    world.edit_role("tools", "ServiceRole", |r| {
        r.role.trust = trust(&service, Some(of_pipeline));
    });
    assert_eq!(broken(&plain(&world)), []);
}

#[test]
fn scps_deny_only_in_the_account_that_they_are_over() {
    let world = wired();
    let levels = parse_levels(NotSeen::Scp, &deny("lambda:*", "*"), "scp.json").unwrap();
    let of = |account: &str| {
        let mut options = Options::default();
        options
            .scps
            .add(Some(AccountName::new(account).unwrap()), levels.clone());
        options
    };
    assert_eq!(broken(&proof(&world, &of("tools"))), []);
    let found = proof(&world, &of("dev"));
    assert_eq!(
        broken(&found),
        [
            (HopId::Two, Answer::ExplicitlyDenied),
            (HopId::TwoPrime, Answer::ExplicitlyDenied)
        ]
    );
    assert_eq!(
        found.not_seen,
        [NotSeen::Scp, NotSeen::Rcp],
        "tools has none"
    );
    let mut options = Options::default();
    options.scps.add(None, levels);
    assert_eq!(proof(&world, &options).not_seen, [NotSeen::Rcp]);
}

#[test]
fn every_level_must_allow() {
    let world = wired();
    let full: Value = serde_json::from_str(&allow("*", "*")).unwrap();
    let some: Value = serde_json::from_str(&allow("sts:*", "*")).unwrap();
    let text =
        json!([{"target": "root", "policies": [full]}, {"target": "ou", "policies": [some]}]);
    let mut scps = Given::default();
    scps.add(
        None,
        parse_levels(NotSeen::Scp, &text.to_string(), "f").unwrap(),
    );
    let options = Options {
        scps,
        ..Options::default()
    };
    let ids: Vec<HopId> = broken(&proof(&world, &options))
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, [HopId::Two, HopId::TwoPrime, HopId::Three]);
}

#[test]
fn an_rcp_denies_at_the_resource() {
    let world = wired();
    let rcp = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}}}]});
    let mut rcps = Given::default();
    let dev = AccountName::new("dev").unwrap();
    rcps.add(
        Some(dev),
        parse_levels(NotSeen::Rcp, &rcp.to_string(), "f").unwrap(),
    );
    let options = Options {
        rcps,
        ..Options::default()
    };
    let proof = proof(&world, &options);
    assert_eq!(hop(&proof, HopId::One).answer, Answer::ExplicitlyDenied);
}

#[test]
fn files_that_are_no_policies_are_refused() {
    for text in [
        "",
        "[1]",
        "{}",
        r#"[{"target": "r"}]"#,
        r#"[{"target": "r", "policies": [{}]}]"#,
        r#"{"Statement": 3}"#,
    ] {
        assert!(parse_levels(NotSeen::Scp, text, "f").is_err(), "{text}");
    }
}

#[test]
fn the_state_of_the_function_breaks_the_gate() {
    let key = || ("us-east-1".to_owned(), "MyFunction".to_owned());
    let changes: [Removal<'_, Weight>; 6] = [
        (
            "function_not_active",
            &|w| {
                w.edit("dev", |a| {
                    a.functions.get_mut(&key()).unwrap().state = Some("Failed".to_owned());
                });
            },
            Weight::Breaks,
        ),
        (
            "function_update_failed",
            &|w| {
                w.edit("dev", |a| {
                    a.functions.get_mut(&key()).unwrap().last_update_status =
                        Some("Failed".to_owned());
                });
            },
            Weight::Remark,
        ),
        (
            "function_timeout",
            &|w| {
                w.edit("dev", |a| {
                    a.functions.get_mut(&key()).unwrap().timeout_seconds = Some(900);
                });
            },
            Weight::Remark,
        ),
        (
            "function_is_image",
            &|w| {
                w.edit("dev", |a| {
                    a.functions.get_mut(&key()).unwrap().package_type = Some("Image".to_owned());
                });
            },
            Weight::Remark,
        ),
        (
            "function_throttled",
            &|w| w.edit("dev", |a| a.reserved.extend([(key(), 0)])),
            Weight::Breaks,
        ),
        (
            "artifact_key_missing",
            &|w| action(w, |a| a["inputArtifacts"] = json!([{"name": "App"}])),
            Weight::Breaks,
        ),
    ];
    for (code, change, weight) in changes {
        let world = wired();
        change(&world);
        let proof = plain(&world);
        let [finding] = proof.chains[0].findings.as_slice() else {
            panic!("{code}: {:?}", proof.chains[0].findings)
        };
        assert_eq!((finding.code, finding.weight), (code, weight));
        let expected = if weight == Weight::Breaks {
            Status::Drift
        } else {
            Status::InSync
        };
        assert_eq!(status(&proof), expected, "{code}");
    }
}

#[test]
fn the_execution_role_must_trust_lambda() {
    let world = wired();
    world.edit_role("dev", "ExecutionRole", |r| {
        r.role.trust = service_trust("ec2.amazonaws.com");
    });
    let proof = plain(&world);
    assert_eq!(
        proof.chains[0].findings[0].code,
        "execution_role_not_trusting"
    );
    assert_eq!(status(&proof), Status::Drift);
}

#[test]
fn the_simulator_is_asked_and_compared() {
    let world = wired();
    "allowed".clone_into(&mut world.simulated.borrow_mut());
    let options = Options {
        simulate: true,
        ..Options::default()
    };
    let agreed = proof(&world, &options);
    assert!(world.rounds.get() <= 3, "{} rounds", world.rounds.get());
    assert!(hop(&agreed, HopId::Zero).simulated.is_none());
    for hop in hops(&agreed).iter().filter(|h| h.id != HopId::Zero) {
        assert_eq!(
            hop.simulated.as_ref().unwrap().agrees,
            Some(true),
            "{hop:?}"
        );
    }
    "implicitDeny".clone_into(&mut world.simulated.borrow_mut());
    let differing = proof(&world, &options);
    assert_eq!(
        hop(&differing, HopId::Two)
            .simulated
            .as_ref()
            .unwrap()
            .agrees,
        Some(false)
    );
    assert_eq!(status(&differing), Status::InSync, "no answer changes");
    // The simulator sees no trust: a trust policy that refuses is no disagreement.
    "allowed".clone_into(&mut world.simulated.borrow_mut());
    set_trust(&world, trust(&root_of("333333333333"), None));
    let refused = proof(&world, &options);
    let one = hop(&refused, HopId::One);
    assert_eq!(one.answer, Answer::ImplicitlyDenied);
    assert_eq!(one.simulated.as_ref().unwrap().agrees, Some(true));
}

#[test]
fn credentials_of_another_account_prove_nothing() {
    let world = wired();
    world.edit("dev", |a| "999999999999".clone_into(&mut a.id));
    let proof = plain(&world);
    assert_eq!(hop(&proof, HopId::Two).answer, Answer::NotProven);
    assert_eq!(status(&proof), Status::Incomplete);
}

#[test]
fn one_account_on_both_ends_is_proven_too() {
    let manifest = MANIFEST.replace(r#"account = "dev""#, r#"account = "tools""#);
    let wiring = wiring(&manifest, &[]);
    let world = World::new();
    world.add_role(
        "tools",
        "ExecutionRole",
        &service_trust("lambda.amazonaws.com"),
    );
    world.add_function("MyFunction", "ExecutionRole");
    world.edit("tools", |a| {
        let role = a.roles["ExecutionRole"].role.arn.clone();
        let function = crate::model::read::Function {
            arn: "arn:aws:lambda:us-east-1:111111111111:function:MyFunction".to_owned(),
            last_update_status: None,
            timeout_seconds: None,
            package_type: None,
            ..crate::world::function("us-east-1", "111111111111", "MyFunction", role)
        };
        a.functions
            .insert(("us-east-1".to_owned(), "MyFunction".to_owned()), function);
    });
    let (_, report) = world.run(&wiring, &options(Intent::Bootstrap));
    assert!(report.is_some());
    let options = Options::default();
    let observed = block_on(observe(
        &world,
        |seen: &Observed| wants(&wiring, seen, &options),
        16,
        &Silent,
    ));
    let proof = prove(&wiring, &observed, &options);
    assert_eq!(broken(&proof), []);
}

const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1111-22";

/// A wired gate whose action reads an artifact of an encrypted store.
fn with_artifacts(manage: bool) -> World {
    let world = World::new();
    world.edit_pipeline("MyPipeline", |p| {
        p["stages"][0]["actions"][0]["outputArtifacts"] = json!([{"name": "App"}]);
        p["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": KEY});
    });
    world.edit("tools", |a| {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*",
            "Principal": root_of("111111111111"), "Resource": "*"}]});
        a.keys.insert("1111-22".to_owned(), policy.to_string());
    });
    let artifacts = "after = \"Deploy\"\ninput_artifacts = [\"App\"]\n";
    let mut manifest = MANIFEST.replace("after = \"Deploy\"\n", artifacts);
    if manage {
        manifest.push_str("[gates.artifacts]\nmanage = true\n");
    }
    let (plan, report) = world.run(&wiring(&manifest, &[]), &options(Intent::Bootstrap));
    assert!(report.is_some(), "{:#?}", plan.problems);
    world
}

#[test]
fn artifacts_are_two_hops_more_and_both_sides_must_allow_them() {
    let world = with_artifacts(true);
    let proven = plain(&world);
    assert_eq!(status(&proven), Status::InSync, "{proven:#?}");
    let ids: Vec<&str> = hops(&proven).iter().map(|h| h.id.as_str()).collect();
    assert_eq!(ids, ["0", "1", "2", "2'", "3", "3", "4", "5"]);

    let denied = Answer::ImplicitlyDenied;
    let proof = plain(&with_artifacts(false));
    assert_eq!(
        broken(&proof),
        [(HopId::Four, denied), (HopId::Five, denied)]
    );
    let mend = hop(&proof, HopId::Five).mend.as_ref().unwrap();
    assert!(
        mend.contains("manage = true") && mend.contains(KEY),
        "{mend}"
    );

    world.edit_role("dev", INVOKE_ROLE, |r| {
        r.inline.remove("crossgate-checkout-artifacts").unwrap();
    });
    let proof = plain(&world);
    assert_eq!(
        broken(&proof),
        [(HopId::Four, denied), (HopId::Five, denied)]
    );
    let mend = hop(&proof, HopId::Four).mend.as_ref().unwrap();
    assert!(mend.contains("crossgate-checkout-artifacts"), "{mend}");
}

#[test]
fn a_policy_of_bucket_or_key_that_is_not_seen_proves_nothing() {
    for (operation, id) in [
        ("s3:GetBucketPolicy", HopId::Four),
        ("kms:GetKeyPolicy", HopId::Five),
    ] {
        let world = with_artifacts(true);
        *world.refused.borrow_mut() = Some(operation);
        let proof = plain(&world);
        assert_eq!(broken(&proof), [(id, Answer::NotProven)]);
        assert_eq!(status(&proof), Status::Incomplete);
    }
    let world = with_artifacts(true);
    world.edit("tools", |a| a.keys.clear());
    assert_eq!(
        broken(&plain(&world)),
        [(HopId::Five, Answer::ImplicitlyDenied)]
    );
}
