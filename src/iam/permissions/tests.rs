//! The table against every read and write there is, and the policies of small manifests.

use std::collections::BTreeSet;

use super::table::{NEEDS, Need, When};
use super::{Asked, Operator, Reached, Roles, Task, operators};
use crate::iam::evaluate::{
    Context, Layer, NamedPolicy, Policies, Principal, Request, Verdict, evaluate,
};
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::artifact::{BucketName, KeyArn};
use crate::model::change::Intent;
use crate::model::function::{FunctionSettings, NewFunction, Variables};
use crate::model::json_text::JsonText;
use crate::model::name::{FunctionName, PipelineName, PolicyName, RoleName, RolePath};
use crate::model::observed::Observed;
use crate::model::pipeline::PipelineDocument;
use crate::model::policy::Clause;
use crate::model::progress::Silent;
use crate::model::read::{ControlKind, Read};
use crate::model::wiring::{OrganizationReader, Wiring};
use crate::model::write::{NewRole, Write};
use crate::observe::observe;
use crate::plan::orphans;
use crate::world::{self, World};

/// Calls that need no permission (api: GetCallerIdentity).
const FREE: &[&str] = &["sts:GetCallerIdentity"];

const EXAMPLE: &str = include_str!("../../../config/crossgate.toml");

fn key() -> KeyArn {
    KeyArn::parse("arn:aws:kms:us-east-1:111111111111:key/1111-22").unwrap()
}

/// The read that is declared after this one. A new read makes this a compile error: give it a place here and in the table.
fn next_read(read: Option<&Read>) -> Option<Read> {
    let role = RoleName::new("r").unwrap();
    let region = Region::new("us-east-1").unwrap();
    let name = FunctionName::new("f").unwrap();
    let arn = "arn:aws:iam::aws:policy/p".to_owned();
    Some(match read {
        None => Read::CallerIdentity,
        Some(Read::CallerIdentity) => Read::Pipeline {
            region,
            name: PipelineName::new("p").unwrap(),
        },
        Some(Read::Pipeline { .. }) => Read::PipelineVersion {
            region,
            name: PipelineName::new("p").unwrap(),
            version: 1,
        },
        Some(Read::PipelineVersion { .. }) => Read::Function { region, name },
        Some(Read::Function { .. }) => Read::TaggedFunction { region, name },
        Some(Read::TaggedFunction { .. }) => Read::Pipelines { region },
        Some(Read::Pipelines { .. }) => Read::Functions { region },
        Some(Read::Functions { .. }) => Read::Role { role },
        Some(Read::Role { .. }) => Read::Roles,
        Some(Read::Roles) => Read::InlinePolicyNames { role },
        Some(Read::InlinePolicyNames { .. }) => Read::AttachedPolicies { role },
        Some(Read::AttachedPolicies { .. }) => Read::InlinePolicy {
            role,
            policy: "p".to_owned(),
        },
        Some(Read::InlinePolicy { .. }) => Read::ManagedPolicy { arn },
        Some(Read::ManagedPolicy { .. }) => Read::ManagedPolicyVersion {
            arn,
            version: "v1".to_owned(),
        },
        Some(Read::ManagedPolicyVersion { .. }) => Read::FunctionVersion {
            region,
            name,
            qualifier: "live".to_owned(),
        },
        Some(Read::FunctionVersion { .. }) => Read::FunctionPolicy {
            region,
            name,
            qualifier: None,
        },
        Some(Read::FunctionPolicy { .. }) => Read::FunctionConcurrency { region, name },
        Some(Read::FunctionConcurrency { .. }) => Read::Simulation {
            role: RoleArn::parse("arn:aws:iam::222222222222:role/r").unwrap(),
            action: "a:b".to_owned(),
            resource: "*".to_owned(),
        },
        Some(Read::Simulation { .. }) => Read::Organization,
        Some(Read::Organization) => Read::OrganizationParent {
            child: "222222222222".to_owned(),
        },
        Some(Read::OrganizationParent { .. }) => Read::ControlPolicies {
            target: "r-1234".to_owned(),
            kind: ControlKind::Service,
        },
        Some(Read::ControlPolicies { .. }) => Read::ControlPolicy {
            id: "p-FullAWSAccess".to_owned(),
        },
        Some(Read::ControlPolicy { .. }) => Read::BucketPolicy {
            region,
            bucket: BucketName::new("bucket").unwrap(),
        },
        Some(Read::BucketPolicy { .. }) => Read::KeyPolicy { key: key() },
        Some(Read::KeyPolicy { .. }) => Read::PipelineState {
            region,
            name: PipelineName::new("p").unwrap(),
        },
        Some(Read::PipelineState { region, name }) => Read::PipelineExecutions {
            region: region.clone(),
            name: name.clone(),
        },
        Some(Read::PipelineExecutions { region, name }) => Read::ActionExecutions {
            region: region.clone(),
            name: name.clone(),
            execution: None,
        },
        Some(Read::ActionExecutions { .. }) => Read::FunctionInvokeConfig {
            region,
            name,
            qualifier: None,
        },
        Some(Read::FunctionInvokeConfig { .. }) => Read::LogEvents {
            region,
            group: "/aws/lambda/f".to_owned(),
            from_ms: 0,
            to_ms: 1,
            filter: None,
            limit: 1,
        },
        Some(Read::LogEvents { .. }) => return None,
    })
}

