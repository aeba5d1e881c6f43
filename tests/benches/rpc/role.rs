//! What this program is when it starts itself, as a child process: a broker, a server, or a client.

use std::process;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::broker;
use crate::by_guirpc::{self, GuirpcClient, MANY};
use crate::child::{self, Child};
use crate::contestant::Contestant;
use crate::figures::percentile;
use crate::load::{Client, Extent, Load};
use crate::message::Function;
use crate::usage::{self, Memory};

/// Calls before a client measures: one at least over each of a thousand connections.
const WARM_UP: usize = 1000;

/// A child process, until its standard input ends.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Role {
    /// The embedded broker.
    Broker,
    /// The server of one contestant.
    Server { contestant: Contestant, uri: String, workers: usize },
    /// So many services of guirpc's in one program.
    Services { count: usize, uri: String, workers: usize },
    /// A client, whose process does nothing else.
    Client { caller: Caller, uri: String, in_flight: usize, extent: Extent },
}

/// Who calls `add` in a process of its own.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Caller {
    /// The client of a contestant.
    Contestant(Contestant),
    /// So many clients of guirpc's, with a connection each.
    Connections(usize),
    /// One client of guirpc's, that calls so many services.
    Services(usize),
}

/// What a client in a process of its own has measured.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Called {
    /// Calls per second.
    pub(crate) rate: f64,
    /// Of the latency.
    pub(crate) p99: Duration,
    /// Its own, from when it was connected.
    pub(crate) memory: Memory,
}

impl Role {
    /// Starts a process that plays it, and waits until it is ready.
    pub(crate) fn start(&self) -> Result<(Child, String)> {
        Child::start(&["--be", &serde_json::to_string(self)?])
    }

    /// Plays it in this process.
    pub(crate) fn play(self) -> Result<()> {
        child::leave_with_parent();
        match self {
            Self::Broker => broker::be(),
            Self::Server { contestant, uri, workers } => contestant.serve(&uri, workers),
            Self::Services { count, uri, workers } => by_guirpc::serve(&uri, &MANY[..count], workers),
            Self::Client { caller, uri, in_flight, extent } => {
                let load = Load::in_flight(Function::Add, in_flight);
                let called = call(caller.connect(&uri, load)?.as_mut(), load, extent)?;
                child::ready(&serde_json::to_string(&called)?);
                Ok(())
            }
        }
    }
}

impl FromStr for Role {
    type Err = serde_json::Error;

    fn from_str(role: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(role)
    }
}

impl Caller {
    /// Calls in a process of its own, so that its memory is nobody else's.
    pub(crate) fn call(self, uri: &str, in_flight: usize, extent: Extent) -> Result<Called> {
        let (_ended, said) = Role::Client { caller: self, uri: uri.to_owned(), in_flight, extent }.start()?;
        serde_json::from_str(&said).context("what a client has measured")
    }

    fn connect(self, uri: &str, load: Load) -> Result<Box<dyn Client>> {
        Ok(match self {
            Self::Contestant(contestant) => contestant.connect(uri, load)?,
            Self::Connections(connections) => Box::new(GuirpcClient::connect_often(uri, connections)?),
            Self::Services(services) => Box::new(GuirpcClient::connect_to(uri, &MANY[..services])?),
        })
    }
}

fn call(client: &mut dyn Client, load: Load, extent: Extent) -> Result<Called> {
    // One after another, which takes no memory that many in flight would find.
    client.run(Load::in_flight(load.function, 1), Extent::Calls(WARM_UP)).context("warming up")?;
    let memory = usage::watch(process::id())?;
    let tally = client.run(load, extent)?;
    Ok(Called { rate: tally.rate(), p99: percentile(&tally.latencies, 0.99), memory: memory.until_now()? })
}
