//! Placeholders in a manifest's strings: `{account}` becomes a value, `{{account}` stays `{account}`.
//! Text only; may not know which string it is or where the values come from.

use std::collections::BTreeMap;

use crate::config::suggest::did_you_mean;

/// What the placeholders stand for, by their words.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(pub(super) BTreeMap<String, String>);

/// How a string takes braces that hold no known word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A name: AWS allows no braces in one, so an unknown word is a mistake.
    Name,
    /// Text of the user's own, such as JSON for the function: it stays as it is.
    Text,
}

/// A word in braces that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unknown(pub(super) String);

impl Values {
    /// The text with its placeholders filled in.
    pub(super) fn fill(&self, text: &str, rule: Rule) -> Result<String, Unknown> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let escaped = after.strip_prefix('{').and_then(placeholder);
            if let Some((word, tail)) = escaped.filter(|(word, _)| self.0.contains_key(*word)) {
                filled.push('{');
                filled.push_str(word);
                filled.push('}');
                rest = tail;
                continue;
            }
            let found = placeholder(after);
            let value = found.and_then(|(word, tail)| Some((self.0.get(word)?, tail)));
            rest = match (value, found, rule) {
                (Some((value, tail)), _, _) => {
                    filled.push_str(value);
                    tail
                }
                (None, Some((word, _)), Rule::Name) => return Err(Unknown(word.to_owned())),
                (None, _, _) => {
                    filled.push('{');
                    after
                }
            };
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The bytes of the text with its placeholders filled in, or a little more.
    pub(super) fn size(&self, text: &str) -> usize {
        if !text.contains('{') {
            return text.len();
        }
        let more = self.0.iter().map(|(word, value)| {
            let places = text.matches(&format!("{{{word}}}")).count();
            places.saturating_mul(value.len())
        });
        more.fold(text.len(), usize::saturating_add)
    }

    /// What to write instead of an unknown word.
    pub(super) fn help(&self, unknown: &Unknown) -> String {
        let words: Vec<&str> = self.0.keys().map(String::as_str).collect();
        did_you_mean(&unknown.0, "placeholders", &words)
    }

    /// The values in words: "account = `dev`, region = `us-east-1`".
    pub(super) fn describe(&self) -> String {
        let plain = self.0.iter().filter(|(word, _)| !word.contains('.'));
        let words: Vec<String> = plain.map(|(w, value)| format!("{w} = `{value}`")).collect();
        words.join(", ")
    }
}

/// `word}` at the beginning of a text: the word, and what follows the brace.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (word, tail) = text.split_once('}')?;
    let mut letters = word.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (first && letters.all(fine)).then_some((word, tail))
}

/// True for a word that may be a placeholder's: a letter, then letters, numbers, `_` and `-`.
pub(super) fn is_word(text: &str) -> bool {
    !text.contains('.') && placeholder(&format!("{text}}}")) == Some((text, ""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn values() -> Values {
        let values = [("account", "dev"), ("account.id", "222222222222")];
        Values(values.map(|(k, v)| (k.to_owned(), v.to_owned())).into())
    }

    #[test]
    fn known_words_are_filled_in_and_everything_else_stays() {
        for (text, filled) in [
            ("validate-{account}", "validate-dev"),
            ("{account}{account}", "devdev"),
            ("{account.id}:{account}", "222222222222:dev"),
            ("{{account}", "{account}"),
            ("{{account}}", "{account}}"),
            (r#"{"a":{"b":"{account}"}}"#, r#"{"a":{"b":"dev"}}"#),
            (
                "#{Source.CommitId} {region} {} {",
                "#{Source.CommitId} {region} {} {",
            ),
            ("{{ mustache }} }{", "{{ mustache }} }{"),
            ("ü{account}ü", "üdevü"),
        ] {
            assert_eq!(values().fill(text, Rule::Text).unwrap(), filled, "{text}");
        }
    }

    #[test]
    fn the_size_is_known_before_anything_is_filled_in() {
        for text in [
            "",
            "plain",
            "validate-{account}",
            "{account}{account}:{account.id}",
        ] {
            let filled = values().fill(text, Rule::Text).unwrap();
            let size = values().size(text);
            assert!(
                (filled.len()..=filled.len() + text.len()).contains(&size),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_with_an_unknown_word_is_refused() {
        let unknown = values().fill("x-{acount}", Rule::Name).unwrap_err();
        assert_eq!(unknown, Unknown("acount".to_owned()));
        assert_eq!(values().help(&unknown), "did you mean `account`?");
        assert!(values().fill("{{regoin}", Rule::Name).is_err());
        assert_eq!(values().fill("a{b c}", Rule::Name).unwrap(), "a{b c}");
    }
}
