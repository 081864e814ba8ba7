//! The sandbox in process: engine outcomes, refusals of authorization, faults, what is kept.
//! What goes over the wire is tested in tests/integration.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod edges;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::seed::{
    self, Accounts, DEV, EXECUTION_ROLE, FUNCTION, PIPELINE, REGION, SERVICE_ROLE, TOOLS,
};
use super::*;

const INVOKE_ROLE: &str = "invoke-role";

fn start(clock: ClockMode) -> (Sandbox, Accounts) {
    let options = SandboxOptions {
        clock,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options).unwrap();
    let accounts = seed::approving(&sandbox).unwrap();
    (sandbox, accounts)
}

/// The sample, wired by hand as the guide says.
fn wired() -> (Sandbox, Accounts) {
    let (sandbox, accounts) = start(ClockMode::Jump);
    wire(&sandbox, &accounts);
    (sandbox, accounts)
}

fn invoke_role_arn() -> String {
    format!("arn:aws:iam::{DEV}:role/{INVOKE_ROLE}")
}

fn function_arn() -> String {
    format!("arn:aws:lambda:{REGION}:{DEV}:function:{FUNCTION}")
}

fn allow(action: &Value, resource: &Value) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": action, "Resource": resource }],
    })
    .to_string()
}

fn trust(principal: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" }],
    })
    .to_string()
}

fn wire(sandbox: &Sandbox, accounts: &Accounts) {
    let tools = sandbox.admin(&accounts.tools, REGION);
    let dev = sandbox.admin(&accounts.dev, REGION);
    dev.create_role(INVOKE_ROLE, &trust(&format!("arn:aws:iam::{TOOLS}:root")))
        .unwrap();
    let function = json!([function_arn(), format!("{}:*", function_arn())]);
    dev.put_role_policy(
        INVOKE_ROLE,
        "invoke",
        &allow(&json!("lambda:InvokeFunction"), &function),
    )
    .unwrap();
    dev.put_role_policy(
        INVOKE_ROLE,
        "list",
        &allow(&json!("lambda:ListFunctions"), &json!("*")),
    )
    .unwrap();
    let answers = json!([
        "codepipeline:PutJobSuccessResult",
        "codepipeline:PutJobFailureResult"
    ]);
    dev.put_role_policy(EXECUTION_ROLE, "callback", &allow(&answers, &json!("*")))
        .unwrap();
    tools
        .put_role_policy(
            SERVICE_ROLE,
            "assume",
            &allow(&json!("sts:AssumeRole"), &json!(invoke_role_arn())),
        )
        .unwrap();
    tools
        .codepipeline("UpdatePipeline", &json!({ "pipeline": gated() }))
        .unwrap();
}

/// The sample's pipeline with the gate between Deploy and Prod.
fn gated() -> Value {
    let mut structure = seed::pipeline();
    let gate = json!({
        "name": "Gate",
        "actions": [{
            "name": "Validate",
            "actionTypeId": { "category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1" },
            "configuration": { "FunctionName": FUNCTION, "UserParameters": "{\"a\":1}" },
            "inputArtifacts": [{ "name": "App" }],
            "roleArn": invoke_role_arn(),
        }],
    });
    structure["stages"].as_array_mut().unwrap().insert(2, gate);
    structure
}

/// Runs the pipeline to its end; gives its status and the gate's action.
fn run(sandbox: &Sandbox, accounts: &Accounts) -> (String, Value) {
    let tools = sandbox.admin(&accounts.tools, REGION);
    let id = tools.start_pipeline(PIPELINE).unwrap();
    let status = ended(sandbox, accounts, &id);
    let actions = tools.actions(PIPELINE, &id).unwrap();
    let gate = actions.into_iter().find(|a| a["stageName"] == "Gate");
    (status, gate.unwrap_or_default())
}

