//! Putting letters back, or to the end of their queue: published, and confirmed by the broker.
//!
//! On a connection of its own: a broker that is short of memory reads from none that publishes,
//! and the letters that are held must be let go all the same.

use std::collections::HashMap;
use std::time::Duration;

use amiquip::{AmqpProperties, Confirm, Publish};
use crossbeam_channel::{Receiver, select};

use super::super::connection::{Opener, explain};
use super::super::{BlockedNote, Channel, Connection, Limits, ReturnNote, wire};
use super::journal;
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
    opener: Opener,
    channel: Channel,
    journal: String,
    /// The queue that was there after the last request was put into it.
    present: Option<String>,
    /// Those that have refused one: no other is tried.
    refusing: HashMap<String, String>,
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
    /// Opens it, and marks the journal; so it is known that the broker takes messages.
    pub(super) fn open(beside: &Connection, journal: String, bound: Duration) -> Result<Self, Error> {
        let connection = beside.open_beside("putting dead letters back")?;
        let (opener, blocked, limits) = (connection.opener(), connection.blocked().clone(), connection.limits());
        let publishing = Steps::begin(bound, bound, move || {
            let channel = opener.open_channel()?;
            let (confirms, returns) = channel.confirm()?;
            let (present, refusing) = (None, HashMap::new());
            let publishing = Publishing { opener, channel, journal, present, refusing, confirms, returns, blocked };
            publishing.mark()?;
            Ok(publishing)
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

    /// Publishes a request to its queue and to the journal, and waits until the broker has both.
    ///
    /// # Errors
    /// As [`publish`](Publisher::publish); what it has not is not in the journal either.
    pub(super) fn put_back(
        &mut self,
        queue: String,
        properties: AmqpProperties,
        body: Vec<u8>,
    ) -> Result<Result<(), String>, Error> {
        self.publishing.take(move |publishing| publishing.put_back(&queue, properties, &body))
    }
}

impl Publishing {
    fn put_back(&mut self, queue: &str, properties: AmqpProperties, body: &[u8]) -> Result<Result<(), String>, Error> {
        if let Some(why) = self.refusing.get(queue) {
            return Ok(Err(why.clone()));
        }
        // The journal takes it in any case, so the broker does not return it.
        if self.present.as_deref() != Some(queue) && !self.is_present(queue)? {
            return Ok(Err(missing(queue)));
        }
        let published = self.publish(queue, properties, body)?;
        let published = match published {
            Ok(()) if !self.is_present(queue)? => Err(missing(queue)),
            published => published,
        };
        if let Err(why) = &published {
            self.channel.0.queue_purge(self.journal.as_str()).map_err(|error| explain(&error))?;
            self.mark()?;
            self.refusing.insert(queue.to_owned(), why.clone());
        }
        Ok(published)
    }

    fn is_present(&mut self, queue: &str) -> Result<bool, Error> {
        let is_present = self.opener.open_channel()?.count(queue)?.is_some();
        self.present = is_present.then(|| queue.to_owned());
        Ok(is_present)
    }

    fn mark(&self) -> Result<(), Error> {
        self.publish(&self.journal, journal::mark(), b"")?.map_err(|why| Error::new(ErrorKind::Unreachable, why))
    }

    fn publish(&self, queue: &str, properties: AmqpProperties, body: &[u8]) -> Result<Result<(), String>, Error> {
        let publish = Publish { mandatory: true, ..Publish::with_properties(body, queue, properties) };
        self.channel.0.basic_publish("", publish).map_err(|error| explain(&error))?;
        loop {
            select! {
                recv(self.confirms) -> confirm => return match confirm {
                    // A message that no queue takes is confirmed as well, after it was returned.
                    Ok(Confirm::Ack(_)) => Ok(match self.returns.try_recv() {
                        Ok(_) => Err(missing(queue)),
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

fn missing(queue: &str) -> String {
    format!("there is no queue `{queue}` to put it back into")
}

fn lost() -> Error {
    Error::new(ErrorKind::Unreachable, "the connection was lost")
}
