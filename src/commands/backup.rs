//! Backups of pipeline documents and of policies of buckets and keys: `.crossgate/backup/` beside the manifest, a file a document, readable by its owner only.
//! It writes files and nothing else; an existing file is never overwritten, and no symbolic link is followed: the branch that the
//! manifest is of may hold one in the folder's place.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::apply::Backup;
use crate::model::artifact::PolicyHolder;
use crate::model::pipeline::PipelineDocument;
use crate::model::resource_policy::backup_text;
use crate::model::wiring::PipelineKey;

/// The folder of the backups.
pub(super) struct Folder {
    folder: PathBuf,
    now: u64,
}

/// Files of one document, version and second before giving up: more means that something else is wrong.
const MOST_TWINS: u32 = 100;

impl Folder {
    /// Beside the manifest; `now` in seconds since 1970.
    pub(super) fn beside(manifest: &Path, now: u64) -> Self {
        let beside = manifest.parent().unwrap_or(Path::new("."));
        Self {
            folder: beside.join(".crossgate").join("backup"),
            now,
        }
    }

    /// Makes the folder and tries it: what cannot be saved must be known before the first write, not before the last.
    pub(super) fn prepare(&self) -> std::io::Result<()> {
        for folder in self.folder.parent().into_iter().chain([self.path()]) {
            make(folder)?;
        }
        self.ignore_in_git()?;
        let probe = self.folder.join(format!(".probe-{}", self.now));
        // Never one that is there, which may be a link. The probe of a run that was killed in this very second is as good.
        match OpenOptions::new().write(true).create_new(true).open(&probe) {
            Ok(_) => fs::remove_file(&probe),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    fn write(&self, key: &PipelineKey, document: &PipelineDocument) -> std::io::Result<PathBuf> {
        let version = document
            .version()
            .map_or_else(|| "unknown".to_owned(), |v| v.to_string());
        // All parts are names that AWS or the manifest's rules limit to characters that are safe in a file's name.
        let stem = format!(
            "{}.{}.{}.v{version}.{}",
            key.account, key.region, key.name, self.now
        );
        self.write_new(&stem, &document.to_backup())
    }

    fn write_policy(
        &self,
        holder: &PolicyHolder,
        policy: Option<&str>,
    ) -> std::io::Result<PathBuf> {
        let kind = match holder {
            PolicyHolder::Bucket { .. } => "bucket",
            PolicyHolder::Key { .. } => "key",
        };
        let (account, region) = (holder.account(), holder.region());
        let stem = format!(
            "{account}.{region}.{kind}-{}.policy.{}",
            holder.name(),
            self.now
        );
        self.write_new(&stem, &backup_text(policy))
    }

    fn write_new(&self, stem: &str, text: &str) -> std::io::Result<PathBuf> {
        for twin in 0..MOST_TWINS {
            let end = if twin == 0 {
                String::new()
            } else {
                format!(".{twin}")
            };
            let path = self.folder.join(format!("{stem}{end}.json"));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes())?;
                    file.sync_all()?;
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// A pipeline's document names accounts and roles: it does not belong into a repository by accident.
    fn ignore_in_git(&self) -> std::io::Result<()> {
        let Some(parent) = self.folder.parent() else {
            return Ok(());
        };
        let path = parent.join(".gitignore");
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => file.write_all(b"*\n"),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Makes one folder where there is none. A link is refused, wherever it leads.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = fs::symlink_metadata(folder)?;
    if found.is_dir() {
        return Ok(());
    }
    let what = if found.is_symlink() {
        "a symbolic link, and backups would be written where it leads"
    } else {
        "no folder"
    };
    let shown = folder.display();
    Err(std::io::Error::other(format!(
        "{shown} is {what}: remove it, and find out who put it there"
    )))
}

impl Backup for Folder {
    fn save(&self, key: &PipelineKey, document: &PipelineDocument) -> Result<PathBuf, String> {
        let saved = self.prepare().and_then(|()| self.write(key, document));
        let path = saved.map_err(|error| {
            format!(
                "the document of pipeline {} could not be saved in {}: {error}",
                key.name,
                self.folder.display()
            )
        })?;
        Ok(fs::canonicalize(&path).unwrap_or(path))
    }

    fn save_policy(&self, holder: &PolicyHolder, policy: Option<&str>) -> Result<PathBuf, String> {
        let saved = self
            .prepare()
            .and_then(|()| self.write_policy(holder, policy));
        let path = saved.map_err(|error| {
            format!(
                "the policy of {holder} could not be saved in {}: {error}",
                self.folder.display()
            )
        })?;
        Ok(fs::canonicalize(&path).unwrap_or(path))
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with a manifest in it, and one elsewhere.
    fn places() -> (tempfile::TempDir, tempfile::TempDir, Folder) {
        let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = Folder::beside(&here.path().join("crossgate.toml"), 7);
        (here, elsewhere, folder)
    }

    fn document() -> PipelineDocument {
        let text = r#"{"name": "P", "roleArn": "arn:aws:iam::111111111111:role/S", "stages": [{"name": "S", "actions": []}]}"#;
        PipelineDocument::parse(text).unwrap()
    }

    fn key() -> PipelineKey {
        PipelineKey {
            account: crate::model::account::AccountName::new("tools").unwrap(),
            region: crate::model::account::Region::new("us-east-1").unwrap(),
            name: crate::model::name::PipelineName::new("P").unwrap(),
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_folder_is_refused_and_nothing_is_written_through_it() {
        for link in [".crossgate", ".crossgate/backup"] {
            let (here, elsewhere, folder) = places();
            let link = here.path().join(link);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(elsewhere.path(), &link).unwrap();
            let why = folder.prepare().unwrap_err().to_string();
            assert!(why.contains("is a symbolic link"), "{why}");
            assert!(why.contains(&link.display().to_string()), "{why}");
            folder.save(&key(), &document()).unwrap_err();
            assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_not_followed() {
        let (here, elsewhere, folder) = places();
        let inside = here.path().join(".crossgate/backup");
        fs::create_dir_all(&inside).unwrap();
        for name in [
            "../.gitignore",
            ".probe-7",
            "tools.us-east-1.P.vunknown.7.json",
        ] {
            symlink(elsewhere.path().join("made"), inside.join(name)).unwrap();
        }
        let saved = folder.save(&key(), &document()).unwrap();
        assert_eq!(
            saved.file_name().unwrap(),
            "tools.us-east-1.P.vunknown.7.1.json"
        );
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn folders_are_made_for_their_owner_only_and_used_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let (here, _elsewhere, folder) = places();
        folder.prepare().unwrap();
        folder.prepare().unwrap();
        for name in [".crossgate", ".crossgate/backup"] {
            let mode = fs::metadata(here.path().join(name)).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o700, "{name}");
        }
        fs::write(here.path().join("file"), "").unwrap();
        let why = make(&here.path().join("file")).unwrap_err().to_string();
        assert!(why.contains("is no folder"), "{why}");
    }
}
