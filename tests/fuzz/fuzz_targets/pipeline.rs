//! Any bytes, as what GetPipeline answers: read, patched, unpatched; what is not ours comes out as it went in (law 4).
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use crossgate_fuzz::model::account::Region;
use crossgate_fuzz::model::pipeline::{
    ActionSpec, OwnedAction, PatchRequest, PipelineDocument, RemoveSpec, patch,
};
use crossgate_fuzz::{config, desired};
use libfuzzer_sys::fuzz_target;

/// Three gates: one with everything, one in a stage that is there, one without anything.
const MANIFEST: &str = include_str!("../seeds/gates.toml");

static SPECS: OnceLock<Vec<ActionSpec>> = OnceLock::new();

fn specs() -> Vec<ActionSpec> {
    let config = config::from_text(Path::new("gates.toml"), MANIFEST).expect("a good manifest");
    let wiring = desired::wiring(&config, &[]).expect("it can be wired");
    let spec = |gate: &crossgate_fuzz::model::wiring::Gate| {
        let id = wiring.account_id(&gate.function.account);
        gate.action_spec(id.expect("an account"))
    };
    wiring.gates.iter().map(spec).collect()
}

fn request(put: &[ActionSpec], remove: &[ActionSpec], adopt: bool) -> PatchRequest {
    PatchRequest {
        put: put.to_vec(),
        remove: remove
            .iter()
            .map(|spec| RemoveSpec {
                gate: spec.gate.clone(),
                stage: spec.action.stage.clone(),
                action: spec.action.name.clone(),
                role_arn: spec.role_arn.clone(),
            })
            .collect(),
        siblings: put
            .iter()
            .chain(remove)
            .map(|spec| OwnedAction {
                stage: spec.action.stage.clone(),
                action: spec.action.name.clone(),
                role_arn: spec.role_arn.clone(),
            })
            .collect(),
        secrets: Vec::new(),
        adopt,
        region: Region::new("us-east-1").expect("a region"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let specs = SPECS.get_or_init(specs);
    let text = String::from_utf8_lossy(bytes);
    let Ok(document) = PipelineDocument::parse(&text) else {
        return;
    };
    let body = document.to_request_body();
    let again = PipelineDocument::parse(&body).expect("what is sent can be read");
    assert_eq!(again.to_request_body(), body, "sent as it was read");
    let saved = PipelineDocument::parse(&document.to_backup()).expect("a backup can be read");
    assert_eq!(saved.to_request_body(), body, "saved as it was read");
    drop((document.masked_secrets(), document.role_arn().is_ok()));
    for stage in document.stages() {
        drop((stage.is_gates_only(), stage.actions().count()));
    }

    let nothing = patch(&document, &request(&[], specs, false));
    let wired = patch(&document, &request(specs, &[], false));
    if nothing.edits.is_empty() && wired.refusals.is_empty() {
        let twice = patch(&wired.document, &request(specs, &[], false));
        assert!(twice.edits.is_empty(), "{:?}", twice.edits);
        let back = patch(&wired.document, &request(&[], specs, false));
        assert!(back.refusals.is_empty(), "{:?}", back.refusals);
        assert_eq!(back.document.to_request_body(), body, "law 4");
    }
    let adopted = patch(&document, &request(specs, &[], true));
    drop(patch(&adopted.document, &request(&[], specs, true)));
});
