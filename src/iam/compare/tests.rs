//! The rules of "grants the same", as rows, and the laws that hold for every document.
//! Documents only: what AWS decides on a request is tested beside `iam::evaluate`.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod rows;

pub(super) fn parse(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).expect("the row is a policy document")
}

fn document(statements: &Value) -> PolicyDocument {
    let value = json!({"Version": "2012-10-17", "Statement": statements});
    PolicyDocument::from_json(&value).expect("the test is a policy document")
}

/// Fails with both documents unless all ways of asking give the expected answer, in both directions.
pub(super) fn assert_equivalent(
    name: &str,
    a: &PolicyDocument,
    b: &PolicyDocument,
    expected: bool,
) {
    assert_eq!(
        equivalent(a, b),
        expected,
        "{name}\n{a}\n{b}\n{}",
        difference(a, b)
    );
    assert_eq!(equivalent(b, a), expected, "{name}, the other way round");
    assert_eq!(difference(a, b).is_empty(), expected, "{name}: difference");
    assert_eq!(covers(a, b) && covers(b, a), expected, "{name}: covers");
}

#[test]
fn the_vectors_hold() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/policy_equivalence.jsonl"
    ));
    let mut rows = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("a row is JSON");
        let field = |key: &str| row[key].as_str().expect("a row has its texts").to_owned();
        let expected = row["equivalent"].as_bool().expect("a row has its answer");
        assert_equivalent(
            &field("name"),
            &parse(&field("a")),
            &parse(&field("b")),
            expected,
        );
        rows += 1;
    }
    assert_eq!(rows, 24);
}

#[test]
fn a_difference_is_shown_line_by_line() {
    let from = document(&json!([
        {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole",
         "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/pipeline-service-role"}}},
        {"Effect": "Deny", "NotPrincipal": {"Service": "lambda.amazonaws.com", "AWS": "*"}, "Action": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": ["sts:TagSession", "sts:Tag*"]},
    ]));
    let to = document(&json!([
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:assumerole",
         "Condition": {"ArnEquals": {"aws:PrincipalArn": "AROAEXAMPLEEXAMPLE01"}, "Bool": {"aws:SecureTransport": true}}},
        {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "arn:aws:s3:::b\u{1b}[2J\n",
         "Condition": {"StringLike": {"aws:PrincipalOrgID": ["o-a", "o-b"]}, "Null": {"aws:TokenIssueTime": []}}},
    ]));
    insta::assert_snapshot!(difference(&from, &to).to_string(), @r"
    - Allow sts:AssumeRole to 111111111111 if ArnEquals aws:PrincipalArn = arn:aws:iam::111111111111:role/pipeline-service-role
    - Allow sts:Tag* to everyone
    - Deny * to all but AWS *, service lambda.amazonaws.com
    + Allow all but iam:*, sts:* on arn:aws:s3:::b\u{1b}[2J\n if StringLike aws:PrincipalOrgID = o-a or o-b and Null aws:TokenIssueTime = nothing
    + Allow sts:assumerole to arn:aws:iam::111111111111:root if ArnEquals aws:PrincipalArn = AROAEXAMPLEEXAMPLE01 and Bool aws:SecureTransport = true
    ");
}

#[test]
fn covering_needs_every_allow_and_every_deny_of_the_part() {
    let allow = json!({"Effect": "Allow", "Action": "lambda:*", "Resource": "*"});
    let invoke = json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:222222222222:function:f"});
    let deny = json!({"Effect": "Deny", "Action": "lambda:Delete*", "Resource": "*"});
    let all = document(&json!([allow, deny]));
    assert!(covers(&all, &document(&json!([invoke]))));
    assert!(covers(&all, &document(&json!([invoke, deny]))));
    assert!(covers(&all, &document(&json!([]))));
    assert!(!covers(
        &document(&json!([invoke])),
        &document(&json!([allow]))
    ));
    assert!(!covers(
        &document(&json!([allow])),
        &document(&json!([deny]))
    ));
    assert!(!covers(
        &document(&json!([deny])),
        &document(&json!([invoke]))
    ));
}

/// A statement with many actions, resources and condition values, all with wildcards, `n` of each.
fn big(n: usize, mark: &str) -> PolicyDocument {
    let action: Vec<String> = (0..n).map(|i| format!("s{i}:Get{mark}*")).collect();
    let resource: Vec<String> = (0..n)
        .map(|i| format!("arn:aws:s3:::bucket-{i}-{mark}/*"))
        .collect();
    let values: Vec<String> = (0..n).map(|i| format!("v{i}*")).collect();
    document(
        &json!([{"Effect": "Allow", "Action": action, "Resource": resource,
        "Condition": {"StringLike": {"aws:PrincipalTag/a": values, "aws:PrincipalTag/b": values}}}]),
    )
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

// The limits are generous (debug build, shared machine): they catch a quadratic or worse course, not a slow day.
#[test]
fn thousands_of_atoms_are_compared_quickly() {
    let (a, b) = (big(70, "x"), big(70, "y"));
    let mut turned = a.clone();
    for statement in &mut turned.statements {
        statement.sid = Some("turned".to_owned());
        statement.conditions.reverse();
    }
    let (equal, time) = timed(|| equivalent(&a, &turned));
    assert!(equal && time < Duration::from_secs(2), "equal: {time:?}");
    let (different, time) = timed(|| difference(&a, &b));
    assert_eq!((different.more.len(), different.less.len()), (4_900, 4_900));
    assert!(time < Duration::from_secs(5), "different: {time:?}");
}

#[test]
fn many_atoms_with_many_condition_values_each_stay_whole() {
    // 9,772 characters, which AWS takes: 19,600 atoms, each shown with a thousand values.
    let texts =
        |n: usize, mark: &str| -> Vec<String> { (0..n).map(|i| format!("{mark}{i:x}?")).collect() };
    let hostile = document(
        &json!([{"Effect": "Allow", "Action": texts(140, "a:"), "Resource": texts(140, "*"),
        "Condition": {"StringLike": {"k": texts(1000, "*")}}}]),
    );
    let ours = document(&json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]));
    let found = difference(&hostile, &ours);
    assert_eq!((found.more.len(), found.less.len()), (1, 1));
    assert!(equivalent(&hostile, &hostile.clone()));
}

