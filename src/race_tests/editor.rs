//! One crossgate and one editor of the pipeline, who acts once: before, between and after all calls, with each kind of edit.
//! Whatever it does is in the pipeline at the end, or the report says that it is not and a backup holds it.

use serde_json::{Value, json};

use super::turns::{Turn, interleave};
use super::{Ended, Job, run, world};
use crate::model::change::{Failure, Intent, Outcome};
use crate::model::pipeline::PipelineDocument;
use crate::plan::restore::{Saved, target};
use crate::world::{MANIFEST, World, block_on, options, pipeline, wiring};

/// What the editor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    Stage,
    OurAction,
    OursAway,
    ServiceRole,
    Delete,
    Anew,
    /// As it was, once more: only the version grows.
    Nothing,
    /// Twice at once.
    Twice,
}

const EDITS: [Edit; 8] = [
    Edit::Stage,
    Edit::OurAction,
    Edit::OursAway,
    Edit::ServiceRole,
    Edit::Delete,
    Edit::Anew,
    Edit::Nothing,
    Edit::Twice,
];

fn add_stage(document: &mut Value, name: &str) {
    let kind =
        json!({"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"});
    let stage = json!({"name": name, "actions": [{"name": "Look", "actionTypeId": kind}]});
    document["stages"].as_array_mut().unwrap().push(stage);
}

/// Our action in a document, where it is.
fn ours(document: &mut Value) -> Option<&mut Value> {
    let stages = document["stages"].as_array_mut().unwrap();
    let stage = stages.iter_mut().find(|stage| stage["name"] == "Gate")?;
    stage["actions"].as_array_mut().unwrap().first_mut()
}

impl Edit {
    fn act(self, world: &World) {
        if world.document("MyPipeline").is_none() {
            return;
        }
        let update = |change: fn(&mut Value)| world.somebody_updates("MyPipeline", change);
        match self {
            Self::Stage => update(|document| add_stage(document, "Canary")),
            Self::OurAction => update(|document| {
                if let Some(action) = ours(document) {
                    action["configuration"]["FunctionName"] = json!("Theirs");
                    action["configuration"]["UserParameters"] = json!("theirs");
                }
            }),
            Self::OursAway => update(|document| {
                let stages = document["stages"].as_array_mut().unwrap();
                stages.retain(|stage| stage["name"] != "Gate");
            }),
            Self::ServiceRole => {
                update(|document| {
                    document["roleArn"] = json!("arn:aws:iam::111111111111:role/Other");
                });
            }
            Self::Delete | Self::Anew => {
                world.edit("tools", |account| account.pipelines.clear());
                if self == Self::Anew {
                    world.earlier.borrow_mut().clear();
                    world.add_pipeline("MyPipeline", "ServiceRole");
                    world.edit_pipeline("MyPipeline", |document| {
                        add_stage(document, "Canary");
                        document["version"] = json!(1);
                    });
                }
            }
            Self::Nothing => update(|_| {}),
            Self::Twice => {
                update(|document| add_stage(document, "Canary"));
                update(|document| document["stages"][1]["actions"][0]["runOrder"] = json!(2));
            }
        }
    }
}

/// Runs the job with the edit after so many calls; none where the job ends before.
fn disturbed(
    before: &[Job],
    job: &Job,
    edit: Edit,
    after: usize,
) -> Option<(World, Ended, Vec<u64>, Edited)> {
    let world = world(before);
    world.add_role(
        "tools",
        "Other",
        &crate::world::service_trust("codepipeline.amazonaws.com"),
    );
    let (ended, buried, edited, calls) = {
        let (turn, nobody) = (Turn::new(&world), Turn::new(&world));
        let (mut calls, mut edited) = (0, None);
        let all = interleave([&turn, &nobody], run(&turn, job), async {}, |_| {
            if calls == after {
                edit.act(&world);
                edited = Some(world.document("MyPipeline"));
            }
            calls += 1;
            Some(0)
        });
        let (ended, ()) = all.unwrap();
        if edited.is_none() && calls == after {
            edit.act(&world);
            edited = Some(world.document("MyPipeline"));
        }
        (ended, turn.buried.take(), edited, calls)
    };
    (after <= calls).then(|| (world, ended, buried, edited.unwrap()))
}

