//! Reads the sources of a draft and gives each function its package; what is wrong gets its place in the manifest.
//! May not decide what is wrong with a source, nor compare one gate with another.

use std::collections::BTreeMap;
use std::ops::Range;

use super::archive::{Packed, pack};
use super::{SourceError, Sources, handler};
use crate::config::diagnostic::ManifestError;
use crate::config::function::MadeDraft;
use crate::config::parse::{Draft, parts};

/// Reads each source once, however many gates name it.
pub(in crate::config) fn attach(
    draft: &mut Draft,
    sources: &dyn Sources,
    problems: &mut Vec<ManifestError>,
) {
    let mut known: BTreeMap<String, Option<Packed>> = BTreeMap::new();
    for gate in &mut draft.gates {
        let Some(made) = &mut gate.function.made else {
            continue;
        };
        let Some((span, source)) = made.source.as_ref().map(parts) else {
            continue;
        };
        let packed = known.entry(source.clone()).or_insert_with(|| {
            let packed = sources.read(source).and_then(pack);
            packed
                .map_err(|error| problems.push(refused(span, &error)))
                .ok()
        });
        if let Some(packed) = packed {
            found(made, packed, problems);
            made.package = Some(packed.package.clone());
        }
    }
}

/// Whether the handler is in the package.
fn found(made: &MadeDraft, packed: &Packed, problems: &mut Vec<ManifestError>) {
    let Some(runtime) = &made.runtime else {
        return;
    };
    if made.broken {
        return;
    }
    let checked = handler::check(runtime.get_ref(), made.handler(), &packed.files);
    if let Err(handler::NotFound { message, help }) = checked {
        let written = made.handler.as_ref().or(made.source.as_ref());
        let span = written.map_or(made.span.clone(), toml::Spanned::span);
        problems.push(
            ManifestError::new(span, message)
                .label("not in the source")
                .help(help),
        );
    }
}

fn refused(span: Range<usize>, error: &SourceError) -> ManifestError {
    ManifestError::new(span, error.to_string())
        .label(error.label())
        .help(error.hint())
}
