//! The client: tasks publish on one channel, and another one hands out the replies.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, Consumer};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{dial, runtime};
use crate::load::{Client, Load, Sum, Sums, Tally};
use crate::message::{self, Correlation, EXCHANGE, Function, MSGPACK, REPLY_TO, TIMEOUT};

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
    waiting: Mutex<HashMap<u64, oneshot::Sender<i64>>>,
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
    fn run(&mut self, load: Load, time: Duration) -> Result<Tally> {
        let begun = Instant::now();
        let until = begun + time;
        let latencies = self.runtime.block_on(async {
            let callers: Vec<_> = (0..load.callers)
                .map(|caller| tokio::spawn(Arc::clone(&self.calls).call_until(load, Sums::of(caller), until)))
                .collect();
            let mut latencies = Vec::new();
            for caller in callers {
                latencies.append(&mut caller.await??);
            }
            Ok::<_, anyhow::Error>(latencies)
        })?;
        Ok(Tally { latencies, elapsed: begun.elapsed() })
    }
}

impl Calls {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<i64>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hand_out(&self, mut replies: Consumer) -> Result<()> {
        while let Some(reply) = replies.next().await {
            let reply = reply?;
            let id = reply.properties.correlation_id();
            let call = self.correlation.call(id.as_ref().map(ShortString::as_str))?;
            let caller = self.waiting().remove(&call).context("a second reply to a call")?;
            // A caller that has given up has ended the benchmark already.
            let _ = caller.send(message::output(&reply.data)?);
        }
        Ok(())
    }

    async fn call_until(self: Arc<Self>, load: Load, mut sums: Sums, until: Instant) -> Result<Vec<Duration>> {
        let call = async |sum: Sum| {
            let begun = Instant::now();
            sum.check(self.call(load.function, sum).await?)?;
            Ok(begun.elapsed())
        };
        stream::repeat_with(|| sums.next())
            .take_while(|_| std::future::ready(Instant::now() < until))
            .map(call)
            .buffer_unordered(load.window)
            .try_collect()
            .await
    }

    async fn call(&self, function: Function, sum: Sum) -> Result<i64> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let (caller, output) = oneshot::async_channel();
        self.waiting().insert(call, caller);
        let mut headers = FieldTable::default();
        headers.insert("guirpc-deadline".into(), AMQPValue::LongLongInt(message::deadline()));
        headers.insert("guirpc-timeout".into(), AMQPValue::LongLongInt(message::millis(TIMEOUT)));
        let properties = BasicProperties::default()
            .with_content_type(MSGPACK.into())
            .with_type(function.name().into())
            .with_correlation_id(self.correlation.id(call).into())
            .with_reply_to(REPLY_TO.into())
            .with_expiration(TIMEOUT.as_millis().to_string().into())
            .with_delivery_mode(1)
            .with_app_id("bench".into())
            .with_headers(headers);
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let body = message::request(sum.a, sum.b)?;
        self.channel
            .basic_publish(EXCHANGE.into(), self.queue.into(), mandatory, &body, properties)
            .await
            .context("publish a request")?;
        timeout(TIMEOUT, output).await.context("no reply")?.context("no reply")
    }
}