/// The write that is declared after this one, in the same way.
fn next_write(write: Option<&Write>) -> Option<Write> {
    let role = RoleName::new("r").unwrap();
    let policy_arn = "arn:aws:iam::aws:policy/p".to_owned();
    let region = Region::new("us-east-1").unwrap();
    let name = FunctionName::new("f").unwrap();
    let settings = FunctionSettings {
        runtime: String::new(),
        handler: String::new(),
        timeout_seconds: 1,
        memory_mb: 128,
        environment: Variables::default(),
        role: RoleArn::parse("arn:aws:iam::222222222222:role/r").unwrap(),
    };
    Some(match write {
        None => Write::CreateRole(Box::new(NewRole {
            name: role,
            path: RolePath::default(),
            trust: JsonText::read("{}"),
            permissions_boundary: None,
            tags: [].into(),
            description: String::new(),
        })),
        Some(Write::CreateRole(_)) => Write::UpdateTrustPolicy {
            role,
            document: JsonText::read("{}"),
        },
        Some(Write::UpdateTrustPolicy { .. }) => Write::TagRole {
            role,
            tags: [].into(),
        },
        Some(Write::TagRole { .. }) => Write::UntagRole { role, keys: vec![] },
        Some(Write::UntagRole { .. }) => Write::PutPermissionsBoundary { role, policy_arn },
        Some(Write::PutPermissionsBoundary { .. }) => Write::DeletePermissionsBoundary { role },
        Some(Write::DeletePermissionsBoundary { .. }) => Write::PutInlinePolicy {
            role,
            policy: PolicyName::new("p").unwrap(),
            document: JsonText::read("{}"),
        },
        Some(Write::PutInlinePolicy { .. }) => Write::DeleteInlinePolicy {
            role,
            policy: "p".to_owned(),
        },
        Some(Write::DeleteInlinePolicy { .. }) => Write::DetachPolicy { role, policy_arn },
        Some(Write::DetachPolicy { .. }) => Write::DeleteRole { role },
        Some(Write::DeleteRole { .. }) => Write::CreateFunction {
            region,
            new: Box::new(NewFunction {
                name,
                package: world::package("v1"),
                settings,
                tags: [].into(),
                description: String::new(),
            }),
        },
        Some(Write::CreateFunction { .. }) => Write::UpdateFunctionCode {
            region,
            name,
            package: world::package("v1"),
        },
        Some(Write::UpdateFunctionCode { .. }) => Write::UpdateFunctionConfiguration {
            region,
            name,
            settings: Box::new(settings),
        },
        Some(Write::UpdateFunctionConfiguration { .. }) => Write::TagFunction {
            function: FunctionArn {
                region,
                account: AccountId::new("222222222222").unwrap(),
                name,
            },
            tags: [].into(),
        },
        Some(Write::TagFunction { .. }) => Write::DeleteFunction { region, name },
        Some(Write::DeleteFunction { .. }) => Write::PutBucketPolicy {
            region,
            bucket: BucketName::new("bucket").unwrap(),
            document: String::new(),
        },
        Some(Write::PutBucketPolicy { .. }) => Write::DeleteBucketPolicy {
            region,
            bucket: BucketName::new("bucket").unwrap(),
        },
        Some(Write::DeleteBucketPolicy { .. }) => Write::PutKeyPolicy {
            key: key(),
            document: String::new(),
        },
        Some(Write::PutKeyPolicy { .. }) => Write::UpdatePipeline {
            region,
            name: PipelineName::new("p").unwrap(),
            document: Box::new(
                PipelineDocument::parse(
                    r#"{"pipeline":{"name":"p","roleArn":"arn:aws:iam::111111111111:role/r","stages":[{"name":"s","actions":[]}]}}"#).unwrap(),
            ),
        },
        Some(Write::UpdatePipeline { .. }) => return None,
    })
}

fn all<T>(next: impl Fn(Option<&T>) -> Option<T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    while let Some(one) = next(all.last()) {
        all.push(one);
    }
    all
}

fn lines_of(action: &str) -> impl Iterator<Item = &'static Need> {
    NEEDS.iter().filter(move |need| need.action == action)
}

