//! What a manifest says once for many: defaults, `for_each`, accounts by pattern.

use std::fmt::Write as _;
use std::time::Instant;

use super::{GOOD, messages, parse, refused};

const HEAD: &str = r#"project = "checkout"
[accounts.tools]
id = "111111111111"
profile = "tools"
[accounts."dev-{id}"]
ids = ["222222222222", "333333333333"]
assume_role = "arn:aws:iam::{id}:role/Deploy"
via = "tools"
"#;

const DEFAULTS: &str = r#"[defaults.pipeline]
account = "tools"
region = "us-east-1"
stage = "Validate"
action = "Run"
after = "Deploy"
[defaults.function]
name = "validate"
[defaults.invoke_role]
tags = { team = "platform", tier = "1" }
"#;

const GATE: &str = r#"[[gates]]
name = "validate-{account}"
for_each = { account = "dev-*" }
pipeline = { name = "release-{account}", user_parameters = { account = "{account.id}", keep = "{x}" } }
function = { account = "{account}" }
invoke_role = { tags = { tier = "2" } }
"#;

fn fleet(gate: &str) -> String {
    format!("{HEAD}{DEFAULTS}{gate}")
}

/// The names of the gates.
fn names(text: &str) -> Vec<String> {
    let config = parse(text).unwrap_or_else(|errors| panic!("{errors}"));
    config
        .gates
        .iter()
        .map(|gate| gate.name.to_string())
        .collect()
}

#[test]
fn a_short_manifest_is_the_long_one() {
    let mut long =
        "project = \"checkout\"\n[accounts.tools]\nid = \"111111111111\"\nprofile = \"tools\"\n"
            .to_owned();
    for id in ["222222222222", "333333333333"] {
        writeln!(long, "[accounts.dev-{id}]\nid = \"{id}\"\nassume_role = \"arn:aws:iam::{id}:role/Deploy\"\nvia = \"tools\"\n\
             [[gates]]\nname = \"validate-dev-{id}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\n\
             name = \"release-dev-{id}\"\nstage = \"Validate\"\naction = \"Run\"\nafter = \"Deploy\"\n\
             user_parameters = {{ account = \"{id}\", keep = \"{{x}}\" }}\n[gates.function]\naccount = \"dev-{id}\"\n\
             name = \"validate\"\n[gates.invoke_role]\ntags = {{ team = \"platform\", tier = \"2\" }}"
        ).unwrap();
    }
    let (mut short, mut long) = (parse(&fleet(GATE)).unwrap(), parse(&long).unwrap());
    for gate in short.gates.iter_mut().chain(&mut long.gates) {
        gate.position = crate::config::Position { line: 1, column: 1 };
    }
    assert_eq!(short, long);
}

#[test]
fn every_combination_is_a_gate_in_the_order_written() {
    let gate = GATE
        .replace("validate-{account}", "{region}-{account}-{size}")
        .replace(
            r#"{ account = "dev-*" }"#,
            r#"{ size = ["b", "a"], region = ["us-east-1", "eu-west-1"], account = ["dev-333333333333"] }"#,
        )
        .replace("pipeline = {", "pipeline = { action = \"{size}\", region = \"{region}\",");
    assert_eq!(
        names(&fleet(&gate)),
        [
            "us-east-1-dev-333333333333-b",
            "eu-west-1-dev-333333333333-b",
            "us-east-1-dev-333333333333-a",
            "eu-west-1-dev-333333333333-a"
        ]
    );
}

#[test]
fn accounts_by_a_table_of_names() {
    let text = fleet(GATE).replace("dev-{id}", "dev-{name}").replace(
        r#"["222222222222", "333333333333"]"#,
        r#"{ one = "222222222222", two = "333333333333" }"#,
    );
    assert_eq!(names(&text), ["validate-dev-one", "validate-dev-two"]);
}

#[test]
fn a_gate_s_own_word_goes_before_the_defaults() {
    let gate = GATE.replace(
        "pipeline = {",
        "pipeline = { before = \"Prod\", region = \"eu-west-1\",",
    );
    let config = parse(&fleet(&gate)).unwrap();
    let gate = &config.gates[0];
    assert_eq!(gate.pipeline.region.as_str(), "eu-west-1");
    let prod = crate::model::name::StageName::new("Prod").unwrap();
    assert_eq!(
        gate.action.placement,
        Some(crate::model::wiring::Placement::Before(prod))
    );
}

