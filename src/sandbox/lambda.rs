//! Lambda: functions, their policies and concurrency, and Invoke.
//! REST JSON; how a function runs is known to `functions`, authorization to `authorize`.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::authorize::{Ask, resource_policy};
use super::caller::Caller;
use super::clock::Moment;
use super::errors::Refused;
use super::execution::Job;
use super::function::{
    configuration, denied, execution_role, fresh, invalid, runtime_of, statement, texts,
};
use super::function_input::{configure, fits, measured};
use super::iam::passes;
use super::phase::{Phase, conflict};
use super::query::Params;
use super::state::{Builtin, Code, Function, Run, State, Tags, Timer, function_arn};
use super::{functions, invocation};

/// A request in the REST protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// `x-amz-invocation-type`.
    pub(super) invocation: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// A status and a document.
    Json(u16, Value),
    /// A status alone.
    Empty(u16),
    /// The function's own answer is waited for.
    Wait(Run),
}

type Reply = Result<Output, Refused>;

/// The operation that a request means, and the function that it names.
pub(super) fn route(rest: &Rest<'_>) -> (String, Option<String>) {
    let undone = percent_decode_str(rest.path)
        .decode_utf8_lossy()
        .into_owned();
    let mut parts = undone.trim_matches('/').split('/');
    let version = parts.next().unwrap_or_default().to_owned();
    let tail: Vec<&str> = parts.collect();
    let method = rest.method;
    let (operation, name) = match (version.as_str(), tail.as_slice()) {
        ("2015-03-31", ["functions"]) => match method {
            "GET" => ("ListFunctions", None),
            "POST" => ("CreateFunction", None),
            _ => ("", None),
        },
        ("2015-03-31", ["functions", name]) => match method {
            "GET" => ("GetFunction", Some(*name)),
            "DELETE" => ("DeleteFunction", Some(*name)),
            _ => ("", None),
        },
        ("2015-03-31", ["functions", name, "configuration"]) => match method {
            "GET" => ("GetFunctionConfiguration", Some(*name)),
            "PUT" => ("UpdateFunctionConfiguration", Some(*name)),
            _ => ("", None),
        },
        ("2015-03-31", ["functions", name, "code"]) if method == "PUT" => {
            ("UpdateFunctionCode", Some(*name))
        }
        ("2015-03-31", ["functions", name, "invocations"]) if method == "POST" => {
            ("Invoke", Some(*name))
        }
        ("2015-03-31", ["functions", name, "policy"]) => match method {
            "GET" => ("GetPolicy", Some(*name)),
            "POST" => ("AddPermission", Some(*name)),
            _ => ("", None),
        },
        ("2015-03-31", ["functions", name, "policy", _]) if method == "DELETE" => {
            ("RemovePermission", Some(*name))
        }
        ("2019-09-30", ["functions", name, "concurrency"]) if method == "GET" => {
            ("GetFunctionConcurrency", Some(*name))
        }
        ("2017-10-31", ["functions", name, "concurrency"]) => match method {
            "PUT" => ("PutFunctionConcurrency", Some(*name)),
            "DELETE" => ("DeleteFunctionConcurrency", Some(*name)),
            _ => ("", None),
        },
        ("2019-09-25", ["functions", name, "event-invoke-config"]) => match method {
            "GET" => ("GetFunctionEventInvokeConfig", Some(*name)),
            "PUT" => ("PutFunctionEventInvokeConfig", Some(*name)),
            "POST" => ("UpdateFunctionEventInvokeConfig", Some(*name)),
            "DELETE" => ("DeleteFunctionEventInvokeConfig", Some(*name)),
            _ => ("", None),
        },
        ("2017-03-31", ["tags", arn]) => match method {
            "GET" => ("ListTags", Some(*arn)),
            "POST" => ("TagResource", Some(*arn)),
            "DELETE" => ("UntagResource", Some(*arn)),
            _ => ("", None),
        },
        _ => ("", None),
    };
    (operation.to_owned(), name.map(str::to_owned))
}

