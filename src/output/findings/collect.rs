//! From the result of a command to its findings and cases.
//! It decides nothing about gates: what differs, what is denied and what could not be seen is given.

mod chains;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::account::AccountName;
use crate::model::change::{Change, Problem, Severity};
use crate::model::json_text::JsonText;
use crate::model::name::GateName;
use crate::model::object::{Looked, Object};
use crate::model::status::Status;

use chains::of_proof;

use super::{Asked, Case, Finding, Findings, Level, Outcome, Place, Rule, Subject};
use crate::output::diff::{self, Line};
use crate::output::error::ErrorMessage;
use crate::output::proof::ProofView;
use crate::output::sanitize;
use crate::output::view::{AccountLine, AccountState, Command, Proved, View};
use crate::output::{document, text, words};

/// The widest line of a document that is shown whole.
const WIDEST: usize = 100;

impl Findings {
    /// The findings of a plan or a check, and of the proof beside it.
    pub fn of_plan(view: &View<'_>, objects: &[Object], asked: &Asked<'_>) -> Self {
        let mut all = Collector::new(asked, view.accounts);
        let changes = view.changes().map(|(change, _)| change);
        let changes: Vec<(&Change, usize)> = changes
            .map(|change| (change, all.change(change, view.command)))
            .collect();
        let problems = view.problems();
        let problems: Vec<(&Problem, usize)> = problems
            .map(|problem| (problem, all.problem(problem)))
            .collect();
        all.accounts(&problems);
        all.objects(objects, &changes, &problems);
        let mut summary = Vec::new();
        if let Some(Proved { proof, plan_status }) = view.proof {
            let status = plan_status;
            let plan = View {
                status,
                ..view.clone()
            };
            summary.push(text::sum_up(&plan));
            all.proof(proof);
            summary.extend(of_proof(proof));
        } else {
            summary.push(text::sum_up(view));
        }
        let project = &view.plan.project;
        let mut found = all.finish(view.command.as_str(), view.status, &summary);
        found.project = Some(project.to_string());
        found.next = view.next.as_deref().map(clean);
        found
    }

    /// The findings of a proof.
    pub fn of_proof(view: &ProofView<'_>, asked: &Asked<'_>) -> Self {
        let ProofView {
            status,
            project,
            partition: _,
            proof,
            accounts,
            problems,
        } = view;
        let mut all = Collector::new(asked, accounts);
        let problems: Vec<(&Problem, usize)> = problems
            .iter()
            .map(|problem| (problem, all.problem(problem)))
            .collect();
        all.accounts(&problems);
        all.objects(&[], &[], &problems);
        all.proof(proof);
        let mut found = all.finish("verify", *status, &of_proof(proof));
        found.project = Some(project.to_string());
        found
    }

    /// The one finding of a command that ended before it had looked at anything.
    pub fn of_error(
        command: &str,
        code: &str,
        error: &ErrorMessage,
        asked: &Asked<'_>,
    ) -> Findings {
        let ErrorMessage {
            message,
            causes,
            hint,
        } = error;
        let mut lines = message.lines().map(clean);
        let mut message = lines.next().unwrap_or_default();
        for cause in causes {
            message.push_str(": ");
            message.push_str(&clean(cause));
        }
        let mut all = Collector::new(asked, &[]);
        let index = all.push(Finding {
            rule: Rule::of_code(code),
            level: Level::Error,
            unseen: true,
            id: code.to_owned(),
            gates: Vec::new(),
            account: None,
            subject: Subject::of(&format!("crossgate {command}"), ""),
            message: message.clone(),
            hint: hint.as_deref().map(clean),
            details: lines.collect(),
            places: Vec::new(),
        });
        all.case(
            ("command".to_owned(), "command".to_owned()),
            "the command can be carried out".to_owned(),
            &[],
            Outcome::Errored(vec![index]),
        );
        all.finish(command, Status::Failed, &[format!("Failed: {message}")])
    }
}

fn clean(text: &str) -> String {
    sanitize::line(text).into_owned()
}

fn names(gates: &[GateName]) -> Vec<String> {
    gates.iter().map(|gate| gate.as_str().to_owned()).collect()
}

/// What came of an object; the problems that it stands for are told with it.
fn outcome(
    object: &Object,
    differing: Vec<usize>,
    problems: &[(&Problem, usize)],
    told: &mut BTreeSet<usize>,
) -> Outcome {
    let touching = |(p, _): &&(&Problem, usize)| {
        let here = p.account.as_ref().is_none_or(|a| *a == object.account);
        p.severity > Severity::Warning && here && p.gates.iter().any(|g| object.gates.contains(g))
    };
    match &object.looked {
        Looked::NotLooked(reason) => Outcome::Skipped(clean(reason)),
        Looked::Unreadable(reason) => {
            let same = problems.iter().filter(|(p, _)| p.message == *reason);
            let mut indices: Vec<usize> = same.map(|(_, index)| *index).collect();
            if indices.is_empty() {
                return Outcome::Skipped(clean(reason));
            }
            told.extend(&indices);
            indices.extend(differing);
            Outcome::Errored(indices)
        }
        Looked::Seen if !differing.is_empty() => Outcome::Failed(differing),
        Looked::Seen => match problems.iter().find(touching) {
            // Where something stands in the way of its gate, no change is not the same as all is well.
            Some((problem, _)) => Outcome::Skipped(format!(
                "nothing is said of it, because of {}",
                problem.code
            )),
            None => Outcome::Passed,
        },
    }
}

