//! IAM: roles, their policies, managed policies, and SimulatePrincipalPolicy.
//! The query protocol; authorization is asked of `authorize`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::authorize::{Ask, pass};
use super::caller::{Caller, trust_now};
use super::clock::{Moment, iso};
use super::errors::Refused;
use super::query::{Params, element, members, names, tags, text};
use super::state::{ManagedPolicy, Role, State, role_arn};
use super::{documents, managed};
use crate::iam::evaluate::Verdict;

/// The XML namespace.
pub(super) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Most tags of a role.
const TAGS: usize = 50;
/// Most managed policies on a role (default quota).
const ATTACHED: usize = 10;

type Reply = Result<String, Refused>;

/// Carries out an operation; gives the XML inside the result.
pub(super) fn call(state: &mut State, caller: &Caller, operation: &str, params: &Params) -> Reply {
    let mut request = Call {
        state,
        caller,
        operation,
        params,
    };
    match operation {
        "CreateRole" => request.create_role(),
        "ListRoles" => request.list_roles(),
        "GetAccountAuthorizationDetails" => request.authorization_details(),
        "CreatePolicy" => request.create_policy(),
        "GetPolicy" | "GetPolicyVersion" | "DeletePolicy" => request.managed_policy(),
        "SimulatePrincipalPolicy" => request.simulate(),
        "GetRole"
        | "DeleteRole"
        | "UpdateAssumeRolePolicy"
        | "TagRole"
        | "UntagRole"
        | "ListRoleTags"
        | "PutRolePermissionsBoundary"
        | "DeleteRolePermissionsBoundary"
        | "PutRolePolicy"
        | "GetRolePolicy"
        | "DeleteRolePolicy"
        | "ListRolePolicies"
        | "AttachRolePolicy"
        | "DetachRolePolicy"
        | "ListAttachedRolePolicies" => request.of_role(),
        other => Err(Refused::not_here("iam", other)),
    }
}

/// A call that is being carried out.
struct Call<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    operation: &'a str,
    params: &'a Params,
}

