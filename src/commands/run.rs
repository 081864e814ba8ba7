//! What the commands share: manifest to wiring, accounts to observed, both to a plan, and the plan to the screen.
//! Glue only.

use std::collections::BTreeMap;
use std::path::Path;

use crate::aws::{AccountAccess, AwsCloud, Credentials, Settings};
use crate::cli::{Common, Format};
use crate::config::{self, Config};
use crate::desired;
use crate::environment::Environment;
use crate::error::Error;
use crate::model::account::{AccountName, Partition, Region};
use crate::model::change::{Intent, Plan, Report, Severity};
use crate::model::glob;
use crate::model::name::GateName;
use crate::model::observed::{Observed, Seen};
use crate::model::part::Part;
use crate::model::progress::{Progress, Silent};
use crate::model::role_reads;
use crate::model::status::Status;
use crate::model::wiring::Wiring;
use crate::observe::{CALLS_PER_ACCOUNT, observe};
use crate::output::progress::{Bars, Lines};
use crate::output::{self, AccountLine, AccountState, Proved, View};
use crate::plan::{self, Options, orphans};
use crate::verify;

use super::{secrets, stderr_style, stdout_style};

/// A run with its manifest read and its accounts known, before the first call.
pub(super) struct Run {
    pub(super) config: Config,
    pub(super) wiring: Wiring,
    pub(super) options: Options,
    pub(super) cloud: AwsCloud,
    pub(super) format: Format,
    verbose: bool,
    /// Whether a question is going to be asked (no `--yes`).
    pub(super) asks: bool,
}

/// Whoever shows how far the work is, and can be told to make room for the result.
pub(super) enum Shown {
    Bars(Bars),
    Lines(Lines<std::io::Stderr>),
    Nothing(Silent),
}

impl Run {
    pub(super) fn new(
        common: &Common,
        intent: Intent,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let folder = environment.folder.as_deref().unwrap_or(Path::new("."));
        let location = config::find(
            common.config.as_deref(),
            environment.raw("CROSSGATE_CONFIG"),
            folder,
        )?;
        let config = config::load(&location, common.allow_outside)?;
        let wiring = wiring(common, &config)?;
        let options = Options {
            intent,
            adopt: common.adopt,
            remove_unexpected: common.remove_unexpected,
            secrets: secrets::read(&common.secret, environment)?,
        };
        let settings = Settings {
            project: Some(config.project.clone()),
            ..Settings::default()
        };
        let cloud = AwsCloud::new(access(&config, &wiring), settings);
        Ok(Self {
            config,
            wiring,
            options,
            cloud,
            format: common.format,
            verbose: common.verbose > 0,
            asks: !common.yes,
        })
    }

    /// True where the partition has no gate.
    pub(super) fn is_empty_part(&self) -> bool {
        self.wiring.part.is_some() && self.wiring.selected.is_empty()
    }

    /// Reads what the plan needs and makes it.
    pub(super) async fn plan(&self, progress: &dyn Progress) -> (Plan, Observed) {
        let wants = |seen: &Observed| plan::wants(&self.wiring, seen, &self.options);
        let observed = observe(&self.cloud, wants, CALLS_PER_ACCOUNT, progress).await;
        let plan = plan::plan(&self.wiring, &observed, &self.options);
        (plan, observed)
    }

    /// Reads what is needed to find what is left behind, and makes the plan that removes it.
    pub(super) async fn plan_orphans(&self, progress: &dyn Progress) -> (Plan, Observed) {
        let wants = |seen: &Observed| orphans::wants(&self.wiring, seen, &self.options);
        let observed = observe(&self.cloud, wants, CALLS_PER_ACCOUNT, progress).await;
        let plan = orphans::plan(&self.wiring, &observed, &self.options);
        (plan, observed)
    }

    /// Reads what the plan needs and, where asked, what the hops and the search for what is left behind need beside it; nothing
    /// twice.
    pub(super) async fn observe(
        &self,
        hops: Option<&verify::Options>,
        with_orphans: bool,
        progress: &dyn Progress,
    ) -> Observed {
        let wants = |seen: &Observed| {
            let mut wanted = plan::wants(&self.wiring, seen, &self.options);
            if let Some(hops) = hops {
                wanted.extend(verify::wants(&self.wiring, seen, hops));
            }
            if with_orphans {
                wanted.extend(orphans::wants(&self.wiring, seen, &self.options));
                orphans::put_off(seen, &mut wanted);
            }
            role_reads::fewest(seen, wanted)
        };
        observe(&self.cloud, wants, CALLS_PER_ACCOUNT, progress).await
    }

    pub(super) fn progress(environment: &Environment) -> Shown {
        if environment.quiet {
            Shown::Nothing(Silent)
        } else if environment.can_draw() {
            Shown::Bars(Bars::stderr(&stderr_style(environment)))
        } else {
            Shown::Lines(Lines::stderr())
        }
    }

    /// Writes the result to standard output.
    pub(super) fn show(&self, result: &Shows<'_>, environment: &Environment) -> anyhow::Result<()> {
        let text = self.render(result, self.format, environment)?;
        output::write::result(&text)?;
        Ok(())
    }