#[test]
fn a_gate_without_for_each_has_no_placeholders() {
    let text = GOOD.replace(
        "after = \"Deploy\"",
        "after = \"Deploy\"\nuser_parameters = '{\"a\":\"{account}\"}'",
    );
    let config = parse(&text).unwrap();
    let sent = config.gates[0].action.user_parameters.as_deref();
    assert_eq!(sent, Some(r#"{"a":"{account}"}"#));
}

#[test]
fn a_fault_of_the_defaults_is_shown_once_and_there() {
    let text = fleet(GATE).replace("region = \"us-east-1\"", "region = \"us-east-9x\"");
    insta::assert_snapshot!(messages(&text), @"11:10 `us-east-9x` is not an AWS region: a name such as `us-east-1` is expected (for account = `dev-222222222222`), and 1 more like it");
    let text = fleet(GATE).replace("stage = \"Validate\"", "stag = \"Validate\"");
    insta::assert_snapshot!(messages(&text), @r#"
    12:1 unknown key `stag` in [gates.pipeline] (for account = `dev-222222222222`), and 1 more like it
    22:12 missing key `stage` in [gates.pipeline] (for account = `dev-222222222222`), and 1 more like it
    "#);
    let text = fleet(GATE).replace("account = \"tools\"\nregion", "account = \"tolls\"\nregion");
    insta::assert_snapshot!(messages(&text), @"10:11 unknown account `tolls`");
}

#[test]
fn faults_of_for_each() {
    let mut all = Vec::new();
    for (line, instead) in [
        ("{ account = \"dev-*\" }", "{ account = \"dv-*\" }"),
        ("{ account = \"dev-*\" }", "{ account = [] }"),
        ("{ account = \"dev-*\" }", "{}"),
        ("{ account = \"dev-*\" }", "[\"a\"]"),
        ("{ account = \"dev-*\" }", "{ account = [1] }"),
        ("{ account = \"dev-*\" }", "{ account = [\"a\", \"a\"] }"),
        ("{ account = \"dev-*\" }", "{ \"a b\" = [\"a\"] }"),
        ("validate-{account}", "validate"),
        ("validate-{account}", "validate-{acount}"),
        ("validate-{account}", "validate {account}"),
        ("release-{account}", "release-{account.name}"),
        (
            "function = { account = \"{account}\" }",
            "function = { account = \"x{account}\" }",
        ),
    ] {
        let text = fleet(&GATE.replace(line, instead));
        all.push(format!("{instead}: {}", messages(&text)));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    { account = "dv-*" }: 21:24 no account's name fits `dv-*`
    { account = [] }: 21:24 `account` has no value: the gate would not exist
    {}: 21:12 `for_each` is empty
    ["a"]: 21:12 `for_each` must be a table, and this is an array
    { account = [1] }: 21:25 `account` must be a string or an array of strings, and this is an integer
    { account = ["a", "a"] }: 21:30 `a` stands here twice
    { "a b" = ["a"] }: 21:14 `a b` cannot be a placeholder
    validate: 20:8 two gates of this `for_each` have the name `validate`: account = `dev-222222222222`; and account = `dev-333333333333`
    validate-{acount}: 20:8 unknown placeholder `{acount}`
    validate {account}: 20:8 `validate dev-222222222222` is not a valid gate name: 1 to 64 of A-Z, a-z, 0-9, `-`, `_` and `.` are allowed (for account = `dev-222222222222`), and 1 more like it
    release-{account.name}: 22:21 unknown placeholder `{account.name}`
    function = { account = "x{account}" }: 23:24 unknown account `xdev-222222222222`, and 1 more like it
    "#);
}

#[test]
fn an_unknown_placeholder_is_underlined() {
    insta::assert_snapshot!(refused(&fleet(&GATE.replace("release-{account}", "release-{acount}"))), @r#"
    error: unknown placeholder `{acount}`
      --> crossgate.toml:22:21
       |
    22 | pipeline = { name = "release-{acount}", user_parameters = { account = "{account.id}", keep = "{x}" } }
       |                     ^^^^^^^^^^^^^^^^^^ stands for nothing
       |
       = help: did you mean `account`?

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn faults_of_ids() {
    let mut all = Vec::new();
    for (line, instead) in [
        ("[\"222222222222\", \"333333333333\"]", "[]"),
        ("[\"222222222222\", \"333333333333\"]", "[1]"),
        ("[\"222222222222\", \"333333333333\"]", "\"222222222222\""),
        (
            "[\"222222222222\", \"333333333333\"]",
            "[\"222222222222\", \"22222222222\"]",
        ),
        (
            "[\"222222222222\", \"333333333333\"]",
            "[\"222222222222\", \"222222222222\"]",
        ),
        ("ids = ", "id = \"222222222222\"\nids = "),
        ("\"dev-{id}\"", "dev"),
        ("::{id}:", "::{idd}:"),
        ("\"dev-{id}\"", "\"dev-{name}\""),
    ] {
        all.push(format!(
            "{instead}: {}",
            messages(&fleet(GATE).replace(line, instead))
        ));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    []: 6:7 `ids` is empty, and stands for no account
    [1]: 6:8 `ids` must be strings, and this is an integer
    "222222222222": 6:7 `ids` must be an array or a table, and this is a string
    ["222222222222", "22222222222"]: 6:24 `22222222222` is not an AWS account id: twelve digits are expected
    7:15 `arn:aws:iam::22222222222:role/Deploy` is not a role ARN such as arn:aws:iam::222222222222:role/path/role-name
    ["222222222222", "222222222222"]: 6:24 two accounts have the name `dev-222222222222`
    id = "222222222222"
    ids = : 6:1 an account has `id`, or `ids` for many, not both
    dev: 6:24 two accounts have the name `dev`
    ::{idd}:: 7:15 unknown placeholder `{idd}`
    "dev-{name}": 5:11 unknown placeholder `{name}`
    "#);
}

#[test]
fn values_of_the_environment_stay_hidden_whatever_is_wrong() {
    let defaults = DEFAULTS.replace(
        "name = \"validate\"",
        "name = \"validate\"\nenvironment = { TOKEN = \"hunter2\" }",
    );
    for gate in [
        GATE.to_owned(),
        GATE.replace("dev-*", "dv-*"),
        GATE.replace("name = \"validate-{account}\"", ""),
    ] {
        let shown = refused(&format!("{HEAD}{defaults}{gate}"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn too_many_gates_are_refused_before_they_are_made() {
    let hundred: Vec<String> = (0..100).map(|n| format!("\"a{n}\"")).collect();
    let hundred = hundred.join(", ");
    let gate = GATE.replace(
        "{ account = \"dev-*\" }",
        &format!("{{ account = \"dev-*\", a = [{hundred}], b = [{hundred}], c = [{hundred}], d = [{hundred}], e = [{hundred}] }}"),
    );
    let said = messages(&fleet(&gate));
    assert!(
        said.contains("2 × 100 × 100 × 100 × 100 × 100 here is 20000000000, and 100000 in all"),
        "{said}"
    );
}

#[test]
fn too_much_text_is_refused_before_it_is_made() {
    let long = "x".repeat(20_000);
    let many: Vec<String> = (0..4_000).map(|n| format!("\"a{n}\"")).collect();
    let many = many.join(", ");
    let gate = |values: &str, text: &str| {
        let for_each = format!("{{ account = \"dev-*\", a = [{values}] }}");
        let gate = GATE.replace("{ account = \"dev-*\" }", &for_each);
        fleet(&gate.replace("\"{x}\"", &format!("\"{text}\"")))
    };
    for text in [
        // Long values, many combinations.
        gate(&format!("{many}, \"{long}\""), "{a}"),
        // Long text.
        gate(&many, &long.repeat(2)),
        // Many placeholders.
        gate(&format!("\"{long}\", \"b\""), &"{a}".repeat(4_000)),
    ] {
        assert_eq!(
            messages(&text),
            "21:12 the manifest would have too much text: 128 MB in all is the most that `for_each` may make"
        );
    }
}

/// As many gates, each written out.
fn written_out(count: usize) -> String {
    let mut text = GOOD.split("[[gates]]").next().unwrap().to_owned();
    let gate = GOOD.split("[[gates]]").nth(1).unwrap();
    for n in 0..count {
        let gate = gate
            .replace("\"validate\"", &format!("\"validate-{n}\""))
            .replace("\"MyPipeline\"", &format!("\"MyPipeline-{}\"", n / 10))
            .replace("\"Run\"", &format!("\"Run-{n}\""));
        text.push_str("[[gates]]");
        text.push_str(&gate);
    }
    text
}

/// `cargo test --release --lib many_gates_are_measured -- --ignored --nocapture`
#[test]
#[ignore = "prints numbers"]
#[allow(clippy::print_stdout)]
fn many_gates_are_measured() {
    for count in [1_000, 10_000, 30_000] {
        let text = written_out(count);
        let begun = Instant::now();
        assert_eq!(parse(&text).unwrap().gates.len(), count);
        println!(
            "{count} gates written out, {} bytes: {:?}",
            text.len(),
            begun.elapsed()
        );
    }
    let ids: Vec<String> = (0..1_000)
        .map(|n| format!("\"{:012}\"", 300_000_000_000_u64 + n))
        .collect();
    let text = fleet(GATE).replace("\"222222222222\", \"333333333333\"", &ids.join(", ")).replace(
        "{ account = \"dev-*\" }",
        "{ account = \"dev-*\", n = [\"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"] }",
    ).replace("validate-{account}", "validate-{account}-{n}").replace("pipeline = {", "pipeline = { action = \"Run{n}\",");
    let begun = Instant::now();
    assert_eq!(parse(&text).unwrap().gates.len(), 10_000);
    println!("10000 gates of for_each: {:?}", begun.elapsed());
}
