//! Who sends messages of calls, byte by byte, and takes the replies.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use amiquip::{AmqpProperties, Channel, Connection, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use harness::{Broker, eventually};
use rmp_serde::decode::from_slice;
use rmp_serde::encode::to_vec;
use serde_bytes::ByteBuf;

use crate::redelivery::{RETRY, is_empty};
use crate::service::{LONG, SERVICE};

/// Arguments of a function that takes none.
pub(super) const NOTHING: [u8; 0] = [];

pub(super) const CALLS: &str = concat!(env!("CARGO_PKG_NAME"), ".calls");
pub(super) const QUARANTINE: &str = concat!(env!("CARGO_PKG_NAME"), ".quarantine");

pub(super) type Encoded =
    (String, String, Option<String>, Option<i64>, Option<i64>, Option<BTreeMap<String, String>>, ByteBuf);
type Decoded = (String, Option<String>, u16, Option<String>, Option<BTreeMap<String, serde_json::Value>>, ByteBuf);

/// A call of this function, whose arguments are a list.
pub(super) fn call(id: &str, function: &str, arguments: &impl serde::Serialize) -> anyhow::Result<Encoded> {
    let body = ByteBuf::from(to_vec(arguments)?);
    Ok((id.to_owned(), function.to_owned(), None, None, None, None, body))
}

/// So many sums, each with an id from this number up.
pub(super) fn sums(from: i64, count: i64) -> anyhow::Result<Vec<Encoded>> {
    (from..from + count).map(|n| call(&n.to_string(), "add", &(n, 1))).collect()
}

/// One reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) kind: String,
    pub(super) status: u16,
    /// Of guirpc's own.
    pub(super) attempts: Option<i64>,
    pub(super) body: Vec<u8>,
    /// How many were in its message.
    pub(super) together: usize,
    pub(super) at: Instant,
}

/// As long as a server keeps what it refuses for the others of its message.
const REFUSAL_WAIT: Duration = Duration::from_millis(500);

impl Reply {
    /// Whether it leaves no doubt of a run before; one that waited too long for the others of its message, sent then, may.
    pub(super) fn is_certain(&self, sent: Instant) -> bool {
        self.attempts.is_none() || self.at.duration_since(sent) >= REFUSAL_WAIT
    }

    pub(super) fn is_output(&self) -> bool {
        self.kind == "output" && self.status == 200
    }

    pub(super) fn output<T: serde::de::DeserializeOwned>(&self) -> anyhow::Result<T> {
        ensure!(self.is_output(), "{self:?}: {}", String::from_utf8_lossy(&self.body));
        Ok(from_slice(&self.body)?)
    }
}

/// Who sends messages of calls, and gets replies into a queue.
pub(super) struct Caller {
    channel: Channel,
    queue: String,
    pub(super) replies: BTreeMap<String, Reply>,
    /// Whether a call may be answered twice, as after a loss.
    pub(super) may_repeat: bool,
    /// Dropped last.
    _connection: Connection,
}

impl Caller {
    pub(super) fn new(broker: &dyn Broker) -> anyhow::Result<Self> {
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

    pub(super) fn send_to(&self, exchange: &str, key: &str, calls: &[Encoded]) -> anyhow::Result<()> {
        self.send_body(exchange, key, &to_vec(calls)?)
    }

    pub(super) fn send_body(&self, exchange: &str, key: &str, body: &[u8]) -> anyhow::Result<()> {
        Ok(self.channel.basic_publish(exchange, Publish::with_properties(body, key, self.properties()))?)
    }

    pub(super) fn send(&self, calls: &[Encoded]) -> anyhow::Result<()> {
        self.send_to("guirpc", CALLS, calls)
    }

    /// Takes what has come in by now.
    pub(super) fn take(&mut self) -> anyhow::Result<()> {
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
        ensure!(self.may_repeat || !self.replies.contains_key(&id), "call {id} was answered twice: {reply:?}");
        self.replies.insert(id, reply);
        Ok(())
    }

    /// Waits for replies to all of these.
    pub(super) fn wait<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        for id in ids {
            eventually(2 * LONG, || {
                self.take()?;
                Ok(self.replies.contains_key(id))
            })
            .with_context(|| format!("the reply to call {id}"))?;
        }
        Ok(())
    }

    pub(super) fn wait_for_all(&mut self, calls: &[Encoded]) -> anyhow::Result<()> {
        self.wait(calls.iter().map(|call| &*call.0))
    }
}

/// Waits until all is acknowledged.
pub(super) fn nothing_waits(broker: &dyn Broker) -> anyhow::Result<()> {
    for queue in [SERVICE, CALLS, RETRY, QUARANTINE] {
        eventually(LONG, || is_empty(broker, queue)).with_context(|| format!("queue {queue}"))?;
    }
    Ok(())
}
