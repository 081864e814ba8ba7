//! Manifests that are made by chance, and one that was changed.
//! Test code only.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::function::{ExecutionRole, FunctionSpec, Variables};
use crate::model::name::RoleName;
use crate::model::wiring::Wiring;
use crate::world::random::Random;
use crate::world::{package, wiring};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gate {
    pub(super) name: String,
    pub(super) pipeline: &'static str,
    pub(super) stage: String,
    pub(super) action: String,
    pub(super) after: Option<&'static str>,
    /// The account of the function and of the invoke role.
    pub(super) account: &'static str,
    pub(super) function: &'static str,
    pub(super) role: Option<&'static str>,
    pub(super) parameters: Option<usize>,
    pub(super) reads: bool,
    pub(super) manage: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Manifest {
    pub(super) project: &'static str,
    pub(super) gates: Vec<Gate>,
}

/// The functions that a manifest makes; all others are there.
pub(super) const MADE: [&str; 2] = ["made", "made-too"];

const GATES: [(&str, &str, &str); 3] = [
    ("validate", "Gate", "RunValidation"),
    ("audit", "Audit", "Audit"),
    ("smoke", "Smoke", "Smoke"),
];

impl Gate {
    pub(super) fn new(at: usize, random: &mut Random) -> Self {
        let (name, stage, action) = GATES[at];
        let shares_stage = random.percent(30);
        let (account, function) = *random.pick(&[
            ("dev", "MyFunction"),
            ("dev", "MyFunction"),
            ("dev", "OtherFunction"),
            ("dev", "made"),
            ("dev", "made-too"),
            ("tools", "MyFunction"),
        ]);
        let reads = random.percent(25);
        Self {
            name: name.to_owned(),
            pipeline: *random.pick(&["MyPipeline", "MyPipeline", "OtherPipeline"]),
            stage: if shares_stage { "Prod" } else { stage }.to_owned(),
            action: action.to_owned(),
            after: (!shares_stage && random.percent(60)).then_some("Deploy"),
            account,
            function,
            role: random.percent(25).then_some("Shared"),
            parameters: random.percent(50).then_some(1),
            reads,
            manage: reads && random.percent(70),
        }
    }

    pub(super) fn role_name(&self, project: &str) -> String {
        match self.role {
            Some(role) => role.to_owned(),
            None => format!("crossgate-{project}-{}", self.name),
        }
    }

    pub(super) fn is_made(&self) -> bool {
        MADE.contains(&self.function)
    }
}

impl Manifest {
    pub(super) fn new(project: &'static str, random: &mut Random) -> Self {
        let mut gates: Vec<Gate> = (0..GATES.len()).map(|at| Gate::new(at, random)).collect();
        random.shuffle(&mut gates);
        gates.truncate(random.within(1, 3));
        Self { project, gates }
    }

    /// The manifest as somebody wrote it later: gates gone, moved, renamed, given other functions and roles, and new ones.
    pub(super) fn changed(&self, random: &mut Random) -> Self {
        let mut gates = self.gates.clone();
        if gates.len() > 1 && random.percent(50) {
            gates.remove(random.below(gates.len()));
        }
        for gate in &mut gates {
            match random.below(8) {
                0 => gate.action = format!("{}-2", gate.action),
                1 if gate.stage != "Prod" => gate.stage = format!("{}-2", gate.stage),
                2 => gate.role = Some("Shared"),
                3 if gate.account == "dev" => {
                    gate.function = *random.pick(&["MyFunction", "OtherFunction", "made"]);
                }
                4 => gate.parameters = Some(2),
                5 if gate.stage != "Prod" => gate.after = Some("Prod"),
                6 => (gate.reads, gate.manage) = (true, true),
                _ => {}
            }
        }
        let missing = (0..GATES.len()).find(|at| gates.iter().all(|g| g.name != GATES[*at].0));
        if let Some(at) = missing.filter(|_| random.percent(40)) {
            gates.push(Gate::new(at, random));
        }
        Self {
            project: self.project,
            gates,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "project = \"{}\"\n[accounts.tools]\nid = \"111111111111\"\nprofile = \"tools\"\n\
             [accounts.dev]\nid = \"222222222222\"\nprofile = \"dev\"\n",
            self.project
        );
        for gate in &self.gates {
            let Gate {
                name,
                pipeline,
                stage,
                action,
                after,
                account,
                function,
                role,
                parameters,
                reads,
                manage,
            } = gate;
            write!(
                text,
                "[[gates]]\nname = \"{name}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\n\
                 name = \"{pipeline}\"\nstage = \"{stage}\"\naction = \"{action}\"\n"
            )
            .unwrap();
            if let Some(after) = after {
                writeln!(text, "after = \"{after}\"").unwrap();
            }
            if let Some(parameters) = parameters {
                writeln!(text, "user_parameters = \"{parameters}\"").unwrap();
            }
            if *reads {
                writeln!(text, "input_artifacts = [\"App\"]").unwrap();
            }
            writeln!(
                text,
                "[gates.function]\naccount = \"{account}\"\nname = \"{function}\""
            )
            .unwrap();
            if let Some(role) = role {
                writeln!(text, "[gates.invoke_role]\nname = \"{role}\"").unwrap();
            }
            if *manage {
                writeln!(text, "[gates.artifacts]\nmanage = true").unwrap();
            }
        }
        text
    }

    pub(super) fn wiring(&self) -> Wiring {
        let mut wiring = wiring(&self.text(), &[]);
        let keys: Vec<_> = wiring.gates.iter().map(|g| g.function.clone()).collect();
        for key in keys {
            if MADE.contains(&key.name.as_str()) {
                let role = RoleName::new(&wiring.made_role(&key.name)).unwrap();
                wiring.functions.insert(key, made(role));
            }
        }
        wiring
    }
}

fn made(role: RoleName) -> FunctionSpec {
    let variables = BTreeMap::from([("MODE".to_owned(), "strict".to_owned())]);
    FunctionSpec {
        package: package("v1"),
        runtime: "python3.13".to_owned(),
        handler: "validate.handler".to_owned(),
        timeout_seconds: 60,
        memory_mb: 128,
        environment: Variables(variables),
        role: ExecutionRole::Made(role),
        tags: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
    }
}
