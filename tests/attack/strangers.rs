//! Strangers who may publish: they forge replies and addresses, and send what fails; others are answered as ever.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use amiquip::{AmqpProperties, AmqpValue, Channel, Confirm, Connection, FieldTable, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use guirpc::Client;
use harness::{Broker, Case, eventually};

use crate::service::{LONG, SERVICE, client, program, serve};
use crate::workload::{add, sleep};

const FORGED_ADDRESSES: u64 = 4_000;
/// One for each of these would take them far longer than this.
const SOON: Duration = Duration::from_secs(10);
/// As many trials as there are tokens, and what comes of them while the test runs.
const MOST_TRIALS: usize = 40;
const SENDS: usize = 10_000;
/// Fifty a second, for as long as it may take.
const MOST_TOLD: usize = SENDS / 4;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("strangers::a_reply_is_taken_from_who_was_asked", a_reply_is_taken_from_who_was_asked),
        Case::shared("strangers::forged_reply_addresses_keep_nobody_waiting", forged_reply_addresses),
        Case::shared("strangers::bad_sends_keep_nobody_waiting", bad_sends),
    ]
}

/// Ids that somebody could think of who has seen one: those that count on, with whatever stands around the number.
fn guesses(seen: &str) -> Vec<String> {
    let mut guesses = vec![seen.to_owned()];
    let digits = seen.len() - seen.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (prefix, number) = seen.split_at(seen.len() - digits);
    if let Ok(number) = number.parse::<u64>() {
        guesses.extend((number + 1..number + 50).map(|number| format!("{prefix}{number}")));
    }
    if let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(seen) {
        for at in 0..bytes.len() {
            guesses.extend((1..50).map(|step| {
                let mut bytes = bytes.clone();
                bytes[at] = bytes[at].wrapping_add(step);
                BASE64_URL_SAFE_NO_PAD.encode(bytes)
            }));
        }
    }
    guesses
}

/// An output of 666, as a service would send it.
fn forged(id: String) -> AmqpProperties {
    let headers = FieldTable::from([("Response-Status".to_owned(), AmqpValue::LongInt(200))]);
    AmqpProperties::default()
        .with_type_("output".to_owned())
        .with_content_type("application/json".to_owned())
        .with_correlation_id(id)
        .with_headers(headers)
}

/// A service that was called once knows where its caller is answered, and not what the next call is named.
fn a_reply_is_taken_from_who_was_asked(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare("evil", QueueDeclareOptions::default())?;
    channel.queue_bind("evil", "guirpc", "evil", FieldTable::new())?;
    let to_evil = sleep::start(&client.with_service("evil"), 1)?;
    let mut request = None;
    eventually(LONG, || {
        request = channel.basic_get("evil", true)?;
        Ok(request.is_some())
    })?;
    let properties = request.context("it was sent")?.delivery.properties;
    let address = properties.reply_to().clone().context("it wants a reply")?;
    let guesses = guesses(&properties.correlation_id().clone().context("it has an id")?);
    drop(to_evil);
    let honest = sleep::start(&client, 700)?;
    // While the honest one is asked.
    for guess in &guesses {
        channel.basic_publish("", Publish::with_properties(b"666", &address, forged(guess.clone())))?;
    }
    eventually(LONG, || Ok(client.late_replies() >= u64::try_from(guesses.len())?)).context("they have come")?;
    ensure!(honest.wait()? == 700, "a forged reply was taken");
    Ok(())
}

/// A direct reply address on a node that there is not.
fn address(node: u64) -> String {
    let node = format!("reply@{}", 1_000_000 + node);
    let length = u16::try_from(node.len()).expect("it is short").to_be_bytes();
    let process = [&[131, 88, 118], &length[..], node.as_bytes(), &[0; 12]].concat();
    format!("amq.rabbitmq.reply-to.{}.qm0kL6BLUl3pPhMUvDeHqw==", BASE64_STANDARD.encode(process))
}

