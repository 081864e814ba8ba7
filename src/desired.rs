//! From the manifest to the wiring that it wants: every default filled in, gates sorted by name.
//! Pure: may not see AWS, the environment or the clock, and may not depend on the order of gates in the manifest (law 3).

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::config::{
    Config, Credentials, FunctionConfig, GateConfig, InvokeRoleConfig, MadeFunctionConfig, closest,
    did_you_mean,
};
use crate::model::account::{AccountId, AccountName};
use crate::model::function::{ExecutionRole, FunctionSpec};
use crate::model::glob;
use crate::model::name::{FunctionName, GateName, NameError, Project, RoleName, StageName};
use crate::model::wiring::{
    Account, FunctionKey, Gate, GateAction, InvokeRole, PipelineKey, Placement, Trust, Wiring,
};

/// A manifest that cannot be wired as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DesiredError {
    /// `--gate` names a gate that the manifest does not have.
    #[error("the manifest has no gate `{name}`: {help}")]
    UnknownGate {
        /// The name that was asked for.
        name: GateName,
        /// The nearest name, or the names there are.
        help: String,
    },
    /// No gate of the manifest fits a pattern of `--gate`.
    #[error("no gate of the manifest fits `{pattern}`: {help}")]
    NoGateFits {
        /// The pattern.
        pattern: String,
        /// The nearest pattern, or the names there are.
        help: String,
    },
    /// A gate names an account that is not defined. Validation refuses such a manifest.
    #[error("gate `{gate}` names the account `{account}`, which the manifest does not define")]
    UnknownAccount {
        /// The gate.
        gate: GateName,
        /// The account.
        account: AccountName,
    },
    /// The invoke role's default name is too long. Validation refuses such a manifest.
    #[error("the invoke role of gate `{gate}` needs a name in [gates.invoke_role]: {reason}")]
    RoleName {
        /// The gate.
        gate: GateName,
        /// The rule that the default name breaks.
        reason: NameError,
    },
    /// The default name of a made execution role is too long. Validation refuses such a manifest.
    #[error(
        "the execution role of function `{function}` cannot have its default name: name a role that is there with `role` in \
         [gates.function], or shorten the function's name: {reason}"
    )]
    ExecutionRoleName {
        /// The function.
        function: FunctionName,
        /// The rule that the default name breaks.
        reason: NameError,
    },
    /// Two roles that the manifest makes have one name, as IAM compares names: without regard to letter case.
    #[error(
        "the execution role `{role}` that is made for function `{function}` has the name of {other}: name another one with \
         `role` in [gates.function], or another invoke role in [gates.invoke_role]"
    )]
    RoleClash {
        /// The made execution role.
        role: RoleName,
        /// The function.
        function: FunctionName,
        /// Whose name it is too, in words.
        other: String,
    },
}

/// Resolves the manifest. `only`: the gates that the run is about; empty: all.
///
/// Two names of one account id become the first of them (in sorted order) that a gate uses, so that one role or pipeline has one
/// key. A stage that one gate places has that place for every gate that stands in it, so that a run about one gate puts it
/// where a run about all would.
///
/// # Errors
/// [`DesiredError::UnknownGate`]; the others only for a [`Config`] that validation did not make.
pub fn wiring(config: &Config, only: &[GateName]) -> Result<Wiring, DesiredError> {
    let selected = selected(config, only)?;
    let accounts = Accounts::of(config)?;
    let places = places(config, &accounts);
    let mut gates = config
        .gates
        .iter()
        .map(|gate| resolve(&config.project, gate, &accounts, &places))
        .collect::<Result<Vec<Gate>, DesiredError>>()?;
    gates.sort_by(|one, other| one.name.cmp(&other.name));
    let functions = functions(config, &accounts)?;
    distinct(&gates, &functions)?;
    let mut wiring = Wiring {
        project: config.project.clone(),
        accounts: accounts.described(),
        gates,
        functions,
        selected,
        beside: BTreeSet::new(),
        part: None,
    };
    wiring.share_names();
    Ok(wiring)
}

