//! Shapes on a plane, in whole units of one CSS pixel, and how wide a text will be.
//! It knows neither gates nor SVG. Widths are estimated from above: no font is at hand, and a reader's may differ.

use crate::model::graph::State;

use super::look::{self, Tone};

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Rect {
    pub(super) fn right(self) -> i32 {
        self.x + self.w
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.h
    }
}

/// A kind of lettering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// The head of the picture.
    Head,
    /// An account, a stage with a gate.
    Title,
    /// A stage.
    Plain,
    /// What a thing is.
    Kind,
    /// Small words.
    Label,
    /// A name in AWS.
    Name,
    /// A name in AWS, small.
    SmallName,
}

impl Face {
    /// Size in pixels, times ten.
    pub(super) fn size(self) -> i32 {
        match self {
            Self::Head => 200,
            Self::Title => 140,
            Self::Plain | Self::Name => 130,
            Self::Kind => 105,
            Self::Label => 115,
            Self::SmallName => 120,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Head | Self::Title => "b",
            Self::Plain | Self::Label => "",
            Self::Kind => "kind",
            Self::Name => "mono b",
            Self::SmallName => "mono",
        }
    }

    /// The widest usual advance of a character, in thousandths of the size. Monospaced fonts have 550 to 610.
    fn advance(self) -> i32 {
        match self {
            Self::Name | Self::SmallName => 612,
            Self::Head | Self::Title => 640,
            Self::Plain | Self::Label => 590,
            Self::Kind => 690,
        }
    }

    /// The width of a text in pixels, rounded up.
    pub(super) fn width(self, text: &str) -> i32 {
        let wide = |c: char| if u32::from(c) >= 0x1100 { 1700 } else { 1000 };
        // Names are bounded by AWS; a longer text is cut by `wrap` before it is measured.
        let units: i32 = text.chars().take(4000).map(wide).sum();
        let thousandths = i64::from(units) * i64::from(self.size() * self.advance());
        i32::try_from(thousandths / 10_000_000 + 1).unwrap_or(i32::MAX)
    }

    /// The text in lines that fit, broken where names may be, behind a mark; within a word only where nothing else helps.
    pub(super) fn wrap(self, text: &str, room: i32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_inclusive(['-', '_', '.', '@', '/', ' ', ':']) {
            let whole = format!("{line}{}", word.trim_end());
            if !line.is_empty() && self.width(&whole) > room {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                let mut longer = line.clone();
                longer.push(c);
                if !line.is_empty() && c != ' ' && self.width(&longer) > room {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line);
        lines
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}

/// Where the point of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A piece of a picture. Classes are those of `look`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A rectangle with round corners.
    Rect {
        rect: Rect,
        radius: i32,
        class: String,
    },
    /// A line of text; `within`: where it has to stay.
    Text {
        x: i32,
        y: i32,
        anchor: Anchor,
        face: Face,
        class: String,
        text: String,
        within: Rect,
    },
    /// A line through points with round corners, with or without a head at its end.
    Line {
        points: Vec<(i32, i32)>,
        class: String,
        head: Option<Tone>,
    },
    /// A filled circle.
    Dot {
        x: i32,
        y: i32,
        r: i32,
        class: String,
    },
    /// Begins a group with a text that a pointer shows.
    Open(String),
    /// Ends it.
    Close,
}

/// The plane.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    pub(super) shapes: Vec<Shape>,
    /// The boxes that may not overlap each other.
    pub(super) boxes: Vec<Rect>,
}

impl Canvas {
    pub(super) fn rect(&mut self, rect: Rect, radius: i32, class: &str) {
        let class = class.to_owned();
        self.shapes.push(Shape::Rect {
            rect,
            radius,
            class,
        });
    }

    pub(super) fn text(
        &mut self,
        (x, y): (i32, i32),
        anchor: Anchor,
        (face, class): (Face, &str),
        text: &str,
        within: Rect,
    ) {
        self.shapes.push(Shape::Text {
            x,
            y,
            anchor,
            face,
            class: class.to_owned(),
            text: text.to_owned(),
            within,
        });
    }

    pub(super) fn line(&mut self, points: &[(i32, i32)], class: &str) {
        self.shapes.push(Shape::Line {
            points: points.to_vec(),
            class: class.to_owned(),
            head: None,
        });
    }

    /// An arrow in the look of a state. `ground`: drawn over other lines with a gap around it.
    pub(super) fn arrow(&mut self, points: &[(i32, i32)], state: State) {
        let tone = Tone::of(state);
        let dash = if look::is_dashed(state) { " dash" } else { "" };
        self.shapes.push(Shape::Line {
            points: points.to_vec(),
            class: format!("edge {}-line{dash}", tone.class()),
            head: Some(tone),
        });
    }

    pub(super) fn dot(&mut self, (x, y): (i32, i32), r: i32, class: &str) {
        let class = class.to_owned();
        self.shapes.push(Shape::Dot { x, y, r, class });
    }

    pub(super) fn group(&mut self, tip: &str, draw: impl FnOnce(&mut Self)) {
        self.shapes.push(Shape::Open(tip.to_owned()));
        draw(self);
        self.shapes.push(Shape::Close);
    }

    /// Sign and word of a state, its right end at `right`; nothing for what nobody asked. Gives the width.
    pub(super) fn chip(&mut self, right: i32, middle: i32, state: State, within: Rect) -> i32 {
        if state == State::Wanted {
            return 0;
        }
        let text = look::badge(state);
        let w = chip_width(state);
        let rect = Rect {
            x: right - w,
            y: middle - 9,
            w,
            h: 18,
        };
        let class = Tone::of(state).class();
        self.rect(rect, 9, &format!("{class}-tint"));
        let at = (right - w / 2, middle + 4);
        let ink = format!("{class}-ink b");
        self.text(at, Anchor::Middle, (Face::Label, &ink), &text, within);
        w
    }

    /// The number of a hop in a circle.
    pub(super) fn hop(&mut self, (x, y): (i32, i32), number: &str, state: State) {
        let class = Tone::of(state).class();
        self.dot((x, y), 12, &format!("{class}-tint line"));
        let within = Rect {
            x: x - 12,
            y: y - 12,
            w: 24,
            h: 24,
        };
        let ink = format!("{class}-ink b");
        self.text(
            (x, y + 4),
            Anchor::Middle,
            (Face::Label, &ink),
            number,
            within,
        );
    }
}

/// The width of a chip.
pub(super) fn chip_width(state: State) -> i32 {
    if state == State::Wanted {
        return 0;
    }
    Face::Label.width(&look::badge(state)) + 14
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_fits(text in "[a-zA-Z0-9_.@-]{1,128}", room in 60_i32..400) {
            let lines = Face::Name.wrap(&text, room);
            prop_assert_eq!(lines.concat(), text);
            for line in lines {
                prop_assert!(Face::Name.width(&line) <= room, "{}", line);
            }
        }
    }

    #[test]
    fn names_break_behind_their_marks() {
        let room = Face::Name.width("DevAccount-CodePipeline-");
        let lines = Face::Name.wrap("DevAccount-CodePipeline-InvokeRole", room);
        assert_eq!(lines, ["DevAccount-CodePipeline-", "InvokeRole"]);
    }
}
