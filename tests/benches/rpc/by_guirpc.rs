//! guirpc itself, used as anybody would: functions, a server with its default settings, the stubs.

mod many;

use std::thread;

use anyhow::{Context as _, Result, bail};
use guirpc::metrics::Metrics;
use guirpc::{Client, Coalescing, Pending, Server, Setup};

use crate::child;
use crate::load::{self, Extent, Load, Shared, Tally, drive};
use crate::message::{Answer, Function, Numbers, Question, SLOW, WAIT};

pub(crate) use many::SERVICES as MANY;

/// The service, and so the queue.
pub(crate) const SERVICE: &str = "bench-guirpc";

/// That of the server that is measured.
pub(crate) const MEASURED_SERVICE: &str = "bench-measured";

#[guirpc::function(service = "bench-guirpc")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(service = "bench-measured", name = "add")]
fn add_measured(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(service = "bench-guirpc")]
fn add_slowly(a: i64, b: i64) -> i64 {
    thread::sleep(SLOW);
    a + b
}

#[guirpc::function(service = "bench-guirpc")]
async fn add_later(a: i64, b: i64) -> i64 {
    tokio::time::sleep(WAIT).await;
    a + b
}

#[guirpc::function(service = "bench-guirpc")]
fn echo(body: Vec<u8>) -> Vec<u8> {
    body
}

/// Serves these services until the process is killed.
pub(crate) fn serve(uri: &str, services: &[&str], workers: usize) -> Result<()> {
    wait(Setup::new(services.iter().copied()).uri(uri).workers(workers))
}

/// Serves [`MEASURED_SERVICE`] until the process is killed.
pub(crate) fn serve_measured(uri: &str, workers: usize) -> Result<()> {
    wait(Setup::new([MEASURED_SERVICE]).uri(uri).workers(workers).metrics(&Metrics::new()))
}

fn wait(setup: Setup) -> Result<()> {
    let server = Server::start(setup)?;
    child::ready("");
    let drained = server.wait();
    bail!("stopped: {drained:?}")
}

/// The queues of a service.
pub(crate) fn queues(service: &str) -> [String; 4] {
    [service.to_owned(), format!("{service}.calls"), format!("{service}.retry"), format!("{service}.quarantine")]
}

/// Clients for any number of threads, which call through them in turn.
pub(crate) struct GuirpcClient(Vec<Client>);

impl GuirpcClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str) -> Result<Self> {
        Ok(Self(vec![Client::connect(uri)?]))
    }

    /// Connects to the broker, for calls that travel together.
    pub(crate) fn connect_coalescing(uri: &str) -> Result<Self> {
        Ok(Self(vec![Client::connect(uri)?.with_coalescing(Coalescing::default())]))
    }

    /// Connects to the broker, and is measured.
    pub(crate) fn connect_measured(uri: &str) -> Result<Self> {
        Ok(Self(vec![Client::connect(uri)?.with_metrics(&Metrics::new()).with_service(MEASURED_SERVICE)]))
    }

    /// Connects so many times.
    pub(crate) fn connect_often(uri: &str, connections: usize) -> Result<Self> {
        (0..connections).map(|_| Client::connect(uri)).collect::<Result<_, _>>().map(Self).context("connect")
    }

    /// Connects once, to call all of these services.
    pub(crate) fn connect_to(uri: &str, services: &[&str]) -> Result<Self> {
        let client = Client::connect(uri)?;
        Ok(Self(services.iter().map(|service| client.with_service(service)).collect()))
    }

    /// The client for a call.
    fn of(&self, numbers: Numbers) -> &Client {
        &self.0[usize::try_from(numbers.a).unwrap_or_default() % self.0.len()]
    }
}

/// A call under way.
pub(crate) enum Started {
    Sum(Pending<i64>),
    Bytes(Pending<Vec<u8>>),
}

impl Shared for GuirpcClient {
    type Pending = Started;

    fn start(&self, question: &Question) -> Result<Started> {
        let Numbers { a, b } = question.numbers;
        let client = self.of(question.numbers);
        Ok(match question.function {
            Function::Add => Started::Sum(add::start(client, a, b)?),
            Function::AddSlowly => Started::Sum(add_slowly::start(client, a, b)?),
            Function::AddLater => Started::Sum(add_later::start(client, a, b)?),
            Function::Echo => Started::Bytes(echo::start(client, question.bytes())?),
        })
    }

    fn wait(&self, pending: Started) -> Result<Answer> {
        Ok(match pending {
            Started::Sum(pending) => Answer::Sum(pending.wait()?),
            Started::Bytes(pending) => Answer::Bytes(pending.wait()?),
        })
    }
}

impl load::Client for GuirpcClient {
    fn run(&mut self, load: Load, extent: Extent) -> Result<Tally> {
        drive(self, load, extent)
    }
}
