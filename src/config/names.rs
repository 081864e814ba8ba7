//! The names that a manifest gives, for a shell that completes them: as many as can be made out, however wrong the rest is.
//! May not judge: a manifest is checked by `load`, and nothing here is an error.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::discover::{self, Location};
use super::expand::expand;
use crate::model::account::AccountName;
use crate::model::name::GateName;

/// The names of a manifest, each with a few words about it.
///
/// What cannot be a name is none: a shell may put a candidate on the command line as it is, and the manifest of a stranger is not to
/// say what a person's next Enter runs. Nor are the words to begin another line of candidates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The gates: the pipeline and the function of each.
    pub gates: Vec<(String, String)>,
    /// The accounts: the id of each.
    pub accounts: Vec<(String, String)>,
}

/// How often lines that cannot be read are left out: the parser gives up at the first key without a value, so that one line that
/// is being written would hide all below it.
const ROUNDS: usize = 3;

/// The names in the manifest at this place; none where it cannot be read.
pub fn names(location: &Location) -> Names {
    let bytes = discover::read(location, false).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    in_text(&text)
}

fn in_text(text: &str) -> Names {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    for _ in 0..ROUNDS {
        let (_, errors) = DeTable::parse_recoverable(&text);
        // What is missing at the end is missing in the last line.
        let end = text.len().saturating_sub(1);
        let wrong: BTreeSet<usize> = errors
            .iter()
            .filter_map(|error| Some(error.span()?.start.min(end)))
            .collect();
        if wrong.is_empty() {
            break;
        }
        text = without(&text, &wrong);
    }
    let (root, _) = DeTable::parse_recoverable(&text);
    of(root.get_ref())
}

/// The text without the lines that hold these places.
fn without(text: &str, places: &BTreeSet<usize>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if places.range(start..end).next().is_none() {
            kept.push_str(line);
        }
        start = end;
    }
    kept
}

fn of(root: &DeTable<'_>) -> Names {
    // What cannot be written out is left out, as whatever else is wrong.
    let root = expand(root, &mut Vec::new()).root;
    let accounts = root
        .get("accounts")
        .and_then(|value| value.get_ref().as_table());
    let accounts = accounts.into_iter().flatten().filter_map(|(name, value)| {
        let name = AccountName::new(name.get_ref()).ok()?;
        let table = value.get_ref().as_table();
        Some((name.to_string(), text_of(table, "id")))
    });
    let gates = root
        .get("gates")
        .and_then(|value| value.get_ref().as_array());
    let gates = gates.into_iter().flatten().filter_map(|gate| {
        let gate = gate.get_ref().as_table();
        let part = |key| text_of(table_of(gate, key), "name");
        let (pipeline, function) = (part("pipeline"), part("function"));
        let about = match (pipeline.as_str(), function.as_str()) {
            ("", one) | (one, "") => one.to_owned(),
            (pipeline, function) => format!("{pipeline}, function {function}"),
        };
        let name = GateName::new(&text_of(gate, "name")).ok()?;
        Some((name.to_string(), about))
    });
    Names {
        gates: gates.collect(),
        accounts: accounts.collect(),
    }
}

fn table_of<'a>(table: Option<&'a DeTable<'a>>, key: &str) -> Option<&'a DeTable<'a>> {
    table?.get(key)?.get_ref().as_table()
}

fn text_of(table: Option<&DeTable<'_>>, key: &str) -> String {
    let value = table
        .and_then(|table| table.get(key))
        .map(toml::Spanned::get_ref);
    let text = value.and_then(DeValue::as_str).unwrap_or_default();
    if text.contains(char::is_control) {
        return String::new();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[(String, String)]) -> Vec<&str> {
        names.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn what_a_shell_could_run_or_take_for_two_is_no_name() {
        let text = r#"
[accounts."$(id)"]
id = "222222222222"
[accounts.tools]
id = "1\n2"
[[gates]]
name = "`touch x`"
[[gates]]
name = "with space"
[[gates]]
name = "two\nlines"
[[gates]]
name = "esc\u001b[31m"
[[gates]]
name = "plain"
[gates.pipeline]
name = "p\nevil;x"
"#;
        let names = in_text(text);
        assert_eq!(names.gates, [("plain".to_owned(), String::new())]);
        assert_eq!(names.accounts, [("tools".to_owned(), String::new())]);
    }

    #[test]
    fn names_are_found_with_a_word_about_each() {
        let names = in_text(include_str!("../../config/many-gates.toml"));
        assert_eq!(
            named(&names.gates),
            ["validate", "smoke", "approve", "audit"]
        );
        assert_eq!(
            named(&names.accounts),
            ["dev", "org", "prod", "release", "tools"]
        );
        assert_eq!(names.accounts[0].1, "222222222222");
        assert_eq!(names.gates[0].1, "shop-main, function validate-deployment");
    }

    #[test]
    fn what_is_written_once_for_many_has_the_name_of_each() {
        let names = in_text(include_str!("../../config/fleet.toml"));
        assert_eq!(names.gates.len(), 12);
        let about = "release-dev-payments, function gate-schema";
        assert!(
            names
                .gates
                .contains(&("schema-dev-payments".to_owned(), about.to_owned())),
            "{:?}",
            names.gates
        );
        assert_eq!(
            named(&names.accounts),
            [
                "dev-payments",
                "dev-search",
                "prod-payments",
                "prod-search",
                "tools"
            ]
        );
    }

    #[test]
    fn a_manifest_that_is_being_written_still_has_names() {
        let text = "project = \n[accounts.tools]\nid = 1\nwhat\n[[gates]]\nname = \"a\"\n[[gates]]\n[[gates]]\nname = 3\n[gates.pipeline";
        let names = in_text(text);
        assert_eq!(named(&names.gates), ["a"]);
        assert_eq!(named(&names.accounts), ["tools"]);
        for text in [
            "",
            "[",
            "accounts = 3\ngates = \"x\"",
            "gates = [1, {}]",
            "\u{feff}accounts.a = 1",
        ] {
            assert!(in_text(text).gates.is_empty(), "{text}");
        }
    }
}
