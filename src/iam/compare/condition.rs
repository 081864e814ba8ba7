//! Condition lines in normal form: which of two asks for more, and how one with several values falls into parts.
//! Sound, not complete: an operator that is not known equals itself only.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::atom::OneLine;
use super::value::{Value, ValueType};
use crate::model::policy::{Condition, Version};

/// How the values of a key in the request are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Quantifier {
    /// No set operator.
    Plain,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

/// What an operator compares by. Operators that behave identically are one test.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Test {
    /// `StringEquals` and `StringLike`: they differ in their values, not in what they do.
    Text,
    /// `StringEqualsIgnoreCase`.
    TextWithoutCase,
    /// `ArnEquals` and `ArnLike`.
    Arn,
    /// `Bool`.
    Bool,
    /// `Null`: `true` where the key must be absent.
    Null,
    /// `IpAddress`.
    Address,
    /// `BinaryEquals`.
    Binary,
    /// `NumericEquals`, `DateEquals`, and both families' orderings, by their names.
    Ordered(&'static str),
    /// An operator that this program does not know, in lower case.
    Unknown(String),
}

/// One condition line; all lines of a statement must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    written: Condition,
    quantifier: Quantifier,
    test: Test,
    negated: bool,
    if_exists: bool,
    key: String,
    /// Sorted, without repetition.
    values: Vec<Value>,
}

impl Hash for Requirement {
    /// Of what the line means: how it is written is left out.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            written: _,
            quantifier,
            test,
            negated,
            if_exists,
            key,
            values,
        } = self;
        (quantifier, test, negated, if_exists, key, values).hash(state);
    }
}

impl Requirement {
    /// Reads a condition line of a document of the given version.
    pub(super) fn read(condition: &Condition, version: Version) -> Self {
        let Condition {
            operator,
            key,
            values,
        } = condition;
        let operator = operator.to_ascii_lowercase();
        let (quantifier, rest) = match operator.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::All, rest),
            Some(("foranyvalue", rest)) => (Quantifier::Any, rest),
            Some(_) | None => (Quantifier::Plain, operator.as_str()),
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (test, negated, of) = test(base);
        let mut values: Vec<Value> = values.iter().map(|v| Value::read(v, of, version)).collect();
        values.sort_unstable();
        values.dedup();
        Self {
            written: condition.clone(),
            quantifier,
            test,
            negated,
            if_exists,
            key: key.to_ascii_lowercase(),
            values,
        }
    }

    /// True where it is certain that this line holds whenever `narrow` does.
    pub(super) fn follows_from(&self, narrow: &Self) -> bool {
        if self.key != narrow.key {
            return false;
        }
        if self.is_presence() && narrow.needs_presence() {
            return true;
        }
        // A plain negated operator is true where the key is absent, so that IfExists adds nothing to it
        // (IAM user guide, "Condition operators"). Elsewhere IfExists may only make an operator weaker.
        let idle = self.negated && self.quantifier == Quantifier::Plain;
        let exists = self.if_exists || !narrow.if_exists || idle;
        exists
            && self.test == narrow.test
            && self.negated == narrow.negated
            && self.quantifier == narrow.quantifier
            && self.values_follow(narrow)
    }

    /// Values are joined by OR, or by NOR where the operator is negated: then more values ask for more.
    fn values_follow(&self, narrow: &Self) -> bool {
        // What IAM makes of an empty list is not documented, so it equals an empty list only.
        if self.values.is_empty() || narrow.values.is_empty() {
            return self.values.is_empty() && narrow.values.is_empty();
        }
        match self.test {
            Test::Null | Test::Unknown(_) => self.values == narrow.values,
            Test::Text
            | Test::TextWithoutCase
            | Test::Arn
            | Test::Bool
            | Test::Address
            | Test::Binary
            | Test::Ordered(_) => {
                if self.negated {
                    each_covered(&narrow.values, &self.values)
                } else {
                    each_covered(&self.values, &narrow.values)
                }
            }
        }
    }

    /// `Null` with `false`: the key must be there.
    fn is_presence(&self) -> bool {
        self.test == Test::Null
            && self.quantifier == Quantifier::Plain
            && !self.if_exists
            && self.values == [Value::Exact("false".to_owned())]
    }

    /// True for a line that is false wherever its key is absent.
    fn needs_presence(&self) -> bool {
        let known = !matches!(self.test, Test::Null | Test::Unknown(_));
        known && !self.negated && !self.if_exists && self.quantifier != Quantifier::All
    }

    /// The lines, one a value, of which this one is the union; none where it is not such a union. They are for comparing
    /// only: how they would be written is left out.
    pub(super) fn parts(&self) -> Option<Vec<Self>> {
        let known = !matches!(self.test, Test::Null | Test::Unknown(_));
        let union = known && !self.negated && self.quantifier != Quantifier::All;
        (union && self.values.len() > 1).then(|| {
            let bare = Self {
                values: Vec::new(),
                written: Condition {
                    operator: String::new(),
                    key: String::new(),
                    values: Vec::new(),
                },
                key: self.key.clone(),
                test: self.test.clone(),
                ..*self
            };
            let part = |value: &Value| Self {
                values: vec![value.clone()],
                ..bare.clone()
            };
            self.values.iter().map(part).collect()
        })
    }
}

