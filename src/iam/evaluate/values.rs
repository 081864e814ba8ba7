//! The typed values that condition operators compare: numbers, dates, addresses, binary data.
//! Parses without panics; a text that is no such value is `None`, and what that means is decided elsewhere.

use std::cmp::Ordering;
use std::net::IpAddr;

/// A decimal number of any length: compared exactly, never rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Parses an integer or a decimal number.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !number(whole) || !number(fraction) {
            return None;
        }
        let (whole, fraction) = (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        );
        Some(Self {
            negative: negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        })
    }

    fn size(self, other: Self) -> Ordering {
        self.whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.size(*other),
            (true, true) => other.size(*self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A point in time: seconds since 1970 in UTC, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// Parses one of the W3C forms of ISO 8601 (`2026`, `2026-01`, `2026-01-15`, `2026-01-15T12:00Z`,
    /// `2026-01-15T12:00:00.5+01:00`) or seconds since 1970. A time without zone designator is none of these forms.
    ///
    /// Source: IAM user guide, "Date condition operators"; W3C NOTE-datetime.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits && text.len() != 4 {
            return Some(Self {
                seconds: text.parse().ok()?,
                nanoseconds: 0,
            });
        }
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let days = days(date, time.is_some())?;
        let (second, nanoseconds) = match time {
            Some(time) => time_of_day(time)?,
            None => (0, 0),
        };
        Some(Self {
            seconds: days.checked_mul(86_400)?.checked_add(second)?,
            nanoseconds,
        })
    }
}

/// Days since 1970-01-01 of a date, whose month and day may be left out if no time follows.
fn days(date: &str, complete: bool) -> Option<i64> {
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let (month, day) = (parts.next(), parts.next());
    if parts.next().is_some() || (complete && day.is_none()) {
        return None;
    }
    let month = month.map_or(Some(1), |m| number(m, 2))?;
    let day = day.map_or(Some(1), |d| number(d, 2))?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Days of the proleptic Gregorian calendar, with years that begin in March so that the leap day comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era_days = 365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    Some(era_days + (153 * m + 2) / 5 + day - 1 - 719_468)
}

/// Seconds since midnight UTC, and nanoseconds.
fn time_of_day(time: &str) -> Option<(i64, u32)> {
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = (time.get(..zone_at)?, time.get(zone_at..)?);
    let offset = match zone {
        "Z" | "z" => 0,
        signed => {
            let (hours, minutes) = signed.get(1..)?.split_once(':')?;
            let minutes =
                in_range(number(hours, 2)?, 23)? * 60 + in_range(number(minutes, 2)?, 59)?;
            let sign = if signed.starts_with('-') { -1 } else { 1 };
            sign * minutes * 60
        }
    };
    let mut parts = clock.split(':');
    let hour = in_range(number(parts.next()?, 2)?, 23)?;
    let minute = in_range(number(parts.next()?, 2)?, 59)?;
    let (second, nanoseconds) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            (in_range(number(whole, 2)?, 60)?, nanoseconds(fraction)?)
        }
    };
    let complete = parts.next().is_none();
    complete.then_some((hour * 3600 + minute * 60 + second - offset, nanoseconds))
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    let digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return None;
    }
    let nine: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    nine.parse().ok()
}

fn number(text: &str, length: usize) -> Option<i64> {
    let valid = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

fn in_range(value: i64, last: i64) -> Option<i64> {
    (value <= last).then_some(value)
}

/// A range of IPv4 or IPv6 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Parses CIDR notation; an address alone is a range of one.
    ///
    /// Source: IAM user guide, "IP address condition operators": "If you specify an IP address without the associated
    /// routing prefix, IAM uses the default prefix value of /32".
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
        };
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// True if the address lies in the range. An address of the other family never does.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.prefix
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.prefix
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Decodes standard base64 with padding (RFC 4648).
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body = text
        .strip_suffix("==")
        .or_else(|| text.strip_suffix('='))
        .unwrap_or(text);
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for byte in body.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = (buffer << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).ok()?);
            buffer &= (1 << bits) - 1;
        }
    }
    // Left-over bits must be zero, so that every value has one spelling.
    (buffer == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        let number = |t| Decimal::parse(t).unwrap();
        assert_eq!(number("3600"), number("+03600.0"));
        assert_eq!(number("-0"), number("0.00"));
        assert!(number("2") < number("10"));
        assert!(number("-2") > number("-10"));
        assert!(number("0.5") > number("0.25"));
        assert!(number("9007199254740993") > number("9007199254740992"));
        for text in ["", "-", "1.", ".5", "1e3", "0x10", "1,000", "१"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_in_every_w3c_form() {
        assert_eq!(at("2026-01-15T12:00:00Z"), at("1768478400"));
        assert_eq!(at("2026-01-15T13:30:00+01:30"), at("1768478400"));
        assert_eq!(at("2026-01-15T12:00Z"), at("1768478400"));
        assert_eq!(at("1970"), at("0"));
        assert_eq!(at("2024-02-29"), at("2024-02-29T00:00:00Z"));
        assert_eq!(at("2026-03"), at("2026-03-01"));
        assert!(at("2026-01-15T12:00:00.5Z") > at("2026-01-15T12:00:00Z"));
        for text in [
            "",
            "2026-13",
            "2026-02-29",
            "2026-1-1",
            "2026-01-15T12:00:00",
            "2026-01T12:00Z",
            "2026-01-15T25:00Z",
            "2026-01-15T12:00:00.Z",
            "2026-01-15 12:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn networks_of_both_families() {
        let inside = |range, ip: &str| Network::parse(range).unwrap().contains(ip.parse().unwrap());
        assert!(inside("203.0.113.0/24", "203.0.113.10"));
        assert!(!inside("203.0.113.0/28", "203.0.113.16"));
        assert!(inside("203.0.113.10", "203.0.113.10"));
        assert!(inside("0.0.0.0/0", "198.51.100.1"));
        assert!(!inside("0.0.0.0/0", "2001:db8::1"));
        assert!(inside("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9"));
        assert!(!inside("2001:db8::/32", "203.0.113.10"));
        for text in [
            "",
            "203.0.113.0/33",
            "203.0.113/24",
            "::/129",
            "203.0.113.0/+4",
            "1.2.3.4/",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn base64_is_strict() {
        assert_eq!(
            base64("QmluYXJ5VmFsdWVJbkJhc2U2NA==").unwrap(),
            b"BinaryValueInBase64"
        );
        assert_eq!(base64("").unwrap(), b"");
        for text in ["Q", "QQ", "QQ=", "QR==", "Q===", "Q Q="] {
            assert_eq!(base64(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_texts_do_not_panic(text in any::<String>(), dateish in "[0-9TZ:+.-]{0,30}", ip in "[0-9a-f:./]{0,20}") {
            let _ = (Decimal::parse(&text), Instant::parse(&text), Network::parse(&text), base64(&text));
            let _ = (Instant::parse(&dateish), Decimal::parse(&dateish), Network::parse(&ip), base64(&ip));
        }

        #[test]
        fn numbers_are_ordered_like_integers(a in any::<i64>(), b in any::<i64>()) {
            let (x, y) = (a.to_string(), b.to_string());
            prop_assert_eq!(Decimal::parse(&x).unwrap().cmp(&Decimal::parse(&y).unwrap()), a.cmp(&b));
        }

        #[test]
        fn days_go_up_one_by_one(day in 0_i64..60_000) {
            let seconds = day * 86_400;
            let text = seconds.to_string();
            prop_assume!(text.len() != 4);
            prop_assert_eq!(at(&text).seconds, seconds);
        }
    }
}
