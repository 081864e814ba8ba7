//! One problem for what many gates share: a line that is wrong is shown once, whoever takes it.
//! May not judge; it compares places and words.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::diagnostic::ManifestError;

/// Of the problems of a shared place that say the same of different gates, the first, with how many more there are. The others
/// stay as they are.
pub(in crate::config) fn once(
    problems: Vec<ManifestError>,
    shared: &BTreeSet<(usize, usize)>,
) -> Vec<ManifestError> {
    if shared.is_empty() {
        return problems;
    }
    let mut kept: Vec<ManifestError> = Vec::new();
    let mut first: BTreeMap<(usize, usize, String), (usize, usize)> = BTreeMap::new();
    for problem in problems {
        let place = (problem.span.start, problem.span.end);
        if !shared.contains(&place) {
            kept.push(problem);
            continue;
        }
        let key = (place.0, place.1, shape(&problem.message));
        if let Some((at, more)) = first.get_mut(&key) {
            let is_another = kept
                .get(*at)
                .is_some_and(|one| one.message != problem.message);
            *more += usize::from(is_another);
        } else {
            first.insert(key, (kept.len(), 0));
            kept.push(problem);
        }
    }
    for (at, more) in first.into_values().filter(|(_, more)| *more > 0) {
        if let Some(problem) = kept.get_mut(at) {
            problem.more_like_it(more);
        }
    }
    kept
}

/// What a message says, whoever it is about: without what stands in backquotes, and without numbers.
fn shape(message: &str) -> String {
    let outside = message.split('`').step_by(2);
    outside
        .flat_map(str::chars)
        .filter(|c| !c.is_ascii_digit())
        .collect()
}
