//! Pipelines that nobody has written yet: what the API documents, in all its forms, with fields at every level that no model knows.
//! Test code only.

use super::tree::{Tree, text};
use crate::world::random::Random;

/// The name of the stage of the gates, and of their anchor.
pub(super) const GATE_STAGE: &str = "Gate";

/// A pipeline, and where the gates are to go.
pub(super) struct Scene {
    pub(super) pipeline: Tree,
    /// The manifest's lines about stage and place: a stage of their own, or one that is there.
    pub(super) place: String,
}

pub(super) fn scene(random: &mut Random) -> Scene {
    let count = match random.below(20) {
        0..2 => 50,
        2 => random.within(20, 49),
        _ => random.within(2, 6),
    };
    let names: Vec<String> = (0..count).map(|at| stage_name(at, random)).collect();
    let anchor = random.within(1, count - 1);
    let mut stages: Vec<Tree> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let name = if at == anchor { "Anchor" } else { name };
        let many = if count > 10 { 1 } else { 3 };
        stages.push(stage(name, at, many, random));
    }
    // 50 stages are as many as AWS takes: there the gates go into one that is there.
    let place = match (count == 50, random.below(3)) {
        (true, _) | (false, 0) => "stage = \"Anchor\"".to_owned(),
        (false, 1) => format!("stage = \"{GATE_STAGE}\"\nafter = \"Anchor\""),
        (false, _) => format!("stage = \"{GATE_STAGE}\""),
    };
    let mut fields = vec![
        ("name".to_owned(), text("MyPipeline")),
        (
            "roleArn".to_owned(),
            text("arn:aws:iam::111111111111:role/ServiceRole"),
        ),
        ("stages".to_owned(), Tree::List(stages)),
        ("version".to_owned(), Tree::Number("3".to_owned())),
        stores(random),
    ];
    let kind = *random.pick(&["V1", "V2"]);
    let mode = *random.pick(&["SUPERSEDED", "QUEUED", "PARALLEL", "OF_TOMORROW"]);
    optional(&mut fields, "pipelineType", text(kind), random);
    optional(&mut fields, "executionMode", text(mode), random);
    for key in ["variables", "triggers"] {
        let value = match random.below(4) {
            0 => Tree::List(Vec::new()),
            1 => Tree::Null,
            _ => Tree::List(vec![Tree::Object(unknown(random, 3)), any(random, 2)]),
        };
        optional(&mut fields, key, value, random);
    }
    if random.percent(10) {
        fields.push(("abyss".to_owned(), abyss(random)));
    }
    Scene {
        pipeline: Tree::Object(mixed(fields, random)),
        place,
    }
}

/// Names that look like the gates', and plain ones.
fn stage_name(at: usize, random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("gate{at}"),
        1 => format!("Gate {at}"),
        2 => format!("Gаte{at}"),
        3 => format!("{}{at}", word(random)),
        _ => format!("S{at}"),
    }
}

fn stores(random: &mut Random) -> (String, Tree) {
    let store = |random: &mut Random| {
        let mut fields = vec![
            ("type".to_owned(), text("S3")),
            ("location".to_owned(), text("bucket")),
        ];
        let key = vec![
            ("id".to_owned(), text("alias/k")),
            ("type".to_owned(), text("KMS")),
        ];
        let key = Tree::Object(mixed(key, random));
        optional(&mut fields, "encryptionKey", key, random);
        Tree::Object(mixed(fields, random))
    };
    if random.percent(50) {
        return ("artifactStore".to_owned(), store(random));
    }
    let regions = ["us-east-1", "eu-west-1", "ap-south-2"];
    let mut by_region: Vec<_> = regions
        .iter()
        .map(|region| ((*region).to_owned(), store(random)))
        .collect();
    random.shuffle(&mut by_region);
    ("artifactStores".to_owned(), Tree::Object(by_region))
}

