//! CloudWatch Logs: groups, streams and lines, as far as a reader of a function's log needs them.
//! JSON 1.1; what a function writes is known to `runlog`, authorization to `authorize`.
//!
//! Resources of the actions, as AWS's own refusals name them: `log-group:NAME:log-stream:` for what is about a group
//! (FilterLogEvents, DescribeLogStreams, CreateLogGroup), `log-group::log-stream:` for DescribeLogGroups, and the stream's ARN
//! for GetLogEvents, CreateLogStream and PutLogEvents. All but the second are matched by `log-group:NAME:*`, none by `log-group:NAME`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authorize::Ask;
use super::caller::Caller;
use super::clock::Moment;
use super::errors::Refused;
use super::logpattern::Pattern;
use super::state::State;

/// Lines that a stream keeps; older ones are forgotten, so that a sandbox that runs for days does not grow with them.
const KEPT: usize = 10_000;
/// Lines of a page where nothing is said, and at most (api: FilterLogEvents, GetLogEvents).
const LINES: usize = 10_000;
/// Groups or streams of a page where nothing is said, and at most (api: DescribeLogGroups, DescribeLogStreams).
const LISTED: usize = 50;

type Reply = Result<Value, Refused>;

/// A log group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LogGroup {
    created: Moment,
    streams: BTreeMap<String, LogStream>,
    /// Lines that were ever written.
    written: u64,
}

/// A log stream: for Lambda, one execution environment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct LogStream {
    created: Moment,
    /// The oldest first.
    lines: VecDeque<Line>,
}

/// A line, which may have line breaks in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    /// Unique in its group, and growing.
    number: u64,
    at: Moment,
    text: String,
}

/// Carries out an operation.
pub(super) fn call(
    state: &State,
    caller: &Caller,
    region: &str,
    operation: &str,
    input: &Value,
) -> Reply {
    let request = Call {
        state,
        caller,
        region,
        operation,
        input,
    };
    match operation {
        "FilterLogEvents" => request.filter(),
        "GetLogEvents" => request.events(),
        "DescribeLogGroups" => request.groups(),
        "DescribeLogStreams" => request.streams(),
        other => Err(Refused::not_here("logs", other)),
    }
}

/// Writes lines as this caller, who makes group and stream where they are missing. Where it may not, nothing is written and
/// nobody is told: so Lambda does with a function whose execution role lacks the permission.
pub(super) fn append(
    state: &mut State,
    caller: &Caller,
    region: &str,
    group: &str,
    stream: &str,
    texts: Vec<String>,
) {
    let now = state.clock.now();
    let found = group_of(state, &caller.account, region, group);
    let (has_group, has_stream) = (
        found.is_some(),
        found.is_some_and(|g| g.streams.contains_key(stream)),
    );
    let of_group = arn(&caller.account, region, group, "");
    let of_stream = arn(&caller.account, region, group, stream);
    let needed = [
        (has_group, "logs:CreateLogGroup", &of_group),
        (has_stream, "logs:CreateLogStream", &of_stream),
        (false, "logs:PutLogEvents", &of_stream),
    ];
    for (done, action, resource) in needed {
        let ask = Ask::new(caller, action, resource.as_str()).region(region);
        if !done && ask.check(state).is_err() {
            return;
        }
    }
    let groups = &mut state.account(&caller.account).logs;
    let group = groups
        .entry(format!("{region}/{group}"))
        .or_insert_with(|| LogGroup {
            created: now,
            ..LogGroup::default()
        });
    let stream = group
        .streams
        .entry(stream.to_owned())
        .or_insert_with(|| LogStream {
            created: now,
            lines: VecDeque::new(),
        });
    for text in texts {
        group.written += 1;
        stream.lines.push_back(Line {
            number: group.written,
            at: now,
            text,
        });
        if stream.lines.len() > KEPT {
            stream.lines.pop_front();
        }
    }
}

/// A call that is being carried out.
struct Call<'a> {
    state: &'a State,
    caller: &'a Caller,
    region: &'a str,
    operation: &'a str,
    input: &'a Value,
}

