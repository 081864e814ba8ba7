//! The manifest's tables as a draft: every value checked by itself, with its place, absent where it was refused.
//! May not compare one table with another: `validate` does.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::diagnostic::ManifestError;
use super::expand::Expanded;
use super::function;
use super::gate::{self, GateDraft};
use super::schema::{AccountConfig, Config, Credentials, Lines};
use super::table::{Key, Schema, Table, wrong_type};
use crate::model::account::{AccountId, AccountName};
use crate::model::arn::RoleArn;
use crate::model::name::Project;

/// A manifest in which single values may have been refused.
pub(super) struct Draft {
    pub(super) project: Option<Spanned<Project>>,
    pub(super) accounts: Vec<AccountDraft>,
    pub(super) gates: Vec<GateDraft>,
}

/// One `[accounts.NAME]`.
pub(super) struct AccountDraft {
    pub(super) name: Spanned<AccountName>,
    pub(super) id: Option<Spanned<AccountId>>,
    pub(super) profile: Option<String>,
    pub(super) assume_role: Option<Spanned<RoleArn>>,
    pub(super) via: Option<Spanned<AccountName>>,
}

static ROOT: Schema = Schema {
    title: "the manifest",
    keys: &[
        Key {
            name: "project",
            example: "project = \"checkout\"",
            required: true,
        },
        Key {
            name: "accounts",
            example: "[accounts.tools]",
            required: true,
        },
        Key {
            name: "gates",
            example: "[[gates]]",
            required: true,
        },
        Key {
            name: "defaults",
            example: "[defaults.pipeline]",
            required: false,
        },
    ],
};

static ACCOUNT: Schema = Schema {
    title: "[accounts.NAME]",
    keys: &[
        Key {
            name: "id",
            example: "id = \"111111111111\"",
            required: true,
        },
        Key {
            name: "ids",
            example: "ids = [\"222222222222\", \"333333333333\"]",
            required: false,
        },
        Key {
            name: "profile",
            example: "profile = \"tools\"",
            required: false,
        },
        Key {
            name: "assume_role",
            example: "assume_role = \"arn:aws:iam::222222222222:role/OrganizationAccountAccessRole\"",
            required: false,
        },
        Key {
            name: "via",
            example: "via = \"tools\"",
            required: false,
        },
    ],
};

/// All tables, to tell where a key belongs that stands in the wrong one.
pub(super) static TABLES: [&Schema; 7] = [
    &gate::PIPELINE,
    &function::FUNCTION,
    &gate::INVOKE_ROLE,
    &gate::ARTIFACTS,
    &gate::GATE,
    &ACCOUNT,
    &ROOT,
];

/// Reads the whole manifest, written out.
pub(super) fn draft(expanded: &Expanded<'_, '_>, problems: &mut Vec<ManifestError>) -> Draft {
    let table = Table::open(&ROOT, &TABLES, 0..0, &expanded.root, problems);
    Draft {
        project: table.parsed("project", Project::new, problems),
        accounts: accounts(&table, problems),
        gates: gates(&table, expanded, problems),
    }
}

fn accounts(root: &Table<'_>, problems: &mut Vec<ManifestError>) -> Vec<AccountDraft> {
    let Some((_, entries)) = root.table("accounts", problems) else {
        return Vec::new();
    };
    let mut accounts = Vec::new();
    for (key, value) in entries {
        let name = account_name(key, problems);
        let DeValue::Table(entries) = value.get_ref() else {
            let help = format!(
                "write `[accounts.{}]`, and below it its `id`",
                key.get_ref()
            );
            let title = format!("accounts.{}", key.get_ref());
            problems.push(wrong_type(value.span(), &title, "a table", value.get_ref()).help(help));
            // Gates may name it all the same: one problem is enough.
            accounts.extend(name.map(AccountDraft::empty));
            continue;
        };
        let table = Table::open(&ACCOUNT, &TABLES, value.span(), entries, problems);
        let draft = account(name, &table, problems);
        accounts.extend(draft);
    }
    accounts
}

fn account_name(
    key: &Spanned<DeString<'_>>,
    problems: &mut Vec<ManifestError>,
) -> Option<Spanned<AccountName>> {
    match AccountName::new(key.get_ref()) {
        Ok(name) => Some(Spanned::new(key.span(), name)),
        Err(error) => {
            problems.push(
                ManifestError::new(key.span(), error.to_string())
                    .label("not a valid account name")
                    .help("give the account a short name of your own: `[accounts.tools]`"),
            );
            None
        }
    }
}

