//! Runs the binary as a child of a small process of its own, and says what it took: wall, CPU, peak memory.
//! The process between them is this program again: the kernel counts for a process what all its children took together, and
//! takes the memory of the one that started it for the child's until the child has its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Where the figures go; the binary does not see it.
const FIGURES: &str = "CROSSGATE_BENCH_FIGURES";

/// What a run took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// The peak of resident memory, in KiB (getrusage, ru_maxrss).
    pub(crate) peak_kib: u64,
}

impl Took {
    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }

    /// The peak in MB.
    pub(crate) fn megabytes(&self) -> f64 {
        let kib = u32::try_from(self.peak_kib).unwrap_or(u32::MAX);
        f64::from(kib) * 1024.0 / 1e6
    }
}

/// The binary: `CROSSGATE_BIN`, else the one that cargo built for this bench, which is larger and slower to start than a release.
pub(crate) fn binary() -> String {
    let Ok(chosen) = std::env::var("CROSSGATE_BIN") else {
        return env!("CARGO_BIN_EXE_crossgate").to_owned();
    };
    // Runs have folders of their own.
    let path = std::fs::canonicalize(&chosen).unwrap_or_else(|e| panic!("{chosen}: {e}"));
    path.display().to_string()
}

/// What the binary says that it is, and whether it is the release's.
pub(crate) fn described() -> String {
    let output = Command::new(binary()).arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let profile = std::env::var("CROSSGATE_BIN").map_or_else(
        |_| "as cargo builds it for benches, not the release".to_owned(),
        |path| format!("`{path}`"),
    );
    format!("{version}, {profile}")
}

/// Runs the binary in a folder with exactly these variables; its exit code must be one of these.
pub(crate) fn run(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    arguments: &[&str],
    codes: &[i32],
) -> Took {
    let figures = folder.join("figures");
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("--measured")
        .arg(binary())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .env(FIGURES, &figures)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "crossgate {}: exit {code:?}\n{}\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(&figures).unwrap();
    let mut numbers = text.split(' ').map(|n| n.parse::<u64>().unwrap());
    let mut next = || numbers.next().unwrap();
    Took {
        wall: Duration::from_micros(next()),
        user: Duration::from_micros(next()),
        system: Duration::from_micros(next()),
        peak_kib: next(),
    }
}

/// The process between: runs the program that it is told, writes the figures, and ends as the program did.
pub(crate) fn measured(arguments: &[String]) -> i32 {
    let (program, arguments) = arguments.split_first().unwrap();
    let figures = std::env::var_os(FIGURES).unwrap();
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .env_remove(FIGURES)
        .spawn()
        .unwrap();
    let status = child.wait().unwrap();
    let wall = began.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let text = format!(
        "{} {} {} {}",
        wall.as_micros(),
        usage.user_time().num_microseconds(),
        usage.system_time().num_microseconds(),
        usage.max_rss()
    );
    std::fs::write(figures, text).unwrap();
    status.code().unwrap_or(-1)
}

/// How long `--version` takes: the median of some runs.
pub(crate) fn start_up() -> Duration {
    let folder = tempfile::TempDir::new().unwrap();
    let run = |_| run(folder.path(), &BTreeMap::new(), &["--version"], &[0]).wall;
    let mut walls: Vec<Duration> = (0..21).map(run).collect();
    walls.sort();
    walls[walls.len() / 2]
}
