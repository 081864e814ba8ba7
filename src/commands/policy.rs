//! `policy simulate` and `policy diff`: what documents in files decide and grant.
//! Glue only: no manifest, no AWS and no runtime here, and every line is answered before the next one is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use crate::cli::{Common, Format, PolicyCommand, PolicyDiffArgs};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::iam::compare::{Atom, difference};
use crate::iam::pairs::{self, Pair};
use crate::iam::simulate::Case;
use crate::model::policy::PolicyDocument;
use crate::output::{self, ErrorMessage};

use super::{stderr_style, stdout_style};

/// A document is some thousand characters; a file that is far longer is another file.
const LONGEST_DOCUMENT: u64 = 16 * 1024 * 1024;

pub(super) fn run(
    common: &Common,
    command: &PolicyCommand,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        PolicyCommand::Simulate { cases } => lines(cases, environment, simulate),
        PolicyCommand::Diff(args) => {
            let PolicyDiffArgs { a, b, cases } = args;
            match (cases, a, b) {
                (Some(cases), _, _) => lines(cases, environment, compare),
                (None, Some(a), Some(b)) => diff(common.format, (a, b), environment),
                (None, _, _) => Err(Error::Usage {
                    message: "policy diff needs two documents, or --cases".to_owned(),
                    hint: "name two files; one of them may be -, which is standard input"
                        .to_owned(),
                }
                .into()),
            }
        }
    }
}

/// What came of one line.
struct Judged {
    answer: Value,
    /// What was expected instead, in words.
    differs: Option<String>,
}

fn simulate(line: &str) -> Result<Judged, String> {
    let case = Case::parse(line).map_err(|error| error.to_string())?;
    let decision = case.decide();
    let expected = case.expected.filter(|_| case.differs(&decision));
    Ok(Judged {
        answer: case.answer(&decision),
        differs: expected.map(|expected| {
            let (id, is) = (&case.id, decision.verdict.as_str());
            format!("case {id}: {} is expected, not {is}", expected.as_str())
        }),
    })
}

fn compare(line: &str) -> Result<Judged, String> {
    let pair = Pair::parse(line).map_err(|error| error.to_string())?;
    let answer = pair.decide();
    Ok(Judged {
        answer: pair.answer(&answer),
        differs: pair.differs(&answer).map(|(expected, is)| {
            let name = &pair.name;
            format!("pair {name}: {expected} is expected, not {is}")
        }),
    })
}

/// Answers a file line by line. A bad line is told and the others are answered all the same.
fn lines(
    path: &Path,
    environment: &Environment,
    judge: impl Fn(&str) -> Result<Judged, String>,
) -> anyhow::Result<ExitCode> {
    let name = named(path);
    let mut reader = BufReader::new(open(path)?);
    let (mut number, mut bad, mut differing) = (0_usize, 0_usize, 0_usize);
    let mut line = Vec::new();
    let mut code = ExitCode::Success;
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        if read.map_err(|error| unreadable(path, &error))? == 0 {
            break;
        }
        number += 1;
        let text = std::str::from_utf8(&line).map(str::trim);
        let judged = match text {
            Ok("") => continue,
            Ok(text) => judge(text.trim_start_matches('\u{feff}')),
            Err(_) => Err("not UTF-8 text".to_owned()),
        };
        match judged {
            Err(why) => {
                bad += 1;
                tell(&format!("{name}, line {number}: {why}"), environment);
            }
            Ok(Judged { answer, differs }) => {
                if let Some(why) = differs {
                    differing += 1;
                    tell(&format!("{name}, line {number}: {why}"), environment);
                }
                if !output::write::line(&output::policy::answer(&answer))? {
                    // Nobody reads any more: what is left is not answered, and must not pass for answered.
                    code = ExitCode::Incomplete;
                    break;
                }
            }
        }
    }
    if differing > 0 {
        let counted = output::policy::counted(differing, "answer", "differs", "differ");
        output::write::notice(&format!("{counted} from what was expected\n"));
        code = ExitCode::Drift;
    }
    if bad > 0 {
        let counted = output::policy::counted(bad, "line", "was", "were");
        output::write::notice(&format!("{counted} not understood\n"));
        code = ExitCode::Usage;
    }
    Ok(code)
}

fn diff(
    format: Format,
    (a, b): (&Path, &Path),
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    if is_stdin(a) && is_stdin(b) {
        return Err(Error::Usage {
            message: "only one of the two documents can be standard input".to_owned(),
            hint: "name a file for the other".to_owned(),
        }
        .into());
    }
    let found = difference(&document(a)?, &document(b)?);
    let difference = output::policy::Difference {
        less: found.less.iter().map(said).collect(),
        more: found.more.iter().map(said).collect(),
    };
    let text = match format {
        Format::Text => {
            let names = (&*named(a), &*named(b));
            output::policy::text(&difference, names, &stdout_style(environment))
        }
        Format::Json => output::policy::json(&difference)?,
    };
    output::write::result(&text)?;
    Ok(if found.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::Drift
    })
}

fn said(atom: &Atom) -> output::policy::Said {
    output::policy::Said {
        effect: atom.effect(),
        text: atom.to_string(),
    }
}

fn document(path: &Path) -> Result<PolicyDocument, Error> {
    let mut bytes = Vec::new();
    let mut limited = open(path)?.take(LONGEST_DOCUMENT);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    let read = match std::str::from_utf8(&bytes) {
        Ok(text) => pairs::read(text).map_err(|error| error.to_string()),
        Err(_) => Err("not UTF-8 text".to_owned()),
    };
    read.map_err(|why| Error::Usage {
        message: format!("{}: {why}", named(path)),
        hint: "an IAM policy document is expected, as JSON or percent-encoded as AWS returns it"
            .to_owned(),
    })
}

fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if is_stdin(path) {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::Usage {
        message: format!("{} cannot be read: {error}", named(path)),
        hint: "name a file that can be read, or - for standard input".to_owned(),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn named(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn tell(message: &str, environment: &Environment) {
    let message = ErrorMessage::new(message, None);
    output::write::notice(&message.render(&stderr_style(environment)));
}
