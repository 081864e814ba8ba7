//! Decides, from the policies as they are, what AWS will answer to a request: allowed, denied, or not provable.
//! Pure: sees no AWS, no clock, no files; what was not read is given to it as such, and counts for Deny, never for Allow.
//!
//! The rules are AWS's own, from the IAM user guide ("Policy evaluation logic" and the pages on the policy elements) and
//! the Organizations user guide; the page stands beside each rule. Where the pages are silent, the answer is
//! [`Verdict::NotProven`] with a [`Gap::Unsettled`].
//!
//! ```text
//! Request ─┐                       ┌─ Identity, Boundary, Session, Scp…   what the caller may do
//!          ├─ layers ─▶ Findings ──┤                                      ─▶ logic ─▶ Decision
//! Policies ┘                       └─ Resource, Rcp…                      what may be done here
//! ```

mod condition;
mod decision;
mod layers;
mod logic;
mod operator;
mod pattern;
mod policy;
mod principal;
mod request;
mod truth;
mod values;
mod variables;

pub use decision::{Decision, StatementRef, Verdict};
pub use layers::{Layer, Level, Place, Policies};
pub use logic::evaluate;
pub use policy::NamedPolicy;
pub use principal::{Principal, PrincipalError};
pub use request::{Context, Lookup, Request};
pub use truth::Gap;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
