//! Packages from files: the same bytes for the same files, nothing read that must not be, Lambda's limits, handlers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::archive::{MAX_UNZIPPED, MAX_ZIP};
use super::*;
use crate::config::runtimes::Runtime;

/// A folder with a manifest's folder `repo` in it.
fn repo() -> TempDir {
    let outer = tempfile::tempdir().unwrap();
    fs::create_dir(outer.path().join("repo")).unwrap();
    outer
}

fn put(outer: &TempDir, path: &str, text: &str) {
    let file = outer.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn read_as(outer: &TempDir, source: &str, outside: bool) -> Result<Source, SourceError> {
    Disk::new(&outer.path().join("repo/crossgate.toml"), outside).read(source)
}

fn read(outer: &TempDir, source: &str) -> Result<Source, SourceError> {
    read_as(outer, source, false)
}

fn names(source: &Source) -> Vec<&str> {
    match source {
        Source::Files(files) => files.keys().map(String::as_str).collect(),
        Source::Archive(_) => panic!("not files"),
    }
}

/// What an archive holds: name, permissions, content.
fn unzipped(zip: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mode = entry.unix_mode().unwrap() & 0o777;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.push((name, mode, content));
    }
    files
}

fn file(content: &[u8]) -> SourceFile {
    SourceFile {
        executable: false,
        content: content.to_vec(),
    }
}

fn archive_of(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_file_stands_at_the_root_under_its_own_name() {
    let outer = repo();
    put(&outer, "repo/lambda/validate.py", "print()");
    let source = read(&outer, "lambda/validate.py").unwrap();
    assert_eq!(names(&source), ["validate.py"]);
    let package = pack(source).unwrap().package;
    assert_eq!((package.files, package.unzipped), (1, 7));
    let files = unzipped(&package.zip);
    assert_eq!(
        files,
        [("validate.py".to_owned(), 0o644, b"print()".to_vec())]
    );
}

#[test]
fn a_folder_is_all_files_beneath_it_but_what_comes_about_by_itself() {
    let outer = repo();
    for path in [
        "a.py",
        "lib/b.py",
        "lib/deep/c.txt",
        ".env",
        "lib/__pycache__/b.cpython-313.pyc",
        "old.pyc",
        ".git/config",
        "lib/.DS_Store",
    ] {
        put(&outer, &format!("repo/src/{path}"), path);
    }
    fs::create_dir(outer.path().join("repo/src/empty")).unwrap();
    let source = read(&outer, "src").unwrap();
    assert_eq!(
        names(&source),
        [".env", "a.py", "lib/b.py", "lib/deep/c.txt"]
    );
}

/// The manifest may hold secrets, and its own every change would be one of the code; backups hold whole pipelines.
#[test]
fn the_manifests_own_folder_is_packed_without_the_manifest_and_its_backups() {
    let outer = repo();
    put(&outer, "repo/handler.py", "x");
    put(
        &outer,
        "repo/crossgate.toml",
        "environment = { TOKEN = \"s3cret\" }",
    );
    put(&outer, "repo/.crossgate/backup/p.json", "{}");
    put(&outer, "repo/.crossgate-sandbox/credentials", "s3cret");
    put(&outer, "repo/other/crossgate.toml", "of a test");
    assert_eq!(
        names(&read(&outer, ".").unwrap()),
        ["handler.py", "other/crossgate.toml"]
    );
    #[cfg(unix)]
    {
        let link = outer.path().join("repo/other/link.toml");
        std::os::unix::fs::symlink("../crossgate.toml", link).unwrap();
        assert_eq!(
            names(&read(&outer, "other").unwrap()),
            ["crossgate.toml"],
            "a link to the manifest"
        );
    }
}

/// Other bytes for the same files would be reported as drift of every function that was made before.
#[test]
fn the_bytes_of_a_small_package_never_change() {
    let files = BTreeMap::from([
        ("bootstrap".to_owned(), file(b"#!/bin/sh\n")),
        ("lib/a.txt".to_owned(), file(b"a")),
    ]);
    let package = pack(Source::Files(files)).unwrap().package;
    insta::assert_snapshot!(package.sha256, @"CGR62RxidlPEexf5GLwo/X87RojtKM2pGQDn0sLFXFc=");
    let modes: Vec<u32> = unzipped(&package.zip)
        .into_iter()
        .map(|(_, mode, _)| mode)
        .collect();
    assert_eq!(modes, [0o755, 0o644], "a bootstrap can always be executed");
}

#[test]
fn big_packages_are_compressed_and_small_ones_stored() {
    let method = |bytes: usize| {
        let files = BTreeMap::from([("a".to_owned(), file(&vec![0; bytes]))]);
        let package = pack(Source::Files(files)).unwrap().package;
        let mut archive = ZipArchive::new(Cursor::new(&package.zip)).unwrap();
        archive.by_index_raw(0).unwrap().compression()
    };
    assert_eq!(method(1024 * 1024), CompressionMethod::Stored);
    assert_eq!(method(10 * 1024 * 1024 + 1), CompressionMethod::Deflated);
}

#[cfg(unix)]
#[test]
fn of_the_permissions_only_one_bit_goes_in() {
    use std::os::unix::fs::PermissionsExt;
    let outer = repo();
    for (name, mode) in [("run", 0o700), ("data", 0o600), ("shared", 0o664)] {
        let path = format!("repo/src/{name}");
        put(&outer, &path, name);
        fs::set_permissions(outer.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let package = pack(read(&outer, "src").unwrap()).unwrap().package;
    let modes: Vec<(String, u32)> = unzipped(&package.zip)
        .into_iter()
        .map(|(name, mode, _)| (name, mode))
        .collect();
    let expected = [("data", 0o644), ("run", 0o755), ("shared", 0o644)];
    assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode)));
}

