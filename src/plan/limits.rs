//! IAM's size limits, counted before the first write.
//! It only counts: which policies are put is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::AccountName;
use crate::model::change::{Problem, Severity};
use crate::model::name::GateName;
use crate::model::observed::Seen;
use crate::model::read::Read;
use crate::model::wiring::RoleKey;

use super::draft::{Draft, Put};
use super::join::Joined;

/// All inline policies of a role together, in characters without white space (IAM quotas, "role inline policy size").
pub(super) const INLINE_POLICIES: usize = 10_240;

/// A trust policy, in characters without white space; the quota may be raised to twice that (IAM quotas).
pub(super) const TRUST_POLICY: usize = 2_048;

/// The raised quota of a trust policy.
pub(super) const TRUST_POLICY_RAISED: usize = 4_096;

/// Counts as IAM counts: characters, white space left out.
pub(super) fn characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// The reads that the count needs: the other inline policies of every role on which the draft puts one.
pub(super) fn reads(draft: &Draft<'_>) -> Vec<(AccountName, Read)> {
    draft
        .puts
        .iter()
        .filter(|put| !draft.observed.role_is_gone(&put.role))
        .flat_map(|put| super::reads::sizes(draft.observed, &put.role, &put.policy))
        .collect()
}

/// Refuses puts that would not fit.
pub(super) fn check(joined: &Joined<'_>, draft: &mut Draft<'_>) {
    let mut roles: BTreeMap<&RoleKey, Vec<&Put>> = BTreeMap::new();
    for put in &draft.puts {
        roles.entry(&put.role).or_default().push(put);
    }
    let mut problems = Vec::new();
    for (key, puts) in roles {
        let ours: usize = puts.iter().map(|put| put.characters).sum();
        let others = others(joined, draft, key, &puts);
        if ours + others <= INLINE_POLICIES {
            continue;
        }
        let gates: BTreeSet<GateName> = puts
            .iter()
            .flat_map(|p| draft.gates_of(p))
            .cloned()
            .collect();
        let names: Vec<&str> = puts.iter().map(|p| p.policy.as_str()).collect();
        problems.push(Problem {
            code: "inline_policy_limit",
            severity: Severity::Blocked,
            account: Some(key.account.clone()),
            gates: gates.into_iter().collect(),
            message: format!(
                "role {} in account {} would hold {} characters of inline policies ({} of {}, {others} of others); IAM \
                 allows {INLINE_POLICIES}",
                key.name,
                key.account,
                ours + others,
                ours,
                names.join(" and "),
            ),
            hint: Some(
                "let gates share an invoke role ([gates.invoke_role] name), or turn other inline policies of the role \
                 into managed ones"
                    .to_owned(),
            ),
        });
    }
    for problem in problems {
        draft.problem(problem);
    }
}

fn others(joined: &Joined<'_>, draft: &Draft<'_>, key: &RoleKey, puts: &[&Put]) -> usize {
    let Seen::Present(names) = joined.observed.inline_policy_names(key) else {
        return 0;
    };
    names
        .iter()
        .filter(|name| !puts.iter().any(|put| put.policy.as_str() == name.as_str()))
        .filter(|name| !draft.deleted.contains(&(key.clone(), (*name).clone())))
        .map(|name| match joined.observed.inline_policy(key, name) {
            Seen::Present(text) => characters(text),
            Seen::NotRead | Seen::Absent | Seen::Unreadable(_) => 0,
        })
        .sum()
}
