//! No secret comes out: marked ones in credentials, environment, pipeline and functions, every command at -vv in every format, with and
//! without answers that repeat or break off what they hold; then everything that was printed or written is searched for the marks.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::CommandFactory;
use crossgate::cli::Cli;
use crossgate::sandbox::{Builtin, Code, SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::Story;
use crate::support::calls::Request;
use crate::support::cli::{self, Run};
use crate::support::http::Message;
use crate::support::relay::Relay;

/// Every marked secret begins with this, so that a new one is searched for too.
const MARK: &str = "MARKED";
/// In the environment, where nothing asks for it.
const UNRELATED: &str = "MARKED-of-the-environment";
/// In the environment, for `--secret`.
const REAL_TOKEN: &str = "MARKED-oauth-token";
/// In a variable of the function that is there, and of the one that is made.
const FUNCTIONS: &str = "MARKED-of-the-function";
const MADE: &str = "MARKED-of-the-made-function";
/// In the pipeline, where AWS does not mask it: these are in the backups, which are there to be put back.
const PLAIN: &str = "MARKED-in-plain";
/// What credential_process and the SSO cache say.
const CACHED: &str = "MARKED-of-the-cache";

/// Files in which marks were planted, or of which the manifest is made.
const PLANTED: &[&str] = &[
    "config",
    "credentials",
    "crossgate.toml",
    "leaky.json",
    "cache.json",
];

/// Every command, with what it is run with; `{}` is the format. Those that ask no account and read no manifest have nothing to hide.
const COMMANDS: &[(&str, &[&str], &[&str])] = &[
    ("plan", &["plan"], REPORTS),
    ("check", &["check", "--orphans", "--verify"], REPORTS),
    ("verify", &["verify", "--simulate"], REPORTS),
    ("graph", &["graph", "--from", "verify"], PICTURES),
    ("graph", &["graph", "--from", "plan"], PICTURES),
    ("bootstrap", &["bootstrap", "--yes"], TEXTS),
    (
        "run",
        &["run", "--timeout", "1", "--gate", "validate"],
        TEXTS,
    ),
    ("diagnose", &["diagnose", "--gate", "validate"], TEXTS),
    (
        "permissions",
        &["permissions", "bootstrap", "--resolve"],
        TEXTS,
    ),
    ("init", INIT, &["text"]),
    ("merge", &["merge", "check.json"], TEXTS),
    ("prune", &["prune", "--yes"], TEXTS),
    ("plan", &["plan", "--teardown"], REPORTS),
    ("teardown", &["teardown", "--yes"], TEXTS),
    ("restore", &["restore", SAVED, "--yes"], TEXTS),
];
/// The pipeline as AWS answered it before the gate was wired.
const SAVED: &str = "saved.json";
const REPORTS: &[&str] = &["text", "json", "junit", "sarif", "github", "markdown"];
const PICTURES: &[&str] = &["mermaid", "dot", "svg", "html"];
const TEXTS: &[&str] = &["text", "json"];
pub(super) const INIT: &[&str] = &[
    "init",
    "--from-pipeline",
    seed::PIPELINE,
    "--tools-profile",
    "tools",
    "--dev-profile",
    "dev",
    "--function",
    seed::FUNCTION,
    "--print",
    "--yes",
];

/// These see neither an account nor the manifest's values: files that are named, and the program itself.
const WITHOUT_ACCOUNTS: &[&str] = &[
    "policy",
    "explain",
    "schema",
    "completions",
    "man",
    "demo",
    "sandbox",
    "help",
];

/// Two accounts full of marks, behind a relay.
struct Marked {
    story: Story,
    relay: Relay,
    /// The secret keys of tools and dev: the sandbox chose them.
    keys: Vec<String>,
}

impl Marked {
    fn new() -> Self {
        let mut story = Story::with(SandboxOptions::default(), Code::Builtin(Builtin::Approve));
        let relay = Relay::before(&story.sandbox.endpoint());
        let folder = story.folder.path().to_owned();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();

        let credentials = read("credentials");
        let key = |profile: &str| {
            let section = credentials.split(&format!("[{profile}]")).nth(1).unwrap();
            let line = section.split("aws_secret_access_key = ").nth(1).unwrap();
            line.lines().next().unwrap().to_owned()
        };
        let keys = vec![key("tools"), key("dev")];
        assert!(keys.iter().all(|key| key.len() > 20), "{credentials}");

        // dev by way of a role, so that there is a session token; `leaky` answers what is no answer; `sso` is signed out.
        let config = read("config").replace(&story.sandbox.endpoint(), &relay.url());
        write(
            "leaky.json",
            &format!(
                "{{\"Version\": 1, \"AccessKeyId\": \"{CACHED}\", \"SecretAccessKey\": \"{CACHED}\""
            ),
        );
        let leaky = folder.join("leaky.json").display().to_string();
        write(
            "config",
            &format!(
                "{config}[profile leaky]\ncredential_process = cat {leaky}\nendpoint_url = {url}\n\n\
                 [profile loud]\ncredential_process = sh -c \"cat {leaky} >&2; exit 1\"\nendpoint_url = {url}\n\n\
                 [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://127.0.0.1:1/start\n\n\
                 [profile sso]\nsso_session = corp\nsso_account_id = 222222222222\nsso_role_name = Dev\n\n",
                url = relay.url()
            ),
        );
        // The SDK names the file after the SHA-1 of the session's name.
        let cache = folder.join(".aws/sso/cache");
        fs::create_dir_all(&cache).unwrap();
        let token = json!({"accessToken": CACHED, "refreshToken": CACHED, "clientSecret": CACHED, "clientId": "c",
            "expiresAt": "2020-01-01T00:00:00Z", "region": "us-east-1", "startUrl": "https://127.0.0.1:1/start"});
        fs::write(
            cache.join("ee0bfd2552fbd840c02cc48b6e823320543c450f.json"),
            token.to_string(),
        )
        .unwrap();

        for (name, value) in [
            ("UNRELATED_TOKEN", UNRELATED),
            ("GITHUB_TOKEN", UNRELATED),
            ("AWS_SECRET_ACCESS_KEY", UNRELATED),
            ("AWS_SESSION_TOKEN", UNRELATED),
            ("REAL_TOKEN", REAL_TOKEN),
            ("PATH", "/usr/bin:/bin"),
            // A fault is looked at once, not waited out.
            ("AWS_MAX_ATTEMPTS", "1"),
        ] {
            story.variables.insert(name.to_owned(), value.to_owned());
        }
        let marked = Self { story, relay, keys };
        marked.plant();
        marked
    }

    /// Marks in both accounts, and a manifest that reaches dev by way of a role and makes a second function.
    fn plant(&self) {
        let Self { story, .. } = self;
        let tools = story.sandbox.admin(&story.accounts.tools, seed::REGION);
        let mut pipeline = seed::pipeline();
        let source = json!({"name": "GitHub", "runOrder": 1,
            "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
            "configuration": {"Owner": "o", "Repo": "r", "Branch": "b", "OAuthToken": REAL_TOKEN},
            "inputArtifacts": [], "outputArtifacts": [{"name": "Code"}]});
        let build = json!({"name": "Build", "runOrder": 1,
            "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
            "configuration": {"ProjectName": "p", "EnvironmentVariables": format!("[{{\"name\":\"K\",\"value\":\"{PLAIN}\"}}]")},
            "inputArtifacts": [{"name": "App"}], "outputArtifacts": []});
        let custom = json!({"name": "Hook", "runOrder": 2,
            "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
            "configuration": {"FunctionName": "theirs", "UserParameters": PLAIN},
            "inputArtifacts": [], "outputArtifacts": []});
        let stages = pipeline["stages"].as_array_mut().unwrap();
        stages[0]["actions"].as_array_mut().unwrap().push(source);
        stages[2]["actions"]
            .as_array_mut()
            .unwrap()
            .extend([build, custom]);
        tools
            .codepipeline("UpdatePipeline", &json!({"pipeline": pipeline}))
            .unwrap();
        let saved = tools
            .codepipeline("GetPipeline", &json!({"name": seed::PIPELINE}))
            .unwrap();
        // Other values than the pipeline has now: the difference is told, the values are not.
        let saved = saved.to_string().replace(PLAIN, "before");
        fs::write(story.folder.path().join(SAVED), saved).unwrap();

        let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
        let role = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
        let variables = [("API_TOKEN", FUNCTIONS)];
        dev.put_function(
            seed::FUNCTION,
            &role,
            Code::Builtin(Builtin::Approve),
            &variables,
        )
        .unwrap();
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", seed::TOOLS)}}]});
        dev.create_role("Operator", &trust.to_string()).unwrap();
        let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        dev.put_role_policy("Operator", "all", &all.to_string())
            .unwrap();
        self.manifest(&format!(
            "assume_role = \"arn:aws:iam::{}:role/Operator\"\nvia = \"tools\"",
            seed::DEV
        ));
        fs::create_dir(story.folder.path().join("lambda")).unwrap();
        let code = "import boto3\n\ndef handler(event, context):\n    job = event['CodePipeline.job']['id']\n    boto3.client('codepipeline').put_job_success_result(jobId=job)\n";
        fs::write(story.folder.path().join("lambda/validate.py"), code).unwrap();
    }

    /// The manifest, with the lines that say how dev is reached.
    fn manifest(&self, dev: &str) {
        let second = format!(
            "\n[[gates]]\nname = \"made\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\nname = \"{}\"\n\
             stage = \"Made\"\naction = \"RunMade\"\nafter = \"Prod\"\n[gates.function]\naccount = \"dev\"\nname = \"MadeFunction\"\n\
             source = \"lambda\"\nruntime = \"python3.13\"\nhandler = \"validate.handler\"\n\
             [gates.function.environment]\nTOKEN = \"{MADE}\"\n",
            seed::PIPELINE
        );
        let text = seed::manifest().replace("profile = \"dev\"", dev) + &second;
        fs::write(self.story.folder.path().join("crossgate.toml"), text).unwrap();
    }

    /// Runs a command at -vv, with every report beside it where it has reports, and looks at all that came of it.
    fn run(&self, command: &[&str], format: &str) -> Run {
        let mut arguments: Vec<&str> = command.to_vec();
        arguments.extend(["-vv", "--format", format]);
        if ["bootstrap", "plan"].contains(&command[0]) {
            arguments.extend(["--secret", "Source/GitHub/OAuthToken=env:REAL_TOKEN"]);
        }
        if ["plan", "check", "verify"].contains(&command[0]) {
            arguments.extend([
                "--output",
                "markdown=out.md",
                "--output",
                "sarif=out.sarif",
                "--output",
                "json=out.json",
            ]);
        }
        if command[0] == "init" {
            arguments = command.to_vec();
            arguments.push("-vv");
        }
        let run = cli::run(self.story.folder.path(), &self.story.variables, &arguments);
        self.search(&run);
        run
    }

    /// All that must not be found, with what it is.
    fn secrets(&self) -> BTreeSet<String> {
        let tokens = self.relay.tokens().into_iter().filter(|t| t != UNRELATED);
        let keys = self.keys.iter().cloned();
        keys.chain(tokens).chain([MARK.to_owned()]).collect()
    }

    #[track_caller]
    fn search(&self, run: &Run) {
        for secret in self.secrets() {
            for (what, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
                assert!(
                    !text.contains(&secret),
                    "{what} of {} has {secret}:\n{}",
                    run.arguments.join(" "),
                    around(text, &secret)
                );
            }
        }
        self.search_files(self.story.folder.path());
    }

    /// The files that the runs have left. Backups hold the pipeline as AWS gave it, for their owner alone.
    #[track_caller]
    fn search_files(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (
                entry.path(),
                entry.file_name().to_string_lossy().into_owned(),
            );
            let is_planted = folder == self.story.folder.path() && PLANTED.contains(&&*name);
            if is_planted || name == ".aws" || name == "lambda" {
                continue;
            }
            if path.is_dir() {
                self.search_files(&path);
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let is_backup = folder.ends_with(".crossgate/backup");
            if is_backup {
                let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
                assert_eq!((mode(&path), mode(folder)), (0o600, 0o700));
            }
            let text = if is_backup {
                text.replace(PLAIN, "")
            } else {
                text
            };
            for secret in self.secrets() {
                assert!(
                    !text.contains(&secret),
                    "{} has {secret}:\n{}",
                    path.display(),
                    around(&text, &secret)
                );
            }
        }
    }

    fn backups(&self) -> usize {
        let folder = self.story.folder.path().join(".crossgate/backup");
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    /// Keeps what `check` says, for `merge`.
    fn keep_report(&self) {
        let run = self.story.run(&["check", "--format", "json"]);
        fs::write(self.story.folder.path().join("check.json"), run.stdout).unwrap();
    }
}

/// The lines around a text.
fn around(text: &str, what: &str) -> String {
    let at = text.find(what).unwrap_or_default();
    let from = text[..at].rfind('\n').map_or(0, |n| n);
    text[from..].chars().take(600).collect()
}

/// How an answer goes wrong while it holds secrets.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// A refusal that repeats the token of the request, and for updates what they sent.
    Echo,
    /// A 500 with the answer that it should have been.
    Broken,
    /// A 200 that breaks off.
    Cut,
    /// A 400 that breaks off.
    Refused,
}

const FAULTS: [Fault; 4] = [Fault::Echo, Fault::Broken, Fault::Cut, Fault::Refused];

impl Fault {
    fn of(self, request: &Request, credential: &str, mut answer: Message) -> Message {
        let status =
            |answer: &mut Message, status: u16| answer.first_line = format!("HTTP/1.1 {status} X");
        let cut = |answer: &mut Message| answer.body.truncate(answer.body.len() * 9 / 10);
        match self {
            Self::Echo => {
                let sent = match request.operation.as_str() {
                    "UpdatePipeline" => REAL_TOKEN,
                    "CreateFunction" | "UpdateFunctionConfiguration" => MADE,
                    _ => "",
                };
                let message =
                    format!("not authorized to perform: {credential}:{sent} because {sent}");
                status(&mut answer, 403);
                let of_json = json!({"__type": "AccessDeniedException", "message": message, "Message": message});
                let of_xml = format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error>\
                     <RequestId>r</RequestId></ErrorResponse>"
                );
                answer.body = if ["iam", "sts", "s3"].contains(&request.service.as_str()) {
                    of_xml.into_bytes()
                } else {
                    of_json.to_string().into_bytes()
                };
            }
            Self::Broken => status(&mut answer, 500),
            Self::Cut => cut(&mut answer),
            Self::Refused => {
                status(&mut answer, 400);
                cut(&mut answer);
            }
        }
        answer
    }
}

