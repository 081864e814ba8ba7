//! Each service's calls: raw pipeline documents, roles and policies, functions.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::stub::{Answer, Stub, answer, ok, query_error, query_ok};
use super::{access, call, runtime, sdk_config};
use crate::aws::session::Sessions;
use crate::aws::{AwsCloud, Credentials, codepipeline, iam, lambda};
use crate::cloud::{Cloud, CloudErrorKind};
use crate::model::json_text::JsonText;
use crate::model::name::{FunctionName, PipelineName, PolicyName, RoleName, RolePath};
use crate::model::pipeline::PipelineDocument;
use crate::model::read::{AttachedPolicy, Fact, InlinePolicy};
use crate::model::write::{NewRole, Write, Written};

/// Keys out of order, fields and enum values that no SDK knows, a number that must not be rounded.
const PIPELINE: &str = r#"{"metadata":{"created":1.1},"pipeline":{"zeta":{"b":1,"a":[1.10,12345678901234567890123]},"name":"P","version":7,"executionMode":"FROM_THE_FUTURE","stages":[{"name":"S","novelty":true,"actions":[]}],"roleArn":"arn:aws:iam::111111111111:role/svc"}}"#;
/// A shape that the typed structure cannot hold.
const ODD: &str = r#"{"pipeline":{"name":"P","roleArn":"arn:aws:iam::111111111111:role/svc","version":"seven","triggers":"none","stages":[{"name":"S","actions":[]},{"name":"T","actions":[]}]},"metadata":7}"#;

fn client(stub: &Stub) -> aws_sdk_codepipeline::Client {
    aws_sdk_codepipeline::Client::new(&sdk_config(&stub.url))
}

fn get(stub: &Stub) -> Result<Fact, crate::aws::errors::Failure> {
    let access = access("tools", Credentials::DefaultChain);
    let (call, runtime) = call("codepipeline:GetPipeline", &access);
    let name = PipelineName::new("P").unwrap();
    let outcome = runtime.block_on(codepipeline::get(&client(stub), &call, &name));
    outcome.map(|answer| answer.value)
}

fn update(
    stub: &Stub,
    document: &PipelineDocument,
) -> Result<Written, crate::aws::errors::Failure> {
    let access = access("tools", Credentials::DefaultChain);
    let (call, runtime) = call("codepipeline:UpdatePipeline", &access);
    let name = PipelineName::new("P").unwrap();
    let outcome = runtime.block_on(codepipeline::update(&client(stub), &call, &name, document));
    outcome.map(|answer| answer.value)
}

#[test]
fn a_pipeline_goes_round_with_every_field_that_the_sdk_does_not_know() {
    let stub = Stub::start(|_, _| ok(PIPELINE));
    let Fact::Pipeline(Some(document)) = get(&stub).unwrap() else {
        panic!("no pipeline")
    };
    let written = update(&stub, &document).unwrap();
    assert_eq!(written, Written::Pipeline { version: Some(7) });

    let sent = stub.seen().pop().unwrap();
    assert_eq!(sent.operation(), "UpdatePipeline");
    assert_eq!(sent.body, document.to_request_body());
    let sent_json: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    let read_json: serde_json::Value = serde_json::from_str(PIPELINE).unwrap();
    assert_eq!(sent_json["pipeline"], read_json["pipeline"]);
    assert!(sent.body.contains("1.10") && sent.body.contains("12345678901234567890123"));
    assert!(sent.body.find("zeta") < sent.body.find("roleArn"));
    assert_eq!(sent_json.get("metadata"), None);
    let length = sent.body.len().to_string();
    assert_eq!(sent.header("content-length"), Some(length.as_str()));
    assert_eq!(
        sent.headers
            .iter()
            .filter(|(n, _)| n == "content-length")
            .count(),
        1
    );
}

#[test]
fn a_throttled_update_sends_our_body_again() {
    let stub = Stub::start(|_, number| match number {
        1 => answer(
            400,
            r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
        ),
        _ => ok(r#"{"pipeline":{"name":"P","version":8}}"#),
    });
    let document = PipelineDocument::parse(PIPELINE).unwrap();
    assert_eq!(
        update(&stub, &document).unwrap(),
        Written::Pipeline { version: Some(8) }
    );
    let bodies: Vec<String> = stub.seen().into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, vec![document.to_request_body(); 2]);
}

