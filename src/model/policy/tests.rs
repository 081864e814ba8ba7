//! Policies read from text and from values, and written again: all ways give the same.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const STATEMENT: &str =
    r#""Effect":"Allow","Action":"sts:AssumeRole","Resource":["a","b"],"Sid":"S""#;

fn why(text: &str) -> String {
    PolicyDocument::parse(text).unwrap_err().to_string()
}

#[test]
fn numbers_and_booleans_of_conditions_are_texts_as_they_are_spelled() {
    let condition = r#"{"NumericEquals":{"k":[3600,-1,0.50,12345678901234567890123],"b":true}}"#;
    let text = format!(r#"{{"Statement":{{{STATEMENT},"Condition":{condition}}}}}"#);
    let found = PolicyDocument::parse(&text).unwrap();
    let values: Vec<&str> = found.statements[0]
        .conditions
        .iter()
        .flat_map(|condition| &condition.values)
        .map(String::as_str)
        .collect();
    let expected = ["3600", "-1", "0.50", "12345678901234567890123", "true"];
    assert_eq!(values, expected);
}

#[test]
fn an_error_names_the_place() {
    insta::assert_snapshot!(why("[]"), @"not a policy document: document: an object is expected");
    insta::assert_snapshot!(why("{}"), @"not a policy document: Statement: missing");
    insta::assert_snapshot!(why(r#"{"Version":"1"}"#), @"not a policy document: Version: `1` is not a version");
    insta::assert_snapshot!(why(r#"{"Other":1}"#), @"not a policy document: Other: unknown element");
    insta::assert_snapshot!(why(r#"{"Statement":7}"#), @"not a policy document: Statement: an object is expected");
    insta::assert_snapshot!(why(r#"{"Statement":[{"Action":"a"}]}"#), @"not a policy document: Statement[0].Effect: missing");
    insta::assert_snapshot!(why(r#"{"Statement":{"Effect":"Allow"}}"#), @"not a policy document: Statement.Action: missing");
    insta::assert_snapshot!(why(r#"{"Statement":[{"Effect":"No"}]}"#), @"not a policy document: Statement[0].Effect: `No` is neither Allow nor Deny");
    insta::assert_snapshot!(why(r#"{"Statement":[{"Action":"a","NotAction":"b"}]}"#), @"not a policy document: Statement[0].NotAction: stands beside its own negation");
    insta::assert_snapshot!(why(r#"{"Statement":{"Principal":{"Who":"a"}}}"#), @"not a policy document: Statement.Principal.Who: unknown kind of principal");
    insta::assert_snapshot!(why(r#"{"Statement":{"Principal":{"AWS":[1]}}}"#), @"not a policy document: Statement.Principal.AWS: a string is expected");
    insta::assert_snapshot!(why(r#"{"Statement":{"Condition":{"Bool":{"k":null}}}}"#), @"not a policy document: Statement.Condition.Bool.k: a string, a number or a boolean is expected");
    insta::assert_snapshot!(why(r#"{"Statement":{"Condition":{"Bool":1}}}"#), @"not a policy document: Statement.Condition.Bool: an object is expected");
}

#[test]
fn of_two_equal_keys_the_last_holds_however_many_there_are() {
    let twice = format!(r#"{{"Statement":{{{STATEMENT}}},"Id":"first","Id":"last"}}"#);
    let found = PolicyDocument::parse(&twice).unwrap();
    assert_eq!(found.id.as_deref(), Some("last"));
    let many: Vec<String> = (0..40).map(|n| format!(r#""k{}":"{n}""#, n % 20)).collect();
    let block = many.join(",");
    let text =
        format!(r#"{{"Statement":{{{STATEMENT},"Condition":{{"StringEquals":{{{block}}}}}}}}}"#);
    let found = PolicyDocument::parse(&text).unwrap();
    let conditions = &found.statements[0].conditions;
    assert_eq!(conditions.len(), 20);
    assert_eq!(conditions[0].key, "k0");
    assert_eq!(conditions[0].values, ["20"]);
}

#[test]
fn a_document_with_a_hundred_thousand_keys_is_read_in_no_time() {
    let many: Vec<String> = (0..100_000).map(|n| format!(r#""k{n}":"v""#)).collect();
    let block = many.join(",");
    let text =
        format!(r#"{{"Statement":{{{STATEMENT},"Condition":{{"StringEquals":{{{block}}}}}}}}}"#);
    // Each compared with each would take minutes here.
    let found = PolicyDocument::parse(&text).unwrap();
    assert_eq!(found.statements[0].conditions.len(), 100_000);
}

fn text() -> impl Strategy<Value = String> {
    r#"[a-c*$\{\}:/"\\ é\n]{0,4}"#.prop_map(|text| Value::String(text).to_string())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        prop::collection::vec(text(), 0..3).prop_map(|all| format!("[{}]", all.join(", "))),
    ]
}

fn scalars() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        text(),
        Just("true".to_owned()),
        r"-?[1-9][0-9]{0,22}(\.[0-9]{1,3})?(e[0-9])?",
    ];
    prop::collection::vec(one, 0..3).prop_map(|all| format!("[{}]", all.join(",")))
}

/// Statements as people write them, with what they should not write now and then.
fn statement() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Other",
    ]);
    let part = prop_oneof![
        4 => (key, texts()).prop_map(|(key, value)| format!(r#""{key}":{value}"#)),
        2 => Just(r#""Effect" : "Deny""#.to_owned()),
        2 => (text(), texts()).prop_map(|(key, value)| format!(r#""Principal":{{"AWS":{value},{key}:"x"}}"#)),
        2 => texts().prop_map(|value| format!(r#""Principal":{{"AWS":{value},"Service":"s"}}"#)),
        1 => Just(r#""NotPrincipal":"*""#.to_owned()),
        3 => (text(), text(), scalars(), scalars()).prop_map(|(operator, key, one, other)| {
            format!(r#""Condition":{{{operator}:{{{key}:{one},"k":{other}}},"Bool":{{"b":{one}}}}}"#)
        }),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| {
        let own = parts.join(",");
        let comma = if own.is_empty() { "" } else { "," };
        format!(r#"{{"Effect":"Allow","Action":"a"{comma}{own}}}"#)
    })
}

proptest! {
    /// What is read without an intermediate value is what is read with one, and what is wrong is the same.
    #[test]
    fn a_text_and_its_value_are_read_alike(
        statements in prop::collection::vec(statement(), 0..3),
        rest in prop::sample::select(vec!["", r#","Id":"i""#, r#","Version":"2012-10-17""#, r#","Version":1"#, "x"]),
    ) {
        let text = format!(r#"{{"Statement":[{}]{rest}}}"#, statements.join(","));
        let parsed = PolicyDocument::parse(&text);
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => prop_assert_eq!(&parsed, &PolicyDocument::from_json(&value)),
            Err(_) => prop_assert!(parsed.is_err()),
        }
        if let Ok(document) = parsed {
            let written = document.to_string();
            prop_assert_eq!(&written, &document.to_json().to_string());
            prop_assert_eq!(PolicyDocument::parse(&written), Ok(document));
        }
    }
}