fn ended(sandbox: &Sandbox, accounts: &Accounts, id: &str) -> String {
    let tools = sandbox.admin(&accounts.tools, REGION);
    let begun = Instant::now();
    loop {
        let status = tools.execution_status(PIPELINE, id).unwrap();
        if status != "InProgress" && status != "Stopping" {
            return status;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the execution hangs: {status}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn error(action: &Value) -> &Value {
    &action["output"]["executionResult"]["errorDetails"]
}

#[test]
fn it_starts_and_ends_quickly() {
    let begun = Instant::now();
    let (sandbox, _) = start(ClockMode::Jump);
    let started = begun.elapsed();
    drop(sandbox);
    assert!(started < Duration::from_millis(500), "{started:?}");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn an_approval_lets_the_pipeline_go_on() {
    let (sandbox, accounts) = wired();
    let (status, gate) = run(&sandbox, &accounts);
    assert_eq!(status, "Succeeded");
    assert_eq!(gate["status"], "Succeeded");
    assert_eq!(
        gate["output"]["executionResult"]["externalExecutionSummary"],
        "all checks passed"
    );
    let calls: Vec<String> = sandbox
        .calls()
        .into_iter()
        .map(|c| format!("{}:{} {} {}", c.service, c.operation, c.caller, c.status))
        .collect();
    assert_eq!(
        calls,
        [
            "sts:AssumeRole codepipeline.amazonaws.com 200".to_owned(),
            format!(
                "sts:AssumeRole arn:aws:sts::{TOOLS}:assumed-role/{SERVICE_ROLE}/codepipeline 200"
            ),
            format!(
                "lambda:ListFunctions arn:aws:sts::{DEV}:assumed-role/{INVOKE_ROLE}/codepipeline 200"
            ),
            format!("lambda:Invoke arn:aws:sts::{DEV}:assumed-role/{INVOKE_ROLE}/codepipeline 200"),
            format!(
                "codepipeline:PutJobSuccessResult arn:aws:sts::{DEV}:assumed-role/{EXECUTION_ROLE}/{FUNCTION} 200"
            ),
        ]
    );
}

#[test]
fn a_rejection_stops_it_with_its_message() {
    let (sandbox, accounts) = wired();
    sandbox
        .admin(&accounts.dev, REGION)
        .set_builtin(FUNCTION, Builtin::Reject)
        .unwrap();
    let (status, gate) = run(&sandbox, &accounts);
    assert_eq!(status, "Failed");
    assert_eq!(
        *error(&gate),
        json!({ "code": "JobFailed", "message": "the validation found a problem" })
    );
}

#[test]
fn silence_is_given_up_after_twenty_minutes() {
    let (sandbox, accounts) = wired();
    sandbox
        .admin(&accounts.dev, REGION)
        .set_builtin(FUNCTION, Builtin::Silent)
        .unwrap();
    let before = sandbox.now();
    let (status, gate) = run(&sandbox, &accounts);
    let passed = sandbox.now().abs_diff(before);
    assert_eq!(status, "Failed");
    assert!(
        error(&gate)["message"]
            .as_str()
            .unwrap()
            .contains("failed to return a result")
    );
    assert!((1200..1260).contains(&passed.as_secs()), "{passed:?}");
    let took = gate["lastUpdateTime"].as_f64().unwrap() - gate["startTime"].as_f64().unwrap();
    assert!((1199.0..1205.0).contains(&took), "{took}");
}

#[test]
fn a_continuation_token_brings_the_function_back() {
    let (sandbox, accounts) = wired();
    sandbox
        .admin(&accounts.dev, REGION)
        .set_builtin(FUNCTION, Builtin::Slow)
        .unwrap();
    let (status, _) = run(&sandbox, &accounts);
    assert_eq!(status, "Succeeded");
    assert_eq!(sandbox.invocations().len(), 3);
}

#[test]
fn a_crash_is_tried_three_times_and_then_given_up() {
    let (sandbox, accounts) = wired();
    sandbox
        .admin(&accounts.dev, REGION)
        .set_builtin(FUNCTION, Builtin::Crash)
        .unwrap();
    let (status, _) = run(&sandbox, &accounts);
    assert_eq!(status, "Failed");
    let attempts: Vec<u32> = sandbox.invocations().iter().map(|i| i.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
}

/// Breaks one hop, and says what the run shows.
fn broken(change: impl Fn(&Admin<'_>, &Admin<'_>)) -> (String, Sandbox) {
    let (sandbox, accounts) = wired();
    change(
        &sandbox.admin(&accounts.tools, REGION),
        &sandbox.admin(&accounts.dev, REGION),
    );
    let (status, gate) = run(&sandbox, &accounts);
    assert_eq!(status, "Failed");
    let message = error(&gate)["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (message, sandbox)
}

#[test]
fn every_hop_is_authorized() {
    let (message, _) = broken(|tools, _| tools.delete_role_policy(SERVICE_ROLE, "assume").unwrap());
    assert_eq!(
        message,
        format!(
            "arn:aws:iam::{TOOLS}:role/{SERVICE_ROLE} is not authorized to perform AssumeRole on role {}",
            invoke_role_arn()
        )
    );
    let (message, _) = broken(|tools, _| {
        tools.set_trust(SERVICE_ROLE, &trust(TOOLS)).unwrap();
    });
    assert!(
        message.starts_with("CodePipeline is not authorized to perform AssumeRole"),
        "{message}"
    );
    let (message, _) = broken(|_, dev| dev.set_trust(INVOKE_ROLE, &trust(DEV)).unwrap());
    assert!(message.contains("AssumeRole on role"), "{message}");
    let (message, _) = broken(|_, dev| dev.delete_role_policy(INVOKE_ROLE, "list").unwrap());
    assert!(message.contains("lambda:ListFunctions"), "{message}");
    let (message, _) = broken(|_, dev| dev.delete_role_policy(INVOKE_ROLE, "invoke").unwrap());
    assert_eq!(
        message,
        format!(
            "User: arn:aws:sts::{DEV}:assumed-role/{INVOKE_ROLE}/codepipeline is not authorized to perform: \
             lambda:InvokeFunction on resource: {} because no identity-based policy allows the lambda:InvokeFunction action",
            function_arn()
        )
    );
}

#[test]
fn without_its_permission_the_answer_is_refused_and_never_arrives() {
    let (message, sandbox) =
        broken(|_, dev| dev.delete_role_policy(EXECUTION_ROLE, "callback").unwrap());
    assert!(message.contains("failed to return a result"), "{message}");
    let logs = sandbox
        .invocations()
        .into_iter()
        .flat_map(|i| i.logs)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(logs.contains("AccessDeniedException"), "{logs}");
    assert!(logs.contains("codepipeline:PutJobSuccessResult"), "{logs}");
}

#[test]
fn a_boundary_limits_the_invoke_role() {
    let (message, _) = broken(|_, dev| {
        let document = allow(&json!("s3:*"), &json!("*"));
        dev.iam(
            "CreatePolicy",
            &[("PolicyName", "limit"), ("PolicyDocument", &document)],
        )
        .unwrap();
        let arn = format!("arn:aws:iam::{DEV}:policy/limit");
        let parameters = [
            ("RoleName", INVOKE_ROLE),
            ("PermissionsBoundary", arn.as_str()),
        ];
        dev.iam("PutRolePermissionsBoundary", &parameters).unwrap();
    });
    assert!(
        message.ends_with("because no permissions boundary allows the lambda:ListFunctions action"),
        "{message}"
    );
}

#[test]
fn a_trusted_role_that_is_made_anew_is_not_trusted_any_more() {
    let (message, _) = broken(|tools, dev| {
        let service = format!("arn:aws:iam::{TOOLS}:role/{SERVICE_ROLE}");
        dev.set_trust(INVOKE_ROLE, &trust(&service)).unwrap();
        for policy in ["artifacts", "assume"] {
            tools.delete_role_policy(SERVICE_ROLE, policy).unwrap();
        }
        tools
            .iam("DeleteRole", &[("RoleName", SERVICE_ROLE)])
            .unwrap();
        let codepipeline = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        tools.create_role(SERVICE_ROLE, codepipeline).unwrap();
        tools
            .put_role_policy(
                SERVICE_ROLE,
                "assume",
                &allow(&json!("sts:AssumeRole"), &json!(invoke_role_arn())),
            )
            .unwrap();
        let shown = dev.iam("GetRole", &[("RoleName", INVOKE_ROLE)]).unwrap();
        assert!(
            shown.contains("AROA") && !shown.contains("pipeline-service-role"),
            "{shown}"
        );
    });
    assert!(
        message.contains("is not authorized to perform AssumeRole"),
        "{message}"
    );
}

#[test]
fn earlier_versions_can_be_read() {
    let (sandbox, accounts) = wired();
    let tools = sandbox.admin(&accounts.tools, REGION);
    let get = |version: u64| {
        tools.codepipeline(
            "GetPipeline",
            &json!({ "name": PIPELINE, "version": version }),
        )
    };
    let stages = |version: u64| {
        get(version).unwrap()["pipeline"]["stages"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!([stages(1), stages(2)], [3, 4]);
    assert_eq!(get(3).unwrap_err().code, "PipelineVersionNotFoundException");
}

#[test]
fn an_update_with_a_role_that_cannot_be_assumed_is_refused() {
    let (sandbox, accounts) = start(ClockMode::Jump);
    let tools = sandbox.admin(&accounts.tools, REGION);
    let refused = tools
        .codepipeline("UpdatePipeline", &json!({ "pipeline": gated() }))
        .unwrap_err();
    assert_eq!(refused.code, "InvalidStructureException");
    assert!(
        refused
            .message
            .contains("is not authorized to perform AssumeRole on role"),
        "{refused}"
    );
}

#[test]
fn the_function_of_another_account_cannot_just_be_named() {
    let (sandbox, accounts) = start(ClockMode::Jump);
    let tools = sandbox.admin(&accounts.tools, REGION);
    tools
        .create_pipeline(&seed::unwired_pipeline("unwired"))
        .unwrap();
    let gate_error = || {
        let id = tools.start_pipeline("unwired").unwrap();
        let actions = tools.actions("unwired", &id).unwrap();
        assert_eq!(tools.execution_status("unwired", &id).unwrap(), "Failed");
        error(actions.last().unwrap()).clone()
    };
    let message = gate_error()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("is not authorized to perform: lambda:ListFunctions"),
        "{message}"
    );
    // With every permission in its own account it still looks in the wrong one.
    let every = allow(&json!("lambda:*"), &json!("*"));
    tools
        .put_role_policy(SERVICE_ROLE, "lambda", &every)
        .unwrap();
    assert_eq!(gate_error()["code"], "ConfigurationError");
}

#[test]
fn a_retry_runs_the_failed_stage_again() {
    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    let tools = sandbox.admin(&accounts.tools, REGION);
    dev.set_builtin(FUNCTION, Builtin::Reject).unwrap();
    let id = tools.start_pipeline(PIPELINE).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &id), "Failed");
    dev.set_builtin(FUNCTION, Builtin::Approve).unwrap();
    let input = json!({
        "pipelineName": PIPELINE, "stageName": "Gate", "pipelineExecutionId": id, "retryMode": "FAILED_ACTIONS",
    });
    tools.codepipeline("RetryStageExecution", &input).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &id), "Succeeded");
    let refused = tools
        .codepipeline("RetryStageExecution", &input)
        .unwrap_err();
    assert_eq!(refused.code, "StageNotRetryableException");
}

#[test]
fn stopping_and_superseding() {
    let (sandbox, accounts) = start(ClockMode::Real);
    wire(&sandbox, &accounts);
    sandbox
        .admin(&accounts.dev, REGION)
        .set_builtin(FUNCTION, Builtin::Silent)
        .unwrap();
    let tools = sandbox.admin(&accounts.tools, REGION);
    let ids: Vec<String> = (0..3)
        .map(|_| tools.start_pipeline(PIPELINE).unwrap())
        .collect();
    let status = |n: usize| tools.execution_status(PIPELINE, &ids[n]).unwrap();
    assert_eq!(
        [status(0), status(1), status(2)],
        ["InProgress", "Superseded", "InProgress"]
    );
    let state = tools
        .codepipeline("GetPipelineState", &json!({ "name": PIPELINE }))
        .unwrap();
    assert_eq!(
        state["stageStates"][2]["latestExecution"]["status"],
        "InProgress"
    );
    assert_eq!(
        state["stageStates"][2]["inboundExecution"]["pipelineExecutionId"],
        ids[2]
    );
    let stop = |n: usize, abandon: bool| {
        let input =
            json!({ "pipelineName": PIPELINE, "pipelineExecutionId": ids[n], "abandon": abandon });
        tools.codepipeline("StopPipelineExecution", &input)
    };
    stop(0, false).unwrap();
    assert_eq!(status(0), "Stopping");
    stop(0, true).unwrap();
    assert_eq!([status(0), status(2)], ["Stopped", "InProgress"]);
    assert_eq!(
        stop(0, true).unwrap_err().code,
        "PipelineExecutionNotStoppableException"
    );
    sandbox.advance(Duration::from_secs(1201));
    assert_eq!(ended(&sandbox, &accounts, &ids[2]), "Failed");
}

#[test]
fn other_actions_end_as_they_are_told() {
    let (sandbox, accounts) = wired();
    let tools = sandbox.admin(&accounts.tools, REGION);
    let told = |stage: &str, action: &str, outcome| {
        tools.set_action_outcome(PIPELINE, stage, action, outcome)
    };
    let failure = Outcome::Fail {
        code: "ConfigurationError".to_owned(),
        message: "no such bucket".to_owned(),
    };
    told("Deploy", "ToTest", failure.clone()).unwrap();
    let id = tools.start_pipeline(PIPELINE).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &id), "Failed");
    let actions = tools.actions(PIPELINE, &id).unwrap();
    assert_eq!(actions.len(), 2, "the gate was not asked");
    assert_eq!(
        error(&actions[1]),
        &json!({ "code": "ConfigurationError", "message": "no such bucket" })
    );

    told("Deploy", "ToTest", Outcome::Wait).unwrap();
    let waiting = tools.start_pipeline(PIPELINE).unwrap();
    let status = |id: &str| tools.execution_status(PIPELINE, id).unwrap();
    let last = |id: &str| tools.actions(PIPELINE, id).unwrap().pop().unwrap();
    assert_eq!(last(&waiting)["status"], "InProgress");
    sandbox.advance(Duration::from_hours(24));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(status(&waiting), "InProgress", "nobody gives it up");
    told("Deploy", "ToTest", Outcome::Succeed).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &waiting), "Succeeded");

    told("Deploy", "ToTest", Outcome::Wait).unwrap();
    let refused = tools.start_pipeline(PIPELINE).unwrap();
    told("Deploy", "ToTest", failure).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &refused), "Failed");

    let code = |stage, action| told(stage, action, Outcome::Wait).unwrap_err().code;
    assert_eq!(code("Gate", "Validate"), "ValidationException");
    assert_eq!(code("Deploy", "none"), "ActionNotFoundException");
    let none = tools.set_action_outcome("none", "Deploy", "ToTest", Outcome::Wait);
    assert_eq!(none.unwrap_err().code, "PipelineNotFoundException");
}

