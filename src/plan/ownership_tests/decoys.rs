//! What looks like the project's and is somebody's: before the first run, and put there between two runs.
//! Test code only.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::manifests::{Gate, MADE, Manifest};
use super::oracle::sid;
use crate::model::arn::RoleArn;
use crate::model::change::Intent;
use crate::model::read::AttachedPolicy;
use crate::world::random::Random;
use crate::world::{World, function, options, service_trust};

/// Puts something into the accounts.
pub(super) type Decoy = fn(&World, &mut Random, &Manifest);

/// What is there before the first run.
pub(super) const BEFORE: [(&str, Decoy); 14] = [
    ("roles with nearly the name", roles_with_nearly_the_name),
    ("roles with nearly the tag", roles_with_nearly_the_tag),
    ("the role's name in other accounts", the_name_elsewhere),
    (
        "policies with nearly the name",
        policies_with_nearly_the_name,
    ),
    ("actions in other stages", actions_in_other_stages),
    ("actions in the gate's stage", actions_in_the_stage),
    ("pipelines of the same name", pipelines_elsewhere),
    ("functions with nearly the name", functions),
    ("sids in function policies", function_policies),
    ("sids in bucket and key policies", store_policies),
    ("sids in trust policies", trusts),
    ("managed policies with the names", managed),
    ("gates of other projects", other_projects),
    ("the project's other objects", own_objects),
];

/// What keeps a bootstrap from going on, or is adopted.
pub(super) const IN_THE_WAY: [(&str, Decoy); 4] = [
    ("somebody's role of the name", role_in_the_way),
    ("another project's role of the name", other_role_in_the_way),
    ("somebody's action in the place", action_in_the_way),
    ("somebody's function of the name", function_in_the_way),
];

/// What somebody does between two runs.
pub(super) const BETWEEN: [(&str, Decoy); 7] = [
    ("policies on our roles", policies_on_ours),
    ("tags on our roles and functions", tags_on_ours),
    ("actions through our roles", actions_through_ours),
    ("our statements with other sids", statements_like_ours),
    ("functions that run as our roles", functions_as_ours),
    (
        "policies with nearly the name",
        policies_with_nearly_the_name,
    ),
    ("gates of other projects", other_projects),
];

/// Projects whose names begin with ours, and with which ours begins.
const OTHERS: [&str; 9] = [
    "check",
    "check-out-a",
    "checkout-a",
    "checkout-invoke",
    "checkout-fn",
    "checkouts",
    "crossgate",
    "a-checkout",
    "x",
];

fn document(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
        .to_string()
}

fn variant(name: &str, random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("{name}2"),
        1 => name.replacen("cross", "Cross", 1),
        2 => name[..name.len() - 1].to_owned(),
        3 => format!("{name}-x"),
        4 => name.replace("crossgate-", "crossgate-x-"),
        _ => name.to_uppercase(),
    }
}

fn other(random: &mut Random, manifest: &Manifest) -> &'static str {
    let others: Vec<&str> = OTHERS
        .into_iter()
        .filter(|name| *name != manifest.project)
        .collect();
    random.pick::<&str>(&others)
}

fn tagged(world: &World, account: &str, role: &str, tags: &[(&str, &str)]) {
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    world.edit_role(account, role, |r| r.role.tags.extend(tags));
}

fn has_role(world: &World, account: &str, role: &str) -> bool {
    world.snapshot()[account].roles.contains_key(role)
}

/// A role that nobody has, with a policy of its own.
fn add_role(world: &World, account: &str, name: &str) -> bool {
    if has_role(world, account, name) {
        return false;
    }
    world.add_role(account, name, &service_trust("ec2.amazonaws.com"));
    world.put_inline(account, name, "own", &document("s3:*"));
    true
}

