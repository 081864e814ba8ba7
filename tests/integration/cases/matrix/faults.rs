//! The fault matrix: each call of each scene answered wrongly, once or at every attempt; and a tenth of all calls by chance.
//! The outcome is the undisturbed one, or a clear error from which a run without faults comes to it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crossgate::sandbox::{Answer, Asked, Fate, Refused, Script};
use serde_json::Value;

use super::calls::{CallId, Counter, strike};
use super::chance::Chance;
use super::crash::{converges, looked};
use super::points::{Tally, each};
use super::scenes::Scene;
use super::stage::Stage;
use super::{difference, held};
use crate::support::cli::Run;

/// What AWS, or whatever stands before it, answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Throttled,
    Broken,
    Unavailable,
    DroppedBefore,
    DroppedAfter,
    /// A 500 to a call that was carried out.
    BrokenAfter,
    Expired,
    Denied,
    /// Text of another kind with a 200, to a call that was not carried out.
    GarbageBefore,
    GarbageAfter,
    /// Half of the answer.
    Half,
    /// The first attempt is carried out and not answered, the others are refused: what AWS says last is not all that happened.
    LostThenThrottled,
    LostThenExpired,
    SilentBefore,
    SilentAfter,
}

impl Kind {
    /// All that come at once.
    pub(super) const QUICK: [Self; 13] = [
        Self::Throttled,
        Self::Broken,
        Self::Unavailable,
        Self::DroppedBefore,
        Self::DroppedAfter,
        Self::BrokenAfter,
        Self::Expired,
        Self::Denied,
        Self::GarbageBefore,
        Self::GarbageAfter,
        Self::Half,
        Self::LostThenThrottled,
        Self::LostThenExpired,
    ];

    /// Those after which the SDK asks again.
    const PASSING: [Self; 6] = [
        Self::Throttled,
        Self::Broken,
        Self::Unavailable,
        Self::DroppedBefore,
        Self::DroppedAfter,
        Self::BrokenAfter,
    ];

    /// Those for which the SDK waits until the time is up.
    pub(super) const SILENT: [Self; 2] = [Self::SilentBefore, Self::SilentAfter];

    fn fate(self, asked: &Asked, attempt: usize) -> Fate {
        let service = asked.service.as_str();
        let garbage = || Answer::Body("<html>{\"please sign in".to_owned());
        match self {
            Self::Throttled => Fate::Before(Answer::Refused(Refused::throttled(service))),
            Self::Broken => Fate::Before(Answer::Refused(Refused::broken(service))),
            Self::Unavailable => Fate::Before(Answer::Refused(Refused::unavailable())),
            Self::DroppedBefore => Fate::Before(Answer::Dropped),
            Self::DroppedAfter => Fate::After(Answer::Dropped),
            Self::BrokenAfter => Fate::After(Answer::Refused(Refused::broken(service))),
            Self::Expired => Fate::Before(Answer::Refused(Refused::expired(service))),
            Self::Denied => {
                Fate::Before(Answer::Refused(Refused::denied(service, &asked.operation)))
            }
            Self::GarbageBefore => Fate::Before(garbage()),
            Self::GarbageAfter => Fate::After(garbage()),
            Self::Half => Fate::After(Answer::Half),
            Self::LostThenThrottled | Self::LostThenExpired if attempt == 0 => {
                Fate::After(Answer::Dropped)
            }
            Self::LostThenThrottled => Self::Throttled.fate(asked, attempt),
            Self::LostThenExpired => Self::Expired.fate(asked, attempt),
            Self::SilentBefore => Fate::Before(Answer::Never),
            Self::SilentAfter => Fate::After(Answer::Never),
        }
    }

    /// The same answer to all attempts is another fault than to the first only.
    fn passes(self) -> bool {
        Self::PASSING.contains(&self)
    }

    /// A 200 is all that AWS says to most writes: that one did nothing can be seen by looking only. A lost answer is nothing more
    /// than a dropped connection to a read.
    fn fits(self, call: &CallId) -> bool {
        match self {
            Self::GarbageBefore => !call.is_write(),
            Self::LostThenThrottled | Self::LostThenExpired => call.is_write(),
            _ => true,
        }
    }

