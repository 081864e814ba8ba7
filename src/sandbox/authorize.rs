//! Every call is decided here, by the evaluator that `verify` and `policy simulate` use, from the policies as they are.
//! Words the refusals as AWS does; knows nothing of protocols.

use serde_json::{Value, json};

use super::caller::{Caller, Who, trust_now};
use super::clock::iso;
use super::state::{Role, State, role_arn};
use crate::iam::evaluate::{
    Context, Decision, Layer, NamedPolicy, Place, Policies, Principal, Request, Verdict, evaluate,
};
use crate::model::account::AccountId;

/// A question: may this caller do this.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    caller: &'a Caller,
    action: String,
    resource: String,
    /// The account that holds the resource.
    account: String,
    /// What the refusal calls the resource; IAM says `role x` instead of the ARN.
    shown: Option<String>,
    region: String,
    keys: Vec<(String, String)>,
    lists: Vec<(String, Vec<String>)>,
    policy: Option<NamedPolicy>,
}

impl<'a> Ask<'a> {
    /// About a resource of the caller's own account.
    pub(super) fn new(
        caller: &'a Caller,
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            caller,
            action: action.into(),
            resource: resource.into(),
            account: caller.account.clone(),
            shown: None,
            region: "us-east-1".to_owned(),
            keys: Vec::new(),
            lists: Vec::new(),
            policy: None,
        }
    }

    /// The resource is another account's.
    pub(super) fn of(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }

    /// The resource's name in the refusal.
    pub(super) fn shown(mut self, shown: impl Into<String>) -> Self {
        self.shown = Some(shown.into());
        self
    }

    /// The region of the call.
    pub(super) fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// A context key.
    pub(super) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.keys.push((key.to_owned(), value.into()));
        self
    }

    /// Tags of the resource or of the request: `aws:ResourceTag`, `aws:RequestTag`.
    pub(super) fn tags<'t>(
        mut self,
        prefix: &str,
        tags: impl IntoIterator<Item = (&'t String, &'t String)>,
    ) -> Self {
        let mut names = Vec::new();
        for (key, value) in tags {
            self.keys.push((format!("{prefix}/{key}"), value.clone()));
            names.push(key.clone());
        }
        if prefix == "aws:RequestTag" && !names.is_empty() {
            self.lists.push(("aws:TagKeys".to_owned(), names));
        }
        self
    }

    /// The resource's own policy.
    pub(super) fn guarded(mut self, policy: Option<NamedPolicy>) -> Self {
        self.policy = policy;
        self
    }

    /// Decides. None where the caller is no principal any more.
    pub(super) fn decide(&self, state: &State) -> Option<Decision> {
        let (request, policies) = self.prepared(state)?;
        Some(evaluate(&request, &policies))
    }

    /// Decides; refuses with AWS's words.
    pub(super) fn check(&self, state: &State) -> Result<(), String> {
        let Some((request, policies)) = self.prepared(state) else {
            return Err(self.denied(""));
        };
        let decision = evaluate(&request, &policies);
        match decision.verdict {
            Verdict::Allowed => Ok(()),
            Verdict::ExplicitlyDenied => {
                let place = decision.statements.first().map(|s| &s.place);
                Err(self.denied(&format!(" with an explicit deny in {}", policy_of(place))))
            }
            Verdict::ImplicitlyDenied => Err(self.denied(&self.missing(&request, &policies))),
            // AWS always knows; the sandbox says so where it does not.
            Verdict::NotProven => Err(self.denied(&format!(
                " (the sandbox cannot tell what AWS would decide: {})",
                decision.reason
            ))),
        }
    }

    fn prepared(&self, state: &State) -> Option<(Request, Policies)> {
        let principal = self.caller.principal(state)?;
        let account = AccountId::new(&self.account).ok()?;
        let context = self.context(state, &principal);
        let own = self.caller.own(state);
        let policies = Policies {
            identity: own.identity,
            resource: Layer::Known(self.policy.clone()),
            boundary: own.boundary,
            session: own.session,
            ..Policies::default()
        };
        let request = Request::new(
            principal,
            self.action.clone(),
            self.resource.clone(),
            account,
            context,
        );
        Some((request, policies))
    }

    fn context(&self, state: &State, principal: &Principal) -> Context {
        let now = state.clock.now();
        let mut context = Context::complete()
            .with_principal(principal)
            .with("aws:RequestedRegion", self.region.clone())
            .with("aws:CurrentTime", iso(now))
            .with("aws:EpochTime", now.as_secs().to_string())
            // Real calls are encrypted; policies that demand it are to work here too.
            .with("aws:SecureTransport", "true")
            .with("aws:SourceIp", "127.0.0.1")
            .with("aws:ResourceAccount", self.account.clone())
            .with("aws:userid", self.caller.user_id.clone());
        if let Who::User(name) = &self.caller.holder {
            context = context.with("aws:username", name.clone());
        }
        if let Who::Session { role, .. } = &self.caller.holder
            && let Some(role) = state.role(&self.caller.account, role)
        {
            for (key, value) in &role.tags {
                context = context.with(&format!("aws:PrincipalTag/{key}"), value.clone());
            }
        }
        for (key, value) in &self.keys {
            context = context.with(key, value.clone());
        }
        for (key, values) in &self.lists {
            context = context.with_list(key, values.iter().cloned());
        }
        context
    }

    /// Which kind of policy lacks the Allow: the first without which all is well.
    fn missing(&self, request: &Request, policies: &Policies) -> String {
        let without = |change: fn(&mut Policies)| {
            let mut fewer = policies.clone();
            change(&mut fewer);
            evaluate(request, &fewer).verdict == Verdict::Allowed
        };
        let action = &self.action;
        let kind = if without(|p| p.boundary = Layer::default()) {
            "permissions boundary"
        } else if without(|p| p.session = Layer::default()) {
            "session policy"
        } else if action.to_lowercase().starts_with("sts:assumerole") {
            // STS does not say which side it is.
            return String::new();
        } else if self.account != self.caller.account && !self.caller.account.is_empty() {
            "resource-based policy"
        } else {
            "identity-based policy"
        };
        format!(" because no {kind} allows the {action} action")
    }

    fn denied(&self, because: &str) -> String {
        let shown = self.shown.as_ref().unwrap_or(&self.resource);
        format!(
            "User: {} is not authorized to perform: {} on resource: {shown}{because}",
            self.caller.arn, self.action
        )
    }
}

