//! Answers that are none: shapes of AWS's answers and refusals, mutated, to every read and to writes in each protocol.
//! Whatever comes back, there is a value or an error that is harmless to show; nothing panics, hangs or grows.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;

use super::stub::{Answer, Stub};
use super::{access, runtime, sdk_config};
use crate::aws::session::Sessions;
use crate::aws::{AwsCloud, Credentials};
use crate::cloud::{Cloud, CloudError};
use crate::model::account::{AccountName, Region};
use crate::model::arn::RoleArn;
use crate::model::artifact::{BucketName, KeyArn};
use crate::model::json_text::JsonText;
use crate::model::name::{FunctionName, PipelineName, PolicyName, RoleName};
use crate::model::pipeline::PipelineDocument;
use crate::model::read::{ControlKind, Read};
use crate::model::write::Write;

/// The most memory that the process may have had, in KiB.
const MEMORY: u64 = 500 * 1024;
/// The longest that one answer may take to be read.
const HANG: Duration = Duration::from_secs(20);

const STATUSES: &[u16] = &[200, 200, 200, 400, 403, 404, 409, 429, 500, 503];

/// Answers of all kinds, as AWS shapes them.
const SHAPES: &[&str] = &[
    r#"{"__type":"com.amazonaws#AccessDeniedException","message":"User: arn:aws:sts::111111111111:assumed-role/R/s is not authorized to perform: iam:GetRole on resource: role R because no identity-based policy allows it"}"#,
    r#"{"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:111111111111:function:f"}"#,
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User is not authorized to perform: iam:X on resource: r</Message></Error><RequestId>req-1</RequestId></ErrorResponse>",
    "<?xml version=\"1.0\"?><Error><Code>NoSuchBucketPolicy</Code><Message>The bucket policy does not exist</Message><RequestId>r</RequestId></Error>",
    "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The Canonical String for this request should have been 'x-amz-security-token:t'</Message></Error></ErrorResponse>",
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account><Arn>arn:aws:iam::111111111111:user/u</Arn><UserId>A</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>",
    "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>R</RoleName><RoleId>AROA</RoleId><Arn>arn:aws:iam::111111111111:role/R</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument><Tags><member><Key>k</Key><Value>v</Value></member></Tags></Role></GetRoleResult></GetRoleResponse>",
    "<GetRolePolicyResponse><GetRolePolicyResult><RoleName>R</RoleName><PolicyName>p</PolicyName><PolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>",
    "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><IsTruncated>true</IsTruncated><Marker>m</Marker><RoleDetailList><member><Path>/</Path><RoleName>R</RoleName><Arn>arn:aws:iam::111111111111:role/R</Arn><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument><RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%7B%7D</PolicyDocument></member></RolePolicyList></member></RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>",
    "<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames><member>p</member></PolicyNames><IsTruncated>false</IsTruncated></ListRolePoliciesResult></ListRolePoliciesResponse>",
    r#"{"pipeline":{"name":"p","roleArn":"arn:aws:iam::111111111111:role/r","artifactStore":{"type":"S3","location":"bucket"},"stages":[{"name":"S","actions":[{"name":"a","actionTypeId":{"category":"Source","owner":"AWS","provider":"S3","version":"1"},"configuration":{"OAuthToken":"****"},"runOrder":1}]}],"version":1e400},"metadata":{"created":1.5E9}}"#,
    r#"{"FunctionName":"f","FunctionArn":"arn:aws:lambda:us-east-1:111111111111:function:f","Role":"arn:aws:iam::111111111111:role/e","State":"Active","LastUpdateStatus":"Successful","Timeout":3,"MemorySize":128,"Environment":{"Variables":{"A":"b"}},"LoggingConfig":{"LogGroup":"g"}}"#,
    r#"{"Configuration":{"FunctionName":"f","FunctionArn":"arn:aws:lambda:us-east-1:111111111111:function:f","Role":"arn:aws:iam::111111111111:role/e"},"Tags":{"crossgate:project":"p"}}"#,
    r#"{"pipelines":[{"name":"p","version":1}],"nextToken":"t"}"#,
    r#"{"pipelineName":"p","stageStates":[{"stageName":"S","inboundTransitionState":{"enabled":false,"disabledReason":"why"},"actionStates":[{"actionName":"a","latestExecution":{"status":"Failed","errorDetails":{"code":"JobFailed","message":"m"},"lastStatusChange":1.7E9}}],"latestExecution":{"pipelineExecutionId":"b28225ac-9df6-4ee2-b81b-9d0376cc6044","status":"Failed"}}]}"#,
    r#"{"actionExecutionDetails":[{"pipelineExecutionId":"b28225ac-9df6-4ee2-b81b-9d0376cc6044","stageName":"S","actionName":"a","status":"Succeeded","startTime":1.7E9,"input":{"configuration":{"FunctionName":"f"}},"output":{"executionResult":{"externalExecutionId":"x","errorDetails":{"code":"c","message":"m"}}}}]}"#,
    r#"{"events":[{"timestamp":1700000000000,"message":"START RequestId: 1","logStreamName":"s"}],"nextToken":"t"}"#,
    r#"{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[]}","PolicyName":"default","RevisionId":"r"}"#,
    r#"{"Organization":{"Id":"o-1","MasterAccountId":"111111111111","FeatureSet":"ALL"}}"#,
    r#"{"Policies":[{"Id":"p-1","Name":"FullAWSAccess","Type":"SERVICE_CONTROL_POLICY"}],"Parents":[{"Id":"r-1","Type":"ROOT"}]}"#,
    "",
    "null",
];

