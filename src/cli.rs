//! The command line, as clap types only: what may be written, not what it does.
//! Nothing here reads a file or decides anything.

mod examples;
mod help;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use help::{command, version};

/// Headings of `--help`, for the flags that every command takes.
const MANIFEST: &str = "Manifest";
const CHANGES: &str = "What may be changed";
const OUTPUT: &str = "Output";

/// Wires a CodePipeline in one AWS account to a Lambda function in another, as a gate in the middle of a release.
#[derive(Debug, Parser)]
#[command(
    name = "crossgate",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// The flags that every command takes.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Write a manifest: by asking, from a pipeline that is there, or from flags; overwrites nothing
    ///
    /// In a terminal, `crossgate init` asks for what no flag says: profiles, pipeline, function, place. `--yes` takes what it
    /// would propose; `--gate` names the gate. A gate that somebody wired by hand is described as it is, for `bootstrap --adopt`.
    Init(Box<InitArgs>),
    /// Show what bootstrap (or teardown) would do; changes nothing
    Plan(PlanArgs),
    /// Put the gates there: roles, policies, and the action in the pipeline
    #[command(visible_alias = "apply")]
    Bootstrap,
    /// Say what is not as the manifest wants it, for CI; changes nothing
    Check(CheckArgs),
    /// Prove each hop of the gates from the policies as they are; changes nothing
    Verify(ProveArgs),
    /// Put the JSON of partitions together: the result and exit code of one run about all; needs no manifest and no AWS
    Merge(MergeArgs),
    /// Take the gates away again; removes only what crossgate made
    Teardown,
    /// Remove what gates left behind that are not in the manifest any more, as `check --orphans` shows it
    ///
    /// Looks in all accounts of the manifest for what carries the project's tag or names and no gate needs. Another manifest of the
    /// same project name would lose its gates: names of projects must differ.
    Prune,
    /// Put a saved pipeline document back, as a plan that is shown and confirmed; no role and no policy
    ///
    /// A backup knows its pipeline: account and name by the document, the region by the file's name; so does what `aws codepipeline
    /// get-pipeline` prints. The account must be in the manifest, whose credentials for it are used. The document as it is now is
    /// saved before it is replaced. A pipeline that was deleted must be made first.
    Restore(RestoreArgs),
    /// Start the pipeline and follow it until its gate has answered
    Run(RunArgs),
    /// Say why a gate does not work, with the evidence and what mends it; changes nothing
    Diagnose(DiagnoseArgs),
    /// Show what a code of diagnose means: without a code, all of them
    Explain(ExplainArgs),
    /// Draw accounts, roles, policies, stages and hops: --format mermaid (default), dot, svg or html; changes nothing
    ///
    /// Without --from the picture shows what the manifest wants, and no AWS account is asked. The picture goes to standard
    /// output: crossgate graph --format html --from check > gates.html
    Graph(GraphArgs),
    /// Decide requests and compare documents, from files: needs no manifest and no AWS
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print the least-privilege policy that whoever runs a command needs, by account
    Permissions(PermissionsArgs),
    /// Run two AWS accounts of your own on this machine, with a pipeline and a function, until Ctrl-C
    Sandbox(SandboxArgs),
    /// Tell the whole story on an AWS inside this program: needs no account, and no network
    Demo(DemoArgs),
    /// Print the JSON Schema of the manifest, with which editors complete and check it
    ///
    /// Save it beside the manifest, and let the manifest's first line be `#:schema ./crossgate.schema.json`, as `init` writes it:
    /// Even Better TOML and taplo then complete keys, explain them, and underline mistakes.
    Schema,
    /// Print what makes a shell complete commands, flags, and the names of gates and accounts
    ///
    /// Have the shell's start-up file source what is printed, rather than a copy of it: it fits this version of crossgate. Gates and
    /// accounts are those of the manifest that is found from the current folder, or that `--config` names; no AWS account is asked.
    Completions(CompletionsArgs),
    /// Write manual pages, for packagers
    #[command(hide = true)]
    Man(ManArgs),
}

/// The commands of `policy`. `-` is standard input.
#[derive(Debug, Clone, Subcommand)]
pub enum PolicyCommand {
    /// Decide requests: a JSON line a case in, a JSON line an answer out
    ///
    /// A case is {id, request, policies, expected?}. Exits with 3 where a decision is not the expected one, and with 2 where a
    /// line is no case; the other lines are answered all the same.
    Simulate {
        /// The cases, a JSON object a line; `-` is standard input
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
    },
    /// Say whether two documents grant the same, however they are written, and if not, what differs
    ///
    /// Exits with 0 where they grant the same, with 3 where not, with 2 where one is no policy document.
    Diff(PolicyDiffArgs),
}

