//! Parsing, views, masked secrets and what is sent.

use super::super::{MaskedPlace, PipelineDocument, PipelineError, StageView, patch};
use super::build::{PIPELINE, document, document_with, gate, put, secret};

#[test]
fn a_response_and_a_bare_pipeline_read_the_same_and_metadata_is_dropped() {
    let top = crate::model::json::parse(PIPELINE).unwrap();
    let bare = PipelineDocument::parse(&top["pipeline"].to_string()).unwrap();
    assert_eq!(bare, document());
    let body = document().to_request_body();
    assert_eq!(body, format!(r#"{{"pipeline":{}}}"#, top["pipeline"]));
    assert!(!body.contains("metadata"));
    for number in [
        r#""version":7,"#,
        r#""big":12345678901234567890123,"float":1.0,"exp":1e400"#,
    ] {
        assert!(body.contains(number), "{number} is lost in {body}");
    }
}

#[test]
fn a_backup_can_be_read_back_and_sent_by_hand() {
    let backup = document().to_backup();
    assert!(backup.starts_with("{\n  \"pipeline\": {\n    \"name\": \"MyPipeline\""));
    assert!(backup.ends_with("}\n"));
    assert_eq!(PipelineDocument::parse(&backup).unwrap(), document());
}

#[test]
fn views_read_what_is_there() {
    let document = document();
    assert_eq!(document.name(), "MyPipeline");
    assert_eq!(document.version(), Some(7));
    assert_eq!(document.role_arn().unwrap().path.as_str(), "/service-role/");
    let actions: Vec<_> = document.stages().flat_map(StageView::actions).collect();
    let source = actions[0];
    assert_eq!(source.provider(), Some("GitHub"));
    assert_eq!(source.owner(), Some("ThirdParty"));
    assert_eq!(source.output_artifacts().collect::<Vec<_>>(), ["Src"]);
    assert_eq!(source.setting("Owner"), Some("me"));
    assert_eq!(actions[1].region(), Some("us-east-1"));
    assert_eq!(actions[2].timeout_minutes(), Some(60));
    assert_eq!(actions[2].run_order(), 1);
    assert!(!actions[2].is_gate());
}

#[test]
fn what_is_no_pipeline_is_refused_with_its_path() {
    let error = |text: &str| PipelineDocument::parse(text).unwrap_err().to_string();
    let shown = [
        "{",
        "[]",
        "{}",
        r#"{"pipeline": 3}"#,
        r#"{"pipeline": {}}"#,
        r#"{"pipeline": {"name": "p"}}"#,
        r#"{"pipeline": {"name": "p", "roleArn": "r"}}"#,
        r#"{"name": "p", "roleArn": "r"}"#,
        r#"{"name": "p", "roleArn": null, "stages": []}"#,
        r#"{"name": "p", "roleArn": "r", "stages": []}"#,
        r#"{"name": "p", "roleArn": "r", "stages": {}}"#,
        r#"{"name": "p", "roleArn": "r", "stages": [3]}"#,
        r#"{"name": "p", "roleArn": "r", "stages": [{"name": 3}]}"#,
        r#"{"name": "p", "roleArn": "r", "stages": [{"name": "s"}]}"#,
        r#"{"pipeline": {"name": "p", "roleArn": "r", "stages": [{"name": "s", "actions": [{"name": "a"}, {}]}]}}"#,
    ]
    .map(error)
    .join("\n");
    insta::assert_snapshot!(shown, @r#"
    the pipeline document is not JSON: EOF while parsing an object at line 1 column 1
    `$` of the pipeline document is a list, an object is expected
    the pipeline document has no `pipeline`
    `pipeline` of the pipeline document is a number, an object is expected
    the pipeline document has no `pipeline.name`
    the pipeline document has no `pipeline.roleArn`
    the pipeline document has no `pipeline.stages`
    the pipeline document has no `stages`
    `roleArn` of the pipeline document is null, a text is expected
    `stages` of the pipeline document is empty
    `stages` of the pipeline document is an object, a list is expected
    `stages[0]` of the pipeline document is a number, an object is expected
    `stages[0].name` of the pipeline document is a number, a text is expected
    the pipeline document has no `stages[0].actions`
    the pipeline document has no `pipeline.stages[0].actions[1].name`
    "#);
}

#[test]
fn a_service_role_that_is_no_role_is_an_error() {
    let document = document_with(
        "arn:aws:iam::111111111111:role/service-role/PipelineRole",
        "x",
    );
    assert!(matches!(
        document.role_arn(),
        Err(PipelineError::RoleArn(_))
    ));
}

#[test]
fn masked_values_are_found_wherever_they_stand() {
    let document = document_with(
        r#""executionMode""#,
        r#""triggers": [{"token": "****", "other": "*****"}], "executionMode""#,
    );
    let masked = document.masked_secrets();
    let paths: Vec<&str> = masked.iter().map(|m| m.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "stages[0].actions[0].configuration.OAuthToken",
            "triggers[0].token"
        ]
    );
    let place = MaskedPlace {
        stage: "Source".to_owned(),
        action: "GitHub".to_owned(),
        key: "OAuthToken".to_owned(),
    };
    assert_eq!(masked[0].place, Some(place));
    assert_eq!(masked[0].to_string(), "Source/GitHub/OAuthToken");
    assert_eq!(masked[1].to_string(), "triggers[0].token");
}

#[test]
fn a_masked_value_passes_through_with_a_warning() {
    let patched = patch(&document(), &put(&[gate("a", "Check")]));
    assert!(
        patched
            .document
            .to_request_body()
            .contains(r#""OAuthToken":"****""#)
    );
    let warnings: Vec<&str> = patched
        .warnings
        .iter()
        .map(|w| w.message.as_str())
        .collect();
    assert_eq!(
        warnings,
        [
            "Source/GitHub/OAuthToken is masked (****) and is sent back so: AWS keeps the stored value; \
             --secret Source/GitHub/OAuthToken=env:NAME sends the real one"
        ]
    );
    let again = patch(&patched.document, &put(&[gate("a", "Check")]));
    assert!(again.warnings.is_empty() && again.edits.is_empty());
}

#[test]
fn a_secret_is_in_the_request_and_nowhere_else() {
    let mut request = put(&[gate("a", "Check")]);
    request.secrets = vec![secret("Source", "GitHub", "OAuthToken")];
    let patched = patch(&document(), &request);
    assert!(patched.refusals.is_empty() && patched.warnings.is_empty());
    let body = patched.document.to_request_body();
    assert!(body.contains(r#""OAuthToken":"real-token""#) && !body.contains("****"));
    for shown in [
        patched.document.to_pretty(),
        patched.document.to_backup(),
        patched.document.as_json().to_string(),
        format!("{patched:?}"),
    ] {
        assert!(!shown.contains("real-token"), "{shown}");
    }
}

#[test]
fn a_secret_alone_changes_nothing() {
    let mut request = put(&[]);
    request.secrets = vec![secret("Source", "GitHub", "OAuthToken")];
    let patched = patch(&document(), &request);
    assert_eq!(patched.document, document());
    assert!(patched.edits.is_empty() && patched.refusals.is_empty());
    assert!(!patched.document.to_request_body().contains("real-token"));
}

#[test]
fn a_secret_for_what_is_not_masked_is_refused() {
    let mut request = put(&[gate("a", "Check")]);
    request.secrets = vec![secret("Source", "GitHub", "Owner")];
    let patched = patch(&document(), &request);
    let [refusal] = patched.refusals.as_slice() else {
        panic!("{:?}", patched.refusals);
    };
    assert_eq!(refusal.code, "secret_not_masked");
    assert_eq!(
        refusal.message,
        "Source/GitHub/Owner is not a masked value of the pipeline"
    );
    assert_eq!(
        refusal.hint,
        "the masked values are: Source/GitHub/OAuthToken"
    );
    assert!(
        patched
            .document
            .to_request_body()
            .contains(r#""Owner":"me""#)
    );
}