fn roles_with_nearly_the_name(world: &World, random: &mut Random, manifest: &Manifest) {
    for gate in &manifest.gates {
        let name = variant(&gate.role_name(manifest.project), random);
        add_role(world, gate.account, &name);
        if gate.is_made() {
            let made = format!("crossgate-{}-fn-{}", manifest.project, gate.function);
            add_role(world, gate.account, &variant(&made, random));
        }
    }
}

fn roles_with_nearly_the_tag(world: &World, random: &mut Random, manifest: &Manifest) {
    let project = manifest.project;
    let upper = project.to_uppercase();
    let (spaced, behind) = (format!(" {project}"), format!("{project} "));
    let longer = format!("{project}-a");
    let tags = [
        ("crossgate:project", upper.as_str()),
        ("crossgate:project", spaced.as_str()),
        ("crossgate:project", behind.as_str()),
        ("crossgate:project", longer.as_str()),
        ("crossgate:project", &project[..project.len() - 1]),
        ("crossgate:project", ""),
        ("crossgate:project", "*"),
        ("Crossgate:Project", project),
        ("crossgate:Project", project),
        ("crossgate:projects", project),
        ("crossgate:project ", project),
        ("project", project),
        ("crossgate:adopted", "list"),
    ];
    for number in 0..3 {
        let account = *random.pick(&["dev", "tools", "third"]);
        let name = format!("crossgate-{project}-tagged-{number}");
        if add_role(world, account, &name) {
            tagged(world, account, &name, &[*random.pick(&tags)]);
        }
    }
}

fn the_name_elsewhere(world: &World, random: &mut Random, manifest: &Manifest) {
    for gate in &manifest.gates {
        let name = gate.role_name(manifest.project);
        let elsewhere = if gate.account == "dev" {
            "tools"
        } else {
            "dev"
        };
        let other = other(random, manifest);
        for account in [elsewhere, "third"] {
            let is_named = |g: &Gate| g.account == account && g.role_name(manifest.project) == name;
            if manifest.gates.iter().any(is_named) {
                continue;
            }
            if add_role(world, account, &name) && random.percent(50) {
                tagged(world, account, &name, &[("crossgate:project", other)]);
            }
        }
        // The third account is in no manifest: even the exact tag there is nobody's business.
        if random.percent(30) {
            tagged(
                world,
                "third",
                &name,
                &[("crossgate:project", manifest.project)],
            );
            let policy = format!("crossgate-{}-invoke", manifest.project);
            world.put_inline("third", &name, &policy, &document("lambda:*"));
        }
    }
}

fn policies_with_nearly_the_name(world: &World, random: &mut Random, manifest: &Manifest) {
    let roles: Vec<(String, String)> = world
        .snapshot()
        .iter()
        .flat_map(|(account, a)| a.roles.keys().map(|r| (account.clone(), r.clone())))
        .collect();
    let (project, other) = (manifest.project, other(random, manifest));
    let purposes = ["invoke", "callback", "assume", "logs", "artifacts"];
    for _ in 0..6 {
        let (account, role) = random.pick(&roles).clone();
        let purpose = *random.pick(&purposes);
        let name = match random.below(6) {
            0 => format!("crossgate-{project}-x-{purpose}"),
            1 => format!("crossgate-{project}-{purpose}s"),
            2 => format!("Crossgate-{project}-{purpose}"),
            3 => format!("crossgate-{project}-{}", purpose.to_uppercase()),
            4 => format!("crossgate-{project}{purpose}"),
            _ => format!("crossgate-{other}-{purpose}"),
        };
        world.put_inline(&account, &role, &name, &document("sts:AssumeRole"));
    }
}

