//! The hops of one gate, decided from the policies as they are: who calls what, with which keys, and what AWS will answer.
//! Pure: what was read is given; nothing is looked up, and what was not read is never taken as allowing.
//!
//! The hops are those of domain.md's table. What CodePipeline sends with each call is in `context`.

mod artifacts;
mod context;
mod mend;

use std::collections::BTreeMap;

use crate::iam::evaluate::{
    Context, Decision, Layer, Level, NamedPolicy, Place, Policies, Principal, Request, Verdict,
    evaluate,
};
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::arn::{FunctionArn, RoleArn, account_root};
use crate::model::chain::{Answer, Deciding, Hop, HopId};
use crate::model::name::{GateName, PolicyName};

pub use artifacts::{ArtifactCall, Artifacts, Held, artifact_access};

/// The service that runs pipelines.
pub const CODEPIPELINE: &str = "codepipeline.amazonaws.com";
/// The service that runs functions.
pub const LAMBDA: &str = "lambda.amazonaws.com";

/// Everything that stands on the way of one gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// The gate.
    pub gate: GateName,
    /// The pipeline's ARN.
    pub pipeline_arn: String,
    /// Its region.
    pub pipeline_region: Region,
    /// The action's region, which is the function's.
    pub action_region: Region,
    /// The pipeline's service role.
    pub service: Party<Role>,
    /// The action's own role.
    pub invoke: Party<Role>,
    /// The function that the action names, with its version or alias.
    pub function: Party<Function>,
    /// The function's execution role.
    pub execution: Party<Role>,
    /// The action's artifacts, where it has any.
    pub artifacts: Option<Artifacts>,
    /// The policies of the organization.
    pub organization: Organization,
    /// What crossgate itself puts there.
    pub own: Own,
}

/// A role or a function on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Party<T> {
    /// Its ARN, or words where that is not known.
    pub name: String,
    /// Its account in the manifest, where it has one there.
    pub account: Option<AccountName>,
    /// Its account.
    pub account_id: AccountId,
    /// What is known of it.
    pub found: Found<T>,
}

/// Whether something is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<T> {
    /// It is; what was read of it.
    There(T),
    /// It is not, in words.
    Missing(String),
    /// That is not known, and why.
    Unseen(String),
}

/// A role with its policies.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its ARN, with its path.
    pub arn: RoleArn,
    /// Its tags, where they were read.
    pub tags: BTreeMap<String, String>,
    /// Its trust policy.
    pub trust: Layer<Option<NamedPolicy>>,
    /// Its inline and attached policies.
    pub identity: Layer<Vec<NamedPolicy>>,
    /// Its permissions boundary.
    pub boundary: Layer<Vec<NamedPolicy>>,
}

/// A function with its policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its own policy.
    pub policy: Layer<Option<NamedPolicy>>,
}

/// The policies of an organization over the accounts of the chain; nothing for an account where none were given or asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Organization {
    /// Service control policies.
    pub scps: BTreeMap<AccountId, Layer<Vec<Level>>>,
    /// Resource control policies.
    pub rcps: BTreeMap<AccountId, Layer<Vec<Level>>>,
}

/// The objects of crossgate that allow a hop, to be named where they are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The policy on the service role.
    pub assume: PolicyName,
    /// The policy on the invoke role.
    pub invoke: PolicyName,
    /// The policy on the execution role.
    pub callback: PolicyName,
    /// The policy on the invoke role for artifacts.
    pub artifacts: PolicyName,
    /// Whether the manifest wants `lambda:ListFunctions` granted.
    pub list_functions: bool,
}

/// A call that a hop consists of, before it is decided.
struct Call<'a> {
    id: HopId,
    action: &'a str,
    caller: (&'a str, &'a AccountId),
    resource: &'a str,
    account: (Option<&'a AccountName>, &'a AccountId),
}

/// Decides all hops, in the order in which a run takes them.
pub fn hops(ends: &Ends) -> Vec<Hop> {
    let mut hops = vec![
        take_service_role(ends),
        take_invoke_role(ends),
        invoke_function(ends),
        list_functions(ends),
        answer(ends, "codepipeline:PutJobSuccessResult"),
        answer(ends, "codepipeline:PutJobFailureResult"),
    ];
    hops.extend(artifacts::hops(ends));
    hops
}

/// Hop 0.
fn take_service_role(ends: &Ends) -> Hop {
    let service = &ends.service;
    let call = Call {
        id: HopId::Zero,
        action: "sts:AssumeRole",
        caller: (CODEPIPELINE, &service.account_id),
        resource: &service.name,
        account: (service.account.as_ref(), &service.account_id),
    };
    let role = match &service.found {
        Found::There(role) => role,
        Found::Missing(why) => return call.missing(why),
        Found::Unseen(why) => return call.unseen(why),
    };
    let principal = Principal::Service(CODEPIPELINE.to_owned());
    let source = (ends.pipeline_arn.as_str(), &service.account_id);
    let context = context::of_service(&principal, source, &service.account_id);
    let policies = Policies {
        resource: role.trust.clone(),
        rcps: levels(&ends.organization.rcps, &service.account_id),
        ..Policies::default()
    };
    call.decide(ends, principal, context, &policies)
}

