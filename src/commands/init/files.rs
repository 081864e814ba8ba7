//! The files that `init` writes: all of them new, or none.
//! It never replaces a file, not even an empty one, and follows no link to one.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewFile {
    /// Where.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) text: String,
}

/// Refuses where anything stands in the place of one of the files, or a folder that they need is missing.
pub(super) fn check(paths: &[&Path]) -> Result<(), Error> {
    for path in paths {
        match fs::symlink_metadata(path) {
            Ok(_) => return Err(exists(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(path, &error)),
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        if let Some(folder) = folder
            && !folder.is_dir()
        {
            return Err(Error::Failed {
                message: format!(
                    "there is no folder {}; nothing was written",
                    folder.display()
                ),
                hint: "make it first, or name another file with --config".to_owned(),
            });
        }
    }
    Ok(())
}

/// Writes all files; where one cannot be written, those before it are removed again.
pub(super) fn write(files: &[NewFile]) -> Result<(), Error> {
    for (at, file) in files.iter().enumerate() {
        if let Err(error) = create(file) {
            for made in files.iter().take(at) {
                // It was made a moment ago; if it cannot be removed, the error below is still the one to tell.
                let _ = fs::remove_file(&made.path);
            }
            return Err(match error.kind() {
                ErrorKind::AlreadyExists => exists(&file.path),
                _ => failed(&file.path, &error),
            });
        }
    }
    Ok(())
}

fn create(file: &NewFile) -> io::Result<()> {
    let NewFile { path, text } = file;
    let mut new = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = new.write_all(text.as_bytes()).and_then(|()| new.sync_all());
    if written.is_err() {
        // Half a manifest is worse than none; the disk that is full takes a removal.
        let _ = fs::remove_file(path);
    }
    written
}

fn exists(path: &Path) -> Error {
    Error::Failed {
        message: format!(
            "{} is there already, and init overwrites no file; nothing was written",
            path.display()
        ),
        hint: "name another file with --config, look at the manifest with --print, or move the file away".to_owned(),
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::Failed {
        message: format!(
            "cannot write {}: {error}; nothing was written",
            path.display()
        ),
        hint: "name another file with --config, or look at the manifest with --print".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file(path: PathBuf, text: &str) -> NewFile {
        NewFile {
            path,
            text: text.to_owned(),
        }
    }

    #[test]
    fn all_files_or_none() {
        let folder = tempfile::TempDir::new().unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        fs::write(&old, "mine").unwrap();
        let files = [file(new.clone(), "a"), file(old.clone(), "b")];
        let error = write(&files).unwrap_err();
        assert!(error.to_string().contains("is there already"), "{error}");
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(&old).unwrap(), "mine");
        assert!(check(&[&new, &old]).is_err());
        fs::remove_file(&old).unwrap();
        check(&[&new, &old]).unwrap();
        write(&files).unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "b");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_nowhere_is_not_followed() {
        let folder = tempfile::TempDir::new().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(check(&[&link]).is_err());
        assert!(write(&[file(link, "a")]).is_err());
        assert!(!target.exists());
    }

    #[test]
    fn a_missing_folder_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let error = check(&[&folder.path().join("no/where.toml")]).unwrap_err();
        assert!(error.to_string().contains("there is no folder"), "{error}");
    }
}
