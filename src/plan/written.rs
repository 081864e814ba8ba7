//! Policies as they shall be, with the text that crossgate writes for them; and roles as a plan shows them.
//! It writes down what it is given; what a policy shall grant is decided elsewhere.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use crate::model::json_text::JsonText;
use crate::model::policy::PolicyDocument;

use super::limits;

/// A policy that shall be there. Roles of a fleet have the same by the thousand: it is cloned without being copied.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) document: Rc<PolicyDocument>,
    pub(super) text: JsonText,
    /// As IAM counts them.
    pub(super) characters: usize,
}

impl Written {
    pub(super) fn of(document: PolicyDocument) -> Self {
        let text = JsonText::of(&document);
        Self {
            characters: limits::characters(text.as_str()),
            text,
            document: Rc::new(document),
        }
    }

    /// True where the text is this policy letter by letter. Most policies that are read are those that were written, and this is quicker
    /// than to read them. False says nothing: the same may be written otherwise.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.as_str() == text
    }
}

/// A role as a plan shows it.
#[derive(Serialize)]
pub(super) struct ShownRole<'a, T> {
    pub(super) path: &'a str,
    pub(super) trust_policy: T,
    pub(super) permissions_boundary: Option<&'a str>,
    pub(super) tags: &'a BTreeMap<String, String>,
}
