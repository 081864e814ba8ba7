//! Patches of pipeline documents: gates put into one that has none, and one that has them all left as it is.
//! A pipeline has 50 stages of 50 actions at most (guide: limits), so that is where it ends.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use crossgate::model::account::Region;
use crossgate::model::arn::RoleArn;
use crossgate::model::name::{ActionName, FunctionName, GateName, PipelineName, StageName};
use crossgate::model::pipeline::{ActionSpec, OwnedAction, PatchRequest, patch};
use crossgate::model::wiring::{GateAction, Placement};

use crate::accounts;

/// So many gates, fifty in a stage.
fn specs(gates: usize) -> Vec<ActionSpec> {
    let one = |n: usize| {
        let (stage, action) = (format!("Checks{}", n / 50), format!("check{n}"));
        let role = format!("arn:aws:iam::222222222222:role/crossgate-fleet-{action}");
        ActionSpec {
            gate: GateName::new(&action).unwrap(),
            action: GateAction {
                stage: StageName::new(&stage).unwrap(),
                name: ActionName::new(&action).unwrap(),
                placement: Some(Placement::After(StageName::new("Deploy").unwrap())),
                run_order: None,
                user_parameters: Some(r#"{"check":"all"}"#.to_owned()),
                input_artifacts: None,
                output_artifacts: None,
                namespace: None,
                timeout_minutes: None,
            },
            function_name: FunctionName::new("gate").unwrap(),
            role_arn: RoleArn::parse(&role).unwrap(),
            region: Region::new("us-east-1").unwrap(),
        }
    };
    (0..gates).map(one).collect()
}

fn request(gates: usize) -> PatchRequest {
    let put = specs(gates);
    let siblings = put.iter().map(|spec| OwnedAction {
        stage: spec.action.stage.clone(),
        action: spec.action.name.clone(),
        role_arn: spec.role_arn.clone(),
    });
    PatchRequest {
        siblings: siblings.collect(),
        put,
        remove: Vec::new(),
        secrets: Vec::new(),
        adopt: false,
        region: Region::new("us-east-1").unwrap(),
    }
}

pub(crate) fn patches(c: &mut Criterion) {
    let role = RoleArn::parse("arn:aws:iam::111111111111:role/service").unwrap();
    let bare = accounts::pipeline(&PipelineName::new("MyPipeline").unwrap(), &role);
    let mut group = c.benchmark_group("patch");
    group.sample_size(10);
    for gates in [1_usize, 10, 100, 1000, 2000] {
        let request = request(gates);
        let wired = patch(&bare, &request);
        assert_eq!((wired.edits.len(), wired.refusals.len()), (gates, 0));
        group.throughput(Throughput::Elements(gates.try_into().unwrap()));
        group.bench_with_input(BenchmarkId::new("fresh", gates), &request, |b, request| {
            b.iter(|| patch(black_box(&bare), black_box(request)));
        });
        group.bench_with_input(
            BenchmarkId::new("in sync", gates),
            &request,
            |b, request| {
                b.iter(|| {
                    assert!(
                        patch(black_box(&wired.document), black_box(request))
                            .edits
                            .is_empty()
                    );
                });
            },
        );
    }
    group.finish();
}
