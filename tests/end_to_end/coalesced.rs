//! Messages of several calls, as a client of another make would send them: each call is answered as if it had come alone.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use amiquip::{AmqpProperties, Channel, Connection, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::{ExchangeType, Server};
use harness::{Broker, Case, eventually};
use rmp_serde::decode::from_slice;
use rmp_serde::encode::to_vec;
use serde_bytes::ByteBuf;
use tempfile::TempDir;

use crate::redelivery::{DEAD, RETRY, dead, is_empty, keep_serving, letter, lines};
use crate::service::{LONG, SERVICE, client, setup};
use crate::workload::{add, counted, seen};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("coalesced::all_are_answered", all_are_answered),
        Case::shared("coalesced::each_has_an_outcome_of_its_own", each_has_an_outcome_of_its_own),
        Case::shared("coalesced::each_has_headers_and_a_deadline_of_its_own", each_has_headers_of_its_own),
        Case::shared("coalesced::a_slow_call_delays_no_quick_one", a_slow_call_delays_no_quick_one),
        Case::shared("coalesced::a_slow_call_delays_no_refusal", a_slow_call_delays_no_refusal),
        Case::shared("coalesced::slow_calls_run_on_all_workers", slow_calls_run_on_all_workers),
        Case::shared("coalesced::one_message_holds_up_no_other_caller", one_message_holds_up_no_other_caller),
        Case::shared("coalesced::what_is_fetched_ahead_is_bounded_in_calls", what_is_fetched_is_bounded),
        Case::shared("coalesced::what_is_no_list_of_calls_is_refused", what_is_no_list_of_calls_is_refused),
        Case::shared("coalesced::an_early_function_runs_at_most_once", an_early_function_runs_at_most_once),
        Case::shared("coalesced::an_early_function_beside_poison_runs_at_most_once", an_early_function_beside_poison),
        Case::shared("coalesced::a_call_that_comes_twice_runs_once", a_call_that_comes_twice_runs_once),
        Case::shared("coalesced::a_poisonous_call_condemns_no_other", a_poisonous_call_condemns_no_other),
        Case::shared("coalesced::a_shutdown_returns_what_has_not_begun", a_shutdown_returns_what_has_not_begun),
        Case::shared("coalesced::what_was_answered_is_not_run_again", what_was_answered_is_not_run_again),
        Case::shared("coalesced::any_queue_takes_them", any_queue_takes_them),
        Case::shared("coalesced::there_is_no_queue_for_them_elsewhere", there_is_no_queue_for_them_elsewhere),
    ]
}

/// Arguments of a function that takes none.
const NOTHING: [u8; 0] = [];

const CALLS: &str = concat!(env!("CARGO_PKG_NAME"), ".calls");
const QUARANTINE: &str = concat!(env!("CARGO_PKG_NAME"), ".quarantine");

type Encoded = (String, String, Option<String>, Option<i64>, Option<i64>, Option<BTreeMap<String, String>>, ByteBuf);
type Decoded = (String, Option<String>, u16, Option<String>, Option<BTreeMap<String, serde_json::Value>>, ByteBuf);

/// A call of this function, whose arguments are a list.
fn call(id: &str, function: &str, arguments: &impl serde::Serialize) -> anyhow::Result<Encoded> {
    let body = ByteBuf::from(to_vec(arguments)?);
    Ok((id.to_owned(), function.to_owned(), None, None, None, None, body))
}

/// So many sums, each with an id from this number up.
fn sums(from: i64, count: i64) -> anyhow::Result<Vec<Encoded>> {
    (from..from + count).map(|n| call(&n.to_string(), "add", &(n, 1))).collect()
}

/// One reply.
#[derive(Debug)]
struct Reply {
    kind: String,
    status: u16,
    /// Of guirpc's own.
    attempts: Option<i64>,
    body: Vec<u8>,
    /// How many were in its message.
    together: usize,
    at: Instant,
}

impl Reply {
    fn is_output(&self) -> bool {
        self.kind == "output" && self.status == 200
    }

    fn output<T: serde::de::DeserializeOwned>(&self) -> anyhow::Result<T> {
        ensure!(self.is_output(), "{self:?}: {}", String::from_utf8_lossy(&self.body));
        Ok(from_slice(&self.body)?)
    }
}

