//! One `[[gates]]` as a draft: every value checked by itself, with its place, absent where it was refused.
//! May not compare one gate with another: `validate` does.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::ManifestError;
use super::function::{self, FunctionDraft};
use super::parameters;
use super::parse::TABLES;
use super::permissions_boundary::Boundary;
use super::schema::{GateConfig, InvokeRoleConfig, Lines};
use super::suggest::did_you_mean;
use super::table::{Key, Schema, Table, wrong_type};
use super::tags;
use crate::model::account::{AccountName, Region};
use crate::model::name::{
    ActionName, ArtifactName, GateName, Namespace, PipelineName, RoleName, RolePath, StageName,
};
use crate::model::wiring::{GateAction, PipelineKey, Placement, Trust};

/// The most artifacts of one direction (guide: reference-pipeline-structure, Lambda).
const MAX_ARTIFACTS: usize = 5;

/// One gate.
pub(super) struct GateDraft {
    /// Its header.
    pub(super) span: Range<usize>,
    pub(super) name: Option<Spanned<GateName>>,
    pub(super) pipeline: PipelineDraft,
    pub(super) function: FunctionDraft,
    pub(super) role: RoleDraft,
    /// `manage` of `[gates.artifacts]`.
    pub(super) manage_artifacts: Option<Spanned<bool>>,
}

/// `[gates.pipeline]`; empty where the table is missing.
#[derive(Default)]
pub(super) struct PipelineDraft {
    pub(super) account: Option<Spanned<AccountName>>,
    pub(super) region: Option<Spanned<Region>>,
    pub(super) name: Option<Spanned<PipelineName>>,
    pub(super) stage: Option<Spanned<StageName>>,
    pub(super) action: Option<Spanned<ActionName>>,
    pub(super) placement: Option<Spanned<Placement>>,
    pub(super) run_order: Option<u32>,
    pub(super) user_parameters: Option<String>,
    pub(super) input_artifacts: Option<Spanned<Vec<ArtifactName>>>,
    pub(super) output_artifacts: Option<Spanned<Vec<ArtifactName>>>,
    pub(super) namespace: Option<Spanned<Namespace>>,
    pub(super) timeout_minutes: Option<u32>,
}

/// `[gates.invoke_role]`; empty where the table is missing.
#[derive(Clone, Default)]
pub(super) struct RoleDraft {
    /// The header, where the table is written.
    pub(super) span: Option<Range<usize>>,
    /// A value in it was refused, so that it says nothing about whether two roles agree.
    pub(super) broken: bool,
    pub(super) name: Option<Spanned<RoleName>>,
    pub(super) path: Option<RolePath>,
    pub(super) boundary: Option<Spanned<Boundary>>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) trust: Option<Trust>,
    pub(super) list_functions: Option<bool>,
}

pub(super) const fn key(name: &'static str, example: &'static str) -> Key {
    Key {
        name,
        example,
        required: true,
    }
}

pub(super) const fn optional(name: &'static str, example: &'static str) -> Key {
    Key {
        name,
        example,
        required: false,
    }
}

pub(super) static GATE: Schema = Schema {
    title: "[[gates]]",
    keys: &[
        key("name", "name = \"validate\""),
        key("pipeline", "[gates.pipeline]"),
        key("function", "[gates.function]"),
        optional("invoke_role", "[gates.invoke_role]"),
        optional("for_each", "for_each = { account = [\"dev\", \"qa\"] }"),
        optional("artifacts", "[gates.artifacts]"),
    ],
};

/// True for a table that every gate has.
pub(super) fn needs(table: &str) -> bool {
    GATE.keys
        .iter()
        .any(|key| key.name == table && key.required)
}

pub(super) static PIPELINE: Schema = Schema {
    title: "[gates.pipeline]",
    keys: &[
        key("account", "account = \"tools\""),
        key("region", "region = \"us-east-1\""),
        key("name", "name = \"MyPipeline\""),
        key("stage", "stage = \"InvokeValidationLambda\""),
        key("action", "action = \"RunValidation\""),
        optional("after", "after = \"Deploy\""),
        optional("before", "before = \"Deploy\""),
        optional("run_order", "run_order = 1"),
        optional(
            "user_parameters",
            "user_parameters = { level = \"strict\" }",
        ),
        optional("input_artifacts", "input_artifacts = [\"BuildOutput\"]"),
        optional("output_artifacts", "output_artifacts = [\"Report\"]"),
        optional("namespace", "namespace = \"Validation\""),
        optional("timeout_minutes", "timeout_minutes = 30"),
    ],
};

