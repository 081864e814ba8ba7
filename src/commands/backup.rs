//! Backups of pipeline documents and of policies of buckets and keys: `.crossgate/backup/` beside the manifest, a file a document, readable by its owner only.
//! It writes files and nothing else; an existing file is never overwritten.

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
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)?;
        self.ignore_in_git()?;
        let probe = self.folder.join(format!(".probe-{}", self.now));
        fs::write(&probe, b"")?;
        fs::remove_file(&probe)
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
