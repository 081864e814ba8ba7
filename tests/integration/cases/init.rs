//! `crossgate init` against the embedded AWS: what it writes is what the other commands take, and it overwrites nothing.
//! Dialogues run in a pseudo-terminal of python3, as a person would see them.

use std::path::Path;

use crossgate::sandbox::{SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::Story;
use crate::support::cli::{self, Run};

/// The sample accounts without a manifest.
fn bare() -> Story {
    let story = Story::new(SandboxOptions::default());
    std::fs::remove_file(story.folder.path().join("crossgate.toml")).unwrap();
    story
}

/// `init` of the sample pipeline, and more.
fn init(story: &Story, more: &[&str]) -> Run {
    let mut arguments = vec!["init", "--from-pipeline", seed::PIPELINE];
    arguments.extend(["--tools-profile", "tools", "--dev-profile", "dev"]);
    arguments.extend(more);
    story.run(&arguments)
}

const FUNCTION: &[&str] = &["--function", seed::FUNCTION];

fn manifest(story: &Story) -> String {
    std::fs::read_to_string(story.folder.path().join("crossgate.toml")).unwrap_or_default()
}

/// Nothing was written, neither here nor in AWS.
#[track_caller]
fn left_nothing(story: &Story, run: &Run) {
    let names: Vec<String> = std::fs::read_dir(story.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("crossgate") || name.starts_with("handler"))
        .collect();
    run.ensure(names.is_empty(), &format!("no file expected: {names:?}"));
    let writes = story.sandbox.calls().into_iter().filter(|call| {
        !["Get", "List"]
            .iter()
            .any(|read| call.operation.starts_with(read))
    });
    run.ensure(writes.count() == 0, "no write expected");
}

#[test]
fn from_a_pipeline_to_a_gate_that_is_in_sync() {
    let story = bare();
    let run = init(&story, FUNCTION);
    run.exits(0)
        .says("wrote crossgate.toml")
        .says("crossgate bootstrap");
    run.ensure(run.stdout.is_empty(), "the manifest is the result");
    let text = manifest(&story);
    for line in [
        "project = \"my\"",
        "id = \"111111111111\"",
        "id = \"222222222222\"",
        "after = \"Deploy\" ",
        "region = \"us-east-1\"",
    ] {
        run.ensure(
            text.contains(line),
            &format!("`{line}` expected in\n{text}"),
        );
    }
    story
        .run(&["plan", "--format", "json"])
        .exits(0)
        .has_status("changes");
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
}

/// A hand-made wiring as the guide has it: two roles' policies, and an action in a stage of its own.
fn wire_by_hand(story: &Story) {
    let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
    let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
    let allow = |action: Value, resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": resource}]})
        .to_string()
    };
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", seed::TOOLS)}, "Action": "sts:AssumeRole"}]});
    dev.create_role("ByHand", &trust.to_string()).unwrap();
    let invoke = json!(["lambda:InvokeFunction", "lambda:ListFunctions"]);
    dev.put_role_policy("ByHand", "invoke", &allow(invoke, "*"))
        .unwrap();
    let answer = json!("codepipeline:PutJob*");
    dev.put_role_policy(seed::EXECUTION_ROLE, "answer", &allow(answer, "*"))
        .unwrap();
    let role = format!("arn:aws:iam::{}:role/ByHand", seed::DEV);
    let assume = allow(json!("sts:AssumeRole"), &role);
    tools
        .put_role_policy(seed::SERVICE_ROLE, "assume", &assume)
        .unwrap();
    let mut pipeline = seed::pipeline();
    let stage = json!({"name": "HandMadeGate", "actions": [{
        "name": "Ask",
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
        "roleArn": role, "runOrder": 1, "namespace": "Asked",
        "configuration": {"FunctionName": seed::FUNCTION, "UserParameters": "{\"level\": \"strict\"}"},
        "inputArtifacts": [], "outputArtifacts": [],
    }]});
    pipeline["stages"].as_array_mut().unwrap().insert(2, stage);
    let input = json!({ "pipeline": pipeline });
    tools.codepipeline("UpdatePipeline", &input).unwrap();
}

