//! What a gate really is in its pipeline: the action, its role, its function, and whose they are.
//! It resolves; it decides nothing.

use crate::iam::hops::Found;
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::name::FunctionName;
use crate::model::observed::{Observed, Seen};
use crate::model::pipeline::{ActionView, PipelineDocument, StageView};
use crate::model::wiring::{FunctionKey, Gate, RoleKey, Wiring};

/// A gate as it stands.
pub(super) struct Target<'a> {
    pub(super) gate: &'a Gate,
    pub(super) document: Option<&'a PipelineDocument>,
    pub(super) action: Option<ActionView<'a>>,
    /// The action's region: its own, or the pipeline's.
    pub(super) region: Region,
    pub(super) service: Found<RoleArn>,
    pub(super) invoke: Found<RoleArn>,
    pub(super) function: Found<Called>,
}

/// The function that an action names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Called {
    /// The function without qualifier.
    pub(super) arn: FunctionArn,
    /// The version or alias.
    pub(super) qualifier: Option<String>,
}

impl Called {
    /// The ARN that is invoked.
    pub(super) fn invoked(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn),
            None => self.arn.to_string(),
        }
    }

    /// The function by where it is; none where its account is not in the manifest.
    pub(super) fn key(&self, wiring: &Wiring) -> Option<FunctionKey> {
        Some(FunctionKey {
            account: account_name(wiring, &self.arn.account)?.clone(),
            region: self.arn.region.clone(),
            name: self.arn.name.clone(),
        })
    }
}

/// The name of an account in the manifest.
pub(super) fn account_name<'a>(wiring: &'a Wiring, id: &AccountId) -> Option<&'a AccountName> {
    let found = wiring
        .accounts
        .iter()
        .find(|(_, account)| account.id == *id);
    found.map(|(name, _)| name)
}

/// A role by where it is; none where its account is not in the manifest.
pub(super) fn role_key(wiring: &Wiring, role: &RoleArn) -> Option<RoleKey> {
    Some(RoleKey {
        account: account_name(wiring, &role.account)?.clone(),
        name: role.name.clone(),
    })
}

/// Why nothing that was read of an account may be used; none where it may.
pub(super) fn unusable(wiring: &Wiring, observed: &Observed, name: &AccountName) -> Option<String> {
    let id = wiring.account_id(name);
    match observed.caller(name) {
        Seen::Present(caller) if Some(&caller.account) == id => None,
        Seen::Present(caller) => Some(format!(
            "the credentials of account {name} are of account {}",
            caller.account
        )),
        Seen::NotRead | Seen::Absent => Some(format!("account {name} was not read")),
        Seen::Unreadable(error) => Some(error.to_string()),
    }
}

impl<'a> Target<'a> {
    pub(super) fn of(wiring: &Wiring, observed: &'a Observed, gate: &'a Gate) -> Self {
        let document = document(wiring, observed, gate);
        let region = gate.pipeline.region.clone();
        let document = match document {
            Found::There(document) => document,
            Found::Missing(why) => {
                return Self::without(gate, region, &|| Found::Missing(why.clone()));
            }
            Found::Unseen(why) => {
                return Self::without(gate, region, &|| Found::Unseen(why.clone()));
            }
        };
        let service = match document.role_arn() {
            Ok(role) => Found::There(role),
            Err(why) => Found::Unseen(why.to_string()),
        };
        let found = find(document, gate);
        let (invoke, function, region) = match found {
            Ok(action) => {
                let region = action.region().and_then(|r| Region::new(r).ok());
                let region = region.unwrap_or(region_of(gate));
                let invoke = role(gate, action);
                let function = match &invoke {
                    Found::There(role) => called(action, role, &region),
                    Found::Missing(why) => Found::Missing(why.clone()),
                    Found::Unseen(why) => Found::Unseen(why.clone()),
                };
                (invoke, function, region)
            }
            Err(ref why) => (
                Found::Missing(why.clone()),
                Found::Missing(why.clone()),
                region,
            ),
        };
        Self {
            gate,
            document: Some(document),
            action: found.ok(),
            region,
            service,
            invoke,
            function,
        }
    }

