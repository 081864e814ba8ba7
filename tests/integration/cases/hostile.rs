//! Texts that AWS, or whoever answers in its place, chose: none acts on a terminal, turns the direction of writing, or begins a line
//! that a CI takes for a command. And what a manifest from an untrusted branch cannot have done.

use std::collections::BTreeSet;
use std::fs;

use crossgate::sandbox::{SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::Story;
use super::secrets::INIT;
use crate::support::calls::Request;
use crate::support::cli::{self, Run};
use crate::support::http::Message;
use crate::support::relay::Relay;

/// Sets a title, clears the screen, turns the direction, hides itself, colours, and begins lines of its own.
const PAYLOAD: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}\u{2066}\u{200b}\u{9b}31m\r\u{8}\n::warning::forged\n  ::add-mask::forged\u{2028}\u{e0041}##[set-output name=x]forged ##vso[x]";

/// The commands of GitHub Actions that it would give, behind `::`.
const FORGED: [&str; 2] = ["warning::forged", "add-mask::forged"];

/// Those of GitHub Actions, Azure Pipelines and TeamCity that count wherever they stand in a line.
const MARKS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// What the payload must not get through, in any output. Line feeds are looked at apart.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

/// Every command that shows what AWS answered, with its formats.
const COMMANDS: &[(&[&str], &[&str])] = &[
    (&["plan"], REPORTS),
    (&["check", "--orphans", "--verify"], REPORTS),
    (&["verify", "--simulate"], REPORTS),
    (
        &["graph", "--from", "verify"],
        &["mermaid", "dot", "svg", "html"],
    ),
    (&["diagnose"], TEXTS),
    (&["run", "--timeout", "1"], TEXTS),
    (&["permissions", "bootstrap", "--resolve"], TEXTS),
    (&["plan", "--teardown"], REPORTS),
    (&["bootstrap", "--yes"], TEXTS),
    (&["prune", "--yes"], TEXTS),
    (&["restore", SAVED, "--yes"], TEXTS),
    (INIT, &["text"]),
    (&["teardown", "--yes"], TEXTS),
];
/// The pipeline's document, as the stage saves it.
const SAVED: &str = "saved.json";
const REPORTS: &[&str] = &["text", "json", "junit", "sarif", "github", "markdown"];
const TEXTS: &[&str] = &["text", "json"];

/// The sample behind a relay.
struct Stage {
    story: Story,
    relay: Relay,
}

impl Stage {
    fn new() -> Self {
        let mut story = Story::new(SandboxOptions::default());
        let relay = Relay::before(&story.sandbox.endpoint());
        let config = story.folder.path().join("config");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(
            &config,
            text.replace(&story.sandbox.endpoint(), &relay.url()),
        )
        .unwrap();
        story
            .variables
            .insert("AWS_MAX_ATTEMPTS".to_owned(), "1".to_owned());
        let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
        let asked = json!({"name": seed::PIPELINE});
        let mut saved = tools.codepipeline("GetPipeline", &asked).unwrap();
        // Something to put back, whatever stands there when it is restored.
        saved["pipeline"]["stages"][0]["actions"][0]["namespace"] = json!("Saved");
        fs::write(story.folder.path().join(SAVED), saved.to_string()).unwrap();
        Self { story, relay }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Run {
        let run = cli::run(self.story.folder.path(), &self.story.variables, arguments);
        for (what, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            let text = &without_colour(text, arguments);
            run.ensure(
                !text.chars().any(acts),
                &format!("{what} has nothing that acts"),
            );
            run.ensure(
                !MARKS.iter().any(|mark| text.contains(mark)),
                &format!("{what} has no mark of a command"),
            );
            for line in text.lines() {
                let begins = line.trim_start().strip_prefix("::");
                run.ensure(
                    !begins.is_some_and(|rest| FORGED.iter().any(|text| rest.starts_with(text))),
                    &format!("{what} has no forged command"),
                );
            }
        }
        run
    }
}

/// The text without the program's own colours, where these were asked for.
fn without_colour(text: &str, arguments: &[&str]) -> String {
    if !arguments.contains(&"always") {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';');
        let end = end.filter(|end| after[*end..].starts_with('m'));
        // What is no colour stays, and is found.
        rest = if let Some(end) = end {
            &after[end + 1..]
        } else {
            out.push('\u{1b}');
            after
        };
    }
    out + rest
}

