//! Logging for `-vv` and `RUST_LOG`, to standard error. Only crossgate's own events: the SDK's could hold request bodies.

use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::environment::Environment;
use crate::output;

/// The target of this crate's events.
const OURS: &str = "crossgate";

/// Starts logging where it was asked for.
pub(super) fn start(verbose: u8, environment: &Environment) {
    let level = match verbose {
        0 | 1 => LevelFilter::OFF,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let asked = environment.text("RUST_LOG").unwrap_or_default();
    let asked = read(&asked).unwrap_or_else(|error| {
        output::write::notice(&format!("warning: RUST_LOG is not understood: {error}\n"));
        Targets::new()
    });
    let only_ours = ours(&asked, level);
    if only_ours.iter().all(|(_, level)| level == LevelFilter::OFF) {
        return;
    }
    // The SDK's own events are left out whatever was asked for: at debug level they hold headers and bodies.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    let subscriber = tracing_subscriber::registry().with(only_ours).with(layer);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = subscriber.try_init();
}

/// RUST_LOG; an empty one asks for nothing, though the parser would take it for a target without a name, at every level.
fn read(asked: &str) -> Result<Targets, ParseError> {
    match asked.trim() {
        "" => Ok(Targets::new()),
        asked => asked.parse(),
    }
}

/// What RUST_LOG asks of this crate, and at least `level`. A level without a name is meant for everything, so for us too.
fn ours(asked: &Targets, level: LevelFilter) -> Targets {
    let of_us = |name: &str| name == OURS || name.starts_with("crossgate::");
    let general = asked.default_level().unwrap_or(LevelFilter::OFF);
    let mut targets = Targets::new().with_target(OURS, general.max(level));
    for (name, asked) in asked.iter().filter(|(name, _)| of_us(name)) {
        targets = targets.with_target(name, asked.max(level));
    }
    targets
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tracing_subscriber::filter::LevelFilter as L;

    use super::*;

    fn level(asked: &str, target: &str, level: LevelFilter) -> Option<LevelFilter> {
        let targets = ours(&read(asked).unwrap(), level);
        [L::TRACE, L::DEBUG, L::INFO, L::WARN, L::ERROR]
            .into_iter()
            .find(|level| {
                let level = level.into_level().unwrap();
                targets.would_enable(target, &level)
            })
    }

    #[test]
    fn rust_log_asks_for_more_and_never_for_the_sdk() {
        let aws = "crossgate::aws";
        assert_eq!(level("", aws, L::OFF), None);
        assert_eq!(level("", aws, L::DEBUG), Some(L::DEBUG));
        assert_eq!(level("debug", aws, L::OFF), Some(L::DEBUG));
        assert_eq!(level("crossgate=trace", aws, L::OFF), Some(L::TRACE));
        assert_eq!(level("crossgate::aws=debug", aws, L::OFF), Some(L::DEBUG));
        assert_eq!(
            level("crossgate::aws=debug", "crossgate::plan", L::OFF),
            None
        );
        assert_eq!(level("info,crossgate=debug", aws, L::OFF), Some(L::DEBUG));
        assert_eq!(level("crossgate=off", aws, L::DEBUG), Some(L::DEBUG));
        for asked in ["trace", "aws_smithy_runtime=trace", "crossgate_evil=trace"] {
            for target in ["aws_smithy_runtime", "hyper"] {
                assert_eq!(level(asked, target, L::OFF), None, "{asked}: {target}");
            }
        }
    }
}
