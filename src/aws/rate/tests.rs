//! The limit against services that are simulated: token buckets, a number of callers side by side, no clock but a number.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// A token bucket, as services have it.
#[derive(Debug, Clone, Copy)]
struct Service {
    rate: f64,
    burst: f64,
}

/// What callers saw: each request's moment, and whether it was throttled.
struct Course {
    sent: Vec<(Duration, bool)>,
    /// The most attempts of one call.
    attempts: u32,
    ended: Duration,
}

impl Course {
    fn throttled(&self) -> usize {
        self.sent.iter().filter(|(_, throttled)| *throttled).count()
    }

    fn last_throttled(&self) -> Duration {
        let found = self.sent.iter().rev().find(|(_, throttled)| *throttled);
        found.map_or(Duration::ZERO, |(at, _)| *at)
    }

    fn rate_after(&self, moment: Duration) -> f64 {
        let after = self.sent.iter().filter(|(at, _)| *at >= moment).count();
        let seconds = self.ended.saturating_sub(moment).as_secs_f64();
        f64::from(u32::try_from(after).unwrap()) / seconds
    }
}

/// Sends `calls` calls, `side_by_side` at most, each tried until it is accepted. An answer takes `latency`; half of it there.
fn simulate(
    rate: &mut Rate,
    service: impl Fn(Duration) -> Service,
    calls: u32,
    side_by_side: usize,
    latency: Duration,
) -> Course {
    let mut waiting: VecDeque<u32> =
        std::iter::repeat_n(1, usize::try_from(calls).unwrap()).collect();
    let mut answers: BinaryHeap<Reverse<(Duration, Duration, bool, u32)>> = BinaryHeap::new();
    let (mut now, mut tokens, mut filled) = (
        Duration::ZERO,
        service(Duration::ZERO).burst,
        Duration::ZERO,
    );
    let mut course = Course {
        sent: Vec::new(),
        attempts: 0,
        ended: now,
    };
    while !waiting.is_empty() || !answers.is_empty() {
        let mut next = answers.peek().map(|Reverse((at, ..))| *at);
        if answers.len() < side_by_side
            && let Some(attempt) = waiting.front().copied()
        {
            match rate.take(now) {
                Ok(()) => {
                    waiting.pop_front();
                    let there = now + latency / 2;
                    let Service { rate: flow, burst } = service(there);
                    tokens =
                        (tokens + there.saturating_sub(filled).as_secs_f64() * flow).min(burst);
                    filled = there;
                    let throttled = tokens < 1.0;
                    if !throttled {
                        tokens -= 1.0;
                    }
                    course.sent.push((now, throttled));
                    course.attempts = course.attempts.max(attempt);
                    answers.push(Reverse((now + latency, now, throttled, attempt)));
                    continue;
                }
                Err(wait) => next = Some(next.map_or(now + wait, |at| at.min(now + wait))),
            }
        }
        now = next.unwrap().max(now);
        while let Some(Reverse((at, sent, throttled, attempt))) = answers.peek().copied()
            && at <= now
        {
            answers.pop();
            if throttled {
                rate.throttled(sent, now);
                waiting.push_back(attempt + 1);
            } else {
                rate.accepted(sent, now);
            }
        }
    }
    course.ended = now;
    course
}

const LATENCY: Duration = Duration::from_millis(20);

fn steady(rate: f64, burst: f64) -> impl Fn(Duration) -> Service {
    move |_| Service { rate, burst }
}

#[test]
fn nothing_waits_before_the_first_throttling() {
    let mut rate = Rate::default();
    for n in 0..1000 {
        assert_eq!(rate.take(Duration::from_millis(n)), Ok(()));
        rate.accepted(Duration::from_millis(n), Duration::from_millis(n));
    }
}

