//! Any bytes, as a manifest: refused with a text that is harmless on a terminal, or resolved and planned without a panic.
#![no_main]

use std::path::Path;

use crossgate_fuzz::model::change::Intent;
use crossgate_fuzz::model::observed::Observed;
use crossgate_fuzz::plan::Options;
use crossgate_fuzz::{acts, config, desired, plan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let config = match config::from_bytes(Path::new("crossgate.toml"), bytes) {
        Ok(config) => config,
        Err(errors) => {
            assert!(!errors.items.is_empty(), "a refusal has a reason");
            let shown = errors.render(false);
            assert!(!acts(&shown), "{shown:?}");
            drop(errors.render(true));
            return;
        }
    };
    let Ok(wiring) = desired::wiring(&config, &[]) else {
        return;
    };
    for intent in [Intent::Bootstrap, Intent::Teardown] {
        let options = Options {
            intent,
            adopt: false,
            remove_unexpected: false,
            secrets: Vec::new(),
        };
        // Nothing is known of any account: nothing may be done to one.
        let plan = plan::plan(&wiring, &Observed::default(), &options);
        assert!(plan.steps.is_empty(), "a plan without knowledge");
    }
});
