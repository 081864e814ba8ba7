//! Shows results to people and to programs: the only place that prints.
//! It decides nothing: what is shown, and the status, is given; rendering is pure, and only `write`, `prompt` and `progress` print.
//!
//! Every text for a terminal is built on a page that escapes control characters, whoever wrote them: AWS, a manifest, a person.

pub mod ask;
pub mod diagnosis;
pub mod error;
pub mod execution;
pub mod file;
pub mod findings;
pub mod github;
pub mod graph;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod merged;
pub mod permissions;
pub mod policy;
pub mod progress;
pub mod prompt;
pub mod proof;
pub mod sanitize;
pub mod sarif;
pub mod story;
pub mod style;
pub mod text;
pub mod write;
pub mod written;

mod diff;
mod document;
mod page;
mod problem;
mod view;
mod words;

#[cfg(test)]
mod fixtures;

pub use ask::{Ask, Terminal};
pub use diagnosis::DiagnosisView;
pub use error::ErrorMessage;
pub use prompt::confirm;
pub use proof::ProofView;
pub use style::{Screen, Style};
pub use view::{AccountLine, AccountState, Command, Proved, View};
