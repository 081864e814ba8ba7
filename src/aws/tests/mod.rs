//! The module against a small HTTP server on loopback that answers as AWS does.
//! No test here needs AWS, an emulator or the environment of whoever runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod artifacts;
mod child;
mod cut;
mod diagnosis;
mod endpoints;
mod errors;
mod functions;
mod fuzz;
mod lists;
mod lossless;
mod organizations;
mod services;
mod stub;

use aws_config::BehaviorVersion;
use aws_sdk_sts::config::{Credentials as Keys, SharedCredentialsProvider};

use super::errors::Call;
use super::{AccountAccess, Credentials, http};
use crate::model::account::{AccountId, AccountName, Partition};

/// An account `name` of id 111111111111 with these credentials.
fn access(name: &str, credentials: Credentials) -> AccountAccess {
    AccountAccess {
        name: AccountName::new(name).unwrap(),
        id: AccountId::new("111111111111").unwrap(),
        credentials,
        partition: Partition::Aws,
        region: None,
    }
}

fn call<'a>(
    operation: &'static str,
    access: &'a AccountAccess,
) -> (Call<'a>, tokio::runtime::Runtime) {
    let call = Call {
        operation,
        resource: "role x".to_owned(),
        access,
    };
    (call, runtime())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// What a service client needs to talk to the stub.
fn sdk_config(endpoint: &str) -> aws_config::SdkConfig {
    let keys = Keys::new("AKID", "SECRETKEY", None, None, "test");
    aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::from_static("us-east-1"))
        .endpoint_url(endpoint)
        .http_client(http::client())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .retry_config(
            aws_config::retry::RetryConfig::standard()
                .with_initial_backoff(std::time::Duration::from_millis(1)),
        )
        .build()
}