/// True where every line of `wide` follows from some line of `narrow`: then `wide` asks for no more.
pub(super) fn all_follow(wide: &[Requirement], narrow: &[Requirement]) -> bool {
    wide.iter()
        .all(|w| narrow.iter().any(|n| w.follows_from(n)))
}

fn each_covered(wide: &[Value], narrow: &[Value]) -> bool {
    let many = wide.len() > 8;
    let covered = |n| (many && wide.binary_search(n).is_ok()) || wide.iter().any(|w| w.covers(n));
    narrow.iter().all(covered)
}

/// The operator without set operator and `IfExists`, in lower case: what it tests, whether negated, what its values are.
///
/// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
fn test(base: &str) -> (Test, bool, ValueType) {
    match base {
        "stringequals" => (Test::Text, false, ValueType::Text),
        "stringnotequals" => (Test::Text, true, ValueType::Text),
        "stringlike" => (Test::Text, false, ValueType::TextPattern),
        "stringnotlike" => (Test::Text, true, ValueType::TextPattern),
        "stringequalsignorecase" => (Test::TextWithoutCase, false, ValueType::TextWithoutCase),
        "stringnotequalsignorecase" => (Test::TextWithoutCase, true, ValueType::TextWithoutCase),
        "arnequals" | "arnlike" => (Test::Arn, false, ValueType::Arn),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true, ValueType::Arn),
        "bool" => (Test::Bool, false, ValueType::Bool),
        "null" => (Test::Null, false, ValueType::Bool),
        "ipaddress" => (Test::Address, false, ValueType::Address),
        "notipaddress" => (Test::Address, true, ValueType::Address),
        "binaryequals" => (Test::Binary, false, ValueType::Raw),
        "numericequals" => (Test::Ordered("numeric="), false, ValueType::Number),
        "numericnotequals" => (Test::Ordered("numeric="), true, ValueType::Number),
        "numericlessthan" => (Test::Ordered("numeric<"), false, ValueType::Number),
        "numericlessthanequals" => (Test::Ordered("numeric<="), false, ValueType::Number),
        "numericgreaterthan" => (Test::Ordered("numeric>"), false, ValueType::Number),
        "numericgreaterthanequals" => (Test::Ordered("numeric>="), false, ValueType::Number),
        "dateequals" => (Test::Ordered("date="), false, ValueType::Date),
        "datenotequals" => (Test::Ordered("date="), true, ValueType::Date),
        "datelessthan" => (Test::Ordered("date<"), false, ValueType::Date),
        "datelessthanequals" => (Test::Ordered("date<="), false, ValueType::Date),
        "dategreaterthan" => (Test::Ordered("date>"), false, ValueType::Date),
        "dategreaterthanequals" => (Test::Ordered("date>="), false, ValueType::Date),
        other => (Test::Unknown(other.to_owned()), false, ValueType::Raw),
    }
}

impl fmt::Display for Requirement {
    /// The line as it was written: `StringEquals aws:PrincipalOrgID = o-a or o-b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            written:
                Condition {
                    operator,
                    key,
                    values,
                },
            quantifier: _,
            test: _,
            negated: _,
            if_exists: _,
            key: _,
            values: _,
        } = self;
        write!(f, "{} {} = ", OneLine(operator), OneLine(key))?;
        if values.is_empty() {
            return f.write_str("nothing");
        }
        for (i, value) in values.iter().enumerate() {
            let or = if i == 0 { "" } else { " or " };
            write!(f, "{or}{}", OneLine(value))?;
        }
        Ok(())
    }
}
