//! A channel that a client publishes its requests on, and on which it is answered.

use std::cell::RefCell;

use amiquip::{AmqpProperties, AmqpValue, ConsumerMessage, ConsumerOptions, FieldTable, Publish};
use crossbeam_channel::Receiver;

use super::connection::{ChannelBodies, explain};
use super::reply_to::NOBODY;
use super::topology::EXCHANGE;
use super::{Channel, Connection, Failure, Outbound, OutboundMessage, Size, wire};
use crate::codec::Codec;
use crate::codec::coalesced::{CoalescedReply, decode_replies};
use crate::error::Error;
use crate::log::debug;
use crate::message::{EncodedReply, FAAS_NAME, Name, PING, REPLIES};

/// "The broker has the message", or "it gave up on it".
pub(crate) use amiquip::Confirm as ConfirmNote;
/// A message for one of our queues of replies.
pub(crate) use amiquip::ConsumerMessage as ReplyNote;
/// "No queue takes this message."
pub(crate) use amiquip::Return as ReturnNote;

/// RabbitMQ's pseudo-queue: replies come straight to the channel that published the request.
pub(super) const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// A channel for requests; dropping it asks the broker, and waits for the answer.
pub(crate) struct RequestChannel {
    channel: Channel,
    /// An exchange that is there and may be written to: ours, or else the last one that was.
    exchange: RefCell<Name>,
}

/// What comes in on a [`RequestChannel`].
pub(crate) struct Incoming {
    pub(crate) replies: Receiver<ReplyNote>,
    /// The bodies of replies that were too large.
    pub(crate) bodies: ChannelBodies,
    pub(crate) returns: Receiver<ReturnNote>,
    /// Nothing ever comes here unless the channel confirms.
    pub(crate) confirms: Receiver<ConfirmNote>,
}

/// Opens the two channels of a client: one without confirms, and one on which the broker confirms what it has taken.
///
/// It waits for the broker, so it is for a thread that can be given up.
pub(crate) fn request_channels(
    connection: &Connection,
) -> impl FnOnce() -> Result<[(RequestChannel, Incoming); 2], Error> + Send + 'static {
    let opener = connection.opener();
    move || {
        opener.keep_consumers();
        let plain = opener.open_channel()?;
        let confirming = opener.open_channel()?;
        confirming.0.enable_publisher_confirms().map_err(|error| explain(&error))?;
        Ok([RequestChannel::on(plain)?, RequestChannel::on(confirming)?])
    }
}

impl RequestChannel {
    /// What a message takes that only asks whether what was published before it has been read.
    pub(crate) const PROBE: Size = Size { bytes: 200, frames: 3 };

    fn on(channel: Channel) -> Result<(Self, Incoming), Error> {
        let returns = channel.0.listen_for_returns().map_err(|error| explain(&error))?;
        let confirms = channel.0.listen_for_publisher_confirms().map_err(|error| explain(&error))?;
        // RabbitMQ wants the consumer before the first request, on the same channel, without acknowledgements.
        let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
        let consumer = channel.start_consumer(DIRECT_REPLY_TO, options).map_err(|error| explain(&error))?;
        let replies = consumer.receiver().clone();
        // It lives as long as the channel: consumers of this connection are kept.
        drop(consumer);
        let exchange = RefCell::new(EXCHANGE.into());
        let bodies = channel.bodies();
        Ok((RequestChannel { channel, exchange }, Incoming { replies, bodies, returns, confirms }))
    }

    /// Publishes a message that [`Outbound::message`] made of this request.
    ///
    /// # Errors
    /// Not all of the message was handed over, so it cannot have been sent.
    pub(crate) fn publish(&self, request: &Outbound, message: OutboundMessage<'_>) -> Result<(), Error> {
        if *self.exchange.borrow() != request.exchange {
            self.exchange.replace(request.exchange.clone());
        }
        self.channel.0.basic_publish(&*request.exchange, message.0).map_err(|error| explain(&error))
    }

    /// Publishes what no queue takes: its return says that the broker has read everything before it.
    ///
    /// It goes where the last request went. An exchange that gives every queue everything brings it to servers, who are
    /// asked then whether they are there, and answer nobody.
    pub(crate) fn probe(&self) -> Result<(), Error> {
        let headers = FieldTable::from([(FAAS_NAME.to_owned(), AmqpValue::LongString(String::new()))]);
        let ping = AmqpProperties::default()
            .with_type_(PING.to_owned())
            .with_content_type(Codec::Json.content_type().to_owned())
            .with_reply_to(NOBODY.to_owned())
            .with_headers(headers);
        let probe = Publish { mandatory: true, ..Publish::with_properties(b"{}", NOBODY, ping) };
        self.channel.0.basic_publish(self.exchange.borrow().to_string(), probe).map_err(|error| explain(&error))
    }
}

/// A reply, unless it was too large to be kept.
pub(crate) type Received = Result<EncodedReply, TooLarge>;

/// A reply of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) bytes: u64,
}

/// What a note is: a reply and whose it is, or several, or the failure after which no more will come.
///
/// `whose` makes what it likes of a correlation id.
pub(crate) fn replies<T>(
    note: ReplyNote,
    bodies: &ChannelBodies,
    whose: impl Fn(&str) -> Option<T>,
    all: &mut Vec<(Option<T>, Received)>,
) -> Result<(), Failure> {
    let delivery = match note {
        ConsumerMessage::Delivery(delivery) => delivery,
        end => return Err(Failure::from(&end)),
    };
    let dropped = bodies.take_dropped(&delivery);
    match (dropped, delivery.properties.type_().as_deref()) {
        (None, Some(REPLIES)) => match decode_replies(&delivery.body) {
            Ok(replies) => {
                all.extend(replies.into_iter().map(|CoalescedReply { id, reply }| (whose(id), Ok(reply.into_owned()))));
            }
            Err(error) => debug!("replies that came together cannot be read: {error}"),
        },
        (dropped, _) => {
            let whose = delivery.properties.correlation_id().as_deref().and_then(whose);
            let received = match dropped {
                Some(bytes) => Err(TooLarge { bytes }),
                None => Ok(wire::reply(&delivery.properties, delivery.body)),
            };
            all.push((whose, received));
        }
    }
    Ok(())
}

/// What has come back because no queue takes it.
pub(crate) enum Returned<'a> {
    /// The request of this correlation id.
    Request(&'a str),
    Probe,
}

/// What a returned message was.
pub(crate) fn returned(note: &ReturnNote) -> Returned<'_> {
    note.properties.correlation_id().as_deref().map_or(Returned::Probe, Returned::Request)
}

/// Up to which delivery tag the broker has decided: the tag, whether all before it as well, and whether it took them.
pub(crate) fn confirmed(note: ConfirmNote) -> (u64, bool, bool) {
    let (payload, taken) = match note {
        ConfirmNote::Ack(payload) => (payload, true),
        ConfirmNote::Nack(payload) => (payload, false),
    };
    (payload.delivery_tag, payload.multiple, taken)
}
