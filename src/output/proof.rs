//! Chains as a picture in text, and as JSON: each hop with its answer, the deciding statement and where it stands, and the mend.
//! It decides nothing: answers, weights and status are given.

use serde_json::{Value, json};

use crate::model::chain::{
    Answer, Chain, Deciding, Finding, Hop, HopId, NotSeen, Proof, Simulated, Standing, Weight,
};
use crate::model::change::Problem;
use crate::model::name::Project;
use crate::model::part::Part;
use crate::model::policy::Effect;
use crate::model::status::Status;

use super::json::{FORMAT_VERSION, account_json, problem_json};
use super::page::{Page, plain, span};
use super::style::{Paint, Style};
use super::view::AccountLine;
use super::{problem, sanitize, words};

/// The result of `verify`, ready to be shown.
#[derive(Debug, Clone)]
pub struct ProofView<'a> {
    /// How it ended.
    pub status: Status,
    /// The project.
    pub project: &'a Project,
    /// The partition that the run is about, where it is about one.
    pub partition: Option<Part>,
    /// The chains.
    pub proof: &'a Proof,
    /// The accounts.
    pub accounts: &'a [AccountLine],
    /// What could not be read.
    pub problems: &'a [Problem],
}

/// Renders the result of `verify` as text, ended by a line feed.
pub fn render(view: &ProofView<'_>, style: &Style) -> String {
    let ProofView {
        status: _,
        project,
        partition: _,
        proof,
        accounts: _,
        problems,
    } = view;
    let mut page = Page::new(style);
    let gates = words::counted(proof.chains.len(), "gate");
    let about = format!(": project {project}, {gates}");
    page.line(0, &[span(Paint::Strong, "crossgate verify"), plain(about)]);
    write(&mut page, proof);
    problem::write(&mut page, problems.iter());
    page.gap();
    summary(&mut page, proof);
    page.finish()
}

/// Renders the result of `verify` as one JSON object and a line feed.
pub fn render_json(view: &ProofView<'_>) -> serde_json::Result<String> {
    let ProofView {
        status,
        project,
        partition,
        proof,
        accounts,
        problems,
    } = view;
    let mut document = json!({
        "format_version": FORMAT_VERSION,
        "command": "verify",
        "status": status.as_str(),
        "project": project.as_str(),
        "gates": gates(proof),
        "not_seen": not_seen(proof),
        "accounts": accounts.iter().map(account_json).collect::<Result<Vec<Value>, _>>()?,
        "changes": [],
        "problems": problems.iter().map(problem_json).collect::<Result<Vec<Value>, _>>()?,
    });
    if let (Some(part), Some(object)) = (partition, document.as_object_mut()) {
        object.insert("partition".to_owned(), json!(part.to_string()));
    }
    let mut text = sanitize::json(&serde_json::to_string_pretty(&document)?);
    text.push('\n');
    Ok(text)
}

/// The proof as a member of another result.
pub(super) fn as_member(proof: &Proof) -> Value {
    json!({
        "standing": proof.standing().as_str(),
        "gates": gates(proof),
        "not_seen": not_seen(proof),
    })
}

fn not_seen(proof: &Proof) -> Vec<&'static str> {
    proof.not_seen.iter().map(|kind| kind.as_str()).collect()
}

fn gates(proof: &Proof) -> Vec<Value> {
    proof
        .chains
        .iter()
        .map(|chain| {
            let Chain {
                gate,
                hops,
                findings,
            } = chain;
            json!({
                "name": gate.as_str(),
                "standing": chain.standing().as_str(),
                "hops": hops.iter().map(hop_json).collect::<Vec<Value>>(),
                "findings": findings.iter().map(finding_json).collect::<Vec<Value>>(),
            })
        })
        .collect()
}

fn hop_json(hop: &Hop) -> Value {
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
        simulated,
    } = hop;
    let mut value = json!({
        "hop": id.as_str(),
        "caller": caller,
        "action": action,
        "resource": resource,
        "account": account.as_ref().map(ToString::to_string),
        "account_id": account_id.as_str(),
        "decision": answer.as_str(),
        "standing": answer.standing().as_str(),
        "reason": reason,
        "statements": statements.iter().map(statement_json).collect::<Vec<Value>>(),
        "mend": mend,
    });
    if let (Some(Simulated { decision, agrees }), Value::Object(members)) = (simulated, &mut value)
    {
        let simulated = json!({
            "decision": decision.as_ref().ok(),
            "error": decision.as_ref().err(),
            "agrees": agrees,
        });
        members.insert("simulated".to_owned(), simulated);
    }
    value
}

