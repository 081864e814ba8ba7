//! The policies that a gate consists of, as documents: trust, invoke, callback, assume.
//! Pure: what goes in is decided in `plan`; nothing wider than the table of design.md can be built here.

use crate::model::account::{AccountId, Partition};
use crate::model::arn::{FunctionArn, RoleArn, account_root};
use crate::model::name::Project;
use crate::model::policy::{
    Clause, Condition, Effect, PolicyDocument, PrincipalKind, Principals, Statement,
};

/// The Sid of the project's statement in a trust policy: `crossgate<Project>`, `check-out` as `CheckOut`.
///
/// A Sid takes letters and digits only, and two projects must never share one. So a hyphen and the letter behind it become
/// the capital; where that would be ambiguous, `Z` is an escape: `-z` is `Zz`, `-7` is `Z7`, a hyphen before anything
/// else is `ZZ`, and a leading hyphen is marked by a small `h` where a capital or a digit stands otherwise.
pub fn trust_sid(project: &Project) -> String {
    let mut sid = String::from("crossgate");
    let mut chars = project.as_str().chars().peekable();
    match chars.peek() {
        Some('-') => sid.push('h'),
        Some(_) | None => sid.extend(chars.next().map(|c| c.to_ascii_uppercase())),
    }
    while let Some(c) = chars.next() {
        if c != '-' {
            sid.push(c);
            continue;
        }
        match chars.next_if(|next| *next != '-') {
            Some('z') => sid.push_str("Zz"),
            Some(digit) if digit.is_ascii_digit() => sid.extend(['Z', digit]),
            Some(letter) => sid.push(letter.to_ascii_uppercase()),
            None => sid.push_str("ZZ"),
        }
    }
    sid
}

/// One pipeline's side of a trust: the account, and its service role where only that one is trusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trusted {
    /// The pipeline's account.
    pub account: AccountId,
    /// The pipeline's service role.
    pub service_role: RoleArn,
}

/// The statement with which an invoke role trusts pipelines.
///
/// The account's root delegates to that account's own policies; `aws:PrincipalArn` narrows it to the service roles and
/// survives their being made anew, which a role as principal does not (domain.md, "The hops").
pub fn trust_statement(
    sid: String,
    partition: Partition,
    trusted: &[Trusted],
    narrow: bool,
) -> Statement {
    let roots = trusted
        .iter()
        .map(|t| account_root(partition, &t.account))
        .map(|root| (PrincipalKind::Aws, root));
    let roles = trusted.iter().map(|t| t.service_role.text());
    let conditions = if narrow {
        vec![Condition {
            operator: "ArnEquals".to_owned(),
            key: "aws:PrincipalArn".to_owned(),
            values: sorted(roles),
        }]
    } else {
        Vec::new()
    };
    Statement {
        sid: Some(sid),
        effect: Effect::Allow,
        principal: Some(Clause::Is(Principals::Listed(sorted(roots)))),
        action: Clause::Is(vec!["sts:AssumeRole".to_owned()]),
        resource: None,
        conditions,
    }
}

/// The invoke role's own policy (hops 2 and 2').
///
/// `function:f` does not cover `function:f:alias`, nor the reverse, so both forms are listed; ListFunctions takes no
/// resource (guide: actions-invoke-lambda-function).
pub fn invoke_policy(functions: &[FunctionArn], list_functions: bool) -> PolicyDocument {
    let functions = sorted(functions.iter().map(ToString::to_string));
    let resources = functions
        .into_iter()
        .flat_map(|arn| [arn.clone(), format!("{arn}:*")])
        .collect();
    let mut statements = vec![allow("lambda:InvokeFunction", resources)];
    if list_functions {
        statements.push(allow("lambda:ListFunctions", vec!["*".to_owned()]));
    }
    PolicyDocument::new(statements)
}

/// The policy with which a function's execution role may answer (hop 3).
///
/// Neither action supports resource-level permissions (aws/aws-cdk#42).
pub fn callback_policy() -> PolicyDocument {
    PolicyDocument::new(vec![Statement {
        action: Clause::Is(vec![
            "codepipeline:PutJobFailureResult".to_owned(),
            "codepipeline:PutJobSuccessResult".to_owned(),
        ]),
        ..allow("", vec!["*".to_owned()])
    }])
}