fn account(
    name: Option<Spanned<AccountName>>,
    table: &Table<'_>,
    problems: &mut Vec<ManifestError>,
) -> Option<AccountDraft> {
    let id = table.parsed("id", AccountId::new, problems);
    let profile = table.parsed("profile", profile, problems);
    let assume_role = table.parsed("assume_role", RoleArn::parse, problems);
    let via = table.parsed("via", AccountName::new, problems);
    let written = |key| table.key_span(key);
    if let (Some(profile), Some(assume)) = (written("profile"), written("assume_role")) {
        problems.push(
            ManifestError::new(assume, "an account has `profile` or `assume_role`, not both")
                .label("credentials for the second time")
                .related(profile, "credentials already come from here")
                .help("keep one; the profile that assumes the role is the one of the account that `via` names"),
        );
    }
    match (written("assume_role"), written("via")) {
        (Some(assume), None) => problems.push(
            ManifestError::new(assume, "`assume_role` needs `via`")
                .label("with whose credentials?")
                .help("add `via = \"NAME\"`, the account whose credentials assume the role"),
        ),
        (None, Some(via)) => problems.push(
            ManifestError::new(via, "`via` needs `assume_role`")
                .label("no role to assume")
                .help("add `assume_role = \"arn:aws:iam::ACCOUNT:role/NAME\"`, or remove `via`"),
        ),
        (Some(_), Some(_)) | (None, None) => {}
    }
    Some(AccountDraft {
        name: name?,
        id,
        profile: profile.map(Spanned::into_inner),
        assume_role,
        via,
    })
}

fn profile(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        Err("a profile has a name; without `profile` the default credential chain is used")
    } else if text.chars().any(char::is_control) {
        Err("a profile's name has no control characters")
    } else {
        Ok(text.to_owned())
    }
}

fn gates(
    root: &Table<'_>,
    expanded: &Expanded<'_, '_>,
    problems: &mut Vec<ManifestError>,
) -> Vec<GateDraft> {
    let expected = "an array of tables, each with the header `[[gates]]`";
    let Some((span, entries)) = root.array("gates", expected, problems) else {
        return Vec::new();
    };
    if entries.is_empty() && !expanded.lacks_gates {
        problems.push(
            ManifestError::new(span, "the manifest has no gate")
                .label("empty")
                .help("add a `[[gates]]`"),
        );
    }
    let mut gates = Vec::new();
    let instances = expanded.instances.iter().map(Option::as_ref);
    let instances = instances.chain(std::iter::repeat(None));
    for (value, instance) in entries.iter().zip(instances) {
        if let DeValue::Table(entries) = value.get_ref() {
            let before = problems.len();
            gates.push(gate::read(value.span(), entries, problems));
            if let Some(instance) = instance {
                for problem in problems.iter_mut().skip(before) {
                    problem.of_instance(instance);
                }
            }
        } else {
            let error = wrong_type(value.span(), "gates", "a table", value.get_ref());
            problems.push(error.help("write each gate as a `[[gates]]`"));
        }
    }
    gates
}

impl Draft {
    /// The places of values that are not to be shown.
    pub(super) fn hidden(&self) -> Vec<Range<usize>> {
        let functions = self.gates.iter().map(|gate| &gate.function);
        functions
            .flat_map(|function| function.hidden.clone())
            .collect()
    }

    /// The manifest as values; `None` where something was refused.
    pub(super) fn finish(self, path: &Path, text: &str) -> Option<Config> {
        let lines = Lines::of(text);
        let Self {
            project,
            accounts,
            gates,
        } = self;
        let accounts: Option<BTreeMap<_, _>> =
            accounts.into_iter().map(AccountDraft::finish).collect();
        let gates: Option<Vec<_>> = gates.into_iter().map(|gate| gate.finish(&lines)).collect();
        Some(Config {
            path: path.to_owned(),
            project: project?.into_inner(),
            accounts: accounts?,
            gates: gates?,
        })
    }
}

impl AccountDraft {
    fn empty(name: Spanned<AccountName>) -> Self {
        Self {
            name,
            id: None,
            profile: None,
            assume_role: None,
            via: None,
        }
    }

    fn finish(self) -> Option<(AccountName, AccountConfig)> {
        let Self {
            name,
            id,
            profile,
            assume_role,
            via,
        } = self;
        let credentials = match (profile, assume_role, via) {
            (None, None, None) => Credentials::DefaultChain,
            (Some(profile), None, None) => Credentials::Profile(profile),
            (None, Some(role_arn), Some(via)) => Credentials::AssumeRole {
                role_arn: role_arn.into_inner(),
                via: via.into_inner(),
            },
            // Refused above, with a problem.
            (Some(_), Some(_), _) | (_, None, Some(_)) | (None, Some(_), None) => return None,
        };
        let id = id?.into_inner();
        Some((name.into_inner(), AccountConfig { id, credentials }))
    }
}

/// The span and value of something that was read.
pub(super) fn parts<T>(spanned: &Spanned<T>) -> (Range<usize>, &T) {
    (spanned.span(), spanned.get_ref())
}
