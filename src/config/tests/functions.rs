//! Functions that the manifest makes: what each key may say, what needs what, and what two gates must agree on.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::{
    Config, ManifestErrors, Source, SourceError, SourceFile, Sources, from_text, from_text_with,
};
use super::{GOOD, SECOND};

/// Keys of a function that is made, to follow [`GOOD`].
const MADE: &str = r#"source = "lambda"
runtime = "python3.13"
handler = "validate.handler"
"#;

/// A folder `lambda` with a handler, a folder `other` with other bytes, an empty one, and nothing else.
struct Fake;

impl Sources for Fake {
    fn read(&self, source: &str) -> Result<Source, SourceError> {
        let content = match source {
            "lambda" | "./lambda" => b"def handler(event, context): pass".to_vec(),
            "other" => b"def handler(event, context): ...".to_vec(),
            "empty" => return Ok(Source::Files(BTreeMap::new())),
            _ => {
                return Err(SourceError::Missing {
                    path: source.to_owned(),
                    folder: "/repo".to_owned(),
                });
            }
        };
        let file = SourceFile {
            executable: false,
            content,
        };
        let files = BTreeMap::from([("validate.py".to_owned(), file)]);
        Ok(Source::Files(files))
    }
}

fn parse(text: &str) -> Result<Config, ManifestErrors> {
    from_text_with(Path::new("crossgate.toml"), text, &Fake)
}

/// What is shown for [`GOOD`] with these lines in `[gates.function]`.
fn refused(lines: &str) -> String {
    refused_text(&format!("{GOOD}{lines}"))
}

fn refused_text(text: &str) -> String {
    match parse(text) {
        Ok(config) => panic!("it was taken: {config:#?}"),
        Err(errors) => errors.render(false),
    }
}

