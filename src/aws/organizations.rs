//! The organization over an account, and the policies with which it limits its accounts.
//! Reads only.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::operation::RequestId;
use aws_sdk_organizations::types::PolicyType;

use super::errors::{Call, Failure};
use super::pages::{Whole, names_another};
use super::{Answer, Outcome};
use crate::model::account::AccountId;
use crate::model::read::{ControlKind, Fact, NamedControlPolicy, Organization};

/// `organizations:DescribeOrganization`: every account of an organization may be allowed it (api: DescribeOrganization).
pub(super) async fn describe(client: &Client, call: &Call<'_>) -> Outcome<Fact> {
    let output = match client.describe_organization().send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::Organization(None), &e)),
        Err(e) => return Err(call.failed(&e)),
    };
    let request_id = output.request_id();
    let found = output
        .organization()
        .ok_or_else(|| Failure::malformed("the answer has no Organization", request_id))?;
    let management = AccountId::new(found.master_account_id().unwrap_or_default())
        .map_err(|e| Failure::malformed(e, request_id))?;
    let organization = Organization {
        id: found.id().unwrap_or_default().to_owned(),
        management,
    };
    Ok(Answer::of(Fact::Organization(Some(organization)), &output))
}

/// `organizations:ListParents`: a child has one parent (api: ListParents).
pub(super) async fn parent(client: &Client, call: &Call<'_>, child: &str) -> Outcome<Fact> {
    let output = match client.list_parents().child_id(child).send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::OrganizationParent(None), &e)),
        Err(e) => return Err(call.failed(&e)),
    };
    let [parent] = output.parents() else {
        let why = "the answer has not exactly one parent";
        return Err(Failure::malformed(why, output.request_id()));
    };
    let parent = parent.id().unwrap_or_default().to_owned();
    Ok(Answer::of(Fact::OrganizationParent(Some(parent)), &output))
}

/// `organizations:ListPoliciesForTarget`, all pages.
pub(super) async fn attached(
    client: &Client,
    call: &Call<'_>,
    target: &str,
    kind: ControlKind,
) -> Outcome<Fact> {
    let filter = match kind {
        ControlKind::Service => PolicyType::ServiceControlPolicy,
        ControlKind::Resource => PolicyType::ResourceControlPolicy,
    };
    let request = client
        .list_policies_for_target()
        .target_id(target)
        .filter(filter);
    let mut pages = request.into_paginator().send();
    let (mut policies, mut request_id) = (Vec::new(), None);
    let mut whole = Whole::default();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                request_id = page.request_id().map(str::to_owned);
                whole.page(names_another(page.next_token()), request_id.as_deref())?;
                // A list that is missing would read like one that is empty, under which nothing is denied.
                let listed = page.policies.ok_or_else(|| {
                    Failure::malformed("the answer has no Policies", request_id.as_deref())
                })?;
                policies.extend(listed.iter().map(|policy| NamedControlPolicy {
                    id: policy.id().unwrap_or_default().to_owned(),
                    name: policy.name().unwrap_or_default().to_owned(),
                }));
            }
            Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::ControlPolicies(None), &e)),
            Err(e) => return Err(call.failed(&e)),
        }
    }
    whole.end(request_id.as_deref())?;
    Ok(Answer {
        value: Fact::ControlPolicies(Some(policies)),
        request_id,
    })
}

/// `organizations:DescribePolicy`.
pub(super) async fn policy(client: &Client, call: &Call<'_>, id: &str) -> Outcome<Fact> {
    let output = match client.describe_policy().policy_id(id).send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::ControlPolicy(None), &e)),
        Err(e) => return Err(call.failed(&e)),
    };
    let text = output.policy().and_then(|policy| policy.content());
    let text = text
        .ok_or_else(|| Failure::malformed("the answer has no Content", output.request_id()))?
        .to_owned();
    Ok(Answer::of(Fact::ControlPolicy(Some(text)), &output))
}

/// No organization, or nothing of that id in it.
fn is_absent<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    matches!(
        error.code(),
        Some(
            "AWSOrganizationsNotInUseException"
                | "ChildNotFoundException"
                | "TargetNotFoundException"
                | "PolicyNotFoundException"
        )
    )
}
