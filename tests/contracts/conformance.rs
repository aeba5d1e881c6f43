//! One table of requests and replies, `conformance.json`, to which servers of every language are held.
//!
//! Requests are raw messages, as `guirpc/src/wire_format.md` has them, and so are replies: nothing of guirpc's clients
//! stands between.

use std::process::Command;
use std::time::{Duration, SystemTime};

use amiquip::{
    AmqpProperties, AmqpValue, Channel, Connection, ConsumerMessage, ConsumerOptions, Delivery, FieldTable, Publish,
    QueueDeclareOptions,
};
use anyhow::{Context, anyhow, bail, ensure};
use harness::{Broker, Case, Program, binary, eventually};
use serde::Deserialize;
use serde_json::Value;

const TABLE: &str = include_str!("conformance.json");
const LONG: Duration = Duration::from_secs(30);
const REPLIES: &str = "conformance-replies";
const MESSAGE_PACK: &str = "application/msgpack";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("conformance::the_table_is_sound", |_| sound()),
        Case::shared("conformance::the_server_in_rust_conforms", |broker| conforms(broker, &mut rust_server()?)),
    ]
}

/// A request, and what has to become of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    function: String,
    /// None is sent if it is `null`.
    content_type: Option<String>,
    body: Body,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    /// The lane in whose queue it is put.
    lane: Option<String>,
    /// When the caller gives up, from when it is sent.
    deadline_ms: Option<i64>,
    reply: Option<Expected>,
    /// It is a `send` that becomes this dead letter.
    dead: Option<Dead>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Body {
    /// This value in MessagePack.
    MsgPack(Value),
    Json(Value),
    Text(String),
    Hex(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: String,
    status: i64,
    content_type: String,
    /// The whole body, decoded.
    #[serde(default, deserialize_with = "some")]
    body: Option<Value>,
    /// A part of the body, or of its member `message`.
    contains: Option<String>,
    /// Headers that it has: these values, or any if it is `true`.
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    /// Headers that it has not.
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dead {
    reason: String,
    status: i64,
    queue: String,
}

/// `null` is a body as well.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Body {
    fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Body::MsgPack(value) => Ok(rmp_serde::to_vec(value)?),
            Body::Json(value) => Ok(serde_json::to_vec(value)?),
            Body::Text(text) => Ok(text.clone().into_bytes()),
            Body::Hex(digits) => {
                let pairs = digits.as_bytes().chunks(2);
                pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
            }
        }
    }
}

fn table() -> anyhow::Result<Vec<Line>> {
    serde_json::from_str(TABLE).context("tests/contracts/conformance.json")
}

fn sound() -> anyhow::Result<()> {
    let lines = table()?;
    ensure!(lines.len() >= 30, "there are only {} lines", lines.len());
    for line in &lines {
        line.body.bytes().with_context(|| line.name.clone())?;
        ensure!(line.reply.is_some() != line.dead.is_some(), "`{}` expects a reply or a dead letter", line.name);
        let vague = line.reply.as_ref().is_some_and(|reply| {
            reply.content_type != "text/plain"
                && reply.body.is_none()
                && reply.contains.is_none()
                && reply.headers.is_empty()
        });
        ensure!(!vague, "`{}` expects nothing of the body", line.name);
    }
    Ok(())
}

/// The server in Rust, with more workers than there are slow calls.
fn rust_server() -> anyhow::Result<Command> {
    let mut command = Command::new(binary("shop")?);
    command.args(["serve", "--workers", "8"]);
    Ok(command)
}

/// Starts it, and waits until it serves.
pub(crate) fn start_rust_server(broker: &dyn Broker) -> anyhow::Result<Program> {
    let server = Program::start(rust_server()?.env("AMQP_URI", broker.uri()))?;
    // It consumes before it has all of its channels.
    server.wait_for_log("serving", 2 * LONG)?;
    Ok(server)
}

/// Starts a server of the service `shop`, which finds its broker in the environment, and waits until it serves.
pub(crate) fn start(broker: &dyn Broker, command: &mut Command) -> anyhow::Result<Program> {
    let server = Program::start(command.env("AMQP_URI", broker.uri()))?;
    eventually(LONG, || {
        let is_served = |queue| Ok::<_, anyhow::Error>(broker.queue(queue)?.is_some_and(|queue| queue.consumers > 0));
        Ok(is_served("shop")? && is_served("shop.search")?)
    })
    .with_context(|| server.stderr().join("\n"))?;
    Ok(server)
}

/// Holds a server of the service `shop` to the table; `command` starts it.
pub(crate) fn conforms(broker: &dyn Broker, command: &mut Command) -> anyhow::Result<()> {
    let server = start(broker, command)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare(REPLIES, QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() })?;
    let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
    let consumer = channel.basic_consume(REPLIES, options)?;
    let mut failed = Vec::new();
    for line in table()? {
        let ended = publish(&channel, &line).and_then(|()| match (&line.reply, &line.dead) {
            (Some(expected), _) => loop {
                match consumer.receiver().recv_timeout(LONG) {
                    Ok(ConsumerMessage::Delivery(reply)) => {
                        if reply.properties.correlation_id().as_deref() == Some(&line.name) {
                            break expected.check(&reply);
                        }
                    }
                    other => bail!("there is no reply: {other:?}"),
                }
            },
            (None, Some(dead)) => dead.check(broker, &channel, &line.name),
            (None, None) => Err(anyhow!("it expects nothing")),
        });
        if let Err(error) = ended {
            failed.push(format!("{}: {error:#}", line.name));
        }
    }
    ensure!(failed.is_empty(), "{}\n\n{}", failed.join("\n"), server.stderr().join("\n"));
    Ok(())
}

