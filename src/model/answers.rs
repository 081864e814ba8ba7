//! The answers of one account by their questions; those about one role stand together, as they are wanted together.
//! It keeps them and finds them again; what they mean is known to `observed`.

use std::collections::HashMap;

use super::failure::CloudError;
use super::name::RoleName;
use super::read::{Fact, InlinePolicy, Read};

/// Failures are few and large: there is no place for one in each answer.
pub(super) type Answer = Result<Fact, Box<CloudError>>;

/// All answers of an account. Nobody asks for their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answers {
    roles: HashMap<RoleName, RoleAnswers>,
    others: HashMap<Read, Answer>,
}

/// The answers about one role.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RoleAnswers {
    role: Option<Answer>,
    inline_policy_names: Option<Answer>,
    attached_policies: Option<Answer>,
    /// By the name of the policy. They are few: a role's inline policies have 10,240 characters at most.
    inline_policies: Vec<(String, Answer)>,
}

static NO_ROLE: Answer = Ok(Fact::Role(None));
static NO_NAMES: Answer = Ok(Fact::InlinePolicyNames(None));
static NO_ATTACHED: Answer = Ok(Fact::AttachedPolicies(None));
static NO_ROLE_FOR_POLICY: Answer = Ok(Fact::InlinePolicy(InlinePolicy::NoRole));
static NO_POLICY: Answer = Ok(Fact::InlinePolicy(InlinePolicy::Absent));

impl Answers {
    /// Keeps an answer, in the place of an earlier one to the same question.
    pub(super) fn insert(&mut self, read: Read, answer: Answer) {
        match read {
            Read::Role { role } => self.of_role(role).role = Some(answer),
            Read::InlinePolicyNames { role } => {
                self.of_role(role).inline_policy_names = Some(answer);
            }
            Read::AttachedPolicies { role } => {
                self.of_role(role).attached_policies = Some(answer);
            }
            Read::InlinePolicy { role, policy } => {
                let policies = &mut self.of_role(role).inline_policies;
                match policies.iter_mut().find(|(known, _)| *known == policy) {
                    Some((_, known)) => *known = answer,
                    None => policies.push((policy, answer)),
                }
            }
            other => {
                self.others.insert(other, answer);
            }
        }
    }

    fn of_role(&mut self, role: RoleName) -> &mut RoleAnswers {
        self.roles.entry(role).or_default()
    }

    /// The answer to a question; where the account's roles were listed, also what the list says of a role.
    pub(super) fn get(&self, read: &Read) -> Option<&Answer> {
        match read {
            Read::Role { role } => self.role(role),
            Read::InlinePolicyNames { role } => self.inline_policy_names(role),
            Read::AttachedPolicies { role } => self.attached_policies(role),
            Read::InlinePolicy { role, policy } => self.inline_policy(role, policy),
            other => self.others.get(other),
        }
    }

    pub(super) fn role(&self, role: &RoleName) -> Option<&Answer> {
        let found = self.roles.get(role).and_then(|of| of.role.as_ref());
        found.or_else(|| self.are_listed().then_some(&NO_ROLE))
    }

    pub(super) fn inline_policy_names(&self, role: &RoleName) -> Option<&Answer> {
        let of = self.roles.get(role);
        let found = of.and_then(|of| of.inline_policy_names.as_ref());
        found.or_else(|| self.are_listed().then_some(&NO_NAMES))
    }

    pub(super) fn attached_policies(&self, role: &RoleName) -> Option<&Answer> {
        let of = self.roles.get(role);
        let found = of.and_then(|of| of.attached_policies.as_ref());
        found.or_else(|| self.are_listed().then_some(&NO_ATTACHED))
    }

    pub(super) fn inline_policy(&self, role: &RoleName, policy: &str) -> Option<&Answer> {
        let of = self.roles.get(role);
        let found = of.and_then(|of| of.inline_policy(policy));
        found.or_else(|| {
            let without = match of.and_then(|of| of.role.as_ref()) {
                Some(_) => &NO_POLICY,
                None => &NO_ROLE_FOR_POLICY,
            };
            self.are_listed().then_some(without)
        })
    }

    /// What was answered about one role, beside what a list of all says of it.
    pub(super) fn about(&self, role: &RoleName) -> Option<&RoleAnswers> {
        self.roles.get(role)
    }

    /// True where the account's roles were listed: what is not among the answers is not there.
    fn are_listed(&self) -> bool {
        matches!(self.others.get(&Read::Roles), Some(Ok(Fact::Roles(_))))
    }
}

impl RoleAnswers {
    pub(super) fn role(&self) -> Option<&Answer> {
        self.role.as_ref()
    }

    pub(super) fn inline_policy(&self, policy: &str) -> Option<&Answer> {
        let mut policies = self.inline_policies.iter();
        let (_, answer) = policies.find(|(name, _)| name == policy)?;
        Some(answer)
    }

    /// True where one of them says that the role does not exist.
    pub(super) fn is_gone(&self) -> bool {
        let Self {
            role,
            inline_policy_names,
            attached_policies,
            inline_policies,
        } = self;
        let whole = [role, inline_policy_names, attached_policies];
        let policies = inline_policies.iter().map(|(_, answer)| answer);
        let mut all = whole.into_iter().flatten().chain(policies);
        all.any(|answer| {
            matches!(
                answer,
                Ok(Fact::InlinePolicy(InlinePolicy::NoRole)
                    | Fact::Role(None)
                    | Fact::InlinePolicyNames(None)
                    | Fact::AttachedPolicies(None))
            )
        })
    }
}
