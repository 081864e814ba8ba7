//! How fast one service of one account may be asked, learnt from the answers in which it asks to slow down.
//! Pure: the time is passed in; nothing here waits, sends or reads an answer.

use std::time::Duration;

/// Requests a second below which no limit goes: something must be sent to learn that the service has recovered.
const LEAST: f64 = 0.5;
/// The least first guess: what was answered before the first throttling may have been answered by a bucket that was half empty.
const FIRST_LEAST: f64 = 2.0;
/// The time in which as much flows as the service's bucket is taken to have held before the first throttling: buckets mostly hold a
/// second of their flow or two, and a guess that is too low costs less than one that is too high.
const FULL: Duration = Duration::from_secs(2);
/// The share of the rate that is so guessed, which is tried first.
const FIRST: f64 = 0.9;
/// So much faster after each accepted request that had to wait, while the limit is searched: twice as fast after nine of them.
const SEARCH: f64 = 0.08;
/// But never twice as fast in less: answers take a while, and what is sent meanwhile is too much already.
const DOUBLED: Duration = Duration::from_millis(500);
/// And in so much where the service's bucket was not empty when more was tried: what it holds must not be taken for a higher rate.
const DOUBLED_GENTLY: Duration = Duration::from_secs(5);
/// So much faster at the beginning of a gentle search, which gets bolder by this factor with each request.
const GENTLE: f64 = 0.01;
const BOLDER: f64 = 1.1;
/// Accepted requests between two throttled ones from which anything is learnt of the service's rate; fewer say too little.
const ENOUGH: u32 = 5;
/// How well the rate must be known for the limit to settle: what it is at least, as a share of what it is at most. Of two throttled
/// answers that is so with 28 accepted ones between them; the accepted ones after it may do as well.
const PRECISE: f64 = 0.93;
/// And so many must have been counted: the fewer, the more it matters when an answer overtook another and was counted wrongly.
const SURE: u32 = 20;
/// The least share of the limit that a learnt rate must be: a service with a small bucket flows over while the limit is low, and
/// less is accepted than flows. Otherwise the search begins anew at that share.
const TRUSTED: f64 = 0.4;
/// The share that is used of what the rate is at least. The rest is for what the network's jitter did to the count.
const MARGIN: f64 = 0.98;
/// What a request leaves of its lateness to the next one, as a share of the time between two. A timer is a millisecond late, and
/// at fifty requests a second one in twenty would be lost so.
const LATE: f64 = 0.25;
/// What is left of a limit that had settled, and is too high now.
const CUT: f64 = 0.7;
/// What is left of one where too little is known.
const HALF: f64 = 0.5;
/// How long nothing may be throttled before more is tried; it doubles each time that more was too much.
const QUIET: Duration = Duration::from_secs(30);
const QUIET_MOST: Duration = Duration::from_mins(10);
/// Throttled answers in a row, each to a request that waited for the limit as the one before had lowered it, after which nothing
/// more is asked: about a quarter of a minute, in which a service that has anything to give takes seven requests.
pub(super) const MOST_REFUSED: u32 = 10;
/// After so long one more is asked all the same.
const RESPITE: Duration = Duration::from_secs(30);

