//! Laws that hold for all policies and requests.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::model::account::AccountId;

const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/ci/run-1";
const ROLE: &str = "arn:aws:iam::111111111111:role/ci";

fn of(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(choices).prop_map(str::to_owned)
}

fn some(choices: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec(prop::sample::select(choices), 1..3).prop_map(|v| json!(v))
}

const ACTIONS: &[&str] = &[
    "*",
    "sts:*",
    "sts:AssumeRole",
    "STS:assume*",
    "lambda:InvokeFunction",
    "s3:*",
    "odd",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::111111111111:role/x",
    "arn:aws:iam::222222222222:role/${aws:PrincipalTag/team}",
    "arn:aws:iam::${bad}:role/x",
    "arn:aws:lambda:*:function:f",
];
const PRINCIPALS: &[&str] = &[
    "*",
    ROLE,
    SESSION,
    "111111111111",
    "arn:aws:iam::111111111111:root",
    "222222222222",
    "AROAX",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringEqualsIfExists",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringNotLike",
    "ArnLike",
    "ArnNotLike",
    "NumericLessThan",
    "DateNotEquals",
    "Bool",
    "Null",
    "IpAddress",
    "NotIpAddress",
    "NoSuchOperator",
];
const KEYS: &[&str] = &[
    "aws:PrincipalTag/team",
    "aws:TagKeys",
    "sts:ExternalId",
    "AWS:sourceip",
];
const VALUES: &[&str] = &[
    "x",
    "*",
    "true",
    "false",
    "10",
    "10.0.0.0/8",
    "${sts:ExternalId}",
    "arn:aws:iam::1:role/x",
    "",
];

fn statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let condition = (of(OPERATORS), of(KEYS), some(VALUES));
    (
        (any::<bool>(), some(ACTIONS)),
        (any::<bool>(), some(RESOURCES)),
        (any::<bool>(), some(PRINCIPALS)),
        prop::collection::vec(condition, 0..3),
    )
        .prop_map(move |(action, resource, principal, conditions)| {
            let not =
                |negated: bool, name: &str| format!("{}{name}", if negated { "Not" } else { "" });
            let mut object = Map::new();
            object.insert("Effect".to_owned(), json!(effect));
            object.insert(not(action.0, "Action"), action.1);
            object.insert(not(resource.0, "Resource"), resource.1);
            object.insert(not(principal.0, "Principal"), json!({"AWS": principal.1}));
            let mut blocks = Map::new();
            for (operator, key, values) in conditions {
                blocks.insert(operator, json!({ key: values }));
            }
            object.insert("Condition".to_owned(), Value::Object(blocks));
            Value::Object(object)
        })
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    let one = prop_oneof![3 => statement("Allow"), 1 => statement("Deny")];
    prop::collection::vec(one, 0..4)
}

/// The statements of every layer: identity, resource, boundary, session, two levels of SCPs, one of RCPs.
type Layers = [Option<Vec<Value>>; 7];

fn layers() -> impl Strategy<Value = Layers> {
    let open = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"});
    let layer = prop_oneof![
        2 => Just(None),
        4 => Just(Some(vec![open])),
        2 => statements().prop_map(Some),
    ];
    prop::array::uniform7(layer)
}

fn policy(name: &str, statements: &[Value], with_principal: bool) -> NamedPolicy {
    let statements: Vec<Value> = statements
        .iter()
        .map(|statement| {
            let mut statement = statement.clone();
            if let (false, Some(object)) = (with_principal, statement.as_object_mut()) {
                object.retain(|key, _| !key.ends_with("Principal"));
            }
            statement
        })
        .collect();
    NamedPolicy::from_json(
        name,
        &json!({"Version": "2012-10-17", "Statement": statements}),
    )
}

