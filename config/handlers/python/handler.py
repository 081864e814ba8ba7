"""A gate: CodePipeline asks this function whether a release may go on, and waits for its answer.

Write your check in `validate`. The rest gives the pipeline one answer, whatever happens: the check passes, refuses,
raises, or takes too long. Runtime python3.11 or later (boto3 is there), handler `handler.handler`; give the function the
time that the check takes and 10 seconds: Lambda's default of 3 is short. `crossgate sandbox --handler handler.py` runs it
without AWS.
"""

import json
import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone

import boto3
from botocore.config import Config

log = logging.getLogger()
log.setLevel(logging.INFO)

# The answer has to be through before Lambda ends the function: no attempt may hang, and there are no more than two.
ANSWER_SECONDS = 10
codepipeline = boto3.client(
    "codepipeline",
    config=Config(connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}),
)


@dataclass
class Pass:
    """The release goes on. `variables` are for later actions: #{namespace.name}, where the action has a namespace."""

    summary: str = "passed"
    variables: dict = field(default_factory=dict)


@dataclass
class Wait:
    """Not yet: the function is asked again soon, with `token` in job["data"]["continuationToken"]; for 24 hours at most."""

    token: str
    summary: str = "still checking"


class Refuse(Exception):
    """The release stops, with this message. `kind` is JobFailed, ConfigurationError, PermissionError, …"""

    def __init__(self, message, kind="JobFailed"):
        super().__init__(message)
        self.kind = kind


# >>> your check
def validate(parameters, job, credentials):
    """Returns Pass or Wait, or raises. The example: user_parameters = { closed_on = ["Friday"] } lets none pass on Fridays.

    parameters: the gate's user_parameters: a value where they are JSON, else the text; {} where there are none
    job: the job's id, account and data; job["data"]["inputArtifacts"] says where the artifacts are
    credentials: for reading those artifacts from S3, and for nothing else; never log them
    """
    today = datetime.now(timezone.utc).strftime("%A")
    if today in parameters.get("closed_on", []):
        raise Refuse(f"no release on a {today}")
    return Pass(f"{today} is open", {"weekday": today})
# <<< your check


def handler(event, context):
    job = event["CodePipeline.job"]
    credentials = job["data"].pop("artifactCredentials", None)  # From here on, the event can be logged.
    log.info("asked: %s", json.dumps(event))

    # The check has a thread of its own, so that this one answers when its time is up; what comes later is not heard.
    answers = []
    check = threading.Thread(target=lambda: answers.append(decide(job, credentials)), daemon=True)
    check.start()
    left = context.get_remaining_time_in_millis() / 1000
    check.join(max(left - ANSWER_SECONDS, left / 2))
    late = Refuse("the check was not done in time: give the function a longer timeout, or return Wait")
    answer(job["id"], answers[0] if answers else late, context.aws_request_id)
    # No error leaves this function: Lambda would run the check again, for a job that is answered.


def decide(job, credentials):
    """The check's answer. Whatever it raises, SystemExit included, refuses the release."""
    try:
        text = job["data"]["actionConfiguration"]["configuration"].get("UserParameters") or "{}"
        try:
            parameters = json.loads(text)
        except ValueError:
            parameters = text
        given = validate(parameters, job, credentials)
        if isinstance(given, (Pass, Wait)):
            return given
        return Refuse(f"validate returned {type(given).__name__} instead of Pass or Wait", "ConfigurationError")
    except Refuse as refusal:
        return refusal
    except BaseException as error:
        log.exception("the check failed")
        return Refuse(f"{type(error).__name__}: {error}")


def answer(job_id, given, run):
    """Tells CodePipeline, with the execution role's credentials; `run` leads from the action's details to these logs."""
    log.info("answer: %r", given)
    try:
        if isinstance(given, Refuse):
            message = str(given)[:5000] or "refused"  # The API's limits: 1 to 5,000 characters, and 2,048 for a summary.
            details = {"type": given.kind, "message": message, "externalExecutionId": run}
            codepipeline.put_job_failure_result(jobId=job_id, failureDetails=details)
            return
        more = {"executionDetails": {"summary": given.summary[:2048] or "-", "externalExecutionId": run}}
        if isinstance(given, Wait):
            more["continuationToken"] = given.token
        elif given.variables:
            more["outputVariables"] = {name: str(value) for name, value in given.variables.items()}
        codepipeline.put_job_success_result(jobId=job_id, **more)
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        log.error("CodePipeline did not take the answer: %s. %s", error, MEND.get(code, OTHERWISE))
        if code in UNSOUND and getattr(given, "kind", None) != "ConfigurationError":
            # What was said is at fault, and the job is still open: better a reason now than silence for 20 minutes.
            answer(job_id, Refuse(f"CodePipeline did not take the answer: {error}", "ConfigurationError"), run)


UNSOUND = (
    "TypeError",
    "AttributeError",
    "ParamValidationError",
    "ValidationException",
    "OutputVariablesSizeExceededException",
)
OTHERWISE = "Without an answer the action fails after 20 minutes: `crossgate diagnose`."
MEND = {
    "AccessDeniedException": "The function's execution role lacks codepipeline:PutJobSuccessResult and PutJobFailureResult: "
    "run `crossgate check`, then `crossgate bootstrap`.",
    "InvalidJobStateException": "The job was answered already, or given up after 20 minutes: nothing is left to do.",
    "JobNotFoundException": "The job is over, or of another account or region: nothing is left to do here.",
}
