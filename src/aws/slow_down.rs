//! What an answer says about asking again: whether it is a throttling, and when to come again.
//! It reads one answer; it waits for nothing and knows no account.

use std::time::{Duration, SystemTime};

use aws_sdk_sts::config::retry::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::ErrorKind;
use aws_smithy_runtime_api::client::retries::classifiers::{RetryClassifierPriority, RetryReason};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::errors::Refusal;
use super::gate::is_given_up;
use crate::cloud::CloudErrorKind;

/// The longest pause that a service is obeyed for: `RetryConfig`'s own limit for the SDK's pauses. A server that says an hour must
/// not make a command hang; its next refusal is told instead.
pub(super) const LONGEST: Duration = Duration::from_secs(20);
/// The part of a pause that chance adds to it, so that all who were told the same do not come again at the same moment.
pub(super) const JITTER: f64 = 0.1;

/// Whether the service refuses because it is asked too often.
pub(super) fn is_throttling(response: &HttpResponse) -> bool {
    let status = response.status().as_u16();
    if status < 400 {
        return false;
    }
    let code = code(response);
    let refusal = Refusal {
        code: code.as_deref(),
        message: "",
        status,
    };
    refusal.kind() == CloudErrorKind::Throttled
}

/// How long the service wants nothing more: `x-amz-retry-after` in milliseconds, `Retry-After` in seconds or as a date (RFC 9110,
/// 10.2.3; Lambda's TooManyRequestsException has it, api: Invoke). Of both the longer, [`LONGEST`] at most. A date is held against
/// the answer's own `Date`, as this machine's clock may be wrong; without one, against `now`.
pub(super) fn pause(response: &HttpResponse, now: SystemTime) -> Option<Duration> {
    if response.status().is_success() {
        return None;
    }
    let header = |name: &str| response.headers().get(name).map(str::trim);
    let milliseconds = header("x-amz-retry-after").and_then(|text| text.parse().ok());
    let precise = milliseconds.map(Duration::from_millis);
    let date = |text: &str| DateTime::from_str(text, Format::HttpDate).ok();
    let usual = header("retry-after").and_then(|text| {
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = SystemTime::try_from(date(text)?).ok()?;
        let said = header("date").and_then(date);
        let there = said.and_then(|date| SystemTime::try_from(date).ok());
        Some(
            until
                .duration_since(there.unwrap_or(now))
                .unwrap_or_default(),
        )
    });
    Some(precise.max(usual)?.min(LONGEST))
}

/// AWS's error code, wherever the service's protocol has it: a header, the JSON's `__type` or `code`, the XML's `Code`.
fn code(response: &HttpResponse) -> Option<String> {
    let bare = |code: &str| {
        let code = code.rsplit('#').next().unwrap_or(code);
        code.split(':').next().unwrap_or(code).to_owned()
    };
    if let Some(code) = response.headers().get("x-amzn-errortype") {
        return Some(bare(code));
    }
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        let code = ["__type", "code"].iter().find_map(|key| json.get(key));
        return code.and_then(serde_json::Value::as_str).map(bare);
    }
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code.trim().to_owned())
}

/// Tells the SDK, which knows `x-amz-retry-after` alone, of `Retry-After`, that a 429 without a code is a throttling, and that what was
/// given up at the gate is over.
/// `LimitExceededException` is a quota in all services that are used here; the SDK takes it for a throttling.
#[derive(Debug, Clone)]
pub(super) struct Directed {
    /// A number from 0 to 1.
    pub(super) chance: fn() -> f64,
}