/// Publishes, and waits until the broker has all of them.
fn publish(channel: &Channel, properties: impl Iterator<Item = AmqpProperties>, body: &[u8]) -> anyhow::Result<()> {
    let confirms = channel.listen_for_publisher_confirms()?;
    channel.enable_publisher_confirms()?;
    let mut count = 0_u64;
    for properties in properties {
        channel.basic_publish("", Publish::with_properties(body, SERVICE, properties))?;
        count += 1;
    }
    let mut confirmed = 0;
    while confirmed < count {
        match confirms.recv()? {
            Confirm::Ack(ack) if ack.multiple => confirmed = confirmed.max(ack.delivery_tag),
            Confirm::Ack(_) => confirmed += 1,
            Confirm::Nack(_) => anyhow::bail!("it was not taken"),
        }
    }
    Ok(())
}

fn request(function: &str) -> AmqpProperties {
    AmqpProperties::default().with_type_(function.to_owned()).with_content_type("application/json".to_owned())
}

/// Each names another node of the broker, of which it has to be tried whether there is one; real callers wait for none.
fn forged_reply_addresses(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = program(&broker.uri(), &["--workers", "2"])?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let requests = (0..FORGED_ADDRESSES).map(|node| request("add").with_reply_to(address(node)));
    publish(&channel, requests, b"[1,2]")?;
    // Nobody has called before, so that nothing is known of the caller's node from earlier.
    let begun = Instant::now();
    let client = Client::connect(broker.uri())?.with_timeout(SOON);
    for n in 0..100 {
        ensure!(add::call(&client, n, 1).with_context(|| format!("after {:?}", begun.elapsed()))? == n + 1);
    }
    println!("first answers after {:?}", begun.elapsed());
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)))?;
    let trials =
        server.stderr().iter().filter(|line| line.contains("names a node that the broker does not know")).count();
    ensure!(trials <= MOST_TRIALS, "{trials} connections for strangers");
    Ok(())
}

/// Each becomes a dead letter, and the next one does not wait until the broker has it; nor does anybody else.
fn bad_sends(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = program(&broker.uri(), &["--workers", "2"])?;
    let client = client(broker)?.with_timeout(4 * LONG);
    latencies(&client, |count| count < 500)?;
    let (good, _) = while_sending(broker, &client, "nothing")?;
    let (bad, took) = while_sending(broker, &client, "no_such")?;
    println!(
        "{SENDS} sends: callers wait {good:?} at most beside good ones, {bad:?} beside bad ones, over in {took:?}"
    );
    eventually(LONG, || {
        let letters = broker.queue(&format!("{SERVICE}.dead"))?;
        Ok(letters.is_some_and(|queue| queue.messages == SENDS))
    })?;
    server.wait_for_log("which are not told of one by one", LONG)?;
    let told = server.stderr().iter().filter(|line| line.contains("now a dead letter")).count();
    ensure!((1..MOST_TOLD).contains(&told), "{told} of {SENDS} letters are told of one by one");
    Ok(())
}

/// The longest that a caller waits while a stranger sends as much as the broker takes, and how long that was.
fn while_sending(broker: &dyn Broker, client: &Client, function: &str) -> anyhow::Result<(Duration, Duration)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stranger = scope.spawn(|| {
            let begun = Instant::now();
            let sent =
                Connection::insecure_open(&broker.uri()).map_err(anyhow::Error::from).and_then(|mut connection| {
                    let channel = connection.open_channel(None)?;
                    publish(&channel, (0..SENDS).map(|_| request(function).with_delivery_mode(2)), b"[]")
                });
            // One more, which waits for all of them.
            let last = sent.and_then(|()| Ok(add::call(client, 1, 2)?));
            stop.store(true, Ordering::Relaxed);
            last.map(|_| begun.elapsed())
        });
        let waits = latencies(client, |_| !stop.load(Ordering::Relaxed));
        let took = stranger.join().expect("it does not panic")?;
        Ok((waits?.pop().context("somebody called")?, took))
    })
}

fn latencies(client: &Client, goes_on: impl Fn(usize) -> bool) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while goes_on(latencies.len()) {
        let begun = Instant::now();
        ensure!(add::call(client, 1, 2)? == 3);
        latencies.push(begun.elapsed());
    }
    latencies.sort_unstable();
    Ok(latencies)
}
