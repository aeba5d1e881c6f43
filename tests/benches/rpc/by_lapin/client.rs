//! The client: tasks publish on one channel, and another one hands out the replies.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, Consumer};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::dial;
use crate::load::{Client, Extent, Load, Tally};
use crate::message::{self, Answer, Correlation, EXCHANGE, MSGPACK, Question, REPLY_TO, TIMEOUT};
use crate::tasks::{Tasks, drive, runtime};

/// A client for many tasks.
pub(crate) struct LapinClient {
    calls: Arc<Calls>,
    _connection: Connection,
    runtime: Runtime,
}

/// What the tasks share.
struct Calls {
    correlation: Correlation,
    next: AtomicU64,
    queue: &'static str,
    channel: Channel,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Vec<u8>>>>,
}

impl LapinClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str, queue: &'static str) -> Result<Self> {
        let runtime = runtime()?;
        let (connection, calls) = runtime.block_on(async {
            let connection = dial(uri).await?;
            let channel = connection.create_channel().await?;
            let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
            let replies = channel
                .basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default())
                .await
                .context("consume replies")?;
            let (correlation, next, waiting) = (Correlation::new(), AtomicU64::new(0), Mutex::default());
            let calls = Arc::new(Calls { correlation, next, queue, channel, waiting });
            let pump = Arc::clone(&calls);
            tokio::spawn(async move {
                if let Err(error) = pump.hand_out(replies).await {
                    eprintln!("{error:#}");
                }
                // Nobody will answer these any more.
                pump.waiting().clear();
            });
            Ok::<_, anyhow::Error>((connection, calls))
        })?;
        Ok(Self { calls, _connection: connection, runtime })
    }
}

impl Client for LapinClient {
    fn run(&mut self, load: Load, extent: Extent) -> Result<Tally> {
        drive(&self.runtime, &self.calls, load, extent)
    }
}

impl Calls {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Vec<u8>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hand_out(&self, mut replies: Consumer) -> Result<()> {
        while let Some(reply) = replies.next().await {
            let reply = reply?;
            let id = reply.properties.correlation_id();
            let call = self.correlation.call(id.as_ref().map(ShortString::as_str))?;
            let caller = self.waiting().remove(&call).context("a second reply to a call")?;
            // A caller that has given up has ended the benchmark already.
            let _ = caller.send(reply.data);
        }
        Ok(())
    }
}

impl Tasks for Calls {
    async fn call(&self, question: Question) -> Result<Answer> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let (caller, reply) = oneshot::async_channel();
        self.waiting().insert(call, caller);
        let mut headers = FieldTable::default();
        headers.insert("guirpc-deadline".into(), AMQPValue::LongLongInt(message::deadline()));
        headers.insert("guirpc-timeout".into(), AMQPValue::LongLongInt(message::millis(TIMEOUT)));
        let properties = BasicProperties::default()
            .with_content_type(MSGPACK.into())
            .with_type(question.function.name().into())
            .with_correlation_id(self.correlation.id(call).into())
            .with_reply_to(REPLY_TO.into())
            .with_expiration(TIMEOUT.as_millis().to_string().into())
            .with_delivery_mode(1)
            .with_app_id("bench".into())
            .with_headers(headers);
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let body = question.request()?;
        self.channel
            .basic_publish(EXCHANGE.into(), self.queue.into(), mandatory, &body, properties)
            .await
            .context("publish a request")?;
        question.decode(&timeout(TIMEOUT, reply).await.context("no reply")?.context("no reply")?)
    }
}