#[test]
fn a_wiring_made_by_hand_is_described_and_adopted() {
    let story = bare();
    wire_by_hand(&story);
    // Without --function: the pipeline says which.
    let run = init(&story, &[]);
    run.exits(0)
        .says("HandMadeGate/Ask")
        .says("bootstrap --adopt");
    let text = manifest(&story);
    for line in [
        "stage = \"HandMadeGate\"",
        "action = \"Ask\"",
        "namespace = \"Asked\"",
        "user_parameters = '{\"level\": \"strict\"}'",
        "name = \"ByHand\"",
    ] {
        run.ensure(
            text.contains(line),
            &format!("`{line}` expected in\n{text}"),
        );
    }
    let plan = story.run(&["plan", "--adopt", "--format", "json"]);
    plan.exits(0);
    let touched = plan.changes();
    plan.ensure(
        touched
            .iter()
            .all(|change| change["kind"] != "pipeline_action"),
        "the action is described exactly: nothing of it changes",
    );
    story.run(&["bootstrap", "--yes"]).exits_one_of(&[1, 4]);
    story.run(&["bootstrap", "--adopt", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
}

#[test]
fn no_file_is_ever_overwritten() {
    let story = bare();
    let path = story.folder.path().join("crossgate.toml");
    std::fs::write(&path, "").unwrap();
    init(&story, FUNCTION).exits(1).says("is there already");
    assert_eq!(manifest(&story), "");
    std::fs::remove_file(&path).unwrap();
    // A handler in the way: the manifest is not written either.
    let handler = story.folder.path().join("handler.py");
    std::fs::write(&handler, "mine").unwrap();
    let run = init(&story, &["--function", "New", "--handler", "python"]);
    run.exits(1).says("handler.py is there already");
    assert_eq!(std::fs::read_to_string(&handler).unwrap(), "mine");
    assert!(!path.exists());
    let run = init(
        &story,
        &["--function", seed::FUNCTION, "-c", "no/where.toml"],
    );
    run.exits(1).says("there is no folder");
    assert_eq!(
        story.sandbox.calls().len(),
        0,
        "all that was seen before any call"
    );
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let story = bare();
    let run = story.run(&[
        "init",
        "--from-pipeline",
        "MyPipelin",
        "--tools-profile",
        "tools",
        "--dev-profile",
        "dev",
    ]);
    run.exits(2).says("did you mean `MyPipeline`?");
    left_nothing(&story, &run);
    let run = init(&story, &["--function", "MyFunctoin"]);
    run.exits(2).says("did you mean `MyFunction`?");
    let run = init(
        &story,
        &["--function", seed::FUNCTION, "--region", "eu-west-1"],
    );
    run.exits(2)
        .says("there is no pipeline MyPipeline in eu-west-1");
    let run = init(&story, &["--function", seed::FUNCTION, "--after", "Deplyo"]);
    run.exits(2).says("did you mean `Deploy`?");
    let run = init(&story, &["--function", seed::FUNCTION, "--stage", "Source"]);
    run.exits(2).says("first stage");
    left_nothing(&story, &run);
}

#[test]
fn wrong_accounts_are_told() {
    let story = bare();
    let run = init(
        &story,
        &["--function", seed::FUNCTION, "--dev-profile", "dve"],
    );
    run.exits(2);
    let arguments = [
        "init",
        "--from-pipeline",
        seed::PIPELINE,
        "--function",
        seed::FUNCTION,
    ];
    let with = |more: &[&str]| {
        let all: Vec<&str> = arguments.iter().chain(more).copied().collect();
        story.run(&all)
    };
    with(&["--tools-profile", "tols", "--dev-profile", "dev"])
        .exits(2)
        .says("did you mean `tools`?");
    let run = with(&[
        "--tools-profile",
        "tools",
        "--dev-profile",
        "dev",
        "--dev-id",
        "333333333333",
    ]);
    run.exits(2)
        .says("--dev-id says 333333333333")
        .says("222222222222");
    // The other way round there is no such pipeline.
    with(&["--tools-profile", "dev", "--dev-profile", "tools"])
        .exits(2)
        .says("there is no pipeline");
    // Credentials of nobody.
    let mut variables = story.variables.clone();
    let path = story.folder.path().join("nobody");
    std::fs::write(&path, "[tools]\n[dev]\n").unwrap();
    let files = path.display().to_string();
    variables.insert("AWS_SHARED_CREDENTIALS_FILE".to_owned(), files);
    let arguments = [
        "init",
        "--from-pipeline",
        seed::PIPELINE,
        "--tools-profile",
        "tools",
        "--dev-profile",
        "dev",
        "--function",
        seed::FUNCTION,
    ];
    let run = cli::run(story.folder.path(), &variables, &arguments);
    run.exits(4).says("profile `tools`");
    left_nothing(&story, &run);
}

#[test]
fn without_a_terminal_the_missing_flags_are_named() {
    let story = bare();
    let run = story.run(&["init"]);
    run.exits(2);
    for flag in [
        "--from-pipeline",
        "--tools-profile",
        "--dev-profile",
        "--function",
    ] {
        run.says(flag);
    }
    let run = story.run(&["init", "--tools-profile", "tools", "--yes"]);
    run.exits(2)
        .says("--from-pipeline, --dev-profile, --function missing");
    // A pipeline that invokes nothing names no function.
    init(&story, &[]).exits(2).says("--function missing");
    let run = story.run(&["init", "--pipeline", "P", "--tools-id", seed::TOOLS]);
    run.exits(2).says("--dev-id, --region, --function missing");
    left_nothing(&story, &run);
}

#[test]
fn flags_alone_need_no_aws() {
    let story = bare();
    let run = story.run(&[
        "init",
        "--pipeline",
        seed::PIPELINE,
        "--tools-id",
        seed::TOOLS,
        "--dev-id",
        seed::DEV,
        "--tools-profile",
        "tools",
        "--dev-profile",
        "dev",
        "--region",
        seed::REGION,
        "--function",
        seed::FUNCTION,
        "--after",
        "Deploy",
        "--project",
        "shop",
        "--gate",
        "check",
        "--print",
    ]);
    run.exits(0);
    assert_eq!(story.sandbox.calls().len(), 0);
    left_nothing(&story, &run);
    for line in [
        "project = \"shop\"",
        "stage = \"InvokeCheck\"",
        "name = \"check\"",
    ] {
        run.ensure(run.stdout.contains(line), line);
    }
    std::fs::write(story.folder.path().join("crossgate.toml"), &run.stdout).unwrap();
    story
        .run(&["plan", "--format", "json"])
        .exits(0)
        .has_status("changes");
}

#[test]
fn json_says_what_was_written() {
    let story = bare();
    let run = init(&story, &["--function", seed::FUNCTION, "--format", "json"]);
    run.exits(0).has_status("applied");
    let json = run.json();
    assert_eq!(
        json["files"],
        json!(["crossgate.schema.json", "crossgate.toml"])
    );
    assert_eq!(json["manifest"], manifest(&story));
    let run = init(&story, &["--function", seed::FUNCTION, "--format", "json"]);
    run.exits(1).has_status("failed");
}

/// The function is made of the file that init has put there.
#[test]
fn a_handler_becomes_the_function() {
    for (language, file) in [("python", "handler.py"), ("node", "handler.mjs")] {
        let story = bare();
        let run = init(&story, &["--function", "Validate", "--handler", language]);
        run.exits(0).says(&format!("wrote {file}"));
        let code = std::fs::read_to_string(story.folder.path().join(file)).unwrap();
        run.ensure(code.contains("handler"), "the code is there");
        story.run(&["plan"]).exits(0).says("Validate");
        story.run(&["bootstrap", "--yes"]).exits(0);
        story.run(&["check"]).exits(0);
    }
}

#[test]
fn its_permissions_are_printed() {
    let story = Story::new(SandboxOptions::default());
    for account in ["tools", "dev"] {
        let run = story.run(&["permissions", "init", "--account", account]);
        run.exits(0).says("List");
        run.ensure(!run.has("iam:"), "init reads no role");
    }
}

/// Types into the binary in a terminal of its own: each pair is what to wait for, and what to type then.
const TYPIST: &str = r"
import json, os, pty, select, sys, time
binary, script = sys.argv[1], json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(binary, [binary] + sys.argv[3:])
seen, begun = b'', time.time()
def more():
    global seen
    if time.time() - begun > 60:
        sys.exit('the dialogue hangs after: ' + seen.decode(errors='replace'))
    if not select.select([terminal], [], [], 1)[0]:
        return True
    try:
        part = os.read(terminal, 65536)
    except OSError:
        part = b''
    seen += part
    return bool(part)
for wanted, keys in script:
    at = len(seen)
    while wanted.encode() not in seen:
        if not more():
            sys.exit('ended before ' + wanted + ': ' + seen.decode(errors='replace'))
    seen = seen[seen.index(wanted.encode()) + len(wanted):]
    if keys == 'SIGINT':
        os.kill(pid, 2)
    else:
        os.write(terminal, keys.encode())
while more():
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.write(seen.decode(errors='replace'))
sys.exit(os.waitstatus_to_exitcode(status) & 255)
";

/// The exit code and what was seen behind the last answer.
fn typed(story: &Story, script: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let binary = std::env::var("CROSSGATE_BIN");
    let binary = binary.unwrap_or_else(|_| env!("CARGO_BIN_EXE_crossgate").to_owned());
    let python = ["/usr/bin/python3", "/usr/local/bin/python3"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let output = std::process::Command::new(python.unwrap_or("python3"))
        .args(["-c", TYPIST, &binary, &json!(script).to_string()])
        .args(arguments)
        .current_dir(story.folder.path())
        .env_clear()
        .envs(&story.variables)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let shown = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&shown).into_owned(),
    )
}

#[test]
fn a_person_is_asked() {
    let story = bare();
    let script = [
        ("profile is of the pipeline's", "tools\r"),
        ("profile is of the function's", "dev\r"),
        ("Which pipeline?", "\r"),
        ("Which function?", "\r"),
        ("Project", "\u{15}shop\r"),
        ("Name of the gate", "\r"),
        ("Where does", "\r"),
        ("Name of the stage", "\r"),
        ("Name of the action", "\r"),
    ];
    let (code, shown) = typed(&story, &script, &["init"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("wrote crossgate.toml"), "{shown}");
    let text = manifest(&story);
    assert!(text.contains("project = \"shop\""), "{text}");
    assert!(text.contains("after = \"Deploy\""), "{text}");
    story.run(&["bootstrap", "--yes"]).exits(0);
    story.run(&["check"]).exits(0);
}

#[test]
fn ctrl_c_at_a_prompt_leaves_nothing() {
    let story = bare();
    let script = [
        ("profile is of the pipeline's", "\r"),
        ("profile is of the function's", "\r"),
        ("Which pipeline?", "\u{3}"),
    ];
    let (code, shown) = typed(&story, &script, &["init"]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!(
        shown.contains("\u{1b}[?25h"),
        "the cursor is shown again: {shown:?}"
    );
    assert!(!story.folder.path().join("crossgate.toml").exists());
    // Between two keys the terminal sends the signal instead of the key.
    let script = [("profile is of the pipeline's", "SIGINT")];
    let (code, shown) = typed(&story, &script, &["init"]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!(!story.folder.path().join("crossgate.toml").exists());
    // A text prompt, too.
    let script = [("Name of the gate", "\u{3}")];
    let arguments = [
        "init",
        "--tools-profile",
        "tools",
        "--dev-profile",
        "dev",
        "--from-pipeline",
        seed::PIPELINE,
        "--function",
        seed::FUNCTION,
        "--project",
        "shop",
    ];
    let (code, shown) = typed(&story, &script, &arguments);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!(!story.folder.path().join("crossgate.toml").exists());
}
