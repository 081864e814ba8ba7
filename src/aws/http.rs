//! The one HTTP client of all accounts and services: connections are shared, TLS is set up only when it is needed.
//! It knows schemes, proxies and time-outs, nothing of AWS.

use std::cell::Cell;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

tokio::task_local! {
    /// The requests of the call that the task is in.
    static ATTEMPTS: Cell<Attempts>;
}

/// What became of the requests of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attempts {
    /// Requests after the first.
    pub(super) retries: u32,
    /// Requests of which nobody knows whether they were carried out: no answer came, or that of a server in trouble.
    pub(super) in_doubt: u32,
}

/// Carries out one call and sees what becomes of the requests that the SDK sends for it.
pub(super) async fn counted<T>(call: impl Future<Output = T>) -> (T, Attempts) {
    let counting = async {
        let answer = call.await;
        (answer, ATTEMPTS.with(Cell::get))
    };
    ATTEMPTS.scope(Cell::default(), counting).await
}

/// The SDK says in a header which attempt a request is: `amz-sdk-request: attempt=2; max=5`. It sends from the task of the call.
fn count(request: &HttpRequest) {
    let attempt = request.headers().get("amz-sdk-request");
    let again = attempt.is_some_and(|text| !text.starts_with("attempt=1;") && text != "attempt=1");
    note(|seen| Attempts {
        retries: seen.retries.saturating_add(u32::from(again)),
        in_doubt: seen.in_doubt.saturating_add(1),
    });
}

/// A request was answered by whoever decides about it: it is in doubt no longer. One that is given up never comes here.
fn settled(answer: &Result<HttpResponse, ConnectorError>) {
    if answer
        .as_ref()
        .is_ok_and(|it| !it.status().is_server_error())
    {
        note(|seen| Attempts {
            in_doubt: seen.in_doubt.saturating_sub(1),
            ..seen
        });
    }
}

/// Outside of a call (a test of a client alone) nobody counts.
fn note(change: impl FnOnce(Attempts) -> Attempts) {
    let _ = ATTEMPTS.try_with(|seen| seen.set(change(seen.get())));
}

/// Builds the client. It opens nothing and reads no certificate until a request needs it.
///
/// `https://` uses the system's root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and the proxies of
/// `HTTPS_PROXY` and `NO_PROXY`, as other AWS tools do. `http://` is what emulators and metadata services on the machine
/// itself speak: it goes there directly, past any proxy.
pub(super) fn client() -> SharedHttpClient {
    let tls = Builder::new().build_with_connector_fn(|settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.build()
    });
    SharedHttpClient::new(ByScheme {
        plain: Builder::new().build_http(),
        tls,
    })
}

/// Both clients cache their connectors by settings, so that asking them at each request costs a look-up.
///
/// `validate_base_client_config` is left at its default on purpose: the SDK's own clients load all root certificates in
/// it, once for each service client, even if every endpoint is `http://`.
#[derive(Debug, Clone)]
struct ByScheme {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
}

impl HttpClient for ByScheme {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connect {
            by: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

/// A connector that looks at the request before it chooses.
#[derive(Debug)]
struct Connect {
    by: ByScheme,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Connect {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        count(&request);
        let client = if request.uri().starts_with("http:") {
            &self.by.plain
        } else {
            &self.by.tls
        };
        let answer = client
            .http_connector(&self.settings, &self.components)
            .call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            settled(&answer);
            answer
        })
    }
}
