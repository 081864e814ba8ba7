//! A list of names in a sentence, short enough to be read.
//! Text only; programs get all of them, in JSON.

use std::fmt::Display;

/// So many names are all shown.
const ALL: usize = 5;

/// Of more, so many are.
const FIRST: usize = 3;

/// `a, b, c`; of more than five names `a, b, c and 197 more`.
pub fn listed<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let first: Vec<String> = names
        .by_ref()
        .take(ALL + 1)
        .map(|n| n.to_string())
        .collect();
    if first.len() <= ALL {
        return first.join(", ");
    }
    let more = first.len() - FIRST + names.count();
    let shown: Vec<&str> = first.iter().take(FIRST).map(String::as_str).collect();
    format!("{} and {more} more", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_five_names_are_counted() {
        assert_eq!(listed(Vec::<&str>::new()), "");
        assert_eq!(listed(1..=1), "1");
        assert_eq!(listed(1..=5), "1, 2, 3, 4, 5");
        assert_eq!(listed(1..=6), "1, 2, 3 and 3 more");
        assert_eq!(listed(1..=200), "1, 2, 3 and 197 more");
    }
}
