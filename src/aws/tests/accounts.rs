//! Whose credentials are used: profiles, the environment, assumed roles, and what is said where there are none.
//! Where calls are sent is in `endpoints`.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use super::child::{all_ok, aws, keys, reply, run};
use super::runtime;
use super::stub::{Request, Stub, query_error};
use crate::aws::{AwsCloud, Settings};
use crate::cloud::{Cloud, CloudErrorKind};
use crate::model::account::AccountName;
use crate::model::read::Read;

#[test]
fn the_manifests_profile_wins_over_keys_and_profile_of_the_environment() {
    let stub = aws();
    let config = format!(
        "[profile tools]\n{}[profile other]\n{}",
        keys("PROFILE"),
        keys("OTHER")
    );
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "SECRETKEY"),
            ("AWS_SESSION_TOKEN", "T"),
            ("AWS_PROFILE", "other"),
            ("AWS_ENDPOINT_URL", &stub.url),
        ],
    );
    all_ok(&seen);
    let requests = stub.seen();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.key(), "PROFILE");
        assert_eq!(request.header("x-amz-security-token"), None);
        let agent = request.header("user-agent").unwrap_or_default();
        assert!(agent.contains("app/crossgate-"), "{agent}");
    }
    let mut regions: Vec<&str> = requests.iter().map(Request::region).collect();
    regions.sort_unstable();
    assert_eq!(regions, ["eu-west-1", "us-east-1", "us-east-1"]);
}

#[test]
fn the_default_chain_takes_the_environment() {
    let stub = aws();
    let seen = run(
        "tools=default",
        &format!("[default]\n{}", keys("DEFAULT")),
        &[
            ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "SECRETKEY"),
            ("AWS_ENDPOINT_URL", &stub.url),
        ],
    );
    all_ok(&seen);
    assert!(stub.seen().iter().all(|r| r.key() == "ENVIRONMENT"));
}

#[test]
fn what_an_answer_repeats_of_the_credentials_is_hidden() {
    // The secret key never goes over the wire; whoever answers may have it from elsewhere all the same.
    let stub = Stub::start(|request, _| {
        let token = request
            .header("x-amz-security-token")
            .unwrap_or("no token came");
        let all = format!("token {token} and key SECRETKEY");
        query_error(403, &format!("Denied{token}"), &all)
    });
    let config = format!(
        "[profile tools]\n{}aws_session_token = a/token+that=is.marked\n",
        keys("PROFILE")
    );
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("AWS_ENDPOINT_URL", &stub.url),
            ("CROSSGATE_TEST_TRACE", "1"),
        ],
    );
    assert!(
        seen.output.contains("token (hidden) and key (hidden)"),
        "{}",
        seen.output
    );
    for secret in ["a/token+that=is.marked", "SECRETKEY"] {
        assert!(!seen.output.contains(secret), "{}", seen.output);
    }
}

#[test]
fn a_missing_profile_is_named_and_nothing_takes_its_place() {
    let stub = aws();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "SECRETKEY"),
        ("AWS_ENDPOINT_URL", stub.url.as_str()),
    ];
    let config = format!(
        "[profile tools]\n{}[default]\n{}",
        keys("PROFILE"),
        keys("DEFAULT")
    );
    let seen = run("dev=profile:tolls", &config, &variables);
    assert_eq!(stub.seen().len(), 0);
    insta::assert_snapshot!(
        seen.results[0],
        @"dev the caller's identity: Credentials | sts:GetCallerIdentity on the caller's identity in account dev (111111111111) failed: there is no profile `tolls`: looked in HOME/config and HOME/.aws/credentials (no such file) | hint: did you mean `tools`?"
    );
    let empty = run("dev=profile:tolls", "", &variables);
    assert!(
        empty.results[0].contains("there is no profile `tolls`"),
        "{}",
        empty.output
    );
    assert!(
        empty.results[0].contains("aws configure"),
        "{}",
        empty.output
    );
    assert_eq!(stub.seen().len(), 0);
}