#[test]
fn nothing_outside_of_the_manifests_folder_is_read() {
    let outer = repo();
    put(&outer, "secret/key.pem", "s3cret");
    put(&outer, "repo/a/validate.py", "");
    let absolute = outer.path().join("secret").display().to_string();
    for source in [
        "../secret",
        "a/../../secret/key.pem",
        absolute.as_str(),
        "..",
        "/",
        // Whether something is there is not told either.
        "../nothing",
        "/nothing/at/all",
    ] {
        let refused = read(&outer, source).unwrap_err();
        assert!(
            matches!(&refused, SourceError::Outside { path, .. } if path == source),
            "{source}: {refused:?}"
        );
    }
    assert_eq!(
        names(&read_as(&outer, "../secret", true).unwrap()),
        ["key.pem"]
    );
    // Out and in again is in.
    assert!(read(&outer, "a/../a/validate.py").is_ok());
    assert!(read(&outer, "./a").is_ok());
    let inside = outer.path().canonicalize().unwrap().join("repo/a");
    assert!(read(&outer, inside.to_str().unwrap()).is_ok());
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_packed_as_what_they_lead_to_and_never_out() {
    use std::os::unix::fs::symlink;
    let outer = repo();
    put(&outer, "secret/key.pem", "s3cret");
    put(&outer, "repo/shared/lib.py", "lib");
    put(&outer, "repo/src/validate.py", "validate");
    let src = outer.path().join("repo/src");
    symlink("../shared", src.join("lib")).unwrap();
    symlink("validate.py", src.join("index.py")).unwrap();
    let source = read(&outer, "src").unwrap();
    assert_eq!(names(&source), ["index.py", "lib/lib.py", "validate.py"]);
    let Source::Files(files) = &source else {
        panic!("files")
    };
    assert_eq!(files["index.py"].content, b"validate");

    for (to, what) in [
        ("../../secret", "a folder"),
        ("../../secret/key.pem", "a file"),
        ("/etc/passwd", "an absolute one"),
        ("../../secret/nothing", "nothing"),
    ] {
        let link = src.join("out");
        symlink(to, &link).unwrap();
        let refused = read(&outer, "src").unwrap_err();
        assert!(
            matches!(&refused, SourceError::LinkOutside { link, .. } if link == "out"),
            "{what}: {refused:?}"
        );
        fs::remove_file(&link).unwrap();
    }
    // The source itself may be a link, in.
    symlink("src/validate.py", outer.path().join("repo/named.py")).unwrap();
    assert_eq!(names(&read(&outer, "named.py").unwrap()), ["named.py"]);
    symlink("../secret", outer.path().join("repo/out")).unwrap();
    assert!(matches!(
        read(&outer, "out").unwrap_err(),
        SourceError::Outside { .. }
    ));
    assert_eq!(names(&read_as(&outer, "out", true).unwrap()), ["key.pem"]);
}

#[cfg(unix)]
#[test]
fn links_without_an_end_and_things_that_are_no_files_are_refused() {
    use std::os::unix::fs::symlink;
    let outer = repo();
    put(&outer, "repo/src/a/b.py", "");
    let link = outer.path().join("repo/src/a/up");
    symlink("..", &link).unwrap();
    let circle = SourceError::LinkCircle {
        link: "a/up".to_owned(),
    };
    assert_eq!(read(&outer, "src").unwrap_err(), circle);
    fs::remove_file(&link).unwrap();
    symlink("up", &link).unwrap();
    assert!(matches!(
        read(&outer, "src").unwrap_err(),
        SourceError::Unreadable { path, .. } if path == "a/up"
    ));
    fs::remove_file(&link).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&link).unwrap();
    assert_eq!(
        read(&outer, "src").unwrap_err(),
        SourceError::Special {
            path: "a/up".to_owned()
        }
    );
}

