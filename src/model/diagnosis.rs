//! Why a gate does not work, as a value: causes with stable codes, how sure each is, the evidence, and what mends it.
//! Values only: `diagnose` decides, `output` shows.

use super::execution::ExecutionId;
use super::name::GateName;

/// Everything that can be said of a gate. A code never changes its meaning; a new cause gets a new code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The gate let the last execution go on.
    Works,
    /// The function answered no.
    SaidNo,
    /// The function has been called, and may still answer.
    StillRunning,
    /// The execution has not come to the gate yet.
    NotReached,
    /// No execution has come to the gate since it stands in the pipeline.
    NotRunYet,
    /// What is needed could not be read.
    NotReadable,
    /// There is no such pipeline.
    PipelineMissing,
    /// The pipeline has no such action.
    NotWired,
    /// Something is not as the manifest wants it.
    Drift,
    /// CodePipeline may not take the service role.
    ServiceRoleRefused,
    /// The service role may not take the invoke role, by its own policies.
    AssumeNotGranted,
    /// The invoke role is not there, or does not trust the service role.
    AssumeNotTrusted,
    /// Something forbids the service role to take the invoke role.
    AssumeForbidden,
    /// The invoke role may not invoke the function, or not list functions.
    InvokeRefused,
    /// The execution role may not answer.
    CallbackDenied,
    /// It was refused when it ran, and is allowed now.
    RefusedThen,
    /// There is no such function.
    FunctionMissing,
    /// A function of that name stands somewhere else.
    FunctionElsewhere,
    /// The function cannot run.
    FunctionNotActive,
    /// The function failed before it answered.
    FunctionFailed,
    /// Lambda stopped the function before it answered.
    FunctionTimedOut,
    /// The function answered with credentials that are not its own.
    WrongCredentials,
    /// The function never answered.
    NeverCalledBack,
    /// The function answered a job that was answered already.
    AnsweredTwice,
    /// The way into the stage is closed.
    StageDisabled,
    /// A newer execution took the place of this one.
    Superseded,
    /// The execution ended before the gate had answered.
    EndedBefore,
    /// Artifacts, or the key that they are encrypted with, cannot be used.
    ArtifactUnreadable,
    /// Lambda lets the function not run, or not now.
    Throttled,
}

/// What a cause says of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is wrong with it.
    Fine,
    /// It does not work.
    Broken,
    /// Nobody can tell.
    Unknown,
}

