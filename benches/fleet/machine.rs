//! On what, when and of which commit the figures are.
//! Reads what the system says; what it does not say is left out.

use std::fs;
use std::process::Command;

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The value of a line `NAME: VALUE`.
fn line(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let found = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = found.split_once(':')?;
    Some(value.trim().to_owned())
}

/// In one line.
pub(crate) fn line_of() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model =
        line("/proc/cpuinfo", "model name").unwrap_or_else(|| "an unknown processor".to_owned());
    let memory = line("/proc/meminfo", "MemTotal").and_then(|text| {
        let kib: u64 = text.trim_end_matches(" kB").parse().ok()?;
        Some(format!(", {} GiB of memory", kib.div_ceil(1 << 20)))
    });
    let system = said("uname", &["-sr"]).map(|text| format!(", {text}"));
    let date = said("date", &["-u", "+%Y-%m-%d"]).map(|text| format!("; {text}"));
    let dirty = said(
        "git",
        &[
            "status",
            "--porcelain",
            "--",
            "src",
            "Cargo.toml",
            "Cargo.lock",
        ],
    );
    let changed = if dirty.is_some_and(|text| !text.is_empty()) {
        ", changed"
    } else {
        ""
    };
    let commit = said("git", &["rev-parse", "--short=10", "HEAD"]);
    let commit = commit.map(|text| format!("; commit {text}{changed}"));
    let profile = if cfg!(debug_assertions) {
        "; NOT optimised: figures of a debug build"
    } else {
        ""
    };
    let parts = [memory, system, date, commit].map(Option::unwrap_or_default);
    format!("{cores} cores of {model}{}{profile}", parts.concat())
}
