//! Lists to choose from: all pages are read, and no more than are worth choosing from.

use super::stub::{Answer, Stub, answer, ok, query_ok};
use super::{access, call, sdk_config};
use crate::aws::errors::Failure;
use crate::aws::{Credentials, codepipeline, iam, lambda, pages};
use crate::cloud::CloudErrorKind;
use crate::model::name::RoleName;
use crate::model::read::{Fact, LISTED_PAGES, Listed, ListedFunction};

fn pipelines(stub: &Stub) -> Result<Fact, Failure> {
    let access = access("tools", Credentials::DefaultChain);
    let (call, runtime) = call("codepipeline:ListPipelines", &access);
    let client = aws_sdk_codepipeline::Client::new(&sdk_config(&stub.url));
    let outcome = runtime.block_on(codepipeline::list(&client, &call));
    outcome.map(|answer| answer.value)
}

fn functions(stub: &Stub) -> Result<Fact, Failure> {
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call("lambda:ListFunctions", &access);
    let client = aws_sdk_lambda::Client::new(&sdk_config(&stub.url));
    let outcome = runtime.block_on(lambda::list(&client, &call));
    outcome.map(|answer| answer.value)
}

fn listed(names: &[&str], complete: bool) -> Listed {
    Listed {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        functions: Vec::new(),
        complete,
    }
}

#[test]
fn all_pages_of_pipelines_are_read() {
    let stub = Stub::start(|request, _| {
        ok(if request.body.contains("second") {
            r#"{"pipelines":[{"name":"B"}]}"#
        } else {
            r#"{"pipelines":[{"name":"A"},{"version":3}],"nextToken":"second"}"#
        })
    });
    let fact = pipelines(&stub).unwrap();
    assert_eq!(fact, Fact::Pipelines(listed(&["A", "B"], true)));
    assert_eq!(stub.seen().len(), 2);
}

#[test]
fn all_pages_of_functions_are_read() {
    let stub = Stub::start(|request, _| {
        ok(if request.line.contains("Marker=m") {
            r#"{"Functions":[{"FunctionName":"B"}]}"#
        } else {
            r#"{"Functions":[{"FunctionName":"A","Role":"arn:r","Description":"d"}],"NextMarker":"m"}"#
        })
    });
    let fact = functions(&stub).unwrap();
    let one = |name: &str, role: &str, description: &str| ListedFunction {
        name: name.to_owned(),
        role: role.to_owned(),
        description: description.to_owned(),
    };
    let wanted = Listed {
        functions: vec![one("A", "arn:r", "d"), one("B", "", "")],
        ..listed(&["A", "B"], true)
    };
    assert_eq!(fact, Fact::Functions(wanted));
}

/// Each page differs from the one before it, so that nothing but the bound ends it.
fn endless(page: impl Fn(usize) -> String + Send + Sync + 'static) -> Stub {
    Stub::start(move |_, number| -> Answer { ok(page(number)) })
}

#[test]
fn a_list_without_end_is_cut_and_says_so() {
    let stub = endless(|n| format!(r#"{{"pipelines":[{{"name":"P{n}"}}],"nextToken":"t{n}"}}"#));
    let Fact::Pipelines(found) = pipelines(&stub).unwrap() else {
        panic!("pipelines")
    };
    assert_eq!((found.names.len(), found.complete), (LISTED_PAGES, false));
    let stub =
        endless(|n| format!(r#"{{"Functions":[{{"FunctionName":"F{n}"}}],"NextMarker":"t{n}"}}"#));
    let Fact::Functions(found) = functions(&stub).unwrap() else {
        panic!("functions")
    };
    assert_eq!((found.names.len(), found.complete), (LISTED_PAGES, false));
    assert_eq!(stub.seen().len(), LISTED_PAGES);
}

#[test]
fn a_list_that_is_refused_is_no_empty_list() {
    let denied = r#"{"__type":"AccessDeniedException","message":"not authorized to perform: codepipeline:ListPipelines"}"#;
    let stub = Stub::start(move |_, _| answer(400, denied));
    assert_eq!(
        pipelines(&stub).unwrap_err().kind,
        CloudErrorKind::AccessDenied
    );
    for no_list in ["<html>", "{}", r#"{"nextToken":"t","NextMarker":"m"}"#] {
        let stub = Stub::start(move |_, _| ok(no_list));
        for listed in [pipelines(&stub), functions(&stub)] {
            assert_eq!(
                listed.unwrap_err().kind,
                CloudErrorKind::Malformed,
                "{no_list}"
            );
        }
    }
}

/// The three lists of IAM, each of which must be whole.
const WHOLE: [&str; 3] = [
    "ListRolePolicies",
    "ListAttachedRolePolicies",
    "GetAccountAuthorizationDetails",
];

fn whole(stub: &Stub, operation: &'static str) -> Result<Fact, Failure> {
    let access = access("dev", Credentials::DefaultChain);
    let (call, runtime) = call(operation, &access);
    let client = aws_sdk_iam::Client::new(&sdk_config(&stub.url));
    let role = RoleName::new("x").unwrap();
    let outcome = match operation {
        "ListRolePolicies" => runtime.block_on(iam::inline_policy_names(&client, &call, &role)),
        "ListAttachedRolePolicies" => {
            runtime.block_on(iam::attached_policies(&client, &call, &role))
        }
        _ => runtime.block_on(iam::roles(&client, &call)),
    };
    outcome.map(|answer| answer.value)
}

#[test]
fn a_list_that_goes_on_nowhere_is_not_taken_for_whole() {
    for operation in WHOLE {
        for end in [
            "<IsTruncated>true</IsTruncated>",
            "<IsTruncated>true</IsTruncated><Marker>same</Marker>",
        ] {
            let stub = Stub::start(move |_, _| query_ok(operation, end));
            let failure = whole(&stub, operation).unwrap_err();
            assert_eq!(failure.kind, CloudErrorKind::Malformed, "{operation} {end}");
            assert!(stub.seen().len() <= 2, "{operation} {end}");
        }
        let stub = Stub::start(move |_, _| query_ok(operation, "<IsTruncated>false</IsTruncated>"));
        whole(&stub, operation).unwrap();
    }
    let stub = Stub::start(|_, _| ok(r#"{"pipelines":[{"name":"A"}],"nextToken":"same"}"#));
    let fact = pipelines(&stub).unwrap();
    assert_eq!(fact, Fact::Pipelines(listed(&["A", "A"], false)));
    let stub = Stub::start(|_, _| ok(r#"{"Functions":[],"NextMarker":"same"}"#));
    assert_eq!(
        functions(&stub).unwrap(),
        Fact::Functions(listed(&[], false))
    );
}

#[test]
fn a_list_that_must_be_whole_and_has_no_end_is_given_up() {
    for operation in WHOLE {
        let stub = Stub::start(move |_, number| {
            let end = format!("<IsTruncated>true</IsTruncated><Marker>m{number}</Marker>");
            query_ok(operation, &end)
        });
        let failure = whole(&stub, operation).unwrap_err();
        assert_eq!(failure.kind, CloudErrorKind::Malformed, "{operation}");
        assert_eq!(stub.seen().len(), pages::MOST + 1, "{operation}");
    }
}
