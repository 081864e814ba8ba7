//! Actions that run through a role of the project and are no gate of the manifest: imagined as gates, so that they can be torn down.
//! It decides which of them surely were gates; how they go is the teardown's.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::Region;
use crate::model::change::{Change, ChangeAction, ChangeKind};
use crate::model::function::{ExecutionRole, FunctionSpec, Package, Variables};
use crate::model::json_text::JsonText;
use crate::model::name::{ActionName, FunctionName, GateName, RolePath, StageName};
use crate::model::observed::Seen;
use crate::model::pipeline::ActionView;
use crate::model::read::Function;
use crate::model::wiring::{
    FunctionKey, Gate, GateAction, InvokeRole, PipelineKey, RoleKey, Trust, Wiring,
};

use super::super::Options;
use super::super::roles::{Ownership, ownership};
use super::super::unexpected::ONLY_WHEN_ASKED;
use super::scan::{FoundAction, Scan};

/// The manifest's gates, and beside them actions as if they were gates.
pub(super) struct Imagined {
    /// The selected gates are those that go; the manifest's own are not selected.
    pub(super) wiring: Wiring,
    /// Actions that may be somebody's own use of a role, shown and left.
    pub(super) held: Vec<Change>,
}

/// What an action is to the manifest.
enum Standing {
    /// It was a gate: nothing else runs through the role, which the project made.
    Gate,
    /// It may have been a gate, or be somebody's own use of the role.
    Unsure(&'static str),
    /// It stands where a gate of the manifest shall, with another role of the project (a conflict, which `plan` reports) or with
    /// another function (which a bootstrap sets right).
    Displaced,
}

pub(super) fn imagine(scan: &Scan<'_>, options: &Options) -> Imagined {
    let mut wiring = Wiring {
        selected: BTreeSet::new(),
        ..scan.wiring.clone()
    };
    let mut held = Vec::new();
    let claims = claims(scan.wiring);
    for found in scan.actions() {
        let Some((key, standing)) = standing(scan, &claims, &found) else {
            continue;
        };
        let goes = match &standing {
            Standing::Gate => true,
            Standing::Unsure(_) => options.remove_unexpected,
            Standing::Displaced => false,
        };
        let gate = gate(scan, &wiring, &found, &key);
        if let (Standing::Unsure(why), false) = (&standing, goes) {
            held.extend(shown(scan, &found, why, ONLY_WHEN_ASKED));
        } else if goes && gate.is_none() {
            let why = "it runs through a role of this project, and names no function";
            let stays = "take it out of the pipeline by hand";
            held.extend(shown(scan, &found, why, stays));
        }
        // What stays is imagined too: it needs its objects.
        if let Some(gate) = gate {
            if goes {
                wiring.selected.insert(gate.name.clone());
            }
            wiring.gates.push(gate);
        }
    }
    wiring.gates.sort_by(|one, other| one.name.cmp(&other.name));
    make_functions(scan, &mut wiring);
    Imagined { wiring, held }
}

/// The gates of the manifest by pipeline, stage and action.
type Claims<'w> = BTreeMap<(&'w PipelineKey, &'w str, &'w str), &'w Gate>;

fn claims(wiring: &Wiring) -> Claims<'_> {
    let gates = wiring.gates.iter();
    gates
        .map(|gate| {
            let GateAction { stage, name, .. } = &gate.action;
            ((&gate.pipeline, stage.as_str(), name.as_str()), gate)
        })
        .collect()
}

/// Whether the action runs through a role of the project without being the manifest's, and what it is then.
fn standing(
    scan: &Scan<'_>,
    claims: &Claims<'_>,
    found: &FoundAction<'_>,
) -> Option<(RoleKey, Standing)> {
    let arn = found.action.role_arn()?;
    if !found.action.is_lambda_invoke() {
        return None;
    }
    let (key, _, owner) = scan.project_role(arn)?;
    let gates = || scan.wiring.gates.iter();
    let place = (&found.pipeline, found.stage.name(), found.action.name());
    if let Some(gate) = claims.get(&place) {
        let is_as_wanted = gate.role_key() == key
            && function_name(found.action).as_ref() == Some(&gate.function.name);
        return (!is_as_wanted).then_some((key, Standing::Displaced));
    }
    let standing = match owner {
        Ownership::Adopted(_) => Standing::Unsure(
            "it runs through a role that this project adopted, and no gate of the manifest names it",
        ),
        Ownership::Ours if gates().any(|gate| gate.role_key() == key) => Standing::Unsure(
            "it runs through an invoke role of the manifest, and no gate of the manifest names it",
        ),
        Ownership::Ours => Standing::Gate,
        Ownership::OtherProject(_) | Ownership::Foreign => return None,
    };
    Some((key, standing))
}

