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
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

tokio::task_local! {
    /// The retries of the call that the task is in.
    static RETRIES: Cell<u32>;
}

/// Carries out one call and counts how often the SDK sent a request of it again.
pub(super) async fn counted<T>(call: impl Future<Output = T>) -> (T, u32) {
    let counting = async {
        let answer = call.await;
        (answer, RETRIES.with(Cell::get))
    };
    RETRIES.scope(Cell::new(0), counting).await
}

/// The SDK says in a header which attempt a request is: `amz-sdk-request: attempt=2; max=5`. It sends from the task of the call.
fn count(request: &HttpRequest) {
    let attempt = request.headers().get("amz-sdk-request");
    let again = attempt.is_some_and(|text| !text.starts_with("attempt=1;") && text != "attempt=1");
    if again {
        // Outside of a call (a test of a client alone) nobody counts.
        let _ = RETRIES.try_with(|retries| retries.set(retries.get().saturating_add(1)));
    }
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
        client
            .http_connector(&self.settings, &self.components)
            .call(request)
    }
}