/// Who sends messages of calls, and gets replies into a queue.
struct Caller {
    channel: Channel,
    queue: String,
    replies: BTreeMap<String, Reply>,
    /// Whether a call may be answered twice, as after a loss.
    may_repeat: bool,
    /// Dropped last.
    _connection: Connection,
}

impl Caller {
    fn new(broker: &dyn Broker) -> anyhow::Result<Self> {
        let mut connection = Connection::insecure_open(&broker.uri())?;
        let channel = connection.open_channel(None)?;
        let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("", exclusive)?.name().to_owned();
        Ok(Caller { channel, queue, replies: BTreeMap::new(), may_repeat: false, _connection: connection })
    }

    fn properties(&self) -> AmqpProperties {
        AmqpProperties::default()
            .with_type_("guirpc.calls".to_owned())
            .with_content_type("application/msgpack".to_owned())
            .with_correlation_id("message".to_owned())
            .with_reply_to(self.queue.clone())
            .with_app_id("raw".to_owned())
            .with_delivery_mode(1)
    }

    fn send_to(&self, exchange: &str, key: &str, calls: &[Encoded]) -> anyhow::Result<()> {
        self.send_body(exchange, key, &to_vec(calls)?)
    }

    fn send_body(&self, exchange: &str, key: &str, body: &[u8]) -> anyhow::Result<()> {
        Ok(self.channel.basic_publish(exchange, Publish::with_properties(body, key, self.properties()))?)
    }

    fn send(&self, calls: &[Encoded]) -> anyhow::Result<()> {
        self.send_to("guirpc", CALLS, calls)
    }

    /// Takes what has come in by now.
    fn take(&mut self) -> anyhow::Result<()> {
        while let Some(got) = self.channel.basic_get(&*self.queue, true)? {
            let (properties, body, at) = (got.delivery.properties, got.delivery.body, Instant::now());
            let header = |name: &str| properties.headers().as_ref().and_then(|headers| headers.get(name).cloned());
            if properties.type_().as_deref() == Some("guirpc.replies") {
                ensure!(properties.correlation_id().is_none() && header("Response-Status").is_none());
                let replies: Vec<Decoded> = from_slice(&body)?;
                let together = replies.len();
                ensure!(together > 1, "one alone comes as it always does");
                for (id, kind, status, content_type, headers, body) in replies {
                    ensure!(content_type.is_some());
                    let attempts =
                        headers.unwrap_or_default().get("guirpc-attempts").and_then(serde_json::Value::as_i64);
                    let kind = kind.context("it has a kind")?;
                    self.enter(id, Reply { kind, status, attempts, body: body.into_vec(), together, at })?;
                }
            } else {
                let number = |value| match value {
                    amiquip::AmqpValue::LongInt(number) => Some(i64::from(number)),
                    amiquip::AmqpValue::LongLongInt(number) => Some(number),
                    _ => None,
                };
                let status = header("Response-Status").and_then(number).context("it has a status")?;
                let attempts = header("guirpc-attempts").and_then(number);
                let kind = properties.type_().clone().context("it has a kind")?;
                let id = properties.correlation_id().clone().context("it has an id")?;
                self.enter(id, Reply { kind, status: u16::try_from(status)?, attempts, body, together: 1, at })?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, id: String, reply: Reply) -> anyhow::Result<()> {
        let twice = self.replies.insert(id.clone(), reply);
        ensure!(twice.is_none() || self.may_repeat, "call {id} was answered twice: {twice:?}");
        Ok(())
    }

    /// Waits for replies to all of these.
    fn wait<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        for id in ids {
            eventually(2 * LONG, || {
                self.take()?;
                Ok(self.replies.contains_key(id))
            })
            .with_context(|| format!("the reply to call {id}"))?;
        }
        Ok(())
    }

    fn wait_for_all(&mut self, calls: &[Encoded]) -> anyhow::Result<()> {
        self.wait(calls.iter().map(|call| &*call.0))
    }
}

fn nothing_waits(broker: &dyn Broker) -> anyhow::Result<()> {
    for queue in [SERVICE, CALLS, RETRY, QUARANTINE] {
        eventually(LONG, || is_empty(broker, queue)).with_context(|| format!("queue {queue}"))?;
    }
    Ok(())
}

fn all_are_answered(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    let mut all = Vec::new();
    for message in 0..20 {
        let calls = sums(message * 100, 60)?;
        caller.send(&calls)?;
        all.extend(calls);
    }
    caller.wait_for_all(&all)?;
    for (id, reply) in &caller.replies {
        ensure!(reply.output::<i64>()? == id.parse::<i64>()? + 1, "{id}: {reply:?}");
    }
    let alone = caller.replies.values().filter(|reply| reply.together == 1).count();
    ensure!(alone < all.len() / 4, "{alone} of {} replies came alone", all.len());
    nothing_waits(broker)?;
    ensure!(dead(broker)? == 0);
    // One alone is answered as ever.
    caller.send(&sums(7777, 1)?)?;
    caller.wait(["7777"])?;
    ensure!(caller.replies["7777"].together == 1);
    Ok(())
}

fn each_has_an_outcome_of_its_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_body(2000))?;
    let mut caller = Caller::new(broker)?;
    let calls = [
        call("sum", "add", &(1, 2))?,
        call("unknown", "ad", &(1, 2))?,
        call("arguments", "add", &("one", 2))?,
        call("error", "find", &["eve"])?,
        call("fault", "parse", &[""])?,
        call("headed", "headed", &["etag"])?,
        call("lane", "report", &[1])?,
        call("idempotent", "birthday", &(("ada", 36, [0_u8; 0]), 1))?,
        call("ping", "guirpc.ping", &())?,
        call("large", "zeros", &[1900])?,
        (|| {
            let (id, function, _, deadline, timeout, headers, body) = call("type", "add", &(1, 2))?;
            anyhow::Ok((id, function, Some("text/html".to_owned()), deadline, timeout, headers, body))
        })()?,
    ];
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    // Apart from the refusals, which wait for their message: to show where a panic came from may take a while.
    let panics = [call("panic", "panic", &["no"])?, call("beside", "add", &(1, 2))?];
    caller.send(&panics)?;
    caller.wait_for_all(&panics)?;
    let outcome = |id: &str| (&*caller.replies[id].kind, caller.replies[id].status);
    for (id, expected) in [
        ("sum", ("output", 200)),
        ("unknown", ("refusal", 404)),
        ("arguments", ("refusal", 400)),
        ("error", ("error", 422)),
        ("fault", ("fault", 409)),
        ("panic", ("fault", 500)),
        ("beside", ("output", 200)),
        ("headed", ("output", 200)),
        ("lane", ("output", 200)),
        ("ping", ("output", 200)),
        ("large", ("output", 200)),
        ("type", ("refusal", 415)),
    ] {
        ensure!(outcome(id) == expected, "{id}: {:?}", caller.replies[id]);
        // That it did not run is certain.
        ensure!(caller.replies[id].attempts.is_none(), "{id}: {:?}", caller.replies[id]);
    }
    nothing_waits(broker)?;
    ensure!(dead(broker)? == 0);
    Ok(())
}

