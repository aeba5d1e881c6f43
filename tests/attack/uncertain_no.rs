//! A caller that is told "no" is told the truth: what may have been run before is not certainly not run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use amiquip::{AmqpProperties, AmqpValue, Channel, Connection, FieldTable, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::{CallError, Server, Setup};
use harness::{Broker, Case, RabbitMq, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::workload::{log, log_early};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared(
            "uncertain_no::a_refusal_says_what_was_delivered_before",
            a_refusal_says_what_was_delivered_before,
        ),
        Case::shared(
            "uncertain_no::a_refusal_is_told_when_nobody_can_run_it",
            a_refusal_is_told_when_nobody_can_run_it,
        ),
        Case::shared("uncertain_no::another_clock_hides_no_run", another_clock_hides_no_run),
        Case::shared("uncertain_no::a_forged_count_reads_no_reply", a_forged_count_reads_no_reply),
        Case::rabbitmq_exclusive("uncertain_no::a_queue_that_fails_hides_no_run", a_queue_that_fails_hides_no_run),
    ]
}

/// For calls whose requests are lost.
const SHORT: Duration = Duration::from_secs(5);

/// Has a request delivered to a server that ends before it has answered.
fn deliver_before(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    eventually(LONG, || Ok(channel.basic_get(SERVICE, false)?.is_some()))?;
    Ok(channel.close()?)
}

/// What is told to the caller of a request, and whether it was delivered before.
fn refused(
    broker: &dyn Broker,
    setup: Setup,
    (function, arguments): (&str, &Value),
    before: bool,
) -> anyhow::Result<CallError<Value>> {
    let client = client(broker)?;
    thread::scope(|scope| {
        let call = scope.spawn(|| client.call_json(SERVICE, function, arguments.clone()));
        eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 1)))?;
        if before {
            deliver_before(broker)?;
        }
        let _server = Server::start(setup)?;
        let called = call.join().map_err(|_| anyhow::anyhow!("it panicked"))?;
        called.err().context("it was not refused")
    })
}

/// By a server that has not the function, takes less, or cannot read what the one before could.
fn a_refusal_says_what_was_delivered_before(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(Server::start(setup(broker))?);
    let long = json!({ "message": "x".repeat(2000) });
    let requests = [(404, "removed", json!({})), (413, "panic", long), (400, "add", json!({ "a": "one", "b": 2 }))];
    for (status, function, arguments) in requests {
        for before in [false, true] {
            let error = refused(broker, setup(broker).max_body(1000), (function, &arguments), before)?;
            let CallError::Refused(refusal) = &error else { anyhow::bail!("{error:?}") };
            ensure!(refusal.status() == status, "{error:?}");
            ensure!((error.may_have_run(), refusal.may_have_run()) == (before, before), "{before}: {error:?}");
            ensure!(!error.is_retryable() && error.to_string().contains("may have run") == before, "{error}");
        }
    }
    Ok(())
}

/// Were it told before the request is acknowledged, a server that has the function could still run it.
fn a_refusal_is_told_when_nobody_can_run_it(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    for n in 0..50 {
        let error = client.call_json(SERVICE, "removed", json!({})).err().context("it was not refused")?;
        // RabbitMQ counts what a queue holds before what has come in at it, but gives nothing before that.
        ensure!(channel.basic_get(SERVICE, true)?.is_none(), "call {n}: anybody can run it");
        let queue = broker.queue(SERVICE)?.context("it is declared")?;
        ensure!(!error.may_have_run() && queue.messages == 0, "call {n}: {error:?}, and there is {queue:?}");
    }
    Ok(())
}

/// A queue for replies.
fn replies(connection: &mut Connection, name: &str) -> anyhow::Result<Channel> {
    let channel = connection.open_channel(None)?;
    channel.queue_declare(name, QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() })?;
    Ok(channel)
}

fn reply(channel: &Channel, queue: &str) -> anyhow::Result<(AmqpProperties, Value)> {
    let mut reply = None;
    eventually(LONG, || {
        reply = channel.basic_get(queue, true)?;
        Ok(reply.is_some())
    })?;
    let delivery = reply.context("it is there")?.delivery;
    Ok((delivery.properties, serde_json::from_slice(&delivery.body)?))
}