#[test]
fn hostile_documents_take_bounded_time() {
    // A million atoms would come of these.
    let (a, b) = (big(1_000, "x"), big(1_000, "y"));
    let (equal, time) = timed(|| (equivalent(&a, &a.clone()), equivalent(&a, &b)));
    assert_eq!(equal, (true, false));
    assert!(time < Duration::from_secs(10), "whole statements: {time:?}");

    // 2^40 parts would come of these.
    let conditions = |last: &str| -> Value {
        let keys = (0..40).map(|i| (format!("aws:PrincipalTag/{i}"), json!(["a", last])));
        keys.collect::<serde_json::Map<String, Value>>().into()
    };
    let with = |last| {
        document(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": conditions(last)}}]))
    };
    let (equal, time) = timed(|| equivalent(&with("b"), &with("c")));
    assert!(!equal && time < Duration::from_secs(2), "parts: {time:?}");
}

const ACCOUNT: &str = "111111111111";

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(texts).prop_map(str::to_owned)
}

fn some_of(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(texts, 1..=texts.len())
        .prop_shuffle()
        .prop_map(|list| list.into_iter().map(str::to_owned).collect())
}

fn any_condition() -> impl Strategy<Value = (String, String, Vec<String>)> {
    (
        one_of(&[
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringEqualsIfExists",
            "ForAnyValue:StringLike",
            "ForAllValues:StringEquals",
            "ArnLike",
        ]),
        one_of(&["aws:PrincipalOrgID", "aws:PrincipalArn", "sts:ExternalId"]),
        some_of(&[
            "a",
            "B",
            "c*",
            "arn:aws:iam::111111111111:role/r",
            "${aws:username}",
        ]),
    )
}

fn any_statement() -> impl Strategy<Value = Value> {
    let clause = |key: &'static str, list: BoxedStrategy<Vec<String>>| {
        (list, proptest::bool::weighted(0.2)).prop_map(move |(list, not)| {
            (
                if not {
                    format!("Not{key}")
                } else {
                    key.to_owned()
                },
                json!(list),
            )
        })
    };
    let actions: &'static [&'static str] = &[
        "sts:AssumeRole",
        "sts:Tag*",
        "lambda:InvokeFunction",
        "lambda:*",
        "s3:Get?bject",
    ];
    let resources: &'static [&'static str] = &[
        "arn:aws:lambda:us-east-1:222222222222:function:f",
        "arn:aws:lambda:us-east-1:222222222222:function:f:*",
        "arn:aws:s3:::bucket/${aws:username}/*",
        "arn:aws:s3:::bucket/*",
    ];
    let principals: &'static [&'static str] = &[
        ACCOUNT,
        "arn:aws:iam::111111111111:role/r",
        "AROAEXAMPLEEXAMPLE01",
        "222222222222",
        "*",
    ];
    (
        one_of(&["Allow", "Deny"]),
        clause("Action", some_of(actions).boxed()),
        clause("Resource", some_of(resources).boxed()),
        clause("Principal", some_of(principals).boxed()),
        prop::option::of(clause("Principal", Just(vec![]).boxed())),
        prop::collection::vec(any_condition(), 0..3),
    )
        .prop_map(
            |(effect, action, resource, principal, identity, conditions)| {
                let mut statement = serde_json::Map::new();
                statement.insert("Effect".to_owned(), json!(effect));
                statement.insert(action.0, action.1);
                statement.insert(resource.0, resource.1);
                if identity.is_none() {
                    statement.insert(
                        principal.0,
                        json!({"AWS": principal.1, "Service": "lambda.amazonaws.com"}),
                    );
                }
                let mut block: Value = json!({});
                for (operator, key, values) in conditions {
                    block[operator.as_str()][key.as_str()] = json!(values);
                }
                statement.insert("Condition".to_owned(), block);
                Value::Object(statement)
            },
        )
}

