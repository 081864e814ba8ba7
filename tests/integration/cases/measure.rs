//! Numbers for the closing note, not judgements: `cargo test --release --test integration -- --ignored --nocapture measure`.

// The numbers are for the person who asked for them.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use crate::support::calls::rounds;
use crate::support::manifest::Gate;
use crate::support::world::{FUNCTION, World};

#[test]
#[ignore = "prints numbers"]
fn measure_check_of_1_and_20_gates() {
    for (name, world) in [
        ("ministack+moto", World::new()),
        ("moto", World::moto_alone()),
    ] {
        let fresh = world.bootstrap(&[]);
        fresh.exits(0);
        println!(
            "{name}: fresh bootstrap of 1 gate: {} calls, {} ms",
            fresh.calls.len(),
            fresh.wall.as_millis()
        );
        world.check().exits(0);
        report(name, 1, &world);
        let gates: Vec<Gate> = (0..20)
            .map(|n| {
                let function = format!("{FUNCTION}{n}");
                world
                    .dev
                    .create_function(&function, &world.execution_role_arn());
                Gate {
                    name: format!("gate-{n}"),
                    action: format!("Run{n}"),
                    stage: format!("Gate{}", n % 5),
                    role: format!("Invoker{n}"),
                    function,
                    ..World::gate()
                }
            })
            .collect();
        world.teardown(&[]).exits(0);
        world.write(&world.manifest_of("checkout", gates));
        let fresh = world.bootstrap(&[]);
        fresh.exits(0);
        println!(
            "{name}: fresh bootstrap of 20 gates: {} calls, {} ms",
            fresh.calls.len(),
            fresh.wall.as_millis()
        );
        report(name, 20, &world);
    }
}

fn report(name: &str, gates: usize, world: &World) {
    let runs: Vec<_> = (0..5).map(|_| world.check()).collect();
    let best = runs.iter().min_by_key(|run| run.wall).unwrap();
    best.exits(0);
    let peak = runs.iter().map(|run| run.peak_kib).max().unwrap();
    world.proxy.set_latency(Duration::from_millis(100));
    let slow = world.check();
    world.proxy.set_latency(Duration::ZERO);
    println!(
        "{name}: check of {gates} gate(s): best of 5 {} ms, peak {peak} KiB, {} calls, {} rounds, {} ms at 100 ms a call",
        best.wall.as_millis(),
        best.calls.len(),
        rounds(&slow.calls),
        slow.wall.as_millis(),
    );
}
