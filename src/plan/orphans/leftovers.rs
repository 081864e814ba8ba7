//! Objects of the project without an action: functions, roles and policies that no gate, of the manifest or imagined, has to do with.
//! What something that stays still runs through is shown and left; nothing here touches an object that a gate needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::{AccountId, AccountName};
use crate::model::arn::RoleArn;
use crate::model::change::{Change, ChangeAction, ChangeKind};
use crate::model::name::Purpose;
use crate::model::observed::{ListedRole, Seen};
use crate::model::read::Function;
use crate::model::wiring::{FunctionKey, RoleKey};

use super::super::Options;
use super::super::draft::Draft;
use super::super::functions;
use super::super::grants::{self, Inline};
use super::super::join::{Joined, JoinedGate};
use super::super::roles::{self, Ownership, ownership};
use super::actions::{execution_role, function_name, spec};
use super::scan::{FoundAction, Scan};

/// Everything that a look at one object needs.
struct Left<'s, 'a> {
    scan: &'s Scan<'a>,
    joined: &'s Joined<'a>,
    options: &'s Options,
    /// The actions that stay, of all pipelines that were read.
    staying: Vec<FoundAction<'a>>,
    uses: Uses<'s>,
}

/// The roles of the gates. Each of the accounts' roles is looked for among them, and a look through all gates for each would take the
/// square of their number.
struct Uses<'s> {
    invoke: BTreeSet<RoleKey>,
    invoke_arns: BTreeSet<&'s RoleArn>,
    execution: BTreeSet<(&'s AccountName, &'s RoleArn)>,
    service: BTreeMap<(&'s AccountName, &'s RoleArn), Vec<&'s JoinedGate<'s>>>,
}

impl<'s> Uses<'s> {
    fn of(joined: &'s Joined<'s>) -> Self {
        let mut uses = Self {
            invoke: BTreeSet::new(),
            invoke_arns: BTreeSet::new(),
            execution: BTreeSet::new(),
            service: BTreeMap::new(),
        };
        for one in &joined.gates {
            uses.invoke.insert(one.gate.role_key());
            uses.invoke_arns.insert(&one.role_arn);
            let execution = one.execution_role.as_ref();
            uses.execution
                .extend(execution.map(|role| (&one.gate.function.account, role)));
            if let Some(role) = &one.service_role {
                let served = uses.service.entry((&one.gate.pipeline.account, role));
                served.or_default().push(one);
            }
        }
        uses
    }
}

pub(super) fn plan<'a>(
    scan: &Scan<'a>,
    joined: &Joined<'a>,
    options: &Options,
    draft: &mut Draft<'_>,
) {
    let stays = |found: &FoundAction<'a>| !joined.selected().any(|gate| is_at(gate, found));
    let left = Left {
        scan,
        joined,
        options,
        staying: scan.actions().filter(stays).collect(),
        uses: Uses::of(joined),
    };
    let mut going: Vec<FunctionKey> = joined
        .selected()
        .filter(|gate| gate.made.is_some())
        .map(|gate| gate.gate.function.clone())
        .collect();
    for (key, found) in scan.made_functions() {
        if left.function(&key, found, draft) {
            going.push(key);
        }
    }
    for (account, id, detail) in scan.roles() {
        left.role(account, id, detail, &going, draft);
    }
}

pub(super) fn is_at(gate: &JoinedGate<'_>, found: &FoundAction<'_>) -> bool {
    let action = &gate.gate.action;
    gate.gate.pipeline == found.pipeline
        && action.stage.as_str() == found.stage.name()
        && action.name.as_str() == found.action.name()
}

