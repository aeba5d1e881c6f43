//! What a hostile or careless caller sends can disturb nobody else, and a lost connection comes back.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use amiquip::{AmqpProperties, AmqpValue, Connection, FieldTable, Publish};
use anyhow::ensure;
use guirpc::{CallError, Pending, Server};
use harness::{Broker, Case, eventually};

use crate::raw::{Publisher, long, short};
use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::workload::{add, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("connections::bad_messages_disturb_nobody", bad_messages_disturb_nobody),
        Case::shared("connections::properties_of_any_bytes_disturb_nobody", properties_of_any_bytes_disturb_nobody),
        Case::shared("connections::a_closed_connection_comes_back", a_closed_connection_comes_back),
        Case::shared(
            "connections::a_delivery_is_settled_on_its_own_connection_only",
            a_delivery_is_settled_on_its_own_connection_only,
        ),
        Case::shared(
            "connections::a_long_function_does_not_keep_the_lead_through_a_reconnect",
            a_long_function_does_not_keep_the_lead_through_a_reconnect,
        ),
        Case::shared("connections::a_deleted_queue_comes_back", a_deleted_queue_comes_back),
        Case::shared("connections::a_closed_channel_comes_back", a_closed_channel_comes_back),
        Case::shared("connections::both_sides_say_goodbye", both_sides_say_goodbye),
        Case::shared("connections::pending_calls_fail_with_their_connection", pending_calls_fail_with_their_connection),
    ]
}

fn bad_messages_disturb_nobody(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let add = || AmqpProperties::default().with_type_("add".to_owned());
    let deep = [vec![0x91; 100_000], vec![0]].concat();
    let mut odd = FieldTable::new();
    odd.insert("guirpc-deadline".to_owned(), AmqpValue::LongString("soon".to_owned()));
    for (properties, body) in [
        (AmqpProperties::default(), &b""[..]),
        (add().with_reply_to("amq.broker.reply-to.nonsense".to_owned()), b"\x92\x01\x02"),
        (add().with_reply_to("amq.broker.reply-to.".to_owned()), b"\x92\x01\x02"),
        (add().with_reply_to("no-such-queue".to_owned()), b"\x92\x01\x02"),
        (add().with_content_type("application/x-python-pickle".to_owned()), b"\x80\x04."),
        (add(), &deep),
        (add().with_headers(odd), b"\xc1"),
    ] {
        channel.basic_publish("", Publish::with_properties(body, SERVICE, properties))?;
    }
    for n in 0..100 {
        ensure!(add::call(&client, n, 1)? == n + 1);
    }
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)))?;
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 1));
    Ok(())
}

/// The broker takes each of these, and hands it on as it is.
fn properties_of_any_bytes_disturb_nobody(broker: &dyn Broker) -> anyhow::Result<()> {
    const HEADERS: u16 = 1 << 13;
    const MESSAGE_ID: u16 = 1 << 7;
    const TIMESTAMP: u16 = 1 << 6;
    const TYPE: u16 = 1 << 5;
    let queue = SERVICE.as_bytes();
    let not_utf8 = || short(b"\xff");
    let text = |text: &[u8]| [b"S", &long(text)[..]].concat();
    let array = |fields: &[u8]| [b"A", &long(fields)[..]].concat();
    let table = |name, field: Vec<u8>| long(&[short(name), field].concat());
    let arrays = (0..3000).fold(vec![], |inner: Vec<u8>, _| array(&inner));
    let tables = (0..3000).fold(vec![b'V'], |inner, _| [b"F", &table(b"", inner)[..]].concat());

    let (_server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let mut publisher = Publisher::connect(&broker.uri())?;
    for (routing_key, flags, properties) in [
        (queue, TYPE, not_utf8()),
        // Unmended, the parser takes the timestamp for the identifier, and has no end of the type.
        (queue, MESSAGE_ID | TIMESTAMP | TYPE, [not_utf8(), vec![0xff; 8], short(b"add")].concat()),
        (queue, HEADERS, table(b"\xff", text(b"\xff"))),
        (queue, HEADERS, table(b"nested", arrays)),
        (queue, HEADERS, table(b"nested", tables)),
        // Routed by its header, under a key of the caller's choice.
        (b"\xff", HEADERS, table(b"CC", array(&text(queue)))),
    ] {
        publisher.publish(routing_key, flags, &properties, b"\x92\x01\x02")?;
    }
    publisher.close()?;
    for n in 0..100 {
        ensure!(add::call(&client, n, 1)? == n + 1);
    }
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)))?;
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 1));
    Ok(())
}

