//! Faults on purpose: what a test does to the broker, at the moment it chooses.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::send_buffer::SendBuffer;
use super::{Broker, Shared, listen};
use crate::error::Error;

/// For clients to answer `connection.close`.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a broker still has when it starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: it starts as a new one.
    Nothing,
    /// Durable exchanges and queues, the bindings between them, and the persistent messages in them.
    Durable,
}

impl Broker {
    /// The connections that are open, in the order in which they were opened.
    pub fn connections(&self) -> Vec<Connection> {
        let clients = self.shared.state().clients().into_iter();
        clients
            .map(|(id, send_buffer, information)| Connection {
                shared: Arc::clone(&self.shared),
                id,
                send_buffer,
                information,
            })
            .collect()
    }

    /// Closes all connections in good order, as an operator would (320, with this reason); gives their number.
    pub fn close_connections(&self, reason: &str) -> usize {
        let connections = self.connections();
        for connection in &connections {
            connection.close(reason);
        }
        connections.len()
    }

    /// Raises or clears the memory alarm: publishers are sent `connection.blocked`, and nothing is read from them.
    pub fn memory_alarm(&self, on: bool) {
        self.shared.state().force_alarm(on);
    }

    /// Cancels all consumers of a queue, with a `basic.cancel` to each, and leaves the queue; gives their number.
    pub fn cancel_consumers(&self, queue: &str) -> usize {
        self.shared.state().cancel_consumers(queue)
    }

    /// Closes the channels that consume from a queue (406, with this reason), and leaves their connections;
    /// gives their number.
    ///
    /// RabbitMQ does so with a channel on which an acknowledgement is overdue, for one.
    pub fn close_channels(&self, queue: &str, reason: &str) -> usize {
        self.shared.state().close_channels(queue, reason)
    }

    /// Puts everything that is delivered but not acknowledged back into the queue, to be delivered again;
    /// gives the number of messages.
    ///
    /// It is as if their acknowledgements were lost: acknowledgements of the first delivery make no difference.
    pub fn redeliver(&self, queue: &str) -> usize {
        self.shared.state().redeliver(queue)
    }

    /// Holds back every reply from now on, until the value releases or discards them.
    ///
    /// A reply is what is published to a direct reply-to address, or goes into a queue that is exclusive.
    pub fn hold_replies(&self) -> HeldReplies {
        self.shared.state().hold_replies();
        HeldReplies { shared: Arc::clone(&self.shared) }
    }

    /// Falls silent: nothing is read and nothing is written, on connections old and new, until [`Broker::thaw`].
    pub fn freeze(&self) {
        self.shared.state().set_frozen(true);
    }

    /// Goes on after [`Broker::freeze`], with all that came in meanwhile.
    pub fn thaw(&self) {
        self.shared.state().set_frozen(false);
    }

    /// Closes every connection in good order (320) and takes no more until [`Broker::restart`].
    pub fn stop(&self) {
        self.close_listener();
        self.close_connections("broker forced connection closure with reason 'shutdown'");
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        let mut state = self.shared.state();
        while state.has_sessions() && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.cut_all();
    }

    /// Cuts every connection without closing it and takes no more until [`Broker::restart`].
    pub fn kill(&self) {
        self.close_listener();
        self.shared.state().cut_all();
    }

    /// Starts again on the same port, as after a crash: kills first if it runs.
    ///
    /// # Errors
    /// The port has been taken meanwhile.
    pub fn restart(&self, keep: Keep) -> Result<(), Error> {
        self.kill();
        self.shared.state().forget_all_but(keep);
        let listener = listen(&self.shared, self.port)?;
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        Ok(())
    }

    fn close_listener(&self) {
        drop(self.listener.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A client's connection, as the broker sees it.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
    id: u64,
    send_buffer: SendBuffer,
    information: String,
}

impl Connection {
    /// How the client names itself: the field `information` of its client properties, or its `product`.
    pub fn information(&self) -> &str {
        &self.information
    }

    /// Closes it in good order, as an operator would (320, with this reason).
    pub fn close(&self, reason: &str) {
        self.shared.state().force_close(self.id, reason);
    }

    /// Cuts it without closing it.
    pub fn cut(&self) {
        let mut state = self.shared.state();
        self.send_buffer.cut();
        state.disconnect(self.id);
    }

    /// Cuts it in the middle of the next frame that is written to it.
    pub fn cut_mid_frame(&self) {
        self.send_buffer.cut_in_next_frame();
    }

    /// Falls silent on this connection: nothing is read and nothing is written until [`Connection::thaw`].
    pub fn freeze(&self) {
        self.send_buffer.set_frozen(true);
    }

    /// Goes on after [`Connection::freeze`].
    pub fn thaw(&self) {
        self.send_buffer.set_frozen(false);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("information", &self.information).finish_non_exhaustive()
    }
}

/// Replies that are held back; dropping it delivers them, and lets later ones pass.
#[derive(Debug)]
pub struct HeldReplies {
    shared: Arc<Shared>,
}

impl HeldReplies {
    /// How many are held back now.
    pub fn count(&self) -> usize {
        self.shared.state().held_replies()
    }

    /// Delivers those that are held back now, in order; later ones are held back still.
    pub fn release(&self) {
        self.shared.state().release_held();
    }

    /// Loses those that are held back now; later ones are held back still.
    pub fn discard(&self) {
        self.shared.state().discard_held();
    }
}

impl Drop for HeldReplies {
    fn drop(&mut self) {
        self.shared.state().pass_replies();
    }
}
