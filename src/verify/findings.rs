//! What bears on a gate beside the policies: the function's state and limits, the artifacts' key, principals that are gone.
//! Each finding says whether it breaks the gate; none changes a hop's answer.

use crate::iam::hops::{Ends, Found, lambda_may_run};
use crate::model::artifact::StoreKey;
use crate::model::chain::{Answer, Finding, Weight};
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::ActionView;
use crate::model::read::Function;
use crate::model::wiring::Wiring;

use super::gather::configuration;
use super::target::{Target, role_key};

/// Lambda stops a function after this time at the latest (Lambda developer guide, quotas).
const LONGEST_RUN_SECONDS: i32 = 900;
/// Without a reply, CodePipeline gives the action up after this time; a continuation token starts it anew (guide: limits).
const PATIENCE_MINUTES: u64 = 20;

/// All findings of a gate.
pub(super) fn all(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    ends: &Ends,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if target.document.is_some() && target.action.is_none() {
        found.push(action_missing(target));
    }
    found.extend(elsewhere(wiring, target));
    if let Found::There(function) = configuration(wiring, observed, target) {
        state(function, &mut found);
        limits(function, target, &mut found);
    }
    found.extend(concurrency(wiring, observed, target));
    found.extend(execution_trust(ends));
    found.extend(artifacts(target, ends));
    dead_principals(wiring, observed, target, &mut found);
    found
}

fn finding(code: &'static str, weight: Weight, message: String, mend: Option<&str>) -> Finding {
    Finding {
        code,
        weight,
        message,
        mend: mend.map(str::to_owned),
    }
}

fn action_missing(target: &Target<'_>) -> Finding {
    let why = match &target.invoke {
        Found::Missing(why) | Found::Unseen(why) => why.clone(),
        Found::There(role) => format!("nothing takes {role}"),
    };
    let mend = Some("run `crossgate bootstrap`, which puts the action there");
    finding("action_missing", Weight::Breaks, why, mend)
}

/// The action is somebody's, or was changed: the hops are about what it names now.
fn elsewhere(wiring: &Wiring, target: &Target<'_>) -> Option<Finding> {
    let gate = target.gate;
    let account = wiring.account_id(&gate.function.account)?;
    let mut names = Vec::new();
    if let Found::There(role) = &target.invoke
        && *role != gate.role_arn(account)
    {
        names.push(format!("role {role}"));
    }
    if let Found::There(called) = &target.function
        && (called.arn != gate.function_arn(account) || called.qualifier.is_some())
    {
        names.push(format!("function {}", called.invoked()));
    }
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "the action names {}, which is not what the manifest wants; the hops are those of the action as it is",
        names.join(" and ")
    );
    let mend = Some("run `crossgate check`");
    Some(finding("action_differs", Weight::Remark, message, mend))
}

fn state(function: &Function, found: &mut Vec<Finding>) {
    let Function {
        arn,
        role: _,
        state,
        last_update_status,
        timeout_seconds: _,
        package_type,
        state_reason,
        // How it is built and configured bears on no hop; `diagnose` looks at these.
        last_update_reason: _,
        memory_mb: _,
        runtime: _,
        handler: _,
        code_sha256: _,
        last_modified: _,
        dead_letter_arn: _,
        environment: _,
        log_group: _,
        tags: _,
    } = function;
    match state.as_deref() {
        None | Some("Active") => {}
        // It passes by itself, to Active or to Failed; until then nobody knows which.
        Some("Pending") => found.push(finding(
            "function_pending",
            Weight::Unseen,
            format!("function {arn} is Pending: whether it becomes Active is not known yet"),
            Some("run it again in a minute"),
        )),
        Some(state) => found.push(finding(
            "function_not_active",
            Weight::Breaks,
            match state_reason {
                Some(reason) => format!("function {arn} is {state}, not Active: {reason}"),
                None => format!("function {arn} is {state}, not Active"),
            },
            Some("look at the function's StateReason in Lambda, and deploy it again"),
        )),
    }
    if last_update_status.as_deref() == Some("Failed") {
        // Lambda developer guide, "Lambda function states": the function goes on with what it was before the update.
        found.push(finding(
            "function_update_failed",
            Weight::Remark,
            format!(
                "the last update of function {arn} failed: what answers is what was there before it"
            ),
            Some("look at the function's LastUpdateStatusReason in Lambda, and deploy it again"),
        ));
    }
    if package_type.as_deref() == Some("Image") {
        found.push(finding(
            "function_is_image",
            Weight::Remark,
            format!("function {arn} is a container image; whether its repository still holds it was not looked at"),
            None,
        ));
    }
}

