//! Takes credentials out of text that a function or AWS wrote, before anybody sees it.
//! It rather takes too much than too little, and knows nothing of what the text means.
//!
//! Taken out are: everything inside `artifactCredentials`, the values of the keys that AWS's SDKs give to secrets, access key ids,
//! and long runs of letters that look like a secret key or a session token.

/// What stands in the place of what was taken out.
const GONE: &str = "[redacted]";

/// Keys whose values are secrets, in lower case and without `_` and `-`.
const SECRET_KEYS: &[&str] = &[
    "secretaccesskey",
    "awssecretaccesskey",
    "sessiontoken",
    "awssessiontoken",
    "securitytoken",
    "awssecuritytoken",
    "xamzsecuritytoken",
    "accesskeyid",
    "awsaccesskeyid",
    "password",
    "authorization",
];

/// The prefixes of access key ids (IAM user guide, "Unique identifiers"): long-term, temporary, service-specific, bearer.
const KEY_IDS: &[&str] = &["AKIA", "ASIA", "ACCA", "ABIA"];
/// An access key id has 16 characters or more after its prefix (api: AccessKey).
const KEY_ID_REST: usize = 12;
/// A secret access key has 40 characters.
const SECRET: usize = 40;

/// The text without credentials.
pub(super) fn redact(text: &str) -> String {
    let text = without_object(text, "artifactCredentials");
    let text = without_values(&text);
    without_runs(&text)
}

/// Takes out the object that follows a key, to its closing brace or the end.
fn without_object(text: &str, key: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = find_ignoring_case(left, key) {
        let (before, rest) = left.split_at(at + key.len());
        out.push_str(before);
        let Some(open) = rest.find('{') else {
            // Its braces may be on other lines: those lines hold keys that are known.
            left = rest;
            continue;
        };
        out.push_str(": ");
        out.push_str(GONE);
        left = rest.get(open..).map_or("", after_object);
    }
    out.push_str(left);
    out
}

/// What follows the object at the beginning of the text; braces in strings do not matter, as they only make it longer.
fn after_object(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.get(at + 1..).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    ""
}

