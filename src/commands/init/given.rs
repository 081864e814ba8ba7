//! The flags of `init` as values, and what a manifest made of flags alone is.
//! It reads nothing and asks nobody.

use std::fmt::Display;

use crate::cli::{Common, HandlerKind, InitArgs};
use crate::error::Error;
use crate::init::{self, AccountDraft, Draft, Handler, Place, Source, Wanted};
use crate::model::account::{AccountId, Region};
use crate::model::name::{ActionName, FunctionName, GateName, PipelineName, Project, StageName};
use crate::model::wiring::{GateAction, Placement};

/// What the command line gives, each value by itself a good one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// The pipeline, to be read.
    pub(super) from_pipeline: Option<PipelineName>,
    /// The pipeline, not to be read.
    pub(super) pipeline: Option<PipelineName>,
    /// Empty: the default credential chain.
    pub(super) tools_profile: Option<String>,
    /// Empty: the default credential chain.
    pub(super) dev_profile: Option<String>,
    pub(super) tools_id: Option<AccountId>,
    pub(super) dev_id: Option<AccountId>,
    pub(super) region: Option<Region>,
    pub(super) function: Option<FunctionName>,
    pub(super) function_region: Option<Region>,
    pub(super) project: Option<Project>,
    pub(super) gate: Option<GateName>,
    pub(super) place: Wanted,
    pub(super) handler: Option<Handler>,
}

impl Given {
    pub(super) fn parse(common: &Common, args: &InitArgs) -> Result<Self, Error> {
        let InitArgs {
            from_pipeline,
            pipeline,
            tools_profile,
            dev_profile,
            tools_id,
            dev_id,
            region,
            function,
            function_region,
            project,
            stage,
            action,
            after,
            before,
            handler,
            print: _,
        } = args;
        let gate = match common.gate.as_slice() {
            [] => None,
            [one] => Some(one),
            [_, _, ..] => {
                return Err(usage(
                    "--gate: init writes one gate",
                    "name one; more of them are added to the manifest by hand",
                ));
            }
        };
        let after = typed("--after", after.as_ref(), StageName::new)?.map(Placement::After);
        let before = typed("--before", before.as_ref(), StageName::new)?.map(Placement::Before);
        Ok(Self {
            from_pipeline: typed("--from-pipeline", from_pipeline.as_ref(), PipelineName::new)?,
            pipeline: typed("--pipeline", pipeline.as_ref(), PipelineName::new)?,
            tools_profile: tools_profile.clone(),
            dev_profile: dev_profile.clone(),
            tools_id: typed("--tools-id", tools_id.as_ref(), AccountId::new)?,
            dev_id: typed("--dev-id", dev_id.as_ref(), AccountId::new)?,
            region: typed("--region", region.as_ref(), Region::new)?,
            function: typed("--function", function.as_ref(), FunctionName::new)?,
            function_region: typed("--function-region", function_region.as_ref(), Region::new)?,
            project: typed("--project", project.as_ref(), Project::new)?,
            gate: typed("--gate", gate, GateName::new)?,
            place: Wanted {
                stage: typed("--stage", stage.as_ref(), StageName::new)?,
                action: typed("--action", action.as_ref(), ActionName::new)?,
                placement: after.or(before),
            },
            handler: handler.map(|kind| match kind {
                HandlerKind::Python => Handler::Python,
                HandlerKind::Node => Handler::Node,
            }),
        })
    }