fn each_has_headers_of_its_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
    let seen = |id: &str, deadline: Option<i64>, tenant: &str| {
        let (id, function, content_type, ..) = call(id, "seen", &NOTHING)?;
        // A count that a caller makes up is none.
        let headers = [("tenant", tenant), ("guirpc-attempts", "7")].map(|(name, value)| (name.into(), value.into()));
        let body = ByteBuf::from(to_vec(&NOTHING)?);
        anyhow::Ok((id, function, content_type, deadline, deadline.map(|_| 60_000), Some(headers.into()), body))
    };
    let calls = [
        seen("a", Some(now + 60_000), "first")?,
        seen("b", None, "second")?,
        seen("late", Some(now - 60_000), "third")?,
    ];
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    for (id, tenant, deadline) in [("a", "first", "true"), ("b", "second", "false")] {
        let seen: BTreeMap<String, String> = caller.replies[id].output()?;
        let expected = [("tenant", tenant), ("deadline", deadline), ("app_id", "raw"), ("redelivered", "false")];
        for (name, value) in expected {
            ensure!(seen[name] == value, "{id}: {name} is {}", seen[name]);
        }
    }
    let late = &caller.replies["late"];
    ensure!((&*late.kind, late.status, late.attempts) == ("refusal", 408, None), "{late:?}");
    Ok(())
}

