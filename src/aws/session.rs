//! All credentials and clients: how each account is reached, resolved once, then shared by every call.
//! It sends no call of its own but `sts:AssumeRole`, and keeps no secret in a message.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::retry::RetryPartition;
use aws_sdk_sts::config::{ProvideCredentials, SharedCredentialsProvider, SharedHttpClient};
use tokio::sync::Mutex as AsyncMutex;

use super::credentials::explain;
use super::errors::{Failure, unreachable};
use super::gate::{Gated, Gates, Manners};
use super::hide::hide;
use super::http;
use super::slow_down::Directed;
use super::text::escape;
use crate::cloud::CloudErrorKind;
use crate::model::account::{AccountId, AccountName, Partition, Region};
use crate::model::arn::RoleArn;
use crate::model::name::Project;
use crate::model::secret::SecretText;

/// How one account is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAccess {
    /// The account's name in the manifest.
    pub name: AccountName,
    /// Its id, as the manifest says. It is not checked here: `GetCallerIdentity` is a read like another.
    pub id: AccountId,
    /// Whose credentials are used.
    pub credentials: Credentials,
    /// The partition: IAM is called in its global region.
    pub partition: Partition,
    /// The region whose STS is asked; none: the partition's global region. A region of the account's pipelines or
    /// functions is best, as organizations may forbid the others.
    pub region: Option<Region>,
}

/// Where an account's credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The SDK's default chain: environment, `AWS_PROFILE`, web identity, container, instance.
    DefaultChain,
    /// A named profile and nothing else: environment credentials never take its place.
    Profile(String),
    /// A role, assumed with the credentials of another account of the manifest.
    AssumeRole {
        /// The role.
        role_arn: RoleArn,
        /// The account whose credentials assume it.
        via: AccountName,
    },
}

impl Credentials {
    /// The credentials in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::DefaultChain => "the default credentials".to_owned(),
            Self::Profile(profile) => format!("profile `{}`", escape(profile)),
            Self::AssumeRole { role_arn, via: _ } => format!("role {role_arn}"),
        }
    }
}

/// What holds for all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Makes the session name of assumed roles `crossgate-<project>`, which `CloudTrail` shows; without it, `crossgate`.
    pub project: Option<Project>,
    /// Attempts of one call, the first included. `AWS_MAX_ATTEMPTS` and a profile's `max_attempts` come before it.
    pub max_attempts: u32,
    /// Throttled answers to one of these attempts, which waits and is sent again without being another attempt. Where
    /// `AWS_MAX_ATTEMPTS` or `max_attempts` is set, that counts all.
    pub most_throttled: u32,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest wait for one attempt's answer.
    pub attempt_timeout: Duration,
    /// The longest wait for one call: all attempts, the pauses between them, and the waits for the account's limit, which may be long
    /// where many calls wait.
    pub call_timeout: Duration,
    /// The longest wait for credentials: a `credential_process` may ask a person.
    pub credentials_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            project: None,
            max_attempts: 5,
            most_throttled: 20,
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_mins(10),
            credentials_timeout: Duration::from_mins(2),
        }
    }
}

/// The pause before the first retry, doubled each time and jittered by the SDK. Its own second would make an account that
/// cannot be reached cost half a minute.
const INITIAL_BACKOFF: Duration = Duration::from_millis(300);
/// Attempts of the SDK where nothing is configured (`RetryConfig::standard`).
const SDK_ATTEMPTS: u32 = 3;
/// Credentials that end sooner than this are resolved anew.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);
/// The instance metadata service answers at once or is not there: a laptop must not wait for it.
const IMDS_TIMEOUT: Duration = Duration::from_millis(500);

/// A service's configuration with our retries: the builders of the services have no trait in common.
///
/// The SDK bounds retries over all calls of a partition (500 tokens, 5 or 10 for each retry), and its own partition is the service
/// and region in the whole process: of a hundred accounts, the throttled ones would use up the retries of all others.
macro_rules! configured {
    ($sdk:ident, $config:expr) => {
        $sdk::config::Builder::from($config)
            .retry_partition(RetryPartition::custom(stringify!($sdk)).build())
            .retry_classifier(Directed { chance })
    };
}

