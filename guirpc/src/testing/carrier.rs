//! What carries the calls of a test: a broker of its own in memory, or one that the environment names.

use std::env;

use uuid::Uuid;

use crate::Setup;
use crate::client::Client;
use crate::embedded::Broker;
use crate::error::{Error, ErrorKind};

/// Where tests are to run, if not in memory.
const URI: &str = "GUIRPC_TEST_AMQP_URI";

/// The broker of a test; the URI may hold a password.
pub(super) enum Carrier {
    /// Its own.
    Own(Broker),
    /// One that it shares with others, under names that end so.
    Shared { uri: String, suffix: String },
}

impl Carrier {
    pub(super) fn find() -> Result<Self, Error> {
        match env::var_os(URI).filter(|uri| !uri.is_empty()) {
            None => Broker::start().map(Carrier::Own),
            Some(uri) => {
                let not_utf8 = |_| Error::new(ErrorKind::Configuration, format!("{URI} is not UTF-8"));
                let suffix = format!(".test-{}", Uuid::new_v4().simple());
                Ok(Carrier::Shared { uri: uri.into_string().map_err(not_utf8)?, suffix })
            }
        }
    }

    pub(super) fn client(&self) -> Result<Client, Error> {
        match self {
            Carrier::Own(broker) => Client::connect(broker.uri()),
            Carrier::Shared { uri, suffix } => {
                Client::connect(uri).map(|client| client.apart(suffix)).map_err(|error| {
                    let message = format!("{URI} names a broker that cannot be used: {error}");
                    error.with_message(message)
                })
            }
        }
    }

    pub(super) fn setup(&self, services: Vec<String>) -> Setup {
        let setup = Setup::new(services);
        match self {
            Carrier::Own(broker) => setup.uri(broker.uri()),
            Carrier::Shared { uri, suffix } => setup.uri(uri).apart(suffix),
        }
    }
}
