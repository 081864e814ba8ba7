//! The chain of a gate: its hops, what AWS will answer to each, the statements behind it, and what else breaks the gate.
//! Values only: `iam` and `verify` decide, `output` shows.

use super::account::{AccountId, AccountName};
use super::name::GateName;
use super::policy::Effect;

/// The chains of a run, and what nobody looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// One chain a gate, sorted by gate.
    pub chains: Vec<Chain>,
    /// Kinds of policies that were not given, and so were taken as allowing everything.
    pub not_seen: Vec<NotSeen>,
}

/// A kind of policy that was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotSeen {
    /// Service control policies.
    Scp,
    /// Resource control policies.
    Rcp,
}

impl NotSeen {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scp => "scp",
            Self::Rcp => "rcp",
        }
    }
}

/// The chain of one gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The gate.
    pub gate: GateName,
    /// The hops, in the order in which a run takes them.
    pub hops: Vec<Hop>,
    /// What else bears on the gate.
    pub findings: Vec<Finding>,
}

/// The hops of domain.md's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HopId {
    /// CodePipeline takes the pipeline's service role.
    Zero,
    /// The service role takes the invoke role.
    One,
    /// The invoke role invokes the function.
    Two,
    /// The invoke role lists functions.
    TwoPrime,
    /// The execution role says that the job succeeded, or failed.
    Three,
    /// The invoke role reads or writes artifacts in the bucket.
    Four,
    /// The invoke role uses the key that encrypts them.
    Five,
}

impl HopId {
    /// The number in domain.md.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zero => "0",
            Self::One => "1",
            Self::Two => "2",
            Self::TwoPrime => "2'",
            Self::Three => "3",
            Self::Four => "4",
            Self::Five => "5",
        }
    }
}

/// What AWS will answer to a hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Allowed.
    Allowed,
    /// It depends on something that is not known.
    NotProven,
    /// Nothing allows it, or there is nothing to take or to call.
    ImplicitlyDenied,
    /// A Deny applies.
    ExplicitlyDenied,
}

impl Answer {
    /// The name in the JSON output, as `policy simulate` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "Allowed",
            Self::NotProven => "NotProven",
            Self::ImplicitlyDenied => "ImplicitlyDenied",
            Self::ExplicitlyDenied => "ExplicitlyDenied",
        }
    }

    /// How it weighs.
    pub fn standing(self) -> Standing {
        match self {
            Self::Allowed => Standing::Proven,
            Self::NotProven => Standing::NotProven,
            Self::ImplicitlyDenied | Self::ExplicitlyDenied => Standing::Refuted,
        }
    }
}

/// Whether something is proven. In this order the graver one wins: what could not be seen may hide more than what was
/// refuted, as with `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It works.
    Proven,
    /// It does not work.
    Refuted,
    /// Nobody can tell.
    NotProven,
}

impl Standing {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Refuted => "refuted",
            Self::NotProven => "not_proven",
        }
    }
}

/// One call on the way, and what AWS will answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which one.
    pub id: HopId,
    /// Who calls: an ARN, or a service.
    pub caller: String,
    /// The action.
    pub action: String,
    /// On what: an ARN, or `*`.
    pub resource: String,
    /// The account in which it is called, by its name in the manifest where it has one.
    pub account: Option<AccountName>,
    /// Its id.
    pub account_id: AccountId,
    /// What AWS will answer.
    pub answer: Answer,
    /// Why, in one line.
    pub reason: String,
    /// The deciding statements.
    pub statements: Vec<Deciding>,
    /// The layers in which nothing allows it, where no statement denies it: `identity`, `resource` and so on, as in [`Deciding`].
    pub lacking: Vec<String>,
    /// What to do, where it is not allowed.
    pub mend: Option<String>,
    /// What IAM's own simulator says, where it was asked.
    pub simulated: Option<Simulated>,
}

/// A statement on which an answer rests, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// `identity`, `resource`, `boundary`, `scp:LEVEL`, `rcp:LEVEL`.
    pub layer: String,
    /// The account of the policy.
    pub account_id: AccountId,
    /// The role, function or organization that the policy stands on.
    pub holder: String,
    /// The policy's name.
    pub policy: String,
    /// The statement's position, from 0.
    pub index: usize,
    /// Its id.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// Why it does not apply, or why that is not known.
    pub note: Option<String>,
}

/// What IAM's simulator says to a hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// `allowed`, `explicitDeny` or `implicitDeny`; or why it could not be asked.
    pub decision: Result<String, String>,
    /// Whether it says the same; none where one of the two says nothing definite.
    pub agrees: Option<bool>,
}

/// Something beside the policies that bears on a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code, for example `function_not_active`.
    pub code: &'static str,
    /// What it means for the gate; none for a remark.
    pub weight: Weight,
    /// What is the matter.
    pub message: String,
    /// What to do.
    pub mend: Option<String>,
}

/// What a finding means for its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Worth knowing.
    Remark,
    /// The gate cannot work.
    Breaks,
    /// Whether it works could not be seen.
    Unseen,
}

impl Weight {
    /// The name in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remark => "remark",
            Self::Breaks => "breaks",
            Self::Unseen => "unseen",
        }
    }

    fn standing(self) -> Standing {
        match self {
            Self::Remark => Standing::Proven,
            Self::Breaks => Standing::Refuted,
            Self::Unseen => Standing::NotProven,
        }
    }
}

impl Chain {
    /// Proven only if every hop is allowed and nothing else breaks the gate.
    pub fn standing(&self) -> Standing {
        let hops = self.hops.iter().map(|hop| hop.answer.standing());
        let findings = self.findings.iter().map(|f| f.weight.standing());
        hops.chain(findings).max().unwrap_or(Standing::NotProven)
    }
}

impl Proof {
    /// Proven only if every chain is. Without a chain nothing is proven.
    pub fn standing(&self) -> Standing {
        let chains = self.chains.iter().map(Chain::standing);
        chains.max().unwrap_or(Standing::NotProven)
    }
}
