//! What can be wrong with a source, in words for the manifest's diagnostics.
//! May not look anything up; the place in the manifest is added by `attach`.

use thiserror::Error;

use super::archive::{MAX_UNZIPPED, MAX_ZIP};
use super::{MAX_ENTRIES, archive::BOOTSTRAP};

/// A source that makes no package. Paths are as a person would write them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// Nothing of that name.
    #[error("there is no file or folder `{path}`")]
    Missing {
        /// The source.
        path: String,
        /// The folder from which it is looked for.
        folder: String,
    },
    /// The system refuses.
    #[error("cannot read `{path}`: {why}")]
    Unreadable {
        /// What could not be read.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The source itself stands elsewhere.
    #[error("`{path}` is outside of the manifest's folder")]
    Outside {
        /// The source.
        path: String,
        /// The manifest's folder.
        folder: String,
    },
    /// A symbolic link in it leads elsewhere.
    #[error("`{link}` is a symbolic link to a place outside of the manifest's folder")]
    LinkOutside {
        /// The link.
        link: String,
        /// The manifest's folder.
        folder: String,
    },
    /// A symbolic link leads to itself, or to a folder above it.
    #[error("`{link}` is a symbolic link to a folder that it stands in")]
    LinkCircle {
        /// The link.
        link: String,
    },
    /// A device, a pipe, a socket.
    #[error("`{path}` is neither a file nor a folder")]
    Special {
        /// The path.
        path: String,
    },
    /// A name that a zip archive cannot have everywhere.
    #[error("`{path}` has a name that a zip archive cannot hold")]
    Name {
        /// The path.
        path: String,
    },
    /// Folders in folders without an end.
    #[error("`{path}` stands too deep")]
    Deep {
        /// The path.
        path: String,
    },
    /// Nothing to pack.
    #[error("the source has no files")]
    NoFiles,
    /// More than `MAX_ENTRIES`.
    #[error("the source has more than {MAX_ENTRIES} files and folders")]
    TooMany,
    /// [`MAX_UNZIPPED`] or more.
    #[error(
        "the files of the source have 250 MB ({MAX_UNZIPPED} bytes) or more, and Lambda takes fewer"
    )]
    Unzipped,
    /// More than [`MAX_ZIP`].
    #[error("the archive has {bytes} bytes, and Lambda takes 50 MB ({MAX_ZIP} bytes) at most")]
    Zipped {
        /// Its size.
        bytes: u64,
    },
    /// A `.zip` that is none.
    #[error("this is not a zip archive that can be read: {0}")]
    NotZip(String),
    /// An entry that Lambda cannot unpack.
    #[error("`{name}` in the archive is encrypted")]
    Encrypted {
        /// The entry.
        name: String,
    },
    /// An entry that would be unpacked elsewhere.
    #[error("`{name}` in the archive leads out of it")]
    Escapes {
        /// The entry.
        name: String,
    },
    /// The archive could not be written.
    #[error("cannot make the archive: {0}")]
    Pack(String),
}

impl SourceError {
    /// A few words for the underline.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "not there",
            Self::Unreadable { .. } => "cannot be read",
            Self::Outside { .. } | Self::LinkOutside { .. } => "outside",
            Self::LinkCircle { .. } | Self::Deep { .. } => "has no end",
            Self::Special { .. } | Self::Name { .. } | Self::Pack(_) => "cannot be packed",
            Self::NoFiles => "no files",
            Self::TooMany | Self::Unzipped | Self::Zipped { .. } => "too big",
            Self::NotZip(_) | Self::Encrypted { .. } | Self::Escapes { .. } => {
                "not an archive for Lambda"
            }
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { folder, .. } => {
                format!("`source` is relative to the manifest's folder, {folder}")
            }
            Self::Unreadable { .. } => "may you read it?".to_owned(),
            Self::Outside { folder, .. } | Self::LinkOutside { folder, .. } => format!(
                "a manifest reads what stands under its own folder, {folder}; where you trust this manifest with \
                 everything that you may read, add --allow-outside"
            ),
            Self::LinkCircle { .. } | Self::Deep { .. } => "remove the link, or name a folder below".to_owned(),
            Self::Special { .. } => "a package holds files: remove it, or name another folder".to_owned(),
            Self::Name { .. } => "rename it: UTF-8, without `\\` and control characters".to_owned(),
            Self::NoFiles => "put the handler there; the manifest, `.git`, `.crossgate`, `__pycache__`, `*.pyc` and `.DS_Store` are not packed".to_owned(),
            Self::TooMany => "name the folder that holds the function alone, without what builds it".to_owned(),
            Self::Unzipped => "leave out what the function does not need; layers and container images are not made here".to_owned(),
            Self::Zipped { .. } => {
                "leave out what the function does not need; a bigger one goes through S3, which is not done here: \
                 deploy it with another tool and leave out `source`"
                    .to_owned()
            }
            Self::NotZip(_) | Self::Encrypted { .. } | Self::Escapes { .. } => format!(
                "make the archive anew (`zip -r function.zip .` in the folder with the handler or `{BOOTSTRAP}`), or name that folder"
            ),
            Self::Pack(_) => "name a `.zip` that you made yourself".to_owned(),
        }
    }
}
