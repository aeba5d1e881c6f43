//! What is done about deliveries that come again, and about clocks.

use std::time::Duration;

use super::Setup;
use crate::config::QueueType;

/// What is done about faults.
impl Setup {
    /// How often a function begins on one message that ends its process each time, or on a [`send`](crate::Client::send)
    /// that fails each time; then the message is a dead letter. From 2; the default is 5.
    ///
    /// Only deliveries count whose function had begun, or may have: a message that a server has fetched ahead and given
    /// back was delivered more often. A `send` is tried again only if its function is `idempotent` and failed with
    /// status 500 or above; what fails otherwise is a dead letter at once.
    pub fn max_deliveries(mut self, deliveries: u32) -> Self {
        self.config.max_deliveries = deliveries;
        self
    }

    /// How far a deadline may have passed by this server's clock before the request is refused; the default is 1 s.
    ///
    /// The deadline was set by the caller's clock. Whatever the clocks say, no function is told that its caller waits
    /// longer than the caller's timeout.
    pub fn clock_tolerance(mut self, tolerance: Duration) -> Self {
        self.config.clock_tolerance = tolerance;
        self
    }

    /// How many bytes of replies are kept for requests that come again, in each lane of each service; the default is
    /// 16 MiB, and 0 keeps none.
    ///
    /// A reply is kept for a minute at most. It answers a caller who has lost the connection and asks again, and a
    /// request that the broker delivers again because the acknowledgement was lost, without running the function again.
    pub fn reply_cache(mut self, bytes: usize) -> Self {
        self.config.reply_cache = bytes;
        self
    }

    /// How the broker keeps queues that are new; the default is [`QueueType::Classic`], whatever the default of the virtual
    /// host is.
    ///
    /// A queue that exists with another type is left as it is, and the server does not start.
    pub fn queue_type(mut self, queue_type: QueueType) -> Self {
        self.config.queue_type = queue_type;
        self
    }

    /// Lets queues that are new deliver requests of a higher [priority](crate::Client::with_priority) first, up to this one.
    ///
    /// What a server has fetched ahead is overtaken by nothing, so the default of [`prefetch`](Setup::prefetch) is then one
    /// for each worker. Each level costs the broker memory: a few are enough. Quorum queues have none.
    pub fn max_priority(mut self, max_priority: u8) -> Self {
        self.config.max_priority = Some(max_priority);
        self
    }

    /// Lets one server at a time take requests off queues that are new, while others stand by; for quorum queues only.
    ///
    /// With a classic queue RabbitMQ 3.10 can lose all its messages when the active server stops while some wait.
    pub fn single_active_consumer(mut self, single: bool) -> Self {
        self.config.single_active_consumer = single;
        self
    }
}
