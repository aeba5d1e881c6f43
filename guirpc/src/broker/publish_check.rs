//! Whether the broker takes messages: for an exchange, from this user, of some size.
//!
//! Publishing to an exchange that is not there, or that one may not write to, or a message that is too large, closes the
//! channel, and all calls that wait on it are lost. So it is tried first, on a channel of its own, which is all that the
//! trial can cost.
//!
//! What is tried is a message that the broker never takes: its expiration is no number, which RabbitMQ looks at when
//! everything else was in order. So no queue ever gets it, and the user needs no right but to write.

use std::time::Duration;

use amiquip::{AmqpProperties, ConsumerOptions, Publish, Return};
use crossbeam_channel::Receiver;
use uuid::Uuid;

use super::attempt::{Attempt, bounded};
use super::connection::{Beside, Opener, explain};
use super::message_sizes::MessageSizes;
use super::refusal::largest_message;
use super::reply_to::{NOBODY, ReplyTo};
use super::request_channel::DIRECT_REPLY_TO;
use super::{Channel, Connection};
use crate::message::Name;

/// For the broker to answer, beside the time that it takes to send the message.
const BOUND: Duration = Duration::from_secs(10);
/// For one that is tried on the same connection to be over; it is tried beside it then.
const TURN: Duration = Duration::from_secs(2);
/// How slow a network is put up with.
const BYTES_PER_SECOND: usize = 1 << 20;
/// As much goes with any trial, so that nearly all messages need no other; and as much goes by the connection that
/// others publish on, whose messages wait for what is before them.
const SMALL: usize = 16 << 10;
/// Beyond this size there are so few messages that each that is larger than those before is tried as it is.
const LARGE: usize = 1 << 20;
/// An expiration that is no number.
pub(super) const NEVER: &str = "never";

/// What is to be tried: a way to a queue, and a body of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublishCheck {
    pub(crate) exchange: Name,
    pub(crate) routing_key: Name,
    pub(crate) bytes: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) presence: Presence,
    pub(crate) sizes: MessageSizes,
}

/// What the broker says of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is there, and may be written to.
    Present,
    Missing,
    /// It may not be written to, for this reason.
    Denied(String),
    /// The broker said nothing in time, or the connection is gone.
    Unanswered,
}

impl PublishCheck {
    /// For a reply, to whomever.
    pub(crate) fn of_reply(bytes: usize) -> Self {
        PublishCheck { exchange: "".into(), routing_key: NOBODY.into(), bytes }
    }
}

impl Checked {
    pub(crate) fn unanswered() -> Self {
        Checked { presence: Presence::Unanswered, sizes: MessageSizes::default() }
    }
}

/// Tries what the broker takes, on a connection that is there already, or beside it.
#[derive(Clone, Debug)]
pub(crate) struct PublishChecker {
    opener: Opener,
    beside: Beside,
}

impl PublishChecker {
    pub(crate) fn on(connection: &Connection) -> Self {
        PublishChecker { opener: connection.opener(), beside: connection.beside() }
    }

    /// Tries it, and waits for the answer, within a bound.
    pub(crate) fn check(&self, check: &PublishCheck) -> Checked {
        let (this, check, bytes) = (self.clone(), check.clone(), trial_size(check.bytes));
        let bound = BOUND + Duration::from_secs((bytes / BYTES_PER_SECOND) as u64);
        let checked = bounded(bound, move |held| {
            let mut sizes = MessageSizes::default();
            let presence = match this.attempt(held, &check, bytes) {
                Trial::TooLarge(most) => {
                    sizes.set_most(most);
                    match this.attempt(held, &check, 0) {
                        Trial::Exchange(presence) => presence,
                        Trial::TooLarge(_) => Presence::Unanswered,
                    }
                }
                Trial::Exchange(presence) => {
                    // Its size is looked at before anything else.
                    if presence != Presence::Unanswered {
                        sizes.set_taken(bytes);
                    }
                    presence
                }
            };
            Checked { presence, sizes }
        });
        checked.unwrap_or_else(Checked::unanswered)
    }

