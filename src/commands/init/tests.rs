//! Dialogues with a scripted person over accounts in memory.

use std::collections::VecDeque;
use std::io;

use serde_json::json;

use super::dialogue::{Dialogue, Proposal, Side};
use super::given::Given;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::init::{Handler, Wanted};
use crate::model::account::{AccountId, AccountName, Region};
use crate::model::name::{FunctionName, PipelineName, StageName};
use crate::model::wiring::Placement;
use crate::output::Ask;
use crate::world::World;

/// Answers in order, and keeps what was asked. `+N` moves down from the default; an empty answer takes it.
#[derive(Default)]
struct Script {
    answers: VecDeque<&'static str>,
    asked: Vec<String>,
}

impl Script {
    fn of(answers: &[&'static str]) -> Self {
        Self {
            answers: answers.iter().copied().collect(),
            asked: Vec::new(),
        }
    }

    fn answer(&mut self) -> io::Result<&'static str> {
        let answer = self.answers.pop_front();
        answer.ok_or_else(|| io::ErrorKind::Interrupted.into())
    }
}

impl Ask for Script {
    fn choose(&mut self, question: &str, options: &[String], default: usize) -> io::Result<usize> {
        let listed = options.join(", ");
        self.asked
            .push(format!("{question} [{listed}] {}", options[default]));
        let answer = self.answer()?;
        let chosen = match answer {
            "" => default,
            text => options.iter().position(|option| option == text).unwrap(),
        };
        Ok(chosen)
    }

    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> io::Result<String> {
        self.asked.push(format!("{question} ({default})"));
        loop {
            let answer = match self.answer()? {
                "" => default,
                text => text,
            };
            match check(answer) {
                Ok(()) => return Ok(answer.to_owned()),
                Err(error) => self.asked.push(format!("  {error}")),
            }
        }
    }
}

fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

fn propose<'a>(
    world: &'a World,
    given: &'a Given,
    ask: Option<&'a mut dyn Ask>,
) -> Result<Proposal, Error> {
    let side = |name: &str| Side {
        name: AccountName::new(name).unwrap(),
        profile: Some(name.to_owned()),
        region: Some(region("us-east-1")),
    };
    let dialogue = Dialogue {
        given,
        cloud: world,
        tools: side("tools"),
        dev: side("dev"),
        region: region("us-east-1"),
        ask,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(dialogue.proposal())
}

fn given() -> Given {
    Given {
        from_pipeline: PipelineName::new("MyPipeline").ok(),
        function: FunctionName::new("MyFunction").ok(),
        ..Given::default()
    }
}

fn wire(world: &World, stage: &str, role: &str) {
    let action = json!({"name": "ByHand", "roleArn": role, "configuration": {"FunctionName": "MyFunction"},
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}});
    let stage = json!({"name": stage, "actions": [action]});
    world.edit_pipeline("MyPipeline", |p| {
        p["stages"].as_array_mut().unwrap().insert(2, stage);
    });
}

const ROLE: &str = "arn:aws:iam::222222222222:role/HandMade";

