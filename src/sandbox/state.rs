//! What the two (or more) accounts hold: roles, policies, functions, pipelines, executions, jobs; all behind one mutex.
//! Holds and finds; what may be done with it is decided by the services and by `authorize`.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clock::{Clock, Moment};
use super::execution::{Execution, Job};
use super::invocation::InvokeConfig;
use super::limits::Limits;
use super::logs::LogGroup;
use super::options::Faults;
use super::random::Random;
use super::records::{CallRecord, Invocation};
use super::stores::Store;
use super::transitions::Transition;

/// Tags of anything.
pub(super) type Tags = BTreeMap<String, String>;

/// Calls that are remembered; older ones are forgotten.
const CALLS: usize = 100_000;

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) id: String,
    /// The trust policy; a principal that was a role of some account stands here by its ARN, and in `trusted` by its id.
    pub(super) trust: Value,
    /// The roles and users that the trust policy names: ARN and unique id at the time of writing.
    pub(super) trusted: BTreeMap<String, String>,
    pub(super) description: String,
    pub(super) max_session: u32,
    pub(super) tags: Tags,
    pub(super) boundary: Option<String>,
    pub(super) inline: BTreeMap<String, String>,
    pub(super) attached: BTreeSet<String>,
    pub(super) created: Moment,
    /// So many reads still miss it.
    #[serde(default)]
    pub(super) unsettled: u32,
    /// Until this moment all reads miss it.
    #[serde(default)]
    pub(super) unseen_until: Moment,
}

/// An IAM user; the sandbox makes them only for the profiles of people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) inline: BTreeMap<String, String>,
    pub(super) attached: BTreeSet<String>,
}

/// A managed policy, of which the sandbox keeps one version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ManagedPolicy {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) document: String,
    pub(super) created: Moment,
}

/// What a built-in function does with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Builtin {
    /// Answers that all is well, after a second.
    Approve,
    /// Answers that the job failed, after a second, with the environment's `SANDBOX_MESSAGE`.
    Reject,
    /// Returns and never answers.
    Silent,
    /// Answers twice with a continuation token, 30 seconds each, and then that all is well.
    Slow,
    /// Raises an error; Lambda tries it twice more.
    Crash,
    /// Answers with the job's `artifactCredentials`, which may not.
    WrongCredentials,
    /// Answers that the job failed, with the environment's `SANDBOX_MESSAGE`, and then once more that all is well.
    Twice,
    /// Runs until Lambda stops it; Lambda tries it twice more.
    Timeout,
    /// Reads its input artifacts with the job's credentials, and answers that it cannot where it may not.
    Artifact,
}

impl Builtin {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Approve,
        Self::Reject,
        Self::Silent,
        Self::Slow,
        Self::Crash,
        Self::WrongCredentials,
        Self::Twice,
        Self::Timeout,
        Self::Artifact,
    ];

    /// The name: a function whose handler is `sandbox.NAME` is this one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::Crash => "crash",
            Self::WrongCredentials => "wrong-credentials",
            Self::Twice => "twice",
            Self::Timeout => "timeout",
            Self::Artifact => "artifact",
        }
    }

    /// The built-in function behind a `Handler`.
    pub(super) fn of_handler(handler: &str) -> Option<Self> {
        let name = handler.strip_prefix("sandbox.")?;
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A function's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// One of the sandbox's own.
    Builtin(Builtin),
    /// A file of this machine, run by `python3` (`.py`) or `node` (`.js`, `.mjs`, `.cjs`), or else by itself: an
    /// executable that speaks Lambda's Runtime API, as those of a `provided` runtime do.
    File(PathBuf),
    /// A ZIP archive, base64, as CreateFunction brings it.
    Zip(String),
}

/// A function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) runtime: String,
    pub(super) handler: String,
    pub(super) description: String,
    /// Seconds.
    pub(super) timeout: u64,
    /// Megabytes.
    pub(super) memory: u64,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) code: Code,
    pub(super) code_sha: String,
    pub(super) code_size: usize,
    pub(super) tags: Tags,
    /// The function's own policy's statements.
    pub(super) policy: Vec<Value>,
    pub(super) concurrency: Option<u64>,
    #[serde(default)]
    pub(super) invoke_config: Option<InvokeConfig>,
    /// The ARN of a queue or topic (`DeadLetterConfig`).
    #[serde(default)]
    pub(super) dead_letter: Option<String>,
    pub(super) modified: Moment,
    pub(super) revision: String,
    /// Until this moment it is being made: `State` is Pending.
    #[serde(default)]
    pub(super) pending_until: Moment,
    /// Until this moment it is being changed: `LastUpdateStatus` is InProgress.
    #[serde(default)]
    pub(super) updating_until: Moment,
}

