//! The pipeline's card: its stages down a rail, those with gates set off, the actions of the gates in them.
//! Others may ask for an action to stand lower than it would, so that lines to it are straight; never higher.

use crate::model::graph::{Pipeline, Scene, Stage};

use super::canvas::{Anchor, Canvas, Face, Rect};
use super::card::{self, ATTACH, Card};

/// From the card's left edge to the rail.
const RAIL: i32 = 20;
/// From the card's left edge to a stage with gates.
const STAGE: i32 = 36;
const STAGE_RIGHT: i32 = 8;
const STAGE_PAD: i32 = 8;
const ACTION: i32 = card::WIDTH - STAGE - STAGE_RIGHT - 2 * STAGE_PAD;

/// A pipeline's card with every place in it decided.
pub(super) struct Outline<'a> {
    scene: &'a Scene,
    rect: Rect,
    stages: Vec<Placed<'a>>,
}

struct Placed<'a> {
    stage: &'a Stage,
    lines: Vec<String>,
    /// Of the name's first line.
    top: i32,
    bottom: i32,
    actions: Vec<(Card, i32)>,
}

/// Places the card at a point. `align` is told the index of a route and where its action would be met by an arrow, and answers
/// where it is to be met.
pub(super) fn place(
    scene: &Scene,
    (x, y): (i32, i32),
    mut align: impl FnMut(usize, i32) -> i32,
) -> Outline<'_> {
    let mut cursor = y + head_height(&scene.pipeline);
    let mut stages = Vec::with_capacity(scene.pipeline.stages.len());
    for stage in &scene.pipeline.stages {
        let placed = match stage {
            Stage::Unread => bare(stage, vec!["other stages, not read".to_owned()], cursor),
            Stage::Other(name) => {
                let room = card::WIDTH - STAGE - 14;
                bare(stage, Face::Plain.wrap(name, room), cursor)
            }
            Stage::Gates { name, routes } => gates(scene, stage, name, routes, cursor, &mut align),
        };
        cursor = placed.bottom;
        stages.push(placed);
    }
    let rect = Rect {
        x,
        y,
        w: card::WIDTH,
        h: cursor + 10 - y,
    };
    Outline {
        scene,
        rect,
        stages,
    }
}

fn height_of(lines: &[String]) -> i32 {
    i32::try_from(lines.len()).unwrap_or(0) * 17
}

fn bare(stage: &Stage, lines: Vec<String>, top: i32) -> Placed<'_> {
    let bottom = top + height_of(&lines) + 13;
    Placed {
        stage,
        lines,
        top: top + 6,
        bottom,
        actions: Vec::new(),
    }
}

fn gates<'a>(
    scene: &Scene,
    stage: &'a Stage,
    name: &str,
    routes: &[usize],
    top: i32,
    align: &mut impl FnMut(usize, i32) -> i32,
) -> Placed<'a> {
    let room = ACTION - 4;
    let lines = Face::Title.wrap(name, room);
    let head = height_of(&lines) + 14;
    let mut actions: Vec<(Card, i32)> = Vec::new();
    let mut cursor = top + 4 + head;
    for index in routes {
        let Some(route) = scene.routes.get(*index) else {
            continue;
        };
        let card = card::action(route, ACTION);
        let at = align(*index, cursor + ATTACH) - ATTACH;
        let at = at.max(cursor);
        cursor = at + card.height() + STAGE_PAD;
        actions.push((card, at));
    }
    let first = actions.first().map_or(cursor, |(_, at)| *at);
    Placed {
        stage,
        lines,
        top: first - head + 6,
        bottom: cursor + 6,
        actions,
    }
}

fn head_height(pipeline: &Pipeline) -> i32 {
    10 + 16 + 4 + 18 * i32::try_from(names(pipeline).len()).unwrap_or(1) + 16 + 12
}

fn names(pipeline: &Pipeline) -> Vec<String> {
    Face::Name.wrap(pipeline.name.as_str(), card::WIDTH - 28)
}

impl Outline<'_> {
    /// Where the card is.
    pub(super) fn rect(&self) -> Rect {
        self.rect
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        canvas.rect(self.rect, 9, "card line quiet-line");
        self.draw_head(canvas);
        let x = self.rect.x + RAIL;
        let ends = (self.stages.first(), self.stages.last());
        if let (Some(first), Some(last)) = ends {
            canvas.line(&[(x, first.top + 8), (x, last.top + 8)], "rail line");
        }
        for placed in &self.stages {
            self.draw_stage(canvas, placed);
        }
    }

    fn draw_head(&self, canvas: &mut Canvas) {
        let pipeline = &self.scene.pipeline;
        let (left, mut line) = (self.rect.x + 14, self.rect.y + 10);
        let mut write = |canvas: &mut Canvas, face, class, text: &str, height| {
            let at = (left, line + height - 5);
            canvas.text(at, Anchor::Start, (face, class), text, self.rect);
            line += height;
        };
        write(canvas, Face::Kind, "muted", "PIPELINE", 18);
        for name in names(pipeline) {
            write(canvas, Face::Name, "ink", &name, 18);
        }
        let region = pipeline.region.as_str();
        write(canvas, Face::Label, "muted", region, 18);
    }

    fn draw_stage(&self, canvas: &mut Canvas, placed: &Placed<'_>) {
        let Placed {
            stage,
            lines,
            top,
            bottom,
            actions,
        } = placed;
        let (rail, middle) = (self.rect.x + RAIL, top + 8);
        let text_x = self.rect.x + STAGE;
        let (face, class) = match stage {
            Stage::Unread => (Face::Plain, "muted i"),
            Stage::Other(_) => (Face::Plain, "ink"),
            Stage::Gates { .. } => {
                let rect = Rect {
                    x: text_x,
                    y: top - 8,
                    w: card::WIDTH - STAGE - STAGE_RIGHT,
                    h: bottom - 6 - (top - 8),
                };
                canvas.line(&[(rail, middle), (rect.x, middle)], "gate line");
                canvas.rect(rect, 8, "stage line");
                (Face::Title, "ink")
            }
        };
        match stage {
            Stage::Unread => {
                for offset in [-5, 0, 5] {
                    canvas.dot((rail, middle + offset), 2, "rail");
                }
            }
            Stage::Other(_) => canvas.dot((rail, middle), 5, "rail line"),
            Stage::Gates { .. } => canvas.dot((rail, middle), 7, "gate"),
        }
        let indent = if actions.is_empty() { 0 } else { STAGE_PAD + 2 };
        for (index, line) in lines.iter().enumerate() {
            let y = top + 13 + 17 * i32::try_from(index).unwrap_or(0);
            let at = (text_x + indent, y);
            canvas.text(at, Anchor::Start, (face, class), line, self.rect);
        }
        for (card, y) in actions {
            card.draw(canvas, (text_x + STAGE_PAD, *y));
        }
    }
}

/// Where an arrow meets an action's card from the right.
pub(super) fn action_right(outline: &Outline<'_>) -> i32 {
    outline.rect.x + STAGE + STAGE_PAD + ACTION
}
