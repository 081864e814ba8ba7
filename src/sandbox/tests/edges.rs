//! What goes wrong around a gate: logs, closed stages, throttled and failing functions, answers that are refused.

use super::super::caller::Caller;
use super::super::logs;
use super::*;

/// The function's log, with the ids, moments and durations that differ from run to run taken out.
fn log(dev: &Admin<'_>) -> String {
    let lines = dev.log_lines(FUNCTION).unwrap_or_default();
    let id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let masked = |word: &str| {
        if id(word) {
            "ID".to_owned()
        } else if word.len() == 24 && word.ends_with('Z') {
            "MOMENT".to_owned()
        } else if word.trim_end_matches(',').parse::<f64>().is_ok()
            && !["128", "48", "3.00"].contains(&word)
        {
            "N".to_owned()
        } else {
            word.to_owned()
        }
    };
    let words = |line: &str| {
        let tabs = line.trim_end_matches('\n').split('\t').map(|part| {
            let words: Vec<String> = part.split(' ').map(masked).collect();
            words.join(" ")
        });
        tabs.collect::<Vec<_>>().join("\t").trim_end().to_owned()
    };
    lines
        .iter()
        .map(|line| words(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs the gate with this function; gives the action and the function's log.
fn logged(builtin: Builtin) -> (Value, String) {
    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    dev.set_builtin(FUNCTION, builtin).unwrap();
    let (_, gate) = run(&sandbox, &accounts);
    (gate, log(&dev))
}

#[test]
fn a_run_is_logged_as_lambda_does() {
    let (_, text) = logged(Builtin::Approve);
    insta::assert_snapshot!(text, @r"
    START RequestId: ID Version: $LATEST
    all checks passed
    PutJobSuccessResult: done
    END RequestId: ID
    REPORT RequestId: ID	Duration: N ms	Billed Duration: N ms	Memory Size: 128 MB	Max Memory Used: 48 MB
    ");
}

#[test]
fn an_error_that_nobody_catches_is_one_event_with_its_traceback() {
    let (gate, text) = logged(Builtin::Crash);
    assert_eq!(gate["status"], "Failed");
    assert_eq!(text.matches("START RequestId").count(), 3);
    let first: Vec<&str> = text.lines().skip(1).take(4).collect();
    assert_eq!(
        first,
        [
            "[ERROR] RuntimeError: this function always fails",
            "Traceback (most recent call last):",
            "\u{a0}\u{a0}File \"/var/task/index.py\", line N in handler",
            "\u{a0}\u{a0}\u{a0}\u{a0}raise RuntimeError(\"this function always fails\")",
        ]
    );
}

#[test]
fn a_function_that_takes_too_long_is_stopped_and_tried_again() {
    let (gate, text) = logged(Builtin::Timeout);
    let message = error(&gate)["message"].as_str().unwrap();
    assert!(message.contains("failed to return a result"), "{message}");
    assert_eq!(text.matches("START RequestId").count(), 3, "{text}");
    assert_eq!(
        text.matches("MOMENT ID Task timed out after 3.00 seconds")
            .count(),
        3,
        "{text}"
    );
    assert!(text.contains("Status: timeout"), "{text}");
    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    dev.set_builtin(FUNCTION, Builtin::Timeout).unwrap();
    run(&sandbox, &accounts);
    let ended: Vec<Ended> = sandbox.invocations().into_iter().map(|i| i.ended).collect();
    assert_eq!(ended, [Ended::TimedOut, Ended::TimedOut, Ended::TimedOut]);
}

#[test]
fn an_answer_with_the_jobs_own_credentials_is_refused() {
    let (gate, text) = logged(Builtin::WrongCredentials);
    let message = error(&gate)["message"].as_str().unwrap();
    assert!(message.contains("failed to return a result"), "{message}");
    let line = text.lines().nth(2).unwrap();
    let begin = format!(
        "[ERROR]\tMOMENT\tID\tAn error occurred (AccessDeniedException) when calling the PutJobSuccessResult operation: \
         User: arn:aws:sts::{DEV}:assumed-role/{INVOKE_ROLE}/"
    );
    assert!(line.starts_with(&begin), "{line}");
    let end = " is not authorized to perform: codepipeline:PutJobSuccessResult on resource: * because no identity-based policy \
               allows the codepipeline:PutJobSuccessResult action";
    assert!(line.ends_with(end), "{line}");
}

#[test]
fn an_answer_without_permission_is_logged_in_boto3s_words() {
    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    dev.delete_role_policy(EXECUTION_ROLE, "callback").unwrap();
    run(&sandbox, &accounts);
    let text = log(&dev);
    let line = text.lines().nth(2).unwrap();
    assert_eq!(
        line,
        format!(
            "[ERROR]\tMOMENT\tID\tAn error occurred (AccessDeniedException) when calling the PutJobSuccessResult operation: \
             User: arn:aws:sts::{DEV}:assumed-role/{EXECUTION_ROLE}/{FUNCTION} is not authorized to perform: \
             codepipeline:PutJobSuccessResult on resource: * because no identity-based policy allows the \
             codepipeline:PutJobSuccessResult action"
        )
    );
}

#[test]
fn a_second_answer_is_refused_and_changes_nothing() {
    let (gate, text) = logged(Builtin::Twice);
    assert_eq!(error(&gate)["message"], "the validation found a problem");
    assert!(
        text.contains("An error occurred (InvalidJobStateException) when calling the PutJobSuccessResult operation"),
        "{text}"
    );
}

#[test]
fn an_artifact_of_another_accounts_bucket_is_not_readable() {
    let (gate, text) = logged(Builtin::Artifact);
    let refused =
        "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied";
    assert_eq!(
        *error(&gate),
        json!({ "code": "JobFailed", "message": refused })
    );
    assert!(text.contains(refused), "{text}");
}

#[test]
fn without_the_permission_to_log_there_are_no_logs() {
    let narrow = |suffix: &str| {
        let (sandbox, accounts) = wired();
        let dev = sandbox.admin(&accounts.dev, REGION);
        let group = format!("arn:aws:logs:{REGION}:{DEV}:log-group:/aws/lambda/{FUNCTION}{suffix}");
        let actions = json!([
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents"
        ]);
        dev.put_role_policy(EXECUTION_ROLE, "logs", &allow(&actions, &json!(group)))
            .unwrap();
        let (status, _) = run(&sandbox, &accounts);
        assert_eq!(status, "Succeeded", "the gate does not need them");
        dev.log_lines(FUNCTION)
    };
    assert_eq!(narrow(":*").unwrap().len(), 5);
    assert_eq!(narrow(""), None, "the ARN without :* covers no stream");
    assert_eq!(narrow("2:*"), None, "another function's");
}

#[test]
fn logs_are_read_with_permission_only_and_a_page_at_a_time() {
    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    run(&sandbox, &accounts);
    let group = format!("/aws/lambda/{FUNCTION}");
    let ask = |operation: &str, input: Value| {
        let state = sandbox.shared.lock();
        let role = state.role(DEV, EXECUTION_ROLE).unwrap();
        let caller = Caller::session(DEV, role, "reader", None);
        logs::call(&state, &caller, REGION, operation, &input)
    };
    let refused = ask("FilterLogEvents", json!({ "logGroupName": group })).unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(
        refused.message.contains(&format!(
            "logs:FilterLogEvents on resource: arn:aws:logs:{REGION}:{DEV}:log-group:{group}:log-stream: because"
        )),
        "{}",
        refused.message
    );
    let resource = json!(format!("arn:aws:logs:{REGION}:{DEV}:log-group:{group}:*"));
    dev.put_role_policy(EXECUTION_ROLE, "read", &allow(&json!("logs:*"), &resource))
        .unwrap();
    let code = |operation: &str, input: Value| ask(operation, input).unwrap_err().code;
    assert_eq!(
        code("DescribeLogGroups", json!({})),
        "AccessDeniedException",
        "no group's ARN covers it"
    );
    assert_eq!(
        code(
            "FilterLogEvents",
            json!({ "logGroupName": "/aws/lambda/x" })
        ),
        "AccessDeniedException"
    );
    assert_eq!(
        code(
            "GetLogEvents",
            json!({ "logGroupName": group, "logStreamName": "x" })
        ),
        "ResourceNotFoundException"
    );

    let mut pages = Vec::new();
    let mut input = json!({ "logGroupName": group, "limit": 2 });
    loop {
        let answer = ask("FilterLogEvents", input.clone()).unwrap();
        pages.push(answer["events"].as_array().unwrap().len());
        match answer.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(pages, [2, 2, 1]);
    let streams = ask("DescribeLogStreams", json!({ "logGroupName": group })).unwrap();
    let stream = &streams["logStreams"][0]["logStreamName"];
    assert!(stream.as_str().unwrap().contains("/[$LATEST]"), "{stream}");
    let tail = json!({ "logGroupName": group, "logStreamName": stream, "limit": 1 });
    let tail = ask("GetLogEvents", tail).unwrap();
    let message = tail["events"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("REPORT"), "{tail}");
    let before = json!({ "logGroupName": group, "logStreamName": stream, "nextToken": tail["nextBackwardToken"] });
    let before = ask("GetLogEvents", before).unwrap();
    assert_eq!(before["events"].as_array().unwrap().len(), 4);
    let last = tail["events"][0]["timestamp"].as_u64().unwrap();
    let later = json!({ "logGroupName": group, "startTime": last + 1 });
    assert_eq!(
        ask("FilterLogEvents", later).unwrap()["events"],
        json!([]),
        "the time is asked for"
    );
    let filtered = json!({ "logGroupName": group, "filterPattern": "checks" });
    let filtered = ask("FilterLogEvents", filtered).unwrap();
    assert_eq!(filtered["events"][0]["message"], "all checks passed\n");
    let groups = dev.logs("DescribeLogGroups", &json!({})).unwrap();
    assert_eq!(groups["logGroups"][0]["logGroupName"], json!(group));
}

#[test]
fn a_closed_stage_holds_executions_and_the_newest_takes_the_place() {
    let (sandbox, accounts) = wired();
    let tools = sandbox.admin(&accounts.tools, REGION);
    tools.set_transition(PIPELINE, "Gate", false).unwrap();
    let first = tools.start_pipeline(PIPELINE).unwrap();
    let status = |id: &str| tools.execution_status(PIPELINE, id).unwrap();
    let gate = || {
        let read = tools.codepipeline("GetPipelineState", &json!({ "name": PIPELINE }));
        read.unwrap()["stageStates"][2].clone()
    };
    assert_eq!(status(&first), "InProgress");
    let seen = gate();
    let way = &seen["inboundTransitionState"];
    assert_eq!(way["enabled"], false);
    assert_eq!(way["disabledReason"], "closed by hand");
    assert_eq!(way["lastChangedBy"], format!("arn:aws:iam::{TOOLS}:root"));
    assert_eq!(seen["inboundExecution"]["pipelineExecutionId"], first);
    assert_eq!(tools.actions(PIPELINE, &first).unwrap().len(), 2);

    let second = tools.start_pipeline(PIPELINE).unwrap();
    assert_eq!(
        [status(&first), status(&second)],
        ["Superseded", "InProgress"]
    );
    let list = json!({ "pipelineName": PIPELINE });
    let list = tools.codepipeline("ListPipelineExecutions", &list).unwrap();
    let statuses: Vec<&Value> = list["pipelineExecutionSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["status"])
        .collect();
    assert_eq!(statuses, ["InProgress", "Superseded"]);

    tools.set_transition(PIPELINE, "Gate", true).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &second), "Succeeded");
    assert_eq!(gate()["inboundTransitionState"]["enabled"], true);
    assert_eq!(status(&first), "Superseded");
}

#[test]
fn the_way_out_of_a_stage_closes_too_and_bad_input_is_refused() {
    let (sandbox, accounts) = wired();
    let tools = sandbox.admin(&accounts.tools, REGION);
    let close = |stage: &str, kind: &str, reason: &str| {
        let input = json!({ "pipelineName": PIPELINE, "stageName": stage, "transitionType": kind, "reason": reason });
        tools.codepipeline("DisableStageTransition", &input)
    };
    let code = |stage, kind, reason| close(stage, kind, reason).unwrap_err().code;
    assert_eq!(code("No", "Inbound", "x"), "StageNotFoundException");
    assert_eq!(code("Gate", "Sideways", "x"), "ValidationException");
    assert_eq!(code("Gate", "Inbound", ""), "ValidationException");
    assert_eq!(code("Gate", "Inbound", "a\nb"), "ValidationException");
    let id = tools.start_pipeline(PIPELINE).unwrap();
    assert_eq!(ended(&sandbox, &accounts, &id), "Succeeded");
    close("Deploy", "Outbound", "a freeze").unwrap();
    let id = tools.start_pipeline(PIPELINE).unwrap();
    assert_eq!(tools.actions(PIPELINE, &id).unwrap().len(), 2);
    let waits = tools.execution_status(PIPELINE, &id).unwrap();
    assert_eq!(waits, "InProgress");
}

#[test]
fn a_throttled_function_does_not_run_until_it_may() {
    let (sandbox, accounts) = start(ClockMode::Real);
    wire(&sandbox, &accounts);
    let dev = sandbox.admin(&accounts.dev, REGION);
    let tools = sandbox.admin(&accounts.tools, REGION);
    dev.set_concurrency(FUNCTION, 0).unwrap();
    let id = tools.start_pipeline(PIPELINE).unwrap();
    assert_eq!(tools.execution_status(PIPELINE, &id).unwrap(), "InProgress");
    let ends = |sandbox: &Sandbox| {
        let runs = sandbox.invocations().into_iter().map(|i| i.ended);
        runs.collect::<Vec<_>>()
    };
    assert_eq!(ends(&sandbox), [Ended::Failed("Rate Exceeded.".to_owned())]);
    assert_eq!(dev.log_lines(FUNCTION), None, "nothing has run");
    dev.set_concurrency(FUNCTION, 1).unwrap();
    sandbox.advance(Duration::from_mins(6));
    sandbox.advance(Duration::from_secs(2));
    assert_eq!(ended(&sandbox, &accounts, &id), "Succeeded");

    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    dev.set_concurrency(FUNCTION, 0).unwrap();
    let (status, gate) = run(&sandbox, &accounts);
    assert_eq!(status, "Failed");
    let message = error(&gate)["message"].as_str().unwrap();
    assert!(message.contains("failed to return a result"), "{message}");
    assert_eq!(ends(&sandbox).len(), 1);
}

#[test]
fn how_often_a_failed_run_is_tried_again_can_be_said() {
    let (sandbox, accounts) = wired();
    let dev = sandbox.admin(&accounts.dev, REGION);
    let path = format!("/2019-09-25/functions/{FUNCTION}/event-invoke-config");
    let none = dev.lambda("GET", &path, &Value::Null).unwrap_err();
    assert_eq!(
        none.to_string(),
        format!(
            "ResourceNotFoundException: The function {}:$LATEST doesn't have an EventInvokeConfig",
            function_arn()
        )
    );
    let bad = dev.lambda("PUT", &path, &json!({ "MaximumRetryAttempts": 3 }));
    assert_eq!(bad.unwrap_err().code, "InvalidParameterValueException");
    let queue = json!({ "OnFailure": { "Destination": "arn:aws:sqs:us-east-1:222222222222:q" } });
    let input = json!({ "MaximumRetryAttempts": 0, "DestinationConfig": queue });
    dev.lambda("PUT", &path, &input).unwrap();
    let more = json!({ "MaximumEventAgeInSeconds": 60 });
    dev.lambda("POST", &path, &more).unwrap();
    let seen = dev.lambda("GET", &path, &Value::Null).unwrap();
    assert_eq!(seen["MaximumRetryAttempts"], 0);
    assert_eq!(seen["MaximumEventAgeInSeconds"], 60);
    assert_eq!(seen["DestinationConfig"], queue);
    dev.set_builtin(FUNCTION, Builtin::Crash).unwrap();
    run(&sandbox, &accounts);
    assert_eq!(sandbox.invocations().len(), 1, "it is tried once");
    dev.lambda("DELETE", &path, &Value::Null).unwrap();
    assert!(dev.lambda("GET", &path, &Value::Null).is_err());
}

#[test]
fn a_function_that_is_not_there_or_elsewhere_fails_the_action() {
    let (message, _) = broken(|_, dev| {
        dev.lambda(
            "DELETE",
            &format!("/2015-03-31/functions/{FUNCTION}"),
            &Value::Null,
        )
        .unwrap();
    });
    assert_eq!(
        message,
        format!(
            "The AWS Lambda function {FUNCTION} cannot be found: Function not found: {}",
            function_arn()
        )
    );
}

#[test]
fn logs_and_closed_stages_are_kept() {
    let (sandbox, accounts) = wired();
    run(&sandbox, &accounts);
    let tools = sandbox.admin(&accounts.tools, REGION);
    tools.set_transition(PIPELINE, "Gate", false).unwrap();
    let lines = sandbox.admin(&accounts.dev, REGION).log_lines(FUNCTION);
    assert_eq!(lines.as_ref().map(Vec::len), Some(5));
    let kept = sandbox.save().unwrap();
    let again = Sandbox::start(SandboxOptions::default()).unwrap();
    again.restore(&kept).unwrap();
    assert_eq!(
        again.admin(&accounts.dev, REGION).log_lines(FUNCTION),
        lines
    );
    let state = again
        .admin(&accounts.tools, REGION)
        .codepipeline("GetPipelineState", &json!({ "name": PIPELINE }))
        .unwrap();
    let way = &state["stageStates"][2]["inboundTransitionState"];
    assert_eq!(way["disabledReason"], "closed by hand");
}