fn a_slow_call_delays_no_quick_one(broker: &dyn Broker) -> anyhow::Result<()> {
    for (workers, slow_first) in [(1, false), (2, true)] {
        let server = Server::start(setup(broker).workers(workers))?;
        let mut caller = Caller::new(broker)?;
        let slow = call("slow", "sleep", &[1500])?;
        let mut calls = sums(0, 20)?;
        calls.insert(if slow_first { 0 } else { 20 }, slow);
        let begun = Instant::now();
        caller.send(&calls)?;
        caller.wait_for_all(&calls)?;
        for (id, reply) in caller.replies.iter().filter(|(id, _)| *id != "slow") {
            let took = reply.at.duration_since(begun);
            ensure!(took < Duration::from_millis(1000), "call {id} took {took:?}, with {workers} workers");
        }
        ensure!(caller.replies["slow"].is_output());
        drop(server);
        nothing_waits(broker)?;
    }
    Ok(())
}

/// It is not certain then that the call is never run, since the message is not acknowledged.
fn a_slow_call_delays_no_refusal(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    let begun = Instant::now();
    caller.send(&[call("slow", "sleep", &[3000])?, call("unknown", "ad", &(1, 2))?])?;
    caller.wait(["unknown", "slow"])?;
    let refused = &caller.replies["unknown"];
    let took = refused.at.duration_since(begun);
    ensure!(took < Duration::from_millis(2000), "it took {took:?}");
    ensure!((&*refused.kind, refused.status, refused.attempts) == ("refusal", 404, Some(1)), "{refused:?}");
    nothing_waits(broker)
}

fn slow_calls_run_on_all_workers(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(4))?;
    let mut caller = Caller::new(broker)?;
    let calls = (0..8).map(|n| call(&n.to_string(), "sleep", &[500])).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    // One after another they take 4 s, on four workers 1 s.
    ensure!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
    Ok(())
}

fn one_message_holds_up_no_other_caller(broker: &dyn Broker) -> anyhow::Result<()> {
    // Four messages at a time.
    let _server = Server::start(setup(broker).workers(1).prefetch(256))?;
    let (mut caller, mut other) = (Caller::new(broker)?, Caller::new(broker)?);
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let slow = (0..60).map(|n| call(&n.to_string(), "sleep", &[50])).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    caller.send(&slow)?;
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.unacked == 1)))?;
    other.send(&sums(0, 2)?)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    other.wait(["0", "1"])?;
    // All of the message takes 3 s.
    ensure!(begun.elapsed() < Duration::from_millis(2000), "{:?}", begun.elapsed());
    caller.take()?;
    ensure!(caller.replies.len() < 50, "{} of the message were done by then", caller.replies.len());
    caller.wait_for_all(&slow)
}

fn what_is_fetched_is_bounded(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1).prefetch(128))?;
    let mut caller = Caller::new(broker)?;
    let mut all = Vec::new();
    for message in 0..5 {
        let id = |n: i32| format!("{message}-{n}");
        let calls = (0..2).map(|n| call(&id(n), "sleep", &[300])).collect::<Result<Vec<_>, _>>()?;
        caller.send(&calls)?;
        all.extend(calls);
    }
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.messages == 5 && queue.unacked > 0)))?;
    let queue = broker.queue(CALLS)?.context("it is there")?;
    ensure!(queue.unacked <= 2, "{} messages were fetched, of which 128 calls are 2", queue.unacked);
    caller.wait_for_all(&all)?;
    nothing_waits(broker)
}

fn what_is_no_list_of_calls_is_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_body(5000))?;
    let many = vec![call("1", "count", &["never"])?; 1025];
    let nested = call("1", "guirpc.calls", &())?;
    let unreadable = to_vec(&(call("1", "count", &["never"])?, "no call"))?;
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"\xc1".to_vec(), 400),
        (vec![0x90], 400),
        (unreadable, 400),
        (to_vec(&[nested])?, 400),
        (to_vec(&many)?, 413),
    ] {
        let mut caller = Caller::new(broker)?;
        caller.send_body("guirpc", CALLS, &body)?;
        caller.wait(["message"])?;
        let refused = &caller.replies["message"];
        ensure!((&*refused.kind, refused.status, refused.attempts) == ("refusal", status, None), "{refused:?}");
    }
    nothing_waits(broker)?;
    let client = client(broker)?;
    ensure!(counted::call(&client, "never")? == 0 && dead(broker)? == 0);
    Ok(())
}

