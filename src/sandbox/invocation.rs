//! How Lambda treats the asynchronous calls of a function: how often it tries again, how long it keeps an event, where it
//! puts what it gave up. Values only; nothing is started here, and nothing is really put anywhere.
//!
//! Source: api: PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig; Lambda developer guide, "Error handling in
//! asynchronous invocations".

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::{Moment, seconds};
use super::errors::Refused;
use super::function::invalid;

/// When Lambda tries a failed asynchronous invocation again: after one minute, then after two.
const RETRIES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
/// How long a throttled event is kept where nothing is said.
const KEPT: Duration = Duration::from_hours(6);
/// The longest pause between two tries of a throttled event; the first is a second, and each is twice the one before.
const PAUSE: Duration = Duration::from_mins(5);

/// An event invoke config.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct InvokeConfig {
    retries: Option<u64>,
    age: Option<u64>,
    destinations: Option<Value>,
    modified: Moment,
}

impl InvokeConfig {
    /// Puts a config (`Put…`, from nothing) or changes one (`Update…`).
    pub(super) fn changed(mut self, input: &Value, now: Moment) -> Result<Self, Refused> {
        let number = |key: &str, from: u64, to: u64| match input.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().filter(|n| (from..=to).contains(n)) {
                Some(n) => Ok(Some(n)),
                None => Err(invalid(&format!("{key} must be from {from} to {to}"))),
            },
        };
        let retries = number("MaximumRetryAttempts", 0, 2)?;
        let age = number("MaximumEventAgeInSeconds", 60, 21_600)?;
        let destinations = input.get("DestinationConfig").filter(|d| d.is_object());
        self.retries = retries.or(self.retries);
        self.age = age.or(self.age);
        self.destinations = destinations.cloned().or(self.destinations);
        self.modified = now;
        Ok(self)
    }

    /// As GetFunctionEventInvokeConfig shows it.
    pub(super) fn seen(&self, arn: &str) -> Value {
        let Self {
            retries,
            age,
            destinations,
            modified,
        } = self;
        let none = json!({ "OnSuccess": {}, "OnFailure": {} });
        let mut seen = json!({
            "FunctionArn": format!("{arn}:$LATEST"),
            "LastModified": seconds(*modified),
            "DestinationConfig": destinations.as_ref().unwrap_or(&none),
        });
        if let Some(object) = seen.as_object_mut() {
            let mut put = |key: &str, n: &Option<u64>| {
                if let Some(n) = n {
                    object.insert(key.to_owned(), json!(n));
                }
            };
            put("MaximumRetryAttempts", retries);
            put("MaximumEventAgeInSeconds", age);
        }
        seen
    }
}

/// What is said where a function has no config.
pub(super) fn absent(arn: &str) -> Refused {
    Refused::new(
        404,
        "ResourceNotFoundException",
        format!("The function {arn}:$LATEST doesn't have an EventInvokeConfig"),
    )
}

/// The pause before the next try of a run that failed at this one; none after the last.
pub(super) fn retry(config: Option<&InvokeConfig>, attempt: u32) -> Option<Duration> {
    let tried = usize::try_from(attempt).ok()?.checked_sub(1)?;
    let most = config.and_then(|c| c.retries).unwrap_or(2);
    let allowed = u64::try_from(tried).is_ok_and(|tried| tried < most);
    RETRIES.get(tried).copied().filter(|_| allowed)
}

/// The pause before the next try of a throttled event, after one of this length; none where it is too old by then.
pub(super) fn throttled(
    config: Option<&InvokeConfig>,
    since: Moment,
    now: Moment,
    pause: Option<Duration>,
) -> Option<Duration> {
    let kept = config.and_then(|c| c.age).map_or(KEPT, Duration::from_secs);
    let pause = pause.map_or(Duration::from_secs(1), |p| p.saturating_mul(2).min(PAUSE));
    (now.saturating_sub(since).saturating_add(pause) < kept).then_some(pause)
}
