//! From flags, answers and what AWS holds to a draft: each thing from the flag, else asked for, else what would be proposed.
//! It reads and asks in turn; where a gate goes is decided in `init`, and nothing is written.

use crate::cloud::{Cloud, CloudError};
use crate::config::did_you_mean;
use crate::error::Error;
use crate::init::{self, AccountDraft, Draft, Found, Wanted};
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::name::{
    ActionName, FunctionName, GateName, PipelineName, Project, RolePath, StageName,
};
use crate::model::pipeline::{PipelineDocument, StageView};
use crate::model::read::{Fact, Listed, Read};
use crate::model::wiring::{GateAction, Placement};
use crate::output::Ask;

use super::given::{Given, missing_flags, new_action, usage};

/// One account, as it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    /// Its name in the manifest.
    pub(super) name: AccountName,
    /// Its profile; none for the default credential chain.
    pub(super) profile: Option<String>,
    /// The region of its profile.
    pub(super) region: Option<Region>,
}

/// A manifest to be written, and what its reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) draft: Draft,
    pub(super) notes: Vec<String>,
}

/// The parties of a dialogue.
pub(super) struct Dialogue<'a, C> {
    pub(super) given: &'a Given,
    pub(super) cloud: &'a C,
    pub(super) tools: Side,
    pub(super) dev: Side,
    /// The pipeline's region.
    pub(super) region: Region,
    /// Nobody where there is no terminal, or `--yes`.
    pub(super) ask: Option<&'a mut dyn Ask>,
}

