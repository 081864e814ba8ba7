//! A manifest of one gate as a value, and its text: commented, and parsed again before anyone gets it.
//! Values stand in the text only as a TOML writer writes them; none stands in a comment.

use std::path::Path;

use toml::Value;

use crate::config::{self, ManifestErrors};
use crate::model::account::{AccountId, Region};
use crate::model::name::{FunctionName, GateName, PipelineName, Project, RoleName, RolePath};
use crate::model::wiring::{GateAction, Placement};

/// The name of the pipeline's account in the manifest.
pub const TOOLS: &str = "tools";
/// The name of the function's account in the manifest.
pub const DEV: &str = "dev";

/// `timeout_seconds` of a function that is made: Lambda's default of 3 leaves a check no time.
const TIMEOUT: i64 = 30;

/// Where the comment of a line begins.
const COLUMN: usize = 37;

/// A manifest of one gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The namespace.
    pub project: Project,
    /// The pipeline's account.
    pub tools: AccountDraft,
    /// The function's account; none where both are one, with the same credentials.
    pub dev: Option<AccountDraft>,
    /// The gate.
    pub gate: GateName,
    /// The pipeline's region.
    pub region: Region,
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The action.
    pub action: GateAction,
    /// The function.
    pub function: FunctionName,
    /// The function's region where it is not the pipeline's.
    pub function_region: Option<Region>,
    /// What the function is made of; none where it is there.
    pub source: Option<Source>,
    /// The role of a wiring that is there.
    pub invoke_role: Option<(RoleName, RolePath)>,
}

/// An account of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDraft {
    /// Its id.
    pub id: AccountId,
    /// Its profile; none for the default credential chain.
    pub profile: Option<String>,
}

/// What a function is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, relative to the manifest.
    pub file: String,
    /// Which handler it is.
    pub handler: Handler,
}

/// The handlers that come with crossgate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Python with boto3.
    Python,
    /// Node.js with the AWS SDK v3.
    Node,
}

impl Handler {
    /// The file's name.
    pub fn file(self) -> &'static str {
        match self {
            Self::Python => "handler.py",
            Self::Node => "handler.mjs",
        }
    }

    /// `runtime` of the manifest.
    pub fn runtime(self) -> &'static str {
        match self {
            Self::Python => "python3.13",
            Self::Node => "nodejs22.x",
        }
    }

    /// `handler` of the manifest: the file without its ending, and the function in it.
    pub fn entry(self) -> &'static str {
        "handler.handler"
    }
}

/// The manifest's text. `code`: what the file of [`Draft::source`] will hold, which is packed as `bootstrap` packs it.
///
/// # Errors
/// The manifest would be refused: what a manifest refuses beyond single values, such as a role's name that gets too long.
pub fn manifest(draft: &Draft, path: &Path, code: &str) -> Result<String, ManifestErrors> {
    let text = draft.render();
    let beside = Beside {
        source: draft.source.as_ref(),
        code,
    };
    config::from_text_with(path, &text, &beside).map(|_| text)
}

/// The file that is going to stand beside the manifest.
struct Beside<'a> {
    source: Option<&'a Source>,
    code: &'a str,
}

impl config::Sources for Beside<'_> {
    fn read(&self, source: &str) -> Result<config::Source, config::SourceError> {
        match self.source {
            Some(Source { file, handler: _ }) if file == source => {
                let content = self.code.as_bytes().to_vec();
                let new = config::SourceFile {
                    executable: false,
                    content,
                };
                Ok(config::Source::Files([(file.clone(), new)].into()))
            }
            Some(_) | None => Err(config::SourceError::Missing {
                path: source.to_owned(),
                folder: "the manifest's folder".to_owned(),
            }),
        }
    }
}

impl Draft {
    /// The text, not yet held against what a manifest may say.
    pub(super) fn render(&self) -> String {
        let Self {
            project,
            tools,
            dev,
            gate,
            region: _,
            pipeline: _,
            action: _,
            function: _,
            function_region: _,
            source: _,
            invoke_role: _,
        } = self;
        let mut page = Page::default();
        page.text(
            "#:schema ./crossgate.schema.json\n\
             # Written by `crossgate init`. Look at it with `crossgate plan`, which changes nothing.\n\
             # Unknown keys are errors; lines that begin with `#` and a key show an optional key.\n\
             # Editors with taplo complete and check this file by the schema above; `crossgate schema` prints it anew.\n\n\
             # The namespace of everything that this manifest owns in AWS: 1 to 32 of a-z, 0-9 and `-`.\n\
             # Do not change it later: what was made under the old name would no longer be recognised.\n",
        );
        page.key("project", project.as_str(), "");
        page.text("\n# The accounts. Credentials of another account than `id` stop the run before any write.\n\n");
        account(&mut page, TOOLS, tools);
        if let Some(dev) = dev {
            page.text("\n");
            account(&mut page, DEV, dev);
        }
        page.text("\n# One `[[gates]]` for each function that a pipeline asks before it goes on.\n\n[[gates]]\n");
        page.key("name", gate.as_str(), "unique in the manifest");
        page.text("\n# The pipeline, and the action in it that is the gate.\n[gates.pipeline]\n");
        self.pipeline(&mut page);
        self.function(&mut page);
        self.role(&mut page);
        page.0
    }