/// Every command, in every format that `takes` its number; gives the operations that were asked for.
fn tour(marked: &Marked, takes: impl Fn(usize) -> bool) -> BTreeSet<String> {
    let mut number = 0;
    let mut operations = BTreeSet::new();
    for (name, command, formats) in COMMANDS {
        if *name == "merge" {
            marked.keep_report();
        }
        for format in *formats {
            number += 1;
            if takes(number) {
                let run = marked.run(command, format);
                run.ensure(
                    run.code.is_some_and(|code| code != 2),
                    "it is a good command line",
                );
            }
        }
        operations.extend(marked.relay.take_asked().into_iter().map(|r| r.operation));
    }
    operations
}

#[test]
fn every_command_is_looked_at() {
    let covered: BTreeSet<&str> = COMMANDS
        .iter()
        .map(|(name, ..)| *name)
        .chain(WITHOUT_ACCOUNTS.iter().copied())
        .collect();
    for command in Cli::command().get_subcommands() {
        assert!(
            covered.contains(command.get_name()),
            "{} may show secrets: put it into COMMANDS",
            command.get_name()
        );
    }
}

#[test]
fn no_command_shows_a_secret() {
    let marked = Marked::new();
    let passed = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&passed);
    marked.relay.change(move |_, _, answer| {
        kept.lock().unwrap().push_str(&answer.text());
        Some(answer)
    });
    let operations = tour(&marked, |_| true);
    for mark in [PLAIN, FUNCTIONS, MADE] {
        assert!(passed.lock().unwrap().contains(mark), "{mark} came by");
    }
    for asked in [
        "AssumeRole",
        "GetPipeline",
        "GetFunctionConfiguration",
        "UpdatePipeline",
        "CreateFunction",
    ] {
        assert!(
            operations.contains(asked),
            "{asked} is looked at: {operations:?}"
        );
    }
    assert!(marked.backups() > 0, "there are backups");
    assert!(
        !marked.relay.tokens().is_empty(),
        "there is a session token"
    );
}

