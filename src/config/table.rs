//! A table of the manifest, read key by key: unknown keys, missing keys and wrong types are problems with a place and a mend.
//! May not know what the keys mean; the caller brings the list of keys and the rule of each value.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::ManifestError;
use super::suggest::did_you_mean;

/// A key that a table may have.
pub(super) struct Key {
    /// The key.
    pub(super) name: &'static str,
    /// A line (or header) that shows how it is written.
    pub(super) example: &'static str,
    /// Whether the table needs it.
    pub(super) required: bool,
}

/// The keys of one kind of table.
pub(super) struct Schema {
    /// The table as it is written: `[gates.pipeline]`.
    pub(super) title: &'static str,
    /// All its keys.
    pub(super) keys: &'static [Key],
}

/// A table that is being read.
pub(super) struct Table<'a> {
    schema: &'static Schema,
    /// Where the table begins: its header, or the inline table.
    pub(super) span: Range<usize>,
    entries: &'a DeTable<'a>,
}

/// A value that was found, with its key.
pub(super) struct Entry<'a> {
    key: &'static Key,
    pub(super) span: Range<usize>,
    pub(super) value: &'a DeValue<'a>,
}

impl<'a> Table<'a> {
    /// Opens a table: reports its unknown keys one by one and its missing keys together. `elsewhere` are the other tables of the
    /// manifest, for a key that was written into the wrong one.
    pub(super) fn open(
        schema: &'static Schema,
        elsewhere: &[&Schema],
        span: Range<usize>,
        entries: &'a DeTable<'a>,
        problems: &mut Vec<ManifestError>,
    ) -> Self {
        for (name, value) in entries {
            if !schema.keys.iter().any(|key| key.name == name.get_ref()) {
                // A table without a header of its own has its key's span.
                let span = if name.span().is_empty() {
                    value.span()
                } else {
                    name.span()
                };
                problems.push(unknown_key(schema, elsewhere, name.get_ref(), span));
            }
        }
        let missing: Vec<&Key> = schema
            .keys
            .iter()
            .filter(|key| key.required && !entries.contains_key(key.name))
            .collect();
        if !missing.is_empty() {
            problems.push(missing_keys(schema, &missing, span.clone()));
        }
        Self {
            schema,
            span,
            entries,
        }
    }

    /// The value of a key, where it is written.
    pub(super) fn get(&self, name: &str) -> Option<Entry<'a>> {
        let key = self.schema.keys.iter().find(|key| key.name == name)?;
        let value = self.entries.get(name)?;
        Some(Entry {
            key,
            span: value.span(),
            value: value.get_ref(),
        })
    }

    /// The place of a key itself, for a problem with its being there.
    pub(super) fn key_span(&self, name: &str) -> Option<Range<usize>> {
        let (key, _) = self.entries.get_key_value(name)?;
        Some(key.span())
    }

    /// A string that a rule turns into a value.
    pub(super) fn parsed<T, E: Display>(
        &self,
        name: &str,
        rule: impl Fn(&str) -> Result<T, E>,
        problems: &mut Vec<ManifestError>,
    ) -> Option<Spanned<T>> {
        let entry = self.get(name)?;
        let text = entry.text(problems)?;
        match rule(text) {
            Ok(value) => Some(Spanned::new(entry.span, value)),
            Err(error) => {
                problems.push(entry.refused(&error.to_string()));
                None
            }
        }
    }

    /// An integer of a range.
    pub(super) fn integer(
        &self,
        name: &str,
        range: &RangeInclusive<u32>,
        problems: &mut Vec<ManifestError>,
    ) -> Option<u32> {
        let entry = self.get(name)?;
        let DeValue::Integer(integer) = entry.value else {
            problems.push(entry.wrong_type("an integer"));
            return None;
        };
        let value = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let inside = value
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| range.contains(value));
        if inside.is_none() {
            let (from, to) = range.clone().into_inner();
            let message = format!("`{}` must be {from} to {to}", entry.key.name);
            problems.push(entry.refused(&message));
        }
        inside
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, name: &str, problems: &mut Vec<ManifestError>) -> Option<bool> {
        let entry = self.get(name)?;
        let value = entry.value.as_bool();
        if value.is_none() {
            problems.push(entry.wrong_type("`true` or `false`"));
        }
        value
    }

    /// A table inside this one.
    pub(super) fn table(
        &self,
        name: &str,
        problems: &mut Vec<ManifestError>,
    ) -> Option<(Range<usize>, &'a DeTable<'a>)> {
        let entry = self.get(name)?;
        let value = entry.value.as_table();
        if value.is_none() {
            problems.push(entry.wrong_type("a table"));
        }
        Some((entry.span, value?))
    }

    /// An array.
    pub(super) fn array(
        &self,
        name: &str,
        expected: &str,
        problems: &mut Vec<ManifestError>,
    ) -> Option<(Range<usize>, &'a DeArray<'a>)> {
        let entry = self.get(name)?;
        let value = entry.value.as_array();
        if value.is_none() {
            problems.push(entry.wrong_type(expected));
        }
        Some((entry.span, value?))
    }
}

impl<'a> Entry<'a> {
    /// The value as a string.
    pub(super) fn text(&self, problems: &mut Vec<ManifestError>) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            problems.push(self.wrong_type("a string"));
        }
        text
    }

    /// A problem: the value has another type.
    pub(super) fn wrong_type(&self, expected: &str) -> ManifestError {
        let Key { name, example, .. } = self.key;
        wrong_type(self.span.clone(), name, expected, self.value)
            .help(format!("write it as in `{example}`"))
    }

    /// A problem: the value breaks a rule.
    pub(super) fn refused(&self, message: &str) -> ManifestError {
        let Key { name, example, .. } = self.key;
        ManifestError::new(self.span.clone(), message)
            .label(format!("not a valid `{name}`"))
            .help(format!("write it as in `{example}`"))
    }
}

/// A problem: a value of another type than expected.
pub(super) fn wrong_type(
    span: Range<usize>,
    name: &str,
    expected: &str,
    found: &DeValue<'_>,
) -> ManifestError {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    ManifestError::new(
        span,
        format!("`{name}` must be {expected}, and this is {found}"),
    )
    .label(format!("{found}, expected {expected}"))
}

fn unknown_key(
    schema: &Schema,
    elsewhere: &[&Schema],
    name: &str,
    span: Range<usize>,
) -> ManifestError {
    let Schema { title, keys } = schema;
    let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let home = elsewhere
        .iter()
        .find(|other| other.keys.iter().any(|key| key.name == name));
    let help = match home {
        Some(home) => format!("`{name}` is a key of {}", home.title),
        None => did_you_mean(name, "keys", &known),
    };
    ManifestError::new(span, format!("unknown key `{name}` in {title}"))
        .label("unknown key")
        .help(help)
}

fn missing_keys(schema: &Schema, missing: &[&Key], span: Range<usize>) -> ManifestError {
    let names: Vec<String> = missing
        .iter()
        .map(|key| format!("`{}`", key.name))
        .collect();
    let names = names.join(", ");
    let word = if missing.len() == 1 { "key" } else { "keys" };
    let examples: Vec<&str> = missing.iter().map(|key| key.example).collect();
    ManifestError::new(span, format!("missing {word} {names} in {}", schema.title))
        .label(format!("{names} must be here"))
        .help(format!("add\n{}", examples.join("\n")))
}