/// Flags of `policy diff`.
#[derive(Debug, Clone, Args)]
pub struct PolicyDiffArgs {
    /// The first document, as JSON or percent-encoded as AWS returns it; `-` is standard input
    #[arg(required_unless_present = "cases", value_name = "A")]
    pub a: Option<PathBuf>,
    /// The second document
    #[arg(required_unless_present = "cases", value_name = "B")]
    pub b: Option<PathBuf>,
    /// Many pairs instead: a JSON object {name, a, b, equivalent?} a line; a JSON line an answer comes out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["a", "b"])]
    pub cases: Option<PathBuf>,
}

/// Flags of `permissions`.
#[derive(Debug, Clone, Args)]
pub struct PermissionsArgs {
    /// The commands that the policy is for; several make one policy for all of them
    #[arg(required = true, value_enum, value_name = "COMMAND")]
    pub commands: Vec<PermissionsFor>,
    /// Only this account, as a bare policy document
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// The ARN of a pipeline's service role (may be given several times); without it, any role of the account is allowed
    #[arg(long, value_name = "ARN")]
    pub service_role: Vec<String>,
    /// The ARN of a function's execution role (may be given several times); without it, any role of the account is allowed
    #[arg(long, value_name = "ARN")]
    pub execution_role: Vec<String>,
    /// Read both from AWS: GetPipeline and GetFunctionConfiguration of the gates
    #[arg(long, conflicts_with_all = ["service_role", "execution_role"])]
    pub resolve: bool,
    /// For `check --orphans`
    #[arg(long)]
    pub orphans: bool,
    /// For `verify --simulate`
    #[arg(long)]
    pub simulate: bool,
    /// For `verify --organizations ACCOUNT`
    #[arg(long, value_name = "ACCOUNT")]
    pub organizations: Option<String>,
}

/// The commands that `permissions` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PermissionsFor {
    /// `plan`.
    Plan,
    /// `check`.
    Check,
    /// `bootstrap`.
    #[value(alias = "apply")]
    Bootstrap,
    /// `teardown`.
    Teardown,
    /// `verify`.
    Verify,
    /// `run`.
    Run,
    /// `diagnose`.
    Diagnose,
    /// `init`.
    Init,
    /// `prune`.
    Prune,
    /// `restore`, of the manifest's pipelines.
    Restore,
}

/// Flags of `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// The shells that can be told what completes a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
    /// PowerShell.
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
    /// Elvish.
    Elvish,
}

/// Flags of `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder; without it, the page of crossgate itself goes to standard output
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Flags of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// No pauses between the scenes
    #[arg(long)]
    pub fast: bool,
}

/// Flags of `sandbox`.
#[derive(Debug, Clone, Args)]
pub struct SandboxArgs {
    /// Where the AWS config, the credentials and a manifest are written
    #[arg(long, value_name = "FOLDER", default_value = ".crossgate-sandbox")]
    pub dir: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Your own gate function, run by python3 (.py) or node (.js, .mjs, .cjs): `handler` or `lambda_handler` in it; any other
    /// file is an executable that speaks Lambda's Runtime API
    #[arg(long, value_name = "FILE")]
    pub handler: Option<PathBuf>,
    /// Keep the accounts in this file from one run to the next
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// So many times faster than real time: 1200 makes twenty minutes a second
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub speed: u32,
    /// Of all ids: the same seed gives the same
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Flags of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Read this pipeline: its stages, and the wiring that it may hold
    #[arg(long, value_name = "NAME")]
    pub from_pipeline: Option<String>,
    /// The pipeline, read from nowhere: the manifest is made of flags alone, without AWS
    #[arg(long, value_name = "NAME", conflicts_with = "from_pipeline")]
    pub pipeline: Option<String>,
    /// The profile of the pipeline's account; empty for the default credential chain
    #[arg(long, value_name = "PROFILE")]
    pub tools_profile: Option<String>,
    /// The profile of the function's account; empty for the default credential chain
    #[arg(long, value_name = "PROFILE")]
    pub dev_profile: Option<String>,
    /// The id of the pipeline's account [default: that of the profile]
    #[arg(long, value_name = "ID")]
    pub tools_id: Option<String>,
    /// The id of the function's account [default: that of the profile]
    #[arg(long, value_name = "ID")]
    pub dev_id: Option<String>,
    /// The pipeline's region [default: AWS_REGION, or the profile's]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The function that decides [default: the one that the pipeline invokes already, if it is one]
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// The function's region [default: the pipeline's, or the profile's where the function is there]
    #[arg(long, value_name = "REGION")]
    pub function_region: Option<String>,
    /// The namespace of what the manifest owns [default: after the pipeline]
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// The stage, new or there
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    /// The action
    #[arg(long, value_name = "NAME")]
    pub action: Option<String>,
    /// The new stage goes directly after this one [default: the last that deploys or tests before production]
    #[arg(long, value_name = "STAGE", conflicts_with = "before")]
    pub after: Option<String>,
    /// The new stage goes directly before this one
    #[arg(long, value_name = "STAGE")]
    pub before: Option<String>,
    /// Put a handler beside the manifest, and have bootstrap make the function of it
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub handler: Option<HandlerKind>,
    /// Write the manifest to standard output, and no file
    #[arg(long, conflicts_with = "handler")]
    pub print: bool,
}