fn action(name: &str, role: Option<&str>, random: &mut Random) -> Value {
    let (category, owner, provider) = *random.pick(&[
        ("Invoke", "AWS", "Lambda"),
        ("Invoke", "AWS", "Lambda"),
        ("Invoke", "Custom", "Lambda"),
        ("Build", "AWS", "CodeBuild"),
        ("Approval", "AWS", "Manual"),
    ]);
    let mut action = json!({"name": name,
        "actionTypeId": {"category": category, "owner": owner, "provider": provider, "version": "1"},
        "configuration": {"FunctionName": "Theirs", "theirs": "x"}, "aFieldOfTheirs": [1.50]});
    if let Some(role) = role {
        action["roleArn"] = json!(role);
    }
    action
}

fn role_arn(gate: &Gate, project: &str) -> String {
    let id = if gate.account == "dev" {
        "222222222222"
    } else {
        "111111111111"
    };
    format!("arn:aws:iam::{id}:role/{}", gate.role_name(project))
}

fn push_action(world: &World, pipeline: &str, stage: &str, action: Value) {
    world.edit_pipeline(pipeline, |p| {
        let stages = p["stages"].as_array_mut().unwrap();
        match stages.iter_mut().find(|s| s["name"] == json!(stage)) {
            Some(stage) => stage["actions"].as_array_mut().unwrap().push(action),
            None => stages.push(json!({"name": stage, "actions": [action], "theirs": null})),
        }
    });
}

fn actions_in_other_stages(world: &World, random: &mut Random, manifest: &Manifest) {
    for gate in &manifest.gates {
        let name = gate.role_name(manifest.project);
        let roles = [
            None,
            Some(format!("arn:aws:iam::333333333333:role/{name}")),
            Some(format!("arn:aws:iam::222222222222:role/x/{name}")),
            Some(format!("arn:aws:iam::222222222222:role/{name}2")),
            Some("****".to_owned()),
        ];
        let role = random.pick(&roles).clone();
        let (stage, pipeline) = match random.below(3) {
            0 => ("Prod-2".to_owned(), gate.pipeline),
            1 => (gate.stage.to_uppercase(), gate.pipeline),
            _ => (
                "Theirs".to_owned(),
                *random.pick(&["MyPipeline", "OtherPipeline"]),
            ),
        };
        let action = action(&gate.action, role.as_deref(), random);
        push_action(world, pipeline, &stage, action);
    }
}

fn actions_in_the_stage(world: &World, random: &mut Random, manifest: &Manifest) {
    for gate in &manifest.gates {
        let name = variant(&format!("x{}", gate.action), random);
        let role = random
            .percent(50)
            .then_some("arn:aws:iam::333333333333:role/Theirs");
        let action = action(&name, role, random);
        push_action(world, gate.pipeline, &gate.stage, action);
    }
}

/// In another region and in the function's account, with actions that are ours in all but the place.
fn pipelines_elsewhere(world: &World, random: &mut Random, manifest: &Manifest) {
    for gate in &manifest.gates {
        let mut copy = crate::world::pipeline(gate.pipeline, "ServiceRole");
        let mut twin = action(
            &gate.action,
            Some("arn:aws:iam::333333333333:role/Theirs"),
            random,
        );
        twin["actionTypeId"] =
            json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
        if random.percent(30) {
            // Through a role that the manifest's gate has: it may be somebody's own use of it.
            twin["roleArn"] = json!(role_arn(gate, manifest.project));
        }
        let stages = copy["stages"].as_array_mut().unwrap();
        stages.push(json!({"name": gate.stage, "actions": [twin]}));
        let region = *random.pick(&["eu-west-1", "us-east-2"]);
        let account = *random.pick(&["tools", "dev", "third"]);
        world.edit(account, |a| {
            let key = (region.to_owned(), gate.pipeline.to_owned());
            a.pipelines.insert(key, copy);
        });
    }
}

fn add_function(world: &World, account: &str, region: &str, name: &str, tags: &[(&str, &str)]) {
    world.edit(account, |a| {
        let key = (region.to_owned(), name.to_owned());
        if a.functions.contains_key(&key) {
            return;
        }
        let role = format!("arn:aws:iam::{}:role/TheirRole", a.id);
        let mut made = function(region, &a.id, name, RoleArn::parse(&role).unwrap());
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        made.tags = Some(tags.collect());
        a.functions.insert(key, made);
    });
}

