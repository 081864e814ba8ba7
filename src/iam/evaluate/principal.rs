//! Callers, and whether a `Principal` element means them, and how directly.
//! Does not look at any other element of a statement.

use thiserror::Error;

use super::truth::Truth;
use crate::model::policy::{Clause, PrincipalKind, Principals};

/// A text that names no caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a caller: a role, role session, user, federated user or root ARN, or a service such as \
     codepipeline.amazonaws.com is expected"
)]
pub struct PrincipalError(pub String);

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A role as such: what its policies say for any session without session policy.
    Role {
        /// `arn:P:iam::A:role/PATH/NAME`.
        arn: String,
        /// The account that holds the role.
        account: String,
    },
    /// A session of a role.
    RoleSession {
        /// `arn:P:sts::A:assumed-role/NAME/SESSION`.
        arn: String,
        /// The account that holds the role.
        account: String,
        /// `arn:P:iam::A:role/NAME`, without the path, which the session's ARN does not show.
        pathless_role_arn: String,
        /// The role's ARN with its path, where known.
        role_arn: Option<String>,
    },
    /// An IAM user.
    User {
        /// `arn:P:iam::A:user/PATH/NAME`.
        arn: String,
        /// The user's account.
        account: String,
    },
    /// A session from `sts:GetFederationToken`.
    FederatedUser {
        /// `arn:P:sts::A:federated-user/NAME`.
        arn: String,
        /// The account.
        account: String,
    },
    /// An account's root user.
    Root {
        /// `arn:P:iam::A:root`.
        arn: String,
        /// The account.
        account: String,
    },
    /// An AWS service that acts for itself.
    Service(String),
    /// An identity provider whose token is exchanged (`AssumeRoleWithWebIdentity`, `AssumeRoleWithSAML`).
    Provider(String),
}

impl Principal {
    /// Reads a caller as AWS writes it.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        Self::from_arn(text)
            .or_else(|| Self::from_host(text))
            .ok_or_else(|| PrincipalError(text.to_owned()))
    }

    fn from_arn(text: &str) -> Option<Self> {
        let (partition, service, account, resource) = arn_parts(text)?;
        let (arn, owner) = (text.to_owned(), account.to_owned());
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        match (service, kind) {
            ("iam", "root") if name.is_empty() => Some(Self::Root {
                arn,
                account: owner,
            }),
            _ if name.is_empty() => None,
            ("iam", "role") => Some(Self::Role {
                arn,
                account: owner,
            }),
            ("iam", "user") => Some(Self::User {
                arn,
                account: owner,
            }),
            ("iam", "saml-provider" | "oidc-provider") => Some(Self::Provider(arn)),
            ("sts", "federated-user") => Some(Self::FederatedUser {
                arn,
                account: owner,
            }),
            ("sts", "assumed-role") => {
                let (role, session) = name.split_once('/')?;
                let valid = !role.is_empty() && !session.is_empty();
                valid.then(|| Self::RoleSession {
                    arn,
                    pathless_role_arn: format!("arn:{partition}:iam::{account}:role/{role}"),
                    role_arn: None,
                    account: owner,
                })
            }
            _ => None,
        }
    }

    fn from_host(text: &str) -> Option<Self> {
        let label = |l: &str| {
            !l.is_empty()
                && l.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !text.contains('.') || !text.split('.').all(label) {
            return None;
        }
        // The one provider of AWS's own that stands under `Federated`.
        let aws = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn");
        if aws && text != "cognito-identity.amazonaws.com" {
            Some(Self::Service(text.to_owned()))
        } else {
            Some(Self::Provider(text.to_owned()))
        }
    }

    /// Says which role a session is of. An ARN that cannot be that role's is ignored.
    #[must_use]
    pub fn with_role_arn(mut self, found: &str) -> Self {
        if let Self::RoleSession {
            pathless_role_arn,
            role_arn,
            ..
        } = &mut self
            && without_path(found).as_deref() == Some(pathless_role_arn)
        {
            *role_arn = Some(found.to_owned());
        }
        self
    }

    /// The account whose policies govern the caller; none for services and identity providers.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Role { account, .. }
            | Self::RoleSession { account, .. }
            | Self::User { account, .. }
            | Self::FederatedUser { account, .. }
            | Self::Root { account, .. } => Some(account),
            Self::Service(_) | Self::Provider(_) => None,
        }
    }

    /// The value of `aws:PrincipalArn`, where it is known.
    pub fn principal_arn(&self) -> Option<&str> {
        match self {
            Self::Role { arn, .. }
            | Self::User { arn, .. }
            | Self::FederatedUser { arn, .. }
            | Self::Root { arn, .. } => Some(arn),
            Self::RoleSession { role_arn, .. } => role_arn.as_deref(),
            Self::Service(_) | Self::Provider(_) => None,
        }
    }

    /// True for a role that an AWS service made for itself, known by its path. SCPs and RCPs do not apply to it.
    ///
    /// Source: Organizations user guide: service-linked roles "can't be restricted by SCPs" ("Service control policies");
    /// "RCPs do not impact the effective permissions of any service-linked role" ("Resource control policies").
    pub fn is_service_linked_role(&self) -> bool {
        match self {
            Self::Role { .. } | Self::RoleSession { .. } => self
                .principal_arn()
                .is_some_and(|arn| arn.contains(":role/aws-service-role/")),
            Self::User { .. }
            | Self::FederatedUser { .. }
            | Self::Root { .. }
            | Self::Service(_)
            | Self::Provider(_) => false,
        }
    }
}

