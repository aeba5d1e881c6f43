//! Publishing replies, and knowing which of them have left this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amiquip::{AmqpProperties, Publish};

use super::connection::{WrittenCount, explain};
use super::{Channel, Connection, DropOnThread, Limits, ReplyTo, wire};
use crate::codec::coalesced::{CoalescedReply, encode_replies};
use crate::error::Error;
use crate::message::EncodedReply;

/// A channel that replies are published on; it belongs to one thread at a time.
pub(crate) struct ReplyChannel {
    channel: DropOnThread<Channel>,
    limits: Limits,
    progress: ReplyProgress,
}

/// How far the replies of a channel are, for any thread.
#[derive(Clone, Debug)]
pub(crate) struct ReplyProgress {
    handed_over: Arc<AtomicU64>,
    written: WrittenCount,
}

impl ReplyProgress {
    /// How many were handed over by now.
    pub(crate) fn handed_over(&self) -> u64 {
        self.handed_over.load(Ordering::SeqCst)
    }

    /// Whether so many have left this process, so that they arrive even if it is killed.
    pub(crate) fn has_written(&self, count: u64) -> bool {
        self.written.load(Ordering::SeqCst) >= count
    }
}

impl ReplyChannel {
    pub(crate) fn open(connection: &Connection) -> Result<Self, Error> {
        let (channel, written) = connection.opener().open_counted_channel()?;
        let progress = ReplyProgress { handed_over: Arc::default(), written };
        Ok(ReplyChannel { channel: DropOnThread::new(channel), limits: connection.limits(), progress })
    }

    pub(crate) fn progress(&self) -> ReplyProgress {
        self.progress.clone()
    }

    /// Publishes a reply to the address that the request named.
    ///
    /// # Errors
    /// The outer one: the channel is unusable. The inner one: this reply cannot be sent, for the reason given.
    pub(crate) fn publish(
        &self,
        address: &ReplyTo,
        correlation_id: Option<String>,
        reply: &EncodedReply,
    ) -> Result<Result<(), String>, Error> {
        match self.properties(reply, correlation_id) {
            Ok(properties) => self.hand_over(address, &reply.body, properties).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Whether a reply can be sent, as far as that can be seen.
    ///
    /// # Errors
    /// It cannot, for the reason given.
    pub(crate) fn check(&self, reply: &EncodedReply) -> Result<(), String> {
        self.properties(reply, None).map(|_| ())
    }

    /// The properties of a reply, unless it cannot be sent.
    fn properties(&self, reply: &EncodedReply, correlation_id: Option<String>) -> Result<AmqpProperties, String> {
        let properties = wire::reply_properties(reply, correlation_id);
        wire::check_header_names(&reply.headers)?;
        wire::check_frame(&properties, self.limits)?;
        Ok(properties)
    }

    fn hand_over(&self, address: &ReplyTo, body: &[u8], properties: AmqpProperties) -> Result<(), Error> {
        // Not mandatory: a live direct reply-to address would be returned all the same.
        let publish = Publish::with_properties(body, address.as_str(), properties);
        self.channel.0.basic_publish("", publish).map_err(|error| explain(&error))?;
        self.progress.handed_over.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Publishes a message of several replies to the address that their requests named.
    ///
    /// # Errors
    /// The channel is unusable.
    pub(crate) fn publish_replies(&self, address: &ReplyTo, replies: &[CoalescedReply<'_>]) -> Result<(), Error> {
        self.hand_over(address, &encode_replies(replies), wire::replies_properties())
    }

    /// Waits until the broker has got all that were published before.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.channel.flush()
    }
}