/// Carries out a request.
pub(super) fn call(state: &mut State, caller: &Caller, region: &str, rest: &Rest<'_>) -> Reply {
    let (operation, named) = route(rest);
    fits(&operation, rest.body)?;
    let input: Value = if rest.body.is_empty() || operation == "Invoke" {
        json!({})
    } else {
        serde_json::from_slice(rest.body).map_err(|_| {
            Refused::new(
                400,
                "InvalidRequestContentException",
                "Could not parse request body into json",
            )
        })?
    };
    let mut request = Call {
        state,
        caller,
        region,
        operation: &operation,
        input: &input,
        rest,
    };
    match (operation.as_str(), named) {
        ("ListFunctions", _) => request.list(),
        ("CreateFunction", _) => request.create(),
        ("", _) => Err(Refused::not_here(
            "lambda",
            &format!("{} {}", rest.method, rest.path),
        )),
        ("Invoke", Some(name)) => request.invoke(&name),
        (_, Some(name)) => request.of_function(&name),
        (other, None) => Err(Refused::not_here("lambda", other)),
    }
}

/// A call that is being carried out.
struct Call<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    region: &'a str,
    operation: &'a str,
    input: &'a Value,
    rest: &'a Rest<'a>,
}

/// A function as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    account: String,
    region: String,
    name: String,
    qualifier: Option<String>,
}

impl Named {
    /// `f`, `f:q`, `ACCOUNT:function:f`, or an ARN (api: Invoke, FunctionName).
    fn parse(text: &str, account: &str, region: &str) -> Self {
        let fields: Vec<&str> = text.split(':').collect();
        let (account, region, rest) = match fields.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => {
                (*account, *region, rest)
            }
            [account, "function", rest @ ..] => (*account, region, rest),
            rest => (account, region, rest),
        };
        let own = |text: Option<&&str>| text.map(|t| (*t).to_owned());
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: own(rest.first()).unwrap_or_default(),
            qualifier: own(rest.get(1)).filter(|q| q != "$LATEST"),
        }
    }

    fn arn(&self) -> String {
        let arn = function_arn(&self.account, &self.region, &self.name);
        match &self.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }

    fn missing(&self) -> Refused {
        Refused::new(
            404,
            "ResourceNotFoundException",
            format!("Function not found: {}", self.arn()),
        )
    }
}

/// Whether a caller may do this with a function, and the function.
fn allowed<'s>(
    state: &'s State,
    caller: &Caller,
    action: &str,
    named: &Named,
) -> Result<&'s Function, Refused> {
    let Named {
        account,
        region,
        name,
        qualifier,
    } = named;
    let found = state.function(account, region, name);
    let mut ask = Ask::new(caller, action, named.arn())
        .of(account)
        .region(region)
        .guarded(found.and_then(|f| resource_policy(&f.policy)));
    if let Some(function) = found {
        ask = ask.tags("aws:ResourceTag", &function.tags);
    }
    denied(ask.check(state))?;
    // The sandbox has neither versions nor aliases.
    found
        .filter(|_| qualifier.is_none())
        .ok_or_else(|| named.missing())
}

