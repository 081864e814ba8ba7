//! Reads a source from the disk: a file, a folder with all that is in it, or a `.zip`.
//! Reads nothing outside of the manifest's folder unless it is told to: a manifest of somebody else's branch names the files.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::archive::{MAX_UNZIPPED, MAX_ZIP};
use super::{MAX_ENTRIES, Source, SourceError, SourceFile, Sources};

/// How many folders may stand in one another. Links could otherwise lead on for as long as there are folders.
const DEEPEST: usize = 64;

/// The disk, as a manifest may see it.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: PathBuf,
    manifest: PathBuf,
    outside: bool,
}

impl Disk {
    /// The files under a manifest's folder; with `outside`, all that can be read (`--allow-outside`).
    pub fn new(manifest: &Path, outside: bool) -> Self {
        let folder = match manifest.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        Self {
            folder: folder.to_owned(),
            manifest: manifest.to_owned(),
            outside,
        }
    }
}

impl Sources for Disk {
    fn read(&self, source: &str) -> Result<Source, SourceError> {
        let root = fs::canonicalize(&self.folder)
            .map_err(|error| unreadable(&self.folder.display().to_string(), &error))?;
        let named = root.join(source);
        let outside = || SourceError::Outside {
            path: source.to_owned(),
            folder: root.display().to_string(),
        };
        let may_be_told = self.outside || plain(&named).starts_with(&root);
        let place = match fs::canonicalize(&named) {
            Ok(place) if self.outside || place.starts_with(&root) => place,
            // Whether anything stands there is no business of the manifest's.
            Ok(_) => return Err(outside()),
            Err(_) if !may_be_told => return Err(outside()),
            Err(error) if is_absent(&error) => {
                return Err(SourceError::Missing {
                    path: source.to_owned(),
                    folder: root.display().to_string(),
                });
            }
            Err(error) => return Err(unreadable(source, &error)),
        };
        let mut walk = Walk {
            root: &root,
            outside: self.outside,
            manifest: fs::canonicalize(&self.manifest).ok(),
            files: BTreeMap::new(),
            bytes: 0,
            seen: 0,
            above: vec![place.clone()],
        };
        let found = fs::metadata(&place).map_err(|error| unreadable(source, &error))?;
        if found.is_dir() {
            walk.folder(&place, "")?;
            return Ok(Source::Files(walk.files));
        }
        if !found.is_file() {
            return Err(SourceError::Special {
                path: source.to_owned(),
            });
        }
        // A link gives the file its name.
        let name = named.file_name().unwrap_or(place.as_os_str());
        if Path::new(name)
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("zip"))
        {
            if found.len() > MAX_ZIP as u64 {
                return Err(SourceError::Zipped { bytes: found.len() });
            }
            return bytes(&place, source, MAX_ZIP as u64).map(Source::Archive);
        }
        walk.file(&place, packable(name.to_str(), source)?.to_owned())?;
        Ok(Source::Files(walk.files))
    }
}

/// A folder that is being read.
struct Walk<'a> {
    root: &'a Path,
    outside: bool,
    /// The manifest itself, where it is there.
    manifest: Option<PathBuf>,
    files: BTreeMap<String, SourceFile>,
    bytes: u64,
    seen: usize,
    /// The folders that this one stands in, itself included.
    above: Vec<PathBuf>,
}

