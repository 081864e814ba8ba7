//! The embedded AWS: any number of accounts in one process, enough of IAM, STS, CodePipeline,
//! Lambda and CloudWatch Logs to run a gate, and of S3 and KMS the policies of artifact buckets and their keys.
//! Serves the demo, trials and tests; it is no product of its own, and what crossgate does not need it refuses by name.
//!
//! ```text
//! SDK, boto3, aws ── http ──▶ sigv4 ──▶ caller ──▶ iam, sts, codepipeline, lambda, logs ──▶ authorize (iam::evaluate)
//!                                                       │                                  ▲
//!                                                       ▼                                  │
//!                                                     state ◀── engine: stages, roles, jobs, callbacks ── functions
//! ```
//!
//! Every call is authorized by [`crate::iam::evaluate`] with the identity, trust, boundary and session policies that are
//! there, the engine's own calls included. Where the evaluator cannot tell, the sandbox refuses.

// The domain's own words differ by a letter: a pipeline's state, its stages.
#![allow(clippy::similar_names)]

mod admin;
mod authorize;
mod builtins;
mod caller;
mod clock;
mod codepipeline;
mod documents;
mod engine;
mod errors;
mod execution;
mod function;
mod function_input;
mod functions;
mod http;
mod iam;
mod invocation;
mod jobs;
mod lambda;
#[cfg(test)]
mod lambda_tests;
mod limits;
mod logpattern;
mod logs;
mod managed;
mod options;
mod phase;
mod process;
mod query;
mod random;
mod records;
mod runlog;
mod runtime_api;
mod script;
pub mod seed;
mod shown;
mod sigv4;
mod state;
mod stores;
mod structure;
mod sts;
#[cfg(test)]
mod tests;
mod transitions;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use tokio::sync::{Notify, oneshot};

use crate::model::account::{AccountId, AccountName};
use clock::Clock;
use limits::Limits;
use script::Scripted;
use state::{AccessKey, Holder, State, User};

pub use admin::{Admin, Reply};
pub use errors::Refused;
pub use limits::RateLimit;
pub use options::{ClockMode, Faults, SandboxOptions};
pub use records::{CallRecord, Ended, Invocation};
pub use script::{Answer, Asked, Fate, Script};
pub use state::{Builtin, Code, Outcome};

/// Why a sandbox cannot be started or written.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// The port is taken, or there are no sockets.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A thread or its runtime cannot be made.
    #[error("cannot start the sandbox's thread")]
    Thread(#[source] std::io::Error),
    /// A file cannot be written or read.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A kept state is not one.
    #[error("the kept state cannot be read or written")]
    State(#[from] serde_json::Error),
    /// The sample accounts were refused by the sandbox itself.
    #[error("the sample accounts cannot be made")]
    Seed(#[from] Refused),
}

/// What the server's thread and the sandbox's owner share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something may be due.
    wake: Notify,
    /// What becomes of single calls. Locked after the state.
    script: Mutex<Scripted>,
}

impl Shared {
    /// A panic of another thread leaves the state as it was at that moment, which is better than none.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self) -> MutexGuard<'_, Scripted> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of an AWS config with one profile for each named account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFiles {
    /// `AWS_CONFIG_FILE`.
    pub config: PathBuf,
    /// `AWS_SHARED_CREDENTIALS_FILE`.
    pub credentials: PathBuf,
}

impl ConfigFiles {
    /// The environment variables that point every AWS tool at the sandbox. No variable with keys may be set beside them.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        let Self {
            config,
            credentials,
        } = self;
        [
            ("AWS_CONFIG_FILE", config.display().to_string()),
            (
                "AWS_SHARED_CREDENTIALS_FILE",
                credentials.display().to_string(),
            ),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }
}

