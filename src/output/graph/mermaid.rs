//! Mermaid: a flowchart with a subgraph for each account. Objects that gates share are one node.
//! Mermaid lays it out; names go through `escape`, and node ids are numbers, so that no name can be syntax.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::graph::{Graph, State};

use super::escape::mermaid as escape;
use super::flow::{self, Flow, Link, Node};
use super::look::{self, Colours, LIGHT, Tone};

/// The chart.
pub(super) fn render(graph: &Graph) -> String {
    let flow = flow::of(graph);
    let mut text = String::from("flowchart LR\n");
    let _ = writeln!(
        text,
        "  accTitle: crossgate, project {}\n  accDescr: {}",
        escape(graph.project.as_str()),
        escape(look::told(graph.source))
    );
    for (index, (place, lanes)) in flow.accounts.iter().enumerate() {
        let (name, id) = (place.name.as_str(), place.id.as_str());
        let _ = writeln!(
            text,
            "  subgraph a{index}[\"{} {}\"]\n    direction TB",
            escape(name),
            escape(id)
        );
        for (number, lane) in lanes.iter().enumerate() {
            let _ = writeln!(
                text,
                "    subgraph a{index}p{number}[\"{}\"]\n      direction TB",
                escape(&lane.title)
            );
            nodes(&mut text, &lane.nodes, "      ");
            text.push_str("    end\n");
        }
        let loose = flow.loose.get(place).map_or(&[][..], Vec::as_slice);
        nodes(&mut text, loose, "    ");
        text.push_str("  end\n");
    }
    links(&mut text, &flow);
    styles(&mut text, &flow);
    text
}

fn nodes(text: &mut String, nodes: &[Node], indent: &str) {
    for node in nodes {
        let lines: Vec<String> = node.lines.iter().map(|line| escape(line)).collect();
        let (open, close) = if node.is_round {
            ("([", "])")
        } else {
            ("[", "]")
        };
        let _ = writeln!(
            text,
            "{indent}n{}{open}\"{}\"{close}",
            node.id,
            lines.join("<br/>")
        );
    }
}

fn links(text: &mut String, flow: &Flow) {
    for link in &flow.links {
        let Link {
            from,
            to,
            label,
            state,
        } = link;
        let arrow = if look::is_dashed(*state) {
            "-.->"
        } else {
            "-->"
        };
        let lines: Vec<String> = label.iter().map(|line| escape(line)).collect();
        let label = if lines.is_empty() {
            String::new()
        } else {
            format!("|\"{}\"|", lines.join("<br/>"))
        };
        let _ = writeln!(text, "  n{from} {arrow}{label} n{to}");
    }
}

/// Colours by tone; the words in the labels say the same.
fn styles(text: &mut String, flow: &Flow) {
    let mut by_tone: BTreeMap<&str, (Tone, Vec<String>)> = BTreeMap::new();
    for node in flow.nodes() {
        let tone = Tone::of(node.state);
        let entry = by_tone
            .entry(tone.class())
            .or_insert_with(|| (tone, Vec::new()));
        entry.1.push(format!("n{}", node.id));
    }
    for (class, (tone, ids)) in by_tone {
        let Colours { ink, tint, line } = look::colours(tone, false);
        let _ = writeln!(
            text,
            "  classDef {class} fill:{tint},stroke:{line},color:{ink}\n  class {} {class}",
            ids.join(",")
        );
    }
    let ids: Vec<String> = (0..flow.accounts.len())
        .map(|index| format!("a{index}"))
        .collect();
    let _ = writeln!(
        text,
        "  classDef account fill:{},stroke:{},color:{}\n  class {} account",
        LIGHT.account,
        LIGHT.border,
        LIGHT.ink,
        ids.join(",")
    );
    let lanes = flow.accounts.iter().enumerate();
    let lanes: Vec<String> = lanes
        .flat_map(|(index, (_, lanes))| (0..lanes.len()).map(move |n| format!("a{index}p{n}")))
        .collect();
    let _ = writeln!(
        text,
        "  classDef lane fill:{},stroke:{},color:{}\n  class {} lane",
        LIGHT.card,
        LIGHT.border,
        LIGHT.ink,
        lanes.join(",")
    );
    for (index, link) in flow.links.iter().enumerate() {
        if link.state != State::Wanted {
            let Colours { line, .. } = look::colours(Tone::of(link.state), false);
            let _ = writeln!(text, "  linkStyle {index} stroke:{line},stroke-width:2px");
        }
    }
}
