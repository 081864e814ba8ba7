//! The project's own vectors, and the forms that a case line may have.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use super::*;

const VECTORS: &str = include_str!("../../tests/fixtures/iam_evaluation.jsonl");

fn lines() -> Vec<&'static str> {
    VECTORS.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn every_vector_has_the_decision_it_expects() {
    let mut wrong = Vec::new();
    let mut passed: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines() {
        let case = Case::parse(line).unwrap();
        let decision = case.decide();
        if case.differs(&decision) {
            wrong.push(format!(
                "{}: {} ({})",
                case.id, decision.verdict, decision.reason
            ));
        } else {
            let group = case.id.split('-').next().unwrap_or_default().to_owned();
            *passed.entry(group).or_default() += 1;
        }
        assert!(case.expected.is_some(), "{}", case.id);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let total: usize = passed.values().sum();
    assert_eq!(total, 388, "{passed:?}");
}

/// The reason begins with the words of the vectors, except where those are a note on the rule, or speak of the caller
/// that has no account as if it had one.
#[test]
fn the_reasons_agree() {
    let mut checked = 0;
    for line in lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let case = Case::parse(line).unwrap();
        let Some(expected) = value["expected"]["reason"].as_str() else {
            panic!("{line}");
        };
        let without_account = matches!(case.request.principal, Principal::Service(_));
        if value.get("note").is_some() || without_account {
            continue;
        }
        let found = case.decide().reason;
        assert!(
            found == expected || found.starts_with(&format!("{expected}:")),
            "{}: {found} instead of {expected}",
            case.id
        );
        checked += 1;
    }
    assert_eq!(checked, 371);
}

#[test]
fn allowed_and_explicitly_denied_name_their_statements() {
    for line in lines() {
        let case = Case::parse(line).unwrap();
        let decision = case.decide();
        let effect = match decision.verdict {
            Verdict::Allowed => Effect::Allow,
            Verdict::ExplicitlyDenied => Effect::Deny,
            Verdict::ImplicitlyDenied | Verdict::NotProven => continue,
        };
        assert!(!decision.statements.is_empty(), "{}", case.id);
        assert!(
            decision.statements.iter().all(|s| s.effect == effect),
            "{}",
            case.id
        );
    }
}

/// Documents as strings of JSON decide the same.
#[test]
fn documents_may_be_strings() {
    fn stringify(value: &mut Value) {
        match value {
            Value::Object(members) if members.contains_key("Statement") => {
                *value = Value::String(value.to_string());
            }
            Value::Object(members) => members.values_mut().for_each(stringify),
            Value::Array(items) => items.iter_mut().for_each(stringify),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for line in lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        stringify(&mut value["policies"]);
        let case = Case::parse(&value.to_string()).unwrap();
        assert!(!case.differs(&case.decide()), "{}", case.id);
    }
}

fn minimal() -> Value {
    json!({
        "id": 7,
        "request": {
            "principal": "arn:aws:iam::111111111111:role/r",
            "action": "lambda:InvokeFunction",
            "resource": "arn:aws:lambda:us-east-1:111111111111:function:f",
            "resource_account": "111111111111",
        },
    })
}

fn with(pointer: &str, key: &str, value: Value) -> Value {
    let mut case = minimal();
    case.pointer_mut(pointer).unwrap()[key] = value;
    case
}

#[test]
fn a_case_may_be_short() {
    let case = Case::parse(&minimal().to_string()).unwrap();
    assert_eq!((case.id.as_str(), case.expected), ("7", None));
    let decision = case.decide();
    assert_eq!(decision.verdict, Verdict::ImplicitlyDenied);
    assert!(!case.differs(&decision));
}

#[test]
fn an_unreadable_document_is_an_open_question_and_names_itself() {
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    for broken in [
        json!("{"),
        json!({"Statment": []}),
        json!(""),
        json!("null"),
    ] {
        let identity = json!([allow, {"name": "broken-one", "document": broken}]);
        let case = with("", "policies", json!({ "identity": identity }));
        let case = Case::parse(&case.to_string()).unwrap();
        let decision = case.decide();
        assert_eq!(decision.verdict, Verdict::NotProven, "{broken}");
        assert!(
            decision.reason.contains("broken-one"),
            "{}",
            decision.reason
        );
    }
}

#[test]
fn lines_that_are_no_case_say_why() {
    for (line, expected) in [
        (
            "",
            "not valid JSON: EOF while parsing a value at line 1 column 0",
        ),
        ("[]", "case: an object is expected"),
        ("{}", "id is missing"),
        (r#"{"id":"x"}"#, "request is missing"),
        (r#"{"id":"x","request":{}}"#, "request.principal is missing"),
        (
            r#"{"id":[],"request":{}}"#,
            "id: a string or a number is expected",
        ),
    ] {
        assert_eq!(
            Case::parse(line).unwrap_err().to_string(),
            expected,
            "{line}"
        );
    }
    for (case, expected) in [
        (
            with("/request", "action", json!(1)),
            "request.action: a string is expected",
        ),
        (
            with("/request", "conditions", json!({})),
            "request.conditions: unknown member",
        ),
        (
            with("", "policies", json!({"scp": []})),
            "policies.scp: unknown member",
        ),
        (
            with("", "policies", json!({"identity": [1]})),
            "policies.identity[0]: a policy document, or an object with name and document is expected",
        ),
        (
            with("", "policies", json!({"scps": [{}]})),
            "policies.scps[0].target is missing",
        ),
        (
            with("/request", "context", json!({"k": {}})),
            "request.context.k: a string, a number or a boolean is expected",
        ),
        (
            with("", "expected", json!({"decision": "allowed"})),
            "expected.decision: Allowed, ImplicitlyDenied, ExplicitlyDenied or NotProven is expected",
        ),
    ] {
        assert_eq!(
            Case::parse(&case.to_string()).unwrap_err().to_string(),
            expected
        );
    }
    let wrong = with("/request", "principal", json!("nobody"));
    assert!(matches!(
        Case::parse(&wrong.to_string()),
        Err(CaseError::Principal(_))
    ));
    let wrong = with("/request", "resource_account", json!("1"));
    assert!(matches!(
        Case::parse(&wrong.to_string()),
        Err(CaseError::Account(_))
    ));
}

#[test]
fn the_answer_is_one_object() {
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "NoLambda", "Effect": "Deny", "Action": "lambda:*", "Resource": "*"},
    ]});
    let case = with(
        "",
        "policies",
        json!({"identity": [{"name": "p", "document": deny}]}),
    );
    let case = Case::parse(&case.to_string()).unwrap();
    insta::assert_snapshot!(case.answer(&case.decide()), @r#"{"id":"7","decision":"ExplicitlyDenied","reason":"explicit deny in identity: policy `p`, Statement[1] (NoLambda)","statements":[{"layer":"identity","policy":"p","index":1,"sid":"NoLambda","effect":"Deny","note":null}]}"#);
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        fuzz(&bytes);
    }

    /// A vector with some of its bytes changed.
    #[test]
    fn no_damaged_vector_panics(row in 0_usize..388, at in 0.0_f64..1.0, piece in "[ -~]{0,4}", cut in 0_usize..4) {
        let mut line = lines()[row].to_owned();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let start = (at * line.len() as f64) as usize;
        let end = (start + cut).min(line.len());
        if line.is_char_boundary(start) && line.is_char_boundary(end) {
            line.replace_range(start..end, &piece);
        }
        fuzz(line.as_bytes());
    }
}
