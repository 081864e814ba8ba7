//! Many questions about single roles of an account, or one list of all its roles: whichever costs fewer calls.
//! It counts; what is needed is decided by whoever asks, and what a list answers is known to `observed`.
//!
//! A role that is ours takes four calls (GetRole, two lists, GetRolePolicy), one that others share one or two. The list
//! (GetAccountAuthorizationDetails) takes a call for each page, and how many pages an account has nobody knows before: 1,000
//! roles a page at most (api: MaxItems; it may be fewer), 1,000 roles in an account unless the quota is raised, to 5,000 at most
//! (IAM quotas). So a list of full pages takes one call mostly and five at the worst, one after another, and each brings every role
//! of the account. Below [`ASKED_SINGLY`] the single calls win: they go side by side, in the time of one, and bring only what is
//! needed. Above it the list costs fewer calls in the biggest account too, even were its pages a third full.
//!
//! Whoever runs crossgate may lack the permission for the list, or it may fail otherwise: then every role is asked for singly, one
//! round later, and nobody need hear of it.

use std::collections::BTreeMap;

use super::account::AccountName;
use super::observed::Observed;
use super::read::Read;

/// The most questions about single roles of one account in a round: as many as are asked side by side.
pub const ASKED_SINGLY: usize = 16;

/// Puts the list of an account's roles in the place of the questions that it answers, where there are many of these, or where
/// it is asked for anyway. Sorted, each question once.
pub fn fewest(
    observed: &Observed,
    mut wanted: Vec<(AccountName, Read)>,
) -> Vec<(AccountName, Read)> {
    wanted.sort();
    wanted.dedup();
    let mut singly: BTreeMap<AccountName, usize> = BTreeMap::new();
    for (account, read) in &wanted {
        let questions = match read {
            Read::Roles => ASKED_SINGLY + 1,
            read if read.role().is_some() => 1,
            _ => continue,
        };
        match singly.get_mut(account) {
            Some(known) => *known += questions,
            None => {
                singly.insert(account.clone(), questions);
            }
        }
    }
    // A list that was asked for and is no answer will be none the second time.
    singly.retain(|account, n| *n > ASKED_SINGLY && !observed.has(account, &Read::Roles));
    if singly.is_empty() {
        return wanted;
    }
    wanted.retain(|(account, read)| read.role().is_none() || !singly.contains_key(account));
    wanted.extend(singly.into_keys().map(|account| (account, Read::Roles)));
    wanted.sort();
    wanted.dedup();
    wanted
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::account::AccountId;
    use super::super::failure::{CloudError, CloudErrorKind};
    use super::super::name::RoleName;
    use super::super::read::Fact;
    use super::*;

    fn account(name: &str) -> AccountName {
        AccountName::new(name).unwrap()
    }

    /// So many roles of an account.
    fn roles(name: &str, number: usize) -> Vec<(AccountName, Read)> {
        let read = |n| Read::Role {
            role: RoleName::new(&format!("r{n}")).unwrap(),
        };
        (0..number).map(|n| (account(name), read(n))).collect()
    }

    fn identity(name: &str) -> (AccountName, Read) {
        (account(name), Read::CallerIdentity)
    }

    fn list(name: &str) -> (AccountName, Read) {
        (account(name), Read::Roles)
    }

    #[test]
    fn few_are_asked_singly_and_many_as_a_list_each_account_by_itself() {
        let mut wanted = roles("few", ASKED_SINGLY);
        wanted.extend(roles("many", ASKED_SINGLY + 1));
        wanted.push(identity("many"));
        let mut expected = roles("few", ASKED_SINGLY);
        expected.sort();
        expected.extend([identity("many"), list("many")]);
        assert_eq!(fewest(&Observed::default(), wanted), expected);
    }

    #[test]
    fn a_list_that_is_asked_for_anyway_answers_the_rest() {
        let mut wanted = roles("a", 2);
        wanted.extend([list("a"), list("a")]);
        assert_eq!(fewest(&Observed::default(), wanted), [list("a")]);
    }

    #[test]
    fn after_a_list_that_failed_every_role_is_asked_for_singly() {
        let mut observed = Observed::default();
        let refused = CloudError {
            kind: CloudErrorKind::AccessDenied,
            operation: Read::Roles.operation().to_owned(),
            account: account("a"),
            account_id: AccountId::new("111111111111").unwrap(),
            resource: Read::Roles.to_string(),
            code: None,
            message: "no".to_owned(),
            request_id: None,
            hint: None,
        };
        observed.record(account("a"), Read::Roles, Err(refused));
        let mut wanted = roles("a", 40);
        wanted.sort();
        assert_eq!(fewest(&observed, wanted.clone()), wanted);
    }

    #[test]
    fn a_list_that_is_there_is_not_asked_for_again() {
        let mut observed = Observed::default();
        observed.record(account("a"), Read::Roles, Ok(Fact::Roles(Vec::new())));
        // Nobody asks what is answered; should somebody, it costs no second list.
        let wanted = fewest(&observed, roles("a", 40));
        assert!(!wanted.contains(&list("a")));
    }
}