fn functions(world: &World, random: &mut Random, manifest: &Manifest) {
    for name in MADE {
        let close = variant(name, random);
        let other = other(random, manifest);
        let tags: &[&[(&str, &str)]] = &[
            &[],
            &[("crossgate:project", other)],
            &[("Crossgate:project", manifest.project)],
            &[("team", "platform")],
        ];
        let account = *random.pick(&["dev", "tools", "third"]);
        add_function(
            world,
            account,
            "us-east-1",
            &close,
            random.pick::<&[(&str, &str)]>(tags),
        );
        // The same name in a region that the manifest does not have.
        add_function(
            world,
            "dev",
            "eu-west-1",
            name,
            random.pick::<&[(&str, &str)]>(tags),
        );
    }
}

fn function_policies(world: &World, random: &mut Random, manifest: &Manifest) {
    let sid = sid(manifest.project);
    for name in ["MyFunction", "OtherFunction", "made"] {
        let sid = match random.below(3) {
            0 => sid.clone(),
            1 => format!("{sid}Read"),
            _ => format!("crossgate-{}-invoke", manifest.project),
        };
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": "*"}]});
        world.edit("dev", |a| {
            let key = ("us-east-1".to_owned(), name.to_owned());
            a.function_policies.insert(key.clone(), policy.to_string());
            a.reserved.insert(key, 5);
        });
    }
}

/// Adds a statement to the policy, which keeps its form.
fn add_statement(text: &mut String, statement: Value) {
    let mut policy: Value = serde_json::from_str(text).unwrap();
    policy["Statement"] = match policy["Statement"].take() {
        Value::Array(mut list) => {
            list.push(statement);
            Value::Array(list)
        }
        one => json!([one, statement]),
    };
    *text = policy.to_string();
}

fn odd_sids(project: &str) -> Vec<String> {
    let sid = sid(project);
    vec![
        format!("{sid}ReadRead"),
        format!("{sid}AWrite"),
        format!("{sid}2Read"),
        format!("{}Read", sid.to_lowercase()),
        format!("{sid}read"),
        sid,
        "crossgateXRead".to_owned(),
    ]
}

fn store_policies(world: &World, random: &mut Random, manifest: &Manifest) {
    for _ in 0..3 {
        let sid = random.pick(&odd_sids(manifest.project)).clone();
        let statement = json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"});
        let key = json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
            "Action": "kms:Decrypt", "Resource": "*"});
        world.edit("tools", |a| {
            if let Some(text) = a.buckets.get_mut("bucket") {
                add_statement(text, statement.clone());
            }
            add_statement(a.keys.get_mut("1111-22").unwrap(), key);
            let theirs = json!({"Version": "2012-10-17", "Statement": statement});
            a.buckets
                .insert("their-bucket".to_owned(), theirs.to_string());
        });
    }
}

fn trusts(world: &World, random: &mut Random, manifest: &Manifest) {
    let sid = sid(manifest.project);
    for (account, role) in [
        ("dev", "ExecutionRole"),
        ("tools", "ServiceRole"),
        ("dev", "OtherRole"),
    ] {
        let sid = random
            .pick(&[format!("{sid}2"), sid.to_lowercase(), sid.clone()])
            .clone();
        let statement = json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
            "Action": "sts:AssumeRole"});
        world.edit_role(account, role, |r| {
            add_statement(&mut r.role.trust, statement);
        });
    }
}

fn managed(world: &World, random: &mut Random, manifest: &Manifest) {
    let project = manifest.project;
    for (account, role) in [
        ("dev", "ExecutionRole"),
        ("tools", "ServiceRole"),
        ("dev", "OtherRole"),
    ] {
        let purpose = *random.pick(&["invoke", "callback", "assume"]);
        let name = format!("crossgate-{project}-{purpose}");
        world.attach(account, role, &name, &document("sts:*"));
    }
}

