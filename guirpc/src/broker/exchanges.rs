//! Exchanges that somebody else declares: whether they are there.
//!
//! Publishing to one that is not there closes the channel, and all calls that wait on it are lost.
//! So it is asked for first, on a channel of its own, which is all that the question can cost.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tracing::warn;

use super::connection::{Opener, bounded};
use super::{Connection, EXCHANGE};

/// What is known of the exchanges, for as long as nothing has shown it to be wrong.
#[derive(Clone, Debug)]
pub(crate) struct Exchanges {
    opener: Opener,
    /// Those that were there; read at every call, and by many threads at once.
    present: Arc<RwLock<HashSet<String>>>,
    /// Those that were missing, and that the log has told of.
    ///
    /// Locked for as long as the broker is asked, so that it is asked once by all who want to know.
    missed: Arc<Mutex<HashSet<String>>>,
}

/// What the broker says of an exchange.
#[derive(Debug)]
pub(crate) enum Presence {
    Present,
    Missing,
    /// It refused to say.
    Denied(String),
    /// The connection is gone.
    Gone(String),
    /// It said nothing in time.
    Unanswered,
}

impl Exchanges {
    pub(crate) fn on(connection: &Connection) -> Self {
        Exchanges { opener: connection.opener(), present: Arc::default(), missed: Arc::default() }
    }

    /// Asks, within `bound`; what was there once is not asked for again.
    pub(crate) fn presence(&self, exchange: &str, bound: Duration) -> Presence {
        // The default exchange is always there, and ours is declared by whoever connects.
        if exchange.is_empty() || exchange == EXCHANGE || self.is_known(exchange) {
            return Presence::Present;
        }
        let (exchanges, exchange) = (self.clone(), exchange.to_owned());
        bounded(bound, move || exchanges.ask(&exchange)).unwrap_or(Presence::Unanswered)
    }

    fn is_known(&self, exchange: &str) -> bool {
        self.present.read().unwrap_or_else(PoisonError::into_inner).contains(exchange)
    }

    fn ask(&self, exchange: &str) -> Presence {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_known(exchange) {
            return Presence::Present;
        }
        let asked = match self.opener.open_channel() {
            Ok(channel) => channel.0.exchange_declare_passive(exchange).map(drop),
            Err(error) => return Presence::Gone(error.to_string()),
        };
        match asked {
            Ok(()) => {
                self.present.write().unwrap_or_else(PoisonError::into_inner).insert(exchange.to_owned());
                Presence::Present
            }
            Err(amiquip::Error::ServerClosedChannel { code: 404, .. }) => {
                if missed.insert(exchange.to_owned()) {
                    warn!(
                        "there is no exchange `{exchange}`: calls through it are unroutable until a service declares it"
                    );
                }
                Presence::Missing
            }
            Err(amiquip::Error::ServerClosedChannel { message, .. }) => Presence::Denied(message),
            Err(error) => Presence::Gone(error.to_string()),
        }
    }
}