#[test]
fn a_profile_without_credentials_is_said_to_have_none() {
    let stub = aws();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "SECRETKEY"),
        ("AWS_ENDPOINT_URL", stub.url.as_str()),
    ];
    let seen = run(
        "dev=profile:tools",
        "[profile tools]\nregion = us-east-1\n",
        &variables,
    );
    assert_eq!(stub.seen().len(), 0);
    insta::assert_snapshot!(seen.results[0], @"dev the caller's identity: Credentials | sts:GetCallerIdentity on the caller's identity in account dev (111111111111) failed: profile `tools` holds no credentials | hint: give it some: `aws configure --profile tools`, or `aws configure sso`");
}

#[test]
fn a_role_is_assumed_once_for_all_calls_of_its_account() {
    let stub = aws();
    let config = format!(
        "[profile tools]\nendpoint_url = {}\n{}",
        stub.url,
        keys("PROFILE")
    );
    let seen = run("dev=role:tools,tools=profile:tools", &config, &[]);
    all_ok(&seen);
    assert_eq!(stub.count("AssumeRole"), 1);
    let requests = stub.seen();
    let assume = requests
        .iter()
        .find(|r| r.operation() == "AssumeRole")
        .unwrap();
    assert!(
        assume.body.contains("RoleSessionName=crossgate-demo"),
        "{}",
        assume.body
    );
    assert_eq!(assume.key(), "PROFILE");
    let of = |key: &str| requests.iter().filter(|r| r.key() == key).count();
    assert_eq!(of("ASSUMED-BY-PROFILE"), 3);
    assert_eq!(of("PROFILE"), 4);
}

#[test]
fn a_profiles_own_role_is_assumed_once() {
    let stub = aws();
    let config = format!(
        "[profile base]\n{}[profile dev]\nrole_arn = arn:aws:iam::222222222222:role/Org\nsource_profile = base\n\
         endpoint_url = {}\n",
        keys("BASE"),
        stub.url
    );
    let seen = run("dev=profile:dev", &config, &[]);
    all_ok(&seen);
    assert_eq!(stub.count("AssumeRole"), 1);
    let requests = stub.seen();
    assert_eq!(
        requests
            .iter()
            .filter(|r| r.key() == "ASSUMED-BY-BASE")
            .count(),
        3
    );
}

#[test]
fn a_refused_role_is_a_credentials_error_with_both_sides_in_the_hint() {
    let stub = Stub::start(|request, number| match request.operation() {
        "AssumeRole" => query_error(
            403,
            "AccessDenied",
            "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::222222222222:role/Org",
        ),
        _ => reply(request, number),
    });
    for accounts in [
        "tools=profile:tools,dev=role:tools",
        "tools=profile:tools,dev=profile:dev",
    ] {
        let config = format!(
            "[profile tools]\n{}[profile dev]\nrole_arn = arn:aws:iam::222222222222:role/Org\nsource_profile = tools\n",
            keys("PROFILE")
        );
        let seen = run(accounts, &config, &[("AWS_ENDPOINT_URL", &stub.url)]);
        let dev: Vec<&String> = seen
            .results
            .iter()
            .filter(|r| r.starts_with("dev "))
            .collect();
        assert_eq!(dev.len(), 3);
        for result in dev {
            assert!(
                result.contains("Credentials") && result.contains("AccessDenied"),
                "{result}"
            );
            assert!(
                result.contains("the trust policy of role arn:aws:iam::222222222222:role/Org"),
                "{result}"
            );
            assert!(result.contains("request id req-1"), "{result}");
        }
        let tools = seen.results.iter().filter(|r| r.starts_with("tools "));
        assert!(
            tools.into_iter().all(|r| r.ends_with(": ok")),
            "{}",
            seen.output
        );
    }
    assert_eq!(stub.count("AssumeRole"), 2);
}