/// Really wired by crossgate, on the same roles, pipelines, functions and buckets.
fn other_projects(world: &World, random: &mut Random, manifest: &Manifest) {
    for _ in 0..2 {
        let project = other(random, manifest);
        let mut theirs = Manifest::new(project, random);
        for gate in &mut theirs.gates {
            gate.action = format!("{}-{project}", gate.action);
            if random.percent(70) && gate.stage != "Prod" {
                gate.stage = format!("{}-{project}", gate.stage);
            }
            // What they make would be in our way; there are worlds for that.
            if gate.is_made() && manifest.gates.iter().any(Gate::is_made) {
                gate.function = "OtherFunction";
            }
            gate.role = None;
        }
        world.run(&theirs.wiring(), &options(Intent::Bootstrap));
    }
}

/// What carries the project's exact tag or names, and that no gate has: only prune may take it.
fn own_objects(world: &World, random: &mut Random, manifest: &Manifest) {
    let project = manifest.project;
    for number in 0..2 {
        let account = *random.pick(&["dev", "tools"]);
        let name = format!("crossgate-{project}-old-{number}");
        if add_role(world, account, &name) {
            tagged(world, account, &name, &[("crossgate:project", project)]);
            world.edit_role(account, &name, |r| {
                if random.percent(50) {
                    r.inline.clear();
                }
            });
            let policy = format!("crossgate-{project}-invoke");
            world.put_inline(account, &name, &policy, &document("lambda:*"));
        }
    }
    let policy = format!("crossgate-{project}-callback");
    world.put_inline("dev", "Bystander", &policy, &document("codepipeline:*"));
    if random.percent(50) {
        let name = format!("old-{project}");
        add_function(
            world,
            "dev",
            "us-east-1",
            &name,
            &[("crossgate:project", project)],
        );
        world.edit("dev", |a| {
            let key = ("us-east-1".to_owned(), name);
            let role = format!("arn:aws:iam::222222222222:role/crossgate-{project}-old-0");
            a.functions.get_mut(&key).unwrap().role = RoleArn::parse(&role).unwrap();
        });
    }
}

fn role_in_the_way(world: &World, random: &mut Random, manifest: &Manifest) {
    let gate = random.pick(&manifest.gates);
    let name = gate.role_name(manifest.project);
    if add_role(world, gate.account, &name) {
        tagged(world, gate.account, &name, &[("team", "theirs")]);
    }
}

fn other_role_in_the_way(world: &World, random: &mut Random, manifest: &Manifest) {
    role_in_the_way(world, random, manifest);
    let other = other(random, manifest);
    for gate in &manifest.gates {
        let name = gate.role_name(manifest.project);
        if has_role(world, gate.account, &name) {
            tagged(world, gate.account, &name, &[("crossgate:project", other)]);
        }
    }
}

fn action_in_the_way(world: &World, random: &mut Random, manifest: &Manifest) {
    let gate = random.pick(&manifest.gates).clone();
    let role = random
        .percent(50)
        .then_some("arn:aws:iam::222222222222:role/Theirs");
    let action = action(&gate.action, role, random);
    push_action(world, gate.pipeline, &gate.stage, action);
}

fn function_in_the_way(world: &World, random: &mut Random, manifest: &Manifest) {
    let other = other(random, manifest);
    let tags: &[&[(&str, &str)]] = &[&[], &[("crossgate:project", other)]];
    for gate in manifest.gates.iter().filter(|gate| gate.is_made()) {
        add_function(
            world,
            gate.account,
            "us-east-1",
            gate.function,
            random.pick::<&[(&str, &str)]>(tags),
        );
    }
}

