//! How often each account may call: token buckets, as the services have them.
//! Values only: the time is passed in, and how a refusal is written is known to `http`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock::Moment;

/// How often one account may make the calls of a service, or one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// `iam`, `sts`, `codepipeline`, `lambda`, …
    pub service: String,
    /// One operation, for example `GetRole`, counted by itself. None: all of the service without a limit of their own, together.
    pub operation: Option<String>,
    /// The account's id; none: each account, by itself.
    pub account: Option<String>,
    /// Calls that flow into the bucket in a second of the real time; never zero.
    pub per_second: f64,
    /// Calls that it holds: what may be made at once. At least 1.
    pub burst: f64,
}

impl RateLimit {
    /// All calls of a service by each account, together.
    pub fn of(service: &str, per_second: f64, burst: f64) -> Self {
        Self {
            service: service.to_owned(),
            operation: None,
            account: None,
            per_second,
            burst,
        }
    }

    /// The one operation only.
    #[must_use]
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// In the one account only.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// How closely it fits a call; none: it is about others.
    fn fit(&self, account: &str, service: &str, operation: &str) -> Option<u8> {
        let about = |named: &Option<String>, is: &str| match named {
            None => Some(0),
            Some(named) => (named == is).then_some(1),
        };
        let operation = about(&self.operation, operation)?;
        let account = about(&self.account, account)?;
        (self.service == service).then_some(2 * operation + account)
    }
}

/// What is left in a bucket, and when it was last filled.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Moment,
}

/// The limits and the buckets of the accounts that have called.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    limits: Vec<RateLimit>,
    /// By account and the limit's place in the list.
    buckets: BTreeMap<(String, usize), Bucket>,
}

impl Limits {
    pub(super) fn new(limits: Vec<RateLimit>) -> Self {
        Self {
            limits,
            buckets: BTreeMap::new(),
        }
    }

    /// Counts a call. An error: it is one too many, and one would be accepted after so long.
    pub(super) fn take(
        &mut self,
        account: &str,
        service: &str,
        operation: &str,
        now: Moment,
    ) -> Result<(), Duration> {
        let fits = self.limits.iter().enumerate().filter_map(|(place, limit)| {
            Some((limit.fit(account, service, operation)?, place, limit))
        });
        let Some((_, place, limit)) = fits.max_by_key(|(fit, ..)| *fit) else {
            return Ok(());
        };
        let full = Bucket {
            tokens: limit.burst.max(1.0),
            filled: now,
        };
        let key = (account.to_owned(), place);
        let bucket = self.buckets.entry(key).or_insert(full);
        let flown = now.saturating_sub(bucket.filled).as_secs_f64() * limit.per_second;
        bucket.tokens = (bucket.tokens + flown).min(full.tokens);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - bucket.tokens) / limit.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Moment {
        Duration::from_millis(milliseconds)
    }

    /// How many of so many calls at one moment are accepted.
    fn accepted(
        limits: &mut Limits,
        account: &str,
        call: (&str, &str),
        calls: usize,
        now: Moment,
    ) -> usize {
        let (service, operation) = call;
        let take = |_: &usize| limits.take(account, service, operation, now).is_ok();
        (0..calls).filter(take).count()
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut limits = Limits::new(vec![RateLimit::of("iam", 10.0, 5.0)]);
        let call = ("iam", "GetRole");
        assert_eq!(accepted(&mut limits, "1", call, 9, at(0)), 5);
        assert_eq!(limits.take("1", "iam", "GetRole", at(40)), Err(at(60)));
        assert_eq!(accepted(&mut limits, "1", call, 9, at(100)), 1);
        assert_eq!(accepted(&mut limits, "1", call, 9, at(350)), 2);
        assert_eq!(accepted(&mut limits, "1", call, 9, at(60_000)), 5);
    }

    #[test]
    fn accounts_services_and_operations_have_their_own() {
        let mut limits = Limits::new(vec![
            RateLimit::of("iam", 1.0, 3.0),
            RateLimit::of("iam", 1.0, 1.0).operation("GetRole"),
            RateLimit::of("iam", 1.0, 2.0)
                .operation("GetRole")
                .account("2"),
        ]);
        assert_eq!(accepted(&mut limits, "1", ("iam", "GetRole"), 9, at(0)), 1);
        assert_eq!(accepted(&mut limits, "2", ("iam", "GetRole"), 9, at(0)), 2);
        assert_eq!(
            accepted(&mut limits, "1", ("iam", "GetPolicy"), 2, at(0)),
            2
        );
        assert_eq!(accepted(&mut limits, "1", ("iam", "TagRole"), 9, at(0)), 1);
        assert_eq!(
            accepted(&mut limits, "1", ("sts", "GetRole"), 99, at(0)),
            99
        );
    }
}
