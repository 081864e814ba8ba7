//! DOT: a digraph with a cluster for each account, for Graphviz. Objects that gates share are one node.
//! Graphviz lays it out; names go through `escape`, and node ids are numbers.

use std::fmt::Write as _;

use crate::model::graph::{Graph, State};

use super::escape::dot as escape;
use super::flow::{self, Link, Node};
use super::look::{self, Colours, LIGHT, Tone};

/// The digraph.
pub(super) fn render(graph: &Graph) -> String {
    let flow = flow::of(graph);
    let title = format!(
        "crossgate: {}\\n{}",
        escape(graph.project.as_str()),
        look::told(graph.source)
    );
    let mut text = format!(
        "digraph crossgate {{\n  graph [rankdir=LR, compound=true, fontname=\"Helvetica\", labelloc=t, label=\"{title}\"];\n  \
         node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, margin=\"0.16,0.1\"];\n  \
         edge [fontname=\"Helvetica\", fontsize=10];\n"
    );
    for (index, (place, lanes)) in flow.accounts.iter().enumerate() {
        let name = escape(&format!("{} {}", place.name, place.id));
        let _ = writeln!(
            text,
            "  subgraph cluster_{index} {{\n    label=\"{name}\"; style=\"rounded,filled\"; color=\"{}\"; fillcolor=\"{}\";",
            LIGHT.border, LIGHT.account
        );
        for (number, lane) in lanes.iter().enumerate() {
            let _ = writeln!(
                text,
                "    subgraph cluster_{index}_{number} {{\n      label=\"{}\"; color=\"{}\"; fillcolor=\"{}\";",
                escape(&lane.title),
                LIGHT.border,
                LIGHT.card
            );
            nodes(&mut text, &lane.nodes, "      ");
            text.push_str("    }\n");
        }
        let loose = flow.loose.get(place).map_or(&[][..], Vec::as_slice);
        nodes(&mut text, loose, "    ");
        text.push_str("  }\n");
    }
    for link in &flow.links {
        edge(&mut text, link);
    }
    text.push_str("}\n");
    text
}

fn nodes(text: &mut String, nodes: &[Node], indent: &str) {
    for node in nodes {
        let Colours { ink, tint, line } = look::colours(Tone::of(node.state), false);
        let lines: Vec<String> = node.lines.iter().map(|line| escape(line)).collect();
        let dashed = if look::is_dashed(node.state) {
            ",dashed"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "{indent}n{} [label=\"{}\", style=\"rounded,filled{dashed}\", color=\"{line}\", fillcolor=\"{tint}\", fontcolor=\"{ink}\"];",
            node.id,
            lines.join("\\n")
        );
    }
}

fn edge(text: &mut String, link: &Link) {
    let Link {
        from,
        to,
        label,
        state,
    } = link;
    let Colours { ink, line, .. } = look::colours(Tone::of(*state), false);
    let style = if look::is_dashed(*state) {
        "dashed"
    } else {
        "solid"
    };
    let lines: Vec<String> = label.iter().map(|line| escape(line)).collect();
    let width = if *state == State::Wanted { "1" } else { "2" };
    let _ = writeln!(
        text,
        "  n{from} -> n{to} [label=\"{}\", color=\"{line}\", fontcolor=\"{ink}\", style={style}, penwidth={width}];",
        lines.join("\\n")
    );
}