impl Call<'_> {
    fn named(&self, text: &str) -> Named {
        Named::parse(text, &self.caller.account, self.region)
    }

    fn list(&mut self) -> Reply {
        let ask = Ask::new(self.caller, "lambda:ListFunctions", "*").region(self.region);
        denied(ask.check(self.state))?;
        let prefix = format!("{}/", self.region);
        let now = self.state.clock.now();
        let held = self.state.accounts.get(&self.caller.account);
        let all = held.into_iter().flat_map(|a| &a.functions);
        let here = all.filter(|(key, _)| key.starts_with(&prefix));
        let list: Vec<Value> = here
            .map(|(_, f)| configuration(&self.caller.account, self.region, f, now))
            .collect();
        Ok(Output::Json(200, json!({ "Functions": list })))
    }

    fn create(&mut self) -> Reply {
        let text = |key: &str| self.input.get(key).and_then(Value::as_str);
        let name = text("FunctionName").ok_or_else(|| invalid("FunctionName is missing"))?;
        let role = text("Role").ok_or_else(|| invalid("Role is missing"))?;
        let handler = text("Handler").unwrap_or("index.handler");
        let named = self.named(name);
        let tags = texts(self.input.get("Tags"));
        self.may_create(&named, &tags)?;
        denied(passes(
            self.state,
            self.caller,
            role,
            "lambda.amazonaws.com",
        ))?;
        execution_role(self.state, &named.account, role)?;
        if self
            .state
            .function(&named.account, &named.region, &named.name)
            .is_some()
        {
            return Err(conflict(&format!("Function already exist: {}", named.name)));
        }
        let zip = self.input.pointer("/Code/ZipFile").and_then(Value::as_str);
        let code = match Builtin::of_handler(handler) {
            Some(builtin) => Code::Builtin(builtin),
            None => Code::Zip(
                zip.ok_or_else(|| invalid("Code: the sandbox takes a ZipFile only"))?
                    .to_owned(),
            ),
        };
        let mut function = fresh(self.state, &named.name, role, code)?;
        handler.clone_into(&mut function.handler);
        configure(&mut function, self.input)?;
        function.tags = tags;
        function.pending_until = settling(self.state);
        let now = self.state.clock.now();
        let answer = configuration(&named.account, self.region, &function, now);
        insert(self.state, &named, function);
        Ok(Output::Json(201, answer))
    }

    /// Tags at the making ask for the right to tag as well (Lambda guide: configuration-tags).
    fn may_create(&self, named: &Named, tags: &Tags) -> Result<(), Refused> {
        let ask = |action| {
            Ask::new(self.caller, action, named.arn())
                .region(self.region)
                .tags("aws:RequestTag", tags)
        };
        denied(ask("lambda:CreateFunction").check(self.state))?;
        if tags.is_empty() {
            return Ok(());
        }
        denied(ask("lambda:TagResource").check(self.state))
    }

    fn invoke(&mut self, name: &str) -> Reply {
        let named = self.named(name);
        let found = allowed(self.state, self.caller, "lambda:InvokeFunction", &named)?;
        let throttled = found.concurrency == Some(0);
        Phase::of(found, self.state.clock.now()).invocable()?;
        let kind = self.rest.invocation.unwrap_or("RequestResponse");
        if kind == "DryRun" {
            return Ok(Output::Empty(204));
        }
        let body = if self.rest.body.is_empty() {
            b"{}"
        } else {
            self.rest.body
        };
        let event = String::from_utf8_lossy(body).into_owned();
        if serde_json::from_str::<Value>(&event).is_err() {
            return Err(Refused::new(
                400,
                "InvalidRequestContentException",
                "Could not parse request body into json",
            ));
        }
        let run = new_run(self.state, &named, event, None);
        if kind == "Event" {
            functions::start(self.state, run);
            return Ok(Output::Empty(202));
        }
        if throttled {
            return Err(Refused::new(
                429,
                "TooManyRequestsException",
                "Rate Exceeded.",
            ));
        }
        Ok(Output::Wait(run))
    }

    /// Operations on one function that must exist.
    fn of_function(&mut self, name: &str) -> Reply {
        let named = self.named(name);
        let action = format!("lambda:{}", self.operation);
        let found = allowed(self.state, self.caller, &action, &named)?;
        let account = named.account.as_str();
        let now = self.state.clock.now();
        match self.operation {
            "GetFunctionConfiguration" => Ok(Output::Json(
                200,
                configuration(account, &named.region, found, now),
            )),
            "GetFunction" => {
                let mut answer = json!({
                    "Configuration": configuration(account, &named.region, found, now),
                    "Code": { "RepositoryType": "S3", "Location": "https://sandbox.invalid/" },
                    "Tags": found.tags,
                });
                if let (Some(n), Some(object)) = (found.concurrency, answer.as_object_mut()) {
                    let reserved = json!({ "ReservedConcurrentExecutions": n });
                    object.insert("Concurrency".to_owned(), reserved);
                }
                Ok(Output::Json(200, answer))
            }
            "GetPolicy" if found.policy.is_empty() => Err(Refused::new(
                404,
                "ResourceNotFoundException",
                "The resource you requested does not exist.",
            )),
            "GetPolicy" => {
                let document =
                    json!({ "Version": "2012-10-17", "Id": "default", "Statement": found.policy });
                let answer =
                    json!({ "Policy": document.to_string(), "RevisionId": found.revision });
                Ok(Output::Json(200, answer))
            }
            "GetFunctionConcurrency" => Ok(Output::Json(
                200,
                match found.concurrency {
                    Some(n) => json!({ "ReservedConcurrentExecutions": n }),
                    None => json!({}),
                },
            )),
            "GetFunctionEventInvokeConfig" => {
                let config = found.invoke_config.as_ref();
                let config = config.ok_or_else(|| invocation::absent(&named.arn()))?;
                Ok(Output::Json(200, config.seen(&named.arn())))
            }
            "ListTags" => Ok(Output::Json(200, json!({ "Tags": found.tags }))),
            _ => {
                let function = found.clone();
                self.change(&named, function)
            }
        }
    }

    fn change(&mut self, named: &Named, mut function: Function) -> Reply {
        let input = self.input;
        let reply = match self.operation {
            "DeleteFunction" => {
                let key = format!("{}/{}", named.region, named.name);
                self.state.account(&named.account).functions.remove(&key);
                return Ok(Output::Empty(204));
            }
            "UpdateFunctionConfiguration" => return self.update_configuration(named, function),
            "UpdateFunctionCode" => return self.update_code(named, function),
            "AddPermission" => {
                let statement = statement(input, &named.arn())?;
                let same = |s: &Value| s["Sid"] == statement["Sid"];
                if function.policy.iter().any(same) {
                    return Err(conflict(
                        "The statement id provided already exists. Please provide a new statement id, or remove the existing statement.",
                    ));
                }
                function.policy.push(statement.clone());
                Output::Json(201, json!({ "Statement": statement.to_string() }))
            }
            "RemovePermission" => {
                let id = self.rest.path.rsplit('/').next().unwrap_or_default();
                let before = function.policy.len();
                function.policy.retain(|s| s["Sid"] != id);
                if function.policy.len() == before {
                    let message = format!("Statement {id} is not found in resource policy.");
                    return Err(Refused::new(404, "ResourceNotFoundException", message));
                }
                Output::Empty(204)
            }
            "PutFunctionConcurrency" => {
                function.concurrency = input
                    .get("ReservedConcurrentExecutions")
                    .and_then(Value::as_u64);
                Output::Json(
                    200,
                    json!({ "ReservedConcurrentExecutions": function.concurrency }),
                )
            }
            "DeleteFunctionConcurrency" => {
                function.concurrency = None;
                Output::Empty(204)
            }
            "PutFunctionEventInvokeConfig" | "UpdateFunctionEventInvokeConfig" => {
                let before = match function.invoke_config.take() {
                    Some(config) if self.operation.starts_with("Update") => config,
                    None if self.operation.starts_with("Update") => {
                        return Err(invocation::absent(&named.arn()));
                    }
                    Some(_) | None => invocation::InvokeConfig::default(),
                };
                let config = before.changed(input, self.state.clock.now())?;
                let seen = config.seen(&named.arn());
                function.invoke_config = Some(config);
                Output::Json(200, seen)
            }
            "DeleteFunctionEventInvokeConfig" => {
                if function.invoke_config.take().is_none() {
                    return Err(invocation::absent(&named.arn()));
                }
                Output::Empty(204)
            }
            "TagResource" => {
                function.tags.extend(texts(input.get("Tags")));
                Output::Empty(204)
            }
            "UntagResource" => {
                // `tagKeys=a&tagKeys=b`: one pair at a time, as their name is the same.
                for pair in self.rest.query.split('&') {
                    let gone = Params::parse(pair);
                    function
                        .tags
                        .retain(|key, _| gone.get("tagKeys") != Some(key));
                }
                Output::Empty(204)
            }
            other => return Err(Refused::not_here("lambda", other)),
        };
        function.revision = self.state.random.uuid();
        insert(self.state, named, function);
        Ok(reply)
    }
}

