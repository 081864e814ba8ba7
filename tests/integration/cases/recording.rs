//! The recording of the demo that the README shows, config/demo.txt: made by the program, and held fresh here.
//! `CROSSGATE_UPDATE_FILES=1 cargo test --test integration recording` makes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use crate::support::cli;

/// The text with what differs from run to run in one spelling: ids of executions, the temporary folder, the moment in a
/// backup's name, and which of its two statements AWS gives first.
fn normal(text: &str, folder: &str) -> String {
    let lines = text.lines().map(|line| {
        if let Some((before, rest)) = line.split_once(folder) {
            let file = rest.rsplit('/').next().unwrap();
            let stem = file.trim_end_matches(".json").rsplit_once('.').unwrap().0;
            return format!("{before}/tmp/demo/.crossgate/backup/{stem}.SECONDS.json\n");
        }
        if let Some((_, of)) = line
            .strip_prefix("Execution ")
            .and_then(|rest| rest.split_once(" of "))
        {
            return format!("Execution ID of {of}\n");
        }
        if let Some((before, rest)) = line.split_once(" --execution ") {
            let after = rest.split_once('`').unwrap().1;
            return format!("{before} --execution ID`{after}\n");
        }
        let (invoke, second) = ("crossgate-demo-invoke Statement[0]", "Statement[1]");
        format!(
            "{}\n",
            line.replace(second, "Statement[N]")
                .replace(invoke, "crossgate-demo-invoke Statement[N]")
        )
    });
    lines.collect()
}

#[test]
fn the_recording_of_the_demo_is_fresh() {
    let (folder, temporary) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let place = temporary.path().display().to_string();
    let variables = BTreeMap::from([("TMPDIR".to_owned(), place.clone())]);
    let run = cli::run(folder.path(), &variables, &["demo", "--fast"]);
    run.exits(0);
    let now = normal(&run.stdout, &place);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.txt");
    if std::env::var_os("CROSSGATE_UPDATE_FILES").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(kept, now, "CROSSGATE_UPDATE_FILES=1 makes it anew");
}