/// The handlers that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HandlerKind {
    /// Python with boto3.
    Python,
    /// Node.js with the AWS SDK v3.
    Node,
}

/// Flags of `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Exit with 3 where changes are pending
    #[arg(long)]
    pub exit_code: bool,
    /// Show what teardown would do
    #[arg(long)]
    pub teardown: bool,
    /// Reports beside standard output.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Prove each hop too, as `verify` does, from the same reads
    #[arg(long)]
    pub verify: bool,
    /// Show what is left of gates that are not in the manifest any more, too; `prune` removes it
    #[arg(long)]
    pub orphans: bool,
    /// The flags of `verify`.
    #[command(flatten)]
    pub hops: VerifyArgs,
    /// Reports beside standard output.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// All flags of `verify`.
#[derive(Debug, Clone, Args)]
pub struct ProveArgs {
    /// Those that `check --verify` takes too.
    #[command(flatten)]
    pub hops: VerifyArgs,
    /// Reports beside standard output.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// Reports beside standard output.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// Write the result to a file too, in a format of its own (may be given several times): --output junit=report.xml
    #[arg(long, value_name = "FORMAT=FILE", value_parser = ReportFile::parse)]
    pub output: Vec<ReportFile>,
}

/// A report and the file that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// How it is written.
    pub format: ReportFormat,
    /// Where to.
    pub path: PathBuf,
}

impl ReportFile {
    /// Parses `FORMAT=FILE`.
    fn parse(text: &str) -> Result<Self, String> {
        let Some((format, path)) = text.split_once('=') else {
            return Err("FORMAT=FILE is expected, for example junit=report.xml".to_owned());
        };
        let format = ReportFormat::from_str(format, false).map_err(|_| {
            let all = ReportFormat::value_variants().iter();
            let names: Vec<&str> = all.map(|format| format.as_str()).collect();
            format!("`{format}` is no format: {}", names.join(", "))
        })?;
        if path.is_empty() {
            return Err(format!("no file is named: {}=FILE", format.as_str()));
        }
        Ok(Self {
            format,
            path: PathBuf::from(path),
        })
    }
}

/// Flags of `verify` that say what is proven, and with what.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Service control policies: a document, or levels [{target, policies}]; for all accounts, or for one
    #[arg(long, value_name = "[ACCOUNT=]FILE")]
    pub scp_file: Vec<String>,
    /// Resource control policies, in the same form
    #[arg(long, value_name = "[ACCOUNT=]FILE")]
    pub rcp_file: Vec<String>,
    /// Read both from AWS Organizations, with the credentials of this account of the manifest: the management account, or a
    /// delegated administrator
    #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["scp_file", "rcp_file"])]
    pub organizations: Option<String>,
    /// Ask IAM's own simulator too, and show where it disagrees
    #[arg(long)]
    pub simulate: bool,
}

/// Flags of `graph`.
#[derive(Debug, Clone, Args)]
pub struct GraphArgs {
    /// Colour it by what this command finds: plan, check or verify; or by its saved JSON result
    #[arg(long, value_name = "plan|check|verify|FILE.json")]
    pub from: Option<PathBuf>,
    /// How it is drawn, on standard output
    // The id is that of the `--format` of all commands, in whose place it stands.
    #[arg(id = "report", long = "format", value_parser = pictures(), default_value = "mermaid", value_name = "FORMAT")]
    pub format: ReportFormat,
    /// The flags of `verify`, for `--from verify`.
    #[command(flatten)]
    pub hops: VerifyArgs,
}

/// Flags of `restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The saved document: a file of `.crossgate/backup`, or what `aws codepipeline get-pipeline` printed
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The pipeline's region, where neither the file nor the manifest says it
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// Flags of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Follow this execution instead of starting one
    #[arg(long, value_name = "ID")]
    pub execution: Option<String>,
    /// Give up after this many minutes and exit with 4
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub timeout: u32,
    /// On Ctrl-C, stop the execution too; without it the execution goes on
    #[arg(long)]
    pub stop_on_interrupt: bool,
}

/// Flags of `merge`.
#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// What `plan`, `check` or `verify` printed with --format json; `-` is standard input; a file may hold several
    #[arg(required = true, value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// As of `plan`: exit with 3 where changes are pending
    #[arg(long)]
    pub exit_code: bool,
}

