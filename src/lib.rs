//! crossgate wires a pipeline in one AWS account to a Lambda function in another, as a gate that the pipeline waits for.
//!
//! ```text
//! crossgate.toml ── config ──▶ Config ── desired ──▶ Wiring ┐
//!                                                            ├─ plan ──▶ Plan ── apply ──▶ Report ── output ──▶ text, json
//! AWS accounts ─── aws ──▶ observe ───────────────▶ Observed ┘
//! ```
//!
//! Decisions are pure functions over values: [`desired`], [`plan`] and [`iam`] see nothing but [`model`]. [`observe`] and
//! [`apply`] go through the seam in [`cloud`] and decide nothing. Only [`aws`] names an SDK, only [`output`] prints.
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
