//! Many gates over many accounts, from a short manifest: the binary against the embedded AWS, whole and divided.
//!
//! The thousand gates: `cargo test --release --test integration -- --ignored --nocapture a_thousand_gates`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crossgate::model::account::{AccountId, AccountName};
use crossgate::sandbox::{Builtin, Code, Sandbox, SandboxOptions, seed};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cli::{self, Run};

/// Gates in each account, and in each pipeline.
pub(super) const CHECKS: usize = 10;

/// The accounts of the gates, each with a pipeline of its own in the tools account.
pub(super) struct Fleet {
    pub(super) sandbox: Sandbox,
    folder: TempDir,
    variables: BTreeMap<String, String>,
    accounts: usize,
}

pub(super) fn id(n: usize) -> String {
    format!("{:012}", 300_000_000_000_u64 + u64::try_from(n).unwrap())
}

fn trust(principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
        .to_string()
}

fn all() -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}).to_string()
}

fn manifest(accounts: usize) -> String {
    let ids: Vec<String> = (0..accounts).map(|n| format!("\"{}\"", id(n))).collect();
    let checks: Vec<String> = (0..CHECKS).map(|n| format!("\"check{n}\"")).collect();
    format!(
        r#"project = "fleet"

[accounts.tools]
id = "{tools}"
profile = "tools"

[accounts."dev-{{id}}"]
ids = [{ids}]
assume_role = "arn:aws:iam::{{id}}:role/Deploy"
via = "tools"

[defaults.pipeline]
account = "tools"
region = "{region}"
stage = "Checks"
after = "Deploy"
[defaults.invoke_role]
tags = {{ team = "platform" }}

[[gates]]
name = "{{check}}-{{account}}"
for_each = {{ account = "dev-*", check = [{checks}] }}
[gates.pipeline]
name = "release-{{account}}"
action = "{{check}}"
user_parameters = {{ account = "{{account.id}}" }}
[gates.function]
account = "{{account}}"
name = "gate"
"#,
        tools = seed::TOOLS,
        region = seed::REGION,
        ids = ids.join(", "),
        checks = checks.join(", "),
    )
}

/// The output without the order in which AWS (and the sandbox) returned what was read.
fn settled(stdout: &str) -> String {
    let mut value: Value = serde_json::from_str(stdout).unwrap();
    for change in value["changes"].as_array_mut().unwrap() {
        order(&mut change["before"]);
    }
    place(&mut value);
    serde_json::to_string_pretty(&value).unwrap()
}

/// The place of a statement in its policy is another with each read, too.
fn place(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(place),
        Value::Object(entries) => {
            if entries.contains_key("sid")
                && let Some(index) = entries.get_mut("index")
            {
                *index = json!(0);
            }
            entries.values_mut().for_each(place);
        }
        _ => {}
    }
}

fn order(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(order);
            list.sort_by_key(Value::to_string);
        }
        Value::Object(entries) => {
            entries.values_mut().for_each(order);
            entries.sort_keys();
        }
        _ => {}
    }
}