/// Changes of the function itself, of which only one is under way at a time.
impl Call<'_> {
    fn update_configuration(&mut self, named: &Named, mut function: Function) -> Reply {
        self.changeable(named, &function)?;
        if let Some(role) = self.input.get("Role").and_then(Value::as_str) {
            denied(passes(
                self.state,
                self.caller,
                role,
                "lambda.amazonaws.com",
            ))?;
            execution_role(self.state, &named.account, role)?;
            role.clone_into(&mut function.role);
        }
        configure(&mut function, self.input)?;
        if let Some(handler) = self.input.get("Handler").and_then(Value::as_str) {
            handler.clone_into(&mut function.handler);
            if let Some(builtin) = Builtin::of_handler(handler) {
                function.code = Code::Builtin(builtin);
            }
        }
        Ok(self.updated(named, function))
    }

    fn update_code(&mut self, named: &Named, mut function: Function) -> Reply {
        self.changeable(named, &function)?;
        let zip = self.input.get("ZipFile").and_then(Value::as_str);
        let zip = zip.ok_or_else(|| invalid("the sandbox takes a ZipFile only"))?;
        function.code = Code::Zip(zip.to_owned());
        (function.code_sha, function.code_size) = measured(&function.code)?;
        if self.input.get("DryRun").and_then(Value::as_bool) == Some(true) {
            let now = self.state.clock.now();
            let answer = configuration(&named.account, &named.region, &function, now);
            return Ok(Output::Json(200, answer));
        }
        Ok(self.updated(named, function))
    }

    fn changeable(&self, named: &Named, function: &Function) -> Result<(), Refused> {
        let expected = self.input.get("RevisionId").and_then(Value::as_str);
        if expected.is_some_and(|expected| expected != function.revision) {
            return Err(Refused::new(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
            ));
        }
        Phase::of(function, self.state.clock.now()).changeable(&named.arn())
    }

    /// The change is answered at once, and takes its time.
    fn updated(&mut self, named: &Named, mut function: Function) -> Output {
        function.modified = self.state.clock.now();
        function.revision = self.state.random.uuid();
        function.updating_until = settling(self.state);
        let now = self.state.clock.now();
        let answer = configuration(&named.account, &named.region, &function, now);
        insert(self.state, named, function);
        Output::Json(200, answer)
    }
}

