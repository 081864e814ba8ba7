//! From a file, bytes or a text to a [`Config`], or to everything that is wrong with it.
//! May not know a key of the manifest: `parse` and `validate` do.

use std::ops::Range;
use std::path::Path;
use std::str::Utf8Error;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{ManifestError, ManifestErrors};
use super::discover::{self, ConfigError, Location};
use super::expand;
use super::package::{self, Disk, Nowhere, Sources};
use super::parse;
use super::schema::Config;
use super::validate;

/// The most syntax errors that are kept of one file: behind the first few they are echoes.
const SYNTAX_ERRORS: usize = 10;

/// Reads, parses and checks the manifest, and reads the sources of its functions: under its own folder, or with `outside`
/// wherever they stand.
///
/// # Errors
/// The file cannot be read, or has mistakes: then all of them.
pub fn load(location: &Location, outside: bool) -> Result<Config, ConfigError> {
    let bytes = discover::read(location, outside)?;
    let disk = Disk::new(&location.path, outside);
    let config = match std::str::from_utf8(&bytes) {
        Ok(text) => from_text_with(&location.path, text, &disk),
        Err(error) => Err(not_utf8(&location.path, &bytes, error)),
    };
    config.map_err(|errors| ConfigError::Invalid(Box::new(errors)))
}

/// Parses and checks a manifest's bytes: UTF-8, with or without a byte order mark. `path` is only shown, and no source is read.
///
/// # Errors
/// All mistakes.
pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Config, ManifestErrors> {
    match std::str::from_utf8(bytes) {
        Ok(text) => from_text(path, text),
        Err(error) => Err(not_utf8(path, bytes, error)),
    }
}

fn not_utf8(path: &Path, bytes: &[u8], error: Utf8Error) -> ManifestErrors {
    // Up to the first bad byte the lossy text is the file, so the offset holds in it.
    let offset = error.valid_up_to();
    let text = guarded(&String::from_utf8_lossy(bytes));
    let bad = char::REPLACEMENT_CHARACTER.len_utf8();
    let item = ManifestError::new(offset..offset + bad, "the manifest is not UTF-8")
        .label(format!("byte {} of the file", offset + 1))
        .help("save the file as UTF-8; it may be UTF-16 or Latin-1 now");
    errors(path, &text, vec![item])
}

/// Parses and checks a manifest's text. `path` is only shown, and no source is read: a `source` is a mistake here.
///
/// # Errors
/// All mistakes: of syntax, or, where there are none of these, of content.
pub fn from_text(path: &Path, text: &str) -> Result<Config, ManifestErrors> {
    from_text_with(path, text, &Nowhere)
}

/// [`from_text`], with a place from which the sources of functions are read.
///
/// # Errors
/// All mistakes: of syntax, or, where there are none of these, of content.
pub fn from_text_with(
    path: &Path,
    text: &str,
    sources: &dyn Sources,
) -> Result<Config, ManifestErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        return Err(errors(path, &guarded(text), syntax_errors(text, &syntax)));
    }
    if root.get_ref().is_empty() {
        let item = ManifestError::new(0..0, "the manifest is empty")
            .label("nothing but white space and comments")
            .help(
                "start with `project = \"NAME\"`, an `[accounts.NAME]` for each account and a `[[gates]]`: \
                 config/crossgate.toml of crossgate is an example with every key explained",
            );
        return Err(errors(path, text, vec![item]));
    }
    let mut problems = Vec::new();
    let expanded = expand::expand(root.get_ref(), &mut problems);
    let mut draft = parse::draft(&expanded, &mut problems);
    validate::check(&draft, &mut problems);
    package::attach(&mut draft, sources, &mut problems);
    validate::check_packages(&draft, &mut problems);
    let problems = expand::once(problems, &expanded.shared);
    let mut hidden = draft.hidden();
    misplaced(root.get_ref(), &mut hidden);
    // Gates of one `for_each` have their values in one place.
    hidden.sort_by_key(|span| (span.start, span.end));
    hidden.dedup();
    match draft.finish(path, text) {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(errors(path, &without(text, &hidden), problems)),
    }
}

