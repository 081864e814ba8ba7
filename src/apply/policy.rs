//! Changes the policy of a bucket or a key: read again, saved, sent with our statements as they shall be.
//! It decides nothing: what is sent is `model::resource_policy`'s.

use super::unanswered::{Unanswered, until_answered};
use super::{Backup, Done, Timing, Tools, send, written_to_done};
use crate::cloud::Cloud;
use crate::model::artifact::PolicyHolder;
use crate::model::change::{Failure, Outcome, Problem, Severity};
use crate::model::observed::{Observed, Seen};
use crate::model::resource_policy::{PolicyRenewal, PolicyUpdate};

/// The call and what it is about, before it is known whether anything is left of a bucket's policy.
pub(super) fn call(holder: &PolicyHolder) -> String {
    let operation = match holder {
        PolicyHolder::Bucket { .. } => "s3:PutBucketPolicy",
        PolicyHolder::Key { .. } => "kms:PutKeyPolicy",
    };
    format!("{operation} {holder}")
}

/// Changes the policy of a bucket or a key. Where the answer is lost, the next look says whether it was made; what somebody else
/// wrote meanwhile is in it, where a request that is only repeated would take it back.
pub(super) async fn change<C: Cloud, T: Timing, B: Backup>(
    update: &PolicyUpdate,
    what: &str,
    tools: &Tools<'_, C, T, B>,
) -> Done {
    until_answered(
        update.holder.account(),
        what,
        tools,
        async |unanswered: &mut Unanswered| change_once(update, what, unanswered, tools).await,
    )
    .await
}

/// Reads the policy of a bucket or a key again, saves it, sends it with our statements as they shall be.
async fn change_once<C: Cloud, T: Timing, B: Backup>(
    update: &PolicyUpdate,
    what: &str,
    unanswered: &mut Unanswered,
    tools: &Tools<'_, C, T, B>,
) -> Done {
    let holder = &update.holder;
    let (account, read) = (holder.account(), holder.read());
    let answer = tools.cloud.read(account, &read).await;
    let mut observed = Observed::default();
    observed.record(account.clone(), read, answer);
    let fresh = match observed.resource_policy(holder) {
        Seen::Present(text) => Some(text),
        Seen::Absent | Seen::NotRead => None,
        Seen::Unreadable(error) => {
            let failure = Failure::Cloud(Box::new(error.clone()));
            return Done::from(Outcome::Failed(failure));
        }
    };
    let (write, moved) = match update.renew(fresh) {
        PolicyRenewal::NothingToDo => return Done::from(Outcome::AlreadyThere),
        PolicyRenewal::Stale(message) => {
            return Done::from(Outcome::Failed(Failure::Stale { message }));
        }
        PolicyRenewal::Send { write, moved } => (write, moved),
    };
    let backup = match tools.backup.save_policy(holder, fresh) {
        Ok(path) => path,
        Err(message) => return Done::from(Outcome::Failed(Failure::Backup { message })),
    };
    let written = send(account, &write, false, what, tools).await;
    if let Err(error) = &written
        && error.kind.leaves_in_doubt()
    {
        unanswered.doubt(error);
    }
    let problem = Problem {
        code: "policy_moved",
        severity: Severity::Warning,
        account: Some(account.clone()),
        gates: Vec::new(),
        message: format!(
            "somebody wrote the policy of {holder} since the plan was made; the change was made anew from it, so nothing of it is \
             lost"
        ),
        hint: None,
    };
    Done {
        backups: vec![backup],
        problems: moved.then_some(problem).into_iter().collect(),
        ..written_to_done(written)
    }
}