impl Fleet {
    pub(super) fn new(accounts: usize) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::default()).unwrap();
        let tools = AccountId::new(seed::TOOLS).unwrap();
        sandbox.add_account(&AccountName::new("tools").unwrap(), &tools);
        let home = sandbox.admin(&tools, seed::REGION);
        let service = trust(&json!({"Service": "codepipeline.amazonaws.com"}));
        for n in 0..accounts {
            let (name, account) = (format!("dev-{}", id(n)), AccountId::new(&id(n)).unwrap());
            sandbox.add_account(&AccountName::new(&name).unwrap(), &account);
            let dev = sandbox.admin(&account, seed::REGION);
            let root = json!({"AWS": format!("arn:aws:iam::{tools}:root")});
            dev.create_role("Deploy", &trust(&root)).unwrap();
            dev.put_role_policy("Deploy", "all", &all()).unwrap();
            let lambda = trust(&json!({"Service": "lambda.amazonaws.com"}));
            dev.create_role(seed::EXECUTION_ROLE, &lambda).unwrap();
            let role = format!("arn:aws:iam::{account}:role/{}", seed::EXECUTION_ROLE);
            dev.put_function("gate", &role, Code::Builtin(Builtin::Approve), &[])
                .unwrap();
            let role = format!("service-{n}");
            home.create_role(&role, &service).unwrap();
            let mut pipeline = seed::pipeline();
            pipeline["name"] = json!(format!("release-{name}"));
            pipeline["roleArn"] = json!(format!("arn:aws:iam::{tools}:role/{role}"));
            home.create_pipeline(&pipeline).unwrap();
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("crossgate.toml"), manifest(accounts)).unwrap();
        let variables = cli::variables(&sandbox, folder.path());
        Self {
            sandbox,
            folder,
            variables,
            accounts,
        }
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        cli::run(self.folder.path(), &self.variables, arguments)
    }

    /// A run, and the calls that it made by operation.
    fn counted(&self, arguments: &[&str]) -> (Run, BTreeMap<String, usize>) {
        let before = self.sandbox.calls().len();
        let run = self.run(arguments);
        let mut calls = BTreeMap::new();
        for call in self.sandbox.calls().into_iter().skip(before) {
            *calls.entry(call.operation).or_default() += 1;
        }
        (run, calls)
    }

    /// The command in parts, put together: what one run prints, and its exit code.
    fn divided(&self, arguments: &[&str], parts: usize) {
        let whole = self.run(&[arguments, &["--format", "json"]].concat());
        let mut merge = vec!["merge".to_owned(), "--format".to_owned(), "json".to_owned()];
        for part in 1..=parts {
            let partition = format!("hash:{part}/{parts}");
            let run =
                self.run(&[arguments, &["--format", "json", "--partition", &partition]].concat());
            run.ensure(
                run.json()["partition"] == partition.as_str(),
                "the report says its part",
            );
            let name = format!("part-{part}.json");
            fs::write(self.folder.path().join(&name), &run.stdout).unwrap();
            merge.push(name);
        }
        let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
        let merged = self.run(&merge);
        merged.exits(whole.code.unwrap());
        // What stands in AWS comes back in another order with each read; everything else is the same to the byte.
        merged.ensure(
            settled(&merged.stdout) == settled(&whole.stdout),
            &format!(
                "the whole of {parts} parts is not that of one run:\n{}",
                whole.dump()
            ),
        );
        // Without one of them it is not known.
        let lacking: Vec<&str> = merge
            .iter()
            .copied()
            .filter(|name| *name != "part-2.json")
            .collect();
        self.run(&lacking).exits(4).says("no report of hash:2/");
    }

    fn drift(&self) {
        let tools = AccountId::new(seed::TOOLS).unwrap();
        let home = self.sandbox.admin(&tools, seed::REGION);
        home.delete_role_policy("service-0", "crossgate-fleet-assume")
            .unwrap();
    }

    /// From nothing to drift, and the parts of each.
    fn story(&self, parts: usize) -> String {
        let mut told = String::new();
        let gates = self.accounts * CHECKS;
        let mut tell = |what: &str, run: &Run, calls: &BTreeMap<String, usize>| {
            let all: usize = calls.values().sum();
            let wall = run.wall.as_millis();
            writeln!(
                told,
                "{gates} gates: {what}: {wall} ms, {all} calls, {} KiB",
                run.peak_kib
            )
            .unwrap();
        };
        let (run, calls) = self.counted(&["bootstrap", "--yes"]);
        run.exits(0);
        assert_eq!(calls["CreateRole"], gates);
        assert_eq!(
            calls["UpdatePipeline"], self.accounts,
            "one update a pipeline"
        );
        tell("bootstrap", &run, &calls);
        let (run, calls) = self.counted(&["check"]);
        run.exits(0);
        assert_eq!(
            calls["AssumeRole"], self.accounts,
            "each account's credentials once"
        );
        assert_eq!(calls["GetPipeline"], self.accounts);
        // One list of the roles of each account, and of the tools account where it has many.
        let listed = self.accounts > 16;
        let lists = self.accounts + usize::from(listed);
        assert_eq!(calls["GetAccountAuthorizationDetails"], lists);
        let singly = calls.get("GetRolePolicy").copied().unwrap_or(0);
        assert_eq!(singly, if listed { 0 } else { self.accounts });
        let fewest = 4 * self.accounts + 1 + self.accounts;
        assert_eq!(
            calls.values().sum::<usize>(),
            fewest + usize::from(listed) + singly
        );
        tell("check in sync", &run, &calls);
        let (run, calls) = self.counted(&["verify"]);
        run.exits_one_of(&[0, 4]);
        tell("verify", &run, &calls);
        let (run, calls) = self.counted(&["check", "--partition", "hash:1/8"]);
        run.exits(0);
        tell("check of hash:1/8", &run, &calls);
        self.divided(&["check"], parts);
        self.drift();
        let (run, calls) = self.counted(&["check"]);
        run.exits(3).says(
            "check0-dev-300000000000, check1-dev-300000000000, check2-dev-300000000000 and 7 more",
        );
        tell("check with one drift", &run, &calls);
        self.divided(&["check"], parts);
        self.divided(&["plan", "--teardown"], parts);
        told
    }
}