#[test]
fn an_sso_profile_without_a_token_says_how_to_sign_in() {
    let config = "[profile dev]\nsso_session = s\nsso_account_id = 222222222222\nsso_role_name = R\n\
                  [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.invalid/start\n";
    let seen = run("dev=profile:dev", config, &[]);
    insta::assert_snapshot!(
        seen.results[0],
        @"dev the caller's identity: Credentials | sts:GetCallerIdentity on the caller's identity in account dev (111111111111) failed: profile `dev`: an error occurred while loading credentials: an error occurred while loading an access token: failed to load the cached SSO token | hint: sign in: aws sso login --profile dev"
    );
}

#[test]
fn a_credential_process_is_run_once_and_its_failure_is_told_without_its_output() {
    let stub = aws();
    let home = TempDir::new().unwrap();
    let log = home.path().join("runs");
    let script = home.path().join("creds.sh");
    let json = r#"{"Version":1,"AccessKeyId":"PROCESS","SecretAccessKey":"SECRETKEY"}"#;
    fs::write(
        &script,
        format!("echo run >> {}\necho '{json}'\n", log.display()),
    )
    .unwrap();
    let config = format!(
        "[profile dev]\ncredential_process = sh {}\n",
        script.display()
    );
    let seen = run(
        "dev=profile:dev",
        &config,
        &[("AWS_ENDPOINT_URL", &stub.url)],
    );
    all_ok(&seen);
    assert_eq!(fs::read_to_string(&log).unwrap(), "run\n");
    assert!(stub.seen().iter().all(|r| r.key() == "PROCESS"));

    fs::write(&script, "echo no entry >&2\nexit 3\n").unwrap();
    let seen = run(
        "dev=profile:dev",
        &config,
        &[("AWS_ENDPOINT_URL", &stub.url)],
    );
    assert!(!seen.output.contains("no entry"), "{}", seen.output);
    assert!(
        seen.results[0].contains("exit status: 3"),
        "{}",
        seen.output
    );
    assert!(
        seen.results[0].contains("credential_process of profile `dev`"),
        "{}",
        seen.output
    );
}

#[test]
fn no_credentials_anywhere_is_said_and_waits_for_no_metadata_service() {
    let started = Instant::now();
    let seen = run("tools=default", "", &[]);
    assert!(started.elapsed().as_secs() < 5, "{}", seen.output);
    assert!(seen.results[0].contains("Credentials"), "{}", seen.output);
    let seen = run(
        "tools=default",
        "",
        &[
            ("AWS_PROFILE", "gone"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ],
    );
    assert!(
        seen.results[0].contains("AWS_PROFILE: there is no profile `gone`"),
        "{}",
        seen.output
    );
}

#[test]
fn credentials_that_are_about_to_end_are_resolved_anew() {
    let soon = aws_smithy_types::DateTime::from(SystemTime::now() + Duration::from_secs(30));
    let soon = soon
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap();
    let stub = Stub::start(move |request, number| {
        let mut answer = reply(request, number);
        answer.body = answer.body.replace("2099-01-01T00:00:00Z", &soon);
        answer
    });
    let config = format!(
        "[profile tools]\nendpoint_url = {}\n{}",
        stub.url,
        keys("PROFILE")
    );
    let seen = run("dev=role:tools,tools=profile:tools", &config, &[]);
    all_ok(&seen);
    assert_eq!(stub.count("AssumeRole"), 3);
}

#[test]
fn accounts_that_go_in_circles_are_refused() {
    let seen = run("a=role:b,b=role:a", "", &[]);
    assert!(
        seen.results
            .iter()
            .all(|r| r.contains("is reached via itself")),
        "{}",
        seen.output
    );
    let seen = run("a=role:a", "", &[]);
    assert!(
        seen.results[0].contains("is reached via itself"),
        "{}",
        seen.output
    );
}

#[test]
fn an_account_that_was_not_set_up_is_an_error_not_a_panic() {
    let cloud = AwsCloud::new(Vec::new(), Settings::default());
    let runtime = runtime();
    let name = AccountName::new("x").unwrap();
    let error = runtime
        .block_on(cloud.read(&name, &Read::CallerIdentity))
        .unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::Other);
}
