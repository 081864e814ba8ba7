//! Tables that do not go together.

use super::{GOOD, and_second, messages, parse, refused, with};

/// A second gate in the stage of the first.
fn in_the_stage(lines: &str) -> String {
    and_second(
        "stage = \"Second\"\naction = \"Run\"",
        &format!("stage = \"Validate\"\n{lines}"),
    )
}

#[test]
fn unknown_accounts() {
    insta::assert_snapshot!(refused(&with("account = \"tools\"", "account = \"tool\"")), @r#"
    error: unknown account `tool`
      --> crossgate.toml:13:11
       |
    13 | account = "tool"
       |           ^^^^^^ no such account
       |
       = help: did you mean `tools`?

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&with("id = \"222222222222\"", "id = \"222222222222\"\nassume_role = \"arn:aws:iam::222222222222:role/R\"\nvia = \"org\"")), @"10:7 unknown account `org`");
}

#[test]
fn via_in_a_circle() {
    let account = |name: &str, via: &str| {
        format!(
            "[accounts.{name}]\nid = \"333333333333\"\nassume_role = \"arn:aws:iam::333333333333:role/R\"\nvia = \"{via}\"\n"
        )
    };
    let manifest = |accounts: &[(&str, &str)]| {
        let accounts: String = accounts
            .iter()
            .map(|(name, via)| account(name, via))
            .collect();
        with("[accounts.tools]", &format!("{accounts}[accounts.tools]"))
    };
    insta::assert_snapshot!(refused(&manifest(&[("a", "a")])), @r#"
    error: `via` goes in a circle: `a` via `a`
     --> crossgate.toml:6:7
      |
    6 | via = "a"
      |       ^^^ comes back to where it began
      |
      = help: one account needs credentials of its own: a `profile`, or neither `profile` nor `assume_role`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&manifest(&[("d", "c"), ("c", "b"), ("b", "a"), ("a", "c")])), @"10:7 `via` goes in a circle: `c` via `b` via `a` via `c`");
    assert!(parse(&manifest(&[("a", "b"), ("b", "c"), ("c", "tools")])).is_ok());
}

