//! Names that are proposed where nobody gave one.
//! Each is valid by construction or made valid; whether it is free is decided in `place`.

use crate::model::name::{GateName, Project};

/// The gate's name in the examples.
const VALIDATE: &str = "validate";

/// The project that a pipeline's name suggests: `Checkout Pipeline` is `checkout-pipeline`.
///
/// Cut to what a project may have, which leaves room for [`gate_name`] in the name of a role.
pub fn project_of(pipeline: &str) -> Option<Project> {
    let words: Vec<String> = words(pipeline)
        .into_iter()
        .filter(|word| *word != "pipeline")
        .collect();
    let name: String = words.join("-").chars().take(Project::MAX).collect();
    let name = name.trim_matches('-');
    Project::new(if name.is_empty() { "pipeline" } else { name }).ok()
}

/// The gate's name: that of the examples.
pub fn gate_name() -> Option<GateName> {
    GateName::new(VALIDATE).ok()
}

/// The stage and the action of a gate: those of the examples, or made of the gate's own name.
pub fn stage_and_action(gate: &GateName) -> (String, String) {
    if gate.as_str() == VALIDATE {
        return ("InvokeValidationLambda".into(), "RunValidation".into());
    }
    let name: String = words(gate.as_str()).iter().map(|w| capital(w)).collect();
    (format!("Invoke{name}"), format!("Run{name}"))
}

/// Lower-case words of a name: `MyApp-prod` is `my`, `app`, `prod`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            let starts = !before.is_ascii_alphanumeric()
                || (c.is_ascii_uppercase() && !before.is_ascii_uppercase());
            match words.last_mut() {
                Some(word) if !starts => word.push(c.to_ascii_lowercase()),
                Some(_) | None => words.push(c.to_ascii_lowercase().to_string()),
            }
        }
        before = c;
    }
    words
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}
