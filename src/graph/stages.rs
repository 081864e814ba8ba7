//! The order of a pipeline's stages, as it is or, where nobody read it, as far as the manifest tells.
//! It invents no stage: where there may be others, it says that they were not read.

use crate::model::wiring::{Gate, Placement};

/// A place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// Stages that nobody read, if there are any.
    Unread,
    /// A stage.
    Named(String),
}

/// The stages with those of the gates among them, each once.
pub(super) fn order(gates: &[&Gate], seen: Option<&[String]>) -> Vec<Slot> {
    let mut slots: Vec<Slot> = match seen {
        Some(names) => names.iter().cloned().map(Slot::Named).collect(),
        // A pipeline begins with a source, which is no gate's.
        None => vec![Slot::Unread],
    };
    // Nothing ties what goes behind a stage to what goes before another; releases usually have them in this order.
    let mut gates = gates.to_vec();
    gates.sort_by_key(|gate| match &gate.action.placement {
        Some(Placement::After(_)) => 0,
        Some(Placement::Before(_)) => 1,
        None => 2,
    });
    for gate in &gates {
        let stage = gate.action.stage.as_str();
        if position(&slots, stage).is_none() {
            place(
                &mut slots,
                stage,
                gate.action.placement.as_ref(),
                seen.is_some(),
            );
        }
    }
    let at_the_end = |gate: &&Gate| gate.action.placement.is_none();
    let ends_known = seen.is_some() || gates.iter().any(at_the_end);
    if !ends_known {
        slots.push(Slot::Unread);
    }
    slots.dedup();
    slots
}

fn place(slots: &mut Vec<Slot>, stage: &str, placement: Option<&Placement>, read: bool) {
    let (anchor, behind) = match placement {
        Some(Placement::After(anchor)) => (anchor.as_str(), 1),
        Some(Placement::Before(anchor)) => (anchor.as_str(), 0),
        None => return slots.push(Slot::Named(stage.to_owned())),
    };
    if let Some(at) = position(slots, anchor) {
        return slots.insert(at + behind, Slot::Named(stage.to_owned()));
    }
    if read {
        // The anchor is not in the pipeline: `plan` says so, and the picture still shows the gate.
        return slots.push(Slot::Named(stage.to_owned()));
    }
    slots.push(Slot::Unread);
    slots.push(Slot::Named(anchor.to_owned()));
    let at = slots.len() - 1 + behind;
    slots.insert(at, Slot::Named(stage.to_owned()));
}

/// Where a stage stands.
pub(super) fn position(slots: &[Slot], stage: &str) -> Option<usize> {
    slots
        .iter()
        .position(|slot| matches!(slot, Slot::Named(name) if name == stage))
}
