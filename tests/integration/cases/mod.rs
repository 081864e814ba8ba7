//! The cases, by subject.

mod accounts;
mod adopt;
mod chain;
mod conform;
mod demo;
mod diagnose_function;
mod documents;
mod drift;
mod faults;
mod harness;
mod independent;
mod input;
mod layers;
mod lifecycle;
mod measure;
mod missing;
mod moto_alone;
mod organizations;
mod permissions;
mod policy;
mod recording;
mod run;
mod sandbox;
mod sharing;
mod source;
mod verify;