#[test]
fn partitions() {
    insta::assert_snapshot!(refused(&with("name = \"MyFunction\"", "name = \"MyFunction\"\nregion = \"cn-north-1\"")), @r#"
    error: gate `validate` would reach from partition aws into aws-cn
      --> crossgate.toml:22:10
       |
    14 | region = "us-east-1"
       |          ----------- partition aws
    ...
    22 | region = "cn-north-1"
       |          ^^^^^^^^^^^^ partition aws-cn
       |
       = help: no role of one partition can be assumed from another: both regions must be of one partition

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&and_second("region = \"us-east-1\"", "region = \"us-gov-west-1\"")), @"27:10 account `tools` would be in two partitions, aws and aws-us-gov");
    insta::assert_snapshot!(refused(&with("id = \"222222222222\"", "id = \"222222222222\"\nassume_role = \"arn:aws-cn:iam::222222222222:role/R\"\nvia = \"tools\"")), @r#"
    error: account `dev` would be in two partitions, aws and aws-cn
      --> crossgate.toml:9:15
       |
     9 | assume_role = "arn:aws-cn:iam::222222222222:role/R"
       |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the role's ARN: partition aws-cn
    ...
    16 | region = "us-east-1"
       |          ----------- region us-east-1: partition aws
       |
       = help: an account is in one partition: aws, aws-cn (China) or aws-us-gov (GovCloud)

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn gate_names() {
    insta::assert_snapshot!(messages(&and_second("name = \"second\"", "name = \"validate\"")), @"24:8 two gates have the name `validate`");
}

#[test]
fn default_role_names() {
    let long = "x".repeat(46);
    insta::assert_snapshot!(refused(&with("name = \"validate\"", &format!("name = \"{long}\""))), @r#"
    error: the invoke role of gate `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` cannot have its default name: `crossgate-checkout-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not a valid role name: 1 to 64 of A-Z, a-z, 0-9 and `+=,.@_-` are allowed
      --> crossgate.toml:11:8
       |
    11 | name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ makes a role name of 65 characters
       |
       = help: shorten the gate's name, or name the role:
               [gates.invoke_role]
               name = "crossgate-checkout-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    assert!(
        parse(&with(
            "name = \"validate\"",
            &format!("name = \"{}\"", &long[1..])
        ))
        .is_ok()
    );
    let named = format!(
        "{}[gates.invoke_role]\nname = \"short\"\n",
        with("name = \"validate\"", &format!("name = \"{long}\""))
    );
    assert!(parse(&named).is_ok());
}

#[test]
fn role_names_that_differ_by_case() {
    insta::assert_snapshot!(refused(&and_second("name = \"second\"", "name = \"Validate\"")), @r#"
    error: the invoke roles `crossgate-checkout-validate` and `crossgate-checkout-Validate` of one account differ only by letter case
      --> crossgate.toml:24:8
       |
    11 | name = "validate"
       |        ---------- role `crossgate-checkout-validate`
    ...
    24 | name = "Validate"
       |        ^^^^^^^^^^ role `crossgate-checkout-Validate`
       |
       = help: IAM does not tell names apart by letter case: spell them alike to share the role, or differently

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    // Another account: another role.
    let apart = and_second("name = \"second\"", "name = \"Validate\"");
    let cut = apart.rfind("\"dev\"").unwrap();
    assert!(parse(&format!("{}\"tools\"{}", &apart[..cut], &apart[cut + 5..])).is_ok());
    // Two names of one account: the same role.
    let alias = format!(
        "{}\"alias\"{}\n[accounts.alias]\nid = \"222222222222\"\n",
        &apart[..cut],
        &apart[cut + 5..]
    );
    insta::assert_snapshot!(messages(&alias), @"24:8 the invoke roles `crossgate-checkout-validate` and `crossgate-checkout-Validate` of one account differ only by letter case");
}

#[test]
fn shared_roles_must_agree() {
    let shared = |one: &str, other: &str| {
        let role = |lines: &str| format!("[gates.invoke_role]\nname = \"Shared\"\n{lines}\n");
        format!("{GOOD}{}{}{}", role(one), super::SECOND, role(other))
    };
    insta::assert_snapshot!(refused(&shared("path = \"/a/\"\ntags = { a = \"1\" }", "list_functions = false\ntrust = \"account\"")), @r#"
    error: two gates describe the invoke role `Shared` differently: `path`, `tags`, `trust`, `list_functions`
      --> crossgate.toml:38:1
       |
    22 | [gates.invoke_role]
       | ------------------- gate `validate` describes it here
    ...
    38 | [gates.invoke_role]
       | ^^^^^^^^^^^^^^^^^^^ gate `second` says otherwise
       |
       = help: write the same `path`, `tags`, `trust`, `list_functions` for both, or give one of them a role of its own

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&shared("", "permissions_boundary = \"arn:aws:iam::aws:policy/P\"")), @"37:1 two gates describe the invoke role `Shared` differently: `permissions_boundary`");
    assert!(
        parse(&shared(
            "path = \"/\"\ntrust = \"service-role\"",
            "list_functions = true\ntags = {}"
        ))
        .is_ok()
    );
    insta::assert_snapshot!(messages(&shared("path = \"a\"", "path = \"/b/\"")), @"24:8 `a` is not a valid path: it begins and ends with `/`, 512 printable characters at most, and without `*`, `?` and `$`");
}

#[test]
fn two_gates_with_one_action() {
    insta::assert_snapshot!(refused(&in_the_stage("action = \"Run\"")), @r#"
    error: two gates are the action `Run` of stage `Validate`
      --> crossgate.toml:30:10
       |
    17 | action = "Run"
       |          ----- gate `validate`
    ...
    30 | action = "Run"
       |          ^^^^^ gate `second`
       |
       = help: give each gate an action of its own; gates of one stage run side by side

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn placing() {
    insta::assert_snapshot!(refused(&with("after = \"Deploy\"", "after = \"Deploy\"\nbefore = \"Production\"")), @r#"
    error: a stage goes `after` another or `before` one, not both
      --> crossgate.toml:19:1
       |
    18 | after = "Deploy"
       | ----- placed here
    19 | before = "Production"
       | ^^^^^^ placed for the second time
       |
       = help: keep one of the two

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&in_the_stage("action = \"Other\"\nafter = \"Build\"")), @r#"
    error: two gates place the stage `Validate` differently
      --> crossgate.toml:31:9
       |
    18 | after = "Deploy"
       |         -------- after `Deploy`
    ...
    31 | after = "Build"
       |         ^^^^^^^ after `Build`
       |
       = help: place a stage once, or alike; a gate without `after` and `before` joins it where it is

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&in_the_stage("action = \"Other\"\nbefore = \"Deploy\"")), @"31:10 two gates place the stage `Validate` differently");
    assert!(parse(&in_the_stage("action = \"Other\"\nafter = \"Deploy\"")).is_ok());
    insta::assert_snapshot!(messages(&with("after = \"Deploy\"", "after = \"Validate\"")), @"18:9 stage `Validate` is placed relative to itself");
    insta::assert_snapshot!(refused(&with("after = \"Deploy\"", "before = \"Source\"")), @r#"
    error: no stage can stand before the source stage
      --> crossgate.toml:18:10
       |
    18 | before = "Source"
       |          ^^^^^^^^ the pipeline's first stage
       |
       = help: write `after = "Source"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&with("stage = \"Validate\"", "stage = \"Source\"")), @r#"
    error: a gate cannot stand in the source stage
      --> crossgate.toml:16:9
       |
    16 | stage = "Source"
       |         ^^^^^^^^ holds source actions only
       |
       = help: give the gate a stage of its own, with `after = "Source"` if it comes first

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn placing_in_a_circle() {
    let second = and_second(
        "action = \"Run\"",
        "action = \"Run\"\nbefore = \"Validate\"",
    );
    assert!(parse(&second).is_ok(), "a chain is no circle");
    insta::assert_snapshot!(refused(&second.replace("after = \"Deploy\"", "after = \"Second\"")), @r#"
    error: stages of pipeline `MyPipeline` are placed relative to one another in a circle: `Second` before `Validate`, `Validate` after `Second`
      --> crossgate.toml:31:10
       |
    18 | after = "Second"
       |         -------- after `Second`
    ...
    31 | before = "Validate"
       |          ^^^^^^^^^^ before `Validate`
       |
       = help: place one of them relative to a stage that the pipeline already has

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    // The same names in another pipeline are other stages.
    let other = second.replace("after = \"Deploy\"", "after = \"Second\"");
    assert!(parse(&other.replacen("MyPipeline", "Another", 1)).is_ok());
}

#[test]
fn names_that_a_pipeline_has_once() {
    let text = with(
        "after = \"Deploy\"",
        "namespace = \"N\"\noutput_artifacts = [\"A\", \"B\"]",
    );
    let second = super::SECOND.replace(
        "action = \"Run\"",
        "action = \"Run\"\nnamespace = \"N\"\noutput_artifacts = [\"B\"]",
    );
    insta::assert_snapshot!(messages(&format!("{text}{second}")), @r#"
    32:13 two gates of one pipeline have the namespace `N`
    33:20 two gates of one pipeline make the artifact `B`
    "#);
    let apart = second.replace("MyPipeline", "Another");
    assert!(parse(&format!("{text}{apart}")).is_ok());
}