    /// What nobody can be asked for and is not there.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let needed = [
            ("--from-pipeline", self.from_pipeline.is_none()),
            ("--tools-profile", self.tools_profile.is_none()),
            ("--dev-profile", self.dev_profile.is_none()),
        ];
        let mut missing = absent(&needed);
        // A wiring that is there may name the function: alone, it is not missing yet.
        if !missing.is_empty() && self.function.is_none() {
            missing.push("--function");
        }
        missing
    }

    /// The manifest of flags alone.
    ///
    /// # Errors
    /// Flags are missing.
    pub(super) fn draft(&self, pipeline: &PipelineName) -> Result<Draft, Error> {
        let (Some(tools_id), Some(dev_id), Some(region), Some(function)) =
            (&self.tools_id, &self.dev_id, &self.region, &self.function)
        else {
            return Err(missing_flags(&absent(&[
                ("--tools-id", self.tools_id.is_none()),
                ("--dev-id", self.dev_id.is_none()),
                ("--region", self.region.is_none()),
                ("--function", self.function.is_none()),
            ])));
        };
        let gate = self.gate()?;
        let (stage, action) = init::stage_and_action(&gate);
        let Wanted {
            stage: wanted_stage,
            action: wanted_action,
            placement,
        } = self.place.clone();
        let place = Place {
            stage: match wanted_stage {
                Some(stage) => stage,
                None => StageName::new(&stage).map_err(|e| proposal("--stage", e))?,
            },
            action: match wanted_action {
                Some(action) => action,
                None => ActionName::new(&action).map_err(|e| proposal("--action", e))?,
            },
            placement,
        };
        let account = |id: &AccountId, profile: Option<&String>| AccountDraft {
            id: id.clone(),
            profile: profile.filter(|name| !name.is_empty()).cloned(),
        };
        let tools = account(tools_id, self.tools_profile.as_ref());
        let dev = account(dev_id, self.dev_profile.as_ref());
        let other = self.function_region.clone();
        Ok(Draft {
            project: self.project(pipeline)?,
            dev: Some(dev).filter(|dev| *dev != tools),
            tools,
            gate,
            region: region.clone(),
            pipeline: pipeline.clone(),
            action: new_action(place),
            function: function.clone(),
            function_region: other.filter(|other| other != region),
            source: self.source(),
            invoke_role: None,
        })
    }

    /// The gate's name, proposed where it is not given.
    pub(super) fn gate(&self) -> Result<GateName, Error> {
        let name = self.gate.clone().or_else(init::gate_name);
        name.ok_or_else(|| proposal("--gate", "no name could be proposed"))
    }

    /// The project, proposed where it is not given.
    pub(super) fn project(&self, pipeline: &PipelineName) -> Result<Project, Error> {
        let name = self.project.clone();
        let name = name.or_else(|| init::project_of(pipeline.as_str()));
        name.ok_or_else(|| proposal("--project", "no name could be proposed"))
    }

    pub(super) fn source(&self) -> Option<Source> {
        self.handler.map(|handler| Source {
            file: handler.file().to_owned(),
            handler,
        })
    }
}

/// An action of which nothing but its place is known.
pub(super) fn new_action(place: Place) -> GateAction {
    let Place {
        stage,
        action,
        placement,
    } = place;
    GateAction {
        stage,
        name: action,
        placement,
        run_order: None,
        user_parameters: None,
        input_artifacts: None,
        output_artifacts: None,
        namespace: None,
        timeout_minutes: None,
    }
}

fn typed<T, E: Display>(
    flag: &str,
    text: Option<&String>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Error> {
    let parsed = text.map(|text| parse(text)).transpose();
    parsed.map_err(|error| usage(format!("{flag}: {error}"), ""))
}

fn absent(flags: &[(&'static str, bool)]) -> Vec<&'static str> {
    let absent = flags.iter().filter(|(_, absent)| *absent);
    absent.map(|(flag, _)| *flag).collect()
}

/// Flags that nobody can be asked for.
pub(super) fn missing_flags(flags: &[&str]) -> Error {
    let listed = flags.join(", ");
    usage(
        format!("not enough to write a manifest from: {listed} missing"),
        "name them, or run `crossgate init` in a terminal without --yes, where it asks",
    )
}

fn proposal(flag: &str, error: impl Display) -> Error {
    usage(error.to_string(), format!("name one with {flag}"))
}

pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Usage {
        message: message.into(),
        hint: hint.into(),
    }
}
