//! crossgate wires a pipeline in one AWS account to a Lambda function in another, as a gate that the pipeline waits for.

pub mod cloud;
pub mod config;
pub mod desired;
pub mod iam;
pub mod model;
