//! SVG: shapes as XML, alone with their style and a head, or as part of a page.
//! It places nothing but the head and the legend.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::model::graph::{Graph, Scene, State};

use super::block::Density;
use super::canvas::{Anchor, Canvas, Face, Rect, Shape, chip_width};
use super::escape::xml;
use super::{look, scene, stack};

/// The picture that stands on its own.
pub(super) fn render(graph: &Graph) -> String {
    let (canvas, height) = whole(graph);
    let mut svg = String::new();
    let width = scene::WIDE;
    let label = xml(&label(graph));
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{label}\">\n<title>{label}</title>\n<style>{}</style>\n",
        xml_style(&look::picture_css(".cg"))
    );
    let _ = writeln!(
        svg,
        "<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>"
    );
    shapes(&mut svg, &canvas);
    svg.push_str("</svg>\n");
    svg
}

/// The canvas of the whole picture, and its height.
pub(super) fn whole(graph: &Graph) -> (Canvas, i32) {
    let mut canvas = Canvas::default();
    let mut cursor = head(&mut canvas, graph);
    for one in &graph.scenes {
        let density = Density::of(&graph.scenes, one);
        cursor = scene::draw(&mut canvas, one, density, cursor) + 28;
    }
    let height = legend(&mut canvas, graph, cursor);
    (canvas, height)
}

fn label(graph: &Graph) -> String {
    let gates: usize = graph.scenes.iter().map(|scene| scene.routes.len()).sum();
    let pipelines = graph.scenes.len();
    format!(
        "crossgate, project {}: {}, {}. {}",
        graph.project,
        super::super::words::counted(gates, "gate"),
        super::super::words::counted(pipelines, "pipeline"),
        look::told(graph.source)
    )
}

const PAGE: Rect = Rect {
    x: 0,
    y: 0,
    w: scene::WIDE,
    h: i32::MAX / 2,
};

fn head(canvas: &mut Canvas, graph: &Graph) -> i32 {
    let title = format!("crossgate: {}", graph.project);
    let face = (Face::Head, "ink");
    canvas.text((16, 34), Anchor::Start, face, &title, PAGE);
    let told = look::told(graph.source);
    let face = (Face::Label, "muted");
    canvas.text((16, 56), Anchor::Start, face, told, PAGE);
    74
}

/// The states that occur, and what the numbers mean.
fn legend(canvas: &mut Canvas, graph: &Graph, top: i32) -> i32 {
    let mut line = top;
    for (number, text) in HOPS {
        let face = (Face::Label, "muted b");
        canvas.text((16, line + 4), Anchor::Start, face, number, PAGE);
        let face = (Face::Label, "muted");
        let x = if number.is_empty() { 16 } else { 36 };
        canvas.text((x, line + 4), Anchor::Start, face, text, PAGE);
        line += 18;
    }
    let states: BTreeSet<State> = graph.scenes.iter().flat_map(Scene::states).collect();
    let mut x = 16;
    line += 8;
    for state in State::ALL {
        if states.contains(&state) && state != State::Wanted {
            let w = chip_width(state);
            canvas.chip(x + w, line, state, PAGE);
            x += w + 8;
        }
    }
    line + if x > 16 { 22 } else { 0 }
}

/// What the numbers mean.
const HOPS: [(&str, &str); 6] = [
    ("0", "CodePipeline takes the pipeline's service role."),
    (
        "1",
        "The service role takes the invoke role: both accounts must allow it.",
    ),
    ("2", "The invoke role invokes the function."),
    (
        "2'",
        "The invoke role lists functions, which CodePipeline's guide asks for.",
    ),
    (
        "3",
        "The function's execution role answers, and the pipeline goes on, or stops.",
    ),
    (
        "",
        "A dashed line or border: not there yet, not known, or not allowed.",
    ),
];

