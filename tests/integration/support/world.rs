//! Two accounts of a test's own, seeded as a team would have them before it hears of crossgate, and the way in for the binary.
//! Seeds with plain SDK clients; what the cases do with it is theirs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::account::Account;
use super::cli::{self, Run};
use super::emulators::emulators;
use super::manifest::{Gate, Manifest};
use super::pipeline::{self, Pipelines};
use super::proxy::{Proxy, Upstream};
use super::snapshot;

/// The pipeline's service role, with the path that the console gives it.
pub(crate) const SERVICE_ROLE: &str = "AWSCodePipelineServiceRole-MyPipeline";
/// The function's execution role, with the path that the console gives it.
pub(crate) const EXECUTION_ROLE: &str = "MyFunction-role-x1";
/// The path of both.
pub(crate) const PATH: &str = "service-role";
/// The function.
pub(crate) const FUNCTION: &str = "MyFunction";
/// The pipeline.
pub(crate) const PIPELINE: &str = "MyPipeline";
/// The invoke role of the first gate.
pub(crate) const INVOKE_ROLE: &str = "DevAccount-CodePipeline-InvokeRole";
/// The stage and the action of the first gate.
pub(crate) const STAGE: &str = "InvokeValidationLambda";
pub(crate) const ACTION: &str = "RunValidation";
/// The project of the first manifest, and its policies.
pub(crate) const PROJECT: &str = "checkout";
pub(crate) const INVOKE_POLICY: &str = "crossgate-checkout-invoke";
pub(crate) const CALLBACK_POLICY: &str = "crossgate-checkout-callback";
pub(crate) const ASSUME_POLICY: &str = "crossgate-checkout-assume";

/// Which emulator plays which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// ministack for IAM, STS and Lambda, with enforcement; moto for `CodePipeline`. Profiles with keys of each account.
    Combined,
    /// moto for everything. Profiles with `role_arn` and `source_profile`.
    MotoAlone,
}

/// Two accounts, and everything to run the binary against them.
pub(crate) struct World {
    mode: Mode,
    /// The pipeline's account, its root.
    pub(crate) tools: Account,
    /// The function's account, its root.
    pub(crate) dev: Account,
    /// The pipelines of tools.
    pub(crate) pipelines: Pipelines,
    /// Between the binary and the emulators.
    pub(crate) proxy: Proxy,
    /// What the binary gets as its environment.
    pub(crate) variables: BTreeMap<String, String>,
    folder: TempDir,
}

/// Not recorded: the way of the tests' own SDK clients to moto, which needs its account header.
fn moto_admin() -> &'static Proxy {
    static ADMIN: OnceLock<Proxy> = OnceLock::new();
    ADMIN.get_or_init(|| {
        let moto = Upstream::Moto(emulators().moto);
        Proxy::start(moto, moto)
    })
}

impl World {
    /// Two new accounts, with everything that a gate needs, and a manifest of one gate.
    pub(crate) fn new() -> Self {
        let world = Self::empty(Mode::Combined);
        world.seed();
        world.write(&world.manifest());
        world
    }

    /// The same with moto alone.
    pub(crate) fn moto_alone() -> Self {
        let world = Self::empty(Mode::MotoAlone);
        world.seed();
        world.write(&world.manifest());
        world
    }

