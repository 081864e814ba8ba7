//! The log against the schema of OASIS, and what code scanning makes of it.

#![allow(clippy::unwrap_used)]

use crate::model::status::Status;
use crate::output::error::ErrorMessage;
use crate::output::findings::{Asked, Manifest};
use crate::output::fixtures::{drifted, findings, hostile, objects, plan, proof_findings};

use super::*;

/// The log as a value, after it was held to the schema.
fn log(found: &Findings) -> Value {
    let text = render(found).unwrap();
    let log: Value = serde_json::from_str(&text).unwrap();
    let schema = include_str!("../../../tests/fixtures/sarif-schema-2.1.0.json");
    // One of its patterns has a bare `]`, which not every engine takes: written so it means the same.
    let schema = schema.replace("{2}]?$", r"{2}\\]?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new(), "{text}");
    log
}

#[test]
fn a_drift_is_a_result_at_the_line_of_its_gate() {
    let log = log(&findings(&drifted(), Status::Drift, &objects()));
    let run = &log["runs"][0];
    insta::assert_snapshot!(format!("{:#}", run["results"][1]), @r#"
    {
      "ruleId": "iam_trust_policy",
      "ruleIndex": 0,
      "level": "error",
      "message": {
        "text": "trust policy of role crossgate-checkout-validate: the trust policy of role differs"
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "infra/crossgate.toml",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 12,
              "startColumn": 1
            }
          },
          "logicalLocations": [
            {
              "fullyQualifiedName": "iam_trust_policy/222222222222/crossgate-checkout-validate",
              "kind": "resource"
            }
          ]
        }
      ],
      "relatedLocations": [],
      "partialFingerprints": {
        "crossgateId/v1": "iam_trust_policy/222222222222/crossgate-checkout-validate",
        "primaryLocationLineHash": "1d6235660f8bbe01:1"
      },
      "properties": {
        "account": "dev (222222222222)",
        "gates": [
          "validate"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(format!("{:#}", run["invocations"][0]), @r#"
    {
      "executionSuccessful": true,
      "exitCode": 3,
      "exitCodeDescription": "drift",
      "toolExecutionNotifications": []
    }
    "#);
    let ids: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            "iam_trust_policy",
            "iam_unexpected_policy",
            "pipeline_action"
        ]
    );
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], ids[index]);
    }
}

#[test]
fn nothing_found_is_a_successful_run_without_results() {
    let log = log(&findings(&plan(Vec::new()), Status::InSync, &objects()));
    assert_eq!(log["runs"][0]["results"], json!([]));
    assert_eq!(
        log["runs"][0]["invocations"][0]["executionSuccessful"],
        true
    );
    assert_eq!(
        log["runs"][0]["automationDetails"]["id"],
        "crossgate/check/checkout/"
    );
}

#[test]
fn a_proof_that_is_not_whole_is_no_successful_run() {
    let log = log(&proof_findings());
    let run = &log["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["invocations"][0]["exitCode"], 4);
    let told = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(told[0]["descriptor"]["id"], "hop_3");
    let levels: Vec<&str> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["error", "error", "error", "note"]);
}

#[test]
fn fingerprints_tell_findings_apart_and_stay() {
    let prints = |found: &Findings| -> Vec<String> {
        let log = log(found);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let print = |r: &Value| r["partialFingerprints"]["primaryLocationLineHash"].to_string();
        results.iter().map(print).collect()
    };
    let first = prints(&findings(&drifted(), Status::Drift, &objects()));
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 3);
    let mut fewer = drifted();
    fewer.changes.remove(0);
    let second = prints(&findings(&fewer, Status::Drift, &[]));
    assert_eq!(second, first[1..], "whatever else is found");
}

#[test]
fn paths_are_uris() {
    let manifest = |path: &str| {
        let manifest = Manifest {
            path: path.to_owned(),
            gates: [].into(),
        };
        let asked = Asked {
            manifest: &manifest,
            exit_code: 1,
        };
        let error = ErrorMessage::new("no", None);
        let log = log(&Findings::of_error("check", "failed", &error, &asked));
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        place["artifactLocation"].clone()
    };
    assert_eq!(
        manifest("my infra/grün.toml"),
        json!({"uri": "my%20infra/gr%C3%BCn.toml", "uriBaseId": "%SRCROOT%"})
    );
    assert_eq!(
        manifest("/etc/crossgate.toml"),
        json!({"uri": "file:///etc/crossgate.toml"})
    );
}

#[test]
fn hostile_text_is_shown() {
    let found = findings(&hostile(), Status::Drift, &[]);
    let text = log(&found)["runs"][0]["results"][0]["message"]["text"].to_string();
    assert!(text.contains("R\\\\u{1b}[2J"), "{text}");
    assert!(!text.contains('\u{202e}'));
}
