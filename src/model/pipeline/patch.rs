//! The patch: puts gates into a pipeline document and takes them out, and says what changes and what is refused.
//! It changes nothing but actions of the request and stages that are ours; the same request on the patched document is empty.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use super::super::arn::RoleArn;
use super::super::json_text::JsonText;
use super::super::name::{ActionName, GateName, StageName};
use super::action::{align, is_owned, new_action};
use super::notice;
use super::place::{WantedStage, place, predecessor};
use super::refuse::{self, Change};
use super::request::{Edit, EditKind, Patch, PatchRequest, Refusal, RemoveSpec, Warning};
use super::view::{ActionView, StageView, list};
use super::{ActionSpec, PipelineDocument};

/// A change while it is worked out.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) gate: GateName,
    pub(super) stage: StageName,
    pub(super) action: ActionName,
    pub(super) kind: EditKind,
    pub(super) reasons: Vec<String>,
    /// The stage itself is made, moved or removed.
    pub(super) stage_changed: bool,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// An action as an [`Edit`] shows it.
#[derive(Serialize)]
struct Shown<'a> {
    stage: &'a str,
    /// Where the stage itself is made, moved or removed: a name, or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_after: Option<Value>,
    action: &'a Value,
}

/// Puts and removes the actions of the request.
///
/// The result does not depend on the order of `put`, `remove` and `siblings`. Where nothing is refused, the same request on the
/// result has no edit.
pub fn patch(document: &PipelineDocument, request: &PatchRequest) -> Patch {
    let Patch {
        document,
        edits,
        refusals,
        warnings,
    } = patched(document, request);
    Patch {
        document: document.into_owned(),
        edits,
        refusals,
        warnings,
    }
}

/// The same; a document without an edit is the given one and no copy: most of a fleet's pipelines are in sync.
pub fn patched<'d>(
    document: &'d PipelineDocument,
    request: &PatchRequest,
) -> Patch<Cow<'d, PipelineDocument>> {
    let mut refusals = notice::refuse_twins(request);
    let mut refused = gates_of(&refusals);
    // A refused gate is left out and the rest is tried again: one gate's conflict does not hide the drift of another. Every
    // round refuses at least one more gate, so this ends.
    let attempt = loop {
        let attempt = Attempt::run(document, request, &refused);
        if attempt.refusals.is_empty() {
            break attempt;
        }
        let known = refused.len();
        refused.extend(gates_of(&attempt.refusals));
        if refused.len() == known {
            refused.extend(request.put.iter().map(|spec| spec.gate.clone()));
            refused.extend(request.remove.iter().map(|spec| spec.gate.clone()));
        }
        refusals.extend(attempt.refusals);
    };
    let (secrets, wrong): (Vec<_>, Vec<_>) = request
        .secrets
        .iter()
        .cloned()
        .partition(|secret| document.has_masked(secret));
    refusals.extend(wrong.iter().map(|s| notice::refuse_secret(document, s)));
    let mut warnings = attempt.warnings.clone();
    warnings.extend(notice::timeout_warnings(request));
    let edits = attempt.edits(document);
    if edits.is_empty() {
        return Patch {
            document: Cow::Borrowed(document),
            edits,
            refusals,
            warnings,
        };
    }
    let document = document.with(attempt.stages.into_owned(), secrets);
    warnings.extend(notice::mask_warnings(&document));
    Patch {
        document: Cow::Owned(document),
        edits,
        refusals,
        warnings,
    }
}

/// One try, with the gates that are not refused.
struct Attempt<'a, 'd> {
    request: &'a PatchRequest,
    /// Those of the document, until one of them changes.
    stages: Cow<'d, [Value]>,
    drafts: Vec<Draft>,
    refusals: Vec<Refusal>,
    warnings: Vec<Warning>,
}

/// Where an action stands, or would.
enum Found {
    Owned(usize, usize),
    Foreign(usize, usize),
    StageOnly(usize),
    Nothing,
}

/// Where the actions of a document stand by stage and name, as long as nothing in it has changed. Most of a fleet's gates are where they
/// shall be, and a look through the document for each would take the square of their number.
struct Places<'d>(HashMap<(&'d str, &'d str), Vec<(usize, usize)>>);

impl<'d> Places<'d> {
    fn of(stages: &Cow<'d, [Value]>) -> Option<Self> {
        let Cow::Borrowed(stages) = stages else {
            return None;
        };
        let mut places: HashMap<_, Vec<_>> = HashMap::new();
        for (s, stage) in stages.iter().map(StageView).enumerate() {
            let name = stage.name();
            for (a, action) in stage.actions().enumerate() {
                places
                    .entry((name, action.name()))
                    .or_default()
                    .push((s, a));
            }
        }
        Some(Self(places))
    }

