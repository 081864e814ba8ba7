//! The refusals and warnings of a request that need no more than the request and the document as it is.
//! Words only: `patch` decides when they are due.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::name::GateName;
use super::super::secret::ActionSecret;
use super::masked::MaskedSecret;
use super::request::{PatchRequest, Refusal, Warning};
use super::view::ActionView;
use super::{ActionSpec, PipelineDocument};

pub(super) fn refuse_twins(request: &PatchRequest) -> Vec<Refusal> {
    let mut seen = HashSet::new();
    let mut puts = request.put.iter();
    if puts.all(|spec| seen.insert((&spec.action.stage, &spec.action.name))) {
        return Vec::new();
    }
    let mut places: BTreeMap<_, BTreeSet<&GateName>> = BTreeMap::new();
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for spec in &request.put {
        let place = (&spec.action.stage, &spec.action.name);
        places.entry(place).or_default().insert(&spec.gate);
        *counts.entry(place).or_default() += 1;
    }
    places.retain(|place, _| counts.get(place).is_some_and(|count| *count > 1));
    let refusal = |((stage, action), gates): (_, BTreeSet<&GateName>)| Refusal {
        code: "action_twice",
        gates: gates.into_iter().cloned().collect(),
        message: format!("action {action} in stage {stage} is wanted more than once"),
        hint: "give each gate an action of its own".to_owned(),
    };
    places.into_iter().map(refusal).collect()
}

pub(super) fn refuse_source(spec: &ActionSpec) -> Refusal {
    Refusal {
        code: "source_stage",
        gates: vec![spec.gate.clone()],
        message: format!(
            "stage {} is the pipeline's first stage, which holds source actions only",
            spec.action.stage
        ),
        hint: "put the gate into a later stage, or into a stage of its own".to_owned(),
    }
}

pub(super) fn refuse_conflict(spec: &ActionSpec, existing: ActionView<'_>) -> Refusal {
    let (stage, name) = (&spec.action.stage, &spec.action.name);
    let (why, hint) = if existing.is_lambda_invoke() {
        let why = match existing.role_arn() {
            Some(role) if spec.role_arn.is(role) => {
                "its action type has another version".to_owned()
            }
            Some(role) => format!("its roleArn is {role}"),
            None => "it has no roleArn of its own".to_owned(),
        };
        (
            why,
            "name another action, or take this one over with --adopt",
        )
    } else {
        let kind = [existing.category(), existing.owner(), existing.provider()];
        let kind = kind.map(|part| part.unwrap_or("?")).join("/");
        (
            format!("it is {kind}, not Invoke/AWS/Lambda"),
            "name another action: one of another type cannot be adopted",
        )
    };
    Refusal {
        code: "action_conflict",
        gates: vec![spec.gate.clone()],
        message: format!("action {name} in stage {stage} is there and is not ours: {why}"),
        hint: hint.to_owned(),
    }
}

pub(super) fn refuse_secret(document: &PipelineDocument, secret: &ActionSecret) -> Refusal {
    let ActionSecret {
        stage,
        action,
        key,
        value: _,
    } = secret;
    let masked = document.masked_secrets();
    let places: Vec<String> = masked
        .iter()
        .filter(|m| m.place.is_some())
        .map(ToString::to_string)
        .collect();
    Refusal {
        code: "secret_not_masked",
        gates: Vec::new(),
        message: format!("{stage}/{action}/{key} is not a masked value of the pipeline"),
        hint: if places.is_empty() {
            "the pipeline has no masked value: leave out --secret".to_owned()
        } else {
            format!("the masked values are: {}", places.join(", "))
        },
    }
}

/// api: ActionDeclaration says of `timeoutInMinutes` that it "is available only to the manual approval ActionType".
pub(super) fn timeout_warnings(request: &PatchRequest) -> Vec<Warning> {
    let mut gates: Vec<&ActionSpec> = request.put.iter().collect();
    gates.retain(|spec| spec.action.timeout_minutes.is_some());
    gates.sort_by_key(|spec| &spec.gate);
    let warning = |spec: &ActionSpec| Warning {
        code: "timeout_on_lambda",
        gates: vec![spec.gate.clone()],
        message: format!(
            "gate {} names timeout_minutes, which AWS documents for manual approvals only: it may refuse the pipeline or ignore the value",
            spec.gate
        ),
    };
    gates.into_iter().map(warning).collect()
}

pub(super) fn mask_warnings(document: &PipelineDocument) -> Vec<Warning> {
    let mut masked = document.masked_secrets();
    masked.retain(|m| !document.secrets.iter().any(|secret| m.is_for(secret)));
    let warning = |masked: &MaskedSecret| Warning {
        code: "masked_secret",
        gates: Vec::new(),
        message: if masked.place.is_some() {
            format!(
                "{masked} is masked (****) and is sent back so: AWS keeps the stored value; --secret {masked}=env:NAME sends the real one"
            )
        } else {
            format!("{masked} is masked (****) and is sent back so: AWS keeps the stored value")
        },
    };
    masked.iter().map(warning).collect()
}
