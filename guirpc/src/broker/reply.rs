//! Publishing replies.

use amiquip::Publish;

use super::connection::explain;
use super::{Channel, ReplyTo, wire};
use crate::error::Error;
use crate::message::EncodedReply;

impl Channel {
    /// Publishes a reply to the address that the request named.
    ///
    /// # Errors
    /// The outer one: the channel is unusable. The inner one: this reply cannot be sent, for the reason given.
    pub(crate) fn publish_reply(
        &self,
        address: &ReplyTo,
        correlation_id: Option<String>,
        reply: &EncodedReply,
    ) -> Result<Result<(), String>, Error> {
        if let Err(why) = wire::check_headers(&reply.headers) {
            return Ok(Err(why));
        }
        let properties = wire::reply_properties(reply, correlation_id);
        // Not mandatory: a live direct reply-to address would be returned all the same.
        let publish = Publish::with_properties(&reply.body, address.as_str(), properties);
        self.0.basic_publish("", publish).map(Ok).map_err(|error| explain(&error))
    }
}