pub(super) static INVOKE_ROLE: Schema = Schema {
    title: "[gates.invoke_role]",
    keys: &[
        optional("name", "name = \"DevAccount-CodePipeline-InvokeRole\""),
        optional("path", "path = \"/pipelines/\""),
        optional(
            "permissions_boundary",
            "permissions_boundary = \"arn:aws:iam::222222222222:policy/Boundary\"",
        ),
        optional("tags", "tags = { team = \"checkout\" }"),
        optional("trust", "trust = \"service-role\""),
        optional("list_functions", "list_functions = true"),
    ],
};

pub(super) static ARTIFACTS: Schema = Schema {
    title: "[gates.artifacts]",
    keys: &[key("manage", "manage = true")],
};

/// Reads a gate.
pub(super) fn read(
    span: Range<usize>,
    entries: &DeTable<'_>,
    problems: &mut Vec<ManifestError>,
) -> GateDraft {
    let gate = Table::open(&GATE, &TABLES, span, entries, problems);
    let name = gate.parsed("name", GateName::new, problems);
    let pipeline = gate.table("pipeline", problems).map(|(span, entries)| {
        let table = Table::open(&PIPELINE, &TABLES, span, entries, problems);
        pipeline(&table, problems)
    });
    let function = gate.table("function", problems).map(|(span, entries)| {
        let table = Table::open(&function::FUNCTION, &TABLES, span, entries, problems);
        function::read(&table, problems)
    });
    let role = gate.table("invoke_role", problems).map(|(span, entries)| {
        let before = problems.len();
        let table = Table::open(&INVOKE_ROLE, &TABLES, span, entries, problems);
        let role = role(&table, problems);
        RoleDraft {
            broken: problems.len() > before,
            ..role
        }
    });
    let manage_artifacts = gate
        .table("artifacts", problems)
        .and_then(|(span, entries)| {
            let table = Table::open(&ARTIFACTS, &TABLES, span, entries, problems);
            let span = table.key_span("manage")?;
            Some(Spanned::new(span, table.boolean("manage", problems)?))
        });
    GateDraft {
        span: gate.span,
        name,
        pipeline: pipeline.unwrap_or_default(),
        function: function.unwrap_or_default(),
        role: role.unwrap_or_default(),
        manage_artifacts,
    }
}

fn pipeline(table: &Table<'_>, problems: &mut Vec<ManifestError>) -> PipelineDraft {
    let after = table.parsed("after", StageName::new, problems);
    let before = table.parsed("before", StageName::new, problems);
    if let (Some(after), Some(before)) = (table.key_span("after"), table.key_span("before")) {
        let (first, second) = if after.start < before.start {
            (after, before)
        } else {
            (before, after)
        };
        problems.push(
            ManifestError::new(
                second,
                "a stage goes `after` another or `before` one, not both",
            )
            .label("placed for the second time")
            .related(first, "placed here")
            .help("keep one of the two"),
        );
    }
    let placement = match (after, before) {
        (Some(after), None) => Some(Spanned::new(
            after.span(),
            Placement::After(after.into_inner()),
        )),
        (None, Some(before)) => Some(Spanned::new(
            before.span(),
            Placement::Before(before.into_inner()),
        )),
        (Some(_), Some(_)) | (None, None) => None,
    };
    PipelineDraft {
        account: table.parsed("account", AccountName::new, problems),
        region: table.parsed("region", Region::new, problems),
        name: table.parsed("name", PipelineName::new, problems),
        stage: table.parsed("stage", StageName::new, problems),
        action: table.parsed("action", ActionName::new, problems),
        placement,
        run_order: table.integer("run_order", &(1..=999), problems),
        user_parameters: parameters::read(table, problems),
        input_artifacts: artifacts(table, "input_artifacts", problems),
        output_artifacts: artifacts(table, "output_artifacts", problems),
        namespace: table.parsed("namespace", Namespace::new, problems),
        timeout_minutes: table.integer("timeout_minutes", &(5..=86_400), problems),
    }
}

