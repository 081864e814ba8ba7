//! Functions that the manifest makes, from files: what is refused without a call, and that a package really runs.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crossgate::config::{Disk, Sources, pack};
use crossgate::sandbox::{ClockMode, Faults, SandboxOptions, seed};
use serde_json::{Value, json};

use crate::support::emulators;

use super::sandbox::{Story, message, python};

/// The lines that make the sample's function from `lambda/validate.py`.
const MADE: &str = r#"source = "lambda"
runtime = "python3.13"
handler = "validate.handler"
"#;

impl Story {
    /// A file beside the manifest.
    fn put(&self, path: &str, text: &str) {
        let file = self.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The sample's manifest with these lines in `[gates.function]`.
    fn manifest(&self, lines: &str) {
        let text = format!("{}{lines}", seed::manifest());
        self.put("crossgate.toml", &text);
    }

    /// The manifest with these lines is refused by every command that would use it: exit 2, and nobody was called.
    fn refuses(&self, lines: &str, says: &[&str]) {
        self.manifest(lines);
        let before = self.sandbox.snapshot();
        for command in [
            &["plan"][..],
            &["bootstrap", "--yes"],
            &["check"],
            &["teardown", "--yes"],
            &["permissions", "bootstrap"],
        ] {
            let run = self.run(command);
            run.exits(2);
            run.ensure(run.stdout.is_empty(), "stdout carries only the result");
            for text in says {
                run.says(text);
            }
        }
        assert!(self.sandbox.calls().is_empty(), "{lines}");
        assert_eq!(self.sandbox.snapshot(), before);
    }
}

#[test]
fn sources_that_make_no_function_are_refused_without_a_call() {
    let story = Story::new(SandboxOptions::default());
    story.put("lambda/validate.py", "def handler(event, context): pass");
    story.put("empty/.DS_Store", "");
    story.put("broken.zip", "no zip");
    let made = |from: &str, to: &str| MADE.replace(from, to);
    story.refuses(
        &made("\"lambda\"", "\"lamda\""),
        &["`lamda`", "crossgate.toml:"],
    );
    story.refuses(&made("\"lambda\"", "\"empty\""), &["has no files"]);
    story.refuses(
        &made("\"lambda\"", "\"broken.zip\""),
        &["not a zip archive"],
    );
    story.refuses(
        &made("validate.handler", "handler.validate"),
        &["handler.py", "`validate.validate`"],
    );
    story.refuses(
        &made("python3.13", "python3.31"),
        &["is not a runtime of Lambda", "did you mean"],
    );
    story.refuses(
        &made("python3.13", "provided.al2023"),
        &["`bootstrap`", "at its root"],
    );
    story.refuses("runtime = \"python3.13\"\n", &["`runtime` needs `source`"]);
    story.refuses("source = \"lambda\"\n", &["needs `runtime` and `handler`"]);
    story.refuses(
        &format!("{MADE}environment = {{ AWS_REGION = \"s3cret\" }}\n"),
        &["AWS_REGION"],
    );
    let role = format!("{MADE}role = \"arn:aws:iam::111111111111:role/Runs\"\n");
    story.refuses(&role, &["111111111111", "another account"]);
    let big = fs::File::create(story.folder.path().join("lambda/big.bin")).unwrap();
    big.set_len(250 * 1024 * 1024).unwrap();
    story.refuses(MADE, &["250 MB"]);
}

#[test]
fn a_manifest_reads_no_file_of_another_folder() {
    let story = Story::new(SandboxOptions::default());
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("validate.py"), "s3cret = 1").unwrap();
    let named = other.path().display().to_string();
    let lines = MADE.replace("\"lambda\"", &format!("\"{named}\""));
    story.refuses(
        &lines,
        &["outside of the manifest's folder", "--allow-outside"],
    );
    story.manifest(&lines);
    let run = story.run(&["permissions", "bootstrap", "--allow-outside"]);
    run.exits(0);
    assert!(!run.stdout.contains("s3cret"));
}

#[test]
fn values_of_environment_variables_are_not_shown_with_a_mistake() {
    let story = Story::new(SandboxOptions::default());
    story.put("lambda/validate.py", "");
    story.manifest(&format!(
        "{MADE}environment = {{ AWS_REGION = \"s3cret\", TOKEN = \"s3cret\" }}\n"
    ));
    let run = story.run(&["plan", "--format", "json"]);
    run.exits(2);
    let all = format!("{}{}", run.stdout, run.stderr);
    assert!(
        all.contains("AWS_REGION") && !all.contains("s3cret"),
        "{all}"
    );
}

/// A package of two files, made by crossgate, given to Lambda by boto3.
const RUNS: &str = r#"
import base64, boto3, json, os
functions = boto3.Session(profile_name="dev").client("lambda")
zip = base64.b64decode("ARCHIVE")
made = functions.create_function(FunctionName="packed", Runtime="RUNTIME", Role="arn:aws:iam::222222222222:role/function-execution-role", Handler="HANDLER", Code={"ZipFile": zip}, Timeout=20)
said = [made["CodeSha256"], made["State"]]
functions.get_waiter("function_active_v2").wait(FunctionName="packed", WaiterConfig={"Delay": 1})
said.append(json.load(functions.invoke(FunctionName="packed", Payload=json.dumps({"n": 21}))["Payload"]))
functions.update_function_configuration(FunctionName="packed", Timeout=19)
try:
    functions.update_function_code(FunctionName="packed", ZipFile=zip)
    said.append("updated")
except functions.exceptions.ResourceConflictException:
    said.append("conflict")
