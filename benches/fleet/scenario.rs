//! The story of a fleet: bootstrap, check, verify, drift, teardown, each measured.
//! What runs several times gives the run of the median wall.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crossgate::sandbox::{CallRecord, RateLimit, SandboxOptions};

use crate::child::{self, Took};
use crate::floor;
use crate::rounds::rounds;
use crate::world::{Fleet, Shape};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Bootstrap,
    Check,
    Drift,
    Verify,
    Teardown,
}

impl Act {
    pub(crate) const ALL: [Self; 5] = [
        Self::Bootstrap,
        Self::Check,
        Self::Drift,
        Self::Verify,
        Self::Teardown,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "fresh bootstrap",
            Self::Check => "check, no change",
            Self::Drift => "check, one drift",
            Self::Verify => "verify",
            Self::Teardown => "teardown",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Bootstrap => &["bootstrap", "--yes"],
            Self::Check | Self::Drift => &["check"],
            Self::Verify => &["verify"],
            Self::Teardown => &["teardown", "--yes"],
        }
    }

    fn codes(self) -> &'static [i32] {
        match self {
            Self::Bootstrap | Self::Check | Self::Teardown => &[0],
            Self::Drift => &[3],
            // Without an organization to look at, a proof may be incomplete.
            Self::Verify => &[0, 4],
        }
    }
}

/// Under what a fleet is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) gates: usize,
    pub(crate) latency_ms: u64,
    pub(crate) limited: bool,
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    pub(crate) scenario: Scenario,
    pub(crate) act: Act,
    pub(crate) took: Took,
    /// Calls by service and operation.
    pub(crate) calls: BTreeMap<String, usize>,
    /// The longest chain of calls that waited for one another, for the rate as well as for an answer; none without latency.
    pub(crate) rounds: Option<usize>,
    /// The throttled calls, and when the last of them was, after the first call.
    pub(crate) throttled: (usize, Duration),
    /// What it cannot be faster than; none: nothing holds it.
    pub(crate) floor: Option<Duration>,
}

impl Measure {
    pub(crate) fn all_calls(&self) -> usize {
        self.calls.values().sum()
    }

    /// The wall, in floors.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let floor = self.floor.filter(|floor| !floor.is_zero())?;
        Some(self.took.wall.as_secs_f64() / floor.as_secs_f64())
    }
}

impl Scenario {
    pub(crate) fn shape(self) -> Shape {
        Shape::of(self.gates)
    }

    /// How often the whole story is told, and how often what changes nothing runs in each.
    fn repeats(self) -> (usize, usize) {
        match self.gates {
            0..=20 => (3, 5),
            21..=100 => (1, 3),
            _ => (1, 1),
        }
    }

    pub(crate) fn run(self) -> Vec<Measure> {
        let (stories, runs) = self.repeats();
        let limits = floor::LIMITS.iter().filter(|_| self.limited);
        let limits = limits.map(|(service, rate, burst)| RateLimit::of(service, *rate, *burst));
        let options = SandboxOptions {
            limits: limits.collect(),
            ..SandboxOptions::default()
        };
        let fleet = Fleet::new(self.shape(), options);
        fleet.set_latency(Duration::from_millis(self.latency_ms));
        let mut all: BTreeMap<Act, Vec<Measure>> = BTreeMap::new();
        let mut act = |act: Act, runs: usize| {
            for _ in 0..runs {
                let measure = self.measure(&fleet, act);
                all.entry(act).or_default().push(measure);
            }
        };
        for _ in 0..stories {
            act(Act::Bootstrap, 1);
            act(Act::Check, runs);
            act(Act::Verify, runs);
            fleet.drift();
            act(Act::Drift, runs);
            act(Act::Teardown, 1);
        }
        let median = |mut measures: Vec<Measure>| {
            measures.sort_by_key(|measure| measure.took.wall);
            measures.swap_remove(measures.len() / 2)
        };
        all.into_values().map(median).collect()
    }

    fn measure(self, fleet: &Fleet, act: Act) -> Measure {
        if self.limited {
            thread::sleep(floor::refill());
        }
        let took = child::run(
            fleet.folder.path(),
            &fleet.variables,
            act.arguments(),
            act.codes(),
        );
        let made = fleet.take_calls();
        assert!(made.len() < 100_000, "the sandbox has forgotten calls");
        let mut counted = BTreeMap::new();
        for call in &made {
            let operation = format!("{}:{}", call.service, call.operation);
            *counted.entry(operation).or_default() += 1;
        }
        Measure {
            scenario: self,
            act,
            took,
            rounds: (self.latency_ms > 0)
                .then(|| rounds(made.iter().map(|call| (call.began, call.at)))),
            throttled: throttled(&made),
            floor: floor::floor(self, act, &made),
            calls: counted,
        }
    }
}

fn throttled(calls: &[CallRecord]) -> (usize, Duration) {
    let first = calls
        .iter()
        .map(|call| call.began)
        .min()
        .unwrap_or_default();
    let is = |call: &&CallRecord| {
        let code = call.error.as_deref().unwrap_or_default();
        code.contains("Throttl") || code.contains("TooManyRequests")
    };
    let last = calls.iter().filter(is).map(|call| call.at).max();
    let after = last.map_or(Duration::ZERO, |at| at.saturating_sub(first));
    (calls.iter().filter(is).count(), after)
}
