//! Law 4 over generated pipelines, with the bytes that are really sent: the SDK's whole way out and in, and a service in memory behind it.
//! Bootstrap, a changed manifest and teardown; after each, what is not ours is what it was, in order, digits and characters.

// What the long run prints is what it is run for.
#![allow(clippy::print_stderr)]

mod document;
mod tree;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use super::{access, runtime, sdk_config};
use crate::apply::{Tools, apply};
use crate::aws::errors::Call;
use crate::aws::{AccountAccess, Credentials, codepipeline};
use crate::cloud::{Cloud, CloudError};
use crate::model::account::AccountName;
use crate::model::change::{Intent, Outcome};
use crate::model::observed::Observed;
use crate::model::progress::Silent;
use crate::model::read::{Fact, Read};
use crate::model::wiring::Wiring;
use crate::model::write::{Write, Written};
use crate::observe::observe;
use crate::plan;
use crate::world::random::Random;
use crate::world::{MANIFEST, NoTime, Shelf, World, options, wiring};
use document::{GATE_STAGE, Scene, scene};
use tree::{Tree, read};

/// CodePipeline with one pipeline, which it keeps as it came.
#[derive(Debug, Clone)]
struct Service(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    pipeline: Tree,
    /// The bodies of UpdatePipeline.
    sent: Vec<String>,
    random: Random,
}

impl HttpClient for Service {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
        let length = request.headers().get("content-length");
        assert_eq!(length, Some(body.len().to_string().as_str()));
        let answer = self.answer(request.headers().get("x-amz-target").unwrap(), body);
        let response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer));
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl Service {
    fn answer(&self, operation: &str, body: &str) -> String {
        let mut kept = self.0.lock().unwrap();
        if operation.ends_with(".UpdatePipeline") {
            kept.sent.push(body.to_owned());
            kept.pipeline = sent_pipeline(body);
            bump(&mut kept.pipeline);
        }
        let Kept {
            pipeline, random, ..
        } = &mut *kept;
        let (pipeline, created) = (pipeline.spaced(random), "1.7E9");
        format!(
            " {{\n\"metadata\" : {{\"created\":{created}}}, \"pipeline\": {pipeline} , \"tomorrow\":[]}}\n"
        )
    }

    fn pipeline(&self) -> Tree {
        self.0.lock().unwrap().pipeline.clone()
    }
}

/// UpdatePipeline raises the version by one.
fn bump(pipeline: &mut Tree) {
    let Some(Tree::Number(version)) = pipeline.get_mut("version") else {
        panic!("the version is lost")
    };
    *version = (version.parse::<u64>().unwrap() + 1).to_string();
}

fn sent_pipeline(body: &str) -> Tree {
    let Tree::Object(mut top) = read(body) else {
        panic!("the body is no object")
    };
    let (key, pipeline) = top.pop().unwrap();
    assert!(key == "pipeline" && top.is_empty(), "`pipeline` alone");
    pipeline
}

/// The accounts in memory, but for the pipeline: that goes by way of the SDK.
struct Mixed<'w> {
    world: &'w World,
    client: aws_sdk_codepipeline::Client,
    access: AccountAccess,
}

impl Mixed<'_> {
    fn call(&self, operation: &'static str) -> Call<'_> {
        Call {
            operation,
            resource: "pipeline MyPipeline".to_owned(),
            access: &self.access,
        }
    }
}

impl Cloud for Mixed<'_> {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        let Read::Pipeline { name, .. } = read else {
            return self.world.read(account, read).await;
        };
        let call = self.call(read.operation());
        let answer = codepipeline::get(&self.client, &call, name).await;
        answer.map(|a| a.value).map_err(|failure| failure.at(&call))
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        let Write::UpdatePipeline { name, document, .. } = write else {
            return self.world.write(account, write).await;
        };
        let call = self.call(write.operation());
        let answer = codepipeline::update(&self.client, &call, name, document).await;
        answer.map(|a| a.value).map_err(|failure| failure.at(&call))
    }
}