impl<C: Cloud> Dialogue<'_, C> {
    /// Reads, asks, and puts it together.
    pub(super) async fn proposal(mut self) -> Result<Proposal, Error> {
        let given = self.given;
        let tools_id = self.identity(&self.tools, given.tools_id.as_ref()).await?;
        let dev_id = if self.dev.profile == self.tools.profile {
            tools_id.clone()
        } else {
            self.identity(&self.dev, None).await?
        };
        expect("--dev-id", given.dev_id.as_ref(), &dev_id, &self.dev)?;
        let (pipeline, document) = self.pipeline().await?;
        let found = match given.handler {
            // A function that is to be made is invoked by nobody yet.
            Some(_) => Vec::new(),
            None => init::wirings(&document, &dev_id),
        };
        let function = self.function(&found).await?;
        let taken = self.taken(found, &function)?;
        let function_region = self.function_region(&function, taken.as_ref()).await?;
        let project = self.project(&pipeline)?;
        let gate = self.gate()?;
        let mut notes = Vec::new();
        if tools_id == dev_id {
            notes.push(format!(
                "pipeline and function are in one account, {tools_id}: is that meant?"
            ));
        }
        notes.extend(untouched(&document, &function));
        let (action, invoke_role) = match taken {
            Some(found) => {
                notes.extend(taking(&found));
                let role = (found.role.name, found.role.path);
                (self.placed(&document, found.action)?, Some(role))
            }
            None => (self.place(&document, &gate)?, None),
        };
        let tools = AccountDraft {
            id: tools_id,
            profile: self.tools.profile.clone(),
        };
        let dev = AccountDraft {
            id: dev_id,
            profile: self.dev.profile.clone(),
        };
        let draft = Draft {
            project,
            dev: Some(dev).filter(|dev| *dev != tools),
            tools,
            gate,
            function_region: Some(function_region).filter(|region| *region != self.region),
            region: self.region,
            pipeline,
            action,
            function,
            source: given.source(),
            invoke_role: invoke_role.map(|(name, path): (_, RolePath)| (name, path)),
        };
        Ok(Proposal { draft, notes })
    }

    /// Whose the credentials are.
    async fn identity(&self, side: &Side, given: Option<&AccountId>) -> Result<AccountId, Error> {
        let fact = self.cloud.read(&side.name, &Read::CallerIdentity).await;
        let id = match fact.map_err(|error| side.unread(&error))? {
            Fact::CallerIdentity(caller) => caller.account,
            _ => return Err(side.unexpected(&Read::CallerIdentity)),
        };
        let flag = format!("--{}-id", side.name);
        expect(&flag, given, &id, side)?;
        Ok(id)
    }

    /// The pipeline: given, or chosen of those that there are.
    async fn pipeline(&mut self) -> Result<(PipelineName, PipelineDocument), Error> {
        let region = self.region.clone();
        let list = Read::Pipelines {
            region: region.clone(),
        };
        let name = match (&self.given.from_pipeline, &mut self.ask) {
            (Some(name), _) => name.clone(),
            (None, Some(ask)) => {
                let listed = listed(self.cloud, &self.tools, &list).await;
                let text = choose(
                    *ask,
                    "pipeline",
                    "pipelines",
                    &self.tools,
                    &region,
                    listed,
                    None,
                )?;
                PipelineName::new(&text).map_err(|e| usage(e.to_string(), ""))?
            }
            (None, None) => return Err(missing_flags(&["--from-pipeline"])),
        };
        let read = Read::Pipeline {
            region: region.clone(),
            name: name.clone(),
        };
        let side = &self.tools;
        let fact = self.cloud.read(&side.name, &read).await;
        match fact.map_err(|error| side.unread(&error))? {
            Fact::Pipeline(Some(document)) => Ok((name, *document)),
            Fact::Pipeline(None) => {
                let listed = listed(self.cloud, side, &list).await;
                Err(usage(
                    format!("there is no pipeline {name} in {region}, {side}"),
                    nearest(name.as_str(), "pipelines", "--region", listed),
                ))
            }
            _ => Err(side.unexpected(&read)),
        }
    }

    /// The function: given, or the one that a wiring names, or chosen of those that there are.
    async fn function(&mut self, found: &[Found]) -> Result<FunctionName, Error> {
        let given = self.given;
        if let Some(name) = &given.function {
            return Ok(name.clone());
        }
        let fits: Vec<&Found> = found
            .iter()
            .filter(|f| f.fits(None, &given.place))
            .collect();
        let wired = match fits.as_slice() {
            [one] => Some(&one.function),
            _ => None,
        };
        let regions = self.function_regions(None);
        let Some(ask) = &mut self.ask else {
            return wired.cloned().ok_or_else(|| missing_flags(&["--function"]));
        };
        let text = if given.handler.is_some() {
            let check = |text: &str| FunctionName::new(text).map(drop).map_err(|e| e.to_string());
            let text = ask.text("Name of the new function", "", &check);
            text.map_err(|e| stopped(&e))?
        } else {
            let (region, listed) = list_functions(self.cloud, &self.dev, &regions).await;
            let wired = wired.map(FunctionName::as_str);
            choose(
                *ask,
                "function",
                "functions",
                &self.dev,
                &region,
                listed,
                wired,
            )?
        };
        FunctionName::new(&text).map_err(|e| usage(e.to_string(), ""))
    }

    /// The wiring that is there for the function, where it is one, or the one of several that is chosen.
    fn taken(
        &mut self,
        found: Vec<Found>,
        function: &FunctionName,
    ) -> Result<Option<Found>, Error> {
        let wanted = &self.given.place;
        let fits = found
            .into_iter()
            .filter(|found| found.fits(Some(function), wanted));
        let mut fits: Vec<Found> = fits.collect();
        if fits.len() < 2 {
            return Ok(fits.pop());
        }
        let places: Vec<String> = fits.iter().map(place_of).collect();
        let Some(ask) = &mut self.ask else {
            return Err(usage(
                format!("several actions invoke {function}: {}", places.join(", ")),
                "name one of them with --stage and --action",
            ));
        };
        let question = format!("Several actions invoke {function}; which of them is the gate?");
        let at = ask.choose(&question, &places, 0).map_err(|e| stopped(&e))?;
        Ok((at < fits.len()).then(|| fits.swap_remove(at)))
    }

    /// The regions in which the function may be, the likeliest first.
    fn function_regions(&self, taken: Option<&Found>) -> Vec<Region> {
        if let Some(region) = &self.given.function_region {
            return vec![region.clone()];
        }
        if let Some(found) = taken {
            return vec![found.region.clone().unwrap_or_else(|| self.region.clone())];
        }
        let mut regions = vec![self.region.clone()];
        regions.extend(self.dev.region.clone().filter(|own| *own != self.region));
        regions
    }

    /// The region in which the function is; the likeliest for one that is to be made.
    async fn function_region(
        &self,
        name: &FunctionName,
        taken: Option<&Found>,
    ) -> Result<Region, Error> {
        let side = &self.dev;
        let regions = self.function_regions(taken);
        for region in &regions {
            let read = Read::Function {
                region: region.clone(),
                name: name.clone(),
            };
            let fact = self.cloud.read(&side.name, &read).await;
            match fact.map_err(|error| side.unread(&error))? {
                Fact::Function(Some(_)) if self.given.handler.is_some() => {
                    return Err(usage(
                        format!("there is a function {name} in {region} already, {side}"),
                        "leave --handler away to use it, or name another function to be made",
                    ));
                }
                Fact::Function(Some(_)) => return Ok(region.clone()),
                Fact::Function(None) => {}
                _ => return Err(side.unexpected(&read)),
            }
        }
        if let (Some(_), Some(region)) = (self.given.handler, regions.first()) {
            return Ok(region.clone());
        }
        let (_, listed) = list_functions(self.cloud, side, &regions).await;
        let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
        Err(usage(
            format!(
                "there is no function {name} in {}, {side}",
                regions.join(" or ")
            ),
            nearest(name.as_str(), "functions", "--function-region", listed),
        ))
    }

    fn project(&mut self, pipeline: &PipelineName) -> Result<Project, Error> {
        let proposed = self.given.project(pipeline)?;
        match (&self.given.project, &mut self.ask) {
            (None, Some(ask)) => typed(
                *ask,
                "Project, the namespace of what crossgate makes",
                proposed.as_str(),
                |text| Project::new(text).map_err(|e| e.to_string()),
            ),
            (Some(_), _) | (None, None) => Ok(proposed),
        }
    }

    fn gate(&mut self) -> Result<GateName, Error> {
        let proposed = self.given.gate()?;
        match (&self.given.gate, &mut self.ask) {
            (None, Some(ask)) => typed(*ask, "Name of the gate", proposed.as_str(), |text| {
                GateName::new(text).map_err(|e| e.to_string())
            }),
            (Some(_), _) | (None, None) => Ok(proposed),
        }
    }

    /// The action of a wiring that is there, its stage moved where that is asked for.
    fn placed(&self, document: &PipelineDocument, action: GateAction) -> Result<GateAction, Error> {
        let Some(placement) = self.given.place.placement.clone() else {
            return Ok(action);
        };
        // Only the anchor is held against the pipeline: the action itself is there.
        let (Placement::After(anchor) | Placement::Before(anchor)) = &placement;
        let known: Vec<&str> = document.stages().map(StageView::name).collect();
        if !known.contains(&anchor.as_str()) {
            let help = did_you_mean(anchor.as_str(), "stages", &known);
            return Err(usage(format!("the pipeline has no stage `{anchor}`"), help));
        }
        Ok(GateAction {
            placement: Some(placement),
            ..action
        })
    }

    /// The place of a new action.
    fn place(&mut self, document: &PipelineDocument, gate: &GateName) -> Result<GateAction, Error> {
        let mut wanted = self.given.place.clone();
        if let Some(ask) = &mut self.ask {
            if wanted.stage.is_none() && wanted.placement.is_none() {
                let (stages, proposed) = init::places(document);
                let options: Vec<String> = stages
                    .iter()
                    .map(|stage| format!("after {stage}"))
                    .collect();
                let question = "Where does the gate's stage go?";
                let at = ask
                    .choose(question, &options, proposed)
                    .map_err(|e| stopped(&e))?;
                wanted.placement = stages.get(at).cloned().map(Placement::After);
            }
            wanted = named(*ask, document, gate, wanted)?;
        }
        let place = init::place(document, gate, &wanted).map_err(|e| refused(&e))?;
        Ok(new_action(place))
    }
}

