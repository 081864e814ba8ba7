//! The module layout of design.md: who may import whom, who may name an SDK, who may see the world outside.
//! It reads the sources as text; a module that is not listed here fails, so that a new one asks to be placed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each module of the crate may import, beside itself. `*`: everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("iam", &["model"]),
    ("config", &["model"]),
    ("desired", &["config", "model"]),
    ("plan", &["iam", "model"]),
    ("verify", &["iam", "model"]),
    ("diagnose", &["model", "verify"]),
    ("cloud", &["model"]),
    ("observe", &["cloud", "model"]),
    ("apply", &["cloud", "model"]),
    ("aws", &["cloud", "model"]),
    ("output", &["model"]),
    ("sandbox", &["iam", "model"]),
    ("environment", &[]),
    ("exit_code", &["model"]),
    ("error", &["config", "desired", "exit_code"]),
    ("follow", &["model"]),
    ("graph", &["model"]),
    ("merge", &["model", "plan", "verify"]),
    ("init", &["config", "model"]),
    ("cli", &[]),
    ("commands", &["*"]),
];

/// Modules that are pure: no runtime, no SDK, no environment, no clock, no files.
const PURE: &[&str] = &[
    "model", "iam", "desired", "plan", "verify", "diagnose", "follow", "graph", "init", "merge",
];

const IMPURE: &[&str] = &[
    "tokio",
    "futures_util",
    "std::env",
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "std::process",
    "std::io",
    "SystemTime::",
    "Instant::now",
    "rand::",
];

/// Every source file with the module of the crate that it belongs to, without its tests and comments.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if name.contains("tests") || name == "fixtures" || name == "world" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let module = inside.iter().next().unwrap().to_str().unwrap();
            let module = module.trim_end_matches(".rs").to_owned();
            // `build` is cargo's build script: a program of its own, which the crate does not contain.
            if !["main", "lib", "build"].contains(&module.as_str()) {
                let text = code(&fs::read_to_string(&path).unwrap());
                found.push((module, path, text));
            }
        }
    }
    found
}

/// The code of a file: what stands before its test module, without comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let text = text.split("#[cfg(test)]\n#[allow").next().unwrap();
    text.lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules of the crate that a text names as `crate::NAME`.
fn imports(text: &str) -> BTreeSet<String> {
    text.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

#[test]
fn imports_point_down() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let sources = sources();
    assert!(sources.len() > 40, "the sources were found");
    for (module, path, text) in &sources {
        let allowed = layers
            .get(module.as_str())
            .unwrap_or_else(|| panic!("module {module} has no place in the layers"));
        for import in imports(text) {
            let fine =
                import == *module || allowed.contains(&"*") || allowed.contains(&import.as_str());
            assert!(fine, "{}: {module} may not import {import}", path.display());
        }
    }
}

#[test]
fn only_aws_names_an_sdk() {
    for (module, path, text) in sources() {
        for name in [
            "aws_sdk_",
            "aws_config",
            "aws_smithy",
            "aws_types",
            "aws_credential",
        ] {
            let fine = module == "aws" || !text.contains(name);
            assert!(fine, "{}: {name}", path.display());
        }
    }
}

#[test]
fn only_output_prints() {
    for (module, path, text) in sources() {
        for name in ["println!", "eprintln!", "print!", "stdout()", "dbg!"] {
            // `confirmed` hands standard input and error to `output::confirm`, which asks.
            let fine = module == "output" || module == "environment" || !text.contains(name);
            assert!(fine, "{}: {name}", path.display());
        }
    }
}

#[test]
fn decisions_see_no_world() {
    for (module, path, text) in sources() {
        for name in IMPURE {
            let fine = !PURE.contains(&module.as_str()) || !text.contains(name);
            assert!(fine, "{}: {name}", path.display());
        }
    }
}

#[test]
fn the_checks_can_fail() {
    let text = code(
        "use crate::aws::AwsCloud; // crate::cli\n#[cfg(test)]\nmod tests { use crate::world; }",
    );
    assert_eq!(imports(&text), BTreeSet::from(["aws".to_owned()]));
}
