//! Pictures as they are made: boxes that do not overlap, texts that stay in their boxes, names that are only ever text.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;

use super::block::Density;
use super::canvas::{Anchor, Canvas, Rect, Shape};
use super::{Picture, render, scene, stack, svg};
use crate::config;
use crate::desired;
use crate::graph::{Facts, graph};
use crate::model::graph::{Condition, Graph, Remark, State};

const ALL: [Picture; 4] = [Picture::Mermaid, Picture::Dot, Picture::Svg, Picture::Html];

fn of(manifest: &str) -> Graph {
    let config = config::from_text(Path::new("crossgate.toml"), manifest);
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    graph(&desired::wiring(&config, &[]).unwrap(), &Facts::none())
}

fn example() -> Graph {
    of(include_str!("../../../config/crossgate.toml"))
}

/// `gates` gates in `pipelines` pipelines; `name` makes the names as long as AWS allows.
fn many(gates: usize, pipelines: usize, pad: usize) -> Graph {
    let mut text = String::from(
        "project = \"many\"\n[accounts.tools]\nid = \"111111111111\"\n[accounts.dev]\nid = \"222222222222\"\n",
    );
    let long = "LongName-".repeat(12);
    for n in 0..gates {
        let of = |most: usize, what: &str| {
            let own = format!("{what}{n}");
            format!("{own}{}", &long[..pad.min(most - own.len())])
        };
        write!(
            text,
            "[[gates]]\nname = \"{}\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\nname = \"Pipeline{}\"\n\
             stage = \"{}\"\naction = \"{}\"\nafter = \"Deploy\"\n[gates.function]\naccount = \"dev\"\nname = \"{}\"\n\
             [gates.invoke_role]\nname = \"{}\"\n",
            of(40, "gate"),
            n % pipelines,
            of(100, "Stage"),
            of(100, "Action"),
            of(64, "Function").replace('-', "_"),
            of(64, "role"),
        )
        .unwrap();
    }
    of(&text)
}

/// The same graph with every state somewhere.
fn coloured(mut graph: Graph) -> Graph {
    let mut states = State::ALL.into_iter().cycle();
    let mut next = || Condition {
        state: states.next().unwrap(),
        reasons: vec!["a reason".to_owned()],
    };
    for scene in &mut graph.scenes {
        scene.start.condition = next();
        for part in &mut scene.service_role.parts {
            part.condition = next();
        }
        for route in &mut scene.routes {
            route.condition = next();
            route.function.condition = next();
            for role in [&mut route.invoke_role, &mut route.execution_role] {
                role.condition = next();
                for part in &mut role.parts {
                    part.condition = next();
                }
            }
            for hop in &mut route.hops {
                hop.condition = next();
            }
        }
    }
    graph
}

fn canvases(graph: &Graph) -> Vec<(Canvas, i32)> {
    let (whole, _) = svg::whole(graph);
    let mut all = vec![(whole, scene::WIDE)];
    for one in &graph.scenes {
        let density = Density::of(&graph.scenes, one);
        let mut canvas = Canvas::default();
        stack::draw(&mut canvas, one, density, 2);
        all.push((canvas, stack::NARROW));
    }
    all
}

fn overlap(one: Rect, other: Rect) -> bool {
    one.x < other.right()
        && other.x < one.right()
        && one.y < other.bottom()
        && other.y < one.bottom()
}

/// Boxes apart, texts in their places and nothing beyond the edges.
fn holds(graph: &Graph) {
    for (canvas, width) in canvases(graph) {
        assert!(!canvas.boxes.is_empty());
        for (index, one) in canvas.boxes.iter().enumerate() {
            assert!(one.x >= 0 && one.right() <= width, "{one:?}");
            for other in &canvas.boxes[index + 1..] {
                assert!(!overlap(*one, *other), "{one:?} {other:?}");
            }
        }
        for shape in &canvas.shapes {
            let Shape::Text {
                x,
                y,
                anchor,
                face,
                text,
                within,
                ..
            } = shape
            else {
                continue;
            };
            let w = face.width(text);
            let from = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - w / 2,
                Anchor::End => x - w,
            };
            assert!(
                from >= within.x && from + w <= within.right(),
                "{text} in {within:?}"
            );
            assert!(
                y - 8 >= within.y && *y + 3 <= within.bottom(),
                "{text} at {y} in {within:?}"
            );
        }
    }
}

