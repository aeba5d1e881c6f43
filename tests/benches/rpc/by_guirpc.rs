//! guirpc itself, used as anybody would: two functions, a server with its default settings, the stubs.

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use guirpc::{Client, Pending, Server, Setup};

use crate::child;
use crate::load::{self, Load, Shared, Tally, drive};
use crate::message::{Function, SLOW};

/// The service, and so the queue.
pub(crate) const SERVICE: &str = "bench-guirpc";

#[guirpc::function(service = "bench-guirpc")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(service = "bench-guirpc")]
fn add_slowly(a: i64, b: i64) -> i64 {
    thread::sleep(SLOW);
    a + b
}

/// Serves until the process is killed.
pub(crate) fn serve(uri: &str, workers: usize) -> Result<()> {
    let server = Server::start(Setup::new([SERVICE]).uri(uri).workers(workers))?;
    child::ready("");
    let drained = server.wait();
    bail!("stopped: {drained:?}")
}

/// A client for any number of threads.
pub(crate) struct GuirpcClient(Client);

impl GuirpcClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str) -> Result<Self> {
        Ok(Self(Client::connect(uri)?))
    }
}

impl Shared for GuirpcClient {
    type Pending = Pending<i64>;

    fn start(&self, function: Function, a: i64, b: i64) -> Result<Self::Pending> {
        Ok(match function {
            Function::Add => add::start(&self.0, a, b)?,
            Function::AddSlowly => add_slowly::start(&self.0, a, b)?,
        })
    }

    fn wait(&self, pending: Self::Pending) -> Result<i64> {
        Ok(pending.wait()?)
    }
}

impl load::Client for GuirpcClient {
    fn run(&mut self, load: Load, time: Duration) -> Result<Tally> {
        drive(self, load, time)
    }
}
