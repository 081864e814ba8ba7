//! What an action's error means: AWS's own words for a hop that was refused, or the function's own answer.
//! It sorts words; whether they still hold is decided on what was read.
//!
//! AWS documents none of these messages. Quoted in public are: `… is not authorized to perform AssumeRole on role …`
//! (aws/aws-cdk#11353), `The service role or action role doesn't have the permissions required to access the AWS … Error: User: … is
//! not authorized to perform: …`; from memory, unverified: `The AWS Lambda function … failed to return a result`, `Unable to access
//! the artifact with Amazon S3 object key …`. So words are looked for, not whole messages.

use crate::model::execution::ActionError;

/// What an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// A role could not be taken.
    Assume,
    /// The function could not be invoked.
    Invoke,
    /// There is no such function.
    NoFunction,
    /// AWS asked to slow down.
    Throttled,
    /// An artifact, its bucket or key could not be used.
    Artifact,
    /// The function did not answer in time.
    NoAnswer,
    /// What the function said.
    Own,
}

/// Sorts an error. `ours`: names of the roles and the function of the gate; a message with an ARN that names none of them is
/// about something else, which only the function can mean. `ran`: the log shows that the function ran, so that what CodePipeline
/// does before is no longer in question. `artifacts`: the action takes or makes some; else a refused bucket is one that the function
/// looks at.
pub(super) fn said(error: &ActionError, ours: &[&str], ran: bool, artifacts: bool) -> Said {
    let ActionError { code, message } = error;
    let message = message.as_deref().unwrap_or_default();
    let text = format!("{} {message}", code.as_deref().unwrap_or_default()).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["failed to return a result"]) {
        return Said::NoAnswer;
    }
    let denied = has(&[
        "access denied",
        "accessdenied",
        "not authorized",
        "permission",
    ]);
    let stored = has(&[
        "artifact",
        "s3",
        "kms",
        "bucket",
        "decrypt",
        // The SDKs name the operation, and neither the service nor the bucket.
        "getobject",
        "putobject",
    ]);
    if denied && stored && (artifacts || has(&["artifact"])) {
        return Said::Artifact;
    }
    let foreign = message.contains("arn:") && !ours.iter().any(|name| message.contains(name));
    if ran || foreign {
        return Said::Own;
    }
    if has(&["assumerole", "assume role", "assume the role", "be assumed"]) {
        return Said::Assume;
    }
    let about_function = has(&["function"]);
    if has(&["lambda:invokefunction", "lambda:listfunctions"])
        || (about_function && has(&["permissions required to access"]))
    {
        return Said::Invoke;
    }
    if about_function
        && has(&[
            "does not exist",
            "cannot be found",
            "could not be found",
            "not found",
        ])
    {
        return Said::NoFunction;
    }
    if has(&[
        "rate exceeded",
        "toomanyrequests",
        "throttl",
        "reservedconcurrent",
    ]) {
        return Said::Throttled;
    }
    Said::Own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, message: &str) -> ActionError {
        ActionError {
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
        }
    }

    const OURS: &[&str] = &["ServiceRole", "InvokeRole", "MyFunction"];

    #[test]
    fn the_words_of_aws_are_known() {
        for (message, expected) in [
            (
                "arn:aws:iam::111111111111:role/ServiceRole is not authorized to perform AssumeRole on role \
                 arn:aws:iam::222222222222:role/InvokeRole",
                Said::Assume,
            ),
            (
                "The service role or action role doesn't have the permissions required to access the AWS Lambda function \
                 MyFunction.",
                Said::Invoke,
            ),
            (
                "User: arn:aws:sts::222222222222:assumed-role/InvokeRole/x is not authorized to perform: lambda:ListFunctions",
                Said::Invoke,
            ),
            (
                "The AWS Lambda function MyFunction cannot be found",
                Said::NoFunction,
            ),
            (
                "The AWS Lambda function MyFunction failed to return a result. Check the function to verify that it has permission",
                Said::NoAnswer,
            ),
            ("Rate exceeded", Said::Throttled),
            (
                "Unable to access the artifact with Amazon S3 object key 'k'. The provided role does not have sufficient permissions.",
                Said::Artifact,
            ),
            ("two checks failed", Said::Own),
            ("", Said::Own),
        ] {
            assert_eq!(
                said(&of("JobFailed", message), OURS, false, false),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn a_refusal_that_the_function_met_is_its_own_answer() {
        let message = "User: arn:aws:sts::222222222222:assumed-role/Exec/f is not authorized to perform: sts:AssumeRole on \
                       resource: arn:aws:iam::333333333333:role/Audit";
        assert_eq!(
            said(&of("JobFailed", message), OURS, false, false),
            Said::Own
        );
        let bucket = of(
            "JobFailed",
            "AccessDenied when calling GetObject of s3://reports",
        );
        assert_eq!(said(&bucket, OURS, true, false), Said::Own);
        assert_eq!(said(&bucket, OURS, true, true), Said::Artifact);
        let bare = of(
            "JobFailed",
            "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
        );
        assert_eq!(said(&bare, OURS, true, false), Said::Own);
        assert_eq!(said(&bare, OURS, true, true), Said::Artifact);
        let ours = "ServiceRole is not authorized to perform AssumeRole";
        assert_eq!(said(&of("JobFailed", ours), OURS, true, false), Said::Own);
    }
}
