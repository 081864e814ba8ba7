//! `merge`: reports of partitions as one, with the exit code of one run about all.
//! Glue only: no manifest, no AWS and no runtime here.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use crate::cli::{Common, Format, MergeArgs};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::merge::{Report, merge};
use crate::output;

use super::stdout_style;

pub(super) fn run(
    common: &Common,
    args: &MergeArgs,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let MergeArgs { reports, exit_code } = args;
    let mut read = Vec::new();
    for path in reports {
        read.extend(self::read(path)?);
    }
    let merged = merge(&read).map_err(|error| Error::Usage {
        message: error.to_string(),
        hint: "hand in what one command printed with --format json, of each partition once"
            .to_owned(),
    })?;
    let text = match common.format {
        Format::Json => output::merged::json(&merged.document)?,
        Format::Text => output::merged::text(&merged.document, &stdout_style(environment)),
    };
    output::write::result(&text)?;
    // `plan` alone may have changes without that being a failure; `check` calls them drift.
    Ok(ExitCode::of(merged.status, *exit_code))
}

/// The reports in a file, one after the other.
fn read(path: &Path) -> Result<Vec<Report>, Error> {
    let (name, text) = if path == Path::new("-") {
        ("standard input".to_owned(), io::read_to_string(io::stdin()))
    } else {
        let text = File::open(path).and_then(|mut file| {
            let mut text = String::new();
            file.read_to_string(&mut text).map(|_| text)
        });
        (path.display().to_string(), text)
    };
    let usage = |why: String| Error::Usage {
        message: format!("{name}: {why}"),
        hint: "a report is what `plan`, `check` or `verify` prints with --format json".to_owned(),
    };
    let text = text.map_err(|error| usage(error.to_string()))?;
    let values: Vec<Value> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| usage(format!("no JSON: {error}")))?;
    if values.is_empty() {
        return Err(usage("the file holds no report".to_owned()));
    }
    let reports = values.into_iter().map(|value| Report {
        name: name.clone(),
        value,
    });
    Ok(reports.collect())
}