#[test]
fn it_settles_below_the_services_rate_and_then_nothing_is_throttled() {
    let mut told = String::new();
    for (flow, burst) in [
        (1.0, 1.0),
        (2.0, 4.0),
        (5.0, 5.0),
        (10.0, 20.0),
        (15.0, 15.0),
        (50.0, 100.0),
        (100.0, 10.0),
    ] {
        let mut rate = Rate::default();
        // Less than the quiet time after which more is tried.
        let seconds = 28.0;
        let calls = flow * seconds * 0.6 + burst;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let course = simulate(&mut rate, steady(flow, burst), calls as u32, 16, LATENCY);
        let last = course.last_throttled();
        let share = course.rate_after(last) / flow;
        writeln!(
            told,
            "{flow}/s, bucket {burst}: {} of {} throttled, the last after {:.1} s, then at {:.0} % of the rate, {} attempts at most",
            course.throttled(),
            course.sent.len(),
            last.as_secs_f64(),
            share * 100.0,
            course.attempts,
        )
        .unwrap();
    }
    insta::assert_snapshot!(told, @r"
    1/s, bucket 1: 18 of 35 throttled, the last after 17.5 s, then at 50 % of the rate, 3 attempts at most
    2/s, bucket 4: 14 of 51 throttled, the last after 6.3 s, then at 89 % of the rate, 2 attempts at most
    5/s, bucket 5: 12 of 101 throttled, the last after 2.3 s, then at 82 % of the rate, 2 attempts at most
    10/s, bucket 20: 14 of 202 throttled, the last after 1.2 s, then at 83 % of the rate, 2 attempts at most
    15/s, bucket 15: 2 of 269 throttled, the last after 0.8 s, then at 79 % of the rate, 2 attempts at most
    50/s, bucket 100: 8 of 948 throttled, the last after 0.7 s, then at 84 % of the rate, 2 attempts at most
    100/s, bucket 10: 9 of 1699 throttled, the last after 3.3 s, then at 92 % of the rate, 2 attempts at most
    ");
}

#[test]
fn throttled_answers_to_one_burst_lower_the_limit_once() {
    let mut rate = Rate::default();
    let now = Duration::from_millis(20);
    for _ in 0..16 {
        rate.take(Duration::ZERO).unwrap();
    }
    for _ in 0..16 {
        rate.throttled(Duration::ZERO, now);
    }
    assert_eq!(rate.limit, Some(FIRST_LEAST));
}

#[test]
fn a_service_that_takes_more_again_gets_more_again() {
    let mut rate = Rate::default();
    // Somebody else uses most of it for twenty seconds.
    let shared = |at: Duration| Service {
        rate: if at < Duration::from_secs(20) {
            2.0
        } else {
            20.0
        },
        burst: 2.0,
    };
    let course = simulate(&mut rate, shared, 2000, 16, LATENCY);
    let late = course.rate_after(course.ended.saturating_sub(Duration::from_secs(10)));
    assert!(late > 14.0, "{late}");
}

#[test]
fn looks_for_more_become_rare() {
    let mut rate = Rate::default();
    let course = simulate(&mut rate, steady(10.0, 10.0), 6000, 16, LATENCY);
    let minute = |n: u64| Duration::from_secs(60 * n);
    let between = |from: u64, to: u64| {
        let within = |at: &Duration| (minute(from)..minute(to)).contains(at);
        course
            .sent
            .iter()
            .filter(|(at, throttled)| *throttled && within(at))
            .count()
    };
    assert!(between(5, 10) <= 3, "{}", between(5, 10));
    assert!(course.rate_after(minute(5)) > 8.0);
}

#[test]
fn a_service_that_takes_nothing_is_given_up_and_asked_again_later() {
    let mut rate = Rate::default();
    let (mut now, mut asked) = (Duration::ZERO, 0);
    while !rate.is_hopeless(now) {
        match rate.take(now) {
            Ok(()) => {
                asked += 1;
                rate.throttled(now, now);
            }
            Err(wait) => now += wait,
        }
    }
    assert_eq!(asked, MOST_REFUSED);
    let seconds = now.as_secs_f64();
    assert!((14.0..20.0).contains(&seconds), "{seconds}");
    // Nobody asks for a while; then one may, and says what holds.
    now += RESPITE;
    assert!(!rate.is_hopeless(now));
    assert_eq!(rate.take(now), Ok(()));
    rate.throttled(now, now);
    assert!(rate.is_hopeless(now));
    now += RESPITE;
    assert_eq!(rate.take(now), Ok(()));
    rate.accepted(now, now);
    assert!(!rate.is_hopeless(now));
}

#[test]
fn a_pause_that_the_service_asks_for_holds_everything() {
    let mut rate = Rate::default();
    rate.pause(Duration::from_secs(3));
    assert_eq!(
        rate.take(Duration::from_secs(1)),
        Err(Duration::from_secs(2))
    );
    // An earlier end does not shorten it.
    rate.pause(Duration::from_secs(2));
    assert_eq!(
        rate.take(Duration::from_secs(1)),
        Err(Duration::from_secs(2))
    );
    assert_eq!(rate.take(Duration::from_secs(3)), Ok(()));
}

proptest! {
    /// Whatever the service: calls are tried a few times at most, and the rate in the end is most of the service's.
    #[test]
    fn no_service_makes_it_throttled_without_end(
        flow in 0.6_f64..200.0,
        burst in 2.0_f64..200.0,
        side_by_side in 1_usize..32,
        latency in 1_u64..200,
    ) {
        let mut rate = Rate::default();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let calls = (burst + flow * 30.0) as u32;
        let course = simulate(&mut rate, steady(flow, burst), calls, side_by_side, Duration::from_millis(latency));
        prop_assert!(course.attempts <= 5, "{} attempts", course.attempts);
        prop_assert!(course.throttled() <= 3 * side_by_side + 20, "{} throttled", course.throttled());
    }
}
