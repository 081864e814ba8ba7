//! Condition values in normal form, by the type that the operator gives them.
//! Sound, not complete: a value that is not plainly of its type is kept as text and equals itself only.

use std::net::IpAddr;

use super::pattern::Pattern;
use crate::model::policy::Version;

/// What the values of an operator are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ValueType {
    /// Text, `*` and `?` being themselves.
    Text,
    /// Text with wildcards.
    TextPattern,
    /// Text whose case does not matter.
    TextWithoutCase,
    /// An ARN with wildcards: `ArnEquals` and `ArnLike` behave identically (IAM user guide, "Condition operators").
    Arn,
    /// `true` or `false`.
    Bool,
    /// A decimal number.
    Number,
    /// A date, or seconds since 1970.
    Date,
    /// An address or a block of addresses.
    Address,
    /// Anything else.
    Raw,
}

/// One condition value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Value {
    /// A set of texts.
    Pattern(Pattern),
    /// A block of addresses: IPv6 or not, the bits from the left, how many of them are fixed.
    Block(bool, u128, u8),
    /// Seconds since 1970.
    Instant(i64),
    /// A decimal number without superfluous zeros, or a text.
    Exact(String),
}

impl Value {
    /// Reads a value as the operator takes it.
    pub(super) fn read(text: &str, of: ValueType, version: Version) -> Self {
        let raw = || Self::Pattern(Pattern::text(text, false, version));
        match of {
            ValueType::Text | ValueType::Raw => raw(),
            ValueType::TextPattern => Self::Pattern(Pattern::text(text, true, version)),
            ValueType::TextWithoutCase => {
                Self::Pattern(Pattern::text(&text.to_ascii_lowercase(), false, version))
            }
            ValueType::Arn => Self::Pattern(Pattern::arn(text, version)),
            ValueType::Bool => match text.to_ascii_lowercase().as_str() {
                known @ ("true" | "false") => Self::Exact(known.to_owned()),
                _ => raw(),
            },
            ValueType::Number => number(text).map_or_else(raw, Self::Exact),
            ValueType::Date => instant(text).map_or_else(raw, Self::Instant),
            ValueType::Address => block(text).unwrap_or_else(raw),
        }
    }

    /// True where it is certain that whatever matches `narrow` matches this value.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        match (self, narrow) {
            (Self::Pattern(w), Self::Pattern(n)) => w.covers(n),
            (Self::Block(w6, w, fixed), Self::Block(n6, n, more)) => {
                w6 == n6 && fixed <= more && n & mask(*fixed) == *w
            }
            (Self::Instant(w), Self::Instant(n)) => w == n,
            (Self::Exact(w), Self::Exact(n)) => w == n,
            (Self::Pattern(_) | Self::Block(..) | Self::Instant(_) | Self::Exact(_), _) => false,
        }
    }
}

/// `007.50` is `7.5`. An exponent is not read: how IAM takes it is not documented.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let part = part.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(match (whole, part) {
        ("0", "") => "0".to_owned(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, part) => format!("{sign}{whole}.{part}"),
    })
}

/// Seconds since 1970 of `2026-01-15`, `2026-01-15T12:00Z`, `2026-01-15T12:00:00+01:00`, or of such a number itself.
/// Fractions of a second are not read.
///
/// Source: IAM user guide, "Date condition operators": the W3C forms of ISO 8601, or epoch seconds.
fn instant(text: &str) -> Option<i64> {
    if text.len() > 4 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00Z"));
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2).filter(|m| (1..=12).contains(m))?;
    let day = digits(parts.next()?, 2).filter(|d| (1..=31).contains(d))?;
    let (clock, offset) = if let Some(clock) = time.strip_suffix('Z') {
        (clock, 0)
    } else {
        let (clock, offset) = time.split_at_checked(time.len().checked_sub(6)?)?;
        let seconds = clock_seconds(offset.get(1..)?)?;
        match offset.get(..1)? {
            "+" => (clock, seconds),
            "-" => (clock, -seconds),
            _ => return None,
        }
    };
    Some(days_since_1970(year, month, day) * 86_400 + clock_seconds(clock)? - offset)
}

