//! Writes the seed corpora from the test fixtures: one file a row, in `corpus/<target>`.
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
    Ok(())
}
