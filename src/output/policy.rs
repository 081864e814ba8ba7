//! The results of `policy`: what two documents do not share, and answers a line each.
//! It compares nothing: differences and answers are given.

use serde::Serialize;
use serde_json::Value;

use crate::model::policy::Effect;
use crate::model::status::Status;

use super::json::FORMAT_VERSION;
use super::page::{Page, plain, span};
use super::sanitize;
use super::style::{Paint, Style};
use super::words;

/// What only one of two documents says, one grant or refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether it grants or refuses.
    pub effect: Effect,
    /// The grant in one line.
    pub text: String,
}

/// What two documents do not share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What only the first document says.
    pub less: Vec<Said>,
    /// What only the second document says.
    pub more: Vec<Said>,
}

impl Difference {
    fn is_empty(&self) -> bool {
        let Self { less, more } = self;
        less.is_empty() && more.is_empty()
    }
}

/// One answer as one line of JSON, ended by a line feed.
pub fn answer(answer: &Value) -> String {
    let mut line = sanitize::json(&answer.to_string());
    line.push('\n');
    line
}

/// `1 line was`, `2 lines were`: a count with its verb.
pub fn counted(n: usize, noun: &str, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        words::counted(n, noun),
        if n == 1 { one } else { many }
    )
}

/// The difference of two documents for people. `names`: what the documents are called.
pub fn text(difference: &Difference, names: (&str, &str), style: &Style) -> String {
    let Difference { less, more } = difference;
    let mut page = Page::new(style);
    if difference.is_empty() {
        page.line(0, &[plain("Both documents grant the same.")]);
        return page.finish();
    }
    let sides = [
        (Paint::Removed, '-', names.0, less),
        (Paint::Added, '+', names.1, more),
    ];
    for (paint, sign, name, said) in sides {
        if said.is_empty() {
            continue;
        }
        page.gap();
        page.line(0, &[span(Paint::Strong, format!("Only in {name}:"))]);
        for Said { effect: _, text } in said {
            page.line(0, &[span(paint, format!("{sign} {text}"))]);
        }
    }
    page.finish()
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    command: &'a str,
    status: &'a str,
    equivalent: bool,
    /// What only the second document says.
    more: Vec<SaidJson<'a>>,
    /// What only the first document says.
    less: Vec<SaidJson<'a>>,
}

#[derive(Serialize)]
struct SaidJson<'a> {
    effect: &'static str,
    text: &'a str,
}

/// The difference as one JSON object. The error is serde_json's, and cannot happen with these types.
pub fn json(difference: &Difference) -> serde_json::Result<String> {
    let Difference { less, more } = difference;
    let equivalent = difference.is_empty();
    let status = if equivalent {
        Status::InSync
    } else {
        Status::Drift
    };
    let document = Document {
        format_version: FORMAT_VERSION,
        command: "policy diff",
        status: status.as_str(),
        equivalent,
        more: more.iter().map(said).collect(),
        less: less.iter().map(said).collect(),
    };
    let mut text = sanitize::json(&serde_json::to_string_pretty(&document)?);
    text.push('\n');
    Ok(text)
}

fn said(said: &Said) -> SaidJson<'_> {
    let Said { effect, text } = said;
    SaidJson {
        effect: match effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        },
        text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn example() -> Difference {
        let said = |text: &str| Said {
            effect: Effect::Allow,
            text: text.to_owned(),
        };
        Difference {
            less: vec![said("Allow s3:Get\u{1b}[2J on *")],
            more: vec![said("Allow s3:Put* on *")],
        }
    }

    #[test]
    fn a_difference_is_shown_by_side_and_harmless() {
        insta::assert_snapshot!(text(&example(), ("a.json", "b.json"), &Style::PLAIN), @r"
        Only in a.json:
        - Allow s3:Get\u{1b}[2J on *

        Only in b.json:
        + Allow s3:Put* on *
        ");
    }

    #[test]
    fn no_difference_is_said() {
        let none = Difference {
            more: Vec::new(),
            less: Vec::new(),
        };
        insta::assert_snapshot!(text(&none, ("a", "b"), &Style::PLAIN), @"Both documents grant the same.");
        let value: Value = serde_json::from_str(&json(&none).unwrap()).unwrap();
        assert_eq!(
            (&value["equivalent"], &value["status"]),
            (&Value::from(true), &Value::from("in_sync"))
        );
    }

    #[test]
    fn a_difference_is_one_object() {
        insta::assert_snapshot!(json(&example()).unwrap(), @r#"
        {
          "format_version": 1,
          "command": "policy diff",
          "status": "drift",
          "equivalent": false,
          "more": [
            {
              "effect": "Allow",
              "text": "Allow s3:Put* on *"
            }
          ],
          "less": [
            {
              "effect": "Allow",
              "text": "Allow s3:Get\u001b[2J on *"
            }
          ]
        }
        "#);
    }

    #[test]
    fn an_answer_is_one_line() {
        assert_eq!(
            answer(&serde_json::json!({"id": "a\nb\u{202e}"})),
            "{\"id\":\"a\\nb\\u202e\"}\n"
        );
        assert_eq!(counted(1, "line", "was", "were"), "1 line was");
        assert_eq!(counted(2, "line", "was", "were"), "2 lines were");
    }
}
