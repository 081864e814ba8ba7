//! Whole manifests as a person gets them, places in pipelines, and that no text leaves its value.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::{self, Config, Credentials};
use crate::model::account::{AccountId, Region};
use crate::model::name::{
    ActionName, ArtifactName, FunctionName, GateName, Namespace, PipelineName, Project, RoleName,
    RolePath, StageName,
};
use crate::model::pipeline::PipelineDocument;
use crate::model::wiring::{GateAction, Placement};

fn action(stage: &str, name: &str, placement: Option<Placement>) -> GateAction {
    GateAction {
        stage: StageName::new(stage).unwrap(),
        name: ActionName::new(name).unwrap(),
        placement,
        run_order: None,
        user_parameters: None,
        input_artifacts: None,
        output_artifacts: None,
        namespace: None,
        timeout_minutes: None,
    }
}

fn account(id: &str, profile: Option<&str>) -> AccountDraft {
    AccountDraft {
        id: AccountId::new(id).unwrap(),
        profile: profile.map(str::to_owned),
    }
}

fn draft() -> Draft {
    let after = Placement::After(StageName::new("Deploy").unwrap());
    Draft {
        project: Project::new("checkout").unwrap(),
        tools: account("111111111111", Some("tools")),
        dev: Some(account("222222222222", Some("dev"))),
        gate: GateName::new("validate").unwrap(),
        region: Region::new("us-east-1").unwrap(),
        pipeline: PipelineName::new("MyPipeline").unwrap(),
        action: action("InvokeValidationLambda", "RunValidation", Some(after)),
        function: FunctionName::new("MyFunction").unwrap(),
        function_region: None,
        source: None,
        invoke_role: None,
    }
}

fn written(draft: &Draft) -> String {
    manifest(draft, Path::new("crossgate.toml"), "# code")
        .unwrap_or_else(|e| panic!("{}", e.render(false)))
}

fn parsed(draft: &Draft) -> Config {
    config::from_text(Path::new("crossgate.toml"), &written(draft)).unwrap()
}

