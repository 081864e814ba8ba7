//! The functions that the manifest makes: created, kept as it wants them, removed with the last gate that needs them.
//! Only a function with the project's tag is ours. Values of environment variables are compared and never shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::account::AccountId;
use crate::model::arn::RoleArn;
use crate::model::change::{
    Change, ChangeAction, ChangeKind, FunctionBasis, FunctionUpdate, Intent, Problem, Severity,
    Work,
};
use crate::model::function::{
    ExecutionRole, FunctionSettings, FunctionSpec, NewFunction, Package, Variables,
};
use crate::model::json_text::JsonText;
use crate::model::name::{GateName, Project};
use crate::model::observed::Seen;
use crate::model::read::Function;
use crate::model::wiring::{FunctionKey, RoleKey, Wiring};
use crate::model::write::Write;

use super::Options;
use super::draft::{Draft, Rank};
use super::join::{Joined, JoinedGate};
use super::roles::PROJECT_TAG;
use super::{execution, grants};

/// A function that the manifest makes, with the gates that use it.
struct Subject<'s, 'a> {
    wiring: &'a Wiring,
    key: &'s FunctionKey,
    account_id: &'a AccountId,
    spec: &'a FunctionSpec,
    role: &'s RoleArn,
    gates: &'s [&'s JoinedGate<'a>],
}

pub(super) fn plan(joined: &Joined<'_>, options: &Options, draft: &mut Draft<'_>) {
    for (key, gates) in joined.by_made_function() {
        let Some((first, spec, role)) = gates
            .iter()
            .find_map(|g| Some((g, g.made?, g.execution_role.as_ref()?)))
        else {
            continue;
        };
        let subject = Subject {
            wiring: joined.wiring,
            key: &key,
            account_id: first.function_account,
            spec,
            role,
            gates: &gates,
        };
        match (joined.observed.function(&key), options.intent) {
            (Seen::NotRead | Seen::Unreadable(_), _) | (Seen::Absent, Intent::Teardown) => {}
            (Seen::Absent, Intent::Bootstrap) => subject.create(draft),
            (Seen::Present(found), intent) if !is_own(joined.wiring, found) => {
                subject.conflict(found, intent, options.adopt, draft);
            }
            (Seen::Present(found), Intent::Bootstrap) => subject.keep(found, draft),
            (Seen::Present(found), Intent::Teardown) => {
                if !gates.iter().any(|g| g.holds()) {
                    subject.remove(joined, options, found, draft);
                }
            }
        }
    }
}

pub(super) fn is_own(wiring: &Wiring, function: &Function) -> bool {
    project_of(function) == Some(wiring.project.as_str())
}

/// The line for people of a function that is made.
pub(crate) fn description(project: &Project) -> String {
    format!("The function of a pipeline's gate. Made by crossgate, project {project}.")
}

/// Removes a function that crossgate made and no gate has to do with; `held`: why it stays. True where it goes.
pub(super) fn left(
    joined: &Joined<'_>,
    options: &Options,
    (key, account_id): (&FunctionKey, &AccountId),
    (found, spec): (&Function, &FunctionSpec),
    held: Option<String>,
    draft: &mut Draft<'_>,
) -> bool {
    let subject = Subject {
        wiring: joined.wiring,
        key,
        account_id,
        spec,
        role: &found.role,
        gates: &[],
    };
    if held.is_none() {
        return subject.remove(joined, options, found, draft);
    }
    let change = subject.change(
        ChangeKind::LambdaFunction,
        ChangeAction::Delete,
        "no gate needs the function any more",
    );
    draft.held(Change { held, ..change });
    false
}

fn project_of(function: &Function) -> Option<&str> {
    let tags = function.tags.as_ref()?;
    tags.get(PROJECT_TAG).map(String::as_str)
}

/// True where a function that the manifest would make is somebody else's and runs as the role that the manifest would make.
pub(super) fn is_lent(joined: &Joined<'_>, gate: &JoinedGate<'_>) -> bool {
    match joined.observed.function(&gate.gate.function) {
        Seen::Present(found) if gate.made.is_some() => {
            !is_own(joined.wiring, found) && Some(&found.role) == gate.execution_role.as_ref()
        }
        Seen::Present(_) | Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => false,
    }
}