/// The action as a gate; none where it names no function.
fn gate(scan: &Scan<'_>, so_far: &Wiring, found: &FoundAction<'_>, key: &RoleKey) -> Option<Gate> {
    let (_, detail, _) = scan.project_role(found.action.role_arn()?)?;
    let region = match found.action.region() {
        Some(region) => Region::new(region).ok()?,
        None => found.pipeline.region.clone(),
    };
    let same_role = scan.wiring.gates.iter().find(|g| g.role_key() == *key);
    let role = same_role.map_or_else(
        || InvokeRole {
            name: key.name.clone(),
            path: detail.role.arn.path.clone(),
            permissions_boundary: None,
            tags: BTreeMap::new(),
            trust: Trust::ServiceRole,
            list_functions: true,
        },
        |gate| gate.role.clone(),
    );
    Some(Gate {
        manage_artifacts: false,
        name: name(so_far, key)?,
        pipeline: found.pipeline.clone(),
        action: GateAction {
            stage: StageName::new(found.stage.name()).ok()?,
            name: ActionName::new(found.action.name()).ok()?,
            placement: None,
            run_order: None,
            user_parameters: None,
            input_artifacts: None,
            output_artifacts: None,
            namespace: None,
            timeout_minutes: None,
        },
        function: FunctionKey {
            account: key.account.clone(),
            region,
            name: function_name(found.action)?,
        },
        role,
    })
}

/// The name of the function that an action invokes: its own, or that of an ARN.
pub(super) fn function_name(action: ActionView<'_>) -> Option<FunctionName> {
    let text = action.function_name()?;
    let name = if text.starts_with("arn:") {
        text.split(':').nth(6)?
    } else {
        text
    };
    FunctionName::new(name).ok()
}

/// The gate's former name, where its role tells; else a number.
fn name(so_far: &Wiring, key: &RoleKey) -> Option<GateName> {
    let is_free = |name: &GateName| so_far.gates.iter().all(|gate| gate.name != *name);
    let prefix = format!("crossgate-{}-", so_far.project);
    let former = key.name.as_str().strip_prefix(&prefix);
    let former = former.and_then(|name| GateName::new(name).ok());
    let mut numbered = (1..).map_while(|n| GateName::new(&format!("orphan-{n}")).ok());
    former.filter(is_free).or_else(|| numbered.find(is_free))
}

/// Functions that crossgate made for gates that are gone are the wiring's to remove, with the roles that it made for them.
fn make_functions(scan: &Scan<'_>, wiring: &mut Wiring) {
    for (key, found) in scan.made_functions() {
        let is_manifests = scan.wiring.gates.iter().any(|gate| gate.function == key);
        let is_imagined = wiring.gates.iter().any(|gate| gate.function == key);
        if is_imagined && !is_manifests {
            let role = execution_role(scan, &key, found);
            wiring.functions.insert(key, spec(role));
        }
    }
}

pub(super) fn execution_role(
    scan: &Scan<'_>,
    key: &FunctionKey,
    found: &Function,
) -> ExecutionRole {
    let role = RoleKey {
        account: key.account.clone(),
        name: found.role.name.clone(),
    };
    match scan.observed.role(&role) {
        Seen::Present(seen)
            if seen.arn == found.role
                && seen.arn.path == RolePath::default()
                && ownership(scan.wiring, seen) == Ownership::Ours =>
        {
            ExecutionRole::Made(role.name)
        }
        _ => ExecutionRole::Existing(found.role.clone()),
    }
}

/// What a teardown asks of a function's description is its role.
pub(super) fn spec(role: ExecutionRole) -> FunctionSpec {
    FunctionSpec {
        package: Package {
            zip: [].into(),
            sha256: String::new(),
            files: 0,
            unzipped: 0,
        },
        runtime: String::new(),
        handler: String::new(),
        timeout_seconds: 0,
        memory_mb: 0,
        environment: Variables::default(),
        role,
        tags: BTreeMap::new(),
    }
}

fn shown(scan: &Scan<'_>, found: &FoundAction<'_>, why: &str, held: &str) -> Option<Change> {
    let PipelineKey {
        account, region, ..
    } = &found.pipeline;
    let account_id = scan.wiring.account_id(account)?;
    let (kind, resource) = (ChangeKind::PipelineAction, found.resource());
    Some(Change {
        id: format!("{}/{account_id}/{region}/{resource}", kind.as_str()),
        account: account.clone(),
        account_id: account_id.clone(),
        region: Some(region.clone()),
        kind,
        resource,
        action: ChangeAction::Delete,
        gates: Vec::new(),
        reason: why.to_owned(),
        before: Some(JsonText::of(found.action.json())),
        after: None,
        held: Some(held.to_owned()),
    })
}