#[test]
fn only_the_jobs_own_account_answers_and_only_once() {
    let (sandbox, accounts) = start(ClockMode::Real);
    wire(&sandbox, &accounts);
    let dev = sandbox.admin(&accounts.dev, REGION);
    let tools = sandbox.admin(&accounts.tools, REGION);
    dev.set_builtin(FUNCTION, Builtin::Silent).unwrap();
    let id = tools.start_pipeline(PIPELINE).unwrap();
    let job = sandbox.invocations()[0].job.clone().unwrap();
    let input = json!({ "jobId": job });
    let code = |admin: &Admin<'_>| {
        admin
            .codepipeline("PutJobSuccessResult", &input)
            .unwrap_err()
            .code
    };
    assert_eq!(code(&tools), "JobNotFoundException");
    dev.codepipeline("PutJobSuccessResult", &input).unwrap();
    assert_eq!(tools.execution_status(PIPELINE, &id).unwrap(), "Succeeded");
    assert_eq!(code(&dev), "InvalidJobStateException");
}

#[test]
fn a_hundred_gates_run_side_by_side() {
    let (sandbox, accounts) = wired();
    let tools = sandbox.admin(&accounts.tools, REGION);
    let mut structure = gated();
    for n in 0..100 {
        structure["name"] = json!(format!("p{n}"));
        tools.create_pipeline(&structure).unwrap();
    }
    let runs: Vec<(String, String)> = (0..100)
        .map(|n| {
            (
                format!("p{n}"),
                tools.start_pipeline(&format!("p{n}")).unwrap(),
            )
        })
        .collect();
    let begun = Instant::now();
    let done = || {
        runs.iter()
            .all(|(name, id)| tools.execution_status(name, id).unwrap() == "Succeeded")
    };
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_kept_comes_back() {
    let (sandbox, _) = wired();
    let (kept, before) = (sandbox.save().unwrap(), sandbox.snapshot());
    drop(sandbox);
    let again = Sandbox::start(SandboxOptions::default()).unwrap();
    again.restore(&kept).unwrap();
    assert_eq!(again.snapshot(), before);
    let folder = tempfile::tempdir().unwrap();
    let files = again.config_files(folder.path()).unwrap();
    let text = std::fs::read_to_string(files.credentials).unwrap();
    assert!(text.contains("[tools]") && text.contains("[dev]"), "{text}");
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let (sandbox, accounts) = start(ClockMode::Jump);
    let tools = sandbox.admin(&accounts.tools, REGION);
    assert_eq!(
        tools.iam("CreateUser", &[]).unwrap_err().message,
        "iam:CreateUser is not in the sandbox"
    );
    let refused = tools.codepipeline("PollForJobs", &json!({})).unwrap_err();
    assert_eq!(
        refused.message,
        "codepipeline:PollForJobs is not in the sandbox"
    );
    let missing = tools
        .codepipeline("GetPipeline", &json!({ "name": "no" }))
        .unwrap_err();
    assert_eq!(
        missing.message,
        format!("Account '{TOOLS}' does not have a pipeline with name 'no'")
    );
    let role =
        |operation, more: &[(&str, &str)]| tools.iam(operation, more).unwrap_err().to_string();
    assert_eq!(
        role("GetRole", &[("RoleName", "no")]),
        "NoSuchEntity: The role with name no cannot be found."
    );
    assert_eq!(
        role(
            "GetRolePolicy",
            &[("RoleName", SERVICE_ROLE), ("PolicyName", "no")]
        ),
        "NoSuchEntity: The role policy with name no cannot be found."
    );
    assert_eq!(
        role("DeleteRole", &[("RoleName", SERVICE_ROLE)]),
        "DeleteConflict: Cannot delete entity, must delete policies first."
    );
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_over_the_wire_panics(text in "\\PC*", shaped in "[A-Za-z0-9=&%+/:;, .-]{0,80}") {
        for one in [&text, &shaped] {
            let claim = sigv4::Claim::parse(&format!("AWS4-HMAC-SHA256 {one}"));
            let request = sigv4::Received {
                method: "GET",
                path: one,
                query: one,
                headers: &[("x-amz-date".to_owned(), one.clone())],
                body: one.as_bytes(),
            };
            if let Some(claim) = claim {
                proptest::prop_assert!(!claim.is_signed_with("test", &request));
            }
            drop(query::Params::parse(one));
            let _ = clock::parse_basic(one);
            let rest = lambda::Rest { method: "GET", path: one, query: one, invocation: None, body: one.as_bytes() };
            drop(lambda::route(&rest));
            drop(documents::identity(one));
            drop(logpattern::Pattern::parse(one));
        }
    }
}

#[test]
fn raw_requests_without_a_good_signature_are_refused() {
    let (sandbox, _) = start(ClockMode::Jump);
    let ask = |head: &str, body: &str| {
        let address = sandbox.endpoint().trim_start_matches("http://").to_owned();
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let length = body.len();
        let text = format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{head}\r\n{body}"
        );
        std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        answer
    };
    let answer = ask("", "Action=GetCallerIdentity");
    assert!(
        answer.starts_with("HTTP/1.1 403") && answer.contains("MissingAuthenticationToken"),
        "{answer}"
    );
    let claim = |key: &str, service: &str| {
        format!(
            "x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n"
        )
    };
    let answer = ask(&claim("AKIANOBODY", "iam"), "Action=ListRoles");
    assert!(
        answer.contains("<Code>InvalidClientTokenId</Code>"),
        "{answer}"
    );
    let answer = ask(&claim("111111111111", "sts"), "Action=GetCallerIdentity");
    assert!(
        answer.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{answer}"
    );
    let answer = ask(&claim("111111111111", "codepipeline"), "{}");
    assert!(
        answer.starts_with("HTTP/1.1 400")
            && answer.contains("\"__type\":\"InvalidSignatureException\""),
        "{answer}"
    );
    let answer = ask(&claim("AKIANOBODY", "lambda"), "{}");
    assert!(
        answer
            .to_lowercase()
            .contains("x-amzn-errortype: unrecognizedclientexception"),
        "{answer}"
    );
    let calls = sandbox.calls();
    assert_eq!(calls.len(), 5);
    assert!(
        calls
            .iter()
            .all(|call| call.caller.is_empty() && call.error.is_some())
    );
}

#[test]
fn a_thousand_of_each_are_small() {
    let (sandbox, accounts) = start(ClockMode::Jump);
    let tools = sandbox.admin(&accounts.tools, REGION);
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages: Option<u64> = text.split(' ').nth(1).and_then(|n| n.parse().ok());
        pages.unwrap_or(0) * 4096
    };
    let before = resident();
    let mut structure = seed::pipeline();
    for n in 0..999 {
        structure["name"] = json!(format!("pipeline-{n}"));
        tools.create_pipeline(&structure).unwrap();
        tools
            .create_role(&format!("role-{n}"), &trust(TOOLS))
            .unwrap();
    }
    structure["name"] = json!("one-too-many");
    assert_eq!(
        tools.create_pipeline(&structure).unwrap_err().code,
        "LimitExceededException"
    );
    // Other tests run in this process too: the limit is the whole target, not what is needed.
    let grown = resident().saturating_sub(before);
    assert!(grown < 100 * 1024 * 1024, "{grown} bytes");
}
