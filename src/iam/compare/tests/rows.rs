//! Rows beside the vectors: what is the same, and what is not, class by class.
//! Whole documents or single elements; every row is asked in both directions.

use serde_json::{Value, json};

use super::{assert_equivalent, document, parse};

const ROLE: &str = "arn:aws:iam::111111111111:role/r";

/// Each row differs in one element of an otherwise equal statement.
fn rows(element: &str, rows: &[(Value, Value, bool)]) {
    let with = |value: &Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole"});
        statement[element] = value.clone();
        document(&json!([statement]))
    };
    for (a, b, expected) in rows {
        assert_equivalent(
            &format!("{element}: {a} and {b}"),
            &with(a),
            &with(b),
            *expected,
        );
    }
}

/// Each row is two lists of statements.
fn statements(rows: &[(Value, Value, bool)]) {
    for (a, b, expected) in rows {
        assert_equivalent(
            &format!("{a} and {b}"),
            &document(a),
            &document(b),
            *expected,
        );
    }
}

#[test]
fn principals() {
    let root = |partition: &str| json!({"AWS": format!("arn:{partition}:iam::222222222222:root")});
    rows(
        "Principal",
        &[
            (json!({"AWS": "222222222222"}), root("aws"), true),
            (json!({"AWS": "222222222222"}), root("aws-cn"), true),
            (json!({"AWS": "222222222222"}), root("aws-us-gov"), true),
            (root("aws"), root("aws-cn"), false),
            (
                json!({"AWS": "222222222222"}),
                json!({"AWS": "333333333333"}),
                false,
            ),
            (
                json!({"AWS": "22222222222"}),
                json!({"AWS": "arn:aws:iam::22222222222:root"}),
                false,
            ),
            (
                json!({"AWS": ["222222222222", "arn:aws:iam::222222222222:root"]}),
                root("aws"),
                true,
            ),
            (json!({"AWS": [ROLE, ROLE]}), json!({"AWS": ROLE}), true),
            (
                json!({"AWS": [ROLE, "222222222222"]}),
                json!({"AWS": ROLE}),
                false,
            ),
            (
                json!({"AWS": ROLE}),
                json!({"AWS": "arn:aws:iam::111111111111:role/R"}),
                false,
            ),
            (
                json!({"AWS": ROLE}),
                json!({"AWS": "arn:aws:iam::111111111111:role/p/r"}),
                false,
            ),
            (
                json!({"AWS": ROLE}),
                json!({"AWS": "arn:aws:iam::111111111111:user/r"}),
                false,
            ),
            (json!({"AWS": ROLE}), json!({"AWS": "111111111111"}), false),
            (
                json!({"AWS": [ROLE, "111111111111"]}),
                json!({"AWS": "111111111111"}),
                false,
            ),
            (
                json!({"AWS": ROLE}),
                json!({"AWS": "AROAEXAMPLEEXAMPLE01"}),
                false,
            ),
            (
                json!({"AWS": "AIDAEXAMPLEEXAMPLE01"}),
                json!({"AWS": "AROAEXAMPLEEXAMPLE01"}),
                false,
            ),
            (json!("*"), json!({"AWS": "*"}), false),
            (json!({"AWS": ["*", ROLE]}), json!({"AWS": "*"}), false),
            (
                json!({"Service": "lambda.amazonaws.com"}),
                json!({"AWS": "lambda.amazonaws.com"}),
                false,
            ),
            (
                json!({"Service": "lambda.amazonaws.com"}),
                json!({"Federated": "lambda.amazonaws.com"}),
                false,
            ),
            (
                json!({"Service": ["a.amazonaws.com", "b.amazonaws.com"]}),
                json!({"Service": ["b.amazonaws.com", "a.amazonaws.com"]}),
                true,
            ),
            (
                json!({"AWS": ROLE, "Service": []}),
                json!({"AWS": ROLE}),
                true,
            ),
        ],
    );
    rows(
        "NotPrincipal",
        &[
            (
                json!({"AWS": [ROLE, "222222222222"]}),
                json!({"AWS": ["arn:aws:iam::222222222222:root", ROLE]}),
                true,
            ),
            (
                json!({"AWS": [ROLE, "222222222222"]}),
                json!({"AWS": ROLE}),
                false,
            ),
        ],
    );
    statements(&[
        (
            json!([{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, "222222222222"]}, "Action": "*"}]),
            json!([
                {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*"},
                {"Effect": "Deny", "NotPrincipal": {"AWS": "222222222222"}, "Action": "*"},
            ]),
            false,
        ),
        (
            json!([{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "*"}]),
            json!([{"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "*"}]),
            false,
        ),
        (
            json!([{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}]),
            json!([{"Effect": "Allow", "Action": "sts:AssumeRole"}]),
            false,
        ),
    ]);
}

#[test]
fn actions() {
    rows(
        "Action",
        &[
            (json!("STS:assumerole"), json!(["sts:AssumeRole"]), true),
            (json!("*"), json!("*:*"), true),
            (json!(["*", "sts:AssumeRole"]), json!("*"), true),
            (json!("sts:*"), json!("sts:**"), true),
            (json!(["sts:Assume*", "sts:*Role*"]), json!("sts:*"), false),
            (
                json!(["sts:AssumeRol?", "sts:AssumeRole"]),
                json!("sts:AssumeRol?"),
                true,
            ),
            (
                json!(["sts:Tag*", "STS:TAGSESSION"]),
                json!("sts:tag*"),
                true,
            ),
            (
                json!("sts:AssumeRole"),
                json!("sts:AssumeRoleWithSAML"),
                false,
            ),
            (json!("sts:AssumeRole"), json!("sts:AssumeRole*"), false),
            (json!("sts:AssumeRole"), json!("s3:AssumeRole"), false),
            (json!([]), json!("sts:AssumeRole"), false),
        ],
    );
    statements(&[
        (json!([{"Effect": "Allow", "Action": []}]), json!([]), true),
        (
            json!([{"Effect": "Deny", "NotAction": "*", "Resource": "*"}]),
            json!([]),
            true,
        ),
        (
            json!([{"Effect": "Allow", "NotAction": ["iam:*", "iam:Get*"], "Resource": "*"}]),
            json!([{"Effect": "Allow", "NotAction": "IAM:*", "Resource": "*"}]),
            true,
        ),
        (
            json!([
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                {"Effect": "Allow", "NotAction": ["sts:*", "iam:*"], "Resource": "arn:aws:s3:::b"},
                {"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"},
            ]),
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
            true,
        ),
        (
            json!([
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                {"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"},
            ]),
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
            false,
        ),
        (
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
            json!([{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]),
            false,
        ),
        (
            json!([
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            ]),
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]),
            true,
        ),
    ]);
}

#[test]
fn resources() {
    let f = "arn:aws:lambda:us-east-1:222222222222:function:f";
    rows(
        "Resource",
        &[
            (json!([f, f]), json!(f), true),
            (
                json!([f, "arn:aws:lambda:us-east-1:222222222222:function:*"]),
                json!("arn:aws:lambda:us-east-1:222222222222:function:*"),
                true,
            ),
            (json!([f, format!("{f}:*")]), json!(f), false),
            (json!([f, format!("{f}:*")]), json!(format!("{f}:*")), false),
            (
                json!(f),
                json!("arn:aws:lambda:us-east-1:222222222222:function:F"),
                false,
            ),
            (
                json!(f),
                json!("arn:aws:lambda:us-east-2:222222222222:function:f"),
                false,
            ),
            (
                json!(f),
                json!("arn:aws:lambda:us-east-1:222222222223:function:f"),
                false,
            ),
            (
                json!(f),
                json!("arn:aws-cn:lambda:us-east-1:222222222222:function:f"),
                false,
            ),
            (
                json!("arn:aws:lambda:*"),
                json!("arn:aws:lambda:*:*:*"),
                true,
            ),
            (json!("*"), json!("arn:*"), false),
            (json!(["*", f]), json!("**"), true),
        ],
    );
    statements(&[
        (
            json!([{"Effect": "Allow", "Action": "s3:*", "Resource": f}]),
            json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": f}]),
            false,
        ),
        (
            json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": [f, "arn:aws:s3:::b"]}]),
            json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": ["arn:aws:s3:::b", f, f]}]),
            true,
        ),
        (
            json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": [f, "arn:aws:s3:::b"]}]),
            json!([
                {"Effect": "Allow", "Action": "s3:*", "NotResource": f},
                {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b"},
            ]),
            false,
        ),
        (
            json!([{"Effect": "Allow", "Action": ["a:A", "b:B"], "Resource": [f, "arn:aws:s3:::b"]}]),
            json!([
                {"Effect": "Allow", "Action": ["b:B", "a:A"], "Resource": "arn:aws:s3:::b"},
                {"Effect": "Allow", "Action": "a:A", "Resource": f},
                {"Effect": "Allow", "Action": "b:b", "Resource": [f]},
            ]),
            true,
        ),
        (
            json!([{"Effect": "Allow", "Action": ["a:A", "b:B"], "Resource": [f, "arn:aws:s3:::b"]}]),
            json!([
                {"Effect": "Allow", "Action": "a:A", "Resource": f},
                {"Effect": "Allow", "Action": "b:B", "Resource": "arn:aws:s3:::b"},
            ]),
            false,
        ),
    ]);
}

#[test]
fn effects() {
    let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"});
    let narrower =
        json!({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::b"});
    statements(&[
        (json!([allow, deny]), json!([deny, allow]), true),
        (json!([allow, deny]), json!([allow]), false),
        (json!([allow, deny, narrower]), json!([allow, deny]), true),
        (json!([allow, deny]), json!([allow, narrower]), false),
        (
            json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]),
            json!([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]),
            false,
        ),
        // Not set off against each other, although nothing is granted either way.
        (
            json!([allow, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]),
            json!([]),
            false,
        ),
    ]);
}

#[test]
fn versions() {
    let with = |version: &str, resource: &str| {
        parse(&format!(
            r#"{{{version}"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}}}"#
        ))
    };
    let (old, new) = (r#""Version":"2008-10-17","#, r#""Version":"2012-10-17","#);
    let (plain, variable) = ("arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}");
    assert_equivalent(
        "absent and old",
        &with("", variable),
        &with(old, variable),
        true,
    );
    assert_equivalent(
        "old and new, plain",
        &with(old, plain),
        &with(new, plain),
        true,
    );
    assert_equivalent(
        "old and new, variable",
        &with(old, variable),
        &with(new, variable),
        false,
    );
    assert_equivalent(
        "absent and new, variable",
        &with("", variable),
        &with(new, variable),
        false,
    );
    let upper = "arn:aws:s3:::b/${AWS:UserName}";
    assert_equivalent(
        "a variable's case",
        &with(new, variable),
        &with(new, upper),
        true,
    );
    assert_equivalent(
        "a literal's case",
        &with(old, variable),
        &with(old, upper),
        false,
    );
}

#[test]
fn condition_spellings() {
    rows(
        "Condition",
        &[
            (json!({}), json!({"StringEquals": {}}), true),
            (
                json!({"StringEquals": {"k": ["a", "b"]}}),
                json!({"StringEquals": {"K": ["b", "a", "b"]}}),
                true,
            ),
            (
                json!({"stringequals": {"k": "a"}}),
                json!({"StringEquals": {"k": "a"}}),
                true,
            ),
            (
                json!({"StringEquals": {"k": "a", "K": "b"}}),
                json!({"StringEquals": {"k": ["a", "b"]}}),
                false,
            ),
            (
                json!({"StringEquals": {"k": "a", "K": "a"}}),
                json!({"StringEquals": {"k": "a"}}),
                true,
            ),
            (
                json!({"StringEquals": {"k": "a"}, "StringLike": {"j": "b"}}),
                json!({"StringLike": {"k": "a"}, "StringEquals": {"j": "b"}}),
                true,
            ),
            (
                json!({"StringEquals": {"k": "a"}, "StringLike": {"j": "b*"}}),
                json!({"StringLike": {"k": "a"}, "StringEquals": {"j": "b*"}}),
                false,
            ),
            (
                json!({"StringEquals": {"k": "a", "j": "b"}}),
                json!({"StringEquals": {"k": "a"}}),
                false,
            ),
            (
                json!({"StringEquals": {"k": "a"}, "StringLike": {"k": "*"}}),
                json!({"StringEquals": {"k": "a"}}),
                true,
            ),
            (
                json!({"StringLike": {"k": ["a*", "ab"]}}),
                json!({"StringLike": {"k": "a*"}}),
                true,
            ),
            (
                json!({"StringNotLike": {"k": ["a*", "ab"]}}),
                json!({"StringNotLike": {"k": "a*"}}),
                true,
            ),
            (
                json!({"StringNotEquals": {"k": "a"}}),
                json!({"StringNotLike": {"k": "a"}}),
                true,
            ),
            (
                json!({"StringEqualsIgnoreCase": {"k": "A"}}),
                json!({"StringEqualsIgnoreCase": {"k": "a"}}),
                true,
            ),
            (
                json!({"StringEqualsIgnoreCase": {"k": "a"}}),
                json!({"StringEquals": {"k": "a"}}),
                false,
            ),
            (
                json!({"ArnEquals": {"k": "arn:aws:iam::1:role/*"}}),
                json!({"ArnLike": {"k": "arn:aws:iam::1:role/*"}}),
                true,
            ),
            (
                json!({"ArnNotEquals": {"k": ROLE}}),
                json!({"ArnNotLike": {"k": ROLE}}),
                true,
            ),
            (
                json!({"ArnEquals": {"k": ROLE}}),
                json!({"ArnNotEquals": {"k": ROLE}}),
                false,
            ),
            (
                json!({"ArnEquals": {"k": ROLE}}),
                json!({"ArnEquals": {"k": "arn:aws:iam::111111111111:role/R"}}),
                false,
            ),
            (
                json!({"ArnLike": {"k": "*"}}),
                json!({"ArnLike": {"k": "arn:*:*:*:*:*"}}),
                false,
            ),
            (
                json!({"StringEquals": {"k": "${aws:username}"}}),
                json!({"StringEquals": {"k": "${AWS:username}"}}),
                true,
            ),
        ],
    );
}

#[test]
fn condition_types() {
    rows(
        "Condition",
        &[
            (
                json!({"Bool": {"k": true}}),
                json!({"Bool": {"k": "True"}}),
                true,
            ),
            (
                json!({"Bool": {"k": true}}),
                json!({"Bool": {"k": false}}),
                false,
            ),
            (
                json!({"Bool": {"k": ["true", "TRUE"]}}),
                json!({"Bool": {"k": true}}),
                true,
            ),
            (
                json!({"Bool": {"k": true}}),
                json!({"StringEquals": {"k": "true"}}),
                false,
            ),
            (
                json!({"Null": {"k": true}}),
                json!({"Null": {"k": "true"}}),
                true,
            ),
            (
                json!({"Null": {"k": true}}),
                json!({"Null": {"k": false}}),
                false,
            ),
            (json!({"Null": {"k": true}}), json!({}), false),
            (
                json!({"Null": {"k": false}, "StringEquals": {"k": "a"}}),
                json!({"StringEquals": {"k": "a"}}),
                true,
            ),
            (
                json!({"Null": {"k": false}, "StringEqualsIfExists": {"k": "a"}}),
                json!({"StringEqualsIfExists": {"k": "a"}}),
                false,
            ),
            (
                json!({"Null": {"k": false}, "StringNotEquals": {"k": "a"}}),
                json!({"StringNotEquals": {"k": "a"}}),
                false,
            ),
            (
                json!({"Null": {"k": false}, "ForAllValues:StringEquals": {"k": "a"}}),
                json!({"ForAllValues:StringEquals": {"k": "a"}}),
                false,
            ),
            (
                json!({"NumericLessThan": {"k": 10}}),
                json!({"NumericLessThan": {"k": "10.0"}}),
                true,
            ),
            (
                json!({"NumericLessThan": {"k": 10}}),
                json!({"NumericLessThan": {"k": 11}}),
                false,
            ),
            (
                json!({"NumericLessThan": {"k": 10}}),
                json!({"NumericLessThanEquals": {"k": 10}}),
                false,
            ),
            (
                json!({"NumericEquals": {"k": 10}}),
                json!({"NumericNotEquals": {"k": 10}}),
                false,
            ),
            (
                json!({"DateLessThan": {"k": "2026-01-15T12:00:00Z"}}),
                json!({"DateLessThan": {"k": 1_768_478_400}}),
                true,
            ),
            (
                json!({"DateLessThan": {"k": "2026-01-15"}}),
                json!({"DateGreaterThan": {"k": "2026-01-15"}}),
                false,
            ),
            (
                json!({"IpAddress": {"k": "10.0.0.1"}}),
                json!({"IpAddress": {"k": "10.0.0.1/32"}}),
                true,
            ),
            (
                json!({"IpAddress": {"k": ["10.0.0.0/8", "10.1.0.0/16"]}}),
                json!({"IpAddress": {"k": "10.0.0.0/8"}}),
                true,
            ),
            (
                json!({"IpAddress": {"k": "10.0.0.0/8"}}),
                json!({"NotIpAddress": {"k": "10.0.0.0/8"}}),
                false,
            ),
            (
                json!({"BinaryEquals": {"k": "QUJD"}}),
                json!({"BinaryEquals": {"k": "qujd"}}),
                false,
            ),
            (
                json!({"Unheard": {"k": ["b", "a"]}}),
                json!({"unheard": {"K": ["a", "b"]}}),
                true,
            ),
            (
                json!({"Unheard": {"k": "a"}}),
                json!({"Unheard": {"k": "A"}}),
                false,
            ),
        ],
    );
}

#[test]
fn set_operators_and_if_exists() {
    rows(
        "Condition",
        &[
            (
                json!({"StringEquals": {"k": "a"}}),
                json!({"StringEqualsIfExists": {"k": "a"}}),
                false,
            ),
            (
                json!({"StringNotEquals": {"k": "a"}}),
                json!({"StringNotEqualsIfExists": {"k": "a"}}),
                true,
            ),
            (
                json!({"ForAnyValue:StringEquals": {"k": "a"}}),
                json!({"StringEquals": {"k": "a"}}),
                false,
            ),
            (
                json!({"ForAnyValue:StringEquals": {"k": "a"}}),
                json!({"ForAllValues:StringEquals": {"k": "a"}}),
                false,
            ),
            (
                json!({"ForAnyValue:StringEquals": {"k": "a"}}),
                json!({"foranyvalue:StringLike": {"k": "a"}}),
                true,
            ),
            (
                json!({"ForAnyValue:StringNotEquals": {"k": "a"}}),
                json!({"ForAnyValue:StringNotEqualsIfExists": {"k": "a"}}),
                false,
            ),
            (
                json!({"ForAllValues:StringLike": {"k": ["a", "a*"]}}),
                json!({"ForAllValues:StringLike": {"k": "a*"}}),
                true,
            ),
        ],
    );
}

/// Two statements whose conditions are given, against one.
fn both(first: &Value, second: &Value, one: &Value, expected: bool) {
    let with = |c: &Value| json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": c});
    let (a, b) = (json!([with(first), with(second)]), json!([with(one)]));
    assert_equivalent(
        &format!("{first} or {second}: {one}"),
        &document(&a),
        &document(&b),
        expected,
    );
}

#[test]
fn conditions_that_ask_for_more_are_superfluous_beside_those_that_ask_for_less() {
    let eq = |values: Value| json!({"StringEquals": {"k": values}});
    let not = |values: Value| json!({"StringNotEquals": {"k": values}});
    let (a, ab) = (eq(json!("a")), eq(json!(["a", "b"])));
    both(&a, &json!({}), &json!({}), true);
    both(&a, &ab, &ab, true);
    both(&a, &ab, &a, false);
    both(&json!({"StringEquals": {"k": "a", "j": "b"}}), &a, &a, true);
    both(
        &not(json!("a")),
        &not(json!(["a", "b"])),
        &not(json!("a")),
        true,
    );
    both(
        &not(json!("a")),
        &not(json!(["a", "b"])),
        &not(json!(["a", "b"])),
        false,
    );
    both(
        &a,
        &json!({"StringEqualsIfExists": {"k": "a"}}),
        &json!({"StringEqualsIfExists": {"k": "a"}}),
        true,
    );
    both(&a, &json!({"StringEqualsIfExists": {"k": "a"}}), &a, false);
    both(
        &a,
        &json!({"StringLike": {"k": "a*"}}),
        &json!({"StringLike": {"k": "a*"}}),
        true,
    );
    both(&a, &json!({"StringEquals": {"j": "a"}}), &a, false);
    both(&eq(json!([])), &a, &a, false);
}

#[test]
fn a_list_of_values_is_the_union_of_its_values_where_the_operator_asks_for_one_of_them() {
    let of = |operator: &str, values: Value| json!({operator: {"k": values}});
    for (operator, union) in [
        ("StringEquals", true),
        ("StringLikeIfExists", true),
        ("ForAnyValue:StringEquals", true),
        ("ForAllValues:StringEquals", false),
        ("StringNotEquals", false),
        ("Unheard", false),
    ] {
        both(
            &of(operator, json!("a")),
            &of(operator, json!("b")),
            &of(operator, json!(["a", "b"])),
            union,
        );
    }
    let two = |k: Value, j: Value| json!({"StringEquals": {"k": k, "j": j}});
    let all = two(json!(["a", "b"]), json!(["c", "d"]));
    both(
        &two(json!("a"), json!(["c", "d"])),
        &two(json!("b"), json!(["d", "c"])),
        &all,
        true,
    );
    both(
        &two(json!("a"), json!("c")),
        &two(json!("b"), json!("d")),
        &all,
        false,
    );
}
