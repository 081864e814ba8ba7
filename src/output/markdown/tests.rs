//! The comment, its length, and that no name acts in it.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::model::change::ChangeKind;
use crate::model::status::Status;
use crate::output::fixtures::{
    HOSTILE, change, drifted, findings, hostile, objects, plan, proof_findings,
};

use super::*;

#[test]
fn a_drift_is_a_table_with_details_folded() {
    let mut plan = drifted();
    plan.changes.remove(0);
    let found = findings(&plan, Status::Drift, &objects());
    insta::assert_snapshot!(render(&found), @r#"
    <!-- crossgate check checkout -->
    ### crossgate check: drift

    <code>Drift&#58; 2 objects differ&#44; gates affected&#58; validate</code>

    Next: <code>run &#96;crossgate bootstrap&#96; to put it right</code>

    | | gate | object | what |
    |---|---|---|---|
    | **error** | <code>validate</code> | trust policy of role <code>crossgate-checkout-validate</code> in <code>dev &#40;222222222222&#41;</code> | a role's trust policy differs |
    | **error** | <code>validate</code> | unexpected policy <code>crossgate-checkout-validate/somebody</code> in <code>dev &#40;222222222222&#41;</code> | the invoke role has a policy that crossgate did not put there |

    <details><summary>trust policy of role <code>crossgate-checkout-validate</code> in <code>dev &#40;222222222222&#41;</code>: a role's trust policy differs</summary>

    ```diff
    the trust policy of role differs

      ... 8 unchanged lines
            "Action": "sts:AssumeRole",
            "Condition": {
              "ArnEquals": {
    -           "aws:PrincipalArn": "arn:aws:iam::111111111111:role/Other"
    +           "aws:PrincipalArn": "arn:aws:iam::111111111111:role/MyServiceRole"
              }
            }
          }
      ... 2 unchanged lines
    ```

    </details>

    <details><summary>unexpected policy <code>crossgate-checkout-validate/somebody</code> in <code>dev &#40;222222222222&#41;</code>: the invoke role has a policy that crossgate did not put there</summary>

    ```diff
    the policy is not of this project
    hint: --remove-unexpected removes it

    - {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    ```

    </details>

    6 of 7 checks passed. Manifest: <code>infra/crossgate&#46;toml</code>
    "#);
}

#[test]
fn a_proof_names_its_hops() {
    let text = render(&proof_findings());
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    | | gate | object | what |
    | **error** | <code>validate</code> | hop 1 <code>sts&#58;AssumeRole on arn&#58;aws&#58;iam&#58;&#58;222222222222&#58;role/crossgate-checkout-validate</code> in <code>dev &#40;222222222222&#41;</code> | the service role may not take the invoke role |
    | **error** | <code>validate</code> | hop 3 <code>codepipeline&#58;PutJobSuccessResult on arn&#58;aws&#58;iam&#58;&#58;222222222222&#58;role/crossgate-checkout-validate</code> in <code>dev &#40;222222222222&#41;</code> | the function may not answer the pipeline |
    | **error** | <code>validate</code> | gate <code>validate</code> | the function is not active |
    | note | <code>validate</code> | gate <code>validate</code> | the function may run as long as Lambda allows |
    ");
}

#[test]
fn nothing_found_is_short() {
    let found = findings(&plan(Vec::new()), Status::InSync, &objects());
    insta::assert_snapshot!(render(&found), @"
    <!-- crossgate check checkout -->
    ### crossgate check: in sync

    <code>In sync&#58; 1 gate&#44; nothing to do&#46;</code>

    Next: <code>run &#96;crossgate bootstrap&#96; to put it right</code>

    7 of 7 checks passed. Manifest: <code>infra/crossgate&#46;toml</code>
    ");
}

/// The comment without what stands between fences and without code in HTML: what a name must never be in.
fn outside_of_code(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                let mut rest = line;
                while let Some((before, after)) = rest.split_once("<code>") {
                    out.push_str(before);
                    rest = after.split_once("</code>").unwrap().1;
                }
                out.push_str(rest);
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "every fence is closed");
    out
}

#[test]
fn hostile_text_stands_in_code_only() {
    let found = findings(&hostile(), Status::Drift, &objects());
    let text = render(&found);
    assert!(
        text.contains("@org/team"),
        "in the fence, where it is no mention"
    );
    assert!(
        text.contains("\n`````diff\n"),
        "longer than the fence in the text"
    );
    let outside = outside_of_code(&text);
    for sign in ["@", "team", "script", "http", "::", "[a]"] {
        assert!(!outside.contains(sign), "{sign}: {outside}");
    }
    let inline = code(HOSTILE);
    assert!(
        !inline.contains(['|', '@', '`', '*', '[', '\n', ':', '.']),
        "{inline}"
    );
}

#[test]
fn the_longest_comment_fits_and_says_that_it_is_cut() {
    let many = (0..2000).map(|n| {
        let name = format!("crossgate-checkout-validate/{n}-{HOSTILE}");
        let document = serde_json::json!({ "n": n, "long": "x".repeat(500) });
        change(
            "dev",
            ChangeKind::IamUnexpectedPolicy,
            &name,
            (Some(document), None),
        )
    });
    let found = findings(&plan(many.collect()), Status::Drift, &objects());
    let text = render(&found);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.len() > 60_000, "the room is used: {}", text.len());
    assert!(
        text.contains("**Shortened**: of 2000 findings"),
        "{}",
        &text[text.len() - 300..]
    );
    outside_of_code(&text);
}

proptest! {
    #[test]
    fn no_name_breaks_out(name in "[`~|<>@#*_\\[\\]()!\\\\&;:./\n\r a-z]{0,40}") {
        let mut plan = plan(hostile().changes);
        let mark = "MARK";
        plan.changes[0].resource = format!("role/{mark}{name}{mark}");
        plan.changes[0].reason = format!("{mark}{name}{mark}");
        let before = serde_json::json!({ "key": format!("{mark}{name}{mark}") });
        plan.changes[0].before = Some(before.into());
        let text = render(&findings(&plan, Status::Drift, &objects()));
        prop_assert!(!outside_of_code(&text).contains(mark), "{}", text);
    }
}