/// Pieces that break parsers, or what is shown.
const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "&#27;",
    "&#x202e;",
    "&#xD800;",
    "&amp;",
    "&x;",
    "<!--",
    "]]>",
    "<![CDATA[",
    "<?",
    "<!DOCTYPE x [<!ENTITY a \"b\">]>",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\u001b",
    "\\ud800",
    "\\",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "99999999999999999999",
    "0.0000001",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{9b}",
    "\u{0}",
    "\r\n",
    "\u{feff}",
    "\u{10ffff}",
    "%00",
    "%F0",
    "%",
    "%7B",
    "arn:",
    "111111111111",
    "-1",
];

/// Chance with a seed: the same seed gives the same answers.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// A shape after some changes; now and then one of great depth or length.
    fn body(&mut self) -> String {
        match self.below(200) {
            0 => return "[".repeat(50_000),
            1 => return r#"{"a":"#.repeat(50_000),
            2 => return "<a>".repeat(50_000),
            3 => return format!("<a {}>", "b=\"c\" ".repeat(20_000)),
            4 => return format!(r#"{{"message":"{}"}}"#, "x".repeat(1 << 20)),
            _ => {}
        }
        let mut bytes = self.of(SHAPES).as_bytes().to_vec();
        for _ in 0..self.below(6) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(24)).min(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = bytes[at..end].repeat(1 + self.below(40));
                    drop(bytes.splice(at..at, piece));
                }
                3 => {
                    let other = self.of(SHAPES).as_bytes();
                    let from = self.below(other.len() + 1);
                    drop(bytes.splice(at..end, other[from..].iter().copied()));
                }
                4 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                _ => drop(bytes.splice(at..at, self.of(PIECES).bytes())),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn reads() -> Vec<Read> {
    let region = || Region::new("us-east-1").unwrap();
    let role = || RoleName::new("R").unwrap();
    let name = || FunctionName::new("f").unwrap();
    let pipeline = || PipelineName::new("p").unwrap();
    let arn = "arn:aws:iam::111111111111:policy/p".to_owned();
    let key = KeyArn::parse("arn:aws:kms:us-east-1:111111111111:key/1").unwrap();
    vec![
        Read::CallerIdentity,
        Read::Pipeline {
            region: region(),
            name: pipeline(),
        },
        Read::Function {
            region: region(),
            name: name(),
        },
        Read::TaggedFunction {
            region: region(),
            name: name(),
        },
        Read::Pipelines { region: region() },
        Read::Functions { region: region() },
        Read::Role { role: role() },
        Read::Roles,
        Read::InlinePolicyNames { role: role() },
        Read::AttachedPolicies { role: role() },
        Read::InlinePolicy {
            role: role(),
            policy: "p".to_owned(),
        },
        Read::ManagedPolicy { arn: arn.clone() },
        Read::ManagedPolicyVersion {
            arn,
            version: "v1".to_owned(),
        },
        Read::FunctionVersion {
            region: region(),
            name: name(),
            qualifier: "1".to_owned(),
        },
        Read::FunctionPolicy {
            region: region(),
            name: name(),
            qualifier: None,
        },
        Read::FunctionConcurrency {
            region: region(),
            name: name(),
        },
        Read::Simulation {
            role: RoleArn::parse("arn:aws:iam::111111111111:role/R").unwrap(),
            action: "a:b".to_owned(),
            resource: "*".to_owned(),
        },
        Read::Organization,
        Read::OrganizationParent {
            child: "111111111111".to_owned(),
        },
        Read::ControlPolicies {
            target: "r-1".to_owned(),
            kind: ControlKind::Service,
        },
        Read::ControlPolicy {
            id: "p-1".to_owned(),
        },
        Read::BucketPolicy {
            region: region(),
            bucket: BucketName::new("bucket").unwrap(),
        },
        Read::KeyPolicy { key },
        Read::PipelineState {
            region: region(),
            name: pipeline(),
        },
        Read::PipelineExecutions {
            region: region(),
            name: pipeline(),
        },
        Read::ActionExecutions {
            region: region(),
            name: pipeline(),
            execution: None,
        },
        Read::FunctionInvokeConfig {
            region: region(),
            name: name(),
            qualifier: None,
        },
        Read::LogEvents {
            region: region(),
            group: "/aws/lambda/f".to_owned(),
            from_ms: 0,
            to_ms: 1,
            filter: None,
            limit: 10,
        },
    ]
}

fn writes() -> Vec<Write> {
    let document = SHAPES[10].replace("1e400", "1");
    vec![
        Write::PutInlinePolicy {
            role: RoleName::new("R").unwrap(),
            policy: PolicyName::new("p").unwrap(),
            document: JsonText::read("{}"),
        },
        Write::UpdatePipeline {
            region: Region::new("us-east-1").unwrap(),
            name: PipelineName::new("p").unwrap(),
            document: Box::new(PipelineDocument::parse(&document).unwrap()),
        },
        Write::DeleteFunction {
            region: Region::new("us-east-1").unwrap(),
            name: FunctionName::new("f").unwrap(),
        },
    ]
}

/// Nothing in the error acts on a terminal.
fn judge(error: &CloudError, body: &str) {
    let texts = [
        Some(&error.message),
        error.code.as_ref(),
        error.request_id.as_ref(),
        error.hint.as_ref(),
    ];
    for text in texts.into_iter().flatten() {
        let acts = |c: char| {
            c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.chars().any(acts), "{text:?} of {body:?}");
        assert!(
            text.chars().count() < 3_000,
            "bounded: {} of {body:?}",
            text.len()
        );
    }
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or_default()
}

/// Asks with mutated answers while `goes_on` says so; gives how many were read.
fn fuzz(seed: u64, goes_on: impl Fn(u64) -> bool) -> u64 {
    let next = Arc::new(Mutex::new(Answer {
        status: 200,
        body: String::new(),
    }));
    let given = Arc::clone(&next);
    let stub = Stub::start(move |_, _| given.lock().unwrap().clone());
    let config = sdk_config(&stub.url)
        .into_builder()
        .retry_config(RetryConfig::disabled())
        .build();
    let cloud = AwsCloud {
        sessions: Sessions::ready(
            access("tools", Credentials::Profile("p".to_owned())),
            config,
        ),
        made: Mutex::default(),
    };
    let (account, runtime) = (AccountName::new("tools").unwrap(), runtime());
    let (reads, writes) = (reads(), writes());
    let mut chance = Chance(seed.max(1));
    let mut done = 0;
    while goes_on(done) {
        let (status, body) = (*chance.of(STATUSES), chance.body());
        *next.lock().unwrap() = Answer {
            status,
            body: body.clone(),
        };
        let began = Instant::now();
        let asked = chance.below(reads.len() + writes.len());
        let failed = runtime.block_on(async {
            match reads.get(asked) {
                Some(read) => cloud.read(&account, read).await.err(),
                None => cloud
                    .write(&account, &writes[asked - reads.len()])
                    .await
                    .err(),
            }
        });
        assert!(
            began.elapsed() < HANG,
            "{:?} for {status} {body:?}",
            began.elapsed()
        );
        if let Some(error) = &failed {
            judge(error, &body);
        }
        done += 1;
    }
    done
}

#[test]
fn any_answer_is_a_value_or_an_error_that_can_be_shown() {
    fuzz(7, |done| done < 600);
}

#[test]
#[ignore = "as long as CROSSGATE_FUZZ_SECONDS says"]
#[allow(clippy::print_stdout)]
fn any_answer_for_as_long_as_is_asked() {
    let seconds = std::env::var("CROSSGATE_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(60));
    let done = fuzz(u64::from(std::process::id()), |_| Instant::now() < end);
    println!("{done} answers, {} KiB at most", peak_kib());
    // Here and not above: beside other tests it would be their memory too.
    assert!(peak_kib() < MEMORY);
}
