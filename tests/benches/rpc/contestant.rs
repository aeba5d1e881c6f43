//! Who is compared.

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::child::Child;
use crate::load::{Client, Load};
use crate::{by_amiquip, by_guirpc, by_lapin};

/// One way to serve and to call a function over the broker.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contestant {
    /// Written by hand on amiquip; the function runs on the consumer's thread.
    Inline,
    /// Written by hand on amiquip; the function runs on worker threads.
    Workers,
    /// Written by hand on lapin, with tokio.
    Lapin,
    /// guirpc, on the embedded broker.
    Embedded,
    /// guirpc, with its stubs.
    Guirpc,
}

impl Contestant {
    /// All of them, in the order of the report.
    pub(crate) const ALL: [Self; 5] = [Self::Inline, Self::Workers, Self::Lapin, Self::Embedded, Self::Guirpc];

    /// Its column in the report.
    pub(crate) fn title(self, workers: usize) -> String {
        match self {
            Self::Inline => "amiquip, inline".to_owned(),
            Self::Workers => format!("amiquip, {workers} workers"),
            Self::Lapin => "lapin".to_owned(),
            Self::Embedded => "guirpc, embedded broker".to_owned(),
            Self::Guirpc => "guirpc".to_owned(),
        }
    }

    /// The queue that its server consumes from.
    pub(crate) fn queue(self) -> &'static str {
        match self {
            Self::Inline => "bench-inline",
            Self::Workers => "bench-workers",
            Self::Lapin => "bench-lapin",
            Self::Embedded | Self::Guirpc => by_guirpc::SERVICE,
        }
    }

    /// How many calls of a function that blocks its thread run at once; none if it must not block.
    pub(crate) fn parallel(self, workers: usize) -> Option<usize> {
        match self {
            Self::Inline => Some(1),
            Self::Workers | Self::Embedded | Self::Guirpc => Some(workers),
            Self::Lapin => None,
        }
    }

    /// Starts its server in a process of its own, and waits until it consumes.
    pub(crate) fn start(self, uri: &str, workers: usize) -> Result<Child> {
        let name = self.to_possible_value().context("a contestant without a name")?.get_name().to_owned();
        let arguments = ["--serve", &name, "--uri", uri, "--workers", &workers.to_string()];
        let (child, _) = Child::start(&arguments).with_context(|| format!("start the server `{name}`"))?;
        Ok(child)
    }

    /// Serves until the connection is lost.
    pub(crate) fn serve(self, uri: &str, workers: usize) -> Result<()> {
        match self {
            Self::Inline => by_amiquip::serve_inline(uri, self.queue()),
            Self::Workers => by_amiquip::serve_with_workers(uri, self.queue(), workers),
            Self::Lapin => by_lapin::serve(uri, self.queue()),
            Self::Embedded | Self::Guirpc => by_guirpc::serve(uri, workers),
        }
    }

    /// The fastest honest client for this load: by hand on amiquip, one that needs no second thread where one calls.
    pub(crate) fn connect(self, uri: &str, load: Load) -> Result<Box<dyn Client>> {
        match self {
            Self::Inline | Self::Workers if load.callers == 1 => {
                Ok(Box::new(by_amiquip::SoleClient::connect(uri, self.queue())?))
            }
            Self::Inline | Self::Workers => Ok(Box::new(by_amiquip::SharedClient::connect(uri, self.queue())?)),
            Self::Lapin => Ok(Box::new(by_lapin::LapinClient::connect(uri, self.queue())?)),
            Self::Embedded | Self::Guirpc => Ok(Box::new(by_guirpc::GuirpcClient::connect(uri)?)),
        }
    }
}