fn any_document() -> impl Strategy<Value = Value> {
    (prop::collection::vec(any_statement(), 0..4), any::<bool>()).prop_map(|(statements, new)| {
        let version = if new { "2012-10-17" } else { "2008-10-17" };
        json!({"Version": version, "Statement": statements})
    })
}

/// Choices for one respelling, taken one after the other.
struct Choices(Vec<u8>, usize);

impl Choices {
    fn next(&mut self, below: usize) -> usize {
        self.1 += 1;
        usize::from(self.0[self.1 % self.0.len()]) % below
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.next(i + 1));
        }
    }

    fn recase(&mut self, text: &str) -> String {
        let case = |c: char| {
            if self.next(2) == 0 {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        };
        text.chars().map(case).collect()
    }

    /// A list in another order, with a repetition, as a scalar where it has one element.
    fn list(&mut self, list: &[String]) -> Value {
        let mut list = list.to_vec();
        if let ([one], 0) = (list.as_slice(), self.next(2)) {
            return json!(one);
        }
        if let (Some(first), 0) = (list.first().cloned(), self.next(2)) {
            list.push(first);
        }
        self.shuffle(&mut list);
        json!(list)
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        list => list
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect(),
    }
}

/// The same grants in another spelling: order, scalars, case, ids, repetition, statements split.
fn respell(document: &Value, choices: &mut Choices) -> Value {
    let mut statements = Vec::new();
    for statement in document["Statement"].as_array().unwrap() {
        let statement = statement.as_object().unwrap();
        let splits: Vec<Value> = match statement.get("Action") {
            Some(actions) if choices.next(2) == 0 => {
                strings(actions).into_iter().map(|a| json!(a)).collect()
            }
            Some(actions) => vec![actions.clone()],
            None => vec![Value::Null],
        };
        for action in splits {
            let mut statement = statement.clone();
            if !action.is_null() {
                statement.insert("Action".to_owned(), action);
            }
            statements.push(respell_statement(&statement, choices));
        }
    }
    if let (Some(first), 0) = (statements.first().cloned(), choices.next(2)) {
        statements.push(first);
    }
    choices.shuffle(&mut statements);
    let mut respelled = document.clone();
    if document["Version"] == "2008-10-17" && choices.next(2) == 0 {
        respelled.as_object_mut().unwrap().remove("Version");
    }
    respelled["Id"] = json!("respelled");
    respelled["Statement"] = match statements.as_slice() {
        [one] if choices.next(2) == 0 => one.clone(),
        _ => json!(statements),
    };
    respelled
}

fn respell_statement(statement: &serde_json::Map<String, Value>, choices: &mut Choices) -> Value {
    let mut fields = vec![("Sid".to_owned(), json!(format!("S{}", choices.next(9))))];
    for (key, value) in statement {
        let value = match key.as_str() {
            "Action" | "NotAction" => {
                let list: Vec<String> = strings(value).iter().map(|a| choices.recase(a)).collect();
                choices.list(&list)
            }
            "Resource" | "NotResource" => choices.list(&strings(value)),
            "Principal" | "NotPrincipal" => respell_principals(value, choices),
            "Condition" => respell_conditions(value, choices),
            _ => value.clone(),
        };
        fields.push((key.clone(), value));
    }
    choices.shuffle(&mut fields);
    Value::Object(fields.into_iter().collect())
}

fn respell_principals(value: &Value, choices: &mut Choices) -> Value {
    let mut aws = strings(&value["AWS"]);
    for principal in &mut aws {
        if principal == ACCOUNT && choices.next(2) == 0 {
            *principal = format!("arn:aws:iam::{ACCOUNT}:root");
        }
    }
    let service = choices.list(&strings(&value["Service"]));
    json!({"Service": service, "AWS": choices.list(&aws)})
}