    /// What AWS answered must be told.
    fn says(self) -> &'static [&'static str] {
        match self {
            Self::Throttled | Self::LostThenThrottled => {
                &["Throttling", "TooManyRequests", "SlowDown"]
            }
            Self::Broken | Self::BrokenAfter => &[
                "ServiceFailure",
                "ServiceException",
                "InternalFailure",
                "InternalError",
            ],
            Self::Unavailable => &["ServiceUnavailable"],
            Self::Expired | Self::LostThenExpired => &["ExpiredToken"],
            Self::Denied => &["AccessDenied"],
            Self::DroppedBefore | Self::DroppedAfter => &["connection", "dispatch", "closed"],
            Self::SilentBefore | Self::SilentAfter => &["time"],
            Self::GarbageBefore | Self::GarbageAfter | Self::Half => &[""],
        }
    }
}

struct Point<'s> {
    scene: &'s Scene,
    call: &'s CallId,
    kind: Kind,
    once: bool,
}

/// Strikes at every `step`th point of these kinds.
pub(super) fn matrix(scenes: &[Scene], kinds: &[Kind], step: usize, workers: usize) {
    let mut points = Vec::new();
    for scene in scenes {
        for call in &scene.calls {
            for kind in kinds.iter().copied().filter(|kind| kind.fits(call)) {
                let lasts = !Kind::SILENT.contains(&kind);
                let each = [(true, kind.passes() || !lasts), (false, lasts)];
                let each = each.into_iter().filter(|(_, is)| *is);
                points.extend(each.map(|(once, _)| Point {
                    scene,
                    call,
                    kind,
                    once,
                }));
            }
        }
    }
    let points: Vec<Point<'_>> = points.into_iter().step_by(step).collect();
    let exits = Exits::default();
    let failures = each(&points, workers, |stage, point| {
        let Point {
            scene,
            call,
            kind,
            once,
        } = point;
        let (kind, once) = (*kind, *once);
        stage.set(&scene.start, &scene.files);
        let (script, struck) = strike((*call).clone(), once, move |asked, attempt| {
            kind.fate(asked, attempt)
        });
        stage.script(script);
        let run = stage.run(&scene.command);
        stage.healthy();
        let at = format!(
            "{}, {kind:?}{} at {}:{} in {}",
            scene.name,
            if once { " once" } else { "" },
            call.service,
            call.operation,
            call.account
        );
        if struck.try_recv().is_err() {
            return Err(format!("{at}: the call was not made"));
        }
        exits.count(&run);
        if ended(stage, scene, &run, &at)? {
            return Ok(());
        }
        if once {
            // What AWS said at the next attempt is what is told.
            hints(&run, &at)?;
        } else {
            tells(&run, call, kind, &at)?;
        }
        looked(stage, scene, &at)?;
        converges(stage, scene, &at)
    });
    Tally::new("fault", &points, &failures).say(&exits.to_string());
    held(&failures);
}

/// A tenth of all calls, attempts counted singly, answered wrongly: the command, then `check`, then the command without faults.
pub(super) fn seeds(scenes: &[Scene], seeds: u64) {
    let seeds: Vec<u64> = (0..seeds).collect();
    let exits = Exits::default();
    let failures = each(&seeds, 8, |stage, &seed| {
        let scene = &scenes[Chance::new(("scene", seed)).below(scenes.len())];
        stage.set(&scene.start, &scene.files);
        let at = format!("{}, seed {seed}", scene.name);
        stage.script(by_chance(seed));
        let run = stage.run(&scene.command);
        exits.count(&run);
        let is_done = ended(stage, scene, &run, &at)?;
        if !is_done {
            hints(&run, &at)?;
        }
        stage.script(by_chance(seed + 1_000_000));
        let check = stage.run(&scene.check);
        stage.healthy();
        exits.count(&check);
        let is_wanted = stage.snapshot() == scene.wanted;
        let fits = match check.code {
            Some(0) => is_wanted,
            Some(3) => !is_wanted,
            Some(1 | 4) => true,
            _ => false,
        };
        if !fits {
            return Err(format!(
                "{at}: check under faults says what is not so (wanted: {is_wanted})\n{}",
                check.dump()
            ));
        }
        if is_done {
            return Ok(());
        }
        looked(stage, scene, &at)?;
        converges(stage, scene, &at)
    });
    Tally::new("seeded fault", &seeds, &failures).say(&exits.to_string());
    held(&failures);
}

