//! Changes a pipeline: read again, patched, the old document saved, the new one sent; and what others wrote in between is fetched.
//! It decides nothing: the patch is `model::pipeline::renew`'s.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use super::unanswered::{Unanswered, until_answered};
use super::{Backup, Done, Timing, Tools, send, written_to_done};
use crate::cloud::Cloud;
use crate::model::change::{Failure, Outcome, PipelineUpdate, Problem, Severity};
use crate::model::failure::CloudError;
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::{Moved, PipelineDocument, Renewal, lost_versions};
use crate::model::read::Fact;
use crate::model::wiring::PipelineKey;
use crate::model::write::{Write, Written};

/// What was found at a pipeline.
pub(super) struct Look {
    answer: Result<Fact, CloudError>,
    /// When it was asked for.
    at: Duration,
}

/// How long a look that was taken early may be used: about what the policies before it take. IAM makes a new role wait for longer, and
/// the longer the look is ago, the more likely is it that somebody wrote since.
const LOOK_HOLDS: Duration = Duration::from_millis(500);

/// Reads the pipeline as it is now.
pub(super) async fn look<C: Cloud, T: Timing, B>(
    update: &PipelineUpdate,
    tools: &Tools<'_, C, T, B>,
) -> Look {
    let key = &update.pipeline;
    let at = tools.timing.now();
    let answer = tools.cloud.read(&key.account, &key.read()).await;
    Look { answer, at }
}

/// Changes a pipeline, from a look that was taken early where that is not too long ago. Where the answer is lost, the next look says
/// whether it was made: at the version before ours it was not, at ours the document tells, and beyond it others wrote too.
pub(super) async fn change<C: Cloud, T: Timing, B: Backup>(
    update: &PipelineUpdate,
    what: &str,
    early: Option<Look>,
    tools: &Tools<'_, C, T, B>,
) -> Done {
    let is_new = |look: &Look| tools.timing.now().saturating_sub(look.at) <= LOOK_HOLDS;
    let mut early = early.filter(is_new);
    until_answered(
        &update.pipeline.account,
        what,
        tools,
        async |unanswered: &mut Unanswered| {
            let look = match early.take() {
                Some(look) => look,
                None => look(update, tools).await,
            };
            change_once(update, what, look, unanswered, tools).await
        },
    )
    .await
}

/// Patches the document that was found, saves it, sends the new one.
async fn change_once<C: Cloud, T: Timing, B: Backup>(
    update: &PipelineUpdate,
    what: &str,
    Look { answer, at: _ }: Look,
    unanswered: &mut Unanswered,
    tools: &Tools<'_, C, T, B>,
) -> Done {
    let key = &update.pipeline;
    let mut observed = Observed::default();
    observed.record(key.account.clone(), key.read(), answer);
    let fresh = match observed.pipeline(key) {
        Seen::Present(document) => Some(document),
        Seen::Absent | Seen::NotRead => None,
        Seen::Unreadable(error) => {
            let failure = Failure::Cloud(Box::new(error.clone()));
            return Done::from(Outcome::Failed(failure));
        }
    };
    let replaced = match fresh {
        Some(fresh) => replaced(update, fresh, unanswered, tools).await,
        None => Vec::new(),
    };
    let mut problems: Vec<Problem> = replaced
        .iter()
        .map(|it| written_between(update, it))
        .collect();
    let saved: Vec<PathBuf> = replaced
        .into_iter()
        .filter_map(|lost| lost.backup)
        .collect();
    let ended = |outcome: Outcome, problems: Vec<Problem>, backups: Vec<PathBuf>| Done {
        backups,
        problems,
        ..Done::from(outcome)
    };
    let (document, expected, moved) = match update.renew(fresh) {
        Renewal::NothingToDo => return ended(Outcome::AlreadyThere, problems, saved),
        Renewal::Stale(message) => {
            return ended(Outcome::Failed(Failure::Stale { message }), problems, saved);
        }
        Renewal::Send {
            document,
            expected,
            moved,
        } => (document, expected, moved),
    };
    let backup = match fresh.map(|old| tools.backup.save(key, old)) {
        Some(Ok(path)) => Some(path),
        Some(Err(message)) => {
            return ended(
                Outcome::Failed(Failure::Backup { message }),
                problems,
                saved,
            );
        }
        None => None,
    };
    let write = Write::UpdatePipeline {
        region: key.region.clone(),
        name: key.name.clone(),
        document,
    };
    let written = send(&key.account, &write, false, what, tools).await;
    let mut backups: Vec<PathBuf> = backup.into_iter().chain(saved).collect();
    problems.extend(moved.map(|m| moved_on(update, &m)));
    match (&written, expected) {
        (
            Ok(Written::Pipeline {
                version: Some(answered),
            }),
            Some(expected),
        ) if *answered != expected => {
            let versions = lost_versions(expected, *answered);
            for lost in overwritten(update, versions, unanswered, tools).await {
                problems.push(written_between(update, &lost));
                backups.extend(lost.backup);
            }
        }
        (Err(error), _) if error.kind.leaves_in_doubt() => {
            unanswered.first = expected;
            unanswered.doubt(error);
            if let Write::UpdatePipeline { document, .. } = write {
                unanswered.sent.push(*document);
            }
        }
        _ => {}
    }
    Done {
        backups,
        problems,
        ..written_to_done(written)
    }
}

/// A version of a pipeline that somebody wrote between crossgate's last read and its write.
struct Lost {
    version: u64,
    /// Where it was saved, or why it could not be.
    backup: Option<PathBuf>,
    why: Option<String>,
}

/// The most overwritten versions that are fetched: more within one call's time is no editor.
const MOST_LOST: usize = 10;

