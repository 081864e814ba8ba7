//! Where every request of an account passes: it waits until the service's limit lets it, is sent, and its answer teaches the limit.
//! A throttled one waits again. How fast is known to `rate`, what an answer says to `slow_down`; all other retries are the SDK's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use thiserror::Error;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, sleep, timeout};

use super::http::sent_again;
use super::rate::Rate;
use super::slow_down::{JITTER, is_throttling, pause};

/// How long one signed request may wait at the gate, all its throttled answers included. AWS takes a signature of the last five
/// minutes (AWS General Reference, "Signature Version 4": a request must arrive within five minutes of its time stamp).
const PATIENCE: Duration = Duration::from_mins(4);
/// By so much at most the next request after a throttled answer is late, by chance: other processes were throttled at the same moment.
const SPREAD: Duration = Duration::from_millis(100);

/// A service in a region, as a signature names them: `iam`, `us-east-1`. AWS counts by account and region (AWS General Reference,
/// "Service endpoints and quotas").
type Scope = (String, String);

/// The limits of one account. They outlive its clients, which are made anew when credentials end.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<BTreeMap<Scope, Arc<Gate>>>);

impl Gates {
    fn of(&self, scope: Scope) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(scope).or_default())
    }
}

/// One limit and the queue before it.
#[derive(Debug)]
struct Gate {
    rate: Mutex<Rate>,
    /// Held by the request that waits for the limit: the others queue behind it, the first first.
    turn: AsyncMutex<()>,
    started: Instant,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            rate: Mutex::default(),
            turn: AsyncMutex::default(),
            started: Instant::now(),
        }
    }
}

impl Gate {
    fn with<T>(&self, use_it: impl FnOnce(&mut Rate, Duration) -> T) -> T {
        let now = self.started.elapsed();
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(&mut rate, now)
    }

    /// Waits until a request may be sent; the moment when. None: it is not worth the wait.
    async fn pass(&self, until: Instant) -> Option<Duration> {
        let _turn = self.turn.lock().await;
        loop {
            let hopeless = self.with(|rate, now| rate.is_hopeless(now));
            if hopeless || Instant::now() >= until {
                return None;
            }
            match self.with(|rate, now| (rate.take(now), now)) {
                (Ok(()), now) => return Some(now),
                (Err(wait), _) => sleep(wait).await,
            }
        }
    }

    /// Whether the answer was a throttling.
    fn learn(&self, sent: Duration, response: &HttpResponse, chance: fn() -> f64) -> bool {
        let throttled = is_throttling(response);
        let wait = pause(response, SystemTime::now());
        self.with(|rate, now| {
            if throttled {
                rate.throttled(sent, now);
                rate.pause(now + SPREAD.mul_f64(chance()));
            } else {
                rate.accepted(sent, now);
            }
            if let Some(wait) = wait {
                rate.pause(now + wait.mul_f64(1.0 + JITTER * chance()));
            }
        });
        throttled
    }

    /// Sends a request, and sends it again while it is throttled: that costs no attempt of the SDK's, which are few, and for what may
    /// go wrong at any time. A service that takes two requests a second throttles thirty of thirty-two that come at once.
    async fn send(
        &self,
        inner: &SharedHttpConnector,
        mut request: HttpRequest,
        manners: Manners,
    ) -> Result<HttpResponse, ConnectorError> {
        let until = Instant::now() + PATIENCE;
        let mut throttled: Option<(u32, HttpResponse)> = None;
        loop {
            let Some(sent) = self.pass(until).await else {
                return match throttled {
                    Some((_, response)) => Ok(given_up(response)),
                    None => Err(ConnectorError::other(NotAsked.into(), None)),
                };
            };
            let again = request.try_clone();
            let response = ask(inner, request, manners.attempt_timeout).await?;
            if !self.learn(sent, &response, manners.chance) {
                return Ok(response);
            }
            let count = throttled.map_or(0, |(count, _)| count) + 1;
            match again {
                Some(again) if count < manners.most_throttled => {
                    sent_again();
                    request = again;
                    throttled = Some((count, response));
                }
                // Whoever allows one alone leaves it to the SDK.
                _ if manners.most_throttled <= 1 => return Ok(response),
                _ => return Ok(given_up(response)),
            }
        }
    }
}

/// One request, and the longest wait for its answer.
async fn ask(
    inner: &SharedHttpConnector,
    request: HttpRequest,
    limit: Duration,
) -> Result<HttpResponse, ConnectorError> {
    let answer = timeout(limit, inner.call(request)).await;
    answer.unwrap_or_else(|_| Err(ConnectorError::timeout(TooLate(limit).into())))
}

/// No answer in time.
#[derive(Debug, Error)]
#[error("no answer within {} s", .0.as_secs())]
struct TooLate(Duration);

/// The service throttled what was asked before, without end.
#[derive(Debug, Error)]
#[error(
    "the service refused the requests before it as too many, again and again: it was not asked any more"
)]
pub(super) struct NotAsked;

/// Of a throttled answer: it was asked often enough.
#[derive(Debug, Clone, Copy)]
struct GivenUp;

fn given_up(mut response: HttpResponse) -> HttpResponse {
    response.add_extension(GivenUp);
    response
}

/// Whether a throttled answer is the last of many, and not to be followed by another request.
pub(super) fn is_given_up(response: &HttpResponse) -> bool {
    response.extension::<GivenUp>().is_some()
}

/// How requests are sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// The longest wait for one request's answer.
    pub(super) attempt_timeout: Duration,
    /// Throttled answers to one request before it is given up. 1: the SDK decides, as it does about other failures.
    pub(super) most_throttled: u32,
    /// A number from 0 to 1.
    pub(super) chance: fn() -> f64,
}

/// An HTTP client whose requests wait at the account's gates.
///
/// The time-out of an attempt is here and not in the SDK's configuration, as the SDK's would run while the request waits.
#[derive(Debug, Clone)]
pub(super) struct Gated {
    inner: SharedHttpClient,
    gates: Arc<Gates>,
    manners: Manners,
}

impl Gated {
    pub(super) fn new(inner: SharedHttpClient, gates: Arc<Gates>, manners: Manners) -> Self {
        Self {
            inner,
            gates,
            manners,
        }
    }
}

impl HttpClient for Gated {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Waiting {
            inner: self.inner.http_connector(settings, components),
            gates: Arc::clone(&self.gates),
            manners: self.manners,
        })
    }
}

#[derive(Debug)]
struct Waiting {
    inner: SharedHttpConnector,
    gates: Arc<Gates>,
    manners: Manners,
}

impl HttpConnector for Waiting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let gate = scope(&request).map(|scope| self.gates.of(scope));
        let (inner, manners) = (self.inner.clone(), self.manners);
        HttpConnectorFuture::new(async move {
            match gate {
                Some(gate) => gate.send(&inner, request, manners).await,
                None => ask(&inner, request, manners.attempt_timeout).await,
            }
        })
    }
}

/// Service and region of the signature (`Credential=KEY/DATE/REGION/SERVICE/aws4_request`). What is not signed, such as the
/// exchange of an SSO token, is not counted by account.
fn scope(request: &HttpRequest) -> Option<Scope> {
    let header = request.headers().get("authorization")?;
    let (_, credential) = header.split_once("Credential=")?;
    let mut parts = credential.split(',').next()?.split('/').skip(2);
    let region = parts.next()?.to_owned();
    Some((parts.next()?.to_owned(), region))
}

#[cfg(test)]
mod tests;
