//! The smallest grants of a document: one effect, principal, action and resource, under the conditions of their statement.
//! Says which atom holds another; which atoms of two documents are held against each other is decided in `index`.

use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::condition::{Requirement, all_follow};
use super::pattern::Pattern;
use super::principal::{Who, is_same, who};
use crate::model::policy::{Clause, Effect, PolicyDocument, PrincipalKind, Statement, Version};

/// A grant or a refusal that cannot be split further: what a difference between two documents consists of.
///
/// The lists of `NotAction`, `NotResource` and `NotPrincipal` stay whole, because each says "none of these".
/// Shown in one line: `Allow sts:AssumeRole to arn:… if ArnEquals aws:PrincipalArn = arn:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    effect: Effect,
    principal: Option<Clause<Arc<[Who]>>>,
    action: Clause<Arc<[Named]>>,
    resource: Option<Clause<Arc<[Named]>>>,
    conditions: Arc<[Requirement]>,
}

/// An action or a resource: as written, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    written: String,
    pattern: Pattern,
}

/// What a covering atom must have in common with the covered one: see [`Atom::key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key<'a> {
    /// Allow or Deny.
    pub(super) effect: Effect,
    /// To whom.
    pub(super) who: WhoKey<'a>,
    /// What every action that is meant begins with.
    pub(super) action: &'a str,
    /// What every resource that is meant begins with.
    pub(super) resource: &'a str,
}