/// The messages for [`GOOD`] with [`MADE`] and these lines.
fn messages(lines: &str) -> String {
    let errors = match parse(&format!("{GOOD}{MADE}{lines}")) {
        Ok(config) => panic!("it was taken: {config:#?}"),
        Err(errors) => errors,
    };
    let messages = errors.items.iter().map(|item| item.message.clone());
    messages.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_function_is_made_with_every_key() {
    let more = r#"timeout_seconds = 900
memory_mb = 10240
role = "arn:aws:iam::222222222222:role/x/Runs"
tags = { team = "checkout" }
[gates.function.environment]
LEVEL = "strict"
"#;
    let config = parse(&format!("{GOOD}{MADE}{more}")).unwrap();
    let made = config.gates[0].function.made.as_ref().unwrap();
    assert_eq!(made.runtime, "python3.13");
    assert_eq!(made.handler, "validate.handler");
    assert_eq!(made.timeout_seconds, Some(900));
    assert_eq!(made.memory_mb, Some(10_240));
    assert_eq!(made.environment.0["LEVEL"], "strict");
    assert_eq!(made.role.as_ref().unwrap().name.as_str(), "Runs");
    assert_eq!(made.tags["team"], "checkout");
    assert_eq!(made.package.files, 1);
    assert_eq!(made.package.sha256.len(), 44);

    let config = parse(&format!("{GOOD}{MADE}")).unwrap();
    let made = config.gates[0].function.made.as_ref().unwrap();
    assert_eq!((made.timeout_seconds, made.memory_mb), (None, None));
    assert!(made.role.is_none() && made.environment.0.is_empty());
    assert!(parse(GOOD).unwrap().gates[0].function.made.is_none());
}

#[test]
fn keys_that_make_a_function_need_a_source() {
    insta::assert_snapshot!(refused("timeout_seconds = 30\nhandler = \"a.b\"\n"), @r#"
    error: `timeout_seconds`, `handler` need `source`
      --> crossgate.toml:22:1
       |
    22 | timeout_seconds = 30
       | ^^^^^^^^^^^^^^^ of a function that is not made here
       |
       = help: add `source = "FILE OR FOLDER"` to make the function, or remove `timeout_seconds`, `handler`: without `source` the function must be there, and only its permissions are touched

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused("tags = { team = \"x\" }\n"), @r#"
    error: `tags` needs `source`
      --> crossgate.toml:22:1
       |
    22 | tags = { team = "x" }
       | ^^^^ of a function that is not made here
       |
       = help: add `source = "FILE OR FOLDER"` to make the function, or remove `tags`: without `source` the function must be there, and only its permissions are touched

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn a_source_needs_a_runtime_and_a_handler() {
    insta::assert_snapshot!(refused("source = \"gate.mjs\"\n"), @r#"
    error: `source` needs `runtime` and `handler`
      --> crossgate.toml:22:1
       |
    22 | source = "gate.mjs"
       | ^^^^^^ what runs it?
       |
       = help: add
               runtime = "nodejs22.x"
               handler = "gate.handler"

    error: there is no file or folder `gate.mjs`
      --> crossgate.toml:22:10
       |
    22 | source = "gate.mjs"
       |          ^^^^^^^^^^ not there
       |
       = help: `source` is relative to the manifest's folder, /repo

    2 problems in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused("source = \"lambda\"\nruntime = \"python3.13\"\n"), @r#"
    error: `source` needs `handler`
      --> crossgate.toml:22:1
       |
    22 | source = "lambda"
       | ^^^^^^ what runs it?
       |
       = help: add
               handler = "validate.handler"

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    // A bootstrap is started whatever the handler says.
    insta::assert_snapshot!(refused("source = \"lambda\"\nruntime = \"provided.al2023\"\n"), @r#"
    error: the runtime provided.al2023 starts a file `bootstrap`, and the source has none at its root
      --> crossgate.toml:22:10
       |
    22 | source = "lambda"
       |          ^^^^^^^^ not in the source
       |
       = help: build the function to a file of that name: `cargo lambda build` makes one, and `go build -o bootstrap`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn sources_that_make_no_package_are_shown_in_place() {
    let lines = "source = \"lamda\"\nruntime = \"python3.13\"\nhandler = \"validate.handler\"\n";
    insta::assert_snapshot!(refused(lines), @r#"
    error: there is no file or folder `lamda`
      --> crossgate.toml:22:10
       |
    22 | source = "lamda"
       |          ^^^^^^^ not there
       |
       = help: `source` is relative to the manifest's folder, /repo

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    let lines = "source = \"empty\"\nruntime = \"python3.13\"\nhandler = \"validate.handler\"\n";
    insta::assert_snapshot!(refused(lines), @r#"
    error: the source has no files
      --> crossgate.toml:22:10
       |
    22 | source = "empty"
       |          ^^^^^^^ no files
       |
       = help: put the handler there; the manifest, `.git`, `.crossgate`, `__pycache__`, `*.pyc` and `.DS_Store` are not packed

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    let lines = "source = \"lambda\"\nruntime = \"python3.13\"\nhandler = \"handler.validate\"\n";
    insta::assert_snapshot!(refused(lines), @r#"
    error: `handler.validate` needs handler.py in the source, which is not there
      --> crossgate.toml:24:11
       |
    24 | handler = "handler.validate"
       |           ^^^^^^^^^^^^^^^^^^ not in the source
       |
       = help: of the files there, `validate.validate` would name one

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused("source = \"\"\nruntime = \"python3.13\"\nhandler = \"a.b\"\n"), @r#"
    error: `source` names a file or a folder
      --> crossgate.toml:22:10
       |
    22 | source = ""
       |          ^^ not a valid `source`
       |
       = help: write it as in `source = "validate.py"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn a_text_alone_reads_nothing() {
    let text = format!("{GOOD}{}", MADE.replace("lambda", "Cargo.toml"));
    let errors = from_text(Path::new("crossgate.toml"), &text).unwrap_err();
    assert_eq!(
        errors.items[0].message,
        "there is no file or folder `Cargo.toml`"
    );
}

#[test]
fn runtimes_that_lambda_does_not_take_are_refused() {
    let lines = |runtime: &str| {
        format!("source = \"lambda\"\nruntime = \"{runtime}\"\nhandler = \"validate.handler\"\n")
    };
    insta::assert_snapshot!(refused(&lines("python3.31")), @r#"
    error: `python3.31` is not a runtime of Lambda: did you mean `python3.11`?
      --> crossgate.toml:23:11
       |
    23 | runtime = "python3.31"
       |           ^^^^^^^^^^^^ not a valid `runtime`
       |
       = help: write it as in `runtime = "python3.13"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(refused(&lines("python3.7")), @r#"
    error: Lambda makes no function with the runtime `python3.7` any more: use `python3.13`
      --> crossgate.toml:23:11
       |
    23 | runtime = "python3.7"
       |           ^^^^^^^^^^^ not a valid `runtime`
       |
       = help: write it as in `runtime = "python3.13"`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
}

#[test]
fn values_out_of_range_are_refused() {
    insta::assert_snapshot!(messages("timeout_seconds = 901\nmemory_mb = 64\ntags = { \"aws:x\" = \"y\" }\n"), @r#"
    `timeout_seconds` must be 1 to 900
    `memory_mb` must be 128 to 10240
    tag `aws:x`: keys that begin with `aws:` belong to AWS
    "#);
    let text = format!("{GOOD}{}", MADE.replace("validate.handler", "a b"));
    assert!(refused_text(&text).contains("a handler has no white space"));
    let long = format!(
        "{GOOD}{}",
        MADE.replace("validate.handler", &"a.".repeat(65))
    );
    assert!(refused_text(&long).contains("a handler has 1 to 128 characters"));
}

#[test]
fn environment_variables_are_lambdas_and_their_values_are_never_shown() {
    let lines = format!(
        "{MADE}environment = {{ AWS_REGION = \"s3cret-1\", 1A = \"s3cret-2\", A = \"s3cret-3\", PORT = 8080, GOOD = \"s3cret-4\" }}\n"
    );
    let shown = refused(&lines);
    assert!(!shown.contains("s3cret"), "{shown}");
    insta::assert_snapshot!(shown, @r#"
    error: environment variable `AWS_REGION`: Lambda sets it itself, and refuses another value
      --> crossgate.toml:25:17
       |
    25 | environment = { AWS_REGION = "********", 1A = "********", A = "********", PORT = ****, GOOD = "********" }
       |                 ^^^^^^^^^^ not a name for Lambda
       |
       = help: leave it out, or choose another name

    error: environment variable `1A`: that is not a name which Lambda takes
      --> crossgate.toml:25:42
       |
    25 | environment = { AWS_REGION = "********", 1A = "********", A = "********", PORT = ****, GOOD = "********" }
       |                                          ^^ not a name for Lambda
       |
       = help: a name begins with a letter, has two characters or more, and of them only letters, numbers and `_`

    error: environment variable `A`: that is not a name which Lambda takes
      --> crossgate.toml:25:59
       |
    25 | environment = { AWS_REGION = "********", 1A = "********", A = "********", PORT = ****, GOOD = "********" }
       |                                                           ^ not a name for Lambda
       |
       = help: a name begins with a letter, has two characters or more, and of them only letters, numbers and `_`

    error: environment variable `PORT` must be a string
      --> crossgate.toml:25:75
       |
    25 | environment = { AWS_REGION = "********", 1A = "********", A = "********", PORT = ****, GOOD = "********" }
       |                                                                           ^^^^ not a string
       |
       = help: put its value in double quotes: a function gets strings

    4 problems in crossgate.toml; no call was made to AWS
    "#);
    let shown = refused(&format!("{MADE}environment = \"TOKEN=s3cret\"\n"));
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("`environment` must be a table"), "{shown}");
}

/// CI prints a refused manifest: whatever is wrong with it, and wherever a value of an environment stands.
#[test]
fn values_are_not_shown_with_mistakes_of_syntax_and_misplaced_keys_either() {
    for lines in [
        // Never closed, twice, not quoted.
        "environment = { TOKEN = \"s3cret }\n",
        "environment = { TOKEN = \"s3cret\"\nrole = \"x\"\n",
        "environment = { TOKEN = \"s3cret\", TOKEN = \"s3cret\" }\n",
        "environment = { TOKEN = s3cret }\n",
        "environment = {\n  TOKEN = s3cret,\n  OTHER = \"s3cret\n}\n",
        "environment.TOKEN = \"s3cret\nenvironment.OTHER = s3cret\n",
        "[gates.function.environment]\nFIRST = \"x\"\nTOKEN = 's3cret\nOTHER = \"s3cret\\q\"\n",
        "[gates.function.environment]\nKEY = \"\"\"\ns3cret\ns3cret==\\q\n\"\"\"\n",
        "[gates.function.environment]\ns3cret\n",
        // Misspelt, or in a table that has none.
        "enviroment = { TOKEN = \"s3cret\", A = [\"s3cret\"], B = { C = \"s3cret\" } }\n",
        "env = \"s3cret\"\n",
        "[gates.invoke_role]\nenvironment = { TOKEN = \"s3cret\" }\n",
        "[[gates]]\nEnvironment = { TOKEN = \"s3cret\" }\n",
    ] {
        let shown = refused(&format!("{MADE}{lines}"));
        assert!(!shown.contains("s3cret"), "{lines}\n{shown}");
        assert!(shown.contains("crossgate.toml:"), "{shown}");
    }
    let mut bytes = format!("{GOOD}{MADE}environment = {{ TOKEN = \"s3cret ").into_bytes();
    bytes.extend([0xff, b'"', b'}', b'\n']);
    let refused = crate::config::from_bytes(Path::new("crossgate.toml"), &bytes);
    let shown = refused.unwrap_err().render(false);
    assert!(
        shown.contains("not UTF-8") && !shown.contains("s3cret"),
        "{shown}"
    );
}

#[test]
fn environment_variables_have_4096_bytes_at_most() {
    // {"AB":"…"}: nine characters besides the value.
    let sized = |bytes: usize| {
        let value = "x".repeat(bytes - 9);
        format!("{GOOD}{MADE}environment = {{ AB = \"{value}\" }}\n")
    };
    assert!(parse(&sized(4096)).is_ok());
    let errors = parse(&sized(4097)).unwrap_err();
    assert_eq!(
        errors.items[0].message,
        "the environment variables have 4097 bytes, and Lambda takes 4096 at most"
    );
}

#[test]
fn an_execution_role_is_of_the_functions_account_and_partition() {
    let role = |arn: &str| refused(&format!("{MADE}role = \"{arn}\"\n"));
    insta::assert_snapshot!(role("arn:aws:iam::111111111111:role/Runs"), @r#"
    error: the execution role is in account 111111111111, and the function is made in 222222222222
      --> crossgate.toml:25:8
       |
    20 | account = "dev"
       |           ----- `dev` is account 222222222222
    ...
    25 | role = "arn:aws:iam::111111111111:role/Runs"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a role of another account
       |
       = help: a function runs as a role of its own account; without `role` crossgate makes one

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    insta::assert_snapshot!(role("arn:aws-cn:iam::222222222222:role/Runs"), @r#"
    error: the execution role is in partition aws-cn, and the function in aws
      --> crossgate.toml:25:8
       |
    14 | region = "us-east-1"
       |          ----------- partition aws
    ...
    25 | role = "arn:aws-cn:iam::222222222222:role/Runs"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ partition aws-cn
       |
       = help: begin the ARN with `arn:aws:iam::`

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    assert!(role("Runs").contains("is not a role ARN such as"));
}

#[test]
fn the_role_that_is_made_has_a_name_that_fits() {
    let text = format!("{GOOD}{MADE}").replace("MyFunction", &"F".repeat(50));
    insta::assert_snapshot!(refused_text(&text), @r#"
    error: the execution role that is made for this function cannot have its default name: `crossgate-checkout-fn-FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF` is not a valid role name: 1 to 64 of A-Z, a-z, 0-9 and `+=,.@_-` are allowed
      --> crossgate.toml:21:8
       |
    21 | name = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ makes `crossgate-checkout-fn-FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF`
       |
       = help: name a role that is there with `role = "arn:aws:iam::ACCOUNT:role/NAME"`, or shorten the function's name

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    let own = format!("{text}role = \"arn:aws:iam::222222222222:role/Runs\"\n");
    assert!(parse(&own).is_ok(), "an own role has no default name");
}

#[test]
fn gates_that_share_a_function_describe_it_alike() {
    let both = |second: &str| format!("{GOOD}{MADE}{SECOND}{second}");
    assert!(parse(&both("")).is_ok(), "one may only name it");
    assert!(parse(&both(MADE)).is_ok());
    let same_bytes = MADE.replace("\"lambda\"", "\"./lambda\"");
    assert!(parse(&both(&same_bytes)).is_ok());
    let defaults = format!("{MADE}timeout_seconds = 60\nmemory_mb = 128\n");
    assert!(parse(&both(&defaults)).is_ok(), "as by default");

    let other = format!(
        "{}timeout_seconds = 30\nenvironment = {{ AB = \"s3cret\" }}\n",
        MADE.replace("\"lambda\"", "\"other\"")
    );
    insta::assert_snapshot!(refused_text(&both(&other)), @r#"
    error: two gates describe the function `MyFunction` differently: `source`, `timeout_seconds`, `environment`
      --> crossgate.toml:37:1
       |
    22 | source = "lambda"
       | ------ gate `validate` describes it here
    ...
    37 | source = "other"
       | ^^^^^^ gate `second` says otherwise
       |
       = help: describe a function once: the other gates that use it give its `account` and `name` only

    1 problem in crossgate.toml; no call was made to AWS
    "#);
    let elsewhere = format!("{GOOD}{MADE}{SECOND}region = \"eu-west-1\"\n{other}");
    assert!(
        parse(&elsewhere).is_ok(),
        "another region, another function"
    );
}
