//! Roles and their policies.
//! One call for each read or write; which of them are made is decided elsewhere.

use std::collections::BTreeMap;

use aws_sdk_iam::operation::RequestId;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, EntityType, Tag};
use percent_encoding::percent_decode_str;

use super::errors::{Call, Failure, is_absent, message_of};
use super::pages::{Whole, names_another};
use super::{Answer, Outcome};
use crate::cloud::CloudErrorKind;
use crate::model::arn::RoleArn;
use crate::model::name::RoleName;
use crate::model::read::{AttachedPolicy, Fact, InlinePolicy, Role, RoleDetail};
use crate::model::write::{NewRole, Write, Written};

/// `iam:GetRole`.
pub(super) async fn role(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    role: &RoleName,
) -> Outcome<Fact> {
    let output = match client.get_role().role_name(role.as_str()).send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::Role(None), &e)),
        Err(e) => return Err(call.failed(&e)),
    };
    let malformed = |why: &str| Failure::malformed(why, output.request_id());
    let found = output
        .role()
        .ok_or_else(|| malformed("the answer has no Role"))?;
    let parts = RoleParts {
        arn: found.arn(),
        trust: found.assume_role_policy_document(),
        tags: found.tags(),
        boundary: found.permissions_boundary(),
    };
    let role = parts.role(output.request_id())?;
    Ok(Answer::of(Fact::Role(Some(Box::new(role))), &output))
}

/// `iam:GetAccountAuthorizationDetails` with `Filter=Role`, all pages.
pub(super) async fn roles(client: &aws_sdk_iam::Client, call: &Call<'_>) -> Outcome<Fact> {
    let request = client
        .get_account_authorization_details()
        .filter(EntityType::Role)
        .max_items(PAGE);
    let mut pages = request.into_paginator().send();
    let (mut roles, mut request_id) = (Vec::new(), None);
    let mut whole = Whole::default();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| call.failed(&e))?;
        let more = page.is_truncated() || names_another(page.marker());
        whole.page(more, page.request_id())?;
        for detail in page.role_detail_list() {
            roles.push(role_detail(detail, page.request_id())?);
        }
        request_id = page.request_id().map(str::to_owned);
    }
    whole.end(request_id.as_deref())?;
    let value = Fact::Roles(roles);
    Ok(Answer { value, request_id })
}

/// The most entities that IAM gives in a page (api: GetAccountAuthorizationDetails, MaxItems).
const PAGE: i32 = 1000;

fn role_detail(
    detail: &aws_sdk_iam::types::RoleDetail,
    request_id: Option<&str>,
) -> Result<RoleDetail, Failure> {
    let malformed = |why: String| Failure::malformed(why, request_id);
    let parts = RoleParts {
        arn: detail
            .arn()
            .ok_or_else(|| malformed("a role has no Arn".to_owned()))?,
        trust: detail.assume_role_policy_document(),
        tags: detail.tags(),
        boundary: detail.permissions_boundary(),
    };
    let mut inline = BTreeMap::new();
    for policy in detail.role_policy_list() {
        let (Some(name), Some(text)) = (policy.policy_name(), policy.policy_document()) else {
            return Err(malformed(
                "an inline policy has no name or no document".to_owned(),
            ));
        };
        inline.insert(name.to_owned(), decode(text).map_err(malformed)?);
    }
    Ok(RoleDetail {
        role: parts.role(request_id)?,
        inline,
        attached: detail
            .attached_managed_policies()
            .iter()
            .map(attached_policy)
            .collect(),
    })
}

/// What GetRole and GetAccountAuthorizationDetails say of a role, each in a type of its own.
struct RoleParts<'a> {
    arn: &'a str,
    trust: Option<&'a str>,
    tags: &'a [Tag],
    boundary: Option<&'a AttachedPermissionsBoundary>,
}

impl RoleParts<'_> {
    fn role(self, request_id: Option<&str>) -> Result<Role, Failure> {
        let Self {
            arn,
            trust,
            tags,
            boundary,
        } = self;
        let malformed = |why: String| Failure::malformed(why, request_id);
        let parsed = RoleArn::parse(arn).map_err(|e| {
            if is_unique_id(arn) {
                Failure::not_settled(e, request_id)
            } else {
                malformed(e.to_string())
            }
        })?;
        let trust = trust
            .ok_or_else(|| malformed("the role has no AssumeRolePolicyDocument".to_owned()))?;
        Ok(Role {
            arn: parsed,
            trust: decode(trust).map_err(malformed)?,
            tags: tags
                .iter()
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect(),
            permissions_boundary: boundary
                .and_then(|b| b.permissions_boundary_arn())
                .map(str::to_owned),
        })
    }
}

