//! Races: others who write the same accounts while crossgate runs, at every place where a call of theirs can fall between two of ours.
//! Test code only. The order of calls is chosen, never timed: each order is run again alike.
//!
//! Everything is held against [`World`], which keeps versions of pipelines as AWS does and, like AWS, has no compare-and-swap.

mod editor;
mod pair;
mod turns;

use std::cell::RefCell;

use crate::apply::{Tools, apply};
use crate::cloud::Cloud;
use crate::model::change::{Intent, Plan, Report};
use crate::model::observed::Observed;
use crate::model::pipeline::PipelineDocument;
use crate::model::progress::Silent;
use crate::model::wiring::Wiring;
use crate::observe::observe;
use crate::plan;
use crate::world::{NoTime, Shelf, World, options};

/// What somebody runs.
#[derive(Clone)]
enum Job {
    Gates(Wiring, Intent),
    /// The wiring, and the document that is put back.
    Restore(Wiring, plan::restore::Saved),
}

/// What came of it.
#[derive(Default)]
struct Ended {
    report: Option<Report>,
    shelf: Vec<PipelineDocument>,
}

impl Ended {
    /// The versions of pipelines of which the report says that they were overwritten.
    fn told(&self) -> usize {
        let problems = self.report.iter().flat_map(|report| &report.problems);
        problems
            .filter(|p| p.code == "pipeline_overwritten")
            .count()
    }

    /// True where a backup says what the document says.
    fn holds(&self, document: &PipelineDocument) -> bool {
        self.shelf.iter().any(|kept| kept.says_the_same(document))
    }
}

/// Observes, plans and, where nothing stands in the way, carries out: one call after the other, as `--yes` does it.
async fn run<C: Cloud>(cloud: &C, job: &Job) -> Ended {
    let plan = planned(cloud, job).await;
    if !plan.may_apply() {
        return Ended::default();
    }
    let shelf = Shelf::default();
    let tools = Tools {
        cloud,
        timing: &NoTime,
        backup: &shelf,
        progress: &Silent,
        side_by_side: 1,
    };
    let report = Some(apply(&plan, &tools).await);
    let Shelf(shelf) = shelf;
    Ended {
        report,
        shelf: RefCell::into_inner(shelf),
    }
}

async fn planned<C: Cloud>(cloud: &C, job: &Job) -> Plan {
    match job {
        Job::Gates(wiring, intent) => {
            let options = options(*intent);
            let wants = |seen: &Observed| plan::wants(wiring, seen, &options);
            let observed = observe(cloud, wants, 1, &Silent).await;
            plan::plan(wiring, &observed, &options)
        }
        Job::Restore(wiring, saved) => {
            let wants = |seen: &Observed| plan::restore::wants(saved, seen);
            let observed = observe(cloud, wants, 1, &Silent).await;
            plan::restore::plan(wiring, &observed, saved, &[])
        }
    }
}

/// A world with what is there already.
fn world(before: &[Job]) -> World {
    let world = World::new();
    for job in before {
        crate::world::block_on(run(&world, job));
    }
    world.forget_calls();
    world
}