/// How an account is called: everything but its credentials, at first.
#[derive(Debug)]
struct Reach {
    config: SdkConfig,
    /// See [`Settings::most_throttled`].
    most_throttled: u32,
}

/// The clients of one account. Service clients are made when they are first used and share connections and credentials.
#[derive(Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    most_throttled: u32,
    expiry: Option<SystemTime>,
    /// The secret key and the session token: never sent as they are, and never shown.
    secrets: Vec<SecretText>,
    partition: Partition,
    iam: aws_sdk_iam::Client,
    lambda: Mutex<BTreeMap<Region, aws_sdk_lambda::Client>>,
    codepipeline: Mutex<BTreeMap<Region, aws_sdk_codepipeline::Client>>,
    logs: Mutex<BTreeMap<Region, aws_sdk_cloudwatchlogs::Client>>,
    s3: Mutex<BTreeMap<Region, aws_sdk_s3::Client>>,
    kms: Mutex<BTreeMap<Region, aws_sdk_kms::Client>>,
    organizations: OnceLock<aws_sdk_organizations::Client>,
}

impl Clients {
    fn new(reach: Reach, expiry: Option<SystemTime>, partition: Partition) -> Self {
        let Reach {
            config,
            most_throttled,
        } = reach;
        let global = aws_config::Region::from_static(partition.global_region());
        let iam = configured!(aws_sdk_iam, &config).region(global).build();
        Self {
            iam: aws_sdk_iam::Client::from_conf(iam),
            config,
            most_throttled,
            expiry,
            secrets: Vec::new(),
            partition,
            lambda: Mutex::default(),
            codepipeline: Mutex::default(),
            logs: Mutex::default(),
            s3: Mutex::default(),
            kms: Mutex::default(),
            organizations: OnceLock::new(),
        }
    }

    /// What of the credentials must not be shown where somebody repeats it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(SecretText::reveal)
    }

    /// IAM, in the partition's global region.
    pub(super) fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }

    /// STS, in the account's region. It is asked once of each account, so that the client is not kept.
    pub(super) fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::from_conf(configured!(aws_sdk_sts, &self.config).build())
    }

    /// Lambda in a region.
    pub(super) fn lambda(&self, region: &Region) -> aws_sdk_lambda::Client {
        cached(&self.lambda, region, |region| {
            let config = configured!(aws_sdk_lambda, &self.config).region(region);
            aws_sdk_lambda::Client::from_conf(config.build())
        })
    }

    /// `CodePipeline` in a region.
    pub(super) fn codepipeline(&self, region: &Region) -> aws_sdk_codepipeline::Client {
        cached(&self.codepipeline, region, |region| {
            let config = configured!(aws_sdk_codepipeline, &self.config).region(region);
            aws_sdk_codepipeline::Client::from_conf(config.build())
        })
    }

    /// CloudWatch Logs in a region.
    pub(super) fn logs(&self, region: &Region) -> aws_sdk_cloudwatchlogs::Client {
        cached(&self.logs, region, |region| {
            let config = configured!(aws_sdk_cloudwatchlogs, &self.config).region(region);
            aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
        })
    }

    /// S3 in a region. The bucket goes into the path and not into the host's name, which a test endpoint on an address does not
    /// have, and which TLS does not take where a bucket's name has dots; S3 takes either (S3 user guide, "Path-style requests").
    pub(super) fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        cached(&self.s3, region, |region| {
            let config = configured!(aws_sdk_s3, &self.config)
                .region(region)
                .force_path_style(true);
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }

    /// KMS in a region.
    pub(super) fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        cached(&self.kms, region, |region| {
            let config = configured!(aws_sdk_kms, &self.config).region(region);
            aws_sdk_kms::Client::from_conf(config.build())
        })
    }

    /// Organizations, in the one region of the partition that has it (AWS General Reference, "Organizations endpoints"), which
    /// is also that of IAM except in China.
    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        let make = || {
            let region = match self.partition {
                Partition::AwsCn => "cn-northwest-1",
                Partition::Aws | Partition::AwsUsGov => self.partition.global_region(),
            };
            let region = aws_config::Region::from_static(region);
            let config = configured!(aws_sdk_organizations, &self.config).region(region);
            aws_sdk_organizations::Client::from_conf(config.build())
        };
        self.organizations.get_or_init(make).clone()
    }

    fn are_fresh(&self) -> bool {
        self.expiry
            .is_none_or(|end| end > SystemTime::now() + EXPIRY_MARGIN)
    }
}

