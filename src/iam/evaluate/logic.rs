//! How the layers combine to one answer, in one account and across two.
//! Looks at no statement itself: only at what each layer says.
//!
//! Sources: IAM user guide, "Policy evaluation for requests within a single account", "Cross-account policy evaluation
//! logic", "How AWS enforcement code logic evaluates requests to allow or deny access"; Organizations user guide, "SCP
//! evaluation", "RCP evaluation".

use super::decision::{Decision, StatementRef, Verdict, hits, near_misses};
use super::layers::{Finding, Layer, Level, Place, Policies};
use super::policy::{NamedPolicy, Question};
use super::principal::{Meant, Principal};
use super::request::Request;
use super::truth::{Gap, Truth};
use crate::model::policy::Effect;

/// Decides a request.
///
/// Total: every request with every set of policies has an answer, in time linear in the policies.
pub fn evaluate(request: &Request, policies: &Policies) -> Decision {
    let action = request.action.to_lowercase();
    let question = Question {
        request,
        action: &action,
    };
    let case = Case::new(question, policies);
    let denied = Truth::any(case.findings.iter().map(|f| f.denies.clone()));
    let allowed = case.allowed();
    if denied.is_yes() {
        return case.explicitly_denied();
    }
    match (denied, allowed) {
        (_, Truth::No) => case.implicitly_denied(question),
        (Truth::No, Truth::Yes) => case.allowed_decision(),
        (Truth::Unknown(_), Truth::Yes | Truth::Unknown(_))
        | (Truth::No | Truth::Yes, Truth::Unknown(_)) => case.not_proven(),
        // Answered above.
        (Truth::Yes, Truth::Yes) => case.explicitly_denied(),
    }
}

/// Whose policies govern the caller, seen from the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// Caller and resource are in one account.
    Same,
    /// They are in two.
    Cross,
    /// The caller is a service or an identity provider: it has no account, and so no policies of its own.
    None,
}

/// Actions for which the resource's policy must allow, whatever the identity policies say.
///
/// Source: "IAM role trust policies and KMS key policies are exceptions to this logic, because they must explicitly
/// allow access for principals."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guarded {
    /// What a role's trust policy is about.
    Role,
    /// What a KMS key's policy is about.
    Key,
    /// All others.
    No,
}

impl Guarded {
    fn of(action: &str, resource: &str) -> Self {
        match action {
            "sts:assumerole"
            | "sts:assumerolewithsaml"
            | "sts:assumerolewithwebidentity"
            | "sts:tagsession"
            | "sts:setsourceidentity" => Self::Role,
            _ if action.starts_with("kms:") && resource.contains(":key/") => Self::Key,
            _ => Self::No,
        }
    }
}

/// Everything that the layers say to one request.
struct Case<'a> {
    relation: Relation,
    /// The root user, who needs no identity policy and cannot assume roles.
    root: bool,
    guarded: Guarded,
    findings: Vec<Finding<'a>>,
}

impl<'a> Case<'a> {
    fn new(question: Question<'_>, policies: &'a Policies) -> Self {
        let Policies {
            identity,
            resource,
            boundary,
            session,
            scps,
            rcps,
        } = policies;
        let request = question.request;
        let caller = &request.principal;
        let relation = match caller.account() {
            None => Relation::None,
            Some(own) if own == request.resource_account.as_str() => Relation::Same,
            Some(_) => Relation::Cross,
        };
        let root = matches!(caller, Principal::Root { .. });
        let exempt = caller.is_service_linked_role();
        let mut findings = Vec::with_capacity(8);
        if relation != Relation::None && !exempt {
            levels(&mut findings, scps, Place::Scp, question);
        }
        if !exempt {
            levels(&mut findings, rcps, Place::Rcp, question);
        }
        if relation != Relation::None {
            if !root {
                findings.extend(place(Place::Identity, identity, true, question));
            }
            findings.extend(place(Place::Boundary, boundary, false, question));
            findings.extend(place(Place::Session, session, false, question));
        }
        match resource {
            Layer::Known(Some(policy)) => {
                let only = std::slice::from_ref(policy);
                findings.push(Finding::new(Place::Resource, only, question));
            }
            Layer::Known(None) => {}
            Layer::Unreadable(why) => findings.push(Finding::unreadable(Place::Resource, why)),
        }
        Self {
            relation,
            root,
            guarded: Guarded::of(question.action, &request.resource),
            findings,
        }
    }