/// All accounts of the manifest, those that no gate uses among them, each under the name that [`wiring`] gives it.
///
/// # Errors
/// Only for a [`Config`] that validation did not make.
pub fn all_accounts(config: &Config) -> Result<BTreeMap<AccountName, Account>, DesiredError> {
    let mut accounts = Accounts::of(config)?;
    for (name, account) in &config.accounts {
        accounts
            .by_id
            .entry(account.id.clone())
            .or_insert_with(|| name.clone());
    }
    Ok(accounts.described())
}

/// The gates whose names fit a pattern, in the order of the manifest.
///
/// # Errors
/// [`DesiredError::NoGateFits`].
pub fn fitting(config: &Config, pattern: &str) -> Result<Vec<GateName>, DesiredError> {
    let names = || config.gates.iter().map(|gate| &gate.name);
    let found: Vec<GateName> = names()
        .filter(|name| glob::matches(pattern, name.as_str()))
        .cloned()
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known: BTreeSet<&str> = names().map(GateName::as_str).collect();
    let known: Vec<&str> = known.into_iter().collect();
    Err(DesiredError::NoGateFits {
        help: nearest_pattern(pattern, &known)
            .unwrap_or_else(|| did_you_mean(pattern, "gates", &known)),
        pattern: pattern.to_owned(),
    })
}

/// For `valdate-*`, where gates begin with `validate-`: what was meant.
fn nearest_pattern(pattern: &str, known: &[&str]) -> Option<String> {
    let begin = pattern.strip_suffix('*')?;
    if begin.is_empty() || glob::is_pattern(begin) {
        return None;
    }
    let length = begin.chars().count();
    let begins: BTreeSet<String> = known
        .iter()
        .flat_map(|name| {
            let cut = |length| name.chars().take(length).collect::<String>();
            [cut(length.saturating_sub(1)), cut(length), cut(length + 1)]
        })
        .collect();
    // A separator at the end is no matter of spelling, which `closest` looks at only.
    let alike = |name: &&str| begin.ends_with(['-', '_']) == name.ends_with(['-', '_']);
    let near = closest(begin, begins.iter().map(String::as_str).filter(alike))?;
    Some(format!("did you mean `{near}*`?"))
}

fn selected(config: &Config, only: &[GateName]) -> Result<BTreeSet<GateName>, DesiredError> {
    let known: BTreeSet<GateName> = config.gates.iter().map(|gate| gate.name.clone()).collect();
    if only.is_empty() {
        return Ok(known);
    }
    for name in only {
        if !known.contains(name) {
            let names: Vec<&str> = known.iter().map(GateName::as_str).collect();
            return Err(DesiredError::UnknownGate {
                name: name.clone(),
                help: did_you_mean(name.as_str(), "gates", &names),
            });
        }
    }
    Ok(only.iter().cloned().collect())
}

/// The accounts that gates use, each under one name.
struct Accounts<'a> {
    config: &'a Config,
    by_id: BTreeMap<AccountId, AccountName>,
}

impl<'a> Accounts<'a> {
    fn of(config: &'a Config) -> Result<Self, DesiredError> {
        let mut by_id: BTreeMap<AccountId, AccountName> = BTreeMap::new();
        for gate in &config.gates {
            for name in [&gate.pipeline.account, &gate.function.account] {
                let Some(account) = config.accounts.get(name) else {
                    return Err(DesiredError::UnknownAccount {
                        gate: gate.name.clone(),
                        account: name.clone(),
                    });
                };
                let kept = by_id
                    .entry(account.id.clone())
                    .or_insert_with(|| name.clone());
                if name < kept {
                    *kept = name.clone();
                }
            }
        }
        Ok(Self { config, by_id })
    }

    /// The name that stands for an account.
    fn canonical(&self, name: &AccountName) -> AccountName {
        let account = self.config.accounts.get(name);
        let kept = account.and_then(|account| self.by_id.get(&account.id));
        kept.unwrap_or(name).clone()
    }

