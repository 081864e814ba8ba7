//! The commit that this program is built from, for `--version`: from git, from what cargo packed, or nothing.
//! It reads no clock, so that the same sources give the same program, and no git but that of this very folder.

// Standard output is how a build script speaks to cargo.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    println!("cargo:rerun-if-env-changed=CROSSGATE_COMMIT");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // A debug build is the author's: it would be compiled again after each commit, to no use.
    if !release || std::env::var_os("CROSSGATE_COMMIT").is_some() {
        return;
    }
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&folder);
    for path in watched(folder) {
        println!("cargo:rerun-if-changed={path}");
    }
    if let Some(commit) = commit(folder) {
        println!("cargo:rustc-env=CROSSGATE_COMMIT={commit}");
    }
}

/// `1a2b3c4d5e6f 2026-11-22`: the commit and its date, where the folder is the root of a git checkout; where cargo packed it, the
/// commit alone.
pub(crate) fn commit(folder: &Path) -> Option<String> {
    let packed = std::fs::read_to_string(folder.join(".cargo_vcs_info.json"));
    if let Some(commit) = packed.ok().as_deref().and_then(packed_commit) {
        return Some(commit);
    }
    // A tarball may be unpacked within somebody's checkout: that one's commit says nothing of this program.
    let root = git(folder, &["rev-parse", "--show-toplevel"])?;
    let same = Path::new(&root).canonicalize().ok()? == folder.canonicalize().ok()?;
    let commit = git(folder, &["log", "-1", "--format=%h %cs", "--abbrev=12"])?;
    (same && !commit.is_empty()).then_some(commit)
}

/// `{"git": {"sha1": "…"}}`, as `cargo package` writes it.
fn packed_commit(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"sha1\"")?;
    let sha = rest.split('"').nth(1)?;
    let hex = sha.len() >= 12 && sha.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| sha.get(..12).map(str::to_owned)).flatten()
}

/// The files that change with the commit. One that is not there would make cargo build anew each time.
pub(crate) fn watched(folder: &Path) -> Vec<String> {
    let path = |name: &str| {
        let path = git(folder, &["rev-parse", "--git-path", name])?;
        let path = folder.join(path);
        path.is_file().then(|| path.display().to_string())
    };
    // Every commit and checkout is in the log of HEAD, where there is one.
    if let Some(log) = path("logs/HEAD") {
        return vec![log];
    }
    let branch = git(folder, &["symbolic-ref", "-q", "HEAD"]).unwrap_or_default();
    ["HEAD", "packed-refs", &branch]
        .into_iter()
        .filter(|name| !name.is_empty())
        .filter_map(path)
        .collect()
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments);
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