    /// The gate's own action.
    fn owned(&self, stages: &[Value], spec: &ActionSpec) -> Option<Found> {
        let key = (spec.action.stage.as_str(), spec.action.name.as_str());
        let is_ours = |(s, a): &&(usize, usize)| {
            let actions = stages.get(*s).map(|stage| list(stage, "actions"));
            let action = actions.and_then(|actions| actions.get(*a)).map(ActionView);
            action.is_some_and(|it| is_owned(it, &spec.action.name, &spec.role_arn))
        };
        let (stage, action) = self.0.get(&key)?.iter().find(is_ours)?;
        Some(Found::Owned(*stage, *action))
    }
}

impl<'a, 'd> Attempt<'a, 'd> {
    fn run(
        document: &'d PipelineDocument,
        request: &'a PatchRequest,
        refused: &BTreeSet<GateName>,
    ) -> Self {
        let mut attempt = Self {
            request,
            stages: Cow::Borrowed(document.raw_stages()),
            drafts: Vec::new(),
            refusals: Vec::new(),
            warnings: Vec::new(),
        };
        let mut specs: Vec<&ActionSpec> = request.put.iter().collect();
        specs.sort_by_key(|spec| (&spec.gate, &spec.action.stage, &spec.action.name));
        let (out, puts): (Vec<_>, Vec<_>) = specs
            .into_iter()
            .partition(|spec| refused.contains(&spec.gate));
        let mut removes: Vec<_> = request.remove.iter().collect();
        removes.retain(|spec| !refused.contains(&spec.gate) && !is_put(request, spec));
        removes.sort_by_key(|spec| (&spec.gate, &spec.stage, &spec.action));

        let emptied = attempt.remove_actions(&removes);
        let wanted = attempt.put_actions(&puts);
        attempt.drop_stages(&emptied);
        let makers: Vec<_> = out
            .iter()
            .map(|spec| (&spec.action.stage, &spec.gate))
            .collect();
        let is_ours = |stage: StageView<'_>| is_ours(request, stage);
        let placed = place(&mut attempt.stages, &wanted, &is_ours, &makers);
        attempt.refusals.extend(placed.refusals);
        attempt.warnings.extend(placed.warnings);
        attempt.note_moves(&puts, &placed.moved);
        if attempt.refusals.is_empty() {
            attempt.refusals = refuse::check(&Change {
                pipeline: &document.pipeline,
                before: document.raw_stages(),
                after: &attempt.stages,
                drafts: &attempt.drafts,
                region: &request.region,
            });
        }
        attempt
    }

    /// Takes the owned actions out, and gives back the positions of the stages that have none left.
    fn remove_actions(&mut self, removes: &[&RemoveSpec]) -> BTreeSet<usize> {
        let mut emptied = BTreeSet::new();
        for spec in removes {
            let is_ours = |a: &Value| is_owned(ActionView(a), &spec.action, &spec.role_arn);
            let stands = |stage: &Value| {
                StageView(stage).name() == spec.stage.as_str()
                    && list(stage, "actions").iter().any(is_ours)
            };
            if !self.stages.iter().any(stands) {
                continue;
            }
            let mut taken = None;
            for (at, stage) in self.stages.to_mut().iter_mut().enumerate() {
                if StageView(stage).name() != spec.stage.as_str() {
                    continue;
                }
                let Some(actions) = actions_mut(stage) else {
                    continue;
                };
                if let Some(action) = actions.iter().find(|action| is_ours(action)) {
                    taken.get_or_insert_with(|| action.clone());
                    actions.retain(|action| !is_ours(action));
                    if actions.is_empty() {
                        emptied.insert(at);
                    }
                }
            }
            if let Some(action) = taken {
                self.drafts.push(Draft {
                    gate: spec.gate.clone(),
                    stage: spec.stage.clone(),
                    action: spec.action.clone(),
                    kind: EditKind::Delete,
                    reasons: vec!["the gate is taken out".to_owned()],
                    stage_changed: false,
                    before: Some(action),
                    after: None,
                });
            }
        }
        emptied
    }

    /// A stage that a removal emptied goes too: AWS takes no stage without actions (guide: limits).
    fn drop_stages(&mut self, emptied: &BTreeSet<usize>) {
        for at in emptied.iter().rev() {
            let Some(stage) = self.stages.get(*at) else {
                continue;
            };
            if !list(stage, "actions").is_empty() {
                continue;
            }
            let name = StageView(stage).name().to_owned();
            for draft in &mut self.drafts {
                if draft.kind == EditKind::Delete && draft.stage.as_str() == name {
                    draft.stage_changed = true;
                    draft
                        .reasons
                        .push("the stage would be empty and goes too".to_owned());
                }
            }
            self.stages.to_mut().remove(*at);
        }
    }

