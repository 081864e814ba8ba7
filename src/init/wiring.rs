//! A wiring that somebody made by hand: which actions of a pipeline invoke a function of another account, and what they say.
//! It describes what stands there; nothing is judged or mended.

use std::collections::BTreeSet;

use super::place::Wanted;
use crate::model::account::{AccountId, Region};
use crate::model::arn::RoleArn;
use crate::model::name::{ActionName, ArtifactName, FunctionName, Namespace, StageName};
use crate::model::pipeline::{ActionView, PipelineDocument, StageView};
use crate::model::wiring::GateAction;

/// An action that invokes a function through a role of the function's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The function.
    pub function: FunctionName,
    /// The action's region, where it names one: the function's.
    pub region: Option<Region>,
    /// The role through which it is invoked.
    pub role: RoleArn,
    /// The action as a manifest would say it; what is empty or default there is not named.
    pub action: GateAction,
}

/// The actions of the pipeline that invoke a function through a role of this account, in order.
pub fn wirings(document: &PipelineDocument, account: &AccountId) -> Vec<Found> {
    let of_stage = |stage: StageView<'_>| -> Vec<Found> {
        let actions = stage.actions();
        actions
            .filter_map(|action| found(stage, action))
            .filter(|found| found.role.account == *account)
            .collect()
    };
    document.stages().flat_map(of_stage).collect()
}

/// `STAGE/ACTION` of each action that invokes a function of that name without a role of its own: one of the pipeline's
/// account, whatever its account's function of that name is.
pub fn bare(document: &PipelineDocument, function: &FunctionName) -> Vec<String> {
    let mut bare = Vec::new();
    for stage in document.stages() {
        let actions = stage.actions().filter(|action| {
            action.is_lambda_invoke()
                && !action.is_gate()
                && action.function_name() == Some(function.as_str())
        });
        bare.extend(actions.map(|action| format!("{}/{}", stage.name(), action.name())));
    }
    bare
}

impl Found {
    /// True where it is what is asked for; where a moved stage goes is no part of that.
    pub fn fits(&self, function: Option<&FunctionName>, wanted: &Wanted) -> bool {
        let Wanted {
            stage,
            action,
            placement: _,
        } = wanted;
        function.is_none_or(|name| *name == self.function)
            && stage.as_ref().is_none_or(|name| *name == self.action.stage)
            && action.as_ref().is_none_or(|name| *name == self.action.name)
    }
}

fn found(stage: StageView<'_>, action: ActionView<'_>) -> Option<Found> {
    if !action.is_gate() {
        return None;
    }
    let region = match action.region() {
        Some(region) => Some(Region::new(region).ok()?),
        None => None,
    };
    Some(Found {
        function: FunctionName::new(action.function_name()?).ok()?,
        region,
        role: RoleArn::parse(action.role_arn()?).ok()?,
        action: GateAction {
            stage: StageName::new(stage.name()).ok()?,
            name: ActionName::new(action.name()).ok()?,
            placement: None,
            run_order: u32::try_from(action.run_order())
                .ok()
                .filter(|order| (2..=999).contains(order)),
            user_parameters: action
                .user_parameters()
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            input_artifacts: artifacts(action.input_artifacts()),
            output_artifacts: artifacts(action.output_artifacts()),
            namespace: action.namespace().and_then(|n| Namespace::new(n).ok()),
            timeout_minutes: action
                .timeout_minutes()
                .and_then(|minutes| u32::try_from(minutes).ok())
                .filter(|minutes| (5..=86_400).contains(minutes)),
        },
    })
}

/// The artifacts as a manifest may name them; none where there are none, or where one of them could not be named: a key that
/// is not written leaves what stands there.
fn artifacts<'a>(names: impl Iterator<Item = &'a str>) -> Option<Vec<ArtifactName>> {
    let names: Option<Vec<ArtifactName>> = names.map(|n| ArtifactName::new(n).ok()).collect();
    let names = names.filter(|names| !names.is_empty())?;
    let distinct: BTreeSet<&ArtifactName> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}
