//! One `[gates.function]` as a draft: the function that is named, and how it is made where `source` is written.
//! May not read the source, nor compare one gate with another: `package` and `validate` do.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use super::diagnostic::ManifestError;
use super::gate::{key, optional};
use super::runtimes::{Family, Runtime};
use super::schema::{FunctionConfig, MadeFunctionConfig};
use super::table::{Schema, Table};
use super::{tags, variables};
use crate::model::account::{AccountName, Region};
use crate::model::arn::RoleArn;
use crate::model::function::{Package, Variables};
use crate::model::name::FunctionName;

/// Keys that say how a function is made, and so mean nothing without `source`.
const MAKING: &[&str] = &[
    "runtime",
    "handler",
    "timeout_seconds",
    "memory_mb",
    "environment",
    "role",
    "tags",
];

/// The handler where none is written and none is needed: a `bootstrap` is started whatever the handler says.
const OF_BOOTSTRAP: &str = "bootstrap";

/// `[gates.function]`; empty where the table is missing.
#[derive(Default)]
pub(super) struct FunctionDraft {
    pub(super) account: Option<Spanned<AccountName>>,
    pub(super) name: Option<Spanned<FunctionName>>,
    pub(super) region: Option<Spanned<Region>>,
    /// What is made of `source`, where it is written.
    pub(super) made: Option<MadeDraft>,
    /// The places of values that are not to be shown.
    pub(super) hidden: Vec<Range<usize>>,
}

/// How a function is made.
pub(super) struct MadeDraft {
    /// The key `source`.
    pub(super) span: Range<usize>,
    /// A value was refused, so that it says nothing about whether two gates agree.
    pub(super) broken: bool,
    pub(super) source: Option<Spanned<String>>,
    pub(super) runtime: Option<Spanned<Runtime>>,
    pub(super) handler: Option<Spanned<String>>,
    pub(super) timeout_seconds: Option<u32>,
    pub(super) memory_mb: Option<u32>,
    pub(super) environment: Variables,
    pub(super) role: Option<Spanned<RoleArn>>,
    pub(super) tags: BTreeMap<String, String>,
    /// What became of the source, once it was read.
    pub(super) package: Option<Package>,
}

pub(super) static FUNCTION: Schema = Schema {
    title: "[gates.function]",
    keys: &[
        key("account", "account = \"dev\""),
        key("name", "name = \"MyFunction\""),
        optional("region", "region = \"us-east-1\""),
        optional("source", "source = \"validate.py\""),
        optional("runtime", "runtime = \"python3.13\""),
        optional("handler", "handler = \"validate.handler\""),
        optional("timeout_seconds", "timeout_seconds = 60"),
        optional("memory_mb", "memory_mb = 128"),
        optional("environment", "environment = { LEVEL = \"strict\" }"),
        optional(
            "role",
            "role = \"arn:aws:iam::222222222222:role/function-role\"",
        ),
        optional("tags", "tags = { team = \"checkout\" }"),
    ],
};

/// Reads the table.
pub(super) fn read(table: &Table<'_>, problems: &mut Vec<ManifestError>) -> FunctionDraft {
    let mut hidden = Vec::new();
    if let Some(entry) = table.get("environment")
        && entry.value.as_table().is_none()
    {
        hidden.push(entry.span);
    }
    let before = problems.len();
    let made = MadeDraft {
        span: table.key_span("source").unwrap_or_default(),
        broken: false,
        source: table.parsed("source", source, problems),
        runtime: table.parsed("runtime", Runtime::parse, problems),
        handler: table.parsed("handler", handler, problems),
        timeout_seconds: table.integer("timeout_seconds", &(1..=900), problems),
        memory_mb: table.integer("memory_mb", &(128..=10_240), problems),
        environment: variables::read(table, &mut hidden, problems),
        role: table.parsed("role", RoleArn::parse, problems),
        tags: tags::read(table, "function", problems),
        package: None,
    };
    let made = if table.key_span("source").is_some() {
        incomplete(&made, table, problems);
        let broken = problems.len() > before;
        Some(MadeDraft { broken, ..made })
    } else {
        sourceless(table, problems);
        None
    };
    FunctionDraft {
        account: table.parsed("account", AccountName::new, problems),
        name: table.parsed("name", function_name, problems),
        region: table.parsed("region", Region::new, problems),
        made,
        hidden,
    }
}

