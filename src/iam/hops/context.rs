//! The context keys of each hop: what is known to be sent, what is known not to be, and nothing guessed.
//! Every key that is not named here is unknown, so that a policy which asks for it is not proven.
//!
//! Sources: IAM user guide, "AWS global condition context keys" (who sends which key); domain.md, "The hops".

use super::Role;
use crate::iam::evaluate::{Context, Principal};
use crate::model::account::{AccountId, Region};

/// What a service sends when it takes a role for something of its customer's: the source, and no external id.
///
/// `aws:SourceArn` and `aws:SourceAccount` are what the guide tells to ask for in the service role's trust policy (guide:
/// "Cross-service confused deputy prevention").
pub(super) fn of_service(
    principal: &Principal,
    (source, source_account): (&str, &AccountId),
    resource_account: &AccountId,
) -> Context {
    Context::partial()
        .with_principal(principal)
        .with("aws:SourceArn", source)
        .with("aws:SourceAccount", source_account.as_str())
        .with("aws:SecureTransport", "true")
        .with("aws:ResourceAccount", resource_account.as_str())
        .with_absent("sts:ExternalId")
        .with_absent("aws:PrincipalOrgID")
        .with_absent("aws:PrincipalOrgPaths")
        .with_absent("aws:PrincipalType")
        .with_absent("aws:username")
}

/// What is sent with the session of a role. `region`: the endpoint's, where that is known.
///
/// The source keys are there only where a service calls for itself, which it does not here (domain.md says so of
/// `aws:SourceArn` on hop 1); an action has no field for an external id. Keys of the organization are not known.
pub(super) fn of_role(
    principal: &Principal,
    role: &Role,
    region: Option<&Region>,
    resource_account: &AccountId,
) -> Context {
    let mut context = Context::partial()
        .with_principal(principal)
        .with("aws:PrincipalType", "AssumedRole")
        .with("aws:ViaAWSService", "false")
        .with("aws:SecureTransport", "true")
        .with("aws:ResourceAccount", resource_account.as_str())
        .with_absent("sts:ExternalId")
        .with_absent("aws:SourceArn")
        .with_absent("aws:SourceAccount")
        .with_absent("aws:SourceOrgID")
        .with_absent("aws:SourceOrgPaths")
        .with_absent("aws:CalledVia")
        .with_absent("aws:CalledViaFirst")
        .with_absent("aws:CalledViaLast")
        .with_absent("aws:PrincipalServiceNamesList")
        .with_absent("aws:FederatedProvider")
        .with_absent("aws:username");
    if let Some(region) = region {
        context = context.with("aws:RequestedRegion", region.as_str());
    }
    for (key, value) in &role.tags {
        context = context.with(&format!("aws:PrincipalTag/{key}"), value);
    }
    context
}

/// The tags of the role that is taken.
pub(super) fn with_resource_tags(mut context: Context, role: &Role) -> Context {
    for (key, value) in &role.tags {
        context = context
            .with(&format!("aws:ResourceTag/{key}"), value)
            .with(&format!("iam:ResourceTag/{key}"), value);
    }
    context
}
