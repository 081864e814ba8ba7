//! `permissions`: the least-privilege policy of whoever runs a command, by account. Reads AWS only with `--resolve`.
//! Glue only: which permissions there are is decided in `iam::permissions`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::{Common, Format, PermissionsArgs, PermissionsFor};
use crate::config::{self, Config, did_you_mean};
use crate::desired;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::iam::permissions::{Asked, Operator, Reached, Roles, Task, operators};
use crate::model::account::AccountId;
use crate::model::arn::RoleArn;
use crate::model::change::Intent;
use crate::model::observed::Observed;
use crate::model::wiring::{OrganizationReader, Wiring};
use crate::observe::{CALLS_PER_ACCOUNT, observe};
use crate::output::permissions::Permissions;
use crate::output::{self, ErrorMessage};

use super::run::{self, Run};
use super::verify::reader;
use super::{block_on, stderr_style, stdout_style};

pub(super) fn run(
    common: &Common,
    args: &PermissionsArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let PermissionsArgs {
        commands,
        account,
        service_role,
        execution_role,
        resolve,
        orphans,
        simulate,
        organizations,
    } = args;
    let (config, mut wiring, roles) = if *resolve {
        let run = Run::new(common, Intent::Bootstrap, environment)?;
        let read = block_on(async { Ok(read(&run, environment).await) })?;
        match read {
            Ok(roles) => (run.config, run.wiring, roles),
            Err(problems) => return Ok(unresolved(&problems, environment)),
        }
    } else {
        let (config, wiring) = manifest(common, environment)?;
        let (piped, functioned) = ends(&wiring);
        let roles = Roles {
            service: arns("--service-role", service_role, &piped)?,
            execution: arns("--execution-role", execution_role, &functioned)?,
            ..Roles::default()
        };
        (config, wiring, roles)
    };
    let tasks: BTreeMap<Task, &'static str> = commands.iter().map(|c| task(*c)).collect();
    let asked = Asked {
        tasks: tasks.keys().copied().collect(),
        remove_unexpected: common.remove_unexpected,
        adopt: common.adopt,
        orphans: *orphans,
        simulate: *simulate,
        organizations: reader(organizations.as_deref(), &config, &wiring)?,
    };
    if *orphans || asked.tasks.contains(&Task::Prune) {
        wiring.accounts = desired::all_accounts(&config)?;
    }
    let reached = reached(&config, &wiring, asked.organizations.as_ref());
    let all: Vec<Permissions> = operators(&wiring, &asked, &roles, &reached)
        .into_iter()
        .map(shown)
        .collect();
    let names: Vec<&str> = tasks.values().copied().collect();
    let text = match (account, common.format) {
        (Some(account), _) => {
            let one = find(account, &all)?;
            if !environment.quiet {
                output::write::notice(&notes(one, environment));
            }
            output::permissions::bare(&one.policy)?
        }
        (None, Format::Text) => {
            let style = stdout_style(environment);
            output::permissions::text(&names.join(", "), &all, &style)
        }
        (None, Format::Json) => output::permissions::json(&names, &all)?,
    };
    output::write::result(&text)?;
    Ok(ExitCode::Success)
}

fn task(command: PermissionsFor) -> (Task, &'static str) {
    match command {
        PermissionsFor::Plan => (Task::Plan, "plan"),
        PermissionsFor::Check => (Task::Check, "check"),
        PermissionsFor::Bootstrap => (Task::Bootstrap, "bootstrap"),
        PermissionsFor::Teardown => (Task::Teardown, "teardown"),
        PermissionsFor::Verify => (Task::Verify, "verify"),
        PermissionsFor::Run => (Task::Run, "run"),
        PermissionsFor::Diagnose => (Task::Diagnose, "diagnose"),
        PermissionsFor::Init => (Task::Init, "init"),
        PermissionsFor::Prune => (Task::Prune, "prune"),
        PermissionsFor::Restore => (Task::Restore, "restore"),
    }
}

