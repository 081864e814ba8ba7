//! The figures as a picture: cost against gates, both in powers of ten, a panel for each kind of cost and a line for each command.
//! Text and paths only, in fonts that every browser has.

use std::fmt::Write as _;

use crate::scenario::{Act, Measure};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 700.0;
/// A panel's plot, without its labels.
const PANEL: (f64, f64) = (340.0, 230.0);

/// A kind of cost.
struct Panel {
    title: String,
    of: fn(&Measure) -> f64,
    unit: &'static str,
    latency_ms: u64,
    at: (f64, f64),
}

fn colour(act: Act) -> &'static str {
    // Told apart by those who see few colours, too (Okabe and Ito).
    match act {
        Act::Bootstrap => "#0072b2",
        Act::Check => "#009e73",
        Act::Drift => "#e69f00",
        Act::Verify => "#cc79a7",
        Act::Teardown => "#d55e00",
    }
}

#[allow(clippy::cast_precision_loss)] // Far below 2^52.
fn float(n: usize) -> f64 {
    n as f64
}

/// The picture; of the runs without limits.
pub(crate) fn svg(measures: &[Measure]) -> String {
    let plain: Vec<&Measure> = measures.iter().filter(|m| !m.scenario.limited).collect();
    let latencies = || plain.iter().map(|m| m.scenario.latency_ms);
    let (least, most) = (
        latencies().min().unwrap_or(0),
        latencies().max().unwrap_or(0),
    );
    let panel = |n: usize, title: String, of, unit, latency_ms| Panel {
        title,
        of,
        unit,
        latency_ms,
        at: (70.0 + 430.0 * float(n % 2), 60.0 + 310.0 * float(n / 2)),
    };
    let panels = [
        panel(
            0,
            format!("wall at {most} ms a call"),
            |m| m.took.wall.as_secs_f64(),
            " s",
            most,
        ),
        panel(1, "calls".to_owned(), |m| float(m.all_calls()), "", most),
        panel(
            2,
            format!("CPU at {least} ms a call"),
            |m| m.took.cpu().as_secs_f64(),
            " s",
            least,
        ),
        panel(
            3,
            "peak memory".to_owned(),
            |m| m.took.megabytes(),
            " MB",
            least,
        ),
    ];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" role=\"img\">\n<title>Cost of crossgate's commands against the number of gates</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    legend(&mut svg);
    for panel in &panels {
        draw(&mut svg, panel, &plain);
    }
    svg + "</svg>\n"
}

fn legend(svg: &mut String) {
    for (n, act) in Act::ALL.into_iter().enumerate() {
        let x = 70.0 + 150.0 * float(n);
        let colour = colour(act);
        writeln!(
            svg,
            "<line x1=\"{x}\" y1=\"20\" x2=\"{}\" y2=\"20\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"24\">{}</text>",
            x + 20.0,
            x + 26.0,
            act.name()
        )
        .unwrap();
    }
}

/// Powers of ten that hold all values.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let logs: Vec<f64> = values.filter(|v| *v > 0.0).map(f64::log10).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return (0, 1);
    }
    #[allow(clippy::cast_possible_truncation)] // Exponents of what can be counted and timed.
    let (low, high) = (low.floor() as i32, high.ceil() as i32);
    (low, high.max(low + 1))
}

fn draw(svg: &mut String, panel: &Panel, measures: &[&Measure]) {
    let (left, top) = panel.at;
    let (width, height) = PANEL;
    let here = || {
        measures
            .iter()
            .filter(|m| m.scenario.latency_ms == panel.latency_ms)
    };
    let across = decades(here().map(|m| float(m.scenario.gates)));
    let up = decades(here().map(|m| (panel.of)(m)));
    let part = |value: f64, (low, high): (i32, i32)| {
        (value.log10() - f64::from(low)) / f64::from(high - low)
    };
    let x = |gates: f64| left + width * part(gates, across);
    let y = |cost: f64| top + height * (1.0 - part(cost, up));
    writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\" font-weight=\"600\">{}</text>",
        top - 10.0,
        panel.title
    )
    .unwrap();
    for power in across.0..=across.1 {
        let at = x(10_f64.powi(power));
        writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{}\" stroke=\"#e5e5e5\"/><text x=\"{at:.1}\" y=\"{}\" \
             text-anchor=\"middle\" fill=\"#555555\">{}</text>",
            top + height,
            top + height + 16.0,
            label(power)
        )
        .unwrap();
    }
    for power in up.0..=up.1 {
        let at = y(10_f64.powi(power));
        writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#e5e5e5\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\" fill=\"#555555\">{}{}</text>",
            left + width,
            left - 6.0,
            at + 4.0,
            label(power),
            panel.unit
        )
        .unwrap();
    }
    let middle = left + width / 2.0;
    writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555555\">gates</text>",
        top + height + 32.0
    )
    .unwrap();
    for act in Act::ALL {
        let points = here().filter(|m| m.act == act);
        let points: Vec<(f64, f64)> = points
            .map(|m| (x(float(m.scenario.gates)), y((panel.of)(m))))
            .collect();
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let colour = colour(act);
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        )
        .unwrap();
        for (x, y) in points {
            writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            )
            .unwrap();
        }
    }
}

fn label(power: i32) -> String {
    if let Ok(power) = u32::try_from(power) {
        return crate::results::number(10_usize.pow(power));
    }
    let places = usize::try_from(-power).unwrap_or_default();
    format!("{:.places$}", 10_f64.powi(power))
}
