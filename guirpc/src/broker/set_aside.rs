//! Publishing a request again, confirmed: for another attempt, or as a dead letter.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use amiquip::{AmqpProperties, Publish};
use crossbeam_channel::Receiver;

use super::connection::{Opener, explain};
use super::{Channel, ConfirmNote, Connection, Original, QueueKind, ReturnNote, confirmed, wire};
use crate::error::{Error, ErrorKind};
use crate::message::dead::Death;

/// For the broker to say that it has a message.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// A channel for requests that are put somewhere else; the delivery is acknowledged afterwards, by its keeper.
pub(crate) struct SetAside {
    opener: Opener,
    channel: Channel,
    published: u64,
    confirms: Receiver<ConfirmNote>,
    returns: Receiver<ReturnNote>,
}

impl SetAside {
    pub(crate) fn open(connection: &mut Connection) -> Result<Self, Error> {
        let channel = connection.open_channel()?;
        let (confirms, returns) = channel.confirm()?;
        Ok(SetAside { opener: connection.opener(), channel, published: 0, confirms, returns })
    }

    /// Puts a request into a queue for another attempt.
    ///
    /// # Errors
    /// The broker does not have it, for the reason given.
    pub(crate) fn again(&mut self, queue: &str, original: &Original, body: &[u8], attempts: u32) -> Result<(), Error> {
        let properties = as_attempt(original, attempts)?;
        self.put(queue, body, properties)
    }

    /// Puts a request into the queue of dead letters, which is declared if it is not there.
    ///
    /// # Errors
    /// As [`again`](SetAside::again) has them.
    pub(crate) fn bury(
        &mut self,
        queue: &str,
        kind: QueueKind,
        original: &Original,
        body: &[u8],
        death: &Death<'_>,
    ) -> Result<(), Error> {
        let letter = || wire::as_dead_letter(&original.0, death);
        match self.put(queue, body, letter()) {
            Err(error) if error.kind() == ErrorKind::Topology => {
                // On a channel of its own, which is all that a refusal costs.
                self.opener.open_channel()?.declare_queue(queue, kind)?;
                self.put(queue, body, letter())
            }
            put => put,
        }
    }

    /// Puts requests back as they were, each into its queue; all of them, or else it is not known which.
    ///
    /// # Errors
    /// As [`again`](SetAside::again) has them.
    pub(crate) fn all_again<'a>(
        &mut self,
        requests: impl Iterator<Item = (&'a str, &'a Original, &'a [u8], u32)>,
    ) -> Result<(), Error> {
        let first = self.published + 1;
        self.returns.try_iter().for_each(drop);
        for (queue, original, body, attempts) in requests {
            self.publish(queue, body, as_attempt(original, attempts)?)?;
        }
        self.confirmed(first)
    }

    fn put(&mut self, queue: &str, body: &[u8], properties: AmqpProperties) -> Result<(), Error> {
        // What is late of the one before would be taken for this one's.
        self.returns.try_iter().for_each(drop);
        self.publish(queue, body, properties)?;
        self.confirmed(self.published)
    }

    fn publish(&mut self, queue: &str, body: &[u8], properties: AmqpProperties) -> Result<(), Error> {
        let publish = Publish { mandatory: true, ..Publish::with_properties(body, queue, properties) };
        self.channel.0.basic_publish("", publish).map_err(|error| explain(&error))?;
        self.published += 1;
        Ok(())
    }

    /// Waits until the broker has all messages, beginning with this one.
    fn confirmed(&mut self, first: u64) -> Result<(), Error> {
        let deadline = Instant::now() + CONFIRM_TIMEOUT;
        let mut open: BTreeSet<u64> = (first..=self.published).collect();
        let mut rejected = false;
        while !open.is_empty() {
            let Ok(note) = self.confirms.recv_deadline(deadline) else {
                return Err(Error::new(ErrorKind::Unreachable, "the broker did not confirm in time"));
            };
            let (tag, multiple, taken) = confirmed(note);
            let later = open.split_off(&(tag + 1));
            let is_open = open.remove(&tag);
            rejected |= !taken && (is_open || (multiple && !open.is_empty()));
            if multiple {
                open.clear();
            }
            open.extend(later);
        }
        // What is returned is confirmed as well, afterwards.
        match self.returns.try_iter().last() {
            Some(note) => Err(Error::new(ErrorKind::Topology, format!("there is no queue `{}`", note.routing_key))),
            None if rejected => Err(Error::new(ErrorKind::Denied, "a queue rejects: it is full")),
            None => Ok(()),
        }
    }
}

fn as_attempt(original: &Original, attempts: u32) -> Result<AmqpProperties, Error> {
    wire::as_attempt(&original.0, attempts, SystemTime::now())
        .ok_or_else(|| Error::new(ErrorKind::Denied, "its headers leave no room for the count"))
}
