//! The pages of `explain`, one a cause, and what a code or a word stands for.
//! Text only; a test holds that every cause has its page, and every page a cause.

use crate::model::diagnosis::Cause;

/// The page of a cause, as Markdown: what it means, how it shows, why it happens, how to mend it, and where AWS says so.
pub fn page(cause: Cause) -> &'static str {
    macro_rules! page {
        ($code:literal) => {
            include_str!(concat!("../../config/explain/", $code, ".md"))
        };
    }
    match cause {
        Cause::Works => page!("CG-001"),
        Cause::SaidNo => page!("CG-002"),
        Cause::StillRunning => page!("CG-003"),
        Cause::NotReached => page!("CG-004"),
        Cause::NotRunYet => page!("CG-005"),
        Cause::NotReadable => page!("CG-009"),
        Cause::PipelineMissing => page!("CG-101"),
        Cause::NotWired => page!("CG-102"),
        Cause::Drift => page!("CG-103"),
        Cause::ServiceRoleRefused => page!("CG-201"),
        Cause::AssumeNotGranted => page!("CG-202"),
        Cause::AssumeNotTrusted => page!("CG-203"),
        Cause::AssumeForbidden => page!("CG-204"),
        Cause::InvokeRefused => page!("CG-205"),
        Cause::CallbackDenied => page!("CG-206"),
        Cause::RefusedThen => page!("CG-207"),
        Cause::FunctionMissing => page!("CG-301"),
        Cause::FunctionElsewhere => page!("CG-302"),
        Cause::FunctionNotActive => page!("CG-303"),
        Cause::FunctionFailed => page!("CG-304"),
        Cause::FunctionTimedOut => page!("CG-305"),
        Cause::WrongCredentials => page!("CG-401"),
        Cause::NeverCalledBack => page!("CG-402"),
        Cause::AnsweredTwice => page!("CG-403"),
        Cause::StageDisabled => page!("CG-501"),
        Cause::Superseded => page!("CG-502"),
        Cause::EndedBefore => page!("CG-503"),
        Cause::ArtifactUnreadable => page!("CG-601"),
        Cause::Throttled => page!("CG-701"),
    }
}

/// The cause of a code, however its letters are written: `CG-401`, `cg401`, `401`.
pub fn find(code: &str) -> Option<Cause> {
    let folded = code
        .trim()
        .to_ascii_uppercase()
        .replace(['-', '_', ' '], "");
    let digits = folded.strip_prefix("CG").unwrap_or(&folded);
    let wanted = format!("CG-{digits}");
    Cause::ALL
        .iter()
        .copied()
        .find(|cause| cause.code() == wanted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_cause_has_its_page_and_every_page_a_cause() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/explain");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        let expected: BTreeSet<String> = Cause::ALL
            .iter()
            .map(|cause| format!("{}.md", cause.code()))
            .collect();
        assert_eq!(files, expected);
    }

    #[test]
    fn every_page_is_of_its_cause_and_has_every_part() {
        for cause in Cause::ALL {
            let (page, code) = (page(*cause), cause.code());
            let head = format!("# {code}: {}\n", cause.title());
            assert!(
                page.starts_with(&head),
                "{code}: {}",
                page.lines().next().unwrap()
            );
            for part in [
                "## What it means",
                "## How it shows",
                "## Why it happens",
                "## How to mend it",
                "## Source",
            ] {
                assert!(page.contains(part), "{code} has no part {part}");
            }
            assert!(
                page.lines().all(|line| line.chars().count() <= 120),
                "{code} is too wide"
            );
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for text in ["CG-401", "cg-401", "CG401", "401", " cg_401 "] {
            assert_eq!(find(text), Some(Cause::WrongCredentials), "{text}");
        }
        for text in ["", "CG-", "CG-999", "4O1", "CG-401x"] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
