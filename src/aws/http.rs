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
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use thiserror::Error;

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

/// The same request is sent once more, without the SDK's knowing.
pub(super) fn sent_again() {
    note(|seen| Attempts {
        retries: seen.retries.saturating_add(1),
        ..seen
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

/// XML whose root element does not end.
#[derive(Debug, Error)]
#[error("the answer ends in the middle of its XML")]
pub(super) struct Cut;

/// The most bytes of one answer: a page of a thousand roles with full policies, percent-encoded, is about a third of it.
const MOST_BYTES: usize = 128 << 20;

/// An answer that does not end, or not soon.
#[derive(Debug, Error)]
#[error("the answer is longer than any answer of AWS")]
pub(super) struct TooLong;

/// All of a body of `most` bytes at most.
async fn collected(body: SdkBody, most: usize) -> Result<Vec<u8>, ConnectorError> {
    let mut body = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(part) = body
        .try_next()
        .await
        .map_err(|error| ConnectorError::io(error.into()))?
    {
        if part.len() > most.saturating_sub(bytes.len()) {
            // Of no kind that is tried again.
            return Err(ConnectorError::other(TooLong.into(), None));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// The answer with all of its body, so that a time-out is that of the whole answer, and one of which a part is lost is an error of
/// the way, which the SDK tries again. A body that is shorter than its `Content-Length` is refused by the HTTP library.
async fn whole(answer: HttpConnectorFuture) -> Result<HttpResponse, ConnectorError> {
    let mut response = answer.await?;
    let body = collected(response.take_body(), MOST_BYTES).await?;
    // The query protocol answers in `text/xml`, and never with nothing.
    let query = response.headers().get("content-type");
    let missing = response.status().as_u16() == 200
        && query.is_some_and(|kind| kind.starts_with("text/xml"))
        && body.is_empty();
    if missing || is_cut(&String::from_utf8_lossy(&body)) {
        return Err(ConnectorError::io(Cut.into()));
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

/// Whether XML ends before its root element does. The SDK's parser does not mind, and takes half a list for a short one. A page of
/// HTML need not be well-formed, and nobody takes it for an answer.
fn is_cut(body: &str) -> bool {
    let mut rest = body.trim_start_matches('\u{feff}').trim();
    while let Some(prolog) = rest.strip_prefix("<?") {
        let Some((_, after)) = prolog.split_once("?>") else {
            return true;
        };
        rest = after.trim_start();
        if rest.is_empty() {
            return true;
        }
    }
    let Some(root) = rest.strip_prefix('<') else {
        return false;
    };
    let name = root.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'));
    let name = name.take(1).collect::<String>();
    if name.starts_with('!') || name.eq_ignore_ascii_case("html") {
        return false;
    }
    let Some((tag, inside)) = root.split_once('>') else {
        return true;
    };
    if tag.ends_with('/') {
        return false;
    }
    let end = inside.strip_suffix('>').map(str::trim_end);
    let end = end.and_then(|inside| inside.strip_suffix(name.as_str()));
    end.is_none_or(|inside| !inside.ends_with("</"))
}

/// Connections to one host that stay open while nothing is sent on them: as many as writes go side by side. A round of reads may
/// open twice as many, and each holds some tens of kilobytes.
const IDLE_CONNECTIONS: usize = 64;

/// Builds the client. It opens nothing and reads no certificate until a request needs it.
///
/// `https://` uses the system's root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and the proxies of
/// `HTTPS_PROXY` and `NO_PROXY`, as other AWS tools do. `http://` is what emulators and metadata services on the machine
/// itself speak: it goes there directly, past any proxy.
pub(super) fn client() -> SharedHttpClient {
    let tls = Builder::new().build_with_connector_fn(|settings, components| {
        let mut builder = Connector::builder()
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.build()
    });
    SharedHttpClient::new(ByScheme {
        plain: Builder::new()
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build_http(),
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
            let answer = whole(answer).await;
            settled(&answer);
            answer
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn xml_without_its_end_is_cut_wherever_it_is() {
        for text in [
            "<R><A>1</A></R>",
            "<?xml version=\"1.0\"?>\n<R xmlns=\"urn:x\"><A><A/></A></R>",
            "<ns:R\n a='b'><A>é</A></ns:R>",
        ] {
            assert!(!is_cut(text), "{text}");
            assert!(!is_cut(&format!("\u{feff}{text} \n")), "{text}");
            for (at, _) in text.char_indices().skip(1) {
                let (half, _) = text.split_at(at);
                assert!(is_cut(half), "{half}");
            }
        }
    }

    #[test]
    fn an_answer_without_end_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let read = |most| runtime.block_on(collected(SdkBody::from("12345678"), most));
        assert_eq!(read(8).unwrap(), b"12345678");
        let error = read(7).unwrap_err();
        assert!(error.is_other(), "{error:?}");
        assert!(format!("{error:?}").contains("TooLong"), "{error:?}");
    }

    #[test]
    fn what_is_not_xml_or_is_a_page_is_not_judged() {
        for text in [
            "",
            "{}",
            "{\"a\":\"<b>",
            "<R/>",
            "<R a='b' />",
            "<!DOCTYPE html><p>Sign in",
            "<html><body>",
            "<HTML>",
        ] {
            assert!(!is_cut(text), "{text}");
        }
    }
}