fn find_ignoring_case(text: &str, key: &str) -> Option<usize> {
    // ASCII lower case keeps every byte where it is.
    text.to_ascii_lowercase().find(&key.to_ascii_lowercase())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Takes out what follows the keys of secrets.
fn without_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while !left.is_empty() {
        let word = left.find(|c| !is_word(c)).unwrap_or(left.len());
        if word == 0 {
            let next = left.find(is_word).unwrap_or(left.len());
            let (between, rest) = left.split_at(next);
            out.push_str(between);
            left = rest;
            continue;
        }
        let (key, rest) = left.split_at(word);
        out.push_str(key);
        left = rest;
        let folded: String = key
            .chars()
            .filter(|c| !matches!(c, '_' | '-'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if SECRET_KEYS.contains(&folded.as_str())
            && let Some((between, value, rest)) = value_after(rest)
        {
            out.push_str(between);
            if !value.is_empty() {
                out.push_str(GONE);
            }
            left = rest;
        }
    }
    out
}

/// What stands between a key and its value, the value, and what follows; none where no value follows.
fn value_after(text: &str) -> Option<(&str, &str, &str)> {
    let glue = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ':' | '=' | '`');
    let start = text.find(|c| !glue(c)).unwrap_or(text.len());
    let between = text.get(..start)?;
    if !between.contains([':', '=']) {
        return None;
    }
    let rest = text.get(start..)?;
    let ends = |c: char| matches!(c, '"' | '\'' | ',' | '}' | ')' | ']' | '\n' | '&' | ';');
    let end = rest.find(ends).unwrap_or(rest.len());
    Some((between, rest.get(..end)?, rest.get(end..)?))
}

/// Takes out runs of characters that look like an access key id, a secret access key or a token.
fn without_runs(text: &str) -> String {
    let of_run = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while !left.is_empty() {
        let end = left.find(|c| !of_run(c)).unwrap_or(left.len());
        let (run, rest) = left.split_at(end);
        out.push_str(if is_secret(run) { GONE } else { run });
        let next = rest.find(of_run).unwrap_or(rest.len());
        let (between, rest) = rest.split_at(next);
        out.push_str(between);
        left = rest;
    }
    out
}

fn is_secret(run: &str) -> bool {
    let key_id = KEY_IDS.iter().any(|prefix| {
        run.match_indices(prefix).any(|(at, _)| {
            let rest = run.get(at + prefix.len()..).unwrap_or_default();
            let upper = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
            rest.bytes().take_while(|b| upper(b)).count() >= KEY_ID_REST
        })
    });
    if key_id {
        return true;
    }
    let has = |of: fn(&u8) -> bool| run.bytes().any(|b| of(&b));
    let mixed =
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    // A path of words has many slashes; a secret has few.
    let slashes = run.bytes().filter(|b| *b == b'/').count();
    run.len() >= SECRET && mixed && slashes * 8 <= run.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET_TEXT: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn artifact_credentials_are_never_shown() {
        let event = format!(
            r#"{{"CodePipeline.job": {{"id": "j-1", "data": {{"artifactCredentials": {{"accessKeyId": "ASIAIOSFODNN7EXAMPLE", "secretAccessKey": "{SECRET_TEXT}", "sessionToken": "short"}}, "x": 1}}}}}}"#
        );
        assert_eq!(
            redact(&event),
            r#"{"CodePipeline.job": {"id": "j-1", "data": {"artifactCredentials: [redacted], "x": 1}}}"#
        );
    }

    #[test]
    fn keys_of_secrets_lose_their_values_however_they_are_written() {
        for (text, safe) in [
            (
                r#""sessionToken": "abc","#,
                r#""sessionToken": "[redacted]","#,
            ),
            (
                r"  secretAccessKey: 'abc',",
                "  secretAccessKey: '[redacted]',",
            ),
            ("AWS_SESSION_TOKEN=abc", "AWS_SESSION_TOKEN=[redacted]"),
            (
                "x-amz-security-token: abc",
                "x-amz-security-token: [redacted]",
            ),
            (
                r#"{\"sessionToken\":\"abc\"}"#,
                r#"{\"sessionToken\":\"[redacted]"}"#,
            ),
            (
                "the session token is expired",
                "the session token is expired",
            ),
        ] {
            assert_eq!(redact(text), safe, "{text}");
        }
    }

    #[test]
    fn access_keys_and_secrets_are_known_by_their_form() {
        assert_eq!(redact("key AKIAIOSFODNN7EXAMPLE."), "key [redacted].");
        assert_eq!(redact(SECRET_TEXT), "[redacted]");
        for plain in [
            "RequestId: 8f1c8a8e-5b1c-4b3c-9d4e-0a1b2c3d4e5f",
            "arn:aws:iam::222222222222:role/service-role/MyFunction-role-abc123",
            "2f5a0d6ef1a7bb1d2f5a0d6ef1a7bb1d2f5a0d6e",
            "/var/task/node_modules/a/b/c/d/e/f/Index1.js",
        ] {
            assert_eq!(redact(plain), plain);
        }
    }

    proptest! {
        #[test]
        fn no_value_of_a_secret_key_survives(
            before in "[ -~]{0,20}", key in "(secretAccessKey|session_token|SessionToken|aws_secret_access_key)",
            secret in "[a-zA-Z0-9+/]{8,60}", after in "[ -~]{0,20}",
        ) {
            let text = format!("{before} \"{key}\": \"{secret}\" {after}");
            let safe = redact(&text);
            let elsewhere = before.contains(&secret) || after.contains(&secret);
            prop_assert!(elsewhere || !safe.contains(&secret), "{}", safe);
        }

        #[test]
        fn a_key_id_never_survives(before in "[ -~]{0,20}", id in "(AKIA|ASIA)[A-Z0-9]{16}", after in "[ -~]{0,20}") {
            let safe = redact(&format!("{before}{id}{after}"));
            prop_assert!(!safe.contains(&id));
        }
    }
}
