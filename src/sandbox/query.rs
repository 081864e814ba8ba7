//! The query protocol of IAM and STS: form parameters in, XML out.
//! Spelling only; what the parameters mean is known to the services.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::errors::Refused;

/// The parameters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads `a=b&c=d`; a `+` is a space.
    pub(super) fn parse(text: &str) -> Self {
        let undo = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (undo(key), undo(value))
                })
                .collect(),
        )
    }

    pub(super) fn from_pairs(pairs: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, key: &str) -> Result<&str, Refused> {
        self.get(key).ok_or_else(|| {
            let at = key.strip_prefix(char::is_uppercase).map_or_else(
                || key.to_owned(),
                |rest| {
                    let first = key.chars().next().unwrap_or_default();
                    format!("{}{rest}", first.to_ascii_lowercase())
                },
            );
            Refused::new(
                400,
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{at}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    /// `NAME.member.1`, `NAME.member.2`, …
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        (1..)
            .map_while(|n| self.get(&format!("{name}.member.{n}")))
            .collect()
    }

    /// `NAME.member.1.Key` with `NAME.member.1.Value`, …
    pub(super) fn tags(&self, name: &str) -> BTreeMap<String, String> {
        (1..)
            .map_while(|n| {
                let key = self.get(&format!("{name}.member.{n}.Key"))?;
                let value = self.get(&format!("{name}.member.{n}.Value"));
                Some((key.to_owned(), value.unwrap_or_default().to_owned()))
            })
            .collect()
    }
}

/// An element with text.
pub(super) fn text(name: &str, value: &str) -> String {
    format!("<{name}>{}</{name}>", escape(value))
}

/// An element with elements.
pub(super) fn element(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

/// A list as the query protocol writes it.
pub(super) fn members(name: &str, items: impl IntoIterator<Item = String>) -> String {
    let inside: String = items
        .into_iter()
        .map(|item| element("member", &item))
        .collect();
    element(name, &inside)
}

/// A list of texts.
pub(super) fn names<'a>(name: &str, items: impl IntoIterator<Item = &'a String>) -> String {
    members(name, items.into_iter().map(|item| escape(item)))
}

/// Tags.
pub(super) fn tags(name: &str, tags: &BTreeMap<String, String>) -> String {
    let tag = |(key, value): (&String, &String)| text("Key", key) + &text("Value", value);
    members(name, tags.iter().map(tag))
}

/// A whole answer.
pub(super) fn response(namespace: &str, operation: &str, result: &str, request_id: &str) -> String {
    // Operations without output have no result element.
    let result = if result.is_empty() {
        String::new()
    } else {
        element(&format!("{operation}Result"), result)
    };
    let metadata = element("ResponseMetadata", &text("RequestId", request_id));
    format!("<{operation}Response xmlns=\"{namespace}\">{result}{metadata}</{operation}Response>")
}

/// A whole refusal.
pub(super) fn error(namespace: &str, refused: &Refused, request_id: &str) -> String {
    let Refused {
        status,
        code,
        message,
        retry_after: _,
    } = refused;
    let fault = if *status < 500 { "Sender" } else { "Receiver" };
    let inside = text("Type", fault) + &text("Code", code) + &text("Message", message);
    format!(
        "<ErrorResponse xmlns=\"{namespace}\">{}{}</ErrorResponse>",
        element("Error", &inside),
        text("RequestId", request_id)
    )
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#xD;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read() {
        let params = Params::parse(
            "Action=TagRole&Tags.member.1.Key=a%2Bb&Tags.member.1.Value=x+y&K.member.1=p&K.member.2=q",
        );
        assert_eq!(params.get("Action"), Some("TagRole"));
        assert_eq!(
            params.tags("Tags"),
            [("a+b".to_owned(), "x y".to_owned())].into()
        );
        assert_eq!(params.list("K"), ["p", "q"]);
        assert_eq!(
            params.need("RoleName").unwrap_err().message,
            "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn answers_are_escaped() {
        assert_eq!(text("A", "<&>\""), "<A>&lt;&amp;&gt;&quot;</A>");
        assert_eq!(
            response("ns", "DeleteRole", "", "id"),
            "<DeleteRoleResponse xmlns=\"ns\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>"
        );
    }
}
