//! The pure modules of crossgate, mounted by path: manifests, documents, names and decisions, without AWS.
//! Nothing is defined here but what several targets ask.

// What only the rest of the crate calls is not called here.
#![allow(dead_code, unused_imports)]

#[path = "../../../src/config/mod.rs"]
pub mod config;
#[path = "../../../src/desired.rs"]
pub mod desired;
#[path = "../../../src/iam/mod.rs"]
pub mod iam;
#[path = "../../../src/model/mod.rs"]
pub mod model;
#[path = "../../../src/plan/mod.rs"]
pub mod plan;

/// True where a terminal would act on the text: a control character that is no line feed, or one that turns the direction.
pub fn acts(text: &str) -> bool {
    text.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}
