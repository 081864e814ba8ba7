//! One account seen by an outsider: plain AWS SDK clients that go straight to the emulators, beside the recording proxy.
//! Does what it is told and fails loudly; knows no gate.

use std::future::Future;
use std::rc::Rc;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::Tag;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime as Language};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::runtime::Runtime;

/// The region of every test but those about regions.
pub(crate) const REGION: &str = "us-east-1";

/// The access key, secret and session token of a caller.
#[derive(Debug, Clone)]
pub(crate) struct Keys(
    pub(crate) String,
    pub(crate) String,
    pub(crate) Option<String>,
);

/// Clients for one caller.
#[derive(Clone)]
pub(crate) struct Account {
    /// The account's id.
    pub(crate) id: String,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) organizations: aws_sdk_organizations::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    endpoint: String,
    runtime: Rc<Runtime>,
}

macro_rules! client {
    ($sdk:ident, $keys:expr, $endpoint:expr) => {{
        let Keys(key, secret, token) = $keys.clone();
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(key, secret, token, None, "test"))
            .endpoint_url($endpoint)
            .http_client(http)
            .build();
        $sdk::Client::from_conf(config)
    }};
}

impl Account {
    /// The root of an account, at an emulator (or a proxy before it).
    pub(crate) fn root(id: &str, port: u16, runtime: &Rc<Runtime>) -> Self {
        let keys = Keys(id.to_owned(), "test".to_owned(), None);
        Self::with_keys(id, &keys, &format!("http://127.0.0.1:{port}"), runtime)
    }

    fn with_keys(id: &str, keys: &Keys, endpoint: &str, runtime: &Rc<Runtime>) -> Self {
        Self {
            id: id.to_owned(),
            iam: client!(aws_sdk_iam, keys, endpoint),
            lambda: client!(aws_sdk_lambda, keys, endpoint),
            sts: client!(aws_sdk_sts, keys, endpoint),
            organizations: client!(aws_sdk_organizations, keys, endpoint),
            s3: client!(aws_sdk_s3, keys, endpoint),
            kms: client!(aws_sdk_kms, keys, endpoint),
            endpoint: endpoint.to_owned(),
            runtime: Rc::clone(runtime),
        }
    }

    /// Waits for a call that must succeed.
    pub(crate) fn run<T, E: ProvideErrorMetadata>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> T {
        self.attempt(call)
            .unwrap_or_else(|error| panic!("in account {}: {error}", self.id))
    }

    /// Waits for a call that may fail; the error as text with its causes.
    pub(crate) fn attempt<T, E: ProvideErrorMetadata>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, String> {
        let result = self.runtime.block_on(call);
        result.map_err(|error| {
            let code = error.code().unwrap_or("no answer");
            format!("{code}: {}", error.message().unwrap_or(""))
        })
    }

    /// Assumes a role; the session as a caller of its own.
    pub(crate) fn assume(&self, role_arn: &str) -> Result<Self, String> {
        let call = self
            .sts
            .assume_role()
            .role_arn(role_arn)
            .role_session_name("ring");
        let output = self.attempt(call.send())?;
        let session = output.credentials().unwrap();
        let keys = Keys(
            session.access_key_id().to_owned(),
            session.secret_access_key().to_owned(),
            Some(session.session_token().to_owned()),
        );
        let account = role_arn.split(':').nth(4).unwrap();
        Ok(Self::with_keys(
            account,
            &keys,
            &self.endpoint,
            &self.runtime,
        ))
    }