    /// Two new accounts without anything.
    pub(crate) fn empty(mode: Mode) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        Self::of(mode, &format!("1110000{n:05}"), &format!("2220000{n:05}"))
    }

    /// moto alone, `tools` being the management account of an organization that `dev` was made in.
    pub(crate) fn organized() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        let id = format!("3330000{n:05}");
        let runtime: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let tools = Account::root(&id, moto_admin().port, &Rc::new(runtime));
        tools.run(tools.organizations.create_organization().send());
        let account = tools.organizations.create_account();
        let made = tools.run(account.account_name("dev").email("dev@example.com").send());
        let dev = made.create_account_status.unwrap().account_id.unwrap();
        let world = Self::of(Mode::MotoAlone, &id, &dev);
        world.seed();
        world.write(&world.manifest());
        world
    }

    fn of(mode: Mode, tools: &str, dev: &str) -> Self {
        let servers = emulators();
        let moto = Upstream::Moto(servers.moto);
        let (proxy, admin) = match mode {
            Mode::Combined => (
                Proxy::start(Upstream::Ministack(servers.ministack), moto),
                servers.ministack,
            ),
            Mode::MotoAlone => (Proxy::start(moto, moto), moto_admin().port),
        };
        let runtime: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let runtime = Rc::new(runtime);
        let mut world = Self {
            mode,
            tools: Account::root(tools, admin, &runtime),
            dev: Account::root(dev, admin, &runtime),
            pipelines: Pipelines::new(servers.moto, tools),
            proxy,
            variables: BTreeMap::new(),
            folder: TempDir::new().unwrap(),
        };
        world.set_variables();
        world.write_profiles(&world.profiles());
        world
    }

    fn set_variables(&mut self) {
        let folder = self.folder.path().display().to_string();
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let variables = [
            ("HOME", folder.clone()),
            ("AWS_CONFIG_FILE", format!("{folder}/aws-config")),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ENDPOINT_URL", url(self.proxy.port)),
            (
                "AWS_ENDPOINT_URL_CODEPIPELINE",
                url(self.proxy.codepipeline_port),
            ),
        ];
        self.variables = variables.map(|(key, value)| (key.to_owned(), value)).into();
    }

    /// The profiles `tools` and `dev`, and `base` where they need one.
    pub(crate) fn profiles(&self) -> String {
        let mut text = String::new();
        if self.mode == Mode::MotoAlone {
            text.push_str("[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = test\nregion = us-east-1\n");
        }
        for (name, account) in [("tools", &self.tools), ("dev", &self.dev)] {
            let id = &account.id;
            let profile = match self.mode {
                Mode::Combined => format!(
                    "[profile {name}]\naws_access_key_id = {id}\naws_secret_access_key = test\nregion = us-east-1\n"
                ),
                Mode::MotoAlone => format!(
                    "[profile {name}]\nrole_arn = arn:aws:iam::{id}:role/Admin\nsource_profile = base\nregion = us-east-1\n"
                ),
            };
            text.push_str(&profile);
        }
        text
    }

    /// Replaces the AWS config file.
    pub(crate) fn write_profiles(&self, text: &str) {
        fs::write(self.folder.path().join("aws-config"), text).unwrap();
    }

    /// The folder in which the binary runs.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Everything that a gate stands on: roles with policies of their own, the function, the pipeline.
    pub(crate) fn seed(&self) {
        self.seed_roles();
        self.dev
            .create_function(FUNCTION, &self.execution_role_arn());
        self.pipelines
            .create(&pipeline::plain(PIPELINE, &self.service_role_arn()));
    }

    /// The two roles, each with a policy that is none of crossgate's business.
    pub(crate) fn seed_roles(&self) {
        let service = json!({"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"});
        let somebody = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", self.tools.id)}, "Action": "sts:AssumeRole"});
        // No emulator is CodePipeline: a principal that can be one must be able to take the service role.
        let statements = match self.mode {
            Mode::Combined => json!([service, somebody]),
            Mode::MotoAlone => json!([service]),
        };
        let name = format!("{PATH}/{SERVICE_ROLE}");
        self.tools.create_role(
            &name,
            &json!({"Version": "2012-10-17", "Statement": statements}),
        );
        self.tools.put_policy(
            SERVICE_ROLE,
            "artifacts",
            &unrelated("s3:GetObject", "arn:aws:s3:::artifacts-of-tools/*"),
        );
        if self.mode == Mode::Combined {
            // moto makes a pipeline only where its own IAM has the service role.
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let there = Account::root(&self.tools.id, moto_admin().port, &Rc::new(runtime));
            there.create_role(
                &name,
                &json!({"Version": "2012-10-17", "Statement": [service]}),
            );
        }
        let lambda = json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
        let trust = json!({"Version": "2012-10-17", "Statement": [lambda]});
        self.dev
            .create_role(&format!("{PATH}/{EXECUTION_ROLE}"), &trust);
        self.dev
            .put_policy(EXECUTION_ROLE, "logs", &unrelated("logs:PutLogEvents", "*"));
    }

    /// The service role's ARN.
    pub(crate) fn service_role_arn(&self) -> String {
        self.tools.role_arn(&format!("{PATH}/{SERVICE_ROLE}"))
    }

    /// The execution role's ARN.
    pub(crate) fn execution_role_arn(&self) -> String {
        self.dev.role_arn(&format!("{PATH}/{EXECUTION_ROLE}"))
    }

    /// A function's ARN.
    pub(crate) fn function_arn(&self, name: &str) -> String {
        format!("arn:aws:lambda:us-east-1:{}:function:{name}", self.dev.id)
    }

    /// The first gate.
    pub(crate) fn gate() -> Gate {
        Gate {
            name: "validate".to_owned(),
            pipeline: PIPELINE.to_owned(),
            stage: STAGE.to_owned(),
            action: ACTION.to_owned(),
            place: "after = \"Deploy\"".to_owned(),
            function: FUNCTION.to_owned(),
            more_function: String::new(),
            role: INVOKE_ROLE.to_owned(),
            more_pipeline: String::new(),
            more_role: String::new(),
        }
    }

    /// A manifest of the first gate.
    pub(crate) fn manifest(&self) -> Manifest {
        self.manifest_of(PROJECT, vec![Self::gate()])
    }

    /// A manifest of these gates.
    pub(crate) fn manifest_of(&self, project: &str, gates: Vec<Gate>) -> Manifest {
        Manifest {
            project: project.to_owned(),
            tools: self.tools.id.clone(),
            dev: self.dev.id.clone(),
            reach_dev: "profile = \"dev\"".to_owned(),
            gates,
        }
    }

    /// Writes `crossgate.toml`.
    pub(crate) fn write(&self, manifest: &Manifest) {
        self.write_file("crossgate.toml", &manifest.toml());
    }

    /// Writes any file beside it.
    pub(crate) fn write_file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs the binary.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.proxy.take_calls();
        let mut run = cli::run(self.folder.path(), &self.variables, arguments);
        run.calls = self.proxy.take_calls();
        if std::env::var_os("CROSSGATE_TEST_TRACE").is_some() {
            trace(&run);
        }
        run
    }

    /// Runs a command with `--format json`.
    pub(crate) fn json(&self, command: &str, more: &[&str]) -> Run {
        let mut arguments = vec![command, "--format", "json"];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// `bootstrap --yes`.
    pub(crate) fn bootstrap(&self, more: &[&str]) -> Run {
        self.json("bootstrap", &[&["--yes"], more].concat())
    }

    /// `teardown --yes`.
    pub(crate) fn teardown(&self, more: &[&str]) -> Run {
        self.json("teardown", &[&["--yes"], more].concat())
    }

    /// `check`.
    pub(crate) fn check(&self) -> Run {
        self.json("check", &[])
    }

    /// `plan`.
    pub(crate) fn plan(&self) -> Run {
        self.json("plan", &[])
    }

    /// Everything that is there.
    pub(crate) fn snapshot(&self) -> Value {
        let of_dev = Pipelines::new(self.pipelines.moto, &self.dev.id);
        json!({
            "tools": snapshot::of(&self.tools, &self.pipelines),
            "dev": snapshot::of(&self.dev, &of_dev),
        })
    }

    /// The pipeline as it is.
    pub(crate) fn pipeline(&self) -> Value {
        self.pipelines.get(PIPELINE)
    }
}

/// Shows a run to the person who asked for it with `CROSSGATE_TEST_TRACE=1 cargo test … -- --nocapture`.
#[allow(clippy::print_stderr)]
fn trace(run: &Run) {
    eprintln!(
        "{}\nwall {} ms, peak {} KiB\n",
        run.dump(),
        run.wall.as_millis(),
        run.peak_kib
    );
}

/// A policy of one statement that allows one thing.
pub(crate) fn unrelated(action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "Ours", "Effect": "Allow", "Action": [action], "Resource": resource}]})
        .to_string()
}