#[test]
fn boxes_stand_apart_and_texts_stay_in_them() {
    for graph in [
        example(),
        of(include_str!("../../../config/many-gates.toml")),
        many(1, 1, 0),
        many(4, 1, 200),
        many(9, 2, 200),
        many(40, 3, 60),
    ] {
        holds(&graph);
        holds(&coloured(graph));
    }
}

#[test]
fn two_overlapping_boxes_would_be_seen() {
    let at = |x| Rect {
        x,
        y: 0,
        w: 10,
        h: 10,
    };
    assert!(overlap(at(0), at(9)));
    assert!(!overlap(at(0), at(10)));
}

/// Holds that a text is well-formed as far as tags go: each is closed, in order, and no bare `<` or `&` stands in text.
fn well_formed(text: &str) -> Result<usize, String> {
    let (mut open, mut seen) = (Vec::new(), 0);
    for piece in text.split('<').skip(1) {
        let (tag, rest) = piece.split_once('>').ok_or("a tag without end")?;
        if rest.contains('>') && !tag.starts_with("style") {
            return Err(format!("a bare > behind {tag}"));
        }
        for entity in rest.split('&').skip(1).chain(tag.split('&').skip(1)) {
            if entity
                .split_once(';')
                .is_none_or(|(name, _)| name.len() >= 6)
            {
                return Err(format!("a bare & before {entity}"));
            }
        }
        seen += 1;
        let name = tag.split([' ', '/', '\n']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Err(format!("{closed} is closed and not open"));
            }
        } else if !tag.ends_with('/') && !tag.starts_with('!') {
            open.push(name);
        }
        if tag.matches('"').count() % 2 == 1 {
            return Err(format!("an odd quote in {tag}"));
        }
    }
    if open.is_empty() {
        Ok(seen)
    } else {
        Err(format!("{open:?} left open"))
    }
}

/// A graph whose every free text is an attack, as a pipeline document or an error message of AWS may hold one.
fn hostile() -> Graph {
    const EVIL: &str = "\"><script>alert(1)</script>'&\u{202e}\u{0}]--> `${x}`";
    let mut graph = coloured(example());
    for scene in &mut graph.scenes {
        scene.service_role.name = Some(EVIL.to_owned());
        scene
            .pipeline
            .stages
            .insert(0, crate::model::graph::Stage::Other(EVIL.to_owned()));
        for route in &mut scene.routes {
            EVIL.clone_into(&mut route.stage);
            EVIL.clone_into(&mut route.action);
            route.condition.reasons = vec![EVIL.to_owned()];
            route.execution_role.name = Some(EVIL.to_owned());
            route.invoke_role.parts[0].name = Some(EVIL.to_owned());
            for hop in &mut route.hops {
                hop.condition.reasons = vec![EVIL.to_owned()];
            }
        }
    }
    graph.remarks.push(Remark {
        state: State::Blocked,
        about: EVIL.to_owned(),
        message: EVIL.to_owned(),
        hint: Some(EVIL.to_owned()),
    });
    graph
}

#[test]
fn names_are_only_ever_text() {
    let graph = hostile();
    holds(&graph);
    for picture in ALL {
        let text = render(&graph, picture);
        assert!(
            !text.contains("\u{202e}") && !text.contains('\u{0}'),
            "{picture:?}"
        );
        assert!(text.contains("alert"), "{picture:?}: it is shown");
        match picture {
            Picture::Svg | Picture::Html => {
                assert!(!text.contains("<script"), "{picture:?}");
                well_formed(&text).unwrap();
            }
            Picture::Mermaid => {
                assert!(!text.contains("<script") && !text.contains("'&") && !text.contains('`'));
                // Outside of the quotes there is only what we wrote.
                for line in text.lines().filter(|line| line.contains("alert")) {
                    assert_eq!(line.matches('"').count(), 2, "{line}");
                }
            }
            Picture::Dot => {
                for line in text.lines().filter(|line| line.contains("alert")) {
                    assert!(!line.replace("\\\"", "Q").contains("\">"), "{line}");
                }
            }
        }
    }
}