fn attached_policy(policy: &aws_sdk_iam::types::AttachedPolicy) -> AttachedPolicy {
    AttachedPolicy {
        name: policy.policy_name().unwrap_or_default().to_owned(),
        arn: policy.policy_arn().unwrap_or_default().to_owned(),
    }
}

/// `iam:ListRolePolicies`, all pages.
pub(super) async fn inline_policy_names(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    role: &RoleName,
) -> Outcome<Fact> {
    let request = client.list_role_policies().role_name(role.as_str());
    let mut pages = request.into_paginator().send();
    let (mut names, mut request_id) = (Vec::new(), None);
    let mut whole = Whole::default();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                request_id = page.request_id().map(str::to_owned);
                let more = page.is_truncated() || names_another(page.marker());
                whole.page(more, request_id.as_deref())?;
                names.extend(page.policy_names);
            }
            Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::InlinePolicyNames(None), &e)),
            Err(e) => return Err(call.failed(&e)),
        }
    }
    whole.end(request_id.as_deref())?;
    Ok(Answer {
        value: Fact::InlinePolicyNames(Some(names)),
        request_id,
    })
}

/// `iam:ListAttachedRolePolicies`, all pages.
pub(super) async fn attached_policies(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    role: &RoleName,
) -> Outcome<Fact> {
    let request = client
        .list_attached_role_policies()
        .role_name(role.as_str());
    let mut pages = request.into_paginator().send();
    let (mut policies, mut request_id) = (Vec::new(), None);
    let mut whole = Whole::default();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                request_id = page.request_id().map(str::to_owned);
                let more = page.is_truncated() || names_another(page.marker());
                whole.page(more, request_id.as_deref())?;
                policies.extend(page.attached_policies().iter().map(attached_policy));
            }
            Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::AttachedPolicies(None), &e)),
            Err(e) => return Err(call.failed(&e)),
        }
    }
    whole.end(request_id.as_deref())?;
    Ok(Answer {
        value: Fact::AttachedPolicies(Some(policies)),
        request_id,
    })
}

/// `iam:GetRolePolicy`.
pub(super) async fn inline_policy(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    role: &RoleName,
    policy: &str,
) -> Outcome<Fact> {
    let request = client
        .get_role_policy()
        .role_name(role.as_str())
        .policy_name(policy);
    let output = match request.send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => {
            let missing = if names_the_role(message_of(&e)) {
                InlinePolicy::NoRole
            } else {
                InlinePolicy::Absent
            };
            return Ok(Answer::of(Fact::InlinePolicy(missing), &e));
        }
        Err(e) => return Err(call.failed(&e)),
    };
    let text = decode(output.policy_document())
        .map_err(|why| Failure::malformed(why, output.request_id()))?;
    Ok(Answer::of(
        Fact::InlinePolicy(InlinePolicy::Present(text)),
        &output,
    ))
}

/// `iam:GetPolicy`: which version of a managed policy is in force.
pub(super) async fn managed_policy(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    arn: &str,
) -> Outcome<Fact> {
    let output = match client.get_policy().policy_arn(arn).send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::ManagedPolicy(None), &e)),
        Err(e) => return Err(call.failed(&e)),
    };
    let version = output.policy().and_then(|p| p.default_version_id());
    let version = version.ok_or_else(|| {
        Failure::malformed("the answer has no DefaultVersionId", output.request_id())
    })?;
    let fact = Fact::ManagedPolicy(Some(version.to_owned()));
    Ok(Answer::of(fact, &output))
}

/// `iam:GetPolicyVersion`.
pub(super) async fn managed_policy_version(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    arn: &str,
    version: &str,
) -> Outcome<Fact> {
    let request = client
        .get_policy_version()
        .policy_arn(arn)
        .version_id(version);
    let output = match request.send().await {
        Ok(output) => output,
        Err(e) if is_absent(&e) => return Ok(Answer::of(Fact::ManagedPolicyVersion(None), &e)),
        Err(e) => return Err(call.failed(&e)),
    };
    let malformed = |why: String| Failure::malformed(why, output.request_id());
    let document = output
        .policy_version()
        .and_then(|v| v.document())
        .ok_or_else(|| malformed("the answer has no Document".to_owned()))?;
    let text = decode(document).map_err(malformed)?;
    Ok(Answer::of(Fact::ManagedPolicyVersion(Some(text)), &output))
}

