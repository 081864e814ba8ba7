//! The manifest `crossgate.toml`: where it is found, how it is read, what it may say, and how its mistakes are shown.
//! Nothing here may call AWS or read the environment; the only IO is looking for the file and reading it, in `discover`, and
//! reading the functions' sources, in `package::disk`.
//!
//! ```text
//! find ──▶ Location ── load ──▶ text ── expand ──▶ parse ──▶ Draft ── validate ──▶ package ──▶ Config
//! ```
//! The text is walked as a tree of spanned values instead of being deserialized by serde: serde stops at the first problem,
//! and a person who mends a manifest wants to see all of them at once, each with its place.

mod diagnostic;
mod discover;
mod expand;
mod function;
mod gate;
mod load;
mod names;
mod package;
mod parameters;
mod parse;
mod permissions_boundary;
mod runtimes;
mod schema;
mod suggest;
mod table;
mod tags;
mod validate;
mod variables;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

pub use diagnostic::{ManifestError, ManifestErrors};
pub use discover::{ConfigError, FILE_NAME, Location, MAX_BYTES, Origin, find};
pub use load::{from_bytes, from_text, from_text_with, load};
pub use names::{Names, names};
pub use package::{
    Disk, MAX_UNZIPPED, MAX_ZIP, Packed, Source, SourceError, SourceFile, Sources, pack,
};
pub use schema::{
    AccountConfig, Config, Credentials, FunctionConfig, GateConfig, InvokeRoleConfig,
    MadeFunctionConfig, Position,
};
pub(crate) use suggest::{closest, did_you_mean};

/// The commented example of `config/crossgate.toml`: every key of the schema, and a manifest that parses.
pub const EXAMPLE: &str = include_str!("../../config/crossgate.toml");

/// The JSON Schema of the manifest, `config/crossgate.schema.json`: draft 7, which editors with taplo understand.
pub const SCHEMA: &str = include_str!("../../config/crossgate.schema.json");

/// The name under which manifests look for [`SCHEMA`], beside them.
pub const SCHEMA_NAME: &str = "crossgate.schema.json";
