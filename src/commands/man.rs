//! `man`: manual pages, made of the same texts as `--help`.
//! Glue between clap_mangen and a folder.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap_mangen::Man;

use crate::cli::{self, ManArgs};
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::output;

pub(super) fn run(args: &ManArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let ManArgs { dir } = args;
    let mut command = cli::command(super::line::HELP_WIDTH);
    // Flags that every command takes are handed down, and each command gets the name of its page.
    command.build();
    let Some(dir) = dir else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        output::write::result(&String::from_utf8_lossy(&page))?;
        return Ok(ExitCode::Success);
    };
    let folder = environment.folder.as_deref().unwrap_or(Path::new("."));
    let folder = folder.join(dir);
    let what = || {
        format!(
            "the manual pages cannot be written into {}",
            folder.display()
        )
    };
    fs::create_dir_all(&folder).with_context(what)?;
    clap_mangen::generate_to(command, &folder).with_context(what)?;
    Ok(ExitCode::Success)
}
