//! Tests of every condition operator, each with the sentence of the documentation that it holds. Unless a comment says
//! otherwise the source is the IAM user guide, "IAM JSON policy elements: Condition operators".
#![allow(clippy::unwrap_used)]

use super::*;

/// The values of a key in the request.
enum Key<'a> {
    Is(&'a str),
    List(&'a [&'a str]),
    Absent,
    Unknown,
}
use Key::{Absent, Is, List, Unknown};

fn condition(operator: &str, values: &[&str]) -> Condition {
    let written = Written {
        operator: operator.to_owned(),
        key: "test:Key".to_owned(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
    };
    Condition::new(&written, Version::V2012)
}

fn holds(operator: &str, values: &[&str], key: &Key<'_>, effect: Effect) -> Truth {
    let context = Context::complete();
    let context = match key {
        Is(value) => context.with("TEST:key", *value),
        List(values) => context.with_list("test:key", values.iter().copied()),
        Absent => context,
        Unknown => context.with_unknown("test:key"),
    };
    condition(operator, values).holds(&context, effect)
}

fn check(table: &[(&str, &[&str], Key<'_>, bool)]) {
    for (operator, values, key, expected) in table {
        for effect in [Effect::Allow, Effect::Deny] {
            let found = holds(operator, values, key, effect);
            let shown = match key {
                Is(value) => format!("{value:?}"),
                List(values) => format!("{values:?}"),
                Absent => "absent".to_owned(),
                Unknown => "unknown".to_owned(),
            };
            assert_eq!(
                found,
                Truth::from(*expected),
                "{operator} {values:?} on {shown}"
            );
        }
    }
}

/// "Exact matching, case sensitive"; "Negated matching"; "Exact matching, ignoring case".
#[test]
fn strings() {
    check(&[
        ("StringEquals", &["a"], Is("a"), true),
        ("StringEquals", &["a"], Is("A"), false),
        ("StringEquals", &["a*"], Is("ab"), false),
        ("StringEquals", &["a*"], Is("a*"), true),
        ("StringEquals", &["a", "b"], Is("b"), true),
        ("StringEquals", &[], Is("b"), false),
        ("stringequals", &["a"], Is("a"), true),
        ("StringNotEquals", &["a"], Is("a"), false),
        ("StringNotEquals", &["a"], Is("A"), true),
        ("StringEqualsIgnoreCase", &["aB"], Is("Ab"), true),
        ("StringEqualsIgnoreCase", &["a*"], Is("AB"), false),
        ("StringNotEqualsIgnoreCase", &["aB"], Is("Ab"), false),
        ("StringNotEqualsIgnoreCase", &["x"], Is("Ab"), true),
    ]);
}

/// "If a single negated matching condition operator includes multiple values for a context key, those values are
/// evaluated using a logical NOR." ("Conditions with multiple context keys or values")
#[test]
fn several_values_are_or_and_nor() {
    check(&[
        ("StringNotEquals", &["a", "b"], Is("b"), false),
        ("StringNotEquals", &["a", "b"], Is("c"), true),
        ("StringNotLike", &["x*", "b*"], Is("b1"), false),
        (
            "ArnNotLike",
            &["arn:a:b:c:d:e", "arn:a:b:c:d:f"],
            Is("arn:a:b:c:d:f"),
            false,
        ),
        (
            "NotIpAddress",
            &["10.0.0.0/8", "192.0.2.0/24"],
            Is("192.0.2.1"),
            false,
        ),
        ("NumericNotEquals", &["1", "2"], Is("3"), true),
        ("NumericGreaterThan", &["7200", "900"], Is("3600"), true),
    ]);
}

/// "The values can include multi-character match wildcards (*) and single-character match wildcards (?) anywhere".
#[test]
fn strings_with_wildcards() {
    check(&[
        ("StringLike", &["ext-*"], Is("ext-1"), true),
        ("StringLike", &["ext-*"], Is("EXT-1"), false),
        ("StringLike", &["e?t"], Is("ext"), true),
        ("StringLike", &["e?t"], Is("et"), false),
        (
            "StringLike",
            &["arn:aws:iam::*"],
            Is("arn:aws:iam::1:role/x"),
            true,
        ),
        ("StringNotLike", &["ext-*"], Is("ext-1"), false),
        ("StringNotLike", &["ext-*"], Is("int-1"), true),
    ]);
}

/// The page's own example of a value that `StringLike` matches and `ArnLike` does not.
#[test]
fn arns_are_compared_by_component() {
    let pattern = "arn:aws:someservice:*:111122223333:finance/*";
    let value =
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
    check(&[
        ("StringLike", &[pattern], Is(value), true),
        ("ArnLike", &[pattern], Is(value), false),
        ("ArnEquals", &[pattern], Is(value), false),
        ("ArnNotLike", &[pattern], Is(value), true),
    ]);
}

/// "The `ArnEquals` and `ArnLike` condition operators behave identically"; "case-sensitive".
#[test]
fn arns() {
    let role = "arn:aws:iam::111111111111:role/path/ci";
    for operator in ["ArnEquals", "ArnLike"] {
        check(&[
            (operator, &[role], Is(role), true),
            (operator, &["arn:aws:iam::*:role/*"], Is(role), true),
            (
                operator,
                &["arn:*:iam::111111111111:role/path/c?"],
                Is(role),
                true,
            ),
            (operator, &["arn:aws:iam::111111111111:*"], Is(role), true),
            (
                operator,
                &["arn:aws:iam::111111111111:role/PATH/ci"],
                Is(role),
                false,
            ),
            (
                operator,
                &["arn:aws-cn:iam::111111111111:role/path/ci"],
                Is(role),
                false,
            ),
            (
                operator,
                &["arn:aws:s3:::b:c*"],
                Is("arn:aws:s3:::b:c:d"),
                true,
            ),
            (operator, &[role], Is("no arn"), false),
        ]);
    }
    check(&[
        (
            "ArnNotEquals",
            &["arn:aws:iam::*:role/path/*"],
            Is(role),
            false,
        ),
        (
            "ArnNotEquals",
            &["arn:aws:iam::*:role/other"],
            Is(role),
            true,
        ),
    ]);
}

/// "Comparing a key to an integer or decimal value."
#[test]
fn numbers() {
    check(&[
        ("NumericEquals", &["3600"], Is("3600.0"), true),
        ("NumericNotEquals", &["3600"], Is("3600"), false),
        ("NumericLessThan", &["3600"], Is("3600"), false),
        ("NumericLessThan", &["3600"], Is("900"), true),
        ("NumericLessThanEquals", &["3600"], Is("3600"), true),
        ("NumericGreaterThan", &["900"], Is("3600"), true),
        ("NumericGreaterThan", &["3600"], Is("3600"), false),
        ("NumericGreaterThanEquals", &["3600"], Is("3600"), true),
        ("NumericGreaterThanEquals", &["-1"], Is("-2"), false),
    ]);
}

/// "One of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX) time."
#[test]
fn dates() {
    let now = "2026-01-15T12:00:00Z";
    check(&[
        ("DateEquals", &["1768478400"], Is(now), true),
        (
            "DateNotEquals",
            &["2026-01-15T13:00:00+01:00"],
            Is(now),
            false,
        ),
        ("DateLessThan", &["2027-01-01T00:00:00Z"], Is(now), true),
        ("DateLessThan", &[now], Is(now), false),
        ("DateLessThanEquals", &[now], Is(now), true),
        ("DateLessThanEquals", &["2026-01-15"], Is(now), false),
        ("DateGreaterThan", &["2025-01-01T00:00:00Z"], Is(now), true),
        ("DateGreaterThanEquals", &["2027"], Is("1768478400"), false),
    ]);
}

/// "Comparing a key to true or false."
#[test]
fn booleans() {
    check(&[
        ("Bool", &["true"], Is("true"), true),
        ("Bool", &["TRUE"], Is("true"), true),
        ("Bool", &["true"], Is("false"), false),
        ("Bool", &["true", "false"], Is("false"), true),
        ("Bool", &["false"], Absent, false),
        ("BoolIfExists", &["false"], Absent, true),
    ]);
}

/// "Byte for byte against a base-64 encoded representation of the binary value."
#[test]
fn binary() {
    let value = "QmluYXJ5VmFsdWVJbkJhc2U2NA==";
    check(&[
        ("BinaryEquals", &[value], Is(value), true),
        ("BinaryEquals", &[value], Is("QmluYXJ5"), false),
        ("BinaryEquals", &[value], Absent, false),
    ]);
}

/// "An IPv4 or IPv6 address or range of IP addresses", the page's example included.
#[test]
fn addresses() {
    let ranges = &["203.0.113.0/24", "2001:DB8:1234:5678::/64"];
    check(&[
        ("IpAddress", ranges, Is("203.0.113.10"), true),
        ("IpAddress", ranges, Is("2001:db8:1234:5678::1"), true),
        ("IpAddress", ranges, Is("198.51.100.1"), false),
        ("IpAddress", &["203.0.113.10"], Is("203.0.113.10"), true),
        ("NotIpAddress", ranges, Is("203.0.113.10"), false),
        ("NotIpAddress", ranges, Is("198.51.100.1"), true),
    ]);
}

/// "Either true (the key doesn't exist — it is null) or false (the key exists and its value is not null)."
#[test]
fn null() {
    check(&[
        ("Null", &["true"], Absent, true),
        ("Null", &["true"], Is("x"), false),
        ("Null", &["false"], Absent, false),
        ("Null", &["false"], Is("x"), true),
        ("Null", &["False"], List(&["x", "y"]), true),
        ("Null", &["true"], List(&[]), true),
        ("Null", &["true", "false"], Absent, true),
    ]);
}

/// "If the key […] is not present in the request context, the values do not match and the condition is false. If the
/// policy condition requires that the key is not matched, […] the condition is true"; `IfExists` is true.
#[test]
fn absent_keys() {
    let operators = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
    ];
    for name in operators {
        let if_exists = format!("{name}IfExists");
        let all = format!("ForAllValues:{name}");
        let any = format!("ForAnyValue:{name}");
        let any_if_exists = format!("ForAnyValue:{name}IfExists");
        check(&[
            (name, &["1"], Absent, name.contains("Not")),
            (&if_exists, &["1"], Absent, true),
            (&all, &["1"], Absent, true),
            (&any, &["1"], Absent, false),
            (&any_if_exists, &["1"], Absent, false),
        ]);
        for form in [name, &if_exists, &all, &any] {
            let found = holds(form, &["1"], &Unknown, Effect::Allow);
            assert_eq!(
                found.gap(),
                Some(&Gap::UnknownKey("test:key".to_owned())),
                "{form}"
            );
        }
    }
}

/// "If the policy key is present in the context of the request, process the key as specified in the policy."
#[test]
fn if_exists_changes_nothing_for_present_keys() {
    check(&[
        ("StringEqualsIfExists", &["a"], Is("b"), false),
        ("StringNotEqualsIfExists", &["a"], Is("a"), false),
        (
            "ArnLikeIfExists",
            &["arn:a:b:c:d:*"],
            Is("arn:a:b:c:d:e"),
            true,
        ),
        ("NumericLessThanIfExists", &["5"], Is("9"), false),
    ]);
}

/// Source: "Single-valued vs. multivalued context keys" and "Multivalued context key examples".
#[test]
fn set_operators() {
    check(&[
        (
            "ForAllValues:StringEquals",
            &["a", "b"],
            List(&["a", "b"]),
            true,
        ),
        (
            "ForAllValues:StringEquals",
            &["a", "b"],
            List(&["a", "c"]),
            false,
        ),
        (
            "ForAllValues:StringNotEquals",
            &["a", "b"],
            List(&["c"]),
            true,
        ),
        (
            "ForAllValues:StringNotEquals",
            &["a", "b"],
            List(&["c", "a"]),
            false,
        ),
        (
            "ForAllValues:StringNotLike",
            &["key1*"],
            List(&["key1:hr", "key1:personnel"]),
            false,
        ),
        (
            "ForAllValues:StringNotLike",
            &["key1*"],
            List(&["key2:audit"]),
            true,
        ),
        ("ForAllValues:StringNotLike", &["key1*"], Absent, true),
        (
            "ForAnyValue:StringEquals",
            &["a", "b"],
            List(&["c", "a"]),
            true,
        ),
        ("ForAnyValue:StringEquals", &["a", "b"], List(&["c"]), false),
        (
            "ForAnyValue:StringNotEquals",
            &["a", "b"],
            List(&["a", "b"]),
            false,
        ),
        (
            "ForAnyValue:StringNotEquals",
            &["a", "b"],
            List(&["a", "c"]),
            true,
        ),
        (
            "ForAnyValue:StringLike",
            &["o-1/r-1/*"],
            List(&["o-1/r-1/ou-1/"]),
            true,
        ),
        ("ForAllValues:StringEquals", &["a"], Is("a"), true),
        ("ForAnyValue:StringEquals", &["a"], Is("b"), false),
    ]);
}

/// "If the key values in the request resolve to an empty data set (for example, an empty string), a condition operator
/// modified by `ForAllValues` returns true, and […] by `ForAnyValue` returns false."
#[test]
fn set_operators_on_empty_sets() {
    check(&[
        ("ForAllValues:StringEquals", &["a"], Is(""), true),
        ("ForAnyValue:StringEquals", &[""], Is(""), false),
        ("ForAllValues:StringEquals", &["a"], List(&[]), true),
        ("ForAnyValue:StringNotEquals", &["a"], List(&[]), false),
        ("StringEquals", &[""], Is(""), true),
    ]);
}

/// "Multivalued context keys require a condition set operator": without one an Allow has no documented way to match,
/// and what a Deny does is not said.
#[test]
fn multivalued_keys_need_a_set_operator() {
    let key = List(&["a"]);
    assert!(holds("StringEquals", &["a"], &key, Effect::Allow).is_no());
    assert!(
        holds("StringEquals", &["a"], &key, Effect::Deny)
            .gap()
            .is_some()
    );
    assert!(
        holds("StringNotEquals", &["b"], &key, Effect::Allow)
            .gap()
            .is_some()
    );
}

/// Texts where numbers, dates or ranges should be grant nothing and are not taken to deny nothing.
#[test]
fn values_of_the_wrong_kind() {
    for (operator, value, key) in [
        ("NumericEquals", "abc", "1"),
        ("NumericEquals", "1", "abc"),
        ("NumericLessThan", "${aws:x}", "1"),
        ("DateLessThan", "soon", "2026-01-15T12:00:00Z"),
        (
            "DateLessThan",
            "2026-01-15T12:00:00",
            "2025-01-15T12:00:00Z",
        ),
        ("Bool", "yes", "true"),
        ("BinaryEquals", "***", "QQ=="),
        ("IpAddress", "*", "203.0.113.1"),
        ("IpAddress", "203.0.113.0/24", "not an address"),
        ("ArnLike", "*", "arn:aws:iam::1:role/x"),
        ("Null", "maybe", "x"),
    ] {
        let key = Is(key);
        assert!(
            holds(operator, &[value], &key, Effect::Allow).is_no(),
            "{operator} {value}"
        );
        let deny = holds(operator, &[value], &key, Effect::Deny);
        assert!(
            matches!(deny.gap(), Some(Gap::Misused(_))),
            "{operator} {value}: {deny:?}"
        );
    }
    // Another value may still decide.
    check(&[("NumericEquals", &["abc", "1"], Is("1"), true)]);
}

#[test]
fn operators_that_do_not_exist() {
    for name in [
        "StringMatches",
        "NullIfExists",
        "ForAnyValue:Null",
        "ForSomeValues:StringEquals",
    ] {
        for effect in [Effect::Allow, Effect::Deny] {
            let found = holds(name, &["true"], &Is("true"), effect);
            assert!(
                matches!(found.gap(), Some(Gap::Unreadable(_))),
                "{name}: {found:?}"
            );
        }
    }
}

/// "You can use a policy variable for Condition values in any condition that involves the string operators or the ARN
/// operators"; a variable without value is like nothing, and negated operators match. ("Variables and tags")
#[test]
fn variables_in_values() {
    let with = |operator: &str, value: &str, context: &Context| {
        condition(operator, &[value]).holds(context, Effect::Deny)
    };
    let context = Context::complete()
        .with("test:Key", "arn:aws:iam::1:user/Adele")
        .with("aws:username", "Adele")
        .with("aws:Start", "arn:aws:iam::1");
    let variable = "arn:aws:iam::1:user/${aws:username}";
    for operator in [
        "StringEquals",
        "StringLike",
        "StringEqualsIgnoreCase",
        "ArnEquals",
        "ArnLike",
    ] {
        assert!(with(operator, variable, &context).is_yes(), "{operator}");
    }
    assert!(
        with(
            "StringEqualsIgnoreCase",
            "ARN:AWS:IAM::1:USER/${AWS:USERNAME}",
            &context
        )
        .is_yes()
    );
    assert!(with("ArnLike", "${aws:Start}:user/*", &context).is_yes());
    assert!(with("ArnLike", "${aws:username}", &context).gap().is_some());
    let missing = "arn:aws:iam::1:user/${aws:userid}";
    for operator in ["StringEquals", "StringLike", "ArnLike"] {
        assert!(with(operator, missing, &context).is_no(), "{operator}");
    }
    for operator in ["StringNotEquals", "StringNotLike", "ArnNotLike"] {
        assert!(with(operator, missing, &context).is_yes(), "{operator}");
    }
}
