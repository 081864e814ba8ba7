//! Cards: what a role, a function or an action looks like, and how high it will be.
//! A card is measured before it is drawn, so that others can be placed around it.

use crate::model::graph::{Condition, Function, Part, Role, Route, State};

use super::canvas::{Anchor, Canvas, Face, Rect, chip_width};
use super::look::{self, Tone};

/// The width of a card.
pub(super) const WIDTH: i32 = 312;
const PAD: i32 = 14;
/// Where an arrow meets a card, below its top.
pub(super) const ATTACH: i32 = 40;

/// A card before it is drawn.
#[derive(Debug, Clone)]
pub(super) struct Card {
    width: i32,
    kind: String,
    state: State,
    title: String,
    /// Whether the title is a name in AWS; else it is words.
    named: bool,
    notes: Vec<String>,
    rows: Vec<Row>,
    /// Hops and their states, in one row.
    hops: Vec<(&'static str, State)>,
    tip: String,
}

#[derive(Debug, Clone)]
struct Row {
    noun: String,
    name: Option<String>,
    state: State,
    tip: String,
}

/// A role with what stands on it.
pub(super) fn role(role: &Role) -> Card {
    let Role {
        place: _,
        use_,
        name,
        condition,
        parts,
    } = role;
    let title = name.clone();
    Card {
        width: WIDTH,
        kind: use_.noun().to_uppercase(),
        state: role.overall(),
        named: title.is_some(),
        title: title.unwrap_or_else(|| "named in AWS, not read".to_owned()),
        notes: Vec::new(),
        rows: parts.iter().map(row).collect(),
        hops: Vec::new(),
        tip: tip(use_.noun(), condition),
    }
}

fn row(part: &Part) -> Row {
    let Part {
        noun,
        name,
        condition,
    } = part;
    Row {
        noun: noun.clone(),
        name: name.clone(),
        state: condition.state,
        tip: tip(noun, condition),
    }
}

/// The function.
pub(super) fn function(function: &Function) -> Card {
    let Function {
        place: _,
        region,
        name,
        condition,
    } = function;
    Card {
        width: WIDTH,
        kind: "LAMBDA FUNCTION".to_owned(),
        state: condition.state,
        title: name.to_string(),
        named: true,
        notes: vec![region.to_string()],
        rows: Vec::new(),
        hops: Vec::new(),
        tip: tip("function", condition),
    }
}

/// The action in the pipeline.
pub(super) fn action(route: &Route, width: i32) -> Card {
    Card {
        width,
        kind: "ACTION".to_owned(),
        state: route.condition.state,
        title: route.action.clone(),
        named: true,
        notes: vec![format!("gate {}", route.gate)],
        rows: Vec::new(),
        hops: Vec::new(),
        tip: tip("action", &route.condition),
    }
}

/// The action once more, where the answer arrives.
pub(super) fn arrival(route: &Route, pipeline: &str) -> Card {
    Card {
        kind: "BACK IN THE PIPELINE".to_owned(),
        state: State::Wanted,
        notes: vec![
            format!("{pipeline} / {}", route.stage),
            "goes on, or stops".to_owned(),
        ],
        ..action(route, WIDTH)
    }
}

/// Everything behind an action on one card.
pub(super) fn compact(route: &Route, with_action: bool) -> Card {
    let invoke = route.invoke_role.name.as_deref().unwrap_or_default();
    let mut notes = vec![format!("via {invoke}")];
    if with_action {
        notes.insert(0, format!("{} / {}", route.stage, route.action));
    }
    let hops = route.hops.iter();
    Card {
        kind: format!("GATE {}", route.gate),
        state: route.overall(),
        notes,
        hops: hops
            .map(|hop| (hop.id.as_str(), hop.condition.state))
            .collect(),
        ..function(&route.function)
    }
}

fn tip(noun: &str, condition: &Condition) -> String {
    let mut tip = format!("{noun}: {}", condition.state.word());
    for reason in &condition.reasons {
        tip.push_str("; ");
        tip.push_str(reason);
    }
    tip
}

impl Card {
    fn room(&self) -> i32 {
        self.width - 2 * PAD
    }

    fn face(&self) -> Face {
        if self.named { Face::Name } else { Face::Plain }
    }