/// The values of tables that are named like an environment and are none: a misspelt key, or one in the wrong table.
fn misplaced(root: &DeTable<'_>, hidden: &mut Vec<Range<usize>>) {
    for (key, value) in root {
        if key.get_ref().to_ascii_lowercase().starts_with("env") {
            values(value, hidden);
        }
        match value.get_ref() {
            // Names of accounts are free.
            DeValue::Table(_) if key.get_ref() == "accounts" => {}
            DeValue::Table(table) => misplaced(table, hidden),
            DeValue::Array(items) => {
                for item in items {
                    if let DeValue::Table(table) = item.get_ref() {
                        misplaced(table, hidden);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The places of all values in a value.
fn values(value: &Spanned<DeValue<'_>>, hidden: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(_, one)| values(one, hidden)),
        DeValue::Array(items) => items.iter().for_each(|one| values(one, hidden)),
        _ => hidden.push(value.span()),
    }
}

/// The text as it may be shown where nobody knows yet what is a value: from a line that has to do with an environment to the next
/// table, all but the keys and the marks of TOML is hidden. Rather too much than a secret in a CI log.
fn guarded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut secret = false;
    for line in text.split_inclusive('\n') {
        let begun = line.to_ascii_lowercase().contains("env");
        secret = begun || (secret && !is_header(line));
        if !secret || is_header(line) {
            shown.push_str(line);
            continue;
        }
        // A line without a key goes on with the value of one before; base64 ends with `=` too.
        let begins = |value: &str| {
            let value = value.trim_start_matches('=').trim_start();
            value.starts_with(['"', '\'', '{', '['])
        };
        let split = line.find('=').map(|at| line.split_at(at));
        let (key, value) = split.filter(|(_, v)| begins(v)).unwrap_or(("", line));
        shown.push_str(key);
        shown.push_str(&starred(value, "=\"'{},[] \r\n"));
    }
    shown
}

/// `[NAME]` or `[[NAME]]`, with or without a comment.
fn is_header(line: &str) -> bool {
    let line = line.trim();
    let name = line.split('#').next().unwrap_or_default().trim_end();
    let inner = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    inner.is_some_and(|name| !name.contains(['=', ',', '{']))
}

/// The text with stars for letters, as many bytes.
fn starred(text: &str, kept: &str) -> String {
    text.bytes()
        .map(|byte| {
            let byte = char::from(byte);
            if kept.contains(byte) { byte } else { '*' }
        })
        .collect()
}

/// The text with other letters in these places, as many bytes, so that the spans still hold.
fn without(text: &str, hidden: &[Range<usize>]) -> String {
    let mut shown = text.to_owned();
    for span in hidden {
        let Some(value) = text.get(span.clone()) else {
            continue;
        };
        let stars = starred(value, "\"'\r\n");
        shown.replace_range(span.clone(), &stars);
    }
    shown
}

fn errors(path: &Path, text: &str, mut items: Vec<ManifestError>) -> ManifestErrors {
    items.sort_by_key(|item| item.span.start);
    ManifestErrors {
        path: path.to_owned(),
        text: text.to_owned(),
        items,
    }
}

/// What the TOML parser says, once a line: its second complaint about a line follows from the first.
fn syntax_errors(text: &str, syntax: &[toml::de::Error]) -> Vec<ManifestError> {
    let mut items = Vec::new();
    let mut last_line = 0..0;
    for error in syntax {
        let span = error.span().unwrap_or(0..0);
        // A line may have as many complaints as characters: it is looked for once.
        if last_line.contains(&span.start) {
            continue;
        }
        let (before, after) = text.split_at_checked(span.start).unwrap_or(("", text));
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = span.start + after.find('\n').map_or(after.len(), |newline| newline + 1);
        last_line = start..end;
        let line = text.get(start..end).unwrap_or_default();
        items.push(syntax_error(line, span, error.message()));
        if items.len() >= SYNTAX_ERRORS {
            break;
        }
    }
    items
}

fn syntax_error(line: &str, span: Range<usize>, message: &str) -> ManifestError {
    let line = line.trim_start();
    if message.starts_with("duplicate key") {
        let item = ManifestError::new(span, "a key or table stands here for the second time")
            .label("already defined above");
        return if line.starts_with('[') {
            item.help("each table stands once; another gate begins with its own `[[gates]]` line")
        } else {
            item.help("each key stands once in a table: remove one of the two")
        };
    }
    let item = ManifestError::new(span, format!("this is not TOML: {message}")).label("here");
    if line.starts_with("id") {
        return item.help("an account id is a string: `id = \"111111111111\"`");
    }
    item.help("strings stand in double quotes, tables begin with `[NAME]`, and each gate with `[[gates]]`")
}
