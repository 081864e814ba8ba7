//! Findings as SARIF 2.1.0 (OASIS), for code scanning: each finding at the line of its gate in the manifest.
//! It weighs nothing: levels and rules are the findings'.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::findings::{Finding, Findings, Level, Place, Rule};
use super::sanitize;

/// Where the schema of the format is (SARIF 2.1.0, appendix on schemas; this address is the one that GitHub's page names).
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What stays as it is in a path: RFC 3986's unreserved characters, and `/`.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Renders one SARIF log of one run, ended by a line feed. The error is serde_json's, and cannot happen with these values.
pub fn render(all: &Findings) -> serde_json::Result<String> {
    let Findings {
        command,
        status,
        exit_code,
        project,
        manifest,
        summary,
        next: _,
        list: findings,
        cases: _,
    } = all;
    let rules = all.rules();
    let index = |rule: &Rule| rules.iter().position(|one| one.id == rule.id);
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| result(finding, index(finding.rule), manifest))
        .collect();
    let unseen = findings.iter().filter(|finding| finding.unseen);
    let notifications: Vec<Value> = unseen
        .map(|finding| {
            json!({
                "level": "error",
                "descriptor": { "id": finding.rule.id },
                "message": { "text": finding.message },
            })
        })
        .collect();
    let project = project.as_deref().unwrap_or("unknown");
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "crossgate",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|one| rule(one)).collect::<Vec<Value>>(),
            }},
            // GitHub keeps the results of each id apart; the part behind the last `/` names one run of many.
            "automationDetails": { "id": format!("crossgate/{command}/{project}/") },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": all.is_whole(),
                "exitCode": exit_code,
                "exitCodeDescription": status.as_str(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "summary": summary },
        }],
    });
    let mut text = sanitize::json(&serde_json::to_string_pretty(&log)?);
    text.push('\n');
    Ok(text)
}

fn rule(rule: &Rule) -> Value {
    let Rule { id, title, help } = rule;
    json!({
        "id": id,
        "name": id,
        "shortDescription": { "text": title },
        "fullDescription": { "text": format!("{}: {help}", capital(title)) },
        "help": { "text": help },
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

fn result(finding: &Finding, rule_index: Option<usize>, manifest: &str) -> Value {
    let Finding {
        rule,
        level,
        unseen: _,
        id,
        gates,
        account,
        subject,
        message,
        hint,
        details: _,
        places,
    } = finding;
    let mut text = format!("{}: {message}", subject.words());
    if let Some(hint) = hint {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    let mut places = places.iter();
    let first = places.next().map(|place| {
        json!({
            "physicalLocation": location(place, manifest),
            "logicalLocations": [{ "fullyQualifiedName": id, "kind": "resource" }],
        })
    });
    let related: Vec<Value> = places
        .zip(0_usize..)
        .map(|(place, index)| {
            let gate = place.gate.as_deref().unwrap_or_default();
            json!({
                "id": index,
                "physicalLocation": location(place, manifest),
                "message": { "text": format!("gate {gate}") },
            })
        })
        .collect();
    json!({
        "ruleId": rule.id,
        "ruleIndex": rule_index,
        "level": self::level(*level),
        "message": { "text": text },
        "locations": first.into_iter().collect::<Vec<Value>>(),
        "relatedLocations": related,
        // GitHub tells alerts apart by the second only, and computes it from the line where it is missing: then all findings of
        // one rule on one gate would be one alert (from memory of its page on SARIF support).
        "partialFingerprints": {
            "crossgateId/v1": id,
            "primaryLocationLineHash": format!("{}:1", fingerprint(id)),
        },
        "properties": { "account": account, "gates": gates },
    })
}

fn location(place: &Place, manifest: &str) -> Value {
    let Place {
        gate: _,
        line,
        column,
    } = place;
    let encoded = utf8_percent_encode(manifest, PATH).to_string();
    let artifact = if manifest.starts_with('/') {
        json!({ "uri": format!("file://{encoded}") })
    } else {
        json!({ "uri": encoded, "uriBaseId": "%SRCROOT%" })
    };
    json!({
        "artifactLocation": artifact,
        "region": { "startLine": line, "startColumn": column },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// Sixteen hexadecimal digits.
fn fingerprint(id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    hex::encode(digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests;
