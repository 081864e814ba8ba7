//! What a command may touch, written from design.md ("What a gate is in AWS", "Ownership") and README ("Whose it is") alone: nothing
//! here calls `plan` or `iam`. Two states of all accounts are compared with what is owned taken out of both.
//! Test code only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::manifests::{Gate, Manifest};
use crate::model::read::Function;
use crate::world::{WorldAccount, WorldRole};

pub(super) type State = BTreeMap<String, WorldAccount>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Bootstrap,
    Teardown,
    Prune,
}

/// A command that was carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) command: Command,
    pub(super) manifest: &'a Manifest,
    pub(super) adopt: bool,
    pub(super) remove_unexpected: bool,
}

const PROJECT: &str = "crossgate:project";
const ADOPTED: &str = "crossgate:adopted";
/// The accounts of every manifest here.
const ACCOUNTS: [&str; 2] = ["dev", "tools"];

fn account_id(name: &str) -> &'static str {
    match name {
        "tools" => "111111111111",
        "dev" => "222222222222",
        _ => "333333333333",
    }
}

/// The Sid of a project, from the table in design.md: `crossgate<Project>`.
pub(super) fn sid(project: &str) -> String {
    let words = project.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    format!("crossgate{}", words.collect::<String>())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Ours,
    Adopted,
    Others,
}

fn owner(role: &WorldRole, project: &str) -> Owner {
    let tags = &role.role.tags;
    match (tags.get(PROJECT), tags.get(ADOPTED)) {
        (Some(found), None) if found == project => Owner::Ours,
        (Some(found), Some(_)) if found == project => Owner::Adopted,
        _ => Owner::Others,
    }
}

/// Everything that differs and is not the project's; nothing where all is well.
pub(super) fn trespasses(before: &State, after: &State, run: Run<'_>) -> Vec<String> {
    let oracle = Oracle { before, after, run };
    let mut found = Vec::new();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (Some(old), Some(new)) = (before.get(name), after.get(name)) else {
            found.push(format!("account {name}"));
            continue;
        };
        found.extend(oracle.account(name, old, new));
    }
    if run.command == Command::Prune {
        found.extend(run.manifest.gates.iter().flat_map(|gate| oracle.lost(gate)));
    }
    found
}

struct Oracle<'a> {
    before: &'a State,
    after: &'a State,
    run: Run<'a>,
}

