//! The scenes: accounts and manifest at the start, a command, and what an undisturbed run makes of it.
//! Nothing is disturbed here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crossgate::sandbox::{Asked, Fate, seed};
use serde_json::Value;

use super::calls::{CallId, Counter};
use super::stage::{BY_HAND, QA, Stage};

pub(super) type Files = BTreeMap<String, String>;

/// A command in a state of the accounts.
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// The accounts, as the sandbox keeps them.
    pub(super) start: String,
    pub(super) files: Files,
    pub(super) command: Vec<&'static str>,
    /// How a look at the manifest's gates is taken after a disturbance.
    pub(super) check: Vec<&'static str>,
    /// All accounts before and after the undisturbed run.
    pub(super) before: Value,
    pub(super) target: Value,
    /// All accounts as `check` finds them in sync.
    pub(super) wanted: Value,
    /// The exit of the undisturbed run.
    pub(super) exit: i32,
    /// What the undisturbed run asks of AWS.
    pub(super) calls: Vec<CallId>,
}

impl Scene {
    pub(super) fn writes(&self) -> bool {
        self.command.first() != Some(&"check")
    }
}

const ACCOUNTS: &str = r#"project = "shop"
[accounts.tools]
id = "111111111111"
profile = "tools"
[accounts.dev]
id = "222222222222"
profile = "dev"
[accounts.qa]
id = "333333333333"
profile = "qa"
"#;

/// A gate: pipeline, stage, place, more lines of the pipeline, function, its account, more lines of it, the rest.
struct Gate {
    name: &'static str,
    pipeline: &'static str,
    stage: &'static str,
    more: &'static str,
    function: (&'static str, &'static str),
    making: &'static str,
    rest: &'static str,
}

impl Gate {
    fn toml(&self) -> String {
        let Self {
            name,
            pipeline,
            stage,
            more,
            function: (account, function),
            making,
            rest,
        } = self;
        format!(
            "[[gates]]\nname = \"{name}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\nname = \"{pipeline}\"\n\
             stage = \"{stage}\"\naction = \"Ask-{name}\"\n{more}\n[gates.function]\naccount = \"{account}\"\nname = \"{function}\"\n\
             {making}\n{rest}\n"
        )
    }
}

const SHARED_ROLE: &str = "[gates.invoke_role]\nname = \"shared-invoke\"\n";
const MANAGE: &str = "[gates.artifacts]\nmanage = true\n";
const MAKING: &str = "source = \"lambda\"\nruntime = \"python3.13\"\nhandler = \"gate.handler\"\n";
const MAKING_ANEW: &str = "source = \"lambda\"\nruntime = \"python3.13\"\nhandler = \"gate.handler\"\ntimeout_seconds = 30\ntags = { team = \"x\" }\n";

const fn gate(
    name: &'static str,
    pipeline: &'static str,
    stage: &'static str,
    more: &'static str,
) -> Gate {
    Gate {
        name,
        pipeline,
        stage,
        more,
        function: ("dev", seed::FUNCTION),
        making: "",
        rest: SHARED_ROLE,
    }
}

fn manifest(gates: &[Gate], code: &str) -> Files {
    let gates: String = gates.iter().map(Gate::toml).collect();
    Files::from([
        ("crossgate.toml".to_owned(), format!("{ACCOUNTS}{gates}")),
        (
            "lambda/gate.py".to_owned(),
            format!("def handler(event, context):\n    return {code}\n"),
        ),
    ])
}

/// Gates that share an invoke role, a function, a stage, both pipelines and the service role; one with artifacts, one whose
/// function is made, one that is going to leave.
fn old() -> Files {
    let after = "after = \"Deploy\"";
    manifest(
        &[
            Gate {
                more: "after = \"Deploy\"\nuser_parameters = \"loose\"",
                ..gate("first", seed::PIPELINE, "Gate", after)
            },
            gate("second", seed::PIPELINE, "Gate", after),
            Gate {
                function: ("dev", "Second"),
                rest: MANAGE,
                ..gate(
                    "reads",
                    "Beta",
                    "Gate",
                    "after = \"Deploy\"\ninput_artifacts = [\"App\"]",
                )
            },
            Gate {
                function: ("qa", "Third"),
                rest: "",
                ..gate("leaves", "Beta", "Leaving", "before = \"Prod\"")
            },
            Gate {
                function: ("dev", "Made"),
                making: MAKING,
                rest: "",
                ..gate("made", seed::PIPELINE, "MadeGate", "before = \"Prod\"")
            },
        ],
        "1",
    )
}

/// Some gates changed, one gone, three joined: on a shared role, on a made function, and by itself in the third account.
fn new() -> Files {
    let after = "after = \"Deploy\"";
    manifest(
        &[
            gate(
                "first",
                seed::PIPELINE,
                "Gate",
                "after = \"Deploy\"\nuser_parameters = \"strict\"\nrun_order = 2",
            ),
            gate("second", seed::PIPELINE, "Gate", after),
            Gate {
                function: ("dev", "Second"),
                rest: "[gates.invoke_role]\ntags = { team = \"shop\" }\nlist_functions = false\n[gates.artifacts]\nmanage = true\n",
                ..gate(
                    "reads",
                    "Beta",
                    "Gate",
                    "after = \"Deploy\"\ninput_artifacts = [\"App\"]\noutput_artifacts = [\"Report\"]",
                )
            },
            Gate {
                function: ("dev", "Made"),
                making: MAKING_ANEW,
                rest: "",
                ..gate("made", seed::PIPELINE, "MadeGate", "before = \"Prod\"")
            },
            Gate {
                function: ("dev", "Second"),
                ..gate("joins", seed::PIPELINE, "Gate", after)
            },
            Gate {
                function: ("dev", "Made"),
                ..gate("again", "Beta", "Gate", after)
            },
            Gate {
                function: ("qa", "Third"),
                rest: "",
                ..gate("fresh", seed::PIPELINE, "Deploy", "run_order = 3")
            },
        ],
        "2",
    )
}