#[test]
fn a_person_is_asked_for_everything() {
    let world = World::new();
    let mut script = Script::of(&[
        "",
        "MyFunction",
        "",
        "my gate",
        "scan",
        "",
        "Source",
        "",
        "",
    ]);
    let proposal = propose(&world, &Given::default(), Some(&mut script)).unwrap();
    assert!(script.answers.is_empty());
    insta::assert_snapshot!(script.asked.join("\n"), @r##"
    Which pipeline? [MyPipeline] MyPipeline
    Which function? [MyFunction] MyFunction
    Project, the namespace of what crossgate makes (my)
    Name of the gate (validate)
      `my gate` is not a valid gate name: 1 to 64 of A-Z, a-z, 0-9, `-`, `_` and `.` are allowed
    Where does the gate's stage go? [after Source, after Deploy, after Prod] after Deploy
    Name of the stage (InvokeScan)
      `Source` is the pipeline's first stage: it holds source actions only, and nothing stands before it
    Name of the action (RunScan)
    "##);
    let action = proposal.draft.action;
    assert_eq!(
        (action.stage.as_str(), action.name.as_str()),
        ("InvokeScan", "RunScan")
    );
    assert_eq!(
        action.placement,
        Some(Placement::After(StageName::new("Deploy").unwrap()))
    );
    assert_eq!(proposal.notes, Vec::<String>::new());
    assert!(world.writes.borrow().is_empty());
}

#[test]
fn whoever_stops_is_not_asked_again() {
    let world = World::new();
    for answers in 0..6 {
        let mut script = Script::of(&["", "", "", "", "", ""][..answers]);
        let error = propose(&world, &Given::default(), Some(&mut script)).unwrap_err();
        assert!(matches!(error, Error::Stopped), "{error}");
        assert_eq!(script.asked.len(), answers + 1);
    }
}

#[test]
fn flags_are_not_asked_for() {
    let world = World::new();
    let given = Given {
        place: Wanted {
            stage: StageName::new("Prod").ok(),
            ..Wanted::default()
        },
        ..given()
    };
    let mut script = Script::of(&["", "", ""]);
    let proposal = propose(&world, &given, Some(&mut script)).unwrap();
    assert_eq!(
        script.asked.len(),
        3,
        "project, gate, action: {:?}",
        script.asked
    );
    assert_eq!(proposal.draft.action.placement, None);
    assert_eq!(proposal.draft.action.name.as_str(), "RunValidation");
}

#[test]
fn the_function_of_a_wiring_needs_no_flag() {
    let world = World::new();
    wire(&world, "Checks", ROLE);
    let without = Given {
        function: None,
        ..given()
    };
    let proposal = propose(&world, &without, None).unwrap();
    assert_eq!(proposal.draft.function.as_str(), "MyFunction");
    let (name, _) = proposal.draft.invoke_role.unwrap();
    assert_eq!(name.as_str(), "HandMade");
    assert_eq!(proposal.draft.action.stage.as_str(), "Checks");
    assert!(
        proposal.notes[0].contains("--adopt"),
        "{:?}",
        proposal.notes
    );

    // Nothing is invoked in the other account: the function is not to be guessed.
    let error = propose(&World::new(), &without, None).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert!(error.to_string().contains("--function"), "{error}");
}

#[test]
fn another_place_is_another_gate() {
    let world = World::new();
    wire(&world, "Checks", ROLE);
    let wanted = |stage: &str| Given {
        place: Wanted {
            stage: StageName::new(stage).ok(),
            ..Wanted::default()
        },
        ..given()
    };
    let draft = propose(&world, &wanted("More"), None).unwrap().draft;
    assert_eq!(draft.invoke_role, None);
    let draft = propose(&world, &wanted("Checks"), None).unwrap().draft;
    assert!(draft.invoke_role.is_some());
    // Two actions invoke it: which of them is meant is not guessed either.
    wire(&world, "MoreChecks", ROLE);
    let error = propose(&world, &given(), None).unwrap_err();
    assert!(error.to_string().contains("Checks/ByHand"), "{error}");
    let mut script = Script::of(&["MoreChecks/ByHand", "", ""]);
    let draft = propose(&world, &given(), Some(&mut script)).unwrap().draft;
    assert_eq!(draft.action.stage.as_str(), "MoreChecks");
}

#[test]
fn a_role_that_looks_like_ours_is_pointed_out() {
    let world = World::new();
    wire(
        &world,
        "Checks",
        "arn:aws:iam::222222222222:role/crossgate-shop-validate",
    );
    let notes = propose(&world, &given(), None).unwrap().notes;
    assert!(notes[1].contains("another manifest"), "{notes:?}");
}

#[test]
fn a_function_of_the_pipelines_own_account_is_left_alone() {
    let world = World::new();
    wire(&world, "Checks", "");
    let proposal = propose(&world, &given(), None).unwrap();
    assert_eq!(proposal.draft.invoke_role, None);
    assert!(
        proposal.notes[0].contains("Checks/ByHand"),
        "{:?}",
        proposal.notes
    );
}

#[test]
fn one_account_may_hold_both() {
    let world = World::new();
    world.edit("dev", |dev| dev.id = "111111111111".to_owned());
    let proposal = propose(&world, &given(), None).unwrap();
    assert_eq!(proposal.draft.tools.id, proposal.draft.dev.unwrap().id);
    assert!(
        proposal.notes[0].contains("one account"),
        "{:?}",
        proposal.notes
    );
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let world = World::new();
    for (given, says, hint) in [
        (
            Given {
                from_pipeline: PipelineName::new("MyPipelin").ok(),
                ..given()
            },
            "there is no pipeline MyPipelin in us-east-1, the pipeline's account (profile `tools`)",
            "did you mean `MyPipeline`?",
        ),
        (
            Given {
                function: FunctionName::new("Other").ok(),
                ..given()
            },
            "there is no function Other in us-east-1, the function's account (profile `dev`)",
            "the functions here: `MyFunction`",
        ),
        (
            Given {
                dev_id: AccountId::new("333333333333").ok(),
                ..given()
            },
            "--dev-id says 333333333333, and the function's account (profile `dev`) is account 222222222222",
            "another profile",
        ),
        (
            Given {
                handler: Some(Handler::Python),
                ..given()
            },
            "there is a function MyFunction in us-east-1 already",
            "leave --handler away",
        ),
        (
            Given {
                function_region: Some(region("eu-west-1")),
                ..given()
            },
            "there is no function MyFunction in eu-west-1",
            "--function-region",
        ),
    ] {
        let error = propose(&world, &given, None).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Usage, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        let is = error.hint().unwrap_or_default();
        assert!(is.contains(hint), "{is}");
    }
}

#[test]
fn an_account_that_cannot_be_read_is_exit_4() {
    let world = World::new();
    world.closed.borrow_mut().push("dev".to_owned());
    let error = propose(&world, &given(), None).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Incomplete);
    let text = error.to_string();
    assert!(
        text.contains("profile `dev`") && !text.contains("000000000000"),
        "{text}"
    );
}

/// Whoever may not list can still type.
#[test]
fn what_cannot_be_listed_is_typed() {
    let world = World::new();
    *world.refused.borrow_mut() = Some("codepipeline:ListPipelines");
    let mut script = Script::of(&["MyPipeline", "", "", "", "", "", ""]);
    propose(&world, &Given::default(), Some(&mut script)).unwrap();
    assert!(
        script.asked[0].contains("could not be listed"),
        "{:?}",
        script.asked
    );
}
