//! Gates grouped by what they share: a role, a pipeline, a function.
//! It groups; what a group shall have is decided elsewhere.

use std::collections::BTreeMap;

use crate::model::wiring::RoleKey;

use super::join::JoinedGate;

/// Gates by what they have in common, each in the order of its name.
pub(super) type Groups<'j, 'a, K> = BTreeMap<K, Vec<&'j JoinedGate<'a>>>;

/// Puts together what has one key, and keeps the groups in which a gate is selected. What comes from several is put in order again.
pub(super) fn grouped<'j, 'a, K: Ord>(
    mut keyed: Vec<(K, Vec<&'j JoinedGate<'a>>)>,
) -> Groups<'j, 'a, K> {
    // A map that is made from what is in order is made in one go.
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut groups: Vec<(K, Vec<&JoinedGate<'_>>)> = Vec::with_capacity(keyed.len());
    let mut is_mixed = false;
    for (key, mut gates) in keyed {
        match groups.last_mut() {
            Some((last, known)) if *last == key => {
                known.append(&mut gates);
                is_mixed = true;
            }
            Some(_) | None => groups.push((key, gates)),
        }
    }
    groups.retain(|(_, gates)| gates.iter().any(|g| g.selected));
    if is_mixed {
        for (_, gates) in &mut groups {
            gates.sort_by(|a, b| a.gate.name.cmp(&b.gate.name));
        }
    }
    groups.into_iter().collect()
}

/// The service role of the gate's pipeline, by where it is.
pub(super) fn service_key(gate: &JoinedGate<'_>) -> Option<RoleKey> {
    let role = gate.service_role.as_ref()?;
    Some(RoleKey {
        account: gate.gate.pipeline.account.clone(),
        name: role.name.clone(),
    })
}

/// The execution role of the gate's function, by where it is.
pub(super) fn execution_key(gate: &JoinedGate<'_>) -> Option<RoleKey> {
    let role = gate.execution_role.as_ref()?;
    Some(RoleKey {
        account: gate.gate.function.account.clone(),
        name: role.name.clone(),
    })
}