fn statement_json(statement: &Deciding) -> Value {
    let Deciding {
        layer,
        account_id,
        holder,
        policy,
        index,
        sid,
        effect,
        note,
    } = statement;
    json!({
        "layer": layer,
        "account_id": account_id.as_str(),
        "holder": holder,
        "policy": policy,
        "index": index,
        "sid": sid,
        "effect": effect_word(*effect),
        "note": note,
    })
}

fn finding_json(finding: &Finding) -> Value {
    let Finding {
        code,
        weight,
        message,
        mend,
    } = finding;
    json!({"code": code, "weight": weight.as_str(), "message": message, "mend": mend})
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}

/// Writes the chains, and what was not seen.
pub(super) fn write(page: &mut Page<'_>, proof: &Proof) {
    for one in &proof.chains {
        page.gap();
        chain(page, one);
    }
    let unseen: Vec<&str> = proof
        .not_seen
        .iter()
        .map(|kind| match kind {
            NotSeen::Scp => "SCPs",
            NotSeen::Rcp => "RCPs",
        })
        .collect();
    if !unseen.is_empty() {
        page.gap();
        let text = format!(
            "{} were not seen: an organization's policies may still deny a hop.",
            unseen.join(" and ")
        );
        page.prose(0, span(Paint::Warning, "note: "), Paint::Plain, &text);
    }
}

fn chain(page: &mut Page<'_>, chain: &Chain) {
    let Chain {
        gate,
        hops,
        findings,
    } = chain;
    let (paint, word) = standing(chain.standing());
    page.line(
        0,
        &[
            span(Paint::Strong, gate.as_str()),
            plain(": "),
            span(paint, word),
        ],
    );
    let mut caller = None;
    for one in hops {
        if caller != Some(&one.caller) {
            if caller.is_some() {
                page.line(2, &[span(Paint::Faint, "  v")]);
            }
            page.line(2, &[plain(one.caller.as_str())]);
            caller = Some(&one.caller);
        }
        hop(page, one);
    }
    page.line(2, &[span(Paint::Faint, "  v")]);
    page.line(2, &[plain("the pipeline goes on, or stops")]);
    for one in findings {
        finding(page, one);
    }
}

fn standing(standing: Standing) -> (Paint, &'static str) {
    match standing {
        Standing::Proven => (Paint::Added, "proven"),
        Standing::Refuted => (Paint::Error, "refuted"),
        Standing::NotProven => (Paint::Warning, "not proven"),
    }
}

fn hop(page: &mut Page<'_>, hop: &Hop) {
    let Hop {
        id,
        caller: _,
        action,
        resource,
        account,
        account_id,
        answer,
        reason,
        statements,
        lacking: _,
        mend,
        simulated,
    } = hop;
    let (paint, word) = match answer {
        Answer::Allowed => (Paint::Added, "ok        "),
        Answer::NotProven => (Paint::Warning, "not proven"),
        Answer::ImplicitlyDenied | Answer::ExplicitlyDenied => (Paint::Error, "denied    "),
    };
    let on = match (id, account) {
        (HopId::TwoPrime | HopId::Three, Some(name)) => format!(" in {name} ({account_id})"),
        (HopId::TwoPrime | HopId::Three, None) => format!(" in {account_id}"),
        (HopId::Zero | HopId::One | HopId::Two | HopId::Four | HopId::Five, _) => {
            format!(" on {resource}")
        }
    };
    page.line(
        4,
        &[
            span(Paint::Faint, "| "),
            plain(format!("{:<2}  ", id.as_str())),
            span(paint, word),
            plain(format!("  {action}{on}")),
        ],
    );
    let is_ok = *answer == Answer::Allowed;
    if !is_ok {
        page.prose(12, plain("because: "), Paint::Plain, reason);
    }
    if !is_ok || page.style().verbose {
        for one in statements {
            statement(page, one);
        }
    } else {
        brief(page, statements);
    }
    if let Some(mend) = mend {
        page.prose(12, span(Paint::Hint, "mend: "), Paint::Plain, mend);
    }
    if let Some(told) = simulated {
        simulation(page, told);
    }
}

