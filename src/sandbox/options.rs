//! How a sandbox is to behave: clock, faults, seed, port.
//! Values only; who obeys them is no concern of this module.

use std::time::Duration;

use super::limits::RateLimit;

/// How the sandbox's time goes. Signatures and session credentials are always held against the real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockMode {
    /// As the real time.
    Real,
    /// So many times faster: at 1,200, twenty minutes pass in a second.
    Scaled(u32),
    /// As the real time, but whenever nothing runs, straight to the next thing that is due: a time-out of twenty minutes
    /// passes at once. For tests whose callbacks are all made by the sandbox's own functions.
    #[default]
    Jump,
}

/// What goes wrong on purpose. Probabilities are from 0.0 to 1.0 and drawn from the sandbox's seed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Every answer waits so long, real time.
    pub latency: Duration,
    /// The share of calls that are throttled.
    pub throttled: f64,
    /// The share of calls that are answered with a 500 or 503.
    pub broken: f64,
    /// The share of calls whose connection ends: half of them before the call is carried out, half after it.
    pub dropped: f64,
    /// So many reads of a new role, or uses of it as a principal, miss it.
    pub new_role_misses: u32,
    /// For so long, in the sandbox's time, reads of a new role, or uses of it as a principal, miss it.
    pub new_role_unseen: Duration,
    /// The share of GetPipeline answers right after which somebody else edits the pipeline.
    pub edited: f64,
}

/// How a sandbox is started.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SandboxOptions {
    /// Of all ids, orders and faults: the same seed and the same calls give the same answers.
    pub seed: u64,
    /// The time.
    pub clock: ClockMode,
    /// What goes wrong.
    pub faults: Faults,
    /// How often accounts may call; without any, as often as they like.
    pub limits: Vec<RateLimit>,
    /// The port on 127.0.0.1; 0 for a free one.
    pub port: u16,
}