/// For each operation each fault, with the commands whose turn it is: each pair of operation and fault meets every `of`th of the tour.
fn faulty(of: usize) {
    let marked = Marked::new();
    let operations = tour(&marked, |_| true);
    let mut turn = 0;
    for operation in &operations {
        for fault in FAULTS {
            let (struck, key) = (operation.clone(), marked.keys[0].clone());
            marked.relay.change(move |request, token, answer| {
                Some(if request.operation == struck {
                    fault.of(request, token.unwrap_or(&key), answer)
                } else {
                    answer
                })
            });
            turn += 1;
            tour(&marked, |number| (number + turn) % of == 0);
        }
        marked.relay.pass();
        marked.run(&["teardown", "--yes"], "text");
    }
    assert!(turn > 60, "{turn} faults");
}

#[test]
fn no_fault_makes_a_command_show_a_secret() {
    faulty(41);
}

#[test]
#[ignore = "every command with every fault at every operation: minutes"]
fn no_fault_makes_any_command_show_a_secret() {
    faulty(1);
}

#[test]
fn credentials_that_cannot_be_had_are_not_shown() {
    let marked = Marked::new();
    for profile in ["leaky", "loud", "sso"] {
        marked.manifest(&format!("profile = \"{profile}\""));
        for (_, command, formats) in COMMANDS {
            if ["check", "bootstrap", "init"].contains(&command[0]) {
                let command: Vec<&str> = command
                    .iter()
                    .map(|a| if *a == "dev" { profile } else { a })
                    .collect();
                for format in *formats {
                    let run = marked.run(&command, format);
                    run.ensure(run.code != Some(0), "it cannot be done");
                }
            }
        }
    }
}

#[test]
fn a_changed_variable_of_a_function_is_told_without_its_value() {
    let marked = Marked::new();
    marked.run(&["bootstrap", "--yes"], "json").exits(0);
    let text = fs::read_to_string(marked.story.folder.path().join("crossgate.toml")).unwrap();
    let text = text.replace(MADE, "MARKED-and-changed");
    fs::write(marked.story.folder.path().join("crossgate.toml"), text).unwrap();
    for format in REPORTS {
        let run = marked.run(&["check"], format);
        run.exits(3);
    }
    let run = marked.run(&["check"], "json");
    let told: Value = run.json();
    assert!(
        told.to_string().contains("TOKEN"),
        "the variable is named: {told}"
    );
}
