//! The targets, each with the figure that was measured for it.
//! A target whose run was not made says so, and is not met.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::child;
use crate::results::{mebibytes, number, time};
use crate::scenario::{Act, Measure};

/// A figure, in words, and whether it is good enough; none: it was not measured.
type Figure = Option<(String, bool)>;

struct Measured<'a>(&'a [Measure]);

impl Measured<'_> {
    fn find(&self, gates: usize, latency_ms: u64, limited: bool, act: Act) -> Option<&Measure> {
        self.0.iter().find(|measure| {
            let scenario = measure.scenario;
            let same = scenario.gates == gates && scenario.latency_ms == latency_ms;
            same && scenario.limited == limited && measure.act == act
        })
    }

    /// Of the run at no latency, or at whichever there is.
    fn any(&self, gates: usize, act: Act) -> Option<&Measure> {
        let mut fitting = self.0.iter().filter(|measure| {
            let scenario = measure.scenario;
            scenario.gates == gates && !scenario.limited && measure.act == act
        });
        fitting.next()
    }

    fn wall(&self, most: Duration) -> Figure {
        let found = self.find(1, 0, false, Act::Check)?;
        Some((time(found.took.wall), found.took.wall < most))
    }

    fn cpu(&self, most: Duration) -> Figure {
        let found = self.find(1, 0, false, Act::Check)?;
        Some((time(found.took.cpu()), found.took.cpu() < most))
    }

    /// The highest peak of all commands.
    fn peak(&self, gates: usize, most_kib: u64) -> Figure {
        let of = self.0.iter().filter(|m| m.scenario.gates == gates);
        let peak = of.max_by_key(|measure| measure.took.peak_kib)?;
        let kib = peak.took.peak_kib;
        let text = format!("{} ({})", mebibytes(kib), peak.act.name());
        Some((text, kib * 1024 < most_kib * 1_000_000))
    }

    fn rounds(&self, act: Act, most: usize) -> Figure {
        let rounds = self.find(1, 60, false, act)?.rounds?;
        Some((number(rounds), rounds <= most))
    }

    fn ratio(&self, gates: usize, act: Act, latency_ms: u64, limited: bool, most: f64) -> Figure {
        let found = self.find(gates, latency_ms, limited, act)?;
        let ratio = found.ratio()?;
        let text = format!("{ratio:.2} ({})", time(found.took.wall));
        Some((text, ratio <= most))
    }

    /// Calls against the fewest: of each account whose role is assumed that role, of each account its identity and all roles
    /// in a page, each function, each pipeline.
    fn fewest(&self, gates: usize, most: f64) -> Figure {
        let found = self.any(gates, Act::Check)?;
        let shape = found.scenario.shape();
        let fewest = 4 * shape.accounts + 2 + shape.pipelines();
        let calls = found.all_calls();
        let ratio = quotient(calls, fewest);
        let text = format!("{ratio:.2} ({} of {})", number(calls), number(fewest));
        Some((text, ratio <= most))
    }

    fn throttled(&self, gates: usize) -> Figure {
        let found = self.find(gates, 20, true, Act::Check)?;
        let (throttled, last) = found.throttled;
        // Half of the run is more than the limiter takes to settle.
        let settled = last * 2 <= found.took.wall;
        let text = match throttled {
            0 => "none".to_owned(),
            n => format!(
                "{n}, the last after {} of {}",
                time(last),
                time(found.took.wall)
            ),
        };
        Some((text, settled))
    }

    /// Ten times the gates against a tenth of them: the worst of all commands.
    fn growth(&self, most: f64, of: impl Fn(&Measure) -> f64) -> Figure {
        let ratios = Act::ALL.into_iter().map(|act| {
            let (many, few) = (self.any(10_000, act)?, self.any(1000, act)?);
            Some((of(many) / of(few), act))
        });
        let ratios: Vec<(f64, Act)> = ratios.collect::<Option<_>>()?;
        let (ratio, act) = ratios.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        Some((format!("{ratio:.1} × ({})", act.name()), ratio <= most))
    }
}