    fn without(gate: &'a Gate, region: Region, why: &dyn Fn() -> Found<Never>) -> Self {
        Self {
            gate,
            document: None,
            action: None,
            region,
            service: why().cast(),
            invoke: why().cast(),
            function: why().cast(),
        }
    }
}

fn region_of(gate: &Gate) -> Region {
    gate.pipeline.region.clone()
}

/// Nothing is of this type.
pub(super) enum Never {}

impl Found<Never> {
    /// The same for any type.
    pub(super) fn cast<T>(self) -> Found<T> {
        match self {
            Self::There(never) => match never {},
            Self::Missing(why) => Found::Missing(why),
            Self::Unseen(why) => Found::Unseen(why),
        }
    }
}

fn document<'a>(
    wiring: &Wiring,
    observed: &'a Observed,
    gate: &Gate,
) -> Found<&'a PipelineDocument> {
    let key = &gate.pipeline;
    if let Some(why) = unusable(wiring, observed, &key.account) {
        return Found::Unseen(why);
    }
    match observed.pipeline(key) {
        Seen::Present(document) => Found::There(document),
        Seen::Absent => Found::Missing(format!(
            "there is no pipeline {} in account {}, {}",
            key.name, key.account, key.region
        )),
        Seen::NotRead => Found::Unseen(format!("pipeline {} was not read", key.name)),
        Seen::Unreadable(error) => Found::Unseen(error.to_string()),
    }
}

fn find<'a>(document: &'a PipelineDocument, gate: &Gate) -> Result<ActionView<'a>, String> {
    let wanted = &gate.action;
    let action = document
        .stages()
        .filter(|stage| stage.name() == wanted.stage.as_str())
        .flat_map(StageView::actions)
        .find(|action| action.name() == wanted.name.as_str());
    let place = format!(
        "action {} in stage {} of pipeline {}",
        wanted.name, wanted.stage, gate.pipeline.name
    );
    match action {
        None => Err(format!(
            "there is no {place}: the pipeline never calls the gate"
        )),
        Some(action) if !action.is_lambda_invoke() => {
            Err(format!("{place} does not invoke a Lambda function"))
        }
        Some(action) => Ok(action),
    }
}

fn role(gate: &Gate, action: ActionView<'_>) -> Found<RoleArn> {
    let name = &gate.action.name;
    match action.role_arn().filter(|role| !role.is_empty()) {
        None => Found::Missing(format!("action {name} names no role of its own")),
        Some(text) => match RoleArn::parse(text) {
            Ok(role) => Found::There(role),
            Err(why) => Found::Unseen(format!("the role of action {name}: {why}")),
        },
    }
}

/// The function by its name, with or without a qualifier, or by its ARN. A name is looked up in the account of the role that
/// invokes it.
fn called(action: ActionView<'_>, role: &RoleArn, region: &Region) -> Found<Called> {
    let text = action.function_name().unwrap_or_default();
    if text.is_empty() {
        return Found::Missing(format!("action {} names no function", action.name()));
    }
    if text.contains("#{") {
        return Found::Unseen(format!(
            "action {} takes its function from a variable: `{text}`",
            action.name()
        ));
    }
    match parse(text, role, region) {
        Some(called) => Found::There(called),
        None => Found::Unseen(format!("`{text}` is not the name of a function")),
    }
}

fn parse(text: &str, role: &RoleArn, region: &Region) -> Option<Called> {
    let (region, account, name) = match text.strip_prefix("arn:") {
        None => (region.clone(), role.account.clone(), text),
        Some(rest) => {
            let mut fields = rest.splitn(6, ':');
            let (_, service) = (fields.next()?, fields.next()?);
            let (region, account, kind) = (fields.next()?, fields.next()?, fields.next()?);
            if service != "lambda" || kind != "function" {
                return None;
            }
            let (region, account) = (Region::new(region).ok()?, AccountId::new(account).ok()?);
            (region, account, fields.next()?)
        }
    };
    let (name, qualifier) = match name.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
        None => (name, None),
    };
    Some(Called {
        arn: FunctionArn {
            region,
            account,
            name: FunctionName::new(name).ok()?,
        },
        qualifier,
    })
}