fn role(table: &Table<'_>, problems: &mut Vec<ManifestError>) -> RoleDraft {
    RoleDraft {
        span: Some(table.span.clone()),
        broken: false,
        name: table.parsed("name", RoleName::new, problems),
        path: table
            .parsed("path", RolePath::new, problems)
            .map(Spanned::into_inner),
        boundary: table.parsed("permissions_boundary", Boundary::parse, problems),
        tags: tags::read(table, "role", problems),
        trust: table
            .parsed("trust", trust, problems)
            .map(Spanned::into_inner),
        list_functions: table.boolean("list_functions", problems),
    }
}

fn trust(text: &str) -> Result<Trust, String> {
    match text {
        "service-role" => Ok(Trust::ServiceRole),
        "account" => Ok(Trust::Account),
        other => {
            let help = did_you_mean(other, "values", &["service-role", "account"]);
            Err(format!("`{other}` is not a kind of trust: {help}"))
        }
    }
}

fn artifacts(
    table: &Table<'_>,
    key: &str,
    problems: &mut Vec<ManifestError>,
) -> Option<Spanned<Vec<ArtifactName>>> {
    let (span, values) = table.array(key, "an array of strings", problems)?;
    let mut names = Vec::new();
    let mut places: BTreeMap<ArtifactName, Range<usize>> = BTreeMap::new();
    for value in values {
        let Some(name) = artifact(key, value, problems) else {
            continue;
        };
        if let Some(first) = places.insert(name.clone(), value.span()) {
            problems.push(
                ManifestError::new(value.span(), format!("artifact `{name}` stands here twice"))
                    .label("again")
                    .related(first, "first here")
                    .help("remove one of the two"),
            );
        }
        names.push(name);
    }
    if values.len() > MAX_ARTIFACTS {
        problems.push(
            ManifestError::new(
                span.clone(),
                format!(
                    "`{key}` has {} artifacts, and a Lambda action takes {MAX_ARTIFACTS} at most",
                    values.len()
                ),
            )
            .label("too many")
            .help("pack several files into one artifact in the action that makes them"),
        );
    }
    Some(Spanned::new(span, names))
}

fn artifact(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<ManifestError>,
) -> Option<ArtifactName> {
    let DeValue::String(text) = value.get_ref() else {
        let error = wrong_type(value.span(), key, "an array of strings", value.get_ref());
        problems.push(error.help(format!("write it as in `{key} = [\"BuildOutput\"]`")));
        return None;
    };
    match ArtifactName::new(text) {
        Ok(name) => Some(name),
        Err(error) => {
            problems.push(
                ManifestError::new(value.span(), error.to_string())
                    .label("not a valid artifact name")
                    .help("use the name that the pipeline's own actions give to the artifact"),
            );
            None
        }
    }
}

impl GateDraft {
    /// The gate as values; `None` where something was refused.
    pub(super) fn finish(self, lines: &Lines) -> Option<GateConfig> {
        let Self {
            span,
            name,
            pipeline,
            function,
            role,
            manage_artifacts,
        } = self;
        let (pipeline, action) = pipeline.finish()?;
        Some(GateConfig {
            name: name?.into_inner(),
            position: lines.position(span.start),
            pipeline,
            action,
            function: function.finish()?,
            invoke_role: role.finish(),
            manage_artifacts: manage_artifacts.map(Spanned::into_inner),
        })
    }
}

impl PipelineDraft {
    fn finish(self) -> Option<(PipelineKey, GateAction)> {
        let Self {
            account,
            region,
            name,
            stage,
            action,
            placement,
            run_order,
            user_parameters,
            input_artifacts,
            output_artifacts,
            namespace,
            timeout_minutes,
        } = self;
        let key = PipelineKey {
            account: account?.into_inner(),
            region: region?.into_inner(),
            name: name?.into_inner(),
        };
        let action = GateAction {
            stage: stage?.into_inner(),
            name: action?.into_inner(),
            placement: placement.map(Spanned::into_inner),
            run_order,
            user_parameters,
            input_artifacts: input_artifacts.map(Spanned::into_inner),
            output_artifacts: output_artifacts.map(Spanned::into_inner),
            namespace: namespace.map(Spanned::into_inner),
            timeout_minutes,
        };
        Some((key, action))
    }
}

impl RoleDraft {
    fn finish(self) -> InvokeRoleConfig {
        let Self {
            span: _,
            broken: _,
            name,
            path,
            boundary,
            tags,
            trust,
            list_functions,
        } = self;
        InvokeRoleConfig {
            name: name.map(Spanned::into_inner),
            path,
            permissions_boundary: boundary.map(|boundary| boundary.into_inner().text),
            tags,
            trust,
            list_functions,
        }
    }
}