    fn pipeline(&self, page: &mut Page) {
        let GateAction {
            stage,
            name,
            placement,
            run_order,
            user_parameters,
            input_artifacts,
            output_artifacts,
            namespace,
            timeout_minutes,
        } = &self.action;
        page.key("account", TOOLS, "");
        page.key("region", self.region.as_str(), "");
        page.key("name", self.pipeline.as_str(), "");
        let made = "made if it is absent; an existing stage gets the action added";
        page.key("stage", stage.as_str(), made);
        page.key("action", name.as_str(), "unique in the stage");
        match placement {
            Some(Placement::After(stage)) => {
                page.key(
                    "after",
                    stage.as_str(),
                    "where a new stage goes; or `before`",
                );
            }
            Some(Placement::Before(stage)) => {
                page.key(
                    "before",
                    stage.as_str(),
                    "where a new stage goes; or `after`",
                );
            }
            None => {}
        }
        if let Some(order) = run_order {
            page.key("run_order", i64::from(*order), "");
        }
        if let Some(text) = user_parameters {
            page.key("user_parameters", text.as_str(), "");
        }
        for (key, names) in [
            ("input_artifacts", input_artifacts),
            ("output_artifacts", output_artifacts),
        ] {
            if let Some(names) = names {
                let names: Vec<Value> = names.iter().map(|n| n.as_str().into()).collect();
                page.key(key, names, "");
            }
        }
        if let Some(namespace) = namespace {
            page.key("namespace", namespace.as_str(), "");
        }
        if let Some(minutes) = timeout_minutes {
            page.key("timeout_minutes", i64::from(*minutes), "");
        }
        if user_parameters.is_none() {
            page.text("# user_parameters = { level = \"strict\" }    # what the function gets: a string, or a table that is sent as JSON\n");
        }
        if input_artifacts.is_none() {
            page.text(
                "# input_artifacts = [\"BuildOutput\"]  # five at most, made by earlier actions\n",
            );
        }
        page.text(
            "# A key that is not written is not owned: whatever stands in the pipeline stays.\n",
        );
    }

    fn function(&self, page: &mut Page) {
        let answers = "it must answer with PutJobSuccessResult or PutJobFailureResult";
        page.text("\n# The function that decides: ");
        page.text(match self.source {
            Some(_) => "made by `crossgate bootstrap` from the file beside this manifest.\n",
            None => "it must exist, and ",
        });
        if self.source.is_none() {
            page.text(answers);
            page.text(".\n");
        }
        page.text("[gates.function]\n");
        let account = if self.dev.is_some() { DEV } else { TOOLS };
        page.key("account", account, "");
        page.key(
            "name",
            self.function.as_str(),
            "the name only: no ARN, version or alias",
        );
        if let Some(region) = &self.function_region {
            page.key("region", region.as_str(), "");
        }
        if let Some(Source { file, handler }) = &self.source {
            page.key(
                "source",
                file.as_str(),
                "a file or folder, relative to this manifest",
            );
            page.key("runtime", handler.runtime(), "");
            page.key(
                "handler",
                handler.entry(),
                "the file without its ending, and the function in it",
            );
            page.key(
                "timeout_seconds",
                TIMEOUT,
                "what the check takes, and ten seconds to answer",
            );
        }
    }

    fn role(&self, page: &mut Page) {
        match &self.invoke_role {
            Some((name, path)) => {
                page.text(
                    "\n# The role through which the pipeline invokes the function. It is there already: `crossgate bootstrap --adopt` puts\n\
                     # crossgate's grants beside its own, and `teardown` gives it back as it was.\n[gates.invoke_role]\n",
                );
                page.key("name", name.as_str(), "");
                if *path != RolePath::default() {
                    page.key("path", path.as_str(), "");
                }
            }
            None => page.text(
                "\n# The role in the function's account through which the pipeline invokes the function. Optional, all of it.\n\
                 # [gates.invoke_role]\n\
                 # name = \"CodePipeline-InvokeRole\"   # default: crossgate-<project>-<gate>\n\
                 # permissions_boundary = \"arn:aws:iam::222222222222:policy/Boundary\"\n",
            ),
        }
    }
}

fn account(page: &mut Page, name: &'static str, account: &AccountDraft) {
    let AccountDraft { id, profile } = account;
    page.text("[accounts.");
    page.text(name);
    page.text("]\n");
    page.key("id", id.as_str(), "");
    match profile {
        Some(profile) => page.key("profile", profile.as_str(), ""),
        None => page.text(
            "# profile = \"NAME\"                   # without it, the default credential chain\n",
        ),
    }
}

/// The text so far.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Text of this program.
    fn text(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// A key with its value as TOML, and a comment of this program.
    fn key(&mut self, key: &'static str, value: impl Into<Value>, comment: &'static str) {
        let mut line = format!("{key} = {}", value.into());
        if !comment.is_empty() {
            let width = line.chars().count();
            line.push_str(&" ".repeat(COLUMN.saturating_sub(width).max(2)));
            line.push_str("# ");
            line.push_str(comment);
        }
        self.0.push_str(&line);
        self.0.push('\n');
    }
}