impl Subject<'_, '_> {
    fn create(&self, draft: &mut Draft<'_>) {
        let tags = self.tags();
        let mut after = shown_settings(&self.settings());
        after.insert("code".to_owned(), shown_package(&self.spec.package));
        after.insert("tags".to_owned(), json!(tags));
        let change = Change {
            after: Some(JsonText::of(&after)),
            ..self.change(
                ChangeKind::LambdaFunction,
                ChangeAction::Create,
                "the function is missing",
            )
        };
        let new = NewFunction {
            name: self.key.name.clone(),
            package: self.spec.package.clone(),
            settings: self.settings(),
            tags,
            description: description(&self.wiring.project),
        };
        let write = Write::CreateFunction {
            region: self.key.region.clone(),
            new: Box::new(new),
        };
        self.update(change, Rank::Function, write, None, draft);
    }

    /// A function that we made: code, configuration, tags.
    fn keep(&self, found: &Function, draft: &mut Draft<'_>) {
        if found.package_type.as_deref() == Some("Image") {
            let message = format!(
                "{} is made of a container image now, and the manifest makes it of `source`; Lambda cannot turn one into the other",
                self.key
            );
            let hint = "delete the function, so that it is made anew, or drop `source` in [gates.function]";
            return self.problem("function_is_image", Severity::Blocked, message, hint, draft);
        }
        let is_tried_again = self.code(found, draft);
        self.configuration(found, is_tried_again, draft);
        self.missing_tags(found, draft);
        self.readiness(found, draft);
    }

    /// True where the code is sent.
    fn code(&self, found: &Function, draft: &mut Draft<'_>) -> bool {
        let package = &self.spec.package;
        if found.code_sha256.as_deref() == Some(package.sha256.as_str()) {
            return false;
        }
        let change = Change {
            before: Some(json!({"sha256": found.code_sha256}).into()),
            after: Some(shown_package(package).into()),
            ..self.change(
                ChangeKind::LambdaFunctionCode,
                ChangeAction::Update,
                "the function has other code than `source`",
            )
        };
        let write = Write::UpdateFunctionCode {
            region: self.key.region.clone(),
            name: self.key.name.clone(),
            package: package.clone(),
        };
        self.update(change, Rank::Function, write, Some(found), draft);
        true
    }

    /// The configuration where it differs, or where Lambda could not take over what it was given and nothing else that is sent
    /// makes it try again: a function that does not run with it is not as the manifest wants it.
    fn configuration(&self, found: &Function, is_tried_again: bool, draft: &mut Draft<'_>) {
        let Some(environment) = &found.environment else {
            let message = format!(
                "the environment variables of {} could not be read: AWS could not decrypt them",
                self.key
            );
            let hint = "allow kms:Decrypt on the function's key to whoever runs this";
            let code = "function_environment_unreadable";
            return self.problem(code, Severity::Incomplete, message, hint, draft);
        };
        let wanted = self.settings();
        let differences = differences(found, environment, &wanted);
        let reason = match failure(found) {
            _ if !differences.is_empty() => {
                format!("different from the manifest: {}", differences.join(", "))
            }
            Some(why) if !is_tried_again => {
                format!("Lambda could not take over its last change: {why}")
            }
            Some(_) | None => return,
        };
        let (before, after) = shown_difference(found, environment, &wanted);
        let change = Change {
            before: Some(before.into()),
            after: Some(after.into()),
            ..self.change(
                ChangeKind::LambdaFunctionConfiguration,
                ChangeAction::Update,
                &reason,
            )
        };
        let write = Write::UpdateFunctionConfiguration {
            region: self.key.region.clone(),
            name: self.key.name.clone(),
            settings: Box::new(wanted),
        };
        self.update(change, Rank::FunctionSettings, write, Some(found), draft);
        if found.role != *self.role {
            let message = format!(
                "{} ran as {} until now; what crossgate put on that role stays there",
                self.key, found.role
            );
            let hint = format!(
                "when this is done, `crossgate prune` removes the policy {} from it if no gate needs it, or the role itself where \
                 crossgate made it",
                self.wiring.callback_policy()
            );
            let code = "execution_role_changed";
            self.problem(code, Severity::Warning, message, &hint, draft);
        }
    }

