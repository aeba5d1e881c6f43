//! Whoever else may publish on the broker, and sends the service what no client of ours would.

use amiquip::{AmqpProperties, AmqpValue, Connection, FieldTable, Publish};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fastrand::Rng;
use harness::{Broker, Case};

use crate::fault::Fault;
use crate::functions::SERVICE;
use crate::stage::{Plan, Stage, USUAL};

const STRANGERS: Plan = Plan {
    name: "strangers::send_nonsense",
    fault: "somebody sends thousands of messages that no client sends, and bodies of 32 MiB, to servers with 1 GiB",
    memory: Some(1 << 30),
    ..USUAL
};

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared(STRANGERS.name, nonsense)]
}

fn nonsense(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(STRANGERS, broker)?;
    for _ in 0..5 {
        Fault::Strangers.strike(&mut stage, broker)?;
        stage.recover()?;
    }
    stage.finish(broker)
}

/// The application id of everything that a stranger sends.
pub(crate) const APP_ID: &str = "stranger";

/// Messages of each visit.
const MESSAGES: usize = 500;
/// More than a server decodes, and than it has room for many times.
const LARGE: usize = 32 << 20;
/// Large bodies of each visit.
const LARGE_BODIES: usize = 3;
/// The exchange that the clients of the service publish to.
const EXCHANGE: &str = "guirpc";
const CONTENT_TYPES: &[&str] =
    &["application/msgpack", "application/json", "application/octet-stream", "", "text/html"];

/// Sends nonsense to the service, of which none may run, and waits until the broker has it all.
pub(crate) fn visit(uri: &str, random: &mut Rng) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(uri)?;
    let channel = connection.open_channel(None)?;
    for number in 0..MESSAGES {
        let (body, properties) = message(random, number < LARGE_BODIES);
        channel.basic_publish(EXCHANGE, Publish::with_properties(&body, SERVICE, properties))?;
    }
    // Answered after what was sent before.
    channel.qos(0, 0, false)?;
    connection.close()?;
    Ok(())
}

fn message(random: &mut Rng, is_large: bool) -> (Vec<u8>, AmqpProperties) {
    let length = if is_large { LARGE } else { random.usize(..200) };
    // No arguments of any function, whatever is read into them: MessagePack knows no 0xc1, and JSON no such letters.
    let body = vec![0xc1; length];
    let function = if random.bool() { "quick".to_owned() } else { format!("function\n{}", random.u64(..)) };
    let mut headers = FieldTable::new();
    for name in ["guirpc-attempts", "guirpc-dead-id", "guirpc-deadline", "x-delivery-count", "x-death"] {
        if random.u8(..4) == 0 {
            headers.insert(name.to_owned(), AmqpValue::LongLongInt(random.i64(..)));
        }
    }
    let mut properties = AmqpProperties::default()
        .with_app_id(APP_ID.to_owned())
        .with_type_(function)
        .with_correlation_id(format!("{:x}", random.u64(..)))
        .with_content_type(CONTENT_TYPES[random.usize(..CONTENT_TYPES.len())].to_owned())
        .with_headers(headers);
    // Some ask for no reply, and become dead letters.
    if random.u8(..8) > 0 {
        properties = properties.with_reply_to(reply_address(random));
    }
    (body, properties)
}

/// Where nobody is: queues, processes of nodes that there are not, and what is no address.
fn reply_address(random: &mut Rng) -> String {
    let node = format!("reply@{}", random.u32(..));
    let length = u16::try_from(node.len()).expect("it is short").to_be_bytes();
    let process = [&[131, 88, 118], &length[..], node.as_bytes(), &[0; 12]].concat();
    match random.u8(..3) {
        0 => format!("stranger.{}", random.u8(..)),
        1 => format!("amq.rabbitmq.reply-to.{}.key", BASE64_STANDARD.encode(process)),
        _ => "amq.rabbitmq.reply-to.no.address".to_owned(),
    }
}