/// The trust policy of an execution role that is made: Lambda may take it (Lambda developer guide, "Execution role").
pub fn execution_trust() -> PolicyDocument {
    let lambda = (PrincipalKind::Service, "lambda.amazonaws.com".to_owned());
    PolicyDocument::new(vec![Statement {
        sid: None,
        effect: Effect::Allow,
        principal: Some(Clause::Is(Principals::Listed(vec![lambda]))),
        action: Clause::Is(vec!["sts:AssumeRole".to_owned()]),
        resource: None,
        conditions: Vec::new(),
    }])
}

/// The policy with which functions write to their own log groups and to no others.
///
/// CreateLogGroup is asked for on `log-group:NAME` and on `log-group:NAME:log-stream:`, the other two on
/// `log-group:NAME:log-stream:STREAM` (service authorization reference, "CloudWatch Logs"; the guide's own policies write
/// `log-group:NAME:*` for all three).
pub fn logs_policy(functions: &[FunctionArn]) -> PolicyDocument {
    let groups = sorted(functions.iter().map(|function| {
        let FunctionArn {
            region,
            account,
            name,
        } = function;
        let partition = region.partition();
        format!("arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{name}")
    }));
    let all = |arn: &String| format!("{arn}:*");
    let streams = groups.iter().map(all).collect();
    let groups = groups
        .iter()
        .flat_map(|arn| [arn.clone(), all(arn)])
        .collect();
    PolicyDocument::new(vec![
        allow("logs:CreateLogGroup", groups),
        Statement {
            action: Clause::Is(vec![
                "logs:CreateLogStream".to_owned(),
                "logs:PutLogEvents".to_owned(),
            ]),
            ..allow("", streams)
        },
    ])
}

/// What an invoke role may do with artifacts: on which buckets (ARNs), and with which keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactGrants {
    /// Buckets that it reads.
    pub read: Vec<String>,
    /// Buckets that it writes.
    pub written: Vec<String>,
    /// Keys with which it decrypts.
    pub decrypting: Vec<String>,
    /// Keys with which it encrypts.
    pub encrypting: Vec<String>,
}

/// To read artifacts: objects, and the versions that a pipeline's source may name.
const S3_READ: &[&str] = &["s3:GetObject", "s3:GetObjectVersion"];
/// To write artifacts. The ACL gives the bucket's owner what another account wrote, where the bucket still has ACLs (guide:
/// pipelines-create-cross-account gives both to the cross-account role).
const S3_WRITE: &[&str] = &["s3:PutObject", "s3:PutObjectAcl"];
/// To read what a key encrypts.
const KMS_READ: &[&str] = &["kms:Decrypt", "kms:DescribeKey"];
/// To write it: the five actions of the guide (pipelines-create-cross-account); Decrypt is for uploads in parts (S3 user guide,
/// "Multipart upload and permissions").
const KMS_WRITE: &[&str] = &[
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
];

/// The invoke role's policy for artifacts, on the pipelines' artifact stores only; none where nothing is granted. The credentials
/// that CodePipeline hands to the function come from this role (guide: actions-invoke-lambda-function, `artifactCredentials`).
pub fn artifacts_policy(grants: &ArtifactGrants) -> Option<PolicyDocument> {
    let ArtifactGrants {
        read,
        written,
        decrypting,
        encrypting,
    } = grants;
    let objects = |buckets: &[String]| sorted(buckets.iter().map(|arn| format!("{arn}/*")));
    let keys = |keys: &[String]| sorted(keys.iter().cloned());
    let statements: Vec<Statement> = [
        (S3_READ, objects(read)),
        (S3_WRITE, objects(written)),
        (KMS_READ, keys(decrypting)),
        (KMS_WRITE, keys(encrypting)),
    ]
    .into_iter()
    .filter(|(_, resources)| !resources.is_empty())
    .map(|(actions, resources)| Statement {
        action: listed(actions),
        ..allow("", resources)
    })
    .collect();
    (!statements.is_empty()).then(|| PolicyDocument::new(statements))
}

/// The Sids of the project's statements in the policies of buckets and keys: to read, and to write. No project's ends in another's
/// word, as every Sid ends in one of the two.
pub fn artifact_sids(project: &Project) -> [String; 2] {
    let sid = trust_sid(project);
    [format!("{sid}Read"), format!("{sid}Write")]
}

