//! Writes manifests as a user would: text, from the few values that tests vary.
//! Does not check them: a wrong manifest is a test too.

use std::fmt::Write as _;

/// One gate. Empty text leaves a key out.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) name: String,
    pub(crate) pipeline: String,
    pub(crate) stage: String,
    pub(crate) action: String,
    /// `after = "Deploy"`, or empty.
    pub(crate) place: String,
    pub(crate) function: String,
    /// More lines of `[gates.function]`.
    pub(crate) more_function: String,
    pub(crate) role: String,
    /// More lines of `[gates.pipeline]`.
    pub(crate) more_pipeline: String,
    /// More lines of `[gates.invoke_role]`.
    pub(crate) more_role: String,
}

/// A manifest with the accounts `tools` and `dev`.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) project: String,
    pub(crate) tools: String,
    pub(crate) dev: String,
    /// The lines that say how to reach dev, usually `profile = "dev"`.
    pub(crate) reach_dev: String,
    pub(crate) gates: Vec<Gate>,
}

impl Manifest {
    /// The manifest as TOML.
    pub(crate) fn toml(&self) -> String {
        let Self {
            project,
            tools,
            dev,
            reach_dev,
            gates,
        } = self;
        let mut text = format!(
            "project = \"{project}\"\n\n[accounts.tools]\nid = \"{tools}\"\nprofile = \"tools\"\n\n\
             [accounts.dev]\nid = \"{dev}\"\n{reach_dev}\n"
        );
        for gate in gates {
            text.push_str(&gate.toml());
        }
        text
    }

    /// The same with one gate more.
    pub(crate) fn with(mut self, gate: Gate) -> Self {
        self.gates.push(gate);
        self
    }
}

impl Gate {
    fn toml(&self) -> String {
        let Self {
            name,
            pipeline,
            stage,
            action,
            place,
            function,
            more_function,
            role,
            more_pipeline,
            more_role,
        } = self;
        let mut text = format!(
            "\n[[gates]]\nname = \"{name}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\n\
             name = \"{pipeline}\"\nstage = \"{stage}\"\naction = \"{action}\"\n{place}\n{more_pipeline}\n\
             [gates.function]\naccount = \"dev\"\nname = \"{function}\"\n{more_function}\n"
        );
        if !role.is_empty() || !more_role.is_empty() {
            text.push_str("[gates.invoke_role]\n");
        }
        if !role.is_empty() {
            writeln!(text, "name = \"{role}\"").unwrap();
        }
        text.push_str(more_role);
        text.push('\n');
        text
    }
}
