//! Which profiles the AWS config files hold: read to choose from, and to explain why one of them gave no credentials.
//! Credentials are never read here; the SDK reads the files for itself.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;

use crate::model::account::Region;

/// The names of the profiles that there are, sorted.
pub fn profile_names() -> Vec<String> {
    ProfileFiles::locate().names().into_iter().collect()
}

/// The region that a profile names, or that the one on its way to credentials does; none: it names none, or is not there.
/// Without a name, the default profile's (`AWS_PROFILE`, else `default`).
pub async fn profile_region(profile: Option<&str>) -> Option<Region> {
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        provider = provider.profile_name(profile);
    }
    let region = provider.build().region().await?;
    Region::new(region.as_ref()).ok()
}

/// The two files, found as every AWS tool finds them (AWS SDKs and Tools Reference Guide, "Location of the shared files").
pub(super) struct ProfileFiles {
    config: PathBuf,
    credentials: PathBuf,
}

impl ProfileFiles {
    /// By `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`, else in `~/.aws`.
    pub(super) fn locate() -> Self {
        let of = |variable: &str, name: &str| match env::var_os(variable) {
            Some(path) => expand_home(Path::new(&path)),
            None => home().join(".aws").join(name),
        };
        Self {
            config: of("AWS_CONFIG_FILE", "config"),
            credentials: of("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        }
    }

    /// The names of the profiles of both files; a file that cannot be read has none.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let of = |path: &Path, prefixed| {
            let text = fs::read_to_string(path).unwrap_or_default();
            section_names(&text, prefixed)
        };
        let mut names = of(&self.config, true);
        names.extend(of(&self.credentials, false));
        names
    }

    /// Why a missing profile is missing, and what to do.
    pub(super) fn missing(&self, profile: &str, names: &BTreeSet<String>) -> (String, String) {
        let mut message = format!("there is no profile `{profile}`: looked in");
        for (i, path) in [&self.config, &self.credentials].into_iter().enumerate() {
            let joint = if i == 0 { " " } else { " and " };
            let absent = if path.exists() { "" } else { " (no such file)" };
            // Writing to a String cannot fail.
            let _ = write!(message, "{joint}{}{absent}", path.display());
        }
        let nearest = names
            .iter()
            .map(|name| (strsim::damerau_levenshtein(name, profile), name))
            .min()
            .filter(|(distance, _)| *distance <= 2);
        let hint = match nearest {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None if names.is_empty() => format!(
                "make it with `aws configure --profile {profile}` or `aws configure sso --profile {profile}`"
            ),
            None => {
                let known: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
                format!("the profiles there are: {}", known.join(", "))
            }
        };
        (message, hint)
    }
}

/// Section names: `[profile x]` and `[default]` in the config file, `[x]` in the credentials file.
fn section_names(text: &str, prefixed: bool) -> BTreeSet<String> {
    let header = |line: &str| {
        let (name, _) = line.trim_end().strip_prefix('[')?.split_once(']')?;
        let name = name.trim();
        if !prefixed || name == "default" {
            return Some(name.to_owned());
        }
        let name = name.strip_prefix("profile")?;
        name.starts_with(char::is_whitespace)
            .then(|| name.trim().to_owned())
    };
    text.lines().filter_map(header).collect()
}

fn home() -> PathBuf {
    let of = |variable| env::var_os(variable).filter(|v| !v.is_empty());
    of("HOME")
        .or_else(|| of("USERPROFILE"))
        .map_or_else(|| PathBuf::from("~"), PathBuf::from)
}

fn expand_home(path: &Path) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => home().join(rest),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_the_file_has_them() {
        let config = "[default]\nregion=x\n[profile tools]\n[ profile  dev ] # c\n[sso-session s]\n[profiles]\n[services l]\n";
        let names: Vec<String> = section_names(config, true).into_iter().collect();
        assert_eq!(names, ["default", "dev", "tools"]);
        let names: Vec<String> = section_names("[a]\n[b c]\n x=[d]\n", false)
            .into_iter()
            .collect();
        assert_eq!(names, ["a", "b c"]);
    }

    #[test]
    fn a_missing_profile_is_named_with_both_files() {
        let files = ProfileFiles {
            config: PathBuf::from("/nowhere/config"),
            credentials: PathBuf::from("/nowhere/credentials"),
        };
        let names = BTreeSet::from(["tools".to_owned(), "dev".to_owned()]);
        let (message, hint) = files.missing("tool", &names);
        assert_eq!(
            message,
            "there is no profile `tool`: looked in /nowhere/config (no such file) and /nowhere/credentials (no such file)"
        );
        assert_eq!(hint, "did you mean `tools`?");
        assert_eq!(
            files.missing("production", &names).1,
            "the profiles there are: dev, tools"
        );
        assert!(
            files
                .missing("p", &BTreeSet::new())
                .1
                .contains("aws configure")
        );
    }
}
