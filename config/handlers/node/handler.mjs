// A gate: CodePipeline asks this function whether a release may go on, and waits for its answer.
//
// Write your check in `validate`. The rest gives the pipeline one answer, whatever happens: the check passes, refuses,
// throws, or takes too long. Runtime nodejs20.x or later (the SDK is there), handler `handler.handler`; give the function
// the time that the check takes and 10 seconds: Lambda's default of 3 is short. `crossgate sandbox --handler handler.mjs`
// runs it without AWS.

import { CodePipelineClient, PutJobFailureResultCommand, PutJobSuccessResultCommand } from "@aws-sdk/client-codepipeline";

const codepipeline = new CodePipelineClient({ maxAttempts: 2 });
// The answer has to be through before Lambda ends the function.
const ANSWER_MILLIS = 10_000;

/** The release goes on. `variables` are for later actions: #{namespace.name}, where the action has a namespace. */
const pass = (summary = "passed", variables = {}) => ({ kind: "Pass", summary, variables });

/** Not yet: the function is asked again soon, with `token` in job.data.continuationToken; for 24 hours at most. */
const wait = (token, summary = "still checking") => {
  if (!token) throw new Refuse("wait needs a token", "ConfigurationError"); // Without one it would be a success.
  return { kind: "Wait", token, summary };
};

/** The release stops, with this message. `kind` is JobFailed, ConfigurationError, PermissionError, … */
class Refuse extends Error {
  constructor(message, kind = "JobFailed") {
    super(message);
    this.kind = kind;
  }
}

// >>> your check
/**
 * Returns pass(…) or wait(…), or throws. The example: user_parameters = { closed_on = ["Friday"] } lets none pass on Fridays.
 *
 * parameters: the gate's user_parameters: a value where they are JSON, else the text; {} where there are none
 * job: the job's id, accountId and data; job.data.inputArtifacts says where the artifacts are
 * credentials: for reading those artifacts from S3, and for nothing else; never log them
 * signal: is aborted when the time is up; for fetch and for the SDK
 */
async function validate(parameters, job, { credentials, signal }) {
  const today = new Date().toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" });
  if (parameters.closed_on?.includes(today)) throw new Refuse(`no release on a ${today}`);
  return pass(`${today} is open`, { weekday: today });
}
// <<< your check

export const handler = async (event, context) => {
  const job = event["CodePipeline.job"];
  const credentials = job.data.artifactCredentials;
  delete job.data.artifactCredentials; // From here on, the event can be logged.
  console.log("asked:", JSON.stringify(event));

  // The timer answers for a check whose time is up; what comes later is not heard.
  const left = context.getRemainingTimeInMillis();
  const controller = new AbortController();
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => {
      resolve(new Refuse("the check was not done in time: give the function a longer timeout, or return wait(…)"));
      controller.abort();
    }, Math.max(left - ANSWER_MILLIS, left / 2));
  });
  const given = await Promise.race([decide(job, { credentials, signal: controller.signal }), late]);
  clearTimeout(timer);
  await answer(job.id, given, context);
  // No error leaves this function: Lambda would run the check again, for a job that is answered.
};

/** The check's answer. Whatever it throws refuses the release. */
async function decide(job, more) {
  try {
    const text = job.data.actionConfiguration.configuration.UserParameters || "{}";
    let parameters = text;
    try {
      parameters = JSON.parse(text);
    } catch {}
    const given = await validate(parameters, job, more);
    if (given?.kind === "Pass" || given?.kind === "Wait") return given;
    return new Refuse("validate returned neither pass(…) nor wait(…)", "ConfigurationError");
  } catch (error) {
    if (error instanceof Refuse) return error;
    console.error("the check failed:", error);
    return new Refuse(`${error?.name ?? "Error"}: ${error?.message ?? error}`);
  }
}

/** Tells CodePipeline, with the execution role's credentials; the request's id leads from the action to these logs. */
async function answer(jobId, given, context) {
  console.log("answer:", given.kind, given.message ?? given.summary);
  const externalExecutionId = context.awsRequestId;
  const refused = given instanceof Refuse;
  try {
    // The API's limits: 1 to 5,000 characters for a message, 2,048 for a summary.
    const command = refused
      ? new PutJobFailureResultCommand({
          jobId,
          failureDetails: {
            type: given.kind,
            message: given.message.slice(0, 5000) || "refused",
            externalExecutionId,
          },
        })
      : new PutJobSuccessResultCommand({
          jobId,
          executionDetails: { summary: given.summary.slice(0, 2048) || "-", externalExecutionId },
          ...(given.kind === "Wait"
            ? { continuationToken: given.token }
            : { outputVariables: texts(given.variables) }),
        });
    const patience = AbortSignal.timeout(Math.floor(context.getRemainingTimeInMillis() * 0.8));
    await codepipeline.send(command, { abortSignal: patience });
  } catch (error) {
    const said = `CodePipeline did not take the answer: ${error.name}: ${error.message}`;
    console.error(`${said}. ${MEND[error.name] ?? OTHERWISE}`);
    if (UNSOUND.includes(error.name) && given.kind !== "ConfigurationError") {
      // What was said is at fault, and the job is still open: better a reason now than silence for 20 minutes.
      await answer(jobId, new Refuse(said, "ConfigurationError"), context);
    }
  }
}

const texts = (values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
const UNSOUND = ["TypeError", "SerializationException", "ValidationException", "OutputVariablesSizeExceededException"];
const OTHERWISE = "Without an answer the action fails after 20 minutes: `crossgate diagnose`.";
const MEND = {
  AccessDeniedException:
    "The function's execution role lacks codepipeline:PutJobSuccessResult and PutJobFailureResult: " +
    "run `crossgate check`, then `crossgate bootstrap`.",
  InvalidJobStateException: "The job was answered already, or given up after 20 minutes: nothing is left to do.",
  JobNotFoundException: "The job is over, or of another account or region: nothing is left to do here.",
};
