//! crossgate wires a pipeline in one AWS account to a Lambda function in another, as a gate that the pipeline waits for.
//!
//! What changes AWS, and what finds drift (`plan`, `bootstrap`, `check`, `teardown`, `prune`):
//! ```text
//! crossgate.toml ── config ──▶ Config ── desired ──▶ Wiring ┐
//!                                                            ├─ plan ──▶ Plan ── apply ──▶ Report ┐
//! AWS accounts ─── aws ──▶ observe ───────────────▶ Observed ┘            │                       ├─ output ──▶ text, json, junit,
//!                                                                         └───────────────────────┘             sarif, github, markdown
//! ```
//! What asks whether and why, of the same values (`verify`, `diagnose`, `run`, `graph`):
//! ```text
//! Wiring × Observed ── verify (iam::hops, iam::evaluate) ──▶ Proof ──────┐
//! Wiring × Observed × Plan × Proof ── diagnose ──▶ Diagnoses ────────────┼─ output
//! Wiring × Plan or Proof, or what was saved of one ── graph ──▶ Graph ───┤
//! an execution, looked at again and again ── follow ──▶ Answer ──────────┘
//! ```
//! What needs less than that: `init` drafts a manifest from a pipeline and answers ([`init`]); `merge` makes one report of those of
//! parts ([`merge`]); `permissions` and `policy` decide on documents alone ([`iam`]); `demo` and `sandbox` serve the accounts that
//! everything else then talks to ([`sandbox`]).
//!
//! Decisions are pure functions over values: [`desired`], [`plan`], [`iam`], [`verify`], [`diagnose`], [`graph`], [`follow`] and
//! [`init`] see no AWS, no environment and no clock. What they need is asked for as values ([`model::read`]) in rounds, until nothing
//! more is wanted; [`observe`] reads it, and what it could not read is an answer too. What shall change is said as values
//! ([`model::write`]). [`observe`] and [`apply`] go through the seam in [`cloud`] and decide nothing. Only [`aws`] names an SDK, only
//! [`output`] prints; [`commands`] is the glue.
//!
//! A plan is a value: `plan` prints it, `bootstrap` and `teardown` carry out that same value, `check` is a plan that is not
//! carried out.

pub mod apply;
pub mod aws;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod config;
pub mod desired;
pub mod diagnose;
pub mod environment;
pub mod error;
pub mod exit_code;
pub mod follow;
pub mod graph;
pub mod iam;
pub mod init;
pub mod merge;
pub mod model;
pub mod observe;
pub mod output;
pub mod plan;
pub mod sandbox;
pub mod verify;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::result_large_err)]
mod world;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
mod race_tests;
