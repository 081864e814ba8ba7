//! JSON documents as lines for people: as short as they fit, or one value a line for a comparison.
//! It changes no value: only white space, and in `aligned` the order of keys, which means nothing in JSON.

use serde_json::{Map, Value};

use super::words::counted;

/// The document as few lines: what fits in `room` characters stands in one line.
pub(super) fn compact(value: &Value, room: usize) -> Vec<String> {
    lay_out(value, 0, room)
}

/// `lead`: the characters that stand before the value in its first line, its key and a comma.
fn lay_out(value: &Value, lead: usize, room: usize) -> Vec<String> {
    let (open, entries, close) = match value {
        Value::Object(map) if !map.is_empty() => {
            let keyed = map.iter().map(|(k, v)| (format!("{}: ", quoted(k)), v));
            ('{', keyed.collect::<Vec<_>>(), '}')
        }
        Value::Array(list) if !list.is_empty() => {
            let bare = list.iter().map(|v| (String::new(), v));
            ('[', bare.collect(), ']')
        }
        scalar => return vec![scalar.to_string()],
    };
    if let Some(line) = within(value, room.saturating_sub(lead)) {
        return vec![line];
    }
    let mut lines = vec![open.to_string()];
    let last = entries.len().saturating_sub(1);
    for (i, (key, child)) in entries.into_iter().enumerate() {
        let lead = key.chars().count() + 1;
        let mut block = lay_out(child, lead, room.saturating_sub(2));
        if let Some(first) = block.first_mut() {
            first.insert_str(0, &key);
        }
        if let Some(end) = block.last_mut().filter(|_| i < last) {
            end.push(',');
        }
        lines.extend(block.into_iter().map(|line| format!("  {line}")));
    }
    lines.push(close.to_string());
    lines
}

/// The document with one value a line.
pub(super) fn expanded(value: &Value) -> Vec<String> {
    compact(value, 0)
}

/// `before` with its keys in the order in which `after` has them, its own other keys behind: AWS and a manifest order them
/// differently, and that is no difference.
pub(super) fn aligned(before: &Value, after: &Value) -> Value {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let mut map = Map::new();
            for (key, wanted) in after {
                if let Some(value) = before.get(key) {
                    map.insert(key.clone(), aligned(value, wanted));
                }
            }
            for (key, value) in before {
                if !after.contains_key(key) {
                    map.insert(key.clone(), value.clone());
                }
            }
            Value::Object(map)
        }
        (Value::Array(before), Value::Array(after)) => {
            let pair = |(i, value)| {
                after
                    .get(i)
                    .map_or_else(|| Value::clone(value), |w| aligned(value, w))
            };
            Value::Array(before.iter().enumerate().map(pair).collect())
        }
        _ => before.clone(),
    }
}

/// The document in a few words.
pub(super) fn summary(value: &Value) -> String {
    match value {
        Value::Object(map) => match map.get("Statement") {
            Some(Value::Array(list)) => format!("a policy of {}", counted(list.len(), "statement")),
            Some(_) => "a policy of 1 statement".to_owned(),
            None => format!("a document of {}", counted(map.len(), "value")),
        },
        Value::Array(list) => format!("a list of {}", counted(list.len(), "value")),
        Value::String(text) => text.clone(),
        scalar => scalar.to_string(),
    }
}

/// The whole value in one line, if it has at most `room` characters.
fn within(value: &Value, room: usize) -> Option<String> {
    let joined = |parts: Option<Vec<String>>, open, close| {
        Some(format!("{open}{}{close}", parts?.join(", ")))
    };
    let line = match value {
        Value::Object(map) => {
            let part =
                |(k, v): (&String, &Value)| Some(format!("{}: {}", quoted(k), within(v, room)?));
            joined(map.iter().map(part).collect(), '{', '}')?
        }
        Value::Array(list) => joined(list.iter().map(|v| within(v, room)).collect(), '[', ']')?,
        scalar => scalar.to_string(),
    };
    (line.chars().count() <= room).then_some(line)
}

fn quoted(key: &str) -> String {
    Value::String(key.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_as_short_as_it_fits() {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": []},
            {"Effect": "Deny", "Action": ["iam:CreateRole", "iam:DeleteRole", "iam:PutRolePolicy"], "Resource": "*"},
        ]});
        insta::assert_snapshot!(compact(&policy, 76).join("\n"), @r#"
        {
          "Version": "2012-10-17",
          "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": []},
            {
              "Effect": "Deny",
              "Action": ["iam:CreateRole", "iam:DeleteRole", "iam:PutRolePolicy"],
              "Resource": "*"
            }
          ]
        }
        "#);
    }

    #[test]
    fn expanded_has_a_line_for_each_value() {
        let value = json!({"a": [1, "x"], "b": {}, "c": {"d": null}});
        insta::assert_snapshot!(expanded(&value).join("\n"), @r#"
        {
          "a": [
            1,
            "x"
          ],
          "b": {},
          "c": {
            "d": null
          }
        }
        "#);
    }

    #[test]
    fn keys_are_put_in_the_other_documents_order() {
        let before = json!({"b": 1, "x": 0, "a": [{"d": 1, "c": 2}, {"z": 1, "y": 2}]});
        let after = json!({"a": [{"c": 3, "d": 4}], "b": 2});
        let text = aligned(&before, &after).to_string();
        assert_eq!(text, r#"{"a":[{"c":2,"d":1},{"z":1,"y":2}],"b":1,"x":0}"#);
    }

    #[test]
    fn summaries_count() {
        assert_eq!(
            summary(&json!({"Statement": [1, 2]})),
            "a policy of 2 statements"
        );
        assert_eq!(
            summary(&json!({"Statement": {}})),
            "a policy of 1 statement"
        );
        assert_eq!(summary(&json!({"a": 1})), "a document of 1 value");
        assert_eq!(summary(&json!("arn:x")), "arn:x");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~\n\u{1b}é]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-d\"]{1,3}", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_layout_changes_the_value(value in any_json(), room in 0_usize..120) {
            let text = compact(&value, room).join("\n");
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn aligning_changes_no_value(before in any_json(), after in any_json()) {
            prop_assert_eq!(aligned(&before, &after), before);
        }
    }
}