impl Walk<'_> {
    /// `prefix` is the folder's name in the archive, with a slash at its end; empty for the source itself.
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), SourceError> {
        let shown = if prefix.is_empty() { "." } else { prefix };
        let refused = |error: &io::Error| unreadable(shown, error);
        for entry in fs::read_dir(folder).map_err(|error| refused(&error))? {
            let entry = entry.map_err(|error| refused(&error))?;
            let lossy = entry.file_name();
            let path = format!("{prefix}{}", lossy.to_string_lossy());
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(&path, &error))?;
            if is_skipped(&lossy.to_string_lossy()) {
                continue;
            }
            self.seen += 1;
            if self.seen > MAX_ENTRIES {
                return Err(SourceError::TooMany);
            }
            let name = format!("{prefix}{}", packable(lossy.to_str(), &path)?);
            let place = if kind.is_symlink() {
                self.target(&entry.path(), &name)?
            } else {
                entry.path()
            };
            let found = fs::metadata(&place).map_err(|error| unreadable(&name, &error))?;
            if self.is_manifest(&place) {
                // It may hold values of environment variables, and would make every change of itself one of the code.
            } else if found.is_dir() {
                self.inner(&place, &name)?;
            } else if found.is_file() {
                self.file(&place, name)?;
            } else {
                return Err(SourceError::Special { path: name });
            }
        }
        Ok(())
    }

    /// True for the manifest, under whatever name a link gives it.
    fn is_manifest(&self, place: &Path) -> bool {
        let Some(manifest) = &self.manifest else {
            return false;
        };
        manifest.file_name() == place.file_name()
            && fs::canonicalize(place).is_ok_and(|place| place == *manifest)
    }

    fn inner(&mut self, place: &Path, name: &str) -> Result<(), SourceError> {
        if self.above.iter().any(|above| above == place) {
            return Err(SourceError::LinkCircle {
                link: name.to_owned(),
            });
        }
        if self.above.len() >= DEEPEST {
            return Err(SourceError::Deep {
                path: name.to_owned(),
            });
        }
        self.above.push(place.to_owned());
        self.folder(place, &format!("{name}/"))?;
        self.above.pop();
        Ok(())
    }

    /// Where a symbolic link leads. What it leads to is packed in its place: an archive with links in it would not be the same
    /// on a machine that has none.
    fn target(&self, link: &Path, name: &str) -> Result<PathBuf, SourceError> {
        let outside = || SourceError::LinkOutside {
            link: name.to_owned(),
            folder: self.root.display().to_string(),
        };
        match fs::canonicalize(link) {
            Ok(place) if self.outside || place.starts_with(self.root) => Ok(place),
            Ok(_) => Err(outside()),
            Err(error) => {
                let near = fs::read_link(link).ok().zip(link.parent());
                let inside =
                    near.is_some_and(|(to, at)| plain(&at.join(to)).starts_with(self.root));
                if self.outside || inside {
                    Err(unreadable(name, &error))
                } else {
                    Err(outside())
                }
            }
        }
    }

    fn file(&mut self, place: &Path, name: String) -> Result<(), SourceError> {
        let found = fs::metadata(place).map_err(|error| unreadable(&name, &error))?;
        let left = MAX_UNZIPPED.saturating_sub(self.bytes);
        if found.len() >= left {
            return Err(SourceError::Unzipped);
        }
        let content = bytes(place, &name, left)?;
        self.bytes += content.len() as u64;
        if self.bytes >= MAX_UNZIPPED {
            return Err(SourceError::Unzipped);
        }
        let executable = is_executable(&found);
        let file = SourceFile {
            executable,
            content,
        };
        self.files.insert(name, file);
        Ok(())
    }
}

/// The bytes of a file, one more than `most` at most: enough to see that there are too many.
fn bytes(place: &Path, name: &str, most: u64) -> Result<Vec<u8>, SourceError> {
    let refused = |error: io::Error| unreadable(name, &error);
    let mut bytes = Vec::new();
    File::open(place)
        .map_err(refused)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(refused)?;
    Ok(bytes)
}

/// What comes about by itself and is of no use in a package; of crossgate's own folders, backups of pipelines and the sandbox.
fn is_skipped(name: &str) -> bool {
    let compiled = Path::new(name).extension().is_some_and(|end| end == "pyc");
    compiled
        || matches!(
            name,
            ".git" | ".crossgate" | ".crossgate-sandbox" | "__pycache__" | ".DS_Store"
        )
}

fn packable<'n>(name: Option<&'n str>, path: &str) -> Result<&'n str, SourceError> {
    name.filter(|name| !name.contains(['\\', '/']) && !name.chars().any(char::is_control))
        .ok_or_else(|| SourceError::Name {
            path: path.to_owned(),
        })
}

#[cfg(unix)]
fn is_executable(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

/// The path without `.` and `..`, by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn unreadable(path: &str, error: &io::Error) -> SourceError {
    SourceError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    }
}