/// The part of a principal that two spellings of it share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum WhoKey<'a> {
    NotStated,
    AllBut,
    Everyone,
    Account(&'a str),
    Other(PrincipalKind, &'a str),
}

/// The most atoms that one document is split into. A statement that would lead past it stays whole, and is then found equal
/// or covered in fewer cases; the policies that AWS takes (10,240 characters) stay below it.
const MOST_ATOMS: usize = 20_000;

/// The most condition values that the atoms of one statement may have together: each atom is hashed and shown with all of its own. Likewise
/// a statement past it stays whole; those that people write are far below.
const MOST_VALUES: usize = 1_000_000;

/// The most conditions that an atom may have to be split by their values.
const MOST_SPLIT_CONDITIONS: usize = 16;

/// Splits a document. An empty list of actions, resources or principals grants nothing and gives no atom.
pub(super) fn atoms(document: &PolicyDocument) -> Vec<Atom> {
    let PolicyDocument {
        version,
        id: _,
        statements,
    } = document;
    let mut atoms = Vec::new();
    for statement in statements {
        split(statement, *version, &mut atoms);
    }
    atoms
}

fn split(statement: &Statement, version: Version, atoms: &mut Vec<Atom>) {
    let Statement {
        sid: _,
        effect,
        principal,
        action,
        resource,
        conditions,
    } = statement;
    let action = convert(action, |list| named(list, Pattern::action));
    let resource = resource.as_ref().map(|clause| {
        convert(clause, |list| {
            named(list, |r| Pattern::resource(r, version))
        })
    });
    let principal = principal.as_ref().map(|clause| convert(clause, who));
    if means_nothing(&action) || resource.as_ref().is_some_and(means_nothing) {
        return;
    }
    let count = principal.as_ref().map_or(1, size) * size(&action);
    let count = count.saturating_mul(resource.as_ref().map_or(1, size));
    if count == 0 {
        return;
    }
    let values = conditions.iter().map(|c| c.values.len().max(1)).sum();
    let whole = atoms.len().saturating_add(count) > MOST_ATOMS
        || count.saturating_mul(values) > MOST_VALUES;
    let (principals, resources) = (
        optional_pieces(principal, whole),
        optional_pieces(resource, whole),
    );
    let actions = pieces(action, whole);
    let conditions: Arc<[Requirement]> = conditions
        .iter()
        .map(|condition| Requirement::read(condition, version))
        .collect();
    for principal in &principals {
        for action in &actions {
            for resource in &resources {
                atoms.push(Atom {
                    effect: *effect,
                    principal: principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    conditions: Arc::clone(&conditions),
                });
            }
        }
    }
}

fn convert<T, U>(clause: &Clause<T>, read: impl FnOnce(&T) -> Vec<U>) -> Clause<Arc<[U]>> {
    match clause {
        Clause::Is(listed) => Clause::Is(read(listed).into()),
        Clause::Not(listed) => Clause::Not(read(listed).into()),
    }
}

fn named(list: &[String], pattern: impl Fn(&str) -> Pattern) -> Vec<Named> {
    let read = |text: &String| Named {
        written: text.clone(),
        pattern: pattern(text),
    };
    let mut named: Vec<Named> = list.iter().map(read).collect();
    named.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    named.dedup_by(|a, b| a.pattern == b.pattern);
    named
}

/// True for `NotAction: "*"` and `NotResource: "*"`.
fn means_nothing(clause: &Clause<Arc<[Named]>>) -> bool {
    match clause {
        Clause::Is(_) => false,
        Clause::Not(but) => but.iter().any(|named| named.pattern.is_everything()),
    }
}

fn size<T>(clause: &Clause<Arc<[T]>>) -> usize {
    match clause {
        Clause::Is(listed) => listed.len(),
        Clause::Not(_) => 1,
    }
}

fn pieces<T: Clone>(clause: Clause<Arc<[T]>>, whole: bool) -> Vec<Clause<Arc<[T]>>> {
    match clause {
        Clause::Is(listed) if !whole => {
            let piece = |one: &T| Clause::Is(Arc::from([one.clone()]));
            listed.iter().map(piece).collect()
        }
        kept @ (Clause::Is(_) | Clause::Not(_)) => vec![kept],
    }
}

fn optional_pieces<T: Clone>(
    clause: Option<Clause<Arc<[T]>>>,
    whole: bool,
) -> Vec<Option<Clause<Arc<[T]>>>> {
    match clause {
        Some(clause) => pieces(clause, whole).into_iter().map(Some).collect(),
        None => vec![None],
    }
}

impl Atom {
    /// Whether it grants or refuses.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// True where it is certain that whatever `narrow` says, this atom says too.
    pub(super) fn covers(&self, narrow: &Self, conditions_follow: impl FnOnce() -> bool) -> bool {
        let principals = match (&self.principal, &narrow.principal) {
            (None, None) => true,
            (Some(wide), Some(narrow)) => principals_cover(wide, narrow),
            (None, Some(_)) | (Some(_), None) => false,
        };
        let resources = || match (&self.resource, &narrow.resource) {
            (None, None) => true,
            (Some(wide), Some(narrow)) => names_cover(wide, narrow),
            (None, Some(_)) | (Some(_), None) => false,
        };
        self.effect == narrow.effect
            && principals
            && names_cover(&self.action, &narrow.action)
            && resources()
            && conditions_follow()
    }

    /// True where the conditions of this atom hold whenever those of `narrow` do.
    pub(super) fn conditions_follow(&self, narrow: &Self) -> bool {
        all_follow(&self.conditions, &narrow.conditions)
    }

    /// The same value for atoms whose conditions are one list; none where no other atom has this list.
    pub(super) fn shared_conditions(&self) -> Option<usize> {
        let shared = Arc::strong_count(&self.conditions) > 1;
        shared.then(|| Arc::as_ptr(&self.conditions).cast::<()>().addr())
    }

    /// Where to look this atom up; none for a statement that was left whole. If an atom covers another, both having keys,
    /// then its key's action and resource are prefixes of the other's, and effect and principal are equal.
    pub(super) fn key(&self) -> Option<Key<'_>> {
        let who = match &self.principal {
            None => WhoKey::NotStated,
            Some(Clause::Not(_)) => WhoKey::AllBut,
            Some(Clause::Is(listed)) => match listed.as_ref() {
                [Who::Everyone] => WhoKey::Everyone,
                [Who::Account { id, arn: _ }] => WhoKey::Account(id),
                [Who::Other(kind, text)] => WhoKey::Other(*kind, text),
                _ => return None,
            },
        };
        Some(Key {
            effect: self.effect,
            who,
            action: prefix(&self.action)?,
            resource: self.resource.as_ref().map_or(Some(""), prefix)?,
        })
    }

    /// The same for atoms that mean the same, however they are spelt; others seldom share it. The principal is left out: it is
    /// in the key.
    pub(super) fn meaning(&self) -> u64 {
        let Self {
            effect: _,
            principal: _,
            action,
            resource,
            conditions,
        } = self;
        let mut hasher = DefaultHasher::new();
        patterns(action).for_each(|pattern| pattern.hash(&mut hasher));
        let resources = resource.iter().flat_map(patterns);
        resources.for_each(|pattern| pattern.hash(&mut hasher));
        // The lines of a statement may come in any order.
        let line = |requirement: &Requirement| {
            let mut hasher = DefaultHasher::new();
            requirement.hash(&mut hasher);
            hasher.finish()
        };
        let lines = conditions.iter().map(line);
        lines.fold(hasher.finish(), u64::wrapping_add)
    }

    /// The atoms of which this one is the union, split by the values of one condition; none where it cannot be split.
    /// Parts are split in turn, one condition after the other, so long lists of conditions are left whole.
    pub(super) fn parts(&self) -> Option<Vec<Self>> {
        if self.conditions.len() > MOST_SPLIT_CONDITIONS {
            return None;
        }
        let split = |(i, r): (usize, &Requirement)| Some((i, r.parts()?));
        let (at, parts) = self.conditions.iter().enumerate().find_map(split)?;
        let with = |part: Requirement| {
            let mut conditions = self.conditions.to_vec();
            if let Some(slot) = conditions.get_mut(at) {
                *slot = part;
            }
            Self {
                conditions: conditions.into(),
                ..self.clone()
            }
        };
        Some(parts.into_iter().map(with).collect())
    }
}