/// Asks for the names of the stage and of the action where they are not given.
fn named(
    ask: &mut dyn Ask,
    document: &PipelineDocument,
    gate: &GateName,
    mut wanted: Wanted,
) -> Result<Wanted, Error> {
    let proposed = init::place(document, gate, &wanted).map_err(|e| refused(&e))?;
    if wanted.stage.is_none() {
        let stage = typed(ask, "Name of the stage", proposed.stage.as_str(), |text| {
            let stage = StageName::new(text).map_err(|e| e.to_string())?;
            let wanted = Wanted {
                stage: Some(stage.clone()),
                ..wanted.clone()
            };
            let place = init::place(document, gate, &wanted);
            place.map(|_| stage).map_err(|e| e.to_string())
        })?;
        // A stage that is there stays where it is.
        if document.stages().any(|s| s.name() == stage.as_str()) {
            wanted.placement = None;
        }
        wanted.stage = Some(stage);
    }
    if wanted.action.is_none() {
        let proposed = init::place(document, gate, &wanted).map_err(|e| refused(&e))?;
        let action = typed(
            ask,
            "Name of the action",
            proposed.action.as_str(),
            |text| {
                let action = ActionName::new(text).map_err(|e| e.to_string())?;
                let wanted = Wanted {
                    action: Some(action.clone()),
                    ..wanted.clone()
                };
                let place = init::place(document, gate, &wanted);
                place.map(|_| action).map_err(|e| e.to_string())
            },
        )?;
        wanted.action = Some(action);
    }
    Ok(wanted)
}