/// The document directly after the edit; none where it was a deletion.
type Edited = Option<PipelineDocument>;

/// Holds what may be relied on after the run.
fn hold(
    world: &World,
    (job, edit, after): (&Job, Edit, usize),
    ended: &Ended,
    buried: &[u64],
    edited: Option<&PipelineDocument>,
) {
    let at = || format!("{edit:?} after {after} calls");
    let now = world.document("MyPipeline");
    let Some(edited) = edited else {
        assert!(now.is_none(), "{}: what was deleted stays deleted", at());
        return;
    };
    let now = now.unwrap();
    // What crossgate wrote over unseen is told, by version, and kept; one that says what the pipeline says now is not lost.
    for version in buried {
        let lost = !now.says_the_same(edited);
        assert!(
            !lost || ended.told() > 0,
            "{}: version {version} is lost and not told",
            at()
        );
        assert!(
            !lost || ended.holds(edited),
            "{}: version {version} is lost and not saved",
            at()
        );
    }
    if buried.is_empty() {
        assert_eq!(ended.told(), 0, "{}: nothing was overwritten", at());
    }
    // Whether it was seen or not: all that the editor did stands, or a backup holds the document in which it does.
    let stands = edited.differences(&now);
    let others = stands
        .iter()
        .filter(|one| one.stage.as_deref() != Some("Gate"));
    let kept = others.count() == 0 && (stands.is_empty() || matches!(job, Job::Gates(..)));
    assert!(kept || ended.holds(edited), "{}: {stands:?} is lost", at());
    if !stands.is_empty() {
        assert!(ended.holds(edited), "{}: {stands:?} is not saved", at());
    }
}

fn original() -> PipelineDocument {
    PipelineDocument::parse(&pipeline("MyPipeline", "ServiceRole").to_string()).unwrap()
}

fn saved(document: &PipelineDocument) -> Saved {
    target(
        "tools.us-east-1.MyPipeline.v3.1.json",
        &document.to_backup(),
        None,
        &wiring(MANIFEST, &[]),
    )
    .unwrap()
}

/// The jobs with what was there before, by name.
fn jobs() -> Vec<(&'static str, Vec<Job>, Job)> {
    let wiring = wiring(MANIFEST, &[]);
    let bootstrap = Job::Gates(wiring.clone(), Intent::Bootstrap);
    let teardown = Job::Gates(wiring.clone(), Intent::Teardown);
    let restore = Job::Restore(wiring.clone(), saved(&original()));
    let wired = world(std::slice::from_ref(&bootstrap))
        .document("MyPipeline")
        .unwrap();
    let back = Job::Restore(wiring, saved(&wired));
    vec![
        ("bootstrap", Vec::new(), bootstrap.clone()),
        (
            "bootstrap again",
            vec![bootstrap.clone()],
            bootstrap.clone(),
        ),
        ("teardown", vec![bootstrap.clone()], teardown),
        ("restore", vec![bootstrap], restore),
        ("restore of our action", Vec::new(), back),
    ]
}

#[test]
fn an_editor_at_any_time_loses_nothing_unsaid() {
    let mut total = 0;
    for (name, before, job) in jobs() {
        let mut count = 0;
        for edit in EDITS {
            for after in 0.. {
                let Some((world, ended, buried, edited)) = disturbed(&before, &job, edit, after)
                else {
                    break;
                };
                count += 1;
                hold(
                    &world,
                    (&job, edit, after),
                    &ended,
                    &buried,
                    edited.as_ref(),
                );
                again(
                    &world,
                    &job,
                    &format!("{name}, {edit:?} after {after} calls"),
                );
            }
        }
        println!(
            "{name}: {count} interleavings with an editor of {} edits",
            EDITS.len()
        );
        assert!(count > EDITS.len() * 4, "{name}: {count}");
        total += count;
    }
    println!("{total} interleavings with an editor");
}