/// The statements of ours in the policy of a bucket.
pub fn bucket_statements(
    project: &Project,
    bucket_arn: &str,
    readers: &[RoleArn],
    writers: &[RoleArn],
) -> Vec<Statement> {
    let objects = format!("{bucket_arn}/*");
    of_roles(project, &objects, [(S3_READ, readers), (S3_WRITE, writers)])
}

/// The statements of ours in the policy of a key; `*` is the key itself there (KMS developer guide, "Key policies").
pub fn key_statements(
    project: &Project,
    readers: &[RoleArn],
    writers: &[RoleArn],
) -> Vec<Statement> {
    of_roles(project, "*", [(KMS_READ, readers), (KMS_WRITE, writers)])
}

fn of_roles(
    project: &Project,
    resource: &str,
    parts: [(&[&str], &[RoleArn]); 2],
) -> Vec<Statement> {
    let parts = parts.into_iter().zip(artifact_sids(project));
    parts
        .filter(|((_, roles), _)| !roles.is_empty())
        .map(|((actions, roles), sid)| {
            let roles = roles.iter().map(|r| (PrincipalKind::Aws, r.to_string()));
            Statement {
                sid: Some(sid),
                principal: Some(Clause::Is(Principals::Listed(sorted(roles)))),
                action: listed(actions),
                ..allow("", vec![resource.to_owned()])
            }
        })
        .collect()
}

fn listed(actions: &[&str]) -> Clause<Vec<String>> {
    Clause::Is(actions.iter().map(|action| (*action).to_owned()).collect())
}

/// The policy with which a service role may assume invoke roles (hop 1, the pipeline's side).
pub fn assume_policy(roles: &[RoleArn]) -> PolicyDocument {
    let roles = sorted(roles.iter().map(RoleArn::text));
    PolicyDocument::new(vec![allow("sts:AssumeRole", roles)])
}

fn allow(action: &str, resources: Vec<String>) -> Statement {
    Statement {
        sid: None,
        effect: Effect::Allow,
        principal: None,
        action: Clause::Is(vec![action.to_owned()]),
        resource: Some(Clause::Is(resources)),
        conditions: Vec::new(),
    }
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values.dedup();
    values
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sid_is_the_project_in_camel_case() {
        let sid = |text: &str| trust_sid(&Project::new(text).unwrap());
        assert_eq!(sid("checkout"), "crossgateCheckout");
        assert_eq!(sid("check-out"), "crossgateCheckOut");
        assert_eq!(sid("a-7"), "crossgateAZ7");
        assert_eq!(sid("a-z7"), "crossgateAZz7");
        assert_eq!(sid("-a"), "crossgatehA");
    }

    proptest! {
        #[test]
        fn two_projects_never_share_a_sid(a in "[a-cz0-1-]{1,6}", b in "[a-cz0-1-]{1,6}") {
            let (a, b) = (Project::new(&a).unwrap(), Project::new(&b).unwrap());
            let (x, y) = (trust_sid(&a), trust_sid(&b));
            prop_assert!(x.bytes().all(|c| c.is_ascii_alphanumeric()));
            prop_assert_eq!(a == b, x == y);
        }
    }

    #[test]
    fn logs_are_granted_on_the_functions_own_groups_only() {
        let function = FunctionArn {
            region: crate::model::account::Region::new("cn-north-1").unwrap(),
            account: AccountId::new("222222222222").unwrap(),
            name: crate::model::name::FunctionName::new("f").unwrap(),
        };
        insta::assert_snapshot!(logs_policy(&[function]), @r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":["arn:aws-cn:logs:cn-north-1:222222222222:log-group:/aws/lambda/f","arn:aws-cn:logs:cn-north-1:222222222222:log-group:/aws/lambda/f:*"]},{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws-cn:logs:cn-north-1:222222222222:log-group:/aws/lambda/f:*"}]}"#);
        insta::assert_snapshot!(execution_trust(), @r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#);
    }

    #[test]
    fn the_callback_policy_names_two_actions_only() {
        insta::assert_snapshot!(callback_policy(), @r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codepipeline:PutJobFailureResult","codepipeline:PutJobSuccessResult"],"Resource":"*"}]}"#);
    }
}
