//! Wiring × Observed → Plan: which reads are needed, what would change and why, in which order, and what forbids it.
//! Pure and synchronous: no IO, no clock, no environment. All decisions of a run are made here.
//!
//! [`wants`] is asked in rounds until it wants nothing more; [`plan`] then says what to do. Both look at the same values,
//! so a fact is read once, and only if a gate needs it.

mod artifacts;
mod draft;
mod ends;
mod execution;
mod functions;
mod grants;
mod groups;
mod join;
mod limits;
mod objects;
pub mod orphans;
mod parts;
mod pipelines;
mod reads;
pub mod restore;
mod roles;
mod status;
mod trust;
mod unexpected;
mod written;

#[cfg(test)]
pub(crate) use functions::description as function_description;
pub use objects::objects;
pub use parts::partition_shared;
pub use reads::wants;
pub use status::{
    Seen, is_wrong_account, of_apply, of_check, of_plan, status_of_check, status_of_plan,
};

use crate::model::change::{Intent, Plan, Problem};
use crate::model::observed::Observed;
use crate::model::secret::ActionSecret;
use crate::model::wiring::Wiring;

use draft::Draft;
use join::Joined;

/// What a person asked for beside the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Shall the gates be there, or gone.
    pub intent: Intent,
    /// Take roles and actions that are there and not ours as our own, beside what they have.
    pub adopt: bool,
    /// Remove policies from our invoke roles that we did not put there.
    pub remove_unexpected: bool,
    /// Real values for what AWS masks in pipeline documents.
    pub secrets: Vec<ActionSecret>,
}

/// Makes the plan from what was observed.
///
/// What was not read, or could not be read, is never guessed: it gives a problem, and no change.
pub fn plan(wiring: &Wiring, observed: &Observed, options: &Options) -> Plan {
    let joined = Joined::new(wiring, observed, options.intent);
    draft(&joined, options).finish(wiring, options.intent)
}

/// What could not be read, and credentials of other accounts than the manifest means, whatever it was read for.
pub fn reading_problems(wiring: &Wiring, observed: &Observed) -> Vec<Problem> {
    let joined = Joined::new(wiring, observed, Intent::Bootstrap);
    let mut draft = Draft::new(observed);
    joined.report_accounts(&mut draft);
    draft.finish(wiring, Intent::Bootstrap).problems
}

fn draft<'a>(joined: &Joined<'a>, options: &'a Options) -> Draft<'a> {
    let mut draft = Draft::new(joined.observed);
    joined.report_problems(options.intent, &mut draft);
    roles::plan(joined, options, &mut draft);
    execution::plan(joined, options, &mut draft);
    functions::plan(joined, options, &mut draft);
    grants::plan(joined, options, &mut draft);
    artifacts::plan(joined, options, &mut draft);
    pipelines::plan(joined, options, &mut draft);
    limits::check(joined, &mut draft);
    draft
}

#[cfg(test)]
mod artifact_tests;
#[cfg(test)]
mod fleet_tests;
#[cfg(test)]
mod function_tests;
#[cfg(test)]
mod ownership_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
