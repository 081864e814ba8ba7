//! The rules of how layers combine, each with the page that says so, and the wording of the answers.
// Values are passed by value so that `json!` can stand in the call.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use serde_json::{Value, json};

use super::*;
use crate::model::account::AccountId;

const ROLE: &str = "arn:aws:iam::111111111111:role/ci";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/ci/run-1";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111111111111:function:f";
const OTHER_FUNCTION: &str = "arn:aws:lambda:us-east-1:222222222222:function:f";
const OTHER_ROLE: &str = "arn:aws:iam::222222222222:role/invoke";

fn ask(caller: &str, action: &str, resource: &str) -> Request {
    let principal = Principal::parse(caller).unwrap().with_role_arn(ROLE);
    let context = Context::complete().with_principal(&principal);
    let account = match resource.split(':').nth(4) {
        Some(account) if !account.is_empty() => account,
        _ => "111111111111",
    };
    let account = AccountId::new(account).unwrap();
    Request::new(principal, action, resource, account, context)
}

fn invoke() -> Request {
    ask(SESSION, "lambda:InvokeFunction", FUNCTION)
}

fn named(name: &str, statements: Value) -> NamedPolicy {
    NamedPolicy::from_json(
        name,
        &json!({"Version": "2012-10-17", "Statement": statements}),
    )
}

fn allow() -> NamedPolicy {
    named(
        "allow",
        json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
    )
}

fn silent() -> NamedPolicy {
    named(
        "silent",
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
    )
}

fn deny() -> NamedPolicy {
    named(
        "deny",
        json!({"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*"}),
    )
}

fn grant(principal: Value) -> NamedPolicy {
    let (effect, action) = ("Allow", "*");
    named(
        "resource",
        json!({"Effect": effect, "Principal": principal, "Action": action}),
    )
}

fn refuse(principal: Value) -> NamedPolicy {
    named(
        "resource",
        json!({"Effect": "Deny", "Principal": principal, "Action": "*"}),
    )
}

fn level(target: &str, policies: Vec<NamedPolicy>) -> Level {
    Level {
        target: target.to_owned(),
        policies,
    }
}

fn identity(policies: Vec<NamedPolicy>) -> Policies {
    Policies {
        identity: Layer::Known(policies),
        ..Policies::default()
    }
}

fn resource(policy: NamedPolicy) -> Policies {
    Policies {
        resource: Layer::Known(Some(policy)),
        ..Policies::default()
    }
}

fn verdict(request: &Request, policies: &Policies) -> Verdict {
    evaluate(request, policies).verdict
}

/// "By default, all requests are denied."
#[test]
fn nothing_allows_nothing() {
    let decision = evaluate(&invoke(), &Policies::default());
    assert_eq!(decision.verdict, Verdict::ImplicitlyDenied);
    assert_eq!(decision.reason, "identity policies do not allow");
}

/// "If an action is allowed by an identity-based policy, a resource-based policy, or both, then AWS allows the action."
#[test]
fn one_account_needs_one_side() {
    assert_eq!(
        verdict(&invoke(), &identity(vec![silent(), allow()])),
        Verdict::Allowed
    );
    assert_eq!(
        verdict(&invoke(), &resource(grant(json!({"AWS": ROLE})))),
        Verdict::Allowed
    );
    // An account is handed the right to hand it on, not the right itself.
    let account = resource(grant(json!({"AWS": "111111111111"})));
    assert_eq!(verdict(&invoke(), &account), Verdict::ImplicitlyDenied);
}

