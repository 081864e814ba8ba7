//! Functions that gates make: roles of the right account, default names that fit, and one description of each function.
//! May not know which functions and roles exist, nor read a source.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::{Accounts, Identity, title};
use crate::config::diagnostic::ManifestError;
use crate::config::function::MadeDraft;
use crate::config::gate::GateDraft;
use crate::config::parse::{Draft, parts};
use crate::config::schema::{FunctionConfig, MadeFunctionConfig};
use crate::model::account::Region;
use crate::model::name::{FunctionName, Project};

/// A function as gates mean it.
type Function<'a> = (Identity<'a>, &'a Region, &'a FunctionName);

/// What needs no source.
pub(super) fn check(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    let project = draft.project.as_ref().map(Spanned::get_ref);
    for gate in &draft.gates {
        if let Some(made) = &gate.function.made {
            role(gate, made, accounts, problems);
            role_name(project, gate, made, problems);
        }
    }
}

/// Gates that make one function must describe it alike; the sources have been read. A gate that only names it agrees with all.
pub(super) fn described_alike(
    draft: &Draft,
    accounts: &Accounts<'_>,
    problems: &mut Vec<ManifestError>,
) {
    let mut first: BTreeMap<Function<'_>, (&GateDraft, &MadeDraft)> = BTreeMap::new();
    for gate in &draft.gates {
        let (Some(made), Some(function)) = (&gate.function.made, function(gate, accounts)) else {
            continue;
        };
        let Some((earlier, described)) = first.get(&function) else {
            first.insert(function, (gate, made));
            continue;
        };
        let differing = differing_keys(described, made);
        if differing.is_empty() || described.broken || made.broken {
            continue;
        }
        let keys = differing.join(", ");
        problems.push(
            ManifestError::new(
                made.span.clone(),
                format!(
                    "two gates describe the function `{}` differently: {keys}",
                    function.2
                ),
            )
            .label(format!("{} says otherwise", title(gate)))
            .related(
                described.span.clone(),
                format!("{} describes it here", title(earlier)),
            )
            .help("describe a function once: the other gates that use it give its `account` and `name` only"),
        );
    }
}

fn function<'a>(gate: &'a GateDraft, accounts: &Accounts<'a>) -> Option<Function<'a>> {
    let region = gate.function.region.as_ref();
    let region = region.or(gate.pipeline.region.as_ref())?;
    Some((
        accounts.identity(gate.function.account.as_ref()?.get_ref()),
        region.get_ref(),
        gate.function.name.as_ref()?.get_ref(),
    ))
}

/// The keys in which two descriptions differ, defaults filled in. Sources that give the same bytes are the same.
fn differing_keys(one: &MadeDraft, other: &MadeDraft) -> Vec<&'static str> {
    let described = |made: &MadeDraft| {
        let handler = made.handler().to_owned();
        // Destructured in full: a new key must be decided on here.
        let MadeDraft {
            span: _,
            broken: _,
            source: _,
            runtime,
            handler: _,
            timeout_seconds,
            memory_mb,
            environment,
            role,
            tags,
            package,
        } = made;
        (
            // A source that could not be read says nothing.
            package.as_ref().map(|package| package.sha256.clone()),
            runtime.as_ref().map(|runtime| runtime.get_ref().id),
            handler,
            timeout_seconds.unwrap_or(MadeFunctionConfig::TIMEOUT_SECONDS),
            memory_mb.unwrap_or(MadeFunctionConfig::MEMORY_MB),
            environment.clone(),
            (
                role.as_ref().map(|role| role.get_ref().to_string()),
                tags.clone(),
            ),
        )
    };
    let (one, other) = (described(one), described(other));
    let unread = one.0.is_none() || other.0.is_none();
    let equal = [
        ("`source`", unread || one.0 == other.0),
        ("`runtime`", one.1 == other.1),
        ("`handler`", one.2 == other.2),
        ("`timeout_seconds`", one.3 == other.3),
        ("`memory_mb`", one.4 == other.4),
        ("`environment`", one.5 == other.5),
        ("`role`", one.6.0 == other.6.0),
        ("`tags`", one.6.1 == other.6.1),
    ];
    let differing = equal.into_iter().filter(|(_, equal)| !equal);
    differing.map(|(key, _)| key).collect()
}

/// An execution role is a role of the function's own account: Lambda passes no role across accounts.
fn role(
    gate: &GateDraft,
    made: &MadeDraft,
    accounts: &Accounts<'_>,
    problems: &mut Vec<ManifestError>,
) {
    let Some((span, role)) = made.role.as_ref().map(parts) else {
        return;
    };
    let region = gate.function.region.as_ref();
    if let Some((region_span, region)) = region.or(gate.pipeline.region.as_ref()).map(parts)
        && region.partition() != role.partition
    {
        let partition = region.partition();
        problems.push(
            ManifestError::new(
                span.clone(),
                format!(
                    "the execution role is in partition {}, and the function in {partition}",
                    role.partition
                ),
            )
            .label(format!("partition {}", role.partition))
            .related(region_span, format!("partition {partition}"))
            .help(format!("begin the ARN with `arn:{partition}:iam::`")),
        );
    }
    let Some(account) = &gate.function.account else {
        return;
    };
    if let Some(id) = accounts.id(account.get_ref())
        && *id != role.account
    {
        problems.push(
            ManifestError::new(
                span,
                format!(
                    "the execution role is in account {}, and the function is made in {id}",
                    role.account
                ),
            )
            .label("a role of another account")
            .related(
                account.span(),
                format!("`{}` is account {id}", account.get_ref()),
            )
            .help(
                "a function runs as a role of its own account; without `role` crossgate makes one",
            ),
        );
    }
}

/// The name of the role that is made must fit into IAM's limit.
fn role_name(
    project: Option<&Project>,
    gate: &GateDraft,
    made: &MadeDraft,
    problems: &mut Vec<ManifestError>,
) {
    let (Some(project), Some(name), None) = (project, &gate.function.name, &made.role) else {
        return;
    };
    let Err(error) = FunctionConfig::default_role_name(project, name.get_ref()) else {
        return;
    };
    // A `role` that was refused by itself is one all the same.
    if made.broken {
        return;
    }
    let span: Range<usize> = name.span();
    problems.push(
        ManifestError::new(
            span,
            format!("the execution role that is made for this function cannot have its default name: {error}"),
        )
        .label(format!("makes `crossgate-{project}-fn-{}`", name.get_ref()))
        .help("name a role that is there with `role = \"arn:aws:iam::ACCOUNT:role/NAME\"`, or shorten the function's name"),
    );
}
