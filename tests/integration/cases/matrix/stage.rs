//! Three accounts of the embedded AWS with everything that the scenes need, and the binary beside them.
//! What the scenes do with it is theirs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crossgate::model::account::{AccountId, AccountName};
use crossgate::sandbox::{Asked, Builtin, ClockMode, Code, Sandbox, SandboxOptions, Script, seed};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::scenes::Scene;
use crate::support::cli::{self, Run};

pub(super) const QA: &str = "333333333333";
/// A role and an action that somebody made by hand.
pub(super) const BY_HAND: &str = "invoke-by-hand";

/// A sandbox, a folder with the manifest, and two environments.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    folder: TempDir,
    /// As the operator of each account.
    variables: BTreeMap<String, String>,
    /// As the root of each account, for runs that are killed: what they had sent and nobody had read yet is known by its key.
    doomed: BTreeMap<String, String>,
}

/// How the way of a call that was asked of is known for one that a killed run sent.
pub(super) fn is_doomed(asked: &Asked) -> bool {
    asked.key == asked.account
}

/// How a run ended that was to be killed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Killed {
    Yes,
    /// It ended before it made the call.
    TooLate,
}

impl Stage {
    /// Without any account.
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            // A function is ready at the next look.
            clock: ClockMode::Scaled(100_000),
            ..SandboxOptions::default()
        });
        Self {
            sandbox: sandbox.unwrap(),
            folder: TempDir::new().unwrap(),
            variables: BTreeMap::new(),
            doomed: BTreeMap::new(),
        }
    }

    /// With the accounts as they are before crossgate comes.
    pub(super) fn seeded() -> Self {
        let stage = Self::new();
        let code = Code::Builtin(Builtin::Approve);
        let accounts = seed::two_accounts(&stage.sandbox, code.clone()).unwrap();
        let qa = AccountId::new(QA).unwrap();
        let name = AccountName::new("qa").unwrap();
        stage.sandbox.add_account(&name, &qa);

        let tools = stage.sandbox.admin(&accounts.tools, seed::REGION);
        let key = tools.put_key("1111-22", None).unwrap();
        let bucket = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Tls", "Effect": "Deny", "Principal": "*",
            "Action": "s3:*", "Resource": "arn:aws:s3:::sample-artifacts/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
        tools
            .put_bucket("sample-artifacts", Some(&bucket.to_string()))
            .unwrap();
        let mut beta = seed::pipeline();
        beta["name"] = json!("Beta");
        beta["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": key});
        beta["fieldOfTomorrow"] = json!({"n": 1});
        tools.create_pipeline(&beta).unwrap();

        let dev = stage.sandbox.admin(&accounts.dev, seed::REGION);
        let execution = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
        dev.put_function("Second", &execution, code.clone(), &[])
            .unwrap();
        let of_qa = stage.sandbox.admin(&qa, seed::REGION);
        of_qa
            .create_role(
                "qa-execution",
                &trust(&json!({"Service": "lambda.amazonaws.com"})),
            )
            .unwrap();
        let execution = format!("arn:aws:iam::{QA}:role/qa-execution");
        of_qa.put_function("Third", &execution, code, &[]).unwrap();

        let role = format!("arn:aws:iam::{}:role/{BY_HAND}", seed::DEV);
        let root = format!("arn:aws:iam::{}:root", seed::TOOLS);
        dev.create_role(BY_HAND, &trust(&json!({ "AWS": root })))
            .unwrap();
        let allow = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}]});
        tools
            .put_role_policy(seed::SERVICE_ROLE, "by-hand", &allow.to_string())
            .unwrap();
        let mut gamma = seed::unwired_pipeline("Gamma");
        gamma["stages"][2]["actions"][0]["roleArn"] = json!(role);
        tools.create_pipeline(&gamma).unwrap();
        stage
    }

    /// Puts the accounts and the files where the scene begins.
    pub(super) fn set(&mut self, start: &str, files: &BTreeMap<String, String>) {
        self.sandbox.set_script(None);
        self.sandbox.restore(start).unwrap();
        let folder = self.folder.path();
        // Backups of the run before.
        let _ = fs::remove_dir_all(folder.join(".crossgate"));
        self.write(files);
        self.variables = cli::variables(&self.sandbox, folder);
        // A second attempt shows all that a fifth would, and costs a tenth of a second.
        let attempts = ("AWS_MAX_ATTEMPTS".to_owned(), "2".to_owned());
        self.variables.extend([attempts]);
        self.doomed = self.variables.clone();
        let endpoint = self.sandbox.endpoint();
        let profile = |(name, id): (&str, &str)| {
            format!(
                "[profile {name}]\nregion = us-east-1\nendpoint_url = {endpoint}\naws_access_key_id = {id}\n\
                 aws_secret_access_key = test\n"
            )
        };
        let accounts = [("tools", seed::TOOLS), ("dev", seed::DEV), ("qa", QA)];
        let root = folder.join("config-of-root");
        fs::write(&root, accounts.map(profile).join("\n")).unwrap();
        self.doomed
            .insert("AWS_CONFIG_FILE".to_owned(), root.display().to_string());
        let nowhere = "/dev/null".to_owned();
        self.doomed
            .insert("AWS_SHARED_CREDENTIALS_FILE".to_owned(), nowhere);
    }

    pub(super) fn write(&self, files: &BTreeMap<String, String>) {
        for (name, text) in files {
            let path = self.folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Runs the binary to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        cli::run(self.folder.path(), &self.variables, arguments)
    }

    /// Runs the scene's command until `struck` hears of the call, and then kills it (SIGKILL).
    pub(super) fn kill_at(&self, scene: &Scene, struck: &Receiver<()>) -> Killed {
        let mut child = Command::new(cli::binary())
            .args(&scene.command)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.doomed)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        loop {
            if struck.recv_timeout(Duration::from_millis(2)).is_ok() {
                child.kill().unwrap();
                child.wait().unwrap();
                return Killed::Yes;
            }
            if child.try_wait().unwrap().is_some() {
                return Killed::TooLate;
            }
        }
    }

    /// From now on the script says what becomes of each call.
    pub(super) fn script(&self, script: Script) {
        self.sandbox.set_script(Some(script));
    }

    pub(super) fn healthy(&self) {
        self.sandbox.set_script(None);
    }

    pub(super) fn snapshot(&self) -> Value {
        self.sandbox.snapshot()
    }
}

fn trust(principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
        .to_string()
}