/// "An explicit deny in any of these policies overrides the allow."
#[test]
fn an_explicit_deny_in_any_layer_wins() {
    let fine = || Policies {
        identity: Layer::Known(vec![allow()]),
        resource: Layer::Known(Some(grant(json!({"AWS": SESSION})))),
        boundary: Layer::Known(vec![allow()]),
        session: Layer::Known(vec![allow()]),
        scps: Layer::Known(vec![level("root", vec![allow()])]),
        rcps: Layer::Known(vec![level("root", vec![])]),
    };
    assert_eq!(verdict(&invoke(), &fine()), Verdict::Allowed);
    let statement = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
    let denials = [
        (
            "identity",
            Policies {
                identity: Layer::Known(vec![allow(), deny()]),
                ..fine()
            },
        ),
        (
            "resource",
            Policies {
                resource: Layer::Known(Some(refuse(json!({"AWS": "111111111111"})))),
                ..fine()
            },
        ),
        (
            "boundary",
            Policies {
                boundary: Layer::Known(vec![deny(), allow()]),
                ..fine()
            },
        ),
        (
            "session",
            Policies {
                session: Layer::Known(vec![allow(), deny()]),
                ..fine()
            },
        ),
        (
            "scp:root",
            Policies {
                scps: Layer::Known(vec![level("root", vec![allow(), deny()])]),
                ..fine()
            },
        ),
        (
            "rcp:root",
            Policies {
                rcps: Layer::Known(vec![level("root", vec![named("r", statement)])]),
                ..fine()
            },
        ),
    ];
    for (place, policies) in denials {
        let decision = evaluate(&invoke(), &policies);
        assert_eq!(decision.verdict, Verdict::ExplicitlyDenied, "{place}");
        let expected = format!("explicit deny in {place}: policy ");
        assert!(
            decision.reason.starts_with(&expected),
            "{}",
            decision.reason
        );
    }
}

/// The table "Resource-based policies and implicit denies in other policy types (same account)": a role is limited by
/// boundary and session policy, a session is not, an account by everything.
#[test]
fn what_limits_a_grant_by_the_resource() {
    let with =
        |principal: &Value, boundary: Vec<NamedPolicy>, session: Vec<NamedPolicy>| Policies {
            resource: Layer::Known(Some(grant(principal.clone()))),
            boundary: Layer::Known(boundary),
            session: Layer::Known(session),
            ..Policies::default()
        };
    let (role, session) = (json!({"AWS": ROLE}), json!({"AWS": SESSION}));
    for (principal, limited) in [(role, true), (session, false), (json!("*"), false)] {
        let expected = if limited {
            Verdict::ImplicitlyDenied
        } else {
            Verdict::Allowed
        };
        let bounded = with(&principal, vec![silent()], vec![]);
        assert_eq!(verdict(&invoke(), &bounded), expected, "{principal}");
        let scoped = with(&principal, vec![], vec![silent()]);
        assert_eq!(verdict(&invoke(), &scoped), expected, "{principal}");
        let wide = with(&principal, vec![allow()], vec![allow()]);
        assert_eq!(verdict(&invoke(), &wide), Verdict::Allowed, "{principal}");
    }
    let user = "arn:aws:iam::111111111111:user/u";
    let request = ask(user, "lambda:InvokeFunction", FUNCTION);
    let bounded = with(&json!({"AWS": user}), vec![silent()], vec![]);
    assert_eq!(verdict(&request, &bounded), Verdict::Allowed);
}

/// "Cross-account policy evaluation logic": both sides, and on the caller's side all that limits it.
#[test]
fn two_accounts_need_both_sides() {
    let request = ask(SESSION, "lambda:InvokeFunction", OTHER_FUNCTION);
    let both = |principal: &str| Policies {
        identity: Layer::Known(vec![allow()]),
        ..resource(grant(json!({"AWS": principal})))
    };
    for principal in [SESSION, ROLE, "111111111111", "*"] {
        assert_eq!(
            verdict(&request, &both(principal)),
            Verdict::Allowed,
            "{principal}"
        );
        let alone = resource(grant(json!({"AWS": principal})));
        assert_eq!(
            verdict(&request, &alone),
            Verdict::ImplicitlyDenied,
            "{principal}"
        );
        let bounded = Policies {
            boundary: Layer::Known(vec![silent()]),
            ..both(principal)
        };
        assert_eq!(
            verdict(&request, &bounded),
            Verdict::ImplicitlyDenied,
            "{principal}"
        );
        let scoped = Policies {
            session: Layer::Known(vec![silent()]),
            ..both(principal)
        };
        assert_eq!(
            verdict(&request, &scoped),
            Verdict::ImplicitlyDenied,
            "{principal}"
        );
    }
    let decision = evaluate(&request, &identity(vec![allow()]));
    assert_eq!(decision.reason, "cross account without a resource policy");
}