    /// Whether the request is allowed where nothing denies it.
    fn allowed(&self) -> Truth {
        if self.root && self.guarded == Guarded::Role {
            // API reference of STS, AssumeRole: "You cannot use AWS account root user credentials".
            return Truth::No;
        }
        let organization = Truth::all(self.findings.iter().filter_map(|f| match f.place {
            Place::Scp(_) => Some(f.allows.at_all()),
            // `RCPFullAWSAccess` "is automatically attached" everywhere and cannot be detached.
            Place::Rcp(_)
            | Place::Identity
            | Place::Resource
            | Place::Boundary
            | Place::Session => None,
        }));
        let resource = self
            .at(&Place::Resource)
            .map_or(Meant::NOT, |finding| finding.allows.clone());
        let limits = self
            .limit(&Place::Boundary)
            .and(self.limit(&Place::Session));
        let identity = if self.root {
            Truth::Yes
        } else {
            self.at(&Place::Identity)
                .map_or(Truth::No, |f| f.allows.at_all())
        };
        let granted = match self.relation {
            Relation::None => resource.directly,
            // Both accounts must allow, each by its own policies.
            Relation::Cross => identity.and(limits).and(resource.at_all()),
            Relation::Same => {
                let through_resource = match self.guarded {
                    Guarded::Role | Guarded::Key => resource.at_all(),
                    Guarded::No => Truth::Yes,
                };
                let by_identity = identity.and(limits.clone()).and(through_resource);
                resource
                    .directly
                    .or(resource.by_role.and(limits))
                    .or(by_identity)
            }
        };
        organization.and(granted)
    }