    /// The ARN of a role of this account. `name` may carry a path: `service-role/Name`.
    pub(crate) fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.id)
    }

    /// Creates a role. `name` may carry a path.
    pub(crate) fn create_role(&self, name: &str, trust: &Value) {
        let (path, bare) = split(name);
        let call = self.iam.create_role().role_name(bare).path(path);
        self.run(call.assume_role_policy_document(trust.to_string()).send());
    }

    /// Replaces a role's trust policy.
    pub(crate) fn set_trust(&self, role: &str, trust: &str) {
        let call = self.iam.update_assume_role_policy().role_name(role);
        self.run(call.policy_document(trust).send());
    }

    /// Reads a role's trust policy.
    pub(crate) fn trust(&self, role: &str) -> Value {
        let output = self.run(self.iam.get_role().role_name(role).send());
        let text = output
            .role()
            .unwrap()
            .assume_role_policy_document()
            .unwrap();
        decoded(text)
    }

    /// Puts an inline policy.
    pub(crate) fn put_policy(&self, role: &str, name: &str, document: &str) {
        let call = self.iam.put_role_policy().role_name(role).policy_name(name);
        self.run(call.policy_document(document).send());
    }

    /// Reads an inline policy; none where there is none.
    pub(crate) fn policy(&self, role: &str, name: &str) -> Option<Value> {
        let call = self.iam.get_role_policy().role_name(role).policy_name(name);
        let output = self.attempt(call.send()).ok()?;
        Some(decoded(output.policy_document()))
    }

    /// Deletes an inline policy.
    pub(crate) fn delete_policy(&self, role: &str, name: &str) {
        self.run(
            self.iam
                .delete_role_policy()
                .role_name(role)
                .policy_name(name)
                .send(),
        );
    }

    /// The names of a role's inline policies.
    pub(crate) fn policy_names(&self, role: &str) -> Vec<String> {
        let output = self.run(self.iam.list_role_policies().role_name(role).send());
        output.policy_names().to_vec()
    }

    /// Whether a role is there.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.attempt(self.iam.get_role().role_name(role).send())
            .is_ok()
    }

    /// Deletes a role with its inline policies, as AWS demands it: the policies first.
    pub(crate) fn delete_role(&self, role: &str) {
        for name in self.policy_names(role) {
            self.delete_policy(role, &name);
        }
        self.run(self.iam.delete_role().role_name(role).send());
    }

    /// Sets a tag.
    pub(crate) fn tag(&self, role: &str, key: &str, value: &str) {
        let tag = Tag::builder().key(key).value(value).build().unwrap();
        self.run(self.iam.tag_role().role_name(role).tags(tag).send());
    }

    /// Removes a tag.
    pub(crate) fn untag(&self, role: &str, key: &str) {
        self.run(self.iam.untag_role().role_name(role).tag_keys(key).send());
    }

    /// Creates a customer managed policy; its ARN.
    pub(crate) fn create_managed_policy(&self, name: &str, document: &Value) -> String {
        let call = self.iam.create_policy().policy_name(name);
        let output = self.run(call.policy_document(document.to_string()).send());
        output.policy().unwrap().arn().unwrap().to_owned()
    }

    /// Attaches a managed policy.
    pub(crate) fn attach(&self, role: &str, policy_arn: &str) {
        self.run(
            self.iam
                .attach_role_policy()
                .role_name(role)
                .policy_arn(policy_arn)
                .send(),
        );
    }

    /// Sets a role's permissions boundary.
    pub(crate) fn set_boundary(&self, role: &str, policy_arn: &str) {
        let call = self.iam.put_role_permissions_boundary().role_name(role);
        self.run(call.permissions_boundary(policy_arn).send());
    }

    /// Takes a role's permissions boundary away.
    pub(crate) fn delete_boundary(&self, role: &str) {
        self.run(
            self.iam
                .delete_role_permissions_boundary()
                .role_name(role)
                .send(),
        );
    }

    /// Creates a Python function that answers `{"gate": "open"}`.
    pub(crate) fn create_function(&self, name: &str, role_arn: &str) {
        let source = "def handler(event, context):\n    return {'gate': 'open'}\n";
        let code = FunctionCode::builder().zip_file(Blob::new(zip("index.py", source.as_bytes())));
        let call = self
            .lambda
            .create_function()
            .function_name(name)
            .role(role_arn);
        let call = call
            .runtime(Language::Python312)
            .handler("index.handler")
            .code(code.build());
        self.run(call.send());
    }

    /// Invokes a function; its answer.
    pub(crate) fn invoke(&self, arn: &str) -> Result<String, String> {
        let output = self.attempt(self.lambda.invoke().function_name(arn).send())?;
        let payload = output
            .payload()
            .map(|blob| String::from_utf8_lossy(blob.as_ref()).into_owned());
        match output.function_error() {
            Some(error) => Err(format!("{error}: {payload:?}")),
            None => Ok(payload.unwrap_or_default()),
        }
    }
}

/// A policy document as IAM sends it, percent-encoded, as JSON; text that is not JSON comes back as a string.
pub(crate) fn decoded(text: &str) -> Value {
    let text = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()))
}

fn split(name: &str) -> (String, &str) {
    match name.rsplit_once('/') {
        Some((path, bare)) => (format!("/{path}/"), bare),
        None => ("/".to_owned(), name),
    }
}

/// A zip archive with one stored file (APPNOTE 6.3: local header, central directory, end record).
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let le16 = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
    let le32 = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let mut common = Vec::new();
    common.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
    common.extend(crc32(content).to_le_bytes());
    common.extend(le32(content.len()));
    common.extend(le32(content.len()));
    common.extend(le16(name.len()));
    common.extend([0, 0]);
    let mut file = b"PK\x03\x04".to_vec();
    file.extend(&common);
    file.extend(name.as_bytes());
    file.extend(content);
    let directory_at = file.len();
    file.extend(b"PK\x01\x02\x14\x03");
    file.extend(&common);
    // No comment, disk 0, no internal attributes; -rw-r--r-- outside; the local header at offset 0.
    file.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xa4, 0x81, 0, 0, 0, 0]);
    file.extend(name.as_bytes());
    let directory_len = file.len() - directory_at;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(le32(directory_len));
    file.extend(le32(directory_at));
    file.extend([0, 0]);
    file
}

fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    !data.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}