fn a_closed_connection_comes_back(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for round in 0..3 {
        ensure!(add::call(&client, round, 1)? == round + 1);
        broker.close_all_connections("a test")?;
        // The caller may meet the old connection in its last moments; not for longer.
        eventually(LONG, || Ok(add::call(&client, round, 1).is_ok()))?;
    }
    Ok(())
}

/// The leader is in a function of the old session when the new one begins.
fn a_long_function_does_not_keep_the_lead_through_a_reconnect(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(32).drain(Duration::ZERO))?;
    let client = client(broker)?;
    for _ in 0..5 {
        let _long = sleep::start(&client, 60_000)?;
        broker.close_all_connections("a test")?;
        eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))?;
    }
    Ok(())
}

/// What was taken on a connection that is gone is delivered again; acknowledging it on the new one would close that.
fn a_delivery_is_settled_on_its_own_connection_only(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let _running = sleep::start(&client, 4000)?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 1)))?;
    broker.close_all_connections("a test")?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 1)))?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)))?;
    for n in 0..100 {
        ensure!(add::call(&client, n, 1)? == n + 1);
    }
    Ok(())
}

fn a_deleted_queue_comes_back(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    broker.delete_queue(SERVICE)?;
    eventually(LONG, || match add::call(&client, 1, 2) {
        Ok(sum) => Ok(sum == 3),
        Err(CallError::Unroutable { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    })
}

fn a_closed_channel_comes_back(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for _ in 0..3 {
        ensure!(add::call(&client, 1, 2)? == 3);
        ensure!(broker.close_channels(SERVICE)? == 1);
        eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 1)))?;
    }
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

/// Each at the moment at which the other does, as when everything is shut down; amiquip's thread once panicked at that.
fn both_sides_say_goodbye(broker: &dyn Broker) -> anyhow::Result<()> {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    static COUNTED: Once = Once::new();
    COUNTED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let of_amiquip = panic.location().is_some_and(|location| location.file().contains("amiquip"));
            PANICS.fetch_add(of_amiquip.into(), Ordering::Relaxed);
            before(panic);
        }));
    });
    for _ in 0..20 {
        let clients = (0..10).map(|_| client(broker)).collect::<anyhow::Result<Vec<_>>>()?;
        thread::scope(|scope| {
            for client in clients {
                scope.spawn(|| drop(client));
            }
            broker.close_all_connections("a test")
        })?;
    }
    ensure!(PANICS.load(Ordering::Relaxed) == 0, "amiquip has panicked {PANICS:?} times");
    Ok(())
}

fn pending_calls_fail_with_their_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let client = client.without_coalescing();
    let client = client.without_coalescing();
    let calls: Vec<Pending<u64>> = (0..10).map(|_| sleep::start(&client, 5_000)).collect::<Result<_, _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 10)))?;
    broker.close_all_connections("a test")?;
    for call in calls {
        let error = match call.wait_timeout(Duration::from_secs(4)) {
            Ok(outcome) => outcome.unwrap_err(),
            Err(_) => anyhow::bail!("it still waits"),
        };
        ensure!(matches!(error, CallError::Disconnected { sent: true, .. }), "{error:?}");
        ensure!(error.may_have_run() && !error.is_retryable());
    }
    Ok(())
}
