//! The `crossgate` lines of a shell script, as words: enough of a shell's syntax for the scripts and pages of this repository.
//! Nothing is run, and no variable is looked up.

/// The commands that call crossgate, by its name or by way of cargo. A word that is an array of the shell's stands for no word.
pub(crate) fn crossgate_lines(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let commands = joined.lines().flat_map(commands);
    commands.filter_map(of_crossgate).collect()
}

/// The commands of one line, without comments and redirections.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let (mut word, mut quote) = (String::new(), None);
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(end), _) if c == end => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') if word.is_empty() => break,
            (None, ' ' | '|' | ';' | '&') => {
                if !word.is_empty() {
                    commands.last_mut().unwrap().push(std::mem::take(&mut word));
                }
                if c != ' ' {
                    commands.push(Vec::new());
                }
            }
            (Some(_) | None, _) => word.push(c),
        }
    }
    for command in &mut commands {
        let end = command.iter().position(|word| word.starts_with(['>', '<']));
        command.truncate(end.unwrap_or(command.len()));
    }
    commands
}

fn of_crossgate(mut words: Vec<String>) -> Option<Vec<String>> {
    const BY_CARGO: [&str; 4] = ["cargo", "run", "--release", "--"];
    if words.len() > BY_CARGO.len() && words.iter().zip(BY_CARGO).all(|(word, is)| word == is) {
        words.splice(..BY_CARGO.len(), ["crossgate".to_owned()]);
    }
    words.retain(|word| !word.starts_with("${"));
    (words.first()? == "crossgate").then_some(words)
}

#[test]
fn lines_become_words() {
    let script = "\
# crossgate is not called here
crossgate plan --gate 'a b' \\
  --exit-code   # and a comment
echo x | crossgate policy diff - \"new.json\" > out.txt
cargo run --release -- demo
crossgate check \"${arguments[@]}\"
";
    let lines: Vec<String> = crossgate_lines(script)
        .iter()
        .map(|words| words.join("/"))
        .collect();
    assert_eq!(
        lines,
        [
            "crossgate/plan/--gate/a b/--exit-code",
            "crossgate/policy/diff/-/new.json",
            "crossgate/demo",
            "crossgate/check",
        ]
    );
}
