//! What no object of a picture stands for, as text beside it: a reader who gets exit code 4 learns here what could not be read.
//! What is only to be known is left to the page, which shows everything.

use crate::model::graph::{Graph, Remark, State};
use crate::output::page::{Page, span};
use crate::output::style::{Paint, Style};

/// The remarks that are more than something to be known, the gravest last; nothing where there is none.
pub fn notices(graph: &Graph, style: &Style) -> String {
    let mut page = Page::new(style);
    let grave = graph.remarks.iter().filter(|r| r.state != State::Wanted);
    let grave: Vec<&Remark> = grave.collect();
    for (index, remark) in grave.into_iter().rev().enumerate() {
        if index > 0 {
            page.gap();
        }
        let Remark {
            state,
            about,
            message,
            hint,
        } = remark;
        let head = span(paint(*state), format!("{}: ", state.word()));
        page.prose(0, head, Paint::Strong, message);
        page.line(2, &[span(Paint::Faint, about.as_str())]);
        if let Some(hint) = hint {
            page.prose(2, span(Paint::Hint, "hint: "), Paint::Plain, hint);
        }
    }
    page.finish()
}

fn paint(state: State) -> Paint {
    match state {
        State::Wanted | State::InSync | State::Allowed => Paint::Plain,
        State::Create => Paint::Added,
        State::Update => Paint::Changed,
        State::Delete => Paint::Removed,
        State::Blocked | State::Denied | State::Unknown | State::NotProven => Paint::Error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::graph::Source;
    use crate::model::name::Project;

    fn remark(state: State, message: &str, hint: Option<&str>) -> Remark {
        Remark {
            state,
            about: "account dev".to_owned(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_grave_is_told_and_escaped() {
        let mut graph = Graph {
            project: Project::new("shop").unwrap(),
            source: Source::Check,
            scenes: Vec::new(),
            remarks: vec![remark(State::Wanted, "only to be known", None)],
        };
        assert_eq!(notices(&graph, &Style::PLAIN), "");
        graph.remarks = vec![
            remark(State::Unknown, "not \u{1b}[2Jread", Some("allow it")),
            remark(State::Delete, "nobody needs it", None),
            remark(State::Wanted, "only to be known", None),
        ];
        insta::assert_snapshot!(notices(&graph, &Style::PLAIN), @r"
        delete: nobody needs it
          account dev

        unknown: not \u{1b}[2Jread
          account dev
          hint: allow it
        ");
    }
}
