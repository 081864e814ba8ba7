//! Whatever a manifest that parses says, and whatever AWS answers: no policy is wider than the table of design.md.
//! The table stands here once more, written down apart from the code that builds the documents.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::config;
use crate::desired;
use crate::model::change::Intent;
use crate::world::{MADE_ROLE, World, making, options};

/// A policy's purpose: for each set of actions, the beginning of every resource and what may follow its name.
type Row = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const FUNCTIONS: &str = "arn:aws:lambda:us-east-1:222222222222:function:";
const BUCKETS: &str = "arn:aws:s3:::";
const KEYS: &str = "arn:aws:kms:us-east-1:111111111111:key/";
const LOGS: &str = "arn:aws:logs:us-east-1:222222222222:log-group:/aws/lambda/";
const S3_READ: &[&str] = &["s3:GetObject", "s3:GetObjectVersion"];
const S3_WRITE: &[&str] = &["s3:PutObject", "s3:PutObjectAcl"];
const KMS_READ: &[&str] = &["kms:Decrypt", "kms:DescribeKey"];
const KMS_WRITE: &[&str] = &[
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
];

/// The table, by the end of the policy's name. A resource `*` stands as such.
fn rows(purpose: &str) -> &'static [Row] {
    match purpose {
        "invoke" => &[
            (&["lambda:InvokeFunction"], &[FUNCTIONS], &["", ":*"]),
            (&["lambda:ListFunctions"], &["*"], &[""]),
        ],
        "callback" => &[(
            &[
                "codepipeline:PutJobFailureResult",
                "codepipeline:PutJobSuccessResult",
            ],
            &["*"],
            &[""],
        )],
        "assume" => &[(
            &["sts:AssumeRole"],
            &["arn:aws:iam::222222222222:role/"],
            &[""],
        )],
        "artifacts" => &[
            (S3_READ, &[BUCKETS], &["/*"]),
            (S3_WRITE, &[BUCKETS], &["/*"]),
            (KMS_READ, &[KEYS], &[""]),
            (KMS_WRITE, &[KEYS], &[""]),
        ],
        "logs" => &[
            (&["logs:CreateLogGroup"], &[LOGS], &["", ":*"]),
            (
                &["logs:CreateLogStream", "logs:PutLogEvents"],
                &[LOGS],
                &[":*"],
            ),
        ],
        other => panic!("a policy for `{other}` is not in the table"),
    }
}

/// No pattern and no policy variable.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(['*', '?', '$'])
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list
            .iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect(),
        Value::String(one) => vec![one.clone()],
        other => panic!("no text: {other}"),
    }
}

fn statements(document: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["Version"], "2012-10-17");
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Version", "Statement"]);
    match &document["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

fn assert_in_table(purpose: &str, document: &str) {
    for statement in statements(document) {
        let keys: Vec<&String> = statement.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["Effect", "Action", "Resource"], "{statement}");
        assert_eq!(statement["Effect"], "Allow");
        let actions = texts(&statement["Action"]);
        let resources = texts(&statement["Resource"]);
        let fits = |(of, begins, ends): &Row| {
            actions == *of
                && resources.iter().all(|resource| {
                    begins
                        .iter()
                        .any(|begin| match resource.strip_prefix(begin) {
                            Some("") => *begin == "*",
                            Some(rest) => ends
                                .iter()
                                .any(|end| rest.strip_suffix(end).is_some_and(is_plain)),
                            None => false,
                        })
                })
        };
        assert!(rows(purpose).iter().any(fits), "{purpose}: {statement}");
    }
}

/// A trust policy of ours: Lambda itself, or the pipeline's account, and of it only one role unless the manifest says otherwise.
fn assert_trust(document: &str, whole_account: bool) {
    for statement in statements(document) {
        assert_eq!(statement["Action"], "sts:AssumeRole");
        if statement["Principal"] == json!({"Service": "lambda.amazonaws.com"}) {
            continue;
        }
        assert_eq!(
            statement["Principal"],
            json!({"AWS": "arn:aws:iam::111111111111:root"})
        );
        if whole_account {
            continue;
        }
        let roles = texts(&statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]);
        let fits = |role: &String| {
            let rest = role.strip_prefix("arn:aws:iam::111111111111:role/");
            rest.is_some_and(is_plain)
        };
        assert!(!roles.is_empty() && roles.iter().all(fits), "{statement}");
    }
}