#[test]
fn every_read_and_write_has_a_place_in_the_table() {
    for read in all(next_read) {
        let action = read.operation();
        let known = FREE.contains(&action) || lines_of(action).next().is_some();
        assert!(known, "{action} is read and not in the table");
    }
    let writing = [
        When::Bootstrap,
        When::Teardown,
        When::PartialTeardown,
        When::RemoveUnexpected,
        When::RemoveBoundary,
        When::RemoveWithRole,
        When::Prune,
        When::Restore,
        When::RemoveLeft,
    ];
    for write in all(next_write) {
        let action = write.operation();
        let written = lines_of(action).any(|need| need.when.iter().any(|w| writing.contains(w)));
        assert!(written, "{action} is written and not in the table");
        for need in lines_of(action) {
            let only = need.when.iter().all(|w| writing.contains(w));
            assert!(only, "{action} is allowed to a command that writes nothing");
        }
    }
}

#[test]
fn the_table_has_no_line_twice_and_no_wildcard() {
    let lines: BTreeSet<(&str, _)> = NEEDS.iter().map(|need| (need.action, need.on)).collect();
    assert_eq!(lines.len(), NEEDS.len());
    assert!(NEEDS.iter().all(|need| !need.action.contains('*')));
}

/// A manifest whose gate has artifacts.
fn manifest_with_artifacts() -> String {
    let artifacts = "after = \"Deploy\"\ninput_artifacts = [\"App\"]\n";
    world::MANIFEST.replace("after = \"Deploy\"\n", artifacts)
}

/// A world whose pipeline has them, in a bucket with a key.
fn world_with_artifacts() -> World {
    let world = World::new();
    world.edit_pipeline("MyPipeline", |p| {
        p["stages"][0]["actions"][0]["outputArtifacts"] = serde_json::json!([{"name": "App"}]);
        p["artifactStore"]["encryptionKey"] = serde_json::json!({"type": "KMS", "id": "1111-22"});
    });
    world.edit("tools", |a| {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}"#;
        a.keys.insert("1111-22".to_owned(), policy.to_owned());
    });
    world
}

fn asked(tasks: &[Task]) -> Asked {
    Asked {
        tasks: tasks.iter().copied().collect(),
        remove_unexpected: false,
        adopt: false,
        orphans: false,
        simulate: false,
        organizations: None,
    }
}

fn example() -> Wiring {
    world::wiring(EXAMPLE, &[])
}

fn one(operators: &[Operator], account: &str) -> Operator {
    let found = operators.iter().find(|o| o.account.as_str() == account);
    found.unwrap().clone()
}

