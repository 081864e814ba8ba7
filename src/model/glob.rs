//! Patterns over names: `*` stands for any characters, `?` for one.
//! Names only: policies have patterns of their own, in `iam`.

/// True where the text asks for many names instead of being one: no name of AWS or of a manifest has these characters.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// True where the whole name fits the pattern. Takes time in proportion to both lengths multiplied, at worst.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    // Where the last `*` stood, and how much of the name it has taken: the place to go back to.
    let mut star = None;
    loop {
        match (pattern.next(), name.clone().next()) {
            (Some('*'), _) => star = Some((pattern.clone(), name.clone())),
            (Some('?'), Some(_)) => {
                name.next();
            }
            (Some(wanted), Some(found)) if wanted == found => {
                name.next();
            }
            (None, None) => return true,
            (Some(_) | None, _) => {
                let Some((behind, mut taken)) = star.take() else {
                    return false;
                };
                if taken.next().is_none() {
                    return false;
                }
                pattern = behind.clone();
                name = taken.clone();
                star = Some((behind, taken));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The meaning, written down without care for time.
    fn meant(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=name.len()).any(|n| meant(rest, &name[n..])),
            (['?', rest @ ..], [_, behind @ ..]) => meant(rest, behind),
            ([one, rest @ ..], [other, behind @ ..]) => one == other && meant(rest, behind),
            _ => false,
        }
    }

    #[test]
    fn a_pattern_fits_whole_names() {
        for (pattern, name, fits) in [
            ("validate-*", "validate-dev", true),
            ("validate-*", "validate-", true),
            ("validate-*", "revalidate-dev", false),
            ("*-dev", "a-dev-dev", true),
            ("v?", "v1", true),
            ("v?", "v", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c-c", true),
            ("ä?", "äö", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
        assert!(is_pattern("a?") && is_pattern("*") && !is_pattern("a-b_c"));
    }

    proptest! {
        #[test]
        fn it_means_what_it_says(pattern in "[ab*?]{0,7}", name in "[ab]{0,8}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(matches(&pattern, &name), meant(&p, &n));
        }
    }
}