    fn attempt(&self, held: &Attempt, check: &PublishCheck, bytes: usize) -> Trial {
        // The connection is not cut when this is given up: the broker may be short of memory, and others use it.
        if bytes <= SMALL
            && let Some(_turn) = self.opener.turn(TURN)
            && let Ok(channel) = self.opener.open_channel()
        {
            return attempt(&channel, check, bytes);
        }
        // The broker may allow no more channels than are in use.
        let beside = self.beside.open("trying what the broker takes").and_then(|mut connection| {
            held.hold(connection.socket());
            let trial = attempt(&connection.open_channel()?, check, bytes);
            let _ = connection.close(BOUND);
            Ok(trial)
        });
        beside.unwrap_or(Trial::Exchange(Presence::Unanswered))
    }
}

/// The node of the broker that a connection is to, as it stands in the addresses of replies; `None` if that cannot be
/// found out.
///
/// The broker writes the address of a channel into a message that it returns, as into any that wants to be answered there.
pub(crate) fn own_node(connection: &Connection) -> impl FnOnce() -> Option<u64> + Send + 'static {
    let opener = connection.opener();
    move || bounded(BOUND, move |_| address_of_a_channel(&opener)?.node()).flatten()
}

fn address_of_a_channel(opener: &Opener) -> Option<ReplyTo> {
    let _turn = opener.turn(TURN)?;
    let channel = opener.open_channel().ok()?;
    let returns = channel.0.listen_for_returns().ok()?;
    let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
    let consumer = channel.start_consumer(DIRECT_REPLY_TO, options).ok()?;
    let returned = returned_at_once(&channel, &returns);
    drop(consumer);
    drop(channel);
    ReplyTo::parse(returned?.properties.reply_to().as_deref()?).ok()
}

/// A message from this channel that no queue takes, as it comes back.
fn returned_at_once(channel: &Channel, returns: &Receiver<Return>) -> Option<Return> {
    let properties = AmqpProperties::default().with_reply_to(DIRECT_REPLY_TO.to_owned());
    // There is no such queue, whoever may declare queues.
    let nowhere = format!("{NOBODY}.{}", Uuid::new_v4());
    let message = Publish { mandatory: true, ..Publish::with_properties(b"", nowhere, properties) };
    channel.0.basic_publish("", message).ok()?;
    channel.0.qos(0, 0, false).ok()?;
    returns.try_recv().ok()
}

/// What the broker looked at last.
enum Trial {
    TooLarge(usize),
    Exchange(Presence),
}

fn attempt(channel: &Channel, check: &PublishCheck, bytes: usize) -> Trial {
    let body = vec![0; bytes];
    let properties = AmqpProperties::default().with_expiration(NEVER.to_owned());
    let message = Publish::with_properties(&body, &*check.routing_key, properties);
    let published = channel.0.basic_publish(&*check.exchange, message);
    let error = match published.and_then(|()| channel.0.qos(0, 0, false)) {
        // A broker that takes any expiration.
        Ok(()) => return Trial::Exchange(Presence::Present),
        Err(error) => error,
    };
    let amiquip::Error::ServerClosedChannel { code, message, .. } = &error else {
        return Trial::Exchange(Presence::Unanswered);
    };
    if let Some(most) = largest_message(message) {
        return Trial::TooLarge(most);
    }
    Trial::Exchange(match code {
        406 if message.contains("expiration") => Presence::Present,
        404 => Presence::Missing,
        _ => Presence::Denied(explain(&error).to_string()),
    })
}

/// The size of the message with which it is tried whether one of this size is taken: of many sizes few are tried.
fn trial_size(bytes: usize) -> usize {
    if bytes > LARGE { bytes } else { bytes.next_power_of_two().max(SMALL) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_sizes_are_tried() {
        let mut sizes = MessageSizes::default();
        let tried = (1..LARGE).step_by(100).filter(|bytes| {
            let is_known = sizes.takes(*bytes) == Some(true);
            if !is_known {
                sizes.set_taken(trial_size(*bytes));
            }
            !is_known
        });
        assert_eq!(tried.count(), 7, "from 16 KiB to 1 MiB");
        assert_eq!(trial_size(LARGE + 1), LARGE + 1);
    }
}