/// `iam:SimulatePrincipalPolicy` of one action on one resource, without a resource policy.
pub(super) async fn simulation(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    role: &RoleArn,
    action: &str,
    resource: &str,
) -> Outcome<Fact> {
    let request = client
        .simulate_principal_policy()
        .policy_source_arn(role.to_string())
        .action_names(action)
        .resource_arns(resource);
    let output = request.send().await.map_err(|e| call.failed(&e))?;
    let decision = match output.evaluation_results() {
        [result, ..] => result.eval_decision().as_str().to_owned(),
        [] => {
            return Err(Failure::malformed(
                "the answer has no EvaluationResults",
                output.request_id(),
            ));
        }
    };
    Ok(Answer::of(Fact::Simulation(decision), &output))
}

/// Every write that is IAM's. One of another service is refused, as no caller sends it here.
pub(super) async fn write(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    write: &Write,
) -> Outcome<Written> {
    match write {
        Write::CreateRole(new) => create_role(client, call, new).await,
        Write::UpdateTrustPolicy { role, document } => done(
            call,
            &client
                .update_assume_role_policy()
                .role_name(role.as_str())
                .policy_document(document.as_str())
                .send()
                .await,
        ),
        Write::TagRole { role, tags } => done(
            call,
            &client
                .tag_role()
                .role_name(role.as_str())
                .set_tags(Some(sdk_tags(tags)?))
                .send()
                .await,
        ),
        Write::PutPermissionsBoundary { role, policy_arn } => done(
            call,
            &client
                .put_role_permissions_boundary()
                .role_name(role.as_str())
                .permissions_boundary(policy_arn)
                .send()
                .await,
        ),
        Write::PutInlinePolicy {
            role,
            policy,
            document,
        } => done(
            call,
            &client
                .put_role_policy()
                .role_name(role.as_str())
                .policy_name(policy.as_str())
                .policy_document(document.as_str())
                .send()
                .await,
        ),
        Write::UntagRole { .. }
        | Write::DeletePermissionsBoundary { .. }
        | Write::DeleteInlinePolicy { .. }
        | Write::DetachPolicy { .. }
        | Write::DeleteRole { .. } => remove(client, call, write).await,
        Write::CreateFunction { .. }
        | Write::UpdateFunctionCode { .. }
        | Write::UpdateFunctionConfiguration { .. }
        | Write::TagFunction { .. }
        | Write::DeleteFunction { .. }
        | Write::PutBucketPolicy { .. }
        | Write::DeleteBucketPolicy { .. }
        | Write::PutKeyPolicy { .. }
        | Write::UpdatePipeline { .. } => Err(Failure::misrouted()),
    }
}

/// The writes that take something away: what is not there is as good as gone.
async fn remove(client: &aws_sdk_iam::Client, call: &Call<'_>, write: &Write) -> Outcome<Written> {
    match write {
        Write::UntagRole { role, keys } => gone(
            call,
            &client
                .untag_role()
                .role_name(role.as_str())
                .set_tag_keys(Some(keys.clone()))
                .send()
                .await,
        ),
        Write::DeletePermissionsBoundary { role } => gone(
            call,
            &client
                .delete_role_permissions_boundary()
                .role_name(role.as_str())
                .send()
                .await,
        ),
        Write::DeleteInlinePolicy { role, policy } => gone(
            call,
            &client
                .delete_role_policy()
                .role_name(role.as_str())
                .policy_name(policy)
                .send()
                .await,
        ),
        Write::DetachPolicy { role, policy_arn } => gone(
            call,
            &client
                .detach_role_policy()
                .role_name(role.as_str())
                .policy_arn(policy_arn)
                .send()
                .await,
        ),
        Write::DeleteRole { role } => gone(
            call,
            &client.delete_role().role_name(role.as_str()).send().await,
        ),
        Write::CreateRole(_)
        | Write::UpdateTrustPolicy { .. }
        | Write::TagRole { .. }
        | Write::PutPermissionsBoundary { .. }
        | Write::PutInlinePolicy { .. }
        | Write::CreateFunction { .. }
        | Write::UpdateFunctionCode { .. }
        | Write::UpdateFunctionConfiguration { .. }
        | Write::TagFunction { .. }
        | Write::DeleteFunction { .. }
        | Write::PutBucketPolicy { .. }
        | Write::DeleteBucketPolicy { .. }
        | Write::PutKeyPolicy { .. }
        | Write::UpdatePipeline { .. } => Err(Failure::misrouted()),
    }
}

