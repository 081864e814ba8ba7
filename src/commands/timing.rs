//! The real clock, chance and Ctrl-C, for `apply`.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::apply::Timing;
use crate::exit_code::ExitCode;
use crate::output;

/// Real time.
pub(super) struct Clock {
    interrupted: Arc<AtomicBool>,
    began: Instant,
}

impl Clock {
    /// From now on, Ctrl-C asks the apply to stop after what is under way. A second one ends the process at once.
    pub(super) fn listening_to_ctrl_c() -> Self {
        Self::listening(
            "stopping after the calls that are under way; Ctrl-C again stops at once\n",
            ExitCode::Partial,
        )
    }

    /// The same for a command that only looks.
    pub(super) fn listening_to_ctrl_c_quietly() -> Self {
        Self::listening("", ExitCode::Incomplete)
    }

    fn listening(first: &'static str, at_once: ExitCode) -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if flag.swap(true, Ordering::Relaxed) {
                    output::write::notice("stopped at once: a call may be under way\n");
                    std::process::exit(i32::from(at_once.number()));
                }
                output::write::notice(first);
            }
        });
        Self {
            interrupted,
            began: Instant::now(),
        }
    }
}

impl Timing for Clock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(duration)
    }

    fn chance(&self) -> f64 {
        // The standard library's hash keys are random; for jitter that is enough, and spares a dependency.
        let bits = RandomState::new().build_hasher().finish() >> 32;
        f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}
