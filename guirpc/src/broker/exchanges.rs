//! Exchanges that somebody else declares: whether they are there.
//!
//! Publishing to one that is not there closes the channel, and all calls that wait on it are lost.
//! So it is asked for first, on a channel of its own, which is all that the question can cost.

use super::bounded::bounded;
use super::connection::Opener;
use super::{Connection, EXCHANGE};
use std::time::Duration;

/// For the broker to say whether it has an exchange.
const BOUND: Duration = Duration::from_secs(10);

/// Asks the broker for exchanges, on the connection that it was made for.
#[derive(Clone, Debug)]
pub(crate) struct Exchanges(Opener);

/// What the broker says of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Present,
    Missing,
    /// It refused to say, in these words.
    Denied(String),
    /// It said nothing in time, or the connection is gone.
    Unanswered,
}

impl Exchanges {
    pub(crate) fn on(connection: &Connection) -> Self {
        Exchanges(connection.opener())
    }

    /// Whether an exchange is there on any connection: the default one is, and ours is declared by whoever connects.
    pub(crate) fn is_given(exchange: &str) -> bool {
        exchange.is_empty() || exchange == EXCHANGE
    }

    /// Asks, and waits for the answer, within a bound.
    pub(crate) fn ask(&self, exchange: &str) -> Presence {
        let (opener, exchange) = (self.0.clone(), exchange.to_owned());
        let answer = bounded(BOUND, move || {
            let channel = opener.open_channel().ok()?;
            Some(match channel.0.exchange_declare_passive(exchange).map(drop) {
                Ok(()) => Presence::Present,
                Err(amiquip::Error::ServerClosedChannel { code: 404, .. }) => Presence::Missing,
                Err(amiquip::Error::ServerClosedChannel { message, .. }) => Presence::Denied(message),
                Err(_) => Presence::Unanswered,
            })
        });
        answer.flatten().unwrap_or(Presence::Unanswered)
    }
}
