//! `init`: a manifest by asking, from a pipeline that is there, or from flags; written only where nothing stands.
//! Glue between flags, prompts, reads and files: where a gate goes and what a manifest says is decided in `init`.

mod dialogue;
mod files;
mod given;
mod interrupt;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::result_large_err)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::aws::{self, AccountAccess, AwsCloud, Credentials, Settings};
use crate::cli::{Common, Format, InitArgs};
use crate::config::{ConfigError, FILE_NAME, SCHEMA, SCHEMA_NAME, did_you_mean};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::init::{self, DEV, Draft, Handler, TOOLS};
use crate::model::account::{AccountId, AccountName, Region};
use crate::output::written::{self, WrittenView};
use crate::output::{self, Ask, ErrorMessage, Terminal};

use self::dialogue::{Dialogue, Proposal, Side, stopped};
use self::files::NewFile;
use self::given::{Given, missing_flags, usage};
use self::interrupt::EndsAtInterrupt;
use super::{stderr_style, style};

const PYTHON: &str = include_str!("../../../config/handlers/python/handler.py");
const NODE: &str = include_str!("../../../config/handlers/node/handler.mjs");

pub(super) async fn run(
    common: Common,
    args: InitArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let given = Given::parse(&common, &args)?;
    let shown = target(&common, environment);
    let folder = environment.folder.as_deref().unwrap_or(Path::new("."));
    let handler = given
        .handler
        .map(|handler| shown.with_file_name(handler.file()));
    // Said before anyone answers a question in vain.
    if !args.print {
        let manifest = folder.join(&shown);
        let handler = handler.as_ref().map(|path| folder.join(path));
        let paths: Vec<&Path> = std::iter::once(&manifest)
            .chain(&handler)
            .map(PathBuf::as_path)
            .collect();
        files::check(&paths)?;
    }
    let stopped = ErrorMessage::from_error(&Error::Stopped, Error::Stopped.hint());
    let interrupt = EndsAtInterrupt::saying(stopped.render(&stderr_style(environment)));
    let proposal = propose(&given, &common, environment).await;
    drop(interrupt);
    let proposal = proposal?;
    let Proposal { draft, notes } = &proposal;
    let code = match given.handler {
        Some(Handler::Python) => PYTHON,
        Some(Handler::Node) => NODE,
        None => "",
    };
    let text = init::manifest(draft, &shown, code)
        .map_err(|errors| Error::Config(ConfigError::Invalid(Box::new(errors))))?;
    let mut new = Vec::new();
    if !args.print {
        // The handler first: a manifest that is there never names a file that is not.
        if let Some(path) = &handler {
            new.push((path.clone(), code.to_owned()));
        }
        let schema = shown.with_file_name(SCHEMA_NAME);
        // One that is there may belong to other manifests beside this one: it stays.
        if folder.join(&schema).symlink_metadata().is_err() {
            new.push((schema, SCHEMA.to_owned()));
        }
        new.push((shown.clone(), text.clone()));
    }
    let written: Vec<NewFile> = new
        .iter()
        .map(|(path, text)| NewFile {
            path: folder.join(path),
            text: text.clone(),
        })
        .collect();
    files::write(&written)?;
    let names: Vec<String> = new.iter().map(|(p, _)| p.display().to_string()).collect();
    let view = WrittenView {
        files: &names,
        manifest: &text,
        notes,
        next: &next(draft, &common, &args),
    };
    let told = written::text(&view, &stderr_style(environment));
    match common.format {
        Format::Json => output::write::result(&written::json(&view)?)?,
        Format::Text if args.print => output::write::result(&text)?,
        Format::Text => {}
    }
    if !environment.quiet {
        output::write::notice(&told);
    }
    Ok(ExitCode::Success)
}

/// The manifest to be written: where the other commands would look for the one that is named.
fn target(common: &Common, environment: &Environment) -> PathBuf {
    let named = environment.raw("CROSSGATE_CONFIG");
    let named = named.filter(|name| !name.is_empty());
    match (&common.config, named) {
        (Some(flag), _) => flag.clone(),
        (None, Some(name)) => PathBuf::from(name),
        (None, None) => PathBuf::from(OsStr::new(FILE_NAME)),
    }
}

