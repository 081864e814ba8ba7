//! What no program could be faster than: the longest chain of calls that need each other's answers, and what the rate limits let through.
//! Reasons only; nothing is measured here.

use std::collections::BTreeMap;
use std::time::Duration;

use crossgate::sandbox::CallRecord;

use crate::scenario::{Act, Scenario};

/// A rate limit of a service in each account: calls a second, and calls at once. What AWS allows is told for Lambda only (quotas:
/// 15 requests a second for the control plane); the others are guesses of the same order, from memory of throttled scripts.
pub(crate) const LIMITS: [(&str, f64, f64); 4] = [
    ("iam", 15.0, 30.0),
    ("sts", 50.0, 100.0),
    ("codepipeline", 10.0, 20.0),
    ("lambda", 15.0, 15.0),
];

/// How long the longest bucket takes to fill. The floor lets every run have full ones: one that begins right after another would be held
/// against what the other has used up.
pub(crate) fn refill() -> Duration {
    let times = LIMITS.iter().map(|(_, rate, burst)| burst / rate);
    Duration::from_secs_f64(times.fold(0.0, f64::max))
}

/// The fewest calls one after another that the act needs.
///
/// - A check reads the pipeline, which alone names the service role, then that role's policy. What is reached through a role
///   needs that role's credentials first, and the function before its execution role's policy, unless all roles are listed.
/// - A policy that is to be put is counted against the role's limit, with its other policies: their names, which are asked for with the
///   second call, and then their sizes.
/// - A bootstrap reads so, makes the role, gives it and the others their policies, and then changes the pipeline; which is read once
///   more meanwhile, as UpdatePipeline overwrites whatever came between.
/// - A check that finds a policy missing counts too: whether it fits is part of what it says.
/// - A proof reads which roles there are, their policies' names, and then each policy.
/// - A teardown reads, takes the action out of the pipeline, which is read once more, takes the policies from the roles, and then
///   removes the role.
pub(crate) fn chain(act: Act) -> u32 {
    match act {
        Act::Check => 2,
        Act::Verify => 3,
        Act::Drift => 4,
        Act::Bootstrap | Act::Teardown => 6,
    }
}

/// The longer of both; none where neither holds it.
pub(crate) fn floor(scenario: Scenario, act: Act, calls: &[CallRecord]) -> Option<Duration> {
    let latency = Duration::from_millis(scenario.latency_ms);
    let chain = latency * chain(act);
    let rate = if scenario.limited {
        by_rate(calls)
    } else {
        Duration::ZERO
    };
    Some(chain.max(rate)).filter(|floor| !floor.is_zero())
}

/// How long the calls that were accepted take by the limits: in each account and service, what is beyond the burst, by the rate.
fn by_rate(calls: &[CallRecord]) -> Duration {
    let mut counted: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let accepted = calls.iter().filter(|call| {
        let code = call.error.as_deref().unwrap_or_default();
        !code.contains("Throttl") && !code.contains("TooManyRequests")
    });
    for call in accepted {
        *counted.entry((&call.account, &call.service)).or_default() += 1.0;
    }
    let times = counted.into_iter().filter_map(|((_, service), calls)| {
        let (_, rate, burst) = LIMITS.iter().find(|(name, ..)| *name == service)?;
        Duration::try_from_secs_f64((calls - burst).max(0.0) / rate).ok()
    });
    times.max().unwrap_or_default()
}