    /// The accounts by the name that stands for each.
    fn described(&self) -> BTreeMap<AccountName, Account> {
        let describe = |(id, name): (&AccountId, &AccountName)| {
            let credentials = &self.config.accounts.get(name)?.credentials;
            let account = Account {
                id: id.clone(),
                credentials: credentials.to_string(),
                profile: match credentials {
                    Credentials::Profile(profile) => Some(profile.clone()),
                    Credentials::DefaultChain | Credentials::AssumeRole { .. } => None,
                },
            };
            Some((name.clone(), account))
        };
        self.by_id.iter().filter_map(describe).collect()
    }

    fn pipeline(&self, key: &PipelineKey) -> PipelineKey {
        let PipelineKey {
            account,
            region,
            name,
        } = key;
        PipelineKey {
            account: self.canonical(account),
            region: region.clone(),
            name: name.clone(),
        }
    }

    fn function(&self, function: &FunctionConfig, pipeline: &PipelineKey) -> FunctionKey {
        let FunctionConfig {
            account,
            name,
            region,
            made: _,
        } = function;
        FunctionKey {
            account: self.canonical(account),
            region: region.clone().unwrap_or_else(|| pipeline.region.clone()),
            name: name.clone(),
        }
    }
}

type Functions = BTreeMap<FunctionKey, FunctionSpec>;

/// The functions that the manifest makes. Gates that share one describe it alike (validation sees to it).
fn functions(config: &Config, accounts: &Accounts<'_>) -> Result<Functions, DesiredError> {
    let mut functions = Functions::new();
    for gate in &config.gates {
        if let Some(made) = &gate.function.made {
            let key = accounts.function(&gate.function, &gate.pipeline);
            let spec = spec(&config.project, &key.name, made)?;
            functions.insert(key, spec);
        }
    }
    Ok(functions)
}

fn spec(
    project: &Project,
    name: &FunctionName,
    made: &MadeFunctionConfig,
) -> Result<FunctionSpec, DesiredError> {
    let MadeFunctionConfig {
        package,
        runtime,
        handler,
        timeout_seconds,
        memory_mb,
        environment,
        role,
        tags,
    } = made;
    let role = match role {
        Some(role) => ExecutionRole::Existing(role.clone()),
        None => ExecutionRole::Made(FunctionConfig::default_role_name(project, name).map_err(
            |reason| DesiredError::ExecutionRoleName {
                function: name.clone(),
                reason,
            },
        )?),
    };
    Ok(FunctionSpec {
        package: package.clone(),
        runtime: runtime.clone(),
        handler: handler.clone(),
        timeout_seconds: timeout_seconds.unwrap_or(MadeFunctionConfig::TIMEOUT_SECONDS),
        memory_mb: memory_mb.unwrap_or(MadeFunctionConfig::MEMORY_MB),
        environment: environment.clone(),
        role,
        tags: tags.clone(),
    })
}

/// Refuses a made execution role that IAM would take for another role of the manifest. Functions of one name in several regions
/// share theirs.
fn distinct(gates: &[Gate], functions: &Functions) -> Result<(), DesiredError> {
    let key = |account: &AccountName, role: &RoleName| {
        (account.clone(), role.as_str().to_ascii_lowercase())
    };
    let mut taken: BTreeMap<(AccountName, String), (&RoleName, String)> = gates
        .iter()
        .map(|gate| {
            let name = &gate.role.name;
            let whose = format!("the invoke role of gate `{}`", gate.name);
            (key(&gate.function.account, name), (name, whose))
        })
        .collect();
    for (function, spec) in functions {
        let ExecutionRole::Made(role) = &spec.role else {
            continue;
        };
        let whose = format!("the execution role of function `{}`", function.name);
        match taken.get(&key(&function.account, role)) {
            Some((other, whose_too)) if *other != role || *whose_too != whose => {
                return Err(DesiredError::RoleClash {
                    role: role.clone(),
                    function: function.name.clone(),
                    other: format!("{whose_too} (`{other}`)"),
                });
            }
            Some(_) | None => {}
        }
        taken.insert(key(&function.account, role), (role, whose));
    }
    Ok(())
}