/// What ours says in the policy of a bucket or a key.
fn assert_resource_policy(document: &str, bucket: Option<&str>) {
    for statement in statements(document) {
        let sid = statement["Sid"].as_str().unwrap_or_default();
        if !sid.starts_with("crossgate") {
            continue;
        }
        let actions = texts(&statement["Action"]);
        let (allowed, resource): ([&[&str]; 2], _) = match bucket {
            Some(name) => ([S3_READ, S3_WRITE], format!("{BUCKETS}{name}/*")),
            None => ([KMS_READ, KMS_WRITE], "*".to_owned()),
        };
        assert!(allowed.iter().any(|set| actions == *set), "{statement}");
        assert_eq!(statement["Resource"], resource);
        for principal in texts(&statement["Principal"]["AWS"]) {
            let rest = principal.strip_prefix("arn:aws:iam::222222222222:role/");
            assert!(rest.is_some_and(is_plain), "{statement}");
        }
    }
}

/// Everything of ours that stands in the world.
fn assert_world(world: &World, whole_account: bool) {
    for account in world.snapshot().values() {
        for (name, role) in &account.roles {
            for (policy, document) in &role.inline {
                if let Some(rest) = policy.strip_prefix("crossgate-") {
                    let purpose = rest.rsplit('-').next().unwrap();
                    assert_in_table(purpose, document);
                }
            }
            if role.role.tags.contains_key("crossgate:project") {
                assert!(!["ServiceRole", "ExecutionRole"].contains(&name.as_str()));
                assert_trust(&role.role.trust, whole_account);
            }
        }
        for (bucket, document) in &account.buckets {
            assert!(is_plain(bucket));
            assert_resource_policy(document, Some(bucket));
        }
        for document in account.keys.values() {
            assert_resource_policy(document, None);
        }
    }
}