fn patterns(clause: &Clause<Arc<[Named]>>) -> impl Iterator<Item = &Pattern> {
    let (Clause::Is(listed) | Clause::Not(listed)) = clause;
    listed.iter().map(|named| &named.pattern)
}

fn prefix(clause: &Clause<Arc<[Named]>>) -> Option<&str> {
    match clause {
        Clause::Not(_) => Some(""),
        Clause::Is(listed) => match listed.as_ref() {
            [one] => Some(one.pattern.prefix()),
            _ => None,
        },
    }
}

fn names_cover(wide: &Clause<Arc<[Named]>>, narrow: &Clause<Arc<[Named]>>) -> bool {
    match (wide, narrow) {
        (Clause::Is(wide), Clause::Is(narrow)) => each_in(wide, narrow),
        // All but a few lies in all but fewer.
        (Clause::Not(wide), Clause::Not(narrow)) => each_in(narrow, wide),
        (Clause::Not(but), Clause::Is(narrow)) => narrow
            .iter()
            .all(|n| but.iter().all(|b| n.pattern.is_apart_from(&b.pattern))),
        (Clause::Is(wide), Clause::Not(_)) => wide.iter().any(|w| w.pattern.is_everything()),
    }
}

fn each_in(wide: &[Named], narrow: &[Named]) -> bool {
    let many = wide.len() > 8;
    let same = |n: &Named| many && wide.binary_search_by(|w| w.pattern.cmp(&n.pattern)).is_ok();
    let covered = |n: &Named| wide.iter().any(|w| w.pattern.covers(&n.pattern));
    narrow.iter().all(|n| same(n) || covered(n))
}

/// No principal is taken to lie in another, not even a role in its account: whom a trust policy names decides whether the
/// caller's own policies are asked too.
fn principals_cover(wide: &Clause<Arc<[Who]>>, narrow: &Clause<Arc<[Who]>>) -> bool {
    let each_in = |wide: &[Who], narrow: &[Who]| {
        let covered = |n| wide.iter().any(|w| is_same(w, n));
        narrow.iter().all(covered)
    };
    match (wide, narrow) {
        (Clause::Is(wide), Clause::Is(narrow)) => each_in(wide, narrow),
        (Clause::Not(wide), Clause::Not(narrow)) => each_in(narrow, wide),
        (Clause::Is(_), Clause::Not(_)) | (Clause::Not(_), Clause::Is(_)) => false,
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            effect,
            principal,
            action,
            resource,
            conditions,
        } = self;
        f.write_str(match effect {
            Effect::Allow => "Allow ",
            Effect::Deny => "Deny ",
        })?;
        list(f, action)?;
        if let Some(resource) = resource {
            f.write_str(" on ")?;
            list(f, resource)?;
        }
        if let Some(principal) = principal {
            f.write_str(" to ")?;
            list(f, principal)?;
        }
        for (i, condition) in conditions.iter().enumerate() {
            let joint = if i == 0 { "if" } else { "and" };
            write!(f, " {joint} {condition}")?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, clause: &Clause<Arc<[T]>>) -> fmt::Result {
    let listed = match clause {
        Clause::Is(listed) => listed,
        Clause::Not(listed) => {
            f.write_str("all but ")?;
            listed
        }
    };
    for (i, one) in listed.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{one}")?;
    }
    Ok(())
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            written,
            pattern: _,
        } = self;
        write!(f, "{}", OneLine(written))
    }
}

/// A text of a policy on one line: control characters are escaped, so that no document can forge output.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        for c in text.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}
