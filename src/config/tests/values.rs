//! Single keys and values that are wrong.

use super::{GOOD, messages, refused, with};

/// Adds a line to `[gates.pipeline]`.
fn pipeline(line: &str) -> String {
    with("after = \"Deploy\"", line)
}

/// Adds lines to an `[gates.invoke_role]` at the end.
fn role(lines: &str) -> String {
    format!("{GOOD}[gates.invoke_role]\n{lines}\n")
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(refused(&pipeline("afer = \"Deploy\"")), @r#"
    error: unknown key `afer` in [gates.pipeline]
      --> crossgate.toml:18:1
       |
    18 | afer = "Deploy"
       | ^^^^ unknown key
       |
       = help: did you mean `after`?

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&with("name = \"validate\"", "name = \"validate\"\nstage = \"Validate\"")), @r#"
    error: unknown key `stage` in [[gates]]
      --> crossgate.toml:12:1
       |
    12 | stage = "Validate"
       | ^^^^^ unknown key
       |
       = help: `stage` is a key of [gates.pipeline]

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&format!("colour = 1\n{GOOD}")), @r#"
    error: unknown key `colour` in the manifest
     --> crossgate.toml:1:1
      |
    1 | colour = 1
      | ^^^^^^ unknown key
      |
      = help: the keys here: `project`, `accounts`, `gates`, `defaults`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn missing_keys_point_at_the_table() {
    insta::assert_snapshot!(refused(&with("region = \"us-east-1\"\nname = \"MyPipeline\"\n", "")), @r#"
    error: missing keys `region`, `name` in [gates.pipeline]
      --> crossgate.toml:12:1
       |
    12 | [gates.pipeline]
       | ^^^^^^^^^^^^^^^^ `region`, `name` must be here
       |
       = help: add
               region = "us-east-1"
               name = "MyPipeline"

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused("project = \"x\""), @r#"
    error: missing keys `accounts`, `gates` in the manifest
     --> crossgate.toml:1:1
      |
    1 | project = "x"
      | ^ `accounts`, `gates` must be here
      |
      = help: add
              [accounts.tools]
              [[gates]]

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused("project = \"x\"\naccounts = {}\ngates = []"), @r#"
    error: the manifest has no gate
     --> crossgate.toml:3:9
      |
    3 | gates = []
      |         ^^ empty
      |
      = help: add a `[[gates]]`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(refused(&with("id = \"222222222222\"", "id = 222222222222")), @r#"
    error: `id` must be a string, and this is an integer
     --> crossgate.toml:8:6
      |
    8 | id = 222222222222
      |      ^^^^^^^^^^^^ an integer, expected a string
      |
      = help: write it as in `id = "111111111111"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&with("[[gates]]", "[gates]")), @r#"
    error: `gates` must be an array of tables, each with the header `[[gates]]`, and this is a table
      --> crossgate.toml:10:1
       |
    10 | [gates]
       | ^^^^^^^ a table, expected an array of tables, each with the header `[[gates]]`
       |
       = help: write it as in `[[gates]]`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&with("[accounts.dev]\nid = \"222222222222\"", "[accounts]\ndev = \"222222222222\"")), @"8:7 `accounts.dev` must be a table, and this is a string");
    insta::assert_snapshot!(messages(&pipeline("run_order = \"1\"\ninput_artifacts = \"A\"\noutput_artifacts = [\"A\", 1]\nuser_parameters = 7")), @r#"
    18:13 `run_order` must be an integer, and this is a string
    19:19 `input_artifacts` must be an array of strings, and this is a string
    20:26 `output_artifacts` must be an array of strings, and this is an integer
    21:19 `user_parameters` must be a string or a table, and this is an integer
    "#);
    insta::assert_snapshot!(messages(&role("list_functions = \"yes\"\ntags = [\"a\"]\ntrust = true")), @r#"
    23:18 `list_functions` must be `true` or `false`, and this is a string
    24:8 `tags` must be a table, and this is an array
    25:9 `trust` must be a string, and this is a boolean
    "#);
}

#[test]
fn names_and_lengths() {
    insta::assert_snapshot!(refused(&with("project = \"checkout\"", "project = \"Check out\"")), @r#"
    error: `Check out` is not a valid project: 1 to 32 of a-z, 0-9 and `-` are allowed
     --> crossgate.toml:1:11
      |
    1 | project = "Check out"
      |           ^^^^^^^^^^^ not a valid `project`
      |
      = help: write it as in `project = "checkout"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&with("id = \"222222222222\"", "id = \"22222222222\"")), @"8:6 `22222222222` is not an AWS account id: twelve digits are expected");
    insta::assert_snapshot!(messages(&with("region = \"us-east-1\"", "region = \"useast1\"")), @"14:10 `useast1` is not an AWS region: a name such as `us-east-1` is expected");
    insta::assert_snapshot!(messages(&with("stage = \"Validate\"", "stage = \"Vali date\"")), @"16:9 `Vali date` is not a valid stage name: 1 to 100 of A-Z, a-z, 0-9, `.`, `@`, `_` and `-` are allowed");
    insta::assert_snapshot!(messages(&with("action = \"Run\"", "action = \"\"")), @"17:10 `` is not a valid action name: 1 to 100 of A-Z, a-z, 0-9, `.`, `@`, `_` and `-` are allowed");
    insta::assert_snapshot!(messages(&with("name = \"MyFunction\"", "name = \"MyFunction:live\"")), @"21:8 `MyFunction:live` is not a valid function name: 1 to 64 of A-Z, a-z, 0-9, `-` and `_` are allowed; an ARN, a version or an alias cannot be given here");
    insta::assert_snapshot!(messages(&with("name = \"validate\"", "name = \"a\\u001b[31mb\"")), @r#"11:8 `a\u{1b}[31mb` is not a valid gate name: 1 to 64 of A-Z, a-z, 0-9, `-`, `_` and `.` are allowed"#);
    insta::assert_snapshot!(messages(&with("[accounts.dev]", "[accounts.\"d v\"]")), @r#"
    7:11 `d v` is not an account name: letters, digits, `-` and `_` are allowed, 64 at most
    20:11 unknown account `dev`
    "#);
    insta::assert_snapshot!(messages(&role("name = \"a/b\"\npath = \"pipelines\"")), @r#"
    23:8 `a/b` is not a valid role name: 1 to 64 of A-Z, a-z, 0-9 and `+=,.@_-` are allowed
    24:8 `pipelines` is not a valid path: it begins and ends with `/`, 512 printable characters at most, and without `*`, `?` and `$`
    "#);
    insta::assert_snapshot!(messages(&pipeline("namespace = \"a.b\"\ninput_artifacts = [\"a.b\"]")), @r#"
    18:13 `a.b` is not a valid namespace: 1 to 100 of A-Z, a-z, 0-9, `@`, `_` and `-` are allowed
    19:20 `a.b` is not a valid artifact name: 1 to 100 of A-Z, a-z, 0-9, `_` and `-` are allowed
    "#);
}

#[test]
fn numbers_out_of_range() {
    insta::assert_snapshot!(messages(&pipeline("run_order = 0\ntimeout_minutes = 4")), @r#"
    18:13 `run_order` must be 1 to 999
    19:19 `timeout_minutes` must be 5 to 86400
    "#);
    insta::assert_snapshot!(messages(&pipeline("run_order = 1000\ntimeout_minutes = 86401")), @r#"
    18:13 `run_order` must be 1 to 999
    19:19 `timeout_minutes` must be 5 to 86400
    "#);
    insta::assert_snapshot!(messages(&pipeline("run_order = -1\ntimeout_minutes = 99999999999999999999999")), @r#"
    18:13 `run_order` must be 1 to 999
    19:19 `timeout_minutes` must be 5 to 86400
    "#);
}

#[test]
fn user_parameters() {
    let long = "x".repeat(1001);
    insta::assert_snapshot!(messages(&pipeline(&format!("user_parameters = \"{long}\""))), @"18:19 `user_parameters` has 1001 characters, and AWS takes 1000 at most");
    insta::assert_snapshot!(messages(&pipeline(&format!("user_parameters = {{ a = \"{}\" }}", &long[..995]))), @"18:19 `user_parameters` has 1003 characters as JSON, and AWS takes 1000 at most");
    insta::assert_snapshot!(refused(&pipeline("user_parameters = { when = 2026-01-01, much = inf, many = 99999999999999999999 }")), @r#"
    error: a date or time has no form in JSON
      --> crossgate.toml:18:28
       |
    18 | user_parameters = { when = 2026-01-01, much = inf, many = 99999999999999999999 }
       |                            ^^^^^^^^^^ cannot be sent
       |
       = help: put it in double quotes

    error: a number that is not finite has no form in JSON
      --> crossgate.toml:18:47
       |
    18 | user_parameters = { when = 2026-01-01, much = inf, many = 99999999999999999999 }
       |                                               ^^^ cannot be sent
       |
       = help: write it as a string

    error: an integer of more than 64 bits has no form in JSON
      --> crossgate.toml:18:59
       |
    18 | user_parameters = { when = 2026-01-01, much = inf, many = 99999999999999999999 }
       |                                                           ^^^^^^^^^^^^^^^^^^^^ cannot be sent
       |
       = help: write it as a string

    3 problems in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn artifacts() {
    insta::assert_snapshot!(messages(&pipeline("input_artifacts = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]")), @"18:19 `input_artifacts` has 6 artifacts, and a Lambda action takes 5 at most");
    insta::assert_snapshot!(refused(&pipeline("output_artifacts = [\"a\", \"b\", \"a\"]")), @r#"
    error: artifact `a` stands here twice
      --> crossgate.toml:18:31
       |
    18 | output_artifacts = ["a", "b", "a"]
       |                     ---       ^^^ again
       |                     |
       |                     first here
       |
       = help: remove one of the two

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&pipeline("input_artifacts = [\"a\"]\noutput_artifacts = [\"a\"]")), @"19:20 artifact `a` is input and output of one action");
}

#[test]
fn artifacts_are_managed_where_there_are_some() {
    let managed = |line: &str| format!("{}[gates.artifacts]\nmanage = true\n", pipeline(line));
    insta::assert_snapshot!(refused(&managed("input_artifacts = []")), @r#"
    error: the gate has no artifacts whose bucket and key could be managed
      --> crossgate.toml:23:1
       |
    23 | manage = true
       | ^^^^^^ nothing to manage
       |
       = help: name `input_artifacts` or `output_artifacts` in [gates.pipeline], or take [gates.artifacts] out

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    let bad = managed("input_artifacts = [\"a\"]").replace("= true", "= \"yes\"");
    insta::assert_snapshot!(messages(&bad), @"23:10 `manage` must be `true` or `false`, and this is a string");
}

#[test]
fn credentials() {
    let dev = |lines: &str| {
        with(
            "id = \"222222222222\"",
            &format!("id = \"222222222222\"\n{lines}"),
        )
    };
    let role = "assume_role = \"arn:aws:iam::222222222222:role/R\"";
    insta::assert_snapshot!(refused(&dev(&format!("profile = \"dev\"\n{role}\nvia = \"tools\""))), @r#"
    error: an account has `profile` or `assume_role`, not both
      --> crossgate.toml:10:1
       |
     9 | profile = "dev"
       | ------- credentials already come from here
    10 | assume_role = "arn:aws:iam::222222222222:role/R"
       | ^^^^^^^^^^^ credentials for the second time
       |
       = help: keep one; the profile that assumes the role is the one of the account that `via` names

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&dev(role)), @"9:1 `assume_role` needs `via`");
    insta::assert_snapshot!(messages(&dev("via = \"tools\"")), @"9:1 `via` needs `assume_role`");
    insta::assert_snapshot!(messages(&dev("profile = \" \"")), @"9:11 a profile has a name; without `profile` the default credential chain is used");
    insta::assert_snapshot!(messages(&dev("assume_role = \"arn:aws:iam::222222222222:user/R\"\nvia = \"tools\"")), @"9:15 `arn:aws:iam::222222222222:user/R` is not a role ARN such as arn:aws:iam::222222222222:role/path/role-name");
    insta::assert_snapshot!(refused(&dev("assume_role = \"arn:aws:iam::333333333333:role/R\"\nvia = \"tools\"")), @r#"
    error: the role is in account 333333333333, and `dev` is account 222222222222
     --> crossgate.toml:9:15
      |
    8 | id = "222222222222"
      |      -------------- another account
    9 | assume_role = "arn:aws:iam::333333333333:role/R"
      |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ account 333333333333
      |
      = help: assuming a role gives credentials of the role's own account: one of the two ids is wrong

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn trust_and_boundary() {
    insta::assert_snapshot!(refused(&role("trust = \"service_role\"")), @r#"
    error: `service_role` is not a kind of trust: did you mean `service-role`?
      --> crossgate.toml:23:9
       |
    23 | trust = "service_role"
       |         ^^^^^^^^^^^^^^ not a valid `trust`
       |
       = help: write it as in `trust = "service-role"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&role("permissions_boundary = \"arn:aws:iam::222222222222:role/R\"")), @"23:24 `arn:aws:iam::222222222222:role/R` is not a policy ARN such as arn:aws:iam::222222222222:policy/path/policy-name");
    insta::assert_snapshot!(messages(&role("permissions_boundary = \"arn:aws-cn:iam::aws:policy/P\"")), @"23:24 the permissions boundary is in partition aws-cn, and gate `validate` in aws");
    insta::assert_snapshot!(refused(&role("permissions_boundary = \"arn:aws:iam::111111111111:policy/a/P\"")), @r#"
    error: the permissions boundary is a policy of account 111111111111, and the role is made in 222222222222
      --> crossgate.toml:23:24
       |
    20 | account = "dev"
       |           ----- `dev` is account 222222222222
    ...
    23 | permissions_boundary = "arn:aws:iam::111111111111:policy/a/P"
       |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a policy of another account
       |
       = help: a role's boundary is a managed policy of its own account, or of AWS (`arn:aws:iam::aws:policy/...`)

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn tags() {
    insta::assert_snapshot!(messages(&role("tags = { \"aws:x\" = \"1\", \"Crossgate:project\" = \"p\", \"\" = \"e\", \"a*\" = \"b\", c = \"\\t\" }")), @r#"
    23:10 tag `aws:x`: keys that begin with `aws:` belong to AWS
    23:25 tag `Crossgate:project`: keys that begin with `crossgate:` are crossgate's own
    23:52 tag ``: a key has 1 to 128 characters
    23:62 tag `a*`: it has a character that IAM does not allow
    23:78 tag `c`: it has a character that IAM does not allow
    "#);
    insta::assert_snapshot!(messages(&role("tags = { Team = \"a\", team = \"b\", n = 1 }")), @r#"
    23:22 tag `team`: IAM does not tell tag keys apart by letter case
    23:38 `tags.n` must be a string, and this is an integer
    "#);
    let value = format!(
        "tags = {{ \"{}\" = \"\", v = \"{}\" }}",
        "k".repeat(129),
        "v".repeat(257)
    );
    insta::assert_snapshot!(messages(&role(&value)).replace(&"k".repeat(129), "k…k"), @r#"
    23:10 tag `k…k`: a key has 1 to 128 characters
    23:152 tag `v`: a value has 256 characters at most
    "#);
    let many: Vec<String> = (0..49).map(|n| format!("k{n} = \"\"")).collect();
    insta::assert_snapshot!(messages(&role(&format!("tags = {{ {} }}", many.join(", ")))), @"23:8 49 tags: a role has 50 at most, and two are crossgate's own");
    let fits = super::parse(&role(&format!("tags = {{ {} }}", many[1..].join(", "))));
    assert_eq!(fits.unwrap().gates[0].invoke_role.tags.len(), 48);
}

#[test]
fn syntax() {
    insta::assert_snapshot!(refused(&with("project = \"checkout\"", "project = \"checkout")), @r#"
    error: this is not TOML: invalid basic string, expected `"`
     --> crossgate.toml:1:20
      |
    1 | project = "checkout
      |                    ^ here
      |
      = help: strings stand in double quotes, tables begin with `[NAME]`, and each gate with `[[gates]]`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&with("profile = \"tools\"", "profile = \"tools\"\nprofile = \"other\"")), @r#"
    error: a key or table stands here for the second time
     --> crossgate.toml:6:1
      |
    6 | profile = "other"
      | ^^^^^^^ already defined above
      |
      = help: each key stands once in a table: remove one of the two

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&with("[gates.function]", "[gates.pipeline]\n[gates.function]")), @r#"
    error: a key or table stands here for the second time
      --> crossgate.toml:19:8
       |
    19 | [gates.pipeline]
       |        ^^^^^^^^ already defined above
       |
       = help: each table stands once; another gate begins with its own `[[gates]]` line

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(messages(&with("id = \"222222222222\"", "id = 022222222222")), @"8:6 this is not TOML: unexpected leading zero, expected nothing");
    insta::assert_snapshot!(messages("project = checkout\n[accounts\n= 1\n"), @r#"
    1:11 this is not TOML: string values must be quoted, expected literal string
    2:10 this is not TOML: unclosed table, expected `]`
    3:1 this is not TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
    "#);
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_text() {
    let text = GOOD
        .replace("project = \"checkout\"", "project = \"UPPER\"")
        .replace("profile = \"tools\"", "profil = \"tools\"")
        .replace("region = \"us-east-1\"", "")
        .replace("account = \"dev\"", "account = \"devv\"")
        .replace("after = \"Deploy\"", "after = \"Validate\"\nrun_order = 0");
    insta::assert_snapshot!(messages(&text), @r#"
    1:11 `UPPER` is not a valid project: 1 to 32 of a-z, 0-9 and `-` are allowed
    5:1 unknown key `profil` in [accounts.NAME]
    12:1 missing key `region` in [gates.pipeline]
    18:9 stage `Validate` is placed relative to itself
    19:13 `run_order` must be 1 to 999
    21:11 unknown account `devv`
    "#);
}