    /// Tags that somebody added stay, as on roles.
    fn missing_tags(&self, found: &Function, draft: &mut Draft<'_>) {
        let tags = found.tags.clone().unwrap_or_default();
        let mut missing = self.tags();
        missing.retain(|key, value| tags.get(key) != Some(value));
        if missing.is_empty() {
            return;
        }
        let keys: Vec<&str> = missing.keys().map(String::as_str).collect();
        let reason = format!("tags missing or different: {}", keys.join(", "));
        let mut after = tags.clone();
        after.extend(missing.clone());
        let change = Change {
            before: Some(JsonText::of(&tags)),
            after: Some(JsonText::of(&after)),
            ..self.change(
                ChangeKind::LambdaFunctionTags,
                ChangeAction::Update,
                &reason,
            )
        };
        let write = Write::TagFunction {
            function: self.key.arn(self.account_id),
            tags: missing,
        };
        draft.write(change, Rank::FunctionTags, write);
    }

    /// What Lambda itself could not do.
    fn readiness(&self, found: &Function, draft: &mut Draft<'_>) {
        let Some(why) = failure(found) else { return };
        let message = format!(
            "Lambda could not take over the last change of {}: {why}",
            self.key
        );
        let hint = "mend what Lambda names, then `crossgate bootstrap`: it makes Lambda try again";
        let code = "function_update_failed";
        self.problem(code, Severity::Warning, message, hint, draft);
    }

    /// True where it goes.
    fn remove(
        &self,
        joined: &Joined<'_>,
        options: &Options,
        found: &Function,
        draft: &mut Draft<'_>,
    ) -> bool {
        let mut before = found
            .environment
            .as_ref()
            .map(|environment| shown_found(found, environment))
            .unwrap_or_default();
        before.insert("code".to_owned(), json!({"sha256": found.code_sha256}));
        before.insert("tags".to_owned(), json!(found.tags));
        let change = Change {
            before: Some(JsonText::of(&before)),
            ..self.change(
                ChangeKind::LambdaFunction,
                ChangeAction::Delete,
                "no gate needs the function any more",
            )
        };
        if let Some(held) = self.used_by_others(joined, options) {
            draft.held(Change {
                held: Some(held),
                ..change
            });
            return false;
        }
        let write = Write::DeleteFunction {
            region: self.key.region.clone(),
            name: self.key.name.clone(),
        };
        self.update(change, Rank::Function, write, Some(found), draft);
        self.logs_stay(found, draft);
        true
    }

    /// Why the function stays although none of this manifest's gates needs it. Only a made role tells: one that is named may be that
    /// of many functions.
    fn used_by_others(&self, joined: &Joined<'_>, options: &Options) -> Option<String> {
        let ExecutionRole::Made(name) = &self.spec.role else {
            return None;
        };
        let key = RoleKey {
            account: self.key.account.clone(),
            name: name.clone(),
        };
        let others = execution::others(joined, &key);
        (!options.remove_unexpected && !others.is_empty()).then(|| {
            format!(
                "gates of other crossgate projects use it, as the policies on its role tell: {}; it goes only with \
                 --remove-unexpected",
                others.join(", ")
            )
        })
    }

    /// A group that is not the function's own may hold the logs of others: nobody is told to delete it.
    fn logs_stay(&self, found: &Function, draft: &mut Draft<'_>) {
        let own = format!("/aws/lambda/{}", self.key.name);
        let (message, hint) = match found.log_group.as_deref() {
            Some(group) if group != own => (
                format!(
                    "the logs of {} stay, in log group {group}, which somebody gave it",
                    self.key
                ),
                "others may write to that group too: look into it before you remove anything"
                    .to_owned(),
            ),
            Some(_) | None => (
                format!(
                    "the logs of {} stay: Lambda made their group when the function first wrote to it",
                    self.key
                ),
                format!(
                    "if nobody needs them: aws logs delete-log-group --log-group-name {own} --region {}",
                    self.key.region
                ),
            ),
        };
        self.problem("logs_stay", Severity::Warning, message, &hint, draft);
    }