impl Cause {
    /// All of them, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::Works,
        Self::SaidNo,
        Self::StillRunning,
        Self::NotReached,
        Self::NotRunYet,
        Self::NotReadable,
        Self::PipelineMissing,
        Self::NotWired,
        Self::Drift,
        Self::ServiceRoleRefused,
        Self::AssumeNotGranted,
        Self::AssumeNotTrusted,
        Self::AssumeForbidden,
        Self::InvokeRefused,
        Self::CallbackDenied,
        Self::RefusedThen,
        Self::FunctionMissing,
        Self::FunctionElsewhere,
        Self::FunctionNotActive,
        Self::FunctionFailed,
        Self::FunctionTimedOut,
        Self::WrongCredentials,
        Self::NeverCalledBack,
        Self::AnsweredTwice,
        Self::StageDisabled,
        Self::Superseded,
        Self::EndedBefore,
        Self::ArtifactUnreadable,
        Self::Throttled,
    ];

    /// The stable code: 0xx nothing wrong or not known, 1xx wiring, 2xx permissions, 3xx function, 4xx answers, 5xx pipeline, 6xx
    /// artifacts, 7xx throttling.
    pub fn code(self) -> &'static str {
        match self {
            Self::Works => "CG-001",
            Self::SaidNo => "CG-002",
            Self::StillRunning => "CG-003",
            Self::NotReached => "CG-004",
            Self::NotRunYet => "CG-005",
            Self::NotReadable => "CG-009",
            Self::PipelineMissing => "CG-101",
            Self::NotWired => "CG-102",
            Self::Drift => "CG-103",
            Self::ServiceRoleRefused => "CG-201",
            Self::AssumeNotGranted => "CG-202",
            Self::AssumeNotTrusted => "CG-203",
            Self::AssumeForbidden => "CG-204",
            Self::InvokeRefused => "CG-205",
            Self::CallbackDenied => "CG-206",
            Self::RefusedThen => "CG-207",
            Self::FunctionMissing => "CG-301",
            Self::FunctionElsewhere => "CG-302",
            Self::FunctionNotActive => "CG-303",
            Self::FunctionFailed => "CG-304",
            Self::FunctionTimedOut => "CG-305",
            Self::WrongCredentials => "CG-401",
            Self::NeverCalledBack => "CG-402",
            Self::AnsweredTwice => "CG-403",
            Self::StageDisabled => "CG-501",
            Self::Superseded => "CG-502",
            Self::EndedBefore => "CG-503",
            Self::ArtifactUnreadable => "CG-601",
            Self::Throttled => "CG-701",
        }
    }

    /// What it is, in one line, as a sentence without its full stop.
    pub fn title(self) -> &'static str {
        match self {
            Self::Works => "the gate let the pipeline go on",
            Self::SaidNo => "the gate said no: it works, and the function refused",
            Self::StillRunning => "the function may still answer",
            Self::NotReached => "the execution has not come to the gate yet",
            Self::NotRunYet => "no execution has come to the gate since it was wired",
            Self::NotReadable => "what is needed could not be read",
            Self::PipelineMissing => "there is no such pipeline",
            Self::NotWired => "the gate is not in the pipeline",
            Self::Drift => "the wiring is not as the manifest wants it",
            Self::ServiceRoleRefused => "CodePipeline may not take the pipeline's service role",
            Self::AssumeNotGranted => {
                "the service role's own policies do not let it take the invoke role"
            }
            Self::AssumeNotTrusted => "the invoke role does not let the service role take it",
            Self::AssumeForbidden => {
                "a Deny, a boundary or a control policy keeps the service role from the invoke role"
            }
            Self::InvokeRefused => "the invoke role may not invoke the function",
            Self::CallbackDenied => "the function may not answer: its execution role is refused",
            Self::RefusedThen => "a call was refused when it ran, and is allowed now",
            Self::FunctionMissing => "the function does not exist",
            Self::FunctionElsewhere => "the function stands in another region or account",
            Self::FunctionNotActive => "the function cannot run",
            Self::FunctionFailed => "the function failed before it answered",
            Self::FunctionTimedOut => "Lambda stopped the function before it answered",
            Self::WrongCredentials => "the function answered with credentials that are not its own",
            Self::NeverCalledBack => "the function never answered the pipeline",
            Self::AnsweredTwice => "the function answered a job that was no longer open",
            Self::StageDisabled => "the way into the gate's stage is closed",
            Self::Superseded => "a newer execution took this one's place",
            Self::EndedBefore => "the execution ended before the gate had answered",
            Self::ArtifactUnreadable => "artifacts, or their key, cannot be used",
            Self::Throttled => "Lambda does not let the function run",
        }
    }

    /// What it says of the gate.
    pub fn kind(self) -> Kind {
        match self {
            Self::Works
            | Self::SaidNo
            | Self::StillRunning
            | Self::NotReached
            | Self::NotRunYet => Kind::Fine,
            Self::NotReadable => Kind::Unknown,
            Self::PipelineMissing
            | Self::NotWired
            | Self::Drift
            | Self::ServiceRoleRefused
            | Self::AssumeNotGranted
            | Self::AssumeNotTrusted
            | Self::AssumeForbidden
            | Self::InvokeRefused
            | Self::CallbackDenied
            | Self::RefusedThen
            | Self::FunctionMissing
            | Self::FunctionElsewhere
            | Self::FunctionNotActive
            | Self::FunctionFailed
            | Self::FunctionTimedOut
            | Self::WrongCredentials
            | Self::NeverCalledBack
            | Self::AnsweredTwice
            | Self::StageDisabled
            | Self::Superseded
            | Self::EndedBefore
            | Self::ArtifactUnreadable
            | Self::Throttled => Kind::Broken,
        }
    }
}

/// How sure it is that a cause is why the gate does not work. The surest is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// AWS, or the function's log, says so.
    Certain,
    /// It follows from how things stand.
    Likely,
    /// It is left over, or may bear on it.
    Possible,
}

impl Certainty {
    /// The name in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// What a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Where it was seen, for example `the action` or `the function's log`.
    pub from: &'static str,
    /// What was seen there; never a credential.
    pub text: String,
}

/// One step of mending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// What to do, as an order in one sentence.
    pub what: String,
    /// The command that does it, where one does.
    pub command: Option<String>,
}

/// One cause of one gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// How sure it is.
    pub certainty: Certainty,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What mends it, in the order of the steps.
    pub mend: Vec<Mend>,
}

/// What is said of one gate: never without a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The gate.
    pub gate: GateName,
    /// The execution that was looked at.
    pub execution: Option<ExecutionId>,
    /// The cause that is most certain.
    pub first: Finding,
    /// The others, the most certain first.
    pub others: Vec<Finding>,
    /// What else is worth knowing, for example that a log could not be read.
    pub notes: Vec<String>,
}

impl Diagnosis {
    /// All findings, the most certain first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// What is said of the gate as a whole: broken where anything is, even beside an answer that was a no.
    pub fn kind(&self) -> Kind {
        if self.first.cause.kind() == Kind::Unknown {
            return Kind::Unknown;
        }
        let broken = self.findings().any(|f| f.cause.kind() == Kind::Broken);
        if broken { Kind::Broken } else { Kind::Fine }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_of_the_form() {
        let codes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.code()).collect();
        assert!(codes.is_sorted());
        let unique: BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(unique.len(), codes.len());
        for code in codes {
            let digits = code.strip_prefix("CG-").unwrap_or_default();
            assert!(digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