fn an_early_function_runs_at_most_once(broker: &dyn Broker) -> anyhow::Result<()> {
    // A new message: it is answered as any, and so are the others.
    let server = Server::start(setup(broker))?;
    let client = client(broker)?;
    let mut caller = Caller::new(broker)?;
    let calls = [call("early", "count_early", &["a"])?, call("late", "count", &["b"])?];
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    ensure!(caller.replies["early"].output::<u32>()? == 1 && caller.replies["late"].output::<u32>()? == 1);
    nothing_waits(broker)?;
    drop(server);
    // One that was delivered before, to a server that has gone: what runs at most once may have run.
    let mut caller = Caller::new(broker)?;
    caller.send(&calls)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let mut got = None;
    eventually(LONG, || {
        got = channel.basic_get(CALLS, false)?;
        Ok(got.is_some())
    })?;
    got.context("it is there")?.nack(&channel, true)?;
    connection.close()?;
    let _server = Server::start(setup(broker))?;
    caller.wait_for_all(&calls)?;
    let early = &caller.replies["early"];
    ensure!((&*early.kind, early.status, early.attempts) == ("refusal", 409, Some(1)), "{early:?}");
    ensure!(caller.replies["late"].output::<u32>()? == 1);
    ensure!(counted::call(&client, "a")? == 0 && counted::call(&client, "b")? == 1);
    nothing_waits(broker)
}

fn an_early_function_beside_poison(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = |name: &str| folder.path().join(name).to_str().map(str::to_owned).context("a plain name");
    drop(Server::start(setup(broker))?);
    let mut caller = Caller::new(broker)?;
    caller.may_repeat = true;
    let mut calls = vec![call("poison", "abort", &[file("runs")?])?];
    for n in 0..10 {
        calls.push(call(&format!("early {n}"), "log_early", &(file("early")?, n.to_string()))?);
        calls.push(call(&format!("late {n}"), "log", &(file("late")?, n.to_string(), 0))?);
    }
    caller.send(&calls)?;
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "3"], || {
        let queues = [SERVICE, CALLS, RETRY, QUARANTINE];
        Ok(dead(broker)? > 0 && queues.iter().all(|queue| is_empty(broker, queue).unwrap_or(false)))
    })?;
    caller.wait_for_all(&calls)?;
    let read = |name: &str| anyhow::Ok(fs::read_to_string(file(name)?).unwrap_or_default());
    let (early, late) = (read("early")?, read("late")?);
    for n in 0..10 {
        let times = |text: &str| text.lines().filter(|line| *line == n.to_string()).count();
        ensure!(times(&early) <= 1, "an early one was run {} times", times(&early));
        ensure!(times(&late) >= 1, "call {n} was not run");
        // Its caller knows: it ran, or may have.
        let reply = &caller.replies[&format!("early {n}")];
        ensure!(reply.is_output() || (reply.status == 409 && reply.attempts.is_some()), "{reply:?}");
    }
    Ok(())
}

/// As it does when its caller has lost the connection.
fn a_call_that_comes_twice_runs_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    caller.may_repeat = true;
    let twice = call("twice", "steady", &("steady", 50))?;
    for _ in 0..2 {
        caller.send(&[twice.clone(), twice.clone(), call("other", "add", &(1, 2))?])?;
    }
    caller.wait(["twice", "other"])?;
    nothing_waits(broker)?;
    ensure!(caller.replies["twice"].output::<String>()? == "twice");
    let client = client(broker)?;
    ensure!(counted::call(&client, "steady")? == 1);
    Ok(())
}

fn a_poisonous_call_condemns_no_other(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (runs, done) = (folder.path().join("runs"), folder.path().join("done"));
    let (runs_path, done_path) = (runs.to_str().context("a name")?, done.to_str().context("a name")?);
    drop(Server::start(setup(broker))?);
    let mut caller = Caller::new(broker)?;
    let mut calls =
        (0..20).map(|n| call(&n.to_string(), "log", &(done_path, n.to_string(), 20))).collect::<Result<Vec<_>, _>>()?;
    calls.insert(3, call("poison", "abort", &[runs_path])?);
    caller.send(&calls)?;
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "4"], || {
        let queues = [SERVICE, CALLS, RETRY, QUARANTINE];
        Ok(dead(broker)? > 0 && queues.iter().all(|queue| is_empty(broker, queue).unwrap_or(false)))
    })?;
    ensure!(lines(&runs) == 4, "the poison was run {} times", lines(&runs));
    ensure!(dead(broker)? == 1, "{} are dead in {DEAD}", dead(broker)?);
    ensure!(letter(broker)?.properties.type_().as_deref() == Some("abort"));
    let text = fs::read_to_string(&done)?;
    for n in 0..20 {
        ensure!(text.lines().any(|line| line == n.to_string()), "call {n} is not done");
    }
    // Those that ran beside it may be answered twice, by a process that ends and by the next one.
    caller.may_repeat = true;
    caller.wait_for_all(&calls)?;
    ensure!((&*caller.replies["poison"].kind, caller.replies["poison"].status) == ("fault", 500));
    Ok(())
}

