//! The findings and cases of a proof: a case a hop, and what bears on a gate beside its hops.
//! What a hop's answer is, and how it weighs, is given.

use crate::model::chain::{self, Chain, Hop, NotSeen, Proof, Standing, Weight};
use crate::model::name::GateName;
use crate::output::findings::{Finding, Level, Outcome, Rule, Subject};
use crate::output::proof;

use super::{Collector, clean, names};

/// The summary of a proof, and what nobody looked at.
pub(super) fn of_proof(proof: &Proof) -> Vec<String> {
    let mut lines = vec![proof::sum_up(proof)];
    let unseen: Vec<&str> = proof
        .not_seen
        .iter()
        .map(|kind| match kind {
            NotSeen::Scp => "SCPs",
            NotSeen::Rcp => "RCPs",
        })
        .collect();
    if !unseen.is_empty() {
        lines.push(format!(
            "{} were not seen: an organization's policies may still deny a hop.",
            unseen.join(" and ")
        ));
    }
    lines
}

impl Collector<'_> {
    pub(super) fn proof(&mut self, proof: &Proof) {
        for one in &proof.chains {
            let Chain {
                gate,
                hops,
                findings,
            } = one;
            for one in hops {
                self.hop(gate, one);
            }
            for one in findings {
                self.beside(gate, one);
            }
        }
    }

    fn hop(&mut self, gate: &GateName, hop: &Hop) {
        let Hop {
            id,
            caller,
            action,
            resource,
            account,
            account_id,
            answer,
            reason,
            statements,
            lacking: _,
            mend,
            simulated: _,
        } = hop;
        let noun = format!("hop {}", id.as_str());
        let name = format!("{action} on {resource}");
        let gates = std::slice::from_ref(gate);
        let standing = answer.standing();
        let outcome = if standing == Standing::Proven {
            Outcome::Passed
        } else {
            let mut details = vec![clean(&format!("called by {caller}"))];
            details.extend(statements.iter().map(|one| clean(&proof::told(one))));
            let account = match account {
                Some(name) => format!("{name} ({account_id})"),
                None => account_id.to_string(),
            };
            let index = self.push(Finding {
                rule: Rule::of_hop(*id),
                level: Level::Error,
                unseen: standing == Standing::NotProven,
                id: format!("{}/{gate}/{action}", Rule::of_hop(*id).id),
                gates: names(gates),
                account: Some(account),
                subject: Subject::of(&noun, &name),
                message: clean(reason),
                hint: mend.as_deref().map(clean),
                details,
                places: self.places(gates),
            });
            match standing {
                Standing::NotProven => Outcome::Errored(vec![index]),
                Standing::Proven | Standing::Refuted => Outcome::Failed(vec![index]),
            }
        };
        let suite = (format!("gate {gate}"), gate.to_string());
        // Named without its ends: they are found out by reading, and a case must keep its name where they cannot be read.
        self.case(suite, clean(&format!("{noun} {action}")), gates, outcome);
    }

    /// What bears on a gate beside its hops.
    fn beside(&mut self, gate: &GateName, finding: &chain::Finding) {
        let chain::Finding {
            code,
            weight,
            message,
            mend,
        } = finding;
        let gates = std::slice::from_ref(gate);
        let level = match weight {
            Weight::Remark => Level::Note,
            Weight::Breaks | Weight::Unseen => Level::Error,
        };
        let index = self.push(Finding {
            rule: Rule::of_code(code),
            level,
            unseen: *weight == Weight::Unseen,
            id: format!("{code}/{gate}"),
            gates: names(gates),
            account: None,
            subject: Subject::of("gate", gate.as_str()),
            message: clean(message),
            hint: mend.as_deref().map(clean),
            details: Vec::new(),
            places: self.places(gates),
        });
        let outcome = match weight {
            Weight::Remark => return,
            Weight::Breaks => Outcome::Failed(vec![index]),
            Weight::Unseen => Outcome::Errored(vec![index]),
        };
        let suite = (format!("gate {gate}"), gate.to_string());
        self.case(suite, format!("no {code}"), gates, outcome);
    }
}