/// Partition, service, account and resource of an ARN without region.
fn arn_parts(text: &str) -> Option<(&str, &str, &str, &str)> {
    let mut fields = text.splitn(6, ':');
    let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
    let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    (arn == "arn" && region.is_empty() && digits).then_some((partition, service, account, resource))
}

/// A role's ARN without its path.
fn without_path(role_arn: &str) -> Option<String> {
    let (partition, "iam", account, resource) = arn_parts(role_arn)? else {
        return None;
    };
    let (_, name) = resource
        .strip_prefix("role/")
        .map(|path| path.rsplit_once('/').unwrap_or(("", path)))?;
    Some(format!("arn:{partition}:iam::{account}:role/{name}"))
}

/// How a `Principal` element means a caller. Which policies of the caller's own limit a grant depends on it.
///
/// Source: IAM user guide, "How AWS enforcement code logic evaluates requests", the part on resource-based policies, and
/// "AWS JSON policy elements: Principal".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant {
    /// The caller itself: its session ARN, its user ARN, the service, or everyone. "Permissions granted directly to a
    /// session are not limited by an implicit deny in an identity-based policy, a permissions boundary, or session
    /// policy"; nor are those granted "with a wildcard (*) in the Principal element".
    pub(super) directly: Truth,
    /// The role behind the session, or the user behind the federated session: "limited by an implicit deny in a
    /// permissions boundary or session policy".
    pub(super) by_role: Truth,
    /// The account, which may hand it on by its own policies.
    pub(super) by_account: Truth,
}

impl Meant {
    /// Not meant.
    pub(super) const NOT: Self = Self {
        directly: Truth::No,
        by_role: Truth::No,
        by_account: Truth::No,
    };

    /// Meant directly, or not at all.
    pub(super) fn directly(truth: Truth) -> Self {
        Self {
            directly: truth,
            ..Self::NOT
        }
    }

    fn by_role(truth: Truth) -> Self {
        Self {
            by_role: truth,
            ..Self::NOT
        }
    }

    fn by_account(truth: Truth) -> Self {
        Self {
            by_account: truth,
            ..Self::NOT
        }
    }

    /// Meant by the one or the other.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            directly: self.directly.or(other.directly),
            by_role: self.by_role.or(other.by_role),
            by_account: self.by_account.or(other.by_account),
        }
    }

    /// Meant, and this holds as well.
    #[must_use]
    pub(super) fn and(self, truth: &Truth) -> Self {
        Self {
            directly: self.directly.and(truth.clone()),
            by_role: self.by_role.and(truth.clone()),
            by_account: self.by_account.and(truth.clone()),
        }
    }

    /// In any way.
    pub(super) fn at_all(&self) -> Truth {
        self.directly
            .clone()
            .or(self.by_role.clone())
            .or(self.by_account.clone())
    }
}

/// Whether an Allow with this element means the caller, and how.
pub(super) fn allows(element: &Clause<Principals>, caller: &Principal) -> Meant {
    match element {
        Clause::Is(principals) => meant(principals, caller),
        Clause::Not(principals) => {
            // "Allows all principals except the one named." Whether boundaries limit it is not said: only a grant that
            // they allow as well is certain.
            let others = !meant(principals, caller).at_all();
            let limits = Truth::unsettled(
                "a boundary's or session policy's effect on an Allow with NotPrincipal",
            );
            Meant {
                directly: others.clone().and(limits),
                by_role: others,
                by_account: Truth::No,
            }
        }
    }
}

/// Whether a Deny with this element means the caller.
pub(super) fn denies(element: &Clause<Principals>, caller: &Principal) -> Truth {
    match element {
        Clause::Is(principals) => meant(principals, caller).at_all(),
        Clause::Not(principals) => {
            let named = meant(principals, caller);
            let spared = spared(&named, principals, caller);
            let at_all = named.at_all();
            // "If the NotPrincipal element was missing the ARN of the role, the effect of the policy might be to
            // explicitly deny access to the role"; so with the account.
            let partly = at_all.clone().and(Truth::unsettled(
                "a Deny whose NotPrincipal names some, but not all, of session, role and account",
            ));
            (!spared).and((!at_all).or(partly))
        }
    }
}

