//! The picture as nodes, links and clusters, each object once, for formats whose tool does the layout.
//! It knows no syntax; ids are numbers in the order of first mention.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::chain::HopId;
use crate::model::graph::{Graph, Hop, Place, Role, Route, Scene, Stage, State};

use super::look;

/// Nodes, links and clusters.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// The accounts with their pipelines.
    pub(super) accounts: Vec<(Place, Vec<Lane>)>,
    /// The nodes of an account outside its pipelines.
    pub(super) loose: BTreeMap<Place, Vec<Node>>,
    pub(super) links: Vec<Link>,
    known: BTreeMap<String, usize>,
    linked: BTreeMap<(usize, usize, &'static str), usize>,
    next: usize,
}

/// A pipeline with its stages.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) title: String,
    pub(super) nodes: Vec<Node>,
}

/// A node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) id: usize,
    pub(super) lines: Vec<String>,
    pub(super) state: State,
    /// A stage without a gate: less than an object.
    pub(super) is_round: bool,
}

/// An arrow.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Vec<String>,
    pub(super) state: State,
}

/// The graph with each object once.
pub(super) fn of(graph: &Graph) -> Flow {
    let mut flow = Flow::default();
    for scene in &graph.scenes {
        flow.scene(scene);
    }
    let places: BTreeSet<Place> = flow.loose.keys().cloned().collect();
    for place in places {
        flow.account(&place);
    }
    flow
}