/// Flags of `diagnose`.
#[derive(Debug, Clone, Args)]
pub struct DiagnoseArgs {
    /// Look at this execution; without it, at the newest that came to the gate
    #[arg(long, value_name = "ID")]
    pub execution: Option<String>,
}

/// Flags of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The code, for example CG-401
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// The flags that every command takes.
#[derive(Debug, Clone, Args)]
// Each is a flag of its own on the command line: no two of them make a state.
#[allow(clippy::struct_excessive_bools)]
pub struct Common {
    /// The manifest [default: crossgate.toml, here or in a parent folder] [env: CROSSGATE_CONFIG]
    #[arg(short, long, global = true, value_name = "FILE", help_heading = MANIFEST)]
    pub config: Option<PathBuf>,
    /// Only this gate, or those that fit a pattern such as 'validate-*' (may be given several times); the others are kept as
    /// they are
    #[arg(long, global = true, value_name = "NAME", help_heading = MANIFEST)]
    pub gate: Vec<String>,
    /// Only the gates of this part of the functions' accounts, of as many runs side by side: hash:2/8 is the second of eight
    #[arg(long, global = true, value_name = "hash:N/OF", help_heading = MANIFEST, hide_short_help = true)]
    pub partition: Option<String>,
    /// How the result is written to standard output; `check`, `plan` and `verify` know all of these, the others text and json
    #[arg(long = "format", global = true, value_enum, default_value_t = ReportFormat::Text, help_heading = OUTPUT)]
    pub report: ReportFormat,
    /// The same for commands that know two; `commands` narrows it, and refuses what does not fit.
    #[arg(skip)]
    pub format: Format,
    /// Ask no question; needed where there is no terminal
    #[arg(short, long, global = true, help_heading = CHANGES)]
    pub yes: bool,
    /// Take roles and actions that are there and not crossgate's as they are, and add to them
    #[arg(long, global = true, help_heading = CHANGES)]
    pub adopt: bool,
    /// Remove policies from crossgate's invoke roles that crossgate did not put there
    #[arg(long, global = true, help_heading = CHANGES)]
    pub remove_unexpected: bool,
    /// Send this environment variable's value where AWS masks a secret of the pipeline (may be given several times)
    #[arg(long, global = true, value_name = "STAGE/ACTION/KEY=env:NAME", help_heading = CHANGES, hide_short_help = true)]
    pub secret: Vec<String>,
    /// Read a function's `source`, and a manifest that is a link, outside of the manifest's folder too; only for manifests that you trust
    #[arg(long, global = true, help_heading = MANIFEST, hide_short_help = true)]
    pub allow_outside: bool,
    /// Show whole documents; twice: every AWS call, on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = OUTPUT)]
    pub verbose: u8,
    /// Say nothing on standard error but errors, and questions that need an answer
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub quiet: bool,
    /// When to colour [default: auto: on a terminal, as NO_COLOR, CLICOLOR and CLICOLOR_FORCE say]
    #[arg(long, global = true, value_enum, value_name = "WHEN", help_heading = OUTPUT, hide_default_value = true, default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,
}

/// When there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless the environment says otherwise
    Auto,
    /// Wherever the result goes
    Always,
    /// Nowhere
    Never,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// For programs: one object, format_version 1
    Json,
    /// JUnit XML: a test case an object and hop
    Junit,
    /// SARIF 2.1.0, for code scanning: a result a finding, at the line of its gate
    Sarif,
    /// Annotations of GitHub Actions, and the step's summary
    Github,
    /// A comment for a pull request
    Markdown,
    // Those below are of `graph`, which has a `--format` of its own: no other command offers them.
    /// A flowchart as GitHub and GitLab draw it in Markdown
    #[value(skip)]
    Mermaid,
    /// A digraph for Graphviz
    #[value(skip)]
    Dot,
    /// A picture that stands on its own
    #[value(skip)]
    Svg,
    /// A page with the picture, and every hop and object in words
    #[value(skip)]
    Html,
}

/// The pictures that `graph` draws, by their names.
fn pictures() -> impl TypedValueParser<Value = ReportFormat> {
    let all = [
        (
            ReportFormat::Mermaid,
            "A flowchart as GitHub and GitLab draw it in Markdown",
        ),
        (ReportFormat::Dot, "A digraph for Graphviz"),
        (ReportFormat::Svg, "A picture that stands on its own"),
        (
            ReportFormat::Html,
            "A page with the picture, and every hop and object in words",
        ),
    ];
    let values = all.map(|(format, about)| PossibleValue::new(format.as_str()).help(about));
    PossibleValuesParser::new(values).try_map(move |name| {
        let mut formats = all.iter().map(|(format, _)| *format);
        let found = formats.find(|format| format.as_str() == name);
        found.ok_or("it is no picture")
    })
}

impl ReportFormat {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
            Self::Svg => "svg",
            Self::Html => "html",
        }
    }
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object, `format_version` 1.
    Json,
}
