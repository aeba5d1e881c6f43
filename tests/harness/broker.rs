//! A broker under test, whichever it is: what a case may ask of it, and do to it.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub use guirpc::embedded::Queue;

/// What RabbitMQ and the embedded broker have in common.
///
/// What disturbs everybody on the broker takes `&mut self`: a case that wants that has the broker to itself.
pub trait Broker: Sync {
    /// What it is called in the names of tests.
    fn name(&self) -> &'static str;

    /// The port that takes AMQP connections, on 127.0.0.1 only.
    fn port(&self) -> u16;

    /// Where a client finds it, as the user `guest`.
    fn uri(&self) -> String;

    /// Where a client finds a virtual host, with these credentials.
    fn uri_for(&self, user: &str, password: &str, vhost: &str) -> String {
        uri(self.port(), user, password, vhost)
    }

    /// Whether clients of it are to let their calls travel together.
    fn coalesces(&self) -> bool {
        false
    }

    /// The queue of that name, if there is one.
    fn queue(&self, name: &str) -> anyhow::Result<Option<Queue>>;

    /// The names of all queues; `None` if the broker does not tell.
    fn queues(&self) -> anyhow::Result<Option<BTreeSet<String>>>;

    /// Deletes a queue under the feet of its consumers.
    fn delete_queue(&self, name: &str) -> anyhow::Result<()>;

    /// Ends a queue's process without a word, if queues have such; it starts again with what is durable.
    fn fail_queue(&self, name: &str) -> anyhow::Result<()>;

    /// Closes the channels that consume from a queue with an error 406, and leaves their connections; gives their number.
    fn close_channels(&self, queue: &str) -> anyhow::Result<usize>;

    /// Closes every connection, as an operator would; gives their number.
    fn close_all_connections(&self, reason: &str) -> anyhow::Result<usize>;

    /// Has it keep what is durable even if it is killed at once.
    fn sync(&self) -> anyhow::Result<()>;

    /// Raises or clears the memory alarm, under which the broker reads from no publisher.
    fn memory_alarm(&mut self, on: bool) -> anyhow::Result<()>;

    /// Ends it without a word.
    fn kill(&mut self) -> anyhow::Result<()>;

    /// Starts it again on the same port with all that is durable, killing it first if it runs.
    fn restart(&mut self) -> anyhow::Result<()>;

    /// Stops it in good order: it says goodbye to every connection.
    fn stop(&mut self) -> anyhow::Result<()>;

    /// Stops its clock: it keeps its connections and says nothing until [`Self::thaw`].
    fn freeze(&mut self) -> anyhow::Result<()>;

    /// Lets a frozen broker go on.
    fn thaw(&mut self) -> anyhow::Result<()>;
}

pub(crate) fn uri(port: u16, user: &str, password: &str, vhost: &str) -> String {
    let [user, password, vhost] = [user, password, vhost].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC));
    format!("amqp://{user}:{password}@127.0.0.1:{port}/{vhost}")
}
