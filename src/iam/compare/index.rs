//! Finds among the atoms of a document those that hold a given one, without trying each against each.
//! Looks up only; what an atom means is decided in `atom`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

use super::atom::{Atom, Key};

/// The atoms of one document, to be asked whether they hold the atoms of another.
pub(super) struct Index<'a> {
    atoms: &'a [Atom],
    by_key: HashMap<Key<'a>, Vec<usize>>,
    /// The atoms of crowded keys by what they mean: of thousands of statements that differ in conditions or in what follows a
    /// wildcard only, the equal one is found without trying the others.
    by_meaning: HashMap<u64, Vec<usize>>,
    /// The lengths of the prefixes that occur, actions and resources together.
    lengths: BTreeSet<(usize, usize)>,
    /// Atoms without a key, which are tried always.
    whole: Vec<usize>,
    /// Which condition lists follow from which, by address: many atoms share one.
    follows: RefCell<HashMap<(usize, usize), bool>>,
    parts_left: Cell<usize>,
}

/// From so many atoms on a key is crowded.
const CROWDED: usize = 8;

/// The most parts into which all atoms asked for are split by their condition values, for one index.
const MOST_PARTS: usize = 20_000;

/// The most pairs of condition lists that are remembered, to bound the memory.
const MOST_REMEMBERED: usize = 100_000;

impl<'a> Index<'a> {
    /// An index of these atoms.
    pub(super) fn new(atoms: &'a [Atom]) -> Self {
        let mut index = Self {
            atoms,
            by_key: HashMap::new(),
            by_meaning: HashMap::new(),
            lengths: BTreeSet::new(),
            whole: Vec::new(),
            follows: RefCell::new(HashMap::new()),
            parts_left: Cell::new(MOST_PARTS),
        };
        for (i, atom) in atoms.iter().enumerate() {
            if let Some(key) = atom.key() {
                index.lengths.insert((key.action.len(), key.resource.len()));
                index.by_key.entry(key).or_default().push(i);
            } else {
                index.whole.push(i);
            }
        }
        let crowded = index.by_key.values().filter(|found| found.len() >= CROWDED);
        for i in crowded.flatten() {
            if let Some(atom) = atoms.get(*i) {
                index.by_meaning.entry(atom.meaning()).or_default().push(*i);
            }
        }
        index
    }

    /// True where the atoms together hold `narrow`. `narrow` must live as long as the index is used.
    pub(super) fn covers(&self, narrow: &Atom) -> bool {
        let candidates = Cell::new(0_usize);
        let follows = |_, wide: &Atom| {
            candidates.set(candidates.get() + 1);
            self.remembered(wide, narrow)
        };
        // Parts can come from several atoms only where several differ from `narrow` in nothing but conditions.
        self.covers_alone(narrow, &follows) || (candidates.get() > 1 && self.covers_parts(narrow))
    }

    /// True where one atom, other than that of number `but`, holds `narrow`, and is not held by it in turn or stands
    /// before it: of atoms that say the same, the first is not superfluous.
    pub(super) fn makes_superfluous(&self, narrow: &Atom, but: usize) -> bool {
        self.covers_alone(narrow, &|i, wide| {
            let back = || narrow.covers(wide, || self.remembered(narrow, wide));
            i != but && self.remembered(wide, narrow) && (i < but || !back())
        })
    }

    /// A condition with values a and b is the union of one with a and one with b, which may come from two atoms.
    fn covers_parts(&self, narrow: &Atom) -> bool {
        let Some(parts) = narrow.parts() else {
            return false;
        };
        let Some(left) = self.parts_left.get().checked_sub(parts.len()) else {
            return false;
        };
        self.parts_left.set(left);
        parts.iter().all(|part| {
            self.covers_alone(part, &|_, wide| wide.conditions_follow(part))
                || self.covers_parts(part)
        })
    }

    fn covers_alone(&self, narrow: &Atom, follows: &dyn Fn(usize, &Atom) -> bool) -> bool {
        let holds = |i: &usize| {
            let wide = self.atoms.get(*i);
            wide.is_some_and(|wide| wide.covers(narrow, || follows(*i, wide)))
        };
        let Some(key) = narrow.key() else {
            return (0..self.atoms.len()).any(|i| holds(&i));
        };
        let at = |key: Key<'_>| {
            self.by_key
                .get(&key)
                .is_some_and(|found| found.iter().any(holds))
        };
        let own = (key.action.len(), key.resource.len());
        let shorter = |lengths: &(usize, usize)| {
            if *lengths == own {
                return false;
            }
            let (action, resource) = lengths;
            let (action, resource) = (key.action.get(..*action), key.resource.get(..*resource));
            action.zip(resource).is_some_and(|(action, resource)| {
                at(Key {
                    action,
                    resource,
                    ..key
                })
            })
        };
        let is_crowded = || {
            self.by_key
                .get(&key)
                .is_some_and(|found| found.len() >= CROWDED)
        };
        let equal = || {
            let found = self.by_meaning.get(&narrow.meaning());
            found.is_some_and(|found| found.iter().any(holds))
        };
        // The equal atom first: in documents that grant the same it is nearly always there.
        (is_crowded() && equal())
            || at(key)
            || self.whole.iter().any(holds)
            || self.lengths.iter().any(shorter)
    }

    /// Whether the conditions of `wide` follow from those of `narrow`, worked out once for many pairs of atoms.
    fn remembered(&self, wide: &Atom, narrow: &Atom) -> bool {
        let Some(key) = wide.shared_conditions().zip(narrow.shared_conditions()) else {
            return wide.conditions_follow(narrow);
        };
        if let Some(known) = self.follows.borrow().get(&key) {
            return *known;
        }
        let follows = wide.conditions_follow(narrow);
        let mut remembered = self.follows.borrow_mut();
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(key, follows);
        }
        follows
    }
}
