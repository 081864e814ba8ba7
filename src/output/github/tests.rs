//! The workflow commands, and that nothing else begins a line.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::model::status::Status;
use crate::output::fixtures::{drifted, findings, hostile, objects, plan, proof_findings};

use super::*;

#[test]
fn each_finding_is_an_annotation() {
    let found = findings(&drifted(), Status::Drift, &objects());
    insta::assert_snapshot!(render(&found), @"
    ::error file=infra/crossgate.toml,line=12,col=1,title=the gate's action is missing in the pipeline or differs (pipeline_action)::pipeline action MyPipeline/InvokeValidationLambda/RunValidation (us-east-1): the pipeline action differs%0Aaccount: tools (111111111111)%0Agates: validate
    ::error file=infra/crossgate.toml,line=12,col=1,title=a role's trust policy differs (iam_trust_policy)::trust policy of role crossgate-checkout-validate: the trust policy of role differs%0Aaccount: dev (222222222222)%0Agates: validate
    ::error file=infra/crossgate.toml,line=12,col=1,title=the invoke role has a policy that crossgate did not put there (iam_unexpected_policy)::unexpected policy crossgate-checkout-validate/somebody: the policy is not of this project%0Ahint: --remove-unexpected removes it%0Aaccount: dev (222222222222)%0Agates: validate
    crossgate check: Drift: 3 objects differ, gates affected: validate
    Next: run `crossgate bootstrap` to put it right
    ");
}

#[test]
fn the_gravest_come_first_and_remarks_are_notices() {
    let text = render(&proof_findings());
    let words: Vec<&str> = text.lines().filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(
        words,
        [
            "::error",
            "::error",
            "::error",
            "::notice",
            "crossgate",
            "crossgate"
        ]
    );
}

#[test]
fn nothing_found_is_one_line() {
    let found = findings(&plan(Vec::new()), Status::InSync, &objects());
    insta::assert_snapshot!(render(&found), @"
    crossgate check: In sync: 1 gate, nothing to do.
    Next: run `crossgate bootstrap` to put it right
    ");
}

proptest! {
    #[test]
    fn no_name_makes_a_command(name in any::<String>(), tail in "(\n|\r|\r\n|%0A)::(error|add-mask|stop-commands)::x") {
        let mut plan = plan(hostile().changes);
        plan.changes[0].resource = format!("role/{name}{tail}");
        plan.changes[0].reason = format!("{name}{tail}");
        plan.changes[0].held = Some(format!("{name}{tail}"));
        let text = render(&findings(&plan, Status::Drift, &objects()));
        let commands = text.split(['\n', '\r']).filter(|line| line.starts_with("::"));
        prop_assert_eq!(commands.count(), 1, "{}", text);
        let first = text.lines().next().unwrap();
        let (head, _) = first.strip_prefix("::error ").unwrap().split_once("::").unwrap();
        prop_assert_eq!(head.split(',').count(), 4, "file, line, col, title: {}", head);
    }
}
