//! Accounts: known, reachable without going in circles, and in one partition with what uses them.
//! May not ask whose credentials they really are; `aws::session` does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::{Accounts, title};
use crate::config::diagnostic::ManifestError;
use crate::config::gate::GateDraft;
use crate::config::parse::{AccountDraft, Draft, parts};
use crate::config::suggest::did_you_mean;
use crate::model::account::{AccountName, Partition};

pub(super) fn check(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    for account in &draft.accounts {
        role_of_another_account(account, problems);
        if let Some(via) = &account.via {
            known(via, accounts, problems);
        }
    }
    for gate in &draft.gates {
        let ends = [&gate.pipeline.account, &gate.function.account];
        for name in ends.into_iter().flatten() {
            known(name, accounts, problems);
        }
    }
    circles(draft, accounts, problems);
    partitions(draft, accounts, problems);
}

fn role_of_another_account(account: &AccountDraft, problems: &mut Vec<ManifestError>) {
    let (Some(role), Some(id)) = (&account.assume_role, &account.id) else {
        return;
    };
    let held_by = &role.get_ref().account;
    if held_by != id.get_ref() {
        problems.push(
            ManifestError::new(
                role.span(),
                format!(
                    "the role is in account {held_by}, and `{}` is account {}",
                    account.name.get_ref(),
                    id.get_ref()
                ),
            )
            .label(format!("account {held_by}"))
            .related(id.span(), "another account")
            .help("assuming a role gives credentials of the role's own account: one of the two ids is wrong"),
        );
    }
}

fn known(name: &Spanned<AccountName>, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    let (span, name) = parts(name);
    if accounts.get(name).is_none() {
        let mut help = did_you_mean(name.as_str(), "accounts", &accounts.names());
        if !help.ends_with('?') {
            help = format!("{help}; define it with `[accounts.{name}]`");
        }
        problems.push(
            ManifestError::new(span, format!("unknown account `{name}`"))
                .label("no such account")
                .help(help),
        );
    }
}

/// Reports each circle of `via` once.
fn circles(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    let mut done: BTreeSet<&AccountName> = BTreeSet::new();
    let mut written: Vec<&AccountDraft> = draft.accounts.iter().collect();
    written.sort_by_key(|account| account.name.span().start);
    for start in written {
        let mut path: Vec<&AccountName> = Vec::new();
        let mut current = Some(start);
        while let Some(account) = current {
            let name = account.name.get_ref();
            if !done.insert(name) {
                if let Some(from) = path.iter().position(|seen| *seen == name) {
                    circle(&path[from..], account, problems);
                }
                break;
            }
            path.push(name);
            current = account
                .via
                .as_ref()
                .and_then(|via| accounts.get(via.get_ref()));
        }
    }
}

fn circle(names: &[&AccountName], first: &AccountDraft, problems: &mut Vec<ManifestError>) {
    let steps: Vec<String> = names
        .iter()
        .chain([&first.name.get_ref()])
        .map(|name| format!("`{name}`"))
        .collect();
    let span = first.via.as_ref().map_or(0..0, Spanned::span);
    problems.push(
        ManifestError::new(span, format!("`via` goes in a circle: {}", steps.join(" via ")))
            .label("comes back to where it began")
            .help("one account needs credentials of its own: a `profile`, or neither `profile` nor `assume_role`"),
    );
}

/// Why an account is taken to be in a partition: where it says so, and in what words.
type Evidence = (Partition, Range<usize>, String);