impl Call<'_> {
    fn ask(&self, resource: impl Into<String>, shown: impl Into<String>) -> Ask<'_> {
        Ask::new(self.caller, format!("iam:{}", self.operation), resource).shown(shown)
    }

    fn check(&self, ask: &Ask<'_>) -> Result<(), Refused> {
        denied(ask.check(self.state))
    }

    fn account(&self) -> &str {
        &self.caller.account
    }

    fn create_role(&mut self) -> Reply {
        let name = self.params.need("RoleName")?;
        role_name(name)?;
        let path = self.params.get("Path").unwrap_or("/");
        let text = self.params.need("AssumeRolePolicyDocument")?;
        let given = self.params.tags("Tags");
        let boundary = self.params.get("PermissionsBoundary");
        let arn = format!("arn:aws:iam::{}:role{path}{name}", self.account());
        let mut ask = self.ask(arn.clone(), arn).tags("aws:RequestTag", &given);
        if let Some(boundary) = boundary {
            ask = ask.with("iam:PermissionsBoundary", boundary);
        }
        self.check(&ask)?;
        if self.state.role(self.account(), name).is_some() {
            return Err(exists(&format!("Role with name {name} already exists.")));
        }
        few_tags(given.len())?;
        if let Some(boundary) = boundary {
            self.policy_exists(boundary)?;
        }
        let (trust, trusted) = self.trust(text)?;
        let role = Role {
            name: name.to_owned(),
            path: path.to_owned(),
            id: self.state.random.unique_id("AROA"),
            trust,
            trusted,
            description: self
                .params
                .get("Description")
                .unwrap_or_default()
                .to_owned(),
            max_session: 3600,
            tags: given,
            boundary: boundary.map(str::to_owned),
            inline: BTreeMap::new(),
            attached: BTreeSet::new(),
            created: self.state.clock.now(),
            unsettled: if self.state.quiet {
                0
            } else {
                self.state.faults.new_role_misses
            },
            // Without the fault no moment is kept: a later sandbox may begin earlier than a fast one ended.
            unseen_until: if self.state.quiet || self.state.faults.new_role_unseen.is_zero() {
                Moment::ZERO
            } else {
                let unseen = self.state.faults.new_role_unseen;
                self.state.clock.now().saturating_add(unseen)
            },
        };
        let xml = self.role_xml(&role);
        let account = self.caller.account.clone();
        self.state
            .account(&account)
            .roles
            .insert(role.name.clone(), role);
        Ok(xml)
    }

    /// Operations on one role that must exist.
    fn of_role(&mut self) -> Reply {
        let name = self.params.need("RoleName")?;
        let account = self.account().to_owned();
        let found = self.state.role(&account, name);
        let arn = match found {
            Some(role) => role_arn(&account, role),
            None => format!("arn:aws:iam::{account}:role/{name}"),
        };
        let mut ask = self.ask(arn, format!("role {name}"));
        if let Some(role) = found {
            ask = ask.tags("aws:ResourceTag", &role.tags);
        }
        if self.operation == "TagRole" {
            ask = ask.tags("aws:RequestTag", &self.params.tags("Tags"));
        }
        if let Some(policy) = self.params.get("PolicyArn") {
            ask = ask.with("iam:PolicyARN", policy);
        }
        if let Some(boundary) = self.params.get("PermissionsBoundary") {
            ask = ask.with("iam:PermissionsBoundary", boundary);
        } else if let Some(boundary) = found.and_then(|role| role.boundary.clone()) {
            ask = ask.with("iam:PermissionsBoundary", boundary);
        }
        self.check(&ask)?;
        let missing = || no_such(&format!("The role with name {name} cannot be found."));
        let (quiet, now) = (self.state.quiet, self.state.clock.now());
        let role = self.state.role_mut(&account, name).ok_or_else(missing)?;
        if !quiet && role.is_missed(now) {
            return Err(missing());
        }
        let role = role.clone();
        self.on_role(role)
    }

    fn on_role(&mut self, role: Role) -> Reply {
        match self.operation {
            "GetRole" => Ok(self.role_xml(&role)),
            "ListRoleTags" => Ok(tags("Tags", &role.tags) + NO_MORE),
            "ListRolePolicies" => Ok(names("PolicyNames", role.inline.keys()) + NO_MORE),
            "ListAttachedRolePolicies" => Ok(attached_xml(&role)),
            "GetRolePolicy" => self.get_role_policy(&role),
            "DeleteRole" => self.delete_role(&role),
            _ => {
                let changed = self.changed(role)?;
                let account = self.caller.account.clone();
                let roles = &mut self.state.account(&account).roles;
                roles.insert(changed.name.clone(), changed);
                Ok(String::new())
            }
        }
    }

    /// The role after a write.
    fn changed(&mut self, mut role: Role) -> Result<Role, Refused> {
        let params = self.params;
        match self.operation {
            "UpdateAssumeRolePolicy" => {
                let text = params.need("PolicyDocument")?;
                (role.trust, role.trusted) = self.trust(text)?;
            }
            "TagRole" => {
                role.tags.extend(params.tags("Tags"));
                few_tags(role.tags.len())?;
            }
            "UntagRole" => {
                let keys = params.list("TagKeys");
                role.tags.retain(|key, _| !keys.contains(&key.as_str()));
            }
            "PutRolePermissionsBoundary" => {
                let arn = params.need("PermissionsBoundary")?;
                self.policy_exists(arn)?;
                role.boundary = Some(arn.to_owned());
            }
            "DeleteRolePermissionsBoundary" => {
                if role.boundary.take().is_none() {
                    let message =
                        format!("Role {} does not have a permissions boundary.", role.name);
                    return Err(no_such(&message));
                }
            }
            "PutRolePolicy" => put_policy(&mut role, params)?,
            "DeleteRolePolicy" => {
                let name = params.need("PolicyName")?;
                if role.inline.remove(name).is_none() {
                    return Err(no_policy(name));
                }
            }
            "AttachRolePolicy" => {
                let arn = params.need("PolicyArn")?;
                self.policy_exists(arn)?;
                role.attached.insert(arn.to_owned());
                if role.attached.len() > ATTACHED {
                    return Err(limit(&format!(
                        "Cannot exceed quota for PoliciesPerRole: {ATTACHED}"
                    )));
                }
            }
            "DetachRolePolicy" => {
                let arn = params.need("PolicyArn")?;
                if !role.attached.remove(arn) {
                    return Err(no_such(&format!("Policy {arn} was not found.")));
                }
            }
            other => return Err(Refused::not_here("iam", other)),
        }
        Ok(role)
    }

    fn get_role_policy(&mut self, role: &Role) -> Reply {
        let name = self.params.need("PolicyName")?;
        let document = role.inline.get(name).ok_or_else(|| no_policy(name))?;
        let document = documents::encoded_text(document, &mut self.state.random);
        Ok(text("RoleName", &role.name)
            + &text("PolicyName", name)
            + &text("PolicyDocument", &document))
    }

    fn delete_role(&mut self, role: &Role) -> Reply {
        let conflict = |what: &str| Err(Refused::new(409, "DeleteConflict", what));
        if !role.attached.is_empty() {
            return conflict("Cannot delete entity, must detach all policies first.");
        }
        if !role.inline.is_empty() {
            return conflict("Cannot delete entity, must delete policies first.");
        }
        let account = self.caller.account.clone();
        self.state.account(&account).roles.remove(&role.name);
        Ok(String::new())
    }

    fn list_roles(&mut self) -> Reply {
        let every = format!("arn:aws:iam::{}:role/", self.account());
        let ask = self.ask(every.clone(), every);
        self.check(&ask)?;
        let prefix = self.params.get("PathPrefix").unwrap_or("/");
        let held = self.state.accounts.get(self.account());
        let roles = held.into_iter().flat_map(|a| a.roles.values());
        let roles: Vec<Role> = roles
            .filter(|r| r.path.starts_with(prefix))
            .cloned()
            .collect();
        let items: Vec<String> = roles.iter().map(|role| self.role_fields(role)).collect();
        Ok(members("Roles", items) + NO_MORE)
    }

    /// The roles of the account with their policies, in one page. Other entities than roles the sandbox does not have.
    fn authorization_details(&mut self) -> Reply {
        let ask = self.ask("*", "*");
        self.check(&ask)?;
        let filter = self.params.list("Filter");
        let wanted = filter.is_empty() || filter.contains(&"Role");
        let held = self.state.accounts.get(self.account());
        let roles = held
            .into_iter()
            .flat_map(|a| a.roles.values())
            .filter(|_| wanted);
        let roles: Vec<Role> = roles.cloned().collect();
        let items: Vec<String> = roles.iter().map(|role| self.role_detail(role)).collect();
        Ok(members("RoleDetailList", items) + NO_MORE)
    }

    fn role_detail(&mut self, role: &Role) -> String {
        let mut policies = Vec::with_capacity(role.inline.len());
        for (name, document) in &role.inline {
            let document = documents::encoded_text(document, &mut self.state.random);
            policies.push(text("PolicyName", name) + &text("PolicyDocument", &document));
        }
        self.role_inside(role)
            + &members("RolePolicyList", policies)
            + &attached_list("AttachedManagedPolicies", role)
    }

    fn role_xml(&mut self, role: &Role) -> String {
        let inside = self.role_inside(role);
        element("Role", &inside)
    }

    fn role_inside(&mut self, role: &Role) -> String {
        let mut inside = self.role_fields(role);
        if !role.tags.is_empty() {
            inside += &tags("Tags", &role.tags);
        }
        if let Some(boundary) = &role.boundary {
            let what = text("PermissionsBoundaryType", "Policy")
                + &text("PermissionsBoundaryArn", boundary);
            inside += &element("PermissionsBoundary", &what);
        }
        inside
    }

    fn role_fields(&mut self, role: &Role) -> String {
        let trust = trust_now(self.state, role);
        let document = documents::encoded(&trust, &mut self.state.random);
        let mut inside = text("Path", &role.path)
            + &text("RoleName", &role.name)
            + &text("RoleId", &role.id)
            + &text("Arn", &role_arn(&self.caller.account, role))
            + &text("CreateDate", &iso(role.created))
            + &text("AssumeRolePolicyDocument", &document);
        if !role.description.is_empty() {
            inside += &text("Description", &role.description);
        }
        inside + &text("MaxSessionDuration", &role.max_session.to_string())
    }

    /// A trust policy, its principals found. A role that has just been made may not be known yet.
    fn trust(&mut self, given: &str) -> Result<(Value, BTreeMap<String, String>), Refused> {
        let found = {
            let state = &*self.state;
            documents::trust(
                given,
                |arn| state.unique_id(arn),
                |id| state.accounts.contains_key(id),
            )?
        };
        let (quiet, now) = (self.state.quiet, self.state.clock.now());
        for arn in found.1.keys().filter(|_| !quiet) {
            let Some((account, name)) = super::caller::named_role(arn) else {
                continue;
            };
            if let Some(role) = self.state.role_mut(&account, &name)
                && role.is_missed(now)
            {
                return Err(Refused::new(
                    400,
                    "MalformedPolicyDocument",
                    format!("Invalid principal in policy: \"AWS\":\"{arn}\""),
                ));
            }
        }
        Ok(found)
    }

    fn policy_exists(&self, arn: &str) -> Result<(), Refused> {
        match managed::document(self.state, arn) {
            Some(_) => Ok(()),
            None => Err(no_such(&format!(
                "Policy {arn} does not exist or is not attachable."
            ))),
        }
    }

    fn create_policy(&mut self) -> Reply {
        let name = self.params.need("PolicyName")?;
        let document = self.params.need("PolicyDocument")?;
        let path = self.params.get("Path").unwrap_or("/");
        let account = self.account().to_owned();
        let arn = format!("arn:aws:iam::{account}:policy{path}{name}");
        self.check(&self.ask(arn.clone(), format!("policy {name}")))?;
        documents::identity(document)?;
        documents::managed_fits(document)?;
        let policy = ManagedPolicy {
            name: name.to_owned(),
            path: path.to_owned(),
            id: self.state.random.unique_id("ANPA"),
            document: document.to_owned(),
            created: self.state.clock.now(),
        };
        let xml = element("Policy", &policy_fields(&arn, &policy, 0));
        let policies = &mut self.state.account(&account).policies;
        if policies.contains_key(&arn) {
            return Err(exists(&format!(
                "A policy called {name} already exists. Duplicate names are not allowed."
            )));
        }
        policies.insert(arn, policy);
        Ok(xml)
    }

    fn managed_policy(&mut self) -> Reply {
        let arn = self.params.need("PolicyArn")?;
        self.check(&self.ask(arn, format!("policy {arn}")))?;
        let missing = || no_such(&format!("Policy {arn} was not found."));
        let policy = if let Some((name, path, document)) = managed::aws(arn) {
            ManagedPolicy {
                name: name.to_owned(),
                path: path.to_owned(),
                id: format!("ANPA{}", name.to_uppercase()),
                document: document.to_owned(),
                created: std::time::Duration::from_secs(1_423_000_001),
            }
        } else {
            let held = self.state.accounts.get(self.account());
            let found = held.and_then(|a| a.policies.get(arn));
            found.cloned().ok_or_else(missing)?
        };
        match self.operation {
            "GetPolicy" => {
                let uses = self.uses(arn);
                Ok(element("Policy", &policy_fields(arn, &policy, uses)))
            }
            "GetPolicyVersion" => {
                let version = self.params.need("VersionId")?;
                if version != "v1" {
                    return Err(no_such(&format!(
                        "Policy {arn} version {version} does not exist or is not attachable."
                    )));
                }
                let document = documents::encoded_text(&policy.document, &mut self.state.random);
                let inside = text("Document", &document)
                    + &text("VersionId", "v1")
                    + &text("IsDefaultVersion", "true")
                    + &text("CreateDate", &iso(policy.created));
                Ok(element("PolicyVersion", &inside))
            }
            _ if self.uses(arn) > 0 => Err(Refused::new(
                409,
                "DeleteConflict",
                "Cannot delete a policy attached to entities.",
            )),
            _ => {
                let account = self.account().to_owned();
                self.state.account(&account).policies.remove(arn);
                Ok(String::new())
            }
        }
    }

    /// On how many roles of the account a policy stands.
    fn uses(&self, arn: &str) -> usize {
        let held = self.state.accounts.get(self.account());
        let roles = held.into_iter().flat_map(|a| a.roles.values());
        roles
            .filter(|r| r.attached.contains(arn) || r.boundary.as_deref() == Some(arn))
            .count()
    }

    /// What a role's own policies decide, without the trust of others, as the real one does.
    fn simulate(&mut self) -> Reply {
        let source = self.params.need("PolicySourceArn")?;
        self.check(&self.ask(source, source))?;
        let account = self.account().to_owned();
        let missing = || no_such(&format!("The entity {source} cannot be found."));
        let (holder, role) = self.state.role_of_arn(source).ok_or_else(missing)?;
        if holder != account {
            return Err(missing());
        }
        let session = Caller::session(&account, role, "simulation", None);
        let mut resources = self.params.list("ResourceArns");
        if resources.is_empty() {
            resources.push("*");
        }
        let mut results = Vec::new();
        for action in self.params.list("ActionNames") {
            for resource in &resources {
                let mut ask = Ask::new(&session, action, *resource);
                for n in 1.. {
                    let key = |part: &str| format!("ContextEntries.member.{n}.{part}");
                    let Some(name) = self.params.get(&key("ContextKeyName")) else {
                        break;
                    };
                    let value = self.params.get(&key("ContextKeyValues.member.1"));
                    ask = ask.with(name, value.unwrap_or_default());
                }
                let verdict = ask.decide(self.state).map(|d| d.verdict);
                let decision = match verdict {
                    Some(Verdict::Allowed) => "allowed",
                    Some(Verdict::ExplicitlyDenied) => "explicitDeny",
                    Some(Verdict::ImplicitlyDenied | Verdict::NotProven) | None => "implicitDeny",
                };
                results.push(
                    text("EvalActionName", action)
                        + &text("EvalResourceName", resource)
                        + &text("EvalDecision", decision)
                        + &element("MatchedStatements", "")
                        + &element("MissingContextValues", ""),
                );
            }
        }
        Ok(members("EvaluationResults", results) + NO_MORE)
    }
}