/// The statements that allow, as short as they can be told.
fn brief(page: &mut Page<'_>, statements: &[Deciding]) {
    let mut told: Vec<String> = Vec::new();
    for one in statements {
        let text = format!("{}: {}", one.layer, position(one));
        if !told.contains(&text) {
            told.push(text);
        }
    }
    if !told.is_empty() {
        page.line(12, &[span(Paint::Faint, format!("by {}", told.join(", ")))]);
    }
}

fn position(statement: &Deciding) -> String {
    let Deciding {
        policy, index, sid, ..
    } = statement;
    match sid {
        Some(sid) => format!("{policy} Statement[{index}] ({sid})"),
        None => format!("{policy} Statement[{index}]"),
    }
}

fn statement(page: &mut Page<'_>, statement: &Deciding) {
    let effect = effect_word(statement.effect);
    let text = whereabouts(statement);
    page.prose(12, plain(format!("{effect} by ")), Paint::Plain, &text);
}

/// What a statement does, where it stands, and why it does not count where it does not, in one line.
pub(super) fn told(statement: &Deciding) -> String {
    let effect = effect_word(statement.effect);
    format!("{effect} by {}", whereabouts(statement))
}

fn whereabouts(statement: &Deciding) -> String {
    let Deciding {
        layer,
        account_id,
        holder,
        policy: _,
        index: _,
        sid: _,
        effect: _,
        note,
    } = statement;
    let mut text = format!(
        "{layer}: {} on {holder} in account {account_id}",
        position(statement)
    );
    if let Some(note) = note {
        text.push_str(", but ");
        text.push_str(note);
    }
    text
}

fn simulation(page: &mut Page<'_>, simulated: &Simulated) {
    let Simulated { decision, agrees } = simulated;
    let (paint, text) = match (decision, agrees) {
        (Err(why), _) => (Paint::Warning, format!("could not be asked: {why}")),
        (Ok(said), Some(true)) => (Paint::Faint, format!("{said}, which agrees")),
        (Ok(said), Some(false)) => (Paint::Warning, format!("{said}, which DISAGREES")),
        (Ok(said), None) => (Paint::Faint, said.clone()),
    };
    page.prose(12, span(paint, "IAM's simulator: "), Paint::Plain, &text);
}

fn finding(page: &mut Page<'_>, finding: &Finding) {
    let Finding {
        code: _,
        weight,
        message,
        mend,
    } = finding;
    let (paint, word) = match weight {
        Weight::Remark => (Paint::Hint, "remark: "),
        Weight::Breaks => (Paint::Error, "broken: "),
        Weight::Unseen => (Paint::Warning, "not seen: "),
    };
    page.prose(2, span(paint, word), Paint::Plain, message);
    if let Some(mend) = mend {
        page.prose(4, span(Paint::Hint, "mend: "), Paint::Plain, mend);
    }
}

/// The one line that sums the proof up, for reports in other formats.
pub(super) fn sum_up(proof: &Proof) -> String {
    let mut page = Page::new(&Style::PLAIN);
    summary(&mut page, proof);
    page.finish().trim_end().to_owned()
}

/// Writes the one line that sums the proof up.
pub(super) fn summary(page: &mut Page<'_>, proof: &Proof) {
    let count = |wanted| {
        let of = |chain: &&Chain| chain.standing() == wanted;
        proof.chains.iter().filter(of).count()
    };
    let (paint, head) = match proof.standing() {
        Standing::Proven => (Paint::Added, "Proven: "),
        Standing::Refuted => (Paint::Error, "Refuted: "),
        Standing::NotProven => (Paint::Error, "Not proven: "),
    };
    let text = format!(
        "{} proven, {} refuted, {} not proven.",
        words::counted(count(Standing::Proven), "gate"),
        count(Standing::Refuted),
        count(Standing::NotProven)
    );
    page.prose(0, span(paint, head), Paint::Plain, &text);
}
