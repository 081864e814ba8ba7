//! Writes the seed corpora from the test fixtures, the example manifests and `seeds`: one file an input, in `corpus/<target>`.
//! Overwrites only files of its own names.

use std::fs;
use std::path::Path;

use serde_json::Value;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = |name: &str| fs::read_to_string(root.join("../fixtures").join(name));
    let write = |target: &str, n: usize, text: &str| {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{n:04}")), text)
    };
    for (n, row) in fixture("iam_evaluation.jsonl")?.lines().enumerate() {
        write("evaluate", n, row)?;
    }
    for (n, row) in fixture("policy_equivalence.jsonl")?.lines().enumerate() {
        let value: Value = serde_json::from_str(row)?;
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        write("compare", 2 * n, row)?;
        write(
            "compare",
            2 * n + 1,
            &format!("{}\0{}", text("a"), text("b")),
        )?;
    }
    let text = |path: &str| fs::read_to_string(root.join(path));
    for (n, path) in [
        "seeds/gates.toml",
        "../../config/crossgate.toml",
        "../../config/fleet.toml",
        "../../config/made-function.toml",
        "../../config/many-gates.toml",
    ]
    .into_iter()
    .enumerate()
    {
        write("manifest", n, &text(path)?)?;
    }
    let pipeline: Value = serde_json::from_str(&text("seeds/pipeline.json")?)?;
    write("pipeline", 0, &pipeline.to_string())?;
    write("pipeline", 1, &pipeline["pipeline"].to_string())?;
    let arns: Vec<String> = serde_json::from_str(&text("seeds/arns.json")?)?;
    for (n, arn) in arns.iter().enumerate() {
        write("arn", n, arn)?;
    }
    Ok(())
}
