//! The commit in `--version`: the build script's own functions, on folders made for it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

// Its `main` is cargo's.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../src/build.rs"]
mod build;

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_COMMITTER_DATE", "2026-11-22T12:00:00Z")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
}

fn checkout() -> TempDir {
    let folder = TempDir::new().unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "a"]);
    folder
}

#[test]
fn a_checkout_has_its_commit_with_the_date() {
    let folder = checkout();
    let commit = build::commit(folder.path()).unwrap();
    let (id, date) = commit.split_once(' ').unwrap();
    assert_eq!((id.len(), date), (12, "2026-11-22"));
    assert!(id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
}

#[test]
fn only_files_that_are_there_are_watched_and_each_commit_changes_one() {
    let folder = checkout();
    let contents = || -> Vec<String> {
        let files = build::watched(folder.path());
        assert!(!files.is_empty());
        files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect()
    };
    let before = contents();
    assert_eq!(before, contents());
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "b"]);
    assert_ne!(before, contents());
    std::fs::remove_dir_all(folder.path().join(".git/logs")).unwrap();
    git(folder.path(), &["config", "core.logAllRefUpdates", "false"]);
    let before = contents();
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "c"]);
    assert_ne!(before, contents());
}

#[test]
fn a_tarball_has_no_commit_even_within_another_checkout() {
    let alone = TempDir::new().unwrap();
    assert_eq!(build::commit(alone.path()), None);
    assert!(build::watched(alone.path()).is_empty());
    let around = checkout();
    let inside = around.path().join("crossgate-0.1.0");
    std::fs::create_dir(&inside).unwrap();
    assert_eq!(build::commit(&inside), None);
}

#[test]
fn a_package_has_the_commit_that_cargo_wrote_into_it() {
    let folder = TempDir::new().unwrap();
    let write =
        |text: &str| std::fs::write(folder.path().join(".cargo_vcs_info.json"), text).unwrap();
    write(
        "{\n  \"git\": {\n    \"sha1\": \"0123456789abcdef0123456789abcdef01234567\"\n  },\n  \"path_in_vcs\": \"\"\n}",
    );
    assert_eq!(
        build::commit(folder.path()).as_deref(),
        Some("0123456789ab")
    );
    for text in [
        "{}",
        "{\"git\": {\"sha1\": \"x\"}}",
        "{\"sha1\": \"äääääääääääääää\"}",
    ] {
        write(text);
        assert_eq!(build::commit(folder.path()), None, "{text}");
    }
}
