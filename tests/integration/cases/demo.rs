//! The demo, as a first-time reader runs it: with nothing but the binary.

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::cli;

#[test]
fn the_demo_tells_the_whole_story_in_ten_seconds_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let temporary = TempDir::new().unwrap();
    // What a careless caller may have set must neither reach the demo nor be reached by it.
    let variables = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID".to_owned(), "AKIAREAL".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "real".to_owned()),
        ("AWS_PROFILE".to_owned(), "real".to_owned()),
        ("CROSSGATE_CONFIG".to_owned(), "/nowhere".to_owned()),
        ("TMPDIR".to_owned(), temporary.path().display().to_string()),
    ]);
    let run = cli::run(folder.path(), &variables, &["demo", "--fast"]);
    run.exits(0);
    for part in [
        "exit 3: a hop is refuted",
        "exit 0: every hop is proven",
        "Passed: gate validate let the pipeline go on.",
        "Refused: gate validate stopped the pipeline: JobFailed: the validation found a problem",
        "exit 3: the gate failed: it never called back",
        "exit 3: drift",
        "value for value",
    ] {
        run.ensure(run.stdout.contains(part), &format!("`{part}` is told"));
    }
    run.ensure(run.wall < Duration::from_secs(10), "under ten seconds");
    for left in [&folder, &temporary] {
        assert!(left.path().read_dir().unwrap().next().is_none());
    }
}