/// "IAM role trust policies and KMS key policies are exceptions to this logic, because they must explicitly allow access
/// for principals."
#[test]
fn trust_and_key_policies_must_allow_in_their_own_account() {
    let own = "arn:aws:iam::111111111111:role/other";
    let key = "arn:aws:kms:us-east-1:111111111111:key/1";
    for (action, target) in [
        ("sts:AssumeRole", own),
        ("STS:TagSession", own),
        ("kms:Decrypt", key),
    ] {
        let request = ask(SESSION, action, target);
        let by_identity = identity(vec![allow()]);
        assert_eq!(
            verdict(&request, &by_identity),
            Verdict::ImplicitlyDenied,
            "{action}"
        );
        let account = Policies {
            resource: Layer::Known(Some(grant(json!({"AWS": "111111111111"})))),
            ..identity(vec![allow()])
        };
        assert_eq!(verdict(&request, &account), Verdict::Allowed, "{action}");
        let role = resource(grant(json!({"AWS": ROLE})));
        assert_eq!(verdict(&request, &role), Verdict::Allowed, "{action}");
    }
    let list = ask(SESSION, "kms:ListKeys", "*");
    assert_eq!(verdict(&list, &identity(vec![allow()])), Verdict::Allowed);
}

/// Organizations user guide, "SCP evaluation": "there must be an explicit Allow statement at every level".
#[test]
fn every_level_of_an_organization_must_allow() {
    let with = |scps: Vec<Level>| Policies {
        scps: Layer::Known(scps),
        ..identity(vec![allow()])
    };
    let full = || level("root", vec![allow()]);
    assert_eq!(
        verdict(&invoke(), &with(vec![full(), full()])),
        Verdict::Allowed
    );
    let missing = with(vec![full(), level("unit", vec![silent()]), full()]);
    let decision = evaluate(&invoke(), &missing);
    assert_eq!(decision.verdict, Verdict::ImplicitlyDenied);
    assert_eq!(decision.reason, "SCP does not allow");
    let empty = with(vec![full(), level("unit", vec![])]);
    assert_eq!(verdict(&invoke(), &empty), Verdict::ImplicitlyDenied);
}

/// "RCPFullAWSAccess is automatically attached to every entity in your organization […] and can't be detached."
#[test]
fn a_level_without_rcps_allows() {
    let with = |rcps| Policies {
        rcps: Layer::Known(rcps),
        ..identity(vec![allow()])
    };
    assert_eq!(
        verdict(&invoke(), &with(vec![level("root", vec![])])),
        Verdict::Allowed
    );
}

/// SCPs limit principals of member accounts, their root users included, not services; neither SCPs nor RCPs restrict
/// service-linked roles. (Organizations user guide)
#[test]
fn whom_the_organization_does_not_limit() {
    let trust = Policies {
        scps: Layer::Known(vec![level("root", vec![deny()])]),
        ..resource(grant(json!({"Service": "codepipeline.amazonaws.com"})))
    };
    let request = ask("codepipeline.amazonaws.com", "sts:AssumeRole", OTHER_ROLE);
    assert_eq!(verdict(&request, &trust), Verdict::Allowed);
    let refused = named(
        "r",
        json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}),
    );
    let guarded = Policies {
        rcps: Layer::Known(vec![level("root", vec![refused.clone()])]),
        ..trust
    };
    assert_eq!(verdict(&request, &guarded), Verdict::ExplicitlyDenied);

    let linked =
        "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    let policies = Policies {
        scps: Layer::Known(vec![level("root", vec![deny()])]),
        rcps: Layer::Known(vec![level("root", vec![refused])]),
        ..identity(vec![allow()])
    };
    let request = ask(linked, "lambda:InvokeFunction", FUNCTION);
    assert_eq!(verdict(&request, &policies), Verdict::Allowed);
    let root = ask(
        "arn:aws:iam::111111111111:root",
        "lambda:InvokeFunction",
        FUNCTION,
    );
    assert_eq!(verdict(&root, &policies), Verdict::ExplicitlyDenied);
}

/// "All requests are implicitly denied with the exception of the AWS account root user, which has full access"; but "You
/// cannot use AWS account root user credentials to call `AssumeRole`" (API reference).
#[test]
fn the_root_user() {
    let root = "arn:aws:iam::111111111111:root";
    let request = ask(root, "lambda:InvokeFunction", FUNCTION);
    assert_eq!(verdict(&request, &Policies::default()), Verdict::Allowed);
    let request = ask(root, "sts:AssumeRole", "arn:aws:iam::111111111111:role/x");
    let open = resource(grant(json!("*")));
    assert_eq!(verdict(&request, &open), Verdict::ImplicitlyDenied);
}

