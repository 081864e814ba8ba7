//! How fast one service of one account may be asked, learnt from the answers in which it asks to slow down.
//! Pure: the time is passed in; nothing here waits, sends or reads an answer.

use std::time::Duration;

/// Requests a second below which no limit goes: something must be sent to learn that the service has recovered.
const LEAST: f64 = 0.5;
/// The least first guess: what was answered before the first throttling may have been answered by a bucket that was half empty.
const FIRST_LEAST: f64 = 2.0;
/// The share of the rate before the first throttling that is tried next: buckets mostly hold a second of their flow or two.
const FIRST: f64 = 0.8;
/// So much faster after each accepted request that had to wait, while the limit is searched: twice as fast after nine of them.
const SEARCH: f64 = 0.08;
/// But never twice as fast in less: answers take a while, and what is sent meanwhile is too much already.
const DOUBLED: Duration = Duration::from_millis(500);
/// The same at the beginning of a gentle search, which gets bolder by this factor with each request.
const GENTLE: f64 = 0.01;
const BOLDER: f64 = 1.1;
/// Accepted requests between two throttled ones from which the service's rate is taken; fewer say too little.
const ENOUGH: u32 = 5;
/// The least share of the limit that a learnt rate must be: a service with a small bucket flows over while the limit is low, and
/// less is accepted than flows.
const TRUSTED: f64 = 0.4;
/// The share of the learnt rate that is used. The rest is what keeps the network's jitter from emptying the service's bucket.
const MARGIN: f64 = 0.95;
/// What is left of a limit that had settled, and is too high now.
const CUT: f64 = 0.7;
/// What is left of one where too little is known.
const HALF: f64 = 0.5;
/// How long nothing may be throttled before more is tried; it doubles each time that more was too much.
const QUIET: Duration = Duration::from_secs(30);
const QUIET_MOST: Duration = Duration::from_mins(10);
/// The shortest time over which the rate before the first throttling is counted: a burst of milliseconds is no rate.
const BURST: Duration = Duration::from_secs(1);
/// Throttled answers in a row, each to a request that waited for the limit as the one before had lowered it, after which nothing
/// more is asked: about a quarter of a minute, in which a service that has anything to give takes seven requests.
pub(super) const MOST_REFUSED: u32 = 10;
/// After so long one more is asked all the same.
const RESPITE: Duration = Duration::from_secs(30);

/// The limit of one service in one region of one account. Moments are times since any one start.
///
/// AWS counts requests with a token bucket (Amazon EC2 developer guide, "Request throttling", and others; that IAM and `CodePipeline`
/// do is from memory). At a throttled answer that bucket is empty. So what was accepted between two throttled answers is what
/// flowed into it: the service's rate. The limit is searched upwards until a second throttled answer gives that rate, and then
/// stays just below it: no call is throttled any more, where a limit that is raised all the time would run into the service's
/// again and again. Only after a quiet time is more tried, gently, in case others used a part of the rate before.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    /// Requests a second; none before the first throttling: then nothing waits.
    limit: Option<f64>,
    /// By how much an accepted request raises the limit; zero: it has settled.
    growth: f64,
    /// Where the limit had settled before the search that is under way; zero: nowhere.
    safe: f64,
    /// The search began at a throttled answer: the service's bucket was empty.
    from_empty: bool,
    /// A request had to wait since the limit was raised last: one that holds nobody up says nothing.
    binding: bool,
    /// What may be sent at once, 1 at most: requests are spaced evenly. Negative: a debt.
    tokens: f64,
    refilled: Duration,
    /// The service said when to come again (`Retry-After`).
    not_before: Duration,
    /// Since when `accepted` is counted: the first request, then the last throttled answer.
    mark: Option<Duration>,
    accepted: u32,
    /// When the limit was last lowered: throttled answers to what was sent before say nothing new.
    cut: Duration,
    /// How often it was lowered since anything was accepted.
    refused: u32,
    quiet: Duration,
}