async fn propose(
    given: &Given,
    common: &Common,
    environment: &Environment,
) -> Result<Proposal, Error> {
    if let Some(pipeline) = &given.pipeline {
        let draft = given.draft(pipeline)?;
        let notes = Vec::new();
        return Ok(Proposal { draft, notes });
    }
    let can_ask = environment.stdin_is_terminal && environment.stderr_is_terminal && !common.yes;
    let mut terminal = Terminal {
        color: style(environment, environment.stderr_is_terminal).color,
    };
    let mut ask: Option<&mut dyn Ask> = can_ask.then_some(&mut terminal);
    if ask.is_none() {
        let missing = given.missing();
        if !missing.is_empty() {
            return Err(missing_flags(&missing));
        }
    }
    let names = aws::profile_names();
    let tools = side(TOOLS, given.tools_profile.as_ref(), &names, &mut ask).await?;
    let dev = side(DEV, given.dev_profile.as_ref(), &names, &mut ask).await?;
    let region = region(given, &tools, environment, &mut ask)?;
    let access = [&tools, &dev].map(|side| access(side, &region));
    let settings = Settings {
        project: given.project.clone(),
        ..Settings::default()
    };
    let cloud = AwsCloud::new(access.into(), settings);
    let dialogue = Dialogue {
        given,
        cloud: &cloud,
        tools,
        dev,
        region,
        ask,
    };
    dialogue.proposal().await
}

/// One account: its profile is given, or chosen of those that there are.
async fn side(
    name: &'static str,
    given: Option<&String>,
    profiles: &[String],
    ask: &mut Option<&mut dyn Ask>,
) -> Result<Side, Error> {
    let profile = match (given, ask) {
        (Some(profile), _) if profile.is_empty() => None,
        (Some(profile), _) if !profiles.contains(profile) => {
            let known: Vec<&str> = profiles.iter().map(String::as_str).collect();
            return Err(usage(
                format!(
                    "--{name}-profile: there is no profile `{profile}` in the AWS configuration files"
                ),
                did_you_mean(profile, "profiles", &known),
            ));
        }
        (Some(profile), _) => Some(profile.clone()),
        (None, Some(ask)) => {
            let mut options = profiles.to_vec();
            options.push("none: the default credential chain".to_owned());
            let whose = match name {
                TOOLS => "pipeline's",
                _ => "function's",
            };
            let question = format!("Which profile is of the {whose} account?");
            let at = profiles.iter().position(|profile| profile == name);
            let chosen = ask.choose(&question, &options, at.unwrap_or(0));
            profiles.get(chosen.map_err(|e| stopped(&e))?).cloned()
        }
        (None, None) => None,
    };
    Ok(Side {
        name: AccountName::new(name).map_err(|e| usage(e.to_string(), ""))?,
        region: aws::profile_region(profile.as_deref()).await,
        profile,
    })
}

/// The pipeline's region: the flag's, the environment's, the profile's, or one that is asked for.
fn region(
    given: &Given,
    tools: &Side,
    environment: &Environment,
    ask: &mut Option<&mut dyn Ask>,
) -> Result<Region, Error> {
    if let Some(region) = &given.region {
        return Ok(region.clone());
    }
    for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Some(text) = environment.text(variable).filter(|text| !text.is_empty()) {
            return Region::new(&text).map_err(|e| usage(format!("{variable}: {e}"), ""));
        }
    }
    if let Some(region) = &tools.region {
        return Ok(region.clone());
    }
    let Some(ask) = ask else {
        return Err(missing_flags(&["--region"]));
    };
    let check = |text: &str| Region::new(text).map(drop).map_err(|e| e.to_string());
    let text = ask
        .text("Region of the pipeline", "", &check)
        .map_err(|e| stopped(&e))?;
    Region::new(&text).map_err(|e| usage(e.to_string(), ""))
}

/// How an account is reached whose id is asked for first.
fn access(side: &Side, region: &Region) -> AccountAccess {
    AccountAccess {
        name: side.name.clone(),
        id: AccountId::unknown(),
        credentials: match &side.profile {
            Some(profile) => Credentials::Profile(profile.clone()),
            None => Credentials::DefaultChain,
        },
        partition: region.partition(),
        region: Some(region.clone()),
    }
}

/// What comes next. A wiring that is there is taken in with `--adopt` only.
fn next(draft: &Draft, common: &Common, args: &InitArgs) -> Vec<(String, &'static str)> {
    if args.print {
        return Vec::new();
    }
    let config = common
        .config
        .as_ref()
        .map(|path| format!(" -c {}", path.display()));
    let config = config.unwrap_or_default();
    let adopt = if draft.invoke_role.is_some() {
        " --adopt"
    } else {
        ""
    };
    vec![
        (
            format!("crossgate{config} plan{adopt}"),
            "what would change, and why; changes nothing",
        ),
        (
            format!("crossgate{config} bootstrap{adopt}"),
            "shows the plan, asks, makes the changes",
        ),
    ]
}