/// An account is in one partition, and so are both ends of a gate and both ends of an assumed role.
fn partitions(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    let mut evidence: BTreeMap<&AccountName, Evidence> = BTreeMap::new();
    for gate in &draft.gates {
        let Some((span, region)) = gate.pipeline.region.as_ref().map(parts) else {
            continue;
        };
        let why = (region.partition(), span, format!("region {region}"));
        // One region that is wrong contradicts both ends: it is reported once.
        let here = gate
            .pipeline
            .account
            .as_ref()
            .is_none_or(|account| learn(&mut evidence, account.get_ref(), &why, problems));
        if regions_agree(gate, &why, problems)
            && here
            && let Some(account) = &gate.function.account
        {
            learn(&mut evidence, account.get_ref(), &why, problems);
        }
    }
    for account in &draft.accounts {
        let Some((span, role)) = account.assume_role.as_ref().map(parts) else {
            continue;
        };
        let why = (role.partition, span, "the role's ARN".to_owned());
        if learn(&mut evidence, account.name.get_ref(), &why, problems)
            && let Some(via) = &account.via
        {
            learn(&mut evidence, via.get_ref(), &why, problems);
        }
    }
    boundaries(draft, accounts, problems);
}

fn regions_agree(gate: &GateDraft, why: &Evidence, problems: &mut Vec<ManifestError>) -> bool {
    let (partition, span, _) = why;
    let Some((place, region)) = gate.function.region.as_ref().map(parts) else {
        return true;
    };
    let other = region.partition();
    if other == *partition {
        return true;
    }
    let message = format!(
        "{} would reach from partition {partition} into {other}",
        title(gate)
    );
    problems.push(
        ManifestError::new(place, message)
            .label(format!("partition {other}"))
            .related(span.clone(), format!("partition {partition}"))
            .help("no role of one partition can be assumed from another: both regions must be of one partition"),
    );
    false
}

/// Adds what is known of an account; false where it contradicts what was known.
fn learn<'a>(
    evidence: &mut BTreeMap<&'a AccountName, Evidence>,
    name: &'a AccountName,
    why: &Evidence,
    problems: &mut Vec<ManifestError>,
) -> bool {
    let (partition, span, words) = why;
    let Some((known, first, known_words)) = evidence.get(name) else {
        evidence.insert(name, why.clone());
        return true;
    };
    let agrees = known == partition;
    if !agrees {
        problems.push(
            ManifestError::new(
                span.clone(),
                format!("account `{name}` would be in two partitions, {known} and {partition}"),
            )
            .label(format!("{words}: partition {partition}"))
            .related(first.clone(), format!("{known_words}: partition {known}"))
            .help("an account is in one partition: aws, aws-cn (China) or aws-us-gov (GovCloud)"),
        );
    }
    agrees
}

/// A permissions boundary is a policy of the role's own account, or of AWS, in the gate's partition.
fn boundaries(draft: &Draft, accounts: &Accounts<'_>, problems: &mut Vec<ManifestError>) {
    for gate in &draft.gates {
        let Some((span, boundary)) = gate.role.boundary.as_ref().map(parts) else {
            continue;
        };
        if let Some((region_span, region)) = gate.pipeline.region.as_ref().map(parts)
            && region.partition() != boundary.partition
        {
            let partition = region.partition();
            problems.push(
                ManifestError::new(
                    span.clone(),
                    format!(
                        "the permissions boundary is in partition {}, and {} in {partition}",
                        boundary.partition,
                        title(gate)
                    ),
                )
                .label(format!("partition {}", boundary.partition))
                .related(region_span, format!("partition {partition}"))
                .help(format!("begin the ARN with `arn:{partition}:iam::`")),
            );
        }
        let Some(account) = &gate.function.account else {
            continue;
        };
        if let (Some(holder), Some(id)) = (&boundary.account, accounts.id(account.get_ref()))
            && holder != id
        {
            problems.push(
                ManifestError::new(
                    span,
                    format!("the permissions boundary is a policy of account {holder}, and the role is made in {id}"),
                )
                .label("a policy of another account")
                .related(account.span(), format!("`{}` is account {id}", account.get_ref()))
                .help("a role's boundary is a managed policy of its own account, or of AWS (`arn:aws:iam::aws:policy/...`)"),
            );
        }
    }
}