fn a_shutdown_returns_what_has_not_begun(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).workers(1).prefetch(128))?;
    let mut caller = Caller::new(broker)?;
    let mut calls = vec![call("slow", "sleep", &[1000])?];
    for n in 0..5 {
        calls.push(call(&n.to_string(), "seen", &NOTHING)?);
    }
    caller.send(&calls)?;
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.unacked == 1)))?;
    // One more, that is fetched and not looked at.
    caller.send(&[call("5", "seen", &NOTHING)?, call("6", "seen", &NOTHING)?])?;
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.unacked == 2)))?;
    thread::sleep(Duration::from_millis(100));
    server.shutdown_handle().shutdown();
    let report = server.wait();
    ensure!((report.requeued, report.abandoned) == (7, 0), "{report:?}");
    ensure!(is_empty(broker, CALLS)? && is_empty(broker, RETRY)?);
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 7));
    caller.wait(["slow"])?;
    let _server = Server::start(setup(broker))?;
    caller.wait_for_all(&calls)?;
    caller.wait(["5", "6"])?;
    for n in 0..7 {
        let seen: BTreeMap<String, String> = caller.replies[&n.to_string()].output()?;
        ensure!(seen["redelivered"] == "false" && seen["app_id"] == "raw", "{seen:?}");
    }
    nothing_waits(broker)
}

fn what_was_answered_is_not_run_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(2))?;
    let client = client(broker)?;
    let mut caller = Caller::new(broker)?;
    let mut calls = vec![call("slow", "count_slowly", &("slow", 2000))?];
    for n in 0..20 {
        calls.push(call(&n.to_string(), "count", &[format!("quick {n}")])?);
    }
    caller.send(&calls)?;
    let quick: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    caller.wait(quick.iter().map(|id| &**id))?;
    ensure!(broker.close_channels(CALLS)? == 1);
    // The message is delivered again; what was answered is answered once more, and what runs is waited for.
    let first = std::mem::take(&mut caller.replies);
    ensure!(!first.contains_key("slow"), "it was quicker than the broker");
    caller.may_repeat = true;
    caller.wait_for_all(&calls)?;
    nothing_waits(broker)?;
    for n in 0..20 {
        let count = counted::call(&client, &format!("quick {n}"))?;
        ensure!(count == 1, "call {n} was run {count} times");
    }
    ensure!(counted::call(&client, "slow")? == 1);
    Ok(())
}

/// Where every server gets everything there is no queue for them: they come as any request does.
fn any_queue_takes_them(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).exchange("everywhere").exchange_type(ExchangeType::Fanout))?;
    let mut caller = Caller::new(broker)?;
    let calls = sums(0, 20)?;
    caller.send_to("everywhere", "", &calls)?;
    caller.wait_for_all(&calls)?;
    for (id, reply) in &caller.replies {
        ensure!(reply.output::<i64>()? == id.parse::<i64>()? + 1, "{id}: {reply:?}");
    }
    ensure!(broker.queue(CALLS)?.is_none());
    eventually(LONG, || is_empty(broker, SERVICE))
}

fn there_is_no_queue_for_them_elsewhere(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(Server::start(setup(broker).durable(false))?);
    ensure!(broker.queue(CALLS)?.is_none(), "beside a queue that does not last");
    drop(Server::start(setup(broker).queue("other").routing_key("key").exchange("direct"))?);
    ensure!(broker.queue("other.calls")?.is_some());
    let _server = Server::start(setup(broker).queue("other").routing_key("key").exchange("direct"))?;
    let mut caller = Caller::new(broker)?;
    let calls = sums(0, 2)?;
    caller.send_to("direct", "key.calls", &calls)?;
    caller.wait_for_all(&calls)?;
    let client = client(broker)?.with_exchange("direct").with_service("key");
    ensure!(seen::call(&client)?["redelivered"] == "false");
    Ok(())
}
