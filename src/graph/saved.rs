//! Facts from a saved JSON result of `plan`, `check` or `verify` (design.md, "Commands"): a picture without asking AWS again.
//! It takes nothing for granted: a result of another command, format or project is refused, and so is one of a shape it does not know.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use crate::model::chain::HopId;
use crate::model::graph::{Source, State};
use crate::model::wiring::Wiring;

use super::facts::{ChangeFact, Facts, HopFact, ProblemFact, SeenNames};

/// A text that is not a result to draw from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SavedError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// A value is missing or has another type.
    #[error("`{0}` is missing, or is not what crossgate writes there")]
    Shape(String),
    /// Another version of the format.
    #[error("its format_version is {0}, and this crossgate reads 1")]
    Version(String),
    /// Another command's result.
    #[error("it is a result of `{0}`; one of plan, check or verify is expected")]
    Command(String),
    /// Another project's result.
    #[error("it is about the project `{found}`, and the manifest is `{wanted}`")]
    Project {
        /// The file's.
        found: String,
        /// The manifest's.
        wanted: String,
    },
    /// The run ended before it had a result.
    #[error("the run had failed before it had a result: {0}")]
    Failed(String),
}

/// Reads a result.
///
/// # Errors
/// [`SavedError`], which says what is wrong with the text.
pub fn parse(text: &str, wiring: &Wiring) -> Result<Facts, SavedError> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| SavedError::NotJson(error.to_string()))?;
    let version = value.get("format_version").unwrap_or(&Value::Null);
    if version.as_u64() != Some(1) {
        return Err(SavedError::Version(version.to_string()));
    }
    let source = match field(&value, "command")?.as_str() {
        "plan" => Source::Plan,
        "check" => Source::Check,
        "verify" => Source::Verify,
        other => return Err(SavedError::Command(other.to_owned())),
    };
    let mut problems = list(&value, "problems", problem)?;
    let Some(project) = value.get("project").and_then(Value::as_str) else {
        let first = problems.into_iter().next().map(|problem| problem.message);
        return Err(SavedError::Failed(first.unwrap_or_default()));
    };
    if project != wiring.project.as_str() {
        return Err(SavedError::Project {
            found: project.to_owned(),
            wanted: wiring.project.to_string(),
        });
    }
    let proof = match source {
        Source::Verify => Some(&value),
        Source::Manifest | Source::Plan | Source::Check => value.get("verify"),
    };
    let chains = proof.map(|proof| list(proof, "gates", chain)).transpose()?;
    for (gate, _, findings) in chains.iter().flatten() {
        problems.extend(findings.iter().map(|finding| ProblemFact {
            gates: vec![gate.clone()],
            ..finding.clone()
        }));
    }
    let chains: Option<BTreeMap<_, _>> = chains.map(|all| {
        all.into_iter()
            .map(|(gate, hops, _)| (gate, hops))
            .collect()
    });
    let changes = match source {
        Source::Verify => None,
        Source::Manifest | Source::Plan | Source::Check => Some(list(&value, "changes", change)?),
    };
    Ok(Facts {
        source,
        changes,
        problems,
        seen: seen(wiring, chains.as_ref()),
        chains,
    })
}

/// The names of roles, as far as the hops tell them.
fn seen(wiring: &Wiring, chains: Option<&BTreeMap<String, Vec<HopFact>>>) -> SeenNames {
    let mut seen = SeenNames::default();
    for gate in &wiring.gates {
        let hops = chains.and_then(|chains| chains.get(gate.name.as_str()));
        for hop in hops.into_iter().flatten() {
            match hop.id {
                HopId::Zero => {
                    if let Some(name) = role_name(&hop.resource) {
                        seen.service_roles.insert(gate.pipeline.clone(), name);
                    }
                }
                HopId::Three => {
                    if let Some(name) = role_name(&hop.caller) {
                        seen.execution_roles.insert(gate.function.clone(), name);
                    }
                }
                HopId::One | HopId::Two | HopId::TwoPrime | HopId::Four | HopId::Five => {}
            }
        }
    }
    seen
}

fn role_name(arn: &str) -> Option<String> {
    let role = crate::model::arn::RoleArn::parse(arn).ok()?;
    Some(role.name.to_string())
}

fn change(value: &Value) -> Result<ChangeFact, SavedError> {
    Ok(ChangeFact {
        account_id: field(value, "account_id")?,
        region: optional(value, "region"),
        kind: field(value, "kind")?,
        resource: field(value, "resource")?,
        state: match field(value, "action")?.as_str() {
            "create" => State::Create,
            "update" => State::Update,
            "delete" => State::Delete,
            _ => return Err(SavedError::Shape("action".to_owned())),
        },
        gates: list(value, "gates", text)?,
        reason: field(value, "reason")?,
        held: optional(value, "held"),
    })
}

fn problem(value: &Value) -> Result<ProblemFact, SavedError> {
    Ok(ProblemFact {
        account: optional(value, "account"),
        gates: list(value, "gates", text)?,
        state: match field(value, "severity")?.as_str() {
            "warning" => State::Wanted,
            "blocked" | "error" => State::Blocked,
            "incomplete" => State::Unknown,
            _ => return Err(SavedError::Shape("severity".to_owned())),
        },
        message: field(value, "message")?,
        hint: optional(value, "hint"),
        of_objects: true,
    })
}

type ChainFact = (String, Vec<HopFact>, Vec<ProblemFact>);

fn chain(value: &Value) -> Result<ChainFact, SavedError> {
    Ok((
        field(value, "name")?,
        list(value, "hops", hop)?,
        list(value, "findings", finding)?,
    ))
}

fn hop(value: &Value) -> Result<HopFact, SavedError> {
    let id = field(value, "hop")?;
    let all = [
        HopId::Zero,
        HopId::One,
        HopId::Two,
        HopId::TwoPrime,
        HopId::Three,
        HopId::Four,
        HopId::Five,
    ];
    let id = all.into_iter().find(|known| known.as_str() == id);
    Ok(HopFact {
        id: id.ok_or_else(|| SavedError::Shape("hop".to_owned()))?,
        caller: field(value, "caller")?,
        action: field(value, "action")?,
        resource: field(value, "resource")?,
        state: match field(value, "standing")?.as_str() {
            "proven" => State::Allowed,
            "refuted" => State::Denied,
            "not_proven" => State::NotProven,
            _ => return Err(SavedError::Shape("standing".to_owned())),
        },
        reason: field(value, "reason")?,
        mend: optional(value, "mend"),
    })
}

fn finding(value: &Value) -> Result<ProblemFact, SavedError> {
    Ok(ProblemFact {
        account: None,
        gates: Vec::new(),
        state: match field(value, "weight")?.as_str() {
            "remark" => State::Wanted,
            "breaks" => State::Blocked,
            "unseen" => State::Unknown,
            _ => return Err(SavedError::Shape("weight".to_owned())),
        },
        message: field(value, "message")?,
        hint: optional(value, "mend"),
        of_objects: false,
    })
}

fn text(value: &Value) -> Result<String, SavedError> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| SavedError::Shape("gates".to_owned()))
}

fn field(value: &Value, key: &str) -> Result<String, SavedError> {
    optional(value, key).ok_or_else(|| SavedError::Shape(key.to_owned()))
}

fn optional(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn list<T>(
    value: &Value,
    key: &str,
    each: impl Fn(&Value) -> Result<T, SavedError>,
) -> Result<Vec<T>, SavedError> {
    let items = value.get(key).and_then(Value::as_array);
    let items = items.ok_or_else(|| SavedError::Shape(key.to_owned()))?;
    items.iter().map(each).collect()
}
