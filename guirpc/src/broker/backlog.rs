//! What waits in a queue, and how many take from it.

use super::attempt::bounded;
use super::connection::explain;
use super::{Addresses, Channel, Connection, OPEN_TIMEOUT, no_answer, program};
use crate::error::Error;

/// Asks for the messages in a queue that nobody has fetched, and for its consumers; `None` if there is no such queue.
///
/// On a connection of its own, since a broker that refuses the question closes the channel.
pub(crate) fn ask_backlog(addresses: &Addresses, queue: String) -> Result<Option<(u32, u32)>, Error> {
    let to = addresses.clone();
    let asked = bounded(OPEN_TIMEOUT, move |attempt| {
        let mut connection = Connection::open(&to, &program(), "asking for the backlog")?;
        attempt.hold(connection.socket());
        connection.open_channel()?.counts(&queue)
    });
    asked.unwrap_or_else(|| Err(no_answer(addresses)))
}

impl Channel {
    /// The messages in a queue that nobody has fetched, and its consumers; `None` if there is no such queue.
    pub(super) fn counts(&self, queue: &str) -> Result<Option<(u32, u32)>, Error> {
        match self.0.queue_declare_passive(queue) {
            Ok(queue) => {
                let counts = queue.declared_message_count().zip(queue.declared_consumer_count());
                Ok(Some(counts.unwrap_or_default()))
            }
            // Another 404 says that the part of the cluster is down on which the queue is.
            Err(amiquip::Error::ServerClosedChannel { code: 404, message, .. }) if message.contains("no queue") => {
                Ok(None)
            }
            Err(error) => Err(explain(&error)),
        }
    }
}