impl ClassifyRetry for Directed {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        self.classify_retry_v2(context, &RetryAction::NoActionIndicated)
    }

    fn classify_retry_v2(
        &self,
        context: &InterceptorContext,
        previous: &RetryAction,
    ) -> RetryAction {
        let Some(response) = context.response() else {
            return RetryAction::NoActionIndicated;
        };
        if response.status().is_success() {
            return RetryAction::NoActionIndicated;
        }
        if is_given_up(response)
            || code(response).is_some_and(|code| code.starts_with("LimitExceeded"))
        {
            return RetryAction::RetryForbidden;
        }
        let kind = match previous {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) => *kind,
            _ if is_throttling(response) => ErrorKind::ThrottlingError,
            _ => return RetryAction::NoActionIndicated,
        };
        match pause(response, SystemTime::now()) {
            Some(pause) => {
                let jittered = pause.mul_f64(1.0 + JITTER * (self.chance)());
                RetryAction::retryable_error_with_explicit_delay(kind, jittered)
            }
            None => RetryAction::retryable_error(kind),
        }
    }

    fn name(&self) -> &'static str {
        "Directed"
    }

    /// Last, to see what all others said.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// For writes that replace a whole document: they are sent again only where AWS said that it did not carry them out. Otherwise a
/// second one could overwrite what somebody else wrote in between; whoever sent it reads again first.
#[derive(Debug, Clone, Copy)]
pub(super) struct NeverBlindly;

impl ClassifyRetry for NeverBlindly {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = matches!(context.output_or_error(), Some(Err(_)));
        let refused = context.response().is_some_and(is_throttling);
        if failed && !refused {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "NeverBlindly"
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        response
    }

    #[test]
    fn throttling_is_known_in_every_protocol_and_a_quota_is_none() {
        let xml = |code: &str| {
            format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")
        };
        let json = |code: &str| format!(r#"{{"__type":"{code}","message":"Rate exceeded"}}"#);
        let lambda = [(
            "x-amzn-errortype",
            "TooManyRequestsException:http://internal",
        )];
        for response in [
            answer(400, &[], &xml("Throttling")),
            answer(400, &[], &json("ThrottlingException")),
            answer(
                400,
                &[],
                &json("com.amazonaws.codepipeline#ThrottlingException"),
            ),
            answer(429, &lambda, "{}"),
            answer(429, &[], "slow down"),
            answer(503, &[], &xml("SlowDown")),
        ] {
            assert!(is_throttling(&response), "{response:?}");
        }
        for response in [
            answer(200, &lambda, ""),
            answer(400, &[], &json("LimitExceededException")),
            answer(403, &[], &xml("AccessDenied")),
            answer(500, &[], "<html>"),
            answer(503, &[], ""),
        ] {
            assert!(!is_throttling(&response), "{response:?}");
        }
    }

    #[test]
    fn a_pause_is_seconds_milliseconds_or_a_date_and_never_too_long() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(491_244);
        let of = |headers: &[(&'static str, &'static str)]| pause(&answer(429, headers, ""), now);
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("retry-after", "3")]), seconds(3));
        assert_eq!(of(&[("retry-after", "0")]), seconds(0));
        assert_eq!(of(&[("retry-after", "99999999999")]), Some(LONGEST));
        assert_eq!(of(&[("retry-after", "-1")]), None);
        assert_eq!(of(&[("retry-after", "soon")]), None);
        assert_eq!(
            of(&[("x-amz-retry-after", "1500")]),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(
            of(&[("x-amz-retry-after", "1500"), ("retry-after", "4")]),
            seconds(4)
        );
        // 2026-01-15 12:00:00 is `now`.
        assert_eq!(
            of(&[("retry-after", "Thu, 15 Jan 2026 12:00:07 GMT")]),
            seconds(7)
        );
        assert_eq!(
            of(&[("retry-after", "Thu, 15 Jan 2026 11:00:00 GMT")]),
            seconds(0)
        );
        // A service whose clock is an hour ahead of ours.
        let ahead = [
            ("retry-after", "Thu, 15 Jan 2026 13:00:05 GMT"),
            ("date", "Thu, 15 Jan 2026 13:00:00 GMT"),
        ];
        assert_eq!(of(&ahead), seconds(5));
        assert_eq!(pause(&answer(200, &[("retry-after", "3")], ""), now), None);
    }
}
