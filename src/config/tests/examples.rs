//! Manifests that are right, the example files first.

use std::path::Path;

use super::{GOOD, SECOND, and_second, parse, with};
use crate::config::{Config, Credentials, Disk, EXAMPLE, Position, from_bytes, from_text_with};
use crate::model::account::AccountName;
use crate::model::wiring::{Placement, Trust};

const FLEET: &str = include_str!("../../../config/fleet.toml");
const MANY: &str = include_str!("../../../config/many-gates.toml");

#[test]
fn the_example_parses_and_is_the_readme_case() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.project.as_str(), "checkout");
    let [gate] = config.gates.as_slice() else {
        panic!("one gate")
    };
    assert_eq!(gate.name.as_str(), "validate");
    assert_eq!(
        gate.invoke_role.name.as_ref().unwrap().as_str(),
        "DevAccount-CodePipeline-InvokeRole"
    );
    let line = EXAMPLE
        .lines()
        .position(|line| line == "[[gates]]")
        .unwrap()
        + 1;
    assert_eq!(gate.position, Position { line, column: 1 });
}

/// A manifest in the folder `config`, where the handlers are.
fn parse_with_handlers(text: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/crossgate.toml");
    let disk = Disk::new(&path, false);
    from_text_with(&path, text, &disk).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_example_of_a_made_function_has_a_handler_that_is_found() {
    let config = parse_with_handlers(include_str!("../../../config/made-function.toml"));
    let made = config.gates[0].function.made.as_ref().unwrap();
    assert_eq!(made.handler, "handler.handler");
    assert_eq!(made.package.files, 1);
}

#[test]
fn the_example_of_a_fleet_is_written_out() {
    let config = parse(FLEET).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((config.accounts.len(), config.gates.len()), (5, 12));
    let gate = &config.gates[1];
    assert_eq!(gate.name.as_str(), "smoke-dev-payments");
    let boundary = gate.invoke_role.permissions_boundary.as_deref();
    assert_eq!(boundary, Some("arn:aws:iam::222222222222:policy/Boundary"));
    let tags: Vec<(&str, &str)> = gate
        .invoke_role
        .tags
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(tags, [("check", "smoke"), ("team", "platform")]);
}

/// Every key of the schema is in the example, and with all optional keys switched on it still parses.
#[test]
fn the_example_has_every_key_and_each_parses() {
    let schemas = crate::config::parse::TABLES;
    for key in schemas.iter().flat_map(|schema| schema.keys) {
        let written = EXAMPLE.lines().any(|line| {
            let line = line.trim_start_matches("# ");
            line.starts_with(&format!("{} = ", key.name))
                || line.contains(&format!("{}]", key.name))
                || line.contains(&format!("[{}.", key.name))
        });
        assert!(written, "`{}` is not in the example", key.name);
    }
    let exclusive = [
        "profile = \"dev\"",
        "after = ",
        "# user_parameters = \"strict\"",
        // What stands for many in place of one.
        "# ids = ",
        "# for_each = ",
    ];
    let all: Vec<&str> = EXAMPLE
        .lines()
        .filter(|line| !exclusive.iter().any(|key| line.starts_with(key)))
        .map(|line| {
            let key = line.strip_prefix("# ").filter(|rest| {
                rest.split_once(" = ").is_some_and(|(key, _)| {
                    schemas
                        .iter()
                        .flat_map(|schema| schema.keys)
                        .any(|known| known.name == key)
                })
            });
            key.unwrap_or(line)
        })
        .collect();
    let config = parse_with_handlers(&all.join("\n"));
    let gate = &config.gates[0];
    let made = gate.function.made.as_ref().unwrap();
    assert_eq!(made.environment.0["LEVEL"], "strict");
    assert!(made.role.is_some() && made.package.files > 0);
    let action = &gate.action;
    assert_eq!(
        action.placement,
        Some(Placement::Before(
            crate::model::name::StageName::new("Production").unwrap()
        ))
    );
    assert_eq!(
        action.user_parameters.as_deref(),
        Some(r#"{"level":"strict","retries":2}"#)
    );
    assert_eq!(
        (action.run_order, action.timeout_minutes),
        (Some(1), Some(30))
    );
    assert_eq!(action.namespace.as_ref().unwrap().as_str(), "Validation");
    assert_eq!(action.input_artifacts.as_ref().unwrap().len(), 1);
    assert_eq!(action.output_artifacts.as_ref().unwrap().len(), 1);
    let role = &gate.invoke_role;
    assert_eq!(role.trust, Some(Trust::ServiceRole));
    assert_eq!(role.list_functions, Some(true));
    assert_eq!(role.path.as_ref().unwrap().as_str(), "/pipelines/");
    assert_eq!(role.tags["cost-centre"], "4711");
    assert_eq!(
        role.permissions_boundary.as_deref(),
        Some("arn:aws:iam::222222222222:policy/Boundary")
    );
    let dev = &config.accounts[&AccountName::new("dev").unwrap()];
    assert!(
        matches!(&dev.credentials, Credentials::AssumeRole { via, .. } if via.as_str() == "tools")
    );
}

#[test]
fn the_example_of_many_gates_parses_in_the_order_written() {
    let config = parse(MANY).unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = config.gates.iter().map(|gate| gate.name.as_str()).collect();
    assert_eq!(names, ["validate", "smoke", "approve", "audit"]);
    assert_eq!(config.accounts.len(), 5);
    assert_eq!(
        config.gates[0].action.user_parameters.as_deref(),
        Some(r#"{"level":"strict","tables":["orders","customers"]}"#)
    );
}

#[test]
fn credentials_are_a_profile_the_chain_or_a_role() {
    let config = parse(MANY).unwrap();
    let of = |name: &str| {
        let account = &config.accounts[&AccountName::new(name).unwrap()];
        account.credentials.to_string()
    };
    assert_eq!(of("org"), "profile `org-admin`");
    assert_eq!(
        of("dev"),
        "role arn:aws:iam::222222222222:role/OrganizationAccountAccessRole assumed via `org`"
    );
    let config = parse(GOOD).unwrap();
    let dev = &config.accounts[&AccountName::new("dev").unwrap()];
    assert_eq!(dev.credentials, Credentials::DefaultChain);
}

#[test]
fn the_position_of_each_gate_is_kept() {
    let config = parse(&format!("{GOOD}{SECOND}")).unwrap();
    let lines: Vec<usize> = config.gates.iter().map(|gate| gate.position.line).collect();
    assert_eq!(lines, [10, 23]);
}

#[test]
fn inline_tables_dotted_keys_and_windows_line_ends_are_the_same_manifest() {
    let inline = r#"
        project = "checkout"
        accounts = { tools = { id = "111111111111", profile = "tools" }, dev = { id = "222222222222" } }
        gates = [ { name = "validate", pipeline = { account = "tools", region = "us-east-1", name = "MyPipeline",
            stage = "Validate", action = "Run", after = "Deploy" }, function.account = "dev", function.name = "MyFunction" } ]
    "#;
    let good = parse(GOOD).unwrap();
    let without_positions = |mut config: Config| {
        for gate in &mut config.gates {
            gate.position = Position { line: 1, column: 1 };
        }
        config
    };
    assert_eq!(
        without_positions(parse(inline).unwrap_or_else(|errors| panic!("{errors}"))),
        without_positions(good.clone())
    );
    assert_eq!(parse(&GOOD.replace('\n', "\r\n")).unwrap(), good);
    let with_mark = [b"\xef\xbb\xbf", GOOD.as_bytes()].concat();
    assert_eq!(
        from_bytes(Path::new("crossgate.toml"), &with_mark).unwrap(),
        good
    );
}

#[test]
fn a_gate_may_join_the_stage_of_another_and_share_its_role() {
    let text = and_second(
        "stage = \"Second\"\naction = \"Run\"",
        "stage = \"Validate\"\naction = \"Other\"",
    );
    let text = format!(
        "{text}[gates.invoke_role]\nname = \"crossgate-checkout-validate\"\npath = \"/\"\n"
    );
    assert_eq!(
        parse(&text)
            .unwrap_or_else(|errors| panic!("{errors}"))
            .gates
            .len(),
        2
    );
}

#[test]
fn user_parameters_keep_the_order_written() {
    let table = "after = \"Deploy\"\n[gates.pipeline.user_parameters]\nzeta = 1\nalpha.b = true\nm = [1.5, \"ü\"]\nalpha.a = -0x_1\n";
    let text = with("after = \"Deploy\"\n", &table.replace("-0x_1", "0x1F"));
    let config = parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        config.gates[0].action.user_parameters.as_deref(),
        Some(r#"{"zeta":1,"alpha":{"b":true,"a":31},"m":[1.5,"ü"]}"#)
    );
}

#[test]
fn a_thousand_characters_are_allowed_whatever_their_bytes() {
    let line = |text: &str| format!("after = \"Deploy\"\nuser_parameters = \"{text}\"");
    let config = parse(&with("after = \"Deploy\"", &line(&"ü".repeat(1000)))).unwrap();
    let kept = config.gates[0].action.user_parameters.as_deref().unwrap();
    assert_eq!((kept.chars().count(), kept.len()), (1000, 2000));
    assert!(parse(&with("after = \"Deploy\"", &line(&"u".repeat(1001)))).is_err());
    let empty = parse(&with("after = \"Deploy\"", &line(""))).unwrap();
    assert_eq!(empty.gates[0].action.user_parameters.as_deref(), Some(""));
}
