//! Who is compared.

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::by_amiquip;
use crate::by_guirpc::{self, GuirpcClient, MEASURED_SERVICE, SERVICE};
use crate::by_lapin::{self, LapinClient};
use crate::by_rust_stream::{self, RustStreamClient};
use crate::load::{Client, Load};

// The queues of the servers that were written by hand.
const INLINE: &str = "bench-inline";
const WORKERS: &str = "bench-workers";
const LAPIN: &str = "bench-lapin";

/// One way to serve and to call a function over the broker.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Contestant {
    /// Written by hand on amiquip; the function runs on the consumer's thread.
    Inline,
    /// Written by hand on amiquip; the function runs on worker threads.
    Workers,
    /// Written by hand on lapin, with tokio.
    Lapin,
    /// RustStream, with its subscribers and its requester.
    RustStream,
    /// guirpc, on the embedded broker.
    Embedded,
    /// guirpc, whose server and client are measured for Prometheus.
    Measured,
    /// guirpc, with its stubs, by a client whose calls travel together.
    Coalesced,
    /// guirpc, with its stubs.
    Guirpc,
}

impl Contestant {
    /// All of them, in the order of the report.
    pub(crate) const ALL: [Self; 8] = [
        Self::Inline,
        Self::Workers,
        Self::Lapin,
        Self::RustStream,
        Self::Embedded,
        Self::Measured,
        Self::Coalesced,
        Self::Guirpc,
    ];

    /// Those that can have many calls in flight from one thread, and whose functions can wait without one.
    pub(crate) const CONCURRENT: [Self; 3] = [Self::Lapin, Self::RustStream, Self::Guirpc];

    /// Those that are compared from one call in flight to many.
    pub(crate) const SWEPT: [Self; 4] = [Self::Lapin, Self::RustStream, Self::Coalesced, Self::Guirpc];

    /// Its column in the report.
    pub(crate) fn title(self, workers: usize) -> String {
        match self {
            Self::Inline => "amiquip, inline".to_owned(),
            Self::Workers => format!("amiquip, {workers} workers"),
            Self::Lapin => "lapin".to_owned(),
            Self::RustStream => "RustStream".to_owned(),
            Self::Embedded => "guirpc, embedded broker".to_owned(),
            Self::Measured => "guirpc, metrics".to_owned(),
            Self::Coalesced => "guirpc, coalesced".to_owned(),
            Self::Guirpc => "guirpc".to_owned(),
        }
    }

    /// Whose server its client calls: with another setting of the client, another contestant's.
    pub(crate) fn server(self) -> Self {
        if self == Self::Coalesced { Self::Guirpc } else { self }
    }

    /// The queues that its server leaves behind.
    pub(crate) fn queues(self) -> Vec<String> {
        match self {
            Self::Inline => vec![INLINE.to_owned()],
            Self::Workers => vec![WORKERS.to_owned()],
            Self::Lapin => vec![LAPIN.to_owned()],
            Self::RustStream => by_rust_stream::QUEUES.map(str::to_owned).to_vec(),
            Self::Measured => by_guirpc::queues(MEASURED_SERVICE).to_vec(),
            Self::Embedded | Self::Coalesced | Self::Guirpc => by_guirpc::queues(SERVICE).to_vec(),
        }
    }

    /// How many calls of a function that blocks its thread run at once; none if it must not block, or is not asked.
    pub(crate) fn parallel(self, workers: usize) -> Option<usize> {
        match self {
            Self::Inline => Some(1),
            Self::Workers | Self::Embedded | Self::Coalesced | Self::Guirpc => Some(workers),
            Self::Lapin | Self::RustStream | Self::Measured => None,
        }
    }

    /// Serves until the connection is lost.
    pub(crate) fn serve(self, uri: &str, workers: usize) -> Result<()> {
        match self {
            Self::Inline => by_amiquip::serve_inline(uri, INLINE),
            Self::Workers => by_amiquip::serve_with_workers(uri, WORKERS, workers),
            Self::Lapin => by_lapin::serve(uri, LAPIN),
            Self::RustStream => by_rust_stream::serve(uri),
            Self::Measured => by_guirpc::serve_measured(uri, workers),
            Self::Embedded | Self::Coalesced | Self::Guirpc => by_guirpc::serve(uri, &[SERVICE], workers),
        }
    }

    /// The fastest honest client for this load.
    pub(crate) fn connect(self, uri: &str, load: Load) -> Result<Box<dyn Client>> {
        Ok(match self {
            Self::Inline => by_amiquip::connect(uri, INLINE, load)?,
            Self::Workers => by_amiquip::connect(uri, WORKERS, load)?,
            Self::Lapin => Box::new(LapinClient::connect(uri, LAPIN)?),
            Self::RustStream => Box::new(RustStreamClient::connect(uri)?),
            Self::Measured => Box::new(GuirpcClient::connect_measured(uri)?),
            Self::Coalesced => Box::new(GuirpcClient::connect_coalescing(uri)?),
            Self::Embedded | Self::Guirpc => Box::new(GuirpcClient::connect(uri)?),
        })
    }
}