/// `iam:CreateRole`, tags and boundary included, so that the role is never seen without them.
async fn create_role(
    client: &aws_sdk_iam::Client,
    call: &Call<'_>,
    new: &NewRole,
) -> Outcome<Written> {
    let NewRole {
        name,
        path,
        trust,
        permissions_boundary,
        tags,
        description,
    } = new;
    let result = client
        .create_role()
        .role_name(name.as_str())
        .path(path.as_str())
        .assume_role_policy_document(trust.as_str())
        .set_permissions_boundary(permissions_boundary.clone())
        .set_tags(Some(sdk_tags(tags)?))
        .description(description)
        .send()
        .await;
    done(call, &result)
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Failure> {
    tags.iter()
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|e| Failure::unbuildable(&e))
        })
        .collect()
}

type SdkResult<T, E> = Result<T, super::errors::SdkError<E>>;

fn done<T, E>(call: &Call<'_>, result: &SdkResult<T, E>) -> Outcome<Written>
where
    T: RequestId,
    E: super::errors::ServiceError,
{
    call.done(result).map_err(concurrent)
}

fn gone<T, E>(call: &Call<'_>, result: &SdkResult<T, E>) -> Outcome<Written>
where
    T: RequestId,
    E: super::errors::ServiceError,
{
    match result {
        Err(e) if is_absent(e) => Ok(Answer::of(Written::AlreadyThere, e)),
        other => done(call, other),
    }
}

/// Two writes to one role at the same moment: IAM asks to send the later one again (api: `PutRolePolicy`,
/// `ConcurrentModification`), which is what callers do with a thing that has not settled.
fn concurrent(mut failure: Failure) -> Failure {
    let code = failure.code.as_deref().unwrap_or_default();
    if code.starts_with("ConcurrentModification") {
        failure.kind = CloudErrorKind::NotSettled;
    }
    failure
}

/// For some seconds, a new role's ARN may be its unique id (domain.md, IAM documents).
fn is_unique_id(arn: &str) -> bool {
    arn.starts_with("AROA")
}

/// Whether `NoSuchEntity` means the role, not the policy. IAM says "The role with name x cannot be found." and "The role
/// policy with name y cannot be found.".
fn names_the_role(message: &str) -> bool {
    message.to_ascii_lowercase().contains("the role with name")
}

/// Undoes IAM's percent-encoding (RFC 3986: `+` stands for itself).
///
/// AWS always encodes, `{` included; emulators may not. A text that is a JSON object as it stands was not encoded, and a
/// `%2F` in it is the policy's own.
fn decode(text: &str) -> Result<String, String> {
    let is_object = text.trim_start().starts_with('{')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if is_object {
        return Ok(text.to_owned());
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(e) => Err(format!("the policy document is not UTF-8: {e}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plus_is_a_plus() {
        assert_eq!(
            decode("%7B%22a%22%3A%22b+c%2Bd%22%7D").unwrap(),
            r#"{"a":"b+c+d"}"#
        );
    }

    #[test]
    fn an_unencoded_object_keeps_its_percent_signs() {
        let text = r#" {"Resource":"arn:aws:s3:::b/a%2Fb"}"#;
        assert_eq!(decode(text).unwrap(), text);
    }

    #[test]
    fn invalid_sequences_stay_and_invalid_utf8_is_said() {
        assert_eq!(decode("%7B%zz%").unwrap(), "{%zz%");
        assert!(decode("%ff").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn half_encoded_objects_are_decoded() {
        assert_eq!(decode("{%22a%22:1}").unwrap(), r#"{"a":1}"#);
    }

    #[test]
    fn the_missing_thing_is_told_from_the_message() {
        assert!(names_the_role("The role with name x cannot be found."));
        assert!(!names_the_role(
            "The role policy with name The-role cannot be found."
        ));
        assert!(!names_the_role(""));
    }

    proptest! {
        #[test]
        fn encoding_is_undone(text in "\\PC*") {
            let document = serde_json::json!({ "Statement": text }).to_string();
            let encoded = utf8_percent_encode(&document, NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(decode(&encoded).unwrap(), document);
        }
    }
}
