//! The policies of buckets and keys: how they are asked for, whose bucket is meant, what is no failure, what passes by itself.

use std::sync::Mutex;

use super::stub::{Stub, answer, ok};
use super::{access, runtime, sdk_config};
use crate::aws::session::Sessions;
use crate::aws::{AwsCloud, Credentials};
use crate::cloud::{Cloud, CloudErrorKind};
use crate::model::account::Region;
use crate::model::artifact::{BucketName, KeyArn};
use crate::model::failure::CloudError;
use crate::model::read::{Fact, Read};
use crate::model::write::{Write, Written};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1111-22";

fn cloud(stub: &Stub) -> AwsCloud {
    AwsCloud {
        sessions: Sessions::ready(
            access("tools", Credentials::DefaultChain),
            sdk_config(&stub.url),
        ),
        made: Mutex::default(),
    }
}

fn read(stub: &Stub, read: &Read) -> Result<Fact, Box<CloudError>> {
    let name = access("tools", Credentials::DefaultChain).name;
    let cloud = cloud(stub);
    runtime()
        .block_on(cloud.read(&name, read))
        .map_err(Box::new)
}

fn write(stub: &Stub, write: &Write) -> Result<Written, Box<CloudError>> {
    let name = access("tools", Credentials::DefaultChain).name;
    let cloud = cloud(stub);
    runtime()
        .block_on(cloud.write(&name, write))
        .map_err(Box::new)
}

fn region() -> Region {
    Region::new("eu-west-1").unwrap()
}

fn bucket() -> BucketName {
    BucketName::new("my.bucket").unwrap()
}

fn bucket_policy() -> Read {
    Read::BucketPolicy {
        region: region(),
        bucket: bucket(),
    }
}

fn key() -> KeyArn {
    KeyArn::parse(KEY).unwrap()
}

#[test]
fn a_bucket_is_named_in_the_path_and_expected_to_be_the_accounts() {
    let stub = Stub::start(|request, _| {
        if request.line.starts_with("GET") {
            ok(r#"{"Version":"2012-10-17","Statement":[]}"#)
        } else {
            answer(204, "")
        }
    });
    let text = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
    let found = read(&stub, &bucket_policy()).unwrap();
    assert_eq!(found, Fact::BucketPolicy(Some(text.clone())));
    let put = Write::PutBucketPolicy {
        region: region(),
        bucket: bucket(),
        document: text.clone(),
    };
    assert_eq!(write(&stub, &put).unwrap(), Written::Done);
    let delete = Write::DeleteBucketPolicy {
        region: region(),
        bucket: bucket(),
    };
    assert_eq!(write(&stub, &delete).unwrap(), Written::Done);
    let seen = stub.seen();
    for (request, method) in seen.iter().zip(["GET", "PUT", "DELETE"]) {
        let line = &request.line;
        assert!(line.starts_with(&format!("{method} /my.bucket")), "{line}");
        assert!(line.contains("policy"), "{line}");
        assert_eq!(
            request.header("x-amz-expected-bucket-owner"),
            Some("111111111111")
        );
        assert_eq!(request.region(), "eu-west-1");
    }
    assert_eq!(seen[1].body, text);
}

#[test]
fn a_key_is_named_by_its_arn_and_the_lockout_check_stays_on() {
    let stub = Stub::start(|_, _| ok(r#"{"Policy": "{}", "PolicyName": "default"}"#));
    let found = read(&stub, &Read::KeyPolicy { key: key() }).unwrap();
    assert_eq!(found, Fact::KeyPolicy(Some("{}".to_owned())));
    let put = Write::PutKeyPolicy {
        key: key(),
        document: "{}".to_owned(),
    };
    assert_eq!(write(&stub, &put).unwrap(), Written::Done);
    let seen = stub.seen();
    assert!(
        seen.iter()
            .all(|r| r.body.contains(KEY) && r.region() == "eu-west-1")
    );
    assert_eq!(seen[1].operation(), "PutKeyPolicy");
    assert!(!seen[1].body.contains("Bypass"), "{}", seen[1].body);
}

#[test]
fn no_policy_and_no_key_are_answers_and_a_refusal_is_none() {
    let s3 = |status, code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        Stub::start(move |_, _| answer(status, body.clone()))
    };
    let stub = s3(404, "NoSuchBucketPolicy");
    assert_eq!(
        read(&stub, &bucket_policy()).unwrap(),
        Fact::BucketPolicy(None)
    );
    for (status, code, kind) in [
        (404, "NoSuchBucket", CloudErrorKind::NotFound),
        (403, "AccessDenied", CloudErrorKind::AccessDenied),
        (405, "MethodNotAllowed", CloudErrorKind::AccessDenied),
    ] {
        let error = read(&s3(status, code), &bucket_policy()).unwrap_err();
        assert_eq!(error.kind, kind, "{code}");
        assert_eq!(error.operation, "s3:GetBucketPolicy");
    }
    let kms = |code: &str, message: &str| {
        let body = format!(r#"{{"__type": "{code}", "message": "{message}"}}"#);
        Stub::start(move |_, _| answer(400, body.clone()))
    };
    let asked = Read::KeyPolicy { key: key() };
    let stub = kms("NotFoundException", "no");
    assert_eq!(read(&stub, &asked).unwrap(), Fact::KeyPolicy(None));
    let error = read(&kms("AccessDeniedException", "no"), &asked).unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::AccessDenied);
}

#[test]
fn a_principal_that_is_not_known_yet_has_not_settled() {
    let body =
        "<Error><Code>MalformedPolicy</Code><Message>Invalid principal in policy</Message></Error>";
    let stub = Stub::start(move |_, _| answer(400, body));
    let put = Write::PutBucketPolicy {
        region: region(),
        bucket: bucket(),
        document: "{}".to_owned(),
    };
    assert_eq!(
        write(&stub, &put).unwrap_err().kind,
        CloudErrorKind::NotSettled
    );
    let body = r#"{"__type": "MalformedPolicyDocumentException",
        "message": "Policy contains a statement with one or more invalid principals."}"#;
    let stub = Stub::start(move |_, _| answer(400, body));
    let put = Write::PutKeyPolicy {
        key: key(),
        document: "{}".to_owned(),
    };
    assert_eq!(
        write(&stub, &put).unwrap_err().kind,
        CloudErrorKind::NotSettled
    );
}

#[test]
fn a_policy_whose_answer_is_lost_is_not_sent_again_but_one_that_is_throttled_is() {
    let puts = [
        Write::PutBucketPolicy {
            region: region(),
            bucket: bucket(),
            document: "{}".to_owned(),
        },
        Write::DeleteBucketPolicy {
            region: region(),
            bucket: bucket(),
        },
        Write::PutKeyPolicy {
            key: key(),
            document: "{}".to_owned(),
        },
    ];
    for put in &puts {
        let stub = Stub::start(|_, _| answer(500, ""));
        assert!(write(&stub, put).unwrap_err().kind.leaves_in_doubt());
        assert_eq!(stub.seen().len(), 1, "{put}");
        let stub = Stub::start(|_, number| match number {
            1 => answer(429, ""),
            _ => answer(200, ""),
        });
        assert_eq!(write(&stub, put).unwrap(), Written::Done, "{put}");
        assert_eq!(stub.seen().len(), 2, "{put}");
    }
}