impl Subject {
    fn of(noun: &str, name: &str) -> Self {
        Self {
            noun: noun.to_owned(),
            name: clean(name),
        }
    }
}

/// What stands before the first `/` of a resource. An object and a change that is about it have it in common.
fn first_part(resource: &str) -> &str {
    resource.split('/').next().unwrap_or(resource)
}

/// Problems that say that a whole account does not count.
fn is_of_account(problem: &Problem) -> bool {
    matches!(problem.code, "account_unreachable" | "wrong_account")
}

struct Collector<'a> {
    asked: &'a Asked<'a>,
    lines: &'a [AccountLine],
    findings: Vec<Finding>,
    cases: Vec<Case>,
    ids: BTreeMap<String, usize>,
    cases_by_name: BTreeMap<(String, String), usize>,
}

impl<'a> Collector<'a> {
    fn new(asked: &'a Asked<'a>, lines: &'a [AccountLine]) -> Self {
        Self {
            asked,
            lines,
            findings: Vec::new(),
            cases: Vec::new(),
            ids: BTreeMap::new(),
            cases_by_name: BTreeMap::new(),
        }
    }

    fn finish(self, command: &str, status: Status, summary: &[String]) -> Findings {
        Findings {
            command: command.to_owned(),
            status,
            exit_code: self.asked.exit_code,
            project: None,
            manifest: clean(&self.asked.manifest.path),
            summary: summary.iter().map(|line| clean(line)).collect(),
            next: None,
            list: self.findings,
            cases: self.cases,
        }
    }

    /// Keeps a finding; of two with one id the second gets a number, in the order in which they are found.
    fn push(&mut self, mut finding: Finding) -> usize {
        let count = self.ids.entry(finding.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.id = format!("{}#{count}", finding.id);
        }
        if finding.places.is_empty() {
            finding.places.push(Place::top());
        }
        self.findings.push(finding);
        self.findings.len() - 1
    }

    fn case(
        &mut self,
        (suite, class): (String, String),
        name: String,
        gates: &[GateName],
        outcome: Outcome,
    ) {
        let key = (suite.clone(), name.clone());
        let count = self.cases_by_name.entry(key).or_default();
        *count += 1;
        let name = match count {
            1 => name,
            more => format!("{name} ({more})"),
        };
        let place = self.places(gates).into_iter().next();
        self.cases.push(Case {
            suite,
            class,
            name,
            place: place.unwrap_or_else(Place::top),
            outcome,
        });
    }

    fn places(&self, gates: &[GateName]) -> Vec<Place> {
        let position = |gate: &GateName| {
            let (line, column) = self.asked.manifest.gates.get(gate)?;
            Some(Place {
                gate: Some(gate.as_str().to_owned()),
                line: *line,
                column: *column,
            })
        };
        gates.iter().filter_map(position).collect()
    }

    fn change(&mut self, change: &Change, command: Command) -> usize {
        let Change {
            id,
            account,
            account_id,
            region,
            kind,
            resource,
            action: _,
            gates,
            reason,
            before,
            after,
            held,
        } = change;
        let name = match region {
            Some(region) => format!("{resource} ({region})"),
            None => resource.clone(),
        };
        let level = match command {
            Command::Check => Level::Error,
            Command::Plan
            | Command::Bootstrap
            | Command::Teardown
            | Command::Prune
            | Command::Restore => Level::Warning,
        };
        self.push(Finding {
            rule: Rule::of_kind(*kind),
            level,
            unseen: false,
            id: clean(id),
            gates: names(gates),
            account: Some(format!("{account} ({account_id})")),
            subject: Subject::of(kind.noun(), &name),
            message: clean(reason),
            hint: held.as_deref().map(clean),
            details: difference(before.as_ref(), after.as_ref()),
            places: self.places(gates),
        })
    }

    fn problem(&mut self, problem: &Problem) -> usize {
        let Problem {
            code,
            severity,
            account,
            gates,
            message,
            hint,
        } = problem;
        let (level, unseen) = match severity {
            Severity::Warning => (Level::Warning, false),
            Severity::Blocked => (Level::Error, false),
            Severity::Incomplete => (Level::Error, true),
        };
        let account = account.as_ref().map(|name| self.account(name));
        let about = [account.clone().unwrap_or_default(), names(gates).join(",")];
        let subject = match &account {
            Some(account) => Subject::of("account", account),
            None => Subject::of("the manifest", ""),
        };
        self.push(Finding {
            rule: Rule::of_code(code),
            level,
            unseen,
            id: format!("{code}/{}", about.join("/")),
            gates: names(gates),
            account,
            subject,
            message: clean(message),
            hint: hint.as_deref().map(clean),
            details: Vec::new(),
            places: self.places(gates),
        })
    }