/// A running sandbox. It ends, with its connections and processes, when it is dropped.
///
/// It runs on a thread of its own: synchronous callers, and callers with a runtime, may use it alike.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts an empty sandbox. It accepts connections when this returns.
    pub fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let SandboxOptions {
            seed,
            clock,
            faults,
            limits,
            port,
        } = options;
        let listen = |source| SandboxError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let endpoint = format!("http://{address}");
        let mut state = State::new(seed, Clock::new(clock), faults, endpoint);
        state.limits = Limits::new(limits);
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            wake: Notify::new(),
            script: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(SandboxError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || runtime.block_on(http::serve(listener, served, stopped)))
            .map_err(SandboxError::Thread)?;
        Ok(Self {
            shared,
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `http://127.0.0.1:PORT`, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes an account with a user `operator` that has AdministratorAccess, and gives it a name: that of its profile.
    pub fn add_account(&self, name: &AccountName, id: &AccountId) {
        let mut state = self.shared.lock();
        let user_id = state.random.unique_id("AIDA");
        let key = state.random.unique_id("AKIA");
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let secret = state.random.letters("sandbox/", alphabet, 32);
        let attached = ["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
        let user = User {
            name: "operator".to_owned(),
            id: user_id,
            inline: std::collections::BTreeMap::new(),
            attached: attached.into_iter().collect(),
        };
        let holder = Holder::User(user.name.clone());
        state
            .account(id.as_str())
            .users
            .insert(user.name.clone(), user);
        state
            .names
            .insert(name.as_str().to_owned(), id.as_str().to_owned());
        state.keys.insert(
            key.chars().take(20).collect(),
            AccessKey {
                secret,
                token: None,
                account: id.as_str().to_owned(),
                holder,
                expires: None,
            },
        );
    }

    /// Calls of an account's root user, made without the network: authorized, but neither recorded nor disturbed by
    /// faults. For seeding, for edits "by somebody else", and for looking at runs.
    pub fn admin<'a>(&'a self, account: &AccountId, region: &str) -> Admin<'a> {
        Admin::new(&self.shared, account.as_str(), region)
    }

    /// Everything that belongs to the accounts, without ids, times, pipeline versions and executions: equal before and
    /// after means that nothing was left behind.
    pub fn snapshot(&self) -> Value {
        self.shared.lock().snapshot()
    }

    /// The calls that were made, the oldest first: those that came over HTTP, those of the engine (STS and Lambda, as the
    /// service or the action's role) and those of built-in functions.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.lock().calls.iter().cloned().collect()
    }

    /// The same, and they are forgotten: it remembers a hundred thousand calls, and a fleet makes more.
    pub fn take_calls(&self) -> Vec<CallRecord> {
        std::mem::take(&mut self.shared.lock().calls).into()
    }

    /// The runs of functions, the oldest first.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.shared.lock().invocations.clone()
    }

    /// The sandbox's time: the time since 1970.
    pub fn now(&self) -> Duration {
        self.shared.lock().clock.now()
    }

    /// Skips this much of the sandbox's time.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().clock.advance(by);
        self.shared.wake.notify_one();
    }

    /// Changes the faults from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.lock().faults = faults;
    }

    /// From now on the script says what becomes of each call that comes over HTTP; none: all pass. Those that pass may still meet with
    /// [`Faults`].
    pub fn set_script(&self, script: Option<Script>) {
        self.shared.script().set(script);
    }

    /// Limits the calls from now on; the buckets are full.
    pub fn set_limits(&self, limits: Vec<RateLimit>) {
        self.shared.lock().limits = Limits::new(limits);
    }

    /// Accounts, users and keys as text, for a later [`Sandbox::restore`]. Executions that run are kept as stopped.
    pub fn save(&self) -> Result<String, SandboxError> {
        Ok(self.shared.lock().save()?)
    }

    /// Takes back what [`Sandbox::save`] gave; what is there is replaced.
    pub fn restore(&self, text: &str) -> Result<(), SandboxError> {
        Ok(self.shared.lock().restore(text)?)
    }

    /// The texts of both files, a section for each named account.
    fn profiles(&self) -> (String, String) {
        let state = self.shared.lock();
        let endpoint = self.endpoint();
        let section = |(name, account): (&String, &String)| {
            let of_user =
                |key: &AccessKey| key.account == *account && matches!(key.holder, Holder::User(_));
            let (id, key) = state.keys.iter().find(|(_, key)| of_user(key))?;
            let secret = &key.secret;
            Some((
                format!(
                    "[profile {name}]\nregion = us-east-1\noutput = json\nendpoint_url = {endpoint}\n\n"
                ),
                format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n\n"),
            ))
        };
        state.names.iter().filter_map(section).unzip()
    }

    /// Writes `config` and `credentials` into a folder, with a profile for each named account: region us-east-1, the
    /// sandbox as `endpoint_url`, and the keys of the account's user `operator`.
    pub fn config_files(&self, folder: &Path) -> Result<ConfigFiles, SandboxError> {
        let (config, credentials) = self.profiles();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            match std::fs::write(&path, text) {
                Ok(()) => Ok(path),
                Err(source) => Err(SandboxError::File { path, source }),
            }
        };
        Ok(ConfigFiles {
            config: write("config", config)?,
            credentials: write("credentials", credentials)?,
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It fails only where the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server was its own; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
