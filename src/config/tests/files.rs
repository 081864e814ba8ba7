//! Files: found, not found, unreadable, not text.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::GOOD;
use crate::config::{ConfigError, FILE_NAME, Location, MAX_BYTES, Origin, find, from_bytes, load};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

fn flag(path: &Path) -> Location {
    find(Some(path), Some(OsStr::new("ignored")), Path::new("/")).unwrap()
}

/// The rendered error with the folder's name taken out.
fn shown(error: &ConfigError, folder: &Path) -> String {
    error
        .render(false)
        .replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn the_nearest_manifest_above_is_found() {
    let (_guard, root) = folder();
    let deep = root.join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    fs::write(root.join(FILE_NAME), GOOD).unwrap();
    let found = find(None, None, &deep).unwrap();
    assert_eq!(
        found,
        Location {
            path: root.join(FILE_NAME),
            origin: Origin::Found
        }
    );
    fs::write(root.join("a").join(FILE_NAME), GOOD).unwrap();
    // A folder of that name is passed over.
    fs::create_dir(root.join("a/b").join(FILE_NAME)).unwrap();
    assert_eq!(
        find(None, Some(OsStr::new("")), &deep).unwrap().path,
        root.join("a").join(FILE_NAME)
    );
    assert_eq!(
        load(&find(None, None, &deep).unwrap(), false).unwrap().path,
        root.join("a").join(FILE_NAME)
    );
}

#[test]
fn the_flag_goes_before_the_environment_and_the_environment_before_the_search() {
    let (_guard, root) = folder();
    fs::write(root.join(FILE_NAME), GOOD).unwrap();
    let named = find(Some(Path::new("x.toml")), Some(OsStr::new("y.toml")), &root).unwrap();
    assert_eq!(
        named,
        Location {
            path: "x.toml".into(),
            origin: Origin::Flag
        }
    );
    let named = find(None, Some(OsStr::new("y.toml")), &root).unwrap();
    assert_eq!(
        named,
        Location {
            path: "y.toml".into(),
            origin: Origin::Environment
        }
    );
}

#[test]
fn no_manifest_says_where_it_looked_and_how_to_make_one() {
    let (_guard, root) = folder();
    let error = find(None, None, &root).unwrap_err();
    insta::assert_snapshot!(shown(&error, &root), @r#"
    error: no crossgate.toml in FOLDER or a folder above it
     |
     = help: name one with `--config FILE` or CROSSGATE_CONFIG, or write a crossgate.toml: config/crossgate.toml of crossgate is an example with every key explained
    "#);
}

#[test]
fn files_that_cannot_be_read() {
    let (_guard, root) = folder();
    let error = load(&flag(&root.join("absent.toml")), false).unwrap_err();
    insta::assert_snapshot!(shown(&error, &root), @r#"
    error: cannot read the manifest FOLDER/absent.toml: No such file or directory (os error 2)
     |
     = help: it was named by `--config`: is the path right, and may you read it?
    "#);
    let environment = find(None, Some(root.as_os_str()), &root).unwrap();
    let error = load(&environment, false).unwrap_err();
    insta::assert_snapshot!(shown(&error, &root), @r#"
    error: the manifest FOLDER is a folder
     |
     = help: it was named by the environment variable CROSSGATE_CONFIG: name the file, such as FOLDER/crossgate.toml
    "#);
    let big = root.join("big.toml");
    fs::File::create(&big)
        .unwrap()
        .set_len(10 * MAX_BYTES)
        .unwrap();
    let error = load(&flag(&big), false).unwrap_err();
    insta::assert_snapshot!(shown(&error, &root), @r#"
    error: the manifest FOLDER/big.toml has more than 16777216 bytes
     |
     = help: it was named by `--config`: is this the right file?
    "#);
}

#[test]
fn empty_files() {
    let show = |text: &str| super::refused(text);
    insta::assert_snapshot!(show(""), @r#"
    error: the manifest is empty
     --> crossgate.toml:1:1
      |
    1 |
      | ^ nothing but white space and comments
      |
      = help: start with `project = "NAME"`, an `[accounts.NAME]` for each account and a `[[gates]]`: config/crossgate.toml of crossgate is an example with every key explained

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(show("\n# later\n\n"), @r#"
    error: the manifest is empty
     --> crossgate.toml:1:1
      |
    1 |
      | ^ nothing but white space and comments
      |
      = help: start with `project = "NAME"`, an `[accounts.NAME]` for each account and a `[[gates]]`: config/crossgate.toml of crossgate is an example with every key explained

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(show("\u{feff}"), @r#"
    error: the manifest is empty
     --> crossgate.toml:1:1
      |
    1 |
      | ^ nothing but white space and comments
      |
      = help: start with `project = "NAME"`, an `[accounts.NAME]` for each account and a `[[gates]]`: config/crossgate.toml of crossgate is an example with every key explained

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn files_that_are_not_text() {
    let show = |bytes: &[u8]| {
        from_bytes(Path::new("crossgate.toml"), bytes)
            .unwrap_err()
            .render(false)
    };
    insta::assert_snapshot!(show(b"project = \"caf\xe9\"\n"), @r#"
    error: the manifest is not UTF-8
     --> crossgate.toml:1:15
      |
    1 | project = "caf�"
      |               ^ byte 15 of the file
      |
      = help: save the file as UTF-8; it may be UTF-16 or Latin-1 now

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(show(b"\xff\xfep\0r\0o\0"), @r#"
    error: the manifest is not UTF-8
     --> crossgate.toml:1:1
      |
    1 | ��p␀r␀o␀
      | ^ byte 1 of the file
      |
      = help: save the file as UTF-8; it may be UTF-16 or Latin-1 now

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(show(b"a = 1\0\n"), @r#"
    error: this is not TOML: string values must be quoted, expected literal string
     --> crossgate.toml:1:5
      |
    1 | a = 1␀
      |     ^^ here
      |
      = help: strings stand in double quotes, tables begin with `[NAME]`, and each gate with `[[gates]]`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn an_error_is_shown_once_and_a_terminal_gets_colour() {
    let errors = super::parse("x = 1").unwrap_err();
    assert_eq!(errors.to_string(), errors.render(false));
    assert!(!errors.render(false).contains('\u{1b}'));
    assert!(errors.render(true).contains("\u{1b}[1m"));
    let error: &dyn std::error::Error = &errors;
    assert!(error.source().is_none());
}