fn respell_conditions(value: &Value, choices: &mut Choices) -> Value {
    let mut operators = Vec::new();
    for (operator, block) in value.as_object().unwrap() {
        let mut keys: Vec<(String, Value)> = Vec::new();
        for (key, values) in block.as_object().unwrap() {
            keys.push((choices.recase(key), choices.list(&strings(values))));
        }
        choices.shuffle(&mut keys);
        let operator = match operator.as_str() {
            "ArnLike" if choices.next(2) == 0 => "ArnEquals",
            same => same,
        };
        operators.push((
            choices.recase(operator),
            Value::Object(keys.into_iter().collect()),
        ));
    }
    choices.shuffle(&mut operators);
    Value::Object(operators.into_iter().collect())
}

/// A statement of one grant, of which each part can be changed.
fn grant(parts: &[&str; 6]) -> Value {
    let [effect, principal, action, resource, key, value] = parts;
    json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": resource,
        "Condition": {"StringEquals": {*key: value}}})
}

proptest! {
    #[test]
    fn law_7_equal_policies_in_another_spelling_are_no_drift_and_any_change_of_what_is_granted_is(
        written in any_document(),
        bytes in prop::collection::vec(any::<u8>(), 64..256),
        part in 0..6usize,
    ) {
        let read = |value: &Value| PolicyDocument::from_json(value).expect("a document is generated");
        let respelled = respell(&written, &mut Choices(bytes, 0));
        assert_equivalent("respelled", &read(&written), &read(&respelled), true);

        // A grant that nothing of the document covers, and the same grant with one part changed.
        let one = ["Allow", "333333333333", "kms:Decrypt", "arn:aws:kms:eu-west-1:333333333333:key/k", "aws:userid", "u"];
        let other = ["Deny", "444444444444", "kms:Encrypt", "arn:aws:kms:eu-west-1:333333333333:key/K", "aws:username", "U"];
        let mut changed = one;
        changed[part] = other[part];
        let with = |grant_of: &[&str; 6], document: &Value| {
            let mut document = document.clone();
            let mut statements = match &document["Statement"] {
                Value::Array(list) => list.clone(),
                single => vec![single.clone()],
            };
            statements.retain(|s| s.get("NotAction").is_none() && s.get("NotPrincipal").is_none());
            statements.push(grant(grant_of));
            document["Statement"] = json!(statements);
            read(&document)
        };
        assert_equivalent("same grant", &with(&one, &written), &with(&one, &respelled), true);
        assert_equivalent("changed grant", &with(&one, &written), &with(&changed, &respelled), false);
        prop_assert!(!covers(&with(&changed, &respelled), &with(&one, &written)));
        let alone = json!({"Statement": [grant(&one)]});
        prop_assert!(covers(&with(&one, &respelled), &read(&alone)));
    }

    #[test]
    fn equivalence_is_reflexive_and_symmetric_and_the_difference_agrees(a in any_document(), b in any_document()) {
        let read = |value: &Value| PolicyDocument::from_json(value).expect("a document is generated");
        let (a, b) = (read(&a), read(&b));
        // A clone with an id, so that the shortcut for equal values is not taken.
        let same = PolicyDocument { id: Some("same".to_owned()), ..a.clone() };
        assert_equivalent("reflexive", &a, &same, true);
        assert_equivalent("symmetric", &a, &b, equivalent(&a, &b));
        let (there, back) = (difference(&a, &b), difference(&b, &a));
        prop_assert_eq!(&there.more, &back.less);
        prop_assert_eq!(&there.less, &back.more);
        prop_assert_eq!(there.more.is_empty(), covers(&a, &b));
        let both = PolicyDocument { statements: [a.statements.clone(), b.statements.clone()].concat(), ..a.clone() };
        prop_assert!(covers(&both, &a) && (a.version != b.version || covers(&both, &b)));
    }

    #[test]
    fn no_document_panics(
        action in any::<String>(),
        resource in any::<String>(),
        principal in any::<String>(),
        operator in "(ForAllValues:|ForAnyValue:)?(Null|Bool|Date|Numeric|IpAddress|Arn|String)(Equals|LessThan|Like)?(IfExists)?",
        value in "[0-9T:Z+./é-]{0,24}|.*",
    ) {
        let a = document(&json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": resource,
            "Condition": {&operator: {"k": value}}}));
        let b = document(&json!({"Effect": "Allow", "Principal": {"AWS": principal}, "NotAction": resource,
            "NotResource": action, "Condition": {operator: {"k": [value, ""]}}}));
        assert_equivalent("itself", &a, &PolicyDocument { id: Some(String::new()), ..a.clone() }, true);
        let shown = difference(&a, &b).to_string();
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
    }
}