impl Left<'_, '_> {
    /// A function that crossgate made. True where it goes.
    fn function(&self, key: &FunctionKey, found: &Function, draft: &mut Draft<'_>) -> bool {
        let gates = &self.joined.gates;
        if gates.iter().any(|gate| gate.gate.function == *key) {
            return false;
        }
        let Some(id) = self.scan.wiring.account_id(&key.account) else {
            return false;
        };
        let invokes = |one: &&FoundAction<'_>| {
            let arn = one.action.role_arn().unwrap_or_default();
            let same_account = one.pipeline.account == key.account || arn.contains(id.as_str());
            one.action.is_lambda_invoke()
                && same_account
                && function_name(one.action).as_ref() == Some(&key.name)
        };
        let user = self.staying.iter().find(invokes);
        let held = user.map(|one| format!("action {} still invokes it", one.resource()));
        let spec = spec(execution_role(self.scan, key, found));
        functions::left(
            self.joined,
            self.options,
            (key, id),
            (found, &spec),
            held,
            draft,
        )
    }

    fn role(
        &self,
        account: &AccountName,
        id: &AccountId,
        detail: ListedRole<'_>,
        going: &[FunctionKey],
        draft: &mut Draft<'_>,
    ) {
        let wiring = self.scan.wiring;
        let key = RoleKey {
            account: account.clone(),
            name: detail.role.arn.name.clone(),
        };
        let arn = &detail.role.arn;
        let invokes = self.uses.invoke.contains(&key);
        let executes = self.uses.execution.contains(&(account, arn));
        let serves = self.uses.service.contains_key(&(account, arn));
        let owner = ownership(wiring, detail.role);
        let is_ours = matches!(owner, Ownership::Ours | Ownership::Adopted(_));
        let is_needed = invokes || (executes && owner == Ownership::Ours);
        if is_ours
            && !is_needed
            && let Some(user) = self.user(account, detail, going)
        {
            draft.held(in_use((&key, id), &owner, user));
            return;
        }
        for purpose in Purpose::ALL {
            let policy = wiring.policy(purpose);
            if detail.inline_policy(policy.as_str()).is_none() {
                continue;
            }
            let is_needed = match purpose {
                Purpose::Invoke | Purpose::Artifacts => invokes,
                Purpose::Callback | Purpose::Logs => executes || self.joined.is_run_as(&key),
                Purpose::Assume => serves || self.assumes(detail),
            };
            if !is_needed {
                let inline = Inline {
                    key: &key,
                    account_id: id,
                    policy,
                    wanted: None,
                    gates: &Vec::new,
                };
                grants::inline(self.joined, &inline, draft);
            }
        }
        if serves {
            self.excess((&key, id), detail, draft);
        }
        if is_ours && !is_needed {
            roles::left(self.joined, self.options, (&key, id), detail.role, draft);
        }
    }

    /// Takes out of a policy that stays what it grants on roles that are left behind, or gone: a teardown of their gates would have,
    /// had it not been stopped.
    fn excess(&self, at: (&RoleKey, &AccountId), detail: ListedRole<'_>, draft: &mut Draft<'_>) {
        let (key, account_id) = at;
        let policy = self.scan.wiring.assume_policy();
        let served = self.uses.service.get(&(&key.account, &detail.role.arn));
        let served = served.map(Vec::as_slice).unwrap_or_default();
        let text = detail.inline_policy(policy.as_str());
        let words = text.into_iter().flat_map(|text| text.split('"'));
        let mut granted = words.filter_map(|word| RoleArn::parse(word).ok());
        let is_excess = granted.any(|role| self.is_left(&role));
        // With a gate that goes, the teardown plans the policy.
        if !is_excess || served.iter().any(|g| g.selected) {
            return;
        }
        let inline = Inline {
            key,
            account_id,
            policy,
            wanted: grants::assumed(self.joined, key, served),
            gates: &|| grants::names(served.iter().copied().filter(|g| g.holds())),
        };
        grants::inline(self.joined, &inline, draft);
    }

    /// True for a role of the manifest's accounts that no gate has, that no action names, and that is the project's or not there.
    fn is_left(&self, role: &RoleArn) -> bool {
        let wiring = self.scan.wiring;
        let text = role.to_string();
        let of_gate = self.uses.invoke_arns.contains(role);
        let named = |one: &FoundAction<'_>| one.action.role_arn() == Some(text.as_str());
        let mut accounts = wiring.accounts.iter();
        let Some((account, _)) = accounts.find(|(_, account)| account.id == role.account) else {
            return false;
        };
        let key = RoleKey {
            account: account.clone(),
            name: role.name.clone(),
        };
        let is_ours_or_gone = match self.scan.observed.role(&key) {
            Seen::Absent => true,
            Seen::Present(found) => ownership(wiring, found) == Ownership::Ours,
            Seen::NotRead | Seen::Unreadable(_) => false,
        };
        is_ours_or_gone && !of_gate && !self.staying.iter().any(named)
    }

    /// What still runs through a role, or as it, in words.
    fn user(
        &self,
        account: &AccountName,
        detail: ListedRole<'_>,
        going: &[FunctionKey],
    ) -> Option<String> {
        let arn = detail.role.arn.to_string();
        let action = self
            .staying
            .iter()
            .find(|one| one.action.role_arn() == Some(arn.as_str()));
        if let Some(action) = action {
            return Some(format!(
                "action {} still runs through it",
                action.resource()
            ));
        }
        let goes = |region: &_, name: &str| {
            going.iter().any(|key| {
                key.account == *account && key.region == *region && key.name.as_str() == name
            })
        };
        let functions = self.scan.listed_functions().into_iter();
        let mut running = functions.filter(|(_, _, one)| one.role == arn);
        let (_, region, one) = running.find(|(_, region, one)| !goes(region, &one.name))?;
        Some(format!(
            "function {} in {region} still runs as it",
            one.name
        ))
    }

    /// True where the role serves a pipeline with an action that stays and runs through a role of the project.
    fn assumes(&self, detail: ListedRole<'_>) -> bool {
        let served = |one: &&FoundAction<'_>| {
            let role = one.document.role_arn();
            role.is_ok_and(|role| role == detail.role.arn)
        };
        let mut here = self.staying.iter().filter(served);
        here.any(|one| {
            let role = one.action.role_arn();
            role.is_some_and(|arn| self.scan.project_role(arn).is_some())
        })
    }
}

fn in_use(at: (&RoleKey, &AccountId), owner: &Ownership, user: String) -> Change {
    let (kind, action) = match owner {
        Ownership::Adopted(_) => (ChangeKind::IamRoleTags, ChangeAction::Update),
        Ownership::Ours | Ownership::OtherProject(_) | Ownership::Foreign => {
            (ChangeKind::IamRole, ChangeAction::Delete)
        }
    };
    let change = grants::iam_change(at, kind, action, super::NOT_NEEDED, Vec::new());
    Change {
        held: Some(user),
        ..change
    }
}
