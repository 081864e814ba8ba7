//! AWS asks to slow down: whole commands against the embedded AWS with the token buckets that services have.
//! Held by counts and order, and by pauses that are long enough; never by how fast anything is.
//!
//! The slow services, which take minutes: `cargo test --test integration -- --ignored --nocapture retries::`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crossgate::sandbox::{Answer, CallRecord, Fate, RateLimit, Refused, seed};

use super::fleet::{CHECKS, Fleet, id};
use crate::support::cli::Run;

/// The most that is under way at once in one account when the first answer is a throttling: steps of an apply; reads are fewer.
const AT_ONCE: usize = 48;
/// Throttled afterwards: the limiter asks for more until it knows the rate, and a slow machine sends some late.
const IN_SEARCH: usize = 12;

/// A command, and what the sandbox saw of it.
struct Course {
    run: Run,
    calls: Vec<CallRecord>,
    /// When the requests of each call came; the SDK gives them one id.
    requests: BTreeMap<String, Vec<Instant>>,
}

/// Runs a command. The buckets are full when it begins.
fn watch(fleet: &Fleet, limits: &[RateLimit], arguments: &[&str]) -> Course {
    let (tell, told) = channel();
    fleet.sandbox.set_limits(limits.to_vec());
    fleet.sandbox.set_script(Some(Box::new(move |asked| {
        // Nobody listens once the run is over.
        let _ = tell.send((asked.invocation.clone(), Instant::now()));
        Fate::Passes
    })));
    let before = fleet.sandbox.calls().len();
    let run = fleet.run(arguments);
    let mut requests: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (invocation, at) in told.try_iter() {
        requests.entry(invocation).or_default().push(at);
    }
    fleet.sandbox.set_script(None);
    let course = Course {
        run,
        calls: fleet.sandbox.calls().into_iter().skip(before).collect(),
        requests,
    };
    course.show();
    course
}

fn is_throttled(call: &CallRecord) -> bool {
    let code = call.error.as_deref().unwrap_or_default();
    code.starts_with("Throttling") || code.starts_with("TooManyRequests")
}

impl Course {
    /// The calls of each account and service, which have a bucket of their own.
    fn scopes(&self) -> BTreeMap<(&str, &str), Vec<&CallRecord>> {
        let mut scopes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for call in &self.calls {
            let scope = (call.account.as_str(), call.service.as_str());
            scopes.entry(scope).or_default().push(call);
        }
        scopes
    }

    fn throttled(&self) -> usize {
        self.calls.iter().filter(|call| is_throttled(call)).count()
    }

    fn accepted(&self, operation: &str) -> usize {
        let of = |call: &&CallRecord| call.operation == operation && call.error.is_none();
        self.calls.iter().filter(of).count()
    }

    fn most_requests(&self) -> usize {
        self.requests.values().map(Vec::len).max().unwrap_or(0)
    }

    /// The figures, and a line of each bucket that was empty once: a point for what it took, a cross for what it did not.
    fn figures(&self) -> String {
        let mut told = format!(
            "{}: exit {:?}, {} calls, {} throttled, {} requests a call at most, {} ms\n",
            self.run.arguments.join(" "),
            self.run.code,
            self.calls.len(),
            self.throttled(),
            self.most_requests(),
            self.run.wall.as_millis(),
        );
        for ((account, service), calls) in self.scopes() {
            if calls.iter().any(|call| is_throttled(call)) {
                let mark = |call: &&CallRecord| if is_throttled(call) { 'x' } else { '.' };
                let line: String = calls.iter().map(mark).collect();
                writeln!(told, "  {account} {service:12} {line}").unwrap();
            }
        }
        told
    }

    #[allow(clippy::print_stderr)]
    fn show(&self) {
        if std::env::var_os("CROSSGATE_TEST_TRACE").is_some() {
            eprintln!("{}", self.figures());
        }
    }

