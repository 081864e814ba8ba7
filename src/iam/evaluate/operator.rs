//! The names of condition operators: set operator, base operator, `IfExists`.
//! Reads names only; what an operator does is in `condition`.

/// How two numbers, dates or texts are to stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Equal.
    Equals,
    /// The request's value is less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    /// Texts, with case.
    StringEquals,
    /// Texts, without case.
    StringEqualsIgnoreCase,
    /// Texts, with wildcards.
    StringLike,
    /// ARNs, component by component. `ArnEquals` and `ArnLike` "behave identically".
    Arn,
    /// Numbers.
    Numeric(Order),
    /// Dates.
    Date(Order),
    /// `true` and `false`.
    Bool,
    /// Base64.
    Binary,
    /// Addresses in ranges.
    IpAddress,
    /// Whether the key is absent.
    Null,
}

/// What a set operator asks of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// Every one must match.
    ForAllValues,
    /// One must match.
    ForAnyValue,
}

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    /// The set operator in front.
    pub(super) set: Option<Set>,
    /// What is compared.
    pub(super) test: Test,
    /// True for the `…Not…` operators.
    pub(super) negated: bool,
    /// True with `IfExists` behind.
    pub(super) if_exists: bool,
}

impl Operator {
    /// Reads an operator's name, without case: an operator that IAM has stored is one that IAM knows. None for a name
    /// that the documentation does not have; `Null` takes neither `IfExists` nor a set operator.
    ///
    /// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (set, name) = match name.split_once(':') {
            Some(("forallvalues", rest)) => (Some(Set::ForAllValues), rest),
            Some(("foranyvalue", rest)) => (Some(Set::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, name.as_str()),
        };
        let (name, if_exists) = match name.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (test, negated) = base(name)?;
        if test == Test::Null && (if_exists || set.is_some()) {
            return None;
        }
        Some(Self {
            set,
            test,
            negated,
            if_exists,
        })
    }
}

fn base(name: &str) -> Option<(Test, bool)> {
    if let Some(rest) = name.strip_prefix("numeric") {
        return order(rest).map(|(order, negated)| (Test::Numeric(order), negated));
    }
    if let Some(rest) = name.strip_prefix("date") {
        return order(rest).map(|(order, negated)| (Test::Date(order), negated));
    }
    Some(match name {
        "stringequals" => (Test::StringEquals, false),
        "stringnotequals" => (Test::StringEquals, true),
        "stringequalsignorecase" => (Test::StringEqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (Test::StringEqualsIgnoreCase, true),
        "stringlike" => (Test::StringLike, false),
        "stringnotlike" => (Test::StringLike, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::IpAddress, false),
        "notipaddress" => (Test::IpAddress, true),
        "null" => (Test::Null, false),
        _ => return None,
    })
}

fn order(name: &str) -> Option<(Order, bool)> {
    Some(match name {
        "equals" => (Order::Equals, false),
        "notequals" => (Order::Equals, true),
        "lessthan" => (Order::Less, false),
        "lessthanequals" => (Order::LessOrEqual, false),
        "greaterthan" => (Order::Greater, false),
        "greaterthanequals" => (Order::GreaterOrEqual, false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The operators of the page "Condition operators", all of them.
    pub(crate) const ALL: [&str; 27] = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
        "Null",
    ];

    #[test]
    fn every_operator_is_known_with_its_negation() {
        for name in ALL {
            let operator = Operator::parse(name).unwrap();
            assert_eq!(operator.negated, name.contains("Not"), "{name}");
            assert!(operator.set.is_none() && !operator.if_exists, "{name}");
        }
    }

    #[test]
    fn qualifiers_go_with_every_operator_but_null() {
        for name in ALL {
            let all = Operator::parse(&format!("ForAllValues:{name}IfExists"));
            let any = Operator::parse(&format!("ForAnyValue:{name}"));
            assert_eq!(all.is_some(), name != "Null", "{name}");
            assert_eq!(any.is_some(), name != "Null", "{name}");
        }
    }

    #[test]
    fn other_names_are_not_guessed() {
        for name in [
            "",
            "String",
            "StringEqual",
            "ForSomeValues:StringEquals",
            "Numeric",
            "IfExists",
            "a:b:c",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