/// Hop 1.
fn take_invoke_role(ends: &Ends) -> Hop {
    let (service, invoke) = (&ends.service, &ends.invoke);
    let call = Call {
        id: HopId::One,
        action: "sts:AssumeRole",
        caller: (&service.name, &service.account_id),
        resource: &invoke.name,
        account: (invoke.account.as_ref(), &invoke.account_id),
    };
    let (from, to) = match (&service.found, &invoke.found) {
        (Found::There(from), Found::There(to)) => (from, to),
        (Found::Missing(why), _) | (_, Found::Missing(why)) => return call.missing(why),
        (Found::Unseen(why), _) | (_, Found::Unseen(why)) => return call.unseen(why),
    };
    let principal = principal(from);
    // Where the two regions differ, no page says to which of them the call goes.
    let same_region = ends.pipeline_region == ends.action_region;
    let region = same_region.then_some(&ends.pipeline_region);
    let context = context::of_role(&principal, from, region, &invoke.account_id);
    let context = context::with_resource_tags(context, to);
    let policies = Policies {
        resource: to.trust.clone(),
        rcps: levels(&ends.organization.rcps, &invoke.account_id),
        ..of_caller(ends, from)
    };
    call.decide(ends, principal, context, &policies)
}

/// Hop 2.
fn invoke_function(ends: &Ends) -> Hop {
    let (invoke, function) = (&ends.invoke, &ends.function);
    let call = Call {
        id: HopId::Two,
        action: "lambda:InvokeFunction",
        caller: (&invoke.name, &invoke.account_id),
        resource: &function.name,
        account: (function.account.as_ref(), &function.account_id),
    };
    let (from, to) = match (&invoke.found, &function.found) {
        (Found::There(from), Found::There(to)) => (from, to),
        (Found::Missing(why), _) | (_, Found::Missing(why)) => return call.missing(why),
        (Found::Unseen(why), _) | (_, Found::Unseen(why)) => return call.unseen(why),
    };
    let principal = principal(from);
    let account = &function.account_id;
    let context = context::of_role(&principal, from, Some(&ends.action_region), account);
    let policies = Policies {
        resource: to.policy.clone(),
        rcps: levels(&ends.organization.rcps, account),
        ..of_caller(ends, from)
    };
    call.decide(ends, principal, context, &policies)
}

/// Hop 2'.
fn list_functions(ends: &Ends) -> Hop {
    alone(ends, HopId::TwoPrime, "lambda:ListFunctions", &ends.invoke)
}

/// Hop 3.
fn answer(ends: &Ends, action: &str) -> Hop {
    alone(ends, HopId::Three, action, &ends.execution)
}

/// A call of a role on `*` in its own account.
fn alone(ends: &Ends, id: HopId, action: &str, party: &Party<Role>) -> Hop {
    let call = Call {
        id,
        action,
        caller: (&party.name, &party.account_id),
        resource: "*",
        account: (party.account.as_ref(), &party.account_id),
    };
    let role = match &party.found {
        Found::There(role) => role,
        Found::Missing(why) => return call.missing(why),
        Found::Unseen(why) => return call.unseen(why),
    };
    let principal = principal(role);
    let account = &party.account_id;
    let context = context::of_role(&principal, role, Some(&ends.action_region), account);
    call.decide(ends, principal, context, &of_caller(ends, role))
}

/// Whether the service may take the execution role: no hop of the table, but without it the function never runs.
pub fn lambda_may_run(ends: &Ends) -> Option<(Answer, String)> {
    let (Found::There(role), Found::There(_)) = (&ends.execution.found, &ends.function.found)
    else {
        return None;
    };
    let principal = Principal::Service(LAMBDA.to_owned());
    let source = (ends.function.name.as_str(), &ends.function.account_id);
    let context = context::of_service(&principal, source, &ends.execution.account_id);
    let request = Request::new(
        principal,
        "sts:AssumeRole",
        &ends.execution.name,
        ends.execution.account_id.clone(),
        context,
    );
    let policies = Policies {
        resource: role.trust.clone(),
        rcps: levels(&ends.organization.rcps, &ends.execution.account_id),
        ..Policies::default()
    };
    let decision = evaluate(&request, &policies);
    Some((of(decision.verdict), decision.reason))
}

/// Whether the service may take a role for a function that is to run as it, by the role's trust policy alone.
pub fn lambda_may_assume(role: &RoleArn, trust: &str, function: &FunctionArn) -> (Answer, String) {
    let principal = Principal::Service(LAMBDA.to_owned());
    let source = (function.to_string(), &function.account);
    let context = context::of_service(&principal, (&source.0, source.1), &role.account);
    let account = role.account.clone();
    let request = Request::new(
        principal,
        "sts:AssumeRole",
        role.to_string(),
        account,
        context,
    );
    let policies = Policies {
        resource: Layer::Known(Some(NamedPolicy::from_text("trust policy", trust))),
        ..Policies::default()
    };
    let decision = evaluate(&request, &policies);
    (of(decision.verdict), decision.reason)
}

