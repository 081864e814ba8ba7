//! Builds the picture: objects and hops from the wiring, their states from the facts.
//! An object is in sync only where the command looked at it and found neither a change nor a doubt.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::{AccountId, AccountName};
use crate::model::artifact::Traffic;
use crate::model::chain::HopId;
use crate::model::function::ExecutionRole;
use crate::model::graph::{
    Condition, Function, Graph, Hop, Part, Pipeline, Place, Remark, Role, RoleUse, Route, Scene,
    Stage, State,
};
use crate::model::name::PolicyName;
use crate::model::wiring::{Gate, PipelineKey, Trust, Wiring};

use super::facts::{ChangeFact, Facts, HopFact, ProblemFact};
use super::stages::{self, Slot};

/// The picture of the selected gates.
pub fn graph(wiring: &Wiring, facts: &Facts) -> Graph {
    let mut by_pipeline: BTreeMap<&PipelineKey, Vec<&Gate>> = BTreeMap::new();
    for gate in wiring.gates.iter().filter(|gate| wiring.is_selected(gate)) {
        by_pipeline.entry(&gate.pipeline).or_default().push(gate);
    }
    let mut builder = Builder {
        wiring,
        facts,
        used: BTreeSet::new(),
    };
    let scenes = by_pipeline
        .into_iter()
        .map(|(key, gates)| builder.scene(key, gates))
        .collect();
    Graph {
        project: wiring.project.clone(),
        source: facts.source,
        scenes,
        remarks: builder.remarks(),
    }
}

struct Builder<'a> {
    wiring: &'a Wiring,
    facts: &'a Facts,
    /// The changes that an object of the picture stands for.
    used: BTreeSet<usize>,
}

