//! One line of a `Condition` block: read once, then held against a request's context.
//! Does not know what the statement around it allows or denies beyond that one word.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::operator::{Operator, Order, Set, Test};
use super::pattern::Style;
use super::request::{Context, Lookup};
use super::truth::{Gap, Truth};
use super::values::{Decimal, Instant, Network, base64};
use super::variables::Template;
use crate::model::policy::{Condition as Written, Effect, Version};

/// The policy's side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    /// Operators that know variables: `String…` and `Arn…`.
    Templates(Vec<Template>),
    /// All others: "You can't use a policy variable with other operators".
    Texts(Vec<String>),
}

/// A condition, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// None for an operator that the documentation does not have.
    operator: Option<Operator>,
    /// The operator as written.
    name: String,
    /// The key in lower case.
    key: String,
    expected: Expected,
}

impl Condition {
    /// Reads a condition as it stands in a document of the given version.
    pub(super) fn new(written: &Written, version: Version) -> Self {
        let Written {
            operator: name,
            key,
            values,
        } = written;
        let operator = Operator::parse(name);
        let templates = |read: &dyn Fn(&String) -> Template| {
            Expected::Templates(values.iter().map(read).collect())
        };
        let expected = match operator.map(|o| o.test) {
            Some(Test::StringEquals) => templates(&|v| Template::new(v, Style::Exact, version)),
            Some(Test::StringEqualsIgnoreCase) => {
                templates(&|v| Template::ignoring_case(v, version))
            }
            Some(Test::StringLike) => templates(&|v| Template::new(v, Style::Plain, version)),
            Some(Test::Arn) => templates(&|v| Template::new(v, Style::Components, version)),
            Some(
                Test::Numeric(_)
                | Test::Date(_)
                | Test::Bool
                | Test::Binary
                | Test::IpAddress
                | Test::Null,
            )
            | None => Expected::Texts(values.clone()),
        };
        Self {
            operator,
            name: name.clone(),
            key: key.to_lowercase(),
            expected,
        }
    }

    /// For a person: operator and key.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.name, self.key)
    }

    /// Whether the condition holds.
    ///
    /// Where something is used against the documentation, an Allow's positive condition certainly does not hold: there
    /// is no documented way in which it would. For all else it is not known what AWS makes of it.
    pub(super) fn holds(&self, context: &Context, effect: Effect) -> Truth {
        let Some(operator) = self.operator else {
            return Truth::unreadable(format!("`{}` is not a condition operator", self.name));
        };
        match self.test(operator, context) {
            Truth::Unknown(Gap::Misused(_)) if effect == Effect::Allow && !operator.negated => {
                Truth::No
            }
            other => other,
        }
    }

    fn test(&self, operator: Operator, context: &Context) -> Truth {
        let (values, multivalued) = match context.get(&self.key) {
            Lookup::Unknown => return Truth::Unknown(Gap::UnknownKey(self.key.clone())),
            Lookup::Absent => return self.absent(operator),
            Lookup::Values {
                values,
                multivalued,
            } => (values, multivalued),
        };
        if operator.test == Test::Null {
            return self.null(false);
        }
        let one = |value: &String| self.one(operator, value, context);
        // "If the key values in the request resolve to an empty data set (for example, an empty string), a condition
        // operator modified by ForAllValues returns true, and […] by ForAnyValue returns false."
        let empty = values.iter().all(String::is_empty);
        match (operator.set, values) {
            (Some(Set::ForAllValues), _) if empty => Truth::Yes,
            (Some(Set::ForAnyValue), _) if empty => Truth::No,
            (Some(Set::ForAllValues), _) => Truth::all(values.iter().map(one)),
            (Some(Set::ForAnyValue), _) => Truth::any(values.iter().map(one)),
            (None, [single]) if !multivalued => one(single),
            // "Multivalued context keys require a condition set operator."
            (None, _) => Truth::misused(format!(
                "the multivalued key {} without ForAllValues or ForAnyValue",
                self.key
            )),
        }
    }

    /// "If the key that you specify in a policy condition is not present in the request context, the values do not match
    /// and the condition is false. If the policy condition requires that the key is not matched […] the condition is
    /// true." `IfExists` is true. A set operator comes before both: `ForAllValues` "returns true if there are no keys in
    /// the request", `ForAnyValue` "returns false".
    fn absent(&self, operator: Operator) -> Truth {
        match (operator.set, operator.test) {
            (_, Test::Null) => self.null(true),
            (Some(Set::ForAllValues), _) => Truth::Yes,
            (Some(Set::ForAnyValue), _) => Truth::No,
            (None, _) => (operator.if_exists || operator.negated).into(),
        }
    }

    /// "Use either true (the key doesn't exist — it is null) or false (the key exists and its value is not null)."
    fn null(&self, absent: bool) -> Truth {
        let Expected::Texts(texts) = &self.expected else {
            return Truth::No;
        };
        Truth::any(texts.iter().map(|text| match boolean(text) {
            Some(wanted) => (wanted == absent).into(),
            None => Truth::misused(format!("`{text}` is neither true nor false")),
        }))
    }

    /// One value of the request against all values of the policy: an OR, for negated operators a NOR.
    fn one(&self, operator: Operator, value: &str, context: &Context) -> Truth {
        let matched = match &self.expected {
            Expected::Templates(templates) => {
                Truth::any(templates.iter().map(|t| t.matches(value, context)))
            }
            Expected::Texts(texts) => {
                Truth::any(texts.iter().map(|text| compare(operator.test, value, text)))
            }
        };
        if operator.negated { !matched } else { matched }
    }
}

fn compare(test: Test, asked: &str, wanted: &str) -> Truth {
    let (result, kind) = match test {
        Test::Numeric(order) => (
            both(asked, wanted, Decimal::parse).map(|(a, b)| stands(a.cmp(&b), order)),
            "number",
        ),
        Test::Date(order) => (
            both(asked, wanted, Instant::parse).map(|(a, b)| stands(a.cmp(&b), order)),
            "date",
        ),
        Test::Bool => (both(asked, wanted, boolean).map(|(a, b)| a == b), "boolean"),
        Test::Binary => (
            both(asked, wanted, base64).map(|(a, b)| a == b),
            "base64 text",
        ),
        Test::IpAddress => (
            asked
                .parse::<IpAddr>()
                .ok()
                .zip(Network::parse(wanted))
                .map(|(address, network)| network.contains(address)),
            "address or range of addresses",
        ),
        Test::StringEquals
        | Test::StringEqualsIgnoreCase
        | Test::StringLike
        | Test::Arn
        | Test::Null => (Some(asked == wanted), "text"),
    };
    match result {
        Some(result) => result.into(),
        None => Truth::misused(format!("`{asked}` or `{wanted}` is not a {kind}")),
    }
}

fn both<'a, T>(
    asked: &'a str,
    wanted: &'a str,
    read: impl Fn(&'a str) -> Option<T>,
) -> Option<(T, T)> {
    read(asked).zip(read(wanted))
}

fn stands(found: Ordering, wanted: Order) -> bool {
    match wanted {
        Order::Equals => found.is_eq(),
        Order::Less => found.is_lt(),
        Order::LessOrEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterOrEqual => found.is_ge(),
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