/// What IAM's simulator should say to the caller's own side of hop 1, where trust and organization are left out; none where the
/// roles are not known.
pub fn identity_side(ends: &Ends) -> Option<Answer> {
    let (Found::There(from), Found::There(_)) = (&ends.service.found, &ends.invoke.found) else {
        return None;
    };
    let root = account_root(from.arn.partition, &from.arn.account);
    let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}]});
    let principal = principal(from);
    let invoke = &ends.invoke;
    let region = Some(&ends.pipeline_region);
    let context = context::of_role(&principal, from, region, &invoke.account_id);
    let account = invoke.account_id.clone();
    let request = Request::new(principal, "sts:AssumeRole", &invoke.name, account, context);
    let policies = Policies {
        identity: from.identity.clone(),
        boundary: from.boundary.clone(),
        resource: Layer::Known(Some(NamedPolicy::from_json("any trust", &trust))),
        ..Policies::default()
    };
    Some(of(evaluate(&request, &policies).verdict))
}

/// Any session of the role: which session names CodePipeline and Lambda choose is not documented.
fn principal(role: &Role) -> Principal {
    Principal::Role {
        arn: role.arn.to_string(),
        account: role.arn.account.as_str().to_owned(),
    }
}

fn of_caller(ends: &Ends, role: &Role) -> Policies {
    Policies {
        identity: role.identity.clone(),
        boundary: role.boundary.clone(),
        scps: levels(&ends.organization.scps, &role.arn.account),
        rcps: levels(&ends.organization.rcps, &role.arn.account),
        ..Policies::default()
    }
}

fn levels(
    given: &BTreeMap<AccountId, Layer<Vec<Level>>>,
    account: &AccountId,
) -> Layer<Vec<Level>> {
    given.get(account).cloned().unwrap_or_default()
}

fn of(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Allowed => Answer::Allowed,
        Verdict::NotProven => Answer::NotProven,
        Verdict::ImplicitlyDenied => Answer::ImplicitlyDenied,
        Verdict::ExplicitlyDenied => Answer::ExplicitlyDenied,
    }
}

impl Call<'_> {
    fn decide(
        &self,
        ends: &Ends,
        principal: Principal,
        context: Context,
        policies: &Policies,
    ) -> Hop {
        let (_, account_id) = self.account;
        let request = Request::new(
            principal,
            self.action,
            self.resource,
            account_id.clone(),
            context,
        );
        let decision = evaluate(&request, policies);
        let mend = mend::of(ends, self, &decision);
        let Decision {
            verdict,
            reason,
            statements,
            gaps: _,
            lacking,
        } = decision;
        let statements = statements
            .into_iter()
            .map(|found| {
                let (holder, account_id) = self.holder(&found.place);
                Deciding {
                    layer: found.place.to_string(),
                    account_id,
                    holder,
                    policy: found.policy,
                    index: found.index,
                    sid: found.sid,
                    effect: found.effect,
                    note: found.note,
                }
            })
            .collect();
        Hop {
            statements,
            mend,
            lacking: lacking.iter().map(ToString::to_string).collect(),
            ..self.hop(of(verdict), reason)
        }
    }

    /// On what, and in whose account, the policies of a place stand.
    fn holder(&self, place: &Place) -> (String, AccountId) {
        let (caller, caller_account) = self.caller;
        let (_, resource_account) = self.account;
        match place {
            Place::Identity | Place::Boundary | Place::Session => {
                (caller.to_owned(), caller_account.clone())
            }
            Place::Resource => (self.resource.to_owned(), resource_account.clone()),
            Place::Scp(_) => (
                format!("the organization of account {caller_account}"),
                caller_account.clone(),
            ),
            Place::Rcp(_) => (
                format!("the organization of account {resource_account}"),
                resource_account.clone(),
            ),
        }
    }

    fn missing(&self, why: &str) -> Hop {
        Hop {
            mend: Some(mend::of_missing(self.id)),
            ..self.hop(Answer::ImplicitlyDenied, why.to_owned())
        }
    }

    fn unseen(&self, why: &str) -> Hop {
        Hop {
            mend: Some("let whoever runs this read it, then run it again".to_owned()),
            ..self.hop(Answer::NotProven, format!("not proven: {why}"))
        }
    }

    fn hop(&self, answer: Answer, reason: String) -> Hop {
        let Self {
            id,
            action,
            caller: (caller, _),
            resource,
            account: (account, account_id),
        } = self;
        Hop {
            id: *id,
            caller: (*caller).to_owned(),
            action: (*action).to_owned(),
            resource: (*resource).to_owned(),
            account: account.cloned(),
            account_id: (*account_id).clone(),
            answer,
            reason,
            statements: Vec::new(),
            lacking: Vec::new(),
            mend: None,
            simulated: None,
        }
    }
}