fn cached<C: Clone>(
    clients: &Mutex<BTreeMap<Region, C>>,
    region: &Region,
    make: impl FnOnce(aws_config::Region) -> C,
) -> C {
    let sdk_region = aws_config::Region::new(region.as_str().to_owned());
    match clients.lock() {
        Ok(mut clients) => clients
            .entry(region.clone())
            .or_insert_with(|| make(sdk_region))
            .clone(),
        // A poisoned lock means a panic elsewhere: the client is only made anew.
        Err(_) => make(sdk_region),
    }
}

/// One account: what is known, and what was made of it. The lock is held while credentials are resolved, so that calls
/// side by side wait for one resolution instead of each making its own. A failure is kept: it would only be repeated.
#[derive(Debug)]
struct Account {
    access: AccountAccess,
    gates: Arc<Gates>,
    clients: AsyncMutex<Option<Result<Arc<Clients>, Failure>>>,
}

/// All accounts.
#[derive(Debug)]
pub(super) struct Sessions {
    accounts: BTreeMap<AccountName, Account>,
    settings: Settings,
    http: SharedHttpClient,
}

impl Sessions {
    pub(super) fn new(accounts: Vec<AccountAccess>, settings: Settings) -> Self {
        let account = |access: AccountAccess| {
            let account = Account {
                access,
                gates: Arc::default(),
                clients: AsyncMutex::default(),
            };
            (account.access.name.clone(), account)
        };
        Self {
            accounts: accounts.into_iter().map(account).collect(),
            settings,
            http: http::client(),
        }
    }

    /// Sessions whose clients are given, for tests.
    #[cfg(test)]
    pub(super) fn ready(access: AccountAccess, config: SdkConfig) -> Self {
        let reach = Reach {
            config,
            most_throttled: 1,
        };
        let clients = Arc::new(Clients::new(reach, None, access.partition));
        let mut sessions = Self::new(vec![access], Settings::default());
        for account in sessions.accounts.values_mut() {
            *account.clients.get_mut() = Some(Ok(Arc::clone(&clients)));
        }
        sessions
    }

    pub(super) fn access(&self, name: &AccountName) -> Option<&AccountAccess> {
        self.accounts.get(name).map(|account| &account.access)
    }

    /// The account's clients; its credentials are resolved at the first call, and again shortly before they expire.
    pub(super) async fn clients(&self, name: &AccountName) -> Result<Arc<Clients>, Failure> {
        self.refuse_circles(name)?;
        self.clients_of(name).await
    }

    /// Follows `via`; the boxed future is what lets it call itself. Circles are refused before.
    async fn clients_of(&self, name: &AccountName) -> Result<Arc<Clients>, Failure> {
        let Some(account) = self.accounts.get(name) else {
            return Err(no_such_account(name));
        };
        let mut slot = account.clients.lock().await;
        match &*slot {
            Some(Ok(clients)) if clients.are_fresh() => return Ok(Arc::clone(clients)),
            Some(Err(failure)) => return Err(failure.clone()),
            Some(Ok(_)) | None => {}
        }
        let result = Box::pin(self.open(account)).await.map(Arc::new);
        *slot = Some(result.clone());
        result
    }

