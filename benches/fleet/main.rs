//! What a fleet of gates costs: `CROSSGATE_BIN=target/measured cargo bench --bench fleet` runs that binary against the
//! embedded AWS, holds the figures against the targets, and writes benches/RESULTS.md and benches/results.svg. It judges nothing: what
//! must hold is held by tests.
//!
//! `-- --quick` takes two minutes and writes nothing; `-- --gates 1,20 --latency 0,60` chooses; `-- --limits` runs with rate
//! limits only.

// A bench that cannot go on fails, and says where; what it prints is for the person who asked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]
// Shared with the tests, whose crate is another.
#![allow(unreachable_pub)]

mod child;
mod floor;
mod machine;
mod plot;
mod results;
#[path = "../../tests/integration/support/rounds.rs"]
mod rounds;
mod scenario;
mod targets;
mod world;

use std::fs;
use std::path::Path;
use std::time::Instant;

use scenario::{Measure, Scenario};

// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What was asked for.
struct Asked {
    gates: Vec<usize>,
    latencies: Vec<u64>,
    plain: bool,
    /// The gates that are measured with rate limits; empty: none are.
    limited: Vec<usize>,
    write: bool,
}

fn asked(arguments: &[String]) -> Asked {
    let numbers = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        let list = arguments.get(at + 1)?.split(',');
        Some(list.map(|n| n.parse().unwrap()).collect::<Vec<u64>>())
    };
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let quick = has("--quick");
    let default: &[u64] = if quick {
        &[1, 20, 100]
    } else {
        &[1, 20, 100, 1000, 10_000]
    };
    let gates = numbers("--gates");
    let chosen = gates.is_some() || has("--latency");
    let gates = gates.unwrap_or_else(|| default.to_vec());
    let gates: Vec<usize> = gates.iter().map(|n| usize::try_from(*n).unwrap()).collect();
    let latencies =
        numbers("--latency").unwrap_or_else(|| if quick { vec![0, 60] } else { vec![0, 20, 60] });
    let limited = match (has("--limits"), chosen) {
        (true, _) => gates.clone(),
        (false, true) => Vec::new(),
        (false, false) => gates.iter().copied().filter(|n| *n == 1000).collect(),
    };
    Asked {
        gates,
        latencies,
        plain: !has("--limits"),
        limited,
        write: !quick && !chosen && !has("--limits"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--measured", rest)) = arguments
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        std::process::exit(child::measured(rest));
    }
    if arguments.is_empty() {
        // `cargo test --all-targets` only wants to know that it is built.
        return;
    }
    let asked = asked(&arguments);
    let began = Instant::now();
    let start = child::start_up();
    println!("--version: {}", results::time(start));
    let mut measures: Vec<Measure> = Vec::new();
    let plain = asked.latencies.iter().filter(|_| asked.plain);
    let plain = plain.flat_map(|latency| {
        asked
            .gates
            .iter()
            .map(move |gates| (*gates, *latency, false))
    });
    // Rate limits matter with the latency of a real service only.
    let limited = asked.limited.iter().map(|gates| (*gates, 20, true));
    for (gates, latency_ms, limited) in plain.chain(limited) {
        let scenario = Scenario {
            gates,
            latency_ms,
            limited,
        };
        for measure in scenario.run() {
            println!("{}", results::line(&measure));
            measures.push(measure);
        }
    }
    let page = results::page(&measures, start);
    println!("\n{page}\nin {} s", began.elapsed().as_secs());
    let folder = if asked.write {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches")
    } else {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet");
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    fs::write(folder.join("RESULTS.md"), page).unwrap();
    fs::write(folder.join("results.svg"), plot::svg(&measures)).unwrap();
    println!("written to {}", folder.display());
}