/// A gate on a role and an action that somebody made by hand.
fn by_hand() -> Files {
    let rest: &'static str = "[gates.invoke_role]\nname = \"invoke-by-hand\"\n";
    assert!(rest.contains(BY_HAND));
    let gate = Gate {
        rest,
        ..gate(
            "kept",
            "Gamma",
            "InvokeValidationLambda",
            "user_parameters = \"new\"",
        )
    };
    let mut files = manifest(&[gate], "1");
    let text = files.get_mut("crossgate.toml").unwrap();
    *text = text.replace("Ask-kept", "RunValidation");
    files
}

const CHECK: &[&str] = &["check", "--format", "json"];

/// Plays commands one after the other, undisturbed, and keeps a scene of each.
struct Play {
    stage: Stage,
    scenes: Vec<Scene>,
}

impl Play {
    /// Carries out a command where the stage is, and keeps it as a scene. `wanted`: none for what the command makes.
    fn scene(
        &mut self,
        name: &'static str,
        files: &Files,
        command: &[&'static str],
        wanted: Option<&Value>,
    ) -> Value {
        let start = self.stage.sandbox.save().unwrap();
        self.stage.set(&start, files);
        let before = self.stage.snapshot();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut counter) = (Arc::clone(&calls), Counter::default());
        self.stage.script(Box::new(move |asked: &Asked| {
            seen.lock().unwrap().push(counter.id(asked));
            Fate::Passes
        }));
        let mut command = command.to_vec();
        command.extend(["--format", "json"]);
        let run = self.stage.run(&command);
        self.stage.healthy();
        let exit = run.code.unwrap();
        run.ensure(exit == if name == "check of drift" { 3 } else { 0 }, name);
        let target = self.stage.snapshot();
        let mut calls = calls.lock().unwrap().clone();
        // Side by side, calls come in any order; the same sample is taken each time.
        calls.sort();
        let wanted = wanted.unwrap_or(&target).clone();
        let check = CHECK.to_vec();
        let scene = Scene {
            name,
            start,
            files: files.clone(),
            command,
            check,
            before,
            target: target.clone(),
            wanted,
            exit,
            calls,
        };
        self.scenes.push(scene);
        target
    }
}

/// All scenes.
pub(super) fn all() -> Vec<Scene> {
    let (old, new, by_hand) = (old(), new(), by_hand());
    let mut play = Play {
        stage: Stage::seeded(),
        scenes: Vec::new(),
    };
    let untouched = play.stage.snapshot();
    let wired = play.scene("bootstrap", &old, &["bootstrap", "--yes"], None);
    let wired_state = play.stage.sandbox.save().unwrap();
    play.scene(
        "teardown of some",
        &old,
        &["teardown", "--yes", "--gate", "first", "--gate", "made"],
        Some(&wired),
    );

    play.stage.set(&wired_state, &old);
    play.scene("prune", &new, &["prune", "--yes"], Some(&Value::Null));
    let changed = play.scene("mixed change", &new, &["bootstrap", "--yes"], None);
    let changed_state = play.stage.sandbox.save().unwrap();
    play.scene("check", &new, &["check", "--orphans"], Some(&changed));
    let torn = play.scene("teardown", &new, &["teardown", "--yes"], Some(&changed));
    assert_eq!(torn, untouched, "law 2");

    play.stage.set(&changed_state, &new);
    let dev = play.stage.sandbox.admin(
        &crossgate::model::account::AccountId::new(seed::DEV).unwrap(),
        seed::REGION,
    );
    dev.delete_role_policy(seed::EXECUTION_ROLE, "crossgate-shop-callback")
        .unwrap();
    let qa = play.stage.sandbox.admin(
        &crossgate::model::account::AccountId::new(QA).unwrap(),
        seed::REGION,
    );
    qa.put_role_policy("crossgate-shop-fresh", "wider", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#).unwrap();
    play.scene("check of drift", &new, &["check"], Some(&changed));

    let play = &mut play;
    play.stage = Stage::seeded();
    let before = play.stage.snapshot();
    let adopted = play.scene(
        "adoption",
        &by_hand,
        &["bootstrap", "--yes", "--adopt"],
        None,
    );
    let back = play.scene(
        "adoption undone",
        &by_hand,
        &["teardown", "--yes"],
        Some(&adopted),
    );
    assert_eq!(strip(back), strip(before), "law 2 of what was adopted");
    std::mem::take(&mut play.scenes)
}

/// The field of an adopted action that the manifest named stays as it was written: adoption keeps nothing of before.
fn strip(mut accounts: Value) -> Value {
    let pipelines = &mut accounts[seed::TOOLS]["pipelines"];
    if let Some(pipelines) = pipelines.as_object_mut() {
        pipelines.retain(|name, _| !name.contains("Gamma"));
    }
    accounts
}