/// The roles that carry the project's tag.
fn ours(world: &World, manifest: &Manifest) -> Vec<(String, String)> {
    let accounts = world.snapshot();
    let all = accounts.iter().flat_map(|(account, a)| {
        let of = |r: &&crate::world::WorldRole| {
            r.role.tags.get("crossgate:project").map(String::as_str) == Some(manifest.project)
        };
        let ours = a.roles.values().filter(of);
        ours.map(|r| (account.clone(), r.role.arn.name.to_string()))
    });
    all.filter(|(account, _)| account != "third").collect()
}

fn policies_on_ours(world: &World, random: &mut Random, manifest: &Manifest) {
    let other = other(random, manifest);
    for (account, role) in ours(world, manifest) {
        match random.below(4) {
            0 => world.put_inline(&account, &role, "theirs", &document("s3:*")),
            1 => {
                let policy = format!("crossgate-{other}-invoke");
                world.put_inline(&account, &role, &policy, &document("lambda:*"));
            }
            2 => world.edit_role(&account, &role, |r| {
                r.attached.push(AttachedPolicy {
                    name: "ReadOnlyAccess".to_owned(),
                    arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
                });
            }),
            _ => {}
        }
    }
}

fn tags_on_ours(world: &World, random: &mut Random, manifest: &Manifest) {
    for (account, role) in ours(world, manifest) {
        tagged(world, &account, &role, &[("cost", "7")]);
        if random.percent(30) {
            world.edit_role(&account, &role, |r| {
                let boundary = "arn:aws:iam::222222222222:policy/Boundary";
                r.role.permissions_boundary = Some(boundary.to_owned());
            });
        }
    }
    world.edit("dev", |a| {
        for function in a.functions.values_mut() {
            let tags = function.tags.get_or_insert_with(BTreeMap::new);
            tags.insert("cost".to_owned(), "7".to_owned());
        }
    });
}

fn actions_through_ours(world: &World, random: &mut Random, manifest: &Manifest) {
    let gate = random.pick(&manifest.gates).clone();
    let role = role_arn(&gate, manifest.project);
    let action = action("Theirs", Some(&role), random);
    let stage = *random.pick(&["Prod", "Theirs"]);
    push_action(world, gate.pipeline, stage, action);
}

fn statements_like_ours(world: &World, random: &mut Random, manifest: &Manifest) {
    let sid = sid(manifest.project);
    let odd = odd_sids(manifest.project);
    world.edit("tools", |a| {
        let texts = a.buckets.values_mut().chain(a.keys.values_mut());
        for text in texts {
            let policy: Value = serde_json::from_str(text).unwrap();
            let Some(all) = policy["Statement"].as_array() else {
                continue;
            };
            let is_ours = |s: &&Value| s["Sid"].as_str() == Some(format!("{sid}Read").as_str());
            if let Some(mut twin) = all.iter().find(is_ours).cloned() {
                twin["Sid"] = json!(random.pick(&odd));
                add_statement(text, twin.clone());
                twin.as_object_mut().unwrap().shift_remove("Sid");
                add_statement(text, twin);
            }
        }
    });
}

fn functions_as_ours(world: &World, random: &mut Random, manifest: &Manifest) {
    let other = other(random, manifest);
    for gate in manifest.gates.iter().filter(|gate| gate.is_made()) {
        let role = format!("crossgate-{}-fn-{}", manifest.project, gate.function);
        if !has_role(world, gate.account, &role) {
            continue;
        }
        if random.percent(50) {
            let policy = format!("crossgate-{other}-callback");
            world.put_inline(gate.account, &role, &policy, &document("codepipeline:*"));
        } else {
            add_function(world, gate.account, "us-east-1", "Guest", &[]);
            world.edit(gate.account, |a| {
                let arn = a.roles[&role].role.arn.clone();
                let key = ("us-east-1".to_owned(), "Guest".to_owned());
                a.functions.get_mut(&key).unwrap().role = arn;
            });
        }
    }
}
