//! Where calls are sent and how: endpoints of profile and environment, proxies, TLS, attempts, traces.
//! Whose credentials they carry is in `accounts`.

use std::fs;
use std::time::Instant;

use tempfile::TempDir;

use super::child::{ROOT, all_ok, aws, keys, reply, run};
use super::stub::{Stub, query_error};

#[test]
fn endpoints_come_from_the_profile_and_its_services() {
    let (all, iam, wrong) = (aws(), aws(), aws());
    let config = format!(
        "[profile tools]\nendpoint_url = {}\nservices = local\n{}\n[services local]\niam =\n  endpoint_url = {}\n\
         [default]\nendpoint_url = {}\n{}",
        all.url,
        keys("PROFILE"),
        iam.url,
        wrong.url,
        keys("DEFAULT")
    );
    let seen = run("tools=profile:tools", &config, &[]);
    all_ok(&seen);
    let operations = |stub: &Stub| -> Vec<String> {
        stub.seen()
            .iter()
            .map(|r| r.operation().to_owned())
            .collect()
    };
    assert_eq!(operations(&iam), ["GetRole"]);
    assert_eq!(all.seen().len(), 2);
    assert_eq!(wrong.seen().len(), 0);
}

#[test]
fn endpoint_variables_come_before_the_profile_and_a_services_own_before_all() {
    let (global, lambda, profile) = (aws(), aws(), aws());
    let config = format!(
        "[profile tools]\nendpoint_url = {}\n{}",
        profile.url,
        keys("PROFILE")
    );
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("AWS_ENDPOINT_URL", &global.url),
            ("AWS_ENDPOINT_URL_LAMBDA", &lambda.url),
        ],
    );
    all_ok(&seen);
    assert_eq!(global.seen().len(), 2);
    assert_eq!(lambda.seen().len(), 1);
    assert_eq!(profile.seen().len(), 0);
}

#[test]
fn logs_have_an_endpoint_variable_of_their_own_and_the_functions_region() {
    let (global, logs) = (
        aws(),
        Stub::start(|_, _| super::stub::ok("{\"events\":[]}")),
    );
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("AWS_ENDPOINT_URL", &global.url),
            ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &logs.url),
            ("CROSSGATE_TEST_LOGS", "1"),
        ],
    );
    assert_eq!(seen.results.len(), 4, "{}", seen.output);
    all_ok(&seen);
    let asked = logs.seen();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].operation(), "FilterLogEvents");
    assert_eq!(asked[0].region(), "eu-west-1");
}

#[test]
fn nobody_listening_is_unreachable_and_bounded() {
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let started = Instant::now();
    let seen = run(
        "tools=profile:tools",
        &config,
        &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")],
    );
    assert!(started.elapsed().as_secs() < 10);
    for result in &seen.results {
        assert!(
            result.contains("Unreachable") && result.contains("refused"),
            "{result}"
        );
        assert!(result.contains("hint: nothing listens there"), "{result}");
    }
}

#[test]
fn https_goes_through_the_proxy_and_http_past_it() {
    let (proxy, stub) = (aws(), aws());
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let home = TempDir::new().unwrap();
    let root = home.path().join("root.pem");
    fs::write(&root, ROOT).unwrap();
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("HTTPS_PROXY", &proxy.url),
            ("HTTP_PROXY", &proxy.url),
            ("SSL_CERT_FILE", &root.to_string_lossy()),
            ("AWS_ENDPOINT_URL", &stub.url),
            ("AWS_ENDPOINT_URL_LAMBDA", "https://lambda.example.invalid"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ],
    );
    assert_eq!(stub.seen().len(), 2, "{}", seen.output);
    let lines: Vec<String> = proxy.seen().into_iter().map(|r| r.line).collect();
    assert_eq!(lines, ["CONNECT lambda.example.invalid:443 HTTP/1.1"]);
    assert!(seen.results[2].contains("Unreachable"), "{}", seen.output);
}

#[test]
fn tls_that_fails_is_unreachable() {
    let stub = aws();
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let home = TempDir::new().unwrap();
    let root = home.path().join("root.pem");
    fs::write(&root, ROOT).unwrap();
    let url = stub.url.replace("http:", "https:");
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("SSL_CERT_FILE", &root.to_string_lossy()),
            ("AWS_ENDPOINT_URL", &url),
            ("AWS_MAX_ATTEMPTS", "1"),
        ],
    );
    assert!(seen.results[0].contains("Unreachable"), "{}", seen.output);
}