/// Fetches and saves what was overwritten. A version that says what the pipeline says now is not lost: a repetition of our own
/// write, whose first answer did not arrive, or somebody who wrote the same.
async fn overwritten<C: Cloud, T, B: Backup>(
    update: &PipelineUpdate,
    versions: Range<u64>,
    unanswered: &Unanswered,
    tools: &Tools<'_, C, T, B>,
) -> Vec<Lost> {
    let key = &update.pipeline;
    let now = match tools.cloud.read(&key.account, &key.read()).await {
        Ok(Fact::Pipeline(document)) => document,
        Ok(_) | Err(_) => None,
    };
    let kept = |earlier: &PipelineDocument| {
        unanswered.is_ours(earlier) || now.as_ref().is_some_and(|now| now.says_the_same(earlier))
    };
    let found = fetch(update, versions, tools).await;
    let lost = found
        .into_iter()
        .filter(|(_, earlier)| !matches!(earlier, Ok(document) if kept(document)));
    lost.map(|(version, earlier)| save(update, version, earlier, tools))
        .collect()
}

/// Fetches and saves what a write without an answer has overwritten: what others wrote before the last version that says what was
/// sent. What they wrote after it, they wrote over ours, and the next change keeps it.
async fn replaced<C: Cloud, T, B: Backup>(
    update: &PipelineUpdate,
    fresh: &PipelineDocument,
    unanswered: &mut Unanswered,
    tools: &Tools<'_, C, T, B>,
) -> Vec<Lost> {
    let (Some(first), Some(newest)) = (unanswered.first, fresh.version()) else {
        return Vec::new();
    };
    if newest < first {
        return Vec::new();
    }
    unanswered.first = Some(newest.saturating_add(1));
    let found = fetch(update, first..newest, tools).await;
    let ours = |(version, earlier): &(u64, Fetched)| match earlier {
        Ok(document) => unanswered.is_ours(document).then_some(*version),
        Err(_) => None,
    };
    let latest = if unanswered.is_ours(fresh) {
        Some(newest)
    } else {
        found.iter().filter_map(ours).max()
    };
    let lost = found
        .into_iter()
        .filter(|(version, earlier)| match earlier {
            Ok(document) => {
                latest.is_some_and(|ours| *version < ours) && !unanswered.is_ours(document)
            }
            // Nobody can say whose it is.
            Err(_) => true,
        });
    lost.map(|(version, earlier)| save(update, version, earlier, tools))
        .collect()
}

/// An earlier version, or why there is none.
type Fetched = Result<Box<PipelineDocument>, String>;

/// The last of these versions, in their order.
async fn fetch<C: Cloud, T, B>(
    update: &PipelineUpdate,
    versions: Range<u64>,
    tools: &Tools<'_, C, T, B>,
) -> Vec<(u64, Fetched)> {
    let key = &update.pipeline;
    let mut found = Vec::new();
    for version in versions.rev().take(MOST_LOST) {
        let earlier = match tools.cloud.read(&key.account, &key.earlier(version)).await {
            Ok(Fact::PipelineVersion(Some(earlier))) => Ok(earlier),
            Ok(_) => Err("AWS does not have it any more".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        found.push((version, earlier));
    }
    found.reverse();
    found
}

fn save<C, T, B: Backup>(
    update: &PipelineUpdate,
    version: u64,
    earlier: Fetched,
    tools: &Tools<'_, C, T, B>,
) -> Lost {
    let saved = earlier.and_then(|earlier| tools.backup.save(&update.pipeline, &earlier));
    let (backup, why) = match saved {
        Ok(path) => (Some(path), None),
        Err(why) => (None, Some(why)),
    };
    Lost {
        version,
        backup,
        why,
    }
}

fn moved_on(update: &PipelineUpdate, moved: &Moved) -> Problem {
    let Moved {
        planned,
        found,
        touched,
    } = moved;
    let name = &update.pipeline.name;
    // What the manifest wants of an action that is there may take back what somebody has just made of it.
    let kept = match touched.as_slice() {
        [] => "so nothing of it is lost".to_owned(),
        [_, ..] => format!(
            "which is saved, and all of it stays but what the manifest wants otherwise in {}",
            touched.join(", ")
        ),
    };
    warning(
        "pipeline_moved",
        update,
        format!(
            "pipeline {name} went from version {planned} to {found} since the plan was made; the change was made anew from \
             version {found}, {kept}"
        ),
        None,
    )
}

fn written_between(update: &PipelineUpdate, lost: &Lost) -> Problem {
    let PipelineKey {
        account: _,
        region,
        name,
    } = &update.pipeline;
    let Lost {
        version,
        backup,
        why,
    } = lost;
    let hint = match backup {
        Some(path) => format!(
            "it is saved in {}: `crossgate restore` with that file shows what is missing, and puts it back",
            path.display()
        ),
        None => format!(
            "look at it with `aws codepipeline get-pipeline --name {name} --version {version} --region {region}` and bring back \
             what is missing{}",
            why.as_ref().map_or_else(String::new, |why| format!(
                " (it could not be saved: {why})"
            ))
        ),
    };
    warning(
        "pipeline_overwritten",
        update,
        format!(
            "somebody else wrote pipeline {name} between crossgate's read and its write: version {version} is not in the \
             pipeline any more (AWS offers no compare-and-swap)"
        ),
        Some(hint),
    )
}

fn warning(
    code: &'static str,
    update: &PipelineUpdate,
    message: String,
    hint: Option<String>,
) -> Problem {
    Problem {
        code,
        severity: Severity::Warning,
        account: Some(update.pipeline.account.clone()),
        gates: update.gates(),
        message,
        hint,
    }
}