/// The payload behind every text under this key: of JSON, and of XML elements of that name.
fn poison(key: &str, mut answer: Message) -> Message {
    let text = answer.text();
    if let Ok(mut value) = serde_json::from_str::<Value>(&text) {
        if poison_json(key, &mut value) {
            answer.body = value.to_string().into_bytes();
        }
        return answer;
    }
    let close = format!("</{key}>");
    let end = |text: &str, at: usize| !text[..at].ends_with('>');
    let places: Vec<usize> = text
        .match_indices(&close)
        .map(|(at, _)| at)
        .filter(|at| end(&text, *at))
        .collect();
    let mut text = text;
    // As XML says characters that it does not have: what reads it gets the very payload.
    let payload = PAYLOAD.chars().fold(String::new(), |text, c| {
        format!("{text}&#{};", u32::from(c))
    });
    for at in places.into_iter().rev() {
        text.insert_str(at, &payload);
    }
    answer.body = text.into_bytes();
    answer
}

fn poison_json(key: &str, value: &mut Value) -> bool {
    let mut changed = false;
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == key
                    && let Value::String(text) = field
                {
                    text.push_str(PAYLOAD);
                    changed = true;
                } else {
                    changed |= poison_json(key, field);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                changed |= poison_json(key, item);
            }
        }
        _ => {}
    }
    changed
}

/// The names under which an answer has texts.
fn keys(answer: &Message, found: &mut BTreeSet<String>) {
    fn of_json(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if field.is_string() {
                        found.insert(name.clone());
                    }
                    of_json(field, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| of_json(item, found)),
            _ => {}
        }
    }
    let text = answer.text();
    if let Ok(value) = serde_json::from_str(&text) {
        of_json(&value, found);
        return;
    }
    for (at, _) in text.match_indices("</") {
        let name: String = text[at + 2..]
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if !text[..at].ends_with('>') {
            found.insert(name);
        }
    }
}

/// A refusal of the service's own shape, all of whose texts are hostile.
fn refusal(request: &Request, mut answer: Message) -> Message {
    "HTTP/1.1 403 X".clone_into(&mut answer.first_line);
    let message = format!("not authorized to perform: iam:X{PAYLOAD} on resource: r{PAYLOAD}");
    answer.set("x-amzn-requestid", "id\u{9b}31m");
    answer.body = if ["iam", "sts", "s3"].contains(&request.service.as_str()) {
        format!("<ErrorResponse><Error><Code>AccessDenied{PAYLOAD}</Code><Message>{message}</Message></Error></ErrorResponse>").into_bytes()
    } else {
        json!({"__type": format!("Denied{PAYLOAD}"), "message": message, "Message": message})
            .to_string()
            .into_bytes()
    };
    answer
}

/// Every command in every format, those whose number it takes; gives how many ran.
fn tour(stage: &Stage, takes: impl Fn(usize) -> bool) -> usize {
    let (mut number, mut ran) = (0, 0);
    for (command, formats) in COMMANDS {
        for format in *formats {
            number += 1;
            if !takes(number) {
                continue;
            }
            ran += 1;
            let mut arguments = command.to_vec();
            arguments.extend([
                "-vv",
                "--color",
                if number % 2 == 0 { "always" } else { "never" },
            ]);
            if command[0] != "init" {
                arguments.extend(["--format", format]);
            }
            stage.run(&arguments);
        }
    }
    ran
}