impl Rate {
    /// Whether the service takes nothing at all: what still waits for it may as well be told so.
    pub(super) fn is_hopeless(&self, now: Duration) -> bool {
        self.refused >= MOST_REFUSED && now.saturating_sub(self.cut) < RESPITE
    }

    /// Asks to send one request: it may be sent now, or asked again after so long.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if now < self.not_before {
            return Err(self.not_before.saturating_sub(now));
        }
        self.mark.get_or_insert(now);
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let flown = now.saturating_sub(self.refilled).as_secs_f64() * limit;
        self.tokens = (self.tokens + flown).min(1.0);
        self.refilled = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        self.binding = true;
        let missing = (1.0 - self.tokens) / limit;
        // At least a millisecond: a rest that is lost in rounding must not make the caller ask without end.
        Err(Duration::from_secs_f64(missing).max(Duration::from_millis(1)))
    }

    /// A request that was sent at `sent` was answered, with whatever but a throttling.
    pub(super) fn accepted(&mut self, sent: Duration, now: Duration) {
        self.refused = 0;
        if self.mark.is_some_and(|mark| sent >= mark) {
            self.accepted = self.accepted.saturating_add(1);
        }
        // What was sent before the limit fell says nothing of the new one.
        if sent < self.cut || !std::mem::take(&mut self.binding) {
            return;
        }
        if self.growth <= 0.0 {
            if now.saturating_sub(self.cut) < self.quiet {
                return;
            }
            self.growth = GENTLE;
            self.from_empty = false;
        }
        let (growth, fastest) = (self.growth, std::f64::consts::LN_2 / DOUBLED.as_secs_f64());
        self.limit = self
            .limit
            .map(|limit| limit * (1.0 + growth.min(fastest / limit)));
        self.growth = (self.growth * BOLDER).min(SEARCH);
    }

    /// A request that was sent at `sent` was throttled.
    pub(super) fn throttled(&mut self, sent: Duration, now: Duration) {
        let since = now.saturating_sub(self.mark.unwrap_or(now)).as_secs_f64();
        let accepted = f64::from(self.accepted);
        match self.limit {
            None => {
                let before = accepted / since.max(BURST.as_secs_f64());
                self.lower(now, (before * FIRST).max(FIRST_LEAST), SEARCH);
                self.quiet = QUIET;
            }
            Some(_) if sent < self.cut => {}
            Some(limit) if self.growth <= 0.0 => {
                self.safe = 0.0;
                self.lower(now, limit * CUT, GENTLE);
            }
            Some(limit) if !self.from_empty => {
                self.quiet = self.quiet.saturating_mul(2).min(QUIET_MOST);
                self.lower(now, self.safe.max(limit * HALF), GENTLE);
            }
            Some(limit) => {
                // The bucket may have held a part of a token more at the first end than at the second.
                let learnt = match self.accepted {
                    ENOUGH.. => (accepted - 1.0) / since,
                    _ => 0.0,
                };
                if learnt >= limit * TRUSTED {
                    self.safe = learnt * MARGIN;
                    self.lower(now, self.safe, 0.0);
                } else {
                    self.lower(now, limit * HALF, SEARCH);
                }
            }
        }
        self.mark = Some(now);
        self.accepted = 0;
    }

    /// The service says when to come again.
    pub(super) fn pause(&mut self, until: Duration) {
        self.not_before = self.not_before.max(until);
    }

    /// One request's worth of debt, so that the service's bucket gets a token of reserve; not again where it took nothing in between.
    fn lower(&mut self, now: Duration, limit: f64, growth: f64) {
        self.refused = self.refused.saturating_add(1);
        self.limit = Some(limit.max(LEAST));
        self.growth = growth;
        self.from_empty = true;
        self.binding = false;
        self.cut = now;
        self.tokens = if self.refused > 1 { 0.0 } else { -1.0 };
        self.refilled = now;
    }
}

#[cfg(test)]
mod tests;
