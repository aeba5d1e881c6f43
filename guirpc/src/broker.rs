//! The only place that names amiquip: addresses, connections, topology, and messages on the wire.
//!
//! amiquip is synchronous and some of its calls wait for ever on a broker that has stopped answering,
//! so everything in here is either bounded in time or done on a thread that may be given up.

mod address;
mod addresses;
mod backoff;
mod connection;
mod dead_queue;
mod dial;
mod exchanges;
mod failure;
mod goodbye;
mod guard;
mod inbox;
mod off_thread;
mod outbound;
mod reply;
mod reply_nodes;
mod reply_to;
mod republish;
mod request_channel;
#[cfg(feature = "tls")]
mod tls;
mod topology;
mod wire;

use address::Address;
pub(crate) use addresses::Addresses;
pub(crate) use backoff::Backoff;
pub(crate) use connection::{BlockedNote, Channel, Connection, OPEN_TIMEOUT, bounded, no_answer};
pub(crate) use dead_queue::{DeadQueue, Taken};
pub(crate) use exchanges::{Exchanges, Presence};
pub(crate) use failure::{Failure, Scope};
#[cfg(feature = "embedded")]
pub(crate) use guard::{is_sound_table, mend_table};
pub(crate) use inbox::{Consumer, Event, Inbox, Next, Original, Receipt};
pub(crate) use off_thread::OffThread;
pub(crate) use outbound::{Outbound, Size};
pub(crate) use reply_nodes::{ReplyNodes, TrialAccess};
pub(crate) use reply_to::ReplyTo;
pub(crate) use republish::{RepublishChannel, RepublishOpener, is_returned};
pub(crate) use request_channel::{
    ConfirmNote, Incoming, ReplyNote, RequestChannel, ReturnNote, Returned, confirmed, reply, request_channels,
    returned,
};
pub(crate) use topology::{EXCHANGE, Exchange, Lifetime, PYTHON_EXCHANGE, QueueKind};
