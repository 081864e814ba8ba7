//! Whether two policy documents grant the same, and what the one grants more than the other.
//! Decides no request and reads nothing: documents in, difference out.
//!
//! Documents are split into atoms (one effect, principal, action and resource, with the conditions of the statement) in a
//! normal form, and each atom of one side must lie in the other side. Where it is not certain that it does, the documents
//! differ: a false alarm is read by a person, a missed change by nobody. An Allow and a Deny are never set off against each other.

mod atom;
mod condition;
mod index;
mod pattern;
mod principal;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
mod value;

use std::fmt;

pub use self::atom::Atom;
use self::atom::atoms;
use self::index::Index;
use crate::model::policy::PolicyDocument;

/// What one document says that the other does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What only the second document says, sorted as shown.
    pub more: Vec<Atom>,
    /// What only the first document says, sorted as shown.
    pub less: Vec<Atom>,
}

impl Difference {
    /// True where both documents grant the same.
    pub fn is_empty(&self) -> bool {
        let Self { more, less } = self;
        more.is_empty() && less.is_empty()
    }
}

impl fmt::Display for Difference {
    /// One line an atom: `- ` before what is gone, `+ ` before what came. No line end after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { more, less } = self;
        let signed = |sign, atoms: &'_ [Atom]| -> Vec<String> {
            atoms.iter().map(|atom| format!("{sign} {atom}")).collect()
        };
        let lines = [signed('-', less), signed('+', more)].concat();
        f.write_str(&lines.join("\n"))
    }
}

/// True where both documents grant the same, however they are written.
pub fn equivalent(a: &PolicyDocument, b: &PolicyDocument) -> bool {
    a == b || {
        let (a, b) = (atoms(a), atoms(b));
        all_in(&a, &b) && all_in(&b, &a)
    }
}

/// True where every Allow of `part` is also one of `whole`, and every Deny of `part` is also one of `whole`.
///
/// What else `whole` refuses is not looked at: whether a request passes is decided in `iam::evaluate`.
pub fn covers(whole: &PolicyDocument, part: &PolicyDocument) -> bool {
    all_in(&atoms(part), &atoms(whole))
}

/// What changes from one document to the other, without what is superfluous; empty exactly where they are [`equivalent`].
pub fn difference(from: &PolicyDocument, to: &PolicyDocument) -> Difference {
    if from == to {
        return Difference {
            more: Vec::new(),
            less: Vec::new(),
        };
    }
    let (from, to) = (atoms(from), atoms(to));
    let (gone, came) = (missing(&from, &to), missing(&to, &from));
    Difference {
        more: only(to, &came),
        less: only(from, &gone),
    }
}

fn all_in(narrow: &[Atom], wide: &[Atom]) -> bool {
    let wide = Index::new(wide);
    narrow.iter().all(|atom| wide.covers(atom))
}

/// For each atom of one document, whether it is missing in another.
fn missing(atoms: &[Atom], elsewhere: &[Atom]) -> Vec<bool> {
    let index = Index::new(elsewhere);
    atoms.iter().map(|atom| !index.covers(atom)).collect()
}

/// The chosen atoms without those that another chosen one holds, sorted as shown.
fn only(atoms: Vec<Atom>, chosen: &[bool]) -> Vec<Atom> {
    let chosen: Vec<Atom> = atoms
        .into_iter()
        .zip(chosen)
        .filter_map(|(atom, chosen)| chosen.then_some(atom))
        .collect();
    let index = Index::new(&chosen);
    let needed =
        |(i, atom): (usize, &Atom)| (!index.makes_superfluous(atom, i)).then(|| atom.clone());
    let mut needed: Vec<Atom> = chosen.iter().enumerate().filter_map(needed).collect();
    needed.sort_by_cached_key(ToString::to_string);
    needed
}