    /// Writes a plan that is about to be carried out where it is no result: standard error for programs.
    pub(super) fn announce(
        &self,
        result: &Shows<'_>,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Text => self.show(result, environment),
            Format::Json => {
                // Who is going to be asked must see what about.
                if !environment.quiet || self.asks {
                    let text = self.render(result, Format::Text, environment)?;
                    output::write::notice(&text);
                }
                Ok(())
            }
        }
    }

    fn render(
        &self,
        result: &Shows<'_>,
        format: Format,
        environment: &Environment,
    ) -> anyhow::Result<String> {
        let view = result.view();
        Ok(match format {
            Format::Text => {
                let style = stdout_style(environment).with_verbose(self.verbose);
                output::text::render(&view, &style)
            }
            Format::Json => output::json::render(&view)?,
        })
    }

    pub(super) fn account_lines(&self, observed: &Observed) -> Vec<AccountLine> {
        let touched = observed.accounts();
        touched
            .filter_map(|name| {
                let id = self.wiring.account_id(name)?.clone();
                let state = match (observed.unreachable(name), observed.caller(name)) {
                    (Some(error), _) => AccountState::Unreachable(error.message.clone()),
                    (None, Seen::Present(caller)) if caller.account != id => {
                        let reason = format!("the credentials are of account {}", caller.account);
                        AccountState::Unreachable(reason)
                    }
                    (None, _) => AccountState::Ok,
                };
                Some(AccountLine {
                    name: name.clone(),
                    id,
                    partition: self.partition(name),
                    state,
                })
            })
            .collect()
    }
}

impl Run {
    /// The partition of an account, by the regions of its gates: no gate crosses from one into another.
    fn partition(&self, account: &AccountName) -> Partition {
        let gates = || self.wiring.gates.iter();
        let pipeline = gates().find(|gate| gate.pipeline.account == *account);
        let function = gates().find(|gate| gate.function.account == *account);
        let region = pipeline
            .map(|gate| &gate.pipeline.region)
            .or(function.map(|gate| &gate.function.region));
        region.map_or(Partition::Aws, Region::partition)
    }
}

/// A result to be shown.
pub(super) struct Shows<'a> {
    pub(super) command: output::Command,
    pub(super) status: Status,
    pub(super) plan: &'a Plan,
    /// The accounts as they were found.
    pub(super) accounts: &'a [AccountLine],
    pub(super) report: Option<&'a Report>,
    pub(super) proof: Option<Proved<'a>>,
    pub(super) partition: Option<Part>,
    pub(super) next: Option<String>,
}

impl<'a> Shows<'a> {
    pub(super) fn view(&self) -> View<'a> {
        let Self {
            command,
            status,
            plan,
            accounts,
            report,
            proof,
            partition,
            next,
        } = self;
        View {
            command: *command,
            status: *status,
            plan,
            report: *report,
            accounts,
            proof: *proof,
            partition: *partition,
            next: next.clone(),
        }
    }
}

impl Shown {
    pub(super) fn progress(&self) -> &dyn Progress {
        match self {
            Self::Bars(bars) => bars,
            Self::Lines(lines) => lines,
            Self::Nothing(silent) => silent,
        }
    }

    pub(super) fn clear(&self) {
        match self {
            Self::Bars(bars) => bars.clear(),
            Self::Lines(_) | Self::Nothing(_) => {}
        }
    }
}

/// What to do about a plan that cannot be carried out.
pub(super) fn mend(plan: &Plan) -> Option<String> {
    match plan.severity()? {
        Severity::Warning => None,
        Severity::Blocked => Some("mend what is blocked, then run it again".to_owned()),
        Severity::Incomplete => Some("mend what could not be read, then run it again".to_owned()),
    }
}

/// The wiring, with the gates that `--gate` and `--partition` leave to the run.
pub(super) fn wiring(common: &Common, config: &Config) -> Result<Wiring, Error> {
    let part = common.partition.as_deref().map(Part::parse).transpose();
    let part = part.map_err(|why| Error::Usage {
        message: format!("--partition: {why}"),
        hint: "run as many as there are parts, and put their JSON together with `crossgate merge`"
            .to_owned(),
    })?;
    let mut only = Vec::new();
    for name in &common.gate {
        if glob::is_pattern(name) {
            only.extend(desired::fitting(config, name)?);
            continue;
        }
        only.push(GateName::new(name).map_err(|error| Error::Usage {
            message: format!("--gate: {error}"),
            hint: "name a gate as the manifest does, or several with `*`".to_owned(),
        })?);
    }
    let mut wiring = desired::wiring(config, &only)?;
    if let Some(part) = part {
        wiring.keep(part);
    }
    Ok(wiring)
}

/// How each account of the manifest is reached; the region of a gate is asked for STS, as others may be forbidden.
fn access(config: &Config, wiring: &Wiring) -> Vec<AccountAccess> {
    let mut regions: BTreeMap<&AccountName, &Region> = BTreeMap::new();
    for gate in &wiring.gates {
        let (pipeline, function) = (&gate.pipeline, &gate.function);
        regions.entry(&pipeline.account).or_insert(&pipeline.region);
        regions.entry(&function.account).or_insert(&function.region);
    }
    config
        .accounts
        .iter()
        .map(|(name, account)| {
            let region = regions.get(name).copied();
            let any = wiring.gates.first().map(|gate| &gate.pipeline.region);
            let region = region.or(any);
            AccountAccess {
                name: name.clone(),
                id: account.id.clone(),
                credentials: match &account.credentials {
                    config::Credentials::DefaultChain => Credentials::DefaultChain,
                    config::Credentials::Profile(profile) => Credentials::Profile(profile.clone()),
                    config::Credentials::AssumeRole { role_arn, via } => Credentials::AssumeRole {
                        role_arn: role_arn.clone(),
                        via: via.clone(),
                    },
                },
                partition: region.map_or(Partition::Aws, Region::partition),
                region: region.cloned(),
            }
        })
        .collect()
}