impl Call<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.input.get(key).and_then(Value::as_str)
    }

    fn need(&self, key: &str) -> Result<&str, Refused> {
        self.text(key).ok_or_else(|| {
            invalid(&format!(
                "1 validation error detected: Value null at '{key}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.input.get(key).and_then(Value::as_u64)
    }

    /// A limit within its bounds; refused outside of them.
    fn limit(&self, most: usize) -> Result<usize, Refused> {
        match self.number("limit").map(usize::try_from) {
            None => Ok(most),
            Some(Ok(n)) if (1..=most).contains(&n) => Ok(n),
            Some(_) => Err(invalid(&format!(
                "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value from 1 \
                 to {most}"
            ))),
        }
    }

    fn authorize(&self, group: &str, stream: &str) -> Result<(), Refused> {
        let resource = arn(&self.caller.account, self.region, group, stream);
        let ask = Ask::new(self.caller, format!("logs:{}", self.operation), resource);
        ask.region(self.region)
            .check(self.state)
            .map_err(|message| Refused::new(400, "AccessDeniedException", message))
    }

    /// The group of a name or an ARN (`logGroupIdentifier`), once the caller may do this with it.
    fn group(&self, stream: &str) -> Result<(&str, &LogGroup), Refused> {
        let name = match self.text("logGroupIdentifier") {
            Some(arn) => arn.split(":log-group:").last().unwrap_or_default(),
            None => self.need("logGroupName")?,
        };
        let name = name.trim_end_matches(":*");
        self.authorize(name, stream)?;
        let found = group_of(self.state, &self.caller.account, self.region, name);
        let group = found.ok_or_else(|| absent("log group"))?;
        Ok((name, group))
    }

    /// From `startTime` on, and until `endTime`, in milliseconds.
    fn time(&self) -> (u64, u64) {
        let from = self.number("startTime").unwrap_or(0);
        (from, self.number("endTime").unwrap_or(u64::MAX))
    }

    fn filter(&self) -> Reply {
        let (_, group) = self.group("")?;
        let (from, to) = self.time();
        let pattern = Pattern::parse(self.text("filterPattern").unwrap_or_default())?;
        let named = self.input.get("logStreamNames").and_then(Value::as_array);
        let prefix = self.text("logStreamNamePrefix").unwrap_or_default();
        let wanted = |stream: &str| {
            let is_named = named.is_none_or(|list| list.iter().any(|one| one == stream));
            is_named && stream.starts_with(prefix)
        };
        let mut found: Vec<(&String, &Line)> = group
            .streams
            .iter()
            .filter(|(name, _)| wanted(name))
            .flat_map(|(name, stream)| stream.lines.iter().map(move |line| (name, line)))
            .filter(|(_, line)| (from..=to).contains(&millis(line.at)))
            .filter(|(_, line)| pattern.matches(&line.text))
            .collect();
        found.sort_by_key(|(_, line)| (line.at, line.number));
        let (start, count) = (self.start()?, self.limit(LINES)?);
        let end = start.saturating_add(count);
        let page = found.iter().skip(start).take(count);
        let shown = |(stream, line): &(&String, &Line)| {
            json!({
                "logStreamName": stream,
                "timestamp": millis(line.at),
                "message": line.text,
                "ingestionTime": millis(line.at),
                "eventId": format!("{:056}", line.number),
            })
        };
        let answer =
            json!({ "events": page.map(shown).collect::<Vec<_>>(), "searchedLogStreams": [] });
        Ok(paged(answer, end, found.len()))
    }

    fn events(&self) -> Reply {
        let name = self.need("logStreamName")?;
        let (_, group) = self.group(name)?;
        let stream = group.streams.get(name);
        let stream = stream.ok_or_else(|| absent("log stream"))?;
        let (from, to) = self.time();
        let inside = |line: &&Line| (from..to).contains(&millis(line.at));
        let found: Vec<&Line> = stream.lines.iter().filter(inside).collect();
        let count = self.limit(LINES)?;
        let head = self.input.get("startFromHead").and_then(Value::as_bool);
        let place = |token: &str| token.get(2..).and_then(|n| n.parse::<usize>().ok());
        let (start, end) = match self.text("nextToken") {
            Some(token) => {
                let at =
                    place(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?;
                if token.starts_with("f/") {
                    (at, at.saturating_add(count))
                } else {
                    (at.saturating_sub(count), at)
                }
            }
            None if head == Some(true) => (0, count),
            None => (found.len().saturating_sub(count), found.len()),
        };
        let end = end.min(found.len());
        let page = found.iter().skip(start).take(end.saturating_sub(start));
        let shown = |line: &&Line| {
            json!({
                "timestamp": millis(line.at),
                "message": line.text,
                "ingestionTime": millis(line.at),
            })
        };
        Ok(json!({
            "events": page.map(shown).collect::<Vec<_>>(),
            "nextForwardToken": format!("f/{end}"),
            "nextBackwardToken": format!("b/{start}"),
        }))
    }

    fn groups(&self) -> Reply {
        self.authorize("", "")?;
        let prefix = self.text("logGroupNamePrefix").unwrap_or_default();
        let pattern = self.text("logGroupNamePattern").unwrap_or_default();
        let region = format!("{}/", self.region);
        let held = self.state.accounts.get(&self.caller.account);
        let here = held.into_iter().flat_map(|account| &account.logs);
        let named = here.filter_map(|(key, group)| Some((key.strip_prefix(&region)?, group)));
        let found: Vec<Value> = named
            .filter(|(name, _)| name.starts_with(prefix) && name.contains(pattern))
            .map(|(name, group)| {
                let own = format!(
                    "arn:aws:logs:{}:{}:log-group:{name}",
                    self.region, self.caller.account
                );
                json!({
                    "logGroupName": name,
                    "creationTime": millis(group.created),
                    "metricFilterCount": 0,
                    "arn": format!("{own}:*"),
                    "logGroupArn": own,
                    "storedBytes": 0,
                    "logGroupClass": "STANDARD",
                })
            })
            .collect();
        self.list("logGroups", found)
    }

    fn streams(&self) -> Reply {
        let (name, group) = self.group("")?;
        let prefix = self.text("logStreamNamePrefix").unwrap_or_default();
        let mut found: Vec<(&String, &LogStream)> = group.streams.iter().collect();
        found.retain(|(stream, _)| stream.starts_with(prefix));
        if self.text("orderBy") == Some("LastEventTime") {
            found.sort_by_key(|(_, stream)| stream.lines.back().map(|line| line.at));
        }
        if self.input.get("descending").and_then(Value::as_bool) == Some(true) {
            found.reverse();
        }
        let shown = |(stream, held): (&String, &LogStream)| {
            let mut seen = json!({
                "logStreamName": stream,
                "creationTime": millis(held.created),
                "arn": arn(&self.caller.account, self.region, name, stream),
                "storedBytes": 0,
            });
            if let (Some(first), Some(last), Some(object)) =
                (held.lines.front(), held.lines.back(), seen.as_object_mut())
            {
                let mut put = |key: &str, at| object.insert(key.to_owned(), json!(millis(at)));
                put("firstEventTimestamp", first.at);
                put("lastEventTimestamp", last.at);
                put("lastIngestionTime", last.at);
            }
            seen
        };
        self.list("logStreams", found.into_iter().map(shown).collect())
    }

    fn list(&self, key: &str, all: Vec<Value>) -> Reply {
        let (start, count) = (self.start()?, self.limit(LISTED)?);
        let (end, length) = (start.saturating_add(count), all.len());
        let page: Vec<Value> = all.into_iter().skip(start).take(count).collect();
        Ok(paged(json!({ key: page }), end, length))
    }

    /// Where a page begins.
    fn start(&self) -> Result<usize, Refused> {
        let token = self.text("nextToken").unwrap_or("0");
        let parsed = token.parse();
        parsed.map_err(|_| invalid("The specified nextToken is invalid."))
    }
}

/// An answer with the token of its next page.
fn paged(mut answer: Value, end: usize, length: usize) -> Value {
    if let (true, Some(object)) = (end < length, answer.as_object_mut()) {
        object.insert("nextToken".to_owned(), json!(end.to_string()));
    }
    answer
}

fn group_of<'s>(state: &'s State, account: &str, region: &str, name: &str) -> Option<&'s LogGroup> {
    let held = state.accounts.get(account)?;
    held.logs.get(&format!("{region}/{name}"))
}

/// The ARN on which actions are authorized.
fn arn(account: &str, region: &str, group: &str, stream: &str) -> String {
    format!("arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{stream}")
}

fn millis(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}

/// A refusal of an input.
pub(super) fn invalid(message: &str) -> Refused {
    Refused::new(400, "InvalidParameterException", message)
}

fn absent(what: &str) -> Refused {
    let message = format!("The specified {what} does not exist.");
    Refused::new(400, "ResourceNotFoundException", message)
}