/// A server whose clock is ahead finds a request expired that may be running elsewhere.
fn another_clock_hides_no_run(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(Server::start(setup(broker))?);
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = replies(&mut connection, "expired")?;
    for before in [false, true] {
        let headers = FieldTable::from([("guirpc-deadline".to_owned(), AmqpValue::LongLongInt(1))]);
        let properties = AmqpProperties::default()
            .with_type_("add".to_owned())
            .with_content_type("application/json".to_owned())
            .with_reply_to("expired".to_owned())
            .with_headers(headers);
        channel.basic_publish("", Publish::with_properties(b"[1, 2]", SERVICE, properties))?;
        if before {
            deliver_before(broker)?;
        }
        let _server = Server::start(setup(broker))?;
        let (properties, _) = reply(&channel, "expired")?;
        let headers = properties.headers().as_ref().context("a reply has headers")?;
        ensure!(headers.get("Response-Status") == Some(&AmqpValue::LongInt(408)), "{headers:?}");
        ensure!(properties.type_().as_deref() == Some("refusal"));
        let expected = before.then_some(AmqpValue::LongLongInt(1));
        ensure!(headers.get("guirpc-attempts") == expected.as_ref(), "{headers:?}");
    }
    Ok(())
}

/// Whoever repeats a request of somebody else's and says that it was delivered before is not given that one's answer.
fn a_forged_count_reads_no_reply(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, _client) = serve(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let (own, strangers) = (replies(&mut connection, "own")?, replies(&mut connection, "strangers")?);
    let request = |reply_to: &str, count: Option<i64>| {
        let count = count.map(|count| ("guirpc-attempts".to_owned(), AmqpValue::LongLongInt(count)));
        AmqpProperties::default()
            .with_type_("count".to_owned())
            .with_content_type("application/json".to_owned())
            .with_correlation_id("guessed".to_owned())
            .with_reply_to(reply_to.to_owned())
            .with_headers(count.into_iter().collect())
    };
    own.basic_publish("", Publish::with_properties(br#"["secret"]"#, SERVICE, request("own", None)))?;
    ensure!(reply(&own, "own")?.1 == json!(1));
    strangers.basic_publish("", Publish::with_properties(br#"["secret"]"#, SERVICE, request("strangers", Some(1))))?;
    ensure!(reply(&strangers, "strangers")?.1 == json!(2), "it is another's reply");
    Ok(())
}

/// A queue whose process dies lets go of what it has delivered, and the broker says no more than that it was not taken.
fn a_queue_that_fails_hides_no_run(broker: &mut RabbitMq) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let ran = folder.path().join("ran").to_str().context("a plain name")?.to_owned();
    let server = Server::start(setup(broker))?;
    let is_over = AtomicBool::new(false);
    let not_run = thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let (client, ran, is_over) = (client(broker)?.with_timeout(SHORT), &ran, &is_over);
                Ok(scope.spawn(move || {
                    let names = (0..).map(|n| format!("{sender}-{n}")).take_while(|_| !is_over.load(Ordering::SeqCst));
                    let not_run = names.filter(|name| {
                        let sent = if sender % 2 == 0 {
                            log::send(&client, ran, name, 0).map_err(|error| error.may_have_run())
                        } else {
                            log_early::call(&client, ran, name).map_err(|error| error.may_have_run())
                        };
                        sent == Err(false)
                    });
                    not_run.collect::<Vec<_>>()
                }))
            })
            .collect::<anyhow::Result<_>>()?;
        // RabbitMQ gives a queue up that dies more often.
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(700));
            broker.fail_queue(SERVICE)?;
        }
        is_over.store(true, Ordering::SeqCst);
        let not_run = senders.into_iter().map(|sender| sender.join().map_err(|_| anyhow::anyhow!("it panicked")));
        Ok::<_, anyhow::Error>(not_run.collect::<anyhow::Result<Vec<_>>>()?.concat())
    })?;
    // What RabbitMQ was delivering when its queue failed it may take for unacknowledged, although the server has had and has
    // nothing of it: until the channel is closed.
    drop(server);
    let _server = Server::start(setup(broker))?;
    let mut queue = None;
    let settled = eventually(3 * LONG, || {
        queue = broker.queue(SERVICE)?;
        Ok(queue.is_some_and(|queue| queue.messages == 0))
    });
    settled.with_context(|| format!("its queue is not empty: {queue:?}"))?;
    let ran = std::fs::read_to_string(&ran)?;
    let false_noes: Vec<_> = ran.lines().filter(|name| not_run.iter().any(|not_run| not_run == name)).collect();
    ensure!(false_noes.is_empty(), "of {} that certainly did not run, these did: {false_noes:?}", not_run.len());
    ensure!(ran.lines().count() > 100, "hardly anything ran: {}", ran.lines().count());
    Ok(())
}
