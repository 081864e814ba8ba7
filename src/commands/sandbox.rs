//! `sandbox`: two accounts of one's own in the foreground, until Ctrl-C, for trials with any AWS tool.
//! Glue between the embedded AWS, a folder of files and the screen.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use crate::cli::{Common, Format, SandboxArgs};
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::model::account::AccountId;
use crate::output;
use crate::sandbox::{Builtin, ClockMode, Code, ConfigFiles, Sandbox, SandboxOptions, seed};

/// Seconds that a handler of one's own may take: more than Lambda's 3, as it starts an interpreter each time.
const HANDLER_TIMEOUT: u64 = 60;

/// The folder that nobody named.
const FOLDER: &str = ".crossgate-sandbox";

/// Refuses symbolic links in the place of what is written: a branch may hold one that leads to somebody's own credentials. A folder
/// that was named may be a link.
fn no_links(folder: &Path, is_named: bool) -> anyhow::Result<()> {
    let files = ["config", "credentials", "crossgate.toml"];
    let files = files.map(|name| folder.join(name)).into_iter();
    let own = (!is_named).then(|| folder.to_owned());
    for path in own.into_iter().chain(files) {
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            anyhow::bail!(
                "{} is a symbolic link, and the sandbox's files would be written where it leads: remove it, or name another folder \
                 with --dir",
                path.display()
            );
        }
    }
    Ok(())
}

pub(super) async fn run(
    common: Common,
    args: SandboxArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let current = environment.folder.as_deref().unwrap_or(Path::new("."));
    let folder = current.join(&args.dir);
    let is_named = args.dir.as_path() != Path::new(FOLDER);
    no_links(&folder, is_named)?;
    let state = args.state.as_ref().map(|file| current.join(file));
    let sandbox = Sandbox::start(SandboxOptions {
        seed: args.seed,
        clock: match args.speed {
            1 => ClockMode::Real,
            faster => ClockMode::Scaled(faster),
        },
        port: args.port,
        ..SandboxOptions::default()
    })?;
    let handler = args.handler.as_ref().map(|file| current.join(file));
    fill(&sandbox, state.as_deref(), handler)?;
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let files = sandbox.config_files(&folder)?;
    let manifest = manifest(&folder)?;
    output::write::result(&said(&sandbox, &files, &manifest, common.format))?;
    if common.format == Format::Text && !environment.quiet {
        output::write::notice(&more(&sandbox, &manifest));
    }
    interrupted().await?;
    if let Some(file) = state {
        save(&sandbox, &file)?;
    }
    Ok(ExitCode::Success)
}

/// The sample, or what an earlier sandbox kept; in either case with the handler that was asked for.
fn fill(sandbox: &Sandbox, state: Option<&Path>, handler: Option<PathBuf>) -> anyhow::Result<()> {
    let kept = match state.map(|file| (file, fs::read_to_string(file))) {
        None => None,
        Some((_, Ok(text))) => Some(text),
        Some((_, Err(error))) if error.kind() == ErrorKind::NotFound => None,
        Some((file, Err(error))) => {
            return Err(error).with_context(|| file.display().to_string());
        }
    };
    match kept {
        Some(text) => sandbox.restore(&text)?,
        None => drop(seed::two_accounts(
            sandbox,
            Code::Builtin(Builtin::Approve),
        )?),
    }
    if let Some(file) = handler {
        let dev = sandbox.admin(&AccountId::new(seed::DEV)?, seed::REGION);
        dev.set_code(seed::FUNCTION, Code::File(file))?;
        dev.set_timeout(seed::FUNCTION, HANDLER_TIMEOUT)?;
    }
    Ok(())
}

/// Writes the sample's manifest; one that is there may have been changed, and stays.
fn manifest(folder: &Path) -> anyhow::Result<PathBuf> {
    let file = folder.join("crossgate.toml");
    if !file.exists() {
        fs::write(&file, seed::manifest()).with_context(|| file.display().to_string())?;
    }
    Ok(file)
}

/// The result: three lines to paste into a shell, or an object.
fn said(sandbox: &Sandbox, files: &ConfigFiles, manifest: &Path, format: Format) -> String {
    match format {
        Format::Text => files
            .variables()
            .iter()
            .map(|(name, value)| ["export ", name, "=", &quoted(value), "\n"].concat())
            .collect(),
        Format::Json => {
            let environment: serde_json::Map<String, serde_json::Value> = files
                .variables()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            let object = json!({
                "format_version": 1,
                "command": "sandbox",
                "status": "running",
                "endpoint": sandbox.endpoint(),
                "environment": environment,
                "accounts": { "tools": seed::TOOLS, "dev": seed::DEV },
                "manifest": manifest.display().to_string(),
            });
            format!("{object}\n")
        }
    }
}

fn more(sandbox: &Sandbox, manifest: &Path) -> String {
    let manifest = quoted(&manifest.display().to_string());
    let (pipeline, function) = (seed::PIPELINE, seed::FUNCTION);
    format!(
        "\nThe sandbox answers at {}. Paste the lines above into another shell; then, for example:\n  \
         crossgate -c {manifest} bootstrap\n  \
         aws --profile tools codepipeline start-pipeline-execution --name {pipeline}\n  \
         aws --profile tools codepipeline get-pipeline-state --name {pipeline}\n  \
         aws --profile dev lambda get-function-configuration --function-name {function}\n\
         Profiles: tools ({}), dev ({}). Ctrl-C ends it.\n",
        sandbox.endpoint(),
        seed::TOOLS,
        seed::DEV,
    )
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:,+=@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Ctrl-C, or the polite end that a supervisor asks for.
#[cfg(unix)]
async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut ended = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = ended.recv() => Ok(()),
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
async fn interrupted() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Replaces the kept state as a whole, so that a full disk does not leave half of it.
fn save(sandbox: &Sandbox, file: &Path) -> anyhow::Result<()> {
    let text = sandbox.save()?;
    let new = file.with_extension("new");
    fs::write(&new, text).with_context(|| new.display().to_string())?;
    fs::rename(&new, file).with_context(|| file.display().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        use std::os::unix::fs::symlink;
        let (here, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = here.path().join(FOLDER);
        symlink(own.path(), &folder).unwrap();
        let why = no_links(&folder, false).unwrap_err().to_string();
        assert!(why.contains("is a symbolic link"), "{why}");
        no_links(&folder, true).unwrap();
        symlink("elsewhere", own.path().join("credentials")).unwrap();
        let why = no_links(&folder, true).unwrap_err().to_string();
        assert!(why.contains("credentials is a symbolic link"), "{why}");
        fs::remove_file(&folder).unwrap();
        no_links(&folder, false).unwrap();
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(quoted("/tmp/a-b/c.toml"), "/tmp/a-b/c.toml");
        assert_eq!(quoted("/tmp/my folder"), "'/tmp/my folder'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
