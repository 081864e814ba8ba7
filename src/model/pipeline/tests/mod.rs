//! Tests of the pipeline document: cases that a person can read, and properties over generated documents.
//! Nothing here is used outside tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod build;
mod documents;
mod edits;
mod placing;
mod properties;
mod refusals;