fn build(layers: &Layers) -> Policies {
    let [identity, resource, boundary, session, scp, inner_scp, rcp] = layers;
    // A statement a policy, so that the order of policies counts as well.
    let each = |statements: &Option<Vec<Value>>| -> Vec<NamedPolicy> {
        let all = statements.as_deref().unwrap_or_default();
        all.iter()
            .map(|s| policy("p", std::slice::from_ref(s), false))
            .collect()
    };
    let bound = |statements: &Option<Vec<Value>>| match statements {
        None => Vec::new(),
        Some(all) => vec![policy("b", all, false)],
    };
    let level = |statements: &Option<Vec<Value>>, with_principal| {
        statements.as_ref().map(|all| Level {
            target: "level".to_owned(),
            policies: vec![policy("l", all, with_principal)],
        })
    };
    Policies {
        identity: Layer::Known(each(identity)),
        resource: Layer::Known(resource.as_ref().map(|all| policy("r", all, true))),
        boundary: Layer::Known(bound(boundary)),
        session: Layer::Known(bound(session)),
        scps: Layer::Known(
            [level(scp, false), level(inner_scp, false)]
                .into_iter()
                .flatten()
                .collect(),
        ),
        rcps: Layer::Known(level(rcp, true).into_iter().collect()),
    }
}

/// A key's value: not known, absent, or a value.
type KeyValue = Option<Option<String>>;

fn keys() -> impl Strategy<Value = Vec<KeyValue>> {
    let value = prop_oneof![
        Just(None),
        Just(Some(None)),
        of(VALUES).prop_map(|v| Some(Some(v)))
    ];
    prop::collection::vec(value, KEYS.len())
}

fn request(caller: &str, resource: &str, keys: &[KeyValue]) -> Request {
    let context = KEYS
        .iter()
        .zip(keys)
        .fold(Context::complete(), |context, (key, value)| match value {
            None => context.with_unknown(key),
            Some(None) => context.with_absent(key),
            Some(Some(value)) if *key == "aws:TagKeys" => context.with_list(key, [value.clone()]),
            Some(Some(value)) => context.with(key, value.clone()),
        });
    let principal = Principal::parse(caller).unwrap().with_role_arn(ROLE);
    let account = resource.split(':').nth(4).unwrap_or_default();
    Request::new(
        principal,
        "sts:AssumeRole",
        resource,
        AccountId::new(account).unwrap(),
        context,
    )
}

fn requests() -> impl Strategy<Value = (String, String)> {
    let callers: &[&str] = &[
        SESSION,
        ROLE,
        "arn:aws:iam::111111111111:user/u",
        "codepipeline.amazonaws.com",
        "arn:aws:iam::111111111111:root",
    ];
    let resources: &[&str] = &[
        "arn:aws:iam::111111111111:role/x",
        "arn:aws:iam::222222222222:role/x",
    ];
    (of(callers), of(resources))
}