    /// An account that is reached via itself, over however many others, can never be opened.
    fn refuse_circles(&self, name: &AccountName) -> Result<(), Failure> {
        let mut seen = vec![name];
        let mut next = self.access(name);
        while let Some(Credentials::AssumeRole { via, .. }) = next.map(|a| &a.credentials) {
            if seen.contains(&via) {
                let message = format!("account {name} is reached via itself");
                return Err(Failure {
                    hint: Some("one account on the way needs credentials of its own".to_owned()),
                    ..Failure::new(CloudErrorKind::Credentials, message)
                });
            }
            seen.push(via);
            next = self.access(via);
        }
        Ok(())
    }

    async fn open(&self, account: &Account) -> Result<Clients, Failure> {
        let Account { access, gates, .. } = account;
        let limit = self.settings.credentials_timeout;
        match &access.credentials {
            Credentials::DefaultChain => {
                let provider = self.default_chain(access).await;
                let reach = self.reach(account, None).await;
                self.resolve(access, reach, provider, limit).await
            }
            Credentials::Profile(profile) => {
                let provider = ProfileFileCredentialsProvider::builder()
                    .configure(&self.provider_config(access))
                    .profile_name(profile)
                    .build();
                let reach = self.reach(account, Some(profile)).await;
                self.resolve(access, reach, provider, limit).await
            }
            Credentials::AssumeRole { role_arn, via } => {
                let via = Box::pin(self.clients_of(via)).await?;
                let most_throttled = via.most_throttled;
                // The role has no profile of its own: endpoints and the like are those of the account on the way.
                let config = via.config.to_builder().region(sts_region(access)).build();
                let provider = AssumeRoleProvider::builder(role_arn.to_string())
                    .session_name(self.session_name())
                    .configure(&config)
                    .build()
                    .await;
                // The role is assumed within the limits of the account on the way; what it does then counts on its own account.
                let gated = self.gated(gates, most_throttled);
                let own = Reach {
                    config: config.into_builder().http_client(gated).build(),
                    most_throttled,
                };
                // No person is asked, and a hundred roles may be assumed at once: the wait is that of a call.
                let limit = self.settings.call_timeout;
                let opened = self.resolve(access, own, provider, limit).await;
                opened.map_err(|failure| hide(failure, via.secrets()))
            }
        }
    }

