//! From what `source` names to the package that Lambda gets: read, packed, held against Lambda's limits and the handler.
//! May not call AWS, and may not run anything; only `disk` reads, and only what stands under the manifest's folder.

mod archive;
mod attach;
mod disk;
mod error;
mod handler;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

use std::collections::BTreeMap;

pub use archive::{MAX_UNZIPPED, MAX_ZIP, Packed, pack};
pub(super) use attach::attach;
pub use disk::Disk;
pub use error::SourceError;

/// The most files (and folders) of one source: what a zip archive holds without its 64-bit extension.
pub(super) const MAX_ENTRIES: usize = 65_535;

/// One file that goes into a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Whether it may be executed.
    pub executable: bool,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// What a `source` names, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files by their names in the archive: relative, with forward slashes.
    Files(BTreeMap<String, SourceFile>),
    /// The bytes of a `.zip` that is ready.
    Archive(Vec<u8>),
}

/// Where sources are read from: the disk, or a test.
pub trait Sources {
    /// Reads a source as it is written in the manifest.
    ///
    /// # Errors
    /// It is not there, cannot be read, may not be read, or is over a limit.
    fn read(&self, source: &str) -> Result<Source, SourceError>;
}

/// No place at all: what a manifest's text alone can say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nowhere;

impl Sources for Nowhere {
    fn read(&self, source: &str) -> Result<Source, SourceError> {
        Err(SourceError::Missing {
            path: source.to_owned(),
            folder: "a text without a folder".to_owned(),
        })
    }
}
