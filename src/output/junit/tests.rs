//! The XML, read back by another reader, and what a hostile name makes of it.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::model::object::Looked;
use crate::model::status::Status;
use crate::output::fixtures::{drifted, findings, hostile, objects, plan, proof_findings};

use super::*;

#[test]
fn a_check_has_a_case_for_each_object() {
    let mut plan = drifted();
    plan.changes.drain(1..);
    let mut objects = objects();
    objects[1].looked = Looked::NotLooked("there is no function MyFunction".to_owned());
    let found = findings(&plan, Status::Drift, &objects);
    insta::assert_snapshot!(render(&found).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="crossgate check: checkout" tests="7" skipped="1" failures="1" errors="0">
        <testsuite name="account tools (111111111111)" tests="3" skipped="0" errors="0" failures="1">
            <testcase name="the account can be read" classname="crossgate.check.tools" file="infra/crossgate.toml" line="1"/>
            <testcase name="inline policy MyServiceRole/crossgate-checkout-assume" classname="crossgate.check.tools" file="infra/crossgate.toml" line="12"/>
            <testcase name="pipeline action MyPipeline/InvokeValidationLambda/RunValidation (us-east-1)" classname="crossgate.check.tools" file="infra/crossgate.toml" line="12">
                <failure message="the pipeline action differs" type="pipeline_action">pipeline action MyPipeline/InvokeValidationLambda/RunValidation (us-east-1): the pipeline action differs
    account: tools (111111111111)
    gates: validate
      ... 7 unchanged lines
        },
        &quot;runOrder&quot;: 1,
        &quot;configuration&quot;: {
    -     &quot;FunctionName&quot;: &quot;Other&quot;,
    +     &quot;FunctionName&quot;: &quot;MyFunction&quot;,
          &quot;UserParameters&quot;: &quot;{\&quot;level\&quot;:2}&quot;
        },
        &quot;roleArn&quot;: &quot;arn:aws:iam::222222222222:role/crossgate-checkout-validate&quot;
      }</failure>
            </testcase>
        </testsuite>
        <testsuite name="account dev (222222222222)" tests="4" skipped="1" errors="0" failures="0">
            <testcase name="the account can be read" classname="crossgate.check.dev" file="infra/crossgate.toml" line="1"/>
            <testcase name="role crossgate-checkout-validate" classname="crossgate.check.dev" file="infra/crossgate.toml" line="12"/>
            <testcase name="inline policy MyFunction-role/crossgate-checkout-callback" classname="crossgate.check.dev" file="infra/crossgate.toml" line="12">
                <skipped message="there is no function MyFunction"/>
            </testcase>
            <testcase name="inline policy crossgate-checkout-validate/crossgate-checkout-invoke" classname="crossgate.check.dev" file="infra/crossgate.toml" line="12"/>
        </testsuite>
    </testsuites>
    "#);
}

#[test]
fn a_proof_has_a_case_for_each_hop() {
    insta::assert_snapshot!(render(&proof_findings()).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="crossgate verify: checkout" tests="6" skipped="0" failures="2" errors="1">
        <testsuite name="account tools (111111111111)" tests="1" skipped="0" errors="0" failures="0">
            <testcase name="the account can be read" classname="crossgate.verify.tools" file="infra/crossgate.toml" line="1"/>
        </testsuite>
        <testsuite name="account dev (222222222222)" tests="1" skipped="0" errors="0" failures="0">
            <testcase name="the account can be read" classname="crossgate.verify.dev" file="infra/crossgate.toml" line="1"/>
        </testsuite>
        <testsuite name="gate validate" tests="4" skipped="0" errors="1" failures="2">
            <testcase name="hop 0 sts:AssumeRole" classname="crossgate.verify.validate" file="infra/crossgate.toml" line="12"/>
            <testcase name="hop 1 sts:AssumeRole" classname="crossgate.verify.validate" file="infra/crossgate.toml" line="12">
                <failure message="a Deny applies" type="hop_1">hop 1 sts:AssumeRole on arn:aws:iam::222222222222:role/crossgate-checkout-validate: a Deny applies
    account: dev (222222222222)
    gates: validate
    hint: take the statement `Never` out of it
    called by arn:aws:iam::111111111111:role/MyServiceRole
    Deny by identity policy: no Statement[0] (Never) on role MyServiceRole in account 111111111111</failure>
            </testcase>
            <testcase name="hop 3 codepipeline:PutJobSuccessResult" classname="crossgate.verify.validate" file="infra/crossgate.toml" line="12">
                <error message="the boundary could not be read" type="hop_3">hop 3 codepipeline:PutJobSuccessResult on arn:aws:iam::222222222222:role/crossgate-checkout-validate: the boundary could not be read
    account: dev (222222222222)
    gates: validate
    called by arn:aws:iam::111111111111:role/MyServiceRole</error>
            </testcase>
            <testcase name="no function_not_active" classname="crossgate.verify.validate" file="infra/crossgate.toml" line="12">
                <failure message="the function is Failed" type="function_not_active">gate validate: the function is Failed
    gates: validate</failure>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
}

#[test]
fn the_counts_are_those_of_the_cases() {
    let found = findings(&drifted(), Status::Drift, &objects());
    let report = Report::deserialize_from_str(&render(&found).unwrap()).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (7, 2, 0));
    let names: Vec<&str> = report.test_suites.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        names,
        ["account tools (111111111111)", "account dev (222222222222)"]
    );
}

#[test]
fn hostile_text_is_shown() {
    let found = findings(&hostile(), Status::Drift, &[]);
    let text = render(&found).unwrap();
    assert!(
        text.contains("R\\u{1b}[2J`|@org/team&lt;script&gt;"),
        "{text}"
    );
    assert!(text.contains("\\u{202e}\\u{fffe}"), "{text}");
    let report = Report::deserialize_from_str(&text).unwrap();
    assert_eq!(report.failures, 1);
}

proptest! {
    #[test]
    fn whatever_a_name_is_the_report_can_be_read(name in any::<String>()) {
        let mut plan = plan(hostile().changes);
        plan.changes[0].resource = format!("role/{name}");
        plan.changes[0].reason = name;
        let text = render(&findings(&plan, Status::Drift, &objects())).unwrap();
        let bad = |c: char| {
            matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
        };
        prop_assert!(!text.contains(bad));
        let report = Report::deserialize_from_str(&text).unwrap();
        prop_assert_eq!((report.tests, report.failures), (8, 1));
    }
}
