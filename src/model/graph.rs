//! The picture of a manifest as a value: pipelines with their stages, the roles, policies and functions of each gate, and its hops.
//! Values only: `graph` makes it, `output` draws it; nothing here knows a format or a colour.

use super::account::{AccountId, AccountName, Region};
use super::chain::HopId;
use super::name::{FunctionName, GateName, PipelineName, Project};

/// Everything that is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// The project.
    pub project: Project,
    /// What the states are taken from.
    pub source: Source,
    /// One scene a pipeline, sorted by account, region and name.
    pub scenes: Vec<Scene>,
    /// What is to be known beside the objects.
    pub remarks: Vec<Remark>,
}

/// What states are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nothing was read: the picture shows what the manifest wants.
    Manifest,
    /// `plan`.
    Plan,
    /// `check`.
    Check,
    /// `verify`.
    Verify,
}

impl Source {
    /// The command's name, or `manifest`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Plan => "plan",
            Self::Check => "check",
            Self::Verify => "verify",
        }
    }
}

/// How an object or a hop stands. In this order the graver one wins: what could not be seen may hide more than what is denied, as
/// with `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody asked.
    Wanted,
    /// It is as the manifest wants it.
    InSync,
    /// AWS will allow the call.
    Allowed,
    /// It is not there and shall be.
    Create,
    /// It is there and shall not be.
    Delete,
    /// It is there and differs.
    Update,
    /// Something forbids what the manifest wants.
    Blocked,
    /// AWS will deny the call.
    Denied,
    /// It could not be read.
    Unknown,
    /// It depends on something that is not known.
    NotProven,
}

impl State {
    /// All of them, in the order of a legend.
    pub const ALL: [Self; 10] = [
        Self::InSync,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Blocked,
        Self::Unknown,
        Self::Allowed,
        Self::Denied,
        Self::NotProven,
        Self::Wanted,
    ];

    /// The state of what consists of several: all made, or all deleted, or else it differs; what is graver wins.
    pub fn together(states: impl IntoIterator<Item = Self>) -> Self {
        let known = states.into_iter().filter(|state| *state != Self::Wanted);
        let both = |one: Self, other: Self| {
            let is_changed = |state| matches!(state, Self::Create | Self::Update | Self::Delete);
            let graver = one.max(other);
            if one != other && is_changed(graver) {
                Self::Update
            } else {
                graver
            }
        };
        known.reduce(both).unwrap_or(Self::Wanted)
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::InSync => "in sync",
            Self::Allowed => "allowed",
            Self::Unknown => "unknown",
            Self::NotProven => "not proven",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Blocked => "blocked",
            Self::Denied => "denied",
        }
    }
}

/// A state and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The state.
    pub state: State,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

/// A pipeline, its service role, and the gates in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// The role that CodePipeline takes for it.
    pub service_role: Role,
    /// Hop 0, which all gates of the pipeline share.
    pub start: Hop,
    /// The gates in the order of the stages.
    pub routes: Vec<Route>,
}

/// An account as a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its name in the manifest.
    pub name: AccountName,
    /// Its id.
    pub id: AccountId,
}

/// A pipeline with its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its account.
    pub place: Place,
    /// Its region.
    pub region: Region,
    /// Its name.
    pub name: PipelineName,
    /// The stages in their order.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Stages that nobody read, if there are any.
    Unread,
    /// A stage without a gate of the picture.
    Other(String),
    /// A stage with gates: their indices in [`Scene::routes`], ascending.
    Gates {
        /// The stage's name.
        name: String,
        /// The gates.
        routes: Vec<usize>,
    },
}

/// What a role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleUse {
    /// The pipeline's service role.
    Service,
    /// The role through which the function is invoked.
    Invoke,
    /// The function's execution role.
    Execution,
}

impl RoleUse {
    /// In words.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Service => "service role",
            Self::Invoke => "invoke role",
            Self::Execution => "execution role",
        }
    }
}