#[test]
fn what_is_not_there_or_too_much_is_refused_before_it_is_read() {
    let outer = repo();
    let missing = read(&outer, "lambda/validate.py").unwrap_err();
    assert!(
        matches!(missing, SourceError::Missing { .. }),
        "{missing:?}"
    );
    let long = "x".repeat(5000);
    let refused = read(&outer, &long).unwrap_err();
    assert!(matches!(refused, SourceError::Unreadable { .. }));
    fs::create_dir_all(outer.path().join("repo/empty/__pycache__")).unwrap();
    let nothing = read(&outer, "empty").and_then(pack).unwrap_err();
    assert_eq!(nothing, SourceError::NoFiles);

    let sized = |name: &str, bytes: u64| {
        let file = File::create(outer.path().join(name)).unwrap();
        file.set_len(bytes).unwrap();
    };
    sized("repo/big.bin", MAX_UNZIPPED);
    assert_eq!(read(&outer, "big.bin").unwrap_err(), SourceError::Unzipped);
    let over = MAX_ZIP as u64 + 1;
    sized("repo/big.zip", over);
    assert_eq!(
        read(&outer, "big.zip").unwrap_err(),
        SourceError::Zipped { bytes: over }
    );
}

#[test]
fn a_zip_that_is_ready_goes_as_it_is() {
    let outer = repo();
    let zip = archive_of(&[("./validate.py", "x"), ("lib/a.py", "yy")]);
    fs::write(outer.path().join("repo/function.ZIP"), &zip).unwrap();
    let packed = pack(read(&outer, "function.ZIP").unwrap()).unwrap();
    assert_eq!(*packed.package.zip, *zip);
    assert_eq!((packed.package.files, packed.package.unzipped), (2, 3));
    let names: Vec<&String> = packed.files.keys().collect();
    assert_eq!(names, ["lib/a.py", "validate.py"]);
}

#[test]
fn archives_that_lambda_could_not_unpack_are_refused() {
    let refused = |bytes: Vec<u8>| pack(Source::Archive(bytes)).unwrap_err();
    assert!(matches!(
        refused(b"PK no zip".to_vec()),
        SourceError::NotZip(_)
    ));
    assert!(matches!(refused(Vec::new()), SourceError::NotZip(_)));
    assert_eq!(refused(archive_of(&[])), SourceError::NoFiles);
    assert_eq!(
        refused(archive_of(&[("../../etc/cron.d/x", "")])),
        SourceError::Escapes {
            name: "../../etc/cron.d/x".to_owned()
        }
    );
}

fn checked(runtime: &str, handler: &str, files: &[&str]) -> Result<(), String> {
    let runtime = Runtime::parse(runtime).unwrap();
    let files = files
        .iter()
        .map(|name| ((*name).to_owned(), *name == "bootstrap"))
        .collect();
    handler::check(&runtime, handler, &files)
        .map_err(|handler::NotFound { message, help }| format!("{message}\n{help}"))
}