#[test]
fn an_update_that_may_have_been_made_is_not_sent_again() {
    let stub = Stub::start(|_, _| answer(500, "{}"));
    let failure = update(&stub, &PipelineDocument::parse(PIPELINE).unwrap()).unwrap_err();
    assert!(failure.kind.leaves_in_doubt(), "{failure:?}");
    assert_eq!(stub.count("UpdatePipeline"), 1);
}

#[test]
fn a_pipeline_that_the_typed_structure_cannot_hold_is_still_read() {
    let stub = Stub::start(|_, _| ok(ODD));
    let typed = client(&stub).get_pipeline().name("P").send();
    assert!(
        runtime().block_on(typed).is_err(),
        "the SDK reads this by now: take another"
    );
    assert!(matches!(get(&stub), Ok(Fact::Pipeline(Some(_)))));
}

#[test]
fn an_update_whose_answer_is_odd_is_still_done() {
    let stub = Stub::start(|_, _| ok("<html>"));
    let document = PipelineDocument::parse(PIPELINE).unwrap();
    assert_eq!(
        update(&stub, &document).unwrap(),
        Written::Pipeline { version: None }
    );
}

#[test]
fn a_pipeline_that_is_not_there_is_an_answer_and_html_is_malformed() {
    let missing =
        r#"{"__type":"com.amazonaws.codepipeline#PipelineNotFoundException","message":"no P"}"#;
    let stub = Stub::start(move |_, _| answer(400, missing));
    assert_eq!(get(&stub).unwrap(), Fact::Pipeline(None));
    let stub = Stub::start(|_, _| ok("<html>a login page</html>"));
    let failure = get(&stub).unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::Malformed);
    assert!(!failure.message.contains("login page"), "{failure:?}");
}

#[test]
fn a_refused_update_says_why() {
    let body = r#"{"__type":"InvalidStructureException","message":"CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::1:role/x"}"#;
    let stub = Stub::start(move |_, _| answer(400, body));
    let failure = update(&stub, &PipelineDocument::parse(PIPELINE).unwrap()).unwrap_err();
    assert_eq!(failure.kind, CloudErrorKind::NotSettled);
    assert_eq!(failure.code.as_deref(), Some("InvalidStructureException"));
    assert_eq!(failure.request_id.as_deref(), Some("req-1"));
}

fn iam_client(stub: &Stub) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::new(&sdk_config(&stub.url))
}

fn role_name() -> RoleName {
    RoleName::new("x").unwrap()
}

fn get_role(reply: Answer) -> Result<Fact, crate::aws::errors::Failure> {
    let stub = Stub::start(move |_, _| reply.clone());
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("iam:GetRole", &access);
    let outcome = runtime.block_on(iam::role(&iam_client(&stub), &call, &role_name()));
    outcome.map(|answer| answer.value)
}

fn role_xml(arn: &str) -> Answer {
    let result = format!(
        "<Role><Path>/p/</Path><RoleName>x</RoleName><RoleId>AROA1</RoleId><Arn>{arn}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>%7B%22a%22%3A%22b+c%22%7D</AssumeRolePolicyDocument>\
         <PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
         <PermissionsBoundaryArn>arn:b</PermissionsBoundaryArn></PermissionsBoundary>\
         <Tags><member><Key>k</Key><Value>v</Value></member></Tags></Role>"
    );
    query_ok("GetRole", &result)
}

