//! A gate: CodePipeline asks this function whether a release may go on, and waits for its answer.
//!
//! Write your check in `validate`. The rest gives the pipeline one answer, whatever happens: the check passes, refuses,
//! fails, panics, or takes too long. Runtime provided.al2023: the package is a ZIP archive of the executable `bootstrap`
//! (`cargo lambda build --release --output-format zip`). Give the function the time that the check takes and 10 seconds:
//! Lambda's default of 3 is short.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::{ExecutionDetails, FailureDetails, FailureType};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use lambda_runtime::{Context, Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

/// How long the answer may take, which has to be through before Lambda ends the function.
const ANSWER: Duration = Duration::from_secs(10);

enum Answer {
    /// The release goes on. `variables` are for later actions: `#{namespace.name}`, where the action has a namespace.
    Pass {
        summary: String,
        variables: HashMap<String, String>,
    },
    /// Not yet: the function is asked again soon, with `token` in `/data/continuationToken`; for 24 hours at most.
    #[allow(dead_code, reason = "the example never waits")]
    Wait { token: String, summary: String },
}

/// The release stops, with this message.
struct Refuse {
    kind: FailureType,
    message: String,
}

impl Refuse {
    fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let kind = FailureType::JobFailed;
        Self { kind, message }
    }
}

/// Any error refuses: `?` works in the check.
impl<E: StdError> From<E> for Refuse {
    fn from(error: E) -> Self {
        Self::new(with_causes(&error))
    }
}

// >>> your check
/// Passes, waits or refuses. The example: `user_parameters = { closed_on = ["Friday"] }` lets none pass on Fridays.
///
/// - parameters: the gate's `user_parameters`: a value where they are JSON, else the text; `{}` where there are none
/// - job: the job's id, account and data; `/data/inputArtifacts` says where the artifacts are
/// - credentials: for reading those artifacts from S3, and for nothing else; never log them
///
/// It gives up at an `await` when the time is up. What blocks for long belongs into `tokio::task::spawn_blocking`.
async fn validate(parameters: Value, _job: Value, _credentials: Value) -> Result<Answer, Refuse> {
    let days = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs()
        / 86_400;
    let today = DAYS[(days % 7) as usize];
    let closed = parameters["closed_on"].as_array();
    if closed.is_some_and(|days| days.contains(&json!(today))) {
        return Err(Refuse::new(format!("no release on a {today}")));
    }
    Ok(Answer::Pass {
        summary: format!("{today} is open"),
        variables: HashMap::from([("weekday".to_owned(), today.to_owned())]),
    })
}

/// 1 January 1970 was a Thursday.
const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
// <<< your check

// Two workers: a check that blocks one of them does not stop the clock.
#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls);
    let patience = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(3));
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.build_https())
        .timeout_config(patience.build())
        .retry_config(RetryConfig::standard().with_max_attempts(2));
    let codepipeline = Client::new(&config.load().await);
    run(service_fn(|event| handler(&codepipeline, event))).await
}

/// Only an event that is no job ends in an error: at others, Lambda would run the check again for a job that is answered.
async fn handler(codepipeline: &Client, event: LambdaEvent<Value>) -> Result<(), Error> {
    let (mut event, context) = event.into_parts();
    let data = event.pointer_mut("/CodePipeline.job/data");
    let credentials = data.and_then(|data| data.as_object_mut()?.remove("artifactCredentials"));
    println!("asked: {event}"); // Its credentials are out.
    let job = event["CodePipeline.job"].clone();
    let id = job["id"]
        .as_str()
        .ok_or("not an event of CodePipeline")?
        .to_owned();

    // The check has a task of its own: neither a panic nor an endless loop keeps this one from answering.
    let text = job.pointer("/data/actionConfiguration/configuration/UserParameters");
    let text = text
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .unwrap_or("{}");
    let parameters = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let mut check = tokio::spawn(validate(parameters, job, credentials.unwrap_or_default()));
    let left = context
        .deadline()
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    let given = match tokio::time::timeout(left.saturating_sub(ANSWER).max(left / 2), &mut check)
        .await
    {
        Ok(Ok(given)) => given,
        Ok(Err(panicked)) => Err(Refuse::new(panicked.to_string())),
        Err(_) => {
            check.abort();
            Err(Refuse::new(
                "the check was not done in time: give the function a longer timeout, or answer Wait",
            ))
        }
    };
    answer(codepipeline, &id, &context, given).await;
    Ok(())
}

/// Tells CodePipeline; what it does not take is logged, with what to mend.
async fn answer(
    codepipeline: &Client,
    job: &str,
    context: &Context,
    mut given: Result<Answer, Refuse>,
) {
    while let Err(error) = tell(codepipeline, job, context, &given).await {
        let code = error.code().unwrap_or_default();
        let said = format!(
            "CodePipeline did not take the answer: {}",
            with_causes(&error)
        );
        let mend = match code {
            "AccessDeniedException" => {
                "The function's execution role lacks codepipeline:PutJobSuccessResult and PutJobFailureResult: \
                 run `crossgate check`, then `crossgate bootstrap`."
            }
            "InvalidJobStateException" => {
                "The job was answered already, or given up after 20 minutes: nothing is left to do."
            }
            "JobNotFoundException" => {
                "The job is over, or of another account or region: nothing is left to do here."
            }
            _ => "Without an answer the action fails after 20 minutes: `crossgate diagnose`.",
        };
        eprintln!("{said}. {mend}");
        let unsound = [
            "ValidationException",
            "OutputVariablesSizeExceededException",
        ]
        .contains(&code);
        if !unsound
            || matches!(&given, Err(refusal) if refusal.kind == FailureType::ConfigurationError)
        {
            return;
        }
        // What was said is at fault, and the job is still open: better a reason now than silence for 20 minutes.
        given = Err(Refuse {
            kind: FailureType::ConfigurationError,
            message: said,
        });
    }
}

/// One call, with the execution role's credentials; the request's id leads from the action to these logs.
async fn tell(
    codepipeline: &Client,
    job: &str,
    context: &Context,
    given: &Result<Answer, Refuse>,
) -> Result<(), aws_sdk_codepipeline::Error> {
    let success = |summary: &str| {
        println!("answer: {summary}");
        let details = ExecutionDetails::builder()
            .summary(cut(summary, 2_048)) // The API's limit, as 5,000 is below.
            .external_execution_id(&context.request_id);
        codepipeline
            .put_job_success_result()
            .job_id(job)
            .execution_details(details.build())
    };
    match given {
        Ok(Answer::Pass { summary, variables }) => {
            success(summary)
                .set_output_variables(Some(variables.clone()))
                .send()
                .await?;
        }
        Ok(Answer::Wait { token, summary }) => {
            success(summary).continuation_token(token).send().await?;
        }
        Err(Refuse { kind, message }) => {
            println!("answer: {kind}: {message}");
            let details = FailureDetails::builder()
                .r#type(kind.clone())
                .message(cut(message, 5_000))
                .external_execution_id(&context.request_id);
            let call = codepipeline.put_job_failure_result().job_id(job);
            call.failure_details(details.build()?).send().await?;
        }
    }
    Ok(())
}

/// An error's own message says little in the SDK: the causes below it say which service refused what.
fn with_causes(error: &dyn StdError) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// At most `most` characters, and one at least.
fn cut(text: &str, most: usize) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text.chars().take(most).collect()
    }
}