/// How long Lambda takes to make or to change a function without a VPC: some seconds (Lambda guide: functions-states names none).
const SETTLES: Duration = Duration::from_secs(2);

/// The moment when a function that is made or changed now is ready.
fn settling(state: &mut State) -> Moment {
    state.after(SETTLES, Timer::Settled);
    state.clock.now().saturating_add(SETTLES)
}

/// Invokes a function for a job of CodePipeline, as the session of the action's role.
pub(super) fn invoke_for_job(
    state: &mut State,
    job: &Job,
    id: &str,
    event: &Value,
) -> Result<(), Refused> {
    let named = Named::parse(&job.function, &job.account, &job.region);
    let found = allowed(state, &job.caller, "lambda:InvokeFunction", &named)?;
    Phase::of(found, state.clock.now()).invocable()?;
    if let Some(job) = state.jobs.get_mut(id) {
        job.rounds += 1;
    }
    let run = new_run(state, &named, event.to_string(), Some(id.to_owned()));
    functions::start(state, run);
    Ok(())
}

fn new_run(state: &mut State, named: &Named, event: String, job: Option<String>) -> Run {
    Run {
        account: named.account.clone(),
        region: named.region.clone(),
        function: named.name.clone(),
        event,
        job,
        request_id: state.random.uuid(),
        attempt: 1,
    }
}

/// A function that is to be made.
pub(super) struct New<'a> {
    pub(super) name: &'a str,
    pub(super) role: &'a str,
    pub(super) code: Code,
    pub(super) environment: &'a [(&'a str, &'a str)],
}

/// Makes a function, or replaces one.
pub(super) fn put(
    state: &mut State,
    caller: &Caller,
    region: &str,
    new: &New<'_>,
) -> Result<(), Refused> {
    let New {
        name,
        role,
        code,
        environment,
    } = new;
    let named = Named::parse(name, &caller.account, region);
    let ask = Ask::new(caller, "lambda:CreateFunction", named.arn()).region(region);
    denied(ask.check(state))?;
    execution_role(state, &named.account, role)?;
    let mut function = fresh(state, &named.name, role, code.clone())?;
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    function.environment = environment.iter().map(own).collect();
    insert(state, &named, function);
    Ok(())
}

/// Gives a function other code.
pub(super) fn set_code(
    state: &mut State,
    account: &str,
    region: &str,
    name: &str,
    code: Code,
) -> Result<(), Refused> {
    let named = Named::parse(name, account, region);
    let found = state.function(account, region, &named.name);
    let mut function = found.cloned().ok_or_else(|| named.missing())?;
    let (runtime, handler) = runtime_of(&code);
    runtime.clone_into(&mut function.runtime);
    function.handler = handler;
    (function.code_sha, function.code_size) = measured(&code)?;
    function.code = code;
    insert(state, &named, function);
    Ok(())
}

/// Gives a function more time, or less.
pub(super) fn set_timeout(
    state: &mut State,
    account: &str,
    region: &str,
    name: &str,
    seconds: u64,
) -> Result<(), Refused> {
    let named = Named::parse(name, account, region);
    let found = state.function(account, region, &named.name);
    let mut function = found.cloned().ok_or_else(|| named.missing())?;
    function.timeout = seconds;
    insert(state, &named, function);
    Ok(())
}

fn insert(state: &mut State, named: &Named, function: Function) {
    let key = format!("{}/{}", named.region, named.name);
    state
        .account(&named.account)
        .functions
        .insert(key, function);
}
