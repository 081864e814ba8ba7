//! Examples of every command, as `--help` and the manual pages show them.
//! Text only; a test gives each line to clap, so that none is out of date.

/// What it does, and the line of a shell.
pub(super) type Example = (&'static str, &'static str);

/// By command: the words that follow `crossgate`; none for the program itself.
pub(super) const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            (
                "see all of it, on an AWS inside this program",
                "crossgate demo",
            ),
            (
                "write a manifest, look, do",
                "crossgate init && crossgate plan && crossgate bootstrap",
            ),
            (
                "in CI: 0 in sync, 3 drift, 4 could not be read",
                "crossgate check",
            ),
        ],
    ),
    (
        "init",
        &[
            ("be asked", "crossgate init"),
            (
                "from a pipeline that is there",
                "crossgate init --from-pipeline MyPipeline --tools-profile tools \\\n    --dev-profile dev --function MyFunction --yes",
            ),
            (
                "look at it first, with a handler to start from",
                "crossgate init --from-pipeline MyPipeline --print",
            ),
        ],
    ),
    (
        "plan",
        &[
            ("what would change, and why", "crossgate plan"),
            (
                "one gate, whole documents",
                "crossgate plan --gate validate -v",
            ),
            ("the gates that fit", "crossgate plan --gate 'validate-*'"),
            (
                "for a script: exit 3 where changes are pending",
                "crossgate plan --exit-code --format json",
            ),
            ("what a teardown would remove", "crossgate plan --teardown"),
        ],
    ),
    (
        "bootstrap",
        &[
            (
                "show the plan, ask, make the changes",
                "crossgate bootstrap",
            ),
            ("where nobody can be asked", "crossgate bootstrap --yes"),
            (
                "take in what somebody wired by hand",
                "crossgate bootstrap --adopt",
            ),
            (
                "a pipeline whose source holds a token that AWS masks",
                "crossgate bootstrap --secret Source/GitHub/OAuthToken=env:GITHUB_TOKEN",
            ),
        ],
    ),
    (
        "check",
        &[
            ("0 in sync, 3 drift, 4 could not be read", "crossgate check"),
            (
                "prove the hops too, from the same reads",
                "crossgate check --verify",
            ),
            (
                "for a program",
                "crossgate check --format json | jq .changes",
            ),
        ],
    ),
    (
        "merge",
        &[
            (
                "eight jobs of CI as one: what each printed, put together",
                "crossgate check --partition hash:1/8 --format json > part-1.json\ncrossgate merge part-*.json",
            ),
            (
                "for a program",
                "crossgate merge --format json part-*.json | jq .changes",
            ),
        ],
    ),
    (
        "graph",
        &[
            (
                "what the manifest wants, without AWS",
                "crossgate graph > gates.mmd",
            ),
            (
                "coloured by what check finds",
                "crossgate graph --format html --from check > gates.html",
            ),
        ],
    ),
    (
        "verify",
        &[
            ("will each gate work, and if not, why", "crossgate verify"),
            (
                "with the service control policies of one account",
                "crossgate verify --scp-file dev=scp.json",
            ),
            (
                "read them from AWS Organizations",
                "crossgate verify --organizations tools",
            ),
        ],
    ),
    (
        "teardown",
        &[
            ("show what goes, ask, remove it", "crossgate teardown"),
            (
                "one gate; what others share stays",
                "crossgate teardown --gate validate --yes",
            ),
        ],
    ),
    (
        "prune",
        &[
            (
                "see first what is left, removing nothing",
                "crossgate check --orphans && crossgate prune",
            ),
            ("where nobody can be asked", "crossgate prune --yes"),
        ],
    ),
    (
        "restore",
        &[
            (
                "show what differs, ask, put it back",
                "crossgate restore \\\n    .crossgate/backup/tools.us-east-1.MyPipeline.v12.1795359600.json",
            ),
            (
                "where nobody can be asked",
                "crossgate restore --yes saved.json --region us-east-1",
            ),
        ],
    ),
    (
        "run",
        &[
            (
                "start the pipeline, wait for the gate's answer",
                "crossgate run",
            ),
            (
                "one gate of several pipelines, ten minutes at most",
                "crossgate run --gate validate --timeout 10",
            ),
            (
                "follow an execution that runs already",
                "crossgate run --execution b28225ac-9df6-4ee2-b81b-9d0376cc6044",
            ),
        ],
    ),
    (
        "diagnose",
        &[
            ("why does it not work", "crossgate diagnose"),
            (
                "one execution of one gate",
                "crossgate diagnose --gate validate \\\n    --execution b28225ac-9df6-4ee2-b81b-9d0376cc6044",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("all codes", "crossgate explain"),
            ("one of them", "crossgate explain CG-401"),
        ],
    ),
    (
        "policy",
        &[
            (
                "do they grant the same",
                "crossgate policy diff old.json new.json",
            ),
            (
                "decide requests",
                "crossgate policy simulate --cases cases.jsonl",
            ),
        ],
    ),
    (
        "policy simulate",
        &[
            (
                "one decision a line",
                "crossgate policy simulate --cases cases.jsonl",
            ),
            (
                "from another program",
                "jq -c .[] cases.json | crossgate policy simulate --cases -",
            ),
        ],
    ),
    (
        "policy diff",
        &[
            (
                "exit 3 where they do not grant the same",
                "crossgate policy diff old.json new.json",
            ),
            (
                "what stands in AWS, against a file",
                "aws iam get-role-policy --role-name r --policy-name p --query PolicyDocument |\n    crossgate policy diff - policy.json",
            ),
            ("many pairs", "crossgate policy diff --cases pairs.jsonl"),
        ],
    ),
    (
        "permissions",
        &[
            (
                "what CI needs for check, in each account",
                "crossgate permissions check",
            ),
            (
                "a bare policy for one account",
                "crossgate permissions bootstrap teardown --account dev > policy.json",
            ),
            (
                "narrowed to the roles that there are",
                "crossgate permissions bootstrap --resolve",
            ),
        ],
    ),
    (
        "sandbox",
        &[
            (
                "two accounts, a pipeline, a function, until Ctrl-C",
                "crossgate sandbox",
            ),
            (
                "your own function behind it, a day a minute",
                "crossgate sandbox --handler handler.py --speed 1440",
            ),
            (
                "the same accounts next time",
                "crossgate sandbox --state sandbox.json --port 4566",
            ),
        ],
    ),
    (
        "demo",
        &[
            ("the whole story", "crossgate demo"),
            ("without pauses", "crossgate demo --fast"),
        ],
    ),
    (
        "schema",
        &[(
            "beside the manifest, whose first line is `#:schema ./crossgate.schema.json`",
            "crossgate schema > crossgate.schema.json",
        )],
    ),
    (
        "completions",
        &[
            ("bash, in ~/.bashrc", "source <(crossgate completions bash)"),
            (
                "zsh, in ~/.zshrc, after compinit",
                "source <(crossgate completions zsh)",
            ),
            (
                "fish, in ~/.config/fish/completions/crossgate.fish",
                "crossgate completions fish | source",
            ),
            (
                "PowerShell, in $PROFILE",
                "crossgate completions powershell | Out-String | Invoke-Expression",
            ),
            (
                "elvish, in ~/.elvish/rc.elv",
                "eval (crossgate completions elvish | slurp)",
            ),
        ],
    ),
    (
        "man",
        &[
            ("read it", "crossgate man | man -l -"),
            ("a page for each command", "crossgate man target/man"),
        ],
    ),
];
