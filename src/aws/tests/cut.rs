//! Answers that end too early: a part of one must never pass for the whole.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::stub::{Answer, Stub, answer, ok, query_ok};
use super::{access, call, sdk_config};
use crate::aws::errors::Failure;
use crate::aws::{Credentials, iam, lambda};
use crate::cloud::CloudErrorKind;
use crate::model::name::{FunctionName, RoleName};
use crate::model::read::Fact;

/// A role whose tags come last, as IAM writes it.
fn role() -> Answer {
    let role = "<Role><Path>/</Path><RoleName>x</RoleName><RoleId>AROA1</RoleId>\
                <Arn>arn:aws:iam::111111111111:role/x</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
                <AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument>\
                <Tags><member><Key>crossgate:project</Key><Value>shop</Value></member></Tags></Role>";
    query_ok("GetRole", role)
}

fn until(answer: &Answer, end: &str) -> Answer {
    let (kept, _) = answer.body.split_once(end).unwrap();
    ok(kept)
}

fn get_role(url: &str) -> Result<Fact, Failure> {
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("iam:GetRole", &access);
    let client = aws_sdk_iam::Client::new(&sdk_config(url));
    let role = RoleName::new("x").unwrap();
    let outcome = runtime.block_on(iam::role(&client, &call, &role));
    outcome.map(|answer| answer.value)
}

#[test]
fn half_a_role_is_asked_for_again() {
    for end in ["<Tags>", "<Key>", "</GetRoleResponse>"] {
        let stub = Stub::start(move |_, number| match number {
            1 => until(&role(), end),
            _ => role(),
        });
        let Fact::Role(Some(found)) = get_role(&stub.url).unwrap() else {
            panic!("no role")
        };
        assert_eq!(found.tags.len(), 1, "cut before {end}");
        assert_eq!(stub.count("GetRole"), 2, "cut before {end}");
    }
}

#[test]
fn a_role_that_is_always_cut_is_an_error_and_not_a_role_without_tags() {
    let stub = Stub::start(|_, _| until(&role(), "<Tags>"));
    let failure = get_role(&stub.url).unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::Malformed, "{failure:?}");
    assert!(
        failure.message.contains("ends in the middle"),
        "{failure:?}"
    );
    assert!(
        failure.hint.unwrap().contains("run it again"),
        "it says what to do"
    );
    assert_eq!(stub.count("GetRole"), 3);
}

#[test]
fn half_a_list_of_roles_is_no_short_list() {
    let member = "<member><Path>/</Path><RoleName>x</RoleName><RoleId>AROA1</RoleId>\
                  <Arn>arn:aws:iam::111111111111:role/x</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
                  <AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></member>";
    let list = format!(
        "<RoleDetailList>{member}{member}</RoleDetailList><IsTruncated>false</IsTruncated>"
    );
    let whole = query_ok("GetAccountAuthorizationDetails", &list);
    let half = until(&whole, "</RoleDetailList>");
    let stub = Stub::start(move |_, _| half.clone());
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("iam:GetAccountAuthorizationDetails", &access);
    let client = aws_sdk_iam::Client::new(&sdk_config(&stub.url));
    let outcome = runtime.block_on(iam::roles(&client, &call));
    let failure = outcome.map(|answer| answer.value).unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::Malformed, "{failure:?}");
}

#[test]
fn a_body_shorter_than_it_says_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 8192]);
            let body = role().body;
            let length = body.len() + 1;
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    let failure = get_role(&url).unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::Unreachable, "{failure:?}");
}

#[test]
fn a_404_without_a_code_says_what_to_do() {
    let stub = Stub::start(|_, _| answer(404, r#"{"Type":"User","Mess"#));
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("lambda:GetFunction", &access);
    let client = aws_sdk_lambda::Client::new(&sdk_config(&stub.url));
    let name = FunctionName::new("f").unwrap();
    let outcome = runtime.block_on(lambda::tagged(&client, &call, &name));
    let failure = outcome.map(|answer| answer.value).unwrap_err();
    assert_ne!(failure.kind, CloudErrorKind::NotFound, "{failure:?}");
    assert!(
        failure
            .hint
            .as_ref()
            .is_some_and(|hint| hint.contains("endpoint_url")),
        "{failure:?}"
    );
}