    fn conflict(&self, found: &Function, intent: Intent, adopt: bool, draft: &mut Draft<'_>) {
        let whose = match project_of(found) {
            Some(project) => format!("belongs to the crossgate project `{project}`"),
            None => format!("is there and not this project's: it has no tag `{PROJECT_TAG}`"),
        };
        let (severity, left) = match intent {
            Intent::Bootstrap => (Severity::Blocked, ""),
            Intent::Teardown => (Severity::Warning, "; it stays"),
        };
        let message = format!("{} {whose}{left}", self.key);
        let why = if adopt {
            "a function's code cannot be given back, so --adopt takes none: "
        } else {
            ""
        };
        let hint = format!(
            "{why}drop `source` in [gates.function] to use the function as it is, or choose another `name` (if crossgate made it and \
             the tag was lost, set it again; lambda:ListTags must be allowed to see it)"
        );
        self.problem("function_conflict", severity, message, &hint, draft);
    }

    fn settings(&self) -> FunctionSettings {
        // Destructured in full: a new key must be decided on here.
        let FunctionSpec {
            package: _,
            runtime,
            handler,
            timeout_seconds,
            memory_mb,
            environment,
            role: _,
            tags: _,
        } = self.spec;
        FunctionSettings {
            runtime: runtime.clone(),
            handler: handler.clone(),
            timeout_seconds: *timeout_seconds,
            memory_mb: *memory_mb,
            environment: environment.clone(),
            role: self.role.clone(),
        }
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.spec.tags.clone();
        tags.insert(PROJECT_TAG.to_owned(), self.wiring.project.to_string());
        tags
    }

    fn update(
        &self,
        change: Change,
        rank: Rank,
        write: Write,
        found: Option<&Function>,
        draft: &mut Draft<'_>,
    ) {
        let codes = |found: &Function| {
            let known = [
                found.code_sha256.clone(),
                Some(self.spec.package.sha256.clone()),
            ];
            known.into_iter().flatten().collect()
        };
        let update = FunctionUpdate {
            function: self.key.clone(),
            write,
            basis: found.map(|found| FunctionBasis {
                tag: (PROJECT_TAG, self.wiring.project.to_string()),
                codes: codes(found),
            }),
        };
        let work = Work::Function(Box::new(update));
        draft.work(self.key.account.clone(), vec![change], rank, work);
    }

    /// The gates that a change is about: the selected ones and those that go on using the function.
    fn names(&self) -> Vec<GateName> {
        let about = |g: &&JoinedGate<'_>| g.selected || g.holds();
        grants::names(self.gates.iter().copied().filter(about))
    }

    fn change(&self, kind: ChangeKind, action: ChangeAction, reason: &str) -> Change {
        let FunctionKey {
            account,
            region,
            name,
        } = self.key;
        Change {
            id: format!("{}/{}/{region}/{name}", kind.as_str(), self.account_id),
            account: account.clone(),
            account_id: self.account_id.clone(),
            region: Some(region.clone()),
            kind,
            resource: name.to_string(),
            action,
            gates: self.names(),
            reason: reason.to_owned(),
            before: None,
            after: None,
            held: None,
        }
    }

    fn problem(
        &self,
        code: &'static str,
        severity: Severity,
        message: String,
        hint: &str,
        draft: &mut Draft<'_>,
    ) {
        draft.problem(Problem {
            code,
            severity,
            account: Some(self.key.account.clone()),
            gates: self.names(),
            message,
            hint: Some(hint.to_owned()),
        });
    }
}