/// How an action that invokes no function ends, in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It succeeds at once.
    #[default]
    Succeed,
    /// It fails at once.
    Fail {
        /// The code of its error, for example `JobFailed`.
        code: String,
        /// The message of its error.
        message: String,
    },
    /// It is in progress until it is told another outcome, as an approval is.
    Wait,
}

/// A pipeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pipeline {
    /// The structure as GetPipeline gives it, secrets in clear.
    pub(super) document: Value,
    /// What it was before, the oldest first.
    #[serde(default)]
    pub(super) earlier: Vec<Value>,
    pub(super) created: Moment,
    pub(super) updated: Moment,
    pub(super) tags: Tags,
    /// How actions of other providers end, by `STAGE/ACTION`; those that are not here succeed.
    #[serde(default)]
    pub(super) outcomes: BTreeMap<String, Outcome>,
    /// By `Inbound/STAGE` and `Outbound/STAGE`; those that are not here were always open.
    #[serde(default)]
    pub(super) transitions: BTreeMap<String, Transition>,
    /// The newest last.
    pub(super) executions: Vec<Execution>,
}

/// An account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) users: BTreeMap<String, User>,
    /// By ARN.
    pub(super) policies: BTreeMap<String, ManagedPolicy>,
    /// By `REGION/NAME`.
    pub(super) functions: BTreeMap<String, Function>,
    /// By `REGION/NAME`.
    pub(super) pipelines: BTreeMap<String, Pipeline>,
    /// By `REGION/NAME`.
    #[serde(default)]
    pub(super) logs: BTreeMap<String, LogGroup>,
    /// By name.
    #[serde(default)]
    pub(super) buckets: BTreeMap<String, Store>,
    /// By `REGION/ID`.
    #[serde(default)]
    pub(super) keys: BTreeMap<String, Store>,
}

/// Whose an access key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Holder {
    /// The account itself.
    Root,
    /// A user of it.
    User(String),
    /// A session of a role of it.
    Session {
        role: String,
        role_id: String,
        session: String,
        policy: Option<String>,
    },
}

/// An access key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessKey {
    pub(super) secret: String,
    pub(super) token: Option<String>,
    pub(super) account: String,
    pub(super) holder: Holder,
    /// Real time.
    pub(super) expires: Option<Duration>,
}

/// A thing to do at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Timer {
    /// A built-in function answers, or is stopped.
    Answer { run: Box<Run>, builtin: Builtin },
    /// CodePipeline gives up on a job, unless it heard of it since.
    GiveUp { job: String, generation: u32 },
    /// CodePipeline invokes the function again, with the token.
    Again { job: String },
    /// Lambda tries a failed asynchronous invocation again.
    Retry { run: Box<Run> },
    /// Lambda tries a throttled asynchronous invocation again, after this pause.
    Throttled {
        run: Box<Run>,
        since: Moment,
        pause: Duration,
    },
    /// A function is what it was made or changed to be: nothing to do but to let the time pass.
    Settled,
}

/// A run of a function that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) function: String,
    pub(super) event: String,
    pub(super) job: Option<String>,
    pub(super) request_id: String,
    pub(super) attempt: u32,
}

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<String, Account>,
    /// Names of accounts, for the profiles.
    pub(super) names: BTreeMap<String, String>,
    pub(super) keys: HashMap<String, AccessKey>,
    pub(super) jobs: BTreeMap<String, Job>,
    pub(super) calls: VecDeque<CallRecord>,
    pub(super) invocations: Vec<Invocation>,
    pub(super) timers: BTreeMap<(Moment, u64), Timer>,
    sequence: u64,
    /// Runs of users' handlers that wait to be started as processes.
    pub(super) runs: VecDeque<Run>,
    /// Processes that run.
    pub(super) running: usize,
    pub(super) random: Random,
    /// Chances of faults are drawn apart, so that faults change no id.
    pub(super) chances: Random,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) limits: Limits,
    /// The owner calls, whom no fault disturbs.
    pub(super) quiet: bool,
    pub(super) endpoint: String,
}

/// What is kept between two sandboxes.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    format_version: u32,
    accounts: BTreeMap<String, Account>,
    names: BTreeMap<String, String>,
    users: Vec<(String, AccessKey)>,
}