fn publish(channel: &Channel, line: &Line) -> anyhow::Result<()> {
    let mut headers = FieldTable::new();
    for (name, value) in &line.headers {
        let value = match value {
            Value::String(text) => AmqpValue::LongString(text.clone()),
            value => AmqpValue::LongLongInt(value.as_i64().context("a header is a text or an integer")?),
        };
        headers.insert(name.clone(), value);
    }
    if let Some(deadline) = line.deadline_ms {
        let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
        headers.insert("guirpc-deadline".to_owned(), AmqpValue::LongLongInt(now + deadline));
        headers.insert("guirpc-timeout".to_owned(), AmqpValue::LongLongInt(deadline.max(1000)));
    }
    let mut properties = AmqpProperties::default()
        .with_type_(line.function.clone())
        .with_correlation_id(line.name.clone())
        .with_headers(headers);
    if let Some(content_type) = &line.content_type {
        properties = properties.with_content_type(content_type.clone());
    }
    if line.reply.is_some() {
        properties = properties.with_reply_to(REPLIES.to_owned());
    }
    let routing_key = line.lane.as_ref().map_or_else(|| "shop".to_owned(), |lane| format!("shop.{lane}"));
    let body = line.body.bytes()?;
    Ok(channel.basic_publish("guirpc", Publish::with_properties(&body, routing_key, properties))?)
}

fn header(delivery: &Delivery, name: &str) -> Option<Value> {
    match delivery.properties.headers().as_ref()?.get(name)? {
        AmqpValue::LongString(text) => Some(text.clone().into()),
        AmqpValue::ShortShortInt(number) => Some((*number).into()),
        AmqpValue::ShortInt(number) => Some((*number).into()),
        AmqpValue::ShortUInt(number) => Some((*number).into()),
        AmqpValue::LongInt(number) => Some((*number).into()),
        AmqpValue::LongUInt(number) => Some((*number).into()),
        AmqpValue::LongLongInt(number) => Some((*number).into()),
        other => Some(format!("{other:?}").into()),
    }
}

fn decoded(content_type: &str, body: &[u8]) -> anyhow::Result<Value> {
    match content_type {
        MESSAGE_PACK => Ok(rmp_serde::from_slice(body)?),
        "application/json" => Ok(serde_json::from_slice(body)?),
        _ => Ok(std::str::from_utf8(body)?.into()),
    }
}

impl Expected {
    fn check(&self, reply: &Delivery) -> anyhow::Result<()> {
        let content_type = reply.properties.content_type().as_deref().unwrap_or_default();
        let body = decoded(content_type, &reply.body)?;
        let kind = reply.properties.type_().as_deref().unwrap_or_default();
        let status = header(reply, "Response-Status");
        ensure!(
            (kind, &status, content_type) == (&*self.kind, &Some(self.status.into()), &*self.content_type),
            "it is {kind} {status:?} in {content_type}: {body}"
        );
        if let Some(expected) = &self.body {
            ensure!(body == *expected, "its body is {body}");
        }
        if let Some(part) = &self.contains {
            let text = body.get("message").and_then(Value::as_str).map_or_else(|| body.to_string(), str::to_owned);
            ensure!(text.contains(part), "`{part}` is not in {text}");
        }
        for (name, expected) in &self.headers {
            let value = header(reply, name).with_context(|| format!("it has no header `{name}`"))?;
            ensure!(*expected == Value::Bool(true) || value == *expected, "its header `{name}` is {value}");
        }
        for name in &self.absent {
            ensure!(header(reply, name).is_none(), "it has the header `{name}`: {:?}", header(reply, name));
        }
        Ok(())
    }
}

impl Dead {
    /// The letter is the request as it was, with the reason beside its own headers.
    fn check(&self, broker: &dyn Broker, channel: &Channel, name: &str) -> anyhow::Result<()> {
        // There is no such queue before there is a letter.
        eventually(LONG, || Ok(broker.queue("shop.dead")?.is_some_and(|queue| queue.messages > 0)))?;
        let letter = channel.basic_get("shop.dead", true)?.context("it is there")?.delivery;
        ensure!(letter.properties.correlation_id().as_deref() == Some(name), "there is another letter: {letter:?}");
        let found = ["guirpc-dead-reason", "guirpc-dead-status", "guirpc-dead-queue"].map(|name| header(&letter, name));
        let expected = [Some((*self.reason).into()), Some(self.status.into()), Some((*self.queue).into())];
        ensure!(found == expected, "the letter says {found:?}");
        ensure!(header(&letter, "guirpc-dead-id").is_some() && header(&letter, "guirpc-dead-time").is_some());
        ensure!(*letter.properties.delivery_mode() == Some(2) && letter.properties.reply_to().is_none(), "{letter:?}");
        Ok(())
    }
}
