//! Where the manifest is: named by the flag, by the environment, or found here or in a parent folder; and its bytes.
//! May not look at the environment or the working folder by itself (both are passed in), nor at what the manifest says.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::diagnostic::{self, ManifestErrors, shown};

/// The name that is looked for.
pub const FILE_NAME: &str = "crossgate.toml";

/// The most bytes that a manifest may have: room for 30,000 gates that are written out, of half a kilobyte each.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A manifest's place, and how it came to be that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// Who named it.
    pub origin: Origin,
}

/// Who named the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `-c`, `--config`.
    Flag,
    /// `CROSSGATE_CONFIG`.
    Environment,
    /// Nobody: it was found.
    Found,
}

/// A manifest that cannot be had, or one with mistakes.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No manifest here or in a parent folder.
    #[error("no {FILE_NAME} in {} or a folder above it", shown(start))]
    NotFound {
        /// The folder where the search began.
        start: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the manifest {}", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Who named it.
        origin: Origin,
        /// What the system said.
        source: io::Error,
    },
    /// A folder was named instead of a file.
    #[error("the manifest {} is a folder", shown(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Who named it.
        origin: Origin,
    },
    /// More bytes than [`MAX_BYTES`].
    #[error("the manifest {} has more than {MAX_BYTES} bytes", shown(path))]
    TooBig {
        /// The file.
        path: PathBuf,
        /// Who named it.
        origin: Origin,
    },
    /// A symbolic link to a file outside of its own folder: a branch could have any file of the machine read, and its lines shown.
    #[error(
        "the manifest {} is a link to a file outside of its folder",
        shown(path)
    )]
    LinkOutside {
        /// The link.
        path: PathBuf,
    },
    /// The manifest has mistakes.
    #[error("{0}")]
    Invalid(Box<ManifestErrors>),
}

impl ConfigError {
    /// The error for a person, with what to do about it, ending without a newline.
    pub fn render(&self, color: bool) -> String {
        let message = match self {
            Self::Invalid(errors) => return errors.render(color),
            Self::Read { source, .. } => format!("{self}: {source}"),
            Self::NotFound { .. }
            | Self::Folder { .. }
            | Self::TooBig { .. }
            | Self::LinkOutside { .. } => self.to_string(),
        };
        diagnostic::render_plain(&message, &self.hint(), color)
    }

    /// What to do about it; empty where each mistake has its own help.
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound { .. } => format!(
                "name one with `--config FILE` or CROSSGATE_CONFIG, or write a {FILE_NAME}: \
                 config/{FILE_NAME} of crossgate is an example with every key explained"
            ),
            Self::Read { origin, .. } => {
                format!(
                    "{}: is the path right, and may you read it?",
                    named(*origin)
                )
            }
            Self::Folder { path, origin } => {
                let inside = path.join(FILE_NAME);
                format!(
                    "{}: name the file, such as {}",
                    named(*origin),
                    shown(&inside)
                )
            }
            Self::TooBig { origin, .. } => {
                format!("{}: is this the right file?", named(*origin))
            }
            Self::LinkOutside { .. } => {
                "name the file itself with `--config FILE`, or add `--allow-outside` if you trust whoever made the link"
                    .to_owned()
            }
            Self::Invalid(_) => String::new(),
        }
    }
}

fn named(origin: Origin) -> &'static str {
    match origin {
        Origin::Flag => "it was named by `--config`",
        Origin::Environment => "it was named by the environment variable CROSSGATE_CONFIG",
        Origin::Found => "it was found by looking here and in the folders above",
    }
}

/// The manifest to use: the flag's, else the environment's (unless empty), else the nearest [`FILE_NAME`] in `start` or a folder
/// above it. `start` is absolute. A named file is not looked at yet.
///
/// # Errors
/// [`ConfigError::NotFound`], or [`ConfigError::Read`] where a folder above may not be looked into.
pub fn find(
    flag: Option<&Path>,
    environment: Option<&OsStr>,
    start: &Path,
) -> Result<Location, ConfigError> {
    let named = |path: &Path, origin| Location {
        path: path.to_owned(),
        origin,
    };
    if let Some(path) = flag {
        return Ok(named(path, Origin::Flag));
    }
    if let Some(path) = environment.filter(|value| !value.is_empty()) {
        return Ok(named(Path::new(path), Origin::Environment));
    }
    for folder in start.ancestors() {
        let path = folder.join(FILE_NAME);
        match fs::metadata(&path) {
            // A folder of that name is somebody's checkout of this program rather than a manifest.
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(named(&path, Origin::Found)),
            Err(error) if is_absent(&error) => {}
            // Going further up here could find another project's manifest instead of the one that is meant.
            Err(source) => {
                return Err(ConfigError::Read {
                    path,
                    origin: Origin::Found,
                    source,
                });
            }
        }
    }
    Err(ConfigError::NotFound {
        start: start.to_owned(),
    })
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// True for a symbolic link to a file that is not below the link's own folder. What the shell hands over (`/dev/stdin`, `/dev/fd/63`)
/// are links too, and are of the person who runs it.
fn leads_outside(path: &Path) -> bool {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if !is_link || path.starts_with("/dev") || path.starts_with("/proc") {
        return false;
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(target), Ok(folder)) => !target.starts_with(folder),
        // What cannot be followed cannot be read either, and is told as such.
        _ => false,
    }
}

/// The bytes of the manifest, [`MAX_BYTES`] at most; a pipe will do. Without `outside`, not by way of a link that leads out of the
/// manifest's folder.
pub(super) fn read(location: &Location, outside: bool) -> Result<Vec<u8>, ConfigError> {
    let Location { path, origin } = location;
    if !outside && leads_outside(path) {
        return Err(ConfigError::LinkOutside { path: path.clone() });
    }
    let failed = |source| ConfigError::Read {
        path: path.clone(),
        origin: *origin,
        source,
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(ConfigError::Folder {
            path: path.clone(),
            origin: *origin,
        });
    }
    let mut bytes = Vec::new();
    let read = file
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if read as u64 > MAX_BYTES {
        return Err(ConfigError::TooBig {
            path: path.clone(),
            origin: *origin,
        });
    }
    Ok(bytes)
}
