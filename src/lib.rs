//! crossgate wires a pipeline in one AWS account to a Lambda function in another, as a gate that the pipeline waits for.

pub mod apply;
pub mod aws;
pub mod cloud;
pub mod config;
pub mod desired;
pub mod iam;
pub mod model;
pub mod observe;
pub mod output;
pub mod plan;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::result_large_err)]
mod world;