    /// `tools (111111111111)`, where the account is known by its id.
    fn account(&self, name: &AccountName) -> String {
        let line = self.lines.iter().find(|line| line.name == *name);
        line.map_or_else(|| name.to_string(), |line| format!("{name} ({})", line.id))
    }

    fn suite(&self, account: &AccountName) -> (String, String) {
        let suite = format!("account {}", self.account(account));
        (suite, account.to_string())
    }

    /// A case for each account: whether it could be read at all.
    fn accounts(&mut self, problems: &[(&Problem, usize)]) {
        for line in self.lines {
            let AccountLine {
                name,
                id: _,
                partition: _,
                state,
            } = line;
            let outcome = match state {
                AccountState::Ok => Outcome::Passed,
                AccountState::Unreachable(reason) => {
                    let of = |(p, _): &&(&Problem, usize)| {
                        is_of_account(p) && p.account.as_ref() == Some(name)
                    };
                    let indices: Vec<usize> = problems.iter().filter(of).map(|(_, i)| *i).collect();
                    if indices.is_empty() {
                        Outcome::Skipped(clean(reason))
                    } else {
                        Outcome::Errored(indices)
                    }
                }
            };
            let suite = self.suite(name);
            self.case(suite, "the account can be read".to_owned(), &[], outcome);
        }
    }

    /// A case for each object, for each change that is about none of them, and for each problem that stands for itself.
    fn objects(
        &mut self,
        objects: &[Object],
        changes: &[(&Change, usize)],
        problems: &[(&Problem, usize)],
    ) {
        let mut told: BTreeSet<usize> = BTreeSet::new();
        // By account and resource: a look through all changes for each object would take the square of their number.
        let mut places: BTreeMap<_, Vec<&(&Change, usize)>> = BTreeMap::new();
        for one in changes {
            let place = (&one.0.account, first_part(&one.0.resource));
            places.entry(place).or_default().push(one);
        }
        for object in objects {
            let place = (&object.account, first_part(&object.resource));
            let near = places.get(&place).into_iter().flatten();
            let about = near.filter(|(change, _)| object.covers(change));
            let differing: Vec<usize> = about.map(|(_, index)| *index).collect();
            told.extend(&differing);
            let outcome = outcome(object, differing, problems, &mut told);
            let suite = self.suite(&object.account);
            let name = match &object.region {
                Some(region) => {
                    format!("{} {} ({region})", object.kind.noun(), object.resource)
                }
                None => format!("{} {}", object.kind.noun(), object.resource),
            };
            self.case(suite, clean(&name), &object.gates, outcome);
        }
        for (change, index) in changes.iter().filter(|(_, index)| !told.contains(index)) {
            let suite = self.suite(&change.account);
            let name = clean(&format!("{} {}", change.kind.noun(), change.resource));
            self.case(suite, name, &change.gates, Outcome::Failed(vec![*index]));
        }
        for (problem, index) in problems {
            self.problem_case(problem, *index, &told);
        }
    }

    fn problem_case(&mut self, problem: &Problem, index: usize, told: &BTreeSet<usize>) {
        if told.contains(&index) || is_of_account(problem) {
            return;
        }
        let outcome = match problem.severity {
            Severity::Warning => return,
            Severity::Blocked => Outcome::Failed(vec![index]),
            Severity::Incomplete => Outcome::Errored(vec![index]),
        };
        let suite = match &problem.account {
            Some(account) => self.suite(account),
            None => ("manifest".to_owned(), "manifest".to_owned()),
        };
        let mut name = format!("no {}", problem.code);
        if !problem.gates.is_empty() {
            name = format!("{name} of {}", words::gates(&problem.gates));
        }
        self.case(suite, name, &problem.gates, outcome);
    }
}

/// `- ` as it is, `+ ` as it shall be.
fn difference(before: Option<&JsonText>, after: Option<&JsonText>) -> Vec<String> {
    let whole = |sign: &str, text: &JsonText| -> Vec<String> {
        let lines = document::compact(&text.value(), WIDEST);
        lines
            .iter()
            .map(|line| clean(&format!("{sign} {line}")))
            .collect()
    };
    let (before, after) = match (before, after) {
        (None, None) => return Vec::new(),
        (Some(before), None) => return whole("-", before),
        (None, Some(after)) => return whole("+", after),
        (Some(before), Some(after)) => (before, after),
    };
    let shown = |line| match line {
        Line::Same(text) => format!("  {text}"),
        Line::Added(text) => format!("+ {text}"),
        Line::Removed(text) => format!("- {text}"),
        Line::Folded(n) => format!("  ... {}", words::counted(n, "unchanged line")),
    };
    let lines = diff::documents(Some(&before.value()), Some(&after.value()));
    lines.into_iter().map(|line| clean(&shown(line))).collect()
}

#[cfg(test)]
mod tests;