/// Each text that AWS answers in turn, and each operation refused, with every `of`th command of the tour.
fn hostile(of: usize) {
    let stage = Stage::new();
    let found = std::sync::Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let gathered = std::sync::Arc::clone(&found);
    stage.relay.change(move |_, _, answer| {
        keys(&answer, &mut gathered.lock().unwrap());
        Some(answer)
    });
    tour(&stage, |_| true);
    let asked = stage.relay.take_asked();
    let operations: BTreeSet<String> = asked.into_iter().map(|r| r.operation).collect();
    let names = found.lock().unwrap().clone();
    assert!(
        names.len() > 40 && operations.len() > 15,
        "{names:?} {operations:?}"
    );
    let mut ran = 0;
    for (turn, name) in names.into_iter().enumerate() {
        stage.story.run(&["bootstrap", "--yes"]);
        stage
            .relay
            .change(move |_, _, answer| Some(poison(&name, answer)));
        ran += tour(&stage, |number| (number + turn) % of == 0);
        stage.relay.pass();
    }
    for (turn, operation) in operations.into_iter().enumerate() {
        stage.relay.change(move |request, _, answer| {
            Some(if request.operation == operation {
                refusal(request, answer)
            } else {
                answer
            })
        });
        ran += tour(&stage, |number| (number + turn) % of == 0);
        stage.relay.pass();
    }
    assert!(ran > 40, "{ran} runs");
}

#[test]
fn nothing_that_aws_answers_acts_on_a_terminal() {
    hostile(43);
}

#[test]
#[ignore = "every command with every text and every refusal: minutes"]
fn nothing_at_all_that_aws_answers_acts_on_a_terminal() {
    hostile(1);
}

/// The manifest of a branch that nobody has looked at, beside files that are not its own.
fn branch(stage: &Stage, function: &str) -> Run {
    let text = seed::manifest() + function;
    fs::write(stage.story.folder.path().join("crossgate.toml"), text).unwrap();
    stage.run(&["bootstrap", "--yes", "-vv"])
}

#[test]
fn a_manifest_packs_no_file_from_outside_of_its_folder() {
    let stage = Stage::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("key.py"), "secret-of-the-machine").unwrap();
    let folder = stage.story.folder.path();
    let link = |to: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(to, folder.join(name)).unwrap();
    };
    link(outside.path(), "folder-link");
    link(&outside.path().join("key.py"), "file-link.py");
    fs::create_dir(folder.join("inner")).unwrap();
    link(&outside.path().join("key.py"), "inner/key.py");
    fs::create_dir(folder.join("deep")).unwrap();
    link(&folder.join("folder-link"), "deep/chain");
    let named = outside
        .path()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let absolute = outside.path().display().to_string();
    for source in [
        absolute.as_str(),
        &format!("../{named}"),
        &format!("inner/../../{named}"),
        "folder-link",
        "file-link.py",
        "inner",
        "deep",
        "/proc/self/environ",
        "/etc/passwd",
        "~/.aws",
        "file:///etc/passwd",
    ] {
        let lines =
            format!("source = \"{source}\"\nruntime = \"python3.13\"\nhandler = \"key.handler\"\n");
        let run = branch(&stage, &lines);
        run.exits(2);
        run.ensure(
            !run.has("secret-of-the-machine"),
            "nothing of the file is shown",
        );
        assert!(stage.relay.take_asked().is_empty(), "{source}");
    }
}

#[test]
fn a_manifest_has_nothing_run_and_shows_no_environment() {
    let mut stage = Stage::new();
    stage
        .story
        .variables
        .insert("CANARY".to_owned(), "canary-value".to_owned());
    let ran = stage.story.folder.path().join("ran");
    let touch = format!("touch {}", ran.display());
    // As profiles, which name a section of the config and are no commands; as texts, which are sent as they are.
    for profile in [
        format!("`{touch}`"),
        format!("$({touch})"),
        format!("x; {touch}"),
        "${CANARY}".to_owned(),
        "env:CANARY".to_owned(),
        "../config".to_owned(),
    ] {
        let text = seed::manifest().replace(
            "profile = \"dev\"",
            &format!("profile = {}", json!(profile)),
        );
        fs::write(stage.story.folder.path().join("crossgate.toml"), text).unwrap();
        let run = stage.run(&["plan", "-vv"]);
        run.ensure(run.code != Some(0), "there is no such profile");
        run.ensure(!run.has("canary-value"), "no variable is replaced");
    }
    // Keys with which other tools have commands run, or requests sent elsewhere.
    for line in [
        "credential_process = \"true\"",
        "endpoint_url = \"http://127.0.0.1:1\"",
        "aws_access_key_id = \"x\"",
        "include = \"/etc/passwd\"",
        "source_profile = \"tools\"",
        "sso_start_url = \"https://x\"",
        "external_id = \"$CANARY\"",
    ] {
        let text = seed::manifest().replace("profile = \"dev\"", line);
        fs::write(stage.story.folder.path().join("crossgate.toml"), text).unwrap();
        stage.run(&["plan"]).exits(2);
    }
    let parameters = "user_parameters = \"${CANARY} $CANARY {env.CANARY} env:CANARY\"\naction = ";
    let text = seed::manifest().replace("action = ", parameters);
    fs::write(stage.story.folder.path().join("crossgate.toml"), text).unwrap();
    stage.relay.take_asked();
    stage
        .run(&["bootstrap", "--yes", "--format", "json"])
        .exits(0);
    for request in stage.relay.take_asked() {
        assert!(
            !request.body.contains("canary-value"),
            "{}",
            request.operation
        );
    }
    assert!(!ran.exists(), "nothing was run");
}