    /// It did what it should, with so many requests a call at most. From no bucket more was asked in vain than was under way when it
    /// said so first, and a few in search of its rate.
    #[track_caller]
    fn is_carried_out(&self, most_requests: usize) -> &Self {
        assert_eq!(
            self.run.code,
            Some(0),
            "{}\n{}",
            self.figures(),
            self.run.dump()
        );
        assert!(self.most_requests() <= most_requests, "{}", self.figures());
        for (scope, calls) in self.scopes() {
            let throttled = calls.iter().filter(|call| is_throttled(call)).count();
            assert!(
                throttled <= AT_ONCE.min(calls.len() - throttled) + IN_SEARCH,
                "{scope:?}: {throttled}\n{}",
                self.figures()
            );
        }
        self
    }

    /// Every object is made once.
    #[track_caller]
    fn made_a_fleet(&self, accounts: usize) -> &Self {
        let made = ["CreateRole", "PutRolePolicy", "UpdatePipeline"].map(|it| self.accepted(it));
        // A policy of each invoke role, one of each execution role, one of each service role.
        let policies = accounts * CHECKS + 2 * accounts;
        assert_eq!(
            made,
            [accounts * CHECKS, policies, accounts],
            "{}",
            self.figures()
        );
        self
    }

    /// Of the calls to each bucket that is asked often, none of the second half is throttled but those that end the search for its rate.
    #[track_caller]
    fn settled(&self) {
        let mut often = 0;
        for (scope, calls) in self.scopes() {
            let half = calls.iter().skip(calls.len() / 2);
            let late = half.filter(|call| is_throttled(call)).count();
            let was_empty = calls.iter().any(|call| is_throttled(call));
            if was_empty && calls.len() >= 40 {
                often += 1;
                assert!(late <= 2, "{scope:?}\n{}", self.figures());
            }
        }
        assert!(often > 0, "nothing had to settle\n{}", self.figures());
    }
}

fn services(rate: f64, burst: f64) -> Vec<RateLimit> {
    ["iam", "sts", "codepipeline", "lambda"]
        .map(|service| RateLimit::of(service, rate, burst))
        .into()
}

#[test]
fn moderate_limits_cost_a_first_wave_and_nothing_more() {
    let fleet = Fleet::new(16);
    let limits = services(20.0, 10.0);
    let made = watch(&fleet, &limits, &["bootstrap", "--yes"]);
    made.is_carried_out(4).made_a_fleet(16).settled();
    watch(&fleet, &limits, &["check"]).is_carried_out(4);
}

#[test]
fn buckets_of_a_few_tokens_are_waited_for() {
    let fleet = Fleet::new(3);
    let limits = ["iam", "codepipeline"].map(|service| RateLimit::of(service, 20.0, 2.0));
    let made = watch(&fleet, &limits, &["bootstrap", "--yes"]);
    made.is_carried_out(6).made_a_fleet(3);
    assert!(made.throttled() > 0, "{}", made.figures());
    watch(&fleet, &[], &["check"]).is_carried_out(1);
}

#[test]
fn an_operation_may_have_a_limit_of_its_own() {
    let fleet = Fleet::new(2);
    let limits = [
        RateLimit::of("iam", 4.0, 1.0).operation("PutRolePolicy"),
        RateLimit::of("iam", 2.0, 1.0).operation("GetRole"),
    ];
    let made = watch(&fleet, &limits, &["bootstrap", "--yes"]);
    made.is_carried_out(10).made_a_fleet(2);
    assert!(made.throttled() > 0, "{}", made.figures());
    let proven = watch(&fleet, &limits, &["verify"]);
    proven.is_carried_out(10);
    assert!(proven.throttled() > 0, "{}", proven.figures());
}

