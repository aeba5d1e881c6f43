//! For the tests of a service: its functions on a broker, inside a `#[test]`, and stand-ins for functions elsewhere.
//!
//! [`serve!`] starts what a program serves on an [embedded broker](crate::embedded) of its own, and gives a client:
//!
//! ```standalone_crate
//! #[guirpc::function]
//! fn add(a: i64, b: i64) -> i64 {
//!     a + b
//! }
//!
//! // in a test:
//! let service = guirpc::testing::serve!().start()?;
//! assert_eq!(add::call(service.client(), 1, 2)?, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! As in production, the call goes over a socket and through a broker:
//! arguments that cannot be encoded or decoded and functions that exceed their timeout fail here too.
//! Server and broker end when the value that [`start`](Setup::start) returns is dropped.
//!
//! A test serves the functions that are linked into it: a unit test those of its own crate,
//! a test in the folder `tests` those of the package's library, if it uses that.
//!
//! Have the code under test take its client as a parameter or as state; a test then passes [`Service::client`].
//!
//! # On another broker
//!
//! With `GUIRPC_TEST_AMQP_URI` in its environment the same test runs on the broker that it names.
//! Tests that run there at the same time, in one process or in several, are isolated from each other:
//!
//! - each serves under names of its own, `SERVICE.test-ID` with an id that no other test has,
//!   and only its client, the one that [`Service::client`] gives, calls by these names;
//! - its queues are exclusive, so the broker itself removes them when the connection of the test ends, however it ends.
//!
//! Only the exchange `guirpc` stays behind, which all tests and all services share.
//! To a function, [`Context::service`](crate::Context::service) is the same as in production.

use std::fmt;

use crate::client::Client;
use crate::error::Error;
use crate::function::Function;
use crate::registry::Registration;
use crate::server::{self, Server};

mod call;
mod carrier;
mod served;
mod signature;
mod stand_in;

pub use call::Call;
use carrier::Carrier;
use signature::Signature;
use stand_in::StandIn;

/// Serves this package's functions in a test: gives a [`Setup`](crate::testing::Setup), which is then started.
///
/// ```standalone_crate
/// struct Tax(u32);
///
/// #[guirpc::function]
/// fn price(#[state] tax: &Tax, net: u32) -> u32 {
///     net + tax.0
/// }
///
/// let service = guirpc::testing::serve!().state(Tax(3)).start()?;
/// assert_eq!(price::call(service.client(), 10)?, 13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __testing_serve {
    () => {
        $crate::testing::Setup::of_package(::core::env!("CARGO_PKG_NAME"))
    };
}

#[doc(inline)]
pub use crate::__testing_serve as serve;

/// What a test serves, with which state and which stand-ins; made by [`serve!`].
#[must_use = "nothing is served before it is started"]
pub struct Setup {
    package: &'static str,
    /// Instead of the package's own.
    services: Option<Vec<String>>,
    stand_ins: Vec<&'static Registration>,
    /// In the order in which they were added.
    steps: Vec<Step>,
}

/// A change to the server's setup.
type Step = Box<dyn FnOnce(server::Setup, &Client) -> server::Setup>;

impl Setup {
    #[doc(hidden)]
    pub fn of_package(package: &'static str) -> Self {
        Setup { package, services: None, stand_ins: Vec::new(), steps: Vec::new() }
    }

    /// Serves these services, instead of the one that is named for the package.
    pub fn services<S: Into<String>>(mut self, services: impl IntoIterator<Item = S>) -> Self {
        self.services = Some(services.into_iter().map(Into::into).collect());
        self
    }

    /// Adds the value that parameters marked `#[state]` of the type `&T` refer to.
    pub fn state<T: Send + Sync + 'static>(self, state: T) -> Self {
        self.state_with(|_| state)
    }

    /// Adds state that calls functions itself: it is given the client that reaches what this test serves.
    ///
    /// ```standalone_crate
    /// #[guirpc::function(service = "taxes")]
    /// fn tax(net: u32) -> u32;
    ///
    /// #[guirpc::function]
    /// fn price(#[state] client: &guirpc::Client, net: u32) -> Result<u32, guirpc::Fault> {
    ///     Ok(net + tax::call(client, net)?)
    /// }
    ///
    /// let setup = guirpc::testing::serve!().state_with(|client| client.clone());
    /// let service = setup.stand_in::<tax, _>(|net| net / 5).start()?;
    /// assert_eq!(price::call(service.client(), 10)?, 12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state_with<T: Send + Sync + 'static>(self, state: impl FnOnce(&Client) -> T + 'static) -> Self {
        self.step(|setup, client| setup.state(state(client)))
    }

    /// How many functions run at once; the default is the machine's parallelism.
    pub fn workers(self, workers: usize) -> Self {
        self.step(move |setup, _| setup.workers(workers))
    }

    /// Answers for a function that another program serves: a call of `F` in this test reaches the stand-in.
    ///
    /// It has the signature of `F`, without `async`, and the compiler checks that:
    /// it takes what `F` takes, borrowed where `F` borrows, and returns what `F` returns.
    /// Its own type is for the compiler to find, hence the `_`.
    ///
    /// ```standalone_crate
    /// #[guirpc::function(service = "math")]
    /// fn add(a: i64, b: i64) -> i64;
    ///
    /// #[guirpc::function(service = "users")]
    /// fn find(name: &str) -> Result<u64, guirpc::Fault>;
    ///
    /// let service = guirpc::testing::serve!()
    ///     .stand_in::<add, _>(|a, b| a + b)
    ///     .stand_in::<find, _>(|name| if name == "ada" { Ok(1) } else { Err(guirpc::Fault::new(404, "who?")) })
    ///     .start()?;
    /// assert_eq!(add::call(service.client(), 1, 2)?, 3);
    /// assert_eq!(find::call(service.client(), "ada")?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A package that has no functions of its own is tested with nothing but stand-ins.
    /// A panic in a stand-in is a fault to its caller, as in any function.
    pub fn stand_in<F, S>(mut self, stand_in: S) -> Self
    where
        F: Function + 'static,
        F::Arity: Signature<F, S>,
        S: Send + Sync + 'static,
    {
        self.stand_ins.push(&StandIn::<F>::REGISTRATION);
        self.state(StandIn::<F>::new(stand_in))
    }

    fn step(mut self, step: impl FnOnce(server::Setup, &Client) -> server::Setup + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// Starts the broker, the server and a client; they end when the value that it gives is dropped.
    ///
    /// # Errors
    /// There is nothing to serve, state is missing, a stand-in is for a function that is served here,
    /// or the broker that `GUIRPC_TEST_AMQP_URI` names cannot be used.
    pub fn start(self) -> Result<Service, Error> {
        let services = served::services(self.package, self.services, &self.stand_ins)?;
        let carrier = Carrier::find()?;
        let client = carrier.client()?;
        let setup = self.stand_ins.into_iter().fold(carrier.setup(services), server::Setup::stand_in);
        let setup = self.steps.into_iter().fold(setup, |setup, step| step(setup, &client));
        let server = Server::start(setup)?;
        Ok(Service { client, _server: server, _carrier: carrier })
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("package", &self.package)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

/// What a test has started: it serves until this is dropped.
pub struct Service {
    // Dropped in this order: who calls, who answers, what carries it.
    client: Client,
    _server: Server,
    _carrier: Carrier,
}

impl Service {
    /// The client that reaches it; on a broker that tests share, it is the only one that does.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("client", &self.client).finish_non_exhaustive()
    }
}
