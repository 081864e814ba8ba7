//! Files to the archive that Lambda gets: the same files give the same bytes, whenever and wherever.
//! May not read the disk, nor know what a handler is.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::{MAX_ENTRIES, Source, SourceError, SourceFile};
use crate::model::function::Package;

/// The most bytes of an archive that is sent in the call itself: 50 MB (Lambda quotas, "Deployment package"). In base64 this is
/// 69,905,068 bytes, and CreateFunction and UpdateFunctionCode take requests of up to 70,167,211 ("Request must be smaller than
/// 70167211 bytes for the CreateFunction operation", in public reports).
pub const MAX_ZIP: usize = 50 * 1024 * 1024;

/// The files' bytes before compression must be fewer: 250 MB (Lambda quotas; "Unzipped size must be smaller than 262144000
/// bytes", in public reports).
pub const MAX_UNZIPPED: u64 = 250 * 1024 * 1024;

/// Up to this many bytes files are stored as they are. Compressed bytes depend on the compressor and its version, so that a new
/// version of crossgate would report drift where no file changed; stored ones depend on the files alone.
const STORED: u64 = 10 * 1024 * 1024;

/// The file that a runtime of the family `provided` starts (Lambda guide: runtimes-custom).
pub(super) const BOOTSTRAP: &str = "bootstrap";

/// A package, with what can be told of the files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// What Lambda gets.
    pub package: Package,
    /// The files by name, and whether each may be executed.
    pub files: BTreeMap<String, bool>,
}

/// Packs files, or looks into an archive that is ready and goes as it is.
///
/// # Errors
/// No files, more than Lambda takes, or no archive that can be read.
pub fn pack(source: Source) -> Result<Packed, SourceError> {
    let packed = match source {
        Source::Files(files) => packed(&files)?,
        Source::Archive(bytes) => ready(bytes)?,
    };
    let Package {
        zip,
        sha256: _,
        files,
        unzipped,
    } = &packed.package;
    if *files == 0 {
        return Err(SourceError::NoFiles);
    }
    if *files > MAX_ENTRIES {
        return Err(SourceError::TooMany);
    }
    if *unzipped >= MAX_UNZIPPED {
        return Err(SourceError::Unzipped);
    }
    if zip.len() > MAX_ZIP {
        return Err(too_big(zip.len()));
    }
    Ok(packed)
}

fn packed(files: &BTreeMap<String, SourceFile>) -> Result<Packed, SourceError> {
    let unzipped = files.values().map(|file| file.content.len() as u64).sum();
    let method = if unzipped <= STORED {
        CompressionMethod::Stored
    } else {
        CompressionMethod::Deflated
    };
    let zip = written(files, method).map_err(|error| SourceError::Pack(error.to_string()))?;
    let seen = files.iter();
    Ok(Packed {
        package: package(zip, files.len(), unzipped),
        files: seen
            .map(|(name, file)| (name.clone(), is_executable(name, file)))
            .collect(),
    })
}

/// Nothing of the place where the files were goes in: no times, owners or folders, and of the permissions one bit. The map
/// gives the files in the order of their names.
fn written(files: &BTreeMap<String, SourceFile>, method: CompressionMethod) -> ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, file) in files {
        let mode = if is_executable(name, file) {
            0o755
        } else {
            0o644
        };
        let options = SimpleFileOptions::default()
            .system(System::Unix)
            .last_modified_time(DateTime::DEFAULT)
            .compression_method(method)
            .unix_permissions(mode);
        writer.start_file(name.as_str(), options)?;
        writer.write_all(&file.content)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// A `bootstrap` that cannot be executed is of no use: the bit is lost on Windows, and easily elsewhere.
fn is_executable(name: &str, file: &SourceFile) -> bool {
    file.executable || name == BOOTSTRAP
}

fn package(zip: Vec<u8>, files: usize, unzipped: u64) -> Package {
    Package {
        sha256: BASE64.encode(Sha256::digest(&zip)),
        zip: zip.into(),
        files,
        unzipped,
    }
}

/// Looks at the archive's directory only: nothing is unpacked.
fn ready(bytes: Vec<u8>) -> Result<Packed, SourceError> {
    if bytes.len() > MAX_ZIP {
        return Err(too_big(bytes.len()));
    }
    let broken = |error: zip::result::ZipError| SourceError::NotZip(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).map_err(broken)?;
    let mut files = BTreeMap::new();
    let mut unzipped: u64 = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        if entry.encrypted() {
            return Err(SourceError::Encrypted { name });
        }
        if entry.enclosed_name().is_none() {
            return Err(SourceError::Escapes { name });
        }
        if entry.is_dir() {
            continue;
        }
        unzipped = unzipped.saturating_add(entry.size());
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        // `zip -r x.zip ./*` and the like.
        let name = name.trim_start_matches("./").to_owned();
        files.insert(name, executable);
    }
    let count = files.len();
    Ok(Packed {
        package: package(bytes, count, unzipped),
        files,
    })
}

fn too_big(bytes: usize) -> SourceError {
    SourceError::Zipped {
        bytes: bytes as u64,
    }
}
