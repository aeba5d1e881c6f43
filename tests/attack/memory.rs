//! What a stranger sends takes no more memory and no deeper a stack than its size allows for.

use std::fs;
use std::time::Duration;

use amiquip::{AmqpProperties, Channel, Connection, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use guirpc::dead_letters::Selection;
use guirpc::{CallError, Client, ClientConfig, DeadLetters};
use harness::{Broker, Case, Program, eventually};

use crate::service::{LONG, SERVICE, client, program};
use crate::workload::{add, zeros};

/// Large bodies, and what a server takes that is to refuse them.
const LARGE: usize = 12 << 20;
const COUNT: usize = 30;
const MAX_BODY: &str = "1048576";
/// What a server may ever have had in memory, in KiB: a few bodies on their way, where all are 360 MiB; and a few lists of
/// as many values as there may be, where one of as many as there are bytes is a gigabyte.
const MOST_WITHOUT_BODIES_KIB: u64 = 100 << 10;
const MOST_WITH_VALUES_KIB: u64 = 600 << 10;
const REPLIES: &str = "memory.replies";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("memory::what_is_too_large_is_dropped_as_it_comes_in", what_is_too_large_is_dropped),
        Case::shared("memory::a_reply_that_is_too_large_costs_its_call_only", a_reply_that_is_too_large),
        Case::shared("memory::many_small_values_take_little_memory", many_small_values),
        Case::shared("memory::a_type_of_itself_is_refused_and_not_read_for_ever", a_type_of_itself),
    ]
}

/// The most that a program has had in memory, in KiB.
fn peak(program: &Program) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("it has memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn send(channel: &Channel, function: &str, content_type: &str, body: &[u8], id: Option<&str>) -> anyhow::Result<()> {
    let mut properties =
        AmqpProperties::default().with_type_(function.to_owned()).with_content_type(content_type.to_owned());
    if let Some(id) = id {
        properties = properties.with_reply_to(REPLIES.to_owned()).with_correlation_id(id.to_owned());
    }
    channel.basic_publish("", Publish::with_properties(body, SERVICE, properties))?;
    Ok(())
}

/// The statuses of the replies by now.
fn statuses(channel: &Channel) -> anyhow::Result<Vec<String>> {
    let mut statuses = Vec::new();
    while let Some(got) = channel.basic_get(REPLIES, true)? {
        let headers = got.delivery.properties.headers().clone().unwrap_or_default();
        statuses.push(format!("{:?}", headers.get("Response-Status").context("a reply has a status")?));
    }
    Ok(statuses)
}

fn what_is_too_large_is_dropped(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = program(&broker.uri(), &["--workers", "4", "--max-body", MAX_BODY])?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare(REPLIES, QueueDeclareOptions::default())?;
    let body = vec![0x90; LARGE];
    for number in 0..COUNT {
        let id = number.to_string();
        // Every other one is a call.
        send(&channel, "add", "application/msgpack", &body, Some(id.as_str()).filter(|_| number % 2 == 0))?;
        ensure!(add::call(&client, 1, 2)? == 3, "others are answered meanwhile");
    }
    let mut replies = Vec::new();
    eventually(LONG, || {
        replies.extend(statuses(&channel)?);
        Ok(replies.len() == COUNT / 2)
    })?;
    ensure!(replies.iter().all(|status| status.contains("413")), "{replies:?}");
    let letters = DeadLetters::connect(&broker.uri(), SERVICE)?.timeout(LONG);
    eventually(LONG, || Ok(letters.list(&Selection::all())?.letters.len() == COUNT / 2))?;
    let letter = letters.first(&Selection::all())?.context("it is there")?;
    ensure!(letter.is_dropped() && letter.size() == LARGE as u64 && letter.status() == Some(413), "{letter:?}");
    ensure!(letter.body() == Some(&[]) && letter.arguments().is_err(), "{letter:?}");
    // Without its arguments it would be another request.
    let outcome = letters.requeue(&Selection::all())?;
    ensure!(outcome.done == 0 && outcome.kept_count == COUNT / 2, "{outcome:?}");
    ensure!(outcome.kept[0].reason.contains("too large for the server"), "{outcome:?}");
    let peak = peak(&server)?;
    ensure!(peak < MOST_WITHOUT_BODIES_KIB, "the server has had {peak} KiB in memory");
    Ok(())
}

