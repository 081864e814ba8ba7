//! Tests of callers and `Principal` elements, each with the page that says so.
#![allow(clippy::unwrap_used)]

use super::*;

const ROLE: &str = "arn:aws:iam::111111111111:role/path/ci";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/ci/run-1";
const ROOT: &str = "arn:aws:iam::111111111111:root";

fn session_of_role() -> Principal {
    Principal::parse(SESSION).unwrap().with_role_arn(ROLE)
}

fn listed(texts: &[&str]) -> Clause<Principals> {
    let all = texts.iter().map(|t| (PrincipalKind::Aws, (*t).to_owned()));
    Clause::Is(Principals::Listed(all.collect()))
}

fn negated(texts: &[&str]) -> Clause<Principals> {
    match listed(texts) {
        Clause::Is(principals) | Clause::Not(principals) => Clause::Not(principals),
    }
}

#[test]
fn callers_are_told_apart() {
    for (text, account) in [
        (ROLE, Some("111111111111")),
        (SESSION, Some("111111111111")),
        (ROOT, Some("111111111111")),
        (
            "arn:aws-cn:iam::111111111111:user/a/b",
            Some("111111111111"),
        ),
        (
            "arn:aws:sts::111111111111:federated-user/x",
            Some("111111111111"),
        ),
        ("codepipeline.amazonaws.com", None),
        ("accounts.google.com", None),
        ("cognito-identity.amazonaws.com", None),
    ] {
        assert_eq!(Principal::parse(text).unwrap().account(), account, "{text}");
    }
    let service = Principal::parse("ec2.amazonaws.com.cn").unwrap();
    assert_eq!(
        service,
        Principal::Service("ec2.amazonaws.com.cn".to_owned())
    );
    for text in [
        "",
        "*",
        "111111111111",
        "arn:aws:iam::1:role/x",
        "arn:aws:iam::111111111111:role/",
        "arn:aws:sts::111111111111:assumed-role/only-role",
        "arn:aws:lambda:us-east-1:111111111111:function:f",
    ] {
        assert!(Principal::parse(text).is_err(), "{text}");
    }
}

/// "When you use this key, the role session principal is granted the permissions based on the ARN of the role that was
/// assumed, and not the ARN of the resulting session."
#[test]
fn a_session_has_the_arn_of_its_role() {
    assert_eq!(session_of_role().principal_arn(), Some(ROLE));
    let other = Principal::parse(SESSION).unwrap();
    let other = other.with_role_arn("arn:aws:iam::111111111111:role/other");
    assert_eq!(other.principal_arn(), None);
}

#[test]
fn the_ways_of_meaning_a_session() {
    let caller = session_of_role();
    let (yes, no) = (Truth::Yes, Truth::No);
    for (text, directly, by_role, by_account) in [
        (SESSION, &yes, &no, &no),
        (ROLE, &no, &yes, &no),
        (ROOT, &no, &no, &yes),
        ("111111111111", &no, &no, &yes),
        ("*", &yes, &no, &no),
        ("222222222222", &no, &no, &no),
        ("arn:aws:iam::111111111111:role/ci", &no, &no, &no),
        ("arn:aws-cn:iam::111111111111:root", &no, &no, &no),
        (
            "arn:aws:sts::111111111111:assumed-role/ci/run-2",
            &no,
            &no,
            &no,
        ),
        // "You cannot use a wildcard to match part of a principal name or ARN."
        ("arn:aws:iam::111111111111:role/*", &no, &no, &no),
        ("arn:aws:sts::111111111111:assumed-role/ci/*", &no, &no, &no),
        ("AROAEXAMPLEEXAMPLE01", &no, &no, &no),
    ] {
        let found = allows(&listed(&[text]), &caller);
        assert_eq!(
            (&found.directly, &found.by_role, &found.by_account),
            (directly, by_role, by_account),
            "{text}"
        );
    }
}

#[test]
fn a_role_whose_path_is_not_known() {
    let caller = Principal::parse(SESSION).unwrap();
    let by_role = |text: &str| allows(&listed(&[text]), &caller).by_role;
    assert!(by_role("arn:aws:iam::111111111111:role/ci").is_yes());
    assert!(by_role(ROLE).gap().is_some());
    assert!(by_role("arn:aws:iam::111111111111:role/path/other").is_no());
}

#[test]
fn users_and_federated_users() {
    let user = Principal::parse("arn:aws:iam::111111111111:user/u").unwrap();
    let federated = Principal::parse("arn:aws:sts::111111111111:federated-user/u").unwrap();
    let grant = listed(&["arn:aws:iam::111111111111:user/u"]);
    assert!(allows(&grant, &user).directly.is_yes());
    assert!(allows(&grant, &federated).directly.is_no());
    assert!(allows(&grant, &federated).by_role.is_yes());
    let grant = listed(&["arn:aws:sts::111111111111:federated-user/u"]);
    assert!(allows(&grant, &federated).directly.is_yes());
}

#[test]
fn services_are_meant_by_their_name_only() {
    let caller = Principal::parse("codepipeline.amazonaws.com").unwrap();
    let of = |kind, text: &str| {
        let element = Clause::Is(Principals::Listed(vec![(kind, text.to_owned())]));
        allows(&element, &caller).at_all()
    };
    assert!(of(PrincipalKind::Service, "codepipeline.amazonaws.com").is_yes());
    assert!(of(PrincipalKind::Service, "lambda.amazonaws.com").is_no());
    assert!(of(PrincipalKind::Service, "*").is_no());
    assert!(of(PrincipalKind::Aws, ROOT).is_no());
    assert!(of(PrincipalKind::Aws, "*").gap().is_some());
    assert!(
        allows(&Clause::Is(Principals::Everyone), &caller)
            .directly
            .is_yes()
    );
}

#[test]
fn providers_stand_under_federated() {
    let arn = "arn:aws:iam::111111111111:saml-provider/idp";
    let element = Clause::Is(Principals::Listed(vec![(
        PrincipalKind::Federated,
        arn.to_owned(),
    )]));
    let provider = Principal::parse(arn).unwrap();
    assert!(allows(&element, &provider).directly.is_yes());
    assert!(allows(&element, &session_of_role()).at_all().is_no());
}

/// Source: IAM user guide, "AWS JSON policy elements: `NotPrincipal`".
#[test]
fn a_deny_spares_whom_not_principal_names_with_role_and_account() {
    let caller = session_of_role();
    assert!(denies(&negated(&[SESSION, ROLE, ROOT]), &caller).is_no());
    assert!(denies(&negated(&["222222222222"]), &caller).is_yes());
    for partly in [
        &[SESSION][..],
        &[ROLE],
        &[ROOT],
        &[SESSION, ROLE],
        &[ROLE, ROOT],
    ] {
        assert!(
            denies(&negated(partly), &caller).gap().is_some(),
            "{partly:?}"
        );
    }
    assert!(denies(&Clause::Not(Principals::Everyone), &caller).is_no());
}

#[test]
fn an_allow_with_not_principal_means_everyone_else() {
    let caller = session_of_role();
    for named in [SESSION, ROLE, ROOT] {
        assert!(
            allows(&negated(&[named]), &caller).at_all().is_no(),
            "{named}"
        );
    }
    let found = allows(&negated(&["222222222222"]), &caller);
    assert!(found.by_role.is_yes());
    assert!(found.directly.gap().is_some());
}

#[test]
fn service_linked_roles_are_known_by_their_path() {
    let arn = "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    assert!(Principal::parse(arn).unwrap().is_service_linked_role());
    assert!(!session_of_role().is_service_linked_role());
}
