//! The picture of a manifest in four formats: Mermaid and DOT for tools that lay out, SVG and HTML laid out here.
//! It decides nothing: objects, states and reasons are given. The same graph gives the same bytes.
//!
//! A state is never told by colour alone: a sign and a word stand beside it, and lines differ in their dashes. Names come from a
//! manifest and from AWS; each format has its own escape, and nothing reaches a picture without it.

mod block;
mod canvas;
mod card;
mod dot;
mod escape;
mod flow;
mod html;
mod look;
mod mermaid;
mod notice;
mod outline;
mod scene;
mod stack;
mod svg;
mod table;

#[cfg(test)]
mod tests;

use crate::model::graph::Graph;

pub use notice::notices;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// A flowchart for Mermaid, as GitHub and GitLab draw it in Markdown.
    Mermaid,
    /// A digraph for Graphviz.
    Dot,
    /// A picture that stands on its own.
    Svg,
    /// A page that stands on its own: the picture, every hop and every object with its reason.
    Html,
}

/// Renders the graph, ended by a line feed.
pub fn render(graph: &Graph, picture: Picture) -> String {
    match picture {
        Picture::Mermaid => mermaid::render(graph),
        Picture::Dot => dot::render(graph),
        Picture::Svg => svg::render(graph),
        Picture::Html => html::render(graph),
    }
}
