//! Wiring × Facts → Graph: which objects and hops a manifest consists of, and how each stands by what a command found.
//! Pure, like `plan`: it reads nothing, and claims of nothing that it is in sync or allowed unless the command said so.
//!
//! No change and no problem of the command is lost: what belongs to no object of the picture becomes a remark.

mod build;
mod facts;
mod saved;
mod stages;

pub use build::graph;
pub use facts::Facts;
pub use saved::{SavedError, parse};

#[cfg(test)]
mod tests;