/// A tenth of all attempts. With odd seeds only what the SDK tries again, so that runs come as far as their writes.
fn by_chance(seed: u64) -> Script {
    let mut counter = Counter::default();
    let kinds: &'static [Kind] = if seed.is_multiple_of(2) {
        &Kind::QUICK
    } else {
        &Kind::PASSING
    };
    Box::new(move |asked: &Asked| {
        let call = counter.id(asked);
        let attempt = counter.attempt(asked);
        let mut chance = Chance::new((seed, format!("{call:?}"), attempt));
        let kind = kinds[chance.below(kinds.len())];
        if chance.below(10) == 0 && kind.fits(&call) {
            kind.fate(asked, attempt)
        } else {
            Fate::Passes
        }
    })
}

/// Whether the run came to its end. The exit and what is there must fit: 0 only where all is done, 1 and 4 only where nothing is.
fn ended(stage: &Stage, scene: &Scene, run: &Run, at: &str) -> Result<bool, String> {
    let now = stage.snapshot();
    let panicked = run.stderr.contains("panicked at") || run.stderr.contains("RUST_BACKTRACE");
    let fault = match run.code {
        _ if panicked => "a panic".to_owned(),
        Some(code) if code == scene.exit => difference(&scene.target, &now),
        // What could not be seen is told, and so is drift that was seen beside it.
        Some(1 | 4) => difference(&scene.before, &now),
        Some(5) if scene.writes() => String::new(),
        code => format!("exit {code:?}"),
    };
    if fault.is_empty() {
        return Ok(run.code == Some(scene.exit));
    }
    Err(format!(
        "{at}: exit {:?}, but: {fault}\n{}",
        run.code,
        run.dump()
    ))
}

/// What went wrong, as the JSON tells it: account, text, hint.
fn errors(run: &Run) -> Vec<(String, String, String)> {
    let Ok(value) = serde_json::from_str::<Value>(&run.stdout) else {
        return Vec::new();
    };
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let problems = list("problems")
        .into_iter()
        .filter(|one| one["severity"] != "warning");
    let problems = problems.map(|one| {
        (
            text(&one["account"]),
            text(&one["message"]),
            text(&one["hint"]),
        )
    });
    let failed = list("changes")
        .into_iter()
        .filter(|one| one["outcome"] == "failed");
    let failed = failed.map(|one| {
        let error = &one["error"];
        let said = ["operation", "resource", "code", "message"].map(|name| text(&error[name]));
        (
            text(&error["account"]),
            said.join(" "),
            text(&error["hint"]),
        )
    });
    problems.chain(failed).collect()
}

fn hints(run: &Run, at: &str) -> Result<(), String> {
    let errors = errors(run);
    let bare = errors
        .iter()
        .find(|(account, _, hint)| account.is_empty() || hint.is_empty());
    match bare {
        Some(bare) => Err(format!(
            "{at}: without an account or a hint: {bare:?}\n{}",
            run.dump()
        )),
        None if errors.is_empty() => Err(format!("{at}: no error is told\n{}", run.dump())),
        None => Ok(()),
    }
}

/// Account, call, what AWS answered and a next step.
fn tells(run: &Run, call: &CallId, kind: Kind, at: &str) -> Result<(), String> {
    hints(run, at)?;
    let account = match call.account.as_str() {
        "111111111111" => "tools",
        "222222222222" => "dev",
        _ => "qa",
    };
    let malformed = matches!(kind, Kind::GarbageBefore | Kind::GarbageAfter | Kind::Half);
    // A policy that is none is told as such, whoever wrote it.
    let operation = if malformed {
        ""
    } else {
        &*format!("{}:", call.service)
    };
    let is_told = errors(run).into_iter().any(|(name, text, _)| {
        name == account
            && text.contains(operation)
            && kind
                .says()
                .iter()
                .any(|word| text.to_lowercase().contains(&word.to_lowercase()))
    });
    if is_told {
        Ok(())
    } else {
        Err(format!("{at}: the error is not told\n{}", run.dump()))
    }
}

/// How often each exit came.
#[derive(Default)]
struct Exits(Mutex<BTreeMap<Option<i32>, usize>>);

impl Exits {
    fn count(&self, run: &Run) {
        *self.0.lock().unwrap().entry(run.code).or_default() += 1;
    }
}

impl std::fmt::Display for Exits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exits = self.0.lock().unwrap();
        let each = exits
            .iter()
            .map(|(code, n)| format!("exit {}: {n}", code.unwrap_or(-1)));
        f.write_str(&each.collect::<Vec<_>>().join(", "))
    }
}