impl Flow {
    /// Every node.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        let lanes = self.accounts.iter().flat_map(|(_, lanes)| lanes);
        let staged = lanes.flat_map(|lane| &lane.nodes);
        staged.chain(self.loose.values().flatten())
    }

    fn account(&mut self, place: &Place) -> usize {
        let found = self.accounts.iter().position(|(known, _)| known == place);
        found.unwrap_or_else(|| {
            self.accounts.push((place.clone(), Vec::new()));
            self.accounts.len() - 1
        })
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn scene(&mut self, scene: &Scene) {
        let pipeline = &scene.pipeline;
        let mut nodes: Vec<Node> = Vec::new();
        let mut actions: BTreeMap<usize, usize> = BTreeMap::new();
        let mut last: Vec<usize> = Vec::new();
        for stage in &pipeline.stages {
            let here = self.stage(scene, stage, &mut nodes, &mut actions);
            for (from, to) in pairs(&last, &here) {
                self.link(from, to, Vec::new(), State::Wanted, "next");
            }
            last = here;
        }
        let first = nodes.first().map(|node| node.id);
        let title = format!("pipeline {} ({})", pipeline.name, pipeline.region);
        let at = self.account(&pipeline.place);
        if let Some((_, lanes)) = self.accounts.get_mut(at) {
            lanes.push(Lane { title, nodes });
        }
        let key = format!("{}/{}", pipeline.region, pipeline.name);
        let service = self.role(&scene.service_role, &key);
        if let Some(first) = first {
            self.hop(first, service, &scene.start);
        }
        for (index, route) in scene.routes.iter().enumerate() {
            self.route(route, service, actions.get(&index).copied());
        }
    }

    fn stage(
        &mut self,
        scene: &Scene,
        stage: &Stage,
        nodes: &mut Vec<Node>,
        actions: &mut BTreeMap<usize, usize>,
    ) -> Vec<usize> {
        let bare = |id, line: &str| Node {
            id,
            lines: vec![line.to_owned()],
            state: State::Wanted,
            is_round: true,
        };
        let first = nodes.len();
        match stage {
            Stage::Unread => nodes.push(bare(self.number(), "other stages, not read")),
            Stage::Other(name) => nodes.push(bare(self.number(), name)),
            Stage::Gates { name, routes } => {
                for index in routes {
                    let Some(route) = scene.routes.get(*index) else {
                        continue;
                    };
                    let id = self.number();
                    actions.insert(*index, id);
                    let about = format!("{name} / {}", route.action);
                    let gate = format!("gate {}", route.gate);
                    let lines = vec![about, with_state(&gate, route.condition.state)];
                    nodes.push(Node {
                        id,
                        lines,
                        state: route.condition.state,
                        is_round: false,
                    });
                }
            }
        }
        nodes.iter().skip(first).map(|node| node.id).collect()
    }

    fn route(&mut self, route: &Route, service: usize, action: Option<usize>) {
        let function = &route.function;
        let about = format!("{}/{}", function.region, function.name);
        let invoke = self.role(&route.invoke_role, &about);
        let state = function.condition.state;
        let lines = vec![
            "Lambda function".to_owned(),
            with_state(function.name.as_str(), state),
        ];
        let key = format!("function/{}/{about}", function.place.id);
        let target = self.object(&function.place, key, lines, state);
        let execution = self.role(&route.execution_role, &about);
        self.link(
            target,
            execution,
            vec!["runs as".to_owned()],
            State::Wanted,
            "runs",
        );
        for hop in &route.hops {
            match hop.id {
                HopId::Zero => {}
                HopId::One => self.hop(service, invoke, hop),
                HopId::Two | HopId::TwoPrime => self.hop(invoke, target, hop),
                // The bucket and the key stand for the pipeline, whose artifacts they hold.
                HopId::Four | HopId::Five => {
                    if let Some(action) = action {
                        self.hop(invoke, action, hop);
                    }
                }
                HopId::Three => {
                    if let Some(action) = action {
                        self.hop(execution, action, hop);
                    }
                }
            }
        }
    }

    /// A role; one whose name is not known is told apart by what it is for.
    fn role(&mut self, role: &Role, of: &str) -> usize {
        let Role {
            place,
            use_,
            name,
            condition: _,
            parts,
        } = role;
        let id = &place.id;
        let key = match name {
            Some(name) => format!("role/{id}/{name}"),
            None => format!("role/{id}/{}/{of}", use_.noun()),
        };
        let mut lines = vec![use_.noun().to_owned()];
        lines.push(
            name.clone()
                .unwrap_or_else(|| "named in AWS, not read".to_owned()),
        );
        for part in parts {
            let name = part.name.as_deref().unwrap_or_default();
            let text = format!("{} {name}", part.noun);
            lines.push(with_state(text.trim_end(), part.condition.state));
        }
        self.object(place, key, lines, role.overall())
    }

    /// An object; where it is there already, what is new of it is added.
    fn object(&mut self, place: &Place, key: String, lines: Vec<String>, state: State) -> usize {
        if let Some(id) = self.known.get(&key).copied() {
            let nodes = self.loose.entry(place.clone()).or_default();
            if let Some(node) = nodes.iter_mut().find(|node| node.id == id) {
                node.state = node.state.max(state);
                for line in lines {
                    if !node.lines.contains(&line) {
                        node.lines.push(line);
                    }
                }
            }
            return id;
        }
        let id = self.number();
        self.known.insert(key, id);
        self.loose.entry(place.clone()).or_default().push(Node {
            id,
            lines,
            state,
            is_round: false,
        });
        id
    }

    fn hop(&mut self, from: usize, to: usize, hop: &Hop) {
        let state = hop.condition.state;
        let calls = hop.actions.join(", ");
        let mut label = vec![format!("{} {calls}", hop.id.as_str())];
        if state != State::Wanted {
            label.push(look::badge(state));
        }
        self.link(from, to, label, state, hop.id.as_str());
    }

    /// A link, once; the graver state stays.
    fn link(
        &mut self,
        from: usize,
        to: usize,
        label: Vec<String>,
        state: State,
        kind: &'static str,
    ) {
        let key = (from, to, kind);
        let known = self.linked.get(&key).and_then(|at| self.links.get_mut(*at));
        match known {
            Some(link) if state > link.state => {
                link.state = state;
                link.label = label;
            }
            Some(_) => {}
            None => {
                self.linked.insert(key, self.links.len());
                self.links.push(Link {
                    from,
                    to,
                    label,
                    state,
                });
            }
        }
    }
}

fn pairs(from: &[usize], to: &[usize]) -> Vec<(usize, usize)> {
    let pair = |from: &usize| to.iter().map(move |to| (*from, *to)).collect::<Vec<_>>();
    from.iter().flat_map(pair).collect()
}

fn with_state(text: &str, state: State) -> String {
    match state {
        State::Wanted => text.to_owned(),
        state => format!("{text}: {}", look::badge(state)),
    }
}
