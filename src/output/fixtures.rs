//! Plans made by hand for the tests of the renderers.
//! Only tests see it; what a real plan looks like is tested in `plan`.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::model::account::{AccountId, AccountName, Region};
use crate::model::change::{
    Change, ChangeAction, ChangeKind, Failure, Intent, Outcome, Plan, Problem, Report, Severity,
};
use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::name::{GateName, Project};
use crate::model::status::Status;

use super::view::{AccountLine, AccountState, Command, View};

pub(super) fn account(name: &str) -> (AccountName, AccountId) {
    let id = if name == "tools" {
        "111111111111"
    } else {
        "222222222222"
    };
    (AccountName::new(name).unwrap(), AccountId::new(id).unwrap())
}

pub(super) fn gate(name: &str) -> GateName {
    GateName::new(name).unwrap()
}

pub(super) fn accounts() -> Vec<AccountLine> {
    let line = |name| {
        let (name, id) = account(name);
        AccountLine {
            name,
            id,
            state: AccountState::Ok,
        }
    };
    vec![line("tools"), line("dev")]
}

pub(super) fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        intent: Intent::Bootstrap,
        project: Project::new("checkout").unwrap(),
        gates: vec![gate("validate")],
        changes,
        steps: Vec::new(),
        problems: Vec::new(),
    }
}

pub(super) fn view<'a>(
    command: Command,
    status: Status,
    plan: &'a Plan,
    accounts: &'a [AccountLine],
) -> View<'a> {
    View {
        command,
        status,
        plan,
        report: None,
        accounts,
        objects: None,
        proof: None,
        next: None,
    }
}

pub(super) fn change(
    of: &str,
    kind: ChangeKind,
    resource: &str,
    documents: (Option<Value>, Option<Value>),
) -> Change {
    let (account, account_id) = account(of);
    let (before, after) = documents;
    let (action, reason) = match (&before, &after) {
        (None, _) => (
            ChangeAction::Create,
            format!("the {} is missing", kind.noun()),
        ),
        (_, None) => (
            ChangeAction::Delete,
            format!("the {} is not needed", kind.noun()),
        ),
        _ => (ChangeAction::Update, format!("the {} differs", kind.noun())),
    };
    Change {
        id: format!("{}/{account_id}/{resource}", kind.as_str()),
        account,
        account_id,
        region: (kind == ChangeKind::PipelineAction).then(|| Region::new("us-east-1").unwrap()),
        kind,
        resource: resource.to_owned(),
        action,
        gates: vec![gate("validate")],
        reason,
        before,
        after,
        held: None,
    }
}

pub(super) fn assume_policy(role: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": format!("arn:aws:iam::222222222222:role/{role}"),
    }]})
}

pub(super) fn trust_policy(service_role: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": format!("arn:aws:iam::111111111111:role/{service_role}")}},
    }]})
}

pub(super) fn action(function: &str) -> Value {
    json!({
        "name": "RunValidation",
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
        "runOrder": 1,
        "configuration": {"FunctionName": function, "UserParameters": "{\"level\":2}"},
        "roleArn": "arn:aws:iam::222222222222:role/crossgate-checkout-validate",
    })
}

/// What a first bootstrap of one gate would do.
pub(super) fn fresh() -> Plan {
    let role = "crossgate-checkout-validate";
    plan(vec![
        change(
            "tools",
            ChangeKind::IamInlinePolicy,
            "MyServiceRole/crossgate-checkout-assume",
            (None, Some(assume_policy(role))),
        ),
        change(
            "tools",
            ChangeKind::PipelineAction,
            "MyPipeline/InvokeValidationLambda/RunValidation",
            (None, Some(action("MyFunction"))),
        ),
        change(
            "dev",
            ChangeKind::IamRole,
            role,
            (
                None,
                Some(json!({
                    "Path": "/", "AssumeRolePolicyDocument": trust_policy("MyServiceRole"), "Tags": {"crossgate:project": "checkout"},
                })),
            ),
        ),
    ])
}

/// Two objects that differ, and a policy of somebody else that is left alone.
pub(super) fn drifted() -> Plan {
    let role = "crossgate-checkout-validate";
    let mut unexpected = change(
        "dev",
        ChangeKind::IamUnexpectedPolicy,
        "crossgate-checkout-validate/somebody",
        (
            Some(
                json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
            ),
            None,
        ),
    );
    unexpected.reason = "the policy is not of this project".to_owned();
    unexpected.held = Some("--remove-unexpected removes it".to_owned());
    plan(vec![
        change(
            "tools",
            ChangeKind::PipelineAction,
            "MyPipeline/InvokeValidationLambda/RunValidation",
            (Some(action("Other")), Some(action("MyFunction"))),
        ),
        change(
            "dev",
            ChangeKind::IamTrustPolicy,
            role,
            (
                Some(trust_policy("Other")),
                Some(trust_policy("MyServiceRole")),
            ),
        ),
        unexpected,
    ])
}

/// The changes of [`fresh`], to be taken away again.
pub(super) fn teardown() -> Plan {
    let Plan {
        intent: _,
        project,
        gates,
        mut changes,
        steps,
        problems,
    } = fresh();
    for change in &mut changes {
        change.before = change.after.take();
        change.action = ChangeAction::Delete;
        change.reason = "no gate needs it any more".to_owned();
    }
    let intent = Intent::Teardown;
    Plan {
        intent,
        project,
        gates,
        changes,
        steps,
        problems,
    }
}

pub(super) fn problem(
    severity: Severity,
    code: &'static str,
    message: &str,
    hint: Option<&str>,
) -> Problem {
    Problem {
        code,
        severity,
        account: None,
        gates: Vec::new(),
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

pub(super) fn denied() -> Failure {
    let (account, account_id) = account("tools");
    Failure::Cloud(Box::new(CloudError {
        kind: CloudErrorKind::AccessDenied,
        operation: "iam:PutRolePolicy".to_owned(),
        account,
        account_id,
        resource: "policy crossgate-checkout-assume on role MyServiceRole".to_owned(),
        code: Some("AccessDenied".to_owned()),
        message: "User is not authorized".to_owned(),
        request_id: Some("5f1c".to_owned()),
        hint: Some("allow iam:PutRolePolicy on the role".to_owned()),
    }))
}

pub(super) fn report(outcomes: Vec<Outcome>) -> Report {
    let writes = outcomes.iter().filter(|o| **o == Outcome::Done).count();
    Report {
        outcomes,
        backups: Vec::new(),
        problems: Vec::new(),
        writes,
    }
}

/// An apply of [`fresh`] of which one part failed.
pub(super) fn partial() -> Report {
    let because_of =
        "iam_inline_policy/111111111111/MyServiceRole/crossgate-checkout-assume".to_owned();
    report(vec![
        Outcome::Failed(denied()),
        Outcome::Skipped { because_of },
        Outcome::Done,
    ])
}