#[allow(clippy::cast_precision_loss)] // Counts of calls are far below 2^52.
fn quotient(a: usize, b: usize) -> f64 {
    a as f64 / b as f64
}

/// What criterion has found for planning so many gates, where `cargo bench --bench decisions` has run before.
fn planning(which: &str) -> Figure {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let file = format!("criterion/plan, {which}/100000/new/estimates.json");
    let file = target.join(file);
    let estimates: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let mean = estimates["mean"]["point_estimate"].as_f64()?;
    let mean = Duration::try_from_secs_f64(mean / 1e9).ok()?;
    Some((time(mean), mean < Duration::from_secs(1)))
}

fn size() -> Figure {
    let bytes = fs::metadata(child::binary()).ok()?.len();
    Some((mebibytes(bytes / 1024), bytes < 20_000_000))
}

/// The table.
pub(crate) fn table(measures: &[Measure], start: Duration) -> String {
    let all = Measured(measures);
    let ms = Duration::from_millis;
    #[allow(clippy::cast_precision_loss)]
    let calls = |measure: &Measure| measure.all_calls() as f64;
    let cpu = |measure: &Measure| measure.took.cpu().as_secs_f64();
    let rows: [(&str, Figure); 19] = [
        (
            "`--version` in under 5 ms",
            Some((time(start), start < ms(5))),
        ),
        (
            "check of one gate, no latency: under 30 ms",
            all.wall(ms(30)),
        ),
        ("the same: under 25 ms of CPU", all.cpu(ms(25))),
        ("binary under 20 MB", size()),
        ("peak memory of one gate under 25 MB", all.peak(1, 25)),
        ("peak memory of 1,000 gates under 60 MB", all.peak(1000, 60)),
        ("check of one gate in 2 rounds", all.rounds(Act::Check, 2)),
        (
            "fresh bootstrap of one gate in 6 rounds",
            all.rounds(Act::Bootstrap, 6),
        ),
        (
            "check of one gate at 60 ms: 1.15 floors",
            all.ratio(1, Act::Check, 60, false, 1.15),
        ),
        (
            "fresh bootstrap of one gate at 60 ms: 1.15 floors",
            all.ratio(1, Act::Bootstrap, 60, false, 1.15),
        ),
        (
            "check of 1,000 gates: 1.1 × the fewest calls",
            all.fewest(1000, 1.1),
        ),
        (
            "check of 1,000 gates with limits: 1.2 floors",
            all.ratio(1000, Act::Check, 20, true, 1.2),
        ),
        (
            "fresh bootstrap of 1,000 gates with limits: 1.2 floors",
            all.ratio(1000, Act::Bootstrap, 20, true, 1.2),
        ),
        (
            "check of 1,000 gates with limits: nothing throttled once settled",
            all.throttled(1000),
        ),
        (
            "calls of 10,000 gates: 11 × those of 1,000",
            all.growth(11.0, calls),
        ),
        (
            "CPU of 10,000 gates: 11 × that of 1,000",
            all.growth(11.0, cpu),
        ),
        (
            "wall of 10,000 gates: 11 × that of 1,000",
            all.growth(11.0, |m| m.took.wall.as_secs_f64()),
        ),
        (
            "planning 100,000 gates in under 1 s: nothing to change",
            planning("in sync"),
        ),
        (
            "the same: all to be made, 310,000 changes",
            planning("fresh"),
        ),
    ];
    let mut text = "| target | measured | met |\n|---|--:|---|\n".to_owned();
    for (target, figure) in rows {
        let (found, met) = figure.unwrap_or_else(|| ("not measured".to_owned(), false));
        let met = if met { "yes" } else { "no" };
        writeln!(text, "| {target} | {found} | {met} |").unwrap();
    }
    text
}