impl Builder<'_> {
    fn scene(&mut self, key: &PipelineKey, mut gates: Vec<&Gate>) -> Scene {
        let seen = self.facts.seen.stages.get(key).map(Vec::as_slice);
        let slots = stages::order(&gates, seen);
        gates.sort_by_key(|gate| {
            let stage = stages::position(&slots, gate.action.stage.as_str());
            (stage, gate.action.run_order.unwrap_or(1), &gate.name)
        });
        let stages = slots.into_iter().map(|slot| stage(slot, &gates)).collect();
        let routes: Vec<Route> = gates.iter().map(|gate| self.route(gate)).collect();
        Scene {
            pipeline: Pipeline {
                place: self.place(&key.account),
                region: key.region.clone(),
                name: key.name.clone(),
                stages,
            },
            service_role: self.service_role(key, &gates),
            start: self.start(&gates),
            routes,
        }
    }

    fn place(&self, name: &AccountName) -> Place {
        let id = self.wiring.account_id(name).cloned();
        Place {
            name: name.clone(),
            id: id.unwrap_or_else(AccountId::unknown),
        }
    }

    fn service_role(&mut self, key: &PipelineKey, gates: &[&Gate]) -> Role {
        let place = self.place(&key.account);
        let policy = self.wiring.assume_policy();
        let gates: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        let read = self.facts.seen.service_roles.get(key).cloned();
        let (name, part) = self.own_policy(&place, read.as_deref(), &policy, &gates);
        Role {
            place,
            use_: RoleUse::Service,
            name,
            condition: Condition::plain(State::Wanted),
            parts: vec![part],
        }
    }

    fn route(&mut self, gate: &Gate) -> Route {
        let names = [gate.name.as_str()];
        let pipeline = self.place(&gate.pipeline.account);
        let action = [
            gate.pipeline.name.as_str(),
            gate.action.stage.as_str(),
            gate.action.name.as_str(),
        ]
        .join("/");
        let region = gate.pipeline.region.as_str();
        let condition = self.condition(&names, |change| {
            change.kind == "pipeline_action"
                && change.is_in(&pipeline)
                && change.region.as_deref() == Some(region)
                && change.resource == action
        });
        let place = self.place(&gate.function.account);
        Route {
            gate: gate.name.clone(),
            stage: gate.action.stage.to_string(),
            action: gate.action.name.to_string(),
            condition,
            invoke_role: self.invoke_role(gate, &place),
            function: self.function(gate, &place),
            execution_role: self.execution_role(gate, &place),
            hops: self.hops(gate),
        }
    }

    /// One that the manifest makes can be in sync; any other must only be there.
    fn function(&mut self, gate: &Gate, place: &Place) -> Function {
        let names = [gate.name.as_str()];
        let (region, name) = (&gate.function.region, &gate.function.name);
        let is_made = self.wiring.functions.contains_key(&gate.function);
        let changed = self.changed(&names, |change| {
            change.kind.starts_with("lambda_function")
                && change.is_in(place)
                && change.resource == name.as_str()
                && change
                    .region
                    .as_deref()
                    .is_none_or(|r| r == region.as_str())
        });
        let condition = changed.unwrap_or_else(|| {
            if is_made {
                self.untouched(&names)
            } else {
                Condition::plain(State::Wanted)
            }
        });
        Function {
            place: place.clone(),
            region: region.clone(),
            name: name.clone(),
            condition,
        }
    }

    fn execution_role(&mut self, gate: &Gate, place: &Place) -> Role {
        let names = [gate.name.as_str()];
        let spec = self.wiring.functions.get(&gate.function);
        let wanted = spec.map(|spec| spec.role.name().to_string());
        let read = self.facts.seen.execution_roles.get(&gate.function).cloned();
        let policy = self.wiring.callback_policy();
        let known = wanted.or(read);
        let (name, callback) = self.own_policy(place, known.as_deref(), &policy, &names);
        let mut parts = vec![callback];
        let mut condition = Condition::plain(State::Wanted);
        if let Some(ExecutionRole::Made(role)) = spec.map(|spec| &spec.role) {
            let of_role = |change: &ChangeFact, kind: &str| {
                change.kind == kind && change.is_in(place) && change.resource == role.as_str()
            };
            condition = self.condition(&names, |change| of_role(change, "iam_role"));
            let trust = self.changed(&names, |change| of_role(change, "iam_trust_policy"));
            let trust = trust.or_else(|| whole(&condition));
            let trust = trust.unwrap_or_else(|| self.untouched(&names));
            parts.insert(0, part("trust policy: Lambda", None, trust));
            let logs = self.wiring.logs_policy();
            let holder = Some(role.as_str());
            parts.push(self.own_policy(place, holder, &logs, &names).1);
        }
        Role {
            place: place.clone(),
            use_: RoleUse::Execution,
            name,
            condition,
            parts,
        }
    }

    fn invoke_role(&mut self, gate: &Gate, place: &Place) -> Role {
        let names = [gate.name.as_str()];
        let name = gate.role.name.as_str();
        let of_role = |change: &ChangeFact, kind: &str| {
            change.kind == kind && change.is_in(place) && change.resource == name
        };
        let condition = self.condition(&names, |change| of_role(change, "iam_role"));
        let whole = whole(&condition);
        let trust = self.changed(&names, |change| of_role(change, "iam_trust_policy"));
        let trust = trust.or_else(|| whole.clone());
        let mut parts = vec![part(
            match gate.role.trust {
                Trust::ServiceRole => "trust policy: service role",
                Trust::Account => "trust policy: whole account",
            },
            None,
            trust.unwrap_or_else(|| self.untouched(&names)),
        )];
        let policy = self.wiring.invoke_policy();
        let (_, own) = self.own_policy(place, Some(name), &policy, &names);
        parts.push(own);
        let boundary = self.changed(&names, |c| of_role(c, "iam_permissions_boundary"));
        let wanted = gate.role.permissions_boundary.as_deref();
        if wanted.is_some() || boundary.is_some() {
            let condition = boundary.or(whole);
            let condition = condition.unwrap_or_else(|| self.untouched(&names));
            let last = wanted.map(|arn| arn.rsplit('/').next().unwrap_or(arn));
            parts.push(part("permissions boundary", last, condition));
        }
        if let Some(tags) = self.changed(&names, |change| of_role(change, "iam_role_tags")) {
            parts.push(part("tags", None, tags));
        }
        parts.extend(self.unexpected(place, name));
        Role {
            place: place.clone(),
            use_: RoleUse::Invoke,
            name: Some(name.to_owned()),
            condition,
            parts,
        }
    }

    /// What stands on a role of ours and is not ours.
    fn unexpected(&mut self, place: &Place, role: &str) -> Vec<Part> {
        let all = self.facts.changes.as_deref().unwrap_or_default();
        let mut parts = Vec::new();
        for (index, change) in all.iter().enumerate() {
            let policy = change.resource.split_once('/');
            let Some((_, policy)) = policy.filter(|(holder, _)| *holder == role) else {
                continue;
            };
            if change.kind == "iam_unexpected_policy" && change.is_in(place) {
                self.used.insert(index);
                let condition = Condition {
                    state: change.state,
                    reasons: change.reasons(),
                };
                parts.push(part("unexpected policy", Some(policy), condition));
            }
        }
        parts
    }

    /// One of our inline policies, and the name of the role that it stands on.
    fn own_policy(
        &mut self,
        place: &Place,
        role: Option<&str>,
        policy: &PolicyName,
        gates: &[&str],
    ) -> (Option<String>, Part) {
        let holder = |change: &ChangeFact| {
            let (holder, name) = change.resource.split_once('/')?;
            let fits = change.kind == "iam_inline_policy"
                && change.is_in(place)
                && name == policy.as_str()
                && role.is_none_or(|role| role == holder);
            fits.then(|| holder.to_owned())
        };
        let all = self.facts.changes.as_deref().unwrap_or_default();
        let of_gates = |change: &&ChangeFact| change.is_about(gates);
        let told = all.iter().filter(of_gates).find_map(holder);
        let condition = self.condition(gates, |change| {
            change.is_about(gates) && holder(change).is_some()
        });
        let name = Some(policy.as_str());
        (
            role.map(str::to_owned).or(told),
            part("inline policy", name, condition),
        )
    }

    /// The state of an object that changes may be about.
    fn condition(&mut self, gates: &[&str], fits: impl Fn(&ChangeFact) -> bool) -> Condition {
        let changed = self.changed(gates, fits);
        changed.unwrap_or_else(|| self.untouched(gates))
    }

    /// The gravest of the changes that fit, with all their reasons.
    fn changed(&mut self, gates: &[&str], fits: impl Fn(&ChangeFact) -> bool) -> Option<Condition> {
        let mut found: Option<Condition> = None;
        let all = self.facts.changes.as_deref().unwrap_or_default();
        for (index, change) in all.iter().enumerate() {
            if !change.is_about(gates) || !fits(change) {
                continue;
            }
            self.used.insert(index);
            let condition = found.get_or_insert_with(|| Condition::plain(change.state));
            condition.state = condition.state.max(change.state);
            condition.reasons.extend(change.reasons());
        }
        found
    }

    /// The state of an object that no change is about.
    fn untouched(&self, gates: &[&str]) -> Condition {
        if self.facts.changes.is_none() {
            return Condition::plain(State::Wanted);
        }
        let doubts = self.facts.problems.iter().filter(|problem| {
            problem.of_objects && problem.state != State::Wanted && self.touches(problem, gates)
        });
        let mut condition = Condition::plain(State::InSync);
        for problem in doubts {
            condition.state = condition.state.max(problem.state);
            condition.reasons.push(problem.message.clone());
        }
        condition
    }

    /// A problem without gates is about all gates of its account; without an account, about all.
    fn touches(&self, problem: &ProblemFact, gates: &[&str]) -> bool {
        if !problem.gates.is_empty() {
            return problem.gates.iter().any(|g| gates.contains(&g.as_str()));
        }
        let Some(account) = problem.account.as_deref() else {
            return true;
        };
        self.wiring.gates.iter().any(|gate| {
            let accounts = [&gate.pipeline.account, &gate.function.account];
            gates.contains(&gate.name.as_str()) && accounts.iter().any(|a| a.as_str() == account)
        })
    }

    fn start(&self, gates: &[&Gate]) -> Hop {
        let mut hop = wanted(HopId::Zero, &["sts:AssumeRole"]);
        for gate in gates {
            self.decide(gate, &mut hop);
        }
        hop
    }

    fn hops(&self, gate: &Gate) -> Vec<Hop> {
        let mut hops = vec![
            wanted(HopId::One, &["sts:AssumeRole"]),
            wanted(HopId::Two, &["lambda:InvokeFunction"]),
        ];
        if gate.role.list_functions || self.facts.chains.is_some() {
            hops.push(wanted(HopId::TwoPrime, &["lambda:ListFunctions"]));
        }
        let answers = [
            "codepipeline:PutJobSuccessResult",
            "codepipeline:PutJobFailureResult",
        ];
        hops.push(wanted(HopId::Three, &answers));
        if let Some(Traffic { reads, writes }) = gate.action.traffic() {
            let calls = |read, write| -> Vec<&str> {
                let named = [(reads, read), (writes, write)].into_iter();
                named.filter(|(is, _)| *is).map(|(_, call)| call).collect()
            };
            hops.push(wanted(HopId::Four, &calls("s3:GetObject", "s3:PutObject")));
            // A store in the gate's own account needs no key of its own.
            let chains = self.facts.chains.as_ref();
            let chain = chains.map(|chains| chains.get(gate.name.as_str()));
            if chain.is_none_or(|chain| chain.into_iter().flatten().any(|h| h.id == HopId::Five)) {
                hops.push(wanted(
                    HopId::Five,
                    &calls("kms:Decrypt", "kms:GenerateDataKey"),
                ));
            }
        }
        for hop in &mut hops {
            self.decide(gate, hop);
        }
        hops
    }

    /// Puts in what the command decided; a hop that it did not decide although it decided hops is not proven.
    fn decide(&self, gate: &Gate, hop: &mut Hop) {
        let Some(chains) = &self.facts.chains else {
            return;
        };
        let chain = chains.get(gate.name.as_str());
        let calls: Vec<&HopFact> = chain
            .into_iter()
            .flatten()
            .filter(|c| c.id == hop.id)
            .collect();
        if calls.is_empty() {
            hop.condition.state = hop.condition.state.max(State::NotProven);
            let reason = format!("nothing was said about this hop of gate {}", gate.name);
            hop.condition.reasons.push(reason);
        }
        for call in calls {
            hop.condition.state = hop.condition.state.max(call.state);
            for reason in call.reasons() {
                if !hop.condition.reasons.contains(&reason) {
                    hop.condition.reasons.push(reason);
                }
            }
        }
    }

    /// The problems, and the changes that no object of the picture stands for.
    fn remarks(&self) -> Vec<Remark> {
        let mut remarks: Vec<Remark> = self.facts.problems.iter().map(remark).collect();
        let changes = self.facts.changes.iter().flatten().enumerate();
        for (_, change) in changes.filter(|(index, _)| !self.used.contains(index)) {
            remarks.push(Remark {
                state: change.state,
                about: format!("{} in account {}", change.resource, change.account_id),
                message: change.reasons().join("; "),
                hint: None,
            });
        }
        remarks.sort_by_key(|remark| std::cmp::Reverse(remark.state));
        remarks
    }
}

