//! What happens when a run is killed, or AWS answers wrongly, at any call: the built binary against the embedded AWS.
//!
//! A sample is part of the normal tests; all points: `cargo test --release --test integration -- --ignored --nocapture matrix`.

mod calls;
mod chance;
mod crash;
mod faults;
mod points;
mod scenes;
mod stage;

use std::sync::OnceLock;

use serde_json::Value;

use faults::Kind;
use scenes::Scene;

fn scenes() -> &'static [Scene] {
    static SCENES: OnceLock<Vec<Scene>> = OnceLock::new();
    SCENES.get_or_init(scenes::all)
}

/// The places at which two states of the accounts differ; empty where they do not.
fn difference(expected: &Value, found: &Value) -> String {
    let mut places = Vec::new();
    crate::support::snapshot::compare("", expected, found, &mut places);
    places.join("\n")
}

/// Fails with the first of what went wrong, and the first lines of all.
#[track_caller]
fn held(failures: &[String]) {
    let heads: Vec<&str> = failures
        .iter()
        .filter_map(|one| one.lines().next())
        .collect();
    let first: Vec<&String> = failures.iter().take(3).collect();
    assert!(
        failures.is_empty(),
        "{} points failed:\n{}\n\n{first:#?}",
        failures.len(),
        heads.join("\n")
    );
}

#[test]
fn killed_at_a_sample_of_calls_it_goes_on() {
    crash::matrix(scenes(), 37);
}

#[test]
fn struck_at_a_sample_of_calls_it_goes_on() {
    faults::matrix(scenes(), &Kind::QUICK, 307, 4);
}

#[test]
fn struck_by_chance_it_goes_on() {
    faults::seeds(scenes(), 12);
}

#[test]
#[ignore = "minutes: the full crash matrix"]
fn killed_at_any_call_it_goes_on() {
    crash::matrix(scenes(), 1);
}

#[test]
#[ignore = "minutes: chains of crashes"]
fn killed_again_and_again_it_goes_on() {
    crash::chains(scenes(), 200);
}

#[test]
#[ignore = "minutes: the full fault matrix"]
fn struck_at_any_call_it_goes_on() {
    faults::matrix(scenes(), &Kind::QUICK, 1, 8);
}

#[test]
#[ignore = "minutes: each call unanswered until the SDK gives its attempt up"]
fn unanswered_at_any_call_it_goes_on() {
    faults::matrix(scenes(), &Kind::SILENT, 1, 48);
}

#[test]
#[ignore = "minutes: 1000 seeds"]
fn struck_by_chance_with_many_seeds_it_goes_on() {
    faults::seeds(scenes(), 1000);
}