type Places = BTreeMap<(PipelineKey, StageName), Placement>;

fn places(config: &Config, accounts: &Accounts<'_>) -> Places {
    let mut places = Places::new();
    for gate in &config.gates {
        if let Some(placement) = &gate.action.placement {
            let key = (accounts.pipeline(&gate.pipeline), gate.action.stage.clone());
            places.insert(key, placement.clone());
        }
    }
    places
}

fn resolve(
    project: &Project,
    gate: &GateConfig,
    accounts: &Accounts<'_>,
    places: &Places,
) -> Result<Gate, DesiredError> {
    // Destructured in full: a new key of the manifest must be decided on here.
    let GateConfig {
        name,
        position: _,
        pipeline,
        action,
        function,
        invoke_role,
        manage_artifacts,
    } = gate;
    let pipeline = accounts.pipeline(pipeline);
    let function = accounts.function(function, &pipeline);
    let place = places.get(&(pipeline.clone(), action.stage.clone()));
    let action = GateAction {
        placement: place.cloned(),
        ..action.clone()
    };
    Ok(Gate {
        name: name.clone(),
        pipeline,
        action,
        function,
        role: role(project, name, invoke_role)?,
        manage_artifacts: manage_artifacts.unwrap_or(false),
    })
}

fn role(
    project: &Project,
    gate: &GateName,
    role: &InvokeRoleConfig,
) -> Result<InvokeRole, DesiredError> {
    let InvokeRoleConfig {
        name,
        path,
        permissions_boundary,
        tags,
        trust,
        list_functions,
    } = role;
    let name = match name {
        Some(name) => name.clone(),
        None => GateConfig::default_role_name(project, gate).map_err(|reason| {
            DesiredError::RoleName {
                gate: gate.clone(),
                reason,
            }
        })?,
    };
    Ok(InvokeRole {
        name,
        path: path.clone().unwrap_or_default(),
        permissions_boundary: permissions_boundary.clone(),
        tags: tags.clone(),
        trust: trust.unwrap_or(Trust::ServiceRole),
        list_functions: list_functions.unwrap_or(true),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::config::from_text;
    use crate::model::arn::RoleArn;
    use crate::model::function::{Package, Variables};
    use crate::model::name::RolePath;
    use crate::model::part::Part;

    const MANY: &str = include_str!("../config/many-gates.toml");

    fn config(text: &str) -> Config {
        from_text(Path::new("crossgate.toml"), text).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn gate(name: &str) -> GateName {
        GateName::new(name).unwrap()
    }

    fn account(name: &str) -> AccountName {
        AccountName::new(name).unwrap()
    }

    const TWO_NAMES: &str = r#"
        project = "p"
        [accounts.admin]
        id = "111111111111"
        [accounts.z-tools]
        id = "111111111111"
        profile = "z"
        [accounts.b-tools]
        id = "111111111111"
        profile = "b"
        [[gates]]
        name = "one"
        pipeline = { account = "z-tools", region = "cn-north-1", name = "P", stage = "S", action = "A", after = "Build" }
        function = { account = "b-tools", name = "F" }
        [[gates]]
        name = "another"
        pipeline = { account = "b-tools", region = "cn-north-1", name = "P", stage = "S", action = "B" }
        function = { account = "z-tools", name = "F", region = "cn-northwest-1" }
    "#;

    #[test]
    fn defaults_are_filled_in() {
        let wiring = wiring(&config(TWO_NAMES), &[]).unwrap();
        let names: Vec<&str> = wiring.gates.iter().map(|gate| gate.name.as_str()).collect();
        assert_eq!(names, ["another", "one"]);
        let [another, one] = wiring.gates.as_slice() else {
            panic!("two gates")
        };
        assert_eq!(one.function.region.as_str(), "cn-north-1");
        assert_eq!(another.function.region.as_str(), "cn-northwest-1");
        assert_eq!(one.role.name.as_str(), "crossgate-p-one");
        assert_eq!(one.role.path, RolePath::default());
        assert_eq!(one.role.trust, Trust::ServiceRole);
        assert!(one.role.list_functions);
        assert_eq!(one.role.permissions_boundary, None);
        assert!(one.role.tags.is_empty());
        assert_eq!(
            one.action.run_order, None,
            "what is not written is not owned"
        );
        assert_eq!(wiring.selected.len(), 2);
    }

    #[test]
    fn two_names_of_an_account_are_one_account() {
        let wiring = wiring(&config(TWO_NAMES), &[]).unwrap();
        // `admin` comes first but no gate uses it.
        assert_eq!(
            wiring.accounts.keys().collect::<Vec<_>>(),
            [&account("b-tools")]
        );
        assert_eq!(
            wiring.accounts[&account("b-tools")].credentials,
            "profile `b`"
        );
        for gate in &wiring.gates {
            assert_eq!(gate.pipeline.account, account("b-tools"));
            assert_eq!(gate.function.account, account("b-tools"));
        }
    }

    #[test]
    fn a_stage_has_one_place_for_all_its_gates() {
        let wiring = wiring(&config(TWO_NAMES), &[gate("another")]).unwrap();
        let places: BTreeSet<_> = wiring
            .gates
            .iter()
            .map(|gate| &gate.action.placement)
            .collect();
        let build = Placement::After(StageName::new("Build").unwrap());
        assert_eq!(places, BTreeSet::from([&Some(build)]));
        assert_eq!(wiring.selected, BTreeSet::from([gate("another")]));
        assert_eq!(wiring.gates.len(), 2, "the others are known too");
    }

    fn made(role: Option<&str>) -> MadeFunctionConfig {
        MadeFunctionConfig {
            package: Package {
                zip: Arc::from(b"zip".as_slice()),
                sha256: "c2hh".to_owned(),
                files: 1,
                unzipped: 3,
            },
            runtime: "python3.13".to_owned(),
            handler: "index.handler".to_owned(),
            timeout_seconds: None,
            memory_mb: None,
            environment: Variables::default(),
            role: role.map(|arn| RoleArn::parse(arn).unwrap()),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn a_made_function_is_held_once_with_its_defaults() {
        let mut config = config(TWO_NAMES);
        assert!(wiring(&config, &[]).unwrap().functions.is_empty());
        for gate in &mut config.gates {
            gate.function.made = Some(made(None));
        }
        config.gates[1].function.region = None;
        let wiring = wiring(&config, &[gate("one")]).unwrap();
        let [(key, spec)] = wiring.functions.iter().collect::<Vec<_>>()[..] else {
            panic!("one function, though two gates use it by two names of its account")
        };
        assert_eq!(*key, wiring.gates[0].function);
        assert_eq!((spec.timeout_seconds, spec.memory_mb), (60, 128));
        let name = RoleName::new("crossgate-p-fn-F").unwrap();
        assert_eq!(spec.role, ExecutionRole::Made(name));
    }

    #[test]
    fn a_named_execution_role_is_kept() {
        let arn = "arn:aws-cn:iam::111111111111:role/x/Runs";
        let mut config = config(TWO_NAMES);
        config.gates[0].function.made = Some(made(Some(arn)));
        let wiring = wiring(&config, &[]).unwrap();
        let spec = wiring.functions.values().next().unwrap();
        assert_eq!(
            spec.role,
            ExecutionRole::Existing(RoleArn::parse(arn).unwrap())
        );
    }

    #[test]
    fn execution_roles_whose_name_is_too_long_or_taken_are_refused() {
        let mut config = config(TWO_NAMES);
        config.gates[0].function.made = Some(made(None));
        config.gates[0].function.name = FunctionName::new(&"f".repeat(50)).unwrap();
        let error = wiring(&config, &[]).unwrap_err().to_string();
        assert!(error.contains("`role` in [gates.function]"), "{error}");

        config.gates[0].function.name = FunctionName::new("F").unwrap();
        config.gates[1].name = gate("fn-f");
        let error = wiring(&config, &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the execution role `crossgate-p-fn-F` that is made for function `F` has the name of the invoke role of gate \
             `fn-f` (`crossgate-p-fn-f`): name another one with `role` in [gates.function], or another invoke role in \
             [gates.invoke_role]"
        );
    }

    #[test]
    fn an_unknown_gate_is_refused_with_the_nearest_name() {
        let config = config(MANY);
        let error = wiring(&config, &[gate("audit"), gate("aprove")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the manifest has no gate `aprove`: did you mean `approve`?"
        );
        let error = wiring(&config, &[gate("zzzzzz")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the manifest has no gate `zzzzzz`: the gates here: `approve`, `audit`, `smoke`, `validate`"
        );
    }

    #[test]
    fn a_pattern_takes_the_gates_that_fit() {
        let config = config(MANY);
        let names = |pattern| {
            let found = fitting(&config, pattern).unwrap();
            found.iter().map(GateName::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("*a*i*"), ["validate", "audit"]);
        assert_eq!(names("*").len(), 4);
        let said = |pattern| fitting(&config, pattern).unwrap_err().to_string();
        assert_eq!(
            said("valdate*"),
            "no gate of the manifest fits `valdate*`: did you mean `validate*`?"
        );
        assert!(said("zzz-*").ends_with("the gates here: `approve`, `audit`, `smoke`, `validate`"));
    }

    #[test]
    fn a_part_leaves_the_other_gates_beside() {
        let config = config(MANY);
        let whole = wiring(&config, &[]).unwrap();
        let mut kept = BTreeSet::new();
        for number in 1..=3 {
            let mut part = whole.clone();
            part.keep(Part::parse(&format!("hash:{number}/3")).unwrap());
            assert!(part.selected.is_disjoint(&part.beside));
            assert_eq!(&part.selected | &part.beside, whole.selected);
            for gate in part.gates.iter().filter(|gate| part.is_selected(gate)) {
                assert!(kept.insert(gate.name.clone()), "in one part only");
            }
        }
        assert_eq!(kept, whole.selected);
        let mut part = wiring(&config, &[gate("smoke")]).unwrap();
        part.keep(Part::parse("hash:1/1").unwrap());
        assert_eq!(part.selected, BTreeSet::from([gate("smoke")]));
        assert!(
            part.beside.is_empty(),
            "a gate that is not chosen is of no part"
        );
    }

    #[test]
    fn accounts_that_only_lend_credentials_are_not_wired() {
        let wiring = wiring(&config(MANY), &[]).unwrap();
        let names: Vec<&str> = wiring.accounts.keys().map(AccountName::as_str).collect();
        assert_eq!(names, ["dev", "prod", "release", "tools"]);
        assert_eq!(
            wiring.accounts[&account("prod")].credentials,
            "role arn:aws:iam::333333333333:role/deploy/Crossgate assumed via `tools`"
        );
    }

    /// The manifest's text with its gates in another order.
    fn shuffled(text: &str, order: &[usize]) -> String {
        let mut parts = text.split("[[gates]]");
        let head = parts.next().unwrap();
        let gates: Vec<&str> = parts.collect();
        let gates = order
            .iter()
            .map(|index| format!("[[gates]]{}\n", gates[*index]));
        format!("{head}{}", gates.collect::<String>())
    }

    proptest! {
        #[test]
        fn law_3_whatever_the_order_of_gates_in_the_manifest_the_wiring_is_the_same(
            many in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
            two in Just(vec![0_usize, 1]).prop_shuffle(),
            chosen in any::<bool>(),
        ) {
            for (text, order, name) in [(MANY, &many, "smoke"), (TWO_NAMES, &two, "one")] {
                let only = if chosen { vec![gate(name)] } else { Vec::new() };
                let written = config(&shuffled(text, order));
                let names: Vec<_> = config(text).gates.into_iter().map(|gate| gate.name).collect();
                for (gate, index) in written.gates.iter().zip(order) {
                    prop_assert_eq!(&gate.name, &names[*index], "the shuffle is real");
                }
                prop_assert_eq!(wiring(&written, &only), wiring(&config(text), &only));
            }
        }
    }
}
