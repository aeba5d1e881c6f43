//! Putting letters back: published, and confirmed by the broker.
//!
//! On a connection of its own: a broker that is short of memory reads from none that publishes,
//! and the letters that are held must be let go all the same.

use std::time::Duration;

use amiquip::{AmqpProperties, Confirm, Publish};
use crossbeam_channel::{Receiver, select};

use super::super::connection::explain;
use super::super::{BlockedNote, Channel, Connection, Limits, ReturnNote, wire};
use super::steps::Steps;
use crate::error::{Error, ErrorKind};

/// Publishes one message after another.
#[derive(Debug)]
pub(super) struct Publisher {
    publishing: Steps<Publishing>,
    limits: Limits,
    /// Dropped last: it cuts off whatever still waits.
    _connection: Connection,
}

struct Publishing {
    channel: Channel,
    confirms: Receiver<Confirm>,
    returns: Receiver<ReturnNote>,
    blocked: Receiver<BlockedNote>,
}

impl std::fmt::Debug for Publishing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publishing").finish_non_exhaustive()
    }
}

impl Publisher {
    pub(super) fn open(beside: &Connection, bound: Duration) -> Result<Self, Error> {
        let connection = beside.open_beside("putting dead letters back")?;
        let (opener, blocked, limits) = (connection.opener(), connection.blocked().clone(), connection.limits());
        let publishing = Steps::begin(bound, bound, move || {
            let channel = opener.open_channel()?;
            let (confirms, returns) = channel.confirm()?;
            Ok(Publishing { channel, confirms, returns, blocked })
        })?;
        Ok(Publisher { publishing, limits, _connection: connection })
    }

    /// Publishes to a queue, and waits until the broker has the message.
    ///
    /// # Errors
    /// The outer one: it may have it or not, and this publisher is of no more use. The inner one: it has it not.
    pub(super) fn publish(
        &mut self,
        queue: String,
        properties: AmqpProperties,
        body: Vec<u8>,
    ) -> Result<Result<(), String>, Error> {
        if let Err(why) = wire::check_frame(&properties, self.limits) {
            return Ok(Err(why));
        }
        self.publishing.take(move |publishing| publishing.publish(&queue, properties, &body))
    }
}

impl Publishing {
    fn publish(&self, queue: &str, properties: AmqpProperties, body: &[u8]) -> Result<Result<(), String>, Error> {
        let publish = Publish { mandatory: true, ..Publish::with_properties(body, queue, properties) };
        self.channel.0.basic_publish("", publish).map_err(|error| explain(&error))?;
        loop {
            select! {
                recv(self.confirms) -> confirm => return match confirm {
                    // A message that no queue takes is confirmed as well, after it was returned.
                    Ok(Confirm::Ack(_)) => Ok(match self.returns.try_recv() {
                        Ok(_) => Err(format!("there is no queue `{queue}` to put it back into")),
                        Err(_) => Ok(()),
                    }),
                    Ok(Confirm::Nack(_)) => Ok(Err(format!("queue `{queue}` does not take it: is it full?"))),
                    // The next request says why.
                    Err(_) => Err(self.channel.flush().err().unwrap_or_else(lost)),
                },
                recv(self.blocked) -> note => match note {
                    Ok(BlockedNote::Blocked(why)) => return Err(Error::new(
                        ErrorKind::Unreachable,
                        format!("the broker takes no messages at the moment: {why}"),
                    )),
                    Ok(BlockedNote::Unblocked) => {}
                    Err(_) => return Err(self.channel.flush().err().unwrap_or_else(lost)),
                },
            }
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Unreachable, "the connection was lost")
}