#[test]
fn handlers_are_found_as_the_runtimes_find_them() {
    for (runtime, handler, file) in [
        ("python3.13", "validate.handler", "validate.py"),
        ("python3.13", "pkg/mod.handler", "pkg/mod.py"),
        ("python3.13", "pkg.mod.handler", "pkg/mod.py"),
        ("python3.13", "pkg.handler", "pkg/__init__.py"),
        (
            "python3.13",
            "fast.handler",
            "fast.cpython-313-x86_64-linux-gnu.so",
        ),
        ("nodejs22.x", "index.handler", "index.mjs"),
        ("nodejs22.x", "index.handler", "index.cjs"),
        ("nodejs22.x", "dist/index.handler", "dist/index.js"),
        ("nodejs22.x", "index.gates.validate", "index.js"),
        ("nodejs22.x", "./index.handler", "index.js"),
        ("nodejs22.x", "gate.handler", "gate/index.js"),
        ("provided.al2023", "whatever", "bootstrap"),
        ("java21", "com.example.Gate::handle", "gate.jar"),
        ("ruby3.4", "gate.handle", "other.rb"),
    ] {
        let files = ["README.md", file];
        assert_eq!(checked(runtime, handler, &files), Ok(()), "{handler}");
    }
}

#[test]
fn handlers_that_are_not_there_are_told_with_what_is() {
    let told = |runtime, handler, files: &[&str]| checked(runtime, handler, files).unwrap_err();
    insta::assert_snapshot!(told("python3.13", "validate.handler", &["lib/util.py", "validation.py"]), @r#"
    `validate.handler` needs validate.py in the source, which is not there
    of the files there, `validation.handler` would name one
    "#);
    insta::assert_snapshot!(told("python3.13", "validate.handler", &["validate.mjs"]), @r#"
    `validate.handler` needs validate.py in the source, which is not there
    the source has no file that ends with .py: is it the right folder?
    "#);
    insta::assert_snapshot!(told("python3.13", "handler", &["handler.py"]), @r#"
    `handler` does not name a file and a function in it
    write `FILE.FUNCTION`, the file without its ending: `validate.handler`
    "#);
    insta::assert_snapshot!(told("nodejs22.x", "src/index.handler", &["index.mjs", "node_modules/a/index.js"]), @r#"
    `src/index.handler` needs src/index.js, src/index.mjs or src/index.cjs in the source, which is not there
    of the files there, `index.handler` would name one
    "#);
    insta::assert_snapshot!(told("provided.al2023", "bootstrap", &["target/bootstrap"]), @r#"
    the runtime provided.al2023 starts a file `bootstrap`, and the source has none at its root
    build the function to a file of that name: `cargo lambda build` makes one, and `go build -o bootstrap`
    "#);
}

/// Names of files and folders, as short as they clash often.
fn tree() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let name = "[a-c]{1,2}";
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| {
        let mut parts: Vec<String> = parts.into_iter().map(|part| format!("{part}d")).collect();
        if let Some(last) = parts.last_mut() {
            last.push_str(".x");
        }
        parts.join("/")
    });
    let content = prop::collection::vec(any::<u8>(), 0..64);
    prop::collection::btree_map(path, content, 1..8)
}

fn write_tree<'a>(
    folder: &Path,
    files: impl Iterator<Item = (&'a String, &'a Vec<u8>)>,
    age: Duration,
) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_files_give_the_same_bytes_and_come_out_again(files in tree(), hours in 0u64..100_000) {
        let outer = repo();
        let repo = outer.path().join("repo");
        write_tree(&repo.join("one"), files.iter(), Duration::ZERO);
        write_tree(&repo.join("other"), files.iter().rev(), Duration::from_secs(hours * 3600));
        let one = pack(read(&outer, "one").unwrap()).unwrap().package;
        let other = pack(read(&outer, "other").unwrap()).unwrap().package;
        prop_assert_eq!(&one.zip, &other.zip);
        prop_assert_eq!(&one.sha256, &other.sha256);
        let back: BTreeMap<String, Vec<u8>> = unzipped(&one.zip)
            .into_iter()
            .map(|(name, _, content)| (name, content))
            .collect();
        prop_assert_eq!(back, files);
    }

    #[test]
    fn other_content_gives_another_hash(files in tree(), at in any::<prop::sample::Index>()) {
        let map = |files: &BTreeMap<String, Vec<u8>>| {
            files.iter().map(|(name, content)| (name.clone(), file(content))).collect()
        };
        let one = pack(Source::Files(map(&files))).unwrap().package;
        let mut changed = files.clone();
        let name = files.keys().nth(at.index(files.len())).unwrap();
        changed.get_mut(name).unwrap().push(0);
        let other = pack(Source::Files(map(&changed))).unwrap().package;
        prop_assert_ne!(one.sha256, other.sha256);
    }

    #[test]
    fn any_bytes_are_an_archive_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = pack(Source::Archive(bytes));
    }
}