fn limits(function: &Function, target: &Target<'_>, found: &mut Vec<Finding>) {
    let Some(seconds) = function.timeout_seconds else {
        return;
    };
    let arn = &function.arn;
    if seconds >= LONGEST_RUN_SECONDS {
        found.push(finding(
            "function_timeout",
            Weight::Remark,
            format!(
                "function {arn} may run for {seconds} s, the longest that Lambda allows: if it is stopped there, the pipeline \
                 gets no answer and waits until {PATIENCE_MINUTES} minutes are over"
            ),
            Some("let the function answer with a continuationToken before that time"),
        ));
    }
    let minutes = target.action.and_then(ActionView::timeout_minutes);
    if let Some(minutes) = minutes.filter(|m| *m > PATIENCE_MINUTES) {
        found.push(finding(
            "action_timeout",
            Weight::Remark,
            format!(
                "the action may take {minutes} minutes, but CodePipeline gives up after {PATIENCE_MINUTES} minutes without a reply"
            ),
            Some("let the function answer with a continuationToken every few minutes"),
        ));
    }
    let run = u64::try_from(seconds).unwrap_or(0);
    if let Some(minutes) = minutes.filter(|m| m.saturating_mul(60) < run) {
        found.push(finding(
            "action_timeout_short",
            Weight::Remark,
            format!(
                "the action is given up after {minutes} minutes, before function {arn} ({seconds} s) has to be done"
            ),
            Some("raise `timeout_minutes` in [gates.pipeline], or lower the function's timeout"),
        ));
    }
}

fn concurrency(wiring: &Wiring, observed: &Observed, target: &Target<'_>) -> Option<Finding> {
    let key = match &target.function {
        Found::There(called) => called.key(wiring)?,
        Found::Missing(_) => target.gate.function.clone(),
        Found::Unseen(_) => return None,
    };
    match observed.function_concurrency(&key) {
        Seen::Present(0) => Some(finding(
            "function_throttled",
            Weight::Breaks,
            format!(
                "function {} in account {} has a reserved concurrency of 0: it never runs",
                key.name, key.account
            ),
            Some("raise or remove the function's reserved concurrency"),
        )),
        Seen::Unreadable(error) => Some(finding(
            "concurrency_unreadable",
            Weight::Unseen,
            error.to_string(),
            error.hint.as_deref(),
        )),
        Seen::NotRead | Seen::Absent | Seen::Present(_) => None,
    }
}

fn execution_trust(ends: &Ends) -> Option<Finding> {
    let (answer, reason) = lambda_may_run(ends)?;
    let weight = match answer {
        Answer::Allowed => return None,
        Answer::NotProven => Weight::Unseen,
        Answer::ImplicitlyDenied | Answer::ExplicitlyDenied => Weight::Breaks,
    };
    Some(finding(
        "execution_role_not_trusting",
        weight,
        format!(
            "Lambda may not be able to take the execution role {}: {reason}",
            ends.execution.name
        ),
        Some("let the execution role's trust policy allow sts:AssumeRole to lambda.amazonaws.com"),
    ))
}

/// Artifacts that cross accounts need a key that the other account can use (domain.md, "The hops").
fn artifacts(target: &Target<'_>, ends: &Ends) -> Option<Finding> {
    let (action, document) = (target.action?, target.document?);
    let takes = action.input_artifacts().next().is_some();
    let makes = action.output_artifacts().next().is_some();
    let Found::There(invoke) = &target.invoke else {
        return None;
    };
    if (!takes && !makes) || invoke.account == ends.service.account_id {
        return None;
    }
    let store = document.artifact_store(&target.region, &ends.service.account_id)?;
    match store.key {
        StoreKey::Default => Some(finding(
            "artifact_key_missing",
            Weight::Breaks,
            "the action takes or makes artifacts across accounts, but the artifact store has no customer managed key".to_owned(),
            Some("give the artifact store an `encryptionKey` whose key policy allows the invoke role"),
        )),
        StoreKey::Alias(id) => Some(finding(
            "artifact_key_alias",
            Weight::Breaks,
            format!("the artifact store names its key by the alias {id}, which works in the key's own account only"),
            Some("name the key by its ARN"),
        )),
        // The hops say whether the key can be used.
        StoreKey::Key(_) | StoreKey::Strange(_) => None,
    }
}

/// A principal that was deleted stands in a policy as its unique id, which nobody has any more.
fn dead_principals(
    wiring: &Wiring,
    observed: &Observed,
    target: &Target<'_>,
    found: &mut Vec<Finding>,
) {
    for role in [&target.service, &target.invoke] {
        let Found::There(arn) = role else { continue };
        let Some(key) = role_key(wiring, arn) else {
            continue;
        };
        let Seen::Present(role) = observed.role(&key) else {
            continue;
        };
        let dead = ["\"AROA", "\"AIDA"].iter().find_map(|mark| {
            let (_, rest) = role.trust.split_once(mark)?;
            let id = rest.split('"').next()?;
            Some(format!("{}{id}", mark.trim_start_matches('"')))
        });
        if let Some(id) = dead {
            found.push(finding(
                "principal_deleted",
                Weight::Remark,
                format!("the trust policy of {arn} names {id}: the id of a principal that was deleted, perhaps made anew since"),
                Some("name the principal's ARN again, or the account with a condition on aws:PrincipalArn"),
            ));
        }
    }
}
