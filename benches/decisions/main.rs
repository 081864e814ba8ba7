//! How long decisions take: `cargo bench --bench decisions`. The pure modules only, no AWS.
//!
//! The targets: one decision in 20 µs, the 388 rows in 50 ms, a plan of 100,000 gates in 1 s, and all of it in proportion to what it is
//! of: ten times the gates or statements take ten times as long.

// A bench that cannot go on fails, and says where.
#![allow(clippy::unwrap_used, missing_docs)]

mod accounts;
mod fleet;
mod iam;
mod pipeline;

use criterion::{criterion_group, criterion_main};

// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion_group!(
    benches,
    iam::decisions,
    iam::comparisons,
    iam::growth,
    pipeline::patches,
    fleet::plans,
);
criterion_main!(benches);
