//! Signatures, version 4: who claims to call, and whether the signature is theirs.
//! Source: IAM user guide, "Create a signed AWS API request"; for all services but S3.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// What may stand unencoded (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) method: &'a str,
    /// Percent-encoded, as on the wire.
    pub(super) path: &'a str,
    /// What stands behind the `?`.
    pub(super) query: &'a str,
    /// Names in lower case.
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

impl<'a> Received<'a> {
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the `Authorization` header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) key: String,
    date: String,
    pub(super) region: String,
    pub(super) service: String,
    signed: Vec<String>,
    signature: String,
}

impl Claim {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let (mut scope, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => scope = Some(value),
                ("SignedHeaders", value) => signed = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let mut scope = scope?.splitn(5, '/').map(str::to_owned);
        let (key, date) = (scope.next()?, scope.next()?);
        let (region, service) = (scope.next()?, scope.next()?);
        (scope.next()? == "aws4_request").then_some(())?;
        Some(Self {
            key,
            date,
            region,
            service,
            signed: signed?.split(';').map(str::to_owned).collect(),
            signature: signature?.to_owned(),
        })
    }

    /// Whether this secret made the signature of this request.
    pub(super) fn is_signed_with(&self, secret: &str, request: &Received<'_>) -> bool {
        let Some(moment) = request.header("x-amz-date") else {
            return false;
        };
        // The host is always signed: a signature for another host is worth nothing here.
        if !moment.starts_with(&self.date) || !self.signed.iter().any(|name| name == "host") {
            return false;
        }
        let canonical = self.canonical(request);
        let scope = format!(
            "{}/{}/{}/aws4_request",
            self.date, self.region, self.service
        );
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hash}");
        let steps = [&self.date, &self.region, &self.service];
        let mut key = format!("AWS4{secret}").into_bytes();
        for step in steps {
            key = hmac(&key, step.as_bytes());
        }
        key = hmac(&key, b"aws4_request");
        hex::encode(hmac(&key, to_sign.as_bytes())) == self.signature
    }

    fn canonical(&self, request: &Received<'_>) -> String {
        let Received {
            method,
            path,
            query,
            headers,
            body,
        } = *request;
        let path = normalize(path);
        let path = utf8_percent_encode(&path, ENCODED_PATH);
        let mut text = format!("{method}\n{path}\n{}\n", canonical_query(query));
        for name in &self.signed {
            let values = headers.iter().filter(|(n, _)| n == name);
            let values: Vec<String> = values.map(|(_, value)| trimmed(value)).collect();
            text.push_str(name);
            text.push(':');
            text.push_str(&values.join(","));
            text.push('\n');
        }
        let hash = hex::encode(Sha256::digest(body));
        text + &format!("\n{}\n{hash}", self.signed.join(";"))
    }
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length, so that there is no error to tell.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// Spaces at the ends dropped, rows of spaces inside made one.
fn trimmed(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `.` and `..` resolved, empty segments dropped.
fn normalize(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let tail = if path.len() > 1 && path.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{tail}", segments.join("/"))
}

fn canonical_query(query: &str) -> String {
    let recode = |part: &str| {
        let plain = percent_decode_str(part).decode_utf8_lossy().into_owned();
        utf8_percent_encode(&plain, ENCODED).to_string()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (recode(key), recode(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join("&")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn holds(
        method: &str,
        target: &str,
        more: &[(&str, &str)],
        body: &str,
        signature: &str,
    ) -> bool {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = vec![
            ("host".to_owned(), "example.amazonaws.com".to_owned()),
            ("x-amz-date".to_owned(), "20150830T123600Z".to_owned()),
        ];
        headers.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let mut names: Vec<&str> = headers.iter().map(|(n, _)| n.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let header = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={signature}",
            names.join(";")
        );
        let request = Received {
            method,
            path,
            query,
            headers: &headers,
            body: body.as_bytes(),
        };
        Claim::parse(&header)
            .unwrap()
            .is_signed_with(SECRET, &request)
    }

    /// AWS's signing test suite, version 4; the name is the folder's.
    #[test]
    fn the_published_vectors_hold() {
        let get = |target, more, signature| holds("GET", target, more, "", signature);
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert!(get("/", &[], vanilla), "get-vanilla");
        assert!(get("/example/..", &[], vanilla), "get-relative-normalized");
        assert!(
            get(
                "/?Param2=value2&Param1=value1",
                &[],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
            ),
            "get-vanilla-query-order-key-case"
        );
        assert!(
            get(
                "//example//",
                &[],
                "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"
            ),
            "get-slashes-normalized"
        );
        assert!(
            get(
                "/",
                &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
            ),
            "get-header-value-trim"
        );
        assert!(
            get(
                "/",
                &[
                    ("my-header1", "value2"),
                    ("my-header1", "value2"),
                    ("my-header1", "value1")
                ],
                "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
            ),
            "get-header-key-duplicate"
        );
        let form = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            (
                "x-amz-content-sha256",
                "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            ),
        ];
        assert!(
            holds(
                "POST",
                "/",
                &form,
                "Param1=value1",
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"
            ),
            "post-x-www-form-urlencoded"
        );
    }

    #[test]
    fn whatever_is_changed_breaks_the_signature() {
        let good = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert!(holds("GET", "/", &[], "", good));
        assert!(!holds("POST", "/", &[], "", good));
        assert!(!holds("GET", "/a", &[], "", good));
        assert!(!holds("GET", "/?a=b", &[], "", good));
        assert!(!holds("GET", "/", &[], "body", good));
        assert!(!holds("GET", "/", &[("a", "b")], "", good));
        assert!(!holds("GET", "/", &[], "", &good.replace('5', "6")));
    }

    #[test]
    fn headers_that_are_no_claim() {
        for header in [
            "",
            "Basic abc",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Signature=0",
            "AWS4-HMAC-SHA256 nonsense",
        ] {
            assert_eq!(Claim::parse(header), None, "{header}");
        }
    }
}