/// What becomes of that which stands on a role: one that is made or deleted takes it along.
fn whole(role: &Condition) -> Option<Condition> {
    match role.state {
        State::Create | State::Delete => Some(Condition::plain(role.state)),
        State::Wanted
        | State::InSync
        | State::Allowed
        | State::Update
        | State::Blocked
        | State::Denied
        | State::Unknown
        | State::NotProven => None,
    }
}

fn part(noun: &str, name: Option<&str>, condition: Condition) -> Part {
    Part {
        noun: noun.to_owned(),
        name: name.map(str::to_owned),
        condition,
    }
}

fn stage(slot: Slot, gates: &[&Gate]) -> Stage {
    let name = match slot {
        Slot::Unread => return Stage::Unread,
        Slot::Named(name) => name,
    };
    let here = |(_, gate): &(usize, &&Gate)| gate.action.stage.as_str() == name;
    let routes: Vec<usize> = gates
        .iter()
        .enumerate()
        .filter(here)
        .map(|(index, _)| index)
        .collect();
    if routes.is_empty() {
        Stage::Other(name)
    } else {
        Stage::Gates { name, routes }
    }
}

fn wanted(id: HopId, actions: &[&str]) -> Hop {
    Hop {
        id,
        actions: actions.iter().map(|&action| action.to_owned()).collect(),
        condition: Condition::plain(State::Wanted),
    }
}

