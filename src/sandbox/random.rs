//! Ids and chances, all from one seed.
//! Not for secrets: a sandbox has none.

/// A splitmix64 generator: small, fast, and the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True with this probability. A probability of 0 draws nothing, so that faults that are off change no id.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        if probability <= 0.0 {
            return false;
        }
        // 53 bits are exact in an f64.
        #[allow(clippy::cast_precision_loss)]
        let drawn = (self.next() >> 11) as f64 / 9_007_199_254_740_992.0;
        drawn < probability
    }

    /// An id in the form of a version 4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// A unique id of IAM: the prefix and 17 letters and digits, 21 characters in all.
    pub(super) fn unique_id(&mut self, prefix: &str) -> String {
        self.letters(prefix, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)
    }

    /// A text of this alphabet behind a prefix.
    pub(super) fn letters(&mut self, prefix: &str, alphabet: &[u8], length: usize) -> String {
        let mut text = prefix.to_owned();
        for _ in 0..length {
            let at = self.below(alphabet.len());
            text.push(char::from(alphabet.get(at).copied().unwrap_or(b'A')));
        }
        text
    }

    /// Puts a list in another order.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.below(at + 1);
            list.swap(at, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        assert_eq!(a.uuid(), b.uuid());
        assert_eq!(a.unique_id("AROA").len(), 21);
        assert_ne!(a.uuid(), b.unique_id("AROA"));
    }

    #[test]
    fn an_id_has_the_form_of_a_version_4_uuid() {
        let id = Random::new(1).uuid();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes().get(14), Some(&b'4'));
        assert!(matches!(
            id.as_bytes().get(19),
            Some(b'8' | b'9' | b'a' | b'b')
        ));
    }

    #[test]
    fn chances_come_about_as_often_as_they_should() {
        let mut random = Random::new(3);
        let hits = (0..10_000).filter(|_| random.chance(0.25)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!(!random.chance(0.0));
        assert!(random.chance(1.0));
    }
}
