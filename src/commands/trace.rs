//! Logging for `-vv` and `RUST_LOG`, to standard error. Only crossgate's own events: the SDK's could hold request bodies.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::environment::Environment;

/// Starts logging where it was asked for.
pub(super) fn start(verbose: u8, environment: &Environment) {
    let level = match verbose {
        0 | 1 => LevelFilter::OFF,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let asked: Option<Targets> = environment
        .text("RUST_LOG")
        .and_then(|text| text.parse().ok());
    let level = asked
        .and_then(|targets| {
            targets
                .iter()
                .find(|(name, _)| name.starts_with("crossgate"))
                .map(|(_, level)| level)
                .or(targets.default_level())
        })
        .map_or(level, |asked| asked.max(level));
    if level == LevelFilter::OFF {
        return;
    }
    // The SDK's own events are left out whatever was asked for: at debug level they hold headers and bodies.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    let only_ours = Targets::new().with_target("crossgate", level);
    let subscriber = tracing_subscriber::registry().with(only_ours).with(layer);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = subscriber.try_init();
}