impl State {
    pub(super) fn new(seed: u64, clock: Clock, faults: Faults, endpoint: String) -> Self {
        Self {
            accounts: BTreeMap::new(),
            names: BTreeMap::new(),
            keys: HashMap::new(),
            jobs: BTreeMap::new(),
            calls: VecDeque::new(),
            invocations: Vec::new(),
            timers: BTreeMap::new(),
            sequence: 0,
            runs: VecDeque::new(),
            running: 0,
            random: Random::new(seed),
            chances: Random::new(seed ^ 0x5EED_FA17),
            clock,
            faults,
            limits: Limits::default(),
            quiet: false,
            endpoint,
        }
    }

    /// The account, made if it is new: any twelve digits are an account.
    pub(super) fn account(&mut self, id: &str) -> &mut Account {
        self.accounts.entry(id.to_owned()).or_default()
    }

    pub(super) fn role(&self, account: &str, name: &str) -> Option<&Role> {
        self.accounts.get(account)?.roles.get(name)
    }

    pub(super) fn role_mut(&mut self, account: &str, name: &str) -> Option<&mut Role> {
        self.accounts.get_mut(account)?.roles.get_mut(name)
    }

    /// The role of an ARN, with its account.
    pub(super) fn role_of_arn(&self, arn: &str) -> Option<(&str, &Role)> {
        let (account, name) = role_parts(arn)?;
        let (account, held) = self.accounts.get_key_value(account)?;
        let role = held.roles.get(name)?;
        (role_arn(account, role) == arn).then_some((account.as_str(), role))
    }

    pub(super) fn function(&self, account: &str, region: &str, name: &str) -> Option<&Function> {
        let held = self.accounts.get(account)?;
        held.functions.get(&format!("{region}/{name}"))
    }

    pub(super) fn pipeline(&self, account: &str, region: &str, name: &str) -> Option<&Pipeline> {
        let held = self.accounts.get(account)?;
        held.pipelines.get(&format!("{region}/{name}"))
    }

    pub(super) fn pipeline_mut(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
    ) -> Option<&mut Pipeline> {
        let held = self.accounts.get_mut(account)?;
        held.pipelines.get_mut(&format!("{region}/{name}"))
    }

    /// The unique id behind a role's or user's ARN, as it is now.
    pub(super) fn unique_id(&self, arn: &str) -> Option<String> {
        if let Some((_, role)) = self.role_of_arn(arn) {
            return Some(role.id.clone());
        }
        let (account, rest) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let name = rest.strip_prefix("user/")?;
        Some(self.accounts.get(account)?.users.get(name)?.id.clone())
    }

    /// Does a thing so much later.
    pub(super) fn after(&mut self, delay: Duration, timer: Timer) {
        self.sequence += 1;
        let at = self.clock.now().saturating_add(delay);
        self.timers.insert((at, self.sequence), timer);
    }