fn stage(name: &str, at: usize, many: usize, random: &mut Random) -> Tree {
    // AWS takes no stage without actions; should one come all the same, it stays. Not so where the gates go: a teardown takes away
    // a stage that has no action left.
    let count = if at > 0 && random.percent(3) {
        usize::from(name == "Anchor")
    } else {
        random.within(1, many)
    };
    let actions = (0..count)
        .map(|number| action(at == 0, number, random))
        .collect();
    let mut fields = vec![
        ("name".to_owned(), text(name)),
        ("actions".to_owned(), Tree::List(actions)),
    ];
    for key in ["blockers", "onFailure", "onSuccess", "beforeEntry"] {
        let value = any(random, 2);
        optional(&mut fields, key, value, random);
    }
    Tree::Object(mixed(fields, random))
}

fn action(is_source: bool, number: usize, random: &mut Random) -> Tree {
    let name = match random.below(6) {
        0 => "runValidation".to_owned(),
        1 => format!("RunValidation{number}"),
        2 => format!("{}{number}", word(random)),
        _ => format!("A{number}"),
    };
    let (category, owner, provider) = if is_source {
        ("Source", "AWS", "S3")
    } else {
        *random.pick(&[
            ("Invoke", "AWS", "Lambda"),
            ("Invoke", "Custom", "Lambda"),
            ("Build", "AWS", "CodeBuild"),
            ("Approval", "AWS", "Manual"),
            ("Compute", "AWS", "Commands"),
            ("Tomorrow", "ThirdParty", "New"),
        ])
    };
    let kind = vec![
        ("category".to_owned(), text(category)),
        ("owner".to_owned(), text(owner)),
        ("provider".to_owned(), text(provider)),
        ("version".to_owned(), text("1")),
    ];
    let mut fields = vec![
        ("name".to_owned(), text(&name)),
        ("actionTypeId".to_owned(), Tree::Object(mixed(kind, random))),
        ("configuration".to_owned(), configuration(random)),
    ];
    for key in ["inputArtifacts", "outputArtifacts"] {
        let artifact = vec![("name".to_owned(), text(&format!("Art-{}", random.next())))];
        let value = match random.below(3) {
            0 => Tree::List(Vec::new()),
            1 => Tree::Null,
            _ => Tree::List(vec![Tree::Object(mixed(artifact, random))]),
        };
        optional(&mut fields, key, value, random);
    }
    let order = (*random.pick(&["1", "1.0", "2", "1e0", "10E-1"])).to_owned();
    optional(&mut fields, "runOrder", Tree::Number(order), random);
    let role = format!("arn:aws:iam::222222222222:role/{}", random.below(9));
    optional(&mut fields, "roleArn", text(&role), random);
    let region = *random.pick(&["us-east-1", "eu-west-1"]);
    optional(&mut fields, "region", text(region), random);
    let minutes = Tree::Number(random.within(5, 86_400).to_string());
    optional(&mut fields, "timeoutInMinutes", minutes, random);
    for key in ["commands", "environmentVariables", "outputVariables"] {
        let value = any(random, 2);
        optional(&mut fields, key, value, random);
    }
    Tree::Object(mixed(fields, random))
}

fn configuration(random: &mut Random) -> Tree {
    match random.below(6) {
        0 => Tree::Null,
        1 => Tree::Object(Vec::new()),
        _ => {
            let mut fields = Vec::new();
            for _ in 0..random.below(5) {
                let value = match random.below(4) {
                    0 => text("****"),
                    1 => text("#{SourceVariables.CommitId}"),
                    2 => text("{\"json\": [1.0, \"in a text\"]}"),
                    _ => Tree::Text(word(random)),
                };
                add(&mut fields, key(random), value);
            }
            Tree::Object(fields)
        }
    }
}

/// The fields with unknown ones among them, in any order.
fn mixed(mut fields: Vec<(String, Tree)>, random: &mut Random) -> Vec<(String, Tree)> {
    for (key, value) in unknown(random, 2) {
        add(&mut fields, key, value);
    }
    if random.percent(60) {
        random.shuffle(&mut fields);
    }
    fields
}

fn unknown(random: &mut Random, most: usize) -> Vec<(String, Tree)> {
    let mut fields = Vec::new();
    for _ in 0..random.within(0, most) {
        let value = any(random, 3);
        add(&mut fields, key(random), value);
    }
    fields
}

fn optional(fields: &mut Vec<(String, Tree)>, key: &str, value: Tree, random: &mut Random) {
    if random.percent(40) {
        add(fields, key.to_owned(), value);
    }
}