fn refused(error: &init::PlaceError) -> Error {
    usage(
        error.to_string(),
        "name another place with --stage, --action, --after or --before",
    )
}

fn place_of(found: &Found) -> String {
    format!("{}/{}", found.action.stage, found.action.name)
}

/// What is said of a wiring that is taken in.
fn taking(found: &Found) -> Vec<String> {
    let mut notes = vec![format!(
        "{} invokes {} through role {} already: the manifest describes that wiring, and `bootstrap --adopt` takes it in",
        place_of(found),
        found.function,
        found.role,
    )];
    if found.role.name.as_str().starts_with("crossgate-") {
        notes.push(
            "the role is named like one of crossgate's own: if another manifest holds this gate, keep that one instead"
                .to_owned(),
        );
    }
    if found.action.user_parameters.is_some() {
        notes.push(
            "user_parameters stands in the manifest as the pipeline sends it: look at it before you commit the file"
                .to_owned(),
        );
    }
    notes
}

/// What is said of actions that invoke a function of that name in the pipeline's own account.
fn untouched(document: &PipelineDocument, function: &FunctionName) -> Option<String> {
    let bare = init::bare(document, function);
    (!bare.is_empty()).then(|| {
        format!(
            "{} invokes a function {function} of the pipeline's own account, without a role: it is left as it is",
            bare.join(", ")
        )
    })
}

fn expect(flag: &str, given: Option<&AccountId>, is: &AccountId, side: &Side) -> Result<(), Error> {
    match given {
        Some(given) if given != is => Err(usage(
            format!("{flag} says {given}, and {side} is account {is}"),
            "one of the two is wrong: name another profile, or another id",
        )),
        Some(_) | None => Ok(()),
    }
}

async fn listed<C: Cloud>(cloud: &C, side: &Side, read: &Read) -> Result<Listed, CloudError> {
    Ok(match cloud.read(&side.name, read).await? {
        Fact::Pipelines(listed) | Fact::Functions(listed) => listed,
        _ => Listed::default(),
    })
}

