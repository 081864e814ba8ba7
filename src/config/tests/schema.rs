//! The JSON Schema that editors read, held to the tables that crossgate reads: the same keys, the same refusals.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use super::{GOOD, parse, with};
use crate::config::parse::TABLES;
use crate::config::{EXAMPLE, SCHEMA, SCHEMA_NAME};

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).unwrap()
}

/// A manifest as an editor sees it.
fn seen(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).unwrap();
    serde_json::to_value(table).unwrap()
}

/// The part of the schema for a table of the manifest.
fn part<'a>(schema: &'a Value, title: &str) -> &'a Value {
    let name = match title {
        "the manifest" => return schema,
        "[accounts.NAME]" => "account",
        "[[gates]]" => "gate",
        "[gates.pipeline]" => "pipeline",
        "[gates.function]" => "function",
        "[gates.invoke_role]" => "invoke_role",
        "[gates.artifacts]" => "artifact_store",
        other => panic!("{other} has no part of the schema"),
    };
    &schema["definitions"][name]
}

/// The keys that a table must have, where nothing completes it: no `[defaults]`, and `id` where there are no `ids`.
fn required<'a>(schema: &'a Value, title: &str) -> &'a Value {
    let gate = &schema["definitions"]["whole_gate"];
    match title {
        "[accounts.NAME]" => &part(schema, title)["oneOf"][0]["required"],
        "[[gates]]" => &gate["required"],
        "[gates.pipeline]" => &gate["properties"]["pipeline"]["required"],
        "[gates.function]" => &gate["properties"]["function"]["required"],
        _ => &part(schema, title)["required"],
    }
}

#[test]
fn the_schema_has_exactly_the_keys_that_are_read_and_requires_the_same() {
    let schema = schema();
    for table in TABLES {
        let part = part(&schema, table.title);
        let properties = part["properties"].as_object().unwrap();
        let written: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        let read: BTreeSet<&str> = table.keys.iter().map(|key| key.name).collect();
        assert_eq!(written, read, "{}", table.title);
        let required = required(&schema, table.title).as_array();
        let written: BTreeSet<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let keys = table.keys.iter().filter(|key| key.required);
        let read: BTreeSet<&str> = keys.map(|key| key.name).collect();
        assert_eq!(written, read, "{}", table.title);
        assert_eq!(
            part["additionalProperties"],
            Value::Bool(false),
            "{}",
            table.title
        );
    }
}

/// taplo shows the description at the key, so each key has one; a key that only refers has that of what it refers to.
#[test]
fn every_key_is_described() {
    let schema = schema();
    for table in TABLES {
        for (name, property) in part(&schema, table.title)["properties"]
            .as_object()
            .unwrap()
        {
            let referred = property["$ref"]
                .as_str()
                .map(|at| at.trim_start_matches('#'));
            let found = referred
                .and_then(|at| schema.pointer(at))
                .unwrap_or(property);
            let text = found["description"].as_str().unwrap_or_default();
            assert!(text.len() > 10, "{}: {name}", table.title);
        }
    }
}