fn remark(problem: &ProblemFact) -> Remark {
    let about = match (problem.gates.as_slice(), &problem.account) {
        ([], None) => "the run".to_owned(),
        ([], Some(account)) => format!("account {account}"),
        (gates, _) => format!("gate {}", gates.join(", ")),
    };
    Remark {
        state: problem.state,
        about,
        message: problem.message.clone(),
        hint: problem.hint.clone(),
    }
}

impl ChangeFact {
    fn is_in(&self, place: &Place) -> bool {
        self.account_id == place.id.as_str()
    }

    fn is_about(&self, gates: &[&str]) -> bool {
        self.gates.iter().any(|gate| gates.contains(&gate.as_str()))
    }

    fn reasons(&self) -> Vec<String> {
        let held = self.held.iter().map(|why| format!("left as it is: {why}"));
        std::iter::once(self.reason.clone()).chain(held).collect()
    }
}

impl HopFact {
    /// Why, and what to do; nothing for what is allowed.
    fn reasons(&self) -> Vec<String> {
        if self.state == State::Allowed {
            return Vec::new();
        }
        let why = format!("{}: {}", self.action, self.reason);
        let mend = self.mend.iter().map(|mend| format!("mend: {mend}"));
        std::iter::once(why).chain(mend).collect()
    }
}