impl Oracle<'_> {
    fn account(&self, name: &str, old: &WorldAccount, new: &WorldAccount) -> Vec<String> {
        // In full: a new field asks whether crossgate may touch it.
        let WorldAccount {
            id,
            roles,
            functions,
            pipelines,
            managed,
            function_policies,
            reserved,
            buckets,
            keys,
            left,
        } = old;
        let mut found = Vec::new();
        let mut same = |is_same: bool, what: &str| {
            if !is_same {
                found.push(format!("{name}: {what}"));
            }
        };
        same(*id == new.id, "the account's id");
        same(*managed == new.managed, "managed policies");
        same(
            *function_policies == new.function_policies,
            "policies of functions",
        );
        same(*reserved == new.reserved, "concurrency");
        same(*left == new.left, "executions and logs");
        // A policy that was made for a gate that is gone, or is not managed any more, goes with its statements. Without a managed
        // gate, and by a prune, none is made.
        let is_managed = self.gates().any(|g| g.manage);
        let may_differ = match self.run.command {
            Command::Bootstrap | Command::Teardown if is_managed => true,
            Command::Bootstrap | Command::Teardown | Command::Prune => new
                .buckets
                .keys()
                .all(|bucket| buckets.contains_key(bucket)),
        };
        same(
            buckets.keys().eq(new.buckets.keys()) || name == "tools" && may_differ,
            "which buckets have a policy",
        );
        same(keys.keys().eq(new.keys.keys()), "which keys there are");
        for (kind, old, new) in [("bucket", buckets, &new.buckets), ("key", keys, &new.keys)] {
            for resource in old.keys().chain(new.keys()) {
                // The store of the two pipelines.
                let is_store =
                    name == "tools" && ["bucket", "1111-22"].contains(&resource.as_str());
                let (old, new) = (old.get(resource), new.get(resource));
                let is_same = if is_store {
                    self.others_statements(old) == self.others_statements(new)
                } else {
                    old == new
                };
                same(is_same, &format!("policy of {kind} {resource}"));
            }
        }
        for role in roles
            .keys()
            .chain(new.roles.keys())
            .collect::<BTreeSet<_>>()
        {
            let (old, new) = (roles.get(role), new.roles.get(role));
            let found = self.role(name, role, old, new);
            same(found.is_none(), &format!("role {role}: {found:?}"));
        }
        let all = functions.keys().chain(new.functions.keys());
        for key in all.collect::<BTreeSet<_>>() {
            let (old, new) = (functions.get(key), new.functions.get(key));
            same(
                self.function(name, key, old, new),
                &format!("function {key:?}"),
            );
        }
        same(
            pipelines.keys().eq(new.pipelines.keys()),
            "which pipelines there are",
        );
        for (key, old) in pipelines {
            let found = new.pipelines.get(key);
            let found = found.and_then(|new| self.pipeline(name, key, old, new));
            same(found.is_none(), &format!("pipeline {key:?}: {found:?}"));
        }
        found
    }

    /// What a gate of the manifest needs, was there, and is not any more.
    fn lost(&self, gate: &Gate) -> Vec<String> {
        let project = self.run.manifest.project;
        let name = gate.role_name(project);
        let id = account_id(gate.account);
        let role_arn = format!("\"arn:aws:iam::{id}:role/{name}\"");
        let function = format!(
            "\"arn:aws:lambda:us-east-1:{id}:function:{}\"",
            gate.function
        );
        let service = self.service_role(gate);
        let service_arn = format!("role/{service}\"");
        let mut needs = vec![
            (gate.account, name.clone(), "invoke", function),
            (gate.account, name.clone(), "artifacts", String::new()),
            ("tools", service, "assume", role_arn),
        ];
        for role in self.execution_roles(gate) {
            needs.push((gate.account, role.clone(), "callback", String::new()));
            needs.push((gate.account, role, "logs", String::new()));
        }
        let mut lost = Vec::new();
        for (account, role, purpose, word) in needs {
            let policy = format!("crossgate-{project}-{purpose}");
            let has = |state: &State| {
                let role = state[account].roles.get(&role);
                role.and_then(|r| r.inline.get(&policy))
                    .is_some_and(|text| text.contains(&word))
            };
            if has(self.before) && !has(self.after) {
                lost.push(format!("{}: {role}/{policy} {word}", gate.name));
            }
        }
        let trusts = |state: &State| {
            let role = state[gate.account].roles.get(&name);
            role.is_some_and(|r| r.role.trust.contains(&service_arn))
        };
        if trusts(self.before) && !trusts(self.after) {
            lost.push(format!("{}: {name} and its trust", gate.name));
        }
        lost
    }

    fn gates(&self) -> impl Iterator<Item = &Gate> {
        self.run.manifest.gates.iter()
    }

    fn policies(&self, purposes: &[&str]) -> Vec<String> {
        let project = self.run.manifest.project;
        let name = |purpose: &&str| format!("crossgate-{project}-{purpose}");
        purposes.iter().map(name).collect()
    }

    /// The inline policies that the command may write or remove on this role, whoever's the role is.
    fn own_policies(&self, account: &str, role: &str) -> Vec<String> {
        let all = ["invoke", "artifacts", "callback", "logs", "assume"];
        if self.run.command == Command::Prune {
            return if ACCOUNTS.contains(&account) {
                self.policies(&all)
            } else {
                Vec::new()
            };
        }
        let project = self.run.manifest.project;
        let mut purposes = Vec::new();
        for gate in self.gates() {
            if gate.account == account && gate.role_name(project) == role {
                purposes.extend(["invoke", "artifacts"]);
            }
            if gate.account == account && self.execution_roles(gate).contains(role) {
                purposes.push("callback");
                if gate.is_made() {
                    purposes.push("logs");
                }
            }
            if account == "tools" && self.service_role(gate) == role {
                purposes.push("assume");
            }
        }
        self.policies(&purposes)
    }

    /// The role of a gate's function, before and now.
    fn execution_roles(&self, gate: &Gate) -> BTreeSet<String> {
        let key = ("us-east-1".to_owned(), gate.function.to_owned());
        let states = [self.before, self.after];
        let functions = states
            .iter()
            .filter_map(|s| s[gate.account].functions.get(&key));
        functions.map(|f| f.role.name.to_string()).collect()
    }

    fn service_role(&self, gate: &Gate) -> String {
        let key = ("us-east-1".to_owned(), gate.pipeline.to_owned());
        let arn = &self.before["tools"].pipelines[&key]["roleArn"];
        let name = arn.as_str().unwrap().rsplit('/').next();
        name.unwrap().to_owned()
    }

    /// The roles that the command may make and remove, if they carry the project's tag.
    fn is_in_scope(&self, account: &str, role: &str) -> bool {
        let project = self.run.manifest.project;
        if self.run.command == Command::Prune {
            return ACCOUNTS.contains(&account);
        }
        self.gates().any(|gate| {
            let made = format!("crossgate-{project}-fn-{}", gate.function);
            gate.account == account
                && (gate.role_name(project) == role || gate.is_made() && made == role)
        })
    }

    fn owner(&self, account: &str, role: &str) -> Owner {
        let project = self.run.manifest.project;
        let old = self.before[account].roles.get(role);
        let new = self.after[account].roles.get(role);
        match (old, new) {
            (Some(old), new) => match owner(old, project) {
                // With --adopt somebody's role may become one that is adopted, never one that is ours.
                Owner::Others if self.run.adopt && !old.role.tags.contains_key(PROJECT) => {
                    match new.map(|new| owner(new, project)) {
                        Some(Owner::Adopted) => Owner::Adopted,
                        _ => Owner::Others,
                    }
                }
                owner => owner,
            },
            (None, Some(new)) if self.run.command == Command::Bootstrap => owner(new, project),
            (None, _) => Owner::Others,
        }
    }

    fn role(
        &self,
        account: &str,
        name: &str,
        old: Option<&WorldRole>,
        new: Option<&WorldRole>,
    ) -> Option<String> {
        let owner = if self.is_in_scope(account, name) {
            self.owner(account, name)
        } else {
            Owner::Others
        };
        let own = self.own_policies(account, name);
        let rest = |role: &WorldRole| {
            let mut role = role.clone();
            role.inline.retain(|policy, _| !own.contains(policy));
            if owner != Owner::Others {
                role.role.tags.remove(PROJECT);
                role.role.tags.remove(ADOPTED);
            }
            match owner {
                Owner::Ours => {
                    // Its trust and its policies of the project are ours; what others put on it is not, unless it is asked for.
                    role.role.trust.clear();
                    let ours =
                        self.policies(&["invoke", "artifacts", "callback", "logs", "assume"]);
                    role.inline.retain(|policy, _| !ours.contains(policy));
                    if self.run.remove_unexpected {
                        role.inline.clear();
                        role.attached.clear();
                        role.role.permissions_boundary = None;
                    }
                }
                Owner::Adopted => {
                    let trust = without_sids(&role.role.trust, &[sid(self.run.manifest.project)]);
                    role.role.trust = trust.to_string();
                }
                Owner::Others => {}
            }
            role
        };
        match (old.map(&rest), new.map(&rest)) {
            (Some(old), Some(new)) if old == new => None,
            (None, None) => None,
            (None, Some(new)) if owner == Owner::Ours => {
                let is_bare = new.inline.is_empty() && new.attached.is_empty();
                (!is_bare).then(|| "made with more than its own".to_owned())
            }
            (Some(old), None) if owner == Owner::Ours => {
                let is_bare = old.inline.is_empty() && old.attached.is_empty();
                let is_bare = is_bare && self.run.command != Command::Bootstrap;
                (!is_bare).then(|| format!("removed with what was on it: {old:?}"))
            }
            (old, new) => Some(format!("{owner:?}: {old:?} is {new:?}")),
        }
    }

    fn function(
        &self,
        account: &str,
        key: &(String, String),
        old: Option<&Function>,
        new: Option<&Function>,
    ) -> bool {
        let project = self.run.manifest.project;
        let named = self.gates().any(|gate| {
            gate.is_made()
                && gate.account == account
                && key.0 == "us-east-1"
                && gate.function == key.1
        });
        let in_scope = match self.run.command {
            Command::Bootstrap | Command::Teardown => named,
            // What a gate of the manifest uses is no orphan.
            Command::Prune => ACCOUNTS.contains(&account) && !named,
        };
        let is_tagged = |function: &Function| {
            let tags = function.tags.as_ref();
            tags.and_then(|tags| tags.get(PROJECT)).map(String::as_str) == Some(project)
        };
        let foreign_tags = |function: &Function| {
            let mut tags = function.tags.clone().unwrap_or_default();
            tags.retain(|key, _| key != PROJECT && key != "team");
            tags
        };
        match (old, new) {
            (Some(old), Some(new)) if in_scope && is_tagged(old) => {
                foreign_tags(old) == foreign_tags(new)
            }
            (Some(old), None) => {
                in_scope && is_tagged(old) && self.run.command != Command::Bootstrap
            }
            (None, Some(new)) => {
                in_scope && is_tagged(new) && self.run.command == Command::Bootstrap
            }
            (old, new) => old == new,
        }
    }

    /// What differs of others' part of a pipeline.
    fn pipeline(
        &self,
        account: &str,
        key: &(String, String),
        old: &Value,
        new: &Value,
    ) -> Option<String> {
        let (mut mine, mut now) = (old.clone(), new.clone());
        mine["version"] = Value::Null;
        now["version"] = Value::Null;
        // As text, so that the order of keys counts.
        let texts = (mine.to_string(), now.to_string());
        if texts.0 == texts.1 {
            let is_same = old["version"] == new["version"];
            return (!is_same).then(|| "it was written without need".to_owned());
        }
        let took = [&mut mine, &mut now].map(|document| self.take_out(account, key, document));
        let (mine, now) = (mine.to_string(), now.to_string());
        if mine != now {
            return Some(format!("{mine} is {now}"));
        }
        let [old, new] = took;
        self.adopted_fields(&old, &new)
    }

    /// Takes the actions that the command may touch out of the document, and the stages that hold nothing else.
    fn take_out(&self, account: &str, key: &(String, String), document: &mut Value) -> Vec<Value> {
        let mut taken = Vec::new();
        let stages = document["stages"].as_array_mut().unwrap();
        stages.retain_mut(|stage| {
            let name = stage["name"].as_str().unwrap().to_owned();
            let actions = stage["actions"].as_array_mut().unwrap();
            let had = actions.len();
            let (ours, others): (Vec<_>, Vec<_>) = std::mem::take(actions)
                .into_iter()
                .partition(|action| self.is_own_action(account, key, &name, action));
            taken.extend(ours);
            *actions = others;
            had == 0 || !actions.is_empty()
        });
        taken
    }

    fn is_own_action(
        &self,
        account: &str,
        key: &(String, String),
        stage: &str,
        action: &Value,
    ) -> bool {
        let kind = &action["actionTypeId"];
        let is_lambda =
            kind["category"] == "Invoke" && kind["owner"] == "AWS" && kind["provider"] == "Lambda";
        if !is_lambda {
            return false;
        }
        let project = self.run.manifest.project;
        let arn = action["roleArn"].as_str().unwrap_or_default();
        let at = |gate: &&Gate| {
            account == "tools"
                && key.0 == "us-east-1"
                && key.1 == gate.pipeline
                && gate.stage == stage
                && action["name"] == json!(gate.action)
        };
        let role = self.role_of(arn);
        match self.run.command {
            Command::Prune => {
                let Some((home, name, owner)) = role else {
                    return false;
                };
                let is_used = self
                    .gates()
                    .any(|gate| gate.account == home && gate.role_name(project) == name);
                let is_sure = owner == Owner::Ours && !is_used;
                let is_unsure = owner == Owner::Adopted || is_used && owner == Owner::Ours;
                let is_gate = self.gates().any(|gate| at(&gate));
                !is_gate && (is_sure || is_unsure && self.run.remove_unexpected)
            }
            Command::Bootstrap | Command::Teardown => self.gates().filter(at).any(|gate| {
                let wanted = format!(
                    "arn:aws:iam::{}:role/{}",
                    account_id(gate.account),
                    gate.role_name(project)
                );
                // A role that is gone was the gate's, as nothing says otherwise.
                let is_ours = arn == wanted
                    && kind["version"] == "1"
                    && role
                        .as_ref()
                        .is_none_or(|(_, _, owner)| *owner != Owner::Others);
                let is_others = |(home, name, _): &(&str, String, Owner)| {
                    let role = self.before[*home].roles.get(name);
                    let tag = role.and_then(|r| r.role.tags.get(PROJECT));
                    tag.is_some_and(|found| found != project)
                };
                let adopts = self.run.adopt && self.run.command == Command::Bootstrap;
                is_ours || adopts && !role.as_ref().is_some_and(is_others)
            }),
        }
    }

    /// The role of the manifest's accounts with this ARN: where, its name, whose.
    fn role_of(&self, arn: &str) -> Option<(&'static str, String, Owner)> {
        let account = ACCOUNTS
            .into_iter()
            .find(|name| arn.contains(&format!("::{}:", account_id(name))))?;
        let found = |state: &State| {
            let mut roles = state[account].roles.iter();
            let (name, _) = roles.find(|(_, r)| r.role.arn.to_string() == arn)?;
            Some(name.clone())
        };
        let name = found(self.before).or_else(|| found(self.after))?;
        let owner = self.owner(account, &name);
        Some((account, name, owner))
    }

    /// An adopted action keeps the fields that the manifest does not name.
    fn adopted_fields(&self, old: &[Value], new: &[Value]) -> Option<String> {
        if self.run.command != Command::Bootstrap {
            return None;
        }
        let rest = |action: &Value| {
            let mut action = action.clone();
            for path in [
                "roleArn",
                "region",
                "actionTypeId",
                "inputArtifacts",
                "runOrder",
            ] {
                action[path] = Value::Null;
            }
            for path in ["FunctionName", "UserParameters"] {
                action["configuration"][path] = Value::Null;
            }
            action.to_string()
        };
        for action in old {
            let now = new.iter().find(|other| other["name"] == action["name"]);
            let Some(now) = now else {
                return Some(format!("an action is lost: {action}"));
            };
            if sorted(&rest(action)) != sorted(&rest(now)) {
                return Some(format!("{action} is {now}"));
            }
        }
        None
    }

    fn others_statements(&self, text: Option<&String>) -> Option<Value> {
        let sid = sid(self.run.manifest.project);
        let sids = [format!("{sid}Read"), format!("{sid}Write")];
        let rest = without_sids(text?, &sids);
        // A policy that is ours alone was none before.
        (rest["Statement"] != json!([])).then_some(rest)
    }
}

/// The policy without these statements, the others as a list.
fn without_sids(text: &str, sids: &[String]) -> Value {
    let mut policy: Value = serde_json::from_str(text).unwrap();
    let statements = match policy["Statement"].take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    let is_other = |s: &Value| !sids.iter().any(|sid| s["Sid"] == json!(sid));
    policy["Statement"] = statements.into_iter().filter(is_other).collect();
    policy
}

fn sorted(text: &str) -> BTreeMap<String, Value> {
    serde_json::from_str(text).unwrap()
}
