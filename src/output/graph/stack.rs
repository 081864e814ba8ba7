//! The narrow picture of a pipeline, for phones: one column, read from top to bottom.
//! It shows what the wide one shows; the answer arrives at a card that stands for the action.

use crate::model::chain::HopId;
use crate::model::graph::{Hop, Place, Route, Scene};

use super::block::{self, BOX, Block, Density, HEAD, INSET};
use super::canvas::{Canvas, Rect};
use super::card::{self, Card};
use super::outline;

/// The width of the picture.
pub(super) const NARROW: i32 = BOX + 2 * MARGIN;
const MARGIN: i32 = 8;
const LEFT: i32 = MARGIN + INSET;
const HOP: i32 = 64;

/// Draws the scene below a line; gives the lower end of what was drawn.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene, density: Density, top: i32) -> i32 {
    let mut cursor = home(canvas, scene, top);
    let mut routes = scene.routes.as_slice();
    while let Some(first) = routes.first() {
        let count = match density {
            Density::Full => 1,
            Density::Compact => {
                let place = &first.function.place;
                let same = |route: &&Route| route.function.place == *place;
                routes.iter().take_while(same).count()
            }
        };
        let (here, rest) = routes.split_at(count);
        cursor = away(canvas, scene, here, density, cursor);
        routes = rest;
    }
    cursor
}

/// The pipeline's account.
fn home(canvas: &mut Canvas, scene: &Scene, top: i32) -> i32 {
    let outline = outline::place(scene, (LEFT, top + HEAD), |_, wanted| wanted);
    let service = card::role(&scene.service_role);
    let end = outline.rect().bottom();
    let bottom = end + HOP + service.height() + INSET;
    open(canvas, &scene.pipeline.place, (top, bottom));
    outline.draw(canvas);
    block::down(canvas, (LEFT, end), HOP, &[&scene.start]);
    service.draw(canvas, (LEFT, end + HOP));
    bottom
}

/// An account of functions, with hop 1 into it and hop 3 out of it.
fn away(canvas: &mut Canvas, scene: &Scene, routes: &[Route], density: Density, top: i32) -> i32 {
    let Some(first) = routes.first() else {
        return top;
    };
    let blocks: Vec<Block<'_>> = routes
        .iter()
        .map(|route| Block::of(route, density, true))
        .collect();
    let start = top + HOP;
    let gaps = 14 * i32::try_from(blocks.len() - 1).unwrap_or(0);
    let high: i32 = blocks.iter().map(Block::height).sum();
    let bottom = start + HEAD + high + gaps + INSET;
    block::down(canvas, (LEFT, top), HOP, &gravest(routes, HopId::One));
    open(canvas, &first.function.place, (start, bottom));
    let mut cursor = start + HEAD;
    for block in &blocks {
        block.draw(canvas, (LEFT, cursor));
        cursor += block.height() + 14;
    }
    let pipeline = scene.pipeline.name.as_str();
    match density {
        Density::Compact => bottom,
        Density::Full => {
            block::down(canvas, (LEFT, bottom), HOP, &gravest(routes, HopId::Three));
            let card: Card = card::arrival(first, pipeline);
            card.draw(canvas, (LEFT, bottom + HOP)).bottom()
        }
    }
}

/// The gravest of the hops of several gates.
fn gravest(routes: &[Route], id: HopId) -> Vec<&Hop> {
    let hops = routes.iter().flat_map(|route| &route.hops);
    let same = hops.filter(|hop| hop.id == id);
    same.max_by_key(|hop| hop.condition.state)
        .into_iter()
        .collect()
}

fn open(canvas: &mut Canvas, place: &Place, (top, bottom): (i32, i32)) {
    let rect = Rect {
        x: MARGIN,
        y: top,
        w: BOX,
        h: bottom - top,
    };
    block::account(canvas, rect, place);
}