#[test]
fn pictures_are_well_formed_and_need_nothing_from_elsewhere() {
    for graph in [
        example(),
        coloured(many(9, 4, 30)),
        coloured(many(30, 30, 0)),
    ] {
        for picture in [Picture::Svg, Picture::Html] {
            let text = render(&graph, picture);
            assert!(well_formed(&text).unwrap() > 50);
            let text = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for outside in [
                "http:", "https:", "url(", "@import", "<script", "src=", "<link",
            ] {
                assert!(!text.contains(outside), "{picture:?}: {outside}");
            }
        }
        let html = render(&graph, Picture::Html);
        assert!(html.contains("<html lang=\"en\">") && html.contains("name=\"viewport\""));
        for (index, _) in graph.scenes.iter().enumerate() {
            let once = format!("id=\"p{index}\"");
            assert_eq!(html.matches(&once).count(), 1, "{once}");
        }
    }
    assert!(well_formed("<a><b></a>").is_err() && well_formed("<a>&</a>").is_err());
}

#[test]
fn every_state_has_its_word_in_every_format() {
    let graph = coloured(many(3, 1, 0));
    for picture in ALL {
        let text = render(&graph, picture);
        for state in State::ALL
            .into_iter()
            .filter(|state| *state != State::Wanted)
        {
            assert!(text.contains(state.word()), "{picture:?}: {}", state.word());
        }
    }
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    for picture in ALL {
        let twice = [0, 1].map(|_| render(&coloured(many(9, 2, 10)), picture));
        assert_eq!(twice[0], twice[1]);
    }
}

#[test]
fn two_hundred_gates_are_a_picture_of_reasonable_size() {
    for (pipelines, scenes) in [(1, 1), (20, 20), (200, 200)] {
        let graph = coloured(many(200, pipelines, 20));
        assert_eq!(graph.scenes.len(), scenes);
        holds(&graph);
        for (picture, most) in [
            (Picture::Mermaid, 400_000),
            (Picture::Dot, 600_000),
            (Picture::Svg, 1_500_000),
            (Picture::Html, 4_000_000),
        ] {
            let bytes = render(&graph, picture).len();
            assert!(
                bytes < most,
                "{picture:?} of {pipelines} pipelines: {bytes} bytes"
            );
        }
        let (_, height) = svg::whole(&graph);
        let most = i32::try_from(scenes * 600 + 200 * 160).unwrap();
        assert!(height < most, "{height}");
    }
}

#[test]
fn the_flowchart_of_one_gate() {
    insta::assert_snapshot!(render(&example(), Picture::Mermaid), @r##"
    flowchart LR
      accTitle: crossgate, project checkout
      accDescr: From the manifest alone: nothing was read from AWS.
      subgraph a0["tools 111111111111"]
        direction TB
        subgraph a0p0["pipeline MyPipeline (us-east-1)"]
          direction TB
          n0(["other stages, not read"])
          n1(["Deploy"])
          n2["InvokeValidationLambda / RunValidation<br/>gate validate"]
          n3(["other stages, not read"])
        end
        n4["service role<br/>named in AWS, not read<br/>inline policy crossgate-checkout-assume"]
      end
      subgraph a1["dev 222222222222"]
        direction TB
        n5["invoke role<br/>DevAccount-CodePipeline-InvokeRole<br/>trust policy: service role<br/>inline policy crossgate-checkout-invoke"]
        n6["Lambda function<br/>MyFunction"]
        n7["execution role<br/>named in AWS, not read<br/>inline policy crossgate-checkout-callback"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n0 -->|"0 sts:AssumeRole"| n4
      n6 -->|"runs as"| n7
      n4 -->|"1 sts:AssumeRole"| n5
      n5 -->|"2 lambda:InvokeFunction"| n6
      n5 -->|"2' lambda:ListFunctions"| n6
      n7 -->|"3 codepipeline:PutJobSuccessResult, codepipeline:PutJobFailureResult"| n2
      classDef quiet fill:#e9eef4,stroke:#93a1b5,color:#465468
      class n0,n1,n2,n3,n5,n6,n7,n4 quiet
      classDef account fill:#f3f6fa,stroke:#d3dbe6,color:#18212f
      class a0,a1 account
      classDef lane fill:#ffffff,stroke:#d3dbe6,color:#18212f
      class a0p0 lane
    "##);
}