/// A service has no policies of its own: the resource's policy decides.
#[test]
fn services_need_the_resource_policy_only() {
    let request = ask("codepipeline.amazonaws.com", "sts:AssumeRole", OTHER_ROLE);
    let decision = evaluate(&request, &Policies::default());
    assert_eq!(decision.reason, "no resource policy");
    let policies = Policies {
        identity: Layer::Unreadable("nobody asked".to_owned()),
        boundary: Layer::Known(vec![deny()]),
        ..resource(grant(
            json!({"Service": ["lambda.amazonaws.com", "codepipeline.amazonaws.com"]}),
        ))
    };
    assert_eq!(verdict(&request, &policies), Verdict::Allowed);
    let root = resource(grant(json!({"AWS": "arn:aws:iam::222222222222:root"})));
    assert_eq!(verdict(&request, &root), Verdict::ImplicitlyDenied);
}

#[test]
fn action_patterns() {
    let applies = |element: &str, pattern: Value| {
        let statement = json!({"Effect": "Allow", element: pattern, "Resource": "*"});
        verdict(&invoke(), &identity(vec![named("p", statement)]))
    };
    for pattern in [
        "*",
        "**",
        "*:*",
        "lambda:*",
        "LAMBDA:invokefunction",
        "lambda:Invoke*",
        "lambda:Invoke????????",
        "l*:*Function",
    ] {
        assert_eq!(
            applies("Action", json!(pattern)),
            Verdict::Allowed,
            "{pattern}"
        );
        assert_eq!(
            applies("NotAction", json!(pattern)),
            Verdict::ImplicitlyDenied,
            "{pattern}"
        );
    }
    for pattern in [
        "lambda:",
        "lambda:Invoke",
        "lambda:Invoke?",
        "s3:*",
        "lambda:InvokeFunctionUrl",
        ":*",
        "s*:*",
    ] {
        assert_eq!(
            applies("Action", json!(pattern)),
            Verdict::ImplicitlyDenied,
            "{pattern}"
        );
        assert_eq!(
            applies("NotAction", json!([pattern])),
            Verdict::Allowed,
            "{pattern}"
        );
    }
    assert_eq!(applies("Action", json!([])), Verdict::ImplicitlyDenied);
    // No service in front: IAM would not have stored it.
    assert_eq!(applies("Action", json!("lambda*")), Verdict::NotProven);
}

#[test]
fn resource_patterns() {
    let applies = |element: &str, pattern: &str| {
        let statement = json!({"Effect": "Allow", "Action": "*", element: pattern});
        verdict(&invoke(), &identity(vec![named("p", statement)]))
    };
    assert_eq!(applies("Resource", FUNCTION), Verdict::Allowed);
    assert_eq!(applies("NotResource", FUNCTION), Verdict::ImplicitlyDenied);
    assert_eq!(
        applies("Resource", OTHER_FUNCTION),
        Verdict::ImplicitlyDenied
    );
    assert_eq!(applies("NotResource", OTHER_FUNCTION), Verdict::Allowed);
    // "The resource that includes a policy variable with no value will not match any resource."
    let variable = "arn:aws:lambda:us-east-1:111111111111:function:${aws:PrincipalTag/f}";
    assert_eq!(applies("Resource", variable), Verdict::ImplicitlyDenied);
    assert_eq!(applies("NotResource", variable), Verdict::Allowed);
    let default = "arn:aws:lambda:us-east-1:111111111111:function:${aws:PrincipalTag/f, 'f'}";
    assert_eq!(applies("Resource", default), Verdict::Allowed);
}

#[test]
fn an_unknown_key_leaves_open_what_depends_on_it() {
    let conditional = |effect: &str| {
        let condition = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        named(
            "if",
            json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}),
        )
    };
    let mut request = invoke();
    request.context = Context::partial();
    let cases = [
        (vec![conditional("Allow")], Verdict::NotProven),
        (vec![conditional("Allow"), allow()], Verdict::Allowed),
        (vec![conditional("Deny"), allow()], Verdict::NotProven),
        (
            vec![conditional("Deny"), conditional("Allow")],
            Verdict::NotProven,
        ),
        (
            vec![conditional("Deny"), allow(), deny()],
            Verdict::ExplicitlyDenied,
        ),
        (vec![conditional("Deny")], Verdict::ImplicitlyDenied),
        (
            vec![conditional("Deny"), silent()],
            Verdict::ImplicitlyDenied,
        ),
    ];
    for (policies, expected) in cases {
        assert_eq!(
            verdict(&request, &identity(policies.clone())),
            expected,
            "{policies:?}"
        );
    }
    let decision = evaluate(&request, &identity(vec![conditional("Deny"), allow()]));
    assert_eq!(
        decision.gaps,
        [Gap::UnknownKey("aws:multifactorauthpresent".to_owned())]
    );
    assert_eq!(decision.statements.len(), 1);
}