#[test]
fn a_mistake_in_a_manifest_shows_nothing_that_acts() {
    let stage = Stage::new();
    let manifest = stage.story.folder.path().join("crossgate.toml");
    let quoted = PAYLOAD.escape_default().to_string();
    // As TOML writes it; `escape_default` writes `\u{1b}`.
    let quoted = quoted
        .replace("\\u{", "\\U{")
        .split("\\U{")
        .enumerate()
        .fold(String::new(), |text, (at, part)| {
            match part.split_once('}').filter(|_| at > 0) {
                Some((hex, rest)) => format!("{text}\\U{hex:0>8}{rest}"),
                None => text + part,
            }
        });
    // Behind the escape characters, which TOML does not take as they are.
    let raw: String = PAYLOAD
        .chars()
        .filter(|c| !c.is_ascii_control() || *c == '\n')
        .collect();
    let seed = seed::manifest();
    let of = |from: &str, to: &str| seed.replace(from, to);
    for text in [
        format!("{seed}\"k{quoted}\" = 1\n"),
        format!("{seed}\n{raw}\n"),
        format!("{seed}what = \"\"\"{raw}\"\"\"\n"),
        format!("{seed}# {raw}\nwhat = 1\n"),
        of("[accounts.dev]", &format!("[accounts.\"dev{quoted}\"]")),
        of("account = \"dev\"", &format!("account = \"dev{quoted}\"")),
        of("action = ", &format!("after = \"x{quoted}\"\naction = ")),
        of("region = \"", &format!("region = \"x{quoted}")),
        of("profile = \"dev", &format!("profile = \"x{quoted}")),
    ] {
        assert_ne!(text, seed);
        fs::write(&manifest, &text).unwrap();
        for format in REPORTS {
            let run = stage.run(&["check", "--format", format]);
            run.ensure(run.code == Some(2), &text);
        }
        stage.run(&["check", "--color", "always"]).exits(2);
    }
    assert!(stage.relay.take_asked().is_empty(), "nothing was asked");
}

#[test]
fn backups_are_not_written_through_a_link_of_the_branch() {
    let stage = Stage::new();
    let outside = tempfile::tempdir().unwrap();
    let link = stage.story.folder.path().join(".crossgate");
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    let run = stage.run(&["bootstrap", "--yes"]);
    run.exits(1);
    run.ensure(run.has("is a symbolic link"), "it is said why");
    run.ensure(run.has("nothing was changed"), "and that nothing was done");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_manifest_that_is_no_file_of_its_own_is_not_shown() {
    // A link from the branch to a file of the machine: what is no manifest is refused, and of a key no line is repeated.
    let stage = Stage::new();
    let manifest = stage.story.folder.path().join("crossgate.toml");
    let outside = tempfile::tempdir().unwrap();
    let key = outside.path().join("id_rsa");
    fs::write(&key, "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0LW9mLXRoZS1tYWNoaW5l\n-----END OPENSSH PRIVATE KEY-----\n").unwrap();
    fs::remove_file(&manifest).unwrap();
    std::os::unix::fs::symlink(&key, &manifest).unwrap();
    for format in REPORTS {
        let run = stage.run(&["check", "--format", format]);
        run.exits(2);
        run.ensure(
            !run.has("c2VjcmV0LW9mLXRoZS1tYWNoaW5l"),
            "nothing of the file is shown",
        );
    }
}