fn a_reply_that_is_too_large(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = program(&broker.uri(), &["--workers", "2"])?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("client.toml");
    fs::write(&file, format!("[client]\nuri = \"{}\"\nmax_body = 1000\n", broker.uri()))?;
    let small = Client::configured(&ClientConfig::from_file(&file)?)?.with_timeout(LONG);
    let too_large = |client: &Client| match zeros::call(client, 100_000) {
        Err(error @ CallError::Undecodable { .. }) => {
            ensure!(error.may_have_run() && error.to_string().contains("this client takes at most 1000"), "{error}");
            Ok(())
        }
        other => anyhow::bail!("{:?}", other.map(|zeros| zeros.len())),
    };
    // Dropped as it comes in.
    too_large(&small)?;
    ensure!(zeros::call(&small, 900)?.len() == 900);
    // A copy may take more, and those that do not refuse it all the same.
    ensure!(zeros::call(&small.with_max_body(200_000), 100_000)?.len() == 100_000);
    too_large(&small)?;
    ensure!(add::call(&small, 1, 2)? == 3 && small.late_replies() == 0);
    Ok(())
}

fn many_small_values(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = program(&broker.uri(), &["--workers", "2", "--pickle"])?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare(REPLIES, QueueDeclareOptions::default())?;
    let count = u32::try_from(LARGE)?.to_be_bytes();
    let list = |element: u8| [&[0x91, 0xdd], &count[..], &vec![element; LARGE]].concat();
    let json = |element: &str| format!("[[{}0]]", element.repeat(LARGE / element.len())).into_bytes();
    let maps = [&[0x91, 0xdd], &(u32::try_from(LARGE)? / 3).to_be_bytes()[..], &[0x81, 0xa0, 0xc0].repeat(LARGE / 3)];
    let bodies = [
        ("application/msgpack", list(0x90)),
        ("application/msgpack", list(0xc0)),
        ("application/msgpack", maps.concat()),
        ("application/msgpack", [&[0x91, 0xc6], &count[..], &vec![0; LARGE]].concat()),
        ("application/json", json("[],")),
        ("application/json", json("{},")),
    ];
    for (number, (content_type, body)) in bodies.iter().enumerate() {
        send(&channel, "size_of", content_type, body, Some(&number.to_string()))?;
    }
    // As the original writes them: in base64, the function's name in a header.
    let pickle = [b"\x80\x02](".to_vec(), b"]".repeat(LARGE * 2 / 3), b"e.".to_vec()].concat();
    let python = Client::connect(broker.uri())?.with_timeout(LONG);
    let headers = [("FaaS-Name".to_owned(), amiquip::AmqpValue::LongString("unpickled".to_owned()))];
    let properties = AmqpProperties::default().with_headers(headers.into()).with_reply_to(REPLIES.to_owned());
    channel
        .basic_publish("", Publish::with_properties(BASE64_STANDARD.encode(pickle).as_bytes(), SERVICE, properties))?;
    let mut replies = Vec::new();
    eventually(Duration::from_mins(1), || {
        replies.extend(statuses(&channel)?);
        Ok(replies.len() > bodies.len())
    })?;
    ensure!(replies.iter().all(|status| status.contains("400") || status.contains("500")), "{replies:?}");
    ensure!(add::call(&python, 1, 2)? == 3);
    let peak = peak(&server)?;
    ensure!(peak < MOST_WITH_VALUES_KIB, "the server has had {peak} KiB in memory");
    Ok(())
}

fn a_type_of_itself(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = program(&broker.uri(), &["--workers", "2"])?;
    let client = client(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare(REPLIES, QueueDeclareOptions::default())?;
    let bodies: [(&str, &[u8]); 4] = [
        ("application/msgpack", b"\x91\x01"),
        ("application/json", b"[1]"),
        ("text/plain", b"1"),
        ("application/octet-stream", b"1"),
    ];
    for (number, (content_type, body)) in bodies.iter().enumerate() {
        send(&channel, "chain", content_type, body, Some(&number.to_string()))?;
    }
    let mut replies = Vec::new();
    eventually(LONG, || {
        replies.extend(statuses(&channel)?);
        Ok(replies.len() == bodies.len())
    })?;
    ensure!(replies.iter().all(|status| status.contains("400") || status.contains("415")), "{replies:?}");
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}