#[test]
fn a_new_gate() {
    insta::assert_snapshot!(written(&draft()), @r##"
    #:schema ./crossgate.schema.json
    # Written by `crossgate init`. Look at it with `crossgate plan`, which changes nothing.
    # Unknown keys are errors; lines that begin with `#` and a key show an optional key.
    # Editors with taplo complete and check this file by the schema above; `crossgate schema` prints it anew.

    # The namespace of everything that this manifest owns in AWS: 1 to 32 of a-z, 0-9 and `-`.
    # Do not change it later: what was made under the old name would no longer be recognised.
    project = "checkout"

    # The accounts. Credentials of another account than `id` stop the run before any write.

    [accounts.tools]
    id = "111111111111"
    profile = "tools"

    [accounts.dev]
    id = "222222222222"
    profile = "dev"

    # One `[[gates]]` for each function that a pipeline asks before it goes on.

    [[gates]]
    name = "validate"                    # unique in the manifest

    # The pipeline, and the action in it that is the gate.
    [gates.pipeline]
    account = "tools"
    region = "us-east-1"
    name = "MyPipeline"
    stage = "InvokeValidationLambda"     # made if it is absent; an existing stage gets the action added
    action = "RunValidation"             # unique in the stage
    after = "Deploy"                     # where a new stage goes; or `before`
    # user_parameters = { level = "strict" }    # what the function gets: a string, or a table that is sent as JSON
    # input_artifacts = ["BuildOutput"]  # five at most, made by earlier actions
    # A key that is not written is not owned: whatever stands in the pipeline stays.

    # The function that decides: it must exist, and it must answer with PutJobSuccessResult or PutJobFailureResult.
    [gates.function]
    account = "dev"
    name = "MyFunction"                  # the name only: no ARN, version or alias

    # The role in the function's account through which the pipeline invokes the function. Optional, all of it.
    # [gates.invoke_role]
    # name = "CodePipeline-InvokeRole"   # default: crossgate-<project>-<gate>
    # permissions_boundary = "arn:aws:iam::222222222222:policy/Boundary"
    "##);
}

#[test]
fn a_wiring_that_is_there() {
    let found = wirings(&wired(), &AccountId::new("222222222222").unwrap());
    let [found] = found.as_slice() else {
        panic!("{found:#?}")
    };
    let draft = Draft {
        action: found.action.clone(),
        function: found.function.clone(),
        function_region: found.region.clone(),
        invoke_role: Some((found.role.name.clone(), found.role.path.clone())),
        ..draft()
    };
    insta::assert_snapshot!(written(&draft), @r##"
    #:schema ./crossgate.schema.json
    # Written by `crossgate init`. Look at it with `crossgate plan`, which changes nothing.
    # Unknown keys are errors; lines that begin with `#` and a key show an optional key.
    # Editors with taplo complete and check this file by the schema above; `crossgate schema` prints it anew.

    # The namespace of everything that this manifest owns in AWS: 1 to 32 of a-z, 0-9 and `-`.
    # Do not change it later: what was made under the old name would no longer be recognised.
    project = "checkout"

    # The accounts. Credentials of another account than `id` stop the run before any write.

    [accounts.tools]
    id = "111111111111"
    profile = "tools"

    [accounts.dev]
    id = "222222222222"
    profile = "dev"

    # One `[[gates]]` for each function that a pipeline asks before it goes on.

    [[gates]]
    name = "validate"                    # unique in the manifest

    # The pipeline, and the action in it that is the gate.
    [gates.pipeline]
    account = "tools"
    region = "us-east-1"
    name = "MyPipeline"
    stage = "Checks"                     # made if it is absent; an existing stage gets the action added
    action = "Ask-Dev"                   # unique in the stage
    run_order = 2
    user_parameters = '{"level": "strict"}'
    input_artifacts = ["App"]
    namespace = "Checked"
    # A key that is not written is not owned: whatever stands in the pipeline stays.

    # The function that decides: it must exist, and it must answer with PutJobSuccessResult or PutJobFailureResult.
    [gates.function]
    account = "dev"
    name = "MyFunction"                  # the name only: no ARN, version or alias
    region = "eu-west-1"

    # The role through which the pipeline invokes the function. It is there already: `crossgate bootstrap --adopt` puts
    # crossgate's grants beside its own, and `teardown` gives it back as it was.
    [gates.invoke_role]
    name = "HandMade"
    path = "/pipelines/"
    "##);
}

/// The names that AWS takes are plain; a profile's name and parameters may hold anything.
#[test]
fn odd_names() {
    let mut action = action("a.b@c_d-e", "0.@_-", None);
    action.user_parameters =
        Some("\"\"\"\nid = \"999999999999\" # \\ \u{1b}[2J\t'''\n[x]\r\n\u{7f}".to_owned());
    action.run_order = Some(999);
    let draft = Draft {
        tools: account("111111111111", Some("my \"tools\" # profile = \"x\"\\")),
        dev: None,
        pipeline: PipelineName::new("@.-_").unwrap(),
        action,
        function: FunctionName::new("_-").unwrap(),
        invoke_role: Some((
            RoleName::new("a+b=c,d.@_-").unwrap(),
            RolePath::new("/\"a\\b\"/#/").unwrap(),
        )),
        ..draft()
    };
    insta::assert_snapshot!(written(&draft), @r##"
    #:schema ./crossgate.schema.json
    # Written by `crossgate init`. Look at it with `crossgate plan`, which changes nothing.
    # Unknown keys are errors; lines that begin with `#` and a key show an optional key.
    # Editors with taplo complete and check this file by the schema above; `crossgate schema` prints it anew.

    # The namespace of everything that this manifest owns in AWS: 1 to 32 of a-z, 0-9 and `-`.
    # Do not change it later: what was made under the old name would no longer be recognised.
    project = "checkout"

    # The accounts. Credentials of another account than `id` stop the run before any write.

    [accounts.tools]
    id = "111111111111"
    profile = 'my "tools" # profile = "x"\'

    # One `[[gates]]` for each function that a pipeline asks before it goes on.

    [[gates]]
    name = "validate"                    # unique in the manifest

    # The pipeline, and the action in it that is the gate.
    [gates.pipeline]
    account = "tools"
    region = "us-east-1"
    name = "@.-_"
    stage = "a.b@c_d-e"                  # made if it is absent; an existing stage gets the action added
    action = "0.@_-"                     # unique in the stage
    run_order = 999
    user_parameters = """
    ""\"
    id = "999999999999" # \\ \u001B[2J\t'''
    [x]\r
    \u007F"""
    # input_artifacts = ["BuildOutput"]  # five at most, made by earlier actions
    # A key that is not written is not owned: whatever stands in the pipeline stays.

    # The function that decides: it must exist, and it must answer with PutJobSuccessResult or PutJobFailureResult.
    [gates.function]
    account = "tools"
    name = "_-"                          # the name only: no ARN, version or alias

    # The role through which the pipeline invokes the function. It is there already: `crossgate bootstrap --adopt` puts
    # crossgate's grants beside its own, and `teardown` gives it back as it was.
    [gates.invoke_role]
    name = "a+b=c,d.@_-"
    path = '/"a\b"/#/'
    "##);
    assert_same(&draft);
}

#[test]
fn what_a_manifest_refuses_is_not_written() {
    let draft = Draft {
        project: Project::new("a-project-with-thirty-two-letters").unwrap_or(draft().project),
        gate: GateName::new(&"g".repeat(64)).unwrap(),
        ..draft()
    };
    let refused = manifest(&draft, Path::new("crossgate.toml"), "# code").unwrap_err();
    assert!(
        refused.render(false).contains("64"),
        "{}",
        refused.render(false)
    );
}

/// The manifest says what the draft says.
fn assert_same(draft: &Draft) {
    let config = parsed(draft);
    let Draft {
        project,
        tools,
        dev,
        gate,
        region,
        pipeline,
        action,
        function,
        function_region,
        source: _,
        invoke_role,
    } = draft;
    assert_eq!(config.project, *project);
    let accounts = [(TOOLS, Some(tools)), (DEV, dev.as_ref())];
    let accounts = accounts.iter().filter_map(|(n, a)| a.map(|a| (*n, a)));
    assert_eq!(config.accounts.len(), accounts.clone().count());
    for ((name, is), (wanted_name, wanted)) in config.accounts.iter().rev().zip(accounts) {
        assert_eq!(name.as_str(), wanted_name);
        assert_eq!(is.id, wanted.id);
        let credentials = wanted.profile.clone().map(Credentials::Profile);
        assert_eq!(
            is.credentials,
            credentials.unwrap_or(Credentials::DefaultChain)
        );
    }
    let [is] = config.gates.as_slice() else {
        panic!("one gate")
    };
    assert_eq!(is.name, *gate);
    assert_eq!(is.pipeline.account.as_str(), TOOLS);
    assert_eq!((&is.pipeline.region, &is.pipeline.name), (region, pipeline));
    assert_eq!(is.action, *action);
    let account = if dev.is_some() { DEV } else { TOOLS };
    assert_eq!(is.function.account.as_str(), account);
    assert_eq!(
        (&is.function.name, &is.function.region),
        (function, function_region)
    );
    let role = invoke_role.clone().unzip();
    let path = role.1.filter(|path| *path != RolePath::default());
    assert_eq!(
        (&is.invoke_role.name, &is.invoke_role.path),
        (&role.0, &path)
    );
}

fn named<T: std::fmt::Debug, E: std::fmt::Debug>(
    pattern: &'static str,
    parse: fn(&str) -> Result<T, E>,
) -> impl Strategy<Value = T> {
    pattern.prop_map(move |text| parse(&text).unwrap())
}

prop_compose! {
    fn actions()(
        stage in named("[A-Za-z0-9.@_-]{1,100}", StageName::new),
        name in named("[A-Za-z0-9.@_-]{1,100}", ActionName::new),
        anchor in named("[A-Za-z0-9.@_-]{1,100}", StageName::new),
        placed in 0..3,
        run_order in proptest::option::of(1_u32..=999),
        user_parameters in proptest::option::of("(?s).{0,900}"),
        inputs in proptest::option::of(prop::collection::btree_set("[A-Za-z0-9_-]{1,100}", 0..=5)),
        outputs in proptest::option::of(prop::collection::btree_set("[A-Za-z0-9_-]{1,100}", 0..=5)),
        namespace in proptest::option::of(named("[A-Za-z0-9@_-]{1,100}", Namespace::new)),
        timeout_minutes in proptest::option::of(5_u32..=86_400),
    ) -> GateAction {
        let artifacts = |names: std::collections::BTreeSet<String>| {
            names.iter().map(|n| ArtifactName::new(n).unwrap()).collect()
        };
        let placement = match placed {
            1 if anchor != stage => Some(Placement::After(anchor)),
            2 if anchor != stage => Some(Placement::Before(anchor)),
            _ => None,
        };
        GateAction {
            stage, name, placement, run_order, user_parameters,
            input_artifacts: inputs.map(artifacts),
            output_artifacts: outputs.map(artifacts),
            namespace, timeout_minutes,
        }
    }
}

proptest! {
    /// Whatever is accepted is written so that it is read back as it was, and nothing else with it.
    #[test]
    fn what_is_written_is_read_back(
        action in actions(),
        project in named("[a-z0-9-]{1,32}", Project::new),
        gate in named("[A-Za-z0-9_.-]{1,20}", GateName::new),
        pipeline in named("[A-Za-z0-9.@_-]{1,100}", PipelineName::new),
        function in named("[A-Za-z0-9_-]{1,64}", FunctionName::new),
        profiles in prop::array::uniform2(proptest::option::of("[^\\p{C}]{1,40}")),
        two in any::<bool>(),
        region in proptest::option::of(named("[a-z]{2}-(north|south)-[1-9]", Region::new)),
        role in proptest::option::of((named("[A-Za-z0-9+=,.@_-]{1,64}", RoleName::new),
            named("/([!-#%-)+->@-~]{1,20}/)?", RolePath::new))),
    ) {
        let [tools, dev] = profiles;
        let region = region.filter(|r| r.partition() == crate::model::account::Partition::Aws);
        let draft = Draft {
            project, gate, pipeline, function, action,
            tools: account("111111111111", tools.as_deref()),
            dev: two.then(|| account("222222222222", dev.as_deref())),
            function_region: region,
            invoke_role: role,
            ..draft()
        };
        // What a manifest refuses as a whole is refused before anyone gets it.
        if manifest(&draft, Path::new("crossgate.toml"), "# code").is_ok() {
            assert_same(&draft);
        } else {
            prop_assert!(toml::from_str::<toml::Table>(&draft.render()).is_ok());
        }
    }
}

fn stage(name: &str, actions: &[(&str, &str)]) -> Value {
    let actions: Vec<Value> = actions
        .iter()
        .map(|(name, category)| {
            json!({"name": name, "actionTypeId":
                {"category": category, "owner": "AWS", "provider": "X", "version": "1"}})
        })
        .collect();
    json!({"name": name, "actions": actions})
}

fn document(stages: &[Value]) -> PipelineDocument {
    let pipeline =
        json!({"name": "P", "roleArn": "arn:aws:iam::111111111111:role/s", "stages": stages});
    PipelineDocument::parse(&pipeline.to_string()).unwrap()
}

/// A pipeline with a gate made by hand, and a function of its own account.
fn wired() -> PipelineDocument {
    let lambda =
        json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
    document(&[
        stage("Source", &[("Fetch", "Source")]),
        json!({"name": "Checks", "actions": [
            {"name": "Own", "actionTypeId": lambda, "configuration": {"FunctionName": "MyFunction"}},
            {"name": "Ask Dev".replace(' ', "-"), "actionTypeId": lambda, "runOrder": 2, "region": "eu-west-1",
                "roleArn": "arn:aws:iam::222222222222:role/pipelines/HandMade",
                "configuration": {"FunctionName": "MyFunction", "UserParameters": "{\"level\": \"strict\"}"},
                "inputArtifacts": [{"name": "App"}], "outputArtifacts": [], "namespace": "Checked"},
            {"name": "Other", "actionTypeId": lambda, "roleArn": "arn:aws:iam::333333333333:role/x",
                "configuration": {"FunctionName": "MyFunction"}},
        ]}),
        stage("Prod", &[("ToProd", "Deploy")]),
    ])
}

fn after(stages: &[Value]) -> String {
    let gate = GateName::new("validate").unwrap();
    match place(&document(stages), &gate, &Wanted::default())
        .unwrap()
        .placement
    {
        Some(Placement::After(stage)) => stage.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_gate_goes_before_production() {
    let source = || stage("Source", &[("S", "Source")]);
    let build = || stage("Build", &[("B", "Build")]);
    let deploy = |name: &str| stage(name, &[("Go", "Deploy")]);
    assert_eq!(
        after(&[source(), deploy("Deploy"), deploy("Prod")]),
        "Deploy"
    );
    assert_eq!(after(&[source(), deploy("Deploy")]), "Deploy");
    assert_eq!(after(&[source(), build(), deploy("PRODUCTION")]), "Build");
    assert_eq!(after(&[source(), deploy("Prod")]), "Source");
    assert_eq!(after(&[source(), build()]), "Build");
    // An approval is asked for when the gate has answered.
    let approve = stage("Approve", &[("A", "Approval")]);
    let stages = [source(), deploy("Test"), approve, deploy("my-prod-eu")];
    assert_eq!(after(&stages), "Test");
    // What only has the letters is no production; a source stage never is.
    let stages = [
        stage("ProdSource", &[("S", "Source")]),
        deploy("PreProd"),
        deploy("Products"),
    ];
    assert_eq!(after(&stages), "Products");
    let hidden = stage("Last", &[("ToLive", "Deploy")]);
    assert_eq!(
        after(&[source(), stage("T", &[("t", "Test")]), hidden]),
        "T"
    );
}

#[test]
fn what_is_asked_for_is_held_against_the_stages() {
    let document = wired();
    let gate = GateName::new("validate").unwrap();
    let at = |stage: Option<&str>, action: Option<&str>, placement: Option<Placement>| {
        let wanted = Wanted {
            stage: stage.map(|s| StageName::new(s).unwrap()),
            action: action.map(|a| ActionName::new(a).unwrap()),
            placement,
        };
        place(&document, &gate, &wanted).map_err(|e| e.to_string())
    };
    let name = |text: &str| StageName::new(text).unwrap();
    let there = at(Some("Checks"), None, None).unwrap();
    assert_eq!(
        (there.action.as_str(), there.placement),
        ("RunValidation", None)
    );
    let new = at(
        Some("New"),
        Some("A"),
        Some(Placement::Before(name("Prod"))),
    )
    .unwrap();
    assert_eq!(new.placement, Some(Placement::Before(name("Prod"))));
    for (result, says) in [
        (at(Some("Source"), None, None), "first stage"),
        (at(Some("Checks"), Some("Own"), None), "has an action `Own`"),
        (
            at(None, None, Some(Placement::After(name("Check")))),
            "did you mean `Checks`?",
        ),
        (
            at(None, None, Some(Placement::Before(name("Source")))),
            "nothing stands before it",
        ),
        (
            at(Some("N"), None, Some(Placement::After(name("N")))),
            "beside itself",
        ),
    ] {
        let error = result.unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_name_that_is_taken_gets_a_number() {
    let taken = document(&[
        stage("Source", &[("S", "Source")]),
        stage("InvokeValidationLambda", &[("RunValidation", "Build")]),
    ]);
    let gate = GateName::new("validate").unwrap();
    let new = place(&taken, &gate, &Wanted::default()).unwrap();
    assert_eq!(new.stage.as_str(), "InvokeValidationLambda2");
    let wanted = Wanted {
        stage: StageName::new("InvokeValidationLambda").ok(),
        ..Wanted::default()
    };
    let new = place(&taken, &gate, &wanted).unwrap();
    assert_eq!(new.action.as_str(), "RunValidation2");
}

#[test]
fn names_are_proposed() {
    for (pipeline, project) in [
        ("MyPipeline", "my"),
        ("Pipeline", "pipeline"),
        ("checkout-API_v2", "checkout-api-v2"),
        ("@@@", "pipeline"),
        (&"Ab".repeat(50), "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab"),
    ] {
        assert_eq!(project_of(pipeline).unwrap().as_str(), project);
    }
    let gate = GateName::new("security.scan_EU").unwrap();
    let names = stage_and_action(&gate);
    assert_eq!(
        names,
        ("InvokeSecurityScanEu".into(), "RunSecurityScanEu".into())
    );
}

#[test]
fn other_accounts_are_not_taken_for_this_one() {
    let document = wired();
    let function = FunctionName::new("MyFunction").unwrap();
    assert_eq!(bare(&document, &function), ["Checks/Own"]);
    assert!(wirings(&document, &AccountId::new("111111111111").unwrap()).is_empty());
    let all = wirings(&document, &AccountId::new("222222222222").unwrap());
    let wanted = |action: &str| Wanted {
        action: ActionName::new(action).ok(),
        ..Wanted::default()
    };
    assert!(all[0].fits(Some(&function), &wanted("Ask-Dev")));
    assert!(!all[0].fits(Some(&function), &wanted("Ask")));
    assert!(!all[0].fits(FunctionName::new("f").ok().as_ref(), &Wanted::default()));
}

/// The file that the manifest names is the one that is put beside it.
#[test]
fn a_function_to_be_made() {
    for handler in [Handler::Python, Handler::Node] {
        let source = Source {
            file: handler.file().to_owned(),
            handler,
        };
        let draft = Draft {
            source: Some(source),
            ..draft()
        };
        let text = written(&draft);
        let table: toml::Table = toml::from_str(&text).unwrap();
        let function = &table["gates"][0]["function"];
        assert_eq!(function["source"].as_str(), Some(handler.file()));
        let stem = handler.file().split('.').next().unwrap();
        let entry = function["handler"].as_str().unwrap();
        assert_eq!(
            entry.split('.').next(),
            Some(stem),
            "Lambda looks for the file by it"
        );
        assert!(function["runtime"].as_str().is_some());
        assert_eq!(function["timeout_seconds"].as_integer(), Some(30));
        assert!(
            text.contains("# The function that decides: made by `crossgate bootstrap`"),
            "{text}"
        );
    }
}
