//! The result of `permissions`: policy documents, by account.
//! It builds no policy and adds no permission.

use serde_json::{Map, Value, json};

use crate::model::account::{AccountId, AccountName};
use crate::model::policy::PolicyDocument;

use super::document;
use super::json::FORMAT_VERSION;
use super::page::{Page, plain, span};
use super::sanitize;
use super::style::{Paint, Style};

/// One account's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The account's name in the manifest.
    pub account: AccountName,
    /// Its id.
    pub id: AccountId,
    /// The policy.
    pub policy: PolicyDocument,
    /// What somebody who attaches it should know.
    pub notes: Vec<String>,
}

/// The policies for people. `commands`: what they are for, such as `plan, check`.
pub fn text(commands: &str, all: &[Permissions], style: &Style) -> String {
    let mut page = Page::new(style);
    for permissions in all {
        let Permissions {
            account,
            id,
            policy,
            notes,
        } = permissions;
        page.gap();
        let head = format!("Account {account} ({id}), for {commands}:");
        page.line(0, &[span(Paint::Strong, head)]);
        if policy.statements.is_empty() {
            page.line(0, &[plain("nothing is needed")]);
            continue;
        }
        for line in document::compact(&policy.to_json(), style.width) {
            page.line(0, &[plain(line)]);
        }
        for note in notes {
            page.prose(0, span(Paint::Hint, "note: "), Paint::Plain, note);
        }
    }
    page.finish()
}

/// The policies as one JSON object. The error is serde_json's, and cannot happen with these types.
pub fn json(commands: &[&str], all: &[Permissions]) -> serde_json::Result<String> {
    let mut accounts = Map::new();
    for permissions in all {
        let Permissions {
            account,
            id,
            policy,
            notes,
        } = permissions;
        let value = json!({
            "account_id": id.as_str(),
            "policy": policy.to_json(),
            "notes": notes,
        });
        accounts.insert(account.to_string(), value);
    }
    pretty(&json!({
        "format_version": FORMAT_VERSION,
        "command": "permissions",
        "commands": commands,
        "accounts": accounts,
    }))
}

/// One policy as a bare document, as the aws CLI takes it.
pub fn bare(policy: &PolicyDocument) -> serde_json::Result<String> {
    pretty(&policy.to_json())
}

/// What to know of one policy, for standard error.
pub fn notes(notes: &[String], style: &Style) -> String {
    let mut page = Page::new(style);
    for note in notes {
        page.prose(0, span(Paint::Hint, "note: "), Paint::Plain, note);
    }
    page.finish()
}

fn pretty(value: &Value) -> serde_json::Result<String> {
    let mut text = sanitize::json(&serde_json::to_string_pretty(value)?);
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn example() -> Vec<Permissions> {
        let one = |name: &str, statements: Value, notes: &[&str]| Permissions {
            account: AccountName::new(name).unwrap(),
            id: AccountId::new("111111111111").unwrap(),
            policy: PolicyDocument::from_json(
                &json!({"Version": "2012-10-17", "Statement": statements}),
            )
            .unwrap(),
            notes: notes.iter().map(ToString::to_string).collect(),
        };
        let read = json!({"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"});
        vec![
            one("tools", json!([read]), &["that is wide"]),
            one("dev", json!([]), &[]),
        ]
    }

    #[test]
    fn people_see_a_document_for_each_account() {
        let style = Style {
            width: 60,
            ..Style::PLAIN
        };
        insta::assert_snapshot!(text("plan, check", &example(), &style), @r#"
        Account tools (111111111111), for plan, check:
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Allow",
              "Action": "iam:GetRole",
              "Resource": "*"
            }
          ]
        }
        note: that is wide

        Account dev (111111111111), for plan, check:
        nothing is needed
        "#);
    }

    #[test]
    fn programs_see_one_object_keyed_by_account() {
        let value: Value = serde_json::from_str(&json(&["plan"], &example()).unwrap()).unwrap();
        assert_eq!(value["format_version"], FORMAT_VERSION);
        assert_eq!(value["accounts"]["tools"]["account_id"], "111111111111");
        assert_eq!(value["accounts"]["tools"]["notes"], json!(["that is wide"]));
        assert_eq!(value["accounts"]["dev"]["policy"]["Statement"], json!([]));
    }

    #[test]
    fn a_bare_document_is_what_iam_takes() {
        let all = example();
        let policy = &all.first().unwrap().policy;
        let text = bare(policy).unwrap();
        assert_eq!(PolicyDocument::parse(&text).as_ref(), Ok(policy));
    }
}