/// Refuses a caller that may not hand over a role; for the services that are given one.
pub(super) fn passes(
    state: &State,
    caller: &Caller,
    role_arn: &str,
    service: &str,
) -> Result<(), String> {
    pass(caller, role_arn, service).check(state)
}

/// The end of every list: the sandbox gives all of it at once.
const NO_MORE: &str = "<IsTruncated>false</IsTruncated>";

fn put_policy(role: &mut Role, params: &Params) -> Result<(), Refused> {
    let name = params.need("PolicyName")?;
    let document = params.need("PolicyDocument")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(valid) {
        return Err(invalid("policyName", name));
    }
    documents::identity(document)?;
    role.inline.insert(name.to_owned(), document.to_owned());
    documents::inline_fits(&role.name, role.inline.values().map(String::as_str))
}

fn role_name(name: &str) -> Result<(), Refused> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(valid) {
        return Err(invalid("roleName", name));
    }
    Ok(())
}

fn attached_xml(role: &Role) -> String {
    attached_list("AttachedPolicies", role) + NO_MORE
}

fn attached_list(name: &str, role: &Role) -> String {
    let item = |arn: &String| {
        let name = arn.rsplit_once('/').map_or(arn.as_str(), |(_, name)| name);
        text("PolicyName", name) + &text("PolicyArn", arn)
    };
    members(name, role.attached.iter().map(item))
}

