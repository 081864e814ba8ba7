//! The picture in words: every hop and every object of a gate with its state and the reasons, as HTML tables.
//! It adds nothing to the graph, and leaves nothing of it out.

use std::fmt::Write as _;

use crate::model::chain::HopId;
use crate::model::graph::{Condition, Hop, Place, Role, Route, Scene, State};

use super::escape::xml;
use super::look::{self, Tone};

/// Sign and word as a chip of a page; nothing for what nobody asked.
pub(super) fn chip(state: State) -> String {
    if state == State::Wanted {
        return String::new();
    }
    let class = Tone::of(state).class();
    format!(
        "<span class=\"chip {class}\"><span aria-hidden=\"true\">{}</span> {}</span>",
        look::sign(state),
        state.word()
    )
}

/// The hops of a gate. Where none was decided, no answers are shown.
pub(super) fn hops(scene: &Scene, route: &Route) -> String {
    let all: Vec<&Hop> = std::iter::once(&scene.start).chain(&route.hops).collect();
    let is_decided = all.iter().any(|hop| hop.condition.state != State::Wanted);
    let columns: &[&str] = if is_decided {
        &["Hop", "Who", "Call", "On", "Answer"]
    } else {
        &["Hop", "Who", "Call", "On"]
    };
    let mut html = head("Hops", "hops", columns);
    for hop in all {
        let (who, on) = ends(scene, route, hop.id);
        let actions: Vec<String> = hop.actions.iter().map(|action| code(action)).collect();
        let mut cells = vec![("Who", who), ("Call", actions.join("<br/>")), ("On", on)];
        if is_decided {
            cells.push(("Answer", answer(&hop.condition, "not asked")));
        }
        let number = format!("<b class=\"hop\">{}</b>", xml(hop.id.as_str()));
        row(&mut html, &number, &cells);
        why(&mut html, columns.len(), &hop.condition);
    }
    html.push_str("</tbody></table>\n");
    html
}

/// The objects of a gate. Where none was looked at, no states are shown.
pub(super) fn objects(scene: &Scene, route: &Route) -> String {
    let function = &route.function;
    let mut all = vec![object(
        "pipeline action",
        &format!("{} / {}", code(&route.stage), code(&route.action)),
        &scene.pipeline.place,
        &route.condition,
    )];
    role(&mut all, &scene.service_role);
    role(&mut all, &route.invoke_role);
    all.push(object(
        "function",
        &code(function.name.as_str()),
        &function.place,
        &function.condition,
    ));
    role(&mut all, &route.execution_role);
    let is_seen = |object: &Object| object.condition.state != State::Wanted;
    let with_state = all.iter().any(is_seen);
    let columns: &[&str] = if with_state {
        &["Object", "Name", "Account", "State"]
    } else {
        &["Object", "Name", "Account"]
    };
    let mut html = head("Objects", "objects", columns);
    for object in all {
        let mut cells = vec![("Name", object.name), ("Account", object.account)];
        if with_state {
            cells.push(("State", answer(object.condition, "not compared")));
        }
        row(&mut html, &xml(object.noun), &cells);
        why(&mut html, columns.len(), object.condition);
    }
    html.push_str("</tbody></table>\n");
    html
}

/// An object in words; name and account are HTML.
struct Object<'a> {
    noun: &'a str,
    name: String,
    account: String,
    condition: &'a Condition,
}

fn object<'a>(noun: &'a str, name: &str, place: &Place, condition: &'a Condition) -> Object<'a> {
    Object {
        noun,
        name: name.to_owned(),
        account: format!("{} {}", xml(place.name.as_str()), code(place.id.as_str())),
        condition,
    }
}

fn role<'a>(all: &mut Vec<Object<'a>>, role: &'a Role) {
    let Role {
        place,
        use_,
        name: _,
        condition,
        parts,
    } = role;
    let unnamed = || "<span class=\"none\">named in AWS, not read</span>".to_owned();
    let name = role.name.as_deref().map_or_else(unnamed, code);
    all.push(object(use_.noun(), &name, place, condition));
    for part in parts {
        let name = part.name.as_deref().map(code).unwrap_or_default();
        let about = format!("{name} on the {}", use_.noun());
        all.push(object(
            &part.noun,
            about.trim_start(),
            place,
            &part.condition,
        ));
    }
}

fn head(caption: &str, class: &str, columns: &[&str]) -> String {
    let mut html = format!(
        "<table class=\"{class} of{}\"><caption>{caption}</caption><thead><tr>",
        columns.len()
    );
    for column in columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    html
}

/// The cells are HTML.
fn row(html: &mut String, head: &str, cells: &[(&str, String)]) {
    let _ = write!(html, "<tr><th scope=\"row\">{head}</th>");
    for (label, cell) in cells {
        let _ = write!(html, "<td data-label=\"{label}\"><div>{cell}</div></td>");
    }
    html.push_str("</tr>\n");
}

/// The reasons, in a row of their own: they are sentences, and longer than a column is wide.
fn why(html: &mut String, columns: usize, condition: &Condition) {
    if condition.reasons.is_empty() {
        return;
    }
    let _ = write!(
        html,
        "<tr class=\"why {}\"><td></td><td colspan=\"{}\"><div>",
        Tone::of(condition.state).class(),
        columns - 1
    );
    for reason in &condition.reasons {
        let _ = write!(html, "<p>{}</p>", xml(reason));
    }
    html.push_str("</div></td></tr>\n");
}

fn answer(condition: &Condition, none: &str) -> String {
    match condition.state {
        State::Wanted => format!("<span class=\"none\">{none}</span>"),
        state => chip(state),
    }
}

fn ends(scene: &Scene, route: &Route, id: HopId) -> (String, String) {
    let service = role_name(&scene.service_role);
    let invoke = role_name(&route.invoke_role);
    match id {
        HopId::Zero => ("CodePipeline".to_owned(), service),
        HopId::One => (service, invoke),
        HopId::Two => (invoke, code(route.function.name.as_str())),
        HopId::TwoPrime => (invoke, "all functions".to_owned()),
        HopId::Four => (invoke, "the artifact bucket".to_owned()),
        HopId::Five => (invoke, "the artifacts' key".to_owned()),
        HopId::Three => (
            role_name(&route.execution_role),
            "the job of the pipeline".to_owned(),
        ),
    }
}

fn role_name(role: &Role) -> String {
    let unnamed = || format!("the {}", role.use_.noun());
    role.name.as_deref().map_or_else(unnamed, code)
}

/// A name in AWS, which may break behind its marks.
pub(super) fn code(text: &str) -> String {
    let mut html = String::from("<code>");
    for piece in text.split_inclusive(['-', '_', '.', '@', '/', ':']) {
        html.push_str(&xml(piece));
        html.push_str("<wbr/>");
    }
    html.truncate(html.len() - "<wbr/>".len());
    html.push_str("</code>");
    html
}
