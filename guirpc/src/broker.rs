//! The only place that names amiquip: addresses, connections, topology, and messages on the wire.
//!
//! amiquip is synchronous and some of its calls wait for ever on a broker that has stopped answering,
//! so everything in here is either bounded in time or part of an [`Attempt`] that may be given up.
//!
//! # What the rest of the library asks of it
//!
//! Whoever replaces amiquip writes these again, and nothing else; the state machines of client and server stay.
//!
//! | | |
//! |---|---|
//! | [`Addresses::parse`] | one broker or several, from URIs |
//! | [`Connection::open`], `open_beside`, `open_channel`, `blocked`, `close` | connections, bounded in time; alarms of the broker |
//! | [`Attempt`], [`bounded()`] | what may wait without a bound, and has its connections cut when it is given up |
//! | [`BodyLimit`], `limit_bodies` | bodies that are too large, dropped as they come in |
//! | [`Channel::consume`], `set_prefetch`, `ack`, `ack_through`, `requeue`, `flush`; [`Consumer::cancel`] | a server's consuming channel, for one thread |
//! | [`Channel::check_marks`] | whether the broker marks what it delivers again |
//! | [`Inbox::next`], `try_next` | where deliveries arrive, for any thread, as [`Event`]s |
//! | [`ReplyChannel::publish`], `progress`, `flush` | replies, and which of them have left this process; [`ReplyTo`] and [`ReplyNodes`] keep strangers' addresses from doing harm |
//! | [`RepublishChannel`]: `attempt`, `dead_letter`, `declare`, `confirms` | requests that are published again |
//! | [`Topology::declare_service`], `declare_queue` | exchanges and queues, declared or taken as they are |
//! | [`TopologyKeeper::look`] | an exchange and its bindings, declared again when they are gone |
//! | [`request_channels`], [`RequestChannel::publish`], `probe`; [`replies`], [`returned`], [`confirmed`] | a client's two channels, and what comes in on them |
//! | [`PublishChecker::check`] | whether the broker takes messages for an exchange, from this user, of some size ([`MessageSizes`]) |
//! | [`Inspector`] | what the broker says when it is asked, and nothing changes: its greeting, declarations, rights, alarms |
//! | [`ask_backlog`] | what waits in a queue, and how many take from it |
//! | [`ControlServer::serve`], [`ControlClient::ask`] | questions to servers, on the control exchange |
//! | [`DeadQueue`]: `open`, `exists`, `next`, `keep`, `remove`, `put_back`, `close` | looking through dead letters |
//!
//! What fails, and how far that reaches, is a [`Failure`] for those who go on, an [`Error`](crate::Error) for users.

mod addresses;
mod attempt;
mod backlog;
mod backoff;
mod connection;
mod control;
mod dead_queue;
mod drop_on_thread;
mod failure;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod inbox;
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "what is declared is compared with settings"))]
mod inspector;
mod marks;
mod message_sizes;
mod outbound;
mod publish_check;
mod refusal;
mod reply;
mod reply_nodes;
mod reply_to;
mod republish;
mod request_channel;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod topology;
mod wire;

use addresses::Address;
pub(crate) use addresses::Addresses;
pub(crate) use attempt::{Attempt, bounded};
pub(crate) use backlog::ask_backlog;
pub(crate) use backoff::Backoff;
pub(crate) use connection::{
    BlockedNote, BodyLimit, Channel, ChannelBodies, Connection, Limits, OPEN_TIMEOUT, no_answer, program,
};
#[cfg(feature = "embedded")]
pub(crate) use connection::{is_sound_table, sanitize_table};
#[cfg(feature = "server")]
pub(crate) use control::ControlServer;
pub(crate) use control::{ControlAnswer, ControlClient, Patience};
pub(crate) use dead_queue::{DeadQueue, Taken};
pub(crate) use drop_on_thread::DropOnThread;
pub(crate) use failure::{Failure, Scope};
pub(crate) use inbox::{Consumer, Event, Inbox, Next, Order, Receipt};
pub(crate) use inspector::{Declared, Inspector, Right};
pub(crate) use message_sizes::MessageSizes;
pub(crate) use outbound::{Coalescable, Outbound, OutboundMessage, Size, coalesced_routing_key};
pub(crate) use publish_check::{Checked, Presence, PublishCheck, PublishChecker, own_node};
pub(crate) use refusal::ack_timeout;
pub(crate) use reply::{ReplyChannel, ReplyProgress};
pub(crate) use reply_nodes::{ReplyNodes, TrialAccess};
pub(crate) use reply_to::ReplyTo;
pub(crate) use republish::{RepublishChannel, RepublishOpener, is_returned};
pub(crate) use request_channel::{
    ConfirmNote, Incoming, Received, ReplyNote, RequestChannel, ReturnNote, Returned, TooLarge, confirmed, replies,
    request_channels, returned,
};
pub(crate) use topology::{
    Binding, EXCHANGE, Exchange, Lifetime, PYTHON_EXCHANGE, QueueKind, TakenAsItIs, Topology, TopologyKeeper,
};
