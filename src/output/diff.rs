//! The difference of two documents, line by line, long parts without change folded.
//! It compares text for people to read: whether two policies grant the same is decided elsewhere.

use serde_json::Value;
use similar::utils::diff_slices;
use similar::{Algorithm, ChangeTag};

use super::document;

/// How many lines without change are shown around a change.
const CONTEXT: usize = 3;

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// In both.
    Same(String),
    /// Only in the new one.
    Added(String),
    /// Only in the old one.
    Removed(String),
    /// So many lines that are in both and are not shown.
    Folded(usize),
}

/// The difference between two documents, either of which may be missing; empty where their values are the same.
pub(super) fn documents(before: Option<&Value>, after: Option<&Value>) -> Vec<Line> {
    let old = match (before, after) {
        (Some(before), Some(after)) => document::expanded(&document::aligned(before, after)),
        (Some(before), None) => document::expanded(before),
        (None, _) => Vec::new(),
    };
    let new = after.map(document::expanded).unwrap_or_default();
    fold(lines(&old, &new))
}

fn lines(old: &[String], new: &[String]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (tag, slice) in diff_slices(Algorithm::Myers, old, new) {
        let wrap = match tag {
            ChangeTag::Equal => Line::Same,
            ChangeTag::Delete => Line::Removed,
            ChangeTag::Insert => Line::Added,
        };
        lines.extend(slice.iter().cloned().map(wrap));
    }
    lines
}

/// Folds the lines that are further than [`CONTEXT`] from any change. A single line is shown: a fold would not be shorter.
fn fold(lines: Vec<Line>) -> Vec<Line> {
    let changed = |line: &Line| !matches!(line, Line::Same(_));
    let at: Vec<usize> = (0..)
        .zip(&lines)
        .filter(|(_, l)| changed(l))
        .map(|(i, _)| i)
        .collect();
    if at.is_empty() {
        return Vec::new();
    }
    let near = |i: usize| {
        let after = at.partition_point(|change| change + CONTEXT < i);
        at.get(after).is_some_and(|change| *change <= i + CONTEXT)
    };
    let mut out: Vec<Line> = Vec::new();
    let mut hidden: Vec<Line> = Vec::new();
    for (i, line) in lines.into_iter().enumerate() {
        if near(i) {
            flush(&mut hidden, &mut out);
            out.push(line);
        } else {
            hidden.push(line);
        }
    }
    flush(&mut hidden, &mut out);
    out
}

fn flush(hidden: &mut Vec<Line>, out: &mut Vec<Line>) {
    match hidden.len() {
        0 => {}
        1 => out.append(hidden),
        many => {
            out.push(Line::Folded(many));
            hidden.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn show(lines: &[Line]) -> String {
        let show = |line: &Line| match line {
            Line::Same(text) => format!("  {text}"),
            Line::Added(text) => format!("+ {text}"),
            Line::Removed(text) => format!("- {text}"),
            Line::Folded(n) => format!("  ... {n}"),
        };
        lines.iter().map(show).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_change_is_shown_with_three_lines_around_it() {
        let numbers: Vec<u32> = (0..20).collect();
        let mut other = numbers.clone();
        if let Some(ten) = other.get_mut(10) {
            *ten = 99;
        }
        let lines = documents(Some(&json!(numbers)), Some(&json!(other)));
        insta::assert_snapshot!(show(&lines), @"
          ... 8
            7,
            8,
            9,
        -   10,
        +   99,
            11,
            12,
            13,
          ... 7
        ");
    }

    #[test]
    fn a_single_line_is_not_folded() {
        let lines = documents(Some(&json!([1, 2, 3, 4])), Some(&json!([1, 2, 3, 5])));
        insta::assert_snapshot!(show(&lines), @"
          [
            1,
            2,
            3,
        -   4
        +   5
          ]
        ");
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        let (a, b) = (json!({"x": 1, "y": 2}), json!({"y": 2, "x": 1}));
        assert_eq!(documents(Some(&a), Some(&b)), []);
    }

    #[test]
    fn a_missing_document_is_all_difference() {
        let value = json!({"a": 1});
        let all = ["{", "  \"a\": 1", "}"].map(str::to_owned);
        assert_eq!(documents(None, Some(&value)), all.clone().map(Line::Added));
        assert_eq!(documents(Some(&value), None), all.map(Line::Removed));
        assert_eq!(documents(None, None), []);
    }

    proptest! {
        #[test]
        fn the_new_document_can_be_read_from_its_difference(
            old in prop::collection::vec(0..4_u8, 0..30),
            new in prop::collection::vec(0..4_u8, 0..30),
        ) {
            let text = |list: &[u8]| list.iter().map(u8::to_string).collect::<Vec<_>>();
            let (old, new) = (text(&old), text(&new));
            let of = |wanted: fn(&Line) -> Option<&String>, lines: &[Line]| lines.iter().filter_map(wanted).cloned().collect::<Vec<_>>();
            let unfolded = lines(&old, &new);
            prop_assert_eq!(of(|l| match l { Line::Same(t) | Line::Added(t) => Some(t), _ => None }, &unfolded), new);
            prop_assert_eq!(of(|l| match l { Line::Same(t) | Line::Removed(t) => Some(t), _ => None }, &unfolded), old);
            let shown: usize = fold(unfolded.clone()).iter().map(|l| if let Line::Folded(n) = l { *n } else { 1 }).sum();
            let differs = unfolded.iter().any(|l| !matches!(l, Line::Same(_)));
            prop_assert_eq!(shown, if differs { unfolded.len() } else { 0 });
        }
    }
}
