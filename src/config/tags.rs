//! The tags of a role or a function: the rules for keys and values, and the keys that are crossgate's own.
//! May not know which tags it has in AWS.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::ManifestError;
use super::table::{Table, wrong_type};

/// A role has 50 tags at most (IAM and STS quotas), and a function (Lambda guide: configuration-tags); two are crossgate's own.
const MAX_TAGS: usize = 48;

/// The rule of keys and values in words.
const ALLOWED: &str = "letters, numbers, spaces and `_.:/=+-@` are allowed";

/// The tags of a `holder`, a word for messages, without those that were refused. A function's tags are held to IAM's rules too:
/// they may be on its role one day.
pub(super) fn read(
    table: &Table<'_>,
    holder: &str,
    problems: &mut Vec<ManifestError>,
) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let Some((span, entries)) = table.table("tags", problems) else {
        return tags;
    };
    // IAM keeps the case of a role's tag keys and compares them without it (IAM guide: id_tags, "Case sensitivity").
    let mut seen = BTreeMap::new();
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let count = entries.len();
    for (key, value) in entries {
        if let Err(reason) = check_key(key.get_ref()) {
            let message = format!("tag `{}`: {reason}", key.get_ref());
            let error = ManifestError::new(key.span(), message).label("not a valid tag key");
            problems.push(error.help(format!("{ALLOWED}, 1 to 128 characters")));
        }
        if let Some(first) = seen.insert(key.get_ref().to_lowercase(), key.span()) {
            let reason = "IAM does not tell tag keys apart by letter case";
            problems.push(
                ManifestError::new(key.span(), format!("tag `{}`: {reason}", key.get_ref()))
                    .label("the same key to IAM")
                    .related(first, "first here")
                    .help("remove one of the two"),
            );
        }
        if let Some(text) = tag_value(key.get_ref(), value, problems) {
            tags.insert(key.get_ref().to_string(), text);
        }
    }
    if count > MAX_TAGS {
        problems.push(
            ManifestError::new(
                span,
                format!("{count} tags: a {holder} has 50 at most, and two are crossgate's own"),
            )
            .label("too many")
            .help(format!("keep {MAX_TAGS} at most")),
        );
    }
    tags
}

fn tag_value(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<ManifestError>,
) -> Option<String> {
    let DeValue::String(text) = value.get_ref() else {
        let error = wrong_type(
            value.span(),
            &format!("tags.{key}"),
            "a string",
            value.get_ref(),
        );
        problems.push(error.help("put it in double quotes"));
        return None;
    };
    if let Err(reason) = check_value(text) {
        let error = ManifestError::new(value.span(), format!("tag `{key}`: {reason}"));
        let error = error.label("not a valid tag value");
        problems.push(error.help(format!("{ALLOWED}, 256 characters at most")));
    }
    Some(text.to_string())
}

fn check_key(key: &str) -> Result<(), &'static str> {
    let lower = key.to_lowercase();
    if !(1..=128).contains(&key.chars().count()) {
        Err("a key has 1 to 128 characters")
    } else if lower.starts_with("aws:") {
        Err("keys that begin with `aws:` belong to AWS")
    } else if lower.starts_with("crossgate:") {
        Err("keys that begin with `crossgate:` are crossgate's own")
    } else if !key.chars().all(allowed) {
        Err("it has a character that IAM does not allow")
    } else {
        Ok(())
    }
}

fn check_value(value: &str) -> Result<(), &'static str> {
    if value.chars().count() > 256 {
        Err("a value has 256 characters at most")
    } else if !value.chars().all(allowed) {
        Err("it has a character that IAM does not allow")
    } else {
        Ok(())
    }
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]` (api: Tag); a tab or a newline is white space but not `\p{Z}`.
fn allowed(c: char) -> bool {
    c.is_alphanumeric()
        || (c.is_whitespace() && !c.is_control())
        || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}