#[test]
fn a_hundred_gates_from_a_short_manifest_whole_and_divided() {
    let fleet = Fleet::new(10);
    fleet.story(3);
    fleet.divided(&["verify"], 2);
    fleet.divided(&["check", "--verify"], 2);
    let (run, calls) = fleet.counted(&["check", "--gate", "check1-*00[2]", "--format", "json"]);
    run.exits(2);
    assert!(calls.is_empty(), "a pattern that fits nothing asks nothing");
    fleet
        .run(&["check", "--gate", "chek1-*"])
        .exits(2)
        .says("did you mean `check1-*`?");
    let run = fleet.run(&["check", "--gate", "check1-*", "--format", "json"]);
    assert_eq!(run.json()["gates"].as_array().unwrap().len(), 10);
    fleet
        .run(&["check", "--partition", "2/8"])
        .exits(2)
        .says("hash:2/8");
}

#[test]
fn partitions_that_would_write_one_pipeline_are_refused() {
    let fleet = Fleet::new(4);
    let text = manifest(4)
        .replace(
            "name = \"release-{account}\"",
            "name = \"release-dev-300000000000\"",
        )
        .replace("action = \"{check}\"", "action = \"{check}-{account}\"");
    fs::write(fleet.folder.path().join("crossgate.toml"), text).unwrap();
    let before = fleet.sandbox.snapshot();
    let refused = ["hash:1/2", "hash:2/2"].map(|part| {
        let run = fleet.run(&[
            "bootstrap",
            "--yes",
            "--partition",
            part,
            "--format",
            "json",
        ]);
        run.exits(1);
        let problems = run.json()["problems"].clone();
        problems[0]["code"] == "partition_shared"
            && problems[0]["gates"].as_array().unwrap().len() == 40
    });
    assert_eq!(refused, [true, true]);
    assert_eq!(fleet.sandbox.snapshot(), before, "nothing was written");
    fleet.divided(&["plan"], 2);
}

#[test]
fn partitions_that_share_nothing_may_write() {
    let fleet = Fleet::new(4);
    for part in ["hash:1/2", "hash:2/2"] {
        fleet
            .run(&["bootstrap", "--yes", "--partition", part])
            .exits(0);
    }
    fleet.run(&["check"]).exits(0);
    for part in ["hash:2/2", "hash:1/2"] {
        fleet
            .run(&["teardown", "--yes", "--partition", part])
            .exits(0);
    }
}

#[test]
#[ignore = "a minute without optimisation; prints numbers"]
#[allow(clippy::print_stdout)]
fn a_thousand_gates() {
    let fleet = Fleet::new(100);
    println!("{}", fleet.story(8));
}