#[test]
fn an_endpoint_that_is_no_url_is_said() {
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let seen = run(
        "tools=profile:tools",
        &config,
        &[
            ("AWS_ENDPOINT_URL", "localhost 4566"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ],
    );
    insta::assert_snapshot!(seen.results[0], @"tools the caller's identity: Unreachable | sts:GetCallerIdentity on the caller's identity in account tools (111111111111) failed: dispatch failure: other: failed to apply endpoint `localhost 4566`: endpoint is not a valid URI: invalid uri character | hint: check endpoint_url and AWS_ENDPOINT_URL: a URL such as http://127.0.0.1:4566 is expected");
}

#[test]
fn attempts_are_those_of_the_variable() {
    let stub = Stub::start(|_, _| super::stub::answer(500, "{}"));
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    run(
        "tools=profile:tools",
        &config,
        &[("AWS_ENDPOINT_URL", &stub.url), ("AWS_MAX_ATTEMPTS", "2")],
    );
    assert_eq!(stub.seen().len(), 3 * 2);
}

#[test]
fn each_call_is_traced_without_secrets() {
    let stub = aws();
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let seen = run(
        "dev=role:tools,tools=profile:tools",
        &config,
        &[
            ("AWS_ENDPOINT_URL", &stub.url),
            ("CROSSGATE_TEST_TRACE", "1"),
        ],
    );
    let traced: Vec<&str> = seen
        .output
        .lines()
        .filter(|l| l.contains("aws call"))
        .collect();
    assert_eq!(traced.len(), 6, "{}", seen.output);
    let role = traced
        .iter()
        .find(|l| l.contains("operation=\"iam:GetRole\"") && l.contains("account=dev"));
    let role = role.expect("iam:GetRole is traced");
    for part in [
        "account_id=111111111111",
        "resource=role x",
        "duration_ms=",
        "request_id=\"req-1\"",
        "outcome=\"ok\"",
    ] {
        assert!(role.contains(part), "{role}");
    }
}

#[test]
fn retries_are_counted_in_the_trace_of_their_call() {
    let stub = Stub::start(|request, number| match request.header("amz-sdk-request") {
        Some(attempt) if attempt.starts_with("attempt=1;") && request.operation() == "GetRole" => {
            query_error(503, "ServiceUnavailable", "in a moment")
        }
        _ => reply(request, number),
    });
    let config = format!("[profile tools]\n{}", keys("PROFILE"));
    let variables = [
        ("AWS_ENDPOINT_URL", stub.url.as_str()),
        ("CROSSGATE_TEST_TRACE", "1"),
    ];
    let seen = run("tools=profile:tools", &config, &variables);
    let traced = |operation: &str| {
        let lines = seen.output.lines();
        let found = lines
            .filter(|line| line.contains("aws call"))
            .find(|line| line.contains(operation));
        found
            .unwrap_or_else(|| panic!("{operation}: {}", seen.output))
            .to_owned()
    };
    assert!(
        traced("iam:GetRole").contains("retries=1"),
        "{}",
        traced("iam:GetRole")
    );
    let identity = traced("sts:GetCallerIdentity");
    assert!(identity.contains("retries=0"), "{identity}");
}

#[test]
fn requests_say_which_program_sends_them() {
    let stub = aws();
    let config = format!(
        "[profile tools]\n{}[profile chained]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = tools\n",
        keys("PROFILE")
    );
    run(
        "dev=role:tools,tools=profile:tools,chained=profile:chained",
        &config,
        &[("AWS_ENDPOINT_URL", &stub.url)],
    );
    let requests = stub.seen();
    assert!(requests.len() >= 9, "{}", requests.len());
    let name = concat!("app/crossgate-", env!("CARGO_PKG_VERSION"));
    let (named, others): (Vec<_>, Vec<_>) = requests.into_iter().partition(|request| {
        let agent = request.header("user-agent").unwrap_or_default();
        agent.contains(name)
    });
    assert!(named.iter().any(|r| r.operation() == "AssumeRole"));
    // The chain of a profile makes its own client of STS, and `ProviderConfig` (aws-config 1.13) takes no name for it.
    let others: Vec<_> = others.iter().map(super::stub::Request::operation).collect();
    assert_eq!(others, ["AssumeRole"]);
}