fn verdict(request: &Request, layers: &Layers) -> Verdict {
    evaluate(request, &build(layers)).verdict
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Verdicts are ordered from explicitly denied to allowed.
    #[test]
    fn adding_a_deny_never_allows_more((who, what) in requests(), layers in layers(), keys in keys(), place in 0..7_usize, deny in statement("Deny")) {
        let request = request(&who, &what, &keys);
        let before = verdict(&request, &layers);
        let mut more = layers;
        if let Some(statements) = &mut more[place] {
            statements.push(deny);
        }
        prop_assert!(verdict(&request, &more) <= before);
    }

    #[test]
    fn adding_an_allow_never_denies_more((who, what) in requests(), layers in layers(), keys in keys(), place in 0..7_usize, allow in statement("Allow")) {
        let request = request(&who, &what, &keys);
        let before = verdict(&request, &layers);
        let mut more = layers;
        if let Some(statements) = &mut more[place] {
            statements.push(allow);
        }
        prop_assert!(verdict(&request, &more) >= before);
    }

    #[test]
    fn order_never_matters((who, what) in requests(), layers in layers(), keys in keys()) {
        fn reverse(value: &mut Value) {
            match value {
                Value::Array(items) => {
                    items.reverse();
                    items.iter_mut().for_each(reverse);
                }
                Value::Object(members) => {
                    let turned: Map<String, Value> = std::mem::take(members).into_iter().rev().collect();
                    *members = turned;
                    members.values_mut().for_each(reverse);
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let request = request(&who, &what, &keys);
        let mut turned = layers.clone();
        for statements in turned.iter_mut().flatten() {
            statements.reverse();
            statements.iter_mut().for_each(reverse);
        }
        turned.swap(4, 5);
        let (one, other) = (evaluate(&request, &build(&layers)), evaluate(&request, &build(&turned)));
        prop_assert_eq!(one.verdict, other.verdict);
        prop_assert_eq!(one.gaps, other.gaps);
    }

    /// What was certain while keys were not known stays so, whatever they turn out to be.
    #[test]
    fn knowing_more_never_overturns((who, what) in requests(), layers in layers(), keys in keys(), found in keys()) {
        let before = verdict(&request(&who, &what, &keys), &layers);
        let known: Vec<KeyValue> = keys.iter().zip(found).map(|(old, new)| old.clone().or(new)).collect();
        let after = verdict(&request(&who, &what, &known), &layers);
        match before {
            Verdict::Allowed | Verdict::ExplicitlyDenied => prop_assert_eq!(after, before),
            Verdict::ImplicitlyDenied => prop_assert!(after.is_denied()),
            Verdict::NotProven => {}
        }
    }

    /// What was certain while a policy could not be read stays so, whatever it says.
    #[test]
    fn reading_more_never_overturns((who, what) in requests(), layers in layers(), keys in keys(), place in 0..6_usize) {
        let request = request(&who, &what, &keys);
        let full = build(&layers);
        let mut blind = full.clone();
        let why = || "not read".to_owned();
        match place {
            0 => blind.identity = Layer::Unreadable(why()),
            1 => blind.resource = Layer::Unreadable(why()),
            2 => blind.boundary = Layer::Unreadable(why()),
            3 => blind.session = Layer::Unreadable(why()),
            4 => blind.scps = Layer::Unreadable(why()),
            _ => blind.rcps = Layer::Unreadable(why()),
        }
        let (before, after) = (evaluate(&request, &blind).verdict, evaluate(&request, &full).verdict);
        match before {
            Verdict::Allowed | Verdict::ExplicitlyDenied => prop_assert_eq!(after, before),
            Verdict::ImplicitlyDenied => prop_assert!(after.is_denied()),
            Verdict::NotProven => {}
        }
    }

    /// A verdict that is not certain says why, and a certain one has no gaps.
    #[test]
    fn gaps_and_verdicts_agree((who, what) in requests(), layers in layers(), keys in keys()) {
        let decision = evaluate(&request(&who, &what, &keys), &build(&layers));
        prop_assert_eq!(decision.gaps.is_empty(), decision.verdict != Verdict::NotProven);
        prop_assert!(!decision.reason.is_empty());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        of(&[
            "Version",
            "Statement",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "Principal",
            "Condition",
            "Null",
            "AWS"
        ]),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        of(&["Allow", "Deny", "*", "2012-10-17", "${a}", "sts:AssumeRole"]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_panics_or_allows_by_being_odd(document in json_value(), action in any::<String>(), resource in any::<String>()) {
        let mut request = request(SESSION, "arn:aws:iam::111111111111:role/x", &[]);
        request.action = action;
        request.resource = resource;
        let policy = NamedPolicy::from_json("odd", &document);
        let policies = Policies {
            identity: Layer::Known(vec![policy.clone()]),
            resource: Layer::Known(Some(policy.clone())),
            boundary: Layer::Known(vec![policy]),
            ..Policies::default()
        };
        let decision = evaluate(&request, &policies);
        prop_assert!(!decision.reason.is_empty());
        // A document without an Allow in it allows nothing.
        if !document.to_string().contains("Allow") {
            prop_assert_ne!(decision.verdict, Verdict::Allowed);
        }
    }

    #[test]
    fn no_caller_panics(text in any::<String>(), arn in "arn:aws:[a-z]{2,4}:[a-z-]{0,3}:[0-9]{0,12}:[a-z/:*-]{0,20}") {
        let _ = (Principal::parse(&text), Principal::parse(&arn));
        let _ = Principal::parse(SESSION).unwrap().with_role_arn(&arn);
    }
}