/// The functions of the first of the regions that has any.
async fn list_functions<C: Cloud>(
    cloud: &C,
    side: &Side,
    regions: &[Region],
) -> (String, Result<Listed, CloudError>) {
    let mut last = Ok(Listed::default());
    for region in regions {
        let read = Read::Functions {
            region: region.clone(),
        };
        last = listed(cloud, side, &read).await;
        if last.as_ref().is_ok_and(|listed| !listed.names.is_empty()) {
            return (region.to_string(), last);
        }
    }
    let all: Vec<&str> = regions.iter().map(Region::as_str).collect();
    (all.join(" or "), last)
}

/// One of the things that there are; where they cannot be listed, its name is typed.
fn choose(
    ask: &mut dyn Ask,
    what: &str,
    several: &str,
    side: &Side,
    region: impl std::fmt::Display,
    listed: Result<Listed, CloudError>,
    default: Option<&str>,
) -> Result<String, Error> {
    let any = |text: &str| match text {
        "" => Err("a name is needed".to_owned()),
        _ => Ok(()),
    };
    let Ok(Listed {
        mut names,
        functions: _,
        complete,
    }) = listed
    else {
        let question = format!("Name of the {what} (the {several} could not be listed)");
        let default = default.unwrap_or_default();
        return ask.text(&question, default, &any).map_err(|e| stopped(&e));
    };
    names.sort();
    if names.is_empty() {
        return Err(usage(
            format!("there are no {several} in {region}, {side}"),
            "another region, or another profile?",
        ));
    }
    let mut options = names.clone();
    if !complete {
        options.push("another one".to_owned());
    }
    let at = default.and_then(|default| names.iter().position(|name| name == default));
    let question = format!("Which {what}?");
    let chosen = ask
        .choose(&question, &options, at.unwrap_or(0))
        .map_err(|e| stopped(&e))?;
    match names.into_iter().nth(chosen) {
        Some(name) => Ok(name),
        None => ask
            .text(&format!("Name of the {what}"), "", &any)
            .map_err(|e| stopped(&e)),
    }
}

/// A name that is asked for until it is one.
fn typed<T>(
    ask: &mut dyn Ask,
    question: &str,
    default: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Error> {
    let check = |text: &str| parse(text).map(drop);
    let text = ask
        .text(question, default, &check)
        .map_err(|e| stopped(&e))?;
    parse(&text).map_err(|error| usage(error, ""))
}

/// Which ones there are instead.
fn nearest(name: &str, what: &str, flag: &str, listed: Result<Listed, CloudError>) -> String {
    match listed {
        Ok(listed) => {
            let known: Vec<&str> = listed.names.iter().map(String::as_str).collect();
            let mut text = did_you_mean(name, what, &known);
            if known.is_empty() {
                text = format!("{text}: another region with {flag}, or another profile?");
            }
            text
        }
        Err(error) => format!(
            "which {what} there are could not be read: {}",
            error.message
        ),
    }
}

/// Whatever ends a prompt, nothing was written.
pub(super) fn stopped(error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::Interrupted => Error::Stopped,
        _ => Error::Failed {
            message: format!("the terminal could not be asked: {error}; nothing was written"),
            hint: "name everything with flags: `crossgate init --help`".to_owned(),
        },
    }
}

impl Side {
    /// The error of a read, without the id that is not known yet.
    fn unread(&self, error: &CloudError) -> Error {
        let code = error.code.as_ref().map(|code| format!("{code}: "));
        Error::Unread {
            message: format!(
                "{} on {} failed, {self}: {}{}",
                error.operation,
                error.resource,
                code.unwrap_or_default(),
                error.message
            ),
            hint: error.hint.clone().unwrap_or_default(),
        }
    }

    fn unexpected(&self, read: &Read) -> Error {
        Error::Unread {
            message: format!("{read}, {self}: the answer could not be understood"),
            hint: String::new(),
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whose = match self.name.as_str() {
            init::TOOLS => "the pipeline's account",
            _ => "the function's account",
        };
        match &self.profile {
            Some(profile) => write!(f, "{whose} (profile `{profile}`)"),
            None => write!(f, "{whose} (the default credential chain)"),
        }
    }
}
