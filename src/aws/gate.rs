//! Where every request of an account passes: it waits until the service's limit lets it, is sent, and its answer teaches the limit.
//! It decides nothing: how fast is known to `rate`, what an answer says to `slow_down`, whether to try again to the SDK.

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

use super::rate::Rate;
use super::slow_down::{is_throttling, pause};

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

    /// Waits until a request may be sent; the moment when.
    async fn pass(&self) -> Duration {
        let _turn = self.turn.lock().await;
        loop {
            match self.with(|rate, now| (rate.take(now), now)) {
                (Ok(()), now) => return now,
                (Err(wait), _) => sleep(wait).await,
            }
        }
    }

    fn learn(&self, sent: Duration, response: &HttpResponse) {
        let throttled = is_throttling(response);
        let wait = pause(response, SystemTime::now());
        self.with(|rate, now| {
            if throttled {
                rate.throttled(sent, now);
            } else {
                rate.accepted(sent, now);
            }
            if let Some(wait) = wait {
                rate.pause(now + wait);
            }
        });
    }
}

/// No answer in time.
#[derive(Debug, Error)]
#[error("no answer within {} s", .0.as_secs())]
struct TooLate(Duration);

/// An HTTP client whose requests wait at the account's gates.
///
/// The time-out of an attempt is here and not in the SDK's configuration, as the SDK's would run while the request waits.
#[derive(Debug, Clone)]
pub(super) struct Gated {
    inner: SharedHttpClient,
    gates: Arc<Gates>,
    attempt_timeout: Duration,
}

impl Gated {
    pub(super) fn new(
        inner: SharedHttpClient,
        gates: Arc<Gates>,
        attempt_timeout: Duration,
    ) -> Self {
        Self {
            inner,
            gates,
            attempt_timeout,
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
            attempt_timeout: self.attempt_timeout,
        })
    }
}

#[derive(Debug)]
struct Waiting {
    inner: SharedHttpConnector,
    gates: Arc<Gates>,
    attempt_timeout: Duration,
}

impl HttpConnector for Waiting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let gate = scope(&request).map(|scope| self.gates.of(scope));
        let (inner, limit) = (self.inner.clone(), self.attempt_timeout);
        HttpConnectorFuture::new(async move {
            let sent = match &gate {
                Some(gate) => Some(gate.pass().await),
                None => None,
            };
            let answer = timeout(limit, inner.call(request)).await;
            let answer =
                answer.unwrap_or_else(|_| Err(ConnectorError::timeout(TooLate(limit).into())));
            if let (Some(gate), Some(sent), Ok(response)) = (&gate, sent, &answer) {
                gate.learn(sent, response);
            }
            answer
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