/// The limit of one service in one region of one account. Moments are times since any one start.
///
/// AWS counts requests with a token bucket (Amazon EC2 developer guide, "Request throttling", and others; that IAM and `CodePipeline`
/// do is from memory). At a throttled answer that bucket is empty: it holds less than one token. So where N requests are accepted in
/// the T seconds from one throttled answer to another, N is what flowed in, give or take one: the service's rate is more than
/// (N - 1) / T, and less than (N + 1) / T if the bucket did not flow over meanwhile. The first holds at each accepted answer too.
///
/// So it is counted on from one empty bucket over all the throttled answers of a search, and what is known gets closer with each
/// request. The limit is raised until a throttled answer says what the rate is at most, and then stays between the two, until they
/// are close. Then it settles at the lower one, and no call is throttled any more, where a limit that is raised all the time would
/// run into the service's again and again. What a search leaves unused stays in the service's bucket, and is used later. Only after
/// a quiet time is more tried, gently, in case others used a part of the rate before.
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
    /// What may be sent at once, hardly more than 1: requests are spaced evenly. Negative: a debt.
    tokens: f64,
    refilled: Duration,
    /// The service said when to come again (`Retry-After`).
    not_before: Duration,
    /// Since when `accepted` is counted: the first request, then the moment at which a request found the service's bucket empty.
    mark: Option<Duration>,
    accepted: u32,
    /// What the service's rate is at most, as throttled answers since `mark` say.
    most: Option<f64>,
    /// Of `accepted`, what was counted when the limit was last lowered.
    counted: u32,
    /// How long it took to the first throttled answer, and what was accepted of what was sent until then. Answers to that come for
    /// a while yet, and in any order. None once the limit was lowered again.
    burst: Option<(Duration, u32)>,
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
        self.tokens = (self.tokens + flown).min(1.0 + LATE);
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
        let there = halfway(sent, now);
        match &mut self.burst {
            // Of a burst nobody knows what came before its throttled requests and what after.
            Some((lasted, accepted)) if sent < self.cut => {
                *accepted = accepted.saturating_add(1);
                let guess = first_guess(*lasted, *accepted);
                self.limit = self.limit.map(|limit| limit.max(guess));
            }
            _ if self.limit.is_none() || self.mark.is_some_and(|mark| there > mark) => {
                self.accepted = self.accepted.saturating_add(1);
            }
            _ => {}
        }
        if self.growth > 0.0 {
            self.settle(there, now);
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
            self.most = None;
        }
        let doubled = if self.from_empty {
            DOUBLED
        } else {
            DOUBLED_GENTLY
        };
        let (growth, fastest) = (self.growth, std::f64::consts::LN_2 / doubled.as_secs_f64());
        let most = self.most.unwrap_or(f64::INFINITY);
        self.limit = self.limit.map(|limit| {
            let raised = limit * (1.0 + growth.min(fastest / limit));
            raised.min(most.max(limit))
        });
        self.growth = (self.growth * BOLDER).min(SEARCH);
    }

    /// A request that was sent at `sent` was throttled.
    pub(super) fn throttled(&mut self, sent: Duration, now: Duration) {
        let there = halfway(sent, now);
        match self.limit {
            None => {
                let lasted = there.saturating_sub(self.mark.unwrap_or(there));
                self.lower(now, first_guess(lasted, self.accepted), SEARCH);
                self.burst = Some((lasted, self.accepted));
                self.quiet = QUIET;
                self.count_from(there);
            }
            // It was sent before the limit fell. The bucket is empty once more, and the later the count begins the less of the burst
            // is in it; but a count that has come to something is not thrown away.
            Some(_) if sent < self.cut => {
                if self.accepted < ENOUGH {
                    self.count_from(there);
                }
            }
            Some(limit) if self.growth <= 0.0 => {
                self.safe = 0.0;
                self.lower(now, limit * CUT, GENTLE);
                self.count_from(there);
            }
            Some(limit) if !self.from_empty => {
                self.quiet = self.quiet.saturating_mul(2).min(QUIET_MOST);
                self.lower(now, self.safe.max(limit * HALF), GENTLE);
                self.count_from(there);
            }
            Some(limit) if self.accepted < ENOUGH => {
                self.counted = self.accepted;
                self.lower(now, limit * HALF, SEARCH);
            }
            Some(limit) => {
                let (least, most) = self.bounds(there);
                if least < limit * TRUSTED {
                    // Either the bucket flowed over, and the rate is close to the limit, or it had much in store, and is not.
                    self.lower(now, limit * TRUSTED, GENTLE);
                    self.count_from(there);
                    return;
                }
                self.most = Some(self.most.map_or(most, |known| known.min(most)));
                // Throttled again so soon: less flows than before, as when operations with buckets of their own take turns.
                let soon = self.accepted < self.counted.saturating_add(ENOUGH);
                let between = f64::midpoint(least, most).min(limit);
                self.lower(now, if soon { limit * CUT } else { between }, GENTLE);
                self.counted = self.accepted;
                // No debt: it was about the right rate, and a pause would only keep what is known from getting closer.
                self.tokens = 0.0;
                self.settle(there, now);
            }
        }
    }

    /// The service says when to come again.
    pub(super) fn pause(&mut self, until: Duration) {
        self.not_before = self.not_before.max(until);
    }

    /// The bucket was empty at that moment.
    fn count_from(&mut self, there: Duration) {
        self.mark = self.mark.max(Some(there));
        self.accepted = 0;
        self.most = None;
        self.counted = 0;
    }

    /// What the service's rate is at least, and what at most if the request that came there at that moment found its bucket empty.
    fn bounds(&self, there: Duration) -> (f64, f64) {
        let since = there.saturating_sub(self.mark.unwrap_or(there));
        // Never nothing, by which nothing can be divided.
        let since = since.max(Duration::from_millis(1)).as_secs_f64();
        let accepted = f64::from(self.accepted);
        ((accepted - 1.0) / since, (accepted + 1.0) / since)
    }

    /// Ends the search if the rate is known well enough.
    fn settle(&mut self, there: Duration, now: Duration) {
        let (Some(limit), Some(most)) = (self.limit, self.most) else {
            return;
        };
        let (least, _) = self.bounds(there);
        if self.accepted < SURE || least < most * PRECISE {
            return;
        }
        self.safe = (least.min(most) * MARGIN).min(limit).max(LEAST);
        self.limit = Some(self.safe);
        self.growth = 0.0;
        // What is on its way was sent faster.
        self.cut = now;
    }

    /// One request's worth of debt, so that the service's bucket gets a token of reserve; not again where it took nothing in between.
    fn lower(&mut self, now: Duration, limit: f64, growth: f64) {
        self.refused = self.refused.saturating_add(1);
        self.limit = Some(limit.max(LEAST));
        self.growth = growth;
        self.from_empty = true;
        self.burst = None;
        self.binding = false;
        self.cut = now;
        self.tokens = if self.refused > 1 { 0.0 } else { -1.0 };
        self.refilled = now;
    }
}

/// When a request came to the service, about.
fn halfway(sent: Duration, now: Duration) -> Duration {
    sent + now.saturating_sub(sent) / 2
}

/// The first limit, after so many requests were accepted in so long.
fn first_guess(lasted: Duration, accepted: u32) -> f64 {
    (f64::from(accepted) / (lasted + FULL).as_secs_f64() * FIRST).max(FIRST_LEAST)
}

#[cfg(test)]
mod tests;
