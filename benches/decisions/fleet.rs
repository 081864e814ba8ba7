//! Plans and proofs of fleets, from one gate to 100,000: the manifest's own `for_each`, ten gates a pipeline, a hundred accounts.
//! Also what goes before a plan: the manifest, the wiring, and which reads are needed.

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput};
use crossgate::config::{self, Config};
use crossgate::desired;
use crossgate::iam::permissions::{self, Asked, Roles, Task};
use crossgate::model::change::{Intent, Plan};
use crossgate::model::observed::Observed;
use crossgate::model::wiring::Wiring;
use crossgate::plan::{self, Options};
use crossgate::verify;

use crate::accounts::Accounts;

const SIZES: [usize; 6] = [1, 10, 100, 1000, 10_000, 100_000];

fn manifest(gates: usize) -> String {
    let checks = gates.min(10);
    let pipelines = gates / checks;
    let accounts = pipelines.min(100);
    let list = |n: usize, name: fn(usize) -> String| {
        let quoted: Vec<String> = (0..n).map(|n| format!("\"{}\"", name(n))).collect();
        quoted.join(", ")
    };
    format!(
        r#"project = "fleet"
[accounts.tools]
id = "111111111111"
profile = "tools"
[accounts."dev-{{id}}"]
ids = [{ids}]
profile = "dev"
[defaults.pipeline]
account = "tools"
region = "us-east-1"
stage = "Checks"
after = "Deploy"
[[gates]]
name = "{{check}}-{{line}}-{{account}}"
for_each = {{ account = "dev-*", line = [{lines}], check = [{checks}] }}
[gates.pipeline]
name = "release-{{line}}-{{account}}"
action = "{{check}}"
[gates.function]
account = "{{account}}"
name = "gate"
"#,
        ids = list(accounts, |n| format!("{}", 300_000_000_000_usize + n)),
        lines = list(pipelines / accounts, |n| n.to_string()),
        checks = list(checks, |n| format!("check{n}")),
    )
}

fn config(gates: usize) -> Config {
    let text = manifest(gates);
    config::from_text(Path::new("crossgate.toml"), &text).unwrap()
}

fn options() -> Options {
    Options {
        intent: Intent::Bootstrap,
        adopt: false,
        remove_unexpected: false,
        secrets: Vec::new(),
    }
}

/// A fleet, wired: what is wanted, what is there, and the plan that wired it.
struct Fleet {
    config: Config,
    wiring: Wiring,
    before: Observed,
    after: Observed,
    proven: Observed,
}

impl Fleet {
    fn new(gates: usize) -> Self {
        let config = config(gates);
        let wiring = desired::wiring(&config, &[]).unwrap();
        assert_eq!(wiring.gates.len(), gates);
        let mut accounts = Accounts::unwired(&wiring);
        let wants = |seen: &Observed| plan::wants(&wiring, seen, &options());
        let before = accounts.observe(wants);
        let fresh = plan::plan(&wiring, &before, &options());
        assert!(fresh.may_apply(), "{:#?}", fresh.problems.first());
        accounts.apply(&fresh);
        let after = accounts.observe(wants);
        let proofs = verify::Options::default();
        let proven = accounts.observe(|seen| verify::wants(&wiring, seen, &proofs));
        Self {
            config,
            wiring,
            before,
            after,
            proven,
        }
    }

    fn plan(&self, observed: &Observed) -> Plan {
        plan::plan(black_box(&self.wiring), black_box(observed), &options())
    }
}

/// Manifest, wiring, reads, plans, proofs and permissions.
pub(crate) fn plans(c: &mut Criterion) {
    for gates in SIZES {
        let fleet = Fleet::new(gates);
        let mut of = |name: &str, most: usize, work: &mut dyn FnMut()| {
            if gates > most {
                return;
            }
            let mut group = c.benchmark_group(name);
            group.sample_size(10);
            group.throughput(Throughput::Elements(gates.try_into().unwrap()));
            group.bench_with_input(BenchmarkId::from_parameter(gates), &gates, |b, _| {
                b.iter(&mut *work);
            });
            group.finish();
        };
        of("manifest", 100_000, &mut || {
            black_box(config(gates));
        });
        of("wiring", 100_000, &mut || {
            black_box(desired::wiring(black_box(&fleet.config), &[]).unwrap());
        });
        of("reads, in sync", 100_000, &mut || {
            assert!(plan::wants(&fleet.wiring, black_box(&fleet.after), &options()).is_empty());
        });
        of("plan, in sync", 100_000, &mut || {
            assert!(fleet.plan(&fleet.after).is_in_sync());
        });
        of("plan, fresh", 100_000, &mut || {
            assert_eq!(fleet.plan(&fleet.before).gates.len(), gates);
        });
        of("prove", 100_000, &mut || {
            let proofs = verify::Options::default();
            black_box(verify::prove(
                &fleet.wiring,
                black_box(&fleet.proven),
                &proofs,
            ));
        });
        of("permissions", 10_000, &mut || {
            let asked = Asked {
                tasks: [Task::Check].into(),
                remove_unexpected: false,
                adopt: false,
                orphans: false,
                simulate: false,
                organizations: None,
            };
            black_box(permissions::operators(
                &fleet.wiring,
                &asked,
                &Roles::default(),
                &[],
            ));
        });
    }
}