/// The manifest of this place; `changed`: with a second gate, and other fields of the first.
fn manifest(place: &str, changed: bool) -> String {
    let first = if changed {
        "user_parameters = \"other \\\"é🦀\\\" \\\\ text\"\nrun_order = 2"
    } else {
        "user_parameters = \"text\""
    };
    let head = MANIFEST.replace("stage = \"Gate\"", place);
    let head = head.replace("after = \"Deploy\"", first);
    if !changed {
        return head;
    }
    format!(
        "{head}[[gates]]\nname = \"second\"\n[gates.pipeline]\naccount = \"tools\"\nregion = \"us-east-1\"\n\
         name = \"MyPipeline\"\naction = \"Second\"\n{place}\n[gates.function]\naccount = \"dev\"\nname = \"MyFunction\"\n"
    )
}

/// The document without the gates, and without the stage that was made for them.
fn without_gates(mut pipeline: Tree) -> Tree {
    let ours = [
        ("RunValidation", "crossgate-checkout-validate"),
        ("Second", "crossgate-checkout-second"),
    ];
    let is_ours = |action: &Tree| {
        ours.iter().any(|(name, role)| {
            let arn = format!("arn:aws:iam::222222222222:role/{role}");
            action.is_text("name", name) && action.is_text("roleArn", &arn)
        })
    };
    let stages = pipeline.list_mut("stages").unwrap();
    for stage in stages.iter_mut() {
        stage.list_mut("actions").unwrap().retain(|a| !is_ours(a));
    }
    let is_made = |stage: &Tree| {
        stage.is_text("name", GATE_STAGE) && stage.get("actions") == Some(&Tree::List(Vec::new()))
    };
    stages.retain(|stage| !is_made(stage));
    pipeline
}

/// What the documents were.
#[derive(Debug, Default)]
struct Counts {
    documents: usize,
    requests: usize,
    bytes: usize,
    values: usize,
    deepest: usize,
    of_fifty_stages: usize,
}

struct Laboratory {
    runtime: tokio::runtime::Runtime,
    counts: Counts,
}

impl Laboratory {
    fn new() -> Self {
        Self {
            runtime: runtime(),
            counts: Counts::default(),
        }
    }

    /// Carries out one command. What was sent is said to be what was there, without the gates.
    fn run(&mut self, cloud: &Mixed<'_>, service: &Service, wiring: &Wiring, intent: Intent) {
        let before = without_gates(service.pipeline());
        let options = options(intent);
        let wants = |seen: &Observed| plan::wants(wiring, seen, &options);
        let observed = self.runtime.block_on(observe(cloud, wants, 16, &Silent));
        let plan = plan::plan(wiring, &observed, &options);
        assert!(plan.may_apply(), "{:#?}", plan.problems);
        let tools = Tools {
            cloud,
            timing: &NoTime,
            backup: &Shelf::default(),
            progress: &Silent,
            side_by_side: 8,
        };
        let report = self.runtime.block_on(apply(&plan, &tools));
        let is_done = |outcome: &Outcome| *outcome == Outcome::Done;
        assert!(report.outcomes.iter().all(is_done), "{report:#?}");

        let sent: Vec<String> = std::mem::take(&mut service.0.lock().unwrap().sent);
        let [body] = sent.as_slice() else {
            panic!("{} requests", sent.len())
        };
        let pipeline = sent_pipeline(body);
        // The reader takes what is compact only; so equal trees are equal bytes.
        assert_eq!(*body, format!("{{\"pipeline\":{}}}", pipeline.compact()));
        let others = without_gates(pipeline.clone());
        assert_eq!(others.compact(), before.compact(), "{intent:?}");
        match intent {
            Intent::Bootstrap => assert_ne!(pipeline, others, "the gates are there"),
            Intent::Teardown => assert_eq!(pipeline, others, "the gates are gone"),
        }
        self.counts.requests += 1;
        self.counts.bytes += body.len();
    }

