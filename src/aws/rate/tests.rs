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

/// A request: when it comes to the service, or when its answer comes back and whether it was throttled; when it was sent, and how
/// many attempts of its call that makes.
type UnderWay = (Duration, Option<bool>, Duration, u32);

/// Sends `calls` calls, `side_by_side` at most, each tried until it is accepted. An answer takes `latency`; half of it there.
fn simulate(
    rate: &mut Rate,
    service: impl Fn(Duration) -> Service,
    calls: u32,
    side_by_side: usize,
    latency: Duration,
) -> Course {
    let steady = || latency / 2;
    simulate_chance(rate, service, calls, side_by_side, steady, || {
        Duration::ZERO
    })
}

/// The same with chance in it: how long each way takes, and each pause after a throttled answer.
fn simulate_chance(
    rate: &mut Rate,
    service: impl Fn(Duration) -> Service,
    calls: u32,
    side_by_side: usize,
    mut way: impl FnMut() -> Duration,
    mut pause: impl FnMut() -> Duration,
) -> Course {
    let mut waiting: VecDeque<u32> =
        std::iter::repeat_n(1, usize::try_from(calls).unwrap()).collect();
    let mut events: BinaryHeap<Reverse<UnderWay>> = BinaryHeap::new();
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
    while !waiting.is_empty() || !events.is_empty() {
        let mut next = events.peek().map(|Reverse((at, ..))| *at);
        if events.len() < side_by_side
            && let Some(attempt) = waiting.front().copied()
        {
            match rate.take(now) {
                Ok(()) => {
                    waiting.pop_front();
                    course.attempts = course.attempts.max(attempt);
                    events.push(Reverse((now + way(), None, now, attempt)));
                    continue;
                }
                Err(wait) => next = Some(next.map_or(now + wait, |at| at.min(now + wait))),
            }
        }
        now = next.unwrap().max(now);
        while let Some(Reverse((at, answer, sent, attempt))) = events.peek().copied()
            && at <= now
        {
            events.pop();
            match answer {
                None => {
                    let Service { rate: flow, burst } = service(at);
                    tokens = (tokens + at.saturating_sub(filled).as_secs_f64() * flow).min(burst);
                    filled = at;
                    let throttled = tokens < 1.0;
                    if !throttled {
                        tokens -= 1.0;
                    }
                    course.sent.push((sent, throttled));
                    events.push(Reverse((at + way(), Some(throttled), sent, attempt)));
                }
                Some(true) => {
                    rate.throttled(sent, now);
                    rate.pause(now + pause());
                    waiting.push_back(attempt + 1);
                }
                Some(false) => rate.accepted(sent, now),
            }
        }
    }
    course.sent.sort_unstable();
    course.ended = now;
    course
}

/// Numbers from 0 to 1, always the same ones.
fn chance(seed: u32) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(u32::MAX >> 8)
    }
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
        // A bucket that holds less than a second's flow flows over while the limit is searched, and one of one token all the time.
        if burst >= flow {
            assert!(
                share >= if burst > 1.0 { 0.9 } else { 0.6 },
                "{flow}: {share}"
            );
        }
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
    1/s, bucket 1: 18 of 35 throttled, the last after 17.5 s, then at 68 % of the rate, 3 attempts at most
    2/s, bucket 4: 13 of 50 throttled, the last after 3.3 s, then at 105 % of the rate, 2 attempts at most
    5/s, bucket 5: 13 of 102 throttled, the last after 8.9 s, then at 100 % of the rate, 2 attempts at most
    10/s, bucket 20: 13 of 201 throttled, the last after 1.0 s, then at 97 % of the rate, 2 attempts at most
    15/s, bucket 15: 4 of 271 throttled, the last after 4.1 s, then at 94 % of the rate, 2 attempts at most
    50/s, bucket 100: 7 of 947 throttled, the last after 0.5 s, then at 92 % of the rate, 2 attempts at most
    100/s, bucket 10: 10 of 1700 throttled, the last after 4.9 s, then at 94 % of the rate, 2 attempts at most
    ");
}

/// What `crossgate check` and `bootstrap` ask of one account in one go, with no more known of the service than its answers.
#[test]
fn a_batch_takes_hardly_longer_than_the_service_needs() {
    for (flow, burst, calls) in [
        (10.0, 20.0, 100),
        (10.0, 20.0, 300),
        (15.0, 30.0, 130),
        (15.0, 30.0, 400),
        (50.0, 100.0, 400),
    ] {
        let floor = (f64::from(calls) - burst) / flow;
        for latency in [5, 20, 100].map(Duration::from_millis) {
            // Each way takes as long as another, or up to a third more or less.
            for jitter in [0.0, 0.3] {
                for seed in 0..10 {
                    let (mut way, mut pause) = (chance(seed), chance(seed + 1000));
                    let course = simulate_chance(
                        &mut Rate::default(),
                        steady(flow, burst),
                        calls,
                        32,
                        || (latency / 2).mul_f64(1.0 + jitter * (2.0 * way() - 1.0)),
                        // As at the gate; one batch in ten does without.
                        || {
                            Duration::from_millis(100).mul_f64(if seed == 0 {
                                0.0
                            } else {
                                pause()
                            })
                        },
                    );
                    let case = format!(
                        "{calls} calls, {flow}/s, {latency:?}, jitter {jitter}, seed {seed}: {:.3} floors, {} throttled, the last at {:?}",
                        course.ended.as_secs_f64() / floor,
                        course.throttled(),
                        course.last_throttled(),
                    );
                    assert!(course.ended.as_secs_f64() <= 1.15 * floor, "{case}");
                    assert!(course.last_throttled() <= course.ended / 2, "{case}");
                    // 32 at once, less what the bucket held, and what the search takes.
                    assert!(course.throttled() <= 40, "{case}");
                    assert!(course.attempts <= 3, "{case}");
                }
            }
        }
    }
}

#[test]
fn answers_in_any_order_do_not_make_a_burst_look_like_a_rate() {
    let mut rate = Rate::default();
    for _ in 0..32 {
        rate.take(Duration::ZERO).unwrap();
    }
    let at = |n: u32| Duration::from_millis(20) + Duration::from_micros(100) * n;
    // The throttled ones are answered first.
    for n in 0..12 {
        rate.throttled(Duration::ZERO, at(n));
    }
    for n in 12..32 {
        rate.accepted(Duration::ZERO, at(n));
    }
    assert_eq!(rate.accepted, 0);
    // A bucket of two seconds' flow took twenty.
    let limit = rate.limit.unwrap();
    assert!((8.0..10.0).contains(&limit), "{limit}");
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
