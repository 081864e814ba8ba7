//! `demo`: the whole story on the embedded AWS, in a few seconds, with the commands that a person would type.
//! Each command is this very program, run as a process of its own against the sandbox: nothing here takes a short cut.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::DemoArgs;
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::output::story::Story;
use crate::sandbox::{Builtin, ClockMode, ConfigFiles, Sandbox, SandboxOptions, seed};

use super::stdout_style;

/// How long a reader gets for a scene, on a terminal and without `--fast`.
const PAUSE: Duration = Duration::from_millis(1500);

/// The longest that the execution by hand may take, real time: the sandbox's clock jumps, so it is done at once.
const LOOKS: u32 = 200;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The policy on the execution role that the demo breaks.
const CALLBACK: &str = "crossgate-demo-callback";

struct Demo {
    sandbox: Sandbox,
    accounts: seed::Accounts,
    folder: tempfile::TempDir,
    files: ConfigFiles,
    program: PathBuf,
    story: Story,
    pause: Option<Duration>,
}

pub(super) fn run(args: &DemoArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let DemoArgs { fast } = args;
    let folder = tempfile::tempdir().context("a folder for the demo cannot be made")?;
    let sandbox = Sandbox::start(SandboxOptions {
        clock: ClockMode::Jump,
        ..SandboxOptions::default()
    })?;
    let accounts = seed::approving(&sandbox)?;
    let files = sandbox.config_files(folder.path())?;
    std::fs::write(folder.path().join("crossgate.toml"), seed::manifest())
        .context("the demo's manifest cannot be written")?;
    let mut demo = Demo {
        sandbox,
        accounts,
        folder,
        files,
        program: std::env::current_exe().context("this program does not know where it is")?,
        story: Story::new(&stdout_style(environment)),
        pause: (environment.stdout_is_terminal && !fast).then_some(PAUSE),
    };
    demo.tell()?;
    Ok(ExitCode::Success)
}

impl Demo {
    fn tell(&mut self) -> anyhow::Result<()> {
        let before = self.sandbox.snapshot();
        self.by_hand()?;
        self.bootstrap()?;
        self.decide()?;
        self.drift()?;
        self.teardown(&before)
    }

    fn by_hand(&mut self) -> anyhow::Result<()> {
        self.scene(
            "By hand",
            "Two accounts on this machine: tools (111111111111) has the pipeline, dev (222222222222) the function. Somebody \
             puts the function into the pipeline as if it were in its own account: the console offers nothing else.",
        )?;
        let original = self.pipeline()?;
        self.update_pipeline(&seed::unwired_pipeline(seed::PIPELINE))?;
        let failure = self.execute_by_hand()?;
        self.story
            .aside(&format!("The pipeline runs, and the gate fails: {failure}"))?;
        self.story
            .aside("Why? The chain is proven from the policies as they are:")?;
        self.crossgate(&["verify"], 3, "a hop is refuted")?;
        self.update_pipeline(&original)?;
        self.story.aside("The edit is taken back.")?;
        Ok(())
    }

    fn bootstrap(&mut self) -> anyhow::Result<()> {
        self.scene(
            "Bootstrap",
            "crossgate.toml says which function is the gate of which pipeline. One command makes the role, the policies in \
             both accounts, and the action in the pipeline.",
        )?;
        self.crossgate(&["bootstrap", "--yes"], 0, "done")?;
        self.crossgate(&["verify"], 0, "every hop is proven")
    }

    fn decide(&mut self) -> anyhow::Result<()> {
        self.scene(
            "The gate says yes",
            "The function approves, and the pipeline goes on.",
        )?;
        self.function(Builtin::Approve)?;
        self.crossgate(&["run"], 0, "the gate passed")?;
        self.scene(
            "The gate says no",
            "The function finds something, and the pipeline stops with its message.",
        )?;
        self.function(Builtin::Reject)?;
        self.crossgate(&["run"], 3, "the gate said no")?;
        self.scene(
            "The gate says nothing",
            "The function runs and never calls back. CodePipeline waits for 20 minutes, which this sandbox's clock skips.",
        )?;
        self.function(Builtin::Silent)?;
        self.crossgate(&["run"], 3, "the gate failed: it never called back")?;
        self.function(Builtin::Approve)
    }

