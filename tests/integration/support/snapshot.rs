//! Everything of both accounts that a gate could touch, as one JSON value, and the difference of two of them.
//! Reads only.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{AttachedPolicy, EntityType, RoleDetail, Tag};
use serde_json::{Map, Value, json};

use super::account::{Account, decoded};
use super::pipeline::Pipelines;

/// All roles, functions and pipelines of an account. Left out: what AWS makes up (ids, dates, a pipeline's `version`).
pub(crate) fn of(account: &Account, pipelines: &Pipelines) -> Value {
    let mut roles = Map::new();
    let mut marker = None;
    loop {
        let call = account.iam.get_account_authorization_details();
        let page = account.run(call.filter(EntityType::Role).set_marker(marker).send());
        for detail in page.role_detail_list() {
            roles.insert(
                detail.role_name().unwrap().to_owned(),
                role(account, detail),
            );
        }
        marker = page.marker().map(str::to_owned);
        if !page.is_truncated() || marker.is_none() {
            break;
        }
    }
    let mut structures = Map::new();
    for name in pipelines.names() {
        let mut structure = pipelines.get(&name);
        structure.as_object_mut().unwrap().shift_remove("version");
        structures.insert(name, structure);
    }
    let list = account.run(account.lambda.list_functions().send());
    let function = |f: &aws_sdk_lambda::types::FunctionConfiguration| {
        let value = json!({"role": f.role(), "handler": f.handler(), "code": f.code_sha256()});
        (f.function_name().unwrap().to_owned(), value)
    };
    let functions: Map<String, Value> = list.functions().iter().map(function).collect();
    json!({"roles": roles, "pipelines": structures, "functions": functions})
}

fn role(account: &Account, detail: &RoleDetail) -> Value {
    let name = detail.role_name().unwrap();
    let read = account.run(account.iam.get_role().role_name(name).send());
    let read = read.role().unwrap();
    let tag = |t: &Tag| (t.key().to_owned(), json!(t.value()));
    let tags: Map<String, Value> = read.tags().iter().map(tag).collect();
    let mut inline = Map::new();
    for policy in account.policy_names(name) {
        let document = account.policy(name, &policy).unwrap();
        inline.insert(policy, document);
    }
    let attached = account.run(
        account
            .iam
            .list_attached_role_policies()
            .role_name(name)
            .send(),
    );
    let arn = |p: &AttachedPolicy| p.policy_arn().unwrap().to_owned();
    let attached: BTreeSet<String> = attached.attached_policies().iter().map(arn).collect();
    let boundary = read
        .permissions_boundary()
        .and_then(|b| b.permissions_boundary_arn());
    json!({
        "path": read.path(),
        "description": read.description(),
        "max_session": read.max_session_duration(),
        "trust": decoded(read.assume_role_policy_document().unwrap()),
        "tags": tags,
        "boundary": boundary,
        "inline": inline,
        "attached": attached,
    })
}

/// Fails with the places that differ.
#[track_caller]
pub(crate) fn assert_same(before: &Value, after: &Value, what: &str) {
    let mut differences = Vec::new();
    compare("", before, after, &mut differences);
    assert!(
        differences.is_empty(),
        "{what}:\n{}",
        differences.join("\n")
    );
}

pub(crate) fn compare(at: &str, before: &Value, after: &Value, into: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(one), Value::Object(two)) => {
            let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
            for key in keys {
                let (one, two) = (one.get(key), two.get(key));
                match (one, two) {
                    (Some(one), Some(two)) => compare(&format!("{at}/{key}"), one, two, into),
                    _ => into.push(format!(
                        "  {at}/{key}: before {}, after {}",
                        shown(one),
                        shown(two)
                    )),
                }
            }
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            for (n, (one, two)) in one.iter().zip(two).enumerate() {
                compare(&format!("{at}/{n}"), one, two, into);
            }
        }
        _ if before == after => {}
        _ => into.push(format!("  {at}: before {before}, after {after}")),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}
