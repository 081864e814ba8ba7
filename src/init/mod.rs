//! A manifest made from what is there: where a gate goes in a pipeline, what a wiring made by hand says, and the text of it all.
//! Pure: nothing here reads AWS, asks a person or writes a file.

mod draft;
mod name;
mod place;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
mod wiring;

pub use draft::{AccountDraft, DEV, Draft, Handler, Source, TOOLS, manifest};
pub use name::{gate_name, project_of, stage_and_action};
pub use place::{Place, PlaceError, Wanted, place, places};
pub use wiring::{Found, bare, wirings};