/// No object has a key twice: AWS sends none, and one that came would be refused.
fn add(fields: &mut Vec<(String, Tree)>, key: String, value: Tree) {
    if fields.iter().all(|(known, _)| *known != key) {
        fields.push((key, value));
    }
}

/// Keys that look like keys that mean something, and keys that trip readers.
fn key(random: &mut Random) -> String {
    let odd = [
        "Name",
        "NAME",
        "name ",
        "nаme",
        "stage",
        "Stages",
        "RoleArn",
        "rolearn",
        "action",
        "metadata",
        "pipeline",
        "functionName",
        "FunctionName ",
        "userParameters",
        "",
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
        "__proto__",
        "constructor",
        "a\"b",
        "a\\b",
        "\u{0}",
        "\u{7f}",
        "\u{2028}",
        "\u{feff}",
        "é",
        "e\u{301}",
        "🦀",
    ];
    if random.percent(60) {
        return (*random.pick(&odd)).to_owned();
    }
    word(random)
}

fn word(random: &mut Random) -> String {
    let count = random.below(10);
    (0..count).map(|_| letter(random)).collect()
}

fn letter(random: &mut Random) -> char {
    let (start, last) = *random.pick(&[
        (0x20, 0x7e),
        (0x20, 0x7e),
        (0x20, 0x7e),
        (0x00, 0x1f),
        (0x7f, 0x17f),
        (0x300, 0x4ff),
        (0x5d0, 0x6ff),
        (0x2000, 0x206f),
        (0x3040, 0x9fff),
        (0xe000, 0xffff),
        (0x1_f000, 0x1_faff),
        (0xf_0000, 0x10_ffff),
    ]);
    let code = u32::try_from(random.within(start, last)).unwrap();
    char::from_u32(code).unwrap_or('x')
}

/// Numbers that no machine type holds, in every spelling that JSON has.
fn number(random: &mut Random) -> String {
    if random.percent(30) {
        return (*random.pick(&[
            "-0",
            "-0.0",
            "0e0",
            "0E-0",
            "1E5",
            "1e5",
            "1e+5",
            "1.0",
            "1.50",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775809",
            "9007199254740993",
            "1e400",
            "-1E-400",
            "0.1000000000000000055511151231257827",
            "1e99999",
        ]))
        .to_owned();
    }
    let digits = |random: &mut Random, most: usize| -> String {
        let count = random.within(1, most);
        let digit = |_| char::from(b'0' + u8::try_from(random.below(10)).unwrap());
        (0..count).map(digit).collect()
    };
    let most = if random.percent(5) { 400 } else { 25 };
    let whole = digits(random, most);
    let whole = whole.trim_start_matches('0');
    let mut number = if random.percent(30) { "-" } else { "" }.to_owned();
    number.push_str(if whole.is_empty() { "0" } else { whole });
    if random.percent(40) {
        number.push('.');
        number.push_str(&digits(random, most));
    }
    if random.percent(30) {
        number.push_str(random.pick::<&str>(&["e", "E", "e+", "E+", "e-", "E-"]));
        number.push_str(&digits(random, 5));
    }
    number
}

fn any(random: &mut Random, depth: usize) -> Tree {
    let kinds = if depth == 0 { 5 } else { 7 };
    match random.below(kinds) {
        0 => Tree::Null,
        1 => Tree::Bool(random.percent(50)),
        2 => Tree::Number(number(random)),
        3 => Tree::Text(word(random)),
        4 => random
            .pick(&[
                text("****"),
                Tree::List(Vec::new()),
                Tree::Object(Vec::new()),
            ])
            .clone(),
        5 => {
            let count = random.below(4);
            Tree::List((0..count).map(|_| any(random, depth - 1)).collect())
        }
        _ => {
            let mut fields = Vec::new();
            for _ in 0..random.below(4) {
                let value = any(random, depth - 1);
                add(&mut fields, key(random), value);
            }
            Tree::Object(fields)
        }
    }
}

/// As deep as a document may be: 126 levels below `pipeline`, of 128.
fn abyss(random: &mut Random) -> Tree {
    let mut tree = any(random, 0);
    for _ in 0..random.within(40, 124) {
        tree = if random.percent(50) {
            Tree::List(vec![tree])
        } else {
            Tree::Object(vec![(key(random), tree)])
        };
    }
    tree
}