/// Without AWS: no client is made, no credentials are looked for.
fn manifest(common: &Common, environment: &Environment) -> Result<(Config, Wiring), Error> {
    let folder = environment.folder.as_deref().unwrap_or(Path::new("."));
    let given = environment.raw("CROSSGATE_CONFIG");
    let location = config::find(common.config.as_deref(), given, folder)?;
    let config = config::load(&location, common.allow_outside)?;
    let wiring = run::wiring(common, &config)?;
    Ok((config, wiring))
}

async fn read(run: &Run, environment: &Environment) -> Result<Roles, Vec<String>> {
    let progress = Run::progress(environment);
    let wants = |seen: &Observed| Roles::wants(&run.wiring, seen);
    let observed = observe(&run.cloud, wants, CALLS_PER_ACCOUNT, progress.progress()).await;
    progress.clear();
    Roles::of(&run.wiring, &observed)
}

fn unresolved(problems: &[String], environment: &Environment) -> ExitCode {
    let hint =
        "mend what could not be read, or name the roles with --service-role and --execution-role";
    for (n, problem) in problems.iter().enumerate() {
        let last = n + 1 == problems.len();
        let message = ErrorMessage::new(problem, last.then(|| hint.to_owned()));
        output::write::notice(&message.render(&stderr_style(environment)));
    }
    ExitCode::Incomplete
}

/// The ids of the accounts that hold pipelines, and of those that hold functions.
fn ends(wiring: &Wiring) -> (BTreeSet<&AccountId>, BTreeSet<&AccountId>) {
    let id = |name| wiring.account_id(name);
    let selected = || wiring.gates.iter().filter(|gate| wiring.is_selected(gate));
    let pipelines = selected().filter_map(|gate| id(&gate.pipeline.account));
    let functions = selected().filter_map(|gate| id(&gate.function.account));
    (pipelines.collect(), functions.collect())
}

/// A role of an account that no gate has such a role in would narrow nothing, and must not look as if it did.
fn arns(
    flag: &str,
    texts: &[String],
    accounts: &BTreeSet<&AccountId>,
) -> Result<BTreeSet<RoleArn>, Error> {
    let parse = |text: &String| {
        let role = RoleArn::parse(text).map_err(|error| error.to_string())?;
        if accounts.contains(&role.account) {
            Ok(role)
        } else {
            Err(format!(
                "no gate has such a role in account {}",
                role.account
            ))
        }
    };
    let usage = |why| Error::Usage {
        message: format!("{flag}: {why}"),
        hint: "give the role's whole ARN, path included, as `aws iam get-role` shows it".to_owned(),
    };
    texts
        .iter()
        .map(|text| parse(text).map_err(usage))
        .collect()
}

/// The roles with which accounts of the manifest are reached, over however many others.
fn reached(config: &Config, wiring: &Wiring, reader: Option<&OrganizationReader>) -> Vec<Reached> {
    let mut found = Vec::new();
    let reader = reader.map(|reader| &reader.account);
    let names: BTreeSet<_> = wiring.accounts.keys().chain(reader).collect();
    for name in names {
        let mut next = config.accounts.get(name);
        // Validation has refused circles.
        while let Some(config::Credentials::AssumeRole { role_arn, via }) =
            next.map(|a| &a.credentials)
        {
            let Some(account) = config.accounts.get(via) else {
                break;
            };
            found.push(Reached {
                via: via.clone(),
                via_id: account.id.clone(),
                role: role_arn.clone(),
            });
            next = Some(account);
        }
    }
    found
}

fn shown(operator: Operator) -> Permissions {
    let Operator {
        account,
        id,
        policy,
        notes,
    } = operator;
    Permissions {
        account,
        id,
        policy,
        notes,
    }
}

fn find<'a>(name: &str, all: &'a [Permissions]) -> Result<&'a Permissions, Error> {
    let found = all.iter().find(|one| one.account.as_str() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| one.account.as_str()).collect();
        Error::Usage {
            message: format!("--account: no gate uses an account `{name}`"),
            hint: did_you_mean(name, "accounts", &names),
        }
    })
}

fn notes(one: &Permissions, environment: &Environment) -> String {
    let mut notes = one.notes.clone();
    if one.policy.statements.is_empty() {
        notes.push(
            "nothing is needed in this account; IAM takes no policy without statements".to_owned(),
        );
    }
    output::permissions::notes(&notes, &stderr_style(environment))
}
