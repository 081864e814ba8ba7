//! Policies: whether a request passes, and whether two documents grant the same.
//! Documents as people and crossgate write them, from few statements to very many.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use crossgate::iam::compare;
use crossgate::iam::pairs;
use crossgate::iam::simulate::Case;
use crossgate::model::policy::PolicyDocument;

const ROWS: &str = include_str!("../../tests/fixtures/iam_evaluation.jsonl");

pub(crate) fn decisions(c: &mut Criterion) {
    let cases: Vec<Case> = ROWS.lines().map(|row| Case::parse(row).unwrap()).collect();
    assert_eq!(cases.len(), 388);
    // Hop 1 of a gate: both sides, with a condition in the trust policy.
    let hop = cases
        .iter()
        .find(|case| case.id.starts_with("hop1"))
        .unwrap();
    c.bench_function("one decision", |b| b.iter(|| black_box(hop).decide()));
    c.bench_function("388 rows, decided", |b| {
        b.iter(|| {
            black_box(&cases)
                .iter()
                .map(Case::decide)
                .collect::<Vec<_>>()
        });
    });
    c.bench_function("388 rows, parsed and decided", |b| {
        b.iter(|| {
            let rows = black_box(ROWS).lines();
            rows.map(|row| Case::parse(row).unwrap().decide())
                .collect::<Vec<_>>()
        });
    });
}

pub(crate) fn comparisons(c: &mut Criterion) {
    let document = |roles: std::ops::Range<u32>| {
        let roles: Vec<String> = roles
            .map(|n| format!("\"arn:aws:iam::222222222222:role/crossgate-checkout-{n}\""))
            .collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":[{}]}},
               {{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::artifacts/*",
               "Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}]}}"#,
            roles.join(",")
        );
        pairs::read(&text).unwrap()
    };
    let (is, wanted) = (document(0..10), document(1..11));
    c.bench_function("compare a document of 12 grants", |b| {
        b.iter(|| compare::difference(black_box(&is), black_box(&wanted)));
    });
}

/// How a document grows.
#[derive(Debug, Clone, Copy)]
enum Growth {
    /// A service role's policy, as it grows with the gates: resources of one statement.
    Resources,
    /// A statement for each resource.
    Statements,
    /// Statements that differ in nothing but a condition.
    Conditions,
}

fn document(growth: Growth, numbers: impl Iterator<Item = usize>) -> PolicyDocument {
    let arn = |n| format!("\"arn:aws:iam::222222222222:role/crossgate-checkout-{n}\"");
    let statement = |resources: &str, rest: &str| {
        format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":[{resources}]{rest}}}"#)
    };
    let statements: Vec<String> = match growth {
        Growth::Resources => {
            let arns: Vec<String> = numbers.map(arn).collect();
            vec![statement(&arns.join(","), "")]
        }
        Growth::Statements => numbers.map(|n| statement(&arn(n), "")).collect(),
        Growth::Conditions => numbers
            .map(|n| {
                let condition =
                    format!(r#","Condition":{{"StringEquals":{{"aws:PrincipalTag/gate":"{n}"}}}}"#);
                statement("\"*\"", &condition)
            })
            .collect(),
    };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    pairs::read(&text).unwrap()
}

/// From 1 to 100,000 grants: equal ones in another order, as IAM gives them at each read, and one that differs.
pub(crate) fn growth(c: &mut Criterion) {
    for growth in [Growth::Resources, Growth::Statements, Growth::Conditions] {
        let mut group = c.benchmark_group(format!("compare {growth:?}").to_lowercase());
        group.sample_size(10);
        for n in [1_usize, 10, 100, 1000, 10_000, 100_000] {
            group.throughput(Throughput::Elements(n.try_into().unwrap()));
            let is = document(growth, 0..n);
            let turned = document(growth, (0..n).rev());
            let other = document(growth, (1..=n).rev());
            group.bench_with_input(BenchmarkId::new("equal", n), &n, |b, _| {
                b.iter(|| assert!(compare::equivalent(black_box(&is), black_box(&turned))));
            });
            group.bench_with_input(BenchmarkId::new("one differs", n), &n, |b, _| {
                b.iter(|| {
                    assert!(!compare::difference(black_box(&is), black_box(&other)).is_empty());
                });
            });
        }
        group.finish();
    }
}