    /// Brings the actions of existing stages in line, and gives back every stage that gates stand in, those to be made included.
    fn put_actions(&mut self, puts: &[&'a ActionSpec]) -> Vec<WantedStage<'a>> {
        let mut wanted: Vec<WantedStage<'a>> = Vec::new();
        let known = Places::of(&self.stages);
        for spec in puts {
            let found = match (&self.stages, &known) {
                (Cow::Borrowed(stages), Some(known)) => known.owned(stages, spec),
                (Cow::Borrowed(_) | Cow::Owned(_), _) => None,
            };
            let new = match found.unwrap_or_else(|| self.find(spec)) {
                Found::Owned(stage, action) => {
                    self.align(spec, stage, action, "");
                    None
                }
                Found::Foreign(stage, action) => {
                    if !self.adopt(spec, stage, action) {
                        continue;
                    }
                    None
                }
                Found::StageOnly(0) => {
                    self.refusals.push(notice::refuse_source(spec));
                    continue;
                }
                Found::StageOnly(stage) => {
                    let action = new_action(spec, &self.request.region);
                    if let Some(actions) = self.stages.to_mut().get_mut(stage).and_then(actions_mut)
                    {
                        actions.push(action.clone());
                    }
                    self.create(spec, action, "the action is missing", false);
                    None
                }
                Found::Nothing => {
                    let action = new_action(spec, &self.request.region);
                    self.create(spec, action.clone(), "the stage is missing", true);
                    Some(action)
                }
            };
            want_stage(&mut wanted, spec, new);
        }
        wanted
    }

    fn find(&self, spec: &ActionSpec) -> Found {
        let mut found = Found::Nothing;
        for (s, stage) in self.stages.iter().map(StageView).enumerate() {
            if stage.name() != spec.action.stage.as_str() {
                continue;
            }
            for (a, action) in stage.actions().enumerate() {
                if action.name() != spec.action.name.as_str() {
                    continue;
                }
                if is_owned(action, &spec.action.name, &spec.role_arn) {
                    return Found::Owned(s, a);
                }
                if !matches!(found, Found::Foreign(..)) {
                    found = Found::Foreign(s, a);
                }
            }
            if matches!(found, Found::Nothing) {
                found = Found::StageOnly(s);
            }
        }
        found
    }

    fn create(&mut self, spec: &ActionSpec, action: Value, reason: &str, new_stage: bool) {
        self.drafts.push(Draft {
            gate: spec.gate.clone(),
            stage: spec.action.stage.clone(),
            action: spec.action.name.clone(),
            kind: EditKind::Create,
            reasons: vec![reason.to_owned()],
            stage_changed: new_stage,
            before: None,
            after: Some(action),
        });
    }

    fn align(&mut self, spec: &ActionSpec, stage: usize, action: usize, prefix: &str) {
        let place = self.stages.get(stage).map(|stage| list(stage, "actions"));
        let Some(existing) = place.and_then(|actions| actions.get(action)) else {
            return;
        };
        let (aligned, differs) = align(existing, spec, &self.request.region);
        if differs.is_empty() {
            return;
        }
        let aligned = aligned.into_owned();
        let place = self.stages.to_mut().get_mut(stage).and_then(actions_mut);
        let Some(existing) = place.and_then(|actions| actions.get_mut(action)) else {
            return;
        };
        let before = std::mem::replace(existing, aligned.clone());
        self.drafts.push(Draft {
            gate: spec.gate.clone(),
            stage: spec.action.stage.clone(),
            action: spec.action.name.clone(),
            kind: EditKind::Update,
            reasons: vec![match differs.as_slice() {
                [one] => format!("{prefix}{one} differs"),
                more => format!("{prefix}{} differ", more.join(", ")),
            }],
            stage_changed: false,
            before: Some(before),
            after: Some(aligned),
        });
    }

    /// Takes over an action that is not owned, if that is asked for and makes sense; tells whether it did.
    fn adopt(&mut self, spec: &ActionSpec, stage: usize, action: usize) -> bool {
        let place = self.stages.get(stage).map(|s| list(s, "actions"));
        let Some(existing) = place
            .and_then(|actions| actions.get(action))
            .map(ActionView)
        else {
            return false;
        };
        if self.request.adopt && existing.is_lambda_invoke() {
            self.align(spec, stage, action, "adopted (a teardown removes it): ");
            true
        } else {
            let refusal = notice::refuse_conflict(spec, existing);
            self.refusals.push(refusal);
            false
        }
    }

    /// Gives every gate in a moved stage the reason, and an edit if it has none yet.
    fn note_moves(&mut self, puts: &[&ActionSpec], moved: &[(StageName, String)]) {
        for (name, reason) in moved {
            for spec in puts.iter().filter(|spec| spec.action.stage == *name) {
                let is_same = |d: &&mut Draft| {
                    d.kind != EditKind::Delete && d.gate == spec.gate && d.stage == *name
                };
                if let Some(draft) = self.drafts.iter_mut().find(is_same) {
                    draft.reasons.push(reason.clone());
                    draft.stage_changed = true;
                    continue;
                }
                let action = match self.find(spec) {
                    Found::Owned(stage, at) => self
                        .stages
                        .get(stage)
                        .and_then(|s| list(s, "actions").get(at))
                        .cloned(),
                    Found::Foreign(..) | Found::StageOnly(_) | Found::Nothing => None,
                };
                self.drafts.push(Draft {
                    gate: spec.gate.clone(),
                    stage: name.clone(),
                    action: spec.action.name.clone(),
                    kind: EditKind::Update,
                    reasons: vec![reason.clone()],
                    stage_changed: true,
                    before: action.clone(),
                    after: action,
                });
            }
        }
    }

    fn edits(&self, before: &PipelineDocument) -> Vec<Edit> {
        let edit = |draft: &Draft| {
            let shown = |action: &Value, stages: &[Value]| {
                let stage = draft.stage.as_str();
                let stands_after = draft
                    .stage_changed
                    .then(|| json!(predecessor(stages, stage)));
                JsonText::of(&Shown {
                    stage,
                    stands_after,
                    action,
                })
            };
            Edit {
                gate: draft.gate.clone(),
                stage: draft.stage.clone(),
                action: draft.action.clone(),
                kind: draft.kind,
                reason: draft.reasons.join("; "),
                before: draft
                    .before
                    .as_ref()
                    .map(|action| shown(action, before.raw_stages())),
                after: draft.after.as_ref().map(|a| shown(a, &self.stages)),
            }
        };
        let mut edits: Vec<Edit> = self.drafts.iter().map(edit).collect();
        edits.sort_by(|a, b| (&a.gate, &a.stage, &a.action).cmp(&(&b.gate, &b.stage, &b.action)));
        edits
    }
}

fn want_stage<'a>(
    wanted: &mut Vec<WantedStage<'a>>,
    spec: &'a ActionSpec,
    new_action: Option<Value>,
) {
    let name = &spec.action.stage;
    let placement = spec.action.placement.as_ref();
    if let Some(want) = wanted.iter_mut().find(|want| want.name == name) {
        want.placement = want.placement.or(placement);
        want.gates.push(&spec.gate);
        want.new_actions.extend(new_action);
    } else {
        wanted.push(WantedStage {
            name,
            placement,
            gates: vec![&spec.gate],
            new_actions: new_action.into_iter().collect(),
        });
    }
}

/// True where every action of the stage is an action of this manifest's gates.
fn is_ours(request: &PatchRequest, stage: StageView<'_>) -> bool {
    let siblings = request.siblings.iter();
    let siblings = siblings.map(|known| (&known.stage, &known.action, &known.role_arn));
    let puts = request.put.iter();
    let puts = puts.map(|spec| (&spec.action.stage, &spec.action.name, &spec.role_arn));
    let name = stage.name();
    let here = siblings.chain(puts).filter(|(of, ..)| of.as_str() == name);
    let here: Vec<(&ActionName, &RoleArn)> = here.map(|(_, name, role)| (name, role)).collect();
    let is_known = |action: ActionView<'_>| {
        let name = action.name();
        let mut named = here.iter().filter(|(known, _)| known.as_str() == name);
        named.any(|(known, role)| is_owned(action, known, role))
    };
    stage.actions().next().is_some() && stage.actions().all(is_known)
}

/// What is to be put is not removed, whatever else the request says.
fn is_put(request: &PatchRequest, spec: &RemoveSpec) -> bool {
    request.put.iter().any(|put| {
        put.action.stage == spec.stage
            && put.action.name == spec.action
            && put.role_arn == spec.role_arn
    })
}

fn actions_mut(stage: &mut Value) -> Option<&mut Vec<Value>> {
    stage.get_mut("actions").and_then(Value::as_array_mut)
}

fn gates_of(refusals: &[Refusal]) -> BTreeSet<GateName> {
    refusals.iter().flat_map(|r| r.gates.clone()).collect()
}