    fn titles(&self) -> Vec<String> {
        self.face().wrap(&self.title, self.room())
    }

    /// The kind in lines, the first of which leaves room for the chip.
    fn kinds(&self) -> Vec<String> {
        Face::Kind.wrap(&self.kind, self.room() - chip_width(self.state) - 8)
    }

    fn notes(&self) -> Vec<String> {
        let wrap = |note: &String| Face::Label.wrap(note, self.room());
        self.notes.iter().flat_map(wrap).collect()
    }

    pub(super) fn height(&self) -> i32 {
        let lines = |n: usize, height: i32| i32::try_from(n).unwrap_or(i32::MAX / 64) * height;
        let rows: i32 = self.rows.iter().map(|row| self.row_height(row)).sum();
        let rows = if rows > 0 { rows + 4 } else { 0 };
        let hops = if self.hops.is_empty() { 0 } else { 30 };
        10 + lines(self.kinds().len(), 16)
            + 4
            + lines(self.titles().len(), 18)
            + lines(self.notes().len(), 16)
            + rows
            + hops
            + 8
    }

    fn row_height(&self, row: &Row) -> i32 {
        let lines = self.row_lines(row).len();
        28 + i32::try_from(lines).unwrap_or(0) * 16
    }

    fn row_lines(&self, row: &Row) -> Vec<String> {
        let name = row.name.as_deref();
        name.map_or_else(Vec::new, |name| Face::SmallName.wrap(name, self.room()))
    }

    /// Draws the card with its top left corner at a point.
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (i32, i32)) -> Rect {
        let (w, h) = (self.width, self.height());
        let rect = Rect { x, y, w, h };
        canvas.boxes.push(rect);
        canvas.group(&self.tip, |canvas| {
            let tone = Tone::of(self.state).class();
            let dash = if look::is_dashed(self.state) {
                " dash"
            } else {
                ""
            };
            canvas.rect(rect, 9, &format!("card line {tone}-line{dash}"));
            let (left, mut line) = (x + PAD, y + 10);
            canvas.chip(rect.right() - PAD + 4, line + 9, self.state, rect);
            for kind in self.kinds() {
                let at = (left, line + 12);
                canvas.text(at, Anchor::Start, (Face::Kind, "muted"), &kind, rect);
                line += 16;
            }
            line += 4;
            for title in self.titles() {
                let class = if self.named { "ink" } else { "muted i" };
                let at = (left, line + 13);
                canvas.text(at, Anchor::Start, (self.face(), class), &title, rect);
                line += 18;
            }
            for note in self.notes() {
                let at = (left, line + 12);
                canvas.text(at, Anchor::Start, (Face::Label, "muted"), &note, rect);
                line += 16;
            }
            self.draw_hops(canvas, rect, line + 15);
            line += 8;
            for row in &self.rows {
                self.draw_row(canvas, row, rect, line);
                line += self.row_height(row);
            }
        });
        rect
    }

    fn draw_row(&self, canvas: &mut Canvas, row: &Row, card: Rect, top: i32) {
        let (left, right) = (card.x + PAD, card.right() - PAD);
        canvas.line(&[(left, top), (right, top)], "rule");
        canvas.group(&row.tip, |canvas| {
            canvas.chip(right + 4, top + 14, row.state, card);
            let at = (left, top + 18);
            canvas.text(at, Anchor::Start, (Face::Label, "muted"), &row.noun, card);
            let mut line = top + 24;
            for name in self.row_lines(row) {
                let at = (left, line + 12);
                canvas.text(at, Anchor::Start, (Face::SmallName, "ink"), &name, card);
                line += 16;
            }
        });
    }

    fn draw_hops(&self, canvas: &mut Canvas, card: Rect, middle: i32) {
        let mut x = card.x + PAD;
        for (number, state) in &self.hops {
            canvas.hop((x + 12, middle), number, *state);
            let class = Tone::of(*state).class();
            let at = (x + 28, middle + 4);
            let ink = format!("{class}-ink b");
            canvas.text(
                at,
                Anchor::Start,
                (Face::Label, &ink),
                look::sign(*state),
                card,
            );
            x += 54;
        }
    }
}