/// Whether a caller may assume a role: both sides where they are two accounts.
pub(super) fn assume<'a>(
    state: &State,
    caller: &'a Caller,
    account: &str,
    role: &Role,
    session: &str,
) -> Ask<'a> {
    let trust = NamedPolicy::from_json("trust policy", &trust_now(state, role));
    Ask::new(caller, "sts:AssumeRole", role_arn(account, role))
        .of(account)
        .with("sts:RoleSessionName", session)
        .tags("aws:ResourceTag", &role.tags)
        .guarded(Some(trust))
}

/// Whether a caller may hand a role to a service (`iam:PassRole`).
pub(super) fn pass<'a>(caller: &'a Caller, role_arn: &str, service: &str) -> Ask<'a> {
    Ask::new(caller, "iam:PassRole", role_arn).with("iam:PassedToService", service)
}

/// A function's own policy, from its statements.
pub(super) fn resource_policy(statements: &[Value]) -> Option<NamedPolicy> {
    (!statements.is_empty()).then(|| {
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        NamedPolicy::from_json("function policy", &document)
    })
}

fn policy_of(place: Option<&Place>) -> &'static str {
    match place {
        Some(Place::Scp(_)) => "a service control policy",
        Some(Place::Rcp(_)) => "a resource control policy",
        Some(Place::Resource) => "a resource-based policy",
        Some(Place::Boundary) => "a permissions boundary",
        Some(Place::Session) => "a session policy",
        Some(Place::Identity) | None => "an identity-based policy",
    }
}