    /// Remembers a call.
    pub(super) fn record(&mut self, call: CallRecord) {
        if self.calls.len() == CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// Everything that belongs to the accounts, for a comparison of before and after: no ids, times, versions, runs.
    pub(super) fn snapshot(&self) -> Value {
        let accounts = self.accounts.iter();
        let accounts: Map<String, Value> = accounts
            .map(|(id, account)| (id.clone(), account.snapshot(id)))
            .collect();
        Value::Object(accounts)
    }

    /// What `--state FILE` keeps. Executions that run are kept as stopped, as nobody would go on with them.
    pub(super) fn save(&self) -> Result<String, serde_json::Error> {
        let mut accounts = self.accounts.clone();
        // A later sandbox may begin earlier than a fast one ended.
        for function in accounts.values_mut().flat_map(|a| a.functions.values_mut()) {
            function.pending_until = Moment::ZERO;
            function.updating_until = Moment::ZERO;
        }
        for pipeline in accounts.values_mut().flat_map(|a| a.pipelines.values_mut()) {
            for execution in &mut pipeline.executions {
                execution.abandon();
            }
        }
        let permanent = |key: &AccessKey| matches!(key.holder, Holder::User(_) | Holder::Root);
        let keys = self.keys.iter().filter(|(_, key)| permanent(key));
        let mut users: Vec<_> = keys.map(|(id, key)| (id.clone(), key.clone())).collect();
        users.sort_by(|a, b| a.0.cmp(&b.0));
        serde_json::to_string_pretty(&Saved {
            format_version: 1,
            accounts,
            names: self.names.clone(),
            users,
        })
    }

    /// Takes back what [`State::save`] gave.
    pub(super) fn restore(&mut self, text: &str) -> Result<(), serde_json::Error> {
        let Saved {
            format_version: _,
            accounts,
            names,
            users,
        } = serde_json::from_str(text)?;
        self.accounts = accounts;
        self.names = names;
        self.keys = users.into_iter().collect();
        Ok(())
    }
}

impl Account {
    fn snapshot(&self, id: &str) -> Value {
        let Self {
            roles,
            users: _,
            policies,
            functions,
            pipelines,
            logs: _,
            buckets,
            keys,
        } = self;
        let roles: Map<String, Value> = roles
            .values()
            .map(|role| (role_arn(id, role), role.snapshot()))
            .collect();
        let policies: Map<String, Value> = policies
            .iter()
            .map(|(arn, policy)| (arn.clone(), document(&policy.document)))
            .collect();
        let functions: Map<String, Value> = functions
            .iter()
            .map(|(key, function)| (key.clone(), function.snapshot()))
            .collect();
        let pipelines: Map<String, Value> = pipelines
            .iter()
            .map(|(key, pipeline)| {
                let mut document = pipeline.document.clone();
                if let Some(object) = document.as_object_mut() {
                    object.remove("version");
                }
                (
                    key.clone(),
                    json!({ "pipeline": document, "tags": pipeline.tags }),
                )
            })
            .collect();
        let mut all = json!({ "roles": roles, "policies": policies, "functions": functions, "pipelines": pipelines });
        for (kind, stores) in [("buckets", buckets), ("keys", keys)] {
            let guarded = |store: &Store| store.policy.as_deref().map(document);
            let stores: Map<String, Value> = stores
                .iter()
                .map(|(name, store)| (name.clone(), json!(guarded(store))))
                .collect();
            if let (false, Value::Object(all)) = (stores.is_empty(), &mut all) {
                all.insert(kind.to_owned(), Value::Object(stores));
            }
        }
        all
    }
}

impl Function {
    /// All that somebody chose: no ids, times and states.
    fn snapshot(&self) -> Value {
        let Self {
            name: _,
            role,
            runtime,
            handler,
            description,
            timeout,
            memory,
            environment,
            code: _,
            code_sha,
            code_size: _,
            tags,
            policy,
            concurrency,
            invoke_config,
            dead_letter,
            modified: _,
            revision: _,
            pending_until: _,
            updating_until: _,
        } = self;
        json!({
            "role": role,
            "runtime": runtime,
            "handler": handler,
            "description": description,
            "timeout": timeout,
            "memory": memory,
            "environment": environment,
            "code": code_sha,
            "tags": tags,
            "policy": policy,
            "concurrency": concurrency,
            "invoke_config": invoke_config,
            "dead_letter": dead_letter,
        })
    }
}

impl Pipeline {
    /// Puts a new structure in the place of the one that is there, which is kept.
    pub(super) fn replace(&mut self, document: Value, now: Moment) {
        let before = std::mem::replace(&mut self.document, document);
        self.earlier.push(before);
        self.updated = now;
    }
}

impl Role {
    /// Whether a look at the role, or a use of it as a principal, misses it still: IAM is eventually consistent.
    pub(super) fn is_missed(&mut self, now: Moment) -> bool {
        if self.unsettled > 0 {
            self.unsettled -= 1;
            return true;
        }
        now < self.unseen_until
    }

    fn snapshot(&self) -> Value {
        let Self {
            name: _,
            path: _,
            id: _,
            trust,
            trusted: _,
            description,
            max_session,
            tags,
            boundary,
            inline,
            attached,
            created: _,
            unsettled: _,
            unseen_until: _,
        } = self;
        let inline: Map<String, Value> = inline
            .iter()
            .map(|(name, text)| (name.clone(), document(text)))
            .collect();
        json!({
            "trust": trust,
            "description": description,
            "max_session": max_session,
            "tags": tags,
            "boundary": boundary,
            "inline": inline,
            "attached": attached,
        })
    }
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// A role's ARN.
pub(super) fn role_arn(account: &str, role: &Role) -> String {
    let Role { path, name, .. } = role;
    format!("arn:aws:iam::{account}:role{path}{name}")
}

/// Account and name of a role's ARN, whatever its path.
pub(super) fn role_parts(arn: &str) -> Option<(&str, &str)> {
    let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let full = resource.strip_prefix("role/")?;
    let name = full.rsplit_once('/').map_or(full, |(_, name)| name);
    Some((account, name))
}

/// A function's ARN.
pub(super) fn function_arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

/// A pipeline's ARN.
pub(super) fn pipeline_arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:codepipeline:{region}:{account}:{name}")
}
