//! A fleet in the embedded AWS: accounts, pipelines, functions and roles as they are before crossgate comes, and the manifest.
//! Up to ten gates stand in a pipeline and up to a hundred accounts have functions; all pipelines are in one account more.
//!
//! Service roles and execution roles have a policy of their own, as they have wherever something was deployed with them.
//!
//! Shared are what fleets share: a pipeline's service role by its gates, a function and its execution role by its account's gates. The
//! invoke role is each gate's own, which is the manifest's default. One gate has a profile for each account; more reach the
//! functions' accounts through a role, as fleets do.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crossgate::model::account::{AccountId, AccountName};
use crossgate::sandbox::{Builtin, CallRecord, Code, Faults, Sandbox, SandboxOptions, seed};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Gates in a pipeline, and accounts with functions, at most.
const CHECKS: usize = 10;
const ACCOUNTS: usize = 100;

/// How so many gates are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) accounts: usize,
    /// Pipelines of each account's function.
    pub(crate) lines: usize,
    /// Gates in each pipeline.
    pub(crate) checks: usize,
}

impl Shape {
    pub(crate) fn of(gates: usize) -> Self {
        let checks = gates.min(CHECKS);
        let pipelines = gates.div_ceil(checks);
        let accounts = pipelines.min(ACCOUNTS);
        let shape = Self {
            accounts,
            lines: pipelines.div_ceil(accounts),
            checks,
        };
        assert_eq!(
            shape.gates(),
            gates,
            "{gates} gates cannot be laid out evenly"
        );
        shape
    }

    pub(crate) fn gates(self) -> usize {
        self.accounts * self.lines * self.checks
    }

    pub(crate) fn pipelines(self) -> usize {
        self.accounts * self.lines
    }

    /// One gate has profiles for both accounts.
    pub(crate) fn is_assumed(self) -> bool {
        self.gates() > 1
    }
}

/// The fleet, its manifest, and the environment of a run.
pub(crate) struct Fleet {
    sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
}

fn id(n: usize) -> String {
    format!("{:012}", 300_000_000_000_u64 + u64::try_from(n).unwrap())
}

fn allow(principal: Option<&Value>, action: &str) -> String {
    let mut statement = json!({"Effect": "Allow", "Action": action});
    match principal {
        Some(principal) => statement["Principal"] = principal.clone(),
        None => statement["Resource"] = json!("*"),
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn service(name: &str) -> String {
    let principal = json!({"Service": format!("{name}.amazonaws.com")});
    allow(Some(&principal), "sts:AssumeRole")
}

impl Fleet {
    pub(crate) fn new(shape: Shape, options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(options).unwrap();
        let tools = AccountId::new(seed::TOOLS).unwrap();
        sandbox.add_account(&AccountName::new("tools").unwrap(), &tools);
        let home = sandbox.admin(&tools, seed::REGION);
        for n in 0..shape.accounts {
            let (name, account) = (format!("dev-{}", id(n)), AccountId::new(&id(n)).unwrap());
            sandbox.add_account(&AccountName::new(&name).unwrap(), &account);
            let dev = sandbox.admin(&account, seed::REGION);
            let root = json!({"AWS": format!("arn:aws:iam::{tools}:root")});
            dev.create_role("Deploy", &allow(Some(&root), "sts:AssumeRole"))
                .unwrap();
            dev.put_role_policy("Deploy", "all", &allow(None, "*"))
                .unwrap();
            dev.create_role(seed::EXECUTION_ROLE, &service("lambda"))
                .unwrap();
            dev.put_role_policy(seed::EXECUTION_ROLE, "logs", &allow(None, "logs:*"))
                .unwrap();
            let role = format!("arn:aws:iam::{account}:role/{}", seed::EXECUTION_ROLE);
            dev.put_function("gate", &role, Code::Builtin(Builtin::Approve), &[])
                .unwrap();
            for line in 0..shape.lines {
                let role = format!("service-{line}-{n}");
                home.create_role(&role, &service("codepipeline")).unwrap();
                home.put_role_policy(&role, "artifacts", &allow(None, "s3:*"))
                    .unwrap();
                let mut pipeline = seed::pipeline();
                pipeline["name"] = json!(format!("release-{line}-{name}"));
                pipeline["roleArn"] = json!(format!("arn:aws:iam::{tools}:role/{role}"));
                home.create_pipeline(&pipeline).unwrap();
            }
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("crossgate.toml"), manifest(shape)).unwrap();
        let files = sandbox.config_files(folder.path()).unwrap();
        let own = files
            .variables()
            .map(|(name, value)| (name.to_owned(), value));
        let mut variables = BTreeMap::from(own);
        variables.insert("HOME".to_owned(), folder.path().display().to_string());
        Self {
            sandbox,
            folder,
            variables,
        }
    }

    /// Every answer waits so long from now on.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.sandbox.set_faults(Faults {
            latency,
            ..Faults::default()
        });
    }

    /// Somebody takes the policy of ours from one pipeline's service role.
    pub(crate) fn drift(&self) {
        let tools = AccountId::new(seed::TOOLS).unwrap();
        let home = self.sandbox.admin(&tools, seed::REGION);
        home.delete_role_policy("service-0-0", "crossgate-fleet-assume")
            .unwrap();
    }

    /// The calls since they were last taken; the sandbox forgets the oldest when they become very many.
    pub(crate) fn take_calls(&self) -> Vec<CallRecord> {
        self.sandbox.take_calls()
    }
}

fn quoted(names: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

fn manifest(shape: Shape) -> String {
    let reached = if shape.is_assumed() {
        "assume_role = \"arn:aws:iam::{id}:role/Deploy\"\nvia = \"tools\"".to_owned()
    } else {
        format!("profile = \"dev-{}\"", id(0))
    };
    format!(
        r#"project = "fleet"

[accounts.tools]
id = "{tools}"
profile = "tools"

[accounts."dev-{{id}}"]
ids = [{ids}]
{reached}

[defaults.pipeline]
account = "tools"
region = "{region}"
stage = "Checks"
after = "Deploy"
[defaults.invoke_role]
tags = {{ team = "platform" }}

[[gates]]
name = "{{check}}-{{line}}-{{account}}"
for_each = {{ account = "dev-*", line = [{lines}], check = [{checks}] }}
[gates.pipeline]
name = "release-{{line}}-{{account}}"
action = "{{check}}"
user_parameters = {{ account = "{{account.id}}" }}
[gates.function]
account = "{{account}}"
name = "gate"
"#,
        tools = seed::TOOLS,
        region = seed::REGION,
        ids = quoted((0..shape.accounts).map(id)),
        lines = quoted((0..shape.lines).map(|n| n.to_string())),
        checks = quoted((0..shape.checks).map(|n| format!("check{n}"))),
    )
}
