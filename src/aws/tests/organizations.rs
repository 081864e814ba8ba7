//! The organization's reads: the region that they go to, all pages, and what is no failure.

use std::sync::Mutex;

use super::stub::{Answer, Request, Stub, answer, ok};
use super::{access, runtime, sdk_config};
use crate::aws::session::Sessions;
use crate::aws::{AwsCloud, Credentials};
use crate::cloud::{Cloud, CloudErrorKind};
use crate::model::account::{AccountId, Partition};
use crate::model::failure::CloudError;
use crate::model::read::{ControlKind, Fact, NamedControlPolicy, Organization, Read};

fn read(stub: &Stub, partition: Partition, read: &Read) -> Result<Fact, Box<CloudError>> {
    let mut access = access("management", Credentials::DefaultChain);
    access.partition = partition;
    let name = access.name.clone();
    let cloud = AwsCloud {
        sessions: Sessions::ready(access, sdk_config(&stub.url)),
        made: Mutex::default(),
    };
    runtime()
        .block_on(cloud.read(&name, read))
        .map_err(Box::new)
}

fn policies() -> Read {
    Read::ControlPolicies {
        target: "r-abcd".to_owned(),
        kind: ControlKind::Resource,
    }
}

#[test]
fn it_is_asked_in_the_partitions_one_region() {
    let body = r#"{"Organization": {"Id": "o-exampleorg", "MasterAccountId": "333333333333"}}"#;
    for (partition, region) in [
        (Partition::Aws, "us-east-1"),
        (Partition::AwsCn, "cn-northwest-1"),
        (Partition::AwsUsGov, "us-gov-west-1"),
    ] {
        let stub = Stub::start(move |_, _| ok(body));
        let expected = Organization {
            id: "o-exampleorg".to_owned(),
            management: AccountId::new("333333333333").unwrap(),
        };
        let fact = read(&stub, partition, &Read::Organization).unwrap();
        assert_eq!(fact, Fact::Organization(Some(expected)));
        assert_eq!(stub.seen()[0].region(), region);
    }
}

#[test]
fn policies_are_read_over_all_pages() {
    let page = |request: &Request| -> Answer {
        assert!(request.body.contains("RESOURCE_CONTROL_POLICY"));
        if request.body.contains("NextToken") {
            ok(r#"{"Policies": [{"Id": "p-2", "Name": "Two"}]}"#)
        } else {
            ok(r#"{"Policies": [{"Id": "p-1", "Name": "One"}], "NextToken": "more"}"#)
        }
    };
    let stub = Stub::start(move |request, _| page(request));
    let named = |id: &str, name: &str| NamedControlPolicy {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    let all = vec![named("p-1", "One"), named("p-2", "Two")];
    let fact = read(&stub, Partition::Aws, &policies()).unwrap();
    assert_eq!(fact, Fact::ControlPolicies(Some(all)));
}

#[test]
fn no_organization_is_an_answer_and_a_refusal_is_none() {
    let parent = Read::OrganizationParent {
        child: "222222222222".to_owned(),
    };
    let policy = Read::ControlPolicy {
        id: "p-FullAWSAccess".to_owned(),
    };
    let refuse = |code: &str| {
        let body = format!(r#"{{"__type": "{code}", "Message": "no"}}"#);
        Stub::start(move |_, _| answer(400, body.clone()))
    };
    for (asked, absent) in [
        (Read::Organization, Fact::Organization(None)),
        (parent, Fact::OrganizationParent(None)),
        (policies(), Fact::ControlPolicies(None)),
        (policy, Fact::ControlPolicy(None)),
    ] {
        let stub = refuse("AWSOrganizationsNotInUseException");
        assert_eq!(read(&stub, Partition::Aws, &asked).unwrap(), absent);
        let stub = refuse("AccessDeniedException");
        let error = read(&stub, Partition::Aws, &asked).unwrap_err();
        assert_eq!(error.kind, CloudErrorKind::AccessDenied);
        assert_eq!(error.operation, asked.operation());
        let stub = Stub::start(|_, _| ok("{}"));
        // An answer that says nothing is not one that says that there is nothing.
        let strange = read(&stub, Partition::Aws, &asked).unwrap_err();
        assert_eq!(strange.kind, CloudErrorKind::Malformed);
    }
}