fn policy_fields(arn: &str, policy: &ManagedPolicy, uses: usize) -> String {
    let created = iso(policy.created);
    text("PolicyName", &policy.name)
        + &text("PolicyId", &policy.id)
        + &text("Arn", arn)
        + &text("Path", &policy.path)
        + &text("DefaultVersionId", "v1")
        + &text("AttachmentCount", &uses.to_string())
        + &text("PermissionsBoundaryUsageCount", "0")
        + &text("IsAttachable", "true")
        + &text("CreateDate", &created)
        + &text("UpdateDate", &created)
}

fn few_tags(count: usize) -> Result<(), Refused> {
    if count <= TAGS {
        return Ok(());
    }
    Err(limit(&format!(
        "Cannot exceed quota for TagsPerRole: {TAGS}"
    )))
}

fn denied(decided: Result<(), String>) -> Result<(), Refused> {
    decided.map_err(|message| Refused::new(403, "AccessDenied", message))
}

fn no_such(message: &str) -> Refused {
    Refused::new(404, "NoSuchEntity", message)
}

fn no_policy(name: &str) -> Refused {
    no_such(&format!(
        "The role policy with name {name} cannot be found."
    ))
}

fn exists(message: &str) -> Refused {
    Refused::new(409, "EntityAlreadyExists", message)
}

fn limit(message: &str) -> Refused {
    Refused::new(409, "LimitExceeded", message)
}

fn invalid(at: &str, value: &str) -> Refused {
    Refused::new(
        400,
        "ValidationError",
        format!(
            "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\w+=,.@-]+"
        ),
    )
}
