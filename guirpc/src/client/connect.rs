//! How a client comes by its connection: waiting for it, awaiting it, or not at all.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
#[cfg(feature = "metrics")]
use std::sync::OnceLock;

use crossbeam_channel::{Sender, bounded};

use super::Client;
use super::core::Core;
use super::driver::{Driver, FirstAttempt};
use super::settings::Settings;
use crate::broker::Addresses;
use crate::error::Error;
#[cfg(feature = "metrics")]
use crate::metrics::Registered;

/// What all copies of a client, and all calls that are under way, hold: when the last is dropped, its threads end.
pub(super) struct Connected {
    pub(super) addresses: Addresses,
    pub(super) core: Arc<Core>,
    #[cfg(feature = "metrics")]
    pub(super) measured: OnceLock<Registered>,
    /// Dropped with this, which ends the driver.
    _alive: Sender<Infallible>,
}

impl Client {
    /// Connects to the broker at an AMQP URI, `amqp://user:password@host:5672/vhost`, or to one of several.
    ///
    /// It waits for the broker, up to half a minute; [`connect_async`](Client::connect_async) blocks no thread, and
    /// [`lazy`](Client::lazy) does not wait.
    /// What the URI may say beside that is in [`configuration`](crate::configuration).
    ///
    /// # Errors
    /// The URI cannot be read, no broker answers there, or it refuses the user or the virtual host.
    pub fn connect(uri: impl AsRef<str>) -> Result<Self, Error> {
        let (told, outcome) = oneshot::channel();
        let client = Client::drive(uri.as_ref(), FirstAttempt::Decides(told))?;
        outcome.recv().unwrap_or_else(|_| Err(gone()))?;
        Ok(client)
    }

    /// Connects as [`connect`](Client::connect) does, and blocks no thread.
    ///
    /// # Errors
    /// As [`connect`](Client::connect) has them.
    pub fn connect_async(uri: impl AsRef<str>) -> impl Future<Output = Result<Self, Error>> + Send {
        let (told, outcome) = oneshot::async_channel();
        let client = Client::drive(uri.as_ref(), FirstAttempt::Decides(told));
        async move {
            let client = client?;
            outcome.await.unwrap_or_else(|_| Err(gone()))?;
            Ok(client)
        }
    }

    /// Makes a client that connects in the background, and goes on trying: the broker need not be there yet.
    ///
    /// For programs that start in any order. Calls wait for the connection until their deadline.
    ///
    /// ```
    /// let client = guirpc::Client::lazy("amqp://localhost")?;
    /// # Ok::<(), guirpc::Error>(())
    /// ```
    ///
    /// # Errors
    /// The URI cannot be read.
    pub fn lazy(uri: impl AsRef<str>) -> Result<Self, Error> {
        Client::drive(uri.as_ref(), FirstAttempt::OneOfMany)
    }

    fn drive(uri: &str, first: FirstAttempt) -> Result<Self, Error> {
        let addresses = Addresses::parse(uri)?;
        let core = Arc::new(Core::new());
        let (alive, dropped) = bounded(0);
        Driver { addresses: addresses.clone(), core: Arc::clone(&core), dropped }.spawn(first)?;
        let connected = Arc::new(Connected {
            addresses,
            core,
            #[cfg(feature = "metrics")]
            measured: OnceLock::new(),
            _alive: alive,
        });
        Ok(Client { connected, settings: Settings::default() })
    }
}

fn gone() -> Error {
    Error::new(crate::error::ErrorKind::System, "the thread of the client has ended")
}