    fn at(&self, place: &Place) -> Option<&Finding<'a>> {
        self.findings.iter().find(|f| f.place == *place)
    }

    /// A boundary or session policy limits only where there is one.
    fn limit(&self, place: &Place) -> Truth {
        self.at(place).map_or(Truth::Yes, |f| f.allows.at_all())
    }

    fn explicitly_denied(&self) -> Decision {
        let statements = hits(&self.findings, Some(Effect::Deny), true);
        let by = statements
            .first()
            .map(StatementRef::located)
            .unwrap_or_default();
        Decision {
            verdict: Verdict::ExplicitlyDenied,
            reason: format!("explicit deny in {by}"),
            statements,
            gaps: Vec::new(),
            lacking: Vec::new(),
        }
    }

    fn allowed_decision(&self) -> Decision {
        let relation = match self.relation {
            Relation::Same => "same account",
            Relation::Cross => "cross account",
            Relation::None => "caller without account",
        };
        let mut by: Vec<String> = Vec::new();
        if self.root {
            by.push("root user".to_owned());
        }
        for of in [order_of_grants(0), order_of_grants(1)] {
            by.extend(
                self.findings
                    .iter()
                    .filter(|f| of(f))
                    .map(|f| f.place.to_string()),
            );
        }
        Decision {
            verdict: Verdict::Allowed,
            reason: format!("{relation}: granted by {}", by.join(" + ")),
            statements: hits(&self.findings, Some(Effect::Allow), true),
            gaps: Vec::new(),
            lacking: Vec::new(),
        }
    }

    fn implicitly_denied(&self, question: Question<'_>) -> Decision {
        Decision {
            verdict: Verdict::ImplicitlyDenied,
            reason: self.what_lacks(),
            statements: near_misses(&self.findings, question),
            gaps: Vec::new(),
            lacking: self.lacking(),
        }
    }

    /// The places that would have to allow and do not.
    fn lacking(&self) -> Vec<Place> {
        let silent = |f: &&Finding<'_>| match f.place {
            Place::Identity => self.relation != Relation::None && f.allows.at_all().is_no(),
            Place::Boundary | Place::Session | Place::Scp(_) => f.allows.at_all().is_no(),
            Place::Resource => {
                let needed = self.relation != Relation::Same || self.guarded != Guarded::No;
                needed && f.allows.at_all().is_no()
            }
            Place::Rcp(_) => false,
        };
        let mut places: Vec<Place> = self
            .findings
            .iter()
            .filter(silent)
            .map(|f| f.place.clone())
            .collect();
        let needed = self.relation != Relation::Same || self.guarded != Guarded::No;
        if needed && self.at(&Place::Resource).is_none() {
            places.push(Place::Resource);
        }
        places.sort_by_key(|place| match place {
            Place::Identity => 0,
            Place::Resource => 1,
            Place::Boundary => 2,
            Place::Session => 3,
            Place::Scp(_) => 4,
            Place::Rcp(_) => 5,
        });
        places
    }

    fn what_lacks(&self) -> String {
        if self.root && self.guarded == Guarded::Role {
            return "the root user cannot assume a role".to_owned();
        }
        if self.relation == Relation::Cross && self.at(&Place::Resource).is_none() {
            return "cross account without a resource policy".to_owned();
        }
        let silent = |place: &Place| self.at(place).is_some_and(|f| f.allows.at_all().is_no());
        let scp = |f: &Finding<'_>| matches!(f.place, Place::Scp(_)) && f.allows.at_all().is_no();
        let mut parts: Vec<String> = Vec::new();
        if self.findings.iter().any(scp) {
            parts.push("SCP does not allow".to_owned());
        }
        for (place, text) in [
            (Place::Session, "session policy does not allow"),
            (Place::Boundary, "permission boundary does not allow"),
            (Place::Identity, "identity policies do not allow"),
        ] {
            if silent(&place) {
                parts.push(text.to_owned());
            }
        }
        match self.at(&Place::Resource).map(|f| &f.allows) {
            Some(meant) if meant.at_all().is_no() => {
                parts.push("resource policy: ImplicitlyDenied".to_owned());
            }
            Some(meant) if meant.directly.is_no() && meant.by_role.is_no() => {
                parts.push("resource policy: AllowedForAccount".to_owned());
            }
            None if self.guarded != Guarded::No || self.relation == Relation::None => {
                parts.push("no resource policy".to_owned());
            }
            Some(_) | None => {}
        }
        parts.join("; ")
    }

    fn not_proven(&self) -> Decision {
        let mut gaps: Vec<Gap> = Vec::new();
        for finding in &self.findings {
            let Meant {
                directly,
                by_role,
                by_account,
            } = &finding.allows;
            let truths = [&finding.denies, directly, by_role, by_account];
            gaps.extend(truths.into_iter().filter_map(Truth::gap).cloned());
            gaps.extend(finding.hits.iter().filter_map(|h| h.applies.gap()).cloned());
        }
        gaps.sort();
        gaps.dedup();
        let named: Vec<String> = gaps.iter().map(Gap::to_string).collect();
        Decision {
            verdict: Verdict::NotProven,
            reason: format!("not proven: {}", named.join("; ")),
            statements: hits(&self.findings, None, false),
            gaps,
            lacking: Vec::new(),
        }
    }
}

/// Granting places in the order in which a person names them: the two that grant, then those that limit.
fn order_of_grants(turn: usize) -> impl Fn(&Finding<'_>) -> bool {
    move |finding| {
        let grants = matches!(finding.place, Place::Identity | Place::Resource);
        let implied = matches!(finding.place, Place::Rcp(_));
        grants == (turn == 0) && (implied || finding.allows.at_all().is_yes())
    }
}

fn levels<'a>(
    findings: &mut Vec<Finding<'a>>,
    layer: &'a Layer<Vec<Level>>,
    at: fn(String) -> Place,
    question: Question<'_>,
) {
    match layer {
        Layer::Known(levels) => findings.extend(
            levels
                .iter()
                .map(|l| Finding::new(at(l.target.clone()), &l.policies, question)),
        ),
        Layer::Unreadable(why) => {
            findings.push(Finding::unreadable(at("organization".to_owned()), why));
        }
    }
}

fn place<'a>(
    place: Place,
    layer: &'a Layer<Vec<NamedPolicy>>,
    always: bool,
    question: Question<'_>,
) -> Option<Finding<'a>> {
    match layer {
        Layer::Known(policies) if policies.is_empty() && !always => None,
        Layer::Known(policies) => Some(Finding::new(place, policies, question)),
        Layer::Unreadable(why) => Some(Finding::unreadable(place, why)),
    }
}