    /// One pipeline from its first gate to none.
    fn pipeline(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        let Scene { pipeline, place } = scene(&mut random);
        let (values, depth) = pipeline.size();
        self.counts.values += values;
        self.counts.deepest = self.counts.deepest.max(depth);
        if let Some(Tree::List(stages)) = pipeline.get("stages") {
            self.counts.of_fifty_stages += usize::from(stages.len() == 50);
        }
        self.counts.documents += 1;
        let service = Service(Arc::new(Mutex::new(Kept {
            pipeline: pipeline.clone(),
            sent: Vec::new(),
            random,
        })));
        let config = sdk_config("http://127.0.0.1:9").to_builder();
        let config = config.http_client(service.clone()).build();
        let world = World::new();
        let cloud = Mixed {
            world: &world,
            client: aws_sdk_codepipeline::Client::new(&config),
            access: access("tools", Credentials::DefaultChain),
        };
        let first = wiring(&manifest(&place, false), &[]);
        let changed = wiring(&manifest(&place, true), &[]);
        self.run(&cloud, &service, &first, Intent::Bootstrap);
        self.run(&cloud, &service, &changed, Intent::Bootstrap);
        self.run(&cloud, &service, &changed, Intent::Teardown);
        let mut end = pipeline;
        (0..3).for_each(|_| bump(&mut end));
        assert_eq!(service.pipeline(), end, "nothing but the version differs");
    }

    fn pipelines(&mut self, count: u64) {
        for seed in 0..count {
            let run = std::panic::AssertUnwindSafe(|| self.pipeline(seed));
            if let Err(panic) = std::panic::catch_unwind(run) {
                eprintln!("the pipeline of seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }

    fn report(&self) -> String {
        let Counts {
            documents,
            requests,
            bytes,
            values,
            deepest,
            of_fifty_stages,
        } = &self.counts;
        let mut text = format!("{documents} pipelines, {of_fifty_stages} of them of 50 stages: ");
        write!(
            text,
            "{values} values up to {deepest} deep; {requests} requests of {bytes} bytes, nothing lost"
        )
        .unwrap();
        text
    }
}

#[test]
fn law_4_nothing_of_a_pipeline_is_lost_on_its_way_to_aws() {
    let mut laboratory = Laboratory::new();
    laboratory.pipelines(250);
    let counts = &laboratory.counts;
    assert!(
        counts.of_fifty_stages > 10 && counts.deepest > 90,
        "{counts:?}"
    );
    assert_eq!(counts.requests, 750);
}

#[test]
#[ignore = "minutes; `cargo test --release --lib -- --ignored --nocapture lossless_20000`"]
fn lossless_20000_pipelines() {
    let mut laboratory = Laboratory::new();
    laboratory.pipelines(20_000);
    eprintln!("{}", laboratory.report());
}

#[test]
fn a_pipeline_that_no_value_holds_is_refused_before_anything_is_written() {
    let runtime = runtime();
    let pipeline = r#""name":"MyPipeline","roleArn":"arn:aws:iam::111111111111:role/ServiceRole","stages":[{"name":"S","actions":[]}]"#;
    for (odd, why) in [
        (r#""a":1,"a":1"#, "the key \\\"a\\\" stands twice"),
        (r#""a":"\ud800""#, "an escape that stands for no character"),
    ] {
        let answer = format!(r#"{{"pipeline":{{{pipeline},{odd}}}}}"#);
        let stub = super::stub::Stub::start(move |_, _| super::stub::ok(answer.clone()));
        let world = World::new();
        let cloud = Mixed {
            world: &world,
            client: aws_sdk_codepipeline::Client::new(&sdk_config(&stub.url)),
            access: access("tools", Credentials::DefaultChain),
        };
        let (wiring, options) = (wiring(MANIFEST, &[]), options(Intent::Bootstrap));
        let wants = |seen: &Observed| plan::wants(&wiring, seen, &options);
        let observed = runtime.block_on(observe(&cloud, wants, 16, &Silent));
        let plan = plan::plan(&wiring, &observed, &options);
        assert!(!plan.may_apply());
        let said = format!("{:?}", plan.problems);
        assert!(said.contains(why), "{said}");
    }
}
