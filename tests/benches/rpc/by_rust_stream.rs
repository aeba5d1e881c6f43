//! The same with RustStream, a framework of subscribers on lapin, in the shape that its guide to request and reply shows.
//!
//! Each function has a queue of its own.
//! A subscriber handles one delivery at a time unless it has `workers`, which are tasks; here as many as may be prefetched, so that replies and acknowledgements of many wait for the socket at once.

use std::future::pending;
use std::num::NonZero;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use ruststream::codec::MsgpackCodec;
use ruststream::{Broker as _, OutgoingMessage};
use ruststream_lapin::prelude::*;
use ruststream_lapin::{ConnectedLapinBroker, LapinRequester};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::by_amiquip;
use crate::child;
use crate::load::{Client, Extent, Load, Tally};
use crate::message::{Answer, Function, Numbers, PREFETCH, Question, TIMEOUT, WAIT};
use crate::tasks::{Tasks, drive, runtime};

const ADD: &str = "bench-ruststream.add";
const ADD_LATER: &str = "bench-ruststream.add_later";
const ECHO: &str = "bench-ruststream.echo";
/// Its queues.
pub(crate) const QUEUES: [&str; 3] = [ADD, ADD_LATER, ECHO];

#[derive(Serialize, Outgoing)]
#[serde(transparent)]
struct Sum(i64);

#[derive(Serialize, Outgoing)]
#[serde(transparent)]
struct Echoed(ByteBuf);

#[derive(Deserialize)]
struct Bytes {
    body: ByteBuf,
}

// Nobody gets what has no reply-to address.
#[subscriber(RabbitQueue::new(ADD), reply("bench-ruststream.nobody"))]
async fn add(numbers: &Numbers) -> Sum {
    Sum(numbers.a + numbers.b)
}

#[subscriber(RabbitQueue::new(ADD_LATER), reply("bench-ruststream.nobody"))]
async fn add_later(numbers: &Numbers) -> Sum {
    sleep(WAIT).await;
    Sum(numbers.a + numbers.b)
}

#[subscriber(RabbitQueue::new(ECHO), reply("bench-ruststream.nobody"))]
async fn echo(bytes: &Bytes) -> Echoed {
    Echoed(bytes.body.clone())
}

/// Serves until the process is killed.
pub(crate) fn serve(uri: &str) -> Result<()> {
    by_amiquip::delete(uri, &QUEUES.map(str::to_owned))?;
    let prefetch = NonZero::new(PREFETCH).context("nothing is prefetched")?;
    let broker = LapinBroker::new(uri).prefetch(prefetch).declare_topology(true);
    let reply = || Publish::default().persistent(false);
    let app = RustStream::new(AppInfo::new("bench", "0.0.0")).with_broker_codec(broker, MsgpackCodec, |broker| {
        broker.include(add.workers(prefetch.into())).out_reply(reply()).transform(DirectReplyTo);
        broker.include(add_later.workers(prefetch.into())).out_reply(reply()).transform(DirectReplyTo);
        broker.include(echo.workers(prefetch.into())).out_reply(reply()).transform(DirectReplyTo);
    });
    runtime()?.block_on(app.run_until(async {
        child::ready("");
        pending::<()>().await;
    }))?;
    bail!("stopped")
}

/// A client for many tasks.
pub(crate) struct RustStreamClient {
    requester: Arc<LapinRequester>,
    _connection: ConnectedLapinBroker,
    runtime: Runtime,
}

impl RustStreamClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str) -> Result<Self> {
        let runtime = runtime()?;
        let connection = runtime.block_on(LapinBroker::new(uri).connect()).context("connect to the broker")?;
        let requester = Arc::new(connection.requester(LapinRequest::default().expiration(TIMEOUT)));
        Ok(Self { requester, _connection: connection, runtime })
    }
}

impl Client for RustStreamClient {
    fn run(&mut self, load: Load, extent: Extent) -> Result<Tally> {
        drive(&self.runtime, &self.requester, load, extent)
    }
}

impl Tasks for LapinRequester {
    async fn call(&self, question: Question) -> Result<Answer> {
        let queue = match question.function {
            Function::Add => ADD,
            Function::AddLater => ADD_LATER,
            Function::Echo => ECHO,
            Function::AddSlowly => bail!("a function that blocks its thread"),
        };
        let request = question.request()?;
        let reply = self.request(OutgoingMessage::new(queue, &request), TIMEOUT).await.context("no reply")?;
        question.decode(reply.payload())
    }
}