    fn drift(&mut self) -> anyhow::Result<()> {
        self.scene(
            "Drift",
            "Somebody tidies up in dev and deletes the policy with which the function answers. The next release would hang; \
             the check in CI finds it first.",
        )?;
        self.sandbox
            .admin(&self.accounts.dev, seed::REGION)
            .delete_role_policy(seed::EXECUTION_ROLE, CALLBACK)?;
        self.crossgate(&["check"], 3, "drift")?;
        self.crossgate(
            &["bootstrap", "--yes"],
            0,
            "done: only what differs is written",
        )?;
        self.crossgate(&["check"], 0, "in sync")
    }

    fn teardown(&mut self, before: &Value) -> anyhow::Result<()> {
        self.scene("Teardown", "All of it goes again, and nothing else.")?;
        self.crossgate(&["teardown", "--yes"], 0, "done")?;
        if self.sandbox.snapshot() != *before {
            bail!("the accounts are not as they were before: this is a mistake in crossgate");
        }
        self.story.aside(
            "Both accounts were compared, value for value: every role, policy and pipeline is as it was before.",
        )?;
        Ok(())
    }

    fn scene(&mut self, title: &str, about: &str) -> anyhow::Result<()> {
        if let Some(pause) = self.pause {
            std::thread::sleep(pause);
        }
        Ok(self.story.scene(title, about)?)
    }

    /// Runs this program with the sandbox's accounts, and insists on how it ends.
    fn crossgate(&self, arguments: &[&str], expected: i32, meaning: &str) -> anyhow::Result<()> {
        self.story.command(arguments)?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        // Nothing of the caller's AWS set-up may reach the demo, and nothing of the demo a real account.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("AWS_") || text.starts_with("CROSSGATE_") {
                command.env_remove(&name);
            }
        }
        command.envs(self.files.variables());
        let status = command.status().context("crossgate cannot run itself")?;
        let code = status.code().unwrap_or(-1);
        if code != expected {
            bail!(
                "`crossgate {}` ended with {code}, {expected} was expected: this is a mistake in crossgate",
                arguments.join(" ")
            );
        }
        Ok(self.story.ended(code, meaning)?)
    }

    fn function(&self, builtin: Builtin) -> anyhow::Result<()> {
        let dev = self.sandbox.admin(&self.accounts.dev, seed::REGION);
        Ok(dev.set_builtin(seed::FUNCTION, builtin)?)
    }

    fn pipeline(&self) -> anyhow::Result<Value> {
        let tools = self.sandbox.admin(&self.accounts.tools, seed::REGION);
        let mut answer = tools.codepipeline("GetPipeline", &json!({"name": seed::PIPELINE}))?;
        Ok(answer["pipeline"].take())
    }

    fn update_pipeline(&self, pipeline: &Value) -> anyhow::Result<()> {
        let tools = self.sandbox.admin(&self.accounts.tools, seed::REGION);
        tools.codepipeline("UpdatePipeline", &json!({"pipeline": pipeline}))?;
        Ok(())
    }

    /// Starts the pipeline and waits for its end; answers why it failed.
    fn execute_by_hand(&self) -> anyhow::Result<String> {
        let tools = self.sandbox.admin(&self.accounts.tools, seed::REGION);
        let id = tools.start_pipeline(seed::PIPELINE)?;
        for _ in 0..LOOKS {
            if tools.execution_status(seed::PIPELINE, &id)? != "InProgress" {
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let actions = tools.actions(seed::PIPELINE, &id)?;
        let error = actions
            .iter()
            .map(|action| &action["output"]["executionResult"]["errorDetails"]["message"])
            .find_map(Value::as_str);
        error
            .map(str::to_owned)
            .context("the execution by hand did not fail: this is a mistake in crossgate's sandbox")
    }
}