/// Texts that would widen a policy, leave its JSON, or be somebody else's, if they came into one.
const HOSTILE: &[&str] = &[
    "*",
    "?",
    "/*/",
    "/a?/",
    "/${aws:username}/",
    "/team/x/",
    "${aws:PrincipalAccount}",
    "My*",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::222222222222:role/*",
    "arn:aws:iam::111111111111:role/a/*/b",
    "arn:aws:iam::111111111111:role/${aws:PrincipalTag/a}/b",
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:kms:us-east-1:111111111111:key/*",
    "alias/x",
    "a\",\"Resource\":\"*",
    "bucket/*",
    "../..",
    "crossgate-other",
    "crossgate:project",
    "account",
    "999999999999",
    "eu-*",
    "",
];

/// The lines of a manifest whose values can be other texts, and those texts.
const FIELDS: &[(&str, &str)] = &[
    ("project", "checkout"),
    ("gate", "validate"),
    ("stage", "Gate"),
    ("action", "Run"),
    ("function", "MyFunction"),
    ("pipeline", "MyPipeline"),
    ("parameters", "p"),
    ("input", "App"),
    ("output", "Report"),
    ("role", "Invoke"),
    ("path", "/"),
    ("boundary", "arn:aws:iam::222222222222:policy/Boundary"),
    ("tag", "team"),
    ("value", "platform"),
    ("trust", "service-role"),
    ("dev", "222222222222"),
    ("region", "us-east-1"),
];

fn manifest(changed: &[(usize, &str)], list_functions: bool) -> String {
    let text = |name: &str| {
        let at = FIELDS.iter().position(|(field, _)| *field == name).unwrap();
        let other = changed.iter().find(|(field, _)| *field == at);
        json!(other.map_or(FIELDS[at].1, |(_, text)| *text)).to_string()
    };
    format!(
        "project = {}\n[accounts.tools]\nid = \"111111111111\"\n[accounts.dev]\nid = {}\n[[gates]]\nname = {}\n\
         [gates.pipeline]\naccount = \"tools\"\nregion = {}\nname = {}\nstage = {}\naction = {}\nafter = \"Deploy\"\n\
         user_parameters = {}\ninput_artifacts = [{}]\noutput_artifacts = [{}]\n[gates.function]\naccount = \"dev\"\nname = {}\n\
         [gates.invoke_role]\nname = {}\npath = {}\npermissions_boundary = {}\ntags = {{ {} = {} }}\ntrust = {}\n\
         list_functions = {list_functions}\n[gates.artifacts]\nmanage = true\n",
        text("project"),
        text("dev"),
        text("gate"),
        text("region"),
        text("pipeline"),
        text("stage"),
        text("action"),
        text("parameters"),
        text("input"),
        text("output"),
        text("function"),
        text("role"),
        text("path"),
        text("boundary"),
        text("tag"),
        text("value"),
        text("trust"),
    )
}

/// What the pipeline says that its editors chose.
fn world(role: Option<&str>, bucket: Option<&str>, key: Option<&str>) -> World {
    let world = World::new();
    world.edit_pipeline("MyPipeline", |p| {
        p["stages"][0]["actions"][0]["outputArtifacts"] = json!([{"name": "App"}]);
        let key = key.unwrap_or("arn:aws:kms:us-east-1:111111111111:key/1111-22");
        p["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": key});
        if let Some(role) = role {
            p["roleArn"] = json!(role);
        }
        if let Some(bucket) = bucket {
            p["artifactStore"]["location"] = json!(bucket);
        }
    });
    let key_policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#;
    world.edit("tools", |a| {
        a.keys.insert("1111-22".to_owned(), key_policy.to_owned());
    });
    world
}

/// Plans and carries out, and looks at what stands there then. Gives the number of writes.
fn carried_out(text: &str, world: &World, made: bool) -> Option<usize> {
    let config = config::from_text(Path::new("crossgate.toml"), text).ok()?;
    let whole_account = text.contains("trust = \"account\"");
    let wiring = if made {
        // What is there and somebody else's is not taken over.
        world.edit("dev", |a| a.functions.clear());
        making(text, &[], MADE_ROLE)
    } else {
        desired::wiring(&config, &[]).ok()?
    };
    // A pipeline that cannot be read as one is an answer that `aws` refuses before it comes here.
    let readable = {
        let accounts = world.snapshot();
        accounts["tools"].pipelines.values().all(|p| {
            let text = json!({ "pipeline": p }).to_string();
            crate::model::pipeline::PipelineDocument::parse(&text).is_ok()
        })
    };
    if !readable {
        return None;
    }
    let (_, _) = world.run(&wiring, &options(Intent::Bootstrap));
    assert_world(world, whole_account);
    Some(world.writes.borrow().len())
}

#[test]
fn the_table_holds_for_a_manifest_with_everything() {
    for made in [false, true] {
        for list_functions in [false, true] {
            let writes = carried_out(
                &manifest(&[], list_functions),
                &world(None, None, None),
                made,
            );
            assert!(writes > Some(6), "the test is about something: {writes:?}");
        }
    }
}

#[test]
fn a_path_is_no_pattern() {
    let path = FIELDS.iter().position(|(name, _)| *name == "path").unwrap();
    for hostile in ["/*/", "/a?/", "/${aws:username}/"] {
        let text = manifest(&[(path, hostile)], true);
        let errors = config::from_text(Path::new("crossgate.toml"), &text).unwrap_err();
        let shown = errors.render(false);
        assert!(shown.contains("`*`, `?` and `$`"), "{shown}");
    }
    let fine = manifest(&[(path, "/team/x/")], true);
    assert!(carried_out(&fine, &world(None, None, None), false) > Some(6));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_policy_is_wider_than_the_table(
        changed in prop::collection::vec((0..FIELDS.len(), select(HOSTILE)), 0..3),
        list_functions in any::<bool>(), made in any::<bool>(),
        role in prop::option::weighted(0.2, select(HOSTILE)),
        bucket in prop::option::weighted(0.2, select(HOSTILE)),
        key in prop::option::weighted(0.2, select(HOSTILE)),
    ) {
        let text = manifest(&changed, list_functions);
        carried_out(&text, &world(role, bucket, key), made);
    }
}
