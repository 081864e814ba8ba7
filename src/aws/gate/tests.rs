//! Gates before a connector that answers from a list. Times are only held to be long enough, never short enough.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use aws_smithy_types::body::SdkBody;
use futures_util::future::join_all;

use super::super::rate::MOST_REFUSED;
use super::*;

/// What is answered to one request.
#[derive(Debug, Clone, Copy)]
enum Reply {
    Ok,
    /// 429 with this header of milliseconds.
    SlowDown(&'static str),
    Never,
}

/// Answers in order, the last for ever; remembers when it was asked.
#[derive(Debug, Clone)]
struct Service {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Service {
    fn new(replies: &[Reply]) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.iter().copied().collect())),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().clone()
    }

    /// Behind the gates of an account, which leave it to the caller to try again.
    fn behind(&self, gates: &Arc<Gates>, attempt_timeout: Duration) -> Waiting {
        Waiting {
            inner: SharedHttpConnector::new(self.clone()),
            gates: Arc::clone(gates),
            manners: Manners {
                attempt_timeout,
                most_throttled: 1,
                chance: || 0.0,
            },
        }
    }

    /// The same, with gates that try again.
    fn patient(&self, most_throttled: u32) -> Waiting {
        let mut behind = self.behind(&Arc::default(), LONG);
        behind.manners.most_throttled = most_throttled;
        behind
    }
}

impl HttpConnector for Service {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut replies = self.replies.lock().unwrap();
        let reply = match replies.len() {
            1 => *replies.front().unwrap(),
            _ => replies.pop_front().unwrap(),
        };
        self.asked.lock().unwrap().push(Instant::now());
        HttpConnectorFuture::new(async move {
            let response =
                |status: u16| HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
            match reply {
                Reply::Ok => Ok(response(200)),
                Reply::SlowDown(milliseconds) => {
                    let mut response = response(429);
                    response
                        .headers_mut()
                        .insert("x-amz-retry-after", milliseconds);
                    Ok(response)
                }
                Reply::Never => std::future::pending().await,
            }
        })
    }
}

fn request(region: &str, service: &str) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::empty());
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20260115/{region}/{service}/aws4_request, SignedHeaders=host"
    );
    request.headers_mut().insert("authorization", credential);
    request
}

fn iam() -> HttpRequest {
    request("us-east-1", "iam")
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn the_service_is_known_from_the_signature() {
    let of = |service: &str, region: &str| Some((service.to_owned(), region.to_owned()));
    assert_eq!(scope(&iam()), of("iam", "us-east-1"));
    assert_eq!(
        scope(&request("eu-west-1", "lambda")),
        of("lambda", "eu-west-1")
    );
    assert_eq!(scope(&HttpRequest::new(SdkBody::empty())), None);
}

#[test]
fn a_pause_holds_all_calls_of_the_service_and_no_other_service_or_account() {
    run(async {
        let service = Service::new(&[Reply::SlowDown("200"), Reply::Ok]);
        let (gates, others) = (Arc::default(), Arc::default());
        let (ours, theirs) = (service.behind(&gates, LONG), service.behind(&others, LONG));
        ours.call(iam()).await.unwrap();
        let told = Instant::now();
        theirs.call(iam()).await.unwrap();
        ours.call(request("us-east-1", "lambda")).await.unwrap();
        assert_eq!(service.asked().len(), 3, "neither of them waited");
        join_all((0..3).map(|_| ours.call(iam()))).await;
        let asked = service.asked();
        assert_eq!(asked.len(), 6);
        for at in asked.iter().skip(3) {
            assert!(
                *at >= told + Duration::from_millis(195),
                "{:?}",
                at.duration_since(told)
            );
        }
        // After a throttling, requests are spaced.
        for pair in asked.get(3..).unwrap().windows(2) {
            assert!(
                pair[1].duration_since(pair[0]) >= Duration::from_millis(50),
                "{pair:?}"
            );
        }
    });
}

#[test]
fn clients_that_are_made_anew_find_the_same_limit() {
    run(async {
        let service = Service::new(&[Reply::SlowDown("100"), Reply::Ok]);
        let gates = Arc::default();
        service.behind(&gates, LONG).call(iam()).await.unwrap();
        let told = Instant::now();
        service.behind(&gates, LONG).call(iam()).await.unwrap();
        assert!(told.elapsed() >= Duration::from_millis(95));
    });
}

#[test]
fn waiting_at_the_gate_is_no_part_of_an_attempt() {
    run(async {
        let service = Service::new(&[Reply::SlowDown("300"), Reply::Ok, Reply::Never]);
        let gates = Arc::default();
        let short = Duration::from_millis(100);
        let client = service.behind(&gates, short);
        assert_eq!(client.call(iam()).await.unwrap().status().as_u16(), 429);
        assert_eq!(client.call(iam()).await.unwrap().status().as_u16(), 200);
        let error = client.call(iam()).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    });
}

#[test]
fn a_throttled_request_waits_and_is_sent_again_and_its_end_is_marked() {
    run(async {
        let slow = Reply::SlowDown("0");
        let service = Service::new(&[slow, slow, Reply::Ok]);
        let answer = service.patient(3).call(iam()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(service.asked().len(), 3);
        let service = Service::new(&[slow]);
        let answer = service.patient(2).call(iam()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 429);
        assert!(is_given_up(&answer));
        assert_eq!(service.asked().len(), 2);
        let answer = service.patient(1).call(iam()).await.unwrap();
        assert!(!is_given_up(&answer), "the SDK decides");
    });
}

#[test]
fn where_everything_is_refused_nobody_goes_on_asking() {
    run(async {
        let service = Service::new(&[Reply::SlowDown("0")]);
        let client = service.patient(100);
        let gate = client.gates.of(scope(&iam()).unwrap());
        // So often already, but once.
        for n in 1..MOST_REFUSED {
            let now = gate.started.elapsed();
            gate.with(|rate, _| rate.throttled(now, now));
            assert!(!gate.with(|rate, now| rate.is_hopeless(now)), "{n}");
        }
        let answers = join_all((0..3).map(|_| client.call(iam()))).await;
        assert_eq!(service.asked().len(), 1);
        let told = answers.iter().filter(|answer| match answer {
            Ok(response) => is_given_up(response),
            Err(_) => false,
        });
        assert_eq!(told.count(), 1, "the one that was asked for");
        let unasked = answers.iter().filter_map(|answer| answer.as_ref().err());
        let unasked: Vec<String> = unasked.map(ToString::to_string).collect();
        assert_eq!(unasked.len(), 2);
        // Another service of the account is asked as ever.
        let other = client.call(request("us-east-1", "lambda"));
        let asked = timeout(Duration::from_millis(400), other).await;
        assert!(asked.is_err(), "it waits for its turn: {asked:?}");
        assert_eq!(service.asked().len(), 2);
    });
}
