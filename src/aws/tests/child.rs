//! What tests of the environment share. A test cannot change its own environment safely: it starts this test binary again,
//! with another one, to run [`child`] alone. What the child saw is its output, what it sent is in the stub.

use std::env;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

use futures_util::future::join_all;
use tempfile::TempDir;

use super::stub::{Answer, Request, Stub, query_error, query_ok};
use super::{access, runtime};
use crate::aws::{AwsCloud, Credentials, Settings};
use crate::cloud::Cloud;
use crate::model::account::{AccountName, Region};
use crate::model::arn::RoleArn;
use crate::model::name::{FunctionName, Project, RoleName};
use crate::model::read::Read;

const ACCOUNTS: &str = "CROSSGATE_TEST_ACCOUNTS";
/// A root that signed nothing: with it, the test does not depend on what the machine trusts.
pub(super) const ROOT: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBdjCCARugAwIBAgIUBJRelRYfWm0IXhpeJ2DV354QfV8wCgYIKoZIzj0EAwIw\n\
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIxMzE4NTlaGA8yMTI2MTAyOTEzMTg1\n\
OVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKVN\n\
gFcxIHXF3j8rbxwyj1Zsi7EBNygXo+fMBCDn/p1gSfPsv6lAU0GMFi4SeBZfP/C0\n\
ZkmRV3ELnjgqSNHz1mWjUzBRMB0GA1UdDgQWBBS4P2yQBPmuxZgxvIKVkrbPriGw\n\
pzAfBgNVHSMEGDAWgBS4P2yQBPmuxZgxvIKVkrbPriGwpzAPBgNVHRMBAf8EBTAD\n\
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCvu/M33oqJYgLffUtWwXx2L/AISZo7TKgZ\n\
IknxzbknFQIhALoYdgeidmdsIMYE5xWg+sL50nSgoctK82za37JPzwUy\n\
-----END CERTIFICATE-----\n\
";
const KEYS: &str = "aws_access_key_id = {}\naws_secret_access_key = SECRETKEY\n";

/// Not a test of its own: without the variable it does nothing.
#[test]
fn child() {
    let Ok(spec) = env::var(ACCOUNTS) else {
        return;
    };
    let accounts: Vec<_> = spec.split(',').map(parse_account).collect();
    let names: Vec<AccountName> = accounts.iter().map(|a| a.name.clone()).collect();
    if env::var_os("CROSSGATE_TEST_TRACE").is_some() {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .init();
    }
    let runtime = runtime();
    let settings = Settings {
        project: Some(Project::new("demo").unwrap()),
        ..Settings::default()
    };
    let started = Instant::now();
    let cloud = AwsCloud::new(accounts, settings);
    let mut out = std::io::stdout();
    writeln!(out, "made in {:?}", started.elapsed()).unwrap();
    let reads = reads();
    let results = runtime.block_on(join_all(names.iter().flat_map(|name| {
        let cloud = &cloud;
        reads.iter().map(move |read| async move {
            let result = cloud.read(name, read).await;
            (name, read, result)
        })
    })));
    writeln!(out, "answered in {:?}", started.elapsed()).unwrap();
    for (name, read, result) in results {
        let told = match result {
            Ok(_) => "ok".to_owned(),
            Err(e) => {
                let hint = e.hint.as_deref().unwrap_or_default();
                format!("{:?} | {e} | hint: {hint}", e.kind)
            }
        };
        writeln!(out, "RESULT {name} {read}: {told}").unwrap();
    }
}

fn reads() -> Vec<Read> {
    let region = Region::new("eu-west-1").unwrap();
    let logs = Read::LogEvents {
        region,
        group: "/aws/lambda/F".to_owned(),
        from_ms: 0,
        to_ms: 1,
        filter: None,
        limit: 1,
    };
    let asked = env::var_os("CROSSGATE_TEST_LOGS").is_some();
    let mut reads = vec![
        Read::CallerIdentity,
        Read::Role {
            role: RoleName::new("x").unwrap(),
        },
        Read::Function {
            region: Region::new("eu-west-1").unwrap(),
            name: FunctionName::new("F").unwrap(),
        },
    ];
    reads.extend(asked.then_some(logs));
    reads
}

/// `NAME=default`, `NAME=profile:P` or `NAME=role:VIA`.
fn parse_account(text: &str) -> crate::aws::AccountAccess {
    let (name, how) = text.split_once('=').unwrap();
    let credentials = match how.split_once(':') {
        None => Credentials::DefaultChain,
        Some(("profile", profile)) => Credentials::Profile(profile.to_owned()),
        Some((_, via)) => Credentials::AssumeRole {
            role_arn: RoleArn::parse("arn:aws:iam::222222222222:role/Org").unwrap(),
            via: AccountName::new(via).unwrap(),
        },
    };
    access(name, credentials)
}

/// What the child printed as results, and all of its output.
pub(super) struct Seen {
    pub(super) results: Vec<String>,
    pub(super) output: String,
}

pub(super) fn run(accounts: &str, config: &str, variables: &[(&str, &str)]) -> Seen {
    let home = TempDir::new().unwrap();
    let path = home.path().join("config");
    fs::write(&path, config).unwrap();
    let (_, module) = module_path!().split_once("::").unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &format!("{module}::child")])
        .env_clear()
        .env(ACCOUNTS, accounts)
        .env("HOME", home.path())
        .env("AWS_CONFIG_FILE", &path)
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let output = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
    .replace(&*home.path().to_string_lossy(), "HOME");
    let results: Vec<String> = output
        .lines()
        .filter_map(|line| Some(line.split_once("RESULT ")?.1.to_owned()))
        .collect();
    assert!(!results.is_empty(), "{output}");
    for secret in ["SECRETKEY", "Action="] {
        assert!(!output.contains(secret), "{output}");
    }
    Seen { results, output }
}

/// Answers everything; `AssumeRole` gives keys named after the role's name and the caller's key.
pub(super) fn aws() -> Stub {
    Stub::start(reply)
}

pub(super) fn reply(request: &Request, _: usize) -> Answer {
    match request.operation() {
        "GetCallerIdentity" => query_ok(
            "GetCallerIdentity",
            "<Arn>arn:aws:iam::111111111111:user/u</Arn><UserId>U</UserId><Account>111111111111</Account>",
        ),
        "AssumeRole" => query_ok(
            "AssumeRole",
            &format!(
                "<Credentials><AccessKeyId>ASSUMED-BY-{}</AccessKeyId><SecretAccessKey>SECRETKEY</SecretAccessKey>\
                 <SessionToken>T</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
                 <AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::222222222222:assumed-role/Org/s</Arn>\
                 </AssumedRoleUser>",
                request.key()
            ),
        ),
        "GetRole" => query_error(404, "NoSuchEntity", "The role with name x cannot be found."),
        _ => super::stub::answer(
            404,
            r#"{"__type":"ResourceNotFoundException","Message":"no"}"#,
        ),
    }
}

pub(super) fn keys(id: &str) -> String {
    KEYS.replace("{}", id)
}

pub(super) fn all_ok(seen: &Seen) {
    for result in &seen.results {
        assert!(result.ends_with(": ok"), "{}", seen.output);
    }
}