    /// Resolves once. The SDK then sees plain credentials, so that no attempt's time-out runs while a person types a code,
    /// and no client resolves again.
    async fn resolve(
        &self,
        access: &AccountAccess,
        reach: Reach,
        provider: impl ProvideCredentials,
        limit: Duration,
    ) -> Result<Clients, Failure> {
        let credentials = match tokio::time::timeout(limit, provider.provide_credentials()).await {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(error)) => return Err(explain(&error, access)),
            Err(_) => {
                let whose = access.credentials.describe();
                let message = format!("{whose}: no credentials within {} s", limit.as_secs());
                return Err(unreachable(message));
            }
        };
        let expiry = credentials.expiry();
        let secrets = [
            Some(credentials.secret_access_key()),
            credentials.session_token(),
        ];
        let secrets = secrets.into_iter().flatten();
        let secrets = secrets
            .map(|text| SecretText::new(text.to_owned()))
            .collect();
        let config = reach
            .config
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let reach = Reach { config, ..reach };
        Ok(Clients {
            secrets,
            ..Clients::new(reach, expiry, access.partition)
        })
    }

    /// Everything but credentials, from the environment and the profile: endpoints, FIPS, dual stack, retries.
    async fn reach(&self, account: &Account, profile: Option<&str>) -> Reach {
        let Account { access, gates, .. } = account;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .region(sts_region(access))
            .timeout_config(self.call_timeouts())
            // It would break off every request whose body waits for 20 s at the gate. The time-out of an attempt is enough for bodies
            // that are small and read whole.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .no_credentials();
        if let Ok(name) = AppName::new(concat!("crossgate-", env!("CARGO_PKG_VERSION"))) {
            loader = loader.app_name(name);
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        let configured = config.retry_config().map(RetryConfig::max_attempts);
        let chosen = std::env::var_os("AWS_MAX_ATTEMPTS").is_some()
            || configured.is_some_and(|n| n != SDK_ATTEMPTS);
        let retry = config.retry_config().map(|retry| {
            let retry = retry.clone().with_initial_backoff(INITIAL_BACKOFF);
            if chosen {
                retry
            } else {
                retry.with_max_attempts(self.settings.max_attempts.max(1))
            }
        });
        let most_throttled = if chosen {
            1
        } else {
            self.settings.most_throttled
        };
        let mut config = config
            .into_builder()
            .http_client(self.gated(gates, most_throttled));
        config.set_retry_config(retry);
        Reach {
            config: config.build(),
            most_throttled,
        }
    }

    async fn default_chain(&self, access: &AccountAccess) -> DefaultCredentialsChain {
        let provider_config = self.provider_config(access);
        let imds = aws_config::imds::Client::builder()
            .configure(&provider_config)
            .max_attempts(1)
            .connect_timeout(IMDS_TIMEOUT)
            .read_timeout(IMDS_TIMEOUT)
            .build();
        DefaultCredentialsChain::builder()
            .configure(provider_config)
            .region(sts_region(access))
            .imds_client(imds)
            .build()
            .await
    }

    fn provider_config(&self, access: &AccountAccess) -> ProviderConfig {
        ProviderConfig::without_region()
            .with_region(Some(sts_region(access)))
            .with_http_client(self.http.clone())
            .with_timeout_config(self.timeouts())
            .with_retry_config(RetryConfig::standard().with_initial_backoff(INITIAL_BACKOFF))
    }

    fn timeouts(&self) -> TimeoutConfig {
        let settings = &self.settings;
        TimeoutConfig::builder()
            .connect_timeout(settings.connect_timeout)
            .operation_attempt_timeout(settings.attempt_timeout)
            .operation_timeout(settings.call_timeout)
            .build()
    }

    /// The time-outs of clients behind gates: the one of an attempt is the gate's.
    fn call_timeouts(&self) -> TimeoutConfig {
        let timeouts = self.timeouts().to_builder();
        timeouts.disable_operation_attempt_timeout().build()
    }

    fn gated(&self, gates: &Arc<Gates>, most_throttled: u32) -> Gated {
        let manners = Manners {
            attempt_timeout: self.settings.attempt_timeout,
            most_throttled,
            chance,
        };
        Gated::new(self.http.clone(), Arc::clone(gates), manners)
    }

    fn session_name(&self) -> String {
        match &self.settings.project {
            Some(project) => format!("crossgate-{project}"),
            None => "crossgate".to_owned(),
        }
    }
}

fn sts_region(access: &AccountAccess) -> aws_config::Region {
    match &access.region {
        Some(region) => aws_config::Region::new(region.as_str().to_owned()),
        None => aws_config::Region::from_static(access.partition.global_region()),
    }
}

/// A number from 0 to 1. The standard library's hash keys are random; for jitter that is enough.
fn chance() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

fn no_such_account(name: &AccountName) -> Failure {
    let message = format!("account {name} is not in the manifest");
    Failure::new(CloudErrorKind::Credentials, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_waits_at_the_gate_is_not_broken_off_for_sending_nothing() {
        let access = AccountAccess {
            name: AccountName::new("tools").unwrap(),
            id: AccountId::new("111111111111").unwrap(),
            credentials: Credentials::DefaultChain,
            partition: Partition::Aws,
            region: None,
        };
        let sessions = Sessions::new(vec![access], Settings::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let account = sessions.accounts.values().next().unwrap();
        let reach = runtime.block_on(sessions.reach(account, None));
        let protection = reach.config.stalled_stream_protection().unwrap();
        assert!(!protection.upload_enabled() && !protection.download_enabled());
    }
}