/// `hh:mm` or `hh:mm:ss` in seconds.
fn clock_seconds(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours = digits(parts.next()?, 2).filter(|h| *h < 24)?;
    let minutes = digits(parts.next()?, 2).filter(|m| *m < 60)?;
    let seconds = match parts.next() {
        Some(seconds) => digits(seconds, 2).filter(|s| *s < 60)?,
        None => 0,
    };
    Some(hours * 3600 + minutes * 60 + seconds)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let plain = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Days from 1970-01-01 in the Gregorian calendar; years are counted from March, so that a leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// An address is a block of one. A block with bits set behind its prefix stays text.
///
/// Source: IAM user guide, "IP address condition operators": without a prefix, /32 (IPv6: /128) is meant.
fn block(text: &str) -> Option<Value> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (is_v6, bits, most) = match address.parse().ok()? {
        IpAddr::V4(v4) => (false, u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (true, u128::from(v6), 128),
    };
    let fixed = prefix.unwrap_or(most);
    (fixed <= most && bits & mask(fixed) == bits).then_some(Value::Block(is_v6, bits, fixed))
}

/// The leftmost bits.
fn mask(fixed: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(fixed.min(128)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str, of: ValueType) -> bool {
        Value::read(a, of, Version::V2012) == Value::read(b, of, Version::V2012)
    }

    #[test]
    fn spellings_of_one_value_are_one_value() {
        for (a, b, of, equal) in [
            ("3600", "03600.0", ValueType::Number, true),
            ("0", "-0.00", ValueType::Number, true),
            ("+7", "7", ValueType::Number, true),
            ("-7", "7", ValueType::Number, false),
            ("1e3", "1000", ValueType::Number, false),
            ("10", "100", ValueType::Number, false),
            ("True", "true", ValueType::Bool, true),
            ("yes", "Yes", ValueType::Bool, false),
            ("2026-01-15", "2026-01-15T00:00:00Z", ValueType::Date, true),
            ("2026-01-15T12:00:00Z", "1768478400", ValueType::Date, true),
            (
                "2026-01-15T13:00:00+01:00",
                "2026-01-15T12:00Z",
                ValueType::Date,
                true,
            ),
            ("2024-02-29T00:00:00Z", "1709164800", ValueType::Date, true),
            (
                "1969-12-31T23:59:59Z",
                "1970-01-01T00:00:00Z",
                ValueType::Date,
                false,
            ),
            ("2026", "2026-01-01", ValueType::Date, false),
            ("2026-01-15T12:00:00é", "2026-01-15", ValueType::Date, false),
            ("10.0.0.1", "10.0.0.1/32", ValueType::Address, true),
            ("2001:DB8::", "2001:db8:0:0::/128", ValueType::Address, true),
            ("10.0.0.1/24", "10.0.0.0/24", ValueType::Address, false),
            ("a", "A", ValueType::Text, false),
            ("a", "A", ValueType::TextWithoutCase, true),
        ] {
            assert_eq!(same(a, b, of), equal, "{a} and {b} as {of:?}");
        }
    }

    #[test]
    fn a_block_covers_the_blocks_within() {
        let read = |text| Value::read(text, ValueType::Address, Version::V2012);
        assert!(read("10.0.0.0/8").covers(&read("10.1.0.0/16")));
        assert!(read("0.0.0.0/0").covers(&read("10.1.0.0/16")));
        assert!(!read("10.1.0.0/16").covers(&read("10.0.0.0/8")));
        assert!(!read("10.0.0.0/8").covers(&read("11.0.0.1")));
        assert!(!read("0.0.0.0/0").covers(&read("::/0")));
    }
}
