//! What stands behind an action: invoke role, function and execution role with the hops between them, or all of it on one card.
//! It says how high it is and where arrows meet it; who draws the arrows from outside is no concern of it.

use crate::model::chain::HopId;
use crate::model::graph::{Hop, Place, Route, Scene, State};

use super::canvas::{Anchor, Canvas, Face, Rect, chip_width};
use super::card::{self, ATTACH, Card, WIDTH};

/// The height of the line in an account's box that names it.
pub(super) const HEAD: i32 = 46;
/// From an account's box to the cards in it.
pub(super) const INSET: i32 = 16;
/// The width of an account's box.
pub(super) const BOX: i32 = WIDTH + 2 * INSET;
/// The height of one hop's line beside a vertical arrow.
const LINE: i32 = 28;
const RUNS_AS: i32 = 38;
const MOST_STRETCH: i32 = 160;

/// What stands behind an action.
pub(super) enum Block<'a> {
    /// A card for each object.
    Full(Box<Full<'a>>),
    /// One card.
    Compact(Card),
}

/// A card for each object behind an action, from top to bottom.
pub(super) struct Full<'a> {
    invoke: Card,
    function: Card,
    execution: Card,
    /// The hops between the first two.
    inner: Vec<&'a Hop>,
    /// By how much their arrow is longer than it needs to be, so that others' lines are straight.
    stretch: i32,
}

/// How much of a gate is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Density {
    Full,
    Compact,
}

impl Density {
    /// Many gates are shown with a card each.
    pub(super) fn of(scenes: &[Scene], scene: &Scene) -> Self {
        let all: usize = scenes.iter().map(|scene| scene.routes.len()).sum();
        if scene.routes.len() > 4 || all > 16 {
            Self::Compact
        } else {
            Self::Full
        }
    }
}

impl<'a> Block<'a> {
    pub(super) fn of(route: &'a Route, density: Density, with_action: bool) -> Self {
        match density {
            Density::Compact => Self::Compact(card::compact(route, with_action)),
            Density::Full => Self::Full(Box::new(Full {
                invoke: card::role(&route.invoke_role),
                function: card::function(&route.function),
                execution: card::role(&route.execution_role),
                inner: route
                    .hops
                    .iter()
                    .filter(|hop| matches!(hop.id, HopId::Two | HopId::TwoPrime))
                    .collect(),
                stretch: 0,
            })),
        }
    }

    /// Makes the block longer, as far as it may be; gives what is left of the wish.
    pub(super) fn lengthen(&mut self, by: i32) -> i32 {
        match self {
            Self::Compact(_) => by,
            Self::Full(full) => {
                let now = by.min(MOST_STRETCH - full.stretch);
                full.stretch += now;
                by - now
            }
        }
    }

    pub(super) fn height(&self) -> i32 {
        match self {
            Self::Compact(card) => card.height(),
            Self::Full(full) => full.execution_top() + full.execution.height(),
        }
    }

    /// Where hop 1 arrives, from the block's top.
    pub(super) fn entry(&self) -> i32 {
        match self {
            Self::Compact(_) => 24,
            Self::Full(_) => ATTACH,
        }
    }

    /// Where hop 3 leaves, from the block's top.
    pub(super) fn exit(&self) -> i32 {
        match self {
            Self::Compact(card) => card.height() - 24,
            Self::Full(full) => full.execution_top() + ATTACH,
        }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, at: (i32, i32)) {
        match self {
            Self::Compact(card) => {
                card.draw(canvas, at);
            }
            Self::Full(full) => full.draw(canvas, at),
        }
    }
}