#[test]
fn a_role_is_read_with_trust_tags_and_boundary() {
    let fact = get_role(role_xml("arn:aws:iam::111111111111:role/p/x")).unwrap();
    let Fact::Role(Some(role)) = fact else {
        panic!("{fact:?}")
    };
    assert_eq!(role.arn.to_string(), "arn:aws:iam::111111111111:role/p/x");
    assert_eq!(role.trust, r#"{"a":"b+c"}"#);
    assert_eq!(
        role.tags,
        BTreeMap::from([("k".to_owned(), "v".to_owned())])
    );
    assert_eq!(role.permissions_boundary.as_deref(), Some("arn:b"));
}

#[test]
fn a_role_may_be_absent_unsettled_or_odd() {
    let missing = query_error(404, "NoSuchEntity", "The role with name x cannot be found.");
    assert_eq!(get_role(missing).unwrap(), Fact::Role(None));
    let kind = |arn| get_role(role_xml(arn)).unwrap_err().kind;
    assert_eq!(kind("AROAEXAMPLE"), CloudErrorKind::NotSettled);
    assert_eq!(kind("arn:aws:iam::1:user/x"), CloudErrorKind::Malformed);
}

#[test]
fn lists_are_read_to_the_last_page() {
    let stub = Stub::start(|request, _| {
        let last = request.body.contains("Marker=m2");
        let more = if last {
            "<IsTruncated>false</IsTruncated>"
        } else {
            "<IsTruncated>true</IsTruncated><Marker>m2</Marker>"
        };
        let n = if last { 2 } else { 1 };
        match request.operation() {
            "ListRolePolicies" => query_ok(
                "ListRolePolicies",
                &format!("<PolicyNames><member>p{n}</member></PolicyNames>{more}"),
            ),
            _ => query_ok(
                "ListAttachedRolePolicies",
                &format!(
                    "<AttachedPolicies><member><PolicyName>a{n}</PolicyName><PolicyArn>arn{n}</PolicyArn></member>\
                     </AttachedPolicies>{more}"
                ),
            ),
        }
    });
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("iam:List", &access);
    let client = iam_client(&stub);
    let names = runtime.block_on(iam::inline_policy_names(&client, &call, &role_name()));
    let expected = vec!["p1".to_owned(), "p2".to_owned()];
    assert_eq!(
        names.map(|a| a.value).unwrap(),
        Fact::InlinePolicyNames(Some(expected))
    );
    let attached = runtime.block_on(iam::attached_policies(&client, &call, &role_name()));
    let of = |n: u8| AttachedPolicy {
        name: format!("a{n}"),
        arn: format!("arn{n}"),
    };
    assert_eq!(
        attached.map(|a| a.value).unwrap(),
        Fact::AttachedPolicies(Some(vec![of(1), of(2)]))
    );
}

#[test]
fn a_missing_policy_is_told_from_a_missing_role() {
    let ask = |reply: Answer| {
        let stub = Stub::start(move |_, _| reply.clone());
        let access = access("dev", Credentials::DefaultChain);
        let (call, runtime) = call("iam:GetRolePolicy", &access);
        let client = iam_client(&stub);
        let outcome = runtime.block_on(iam::inline_policy(&client, &call, &role_name(), "p"));
        outcome.map(|answer| answer.value).unwrap()
    };
    let no = |message| ask(query_error(404, "NoSuchEntity", message));
    assert_eq!(
        no("The role with name x cannot be found."),
        Fact::InlinePolicy(InlinePolicy::NoRole)
    );
    assert_eq!(
        no("The role policy with name p cannot be found."),
        Fact::InlinePolicy(InlinePolicy::Absent)
    );
    let xml =
        "<RoleName>x</RoleName><PolicyName>p</PolicyName><PolicyDocument>%7B%7D</PolicyDocument>";
    assert_eq!(
        ask(query_ok("GetRolePolicy", xml)),
        Fact::InlinePolicy(InlinePolicy::Present("{}".to_owned()))
    );
}

fn write(write: &Write, reply: Answer) -> (Result<Written, crate::aws::errors::Failure>, String) {
    let stub = Stub::start(move |_, _| reply.clone());
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call(write.operation(), &access);
    let outcome = runtime.block_on(iam::write(&iam_client(&stub), &call, write));
    let body = stub.seen().pop().unwrap().body;
    (outcome.map(|answer| answer.value), body)
}

fn writes() -> Vec<(Write, &'static str, bool)> {
    let role = role_name();
    let document = JsonText::read(r#"{"a":"b c"}"#);
    let policy_arn = "arn:p".to_owned();
    let tags = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    let policy = PolicyName::new("pol").unwrap();
    vec![
        (
            Write::UpdateTrustPolicy {
                role: role.clone(),
                document: document.clone(),
            },
            "Action=UpdateAssumeRolePolicy&Version=2010-05-08&RoleName=x&PolicyDocument=%7B%22a%22%3A%22b%20c%22%7D",
            false,
        ),
        (
            Write::TagRole {
                role: role.clone(),
                tags,
            },
            "Action=TagRole&Version=2010-05-08&RoleName=x&Tags.member.1.Key=k&Tags.member.1.Value=v",
            false,
        ),
        (
            Write::UntagRole {
                role: role.clone(),
                keys: vec!["k".to_owned()],
            },
            "Action=UntagRole&Version=2010-05-08&RoleName=x&TagKeys.member.1=k",
            true,
        ),
        (
            Write::PutPermissionsBoundary {
                role: role.clone(),
                policy_arn: policy_arn.clone(),
            },
            "Action=PutRolePermissionsBoundary&Version=2010-05-08&RoleName=x&PermissionsBoundary=arn%3Ap",
            false,
        ),
        (
            Write::DeletePermissionsBoundary { role: role.clone() },
            "Action=DeleteRolePermissionsBoundary&Version=2010-05-08&RoleName=x",
            true,
        ),
        (
            Write::PutInlinePolicy {
                role: role.clone(),
                policy,
                document,
            },
            "Action=PutRolePolicy&Version=2010-05-08&RoleName=x&PolicyName=pol&PolicyDocument=%7B%22a%22%3A%22b%20c%22%7D",
            false,
        ),
        (
            Write::DeleteInlinePolicy {
                role: role.clone(),
                policy: "pol".to_owned(),
            },
            "Action=DeleteRolePolicy&Version=2010-05-08&RoleName=x&PolicyName=pol",
            true,
        ),
        (
            Write::DetachPolicy {
                role: role.clone(),
                policy_arn,
            },
            "Action=DetachRolePolicy&Version=2010-05-08&RoleName=x&PolicyArn=arn%3Ap",
            true,
        ),
        (
            Write::DeleteRole { role },
            "Action=DeleteRole&Version=2010-05-08&RoleName=x",
            true,
        ),
    ]
}

#[test]
fn each_write_is_its_call_and_deleting_what_is_gone_is_fine() {
    for (change, expected, removes) in writes() {
        let operation = change.operation().trim_start_matches("iam:").to_owned();
        let (done, body) = write(&change, query_ok(&operation, ""));
        assert_eq!(done.unwrap(), Written::Done, "{change:?}");
        assert_eq!(body, expected);
        let (gone, _) = write(&change, query_error(404, "NoSuchEntity", "gone"));
        match gone {
            Ok(written) => assert!(removes && written == Written::AlreadyThere, "{change:?}"),
            Err(failure) => {
                assert!(!removes, "{change:?}");
                assert_eq!(failure.kind, CloudErrorKind::NotFound);
            }
        }
    }
}

#[test]
fn a_role_is_made_with_everything_at_once_and_one_that_exists_is_a_conflict() {
    let new = NewRole {
        name: role_name(),
        path: RolePath::new("/p/").unwrap(),
        trust: JsonText::read("{}"),
        permissions_boundary: Some("arn:b".to_owned()),
        tags: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        description: "d".to_owned(),
    };
    let change = Write::CreateRole(Box::new(new));
    let (failed, body) = write(&change, query_error(409, "EntityAlreadyExists", "x exists"));
    assert_eq!(failed.unwrap_err().kind, CloudErrorKind::Conflict);
    assert_eq!(
        body,
        "Action=CreateRole&Version=2010-05-08&Path=%2Fp%2F&RoleName=x&AssumeRolePolicyDocument=%7B%7D&Description=d\
         &PermissionsBoundary=arn%3Ab&Tags.member.1.Key=k&Tags.member.1.Value=v"
    );
    let (failed, _) = write(
        &change,
        query_error(
            400,
            "MalformedPolicyDocument",
            "Invalid principal in policy: \"AWS\":\"arn\"",
        ),
    );
    assert_eq!(failed.unwrap_err().kind, CloudErrorKind::NotSettled);
    let busy = query_error(409, "ConcurrentModification", "again");
    assert_eq!(
        write(&change, busy).0.unwrap_err().kind,
        CloudErrorKind::NotSettled
    );
}

#[test]
fn a_function_is_read_or_absent() {
    let ask = |reply: Answer| {
        let stub = Stub::start(move |_, _| reply.clone());
        let access = access("dev", Credentials::DefaultChain);
        let (call, runtime) = call("lambda:GetFunctionConfiguration", &access);
        let client = aws_sdk_lambda::Client::new(&sdk_config(&stub.url));
        let name = FunctionName::new("F").unwrap();
        let outcome = runtime.block_on(lambda::configuration(&client, &call, &name));
        (
            outcome.map(|answer| answer.value),
            stub.seen().pop().unwrap().line,
        )
    };
    let role = "arn:aws:iam::222222222222:role/exec";
    let (found, line) = ask(ok(format!(
        r#"{{"FunctionArn":"arn:f","Role":"{role}","State":"NEW_STATE","Novelty":[1]}}"#
    )));
    let Fact::Function(Some(function)) = found.unwrap() else {
        panic!("no function")
    };
    assert_eq!(line, "GET /2015-03-31/functions/F/configuration HTTP/1.1");
    assert_eq!(function.role.to_string(), role);
    assert_eq!(function.state.as_deref(), Some("NEW_STATE"));
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"Function not found"}"#;
    assert_eq!(ask(answer(404, missing)).0.unwrap(), Fact::Function(None));
    assert_eq!(
        ask(answer(404, "<html>no such page</html>"))
            .0
            .unwrap_err()
            .kind,
        CloudErrorKind::Other
    );
    let (odd, _) = ask(ok(r#"{"FunctionArn":"arn:f","Role":"x"}"#));
    assert_eq!(odd.unwrap_err().kind, CloudErrorKind::Malformed);
}

#[test]
fn a_role_that_was_just_made_and_is_not_found_has_not_settled() {
    let stub = Stub::start(|request, _| match request.operation() {
        "CreateRole" => query_ok("CreateRole", ""),
        _ => query_error(404, "NoSuchEntity", "The role with name x cannot be found."),
    });
    let access = access("dev", Credentials::DefaultChain);
    let account = access.name.clone();
    let cloud = AwsCloud {
        sessions: Sessions::ready(access, sdk_config(&stub.url)),
        made: Mutex::default(),
    };
    let runtime = runtime();
    let put = Write::PutInlinePolicy {
        role: role_name(),
        policy: PolicyName::new("p").unwrap(),
        document: JsonText::read("{}"),
    };
    let kind = || {
        runtime
            .block_on(cloud.write(&account, &put))
            .unwrap_err()
            .kind
    };
    assert_eq!(kind(), CloudErrorKind::NotFound);
    let create = Write::CreateRole(Box::new(NewRole {
        name: role_name(),
        path: RolePath::default(),
        trust: JsonText::read("{}"),
        permissions_boundary: None,
        tags: BTreeMap::new(),
        description: String::new(),
    }));
    assert_eq!(
        runtime.block_on(cloud.write(&account, &create)),
        Ok(Written::Done)
    );
    assert_eq!(kind(), CloudErrorKind::NotSettled);
}

#[test]
fn a_write_that_is_refused_after_one_without_an_answer_may_have_been_carried_out() {
    let kind = |first: u16, then: &'static str| {
        let stub = Stub::start(move |request, _| match request.header("amz-sdk-request") {
            Some(attempt) if attempt.starts_with("attempt=1;") => {
                query_error(first, "Throttling", "first")
            }
            _ => query_error(400, then, "then"),
        });
        let access = access("dev", Credentials::DefaultChain);
        let account = access.name.clone();
        let cloud = AwsCloud {
            sessions: Sessions::ready(access, sdk_config(&stub.url)),
            made: Mutex::default(),
        };
        let put = Write::PutInlinePolicy {
            role: role_name(),
            policy: PolicyName::new("p").unwrap(),
            document: JsonText::read("{}"),
        };
        let error = runtime().block_on(cloud.write(&account, &put));
        let error = error.unwrap_err();
        assert_eq!(error.code.as_deref(), Some(then));
        (
            error.kind,
            error.message.contains("may have been carried out"),
        )
    };
    let doubt = (CloudErrorKind::Unreachable, true);
    assert_eq!(kind(500, "AccessDenied"), doubt);
    assert_eq!(kind(500, "ExpiredToken"), doubt);
    assert_eq!(kind(500, "Throttling"), doubt);
    let certain = (CloudErrorKind::AccessDenied, false);
    assert_eq!(kind(400, "AccessDenied"), certain);
}

#[test]
fn a_deletion_whose_answer_was_lost_is_not_said_to_have_been_somebody_elses() {
    let deleted = |first: Answer| {
        let stub = Stub::start(move |_, number| match number {
            1 => first.clone(),
            _ => query_error(404, "NoSuchEntity", "The role policy cannot be found."),
        });
        let access = access("dev", Credentials::DefaultChain);
        let account = access.name.clone();
        let cloud = AwsCloud {
            sessions: Sessions::ready(access, sdk_config(&stub.url)),
            made: Mutex::default(),
        };
        let delete = Write::DeleteInlinePolicy {
            role: role_name(),
            policy: "p".to_owned(),
        };
        runtime().block_on(cloud.write(&account, &delete)).unwrap()
    };
    let gone = || query_error(404, "NoSuchEntity", "The role policy cannot be found.");
    assert_eq!(deleted(gone()), Written::AlreadyThere);
    let throttled = query_error(400, "Throttling", "Rate exceeded");
    assert_eq!(deleted(throttled), Written::AlreadyThere);
    let broken = query_error(500, "ServiceFailure", "in a moment");
    assert_eq!(deleted(broken), Written::Done);
}
