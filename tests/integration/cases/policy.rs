//! `policy simulate` and `policy diff` without any AWS: lines in, lines out, and the exit codes.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::cli::{self, Run};

fn fixture(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fixtures").join(name).display().to_string()
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    // No HOME, no credentials, no manifest.
    cli::run(folder, &[].into(), arguments)
}

fn rows(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    run.stdout.lines().map(parse).collect()
}

const CASE: &str = r#"{"id":"one","request":{"principal":"arn:aws:iam::111111111111:role/r","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","resource_account":"111111111111"},"policies":{"identity":[{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}]}"#;

#[test]
fn the_vectors_are_answered_as_expected_in_their_order() {
    let folder = TempDir::new().unwrap();
    let file = fixture("iam_evaluation.jsonl");
    let run = run(folder.path(), &["policy", "simulate", "--cases", &file]);
    run.exits(0)
        .ensure(run.stderr.is_empty(), "nothing to tell");
    let answers = rows(&run);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(answers.len(), 388);
    for (answer, row) in answers.iter().zip(text.lines()) {
        let row: Value = serde_json::from_str(row).unwrap();
        assert_eq!(answer["id"], row["id"]);
        assert_eq!(answer["decision"], row["expected"]["decision"], "{row}");
        let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "decision", "reason", "statements"]);
    }
}

#[test]
fn the_pairs_are_answered_as_expected() {
    let folder = TempDir::new().unwrap();
    let file = fixture("policy_equivalence.jsonl");
    let run = run(folder.path(), &["policy", "diff", "--cases", &file]);
    run.exits(0);
    assert_eq!(rows(&run).len(), 24);
}

#[test]
fn another_decision_than_the_expected_one_is_3_and_a_bad_line_is_2() {
    let folder = TempDir::new().unwrap();
    let write = |text: String| std::fs::write(folder.path().join("cases"), text).unwrap();
    let simulate = || run(folder.path(), &["policy", "simulate", "--cases", "cases"]);
    write(format!(
        "{CASE},\"expected\":{{\"decision\":\"Allowed\"}}}}\n\n{CASE}}}\n"
    ));
    let both = simulate();
    both.exits(0);
    assert_eq!(rows(&both).len(), 2);
    let differing = format!("{CASE},\"expected\":{{\"decision\":\"ImplicitlyDenied\"}}}}\n");
    write(format!("{differing}{CASE}}}"));
    let run = simulate();
    run.exits(3)
        .says("line 1")
        .says("ImplicitlyDenied is expected")
        .says("1 answer differs");
    assert_eq!(rows(&run).len(), 2);
    write(format!("{differing}{{\"id\":1}}\n{CASE}}}"));
    let run = simulate();
    run.exits(2)
        .says("line 2")
        .says("request is missing")
        .says("1 line was not understood");
    assert_eq!(rows(&run).len(), 2, "the others are answered");
    std::fs::write(
        folder.path().join("cases"),
        [CASE.as_bytes(), b"}\n\xff\xfe\n"].concat(),
    )
    .unwrap();
    let run = simulate();
    run.exits(2).says("line 2: not UTF-8");
}

#[test]
fn files_that_cannot_be_read_are_2() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("not"), "{}").unwrap();
    for arguments in [
        &["policy", "simulate", "--cases", "none"][..],
        &["policy", "simulate", "--cases", "."],
        &["policy", "diff", "--cases", "none"],
        &["policy", "diff", "none", "not"],
        &["policy", "diff", "not", "not"],
        &["policy", "diff", "-", "-"],
        &["policy", "diff", "not"],
        &["policy", "diff"],
        &["policy", "diff", "a", "b", "--cases", "c"],
        &["policy", "simulate"],
        &["policy"],
    ] {
        run(folder.path(), arguments).exits(2);
    }
    let json = run(
        folder.path(),
        &["policy", "diff", "none", "not", "--format", "json"],
    );
    json.exits(2).ensure(
        json.stdout.contains("\"policy diff\""),
        "the command is named",
    );
}

#[test]
fn two_files_are_compared_by_what_they_grant() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let statement = |action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{action},"Resource":"*"}}]}}"#
        )
    };
    write("a", &statement(r#"["s3:GetObject","s3:PutObject"]"#));
    write(
        "b",
        &statement(r#"["s3:putobject","s3:GetObject","s3:GetObject"]"#),
    );
    write("c", &statement(r#""s3:GetObject""#));
    let plain = statement(r#"["s3:GetObject","s3:PutObject"]"#);
    let encoded = utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string();
    write("encoded", &encoded);
    run(folder.path(), &["policy", "diff", "a", "b"])
        .exits(0)
        .says("the same");
    run(folder.path(), &["policy", "diff", "encoded", "b"]).exits(0);
    let text = run(folder.path(), &["policy", "diff", "a", "c"]);
    text.exits(3).says("Only in a").says("- Allow s3:PutObject");
    let json = run(
        folder.path(),
        &["policy", "diff", "c", "a", "--format", "json"],
    );
    json.exits(3);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["equivalent"], false);
    assert_eq!(value["less"], serde_json::json!([]));
    assert!(
        value["more"][0]["text"]
            .as_str()
            .unwrap()
            .contains("s3:PutObject")
    );
}
