//! AWS's own managed policies, as far as pipelines and gates meet them, and those of the accounts.
//! Documents only.

use super::state::State;

/// Name, path and document. What is not listed is not in the sandbox.
const AWS: &[(&str, &str, &str)] = &[
    (
        "AdministratorAccess",
        "/",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ),
    (
        "IAMFullAccess",
        "/",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}]}"#,
    ),
    (
        "AWSLambdaBasicExecutionRole",
        "/service-role/",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    (
        "AWSLambdaRole",
        "/service-role/",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":["*"]}]}"#,
    ),
    (
        "AWSDenyAll",
        "/",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"DenyAll","Effect":"Deny","Action":["*"],"Resource":"*"}]}"#,
    ),
];

/// Name and path of one of AWS's policies.
pub(super) fn aws(arn: &str) -> Option<(&'static str, &'static str, &'static str)> {
    let rest = arn.strip_prefix("arn:aws:iam::aws:policy")?;
    AWS.iter()
        .copied()
        .find(|(name, path, _)| rest.strip_prefix(path) == Some(name))
}

/// The document behind a managed policy's ARN.
pub(super) fn document(state: &State, arn: &str) -> Option<String> {
    if let Some((_, _, text)) = aws(arn) {
        return Some(text.to_owned());
    }
    let (account, _) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let policy = state.accounts.get(account)?.policies.get(arn)?;
    Some(policy.document.clone())
}
