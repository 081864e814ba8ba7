//! "Did you mean": the known word nearest to a word that was not understood.
//! Pure text; may not know what the words stand for.

/// Words longer than this get no suggestion: the distance is quadratic in the length, and nobody mistypes a page.
const LONGEST: usize = 128;

/// The candidate nearest to `word`, if any is near: at most a third of its letters differ. Letter case, `-` and `_` do not count,
/// so that `userParameters` finds `user_parameters`.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = fold(word);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let length = folded.chars().count();
            let distance = strsim::damerau_levenshtein(&word, &folded);
            (distance <= (length / 3).max(1) && distance < length).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// A sentence for a name that is not among the known ones: the nearest, or all of them (ten at most).
pub(crate) fn did_you_mean(word: &str, what: &str, known: &[&str]) -> String {
    const LISTED: usize = 10;
    if let Some(near) = closest(word, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    if known.is_empty() {
        return format!("there are no {what} here");
    }
    let listed: Vec<String> = known
        .iter()
        .take(LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match known.len().saturating_sub(LISTED) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("the {what} here: {}{more}", listed.join(", "))
}

fn fold(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_whatever_its_case_and_hyphens() {
        let keys = ["user_parameters", "region", "name", "namespace"];
        assert_eq!(closest("userParameters", keys), Some("user_parameters"));
        assert_eq!(closest("regoin", keys), Some("region"));
        assert_eq!(closest("nme", keys), Some("name"));
        assert_eq!(closest("colour", keys), None);
        assert_eq!(closest("", ["a"]), None);
        assert_eq!(closest(&"name".repeat(1000), keys), None);
    }

    #[test]
    fn many_names_are_not_all_listed() {
        let names: Vec<String> = (0..12).map(|n| format!("gate-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = did_you_mean("zzzzzzz", "gates", &names);
        assert!(text.ends_with("`gate-9` and 2 more"), "{text}");
        assert_eq!(
            did_you_mean("x", "accounts", &[]),
            "there are no accounts here"
        );
    }
}
