//! Many points on a few threads, each with a stage of its own; all failures are kept, and counted aloud.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::stage::Stage;

/// Plays every point, and gives what went wrong.
pub(super) fn each<P: Sync>(
    points: &[P],
    workers: usize,
    play: impl Fn(&mut Stage, &P) -> Result<(), String> + Sync,
) -> Vec<String> {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..workers.min(points.len()) {
            scope.spawn(|| {
                let mut stage = Stage::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(point) = points.get(n) else { break };
                    if n > 0 && n.is_multiple_of(500) {
                        tell(&format!("{n} of {} points", points.len()));
                    }
                    let played = catch_unwind(AssertUnwindSafe(|| play(&mut stage, point)));
                    let failure = match played {
                        Ok(Ok(())) => continue,
                        Ok(Err(failure)) => failure,
                        Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_default(),
                    };
                    // Said at once: a full matrix takes its time.
                    tell(failure.lines().next().unwrap_or_default());
                    failures.lock().unwrap().push(failure);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    tell(&format!(
        "{} points in {} s",
        points.len(),
        begun.elapsed().as_secs()
    ));
    failures
}

/// How many points there were, and how many came to where they shall.
pub(super) struct Tally {
    what: &'static str,
    points: usize,
    failed: usize,
}

impl Tally {
    pub(super) fn new<P>(what: &'static str, points: &[P], failures: &[String]) -> Self {
        Self {
            what,
            points: points.len(),
            failed: failures.len(),
        }
    }

    pub(super) fn say(&self, more: &str) {
        let Self {
            what,
            points,
            failed,
        } = self;
        tell(&format!(
            "{what} points {points}, converged {}, {more}",
            points - failed
        ));
    }
}

/// For whoever asked for the counts with `--nocapture`.
#[allow(clippy::print_stderr)]
fn tell(text: &str) {
    eprintln!("{text}");
}