/// Whether a `NotPrincipal` names the caller and all that the caller is part of.
fn spared(named: &Meant, principals: &Principals, caller: &Principal) -> Truth {
    let everyone = matches!(principals, Principals::Everyone);
    match caller {
        _ if everyone => Truth::Yes,
        Principal::Service(_) | Principal::Provider(_) => named.directly.clone(),
        Principal::Root { .. } => named.at_all(),
        Principal::Role { .. } => named.by_role.clone().and(named.by_account.clone()),
        Principal::User { .. } => named.directly.clone().and(named.by_account.clone()),
        Principal::RoleSession { .. } | Principal::FederatedUser { .. } => Truth::all([
            named.directly.clone(),
            named.by_role.clone(),
            named.by_account.clone(),
        ]),
    }
}

fn meant(principals: &Principals, caller: &Principal) -> Meant {
    match principals {
        Principals::Everyone => Meant::directly(Truth::Yes),
        Principals::Listed(listed) => listed
            .iter()
            .map(|(kind, text)| one(*kind, text, caller))
            .fold(Meant::NOT, Meant::or),
    }
}

fn one(kind: PrincipalKind, text: &str, caller: &Principal) -> Meant {
    match (kind, caller) {
        (PrincipalKind::Aws, _) => aws(text, caller),
        (PrincipalKind::Service, Principal::Service(name))
        | (PrincipalKind::Federated, Principal::Provider(name)) => {
            Meant::directly((text == name).into())
        }
        (PrincipalKind::Service | PrincipalKind::Federated, _)
        | (PrincipalKind::CanonicalUser, Principal::Service(_) | Principal::Provider(_)) => {
            Meant::NOT
        }
        // A canonical user id is another name of an account; which one cannot be seen.
        (PrincipalKind::CanonicalUser, _) => Meant::by_account(Truth::unreadable(format!(
            "the account behind the canonical user id `{text}`"
        ))),
    }
}

fn aws(text: &str, caller: &Principal) -> Meant {
    if text == "*" {
        return Meant::directly(match caller {
            // "Principal": "*" and {"AWS": "*"} are called equivalent for anonymous users only.
            Principal::Service(_) | Principal::Provider(_) => {
                Truth::unsettled("whether {\"AWS\": \"*\"} means services and identity providers")
            }
            Principal::Role { .. }
            | Principal::RoleSession { .. }
            | Principal::User { .. }
            | Principal::FederatedUser { .. }
            | Principal::Root { .. } => Truth::Yes,
        });
    }
    if caller.account().is_some_and(|own| own == text) {
        return Meant::by_account(Truth::Yes);
    }
    match caller {
        Principal::Root { arn, .. } | Principal::Role { arn, .. } | Principal::User { arn, .. } => {
            if is_root_of(text, arn) {
                return Meant::by_account(Truth::Yes);
            }
            let equal = Truth::from(text == arn);
            match caller {
                Principal::Role { .. } => Meant::by_role(equal),
                _ => Meant::directly(equal),
            }
        }
        Principal::RoleSession {
            arn,
            account: _,
            pathless_role_arn,
            role_arn,
        } => session(text, arn, pathless_role_arn, role_arn.as_deref()),
        Principal::FederatedUser { arn, .. } => {
            if is_root_of(text, arn) {
                return Meant::by_account(Truth::Yes);
            }
            let user = arn
                .replacen(":sts:", ":iam:", 1)
                .replacen(":federated-user/", ":user/", 1);
            Meant::directly((text == arn).into()).or(Meant::by_role((text == user).into()))
        }
        Principal::Service(_) | Principal::Provider(_) => Meant::NOT,
    }
}

/// A role session is meant by its own ARN, by its role's ARN, and by its account. A unique id (`AROA…`) stands for a
/// principal that was deleted ("AWS can no longer map it back to a valid ARN") and means nobody.
fn session(text: &str, arn: &str, pathless: &str, role: Option<&str>) -> Meant {
    if text == arn {
        return Meant::directly(Truth::Yes);
    }
    if is_root_of(text, arn) {
        return Meant::by_account(Truth::Yes);
    }
    Meant::by_role(match role {
        Some(role) => (text == role).into(),
        None if text == pathless => Truth::Yes,
        // Role names are unique in an account, so this may be the role, if that is its path.
        None if without_path(text).as_deref() == Some(pathless) => {
            Truth::unreadable(format!("the path of the role {pathless}"))
        }
        None => Truth::No,
    })
}

/// True if the text is the root ARN of the account and partition of a principal's ARN.
fn is_root_of(text: &str, arn: &str) -> bool {
    let Some((partition, _, account, _)) = arn_parts(arn) else {
        return false;
    };
    arn_parts(text) == Some((partition, "iam", account, "root"))
}

#[cfg(test)]
#[path = "principal_tests.rs"]
mod tests;
