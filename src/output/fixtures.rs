//! Plans made by hand for the tests of the renderers.
//! Only tests see it; what a real plan looks like is tested in `plan`.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::model::account::{AccountId, AccountName, Partition, Region};
use crate::model::chain::{Answer, Chain, Deciding, Finding, Hop, HopId, NotSeen, Proof, Weight};
use crate::model::change::{
    Change, ChangeAction, ChangeKind, Failure, Intent, Outcome, Plan, Problem, Report, Severity,
};
use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::json_text::JsonText;
use crate::model::name::{GateName, Project};
use crate::model::object::{Looked, Object};
use crate::model::policy::Effect;
use crate::model::status::Status;

use super::findings::{Asked, Findings, Manifest};
use super::proof::ProofView;
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
            partition: Partition::Aws,
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
        proof: None,
        partition: None,
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
        before: before.map(JsonText::from),
        after: after.map(JsonText::from),
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

/// Where the one gate stands.
pub(super) fn manifest() -> Manifest {
    Manifest {
        path: "infra/crossgate.toml".to_owned(),
        gates: [(gate("validate"), (12, 1))].into(),
    }
}

pub(super) fn object(of: &str, kind: ChangeKind, resource: &str, looked: Looked) -> Object {
    let (account, account_id) = account(of);
    Object {
        account,
        account_id,
        region: (kind == ChangeKind::PipelineAction).then(|| Region::new("us-east-1").unwrap()),
        kind,
        resource: resource.to_owned(),
        gates: vec![gate("validate")],
        looked,
    }
}

/// The objects of the one gate, all seen.
pub(super) fn objects() -> Vec<Object> {
    let policy = ChangeKind::IamInlinePolicy;
    let role = "crossgate-checkout-validate";
    let action = "MyPipeline/InvokeValidationLambda/RunValidation";
    let seen = |of, kind, resource: &str| object(of, kind, resource, Looked::Seen);
    vec![
        seen("dev", ChangeKind::IamRole, role),
        seen("dev", policy, "MyFunction-role/crossgate-checkout-callback"),
        seen("dev", policy, &format!("{role}/crossgate-checkout-invoke")),
        seen("tools", policy, "MyServiceRole/crossgate-checkout-assume"),
        seen("tools", ChangeKind::PipelineAction, action),
    ]
}

/// The findings of a check of such a plan.
pub(super) fn findings(plan: &Plan, status: Status, objects: &[Object]) -> Findings {
    let accounts = accounts();
    let mut view = view(Command::Check, status, plan, &accounts);
    view.next = Some("run `crossgate bootstrap` to put it right".to_owned());
    let manifest = manifest();
    let asked = Asked {
        manifest: &manifest,
        exit_code: 3,
    };
    Findings::of_plan(&view, objects, &asked)
}

/// Text that tries to act in every format.
pub(super) const HOSTILE: &str =
    "R\u{1b}[2J`|@org/team<script>&amp;]]>%0A\n::error::x *[a](http://b) #1 \u{202e}\u{fffe}";

/// A drifted object that somebody named to do harm.
pub(super) fn hostile() -> Plan {
    let mut bad = change(
        "dev",
        ChangeKind::IamUnexpectedPolicy,
        &format!("crossgate-checkout-validate/{HOSTILE}"),
        (Some(json!({ "Sid": HOSTILE, "Fence": "```` ~~~" })), None),
    );
    bad.reason = format!("because {HOSTILE}");
    bad.held = Some(format!("kept {HOSTILE}"));
    plan(vec![bad])
}

/// A chain with a hop that is allowed, one that is denied, one that could not be seen, and more beside.
pub(super) fn proof() -> Proof {
    let hop = |id, action: &str, answer, reason: &str| Hop {
        id,
        caller: "arn:aws:iam::111111111111:role/MyServiceRole".to_owned(),
        action: action.to_owned(),
        resource: "arn:aws:iam::222222222222:role/crossgate-checkout-validate".to_owned(),
        account: Some(account("dev").0),
        account_id: account("dev").1,
        answer,
        reason: reason.to_owned(),
        statements: Vec::new(),
        lacking: Vec::new(),
        mend: None,
        simulated: None,
    };
    let mut denied = hop(
        HopId::One,
        "sts:AssumeRole",
        Answer::ExplicitlyDenied,
        "a Deny applies",
    );
    denied.mend = Some("take the statement `Never` out of it".to_owned());
    denied.statements = vec![Deciding {
        layer: "identity policy".to_owned(),
        account_id: account("tools").1,
        holder: "role MyServiceRole".to_owned(),
        policy: "no".to_owned(),
        index: 0,
        sid: Some("Never".to_owned()),
        effect: Effect::Deny,
        note: None,
    }];
    let beside = |code, weight, message: &str| Finding {
        code,
        weight,
        message: message.to_owned(),
        mend: None,
    };
    Proof {
        chains: vec![Chain {
            gate: gate("validate"),
            hops: vec![
                hop(HopId::Zero, "sts:AssumeRole", Answer::Allowed, "allowed"),
                denied,
                hop(
                    HopId::Three,
                    "codepipeline:PutJobSuccessResult",
                    Answer::NotProven,
                    "the boundary could not be read",
                ),
            ],
            findings: vec![
                beside(
                    "function_not_active",
                    Weight::Breaks,
                    "the function is Failed",
                ),
                beside("function_timeout", Weight::Remark, "it may run for 900 s"),
            ],
        }],
        not_seen: vec![NotSeen::Scp, NotSeen::Rcp],
    }
}

/// The findings of that proof.
pub(super) fn proof_findings() -> Findings {
    let (accounts, proof) = (accounts(), proof());
    let project = Project::new("checkout").unwrap();
    let view = ProofView {
        status: Status::Incomplete,
        project: &project,
        partition: None,
        proof: &proof,
        accounts: &accounts,
        problems: &[],
    };
    let manifest = manifest();
    let asked = Asked {
        manifest: &manifest,
        exit_code: 4,
    };
    Findings::of_proof(&view, &asked)
}