/// A role with what stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its account.
    pub place: Place,
    /// What it is for.
    pub use_: RoleUse,
    /// Its name; none where only AWS knows it and nobody asked.
    pub name: Option<String>,
    /// The role itself; a service or execution role is not crossgate's, and is only `Wanted`.
    pub condition: Condition,
    /// What stands on it, the policies first.
    pub parts: Vec<Part>,
}

/// Something that stands on a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is, in words.
    pub noun: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// How it stands.
    pub condition: Condition,
}

/// The function that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its account.
    pub place: Place,
    /// Its region.
    pub region: Region,
    /// Its name.
    pub name: FunctionName,
    /// How it stands.
    pub condition: Condition,
}

/// A gate: from the action in the pipeline to the function, and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The gate.
    pub gate: GateName,
    /// The stage.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action.
    pub condition: Condition,
    /// The role through which the function is invoked.
    pub invoke_role: Role,
    /// The function.
    pub function: Function,
    /// The role with which the function answers.
    pub execution_role: Role,
    /// Hops 1 to 3, in the order in which a run takes them.
    pub hops: Vec<Hop>,
}

/// One or more calls that a hop consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which one.
    pub id: HopId,
    /// The calls, for example `sts:AssumeRole`.
    pub actions: Vec<String>,
    /// What AWS will answer, and why; what to do comes last of the reasons.
    pub condition: Condition,
}

/// Something to be known that no single object stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How grave it is.
    pub state: State,
    /// What it is about: a gate, an account, an object.
    pub about: String,
    /// What is the matter.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Condition {
    /// A state without a reason.
    pub fn plain(state: State) -> Self {
        Self {
            state,
            reasons: Vec::new(),
        }
    }
}

impl Role {
    /// The state of the role with what stands on it. A role that is not ours is there: it differs, where something on it does.
    pub fn overall(&self) -> State {
        match State::together(self.states()) {
            State::Create | State::Delete if self.condition.state == State::Wanted => State::Update,
            state => state,
        }
    }

    fn states(&self) -> impl Iterator<Item = State> {
        let parts = self.parts.iter().map(|part| part.condition.state);
        std::iter::once(self.condition.state).chain(parts)
    }
}

impl Route {
    /// The state of all that the gate consists of, what the pipeline's gates share left out.
    pub fn overall(&self) -> State {
        State::together(self.states())
    }

    fn states(&self) -> impl Iterator<Item = State> {
        let hops = self.hops.iter().map(|hop| hop.condition.state);
        [self.condition.state, self.function.condition.state]
            .into_iter()
            .chain(self.invoke_role.states())
            .chain(self.execution_role.states())
            .chain(hops)
    }
}

impl Scene {
    /// The state of the whole scene.
    pub fn overall(&self) -> State {
        State::together(self.states())
    }

    /// The states of everything that the scene shows, each time that it shows it.
    pub fn states(&self) -> impl Iterator<Item = State> {
        let own = self.service_role.states();
        own.chain([self.start.condition.state])
            .chain(self.routes.iter().flat_map(Route::states))
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn several_states_are_told_as_one() {
        use State::{Create, Delete, Denied, InSync, NotProven, Unknown, Update, Wanted};
        let cases: &[(&[State], State)] = &[
            (&[], Wanted),
            (&[Wanted, Wanted], Wanted),
            (&[Wanted, InSync], InSync),
            (&[Create, Wanted, Create], Create),
            (&[Delete, Delete], Delete),
            // One policy of three is missing: the gate is not new, it differs.
            (&[InSync, Create], Update),
            (&[Create, Delete], Update),
            (&[InSync, Delete, InSync], Update),
            (&[Update, Unknown], Unknown),
            (&[Denied, NotProven], NotProven),
        ];
        for (states, wanted) in cases {
            assert_eq!(
                State::together(states.iter().copied()),
                *wanted,
                "{states:?}"
            );
            let reversed = states.iter().rev().copied();
            assert_eq!(State::together(reversed), *wanted, "{states:?}");
        }
    }
}
