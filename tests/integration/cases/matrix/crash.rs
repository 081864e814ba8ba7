//! The crash matrix: the binary killed (SIGKILL) before and after each call of each scene, and in random chains.
//! After a crash `check` tells how things stand; run again, the command ends where an undisturbed run ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::calls::{CallId, kill};
use super::chance::Chance;
use super::points::{Tally, each};
use super::scenes::Scene;
use super::stage::{Killed, Stage};
use super::{difference, held};

/// A call at which a run is killed.
struct Point<'s> {
    scene: &'s Scene,
    call: &'s CallId,
    after_effect: bool,
}

/// Kills runs at every `step`th point.
pub(super) fn matrix(scenes: &[Scene], step: usize) {
    let points = scenes.iter().flat_map(|scene| {
        scene.calls.iter().flat_map(move |call| {
            [false, true].map(|after_effect| Point {
                scene,
                call,
                after_effect,
            })
        })
    });
    let points: Vec<Point<'_>> = points.step_by(step).collect();
    let in_sync = AtomicUsize::new(0);
    let failures = each(&points, 4, |stage, point| {
        let Point {
            scene,
            call,
            after_effect,
        } = point;
        stage.set(&scene.start, &scene.files);
        if crashed(stage, scene, (*call).clone(), *after_effect) == Killed::TooLate {
            return Err(format!("{}: the call was not made: {call:?}", scene.name));
        }
        let at = format!(
            "{}, killed {} {}:{}",
            scene.name,
            if *after_effect { "after" } else { "before" },
            call.service,
            call.operation
        );
        if !after_effect
            && !scene.calls.iter().any(CallId::is_write)
            && stage.snapshot() != scene.before
        {
            return Err(format!("{at}: a run without writes has changed something"));
        }
        in_sync.fetch_add(usize::from(looked(stage, scene, &at)?), Ordering::Relaxed);
        converges(stage, scene, &at)
    });
    let in_sync = in_sync.into_inner();
    Tally::new("crash", &points, &failures).say(&format!(
        "{} scenes, {in_sync} were complete when killed",
        scenes.len()
    ));
    held(&failures);
}

/// Runs that are killed at a random call, again and again up to six times, before one comes to its end.
pub(super) fn chains(scenes: &[Scene], seeds: u64) {
    let seeds: Vec<u64> = (0..seeds).collect();
    let writing: Vec<&Scene> = scenes.iter().filter(|scene| scene.writes()).collect();
    let crashes = AtomicUsize::new(0);
    let failures = each(&seeds, 4, |stage, seed| {
        let mut chance = Chance::new(*seed);
        let scene = writing[chance.below(writing.len())];
        stage.set(&scene.start, &scene.files);
        let at = format!("{}, chain of seed {seed}", scene.name);
        for _ in 0..=chance.below(6) {
            let call = scene.calls[chance.below(scene.calls.len())].clone();
            // A run that goes on where another stopped may not make the call: it has then come to its end.
            let killed = crashed(stage, scene, call, chance.below(2) == 0);
            crashes.fetch_add(usize::from(killed == Killed::Yes), Ordering::Relaxed);
            looked(stage, scene, &at)?;
        }
        converges(stage, scene, &at)
    });
    let crashes = crashes.into_inner();
    Tally::new("crash chain", &seeds, &failures).say(&format!("{crashes} crashes"));
    held(&failures);
}

fn crashed(stage: &Stage, scene: &Scene, call: CallId, after_effect: bool) -> Killed {
    let (script, struck) = kill(call, after_effect);
    stage.script(script);
    stage.kill_at(scene, &struck)
}

/// What `check` says must be so: in sync where all is as it is wanted, and nowhere else.
pub(super) fn looked(stage: &Stage, scene: &Scene, at: &str) -> Result<bool, String> {
    let check = stage.run(&scene.check);
    let is_wanted = stage.snapshot() == scene.wanted;
    let expected = if is_wanted { 0 } else { 3 };
    if check.code == Some(expected) {
        return Ok(is_wanted);
    }
    let why = difference(&scene.wanted, &stage.snapshot());
    Err(format!(
        "{at}: check exits {:?} and not {expected}; not as wanted: {why}\n{}",
        check.code,
        check.dump()
    ))
}

/// The command, run again without faults, comes to its end, which is that of an undisturbed run.
pub(super) fn converges(stage: &Stage, scene: &Scene, at: &str) -> Result<(), String> {
    let last = stage.run(&scene.command);
    let now = stage.snapshot();
    if last.code == Some(scene.exit) && now == scene.target {
        return Ok(());
    }
    Err(format!(
        "{at}: run again it exits {:?}; not as it shall be: {}\n{}",
        last.code,
        difference(&scene.target, &now),
        last.dump()
    ))
}