#[test]
fn a_service_that_says_when_to_come_again_is_obeyed() {
    let fleet = Fleet::new(2);
    watch(&fleet, &[], &["bootstrap", "--yes"]).is_carried_out(1);
    // Of the services that are here Lambda says it, in whole seconds.
    let limits = [RateLimit::of("lambda", 1.0, 1.0)];
    let proven = watch(&fleet, &limits, &["verify"]);
    proven.is_carried_out(10);
    let mut pauses = 0;
    for requests in proven.requests.values() {
        for pair in requests.windows(2) {
            let pause = pair[1].duration_since(pair[0]);
            assert!(
                pause >= Duration::from_secs(1),
                "{pause:?}\n{}",
                proven.figures()
            );
            pauses += 1;
        }
    }
    assert!(pauses > 0, "{}", proven.figures());
}

#[test]
fn an_account_that_is_throttled_holds_up_no_other() {
    let fleet = Fleet::new(4);
    let slow = id(2);
    let limits = [RateLimit::of("iam", 10.0, 1.0).account(&slow)];
    let made = watch(&fleet, &limits, &["bootstrap", "--yes"]);
    made.is_carried_out(6).made_a_fleet(4);
    let throttled = made.calls.iter().filter(|call| is_throttled(call));
    let mut throttled = throttled.peekable();
    assert!(throttled.peek().is_some(), "{}", made.figures());
    assert!(
        throttled.all(|call| call.account == slow),
        "{}",
        made.figures()
    );
    // What the tools account allows to a pipeline waits for the roles of the slow one.
    let iam = |call: &&CallRecord| call.service == "iam" && call.account != seed::TOOLS;
    let iam: Vec<&CallRecord> = made.calls.iter().filter(iam).collect();
    let half = iam
        .iter()
        .filter(|call| call.account == slow && !is_throttled(call))
        .count()
        / 2;
    let mut of_slow = 0;
    for call in &iam {
        if call.account == slow {
            of_slow += usize::from(!is_throttled(call));
        } else {
            assert!(
                of_slow <= half,
                "{} of {} came late\n{}",
                call.operation,
                call.account,
                made.figures()
            );
        }
    }
}

#[test]
#[ignore = "minutes; prints numbers"]
#[allow(clippy::print_stdout)]
fn slow_services_are_waited_for_however_long_it_takes() {
    for (accounts, limits) in [
        // Calls wait for longer than the 20 s after which the SDK would break off a body that nobody reads.
        (1, services(1.0, 1.0)),
        (20, services(2.0, 1.0)),
        (10, services(5.0, 1.0)),
        (
            1,
            vec![RateLimit::of("iam", 1.0, 1.0).operation("PutRolePolicy")],
        ),
        (40, vec![RateLimit::of("sts", 1.0, 1.0)]),
    ] {
        let fleet = Fleet::new(accounts);
        for arguments in [
            &["bootstrap", "--yes"][..],
            &["check"],
            &["verify"],
            &["teardown", "--yes"],
        ] {
            let course = watch(&fleet, &limits, arguments);
            println!("{accounts} accounts, {limits:?}: {}", course.figures());
            course.is_carried_out(15);
        }
    }
}

#[test]
#[ignore = "half a minute"]
fn a_service_that_throttles_for_ever_ends_a_bootstrap_with_what_it_said() {
    let fleet = Fleet::new(2);
    let slow = id(0);
    let before = fleet.sandbox.calls().len();
    fleet.sandbox.set_script(Some(Box::new(move |asked| {
        if asked.account == slow && asked.operation == "CreateRole" {
            return Fate::Before(Answer::Refused(Refused::throttled("iam")));
        }
        Fate::Passes
    })));
    let run = fleet.run(&["bootstrap", "--yes"]);
    run.exits(5)
        .says("Throttling")
        .says("wait a minute and run it again");
    let asked = fleet
        .sandbox
        .calls()
        .into_iter()
        .skip(before)
        .filter(is_throttled)
        .count();
    assert!((10..=10 + AT_ONCE).contains(&asked), "{asked}");
    fleet.sandbox.set_script(None);
    watch(&fleet, &[], &["bootstrap", "--yes"]).is_carried_out(1);
}
