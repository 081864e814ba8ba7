//! Reads, side by side, bounded per account and over all, in rounds until nothing more is wanted.
//! What is wanted is decided by whoever passes `wants`; a failed read is recorded like an answer, and hides no other.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use tokio::sync::Semaphore;

use crate::cloud::Cloud;
use crate::model::account::AccountName;
use crate::model::observed::Observed;
use crate::model::progress::Progress;
use crate::model::read::Read;

/// Calls under way at once in one account, where nobody says otherwise. Rate limits are counted by account.
pub const CALLS_PER_ACCOUNT: usize = 32;

/// Calls under way at once in all accounts together: each takes a connection and some tens of kilobytes, and a process may have
/// 256 files open on some systems. A hundred accounts would have four hundred at once.
const CALLS_AT_ONCE: usize = 128;

/// Rounds after which reading stops whatever is wanted: a plan needs four at most (identity and names, policies of roles that
/// these name, names of the policies beside them, their sizes), and an organization a dozen (five units, the root, policies), so
/// more would be a mistake that must not become a loop.
const MAX_ROUNDS: usize = 12;

/// Reads until `wants` wants nothing more.
pub async fn observe<C: Cloud>(
    cloud: &C,
    wants: impl Fn(&Observed) -> Vec<(AccountName, Read)>,
    calls_per_account: usize,
    progress: &dyn Progress,
) -> Observed {
    let mut observed = Observed::default();
    for _ in 0..MAX_ROUNDS {
        let wanted = wants(&observed);
        if wanted.is_empty() {
            break;
        }
        round(cloud, wanted, calls_per_account, progress, &mut observed).await;
    }
    observed
}

async fn round<C: Cloud>(
    cloud: &C,
    wanted: Vec<(AccountName, Read)>,
    calls_per_account: usize,
    progress: &dyn Progress,
    observed: &mut Observed,
) {
    let mut by_account: BTreeMap<AccountName, Vec<Read>> = BTreeMap::new();
    for (account, read) in wanted {
        by_account.entry(account).or_default().push(read);
    }
    for (account, reads) in &by_account {
        progress.reads_planned(account, reads.len());
    }
    let mut by_account: Vec<(AccountName, Vec<Read>)> = by_account.into_iter().collect();
    // Whoever has the most to do begins first: the round ends with it.
    by_account.sort_by_key(|(_, reads)| std::cmp::Reverse(reads.len()));
    let places = &Semaphore::new(CALLS_AT_ONCE);
    let mut accounts = FuturesUnordered::new();
    for (account, reads) in by_account {
        accounts.push(async move {
            let answers: Vec<_> = stream::iter(reads)
                .map(|read| {
                    let account = &account;
                    async move {
                        // Nobody closes it: an error cannot be, and would only mean that nothing is bounded.
                        let place = places.acquire().await;
                        let answer = cloud.read(account, &read).await;
                        drop(place);
                        progress.read_done(account);
                        (read, answer)
                    }
                })
                .buffer_unordered(calls_per_account.max(1))
                .collect()
                .await;
            (account, answers)
        });
    }
    while let Some((account, answers)) = accounts.next().await {
        for (read, answer) in answers {
            observed.record(account.clone(), read, answer);
        }
    }
}