#[test]
fn every_example_manifest_is_valid_and_names_the_schema_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let validator = validator();
    let mut found = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        found += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(&format!("#:schema ./{SCHEMA_NAME}\n")),
            "{}",
            path.display()
        );
        let errors: Vec<String> = validator
            .iter_errors(&seen(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
    assert!(found >= 3, "{found} examples");
    assert_eq!(
        std::fs::read_to_string(folder.join(SCHEMA_NAME)).unwrap(),
        SCHEMA
    );
}

/// Each optional key of the example, switched on: what the comments show is what the schema takes.
#[test]
fn what_the_examples_comments_show_is_valid() {
    let validator = validator();
    let keys: BTreeSet<&str> = TABLES
        .iter()
        .flat_map(|table| table.keys)
        .map(|key| key.name)
        .collect();
    let mut shown = 0;
    for (number, line) in EXAMPLE.lines().enumerate() {
        let Some(rest) = line.strip_prefix("# ") else {
            continue;
        };
        let Some((key, _)) = rest.split_once(" = ") else {
            continue;
        };
        // A profile, an id and a place are there already, and what makes a function needs more than itself.
        let alone = ![
            "ids",
            "assume_role",
            "via",
            "before",
            "runtime",
            "handler",
            "source",
        ]
        .contains(&key);
        let making = ["timeout_seconds", "memory_mb", "environment", "role"].contains(&key);
        if !keys.contains(key) || !alone || making || number < 20 {
            continue;
        }
        shown += 1;
        let lines: Vec<&str> = EXAMPLE
            .lines()
            .enumerate()
            .map(|(n, line)| if n == number { rest } else { line })
            .collect();
        let text = lines.join("\n");
        if key == "tags" && !text[..text.find(rest).unwrap()].contains("[gates.invoke_role]") {
            continue;
        }
        assert!(validator.is_valid(&seen(&text)), "{rest}");
    }
    assert!(shown > 8, "{shown}");
}

#[test]
fn both_take_the_same_manifests() {
    let region = |text: &str| with("region = \"us-east-1\"", &format!("region = \"{text}\""));
    let action = |more: &str| with("action = \"Run\"", &format!("action = \"Run\"\n{more}"));
    let function = |more: &str| {
        with(
            "name = \"MyFunction\"",
            &format!("name = \"MyFunction\"\n{more}"),
        )
    };
    let dev = |more: &str| {
        with(
            "id = \"222222222222\"",
            &format!("id = \"222222222222\"\n{more}"),
        )
    };
    let taken = [
        GOOD.to_owned(),
        region("cn-north-1"),
        region("us-gov-east-1"),
        action("run_order = 999\ntimeout_minutes = 5"),
        action("user_parameters = \"\""),
        action("user_parameters = { a = [1, { b = true }] }"),
        action("user_parameters = [1, 2]"),
        action("input_artifacts = []\noutput_artifacts = [\"a\", \"b_C-1\"]"),
        action("namespace = \"a@b\""),
        format!(
            "{GOOD}[gates.invoke_role]\npath = \"/a/b/\"\ntrust = \"account\"\nlist_functions = false\n"
        ),
        format!(
            "{GOOD}[gates.invoke_role]\npermissions_boundary = \"arn:aws:iam::aws:policy/PowerUserAccess\"\n"
        ),
        format!("{GOOD}[gates.invoke_role]\ntags = {{ \"a b\" = \"\" }}\n"),
        dev("assume_role = \"arn:aws:iam::222222222222:role/a/B\"\nvia = \"tools\""),
        dev("profile = \"a b\""),
    ];
    let refused = [
        with("project = \"checkout\"", ""),
        with("project = \"checkout\"", "project = \"Check Out\""),
        with("project = \"checkout\"", "project = 7"),
        with(
            "project = \"checkout\"",
            "projekt = \"checkout\"\nproject = \"checkout\"",
        ),
        with("[accounts.dev]", "[accounts.\"d v\"]"),
        with("id = \"222222222222\"", "id = 222222222222"),
        with("id = \"222222222222\"", "id = \"22222222222\""),
        with("id = \"222222222222\"", ""),
        dev("profile = \" \""),
        dev("assume_role = \"arn:aws:iam::222222222222:role/B\""),
        dev("via = \"tools\""),
        dev("profile = \"p\"\nassume_role = \"arn:aws:iam::222222222222:role/B\"\nvia = \"tools\""),
        dev("assume_role = \"arn:aws:iam::222222222222:user/B\"\nvia = \"tools\""),
        with("name = \"validate\"", "name = \"va lidate\""),
        with("name = \"validate\"", ""),
        region("narnia"),
        region("US-east-1"),
        with("stage = \"Validate\"", "stage = \"\""),
        with("stage = \"Validate\"", ""),
        action("before = \"Production\""),
        action("run_order = 0"),
        action("run_order = 1000"),
        action("run_order = \"1\""),
        action("timeout_minutes = 4"),
        action("user_parameters = 1"),
        action("input_artifacts = [\"a\", \"a\"]"),
        action("input_artifacts = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]"),
        action("output_artifacts = \"a\""),
        action("namespace = \"a.b\""),
        action("colour = \"blue\""),
        function("runtime = \"python3.13\""),
        function("timeout_seconds = 60"),
        function("source = \"x\""),
        function("source = \"x\"\nruntime = \"python3.13\""),
        function("source = \"x\"\nruntime = \"python2.7\"\nhandler = \"x.y\""),
        function("source = \"x\"\nruntime = \"python3.13\"\nhandler = \"x y\""),
        function("source = \"x\"\nruntime = \"python3.13\"\nhandler = \"x.y\"\nmemory_mb = 64"),
        function(
            "source = \"x\"\nruntime = \"python3.13\"\nhandler = \"x.y\"\nenvironment = { A = \"b\" }",
        ),
        with(
            "name = \"MyFunction\"",
            "name = \"arn:aws:lambda:us-east-1:222222222222:function:f\"",
        ),
        format!("{GOOD}[gates.invoke_role]\npath = \"a\"\n"),
        format!("{GOOD}[gates.invoke_role]\ntrust = \"everybody\"\n"),
        format!("{GOOD}[gates.invoke_role]\nlist_functions = \"yes\"\n"),
        format!("{GOOD}[gates.invoke_role]\ntags = {{ \"crossgate:project\" = \"x\" }}\n"),
        format!("{GOOD}[gates.invoke_role]\npermissions_boundary = \"Boundary\"\n"),
    ];
    agree(&taken, &refused);
}

/// Crossgate and the schema take these, and refuse those.
fn agree(taken: &[String], refused: &[String]) {
    let validator = validator();
    for text in taken {
        parse(text).unwrap_or_else(|errors| panic!("{errors}"));
        let errors: Vec<String> = validator
            .iter_errors(&seen(text))
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{text}\n{errors:#?}");
    }
    for text in refused {
        assert!(parse(text).is_err(), "crossgate takes it:\n{text}");
        assert!(
            !validator.is_valid(&seen(text)),
            "the schema takes it:\n{text}"
        );
    }
}

#[test]
fn both_take_the_same_of_what_is_written_once_for_many() {
    let fleet = include_str!("../../../config/fleet.toml");
    let instead = |old: &str, new: &str| {
        assert!(fleet.contains(old), "{old}");
        fleet.replace(old, new)
    };
    let each = "{ account = [\"dev-*\", \"prod-*\"], check = [\"schema\", \"smoke\", \"policy\"] }";
    let table = "[accounts.\"{name}\".ids]\ndev-payments = \"222222222222\"\ndev-search = \"333333333333\"\nprod-payments = \"444444444444\"\nprod-search = \"555555555555\"\n";
    let ids = |ids: &str| {
        instead(table, "").replace(
            "[accounts.\"{name}\"]\n",
            &format!("[accounts.\"dev-{{id}}\"]\nids = {ids}\n"),
        )
    };
    let by_ids = |text: &str| ids(text).replace("[\"dev-*\", \"prod-*\"]", "\"dev-*\"");
    let taken = [
        fleet.to_owned(),
        instead("region = \"eu-central-1\"", "region = \"{region}\"")
            .replace("policy\"] }", "policy\"], region = [\"us-east-1\"] }"),
        by_ids("[\"222222222222\", \"333333333333\"]"),
        with(
            "name = \"validate\"",
            "name = \"validate-{a}\"\nfor_each = { a = \"x\" }",
        ),
        format!("{GOOD}[defaults.invoke_role]\ntags = {{ a = \"b\" }}\n"),
    ];
    let refused = [
        instead(each, "{}"),
        instead(each, "[\"a\"]"),
        instead(each, "{ account = [], check = \"a\" }"),
        instead(each, "{ account = [1], check = \"a\" }"),
        instead(each, "{ account = [\"dev-*\"], check = [\"a\", \"a\"] }"),
        instead(
            each,
            "{ account = \"dev-*\", check = \"a\", \"a b\" = \"c\" }",
        ),
        instead("name = \"{check}-{account}\"\n", ""),
        instead("[defaults.pipeline]\n", "[defaults.pipelin]\n"),
        instead("stage = \"Checks\"", "stag = \"Checks\""),
        instead("stage = \"Checks\"", "stage = 1"),
        instead(
            "stage = \"Checks\"",
            "stage = \"Checks\"\nbefore = \"Prod\"",
        ),
        by_ids("[]"),
        by_ids("[1]"),
        by_ids("\"222222222222\""),
        by_ids("[\"22222222222\"]"),
        by_ids("[\"222222222222\", \"222222222222\"]"),
        by_ids("[\"222222222222\"]\nid = \"222222222222\""),
        with("name = \"validate\"", "name = \"validate\"\nfor_each = {}"),
    ];
    agree(&taken, &refused);
}
