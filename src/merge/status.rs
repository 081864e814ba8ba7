//! How the whole ended, from its changes, problems and chains: by the rules of `plan` and `verify`, not from how the parts ended.
//! Words of the JSON only.

use serde_json::Value;

use super::problems::severity;
use super::text;
use crate::model::chain::Standing;
use crate::model::change::Severity;
use crate::model::status::Status;
use crate::plan::{self, Seen};
use crate::verify;

/// The gravest of the chains. Without a chain nothing is proven.
pub(super) fn standing(chains: &[&Value]) -> Standing {
    let standings = chains.iter().map(|chain| match text(chain, "standing") {
        "proven" => Standing::Proven,
        "refuted" => Standing::Refuted,
        _ => Standing::NotProven,
    });
    standings.max().unwrap_or(Standing::NotProven)
}

/// The status that a run about all would have had.
pub(super) fn of(
    command: &str,
    changes: &[Value],
    problems: &[Value],
    standing: Option<Standing>,
) -> Status {
    let seen = Seen {
        gravest: problems.iter().filter_map(grade).max(),
        wrong_account: problems.iter().any(|p| text(p, "code") == "wrong_account"),
        only_asked_wrong: changes.is_empty()
            && problems
                .iter()
                .filter(|p| text(p, "severity") == "blocked")
                .all(|p| text(p, "code") == "secret_not_masked"),
        changes: !changes.is_empty(),
    };
    // A run that ended before it had looked at anything: nothing is known of its part.
    if problems
        .iter()
        .any(|problem| severity(problem) > INCOMPLETE)
    {
        return Status::Failed;
    }
    let proven = standing.map(verify::status_of);
    match command {
        "plan" => plan::status_of_plan(seen),
        "check" => {
            let drift = plan::status_of_check(seen);
            proven.map_or(drift, |proven| verify::worse(drift, proven))
        }
        _ if seen.wrong_account => Status::Failed,
        _ => {
            let proven = proven.unwrap_or(Status::Incomplete);
            if seen.gravest == Some(Severity::Incomplete) {
                verify::worse(proven, Status::Incomplete)
            } else {
                proven
            }
        }
    }
}

fn grade(problem: &Value) -> Option<Severity> {
    [Severity::Warning, Severity::Blocked, Severity::Incomplete]
        .into_iter()
        .find(|severity| severity.as_str() == text(problem, "severity"))
}

/// Where [`severity`] puts what could not be seen.
const INCOMPLETE: usize = 2;