impl Full<'_> {
    fn gap(&self) -> i32 {
        32 + self.stretch + LINE * i32::try_from(self.inner.len()).unwrap_or(0)
    }

    fn execution_top(&self) -> i32 {
        self.invoke.height() + self.gap() + self.function.height() + RUNS_AS
    }

    fn draw(&self, canvas: &mut Canvas, (x, y): (i32, i32)) {
        let first = self.invoke.draw(canvas, (x, y));
        down(canvas, (x, first.bottom()), self.gap(), &self.inner);
        let below = (x, first.bottom() + self.gap());
        let second = self.function.draw(canvas, below);
        let from = (x + 30, second.bottom());
        let to = (x + 30, second.bottom() + RUNS_AS);
        canvas.arrow(&[from, to], State::Wanted);
        let within = Rect {
            x,
            y: from.1,
            w: WIDTH,
            h: RUNS_AS,
        };
        let at = (x + 50, from.1 + RUNS_AS / 2 + 4);
        let face = (Face::Label, "muted i");
        canvas.text(at, Anchor::Start, face, "runs as", within);
        self.execution.draw(canvas, (x, to.1));
    }
}

/// An arrow down from a card's left bottom corner, with a line of words for each hop.
pub(super) fn down(canvas: &mut Canvas, (x, y): (i32, i32), height: i32, hops: &[&Hop]) {
    vertical(canvas, (x, y), height, hops, false);
}

/// The same arrow, with its head at the upper end.
pub(super) fn up(canvas: &mut Canvas, (x, y): (i32, i32), height: i32, hops: &[&Hop]) {
    vertical(canvas, (x, y), height, hops, true);
}

fn vertical(canvas: &mut Canvas, (x, y): (i32, i32), height: i32, hops: &[&Hop], up: bool) {
    let state = hops.iter().map(|hop| hop.condition.state).max();
    let ends = [(x + 30, y), (x + 30, y + height)];
    let points = if up { [ends[1], ends[0]] } else { ends };
    canvas.arrow(&points, state.unwrap_or(State::Wanted));
    let count = i32::try_from(hops.len()).unwrap_or(0);
    let mut middle = y + (height - LINE * count) / 2 + LINE / 2;
    let within = Rect {
        x,
        y,
        w: WIDTH,
        h: height,
    };
    for hop in hops {
        let Hop {
            id,
            actions,
            condition,
        } = hop;
        canvas.group(&tip(hop), |canvas| {
            canvas.hop((x + 30, middle), id.as_str(), condition.state);
            let chip = chip_width(condition.state);
            canvas.chip(x + WIDTH, middle, condition.state, within);
            let texts = lines(actions, WIDTH - 50 - chip - 6);
            let mut line = middle + 4 - 7 * (i32::try_from(texts.len()).unwrap_or(1) - 1);
            for text in texts {
                let at = (x + 50, line);
                canvas.text(at, Anchor::Start, (Face::SmallName, "ink"), &text, within);
                line += 14;
            }
        });
        middle += LINE;
    }
}

/// The calls of a hop, one a line; without the service's name where that does not fit.
pub(super) fn lines(actions: &[String], room: i32) -> Vec<String> {
    let short = |action: &String| {
        let bare = action
            .split_once(':')
            .map_or(action.as_str(), |(_, bare)| bare);
        let fits = Face::SmallName.width(action) <= room;
        if fits {
            action.clone()
        } else {
            bare.to_owned()
        }
    };
    actions.iter().map(short).collect()
}

/// What a pointer shows of a hop.
pub(super) fn tip(hop: &Hop) -> String {
    let mut tip = format!("hop {}: {}", hop.id.as_str(), hop.condition.state.word());
    for reason in &hop.condition.reasons {
        tip.push_str("; ");
        tip.push_str(reason);
    }
    tip
}

/// The box of an account, with its name and its id.
pub(super) fn account(canvas: &mut Canvas, rect: Rect, place: &Place) {
    canvas.rect(rect, 12, "account line");
    let Place { name, id } = place;
    let id = id.as_str();
    let room = rect.w - 2 * INSET - Face::SmallName.width(id) - 10;
    let name = shortened(Face::Title, name.as_str(), room);
    let line = rect.y + 29;
    let at = (rect.x + INSET, line);
    canvas.text(at, Anchor::Start, (Face::Title, "ink"), &name, rect);
    let at = (rect.right() - INSET, line);
    canvas.text(at, Anchor::End, (Face::SmallName, "muted"), id, rect);
}

/// The text, or as much of its beginning as fits; the id beside it is the whole truth.
fn shortened(face: Face, text: &str, room: i32) -> String {
    if face.width(text) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if face.width(&short) + face.width("m…") > room {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}
