//! The words of the trade as types: accounts, ARNs, names, policy and pipeline documents, what is wanted, what is there, what changes.
//! No IO here: nothing in this module may see the network, an SDK, the environment or the clock.

pub mod account;
mod answers;
pub mod arn;
pub mod artifact;
pub mod chain;
pub mod change;
pub mod console;
pub mod diagnosis;
pub mod execution;
pub mod failure;
pub mod function;
pub mod glob;
pub mod graph;
pub mod harmless;
pub mod json;
pub mod json_text;
pub mod listed;
pub mod name;
pub mod object;
pub mod observed;
pub mod part;
pub mod pipeline;
pub mod policy;
pub mod progress;
pub mod read;
pub mod resource_policy;
pub mod role_reads;
pub mod secret;
mod shared;
pub mod status;
pub mod wiring;
pub mod write;
