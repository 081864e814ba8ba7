//! What IAM policies mean: whether two documents grant the same, and what they decide.
//! Pure: nothing in this module may see the network, an SDK, the environment or the clock.

pub mod compare;
pub mod documents;
pub mod evaluate;
pub mod hops;
pub mod pairs;
pub mod permissions;
pub mod simulate;