/// Why Lambda could not take over what it was given last, where it could not.
fn failure(found: &Function) -> Option<&str> {
    let failed = |status: &Option<String>| status.as_deref() == Some("Failed");
    let why = match (failed(&found.state), failed(&found.last_update_status)) {
        (true, _) => &found.state_reason,
        (_, true) => &found.last_update_reason,
        (false, false) => return None,
    };
    Some(why.as_deref().unwrap_or("AWS gives no reason"))
}

/// What is configured otherwise, in words: names, and no value of a variable.
fn differences(
    found: &Function,
    environment: &Variables,
    wanted: &FunctionSettings,
) -> Vec<String> {
    let FunctionSettings {
        runtime,
        handler,
        timeout_seconds,
        memory_mb,
        environment: variables,
        role,
    } = wanted;
    let number = |found: Option<i32>| found.and_then(|n| u32::try_from(n).ok());
    let mut differences = Vec::new();
    let mut differs = |same: bool, what: &str| {
        if !same {
            differences.push(what.to_owned());
        }
    };
    differs(found.runtime.as_ref() == Some(runtime), "runtime");
    differs(found.handler.as_ref() == Some(handler), "handler");
    differs(
        number(found.timeout_seconds) == Some(*timeout_seconds),
        "timeout",
    );
    differs(number(found.memory_mb) == Some(*memory_mb), "memory");
    differs(found.role == *role, "execution role");
    let names: BTreeSet<&String> = environment.0.keys().chain(variables.0.keys()).collect();
    for name in names {
        match (environment.0.get(name), variables.0.get(name)) {
            (found, wanted) if found == wanted => {}
            (None, _) => differences.push(format!("variable {name} is missing")),
            (_, None) => differences.push(format!("variable {name} is not of the manifest")),
            _ => differences.push(format!("variable {name} has another value")),
        }
    }
    differences
}

/// A variable's value as it is shown.
const HIDDEN: &str = "(hidden)";
/// One that differs from the other side's.
const HIDDEN_OTHER: &str = "(hidden, another value)";

fn shown_difference(
    found: &Function,
    environment: &Variables,
    wanted: &FunctionSettings,
) -> (Value, Value) {
    let before = shown_found(found, environment);
    let mut after = shown_settings(wanted);
    if let Some(Value::Object(shown)) = after.get_mut("environment") {
        for (name, value) in &wanted.environment.0 {
            if environment.0.get(name).is_some_and(|found| found != value) {
                shown.insert(name.clone(), json!(HIDDEN_OTHER));
            }
        }
    }
    (Value::Object(before), Value::Object(after))
}

fn shown_found(found: &Function, environment: &Variables) -> Map<String, Value> {
    Map::from_iter([
        ("runtime".to_owned(), json!(found.runtime)),
        ("handler".to_owned(), json!(found.handler)),
        ("timeout_seconds".to_owned(), json!(found.timeout_seconds)),
        ("memory_mb".to_owned(), json!(found.memory_mb)),
        ("environment".to_owned(), shown_variables(environment)),
        ("role".to_owned(), json!(found.role.to_string())),
    ])
}

fn shown_settings(settings: &FunctionSettings) -> Map<String, Value> {
    let FunctionSettings {
        runtime,
        handler,
        timeout_seconds,
        memory_mb,
        environment,
        role,
    } = settings;
    Map::from_iter([
        ("runtime".to_owned(), json!(runtime)),
        ("handler".to_owned(), json!(handler)),
        ("timeout_seconds".to_owned(), json!(timeout_seconds)),
        ("memory_mb".to_owned(), json!(memory_mb)),
        ("environment".to_owned(), shown_variables(environment)),
        ("role".to_owned(), json!(role.to_string())),
    ])
}

fn shown_variables(variables: &Variables) -> Value {
    let names = variables.0.keys();
    Value::Object(names.map(|name| (name.clone(), json!(HIDDEN))).collect())
}

fn shown_package(package: &Package) -> Value {
    let Package {
        zip,
        sha256,
        files,
        unzipped: _,
    } = package;
    json!({"sha256": sha256, "files": files, "bytes": zip.len()})
}
