//! What must hold between the tables of a manifest: everything that can be refused without AWS.
//! May not call anything or change the draft; a value that was refused by itself is absent and is not judged again.

mod accounts;
mod functions;
mod roles;
mod stages;

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::diagnostic::ManifestError;
use super::gate::GateDraft;
use super::parse::{AccountDraft, Draft, parts};
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::name::PipelineName;

/// Adds every problem of the whole manifest.
pub(super) fn check(draft: &Draft, problems: &mut Vec<ManifestError>) {
    let accounts = Accounts::of(draft);
    gate_names(draft, problems);
    accounts::check(draft, &accounts, problems);
    functions::check(draft, &accounts, problems);
    roles::check(draft, &accounts, problems);
    stages::check(draft, &accounts, problems);
}

/// Adds what can be said only when the sources of functions have been read.
pub(super) fn check_packages(draft: &Draft, problems: &mut Vec<ManifestError>) {
    functions::described_alike(draft, &Accounts::of(draft), problems);
}

/// The accounts by name.
struct Accounts<'a>(BTreeMap<&'a AccountName, &'a AccountDraft>);

/// An account that two gates may mean by two names: its id, or its name where the id is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Identity<'a> {
    Id(&'a AccountId),
    Name(&'a AccountName),
}

/// A pipeline as gates mean it.
type Pipeline<'a> = (Identity<'a>, &'a Region, &'a PipelineName);

impl<'a> Accounts<'a> {
    fn of(draft: &'a Draft) -> Self {
        let named = draft.accounts.iter();
        Self(
            named
                .map(|account| (account.name.get_ref(), account))
                .collect(),
        )
    }

    fn get(&self, name: &AccountName) -> Option<&'a AccountDraft> {
        self.0.get(name).copied()
    }

    fn id(&self, name: &AccountName) -> Option<&'a AccountId> {
        self.get(name)?.id.as_ref().map(Spanned::get_ref)
    }

    fn identity(&self, name: &'a AccountName) -> Identity<'a> {
        self.id(name).map_or(Identity::Name(name), Identity::Id)
    }

    fn pipeline(&self, gate: &'a GateDraft) -> Option<Pipeline<'a>> {
        Some((
            self.identity(gate.pipeline.account.as_ref()?.get_ref()),
            gate.pipeline.region.as_ref()?.get_ref(),
            gate.pipeline.name.as_ref()?.get_ref(),
        ))
    }

    fn names(&self) -> Vec<&'a str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

fn gate_names(draft: &Draft, problems: &mut Vec<ManifestError>) {
    let mut seen: BTreeMap<_, Range<usize>> = BTreeMap::new();
    for gate in &draft.gates {
        let Some((span, name)) = gate.name.as_ref().map(parts) else {
            continue;
        };
        if let Some(first) = seen.get(name) {
            problems.push(
                ManifestError::new(span, format!("two gates have the name `{name}`"))
                    .label("again")
                    .related(first.clone(), "first here")
                    .help("give each gate a name of its own"),
            );
        } else {
            seen.insert(name, span);
        }
    }
}

/// A gate's name for a message.
fn title(gate: &GateDraft) -> String {
    gate.name.as_ref().map_or_else(
        || "another gate".to_owned(),
        |name| format!("gate `{}`", name.get_ref()),
    )
}
