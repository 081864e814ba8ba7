//! How long decisions take: `cargo bench --bench iam`. The targets: one decision in 20 µs, the 388 rows in 50 ms.
//! The pure modules only; what AWS takes to answer is measured in the independent ring.

// A bench that cannot go on fails, and says where.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crossgate::iam::compare;
use crossgate::iam::pairs;
use crossgate::iam::simulate::Case;

const ROWS: &str = include_str!("../tests/fixtures/iam_evaluation.jsonl");

fn decisions(c: &mut Criterion) {
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

fn comparisons(c: &mut Criterion) {
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

criterion_group!(benches, decisions, comparisons);
criterion_main!(benches);
