//! The wide picture of a pipeline: its account on the left, the accounts of the functions on the right, and the hops between them.
//! The way of a gate is a loop: up to the service role, across to the invoke role, down to the function, and back to the action.

use crate::model::chain::HopId;
use crate::model::graph::{Hop, Route, Scene, State};

use super::block::{self, BOX, Block, Density, HEAD, INSET};
use super::canvas::{Anchor, Canvas, Face, Rect, chip_width};
use super::card::{self, ATTACH, WIDTH};
use super::outline::{self, Outline};

/// The width of the picture.
pub(super) const WIDE: i32 = 920;
const MARGIN: i32 = 16;
const RIGHT: i32 = WIDE - MARGIN - BOX;
/// Between the two columns.
const GUTTER: Rect = Rect {
    x: MARGIN + BOX,
    y: 0,
    w: RIGHT - MARGIN - BOX,
    h: i32::MAX / 2,
};
/// Where the line of hop 1 runs down to the further gates.
const TRUNK: i32 = GUTTER.x + 8;
const FIRST_HOP: i32 = 66;

/// A block on the right, with its place.
struct Target<'a> {
    route: &'a Route,
    block: Block<'a>,
    top: i32,
    /// Whether its account's box begins with it.
    opens: bool,
}

/// Draws the scene below a line; gives the lower end of what was drawn.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene, density: Density, top: i32) -> i32 {
    let service = card::role(&scene.service_role);
    let left = MARGIN + INSET;
    let service_top = top + HEAD;
    let pipeline_top = service_top + service.height() + FIRST_HOP;
    let mut targets = targets(scene, density, top);
    let outline = outline::place(scene, (left, pipeline_top), |index, wanted| {
        align(&mut targets, index, wanted)
    });
    let right_end = targets.last().map_or(top, Target::end);
    let bottom = (outline.rect().bottom() + INSET).max(right_end);
    account_boxes(canvas, scene, &targets, (top, bottom));
    arrows(canvas, &targets, service_top + ATTACH);
    service.draw(canvas, (left, service_top));
    outline.draw(canvas);
    let start = pipeline_top - FIRST_HOP;
    block::up(canvas, (left, start), FIRST_HOP, &[&scene.start]);
    for target in &targets {
        target.block.draw(canvas, (RIGHT + INSET, target.top));
    }
    back(canvas, &targets, &outline);
    bottom
}

fn targets<'a>(scene: &'a Scene, density: Density, top: i32) -> Vec<Target<'a>> {
    let mut all: Vec<Target<'a>> = Vec::with_capacity(scene.routes.len());
    for route in &scene.routes {
        let place = &route.function.place;
        let last = all.last();
        let opens = last.is_none_or(|last| last.route.function.place != *place);
        let from = match last {
            None => top + HEAD,
            Some(last) if opens => last.end() + 18 + HEAD,
            Some(last) => last.top + last.block.height() + 26,
        };
        all.push(Target {
            route,
            block: Block::of(route, density, false),
            top: from,
            opens,
        });
    }
    all
}

impl Target<'_> {
    /// The lower end of an account's box that ends with this block.
    fn end(&self) -> i32 {
        self.top + self.block.height() + INSET
    }
}

/// Where the action of a route is met: where its block is left. Where the action stands lower than that, the block is made longer,
/// or moved down, with all below it.
fn align(targets: &mut [Target<'_>], index: usize, wanted: i32) -> i32 {
    let Some(target) = targets.get_mut(index) else {
        return wanted;
    };
    let exit = target.top + target.block.exit();
    if wanted <= exit {
        return exit;
    }
    let moved = target.block.lengthen(wanted - exit);
    target.top += moved;
    for below in targets.iter_mut().skip(index + 1) {
        below.top += wanted - exit;
    }
    wanted
}

fn account_boxes(
    canvas: &mut Canvas,
    scene: &Scene,
    targets: &[Target<'_>],
    (top, bottom): (i32, i32),
) {
    let rect = Rect {
        x: MARGIN,
        y: top,
        w: BOX,
        h: bottom - top,
    };
    block::account(canvas, rect, &scene.pipeline.place);
    let mut remaining = targets;
    while let Some((first, behind)) = remaining.split_first() {
        let more = behind.iter().take_while(|target| !target.opens).count();
        let last = behind.iter().take(more).next_back().unwrap_or(first);
        remaining = behind.get(more..).unwrap_or_default();
        let end = if remaining.is_empty() {
            bottom
        } else {
            last.end()
        };
        let y = first.top - HEAD;
        let rect = Rect {
            x: RIGHT,
            y,
            w: BOX,
            h: end - y,
        };
        block::account(canvas, rect, &first.route.function.place);
    }
}

/// Hop 1 to every block.
fn arrows(canvas: &mut Canvas, targets: &[Target<'_>], from: i32) {
    let start = (MARGIN + INSET + WIDTH, from);
    // The last first: where lines lie on each other, the nearer gate's is seen.
    for target in targets.iter().rev() {
        let to = target.top + target.block.entry();
        let end = (RIGHT + INSET, to);
        let points = if to == from {
            vec![start, end]
        } else {
            vec![start, (TRUNK, from), (TRUNK, to), end]
        };
        if let Some(hop) = hop(target.route, HopId::One) {
            canvas.arrow(&points, hop.condition.state);
        }
    }
    for target in targets {
        if let Some(hop) = hop(target.route, HopId::One) {
            label(
                canvas,
                &target.block,
                hop,
                target.top + target.block.entry(),
            );
        }
    }
}

/// Hop 3 from every block.
fn back(canvas: &mut Canvas, targets: &[Target<'_>], outline: &Outline<'_>) {
    for target in targets {
        let y = target.top + target.block.exit();
        if let Some(hop) = hop(target.route, HopId::Three) {
            let (from, to) = ((RIGHT + INSET, y), (outline::action_right(outline), y));
            canvas.line(&[(GUTTER.x + 2, y), (GUTTER.right() - 2, y)], "halo");
            canvas.arrow(&[from, to], hop.condition.state);
            label(canvas, &target.block, hop, y);
        }
    }
}

fn hop(route: &Route, id: HopId) -> Option<&Hop> {
    route.hops.iter().find(|hop| hop.id == id)
}

/// Number, calls and answer on a line through the gutter.
fn label(canvas: &mut Canvas, block: &Block<'_>, hop: &Hop, y: i32) {
    let middle = GUTTER.x + GUTTER.w / 2;
    canvas.group(&block::tip(hop), |canvas| {
        canvas.hop((middle, y), hop.id.as_str(), hop.condition.state);
        if matches!(block, Block::Compact(_)) {
            return;
        }
        let lines = block::lines(&hop.actions, GUTTER.w - 24);
        let mut line = y - 20 - 15 * (i32::try_from(lines.len()).unwrap_or(1) - 1);
        for text in lines {
            let at = (middle, line);
            canvas.text(at, Anchor::Middle, (Face::SmallName, "ink"), &text, GUTTER);
            line += 15;
        }
        let state = hop.condition.state;
        if state != State::Wanted {
            let right = middle + chip_width(state) / 2;
            canvas.chip(right, y + 26, state, GUTTER);
        }
    });
}