#[test]
fn what_cannot_be_read_never_allows_and_may_deny() {
    let unread = || Layer::Unreadable("AccessDenied".to_owned());
    let base = || identity(vec![allow()]);
    let broken = NamedPolicy::from_text("broken", "{");
    let open = [
        Policies {
            identity: unread(),
            ..base()
        },
        Policies {
            boundary: Layer::Unreadable("AccessDenied".to_owned()),
            ..base()
        },
        Policies {
            session: Layer::Unreadable("AccessDenied".to_owned()),
            ..base()
        },
        Policies {
            scps: Layer::Unreadable("AccessDenied".to_owned()),
            ..base()
        },
        Policies {
            rcps: Layer::Unreadable("AccessDenied".to_owned()),
            ..base()
        },
        Policies {
            resource: Layer::Unreadable("AccessDenied".to_owned()),
            ..base()
        },
        identity(vec![allow(), broken.clone()]),
        identity(vec![broken.clone()]),
        Policies {
            rcps: Layer::Known(vec![level("root", vec![broken.clone()])]),
            ..base()
        },
    ];
    for policies in open {
        let decision = evaluate(&invoke(), &policies);
        assert_eq!(decision.verdict, Verdict::NotProven, "{policies:?}");
        assert!(!decision.gaps.is_empty());
    }
    // What is certain stays certain.
    let denied = identity(vec![broken.clone(), deny()]);
    assert_eq!(verdict(&invoke(), &denied), Verdict::ExplicitlyDenied);
    let refused = Policies {
        boundary: Layer::Known(vec![silent()]),
        ..identity(vec![broken])
    };
    assert_eq!(verdict(&invoke(), &refused), Verdict::ImplicitlyDenied);
}

#[test]
fn statements_in_the_wrong_kind_of_policy_are_not_guessed() {
    let principal = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    assert_eq!(
        verdict(&invoke(), &identity(vec![named("p", principal)])),
        Verdict::NotProven
    );
    let no_resource = json!({"Effect": "Allow", "Action": "*"});
    assert_eq!(
        verdict(&invoke(), &identity(vec![named("p", no_resource)])),
        Verdict::NotProven
    );
    let no_principal = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    assert_eq!(
        verdict(&invoke(), &resource(named("p", no_principal))),
        Verdict::NotProven
    );
}

#[test]
fn answers_name_the_statements() {
    let trust = named(
        "trust",
        json!([
            {"Sid": "Others", "Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": {"sts:ExternalId": "x"}}},
            {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:TagSession"},
        ]),
    );
    let narrow = named(
        "assume",
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::222222222222:role/old"}),
    );
    let request = ask(SESSION, "sts:AssumeRole", OTHER_ROLE);
    let policies = Policies {
        identity: Layer::Known(vec![narrow]),
        ..resource(trust)
    };
    let decision = evaluate(&request, &policies);
    let shown: Vec<String> = decision
        .statements
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(format!("{}\n{}", decision.reason, shown.join("\n")), @r"
    identity policies do not allow; resource policy: ImplicitlyDenied
    Allow in identity policy `assume`, Statement[0]: it is for other resources
    Allow in resource policy `trust`, Statement[0] (Others): it is for other principals
    Allow in resource policy `trust`, Statement[1]: its condition StringEquals sts:externalid does not hold
    ");
    let open = Request {
        context: Context::partial(),
        ..request
    };
    let policies = Policies {
        identity: Layer::Known(vec![allow()]),
        ..policies
    };
    let decision = evaluate(&open, &policies);
    let shown: Vec<String> = decision
        .statements
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(format!("{}\n{}", decision.reason, shown.join("\n")), @r"
    not proven: the value of the context key sts:externalid is not known
    Allow in resource policy `trust`, Statement[1]: the value of the context key sts:externalid is not known
    ");
    let granted = evaluate(&invoke(), &identity(vec![silent(), allow()]));
    assert_eq!(granted.statements.len(), 1);
    assert_eq!(
        granted.statements[0].to_string(),
        "Allow in identity policy `allow`, Statement[0]"
    );
}
