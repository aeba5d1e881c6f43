//! The only place that names amiquip: addresses, connections, topology, and messages on the wire.
//!
//! amiquip is synchronous and some of its calls wait for ever on a broker that has stopped answering,
//! so everything in here is either bounded in time or done on a thread that may be given up.

mod address;
mod backoff;
mod connection;
mod exchanges;
mod goodbye;
mod guard;
mod inbox;
mod off_thread;
mod outbox;
mod reply_to;
mod topology;
mod wire;

pub(crate) use address::Address;
pub(crate) use backoff::Backoff;
pub(crate) use connection::{BlockedNote, Channel, Connection, OPEN_TIMEOUT, bounded, no_answer};
pub(crate) use exchanges::{Exchanges, Presence};
#[cfg(feature = "embedded")]
pub(crate) use guard::{is_sound_table, mend_table};
pub(crate) use inbox::{Consumer, Event, Inbox, Receipt};
pub(crate) use off_thread::OffThread;
pub(crate) use outbox::{ConfirmNote, Outbound, ReplyNote, ReplyQueue, ReturnNote, Sends, confirmed, reply, returned};
pub(crate) use reply_to::ReplyTo;
pub(crate) use topology::{EXCHANGE, Exchange, Lifetime, PYTHON_EXCHANGE};