/// The picture of one pipeline as a part of a page, wide or narrow.
pub(super) fn part(graph: &Graph, one: &Scene, narrow: bool) -> String {
    let mut canvas = Canvas::default();
    let density = Density::of(&graph.scenes, one);
    let (width, bottom) = if narrow {
        (stack::NARROW, stack::draw(&mut canvas, one, density, 2))
    } else {
        (scene::WIDE, scene::draw(&mut canvas, one, density, 2))
    };
    let height = bottom + 2;
    let class = if narrow { "narrow" } else { "wide" };
    let label = xml(&format!(
        "The gates of pipeline {} in account {}; the tables below say the same in words",
        one.pipeline.name, one.pipeline.place.name
    ));
    let mut svg = format!(
        "<svg class=\"cg {class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n"
    );
    shapes(&mut svg, &canvas);
    svg.push_str("</svg>\n");
    svg
}

/// CSS holds no `<` and no `&`; `>` would be harmless.
fn xml_style(css: &str) -> String {
    css.replace('&', "&amp;").replace('<', "&lt;")
}

fn shapes(svg: &mut String, canvas: &Canvas) {
    for shape in &canvas.shapes {
        write_shape(svg, shape);
    }
}

fn write_shape(svg: &mut String, shape: &Shape) {
    // Writing to a String cannot fail.
    let _ = match shape {
        Shape::Rect {
            rect: Rect { x, y, w, h },
            radius,
            class,
        } => writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{radius}\" class=\"{class}\"/>"
        ),
        Shape::Text {
            x,
            y,
            anchor,
            face,
            class,
            text,
            within: _,
        } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let size = face.size();
            let (face, text) = (face.class(), xml(text));
            let class = format!("{face} {class}");
            writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}.{}\"{anchor} class=\"{}\">{text}</text>",
                size / 10,
                size % 10,
                class.trim()
            )
        }
        Shape::Line {
            points,
            class,
            head,
        } => {
            let _ = writeln!(svg, "<path d=\"{}\" class=\"{class}\"/>", path(points));
            match (head, points.as_slice()) {
                (Some(tone), [.., from, to]) => writeln!(
                    svg,
                    "<path d=\"{}\" class=\"{}-fill\"/>",
                    arrow_head(*from, *to),
                    tone.class()
                ),
                _ => Ok(()),
            }
        }
        Shape::Dot { x, y, r, class } => {
            writeln!(
                svg,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" class=\"{class}\"/>"
            )
        }
        Shape::Open(tip) => writeln!(svg, "<g><title>{}</title>", xml(tip)),
        Shape::Close => writeln!(svg, "</g>"),
    };
}

/// A way through the points, its corners rounded.
fn path(points: &[(i32, i32)]) -> String {
    const ROUND: i32 = 10;
    let mut d = String::new();
    let towards = |(x, y): (i32, i32), (to_x, to_y): (i32, i32), by: i32| {
        let by_x = by.min((to_x - x).abs() / 2) * (to_x - x).signum();
        let by_y = by.min((to_y - y).abs() / 2) * (to_y - y).signum();
        (x + by_x, y + by_y)
    };
    for (index, (x, y)) in points.iter().copied().enumerate() {
        let behind = index.checked_sub(1).and_then(|before| points.get(before));
        let _ = match (behind, points.get(index + 1)) {
            (None, _) => write!(d, "M{x} {y}"),
            (Some(_), None) => write!(d, "L{x} {y}"),
            (Some(before), Some(after)) => {
                let (from_x, from_y) = towards((x, y), *before, ROUND);
                let (to_x, to_y) = towards((x, y), *after, ROUND);
                write!(d, "L{from_x} {from_y}Q{x} {y} {to_x} {to_y}")
            }
        };
    }
    d
}

/// A triangle whose tip is where the line ends.
fn arrow_head((from_x, from_y): (i32, i32), (x, y): (i32, i32)) -> String {
    let (along_x, along_y) = ((x - from_x).signum(), (y - from_y).signum());
    let back = (x - 10 * along_x, y - 10 * along_y);
    let side = (5 * along_y, 5 * along_x);
    format!(
        "M{x} {y}L{} {}L{} {}Z",
        back.0 + side.0,
        back.1 + side.1,
        back.0 - side.0,
        back.1 - side.1
    )
}
