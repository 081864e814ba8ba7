//! Invoke roles: default names that fit, names that IAM tells apart, and one description of each role that gates share.
//! May not know which roles exist.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::{Accounts, Identity, title};
use crate::config::diagnostic::ManifestError;
use crate::config::gate::{GateDraft, RoleDraft};
use crate::config::parse::{Draft, parts};
use crate::config::schema::GateConfig;
use crate::model::name::{Project, RoleName, RolePath};
use crate::model::wiring::Trust;

/// A gate with the name of its role, written or by default.
struct Named<'a> {
    gate: &'a GateDraft,
    name: RoleName,
    span: Range<usize>,
}

pub(super) fn check(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    let project = draft.project.as_ref().map(Spanned::get_ref);
    // By account and by the name in lower case, as IAM compares names.
    let mut first: BTreeMap<(Identity<'_>, String), Named<'_>> = BTreeMap::new();
    for gate in &draft.gates {
        let Some(named) = role_name(project, gate, problems) else {
            continue;
        };
        let Some(account) = &gate.function.account else {
            continue;
        };
        let key = (
            accounts.identity(account.get_ref()),
            named.name.as_str().to_ascii_lowercase(),
        );
        if let Some(earlier) = first.get(&key) {
            if earlier.name == named.name {
                disagreement(earlier, &named, problems);
            } else {
                case_clash(earlier, &named, problems);
            }
        } else {
            first.insert(key, named);
        }
    }
}

fn role_name<'a>(
    project: Option<&Project>,
    gate: &'a GateDraft,
    problems: &mut Vec<ManifestError>,
) -> Option<Named<'a>> {
    if let Some((span, name)) = gate.role.name.as_ref().map(parts) {
        let name = name.clone();
        return Some(Named { gate, name, span });
    }
    if gate.role.broken {
        return None;
    }
    let (span, gate_name) = gate.name.as_ref().map(parts)?;
    match GateConfig::default_role_name(project?, gate_name) {
        Ok(name) => Some(Named { gate, name, span }),
        Err(error) => {
            let length = error.value.chars().count();
            problems.push(
                ManifestError::new(
                    span,
                    format!("the invoke role of gate `{gate_name}` cannot have its default name: {error}"),
                )
                .label(format!("makes a role name of {length} characters"))
                .help(format!(
                    "shorten the gate's name, or name the role:\n[gates.invoke_role]\nname = \"{}\"",
                    error.value.chars().take(RoleName::MAX).collect::<String>()
                )),
            );
            None
        }
    }
}

fn case_clash(earlier: &Named<'_>, named: &Named<'_>, problems: &mut Vec<ManifestError>) {
    problems.push(
        ManifestError::new(
            named.span.clone(),
            format!(
                "the invoke roles `{}` and `{}` of one account differ only by letter case",
                earlier.name, named.name
            ),
        )
        .label(format!("role `{}`", named.name))
        .related(earlier.span.clone(), format!("role `{}`", earlier.name))
        .help("IAM does not tell names apart by letter case: spell them alike to share the role, or differently"),
    );
}

/// Gates that share a role must describe it alike, so that the role does not depend on which gate is looked at.
fn disagreement(earlier: &Named<'_>, named: &Named<'_>, problems: &mut Vec<ManifestError>) {
    let (one, other) = (&earlier.gate.role, &named.gate.role);
    if one.broken || other.broken {
        return;
    }
    let differing = differing_keys(one, other);
    if differing.is_empty() {
        return;
    }
    let keys = differing.join(", ");
    let place = |named: &Named<'_>| {
        let span = named.gate.role.span.clone();
        span.unwrap_or_else(|| named.span.clone())
    };
    problems.push(
        ManifestError::new(
            place(named),
            format!(
                "two gates describe the invoke role `{}` differently: {keys}",
                named.name
            ),
        )
        .label(format!("{} says otherwise", title(named.gate)))
        .related(
            place(earlier),
            format!("{} describes it here", title(earlier.gate)),
        )
        .help(format!(
            "write the same {keys} for both, or give one of them a role of its own"
        )),
    );
}

/// The keys in which two descriptions differ, defaults filled in.
fn differing_keys(one: &RoleDraft, other: &RoleDraft) -> Vec<&'static str> {
    let described = |role: &RoleDraft| {
        // Destructured in full: a new key must be decided on here.
        let RoleDraft {
            span: _,
            broken: _,
            name: _,
            path,
            boundary,
            tags,
            trust,
            list_functions,
        } = role.clone();
        (
            path.unwrap_or_else(RolePath::default),
            boundary.map(|boundary| boundary.into_inner().text),
            tags,
            trust.unwrap_or(Trust::ServiceRole),
            list_functions.unwrap_or(true),
        )
    };
    let (one, other) = (described(one), described(other));
    let equal = [
        ("`path`", one.0 == other.0),
        ("`permissions_boundary`", one.1 == other.1),
        ("`tags`", one.2 == other.2),
        ("`trust`", one.3 == other.3),
        ("`list_functions`", one.4 == other.4),
    ];
    let differing = equal.into_iter().filter(|(_, equal)| !equal);
    differing.map(|(key, _)| key).collect()
}
