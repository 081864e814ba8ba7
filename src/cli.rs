//! The command line, as clap types only: what may be written, not what it does.
//! Nothing here reads a file or decides anything.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Wires a CodePipeline in one AWS account to a Lambda function in another, as a gate in the middle of a release.
#[derive(Debug, Parser)]
#[command(name = "crossgate", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// The flags that every command takes.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; in sync; proven
  1  failed, and nothing was changed
  2  usage or manifest error
  3  drift (check), changes pending (plan --exit-code), a hop refuted (verify)
  4  incomplete: something could not be read, or a hop could not be proven
  5  partly applied: running it again continues";

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show what bootstrap (or teardown) would do; changes nothing
    Plan(PlanArgs),
    /// Put the gates there: roles, policies, and the action in the pipeline
    #[command(visible_alias = "apply")]
    Bootstrap,
    /// Say what is not as the manifest wants it, for CI; changes nothing
    Check(CheckArgs),
    /// Prove each hop of the gates from the policies as they are; changes nothing
    Verify(VerifyArgs),
    /// Take the gates away again; removes only what crossgate made
    Teardown,
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
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Prove each hop too, as `verify` does, from the same reads
    #[arg(long)]
    pub verify: bool,
    /// The flags of `verify`.
    #[command(flatten)]
    pub hops: VerifyArgs,
}

/// Flags of `verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Service control policies: a document, or levels [{target, policies}]; for all accounts, or for one
    #[arg(long, value_name = "[ACCOUNT=]FILE")]
    pub scp_file: Vec<String>,
    /// Resource control policies, in the same form
    #[arg(long, value_name = "[ACCOUNT=]FILE")]
    pub rcp_file: Vec<String>,
    /// Ask IAM's own simulator too, and show where it disagrees
    #[arg(long)]
    pub simulate: bool,
}

/// The flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The manifest [default: crossgate.toml, here or in a parent folder] [env: CROSSGATE_CONFIG]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Only this gate (may be given several times); the others are kept as they are
    #[arg(long, global = true, value_name = "NAME")]
    pub gate: Vec<String>,
    /// How the result is written to standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Ask no question; needed where there is no terminal
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Take roles and actions that are there and not crossgate's as they are, and add to them
    #[arg(long, global = true)]
    pub adopt: bool,
    /// Remove policies from crossgate's invoke roles that crossgate did not put there
    #[arg(long, global = true)]
    pub remove_unexpected: bool,
    /// Send this environment variable's value where AWS masks a secret of the pipeline (may be given several times)
    #[arg(long, global = true, value_name = "STAGE/ACTION/KEY=env:NAME")]
    pub secret: Vec<String>,
    /// Show whole documents; twice: every AWS call, on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one object, `format_version` 1.
    Json,
}
