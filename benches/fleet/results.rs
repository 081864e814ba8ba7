//! The figures as text: a line for each run while they are made, and the page benches/RESULTS.md.
//! It computes nothing but means of showing; what is a target is known to `targets`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crossgate::observe::CALLS_PER_ACCOUNT;

use crate::child;
use crate::floor::LIMITS;
use crate::machine;
use crate::scenario::{Act, Measure};
use crate::targets;

/// A time with three figures: `4.2 ms`, `12.3 s`.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = if seconds < 1.0 {
        (seconds * 1e3, "ms")
    } else {
        (seconds, "s")
    };
    let places = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.places$} {unit}")
}

/// A number with its thousands apart.
pub(crate) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn mebibytes(kib: u64) -> String {
    format!("{} MB", (kib * 1024).div_ceil(1_000_000))
}

fn latency(measure: &Measure) -> String {
    let limits = if measure.scenario.limited {
        ", limits"
    } else {
        ""
    };
    format!("{} ms{limits}", measure.scenario.latency_ms)
}

fn cells(measure: &Measure) -> [String; 10] {
    let (throttled, last) = measure.throttled;
    [
        number(measure.scenario.gates),
        latency(measure),
        measure.act.name().to_owned(),
        time(measure.took.wall),
        measure
            .ratio()
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
        time(measure.took.user),
        time(measure.took.system),
        mebibytes(measure.took.peak_kib),
        match throttled {
            0 => number(measure.all_calls()),
            n => format!(
                "{} ({n} throttled, the last at {})",
                number(measure.all_calls()),
                time(last)
            ),
        },
        measure.rounds.map_or_else(|| "–".to_owned(), number),
    ]
}

/// One run in one line.
pub(crate) fn line(measure: &Measure) -> String {
    let [
        gates,
        latency,
        act,
        wall,
        ratio,
        user,
        system,
        peak,
        calls,
        rounds,
    ] = cells(measure);
    format!(
        "{gates:>6} gates at {latency}: {act}: {wall} ({ratio} floors), {user} user, {system} system, {peak}, {calls} calls, \
         {rounds} rounds"
    )
}

/// The page.
pub(crate) fn page(measures: &[Measure], start: Duration) -> String {
    let mut page = format!(
        "# What crossgate costs\n\n\
         Made by `CROSSGATE_BIN=target/measured cargo bench --bench decisions --bench fleet`, by nobody's hand: the binary \
         ({}), run as a process of its own, against the embedded AWS on the same machine, which answers each call after the latency \
         of the row.\n\nOn {}.\n\n![Cost against gates](results.svg)\n\n## Targets\n\n",
        child::described(),
        machine::line_of()
    );
    page += &targets::table(measures, start);
    write!(
        page,
        "\n## Runs\n\n\
         A pipeline has ten gates, a hundred accounts at most have functions, and one more has the pipelines. Wall is from start to \
         end of the process; floors is wall by floor: the longest chain of calls that need each other's answers by the latency, or what \
         the rate limits let through, whichever is longer. Rounds is the longest chain of calls that was seen, those included \
         that waited for one of the {CALLS_PER_ACCOUNT} places an account has; at latency 0 it says nothing. The embedded AWS has one thread, which \
         alone holds the runs of thousands of gates at latency 0. Up to 20 gates, the median of several runs.\n\n\
         | gates | latency | command | wall | floors | user | system | peak | calls | rounds |\n\
         |--:|--:|---|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    .unwrap();
    for measure in measures {
        writeln!(page, "| {} |", cells(measure).join(" | ")).unwrap();
    }
    page += "\n## Calls by operation\n\n| gates | command | calls |\n|--:|---|---|\n";
    page += &operations(measures);
    page += "\n## Rate limits\n\nOf the rows with limits, in each account by itself:";
    for (service, rate, burst) in LIMITS {
        write!(page, " {service} {rate} a second and {burst} at once;").unwrap();
    }
    page + " AWS publishes Lambda's, the others are from memory.\n"
}

/// Calls do not vary with the latency: each command of each number of gates once.
fn operations(measures: &[Measure]) -> String {
    let mut rows: BTreeMap<(usize, Act), &Measure> = BTreeMap::new();
    for measure in measures.iter().filter(|m| !m.scenario.limited) {
        rows.insert((measure.scenario.gates, measure.act), measure);
    }
    let mut text = String::new();
    for ((gates, act), measure) in rows {
        let one = |(operation, n): (&String, &usize)| {
            let bare = operation
                .split_once(':')
                .map_or(operation.as_str(), |(_, bare)| bare);
            format!("{bare} {}", number(*n))
        };
        let calls: Vec<String> = measure.calls.iter().map(one).collect();
        let (gates, act) = (number(gates), act.name());
        writeln!(text, "| {gates} | {act} | {} |", calls.join(" · ")).unwrap();
    }
    text
}