fn shown(operator: &Operator) -> String {
    let mut lines = Vec::new();
    for statement in operator.policy.to_json()["Statement"].as_array().unwrap() {
        lines.push(statement.to_string());
    }
    lines.extend(operator.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

#[test]
fn a_check_reads_only_the_objects_of_the_gate() {
    let roles = Roles {
        service: [RoleArn::parse("arn:aws:iam::111111111111:role/service-role/S").unwrap()].into(),
        execution: [RoleArn::parse("arn:aws:iam::222222222222:role/E").unwrap()].into(),
        ..Roles::default()
    };
    let operators = operators(&example(), &asked(&[Task::Check]), &roles, &[]);
    insta::assert_snapshot!(shown(&one(&operators, "tools")), @r#"
    {"Sid":"ReadPipelines","Effect":"Allow","Action":"codepipeline:GetPipeline","Resource":"arn:aws:codepipeline:us-east-1:111111111111:MyPipeline"}
    {"Sid":"ServiceRoles","Effect":"Allow","Action":["iam:GetRolePolicy","iam:ListRolePolicies"],"Resource":"arn:aws:iam::111111111111:role/service-role/S"}
    "#);
    insta::assert_snapshot!(shown(&one(&operators, "dev")), @r#"
    {"Sid":"Functions","Effect":"Allow","Action":"lambda:GetFunctionConfiguration","Resource":"arn:aws:lambda:us-east-1:222222222222:function:MyFunction"}
    {"Sid":"InvokeRoles","Effect":"Allow","Action":["iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies"],"Resource":"arn:aws:iam::222222222222:role/DevAccount-CodePipeline-InvokeRole"}
    {"Sid":"ExecutionRoles","Effect":"Allow","Action":["iam:GetRolePolicy","iam:ListRolePolicies"],"Resource":"arn:aws:iam::222222222222:role/E"}
    "#);
}

#[test]
fn a_bootstrap_without_known_roles_says_how_wide_it_is() {
    let operators = operators(
        &example(),
        &asked(&[Task::Bootstrap]),
        &Roles::default(),
        &[],
    );
    insta::assert_snapshot!(shown(&one(&operators, "tools")), @r#"
    {"Sid":"Pipelines","Effect":"Allow","Action":["codepipeline:GetPipeline","codepipeline:UpdatePipeline"],"Resource":"arn:aws:codepipeline:us-east-1:111111111111:MyPipeline"}
    {"Sid":"ServiceRoles","Effect":"Allow","Action":["iam:GetRolePolicy","iam:ListRolePolicies","iam:PutRolePolicy"],"Resource":"arn:aws:iam::111111111111:role/*"}
    {"Sid":"PassedRoles","Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/*","Condition":{"StringEquals":{"iam:PassedToService":"codepipeline.amazonaws.com"}}}
    note: the manifest does not say the service role, so any role of the account is allowed; whoever may put policies on any role can take every right in the account: name it with --service-role ARN, or have it read with --resolve
    "#);
    insta::assert_snapshot!(shown(&one(&operators, "dev")), @r#"
    {"Sid":"Functions","Effect":"Allow","Action":"lambda:GetFunctionConfiguration","Resource":"arn:aws:lambda:us-east-1:222222222222:function:MyFunction"}
    {"Sid":"InvokeRoles","Effect":"Allow","Action":["iam:CreateRole","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:PutRolePolicy","iam:TagRole","iam:UpdateAssumeRolePolicy"],"Resource":"arn:aws:iam::222222222222:role/DevAccount-CodePipeline-InvokeRole"}
    {"Sid":"ExecutionRoles","Effect":"Allow","Action":["iam:GetRolePolicy","iam:ListRolePolicies","iam:PutRolePolicy"],"Resource":"arn:aws:iam::222222222222:role/*"}
    note: the manifest does not say the execution role, so any role of the account is allowed; whoever may put policies on any role can take every right in the account: name it with --execution-role ARN, or have it read with --resolve
    "#);
}

#[test]
fn an_account_that_others_are_reached_through_may_assume_their_roles() {
    let reached = Reached {
        via: AccountName::new("hub").unwrap(),
        via_id: AccountId::new("333333333333").unwrap(),
        role: RoleArn::parse("arn:aws:iam::222222222222:role/Admin").unwrap(),
    };
    let operators = operators(
        &example(),
        &asked(&[Task::Plan]),
        &Roles::default(),
        &[reached],
    );
    insta::assert_snapshot!(shown(&one(&operators, "hub")), @r#"{"Sid":"AssumedOperatorRoles","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::222222222222:role/Admin"}"#);
}

#[test]
fn a_command_that_does_nothing_in_an_account_needs_nothing_there() {
    let operators = operators(&example(), &asked(&[Task::Run]), &Roles::default(), &[]);
    assert!(one(&operators, "dev").policy.statements.is_empty());
    assert_eq!(one(&operators, "tools").policy.statements.len(), 1);
}

#[test]
fn init_lists_and_reads_and_writes_nothing() {
    let operators = operators(&example(), &asked(&[Task::Init]), &Roles::default(), &[]);
    let actions = |account: &str| -> Vec<String> {
        let policy = one(&operators, account).policy;
        let actions = policy.statements.into_iter().flat_map(|s| match s.action {
            Clause::Is(actions) | Clause::Not(actions) => actions,
        });
        actions.collect()
    };
    assert_eq!(
        actions("tools"),
        ["codepipeline:GetPipeline", "codepipeline:ListPipelines"]
    );
    assert_eq!(
        actions("dev"),
        ["lambda:GetFunctionConfiguration", "lambda:ListFunctions"]
    );
}

/// The ARN of what a read is about.
fn resource(id: &str, read: &Read) -> Option<String> {
    Some(match read {
        Read::CallerIdentity => return None,
        Read::Pipeline { region, name }
        | Read::PipelineVersion { region, name, .. }
        | Read::PipelineState { region, name }
        | Read::PipelineExecutions { region, name }
        | Read::ActionExecutions { region, name, .. } => {
            format!("arn:aws:codepipeline:{region}:{id}:{name}")
        }
        Read::BucketPolicy { bucket, .. } => format!("arn:aws:s3:::{bucket}"),
        Read::KeyPolicy { key } => key.to_string(),
        Read::LogEvents { region, group, .. } => {
            format!("arn:aws:logs:{region}:{id}:log-group:{group}")
        }
        Read::Function { region, name }
        | Read::TaggedFunction { region, name }
        | Read::FunctionConcurrency { region, name }
        | Read::FunctionPolicy {
            region,
            name,
            qualifier: None,
        }
        | Read::FunctionInvokeConfig {
            region,
            name,
            qualifier: None,
        } => format!("arn:aws:lambda:{region}:{id}:function:{name}"),
        Read::FunctionVersion {
            region,
            name,
            qualifier,
        }
        | Read::FunctionPolicy {
            region,
            name,
            qualifier: Some(qualifier),
        }
        | Read::FunctionInvokeConfig {
            region,
            name,
            qualifier: Some(qualifier),
        } => format!("arn:aws:lambda:{region}:{id}:function:{name}:{qualifier}"),
        Read::ManagedPolicy { arn } | Read::ManagedPolicyVersion { arn, .. } => arn.clone(),
        Read::Simulation { role, .. } => role.to_string(),
        // Lists are asked for as a whole. The ARNs of the others hold the ids of the organization and its management account, which nobody knows before.
        Read::Pipelines { .. }
        | Read::Functions { .. }
        | Read::Roles
        | Read::Organization
        | Read::OrganizationParent { .. }
        | Read::ControlPolicies { .. }
        | Read::ControlPolicy { .. } => "*".to_owned(),
        Read::Role { role }
        | Read::InlinePolicyNames { role }
        | Read::AttachedPolicies { role }
        | Read::InlinePolicy { role, .. } => format!("arn:aws:iam::{id}:role/{role}"),
    })
}

/// The action and the ARN of a write, from the world's record of it: `iam:PutRolePolicy policy p on role r`.
fn write_of(id: &str, record: &str) -> (String, String) {
    let (action, what) = record.split_once(' ').unwrap();
    let arn = match what.rsplit_once(" in ") {
        Some((what, region)) => {
            let name = what.rsplit(' ').next().unwrap();
            match what.strip_prefix("pipeline ") {
                Some(name) => format!("arn:aws:codepipeline:{region}:{id}:{name}"),
                None if action.starts_with("s3:") => format!("arn:aws:s3:::{name}"),
                None => format!("arn:aws:lambda:{region}:{id}:function:{name}"),
            }
        }
        None if action.starts_with("kms:") => what.rsplit(' ').next().unwrap().to_owned(),
        None => format!(
            "arn:aws:iam::{id}:role/{}",
            what.rsplit(' ').next().unwrap()
        ),
    };
    (action.to_owned(), arn)
}

/// Every call that a command makes in a world in memory is allowed by the command's policy.
fn assert_allowed(world: &World, wiring: &Wiring, asked: &Asked) {
    let role = |arn: &str| BTreeSet::from([RoleArn::parse(arn).unwrap()]);
    let roles = Roles {
        service: role("arn:aws:iam::111111111111:role/ServiceRole"),
        execution: role("arn:aws:iam::222222222222:role/ExecutionRole"),
        ..Roles::default()
    };
    let operators = operators(wiring, asked, &roles, &[]);
    let mut calls = 0;
    let mut assert_one = |account: &str, action: &str, arn: &str| {
        let operator = one(&operators, account);
        let policy = NamedPolicy::from_json("operator", &operator.policy.to_json());
        let caller = format!("arn:aws:iam::{}:role/operator", operator.id);
        let caller = Principal::parse(&caller).unwrap();
        let context = Context::complete().with("aws:ResourceAccount", operator.id.as_str());
        let request = Request::new(caller, action, arn, operator.id.clone(), context);
        // A key leaves it to its account's policies, as every key does at first.
        let root = serde_json::json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*",
            "Principal": {"AWS": operator.id.as_str()}, "Resource": "*"}});
        let of_key = action
            .starts_with("kms:")
            .then(|| NamedPolicy::from_json("key policy", &root));
        let policies = Policies {
            identity: Layer::Known(vec![policy]),
            resource: Layer::Known(of_key),
            ..Policies::default()
        };
        let decision = evaluate(&request, &policies);
        assert_eq!(
            decision.verdict,
            Verdict::Allowed,
            "{action} on {arn}: {}",
            decision.reason
        );
        calls += 1;
    };
    for (account, read) in world.reads.borrow().iter() {
        let id = one(&operators, account).id;
        if let Some(arn) = resource(id.as_str(), read) {
            assert_one(account, read.operation(), &arn);
        }
    }
    for (account, record) in world.writes.borrow().iter() {
        let (action, arn) = write_of(one(&operators, account).id.as_str(), record);
        assert_one(account, &action, &arn);
    }
    assert!(calls > 5, "{calls} calls");
    world.forget_calls();
}

#[test]
fn every_call_of_a_run_is_allowed_by_its_policy() {
    let manifest = world::MANIFEST;
    let second = manifest.split_once("[[gates]]").unwrap().1;
    let second = second
        .replace("validate", "approve")
        .replace("RunValidation", "RunApproval");
    let two = format!("{manifest}[[gates]]{second}");
    let both = world::wiring(&two, &[]);
    let first = world::wiring(&two, &["validate"]);
    let world = World::new();
    world.run(&both, &world::options(Intent::Bootstrap));
    assert_allowed(&world, &both, &asked(&[Task::Bootstrap]));
    world.plan(&both, &world::options(Intent::Bootstrap));
    assert_allowed(&world, &both, &asked(&[Task::Check]));
    // Somebody changed everything that can be put right.
    world.edit_role("dev", "crossgate-checkout-validate", |role| {
        role.role.trust = world::service_trust("lambda.amazonaws.com");
        role.role.tags.clear();
        role.role
            .tags
            .insert("crossgate:project".to_owned(), "checkout".to_owned());
        role.role.permissions_boundary = Some("arn:aws:iam::aws:policy/b".to_owned());
        role.inline
            .insert("extra".to_owned(), world::service_trust("x"));
    });
    let mut options = world::options(Intent::Bootstrap);
    options.remove_unexpected = true;
    let mut wide = asked(&[Task::Bootstrap]);
    wide.remove_unexpected = true;
    world.run(&both, &options);
    assert_allowed(&world, &both, &wide);
    world.run(&first, &world::options(Intent::Teardown));
    assert_allowed(&world, &first, &asked(&[Task::Teardown]));
    world.run(&both, &world::options(Intent::Teardown));
    assert_allowed(&world, &both, &asked(&[Task::Teardown]));
}

#[test]
fn every_call_of_a_run_with_artifacts_is_allowed_by_its_policy() {
    let artifacts = "after = \"Deploy\"\ninput_artifacts = [\"App\"]\n";
    let plain = world::MANIFEST.replace("after = \"Deploy\"\n", artifacts);
    let managed = format!("{plain}[gates.artifacts]\nmanage = true\n");
    for (manifest, writes) in [(plain, false), (managed, true)] {
        let wiring = world::wiring(&manifest, &[]);
        let world = World::new();
        world.edit_pipeline("MyPipeline", |p| {
            p["stages"][0]["actions"][0]["outputArtifacts"] = serde_json::json!([{"name": "App"}]);
            p["artifactStore"]["encryptionKey"] =
                serde_json::json!({"type": "KMS", "id": "1111-22"});
        });
        world.edit("tools", |a| {
            let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}"#;
            a.keys.insert("1111-22".to_owned(), policy.to_owned());
        });
        let (_, report) = world.run(&wiring, &world::options(Intent::Bootstrap));
        assert!(report.is_some());
        let wrote = world
            .writes
            .borrow()
            .iter()
            .any(|(_, w)| w.starts_with("kms:"));
        assert_eq!(wrote, writes);
        assert_allowed(&world, &wiring, &asked(&[Task::Bootstrap]));
        world.plan(&wiring, &world::options(Intent::Bootstrap));
        assert_allowed(&world, &wiring, &asked(&[Task::Check]));
        world.run(&wiring, &world::options(Intent::Teardown));
        assert_allowed(&world, &wiring, &asked(&[Task::Teardown]));
        let tools = one(
            &operators(&wiring, &asked(&[Task::Bootstrap]), &Roles::default(), &[]),
            "tools",
        );
        let policy = tools.policy.to_string();
        assert_eq!(policy.contains("PutKeyPolicy"), writes);
    }
}

#[test]
fn buckets_and_keys_are_those_of_the_pipelines_where_these_were_read() {
    let manifest = manifest_with_artifacts();
    let wiring = world::wiring(
        &format!("{manifest}[gates.artifacts]\nmanage = true\n"),
        &[],
    );
    let world = World::new();
    world.edit_pipeline("MyPipeline", |p| {
        // The key is the function's account's.
        let key = "arn:aws:kms:us-east-1:222222222222:key/1111-22";
        p["artifactStore"]["encryptionKey"] = serde_json::json!({"type": "KMS", "id": key});
    });
    let wants = |seen: &Observed| Roles::wants(&wiring, seen);
    let observed = world::block_on(observe(&world, wants, 16, &Silent));
    let roles = Roles::of(&wiring, &observed).unwrap();
    let mut asked = asked(&[Task::Bootstrap, Task::Prune]);
    let of_stores = |operators: &[Operator], account: &str| -> String {
        let all = shown(&one(operators, account));
        let mut lines: Vec<&str> = all.lines().collect();
        lines.retain(|line| {
            line.contains("s3:") || line.contains("kms:") || line.contains("bucket")
        });
        lines.join("\n")
    };
    let read = operators(&wiring, &asked, &roles, &[]);
    insta::assert_snapshot!(of_stores(&read, "tools"), @r#"{"Sid":"ArtifactBuckets","Effect":"Allow","Action":["s3:DeleteBucketPolicy","s3:GetBucketPolicy","s3:PutBucketPolicy"],"Resource":"arn:aws:s3:::bucket","Condition":{"StringEquals":{"aws:ResourceAccount":"111111111111"}}}"#);
    insta::assert_snapshot!(of_stores(&read, "dev"), @r#"{"Sid":"ArtifactKeys","Effect":"Allow","Action":["kms:GetKeyPolicy","kms:PutKeyPolicy"],"Resource":"arn:aws:kms:us-east-1:222222222222:key/1111-22"}"#);
    asked.tasks = [Task::Check].into();
    asked.orphans = true;
    let unread = operators(&wiring, &asked, &Roles::default(), &[]);
    insta::assert_snapshot!(of_stores(&unread, "tools"), @r#"
    {"Sid":"ArtifactBuckets","Effect":"Allow","Action":"s3:GetBucketPolicy","Resource":"arn:aws:s3:::*","Condition":{"StringEquals":{"aws:ResourceAccount":"111111111111"}}}
    {"Sid":"ArtifactKeys","Effect":"Allow","Action":"kms:GetKeyPolicy","Resource":"arn:aws:kms:*:111111111111:key/*"}
    note: the manifest does not say which bucket and which key hold the artifacts, so any of the pipeline's account is allowed, and none of another: write their ARNs instead (of `artifactStore` in the pipeline), or have them read with --resolve
    "#);
}

#[test]
fn every_call_of_a_search_in_stores_is_allowed_by_its_policy() {
    let manifest = manifest_with_artifacts();
    let managed = world::wiring(
        &format!("{manifest}[gates.artifacts]\nmanage = true\n"),
        &[],
    );
    let world = world_with_artifacts();
    world.run(&managed, &world::options(Intent::Bootstrap));
    let none = manifest.replace("[\"App\"]", "[]");
    let after = world::wiring(&none, &[]);
    world.run(&after, &world::options(Intent::Bootstrap));
    world.forget_calls();
    let options = world::options(Intent::Teardown);
    let wants = |seen: &Observed| orphans::wants(&after, seen, &options);
    let observed = world::block_on(observe(&world, wants, 16, &Silent));
    let plan = orphans::plan(&after, &observed, &options);
    let report = world.apply(&plan);
    assert_eq!(report.writes, 2);
    assert_allowed(&world, &after, &asked(&[Task::Prune]));
}

#[test]
fn what_is_written_where_manage_was_taken_out_is_in_a_note() {
    let manifest = manifest_with_artifacts();
    let managed = format!("{manifest}[gates.artifacts]\nmanage = true\n");
    let world = world_with_artifacts();
    let bootstrap = world::options(Intent::Bootstrap);
    world.run(&world::wiring(&managed, &[]), &bootstrap);
    world.forget_calls();
    let unmanaged = world::wiring(&manifest, &[]);
    world.run(&unmanaged, &bootstrap);
    let writes = world.writes.borrow().clone();
    assert_eq!(writes.len(), 2, "{writes:?}");
    for task in [Task::Bootstrap, Task::Teardown] {
        let all = operators(&unmanaged, &asked(&[task]), &Roles::default(), &[]);
        let notes = one(&all, "tools").notes.join("\n");
        for (_, write) in &writes {
            let action = write.split(' ').next().unwrap_or_default();
            assert!(notes.contains(action), "{action}: {notes}");
        }
        assert!(notes.contains("gates.artifacts] of validate"), "{notes}");
        assert!(!one(&all, "dev").notes.join("\n").contains("PutKeyPolicy"));
        let managed = world::wiring(&managed, &[]);
        let all = operators(&managed, &asked(&[task]), &Roles::default(), &[]);
        let notes = one(&all, "tools").notes.join("\n");
        assert!(!notes.contains("was ever true"), "{notes}");
        assert!(notes.contains("can take what they hold"), "{notes}");
    }
}

#[test]
fn every_call_of_a_run_that_makes_its_function_is_allowed_by_its_policy() {
    for role in [world::MADE_ROLE, world::NAMED_ROLE] {
        let wiring = world::making(world::MANIFEST, &[], role);
        let world = World::new();
        world.edit("dev", |a| a.functions.clear());
        world.run(&wiring, &world::options(Intent::Bootstrap));
        assert_allowed(&world, &wiring, &asked(&[Task::Bootstrap]));
        world.plan(&wiring, &world::options(Intent::Bootstrap));
        assert_allowed(&world, &wiring, &asked(&[Task::Check]));
        // Somebody changed everything that can be put right.
        world.edit("dev", |a| {
            let function = a.functions.values_mut().next().unwrap();
            function.code_sha256 = None;
            function.timeout_seconds = Some(1);
            function.tags.as_mut().unwrap().remove("team");
            if let Some(role) = a.roles.get_mut(world::MADE_ROLE) {
                role.role.trust = world::service_trust("ec2.amazonaws.com");
                role.inline.clear();
            }
        });
        world.run(&wiring, &world::options(Intent::Bootstrap));
        assert_allowed(&world, &wiring, &asked(&[Task::Bootstrap]));
        let mut wide = asked(&[Task::Teardown]);
        if role == world::MADE_ROLE {
            world.put_inline("dev", role, "extra", &world::service_trust("x"));
            world.attach("dev", role, "More", &world::service_trust("x"));
            wide.remove_unexpected = true;
        }
        let mut options = world::options(Intent::Teardown);
        options.remove_unexpected = wide.remove_unexpected;
        world.run(&wiring, &options);
        assert_allowed(&world, &wiring, &wide);
        assert!(world.snapshot()["dev"].functions.is_empty());
    }
}

#[test]
fn a_function_is_handed_its_one_role_and_by_lambda_only() {
    let wiring = world::making(world::MANIFEST, &[], world::MADE_ROLE);
    let asked = asked(&[Task::Bootstrap, Task::Teardown]);
    let operators = operators(&wiring, &asked, &Roles::default(), &[]);
    insta::assert_snapshot!(shown(&one(&operators, "dev")), @r#"
    {"Sid":"Functions","Effect":"Allow","Action":["lambda:CreateFunction","lambda:DeleteFunction","lambda:GetFunction","lambda:GetFunctionConfiguration","lambda:ListTags","lambda:TagResource","lambda:UpdateFunctionCode","lambda:UpdateFunctionConfiguration"],"Resource":"arn:aws:lambda:us-east-1:222222222222:function:MyFunction"}
    {"Sid":"InvokeRoles","Effect":"Allow","Action":["iam:CreateRole","iam:DeleteRole","iam:DeleteRolePolicy","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:PutRolePolicy","iam:TagRole","iam:UntagRole","iam:UpdateAssumeRolePolicy"],"Resource":"arn:aws:iam::222222222222:role/crossgate-checkout-validate"}
    {"Sid":"ExecutionRoles","Effect":"Allow","Action":["iam:CreateRole","iam:DeleteRole","iam:DeleteRolePolicy","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:PutRolePolicy","iam:TagRole","iam:UpdateAssumeRolePolicy"],"Resource":"arn:aws:iam::222222222222:role/crossgate-checkout-fn-MyFunction"}
    {"Sid":"PassedExecutionRoles","Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::222222222222:role/crossgate-checkout-fn-MyFunction","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}
    "#);
}

#[test]
fn the_organization_is_read_only_where_that_is_asked_for() {
    let mut asked = asked(&[Task::Verify]);
    let plain = operators(&example(), &asked, &Roles::default(), &[]);
    asked.organizations = Some(OrganizationReader {
        account: AccountName::new("management").unwrap(),
        id: AccountId::new("999999999999").unwrap(),
    });
    let more = operators(&example(), &asked, &Roles::default(), &[]);
    insta::assert_snapshot!(shown(&one(&more, "management")), @r#"{"Sid":"Organization","Effect":"Allow","Action":["organizations:DescribeOrganization","organizations:DescribePolicy","organizations:ListParents","organizations:ListPoliciesForTarget"],"Resource":"*"}"#);
    for account in ["tools", "dev"] {
        let (plain, more) = (shown(&one(&plain, account)), shown(&one(&more, account)));
        assert!(!plain.contains("organizations:"), "{plain}");
        assert!(more.contains("organizations:DescribeOrganization"));
        assert!(!more.contains("organizations:List"), "{more}");
    }
}
