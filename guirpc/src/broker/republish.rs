//! The channel on which requests are published again, each confirmed by the broker: for another attempt, as a dead
//! letter, or back as they were.
//!
//! Nothing in here waits for a confirmation: they are matched to what was published by its number.

use std::time::SystemTime;

use amiquip::{AmqpProperties, Publish};
use crossbeam_channel::Receiver;

use super::connection::{Opener, explain};
use super::{Channel, ConfirmNote, Connection, Limits, QueueKind, Receipt, ReturnNote, wire};
use crate::error::{Error, ErrorKind};
use crate::message::Request;
use crate::message::dead::Death;

/// Opens a [`RepublishChannel`], when the first request is to be published again.
pub(crate) struct RepublishOpener(Opener, Limits);

/// A confirming channel; the number of a message is how many have been published before it, and one.
pub(crate) struct RepublishChannel {
    opener: Opener,
    limits: Limits,
    channel: Channel,
    confirms: Receiver<ConfirmNote>,
    returns: Receiver<ReturnNote>,
}

impl RepublishOpener {
    pub(crate) fn on(connection: &Connection) -> Self {
        RepublishOpener(connection.opener(), connection.limits())
    }

    /// Opens the channel, which waits for the broker.
    pub(crate) fn open(&self) -> Result<RepublishChannel, Error> {
        let channel = self.0.open_channel()?;
        let (confirms, returns) = channel.confirm()?;
        Ok(RepublishChannel { opener: self.0.clone(), limits: self.1, channel, confirms, returns })
    }
}

impl RepublishChannel {
    /// Publishes a request for another attempt, after so many; after none it is put back as it was.
    ///
    /// # Errors
    /// The outer one: the channel is lost. The inner one: it cannot be published, since its headers leave no room.
    pub(crate) fn attempt(
        &self,
        queue: &str,
        receipt: &Receipt,
        request: &Request,
        attempts: u32,
    ) -> Result<Result<(), String>, Error> {
        let properties = wire::as_attempt(&receipt.properties(request), attempts, SystemTime::now());
        if let Err(why) = wire::check_frame(&properties, self.limits) {
            return Ok(Err(why));
        }
        self.publish(queue, &request.body, properties).map(Ok)
    }

    /// Publishes a request as a dead letter.
    pub(crate) fn dead_letter(
        &self,
        queue: &str,
        receipt: &Receipt,
        request: &Request,
        death: &Death<'_>,
    ) -> Result<(), Error> {
        let properties = wire::as_dead_letter(&receipt.properties(request), death, self.limits);
        self.publish(queue, &request.body, properties)
    }

    fn publish(&self, queue: &str, body: &[u8], properties: AmqpProperties) -> Result<(), Error> {
        let publish = Publish { mandatory: true, ..Publish::with_properties(body, queue, properties) };
        self.channel.0.basic_publish("", publish).map_err(|error| explain(&error))
    }

    /// Declares a queue that is missing, on a channel of its own, which is all that a refusal costs.
    pub(crate) fn declare(&self, queue: &str, kind: QueueKind) -> Result<(), Error> {
        self.opener.open_channel()?.declare_queue(queue, kind)
    }

    /// Where the broker says what it has taken, and what not; a message that it returns is confirmed afterwards.
    pub(crate) fn confirms(&self) -> &Receiver<ConfirmNote> {
        &self.confirms
    }

    /// The next message that no queue takes, if one has been returned by now.
    pub(crate) fn returned(&self) -> Option<ReturnNote> {
        self.returns.try_recv().ok()
    }

    /// Why the channel is closed, as far as it is known.
    pub(crate) fn end(&self) -> Error {
        let silent = || Error::new(ErrorKind::Unreachable, "it was closed without a word");
        self.channel.flush().err().unwrap_or_else(silent)
    }
}

/// Whether this is the request that was returned from that queue.
///
/// Two that agree in all of this and differ in their headers only are taken for each other.
pub(crate) fn is_returned(note: &ReturnNote, queue: &str, receipt: &Receipt, request: &Request) -> bool {
    if note.routing_key != queue || note.content != request.body {
        return false;
    }
    let properties = receipt.properties(request);
    note.properties.correlation_id() == properties.correlation_id() && note.properties.type_() == properties.type_()
}
