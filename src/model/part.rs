//! A part of a manifest's gates, by the account of their functions: what one of several runs side by side is about.
//! A rule that anybody can compute again; may not know how the runs are started.

use std::fmt;

use sha2::{Digest, Sha256};

use super::account::AccountId;

/// The most parts: more than there are accounts in most organizations.
const MOST: u32 = 10_000;

/// `hash:2/8`: the second of eight parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    number: u32,
    of: u32,
}

impl Part {
    /// Parses `hash:NUMBER/OF`.
    ///
    /// # Errors
    /// What is expected, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is no partition: `hash:2/8` is the second of eight, of {MOST} at most"
            )
        };
        let parts = text
            .strip_prefix("hash:")
            .and_then(|rest| rest.split_once('/'));
        let (number, of) = parts.ok_or_else(expected)?;
        let digits = |text: &str| {
            let plain = text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u32>().ok().filter(|_| plain)
        };
        let (number, of) = digits(number).zip(digits(of)).ok_or_else(expected)?;
        if (1..=MOST).contains(&of) && (1..=of).contains(&number) {
            Ok(Self { number, of })
        } else {
            Err(expected())
        }
    }

    /// True where gates with a function in this account are in the part.
    ///
    /// The rule will not change: the first eight bytes of the SHA-256 of the id's twelve digits, as a big-endian number, modulo
    /// the number of parts, plus one.
    pub fn holds(self, account: &AccountId) -> bool {
        let digest = Sha256::digest(account.as_str().as_bytes());
        let first = digest.iter().take(8);
        let number = first.fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        number % u64::from(self.of) + 1 == u64::from(self.number)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, of } = self;
        write!(f, "hash:{number}/{of}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn account(n: u64) -> AccountId {
        AccountId::new(&format!("{n:012}")).unwrap()
    }

    #[test]
    fn the_rule_is_the_documented_one() {
        // python3: int.from_bytes(hashlib.sha256(b"222222222222").digest()[:8], "big") % 8 + 1
        let held = (1..=8).find(|n| {
            let part = Part::parse(&format!("hash:{n}/8")).unwrap();
            part.holds(&account(222_222_222_222))
        });
        assert_eq!(held, Some(8));
    }

    #[test]
    fn every_account_is_in_one_part_and_the_parts_are_alike() {
        let parts: Vec<Part> = (1..=8)
            .map(|n| Part::parse(&format!("hash:{n}/8")).unwrap())
            .collect();
        let mut sizes = [0; 8];
        for n in 0..4_000 {
            let held: Vec<usize> = (0..8).filter(|p| parts[*p].holds(&account(n))).collect();
            assert_eq!(held.len(), 1);
            sizes[held[0]] += 1;
        }
        assert!(
            sizes.iter().all(|size| (400..600).contains(size)),
            "{sizes:?}"
        );
        assert!(Part::parse("hash:1/1").unwrap().holds(&account(7)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "2/8",
            "hash:0/8",
            "hash:9/8",
            "hash:1/0",
            "hash:+1/8",
            "hash:1/8/2",
            "hash:1",
            "hash:a/b",
            "hash:1/10001",
            "md5:1/8",
            "",
            "hash:1/99999999999999999999",
        ] {
            assert!(Part::parse(text).is_err(), "{text}");
        }
        assert_eq!(Part::parse("hash:2/8").unwrap().to_string(), "hash:2/8");
    }
}