/// One more run converges, where there is a pipeline, and a check that says in sync is right.
fn again(world: &World, job: &Job, at: &str) {
    let wiring = wiring(MANIFEST, &[]);
    let wants = options(Intent::Bootstrap);
    let stands = || {
        let now = world.document("MyPipeline");
        now.is_some_and(|now| {
            ours(&mut now.as_json().clone())
                .is_some_and(|action| action["configuration"]["FunctionName"] == "MyFunction")
        })
    };
    let has_role = || {
        world.accounts.borrow()["dev"]
            .roles
            .contains_key("crossgate-checkout-validate")
    };
    let check = world.plan(&wiring, &wants);
    assert!(
        !check.is_in_sync() || (stands() && has_role()),
        "{at}: in sync wrongly"
    );
    if world.document("MyPipeline").is_none() {
        return;
    }
    let ended = block_on(run(world, job));
    let report = ended
        .report
        .unwrap_or_else(|| panic!("{at}: a rerun is blocked"));
    assert!(
        report
            .outcomes
            .iter()
            .all(|o| matches!(o, Outcome::Done | Outcome::AlreadyThere)),
        "{at}: {:?}",
        report.outcomes
    );
    let check = world.plan(&wiring, &wants);
    match job {
        Job::Gates(_, Intent::Bootstrap) => assert!(
            check.is_in_sync() && stands() && has_role(),
            "{at}: {:?}",
            check.changes
        ),
        Job::Gates(_, Intent::Teardown) => {
            assert!(!has_role() && !check.is_in_sync(), "{at}: a role is left");
            assert!(
                world
                    .plan(&wiring, &options(Intent::Teardown))
                    .changes
                    .is_empty(),
                "{at}"
            );
        }
        Job::Restore(_, saved) => {
            let now = world.document("MyPipeline").unwrap();
            assert!(now.says_the_same(&saved.document), "{at}: not restored");
        }
    }
}

/// The one window that cannot be closed is between the last read and the write; what falls into it is told by version.
#[test]
fn what_falls_between_the_last_read_and_the_write_is_fetched_and_saved() {
    let (_, before, job) = jobs().swap_remove(0);
    let mut windows = 0;
    for after in 0.. {
        let Some((world, ended, buried, edited)) = disturbed(&before, &job, Edit::Stage, after)
        else {
            break;
        };
        if buried.is_empty() {
            continue;
        }
        windows += 1;
        let report = ended.report.as_ref().unwrap();
        assert_eq!((buried.as_slice(), ended.told()), (&[4][..], 1));
        assert_eq!(
            report.backups.len(),
            2,
            "what was replaced knowingly, and what was not"
        );
        assert!(
            report.problems[0]
                .hint
                .as_ref()
                .unwrap()
                .contains("crossgate restore")
        );
        // The saved version brings back what was lost, and says that the gate goes: a person decides.
        let lost = saved(edited.as_ref().unwrap());
        let Job::Gates(wiring, _) = &job else {
            unreachable!()
        };
        block_on(run(&world, &Job::Restore(wiring.clone(), lost)));
        let stages = world.document("MyPipeline").unwrap();
        assert!(stages.stages().any(|stage| stage.name() == "Canary"));
    }
    assert_eq!(windows, 1, "there is exactly one");
}

#[test]
fn a_pipeline_that_moved_is_said_to_keep_what_it_keeps() {
    let (_, before, _) = jobs().swap_remove(1);
    let world = world(&before);
    let wired = world.document("MyPipeline").unwrap();
    Edit::OursAway.act(&world);
    // The plan puts our action back; before it does, somebody puts it back as they like it.
    let plan = world.plan(&wiring(MANIFEST, &[]), &options(Intent::Bootstrap));
    world.somebody_updates("MyPipeline", |document| {
        *document = wired.as_json().clone();
        ours(document).unwrap()["configuration"]["FunctionName"] = json!("Theirs");
    });
    let report = world.apply(&plan);
    let said: Vec<&str> = report.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains(
            "all of it stays but what the manifest wants otherwise in Gate/RunValidation"
        ),
        "{said:?}"
    );
    let is_stale = |o: &Outcome| matches!(o, Outcome::Failed(Failure::Stale { .. }));
    assert!(!report.outcomes.iter().any(is_stale));
}