functions.get_waiter("function_updated_v2").wait(FunctionName="packed", WaiterConfig={"Delay": 1})
said.append(functions.get_function(FunctionName="packed")["Configuration"]["LastUpdateStatus"])
print(json.dumps(said))
"#;

/// What boto3 was told of a function made from the folder `lambda`.
fn runs(story: &Story, runtime: &str, handler: &str) -> (String, Value) {
    let disk = Disk::new(&story.folder.path().join("crossgate.toml"), false);
    let package = pack(disk.read("lambda").unwrap()).unwrap().package;
    let script = RUNS
        .replace("ARCHIVE", &BASE64.encode(&package.zip))
        .replace("RUNTIME", runtime)
        .replace("HANDLER", handler);
    let said = serde_json::from_str(&python(story, &script)).unwrap();
    (package.sha256, said)
}

#[test]
fn a_package_of_python_files_runs() {
    let story = Story::new(SandboxOptions {
        clock: ClockMode::Real,
        ..SandboxOptions::default()
    });
    story.put("lambda/lib/double.py", "def double(n): return 2 * n");
    story.put(
        "lambda/validate.py",
        "from lib.double import double\ndef handler(event, context): return double(event['n'])",
    );
    let (sha, said) = runs(&story, "python3.13", "validate.handler");
    let expected = json!([sha, "Pending", 42, "conflict", "Successful"]);
    assert_eq!(said, expected);
}

#[test]
fn a_package_of_node_files_runs() {
    let story = Story::new(SandboxOptions {
        clock: ClockMode::Real,
        ..SandboxOptions::default()
    });
    story.put("lambda/lib.mjs", "export const double = (n) => 2 * n;");
    story.put(
        "lambda/index.mjs",
        "import { double } from './lib.mjs';\nexport const handler = async (event) => double(event.n);",
    );
    let (sha, said) = runs(&story, "nodejs22.x", "index.handler");
    let expected = json!([sha, "Pending", 42, "conflict", "Successful"]);
    assert_eq!(said, expected);
}

/// An executable that speaks the Runtime API by itself. On the disk nobody may execute it: the archive has the permission.
const EXECUTABLE: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as asked:
        run, event = asked.headers["Lambda-Runtime-Aws-Request-Id"], json.load(asked)
    answer = json.dumps(2 * event["n"]).encode()
    urllib.request.urlopen(urllib.request.Request(api + run + "/response", answer, method="POST")).read()
"#;

#[test]
fn a_package_of_an_executable_runs() {
    let story = Story::new(SandboxOptions {
        clock: ClockMode::Real,
        ..SandboxOptions::default()
    });
    story.put("lambda/bootstrap", EXECUTABLE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = story.folder.path().join("lambda/bootstrap");
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let (sha, said) = runs(&story, "provided.al2023", "bootstrap");
    let expected = json!([sha, "Pending", 42, "conflict", "Successful"]);
    assert_eq!(said, expected);
}

/// A gate that says no, as a person writes it.
const NO: &str = r#"
import boto3

def handler(event, context):
    job = event["CodePipeline.job"]["id"]
    boto3.client("codepipeline").put_job_failure_result(
        jobId=job, failureDetails={"type": "JobFailed", "message": "two tests fail"})
"#;

const YES: &str = r#"
import boto3

def handler(event, context):
    boto3.client("codepipeline").put_job_success_result(jobId=event["CodePipeline.job"]["id"])
"#;

/// The whole life of a function that was not there: made, found in sync, run, drifted, mended, gone.
#[test]
fn a_gate_with_its_function_from_nothing_and_back() {
    // A role that was just made is not seen at first, by IAM and by Lambda.
    let story = Story::new(SandboxOptions {
        faults: Faults {
            new_role_misses: 2,
            ..Faults::default()
        },
        ..SandboxOptions::default()
    });
    let site = emulators::python_packages();
    story.put("lambda/validate.py", NO);
    let made = format!("{MADE}timeout_seconds = 20\nenvironment = {{ PYTHONPATH = \"{site}\" }}\n");
    let text = seed::manifest().replace(seed::FUNCTION, "release-gate");
    story.put("crossgate.toml", &format!("{text}{made}"));
    let before = story.sandbox.snapshot();

    story
        .run(&["plan", "--exit-code"])
        .exits(3)
        .says("release-gate");
    assert_eq!(story.sandbox.snapshot(), before, "a plan changes nothing");
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
    let calls = story.sandbox.calls().len();
    story.run(&["bootstrap", "--yes"]).exits(0);
    let writes: Vec<String> = story
        .sandbox
        .calls()
        .into_iter()
        .skip(calls)
        .map(|call| call.operation)
        .filter(|name| !name.starts_with("Get") && !name.starts_with("List"))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    let (status, gate) = story.execute();
    assert_eq!(
        (status.as_str(), message(&gate)),
        ("Failed", "two tests fail"),
        "{:?}",
        story.sandbox.invocations()
    );

    story.put("lambda/validate.py", YES);
    story.run(&["check"]).exits(3).says("release-gate");
    story.run(&["bootstrap", "--yes"]).exits(0);
    let (status, _) = story.execute();
    assert_eq!(status, "Succeeded", "{:?}", story.sandbox.invocations());

    story.put(
        "crossgate.toml",
        &format!("{text}{}", made.replace("20", "30")),
    );
    story.run(&["check"]).exits(3);
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);

    story.run(&["teardown", "--yes"]).exits(0);
    assert_eq!(story.sandbox.snapshot(), before, "nothing is left behind");
}