/// Keys that would say how a function is made, where nothing is there to make it of.
fn sourceless(table: &Table<'_>, problems: &mut Vec<ManifestError>) {
    let mut written: Vec<(Range<usize>, &str)> = MAKING
        .iter()
        .filter_map(|key| Some((table.key_span(key)?, *key)))
        .collect();
    written.sort_by_key(|(span, _)| span.start);
    let Some((span, _)) = written.first() else {
        return;
    };
    let keys: Vec<String> = written.iter().map(|(_, key)| format!("`{key}`")).collect();
    let (keys, needs) = match keys.as_slice() {
        [one] => (one.clone(), "needs"),
        many => (many.join(", "), "need"),
    };
    problems.push(
        ManifestError::new(span.clone(), format!("{keys} {needs} `source`"))
            .label("of a function that is not made here")
            .help(format!(
                "add `source = \"FILE OR FOLDER\"` to make the function, or remove {keys}: without `source` the function \
                 must be there, and only its permissions are touched"
            )),
    );
}

/// What a function cannot be made without.
fn incomplete(made: &MadeDraft, table: &Table<'_>, problems: &mut Vec<ManifestError>) {
    let own = made.runtime.as_ref().map(|found| found.get_ref().family) == Some(Family::Provided);
    let mut missing = Vec::new();
    let (runtime, handler) = examples(made.source.as_ref().map(|source| source.get_ref().as_str()));
    if table.key_span("runtime").is_none() {
        missing.push(("`runtime`", runtime));
    }
    if table.key_span("handler").is_none() && !own {
        missing.push(("`handler`", handler));
    }
    if missing.is_empty() {
        return;
    }
    let keys: Vec<&str> = missing.iter().map(|(key, _)| *key).collect();
    let keys = keys.join(" and ");
    let lines: Vec<String> = missing.into_iter().map(|(_, line)| line).collect();
    problems.push(
        ManifestError::new(made.span.clone(), format!("`source` needs {keys}"))
            .label("what runs it?")
            .help(format!("add\n{}", lines.join("\n"))),
    );
}

/// What would be written for a source, by its name.
fn examples(source: Option<&str>) -> (String, String) {
    let source = Path::new(source.unwrap_or_default());
    let ending = source.extension().and_then(|end| end.to_str());
    let stem = source.file_stem().and_then(|stem| stem.to_str());
    let (runtime, module) = match ending {
        Some("js" | "mjs" | "cjs") => ("nodejs22.x", stem),
        Some("py") => ("python3.13", stem),
        Some(_) | None => ("python3.13", None),
    };
    let module = module.unwrap_or("validate");
    (
        format!("runtime = \"{runtime}\""),
        format!("handler = \"{module}.handler\""),
    )
}

fn source(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        Err("`source` names a file or a folder")
    } else if text.chars().any(char::is_control) {
        Err("a path has no control characters")
    } else {
        Ok(text.to_owned())
    }
}

/// `[^\s]+`, 128 characters at most (api: CreateFunction, Handler).
fn handler(text: &str) -> Result<String, &'static str> {
    if !(1..=128).contains(&text.chars().count()) {
        Err("a handler has 1 to 128 characters")
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Err("a handler has no white space")
    } else {
        Ok(text.to_owned())
    }
}

fn function_name(text: &str) -> Result<FunctionName, String> {
    FunctionName::new(text).map_err(|error| {
        if text.contains(':') {
            format!("{error}; an ARN, a version or an alias cannot be given here")
        } else {
            error.to_string()
        }
    })
}

impl FunctionDraft {
    /// The table as values; `None` where something was refused.
    pub(super) fn finish(self) -> Option<FunctionConfig> {
        let Self {
            account,
            name,
            region,
            made,
            hidden: _,
        } = self;
        let made = match made {
            Some(made) => Some(made.finish()?),
            None => None,
        };
        Some(FunctionConfig {
            account: account?.into_inner(),
            name: name?.into_inner(),
            region: region.map(Spanned::into_inner),
            made,
        })
    }
}

impl MadeDraft {
    /// The handler, written or by default.
    pub(super) fn handler(&self) -> &str {
        self.handler
            .as_ref()
            .map_or(OF_BOOTSTRAP, |handler| handler.get_ref())
    }

    fn finish(self) -> Option<MadeFunctionConfig> {
        let handler = self.handler().to_owned();
        let Self {
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
        } = self;
        Some(MadeFunctionConfig {
            package: package?,
            runtime: runtime?.into_inner().id.to_owned(),
            handler,
            timeout_seconds,
            memory_mb,
            environment,
            role: role.map(Spanned::into_inner),
            tags,
        })
    }
}
